//! What was published: what each changed, in words, and which settled years it touches.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use kangmai_access::{Purpose, reach};
use kangmai_database::DatabaseError;
use kangmai_programme::{Publication, Touches, Visit, publication, publications};
use kangmai_web::{Failure, Field, Form, Page, show};

use crate::pages::{language, place_name};
use crate::store::draft as store;

/// Publications that the list shows.
const MOST_RELEASES: i64 = 200;
const FIELDS: &[Field] = &[Field::text("title", "what_if.draft.field.title").at_most(80)];

struct Line {
    path: String,
    number: i64,
    title: String,
    place: String,
    day: String,
    author: String,
    approver: String,
}

#[derive(Template)]
#[template(path = "policy_releases.html")]
struct ReleasesPage {
    page: Page,
    rows: Vec<Line>,
    hash: String,
}

/// GET `/policies/releases`.
pub(crate) async fn show_releases(visit: Visit) -> Result<Response, Failure> {
    let found = visit.app.database.read(|tx| publications(tx, MOST_RELEASES)).await;
    let found = found.map_err(|error: DatabaseError| error)?;
    let page = visit.page.clone().titled("what_if.releases.title");
    let rows = found.into_iter().map(|one| line(&page, one)).collect();
    show(&ReleasesPage { rows, hash: visit.app.policies.hash().to_owned(), page })
}

fn line(page: &Page, one: Publication) -> Line {
    Line {
        path: format!("/policies/releases/{}", one.number),
        number: one.number,
        title: one.title,
        place: place_name(one.place),
        day: page.day(one.at.day()),
        author: one.author,
        approver: one.approver,
    }
}

/// A year with bills that were settled before.
struct Year {
    year: i32,
    bills: String,
    command: String,
}

#[derive(Template)]
#[template(path = "policy_release.html")]
struct ReleasePage {
    page: Page,
    line: Line,
    told: Vec<String>,
    paths: Vec<String>,
    touches: String,
    years: Vec<Year>,
    may_resettle: bool,
    release: String,
    made_from: String,
    restore: Option<Form>,
}

/// GET `/policies/releases/{number}`.
pub(crate) async fn show_release(visit: Visit, Path(number): Path<String>) -> Result<Response, Failure> {
    let number: i64 = number.parse().map_err(|_| Failure::NotFound)?;
    let figures = reach(&visit.actor, Purpose::ReadFigures);
    let read = move |tx: &mut kangmai_database::Transaction<'_>| {
        let Some((found, paths)) = publication(tx, number)? else { return Ok(None) };
        let from = match found.touches {
            Touches::Nothing => return Ok(Some((found, paths, Vec::new()))),
            Touches::From(day) => Some(day),
            Touches::Everything => None,
        };
        // Of the publication's place, as far as the reader sees.
        let within = figures.filter(|reach| reach.covers(found.place) || found.place.contains(reach.place()));
        let within = within.map(|reach| reach.narrowed(found.place));
        let years = within.map(|reach| store::touched_years(tx, &reach, from)).transpose()?;
        Ok(Some((found, paths, years.unwrap_or_default())))
    };
    let found = visit.app.database.read(read).await.map_err(|error: DatabaseError| error)?;
    let (found, paths, years) = found.ok_or(Failure::NotFound)?;
    let edits = reach(&visit.actor, Purpose::EditPolicy).filter(|reach| reach.covers(found.place));
    let list = visit.page.word("what_if.releases.title").into_owned();
    let mut page = visit.page.clone().under(list, "/policies/releases").titled("what_if.release.title");
    page.lead.clone_from(&found.title);
    let command = |year: i32| {
        format!("kangmai settlement resettle --release --year {year} --place {} --dry-run", found.place)
    };
    let years = years.into_iter().map(|(year, bills)| Year {
        year,
        bills: page.number(bills),
        command: command(year),
    });
    show(&ReleasePage {
        years: years.collect(),
        touches: match found.touches {
            Touches::Nothing => page.word("what_if.release.touches.nothing").into_owned(),
            Touches::From(day) => page.say1("what_if.release.touches.from", "day", page.day(day)),
            Touches::Everything => page.word("what_if.release.touches.everything").into_owned(),
        },
        told: found.told.iter().map(|text| text.get(language(&page)).to_owned()).collect(),
        may_resettle: reach(&visit.actor, Purpose::KeepLedger).is_some(),
        restore: edits.map(|_| {
            let mut form = Form::blank(FIELDS);
            form.fill("title", page.say1("what_if.release.restore.title", "number", number));
            form
        }),
        release: found.release.clone(),
        made_from: found.made_from.clone(),
        line: line(&page, found),
        paths,
        page,
    })
}
