//! Settling again in retrospect: after the register reached back into a settled year, or under a new release of the
//! policies. A reconciler: it may be run at any time, be broken off and begun again; what is settled as the law and the
//! register have it stays as it is.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use kangmai_access::{Actor, Reach};
use kangmai_base::{DivisionCode, DivisionLevel, Fen, Moment, Uuid, on_all_cores_with};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_programme::App;
use kangmai_record::{NewFact, Record, Source};

use crate::facts::{BillReceived, Cause, Why};
use crate::rules::{Adjudicator, ChainBill, Settlement, insurance_year};
use crate::settling::{Hand, changed, closing, closing_of, join, lock};
use crate::store::{
    BorneOf, JoinedYear, PERSON_KIND, TouchedYear, alone_between, borne_between, borne_in_year, closed_year,
    joined_year, payer_kind_key, people_of_year, touched_years,
};

/// Why a bill is cancelled that goes to another year, as its fact says.
const MOVED: &str = "医保年度起止日改变，转入新年度";
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
    /// Bills that the law now counts in another year than the one they were in: cancelled there and taken in anew.
    pub moved: u64,
    /// What changes for each payer (kind and code): added, taken back.
    pub payers: Payers,
}

/// By kind and code of the payer: what is added and what is taken back.
pub type Payers = BTreeMap<(String, String), (Fen, Fen)>;

/// A year that would come to something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// Of how many persons.
    pub(crate) people: u64,
    /// How many bills.
    pub(crate) bills: usize,
    /// What changes for each payer.
    pub(crate) payers: BTreeMap<(String, String), Fen>,
}

/// What settlements that come to something else change; none if there are none. `known`: of some persons who bears what now,
/// so that nobody asks again.
fn change(
    tx: &mut Transaction<'_>,
    year: &JoinedYear,
    changed: &[Settlement],
    known: &HashMap<Uuid, Vec<BorneOf>>,
) -> Result<Option<Change>, DatabaseError> {
    if changed.is_empty() {
        return Ok(None);
    }
    let mut payers: BTreeMap<(String, String), Fen> = BTreeMap::new();
    let is_changed = |bill: Uuid| changed.iter().any(|settlement| settlement.bill() == bill);
    let mut people = 0;
    for member in &year.members {
        if !member.bills.iter().any(|bill| is_changed(bill.bill.body.bill)) {
            continue;
        }
        people += 1;
        let borne = match known.get(&member.person) {
            Some(borne) => Cow::Borrowed(borne),
            None => Cow::Owned(borne_in_year(tx, member.person, member.year)?),
        };
        for (bill, kind, payer, amount) in borne.iter() {
            if is_changed(*bill) {
                *payers.entry((kind.clone(), payer.clone())).or_default() -= *amount;
            }
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
    Ok(Some(Change { people, bills: changed.len(), payers }))
}

/// A year that waits to be settled again, with what that would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Preview {
    /// Which.
    pub(crate) touched: TouchedYear,
    /// Whether the year is closed, so that it stays.
    pub(crate) is_closed: bool,
    /// What would change, for all who are settled together with them; none if nothing.
    pub(crate) change: Option<Change>,
    /// Whether it is told with somebody of the household who stands before.
    pub(crate) is_told: bool,
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
    let (mut all, mut told) = (Vec::new(), Joined::new());
    for touched in touched_years(tx, reach, None, (Uuid::nil(), i32::MIN), limit)? {
        let year = joined_year(tx, &app.policies, (touched.person, None), touched.year)?;
        let is_closed = is_closed(tx, touched.home, &year)?;
        if told.contains(&(touched.person, touched.year)) {
            all.push(Preview { touched, is_closed, change: None, is_told: true });
            continue;
        }
        told.extend(year.members.iter().map(|member| (member.person, touched.year)));
        let changed = changed(&mut adjudicator, &year);
        let change = change(tx, &year, &changed, &HashMap::new())?;
        all.push(Preview { touched, is_closed, change, is_told: false });
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
    let mut joined = Joined::new();
    loop {
        let (app_there, actor, reach) = (app.clone(), actor.clone(), reach.clone());
        let mut joined_there = std::mem::take(&mut joined);
        let work = move |tx: &mut Transaction<'_>| {
            let run = Run {
                app: &app_there,
                actor: &actor,
                now: app_there.clock.now(),
                dry_run,
                is_waited_for: false,
            };
            let mut part = match which {
                Which::Touched(year) => run.touched(tx, &reach, year, after, &mut joined_there),
                Which::Release(year) => run.release(tx, &reach, year, after.0, &mut joined_there),
            }?;
            part.joined = std::mem::take(&mut joined_there);
            Ok::<_, DatabaseError>(part)
        };
        let part: Part =
            if dry_run { app.database.read_blocking(work)? } else { app.database.write_blocking(work)? };
        done.add(part.done);
        joined = part.joined;
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
        self.moved += other.moved;
        for (payer, (added, taken)) in other.payers {
            let sum = self.payers.entry(payer).or_default();
            sum.0 += added;
            sum.1 += taken;
        }
    }

    fn count(&mut self, change: Change) {
        self.changed += change.people;
        self.bills += change.bills as u64;
        for (payer, amount) in change.payers {
            let sum = self.payers.entry(payer).or_default();
            if amount.is_negative() { sum.1 += amount } else { sum.0 += amount }
        }
    }
}

/// Person-years that were settled together with somebody else's before: their turn is over.
type Joined = BTreeSet<(Uuid, i32)>;

/// What one transaction did, and where the next begins; none: it was the last.
#[derive(Default)]
struct Part {
    done: Resettled,
    last: Option<(Uuid, i32)>,
    joined: Joined,
}

/// Whether a year stays as it is, by its own place or by one of those that bills settled with it lie in.
fn is_closed(tx: &mut Transaction<'_>, home: DivisionCode, year: &JoinedYear) -> Result<bool, DatabaseError> {
    let own = closed_year(tx, home, year.year)?.is_some();
    Ok(own || (year.members.len() > 1 && closing_of(tx, year)?.is_some()))
}

/// A bill that goes to another year.
struct Moving {
    person: Uuid,
    /// The fact that it stands in.
    fact: Uuid,
    from: i32,
    goes_to: i32,
    /// As it comes in anew.
    bill: ChainBill,
}

struct Run<'a> {
    app: &'a App,
    actor: &'a Actor,
    now: Moment,
    dry_run: bool,
    /// Whether somebody chose these years and waits.
    is_waited_for: bool,
}

