//! Stays without deposit and what became of their own shares: most are paid at discharge, some late or in part, one in
//! instalments; one write-off waits for the county.

use kangmai_access::{Actor, Purpose, Reach, reach};
use kangmai_base::{Day, Fen, Id, Moment, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::find_person;
use kangmai_programme::App;
use kangmai_record::{NewFact, Source, Subject};
use kangmai_settlement::facts::{
    ADMITTED, Admitted, BillReceived, DEFERRAL_AGREED, DeferralAgreed, OWN_SHARE_PAID, OwnSharePaid,
    PaymentMethod, WRITE_OFF_ASKED, WriteOffAsked,
};
use kangmai_settlement::rules::{Insured, deposit};
use kangmai_settlement::store::{self, Bill, BillFilter, BillState, pay_later};
use serde::Serialize;

use super::Draw;

/// Days back from which bills are looked through.
const DAYS_BACK: i32 = 150;
/// Bills that are looked through.
const LOOKED_AT: i64 = 4_000;
/// Stays that are made stays without deposit.
const STAYS: usize = 120;

/// A stay with its bill.
struct Stay {
    bill: Bill,
    body: BillReceived,
    labels: Vec<String>,
    within: Option<i32>,
}

/// What becomes of an own share.
#[derive(Clone, Copy)]
enum Course {
    PaidAtOnce,
    PaidLate,
    PaidInPart,
    NotPaid,
    Instalments,
    WriteOff,
}

/// Writes the admissions and what became of the own shares, up to `today`.
///
/// # Errors
/// When the database fails.
pub(crate) fn take_payments(app: &App, seed: u64, today: Day) -> Result<(), DatabaseError> {
    let inside = app.clone();
    app.database.write_blocking(move |tx| {
        let actor = Actor::system();
        let Some(within) = reach(&actor, Purpose::ReadBills) else { return Ok(()) };
        let mut draw = Draw::new(seed);
        let mut special =
            [Course::Instalments, Course::WriteOff, Course::NotPaid, Course::PaidInPart].into_iter();
        for stay in stays(tx, &inside, &within, today)? {
            admit(tx, &inside, &stay)?;
            let Some(debt) = pay_later::debt(tx, stay.bill.id)? else { continue };
            if debt.open < Fen::yuan(300) {
                pay(tx, &inside, &stay, debt.open, stay.body.discharge, PaymentMethod::Cash)?;
                continue;
            }
            let course = special.next().unwrap_or_else(|| match draw.below(100) {
                0..=74 => Course::PaidAtOnce,
                75..=84 => Course::PaidLate,
                85..=92 => Course::PaidInPart,
                _ => Course::NotPaid,
            });
            follow(tx, &inside, &mut draw, &stay, (course, debt.open), today)?;
        }
        Ok(())
    })
}

/// Recent stays of people who owed no deposit where they lay, one for each person.
fn stays(
    tx: &mut Transaction<'_>,
    app: &App,
    within: &Reach,
    today: Day,
) -> Result<Vec<Stay>, DatabaseError> {
    let (from, state) = (Some(today.plus_days(-DAYS_BACK)), Some(BillState::Settled));
    let rows = store::bill_rows(tx, within, BillFilter { from, to: Some(today), state }, LOOKED_AT, 0)?;
    let mut found: Vec<Stay> = Vec::new();
    for row in rows.into_iter().filter(|row| row.setting == "inpatient") {
        if found.len() >= STAYS || found.iter().any(|stay| stay.bill.person == row.person) {
            continue;
        }
        let Some(bill) = store::bill(tx, within, row.id)? else { continue };
        let Some(body) = store::body_of(tx, &bill)? else { continue };
        let Some(person) = find_person(tx, Id::from_uuid(bill.person))? else { continue };
        let insured = Insured {
            birth: person.body.birth,
            sex: person.body.sex,
            enrolment: person.body.enrolment,
            labels: person.body.labels.clone(),
        };
        let (tier, place) = (body.institution.tier, body.institution.place);
        let checked = deposit(&app.policies, &insured, bill.home, body.admission, tier, place, false);
        if checked.why_not.is_none() {
            let within =
                checked.rule.and_then(|rule| rule.payment.as_ref()).map(|terms| terms.due_after_days);
            found.push(Stay { labels: insured.labels_on(body.admission), within, bill, body });
        }
    }
    Ok(found)
}

fn append(
    tx: &mut Transaction<'_>,
    app: &App,
    stay: &Stay,
    (kind, on): (&str, Day),
    body: &impl Serialize,
) -> Result<(), DatabaseError> {
    let now = app.clock.now();
    let body = serde_json::to_string(body).map_err(|error| DatabaseError::Refused(error.to_string()))?;
    let fact = NewFact {
        id: app.ids.mint(now),
        kind: kind.to_owned(),
        subject: Subject::person(stay.bill.person),
        occurred_at: Moment::start_of(on),
        recorded_at: now,
        place: stay.bill.home,
        author: Uuid::nil(),
        source: Source::Typed,
        corrects: None,
        body,
    };
    app.record.append(tx, now, vec![fact]).map(|_| ())
}

fn admit(tx: &mut Transaction<'_>, app: &App, stay: &Stay) -> Result<(), DatabaseError> {
    let body = Admitted {
        household: stay.bill.household,
        institution: stay.bill.institution,
        admission: stay.body.admission,
        emergency: false,
        entitled: true,
        why_not: None,
        labels: stay.labels.clone(),
        pay_within_days: stay.within,
        release: app.policies.hash().to_owned(),
    };
    append(tx, app, stay, (ADMITTED, stay.body.admission), &body)
}

fn pay(
    tx: &mut Transaction<'_>,
    app: &App,
    stay: &Stay,
    amount: Fen,
    on: Day,
    method: PaymentMethod,
) -> Result<(), DatabaseError> {
    if amount <= Fen::ZERO {
        return Ok(());
    }
    let (institution, year) = (stay.bill.institution, app.today().year());
    let sequence = pay_later::next_sequence(tx, institution, year)?;
    let payment = app.mint();
    let body = OwnSharePaid {
        payment,
        bill: stay.bill.id,
        institution,
        amount,
        method,
        year,
        sequence,
        paid_on: on,
    };
    append(tx, app, stay, (OWN_SHARE_PAID, on), &body)
}

fn follow(
    tx: &mut Transaction<'_>,
    app: &App,
    draw: &mut Draw,
    stay: &Stay,
    (course, open): (Course, Fen),
    today: Day,
) -> Result<(), DatabaseError> {
    let discharge = stay.body.discharge;
    let method = draw.early_one_of(&PaymentMethod::ALL);
    let later = discharge.plus_days(draw.between(3, 40)).min(today);
    match course {
        Course::PaidAtOnce => pay(tx, app, stay, open, discharge, method),
        Course::PaidLate => pay(tx, app, stay, open, later, method),
        Course::PaidInPart => pay(tx, app, stay, Fen(open.0 / 3), discharge, method),
        Course::NotPaid => Ok(()),
        Course::Instalments => {
            let township = kangmai_places::Divisions::shipped()
                .get(stay.bill.home.at(kangmai_base::DivisionLevel::Township))
                .map(|township| township.path_from(kangmai_base::DivisionLevel::County).concat());
            let body = DeferralAgreed {
                agreement: app.mint(),
                bill: stay.bill.id,
                agreed_on: discharge,
                amount: open,
                instalments: 3,
                first_due: discharge.plus_months(1),
                guarantor: kangmai_policy::Guarantor::TownshipGovernment.name().to_owned(),
                guarantor_name: township.unwrap_or_default(),
                reason: None,
                release: app.policies.hash().to_owned(),
            };
            append(tx, app, stay, (DEFERRAL_AGREED, discharge), &body)
        }
        Course::WriteOff => {
            let (write_off, bill, institution) = (app.mint(), stay.bill.id, stay.bill.institution);
            let reason = "主要劳动力重病，家庭无其他收入（示例）".to_owned();
            let evidence = "入户核实，低保证、诊断证明各一份（示例）".to_owned();
            let body = WriteOffAsked { write_off, bill, institution, amount: open, reason, evidence };
            append(tx, app, stay, (WRITE_OFF_ASKED, today), &body)
        }
    }
}
