//! Standing in: who is on leave names a colleague; who was named works in their place; an administrator does it for
//! somebody who no longer can.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use kangmai_access::{
    Account, Actor, Delegation, LONGEST_DELEGATION_DAYS, LONGEST_DELEGATION_REASON, NewDelegation, Role,
    account_within, colleagues, delegate, delegations, end_delegation, stand_in,
};
use kangmai_base::{Id, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_places::Divisions;
use kangmai_programme::{App, DueLine, Visit};
use kangmai_web::{Choice, Failure, Field, Flash, Form, FormBody, Page, show, show_refused};

use super::sign_in::go_on;

const NEW: &[Field] = &[
    Field::select("to", "server.delegations.to"),
    Field::day("from", "server.delegations.from"),
    Field::day("until", "server.delegations.until"),
    Field::text("reason", "server.delegations.reason").optional().at_most(LONGEST_DELEGATION_REASON),
];

#[derive(Template)]
#[template(path = "office_delegations.html")]
struct DelegationsPage {
    page: Page,
    path: String,
    /// None where there is nobody who could stand in.
    form: Option<Form>,
    hint: String,
    given: Vec<Line>,
    received: Vec<Line>,
    /// The name of whom the visitor stands in for now.
    absent: Option<String>,
}

struct Line {
    id: Uuid,
    who: String,
    days: String,
    reason: String,
    holds: bool,
}

/// Whose page it is: one's own, or that of an account that an administrator looks after.
async fn whose(visit: &Visit, account: Option<Id<Account>>) -> Result<Id<Account>, Failure> {
    let Some(account) = account else { return Ok(visit.actor.account) };
    let reach = visit.reach.clone();
    let found = visit.app.database.read(move |tx| account_within(tx, &reach, account)).await?;
    found.map(|account| account.id).ok_or(Failure::NotFound)
}

async fn page_of(visit: &Visit, of: Id<Account>, form: Option<Form>) -> Result<DelegationsPage, Failure> {
    let now = visit.app.clock.now();
    let read = move |tx: &mut Transaction<'_>| {
        Ok::<_, DatabaseError>((delegations(tx, of, now)?, colleagues(tx, of)?))
    };
    let ((given, received), colleagues) = visit.app.database.read(read).await?;
    let is_own = of == visit.actor.account;
    let mut page = visit.page.clone().titled("server.delegations");
    if !is_own {
        page = page.under(visit.page.word("server.accounts").into_owned(), "/accounts");
        page.lead = given.first().map(|one| one.of.display_name.clone()).unwrap_or_default();
    }
    let form = (!colleagues.is_empty()).then(|| {
        let mut form = form.unwrap_or_else(|| {
            let mut form = Form::blank(NEW);
            form.fill("from", visit.today);
            form
        });
        let choice = |one: &Account| Choice::new(one.id.to_string(), said(&page, one));
        form.offer("to", colleagues.iter().map(choice).collect());
        form
    });
    let line = |one: &Delegation, who: &Account| Line {
        id: one.id,
        who: said(&page, who),
        days: format!("{} – {}", one.from.day(), one.last_day()),
        reason: one.reason.clone(),
        holds: one.holds(now),
    };
    Ok(DelegationsPage {
        path: if is_own { "/delegations".to_owned() } else { format!("/accounts/{of}/delegations") },
        hint: page.say1("server.delegations.hint", "days", LONGEST_DELEGATION_DAYS),
        given: given.iter().map(|one| line(one, &one.to)).collect(),
        received: received.iter().filter(|_| is_own).map(|one| line(one, &one.of)).collect(),
        absent: visit.actor.stands_in_for.clone().filter(|_| is_own),
        form,
        page,
    })
}

/// An account as colleagues know it: name, role, place.
fn said(page: &Page, account: &Account) -> String {
    let role = page.word(&format!("access.role.{}", account.role.key()));
    let place = Divisions::shipped().get(account.place).map(|one| one.short_name()).unwrap_or_default();
    format!("{} · {role} · {place}", account.display_name)
}

/// GET: who stands in for oneself, and for whom one does.
pub(super) async fn show_own(visit: Visit) -> Result<Response, Failure> {
    show(&page_of(&visit, visit.actor.account, None).await?)
}

