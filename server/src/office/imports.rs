//! Files that come in: choose the kind, hand in the file, look at the dry run, import.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Request};
use axum::response::Response;
use kangmai_access::{Actor, audit, reach};
use kangmai_base::{Refusal, Uuid};
use kangmai_database::DatabaseError;
use kangmai_policy::Release;
use kangmai_programme::{App, Import, Visit};
use kangmai_sheet::Fault;
use kangmai_sheet::limit::MAX_CSV_BYTES;
use kangmai_sheets::Speech;
use kangmai_web::{
    Failure, Field, Form, FormBody, Html, Language, Page, Upload, UploadRoom, go_to, show, show_refused,
    workbook,
};

use crate::import::{Finished, ImportDesk, JobState};

const FIELDS: &[Field] = &[Field::file("file", "server.import.file").accept(".xlsx,.csv")];
/// Faults and changes that the page shows; the error sheet has all.
const MOST_SHOWN: usize = 50;

/// The kinds that the actor may import, a register before its bills.
fn kinds(app: &App, actor: &Actor) -> Vec<&'static Import> {
    let all = app.programmes.iter().flat_map(|programme| programme.imports);
    let mut kinds: Vec<&Import> = all.filter(|import| reach(actor, import.purpose).is_some()).collect();
    kinds.sort_by_key(|import| import.order);
    kinds
}

fn kind(visit: &Visit, key: &str) -> Result<&'static Import, Failure> {
    kinds(&visit.app, &visit.actor).into_iter().find(|import| import.key == key).ok_or(Failure::NotFound)
}

#[derive(Template)]
#[template(path = "office_import_kinds.html")]
struct KindsPage {
    page: Page,
    kinds: Vec<(String, String)>,
}

pub(super) async fn show_kinds(visit: Visit) -> Result<Response, Failure> {
    let kinds = kinds(&visit.app, &visit.actor);
    if kinds.is_empty() {
        return Err(Failure::NotFound);
    }
    let page = visit.page.titled("server.import");
    let kinds = kinds
        .into_iter()
        .map(|import| (page.word(import.word).into_owned(), format!("/import/{}", import.key)))
        .collect();
    show(&KindsPage { page, kinds })
}

#[derive(Template)]
#[template(path = "office_import_kind.html")]
struct KindPage {
    page: Page,
    form: Form,
    path: String,
    columns: Vec<ColumnLine>,
}

struct ColumnLine {
    title: &'static str,
    required: bool,
    hint: &'static str,
    example: &'static str,
}

fn kind_page(page: Page, policies: &Release, import: &'static Import, form: Form) -> KindPage {
    let mut page = page.under("", "/import").titled("server.import.kind");
    page.title = page.say1("server.import.kind", "kind", page.word(import.word));
    if let Some(crumb) = page.crumbs.last_mut() {
        crumb.word = page.words.word(page.language, "server.import").into_owned();
    }
    let english = page.language == Language::En;
    let columns = import
        .columns(policies)
        .columns
        .iter()
        .map(|column| ColumnLine {
            title: if english { column.title_en } else { column.title_zh },
            required: column.required,
            hint: if english { column.hint_en } else { column.hint_zh },
            example: column.example,
        })
        .collect();
    KindPage { page, form, path: format!("/import/{}", import.key), columns }
}

pub(super) async fn show_kind(visit: Visit, Path(key): Path<String>) -> Result<Response, Failure> {
    let import = kind(&visit, &key)?;
    show(&kind_page(visit.page, &visit.app.policies, import, Form::blank(FIELDS)))
}

pub(super) async fn take_file(
    visit: Visit,
    Extension(desk): Extension<Arc<ImportDesk>>,
    Path(key): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    let import = kind(&visit, &key)?;
    let app = &visit.app;
    let room = UploadRoom {
        folder: &app.settings.uploads,
        limit_bytes: MAX_CSV_BYTES,
        ids: &*app.ids,
        now: app.clock.now(),
    };
    let mut upload = Upload::read(request, room).await?;
    let Some(file) = upload.take_file("file") else {
        let mut form = upload.form(FIELDS);
        form.refuse(Refusal::new("server.import.no_file").at("file"));
        return show_refused(&kind_page(visit.page, &visit.app.policies, import, form));
    };
    let id = desk.take(app, &visit.actor, import, file, visit.page.language);
    Ok(go_to(&format!("/import/jobs/{id}")))
}

pub(super) async fn template(visit: Visit, Path(key): Path<String>) -> Result<Response, Failure> {
    let import = kind(&visit, &key)?;
    let say = |refusal: &Refusal| visit.page.refusal(refusal);
    let speech = Speech { english: visit.page.language == Language::En, say: &say };
    let bytes = kangmai_sheets::template(&import.columns(&visit.app.policies), &speech)?;
    Ok(workbook(bytes, &format!("{key}-template.xlsx")))
}

#[derive(Template)]
#[template(path = "office_import_job.html")]
struct JobPage {
    page: Page,
    file_name: String,
    running: Option<Running>,
    refused: Option<String>,
    counts: Vec<(String, String)>,
    faults: Vec<FaultLine>,
    faults_total: u64,
    changes: Vec<ChangeLine>,
    error_sheet: Option<String>,
    may_confirm: bool,
    confirm: String,
    done: bool,
    path: String,
    kind_path: String,
}

struct Running {
    bar: Html,
    dry_run: bool,
}

struct FaultLine {
    row: u32,
    column: String,
    error: bool,
    shown: String,
    reason: String,
    suggestion: String,
}

struct ChangeLine {
    row: u32,
    subject: String,
    column: String,
    before: String,
    after: String,
}

