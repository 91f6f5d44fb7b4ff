//! The sheet of a visit: what the tables of all programmes ask, each thing once, with what was said the last time.

use std::collections::BTreeMap;

use kangmai_base::Day;
use kangmai_policy::follow_up::{
    Answer, AnswerFault, Answers, Ask, Doubt, FollowUpRules, Item, ItemKind, Measure, sheet,
};
use kangmai_web::{FormBody, Page};

use crate::chart::Chart;
use crate::sentences::{answer, said, unit};

/// What stands before the name of an item in the form.
const ITEM: &str = "item.";
/// What stands before the name of an item that was measured again.
const AGAIN: &str = "again.";
/// The item that is carried over from visit to visit: what the person takes does not change by itself.
const MEDICINES: &str = "medicines";
/// The longest text of words, in characters.
const LONGEST_WORDS: usize = 500;

/// One thing that the sheet asks.
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) kind: &'static str,
    pub(crate) unit: String,
    pub(crate) required: bool,
    pub(crate) value: String,
    /// Value, text, whether it is chosen.
    pub(crate) options: Vec<(String, String, bool)>,
    /// What was said the last time, and when.
    pub(crate) previous: String,
    pub(crate) error: String,
    /// Whether it is seldom filled in: behind 更多.
    pub(crate) is_more: bool,
    /// The box that says it was measured again.
    pub(crate) again: Option<(String, bool)>,
    pub(crate) limit: usize,
    item: Item,
    typed: Vec<String>,
}

/// The sheet.
pub(crate) struct Sheet {
    pub(crate) entries: Vec<Entry>,
}

/// `１８０` and `6。5`, as telephones type them, in the digits that are read.
fn half_width(text: &str) -> String {
    let sign = |sign: char| match sign {
        '０'..='９' => char::from_u32(sign as u32 - '０' as u32 + '0' as u32).unwrap_or(sign),
        '．' | '。' => '.',
        other => other,
    };
    text.trim().chars().map(sign).collect()
}

impl Sheet {
    /// A blank sheet. With `same` all that is chosen or written stands there as the last time; else the medicines alone. What
    /// is measured is always measured anew.
    pub(crate) fn blank(page: &Page, rules: &[&FollowUpRules], chart: &Chart, same: bool) -> Sheet {
        Sheet::made(page, rules, chart, |item, previous| match &item.kind {
            ItemKind::Words if item.id == MEDICINES => previous.to_vec(),
            ItemKind::One(_) | ItemKind::Several(_) if same => previous.to_vec(),
            _ if same && item.carries => previous.to_vec(),
            _ => Vec::new(),
        })
    }

    /// A sheet with what a visit says.
    pub(crate) fn of(
        page: &Page,
        rules: &[&FollowUpRules],
        chart: &Chart,
        answers: &BTreeMap<String, Vec<String>>,
    ) -> Sheet {
        Sheet::made(page, rules, chart, |item, _| answers.get(&item.id).cloned().unwrap_or_default())
    }

    /// A sheet as it was sent.
    pub(crate) fn sent(page: &Page, rules: &[&FollowUpRules], chart: &Chart, body: &FormBody) -> Sheet {
        let mut sheet = Sheet::made(page, rules, chart, |item, _| {
            let name = format!("{ITEM}{}", item.id);
            let typed = body.values(&name).filter(|text| !text.trim().is_empty());
            typed.map(str::to_owned).collect()
        });
        for entry in &mut sheet.entries {
            let name = format!("{AGAIN}{}", entry.item.id);
            entry.again = (body.value(&name) == "1").then_some((name, true));
        }
        sheet
    }

    fn made(
        page: &Page,
        rules: &[&FollowUpRules],
        chart: &Chart,
        value: impl Fn(&Item, &[String]) -> Vec<String>,
    ) -> Sheet {
        let entry = |ask: Ask| {
            let last = chart.visits.iter().rev().find_map(|visit| {
                visit.body.answers.get(&ask.item.id).map(|answer| (visit.body.on, answer.as_slice()))
            });
            let typed = value(&ask.item, last.map(|(_, answer)| answer).unwrap_or_default());
            entry_of(page, &ask, typed, last)
        };
        Sheet { entries: sheet(rules.iter().copied()).into_iter().map(entry).collect() }
    }

    /// These are not behind 更多: the visit that is due asks them.
    pub(crate) fn bring_forward(&mut self, items: &[&str]) {
        for entry in self.entries.iter_mut().filter(|entry| items.contains(&&*entry.item.id)) {
            entry.is_more = false;
        }
    }

    /// What was typed, by item, in the digits that are read.
    pub(crate) fn written(&self) -> BTreeMap<String, Vec<String>> {
        let given = self.entries.iter().filter(|entry| !entry.typed.is_empty());
        given.map(|entry| (entry.item.id.clone(), entry.read())).collect()
    }

    /// The answers that their items take; what is wrong with the others is said beside them.
    pub(crate) fn read(&mut self, page: &Page) -> Answers {
        let mut answers = Answers::new();
        for entry in &mut self.entries {
            if entry.typed.is_empty() {
                continue;
            }
            let texts = entry.read();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            match entry.item.answer(&texts) {
                Ok(Answer::Words(words)) if words.chars().count() > LONGEST_WORDS => {
                    entry.error = page.say1("follow_up.answer.too_long", "most", LONGEST_WORDS);
                }
                Ok(answer) => _ = answers.insert(entry.item.id.clone(), answer),
                Err(fault) => entry.error = entry.fault(page, fault),
            }
        }
        self.doubt(page, &answers);
        answers
    }

