//! Claims of institutions for what they waived: how facts become rows, what may be claimed, and all that is read.

mod projection;

use kangmai_access::Reach;
use kangmai_base::{Day, DivisionCode, Fen, Moment, Uuid};
use kangmai_database::{DatabaseError, Opener, Row, Transaction, params};
use kangmai_people::read_name;

pub use projection::CLAIMS;

/// Bills of an institution up to a day on which what a layer waived is not what was claimed. `$3`: the layers, each between
/// spaces. What was claimed in a claim that was withdrawn does not count.
const CLAIMABLE: &str =
    "select bill.id, bill.number, bill.discharged_on, person.name_sealed, found.waived - found.claimed, bill.person
    from (select bill.id as id,
        cast(coalesce((select sum(bill_payment.paid) from bill_payment where bill_payment.bill = bill.id
            and bill_payment.kind = 'institution'
            and $3 like '% ' || bill_payment.layer || ' %'), 0) as bigint) as waived,
        cast(coalesce((select sum(claim_line.amount) from claim_line join claim on claim.id = claim_line.claim
            where claim_line.bill = bill.id and claim.state <> 'withdrawn'), 0) as bigint) as claimed
        from bill where bill.institution = $1 and bill.discharged_on <= $2 and (bill.waived <> 0
            or exists (select 1 from claim_line where claim_line.bill = bill.id))) as found
    join bill on bill.id = found.id left join person on person.id = bill.person
    where found.waived <> found.claimed order by bill.discharged_on, bill.number, bill.id limit $4";
const CLAIM: &str =
    "select claim.id, claim.institution, claim.place, claim.month_end, claim.lines, claim.amount, claim.cut,
    claim.bearer, claim.submitted_at, claim.accepted, claim.reconciled_on, claim.reason, claim.paid_on,
    claim.reference, claim.state, institution.name, submitter.display_name, reconciler.display_name
    from claim left join institution on institution.id = claim.institution
    left join account as submitter on submitter.id = claim.submitted_by
    left join account as reconciler on reconciler.id = claim.reconciled_by
    where claim.id = $1 and claim.place between $2 and $3
    and (cast($4 as uuid) is null or claim.institution = $4)";
const CLAIMS_OF: &str = "select claim.id, claim.institution, claim.place, claim.month_end, claim.lines, claim.amount,
    claim.cut, claim.bearer, claim.submitted_at, claim.accepted, claim.reconciled_on, claim.reason, claim.paid_on,
    claim.reference, claim.state, institution.name, submitter.display_name, reconciler.display_name
    from claim left join institution on institution.id = claim.institution
    left join account as submitter on submitter.id = claim.submitted_by
    left join account as reconciler on reconciler.id = claim.reconciled_by
    where claim.place between $1 and $2 and (cast($3 as uuid) is null or claim.institution = $3)
    and (cast($4 as text) is null or claim.state = $4)
    order by claim.month_end desc, claim.submitted_at desc, claim.id limit $5 offset $6";
const COUNT: &str = "select count(*) from claim where place between $1 and $2
    and (cast($3 as uuid) is null or institution = $3) and (cast($4 as text) is null or state = $4)";
const LINES: &str =
    "select claim_line.bill, bill.number, bill.discharged_on, person.name_sealed, claim_line.amount, claim_line.cut,
    claim_line.reason, bill.person from claim_line left join bill on bill.id = claim_line.bill
    left join person on person.id = bill.person
    where claim_line.claim = $1 order by bill.discharged_on, bill.number, claim_line.bill limit $2 offset $3";
const LINE: &str =
    "select claim_line.bill, bill.number, bill.discharged_on, person.name_sealed, claim_line.amount, claim_line.cut,
    claim_line.reason, bill.person from claim_line left join bill on bill.id = claim_line.bill
    left join person on person.id = bill.person where claim_line.claim = $1 and claim_line.bill = $2";

const SUM: &str = "select cast(coalesce(sum(amount), 0) as bigint),
    cast(coalesce(sum(case when state = 'paid' then accepted else 0 end), 0) as bigint) from claim
    where state <> 'withdrawn' and place between $1 and $2 and month_end between $3 and $4
    and (cast($5 as uuid) is null or institution = $5)";

