//! 单病种定额（四定）: for a disease of the major list, where it is treated, on which pathway, for how much at most, and
//! what share is promised. Since hospitals are paid by groups of diagnoses it is a control figure, not the payment: a
//! bill that leaves it is named, never cut.

use kangmai_base::{Fen, Rate};

use crate::dated::Period;
use crate::fields::Fields;
use crate::source::Spot;
use crate::words::Word;
use crate::{Bilingual, Source, Sure};

/// 临床路径
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pathway {
    /// Its name or number.
    pub id: String,
    /// Which edition.
    pub version: String,
}

/// What is set for one disease.
#[derive(Debug, Clone)]
pub struct DiseaseCap {
    /// The disease, by its name in the disease table.
    pub disease: String,
    /// Codes of the designated hospitals; empty: none is set.
    pub hospitals: Vec<String>,
    /// The pathway, if one is set.
    pub pathway: Option<Pathway>,
    /// The most that a stay should cost; none: not set.
    pub price: Option<Fen>,
    /// The share of the cost that is promised to be borne by others; none: not set.
    pub promised: Option<Rate>,
    /// Who answers for it, if not who answers for the others.
    pub responsible: Option<Bilingual>,
    spot: Spot,
}

/// What is set in one place and time.
#[derive(Debug, Clone)]
pub struct DiseaseCaps {
    /// When it holds.
    pub period: Period,
    /// How sure.
    pub sure: Sure,
    /// Where from.
    pub source: Source,
    /// Who answers for it.
    pub responsible: Bilingual,
    /// By disease.
    pub caps: Vec<DiseaseCap>,
}

/// How a stay left what was set. Leaving the pathway is not told by a bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CapDeviation {
    /// Treated in another hospital than those designated.
    Elsewhere,
    /// It cost more than was set.
    OverPrice {
        /// By so much.
        over: Fen,
    },
    /// The real ratio is under what was promised.
    UnderPromise {
        /// So much more would have had to be borne by others.
        short: Fen,
    },
}

impl DiseaseCap {
    /// How a stay in `hospital` left what is set: it cost `total`, of which `own` stayed with the person. The real ratio
    /// is of the total, as it is counted everywhere else.
    pub fn deviations(&self, hospital: &str, total: Fen, own: Fen) -> Vec<CapDeviation> {
        let mut found = Vec::new();
        if !self.hospitals.is_empty() && !self.hospitals.iter().any(|code| code == hospital) {
            found.push(CapDeviation::Elsewhere);
        }
        if let Some(price) = self.price.filter(|price| total > *price) {
            found.push(CapDeviation::OverPrice { over: Fen(total.0 - price.0) });
        }
        if let Some(promised) = self.promised {
            // The promise is kept to the fen, so a fraction of a fen counts as a whole one.
            let product = i128::from(total.0) * i128::from(promised.numerator());
            let whole = i128::from(promised.denominator());
            let least = product.div_euclid(whole) + i128::from(product.rem_euclid(whole) != 0);
            let borne = i128::from(total.0) - i128::from(own.0);
            if let Ok(short @ 1..) = i64::try_from(least - borne) {
                found.push(CapDeviation::UnderPromise { short: Fen(short) });
            }
        }
        found
    }
}

impl DiseaseCaps {
    /// What is set for a disease.
    pub fn cap_for(&self, disease: &str) -> Option<&DiseaseCap> {
        self.caps.iter().find(|cap| cap.disease == disease)
    }

    /// Reports each disease that is not among `known`.
    pub(crate) fn check(&self, known: &[&str], mut push: impl FnMut(crate::PackError)) {
        for cap in self.caps.iter().filter(|cap| !known.contains(&cap.disease.as_str())) {
            let error = cap.spot.error(Word::ErrNotInList, Word::MendList);
            push(error.with("value", cap.disease.clone()).with("list", known.join(", ")));
        }
    }

    pub(crate) fn read(fields: &Fields<'_>) -> Option<DiseaseCaps> {
        let (period, sure, source) = (Period::read(fields), Sure::read(fields), Source::read(fields));
        let responsible = fields.bilingual("responsible");
        let mut caps: Vec<DiseaseCap> = Vec::new();
        for table in fields.some_tables("cap") {
            let Some(cap) = read_cap(&table) else { continue };
            if caps.iter().any(|earlier| earlier.disease == cap.disease) {
                let error = cap.spot.error(Word::ErrTwice, Word::MendTwice);
                table.push(error.with("value", cap.disease.clone()));
            }
            caps.push(cap);
        }
        fields.finish();
        Some(DiseaseCaps { period: period?, sure: sure?, source: source?, responsible: responsible?, caps })
    }
}

