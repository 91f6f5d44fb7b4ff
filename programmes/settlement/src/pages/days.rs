//! The end of a day: what a hospital sent against what the ledger has, each difference by name, and why it may stay so.

use askama::Template;
use axum::extract::Path;
use axum::http::Uri;
use axum::response::Response;
use kangmai_access::{Purpose, reach};
use kangmai_base::{Day, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_programme::Visit;
use kangmai_record::{NewFact, Source, Subject};
use kangmai_sheet::Format;
use kangmai_sheets::{Cell, Head as Column, SheetError, XlsxExport};
use kangmai_web::{
    Choice, Failure, Field, Flash, Form, FormBody, ListQuery, ListSpec, Page, show, show_refused, workbook,
};

use super::postings::payer_name;
use super::{id_in, note};
use crate::facts::{
    DIFFERENCE_EXPLAINED, DayDifference, DayTotals, DifferenceExplained, DifferenceKind, FundAmount, FundsBy,
};
use crate::rules::{LONGEST_REASON, fund_differences};
use crate::settling::Hand;
use crate::store::day::{
    DayFilter, DayLineRow, DayRow, LineSide, LinesOf, count_day_lines, count_days, day as find_day, day_line,
    day_lines, days,
};

static LIST: ListSpec = ListSpec {
    filters: &[
        Field::day("from", "settlement.filter.day_from"),
        Field::day("to", "settlement.filter.day_to"),
        Field::select("state", "settlement.filter.state"),
    ],
    sorts: &["day"],
    descending: true,
};
static LINES: ListSpec = ListSpec {
    filters: &[Field::select("of", "settlement.filter.lines")],
    sorts: &["line"],
    descending: false,
};
const EXPLAIN: &[Field] = &[Field::area("reason", "settlement.field.why").at_most(LONGEST_REASON)];
/// Lines of an export: as many as a day may have, of both sides.
const MOST_EXPORTED: i64 = 20_000;
/// The state of the filter that leaves only what waits for somebody.
const OPEN: &str = "open";

#[derive(Template)]
#[template(path = "settlement_days.html")]
struct ListPage {
    page: Page,
    list: ListQuery,
    /// Each with tone and word of how it stands.
    rows: Vec<(DayRow, &'static str, &'static str)>,
}

/// Tone and word of how a day stands.
fn state(row: &DayRow) -> (&'static str, &'static str) {
    match row {
        _ if !row.is_latest => ("plain", "settlement.day.superseded"),
        _ if row.is_right => ("good", "settlement.day.right"),
        _ if !row.has_lines => ("warning", "settlement.day.needs_bills"),
        _ if row.open() > 0 => ("danger", "settlement.day.open"),
        _ => ("good", "settlement.day.explained"),
    }
}

/// GET: the reconciliations within reach, the latest day first; at the desk of one institution only its own.
pub(crate) async fn list(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let mut list = ListQuery::read(&LIST, &uri);
    list.offer("state", vec![Choice::new(OPEN, visit.page.word("settlement.day.only_open"))]);
    let filter = DayFilter {
        from: list.parsed::<Day>("from").unwrap_or(Day(i32::MIN)),
        to: list.parsed::<Day>("to").unwrap_or(Day(i32::MAX)),
        institution: visit.actor.institution,
        is_open: list.filter("state") == Some(OPEN),
    };
    let (within, paging) = (visit.reach.clone(), (list.paging.limit(), list.paging.offset()));
    let read = move |tx: &mut Transaction<'_>| {
        let rows = days(tx, &within, filter, paging)?;
        Ok::<_, DatabaseError>((rows, count_days(tx, &within, filter)?))
    };
    let (rows, total) = visit.app.database.read(read).await?;
    list.found(total.unsigned_abs());
    let rows = rows.into_iter().map(|row| {
        let (tone, word) = state(&row);
        (row, tone, word)
    });
    let rows = rows.collect();
    let page = visit.page.titled("settlement.days.title");
    show(&ListPage { page, list, rows })
}

#[derive(Template)]
#[template(path = "settlement_day.html")]
struct OnePage {
    page: Page,
    list: ListQuery,
    day: DayRow,
    state: (&'static str, &'static str),
    sums: Vec<SumLine>,
    rows: Vec<Line>,
    may_explain: bool,
}

impl OnePage {
    fn lines(&self, of: &str) -> String {
        format!("/reconciliations/{}?of={of}", self.day.id)
    }

    fn export(&self) -> String {
        self.list.export_href(&format!("/reconciliations/{}/export", self.day.id))
    }

    fn explain(&self, line: &Line) -> String {
        format!("/reconciliations/{}/lines/{}", self.day.id, line.row.position)
    }
}

