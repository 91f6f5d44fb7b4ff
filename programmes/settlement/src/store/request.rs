//! Requests to settle, each with the key that its sender gave it (报文 ID): the same request twice is done once, and whoever
//! does not know what became of one asks by its key. Not a view of facts: what is under way stands here before there is one.

use kangmai_base::{Moment, Uuid};
use kangmai_database::{DatabaseError, Row, Transaction, params};
use sha2::{Digest as _, Sha256};

const BEGIN: &str = "insert into request (caller, key, digest, attempt, state, began_at)
    values ($1, $2, $3, 1, 'open', $4) on conflict (caller, key) do nothing";
const REQUEST: &str = "select digest, attempt, state, began_at, bill, answer from request
    where caller = $1 and key = $2";
/// A sender that comes again after so long begins anew; whoever was at it before can no longer finish.
const TAKE_OVER: &str = "update request set attempt = attempt + 1, began_at = $3
    where caller = $1 and key = $2 and state = 'open' and attempt = $4";
const ANSWER: &str = "update request set state = 'answered', bill = $4, answer = $5
    where caller = $1 and key = $2 and state = 'open' and attempt = $3";
const GIVE_UP: &str =
    "delete from request where caller = $1 and key = $2 and state = 'open' and attempt = $3";
const FORGET: &str = "delete from request where began_at < $1";

/// The longest key, in characters.
pub const LONGEST_KEY: usize = 64;
/// A request that is not answered after so many seconds was broken off.
const PATIENCE_SECONDS: i64 = 60;
/// Requests are kept so long: over the close of the year in which they came.
const KEPT_DAYS: i64 = 400;

/// A request as its sender names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey {
    /// The institution whose system or desk sends it, or the account if it has none.
    pub caller: Uuid,
    /// The sender's name for it: unique with the sender.
    pub key: String,
}

/// A request that is being worked on: what finishes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    key: RequestKey,
    number: i64,
}

/// What a request came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The bill that it settled or cancelled.
    pub bill: Option<Uuid>,
    /// What was answered: the sender gets the same again.
    pub answer: String,
}

/// What happens with a request that comes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// It is new: do it, then [`answer_request`] or [`give_up_request`].
    Go(Attempt),
    /// It was done: answer the same.
    Done(Answered),
    /// It is being worked on.
    InProgress,
    /// The key is taken by a request with another body.
    OtherBody,
}

/// What became of a request, for a sender that does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestState {
    /// It did not come in, or was refused, or was broken off without effect: it may be sent again.
    NotReceived,
    /// It is being worked on: ask again.
    InProgress,
    /// It was done.
    Answered(Answered),
}

/// SHA-256 over a body, in hex.
pub fn digest_of(body: &[u8]) -> String {
    Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect()
}

struct Known {
    digest: String,
    attempt: i64,
    began_at: Moment,
    /// None: it is open.
    answered: Option<Answered>,
}

fn known(tx: &mut Transaction<'_>, key: &RequestKey) -> Result<Option<Known>, DatabaseError> {
    let read = |row: Row| {
        let state: String = row.get(2)?;
        let answer: Option<String> = row.get(5)?;
        Ok(Known {
            digest: row.get(0)?,
            attempt: row.get(1)?,
            began_at: row.get(3)?,
            answered: match state.as_str() {
                "answered" => Some(Answered { bill: row.get(4)?, answer: answer.unwrap_or_default() }),
                _ => None,
            },
        })
    };
    tx.query_one(REQUEST, &params![key.caller, key.key.as_str()])?.map(read).transpose()
}

impl Known {
    fn is_broken_off(&self, now: Moment) -> bool {
        now > self.began_at.plus_seconds(PATIENCE_SECONDS)
    }
}

/// Takes a request in. To be committed before the work begins, so that whoever asks meanwhile hears that it is under way.
///
/// # Errors
/// When the database fails.
pub fn begin_request(
    tx: &mut Transaction<'_>,
    key: &RequestKey,
    digest: &str,
    now: Moment,
) -> Result<Begun, DatabaseError> {
    tx.lock(&format!("request {} {}", key.caller, key.key))?;
    tx.execute(FORGET, &params![now.plus_seconds(-KEPT_DAYS * 86_400)])?;
    if tx.execute(BEGIN, &params![key.caller, key.key.as_str(), digest, now])? > 0 {
        return Ok(Begun::Go(Attempt { key: key.clone(), number: 1 }));
    }
    let Some(known) = known(tx, key)? else { return Ok(Begun::InProgress) };
    if known.digest != digest {
        return Ok(Begun::OtherBody);
    }
    if let Some(answered) = known.answered {
        return Ok(Begun::Done(answered));
    }
    if !known.is_broken_off(now) {
        return Ok(Begun::InProgress);
    }
    tx.execute(TAKE_OVER, &params![key.caller, key.key.as_str(), now, known.attempt])?;
    Ok(Begun::Go(Attempt { key: key.clone(), number: known.attempt + 1 }))
}

/// Writes down what a request came to, in the transaction that did it. Answers whether it was still this attempt's to
/// finish; if not, that transaction must not be committed.
///
/// # Errors
/// When the database fails.
pub fn answer_request(
    tx: &mut Transaction<'_>,
    attempt: &Attempt,
    answered: &Answered,
) -> Result<bool, DatabaseError> {
    let (key, number) = (&attempt.key, attempt.number);
    let parameters = params![key.caller, key.key.as_str(), number, answered.bill, answered.answer.as_str()];
    Ok(tx.execute(ANSWER, &parameters)? > 0)
}

/// A request was refused, or failed, without effect: its key is free again.
///
/// # Errors
/// When the database fails.
pub fn give_up_request(tx: &mut Transaction<'_>, attempt: &Attempt) -> Result<(), DatabaseError> {
    let key = &attempt.key;
    tx.execute(GIVE_UP, &params![key.caller, key.key.as_str(), attempt.number])?;
    Ok(())
}

/// What became of the request with this key.
///
/// # Errors
/// When the database fails.
pub fn ask_request(
    tx: &mut Transaction<'_>,
    key: &RequestKey,
    now: Moment,
) -> Result<RequestState, DatabaseError> {
    Ok(match known(tx, key)? {
        None => RequestState::NotReceived,
        Some(Known { answered: Some(answered), .. }) => RequestState::Answered(answered),
        Some(known) if known.is_broken_off(now) => RequestState::NotReceived,
        Some(_) => RequestState::InProgress,
    })
}
