//! PostgreSQL: a small pool; each transaction on one connection, driven from a blocking thread.

mod address;

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use bytes::{BufMut as _, BytesMut};
use futures_util::TryStreamExt as _;
use tokio::runtime::{Handle, Runtime};
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, NoTls, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::insert::Rows;
use crate::layout::{Kind, Table};
use crate::migrate::OnlineIndex;
use crate::transaction::{Connection, Dialect};
use crate::{DatabaseError, Row, Scope, Transaction, Value};
use address::Address;

/// Statements that each connection keeps prepared.
const PREPARED: usize = 256;
/// As the database's own lists name these connections, unless the address says another name.
const APPLICATION: &str = "kangmai";
/// The longest that opening a connection may take, unless the address says otherwise.
const CONNECT_SECONDS: u64 = 30;
/// The longest that sent bytes may stay without an answer of the other machine before the connection counts as broken.
const UNANSWERED_SECONDS: u64 = 30;
/// The longest that a transaction may stand without a statement: the database then ends it and frees what it holds.
const IDLE_SECONDS: u64 = 600;

pub(crate) struct Postgres {
    config: tokio_postgres::Config,
    tls: Option<MakeRustlsConnect>,
    connections: usize,
    runtime: Option<Runtime>,
    pool: Mutex<Pool>,
    freed: Condvar,
}

#[derive(Default)]
struct Pool {
    idle: Vec<Session>,
    open: usize,
}

/// One connection and what it has prepared.
struct Session {
    client: Client,
    prepared: HashMap<String, Statement>,
}

impl Postgres {
    pub(crate) fn open(address: &str, connections: usize) -> Result<Postgres, DatabaseError> {
        let Address { config, tls } = Address::read(address)?;
        let config = configured(config);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("database-postgres")
            .enable_all()
            .build()
            .map_err(|error| DatabaseError::Driver(error.to_string()))?;
        let postgres = Postgres {
            config,
            tls,
            connections,
            runtime: Some(runtime),
            pool: Mutex::default(),
            freed: Condvar::new(),
        };
        let (session, _) = postgres.take()?;
        postgres.give_back(session);
        Ok(postgres)
    }

    fn handle(&self) -> Result<&Handle, DatabaseError> {
        self.runtime.as_ref().map(Runtime::handle).ok_or(DatabaseError::GivenUp)
    }

    /// An idle connection that still lives, or a new one, or the next that is given back; and whether it is new.
    fn take(&self) -> Result<(Session, bool), DatabaseError> {
        let patience = Duration::from_secs(DatabaseError::WAIT_SECONDS);
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(session) = pool.idle.pop() {
                if !session.client.is_closed() {
                    return Ok((session, false));
                }
                pool.open -= 1;
            } else if pool.open < self.connections {
                pool.open += 1;
                drop(pool);
                return self.connect().map(|session| (session, true)).inspect_err(|_| self.forget());
            } else {
                let (freed, waited) =
                    self.freed.wait_timeout(pool, patience).unwrap_or_else(PoisonError::into_inner);
                pool = freed;
                if waited.timed_out() && pool.idle.is_empty() && pool.open >= self.connections {
                    return Err(DatabaseError::Busy { connections: self.connections });
                }
            }
        }
    }

    /// A connection on which the transaction has begun. One that broke while it was idle is told by its first statement;
    /// nothing ran on it, so the next is tried, at last a new one.
    fn begin(&self, handle: &Handle, begin: &str) -> Result<Session, DatabaseError> {
        loop {
            let (mut session, is_new) = self.take()?;
            match (Wrapped { handle, session: &mut session }).batch(begin) {
                Ok(()) => return Ok(session),
                Err(error) => {
                    self.forget();
                    if is_new || !matches!(error, DatabaseError::Unreachable(_)) {
                        return Err(error);
                    }
                }
            }
        }
    }

    fn connect(&self) -> Result<Session, DatabaseError> {
        let handle = self.handle()?;
        let client = match &self.tls {
            Some(tls) => {
                let (client, connection) = handle.block_on(self.config.connect(tls.clone()))?;
                handle.spawn(until_it_ends(connection));
                client
            }
            None => {
                let (client, connection) = handle.block_on(self.config.connect(NoTls))?;
                handle.spawn(until_it_ends(connection));
                client
            }
        };
        Ok(Session { client, prepared: HashMap::new() })
    }

    fn give_back(&self, session: Session) {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner).idle.push(session);
        self.freed.notify_one();
    }

    fn forget(&self) {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner).open -= 1;
        self.freed.notify_one();
    }

    pub(crate) fn transaction<T, E: From<DatabaseError>>(
        &self,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, E>,
        manner: Manner,
    ) -> Result<T, E> {
        let handle = self.handle()?.clone();
        let mut session = self.begin(&handle, &manner.begin())?;
        let mut wrapped = Wrapped { handle: &handle, session: &mut session };
        let result = std::panic::catch_unwind(AssertUnwindSafe(|| work(&mut Transaction::on(&mut wrapped))));
        let commits = matches!(result, Ok(Ok(_))) && !manner.read_only;
        let ended = wrapped.batch(if commits { "commit" } else { "rollback" });
        match (result, ended) {
            (Ok(result), Ok(())) => {
                self.give_back(session);
                result
            }
            (Ok(result), Err(error)) => {
                self.forget();
                // A connection that breaks while the commit is under way does not say whether it came through.
                let is_unknown = commits && matches!(error, DatabaseError::Unreachable(_));
                match (result, is_unknown) {
                    (Ok(_), true) => Err(E::from(DatabaseError::Unknown)),
                    // What was only read was read.
                    (Ok(result), false) if manner.read_only => Ok(result),
                    (result, _) => result.and(Err(E::from(error))),
                }
            }
            (Err(_), _) => {
                tracing::error!("work on the database panicked");
                self.forget();
                Err(E::from(DatabaseError::GivenUp))
            }
        }
    }
}

