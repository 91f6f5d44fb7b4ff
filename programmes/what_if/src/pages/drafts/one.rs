//! One draft: what it changes, what that does to cases, mutants and last year's bills, and what still stands in the way.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use kangmai_access::{Purpose, reach};
use kangmai_database::DatabaseError;
use kangmai_policy::{CaseDifference, ChangedCase, UncheckedCase};
use kangmai_programme::Visit;
use kangmai_web::{Choice, Failure, Field, Form, Page, show};

use super::{act_word, draft_in, framed, path_of, reviewed, state_word};
use crate::draft::{Alive, Blocker, Draft, DraftState, Review};
use crate::pages::{language, place_name, signed, state_word as run_word};
use crate::store::{self, RunRow};

/// Cases, points and mutants that a page shows of each; the rest is counted.
pub(super) const MOST_SHOWN: usize = 60;

pub(super) const MUTANT: &[Field] = &[
    Field::select("mutant", "what_if.draft.field.mutant"),
    Field::text("reason", "what_if.draft.field.reason").at_most(300),
];
pub(super) const REASON: &[Field] = &[Field::area("reason", "what_if.draft.field.rejected").at_most(500)];

/// A file of the draft.
struct FileLine {
    path: String,
    edit: String,
    clashes: bool,
}

struct CaseLine {
    case: ChangedCase,
    rows: Vec<String>,
}

struct Effect {
    path: String,
    state: &'static str,
    tone: &'static str,
    figures: Vec<(String, String)>,
    is_old: bool,
}

struct StepLine {
    when: String,
    what: String,
    who: String,
    why: String,
}

/// What the actor may do with it now.
#[expect(clippy::struct_excessive_bools, reason = "each is a button that is there or not")]
struct May {
    write: bool,
    submit: bool,
    withdraw: bool,
    reopen: bool,
    decide: bool,
    is_author: bool,
}

#[derive(Template)]
#[template(path = "policy_draft.html")]
struct DraftPage {
    page: Page,
    path: String,
    to_figure: String,
    to_file: String,
    revision: i64,
    state: &'static str,
    tone: &'static str,
    place: String,
    publication: Option<String>,
    may: May,
    blockers: Vec<String>,
    is_outdated: bool,
    errors: Vec<String>,
    differences: Vec<String>,
    files: Vec<FileLine>,
    cases: Vec<CaseLine>,
    more_cases: usize,
    unchecked: Vec<UncheckedCase>,
    more_unchecked: usize,
    judged: Option<String>,
    alive: Vec<(String, Option<String>)>,
    more_alive: usize,
    has_cases_to_add: bool,
    mutants: Form,
    accepted: Vec<(String, String)>,
    missing: Vec<String>,
    more_missing: usize,
    effect: Option<Effect>,
    steps: Vec<StepLine>,
    reason: Form,
}

/// GET `/policy-drafts/{id}`.
pub(crate) async fn show_draft(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    let draft = draft_in(&visit, &id).await?;
    show(&page(&visit, draft, (Form::blank(MUTANT), Form::blank(REASON))).await?)
}

/// The page of a draft, with the two forms that may have been refused.
pub(super) async fn page(
    visit: &Visit,
    draft: Draft,
    (mutants, reason): (Form, Form),
) -> Result<impl Template + use<>, Failure> {
    let review = reviewed(visit, &draft).await?;
    let effect = effect(visit, &draft, &review).await?;
    Ok(laid_out(visit, draft, review, (mutants, reason), effect))
}

fn laid_out(
    visit: &Visit,
    draft: Draft,
    review: Review,
    (mut mutants, reason): (Form, Form),
    effect: Option<Effect>,
) -> DraftPage {
    let mut page = framed(visit, "what_if.draft.title");
    page.lead.clone_from(&draft.title);
    let spoken = language(&page);
    let (state, tone) = state_word(draft.state);
    let path = path_of(draft.id);
    let current = review.release.as_ref().map(|release| release.hash());
    let judged = draft.judged.as_ref().filter(|judged| Some(judged.release.as_str()) == current);
    let alive: Vec<&Alive> = judged.map(|judged| draft.alive(judged).collect()).unwrap_or_default();
    mutants.offer("mutant", alive.iter().map(|alive| Choice::new(&alive.name, &alive.name)).collect());
    let shown = |alive: &&Alive| {
        let text = if page.is_chinese() { &alive.zh } else { &alive.en };
        (text.clone(), alive.case.clone())
    };
    let more = |count: usize| count.saturating_sub(MOST_SHOWN);
    DraftPage {
        may: may(visit, &draft, &review),
        blockers: review.blockers.iter().map(|blocker| blocker_said(&page, blocker)).collect(),
        is_outdated: review.blockers.contains(&Blocker::Outdated) && draft.state.is_written_on(),
        errors: review.errors.iter().take(MOST_SHOWN).map(|error| error.render(spoken)).collect(),
        differences: review.differences.iter().map(|one| one.text.get(spoken).to_owned()).collect(),
        files: draft.files.iter().map(|file| file_line(&path, &file.path, file.clash.is_some())).collect(),
        more_cases: more(review.cases.len()),
        cases: review.cases.into_iter().take(MOST_SHOWN).map(|case| case_line(&page, case)).collect(),
        more_unchecked: more(review.unchecked.len()),
        unchecked: review.unchecked.into_iter().take(MOST_SHOWN).collect(),
        judged: judged.map(|judged| {
            page.say2("what_if.draft.judged", "noticed", judged.noticed, "alive", judged.alive.len())
        }),
        more_alive: more(alive.len()),
        has_cases_to_add: alive.iter().any(|alive| alive.case.is_some()),
        alive: alive.iter().take(MOST_SHOWN).map(shown).collect(),
        accepted: draft
            .accepted
            .iter()
            .map(|accepted| (accepted.mutant.clone(), format!("{} ({})", accepted.reason, accepted.name)))
            .collect(),
        more_missing: more(review.missing.len()),
        missing: review.missing.iter().take(MOST_SHOWN).map(|point| point.render_warning(spoken)).collect(),
        steps: draft.steps.iter().rev().map(|step| step_line(&page, step)).collect(),
        publication: draft.publication.map(|number| format!("/policies/releases/{number}")),
        place: place_name(draft.place),
        revision: draft.revision,
        state,
        tone,
        to_figure: format!("{path}/figure"),
        to_file: format!("{path}/file"),
        path,
        mutants,
        reason,
        effect,
        page,
    }
}

