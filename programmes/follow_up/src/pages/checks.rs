//! Whether visits really happened: drawing some of a month, the list of what is to be asked, and what came out.

use askama::Template;
use axum::extract::Path;
use axum::http::Uri;
use axum::response::Response;
use kangmai_base::{Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_programme::{Visit, place_name};
use kangmai_web::{
    Choice, Failure, Field, Flash, Form, FormBody, ListQuery, ListSpec, Page, show, show_refused,
};

use super::note;
use super::work::{Asked, asked, share};
use crate::checks::{CheckOutcome, MOST_OF_ONE, Pen};
use crate::store::{self, CheckRow, CheckSum};

static CHECKS: ListSpec = ListSpec {
    filters: &[
        Field::text("month", "follow_up.filter.month").at_most(7).optional(),
        Field::select("place", "follow_up.filter.place").optional(),
        Field::select("outcome", "follow_up.filter.outcome").optional(),
        Field { label: "follow_up.column.by", ..Field::hidden("author") },
    ],
    sorts: &[],
    descending: false,
};
/// The outcome of what nobody asked yet, as the filter calls it.
const WAITING: &str = "waiting";

const DRAW: &[Field] =
    &[Field::hidden("sample"), Field::text("of_each", "follow_up.field.of_each").at_most(2)];
const ANSWER: &[Field] = &[
    Field::radios("outcome", "follow_up.field.outcome"),
    Field::area("note", "follow_up.field.check_note").at_most(300).optional(),
];

struct Line {
    row: CheckRow,
    place: String,
    way: String,
    by: String,
    tone: &'static str,
    outcome: String,
}

#[derive(Template)]
#[template(path = "follow_up_checks.html")]
struct ChecksPage {
    page: Page,
    list: ListQuery,
    lines: Vec<Line>,
    form: Form,
    action: String,
    summary: String,
}

const fn tone(outcome: Option<CheckOutcome>) -> &'static str {
    match outcome {
        None => "plain",
        Some(CheckOutcome::True) => "good",
        Some(CheckOutcome::Differs | CheckOutcome::NotReached) => "warning",
        Some(CheckOutcome::Untrue) => "danger",
    }
}

fn outcome_word(page: &Page, outcome: Option<CheckOutcome>) -> String {
    page.word(&format!("follow_up.asked.{}", outcome.map_or(WAITING, CheckOutcome::key))).into_owned()
}

fn offer_outcomes(page: &Page, form: &mut Form) {
    let choice = |outcome: CheckOutcome| Choice::new(outcome.key(), outcome_word(page, Some(outcome)));
    form.offer("outcome", CheckOutcome::ALL.map(choice).to_vec());
}

fn line_of(page: &Page, row: CheckRow) -> Line {
    Line {
        place: place_name(row.home),
        way: page.word(&format!("follow_up.way.{}", row.way)).into_owned(),
        by: row.by.clone().unwrap_or_else(|| page.word("follow_up.by.program").into_owned()),
        tone: tone(row.outcome),
        outcome: outcome_word(page, row.outcome),
        row,
    }
}

/// GET `/follow-up/checks`: what was drawn of a month, and what came out.
pub(crate) async fn list(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    show(&page_of(&visit, &uri, Form::blank(DRAW)).await?)
}

async fn page_of(visit: &Visit, uri: &Uri, mut form: Form) -> Result<ChecksPage, Failure> {
    let mut list = ListQuery::read(&CHECKS, uri);
    let Asked { month, wanted, within } = asked(visit, &mut list);
    let page = visit.page.clone().titled("follow_up.checks");
    let page = page.under(visit.page.word("follow_up.work"), "/follow-up/work");
    let keys = CheckOutcome::ALL.map(CheckOutcome::key).into_iter();
    let choices = [WAITING].into_iter().chain(keys);
    let choices = choices.map(|key| Choice::new(key, page.word(&format!("follow_up.asked.{key}"))));
    list.offer("outcome", choices.collect());
    let outcome = list.chosen("outcome").map(|key| if key == WAITING { "" } else { key }.to_owned());
    let (limit, offset) = (list.paging.limit(), list.paging.offset());
    let place = within.place();
    let read = move |tx: &mut Transaction<'_>| {
        let rows = store::checks(tx, &within, (&wanted, outcome.as_deref()), (limit, offset))?;
        Ok::<_, DatabaseError>((rows, store::check_sums(tx, &within, &wanted)?, outcome))
    };
    let (rows, sums, outcome) = visit.app.database.read(read).await?;
    let sum = sums.into_iter().fold(CheckSum::default(), |all, (_, one)| all.with(one));
    list.found(sum.of(outcome.as_deref()).unsigned_abs());
    if form.raw("sample").is_empty() {
        form.fill("sample", visit.app.mint());
    }
    if form.raw("of_each").is_empty() && !form.is_refused() {
        form.fill("of_each", 2);
    }
    let values: [(&str, &dyn std::fmt::Display); 4] = [
        ("drawn", &page.number(sum.drawn)),
        ("waiting", &page.number(sum.waiting)),
        ("good", &page.number(sum.good)),
        ("share", &share(sum.good, sum.asked)),
    ];
    Ok(ChecksPage {
        lines: rows.into_iter().map(|row| line_of(&page, row)).collect(),
        action: format!("/follow-up/checks?month={month}&place={place}"),
        summary: page.say("follow_up.checks.summary", &values),
        list,
        form,
        page,
    })
}

