//! The page of one referral: why, how it stands, and what may be done with it by whoever looks.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use kangmai_base::Uuid;
use kangmai_programme::{Visit, place_name};
use kangmai_web::{Choice, Failure, Field, Flash, Form, FormBody, Page, show, show_refused};

use super::open::may_send_on;
use super::{Known, known, note, sides_in, transact};
use crate::act::Answer;
use crate::facts::{Direction, EndReason};
use crate::folder::Referral;
use crate::rules::{Act, acts, end_reasons};
use crate::sentences::{Names, due, party, stage_word, tone, urgency};

const ACCEPT: &[Field] = &[
    Field::day("come_on", "referral.field.come_on").optional(),
    Field::text("department", "referral.field.department").at_most(40).optional(),
    Field::text("accept_note", "referral.field.accept_note").at_most(200).optional(),
];
const REFUSE: &[Field] = &[Field::text("refuse_note", "referral.field.refuse_note").at_most(200)];
const ARRIVE: &[Field] = &[
    Field::day("arrived_on", "referral.field.arrived_on"),
    Field::text("arrive_note", "referral.field.arrive_note").at_most(200).optional(),
];
const END: &[Field] = &[
    Field::radios("end_reason", "referral.field.end_reason"),
    Field::text("end_note", "referral.field.note_why").at_most(200),
];

/// What may be done with it.
struct Forms {
    accept: Option<Form>,
    refuse: Option<Form>,
    arrive: Option<Form>,
    end: Option<Form>,
    /// The part that was sent and refused stands open.
    open: &'static str,
}

