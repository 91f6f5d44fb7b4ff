//! The pages of this programme: the list of who is to be visited, and what stands on one person's address.

mod form;
mod manage;
mod print;
mod sheet;
mod visit;
mod work;

use std::collections::HashMap;

use askama::Template;
use axum::http::Uri;
use axum::response::Response;
use kangmai_access::{Actor, Purpose, Reach, audit, reach, reach_of_person};
use kangmai_base::{Day, DivisionCode, DivisionLevel, Id, Moment, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::{Person, find_person};
use kangmai_policy::follow_up::FollowUpRules;
use kangmai_programme::{Route, Visit, place_choices, place_name};
use kangmai_web::{Choice, Failure, Field, ListQuery, ListSpec, Page, show};

use crate::act::{Hand, Writing, write};
use crate::facts::Grade;
use crate::rules::{self, Ill};
use crate::sentences::{Names, reason, said, tone};
use crate::store::{self, Count, Listed, Row, Side, Wanted, When};

use Purpose::{ReadFollowUps, ReadRecord, RecordVisits};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/follow-up", ReadFollowUps, list),
        Route::get("/follow-up/work", ReadFollowUps, work::page).about_nobody(),
        Route::get("/follow-up/visits", ReadFollowUps, work::visits),
        Route::get("/people/{id}/visit", RecordVisits, sheet::blank),
        Route::post("/people/{id}/visit", RecordVisits, sheet::record),
        Route::post("/people/{id}/missed", RecordVisits, visit::missed),
        Route::get("/people/{id}/visits/{visit}", ReadRecord, visit::page),
        Route::get("/people/{id}/visits/{visit}/correct", RecordVisits, sheet::filled),
        Route::post("/people/{id}/visits/{visit}/correct", RecordVisits, sheet::correct),
        Route::get("/people/{id}/visits/{visit}/print/{programme}", ReadRecord, print::page),
        Route::post("/people/{id}/follow-up/{fact}/undo", RecordVisits, visit::undo),
        Route::get("/people/{id}/management", RecordVisits, manage::page),
        Route::post("/people/{id}/management/enrol", RecordVisits, manage::enrol),
        Route::post("/people/{id}/management/close", RecordVisits, manage::close),
    ]
}

static LIST: ListSpec = ListSpec {
    filters: &[
        Field::select("when", "follow_up.filter.when").optional(),
        Field::select("programme", "follow_up.filter.programme").optional(),
        Field::select("grade", "follow_up.filter.grade").optional(),
        Field::select("place", "follow_up.filter.place").optional(),
        Field::select("side", "follow_up.filter.side").optional(),
        Field::select("order", "follow_up.filter.order").optional(),
    ],
    sorts: &[],
    descending: false,
};

