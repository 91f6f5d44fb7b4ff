//! What a case says about its bill.

use kangmai_base::Fen;

use crate::fields::{At, Fields};
use crate::vocabulary::{
    InstitutionGrade, InstitutionKind, InstitutionTier, LabelSet, Referral, Setting, Vocabulary,
};
use crate::words::Word;
use crate::{BillFacts, CostCategory, FeeKind};

/// Fills in what a case says about its bill.
pub(crate) fn read_facts(fields: &Fields<'_>, vocabulary: &Vocabulary, facts: &mut BillFacts) {
    let money = |key, into: &mut Fen| {
        if let Some(amount) = fields.money_maybe(key) {
            *into = amount.value;
        }
    };
    if let Some(compliant) = fields.money_maybe("compliant") {
        facts.compliant = compliant.value;
        facts.total = facts.total.max(compliant.value);
    }
    if let Some(outside) = fields.money_maybe("out_of_catalogue") {
        facts.total = facts.compliant + outside.value;
    }
    money("already_paid", &mut facts.already_paid);
    if let Some(admission) = fields.day_maybe("admission") {
        facts.admission = admission.value;
    }
    if let Some(fees) = fields.table_maybe("fees") {
        for fee in FeeKind::ALL {
            if let Some(amount) = fees.money_maybe(fee.name()) {
                facts.fees[fee as usize] = amount.value;
            }
        }
        fees.finish();
    }
    if let Some(categories) = fields.table_maybe("categories") {
        for category in CostCategory::ALL {
            if let Some(amount) = categories.money_maybe(category.name()) {
                facts.categories[category as usize] = amount.value;
            }
        }
        categories.finish();
    }
    read_person(fields, vocabulary, facts);
    read_institution(fields, vocabulary, facts);
    if let Err(error) = facts.check() {
        let spot = fields.spot().error(Word::ErrCaseFacts, Word::MendCaseFacts);
        fields.push(spot.with("why", error.to_string()));
    }
}

/// The labels that `key` lists, which may be none.
pub(crate) fn read_labels(
    fields: &Fields<'_>,
    key: &'static str,
    vocabulary: &Vocabulary,
) -> Option<LabelSet> {
    let names: Vec<&str> = vocabulary.labels.iter().map(|label| label.id.as_str()).collect();
    let texts: Vec<At<&str>> = fields.texts_maybe(key)?;
    let read = |text| fields.chosen(Some(text), &names, |name| vocabulary.label(name));
    Some(texts.into_iter().filter_map(read).fold(LabelSet::NONE, LabelSet::and))
}

fn read_person(fields: &Fields<'_>, vocabulary: &Vocabulary, facts: &mut BillFacts) {
    if let Some(set) = read_labels(fields, "labels", vocabulary) {
        (facts.labels_at_admission, facts.labels_at_discharge) = (set, set);
    }
    if let Some(set) = read_labels(fields, "labels_at_admission", vocabulary) {
        facts.labels_at_admission = set;
    }
    let age = |key| fields.age_maybe(key);
    if let Some(age) = age("age") {
        (facts.age_at_admission, facts.age_at_discharge) = (age, age);
    }
    facts.age_at_admission = age("age_at_admission").unwrap_or(facts.age_at_admission);
    facts.sex = fields.sex(fields.text_maybe("sex"));
    if let Some(insured) = fields.flag_maybe("insured") {
        (facts.insured_at_admission, facts.insured_at_discharge) = (insured, insured);
    }
    facts.insured_at_admission =
        fields.flag_maybe("insured_at_admission").unwrap_or(facts.insured_at_admission);
    let diagnosis = fields.text_maybe("diagnosis").map(|text| vec![text]).unwrap_or_default();
    if let Some(code) = fields.parse_all(diagnosis, Word::ErrNotACode, Word::MendCode).pop() {
        facts.diagnosis = code;
    }
    if let Some(place) = fields.place_maybe("person_place") {
        facts.person_place = place.value;
    }
}

fn read_institution(fields: &Fields<'_>, vocabulary: &Vocabulary, facts: &mut BillFacts) {
    if let Some(tier) =
        fields.chosen(fields.text_maybe("tier"), InstitutionTier::NAMES, InstitutionTier::from_name)
    {
        facts.tier = tier;
    }
    let grade =
        fields.chosen(fields.text_maybe("grade"), InstitutionGrade::NAMES, InstitutionGrade::from_name);
    facts.grade = grade.unwrap_or(facts.grade);
    let kind = fields.chosen(fields.text_maybe("kind"), InstitutionKind::NAMES, InstitutionKind::from_name);
    facts.kind = kind.unwrap_or(facts.kind);
    let setting = fields.chosen(fields.text_maybe("setting"), Setting::NAMES, Setting::from_name);
    facts.setting = setting.unwrap_or(facts.setting);
    let referral = fields.chosen(fields.text_maybe("referral"), Referral::NAMES, Referral::from_name);
    facts.referral = referral.unwrap_or(facts.referral);
    if let Some(place) = fields.place_maybe("institution_place") {
        facts.institution_place = place.value;
    }
    let names: Vec<&str> = vocabulary.designations.iter().map(|one| one.id.as_str()).collect();
    for text in fields.texts_maybe("designations").unwrap_or_default() {
        let bit = fields.chosen(Some(text), &names, |name| vocabulary.designation(name));
        facts.designations |= bit.unwrap_or(0);
    }
}
