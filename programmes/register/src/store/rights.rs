//! Requests of people about their own data, and erasures.

use kangmai_access::Reach;
use kangmai_base::{Day, DivisionCode, Uuid};
use kangmai_database::{DatabaseError, Opener, Row, Transaction, params};
use kangmai_people::{Person, read_name};
use kangmai_programme::Holding;
use kangmai_record::{Fact, Projection, Subject, SubjectKind, nothing_along};

use crate::rights::{
    ANSWERED, Answered, CONSENT_GIVEN, CONSENT_WITHDRAWN, ERASED, Erased, Ground, REQUESTED, Requested,
    TAKEN_BACK, TakenBack, Wish, admit,
};

const ASK: &str = "insert into rights_request (id, person, wish, ground, asked_on, asked_by, state)
    values ($1, $2, $3, $4, $5, $6, 'waiting') on conflict (id) do nothing";
const ANSWER: &str = "update rights_request set state = $2, answered_on = $3, answered_by = $4 where id = $1";
const FORGET_REQUESTS: &str = "delete from rights_request where person = $1";
const ADD_ERASURE: &str =
    "insert into erasure (id, place, ground, asked_on, asked_by, erased_on, erased_by, facts)
    values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (id) do nothing";
const REQUESTS: &str = "select rights_request.id, rights_request.person, rights_request.wish,
    rights_request.ground, rights_request.asked_on, rights_request.asked_by, rights_request.state,
    rights_request.answered_on, rights_request.answered_by, person.name_sealed, person.home, asker.display_name, answerer.display_name
    from rights_request join person on person.id = rights_request.person
    left join account as asker on asker.id = rights_request.asked_by
    left join account as answerer on answerer.id = rights_request.answered_by
    where person.home between $1 and $2 and (cast($3 as text) is null or rights_request.state = $3)
    and (cast($4 as text) is null or rights_request.wish = $4)
    and (cast($5 as uuid) is null or rights_request.id = $5)
    and (cast($6 as uuid) is null or rights_request.person = $6)
    order by rights_request.asked_on desc, rights_request.id desc limit $7 offset $8";
const COUNT_REQUESTS: &str = "select count(*) from rights_request
    join person on person.id = rights_request.person
    where person.home between $1 and $2 and (cast($3 as text) is null or rights_request.state = $3)
    and (cast($4 as text) is null or rights_request.wish = $4)";
const WAITING: &str = "select count(*), count(case when rights_request.asked_on <= $3 then 1 end)
    from rights_request join person on person.id = rights_request.person
    where rights_request.state = 'waiting' and person.home between $1 and $2";
const ERASURES: &str =
    "select erasure.id, erasure.place, erasure.ground, erasure.asked_on, erasure.erased_on,
    erasure.facts, asker.display_name, eraser.display_name from erasure
    left join account as asker on asker.id = erasure.asked_by
    left join account as eraser on eraser.id = erasure.erased_by
    where erasure.place between $1 and $2 and (cast($3 as uuid) is null or erasure.id = $3)
    order by erasure.erased_on desc, erasure.id desc limit $4 offset $5";
const COUNT_ERASURES: &str = "select count(*) from erasure where place between $1 and $2";
const LABELS_HELD: &str =
    "select count(*), max(coalesce(to_day, from_day)) from person_label where person = $1";
const OTHERS_AT_HOME: &str = "select count(*) from person where household = $1 and id <> $2";

/// What people asked about their own data. Consents are read from their facts; only that they can be read is asked here.
pub const RIGHTS: Projection = Projection {
    name: "rights",
    kinds: &[CONSENT_GIVEN, CONSENT_WITHDRAWN, REQUESTED, ANSWERED, TAKEN_BACK, ERASED],
    views: &["rights_request", "erasure"],
    admit,
    apply,
    along: nothing_along,
    forget,
};

/// Requests go with whoever asked. That somebody was erased stays.
fn forget(tx: &mut Transaction<'_>, subject: Subject) -> Result<(), DatabaseError> {
    if subject.kind == SubjectKind::Person {
        tx.execute(FORGET_REQUESTS, &params![subject.id])?;
    }
    Ok(())
}

