//! The figures of a run as an Excel file: one row for each, with its part of the page.

use kangmai_base::DivisionCode;
use kangmai_people::Label;
use kangmai_policy::{InstitutionTier, Language as Spoken};
use kangmai_sheet::Format;
use kangmai_sheets::{Cell, Head, SheetError, XlsxExport};
use kangmai_web::{Language, Words};

use crate::pages::place_name;
use crate::result::{Line, Outcome, Pair};

/// The file, and how many rows it holds.
///
/// # Errors
/// No temporary file can be made.
pub fn figures_file(
    words: &Words,
    language: Language,
    changes: &[String],
    outcome: &Outcome,
) -> Result<(Vec<u8>, i64), SheetError> {
    let word = |key: &str| words.word(language, key).into_owned();
    let heads = [
        ("what_if.column.part", Format::Text),
        ("what_if.column.item", Format::Text),
        ("what_if.column.count", Format::Whole),
        ("what_if.column.payers_before", Format::Amount),
        ("what_if.column.payers_after", Format::Amount),
        ("what_if.column.own_before", Format::Amount),
        ("what_if.column.own_after", Format::Amount),
        ("what_if.difference", Format::Amount),
    ];
    let heads = heads.map(|(key, format)| Head::new(word(key), format)).to_vec();
    let mut sheet = Figures { out: XlsxExport::begin(&word("what_if.title"), heads)?, rows: 0 };
    for change in changes {
        sheet.put(&word("what_if.changes"), change, None, None, None)?;
    }
    let spoken = if language == Language::Zh { Spoken::Zh } else { Spoken::En };
    for payer in &outcome.payers {
        sheet.put(&word("what_if.by_payer"), payer.name.get(spoken), None, Some(payer.pays), None)?;
    }
    sheet.put(
        &word("what_if.by_payer"),
        &word("what_if.own"),
        Some(outcome.people),
        None,
        Some(outcome.own),
    )?;
    let tier = |key: &str| tier_name(key, language == Language::Zh);
    let place = |key: &str| key.parse::<DivisionCode>().map_or_else(|_| key.to_owned(), place_name);
    let label = |key: &str| word(Label::of_key(key).map_or("what_if.no_label", Label::word));
    sheet.lines(&word("what_if.by_tier"), &outcome.tiers, tier)?;
    sheet.lines(&word("what_if.by_place"), &outcome.places, place)?;
    sheet.lines(&word("what_if.by_label"), &outcome.labels, label)?;
    for (key, side) in [("what_if.stat.lose", outcome.lose), ("what_if.stat.gain", outcome.gain)] {
        let sum = Pair { before: kangmai_base::Fen::ZERO, after: side.sum };
        sheet.put(&word("what_if.by_person"), &word(key), Some(side.people), None, Some(sum))?;
    }
    let households = outcome.households;
    for (key, count) in [
        ("what_if.households.over_before", households.over_before),
        ("what_if.households.over_after", households.over_after),
        ("what_if.households.newly_over", households.newly_over),
        ("what_if.households.no_longer", households.no_longer_over),
    ] {
        sheet.put(&word("what_if.households"), &word(key), Some(count), None, None)?;
    }
    sheet.put(&word("what_if.not_modelled"), &word("what_if.not_modelled.text"), None, None, None)?;
    Ok((sheet.out.finish_in_memory()?, sheet.rows))
}

/// What a level of hospitals is called.
pub(crate) fn tier_name(key: &str, chinese: bool) -> String {
    match InstitutionTier::from_name(key).map(InstitutionTier::words) {
        Some((zh, _)) if chinese => zh.to_owned(),
        Some((_, en)) => en.to_owned(),
        None => key.to_owned(),
    }
}

struct Figures {
    out: XlsxExport,
    rows: i64,
}

impl Figures {
    fn put(
        &mut self,
        part: &str,
        item: &str,
        count: Option<i64>,
        payers: Option<Pair>,
        own: Option<Pair>,
    ) -> Result<(), SheetError> {
        let amounts = |pair: Option<Pair>| {
            pair.map_or([Cell::Empty; 2], |pair| [Cell::Amount(pair.before), Cell::Amount(pair.after)])
        };
        let ([one, two], [three, four]) = (amounts(payers), amounts(own));
        let difference = payers.or(own).map_or(Cell::Empty, |pair| Cell::Amount(pair.difference()));
        let count = count.map_or(Cell::Empty, Cell::Whole);
        self.rows += 1;
        self.out.row(&[Cell::Text(part), Cell::Text(item), count, one, two, three, four, difference])
    }

    fn lines(&mut self, part: &str, lines: &[Line], name: impl Fn(&str) -> String) -> Result<(), SheetError> {
        lines.iter().try_for_each(|line| {
            self.put(part, &name(&line.key), Some(line.count), Some(line.payers), Some(line.own))
        })
    }
}
