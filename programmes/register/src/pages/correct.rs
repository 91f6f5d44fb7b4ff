//! `/people/{id}/correct`: what somebody who keeps the register puts right by hand. The record keeps what it was.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use kangmai_base::{Day, DivisionCode, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::{Enrolment, Label, Person, PersonBody, PersonId, find_person};
use kangmai_places::{Divisions, Resolved};
use kangmai_programme::Visit;
use kangmai_record::{NewFact, Source, Subject};
use kangmai_web::{Choice, Failure, Field, Flash, Form, FormBody, Page, show, show_refused};

use crate::facts::PERSON;
use crate::pages::{full_place, masked_number};
use crate::rules::{self, Correction, PhoneChange};

const FIELDS: &[Field] = &[
    Field::phone("phone", "register.correct.phone").optional(),
    Field::tick("phone_gone", "register.correct.phone_gone"),
    Field::text("living", "register.correct.living").optional(),
    Field::select("enrolment", "register.correct.enrolment").optional(),
    Field::select("label", "register.correct.label").optional(),
    Field::day("label_to", "register.correct.label_to").optional(),
    Field::tick("looked_after", "register.correct.looked_after"),
];

#[derive(Template)]
#[template(path = "register_correct.html")]
struct CorrectPage {
    page: Page,
    form: Form,
    /// The number on record, masked, and that it stays.
    phone_kept: String,
    has_labels: bool,
    marks: Vec<String>,
    back: String,
}

/// GET.
pub(crate) async fn page(visit: Visit, Path(id): Path<Uuid>) -> Result<Response, Failure> {
    let person = find(&visit, id).await?;
    let mut form = Form::blank(FIELDS);
    let body = &person.body;
    form.fill("living", body.living.map(full_place).unwrap_or_default());
    form.fill("enrolment", body.enrolment.map_or("", Enrolment::key));
    show(&page_of(visit, &person, form))
}

/// POST.
pub(crate) async fn correct(visit: Visit, Path(id): Path<Uuid>, body: FormBody) -> Result<Response, Failure> {
    let person = find(&visit, id).await?;
    let mut form = body.form(FIELDS);
    offer(&visit.page, &person.body, &mut form);
    let correction = read(&visit, &mut form);
    if form.is_refused() {
        return show_refused(&page_of(visit, &person, form));
    }
    match write(&visit, PersonId::from_uuid(id), correction).await? {
        None => Err(Failure::NotFound),
        Some(Err(refusal)) => {
            form.refuse(refusal);
            show_refused(&page_of(visit, &person, form))
        }
        Some(Ok(changed)) => {
            let word = if changed { "register.correct.done" } else { "register.correct.same" };
            Ok(Flash::good(visit.page.word(word)).then_go_to(&format!("/people/{id}")))
        }
    }
}

async fn find(visit: &Visit, id: Uuid) -> Result<Person, Failure> {
    let found = visit.app.database.read(move |tx| find_person(tx, PersonId::from_uuid(id))).await?;
    found.filter(|person| visit.reach.covers(person.home)).ok_or(Failure::NotFound)
}

fn read(visit: &Visit, form: &mut Form) -> Correction {
    let living = form.text("living").and_then(|text| match division(&text, visit.reach.place()) {
        Ok(place) => Some(place),
        Err(refusal) => {
            form.refuse(refusal.at("living"));
            None
        }
    });
    let label = form.choice("label");
    let label_to = form.day("label_to");
    let ended = match (label.as_deref().and_then(open_label), label_to) {
        (Some((label, from)), Some(to)) => Some((label, from, to)),
        (Some(_), None) if form.error_at("label_to").is_none() => {
            form.refuse(Refusal::new("web.form.missing").at("label_to"));
            None
        }
        (None, Some(_)) if form.error_at("label").is_none() => {
            form.refuse(Refusal::new("web.form.choose").at("label"));
            None
        }
        _ => None,
    };
    Correction {
        phone: match (form.phone("phone"), form.tick("phone_gone")) {
            (Some(phone), _) => PhoneChange::To(phone),
            (None, true) => PhoneChange::Gone,
            (None, false) => PhoneChange::Kept,
        },
        living,
        enrolment: form.choice("enrolment").as_deref().and_then(Enrolment::of_key),
        ended,
        looked_after: form.tick("looked_after"),
    }
}

