//! Identity and telephone numbers at rest: sealed to their row, found by keyed digests.
//!
//! A whole number is found by all 32 bytes of its digest, so nothing else is. The last four characters are found by
//! 64 bits of another: of ten thousand, none meets another by chance.

use kangmai_base::{IdNumber, Phone, Uuid};
use kangmai_database::{ClearText, DatabaseError, Opener, SealedTable, Transaction, Value, params};
use kangmai_seal::{LookUp, Purpose};

use super::names::NAMES_IN_CLEAR;

const ID_NUMBER: Purpose = Purpose("person.id_number");
const LAST_FOUR: Purpose = Purpose("person.last_four");
const PHONE: Purpose = Purpose("person.phone");
const PHONE_TAIL: Purpose = Purpose("person.phone_tail");

/// A digest without a key over a row that holds a number tells the number to whoever tries all that it can be.
const IN_CLEAR: &str = "select id, id_number, phone from person
    where id_number is not null or phone is not null or digest <> 0 limit $1";
/// A row that somebody wrote meanwhile is sealed by them.
const SEAL_NUMBERS: &str =
    "update person set id_number_sealed = $2, id_number_digest = $3, last_four_digest = $4,
    phone_sealed = $5, phone_digest = $6, phone_tail_digest = $7,
    id_number = null, last_four = null, phone = null, phone_tail = null, digest = 0
    where id = $1 and id_number is not distinct from $8 and phone is not distinct from $9";

/// What is sealed of people.
pub const SEALED: &[SealedTable] = &[SealedTable {
    table: "person",
    id: "id",
    columns: &["name_sealed", "id_number_sealed", "phone_sealed"],
}];

/// Numbers and names that stood in clear.
pub const CLEAR_TEXT: &[ClearText] =
    &[ClearText { name: "person numbers", seal: seal_in_clear, finish: "" }, NAMES_IN_CLEAR];

/// Where the identity number stands.
pub(super) const ID_NUMBER_CELL: (&str, &str) = ("person", "id_number_sealed");
/// Where the telephone number stands.
pub(super) const PHONE_CELL: (&str, &str) = ("person", "phone_sealed");

/// The keys of all four digests, for many rows.
pub(super) struct NumberKeys {
    id_number: LookUp,
    last_four: LookUp,
    phone: LookUp,
    phone_tail: LookUp,
}

impl NumberKeys {
    pub(super) fn of(tx: &mut Transaction<'_>) -> Result<NumberKeys, DatabaseError> {
        Ok(NumberKeys {
            id_number: tx.look_up(ID_NUMBER)?,
            last_four: tx.look_up(LAST_FOUR)?,
            phone: tx.look_up(PHONE)?,
            phone_tail: tx.look_up(PHONE_TAIL)?,
        })
    }

    /// By what a person with this identity number is found.
    pub(super) fn id_number_digest(&self, number: &IdNumber) -> Vec<u8> {
        self.id_number.digest(number.as_str().as_bytes()).bytes().to_vec()
    }

    /// The identity number of a row, sealed, its digest and that of its end.
    pub(super) fn id_number(
        &self,
        tx: &mut Transaction<'_>,
        person: Uuid,
        number: Option<&IdNumber>,
    ) -> Result<[Value; 3], DatabaseError> {
        let Some(number) = number else { return Ok([Value::Null, Value::Null, Value::Null]) };
        Ok([
            tx.sealed(ID_NUMBER_CELL, person, Some(number.as_str()))?,
            Value::Bytes(self.id_number_digest(number)),
            Value::Int(self.last_four.digest(number.last_four().as_bytes()).number()),
        ])
    }

    /// The telephone number of a row, sealed, its digest and that of its end.
    pub(super) fn phone(
        &self,
        tx: &mut Transaction<'_>,
        person: Uuid,
        phone: Option<&Phone>,
    ) -> Result<[Value; 3], DatabaseError> {
        let Some(phone) = phone else { return Ok([Value::Null, Value::Null, Value::Null]) };
        Ok([
            tx.sealed(PHONE_CELL, person, Some(phone.as_str()))?,
            Value::Bytes(self.phone.digest(phone.as_str().as_bytes()).bytes().to_vec()),
            Value::Int(self.phone_tail.digest(phone.last_four().as_bytes()).number()),
        ])
    }
}

/// By what a person with this identity number is found in the column `id_number_digest`. `number` is as
/// [`IdNumber::read`] leaves it.
///
/// # Errors
/// When there are no keys.
pub fn id_number_digest(tx: &mut Transaction<'_>, number: &str) -> Result<Value, DatabaseError> {
    Ok(Value::Bytes(tx.digest(ID_NUMBER, number.as_bytes())?.bytes().to_vec()))
}

/// By what people whose identity number ends so are found in the column `last_four_digest`.
pub(super) fn last_four_digest(tx: &mut Transaction<'_>, tail: &str) -> Result<Value, DatabaseError> {
    Ok(Value::Int(tx.digest(LAST_FOUR, tail.as_bytes())?.number()))
}

/// By what people with this telephone number are found in the column `phone_digest`.
pub(super) fn phone_digest(tx: &mut Transaction<'_>, phone: &Phone) -> Result<Value, DatabaseError> {
    Ok(Value::Bytes(tx.digest(PHONE, phone.as_str().as_bytes())?.bytes().to_vec()))
}

/// By what people whose telephone number ends so are found in the column `phone_tail_digest`.
pub(super) fn phone_tail_digest(tx: &mut Transaction<'_>, tail: &str) -> Result<Value, DatabaseError> {
    Ok(Value::Int(tx.digest(PHONE_TAIL, tail.as_bytes())?.number()))
}

/// The telephone number out of the column `phone_sealed` of a person: for lists of other crates that join people.
///
/// # Errors
/// When it does not open.
pub fn open_phone(
    opener: &Opener,
    person: Uuid,
    sealed: Option<Vec<u8>>,
) -> Result<Option<Phone>, DatabaseError> {
    Ok(opener.text(PHONE_CELL, person, sealed)?.as_deref().and_then(Phone::read))
}

fn seal_in_clear(tx: &mut Transaction<'_>, most: usize) -> Result<u64, DatabaseError> {
    let rows = tx.query(IN_CLEAR, &params![i64::try_from(most).unwrap_or(i64::MAX)])?;
    let keys = NumberKeys::of(tx)?;
    for row in &rows {
        let person: Uuid = row.get(0)?;
        let (number_text, phone_text): (Option<String>, Option<String>) = (row.get(1)?, row.get(2)?);
        let number = number_text.as_deref().and_then(IdNumber::read);
        let phone = phone_text.as_deref().and_then(Phone::read);
        let [sealed, digest, last_four] = keys.id_number(tx, person, number.as_ref())?;
        let [phone_sealed, phone_digest, phone_tail] = keys.phone(tx, person, phone.as_ref())?;
        let sealed = params![
            person,
            sealed,
            digest,
            last_four,
            phone_sealed,
            phone_digest,
            phone_tail,
            number_text,
            phone_text
        ];
        tx.execute(SEAL_NUMBERS, &sealed)?;
    }
    Ok(rows.len() as u64)
}