/// A person on the list.
struct Line {
    person: String,
    household: String,
    name: String,
    age: Option<i32>,
    place: String,
    /// Tone, word and sentence, one for each programme.
    reasons: Vec<(&'static str, String, String)>,
    again_on: Option<Day>,
    /// That they live elsewhere than registered, and since when nobody reaches them: tone and words.
    marks: Vec<(&'static str, String)>,
}

#[derive(Template)]
#[template(path = "follow_up_list.html")]
struct ListPage {
    page: Page,
    list: ListQuery,
    lines: Vec<Line>,
    restricted: i64,
    may_write: bool,
}

/// The programmes that lists can be asked for: none of level 5.
fn listed_programmes(visit: &Visit) -> Vec<&FollowUpRules> {
    let all = visit.app.policies.follow_ups(visit.reach.place(), visit.today);
    let open = all.into_iter().filter(|rules| rules.sensitive < rules::SECRET_LEVEL);
    open.filter(|rules| rules::is_managed_here(rules)).collect()
}

fn asked(list: &ListQuery, all: &Reach) -> (Wanted, Reach) {
    let wanted = Wanted {
        programme: list.chosen("programme").map(str::to_owned),
        when: list.chosen("when").and_then(When::of_key).unwrap_or_default(),
        grade: list.chosen("grade").map(|grade| if grade == "danger" { Grade::Danger } else { Grade::Refer }),
        by_household: list.chosen("order") == Some("household"),
        side: list.chosen("side").and_then(Side::of_key).unwrap_or_default(),
    };
    let place = list.parsed::<DivisionCode>("place");
    (wanted, place.map_or_else(|| all.clone(), |place| all.narrowed(place)))
}

fn offer(visit: &Visit, list: &mut ListQuery) {
    let page = &visit.page;
    let choice = |key: &str, word: String| Choice::new(key, page.word(&word));
    let when = When::ALL.map(|when| choice(when.key(), format!("follow_up.when.{}", when.key())));
    list.offer("when", when.to_vec());
    let programmes = listed_programmes(visit);
    let programmes =
        programmes.into_iter().map(|one| Choice::new(one.programme.clone(), said(page, &one.short)));
    list.offer("programme", programmes.collect());
    let grades = ["danger", "referred"].map(|key| choice(key, format!("follow_up.grade.{key}")));
    list.offer("grade", grades.to_vec());
    let sides = Side::ALL.map(|side| choice(side.key(), format!("follow_up.side.{}", side.key())));
    list.offer("side", sides.to_vec());
    let orders = ["person", "household"].map(|key| choice(key, format!("follow_up.order.{key}")));
    list.offer("order", orders.to_vec());
    // What holds where nobody chose stands there as chosen.
    let usual = [("when", When::default().key()), ("side", Side::default().key()), ("order", "person")];
    for (name, usual) in usual {
        if list.chosen(name).is_none() {
            list.form.fill(name, usual);
        }
    }
}

/// GET `/follow-up`: who is to be visited, within reach. Those of level 5 are counted, not shown.
pub(crate) async fn list(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let mut list = ListQuery::read(&LIST, &uri);
    offer(&visit, &mut list);
    let (wanted, narrowed) = asked(&list, &visit.reach);
    let (limit, offset) = (list.paging.limit(), list.paging.offset());
    let (ask, within, today) = (wanted.clone(), narrowed.clone(), visit.today);
    let read = move |tx: &mut Transaction<'_>| {
        let listed = store::listed(tx, &within, &ask, today, (limit, offset))?;
        let counts = [ask.when, When::Soon, When::Overdue].map(|when| Wanted { when, ..ask.clone() });
        let [count, soon, overdue] = counts.map(|wanted| store::count(tx, &within, &wanted, today));
        let mut rows = HashMap::new();
        for one in &listed {
            rows.insert(one.person, store::rows_of(tx, one.person)?);
        }
        Ok::<_, DatabaseError>((listed, rows, [count?, soon?, overdue?]))
    };
    let (listed, rows, [count, soon, overdue]): (Vec<Listed>, HashMap<Uuid, Vec<Row>>, [Count; 3]) =
        visit.app.database.read(read).await?;
    list.offer("place", place_choices(&visit.reach, &narrowed));
    list.found(count.listed.unsigned_abs());
    let page = visit.page.clone().titled("follow_up.title");
    let todo =
        page.say2("follow_up.to_do", "soon", page.number(soon.listed), "late", page.number(overdue.listed));
    let line = |one: &Listed| {
        let names = Names { release: &visit.app.policies, home: one.home, on: visit.today };
        let own = rows.get(&one.person).map(Vec::as_slice).unwrap_or_default();
        let shown: Vec<&Row> = own.iter().filter(|row| waits(row, wanted.when, visit.today)).collect();
        line(&page, &names, one, &shown, visit.today)
    };
    let lines = listed.iter().map(line).collect();
    let may_write = reach(&visit.actor, RecordVisits).is_some();
    let page = page.clone().to_do(todo, None);
    show(&ListPage { page, list, lines, restricted: count.restricted, may_write })
}

/// Whether a programme is why somebody is on the list: what is not due yet is left out, unless everybody is asked for.
fn waits(row: &Row, when: When, today: Day) -> bool {
    let by = |last: Day| row.due_on.is_some_and(|due| due <= last);
    match when {
        When::All | When::Unreached => true,
        When::Soon => row.grade == Grade::Danger || by(today.plus_days(When::SOON_DAYS)),
        When::Month => row.grade == Grade::Danger || by(store::first_of_next_month(today).plus_days(-1)),
        When::Overdue => by(today.plus_days(-1)),
    }
}

fn line(page: &Page, names: &Names<'_>, one: &Listed, rows: &[&Row], today: Day) -> Line {
    let reasons = rows.iter().map(|row| {
        let is_late = row.due_on.is_some_and(|due| due < today);
        let (tone, word) = match (row.grade, is_late) {
            (Grade::Danger, _) => (tone(row.grade, None), "follow_up.mark.danger"),
            (_, true) => ("warning", "follow_up.mark.late"),
            (Grade::Refer, _) => (tone(row.grade, None), "follow_up.mark.referred"),
            _ => ("plain", "follow_up.mark.due"),
        };
        (tone, page.word(word).into_owned(), reason(page, names, row, today))
    });
    Line {
        person: one.person.to_string(),
        household: format!("/households/{}", one.household),
        name: one.name.clone(),
        age: one.birth.map(|birth| today.age_of(birth)),
        place: place_name(one.home),
        reasons: reasons.collect(),
        again_on: one.again_on,
        marks: marks(page, one, today),
    }
}

/// 代管 with both places, 外出 where only the telephone reaches, 联系不上.
fn marks(page: &Page, one: &Listed, today: Day) -> Vec<(&'static str, String)> {
    let mut marks = Vec::new();
    let county = |place: DivisionCode| place.at(DivisionLevel::County);
    if one.served != one.home {
        marks.push(("plain", page.say1("follow_up.mark.served", "place", place_name(one.served))));
    } else if let Some(living) = one.living.filter(|living| county(*living) != county(one.home)) {
        marks.push(("plain", page.say1("follow_up.mark.away", "place", place_name(living))));
    }
    if let Some(since) = one.unreached_since {
        let days = today.days_since(since);
        let text = page.say2("follow_up.mark.unreached", "day", page.day(since), "days", days);
        marks.push(("warning", text));
    }
    marks
}

/// The person whose visits `actor` may write down, by place or because they were handed over.
fn person_within(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    id: Uuid,
    now: Moment,
) -> Result<Option<Person>, DatabaseError> {
    let Some(person) = find_person(tx, Id::from_uuid(id))? else { return Ok(None) };
    let may = reach_of_person(tx, actor, RecordVisits, (id, person.home), now)?;
    Ok(may.map(|_| person))
}

/// Lets `work` write in the chart of a person within reach.
async fn transact<T: Send + 'static>(
    visit: &Visit,
    person: Uuid,
    work: impl FnOnce(&mut Writing<'_>, &[Ill], &Hand) -> Result<Result<T, Refusal>, DatabaseError>
    + Send
    + 'static,
) -> Result<Result<T, Refusal>, Failure> {
    let (app, actor) = (visit.app.clone(), visit.actor.clone());
    let now = visit.app.clock.now();
    let hand =
        Hand { author: visit.actor.account.uuid(), by: visit.actor.name.clone(), now, recorded_at: now };
    let done = visit.app.database.write(move |tx| {
        let Some(person) = person_within(tx, &actor, person, now)? else { return Ok(None) };
        write(tx, &app, &person, &hand, |writing, ill| work(writing, ill, &hand)).map(Some)
    });
    done.await?.ok_or(Failure::NotFound)
}

/// Notes that somebody read a record.
async fn note(visit: &Visit, subject: Uuid, place: DivisionCode) -> Result<(), DatabaseError> {
    let (id, now, actor) = (visit.app.mint(), visit.app.clock.now(), visit.actor.clone());
    let write = move |tx: &mut Transaction<'_>| {
        audit(tx, id, now, &actor, "read_person", Some(subject), place, "", "done")
    };
    visit.app.database.write(write).await
}
