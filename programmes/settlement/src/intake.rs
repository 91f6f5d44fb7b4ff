//! A bill on its way from what somebody says to its receipt: one way for the desk and for the interface. All of it
//! happens in one transaction, so that what was tried is what is written.

use kangmai_access::{Actor, Reach};
use kangmai_base::{DivisionCode, Fen, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::Person;
use kangmai_policy::{Release, Trace};
use kangmai_programme::App;

use crate::facts::{BillReceived, Cause, Settled, TreatingInstitution, Used, Why, WhyNotSettled};
use crate::pages::{closing_for, refuse_closed};
use crate::rules::{BillDraft, ChainBill, Settlement, insurance_year};
use crate::settling::{
    Hand, closing, join, keep_standing, lock, lock_person, settle as settle_chain, settle_again,
};
use crate::store::{
    self, Answered, Attempt, Begun, Bill, BillState, JoinedYear, Known, MatchedPerson, RequestKey,
    answer_request, begin_request, closed_year, give_up_request, joined_year, known_bill, opening_fact,
};

/// Whom a bill is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Patient {
    pub(crate) id: Uuid,
    pub(crate) household: Uuid,
    pub(crate) home: DivisionCode,
}

impl Patient {
    /// Whose year it is, and with whose household they are settled.
    const fn whose(&self) -> (Uuid, Option<Uuid>) {
        (self.id, Some(self.household))
    }
}

impl From<&Person> for Patient {
    fn from(person: &Person) -> Patient {
        Patient { id: person.id.uuid(), household: person.body.household, home: person.home }
    }
}

impl From<&MatchedPerson> for Patient {
    fn from(person: &MatchedPerson) -> Patient {
        Patient { id: person.id, household: person.household, home: person.home }
    }
}

/// A bill that is said to be, with its institution.
#[derive(Debug, Clone)]
pub(crate) struct Offered {
    pub(crate) draft: BillDraft,
    pub(crate) institution: TreatingInstitution,
}

impl Offered {
    pub(crate) fn received(&self, policies: &Release, bill: Uuid, patient: &Patient) -> BillReceived {
        BillReceived {
            bill,
            number: self.draft.number.clone(),
            household: patient.household,
            insurance_year: insurance_year(policies, patient.home, self.draft.discharge),
            institution: self.institution.clone(),
            admission: self.draft.admission,
            discharge: self.draft.discharge,
            setting: self.draft.setting,
            referral: self.draft.referral,
            diagnosis: self.draft.diagnosis.clone(),
            total: self.draft.total,
            compliant: self.draft.compliant,
            already_paid: self.draft.already_paid,
            fees: self.draft.fees.clone(),
            lines: self.draft.lines.clone(),
        }
    }
}

/// What settling comes to.
#[derive(Debug)]
pub(crate) struct Trial {
    pub(crate) settled: Settled,
    pub(crate) trace: Trace,
    /// Earlier settled bills of the year whose own share it changes: number, before, after.
    pub(crate) changes: Vec<(String, Option<Fen>, Fen)>,
    /// Bills of other members of the household that come to another own share: how many, and by how much in all. Whose
    /// and which, this patient's desk need not know.
    pub(crate) members: Option<(i64, Fen)>,
    /// What is used of the next insurance year before its first bill.
    pub(crate) next_year: Vec<Used>,
}

/// What the sender expects to be borne by the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// Whatever it comes to.
    Anything,
    /// So much; none: the sender has seen nothing yet, so nothing is right.
    Own(Option<Fen>),
}

impl Expected {
    fn is(self, own: Fen) -> bool {
        match self {
            Expected::Anything => true,
            Expected::Own(expected) => expected == Some(own),
        }
    }
}

/// Why a bill is not taken in.
#[derive(Debug)]
pub(crate) enum NotTaken {
    /// A rule says no.
    Refused(Refusal),
    /// The own share is another than expected.
    Moved(Box<Trial>),
}

impl From<Refusal> for NotTaken {
    fn from(refusal: Refusal) -> NotTaken {
        NotTaken::Refused(refusal)
    }
}

/// A bill that is written, with what it came to.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) bill: Uuid,
    pub(crate) trial: Trial,
}

/// Settles the person-year with the bill in it, without writing.
pub(crate) fn try_bill(
    tx: &mut Transaction<'_>,
    app: &App,
    patient: &Patient,
    body: BillReceived,
) -> Result<Result<Trial, Refusal>, DatabaseError> {
    if let Some(known) = standing(tx, &body)? {
        return Ok(Err(refuse_known(&known)));
    }
    let year = body.year();
    if let Some(closed) = closing(tx, &app.policies, patient.whose(), patient.home, year)? {
        return Ok(Err(refuse_closed(&closed)));
    }
    let next_year = opening_fact(tx, patient.id, year + 1)?.map(|(_, used)| used);
    let year = joined_year(tx, &app.policies, patient.whose(), year)?;
    let bill = ChainBill { received_at: app.clock.now(), home: patient.home, body };
    let trial = trial_of(app, &year, patient.id, bill);
    Ok(trial.map(|trial| Trial { next_year: next_year.unwrap_or_default(), ..trial }))
}

