//! `/people/{id}/consents`: that something is handed to somebody else. Each names one recipient and one use (个人信息保护法
//! art. 23), ends by itself, and can be withdrawn at any time (art. 15); the restricted copy is made by one and by none else.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use kangmai_base::{Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::{Person, PersonId, find_person};
use kangmai_programme::Visit;
use kangmai_record::{NewFact, Source, Subject, facts_of_kind};
use kangmai_web::{Choice, Failure, Field, Flash, Form, FormBody, Page, show, show_refused};
use serde::Serialize;

use crate::pages::masked_number;
use crate::pages::rights::{person_of, under_rights};
use crate::rights::{
    CONSENT_GIVEN, CONSENT_WITHDRAWN, Consent, ConsentGiven, ConsentWithdrawn, LONGEST_NAME, LONGEST_TEXT,
    Speaker, check_speaker, consents,
};

const FIELDS: &[Field] = &[
    Field::text("recipient", "register.consent.recipient").at_most(LONGEST_NAME),
    Field::area("used_for", "register.consent.used_for").at_most(LONGEST_TEXT),
    Field::day("until", "register.consent.until"),
    Field::radios("speaker", "register.speaker"),
    Field::text("speaker_name", "register.speaker.name").at_most(LONGEST_NAME).optional(),
    Field::area("paper", "register.consent.paper").at_most(LONGEST_TEXT),
];
const WITHDRAW: &[Field] = &[Field::radios("speaker", "register.consent.who_withdraws")];

/// A fact about a person, typed now by who asks.
pub(super) fn typed<B: Serialize>(
    visit: &Visit,
    kind: &str,
    person: &Person,
    body: &B,
) -> Result<NewFact, Failure> {
    let now = visit.app.clock.now();
    Ok(NewFact {
        id: visit.app.mint(),
        kind: kind.to_owned(),
        subject: Subject::person(person.id.uuid()),
        occurred_at: now,
        recorded_at: now,
        place: person.home,
        author: visit.actor.account.uuid(),
        source: Source::Typed,
        corrects: None,
        body: serde_json::to_string(body).map_err(Failure::internal)?,
    })
}

/// Who may speak for a person, as choices.
pub(super) fn offer_speakers(page: &Page, form: &mut Form) {
    let choice = |speaker: Speaker| Choice::new(speaker.key(), page.word(speaker.word()));
    form.offer("speaker", Speaker::ALL.map(choice).to_vec());
}

/// Reads who speaks, and refuses who may not.
pub(super) fn read_speaker(
    visit: &Visit,
    person: &Person,
    form: &mut Form,
) -> Option<(Speaker, Option<String>)> {
    let speaker = form.choice("speaker").as_deref().and_then(Speaker::of_key);
    let name = form.text("speaker_name");
    let speaker = speaker?;
    let about = (person.age_on(visit.today), person.body.died_on.is_some());
    match check_speaker(speaker, name.as_deref(), about) {
        Ok(()) => Some((speaker, name.filter(|_| speaker != Speaker::Person))),
        Err(refusal) => {
            form.refuse(refusal);
            None
        }
    }
}

/// The consents of a person, the latest first.
pub(super) fn read_consents(tx: &mut Transaction<'_>, person: Uuid) -> Result<Vec<Consent>, DatabaseError> {
    consents(&facts_of_kind(tx, person, CONSENT_GIVEN)?, &facts_of_kind(tx, person, CONSENT_WITHDRAWN)?)
}

/// A person within reach with one of their consents.
pub(super) async fn consent_of(visit: &Visit, person: Uuid, id: Uuid) -> Result<(Person, Consent), Failure> {
    let within = visit.reach.clone();
    let read = move |tx: &mut Transaction<'_>| {
        let found = find_person(tx, PersonId::from_uuid(person))?;
        let Some(found) = found.filter(|found| within.covers(found.home)) else { return Ok(None) };
        let consent = read_consents(tx, person)?.into_iter().find(|consent| consent.id == id);
        Ok::<_, DatabaseError>(consent.map(|consent| (found, consent)))
    };
    visit.app.database.read(read).await?.ok_or(Failure::NotFound)
}

#[derive(Template)]
#[template(path = "register_consent_form.html")]
struct ConsentForm {
    page: Page,
    form: Form,
    back: String,
}

fn form_page(visit: &Visit, person: &Person, mut form: Form) -> ConsentForm {
    offer_speakers(&visit.page, &mut form);
    let mut page = under_rights(visit.page.clone(), person).titled("register.consent.new");
    page.lead = format!("{} {}", person.body.name, masked_number(person));
    ConsentForm { page, form, back: format!("/people/{}/rights", person.id) }
}

