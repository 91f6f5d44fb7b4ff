//! What bills came to before something else takes its place: read and taken out for many bills at once.

use std::collections::HashMap;

use kangmai_base::{DivisionCode, Uuid};
use kangmai_database::{DatabaseError, Row, Transaction, in_fifties};

use super::{Borne, PAYER_KINDS, PERSON_KIND, Sums, add_borne, payer_kind_key};

const SETTLED_BILLS: &str =
    "select id, home, insurance_year, total, compliant, own, own_uncovered, waived from bill
    where state = 'settled' and id in ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
    $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34,
    $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48, $49, $50)";
const PAYMENTS: &str = "select bill, kind, payer, paid from bill_payment
    where bill in ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
    $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34,
    $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48, $49, $50)";
const CLEAR_PAYMENTS: &str = "delete from bill_payment
    where bill in ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
    $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34,
    $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48, $49, $50)";

/// What a settled bill came to.
pub(super) struct Before {
    home: DivisionCode,
    year: i32,
    /// As [`Sums`] adds them.
    amounts: [i64; 6],
    /// By kind and payer, but the person.
    payments: Vec<(&'static str, String, i64)>,
}

impl Before {
    /// Takes it out of the sums; answers its year and who bore what.
    pub(super) fn take_back(self, sums: &mut Sums) -> (i32, Borne) {
        let mut borne = Borne::new();
        sums.add(self.home, self.year, self.amounts.map(|amount| -amount));
        add_borne(&mut borne, PERSON_KIND, PERSON_KIND, self.amounts[3]);
        for (kind, payer, paid) in self.payments {
            sums.pay(self.home, self.year, kind, &payer, -paid);
            add_borne(&mut borne, kind, &payer, paid);
        }
        (self.year, borne)
    }
}

fn read(row: &Row) -> Result<(Uuid, Before), DatabaseError> {
    let mut amounts = [1; 6];
    for (index, amount) in amounts.iter_mut().enumerate().skip(1) {
        *amount = row.get(index + 2)?;
    }
    let (home, year) = (row.get(1)?, row.get(2)?);
    Ok((row.get(0)?, Before { home, year, amounts, payments: Vec::new() }))
}

/// Those of the bills that are settled, with what they came to. Their payments are gone afterwards.
pub(super) fn taken_out(
    tx: &mut Transaction<'_>,
    bills: &[Uuid],
) -> Result<HashMap<Uuid, Before>, DatabaseError> {
    let mut all = HashMap::with_capacity(bills.len());
    for bills in in_fifties(bills) {
        let mut settled: Vec<Uuid> = Vec::with_capacity(bills.len());
        for row in tx.query(SETTLED_BILLS, &bills)? {
            let (bill, before) = read(&row)?;
            settled.push(bill);
            all.insert(bill, before);
        }
        let Some(settled) = in_fifties(&settled).next() else { continue };
        for row in tx.query(PAYMENTS, &settled)? {
            let (bill, kind): (Uuid, String) = (row.get(0)?, row.get(1)?);
            let kind = PAYER_KINDS.into_iter().map(payer_kind_key).find(|known| **known == kind);
            let kind = kind.ok_or(DatabaseError::WrongType { column: 1, expected: "kind of payer" })?;
            if let Some(before) = all.get_mut(&bill) {
                before.payments.push((kind, row.get(2)?, row.get(3)?));
            }
        }
        tx.execute(CLEAR_PAYMENTS, &settled)?;
    }
    Ok(all)
}