/// A figure of the day on both sides. None: the hospital does not say.
struct SumLine {
    name: String,
    theirs: Option<String>,
    ours: String,
    differs: bool,
    /// The lines behind it, where the hospital sent them: theirs, ours.
    paths: Option<(String, String)>,
}

/// A line in words.
struct Line {
    row: DayLineRow,
    theirs: String,
    ours: String,
    differences: Vec<String>,
}

fn side(page: &Page, side: Option<LineSide>) -> String {
    match side {
        None => page.word("settlement.day.not_there").into_owned(),
        Some((status, total, own)) => {
            let (status, total, own) = (page.word(status.word()), page.money(total), page.money(own));
            page.say("settlement.day.side", &[("status", &status), ("total", &total), ("own", &own)])
        }
    }
}

/// What a payer is called; a field of the national interface is its own name.
fn payer(visit: &Visit, day: &DayRow, code: &str) -> String {
    match day.funds_by {
        FundsBy::National if code != "person" => code.to_owned(),
        _ => payer_name(&visit.page, &visit.app.policies, day.place, day.day, code),
    }
}

fn sentence(visit: &Visit, day: &DayRow, difference: &DayDifference) -> String {
    let page = &visit.page;
    let payer = difference
        .payer
        .as_deref()
        .map_or_else(|| page.word("settlement.field.total").into_owned(), |code| payer(visit, day, code));
    let (theirs, ours) = (difference.theirs.unwrap_or_default(), difference.ours.unwrap_or_default());
    let why = difference.why.map_or_else(
        || page.word("settlement.cause.unknown").into_owned(),
        |why| page.word(why.word()).into_owned(),
    );
    let on = difference.on.map(|on| page.iso(on)).unwrap_or_default();
    let values: [(&str, &dyn std::fmt::Display); 6] = [
        ("payer", &payer),
        ("theirs", &page.money(theirs)),
        ("ours", &page.money(ours)),
        ("by", &page.money(if theirs < ours { ours - theirs } else { theirs - ours })),
        ("day", &on),
        ("why", &why),
    ];
    page.say(word_of(difference.kind, theirs < ours), &values)
}

const fn word_of(kind: DifferenceKind, is_less: bool) -> &'static str {
    match kind {
        DifferenceKind::OnlyOurs => "settlement.day.only_ours",
        DifferenceKind::OnlyTheirs => "settlement.day.only_theirs",
        DifferenceKind::OtherDay => "settlement.day.other_day",
        DifferenceKind::NotSettledHere => "settlement.day.not_settled_here",
        DifferenceKind::CancelledHere => "settlement.day.cancelled_here",
        DifferenceKind::CancelledThere => "settlement.day.cancelled_there",
        DifferenceKind::Total | DifferenceKind::OwnShare | DifferenceKind::Fund if is_less => {
            "settlement.day.amount_less"
        }
        DifferenceKind::Total | DifferenceKind::OwnShare | DifferenceKind::Fund => "settlement.day.amount",
        DifferenceKind::SettledAgain => "settlement.day.settled_again",
    }
}

/// Bills, cost, own share, and each fund that one of both names.
fn sums(visit: &Visit, day: &DayRow) -> Vec<SumLine> {
    let page = &visit.page;
    let (theirs, ours): (&DayTotals, &DayTotals) = (&day.theirs, &day.ours);
    let path = |of: &str| format!("/reconciliations/{}?of={of}", day.id);
    let paths = || day.has_lines.then(|| (path("theirs"), path("ours")));
    let line = |name: String, theirs: Option<String>, ours: String| {
        let differs = theirs.as_ref().is_some_and(|theirs| *theirs != ours);
        SumLine { name, theirs, ours, differs, paths: paths() }
    };
    let word = |key: &str| page.word(key).into_owned();
    let mut lines = vec![
        line(word("settlement.day.bills"), Some(page.number(theirs.bills)), page.number(ours.bills)),
        line(word("settlement.field.total"), Some(page.money(theirs.total)), page.money(ours.total)),
        line(word("settlement.payer.person"), Some(page.money(theirs.own)), page.money(ours.own)),
    ];
    let nothing: &[FundAmount] = &[];
    let their_funds = theirs.funds.as_deref();
    let mut codes: Vec<&str> = their_funds.unwrap_or(nothing).iter().map(|fund| fund.0.as_str()).collect();
    codes.extend(ours.funds.as_deref().unwrap_or(nothing).iter().map(|fund| fund.0.as_str()));
    codes.sort_unstable();
    codes.dedup();
    let different = fund_differences(their_funds, ours.funds.as_deref());
    for code in codes {
        let of = |funds: Option<&[FundAmount]>| -> kangmai_base::Fen {
            funds.unwrap_or(nothing).iter().filter(|fund| fund.0 == code).map(|fund| fund.1).sum()
        };
        let said = their_funds.map(|funds| page.money(of(Some(funds))));
        let mut line = line(payer(visit, day, code), said, page.money(of(ours.funds.as_deref())));
        line.differs = different.iter().any(|(other, _, _)| other == code);
        lines.push(line);
    }
    lines
}