/// The most lines of one claim; what is over goes into the next.
pub const MOST_CLAIMED: i64 = 20_000;

/// Where a claim stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimState {
    /// It waits for the county.
    Submitted,
    /// The county accepted it, all or in part.
    Reconciled,
    /// It is paid.
    Paid,
    /// The institution took it back.
    Withdrawn,
}

impl ClaimState {
    /// All, in order.
    pub const ALL: [ClaimState; 4] =
        [ClaimState::Submitted, ClaimState::Reconciled, ClaimState::Paid, ClaimState::Withdrawn];

    /// As it stands in the table and in addresses.
    pub const fn key(self) -> &'static str {
        match self {
            ClaimState::Submitted => "submitted",
            ClaimState::Reconciled => "reconciled",
            ClaimState::Paid => "paid",
            ClaimState::Withdrawn => "withdrawn",
        }
    }

    /// Key of its word.
    pub const fn word(self) -> &'static str {
        match self {
            ClaimState::Submitted => "settlement.claim.submitted",
            ClaimState::Reconciled => "settlement.claim.reconciled",
            ClaimState::Paid => "settlement.claim.paid",
            ClaimState::Withdrawn => "settlement.claim.withdrawn",
        }
    }

    /// The tone of its tag.
    pub const fn tone(self) -> &'static str {
        match self {
            ClaimState::Submitted | ClaimState::Reconciled => "warning",
            ClaimState::Paid => "good",
            ClaimState::Withdrawn => "plain",
        }
    }

    /// The state with this key.
    pub fn of_key(key: &str) -> Option<ClaimState> {
        ClaimState::ALL.into_iter().find(|state| state.key() == key)
    }
}

/// A claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Which.
    pub id: Uuid,
    /// Of which institution.
    pub institution: Uuid,
    /// Where that stands.
    pub place: DivisionCode,
    /// The last day of the month.
    pub month_end: Day,
    /// How many lines.
    pub lines: i64,
    /// What they come to.
    pub amount: Fen,
    /// What of it is cut.
    pub cut: Fen,
    /// Who is to pay: a fund.
    pub bearer: String,
    /// When it was submitted.
    pub submitted_at: Moment,
    /// What was accepted.
    pub accepted: Option<Fen>,
    /// When.
    pub reconciled_on: Option<Day>,
    /// What was said to it, or why it was taken back.
    pub reason: Option<String>,
    /// When it was paid.
    pub paid_on: Option<Day>,
    /// Under which number.
    pub reference: Option<String>,
    /// Where it stands.
    pub state: ClaimState,
    /// The institution's name.
    pub institution_name: String,
    /// Who submitted it.
    pub submitter: String,
    /// Who reconciled it.
    pub reconciler: String,
}

/// A line of a claim, or of what may be claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimRow {
    /// The bill.
    pub bill: Uuid,
    /// 结算单号
    pub number: String,
    /// 出院日
    pub discharged_on: Option<Day>,
    /// The person's name.
    pub person_name: String,
    /// What is claimed.
    pub amount: Fen,
    /// What of it is cut.
    pub cut: Fen,
    /// Why.
    pub reason: Option<String>,
}

