//! Requests of people about their own data: that something be put right (个人信息保护法 art. 46) or that they be erased (art. 47).
//! They are written down by whoever keeps the register, answered within the days that the pack says, and printed as an
//! answer. Nobody is erased whom a law still asks to keep, nor by the one who wrote the request down.

use askama::Template;
use axum::extract::Path;
use axum::http::Uri;
use axum::response::Response;
use kangmai_access::{Actor, Purpose, Reach, audit, reach};
use kangmai_base::{Day, DivisionCode, DivisionLevel, Moment, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::{Person, PersonId, aliases, find_person, same_as};
use kangmai_programme::{App, Looking, Visit};
use kangmai_record::{Fact, NewFact, Record, Source, Subject, facts_of_kind};
use kangmai_web::{
    Choice, Failure, Field, Flash, Form, FormBody, ListQuery, ListSpec, Page, show, show_refused,
};

use crate::pages::consents::{offer_speakers, read_speaker, typed};
use crate::pages::held::{self, HeldRow};
use crate::pages::rights::{person_of, under_rights};
use crate::pages::timeline::{self, Asked, Event};
use crate::pages::{full_place, masked_number, note_reading, village};
use crate::rights::{
    ANSWERED, Answered, ERASED, Erased, Ground, Held, LONGEST_NAME, LONGEST_TEXT, REQUESTED, Requested,
    TAKEN_BACK, TakenBack, Wish, due_on, kept_by_law,
};
use crate::store::rights::{
    Erasure, RequestState, RightsRequest, WantedRequests, count_erasures, count_rights_requests, erasures,
    others_at_home, rights_requests,
};

const CORRECT: &[Field] = &[
    Field::area("text", "register.request.wrong").at_most(LONGEST_TEXT),
    Field::radios("speaker", "register.speaker"),
    Field::text("speaker_name", "register.speaker.name").at_most(LONGEST_NAME).optional(),
    Field::area("paper", "register.request.paper").at_most(LONGEST_TEXT),
];
const ERASE: &[Field] = &[
    Field::radios("ground", "register.ground"),
    Field::area("text", "register.request.why").at_most(LONGEST_TEXT),
    Field::radios("speaker", "register.speaker"),
    Field::text("speaker_name", "register.speaker.name").at_most(LONGEST_NAME).optional(),
    Field::area("paper", "register.request.paper").at_most(LONGEST_TEXT),
];
const ANSWER: &[Field] = &[
    Field::radios("verdict", "register.request.verdict"),
    Field::area("text", "register.request.answer").at_most(LONGEST_TEXT),
];
static LIST: ListSpec = ListSpec {
    filters: &[
        Field::select("state", "register.request.state"),
        Field::select("wish", "register.request.wish"),
    ],
    sorts: &["asked"],
    descending: true,
};
static ERASURES: ListSpec = ListSpec { filters: &[], sorts: &["erased"], descending: true };

/// Facts of one person that are looked through for what was changed since a request.
const MOST_CHANGES: usize = 20;

#[derive(Template)]
#[template(path = "register_request_form.html")]
struct RequestForm {
    page: Page,
    form: Form,
    text: String,
    back: String,
}

fn form_page(visit: &Visit, person: &Person, wish: Wish, mut form: Form) -> RequestForm {
    offer(&visit.page, &mut form);
    let key = format!("register.wish.{}.ask", wish.key());
    let mut page = under_rights(visit.page.clone(), person).titled(&key);
    page.lead = format!("{} {}", person.body.name, masked_number(person));
    let text = page.word(&format!("register.wish.{}.text", wish.key())).into_owned();
    RequestForm { text, page, form, back: format!("/people/{}/rights", person.id) }
}

fn offer(page: &Page, form: &mut Form) {
    offer_speakers(page, form);
    let ground = |ground: Ground| Choice::new(ground.key(), page.word(ground.word()));
    form.offer("ground", Ground::ALL.map(ground).to_vec());
}

const fn fields_of(wish: Wish) -> &'static [Field] {
    match wish {
        Wish::Correct => CORRECT,
        Wish::Erase => ERASE,
    }
}

/// GET `/people/{id}/requests/{wish}`: the form.
pub(crate) async fn blank(visit: Visit, Path((id, wish)): Path<(Uuid, String)>) -> Result<Response, Failure> {
    let wish = Wish::of_key(&wish).ok_or(Failure::NotFound)?;
    let person = person_of(&visit, id).await?;
    show(&form_page(&visit, &person, wish, Form::blank(fields_of(wish))))
}

