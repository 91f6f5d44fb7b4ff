//! 定额偏离: the stays that left what their county has set for the disease, and the same as a file. A deviation is named,
//! never cut: hospitals are paid otherwise.

use askama::Template;
use axum::http::Uri;
use axum::response::Response;
use kangmai_access::{Purpose, Reach, reach};
use kangmai_base::{Day, DivisionCode, Fen};
use kangmai_database::DatabaseError;
use kangmai_policy::{CapDeviation, Release};
use kangmai_programme::{Visit, place_choices};
use kangmai_sheet::Format;
use kangmai_sheets::{Cell, Head as Column, SheetError, XlsxExport};
use kangmai_web::{Choice, Failure, Field, ListQuery, ListSpec, Page, show, workbook};

use super::{language, note, village};
use crate::rules::{Deviated, Stay, deviated};
use crate::store::{StayRow, stays_with_diagnosis};

/// Most stays that are looked through; who needs more asks for a shorter time or a smaller place.
const MOST_STAYS: i64 = 50_000;

static DEVIATIONS: ListSpec = ListSpec {
    filters: &[
        Field::select("place", "settlement.filter.place"),
        Field::day("from", "settlement.filter.from"),
        Field::day("to", "settlement.filter.to"),
        Field::select("what", "settlement.deviation.what"),
    ],
    sorts: &["discharged"],
    descending: true,
};

/// What a list is narrowed to, and the key of its word.
const KINDS: [(&str, &str); 3] = [
    ("elsewhere", "settlement.deviation.elsewhere"),
    ("over_price", "settlement.deviation.over"),
    ("under_promise", "settlement.deviation.under"),
];

const fn kind_of(deviation: &CapDeviation) -> &'static str {
    match deviation {
        CapDeviation::Elsewhere => "elsewhere",
        CapDeviation::OverPrice { .. } => "over_price",
        CapDeviation::UnderPromise { .. } => "under_promise",
    }
}

/// A deviation in words.
fn sentence(page: &Page, found: &Deviated<'_>, deviation: &CapDeviation) -> String {
    let yuan = |amount: Option<Fen>| page.yuan(amount.unwrap_or_default());
    match deviation {
        CapDeviation::Elsewhere => page.word("settlement.deviation.elsewhere.said").into_owned(),
        CapDeviation::OverPrice { over } => {
            let (price, over) = (yuan(found.cap.price), page.yuan(*over));
            page.say2("settlement.deviation.over.said", "price", price, "over", over)
        }
        CapDeviation::UnderPromise { short } => {
            let promised = found.cap.promised.map(|rate| rate.to_string()).unwrap_or_default();
            page.say2("settlement.deviation.under.said", "rate", promised, "short", page.yuan(*short))
        }
    }
}

/// How a stay left what was set, in words: for the statement.
pub(super) fn sentences(page: &Page, policies: &Release, stay: &Stay<'_>) -> Vec<String> {
    let found = deviated(policies, stay);
    found.iter().flat_map(|found| found.deviations.iter().map(|one| sentence(page, found, one))).collect()
}

/// A stay that left what was set, as it is shown.
struct Line {
    row: StayRow,
    village: String,
    /// Only for who may see diagnoses.
    disease: Option<String>,
    said: Vec<String>,
}

#[derive(Template)]
#[template(path = "settlement_deviations.html")]
struct DeviationsPage {
    page: Page,
    list: ListQuery,
    from: Day,
    to: Day,
    rows: Vec<Line>,
    export: String,
    /// Whether anything is set anywhere.
    is_set: bool,
    is_cut: bool,
    may_find: bool,
    sees_diagnoses: bool,
}

/// What a list asks for; without days, the year so far.
struct Asked {
    from: Day,
    to: Day,
    within: Reach,
    what: Option<String>,
}

fn asked(visit: &Visit, list: &ListQuery) -> Asked {
    let first = Day::from_ymd(visit.today.year(), 1, 1).unwrap_or(visit.today);
    let place = list.parsed::<DivisionCode>("place").filter(|place| visit.reach.covers(*place));
    Asked {
        from: list.parsed::<Day>("from").unwrap_or(first),
        to: list.parsed::<Day>("to").unwrap_or(visit.today),
        within: place.map_or_else(|| visit.reach.clone(), |place| visit.reach.narrowed(place)),
        what: list.filter("what").map(str::to_owned),
    }
}

