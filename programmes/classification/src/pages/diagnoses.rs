//! The pages on which somebody records a diagnosis by hand, corrects one, or withdraws one that was entered by mistake.

use askama::Template;
use axum::extract::Path;
use axum::http::Uri;
use axum::response::Response;
use kangmai_base::{DivisionCode, Moment, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::Person;
use kangmai_policy::Icd10;
use kangmai_programme::{App, Visit};
use kangmai_record::{Fact, NewFact, Source, Subject, facts_of_kind};
use kangmai_web::{Failure, Field, Flash, Form, FormBody, ListQuery, ListSpec, Page, show, show_refused};

use super::note;
use crate::by_hand::{Act, Hand, KNOWN, NEW, Told, WITHDRAWAL, decide, read, read_reason, undo_put_right};
use crate::facts::{DIAGNOSED, Diagnosed, PUT_RIGHT, PutRight};
use crate::import::person_within;
use crate::planning::{Whose, follow};
use crate::rules::is_sensitive;
use crate::section::may_name;
use crate::store::{self, KnownDiagnosis};

/// Looking a code up by a name; `pick` carries the one that was chosen.
static FIND: ListSpec = ListSpec {
    filters: &[
        Field::text("find", "classification.find").optional(),
        Field { label: "classification.find.pick", ..Field::hidden("pick") },
    ],
    sorts: &[],
    descending: false,
};

/// Codes that a search answers.
const FOUND: usize = 20;

/// A code that fits the name that was looked for.
struct Found {
    code: String,
    name: String,
    href: String,
}

#[derive(Template)]
#[template(path = "classification_diagnosis.html")]
struct DiagnosisPage {
    page: Page,
    action: String,
    back: String,
    form: Form,
    withdrawal: Option<Form>,
    list: ListQuery,
    found: Vec<Found>,
}

/// A person with what the record has of diseases.
struct Chart {
    person: Person,
    known: Vec<KnownDiagnosis>,
    /// Code and name, by what was looked for.
    found: Vec<(String, String)>,
}

async fn chart(visit: &Visit, id: Uuid, list: &ListQuery) -> Result<Chart, Failure> {
    let within = visit.reach.clone();
    let (app, today) = (visit.app.clone(), visit.today);
    let asked = list.filter("find").map(str::to_owned);
    let chart = visit.app.database.read(move |tx| {
        let Some(person) = person_within(tx, &within, id)? else { return Ok(None) };
        let known = store::diagnoses_of(tx, id)?;
        let found = match asked {
            Some(asked) => {
                let mut found = listed(&app, person.home, today, &asked);
                found.extend(store::codes_named(tx, &within, &asked, FOUND)?);
                found
            }
            None => Vec::new(),
        };
        Ok::<_, DatabaseError>(Some(Chart { person, known, found }))
    });
    chart.await?.ok_or(Failure::NotFound)
}

/// The diseases of the lists of a place whose name holds `asked`, each with the codes it begins with.
fn listed(app: &App, home: DivisionCode, today: kangmai_base::Day, asked: &str) -> Vec<(String, String)> {
    let Some(table) = app.policies.disease_table(home, today) else { return Vec::new() };
    let major = table.major.iter().map(|disease| (&disease.name, &disease.rule));
    let all = major.chain(table.chronic.iter().map(|disease| (&disease.name, &disease.rule)));
    let lower = asked.to_lowercase();
    let fits =
        all.filter(|(name, _)| name.zh.contains(asked) || name.en.to_lowercase().contains(lower.as_str()));
    let codes = fits.flat_map(|(name, rule)| {
        rule.icd10.iter().flat_map(|range| range.categories()).map(|code| (code.to_string(), name.zh.clone()))
    });
    codes.take(FOUND).collect()
}

/// The diagnosis `id`, as far as the reader may see it.
fn seen<'c>(visit: &Visit, chart: &'c Chart, id: Uuid) -> Result<&'c KnownDiagnosis, Failure> {
    let may = may_name(&visit.actor, chart.person.home);
    let there = chart.known.iter().find(|known| known.diagnosis.id == id);
    there.filter(|known| may || !known.sensitive).ok_or(Failure::NotFound)
}

