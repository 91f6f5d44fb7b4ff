//! A second person approves a draft, which makes it law, or sends it back.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::Path;
use axum::response::Response;
use kangmai_base::{Day, Refusal};
use kangmai_database::DatabaseError;
use kangmai_policy::{Difference, Release};
use kangmai_programme::{FileToPublish, NewPublication, Touches, Visit, publish};
use kangmai_web::{Failure, Flash, Form, FormBody, go_to, show_refused};

use super::one::{MUTANT, REASON, blocker_said, page};
use super::{draft_in, path_of, reviewed, write};
use crate::draft::{Draft, DraftState, Review};
use crate::pages::noted;
use crate::store::draft::{self as store, Deed};

/// POST `/policy-drafts/{id}/decision`.
pub(crate) async fn decide(
    visit: Visit,
    Path(id): Path<String>,
    body: FormBody,
) -> Result<Response, Failure> {
    let draft = draft_in(&visit, &id).await?;
    let refused = |key: &'static str| Err(Failure::Refused(Refusal::new(key)));
    if draft.state != DraftState::Submitted {
        return refused("what_if.draft.not_submitted");
    }
    if body.value("revision").parse() != Ok(draft.revision) {
        return refused("what_if.draft.stale");
    }
    if draft.is_of(visit.actor.account.uuid()) {
        return refused("what_if.draft.same_person");
    }
    match body.act() {
        "approve" => approve(&visit, &draft).await,
        "reject" => {
            let mut form = body.form(REASON);
            let Some(reason) = form.text("reason") else {
                return show_refused(&page(&visit, draft, (Form::blank(MUTANT), form)).await?);
            };
            let deed = Deed { act: "rejected", reason, state: Some(DraftState::Rejected), ..Deed::default() };
            write(&visit, &draft, deed).await?;
            Ok(go_to(&path_of(draft.id)))
        }
        _ => Ok(go_to(&path_of(draft.id))),
    }
}

async fn approve(visit: &Visit, draft: &Draft) -> Result<Response, Failure> {
    let review = reviewed(visit, draft).await?;
    if let Some(blocker) = review.blockers.first() {
        // Since it was handed in somebody else has published, or the program was updated.
        return Ok(Flash::warning(blocker_said(&visit.page, blocker)).then_go_to(&path_of(draft.id)));
    }
    let release = review.release.clone().ok_or(Failure::NotFound)?;
    let new = to_publish(visit, draft, &review, release);
    let number = new.after + 1;
    let (actor, now, whose) = (visit.actor.clone(), visit.app.clock.now(), draft.clone());
    let note = noted(visit, "policy_publish", draft.place, format!("{number} {}", draft.title));
    let work = move |tx: &mut kangmai_database::Transaction<'_>| {
        let deed = Deed {
            act: "published",
            reason: number.to_string(),
            state: Some(DraftState::Published),
            publication: Some(number),
            ..Deed::default()
        };
        if !store::act_on(tx, &whose, &actor, &deed, now)? {
            return Ok(Published::Stale);
        }
        let author = whose.steps.first().map(|step| (step.account, step.name.clone())).unwrap_or_default();
        let approver = (actor.account.uuid(), actor.name.as_str());
        match publish(tx, &new, ((author.0, &author.1), approver), now)? {
            true => note(tx).map(|()| Published::Done),
            // What was written to the draft must not stay.
            false => Err(DatabaseError::Refused(OUTDATED.to_owned())),
        }
    };
    match visit.app.database.write(work).await {
        Ok(Published::Done) => {}
        Ok(Published::Stale) => return Err(Failure::Refused(Refusal::new("what_if.draft.stale"))),
        Err(DatabaseError::Refused(why)) if why == OUTDATED => {
            return Err(Failure::Refused(Refusal::new("what_if.draft.blocker.outdated")));
        }
        Err(error) => return Err(error.into()),
    }
    let app = visit.app.clone();
    let taken = tokio::task::spawn_blocking(move || app.take_up_law()).await.map_err(Failure::internal)?;
    taken.map_err(Failure::internal)?;
    Ok(Flash::good(visit.page.word("what_if.draft.published_now"))
        .then_go_to(&format!("/policies/releases/{number}")))
}

enum Published {
    Done,
    Stale,
}

const OUTDATED: &str = "another release was published meanwhile";

fn to_publish(visit: &Visit, draft: &Draft, review: &Review, release: Arc<Release>) -> NewPublication {
    let base = |path: &str| {
        let found = visit.app.shipped.files().iter().find(|(known, _)| known == path);
        found.map(|(_, text)| text.clone())
    };
    let file = |file: &crate::draft::DraftFile| FileToPublish {
        path: file.path.clone(),
        base: base(&file.path),
        text: file.text.clone(),
    };
    NewPublication {
        after: draft.made_from,
        release,
        made_from: visit.app.policies.hash().to_owned(),
        place: draft.place,
        title: draft.title.clone(),
        touches: touches(&review.differences),
        told: review.differences.iter().map(|one| one.text.clone()).collect(),
        files: draft.files.iter().map(file).collect(),
    }
}

/// Which bills may be settled otherwise.
fn touches(differences: &[Difference]) -> Touches {
    let law = differences.iter().filter(|one| one.is_law);
    let days: Option<BTreeSet<Day>> = law.map(|one| one.from).collect();
    match days.map(|days| days.into_iter().next()) {
        Some(Some(first)) => Touches::From(first),
        Some(None) => Touches::Nothing,
        None => Touches::Everything,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bills_are_touched_from_the_earliest_day_unless_something_holds_for_all_time() {
        let one = |is_law: bool, from: Option<i32>| Difference {
            path: String::new(),
            text: kangmai_policy::Bilingual::default(),
            is_law,
            from: from.map(Day),
        };
        for (differences, expected) in [
            (vec![], Touches::Nothing),
            (vec![one(false, None)], Touches::Nothing),
            (vec![one(true, Some(9)), one(true, Some(4)), one(false, None)], Touches::From(Day(4))),
            (vec![one(true, Some(9)), one(true, None)], Touches::Everything),
        ] {
            assert_eq!(touches(&differences), expected);
        }
    }
}