/// All stays that left what was set, and whether there are more stays than are looked through.
async fn found(visit: &Visit, asked: &Asked) -> Result<(Vec<Line>, bool), Failure> {
    let policies = std::sync::Arc::clone(&visit.app.policies);
    if !policies.sets_disease_caps() {
        return Ok((Vec::new(), false));
    }
    let (within, between) = (asked.within.clone(), (asked.from, asked.to));
    let mut stays =
        visit.app.database.read(move |tx| stays_with_diagnosis(tx, &within, between, MOST_STAYS + 1)).await?;
    let most = usize::try_from(MOST_STAYS).unwrap_or(usize::MAX);
    let is_cut = stays.len() > most;
    stays.truncate(most);
    let lines = stays.into_iter().filter_map(|row| line_of(visit, &policies, row, asked.what.as_deref()));
    Ok((lines.collect(), is_cut))
}

fn line_of(visit: &Visit, policies: &Release, row: StayRow, what: Option<&str>) -> Option<Line> {
    let stay = Stay {
        home: row.home,
        discharge: row.discharged_on,
        diagnosis: &row.diagnosis,
        age: row.age,
        institution: &row.institution_code,
        total: row.total,
        own: row.own,
    };
    let found = deviated(policies, &stay)?;
    let is_asked = |one: &CapDeviation| what.is_none_or(|what| what == kind_of(one));
    if !found.deviations.iter().any(is_asked) {
        return None;
    }
    let page = &visit.page;
    let name = found.disease.name.get(language(page)).to_owned();
    Some(Line {
        village: village(row.home),
        disease: visit.reach.diagnoses().then_some(name),
        said: found.deviations.iter().map(|one| sentence(page, &found, one)).collect(),
        row,
    })
}

/// GET `/deviations`.
pub(crate) async fn list(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    if !visit.reach.money() {
        return Err(Failure::NotFound);
    }
    let mut list = ListQuery::read(&DEVIATIONS, &uri);
    let asked = asked(&visit, &list);
    let (all, is_cut) = found(&visit, &asked).await?;
    list.offer("place", place_choices(&visit.reach, &asked.within));
    let choices = KINDS.map(|(key, word)| Choice::new(key, visit.page.word(word)));
    list.offer("what", choices.to_vec());
    list.found(all.len() as u64);
    let skipped = usize::try_from(list.paging.offset()).unwrap_or(0);
    let shown = usize::try_from(list.paging.limit()).unwrap_or(0);
    show(&DeviationsPage {
        rows: all.into_iter().skip(skipped).take(shown).collect(),
        export: list.export_href("/deviations.xlsx"),
        list,
        from: asked.from,
        to: asked.to,
        is_set: visit.app.policies.sets_disease_caps(),
        is_cut,
        may_find: reach(&visit.actor, Purpose::FindPeople).is_some(),
        sees_diagnoses: visit.reach.diagnoses(),
        page: visit.page.titled("settlement.deviation.title"),
    })
}

/// GET `/deviations.xlsx`: the same stays as an Excel file. Never with a diagnosis.
pub(crate) async fn export(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    if !visit.reach.money() {
        return Err(Failure::NotFound);
    }
    let asked = asked(&visit, &ListQuery::read(&DEVIATIONS, &uri));
    let (all, _) = found(&visit, &asked).await?;
    let page = &visit.page;
    let heads = [
        ("settlement.column.number", Format::Code),
        ("settlement.column.name", Format::Text),
        ("settlement.column.village", Format::Text),
        ("settlement.column.discharged", Format::Day),
        ("settlement.column.institution", Format::Text),
        ("settlement.column.total", Format::Amount),
        ("settlement.column.own", Format::Amount),
        ("settlement.deviation.what", Format::Text),
    ];
    let heads = heads.map(|(key, format)| Column::new(page.word(key), format)).to_vec();
    let title = page.word("settlement.deviation.title").into_owned();
    let broken = |error: SheetError| DatabaseError::Refused(format!("{error:?}"));
    let mut out = XlsxExport::begin(&title, heads).map_err(broken)?;
    let joint = if page.is_chinese() { "；" } else { "; " };
    for line in &all {
        let cells = [
            Cell::Text(&line.row.number),
            Cell::Text(&line.row.person_name),
            Cell::Text(&line.village),
            Cell::Day(line.row.discharged_on),
            Cell::Text(&line.row.institution_name),
            Cell::Amount(line.row.total),
            Cell::Amount(line.row.own),
            Cell::Text(&line.said.join(joint)),
        ];
        out.row(&cells).map_err(broken)?;
    }
    let bytes = out.finish_in_memory().map_err(broken)?;
    let reason = format!("{title} {} {}", all.len(), uri.query().unwrap_or_default());
    note(&visit, "export", None, asked.within.place(), reason.trim_end().to_owned()).await?;
    Ok(workbook(bytes, "deviations.xlsx"))
}