fn apply(tx: &mut Transaction<'_>, facts: &[&Fact]) -> Result<(), DatabaseError> {
    for fact in facts {
        let (new, on) = (&fact.new, fact.new.occurred_at.day());
        match new.kind.as_str() {
            REQUESTED => {
                let body: Requested = fact.body()?;
                let ground = body.ground.map(Ground::key);
                tx.execute(ASK, &params![new.id, new.subject.id, body.wish.key(), ground, on, new.author])?;
            }
            ANSWERED => {
                let body: Answered = fact.body()?;
                let state = if body.granted { RequestState::Granted } else { RequestState::Refused };
                tx.execute(ANSWER, &params![body.request, state.key(), on, new.author])?;
            }
            TAKEN_BACK => {
                let body: TakenBack = fact.body()?;
                let state = RequestState::TakenBack.key();
                tx.execute(ANSWER, &params![body.request, state, on, new.author])?;
            }
            ERASED => {
                let body: Erased = fact.body()?;
                let facts = i64::try_from(body.facts).unwrap_or(i64::MAX);
                let ground = body.ground.key();
                let params = params![
                    new.subject.id,
                    new.place,
                    ground,
                    body.asked_on,
                    body.asked_by,
                    on,
                    new.author,
                    facts
                ];
                tx.execute(ADD_ERASURE, &params)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// How a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestState {
    /// Somebody is to answer.
    Waiting,
    /// Done as asked.
    Granted,
    /// Not done, with a reason.
    Refused,
    /// Not wanted any more.
    TakenBack,
}

impl RequestState {
    /// All of them.
    pub const ALL: [RequestState; 4] =
        [RequestState::Waiting, RequestState::Granted, RequestState::Refused, RequestState::TakenBack];

    /// As it stands in the table.
    pub const fn key(self) -> &'static str {
        match self {
            RequestState::Waiting => "waiting",
            RequestState::Granted => "granted",
            RequestState::Refused => "refused",
            RequestState::TakenBack => "taken_back",
        }
    }

    /// The one with this key.
    pub fn of_key(key: &str) -> Option<RequestState> {
        RequestState::ALL.into_iter().find(|state| state.key() == key)
    }

    /// Key of its word.
    pub const fn word(self) -> &'static str {
        match self {
            RequestState::Waiting => "register.request.waiting",
            RequestState::Granted => "register.request.granted",
            RequestState::Refused => "register.request.refused",
            RequestState::TakenBack => "register.request.taken_back",
        }
    }

    /// The tone of its tag.
    pub const fn tone(self) -> &'static str {
        match self {
            RequestState::Waiting => "warning",
            RequestState::Granted => "good",
            RequestState::Refused | RequestState::TakenBack => "plain",
        }
    }
}

/// A request as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RightsRequest {
    /// The fact by which it was asked.
    pub id: Uuid,
    /// Whose data.
    pub person: Uuid,
    /// What is asked.
    pub wish: Wish,
    /// Of an erasure: why.
    pub ground: Option<Ground>,
    /// When it was asked.
    pub asked_on: Day,
    /// The account that wrote it down.
    pub asked_by: Uuid,
    /// How it stands.
    pub state: RequestState,
    /// When it was answered or taken back.
    pub answered_on: Option<Day>,
    /// By which account.
    pub answered_by: Option<Uuid>,
    /// The name of the person.
    pub name: String,
    /// Where they are at home.
    pub home: DivisionCode,
    /// Who wrote it down, by name.
    pub asker: String,
    /// Who answered, by name.
    pub answerer: String,
}

fn read(row: &Row, opener: &Opener) -> Result<RightsRequest, DatabaseError> {
    let (wish, ground, state): (String, Option<String>, String) = (row.get(2)?, row.get(3)?, row.get(6)?);
    Ok(RightsRequest {
        id: row.get(0)?,
        person: row.get(1)?,
        wish: Wish::of_key(&wish).ok_or(DatabaseError::WrongType { column: 2, expected: "wish" })?,
        ground: ground.as_deref().and_then(Ground::of_key),
        asked_on: row.get(4)?,
        asked_by: row.get(5)?,
        state: RequestState::of_key(&state)
            .ok_or(DatabaseError::WrongType { column: 6, expected: "state of a request" })?,
        answered_on: row.get(7)?,
        answered_by: row.get(8)?,
        name: read_name(opener, row, (1, 9))?,
        home: row.get(10)?,
        asker: row.get::<Option<String>>(11)?.unwrap_or_default(),
        answerer: row.get::<Option<String>>(12)?.unwrap_or_default(),
    })
}