fn filled(known: &KnownDiagnosis) -> Form {
    let mut form = Form::blank(KNOWN);
    let diagnosis = &known.diagnosis;
    form.fill("code", &diagnosis.code);
    form.fill("disease", &diagnosis.name);
    form.fill("from", diagnosis.from);
    form.fill("to", diagnosis.to.map(|to| to.to_string()).unwrap_or_default());
    form.fill("institution", &known.institution);
    if diagnosis.drug_resistant {
        form.fill("drug_resistant", "1");
    }
    form
}

fn page_of(
    visit: &Visit,
    chart: &Chart,
    (mut form, withdrawal): (Form, Option<Form>),
    list: ListQuery,
) -> DiagnosisPage {
    if let Some((code, name)) = list.filter("pick").and_then(|pick| pick.split_once(' ')) {
        form.fill("code", code);
        form.fill("disease", name);
    }
    let back = format!("/people/{}", chart.person.id);
    let title = if withdrawal.is_some() { "classification.correct" } else { "classification.record" };
    let page = visit.page.clone().titled(title).under(chart.person.body.name.clone(), back.clone());
    let found = chart.found.iter().map(|(code, name)| Found {
        code: code.clone(),
        name: name.clone(),
        href: list.with("pick", &format!("{code} {name}")),
    });
    DiagnosisPage {
        action: list.path().to_owned(),
        back,
        form,
        withdrawal,
        found: found.collect(),
        page,
        list,
    }
}

/// GET `/plans/{person}/diagnoses`: an empty form.
pub(crate) async fn blank(visit: Visit, Path(person): Path<Uuid>, uri: Uri) -> Result<Response, Failure> {
    let list = ListQuery::read(&FIND, &uri);
    let chart = chart(&visit, person, &list).await?;
    show(&page_of(&visit, &chart, (Form::blank(NEW), None), list))
}

/// POST: the diagnosis is recorded.
pub(crate) async fn record(
    visit: Visit,
    Path(person): Path<Uuid>,
    uri: Uri,
    body: FormBody,
) -> Result<Response, Failure> {
    let list = ListQuery::read(&FIND, &uri);
    let chart = chart(&visit, person, &list).await?;
    let mut form = body.form(NEW);
    if let Some((reported, reason)) = read(&mut form, chart.person.body.birth, visit.today) {
        match write(&visit, person, Act::Record(reported, reason)).await? {
            Ok(done) => return Ok(say(&visit, person, "classification.recorded", done)),
            Err(refusal) => form.refuse(refusal),
        }
    }
    show_refused(&page_of(&visit, &chart, (form, None), list))
}

/// GET `/plans/{person}/diagnoses/{diagnosis}`: the diagnosis as it stands, to put it right or withdraw it.
pub(crate) async fn one(
    visit: Visit,
    Path((person, diagnosis)): Path<(Uuid, Uuid)>,
    uri: Uri,
) -> Result<Response, Failure> {
    let list = ListQuery::read(&FIND, &uri);
    let chart = chart(&visit, person, &list).await?;
    let form = filled(seen(&visit, &chart, diagnosis)?);
    note(&visit.app, &visit.actor, "read_person", Some(person), chart.person.home, "").await?;
    show(&page_of(&visit, &chart, (form, Some(Form::blank(WITHDRAWAL))), list))
}

/// POST: it is put right.
pub(crate) async fn correct(
    visit: Visit,
    Path((person, diagnosis)): Path<(Uuid, Uuid)>,
    uri: Uri,
    body: FormBody,
) -> Result<Response, Failure> {
    let list = ListQuery::read(&FIND, &uri);
    let chart = chart(&visit, person, &list).await?;
    seen(&visit, &chart, diagnosis)?;
    let mut form = body.form(KNOWN);
    if let Some((reported, reason)) = read(&mut form, chart.person.body.birth, visit.today) {
        match write(&visit, person, Act::Correct(diagnosis, reported, reason)).await? {
            Ok(done) => return Ok(say(&visit, person, "classification.corrected", done)),
            Err(refusal) => form.refuse(refusal),
        }
    }
    show_refused(&page_of(&visit, &chart, (form, Some(Form::blank(WITHDRAWAL))), list))
}