pub(super) async fn show_job(
    visit: Visit,
    Extension(desk): Extension<Arc<ImportDesk>>,
    Path(id): Path<Uuid>,
) -> Result<Response, Failure> {
    let job = desk.job(&visit.actor, id).ok_or(Failure::NotFound)?;
    let mut page = visit.page.under("", "/import").titled("server.import.job");
    page.title = page.word(job.import.word).into_owned();
    if let Some(crumb) = page.crumbs.last_mut() {
        crumb.word = page.words.word(page.language, "server.import").into_owned();
    }
    let finished = match &job.state {
        JobState::Running { summary, .. } => Finished { summary: summary.clone(), ..Finished::default() },
        JobState::Previewed(finished) | JobState::Done(finished) => finished.clone(),
        JobState::Failed(_) => Finished::default(),
    };
    let summary = &finished.summary;
    let takes = summary.new + summary.changed;
    let english = page.language == Language::En;
    let columns = job.import.columns(&visit.app.policies);
    let title = |key: &str| match columns.column(key) {
        Some(column) if english => column.title_en.to_owned(),
        Some(column) => column.title_zh.to_owned(),
        None => key.to_owned(),
    };
    let changes = summary
        .changes
        .iter()
        .take(MOST_SHOWN)
        .map(|change| ChangeLine {
            row: change.row,
            subject: change.subject.clone(),
            column: title(change.column),
            before: change.before.clone(),
            after: change.after.clone(),
        })
        .collect();
    let running = match &job.state {
        JobState::Running { progress, dry_run, .. } => {
            Some(Running { bar: progress_bar(&page, progress.percent()), dry_run: *dry_run })
        }
        _ => None,
    };
    let refused = match &job.state {
        JobState::Failed(refusal) => Some(page.refusal(refusal)),
        _ => None,
    };
    let previewed = matches!(job.state, JobState::Previewed(_));
    show(&JobPage {
        file_name: job.file_name.clone(),
        running,
        refused,
        counts: counts(&page, &finished),
        faults: summary.faults.iter().take(MOST_SHOWN).map(|fault| fault_line(&page, fault)).collect(),
        faults_total: summary.faults_total,
        changes,
        error_sheet: job.error_sheet.is_some().then(|| format!("/import/jobs/{id}/errors.xlsx")),
        may_confirm: previewed && takes > 0,
        confirm: page.count("server.import.confirm", takes),
        done: matches!(job.state, JobState::Done(_)),
        path: format!("/import/jobs/{id}"),
        kind_path: format!("/import/{}", job.import.key),
        page,
    })
}

fn counts(page: &Page, finished: &Finished) -> Vec<(String, String)> {
    let summary = &finished.summary;
    let mut counts = vec![
        ("server.import.rows", summary.rows),
        ("sheet.outcome.new", summary.new),
        ("sheet.outcome.changed", summary.changed),
        ("sheet.outcome.unchanged", summary.unchanged),
        ("sheet.outcome.faulty", summary.faulty),
        ("server.import.warned", summary.warned),
    ];
    if finished.facts > 0 {
        counts.push(("server.import.facts", finished.facts));
    }
    if finished.parked > 0 {
        counts.push(("server.import.parked", finished.parked));
    }
    counts.into_iter().map(|(key, count)| (page.word(key).into_owned(), page.number(count))).collect()
}

fn fault_line(page: &Page, fault: &Fault) -> FaultLine {
    let column = fault.column.map(|column| match page.language {
        Language::En => column.title_en,
        Language::Zh => column.title_zh,
    });
    FaultLine {
        row: fault.row,
        column: column.unwrap_or_default().to_owned(),
        error: fault.is_error(),
        shown: fault.shown.clone(),
        reason: page.refusal(&fault.reason),
        suggestion: fault.suggestion.as_ref().map(|mend| page.refusal(mend)).unwrap_or_default(),
    }
}

pub(super) async fn decide(
    visit: Visit,
    Extension(desk): Extension<Arc<ImportDesk>>,
    Path(id): Path<Uuid>,
    body: FormBody,
) -> Result<Response, Failure> {
    let job = desk.job(&visit.actor, id).ok_or(Failure::NotFound)?;
    if body.act() == "forget" {
        desk.forget(&visit.actor, id);
        return Ok(go_to(&format!("/import/{}", job.import.key)));
    }
    if desk.confirm(&visit.app, &visit.actor, id, visit.page.language) {
        let (app, actor) = (visit.app.clone(), visit.actor.clone());
        let (row, now, key) = (app.mint(), app.clock.now(), job.import.key);
        app.database
            .write(move |tx| -> Result<(), DatabaseError> {
                audit(tx, row, now, &actor, "import", None, actor.place, key, "done")
            })
            .await?;
    }
    Ok(go_to(&format!("/import/jobs/{id}")))
}

pub(super) async fn error_sheet(
    visit: Visit,
    Extension(desk): Extension<Arc<ImportDesk>>,
    Path(id): Path<Uuid>,
) -> Result<Response, Failure> {
    let job = desk.job(&visit.actor, id).ok_or(Failure::NotFound)?;
    let path = job.error_sheet.ok_or(Failure::NotFound)?;
    let bytes = tokio::task::spawn_blocking(move || std::fs::read(path)).await??;
    Ok(workbook(bytes, &format!("{}-errors.xlsx", job.import.key)))
}

/// A bar that fills from left to right.
fn progress_bar(page: &Page, percent: u8) -> Html {
    #[derive(Template)]
    #[template(
        source = r#"<progress class="progress" max="100" value="{{ percent }}" aria-label="{{ label }}">{{ percent }}%</progress>"#,
        ext = "html"
    )]
    struct Bar {
        percent: u8,
        label: String,
    }
    Html::of(&Bar { percent, label: page.word("server.import.progress").into_owned() })
}
