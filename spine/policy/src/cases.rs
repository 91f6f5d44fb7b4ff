//! Cases inside packs: what a layer, or a whole chain of layers, must come to.

mod accept;
mod bill;
mod said;

use std::collections::BTreeMap;

use kangmai_base::{Day, DivisionCode, Fen};

use crate::fields::{At, Fields};
use crate::settle::{Start, settle_from};
use crate::source::Spot;
use crate::tables::TableCase;
use crate::trace::Step;
use crate::vocabulary::Vocabulary;
use crate::{BillFacts, Jurisdiction, Layer, Owner, Policy, Release, Trace, YearAccumulators};

pub use accept::{CaseDifference, ChangedCase, UNCHECKED, UncheckedCase, with_case_checked};
pub(crate) use bill::{read_facts, read_labels};
pub use said::CaseSaid;

/// What a case of one layer gives: the bill, and what of the year the layer finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) facts: BillFacts,
    /// What earlier layers have left, if not all of the compliant cost.
    pub(crate) remaining: Option<Fen>,
    pub(crate) base_to_date: Fen,
    pub(crate) paid_to_date: Fen,
    pub(crate) deductible_to_date: Fen,
    pub(crate) earlier_stays: i64,
    /// Whether what is given of the year was used by another member of the household.
    pub(crate) other_member: bool,
    pub(crate) deductible_used: Fen,
}

/// A case of one layer by itself.
#[derive(Debug, Clone)]
pub(crate) struct LayerCase {
    name: String,
    pub(crate) given: Given,
    pays: Fen,
    left: Option<Fen>,
    /// First day of the version that must be taken.
    version: Option<Day>,
    /// Name of the profile that must be taken.
    profile: Option<String>,
    spot: Spot,
}

/// A case of all layers, over one bill or several of one year: of one person, or of the members of one household.
#[derive(Debug, Clone)]
pub(crate) struct ChainCase {
    name: String,
    only: Option<Vec<String>>,
    accept: Vec<String>,
    opening: Vec<(String, Fen)>,
    bills: Vec<CaseBill>,
    spot: Spot,
}

/// A bill of a chain.
#[derive(Debug, Clone)]
struct CaseBill {
    facts: BillFacts,
    /// Whose; empty: of the person whom the case is about.
    member: String,
    expect: Vec<(String, Fen)>,
}

