//! The ledger: what was posted for each payer in a period, line by line, each with its cause.

use askama::Template;
use axum::http::Uri;
use axum::response::Response;
use kangmai_access::{Purpose, Reach, reach};
use kangmai_base::{Day, DivisionCode, Fen};
use kangmai_database::DatabaseError;
use kangmai_policy::Release;
use kangmai_programme::{Visit, place_choices, place_name};
use kangmai_sheet::Format;
use kangmai_sheets::{Cell, Head as Column, SheetError, XlsxExport};
use kangmai_web::{Choice, Failure, Field, ListQuery, ListSpec, Page, show, workbook};

use super::{language, note};
use crate::facts::Why;
use crate::store::{self, PERSON_KIND, PostingFilter, PostingRow, PostingSum};

static POSTINGS: ListSpec = ListSpec {
    filters: &[
        Field::select("place", "settlement.filter.place"),
        Field::day("from", "settlement.filter.posted_from"),
        Field::day("to", "settlement.filter.posted_to"),
        Field::select("payer", "settlement.filter.payer"),
        Field::select("cause", "settlement.filter.cause"),
    ],
    sorts: &["posted"],
    descending: true,
};

#[derive(Template)]
#[template(path = "settlement_postings.html")]
struct PostingsPage {
    page: Page,
    list: ListQuery,
    /// The period that is shown.
    from: Day,
    to: Day,
    sums: Vec<SumLine>,
    rows: Vec<Line>,
    export: String,
    may_find: bool,
}

struct SumLine {
    sum: PostingSum,
    payer: String,
    /// The lines behind the figure.
    path: String,
}

/// A posting in words.
struct Line {
    row: PostingRow,
    place: String,
    payer: String,
    amount: String,
    cause: String,
}

/// What a list asks for; without days, the month so far.
fn asked(visit: &Visit, list: &ListQuery) -> (PostingFilter, Reach) {
    let (year, month, _) = visit.today.ymd();
    let first = Day::from_ymd(year, month, 1).unwrap_or(visit.today);
    let filter = PostingFilter {
        from: list.parsed::<Day>("from").unwrap_or(first),
        to: list.parsed::<Day>("to").unwrap_or(visit.today),
        payer: list.filter("payer").map(str::to_owned),
        cause: list.filter("cause").and_then(Why::of_key),
    };
    let place = list.parsed::<DivisionCode>("place").filter(|place| visit.reach.covers(*place));
    (filter, place.map_or_else(|| visit.reach.clone(), |place| visit.reach.narrowed(place)))
}

/// GET: sums by payer, and the lines.
pub(crate) async fn list(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    if !visit.reach.money() {
        return Err(Failure::NotFound);
    }
    let mut list = ListQuery::read(&POSTINGS, &uri);
    let (filter, within) = asked(&visit, &list);
    let (limit, offset) = (list.paging.limit(), list.paging.offset());
    let (wanted, narrowed) = (filter.clone(), within.clone());
    let (sums, all, rows, total) = visit
        .app
        .database
        .read(move |tx| {
            let sums = store::posting_sums(tx, &narrowed, &wanted)?;
            let all = match wanted.payer {
                Some(_) => {
                    store::posting_sums(tx, &narrowed, &PostingFilter { payer: None, ..wanted.clone() })?
                }
                None => sums.clone(),
            };
            let rows = store::postings(tx, &narrowed, &wanted, limit, offset)?;
            let total = store::count_postings(tx, &narrowed, &wanted)?;
            Ok::<_, DatabaseError>((sums, all, rows, total))
        })
        .await?;
    let page = visit.page.clone().titled("settlement.postings.title");
    let policies = &visit.app.policies;
    let name = |payer: &str| payer_name(&page, policies, within.place(), visit.today, payer);
    list.offer("place", place_choices(&visit.reach, &within));
    list.offer("payer", all.iter().map(|sum| Choice::new(&*sum.payer, name(&sum.payer))).collect());
    list.offer("cause", Why::ALL.iter().map(|why| Choice::new(why.key(), cause_name(&page, *why))).collect());
    list.found(total.unsigned_abs());
    let sums = sums.into_iter().map(|sum| SumLine {
        payer: name(&sum.payer),
        path: list.with("payer", &sum.payer),
        sum,
    });
    let sums = sums.collect();
    let rows = rows.into_iter().map(|row| Line {
        place: place_name(row.home),
        payer: name(&row.payer),
        amount: signed(&page, row.amount),
        cause: cause_sentence(&page, row.cause, row.release.as_deref()),
        row,
    });
    let rows = rows.collect();
    let export = list.export_href("/postings.xlsx");
    let may_find = reach(&visit.actor, Purpose::FindPeople).is_some();
    show(&PostingsPage { page, list, from: filter.from, to: filter.to, sums, rows, export, may_find })
}

