//! `/people/lists/{label}`: the residents that a figure counts.

use askama::Template;
use axum::extract::Path;
use axum::http::Uri;
use axum::response::Response;
use kangmai_access::{Purpose, Reach, reach};
use kangmai_base::DivisionCode;
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::Person;
use kangmai_places::{Division, Divisions};
use kangmai_programme::Visit;
use kangmai_web::{Choice, Failure, Field, ListQuery, ListSpec, Page, show};

use crate::list::List;
use crate::pages::{PersonLine, dated_tags, full_place, under_search};

pub(crate) static SPEC: ListSpec = ListSpec {
    filters: &[Field::select("place", "register.list.place")],
    sorts: &["place"],
    descending: false,
};

#[derive(Template)]
#[template(path = "register_list.html")]
struct ListPage {
    page: Page,
    list: ListQuery,
    lines: Vec<PersonLine>,
    contact: bool,
    /// Where the list is to be had as a file; for who keeps the register.
    export: Option<String>,
    others: Vec<(String, String)>,
}

/// The place that a list is asked for, within `all`; not found where it lies outside.
pub(crate) fn asked_reach(all: &Reach, list: &ListQuery) -> Result<Reach, Failure> {
    match list.filter("place") {
        None => Ok(all.clone()),
        Some(text) => {
            let place: DivisionCode = text.parse().map_err(|_| Failure::NotFound)?;
            if all.covers(place) { Ok(all.narrowed(place)) } else { Err(Failure::NotFound) }
        }
    }
}

/// The divisions right below the reader's own, and the one asked for.
fn places(all: &Reach, asked: &Reach) -> Vec<Choice> {
    let divisions = Divisions::shipped();
    let choice = |division: Division<'_>| Choice::new(division.code().to_string(), division.short_name());
    let own = divisions.get(all.place());
    let below = own.map(Division::children).unwrap_or_default();
    let mut choices: Vec<Choice> = below.into_iter().map(choice).collect();
    let code = asked.place().to_string();
    if asked.place() != all.place() && !choices.iter().any(|choice| choice.value == code) {
        choices.extend(divisions.get(asked.place()).map(choice));
    }
    choices
}

/// GET.
pub(crate) async fn page(visit: Visit, Path(label): Path<String>, uri: Uri) -> Result<Response, Failure> {
    let which = List::of_key(&label).ok_or(Failure::NotFound)?;
    let mut list = ListQuery::read(&SPEC, &uri);
    let asked = asked_reach(&visit.reach, &list)?;
    list.offer("place", places(&visit.reach, &asked));
    if asked.place() != visit.reach.place() {
        list.form.fill("place", asked.place());
    }
    let (narrow, today, paging) = (asked.clone(), visit.today, list.paging);
    let read = move |tx: &mut Transaction<'_>| {
        let total = which.count(tx, &narrow, today)?;
        Ok::<_, DatabaseError>((which.people(tx, &narrow, today, paging.offset(), paging.limit())?, total))
    };
    let (people, total) = visit.app.database.read(read).await?;
    list.found(total.unsigned_abs());
    let mut page = under_search(visit.page);
    page.title = page.word(which.word()).into_owned();
    page.lead = page.say(
        "register.list.lead",
        &[("place", &full_place(asked.place())), ("day", &page.day(today)), ("total", &page.number(total))],
    );
    // Since when somebody is on the list stands beside what they are on it for.
    let line = |person: &Person| PersonLine {
        labels: dated_tags(&page, today, &person.body.labels),
        ..PersonLine::of(&page, &visit.reach, today, person)
    };
    let lines = people.iter().map(line).collect();
    let keeps = reach(&visit.actor, Purpose::KeepRegister).is_some();
    let others = List::every()
        .filter(|other| *other != which)
        .map(|other| {
            let path = format!("/people/lists/{}", other.key());
            (page.word(other.word()).into_owned(), list.export_href(&path))
        })
        .collect();
    let export = keeps.then(|| list.export_href(&format!("/people/lists/{label}/export")));
    show(&ListPage { page, lines, contact: visit.reach.contact(), export, others, list })
}
