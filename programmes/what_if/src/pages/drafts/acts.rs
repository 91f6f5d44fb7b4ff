//! What is done to a draft from its page.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::Path;
use axum::response::Response;
use kangmai_base::Refusal;
use kangmai_database::DatabaseError;
use kangmai_policy::{Language, Overlay, Release, with_case_checked};
use kangmai_programme::Visit;
use kangmai_web::{Choice, Failure, Flash, Form, FormBody, go_to, show_refused};

use super::one::{MUTANT, REASON, blocker_said, latest_run, page};
use super::{done, draft_in, path_of, reviewed, today_of};
use crate::draft::{Blocker, Draft, DraftFile, DraftState, Review, with_cases};
use crate::judging::{self, Begun};
use crate::run::{Asked, Drafted, WhatIfFailure, begin};
use crate::store::RunState;
use crate::store::draft::{self as store, Deed};

/// Cases that are taken over at once.
const MOST_CASES: usize = 500;

/// POST `/policy-drafts/{id}`.
pub(crate) async fn act(visit: Visit, Path(id): Path<String>, body: FormBody) -> Result<Response, Failure> {
    let draft = draft_in(&visit, &id).await?;
    if body.value("revision").parse() != Ok(draft.revision) {
        return Err(Failure::Refused(Refusal::new("what_if.draft.stale")));
    }
    let place = (body.value("path").to_owned(), body.value("line").parse().unwrap_or(0));
    let path = place.0.clone();
    match body.act() {
        "accept_case" => accept_cases(&visit, &draft, Some(place)).await,
        "accept_cases" => accept_cases(&visit, &draft, None).await,
        "add_cases" => add_cases(&visit, &draft).await,
        "check_cases" => check_cases(&visit, &draft, &body).await,
        "accept_mutant" => accept_mutant(&visit, draft, body).await,
        "drop_file" => {
            if draft.files.iter().all(|file| file.path != path) {
                return Err(Failure::NotFound);
            }
            let deed = Deed { act: "dropped", reason: path.clone(), dropped: vec![path], ..Deed::default() };
            done(&visit, &draft, deed).await
        }
        "mine" | "theirs" => decide_clash(&visit, &draft, &path, body.act() == "mine").await,
        "rebase" => {
            let today = today_of(&visit);
            let (files, newest) = (draft.rebased(&today), Some(today.newest));
            done(&visit, &draft, Deed { act: "rebased", files, made_from: newest, ..Deed::default() }).await
        }
        "judge" => judge_now(&visit, &draft).await,
        "try" => try_now(&visit, &draft).await,
        "submit" => submit(&visit, &draft).await,
        "withdraw" => {
            let deed = Deed { act: "withdrawn", state: Some(DraftState::Withdrawn), ..Deed::default() };
            let may = draft.state.is_written_on() || draft.state == DraftState::Submitted;
            if may { done(&visit, &draft, deed).await } else { Err(not_open()) }
        }
        "reopen" => {
            let deed = Deed { act: "reopened", state: Some(DraftState::Open), ..Deed::default() };
            let may = matches!(draft.state, DraftState::Withdrawn | DraftState::Submitted);
            if may { done(&visit, &draft, deed).await } else { Err(not_open()) }
        }
        _ => Ok(go_to(&path_of(draft.id))),
    }
}

fn not_open() -> Failure {
    Failure::Refused(Refusal::new("what_if.draft.not_open"))
}

/// A file of the draft with a new text; one that the draft did not have yet joins it.
pub(super) fn with_text(visit: &Visit, draft: &Draft, path: &str, text: String) -> DraftFile {
    let known = draft.files.iter().find(|file| file.path == path);
    let in_force = || visit.app.policies.files().iter().find(|(known, _)| known == path);
    DraftFile {
        path: path.to_owned(),
        old: match known {
            Some(file) => file.old.clone(),
            None => in_force().map(|(_, text)| text.clone()),
        },
        text: Some(text),
        clash: known.and_then(|file| file.clash.clone()),
    }
}

/// Works on the files of the release with the draft, beside the requests; the files whose text became another.
async fn rewritten(
    visit: &Visit,
    draft: &Draft,
    work: impl FnOnce(Release) -> Vec<(String, String)> + Send + 'static,
) -> Result<Vec<DraftFile>, Failure> {
    let review = reviewed(visit, draft).await?;
    let release =
        review.release.ok_or_else(|| Failure::Refused(Refusal::new("what_if.draft.does_not_load")))?;
    let release = Arc::unwrap_or_clone(release);
    let files = tokio::task::spawn_blocking(move || work(release)).await.map_err(Failure::internal)?;
    Ok(files.into_iter().map(|(path, text)| with_text(visit, draft, &path, text)).collect())
}

