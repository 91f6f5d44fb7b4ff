//! One draft: what it changes, what that does to cases, mutants and last year's bills, and what still stands in the way.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use kangmai_access::{Purpose, reach};
use kangmai_database::DatabaseError;
use kangmai_policy::{CaseDifference, CaseSaid, ChangedCase, PackError, UNCHECKED, UncheckedCase};
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

/// A case that comes out otherwise.
struct CaseLine {
    case: ChangedCase,
    rows: Vec<DifferenceLine>,
}

struct DifferenceLine {
    day: String,
    given: String,
    what: String,
    expected: String,
    found: String,
}

/// A case that waits to be checked, or that a mutant asks for.
struct WaitingLine {
    id: String,
    name: String,
    days: String,
    /// What is given, and what must come out.
    rows: Vec<(String, String)>,
    text: String,
}

/// A mutant that no case notices.
struct AliveLine {
    said: String,
    case: Option<WaitingLine>,
    raw: String,
}

/// What became of the mutants.
struct Proof {
    judged: Option<String>,
    /// How many per cent are judged, and in words.
    judging: Option<(i64, String)>,
    alive: Vec<AliveLine>,
    more_alive: usize,
    has_cases_to_add: bool,
    accepted: Vec<(String, String)>,
}

/// Something that the loader says, in words and as it says it.
pub(super) struct Wrong {
    pub(super) said: String,
    pub(super) raw: String,
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
    /// Hold it against last year's bills: it loads.
    try_it: bool,
    /// Hold it against its cases: none of them fails.
    judge: bool,
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
    errors: Vec<Wrong>,
    differences: Vec<String>,
    files: Vec<FileLine>,
    cases: Vec<CaseLine>,
    more_cases: usize,
    unchecked: Vec<WaitingLine>,
    more_unchecked: usize,
    proof: Proof,
    /// Nothing is typed or ticked on the page that a new one would lose.
    renews_itself: bool,
    mutants: Form,
    missing: Vec<Wrong>,
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
    let proof = proved(visit, &page, &draft, &review, &mut mutants);
    let waiting = |case: UncheckedCase| {
        waiting_line(&page, format!("{}:{}", case.path, case.line), case.said, case.text)
    };
    let more = |count: usize| count.saturating_sub(MOST_SHOWN);
    DraftPage {
        may: may(visit, &draft, &review),
        blockers: review.blockers.iter().map(|blocker| blocker_said(&page, blocker)).collect(),
        is_outdated: review.blockers.contains(&Blocker::Outdated) && draft.state.is_written_on(),
        errors: wrongs(&page, &review.errors),
        renews_itself: review.unchecked.is_empty() && !mutants.is_refused() && !reason.is_refused(),
        differences: review.differences.iter().map(|one| one.text.get(spoken).to_owned()).collect(),
        files: draft.files.iter().map(|file| file_line(&path, &file.path, file.clash.is_some())).collect(),
        more_cases: more(review.cases.len()),
        cases: review.cases.into_iter().take(MOST_SHOWN).map(|case| case_line(&page, case)).collect(),
        more_unchecked: more(review.unchecked.len()),
        unchecked: review.unchecked.into_iter().take(MOST_SHOWN).map(waiting).collect(),
        proof,
        more_missing: more(review.missing.len()),
        missing: wrongs(&page, &review.missing),
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

/// What became of the mutants; offers those that are alive to be accepted.
fn proved(visit: &Visit, page: &Page, draft: &Draft, review: &Review, mutants: &mut Form) -> Proof {
    let spoken = language(page);
    let judged = draft.judged.as_ref().filter(|judged| judged.release == review.proof);
    let alive: Vec<&Alive> = judged.map(|judged| draft.alive(judged).collect()).unwrap_or_default();
    let said_of = |alive: &Alive| match alive.said.get(spoken) {
        "" => alive.name.clone(),
        said => said.to_owned(),
    };
    mutants.offer("mutant", alive.iter().map(|alive| Choice::new(&alive.name, said_of(alive))).collect());
    let vocabulary = visit.app.policies.vocabulary();
    let case =
        |text: &String| waiting_line(page, String::new(), CaseSaid::of(text, vocabulary), text.clone());
    let shown = |alive: &&Alive| AliveLine {
        said: said_of(alive),
        case: alive.case.as_ref().map(case),
        raw: if page.is_chinese() { alive.zh.clone() } else { alive.en.clone() },
    };
    let accepted_said = |name: &str| {
        let found = draft.judged.iter().flat_map(|judged| &judged.alive).find(|alive| alive.name == name);
        found.map_or_else(|| name.to_owned(), said_of)
    };
    let accepted = draft.accepted.iter().map(|accepted| {
        (accepted_said(&accepted.mutant), format!("{} ({})", accepted.reason, accepted.name))
    });
    let judging = draft.judging.filter(|judging| judging.is_under_way(visit.app.clock.now()));
    Proof {
        judging: judging.map(|judging| {
            let percent = (judging.done * 100).checked_div(judging.all).unwrap_or(0).clamp(0, 100);
            let (done, all) = (page.number(judging.done), page.number(judging.all));
            (percent, page.say2("what_if.draft.judging", "done", done, "all", all))
        }),
        judged: judged.map(|judged| {
            page.say2("what_if.draft.judged", "noticed", judged.noticed, "alive", judged.alive.len())
        }),
        more_alive: alive.len().saturating_sub(MOST_SHOWN),
        has_cases_to_add: alive.iter().any(|alive| alive.case.is_some()),
        alive: alive.iter().take(MOST_SHOWN).map(shown).collect(),
        accepted: accepted.collect(),
    }
}

fn may(visit: &Visit, draft: &Draft, review: &Review) -> May {
    let edits = reach(&visit.actor, Purpose::EditPolicy).is_some();
    let is_author = draft.is_of(visit.actor.account.uuid());
    let is_submitted = draft.state == DraftState::Submitted;
    let is_whole =
        edits && draft.state.is_written_on() && review.release.is_some() && !draft.files.is_empty();
    May {
        write: edits && draft.state.is_written_on(),
        try_it: is_whole,
        judge: is_whole && review.cases.is_empty(),
        submit: edits && draft.state.is_written_on() && review.blockers.is_empty(),
        withdraw: edits && (draft.state.is_written_on() || is_submitted),
        reopen: edits && (draft.state == DraftState::Withdrawn || is_submitted),
        decide: is_submitted && !is_author,
        is_author: is_submitted && is_author,
    }
}

fn file_line(draft: &str, path: &str, clashes: bool) -> FileLine {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("path", path).finish();
    FileLine { path: path.to_owned(), edit: format!("{draft}/file?{query}"), clashes }
}

fn case_line(page: &Page, case: ChangedCase) -> CaseLine {
    let spoken = language(page);
    let row = |row: &CaseDifference| DifferenceLine {
        day: row.day.map(|day| day.to_string()).unwrap_or_default(),
        given: row.given.get(spoken).to_owned(),
        what: row.what.get(spoken).to_owned(),
        expected: row.expected.get(spoken).to_owned(),
        found: row.found.get(spoken).to_owned(),
    };
    CaseLine { rows: case.rows.iter().take(MOST_SHOWN).map(row).collect(), case }
}

fn waiting_line(page: &Page, id: String, said: Option<CaseSaid>, text: String) -> WaitingLine {
    let spoken = language(page);
    let Some(said) = said else {
        return WaitingLine { name: id.clone(), id, days: String::new(), rows: Vec::new(), text };
    };
    let rows = said.rows.iter().map(|row| {
        let [given, expect] = row;
        (given.get(spoken).to_owned(), expect.get(spoken).to_owned())
    });
    WaitingLine {
        name: said.name.strip_prefix(UNCHECKED).unwrap_or(&said.name).to_owned(),
        days: said.days.join(if page.is_chinese() { "、" } else { ", " }),
        rows: rows.collect(),
        id,
        text,
    }
}

/// What the loader says, in words and as it says it.
pub(super) fn wrongs(page: &Page, errors: &[PackError]) -> Vec<Wrong> {
    let spoken = language(page);
    let wrong = |error: &PackError| Wrong {
        said: page.say(
            "what_if.draft.wrong_at",
            &[
                ("file", &error.path),
                ("line", &error.line),
                ("problem", &error.problem(spoken)),
                ("mend", &error.advice(spoken)),
            ],
        ),
        raw: error.render(spoken),
    };
    errors.iter().take(MOST_SHOWN).map(wrong).collect()
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

/// The latest run over last year's bills, if the actor may see it.
pub(super) async fn latest_run(visit: &Visit, draft: &Draft) -> Result<Option<RunRow>, Failure> {
    let (Some(id), Some(within)) = (draft.run, reach(&visit.actor, Purpose::TryPolicy)) else {
        return Ok(None);
    };
    let now = visit.app.clock.now();
    let found = visit.app.database.read(move |tx| store::run_row(tx, &within, id, now)).await;
    Ok(found.map_err(|error: DatabaseError| error)?)
}

/// The latest run in its main figures.
async fn effect(visit: &Visit, draft: &Draft, review: &Review) -> Result<Option<Effect>, Failure> {
    let Some(run) = latest_run(visit, draft).await? else { return Ok(None) };
    let (state, tone) = run_word(run.state);
    Ok(Some(Effect {
        path: format!("/what-if/{}", run.id),
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