/// The cases of a file of `cases/`.
pub(crate) enum CaseFile {
    /// Whole chains.
    Chains(Vec<ChainCase>),
    /// Cases of one benefit, too many to stand beside it.
    Layers(String, Vec<LayerCase>),
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
    /// How many bills: one for each date and point.
    pub points: usize,
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
        let tables = self.tables();
        let of_table = |(home, case): &(DivisionCode, TableCase)| {
            CaseResult::of(None, &case.spot, &case.name, &case.run(tables, *home))
        };
        let results = self.jurisdictions().iter().flat_map(Jurisdiction::run_points);
        let follow_up = self.follow_up_book();
        let of_follow_up = follow_up
            .cases()
            .iter()
            .map(|(home, case)| CaseResult::of(None, &case.spot, &case.name, &follow_up.run(*home, case)));
        for result in results.chain(tables.cases().iter().map(of_table)).chain(of_follow_up) {
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
    /// The cases of single layers, each with the benefit that it is about.
    pub(crate) fn layer_cases(&self) -> impl Iterator<Item = (&str, &LayerCase)> {
        let beside = self.pack.benefits.iter().map(|benefit| (benefit.id.as_str(), &benefit.cases));
        let apart = self.pack.layer_cases.iter().map(|(id, cases)| (id.as_str(), cases));
        beside.chain(apart).flat_map(|(id, cases)| cases.iter().map(move |case| (id, case)))
    }

    /// Runs every case of its own pack, each with all its dates and points: of each benefit, then those of all layers.
    pub fn run_cases(&self) -> Vec<CaseResult> {
        let mut cases: Vec<CaseResult> = Vec::new();
        for point in self.run_points() {
            match cases.last_mut() {
                Some(case) if (&case.benefit, &case.name) == (&point.benefit, &point.name) => {
                    case.points += 1;
                    let separator = if case.difference.is_empty() { "" } else { "; " };
                    if !point.difference.is_empty() {
                        case.difference.extend([separator, &point.difference]);
                    }
                }
                _ => cases.push(point),
            }
        }
        cases
    }

    fn run_points(&self) -> Vec<CaseResult> {
        let policy = self.to_read();
        let of_layer = |(id, case): (&str, &LayerCase)| {
            CaseResult::of(Some(id), &case.spot, &case.name, &case.run(policy, id))
        };
        let mut results: Vec<CaseResult> = self.layer_cases().map(of_layer).collect();
        for case in &self.pack.cases {
            results.push(CaseResult::of(None, &case.spot, &case.name, &case.run(self, policy)));
        }
        results
    }
}

impl CaseResult {
    fn of(benefit: Option<&str>, spot: &Spot, name: &str, differences: &[String]) -> CaseResult {
        let before = spot.file.text.get(..spot.span.start).unwrap_or_default();
        CaseResult {
            benefit: benefit.map(str::to_owned),
            name: name.to_owned(),
            points: 1,
            difference: differences.join("; "),
            path: spot.file.path.clone(),
            line: before.matches('\n').count() + 1,
        }
    }
}

impl Given {
    /// A bill of nothing on `day`.
    pub(crate) fn on(day: Day) -> Given {
        Given {
            facts: BillFacts::inpatient(Fen::ZERO, day, DivisionCode::COUNTRY),
            remaining: None,
            base_to_date: Fen::ZERO,
            paid_to_date: Fen::ZERO,
            deductible_to_date: Fen::ZERO,
            earlier_stays: 0,
            other_member: false,
            deductible_used: Fen::ZERO,
        }
    }

    fn read(fields: &Fields<'_>, day: Day, vocabulary: &Vocabulary) -> Given {
        let money = |key| fields.money_maybe(key).map(|amount: At<Fen>| amount.value);
        let zero = |key| money(key).unwrap_or(Fen::ZERO);
        let remaining = money("remaining_compliant");
        let stays = fields.whole_maybe("earlier_stays").map_or(0, |stays| stays.value);
        let mut facts = BillFacts::inpatient(remaining.unwrap_or(Fen::ZERO), day, DivisionCode::COUNTRY);
        read_facts(fields, vocabulary, &mut facts);
        let given = Given {
            facts,
            remaining,
            base_to_date: zero("year_to_date"),
            paid_to_date: zero("paid_to_date"),
            deductible_to_date: zero("deductible_to_date"),
            earlier_stays: stays,
            other_member: fields.flag_maybe("other_member").unwrap_or(false),
            deductible_used: zero("deductible_used"),
        };
        fields.finish();
        given
    }

    /// The facts of the bill, where no place is named at `home`.
    pub(crate) fn facts_at(&self, home: DivisionCode) -> BillFacts {
        let mut facts = self.facts;
        at_home(&mut facts, home);
        facts
    }