/// GET: the same lines as an Excel file.
pub(crate) async fn export(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    if !visit.reach.money() {
        return Err(Failure::NotFound);
    }
    let list = ListQuery::read(&POSTINGS, &uri);
    let (filter, within) = asked(&visit, &list);
    let (place, page, today) = (within.place(), visit.page.clone(), visit.today);
    let policies = std::sync::Arc::clone(&visit.app.policies);
    let heads = [
        ("settlement.column.posted", Format::Day),
        ("settlement.column.payer", Format::Text),
        ("settlement.column.amount", Format::Amount),
        ("settlement.column.cause", Format::Text),
        ("settlement.column.number", Format::Code),
        ("settlement.column.name", Format::Text),
        ("settlement.column.village", Format::Text),
        ("settlement.column.year", Format::Whole),
        ("settlement.column.release", Format::Code),
    ];
    let heads = heads.map(|(key, format)| Column::new(page.word(key), format)).to_vec();
    let title = page.word("settlement.postings.title").into_owned();
    let what = title.clone();
    let written = visit.app.database.read(move |tx| {
        let read =
            |limit, offset| store::postings(tx, &within, &filter, limit, offset).map_err(Unwritten::from);
        XlsxExport::list(&title, heads, read, |out, row| {
            let payer = payer_name(&page, &policies, place, today, &row.payer);
            let cause = cause_sentence(&page, row.cause, row.release.as_deref());
            out.row(&[
                Cell::Day(row.posted_at.day()),
                Cell::Text(&payer),
                Cell::Amount(row.amount),
                Cell::Text(&cause),
                Cell::Text(&row.number),
                Cell::Text(&row.person_name),
                Cell::Text(&place_name(row.home)),
                Cell::Whole(i64::from(row.year)),
                Cell::Text(row.release.as_deref().unwrap_or_default()),
            ])
        })
        .map_err(|Unwritten(error)| error)
    });
    let (bytes, rows): (Vec<u8>, i64) = written.await?;
    let asked = uri.query().unwrap_or_default();
    note(&visit, "export", None, place, format!("{what} {rows} {asked}").trim_end().to_owned()).await?;
    Ok(workbook(bytes, "postings.xlsx"))
}

/// A file that could not be written, or not be read for.
struct Unwritten(DatabaseError);

impl From<DatabaseError> for Unwritten {
    fn from(error: DatabaseError) -> Unwritten {
        Unwritten(error)
    }
}

impl From<SheetError> for Unwritten {
    fn from(error: SheetError) -> Unwritten {
        Unwritten(DatabaseError::Refused(format!("{error:?}")))
    }
}

/// What a payer is called: in the pack of the place, else in any pack, else by its code.
pub(super) fn payer_name(
    page: &Page,
    policies: &Release,
    place: DivisionCode,
    day: Day,
    payer: &str,
) -> String {
    if payer == PERSON_KIND {
        return page.word("settlement.payer.person").into_owned();
    }
    let own = policies.jurisdiction_for(place, day);
    let layers = own.into_iter().chain(policies.jurisdictions()).flat_map(|one| one.to_read().layers());
    let mut payers = layers.map(|layer| &layer.benefit.payer);
    payers
        .find(|known| known.fund == payer)
        .map_or_else(|| payer.to_owned(), |known| known.name.get(language(page)).to_owned())
}

fn cause_name(page: &Page, why: Why) -> String {
    page.word(why.word()).into_owned()
}

/// Why something was posted, in words.
pub(super) fn cause_sentence(page: &Page, cause: Option<Why>, release: Option<&str>) -> String {
    match (cause, release) {
        (Some(Why::Release), Some(release)) => {
            let begin: String = release.chars().take(12).collect();
            page.say1("settlement.cause.release_named", "release", begin)
        }
        (Some(why), _) => cause_name(page, why),
        (None, _) => page.word("settlement.cause.unknown").into_owned(),
    }
}

/// `+1.00` or `−1.00`: a change says its direction, and not by colour only.
pub(super) fn signed(page: &Page, amount: Fen) -> String {
    if amount.is_negative() {
        format!("−{}", page.money(Fen(-amount.0)))
    } else {
        format!("+{}", page.money(amount))
    }
}
