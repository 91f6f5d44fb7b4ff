//! What `kangmai settle` writes: the result, the rows that were not settled, and one statement in words.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use kangmai_base::Fen;
use kangmai_policy::{Policy, Trace};
use kangmai_sheet::Fault;
use kangmai_web::Language;

use super::Setup;
use super::bill_file::BillRow;
use super::order::RowError;

/// Bytes gathered before they are written.
const BUFFER_BYTES: usize = 1 << 20;
/// Errors kept to be printed.
const MOST_KEPT: usize = 20;

/// The files that are written.
pub(super) struct Output<'s> {
    setup: &'s Setup,
    result: Option<File>,
    errors: Option<File>,
    result_text: Vec<u8>,
    error_text: Vec<u8>,
    summary: Summary,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Summary {
    pub(super) bills: u64,
    pub(super) faulty: u64,
    pub(super) repeated: u64,
    /// Bills that were settled by their lines.
    pub(super) with_lines: u64,
    /// Rows of the file of lines that were not taken.
    pub(super) faulty_lines: u64,
    pub(super) first_errors: Vec<String>,
    pub(super) explained: Option<String>,
}

/// So that Excel takes the file for UTF-8.
const BOM: &[u8] = "\u{feff}".as_bytes();

impl<'s> Output<'s> {
    pub(super) fn create(
        out: Option<&Path>,
        errors: Option<&Path>,
        setup: &'s Setup,
    ) -> anyhow::Result<Output<'s>> {
        let create =
            |path: &Path| File::create(path).with_context(|| format!("cannot write {}", path.display()));
        let mut output = Output {
            setup,
            result: out.map(create).transpose()?,
            errors: errors.map(create).transpose()?,
            result_text: BOM.to_vec(),
            error_text: BOM.to_vec(),
            summary: Summary::default(),
        };
        let (result, errors) = match setup.language {
            Language::Zh => ("结算单号,层,支付方,基数,支付,剩余合规费用", "行,结算单号,列,内容,原因,建议"),
            Language::En => {
                ("bill,layer,payer,base,paid,remaining", "row,bill,column,content,reason,suggestion")
            }
        };
        output.result_text.extend_from_slice(result.as_bytes());
        output.result_text.push(b'\n');
        output.error_text.extend_from_slice(errors.as_bytes());
        output.error_text.push(b'\n');
        Ok(output)
    }

    pub(super) fn bills(&self) -> u64 {
        self.summary.bills
    }

    /// One row for each layer that is for this bill, and one for the own share.
    pub(super) fn bill(&mut self, bill: &BillRow, policy: &Policy, trace: &Trace) -> anyhow::Result<()> {
        self.summary.bills += 1;
        self.summary.with_lines += u64::from(bill.has_lines);
        if self.result.is_none() {
            return Ok(());
        }
        let (number, text) = (bill.number.as_str(), &mut self.result_text);
        let facts = &trace.facts;
        if facts.already_paid > Fen::ZERO {
            let left = facts.compliant - facts.already_paid;
            row(text, number, ("already_paid", "earlier"), [facts.compliant, facts.already_paid, left]);
        }
        for (layer, step) in policy.layers().iter().zip(trace.steps()) {
            if step.outcome.applied() {
                let benefit = &layer.benefit;
                row(text, number, (&benefit.id, &benefit.payer.fund), [step.base, step.pays, step.remaining]);
            }
        }
        row(text, number, ("own", "person"), [facts.total, trace.own_share, Fen::ZERO]);
        if text.len() >= BUFFER_BYTES {
            flush(self.result.as_mut(), text)?;
        }
        Ok(())
    }

    pub(super) fn error(&mut self, error: &RowError) -> anyhow::Result<()> {
        if error.is_repeat {
            self.summary.repeated += 1;
        } else if error.of_lines {
            self.summary.faulty_lines += 1;
        } else {
            self.summary.faulty += 1;
        }
        for fault in &error.faults {
            let line = self.line(error, fault);
            if self.summary.first_errors.len() < MOST_KEPT {
                self.summary.first_errors.push(line.join("  "));
            }
            for (position, cell) in line.iter().enumerate() {
                if position > 0 {
                    self.error_text.push(b',');
                }
                text_cell(&mut self.error_text, cell);
            }
            self.error_text.push(b'\n');
        }
        if self.error_text.len() >= BUFFER_BYTES {
            flush(self.errors.as_mut(), &mut self.error_text)?;
        }
        Ok(())
    }

    fn line(&self, error: &RowError, fault: &Fault) -> [String; 6] {
        let text = |refusal| self.setup.words.refusal(self.setup.language, refusal, "");
        let column = fault.column.map_or("", |column| match self.setup.language {
            Language::Zh => column.title_zh,
            Language::En => column.title_en,
        });
        [
            match (error.of_lines, self.setup.language) {
                (false, _) => fault.row.to_string(),
                (true, Language::Zh) => format!("明细 {}", fault.row),
                (true, Language::En) => format!("lines {}", fault.row),
            },
            error.number.clone(),
            column.to_owned(),
            fault.shown.clone(),
            text(&fault.reason),
            fault.suggestion.as_ref().map(text).unwrap_or_default(),
        ]
    }

    /// Keeps the statement of a bill in words.
    pub(super) fn explain(&mut self, bill: &BillRow, policy: &Policy, trace: &Trace) {
        let language = match self.setup.language {
            Language::Zh => kangmai_policy::Language::Zh,
            Language::En => kangmai_policy::Language::En,
        };
        let mut text = format!("{}  {}\n", bill.number, policy.name.get(language));
        policy.write_text(trace, language, &mut text);
        for layer in policy.explain(trace, language).layers {
            if let (true, Some(source)) = (layer.outcome.applied(), &layer.source) {
                text.push_str("\n  ");
                text.push_str(&layer.name);
                text.push_str("  ");
                text.push_str(source);
                for more in layer.quote.iter().chain(&layer.note) {
                    text.push_str("\n    ");
                    text.push_str(more);
                }
            }
        }
        let found = policy.counterfactuals(trace, &self.around(bill, policy, trace));
        let told = policy.tell_counterfactuals(trace, &found, language, kangmai_policy::Sight::ALL);
        told.write_text(language, &mut text);
        self.summary.explained = Some(text);
    }

    /// What is known around a bill. Labels that the file itself gives are taken to hold on any day.
    fn around(&self, bill: &BillRow, policy: &Policy, trace: &Trace) -> kangmai_policy::Around {
        let facts = &trace.facts;
        let known = self.setup.around.person(bill.person);
        let as_registered =
            known.filter(|person| person.labels_on(facts.discharge) == facts.labels_at_discharge);
        let jurisdiction = self.setup.jurisdiction(bill.jurisdiction);
        let year = jurisdiction.map(|jurisdiction| self.setup.insurance_year(jurisdiction, bill));
        let next = year.map_or(facts.discharge.year(), |year| year.label) + 1;
        kangmai_policy::Around {
            labels: as_registered.map(|person| person.label_days()).unwrap_or_default(),
            birth: known.and_then(|person| person.birth),
            year,
            next_year: self.setup.around.opening(bill.person, next, policy),
        }
    }

    pub(super) fn finish(mut self) -> anyhow::Result<Summary> {
        flush(self.result.as_mut(), &mut self.result_text)?;
        flush(self.errors.as_mut(), &mut self.error_text)?;
        Ok(self.summary)
    }
}

