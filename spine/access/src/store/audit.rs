//! The SQL of the audit trail.

use kangmai_base::{Moment, Uuid};
use kangmai_database::{DatabaseError, Row, Transaction, params};

use crate::audit::Line;
use crate::{AuditRow, Reach};

const INSERT_AUDIT: &str = "insert into audit_row
    (id, at, account, role, action, subject, place, reason, outcome, address, asked, mark)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
const INSERT_WAITING: &str = "insert into audit_waiting (line) values ($1)";
const AUDIT_ROWS: &str =
    "select audit_row.at, audit_row.account, coalesce(account.display_name, client.name), audit_row.role,
    audit_row.action, audit_row.subject, audit_row.place, audit_row.reason, audit_row.outcome, audit_row.address,
    audit_row.asked
    from audit_row left join account on account.id = audit_row.account
    left join client on client.id = audit_row.account
    where audit_row.place between $1 and $2 order by audit_row.at desc, audit_row.id desc limit $3 offset $4";
const AUDIT_ROWS_OF: &str =
    "select audit_row.at, audit_row.account, coalesce(account.display_name, client.name), audit_row.role,
    audit_row.action, audit_row.subject, audit_row.place, audit_row.reason, audit_row.outcome, audit_row.address,
    audit_row.asked
    from audit_row left join account on account.id = audit_row.account
    left join client on client.id = audit_row.account
    where audit_row.subject = $1 and audit_row.place between $2 and $3
    order by audit_row.at desc, audit_row.id desc limit $4";

/// Writes a line, with the mark that the program puts on it, to wait for its place in the chain.
pub(crate) fn insert(tx: &mut Transaction<'_>, line: &Line, mark: &[u8]) -> Result<(), DatabaseError> {
    insert_line(tx, line, mark)?;
    tx.execute(INSERT_WAITING, &params![line.id])?;
    Ok(())
}

/// Writes a line that is put into the chain at once.
pub(crate) fn insert_line(tx: &mut Transaction<'_>, line: &Line, mark: &[u8]) -> Result<(), DatabaseError> {
    tx.execute(
        INSERT_AUDIT,
        &params![
            line.id,
            line.at,
            line.account,
            &line.role,
            &line.action,
            line.subject,
            line.place,
            &line.reason,
            &line.outcome,
            line.address.as_deref(),
            line.asked.as_deref(),
            mark.to_vec()
        ],
    )?;
    Ok(())
}

/// A line as it stands in the columns from `first`: identifier to what was asked.
pub(crate) fn read_line(row: &Row, first: usize) -> Result<Line, DatabaseError> {
    Ok(Line {
        id: row.get(first)?,
        at: row.get::<Moment>(first + 1)?,
        account: row.get::<Option<Uuid>>(first + 2)?,
        role: row.get(first + 3)?,
        action: row.get(first + 4)?,
        subject: row.get(first + 5)?,
        place: row.get(first + 6)?,
        reason: row.get(first + 7)?,
        outcome: row.get(first + 8)?,
        address: row.get(first + 9)?,
        asked: row.get(first + 10)?,
    })
}

pub(crate) fn read_row(row: &Row) -> Result<AuditRow, DatabaseError> {
    Ok(AuditRow {
        at: row.get(0)?,
        account: row.get(1)?,
        name: row.get(2)?,
        role: row.get(3)?,
        action: row.get(4)?,
        subject: row.get(5)?,
        place: row.get(6)?,
        reason: row.get(7)?,
        outcome: row.get(8)?,
        address: row.get(9)?,
        asked: row.get(10)?,
    })
}

pub(crate) fn rows(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    offset: i64,
    limit: i64,
) -> Result<Vec<AuditRow>, DatabaseError> {
    let rows = tx.query(AUDIT_ROWS, &params![reach.first(), reach.last(), limit, offset])?;
    rows.iter().map(read_row).collect()
}

pub(crate) fn rows_of(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    subject: Uuid,
    limit: i64,
) -> Result<Vec<AuditRow>, DatabaseError> {
    let rows = tx.query(AUDIT_ROWS_OF, &params![subject, reach.first(), reach.last(), limit])?;
    rows.iter().map(read_row).collect()
}
