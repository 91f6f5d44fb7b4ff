//! What this programme adds to a person's and a household's page.

use askama::Template;
use kangmai_access::{Purpose, reach};
use kangmai_base::{Day, Fen, Rate, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::{Household, Person};
use kangmai_policy::{
    BillFacts, CostWindow, LabelSet, OwnCost, Release, WatchGroup, YearAccumulators, settle,
};
use kangmai_programme::{Looking, Section};
use kangmai_web::{Html, Page};

use crate::facts::PersonThen;
use crate::rules::Insured;
use crate::store::pay_later::{DebtRow, Suspension, SuspensionState, debts_of_person, suspensions_of};
use crate::store::{self, AdmissionRow, BillRow, BillState};

/// Bills that a person's page shows.
const MOST_SHOWN: usize = 20;

/// What settlement asks of a person, as the register has it now.
pub(crate) fn insured_of(person: &Person) -> Insured {
    Insured {
        birth: person.body.birth,
        sex: person.body.sex,
        enrolment: person.body.enrolment,
        labels: person.body.labels.clone(),
    }
}

#[derive(Template)]
#[template(path = "settlement_person.html")]
struct PersonPart<'a> {
    page: &'a Page,
    person: Uuid,
    said: String,
    cost: Cost,
    /// None: the reader may not see single bills.
    bills: Option<Vec<BillRow>>,
    admissions: Vec<AdmissionRow>,
    entitlements: Vec<String>,
    deposit: Option<String>,
    may_settle: bool,
    /// What is owed after treatment before payment; none: the reader may not see it.
    debts: Option<Vec<DebtRow>>,
    suspension: Option<Suspension>,
}

/// Own cost of the year against the line.
struct Cost {
    year: i32,
    bills: usize,
    total: Fen,
    own: Fen,
    uncovered: Fen,
    line: Option<Line>,
}

/// The line of the watch that holds for a person.
struct Line {
    said: String,
    amount: Fen,
    /// Which income figure it rests on, and whether that is an older one carried forward.
    basis: String,
    state: &'static str,
    tone: &'static str,
}

/// The part of a person's page.
pub(crate) fn person(
    tx: &mut Transaction<'_>,
    looking: &Looking,
    person: &Person,
) -> Result<Option<Section>, DatabaseError> {
    if !looking.reach.money() {
        return Ok(None);
    }
    let page = &looking.page;
    let id = person.id.uuid();
    let cost = cost_of(tx, looking, person)?;
    let reads = reach(&looking.actor, Purpose::ReadBills).filter(|reach| reach.covers(person.home));
    let may_settle =
        reach(&looking.actor, Purpose::SettleBills).is_some_and(|reach| reach.covers(person.home));
    let since = looking.today.plus_months(-12);
    let bills = match &reads {
        Some(reads) => Some(store::bills_of_person_within(tx, reads, id, since, MOST_SHOWN as i64)?),
        None => None,
    };
    let admissions = store::admissions_of(tx, id, since, looking.reach.institution())?;
    let debts = match reach(&looking.actor, Purpose::ReadPayments).filter(|reach| reach.covers(person.home)) {
        Some(within) => Some(debts_of_person(tx, &within, id, looking.today)?),
        None => None,
    };
    let suspension = suspensions_of(tx, id)?.into_iter().find(|one| one.state != SuspensionState::Lifted);
    let values: [(&str, &dyn std::fmt::Display); 5] = [
        ("year", &cost.year),
        ("bills", &cost.bills),
        ("total", &page.yuan(cost.total)),
        ("own", &page.yuan(cost.own)),
        ("uncovered", &page.yuan(cost.uncovered)),
    ];
    let part = PersonPart {
        page,
        said: page.say("settlement.section.year", &values),
        person: id,
        cost,
        bills,
        admissions,
        entitlements: entitlements(page, &looking.app.policies, person, looking.today),
        deposit: match suspension {
            Some(_) => None,
            None => deposit_sentence(page, &looking.app.policies, person, looking.today),
        },
        may_settle,
        debts,
        suspension,
    };
    let heading = page.word("settlement.section.person").into_owned();
    Ok(Some(Section { heading, body: Html::of(&part), order: 50 }))
}

#[derive(Template)]
#[template(path = "settlement_household.html")]
struct HouseholdPart<'a> {
    page: &'a Page,
    members: Vec<Member>,
    said: String,
}

struct Member {
    id: Uuid,
    name: String,
    labels: String,
    entitlements: String,
    deposit: bool,
    cost: Cost,
}

/// The part of a household's page.
pub(crate) fn household(
    tx: &mut Transaction<'_>,
    looking: &Looking,
    _household: &Household,
    members: &[Person],
) -> Result<Option<Section>, DatabaseError> {
    if !looking.reach.money() || members.is_empty() {
        return Ok(None);
    }
    let page = &looking.page;
    let mut lines = Vec::with_capacity(members.len());
    for member in members {
        let words: Vec<String> = member
            .labels_on(looking.today)
            .iter()
            .map(|label| page.word(label.word()).into_owned())
            .collect();
        let policies = &looking.app.policies;
        lines.push(Member {
            id: member.id.uuid(),
            name: member.body.name.clone(),
            labels: super::joined(page, &words),
            entitlements: super::joined(page, &entitlements(page, policies, member, looking.today)),
            deposit: deposit_sentence(page, policies, member, looking.today).is_some(),
            cost: cost_of(tx, looking, member)?,
        });
    }
    let total: Fen = lines.iter().map(|member| member.cost.total).sum();
    let own: Fen = lines.iter().map(|member| member.cost.own).sum();
    let values: [(&str, &dyn std::fmt::Display); 3] =
        [("year", &looking.today.year()), ("total", &page.yuan(total)), ("own", &page.yuan(own))];
    let said = page.say("settlement.section.household_year", &values);
    let part = HouseholdPart { page, members: lines, said };
    let heading = page.word("settlement.section.household").into_owned();
    Ok(Some(Section { heading, body: Html::of(&part), order: 50 }))
}

