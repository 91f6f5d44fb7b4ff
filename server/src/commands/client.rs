//! `kangmai client`: systems of hospitals and their keys.

use anyhow::{anyhow, bail};
use clap::Subcommand;
use kangmai_access::{
    Actor, Client, NewClient, Purpose, Reach, create_client, list_clients, reach, revoke_client, rotate_key,
    set_scopes,
};
use kangmai_base::{Clock as _, DivisionCode, DivisionLevel, Id, Ids as _, SystemClock, SystemIds};
use kangmai_database::Database;
use kangmai_places::{Divisions, find_institution_by_code};

use crate::config::Config;
use crate::programmes;

use super::account::refused;
use super::say;

#[derive(Debug, Subcommand)]
pub(super) enum ClientCommand {
    /// Make a client for an institution; its key is printed once
    Add {
        /// What to call it
        name: String,
        /// The institution's code in the register
        #[arg(long)]
        institution: String,
        /// Division code of the place whose people it settles for; else the institution's county
        #[arg(long)]
        place: Option<String>,
    },
    /// Make a new key, printed once; the one before still works for some days
    Rotate {
        /// Its identifier, or its name
        client: String,
    },
    /// Say which operations a client's keys open
    Scope {
        /// Its identifier, or its name
        client: String,
        /// An operation, as pre_settle or reconcile; several may be given; none: all
        #[arg(long = "only")]
        only: Vec<String>,
    },
    /// End all keys of a client at once
    Revoke {
        /// Its identifier, or its name
        client: String,
    },
    /// List the clients
    List,
}

/// Clients that are looked through.
const MOST: i64 = 100_000;

pub(super) fn run(config: &Config, command: &ClientCommand) -> anyhow::Result<()> {
    let database = super::serve::ready_database(config)?;
    match command {
        ClientCommand::Add { name, institution, place } => {
            let place = place.as_deref().map(str::parse).transpose()?;
            say(add(&database, name, institution, place)?);
        }
        ClientCommand::Rotate { client } => say(new_key(&database, called(&database, client)?)?),
        ClientCommand::Scope { client, only } => set_scope(&database, client, only)?,
        ClientCommand::Revoke { client } => {
            let (id, reach, now) = (called(&database, client)?, whole_reach()?, SystemClock.now());
            let audit_id = SystemIds.mint(now);
            refused(
                database.write_blocking(move |tx| {
                    revoke_client(tx, &Actor::system(), &reach, id, audit_id, now)
                })?,
            )?;
        }
        ClientCommand::List => {
            let now = SystemClock.now();
            for client in all(&database)? {
                let state = match (client.closed_at, client.keys_at(now).next()) {
                    (Some(_), _) => "revoked",
                    (None, Some(_)) => "open",
                    (None, None) => "no key",
                };
                let seen = client.seen_at().map_or_else(|| "never".to_owned(), |at| at.to_string());
                let (id, place) = (client.id, client.place);
                say(format!("{id}\t{}\t{}\t{place}\t{state}\t{seen}", client.name, client.institution_name));
            }
        }
    }
    Ok(())
}

fn set_scope(database: &Database, client: &str, only: &[String]) -> anyhow::Result<()> {
    let routes = programmes::all().iter().flat_map(|programme| (programme.routes)());
    let known: Vec<&str> = routes.filter_map(|route| route.operation).map(|one| one.id).collect();
    if let Some(unknown) = only.iter().find(|name| !known.contains(&name.as_str())) {
        bail!("there is no operation {unknown:?}; there are {}", known.join(", "));
    }
    let (id, reach, now) = (called(database, client)?, whole_reach()?, SystemClock.now());
    let (audit_id, only) = (SystemIds.mint(now), only.to_vec());
    refused(database.write_blocking(move |tx| {
        let scopes = (!only.is_empty()).then_some(only.as_slice());
        set_scopes(tx, &Actor::system(), &reach, id, scopes, (audit_id, now))
    })?)
}

fn whole_reach() -> anyhow::Result<Reach> {
    reach(&Actor::system(), Purpose::ManageAccounts).ok_or_else(|| anyhow!("no reach"))
}

fn all(database: &Database) -> anyhow::Result<Vec<Client>> {
    let reach = whole_reach()?;
    Ok(database.read_blocking(move |tx| list_clients(tx, &reach, 0, MOST))?)
}

/// The one client of this identifier or name.
fn called(database: &Database, name: &str) -> anyhow::Result<Id<Client>> {
    let mut found = all(database)?.into_iter().filter(|client| {
        client.id.to_string() == name || (client.closed_at.is_none() && client.name == name)
    });
    match (found.next(), found.next()) {
        (Some(client), None) => Ok(client.id),
        (None, _) => bail!("there is no client {name:?}"),
        (Some(_), Some(_)) => bail!("several clients are called {name:?}: give the identifier"),
    }
}

/// Makes a client as the system; answers its key.
pub(super) fn add(
    database: &Database,
    name: &str,
    institution: &str,
    place: Option<DivisionCode>,
) -> anyhow::Result<String> {
    let code = institution.to_owned();
    let found = database.read_blocking(move |tx| find_institution_by_code(tx, &code))?;
    let found = found.ok_or_else(|| anyhow!("there is no institution with the code {institution:?}"))?;
    let place = place.unwrap_or_else(|| found.place.at(DivisionLevel::County));
    if !Divisions::shipped().has(place) {
        bail!("there is no division {place}");
    }
    let (reach, now) = (whole_reach()?, SystemClock.now());
    let id = Id::from_uuid(SystemIds.mint(now));
    let new = NewClient { id, name: name.to_owned(), institution: found.id.uuid(), place };
    refused(
        database
            .write_blocking(move |tx| create_client(tx, &Actor::system(), &reach, &new, &SystemIds, now))?,
    )
}

/// A new key of a client.
pub(super) fn new_key(database: &Database, id: Id<Client>) -> anyhow::Result<String> {
    let (reach, now) = (whole_reach()?, SystemClock.now());
    refused(database.write_blocking(move |tx| rotate_key(tx, &Actor::system(), &reach, id, &SystemIds, now))?)
}

/// A key for the client called `name`, which is made if it is not there: what a demonstration prints.
pub(super) fn key_for(database: &Database, name: &str, institution: &str) -> anyhow::Result<String> {
    match called(database, name) {
        Ok(id) => new_key(database, id),
        Err(_) => add(database, name, institution, None),
    }
}
