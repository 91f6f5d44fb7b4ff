//! The bill desk: find the person, type the bill, see every layer, settle.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use kangmai_base::{Fen, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::{Person, Query, search as search_people};
use kangmai_places::Institution;
use kangmai_policy::{Sight, ToldOtherwise};
use kangmai_programme::Visit;
use kangmai_record::Source;
use kangmai_web::{Failure, Field, Flash, Form, FormBody, Page, show, show_refused};

use super::bill_lines::Entered;
use super::{Head, bill_form as bill_fields, id_in, institutions_of_desk, late, person_within};
use crate::import::treating;
use crate::intake::{Expected, NotTaken, Offered, Patient, Trial, answer_once, begin, settle_bill, try_bill};
use crate::lines_told::{LinesTold, tell_lines};
use crate::otherwise::{Known as KnownAround, MOST_AT_DESK, around, otherwise};
use crate::settling::Hand;
use crate::statement::{Told, tell_trial};
use crate::store::{Answered, Begun, LONGEST_KEY, digest_of};

/// The most people that a search shows.
const MOST_FOUND: i64 = 30;

const FIND: &[Field] = &[Field::text("query", "settlement.desk.query").at_most(Query::LONGEST)];

#[derive(Template)]
#[template(path = "settlement_desk.html")]
pub(super) struct FindPage {
    pub(super) page: Page,
    pub(super) form: Form,
    /// None: not searched yet.
    pub(super) found: Option<Vec<Head>>,
    /// Whether the desk of admissions asks.
    pub(super) admitting: bool,
    pub(super) own: String,
}

/// GET: the field to find somebody by.
pub(crate) async fn find(visit: Visit) -> Result<Response, Failure> {
    let own = own_institution(&visit).await?;
    let page = visit.page.titled("settlement.desk.title");
    show(&FindPage { page, form: Form::blank(FIND), found: None, admitting: false, own })
}

/// POST, so that no number stands in an address: the people found.
pub(crate) async fn search(visit: Visit, body: FormBody) -> Result<Response, Failure> {
    search_for(visit, body, false, "settlement.desk.title").await
}

pub(super) async fn own_institution(visit: &Visit) -> Result<String, Failure> {
    let Some(own) = visit.actor.institution else { return Ok(String::new()) };
    let read = move |tx: &mut Transaction<'_>| {
        kangmai_places::find_institution(tx, kangmai_base::Id::from_uuid(own))
    };
    Ok(visit.app.database.read(read).await?.map(|one| one.body.name).unwrap_or_default())
}

pub(super) async fn search_for(
    visit: Visit,
    body: FormBody,
    admitting: bool,
    title: &'static str,
) -> Result<Response, Failure> {
    let own = own_institution(&visit).await?;
    let mut form = body.form(FIND);
    let query = form.text("query").and_then(|text| Query::read(&text));
    let Some(query) = query else {
        if !form.is_refused() {
            form.refuse(Refusal::new("settlement.refused.query").at("query"));
        }
        let page = visit.page.titled(title);
        return show_refused(&FindPage { page, form, found: None, admitting, own });
    };
    let places = visit.reach.places();
    let people = visit.app.database.read(move |tx| search_people(tx, places, &query, MOST_FOUND)).await?;
    let found = people.iter().map(|person| Head::of(&visit.page, person, visit.today)).collect();
    let page = visit.page.titled(title);
    show(&FindPage { page, form, found: Some(found), admitting, own })
}

#[derive(Template)]
#[template(path = "settlement_bill_form.html")]
struct BillFormPage {
    page: Page,
    head: Head,
    form: Form,
    lines: Entered,
    /// The year of the bill is closed: it may be handed to the bureau.
    is_closed: bool,
}

