//! Reading the ledger: what each fact changed for whoever bears part of a bill.

use kangmai_access::Reach;
use kangmai_base::{Day, DivisionCode, Fen, Moment, Uuid};
use kangmai_database::{DatabaseError, Opener, Row, Transaction, Value, params};
use kangmai_people::read_name;

use crate::facts::Why;

const OF_BILL: &str =
    "select posting.fact, posting.bill, posting.person, posting.home, posting.insurance_year,
    posting.kind, posting.payer, posting.amount, posting.cause, other.id, posting.release,
    posting.posted_at, '', cast(null as bytea) from posting left join bill as other on other.id = posting.cause_bill where posting.bill = $1
    order by posting.posted_at, posting.place_sequence, posting.kind, posting.payer limit 10000";
const LIST: &str = "select page.fact, page.bill, page.person, page.home, page.insurance_year, page.kind, page.payer,
    page.amount, page.cause, other.id, page.release, page.posted_at, bill.number, person.name_sealed
    from (select * from posting where posted_on between $3 and $4 and +home between $1 and $2
        and (cast($5 as text) is null or payer = $5) and (cast($6 as text) is null or cause = $6)
        and (cast($7 as uuid) is null or exists (select 1 from bill where bill.id = posting.bill
            and bill.institution = $7))
        order by posted_on desc, posted_at desc, place_sequence desc, fact, kind, payer limit $8 offset $9) as page
    left join bill on bill.id = page.bill left join bill as other on other.id = page.cause_bill left join person on person.id = page.person
    order by page.posted_on desc, page.posted_at desc, page.place_sequence desc, page.fact, page.kind, page.payer";
const COUNT: &str = "select count(*) from (select 1 from posting where posted_on between $3 and $4
    and +home between $1 and $2 and (cast($5 as text) is null or payer = $5)
    and (cast($6 as text) is null or cause = $6)
    and (cast($7 as uuid) is null or exists (select 1 from bill where bill.id = posting.bill
        and bill.institution = $7)) limit $8) as counted";
const SUMS: &str =
    "select kind, payer, count(*), cast(sum(case when amount > 0 then amount else 0 end) as bigint),
    cast(sum(case when amount < 0 then amount else 0 end) as bigint) from posting
    where posted_on between $3 and $4 and +home between $1 and $2
    and (cast($5 as text) is null or payer = $5) and (cast($6 as text) is null or cause = $6)
    and (cast($7 as uuid) is null or exists (select 1 from bill where bill.id = posting.bill
        and bill.institution = $7))
    group by kind, payer order by kind, payer limit 60";
/// Counting goes so far: behind it one filters.
const MOST_COUNTED: i64 = 100_000;

/// A line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostingRow {
    /// The fact that changed it.
    pub fact: Uuid,
    /// The bill.
    pub bill: Uuid,
    /// Whose.
    pub person: Uuid,
    /// Their home place then.
    pub home: DivisionCode,
    /// The insurance year.
    pub year: i32,
    /// Kind of who bears it: a key; `person` is the patient.
    pub kind: String,
    /// The fund's code, or `person`.
    pub payer: String,
    /// By how much that changed.
    pub amount: Fen,
    /// Why; receipts of the first releases do not say.
    pub cause: Option<Why>,
    /// The bill that it happened to, if it is another and still there.
    pub cause_bill: Option<Uuid>,
    /// Hash of the policy release, if a new one is why.
    pub release: Option<String>,
    /// When.
    pub posted_at: Moment,
    /// 结算单号; in lists.
    pub number: String,
    /// The person's name; in lists.
    pub person_name: String,
}

fn read_row(row: &Row, opener: &Opener) -> Result<PostingRow, DatabaseError> {
    Ok(PostingRow {
        fact: row.get(0)?,
        bill: row.get(1)?,
        person: row.get(2)?,
        home: row.get(3)?,
        year: row.get(4)?,
        kind: row.get(5)?,
        payer: row.get(6)?,
        amount: row.get(7)?,
        cause: row.get::<Option<String>>(8)?.as_deref().and_then(Why::of_key),
        cause_bill: row.get(9)?,
        release: row.get(10)?,
        posted_at: row.get(11)?,
        number: row.get::<Option<String>>(12)?.unwrap_or_default(),
        person_name: read_name(opener, row, (2, 13))?,
    })
}

/// Which postings a list shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostingFilter {
    /// Posted from.
    pub from: Day,
    /// Posted to, included.
    pub to: Day,
    /// The fund's code, or `person`.
    pub payer: Option<String>,
    /// Why.
    pub cause: Option<Why>,
}

impl PostingFilter {
    fn parameters(&self, reach: &Reach) -> Vec<Value> {
        let cause = self.cause.map(Why::key);
        let own = reach.institution();
        params![reach.first(), reach.last(), self.from, self.to, self.payer.as_deref(), cause, own].into()
    }
}

/// What was posted for one who bears parts of bills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostingSum {
    /// Kind of who bears it.
    pub kind: String,
    /// The fund's code, or `person`.
    pub payer: String,
    /// How many lines.
    pub lines: i64,
    /// What was added.
    pub added: Fen,
    /// What was taken back: zero or less.
    pub taken_back: Fen,
}

impl PostingSum {
    /// What is left of both.
    pub fn balance(&self) -> Fen {
        self.added + self.taken_back
    }
}

/// The history of one bill, oldest first. The caller asks access for the bill.
///
/// # Errors
/// When the database fails.
pub fn postings_of(tx: &mut Transaction<'_>, bill: Uuid) -> Result<Vec<PostingRow>, DatabaseError> {
    let opener = tx.opener()?;
    tx.query(OF_BILL, &params![bill])?.iter().map(|row| read_row(row, &opener)).collect()
}

/// A page of the postings within reach, the latest first.
///
/// # Errors
/// When the database fails.
pub fn postings(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    filter: &PostingFilter,
    limit: i64,
    offset: i64,
) -> Result<Vec<PostingRow>, DatabaseError> {
    let mut parameters = filter.parameters(reach);
    parameters.extend([limit.into(), offset.into()]);
    let opener = tx.opener()?;
    tx.query(LIST, &parameters)?.iter().map(|row| read_row(row, &opener)).collect()
}

/// How many postings a list has; counted as far as 100,000.
///
/// # Errors
/// When the database fails.
pub fn count_postings(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    filter: &PostingFilter,
) -> Result<i64, DatabaseError> {
    let mut parameters = filter.parameters(reach);
    parameters.push(MOST_COUNTED.into());
    tx.query_one(COUNT, &parameters)?.map_or(Ok(0), |row| row.get(0))
}

/// What was posted for whom within reach.
///
/// # Errors
/// When the database fails.
pub fn posting_sums(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    filter: &PostingFilter,
) -> Result<Vec<PostingSum>, DatabaseError> {
    let rows = tx.query(SUMS, &filter.parameters(reach))?;
    let read = |row: &Row| {
        Ok(PostingSum {
            kind: row.get(0)?,
            payer: row.get(1)?,
            lines: row.get(2)?,
            added: row.get(3)?,
            taken_back: row.get(4)?,
        })
    };
    rows.iter().map(read).collect()
}
