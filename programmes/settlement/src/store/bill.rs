//! Reading bills: one, a list, those of a person or household.

use kangmai_access::Reach;
use kangmai_base::{Day, DivisionCode, Fen, Moment, Uuid};
use kangmai_database::{DatabaseError, Opener, Row, Transaction, Value, params};
use kangmai_people::read_name;
use kangmai_record::{Source, open_body};
use serde::de::DeserializeOwned;

use crate::facts::BillReceived;

const BILL: &str = "select bill.id, bill.fact, bill.number, bill.person, bill.household, bill.home, bill.institution,
    bill.insurance_year, bill.received_at, bill.state, bill.receipt, bill.closing, person.name_sealed, institution.name,
    institution.code
    from bill left join person on person.id = bill.person left join institution on institution.id = bill.institution
    where bill.id = $1 and bill.home between $2 and $3
    and (cast($4 as uuid) is null or bill.institution = $4)";
const KNOWN: &str =
    "select id, state, content, person, total, insurance_year, fact, home, household from bill
    where institution = $1 and number = $2 order by received_at, id limit 1";
const FACT_SOURCE: &str = "select source from fact where id = $1 and erased_at is null";
const FACT_BODY: &str = "select body, body_sealed from fact where id = $1 and erased_at is null";
const PAYMENTS: &str = "select layer, payer, kind, paid from bill_payment where bill = $1";
/// A wide scope, newest first: through the days.
const BY_DAY: &str =
    "select bill.id, bill.number, bill.person, bill.home, bill.admitted_on, bill.discharged_on,
    bill.setting, bill.total, bill.compliant, bill.own, bill.own_uncovered, bill.waived, bill.state, person.name_sealed,
    institution.name
    from (select id, discharged_on from bill where discharged_on between $3 and $4 and home between $1 and $2
        order by discharged_on desc, home desc, id desc limit $5 offset $6) as page
    join bill on bill.id = page.id
    left join person on person.id = bill.person left join institution on institution.id = bill.institution
    order by bill.discharged_on desc, bill.home desc, bill.id desc";
/// A narrow scope: all its bills, then the newest.
const BY_HOME: &str =
    "select bill.id, bill.number, bill.person, bill.home, bill.admitted_on, bill.discharged_on,
    bill.setting, bill.total, bill.compliant, bill.own, bill.own_uncovered, bill.waived, bill.state, person.name_sealed,
    institution.name
    from (select id, discharged_on from bill where home between $1 and $2 and +discharged_on between $3 and $4
        and (cast($7 as text) is null or state = $7) order by discharged_on desc, home desc, id desc limit $5 offset $6) as page
    join bill on bill.id = page.id
    left join person on person.id = bill.person left join institution on institution.id = bill.institution
    order by bill.discharged_on desc, bill.home desc, bill.id desc";
/// The bills of one institution, newest first: a desk has no others.
const BY_INSTITUTION: &str =
    "select bill.id, bill.number, bill.person, bill.home, bill.admitted_on, bill.discharged_on,
    bill.setting, bill.total, bill.compliant, bill.own, bill.own_uncovered, bill.waived, bill.state, person.name_sealed,
    institution.name
    from (select id, discharged_on from bill where institution = $7 and discharged_on between $3 and $4
        and +home between $1 and $2 and (cast($8 as text) is null or state = $8)
        order by discharged_on desc, home desc, id desc limit $5 offset $6) as page
    join bill on bill.id = page.id
    left join person on person.id = bill.person left join institution on institution.id = bill.institution
    order by bill.discharged_on desc, bill.home desc, bill.id desc";
/// Bills in a state that few are in.
const BY_STATE: &str = "select bill.id, bill.number, bill.person, bill.home, bill.admitted_on, bill.discharged_on,
    bill.setting, bill.total, bill.compliant, bill.own, bill.own_uncovered, bill.waived, bill.state, person.name_sealed,
    institution.name
    from bill left join person on person.id = bill.person left join institution on institution.id = bill.institution
    where bill.state = $7 and bill.state <> 'settled' and bill.home between $1 and $2
        and bill.discharged_on between $3 and $4
    order by bill.discharged_on desc, bill.home desc, bill.id desc limit $5 offset $6";
