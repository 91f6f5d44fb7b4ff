//! From a year as it stands to the facts that bring it up to date.

use std::collections::BTreeSet;

use kangmai_access::Actor;
use kangmai_base::{DivisionCode, DivisionLevel, Id, Moment, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_places::Divisions;
use kangmai_policy::Release;
use kangmai_programme::App;
use kangmai_record::{NewFact, Source, Subject};
use serde::Serialize;

use crate::facts::{
    BILL_CANCELLED, BILL_ITEMISED, BILL_RECEIVED, BillCancelled, BillReceived, Cause, NOT_SETTLED, SETTLED,
    Why,
};
use crate::rules::{Adjudicator, Settlement};
use crate::store::{
    JoinedYear, Known, Openings, YearState, body_of_fact, closed_year, joined_year, joined_year_with,
};

/// Whose hand writes facts, and when.
pub(crate) struct Hand<'a> {
    /// The program.
    pub(crate) app: &'a App,
    /// Who answers for them.
    pub(crate) actor: &'a Actor,
    /// The present instant.
    pub(crate) now: Moment,
    /// Where what comes in comes from.
    pub(crate) source: Source,
}

impl Hand<'_> {
    /// A fact about `person`, whose home is `home`.
    pub(crate) fn fact(
        &self,
        kind: &str,
        person: Uuid,
        home: DivisionCode,
        body: &impl Serialize,
    ) -> Result<NewFact, DatabaseError> {
        let body = serde_json::to_string(body)
            .map_err(|error| DatabaseError::Refused(format!("a {kind} cannot be written: {error}")))?;
        Ok(NewFact {
            id: self.app.ids.mint(self.now),
            kind: kind.to_owned(),
            subject: Subject::person(person),
            occurred_at: self.now,
            recorded_at: self.now,
            place: home,
            author: self.actor.account.uuid(),
            source: self.source,
            corrects: None,
            body,
        })
    }

    /// The fact that a bill came in. It happened on the day of discharge.
    pub(crate) fn received(
        &self,
        person: Uuid,
        home: DivisionCode,
        body: &BillReceived,
    ) -> Result<NewFact, DatabaseError> {
        let fact = self.fact(BILL_RECEIVED, person, home, body)?;
        Ok(NewFact { occurred_at: Moment::start_of(body.discharge), ..fact })
    }

    /// The fact that the lines of a bill came; `before` is the fact that it stood in until then.
    pub(crate) fn itemised(
        &self,
        person: Uuid,
        home: DivisionCode,
        body: &BillReceived,
        before: Uuid,
    ) -> Result<NewFact, DatabaseError> {
        let fact = self.fact(BILL_ITEMISED, person, home, body)?;
        Ok(NewFact { corrects: Some(before), ..fact })
    }

    /// The fact that a bill was cancelled.
    pub(crate) fn cancelled(
        &self,
        person: Uuid,
        home: DivisionCode,
        bill: Uuid,
        received: Uuid,
        reason: &str,
    ) -> Result<NewFact, DatabaseError> {
        let body = BillCancelled { bill, reason: reason.to_owned() };
        let fact = self.fact(BILL_CANCELLED, person, home, &body)?;
        Ok(NewFact { corrects: Some(received), ..fact })
    }

    /// Settles the year and answers the facts of those bills whose result is another than before. They are worked out, not
    /// typed: their source says so. `cause`: by person, what else happened than that bills came in.
    pub(crate) fn settled(
        &self,
        adjudicator: &mut Adjudicator<'_>,
        year: &JoinedYear,
        cause: impl Fn(Uuid) -> Option<Cause>,
    ) -> Result<Vec<NewFact>, DatabaseError> {
        self.facts_of(year, changed(adjudicator, year), cause)
    }

    /// The facts of settlements that [`changed`] answers.
    pub(crate) fn facts_of(
        &self,
        year: &JoinedYear,
        changed: Vec<Settlement>,
        cause: impl Fn(Uuid) -> Option<Cause>,
    ) -> Result<Vec<NewFact>, DatabaseError> {
        let mut facts = Vec::with_capacity(changed.len());
        for mut settlement in changed {
            let Some((person, before)) = year.find(settlement.bill()) else { continue };
            let home = before.bill.home;
            settlement.set_cause(before.waits.or_else(|| cause(person)).unwrap_or_else(|| {
                let (whose, cause) = cause_in(year);
                if whose.is_none_or(|whose| whose == person) { cause } else { cause.for_member() }
            }));
            let fact = match &settlement {
                Settlement::Settled(settled) => self.fact(SETTLED, person, home, &settled.0)?,
                Settlement::Not(not) => self.fact(NOT_SETTLED, person, home, not)?,
            };
            facts.push(NewFact { source: Source::Derived, corrects: before.receipt, ..fact });
        }
        Ok(facts)
    }
}

/// Settles a year as it stands and answers those settlements that come to something else than before.
pub(crate) fn changed(adjudicator: &mut Adjudicator<'_>, year: &JoinedYear) -> Vec<Settlement> {
    let mut settlements = adjudicator.settle_together(&year.to_settle());
    settlements.retain(|settlement| {
        year.find(settlement.bill()).is_some_and(|(_, before)| before.result != Some(settlement.result()))
    });
    settlements
}

/// Why a bill of the year that does not wait itself is settled again: of the bills that wait, the one that came first, and
/// whose it is; if none does, only the policies can have changed.
fn cause_in(year: &JoinedYear) -> (Option<Uuid>, Cause) {
    let waiting = year.bills().filter_map(|(person, bill)| bill.waits.map(|cause| (person, bill, cause)));
    let first = waiting.min_by_key(|(_, bill, _)| (bill.bill.received_at, bill.bill.body.bill));
    match first {
        Some((person, bill, cause)) => {
            let is_new = cause.why == Why::Received;
            let why = if is_new { Why::OtherReceived } else { Why::OtherCorrected };
            (Some(person), Cause { why, bill: Some(bill.bill.body.bill), ..cause })
        }
        None => (None, Cause { why: Why::Release, fact: None, bill: None }),
    }
}

