//! The SQL of the chain that the audit trail is sealed into.

use kangmai_base::{Moment, Uuid};
use kangmai_database::{DatabaseError, InsertMany, Row, Transaction, params};

use super::audit::read_line;
use crate::audit::Line;

const HEAD: &str = "select ordinal, hash from audit_link order by ordinal desc limit 1";
const FIRST: &str = "select ordinal from audit_link order by ordinal limit 1";
const AT: &str = "select hash from audit_link where ordinal = $1";
const ANY_WAITING: &str = "select 1 from audit_waiting limit 1";
const COUNT_UNMARKED: &str = "select count(*) from audit_row where mark is null";
/// Lines of before the chain first, then as they happened.
const WAITING: &str =
    "select audit_row.id, audit_row.at, audit_row.account, audit_row.role, audit_row.action, audit_row.subject,
    audit_row.place, audit_row.reason, audit_row.outcome, audit_row.address, audit_row.asked, audit_row.mark
    from audit_waiting join audit_row on audit_row.id = audit_waiting.line
    order by case when audit_row.mark is null then 0 else 1 end, audit_row.at, audit_row.id limit $1";
const OF_ACTION: &str =
    "select audit_row.id, audit_row.at, audit_row.account, audit_row.role, audit_row.action, audit_row.subject,
    audit_row.place, audit_row.reason, audit_row.outcome, audit_row.address, audit_row.asked, audit_row.mark
    from audit_row where audit_row.action = $1 order by audit_row.at";
const LINK: InsertMany =
    InsertMany { table: "audit_link", columns: &["ordinal", "line", "previous", "hash"], suffix: "" };
const NO_LONGER_WAITING: &str =
    "delete from audit_waiting where line in (select line from audit_link where ordinal > $1)";
const WAITING_FOR_NOTHING: &str = "select audit_waiting.line from audit_waiting where not exists
    (select 1 from audit_row where audit_row.id = audit_waiting.line) order by audit_waiting.line limit 1000";
const TAKE_UP: &str = "insert into audit_waiting (line) select audit_row.id from audit_row
    where not exists (select 1 from audit_link where audit_link.line = audit_row.id)
    and not exists (select 1 from audit_waiting where audit_waiting.line = audit_row.id)";
const CHAIN: &str =
    "select audit_link.ordinal, audit_link.line, audit_link.previous, audit_link.hash, audit_row.mark,
    audit_row.id, audit_row.at, audit_row.account, audit_row.role, audit_row.action, audit_row.subject,
    audit_row.place, audit_row.reason, audit_row.outcome, audit_row.address, audit_row.asked
    from audit_link left join audit_row on audit_row.id = audit_link.line order by audit_link.ordinal";
const UNLINKED: &str =
    "select audit_row.mark, audit_row.id, audit_row.at, audit_row.account, audit_row.role, audit_row.action,
    audit_row.subject, audit_row.place, audit_row.reason, audit_row.outcome, audit_row.address, audit_row.asked
    from audit_row left join audit_link on audit_link.line = audit_row.id where audit_link.line is null
    order by audit_row.at, audit_row.id";
const FIRST_KEPT: &str = "select min(audit_link.ordinal) from audit_link
    join audit_row on audit_row.id = audit_link.line where audit_row.at >= $1";
const CUT_ROWS: &str =
    "delete from audit_row where id in (select line from audit_link where ordinal between $1 and $2)";
const CUT_LINKS: &str = "delete from audit_link where ordinal between $1 and $2";

/// The last link: its ordinal and hash.
pub(crate) fn head(tx: &mut Transaction<'_>) -> Result<Option<(i64, Vec<u8>)>, DatabaseError> {
    tx.query_one(HEAD, &[])?.map(|row| Ok((row.get(0)?, row.get(1)?))).transpose()
}

/// The ordinal of the first link that is there.
pub(crate) fn first(tx: &mut Transaction<'_>) -> Result<Option<i64>, DatabaseError> {
    tx.query_one(FIRST, &[])?.map(|row| row.get(0)).transpose()
}

/// The hash at an ordinal.
pub(crate) fn hash_at(tx: &mut Transaction<'_>, ordinal: i64) -> Result<Option<Vec<u8>>, DatabaseError> {
    tx.query_one(AT, &params![ordinal])?.map(|row| row.get(0)).transpose()
}

pub(crate) fn any_waiting(tx: &mut Transaction<'_>) -> Result<bool, DatabaseError> {
    Ok(tx.query_one(ANY_WAITING, &[])?.is_some())
}

/// Lines that carry no mark: those of before the chain.
pub(crate) fn count_unmarked(tx: &mut Transaction<'_>) -> Result<i64, DatabaseError> {
    tx.query_one(COUNT_UNMARKED, &[])?.map_or(Ok(0), |row| row.get(0))
}