/// GET: who stands in for an account.
pub(super) async fn show_of(visit: Visit, Path(id): Path<Id<Account>>) -> Result<Response, Failure> {
    let of = whose(&visit, Some(id)).await?;
    show(&page_of(&visit, of, None).await?)
}

/// POST: name somebody, end it, work in somebody's place, go back to one's own.
pub(super) async fn change_own(visit: Visit, body: FormBody) -> Result<Response, Failure> {
    match body.act() {
        "take" => stand(&visit, Some(id_in(&body)?)).await,
        "back" => stand(&visit, None).await,
        _ => change(visit, None, body).await,
    }
}

/// POST: the same by an administrator, without working in anybody's place.
pub(super) async fn change_of(
    visit: Visit,
    Path(id): Path<Id<Account>>,
    body: FormBody,
) -> Result<Response, Failure> {
    change(visit, Some(id), body).await
}

fn id_in(body: &FormBody) -> Result<Uuid, Failure> {
    body.value("delegation").parse().map_err(|_| Failure::Malformed)
}

async fn stand(visit: &Visit, id: Option<Uuid>) -> Result<Response, Failure> {
    let (app, actor, token) = (visit.app.clone(), visit.actor.clone(), visit.token.clone());
    let now = app.clock.now();
    let work = move |tx: &mut Transaction<'_>| stand_in(tx, &actor, &token, id, &*app.ids, now);
    match visit.app.database.write(work).await? {
        Ok(token) => Ok(go_on(&visit.app, "/", &token)),
        Err(refusal) => Ok(Flash::warning(visit.page.refusal(&refusal)).then_go_to("/delegations")),
    }
}

async fn change(visit: Visit, account: Option<Id<Account>>, body: FormBody) -> Result<Response, Failure> {
    let of = whose(&visit, account).await?;
    let path = account.map_or_else(|| "/delegations".to_owned(), |id| format!("/accounts/{id}/delegations"));
    let (app, actor, now) = (visit.app.clone(), visit.actor.clone(), visit.app.clock.now());
    if body.act() == "end" {
        let id = id_in(&body)?;
        let work = move |tx: &mut Transaction<'_>| end_delegation(tx, &actor, id, &*app.ids, now);
        let flash = match visit.app.database.write(work).await? {
            Ok(()) => Flash::good(visit.page.word("server.delegations.ended").into_owned()),
            Err(refusal) => Flash::warning(visit.page.refusal(&refusal)),
        };
        return Ok(flash.then_go_to(&path));
    }
    let mut form = body.form(NEW);
    let offered = visit.app.database.read(move |tx| colleagues(tx, of)).await?;
    form.offer(
        "to",
        offered.iter().map(|one| Choice::new(one.id.to_string(), said(&visit.page, one))).collect(),
    );
    let typed = (form.choice("to"), form.day("from"), form.day("until"), form.text("reason"));
    if let (Some(to), Some(from), Some(until), reason, false) =
        (typed.0, typed.1, typed.2, typed.3, form.is_refused())
    {
        let to = to.parse().map_err(|_| Failure::Malformed)?;
        let new = NewDelegation { of, to, days: (from, until), reason: reason.unwrap_or_default() };
        let work = move |tx: &mut Transaction<'_>| delegate(tx, &actor, &new, &*app.ids, now);
        match visit.app.database.write(work).await? {
            Ok(_) => {
                let said = visit.page.word("server.delegations.done").into_owned();
                return Ok(Flash::good(said).then_go_to(&path));
            }
            Err(refusal) => form.refuse(refusal),
        }
    }
    show_refused(&page_of(&visit, of, Some(form)).await?)
}

/// Colleagues who asked to stand in for them today.
pub(super) fn due(tx: &mut Transaction<'_>, app: &App, actor: &Actor) -> Result<Vec<DueLine>, DatabaseError> {
    if actor.role == Role::System || actor.stands_in_for.is_some() {
        return Ok(Vec::new());
    }
    let now = app.clock.now();
    let received = delegations(tx, actor.account, now)?.1;
    let count = received.iter().filter(|one| one.holds(now)).count();
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    Ok(vec![DueLine { word: "server.delegations.due", count, late: 0, path: "/delegations".to_owned() }])
}