/// Takes over what comes out: of one case, or of all for which that can be written.
async fn accept_cases(
    visit: &Visit,
    draft: &Draft,
    only: Option<(String, usize)>,
) -> Result<Response, Failure> {
    let mut reason = String::new();
    if let Some((path, line)) = &only {
        let review = reviewed(visit, draft).await?;
        let case = review.cases.into_iter().find(|case| case.path == *path && case.line == *line);
        reason = case.ok_or(Failure::NotFound)?.name;
    }
    let work = move |release: Release| match only {
        Some((path, line)) => {
            release.with_case_accepted(&path, line).map(|text| (path, text)).into_iter().collect()
        }
        None => all_accepted(release),
    };
    let files = rewritten(visit, draft, work).await?;
    done(visit, draft, Deed { act: "case_accepted", reason, files, ..Deed::default() }).await
}

fn all_accepted(release: Release) -> Vec<(String, String)> {
    let mut written: Vec<(String, String)> = Vec::new();
    let mut release = release;
    for _ in 0..MOST_CASES {
        // One file after the other from its end, so that the lines above stay where they are.
        let changed = release.changed_cases();
        let Some(path) = changed.iter().find(|case| case.can_be_accepted).map(|case| case.path.clone())
        else {
            break;
        };
        let last = changed.iter().rfind(|case| case.can_be_accepted && case.path == path);
        let Some(text) = last.and_then(|case| release.with_case_accepted(&path, case.line)) else { break };
        written.retain(|(known, _)| *known != path);
        written.push((path.clone(), text.clone()));
        let mut files = release.files().to_vec();
        files.retain(|(known, _)| *known != path);
        files.push((path, text));
        let Ok(next) = Release::load(files) else { break };
        release = next;
    }
    written
}

/// Puts the cases that mutants ask for into their files, to be checked by a person.
async fn add_cases(visit: &Visit, draft: &Draft) -> Result<Response, Failure> {
    let today = today_of(visit);
    let Some(judged) = &draft.judged else {
        return Err(Failure::Refused(Refusal::new("what_if.draft.judge_first")));
    };
    let mut by_file: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for alive in draft.alive(judged) {
        if let Some(case) = &alive.case {
            by_file.entry(&alive.path).or_default().push(case);
        }
    }
    let text = |path: &str, cases: &[&str]| with_cases(&draft.text(&today, path).unwrap_or_default(), cases);
    let files =
        by_file.iter().map(|(path, cases)| with_text(visit, draft, path, text(path, cases))).collect();
    done(visit, draft, Deed { act: "cases_added", files, ..Deed::default() }).await
}

/// The cases that somebody has ticked are worked out from the source.
async fn check_cases(visit: &Visit, draft: &Draft, body: &FormBody) -> Result<Response, Failure> {
    let ticked = body.values("case").filter_map(|case| {
        let (path, line) = case.rsplit_once(':')?;
        Some((path.to_owned(), line.parse::<usize>().ok()?))
    });
    let ticked: Vec<(String, usize)> = ticked.collect();
    if ticked.is_empty() {
        let said = visit.page.word("what_if.draft.check_none").into_owned();
        return Ok(Flash::warning(said).then_go_to(&path_of(draft.id)));
    }
    let today = today_of(visit);
    let mut texts: BTreeMap<&str, String> = BTreeMap::new();
    for (path, line) in &ticked {
        let text = match texts.remove(path.as_str()) {
            Some(text) => text,
            None => draft.text(&today, path).ok_or(Failure::NotFound)?,
        };
        // Only the name becomes another: the lines of the others stay where they are.
        texts.insert(path, with_case_checked(&text, *line).ok_or(Failure::NotFound)?);
    }
    let reason = visit.page.count("what_if.draft.checked", ticked.len());
    let files = texts.into_iter().map(|(path, text)| with_text(visit, draft, path, text)).collect();
    done(visit, draft, Deed { act: "case_checked", reason, files, ..Deed::default() }).await
}

async fn accept_mutant(visit: &Visit, draft: Draft, body: FormBody) -> Result<Response, Failure> {
    let mut form = body.form(MUTANT);
    let names: Vec<String> = draft
        .judged
        .as_ref()
        .map(|judged| draft.alive(judged).map(|alive| alive.name.clone()).collect())
        .unwrap_or_default();
    form.offer("mutant", names.iter().map(|name| Choice::new(name, name)).collect());
    let (Some(mutant), Some(reason)) = (form.choice("mutant"), form.text("reason")) else {
        let _ = form.text("reason");
        return show_refused(&page(visit, draft, (form, Form::blank(REASON))).await?);
    };
    let deed = Deed { act: "mutant_accepted", reason, accepted: Some(mutant), ..Deed::default() };
    done(visit, &draft, deed).await
}

