//! Writing on a draft: a figure from a day on, with the document that it rests on; or the text of a file.

use askama::Template;
use axum::extract::Path;
use axum::http::Uri;
use axum::response::Response;
use kangmai_base::{Day, Refusal};
use kangmai_places::Divisions;
use kangmai_policy::overlay::figures;
use kangmai_policy::{Citation, FigureKind, OverlayFigure, Release, Sure, pack_directory};
use kangmai_programme::Visit;
use kangmai_web::{Choice, Failure, Field, Form, FormBody, Page, show, show_refused};

use super::acts::with_text;
use super::one::{Wrong, wrongs};
use super::{done, draft_in, framed, path_of, reviewed, today_of};
use crate::draft::{
    Draft, LONGEST_FILE, MOST_FILES, NotWritten, is_taken_over, is_within, own_directory, write_figure,
};
use crate::pages::compose::group;
use crate::pages::language;
use crate::store::draft::Deed;
use crate::value::{fields_for, offer, refuse_errors, to_begin_with, typed_value};

/// The fields of a figure, the new value first.
const fn figure_fields(value: Field) -> [Field; 6] {
    [
        value,
        Field::day("from", "what_if.field.from"),
        Field::text("doc", "what_if.draft.field.doc").at_most(200),
        Field::text("article", "what_if.draft.field.article").at_most(100).optional(),
        Field::area("quote", "what_if.draft.field.quote").at_most(1_000).optional(),
        Field::radios("sure", "what_if.draft.field.sure"),
    ]
}

fn fields_of(kind: &FigureKind) -> &'static [Field] {
    fields_for!(kind, figure_fields)
}

const FILE: &[Field] = &[Field::area("text", "what_if.draft.field.text").at_most(LONGEST_FILE)];

/// A figure as it is shown.
struct FigureLine {
    group: String,
    period: String,
    name: String,
    value: String,
    choose: String,
}

/// The form for one figure.
struct Chosen {
    said: String,
    value: String,
    figure: String,
    /// The benefit is law of a place above: it is taken over first.
    is_taken_over: bool,
    form: Form,
}

#[derive(Template)]
#[template(path = "policy_draft_figure.html")]
struct FigurePage {
    page: Page,
    path: String,
    revision: i64,
    pack: Option<String>,
    errors: Vec<String>,
    chosen: Option<Chosen>,
    benefits: Vec<(String, Vec<FigureLine>)>,
}