#[derive(Template)]
#[template(path = "settlement_preview.html")]
struct PreviewPage {
    page: Page,
    head: Head,
    form: Form,
    told: Told,
    /// What would change it, the best first.
    otherwise: Vec<ToldOtherwise>,
    lines: Option<LinesTold>,
    /// Labels that held on the day of discharge.
    labels: String,
    /// Labels at admission, if they were others.
    labels_at_admission: Option<String>,
    insured_is_assumed: bool,
    institution: String,
    discharge: kangmai_base::Day,
    /// Earlier settled bills of the year whose own share this one changes: number, before, after.
    changes: Vec<String>,
    /// The result is another than the one confirmed.
    has_moved: bool,
    /// The key of the request to settle.
    request: Uuid,
}

/// GET: an empty bill for a person.
pub(crate) async fn bill_form(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    let (person, institutions) = desk_data(&visit, id_in(&id)?).await?;
    let mut form = Form::blank(bill_fields::FIELDS);
    bill_fields::offer(&mut form, &visit.page, &institutions);
    bill_fields::fill(&mut form, visit.actor.institution, visit.today);
    let lines = Entered::none(&visit.page);
    show(&form_page(visit, &person, form, lines))
}

fn form_page(visit: Visit, person: &Person, mut form: Form, lines: Entered) -> BillFormPage {
    lines.carry(&mut form, false);
    let head = Head::of(&visit.page, person, visit.today);
    let desk = visit.page.word("settlement.desk.title").into_owned();
    let page = visit.page.titled("settlement.bill_form.title").under(desk, "/desk");
    let is_closed = form.errors().iter().any(|refusal| refusal.key == "settlement.refused.year_closed");
    BillFormPage { page, head, form, lines, is_closed }
}

async fn desk_data(visit: &Visit, id: Uuid) -> Result<(Person, Vec<Institution>), Failure> {
    let (reach, own) = (visit.reach.clone(), visit.actor.institution);
    let found = visit
        .app
        .database
        .read(move |tx| {
            let person = person_within(tx, &reach, id)?;
            Ok::<_, DatabaseError>((person, institutions_of_desk(tx, &reach, own)?))
        })
        .await?;
    Ok((found.0.ok_or(Failure::NotFound)?, found.1))
}

/// POST: every layer, before anything is final.
pub(crate) async fn preview(
    visit: Visit,
    Path(id): Path<String>,
    body: FormBody,
) -> Result<Response, Failure> {
    let id = id_in(&id)?;
    let (person, institutions) = desk_data(&visit, id).await?;
    let is_late = body.act() == "late";
    let is_editing = body.act() == "rows";
    let mut lines = Entered::read(&visit.page, &body);
    let mut form = body.form(bill_fields::FIELDS);
    bill_fields::offer(&mut form, &visit.page, &institutions);
    if is_editing {
        return show(&form_page(visit, &person, form, lines));
    }
    let Some(bill) = read_bill(&visit, (&mut form, &mut lines), &person, &institutions) else {
        return show_refused(&form_page(visit, &person, form, lines));
    };
    lines.carry(&mut form, true);
    let tried = trial(&visit, &person, &bill).await?;
    let is_closed = matches!(&tried, Err(refusal) if refusal.key == "settlement.refused.year_closed");
    if is_closed && is_late {
        return hand_in(visit, &person, &bill).await;
    }
    match tried {
        Ok(trial) => show(&preview_page(visit, &person, form, bill, trial, false)),
        Err(refusal) => {
            form.refuse(refusal);
            show_refused(&form_page(visit, &person, form, lines))
        }
    }
}

/// The year of the bill is closed: the insurance bureau gets it to decide.
async fn hand_in(visit: Visit, person: &Person, typed: &Typed) -> Result<Response, Failure> {
    let (app, actor, now) = (visit.app.clone(), visit.actor.clone(), visit.app.clock.now());
    let (person_id, home) = (person.id.uuid(), person.home);
    let body = typed.offered.received(&visit.app.policies, visit.app.mint(), &Patient::from(person));
    let work = move |tx: &mut Transaction<'_>| {
        let hand = Hand { app: &app, actor: &actor, now, source: Source::Typed };
        late::hand_in(tx, &hand, person_id, home, &body)
    };
    visit.app.database.write(work).await?;
    Ok(Flash::good(visit.page.word("settlement.late.handed_in")).then_go_to("/desk"))
}

