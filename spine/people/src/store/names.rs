//! Names at rest: sealed to their row, found by keyed digests of their beginnings and of those of their initials.
//!
//! Who has the tables sees how often a beginning is borne, not which it is.

use kangmai_base::{DivisionCode, Uuid};
use kangmai_database::{
    ClearText, DatabaseError, InsertMany, Opener, Row, Transaction, Value, in_fifties, params,
};
use kangmai_places::person_initials;
use kangmai_seal::{LookUp, Purpose};

const NAME: Purpose = Purpose("person.name");
const NAME_BEGINNING: Purpose = Purpose("person.name_beginning");
const INITIALS_BEGINNING: Purpose = Purpose("person.initials_beginning");

/// Beginnings have at most so many characters; behind them the opened name is compared.
const LONGEST_BEGINNING: usize = 6;

const PUT_KEYS: InsertMany = InsertMany {
    table: "person_name_key",
    columns: &["name_key", "home", "person"],
    suffix: "on conflict (name_key, home, person) do nothing",
};
/// Of 50 persons at once.
const CLEAR_KEYS_OF: &str = "delete from person_name_key where person in
    ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
    $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34,
    $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48, $49, $50)";
const IN_CLEAR: &str = "select id, name, home from person where name <> '' limit $1";
/// A row that somebody wrote meanwhile is sealed by them.
const SEAL_NAME: &str = "update person set name_sealed = $2, name_digest = $3, name = '', initials = ''
    where id = $1 and name = $4";

/// Names that stood in clear.
pub(super) const NAMES_IN_CLEAR: ClearText =
    ClearText { name: "person names", seal: seal_in_clear, finish: "" };

/// Where the name stands.
pub(super) const NAME_CELL: (&str, &str) = ("person", "name_sealed");

/// The keys of the digests, for many rows.
pub(super) struct NameKeys {
    name: LookUp,
    name_beginning: LookUp,
    initials_beginning: LookUp,
}

impl NameKeys {
    pub(super) fn of(tx: &mut Transaction<'_>) -> Result<NameKeys, DatabaseError> {
        Ok(NameKeys {
            name: tx.look_up(NAME)?,
            name_beginning: tx.look_up(NAME_BEGINNING)?,
            initials_beginning: tx.look_up(INITIALS_BEGINNING)?,
        })
    }

    /// By what the whole name is found in the column `name_digest`.
    pub(super) fn whole(&self, name: &str) -> i64 {
        self.name.digest(name.as_bytes()).number()
    }

    /// By what a beginning of a name is found in the table `person_name_key`.
    pub(super) fn name_beginning(&self, beginning: &str) -> i64 {
        self.name_beginning.digest(cut(beginning).as_bytes()).number()
    }

    /// By what a beginning of a name's initials is found there.
    pub(super) fn initials_beginning(&self, beginning: &str) -> i64 {
        self.initials_beginning.digest(cut(beginning).as_bytes()).number()
    }

    fn all<'a>(&'a self, name: &'a str, initials: &'a str) -> impl Iterator<Item = i64> + 'a {
        let of_name = beginnings(name).map(|beginning| self.name_beginning(beginning));
        of_name.chain(beginnings(initials).map(|beginning| self.initials_beginning(beginning)))
    }
}

/// The first characters of what somebody types, as many as a key has.
fn cut(beginning: &str) -> &str {
    beginnings(beginning).last().unwrap_or_default()
}

fn beginnings(text: &str) -> impl Iterator<Item = &str> {
    let ends = text.char_indices().map(|(at, character)| at + character.len_utf8());
    ends.take(LONGEST_BEGINNING).map(|end| &text[..end])
}

/// Writes by what people are found whose names were written: person, home, name.
pub(super) fn put_name_keys(
    tx: &mut Transaction<'_>,
    keys: &NameKeys,
    people: &[(Uuid, DivisionCode, &str)],
) -> Result<(), DatabaseError> {
    let ids: Vec<Value> = people.iter().map(|(person, _, _)| Value::from(*person)).collect();
    for ids in in_fifties(&ids) {
        tx.execute(CLEAR_KEYS_OF, &ids)?;
    }
    let mut rows = Vec::with_capacity(6 * people.len());
    for (person, home, name) in people {
        let initials = person_initials(name);
        rows.extend(keys.all(name, &initials).map(|key| params![key, *home, *person]));
    }
    tx.insert_many(&PUT_KEYS, rows)?;
    Ok(())
}

/// The name out of the column `name_sealed` of the person whose id stands in another column of the row, both by number; empty
/// where there is none: for lists of other crates that join people.
///
/// # Errors
/// When it does not open.
pub fn read_name(
    opener: &Opener,
    row: &Row,
    (person, name): (usize, usize),
) -> Result<String, DatabaseError> {
    let Some(sealed) = row.get::<Option<Vec<u8>>>(name)? else { return Ok(String::new()) };
    Ok(opener.text(NAME_CELL, row.get(person)?, Some(sealed))?.unwrap_or_default())
}

fn seal_in_clear(tx: &mut Transaction<'_>, most: usize) -> Result<u64, DatabaseError> {
    let rows = tx.query(IN_CLEAR, &params![i64::try_from(most).unwrap_or(i64::MAX)])?;
    let keys = NameKeys::of(tx)?;
    let mut people: Vec<(Uuid, DivisionCode, String)> = Vec::with_capacity(rows.len());
    for row in &rows {
        let (person, name): (Uuid, String) = (row.get(0)?, row.get(1)?);
        let sealed = tx.sealed(NAME_CELL, person, Some(&name))?;
        if tx.execute(SEAL_NAME, &params![person, sealed, keys.whole(&name), name.as_str()])? > 0 {
            people.push((person, row.get(2)?, name));
        }
    }
    let people: Vec<_> = people.iter().map(|(person, home, name)| (*person, *home, name.as_str())).collect();
    put_name_keys(tx, &keys, &people)?;
    Ok(rows.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_beginning_up_to_the_longest() {
        let all = |text| beginnings(text).collect::<Vec<_>>();
        assert_eq!(all(""), Vec::<&str>::new());
        assert_eq!(all("王小明"), ["王", "王小", "王小明"]);
        assert_eq!(all("abcdefgh").last().copied(), Some("abcdef"));
        assert_eq!(cut("阿不都热依木·买买提"), "阿不都热依木");
        assert_eq!(cut("王"), "王");
    }
}