/// A division by its code or by names: first within the reader's place, then in the whole country.
fn division(text: &str, scope: DivisionCode) -> Result<DivisionCode, Refusal> {
    let divisions = Divisions::shipped();
    if let Ok(code) = text.parse::<DivisionCode>() {
        let known = divisions.has(code);
        return if known { Ok(code) } else { Err(Refusal::new("register.refused.no_place")) };
    }
    for scope in [scope, DivisionCode::COUNTRY] {
        match divisions.resolve(text, scope) {
            Resolved::One(division) => return Ok(division.code()),
            Resolved::Several(_) => return Err(Refusal::new("register.refused.several_places")),
            Resolved::Nothing { .. } => {}
        }
    }
    Err(Refusal::new("register.refused.no_place"))
}

/// `marginal 2024-01-01`, as the form offers it.
fn open_label(value: &str) -> Option<(Label, Option<Day>)> {
    let (label, from) = value.split_once(' ').unwrap_or((value, ""));
    Some((Label::of_key(label)?, from.parse().ok()))
}

fn offer(page: &Page, body: &PersonBody, form: &mut Form) {
    let enrolment = |it: Enrolment| Choice::new(it.key(), page.word(it.word()));
    form.offer("enrolment", Enrolment::ALL.into_iter().map(enrolment).collect());
    let open = body.labels.iter().filter(|label| label.to.is_none());
    let label = |interval: &kangmai_people::LabelInterval| {
        let from = interval.from.map(|from| from.to_string()).unwrap_or_default();
        let word = page.word(interval.label.word());
        let value = format!("{} {from}", interval.label.key());
        Choice::new(value.trim_end(), page.say2("register.label.since", "label", word, "from", from))
    };
    form.offer("label", open.map(label).collect());
}

fn page_of(visit: Visit, person: &Person, mut form: Form) -> CorrectPage {
    let back = format!("/people/{}", person.id);
    let mut page = visit.page.titled("register.correct").under(person.body.name.clone(), back.clone());
    page.lead = format!("{} {}", person.body.name, masked_number(person));
    offer(&page, &person.body, &mut form);
    CorrectPage {
        phone_kept: person.body.phone.as_ref().map_or_else(String::new, |phone| {
            page.say1("register.correct.phone_kept", "phone", phone.masked())
        }),
        has_labels: person.body.labels.iter().any(|label| label.to.is_none()),
        marks: person.body.marks.iter().map(|mark| page.word(mark.word()).into_owned()).collect(),
        page,
        form,
        back,
    }
}

/// What became of a correction: `None` if there is no such person for the reader, else a refusal or whether anything
/// is otherwise now.
type Corrected = Option<Result<bool, Refusal>>;

async fn write(visit: &Visit, id: PersonId, correction: Correction) -> Result<Corrected, DatabaseError> {
    let (reach, today, now) = (visit.reach.clone(), visit.today, visit.app.clock.now());
    let (fact_id, author, record) = (visit.app.mint(), visit.actor.account.uuid(), visit.app.record.clone());
    let work = move |tx: &mut Transaction<'_>| -> Result<Corrected, DatabaseError> {
        let Some(person) = find_person(tx, id)?.filter(|person| reach.covers(person.home)) else {
            return Ok(None);
        };
        let body = match rules::correct(&person.body, &correction, today) {
            Ok(body) if body == person.body => return Ok(Some(Ok(false))),
            Ok(body) => body,
            Err(refusal) => return Ok(Some(Err(refusal))),
        };
        let fact = NewFact {
            id: fact_id,
            kind: PERSON.to_owned(),
            subject: Subject::person(id.uuid()),
            occurred_at: now,
            recorded_at: now,
            place: person.home,
            author,
            source: Source::Typed,
            corrects: None,
            body: serde_json::to_string(&body).unwrap_or_default(),
        };
        record.keep(tx, now, vec![fact])?;
        Ok(Some(Ok(true)))
    };
    visit.app.database.write(work).await
}
