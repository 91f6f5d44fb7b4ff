//! One run: how far it is, and what it came to.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use kangmai_access::{Purpose, reach};
use kangmai_base::{DivisionCode, Fen};
use kangmai_database::DatabaseError;
use kangmai_people::Label;
use kangmai_policy::Overlay;
use kangmai_programme::Visit;
use kangmai_web::{BarChart, Failure, Figure, FormBody, Html, Page, ShareBar, Stat, go_to, show, workbook};

use super::{language, note, place_name, run_in, signed, state_word, told};
use crate::result::{BANDS, Line, Outcome, Pair, Side};
use crate::store::{self, RunRow, RunState};
use crate::workbook::{figures_file, tier_name};

/// A row of a table of before and after.
struct Row {
    name: String,
    path: Option<String>,
    count: String,
    payers: Option<Pair>,
    own: Option<Pair>,
}

impl Row {
    fn difference(&self) -> String {
        self.payers.map(|pair| signed(pair.difference())).unwrap_or_default()
    }

    fn own_difference(&self) -> String {
        self.own.map(|pair| signed(pair.difference())).unwrap_or_default()
    }
}

/// A band of differences.
struct Band {
    name: String,
    lose: Side,
    lose_path: String,
    gain: Side,
    gain_path: String,
}

struct Shown {
    stats: Vec<Html>,
    no_bills: bool,
    no_effect: bool,
    idle: Vec<String>,
    as_if: Option<String>,
    unlike: Option<String>,
    left_out: Option<String>,
    elsewhere: Option<String>,
    payers_charts: [Html; 2],
    bands_chart: Html,
    payers: Vec<Row>,
    tiers: Vec<Row>,
    places: Vec<Row>,
    labels: Vec<Row>,
    bands: Vec<Band>,
    households: Vec<(String, String, Option<String>)>,
}

#[derive(Template)]
#[template(path = "what_if_run.html")]
struct RunPage {
    page: Page,
    path: String,
    figures: String,
    /// The page that puts the changes together; none for a draft of a release.
    again: Option<String>,
    draft: Option<String>,
    changes: Vec<String>,
    running: Option<(i64, String)>,
    failed: Option<&'static str>,
    is_old_law: bool,
    shown: Option<Shown>,
}

/// GET `/what-if/{id}`.
pub(crate) async fn one(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    let run = run_in(&visit, &id).await?;
    let mut page =
        visit.page.clone().under(visit.page.word("what_if.title"), "/what-if").titled("what_if.run");
    page.lead = page.say(
        "what_if.run.of",
        &[
            ("place", &place_name(run.place)),
            ("year", &run.year),
            ("name", &run.name),
            ("day", &run.begun_at.day()),
        ],
    );
    let path = format!("/what-if/{}", run.id);
    let running = (run.state == RunState::Running).then(|| {
        let percent = (run.bills_read * 100).checked_div(run.bills_in_all).unwrap_or(0).clamp(0, 100);
        (
            percent,
            page.say2(
                "what_if.run.read",
                "read",
                page.number(run.bills_read),
                "all",
                page.number(run.bills_in_all),
            ),
        )
    });
    let failed = matches!(run.state, RunState::Failed | RunState::BrokenOff).then(|| state_word(run.state).0);
    let is_old_law = run.law != visit.app.policies.hash();
    let changes = told(&visit.app.policies, run.place, run.year, &run.changes, &page, is_old_law);
    let shown = run.outcome.as_ref().map(|outcome| shown(&page, &path, outcome, &changes));
    let drafts = reach(&visit.actor, Purpose::ApprovePolicy);
    let id = run.id;
    let find = move |tx: &mut kangmai_database::Transaction<'_>| {
        drafts.map(|within| store::draft::draft_of_run(tx, &within, id)).transpose()
    };
    let draft = visit.app.database.read(find).await.map_err(|error: DatabaseError| error)?.flatten();
    show(&RunPage {
        again: Overlay::parse(&run.changes).is_ok().then(|| again(&run)),
        draft: draft.map(|draft| format!("/policy-drafts/{draft}")),
        figures: format!("{path}/figures.xlsx"),
        changes,
        running,
        failed,
        is_old_law,
        shown,
        path,
        page,
    })
}

/// The page that puts changes together, with those of this run.
fn again(run: &RunRow) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("year", &run.year.to_string());
    query.extend_pairs(run.changes.iter().map(|change| ("change", change)));
    format!("/what-if/new?{}", query.finish())
}