impl Run<'_> {
    fn touched(
        &self,
        tx: &mut Transaction<'_>,
        reach: &Reach,
        year: Option<i32>,
        after: (Uuid, i32),
        joined: &mut Joined,
    ) -> Result<Part, DatabaseError> {
        let touched = touched_years(tx, reach, year, after, YEARS_AT_ONCE)?;
        let done = self.these(tx, &touched, joined)?;
        Ok(Part { done, last: last_of(&touched), ..Part::default() })
    }

    /// Settles touched years again. Their counties are taken in rising order, so that nobody waits in a circle.
    fn these(
        &self,
        tx: &mut Transaction<'_>,
        touched: &[TouchedYear],
        joined: &mut Joined,
    ) -> Result<Resettled, DatabaseError> {
        let counties: BTreeSet<DivisionCode> =
            touched.iter().map(|one| one.home.at(DivisionLevel::County)).collect();
        for county in counties.iter().filter(|_| !self.dry_run) {
            lock(tx, *county)?;
        }
        let mut done = Resettled::default();
        let mut adjudicator = Adjudicator::new(&self.app.policies);
        let causes: BTreeMap<(Uuid, i32), Cause> = touched
            .iter()
            .filter(|one| !one.is_itemised)
            .map(|one| {
                let cause = Cause { why: Why::Register, fact: Some(one.fact), bill: None };
                ((one.person, one.year), cause)
            })
            .collect();
        let mut facts = Vec::new();
        for one in touched {
            done.looked_at += 1;
            if joined.contains(&(one.person, one.year)) {
                continue;
            }
            let found = self.read(tx, one.person, one.year, joined)?;
            if is_closed(tx, one.home, &found)? {
                done.closed += 1;
                continue;
            }
            let own = causes.get(&(one.person, one.year)).copied();
            let cause = |person: Uuid| {
                causes.get(&(person, one.year)).copied().or_else(|| own.map(Cause::for_member))
            };
            let changed = changed(&mut adjudicator, &found);
            self.again(tx, (&found, changed), &HashMap::new(), cause, (&mut done, &mut facts))?;
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
        joined: &mut Joined,
    ) -> Result<Part, DatabaseError> {
        let people = people_of_year(tx, reach, year, after, YEARS_AT_ONCE)?;
        let mut part = Part::default();
        let Some(last) = people.last() else { return Ok(part) };
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
        let cause = Cause { why: Why::Release, fact: None, bill: None };
        let mut facts = Vec::new();
        let asked: Vec<Uuid> = people.iter().map(|(person, _)| *person).collect();
        part.done.looked_at = asked.len() as u64;
        let before = joined.clone();
        let mut all = self.read_between(tx, year, &asked, joined)?;
        self.move_bills(tx, &mut all, &mut part.done)?;
        if part.done.moved > 0 && !self.dry_run {
            *joined = before;
            all = self.read_between(tx, year, &asked, joined)?;
        }
        let mut open = Vec::with_capacity(all.len());
        for found in all {
            let known = found.members.iter().find_map(|member| homes.get(&member.person));
            let Some(home) = known else { continue };
            let is_closed_here = counties.get(&home.at(DivisionLevel::County)) == Some(&true);
            if is_closed_here || (found.members.len() > 1 && closing_of(tx, &found)?.is_some()) {
                part.done.closed += 1;
                continue;
            }
            open.push(found);
        }
        let new_adjudicator = || Adjudicator::new(&self.app.policies);
        let changes = on_all_cores_with(&open, new_adjudicator, changed);
        let is_alone = !self.app.policies.has_shared() && changes.iter().any(|changes| !changes.is_empty());
        let known = match (asked.first(), asked.last()) {
            (Some(first), Some(last)) if is_alone => borne_between(tx, year, *first, *last)?,
            _ => HashMap::new(),
        };
        for (found, changed) in open.iter().zip(changes) {
            self.again(tx, (found, changed), &known, |_| Some(cause), (&mut part.done, &mut facts))?;
        }
        self.write(tx, facts)?;
        Ok(part)
    }

    /// The bills that the law now counts in another year. None goes into a closed year, or out of one.
    fn moving(&self, tx: &mut Transaction<'_>, years: &[JoinedYear]) -> Result<Vec<Moving>, DatabaseError> {
        let policies = &self.app.policies;
        let mut moving = Vec::new();
        for found in years {
            for (person, one) in found.bills() {
                let (home, discharge) = (one.bill.home, one.bill.body.discharge);
                let counts_in = insurance_year(policies, home, discharge);
                let goes_to = counts_in.unwrap_or(discharge.year());
                if goes_to == found.year {
                    continue;
                }
                let whose = (person, Some(one.bill.body.household));
                if is_closed(tx, home, found)? || closing(tx, policies, whose, home, goes_to)?.is_some() {
                    continue;
                }
                let body = BillReceived { insurance_year: counts_in, ..one.bill.body.clone() };
                let bill = ChainBill { received_at: self.now, home, body };
                moving.push(Moving { person, fact: one.fact, from: found.year, goes_to, bill });
            }
        }
        Ok(moving)
    }

    /// Takes those bills that the law now counts in another year out of theirs and in anew, so that they wait in the other,
    /// and settles that one. What that changes is told; in a dry run it is all that happens, and they are gone from `years`.
    fn move_bills(
        &self,
        tx: &mut Transaction<'_>,
        years: &mut [JoinedYear],
        done: &mut Resettled,
    ) -> Result<(), DatabaseError> {
        let moving = self.moving(tx, years)?;
        done.moved += moving.len() as u64;
        let targets = self.tell_moved(tx, &moving, done)?;
        if self.dry_run {
            let is_gone = |bill: Uuid| moving.iter().any(|one| one.bill.body.bill == bill);
            for member in years.iter_mut().flat_map(|year| &mut year.members) {
                member.bills.retain(|one| !is_gone(one.bill.body.bill));
            }
            return Ok(());
        }
        let (hand, policies) = (self.hand(), &self.app.policies);
        let mut facts = Vec::with_capacity(2 * moving.len());
        for Moving { person, fact, bill, .. } in &moving {
            facts.push(hand.cancelled(*person, bill.home, bill.body.bill, *fact, MOVED)?);
            let received = hand.received(*person, bill.home, &bill.body)?;
            facts.push(NewFact { corrects: Some(*fact), ..received });
        }
        self.write(tx, facts)?;
        let mut adjudicator = Adjudicator::new(policies);
        for (person, year) in targets {
            let found = join(tx, policies, (person, None), year)?;
            let facts = self.hand().settled(&mut adjudicator, &found, |_| None)?;
            self.write(tx, facts)?;
        }
        Ok(())
    }

    /// Adds up what bills that go to another year change: what was borne of them is taken back, and the other year is settled
    /// with them. Answers the years that they go to, each by one of its persons.
    fn tell_moved(
        &self,
        tx: &mut Transaction<'_>,
        moving: &[Moving],
        done: &mut Resettled,
    ) -> Result<Vec<(Uuid, i32)>, DatabaseError> {
        let policies = &self.app.policies;
        let mut targets: Vec<JoinedYear> = Vec::new();
        for Moving { person, from, goes_to, bill, .. } in moving {
            for (borne, kind, payer, amount) in borne_in_year(tx, *person, *from)? {
                if borne == bill.body.bill {
                    done.payers.entry((kind, payer)).or_default().1 += Fen::ZERO - amount;
                }
            }
            let household = bill.body.household;
            let is_of = |year: &JoinedYear| {
                let has_person = year.members.iter().any(|member| member.person == *person);
                let is_joined = policies.has_shared() && year.households().contains(&household);
                year.year == *goes_to && (has_person || is_joined)
            };
            let year = match targets.iter().position(is_of) {
                Some(known) => targets.swap_remove(known),
                None => joined_year(tx, policies, (*person, Some(household)), *goes_to)?,
            };
            let mut year = year;
            if year.member_mut(*person).is_none() {
                // Joined by the household of a bill that goes there as well.
                let own = joined_year(tx, policies, (*person, Some(household)), *goes_to)?;
                let known: BTreeSet<Uuid> = year.members.iter().map(|member| member.person).collect();
                year.members.extend(own.members.into_iter().filter(|one| !known.contains(&one.person)));
            }
            targets.push(year.with_bill(*person, bill.clone()));
        }
        let mut adjudicator = Adjudicator::new(policies);
        let mut asked = Vec::with_capacity(targets.len());
        for year in &targets {
            let changed = changed(&mut adjudicator, year);
            if let Some(change) = change(tx, year, &changed, &HashMap::new())? {
                done.count(change);
            }
            asked.extend(year.members.first().map(|member| (member.person, year.year)));
        }
        Ok(asked)
    }

    /// The year of a person with all who are joined with them, whose turn is over with it.
    fn read(
        &self,
        tx: &mut Transaction<'_>,
        person: Uuid,
        year: i32,
        joined: &mut Joined,
    ) -> Result<JoinedYear, DatabaseError> {
        let policies = &self.app.policies;
        let whose = (person, None);
        let found = match self.dry_run {
            true => joined_year(tx, policies, whose, year)?,
            false => join(tx, policies, whose, year)?,
        };
        if policies.has_shared() {
            joined.extend(found.members.iter().map(|member| (member.person, year)));
        }
        Ok(found)
    }

    /// The years of these persons, each with all who are joined with it, but those whose turn is over.
    fn read_between(
        &self,
        tx: &mut Transaction<'_>,
        year: i32,
        people: &[Uuid],
        joined: &mut Joined,
    ) -> Result<Vec<JoinedYear>, DatabaseError> {
        if !self.app.policies.has_shared() {
            return alone_between(tx, year, people);
        }
        let mut all = Vec::new();
        for person in people {
            if !joined.contains(&(*person, year)) {
                all.push(self.read(tx, *person, year, joined)?);
            }
        }
        Ok(all)
    }

    fn again(
        &self,
        tx: &mut Transaction<'_>,
        (year, changed): (&JoinedYear, Vec<Settlement>),
        known: &HashMap<Uuid, Vec<BorneOf>>,
        cause: impl Fn(Uuid) -> Option<Cause>,
        (done, facts): (&mut Resettled, &mut Vec<NewFact>),
    ) -> Result<(), DatabaseError> {
        let Some(change) = change(tx, year, &changed, known)? else { return Ok(()) };
        done.count(change);
        if !self.dry_run {
            facts.extend(self.hand().facts_of(year, changed, cause)?);
        }
        Ok(())
    }

    fn hand(&self) -> Hand<'_> {
        Hand { app: self.app, actor: self.actor, now: self.now, source: Source::Derived }
    }

    fn write(&self, tx: &mut Transaction<'_>, facts: Vec<NewFact>) -> Result<(), DatabaseError> {
        let mut facts = facts.into_iter().peekable();
        while facts.peek().is_some() {
            let batch = facts.by_ref().take(Record::BATCH).collect();
            if self.is_waited_for {
                self.app.record.keep(tx, self.now, batch)?;
            } else {
                // A fact that is put aside must not keep all others from being settled.
                self.app.record.append(tx, self.now, batch)?;
            }
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
    let run = Run { app: hand.app, actor: hand.actor, now: hand.now, dry_run: false, is_waited_for: true };
    let mut touched = touched_years(tx, reach, None, (Uuid::nil(), i32::MIN), limit)?;
    touched.retain(|one| chosen.contains(&(one.person, one.year)));
    run.these(tx, &touched, &mut Joined::new())
}