/// POST `/plans/{person}/diagnoses/{diagnosis}/withdraw`: it was entered by mistake.
pub(crate) async fn withdraw(
    visit: Visit,
    Path((person, diagnosis)): Path<(Uuid, Uuid)>,
    uri: Uri,
    body: FormBody,
) -> Result<Response, Failure> {
    let mut list = ListQuery::read(&FIND, &uri);
    let chart = chart(&visit, person, &list).await?;
    let form = filled(seen(&visit, &chart, diagnosis)?);
    let mut withdrawal = body.form(WITHDRAWAL);
    if let Some(reason) = read_reason(&mut withdrawal, "withdraw_reason") {
        match write(&visit, person, Act::Withdraw(diagnosis, reason)).await? {
            Ok(done) => return Ok(say(&visit, person, "classification.withdrawn", done)),
            Err(refusal) => withdrawal.refuse(refusal),
        }
    }
    let path = format!("/plans/{person}/diagnoses/{diagnosis}");
    if let Ok(uri) = path.parse() {
        list = ListQuery::read(&FIND, &uri);
    }
    show_refused(&page_of(&visit, &chart, (form, Some(withdrawal)), list))
}

/// POST `/plans/{person}/facts/{fact}/undo`: who did it takes it back on the same day, unless more has happened since.
pub(crate) async fn undo(
    visit: Visit,
    Path((person, fact)): Path<(Uuid, Uuid)>,
) -> Result<Response, Failure> {
    let reason = visit.page.word("classification.taken_back_by_hand").into_owned();
    let hand = Hand { by: visit.actor.name.clone(), on: visit.today };
    let author = visit.actor.account.uuid();
    let work = move |tx: &mut Transaction<'_>, _: &App, person: &Person| {
        let id = person.id.uuid();
        let known = store::diagnoses_of(tx, id)?;
        let done = facts_of_kind(tx, id, PUT_RIGHT)?.into_iter().chain(facts_of_kind(tx, id, DIAGNOSED)?);
        let Some(done) = done.into_iter().find(|done| is_own(done, fact, author, hand.on)) else {
            return Ok(Some(Err(Refusal::new("classification.refused.undo"))));
        };
        let told = if done.new.kind == DIAGNOSED {
            let body: Diagnosed = done.body()?;
            known
                .iter()
                .any(|known| known.fact == fact)
                .then(|| decide(&Act::Withdraw(body.diagnosis, reason), &known, &hand, fact).ok().flatten())
                .flatten()
        } else {
            let is_last = known.iter().any(|known| known.fact == fact)
                || store::struck_of(tx, id)?.iter().any(|row| row.fact == fact && row.withdrawn);
            let body: PutRight = done.body()?;
            let may_undo = is_last && body.undoes.is_none();
            may_undo.then(|| Told::PutRight(Box::new(undo_put_right(body, fact, &reason, &hand)), fact))
        };
        Ok::<_, DatabaseError>(Some(told.ok_or(Refusal::new("classification.refused.undo"))))
    };
    let to = format!("/people/{person}");
    Ok(match transact(&visit, person, work).await? {
        Ok(_) => Flash::good(visit.page.word("classification.undone_by_hand")).then_go_to(&to),
        Err(refusal) => Flash::warning(visit.page.refusal(&refusal)).then_go_to(&to),
    })
}

fn is_own(done: &Fact, fact: Uuid, author: Uuid, today: kangmai_base::Day) -> bool {
    done.new.id == fact
        && done.new.author == author
        && done.new.source == Source::Typed
        && done.new.recorded_at.day() == today
}

/// Back to the person, with what was done and the way to take it back.
fn say(visit: &Visit, person: Uuid, word: &str, done: Option<Uuid>) -> Response {
    let to = format!("/people/{person}");
    match done {
        Some(fact) => Flash::good(visit.page.word(word))
            .undo(format!("/plans/{person}/facts/{fact}/undo"))
            .then_go_to(&to),
        None => Flash::good(visit.page.word("classification.same")).then_go_to(&to),
    }
}

