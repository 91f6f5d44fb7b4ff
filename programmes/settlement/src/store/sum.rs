//! Sums by place and year, kept as bills are settled.

use kangmai_access::Reach;
use kangmai_base::Fen;
use kangmai_database::{DatabaseError, Transaction, params};

const BILL_SUM: &str =
    "select cast(coalesce(sum(bills), 0) as bigint), cast(coalesce(sum(total), 0) as bigint),
    cast(coalesce(sum(compliant), 0) as bigint), cast(coalesce(sum(own), 0) as bigint),
    cast(coalesce(sum(own_uncovered), 0) as bigint), cast(coalesce(sum(waived), 0) as bigint)
    from bill_sum where home between $1 and $2 and (cast($3 as bigint) is null or insurance_year = $3)";
const PAYER_SUMS: &str = "select kind, payer, cast(sum(paid) as bigint) from payer_sum
    where home between $1 and $2 and insurance_year = $3 group by kind, payer order by 3 desc, payer limit 40";

/// Sums over settled bills.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BillSum {
    /// How many bills.
    pub bills: i64,
    /// 总费用
    pub total: Fen,
    /// 合规费用
    pub compliant: Fen,
    /// What persons bear.
    pub own: Fen,
    /// What of it lies outside the catalogues.
    pub own_uncovered: Fen,
    /// What institutions waived.
    pub waived: Fen,
}

impl BillSum {
    /// What all payers together took over.
    pub fn reimbursed(&self) -> Fen {
        self.total - self.own
    }
}

/// What one payer took over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayerSum {
    /// Its kind: a key.
    pub kind: String,
    /// The fund's code.
    pub payer: String,
    /// How much.
    pub paid: Fen,
}

/// The sums within reach; of one insurance year or of all. They are kept by place: the desk of one institution has none.
///
/// # Errors
/// When the database fails.
pub fn bill_sum(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    year: Option<i32>,
) -> Result<BillSum, DatabaseError> {
    if reach.institution().is_some() {
        return Ok(BillSum::default());
    }
    let Some(row) = tx.query_one(BILL_SUM, &params![reach.first(), reach.last(), year])? else {
        return Ok(BillSum::default());
    };
    Ok(BillSum {
        bills: row.get(0)?,
        total: row.get(1)?,
        compliant: row.get(2)?,
        own: row.get(3)?,
        own_uncovered: row.get(4)?,
        waived: row.get(5)?,
    })
}

/// Who took over how much within reach in a year, the most first.
///
/// # Errors
/// When the database fails.
pub fn payer_sums(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    year: i32,
) -> Result<Vec<PayerSum>, DatabaseError> {
    if reach.institution().is_some() {
        return Ok(Vec::new());
    }
    let rows = tx.query(PAYER_SUMS, &params![reach.first(), reach.last(), year])?;
    rows.iter().map(|row| Ok(PayerSum { kind: row.get(0)?, payer: row.get(1)?, paid: row.get(2)? })).collect()
}