    /// What the layer `index` does with it.
    pub(crate) fn settle(&self, policy: &Policy, index: usize) -> Step {
        let facts = self.facts_at(policy.place);
        let mut year = YearAccumulators::NONE;
        let counts = |layer: &&Layer| !self.other_member || layer.benefit.base.owner == Owner::Household;
        if let Some(slots) = policy.layers.get(index).filter(counts).map(|layer| &layer.slots) {
            year.add(slots.base, self.base_to_date.0);
            year.add(slots.paid, self.paid_to_date.0);
            year.add(slots.deductible, self.deductible_to_date.0);
            year.add(slots.stays, self.earlier_stays);
        }
        let start =
            Start { only: 1 << index, remaining: self.remaining, deductible_used: self.deductible_used };
        let mut trace = Trace::new(&facts);
        settle_from(policy, &facts, &mut year, start, &mut trace);
        trace.steps().get(index).copied().unwrap_or(Step::EMPTY)
    }
}

impl LayerCase {
    /// The cases of one `[[case]]`: one for each date and each of its points.
    pub(crate) fn read(fields: &Fields<'_>, vocabulary: &Vocabulary) -> Vec<LayerCase> {
        let (name, days) = (fields.text("name"), fields.days("date"));
        let points = fields.tables("points");
        let mut cases = Vec::new();
        let name = name.map_or("", |name| name.value);
        let mut take = |given: &Fields<'_>, expect: &Fields<'_>, spot: Spot| {
            let (pays, left) = (expect.money("pays"), expect.money_maybe("remaining"));
            let (version, profile) = (expect.day_maybe("version"), expect.text_maybe("profile"));
            let Some(pays) = pays else { return };
            for day in &days {
                let given = Given::read(given, *day, vocabulary);
                cases.push(LayerCase {
                    name: name.to_owned(),
                    given,
                    pays: pays.value,
                    left: left.as_ref().map(|left| left.value),
                    version: version.as_ref().map(|version| version.value),
                    profile: profile.as_ref().map(|profile| profile.value.to_owned()),
                    spot: spot.clone(),
                });
            }
        };
        if points.is_empty() {
            if let (Some(given), Some(expect)) = (fields.table("given"), fields.table("expect")) {
                take(&given, &expect, fields.spot());
                expect.finish();
            }
        } else {
            let given = fields.table_maybe("given");
            for point in &points {
                let table = given.as_ref().unwrap_or(point).overlaid(point);
                let both = point.of(&table);
                take(&both, &both, point.spot());
            }
        }
        fields.finish();
        cases
    }

    /// What of a policy's answer is otherwise than expected.
    pub(crate) fn run(&self, policy: &Policy, id: &str) -> Vec<String> {
        let Some(index) = policy.layer_of(id) else {
            return vec![format!("the pack has no layer {id}")];
        };
        let step = self.given.settle(policy, index);
        let mut differences = Vec::new();
        if step.pays != self.pays {
            differences
                .push(format!("pays: expected {}, found {} ({:?})", self.pays, step.pays, step.outcome));
        }
        if let Some(left) = self.left.filter(|left| *left != step.remaining) {
            differences.push(format!("remaining: expected {left}, found {}", step.remaining));
        }
        let Taken { version, profile, .. } = taken(policy, index, &step);
        if let Some(wanted) = self.version.filter(|wanted| version != Some(*wanted)) {
            let found = version.map_or_else(|| "none".to_owned(), |version| version.to_string());
            differences.push(format!("version: expected {wanted}, found {found}"));
        }
        if let Some(wanted) = self.profile.as_ref().filter(|wanted| *wanted != profile) {
            differences.push(format!("profile: expected {wanted}, found {profile}"));
        }
        differences
    }

    /// Whether a policy answers as expected; a layer that is not there pays nothing.
    pub(crate) fn holds(&self, policy: &Policy, id: &str) -> bool {
        match policy.layer_of(id) {
            None => self.pays == Fen::ZERO,
            Some(index) => {
                let step = self.given.settle(policy, index);
                let Taken { version, profile, .. } = taken(policy, index, &step);
                step.pays == self.pays
                    && self.left.is_none_or(|left| left == step.remaining)
                    && self.version.is_none_or(|wanted| version == Some(wanted))
                    && self.profile.as_ref().is_none_or(|wanted| wanted == profile)
            }
        }
    }
}

/// By what a layer has run; nothing if it was not for the bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Taken<'p> {
    /// Number of the version.
    pub(crate) number: u8,
    /// Its first day.
    pub(crate) version: Option<Day>,
    /// The profile's name.
    pub(crate) profile: &'p str,
}

pub(crate) fn taken<'p>(policy: &'p Policy, index: usize, step: &Step) -> Taken<'p> {
    let benefit = policy.layers.get(index).map(|layer| &layer.benefit);
    let version = benefit.and_then(|benefit| benefit.versions.get(usize::from(step.version)));
    match version.filter(|_| step.outcome.applied()) {
        Some(version) => Taken {
            number: step.version,
            version: Some(version.period.from),
            profile: version.profiles.get(usize::from(step.profile)).map_or("", |one| &one.name.zh),
        },
        None => Taken::default(),
    }
}

