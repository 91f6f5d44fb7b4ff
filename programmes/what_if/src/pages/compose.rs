//! Putting changes together: the figures of the pack in force, a new value, a first day; several changes; run.

use askama::Template;
use axum::http::Uri;
use axum::response::Response;
use kangmai_base::Day;
use kangmai_policy::overlay::{MOST_CHANGES, figures};
use kangmai_policy::{FigureKind, Jurisdiction, Overlay, OverlayFigure, PackError};
use kangmai_programme::Visit;
use kangmai_web::{Failure, Field, Form, FormBody, Page, go_to, show, show_refused};

use super::{language, note, told};
use crate::run::{Asked, WhatIfFailure, begin, changed_law, pack_of};
use crate::value::{fields_for, offer, refuse_errors, to_begin_with, typed_value};

const fn figure_fields(value: Field) -> [Field; 2] {
    [value, Field::day("from", "what_if.field.from")]
}

fn fields_of(kind: &FigureKind) -> &'static [Field] {
    fields_for!(kind, figure_fields)
}

/// Years that are offered, back from the present one.
const YEARS: i32 = 6;

/// What is put together so far; it stands in the address.
#[derive(Debug, Clone, Default)]
struct Draft {
    year: i32,
    changes: Vec<String>,
}

impl Draft {
    /// The address of the page with it.
    fn href(&self, more: &[(&str, &str)]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("year", &self.year.to_string());
        for change in &self.changes {
            query.append_pair("change", change);
        }
        query.extend_pairs(more);
        format!("/what-if/new?{}", query.finish())
    }

    fn with(&self, change: String) -> Draft {
        let mut draft = self.clone();
        draft.changes.push(change);
        draft
    }
}

/// A figure as it is shown.
struct FigureLine {
    benefit: String,
    group: String,
    period: String,
    name: String,
    value: String,
    choose: String,
    is_chosen: bool,
}

/// The form for one figure.
struct Chosen {
    said: String,
    value: String,
    figure: String,
    form: Form,
}

#[derive(Template)]
#[template(path = "what_if_compose.html")]
struct ComposePage {
    page: Page,
    year: i32,
    years: Vec<(i32, String, bool)>,
    pack: Option<String>,
    /// As it is written, as it is said, and the page without it.
    changes: Vec<(String, String, String)>,
    errors: Vec<String>,
    chosen: Option<Chosen>,
    is_full: bool,
    benefits: Vec<(String, Vec<FigureLine>)>,
}

/// GET `/what-if/new`: what is put together stands in the address, so that the page works without script and can be kept.
pub(crate) async fn compose(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let pairs: Vec<(String, String)> =
        form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let value = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let changes = pairs.iter().filter(|(key, _)| key == "change").map(|(_, change)| change.clone());
    let year = value("year").and_then(|year| year.parse().ok()).unwrap_or(visit.today.year() - 1);
    let draft = Draft { year, changes: changes.take(MOST_CHANGES).collect() };
    let Some(figure) = value("figure").map(str::to_owned) else {
        return show(&page(&visit, &draft, None, Vec::new()));
    };
    let adds = value("act") == Some("add");
    let all = all_figures(&visit, year).1;
    // A figure of two versions of a year stands twice in the list under one path: the first day tells them apart.
    let known = all.iter().rev().find(|known| known.path == figure).cloned();
    let kind = known.as_ref().map_or(&FigureKind::Text, |known| &known.kind);
    let mut form = Form::typed(fields_of(kind), if adds { pairs.clone() } else { Vec::new() });
    if let Some(known) = &known {
        offer(&mut form, known, language(&visit.page));
    }
    if !adds {
        return show(&page(&visit, &draft, Some((figure, form)), Vec::new()));
    }
    let (value, from) = (typed_value(&mut form, kind), form.day("from"));
    let (Some(new), Some(from)) = (value, from) else {
        return show_refused(&page(&visit, &draft, Some((figure, form)), Vec::new()));
    };
    let longer = draft.with(format!("{figure} = {new} from {from}"));
    match laid(&visit, &longer) {
        Ok(_) => Ok(go_to(&longer.href(&[]))),
        Err((said, errors)) => {
            refuse_errors(&mut form, &errors, language(&visit.page));
            show_refused(&page(&visit, &draft, Some((figure, form)), said))
        }
    }
}

/// POST `/what-if/new`: the run begins.
pub(crate) async fn start(visit: Visit, body: FormBody) -> Result<Response, Failure> {
    let changes: Vec<String> = body.values("change").map(str::to_owned).collect();
    let year = body.value("year").parse().unwrap_or(visit.today.year() - 1);
    let draft = Draft { year, changes };
    let asked = match laid(&visit, &draft) {
        Ok(asked) => asked,
        Err((said, _)) => return show_refused(&page(&visit, &draft, None, said)),
    };
    let said = format!("{year}: {}", draft.changes.join("; "));
    let place = asked.place;
    match begin(&visit.app, &visit.actor, asked).await {
        Ok(id) => {
            note(&visit, "what_if", place, said).await?;
            Ok(go_to(&format!("/what-if/{id}")))
        }
        Err(WhatIfFailure::Busy) => {
            let said = vec![visit.page.word("what_if.busy").into_owned()];
            show_refused(&page(&visit, &draft, None, said))
        }
        Err(error) => Err(Failure::from(error)),
    }
}

