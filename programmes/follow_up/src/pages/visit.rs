//! The page of one visit: what it came to, what follows and by when. Taking back; and that nobody was seen.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use kangmai_access::{Purpose, reach};
use kangmai_base::Uuid;
use kangmai_policy::follow_up::{FollowUpRules, sheet};
use kangmai_programme::Visit;
use kangmai_web::{Failure, Flash, FormBody, Page, show, show_refused};

use super::sheet::{Known, NOT_SEEN, known, not_seen_page};
use super::{note, transact};
use crate::chart;
use crate::facts::{Grade, Outcome as NotSeen};
use crate::rules::Who;
use crate::sentences::{Names, Outcome, answer, outcome, said};

#[derive(Template)]
#[template(path = "follow_up_visit.html")]
struct VisitPage {
    page: Page,
    line: String,
    outcomes: Vec<Outcome>,
    answers: Vec<(String, String)>,
    agreed: Option<String>,
    note: String,
    opinion: Option<String>,
    corrected: Option<String>,
    correct: Option<String>,
    undo: Option<String>,
    prints: Vec<(String, String)>,
    next: Option<String>,
    /// Where somebody whom the visit found to be referred is referred.
    refer: Option<String>,
}

/// GET `/people/{id}/visits/{visit}`.
pub(crate) async fn page(visit: Visit, Path((id, which)): Path<(Uuid, Uuid)>) -> Result<Response, Failure> {
    let known = known(&visit, id).await?;
    let found = seen(&known, which)?;
    note(&visit, id, known.person.home).await?;
    show(&page_of(&visit, &known, found))
}

/// The visit, as far as the reader may see it.
pub(super) fn seen(known: &Known, which: Uuid) -> Result<&chart::Visit, Failure> {
    let found = known.chart.visit(which).filter(|found| !found.body.sensitive || known.may_name);
    found.ok_or(Failure::NotFound)
}

fn page_of(visit: &Visit, known: &Known, found: &chart::Visit) -> VisitPage {
    let (body, id) = (&found.body, known.person.id);
    let page = visit.page.clone().titled("follow_up.visit");
    let page = page.under(known.person.body.name.clone(), format!("/people/{id}"));
    let title = page.say2("follow_up.visit.of", "name", &known.person.body.name, "day", page.day(body.on));
    let page = Page { title, ..page };
    let names = Names { release: &visit.app.policies, home: known.person.home, on: body.on };
    let who = Who { birth: known.person.body.birth, sex: known.person.body.sex };
    let outcomes: Vec<Outcome> = body
        .found
        .iter()
        .map(|one| {
            let mut before = known.chart.found_in(&one.programme, Some(body.on)).map(|(_, before)| before);
            let last = before.find_map(|before| before.state.as_deref());
            outcome(&page, &names, (body, one, last), &who, visit.today)
        })
        .collect();
    let rules: Vec<&FollowUpRules> =
        body.found.iter().filter_map(|one| names.rules(&one.programme)).collect();
    let asks = sheet(rules.iter().copied());
    let answers = asks.iter().filter_map(|ask| {
        let written = body.answers.get(&ask.item.id)?;
        Some((said(&page, &ask.item.name).to_owned(), answer(&page, &ask.item, written)))
    });
    let may_write = known.may_write;
    let is_own = found.author == visit.actor.account.uuid() && found.recorded_on == visit.today;
    let path = format!("/people/{id}/visits/{}", body.visit);
    let print = |one: &&FollowUpRules| {
        (
            page.say1("follow_up.print", "name", said(&page, &one.short)),
            format!("{path}/print/{}", one.programme),
        )
    };
    let way = page.word(&format!("follow_up.way.{}", body.way.key())).into_owned();
    VisitPage {
        line: page
            .say("follow_up.visit.line", &[("day", &page.day(body.on)), ("way", &way), ("by", &body.by)]),
        outcomes,
        answers: answers.collect(),
        agreed: body.agreed_on.map(|day| page.day(day)),
        note: body.note.clone(),
        opinion: body.opinion.as_ref().map(|one| {
            let said = page.word(&format!("follow_up.opinion.{}", one.satisfied.key())).into_owned();
            if one.why.is_empty() { said } else { format!("{said} · {}", one.why) }
        }),
        corrected: found.is_corrected.then(|| page.say1("follow_up.corrected.why", "reason", &body.reason)),
        correct: may_write.then(|| format!("{path}/correct")),
        undo: (may_write && is_own).then(|| format!("/people/{id}/follow-up/{}/undo", found.fact)),
        prints: rules.iter().filter(|one| super::print::has_form(&one.programme)).map(print).collect(),
        next: may_write.then(|| "/follow-up".to_owned()),
        refer: may_refer(visit, known, found)
            .then(|| format!("/people/{id}/referrals/up?visit={}", body.visit)),
        page,
    }
}

/// Whether the visit came to a referral, and who reads it may make one.
fn may_refer(visit: &Visit, known: &Known, found: &chart::Visit) -> bool {
    let is_to_refer = found.body.found.iter().any(|one| one.grade >= Grade::Refer);
    is_to_refer && known.may_write && reach(&visit.actor, Purpose::KeepReferrals).is_some()
}

/// POST `/people/{id}/follow-up/{fact}/undo`: who wrote it takes it back on the same day.
pub(crate) async fn undo(visit: Visit, Path((id, fact)): Path<(Uuid, Uuid)>) -> Result<Response, Failure> {
    let to = format!("/people/{id}");
    Ok(match transact(&visit, id, move |writing, _, hand| writing.undo(hand, fact)).await? {
        Ok(_) => Flash::good(visit.page.word("follow_up.undone")).then_go_to(&to),
        Err(refusal) => Flash::warning(visit.page.refusal(&refusal)).then_go_to(&to),
    })
}

/// POST `/people/{id}/missed`: nobody was seen, and why.
pub(crate) async fn missed(visit: Visit, Path(id): Path<Uuid>, body: FormBody) -> Result<Response, Failure> {
    let known = known(&visit, id).await?;
    let outcome = NotSeen::of_key(body.act());
    let mut form = body.form(NOT_SEEN);
    let (on, again_on) = (form.day("missed_on"), form.day("again_on"));
    let Some(outcome) = outcome else { return Err(Failure::NotFound) };
    if let Some(on) = on.filter(|_| !form.is_refused()) {
        let done = transact(&visit, id, move |writing, ill, hand| {
            writing.enrol_who_belongs(hand, ill, on.min(hand.now.day()))?;
            writing.missed(hand, outcome, (on, again_on))
        });
        match done.await? {
            Ok(fact) => {
                let word = format!("follow_up.outcome.{}", outcome.key());
                let mut said = visit.page.say1("follow_up.missed", "why", visit.page.word(&word));
                if outcome == NotSeen::Died {
                    said.push_str(&visit.page.word("follow_up.missed.died"));
                }
                let undo = format!("/people/{id}/follow-up/{fact}/undo");
                return Ok(Flash::good(said).undo(undo).then_go_to(&format!("/people/{id}")));
            }
            Err(refusal) => form.refuse(refusal),
        }
    }
    show_refused(&not_seen_page(&visit, &known, form))
}
