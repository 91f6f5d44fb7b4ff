//! `/identity`: records that may be of one person. Somebody compares and decides; both records stay, and the decision can
//! be taken back.

use askama::Template;
use axum::extract::Path;
use axum::http::Uri;
use axum::response::Response;
use kangmai_access::{Reach, audit};
use kangmai_base::{Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::{
    Household, HouseholdId, Person, PersonId, aliases, find_household, find_person, same_as,
};
use kangmai_programme::Visit;
use kangmai_record::{NewFact, Source, Subject};
use kangmai_web::{
    Choice, Failure, Field, Flash, Form, FormBody, ListQuery, ListSpec, Page, show, show_refused,
};

use crate::facts::{Decision, SAME_PERSON_DECIDED, SamePersonDecided};
use crate::pages::{LabelTag, dated_tags, full_place, masked_number, who};
use crate::store::{Candidate, candidate, candidates, count_candidates};

const FIELDS: &[Field] = &[Field::text("reason", "register.identity.reason")];
static LIST: ListSpec = ListSpec {
    filters: &[Field::select("state", "register.identity.state")],
    sorts: &["found"],
    descending: false,
};
const STATES: [&str; 3] = ["open", "same", "not_same"];

struct PairLine {
    path: String,
    name: String,
    one: String,
    other: String,
    found_on: String,
    tone: &'static str,
    state: String,
}

#[derive(Template)]
#[template(path = "register_identity.html")]
struct IdentityPage {
    page: Page,
    list: ListQuery,
    lines: Vec<PairLine>,
}

/// One of the two records.
struct Side {
    name: String,
    path: String,
    labels: Vec<LabelTag>,
}

/// One line of the comparison: word, the two values, whether they differ.
struct Compared {
    word: String,
    one: String,
    other: String,
    differs: bool,
}

#[derive(Template)]
#[template(path = "register_identity_pair.html")]
struct PairPage {
    page: Page,
    form: Form,
    one: Side,
    other: Side,
    lines: Vec<Compared>,
    decided: Option<(String, String)>,
    undo: String,
}

/// Both records and what is known of the pair.
struct Pair {
    candidate: Candidate,
    one: (Person, Option<Household>),
    other: (Person, Option<Household>),
}

/// GET: the pairs.
pub(crate) async fn list(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let mut list = ListQuery::read(&LIST, &uri);
    let state_word = |state: &str| visit.page.word(&format!("register.identity.state.{state}")).into_owned();
    list.offer("state", STATES.iter().map(|state| Choice::new(*state, state_word(state))).collect());
    let state = list.chosen("state").unwrap_or("open").to_owned();
    let (reach, paging, asked) = (visit.reach.clone(), list.paging, state.clone());
    let read = move |tx: &mut Transaction<'_>| {
        let total = count_candidates(tx, &reach, &asked)?;
        let mut pairs = Vec::new();
        for candidate in candidates(tx, &reach, &asked, paging.offset(), paging.limit())? {
            let (one, other) = (find_person(tx, candidate.one)?, find_person(tx, candidate.other)?);
            pairs.extend(one.zip(other).map(|(one, other)| (candidate, one, other)));
        }
        Ok::<_, DatabaseError>((pairs, total))
    };
    let (pairs, total) = visit.app.database.read(read).await?;
    list.found(total.unsigned_abs());
    let page = visit.page.titled("register.identity");
    let record = |person: &Person| {
        let number = masked_number(person);
        let number =
            if number.is_empty() { page.word("people.mark.no_id_number").into_owned() } else { number };
        format!("{} {number}", full_place(person.home))
    };
    let lines = pairs
        .iter()
        .map(|(candidate, one, other)| PairLine {
            path: format!("/identity/{}/{}", candidate.one, candidate.other),
            name: one.body.name.clone(),
            one: record(one),
            other: record(other),
            found_on: candidate.found_on.to_string(),
            tone: if candidate.state == "open" { "warning" } else { "plain" },
            state: page.word(&format!("register.identity.state.{}", candidate.state)).into_owned(),
        })
        .collect();
    show(&IdentityPage { page, list, lines })
}

