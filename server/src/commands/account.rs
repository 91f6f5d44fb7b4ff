//! `kangmai account`: the first administrator, and help when nobody can sign in any more.

use anyhow::{anyhow, bail};
use clap::Subcommand;
use kangmai_access::{
    Account, AccountChange, Actor, NewAccount, ONE_TIME_PASSWORD_DAYS, PasswordHash, Purpose, Role,
    change_account, create_account, hash_password, list_accounts, reach, readable_secret,
};
use kangmai_base::{Clock as _, DivisionCode, Id, Ids as _, Moment, Refusal, SystemClock, SystemIds, Uuid};
use kangmai_database::{Database, DatabaseError};
use kangmai_places::find_institution_by_code;
use kangmai_web::{Language, Words};

use crate::config::Config;
use crate::programmes;

use super::say;

#[derive(Debug, Subcommand)]
pub(super) enum AccountCommand {
    /// Make an account; its password is printed once
    Add {
        /// What is typed at sign-in
        name: String,
        /// village_doctor, township_officer, county_desk, insurance_clerk, health_bureau, cadre, auditor, administrator
        #[arg(long)]
        role: String,
        /// Division code of 2, 4, 6, 9 or 12 digits
        #[arg(long)]
        place: String,
        /// Code of the institution: needed for county_desk, and for an expert who answers what is referred to it
        #[arg(long)]
        institution: Option<String>,
        /// What to call them; else the sign-in name
        #[arg(long)]
        display: Option<String>,
    },
    /// List the accounts
    List,
    /// Set a new password, printed once; ends all sessions
    Password {
        /// What is typed at sign-in
        name: String,
    },
    /// Close an account; ends all sessions
    Close {
        /// What is typed at sign-in
        name: String,
    },
}

/// Accounts that are looked through.
const MOST: i64 = 100_000;

pub(super) fn run(config: &Config, command: &AccountCommand) -> anyhow::Result<()> {
    let database = super::serve::ready_database(config)?;
    match command {
        AccountCommand::Add { name, role, place, institution, display } => {
            let role = Role::from_key(role).ok_or_else(|| anyhow!("there is no role {role:?}"))?;
            let place: DivisionCode = place.parse()?;
            let password = readable_secret(&SystemIds);
            let names = (name.as_str(), display.as_deref().unwrap_or(name));
            let hash = refused(hash_password(&SystemIds, &password))?.one_time(one_time_until());
            refused(write_account(&database, names, role, (place, institution.as_deref()), hash)?)?;
            say(format!("{name}: {password}"));
        }
        AccountCommand::List => {
            for account in all(&database)? {
                let state = if account.closed_at.is_some() { "closed" } else { "open" };
                say(format!("{}\t{}\t{}\t{state}", account.sign_in_name, account.role.key(), account.place));
            }
        }
        AccountCommand::Password { name } => {
            let password = readable_secret(&SystemIds);
            let hash = refused(hash_password(&SystemIds, &password))?.one_time(one_time_until());
            refused(change(&database, name, AccountChange::Password(hash))?)?;
            say(format!("{name}: {password}"));
        }
        AccountCommand::Close { name } => refused(change(&database, name, AccountChange::Close)?)?,
    }
    Ok(())
}

/// Until when a password that is printed now serves to choose one's own.
fn one_time_until() -> Moment {
    SystemClock.now().plus_seconds(ONE_TIME_PASSWORD_DAYS * 86_400)
}

/// The institution of an account by its code: a desk has one, a hospital's doctor may have one, nobody else has any.
fn institution_of(
    database: &Database,
    role: Role,
    code: Option<&str>,
) -> Result<Result<Option<Uuid>, Refusal>, DatabaseError> {
    if !role.may_be_of_an_institution() || (code.is_none() && !role.is_of_an_institution()) {
        return Ok(Ok(None));
    }
    let Some(code) = code.map(str::to_owned) else {
        return Ok(Err(Refusal::new("server.accounts.no_institution")));
    };
    let found = database.read_blocking(move |tx| find_institution_by_code(tx, &code))?;
    Ok(found.map(|found| Some(found.id.uuid())).ok_or_else(|| Refusal::new("access.client.no_institution")))
}

/// Makes an account as the system, with a password that stays.
pub(super) fn make_account(
    database: &Database,
    (name, display): (&str, &str),
    role: Role,
    (place, institution): (DivisionCode, Option<&str>),
    password: &str,
) -> Result<Result<(), Refusal>, DatabaseError> {
    match hash_password(&SystemIds, password) {
        Ok(hash) => write_account(database, (name, display), role, (place, institution), hash),
        Err(refusal) => Ok(Err(refusal)),
    }
}

fn write_account(
    database: &Database,
    (name, display): (&str, &str),
    role: Role,
    (place, institution): (DivisionCode, Option<&str>),
    password: PasswordHash,
) -> Result<Result<(), Refusal>, DatabaseError> {
    let institution = match institution_of(database, role, institution)? {
        Ok(institution) => institution,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let now = SystemClock.now();
    let new = NewAccount {
        id: Id::from_uuid(SystemIds.mint(now)),
        sign_in_name: name.to_owned(),
        display_name: display.to_owned(),
        role,
        place,
        institution,
        password,
    };
    let audit_id = SystemIds.mint(now);
    database.write_blocking(move |tx| create_account(tx, &Actor::system(), &new, audit_id, now))
}

fn all(database: &Database) -> anyhow::Result<Vec<Account>> {
    let reach = reach(&Actor::system(), Purpose::ManageAccounts).ok_or_else(|| anyhow!("no reach"))?;
    Ok(database.read_blocking(move |tx| list_accounts(tx, &reach, 0, MOST))?)
}

fn change(database: &Database, name: &str, change: AccountChange) -> anyhow::Result<Result<(), Refusal>> {
    let Some(account) = all(database)?.into_iter().find(|account| account.sign_in_name == name) else {
        bail!("there is no account {name:?}");
    };
    let now = SystemClock.now();
    let audit_id = SystemIds.mint(now);
    let reach = reach(&Actor::system(), Purpose::ManageAccounts).ok_or_else(|| anyhow!("no reach"))?;
    Ok(database.write_blocking(move |tx| {
        change_account(tx, &Actor::system(), &reach, account.id, &change, audit_id, now)
    })?)
}

/// The sentence of a refusal, as an error.
pub(super) fn refused<T>(result: Result<T, Refusal>) -> anyhow::Result<T> {
    let words = Words::load(&programmes::words())?;
    result.map_err(|refusal| anyhow!("{}", words.refusal(Language::En, &refusal, "")))
}
