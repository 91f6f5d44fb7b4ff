//! The SQL of people.

mod forget;
mod many;
mod names;
mod numbers;

use std::collections::HashMap;

use kangmai_base::{Day, DivisionCode, IdNumber, Phone, PlaceRange, Sex, Uuid};
use kangmai_database::{DatabaseError, InsertMany, Row, Transaction, Value, in_fifties, params};
use kangmai_places::person_initials;

pub use self::forget::{forget_household, forget_person, headed_by};
pub use self::many::find_persons;
pub use self::names::read_name;
use self::names::{NAME_CELL, NameKeys, put_name_keys};
pub use self::numbers::{CLEAR_TEXT, SEALED, id_number_digest, open_phone};
use self::numbers::{
    ID_NUMBER_CELL, NumberKeys, PHONE_CELL, last_four_digest, phone_digest, phone_tail_digest,
};

use crate::{
    Enrolment, Household, HouseholdBody, HouseholdId, Label, LabelInterval, Mark, Person, PersonBody,
    PersonId, Relation,
};

const PUT_HOUSEHOLDS: InsertMany = InsertMany {
    table: "household",
    columns: &["id", "number", "place", "head", "address", "income", "income_year", "digest"],
    suffix: "on conflict (id) do update set number = excluded.number, place = excluded.place, head = excluded.head,
        address = excluded.address, income = excluded.income, income_year = excluded.income_year, digest = excluded.digest",
};
/// Names and numbers are written sealed; what stood in clear goes. `digest` is out of use: one without a key would tell a number to
/// whoever tries all that it can be.
const PUT_PERSONS: InsertMany = InsertMany {
    table: "person",
    columns: &[
        "id", "household", "relation", "name", "initials", "name_sealed", "name_digest", "id_number_sealed", "id_number_digest", "last_four_digest",
        "id_kind", "sex", "birth", "ethnicity", "home", "living", "phone_sealed", "phone_digest", "phone_tail_digest",
        "enrolment", "died_on", "marks", "digest",
    ],
    suffix: "on conflict (id) do update set household = excluded.household, relation = excluded.relation,
        name = '', initials = '', name_sealed = excluded.name_sealed,
        name_digest = excluded.name_digest, id_number_sealed = excluded.id_number_sealed,
        id_number_digest = excluded.id_number_digest, last_four_digest = excluded.last_four_digest,
        id_kind = excluded.id_kind, sex = excluded.sex, birth = excluded.birth, ethnicity = excluded.ethnicity,
        home = excluded.home, living = excluded.living, phone_sealed = excluded.phone_sealed,
        phone_digest = excluded.phone_digest, phone_tail_digest = excluded.phone_tail_digest,
        enrolment = excluded.enrolment, died_on = excluded.died_on, marks = excluded.marks, digest = excluded.digest,
        id_number = null, last_four = null, phone = null, phone_tail = null",
};
const PUT_LABELS: InsertMany = InsertMany {
    table: "person_label",
    columns: &["person", "label", "from_day", "to_day", "source", "home"],
    suffix: "",
};
/// Of 50 persons at once.
const CLEAR_LABELS_OF: &str = "delete from person_label where person in
    ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
    $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34,
    $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48, $49, $50)";
const LABELS: &str = "select label, from_day, to_day, source from person_label where person = $1 order by label, from_day, to_day, source";
const HOUSEHOLD: &str =
    "select id, number, place, head, address, income, income_year from household where id = $1";
const HOUSEHOLD_BY_NUMBER: &str =
    "select id, digest from household where place = $1 and number = $2 order by id limit 1";
const PERSON: &str =
    "select id, household, relation, name_sealed, id_number_sealed, sex, birth, ethnicity, home, living, phone_sealed,
    enrolment, died_on, marks, id_number, phone, name from person where id = $1";
const MEMBERS: &str =
    "select id, household, relation, name_sealed, id_number_sealed, sex, birth, ethnicity, home, living, phone_sealed,
    enrolment, died_on, marks, id_number, phone, name from person where household = $1 order by birth, id limit 100";
const MATCH_ID_NUMBER: &str =
    "select id, household from person where id_number_digest = $1 order by id limit 2";
const MATCH_ID_NUMBERS: &str = "select id_number_digest, id from person where id_number_digest in
    ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
    $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34,
    $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48, $49, $50) order by id";
