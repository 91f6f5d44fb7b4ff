//! A case in words: what is given, and what must come out.

use toml::de::{DeTable, DeValue};
use toml::{Spanned, Value};

use crate::Bilingual;
use crate::figure::pairs_said;
use crate::splice::entries;
use crate::vocabulary::Vocabulary;

/// Keys of a point that say what must come out.
pub(super) const ANSWERS: [&str; 4] = ["pays", "remaining", "version", "profile"];

/// A case in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseSaid {
    /// Its name, as it is written.
    pub name: String,
    /// The days on which it plays.
    pub days: Vec<String>,
    /// What is given and what must come out, of each of its points.
    pub rows: Vec<[Bilingual; 2]>,
}

impl CaseSaid {
    /// The one case that `text` writes; `None` if it is about a chain of bills, or is written in another way.
    pub fn of(text: &str, vocabulary: &Vocabulary) -> Option<CaseSaid> {
        let table = DeTable::parse(text).ok()?.into_inner();
        let case = table.get("case")?.get_ref().as_array()?.first()?.get_ref().as_table()?;
        let days = match case.get("date")?.get_ref() {
            DeValue::Array(items) => {
                items.iter().filter_map(|day| day.get_ref().as_str().map(str::to_owned)).collect()
            }
            day => vec![day.as_str()?.to_owned()],
        };
        let pairs = |value: &Spanned<DeValue<'_>>| entries(text, value.get_ref().as_table()?, value.span());
        let shared = case.get("given").map(pairs).unwrap_or_else(|| Some(Vec::new()))?;
        let mut rows = Vec::new();
        if let Some(points) = case.get("points").and_then(|points| points.get_ref().as_array()) {
            for point in points.iter() {
                let own = pairs(point)?;
                let is_answer = |pair: &&(String, String)| ANSWERS.contains(&pair.0.as_str());
                let given: Vec<(String, String)> =
                    shared.iter().chain(own.iter().filter(|pair| !is_answer(pair))).cloned().collect();
                let expect: Vec<(String, String)> = own.iter().filter(is_answer).cloned().collect();
                rows.push([written_said(&given, vocabulary), written_said(&expect, vocabulary)]);
            }
        } else {
            let expect = pairs(case.get("expect")?)?;
            rows.push([written_said(&shared, vocabulary), written_said(&expect, vocabulary)]);
        }
        let name = case.get("name")?.get_ref().as_str()?.to_owned();
        Some(CaseSaid { name, days, rows })
    }
}

/// Entries as they are written, in words.
pub(super) fn written_said(pairs: &[(String, String)], vocabulary: &Vocabulary) -> Bilingual {
    let read = |(key, text): &(String, String)| {
        let table = format!("value = {text}").parse::<toml::Table>().ok();
        let value = table.and_then(|table| table.get("value").cloned());
        (key.clone(), value.unwrap_or_else(|| Value::String(text.clone())))
    };
    let read: Vec<(String, Value)> = pairs.iter().map(read).collect();
    pairs_said(read.iter().map(|(key, value)| (key, value)), vocabulary)
}