/// A line with its mark, if it has one.
pub(crate) type Marked = (Line, Option<Vec<u8>>);

/// The lines that wait, each with its mark. One that cannot be read, which the program did not write, waits on.
pub(crate) fn waiting(tx: &mut Transaction<'_>, limit: i64) -> Result<Vec<Marked>, DatabaseError> {
    let read = |row: &Row| Some((read_line(row, 0).ok()?, row.get(11).ok()?));
    Ok(tx.query(WAITING, &params![limit])?.iter().filter_map(read).collect())
}

/// The lines of this action, each with its mark.
pub(crate) fn of_action(tx: &mut Transaction<'_>, action: &str) -> Result<Vec<Marked>, DatabaseError> {
    let read = |row: &Row| Some((read_line(row, 0).ok()?, row.get(11).ok()?));
    Ok(tx.query(OF_ACTION, &params![action])?.iter().filter_map(read).collect())
}

/// A link to be written.
pub(crate) struct Link {
    pub(crate) ordinal: i64,
    pub(crate) line: Uuid,
    pub(crate) previous: Vec<u8>,
    pub(crate) hash: Vec<u8>,
}

/// Writes links after `after`; their lines wait no longer.
pub(crate) fn put(tx: &mut Transaction<'_>, links: Vec<Link>, after: i64) -> Result<(), DatabaseError> {
    let rows = links.into_iter().map(|link| params![link.ordinal, link.line, link.previous, link.hash]);
    tx.insert_many(&LINK, rows)?;
    tx.execute(NO_LONGER_WAITING, &params![after])?;
    Ok(())
}

/// What waits and is not there: it was taken away before it came into the chain.
pub(crate) fn waiting_for_nothing(tx: &mut Transaction<'_>) -> Result<Vec<Uuid>, DatabaseError> {
    tx.query(WAITING_FOR_NOTHING, &[])?.iter().map(|row| row.get(0)).collect()
}

/// Lets every line wait that is in no chain; answers how many.
pub(crate) fn take_up(tx: &mut Transaction<'_>) -> Result<u64, DatabaseError> {
    tx.execute(TAKE_UP, &[])
}

/// What stands where a line of the chain should.
pub(crate) enum Told {
    /// Nothing.
    Gone,
    /// Something that no line of this program is.
    Unreadable,
    /// A line.
    Line(Box<Line>),
}

impl Told {
    fn of(row: &Row, first: usize) -> Told {
        read_line(row, first).map_or(Told::Unreadable, |line| Told::Line(Box::new(line)))
    }
}

/// A link as it stands, with its line and the line's mark.
pub(crate) struct Standing {
    pub(crate) ordinal: i64,
    pub(crate) line: Uuid,
    pub(crate) previous: Vec<u8>,
    pub(crate) hash: Vec<u8>,
    pub(crate) mark: Option<Vec<u8>>,
    pub(crate) told: Told,
}

/// Goes through the chain from its first link to its last.
pub(crate) fn for_each_link(
    tx: &mut Transaction<'_>,
    mut each: impl FnMut(Standing),
) -> Result<(), DatabaseError> {
    tx.for_each(CHAIN, &[], |row| {
        let is_there = row.get::<Option<Uuid>>(5)?.is_some();
        each(Standing {
            ordinal: row.get(0)?,
            line: row.get(1)?,
            previous: row.get(2)?,
            hash: row.get(3)?,
            mark: row.get(4)?,
            told: if is_there { Told::of(&row, 5) } else { Told::Gone },
        });
        Ok(())
    })
}

/// Goes through the lines that are in no chain: identifier, mark, and what stands there.
pub(crate) fn for_each_unlinked(
    tx: &mut Transaction<'_>,
    mut each: impl FnMut(Uuid, Option<Vec<u8>>, Told),
) -> Result<(), DatabaseError> {
    tx.for_each(UNLINKED, &[], |row| {
        each(row.get(1)?, row.get(0)?, Told::of(&row, 1));
        Ok(())
    })
}

/// The lowest ordinal of a line of `since` or later.
pub(crate) fn first_kept(tx: &mut Transaction<'_>, since: Moment) -> Result<Option<i64>, DatabaseError> {
    tx.query_one(FIRST_KEPT, &params![since])?.map_or(Ok(None), |row| row.get(0))
}

/// Takes the lines and links with these ordinals away.
pub(crate) fn cut(tx: &mut Transaction<'_>, first: i64, last: i64) -> Result<(), DatabaseError> {
    tx.execute(CUT_ROWS, &params![first, last])?;
    tx.execute(CUT_LINKS, &params![first, last])?;
    Ok(())
}
