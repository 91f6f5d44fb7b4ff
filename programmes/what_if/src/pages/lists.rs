//! The people and households behind the figures of a run.

use askama::Template;
use axum::extract::Path;
use axum::http::Uri;
use axum::response::Response;
use kangmai_access::{Purpose, Reach, reach};
use kangmai_base::DivisionCode;
use kangmai_database::DatabaseError;
use kangmai_people::Label;
use kangmai_programme::{Visit, place_choices, place_name};
use kangmai_sheet::Format;
use kangmai_sheets::{Cell, Head, SheetError, XlsxExport};
use kangmai_web::{Choice, Failure, Field, ListQuery, ListSpec, Page, show, workbook};

use super::one::{band_name, label_name};
use super::{note, run_in, signed};
use crate::result::{BANDS, HouseholdLine, PersonLine};
use crate::run::MOST_PEOPLE;
use crate::store::{self, Moved};

static PEOPLE: ListSpec = ListSpec {
    filters: &[
        Field::select("side", "what_if.filter.side").optional(),
        Field::select("band", "what_if.filter.band").optional(),
        Field::select("place", "what_if.filter.place").optional(),
        Field::select("label", "what_if.filter.label").optional(),
    ],
    sorts: &["difference"],
    descending: true,
};
static HOUSEHOLDS: ListSpec = ListSpec {
    filters: &[Field::select("side", "what_if.filter.side").optional()],
    sorts: &["difference"],
    descending: true,
};
/// Nobody's label, in an address.
const NO_LABEL: &str = "none";
/// Households that the page shows.
const MOST_HOUSEHOLDS_SHOWN: i64 = 500;

/// What a list is asked.
struct AskedPeople {
    list: ListQuery,
    reach: Reach,
    moved: Moved,
}

fn asked(visit: &Visit, uri: &Uri, place: DivisionCode) -> AskedPeople {
    let mut list = ListQuery::read(&PEOPLE, uri);
    let page = &visit.page;
    let within = visit.reach.narrowed(place);
    let chosen = list.parsed::<DivisionCode>("place").filter(|place| within.covers(*place));
    let reach = chosen.map_or_else(|| within.clone(), |place| within.narrowed(place));
    list.offer("side", ["lose", "gain"].map(|side| Choice::new(side, page.word(side_word(side)))).to_vec());
    let bands = (0..=BANDS.len()).map(|band| Choice::new(band.to_string(), band_name(page, band)));
    list.offer("band", bands.collect());
    list.offer("place", place_choices(&within, &reach));
    let labels = Label::ALL.iter().map(|label| Choice::new(label.key(), page.word(label.word())));
    let nobody = Choice::new(NO_LABEL, page.word("what_if.no_label"));
    list.offer("label", labels.chain([nobody]).collect());
    let band = list.parsed::<usize>("band").filter(|band| *band <= BANDS.len());
    let between = band.map_or((1, i64::MAX), |band| {
        let least = band.checked_sub(1).map_or(0, |before| BANDS[before]) + 1;
        (least, BANDS.get(band).copied().unwrap_or(i64::MAX))
    });
    let label = list.filter("label").map(|label| if label == NO_LABEL { "" } else { label }.to_owned());
    let moved = Moved { lose: list.filter("side") != Some("gain"), between, label };
    AskedPeople { list, reach, moved }
}

fn side_word(side: &str) -> &'static str {
    if side == "gain" { "what_if.stat.gain" } else { "what_if.stat.lose" }
}

/// A person as the list shows one.
struct Line {
    line: PersonLine,
    name: String,
    place: String,
    label: String,
}

impl Line {
    fn difference(&self) -> String {
        signed(self.line.own.difference())
    }
}

#[derive(Template)]
#[template(path = "what_if_people.html")]
struct PeoplePage {
    page: Page,
    list: ListQuery,
    rows: Vec<Line>,
    export: String,
    is_cut: bool,
    may_find: bool,
}

/// GET `/what-if/{id}/people`: who bears more or less, the most first.
pub(crate) async fn people(visit: Visit, Path(id): Path<String>, uri: Uri) -> Result<Response, Failure> {
    let run = run_in(&visit, &id).await?;
    let AskedPeople { mut list, reach: within, moved } = asked(&visit, &uri, run.place);
    let window = (list.paging.limit(), list.paging.offset());
    let (asked, counted) = (moved.clone(), within.clone());
    let read = visit.app.database.read(move |tx| {
        let total = store::people_count(tx, &counted, (run.id, &asked))?;
        Ok::<_, DatabaseError>((total, store::moved_people(tx, &counted, (run.id, &asked), window)?))
    });
    let (total, rows) = read.await?;
    list.found(total.unsigned_abs());
    let outcome = run.outcome.unwrap_or_default();
    let side = if moved.lose { outcome.lose } else { outcome.gain };
    let title = if moved.lose { "what_if.people.lose" } else { "what_if.people.gain" };
    let path = format!("/what-if/{id}");
    let page = visit.page.clone().under(visit.page.word("what_if.title"), "/what-if");
    let page = page.under(visit.page.word("what_if.run"), path.clone()).titled(title);
    let rows = rows
        .into_iter()
        .map(|(line, name)| Line {
            place: place_name(line.home),
            label: label_name(&page, line.label),
            line,
            name,
        })
        .collect();
    note(&visit, "list", within.place(), format!("what_if {}", run.id)).await?;
    show(&PeoplePage {
        export: list.export_href(&format!("{path}/people.xlsx")),
        is_cut: side.people > i64::try_from(MOST_PEOPLE).unwrap_or(i64::MAX),
        may_find: reach(&visit.actor, Purpose::FindPeople).is_some(),
        list,
        rows,
        page,
    })
}

