//! Accounts: making, closing, moving, a new password.

use askama::Template;
use axum::extract::Path;
use axum::http::Uri;
use axum::response::Response;
use kangmai_access::{
    Account, AccountChange, Binding, BoundIdentity, NewAccount, ONE_TIME_PASSWORD_DAYS, PasswordHash, Role,
    account_within, bind_identity, change_account, create_account, hash_in_turn, identities_of,
    list_accounts, readable_secret, second_factor,
};
use kangmai_base::{DivisionCode, Id, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_places::{Divisions, find_institution, find_institution_by_code};
use kangmai_programme::{App, Visit};
use kangmai_web::{
    Choice, Failure, Field, Flash, Form, FormBody, ListQuery, ListSpec, Page, show, show_refused,
};

static LIST: ListSpec = ListSpec { filters: &[], sorts: &["place"], descending: false };
const FIELDS: &[Field] = &[
    Field::text("sign_in_name", "server.accounts.sign_in_name").at_most(64),
    Field::text("display_name", "server.accounts.display_name").at_most(64),
    Field::select("role", "server.accounts.role"),
    Field::text("place", "server.accounts.place").at_most(12),
    Field::text("institution", "server.accounts.institution").optional().at_most(32),
];

const TRANSFER: &[Field] = &[
    Field::select("role", "server.accounts.role"),
    Field::text("place", "server.accounts.place").at_most(12),
    Field::text("institution", "server.accounts.institution").optional().at_most(32),
];
const IDENTITY: &[Field] = &[Field::text("subject", "server.accounts.subject").at_most(255)];

#[derive(Template)]
#[template(path = "office_account.html")]
struct AccountPage {
    page: Page,
    id: Id<Account>,
    transfer: Form,
    identity: Form,
    identities: Vec<BoundIdentity>,
    /// Whether an identity provider is set.
    has_provider: bool,
    has_factor: bool,
    /// A password that was just made: shown now and never again.
    one_time: Option<String>,
}

impl AccountPage {
    /// How long it serves.
    fn one_time_about(&self) -> String {
        self.page.count("server.accounts.one_time.about", ONE_TIME_PASSWORD_DAYS)
    }
}

#[derive(Template)]
#[template(path = "office_accounts.html")]
struct AccountsPage {
    page: Page,
    list: ListQuery,
    form: Form,
    rows: Vec<Line>,
    more: bool,
}

struct Line {
    account: Account,
    role: String,
    place: String,
    state: &'static str,
    tone: &'static str,
}

fn roles(page: &Page) -> Vec<Choice> {
    let word = |role: &Role| page.word(&format!("access.role.{}", role.key())).into_owned();
    Role::ALL.iter().map(|role| Choice::new(role.key(), word(role))).collect()
}

async fn accounts_page(visit: &Visit, uri: &Uri, mut form: Form) -> Result<AccountsPage, Failure> {
    let list = ListQuery::read(&LIST, uri);
    let (offset, limit, reach) = (list.paging.offset(), list.paging.limit(), visit.reach.clone());
    let accounts = visit.app.database.read(move |tx| list_accounts(tx, &reach, offset, limit + 1)).await?;
    let page = visit.page.clone().titled("server.accounts");
    form.offer("role", roles(&page));
    let shown = usize::try_from(limit).unwrap_or(0);
    let more = accounts.len() > shown;
    let now = visit.app.clock.now();
    let rows = accounts
        .into_iter()
        .take(shown)
        .map(|account| {
            let (state, tone) = if account.closed_at.is_some() {
                ("server.accounts.closed", "plain")
            } else if account.locked_until.is_some_and(|until| until > now) {
                ("server.accounts.locked", "warning")
            } else {
                ("server.accounts.open", "good")
            };
            Line {
                role: page.word(&format!("access.role.{}", account.role.key())).into_owned(),
                place: Divisions::shipped().get(account.place).map(|one| one.full_name()).unwrap_or_default(),
                account,
                state,
                tone,
            }
        })
        .collect();
    Ok(AccountsPage { page, list, form, rows, more })
}

pub(super) async fn show_accounts(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let form = Form::blank(FIELDS);
    show(&accounts_page(&visit, &uri, form).await?)
}

pub(super) async fn create(visit: Visit, uri: Uri, body: FormBody) -> Result<Response, Failure> {
    let mut form = body.form(FIELDS);
    form.offer("role", roles(&visit.page));
    let name = form.text("sign_in_name");
    let display = form.text("display_name");
    let role = form.choice("role").and_then(|key| Role::from_key(&key));
    let place = form.division("place").filter(|place| Divisions::shipped().has(*place));
    if let (Some(sign_in_name), Some(display_name), Some(role)) = (name, display, role) {
        let institution = form.text("institution");
        let named = Named { sign_in_name, display_name };
        match make(&visit, named, (role, place, institution)).await? {
            Ok((id, password)) => return show(&account_page(&visit, id, Some(password)).await?),
            Err(refusal) => form.refuse(refusal),
        }
    }
    show_refused(&accounts_page(&visit, &uri, form).await?)
}

struct Named {
    sign_in_name: String,
    display_name: String,
}

/// The institution of an account by its code: a desk has one, a hospital's doctor may have one, nobody else has any.
async fn institution_of(
    visit: &Visit,
    role: Role,
    code: Option<String>,
) -> Result<Result<Option<Uuid>, Refusal>, Failure> {
    if !role.may_be_of_an_institution() || (code.is_none() && !role.is_of_an_institution()) {
        return Ok(Ok(None));
    }
    let Some(code) = code else {
        return Ok(Err(Refusal::new("server.accounts.no_institution").at("institution")));
    };
    let found = visit.app.database.read(move |tx| find_institution_by_code(tx, &code)).await?;
    Ok(match found {
        Some(found) => Ok(Some(found.id.uuid())),
        None => Err(Refusal::new("access.client.no_institution").at("institution")),
    })
}

async fn make(
    visit: &Visit,
    Named { sign_in_name, display_name }: Named,
    (role, place, institution): (Role, Option<DivisionCode>, Option<String>),
) -> Result<Result<(Id<Account>, String), Refusal>, Failure> {
    let Some(place) = place.filter(|place| visit.reach.covers(*place)) else {
        return Ok(Err(Refusal::new("access.account.place_out_of_reach").at("place")));
    };
    let institution = match institution_of(visit, role, institution).await? {
        Ok(institution) => institution,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let (app, actor) = (visit.app.clone(), visit.actor.clone());
    let (text, password) = match one_time_password(&app).await? {
        Ok(made) => made,
        Err(busy) => return Ok(Err(busy)),
    };
    let id = Id::from_uuid(app.mint());
    let new = NewAccount { id, sign_in_name, display_name, role, place, institution, password };
    let (audit_id, now) = (app.mint(), app.clock.now());
    let made = app.database.write(move |tx| create_account(tx, &actor, &new, audit_id, now)).await?;
    Ok(made.map(|()| (id, text)))
}

/// A password that serves once, and its hash: nobody chooses the password of somebody else.
pub(super) async fn one_time_password(
    app: &App,
) -> Result<Result<(String, PasswordHash), Refusal>, DatabaseError> {
    let until = app.clock.now().plus_seconds(ONE_TIME_PASSWORD_DAYS * 86_400);
    let text = readable_secret(&*app.ids);
    let hash = hash_in_turn(&app.ids, text.clone()).await?;
    Ok(hash.map(|hash| (text, hash.one_time(until))))
}

async fn account_page(
    visit: &Visit,
    id: Id<Account>,
    one_time: Option<String>,
) -> Result<AccountPage, Failure> {
    let reach = visit.reach.clone();
    let read = move |tx: &mut Transaction<'_>| {
        let account = account_within(tx, &reach, id)?;
        let institution = account.as_ref().and_then(|account| account.institution);
        let code = match institution {
            Some(id) => find_institution(tx, Id::from_uuid(id))?.map(|found| found.body.code),
            None => None,
        };
        let factor = (identities_of(tx, id)?, second_factor(tx, id)?.is_some());
        Ok::<_, DatabaseError>((account, code.unwrap_or_default(), factor))
    };
    let (found, institution, (identities, has_factor)) = visit.app.database.read(read).await?;
    let account = found.ok_or(Failure::NotFound)?;
    let title = visit.page.word("server.accounts").into_owned();
    let mut page = visit.page.clone().under(title, "/accounts");
    page.title = account.display_name;
    page.lead = account.sign_in_name;
    let mut transfer = Form::blank(TRANSFER);
    transfer.offer("role", roles(&page));
    transfer.fill("role", account.role.key());
    transfer.fill("place", account.place);
    transfer.fill("institution", institution);
    let (identity, has_provider) = (Form::blank(IDENTITY), visit.app.gate().rules.issuer.is_some());
    Ok(AccountPage { page, id, transfer, identity, identities, has_provider, has_factor, one_time })
}

pub(super) async fn show_account(visit: Visit, Path(id): Path<Id<Account>>) -> Result<Response, Failure> {
    show(&account_page(&visit, id, None).await?)
}

pub(super) async fn change(
    visit: Visit,
    Path(id): Path<Id<Account>>,
    body: FormBody,
) -> Result<Response, Failure> {
    let change = match body.act() {
        "close" => AccountChange::Close,
        "reopen" => AccountChange::Reopen,
        "unlock" => AccountChange::Unlock,
        "transfer" => return transfer(visit, id, body).await,
        "second_factor" => AccountChange::ResetSecondFactor,
        "bind" => return bind(visit, id, body).await,
        "unbind" => return unbind(&visit, id, &body).await,
        "password" => return set_password(&visit, id).await,
        _ => return Err(Failure::Malformed),
    };
    match make_change(&visit, id, change).await? {
        Ok(()) => Ok(changed(&visit, "/accounts")),
        Err(refusal) if refusal.key == "access.account.own" => {
            Ok(Flash::warning(visit.page.refusal(&refusal)).then_go_to("/accounts"))
        }
        Err(_) => Err(Failure::NotFound),
    }
}

fn changed(visit: &Visit, path: &str) -> Response {
    Flash::good(visit.page.word("server.accounts.changed").into_owned()).then_go_to(path)
}

async fn make_change(
    visit: &Visit,
    id: Id<Account>,
    change: AccountChange,
) -> Result<Result<(), Refusal>, Failure> {
    let (app, actor, reach) = (visit.app.clone(), visit.actor.clone(), visit.reach.clone());
    let (audit_id, now) = (app.mint(), app.clock.now());
    let write =
        move |tx: &mut Transaction<'_>| change_account(tx, &actor, &reach, id, &change, audit_id, now);
    Ok(visit.app.database.write(write).await?)
}

/// Binds an identity of the provider that is set.
async fn bind(visit: Visit, id: Id<Account>, body: FormBody) -> Result<Response, Failure> {
    let issuer = visit.app.gate().rules.issuer.clone().ok_or(Failure::NotFound)?;
    let shown = account_page(&visit, id, None).await?;
    let mut form = body.form(IDENTITY);
    if let Some(subject) = form.text("subject") {
        match make_binding(&visit, id, (issuer, subject), Binding::Bind).await? {
            Ok(()) => return Ok(changed(&visit, &format!("/accounts/{id}"))),
            Err(refusal) => form.refuse(refusal),
        }
    }
    show_refused(&AccountPage { identity: form, ..shown })
}

async fn unbind(visit: &Visit, id: Id<Account>, body: &FormBody) -> Result<Response, Failure> {
    let identity = (body.value("issuer").to_owned(), body.value("subject").to_owned());
    make_binding(visit, id, identity, Binding::Unbind).await?.map_err(|_| Failure::NotFound)?;
    Ok(changed(visit, &format!("/accounts/{id}")))
}

async fn make_binding(
    visit: &Visit,
    id: Id<Account>,
    (issuer, subject): (String, String),
    binding: Binding,
) -> Result<Result<(), Refusal>, Failure> {
    let (app, actor, reach) = (visit.app.clone(), visit.actor.clone(), visit.reach.clone());
    let stamp = (app.mint(), app.clock.now());
    let write = move |tx: &mut Transaction<'_>| {
        bind_identity(tx, &actor, &reach, id, (&issuer, &subject), binding, stamp)
    };
    Ok(visit.app.database.write(write).await?)
}

