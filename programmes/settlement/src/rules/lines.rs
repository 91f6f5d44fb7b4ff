//! From the lines of a bill to its total, its compliant cost, its fees and its cost by category; and what is wrong with them.
//! Pure: the rule of lines comes in.

use kangmai_base::{Fen, Refusal};
use kangmai_policy::{BillLine, CostCategory, FeeKind, LineError, LineRules, LineSums, MAX_LINES};
use kangmai_sheet::Flaw;

use crate::facts::{BillLines, CategoryCost, ChargedLine, LineRule, NamedFee};

/// What a bill says besides its lines: it must agree with them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stated {
    /// 总费用, if it is said.
    pub total: Option<Fen>,
    /// 合规费用, if it is said.
    pub compliant: Option<Fen>,
    /// Fees with a name of their own, if any is said.
    pub fees: Vec<NamedFee>,
}

/// What lines come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Itemised {
    /// 总费用
    pub total: Fen,
    /// 合规费用
    pub compliant: Fen,
    /// Fees with a name of their own.
    pub fees: Vec<NamedFee>,
    /// The lines as a fact keeps them.
    pub lines: BillLines,
}

/// What is wrong with lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineFault {
    /// Which line, from 0; none: all of them together.
    pub line: Option<usize>,
    /// The column that it stands at: a key of [`LINE_COLUMNS`](crate::import::LINE_COLUMNS).
    pub column: &'static str,
    /// Why, and how to mend it.
    pub flaw: Flaw,
}

/// Adds lines up by `rules`, which stand in `file` of the release, and holds them against what is stated besides.
/// `name` says how a line is called to whoever reads a fault: its row in a file, its number on a page.
///
/// # Errors
/// All that is wrong, each at its line and column.
pub fn itemise(
    (file, rules): (&str, &LineRules),
    lines: Vec<ChargedLine>,
    stated: &Stated,
    name: &dyn Fn(usize) -> String,
) -> Result<Itemised, Vec<LineFault>> {
    let asked: Vec<BillLine> = lines.iter().map(ChargedLine::to_rule).collect();
    if asked.len() > MAX_LINES {
        return Err(vec![of_all("number", too_many(asked.len()))]);
    }
    let wrong = rules.wrong(&asked);
    if !wrong.is_empty() {
        return Err(wrong.into_iter().map(|error| of_error(error, &asked)).collect());
    }
    let sums = rules.sum(&asked).map_err(|error| vec![of_error(error, &asked)])?;
    let faults = disagreements(rules, &asked, &sums, stated, name);
    if !faults.is_empty() {
        return Err(faults);
    }
    let fees = FeeKind::ALL.into_iter().zip(sums.fees).filter(|(_, amount)| *amount != Fen::ZERO);
    let categories = CostCategory::ALL.into_iter().zip(sums.categories);
    let categories = categories.filter(|(_, compliant)| *compliant != Fen::ZERO);
    Ok(Itemised {
        total: sums.total,
        compliant: sums.compliant,
        fees: fees.map(|(kind, amount)| NamedFee { kind, amount }).collect(),
        lines: BillLines {
            rule: LineRule { file: file.to_owned(), from: rules.period.from },
            categories: categories
                .map(|(category, compliant)| CategoryCost { category, compliant })
                .collect(),
            lines,
        },
    })
}

const fn of_all(column: &'static str, flaw: Flaw) -> LineFault {
    LineFault { line: None, column, flaw }
}

/// How far two amounts lie from each other; which is more is seen from both.
fn between(one: Fen, other: Fen) -> Fen {
    if one < other { other - one } else { one - other }
}

/// More lines than a bill may have.
pub fn too_many(lines: usize) -> Flaw {
    Flaw::new("settlement.flaw.too_many_lines")
        .with("lines", lines.to_string())
        .with("most", MAX_LINES.to_string())
        .mend(Refusal::new("settlement.mend.too_many_lines"))
}

fn of_error(error: LineError, lines: &[BillLine]) -> LineFault {
    let at = |line: usize, column, flaw| LineFault { line: line.checked_sub(1), column, flaw };
    match error {
        LineError::Amount { line, printed, product } => {
            let flaw = Flaw::new("settlement.flaw.line_amount")
                .with("printed", printed.grouped())
                .with("product", product.grouped())
                .with("difference", between(printed, product).grouped());
            let mend = Refusal::new("settlement.mend.line_amount").with("product", product.to_string());
            at(line, "amount", flaw.mend(mend))
        }
        LineError::NoOwnShare { line } => {
            let mend = Refusal::new("settlement.mend.own_share");
            at(line, "own_share", Flaw::new("settlement.flaw.no_own_share").mend(mend))
        }
        LineError::TooLarge { line } => {
            let flaw = Flaw::new("sheet.flaw.amount_too_large").with("limit", Fen::LIMIT.grouped());
            at(line, "quantity", flaw)
        }
        LineError::Negative => {
            let product = |line: &BillLine| i128::from(line.quantity.0) * i128::from(line.unit_price.0);
            let least = lines.iter().enumerate().min_by_key(|(_, line)| product(line));
            let flaw =
                Flaw::new("settlement.flaw.taken_back").mend(Refusal::new("settlement.mend.taken_back"));
            LineFault { line: least.map(|(index, _)| index), column: "quantity", flaw }
        }
        LineError::TooMany => of_all("number", too_many(lines.len())),
    }
}

/// Where what is stated is not what the lines come to: by how much, and at which line, if one line explains it.
fn disagreements(
    rules: &LineRules,
    lines: &[BillLine],
    sums: &LineSums,
    stated: &Stated,
    name: &dyn Fn(usize) -> String,
) -> Vec<LineFault> {
    let mut faults = Vec::new();
    let amounts = |line: &BillLine| rules.split(line).unwrap_or_default();
    let mut compare =
        |column, words: [&'static str; 2], said: Fen, sum: Fen, of: &dyn Fn(&BillLine) -> Fen| {
            if said == sum {
                return;
            }
            let difference = sum - said;
            let alone = lines.iter().position(|line| of(line) == difference);
            let mend = match alone {
                Some(index) => Refusal::new("settlement.mend.lines_one").with("line", name(index)),
                None => Refusal::new(words[1]),
            };
            let flaw = Flaw::new(words[0])
                .with("stated", said.grouped())
                .with("sum", sum.grouped())
                .with("difference", between(sum, said).grouped());
            faults.push(LineFault { line: alone, column, flaw: flaw.mend(mend) });
        };
    if let Some(said) = stated.total {
        let words = ["settlement.flaw.lines_total", "settlement.mend.lines_total"];
        compare("total", words, said, sums.total, &|line| amounts(line).0);
    }
    if let Some(said) = stated.compliant {
        let words = ["settlement.flaw.lines_compliant", "settlement.mend.lines_compliant"];
        // Of a line that was put into another class, what is compliant moves.
        compare("compliant", words, said, sums.compliant, &|line| amounts(line).1);
    }
    if !stated.fees.is_empty() {
        for (kind, sum) in FeeKind::ALL.into_iter().zip(sums.fees) {
            let said = stated.fees.iter().filter(|fee| fee.kind == kind).map(|fee| fee.amount).sum();
            let words = ["settlement.flaw.lines_fees", "settlement.mend.lines_fees"];
            let of = |line: &BillLine| if line.fee == Some(kind) { amounts(line).0 } else { Fen(i64::MIN) };
            compare("fee", words, said, sum, &of);
        }
    }
    faults
}

#[cfg(test)]
mod tests;
