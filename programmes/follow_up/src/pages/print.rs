//! A visit as the record table of the national norm, for paper: with the visits before it, as the form has columns for four.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use kangmai_base::Uuid;
use kangmai_policy::follow_up::{FollowUpRules, Item, ItemKind};
use kangmai_programme::{Visit, place_name};
use kangmai_web::{Failure, Page, show};

use super::sheet::{Known, is_referred, known};
use super::{note, visit::seen};
use crate::chart;
use crate::facts::{DueWhy, Found};
use crate::official::{ALL, COLUMNS, Cell, Official, class_of};
use crate::sentences::{Names, answer, said, unit};

/// A row of the table on paper.
struct Row {
    /// The group and over how many rows it stands; none where it stands already, or there is none.
    group: Option<(String, usize)>,
    has_group: bool,
    label: String,
    cells: Vec<String>,
}

#[derive(Template)]
#[template(path = "follow_up_print.html")]
struct PrintPage {
    page: Page,
    name: String,
    who: String,
    place: String,
    rows: Vec<Row>,
    back: String,
}

/// Whether the norm has a record table for the programme.
pub(super) fn has_form(programme: &str) -> bool {
    ALL.iter().any(|one| one.programme == programme)
}

/// GET `/people/{id}/visits/{visit}/print/{programme}`.
pub(crate) async fn page(
    visit: Visit,
    Path((id, which, programme)): Path<(Uuid, Uuid, String)>,
) -> Result<Response, Failure> {
    let known = known(&visit, id).await?;
    let found = seen(&known, which)?;
    let official = ALL.iter().find(|one| one.programme == programme).ok_or(Failure::NotFound)?;
    let columns = columns(&known, found, &programme, known.may_name);
    if columns.is_empty() {
        return Err(Failure::NotFound);
    }
    note(&visit, id, known.person.home).await?;
    show(&page_of(&visit, &known, found, (official, &columns)))
}

type Column<'c> = (&'c chart::Visit, &'c Found);

/// This visit and those before it in the programme, as far as the reader may see them, the earliest first.
fn columns<'c>(known: &'c Known, last: &chart::Visit, programme: &'c str, may_name: bool) -> Vec<Column<'c>> {
    let upto = known.chart.found_in(programme, Some(last.body.on.plus_days(1)));
    let upto = upto.filter(|(visit, _)| may_name || !visit.body.sensitive);
    let mut columns: Vec<Column<'c>> = upto.take(COLUMNS).collect();
    columns.reverse();
    columns
}

fn page_of(
    visit: &Visit,
    known: &Known,
    found: &chart::Visit,
    (official, columns): (&Official, &[Column<'_>]),
) -> PrintPage {
    let page = visit.page.clone();
    let person = &known.person;
    let back = format!("/people/{}/visits/{}", person.id, found.body.visit);
    let title = page.word(official.title).into_owned();
    let page = Page { title, lead: String::new(), ..page.under(person.body.name.clone(), back.clone()) };
    let sex = person.body.sex.map(|sex| {
        let key = if sex == kangmai_base::Sex::Male { "follow_up.sex.male" } else { "follow_up.sex.female" };
        page.word(key).into_owned()
    });
    let age = person.age_on(found.body.on).map(|age| page.count("follow_up.age", age));
    let names = Names { release: &visit.app.policies, home: person.home, on: found.body.on };
    PrintPage {
        name: person.body.name.clone(),
        who: sex.into_iter().chain(age).collect::<Vec<_>>().join(" "),
        place: place_name(person.home),
        rows: rows(&page, &names, official, columns),
        back,
        page,
    }
}

fn rows(page: &Page, names: &Names<'_>, official: &Official, columns: &[Column<'_>]) -> Vec<Row> {
    let rules = names.rules(official.programme);
    let mut rows = Vec::new();
    for (place, (group, label, cell)) in official.rows.iter().enumerate() {
        let begins = place == 0 || official.rows.get(place - 1).is_none_or(|(before, ..)| before != group);
        let tall = official.rows[place..].iter().take_while(|(other, ..)| other == group).count();
        let mut cells: Vec<String> =
            columns.iter().map(|column| cell_of(page, names, rules, (*column, *cell))).collect();
        cells.resize(COLUMNS, String::new());
        rows.push(Row {
            group: (begins && !group.is_empty()).then(|| (page.word(group).into_owned(), tall)),
            has_group: !group.is_empty(),
            label: label_of(page, rules, label, *cell),
            cells,
        });
    }
    rows
}

fn item_of<'r>(rules: Option<&'r FollowUpRules>, id: &str) -> Option<&'r Item> {
    rules?.asks.iter().map(|ask| &*ask.item).find(|item| item.id == id)
}

/// The word of a row, or the name and unit of its item.
fn label_of(page: &Page, rules: Option<&FollowUpRules>, label: &str, cell: Cell) -> String {
    if !label.is_empty() {
        return page.word(label).into_owned();
    }
    let Cell::Items(items) = cell else { return String::new() };
    let item = items.first().and_then(|id| item_of(rules, id));
    item.map_or_else(String::new, |item| {
        let (name, unit) = (said(page, &item.name), unit(item));
        if unit.is_empty() {
            name.to_owned()
        } else {
            page.say2("follow_up.row.with_unit", "name", name, "unit", unit)
        }
    })
}

fn cell_of(
    page: &Page,
    names: &Names<'_>,
    rules: Option<&FollowUpRules>,
    ((visit, found), cell): (Column<'_>, Cell),
) -> String {
    let body = &visit.body;
    match cell {
        Cell::Day => page.iso(body.on),
        Cell::Way => numbered(
            1 + crate::facts::Way::ALL.iter().position(|way| *way == body.way).unwrap_or(0),
            &page.word(&format!("follow_up.way.{}", body.way.key())),
        ),
        Cell::Items(items) => {
            let said: Vec<String> = items
                .iter()
                .filter_map(|id| Some((item_of(rules, id)?, body.answers.get(*id)?)))
                .map(|(item, written)| item_cell(page, item, written))
                .collect();
            said.join("/")
        }
        Cell::Class(classes) => class_of(classes, body, found)
            .map_or_else(String::new, |class| numbered(class.number, &page.word(class.word))),
        Cell::State => {
            found.state.as_deref().map(|state| names.state(page, &found.programme, state)).unwrap_or_default()
        }
        Cell::ReferralWhy if is_referred(found.grade) => {
            found.state.as_deref().map(|state| names.state(page, &found.programme, state)).unwrap_or_default()
        }
        Cell::Next => {
            let by = |window: bool| found.due.iter().filter(move |due| (due.why == DueWhy::Window) == window);
            let due = by(false).chain(by(true)).map(|due| due.until).next();
            page.iso(body.agreed_on.or(due))
        }
        Cell::Note => body.note.clone(),
        Cell::By => body.by.clone(),
        Cell::ReferralWhy | Cell::Hand => String::new(),
    }
}

/// An answer as the form has it: the number of the option and its name; a number without its unit, which stands in the head.
fn item_cell(page: &Page, item: &Item, written: &[String]) -> String {
    if let ItemKind::Number { .. } = item.kind {
        return written.join(" ");
    }
    let numbers: Vec<String> = written
        .iter()
        .filter_map(|id| item.options().iter().position(|option| option.id == *id))
        .map(|place| (place + 1).to_string())
        .collect();
    let text = answer(page, item, written);
    if numbers.is_empty() { text } else { format!("{} {text}", numbers.join(" ")) }
}

fn numbered(number: usize, text: &str) -> String {
    format!("{number} {text}")
}