/// POST `/people/{id}/requests/{wish}`.
pub(crate) async fn ask(
    visit: Visit,
    Path((id, wish)): Path<(Uuid, String)>,
    body: FormBody,
) -> Result<Response, Failure> {
    let wish = Wish::of_key(&wish).ok_or(Failure::NotFound)?;
    let person = person_of(&visit, id).await?;
    let mut form = body.form(fields_of(wish));
    offer(&visit.page, &mut form);
    let ground = match wish {
        Wish::Erase => form.choice("ground").as_deref().and_then(Ground::of_key),
        Wish::Correct => None,
    };
    let (text, paper) = (form.text("text"), form.text("paper"));
    let speaker = read_speaker(&visit, &person, &mut form);
    let (Some(text), Some(paper), Some((speaker, speaker_name)), false) =
        (text, paper, speaker, form.is_refused())
    else {
        return show_refused(&form_page(&visit, &person, wish, form));
    };
    let body = Requested { wish, ground, text, speaker, speaker_name, paper };
    let fact = typed(&visit, REQUESTED, &person, &body)?;
    let (request, now, record) = (fact.id, visit.app.clock.now(), visit.app.record.clone());
    let within = visit.reach.clone();
    let write = move |tx: &mut Transaction<'_>| {
        let wanted = WantedRequests {
            state: Some(RequestState::Waiting),
            wish: Some(wish),
            person: Some(id),
            ..WantedRequests::default()
        };
        if wish == Wish::Erase
            && let Some(waiting) = rights_requests(tx, &within, wanted, (1, 0))?.first()
        {
            return Ok::<_, DatabaseError>(Err(waiting.id));
        }
        record.keep(tx, now, vec![fact])?;
        Ok(Ok(request))
    };
    let (word, request) = match visit.app.database.write(write).await? {
        Ok(request) => ("register.request.asked", request),
        Err(waiting) => ("register.request.asked_already", waiting),
    };
    Ok(Flash::good(visit.page.word(word)).then_go_to(&format!("/rights/{request}")))
}

/// A row of the list.
struct Row {
    request: RightsRequest,
    place: String,
    due: String,
    due_tone: &'static str,
}

#[derive(Template)]
#[template(path = "register_requests.html")]
struct ListPage {
    page: Page,
    list: ListQuery,
    rows: Vec<Row>,
    erased: i64,
}

/// GET `/rights`.
pub(crate) async fn list(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let mut list = ListQuery::read(&LIST, &uri);
    let state = |state: RequestState| Choice::new(state.key(), visit.page.word(state.word()));
    list.offer("state", RequestState::ALL.map(state).to_vec());
    let wish = |wish: Wish| Choice::new(wish.key(), visit.page.word(wish.word()));
    list.offer("wish", Wish::ALL.map(wish).to_vec());
    let wanted = WantedRequests {
        state: list.filter("state").and_then(RequestState::of_key),
        wish: list.filter("wish").and_then(Wish::of_key),
        ..WantedRequests::default()
    };
    let (within, paging) = (visit.reach.clone(), (list.paging.limit(), list.paging.offset()));
    let read = move |tx: &mut Transaction<'_>| {
        let rows = rights_requests(tx, &within, wanted, paging)?;
        let total = count_rights_requests(tx, &within, (wanted.state, wanted.wish))?;
        Ok::<_, DatabaseError>((rows, total, count_erasures(tx, &within)?))
    };
    let (rows, total, erased) = visit.app.database.read(read).await?;
    list.found(total.unsigned_abs());
    let page = visit.page.clone().titled("register.requests");
    let rows = rows.into_iter().map(|request| row_of(&visit, request)).collect();
    show(&ListPage { page, list, rows, erased })
}

fn row_of(visit: &Visit, request: RightsRequest) -> Row {
    let due = match request.state {
        RequestState::Waiting => due_of(&visit.app, &request),
        _ => None,
    };
    Row {
        place: village(&visit.reach, request.home),
        due: due.map(|due| visit.page.days_left(due, visit.today)).unwrap_or_default(),
        due_tone: due.map_or("plain", |due| visit.page.deadline_tone(due, visit.today)),
        request,
    }
}

