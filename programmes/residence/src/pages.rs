//! The pages of this programme: hand-overs from either side, one of them, who lives elsewhere without one, and what was done in a
//! month.

mod ask;
mod month;
mod one;

use askama::Template;
use axum::http::Uri;
use axum::response::Response;
use kangmai_access::{Purpose, reach};
use kangmai_base::{Day, DivisionCode};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_places::Divisions;
use kangmai_programme::{Route, Visit, place_choices, place_name};
use kangmai_web::{Choice, Failure, Field, ListQuery, ListSpec, Page, show};

use crate::facts::Side;
use crate::rules::State;
use crate::store::{self, Elsewhere, Listed, Wanted, Where};

use Purpose::{KeepHandOvers, ReadHandOvers};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/residence", ReadHandOvers, list),
        Route::get("/residence/elsewhere", ReadHandOvers, elsewhere),
        Route::get("/residence/month", ReadHandOvers, month::page),
        Route::get("/residence/ask", KeepHandOvers, ask::blank_here).about_nobody(),
        Route::post("/residence/ask", KeepHandOvers, ask::here),
        Route::get("/residence/{hand_over}", ReadHandOvers, one::page),
        Route::post("/residence/{hand_over}/answer", KeepHandOvers, one::answer),
        Route::post("/residence/{hand_over}/end", KeepHandOvers, one::end),
        Route::get("/people/{id}/hand-over", KeepHandOvers, ask::blank_home),
        Route::post("/people/{id}/hand-over", KeepHandOvers, ask::home),
    ]
}

static LIST: ListSpec = ListSpec {
    filters: &[
        Field::select("side", "residence.filter.side").optional(),
        Field::select("which", "residence.filter.which").optional(),
        Field::select("place", "residence.filter.place").optional(),
    ],
    sorts: &[],
    descending: false,
};

static ELSEWHERE: ListSpec = ListSpec {
    filters: &[
        Field::select("where", "residence.filter.where").optional(),
        Field::select("place", "residence.filter.place").optional(),
    ],
    sorts: &[],
    descending: false,
};

/// One of the lists: its word, its path, whether it is this one.
struct Tab {
    word: &'static str,
    path: &'static str,
    is_here: bool,
}

fn tabs(here: &str) -> Vec<Tab> {
    let all = [
        ("residence.hand_overs", "/residence"),
        ("residence.elsewhere", "/residence/elsewhere"),
        ("residence.month", "/residence/month"),
    ];
    all.map(|(word, path)| Tab { word, path, is_here: path == here }).into()
}

/// A place with everything above it: the other one may lie in another province.
pub(crate) fn whole_name(place: DivisionCode) -> String {
    Divisions::shipped().nearest(place).map_or_else(|| place.to_string(), |division| division.full_name())
}

/// The tone and the word of a state.
pub(crate) const fn mark(state: State) -> (&'static str, &'static str) {
    match state {
        State::Waiting => ("warning", "residence.state.waiting"),
        State::Refused => ("danger", "residence.state.refused"),
        State::Ahead => ("plain", "residence.state.ahead"),
        State::InForce => ("good", "residence.state.in_force"),
        State::Over => ("plain", "residence.state.over"),
    }
}

/// A hand-over on the list.
struct Line {
    path: String,
    /// The person's page, for who reaches it.
    person: Option<String>,
    name: String,
    home: String,
    living: String,
    tone: &'static str,
    mark: String,
    asked: String,
    since: Option<Day>,
    ended: String,
}

#[derive(Template)]
#[template(path = "residence_list.html")]
struct ListPage {
    page: Page,
    tabs: Vec<Tab>,
    list: ListQuery,
    lines: Vec<Line>,
    may_ask: bool,
}

