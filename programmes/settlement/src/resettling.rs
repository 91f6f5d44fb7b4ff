//! Settling again in retrospect: after the register reached back into a settled year, or under a new release of the
//! policies. A reconciler: it may be run at any time, be broken off and begun again; what is settled as the law and the
//! register have it stays as it is.

use std::collections::{BTreeMap, BTreeSet};

use kangmai_access::{Actor, Reach};
use kangmai_base::{DivisionCode, DivisionLevel, Fen, Moment, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_programme::App;
use kangmai_record::{Record, Source};

use crate::facts::{Cause, Why};
use crate::rules::{Adjudicator, Settlement};
use crate::settling::{Hand, changed, lock};
use crate::store::{
    PERSON_KIND, PersonYear, TouchedYear, borne_in_year, closed_year, payer_kind_key, people_of_year,
    person_year, touched_years, years_between,
};

/// Person-years that one transaction settles.
const YEARS_AT_ONCE: i64 = 500;

/// What is settled again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The years that the register reaches back into; of one year or of all.
    Touched(Option<i32>),
    /// All of one year, under the release at hand.
    Release(i32),
}

/// What a run came to, or would come to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resettled {
    /// Person-years that were looked at.
    pub looked_at: u64,
    /// Person-years of which a bill comes to something else.
    pub changed: u64,
    /// Bills that come to something else.
    pub bills: u64,
    /// Person-years that stay as they are because their year is closed.
    pub closed: u64,
    /// What changes for each payer (kind and code): added, taken back.
    pub payers: Payers,
}

/// By kind and code of the payer: what is added and what is taken back.
pub type Payers = BTreeMap<(String, String), (Fen, Fen)>;

/// A person-year that would come to something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// How many bills.
    pub(crate) bills: usize,
    /// What changes for each payer.
    pub(crate) payers: BTreeMap<(String, String), Fen>,
}

/// What settlements that come to something else change; none if there are none.
fn change(
    tx: &mut Transaction<'_>,
    year: &PersonYear,
    changed: &[Settlement],
) -> Result<Option<Change>, DatabaseError> {
    if changed.is_empty() {
        return Ok(None);
    }
    let mut payers: BTreeMap<(String, String), Fen> = BTreeMap::new();
    for (bill, kind, payer, amount) in borne_in_year(tx, year.person, year.year)? {
        if changed.iter().any(|settlement| settlement.bill() == bill) {
            *payers.entry((kind, payer)).or_default() -= amount;
        }
    }
    for settlement in changed {
        let Settlement::Settled(settled) = settlement else { continue };
        let person = (PERSON_KIND.to_owned(), PERSON_KIND.to_owned());
        *payers.entry(person).or_default() += settled.0.own;
        for layer in &settled.0.layers {
            let payer = (payer_kind_key(layer.kind).to_owned(), layer.payer.clone());
            *payers.entry(payer).or_default() += layer.paid;
        }
    }
    payers.retain(|_, amount| *amount != Fen::ZERO);
    Ok(Some(Change { bills: changed.len(), payers }))
}

/// A year that waits to be settled again, with what that would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Preview {
    /// Which.
    pub(crate) touched: TouchedYear,
    /// Whether the year is closed, so that it stays.
    pub(crate) is_closed: bool,
    /// What would change; none if nothing.
    pub(crate) change: Option<Change>,
}

/// The first years within reach that wait to be settled again, each with what that would change.
///
/// # Errors
/// When the database fails.
pub(crate) fn preview(
    tx: &mut Transaction<'_>,
    app: &App,
    reach: &Reach,
    limit: i64,
) -> Result<Vec<Preview>, DatabaseError> {
    let mut adjudicator = Adjudicator::new(&app.policies);
    let mut all = Vec::new();
    for touched in touched_years(tx, reach, None, (Uuid::nil(), i32::MIN), limit)? {
        let year = person_year(tx, touched.person, touched.year)?;
        let is_closed = closed_year(tx, touched.home, touched.year)?.is_some();
        let changed = changed(&mut adjudicator, &year);
        let change = change(tx, &year, &changed)?;
        all.push(Preview { touched, is_closed, change });
    }
    Ok(all)
}

/// Settles again, some person-years in each transaction, and tells `progress` how many were looked at. In a dry run
/// nothing is written.
///
/// # Errors
/// When the database fails; what was settled until then stays.
pub fn resettle(
    app: &App,
    actor: &Actor,
    reach: &Reach,
    which: Which,
    dry_run: bool,
    mut progress: impl FnMut(u64),
) -> Result<Resettled, DatabaseError> {
    let mut done = Resettled::default();
    let mut after = (Uuid::nil(), i32::MIN);
    loop {
        let (app_there, actor, reach) = (app.clone(), actor.clone(), reach.clone());
        let work = move |tx: &mut Transaction<'_>| {
            let run = Run { app: &app_there, actor: &actor, now: app_there.clock.now(), dry_run };
            match which {
                Which::Touched(year) => run.touched(tx, &reach, year, after),
                Which::Release(year) => run.release(tx, &reach, year, after.0),
            }
        };
        let part: Part =
            if dry_run { app.database.read_blocking(work)? } else { app.database.write_blocking(work)? };
        done.add(part.done);
        progress(done.looked_at);
        match part.last {
            Some(last) => after = last,
            None => return Ok(done),
        }
    }
}

impl Resettled {
    fn add(&mut self, other: Resettled) {
        self.looked_at += other.looked_at;
        self.changed += other.changed;
        self.bills += other.bills;
        self.closed += other.closed;
        for (payer, (added, taken)) in other.payers {
            let sum = self.payers.entry(payer).or_default();
            sum.0 += added;
            sum.1 += taken;
        }
    }

