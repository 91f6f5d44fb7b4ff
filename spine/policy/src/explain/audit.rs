//! What an auditor holds a layer against: version, exact amount before rounding, cap before and after, the test that
//! failed with the fact that it asked.

use kangmai_base::{Day, Fen};
use serde::Serialize;

use super::{Sight, figures, written};
use crate::benefit::{DateBasis, Rounding};
use crate::policy::Layer;
use crate::predicate::{AsOf, Predicate};
use crate::trace::{Cap, Outcome, Step, Trace};
use crate::words::{Arg, Word, write_money};
use crate::{Language, Policy};

/// One layer for an auditor. Amounts that a kind has no use for are zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LayerAudit {
    /// The benefit's code name.
    pub id: String,
    /// The number of its version, from one, and the days for which that holds.
    pub version: Option<(u8, Day, Option<Day>)>,
    /// The day that selects the version, in words.
    pub dated: String,
    /// Whose figures were taken.
    pub profile: Option<String>,
    /// The base of the year (of a share: the deductible of the year) before this bill.
    pub before: Fen,
    /// The deductible that held.
    pub deductible: Fen,
    /// What of it this bill used.
    pub deductible_used: Fen,
    /// The exact amount before rounding, in yuan; a fraction of a fen where it has no end as a decimal.
    pub exact: String,
    /// How it is rounded.
    pub rounding: String,
    /// The rounded amount, before cap and before what was left.
    pub rounded: Fen,
    /// The rounded amount less the exact one, in yuan.
    pub rounding_difference: String,
    /// What a cap held before the bill and after it, with what it is over.
    pub cap: Option<(String, Fen, Fen)>,
    /// The tests that failed; of several profiles the first of each, each once.
    pub failed: Vec<FailedTest>,
}

/// A test that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailedTest {
    /// The name of the fact that was asked first.
    pub fact: &'static str,
    /// What the rule wants.
    pub needed: String,
    /// What was found; as much of it as the reader may see.
    pub found: String,
    /// As of which day the fact was asked.
    pub as_of: Day,
}

impl Policy {
    /// A trace of this policy for an auditor who may see so much; one entry for each layer, in order.
    pub fn audit(&self, trace: &Trace, language: Language, sight: Sight) -> Vec<LayerAudit> {
        let layers = self.layers.iter().zip(trace.steps());
        layers.map(|(layer, step)| self.audit_layer(layer, step, trace, (language, sight))).collect()
    }

    fn audit_layer(
        &self,
        layer: &Layer,
        step: &Step,
        trace: &Trace,
        (language, sight): (Language, Sight),
    ) -> LayerAudit {
        let benefit = &layer.benefit;
        let version = written(layer, step).map(|(version, _, _)| version.period);
        let off = i128::from(step.rounded.0) * i128::from(step.denominator) - step.numerator;
        LayerAudit {
            id: benefit.id.clone(),
            version: version.map(|period| (step.version + 1, period.from, period.to)),
            dated: dated(benefit.date, trace, language),
            profile: figures(layer, step).map(|(_, profile)| profile.name.get(language).to_owned()),
            before: step.before,
            deductible: step.deductible,
            deductible_used: step.deductible_used,
            exact: exact(step.numerator, step.denominator, language),
            rounding: rounding(benefit.rounding, language),
            rounded: step.rounded,
            rounding_difference: exact(off, step.denominator, language),
            cap: step.cap_room.map(|room| (cap_word(step.cap).text(language), room, room - step.pays)),
            failed: self.failed_tests(layer, step, trace, (language, sight)),
        }
    }