/// Carries a connection until it ends.
async fn until_it_ends(connection: impl Future<Output = Result<(), tokio_postgres::Error>>) {
    if let Err(error) = connection.await {
        tracing::warn!(error = %DatabaseError::from(error), "a PostgreSQL connection ended");
    }
}

/// The settings in which a walled database finds the places that a transaction may see. Nobody sees anything without.
pub(crate) const SCOPE_FIRST: &str = "kangmai.scope_first";
pub(crate) const SCOPE_LAST: &str = "kangmai.scope_last";

/// How a transaction is begun.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) read_only: bool,
    /// Seconds that one statement may take; 0 for no limit.
    pub(crate) statement_seconds: u64,
    /// What a walled database lets it see.
    pub(crate) scope: Scope,
}

impl Manner {
    /// One message with all of it: to begin costs one way there and back.
    fn begin(self) -> String {
        let kind = if self.read_only { " read only isolation level repeatable read" } else { "" };
        let (statement, lock) = (self.statement_seconds, DatabaseError::LOCK_SECONDS);
        let Scope { first, last } = self.scope;
        format!(
            "begin{kind}; set local statement_timeout = '{statement}s'; set local lock_timeout = '{lock}s'; \
             set local {SCOPE_FIRST} = '{first}'; set local {SCOPE_LAST} = '{last}'"
        )
    }
}

/// What an address leaves open is set.
fn configured(mut config: tokio_postgres::Config) -> tokio_postgres::Config {
    if config.get_application_name().is_none() {
        config.application_name(APPLICATION);
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(Duration::from_secs(CONNECT_SECONDS));
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(Duration::from_secs(UNANSWERED_SECONDS));
    }
    let own = config.get_options().unwrap_or_default();
    let options = format!("-c idle_in_transaction_session_timeout={IDLE_SECONDS}s {own}");
    config.options(options);
    config
}

impl Postgres {
    /// Builds an index beside whoever reads and writes, outside of a transaction. What an attempt that was broken off left
    /// behind is no use, and is taken away first. Two programs that build the same take turns.
    pub(crate) fn build_index(&self, index: &OnlineIndex) -> Result<(), DatabaseError> {
        let handle = self.handle()?.clone();
        let mut session = self.begin(&handle, "select 1")?;
        let mut wrapped = Wrapped { handle: &handle, session: &mut session };
        let built = wrapped.build(index);
        let unlocked = wrapped.batch(UNLOCK_INDEXES);
        match (built, unlocked) {
            (Ok(()), Ok(())) => {
                self.give_back(session);
                Ok(())
            }
            (built, unlocked) => {
                self.forget();
                built.and(unlocked)
            }
        }
    }
}

