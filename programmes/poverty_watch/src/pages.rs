//! The list of warnings: reason first, days left, one action; filters as a link; Excel.

pub(crate) mod notice;
pub(crate) mod one;

use askama::Template;
use axum::http::Uri;
use axum::response::Response;
use kangmai_access::{Actor, Reach, audit};
use kangmai_base::{Day, DivisionCode, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_policy::Clock;
use kangmai_programme::{App, Visit, place_choices, place_name};
use kangmai_sheet::Format;
use kangmai_sheets::{Cell, Head, XlsxExport};
use kangmai_web::{Choice, Failure, Field, ListQuery, ListSpec, Page, Stat, show, workbook};

use crate::due::{clock_at, stages_of};
use crate::findings::Level;
use crate::rules::{Outcome, Stage, may_act, status};
use crate::sentences::{first_sentence, level_tone, level_word, outcome_word, stage_word};
use crate::store::{self, ListedWarning, Outcomes, Wanted};

static LIST: ListSpec = ListSpec {
    filters: &[
        Field::select("level", "poverty_watch.filter.level"),
        Field::select("stage", "poverty_watch.filter.stage"),
        Field::select("whose", "poverty_watch.filter.whose"),
        Field::select("state", "poverty_watch.filter.state"),
        Field::select("place", "poverty_watch.filter.place"),
    ],
    sorts: &["level"],
    descending: true,
};

/// A row as it is shown.
struct Row {
    id: Uuid,
    household: Uuid,
    head: String,
    place: String,
    level: String,
    tone: &'static str,
    reason: String,
    more: usize,
    stage: String,
    opened_on: Day,
    due: Option<Day>,
    left: String,
    left_tone: &'static str,
    action: &'static str,
    is_theirs: bool,
}

#[derive(Template)]
#[template(path = "poverty_watch_list.html")]
struct WarningsPage {
    page: Page,
    list: ListQuery,
    rows: Vec<Row>,
    false_alarms: Stat,
}

/// What a list is asked for: the filters, and the reach narrowed to the place.
fn asked(list: &ListQuery, visit: &Visit, clock: Option<&Clock>) -> (Wanted, Reach) {
    let mut wanted = Wanted {
        level: list.filter("level").and_then(Level::of_key),
        stages: list.filter("stage").and_then(Stage::of_key).into_iter().collect(),
        ..Wanted::default()
    };
    let days = clock.map_or(0, |clock| clock.decision_days);
    match list.filter("whose") {
        Some("mine") if wanted.stages.is_empty() => wanted.stages = stages_of(&visit.actor),
        Some("late") => wanted.opened_by = Some(visit.today.plus_days(-days)),
        _ => {}
    }
    match list.filter("state") {
        Some("all") => wanted.closed_too = true,
        Some("in_time") => wanted.decided_late = Some((false, days)),
        Some("late") => wanted.decided_late = Some((true, days)),
        Some(state) => wanted.outcome = Outcome::of_key(state),
        None => {}
    }
    let place = list.parsed::<DivisionCode>("place");
    let narrowed = place.map_or_else(|| visit.reach.clone(), |place| visit.reach.narrowed(place));
    (wanted, narrowed)
}

fn offer_filters(page: &Page, list: &mut ListQuery, all: &Reach, narrowed: &Reach) {
    let choice = |value: &'static str, key: &str| Choice::new(value, page.word(key));
    list.offer("level", Level::ALL.map(|level| Choice::new(level.key(), level_word(page, level))).to_vec());
    list.offer("stage", Stage::ALL.map(|stage| Choice::new(stage.key(), stage_word(page, stage))).to_vec());
    let whose = [("mine", "poverty_watch.whose.mine"), ("late", "poverty_watch.whose.late")];
    list.offer("whose", whose.map(|(value, key)| choice(value, key)).to_vec());
    let mut states = vec![choice("all", "poverty_watch.state.all")];
    states.extend(Outcome::ALL.map(|outcome| Choice::new(outcome.key(), outcome_word(page, outcome))));
    states.push(choice("in_time", "poverty_watch.state.in_time"));
    states.push(choice("late", "poverty_watch.state.late"));
    list.offer("state", states);
    list.offer("place", place_choices(all, narrowed));
}

/// GET `/warnings`.
pub(crate) async fn list(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let mut list = ListQuery::read(&LIST, &uri);
    let clock = clock_at(&visit.app, visit.actor.place, visit.today);
    let (wanted, narrowed) = asked(&list, &visit, clock.as_ref());
    let (limit, offset) = (list.paging.limit(), list.paging.offset());
    let (within, today) = (narrowed.clone(), visit.today);
    let days = clock.as_ref().map_or(0, |clock| clock.decision_days);
    let (mine, all) = (stages_of(&visit.actor), visit.reach.clone());
    // Side by side: of very many warnings each count takes some milliseconds.
    let database = &visit.app.database;
    let listed = database.read(move |tx| {
        let rows = store::list(tx, &within, &wanted, (limit, offset))?;
        Ok::<_, DatabaseError>((rows, store::count(tx, &within, &wanted)?))
    });
    let ended = narrowed.clone();
    let counted = database.read(move |tx| {
        let waiting = if mine.is_empty() { 0 } else { store::count_in_stages(tx, &all, &mine)? };
        Ok::<_, DatabaseError>((store::outcomes(tx, &ended, today, days)?, waiting))
    });
    let ((rows, total), (outcomes, waiting)) = futures_util::future::try_join(listed, counted).await?;
    let mut page = visit.page.titled("poverty_watch.title");
    if waiting > 0 {
        let button = (page.word("poverty_watch.mine.button").into_owned(), "/warnings?whose=mine".to_owned());
        let said = page.count("poverty_watch.mine", waiting);
        page = page.to_do(said, Some(button));
    }
    offer_filters(&page, &mut list, &visit.reach, &narrowed);
    list.found(total.unsigned_abs());
    let theirs = stages_of(&visit.actor);
    let show_row =
        Showing { app: &visit.app, actor: &visit.actor, reach: &visit.reach, page: &page, theirs, today };
    let rows: Vec<Row> = rows.iter().map(|row| show_row.row(row)).collect();
    let false_alarms = false_alarms(&page, &outcomes, &narrowed);
    show(&WarningsPage { page, list, rows, false_alarms })
}

/// The share of ended warnings that were without risk or not taken in.
fn false_alarms(page: &Page, outcomes: &Outcomes, within: &Reach) -> Stat {
    let part = outcomes.no_risk + outcomes.not_taken_in;
    let whole = outcomes.ended();
    let figure = if whole > 0 {
        let tenths = (i128::from(part) * 1_000 + i128::from(whole) / 2) / i128::from(whole);
        format!("{}.{}%", tenths / 10, tenths % 10)
    } else {
        "—".to_owned()
    };
    Stat::new(figure, page.word("poverty_watch.figure.false_alarms"))
        .opens(format!("/warnings?state=no_risk&place={}", within.place()))
        .defined(page.word("poverty_watch.figure.false_alarms.definition"))
        .ratio(page.number(part), page.number(whole))
}

/// What rows of the list need to be said.
struct Showing<'a> {
    app: &'a App,
    actor: &'a Actor,
    reach: &'a Reach,
    page: &'a Page,
    /// The stages that are the reader's daily work.
    theirs: Vec<Stage>,
    today: Day,
}

