//! The run of the watch: everybody's own cost, labels, diagnoses and enrolment against the lines of their place. Takes no
//! input but the day, may run at any time, any number of times: a second run on the same day changes nothing.

use std::collections::HashMap;

use kangmai_base::{Day, DivisionCode, Moment, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_policy::{CostWindow, LabelSet, Release};
use kangmai_programme::App;
use kangmai_record::{NewFact, Source, Subject};

use crate::facts::{EvidenceCosts, LEVEL_CHANGED, RAISED, Seen, UPDATED};
use crate::findings::{
    Lines, MajorDiagnosis, Member, PersonCosts, Relapse, findings, is_news, level_of, window_start,
};
use crate::store::{self, Existing, WatchedPerson};

/// What a run came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WatchRun {
    /// People looked at.
    pub checked: u64,
    /// Households looked at.
    pub households: u64,
    /// Bills of the window.
    pub bills: u64,
    /// Warnings that began.
    pub raised: u64,
    /// Open warnings that came to be graver.
    pub raised_level: u64,
    /// Open warnings that rest on something else now, and are not graver for it.
    pub updated: u64,
    /// Open warnings that stayed as they were.
    pub unchanged: u64,
    /// Households at places for which no pack holds watch rules: nothing was asked of them.
    pub without_rules: u64,
}

/// People that one read takes.
const PEOPLE_AT_ONCE: i64 = 20_000;
/// Facts that one transaction takes.
const FACTS_AT_ONCE: usize = 1_000;

/// Looks at everybody on `as_of`; `progress` is told how many people are done.
///
/// # Errors
/// When the database fails.
pub fn run_watch(app: &App, as_of: Day, mut progress: impl FnMut(u64)) -> Result<WatchRun, DatabaseError> {
    let release = app.policies.clone();
    let mut all = app.database.read_blocking(move |tx| Gathered::read(tx, &release, as_of))?;
    let mut run = WatchRun { bills: all.bills, ..WatchRun::default() };
    let mut after = (Uuid::nil(), Uuid::nil());
    let mut rest: Vec<WatchedPerson> = Vec::new();
    progress(0);
    loop {
        let mut people =
            app.database.read_blocking(move |tx| store::watched_after(tx, after, PEOPLE_AT_ONCE))?;
        let is_last = i64::try_from(people.len()).unwrap_or(0) < PEOPLE_AT_ONCE;
        if let Some(last) = people.last() {
            after = (last.household, last.person);
        }
        rest.append(&mut people);
        // The last household of a page may go on in the next one.
        let whole = match rest.last() {
            Some(last) if !is_last => rest.partition_point(|person| person.household < last.household),
            _ => rest.len(),
        };
        let next = rest.split_off(whole);
        let looked_at = std::mem::replace(&mut rest, next);
        let (part, changes) = look(app, all, looked_at, as_of)?;
        all = part;
        run.add(&changes);
        write(app, as_of, changes.news)?;
        progress(run.checked);
        if is_last {
            return Ok(run);
        }
    }
}

impl WatchRun {
    fn add(&mut self, changes: &Changes) {
        self.checked += changes.checked;
        self.households += changes.households;
        self.without_rules += changes.without_rules;
        self.unchanged += changes.unchanged;
        for (kind, ..) in &changes.news {
            match *kind {
                RAISED => self.raised += 1,
                LEVEL_CHANGED => self.raised_level += 1,
                _ => self.updated += 1,
            }
        }
    }
}

/// What is read once, set by set.
struct Gathered {
    costs: HashMap<Uuid, PersonCosts>,
    labels: HashMap<Uuid, LabelSet>,
    majors: HashMap<Uuid, Vec<MajorDiagnosis>>,
    relapses: HashMap<Uuid, Vec<Relapse>>,
    existing: HashMap<Uuid, Existing>,
    bills: u64,
}

impl Gathered {
    fn read(tx: &mut Transaction<'_>, release: &Release, as_of: Day) -> Result<Gathered, DatabaseError> {
        let mut costs = HashMap::new();
        let first = window_start(CostWindow::Rolling12Months, as_of);
        let bills = store::add_bills(tx, (first, as_of), &mut costs)?;
        let mut labels: HashMap<Uuid, LabelSet> = HashMap::new();
        store::labels_on(tx, as_of, |row| {
            let one = release.labels([row.label.as_str()]);
            let set = labels.entry(row.person).or_default();
            *set = set.and(one);
        })?;
        let (majors, existing) = (store::majors_on(tx, as_of)?, store::existing(tx)?);
        let relapses = store::relapses_on(tx, release, (first, as_of))?;
        Ok(Gathered { costs, labels, majors, relapses, existing, bills })
    }