/// GET: two records side by side.
pub(crate) async fn pair(visit: Visit, Path(ids): Path<(Uuid, Uuid)>) -> Result<Response, Failure> {
    let pair = find(&visit, ids).await?;
    note_both(&visit, &pair).await?;
    show(&page_of(visit, &pair, Form::blank(FIELDS)))
}

/// POST: the decision.
pub(crate) async fn decide(
    visit: Visit,
    Path(ids): Path<(Uuid, Uuid)>,
    body: FormBody,
) -> Result<Response, Failure> {
    let pair = find(&visit, ids).await?;
    let decision = match body.act() {
        "same" => Decision::Same,
        "not_same" => Decision::NotSame,
        _ => return Err(Failure::Malformed),
    };
    let mut form = body.form(FIELDS);
    let Some(reason) = form.text("reason") else {
        return show_refused(&page_of(visit, &pair, form));
    };
    if let Err(refusal) = write(&visit, ids, decision, reason).await? {
        form.refuse(refusal);
        return show_refused(&page_of(visit, &pair, form));
    }
    let word = match decision {
        Decision::Same => "register.identity.done.same",
        _ => "register.identity.done.not_same",
    };
    let undo = format!("/identity/{}/{}/undo", ids.0, ids.1);
    Ok(Flash::good(visit.page.say1(word, "name", &pair.one.0.body.name)).undo(undo).then_go_to("/identity"))
}

/// POST: the decision is taken back.
pub(crate) async fn undo(
    visit: Visit,
    Path(ids): Path<(Uuid, Uuid)>,
    _: FormBody,
) -> Result<Response, Failure> {
    find(&visit, ids).await?;
    let reason = visit.page.word("register.identity.undone.reason").into_owned();
    match write(&visit, ids, Decision::Open, reason).await? {
        Ok(()) => {
            let path = format!("/identity/{}/{}", ids.0, ids.1);
            Ok(Flash::good(visit.page.word("register.identity.undone")).then_go_to(&path))
        }
        Err(refusal) => Err(refusal.into()),
    }
}

async fn find(visit: &Visit, (one, other): (Uuid, Uuid)) -> Result<Pair, Failure> {
    let reach = visit.reach.clone();
    let (one, other) = (PersonId::from_uuid(one), PersonId::from_uuid(other));
    let found = visit.app.database.read(move |tx| read(tx, &reach, one, other)).await?;
    found.ok_or(Failure::NotFound)
}

fn read(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    one: PersonId,
    other: PersonId,
) -> Result<Option<Pair>, DatabaseError> {
    let Some(candidate) = candidate(tx, one, other)? else { return Ok(None) };
    let mut side = |id: PersonId| -> Result<Option<(Person, Option<Household>)>, DatabaseError> {
        let Some(person) = find_person(tx, id)?.filter(|person| reach.covers(person.home)) else {
            return Ok(None);
        };
        let household = find_household(tx, HouseholdId::from_uuid(person.body.household))?;
        Ok(Some((person, household)))
    };
    let (one, other) = (side(one)?, side(other)?);
    Ok(one.zip(other).map(|(one, other)| Pair { candidate, one, other }))
}

async fn note_both(visit: &Visit, pair: &Pair) -> Result<(), DatabaseError> {
    let (ids, now, actor) =
        ([visit.app.mint(), visit.app.mint()], visit.app.clock.now(), visit.actor.clone());
    let read = [&pair.one.0, &pair.other.0].map(|person| (person.id.uuid(), person.home));
    let write = move |tx: &mut Transaction<'_>| {
        for (id, (subject, place)) in ids.into_iter().zip(read) {
            audit(tx, id, now, &actor, "read_person", Some(subject), place, "", "done")?;
        }
        Ok::<_, DatabaseError>(())
    };
    visit.app.database.write(write).await
}