/// GET `/residence`: hand-overs of our people, or of people who live with us.
pub(crate) async fn list(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let mut list = ListQuery::read(&LIST, &uri);
    let page = visit.page.clone().titled("residence.title");
    let choice = |key: &str, word: String| Choice::new(key, page.word(&word));
    let sides = Side::ALL.map(|side| choice(side.key(), format!("residence.side.{}", side.key())));
    list.offer("side", sides.to_vec());
    let states = State::ALL.map(|state| choice(state.key(), format!("residence.state.{}", state.key())));
    list.offer("which", states.to_vec());
    if list.chosen("side").is_none() {
        list.form.fill("side", Side::Home.key());
    }
    let place = list.parsed::<DivisionCode>("place");
    let within = place.map_or_else(|| visit.reach.clone(), |place| visit.reach.narrowed(place));
    list.offer("place", place_choices(&visit.reach, &within));
    let chosen = list.chosen("which").and_then(|key| State::ALL.into_iter().find(|one| one.key() == key));
    let side = list.chosen("side").and_then(Side::of_key).unwrap_or(Side::Home);
    let wanted = Wanted { side, state: chosen };
    let (limit, offset, today) = (list.paging.limit(), list.paging.offset(), visit.today);
    let read = move |tx: &mut Transaction<'_>| {
        let listed = store::listed(tx, &within, &wanted, today, (limit, offset))?;
        let other = Wanted { side: side.other(), ..wanted };
        let counts = (store::count(tx, &within, &wanted, today)?, store::count(tx, &within, &other, today)?);
        Ok::<_, DatabaseError>((listed, counts))
    };
    let (listed, (count, other)): (Vec<Listed>, (i64, i64)) = visit.app.database.read(read).await?;
    list.found(count.unsigned_abs());
    let (ours, here) = if side == Side::Home { (count, other) } else { (other, count) };
    let todo = page.say2("residence.to_do", "ours", page.number(ours), "here", page.number(here));
    let lines = listed.iter().map(|one| line(&visit, &page, one)).collect();
    let may_ask = reach(&visit.actor, KeepHandOvers).is_some();
    show(&ListPage { tabs: tabs("/residence"), list, lines, may_ask, page: page.clone().to_do(todo, None) })
}

fn line(visit: &Visit, page: &Page, one: &Listed) -> Line {
    let (tone, word) = mark(one.state);
    let serves = one.state == State::InForce && visit.reach.covers(one.living);
    let asked = format!("residence.asked_by.{}", one.side.key());
    let why = |day| format!("{} {}", page.iso(day), page.word(&format!("residence.end.{}", one.ended_why)));
    Line {
        path: format!("/residence/{}", one.hand_over),
        person: (visit.reach.covers(one.home) || serves).then(|| format!("/people/{}", one.person)),
        name: one.name.clone(),
        home: place_name(one.home),
        living: place_name(one.living),
        tone,
        mark: page.word(word).into_owned(),
        asked: page.say1(&asked, "day", page.day(one.asked_on)),
        since: one.from_on,
        ended: one.ended_on.map(why).unwrap_or_default(),
    }
}

/// Somebody who lives elsewhere, on the list.
struct AwayLine {
    person: String,
    name: String,
    home: String,
    living: String,
    seen_on: Option<Day>,
    unreached: Option<String>,
    /// Where their hand-over is asked for; none: in another county.
    ask: Option<String>,
}

#[derive(Template)]
#[template(path = "residence_elsewhere.html")]
struct ElsewherePage {
    page: Page,
    tabs: Vec<Tab>,
    list: ListQuery,
    lines: Vec<AwayLine>,
    may_ask: bool,
}

/// GET `/residence/elsewhere`: who lives elsewhere by the register and has no hand-over.
pub(crate) async fn elsewhere(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let mut list = ListQuery::read(&ELSEWHERE, &uri);
    let page = visit.page.clone().titled("residence.elsewhere");
    let choice = |one: Where| Choice::new(one.key(), page.word(&format!("residence.where.{}", one.key())));
    list.offer("where", Where::ALL.map(choice).to_vec());
    let place = list.parsed::<DivisionCode>("place");
    let within = place.map_or_else(|| visit.reach.clone(), |place| visit.reach.narrowed(place));
    list.offer("place", place_choices(&visit.reach, &within));
    let asked = (list.chosen("where").and_then(Where::of_key), visit.today);
    let (limit, offset) = (list.paging.limit(), list.paging.offset());
    let read = move |tx: &mut Transaction<'_>| {
        let found = store::elsewhere(tx, &within, asked, (limit, offset))?;
        Ok::<_, DatabaseError>((found, store::count_elsewhere(tx, &within, asked)?))
    };
    let (found, count): (Vec<Elsewhere>, i64) = visit.app.database.read(read).await?;
    list.found(count.unsigned_abs());
    let may_ask = reach(&visit.actor, KeepHandOvers).is_some();
    let line = |one: &Elsewhere| AwayLine {
        person: one.person.to_string(),
        name: one.name.clone(),
        home: place_name(one.home),
        living: if crate::rules::same_county(one.home, one.living) {
            place_name(one.living)
        } else {
            whole_name(one.living)
        },
        seen_on: one.seen_on,
        unreached: one.unreached_since.map(|day| page.say1("residence.unreached", "day", page.day(day))),
        ask: (may_ask && crate::rules::same_county(one.home, one.living))
            .then(|| format!("/people/{}/hand-over", one.person)),
    };
    let lines = found.iter().map(line).collect();
    let page = page.clone().to_do(page.count("residence.elsewhere.found", count), None);
    show(&ElsewherePage { tabs: tabs("/residence/elsewhere"), list, lines, may_ask, page })
}
