//! Cases inside packs: what a layer, or a whole chain of layers, must come to.

use kangmai_base::{DivisionCode, Fen, Sex};

use crate::fields::{At, Fields};
use crate::settle::{Start, settle_from};
use crate::source::Spot;
use crate::vocabulary::{
    InstitutionGrade, InstitutionKind, InstitutionTier, LabelSet, Referral, Setting, Vocabulary,
};
use crate::words::Word;
use crate::{Benefit, BillFacts, FeeKind, Jurisdiction, Policy, Release, Trace, YearAccumulators};

/// A case of one layer by itself.
#[derive(Debug, Clone)]
pub(crate) struct LayerCase {
    name: String,
    facts: BillFacts,
    remaining: Option<Fen>,
    base_to_date: Fen,
    paid_to_date: Fen,
    deductible_to_date: Fen,
    earlier_stays: i64,
    deductible_used: Fen,
    pays: Fen,
    left: Option<Fen>,
    spot: Spot,
}

/// A case of all layers, over one bill or several of one person-year.
#[derive(Debug, Clone)]
pub(crate) struct ChainCase {
    name: String,
    only: Option<Vec<String>>,
    accept: Vec<String>,
    opening: Vec<(String, Fen)>,
    bills: Vec<(BillFacts, Vec<(String, Fen)>)>,
    spot: Spot,
}

/// A case that came out otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseFailure {
    /// The file.
    pub path: String,
    /// The line of the case.
    pub line: usize,
    /// Its name.
    pub name: String,
    /// What was expected and what came out.
    pub difference: String,
}

/// One case of a pack, and what it came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseResult {
    /// The benefit that it is about; none if it is about all layers.
    pub benefit: Option<String>,
    /// Its name.
    pub name: String,
    /// What was expected and what came out; empty if it came out as it should.
    pub difference: String,
    path: String,
    line: usize,
}

/// What the cases of a release came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaseReport {
    /// How many came out as they should.
    pub passed: usize,
    /// Which did not.
    pub failures: Vec<CaseFailure>,
}

impl Release {
    /// Runs every case of every pack.
    pub fn run_cases(&self) -> CaseReport {
        let mut report = CaseReport::default();
        for result in self.jurisdictions().iter().flat_map(Jurisdiction::run_cases) {
            let CaseResult { name, difference, path, line, .. } = result;
            if difference.is_empty() {
                report.passed += 1;
            } else {
                report.failures.push(CaseFailure { path, line, name, difference });
            }
        }
        report
    }
}

impl Jurisdiction {
    /// Runs every case of its own pack: of each benefit, then those of all layers.
    pub fn run_cases(&self) -> Vec<CaseResult> {
        let mut results = Vec::new();
        for benefit in &self.pack.benefits {
            for case in &benefit.cases {
                let differences = case.run(self, benefit);
                results.push(CaseResult::of(Some(&benefit.id), &case.spot, &case.name, &differences));
            }
        }
        for case in &self.pack.cases {
            results.push(CaseResult::of(None, &case.spot, &case.name, &case.run(self)));
        }
        results
    }
}

impl CaseResult {
    fn of(benefit: Option<&String>, spot: &Spot, name: &str, differences: &[String]) -> CaseResult {
        let before = spot.file.text.get(..spot.span.start).unwrap_or_default();
        CaseResult {
            benefit: benefit.cloned(),
            name: name.to_owned(),
            difference: differences.join("; "),
            path: spot.file.path.clone(),
            line: before.matches('\n').count() + 1,
        }
    }
}