    /// Asks again for what is unusual, and says where two numbers do not go together.
    fn doubt(&mut self, page: &Page, answers: &Answers) {
        let number = |item: &str| match answers.get(item) {
            Some(Answer::Number(number)) => Some(*number),
            _ => None,
        };
        let names: BTreeMap<String, String> =
            self.entries.iter().map(|entry| (entry.item.id.clone(), entry.label.clone())).collect();
        for entry in self.entries.iter_mut().filter(|entry| entry.error.is_empty()) {
            let Some(own) = number(&entry.item.id) else { continue };
            let doubt = entry.item.doubt(own, number);
            let is_confirmed = entry.again.as_ref().is_some_and(|(_, ticked)| *ticked);
            let name = format!("{AGAIN}{}", entry.item.id);
            match doubt {
                None => {}
                Some(Doubt::NotBelow(other)) => {
                    let other = names.get(&other).cloned().unwrap_or(other);
                    entry.error =
                        page.say2("follow_up.answer.not_below", "name", &entry.label, "other", other);
                }
                Some(_) if is_confirmed => {}
                Some(Doubt::OtherUnit(converted)) => {
                    entry.error = other_unit(page, &entry.item, own, converted);
                    entry.again = Some((name, false));
                }
                Some(Doubt::Unusual) => {
                    let values: [(&str, &dyn std::fmt::Display); 3] =
                        [("name", &entry.label), ("number", &own), ("unit", &entry.unit)];
                    entry.error = page.say("follow_up.answer.unusual", &values);
                    entry.again = Some((name, false));
                }
            }
        }
    }

    /// Says beside each of these items that it is missing.
    pub(crate) fn require(&mut self, page: &Page, missing: &[String]) {
        for entry in self.entries.iter_mut().filter(|entry| entry.error.is_empty()) {
            if missing.contains(&entry.item.id) {
                entry.error = page.say1("follow_up.answer.missing", "name", &entry.label);
            }
        }
    }

    /// What is wrong: where, and the sentence.
    pub(crate) fn errors(&self) -> Vec<(String, String)> {
        let wrong = self.entries.iter().filter(|entry| !entry.error.is_empty());
        wrong.map(|entry| (entry.name.clone(), entry.error.clone())).collect()
    }
}

impl Entry {
    /// Whether anything stands there, or is wrong.
    pub(crate) fn is_filled(&self) -> bool {
        !self.typed.is_empty() || !self.error.is_empty()
    }

    fn read(&self) -> Vec<String> {
        match self.item.kind {
            ItemKind::Number { .. } => self.typed.iter().map(|text| half_width(text)).collect(),
            _ => self.typed.clone(),
        }
    }

    /// Why an answer is not taken.
    fn fault(&self, page: &Page, fault: AnswerFault) -> String {
        match (fault, &self.item.kind) {
            (AnswerFault::OutOfRange, ItemKind::Number { unit, least, most, .. }) => {
                let number = self.read().first().and_then(|text| text.parse::<Measure>().ok());
                let converted = number.and_then(|number| match self.item.doubt(number, |_| None) {
                    Some(Doubt::OtherUnit(converted)) => Some((number, converted)),
                    _ => None,
                });
                if let Some((number, converted)) = converted {
                    return other_unit(page, &self.item, number, converted);
                }
                let values: [(&str, &dyn std::fmt::Display); 4] =
                    [("name", &self.label), ("least", least), ("most", most), ("unit", unit)];
                page.say("follow_up.answer.out_of_range", &values)
            }
            (AnswerFault::NotANumber, ItemKind::Number { decimals, .. }) => {
                page.say2("follow_up.answer.not_a_number", "name", &self.label, "decimals", decimals)
            }
            (AnswerFault::Contradicts, _) => page.say1("follow_up.answer.contradicts", "name", &self.label),
            _ => page.say1("follow_up.answer.not_an_option", "name", &self.label),
        }
    }
}

fn other_unit(page: &Page, item: &Item, number: Measure, converted: Measure) -> String {
    let other = item.checks.other_unit.as_ref().map_or("", |other| &other.unit);
    let values: [(&str, &dyn std::fmt::Display); 4] =
        [("number", &number), ("other", &other), ("converted", &converted), ("unit", &unit(item))];
    page.say("follow_up.answer.other_unit", &values)
}

fn entry_of(page: &Page, ask: &Ask, typed: Vec<String>, last: Option<(Day, &[String])>) -> Entry {
    let item = (*ask.item).clone();
    let options = item
        .options()
        .iter()
        .map(|option| (option.id.clone(), said(page, &option.name).to_owned(), typed.contains(&option.id)));
    let options = options.collect();
    let kind = match &item.kind {
        ItemKind::Number { decimals: 0, .. } => "whole",
        ItemKind::Number { .. } => "number",
        ItemKind::One(_) => "one",
        ItemKind::Several(_) => "several",
        ItemKind::Words => "words",
    };
    let previous = last.map(|(on, written)| {
        page.say2("follow_up.previous", "answer", answer(page, &item, written), "day", on)
    });
    Entry {
        name: format!("{ITEM}{}", item.id),
        label: said(page, &item.name).to_owned(),
        kind,
        unit: unit(&item).to_owned(),
        required: ask.required,
        value: typed.join("\n"),
        options,
        previous: previous.unwrap_or_default(),
        error: String::new(),
        is_more: !ask.required && ask.item.id != MEDICINES,
        again: None,
        limit: LONGEST_WORDS,
        typed,
        item,
    }
}