impl Showing<'_> {
    fn row(&self, row: &ListedWarning) -> Row {
        let page = self.page;
        let status = clock_at(self.app, row.home, self.today)
            .map(|clock| status(row.stage, row.since, row.opened_on, self.today, &clock));
        let due = status.and_then(|status| status.due);
        let is_theirs = row.closed_on.is_none()
            && self.theirs.contains(&row.stage)
            && may_act(row.stage, row.home, self.actor);
        let ended = row.outcome.map(|outcome| outcome_word(page, outcome));
        Row {
            id: row.id,
            household: row.household,
            head: if row.head.is_empty() {
                page.word("poverty_watch.no_head").into_owned()
            } else {
                row.head.clone()
            },
            place: place_name(row.home),
            level: level_word(page, row.level),
            tone: level_tone(row.level),
            reason: first_sentence(page, row.first.as_ref(), self.reach),
            more: row.found.saturating_sub(1),
            stage: match ended {
                Some(ended) if row.closed_on.is_some() => ended,
                _ => stage_word(page, row.stage),
            },
            opened_on: row.opened_on,
            due,
            left: page.days_left(due, self.today),
            left_tone: status.map_or("plain", |status| status.pressure.tone()),
            action: if is_theirs { action_word(row.stage) } else { "poverty_watch.action.look" },
            is_theirs,
        }
    }
}