fn due_of(app: &App, request: &RightsRequest) -> Option<Day> {
    due_on(app.policies.records(request.home, request.asked_on), request.asked_on)
}

/// A request with all that its page needs.
struct Found {
    request: RightsRequest,
    person: Person,
    body: Requested,
    answer: Option<Answered>,
    /// What was written down about the person since, in words.
    changes: Vec<Event>,
    /// What is kept of the person, as far as the reader may see.
    held: Vec<Held>,
    /// Until when a law keeps any of it, what the reader may not see too.
    kept_until: Option<Day>,
}

fn one_request(
    tx: &mut Transaction<'_>,
    within: &Reach,
    id: Uuid,
) -> Result<Option<RightsRequest>, DatabaseError> {
    let wanted = WantedRequests { only: Some(id), ..WantedRequests::default() };
    Ok(rights_requests(tx, within, wanted, (1, 0))?.pop())
}

fn find(tx: &mut Transaction<'_>, looking: &Looking, id: Uuid) -> Result<Option<Found>, DatabaseError> {
    let Some(request) = one_request(tx, &looking.reach, id)? else { return Ok(None) };
    let Some(person) = find_person(tx, PersonId::from_uuid(request.person))? else { return Ok(None) };
    let asked = facts_of_kind(tx, request.person, REQUESTED)?.into_iter().find(|fact| fact.new.id == id);
    let Some(asked) = asked else { return Ok(None) };
    let mut answer = None;
    for fact in facts_of_kind(tx, request.person, ANSWERED)? {
        answer = Some(fact.body::<Answered>()?).filter(|body| body.request == id).or(answer);
    }
    let changes = match request.wish {
        Wish::Correct => changes_since(tx, looking, &person, &asked)?,
        Wish::Erase => Vec::new(),
    };
    let (held, kept_until) = match request.wish {
        Wish::Erase => {
            let held = held::of(tx, looking, &person)?;
            let kept = all_kept_until(tx, &looking.app, &person, looking.today)?;
            (held, kept)
        }
        Wish::Correct => (Vec::new(), None),
    };
    Ok(Some(Found { body: asked.body()?, request, person, answer, changes, held, kept_until }))
}

/// What was written down about the person after the request, except requests and consents themselves.
fn changes_since(
    tx: &mut Transaction<'_>,
    looking: &Looking,
    person: &Person,
    asked: &Fact,
) -> Result<Vec<Event>, DatabaseError> {
    let timeline =
        timeline::read(tx, looking, person, &Asked { source: None, programme: None, before: None })?;
    let since = |fact: &Fact| {
        let order = (fact.received_at, fact.place_sequence) > (asked.received_at, asked.place_sequence);
        order
            && !matches!(fact.new.kind.as_str(), REQUESTED | ANSWERED | TAKEN_BACK)
            && fact.new.source != Source::Derived
    };
    let events = timeline.events(&looking.page, looking.app.programmes);
    let both = events.into_iter().zip(&timeline.facts).filter(|(_, fact)| since(fact));
    Ok(both.map(|(event, _)| event).take(MOST_CHANGES).collect())
}

/// All records of one person: this one, those that somebody found to be the same, and the one that they are the same as.
fn all_records(tx: &mut Transaction<'_>, person: &Person) -> Result<Vec<Person>, DatabaseError> {
    let kept = same_as(tx, person.id)?.unwrap_or(person.id);
    let mut ids = aliases(tx, kept)?;
    ids.push(kept);
    ids.into_iter().filter_map(|id| find_person(tx, id).transpose()).collect()
}

/// Until when a law keeps anything of a person on `day`, by all records of that person.
fn all_kept_until(
    tx: &mut Transaction<'_>,
    app: &App,
    person: &Person,
    day: Day,
) -> Result<Option<Day>, DatabaseError> {
    let mut until = None;
    for record in all_records(tx, person)? {
        let held = held::all(tx, app, &record, day)?;
        until = until.max(kept_by_law(&held, day));
    }
    Ok(until)
}

/// Why somebody who is to answer may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bar {
    /// It is another office's.
    NotTheirs,
    /// They wrote it down themselves.
    OwnRequest,
}

/// Whether `actor` may answer a request.
fn bar(actor: &Actor, request: &RightsRequest) -> Option<Bar> {
    if request.wish == Wish::Correct {
        return None;
    }
    let may = reach(actor, Purpose::ErasePeople).is_some_and(|within| within.covers(request.home));
    if !may {
        Some(Bar::NotTheirs)
    } else if request.asked_by == actor.account.uuid() {
        Some(Bar::OwnRequest)
    } else {
        None
    }
}