const SAME_NAME_AND_BIRTH: &str = "select id from person
    where name_digest = $1 and home between $2 and $3 and birth = $4 and same_as is null order by id limit 10";
const BY_ID_NUMBER: &str =
    "select id, household, relation, name_sealed, id_number_sealed, sex, birth, ethnicity, home, living,
    phone_sealed, enrolment, died_on, marks, id_number, phone, name from person where id_number_digest = $1 and home between $2 and $3 limit $4";
const BY_LAST_FOUR: &str =
    "select id, household, relation, name_sealed, id_number_sealed, sex, birth, ethnicity, home, living,
    phone_sealed, enrolment, died_on, marks, id_number, phone, name from person where last_four_digest = $1 and home between $2 and $3 limit $4";
const BY_PHONE_TAIL: &str =
    "select id, household, relation, name_sealed, id_number_sealed, sex, birth, ethnicity, home, living,
    phone_sealed, enrolment, died_on, marks, id_number, phone, name from person where phone_tail_digest = $1 and home between $2 and $3 limit $4";
const BY_PHONE: &str = "select id, household, relation, name_sealed, id_number_sealed, sex, birth, ethnicity, home, living,
    phone_sealed, enrolment, died_on, marks, id_number, phone, name from person where phone_digest = $1 and home between $2 and $3
    limit $4";
const BY_NAME: &str = "select id, household, relation, name_sealed, id_number_sealed, sex, birth, ethnicity, home, living,
    phone_sealed, enrolment, died_on, marks, id_number, phone, name from person where name_digest = $1 and home between $2 and $3
    order by home, id limit $4";
const BY_BEGINNING: &str =
    "select person.id, household, relation, name_sealed, id_number_sealed, sex, birth, ethnicity, person.home, living,
    phone_sealed, enrolment, died_on, marks, id_number, phone, name from person_name_key join person on person.id = person_name_key.person
    where name_key = $1 and person_name_key.home between $2 and $3 order by person_name_key.home, person_name_key.person limit $4";
const PEOPLE_AT: &str =
    "select id, household, relation, name_sealed, id_number_sealed, sex, birth, ethnicity, home, living, phone_sealed,
    enrolment, died_on, marks, id_number, phone, name from person
    where home between $1 and $2 and died_on is null and same_as is null
    order by home, household, id limit $3 offset $4";
const COUNT_PEOPLE: &str = "select count(*), count(distinct household) from person
    where home between $1 and $2 and died_on is null and same_as is null";
/// By two indexes alone: of a million rows it takes a tenth of what it takes to look at each.
const COUNT_LIVING: &str = "select (select count(*) from person where home between $1 and $2)
    - (select count(*) from person where home between $1 and $2 and (died_on is not null or same_as is not null))";
const WITH_LABEL: &str =
    "select person.id, household, relation, name_sealed, id_number_sealed, sex, birth, ethnicity, person.home, living,
    phone_sealed, enrolment, died_on, marks, id_number, phone, name from person_label join person on person.id = person_label.person
    where label = $1 and person_label.home between $2 and $3
    and (from_day is null or from_day <= $4) and (to_day is null or to_day > $4)
    and died_on is null and same_as is null
    order by person_label.home, person_label.person limit $5 offset $6";
const COUNT_WITH_LABEL: &str = "select count(*) from person_label
    where label = $1 and home between $2 and $3
    and (from_day is null or from_day <= $4) and (to_day is null or to_day > $4)
    and person not in (select id from person where home between $2 and $3
        and (died_on is not null or same_as is not null))";
const NOT_ENROLLED: &str =
    "select id, household, relation, name_sealed, id_number_sealed, sex, birth, ethnicity, home, living,
    phone_sealed, enrolment, died_on, marks, id_number, phone, name from person where home between $1 and $2
    and enrolment = 'not_enrolled' and died_on is null and same_as is null
    order by home, id limit $3 offset $4";
const COUNT_NOT_ENROLLED: &str = "select count(*) from person where home between $1 and $2
    and enrolment = 'not_enrolled' and died_on is null and same_as is null";