impl Wrapped<'_> {
    fn build(&mut self, index: &OnlineIndex) -> Result<(), DatabaseError> {
        // To wait in a statement would hold a snapshot, for which whoever builds waits in turn.
        while !self.is_true(LOCK_INDEXES, &[])? {
            std::thread::sleep(Duration::from_millis(TURN_MS));
        }
        let name = [Value::Text(index.name.clone())];
        if self.is_true(IS_BROKEN_INDEX, &name)? {
            self.batch(&format!("drop index concurrently {}", index.name))?;
        }
        self.batch(&index.sql)
    }

    fn is_true(&mut self, sql: &str, params: &[Value]) -> Result<bool, DatabaseError> {
        let mut answer = false;
        self.for_each(sql, params, &mut |row| {
            answer = row.get(0)?;
            Ok(())
        })?;
        Ok(answer)
    }
}

const LOCK_INDEXES: &str = "select pg_try_advisory_lock(hashtextextended('kangmai indexes', 0))";
const UNLOCK_INDEXES: &str = "select pg_advisory_unlock_all()";
const IS_BROKEN_INDEX: &str =
    "select exists (select 1 from pg_index i join pg_class c on c.oid = i.indexrelid
    join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = current_schema() and c.relname = $1 and not i.indisvalid)";
/// Between two looks whether another program is done with its indexes, in milliseconds.
const TURN_MS: u64 = 200;

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

struct Wrapped<'a> {
    handle: &'a Handle,
    session: &'a mut Session,
}

impl Wrapped<'_> {
    fn statement(&mut self, sql: &str) -> Result<Statement, DatabaseError> {
        if let Some(statement) = self.session.prepared.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.handle.block_on(self.session.client.prepare(sql))?;
        if self.session.prepared.len() >= PREPARED {
            self.session.prepared.clear();
        }
        self.session.prepared.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

impl Connection for Wrapped<'_> {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn for_each(
        &mut self,
        sql: &str,
        params: &[Value],
        each: &mut dyn FnMut(Row) -> Result<(), DatabaseError>,
    ) -> Result<(), DatabaseError> {
        let statement = self.statement(sql)?;
        let rows = self.session.client.query_raw(&statement, params.iter());
        let mut rows = Box::pin(self.handle.block_on(rows)?);
        while let Some(row) = self.handle.block_on(rows.try_next())? {
            let mut values = Vec::with_capacity(row.len());
            for column in 0..row.len() {
                values.push(row.try_get::<_, Value>(column)?);
            }
            each(Row { values })?;
        }
        Ok(())
    }

    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, DatabaseError> {
        let statement = self.statement(sql)?;
        Ok(self.handle.block_on(self.session.client.execute_raw(&statement, params.iter()))?)
    }

    fn execute_in_order(&mut self, sql: &str, params: &[Value]) -> Result<u64, DatabaseError> {
        self.execute(sql, params)
    }

    fn batch(&mut self, sql: &str) -> Result<(), DatabaseError> {
        Ok(self.handle.block_on(self.session.client.batch_execute(sql))?)
    }

    fn prepare(&mut self, sql: &str) -> Result<(), DatabaseError> {
        self.handle.block_on(self.session.client.prepare(sql))?;
        Ok(())
    }

    fn lock(&mut self, name: &str) -> Result<(), DatabaseError> {
        let sql = "select 1 from (select pg_advisory_xact_lock(hashtextextended($1, 0))) as held";
        self.for_each(sql, &[Value::Text(name.to_owned())], &mut |_| Ok(()))
    }

    /// By binary COPY.
    fn load(&mut self, table: &Table, rows: Rows<'_>) -> Result<u64, DatabaseError> {
        let sql = format!("copy {} ({}) from stdin binary", table.name, table.column_names());
        let types: Vec<Type> = table.columns.iter().map(|column| type_of(column.kind)).collect();
        let sink = self.handle.block_on(self.session.client.copy_in(&sql))?;
        let mut writer = Box::pin(BinaryCopyInWriter::new(sink, &types));
        while let Some(row) = rows()? {
            self.handle.block_on(writer.as_mut().write_raw(&row))?;
        }
        Ok(self.handle.block_on(writer.as_mut().finish())?)
    }
}

fn type_of(kind: Kind) -> Type {
    match kind {
        Kind::Text => Type::TEXT,
        Kind::Int => Type::INT8,
        Kind::Bool => Type::BOOL,
        Kind::Real => Type::FLOAT8,
        Kind::Bytes => Type::BYTEA,
        Kind::Uuid => Type::UUID,
    }
}