#[derive(Template)]
#[template(path = "referral_one.html")]
struct OnePage {
    page: Page,
    path: String,
    tone: &'static str,
    mark: String,
    urgency: (&'static str, String),
    due: (&'static str, String),
    /// What is not shown, and why.
    restricted: String,
    pairs: Vec<(String, String)>,
    summary: Vec<(String, String)>,
    course: Vec<String>,
    next: Vec<String>,
    others: Vec<(String, String)>,
    person: Option<String>,
    print: String,
    send_back: Option<String>,
    send_on: Option<String>,
    is_down: bool,
    forms: Forms,
}

/// GET `/people/{id}/referrals/{referral}`.
pub(crate) async fn page(
    visit: Visit,
    Path((id, referral)): Path<(Uuid, Uuid)>,
) -> Result<Response, Failure> {
    let known = known(&visit, id).await?;
    let page = page_of(&visit, &known, referral, None)?;
    note(&visit, id, known.person.home).await?;
    show(&page)
}

/// A form that was sent and refused.
type Sent = (&'static str, Form);

fn page_of(visit: &Visit, known: &Known, id: Uuid, sent: Option<Sent>) -> Result<OnePage, Failure> {
    let one = known.referral(id)?;
    let (body, person) = (one.body(), &known.person);
    let key = match body.direction {
        Direction::Up => "referral.one.up",
        Direction::Down => "referral.one.down",
    };
    let page = visit.page.clone().titled("referral.one");
    let (reads, finds) = (known.standing.reads, known.standing.finds);
    let home_page = format!("/people/{}", person.id);
    let page = if finds { page.under(person.body.name.clone(), home_page.clone()) } else { page };
    let page = Page { title: page.say1(key, "name", &person.body.name), ..page };
    let is_told = known.standing.is_told(one);
    let path = format!("{home_page}/referrals/{id}");
    let outcome = one.outcome().map_or("", |(outcome, _)| outcome);
    let may = acts(one, known.standing.sides(one), person.body.died_on.is_some());
    let send_on = may_send_on(known, one)
        .then(|| format!("{home_page}/referrals/{}?instead={id}", body.direction.key()));
    let names = Names { release: &visit.app.policies, home: person.home, on: body.on };
    let secret = known.standing.secret;
    let restricted = match (is_told, body.sensitive && !secret) {
        (true, _) => String::new(),
        (false, true) => page.word("referral.restricted").into_owned(),
        (false, false) => page.word("referral.over").into_owned(),
    };
    Ok(OnePage {
        tone: tone(one.stage()),
        mark: stage_word(&page, one.stage(), outcome),
        urgency: urgency(&page, body.urgency),
        due: due(&page, &visit.app.policies, person.home, one, visit.today),
        restricted,
        pairs: pairs(visit, &page, &names, known, (one, is_told)),
        summary: if is_told { summary(&page, one) } else { Vec::new() },
        course: course(&page, one, is_told),
        next: if is_told && reads { names.next(&page, &known.visits.next(), secret) } else { Vec::new() },
        others: others(&page, known, one),
        person: finds.then_some(home_page.clone()),
        print: format!("{path}/print"),
        send_back: may.contains(&Act::SendBack).then(|| format!("{home_page}/referrals/down?back={id}")),
        send_on,
        is_down: body.direction == Direction::Down,
        forms: forms(visit, known, one, &may, sent),
        path,
        page,
    })
}

/// Every field, as the print has it.
pub(super) fn pairs(
    visit: &Visit,
    page: &Page,
    names: &Names<'_>,
    known: &Known,
    (one, is_told): (&Referral, bool),
) -> Vec<(String, String)> {
    let (body, person) = (one.body(), &known.person);
    let age = person.age_on(visit.today).map(|age| page.count("referral.age", age)).unwrap_or_default();
    let with_phone = |side: &crate::facts::Party| match side.phone.as_str() {
        "" => party(side),
        phone => page.say2("referral.with_phone", "name", party(side), "phone", phone),
    };
    let mut all = vec![
        ("referral.pair.who", format!("{} {age}", person.body.name)),
        ("referral.pair.home", place_name(person.home)),
        ("referral.pair.from", with_phone(&body.from)),
        ("referral.pair.to", with_phone(&body.to)),
        ("referral.pair.on", page.say2("referral.on_by", "day", body.on, "by", &body.by)),
    ];
    if is_told {
        all.push(("referral.pair.why", names.reasons(page, &body.reasons, known.standing.secret)));
        all.push(("referral.pair.medicines", body.medicines.clone()));
        all.push(("referral.pair.note", body.note.clone()));
    }
    let filled = all.into_iter().filter(|(_, text)| !text.is_empty());
    filled.map(|(word, text)| (page.word(word).into_owned(), text)).collect()
}

/// What somebody is sent back with.
pub(super) fn summary(page: &Page, one: &Referral) -> Vec<(String, String)> {
    let Some(summary) = &one.body().summary else { return Vec::new() };
    let next = summary.next_visit_by.map(|by| page.day(by)).unwrap_or_default();
    let all = [
        ("referral.field.diagnosis", &summary.diagnosis),
        ("referral.field.done", &summary.done),
        ("referral.field.medicines", &summary.medicines),
        ("referral.field.advice", &summary.advice),
        ("referral.field.next_visit_by", &next),
    ];
    let filled = all.into_iter().filter(|(_, text)| !text.is_empty());
    filled.map(|(word, text)| (page.word(word).into_owned(), text.clone())).collect()
}

/// What happened, in order.
fn course(page: &Page, one: &Referral, is_told: bool) -> Vec<String> {
    let with = |text: String, note: &str| match note {
        "" => text,
        _ if !is_told => text,
        note => format!("{text} {note}"),
    };
    let mut lines = Vec::new();
    if let Some(answered) = one.answered.as_ref().map(|answered| &answered.body) {
        let key = match (answered.accepted, one.body().direction) {
            (true, Direction::Up) => "referral.course.accepted",
            (true, Direction::Down) => "referral.course.taken_back",
            (false, _) => "referral.course.refused",
        };
        let mut text = page.say2(key, "day", answered.on, "by", &answered.by);
        if let Some(day) = answered.come_on {
            text.push_str(&page.say1("referral.course.come_on", "day", day));
        }
        // Why somebody was refused is for who decides what follows.
        let note = format!("{} {}", answered.department, answered.note);
        lines.push(with(text, note.trim()));
    }
    if let Some(arrived) = one.arrived.as_ref().map(|arrived| &arrived.body) {
        let key = if arrived.came { "referral.course.came" } else { "referral.course.absent" };
        lines.push(with(page.say2(key, "day", arrived.on, "by", &arrived.by), &arrived.note));
    }
    if let Some(ended) = one.ended.as_ref().map(|ended| &ended.body) {
        let why = page.word(&format!("referral.outcome.{}", ended.reason.key())).into_owned();
        let values: [(&str, &dyn std::fmt::Display); 3] =
            [("day", &ended.on), ("why", &why), ("by", &ended.by)];
        lines.push(with(page.say("referral.course.ended", &values), &ended.note));
    }
    lines
}

/// What came before and after it.
fn others(page: &Page, known: &Known, one: &Referral) -> Vec<(String, String)> {
    let body = one.body();
    let all = [
        ("referral.other.sends_back", body.sends_back),
        ("referral.other.instead_of", body.instead_of),
        ("referral.other.sent_back", one.sent_back.map(|(id, _)| id)),
        ("referral.other.sent_on", one.sent_on.map(|(id, _)| id)),
    ];
    let link = |(word, id): (&str, Option<Uuid>)| {
        let other = id.and_then(|id| known.folder.referral(id)).filter(|other| known.standing.sees(other))?;
        let text = page.say2(word, "to", party(&other.body().to), "day", other.body().on);
        Some((text, format!("/people/{}/referrals/{}", known.person.id, other.id())))
    };
    all.into_iter().filter_map(link).collect()
}

fn forms(visit: &Visit, known: &Known, one: &Referral, may: &[Act], sent: Option<Sent>) -> Forms {
    let (open, mut sent) = match sent {
        Some((open, form)) => (open, Some(form)),
        None => ("", None),
    };
    let mut take = |name: &str, fields: &'static [Field], act: Act| {
        may.contains(&act).then(|| match name == open {
            true => sent.take().unwrap_or_else(|| Form::blank(fields)),
            false => Form::blank(fields),
        })
    };
    let mut forms = Forms {
        accept: take("accept", ACCEPT, Act::Answer),
        refuse: take("refuse", REFUSE, Act::Answer),
        arrive: take("arrive", ARRIVE, Act::Arrive),
        end: take("end", END, Act::End),
        open,
    };
    if let Some(form) =
        forms.arrive.as_mut().filter(|form| !form.is_refused() && form.raw("arrived_on").is_empty())
    {
        form.fill("arrived_on", visit.today);
    }
    if let Some(form) = forms.end.as_mut() {
        offer_end(&visit.page, known, one, form);
    }
    forms
}

fn offer_end(page: &Page, known: &Known, one: &Referral, form: &mut Form) {
    let reasons = end_reasons(one, known.standing.sides(one), known.person.body.died_on.is_some());
    if let ([only], true) = (&*reasons, form.raw("end_reason").is_empty()) {
        form.fill("end_reason", only.key());
    }
    let choice = |reason: &EndReason| {
        Choice::new(reason.key(), page.word(&format!("referral.outcome.{}", reason.key())))
    };
    form.offer("end_reason", reasons.iter().map(choice).collect());
}

/// Where a referral is, in an address.
type Address = Path<(Uuid, Uuid)>;

fn went_well(visit: &Visit, (id, referral): (Uuid, Uuid), fact: Uuid, word: &str) -> Response {
    let undo = format!("/people/{id}/referrals/undo/{fact}");
    Flash::good(visit.page.word(word)).undo(undo).then_go_to(&format!("/people/{id}/referrals/{referral}"))
}

/// POST: who was asked takes the person.
pub(crate) async fn accept(
    visit: Visit,
    Path((id, referral)): Address,
    body: FormBody,
) -> Result<Response, Failure> {
    let known = known(&visit, id).await?;
    known.referral(referral)?;
    let mut form = body.form(ACCEPT);
    let answer = Answer {
        accepted: true,
        come_on: form.day("come_on"),
        department: form.text("department").unwrap_or_default(),
        note: form.text("accept_note").unwrap_or_default(),
    };
    if !form.is_refused() {
        match answered(&visit, (id, referral), answer).await? {
            Ok(fact) => return Ok(went_well(&visit, (id, referral), fact, "referral.accepted_now")),
            Err(refusal) => form.refuse(refusal),
        }
    }
    show_refused(&page_of(&visit, &known, referral, Some(("accept", form)))?)
}

async fn answered(
    visit: &Visit,
    (id, referral): (Uuid, Uuid),
    answer: Answer,
) -> Result<Result<Uuid, kangmai_base::Refusal>, Failure> {
    transact(visit, id, move |writing, hand, standing| {
        let sides = sides_in(writing, standing, Some(referral));
        writing.answer(hand, referral, &answer, sides)
    })
    .await
}

/// POST: who was asked refuses, with the reason.
pub(crate) async fn refuse(
    visit: Visit,
    Path((id, referral)): Address,
    body: FormBody,
) -> Result<Response, Failure> {
    let known = known(&visit, id).await?;
    known.referral(referral)?;
    let mut form = body.form(REFUSE);
    let text = form.text("refuse_note");
    if let (Some(note), false) = (text, form.is_refused()) {
        let answer = Answer { accepted: false, come_on: None, department: String::new(), note };
        match answered(&visit, (id, referral), answer).await? {
            Ok(fact) => return Ok(went_well(&visit, (id, referral), fact, "referral.refused_now")),
            Err(refusal) => form.refuse(refusal),
        }
    }
    show_refused(&page_of(&visit, &known, referral, Some(("refuse", form)))?)
}

/// POST: the person came, or did not.
pub(crate) async fn arrive(
    visit: Visit,
    Path((id, referral)): Address,
    body: FormBody,
) -> Result<Response, Failure> {
    let known = known(&visit, id).await?;
    known.referral(referral)?;
    let came = body.act() != "absent";
    let mut form = body.form(ARRIVE);
    let (on, text) = (form.day("arrived_on"), form.text("arrive_note").unwrap_or_default());
    if let (Some(on), false) = (on, form.is_refused()) {
        let done = transact(&visit, id, move |writing, hand, standing| {
            let sides = sides_in(writing, standing, Some(referral));
            writing.arrive(hand, referral, (came, on, text), sides)
        });
        let word = if came { "referral.came_now" } else { "referral.absent_now" };
        match done.await? {
            Ok(fact) => return Ok(went_well(&visit, (id, referral), fact, word)),
            Err(refusal) => form.refuse(refusal),
        }
    }
    show_refused(&page_of(&visit, &known, referral, Some(("arrive", form)))?)
}

/// POST: it is over without more.
pub(crate) async fn end(
    visit: Visit,
    Path((id, referral)): Address,
    body: FormBody,
) -> Result<Response, Failure> {
    let known = known(&visit, id).await?;
    let one = known.referral(referral)?;
    let mut form = body.form(END);
    offer_end(&visit.page, &known, one, &mut form);
    let reason = form.choice("end_reason").as_deref().and_then(EndReason::of_key);
    let text = form.text("end_note");
    if let (Some(reason), Some(text), false) = (reason, text, form.is_refused()) {
        let done = transact(&visit, id, move |writing, hand, standing| {
            let sides = sides_in(writing, standing, Some(referral));
            writing.end(hand, referral, (reason, text), sides)
        });
        match done.await? {
            Ok(fact) => return Ok(went_well(&visit, (id, referral), fact, "referral.ended_now")),
            Err(refusal) => form.refuse(refusal),
        }
    }
    show_refused(&page_of(&visit, &known, referral, Some(("end", form)))?)
}

/// POST `/people/{id}/referrals/undo/{fact}`: who wrote it takes it back on the same day.
pub(crate) async fn undo(visit: Visit, Path((id, fact)): Path<(Uuid, Uuid)>) -> Result<Response, Failure> {
    let known = known(&visit, id).await?;
    let is_known = known.standing.keeps || known.folder.referrals.iter().any(|one| known.standing.sees(one));
    if !is_known {
        return Err(Failure::NotFound);
    }
    let done = transact(&visit, id, move |writing, hand, _| writing.undo(hand, fact)).await?;
    let said = match done {
        Ok(_) => Flash::good(visit.page.word("referral.undone")),
        Err(refusal) => Flash::warning(visit.page.refusal(&refusal)),
    };
    Ok(said.then_go_to("/referrals"))
}