/// GET `/people/{id}/consents`: the form of a new one.
pub(crate) async fn blank(visit: Visit, Path(id): Path<Uuid>) -> Result<Response, Failure> {
    let person = person_of(&visit, id).await?;
    show(&form_page(&visit, &person, Form::blank(FIELDS)))
}

/// POST `/people/{id}/consents`.
pub(crate) async fn give(visit: Visit, Path(id): Path<Uuid>, body: FormBody) -> Result<Response, Failure> {
    let person = person_of(&visit, id).await?;
    let mut form = body.form(FIELDS);
    offer_speakers(&visit.page, &mut form);
    let (recipient, used_for, paper) = (form.text("recipient"), form.text("used_for"), form.text("paper"));
    let until = form.day("until");
    if until.is_some_and(|until| until < visit.today) {
        form.refuse(Refusal::new("register.refused.consent_over").at("until"));
    }
    let speaker = read_speaker(&visit, &person, &mut form);
    let (Some(recipient), Some(used_for), Some(paper), Some(until), Some((speaker, speaker_name)), false) =
        (recipient, used_for, paper, until, speaker, form.is_refused())
    else {
        return show_refused(&form_page(&visit, &person, form));
    };
    let body = ConsentGiven { recipient, used_for, until, speaker, speaker_name, paper };
    let fact = typed(&visit, CONSENT_GIVEN, &person, &body)?;
    let (path, now, record) =
        (format!("/people/{id}/consents/{}", fact.id), visit.app.clock.now(), visit.app.record.clone());
    visit.app.database.write(move |tx| record.keep(tx, now, vec![fact])).await?;
    Ok(Flash::good(visit.page.word("register.consent.given")).then_go_to(&path))
}

#[derive(Template)]
#[template(path = "register_consent.html")]
struct ConsentPage {
    page: Page,
    consent: Consent,
    state: (&'static str, &'static str),
    /// None: it is withdrawn or over.
    form: Option<Form>,
    copy: String,
    act: String,
    speaker: String,
}

fn one_page(visit: &Visit, person: &Person, consent: Consent, form: Form) -> ConsentPage {
    let holds = consent.holds_on(visit.today);
    let mut page = under_rights(visit.page.clone(), person).titled("register.consent.title");
    page.lead = format!("{} {}", person.body.name, masked_number(person));
    let form = holds.then(|| {
        let mut form = form;
        offer_speakers(&page, &mut form);
        form
    });
    let said = page.word(consent.body.speaker.word());
    let speaker = match &consent.body.speaker_name {
        Some(name) => page.say2("register.speaker.named", "speaker", said, "name", name),
        None => said.into_owned(),
    };
    let act = format!("/people/{}/consents/{}/withdraw", person.id, consent.id);
    let copy = format!("/people/{}/copy/restricted/{}", person.id, consent.id);
    ConsentPage { state: consent.state(visit.today), consent, form, copy, act, speaker, page }
}

/// GET `/people/{id}/consents/{consent}`.
pub(crate) async fn one(visit: Visit, Path((id, consent)): Path<(Uuid, Uuid)>) -> Result<Response, Failure> {
    let (person, consent) = consent_of(&visit, id, consent).await?;
    show(&one_page(&visit, &person, consent, Form::blank(WITHDRAW)))
}

/// POST `/people/{id}/consents/{consent}/withdraw`: from now on nothing is handed over by it. What was handed over before stays
/// so (art. 15).
pub(crate) async fn withdraw(
    visit: Visit,
    Path((id, consent)): Path<(Uuid, Uuid)>,
    body: FormBody,
) -> Result<Response, Failure> {
    let (person, consent) = consent_of(&visit, id, consent).await?;
    let path = format!("/people/{id}/consents/{}", consent.id);
    if !consent.holds_on(visit.today) {
        return Ok(Flash::warning(visit.page.word("register.consent.holds_no_more")).then_go_to(&path));
    }
    let mut form = body.form(WITHDRAW);
    offer_speakers(&visit.page, &mut form);
    let Some(speaker) = form.choice("speaker").as_deref().and_then(Speaker::of_key) else {
        return show_refused(&one_page(&visit, &person, consent, form));
    };
    let fact = typed(&visit, CONSENT_WITHDRAWN, &person, &ConsentWithdrawn { consent: consent.id, speaker })?;
    let (now, record) = (visit.app.clock.now(), visit.app.record.clone());
    visit.app.database.write(move |tx| record.keep(tx, now, vec![fact])).await?;
    Ok(Flash::good(visit.page.word("register.consent.withdrawn_now")).then_go_to(&path))
}
