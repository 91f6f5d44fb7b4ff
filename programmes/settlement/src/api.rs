//! Settlement as an interface: what the system of a hospital sends and asks. The same intake as the desk's pages; here only
//! what is sent is read and what is answered is written.

mod answer;
mod bill;
mod day;
mod lines;
mod operations;

pub(crate) use day::reconcile;
pub(crate) use operations::{CANCEL, CORRECT, PRE_SETTLE, RECEIPT, RECONCILE, REQUEST, SETTLE};

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use kangmai_access::{Actor, audit};
use kangmai_base::{DivisionCode, Id, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_policy::InterfaceCodes;
use kangmai_programme::{App, Call};
use kangmai_record::Source;
use kangmai_web::{ApiFailure, JsonFields, Problem, Problems, read_json};
use serde_json::{Value, json};

use self::answer::{of_bill, of_trial, own_bill};
use self::bill::{BillAsked, look_up, read_bill, read_correction, read_trial};
use crate::intake::{
    NotTaken, Offered, Patient, Taken, Trial, answer_once, begin, caller, cancel_bill, correct_bill,
    settle_bill, try_bill,
};
use crate::rules::{LONGEST_NUMBER, LONGEST_REASON};
use crate::settling::Hand;
use crate::store::{
    Answered, Attempt, Begun, Bill, BillState, LONGEST_KEY, RequestKey, RequestState, ask_request, digest_of,
    known_bill,
};

/// Says that the answer is that of an earlier request with the same key.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// Whoever sends while the same request is under way is told to come again after so many seconds.
const COME_AGAIN_SECONDS: i64 = 2;

fn codes(call: &Call) -> Option<&InterfaceCodes> {
    call.app.policies.interface(call.reach.place(), call.today)
}

fn hand(call: &Call) -> Hand<'_> {
    Hand { app: &call.app, actor: &call.actor, now: call.app.clock.now(), source: Source::Hospital }
}

fn in_json(text: String, is_replayed: bool) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if is_replayed {
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
    }
    (headers, text).into_response()
}

/// POST pre-settle: every layer, and nothing is written.
pub(crate) async fn pre_settle(call: Call, body: Bytes) -> Result<Response, ApiFailure> {
    let asked = read_trial(&read_json(&body)?, codes(&call))?;
    let (app, actor) = (call.app.clone(), call.actor.clone());
    let number = asked.draft.number.clone();
    let tried = app.database.read(move |tx| {
        let (patient, offered) = look_up(tx, &call, &asked)??;
        let received = offered.received(&call.app.policies, call.app.mint(), &patient);
        let trial =
            try_bill(tx, &call.app, &patient, received)?.map_err(|refusal| refused(refusal.into()))?;
        Ok::<_, ApiFailure>((patient, of_trial(&call, asked.draft.setting, &trial)))
    });
    let (patient, said) = tried.await?;
    note_read(&app, actor, patient.id, patient.home, number).await?;
    Ok(in_json(said.to_string(), false))
}

/// Writes down that the client was told of somebody: what they are entitled to, or what was settled.
async fn note_read(
    app: &App,
    actor: Actor,
    person: Uuid,
    home: DivisionCode,
    about: String,
) -> Result<(), DatabaseError> {
    let (id, now) = (app.mint(), app.clock.now());
    let note = move |tx: &mut Transaction<'_>| {
        audit(tx, id, now, &actor, "read_person", Some(person), home, &about, "done")
    };
    app.database.write(note).await
}

/// Writes down what a client changed, in the transaction of the change.
fn note_change(
    tx: &mut Transaction<'_>,
    call: &Call,
    action: &'static str,
    (person, home): (Uuid, DivisionCode),
    number: &str,
) -> Result<(), DatabaseError> {
    let (id, now) = (call.app.mint(), call.app.clock.now());
    audit(tx, id, now, &call.actor, action, Some(person), home, number, "done")
}

