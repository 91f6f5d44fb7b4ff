//! What a phone exported that finds no network any more: its outbox as it lies there, sealed. It is opened by the data key,
//! which the server keeps sealed, and handed in on the same way as a push.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kangmai_access::{Actor, Phone, PhoneHolder, Purpose, audit, phone_with_data_key, reach};
use kangmai_base::{Id, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_programme::App;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use serde::Deserialize;

use crate::push::{MOST_FACTS, MOST_SEQUENCE, Numbered, take_from};

/// The form of the file that is read here.
const FORM: u32 = 1;
/// Entries of a file at most.
const MOST_ENTRIES: usize = 100_000;

/// Why a file is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OutboxFault {
    /// It is no export of the field app.
    #[error(
        "this is no sealed export of the field app (kangmai-….json): ask for the file as the phone saved it"
    )]
    NoExport,
    /// A newer app wrote it.
    #[error("a newer field app wrote this file: update this program")]
    Newer,
    /// It has too many entries.
    #[error("the file has more than {MOST_ENTRIES} entries")]
    TooMany,
    /// The phone is not registered here.
    #[error("this installation has no such phone: was it registered with another?")]
    UnknownPhone,
}

#[derive(Debug, Deserialize)]
struct File {
    form: u32,
    phone: Uuid,
    entries: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    sequence: i64,
    chain: String,
    sealed: String,
}

#[derive(Debug, Deserialize)]
struct Opened {
    text: String,
}

/// What was answered for one number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The number.
    pub sequence: i64,
    /// `accepted`, `duplicate`, `parked` or `rejected`.
    pub outcome: &'static str,
    /// Why, if it is not in the record.
    pub refusal: Option<Refusal>,
}

/// What became of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutboxRead {
    /// The account whose phone it is, by name.
    pub whose: String,
    /// What was answered, by number.
    pub receipts: Vec<Receipt>,
    /// The numbers that do not open: damaged, or not of this phone.
    pub unopened: Vec<i64>,
}

/// Opens an export and hands its facts in, in their order; each batch is committed before it is answered for.
///
/// # Errors
/// The inner [`OutboxFault`] when it is no export of a phone of this installation; then nothing was handed in.
pub fn read_outbox(app: &App, text: &str) -> Result<Result<OutboxRead, OutboxFault>, DatabaseError> {
    let Ok(file) = serde_json::from_str::<File>(text) else { return Ok(Err(OutboxFault::NoExport)) };
    if file.form > FORM {
        return Ok(Err(OutboxFault::Newer));
    }
    if file.entries.len() > MOST_ENTRIES {
        return Ok(Err(OutboxFault::TooMany));
    }
    let (id, now) = (Id::<Phone>::from_uuid(file.phone), app.clock.now());
    let found = app.database.read_blocking(move |tx| phone_with_data_key(tx, id, now))?;
    let Some((holder, data_key)) = found else { return Ok(Err(OutboxFault::UnknownPhone)) };
    let Some(key) = key_of(&data_key) else { return Ok(Err(OutboxFault::UnknownPhone)) };
    let mut read = OutboxRead { whose: holder.actor.name.clone(), ..OutboxRead::default() };
    let mut facts = Vec::new();
    for entry in file.entries {
        match opened(&key, &entry) {
            Some(fact) => facts.push(Numbered { sequence: entry.sequence, chain: entry.chain, fact }),
            None => read.unopened.push(entry.sequence),
        }
    }
    facts.sort_by_key(|fact| fact.sequence);
    while !facts.is_empty() {
        let rest = facts.split_off(facts.len().min(MOST_FACTS));
        let some = std::mem::replace(&mut facts, rest);
        let (by, holder) = (app.clone(), holder.clone());
        let write = move |tx: &mut Transaction<'_>| hand_in(tx, &by, &holder, &some);
        read.receipts.extend(app.database.write_blocking(write)?);
    }
    Ok(Ok(read))
}

fn hand_in(
    tx: &mut Transaction<'_>,
    app: &App,
    holder: &PhoneHolder,
    facts: &[Numbered],
) -> Result<Vec<Receipt>, DatabaseError> {
    let now = app.clock.now();
    let may = !holder.is_wiped && !holder.is_barred;
    let reach = reach(&holder.actor, Purpose::RecordVisits).filter(|_| may);
    let (decided, _) = take_from(tx, app, (holder, reach.as_ref()), facts, now)?;
    let (count, place) = (facts.len().to_string(), holder.actor.place);
    let phone = Some(holder.phone.uuid());
    audit(tx, app.mint(), now, &Actor::system(), "outbox_read", phone, place, &count, "done")?;
    let receipt = |(sequence, one): (i64, crate::push::Decided)| Receipt {
        sequence,
        outcome: one.outcome,
        refusal: one.refusal,
    };
    Ok(decided.into_iter().map(receipt).collect())
}

fn key_of(data_key: &str) -> Option<LessSafeKey> {
    let pairs = data_key.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Vec<u8> = pairs.map(byte).collect::<Option<_>>()?;
    UnboundKey::new(&AES_256_GCM, &bytes).ok().map(LessSafeKey::new)
}

/// The text of an entry: AES-256-GCM with the nonce before it, sealed to its number.
fn opened(key: &LessSafeKey, entry: &Entry) -> Option<String> {
    if !(1..=MOST_SEQUENCE).contains(&entry.sequence) {
        return None;
    }
    let whole = STANDARD.decode(&entry.sealed).ok()?;
    let (nonce, sealed) = whole.split_at_checked(NONCE_LEN)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let mut bytes = sealed.to_vec();
    let place = format!("outbox/{}", entry.sequence);
    let plain = key.open_in_place(nonce, Aad::from(place.as_bytes()), &mut bytes).ok()?;
    serde_json::from_slice::<Opened>(plain).ok().map(|opened| opened.text)
}