fn page_of(visit: Visit, pair: &Pair, form: Form) -> PairPage {
    let list = visit.page.word("register.identity").into_owned();
    let page = visit.page.under(list, "/identity").titled("register.identity.pair");
    let today = visit.today;
    let side = |person: &Person| Side {
        name: person.body.name.clone(),
        path: format!("/people/{}", person.id),
        labels: dated_tags(&page, today, &person.body.labels),
    };
    let decided = (pair.candidate.state != "open").then(|| {
        let word = page.word(&format!("register.identity.state.{}", pair.candidate.state)).into_owned();
        (word, pair.candidate.reason.clone())
    });
    PairPage {
        one: side(&pair.one.0),
        other: side(&pair.other.0),
        lines: compared(&page, today, pair),
        decided,
        undo: format!("/identity/{}/{}/undo", pair.candidate.one, pair.candidate.other),
        form,
        page,
    }
}

fn compared(page: &Page, today: kangmai_base::Day, pair: &Pair) -> Vec<Compared> {
    let values = |(person, household): &(Person, Option<Household>)| {
        let body = &person.body;
        let unknown = || "—".to_owned();
        let household = household.as_ref().map(|household| &household.body);
        [
            ("register.number", body.id_number.as_ref().map_or_else(unknown, |it| it.as_str().to_owned())),
            ("register.sex_and_age", who(page, today, person)),
            ("register.birth", page.day(body.birth)),
            ("register.ethnicity", body.ethnicity.clone().unwrap_or_else(unknown)),
            ("register.home", full_place(person.home)),
            ("register.living", body.living.map_or_else(unknown, full_place)),
            (
                "register.household.number",
                household.map(|it| it.number.clone()).filter(|it| !it.is_empty()).unwrap_or_else(unknown),
            ),
            ("register.address", household.and_then(|it| it.address.clone()).unwrap_or_else(unknown)),
            (
                "register.relation",
                body.relation.map_or_else(unknown, |relation| page.word(relation.word()).into_owned()),
            ),
            ("register.phone", body.phone.as_ref().map_or_else(unknown, |it| it.as_str().to_owned())),
            (
                "register.insurance",
                body.enrolment.map_or_else(unknown, |it| page.word(it.word()).into_owned()),
            ),
        ]
    };
    let line = |((word, one), (_, other)): ((&'static str, String), (&'static str, String))| Compared {
        word: page.word(word).into_owned(),
        differs: one != other,
        one,
        other,
    };
    values(&pair.one).into_iter().zip(values(&pair.other)).map(line).collect()
}

/// Writes the decision down; refused where one of the records is another record of somebody already, so that no chain
/// comes about.
async fn write(
    visit: &Visit,
    (one, other): (Uuid, Uuid),
    decision: Decision,
    reason: String,
) -> Result<Result<(), Refusal>, DatabaseError> {
    let (id, now, author) = (visit.app.mint(), visit.app.clock.now(), visit.actor.account.uuid());
    let record = visit.app.record.clone();
    let work = move |tx: &mut Transaction<'_>| {
        let (first, second) = (PersonId::from_uuid(one), PersonId::from_uuid(other));
        let chained = same_as(tx, second)?.is_some()
            || same_as(tx, first)?.is_some_and(|known| known != second)
            || !aliases(tx, first)?.is_empty();
        if decision == Decision::Same && chained {
            return Ok(Err(Refusal::new("register.refused.chain")));
        }
        let Some(person) = find_person(tx, first)? else { return Ok(Ok(())) };
        let body = SamePersonDecided { other, decision, reason };
        let fact = NewFact {
            id,
            kind: SAME_PERSON_DECIDED.to_owned(),
            subject: Subject::person(one),
            occurred_at: now,
            recorded_at: now,
            place: person.home,
            author,
            source: Source::Typed,
            corrects: None,
            body: serde_json::to_string(&body).unwrap_or_default(),
        };
        record.keep(tx, now, vec![fact])?;
        Ok::<_, DatabaseError>(Ok(()))
    };
    visit.app.database.write(work).await
}
