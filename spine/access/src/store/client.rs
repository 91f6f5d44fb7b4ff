//! The SQL of clients and their keys.

use kangmai_base::{Id, Moment};
use kangmai_database::{DatabaseError, Row, Transaction, params};

use crate::client::{Client, ClientKey, NewClient};
use crate::{Actor, Reach, Role};

const INSERT_CLIENT: &str = "insert into client (id, name, institution, place, created_at, created_by)
    values ($1, $2, $3, $4, $5, $6)";
const INSERT_KEY: &str =
    "insert into client_key (hash, client, hint, made_at, expires_at) values ($1, $2, $3, $4, $5)";
const REVOKE_KEYS_BEFORE: &str =
    "update client_key set revoked_at = $3 where client = $1 and made_at < $2 and revoked_at is null";
const SHORTEN_KEYS: &str = "update client_key set expires_at = $2 where client = $1 and expires_at > $2";
const CLOSE_CLIENT: &str = "update client set closed_at = $2 where id = $1";
const SET_SCOPES: &str = "update client set scopes = $2 where id = $1";
const REVOKE_KEYS: &str = "update client_key set revoked_at = $2 where client = $1 and revoked_at is null";
const SET_SEEN: &str = "update client_key set seen_at = $2 where hash = $1";
const CLIENT: &str = "select client.id, client.name, client.institution, institution.name, client.place,
    client.created_at, account.display_name, client.closed_at, client.scopes from client
    left join institution on institution.id = client.institution
    left join account on account.id = client.created_by where client.id = $1";
const CLIENTS: &str = "select client.id, client.name, client.institution, institution.name, client.place,
    client.created_at, account.display_name, client.closed_at, client.scopes from client
    left join institution on institution.id = client.institution
    left join account on account.id = client.created_by
    where client.place between $1 and $2 order by client.place, client.name, client.id limit $3 offset $4";
const KEYS_OF: &str = "select hint, made_at, expires_at, revoked_at, seen_at from client_key
    where client = $1 order by made_at desc, hash limit 20";
const OF_KEY: &str = "select client.id, client.name, client.institution, '', client.place, client.created_at,
    client.name, client.closed_at, client.scopes, client_key.hint, client_key.made_at, client_key.expires_at,
    client_key.revoked_at, client_key.seen_at
    from client_key join client on client.id = client_key.client
    where client_key.hash = $1 and client.closed_at is null";

pub(crate) fn insert_client(
    tx: &mut Transaction<'_>,
    new: &NewClient,
    by: &Actor,
    now: Moment,
) -> Result<(), DatabaseError> {
    let by = (by.role != Role::System).then_some(by.account);
    tx.execute(INSERT_CLIENT, &params![new.id, new.name.trim(), new.institution, new.place, now, by])?;
    Ok(())
}

pub(crate) fn insert_key(
    tx: &mut Transaction<'_>,
    client: Id<Client>,
    hash: &[u8],
    key: &ClientKey,
) -> Result<(), DatabaseError> {
    let parameters = params![hash.to_vec(), client, key.hint.as_str(), key.made_at, key.expires_at];
    tx.execute(INSERT_KEY, &parameters)?;
    Ok(())
}

pub(crate) fn revoke_keys_before(
    tx: &mut Transaction<'_>,
    client: Id<Client>,
    made_before: Moment,
    now: Moment,
) -> Result<(), DatabaseError> {
    tx.execute(REVOKE_KEYS_BEFORE, &params![client, made_before, now])?;
    Ok(())
}

/// Keys that would last longer end at `at`.
pub(crate) fn shorten_keys(
    tx: &mut Transaction<'_>,
    client: Id<Client>,
    at: Moment,
) -> Result<(), DatabaseError> {
    tx.execute(SHORTEN_KEYS, &params![client, at])?;
    Ok(())
}

pub(crate) fn set_scopes(
    tx: &mut Transaction<'_>,
    client: Id<Client>,
    scopes: Option<String>,
) -> Result<(), DatabaseError> {
    tx.execute(SET_SCOPES, &params![client, scopes])?;
    Ok(())
}

pub(crate) fn close_client(
    tx: &mut Transaction<'_>,
    client: Id<Client>,
    now: Moment,
) -> Result<(), DatabaseError> {
    tx.execute(CLOSE_CLIENT, &params![client, now])?;
    tx.execute(REVOKE_KEYS, &params![client, now])?;
    Ok(())
}

pub(crate) fn set_key_seen(tx: &mut Transaction<'_>, hash: &[u8], now: Moment) -> Result<(), DatabaseError> {
    tx.execute(SET_SEEN, &params![hash.to_vec(), now])?;
    Ok(())
}

fn read_client(row: &Row) -> Result<Client, DatabaseError> {
    Ok(Client {
        id: row.get(0)?,
        name: row.get(1)?,
        institution: row.get(2)?,
        institution_name: row.get::<Option<String>>(3)?.unwrap_or_default(),
        place: row.get(4)?,
        created_at: row.get(5)?,
        created_by: row.get(6)?,
        closed_at: row.get(7)?,
        keys: Vec::new(),
        scopes: row
            .get::<Option<String>>(8)?
            .map(|text| text.split_whitespace().map(str::to_owned).collect()),
    })
}

fn read_key(row: &Row, first: usize) -> Result<ClientKey, DatabaseError> {
    Ok(ClientKey {
        hint: row.get(first)?,
        made_at: row.get(first + 1)?,
        expires_at: row.get(first + 2)?,
        revoked_at: row.get(first + 3)?,
        seen_at: row.get(first + 4)?,
    })
}

fn with_keys(tx: &mut Transaction<'_>, mut client: Client) -> Result<Client, DatabaseError> {
    let rows = tx.query(KEYS_OF, &params![client.id])?;
    client.keys = rows.iter().map(|row| read_key(row, 0)).collect::<Result<_, _>>()?;
    Ok(client)
}

pub(crate) fn client(tx: &mut Transaction<'_>, id: Id<Client>) -> Result<Option<Client>, DatabaseError> {
    let Some(row) = tx.query_one(CLIENT, &params![id])? else { return Ok(None) };
    let client = read_client(&row)?;
    with_keys(tx, client).map(Some)
}

pub(crate) fn clients(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    offset: i64,
    limit: i64,
) -> Result<Vec<Client>, DatabaseError> {
    let rows = tx.query(CLIENTS, &params![reach.first(), reach.last(), limit, offset])?;
    let clients: Vec<Client> = rows.iter().map(read_client).collect::<Result<_, _>>()?;
    clients.into_iter().map(|client| with_keys(tx, client)).collect()
}

pub(crate) fn client_of_key(
    tx: &mut Transaction<'_>,
    hash: &[u8],
) -> Result<Option<(Client, ClientKey)>, DatabaseError> {
    let Some(row) = tx.query_one(OF_KEY, &params![hash.to_vec()])? else { return Ok(None) };
    Ok(Some((read_client(&row)?, read_key(&row, 9)?)))
}