    fn failed_tests(
        &self,
        layer: &Layer,
        step: &Step,
        trace: &Trace,
        (language, sight): (Language, Sight),
    ) -> Vec<FailedTest> {
        let told = |predicate: &Predicate, failed: u8| {
            let part = predicate.parts().nth(usize::from(failed))?;
            let first = part.first()?;
            let (mut needed, mut found) = (String::new(), String::new());
            self.write_part(part, trace, language, &mut needed);
            self.write_actual(first, &trace.facts, (language, sight), &mut found);
            let as_of = match first.test.as_of() {
                Some(AsOf::Admission) => trace.facts.admission,
                _ => trace.facts.discharge,
            };
            Some(FailedTest { fact: first.test.fact(), needed, found, as_of })
        };
        match step.outcome {
            Outcome::NotEntitled => told(&layer.benefit.applies, step.failed).into_iter().collect(),
            Outcome::NoProfile => {
                let version = layer.benefit.versions.get(usize::from(step.version));
                let profiles = version.map(|version| version.profiles.as_slice()).unwrap_or_default();
                let stays = trace.before.get(layer.slots.stays);
                let failed =
                    |predicate: &Predicate| told(predicate, predicate.first_failure(&trace.facts, stays)?);
                let mut each: Vec<FailedTest> = Vec::new();
                for test in profiles.iter().filter_map(|profile| failed(&profile.when)) {
                    // Several groups may lack the same.
                    if !each.contains(&test) {
                        each.push(test);
                    }
                }
                each
            }
            _ => Vec::new(),
        }
    }
}

pub(super) fn dated(date: DateBasis, trace: &Trace, language: Language) -> String {
    let (word, day) = match date {
        DateBasis::Admission => (Word::AsOfAdmission, trace.facts.admission),
        DateBasis::Discharge => (Word::AsOfDischarge, trace.facts.discharge),
        DateBasis::Settlement => (Word::AsOfSettlement, trace.facts.settlement),
    };
    let mut out = String::new();
    word.write(language, &mut out, &[("day", Arg::Day(day))]);
    out
}

const fn cap_word(cap: Cap) -> Word {
    match cap {
        Cap::Year => Word::CapYear,
        Cap::Bill => Word::CapBill,
        Cap::Pool => Word::CapPool,
    }
}

fn rounding(rounding: Rounding, language: Language) -> String {
    let (word, unit) = match rounding {
        Rounding::HalfUp(unit) => (Word::RoundHalfUp, unit),
        Rounding::Down(unit) => (Word::RoundDown, unit),
        Rounding::Up(unit) => (Word::RoundUp, unit),
    };
    let mut out = String::new();
    word.write(language, &mut out, &[("unit", Arg::Money(Fen(unit)))]);
    out
}

/// Most digits after the fen with which an exact amount is written as a decimal.
const MOST_DIGITS: u32 = 8;

/// `numerator / denominator` fen in yuan: `4,201.6037`; a fraction of a fen where it has no end: `10/3 分`.
fn exact(numerator: i128, denominator: i64, language: Language) -> String {
    let denominator = i128::from(denominator.max(1));
    let ends =
        |digits: &u32| numerator.checked_mul(10_i128.pow(*digits)).is_some_and(|all| all % denominator == 0);
    let mut out = String::new();
    let Some(digits) = (0..=MOST_DIGITS).find(ends) else {
        let fraction = format!("{numerator}/{denominator}");
        Word::FractionOfFen.write(language, &mut out, &[("fraction", Arg::Text(&fraction))]);
        return out;
    };
    let size = (numerator * 10_i128.pow(digits) / denominator).unsigned_abs();
    let beyond = 10_u128.pow(digits);
    if numerator < 0 {
        out.push('-');
    }
    write_money(Fen(i64::try_from(size / beyond).unwrap_or(i64::MAX)), &mut out);
    if digits > 0 {
        out.push_str(&format!("{:0width$}", size % beyond, width = digits as usize));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exact_amount_is_written_without_loss() {
        for (numerator, denominator, zh) in [
            (0, 1, "0.00"),
            (42_016_000, 100, "4,201.60"),
            (42_016_037, 100, "4,201.6037"),
            (63, 100, "0.0063"),
            (-63, 100, "-0.0063"),
            (1, 8, "0.00125"),
            (10, 3, "10/3分"),
        ] {
            assert_eq!(exact(numerator, denominator, Language::Zh), zh);
        }
        assert_eq!(exact(10, 3, Language::En), "10/3 fen");
    }
}
