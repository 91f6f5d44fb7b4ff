//! `/people/{id}/readers`: who looked at this record, as a page that the township prints and hands to the person. What stands in
//! the record is not on it.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use kangmai_access::{AuditRow, audit, readers_of};
use kangmai_base::{Day, Moment, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::{PersonId, find_person};
use kangmai_programme::Visit;
use kangmai_web::{Failure, Page, show};

use crate::pages::{full_place, under_search};

/// Lines that are gone through; a record with more is told for its latest.
const MOST_LINES: i64 = 2_000;

/// What one did on one day.
struct Line {
    day: Day,
    name: String,
    role: String,
    place: String,
    action: String,
    times: usize,
    last: Moment,
}

#[derive(Template)]
#[template(path = "register_readers.html")]
struct ReadersPage {
    page: Page,
    rows: Vec<Line>,
    is_cut: bool,
}

/// GET. To print it leaves a line, which stands on the next print.
pub(crate) async fn page(visit: Visit, Path(id): Path<Uuid>) -> Result<Response, Failure> {
    let within = visit.reach.clone();
    let read = move |tx: &mut Transaction<'_>| {
        let person = find_person(tx, PersonId::from_uuid(id))?;
        let Some(person) = person.filter(|person| within.covers(person.home)) else { return Ok(None) };
        Ok::<_, DatabaseError>(Some((person, readers_of(tx, id, MOST_LINES)?)))
    };
    let (person, rows) = visit.app.database.read(read).await?.ok_or(Failure::NotFound)?;
    let (line, now, actor, home) = (visit.app.mint(), visit.app.clock.now(), visit.actor, person.home);
    let note =
        move |tx: &mut Transaction<'_>| audit(tx, line, now, &actor, "print", Some(id), home, "", "done");
    visit.app.database.write(note).await?;
    let mut page = under_search(visit.page).under(person.body.name.clone(), format!("/people/{id}"));
    page.title = page.say1("register.readers.of", "name", &person.body.name);
    let is_cut = i64::try_from(rows.len()).is_ok_and(|rows| rows >= MOST_LINES);
    let rows = by_day(&page, rows);
    show(&ReadersPage { page, rows, is_cut })
}

/// One line for each day, reader and kind of act, the newest first.
fn by_day(page: &Page, rows: Vec<AuditRow>) -> Vec<Line> {
    let mut found: BTreeMap<(Day, Option<Uuid>, String), Line> = BTreeMap::new();
    for row in rows {
        let account = row.account.map(kangmai_base::Id::uuid);
        let key = (row.at.day(), account, row.action.clone());
        let line = found.entry(key).or_insert_with(|| Line {
            day: row.at.day(),
            name: row.name.clone().unwrap_or_default(),
            role: page.word(&format!("access.role.{}", row.role)).into_owned(),
            place: full_place(row.place),
            action: page.word(&format!("access.action.{}", row.action)).into_owned(),
            times: 0,
            last: row.at,
        });
        line.times += 1;
        line.last = line.last.max(row.at);
    }
    let mut lines: Vec<Line> = found.into_values().collect();
    lines.sort_by_key(|line| std::cmp::Reverse(line.last));
    lines
}