const MARKED: &str =
    "select id, household, relation, name_sealed, id_number_sealed, sex, birth, ethnicity, home, living,
    phone_sealed, enrolment, died_on, marks, id_number, phone, name from person where home between $1 and $2
    and marks <> '[]' and died_on is null and same_as is null order by home, id limit $3 offset $4";
const COUNT_MARKED: &str = "select count(*) from person where home between $1 and $2
    and marks <> '[]' and died_on is null and same_as is null";
const ALIKE: &str =
    "select person.id, person.home, household.number, person.id_number_digest is not null from person
    join household on household.id = person.household
    where person.name_digest = $1 and person.birth is not distinct from $2
    and (person.id_kind is null or person.id_kind <> 'Valid') and person.same_as is null
    order by person.id limit 10";
const SET_SAME_AS: &str = "update person set same_as = $2 where id = $1";
const SAME_AS: &str = "select same_as from person where id = $1 and same_as is not null";
const ALIASES: &str = "select id from person where same_as = $1 order by id limit 20";

/// Writes households as they stand now: for the projection of the register.
///
/// # Errors
/// When the database fails.
pub fn put_households(tx: &mut Transaction<'_>, households: &[Household]) -> Result<(), DatabaseError> {
    let rows = last_of_each(households, |household| household.id).map(|household| {
        let body = &household.body;
        params![
            household.id,
            body.number.as_str(),
            household.place,
            body.head,
            body.address.as_deref(),
            body.income,
            body.income_year,
            body.digest(household.place),
        ]
    });
    tx.insert_many(&PUT_HOUSEHOLDS, rows)?;
    Ok(())
}

/// The last of the entries with each key: one statement must not write a row twice (PostgreSQL forbids it).
fn last_of_each<T, K: std::hash::Hash + Eq>(all: &[T], key: impl Fn(&T) -> K) -> impl Iterator<Item = &T> {
    let mut seen = std::collections::HashSet::with_capacity(all.len());
    let mut last: Vec<&T> = all.iter().rev().filter(|one| seen.insert(key(one))).collect();
    last.reverse();
    last.into_iter()
}

/// Writes persons and their labels as they stand now: for the projection of the register.
///
/// # Errors
/// When the database fails.
pub fn put_persons(tx: &mut Transaction<'_>, persons: &[Person]) -> Result<(), DatabaseError> {
    let last: Vec<&Person> = last_of_each(persons, |person| person.id).collect();
    let ids: Vec<Value> = last.iter().map(|person| Value::from(person.id)).collect();
    for ids in in_fifties(&ids) {
        tx.execute(CLEAR_LABELS_OF, &ids)?;
    }
    let keys = (NameKeys::of(tx)?, NumberKeys::of(tx)?);
    let rows: Vec<[Value; 23]> =
        last.iter().map(|person| person_row(tx, &keys, person)).collect::<Result<_, _>>()?;
    tx.insert_many(&PUT_PERSONS, rows)?;
    let named: Vec<_> =
        last.iter().map(|person| (person.id.uuid(), person.home, person.body.name.as_str())).collect();
    put_name_keys(tx, &keys.0, &named)?;
    let labels = last.iter().flat_map(|person| {
        person.body.labels.iter().map(|interval| {
            params![
                person.id,
                interval.label.key(),
                interval.from,
                interval.to,
                interval.source.as_str(),
                person.home,
            ]
        })
    });
    tx.insert_many(&PUT_LABELS, labels)?;
    Ok(())
}

fn person_row(
    tx: &mut Transaction<'_>,
    (names, keys): &(NameKeys, NumberKeys),
    person: &Person,
) -> Result<[Value; 23], DatabaseError> {
    let (id, body) = (person.id.uuid(), &person.body);
    let number = body.id_number.as_ref();
    let [number_sealed, number_digest, last_four] = keys.id_number(tx, id, number)?;
    let [phone_sealed, phone_digest, phone_tail] = keys.phone(tx, id, body.phone.as_ref())?;
    Ok(params![
        id,
        body.household,
        body.relation.map(Relation::key),
        "",
        "",
        tx.sealed(NAME_CELL, id, Some(&body.name))?,
        names.whole(&body.name),
        number_sealed,
        number_digest,
        last_four,
        number.map(|number| format!("{:?}", number.kind())),
        body.sex.map(sex_key),
        body.birth,
        body.ethnicity.as_deref(),
        person.home,
        body.living,
        phone_sealed,
        phone_digest,
        phone_tail,
        body.enrolment.map(Enrolment::key),
        body.died_on,
        marks_text(&body.marks)?,
        OUT_OF_USE,
    ])
}

