//! Referring up and down: one form each. What a visit says stands there and is not typed again.

use askama::Template;
use axum::extract::Path;
use axum::http::Uri;
use axum::response::Response;
use kangmai_base::{Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_places::{Institution, InstitutionTier};
use kangmai_programme::{Visit, place_name};
use kangmai_web::{
    Choice, Failure, Field, Flash, Form, FormBody, ListQuery, ListSpec, Page, show, show_refused,
};

use super::{Known, known, note, sides_in, transact};
use crate::act::Draft;
use crate::facts::{Direction, Party, Summary, Urgency};
use crate::folder::Referral;
use crate::rules::{Act, acts, wanted};
use crate::sentences::{Names, party, stage_word};
use crate::store;

static ASKED: ListSpec = ListSpec {
    filters: &[Field::hidden("visit"), Field::hidden("instead"), Field::hidden("back")],
    sorts: &[],
    descending: false,
};
const UP: &[Field] = &[
    Field::hidden("minted"),
    Field::hidden("visit").optional(),
    Field::hidden("instead").optional(),
    Field::select("to", "referral.field.to"),
    Field::radios("urgency", "referral.field.urgency"),
    Field::day("on", "referral.field.on"),
    Field::text("medicines", "referral.field.medicines").at_most(300).optional(),
    Field::area("note", "referral.field.note").at_most(500).optional(),
    Field::tick("sensitive", "referral.field.sensitive"),
];
const DOWN: &[Field] = &[
    Field::hidden("minted"),
    Field::hidden("back").optional(),
    Field::hidden("instead").optional(),
    Field::select("to", "referral.field.to_down"),
    Field::day("on", "referral.field.on"),
    Field::text("diagnosis", "referral.field.diagnosis").at_most(200),
    Field::area("done", "referral.field.done").at_most(1_000),
    Field::text("medicines", "referral.field.medicines").at_most(300).optional(),
    Field::area("advice", "referral.field.advice").at_most(500),
    Field::day("next_visit_by", "referral.field.next_visit_by").optional(),
    Field::area("note", "referral.field.note").at_most(500).optional(),
    Field::tick("sensitive", "referral.field.sensitive"),
];

/// What a form begins from.
struct Begin {
    known: Known,
    direction: Direction,
    from: Party,
    to: Vec<Institution>,
    visit: Option<Uuid>,
    instead: Option<Uuid>,
    back: Option<Uuid>,
}

#[derive(Template)]
#[template(path = "referral_open.html")]
struct OpenPage {
    page: Page,
    path: String,
    back: String,
    from: String,
    /// Why, as the visit says it.
    reasons: String,
    /// What is due by follow-up.
    next: Vec<String>,
    /// Referrals of the person that are open.
    open: Vec<(String, String)>,
    /// No institution is in the register that could be asked.
    has_none: bool,
    can: bool,
    form: Form,
}

/// What the address names.
#[derive(Debug, Clone, Copy, Default)]
struct Named {
    visit: Option<Uuid>,
    instead: Option<Uuid>,
    back: Option<Uuid>,
}

impl Named {
    fn of(uri: &Uri) -> Named {
        let asked = ListQuery::read(&ASKED, uri);
        Named { visit: asked.parsed("visit"), instead: asked.parsed("instead"), back: asked.parsed("back") }
    }

    fn of_form(form: &Form) -> Named {
        let id = |name| form.raw(name).parse::<Uuid>().ok();
        Named { visit: id("visit"), instead: id("instead"), back: id("back") }
    }
}

/// What the form begins from, where the reader may refer this person this way.
async fn begin(visit: &Visit, id: Uuid, direction: Direction, named: Named) -> Result<Begin, Failure> {
    let known = known(visit, id).await?;
    let (actor, today, home) = (visit.actor.clone(), visit.today, known.person.home);
    let read = move |tx: &mut Transaction<'_>| {
        let own = store::own_institution(tx, &actor, today)?;
        let to = match direction {
            Direction::Up => store::upward(tx, home, today)?,
            Direction::Down => store::downward(tx, home, today)?,
        };
        Ok::<_, DatabaseError>((own, to))
    };
    let (own, to) = visit.app.database.read(read).await?;
    let own_id = own.as_ref().map(|own| own.id);
    let is_lowest = own.as_ref().is_none_or(|own| own.body.tier == InstitutionTier::Village);
    let may = match (direction, named.back.or(named.instead).and_then(|id| known.folder.referral(id))) {
        (_, Some(one)) => known.standing.sees(one),
        (Direction::Up, None) => known.standing.keeps,
        (Direction::Down, None) => known.standing.keeps && !is_lowest,
    };
    if !may {
        return Err(Failure::NotFound);
    }
    let place = visit.actor.place;
    let tier =
        if visit.actor.post().tiers.is_empty() { InstitutionTier::County } else { InstitutionTier::Village };
    let unknown = Party { institution: None, name: String::new(), tier, place, phone: String::new() };
    Ok(Begin {
        from: own.as_ref().map_or(unknown, store::party_of),
        to: to.into_iter().filter(|one| Some(one.id) != own_id).collect(),
        // A hospital has its own reasons; what a visit found is for who is near.
        visit: named.visit.filter(|_| known.standing.near).filter(|id| {
            known.visits.visit(*id).is_some_and(|one| {
                let told = if known.standing.secret { one.urgency() } else { one.urgency_told() };
                told.is_some()
            })
        }),
        instead: named.instead,
        back: named.back,
        known,
        direction,
    })
}

