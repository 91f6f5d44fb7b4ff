//! From a person-year as it stands to the facts that bring it up to date.

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
use crate::rules::{Adjudicator, ChainBill, Settlement};
use crate::store::{PersonYear, YearBill, person_year};

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
    /// typed: their source says so. `cause`: what else happened than that bills came in.
    pub(crate) fn settled(
        &self,
        year: &PersonYear,
        cause: Option<Cause>,
    ) -> Result<Vec<NewFact>, DatabaseError> {
        self.settled_by(&mut Adjudicator::new(&self.app.policies), year, cause)
    }

    /// As [`Hand::settled`], for one of many years.
    pub(crate) fn settled_by(
        &self,
        adjudicator: &mut Adjudicator<'_>,
        year: &PersonYear,
        cause: Option<Cause>,
    ) -> Result<Vec<NewFact>, DatabaseError> {
        self.facts_of(year, changed(adjudicator, year), cause)
    }

    /// The facts of settlements that [`changed`] answers.
    pub(crate) fn facts_of(
        &self,
        year: &PersonYear,
        changed: Vec<Settlement>,
        cause: Option<Cause>,
    ) -> Result<Vec<NewFact>, DatabaseError> {
        let mut facts = Vec::with_capacity(changed.len());
        for mut settlement in changed {
            let Some(before) = before(year, &settlement) else { continue };
            let (person, home) = (year.person, before.bill.home);
            settlement.set_cause(before.waits.or(cause).unwrap_or_else(|| cause_in(year)));
            let fact = match &settlement {
                Settlement::Settled(settled) => self.fact(SETTLED, person, home, &settled.0)?,
                Settlement::Not(not) => self.fact(NOT_SETTLED, person, home, not)?,
            };
            facts.push(NewFact { source: Source::Derived, corrects: before.receipt, ..fact });
        }
        Ok(facts)
    }
}

/// The bill of a settlement, with what it came to before.
fn before<'y>(year: &'y PersonYear, settlement: &Settlement) -> Option<&'y YearBill> {
    year.bills.iter().find(|bill| bill.bill.body.bill == settlement.bill())
}

/// Settles a year as it stands and answers those settlements that come to something else than before.
pub(crate) fn changed(adjudicator: &mut Adjudicator<'_>, year: &PersonYear) -> Vec<Settlement> {
    let mut settlements = settle_by(adjudicator, year);
    settlements.retain(|settlement| {
        before(year, settlement).is_some_and(|before| before.result != Some(settlement.result()))
    });
    settlements
}

/// Why a bill of the year that does not wait itself is settled again: of the bills that wait, the one that came first; if
/// none does, only the policies can have changed.
fn cause_in(year: &PersonYear) -> Cause {
    let waiting = year.bills.iter().filter_map(|bill| bill.waits.map(|cause| (bill, cause)));
    let first = waiting.min_by_key(|(bill, _)| (bill.bill.received_at, bill.bill.body.bill));
    match first {
        Some((bill, cause)) => {
            let is_new = cause.why == Why::Received;
            let why = if is_new { Why::OtherReceived } else { Why::OtherCorrected };
            Cause { why, bill: Some(bill.bill.body.bill), ..cause }
        }
        None => Cause { why: Why::Release, fact: None, bill: None },
    }
}

/// Settles a person-year as it stands.
pub(crate) fn settle(policies: &Release, year: &PersonYear) -> Vec<Settlement> {
    settle_by(&mut Adjudicator::new(policies), year)
}

/// Settles a person-year as it stands, one of many.
pub(crate) fn settle_by(adjudicator: &mut Adjudicator<'_>, year: &PersonYear) -> Vec<Settlement> {
    let bills: Vec<&ChainBill> = year.bills.iter().map(|bill| &bill.bill).collect();
    adjudicator.settle_year(&year.insured, &year.opening, &bills)
}

/// The year with one more bill.
pub(crate) fn with_bill(mut year: PersonYear, bill: ChainBill) -> PersonYear {
    year.bills.push(YearBill { bill, receipt: None, result: None, waits: None });
    year
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

/// Settles a person-year again and writes what changed; answers how many bills did.
pub(crate) fn settle_again(
    tx: &mut Transaction<'_>,
    hand: &Hand<'_>,
    person: Uuid,
    year: i32,
    cause: Option<Cause>,
) -> Result<usize, DatabaseError> {
    let found = person_year(tx, person, year)?;
    let facts = hand.settled(&found, cause)?;
    let changed = facts.len();
    hand.app.record.append(tx, hand.now, facts)?;
    Ok(changed)
}