/// What the next step of a stage is called.
const fn action_word(stage: Stage) -> &'static str {
    match stage {
        Stage::Clue => "poverty_watch.action.clue",
        Stage::Review => "poverty_watch.action.review",
        Stage::Posting => "poverty_watch.action.posting",
        Stage::Notice => "poverty_watch.action.notice",
        Stage::County => "poverty_watch.action.county",
        Stage::Feedback => "poverty_watch.action.feedback",
        Stage::Closed => "poverty_watch.action.look",
    }
}

/// GET `/warnings/export`: the same list as Excel.
pub(crate) async fn export(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let list = ListQuery::read(&LIST, &uri);
    let clock = clock_at(&visit.app, visit.actor.place, visit.today);
    let (wanted, within) = asked(&list, &visit, clock.as_ref());
    let place = within.place();
    let (app, actor, today) = (visit.app.clone(), visit.actor.clone(), visit.today);
    let page = visit.page.titled("poverty_watch.title");
    let what = page.title.clone();
    let (bytes, rows) = visit
        .app
        .database
        .read(move |tx| {
            let theirs = stages_of(&actor);
            let showing = Showing { app: &app, actor: &actor, reach: &within, page: &page, theirs, today };
            sheet(tx, &showing, &wanted)
        })
        .await?;
    note(&visit.app, &visit.actor, "export", None, place, format!("{what} {rows}")).await?;
    Ok(workbook(bytes, "warnings.xlsx"))
}

/// The file and how many rows it holds.
fn sheet(
    tx: &mut Transaction<'_>,
    showing: &Showing<'_>,
    wanted: &Wanted,
) -> Result<(Vec<u8>, i64), Failure> {
    let page = showing.page;
    let head = |key: &str, format| Head::new(page.word(key), format);
    let heads = vec![
        head("poverty_watch.column.level", Format::Text),
        head("poverty_watch.column.reason", Format::Text),
        head("poverty_watch.column.household", Format::Text),
        head("poverty_watch.column.place", Format::Text),
        head("poverty_watch.column.stage", Format::Text),
        head("poverty_watch.column.opened", Format::Day),
        head("poverty_watch.column.due", Format::Day),
    ];
    let read = |limit, offset| store::list(tx, showing.reach, wanted, (limit, offset)).map_err(Failure::from);
    XlsxExport::list(&page.title, heads, read, |export, row| {
        let row = showing.row(row);
        export.row(&[
            Cell::Text(&row.level),
            Cell::Text(&row.reason),
            Cell::Text(&row.head),
            Cell::Text(&row.place),
            Cell::Text(&row.stage),
            Cell::Day(row.opened_on),
            row.due.map_or(Cell::Empty, Cell::Day),
        ])
    })
}

/// Leaves a line in the audit trail.
pub(crate) async fn note(
    app: &App,
    actor: &Actor,
    action: &'static str,
    subject: Option<Uuid>,
    place: DivisionCode,
    details: String,
) -> Result<(), DatabaseError> {
    let (id, now, actor) = (app.mint(), app.clock.now(), actor.clone());
    app.database.write(move |tx| audit(tx, id, now, &actor, action, subject, place, &details, "done")).await
}
