//! Writing on a draft: a figure from a day on, with the document that it rests on; or the text of a file.

use askama::Template;
use axum::extract::Path;
use axum::http::Uri;
use axum::response::Response;
use kangmai_base::{Day, Refusal};
use kangmai_places::Divisions;
use kangmai_policy::overlay::figures;
use kangmai_policy::{Citation, OverlayFigure, PackError, Release, Sure, pack_directory};
use kangmai_programme::Visit;
use kangmai_web::{Choice, Failure, Field, Form, FormBody, Page, show, show_refused};

use super::acts::with_text;
use super::{done, draft_in, framed, path_of, reviewed, today_of};
use crate::draft::{
    Draft, LONGEST_FILE, MOST_FILES, NotWritten, is_taken_over, is_within, own_directory, write_figure,
};
use crate::pages::compose::{figure_name, group};
use crate::pages::language;
use crate::store::draft::Deed;

const FIGURE: &[Field] = &[
    Field::text("value", "what_if.field.value").at_most(60),
    Field::day("from", "what_if.field.from"),
    Field::text("doc", "what_if.draft.field.doc").at_most(200),
    Field::text("article", "what_if.draft.field.article").at_most(100).optional(),
    Field::area("quote", "what_if.draft.field.quote").at_most(1_000).optional(),
    Field::radios("sure", "what_if.draft.field.sure"),
];
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
    let figure = asked(&uri, "figure").map(|figure| (figure, Form::blank(FIGURE)));
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
    let figure = body.value("figure").to_owned();
    let is_stale = body.value("revision") != draft.revision.to_string();
    let mut form = body.form(FIGURE);
    offer_sure(&visit.page, &mut form);
    if is_stale {
        form.refuse(Refusal::new("what_if.draft.stale_form"));
    }
    // As a Chinese keyboard types it.
    let value = form.text("value").map(|value| value.replace('％', "%"));
    let (from, doc) = (form.day("from"), form.text("doc"));
    let (article, quote, sure) = (form.text("article"), form.text("quote"), form.choice("sure"));
    let sure = sure.as_deref().and_then(Sure::from_name);
    let (Some(value), Some(from), Some(doc), Some(sure), false) = (value, from, doc, sure, form.is_refused())
    else {
        return show_refused(&figure_page(&visit, &draft, &release, Some((figure, form)), Vec::new()));
    };
    let citation = Citation { doc, article, quote, sure };
    let change = format!("{figure} = {value} from {from}");
    let benefit = figure.split(' ').next().unwrap_or_default().to_owned();
    let name = Divisions::shipped()
        .nearest(draft.place)
        .map(kangmai_places::Division::full_name)
        .unwrap_or_default();
    let (law, place, said) = (release.clone(), draft.place, change.clone());
    let work = move || write_figure(&law, (place, &name), (&benefit, &said), &citation);
    let written = tokio::task::spawn_blocking(work).await.map_err(Failure::internal)?;
    let files = match written {
        Ok(files) => files,
        Err(NotWritten::NoRoom) => {
            form.refuse(Refusal::new("what_if.draft.no_room"));
            return show_refused(&figure_page(&visit, &draft, &release, Some((figure, form)), Vec::new()));
        }
        Err(NotWritten::Errors(errors)) => {
            let said = rendered(&visit.page, &errors);
            return show_refused(&figure_page(&visit, &draft, &release, Some((figure, form)), said));
        }
    };
    let files = files.into_iter().map(|(path, text)| with_text(&visit, &draft, &path, text)).collect();
    done(&visit, &draft, Deed { act: "figure", reason: change, files, ..Deed::default() }).await
}

fn rendered(page: &Page, errors: &[PackError]) -> Vec<String> {
    errors.iter().map(|error| error.render(language(page))).collect()
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
    chosen: Option<(String, Form)>,
    errors: Vec<String>,
) -> FigurePage {
    let title = visit.page.word("what_if.draft.title").into_owned();
    let page = framed(visit, "what_if.draft.figure").under(title, path_of(draft.id));
    let path = format!("{}/figure", path_of(draft.id));
    let one = release.jurisdiction_for(draft.place, visit.today);
    let (first, last) =
        (Day::from_ymd(visit.today.year(), 1, 1), Day::from_ymd(visit.today.year() + 1, 12, 31));
    let all: Vec<OverlayFigure> = one
        .zip(first.zip(last))
        .map(|(one, (first, last))| figures(release, one, first, last))
        .unwrap_or_default();
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
        chosen: chosen.and_then(|(figure, form)| chosen_figure(visit, (draft, release), &all, figure, form)),
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
        name: figure_name(page, figure),
        value: figure.value.clone(),
        choose: format!("{path}?{query}#change"),
    }
}

fn chosen_figure(
    visit: &Visit,
    (draft, release): (&Draft, &Release),
    all: &[OverlayFigure],
    path: String,
    mut form: Form,
) -> Option<Chosen> {
    let page = &visit.page;
    let figure = all.iter().rev().find(|figure| figure.path == path)?;
    if !form.is_refused() {
        if form.raw("value").is_empty() {
            form.fill("value", &figure.value);
        }
        if form.raw("from").is_empty() {
            // The law of tomorrow, unless somebody says otherwise: from the first day of the next year.
            let next = Day::from_ymd(visit.today.year() + 1, 1, 1).unwrap_or(visit.today);
            form.fill("from", figure.period.from.max(next));
        }
    }
    offer_sure(page, &mut form);
    let names =
        [figure.benefit_name.get(language(page)).to_owned(), group(page, figure), figure_name(page, figure)];
    let said: Vec<&str> = names.iter().map(String::as_str).filter(|name| !name.is_empty()).collect();
    Some(Chosen {
        said: said.join(" · "),
        value: figure.value.clone(),
        is_taken_over: is_taken_over(release, draft.place, &figure.benefit),
        figure: path,
        form,
    })
}

#[derive(Template)]
#[template(path = "policy_draft_file.html")]
struct FilePage {
    page: Page,
    path: String,
    file: Option<String>,
    revision: i64,
    errors: Vec<String>,
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
        errors = rendered(&visit.page, &review.errors);
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
    show_refused(&file_page(&visit, &kept, Some(path), form, rendered(&visit.page, &review.errors)))
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

fn file_page(
    visit: &Visit,
    draft: &Draft,
    file: Option<String>,
    form: Form,
    errors: Vec<String>,
) -> FilePage {
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