fn asked(uri: &Uri, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// GET `/policy-drafts/{id}/figure`: the figures of the law at the draft's place, with what the draft changes already.
pub(crate) async fn choose_figure(
    visit: Visit,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, Failure> {
    let draft = draft_in(&visit, &id).await?;
    let release = loaded(&visit, &draft).await?;
    let figure = asked(&uri, "figure").and_then(|path| figure_at(&visit, &draft, &release, &path));
    let figure = figure.map(|figure| {
        let form = Form::blank(fields_of(&figure.kind));
        (figure, form)
    });
    show(&figure_page(&visit, &draft, &release, figure, Vec::new()))
}

/// The packs with the draft; one that does not load is mended in its files.
async fn loaded(visit: &Visit, draft: &Draft) -> Result<std::sync::Arc<Release>, Failure> {
    let release = reviewed(visit, draft).await?.release;
    release.ok_or_else(|| Failure::Refused(Refusal::new("what_if.draft.does_not_load")))
}

/// POST `/policy-drafts/{id}/figure`.
pub(crate) async fn take_figure(
    visit: Visit,
    Path(id): Path<String>,
    body: FormBody,
) -> Result<Response, Failure> {
    let draft = draft_in(&visit, &id).await?;
    let release = loaded(&visit, &draft).await?;
    let figure = figure_at(&visit, &draft, &release, body.value("figure")).ok_or(Failure::NotFound)?;
    let is_stale = body.value("revision") != draft.revision.to_string();
    let mut form = body.form(fields_of(&figure.kind));
    offer_sure(&visit.page, &mut form);
    offer(&mut form, &figure, language(&visit.page));
    if is_stale {
        form.refuse(Refusal::new("what_if.draft.stale_form"));
    }
    let value = typed_value(&mut form, &figure.kind);
    let (from, doc) = (form.day("from"), form.text("doc"));
    let (article, quote, sure) = (form.text("article"), form.text("quote"), form.choice("sure"));
    let sure = sure.as_deref().and_then(Sure::from_name);
    let (Some(value), Some(from), Some(doc), Some(sure), false) = (value, from, doc, sure, form.is_refused())
    else {
        return show_refused(&figure_page(&visit, &draft, &release, Some((figure, form)), Vec::new()));
    };
    let citation = Citation { doc, article, quote, sure };
    let change = format!("{} = {value} from {from}", figure.path);
    let benefit = figure.benefit.clone();
    let reason = visit.page.say(
        "what_if.draft.figure_changed",
        &[("figure", &named(&visit.page, &figure)), ("value", &value), ("from", &from)],
    );
    let name = Divisions::shipped()
        .nearest(draft.place)
        .map(kangmai_places::Division::full_name)
        .unwrap_or_default();
    let (law, place) = (release.clone(), draft.place);
    let work = move || write_figure(&law, (place, &name), (&benefit, &change), &citation);
    let written = tokio::task::spawn_blocking(work).await.map_err(Failure::internal)?;
    let files = match written {
        Ok(files) => files,
        Err(NotWritten::NoRoom) => {
            form.refuse(Refusal::new("what_if.draft.no_room"));
            return show_refused(&figure_page(&visit, &draft, &release, Some((figure, form)), Vec::new()));
        }
        Err(NotWritten::Errors(errors)) => {
            refuse_errors(&mut form, &errors, language(&visit.page));
            let said = errors.iter().map(|error| error.render(language(&visit.page))).collect();
            return show_refused(&figure_page(&visit, &draft, &release, Some((figure, form)), said));
        }
    };
    let files = files.into_iter().map(|(path, text)| with_text(&visit, &draft, &path, text)).collect();
    done(&visit, &draft, Deed { act: "figure", reason, files, ..Deed::default() }).await
}

/// The figures of the law at the draft's place from this year to the next.
fn all_figures(visit: &Visit, draft: &Draft, release: &Release) -> Vec<OverlayFigure> {
    let one = release.jurisdiction_for(draft.place, visit.today);
    let year = visit.today.year();
    let days = Day::from_ymd(year, 1, 1).zip(Day::from_ymd(year + 1, 12, 31));
    one.zip(days).map(|(one, (first, last))| figures(release, one, first, last)).unwrap_or_default()
}

/// The figure at a path; of one that stands in several versions the last.
fn figure_at(visit: &Visit, draft: &Draft, release: &Release, path: &str) -> Option<OverlayFigure> {
    all_figures(visit, draft, release).into_iter().rev().find(|figure| figure.path == path)
}

/// Benefit, group and figure.
fn named(page: &Page, figure: &OverlayFigure) -> String {
    let spoken = language(page);
    let names =
        [figure.benefit_name.get(spoken).to_owned(), group(page, figure), figure.name.get(spoken).to_owned()];
    let said: Vec<&str> = names.iter().map(String::as_str).filter(|name| !name.is_empty()).collect();
    said.join(" · ")
}

fn offer_sure(page: &Page, form: &mut Form) {
    let word = |sure: Sure| match sure {
        Sure::High => page.word("what_if.draft.sure.high").into_owned(),
        Sure::Medium => page.word("what_if.draft.sure.medium").into_owned(),
        Sure::Low => page.word("what_if.draft.sure.low").into_owned(),
    };
    let all = [Sure::High, Sure::Medium, Sure::Low];
    form.offer("sure", all.into_iter().map(|sure| Choice::new(sure.name(), word(sure))).collect());
}

fn figure_page(
    visit: &Visit,
    draft: &Draft,
    release: &Release,
    chosen: Option<(OverlayFigure, Form)>,
    errors: Vec<String>,
) -> FigurePage {
    let title = visit.page.word("what_if.draft.title").into_owned();
    let page = framed(visit, "what_if.draft.figure").under(title, path_of(draft.id));
    let path = format!("{}/figure", path_of(draft.id));
    let one = release.jurisdiction_for(draft.place, visit.today);
    let all = all_figures(visit, draft, release);
    let mut benefits: Vec<(String, Vec<FigureLine>)> = Vec::new();
    for figure in &all {
        let line = figure_line(&page, &path, figure);
        let name = figure.benefit_name.get(language(&page)).to_owned();
        match benefits.last_mut().filter(|(known, _)| *known == name) {
            Some((_, lines)) => lines.push(line),
            None => benefits.push((name, vec![line])),
        }
    }
    FigurePage {
        pack: one.map(|one| one.pack.name.get(language(&page)).to_owned()),
        chosen: chosen.map(|(figure, form)| chosen_figure(visit, (draft, release), &figure, form)),
        revision: draft.revision,
        path,
        errors,
        benefits,
        page,
    }
}

fn figure_line(page: &Page, path: &str, figure: &OverlayFigure) -> FigureLine {
    let to = figure.period.to.map(|to| to.to_string()).unwrap_or_default();
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("figure", &figure.path).finish();
    FigureLine {
        group: group(page, figure),
        period: format!("{} – {to}", figure.period.from),
        name: figure.name.get(language(page)).to_owned(),
        value: figure.shown.get(language(page)).to_owned(),
        choose: format!("{path}?{query}#change"),
    }
}

fn chosen_figure(
    visit: &Visit,
    (draft, release): (&Draft, &Release),
    figure: &OverlayFigure,
    mut form: Form,
) -> Chosen {
    let (page, spoken) = (&visit.page, language(&visit.page));
    if !form.is_refused() {
        if form.raw("value").is_empty() {
            form.fill("value", to_begin_with(figure, spoken));
        }
        if form.raw("from").is_empty() {
            // The law of tomorrow, unless somebody says otherwise: from the first day of the next year.
            let next = Day::from_ymd(visit.today.year() + 1, 1, 1).unwrap_or(visit.today);
            form.fill("from", figure.period.from.max(next));
        }
    }
    offer_sure(page, &mut form);
    offer(&mut form, figure, spoken);
    Chosen {
        said: named(page, figure),
        value: figure.shown.get(spoken).to_owned(),
        is_taken_over: is_taken_over(release, draft.place, &figure.benefit),
        figure: figure.path.clone(),
        form,
    }
}

#[derive(Template)]
#[template(path = "policy_draft_file.html")]
struct FilePage {
    page: Page,
    path: String,
    file: Option<String>,
    revision: i64,
    errors: Vec<Wrong>,
    clash: Option<String>,
    form: Form,
    files: Vec<(String, String)>,
    new: String,
}

/// GET `/policy-drafts/{id}/file`: the files that may be written, or the text of one.
pub(crate) async fn edit_file(visit: Visit, Path(id): Path<String>, uri: Uri) -> Result<Response, Failure> {
    let draft = draft_in(&visit, &id).await?;
    let path = asked(&uri, "path");
    let mut form = Form::blank(FILE);
    let mut errors = Vec::new();
    if let Some(path) = &path {
        may_write(&visit, &draft, path)?;
        form.fill("text", draft.text(&today_of(&visit), path).unwrap_or_default());
        let review = reviewed(&visit, &draft).await?;
        errors = wrongs(&visit.page, &review.errors);
    }
    show(&file_page(&visit, &draft, path, form, errors))
}

/// POST `/policy-drafts/{id}/file`: the text is kept even if it does not load yet; what is wrong stands under it.
pub(crate) async fn take_file(
    visit: Visit,
    Path(id): Path<String>,
    body: FormBody,
) -> Result<Response, Failure> {
    let draft = draft_in(&visit, &id).await?;
    let path = body.value("path").trim().to_owned();
    may_write(&visit, &draft, &path)?;
    let is_stale = body.value("revision") != draft.revision.to_string();
    let mut form = body.form(FILE);
    if is_stale {
        form.refuse(Refusal::new("what_if.draft.stale_form"));
    }
    if draft.files.len() >= MOST_FILES && !draft.files.iter().any(|file| file.path == path) {
        form.refuse(Refusal::new("what_if.draft.too_many_files").with("most", MOST_FILES.to_string()));
    }
    // Not `text`, which would cut spaces at the ends: only that there is one, and how long.
    if form.text("text").is_none() || form.is_refused() {
        return show_refused(&file_page(&visit, &draft, Some(path), form, Vec::new()));
    }
    let text = format!("{}\n", form.raw("text").replace("\r\n", "\n").trim_end());
    let mut file = with_text(&visit, &draft, &path, text);
    file.clash = None;
    let mut with_file = draft.clone();
    with_file.files.retain(|known| known.path != path);
    with_file.files.push(file.clone());
    let review = reviewed(&visit, &with_file).await?;
    let deed = Deed { act: "file", reason: path.clone(), files: vec![file], ..Deed::default() };
    let answer = done(&visit, &draft, deed).await?;
    if review.errors.is_empty() {
        return Ok(answer);
    }
    let kept = draft_in(&visit, &id).await?;
    show_refused(&file_page(&visit, &kept, Some(path), form, wrongs(&visit.page, &review.errors)))
}

/// A file of a pack of the draft's place, or of one within it; there, or to be made.
fn may_write(visit: &Visit, draft: &Draft, path: &str) -> Result<(), Failure> {
    let law = &visit.app.policies;
    let own = own_directory(law, draft.place);
    let is_plain = path.ends_with(".toml")
        && path.chars().all(|sign| sign.is_ascii_alphanumeric() || "/_-.".contains(sign))
        && !path.contains("..");
    let is_own = pack_directory(path) == own || path.starts_with(&format!("{own}/"));
    let is_known = law.jurisdiction(pack_directory(path)).is_some();
    if is_plain && if is_known { is_within(draft.place, [law, law], path) } else { is_own } {
        return Ok(());
    }
    Err(Failure::Refused(Refusal::new("what_if.draft.not_yours").with("path", path.to_owned())))
}

fn file_page(visit: &Visit, draft: &Draft, file: Option<String>, form: Form, errors: Vec<Wrong>) -> FilePage {
    let title = visit.page.word("what_if.draft.title").into_owned();
    let page = framed(visit, "what_if.draft.file").under(title, path_of(draft.id));
    let path = format!("{}/file", path_of(draft.id));
    let law = &visit.app.policies;
    let address = |file: &str| {
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("path", file).finish();
        format!("{path}?{query}")
    };
    let in_force = law.files().iter().map(|(path, _)| path);
    let mut files: Vec<&String> = in_force.filter(|path| is_within(draft.place, [law, law], path)).collect();
    files.extend(draft.files.iter().map(|file| &file.path));
    files.sort();
    files.dedup();
    let clash = draft.files.iter().find(|known| Some(&known.path) == file.as_ref());
    FilePage {
        clash: clash.and_then(|file| file.clash.clone()),
        files: files.into_iter().map(|file| (file.clone(), address(file))).collect(),
        new: format!("{}/", own_directory(law, draft.place)),
        revision: draft.revision,
        errors,
        form,
        file,
        path,
        page,
    }
}