/// The bill of that number, unless it was cancelled: then it may come in anew.
fn standing(tx: &mut Transaction<'_>, bill: &BillReceived) -> Result<Option<Known>, DatabaseError> {
    Ok(known_bill(tx, bill.institution.id, &bill.number)?.filter(|known| known.state != BillState::Cancelled))
}

pub(crate) fn refuse_known(known: &Known) -> Refusal {
    Refusal::new("settlement.refused.known").with("total", known.total.grouped()).at("number")
}

/// The year as it is, and with the bill in it; one that is there already is replaced.
fn trial_of(app: &App, year: &JoinedYear, person: Uuid, bill: ChainBill) -> Result<Trial, Refusal> {
    let id = bill.body.bill;
    let before = settle_chain(&app.policies, year);
    let mut others = year.clone();
    for member in &mut others.members {
        member.bills.retain(|other| other.bill.body.bill != id);
    }
    let after = settle_chain(&app.policies, &others.with_bill(person, bill));
    let mut trial = Err(Refusal::new("settlement.refused.no_policy"));
    let (mut changes, mut members) = (Vec::new(), None);
    for settlement in after {
        let settled = match settlement {
            Settlement::Settled(settled) => settled,
            Settlement::Not(not) => {
                if not.bill == id {
                    trial = Err(why_refusal(&not.why));
                }
                continue;
            }
        };
        if settled.0.bill == id {
            trial = Ok(*settled);
            continue;
        }
        let earlier = before.iter().find_map(|settlement| match settlement {
            Settlement::Settled(earlier) if earlier.0.bill == settled.0.bill => Some(earlier.0.own),
            _ => None,
        });
        if earlier == Some(settled.0.own) {
            continue;
        }
        match year.find(settled.0.bill) {
            Some((whose, one)) if whose == person => {
                changes.push((one.bill.body.number.clone(), earlier, settled.0.own));
            }
            _ => {
                let (count, sum) = members.get_or_insert((0, Fen::ZERO));
                *count += 1;
                *sum += settled.0.own - earlier.unwrap_or(Fen::ZERO);
            }
        }
    }
    trial.map(|(settled, trace)| Trial { settled, trace, changes, members, next_year: Vec::new() })
}

/// Why a bill is not settled, as a refusal at the day that decides.
pub(crate) fn why_refusal(why: &WhyNotSettled) -> Refusal {
    match why {
        WhyNotSettled::NoPolicy => Refusal::new("settlement.refused.no_policy").at("discharge"),
        WhyNotSettled::Untranslatable(rules) => {
            Refusal::new("settlement.refused.untranslatable").with("rules", rules.join(", "))
        }
        WhyNotSettled::Impossible => Refusal::new("settlement.refused.impossible"),
    }
}

/// Takes a bill in and settles its person-year. Nothing is written unless it settles, and to what is expected.
pub(crate) fn settle_bill(
    tx: &mut Transaction<'_>,
    hand: &Hand<'_>,
    patient: &Patient,
    offered: &Offered,
    expected: Expected,
) -> Result<Result<Taken, NotTaken>, DatabaseError> {
    lock(tx, patient.home)?;
    let mut body = offered.received(&hand.app.policies, hand.app.mint(), patient);
    let known = known_bill(tx, body.institution.id, &body.number)?;
    let corrects = known.filter(|known| known.state == BillState::Cancelled);
    if let Some(known) = &corrects {
        body.bill = known.id;
    }
    if hand.app.policies.has_shared() {
        // Members may live in counties that do not wait for each other: what is tried is what is written.
        join(tx, &hand.app.policies, patient.whose(), body.year())?;
    }
    let trial = match try_bill(tx, hand.app, patient, body.clone())? {
        Ok(trial) => trial,
        Err(refusal) => return Ok(Err(refusal.into())),
    };
    if !expected.is(trial.settled.own) {
        return Ok(Err(NotTaken::Moved(Box::new(trial))));
    }
    let mut fact = hand.received(patient.id, patient.home, &body)?;
    fact.corrects = corrects.map(|known| known.fact);
    hand.app.record.keep(tx, hand.now, vec![fact])?;
    settle_again(tx, hand, patient.whose(), body.year(), None)?;
    Ok(Ok(Taken { bill: body.bill, trial }))
}