/// What stands in the column `digest`.
const OUT_OF_USE: i64 = 0;

fn marks_text(marks: &[Mark]) -> Result<String, DatabaseError> {
    serde_json::to_string(marks).map_err(|_| DatabaseError::Refused("marks cannot be written".into()))
}

const fn sex_key(sex: Sex) -> &'static str {
    match sex {
        Sex::Male => "male",
        Sex::Female => "female",
    }
}

fn read_household(row: &Row) -> Result<Household, DatabaseError> {
    Ok(Household {
        id: row.get(0)?,
        place: row.get(2)?,
        body: HouseholdBody {
            number: row.get(1)?,
            head: row.get(3)?,
            address: row.get(4)?,
            income: row.get(5)?,
            income_year: row.get(6)?,
        },
    })
}

/// A person without labels: those are read apart. What is not sealed yet stands in clear.
fn read_person(tx: &mut Transaction<'_>, row: &Row) -> Result<Person, DatabaseError> {
    let id: Uuid = row.get(0)?;
    let number = match row.get(4)? {
        Some(sealed) => tx.opened(ID_NUMBER_CELL, id, Some(sealed))?,
        None => row.get(14)?,
    };
    let phone = match row.get(10)? {
        Some(sealed) => tx.opened(PHONE_CELL, id, Some(sealed))?,
        None => row.get(15)?,
    };
    let name = match row.get(3)? {
        Some(sealed) => tx.opened(NAME_CELL, id, Some(sealed))?.unwrap_or_default(),
        None => row.get(16)?,
    };
    let relation: Option<String> = row.get(2)?;
    let sex: Option<String> = row.get(5)?;
    let enrolment: Option<String> = row.get(11)?;
    let marks: String = row.get(13)?;
    Ok(Person {
        id: PersonId::from_uuid(id),
        home: row.get(8)?,
        body: PersonBody {
            household: row.get(1)?,
            relation: relation.as_deref().and_then(Relation::of_key),
            name,
            id_number: number.as_deref().and_then(IdNumber::read),
            sex: sex.map(|sex| if sex == "male" { Sex::Male } else { Sex::Female }),
            birth: row.get(6)?,
            ethnicity: row.get(7)?,
            living: row.get(9)?,
            phone: phone.as_deref().and_then(Phone::read),
            enrolment: enrolment.as_deref().and_then(Enrolment::of_key),
            died_on: row.get(12)?,
            marks: serde_json::from_str(&marks)
                .map_err(|_| DatabaseError::WrongType { column: 13, expected: "marks" })?,
            labels: Vec::new(),
        },
    })
}

fn read_label(row: &Row) -> Result<LabelInterval, DatabaseError> {
    let key: String = row.get(0)?;
    let label = Label::of_key(&key).ok_or(DatabaseError::WrongType { column: 0, expected: "label" })?;
    Ok(LabelInterval { label, from: row.get(1)?, to: row.get(2)?, source: row.get(3)? })
}

fn with_labels(tx: &mut Transaction<'_>, mut person: Person) -> Result<Person, DatabaseError> {
    for row in tx.query(LABELS, &params![person.id])? {
        person.body.labels.push(read_label(&row)?);
    }
    person.body.labels.sort();
    Ok(person)
}

fn people(tx: &mut Transaction<'_>, sql: &str, params: &[Value]) -> Result<Vec<Person>, DatabaseError> {
    let rows = tx.query(sql, params)?;
    let read = |row| {
        let person = read_person(tx, row)?;
        with_labels(tx, person)
    };
    rows.iter().map(read).collect()
}

/// A household, wherever it is: the caller asks access whether `place` is within reach.
///
/// # Errors
/// When the database fails.
pub fn find_household(tx: &mut Transaction<'_>, id: HouseholdId) -> Result<Option<Household>, DatabaseError> {
    tx.query_one(HOUSEHOLD, &params![id])?.as_ref().map(read_household).transpose()
}