async fn transfer(visit: Visit, id: Id<Account>, body: FormBody) -> Result<Response, Failure> {
    let shown = account_page(&visit, id, None).await?;
    let mut form = body.form(TRANSFER);
    form.offer("role", roles(&visit.page));
    let role = form.choice("role").and_then(|key| Role::from_key(&key));
    if let (Some(role), Some(place)) = (role, form.division("place")) {
        let code = form.text("institution");
        let institution = match Divisions::shipped().has(place) {
            true => institution_of(&visit, role, code).await?,
            false => Err(Refusal::new("access.account.place_out_of_reach").at("place")),
        };
        let made = match institution {
            Ok(institution) => {
                make_change(&visit, id, AccountChange::Transfer { role, place, institution }).await?
            }
            Err(refusal) => Err(refusal),
        };
        match made {
            Ok(()) => return Ok(changed(&visit, &format!("/accounts/{id}"))),
            Err(refusal) => form.refuse(refusal),
        }
    }
    show_refused(&AccountPage { transfer: form, ..shown })
}

async fn set_password(visit: &Visit, id: Id<Account>) -> Result<Response, Failure> {
    let made = one_time_password(&visit.app).await?;
    let done = match made {
        Ok((text, hash)) => {
            make_change(visit, id, AccountChange::Password(hash)).await?.map_err(|_| Failure::NotFound)?;
            text
        }
        Err(busy) => return Err(Failure::Refused(busy)),
    };
    show(&account_page(visit, id, Some(done)).await?)
}
