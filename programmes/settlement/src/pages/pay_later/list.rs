//! Own shares to be paid: what is due soon, overdue, by village; and the same as a file.

use std::collections::BTreeMap;

use askama::Template;
use axum::http::Uri;
use axum::response::Response;
use kangmai_access::{Purpose, Reach, reach};
use kangmai_base::{Day, DivisionCode, DivisionLevel, Fen};
use kangmai_database::DatabaseError;
use kangmai_places::Divisions;
use kangmai_programme::{Visit, place_choices};
use kangmai_sheet::Format;
use kangmai_sheets::{Cell, Head as Column, SheetError, XlsxExport};
use kangmai_web::{Choice, Failure, Field, ListQuery, ListSpec, Page, show, workbook};

use crate::pages::{note, village};
use crate::rules::days_late;
use crate::store::pay_later::{DebtFilter, DebtRow, DebtState, VillageSum, count_debts, debts, villages};

static DEBTS: ListSpec = ListSpec {
    filters: &[
        Field::select("place", "settlement.filter.place"),
        Field::select("state", "settlement.filter.state"),
    ],
    sorts: &["due"],
    descending: false,
};
/// Rows of one export; who needs more asks for a smaller place.
const MOST_EXPORTED: i64 = 200_000;
/// Places that the summary names, those with the largest sums.
const MOST_PLACES: usize = 60;

#[derive(Template)]
#[template(path = "settlement_debts.html")]
struct DebtsPage {
    page: Page,
    list: ListQuery,
    rows: Vec<Line>,
    /// Overdue by the places right below the reader's.
    places: Vec<Place>,
    export: String,
    may_find: bool,
    shows_phone: bool,
}

struct Line {
    row: DebtRow,
    village: String,
    said: String,
    tone: &'static str,
}

struct Place {
    name: String,
    href: String,
    bills: i64,
    overdue: Fen,
    days: i32,
}

/// The days of the pack of the reader's place: from when something is due soon, and from when somebody is reminded. A place
/// without a pack has neither: due soon is due today, and reminding begins with the first late day.
fn days_of(visit: &Visit, place: DivisionCode) -> (i32, i32) {
    reminders(&visit.app.policies, place, visit.today)
}

/// The same for a place and a day.
pub(crate) fn reminders(policies: &kangmai_policy::Release, place: DivisionCode, today: Day) -> (i32, i32) {
    let terms = policies.treat_first(place, today).and_then(|rule| rule.payment.as_ref());
    terms.map_or((0, 1), |terms| (terms.due_soon_days, terms.remind_after_days))
}

fn asked(visit: &Visit, uri: &Uri) -> (ListQuery, Reach, DebtFilter) {
    let mut list = ListQuery::read(&DEBTS, uri);
    let states = DebtState::ALL.iter().map(|state| Choice::new(state.key(), visit.page.word(state.word())));
    list.offer("state", states.collect());
    if list.filter("state").is_none() {
        list.form.fill("state", DebtState::Open.key());
    }
    let place = list.parsed::<DivisionCode>("place").filter(|place| visit.reach.covers(*place));
    let reach = place.map_or_else(|| visit.reach.clone(), |place| visit.reach.narrowed(place));
    list.offer("place", place_choices(&visit.reach, &reach));
    let (soon_days, remind_days) = days_of(visit, reach.place());
    let state = list.filter("state").and_then(DebtState::of_key).unwrap_or(DebtState::Open);
    let (institution, today) = (visit.actor.institution, visit.today);
    (list, reach, DebtFilter { state, institution, today, soon_days, remind_days })
}

/// GET: the debts within reach.
pub(crate) async fn list(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let (mut list, reach_here, filter) = asked(&visit, &uri);
    let (counted, place) = (reach_here.clone(), reach_here.place());
    let total = visit.app.database.read(move |tx| count_debts(tx, &counted, filter)).await?;
    list.found(total.unsigned_abs());
    let page_of_list = (list.paging.limit(), list.paging.offset());
    let read = visit.app.database.read(move |tx| {
        let mut rows = Vec::new();
        debts(tx, &reach_here, filter, page_of_list, |row| {
            rows.push(row);
            Ok(())
        })?;
        Ok::<_, DatabaseError>((rows, villages(tx, &reach_here, filter.institution, filter.today)?))
    });
    let (rows, sums) = read.await?;
    let overdue = sums.iter().map(|sum| sum.bills).sum::<i64>();
    let todo = visit.page.count("settlement.debts.to_do", overdue);
    let page = visit.page.clone().titled("settlement.debts.title").to_do(todo, None);
    let export = list.export_href("/payments.xlsx");
    show(&DebtsPage {
        rows: rows.into_iter().map(|row| line_of(&page, row, visit.today)).collect(),
        places: places_of(&list, place, &sums, visit.today),
        may_find: reach(&visit.actor, Purpose::FindPeople).is_some(),
        shows_phone: visit.reach.contact(),
        export,
        list,
        page,
    })
}