/// The household with `number` in the village `place`, and the digest of what the register holds of it.
///
/// # Errors
/// When the database fails.
pub fn find_household_by_number(
    tx: &mut Transaction<'_>,
    place: DivisionCode,
    number: &str,
) -> Result<Option<(HouseholdId, i64)>, DatabaseError> {
    let row = tx.query_one(HOUSEHOLD_BY_NUMBER, &params![place, number])?;
    row.map(|row| Ok((row.get(0)?, row.get(1)?))).transpose()
}

/// A person with labels, wherever they are: the caller asks access whether `home` is within reach.
///
/// # Errors
/// When the database fails.
pub fn find_person(tx: &mut Transaction<'_>, id: PersonId) -> Result<Option<Person>, DatabaseError> {
    Ok(people(tx, PERSON, &params![id])?.into_iter().next())
}

/// The members of a household with their labels, eldest first, at most 100.
///
/// # Errors
/// When the database fails.
pub fn members(tx: &mut Transaction<'_>, household: HouseholdId) -> Result<Vec<Person>, DatabaseError> {
    people(tx, MEMBERS, &params![household])
}

/// Who has this identity number: (person, household), at most two. The rule of matching: one is that person; two are for
/// somebody to look at.
///
/// # Errors
/// When the database fails.
pub fn match_id_number(
    tx: &mut Transaction<'_>,
    number: &IdNumber,
) -> Result<Vec<(PersonId, HouseholdId)>, DatabaseError> {
    let digest = id_number_digest(tx, number.as_str())?;
    let rows = tx.query(MATCH_ID_NUMBER, &params![digest])?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Who has these identity numbers, by number. The rule of matching: one is that person; two are for somebody to look at.
///
/// # Errors
/// When the database fails.
pub fn match_id_numbers(
    tx: &mut Transaction<'_>,
    numbers: &[&IdNumber],
) -> Result<HashMap<String, Vec<PersonId>>, DatabaseError> {
    let keys = NumberKeys::of(tx)?;
    let digests: HashMap<Vec<u8>, &str> =
        numbers.iter().map(|number| (keys.id_number_digest(number), number.as_str())).collect();
    let wanted: Vec<Value> = digests.keys().map(|digest| Value::Bytes(digest.clone())).collect();
    let mut found: HashMap<String, Vec<PersonId>> = HashMap::new();
    for wanted in in_fifties(&wanted) {
        for row in tx.query(MATCH_ID_NUMBERS, &wanted)? {
            let Some(number) = digests.get(&row.get::<Vec<u8>>(0)?) else { continue };
            let of_number = found.entry((*number).to_owned()).or_default();
            let person = row.get(1)?;
            if !of_number.contains(&person) {
                of_number.push(person);
            }
        }
    }
    Ok(found)
}

/// Who has the same name and birth date within `places`: candidates for a person to confirm, never merged by itself.
///
/// # Errors
/// When the database fails.
pub fn same_name_and_birth(
    tx: &mut Transaction<'_>,
    places: PlaceRange,
    name: &str,
    birth: Day,
) -> Result<Vec<PersonId>, DatabaseError> {
    let name = NameKeys::of(tx)?.whole(name);
    let params = params![name, places.first.cast_signed(), places.last.cast_signed(), birth];
    tx.query(SAME_NAME_AND_BIRTH, &params)?.iter().map(|row| row.get(0)).collect()
}

/// A record without a valid identity number that bears a name and a birth date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alike {
    /// The record.
    pub person: PersonId,
    /// Its home place.
    pub home: DivisionCode,
    /// The number of its household; empty if it stands alone.
    pub household_number: String,
    /// Whether it has a number of any kind.
    pub has_number: bool,
}

/// The records without a valid identity number that bear this name and birth date (or none, if that is `None`),
/// wherever they are; at most 10. Who has a valid number is told by that alone.
///
/// # Errors
/// When the database fails.
pub fn find_alike(
    tx: &mut Transaction<'_>,
    name: &str,
    birth: Option<Day>,
) -> Result<Vec<Alike>, DatabaseError> {
    let name = NameKeys::of(tx)?.whole(name);
    let rows = tx.query(ALIKE, &params![name, birth])?;
    rows.iter()
        .map(|row| {
            Ok(Alike {
                person: row.get(0)?,
                home: row.get(1)?,
                household_number: row.get(2)?,
                has_number: row.get(3)?,
            })
        })
        .collect()
}

