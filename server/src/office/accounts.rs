//! Accounts: making, closing, moving, a new password.

use askama::Template;
use axum::extract::Path;
use axum::http::Uri;
use axum::response::Response;
use kangmai_access::{
    Account, AccountChange, NewAccount, Role, change_account, create_account, hash_password, list_accounts,
};
use kangmai_base::{DivisionCode, Id, Refusal};
use kangmai_places::Divisions;
use kangmai_programme::Visit;
use kangmai_web::{
    Choice, Failure, Field, Flash, Form, FormBody, ListQuery, ListSpec, Page, show, show_refused,
};

static LIST: ListSpec = ListSpec { filters: &[], sorts: &["place"], descending: false };
const FIELDS: &[Field] = &[
    Field::text("sign_in_name", "server.accounts.sign_in_name").at_most(64),
    Field::text("display_name", "server.accounts.display_name").at_most(64),
    Field::select("role", "server.accounts.role"),
    Field::text("place", "server.accounts.place").at_most(12),
    Field::password("password", "server.accounts.password").autocomplete("new-password"),
];

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

async fn accounts_page(visit: &Visit, uri: &Uri, mut form: Form) -> Result<AccountsPage, Failure> {
    let list = ListQuery::read(&LIST, uri);
    let (offset, limit, reach) = (list.paging.offset(), list.paging.limit(), visit.reach.clone());
    let accounts = visit.app.database.read(move |tx| list_accounts(tx, &reach, offset, limit + 1)).await?;
    let page = visit.page.clone().titled("server.accounts");
    let roles = Role::ALL
        .iter()
        .map(|role| Choice::new(role.key(), page.word(&format!("access.role.{}", role.key())).into_owned()));
    form.offer("role", roles.collect());
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
    form.offer("role", Role::ALL.iter().map(|role| Choice::new(role.key(), role.key())).collect());
    let name = form.text("sign_in_name");
    let display = form.text("display_name");
    let role = form.choice("role").and_then(|key| Role::from_key(&key));
    let place = form.division("place").filter(|place| Divisions::shipped().has(*place));
    let password = form.text("password");
    if let (Some(sign_in_name), Some(display_name), Some(role), Some(password)) =
        (name, display, role, password)
    {
        match make(&visit, sign_in_name, display_name, role, place, password).await? {
            Ok(()) => {
                let done = visit.page.word("server.accounts.created").into_owned();
                return Ok(Flash::good(done).then_go_to("/accounts"));
            }
            Err(refusal) => form.refuse(refusal),
        }
    }
    form.fill("password", "");
    show_refused(&accounts_page(&visit, &uri, form).await?)
}

async fn make(
    visit: &Visit,
    sign_in_name: String,
    display_name: String,
    role: Role,
    place: Option<DivisionCode>,
    password: String,
) -> Result<Result<(), Refusal>, Failure> {
    let Some(place) = place.filter(|place| visit.reach.covers(*place)) else {
        return Ok(Err(Refusal::new("access.account.place_out_of_reach").at("place")));
    };
    let app = visit.app.clone();
    let hashed = tokio::task::spawn_blocking(move || hash_password(&*app.ids, &password)).await?;
    let password = match hashed {
        Ok(password) => password,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let (app, actor) = (visit.app.clone(), visit.actor.clone());
    let id = Id::from_uuid(app.mint());
    let new = NewAccount { id, sign_in_name, display_name, role, place, institution: None, password };
    let (audit_id, now) = (app.mint(), app.clock.now());
    Ok(app.database.write(move |tx| create_account(tx, &actor, &new, audit_id, now)).await?)
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
        _ => return Err(Failure::Malformed),
    };
    let (app, actor, reach) = (visit.app.clone(), visit.actor.clone(), visit.reach.clone());
    let (audit_id, now) = (app.mint(), app.clock.now());
    app.database
        .write(move |tx| change_account(tx, &actor, &reach, id, &change, audit_id, now))
        .await?
        .map_err(|_| Failure::NotFound)?;
    Ok(Flash::good(visit.page.word("server.accounts.changed").into_owned()).then_go_to("/accounts"))
}
