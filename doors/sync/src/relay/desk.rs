//! How a hub stands, for whoever works at it: since when it has had no link, what waits, and what upstream put aside.

use askama::Template;
use axum::Extension;
use axum::extract::{MatchedPath, Path, Request};
use axum::http::{Method, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use kangmai_base::{Moment, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::find_persons;
use kangmai_programme::Visit;
use kangmai_web::{Failure, Flash, FormBody, Page, show};

use crate::relay::AtHub;
use crate::relay::store::{self, Aside, HubLink};
use crate::told::Tellers;

/// What upstream put aside, of which a page shows so many.
const MOST_ASIDE: i64 = 100;

/// What may be done at a hub: signing in, what concerns one's own account here, and what is handed on. Everything else that
/// would be written here would stay here and be lost to the county.
const MAY_BE_SENT: &[&str] = &[
    "/sign-in",
    "/logout",
    "/password",
    "/second-factor",
    "/second-factor/enrolment",
    "/devices",
    // Searches and sums, which write nothing: what is looked for stands in no address.
    "/people",
    "/agreements/residents",
    "/policies/proof",
    "/people/{id}/visit",
    "/people/{id}/missed",
    "/people/{id}/visits/{visit}/correct",
    "/people/{id}/follow-up/{fact}/undo",
    "/hubs/aside/{id}",
    "/preferences",
];

/// Refuses at a hub what would not be handed on.
pub async fn keep_to_hub(request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let looks = matches!(*request.method(), Method::GET | Method::HEAD);
    if looks || path.as_deref().is_none_or(|path| MAY_BE_SENT.contains(&path)) {
        return next.run(request).await;
    }
    Failure::Refused(Refusal::new("sync.refused.at_hub")).into_response()
}

/// A fact that upstream put aside.
struct AsideLine {
    id: String,
    person: String,
    name: String,
    what: String,
    said: String,
    written_at: Moment,
}

#[derive(Template)]
#[template(path = "sync_at_hub.html")]
struct AtHubPage {
    page: Page,
    name: String,
    upstream: String,
    heard: Option<Moment>,
    trouble: Option<String>,
    waiting: String,
    taken: String,
    lines: Vec<AsideLine>,
}

/// How this hub stands.
pub(crate) async fn page(visit: Visit, at_hub: &AtHub, _: &Uri) -> Result<Response, Failure> {
    let (reach, kinds) = (visit.reach.clone(), Tellers::of(visit.app.programmes).written());
    let read = move |tx: &mut Transaction<'_>| -> Result<_, DatabaseError> {
        let aside = store::aside(tx, MOST_ASIDE)?;
        let ids: Vec<Uuid> = aside.iter().map(|one| one.person).collect();
        let people = find_persons(tx, &ids)?;
        // Who is not held here any more has no name here.
        let named = |one: Aside| {
            let person = people.get(&one.person).filter(|person| reach.covers(person.home));
            (person.map(|person| person.body.name.clone()), one)
        };
        let aside: Vec<(Option<String>, Aside)> = aside.into_iter().map(named).collect();
        let link = store::link(tx)?;
        let since = link.as_ref().map_or(Moment(0), |link| link.collected_at);
        let fresh = store::count_fresh(tx, since, &kinds)?;
        let (waiting, taken) = store::sums(tx)?;
        Ok((link, (waiting + fresh, taken), aside))
    };
    let (link, (waiting, taken), aside) = visit.app.database.read(read).await?;
    let page = visit.page.titled("sync.at_hub");
    let (name, heard, trouble) = link.map_or((String::new(), None, String::new()), |link: HubLink| {
        (link.name, link.heard_at, link.trouble)
    });
    let line = |(name, one): (Option<String>, Aside)| AsideLine {
        id: one.fact.to_string(),
        person: one.person.to_string(),
        name: name.unwrap_or_default(),
        what: page.word(what(&one.kind)).into_owned(),
        said: match one.said.is_empty() {
            true => page.word(outcome(&one.outcome)).into_owned(),
            false => one.said,
        },
        written_at: one.written_at,
    };
    let lines = aside.into_iter().map(line).collect();
    show(&AtHubPage {
        name,
        upstream: at_hub.0.to_string(),
        heard,
        trouble: (!trouble.is_empty()).then(|| page.word(&trouble).into_owned()),
        waiting: page.count("sync.at_hub.waiting", waiting),
        taken: page.count("sync.at_hub.taken", taken),
        lines,
        page,
    })
}

/// What a kind of fact is called, as far as it is known here.
fn what(kind: &str) -> &'static str {
    match kind.rsplit('.').next() {
        Some("visited") => "sync.at_hub.visited",
        Some("missed") => "sync.at_hub.missed",
        Some("undone") => "sync.at_hub.undone",
        _ => "sync.at_hub.other",
    }
}

fn outcome(outcome: &str) -> &'static str {
    if outcome == "rejected" { "sync.rejected.unreadable" } else { "sync.parked.before" }
}

/// POST `/hubs/aside/{id}`: somebody has seen to it.
pub(crate) async fn seen(
    visit: Visit,
    at_hub: Option<Extension<AtHub>>,
    Path(id): Path<Uuid>,
    _: FormBody,
) -> Result<Response, Failure> {
    let now = visit.app.clock.now();
    if at_hub.is_none() || !visit.app.database.write(move |tx| store::note_seen(tx, id, now)).await? {
        return Err(Failure::NotFound);
    }
    Ok(Flash::good(visit.page.word("sync.at_hub.seen")).then_go_to("/hubs"))
}