#[derive(Template)]
#[template(path = "register_request.html")]
struct OnePage {
    page: Page,
    found: Found,
    held: Vec<HeldRow>,
    number: String,
    place: String,
    speaker: String,
    due: String,
    due_tone: &'static str,
    kept: Option<String>,
    bar: Option<&'static str>,
    form: Option<Form>,
}

impl OnePage {
    fn person(&self) -> String {
        format!("/people/{}", self.found.person.id)
    }

    fn act(&self) -> String {
        let act = if self.found.request.wish == Wish::Correct { "answer" } else { "erase" };
        format!("/rights/{}/{act}", self.found.request.id)
    }

    fn is_waiting(&self) -> bool {
        self.found.request.state == RequestState::Waiting
    }

    fn is_erasure(&self) -> bool {
        self.found.request.wish == Wish::Erase
    }
}

fn offer_verdicts(page: &Page, wish: Wish, form: &mut Form) {
    let verdict = |key: &str| Choice::new(key, page.word(&format!("register.wish.{}.{key}", wish.key())));
    form.offer("verdict", vec![verdict("granted"), verdict("refused")]);
}

fn one_page(visit: &Visit, found: Found, form: Form) -> OnePage {
    let list = visit.page.word("register.requests").into_owned();
    let key = format!("register.wish.{}.title", found.request.wish.key());
    let page = visit.page.clone().titled(&key).under(list, "/rights");
    let waits = found.request.state == RequestState::Waiting;
    let barred = bar(&visit.actor, &found.request).filter(|_| waits);
    let form = (waits && barred.is_none()).then(|| {
        let mut form = form;
        offer_verdicts(&page, found.request.wish, &mut form);
        form
    });
    let due = due_of(&visit.app, &found.request).filter(|_| waits);
    let said = page.word(found.body.speaker.word());
    let speaker = match &found.body.speaker_name {
        Some(name) => page.say2("register.speaker.named", "speaker", said, "name", name),
        None => said.into_owned(),
    };
    OnePage {
        held: held::rows(&page, &found.held, visit.today),
        number: masked_number(&found.person),
        place: full_place(found.person.home),
        speaker,
        due: due.map(|due| page.days_left(due, visit.today)).unwrap_or_default(),
        due_tone: due.map_or("plain", |due| page.deadline_tone(due, visit.today)),
        kept: found
            .kept_until
            .filter(|_| waits)
            .map(|day| page.say1("register.erase.kept", "day", page.day(day))),
        bar: barred.map(|bar| match bar {
            Bar::NotTheirs => "register.erase.not_theirs",
            Bar::OwnRequest => "register.erase.own_request",
        }),
        form,
        found,
        page,
    }
}

#[derive(Template)]
#[template(path = "register_erased.html")]
struct ErasedPage {
    page: Page,
    erasure: Erasure,
    place: String,
}

/// GET `/rights/{id}`: the request; where the person is erased, that it was done.
pub(crate) async fn one(visit: Visit, Path(id): Path<Uuid>) -> Result<Response, Failure> {
    let looking = visit.looking();
    let read = move |tx: &mut Transaction<'_>| {
        let found = find(tx, &looking, id)?;
        let erased = erasures(tx, &looking.reach, Some(id), (1, 0))?.pop();
        Ok::<_, DatabaseError>((found, erased))
    };
    match visit.app.database.read(read).await? {
        (Some(found), _) => {
            // The address names the request; whose record was read is what the person is told.
            note_reading(&visit, "read", found.request.person, found.request.home).await?;
            show(&one_page(&visit, found, Form::blank(ANSWER)))
        }
        (None, Some(erasure)) => {
            let list = visit.page.word("register.requests").into_owned();
            let page = visit.page.titled("register.erased.title").under(list, "/rights");
            show(&ErasedPage { place: full_place(erasure.place), page, erasure })
        }
        (None, None) => Err(Failure::NotFound),
    }
}

async fn found(visit: &Visit, id: Uuid) -> Result<Found, Failure> {
    // Whatever the purpose of the route, the request is found by whoever keeps the register.
    let mut looking = visit.looking();
    looking.reach = reach(&visit.actor, Purpose::KeepRegister).ok_or(Failure::NotFound)?;
    visit.app.database.read(move |tx| find(tx, &looking, id)).await?.ok_or(Failure::NotFound)
}