/// A reconciliation within reach; at the desk of one institution only its own.
async fn found(visit: &Visit, id: Uuid) -> Result<DayRow, Failure> {
    let (within, own) = (visit.reach.clone(), visit.actor.institution);
    let day = visit.app.database.read(move |tx| find_day(tx, &within, id)).await?;
    day.filter(|day| own.is_none_or(|own| own == day.institution)).ok_or(Failure::NotFound)
}

/// Which lines are asked for; without a word, those that differ.
fn asked(visit: &Visit, uri: &Uri) -> (ListQuery, LinesOf) {
    let mut list = ListQuery::read(&LINES, uri);
    let words = LinesOf::ALL.iter().map(|of| {
        let key = format!("settlement.day.lines.{}", of.key());
        Choice::new(of.key(), visit.page.word(&key))
    });
    list.offer("of", words.collect());
    let of = list.filter("of").and_then(LinesOf::of_key).unwrap_or(LinesOf::Different);
    (list, of)
}

fn told(visit: &Visit, day: &DayRow, row: DayLineRow) -> Line {
    Line {
        theirs: side(&visit.page, row.theirs),
        ours: side(&visit.page, row.ours),
        differences: row.differences.iter().map(|one| sentence(visit, day, one)).collect(),
        row,
    }
}

/// GET: one day with its sums and lines.
pub(crate) async fn one(visit: Visit, Path(id): Path<String>, uri: Uri) -> Result<Response, Failure> {
    let day = found(&visit, id_in(&id)?).await?;
    let (mut list, of) = asked(&visit, &uri);
    let (id, paging) = (day.id, (list.paging.limit(), list.paging.offset()));
    let read = move |tx: &mut Transaction<'_>| {
        Ok::<_, DatabaseError>((day_lines(tx, id, of, paging)?, count_day_lines(tx, id, of)?))
    };
    let (rows, total) = visit.app.database.read(read).await?;
    list.found(total.unsigned_abs());
    let may_explain = day.is_latest
        && reach(&visit.actor, Purpose::ReconcileDays).is_some_and(|reach| reach.covers(day.place));
    let rows = rows.into_iter().map(|row| told(&visit, &day, row)).collect();
    let back = visit.page.word("settlement.days.title").into_owned();
    let mut page = visit.page.clone().titled("settlement.day.title").under(back, "/reconciliations");
    page.unit = day.institution_name.clone();
    let sums = sums(&visit, &day);
    show(&OnePage { page, list, state: state(&day), sums, rows, may_explain, day })
}

/// GET: the lines as an Excel file.
pub(crate) async fn export(visit: Visit, Path(id): Path<String>, uri: Uri) -> Result<Response, Failure> {
    let day = found(&visit, id_in(&id)?).await?;
    let (_, of) = asked(&visit, &uri);
    let asked = day.id;
    let rows = visit.app.database.read(move |tx| day_lines(tx, asked, of, (MOST_EXPORTED, 0))).await?;
    let page = &visit.page;
    let heads = [
        ("settlement.column.number", Format::Code),
        ("settlement.day.their_status", Format::Text),
        ("settlement.day.their_total", Format::Amount),
        ("settlement.day.their_own", Format::Amount),
        ("settlement.day.our_status", Format::Text),
        ("settlement.day.our_total", Format::Amount),
        ("settlement.day.our_own", Format::Amount),
        ("settlement.day.differences", Format::Text),
        ("settlement.field.why", Format::Text),
    ];
    let heads = heads.map(|(key, format)| Column::new(page.word(key), format)).to_vec();
    let title = page.word("settlement.day.title").into_owned();
    let sheet = |error: SheetError| Failure::internal(format!("{error:?}"));
    let mut out = XlsxExport::begin(&title, heads).map_err(sheet)?;
    let count = rows.len();
    for row in rows {
        let line = told(&visit, &day, row);
        let status = |side: Option<LineSide>| {
            side.map(|(status, _, _)| page.word(status.word()).into_owned()).unwrap_or_default()
        };
        let (theirs, ours) = (status(line.row.theirs), status(line.row.ours));
        let total = |side: Option<LineSide>| side.map_or(Cell::Empty, |(_, total, _)| Cell::Amount(total));
        let own = |side: Option<LineSide>| side.map_or(Cell::Empty, |(_, _, own)| Cell::Amount(own));
        let differences = line.differences.join("；");
        out.row(&[
            Cell::Text(&line.row.number),
            Cell::Text(&theirs),
            total(line.row.theirs),
            own(line.row.theirs),
            Cell::Text(&ours),
            total(line.row.ours),
            own(line.row.ours),
            Cell::Text(&differences),
            line.row.reason.as_deref().map_or(Cell::Empty, Cell::Text),
        ])
        .map_err(sheet)?;
    }
    let bytes = out.finish_in_memory().map_err(sheet)?;
    let what = format!("{title} {} {} {count}", day.institution_name, day.day);
    note(&visit, "export", None, day.place, what).await?;
    Ok(workbook(bytes, "reconciliation.xlsx"))
}