/// Where a case does not name a place, it plays in the pack's own.
fn at_home(facts: &mut BillFacts, home: DivisionCode) {
    for place in [&mut facts.person_place, &mut facts.institution_place] {
        if *place == DivisionCode::COUNTRY {
            *place = home;
        }
    }
}

impl CaseFile {
    pub(crate) fn read(fields: &Fields<'_>, vocabulary: &Vocabulary) -> CaseFile {
        let benefit = fields.text_maybe("benefit");
        let tables = fields.some_tables("case");
        let file = match benefit {
            Some(benefit) => {
                let cases = tables.iter().flat_map(|table| LayerCase::read(table, vocabulary));
                CaseFile::Layers(benefit.value.to_owned(), cases.collect())
            }
            None => {
                let cases = tables.iter().filter_map(|table| ChainCase::read(table, vocabulary));
                CaseFile::Chains(cases.collect())
            }
        };
        fields.finish();
        file
    }
}

impl ChainCase {
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
            let member = bill.text_maybe("member").map_or("", |member| member.value).to_owned();
            let expect = bill.table("expect").map(|table| table.money_pairs()).unwrap_or_default();
            bill.finish();
            bills.push(CaseBill { facts, member, expect });
        }
        fields.finish();
        Some(ChainCase { name: name?.value.to_owned(), only, accept, opening, bills, spot: fields.spot() })
    }

    /// What `policy` does with the bills, or why it cannot.
    pub(crate) fn settle(
        &self,
        jurisdiction: &Jurisdiction,
        policy: &Policy,
        mut with: impl FnMut(usize, &str, &Trace),
    ) -> Result<(), String> {
        jurisdiction.policy(&self.accept).map_err(|unaccepted| unaccepted.to_string())?;
        let mut start = Start::default();
        if let Some(names) = &self.only {
            start.only = 0;
            for name in names {
                let index = policy.layer_of(name).ok_or_else(|| format!("the policy has no layer {name}"))?;
                start.only |= 1 << index;
            }
        }
        let mut opening = YearAccumulators::NONE;
        for (name, value) in &self.opening {
            if !policy.set_accumulator(&mut opening, name, *value) {
                return Err(format!("the policy has no accumulator {name}"));
            }
        }
        let mut household = YearAccumulators::NONE;
        policy.give_back(&mut opening, &mut household);
        let mut members: BTreeMap<&str, YearAccumulators> = BTreeMap::from([("", opening)]);
        for (number, bill) in self.bills.iter().enumerate() {
            let mut facts = bill.facts;
            at_home(&mut facts, policy.place);
            let mut trace = Trace::new(&facts);
            let year = members.entry(&bill.member).or_default();
            policy.lend(&household, year);
            settle_from(policy, &facts, year, start, &mut trace);
            policy.give_back(year, &mut household);
            with(number, &bill.member, &trace);
        }
        Ok(())
    }

    /// What of a policy's answer is otherwise than expected.
    pub(crate) fn run(&self, jurisdiction: &Jurisdiction, policy: &Policy) -> Vec<String> {
        let mut differences = Vec::new();
        let settled = self.settle(jurisdiction, policy, |number, _, trace| {
            let found = policy.layers.iter().zip(trace.steps());
            let found = found.map(|(layer, step)| (layer.benefit.id.as_str(), step.pays));
            let expect = self.bills.get(number).map_or(&[][..], |bill| &bill.expect);
            compare(number + 1, expect, found.chain([("own", trace.own_share)]).collect(), &mut differences);
        });
        differences.extend(settled.err());
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

impl Policy {
    /// Names of the layers, in order.
    pub fn layer_names(&self) -> impl Iterator<Item = &str> {
        self.layers.iter().map(|layer| layer.benefit.id.as_str())
    }
}