/// What the form says; `None` where something is wrong.
fn read_answer(page: &Page, wish: Wish, form: &mut Form) -> Option<(bool, String)> {
    offer_verdicts(page, wish, form);
    let (verdict, text) = (form.choice("verdict"), form.text("text"));
    Some((verdict?.as_str() == "granted", text?))
}

/// POST `/rights/{id}/answer`: something was put right, or was not.
pub(crate) async fn answer(visit: Visit, Path(id): Path<Uuid>, body: FormBody) -> Result<Response, Failure> {
    let found = found(&visit, id).await?;
    if found.request.wish != Wish::Correct {
        return Err(Failure::NotFound);
    }
    let mut form = body.form(ANSWER);
    let said = read_answer(&visit.page, found.request.wish, &mut form);
    if said.as_ref().is_some_and(|(granted, _)| *granted) && found.changes.is_empty() {
        form.refuse(Refusal::new("register.refused.nothing_changed").at("verdict"));
    }
    let (Some((granted, text)), false) = (said, form.is_refused()) else {
        return show_refused(&one_page(&visit, found, form));
    };
    let body = Answered { request: id, granted, text };
    let fact = typed(&visit, ANSWERED, &found.person, &body)?;
    keep_if_waiting(&visit, id, fact, "register.request.answered").await
}

/// POST `/rights/{id}/take-back`: who asked does not want it any more.
pub(crate) async fn take_back(visit: Visit, Path(id): Path<Uuid>) -> Result<Response, Failure> {
    let found = found(&visit, id).await?;
    let fact = typed(&visit, TAKEN_BACK, &found.person, &TakenBack { request: id })?;
    keep_if_waiting(&visit, id, fact, "register.request.taken_back_now").await
}

/// Keeps the fact that ends a request, unless somebody else ended it in the meantime.
async fn keep_if_waiting(
    visit: &Visit,
    id: Uuid,
    fact: NewFact,
    word: &'static str,
) -> Result<Response, Failure> {
    let (now, record) = (visit.app.clock.now(), visit.app.record.clone());
    let (line, actor) = (visit.app.mint(), visit.actor.clone());
    let within = reach(&visit.actor, Purpose::KeepRegister).ok_or(Failure::NotFound)?;
    let write = move |tx: &mut Transaction<'_>| {
        let request = one_request(tx, &within, id)?;
        let waits = request.is_some_and(|request| request.state == RequestState::Waiting);
        if waits {
            let (person, home) = (fact.subject.id, fact.place);
            record.keep(tx, now, vec![fact])?;
            audit(tx, line, now, &actor, "change", Some(person), home, "", "done")?;
        }
        Ok::<bool, DatabaseError>(waits)
    };
    let path = format!("/rights/{id}");
    if visit.app.database.write(write).await? {
        Ok(Flash::good(visit.page.word(word)).then_go_to(&path))
    } else {
        Ok(Flash::warning(visit.page.word("register.request.ended_already")).then_go_to(&path))
    }
}

/// POST `/rights/{id}/erase`: the person is erased, or is not.
pub(crate) async fn erase(visit: Visit, Path(id): Path<Uuid>, body: FormBody) -> Result<Response, Failure> {
    let found = found(&visit, id).await?;
    if found.request.wish != Wish::Erase || bar(&visit.actor, &found.request) == Some(Bar::NotTheirs) {
        return Err(Failure::NotFound);
    }
    let mut form = body.form(ANSWER);
    let said = read_answer(&visit.page, found.request.wish, &mut form);
    if bar(&visit.actor, &found.request).is_some() {
        form.refuse(Refusal::new("register.erase.own_request"));
    }
    if let (Some((true, _)), Some(day)) = (&said, found.kept_until) {
        let day = visit.page.day(day);
        form.refuse(Refusal::new("register.refused.kept_by_law").with("day", day).at("verdict"));
    }
    let (Some((granted, text)), false) = (said, form.is_refused()) else {
        return show_refused(&one_page(&visit, found, form));
    };
    if !granted {
        let body = Answered { request: id, granted, text };
        let fact = typed(&visit, ANSWERED, &found.person, &body)?;
        return keep_if_waiting(&visit, id, fact, "register.request.answered").await;
    }
    let erasing = Erasing {
        app: visit.app.clone(),
        actor: visit.actor.clone(),
        request: found.request,
        now: visit.app.clock.now(),
        fact: visit.app.mint(),
        line: visit.app.mint(),
    };
    // What names the person may stand with other places: an erasure sees all of them.
    let everywhere = visit.app.database.within(DivisionCode::COUNTRY.range());
    let done = everywhere.write(move |tx| erasing.erase(tx)).await?;
    let flash = if done {
        Flash::good(visit.page.word("register.erased.done"))
    } else {
        Flash::warning(visit.page.word("register.request.ended_already"))
    };
    Ok(flash.then_go_to(&format!("/rights/{id}")))
}

