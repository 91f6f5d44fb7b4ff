//! Putting changes together: the figures of the pack in force, a new value, a first day; several changes; run.

use askama::Template;
use axum::http::Uri;
use axum::response::Response;
use kangmai_base::Day;
use kangmai_policy::overlay::{MOST_CHANGES, figures};
use kangmai_policy::{Overlay, OverlayFigure, PackError};
use kangmai_programme::Visit;
use kangmai_web::{Failure, Field, Form, FormBody, Page, go_to, show, show_refused};

use super::{language, note};
use crate::run::{Asked, WhatIfFailure, begin, changed_law, pack_of};

const FIELDS: &[Field] =
    &[Field::text("value", "what_if.field.value"), Field::day("from", "what_if.field.from")];
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
    changes: Vec<(String, String)>,
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
    let mut form = Form::typed(FIELDS, if adds { pairs.clone() } else { Vec::new() });
    if !adds {
        return show(&page(&visit, &draft, Some((figure, form)), Vec::new()));
    }
    let value = form.text("value").map(|value| value.replace('％', "%"));
    let (Some(new), Some(from)) = (value, form.day("from")) else {
        // Both are asked, so that both faults show.
        let _ = form.day("from");
        return show_refused(&page(&visit, &draft, Some((figure, form)), Vec::new()));
    };
    let longer = draft.with(format!("{figure} = {new} from {from}"));
    match laid(&visit, &longer) {
        Ok(_) => Ok(go_to(&longer.href(&[]))),
        Err(errors) => show_refused(&page(&visit, &draft, Some((figure, form)), errors)),
    }
}

/// POST `/what-if/new`: the run begins.
pub(crate) async fn start(visit: Visit, body: FormBody) -> Result<Response, Failure> {
    let changes: Vec<String> = body.values("change").map(str::to_owned).collect();
    let year = body.value("year").parse().unwrap_or(visit.today.year() - 1);
    let draft = Draft { year, changes };
    let asked = match laid(&visit, &draft) {
        Ok(asked) => asked,
        Err(errors) => return show_refused(&page(&visit, &draft, None, errors)),
    };
    let said = format!("{year}: {}", draft.changes.join("; "));
    let place = asked.place;
    match begin(&visit.app, &visit.actor, asked).await {
        Ok(id) => {
            note(&visit, "what_if", place, said).await?;
            Ok(go_to(&format!("/what-if/{id}")))
        }
        Err(error) => Err(Failure::from(error)),
    }
}

/// The changes, if they can be laid over the law; else what is wrong with them.
fn laid(visit: &Visit, draft: &Draft) -> Result<Asked, Vec<String>> {
    let said = |errors: Vec<PackError>| -> Vec<String> {
        errors.iter().map(|error| error.render(language(&visit.page))).collect()
    };
    let overlay = Overlay::parse(&draft.changes).map_err(said)?;
    if overlay.is_empty() {
        return Err(vec![visit.page.word("what_if.nothing_chosen").into_owned()]);
    }
    let asked = Asked { place: visit.reach.place(), year: draft.year, overlay, draft: None };
    match changed_law(&visit.app.policies, &asked) {
        Ok(_) => Ok(asked),
        Err(WhatIfFailure::Changes(errors)) => Err(said(errors)),
        Err(_) => Err(vec![visit.page.word("what_if.no_pack").into_owned()]),
    }
}

fn page(visit: &Visit, draft: &Draft, chosen: Option<(String, Form)>, errors: Vec<String>) -> ComposePage {
    let release = &visit.app.policies;
    let page = visit.page.clone().under(visit.page.word("what_if.title"), "/what-if").titled("what_if.new");
    let language = language(&page);
    let year = draft.year;
    let directory = pack_of(release, visit.reach.place(), year);
    let one = directory.and_then(|directory| release.jurisdiction(directory));
    let days = Day::from_ymd(year, 1, 1).zip(Day::from_ymd(year, 12, 31));
    let all: Vec<OverlayFigure> =
        one.zip(days).map(|(one, (first, last))| figures(release, one, first, last)).unwrap_or_default();
    let first = days.map_or(visit.today, |(first, _)| first);
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
    ComposePage {
        years: (this + 1 - YEARS..=this)
            .rev()
            .map(|other| (other, Draft { year: other, ..draft.clone() }.href(&[]), other == year))
            .collect(),
        pack: one.map(|one| one.pack.name.get(language).to_owned()),
        changes: draft
            .changes
            .iter()
            .enumerate()
            .map(|(index, text)| (text.clone(), remove(index)))
            .collect(),
        errors,
        chosen: chosen.and_then(|(path, form)| chosen_figure(&page, &all, path, form, first)),
        is_full: draft.changes.len() >= MOST_CHANGES,
        benefits,
        year,
        page,
    }
}

/// A figure of two versions of a year stands twice in the list under one path: the first day tells them apart.
fn chosen_figure(
    page: &Page,
    all: &[OverlayFigure],
    path: String,
    mut form: Form,
    first: Day,
) -> Option<Chosen> {
    let figure = all.iter().rev().find(|figure| figure.path == path)?;
    if form.raw("value").is_empty() && !form.is_refused() {
        form.fill("value", &figure.value);
    }
    if form.raw("from").is_empty() && !form.is_refused() {
        form.fill("from", figure.period.from.max(first));
    }
    let names =
        [figure.benefit_name.get(language(page)).to_owned(), group(page, figure), figure_name(page, figure)];
    let said: Vec<&str> = names.iter().map(String::as_str).filter(|name| !name.is_empty()).collect();
    Some(Chosen { said: said.join(" · "), value: figure.value.clone(), figure: path, form })
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
        name: figure_name(page, figure),
        value: figure.value.clone(),
        choose: format!("{}#change", draft.href(&[("figure", &figure.path)])),
        is_chosen: chosen == Some(figure.path.as_str()),
    }
}

/// What a figure is called; one that has no name of its own, by its path.
pub(super) fn figure_name(page: &Page, figure: &OverlayFigure) -> String {
    let key = match figure.key.as_str() {
        "deductible" => "what_if.figure.deductible",
        "deductible_over" => "what_if.figure.deductible_over",
        "yearly_cap" => "what_if.figure.yearly_cap",
        "ratio" => "what_if.figure.ratio",
        "segments.ratio" => "what_if.figure.segment_ratio",
        "segments.up_to" => "what_if.figure.segment_up_to",
        "tiers.ratio" => "what_if.figure.tier_ratio",
        "tiers.above" => "what_if.figure.tier_above",
        "pays_up_to" => "what_if.figure.pays_up_to",
        "own_share_at_most" => "what_if.figure.own_share_at_most",
        "discount" => "what_if.figure.discount",
        "deductible_rule.factor" => "what_if.figure.factor",
        "ratio_rule.minus" => "what_if.figure.minus",
        _ => return figure.path.rsplit(' ').next().unwrap_or(&figure.path).to_owned(),
    };
    page.say1(key, "number", figure.number.unwrap_or(1))
}