fn offer(page: &Page, begin: &Begin, form: &mut Form) {
    let choice = |one: &Institution| {
        let tier = page.word(one.body.tier.word()).into_owned();
        let place = place_name(one.place);
        Choice::new(one.id.to_string(), format!("{} · {tier} {place}", one.body.name))
    };
    form.offer("to", begin.to.iter().map(choice).collect());
    let urgency =
        |one: &Urgency| Choice::new(one.key(), page.word(&format!("referral.urgency.{}", one.key())));
    form.offer("urgency", Urgency::ALL.iter().map(urgency).collect());
}

fn path_of(begin: &Begin) -> String {
    format!("/people/{}/referrals/{}", begin.known.person.id, begin.direction.key())
}

fn page_of(visit: &Visit, begin: &Begin, mut form: Form) -> OpenPage {
    let known = &begin.known;
    let (person, id) = (&known.person, known.person.id);
    let (key, of) = match begin.direction {
        Direction::Up => ("referral.up", "referral.up.of"),
        Direction::Down => ("referral.down", "referral.down.of"),
    };
    let page = visit.page.clone().titled(key);
    let page = page.under(person.body.name.clone(), format!("/people/{id}"));
    offer(&page, begin, &mut form);
    let names = Names { release: &visit.app.policies, home: person.home, on: visit.today };
    let secret = known.standing.secret;
    let from_visit = begin.visit.and_then(|id| known.visits.visit(id)).map(|one| one.reasons());
    let earlier = begin.instead.or(begin.back).and_then(|id| known.folder.referral(id));
    let earlier = earlier.filter(|one| known.standing.is_told(one) || known.standing.sides(one).sends);
    let reasons = from_visit.or_else(|| earlier.map(|one| one.body().reasons.clone())).unwrap_or_default();
    let seen = known.folder.open().filter(|one| known.standing.sees(one) && Some(one.id()) != begin.back);
    let link = |one: &Referral| {
        let stage = stage_word(&page, one.stage(), "");
        let text = page.say2("referral.open_one", "to", party(&one.body().to), "stage", stage);
        (text, format!("/people/{id}/referrals/{}", one.id()))
    };
    let reads = known.standing.reads;
    OpenPage {
        path: path_of(begin),
        back: earlier
            .map_or_else(|| format!("/people/{id}"), |one| format!("/people/{id}/referrals/{}", one.id())),
        from: party(&begin.from),
        reasons: names.reasons(&page, &reasons, secret),
        next: if reads { names.next(&page, &known.visits.next(), secret) } else { Vec::new() },
        open: seen.map(link).collect(),
        has_none: begin.to.is_empty(),
        can: person.body.died_on.is_none() && !begin.to.is_empty(),
        form,
        page: Page { title: page.say1(of, "name", &person.body.name), ..page },
    }
}

