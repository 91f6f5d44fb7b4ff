//! Writes the case that a pack lacks.

use std::fmt::Write;

use kangmai_base::{DivisionCode, Fen, Sex};

use crate::cases::{Given, UNCHECKED, taken};
use crate::splice::quoted;
use crate::tables::{Question, TableKind, Tables};
use crate::vocabulary::{LabelSet, Vocabulary};
use crate::{BaseTake, Benefit, FeeKind, IncomeKind, Policy, UNKNOWN_AGE};

/// `key = value` pairs on their way into an inline table.
struct Pairs(Vec<String>);

impl Pairs {
    fn text(&mut self, key: &str, value: impl std::fmt::Display) {
        self.0.push(format!("{key} = \"{value}\""));
    }

    fn bare(&mut self, key: &str, value: impl std::fmt::Display) {
        self.0.push(format!("{key} = {value}"));
    }

    fn money(&mut self, key: &str, amount: Fen) {
        if amount != Fen::ZERO {
            self.text(key, amount);
        }
    }

    fn list<'i>(&mut self, key: &str, items: impl Iterator<Item = &'i str>) {
        let items: Vec<String> = items.map(|item| format!("\"{item}\"")).collect();
        self.bare(key, format!("[{}]", items.join(", ")));
    }

    fn labels(&mut self, key: &str, set: LabelSet, vocabulary: &Vocabulary) {
        self.list(key, vocabulary.labels_in(set).map(|label| label.id.as_str()));
    }

    fn table(&self) -> String {
        if self.0.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", self.0.join(", ")) }
    }
}

fn head(said: &str, day: kangmai_base::Day) -> String {
    format!("[[case]]\nname   = {}\ndate   = \"{day}\"\n", quoted(&format!("{UNCHECKED}{said}")))
}

/// The case of a layer that tells a change, named as it is `said`, from the original, with what the original pays.
pub(super) fn layer_case(
    given: &Given,
    benefit: &Benefit,
    (policy, mutant): (&Policy, &Policy),
    said: &str,
) -> Option<String> {
    let index = policy.layer_of(&benefit.id)?;
    let step = given.settle(policy, index);
    let mut pairs = Pairs(Vec::new());
    write_amounts(&mut pairs, given, benefit);
    write_person(&mut pairs, given, &policy.vocabulary);
    write_institution(&mut pairs, given, &policy.vocabulary);
    let mut out = head(said, given.facts.discharge);
    let _ = writeln!(out, "given  = {}", pairs.table());
    let mut expect = Pairs(Vec::new());
    expect.text("pays", step.pays);
    expect.text("remaining", step.remaining);
    // Where the amounts are the same, the rule by which they come about is not.
    if let Some(other) = mutant.layer_of(&benefit.id) {
        let changed = given.settle(mutant, other);
        let (own, found) = (taken(policy, index, &step), taken(mutant, other, &changed));
        let is_same = (changed.pays, changed.remaining) == (step.pays, step.remaining);
        if let Some(version) = own.version.filter(|_| is_same && own.number != found.number) {
            expect.text("version", version);
        }
        if is_same && own.profile != found.profile {
            expect.text("profile", own.profile);
        }
    }
    let _ = write!(out, "expect = {}", expect.table());
    Some(out)
}

fn write_amounts(pairs: &mut Pairs, given: &Given, benefit: &Benefit) {
    let facts = &given.facts;
    let remaining = given.remaining.unwrap_or(facts.compliant);
    if benefit.base.take == BaseTake::RemainingCompliant && given.remaining.is_some() {
        if remaining != facts.compliant {
            pairs.text("compliant", facts.compliant);
        }
        pairs.text("remaining_compliant", remaining);
    } else {
        pairs.text("compliant", facts.compliant);
        if let Some(remaining) = given.remaining {
            pairs.text("remaining_compliant", remaining);
        }
    }
    pairs.money("out_of_catalogue", facts.out_of_catalogue());
    pairs.money("already_paid", facts.already_paid);
    pairs.money("year_to_date", given.base_to_date);
    pairs.money("paid_to_date", given.paid_to_date);
    pairs.money("deductible_to_date", given.deductible_to_date);
    pairs.money("deductible_used", given.deductible_used);
    if given.earlier_stays != 0 {
        pairs.bare("earlier_stays", given.earlier_stays);
    }
    if given.other_member {
        pairs.bare("other_member", true);
    }
    let mut fees = Pairs(Vec::new());
    FeeKind::ALL.into_iter().for_each(|fee| fees.money(fee.name(), facts.fees[fee as usize]));
    if !fees.0.is_empty() {
        pairs.bare("fees", fees.table());
    }
}