type Failure = Box<dyn std::error::Error + Sync + Send>;

impl ToSql for Value {
    fn to_sql(&self, target: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
        match (self, target) {
            (Value::Null, _) => return Ok(IsNull::Yes),
            (Value::Bool(value), &Type::BOOL) => out.put_u8(u8::from(*value)),
            (Value::Int(value), &Type::INT8) => out.put_i64(*value),
            (Value::Int(value), &Type::INT4) => out.put_i32(i32::try_from(*value)?),
            (Value::Int(value), &Type::INT2) => out.put_i16(i16::try_from(*value)?),
            (Value::Int(value), &Type::BOOL) => out.put_u8(u8::from(*value != 0)),
            #[expect(clippy::cast_precision_loss, reason = "a whole number into a column of fractions")]
            (Value::Int(value), &Type::FLOAT8) => out.put_f64(*value as f64),
            (Value::Real(value), &Type::FLOAT8) => out.put_f64(*value),
            (Value::Text(value), &Type::TEXT | &Type::VARCHAR | &Type::UNKNOWN | &Type::NAME) => {
                out.put_slice(value.as_bytes());
            }
            (Value::Bytes(value), &Type::BYTEA) => out.put_slice(value),
            (Value::Uuid(value), &Type::UUID) => out.put_slice(value.as_bytes()),
            _ => return Err(format!("cannot bind this value as {target}").into()),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(source: &Type, raw: &'a [u8]) -> Result<Value, Failure> {
        Ok(match *source {
            Type::BOOL => Value::Bool(bool::from_sql(source, raw)?),
            Type::INT8 => Value::Int(i64::from_sql(source, raw)?),
            Type::INT4 => Value::Int(i64::from(i32::from_sql(source, raw)?)),
            Type::INT2 => Value::Int(i64::from(i16::from_sql(source, raw)?)),
            Type::FLOAT8 => Value::Real(f64::from_sql(source, raw)?),
            Type::BYTEA => Value::Bytes(raw.to_vec()),
            Type::UUID => Value::Uuid(uuid::Uuid::from_slice(raw)?),
            Type::NUMERIC => Value::Int(whole_numeric(raw).ok_or("not a whole number within 64 bits")?),
            Type::VOID => Value::Null,
            _ => Value::Text(String::from_utf8(raw.to_vec())?),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Value, Failure> {
        Ok(Value::Null)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// Decodes PostgreSQL's binary `numeric`, which `sum(bigint)` yields: four 16-bit head fields (digits, weight,
/// sign, scale), then digits of base 10,000. `None` for fractions, NaN and what leaves i64.
fn whole_numeric(raw: &[u8]) -> Option<i64> {
    let field = |index: usize| Some(i16::from_be_bytes(raw.get(index * 2..index * 2 + 2)?.try_into().ok()?));
    let (digits, weight, sign) = (field(0)?, field(1)?, field(2)?.cast_unsigned());
    if sign != 0 && sign != 0x4000 {
        return None;
    }
    let mut number: i128 = 0;
    for position in 0..=i32::from(weight).max(-1) {
        let digit =
            if position < i32::from(digits) { field(4 + usize::try_from(position).ok()?)? } else { 0 };
        number = number.checked_mul(10_000)?.checked_add(i128::from(digit))?;
    }
    if i32::from(digits) > i32::from(weight) + 1 {
        return None;
    }
    i64::try_from(if sign == 0 { number } else { -number }).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numeric(fields: &[i16]) -> Option<i64> {
        let raw: Vec<u8> = fields.iter().flat_map(|field| field.to_be_bytes()).collect();
        whole_numeric(&raw)
    }

    #[test]
    fn decodes_whole_numerics() {
        assert_eq!(numeric(&[0, 0, 0, 0]), Some(0));
        assert_eq!(numeric(&[1, 0, 0, 0, 42]), Some(42));
        assert_eq!(numeric(&[1, 1, 0, 0, 5]), Some(50_000));
        assert_eq!(numeric(&[2, 1, 0x4000, 0, 1, 2345]), Some(-12_345));
        assert_eq!(numeric(&[2, 0, 0, 2, 1, 5000]), None);
        assert_eq!(numeric(&[0, 0, 0xC000_u16.cast_signed(), 0]), None);
    }
}