/// A bill that is typed, with the name of its institution.
struct Typed {
    offered: Offered,
    institution_name: String,
}

fn read_bill(
    visit: &Visit,
    (form, lines): (&mut Form, &mut Entered),
    person: &Person,
    institutions: &[Institution],
) -> Option<Typed> {
    let reading = bill_fields::Reading {
        page: &visit.page,
        policies: &visit.app.policies,
        home: person.home,
        today: visit.today,
        died_on: person.body.died_on,
    };
    let (draft, institution) = bill_fields::read(&reading, form, lines)?;
    let institution = institutions.iter().find(|one| one.id.uuid() == institution)?;
    Some(Typed {
        offered: Offered { draft, institution: treating(&visit.app, institution) },
        institution_name: institution.body.name.clone(),
    })
}

/// Settles the person-year with the bill in it, without writing.
async fn trial(visit: &Visit, person: &Person, typed: &Typed) -> Result<Result<Trial, Refusal>, Failure> {
    let (app, patient) = (visit.app.clone(), Patient::from(person));
    let body = typed.offered.received(&visit.app.policies, visit.app.mint(), &patient);
    Ok(visit.app.database.read(move |tx| try_bill(tx, &app, &patient, body)).await?)
}

fn preview_page(
    visit: Visit,
    person: &Person,
    form: Form,
    typed: Typed,
    trial: Trial,
    has_moved: bool,
) -> PreviewPage {
    let page = &visit.page;
    let told = tell_trial(page, &visit.app.policies, &trial.settled, &trial.trace);
    let otherwise = otherwise_at_desk(&visit, person, &trial);
    let rules = visit.app.policies.lines(person.home, typed.offered.draft.discharge);
    // Who types the lines knows what was charged.
    let patient = Patient::from(person);
    let received = typed.offered.received(&visit.app.policies, trial.settled.bill, &patient);
    let lines = tell_lines(page, &received, rules, true);
    let words = |keys: &[String]| {
        let words = super::label_words(page, keys);
        if words.is_empty() {
            page.word("settlement.labels.none").into_owned()
        } else {
            super::joined(page, &words)
        }
    };
    let then = &trial.settled.person;
    let labels = words(&then.labels_at_discharge);
    let labels_at_admission = then.labels_at_admission.as_deref().map(words);
    let mut form = form;
    form.fill("expected", trial.settled.own);
    let head = Head::of(page, person, visit.today);
    let desk = page.word("settlement.desk.title").into_owned();
    let changes = trial.changes.iter().map(|(number, before, after)| {
        let (before, after) = (page.money(*before), page.money(*after));
        page.say("settlement.preview.change", &[("number", number), ("before", &before), ("after", &after)])
    });
    let mut changes: Vec<String> = changes.collect();
    changes.extend(trial.members.map(|(count, change)| {
        let change = super::postings::signed(page, change);
        page.say("settlement.preview.change_members", &[("count", &count), ("change", &change)])
    }));
    PreviewPage {
        head,
        form,
        told,
        otherwise,
        lines,
        labels,
        labels_at_admission,
        insured_is_assumed: then.insured_is_assumed,
        institution: typed.institution_name,
        discharge: typed.offered.draft.discharge,
        changes,
        has_moved,
        request: visit.app.mint(),
        page: visit.page.titled("settlement.preview.title").under(desk, "/desk"),
    }
}

/// What would change a trial for the better. Who types the bill knows its diagnosis.
fn otherwise_at_desk(visit: &Visit, person: &Person, trial: &Trial) -> Vec<ToldOtherwise> {
    let policies = &visit.app.policies;
    let Some(policy) = policies.jurisdiction(&trial.settled.jurisdiction) else { return Vec::new() };
    let known = KnownAround { labels: person.body.labels.clone(), next_year: trial.next_year.clone() };
    let (policy, day) = (policy.to_read(), trial.trace.facts.discharge);
    let around = around((policies, person.home), policy, &known, &trial.settled.person, day);
    let mut better = otherwise(&visit.page, policy, &trial.trace, &around, Sight::ALL).better;
    // What the desk and the patient can settle between them comes before another institution and another status.
    better.sort_by_key(|one| matches!(one.fact, "institution" | "labels"));
    better.truncate(MOST_AT_DESK);
    better
}