/// Notes that `alias` is another record of `person`, or, with `None`, that it is not: for the projection of the
/// register. Both records stay; the alias is in no list and no figure.
///
/// # Errors
/// When the database fails.
pub fn set_same_as(
    tx: &mut Transaction<'_>,
    alias: PersonId,
    person: Option<PersonId>,
) -> Result<(), DatabaseError> {
    tx.execute(SET_SAME_AS, &params![alias, person])?;
    Ok(())
}

/// The record that `alias` is another record of, if any.
///
/// # Errors
/// When the database fails.
pub fn same_as(tx: &mut Transaction<'_>, alias: PersonId) -> Result<Option<PersonId>, DatabaseError> {
    tx.query_one(SAME_AS, &params![alias])?.map(|row| row.get(0)).transpose()
}

/// The other records of `person`.
///
/// # Errors
/// When the database fails.
pub fn aliases(tx: &mut Transaction<'_>, person: PersonId) -> Result<Vec<PersonId>, DatabaseError> {
    tx.query(ALIASES, &params![person])?.iter().map(|row| row.get(0)).collect()
}

pub(crate) fn by_id_number(
    tx: &mut Transaction<'_>,
    places: PlaceRange,
    number: &str,
    limit: i64,
) -> Result<Vec<Person>, DatabaseError> {
    let digest = id_number_digest(tx, number)?;
    people(tx, BY_ID_NUMBER, &params![digest, places.first.cast_signed(), places.last.cast_signed(), limit])
}

pub(crate) fn by_last_four(
    tx: &mut Transaction<'_>,
    places: PlaceRange,
    tail: &str,
    limit: i64,
) -> Result<Vec<Person>, DatabaseError> {
    let digest = last_four_digest(tx, tail)?;
    people(tx, BY_LAST_FOUR, &params![digest, places.first.cast_signed(), places.last.cast_signed(), limit])
}

pub(crate) fn by_phone_tail(
    tx: &mut Transaction<'_>,
    places: PlaceRange,
    tail: &str,
    limit: i64,
) -> Result<Vec<Person>, DatabaseError> {
    let digest = phone_tail_digest(tx, tail)?;
    people(tx, BY_PHONE_TAIL, &params![digest, places.first.cast_signed(), places.last.cast_signed(), limit])
}

pub(crate) fn by_phone(
    tx: &mut Transaction<'_>,
    places: PlaceRange,
    phone: &Phone,
    limit: i64,
) -> Result<Vec<Person>, DatabaseError> {
    let digest = phone_digest(tx, phone)?;
    people(tx, BY_PHONE, &params![digest, places.first.cast_signed(), places.last.cast_signed(), limit])
}

pub(crate) fn by_name(
    tx: &mut Transaction<'_>,
    places: PlaceRange,
    name: &str,
    limit: i64,
) -> Result<Vec<Person>, DatabaseError> {
    let keys = NameKeys::of(tx)?;
    let asked = params![keys.whole(name), places.first.cast_signed(), places.last.cast_signed(), limit];
    // Who is called just so comes first, however many begin so.
    let mut found = people(tx, BY_NAME, &asked)?;
    let begins = by_beginning(tx, places, keys.name_beginning(name), limit, |person| {
        person.body.name.starts_with(name)
    })?;
    let room = usize::try_from(limit).unwrap_or(0).saturating_sub(found.len());
    let longer = begins.into_iter().filter(|person| person.body.name != name);
    found.extend(longer.take(room));
    Ok(found)
}

pub(crate) fn by_initials(
    tx: &mut Transaction<'_>,
    places: PlaceRange,
    initials: &str,
    limit: i64,
) -> Result<Vec<Person>, DatabaseError> {
    let key = NameKeys::of(tx)?.initials_beginning(initials);
    by_beginning(tx, places, key, limit, |person| person_initials(&person.body.name).starts_with(initials))
}

/// Those with a key, by name: a key says only how a name begins, `fits` the rest.
fn by_beginning(
    tx: &mut Transaction<'_>,
    places: PlaceRange,
    key: i64,
    limit: i64,
    fits: impl Fn(&Person) -> bool,
) -> Result<Vec<Person>, DatabaseError> {
    let asked = params![key, places.first.cast_signed(), places.last.cast_signed(), limit];
    let mut found = people(tx, BY_BEGINNING, &asked)?;
    found.retain(fits);
    found.sort_by(|one, other| (&one.body.name, one.home).cmp(&(&other.body.name, other.home)));
    Ok(found)
}