fn write_person(pairs: &mut Pairs, given: &Given, vocabulary: &Vocabulary) {
    let facts = &given.facts;
    if facts.admission != facts.discharge {
        pairs.text("admission", facts.admission);
    }
    if !facts.labels_at_discharge.is_empty() {
        pairs.labels("labels", facts.labels_at_discharge, vocabulary);
    }
    if facts.labels_at_admission != facts.labels_at_discharge {
        pairs.labels("labels_at_admission", facts.labels_at_admission, vocabulary);
    }
    if !facts.insured_at_discharge {
        pairs.bare("insured", false);
    }
    if facts.insured_at_admission != facts.insured_at_discharge {
        pairs.bare("insured_at_admission", facts.insured_at_admission);
    }
    if facts.age_at_discharge != UNKNOWN_AGE {
        pairs.bare("age", facts.age_at_discharge);
    }
    if facts.age_at_admission != facts.age_at_discharge {
        pairs.bare("age_at_admission", facts.age_at_admission);
    }
    match facts.sex {
        Some(Sex::Male) => pairs.text("sex", "male"),
        Some(Sex::Female) => pairs.text("sex", "female"),
        None => {}
    }
    if !facts.diagnosis.is_unknown() {
        pairs.text("diagnosis", facts.diagnosis);
    }
}

fn write_institution(pairs: &mut Pairs, given: &Given, vocabulary: &Vocabulary) {
    let (facts, plain) = (&given.facts, Given::on(given.facts.discharge).facts);
    let mut word = |key: &str, value: &str, plain: &str| {
        if value != plain {
            pairs.text(key, value);
        }
    };
    word("tier", facts.tier.name(), plain.tier.name());
    word("grade", facts.grade.name(), plain.grade.name());
    word("kind", facts.kind.name(), plain.kind.name());
    word("setting", facts.setting.name(), plain.setting.name());
    word("referral", facts.referral.name(), plain.referral.name());
    if facts.designations != 0 {
        let names = vocabulary.designations_in(facts.designations).map(|one| one.id.as_str());
        pairs.list("designations", names);
    }
    for (key, place) in [("person_place", facts.person_place), ("institution_place", facts.institution_place)]
    {
        if place != DivisionCode::COUNTRY {
            pairs.text(key, place);
        }
    }
}

/// The case of a table that tells a change, named as it is `said`, from the original, with what the original answers.
pub(super) fn table_case(
    asked: &Question,
    kind: TableKind,
    home: DivisionCode,
    (tables, changed): (&Tables, &Tables),
    vocabulary: &Vocabulary,
    said: &str,
) -> String {
    let plain = Question::on(asked.day);
    let mut pairs = Pairs(Vec::new());
    if asked.income != plain.income || kind == TableKind::Income {
        let name = match asked.income {
            IncomeKind::MonitoringLine => "monitoring_line",
            IncomeKind::RuralDisposable => "rural_disposable",
            IncomeKind::Disposable => "disposable",
        };
        pairs.text("income", name);
    }
    if asked.year != plain.year {
        pairs.bare("year", asked.year);
    }
    if !asked.diagnosis.is_unknown() {
        pairs.text("diagnosis", asked.diagnosis);
    }
    if let Some(age) = asked.age {
        pairs.bare("age", age);
    }
    if !asked.labels.is_empty() {
        pairs.labels("labels", asked.labels, vocabulary);
    }
    if !asked.insured {
        pairs.bare("insured", false);
    }
    if asked.tier != plain.tier {
        pairs.text("tier", asked.tier.name());
    }
    if asked.kind != plain.kind {
        pairs.text("kind", asked.kind.name());
    }
    if asked.designations != 0 {
        let names = vocabulary.designations_in(asked.designations).map(|one| one.id.as_str());
        pairs.list("designations", names);
    }
    if let Some(incomes) = asked.incomes {
        let texts: Vec<String> = incomes.iter().map(ToString::to_string).collect();
        pairs.list("incomes", texts.iter().map(String::as_str));
    }
    for (key, place) in [("place", asked.place), ("institution_place", asked.institution)] {
        if let Some(place) = place {
            pairs.text(key, place);
        }
    }
    let other = changed.answer(kind, home, asked);
    let mut expect = Pairs(Vec::new());
    for (key, answer) in tables.answer(kind, home, asked) {
        if !other.iter().any(|(name, changed)| *name == key && *changed == answer) {
            expect.text(key, answer);
        }
    }
    let mut out = head(said, asked.day);
    let _ = writeln!(out, "given  = {}", pairs.table());
    let _ = write!(out, "expect = {}", expect.table());
    out
}
