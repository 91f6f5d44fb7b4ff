//! The list of drafts, and the ways in which one is begun: with nothing, from a file that a program brought anew, from what
//! held before a publication.

use askama::Template;
use axum::response::Response;
use kangmai_access::{Purpose, reach};
use kangmai_base::Refusal;
use kangmai_database::DatabaseError;
use kangmai_policy::{Language, Release, diff};
use kangmai_programme::{Conflict, Visit, conflicts, kept_text, laid_over, publication, release_files};
use kangmai_web::{Failure, Field, Form, FormBody, Page, go_to, show, show_refused};

use super::{path_of, state_word};
use crate::draft::{DraftFile, is_within};
use crate::judging;
use crate::pages::{language, noted, place_name};
use crate::store::draft as store;

const FIELDS: &[Field] = &[Field::text("title", "what_if.draft.field.title").at_most(80)];

struct Line {
    path: String,
    title: String,
    place: String,
    state: &'static str,
    tone: &'static str,
    author: String,
    changed: String,
}

/// A file that the program brought anew while a published one is in force.
struct Decision {
    path: String,
    number: i64,
    release: String,
    /// What the program changed since the published file was made.
    brought: Vec<String>,
    /// What is otherwise in the published file than in the program's of today.
    published: Vec<String>,
    is_own: bool,
}

#[derive(Template)]
#[template(path = "policy_drafts.html")]
struct DraftsPage {
    page: Page,
    rows: Vec<Line>,
    decisions: Vec<Decision>,
    form: Option<Form>,
}

/// GET `/policy-drafts`.
pub(crate) async fn show_drafts(visit: Visit) -> Result<Response, Failure> {
    let form = reach(&visit.actor, Purpose::EditPolicy).map(|_| Form::blank(FIELDS));
    show(&list(&visit, form).await?)
}

async fn list(visit: &Visit, form: Option<Form>) -> Result<DraftsPage, Failure> {
    let within = visit.reach.clone();
    let found = visit.app.database.read(move |tx| store::drafts(tx, &within)).await;
    let drafts = found.map_err(|error: DatabaseError| error)?;
    let page = visit.page.clone().titled("what_if.drafts.title");
    let rows = drafts.into_iter().map(|draft| {
        let (state, tone) = state_word(draft.state);
        Line {
            path: path_of(draft.id),
            title: draft.title,
            place: place_name(draft.place),
            state,
            tone,
            author: draft.author_name,
            changed: draft.changed_at.day().to_string(),
        }
    });
    Ok(DraftsPage { rows: rows.collect(), decisions: decisions(visit).await?, form, page })
}

/// The files that wait for somebody to decide, with what is otherwise in them.
async fn decisions(visit: &Visit) -> Result<Vec<Decision>, Failure> {
    let files = visit.app.shipped.files().to_vec();
    let read = move |tx: &mut kangmai_database::Transaction<'_>| {
        let found = conflicts(&files, &laid_over(tx)?);
        let with_old = |conflict: Conflict, tx: &mut kangmai_database::Transaction<'_>| {
            let old = conflict.old_base.as_deref().map(|hash| kept_text(tx, hash)).transpose()?.flatten();
            Ok((conflict, old))
        };
        found.into_iter().map(|conflict| with_old(conflict, tx)).collect::<Result<Vec<_>, DatabaseError>>()
    };
    let found: Vec<(Conflict, Option<String>)> =
        visit.app.database.read(read).await.map_err(|error: DatabaseError| error)?;
    let (law, place, spoken) = (visit.app.policies.clone(), visit.reach.place(), language(&visit.page));
    let told = move || {
        let decision = |(conflict, old): (Conflict, Option<String>)| {
            let with = |text: &Option<String>| exchanged(&law, &conflict.path, text.as_deref());
            let (old, new) = (with(&old), with(&conflict.new_base));
            let say = |one: &Option<Release>, other: Option<&Release>| match (one, other) {
                (Some(one), Some(other)) => said(one, other, spoken),
                _ => Vec::new(),
            };
            Decision {
                brought: say(&old, new.as_ref()),
                published: say(&new, Some(&law)),
                is_own: is_within(place, [&law, &law], &conflict.path),
                release: format!("/policies/releases/{}", conflict.number),
                number: conflict.number,
                path: conflict.path,
            }
        };
        found.into_iter().map(decision).collect()
    };
    tokio::task::spawn_blocking(told).await.map_err(Failure::internal)
}

