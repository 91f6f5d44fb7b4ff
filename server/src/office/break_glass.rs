//! Break-glass: asking for one person out of reach, and the health bureau's review.

use askama::Template;
use axum::extract::Path;
use axum::http::Uri;
use axum::response::Response;
use kangmai_access::{
    Actor, BREAK_GLASS_HOURS, BreakGlass, Purpose, break_glass, break_glass_waiting, break_glass_within,
    list_break_glass, reach, review_break_glass, try_break_glass,
};
use kangmai_base::{Day, IdNumber, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::{Person, PersonId, find_person, match_id_numbers};
use kangmai_places::Divisions;
use kangmai_programme::{App, DueLine, Visit};
use kangmai_web::{
    Choice, Failure, Field, Flash, Form, FormBody, ListQuery, ListSpec, Page, go_to, show, show_refused,
};

static LIST: ListSpec = ListSpec { filters: &[], sorts: &["at"], descending: true };
const ASK: &[Field] = &[
    Field::id_number("id_number", "server.break_glass.id_number"),
    Field::text("name", "server.break_glass.name").at_most(64),
    Field::area("reason", "server.break_glass.reason").at_most(kangmai_access::LONGEST_REASON),
];
const REVIEW: &[Field] = &[
    Field::radios("verdict", "server.break_glass.verdict"),
    Field::area("note", "server.break_glass.note").at_most(kangmai_access::LONGEST_REASON),
];

#[derive(Template)]
#[template(path = "office_break_glass.html")]
struct AskPage {
    page: Page,
    form: Form,
    hint: String,
}

fn ask_page(visit: &Visit, form: Form) -> AskPage {
    let page = visit.page.clone().titled("server.break_glass");
    let hint = page.say1("server.break_glass.hint", "hours", BREAK_GLASS_HOURS);
    AskPage { page, form, hint }
}

/// GET: the form.
pub(super) async fn show_ask(visit: Visit) -> Result<Response, Failure> {
    show(&ask_page(&visit, Form::blank(ASK)))
}

/// POST: reach for the person whom number and name name together. Who is not in the register and whose name is another
/// looks the same.
pub(super) async fn ask(visit: Visit, body: FormBody) -> Result<Response, Failure> {
    let mut form = body.form(ASK);
    let (number, name, reason) = (form.id_number("id_number"), form.text("name"), form.text("reason"));
    if let (Some(number), Some(name), Some(reason), false) = (number, name, reason, form.is_refused()) {
        match open(&visit, number, name, reason).await? {
            Ok(person) => return Ok(go_to(&format!("/people/{person}"))),
            Err(refusal) => form.refuse(refusal),
        }
    }
    show_refused(&ask_page(&visit, form))
}

async fn open(
    visit: &Visit,
    number: IdNumber,
    name: String,
    reason: String,
) -> Result<Result<PersonId, Refusal>, Failure> {
    let (app, actor, now) = (visit.app.clone(), visit.actor.clone(), visit.app.clock.now());
    let work = move |tx: &mut Transaction<'_>| -> Result<Result<PersonId, Refusal>, DatabaseError> {
        if let Err(refusal) = try_break_glass(tx, &actor, now)? {
            return Ok(Err(refusal));
        }
        let Some(person) = person_called(tx, &number, &name)? else {
            return Ok(Err(Refusal::new("server.break_glass.nobody").at("id_number")));
        };
        if reach(&actor, Purpose::FindPeople).is_some_and(|within| within.covers(person.home)) {
            return Ok(Ok(person.id));
        }
        let whom = (person.id.uuid(), person.home);
        let broken = break_glass(tx, &actor, whom, &reason, &*app.ids, now)?;
        Ok(broken.map(|_| person.id))
    };
    Ok(visit.app.database.write(work).await?)
}

/// The one person with this number and name. Two with the same number are for the register to sort out.
fn person_called(
    tx: &mut Transaction<'_>,
    number: &IdNumber,
    name: &str,
) -> Result<Option<Person>, DatabaseError> {
    let found = match_id_numbers(tx, &[number])?.into_values().next().unwrap_or_default();
    let [id] = found[..] else { return Ok(None) };
    Ok(find_person(tx, id)?.filter(|person| person.body.name == name.trim()))
}

#[derive(Template)]
#[template(path = "office_break_glass_list.html")]
struct ListPage {
    page: Page,
    list: ListQuery,
    rows: Vec<Line>,
    more: bool,
}

struct Line {
    one: BreakGlass,
    role: String,
    place: String,
    state: &'static str,
    tone: &'static str,
}