/// Settled ones only, through the days.
const SETTLED_BY_DAY: &str = "select bill.id, bill.number, bill.person, bill.home, bill.admitted_on,
    bill.discharged_on, bill.setting, bill.total, bill.compliant, bill.own, bill.own_uncovered, bill.waived, bill.state, person.name_sealed,
    institution.name
    from (select id, discharged_on from bill where discharged_on between $3 and $4 and home between $1 and $2
        and state = 'settled' order by discharged_on desc, home desc, id desc limit $5 offset $6) as page
    join bill on bill.id = page.id
    left join person on person.id = bill.person left join institution on institution.id = bill.institution
    order by bill.discharged_on desc, bill.home desc, bill.id desc";
const COUNT_BY_DAY: &str = "select count(*) from (select 1 from bill where discharged_on between $3 and $4
    and home between $1 and $2 limit $5) as counted";
const COUNT_BY_HOME: &str = "select count(*) from (select 1 from bill where home between $1 and $2
    and +discharged_on between $3 and $4 and (cast($6 as text) is null or state = $6) limit $5) as counted";
const COUNT_BY_INSTITUTION: &str = "select count(*) from (select 1 from bill where institution = $6
    and discharged_on between $3 and $4 and +home between $1 and $2
    and (cast($7 as text) is null or state = $7) limit $5) as counted";
const COUNT_BY_STATE: &str =
    "select count(*) from (select 1 from bill where state = $6 and state <> 'settled'
    and home between $1 and $2 and discharged_on between $3 and $4 limit $5) as counted";
const OF_PERSON: &str = "select bill.id, bill.number, bill.person, bill.home, bill.admitted_on, bill.discharged_on,
    bill.setting, bill.total, bill.compliant, bill.own, bill.own_uncovered, bill.waived, bill.state, person.name_sealed,
    institution.name
    from bill left join person on person.id = bill.person left join institution on institution.id = bill.institution
    where bill.person = $1 and bill.discharged_on >= $2
    and (cast($4 as uuid) is null or bill.institution = $4) order by bill.discharged_on desc, bill.id limit $3";
const UNSETTLED: &str = "select count(*) from bill where state in ('received', 'gap') and state <> 'settled'
    and home between $1 and $2 and (cast($3 as uuid) is null or institution = $3)";
/// A scope with more bills than this is read through the days.
const NARROW: i64 = 20_000;
/// Counting goes so far: behind it one filters.
const MOST_COUNTED: i64 = 100_000;

/// What became of a bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BillState {
    /// It came in and waits for the settlement of its person-year.
    Received,
    /// No policy settles it.
    Gap,
    /// It is settled.
    Settled,
    /// It was cancelled.
    Cancelled,
}

impl BillState {
    /// All, in order.
    pub const ALL: [BillState; 4] =
        [BillState::Settled, BillState::Gap, BillState::Received, BillState::Cancelled];

    /// As it stands in the table and in addresses.
    pub const fn key(self) -> &'static str {
        match self {
            BillState::Received => "received",
            BillState::Gap => "gap",
            BillState::Settled => "settled",
            BillState::Cancelled => "cancelled",
        }
    }

    /// Key of its word.
    pub const fn word(self) -> &'static str {
        match self {
            BillState::Received => "settlement.state.received",
            BillState::Gap => "settlement.state.gap",
            BillState::Settled => "settlement.state.settled",
            BillState::Cancelled => "settlement.state.cancelled",
        }
    }

    /// The tone of its tag.
    pub const fn tone(self) -> &'static str {
        match self {
            BillState::Received | BillState::Gap => "warning",
            BillState::Settled => "good",
            BillState::Cancelled => "plain",
        }
    }

    /// The state with this key.
    pub fn of_key(key: &str) -> Option<BillState> {
        BillState::ALL.into_iter().find(|state| state.key() == key)
    }
}

fn read_state(row: &Row, column: usize) -> Result<BillState, DatabaseError> {
    let key: String = row.get(column)?;
    BillState::of_key(&key).ok_or(DatabaseError::WrongType { column, expected: "state of a bill" })
}