/// What became of an act: the fact, or none if the record said so already.
type Done = Result<Option<Uuid>, Refusal>;

async fn write(visit: &Visit, person: Uuid, act: Act) -> Result<Done, Failure> {
    let hand = Hand { by: visit.actor.name.clone(), on: visit.today };
    let actor = visit.actor.clone();
    let work = move |tx: &mut Transaction<'_>, app: &App, person: &Person| {
        let known = store::diagnoses_of(tx, person.id.uuid())?;
        let may = may_name(&actor, person.home);
        let known: Vec<KnownDiagnosis> = match &act {
            // Who may not see one may not change it; that it is there already is said to whoever records it again.
            Act::Record(..) => known,
            _ => known.into_iter().filter(|known| may || !known.sensitive).collect(),
        };
        let table = app.policies.disease_table(person.home, hand.on);
        let marked = |mut reported: crate::diagnoses::Reported| {
            reported.sensitive = is_sensitive(reported.code.parse().unwrap_or(Icd10::UNKNOWN), table);
            reported
        };
        let act = match act {
            Act::Record(reported, reason) => Act::Record(marked(reported), reason),
            Act::Correct(diagnosis, reported, reason) => Act::Correct(diagnosis, marked(reported), reason),
            withdraw @ Act::Withdraw(..) => withdraw,
        };
        Ok(decide(&act, &known, &hand, app.mint()).transpose())
    };
    transact(visit, person, work).await
}

/// Does `work` for a person within reach and writes what it tells, and the plan that follows, in one transaction.
async fn transact(
    visit: &Visit,
    person: Uuid,
    work: impl FnOnce(&mut Transaction<'_>, &App, &Person) -> Result<Option<Result<Told, Refusal>>, DatabaseError>
    + Send
    + 'static,
) -> Result<Done, Failure> {
    let (app, within, today) = (visit.app.clone(), visit.reach.clone(), visit.today);
    let (now, author) = (visit.app.clock.now(), visit.actor.account.uuid());
    let done = visit.app.database.write(move |tx| {
        let Some(person) = person_within(tx, &within, person)? else { return Ok(None) };
        let told = match work(tx, &app, &person)? {
            None => return Ok(None),
            Some(Err(refusal)) => return Ok(Some(Err(refusal))),
            Some(Ok(told)) => told,
        };
        let fact = fact_of(&told, app.mint(), (now, author), &person);
        let Some(fact) = fact.map_err(|error| DatabaseError::Refused(error.to_string()))? else {
            return Ok(Some(Ok(None)));
        };
        let id = fact.id;
        app.record.keep(tx, now, vec![fact])?;
        let known = store::diagnoses_of(tx, person.id.uuid())?;
        if let Some((_, plan)) = follow(tx, &app, Whose::of(&person), &known, (today, now))? {
            app.record.keep(tx, now, vec![plan])?;
        }
        Ok::<_, DatabaseError>(Some(Ok(Some(id))))
    });
    done.await?.ok_or(Failure::NotFound)
}

/// The fact that tells it; none where there is nothing to tell.
fn fact_of(
    told: &Told,
    id: Uuid,
    (now, author): (Moment, Uuid),
    person: &Person,
) -> Result<Option<NewFact>, serde_json::Error> {
    let (kind, occurred_at, corrects, body) = match told {
        Told::Recorded(body) => (DIAGNOSED, Moment::start_of(body.from), None, serde_json::to_string(body)?),
        Told::PutRight(body, corrects) => (PUT_RIGHT, now, Some(*corrects), serde_json::to_string(body)?),
        Told::Same => return Ok(None),
    };
    Ok(Some(NewFact {
        id,
        kind: kind.to_owned(),
        subject: Subject::person(person.id.uuid()),
        occurred_at,
        recorded_at: now,
        place: person.home,
        author,
        source: Source::Typed,
        corrects,
        body,
    }))
}
