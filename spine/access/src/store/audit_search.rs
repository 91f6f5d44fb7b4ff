//! The SQL that looks through the audit trail. Each statement goes by the index that fits what is looked for.

use kangmai_base::{Moment, Uuid};
use kangmai_database::{DatabaseError, Row, Transaction, params};

use super::audit::read_row;
use crate::audit_search::ACT_WITHIN_DAYS;
use crate::{AuditRow, AuditWanted, AuditWatch, Reach, Unusual, UnusualKind};

const BY_TIME: &str =
    "select audit_row.at, audit_row.account, coalesce(account.display_name, client.name), audit_row.role,
    audit_row.action, audit_row.subject, audit_row.place, audit_row.reason, audit_row.outcome, audit_row.address,
    audit_row.asked
    from audit_row left join account on account.id = audit_row.account
    left join client on client.id = audit_row.account
    where audit_row.place between $1 and $2 and audit_row.at >= $3 and audit_row.at < $4
    and (cast($5 as text) is null or audit_row.action = $5) and (cast($6 as text) is null or audit_row.outcome = $6)
    order by audit_row.at desc, audit_row.id desc limit $7 offset $8";
const BY_ACCOUNT: &str =
    "select audit_row.at, audit_row.account, coalesce(account.display_name, client.name), audit_row.role,
    audit_row.action, audit_row.subject, audit_row.place, audit_row.reason, audit_row.outcome, audit_row.address,
    audit_row.asked
    from audit_row left join account on account.id = audit_row.account
    left join client on client.id = audit_row.account
    where audit_row.place between $1 and $2 and audit_row.at >= $3 and audit_row.at < $4
    and (cast($5 as text) is null or audit_row.action = $5) and (cast($6 as text) is null or audit_row.outcome = $6)
    and audit_row.account = $9
    order by audit_row.at desc, audit_row.id desc limit $7 offset $8";
const BY_SUBJECT: &str =
    "select audit_row.at, audit_row.account, coalesce(account.display_name, client.name), audit_row.role,
    audit_row.action, audit_row.subject, audit_row.place, audit_row.reason, audit_row.outcome, audit_row.address,
    audit_row.asked
    from audit_row left join account on account.id = audit_row.account
    left join client on client.id = audit_row.account
    where audit_row.place between $1 and $2 and audit_row.at >= $3 and audit_row.at < $4
    and (cast($5 as text) is null or audit_row.action = $5) and (cast($6 as text) is null or audit_row.outcome = $6)
    and audit_row.subject = $9 and (cast($10 as uuid) is null or audit_row.account = $10)
    order by audit_row.at desc, audit_row.id desc limit $7 offset $8";
const READERS: &str =
    "select audit_row.at, audit_row.account, coalesce(account.display_name, client.name), audit_row.role,
    audit_row.action, audit_row.subject, audit_row.place, audit_row.reason, audit_row.outcome, audit_row.address,
    audit_row.asked
    from audit_row left join account on account.id = audit_row.account
    left join client on client.id = audit_row.account
    where audit_row.subject = $1 and audit_row.outcome <> 'refused'
    order by audit_row.at desc, audit_row.id desc limit $2";
const CALLED: &str = "select id from account where (sign_in_name = $1 or display_name = $2)
    and place between $3 and $4 order by case when sign_in_name = $1 then 0 else 1 end, id limit 1";
const CLIENT_CALLED: &str =
    "select id from client where name = $1 and place between $2 and $3 order by id limit 1";

const NIGHT: &str = "select audit_row.account, coalesce(account.display_name, client.name), audit_row.role,
    count(*), count(distinct audit_row.subject), min(audit_row.at), max(audit_row.at)
    from audit_row left join account on account.id = audit_row.account
    left join client on client.id = audit_row.account
    where audit_row.place between $1 and $2 and audit_row.at >= $3 and audit_row.at < $4
    and audit_row.account is not null and audit_row.outcome = 'done'
    and audit_row.action in ('read', 'read_person', 'read_household', 'print', 'export')
    and (((audit_row.at / 1000000 + 28800) % 86400) / 3600 >= $6
        or ((audit_row.at / 1000000 + 28800) % 86400) / 3600 < $7)
    group by audit_row.account, account.display_name, client.name, audit_row.role
    having count(*) >= $5 order by count(*) desc, audit_row.account limit 100";
const MANY_PEOPLE: &str =
    "select audit_row.account, coalesce(account.display_name, client.name), audit_row.role,
    count(*), count(distinct audit_row.subject), min(audit_row.at), max(audit_row.at)
    from audit_row left join account on account.id = audit_row.account
    left join client on client.id = audit_row.account
    where audit_row.place between $1 and $2 and audit_row.at >= $3 and audit_row.at < $4
    and audit_row.account is not null and audit_row.outcome = 'done' and audit_row.action = 'read_person'
    group by audit_row.account, account.display_name, client.name, audit_row.role,
        (audit_row.at + 28800000000) / 3600000000
    having count(distinct audit_row.subject) >= $5
    order by count(distinct audit_row.subject) desc, audit_row.account, min(audit_row.at) limit 100";