#[derive(Template)]
#[template(path = "settlement_pay_form.html")]
struct ExplainPage {
    page: Page,
    pairs: Vec<(String, String)>,
    notes: Vec<String>,
    form: Form,
    button: &'static str,
    is_danger: bool,
    back: String,
}

/// The line of an address, if it differs and the day is the latest.
async fn line_of(visit: &Visit, id: &str, position: &str) -> Result<(DayRow, DayLineRow), Failure> {
    let day = found(visit, id_in(id)?).await?;
    let position: i64 = position.parse().map_err(|_| Failure::NotFound)?;
    let asked = day.id;
    let line = visit.app.database.read(move |tx| day_line(tx, asked, position)).await?;
    let line = line.filter(|line| line.is_different && day.is_latest).ok_or(Failure::NotFound)?;
    Ok((day, line))
}

fn explain_page(visit: &Visit, day: &DayRow, line: DayLineRow, form: Form) -> ExplainPage {
    let back = format!("/reconciliations/{}", day.id);
    let list = visit.page.word("settlement.days.title").into_owned();
    let page = visit.page.clone().titled("settlement.day.explain_title").under(list, "/reconciliations");
    let page = page.under(format!("{} {}", day.institution_name, day.day), back.clone());
    let line = told(visit, day, line);
    let word = |key: &str| page.word(key).into_owned();
    let mut pairs = vec![
        (word("settlement.field.number"), line.row.number.clone()),
        (word("settlement.day.theirs"), line.theirs.clone()),
        (word("settlement.day.ours"), line.ours.clone()),
    ];
    pairs.extend(line.row.reason.iter().map(|reason| (word("settlement.day.said_before"), reason.clone())));
    ExplainPage {
        page,
        pairs,
        notes: line.differences,
        form,
        button: "settlement.day.explain",
        is_danger: false,
        back,
    }
}

/// GET: a difference, and the field for the reason.
pub(crate) async fn explain_form(
    visit: Visit,
    Path((id, position)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let (day, line) = line_of(&visit, &id, &position).await?;
    show(&explain_page(&visit, &day, line, Form::blank(EXPLAIN)))
}

/// POST: it may stay so, for this reason. A later reason of the same line stands in its place.
pub(crate) async fn explain(
    visit: Visit,
    Path((id, position)): Path<(String, String)>,
    body: FormBody,
) -> Result<Response, Failure> {
    let (day, line) = line_of(&visit, &id, &position).await?;
    let mut form = body.form(EXPLAIN);
    let Some(reason) = form.text("reason") else {
        return show_refused(&explain_page(&visit, &day, line, form));
    };
    let (app, actor, now) = (visit.app.clone(), visit.actor.clone(), visit.app.clock.now());
    let (reconciliation, institution, place) = (day.id, day.institution, day.place);
    let position = line.position;
    let reach = visit.reach.clone();
    let written = visit.app.database.write(move |tx| {
        // A later reconciliation of the day may have come meanwhile: then there is nothing to explain here.
        if !find_day(tx, &reach, reconciliation)?.is_some_and(|day| day.is_latest) {
            return Ok(Err(Refusal::new("settlement.refused.day_superseded")));
        }
        let hand = Hand { app: &app, actor: &actor, now, source: Source::Typed };
        let body = DifferenceExplained { reconciliation, position, reason };
        let fact = hand.fact(DIFFERENCE_EXPLAINED, institution, place, &body)?;
        let fact = NewFact { subject: Subject::institution(institution), ..fact };
        app.record.keep(tx, now, vec![fact])?;
        Ok::<_, DatabaseError>(Ok(()))
    });
    if let Err(refusal) = written.await? {
        form.refuse(refusal);
        return show_refused(&explain_page(&visit, &day, line, form));
    }
    let text = visit.page.say1("settlement.day.explained_now", "number", &line.number);
    Ok(Flash::good(text).then_go_to(&format!("/reconciliations/{}", day.id)))
}