/// POST settle: takes the bill in and settles the year, once for each key.
pub(crate) async fn settle(call: Call, body: Bytes) -> Result<Response, ApiFailure> {
    let sent = read_json(&body)?;
    let asked = read_bill(&sent, codes(&call))?;
    once(call, "settle", &sent, move |tx, call| {
        take(tx, call, &asked, |tx, patient, offered| {
            settle_bill(tx, &hand(call), patient, offered, asked.expected)
        })
    })
    .await
}

/// POST correct: what is said now replaces the bill of that number.
pub(crate) async fn correct(call: Call, body: Bytes) -> Result<Response, ApiFailure> {
    let sent = read_json(&body)?;
    let (asked, reason) = read_correction(&sent, codes(&call))?;
    once(call, "correct", &sent, move |tx, call| {
        take(tx, call, &asked, |tx, patient, offered| {
            correct_bill(tx, &hand(call), patient, offered, (&reason, asked.expected))
        })
    })
    .await
}

/// What the work of a request comes to: its bill and the answer, or why not. A refusal leaves nothing written.
type Worked = Result<Result<(Option<Uuid>, Value), ApiFailure>, DatabaseError>;

fn take(
    tx: &mut Transaction<'_>,
    call: &Call,
    asked: &BillAsked,
    work: impl FnOnce(&mut Transaction<'_>, &Patient, &Offered) -> Result<Result<Taken, NotTaken>, DatabaseError>,
) -> Worked {
    let (patient, offered) = match look_up(tx, call, asked)? {
        Ok(found) => found,
        Err(failure) => return Ok(Err(failure)),
    };
    match work(tx, &patient, &offered)? {
        Ok(taken) => {
            note_change(tx, call, "settle", (patient.id, patient.home), &asked.draft.number)?;
            let said = written(tx, call, taken.bill, Some(&taken.trial))?;
            Ok(Ok((Some(taken.bill), said)))
        }
        Err(not) => Ok(Err(refused(not))),
    }
}

/// The answer about a bill that was just written.
fn written(
    tx: &mut Transaction<'_>,
    call: &Call,
    id: Uuid,
    trial: Option<&Trial>,
) -> Result<Value, DatabaseError> {
    match own_bill(tx, call, id)? {
        Some(bill) => of_bill(tx, call, &bill, trial),
        None => Err(DatabaseError::Refused("a bill is not there after it was written".into())),
    }
}

/// POST cancel: the bill of that number or identifier, with a reason.
pub(crate) async fn cancel(call: Call, body: Bytes) -> Result<Response, ApiFailure> {
    let sent = read_json(&body)?;
    let (id, number, reason) = read_cancel(&sent)?;
    once(call, "cancel", &sent, move |tx, call| cancel_asked(tx, call, id, number.as_deref(), &reason)).await
}

/// Identifier or number, and reason.
fn read_cancel(sent: &Value) -> Result<(Option<Uuid>, Option<String>, String), ApiFailure> {
    let problems = Problems::default();
    let fields = JsonFields::of(sent, &problems);
    let id = fields.parsed::<Id<()>>("bill", 40, "settlement.refused.not_an_identifier").map(Id::uuid);
    let number = fields.text_maybe("number", LONGEST_NUMBER);
    if !fields.has("bill") && !fields.has("number") {
        fields.refuse("number", Refusal::new("web.api.missing"));
    }
    let reason = fields.text("reason", LONGEST_REASON);
    fields.finish();
    match reason {
        Some(reason) if problems.is_empty() => Ok((id, number, reason)),
        _ => Err(problems.into_failure()),
    }
}

fn cancel_asked(
    tx: &mut Transaction<'_>,
    call: &Call,
    id: Option<Uuid>,
    number: Option<&str>,
    reason: &str,
) -> Worked {
    let found = match (id, number, call.actor.institution) {
        (Some(id), _, _) => Some(id),
        (None, Some(number), Some(own)) => known_bill(tx, own, number)?.map(|known| known.id),
        _ => None,
    };
    let bill = match found {
        Some(id) => own_bill(tx, call, id)?,
        None => None,
    };
    // Named by both, it must be the same.
    let bill = bill.filter(|bill| number.is_none_or(|number| number == bill.number));
    let field = if id.is_some() { "bill" } else { "number" };
    let gone = || refused(Refusal::new("settlement.refused.cancelled_already").at(field).into());
    let Some(bill) = bill else {
        return Ok(Err(refused(Refusal::new("settlement.refused.unknown_bill").at(field).into())));
    };
    if bill.state == BillState::Cancelled {
        return Ok(Err(gone()));
    }
    let changed = match cancel_bill(tx, &hand(call), &call.reach, &bill, reason)? {
        Ok(Some(changed)) => changed,
        Ok(None) => return Ok(Err(gone())),
        Err(refusal) => return Ok(Err(refused(refusal.into()))),
    };
    note_change(tx, call, "cancel", (bill.person, bill.home), &bill.number)?;
    let mut said = written(tx, call, bill.id, None)?;
    said["settled_again"] = json!(changed);
    Ok(Ok((Some(bill.id), said)))
}

/// Does a request once: the same key with the same body is answered the same.
async fn once(
    call: Call,
    operation: &str,
    sent: &Value,
    work: impl FnOnce(&mut Transaction<'_>, &Call) -> Worked + Send + 'static,
) -> Result<Response, ApiFailure> {
    let attempt = match begun(&call, operation, sent).await? {
        Ok(attempt) => attempt,
        Err(answered) => return Ok(in_json(answered.answer, true)),
    };
    let app = call.app.clone();
    let done = answer_once(&app, attempt, move |tx| {
        let answered = |(bill, said): (Option<Uuid>, Value)| Answered { bill, answer: said.to_string() };
        Ok(work(tx, &call)?.map(answered))
    });
    Ok(in_json(done.await??.answer, false))
}

/// Takes a request in; `Err`: it was answered already. The digest is over what was said, not over its spaces and the order of
/// its fields, which a sender may not keep from one time to the next.
async fn begun(call: &Call, operation: &str, sent: &Value) -> Result<Result<Attempt, Answered>, ApiFailure> {
    let key = call.key(LONGEST_KEY)?;
    let digest = digest_of(format!("{operation}\n{sent}").as_bytes());
    match begin(&call.app, &call.actor, key, digest).await? {
        Begun::Go(attempt) => Ok(Ok(attempt)),
        Begun::Done(answered) => {
            let (client, asked) = (call.clone(), answered.clone());
            let about = call.app.database.read(move |tx| about(tx, &client, &asked)).await?;
            if matches!(about, About::Others) { Err(ApiFailure::not_found()) } else { Ok(Err(answered)) }
        }
        Begun::InProgress => {
            let problem = Problem::new(Refusal::new("settlement.api.in_progress"))
                .mending("settlement.api.mend.ask_again");
            Err(ApiFailure::new(StatusCode::CONFLICT, problem).after(COME_AGAIN_SECONDS))
        }
        Begun::OtherBody => {
            let problem = Problem::new(Refusal::new("settlement.api.other_body"))
                .mending("settlement.api.mend.new_key");
            Err(ApiFailure::all(vec![problem]))
        }
    }
}

/// Why a bill is not taken, with its status and what the sender does next.
fn refused(not: NotTaken) -> ApiFailure {
    let refusal = match not {
        NotTaken::Refused(refusal) => refusal,
        NotTaken::Moved(trial) => Refusal::new("settlement.refused.own_share_moved")
            .with("own", trial.settled.own.grouped())
            .at("expected_own_share"),
    };
    let (status, mend) = match refusal.key {
        "settlement.refused.unknown_bill" => (StatusCode::NOT_FOUND, None),
        "settlement.refused.known" => (StatusCode::CONFLICT, Some("settlement.api.mend.correct")),
        "settlement.refused.year_closed" => (StatusCode::CONFLICT, Some("settlement.api.mend.bureau")),
        "settlement.refused.cancelled_already" => {
            (StatusCode::CONFLICT, Some("settlement.api.mend.settle_anew"))
        }
        "settlement.refused.other_person" | "settlement.refused.other_year" => {
            (StatusCode::CONFLICT, Some("settlement.api.mend.cancel_first"))
        }
        "settlement.refused.own_share_moved" => {
            (StatusCode::CONFLICT, Some("settlement.api.mend.pre_settle"))
        }
        _ => (StatusCode::UNPROCESSABLE_ENTITY, None),
    };
    let problem = Problem::new(refusal);
    ApiFailure::new(
        status,
        match mend {
            Some(mend) => problem.mending(mend),
            None => problem,
        },
    )
}

/// Whom an answer is about.
enum About {
    Nobody,
    Bill(Box<Bill>),
    /// Somebody whom this client does not reach, though another of the institution did.
    Others,
}

fn about(tx: &mut Transaction<'_>, call: &Call, answered: &Answered) -> Result<About, DatabaseError> {
    let Some(bill) = answered.bill else { return Ok(About::Nobody) };
    Ok(own_bill(tx, call, bill)?.map_or(About::Others, |bill| About::Bill(Box::new(bill))))
}

/// GET a request by its key, for a sender that does not know what became of it.
pub(crate) async fn request(call: Call, Path(key): Path<String>) -> Result<Response, ApiFailure> {
    let key = Call::named(key.as_bytes(), LONGEST_KEY)?;
    let asked = RequestKey { caller: caller(&call.actor), key: key.clone() };
    let now = call.app.clock.now();
    let (app, actor) = (call.app.clone(), call.actor.clone());
    let found = app.database.read(move |tx| {
        let state = ask_request(tx, &asked, now)?;
        let about = match &state {
            RequestState::Answered(answered) => Some(about(tx, &call, answered)?),
            _ => None,
        };
        Ok::<_, DatabaseError>((state, about))
    });
    let (state, about) = found.await?;
    match about {
        None | Some(About::Nobody) => {}
        Some(About::Bill(bill)) => note_read(&app, actor, bill.person, bill.home, bill.number).await?,
        Some(About::Others) => return Err(ApiFailure::not_found()),
    }
    let (state, answered) = match state {
        RequestState::NotReceived => ("not_received", None),
        RequestState::InProgress => ("in_progress", None),
        RequestState::Answered(answered) => ("answered", Some(answered)),
    };
    // A desk's request was answered by a page, not by an object.
    let answer = answered.as_ref().and_then(|answered| serde_json::from_str::<Value>(&answered.answer).ok());
    let said = json!({
        "key": key,
        "state": state,
        "bill": answered.as_ref().and_then(|answered| answered.bill),
        "answer": answer.filter(Value::is_object),
    });
    Ok(in_json(said.to_string(), false))
}

/// GET the receipt of a bill of the client's own institution, as it stands.
pub(crate) async fn receipt(call: Call, Path(id): Path<String>) -> Result<Response, ApiFailure> {
    let id = id.parse::<Id<()>>().map_err(|_| ApiFailure::not_found())?.uuid();
    let (app, actor) = (call.app.clone(), call.actor.clone());
    let found = app.database.read(move |tx| {
        let Some(bill) = own_bill(tx, &call, id)? else { return Ok(None) };
        let said = of_bill(tx, &call, &bill, None)?;
        Ok::<_, DatabaseError>(Some((bill, said)))
    });
    let (bill, said) = found.await?.ok_or_else(ApiFailure::not_found)?;
    note_read(&app, actor, bill.person, bill.home, bill.number).await?;
    Ok(in_json(said.to_string(), false))
}
