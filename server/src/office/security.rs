//! The security officer's page: accounts and their locks, and who broke the glass how often. Nothing of a resident.

use askama::Template;
use axum::extract::Path;
use axum::http::Uri;
use axum::response::Response;
use kangmai_access::{
    Account, AccountChange, BreakGlassSum, break_glass_sums, change_account, list_accounts,
};
use kangmai_base::Id;
use kangmai_database::{DatabaseError, Transaction};
use kangmai_places::Divisions;
use kangmai_programme::Visit;
use kangmai_web::{Failure, Flash, FormBody, ListQuery, ListSpec, Page, show};

static LIST: ListSpec = ListSpec { filters: &[], sorts: &["place"], descending: false };
/// Days that are counted.
const COUNTED_DAYS: i64 = 90;

#[derive(Template)]
#[template(path = "office_security.html")]
struct SecurityPage {
    page: Page,
    list: ListQuery,
    said: String,
    sums: Vec<Sum>,
    accounts: Vec<Line>,
    more: bool,
}

struct Sum {
    sum: BreakGlassSum,
    role: String,
}

struct Line {
    account: Account,
    role: String,
    place: String,
    state: &'static str,
    tone: &'static str,
    is_locked: bool,
}

/// GET.
pub(super) async fn show_security(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let list = ListQuery::read(&LIST, &uri);
    let (offset, limit, within) = (list.paging.offset(), list.paging.limit(), visit.reach.clone());
    let now = visit.app.clock.now();
    let since = now.plus_seconds(-COUNTED_DAYS * 86_400);
    let read = move |tx: &mut Transaction<'_>| {
        let sums = break_glass_sums(tx, &within, since)?;
        Ok::<_, DatabaseError>((sums, list_accounts(tx, &within, offset, limit + 1)?))
    };
    let (sums, accounts) = visit.app.database.read(read).await?;
    let page = visit.page.titled("server.security");
    let role_word = |key: &str| page.word(&format!("access.role.{key}")).into_owned();
    let sums = sums.into_iter().map(|sum| Sum { role: role_word(sum.role.key()), sum }).collect();
    let shown = usize::try_from(limit).unwrap_or(0);
    let more = accounts.len() > shown;
    let accounts = accounts.into_iter().take(shown).map(|account| {
        let is_locked = account.locked_until.is_some_and(|until| until > now);
        let (state, tone) = match (account.closed_at, is_locked) {
            (Some(_), _) => ("server.accounts.closed", "plain"),
            (None, true) => ("server.accounts.locked", "warning"),
            (None, false) => ("server.accounts.open", "good"),
        };
        Line {
            role: role_word(account.role.key()),
            place: Divisions::shipped().get(account.place).map(|one| one.full_name()).unwrap_or_default(),
            account,
            state,
            tone,
            is_locked,
        }
    });
    let accounts = accounts.collect();
    let said = page.say1("server.security.counted", "days", COUNTED_DAYS);
    show(&SecurityPage { page, list, said, sums, accounts, more })
}

/// POST: an account is locked, and its sessions end.
pub(super) async fn lock(
    visit: Visit,
    Path(id): Path<Id<Account>>,
    body: FormBody,
) -> Result<Response, Failure> {
    if body.act() != "lock" {
        return Err(Failure::Malformed);
    }
    let (app, actor, within) = (visit.app.clone(), visit.actor.clone(), visit.reach.clone());
    let (audit_id, now) = (app.mint(), app.clock.now());
    let work = move |tx: &mut Transaction<'_>| {
        change_account(tx, &actor, &within, id, &AccountChange::Lock, audit_id, now)
    };
    match visit.app.database.write(work).await? {
        Ok(()) => {
            let done = visit.page.word("server.security.locked").into_owned();
            Ok(Flash::good(done).then_go_to("/security"))
        }
        Err(refusal) if refusal.key == "access.account.own" => {
            Ok(Flash::warning(visit.page.refusal(&refusal)).then_go_to("/security"))
        }
        Err(_) => Err(Failure::NotFound),
    }
}