/// What is wrong with changes, as it is said, and what the loader finds.
type Wrong = (Vec<String>, Vec<PackError>);

/// The changes, if they can be laid over the law; else what is wrong with them.
fn laid(visit: &Visit, draft: &Draft) -> Result<Asked, Wrong> {
    let said = |errors: Vec<PackError>| {
        let said = errors.iter().map(|error| error.render(language(&visit.page))).collect();
        (said, errors)
    };
    let word = |key: &str| (vec![visit.page.word(key).into_owned()], Vec::new());
    let overlay = Overlay::parse(&draft.changes).map_err(said)?;
    if overlay.is_empty() {
        return Err(word("what_if.nothing_chosen"));
    }
    let asked = Asked { place: visit.reach.place(), year: draft.year, overlay, draft: None };
    match changed_law(&visit.app.policies, &asked) {
        Ok(_) => Ok(asked),
        Err(WhatIfFailure::Changes(errors)) => Err(said(errors)),
        Err(_) => Err(word("what_if.no_pack")),
    }
}

/// The pack that holds at the visitor's place in a year, and its figures.
fn all_figures(visit: &Visit, year: i32) -> (Option<&Jurisdiction>, Vec<OverlayFigure>) {
    let release = &visit.app.policies;
    let directory = pack_of(release, visit.reach.place(), year);
    let one = directory.and_then(|directory| release.jurisdiction(directory));
    let days = Day::from_ymd(year, 1, 1).zip(Day::from_ymd(year, 12, 31));
    let all = one.zip(days).map(|(one, (first, last))| figures(release, one, first, last));
    (one, all.unwrap_or_default())
}

fn page(visit: &Visit, draft: &Draft, chosen: Option<(String, Form)>, errors: Vec<String>) -> ComposePage {
    let page = visit.page.clone().under(visit.page.word("what_if.title"), "/what-if").titled("what_if.new");
    let language = language(&page);
    let year = draft.year;
    let (one, all) = all_figures(visit, year);
    let first = Day::from_ymd(year, 1, 1).unwrap_or(visit.today);
    let mut benefits: Vec<(String, Vec<FigureLine>)> = Vec::new();
    for figure in &all {
        let line = figure_line(&page, draft, figure, chosen.as_ref().map(|(figure, _)| figure.as_str()));
        match benefits.last_mut().filter(|(name, _)| *name == line.benefit) {
            Some((_, lines)) => lines.push(line),
            None => benefits.push((line.benefit.clone(), vec![line])),
        }
    }
    let remove = |index: usize| {
        let mut shorter = draft.clone();
        shorter.changes.remove(index);
        shorter.href(&[])
    };
    let this = visit.today.year();
    let said = told(&visit.app.policies, visit.reach.place(), year, &draft.changes, &page, false);
    ComposePage {
        years: (this + 1 - YEARS..=this)
            .rev()
            .map(|other| (other, Draft { year: other, ..draft.clone() }.href(&[]), other == year))
            .collect(),
        pack: one.map(|one| one.pack.name.get(language).to_owned()),
        changes: (draft.changes.iter().cloned().zip(said).enumerate())
            .map(|(index, (text, said))| (text, said, remove(index)))
            .collect(),
        errors,
        chosen: chosen.and_then(|(path, form)| chosen_figure(&page, &all, path, form, first)),
        is_full: draft.changes.len() >= MOST_CHANGES,
        benefits,
        year,
        page,
    }
}

fn chosen_figure(
    page: &Page,
    all: &[OverlayFigure],
    path: String,
    mut form: Form,
    first: Day,
) -> Option<Chosen> {
    let figure = all.iter().rev().find(|figure| figure.path == path)?;
    if form.raw("value").is_empty() && !form.is_refused() {
        form.fill("value", to_begin_with(figure, language(page)));
    }
    if form.raw("from").is_empty() && !form.is_refused() {
        form.fill("from", figure.period.from.max(first));
    }
    let spoken = language(page);
    let names =
        [figure.benefit_name.get(spoken).to_owned(), group(page, figure), figure.name.get(spoken).to_owned()];
    let said: Vec<&str> = names.iter().map(String::as_str).filter(|name| !name.is_empty()).collect();
    Some(Chosen { said: said.join(" · "), value: figure.shown.get(spoken).to_owned(), figure: path, form })
}

pub(super) fn group(page: &Page, figure: &OverlayFigure) -> String {
    figure.profile.as_ref().map(|name| name.get(language(page)).to_owned()).unwrap_or_default()
}

fn figure_line(page: &Page, draft: &Draft, figure: &OverlayFigure, chosen: Option<&str>) -> FigureLine {
    let to = figure.period.to.map(|to| to.to_string()).unwrap_or_default();
    FigureLine {
        benefit: figure.benefit_name.get(language(page)).to_owned(),
        group: group(page, figure),
        period: format!("{} – {to}", figure.period.from),
        name: figure.name.get(language(page)).to_owned(),
        value: figure.shown.get(language(page)).to_owned(),
        choose: format!("{}#change", draft.href(&[("figure", &figure.path)])),
        is_chosen: chosen == Some(figure.path.as_str()),
    }
}