fn pen(visit: &Visit) -> Pen {
    let (account, name) = (visit.actor.account.uuid(), visit.actor.name.clone());
    Pen { app: visit.app.clone(), account, name, now: visit.app.clock.now() }
}

/// POST `/follow-up/checks`: draws so many visits of everybody who wrote some down.
pub(crate) async fn draw_some(visit: Visit, uri: Uri, body: FormBody) -> Result<Response, Failure> {
    let mut form = body.form(DRAW);
    let of_each = form.text("of_each").and_then(|text| text.trim().parse::<i64>().ok());
    let Some(of_each) = of_each.filter(|of_each| (1..=MOST_OF_ONE).contains(of_each)) else {
        let refusal = Refusal::new("follow_up.refused.of_each").with("most", MOST_OF_ONE.to_string());
        form.refuse(refusal.at("of_each"));
        return show_refused(&page_of(&visit, &uri, form).await?);
    };
    let mut list = ListQuery::read(&CHECKS, &uri);
    let Asked { month, wanted, within } = asked(&visit, &mut list);
    let place = within.place();
    let sample = form.parsed::<Uuid>("sample").unwrap_or_else(|| visit.app.mint());
    let (pen, today) = (pen(&visit), visit.today);
    let write = move |tx: &mut Transaction<'_>| {
        pen.draw(tx, (&within, &wanted), (usize::try_from(of_each).unwrap_or(1), sample), today)
    };
    let drawn = visit.app.database.write(write).await?;
    let to = format!("/follow-up/checks?month={month}&place={place}&outcome={WAITING}");
    Ok(match drawn.len() {
        0 => Flash::warning(visit.page.word("follow_up.checks.nothing_to_draw")).then_go_to(&to),
        drawn => Flash::good(visit.page.count("follow_up.checks.drawn", drawn)).then_go_to(&to),
    })
}

#[derive(Template)]
#[template(path = "follow_up_check.html")]
struct CheckPage {
    page: Page,
    shown: Line,
    its_visit: String,
    its_person: String,
    form: Form,
    path: String,
}

/// The check, of a person within reach.
async fn found(visit: &Visit, id: Uuid) -> Result<CheckRow, Failure> {
    let row = visit.app.database.read(move |tx| store::check(tx, id)).await?;
    row.filter(|row| visit.reach.covers(row.home)).ok_or(Failure::NotFound)
}

fn check_page(visit: &Visit, row: CheckRow, mut form: Form) -> CheckPage {
    let page = visit.page.clone().titled("follow_up.asked");
    let page = page.under(visit.page.word("follow_up.checks"), back_to(&row));
    let title = page.say2("follow_up.asked.of", "name", &row.name, "day", page.day(row.on));
    let page = Page { title, ..page };
    offer_outcomes(&page, &mut form);
    let path = format!("/follow-up/checks/{}", row.id);
    let its_person = format!("/people/{}", row.person);
    let its_visit = format!("{its_person}/visits/{}", row.visit);
    CheckPage { its_visit, its_person, shown: line_of(&page, row), form, path, page }
}

/// The list on which a check stands.
fn back_to(row: &CheckRow) -> String {
    let month: String = row.on.to_string().chars().take(7).collect();
    format!("/follow-up/checks?month={month}")
}

/// GET `/follow-up/checks/{check}`.
pub(crate) async fn one(visit: Visit, Path(id): Path<Uuid>) -> Result<Response, Failure> {
    let row = found(&visit, id).await?;
    note(&visit, row.person, row.home).await?;
    show(&check_page(&visit, row, Form::blank(ANSWER)))
}

/// POST: what came out.
pub(crate) async fn answer(visit: Visit, Path(id): Path<Uuid>, body: FormBody) -> Result<Response, Failure> {
    let row = found(&visit, id).await?;
    let mut form = body.form(ANSWER);
    offer_outcomes(&visit.page, &mut form);
    let outcome = form.choice("outcome").as_deref().and_then(CheckOutcome::of_key);
    let said = form.text("note").unwrap_or_default();
    if row.author == visit.actor.account.uuid() {
        form.refuse(Refusal::new("follow_up.refused.own_visit").at("outcome"));
    } else if outcome.is_some_and(CheckOutcome::wants_words) && said.is_empty() {
        form.refuse(Refusal::new("follow_up.refused.check_note").at("note"));
    }
    let Some(outcome) = outcome.filter(|_| !form.is_refused()) else {
        return show_refused(&check_page(&visit, row, form));
    };
    let pen = pen(&visit);
    let (whom, today) = ((id, row.person, row.home), visit.today);
    let write = move |tx: &mut Transaction<'_>| pen.answer(tx, whom, (today, outcome, said));
    visit.app.database.write(write).await?;
    Ok(Flash::good(visit.page.word("follow_up.asked.saved")).then_go_to(&back_to(&row)))
}
