//! How what a file says of a disease meets what the record has of it already. Pure.

use kangmai_base::{Day, Uuid};

use crate::facts::Diagnosed;
use crate::store::{KnownDiagnosis, StruckDiagnosis};

/// What a row says, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reported {
    pub(crate) code: String,
    pub(crate) system: String,
    pub(crate) name: String,
    pub(crate) from: Day,
    pub(crate) to: Option<Day>,
    pub(crate) institution: String,
    pub(crate) drug_resistant: bool,
    pub(crate) sensitive: bool,
}

/// What a row comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Met {
    /// A disease that the record does not have.
    New(Diagnosed),
    /// One that it has, otherwise: the body, and the fact that it puts right.
    Changed(Diagnosed, Uuid),
    /// One that it has just so.
    Known,
}

/// A row is about a known diagnosis when the code is the same and the times touch: an earlier day brings its beginning
/// forward, an end ends it, a later day while it still holds says nothing new. The same code after an end is a new
/// diagnosis. What a row does not say (an end, an institution) stays as it is known.
pub(crate) fn meet(reported: &Reported, known: &[KnownDiagnosis], origin: &str, new_id: Uuid) -> Met {
    let Some(there) =
        known.iter().filter(|known| is_same(reported, known)).min_by_key(|known| known.diagnosis.from)
    else {
        return Met::New(body(reported, new_id, origin));
    };
    let before = state_of(there);
    let begins_earlier = reported.from < before.from;
    let after = Diagnosed {
        from: before.from.min(reported.from),
        to: reported.to.or(before.to),
        // Who found it and what it was called then belong to the earliest report.
        institution: if begins_earlier && !reported.institution.is_empty() {
            reported.institution.clone()
        } else {
            before.institution.clone()
        },
        drug_resistant: before.drug_resistant || reported.drug_resistant,
        sensitive: before.sensitive || reported.sensitive,
        ..before.clone()
    };
    if after == before {
        return Met::Known;
    }
    Met::Changed(Diagnosed { origin: origin.to_owned(), ..after }, there.fact)
}

pub(crate) fn is_same(reported: &Reported, known: &KnownDiagnosis) -> bool {
    let code = |text: &str| text.parse::<kangmai_policy::Icd10>().ok();
    let ends_before = |end: Option<Day>, start: Day| end.is_some_and(|end| end < start);
    code(&reported.code) == code(&known.diagnosis.code)
        && !ends_before(known.diagnosis.to, reported.from)
        && !ends_before(reported.to, known.diagnosis.from)
}

/// A known diagnosis as the body that tells it.
pub(crate) fn state_of(there: &KnownDiagnosis) -> Diagnosed {
    Diagnosed {
        diagnosis: there.diagnosis.id,
        code: there.diagnosis.code.clone(),
        system: there.system.clone(),
        name: there.diagnosis.name.clone(),
        from: there.diagnosis.from,
        to: there.diagnosis.to,
        institution: there.institution.clone(),
        origin: there.origin.clone(),
        drug_resistant: there.diagnosis.drug_resistant,
        reason: String::new(),
        sensitive: there.sensitive,
    }
}

/// Whether somebody put right by hand just what a row says again: the same code of the same day.
pub(crate) fn is_struck(reported: &Reported, struck: &[StruckDiagnosis]) -> bool {
    let code = |text: &str| text.parse::<kangmai_policy::Icd10>().ok();
    struck.iter().any(|row| row.from == reported.from && code(&row.code) == code(&reported.code))
}

pub(crate) fn body(reported: &Reported, diagnosis: Uuid, origin: &str) -> Diagnosed {
    Diagnosed {
        diagnosis,
        code: reported.code.clone(),
        system: reported.system.clone(),
        name: reported.name.clone(),
        from: reported.from,
        to: reported.to,
        institution: reported.institution.clone(),
        origin: origin.to_owned(),
        drug_resistant: reported.drug_resistant,
        reason: String::new(),
        sensitive: reported.sensitive,
    }
}

/// `known` as it will be once `body`, told by `fact`, is in the record.
pub(crate) fn remember(known: &mut Vec<KnownDiagnosis>, body: &Diagnosed, fact: Uuid) {
    let now = KnownDiagnosis {
        diagnosis: crate::rules::Diagnosis {
            id: body.diagnosis,
            code: body.code.clone(),
            name: body.name.clone(),
            from: body.from,
            to: body.to,
            drug_resistant: body.drug_resistant,
        },
        system: body.system.clone(),
        institution: body.institution.clone(),
        origin: body.origin.clone(),
        sensitive: body.sensitive,
        fact,
        major: None,
    };
    match known.iter_mut().find(|known| known.diagnosis.id == body.diagnosis) {
        Some(there) => *there = KnownDiagnosis { major: there.major.take(), ..now },
        None => known.push(now),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().expect("a day")
    }

    fn reported(code: &str, from: &str, to: Option<&str>) -> Reported {
        Reported {
            code: code.to_owned(),
            system: "ICD-10".to_owned(),
            name: "示例".to_owned(),
            from: day(from),
            to: to.map(day),
            institution: String::new(),
            drug_resistant: false,
            sensitive: false,
        }
    }

    /// Takes rows one after the other; says what each came to.
    fn take(rows: &[Reported], known: &mut Vec<KnownDiagnosis>) -> String {
        rows.iter()
            .map(|row| {
                let id = Uuid::from_u128(100 + known.len() as u128);
                match meet(row, known, "文件", id) {
                    Met::New(body) => {
                        remember(known, &body, id);
                        'n'
                    }
                    Met::Changed(body, _) => {
                        remember(known, &body, id);
                        'c'
                    }
                    Met::Known => '-',
                }
            })
            .collect()
    }

    #[test]
    fn a_file_again_says_nothing_new() {
        for (rows, first) in [
            (vec![reported("I10.x00", "2024-01-01", None)], "n"),
            (vec![reported("I10.x00", "2024-01-01", None), reported("i10.X00", "2025-01-01", None)], "n-"),
            (vec![reported("I10.x00", "2024-01-01", None), reported("I10.x00", "2023-01-01", None)], "nc"),
            (
                vec![
                    reported("I10.x00", "2024-01-01", None),
                    reported("I10.x00", "2024-01-01", Some("2024-06-01")),
                ],
                "nc",
            ),
            (
                vec![
                    reported("J18", "2024-01-01", Some("2024-02-01")),
                    reported("J18", "2025-01-01", Some("2025-02-01")),
                ],
                "nn",
            ),
            (
                vec![reported("J18", "2024-01-01", Some("2024-02-01")), reported("J18", "2025-01-01", None)],
                "nn",
            ),
            (vec![reported("I10", "2024-01-01", None), reported("E11", "2024-01-01", None)], "nn"),
        ] {
            let mut known = Vec::new();
            assert_eq!(take(&rows, &mut known), first);
            let again = "-".repeat(rows.len());
            assert_eq!(take(&rows, &mut known), again, "again, after {first}");
        }
    }
}