fn line_of(page: &Page, row: DebtRow, today: Day) -> Line {
    let (said, tone) = match row.next_due {
        Some(due) => (page.days_left(due, today), page.deadline_tone(due, today)),
        None if row.open.is_negative() => (page.word("settlement.debts.refund").into_owned(), "warning"),
        None => (page.word("settlement.debts.paid").into_owned(), "good"),
    };
    Line { village: village(row.home), row, said, tone }
}

/// Sums of villages, put together by the divisions right below `place`; the largest first.
fn places_of(list: &ListQuery, place: DivisionCode, sums: &[VillageSum], today: Day) -> Vec<Place> {
    let divisions = Divisions::shipped();
    let level = divisions
        .get(place)
        .and_then(|division| division.children().first().map(|child| child.level()))
        .unwrap_or(DivisionLevel::Village);
    let mut by_place: BTreeMap<DivisionCode, (i64, Fen, i32)> = BTreeMap::new();
    for sum in sums {
        let entry = by_place.entry(sum.home.at(level)).or_default();
        entry.0 += sum.bills;
        entry.1 += sum.overdue;
        entry.2 = entry.2.max(today.days_since(sum.since));
    }
    let mut places: Vec<Place> = by_place
        .into_iter()
        .map(|(code, (bills, overdue, days))| Place {
            name: divisions.get(code).map_or_else(|| code.to_string(), |division| division.short_name()),
            href: list.with("place", &code.to_string()),
            bills,
            overdue,
            days,
        })
        .collect();
    places.sort_by_key(|place| std::cmp::Reverse(place.overdue));
    places.truncate(MOST_PLACES);
    places
}

/// GET: the same debts as an Excel file. A phone number only for who may see it.
pub(crate) async fn export(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let (_, reach, filter) = asked(&visit, &uri);
    let (place, today) = (reach.place(), visit.today);
    let page = visit.page.clone();
    let mut heads = vec![
        ("settlement.column.name", Format::Text),
        ("settlement.column.village", Format::Text),
        ("settlement.column.institution", Format::Text),
        ("settlement.column.discharged", Format::Day),
        ("settlement.column.own", Format::Amount),
        ("settlement.debt.paid", Format::Amount),
        ("settlement.debt.written_off", Format::Amount),
        ("settlement.debt.open", Format::Amount),
        ("settlement.plan.due", Format::Day),
        ("settlement.column.overdue", Format::Amount),
        ("settlement.column.days_late", Format::Whole),
    ];
    let shows_phone = reach.contact();
    if shows_phone {
        heads.push(("settlement.column.phone", Format::Code));
    }
    let heads = heads.into_iter().map(|(key, format)| Column::new(page.word(key), format)).collect();
    let title = page.word("settlement.debts.title").into_owned();
    let what = title.clone();
    let written = visit.app.database.read(move |tx| {
        let sheet = |error: SheetError| DatabaseError::Refused(format!("{error:?}"));
        let mut out = XlsxExport::begin(&title, heads).map_err(sheet)?;
        let mut rows = 0_i64;
        debts(tx, &reach, filter, (MOST_EXPORTED, 0), |row| {
            rows += 1;
            let village = village(row.home);
            let late = row.next_due.and_then(|due| days_late(due, today));
            let phone = row.phone.as_ref().map(kangmai_base::Phone::masked);
            let mut cells = vec![
                Cell::Text(&row.person_name),
                Cell::Text(&village),
                Cell::Text(&row.institution_name),
                Cell::Day(row.discharged_on),
                Cell::Amount(row.own),
                Cell::Amount(row.paid),
                Cell::Amount(row.written_off),
                Cell::Amount(row.open),
                row.next_due.map_or(Cell::Empty, Cell::Day),
                Cell::Amount(row.overdue),
                late.map_or(Cell::Empty, |days| Cell::Whole(i64::from(days))),
            ];
            if shows_phone {
                cells.push(phone.as_deref().map_or(Cell::Empty, Cell::Text));
            }
            out.row(&cells).map_err(sheet)
        })?;
        Ok((out.finish_in_memory().map_err(sheet)?, rows))
    });
    let (bytes, rows): (Vec<u8>, i64) = written.await.map_err(|error: DatabaseError| error)?;
    let asked = uri.query().unwrap_or_default();
    note(&visit, "export", None, place, format!("{what} {rows} {asked}").trim_end().to_owned()).await?;
    Ok(workbook(bytes, "own-shares.xlsx"))
}