/// One bill: what the table knows besides its facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    /// Which.
    pub id: Uuid,
    /// The fact that it came in by.
    pub fact: Uuid,
    /// 结算单号
    pub number: String,
    /// Whose.
    pub person: Uuid,
    /// Their household then.
    pub household: Uuid,
    /// Their home place then.
    pub home: DivisionCode,
    /// Who treated.
    pub institution: Uuid,
    /// The insurance year.
    pub year: i32,
    /// When it was received.
    pub received_at: Moment,
    /// What became of it.
    pub state: BillState,
    /// The fact of its receipt, or of why there is none.
    pub receipt: Option<Uuid>,
    /// The fact that cancelled it.
    pub closing: Option<Uuid>,
    /// The person's name now.
    pub person_name: String,
    /// The institution's name now.
    pub institution_name: String,
    /// The institution's code now.
    pub institution_code: String,
}

/// A bill within reach.
///
/// # Errors
/// When the database fails.
pub fn bill(tx: &mut Transaction<'_>, reach: &Reach, id: Uuid) -> Result<Option<Bill>, DatabaseError> {
    let asked = params![id, reach.first(), reach.last(), reach.institution()];
    let opener = tx.opener()?;
    let Some(row) = tx.query_one(BILL, &asked)? else { return Ok(None) };
    Ok(Some(Bill {
        id: row.get(0)?,
        fact: row.get(1)?,
        number: row.get(2)?,
        person: row.get(3)?,
        household: row.get(4)?,
        home: row.get(5)?,
        institution: row.get(6)?,
        year: row.get(7)?,
        received_at: row.get(8)?,
        state: read_state(&row, 9)?,
        receipt: row.get(10)?,
        closing: row.get(11)?,
        person_name: read_name(&opener, &row, (3, 12))?,
        institution_name: row.get::<Option<String>>(13)?.unwrap_or_default(),
        institution_code: row.get::<Option<String>>(14)?.unwrap_or_default(),
    }))
}

/// A bill that an institution's number names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Which.
    pub id: Uuid,
    /// What became of it.
    pub state: BillState,
    /// What it says, as a number; see [`BillReceived::content`].
    pub content: i64,
    /// Whose.
    pub person: Uuid,
    /// Its total.
    pub total: Fen,
    /// Its insurance year.
    pub year: i32,
    /// The fact that it came in by.
    pub fact: Uuid,
    /// Its person's home place then.
    pub home: DivisionCode,
    /// The person's household when it came in.
    pub household: Uuid,
}

/// The bill that `number` of an institution names, wherever its person lives.
///
/// # Errors
/// When the database fails.
pub fn known_bill(
    tx: &mut Transaction<'_>,
    institution: Uuid,
    number: &str,
) -> Result<Option<Known>, DatabaseError> {
    let Some(row) = tx.query_one(KNOWN, &params![institution, number])? else { return Ok(None) };
    Ok(Some(Known {
        id: row.get(0)?,
        state: read_state(&row, 1)?,
        content: row.get(2)?,
        person: row.get(3)?,
        total: row.get(4)?,
        year: row.get(5)?,
        fact: row.get(6)?,
        home: row.get(7)?,
        household: row.get(8)?,
    }))
}

fn body<T: DeserializeOwned>(tx: &mut Transaction<'_>, fact: Uuid) -> Result<Option<T>, DatabaseError> {
    let Some(row) = tx.query_one(FACT_BODY, &params![fact])? else { return Ok(None) };
    let text = open_body(tx, fact, (row.get(0)?, row.get(1)?))?;
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|_| DatabaseError::Refused(format!("the fact {fact} cannot be read as what it should be")))
}

/// What a bill says.
///
/// # Errors
/// When the database fails.
pub fn body_of(tx: &mut Transaction<'_>, bill: &Bill) -> Result<Option<BillReceived>, DatabaseError> {
    body(tx, bill.fact)
}

/// What the bill of the fact `fact` says.
///
/// # Errors
/// When the database fails.
pub fn body_of_fact(tx: &mut Transaction<'_>, fact: Uuid) -> Result<Option<BillReceived>, DatabaseError> {
    body(tx, fact)
}

/// Where a bill comes from.
///
/// # Errors
/// When the database fails.
pub fn source_of(tx: &mut Transaction<'_>, bill: &Bill) -> Result<Source, DatabaseError> {
    let key = match tx.query_one(FACT_SOURCE, &params![bill.fact])? {
        Some(row) => row.get::<String>(0)?,
        None => String::new(),
    };
    Source::from_key(&key).ok_or(DatabaseError::WrongType { column: 0, expected: "source" })
}

