//! Where somebody still stands in a database, whatever its tables are.

use kangmai_base::{Id, Uuid};
use kangmai_database::{Database, DatabaseError, Dialect, Row, Transaction, Value};
use kangmai_people::{Person, PersonBody};
use kangmai_record::open_body;

/// Where the identifier of somebody who is gone may stay: tombstones, and who looked at what. It leads to nobody.
const MAY_NAME: [&str; 3] = ["fact", "audit_row", "break_glass"];
/// What parked facts are sealed to.
const PARKED: (&str, &str) = ("parked_fact", "fact_sealed");

/// By what somebody is looked for.
#[derive(Debug, Clone)]
pub(crate) struct Who {
    id: Uuid,
    texts: Vec<String>,
}

impl Who {
    /// Only by an identifier.
    pub(crate) fn with_id(id: Uuid) -> Who {
        Who { id, texts: Vec::new() }
    }

    /// A person, by the name as well if nobody else's begins, ends or goes so.
    pub(crate) fn person(person: &Person, all: &[Person]) -> Who {
        let PersonBody { name, id_number, phone, .. } = &person.body;
        let same = all.iter().filter(|other| other.body.name.contains(name.as_str())).count();
        let mut texts: Vec<String> = (same == 1).then(|| name.clone()).into_iter().collect();
        texts.extend(id_number.iter().map(|number| number.as_str().to_owned()));
        texts.extend(phone.iter().map(|phone| phone.as_str().to_owned()));
        Who { id: person.id.uuid(), texts }
    }

    fn is_in_text(&self, text: &str, by_id: bool) -> bool {
        (by_id && text.contains(&self.id.to_string()))
            || self.texts.iter().any(|one| text.contains(one.as_str()))
    }

    fn is_in(&self, value: &Value, by_id: bool) -> bool {
        match value {
            Value::Uuid(id) => by_id && *id == self.id,
            Value::Text(text) => self.is_in_text(text, by_id),
            Value::Bytes(bytes) => {
                let holds = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
                (by_id && holds(self.id.as_bytes())) || self.texts.iter().any(|text| holds(text.as_bytes()))
            }
            _ => false,
        }
    }
}

fn tables(tx: &mut Transaction<'_>) -> Result<Vec<String>, DatabaseError> {
    let names = match tx.dialect() {
        Dialect::Sqlite => "select name from sqlite_master where type = 'table' order by name",
        Dialect::Postgres => {
            "select table_name::text from information_schema.tables
            where table_schema = any (current_schemas(false)) order by 1"
        }
    };
    tx.query(names, &[])?.iter().map(|row| row.get(0)).collect()
}

/// The tables in which one of these still stands, and what facts and parked facts say under their seal.
pub(crate) fn traces(database: &Database, who: &[Who]) -> Vec<String> {
    let who = who.to_vec();
    let found = database.read_blocking(move |tx| {
        let mut found = Vec::new();
        for table in tables(tx)? {
            let by_id = !MAY_NAME.contains(&table.as_str());
            let mut rows = 0;
            tx.for_each(&format!("select * from {table}"), &[], |row| {
                let values = row.values();
                rows += usize::from(who.iter().any(|one| values.iter().any(|value| one.is_in(value, by_id))));
                Ok(())
            })?;
            if rows > 0 {
                found.push(format!("{rows} rows of {table}"));
            }
        }
        for row in tx.query("select id, body, body_sealed, kind from fact", &[])? {
            let text = open_body(tx, row.get(0)?, (row.get(1)?, row.get(2)?))?;
            if who.iter().any(|one| one.is_in_text(&text, true)) {
                found.push(format!("a {} says it", row.get::<String>(3)?));
            }
        }
        for row in tx.query("select id, fact_sealed from parked_fact", &[])? {
            let text = tx.opened(PARKED, row.get(0)?, row.get(1)?)?.unwrap_or_default();
            if who.iter().any(|one| one.is_in_text(&text, true)) {
                found.push("a parked fact says it".to_owned());
            }
        }
        Ok::<_, DatabaseError>(found)
    });
    found.expect("the tables")
}

/// The tables with a column that names a person.
pub(crate) fn tables_of_persons(database: &Database) -> Vec<String> {
    let sql = match database.dialect() {
        Dialect::Sqlite => {
            "select m.name from sqlite_master m join pragma_table_info(m.name) c
            where m.type = 'table' and c.name = 'person' order by m.name"
        }
        Dialect::Postgres => {
            "select table_name::text from information_schema.columns
            where table_schema = any (current_schemas(false)) and column_name = 'person' order by 1"
        }
    };
    let read = move |tx: &mut Transaction<'_>| {
        let rows = tx.query(sql, &[])?;
        rows.iter().map(|row| row.get(0)).collect::<Result<Vec<String>, DatabaseError>>()
    };
    database.read_blocking(read).expect("the tables")
}

/// Everybody of the county.
pub(crate) fn everybody(database: &Database) -> Vec<Person> {
    let read = |tx: &mut Transaction<'_>| {
        let ids = tx.query("select id from person order by id", &[])?;
        let person = |row: &Row| kangmai_people::find_person(tx, Id::from_uuid(row.get(0)?));
        ids.iter().map(person).collect::<Result<Vec<_>, DatabaseError>>()
    };
    database.read_blocking(read).expect("people").into_iter().flatten().collect()
}