fn blank(visit: &Visit, begin: &Begin) -> Form {
    let fields = if begin.direction == Direction::Up { UP } else { DOWN };
    let mut form = Form::blank(fields);
    form.fill("minted", visit.app.mint());
    form.fill("on", visit.today);
    for (name, value) in [("visit", begin.visit), ("instead", begin.instead), ("back", begin.back)] {
        if let Some(value) = value {
            form.fill(name, value);
        }
    }
    let earlier = begin.instead.and_then(|id| begin.known.folder.referral(id));
    let found = begin.visit.and_then(|id| begin.known.visits.visit(id));
    let urgency = found.and_then(|found| found.urgency()).or(earlier.map(|one| one.body().urgency));
    form.fill("urgency", urgency.unwrap_or(Urgency::Ordinary).key());
    if let Some(found) = found {
        form.fill("medicines", &found.medicines);
    }
    let own = earlier.filter(|one| begin.known.standing.sides(one).sends);
    if let Some(body) = own.map(Referral::body) {
        form.fill("medicines", &body.medicines);
        form.fill("note", &body.note);
        if let Some(summary) = &body.summary {
            form.fill("diagnosis", &summary.diagnosis);
            form.fill("done", &summary.done);
            form.fill("medicines", &summary.medicines);
            form.fill("advice", &summary.advice);
        }
    }
    // Who sent somebody takes them back, if it is among those near.
    let sender = begin.back.and_then(|id| begin.known.folder.referral(id)).map(|one| &one.body().from);
    let sender = sender.and_then(|from| from.institution);
    let fits = |id: &Uuid| begin.to.iter().any(|one| one.id.uuid() == *id);
    let first = begin.to.first().filter(|_| begin.direction == Direction::Down).map(|one| one.id.uuid());
    if let Some(to) = sender.filter(fits).or(first) {
        form.fill("to", to);
    }
    form
}

async fn show_blank(visit: &Visit, id: Uuid, direction: Direction, uri: &Uri) -> Result<Response, Failure> {
    let begin = begin(visit, id, direction, Named::of(uri)).await?;
    note(visit, id, begin.known.person.home).await?;
    let mut form = blank(visit, &begin);
    if begin.known.person.body.died_on.is_some() {
        form.refuse(Refusal::new("referral.refused.died"));
    }
    show(&page_of(visit, &begin, form))
}

/// GET `/people/{id}/referrals/up`: from a visit, instead of another, or from the person's page.
pub(crate) async fn up(visit: Visit, Path(id): Path<Uuid>, uri: Uri) -> Result<Response, Failure> {
    let mut named = Named { back: None, ..Named::of(&uri) };
    if named.visit.is_none() && named.instead.is_none() {
        // From the person's page: the visit that waits for it says why.
        let known = known(&visit, id).await?;
        named.visit =
            wanted(&known.visits, &known.folder).map(|found| found.id).filter(|_| known.standing.near);
    }
    let begin = begin(&visit, id, Direction::Up, named).await?;
    note(&visit, id, begin.known.person.home).await?;
    let mut form = blank(&visit, &begin);
    if begin.known.person.body.died_on.is_some() {
        form.refuse(Refusal::new("referral.refused.died"));
    }
    show(&page_of(&visit, &begin, form))
}

/// GET `/people/{id}/referrals/down`: what sends somebody back, or down without having gone up.
pub(crate) async fn down(visit: Visit, Path(id): Path<Uuid>, uri: Uri) -> Result<Response, Failure> {
    show_blank(&visit, id, Direction::Down, &uri).await
}