/// Settles a year as it stands.
pub(crate) fn settle(policies: &Release, year: &JoinedYear) -> Vec<Settlement> {
    Adjudicator::new(policies).settle_together(&year.to_settle())
}

/// The closing that stands in the way of what happens in the year of a person: by their own place, or by that of somebody
/// whose bills would be settled again with theirs.
pub(crate) fn closing(
    tx: &mut Transaction<'_>,
    policies: &Release,
    whose: (Uuid, Option<Uuid>),
    home: DivisionCode,
    year: i32,
) -> Result<Option<YearState>, DatabaseError> {
    if let Some(closed) = closed_year(tx, home, year)? {
        return Ok(Some(closed));
    }
    if !policies.has_shared() {
        return Ok(None);
    }
    let joined = joined_year(tx, policies, whose, year)?;
    closing_of(tx, &joined)
}

/// The closing of a year by any of the places that its bills lie in.
pub(crate) fn closing_of(
    tx: &mut Transaction<'_>,
    year: &JoinedYear,
) -> Result<Option<YearState>, DatabaseError> {
    for county in year.counties() {
        if let Some(closed) = closed_year(tx, county, year.year)? {
            return Ok(Some(closed));
        }
    }
    Ok(None)
}

/// Makes of a bill that is said anew the bill that stands: it keeps its identifier, the household that it counted for when
/// it came in, and, discharged on the same day, its year, whatever the register and the law say of these now.
pub(crate) fn keep_standing(
    tx: &mut Transaction<'_>,
    known: &Known,
    body: &mut BillReceived,
) -> Result<(), DatabaseError> {
    (body.bill, body.household) = (known.id, known.household);
    let before = body_of_fact(tx, known.fact)?.filter(|before| before.discharge == body.discharge);
    if let Some(before) = before {
        body.insurance_year = before.insurance_year;
    }
    Ok(())
}

/// Takes a household, until the transaction ends.
pub(crate) fn lock_household(tx: &mut Transaction<'_>, household: Uuid) -> Result<(), DatabaseError> {
    tx.lock(&format!("settlement household {household}"))
}

/// The year of a person and of all who are joined with them, read when nobody else settles any of it: members may live in
/// counties that do not wait for each other, so their households are locked too.
pub(crate) fn join(
    tx: &mut Transaction<'_>,
    policies: &Release,
    whose: (Uuid, Option<Uuid>),
    year: i32,
) -> Result<JoinedYear, DatabaseError> {
    join_with(tx, policies, whose, year, &Openings::new())
}

/// The same, as it will be when `openings` have joined the record.
pub(crate) fn join_with(
    tx: &mut Transaction<'_>,
    policies: &Release,
    whose: (Uuid, Option<Uuid>),
    year: i32,
    openings: &Openings,
) -> Result<JoinedYear, DatabaseError> {
    let mut joined = joined_year_with(tx, policies, whose, year, openings)?;
    if !policies.has_shared() {
        return Ok(joined);
    }
    let mut held = BTreeSet::new();
    loop {
        let households: BTreeSet<Uuid> = joined.households().into_iter().chain(whose.1).collect();
        let others: Vec<Uuid> = households.difference(&held).copied().collect();
        if others.is_empty() {
            return Ok(joined);
        }
        for household in others {
            lock_household(tx, household)?;
            held.insert(household);
        }
        // Whoever held one of them may have settled, or joined somebody else.
        joined = joined_year_with(tx, policies, whose, year, openings)?;
    }
}

/// Two who settle in one county wait for each other: a person-year is one chain. The county is that of the person's home
/// now. Of a place above counties all counties are taken, in rising order, so that nobody waits in a circle.
pub(crate) fn lock(tx: &mut Transaction<'_>, place: DivisionCode) -> Result<(), DatabaseError> {
    let is_above = place.level().is_none_or(|level| level < DivisionLevel::County);
    if !is_above {
        return tx.lock(&format!("settlement {}", place.at(DivisionLevel::County)));
    }
    for county in Divisions::shipped().of_level(place, DivisionLevel::County) {
        tx.lock(&format!("settlement {}", county.code()))?;
    }
    Ok(())
}

/// Takes the county where somebody lives now: a bill may be of a time when they lived elsewhere.
pub(crate) fn lock_person(
    tx: &mut Transaction<'_>,
    person: Uuid,
    otherwise: DivisionCode,
) -> Result<(), DatabaseError> {
    let found = kangmai_people::find_person(tx, Id::from_uuid(person))?;
    lock(tx, found.map_or(otherwise, |person| person.home))
}

/// Settles the year of a person again, with all who are joined with them, and writes what changed; answers how many bills
/// did. `household`: one that joins them though no bill of theirs that stands is of it. `cause`: what happened to `person`.
pub(crate) fn settle_again(
    tx: &mut Transaction<'_>,
    hand: &Hand<'_>,
    (person, household): (Uuid, Option<Uuid>),
    year: i32,
    cause: Option<Cause>,
) -> Result<usize, DatabaseError> {
    let policies = &hand.app.policies;
    let found = join(tx, policies, (person, household), year)?;
    let cause_of = |other: Uuid| if other == person { cause } else { cause.map(Cause::for_member) };
    let facts = hand.settled(&mut Adjudicator::new(policies), &found, cause_of)?;
    let changed = facts.len();
    hand.app.record.keep(tx, hand.now, facts)?;
    Ok(changed)
}