    fn member(&self, person: &WatchedPerson) -> Member {
        let id = person.person;
        Member {
            person: id,
            labels: self.labels.get(&id).copied().unwrap_or_default(),
            enrolled: person.enrolled,
            birth: person.birth,
            died_on: person.died_on,
            costs: self.costs.get(&id).copied().unwrap_or_default(),
            majors: self.majors.get(&id).cloned().unwrap_or_default(),
            relapses: self.relapses.get(&id).cloned().unwrap_or_default(),
        }
    }
}

/// What is to be told, and how many there was nothing to tell of.
#[derive(Default)]
struct Changes {
    news: Vec<(&'static str, Uuid, DivisionCode, Seen)>,
    checked: u64,
    households: u64,
    without_rules: u64,
    unchanged: u64,
}

/// Looks at whole households, in one read; gives back what it was lent.
fn look(
    app: &App,
    all: Gathered,
    people: Vec<WatchedPerson>,
    as_of: Day,
) -> Result<(Gathered, Changes), DatabaseError> {
    let app = app.clone();
    app.database.clone().read_blocking(move |tx| {
        let mut changes = Changes::default();
        let mut lines: HashMap<DivisionCode, Option<Lines<'_>>> = HashMap::new();
        for household in people.chunk_by(|one, other| one.household == other.household) {
            changes.checked += household.len() as u64;
            changes.households += 1;
            let home = home_of(household);
            let lines = lines.entry(home).or_insert_with(|| Lines::at(&app.policies, home, as_of));
            let Some(lines) = lines else {
                changes.without_rules += 1;
                continue;
            };
            changes.look_at(tx, &app, &all, (household, home), lines, as_of)?;
        }
        drop(lines);
        Ok((all, changes))
    })
}

/// Where a household is: with its head, else with its first member.
fn home_of(household: &[WatchedPerson]) -> DivisionCode {
    let head = household.iter().find(|person| person.is_head && person.died_on.is_none());
    head.or(household.first()).map_or(DivisionCode::COUNTRY, |person| person.home)
}

impl Changes {
    fn look_at(
        &mut self,
        tx: &mut Transaction<'_>,
        app: &App,
        all: &Gathered,
        (household, home): (&[WatchedPerson], DivisionCode),
        lines: &Lines<'_>,
        as_of: Day,
    ) -> Result<(), DatabaseError> {
        let members: Vec<Member> = household.iter().map(|person| all.member(person)).collect();
        let found = findings(&members, lines, as_of);
        let nothing = Existing::default();
        let id = household.first().map_or(Uuid::nil(), |person| person.household);
        let existing = all.existing.get(&id).unwrap_or(&nothing);
        let (kind, warning, level) = match &existing.open {
            Some((_, _, before)) if *before == found => {
                self.unchanged += 1;
                return Ok(());
            }
            Some((warning, before, _)) => match level_of(&found) {
                Some(level) if level > *before => (LEVEL_CHANGED, *warning, level),
                level => (UPDATED, *warning, level.unwrap_or(*before)),
            },
            None => match level_of(&found) {
                Some(level) if is_news(&found, &existing.closed) => (RAISED, app.mint(), level),
                _ => return Ok(()),
            },
        };
        let window = (window_start(CostWindow::Rolling12Months, as_of), as_of);
        let mut bills = Vec::new();
        for member in members.iter().filter(|member| all.costs.contains_key(&member.person)) {
            bills.extend(store::bills_of(tx, member.person, window)?);
        }
        let costs = members.iter().filter(|member| all.costs.contains_key(&member.person));
        let seen = Seen {
            household: id,
            as_of,
            level,
            findings: found,
            costs: costs
                .map(|member| EvidenceCosts {
                    person: member.person,
                    year: member.costs.year,
                    rolling: member.costs.rolling,
                })
                .collect(),
            bills,
            law: app.policies.hash().to_owned(),
        };
        self.news.push((kind, warning, home, seen));
        Ok(())
    }
}

/// Appends what is to be told, in batches.
fn write(
    app: &App,
    as_of: Day,
    news: Vec<(&'static str, Uuid, DivisionCode, Seen)>,
) -> Result<(), DatabaseError> {
    let now = app.clock.now();
    let mut facts = Vec::with_capacity(news.len());
    for (kind, warning, place, seen) in news {
        facts.push(NewFact {
            id: app.mint(),
            kind: kind.to_owned(),
            subject: Subject::case(warning),
            occurred_at: Moment::start_of(as_of),
            recorded_at: now,
            place,
            author: Uuid::nil(),
            source: Source::Derived,
            corrects: None,
            body: serde_json::to_string(&seen).map_err(|error| DatabaseError::Refused(error.to_string()))?,
        });
    }
    while !facts.is_empty() {
        let rest = facts.split_off(facts.len().min(FACTS_AT_ONCE));
        let batch = std::mem::replace(&mut facts, rest);
        let record = app.record.clone();
        app.database.write_blocking(move |tx| record.append(tx, now, batch).map(|_| ()))?;
    }
    Ok(())
}