fn line(page: &Page, one: BreakGlass) -> Line {
    let (state, tone) = match &one.review {
        None => ("server.break_glass.waiting", "warning"),
        Some(review) if review.is_justified => ("server.break_glass.justified", "good"),
        Some(_) => ("server.break_glass.unjustified", "danger"),
    };
    Line {
        role: page.word(&format!("access.role.{}", one.role.key())).into_owned(),
        place: Divisions::shipped().get(one.place).map(|place| place.full_name()).unwrap_or_default(),
        one,
        state,
        tone,
    }
}

/// GET: whoever broke the glass for people of this place; those that wait come first.
pub(super) async fn list(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let list = ListQuery::read(&LIST, &uri);
    let (offset, limit, within) = (list.paging.offset(), list.paging.limit(), visit.reach.clone());
    let read = move |tx: &mut Transaction<'_>| list_break_glass(tx, &within, offset, limit + 1);
    let rows = visit.app.database.read(read).await?;
    let page = visit.page.titled("server.break_glass.reviews");
    let shown = usize::try_from(limit).unwrap_or(0);
    let more = rows.len() > shown;
    let rows = rows.into_iter().take(shown).map(|one| line(&page, one)).collect();
    show(&ListPage { page, list, rows, more })
}

#[derive(Template)]
#[template(path = "office_break_glass_one.html")]
struct OnePage {
    page: Page,
    line: Line,
    person: String,
    form: Option<Form>,
}

async fn one_page(visit: &Visit, id: Uuid, form: Form) -> Result<OnePage, Failure> {
    let within = visit.reach.clone();
    let read = move |tx: &mut Transaction<'_>| {
        let Some(one) = break_glass_within(tx, &within, id)? else { return Ok::<_, DatabaseError>(None) };
        let person = find_person(tx, PersonId::from_uuid(one.person))?;
        Ok(Some((one, person)))
    };
    let (one, person) = visit.app.database.read(read).await?.ok_or(Failure::NotFound)?;
    let list = visit.page.word("server.break_glass.reviews").into_owned();
    let page = visit.page.clone().titled("server.break_glass.review").under(list, "/break-glass/reviews");
    let own = one.account == visit.actor.account;
    let form = (one.review.is_none() && !own).then(|| offered(&page, form));
    let person = person.map(|person| person.body.name).unwrap_or_default();
    Ok(OnePage { line: line(&page, one), person, form, page })
}

fn offered(page: &Page, mut form: Form) -> Form {
    let choice = |value: &'static str, key: &str| Choice::new(value, page.word(key).into_owned());
    let justified = choice("yes", "server.break_glass.justified");
    form.offer("verdict", vec![justified, choice("no", "server.break_glass.unjustified")]);
    form
}

/// GET: one of them, with the form of the review.
pub(super) async fn one(visit: Visit, Path(id): Path<Uuid>) -> Result<Response, Failure> {
    show(&one_page(&visit, id, Form::blank(REVIEW)).await?)
}

/// POST: whether it was justified.
pub(super) async fn review(visit: Visit, Path(id): Path<Uuid>, body: FormBody) -> Result<Response, Failure> {
    let shown = one_page(&visit, id, Form::blank(REVIEW)).await?;
    let mut form = offered(&visit.page, body.form(REVIEW));
    let (verdict, note) = (form.choice("verdict"), form.text("note"));
    if let (Some(verdict), Some(note)) = (verdict, note) {
        let (app, actor, within) = (visit.app.clone(), visit.actor.clone(), visit.reach.clone());
        let (audit_id, now) = (app.mint(), app.clock.now());
        let work = move |tx: &mut Transaction<'_>| {
            let said = (id, verdict == "yes", note.as_str());
            review_break_glass(tx, &actor, &within, said, audit_id, now)
        };
        match visit.app.database.write(work).await? {
            Ok(()) => {
                let done = visit.page.word("server.break_glass.reviewed").into_owned();
                return Ok(Flash::good(done).then_go_to("/break-glass/reviews"));
            }
            Err(refusal) => form.refuse(refusal),
        }
    }
    show_refused(&OnePage { form: Some(form), ..shown })
}

/// What waits for the bureau of the place.
pub(super) fn due(
    tx: &mut Transaction<'_>,
    _: &App,
    actor: &Actor,
    _: Day,
) -> Result<Vec<DueLine>, DatabaseError> {
    let Some(within) = reach(actor, Purpose::ReviewBreakGlass) else { return Ok(Vec::new()) };
    let count = break_glass_waiting(tx, &within)?;
    let path = "/break-glass/reviews".to_owned();
    Ok(vec![DueLine { word: "server.break_glass.due", count, late: 0, path }])
}