const MANY_EXPORTS: &str =
    "select audit_row.account, coalesce(account.display_name, client.name), audit_row.role,
    count(*), count(distinct audit_row.subject), min(audit_row.at), max(audit_row.at)
    from audit_row left join account on account.id = audit_row.account
    left join client on client.id = audit_row.account
    where audit_row.place between $1 and $2 and audit_row.at >= $3 and audit_row.at < $4
    and audit_row.account is not null and audit_row.outcome = 'done' and audit_row.action = 'export'
    group by audit_row.account, account.display_name, client.name, audit_row.role,
        (audit_row.at + 28800000000) / 86400000000
    having count(*) >= $5 order by count(*) desc, audit_row.account, min(audit_row.at) limit 100";
const WITHOUT_ACT: &str =
    "select audit_row.account, coalesce(account.display_name, client.name), audit_row.role,
    count(*), count(distinct audit_row.subject), min(audit_row.at), max(audit_row.at)
    from audit_row left join account on account.id = audit_row.account
    left join client on client.id = audit_row.account
    where audit_row.place between $1 and $2 and audit_row.at >= $3 and audit_row.at < $4
    and audit_row.account is not null and audit_row.outcome = 'done' and audit_row.action = 'read_person'
    and not exists (select 1 from relation where relation.person = audit_row.subject
        and (relation.account = audit_row.account or relation.institution = account.institution))
    and not exists (select 1 from audit_row own where own.subject = audit_row.subject
        and own.at between audit_row.at - $6 and audit_row.at + $6 and own.account = audit_row.account
        and own.action not in ('read', 'read_person', 'read_household', 'print', 'export'))
    group by audit_row.account, account.display_name, client.name, audit_row.role
    having count(distinct audit_row.subject) >= $5
    order by count(distinct audit_row.subject) desc, audit_row.account limit 100";

pub(crate) fn search(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    wanted: &AuditWanted,
    offset: i64,
    limit: i64,
) -> Result<Vec<AuditRow>, DatabaseError> {
    let (first, last, since, until) = (reach.first(), reach.last(), wanted.since, wanted.until);
    let (action, outcome) = (wanted.action.as_deref(), wanted.outcome.as_deref());
    let rows = match (wanted.subject, wanted.account) {
        (Some(subject), account) => tx.query(
            BY_SUBJECT,
            &params![first, last, since, until, action, outcome, limit, offset, subject, account],
        ),
        (None, Some(account)) => {
            tx.query(BY_ACCOUNT, &params![first, last, since, until, action, outcome, limit, offset, account])
        }
        (None, None) => {
            tx.query(BY_TIME, &params![first, last, since, until, action, outcome, limit, offset])
        }
    };
    rows?.iter().map(read_row).collect()
}

pub(crate) fn readers(
    tx: &mut Transaction<'_>,
    subject: Uuid,
    limit: i64,
) -> Result<Vec<AuditRow>, DatabaseError> {
    tx.query(READERS, &params![subject, limit])?.iter().map(read_row).collect()
}

pub(crate) fn account_called(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    name: &str,
) -> Result<Option<Uuid>, DatabaseError> {
    let name = name.trim();
    let called = params![name.to_ascii_lowercase(), name, reach.first(), reach.last()];
    let found = match tx.query_one(CALLED, &called)? {
        None => tx.query_one(CLIENT_CALLED, &params![name, reach.first(), reach.last()])?,
        found => found,
    };
    found.map(|row| row.get(0)).transpose()
}

fn read_unusual(row: &Row) -> Result<Unusual, DatabaseError> {
    Ok(Unusual {
        account: row.get(0)?,
        name: row.get(1)?,
        role: row.get(2)?,
        lines: row.get(3)?,
        people: row.get(4)?,
        first: row.get(5)?,
        last: row.get(6)?,
    })
}

pub(crate) fn unusual(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    watch: &AuditWatch,
    kind: UnusualKind,
    (since, until): (Moment, Moment),
) -> Result<Vec<Unusual>, DatabaseError> {
    let (first, last) = (reach.first(), reach.last());
    let rows = match kind {
        UnusualKind::Night => {
            let (from, to) = (watch.night_from_hour, watch.night_until_hour);
            tx.query(NIGHT, &params![first, last, since, until, watch.night_reads, from, to])
        }
        UnusualKind::ManyPeople => {
            tx.query(MANY_PEOPLE, &params![first, last, since, until, watch.people_an_hour])
        }
        UnusualKind::ManyExports => {
            tx.query(MANY_EXPORTS, &params![first, last, since, until, watch.exports_a_day])
        }
        UnusualKind::WithoutAct => {
            let within = ACT_WITHIN_DAYS * 86_400 * Moment::SECOND;
            tx.query(WITHOUT_ACT, &params![first, last, since, until, watch.people_without_act, within])
        }
    };
    rows?.iter().map(read_unusual).collect()
}
