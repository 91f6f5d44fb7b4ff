//! 机构年度补助: the institutions of a place with what each is due for a year, by the tables of the packs.

use askama::Template;
use axum::http::Uri;
use axum::response::Response;
use kangmai_access::{Reach, audit};
use kangmai_base::{Day, DivisionCode, Fen};
use kangmai_database::DatabaseError;
use kangmai_places::{Institution, InstitutionFilter, institutions_at};
use kangmai_policy::{InstitutionKind, Release};
use kangmai_programme::{Visit, place_choices, place_name};
use kangmai_sheet::Format;
use kangmai_sheets::{Cell, Head, SheetError, XlsxExport};
use kangmai_web::{Choice, Failure, Field, ListQuery, ListSpec, Page, show, workbook};

use super::packs::spoken;

/// Most institutions that are looked through; a place with more is asked for part by part.
const MOST_INSTITUTIONS: i64 = 5_000;
/// Years back that can be asked for.
const YEARS_BACK: i32 = 10;

static LIST: ListSpec = ListSpec {
    filters: &[
        Field::select("place", "server.subsidies.place"),
        Field::select("year", "server.subsidies.which_year"),
    ],
    sorts: &["place"],
    descending: false,
};

/// An institution that is due something.
struct Due {
    institution: Institution,
    parts: String,
    due: Fen,
}

#[derive(Template)]
#[template(path = "office_subsidies.html")]
struct SubsidiesPage {
    page: Page,
    list: ListQuery,
    year: i32,
    rows: Vec<(Due, String)>,
    summary: String,
    export: String,
    is_cut: bool,
}

/// The year and the part of the reach that a list asks for.
fn asked(visit: &Visit, list: &ListQuery) -> (i32, Reach) {
    let now = visit.today.year();
    let year = list.parsed::<i32>("year").filter(|year| (now - YEARS_BACK..=now).contains(year));
    let place = list.parsed::<DivisionCode>("place").filter(|place| visit.reach.covers(*place));
    (year.unwrap_or(now), place.map_or_else(|| visit.reach.clone(), |place| visit.reach.narrowed(place)))
}

/// What `institution` is due for `year`: by the table that holds on the first day of the year, whole if it served on any
/// day of it. `None`: nothing.
fn due(release: &Release, page: &Page, institution: Institution, year: i32) -> Option<Due> {
    let (first, last) = (Day::from_ymd(year, 1, 1)?, Day::from_ymd(year, 12, 31)?);
    let body = &institution.body;
    let served = body.opened.is_none_or(|day| day <= last) && body.closed.is_none_or(|day| day > first);
    let table = release.subsidies(institution.place, first).filter(|_| served)?;
    let kind = InstitutionKind::from_name(body.kind.key())?;
    let names = body.capabilities.iter().filter_map(|name| release.vocabulary().designation(name.key()));
    let names = names.fold(0, |all, name| all | name);
    let sum = table.due_for_year(kind, names);
    let language = spoken(page.language);
    let part = |item: &kangmai_policy::Subsidy| {
        page.say2("server.subsidies.part", "name", item.name.get(language), "amount", page.yuan(item.amount))
    };
    let parts: Vec<String> = table.of_year(kind, names).map(part).collect();
    let parts = parts.join(if page.is_chinese() { "；" } else { "; " });
    (sum > Fen::ZERO).then_some(Due { institution, parts, due: sum })
}

/// All that are due something, and whether there are more institutions than are looked through.
async fn all_due(visit: &Visit, year: i32, within: &Reach) -> Result<(Vec<Due>, bool), Failure> {
    let range = within.places();
    let read = move |tx: &mut kangmai_database::Transaction<'_>| {
        institutions_at(tx, range, &InstitutionFilter::default(), 0, MOST_INSTITUTIONS + 1)
    };
    let mut institutions = visit.app.database.read(read).await?;
    let most = usize::try_from(MOST_INSTITUTIONS).unwrap_or(usize::MAX);
    let is_cut = institutions.len() > most;
    institutions.truncate(most);
    let due = |one| due(&visit.app.policies, &visit.page, one, year);
    Ok((institutions.into_iter().filter_map(due).collect(), is_cut))
}

/// GET `/subsidies`: who is due what this year.
pub(super) async fn list(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let mut list = ListQuery::read(&LIST, &uri);
    let (year, within) = asked(&visit, &list);
    let (all, is_cut) = all_due(&visit, year, &within).await?;
    let (count, sum) = (all.len(), Fen(all.iter().map(|one| one.due.0).sum()));
    list.offer("place", place_choices(&visit.reach, &within));
    let now = visit.today.year();
    let years = (now - YEARS_BACK..=now).rev().map(|year| Choice::new(year.to_string(), year.to_string()));
    list.offer("year", years.collect());
    list.found(count as u64);
    let skipped = usize::try_from(list.paging.offset()).unwrap_or(0);
    let shown = usize::try_from(list.paging.limit()).unwrap_or(0);
    let rows = all.into_iter().skip(skipped).take(shown);
    let rows = rows.map(|one| (place_name(one.institution.place), one)).map(|(place, one)| (one, place));
    let rows = rows.collect();
    let export = list.export_href("/subsidies.xlsx");
    let page = visit.page.titled("server.subsidies");
    let (number, amount) = (page.number(count), page.yuan(sum));
    let values: [(&str, &dyn std::fmt::Display); 3] =
        [("year", &year), ("count", &number), ("amount", &amount)];
    let summary = page.say("server.subsidies.sum", &values);
    show(&SubsidiesPage { page, list, year, rows, summary, export, is_cut })
}

/// GET `/subsidies.xlsx`: the same rows as an Excel file.
pub(super) async fn export(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let list = ListQuery::read(&LIST, &uri);
    let (year, within) = asked(&visit, &list);
    let (all, _) = all_due(&visit, year, &within).await?;
    let page = &visit.page;
    let heads = [
        ("server.subsidies.code", Format::Code),
        ("server.subsidies.institution", Format::Text),
        ("server.subsidies.where", Format::Text),
        ("server.subsidies.year", Format::Whole),
        ("server.subsidies.parts", Format::Text),
        ("server.subsidies.due", Format::Amount),
    ];
    let heads = heads.map(|(key, format)| Head::new(page.word(key), format)).to_vec();
    let title = page.word("server.subsidies").into_owned();
    let broken = |error: SheetError| DatabaseError::Refused(error.to_string());
    let mut file = XlsxExport::begin(&title, heads).map_err(broken)?;
    for one in &all {
        let body = &one.institution.body;
        let cells = [
            Cell::Text(&body.code),
            Cell::Text(&body.name),
            Cell::Text(&place_name(one.institution.place)),
            Cell::Whole(i64::from(year)),
            Cell::Text(&one.parts),
            Cell::Amount(one.due),
        ];
        file.row(&cells).map_err(broken)?;
    }
    let bytes = file.finish_in_memory().map_err(broken)?;
    let (id, now, actor, place) = (visit.app.mint(), visit.app.clock.now(), visit.actor, within.place());
    let reason = format!("{title} {} {year}", all.len());
    let note = move |tx: &mut kangmai_database::Transaction<'_>| {
        audit(tx, id, now, &actor, "export", None, place, &reason, "done")
    };
    visit.app.database.write(note).await?;
    Ok(workbook(bytes, &format!("subsidies-{year}.xlsx")))
}
