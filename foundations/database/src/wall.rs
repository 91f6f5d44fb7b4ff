//! A second wall between places, in PostgreSQL itself: row-level security. The role by which the program works sees of a
//! walled table only rows of the places that its transaction says ([`Database::within`]); without saying, none. It is not
//! the owner of the tables, so it cannot take the wall down. The owner sees everything.

use crate::postgres::{SCOPE_FIRST, SCOPE_LAST};
use crate::{Database, DatabaseError, Dialect, Transaction, params};

/// By what the rows of a table belong to a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wall {
    /// A column with the code of the place.
    Column(&'static str),
    /// The row of a walled table to which it belongs: own column, that table, its column.
    Row(&'static str, &'static str, &'static str),
}

/// A table with a wall.
pub type Walled = (&'static str, Wall);

/// The policy's name.
const POLICY: &str = "kangmai_scope";
const ROLE_KNOWN: &str = "select count(*) from pg_roles where rolname = $1";
const SCHEMA: &str = "select current_schema()::text";
const TABLES_WITHOUT: &str = "select c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = current_schema() and c.relkind in ('r', 'p') and not c.relispartition and not c.relrowsecurity
    order by c.relname";
const WALLS: &str =
    "select count(*) from pg_policies where schemaname = current_schema() and policyname = $1";

impl Database {
    /// Walls the tables, and lets `role` work with all of them. To be run by their owner, again after each upgrade that
    /// makes tables; twice is as good as once. What stands in a table of `only_added_to` the role can neither change nor take
    /// away. Answers the tables without a wall.
    ///
    /// # Errors
    /// On SQLite; when there is no such role or it is the owner; when the database fails.
    pub fn wall(
        &self,
        walled: &'static [Walled],
        only_added_to: &'static [&'static str],
        role: &str,
    ) -> Result<Vec<String>, DatabaseError> {
        let role = role.to_owned();
        let is_plain = |sign: u8| sign.is_ascii_lowercase() || sign.is_ascii_digit() || sign == b'_';
        if !role.bytes().all(is_plain) {
            return Err(DatabaseError::Refused(format!(
                "{role:?} is no plain name of a role: a-z, 0-9 and _"
            )));
        }
        self.write_blocking(move |tx| {
            if tx.dialect() == Dialect::Sqlite {
                return Err(DatabaseError::Refused(
                    "SQLite has no roles and no row-level security".to_owned(),
                ));
            }
            let known = tx.query_one(ROLE_KNOWN, &params![role.as_str()])?.map_or(Ok(0), |row| row.get(0))?;
            if known != 1_i64 {
                return Err(DatabaseError::Refused(format!("there is no role {role}")));
            }
            for (table, wall) in walled {
                tx.batch(&policy(table, *wall))?;
            }
            grant(tx, &role)?;
            for table in only_added_to {
                tx.batch(&format!("revoke update, delete, truncate on {table} from {role}"))?;
            }
            let without = tx.query(TABLES_WITHOUT, &[])?;
            without.iter().map(|row| row.get(0)).collect()
        })
    }

    /// How many tables have a wall; 0 on SQLite.
    ///
    /// # Errors
    /// When the database fails.
    pub fn walls(&self) -> Result<i64, DatabaseError> {
        self.read_blocking(|tx| match tx.dialect() {
            Dialect::Sqlite => Ok(0),
            Dialect::Postgres => tx.query_one(WALLS, &params![POLICY])?.map_or(Ok(0), |row| row.get(0)),
        })
    }
}

/// Each bound is asked for once in a query and not once for a row. Only reading is walled: what may be written is decided
/// where it is done, and a write that meets a row it may not see fails.
fn policy(table: &str, wall: Wall) -> String {
    let bound = |setting| format!("(select nullif(current_setting('{setting}', true), '')::bigint)");
    let sees = match wall {
        Wall::Column(column) => {
            format!("{table}.{column} between {} and {}", bound(SCOPE_FIRST), bound(SCOPE_LAST))
        }
        Wall::Row(own, other, column) => {
            format!("exists (select 1 from {other} where {other}.{column} = {table}.{own})")
        }
    };
    format!(
        "alter table {table} enable row level security; drop policy if exists {POLICY} on {table};
         create policy {POLICY} on {table} using ({sees}) with check (true)"
    )
}

fn grant(tx: &mut Transaction<'_>, role: &str) -> Result<(), DatabaseError> {
    let schema: String = tx.query_one(SCHEMA, &[])?.map_or(Ok("public".to_owned()), |row| row.get(0))?;
    tx.batch(&format!(
        "grant usage on schema {schema} to {role};
         grant select, insert, update, delete on all tables in schema {schema} to {role};
         alter default privileges in schema {schema} grant select, insert, update, delete on tables to {role}"
    ))
}