    fn count(&mut self, change: Change) {
        self.changed += 1;
        self.bills += change.bills as u64;
        for (payer, amount) in change.payers {
            let sum = self.payers.entry(payer).or_default();
            if amount.is_negative() { sum.1 += amount } else { sum.0 += amount }
        }
    }
}

/// What one transaction did, and where the next begins; none: it was the last.
struct Part {
    done: Resettled,
    last: Option<(Uuid, i32)>,
}

struct Run<'a> {
    app: &'a App,
    actor: &'a Actor,
    now: Moment,
    dry_run: bool,
}

impl Run<'_> {
    fn touched(
        &self,
        tx: &mut Transaction<'_>,
        reach: &Reach,
        year: Option<i32>,
        after: (Uuid, i32),
    ) -> Result<Part, DatabaseError> {
        let touched = touched_years(tx, reach, year, after, YEARS_AT_ONCE)?;
        let mut part = Part { done: Resettled::default(), last: last_of(&touched) };
        part.done = self.these(tx, &touched)?;
        Ok(part)
    }

    /// Settles touched years again. Their counties are taken in rising order, so that nobody waits in a circle.
    fn these(&self, tx: &mut Transaction<'_>, touched: &[TouchedYear]) -> Result<Resettled, DatabaseError> {
        let counties: BTreeSet<DivisionCode> =
            touched.iter().map(|one| one.home.at(DivisionLevel::County)).collect();
        for county in counties.iter().filter(|_| !self.dry_run) {
            lock(tx, *county)?;
        }
        let mut done = Resettled::default();
        let mut adjudicator = Adjudicator::new(&self.app.policies);
        let mut facts = Vec::new();
        for one in touched {
            done.looked_at += 1;
            if closed_year(tx, one.home, one.year)?.is_some() {
                done.closed += 1;
                continue;
            }
            let found = person_year(tx, one.person, one.year)?;
            let cause = Cause { why: Why::Register, fact: Some(one.fact), bill: None };
            self.again(tx, &mut adjudicator, &found, cause, (&mut done, &mut facts))?;
        }
        self.write(tx, facts)?;
        Ok(done)
    }

    fn release(
        &self,
        tx: &mut Transaction<'_>,
        reach: &Reach,
        year: i32,
        after: Uuid,
    ) -> Result<Part, DatabaseError> {
        let people = people_of_year(tx, reach, year, after, YEARS_AT_ONCE)?;
        let mut part = Part { done: Resettled::default(), last: None };
        let (Some(first), Some(last)) = (people.first(), people.last()) else { return Ok(part) };
        part.last = Some((last.0, year));
        let mut counties: BTreeMap<DivisionCode, bool> =
            people.iter().map(|(_, home)| (home.at(DivisionLevel::County), false)).collect();
        for (county, is_closed) in &mut counties {
            if !self.dry_run {
                lock(tx, *county)?;
            }
            *is_closed = closed_year(tx, *county, year)?.is_some();
        }
        let homes: BTreeMap<Uuid, DivisionCode> = people.iter().copied().collect();
        let mut adjudicator = Adjudicator::new(&self.app.policies);
        let cause = Cause { why: Why::Release, fact: None, bill: None };
        let mut facts = Vec::new();
        for found in years_between(tx, year, first.0, last.0)? {
            let Some(home) = homes.get(&found.person) else { continue };
            part.done.looked_at += 1;
            if counties.get(&home.at(DivisionLevel::County)) == Some(&true) {
                part.done.closed += 1;
                continue;
            }
            self.again(tx, &mut adjudicator, &found, cause, (&mut part.done, &mut facts))?;
        }
        self.write(tx, facts)?;
        Ok(part)
    }

    fn again(
        &self,
        tx: &mut Transaction<'_>,
        adjudicator: &mut Adjudicator<'_>,
        year: &PersonYear,
        cause: Cause,
        (done, facts): (&mut Resettled, &mut Vec<kangmai_record::NewFact>),
    ) -> Result<(), DatabaseError> {
        let changed = changed(adjudicator, year);
        let Some(change) = change(tx, year, &changed)? else { return Ok(()) };
        done.count(change);
        if !self.dry_run {
            facts.extend(self.hand().facts_of(year, changed, Some(cause))?);
        }
        Ok(())
    }

    fn hand(&self) -> Hand<'_> {
        Hand { app: self.app, actor: self.actor, now: self.now, source: Source::Derived }
    }

    fn write(
        &self,
        tx: &mut Transaction<'_>,
        facts: Vec<kangmai_record::NewFact>,
    ) -> Result<(), DatabaseError> {
        let mut facts = facts.into_iter().peekable();
        while facts.peek().is_some() {
            let batch = facts.by_ref().take(Record::BATCH).collect();
            self.app.record.append(tx, self.now, batch)?;
        }
        Ok(())
    }
}

fn last_of(touched: &[TouchedYear]) -> Option<(Uuid, i32)> {
    touched.last().map(|last| (last.person, last.year))
}

/// Settles those years again that somebody looked at and confirmed.
pub(crate) fn resettle_these(
    tx: &mut Transaction<'_>,
    hand: &Hand<'_>,
    reach: &Reach,
    chosen: &BTreeSet<(Uuid, i32)>,
    limit: i64,
) -> Result<Resettled, DatabaseError> {
    let run = Run { app: hand.app, actor: hand.actor, now: hand.now, dry_run: false };
    let mut touched = touched_years(tx, reach, None, (Uuid::nil(), i32::MIN), limit)?;
    touched.retain(|one| chosen.contains(&(one.person, one.year)));
    run.these(tx, &touched)
}
