//! The list of bills, and the same as a file.

use askama::Template;
use axum::http::Uri;
use axum::response::Response;
use kangmai_access::Reach;
use kangmai_base::{Day, DivisionCode};
use kangmai_database::DatabaseError;
use kangmai_places::Divisions;
use kangmai_programme::Visit;
use kangmai_sheet::Format;
use kangmai_sheets::{Cell, Head as Column, SheetError, XlsxExport};
use kangmai_web::{Choice, Failure, Field, ListQuery, ListSpec, Page, show, workbook};

use super::{note, village};
use crate::store::{BillFilter, BillRow, BillState, bill_rows, bill_sum, count_bills, each_bill};

static BILLS: ListSpec = ListSpec {
    filters: &[
        Field::select("place", "settlement.filter.place"),
        Field::day("from", "settlement.filter.from"),
        Field::day("to", "settlement.filter.to"),
        Field::select("state", "settlement.filter.state"),
    ],
    sorts: &["discharged"],
    descending: true,
};

/// Rows of one export; who needs more asks for a shorter time.
const MOST_EXPORTED: i64 = 200_000;

#[derive(Template)]
#[template(path = "settlement_bills.html")]
struct BillsPage {
    page: Page,
    list: ListQuery,
    rows: Vec<Line>,
    export: String,
    may_see_money: bool,
    /// Whether a pack has caps for diseases, and the reader may see what care cost.
    may_see_deviations: bool,
    /// Whether the reader may open a person's page.
    may_find: bool,
}

/// A bill with its place in words.
struct Line {
    row: BillRow,
    village: String,
    setting: String,
}

fn asked(visit: &Visit, uri: &Uri) -> (ListQuery, Reach, BillFilter) {
    let mut list = ListQuery::read(&BILLS, uri);
    let states = BillState::ALL.iter().map(|state| Choice::new(state.key(), visit.page.word(state.word())));
    list.offer("state", states.collect());
    let place = list.parsed::<DivisionCode>("place").filter(|place| visit.reach.covers(*place));
    list.offer("place", places(visit.reach.place(), place));
    let reach = place.map_or_else(|| visit.reach.clone(), |place| visit.reach.narrowed(place));
    let filter = BillFilter {
        from: list.parsed::<Day>("from"),
        to: list.parsed::<Day>("to"),
        state: list.filter("state").and_then(BillState::of_key),
    };
    (list, reach, filter)
}

/// The divisions right below the reader's place, and the one asked for.
fn places(own: DivisionCode, asked: Option<DivisionCode>) -> Vec<Choice> {
    let all = Divisions::shipped();
    let children = match all.get(own) {
        Some(division) => division.children(),
        None => all.provinces(),
    };
    let mut choices: Vec<Choice> =
        children.into_iter().map(|child| Choice::new(child.code().to_string(), child.short_name())).collect();
    if let Some(asked) = asked
        && !choices.iter().any(|choice| choice.value == asked.to_string())
        && let Some(division) = all.get(asked)
    {
        choices.insert(0, Choice::new(asked.to_string(), division.full_name()));
    }
    choices
}

/// GET: the bills within reach, the latest first.
pub(crate) async fn list(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let (mut list, reach, filter) = asked(&visit, &uri);
    let (limit, counted) = (list.paging.limit(), reach.clone());
    let total = visit.app.database.read(move |tx| {
        if filter == BillFilter::default() && counted.institution().is_none() {
            // Sums know the settled ones; few others are there.
            let rest = [BillState::Gap, BillState::Received, BillState::Cancelled];
            let mut total = bill_sum(tx, &counted, None)?.bills;
            for state in rest {
                total += count_bills(tx, &counted, BillFilter { state: Some(state), ..filter })?;
            }
            return Ok(total);
        }
        count_bills(tx, &counted, filter)
    });
    let total: i64 = total.await.map_err(|error: DatabaseError| error)?;
    list.found(total.unsigned_abs());
    let offset = list.paging.offset();
    let rows = visit.app.database.read(move |tx| bill_rows(tx, &reach, filter, limit, offset)).await?;
    let lines = rows
        .into_iter()
        .map(|row| Line { village: village(row.home), setting: setting(&visit.page, &row.setting), row })
        .collect();
    let export = list.export_href("/bills.xlsx");
    let may_see_money = visit.reach.money();
    let may_see_deviations = may_see_money && visit.app.policies.sets_disease_caps();
    let may_find = kangmai_access::reach(&visit.actor, kangmai_access::Purpose::FindPeople).is_some();
    let page = visit.page.titled("settlement.bills.title");
    show(&BillsPage { page, list, rows: lines, export, may_see_money, may_see_deviations, may_find })
}

fn setting(page: &Page, name: &str) -> String {
    kangmai_policy::Setting::from_name(name)
        .map(|setting| page.word(super::bill_form::setting_word(setting)).into_owned())
        .unwrap_or_default()
}

/// GET: the same bills as an Excel file with the same columns. Never with a diagnosis.
pub(crate) async fn export(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    if !visit.reach.money() {
        return Err(Failure::NotFound);
    }
    let (_, reach, filter) = asked(&visit, &uri);
    let place = reach.place();
    let page = visit.page.clone();
    let heads = [
        ("settlement.column.number", Format::Code),
        ("settlement.column.name", Format::Text),
        ("settlement.column.village", Format::Text),
        ("settlement.column.institution", Format::Text),
        ("settlement.column.setting", Format::Text),
        ("settlement.column.admitted", Format::Day),
        ("settlement.column.discharged", Format::Day),
        ("settlement.column.total", Format::Amount),
        ("settlement.column.compliant", Format::Amount),
        ("settlement.column.own", Format::Amount),
        ("settlement.column.waived", Format::Amount),
        ("settlement.column.state", Format::Text),
    ];
    let heads = heads.map(|(key, format)| Column::new(page.word(key), format)).to_vec();
    let title = page.word("settlement.bills.title").into_owned();
    let what = title.clone();
    let written = visit.app.database.read(move |tx| {
        let sheet = |error: SheetError| DatabaseError::Refused(format!("{error:?}"));
        let mut out = XlsxExport::begin(&title, heads).map_err(sheet)?;
        let mut rows = 0;
        each_bill(tx, &reach, filter, MOST_EXPORTED, 0, |row| {
            rows += 1;
            let (village, setting) = (village(row.home), setting(&page, &row.setting));
            let state = page.word(row.state.word());
            out.row(&[
                Cell::Text(&row.number),
                Cell::Text(&row.person_name),
                Cell::Text(&village),
                Cell::Text(&row.institution_name),
                Cell::Text(&setting),
                Cell::Day(row.admitted_on),
                Cell::Day(row.discharged_on),
                Cell::Amount(row.total),
                Cell::Amount(row.compliant),
                if row.state == BillState::Settled { Cell::Amount(row.own) } else { Cell::Empty },
                if row.state == BillState::Settled { Cell::Amount(row.waived) } else { Cell::Empty },
                Cell::Text(&state),
            ])
            .map_err(sheet)
        })?;
        Ok((out.finish_in_memory().map_err(sheet)?, rows))
    });
    let (bytes, rows): (Vec<u8>, i64) = written.await.map_err(|error: DatabaseError| error)?;
    let asked = uri.query().unwrap_or_default();
    note(&visit, "export", None, place, format!("{what} {rows} {asked}").trim_end().to_owned()).await?;
    Ok(workbook(bytes, "bills.xlsx"))
}