/// What an institution may claim up to `month_end`: what the layers waived and was not claimed yet, bill by bill.
///
/// # Errors
/// When the database fails.
pub fn claimable(
    tx: &mut Transaction<'_>,
    institution: Uuid,
    month_end: Day,
    layers: &[String],
) -> Result<Vec<ClaimRow>, DatabaseError> {
    let layers = format!(" {} ", layers.join(" "));
    let opener = tx.opener()?;
    let rows = tx.query(CLAIMABLE, &params![institution, month_end, layers, MOST_CLAIMED])?;
    let read = |row: &Row| {
        Ok(ClaimRow {
            bill: row.get(0)?,
            number: row.get(1)?,
            discharged_on: row.get(2)?,
            person_name: read_name(&opener, row, (5, 3))?,
            amount: row.get(4)?,
            cut: Fen::ZERO,
            reason: None,
        })
    };
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Claim, DatabaseError> {
    let state: String = row.get(14)?;
    Ok(Claim {
        id: row.get(0)?,
        institution: row.get(1)?,
        place: row.get(2)?,
        month_end: row.get(3)?,
        lines: row.get(4)?,
        amount: row.get(5)?,
        cut: row.get(6)?,
        bearer: row.get(7)?,
        submitted_at: row.get(8)?,
        accepted: row.get(9)?,
        reconciled_on: row.get(10)?,
        reason: row.get(11)?,
        paid_on: row.get(12)?,
        reference: row.get(13)?,
        state: ClaimState::of_key(&state)
            .ok_or(DatabaseError::WrongType { column: 14, expected: "state of a claim" })?,
        institution_name: row.get::<Option<String>>(15)?.unwrap_or_default(),
        submitter: row.get::<Option<String>>(16)?.unwrap_or_default(),
        reconciler: row.get::<Option<String>>(17)?.unwrap_or_default(),
    })
}

/// One claim within reach.
///
/// # Errors
/// When the database fails.
pub fn claim(tx: &mut Transaction<'_>, reach: &Reach, id: Uuid) -> Result<Option<Claim>, DatabaseError> {
    let asked = params![id, reach.first(), reach.last(), reach.institution()];
    tx.query_one(CLAIM, &asked)?.as_ref().map(read).transpose()
}

/// The claims within reach, the latest month first.
///
/// # Errors
/// When the database fails.
pub fn claims(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    institution: Option<Uuid>,
    state: Option<ClaimState>,
    (limit, offset): (i64, i64),
) -> Result<Vec<Claim>, DatabaseError> {
    let (state, own) = (state.map(ClaimState::key), reach.institution_or(institution));
    let parameters = params![reach.first(), reach.last(), own, state, limit, offset];
    tx.query(CLAIMS_OF, &parameters)?.iter().map(read).collect()
}

/// How many claims there are within reach.
///
/// # Errors
/// When the database fails.
pub fn count_claims(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    institution: Option<Uuid>,
    state: Option<ClaimState>,
) -> Result<i64, DatabaseError> {
    let own = reach.institution_or(institution);
    let parameters = params![reach.first(), reach.last(), own, state.map(ClaimState::key)];
    tx.query_one(COUNT, &parameters)?.map_or(Ok(0), |row| row.get(0))
}

/// What institutions within reach claimed for months that ended from `from` to `to`, and what was paid of it.
///
/// # Errors
/// When the database fails.
pub fn claim_sum(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    from: Day,
    to: Day,
) -> Result<(Fen, Fen), DatabaseError> {
    let row = tx.query_one(SUM, &params![reach.first(), reach.last(), from, to, reach.institution()])?;
    row.map_or(Ok((Fen::ZERO, Fen::ZERO)), |row| Ok((row.get(0)?, row.get(1)?)))
}

fn read_line(row: &Row, opener: &Opener) -> Result<ClaimRow, DatabaseError> {
    Ok(ClaimRow {
        bill: row.get(0)?,
        number: row.get::<Option<String>>(1)?.unwrap_or_default(),
        discharged_on: row.get(2)?,
        person_name: read_name(opener, row, (7, 3))?,
        amount: row.get(4)?,
        cut: row.get(5)?,
        reason: row.get(6)?,
    })
}

/// The lines of a claim, by day of discharge.
///
/// # Errors
/// When the database fails.
pub fn claim_lines(
    tx: &mut Transaction<'_>,
    claim: Uuid,
    limit: i64,
    offset: i64,
) -> Result<Vec<ClaimRow>, DatabaseError> {
    let opener = tx.opener()?;
    tx.query(LINES, &params![claim, limit, offset])?.iter().map(|row| read_line(row, &opener)).collect()
}

/// One line of a claim.
///
/// # Errors
/// When the database fails.
pub fn claim_line(
    tx: &mut Transaction<'_>,
    claim: Uuid,
    bill: Uuid,
) -> Result<Option<ClaimRow>, DatabaseError> {
    let opener = tx.opener()?;
    tx.query_one(LINE, &params![claim, bill])?.as_ref().map(|row| read_line(row, &opener)).transpose()
}