/// The receipt (or the reason for none, or the cancelling) that `fact` holds.
///
/// # Errors
/// When the database fails.
pub fn receipt_of<T: DeserializeOwned>(
    tx: &mut Transaction<'_>,
    fact: Option<Uuid>,
) -> Result<Option<T>, DatabaseError> {
    fact.map_or(Ok(None), |fact| body(tx, fact))
}

/// What each layer paid on a bill: layer, payer, kind, amount. Only what is not zero.
///
/// # Errors
/// When the database fails.
pub fn payments(
    tx: &mut Transaction<'_>,
    bill: Uuid,
) -> Result<Vec<(String, String, String, Fen)>, DatabaseError> {
    let rows = tx.query(PAYMENTS, &params![bill])?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).collect()
}

/// A line of a list of bills. No diagnosis: a list never shows one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillRow {
    /// Which.
    pub id: Uuid,
    /// 结算单号
    pub number: String,
    /// Whose.
    pub person: Uuid,
    /// Their home place then.
    pub home: DivisionCode,
    /// 入院日
    pub admitted_on: Day,
    /// 出院日
    pub discharged_on: Day,
    /// 就诊类型: a key.
    pub setting: String,
    /// 总费用
    pub total: Fen,
    /// 合规费用
    pub compliant: Fen,
    /// 个人自付; zero unless settled.
    pub own: Fen,
    /// What of it lies outside the catalogues.
    pub own_uncovered: Fen,
    /// What the institution waived.
    pub waived: Fen,
    /// What became of it.
    pub state: BillState,
    /// The person's name.
    pub person_name: String,
    /// The institution's name.
    pub institution_name: String,
}

fn read_row(row: &Row, opener: &Opener) -> Result<BillRow, DatabaseError> {
    Ok(BillRow {
        id: row.get(0)?,
        number: row.get(1)?,
        person: row.get(2)?,
        home: row.get(3)?,
        admitted_on: row.get(4)?,
        discharged_on: row.get(5)?,
        setting: row.get(6)?,
        total: row.get(7)?,
        compliant: row.get(8)?,
        own: row.get(9)?,
        own_uncovered: row.get(10)?,
        waived: row.get(11)?,
        state: read_state(row, 12)?,
        person_name: read_name(opener, row, (2, 13))?,
        institution_name: row.get::<Option<String>>(14)?.unwrap_or_default(),
    })
}

/// Which bills a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BillFilter {
    /// Discharged from.
    pub from: Option<Day>,
    /// Discharged to, included.
    pub to: Option<Day>,
    /// In this state.
    pub state: Option<BillState>,
}

impl BillFilter {
    fn is_all(self) -> bool {
        self == BillFilter::default()
    }

    fn days(self) -> (Day, Day) {
        (self.from.unwrap_or(Day(i32::MIN)), self.to.unwrap_or(Day(i32::MAX)))
    }
}

/// Which statement reads a list fastest.
enum Way {
    /// A wide scope: through the days, all or only the settled ones.
    Day,
    SettledDay,
    /// A narrow scope: all its bills, or only the settled ones.
    Home(Option<BillState>),
    /// A state that few bills are in.
    State(BillState),
    /// One institution only.
    Institution(Uuid, Option<BillState>),
}

fn way(tx: &mut Transaction<'_>, reach: &Reach, filter: BillFilter) -> Result<Way, DatabaseError> {
    if let Some(own) = reach.institution() {
        return Ok(Way::Institution(own, filter.state));
    }
    let settled = match filter.state {
        None => false,
        Some(BillState::Settled) => true,
        Some(state) => return Ok(Way::State(state)),
    };
    let is_narrow = super::bill_sum(tx, reach, None)?.bills <= NARROW;
    Ok(match (is_narrow, settled) {
        (true, _) => Way::Home(filter.state),
        (false, true) => Way::SettledDay,
        (false, false) => Way::Day,
    })
}

/// A page of the bills within reach, the latest discharged first.
///
/// # Errors
/// When the database fails.
pub fn bill_rows(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    filter: BillFilter,
    limit: i64,
    offset: i64,
) -> Result<Vec<BillRow>, DatabaseError> {
    let mut rows = Vec::new();
    each_bill(tx, reach, filter, limit, offset, |row| {
        rows.push(row);
        Ok(())
    })?;
    Ok(rows)
}