/// POST `/people/{id}/referrals/up`.
pub(crate) async fn send_up(visit: Visit, Path(id): Path<Uuid>, body: FormBody) -> Result<Response, Failure> {
    let form = body.form(UP);
    let named = Named { back: None, ..Named::of_form(&form) };
    send(&visit, begin(&visit, id, Direction::Up, named).await?, form).await
}

/// POST `/people/{id}/referrals/down`.
pub(crate) async fn send_down(
    visit: Visit,
    Path(id): Path<Uuid>,
    body: FormBody,
) -> Result<Response, Failure> {
    let form = body.form(DOWN);
    let named = Named { visit: None, ..Named::of_form(&form) };
    send(&visit, begin(&visit, id, Direction::Down, named).await?, form).await
}

/// What was handed in, as far as it can be read; what is wrong stands at its field.
fn read(begin: &Begin, form: &mut Form) -> Option<Draft> {
    let referral = form.parsed::<Uuid>("minted");
    let to = form.choice("to").and_then(|id| id.parse::<Uuid>().ok());
    let to = to.and_then(|id| begin.to.iter().find(|one| one.id.uuid() == id)).map(store::party_of);
    let on = form.day("on");
    let medicines = form.text("medicines").unwrap_or_default();
    let note = form.text("note").unwrap_or_default();
    let sensitive = form.tick("sensitive");
    let (urgency, summary) = match begin.direction {
        Direction::Up => {
            let urgency = form.choice("urgency").as_deref().and_then(Urgency::of_key);
            (urgency, None)
        }
        Direction::Down => {
            let (diagnosis, done) = (form.text("diagnosis"), form.text("done"));
            let (advice, next_visit_by) = (form.text("advice"), form.day("next_visit_by"));
            let summary = Summary {
                diagnosis: diagnosis.unwrap_or_default(),
                done: done.unwrap_or_default(),
                medicines: medicines.clone(),
                advice: advice.unwrap_or_default(),
                next_visit_by,
            };
            (Some(Urgency::Ordinary), Some(summary))
        }
    };
    if form.is_refused() {
        return None;
    }
    let is_up = begin.direction == Direction::Up;
    Some(Draft {
        referral: referral?,
        direction: begin.direction,
        on: on?,
        from: begin.from.clone(),
        to: to?,
        urgency: urgency?,
        visit: begin.visit,
        medicines: if is_up { medicines } else { String::new() },
        note,
        summary,
        sends_back: begin.back,
        instead_of: begin.instead,
        sensitive,
    })
}

async fn send(visit: &Visit, begin: Begin, mut form: Form) -> Result<Response, Failure> {
    offer(&visit.page, &begin, &mut form);
    let id = begin.known.person.id.uuid();
    if let Some(draft) = read(&begin, &mut form) {
        let referral = draft.referral;
        let done = transact(visit, id, move |writing, hand, standing| {
            let earlier = draft.sends_back.or(draft.instead_of);
            let sides = sides_in(writing, standing, earlier);
            if earlier.is_none() && !standing.keeps {
                return Ok(Err(Refusal::new("referral.refused.not_there")));
            }
            writing.open(hand, &draft, sides)
        });
        match done.await? {
            Ok(fact) => {
                let undo = format!("/people/{id}/referrals/undo/{fact}");
                let said = Flash::good(visit.page.word("referral.opened_now")).undo(undo);
                return Ok(said.then_go_to(&format!("/people/{id}/referrals/{referral}")));
            }
            Err(refusal) => form.refuse(refusal),
        }
    }
    show_refused(&page_of(visit, &begin, form))
}

/// Whether a referral can be sent on by somebody who stands so.
pub(super) fn may_send_on(known: &Known, one: &Referral) -> bool {
    acts(one, known.standing.sides(one), known.person.body.died_on.is_some()).contains(&Act::SendOn)
}