/// GET `/what-if/{id}/people.xlsx`: the same people as a file.
pub(crate) async fn people_file(visit: Visit, Path(id): Path<String>, uri: Uri) -> Result<Response, Failure> {
    let run = run_in(&visit, &id).await?;
    let AskedPeople { reach: within, moved, .. } = asked(&visit, &uri, run.place);
    let page = visit.page.clone();
    let heads = [
        ("what_if.column.name", Format::Text),
        ("what_if.column.place", Format::Text),
        ("what_if.column.label", Format::Text),
        ("what_if.before", Format::Amount),
        ("what_if.after", Format::Amount),
        ("what_if.difference", Format::Amount),
    ];
    let heads = heads.map(|(key, format)| Head::new(page.word(key), format)).to_vec();
    let title =
        page.word(if moved.lose { "what_if.people.lose" } else { "what_if.people.gain" }).into_owned();
    let (place, said) = (within.place(), title.clone());
    let written = visit.app.database.read(move |tx| {
        XlsxExport::list(
            &title,
            heads,
            |limit, offset| {
                store::moved_people(tx, &within, (run.id, &moved), (limit, offset)).map_err(Wrapped)
            },
            |out, (line, name)| {
                out.row(&[
                    Cell::Text(name),
                    Cell::Text(&place_name(line.home)),
                    Cell::Text(&label_name(&page, line.label)),
                    Cell::Amount(line.own.before),
                    Cell::Amount(line.own.after),
                    Cell::Amount(line.own.difference()),
                ])
            },
        )
        .map_err(|Wrapped(error)| error)
    });
    let (bytes, rows) = written.await?;
    note(&visit, "export", place, format!("{said} {rows}")).await?;
    Ok(workbook(bytes, "what-if-people.xlsx"))
}

/// A fault of the file as one of the database, in whose transaction it is written.
struct Wrapped(DatabaseError);

impl From<SheetError> for Wrapped {
    fn from(error: SheetError) -> Wrapped {
        Wrapped(DatabaseError::Refused(format!("{error:?}")))
    }
}

/// A household as the list shows one.
struct HouseholdRow {
    line: HouseholdLine,
    head: String,
    place: String,
}

impl HouseholdRow {
    fn difference(&self) -> String {
        signed(self.line.own.difference())
    }
}

#[derive(Template)]
#[template(path = "what_if_households.html")]
struct HouseholdsPage {
    page: Page,
    list: ListQuery,
    rows: Vec<HouseholdRow>,
    may_find: bool,
}

/// GET `/what-if/{id}/households`: who comes over the line of the watch, or under it again.
pub(crate) async fn households(visit: Visit, Path(id): Path<String>, uri: Uri) -> Result<Response, Failure> {
    let run = run_in(&visit, &id).await?;
    let mut list = ListQuery::read(&HOUSEHOLDS, &uri);
    let sides =
        [("newly_over", "what_if.households.newly_over"), ("no_longer", "what_if.households.no_longer")];
    list.offer("side", sides.map(|(side, key)| Choice::new(side, visit.page.word(key))).to_vec());
    let side = list.filter("side").map(|side| side == "newly_over");
    let within = visit.reach.narrowed(run.place);
    let place = within.place();
    let read = visit
        .app
        .database
        .read(move |tx| store::crossing_households(tx, &within, (run.id, side), MOST_HOUSEHOLDS_SHOWN));
    let rows = read.await.map_err(|error: DatabaseError| error)?;
    note(&visit, "list", place, format!("what_if {}", run.id)).await?;
    let page = visit.page.clone().under(visit.page.word("what_if.title"), "/what-if");
    let page =
        page.under(visit.page.word("what_if.run"), format!("/what-if/{id}")).titled("what_if.households");
    let rows: Vec<HouseholdRow> = rows
        .into_iter()
        .map(|(line, head)| HouseholdRow { place: place_name(line.home), line, head })
        .collect();
    list.found(rows.len() as u64);
    show(&HouseholdsPage { may_find: reach(&visit.actor, Purpose::FindPeople).is_some(), list, rows, page })
}