fn shown(page: &Page, path: &str, outcome: &Outcome, changes: &[String]) -> Shown {
    let idle = outcome.idle.iter().filter_map(|index| changes.get(*index).cloned()).collect();
    let said = |key: &str, count: i64| (count > 0).then(|| page.count(key, count));
    Shown {
        stats: stats(page, path, outcome),
        no_bills: outcome.bills + outcome.left_out == 0,
        no_effect: outcome.touched_bills == 0,
        idle,
        as_if: outcome.as_if_year.map(|year| page.say1("what_if.as_if", "year", year)),
        unlike: said("what_if.unlike_receipt", outcome.unlike_receipt),
        left_out: said("what_if.left_out", outcome.left_out),
        elsewhere: said("what_if.elsewhere", outcome.elsewhere),
        payers_charts: payers_charts(page, outcome),
        bands_chart: bands_chart(page, outcome),
        payers: payers(page, outcome),
        tiers: outcome
            .tiers
            .iter()
            .map(|line| row(page, line, tier_name(&line.key, page.is_chinese()), None))
            .collect(),
        places: outcome
            .places
            .iter()
            .map(|line| {
                let name = line.key.parse::<DivisionCode>().map_or_else(|_| line.key.clone(), place_name);
                row(page, line, name, Some(format!("{path}/people?place={}", line.key)))
            })
            .collect(),
        labels: outcome
            .labels
            .iter()
            .map(|line| {
                let asked = if line.key.is_empty() { "none" } else { &line.key };
                row(page, line, label_name(page, &line.key), Some(format!("{path}/people?label={asked}")))
            })
            .collect(),
        bands: bands(page, path, outcome),
        households: households(page, path, outcome),
    }
}

fn row(page: &Page, line: &Line, name: String, path: Option<String>) -> Row {
    Row { name, path, count: page.number(line.count), payers: Some(line.payers), own: Some(line.own) }
}

fn stats(page: &Page, path: &str, outcome: &Outcome) -> Vec<Html> {
    let yuan = page.word("web.unit.yuan").into_owned();
    let word = |key: &str| page.word(key).into_owned();
    let money = |pair: Pair, key: &str| {
        Stat::new(signed(pair.difference()), word(key))
            .unit(yuan.clone())
            .defined(word("what_if.stat.definition"))
    };
    let side = |side: Side, key: &str, asked: &str| {
        let each = page.say1("what_if.stat.each", "amount", page.yuan(side.each()));
        Stat::new(page.number(side.people), word(key))
            .opens(format!("{path}/people?side={asked}"))
            .note("", each)
    };
    let households = outcome.households;
    let over = format!("{} → {}", page.number(households.over_before), page.number(households.over_after));
    [
        money(outcome.all_payers(), "what_if.stat.payers"),
        money(outcome.own, "what_if.stat.own"),
        side(outcome.lose, "what_if.stat.lose", "lose"),
        side(outcome.gain, "what_if.stat.gain", "gain"),
        Stat::new(over, word("what_if.stat.households"))
            .opens(format!("{path}/households"))
            .defined(word("what_if.households.definition")),
    ]
    .iter()
    .map(|stat| page.stat(stat))
    .collect()
}

/// All payers, then the person: together nothing is won or lost.
fn payers(page: &Page, outcome: &Outcome) -> Vec<Row> {
    let line = |name: String, pair: Pair| Row {
        name,
        path: None,
        count: String::new(),
        payers: Some(pair),
        own: None,
    };
    let all = outcome.payers.iter().map(|payer| line(payer.name.get(language(page)).to_owned(), payer.pays));
    let mut sum = outcome.all_payers();
    sum.add(outcome.own.before, outcome.own.after);
    let rest = [
        line(page.word("what_if.own").into_owned(), outcome.own),
        line(page.word("what_if.sum").into_owned(), sum),
    ];
    all.chain(rest).collect()
}

/// One bar for the law as it is and one with the changes: of the same whole.
fn payers_charts(page: &Page, outcome: &Outcome) -> [Html; 2] {
    let mut rows = payers(page, outcome);
    rows.pop();
    let bar = |title: &str, of: fn(Pair) -> Fen| {
        let part = |row: &Row| (row.name.clone(), of(row.payers.unwrap_or_default()));
        page.share_bar(&ShareBar {
            title: page.word(title).into_owned(),
            description: page.word("what_if.chart.payers.description").into_owned(),
            parts: rows.iter().map(part).collect(),
        })
    };
    [
        bar("what_if.chart.payers.before", |pair| pair.before),
        bar("what_if.chart.payers.after", |pair| pair.after),
    ]
}