impl LayerCase {
    pub(crate) fn read(fields: &Fields<'_>, vocabulary: &Vocabulary) -> Option<LayerCase> {
        let (name, date) = (fields.text("name"), fields.day("date"));
        let given = fields.table("given")?;
        let money = |key| given.money_maybe(key).map(|amount: At<Fen>| amount.value);
        let remaining = money("remaining_compliant");
        let zero = |amount: Option<Fen>| amount.unwrap_or(Fen::ZERO);
        let (base, paid) = (zero(money("year_to_date")), zero(money("paid_to_date")));
        let (deductible, used) = (zero(money("deductible_to_date")), zero(money("deductible_used")));
        let stays = given.whole_maybe("earlier_stays").map_or(0, |stays| stays.value);
        let mut start =
            BillFacts::inpatient(remaining.unwrap_or(Fen::ZERO), date?.value, DivisionCode::COUNTRY);
        read_facts(&given, vocabulary, &mut start);
        given.finish();
        let expect = fields.table("expect")?;
        let (pays, left) = (expect.money("pays"), expect.money_maybe("remaining"));
        expect.finish();
        fields.finish();
        Some(LayerCase {
            name: name?.value.to_owned(),
            facts: start,
            remaining,
            base_to_date: base,
            paid_to_date: paid,
            deductible_to_date: deductible,
            earlier_stays: stays,
            deductible_used: used,
            pays: pays?.value,
            left: left.map(|left| left.value),
            spot: fields.spot(),
        })
    }

    fn run(&self, jurisdiction: &Jurisdiction, benefit: &Benefit) -> Vec<String> {
        let policy = jurisdiction.to_read();
        let Some(index) = policy.layer_of(&benefit.id) else {
            return vec![format!("the pack has no layer {}", benefit.id)];
        };
        let mut facts = self.facts;
        at_home(&mut facts, jurisdiction);
        let slots = &policy.layers[index].slots;
        let mut year = YearAccumulators::NONE;
        year.add(slots.base, self.base_to_date.0);
        year.add(slots.paid, self.paid_to_date.0);
        year.add(slots.deductible, self.deductible_to_date.0);
        year.add(slots.stays, self.earlier_stays);
        let start =
            Start { only: 1 << index, remaining: self.remaining, deductible_used: self.deductible_used };
        let mut trace = Trace::new(&facts);
        settle_from(policy, &facts, &mut year, start, &mut trace);
        let step = trace.steps[index];
        let mut differences = Vec::new();
        if step.pays != self.pays {
            differences
                .push(format!("pays: expected {}, found {} ({:?})", self.pays, step.pays, step.outcome));
        }
        if let Some(left) = self.left.filter(|left| *left != step.remaining) {
            differences.push(format!("remaining: expected {left}, found {}", step.remaining));
        }
        differences
    }
}

/// Where a case does not name a place, it plays in the pack's own.
fn at_home(facts: &mut BillFacts, jurisdiction: &Jurisdiction) {
    for place in [&mut facts.person_place, &mut facts.institution_place] {
        if *place == DivisionCode::COUNTRY {
            *place = jurisdiction.pack.place;
        }
    }
}

impl ChainCase {
    pub(crate) fn read_all(fields: &Fields<'_>, vocabulary: &Vocabulary) -> Vec<ChainCase> {
        let cases = fields
            .some_tables("case")
            .iter()
            .filter_map(|table| ChainCase::read(table, vocabulary))
            .collect();
        fields.finish();
        cases
    }

    fn read(fields: &Fields<'_>, vocabulary: &Vocabulary) -> Option<ChainCase> {
        let name = fields.text("name");
        let list = |key| {
            let texts: Option<Vec<At<&str>>> = fields.texts_maybe(key);
            texts.map(|texts| texts.iter().map(|text| text.value.to_owned()).collect::<Vec<String>>())
        };
        let (only, accept) = (list("only"), list("accept").unwrap_or_default());
        let opening = fields.table_maybe("opening").map(|table| table.money_pairs()).unwrap_or_default();
        let mut bills = Vec::new();
        for bill in fields.some_tables("bill") {
            let (Some(day), Some(total)) = (bill.day("discharge"), bill.money("total")) else { continue };
            let mut facts = BillFacts::inpatient(total.value, day.value, DivisionCode::COUNTRY);
            read_facts(&bill, vocabulary, &mut facts);
            let expect = bill.table("expect").map(|table| table.money_pairs()).unwrap_or_default();
            bill.finish();
            bills.push((facts, expect));
        }
        fields.finish();
        Some(ChainCase { name: name?.value.to_owned(), only, accept, opening, bills, spot: fields.spot() })
    }

