//! One hand-over: who, from where to where, since when; its answer and its end.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use kangmai_access::{Purpose, audit, reach};
use kangmai_base::{Id, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::{Person, find_person};
use kangmai_programme::Visit;
use kangmai_web::{Choice, Failure, Field, Flash, Form, FormBody, Page, show, show_refused};

use super::ask::hand_of;
use super::{mark, whole_name};
use crate::act::{self, Answer};
use crate::facts::{EndReason, Side};
use crate::rules::{HandOver, LONGEST_NOTE, State, may_answer, may_end};
use crate::store;

const ACCEPT: &[Field] = &[Field::day("from_on", "residence.field.from_on")];
const REFUSE: &[Field] = &[Field::text("reason", "residence.field.reason").at_most(LONGEST_NOTE)];
const END: &[Field] = &[
    Field::radios("why", "residence.field.why"),
    Field::text("note", "residence.field.end_note").at_most(LONGEST_NOTE).optional(),
];

/// What may be done with it.
struct Forms {
    accept: Option<Form>,
    refuse: Option<Form>,
    end: Option<Form>,
    may_withdraw: bool,
}

#[derive(Template)]
#[template(path = "residence_one.html")]
struct OnePage {
    page: Page,
    path: String,
    tone: &'static str,
    mark: String,
    says: String,
    pairs: Vec<(String, String)>,
    person: Option<String>,
    month: Option<String>,
    forms: Forms,
}

/// The person and the hand-over, where one of its places lies within reach.
async fn known(visit: &Visit, id: Uuid) -> Result<(Person, HandOver), Failure> {
    let within = visit.reach.clone();
    let read = move |tx: &mut Transaction<'_>| {
        let Some(person) = store::person_of(tx, &within, id)? else { return Ok(None) };
        let Some(found) = find_person(tx, Id::from_uuid(person))? else { return Ok(None) };
        let one = store::of_person(tx, person)?.into_iter().find(|one| one.id() == id);
        Ok::<_, DatabaseError>(one.map(|one| (found, one)))
    };
    visit.app.database.read(read).await?.ok_or(Failure::NotFound)
}

/// GET `/residence/{hand_over}`.
pub(crate) async fn page(visit: Visit, Path(id): Path<Uuid>) -> Result<Response, Failure> {
    let (person, one) = known(&visit, id).await?;
    let (minted, now, actor) = (visit.app.mint(), visit.app.clock.now(), visit.actor.clone());
    let (whom, home) = (person.id.uuid(), person.home);
    let write = move |tx: &mut Transaction<'_>| {
        audit(tx, minted, now, &actor, "read_person", Some(whom), home, "", "done")
    };
    visit.app.database.write(write).await?;
    show(&page_of(&visit, (&person, &one), None))
}

/// A form that was sent and refused.
enum Sent {
    Accept(Form),
    Refuse(Form),
    End(Form),
}

fn forms(visit: &Visit, page: &Page, one: &HandOver, sent: Option<Sent>) -> Forms {
    let keeps = reach(&visit.actor, Purpose::KeepHandOvers);
    let place = keeps.map(|keeps| keeps.place());
    let answers = place.is_some_and(|place| may_answer(one, place, visit.today).is_ok());
    let ends = |why| place.is_some_and(|place| may_end(one, place, why, visit.today).is_ok());
    let (mut accept, mut refuse, mut end) = (Form::blank(ACCEPT), Form::blank(REFUSE), Form::blank(END));
    accept.fill("from_on", visit.today);
    match sent {
        Some(Sent::Accept(form)) => accept = form,
        Some(Sent::Refuse(form)) => refuse = form,
        Some(Sent::End(form)) => end = form,
        None => {}
    }
    offer(page, &mut end);
    Forms {
        accept: answers.then_some(accept),
        refuse: answers.then_some(refuse),
        end: ends(EndReason::Other).then_some(end),
        may_withdraw: ends(EndReason::Withdrawn),
    }
}

fn offer(page: &Page, end: &mut Form) {
    let choice = |why: EndReason| Choice::new(why.key(), page.word(&format!("residence.end.{}", why.key())));
    end.offer("why", EndReason::OFFERED.map(choice).to_vec());
}

fn page_of(visit: &Visit, (person, one): (&Person, &HandOver), sent: Option<Sent>) -> OnePage {
    let page = visit.page.clone().titled("residence.one");
    let page = page.under(visit.page.word("residence.title").into_owned(), "/residence");
    let title = page.say1("residence.one.of", "name", &person.body.name);
    let state = one.state(visit.today);
    let (tone, word) = mark(state);
    let serves = state == State::InForce && visit.reach.covers(one.asked.living);
    let sees = visit.reach.covers(person.home) || serves;
    OnePage {
        path: format!("/residence/{}", one.id()),
        tone,
        mark: page.word(word).into_owned(),
        says: page.word(&format!("residence.says.{}", state.key())).into_owned(),
        pairs: pairs(visit, &page, person, one),
        person: sees.then(|| format!("/people/{}", person.id)),
        month: one.from_on().map(|_| {
            let side = if visit.reach.covers(one.home) { Side::Home } else { Side::Living };
            format!("/residence/month?side={}", side.key())
        }),
        forms: forms(visit, &page, one, sent),
        page: Page { title, ..page },
    }
}