/// Which requests are wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct WantedRequests {
    /// Of this state.
    pub state: Option<RequestState>,
    /// That ask for this.
    pub wish: Option<Wish>,
    /// This one alone.
    pub only: Option<Uuid>,
    /// Of this person.
    pub person: Option<Uuid>,
}

/// The requests within reach, the latest first.
///
/// # Errors
/// When the database fails.
pub fn rights_requests(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    wanted: WantedRequests,
    (limit, offset): (i64, i64),
) -> Result<Vec<RightsRequest>, DatabaseError> {
    let WantedRequests { state, wish, only, person } = wanted;
    let (state, wish) = (state.map(RequestState::key), wish.map(Wish::key));
    let params = params![reach.first(), reach.last(), state, wish, only, person, limit, offset];
    let opener = tx.opener()?;
    tx.query(REQUESTS, &params)?.iter().map(|row| read(row, &opener)).collect()
}

/// How many requests of `state` for `wish` there are within reach.
///
/// # Errors
/// When the database fails.
pub fn count_rights_requests(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    (state, wish): (Option<RequestState>, Option<Wish>),
) -> Result<i64, DatabaseError> {
    let (state, wish) = (state.map(RequestState::key), wish.map(Wish::key));
    let row = tx.query_one(COUNT_REQUESTS, &params![reach.first(), reach.last(), state, wish])?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// How many requests within reach wait for an answer, and how many of them were asked by `late` or before.
///
/// # Errors
/// When the database fails.
pub fn rights_waiting(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    late: Day,
) -> Result<(i64, i64), DatabaseError> {
    let row = tx.query_one(WAITING, &params![reach.first(), reach.last(), late])?;
    row.map_or(Ok((0, 0)), |row| Ok((row.get(0)?, row.get(1)?)))
}

/// That somebody was erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// The request.
    pub id: Uuid,
    /// The county.
    pub place: DivisionCode,
    /// On what ground.
    pub ground: Option<Ground>,
    /// When it was asked.
    pub asked_on: Day,
    /// When it was done.
    pub erased_on: Day,
    /// How many facts were made empty.
    pub facts: i64,
    /// Who wrote the request down, by name.
    pub asker: String,
    /// Who erased, by name.
    pub eraser: String,
}

/// The erasures within reach, the latest first; one alone if it is named.
///
/// # Errors
/// When the database fails.
pub fn erasures(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    only: Option<Uuid>,
    (limit, offset): (i64, i64),
) -> Result<Vec<Erasure>, DatabaseError> {
    let rows = tx.query(ERASURES, &params![reach.first(), reach.last(), only, limit, offset])?;
    rows.iter()
        .map(|row| {
            let ground: String = row.get(2)?;
            Ok(Erasure {
                id: row.get(0)?,
                place: row.get(1)?,
                ground: Ground::of_key(&ground),
                asked_on: row.get(3)?,
                erased_on: row.get(4)?,
                facts: row.get(5)?,
                asker: row.get::<Option<String>>(6)?.unwrap_or_default(),
                eraser: row.get::<Option<String>>(7)?.unwrap_or_default(),
            })
        })
        .collect()
}

/// How many erasures there are within reach.
///
/// # Errors
/// When the database fails.
pub fn count_erasures(tx: &mut Transaction<'_>, reach: &Reach) -> Result<i64, DatabaseError> {
    let row = tx.query_one(COUNT_ERASURES, &params![reach.first(), reach.last()])?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// What the register keeps of a person: the record itself and its labels. No law says for how long: as long as there is
/// anything else.
pub(crate) fn held(
    tx: &mut Transaction<'_>,
    person: &Person,
    _sensitive: bool,
) -> Result<Vec<Holding>, DatabaseError> {
    let of = |word, count, latest| Holding { word, class: None, count, latest };
    let mut held = vec![of("register.held.record", 1, None)];
    if let Some(row) = tx.query_one(LABELS_HELD, &params![person.id])? {
        held.push(of("register.held.labels", row.get(0)?, row.get(1)?));
    }
    Ok(held)
}

/// How many others are in a household.
///
/// # Errors
/// When the database fails.
pub(crate) fn others_at_home(
    tx: &mut Transaction<'_>,
    household: Uuid,
    person: Uuid,
) -> Result<i64, DatabaseError> {
    let row = tx.query_one(OTHERS_AT_HOME, &params![household, person])?;
    row.map_or(Ok(0), |row| row.get(0))
}