/// The release with one file exchanged, or without it; none if that does not load.
fn exchanged(release: &Release, path: &str, text: Option<&str>) -> Option<Release> {
    let rest = release.files().iter().filter(|(known, _)| known != path).cloned();
    let own = text.map(|text| (path.to_owned(), text.to_owned()));
    Release::load(rest.chain(own)).ok()
}

fn said(before: &Release, after: &Release, spoken: Language) -> Vec<String> {
    diff(before, after).into_iter().map(|one| one.text.get(spoken).to_owned()).collect()
}

/// POST `/policy-drafts`: begins a draft.
pub(crate) async fn begin_draft(visit: Visit, body: FormBody) -> Result<Response, Failure> {
    let files = match body.act() {
        "restore" => restored(&visit, body.value("number")).await?,
        "keep" => decided(&visit, body.value("path"), false)?,
        "take" => decided(&visit, body.value("path"), true)?,
        _ => Vec::new(),
    };
    let mut form = body.form(FIELDS);
    let Some(title) = form.text("title") else {
        return show_refused(&list(&visit, Some(form)).await?);
    };
    let (id, now, actor, place) =
        (visit.app.mint(), visit.app.clock.now(), visit.actor.clone(), visit.reach.place());
    let (made_from, named) = (visit.app.publication, title.clone());
    let (note, is_filled) = (noted(&visit, "policy_draft", place, title), !files.is_empty());
    let put = move |tx: &mut kangmai_database::Transaction<'_>| {
        store::put_draft(tx, id, &actor, (place, &named, made_from), &files, now)?;
        note(tx)
    };
    visit.app.database.write(put).await.map_err(|error: DatabaseError| error)?;
    if is_filled {
        judging::begin(&visit.app, &visit.reach, id).await?;
    }
    Ok(go_to(&path_of(id)))
}

/// The files of a publication as they were before it.
async fn restored(visit: &Visit, number: &str) -> Result<Vec<DraftFile>, Failure> {
    let number: i64 = number.parse().map_err(|_| Failure::NotFound)?;
    let read = move |tx: &mut kangmai_database::Transaction<'_>| {
        let Some((found, paths)) = publication(tx, number)? else { return Ok(None) };
        Ok(release_files(tx, &found.made_from)?.map(|before| (found, paths, before)))
    };
    let found = visit.app.database.read(read).await.map_err(|error: DatabaseError| error)?;
    let (found, paths, before) = found.ok_or(Failure::NotFound)?;
    if !visit.reach.covers(found.place) {
        return Err(Failure::NotFound);
    }
    let text = |files: &[(String, String)], path: &str| {
        files.iter().find(|(known, _)| known == path).map(|(_, text)| text.clone())
    };
    let of_program = visit.app.shipped.files();
    let file = |path: String| {
        let then = text(&before, &path);
        // What the program says itself need not be published.
        let own = if then == text(of_program, &path) { None } else { then };
        DraftFile { old: text(visit.app.policies.files(), &path), text: own, clash: None, path }
    };
    Ok(paths.into_iter().map(file).collect())
}

/// The published text of a file stays, or the program's of today takes its place.
fn decided(visit: &Visit, path: &str, takes_program: bool) -> Result<Vec<DraftFile>, Failure> {
    let law = &visit.app.policies;
    let (_, now) = law.files().iter().find(|(known, _)| known == path).ok_or(Failure::NotFound)?;
    if !is_within(visit.reach.place(), [law, law], path) {
        return Err(Failure::Refused(Refusal::new("what_if.draft.not_yours").with("path", path.to_owned())));
    }
    let text = (!takes_program).then(|| now.clone());
    Ok(vec![DraftFile { path: path.to_owned(), old: Some(now.clone()), text, clash: None }])
}