/// Of two texts that changed the same lines one stays.
async fn decide_clash(
    visit: &Visit,
    draft: &Draft,
    path: &str,
    stays_mine: bool,
) -> Result<Response, Failure> {
    let file = draft.files.iter().find(|file| file.path == path && file.clash.is_some());
    let file = file.ok_or(Failure::NotFound)?;
    let mut deed = Deed { act: "decided", reason: path.to_owned(), ..Deed::default() };
    if stays_mine {
        deed.files.push(DraftFile { clash: None, ..file.clone() });
    } else {
        deed.dropped.push(path.to_owned());
    }
    done(visit, draft, deed).await
}

/// Judges the mutants beside the requests, if the draft is so far.
async fn judge_now(visit: &Visit, draft: &Draft) -> Result<Response, Failure> {
    if let Some(said) = not_so_far(visit, draft, true).await? {
        return Ok(Flash::warning(said).then_go_to(&path_of(draft.id)));
    }
    let begun = judging::begin(&visit.app, &visit.reach, draft.id).await?;
    let word = match begun {
        Begun::Now | Begun::Already => return Ok(go_to(&path_of(draft.id))),
        Begun::Busy => "what_if.draft.judging.busy",
    };
    Ok(Flash::warning(visit.page.word(word)).then_go_to(&path_of(draft.id)))
}

/// Why it makes no sense yet to hold the draft against its cases, or against bills.
async fn not_so_far(visit: &Visit, draft: &Draft, needs_cases: bool) -> Result<Option<String>, Failure> {
    if !draft.state.is_written_on() {
        return Err(not_open());
    }
    let review = reviewed(visit, draft).await?;
    let stands_in_the_way = |blocker: &&Blocker| match blocker {
        Blocker::Empty | Blocker::Errors(_) | Blocker::Clash(_) => true,
        // A case that fails anyway notices nothing.
        Blocker::Cases(_) => needs_cases,
        _ => false,
    };
    let blocker = review.blockers.iter().find(stands_in_the_way);
    Ok(blocker.map(|blocker| blocker_said(&visit.page, blocker)))
}

/// Settles last year's bills with the draft; a run that is under way is shown instead.
async fn try_now(visit: &Visit, draft: &Draft) -> Result<Response, Failure> {
    if let Some(said) = not_so_far(visit, draft, false).await? {
        return Ok(Flash::warning(said).then_go_to(&path_of(draft.id)));
    }
    if let Some(run) = latest_run(visit, draft).await?.filter(|run| run.state == RunState::Running) {
        return Ok(go_to(&format!("/what-if/{}", run.id)));
    }
    let review = reviewed(visit, draft).await?;
    match run_over(visit, draft, &review).await {
        Ok(id) => Ok(go_to(&id.map_or_else(|| path_of(draft.id), |run| format!("/what-if/{run}")))),
        Err(WhatIfFailure::Busy) => {
            Ok(Flash::warning(visit.page.word("what_if.busy")).then_go_to(&path_of(draft.id)))
        }
        Err(error) => Err(Failure::from(error)),
    }
}

async fn run_over(
    visit: &Visit,
    draft: &Draft,
    review: &Review,
) -> Result<Option<kangmai_base::Uuid>, WhatIfFailure> {
    let Some(release) = review.release.clone() else { return Ok(None) };
    let told = review.law_told(Language::Zh);
    let nothing: [&str; 0] = [];
    let overlay = Overlay::parse(&nothing).map_err(WhatIfFailure::Changes)?;
    let asked = Asked {
        place: draft.place,
        year: visit.today.year() - 1,
        overlay,
        draft: Some(Drafted { release, told }),
    };
    let run = begin(&visit.app, &visit.actor, asked).await?;
    let id = draft.id;
    let kept = visit.app.database.write(move |tx| store::keep_run(tx, id, run)).await;
    kept.map_err(|error: DatabaseError| error)?;
    Ok(Some(run))
}

/// Hands the draft in for approval, if nothing stands in the way; begins to judge the mutants, or a run, if there was none.
async fn submit(visit: &Visit, draft: &Draft) -> Result<Response, Failure> {
    let review = reviewed(visit, draft).await?;
    if review.blockers == [Blocker::NotJudged] {
        judging::begin(&visit.app, &visit.reach, draft.id).await?;
        let said = visit.page.word("what_if.draft.judging.first").into_owned();
        return Ok(Flash::warning(said).then_go_to(&path_of(draft.id)));
    }
    if let Some(blocker) = review.blockers.first() {
        return Ok(Flash::warning(blocker_said(&visit.page, blocker)).then_go_to(&path_of(draft.id)));
    }
    if draft.run.is_none() {
        match run_over(visit, draft, &review).await {
            // It can be tried later: whoever approves sees that it was not.
            Ok(_) | Err(WhatIfFailure::Busy) => {}
            Err(error) => return Err(Failure::from(error)),
        }
    }
    let deed = Deed { act: "submitted", state: Some(DraftState::Submitted), ..Deed::default() };
    done(visit, draft, deed).await
}