    fn run(&self, jurisdiction: &Jurisdiction) -> Vec<String> {
        let policy = match jurisdiction.policy(&self.accept) {
            Ok(policy) => policy,
            Err(unaccepted) => return vec![unaccepted.to_string()],
        };
        let mut start = Start::default();
        if let Some(names) = &self.only {
            start.only = 0;
            for name in names {
                match policy.layer_of(name) {
                    Some(index) => start.only |= 1 << index,
                    None => return vec![format!("the policy has no layer {name}")],
                }
            }
        }
        let mut year = YearAccumulators::NONE;
        for (name, value) in &self.opening {
            if !policy.set_accumulator(&mut year, name, *value) {
                return vec![format!("the policy has no accumulator {name}")];
            }
        }
        let mut differences = Vec::new();
        for (number, (facts, expect)) in self.bills.iter().enumerate() {
            let mut facts = *facts;
            at_home(&mut facts, jurisdiction);
            let mut trace = Trace::new(&facts);
            settle_from(policy, &facts, &mut year, start, &mut trace);
            let found = policy.layers.iter().zip(trace.steps());
            let found = found.map(|(layer, step)| (layer.benefit.id.as_str(), step.pays));
            compare(number + 1, expect, found.chain([("own", trace.own_share)]).collect(), &mut differences);
        }
        differences
    }
}

/// A layer that the case does not name must pay nothing.
fn compare(bill: usize, expect: &[(String, Fen)], found: Vec<(&str, Fen)>, differences: &mut Vec<String>) {
    for (name, wanted) in expect {
        if !found.iter().any(|(other, _)| other == name) {
            differences.push(format!("bill {bill}: no layer {name} (expected {wanted})"));
        }
    }
    for (name, amount) in found {
        let named = expect.iter().find(|(other, _)| other == name).map(|(_, wanted)| *wanted);
        let wanted = if name == "own" { named.unwrap_or(amount) } else { named.unwrap_or(Fen::ZERO) };
        if wanted != amount {
            differences.push(format!("bill {bill}, {name}: expected {wanted}, found {amount}"));
        }
    }
}

/// Fills in what a case says about its bill.
fn read_facts(fields: &Fields<'_>, vocabulary: &Vocabulary, facts: &mut BillFacts) {
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
    read_person(fields, vocabulary, facts);
    read_institution(fields, vocabulary, facts);
    if let Err(error) = facts.check() {
        let spot = fields.spot().error(Word::ErrCaseFacts, Word::MendCaseFacts);
        fields.push(spot.with("why", error.to_string()));
    }
}

fn read_person(fields: &Fields<'_>, vocabulary: &Vocabulary, facts: &mut BillFacts) {
    let names: Vec<&str> = vocabulary.labels.iter().map(|label| label.id.as_str()).collect();
    let labels = |key| {
        let texts: Option<Vec<At<&str>>> = fields.texts_maybe(key);
        texts.map(|texts| {
            let read = |text| fields.chosen(Some(text), &names, |name| vocabulary.label(name));
            texts.into_iter().filter_map(read).fold(LabelSet::NONE, LabelSet::and)
        })
    };
    if let Some(set) = labels("labels") {
        (facts.labels_at_admission, facts.labels_at_discharge) = (set, set);
    }
    if let Some(set) = labels("labels_at_admission") {
        facts.labels_at_admission = set;
    }
    if let Some(age) = fields.whole_maybe("age").and_then(|age| u8::try_from(age.value).ok()) {
        (facts.age_at_admission, facts.age_at_discharge) = (age, age);
    }
    facts.sex = fields.chosen(fields.text_maybe("sex"), &["male", "female"], |name| match name {
        "male" => Some(Sex::Male),
        "female" => Some(Sex::Female),
        _ => None,
    });
    if let Some(insured) = fields.flag_maybe("insured") {
        (facts.insured_at_admission, facts.insured_at_discharge) = (insured, insured);
    }
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

impl Policy {
    /// Names of the layers, in order.
    pub fn layer_names(&self) -> impl Iterator<Item = &str> {
        self.layers.iter().map(|layer| layer.benefit.id.as_str())
    }
}