/// The same, row by row: for an export.
///
/// # Errors
/// When the database fails or `each` does.
pub fn each_bill(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    filter: BillFilter,
    limit: i64,
    offset: i64,
    mut each: impl FnMut(BillRow) -> Result<(), DatabaseError>,
) -> Result<(), DatabaseError> {
    let (from, to) = filter.days();
    let mut parameters: Vec<Value> = params![reach.first(), reach.last(), from, to, limit, offset].into();
    let statement = match way(tx, reach, filter)? {
        Way::Day => BY_DAY,
        Way::SettledDay => SETTLED_BY_DAY,
        Way::Home(state) => {
            parameters.push(state.map(BillState::key).into());
            BY_HOME
        }
        Way::State(state) => {
            parameters.push(state.key().into());
            BY_STATE
        }
        Way::Institution(own, state) => {
            parameters.extend([own.into(), state.map(BillState::key).into()]);
            BY_INSTITUTION
        }
    };
    let opener = tx.opener()?;
    tx.for_each(statement, &parameters, |row| each(read_row(&row, &opener)?))
}

/// How many bills a list has; counted as far as 100,000.
///
/// # Errors
/// When the database fails.
pub fn count_bills(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    filter: BillFilter,
) -> Result<i64, DatabaseError> {
    let (from, to) = filter.days();
    let is_all = (BillFilter { state: None, ..filter }).is_all() && reach.institution().is_none();
    if is_all && filter.state == Some(BillState::Settled) {
        return Ok(super::bill_sum(tx, reach, None)?.bills);
    }
    let mut parameters: Vec<Value> = params![reach.first(), reach.last(), from, to, MOST_COUNTED].into();
    let statement = match way(tx, reach, filter)? {
        // Of the bills of some days few are not settled.
        Way::Day | Way::SettledDay => COUNT_BY_DAY,
        Way::Home(state) => {
            parameters.push(state.map(BillState::key).into());
            COUNT_BY_HOME
        }
        Way::State(state) => {
            parameters.push(state.key().into());
            COUNT_BY_STATE
        }
        Way::Institution(own, state) => {
            parameters.extend([own.into(), state.map(BillState::key).into()]);
            COUNT_BY_INSTITUTION
        }
    };
    tx.query_one(statement, &parameters)?.map_or(Ok(0), |row| row.get(0))
}

/// A person's bills discharged on `since` or later, the latest first. The caller asks access for the person.
///
/// # Errors
/// When the database fails.
pub fn bills_of_person(
    tx: &mut Transaction<'_>,
    person: Uuid,
    since: Day,
    limit: i64,
) -> Result<Vec<BillRow>, DatabaseError> {
    let asked = params![person, since, limit, None::<Uuid>];
    let opener = tx.opener()?;
    tx.query(OF_PERSON, &asked)?.iter().map(|row| read_row(row, &opener)).collect()
}

/// The same, only those within reach: at the desk of an institution its own.
///
/// # Errors
/// When the database fails.
pub fn bills_of_person_within(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    person: Uuid,
    since: Day,
    limit: i64,
) -> Result<Vec<BillRow>, DatabaseError> {
    let asked = params![person, since, limit, reach.institution()];
    let opener = tx.opener()?;
    tx.query(OF_PERSON, &asked)?.iter().map(|row| read_row(row, &opener)).collect()
}

/// The bills of several persons discharged on `since` or later, by person.
///
/// # Errors
/// When the database fails.
pub fn bills_of_household(
    tx: &mut Transaction<'_>,
    members: &[Uuid],
    since: Day,
) -> Result<Vec<BillRow>, DatabaseError> {
    let mut all = Vec::new();
    for member in members {
        all.extend(bills_of_person(tx, *member, since, 1_000)?);
    }
    Ok(all)
}

/// How many bills within reach are not settled yet, for want of a policy or of time.
///
/// # Errors
/// When the database fails.
pub fn unsettled(tx: &mut Transaction<'_>, reach: &Reach) -> Result<i64, DatabaseError> {
    let asked = params![reach.first(), reach.last(), reach.institution()];
    tx.query_one(UNSETTLED, &asked)?.map_or(Ok(0), |row| row.get(0))
}