fn flush(file: Option<&mut File>, text: &mut Vec<u8>) -> anyhow::Result<()> {
    if let Some(file) = file {
        file.write_all(text).context("writing the result")?;
    }
    text.clear();
    Ok(())
}

fn row(text: &mut Vec<u8>, number: &str, (layer, payer): (&str, &str), amounts: [Fen; 3]) {
    text_cell(text, number);
    text.push(b',');
    text_cell(text, layer);
    text.push(b',');
    text_cell(text, payer);
    for amount in amounts {
        text.push(b',');
        money_cell(text, amount);
    }
    text.push(b'\n');
}

/// A text, in quotes where it must be; a text that Excel would run is kept from it.
fn text_cell(text: &mut Vec<u8>, cell: &str) {
    let bytes = cell.as_bytes();
    let runs = matches!(bytes.first(), Some(b'=' | b'+' | b'-' | b'@'));
    if !runs && !bytes.iter().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r')) {
        text.extend_from_slice(bytes);
        return;
    }
    text.push(b'"');
    if runs {
        text.push(b'\'');
    }
    for byte in bytes {
        if *byte == b'"' {
            text.push(b'"');
        }
        text.push(*byte);
    }
    text.push(b'"');
}

/// `1234.56`.
fn money_cell(text: &mut Vec<u8>, amount: Fen) {
    let mut digits = [0_u8; 24];
    let mut start = digits.len();
    let mut rest = amount.0.unsigned_abs();
    for position in 0.. {
        if position == 2 {
            start -= 1;
            digits[start] = b'.';
        }
        start -= 1;
        digits[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 && position >= 2 {
            break;
        }
    }
    if amount.is_negative() {
        text.push(b'-');
    }
    text.extend_from_slice(&digits[start..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_written_as_base_writes_it() {
        for fen in [0, 1, 9, 10, 99, 100, 101, 12_345, -1, -12_345, i64::MAX] {
            let mut text = Vec::new();
            money_cell(&mut text, Fen(fen));
            assert_eq!(String::from_utf8(text).expect("text"), Fen(fen).to_string());
        }
    }

    #[test]
    fn a_cell_that_excel_would_run_is_kept_from_it() {
        for (cell, expected) in [
            ("ZY1", "ZY1"),
            ("a,b", "\"a,b\""),
            ("a\"b", "\"a\"\"b\""),
            ("=1+1", "\"'=1+1\""),
            ("-5", "\"'-5\""),
        ] {
            let mut text = Vec::new();
            text_cell(&mut text, cell);
            assert_eq!(String::from_utf8(text).expect("text"), expected);
        }
    }
}
