//! The pages of this programme.

mod compose;
mod drafts;
mod lists;
mod one;

pub(crate) use compose::{compose, start};
pub(crate) use drafts::{
    act, begin_draft, choose_figure, decide, edit_file, show_draft, show_drafts, show_release, show_releases,
    take_figure, take_file,
};
pub(crate) use lists::{households, people, people_file};
pub(crate) use one::{figures, forget, one};

use askama::Template;
use axum::response::Response;
use kangmai_access::audit;
use kangmai_base::{DivisionCode, Fen, Id, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_places::Divisions;
use kangmai_policy::{Language, Overlay, Release};
use kangmai_programme::Visit;
use kangmai_web::{Failure, Page, show};

use crate::run::pack_of;
use crate::store::{self, RunRow, RunState};

/// A run in the list: what one compares.
struct Line {
    id: Uuid,
    year: i32,
    place: String,
    begun: String,
    changes: Vec<String>,
    state: &'static str,
    tone: &'static str,
    payers: String,
    own: String,
    lose: String,
    gain: String,
    households: String,
}

#[derive(Template)]
#[template(path = "what_if_runs.html")]
struct RunsPage {
    page: Page,
    rows: Vec<Line>,
}

/// GET `/what-if`: the runs that are kept, the latest first, side by side.
pub(crate) async fn runs(visit: Visit) -> Result<Response, Failure> {
    let (reach, now) = (visit.reach.clone(), visit.app.clock.now());
    let rows = visit.app.database.read(move |tx| store::runs(tx, &reach, now)).await;
    let rows: Vec<RunRow> = rows.map_err(|error: DatabaseError| error)?;
    let page = visit.page.titled("what_if.title");
    let release = &visit.app.policies;
    let rows = rows.into_iter().map(|row| line(&page, release, row)).collect();
    show(&RunsPage { page, rows })
}

fn line(page: &Page, release: &Release, row: RunRow) -> Line {
    let (state, tone) = state_word(row.state);
    let outcome = row.outcome.as_ref();
    let of = |say: &dyn Fn(&crate::result::Outcome) -> String| outcome.map_or_else(|| "—".to_owned(), say);
    Line {
        id: row.id,
        year: row.year,
        place: place_name(row.place),
        begun: row.begun_at.day().to_string(),
        state,
        tone,
        payers: of(&|outcome| signed(outcome.all_payers().difference())),
        own: of(&|outcome| signed(outcome.own.difference())),
        lose: of(&|outcome| page.number(outcome.lose.people)),
        gain: of(&|outcome| page.number(outcome.gain.people)),
        households: of(&|outcome| {
            let households = outcome.households;
            format!("{} → {}", page.number(households.over_before), page.number(households.over_after))
        }),
        changes: told(release, row.place, row.year, &row.changes, page, row.law != release.hash()),
    }
}

fn state_word(state: RunState) -> (&'static str, &'static str) {
    match state {
        RunState::Running => ("what_if.state.running", "plain"),
        RunState::Done => ("what_if.state.done", "good"),
        RunState::Failed => ("what_if.state.failed", "danger"),
        RunState::BrokenOff => ("what_if.state.broken_off", "danger"),
    }
}

/// Changes as people say them. One that names no figure of the law stays as it was written; under another law than
/// that of the run nothing is said of what held before.
fn told(
    release: &Release,
    place: DivisionCode,
    year: i32,
    changes: &[String],
    page: &Page,
    is_old_law: bool,
) -> Vec<String> {
    let overlay = Overlay::parse(changes).ok();
    let all = overlay.zip(pack_of(release, place, year));
    let all = all.map(|(overlay, directory)| overlay.told(release, directory)).unwrap_or_default();
    let spoken = language(page);
    let say = |(index, text): (usize, &String)| {
        let Some(Some(change)) = all.get(index) else { return text.clone() };
        let names = [Some(&change.benefit), change.group.as_ref(), Some(&change.figure)];
        let names: Vec<&str> = names.into_iter().flatten().map(|name| name.get(spoken)).collect();
        let (figure, before, after) =
            (names.join(" · "), change.before.get(spoken), change.after.get(spoken));
        let key = if is_old_law { "what_if.change.told_only" } else { "what_if.change.told" };
        page.say(key, &[("figure", &figure), ("before", &before), ("after", &after), ("from", &change.from)])
    };
    changes.iter().enumerate().map(say).collect()
}

/// With its sign: what is added or taken away.
pub(crate) fn signed(amount: Fen) -> String {
    if amount.0 > 0 { format!("+{}", amount.grouped()) } else { amount.grouped() }
}

/// A place from its county down.
pub(crate) fn place_name(place: DivisionCode) -> String {
    let division = Divisions::shipped().nearest(place);
    division.map_or_else(|| place.to_string(), |division| division.short_name())
}

fn language(page: &Page) -> Language {
    if page.is_chinese() { Language::Zh } else { Language::En }
}

/// The run in an address, if it is within reach.
async fn run_in(visit: &Visit, path: &str) -> Result<RunRow, Failure> {
    let id = path.parse::<Id<()>>().map(Id::uuid).map_err(|_| Failure::NotFound)?;
    let (reach, now) = (visit.reach.clone(), visit.app.clock.now());
    let row = visit.app.database.read(move |tx| store::run_row(tx, &reach, id, now)).await;
    row.map_err(|error: DatabaseError| error)?.ok_or(Failure::NotFound)
}

/// A line of the audit trail.
async fn note(
    visit: &Visit,
    action: &'static str,
    place: DivisionCode,
    reason: String,
) -> Result<(), Failure> {
    let write = noted(visit, action, place, reason);
    visit.app.database.write(write).await.map_err(|error: DatabaseError| error)?;
    Ok(())
}

/// The same, to be written in the transaction that does what it is about.
fn noted(
    visit: &Visit,
    action: &'static str,
    place: DivisionCode,
    reason: String,
) -> impl FnOnce(&mut Transaction<'_>) -> Result<(), DatabaseError> + Send + use<> {
    let (id, now, actor) = (visit.app.mint(), visit.app.clock.now(), visit.actor.clone());
    move |tx| audit(tx, id, now, &actor, action, None, place, &reason, "done")
}