/// All that an erasure needs inside its transaction.
struct Erasing {
    app: App,
    actor: Actor,
    request: RightsRequest,
    now: Moment,
    fact: Uuid,
    line: Uuid,
}

impl Erasing {
    /// Erases all records of the person, and households that nobody is left in. Whether a law keeps anything is asked once more
    /// here: a bill may have come in since the form was shown.
    fn erase(&self, tx: &mut Transaction<'_>) -> Result<bool, DatabaseError> {
        let (id, today) = (self.request.id, self.now.day());
        let Some(within) = reach(&self.actor, Purpose::ErasePeople) else { return Ok(false) };
        let Some(request) = one_request(tx, &within, id)? else { return Ok(false) };
        let person = find_person(tx, PersonId::from_uuid(request.person))?;
        let (RequestState::Waiting, Some(ground), Some(person)) = (request.state, request.ground, person)
        else {
            return Ok(false);
        };
        if all_kept_until(tx, &self.app, &person, today)?.is_some() {
            return Ok(false);
        }
        let mut facts = 0;
        for record in all_records(tx, &person)? {
            facts += erase_one(tx, &self.app.record, &record, self.now)?;
        }
        let (subject, home) = (request.person, request.home);
        audit(tx, self.line, self.now, &self.actor, "erase", Some(subject), home, ground.key(), "done")?;
        let body = Erased { ground, asked_on: request.asked_on, asked_by: request.asked_by, facts };
        let fact = NewFact {
            id: self.fact,
            kind: ERASED.to_owned(),
            subject: Subject::case(id),
            occurred_at: self.now,
            recorded_at: self.now,
            // Of the county alone: in which village somebody lived is of that somebody.
            place: home.at(DivisionLevel::County),
            author: self.actor.account.uuid(),
            source: Source::Typed,
            corrects: None,
            body: serde_json::to_string(&body).map_err(|_| DatabaseError::Refused("an erasure".into()))?,
        };
        self.app.record.keep(tx, self.now, vec![fact])?;
        Ok(true)
    }
}

fn erase_one(
    tx: &mut Transaction<'_>,
    record: &Record,
    person: &Person,
    now: Moment,
) -> Result<u64, DatabaseError> {
    let household = person.body.household;
    let mut facts = record.erase(tx, Subject::person(person.id.uuid()), now)?.facts;
    if others_at_home(tx, household, person.id.uuid())? == 0 {
        facts += record.erase(tx, Subject::household(household), now)?.facts;
    }
    Ok(facts)
}

#[derive(Template)]
#[template(path = "register_erasures.html")]
struct ErasuresPage {
    page: Page,
    list: ListQuery,
    rows: Vec<(Erasure, String)>,
}

/// GET `/erasures`: when somebody was erased, on what ground and by whom; not who it was.
pub(crate) async fn erasures_list(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let mut list = ListQuery::read(&ERASURES, &uri);
    let (within, paging) = (visit.reach.clone(), (list.paging.limit(), list.paging.offset()));
    let read = move |tx: &mut Transaction<'_>| {
        Ok::<_, DatabaseError>((erasures(tx, &within, None, paging)?, count_erasures(tx, &within)?))
    };
    let (rows, total) = visit.app.database.read(read).await?;
    list.found(total.unsigned_abs());
    let requests = visit.page.word("register.requests").into_owned();
    let page = visit.page.titled("register.erasures").under(requests, "/rights");
    let rows = rows.into_iter().map(|erasure| (full_place(erasure.place), erasure));
    show(&ErasuresPage { page, list, rows: rows.map(|(place, erasure)| (erasure, place)).collect() })
}
