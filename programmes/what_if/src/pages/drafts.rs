//! Drafts of a new release: the list, what stands on all of their pages, and what their pages do in common.

mod acts;
mod decide;
mod edit;
mod one;
mod releases;
mod start;

use std::sync::Arc;

use kangmai_base::{Id, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_programme::Visit;
use kangmai_web::{Failure, Page, go_to};

pub(crate) use acts::act;
pub(crate) use decide::decide;
pub(crate) use edit::{choose_figure, edit_file, take_figure, take_file};
pub(crate) use one::show_draft;
pub(crate) use releases::{show_release, show_releases};
pub(crate) use start::{begin_draft, show_drafts};

use super::noted;
use crate::draft::{Draft, DraftState, Review, Today};
use crate::judging;
use crate::store::draft::{self as store, Deed};

/// The address of a draft.
fn path_of(id: Uuid) -> String {
    format!("/policy-drafts/{id}")
}

fn today_of(visit: &Visit) -> Today {
    Today {
        shipped: Arc::clone(&visit.app.shipped),
        in_force: Arc::clone(&visit.app.policies),
        newest: visit.app.publication,
    }
}

/// The draft in an address, if it is within reach.
async fn draft_in(visit: &Visit, path: &str) -> Result<Draft, Failure> {
    let id = path.parse::<Id<()>>().map(Id::uuid).map_err(|_| Failure::NotFound)?;
    let reach = visit.reach.clone();
    let found = visit.app.database.read(move |tx| store::draft(tx, &reach, id)).await;
    found.map_err(|error: DatabaseError| error)?.ok_or(Failure::NotFound)
}

/// All that is to be known of it, worked out beside the requests.
async fn reviewed(visit: &Visit, draft: &Draft) -> Result<Review, Failure> {
    let (today, draft) = (today_of(visit), draft.clone());
    tokio::task::spawn_blocking(move || draft.review(&today)).await.map_err(Failure::internal)
}

/// Does something to a draft that is written on, notes it, and goes back to its page.
async fn done(visit: &Visit, draft: &Draft, deed: Deed) -> Result<axum::response::Response, Failure> {
    if !draft.state.is_written_on() && !matches!(deed.act, "withdrawn" | "reopened") {
        return Err(Failure::Refused(Refusal::new("what_if.draft.not_open")));
    }
    // One that was sent back is taken up again by writing on it.
    let state = deed.state.or((draft.state == DraftState::Rejected).then_some(DraftState::Open));
    write(visit, draft, Deed { state, ..deed }).await?;
    Ok(go_to(&path_of(draft.id)))
}

/// Writes a deed, unless somebody else was faster.
async fn write(visit: &Visit, draft: &Draft, deed: Deed) -> Result<(), Failure> {
    let (act, place) = (deed.act, draft.place);
    let said = format!("{} {act} {}", draft.title, deed.reason);
    let (now, actor, whose) = (visit.app.clock.now(), visit.actor.clone(), draft.clone());
    let note = noted(visit, "policy_draft", place, said);
    let after = draft.after(&deed.files, &deed.dropped);
    let is_judged = after.is_judged(&today_of(visit)) || after.files == draft.files;
    let work = move |tx: &mut Transaction<'_>| {
        if !store::act_on(tx, &whose, &actor, &deed, now)? {
            return Ok(false);
        }
        note(tx).map(|()| true)
    };
    if !visit.app.database.write(work).await.map_err(|error: DatabaseError| error)? {
        return Err(Failure::Refused(Refusal::new("what_if.draft.stale")));
    }
    if !is_judged {
        // What was judged said something else. If too many wait, the button is there.
        judging::begin(&visit.app, &visit.reach, draft.id).await?;
    }
    Ok(())
}

/// State of a draft: key of its word, and tone.
const fn state_word(state: DraftState) -> (&'static str, &'static str) {
    match state {
        DraftState::Open => ("what_if.draft.state.open", "plain"),
        DraftState::Submitted => ("what_if.draft.state.submitted", "warning"),
        DraftState::Rejected => ("what_if.draft.state.rejected", "danger"),
        DraftState::Published => ("what_if.draft.state.published", "good"),
        DraftState::Withdrawn => ("what_if.draft.state.withdrawn", "plain"),
    }
}

/// What was done with a draft: key of its word.
fn act_word(act: &str) -> &'static str {
    match act {
        "begun" => "what_if.draft.act.begun",
        "figure" => "what_if.draft.act.figure",
        "file" => "what_if.draft.act.file",
        "dropped" => "what_if.draft.act.dropped",
        "case_accepted" => "what_if.draft.act.case_accepted",
        "cases_added" => "what_if.draft.act.cases_added",
        "case_checked" => "what_if.draft.act.case_checked",
        "mutant_accepted" => "what_if.draft.act.mutant_accepted",
        "rebased" => "what_if.draft.act.rebased",
        "decided" => "what_if.draft.act.decided",
        "submitted" => "what_if.draft.act.submitted",
        "withdrawn" => "what_if.draft.act.withdrawn",
        "reopened" => "what_if.draft.act.reopened",
        "rejected" => "what_if.draft.act.rejected",
        _ => "what_if.draft.act.published",
    }
}

/// A page under the list of drafts.
fn framed(visit: &Visit, key: &'static str) -> Page {
    let list = visit.page.word("what_if.drafts.title").into_owned();
    visit.page.clone().under(list, "/policy-drafts").titled(key)
}