fn labels_of(policies: &Release, person: &Person, day: Day) -> LabelSet {
    let keys: Vec<&str> = person.labels_on(day).iter().map(|label| label.key()).collect();
    policies.labels(keys)
}

fn cost_of(tx: &mut Transaction<'_>, looking: &Looking, person: &Person) -> Result<Cost, DatabaseError> {
    let today = looking.today;
    let january = Day::from_ymd(today.year(), 1, 1).unwrap_or(today);
    let policies = &looking.app.policies;
    let labels = labels_of(policies, person, today);
    let group = policies.watch_rules(person.home, today).and_then(|rules| rules.group_for(labels));
    let since = match group.map(|group| group.window) {
        Some(CostWindow::Rolling12Months) => today.plus_months(-12),
        _ => january,
    };
    let mut bills = store::bills_of_person(tx, person.id.uuid(), since.min(january), 1_000)?;
    bills.retain(|bill| bill.state == BillState::Settled);
    let of_year = bills.iter().filter(|bill| bill.discharged_on >= january);
    let in_window = bills.iter().filter(|bill| bill.discharged_on >= since);
    let sum = |amount: fn(&BillRow) -> Fen| of_year.clone().map(amount).sum::<Fen>();
    let measured: Fen = in_window
        .map(|bill| match group.map(|group| group.own_cost) {
            Some(OwnCost::Compliant) => bill.own - bill.own_uncovered,
            _ => bill.own,
        })
        .sum();
    Ok(Cost {
        year: today.year(),
        bills: of_year.clone().count(),
        total: sum(|bill| bill.total),
        own: sum(|bill| bill.own),
        uncovered: sum(|bill| bill.own_uncovered),
        line: group.and_then(|group| line_of(&looking.page, policies, person, group, measured, today.year())),
    })
}

/// The line of a group in fen, with what it rests on.
fn line_of(
    page: &Page,
    policies: &Release,
    person: &Person,
    group: &WatchGroup,
    measured: Fen,
    year: i32,
) -> Option<Line> {
    let (amount, income) = policies.threshold(group.threshold, person.home, year)?;
    let half = Rate::percent(50).of(amount);
    let (state, tone) = if measured >= amount {
        ("settlement.line.over", "danger")
    } else if measured >= half {
        ("settlement.line.half", "warning")
    } else {
        ("settlement.line.under", "plain")
    };
    let basis = income.map_or_else(String::new, |income| {
        page.say2("settlement.line.basis", "year", income.year, "amount", page.yuan(income.amount))
    });
    let values: [(&str, &dyn std::fmt::Display); 3] = [
        ("measured", &page.yuan(measured)),
        ("line", &page.yuan(amount)),
        ("group", &group.name.get(super::language(page))),
    ];
    Some(Line { said: page.say("settlement.line.said", &values), amount, basis, state, tone })
}

/// The layers that would be for this person in a county hospital of the home place today, by name: a stay is tried out.
fn entitlements(page: &Page, policies: &Release, person: &Person, today: Day) -> Vec<String> {
    /// So high that every deductible is passed.
    const TRIAL: Fen = Fen::yuan(1_000_000);
    let Some(jurisdiction) = policies.jurisdiction_for(person.home, today) else { return Vec::new() };
    let policy = jurisdiction.to_read();
    let then: PersonThen = insured_of(person).then(today, today);
    let mut facts = BillFacts::inpatient(TRIAL, today, person.home);
    facts.labels_at_admission = labels_of(policies, person, today);
    facts.labels_at_discharge = facts.labels_at_admission;
    facts.insured_at_admission = then.insured;
    facts.insured_at_discharge = then.insured;
    facts.sex = then.sex;
    if let Some(birth) = then.birth {
        facts.set_birth(birth);
    }
    let trace = settle(policy, &facts, &mut YearAccumulators::NONE.clone());
    let language = super::language(page);
    policy
        .layers()
        .iter()
        .zip(trace.steps())
        .filter(|(_, step)| step.outcome.applied())
        .map(|(layer, _)| layer.benefit.name.get(language).to_owned())
        .collect()
}

/// The sentence for somebody who owes no deposit in the county; none for others.
fn deposit_sentence(page: &Page, policies: &Release, person: &Person, today: Day) -> Option<String> {
    let labels = labels_of(policies, person, today);
    let rule = policies.treat_first(person.home, today)?;
    let tier = rule.tiers.first().copied()?;
    let insured = insured_of(person).is_insured();
    rule.entitled(labels, insured, person.home, tier, person.home).ok()?;
    Some(rule.yes(labels, policies.vocabulary(), super::language(page)))
}