fn may(visit: &Visit, draft: &Draft, review: &Review) -> May {
    let edits = reach(&visit.actor, Purpose::EditPolicy).is_some();
    let is_author = draft.was_written_by(visit.actor.account.uuid());
    let is_submitted = draft.state == DraftState::Submitted;
    May {
        write: edits && draft.state.is_written_on(),
        submit: edits && draft.state.is_written_on() && review.blockers.is_empty(),
        withdraw: edits && (draft.state.is_written_on() || is_submitted),
        reopen: edits && draft.state == DraftState::Withdrawn,
        decide: is_submitted && !is_author,
        is_author: is_submitted && is_author,
    }
}

fn file_line(draft: &str, path: &str, clashes: bool) -> FileLine {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("path", path).finish();
    FileLine { path: path.to_owned(), edit: format!("{draft}/file?{query}"), clashes }
}

fn case_line(page: &Page, case: ChangedCase) -> CaseLine {
    let row = |row: &CaseDifference| {
        if row.what.is_empty() {
            return row.found.clone();
        }
        let day = row.day.map(|day| day.to_string()).unwrap_or_default();
        let what = match row.what.as_str() {
            "pays" => page.word("what_if.draft.case.pays").into_owned(),
            "remaining" => page.word("what_if.draft.case.remaining").into_owned(),
            "version" => page.word("what_if.draft.case.version").into_owned(),
            "profile" => page.word("what_if.draft.case.profile").into_owned(),
            layer => layer.to_owned(),
        };
        format!("{day} {} · {what}: {} → {}", row.given, row.expected, row.found)
    };
    CaseLine { rows: case.rows.iter().take(MOST_SHOWN).map(row).collect(), case }
}

fn step_line(page: &Page, step: &crate::draft::Step) -> StepLine {
    StepLine {
        when: page.day(step.at.day()),
        what: page.word(act_word(&step.act)).into_owned(),
        who: step.name.clone(),
        why: step.reason.clone(),
    }
}

/// What keeps a draft from being handed in, as a sentence.
pub(super) fn blocker_said(page: &Page, blocker: &Blocker) -> String {
    match blocker {
        Blocker::Empty => page.word("what_if.draft.blocker.empty").into_owned(),
        Blocker::Outdated => page.word("what_if.draft.blocker.outdated").into_owned(),
        Blocker::Clash(path) => page.say1("what_if.draft.blocker.clash", "path", path),
        Blocker::NotYours(path) => page.say1("what_if.draft.not_yours", "path", path),
        Blocker::Errors(count) => page.count("what_if.draft.blocker.errors", *count),
        Blocker::Cases(count) => page.count("what_if.draft.blocker.cases", *count),
        Blocker::Unchecked(count) => page.count("what_if.draft.blocker.unchecked", *count),
        Blocker::NotJudged => page.word("what_if.draft.blocker.not_judged").into_owned(),
        Blocker::Alive(count) => page.count("what_if.draft.blocker.alive", *count),
    }
}

/// The latest run over last year's bills, in its main figures.
async fn effect(visit: &Visit, draft: &Draft, review: &Review) -> Result<Option<Effect>, Failure> {
    let (Some(id), Some(within)) = (draft.run, reach(&visit.actor, Purpose::TryPolicy)) else {
        return Ok(None);
    };
    let now = visit.app.clock.now();
    let found = visit.app.database.read(move |tx| store::run_row(tx, &within, id, now)).await;
    let Some(run) = found.map_err(|error: DatabaseError| error)? else { return Ok(None) };
    let (state, tone) = run_word(run.state);
    Ok(Some(Effect {
        path: format!("/what-if/{id}"),
        state,
        tone,
        figures: figures(&visit.page, &run),
        // Cases and comments settle no bill otherwise.
        is_old: run.changes != review.law_told(kangmai_policy::Language::Zh),
    }))
}

fn figures(page: &Page, run: &RunRow) -> Vec<(String, String)> {
    let Some(outcome) = &run.outcome else { return Vec::new() };
    let word = |key: &str| page.word(key).into_owned();
    let payers = outcome
        .payers
        .iter()
        .map(|payer| (payer.name.get(language(page)).to_owned(), signed(payer.pays.difference())));
    let as_if = outcome.as_if_year.map(|year| (word("what_if.draft.effect.as_if"), year.to_string()));
    let rest = [
        (word("what_if.draft.effect.bills"), page.number(outcome.touched_bills)),
        (word("what_if.own"), signed(outcome.own.difference())),
        (word("what_if.stat.lose"), page.number(outcome.lose.people)),
        (word("what_if.stat.gain"), page.number(outcome.gain.people)),
    ];
    as_if.into_iter().chain(payers).chain(rest).collect()
}