fn pairs(visit: &Visit, page: &Page, person: &Person, one: &HandOver) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut pair = |word: &str, text: String| {
        if !text.is_empty() {
            pairs.push((page.word(word).into_owned(), text));
        }
    };
    let age = person.age_on(visit.today).map(|age| page.count("residence.age", age));
    pair("residence.pair.age", age.unwrap_or_default());
    pair("residence.pair.home", whole_name(one.home));
    pair("residence.pair.living", whole_name(one.asked.living));
    let asked = format!("residence.asked_by.{}", one.asked.side.key());
    let asked = page.say1(&asked, "day", page.day(one.asked.on));
    pair("residence.pair.asked", format!("{asked} {}", one.asked.by));
    pair("residence.pair.note", one.asked.note.clone());
    if let Some(answered) = &one.answered {
        let text = match answered.from_on {
            Some(from) => page.say1("residence.accepted_from", "day", page.day(from)),
            None => page.say1("residence.refused_for", "reason", &answered.reason),
        };
        pair("residence.pair.answered", format!("{text} · {} {}", page.day(answered.on), answered.by));
    }
    if let Some((on, why)) = one.ended {
        let why = page.word(&format!("residence.end.{}", why.key())).into_owned();
        let (note, by) = one.ending.as_ref().map_or(("", ""), |ended| (&*ended.note, &*ended.by));
        let parts = [page.day(on), why, note.to_owned(), by.to_owned()];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        pair("residence.pair.ended", parts.join(" "));
    }
    pairs
}

/// POST `/residence/{hand_over}/answer`.
pub(crate) async fn answer(visit: Visit, Path(id): Path<Uuid>, body: FormBody) -> Result<Response, Failure> {
    let (person, one) = known(&visit, id).await?;
    let accepts = body.act() == "accept";
    let mut form = body.form(if accepts { ACCEPT } else { REFUSE });
    let answer = if accepts {
        form.day("from_on").map(Answer::Accept)
    } else {
        form.text("reason").map(Answer::Refuse)
    };
    if let Some(answer) = answer.filter(|_| !form.is_refused()) {
        match written(&visit, &person, id, move |tx, app, hand, whom| {
            act::answer(tx, app, hand, whom, answer)
        })
        .await?
        {
            Ok(()) => {
                let word = if accepts { "residence.accepted" } else { "residence.refused_now" };
                return Ok(Flash::good(visit.page.word(word)).then_go_to(&format!("/residence/{id}")));
            }
            Err(refusal) => form.refuse(refusal),
        }
    }
    let sent = if accepts { Sent::Accept(form) } else { Sent::Refuse(form) };
    refused(&visit, (&person, &one), sent)
}

/// POST `/residence/{hand_over}/end`: ended, or the question taken back.
pub(crate) async fn end(visit: Visit, Path(id): Path<Uuid>, body: FormBody) -> Result<Response, Failure> {
    let (person, one) = known(&visit, id).await?;
    let withdraws = body.act() == "withdraw";
    let mut form = body.form(END);
    offer(&visit.page, &mut form);
    let note = form.text("note").unwrap_or_default();
    let why = if withdraws {
        Some(EndReason::Withdrawn)
    } else {
        form.choice("why").as_deref().and_then(EndReason::of_key)
    };
    if let Some(why) = why.filter(|_| !form.is_refused()) {
        match written(&visit, &person, id, move |tx, app, hand, whom| {
            act::end(tx, app, hand, whom, (why, note))
        })
        .await?
        {
            Ok(()) => {
                let word = if withdraws { "residence.withdrawn_now" } else { "residence.ended_now" };
                return Ok(Flash::good(visit.page.word(word)).then_go_to(&format!("/residence/{id}")));
            }
            Err(refusal) => form.refuse(refusal),
        }
    }
    refused(&visit, (&person, &one), Sent::End(form))
}

/// The page again with what is wrong; where its form is not there any more, what happened meanwhile.
fn refused(visit: &Visit, (person, one): (&Person, &HandOver), sent: Sent) -> Result<Response, Failure> {
    let (Sent::Accept(form) | Sent::Refuse(form) | Sent::End(form)) = &sent;
    let said = form.errors().first().map(|refusal| visit.page.refusal(refusal));
    let page = page_of(visit, (person, one), None).forms;
    let is_there = match &sent {
        Sent::Accept(_) | Sent::Refuse(_) => page.accept.is_some(),
        Sent::End(_) => page.end.is_some(),
    };
    match said.filter(|_| !is_there) {
        Some(said) => Ok(Flash::warning(said).then_go_to(&format!("/residence/{}", one.id()))),
        None => show_refused(&page_of(visit, (person, one), Some(sent))),
    }
}

/// Decides and writes in one transaction, on what is known of the hand-over by then.
async fn written(
    visit: &Visit,
    person: &Person,
    id: Uuid,
    work: impl FnOnce(
        &mut Transaction<'_>,
        &kangmai_programme::App,
        &act::Hand,
        (Uuid, &HandOver),
    ) -> Result<Result<(), Refusal>, DatabaseError>
    + Send
    + 'static,
) -> Result<Result<(), Refusal>, Failure> {
    let (app, hand, person) = (visit.app.clone(), hand_of(visit), person.id.uuid());
    let done = visit.app.database.write(move |tx| {
        tx.lock("residence.hand_over")?;
        let one = store::of_person(tx, person)?.into_iter().find(|one| one.id() == id);
        let Some(one) = one else { return Ok(None) };
        work(tx, &app, &hand, (person, &one)).map(Some)
    });
    done.await?.ok_or(Failure::NotFound)
}