/// POST: it is final. If somebody else settled a bill of this person meanwhile and the own share moved, it is shown again.
/// Pressed twice, or sent again, it settles once: the request has a key of its own.
pub(crate) async fn settle(
    visit: Visit,
    Path(id): Path<String>,
    body: FormBody,
) -> Result<Response, Failure> {
    let id = id_in(&id)?;
    let (person, institutions) = desk_data(&visit, id).await?;
    let (editing, expected) = (body.act() == "edit", body.value("expected").parse::<Fen>().ok());
    let key = match body.value("request") {
        "" => visit.app.mint().to_string(),
        key => key.chars().take(LONGEST_KEY).collect(),
    };
    let mut lines = Entered::read(&visit.page, &body);
    let mut form = body.form(bill_fields::FIELDS);
    bill_fields::offer(&mut form, &visit.page, &institutions);
    if editing {
        return show(&form_page(visit, &person, form, lines));
    }
    let Some(typed) = read_bill(&visit, (&mut form, &mut lines), &person, &institutions) else {
        return show_refused(&form_page(visit, &person, form, lines));
    };
    lines.carry(&mut form, true);
    let digest = digest_of_form(&person, expected, &form);
    let attempt = match begin(&visit.app, &visit.actor, key, digest).await? {
        Begun::Go(attempt) => attempt,
        Begun::Done(answered) => return Ok(settled_now(&visit, &answered)),
        Begun::InProgress => {
            form.refuse(Refusal::new("settlement.refused.in_progress"));
            return show_refused(&form_page(visit, &person, form, lines));
        }
        Begun::OtherBody => {
            form.refuse(Refusal::new("settlement.refused.other_body"));
            return show_refused(&form_page(visit, &person, form, lines));
        }
    };
    let (app, actor, now) = (visit.app.clone(), visit.actor.clone(), visit.app.clock.now());
    let (patient, offered) = (Patient::from(&person), typed.offered.clone());
    let work = move |tx: &mut Transaction<'_>| {
        let hand = Hand { app: &app, actor: &actor, now, source: Source::Typed };
        let taken = settle_bill(tx, &hand, &patient, &offered, Expected::Own(expected))?;
        let answer = |own: Fen, bill| Answered { bill: Some(bill), answer: own.to_string() };
        Ok(taken.map(|taken| answer(taken.trial.settled.own, taken.bill)))
    };
    let refusal = match answer_once(&visit.app, attempt, work).await {
        Ok(Ok(answered)) => return Ok(settled_now(&visit, &answered)),
        Ok(Err(NotTaken::Moved(trial))) => {
            return show_refused(&preview_page(visit, &person, form, typed, *trial, true));
        }
        // What the record does not take is told where the bill was typed, and nothing typed is lost.
        Ok(Err(NotTaken::Refused(refusal))) | Err(DatabaseError::NotKept(refusal)) => refusal,
        Err(error) => return Err(error.into()),
    };
    form.refuse(refusal);
    show_refused(&form_page(visit, &person, form, lines))
}

/// All that was confirmed, in one number.
fn digest_of_form(person: &Person, expected: Option<Fen>, form: &Form) -> String {
    let mut said = format!("{}\n{expected:?}\n", person.id);
    for field in bill_fields::FIELDS {
        said.push_str(&format!("{}={}\n", field.name, form.raw(field.name).trim()));
    }
    digest_of(said.as_bytes())
}

fn settled_now(visit: &Visit, answered: &Answered) -> Response {
    let own = answered.answer.parse::<Fen>().unwrap_or(Fen::ZERO);
    let text = visit.page.say1("settlement.settled_now", "own", visit.page.yuan(own));
    let path = answered.bill.map_or_else(|| "/bills".to_owned(), |bill| format!("/bills/{bill}"));
    Flash::good(text).then_go_to(&path)
}
