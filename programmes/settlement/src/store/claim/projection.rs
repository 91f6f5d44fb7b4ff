//! How facts about claims become rows.

use kangmai_base::{Fen, Refusal};
use kangmai_database::{DatabaseError, InsertMany, Transaction, params};
use kangmai_record::{Fact, NewFact, Projection, SubjectKind, nothing_along, nothing_to_forget};

use crate::facts::{
    CLAIM_CUT, CLAIM_LINES, CLAIM_PAID, CLAIM_RECONCILED, CLAIM_SUBMITTED, CLAIM_WITHDRAWN, ClaimCut,
    ClaimLines, ClaimPaid, ClaimReconciled, ClaimSubmitted, ClaimWithdrawn,
};

const PUT_CLAIM: &str =
    "insert into claim (id, institution, place, month_end, lines, amount, cut, bearer, submitted_at,
    submitted_by, state) values ($1, $2, $3, $4, $5, $6, 0, $7, $8, $9, 'submitted')";
const PUT_LINES: InsertMany = InsertMany {
    table: "claim_line",
    columns: &["claim", "bill", "institution", "amount", "cut"],
    suffix: "",
};
const CUT_LINE: &str = "update claim_line set cut = $3, reason = $4 where claim = $1 and bill = $2";
const SUM_CUTS: &str =
    "update claim set cut = (select cast(coalesce(sum(claim_line.cut), 0) as bigint) from claim_line
    where claim_line.claim = claim.id) where id = $1";
const WITHDRAW: &str = "update claim set state = 'withdrawn', reason = $2 where id = $1";
const RECONCILE: &str =
    "update claim set state = 'reconciled', accepted = $2, reconciled_on = $3, reconciled_by = $4,
    reason = $5 where id = $1";
const PAY: &str = "update claim set state = 'paid', paid_on = $2, reference = $3 where id = $1";

/// The views of claims.
pub const CLAIMS: Projection = Projection {
    name: "settlement claims",
    kinds: &[CLAIM_SUBMITTED, CLAIM_LINES, CLAIM_CUT, CLAIM_WITHDRAWN, CLAIM_RECONCILED, CLAIM_PAID],
    views: &["claim", "claim_line"],
    admit,
    apply,
    along: nothing_along,
    forget: nothing_to_forget,
};

fn admit(fact: &NewFact) -> Result<(), Refusal> {
    if fact.subject.kind != SubjectKind::Institution {
        return Err(Refusal::new("settlement.parked.not_an_institution"));
    }
    match fact.kind.as_str() {
        CLAIM_SUBMITTED => fact.read_body::<ClaimSubmitted>().map(|_| ()),
        CLAIM_LINES => fact.read_body::<ClaimLines>().map(|_| ()),
        CLAIM_CUT => match fact.read_body::<ClaimCut>()?.amount < Fen::ZERO {
            true => Err(Refusal::new("settlement.parked.amounts")),
            false => Ok(()),
        },
        CLAIM_WITHDRAWN => fact.read_body::<ClaimWithdrawn>().map(|_| ()),
        CLAIM_RECONCILED => fact.read_body::<ClaimReconciled>().map(|_| ()),
        _ => fact.read_body::<ClaimPaid>().map(|_| ()),
    }
}

fn apply(tx: &mut Transaction<'_>, facts: &[&Fact]) -> Result<(), DatabaseError> {
    facts.iter().try_for_each(|fact| apply_one(tx, fact))
}

fn apply_one(tx: &mut Transaction<'_>, fact: &Fact) -> Result<(), DatabaseError> {
    let new = &fact.new;
    match new.kind.as_str() {
        CLAIM_SUBMITTED => {
            let body: ClaimSubmitted = fact.body()?;
            let parameters = params![
                body.claim,
                new.subject.id,
                new.place,
                body.month_end,
                body.lines,
                body.amount,
                body.bearer,
                new.occurred_at,
                new.author,
            ];
            tx.execute(PUT_CLAIM, &parameters)?;
        }
        CLAIM_LINES => {
            let body: ClaimLines = fact.body()?;
            let rows =
                body.lines.iter().map(|line| params![body.claim, line.0, new.subject.id, line.1, 0_i64]);
            tx.insert_many(&PUT_LINES, rows)?;
        }
        CLAIM_CUT => {
            let body: ClaimCut = fact.body()?;
            let reason = (body.amount > Fen::ZERO).then_some(body.reason);
            tx.execute(CUT_LINE, &params![body.claim, body.bill, body.amount, reason])?;
            tx.execute(SUM_CUTS, &params![body.claim])?;
        }
        CLAIM_WITHDRAWN => {
            let body: ClaimWithdrawn = fact.body()?;
            tx.execute(WITHDRAW, &params![body.claim, body.reason])?;
        }
        CLAIM_RECONCILED => {
            let body: ClaimReconciled = fact.body()?;
            let parameters = params![body.claim, body.accepted, body.reconciled_on, new.author, body.reason];
            tx.execute(RECONCILE, &parameters)?;
        }
        _ => {
            let body: ClaimPaid = fact.body()?;
            tx.execute(PAY, &params![body.claim, body.paid_on, body.reference])?;
        }
    }
    Ok(())
}