/// Replaces a bill that stands by what is said now: cancels it with the reason, takes it in anew, settles the year. Whom it
/// is about and its year stay: for others it is cancelled and sent anew.
pub(crate) fn correct_bill(
    tx: &mut Transaction<'_>,
    hand: &Hand<'_>,
    patient: &Patient,
    offered: &Offered,
    (reason, expected): (&str, Expected),
) -> Result<Result<Taken, NotTaken>, DatabaseError> {
    lock(tx, patient.home)?;
    let mut body = offered.received(&hand.app.policies, hand.app.mint(), patient);
    let known = match known_bill(tx, body.institution.id, &body.number)? {
        None => return Ok(Err(Refusal::new("settlement.refused.unknown_bill").at("number").into())),
        Some(known) if known.state == BillState::Cancelled => {
            return Ok(Err(Refusal::new("settlement.refused.cancelled_already").at("number").into()));
        }
        Some(known) => known,
    };
    if known.person != patient.id {
        return Ok(Err(Refusal::new("settlement.refused.other_person").at("person").into()));
    }
    keep_standing(tx, &known, &mut body)?;
    if known.year != body.year() {
        return Ok(Err(Refusal::new("settlement.refused.other_year").at("discharge").into()));
    }
    let (policies, whose) = (&hand.app.policies, (patient.id, Some(known.household)));
    let closed = closed_year(tx, known.home, known.year)?;
    if let Some(closed) = closed.or(closing(tx, policies, whose, patient.home, body.year())?) {
        return Ok(Err(refuse_closed(&closed).into()));
    }
    let year = join(tx, policies, whose, body.year())?;
    let chain_bill = ChainBill { received_at: hand.now, home: patient.home, body: body.clone() };
    let trial = match trial_of(hand.app, &year, patient.id, chain_bill) {
        Ok(trial) => trial,
        Err(refusal) => return Ok(Err(refusal.into())),
    };
    if !expected.is(trial.settled.own) {
        return Ok(Err(NotTaken::Moved(Box::new(trial))));
    }
    let cancelled = hand.cancelled(patient.id, patient.home, known.id, known.fact, reason)?;
    let mut received = hand.received(patient.id, patient.home, &body)?;
    received.corrects = Some(known.fact);
    hand.app.record.keep(tx, hand.now, vec![cancelled, received])?;
    settle_again(tx, hand, whose, body.year(), None)?;
    Ok(Ok(Taken { bill: body.bill, trial }))
}

/// Cancels a bill and settles the rest of its year again; answers how many bills that changed, none if there is no such bill
/// within reach that stands.
pub(crate) fn cancel_bill(
    tx: &mut Transaction<'_>,
    hand: &Hand<'_>,
    reach: &Reach,
    asked: &Bill,
    reason: &str,
) -> Result<Result<Option<usize>, Refusal>, DatabaseError> {
    lock_person(tx, asked.person, asked.home)?;
    // Somebody else may have been quicker.
    let found = store::bill(tx, reach, asked.id)?.filter(|bill| bill.state != BillState::Cancelled);
    let Some(bill) = found else { return Ok(Ok(None)) };
    if let Some(closed) = closing_for(tx, &hand.app.policies, &bill)? {
        return Ok(Err(Refusal { field: None, ..refuse_closed(&closed) }));
    }
    let fact = hand.cancelled(bill.person, bill.home, bill.id, bill.fact, reason)?;
    let cause = Cause { why: Why::OtherCancelled, fact: Some(fact.id), bill: Some(bill.id) };
    hand.app.record.keep(tx, hand.now, vec![fact])?;
    settle_again(tx, hand, (bill.person, Some(bill.household)), bill.year, Some(cause))
        .map(|changed| Ok(Some(changed)))
}

/// Whose keys somebody uses: those of their institution, else their own.
pub(crate) fn caller(actor: &Actor) -> Uuid {
    actor.institution.unwrap_or_else(|| actor.account.uuid())
}

/// Takes a request in under its key, before the work begins, so that whoever asks meanwhile hears that it is under way.
pub(crate) async fn begin(
    app: &App,
    actor: &Actor,
    key: String,
    digest: String,
) -> Result<Begun, DatabaseError> {
    let key = RequestKey { caller: caller(actor), key };
    let now = app.clock.now();
    app.database.write(move |tx| begin_request(tx, &key, &digest, now)).await
}

/// Does the work of a request and writes down its answer, in one transaction. One that is refused leaves its key free; `work`
/// writes nothing before it refuses.
pub(crate) async fn answer_once<R: Send + 'static>(
    app: &App,
    attempt: Attempt,
    work: impl FnOnce(&mut Transaction<'_>) -> Result<Result<Answered, R>, DatabaseError> + Send + 'static,
) -> Result<Result<Answered, R>, DatabaseError> {
    let given_up = attempt.clone();
    let done = app.database.write(move |tx| match work(tx)? {
        Ok(answered) if answer_request(tx, &attempt, &answered)? => Ok(Ok(answered)),
        Ok(_) => Err(DatabaseError::Refused("another attempt took the request over".into())),
        Err(refused) => {
            give_up_request(tx, &attempt)?;
            Ok(Err(refused))
        }
    });
    let done = done.await;
    if done.is_err() {
        app.database.write(move |tx| give_up_request(tx, &given_up)).await?;
    }
    done
}
