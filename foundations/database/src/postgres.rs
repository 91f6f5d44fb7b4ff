//! PostgreSQL: a small pool; each transaction on one connection, driven from a blocking thread.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Condvar, Mutex, PoisonError};

use bytes::{BufMut as _, BytesMut};
use futures_util::TryStreamExt as _;
use tokio::runtime::Runtime;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, NoTls, Statement};

use crate::transaction::{Connection, Dialect};
use crate::{DatabaseError, Row, Transaction, Value};

/// Connections at most.
const CONNECTIONS: usize = 16;
/// Statements that each connection keeps prepared.
const PREPARED: usize = 256;

pub(crate) struct Postgres {
    config: tokio_postgres::Config,
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
    pub(crate) fn open(address: &str) -> Result<Postgres, DatabaseError> {
        let config: tokio_postgres::Config = address.parse()?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("database-postgres")
            .enable_all()
            .build()
            .map_err(|error| DatabaseError::Driver(error.to_string()))?;
        let postgres =
            Postgres { config, runtime: Some(runtime), pool: Mutex::default(), freed: Condvar::new() };
        let session = postgres.take()?;
        postgres.give_back(session);
        Ok(postgres)
    }

    fn handle(&self) -> Result<&tokio::runtime::Handle, DatabaseError> {
        self.runtime.as_ref().map(Runtime::handle).ok_or(DatabaseError::GivenUp)
    }

    /// An idle connection that still lives, or a new one, or the next that is given back.
    fn take(&self) -> Result<Session, DatabaseError> {
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(session) = pool.idle.pop() {
                if !session.client.is_closed() {
                    return Ok(session);
                }
                pool.open -= 1;
            } else if pool.open < CONNECTIONS {
                pool.open += 1;
                drop(pool);
                return self.connect().inspect_err(|_| self.forget());
            } else {
                pool = self.freed.wait(pool).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    fn connect(&self) -> Result<Session, DatabaseError> {
        let handle = self.handle()?;
        let (client, connection) = handle.block_on(self.config.connect(NoTls))?;
        handle.spawn(async move {
            if let Err(error) = connection.await {
                tracing::warn!(error = %DatabaseError::from(error), "a PostgreSQL connection ended");
            }
        });
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
        read_only: bool,
    ) -> Result<T, E> {
        let handle = self.handle()?.clone();
        let mut session = self.take()?;
        let begin = if read_only { "begin read only isolation level repeatable read" } else { "begin" };
        let mut wrapped = Wrapped { handle: &handle, session: &mut session };
        if let Err(error) = wrapped.batch(begin) {
            self.forget();
            return Err(E::from(error));
        }
        let result = std::panic::catch_unwind(AssertUnwindSafe(|| work(&mut Transaction::on(&mut wrapped))));
        let end = if matches!(result, Ok(Ok(_))) && !read_only { "commit" } else { "rollback" };
        let ended = wrapped.batch(end);
        match (result, ended) {
            (Ok(result), Ok(())) => {
                self.give_back(session);
                result
            }
            (Ok(result), Err(error)) => {
                self.forget();
                result.and(Err(E::from(error)))
            }
            (Err(_), _) => {
                tracing::error!("work on the database panicked");
                self.forget();
                Err(E::from(DatabaseError::GivenUp))
            }
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

struct Wrapped<'a> {
    handle: &'a tokio::runtime::Handle,
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