fn read_cap(table: &Fields<'_>) -> Option<DiseaseCap> {
    let disease = table.text("disease");
    let hospitals = table.texts_maybe("hospitals").unwrap_or_default();
    let pathway = table.table_maybe("pathway").and_then(|pathway| {
        let (id, version) = (pathway.text("id"), pathway.text("version"));
        pathway.finish();
        Some(Pathway { id: id?.value.to_owned(), version: version?.value.to_owned() })
    });
    let price = table.cap("price");
    let promised = match table.text("promised")?.value {
        "none" => Some(None),
        _ => table.share("promised").map(|rate| Some(rate.value)),
    };
    let responsible = table.bilingual_maybe("responsible");
    table.finish();
    let disease = disease?;
    Some(DiseaseCap {
        disease: disease.value.to_owned(),
        hospitals: hospitals.iter().map(|code| code.value.to_owned()).collect(),
        pathway,
        price: price?,
        promised: promised?,
        responsible,
        spot: disease.spot,
    })
}

/// What a case may ask.
pub(crate) const ANSWERS: &[&str] = &["in_force", "disease", "hospitals", "pathway", "price", "promised"];

/// What is set for a disease, by name.
pub(crate) fn answers(caps: &DiseaseCaps, disease: Option<&str>) -> Vec<(&'static str, String)> {
    let none = || "none".to_owned();
    let cap = disease.and_then(|disease| caps.cap_for(disease));
    let hospitals = cap.map(|cap| cap.hospitals.join(", ")).filter(|codes| !codes.is_empty());
    let pathway = cap.and_then(|cap| cap.pathway.as_ref());
    let price = cap.and_then(|cap| cap.price);
    let promised = cap.and_then(|cap| cap.promised);
    vec![
        ("in_force", true.to_string()),
        ("disease", cap.map_or_else(none, |cap| cap.disease.clone())),
        ("hospitals", hospitals.unwrap_or_else(none)),
        ("pathway", pathway.map_or_else(none, |pathway| format!("{} {}", pathway.id, pathway.version))),
        ("price", price.map_or_else(none, |price| price.to_string())),
        ("promised", promised.map_or_else(none, |rate| rate.to_string())),
    ]
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::source::PackFile;

    fn cap(hospitals: &[&str], price: Option<i64>, promised: Option<Rate>) -> DiseaseCap {
        let file = Arc::new(PackFile { path: String::new(), text: String::new() });
        DiseaseCap {
            disease: "gastric_cancer".to_owned(),
            hospitals: hospitals.iter().map(|code| (*code).to_owned()).collect(),
            pathway: None,
            price: price.map(Fen),
            promised,
            responsible: None,
            spot: Spot { file, span: 0..0 },
        }
    }

    #[test]
    fn a_stay_that_leaves_what_is_set_is_named() {
        use CapDeviation::{Elsewhere, OverPrice, UnderPromise};
        let full = cap(&["H1", "H2"], Some(3_000_000), Some(Rate::percent(80)));
        let (over, short) = (|fen| OverPrice { over: Fen(fen) }, |fen| UnderPromise { short: Fen(fen) });
        for (what, cap, hospital, total, own, expected) in [
            ("kept", &full, "H2", 3_000_000, 600_000, vec![]),
            ("elsewhere", &full, "H3", 3_000_000, 600_000, vec![Elsewhere]),
            ("a fen under the price", &full, "H1", 2_999_999, 0, vec![]),
            ("a fen over the price", &full, "H1", 3_000_001, 0, vec![over(1)]),
            ("a fen under the promise", &full, "H1", 3_000_000, 600_001, vec![short(1)]),
            ("a fen over the promise", &full, "H1", 3_000_000, 599_999, vec![]),
            ("80 % of 1.01 is 0.808: 0.81", &full, "H1", 101, 20, vec![]),
            ("and 0.80 is too little", &full, "H1", 101, 21, vec![short(1)]),
            (
                "all three",
                &full,
                "",
                4_000_000,
                2_000_000,
                vec![Elsewhere, over(1_000_000), short(1_200_000)],
            ),
            ("no bill", &full, "H1", 0, 0, vec![]),
            ("nothing is set", &cap(&[], None, None), "H9", 9_000_000, 9_000_000, vec![]),
        ] {
            assert_eq!(cap.deviations(hospital, Fen(total), Fen(own)), expected, "{what}");
        }
    }
}