fn bands_chart(page: &Page, outcome: &Outcome) -> Html {
    #[expect(clippy::cast_precision_loss, reason = "a count of people, for the length of a bar")]
    let series = |key: &str, sides: &[Side]| {
        (page.word(key).into_owned(), sides.iter().map(|side| side.people as f64).collect())
    };
    page.bar_chart(&BarChart {
        title: page.word("what_if.chart.bands").into_owned(),
        description: page.word("what_if.chart.bands.description").into_owned(),
        figure: Figure::Count,
        labels: (0..=BANDS.len()).map(|band| short_band(page, band)).collect(),
        series: vec![
            series("what_if.stat.lose", &outcome.lose_bands),
            series("what_if.stat.gain", &outcome.gain_bands),
        ],
        stacked: false,
        lying: false,
        limit: None,
    })
}

fn bands(page: &Page, path: &str, outcome: &Outcome) -> Vec<Band> {
    let sides = outcome.lose_bands.iter().zip(&outcome.gain_bands).enumerate();
    sides
        .map(|(band, (lose, gain))| Band {
            name: band_name(page, band),
            lose: *lose,
            lose_path: format!("{path}/people?side=lose&band={band}"),
            gain: *gain,
            gain_path: format!("{path}/people?side=gain&band={band}"),
        })
        .collect()
}

/// Under a bar there is little room.
fn short_band(page: &Page, band: usize) -> String {
    match BANDS.get(band).or(BANDS.last()) {
        Some(edge) if band < BANDS.len() => format!("≤{}", page.number(edge / 100)),
        edge => format!(">{}", page.number(edge.map_or(0, |edge| edge / 100))),
    }
}

/// From an amount to an amount, in yuan.
pub(super) fn band_name(page: &Page, band: usize) -> String {
    let whole = |fen: i64| page.number(fen / 100);
    let least = band.checked_sub(1).and_then(|before| BANDS.get(before)).copied();
    match (least, BANDS.get(band).copied()) {
        (None, Some(most)) => page.say1("what_if.band.first", "most", whole(most)),
        (Some(least), Some(most)) => page.say2("what_if.band", "least", whole(least), "most", whole(most)),
        (least, None) => page.say1("what_if.band.last", "least", whole(least.unwrap_or(0))),
    }
}

fn households(page: &Page, path: &str, outcome: &Outcome) -> Vec<(String, String, Option<String>)> {
    let found = outcome.households;
    let line =
        |key: &str, count: i64, path: Option<String>| (page.word(key).into_owned(), page.number(count), path);
    vec![
        line("what_if.households.all", found.all, None),
        line("what_if.households.over_before", found.over_before, None),
        line("what_if.households.over_after", found.over_after, None),
        line(
            "what_if.households.newly_over",
            found.newly_over,
            Some(format!("{path}/households?side=newly_over")),
        ),
        line(
            "what_if.households.no_longer",
            found.no_longer_over,
            Some(format!("{path}/households?side=no_longer")),
        ),
        line("what_if.households.without_line", found.without_line, None),
    ]
}

pub(super) fn label_name(page: &Page, key: &str) -> String {
    let word = Label::of_key(key).map_or("what_if.no_label", Label::word);
    page.word(word).into_owned()
}

/// POST `/what-if/{id}`: the run is forgotten, with its lists.
pub(crate) async fn forget(
    visit: Visit,
    Path(id): Path<String>,
    body: FormBody,
) -> Result<Response, Failure> {
    let run = run_in(&visit, &id).await?;
    if body.act() == "forget" && run.state != RunState::Running {
        let dropped = visit.app.database.write(move |tx| store::drop_run(tx, run.id)).await;
        dropped.map_err(|error: DatabaseError| error)?;
    }
    Ok(go_to("/what-if"))
}

/// GET `/what-if/{id}/figures.xlsx`.
pub(crate) async fn figures(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    let run = run_in(&visit, &id).await?;
    let outcome = run.outcome.ok_or(Failure::NotFound)?;
    let page = &visit.page;
    let is_old_law = run.law != visit.app.policies.hash();
    let changes = told(&visit.app.policies, run.place, run.year, &run.changes, page, is_old_law);
    let (bytes, rows) = figures_file(&visit.app.words, page.language, &changes, &outcome)?;
    note(&visit, "export", run.place, format!("{} {rows}", page.word("what_if.title"))).await?;
    Ok(workbook(bytes, "what-if.xlsx"))
}