/// The living within `places`, by place and household.
///
/// # Errors
/// When the database fails.
pub fn people_at(
    tx: &mut Transaction<'_>,
    places: PlaceRange,
    offset: i64,
    limit: i64,
) -> Result<Vec<Person>, DatabaseError> {
    people(tx, PEOPLE_AT, &params![places.first.cast_signed(), places.last.cast_signed(), limit, offset])
}

/// How many people live within `places`.
///
/// # Errors
/// When the database fails.
pub fn count_living(tx: &mut Transaction<'_>, places: PlaceRange) -> Result<i64, DatabaseError> {
    let row = tx.query_one(COUNT_LIVING, &params![places.first.cast_signed(), places.last.cast_signed()])?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// How many people live within `places`, and in how many households.
///
/// # Errors
/// When the database fails.
pub fn count_people(tx: &mut Transaction<'_>, places: PlaceRange) -> Result<(i64, i64), DatabaseError> {
    let row = tx.query_one(COUNT_PEOPLE, &params![places.first.cast_signed(), places.last.cast_signed()])?;
    row.map_or(Ok((0, 0)), |row| Ok((row.get(0)?, row.get(1)?)))
}

/// The living within `places` who are in no basic insurance.
///
/// # Errors
/// When the database fails.
pub fn people_not_enrolled(
    tx: &mut Transaction<'_>,
    places: PlaceRange,
    offset: i64,
    limit: i64,
) -> Result<Vec<Person>, DatabaseError> {
    people(tx, NOT_ENROLLED, &params![places.first.cast_signed(), places.last.cast_signed(), limit, offset])
}

/// How many of the living within `places` are in no basic insurance.
///
/// # Errors
/// When the database fails.
pub fn count_not_enrolled(tx: &mut Transaction<'_>, places: PlaceRange) -> Result<i64, DatabaseError> {
    let params = params![places.first.cast_signed(), places.last.cast_signed()];
    tx.query_one(COUNT_NOT_ENROLLED, &params)?.map_or(Ok(0), |row| row.get(0))
}

/// The living within `places` whose record has marks: something odd that nobody has looked after.
///
/// # Errors
/// When the database fails.
pub fn people_with_marks(
    tx: &mut Transaction<'_>,
    places: PlaceRange,
    offset: i64,
    limit: i64,
) -> Result<Vec<Person>, DatabaseError> {
    people(tx, MARKED, &params![places.first.cast_signed(), places.last.cast_signed(), limit, offset])
}

/// How many of the living within `places` have a record with marks.
///
/// # Errors
/// When the database fails.
pub fn count_with_marks(tx: &mut Transaction<'_>, places: PlaceRange) -> Result<i64, DatabaseError> {
    let params = params![places.first.cast_signed(), places.last.cast_signed()];
    tx.query_one(COUNT_MARKED, &params)?.map_or(Ok(0), |row| row.get(0))
}

/// The living within `places` who have `label` on `day`, by place. Intervals of one label never overlap: who writes
/// them sees to it.
///
/// # Errors
/// When the database fails.
pub fn people_with_label(
    tx: &mut Transaction<'_>,
    places: PlaceRange,
    (label, day): (Label, Day),
    offset: i64,
    limit: i64,
) -> Result<Vec<Person>, DatabaseError> {
    let (first, last) = (places.first.cast_signed(), places.last.cast_signed());
    people(tx, WITH_LABEL, &params![label.key(), first, last, day, limit, offset])
}

/// How many of the living within `places` have `label` on `day`.
///
/// # Errors
/// When the database fails.
pub fn count_with_label(
    tx: &mut Transaction<'_>,
    places: PlaceRange,
    (label, day): (Label, Day),
) -> Result<i64, DatabaseError> {
    let (first, last) = (places.first.cast_signed(), places.last.cast_signed());
    let row = tx.query_one(COUNT_WITH_LABEL, &params![label.key(), first, last, day])?;
    row.map_or(Ok(0), |row| row.get(0))
}
