//! Day-end reconciliation: the hospital sends its day, and each difference to the ledger is named.

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Bytes;
use axum::response::Response;
use kangmai_base::{Day, DivisionCode, Fen, Id, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_places::Institution;
use kangmai_policy::Release;
use kangmai_programme::Call;
use kangmai_record::{NewFact, Subject};
use kangmai_web::{ApiFailure, JsonFields, Problem, Problems, read_json};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Worked, hand, once};
use crate::facts::{
    DAY_LINES, DAY_RECONCILED, DayDifference, DayLine, DayLines, DayReconciled, DaySide, DayStatus,
    DayTotals, FundAmount, FundsBy,
};
use crate::rules::{LONGEST_NUMBER, agree, reconcile as hold_against, totals};
use crate::settling::Hand;
use crate::store::day::ledger_of_day;

/// The most bills of a day.
const MOST_BILLS: usize = 10_000;
/// How far back a day may lie that is reconciled, in days: ten years, as long as vouchers of a fund are kept at least.
const FARTHEST_BACK_DAYS: i32 = 3_653;
/// The most funds of a bill.
const MOST_FUNDS: usize = 30;
/// The longest code of a fund, in characters.
const LONGEST_CODE: usize = 40;

/// A day as the hospital has it.
struct DayAsked {
    day: Day,
    funds_by: FundsBy,
    /// None: the sums of the bills.
    totals: Option<DayTotals>,
    /// None: totals only.
    bills: Option<Vec<(String, DaySide)>>,
}

/// POST reconcile: the bills of a day, or first their totals.
pub(crate) async fn reconcile(call: Call, body: Bytes) -> Result<Response, ApiFailure> {
    let sent = read_json(&body)?;
    let asked = read_day(&sent, call.today)?;
    once(call, "reconcile", &sent, move |tx, call| work(tx, call, &asked)).await
}

fn read_day(sent: &Value, today: Day) -> Result<DayAsked, ApiFailure> {
    let problems = Problems::default();
    let fields = JsonFields::of(sent, &problems);
    let day = fields.day("day");
    if day.is_some_and(|day| day > today) {
        fields.refuse("day", Refusal::new("settlement.refused.day_to_come").with("today", today.to_string()));
    }
    let first = today.plus_days(-FARTHEST_BACK_DAYS);
    if day.is_some_and(|day| day < first) {
        fields.refuse("day", Refusal::new("settlement.refused.day_too_old").with("first", first.to_string()));
    }
    let funds_by = match fields.text_maybe("funds_by", LONGEST_CODE) {
        None => FundsBy::Fund,
        Some(name) => FundsBy::of_key(&name).unwrap_or_else(|| {
            let list = FundsBy::NAMES.join(", ");
            fields.refuse("funds_by", Refusal::new("settlement.refused.not_in_list").with("list", list));
            FundsBy::Fund
        }),
    };
    let sums = fields.object_maybe("totals").and_then(read_totals);
    let bills = fields.list("bills", MOST_BILLS).map(|bills| read_bills(bills, &problems));
    if !fields.has("totals") && !fields.has("bills") {
        fields.refuse("bills", Refusal::new("web.api.missing"));
    }
    if bills.as_deref().is_some_and(|bills| !fits(bills)) {
        fields.refuse(
            "bills",
            Refusal::new("settlement.refused.day_too_large").with("most", Fen::LIMIT.grouped()),
        );
    }
    if let (Some(sums), Some(bills)) = (&sums, &bills) {
        let says_funds = bills.iter().all(|(_, side)| side.funds.is_some());
        if !agree(sums, &totals(bills.iter().map(|(_, side)| side), says_funds)) {
            fields.refuse("totals", Refusal::new("settlement.refused.totals"));
        }
    }
    fields.finish();
    match day {
        Some(day) if problems.is_empty() => Ok(DayAsked { day, funds_by, totals: sums, bills }),
        _ => Err(problems.into_failure()),
    }
}

/// Whether what the bills of a day come to is an amount that is handled.
fn fits(bills: &[(String, DaySide)]) -> bool {
    let sides = || bills.iter().map(|(_, side)| side);
    let funds = sides().flat_map(|side| side.funds.iter().flatten().map(|fund| fund.1));
    sum_fits(funds) && sum_fits(sides().map(|side| side.total)) && sum_fits(sides().map(|side| side.own))
}

fn sum_fits(mut amounts: impl Iterator<Item = Fen>) -> bool {
    let most = Fen::LIMIT.0;
    let sum = amounts
        .try_fold(0_i64, |sum, amount| sum.checked_add(amount.0).filter(|sum| (-most..=most).contains(sum)));
    sum.is_some()
}

fn read_totals(fields: JsonFields<'_>) -> Option<DayTotals> {
    let (bills, total, own) = (fields.count("bills"), fields.amount("total"), fields.amount("own_share"));
    let funds = read_funds(&fields);
    fields.finish();
    Some(DayTotals { bills: bills?, total: total?, own: own?, funds })
}

fn read_bills(bills: Vec<JsonFields<'_>>, problems: &Problems) -> Vec<(String, DaySide)> {
    let mut seen = BTreeSet::new();
    let mut read = Vec::with_capacity(bills.len());
    for fields in bills {
        let number = fields.text("number", LONGEST_NUMBER);
        if let Some(number) = number.as_ref().filter(|number| !seen.insert((*number).clone())) {
            let refusal = Refusal::new("settlement.refused.twice").with("number", number.clone());
            problems.push(Problem::new(refusal).at(fields.name("number")));
        }
        let status = fields.text("status", LONGEST_CODE).and_then(|name| {
            let status = DayStatus::of_sent(&name);
            if status.is_none() {
                let list = DayStatus::SENT.join(", ");
                fields.refuse("status", Refusal::new("settlement.refused.not_in_list").with("list", list));
            }
            status
        });
        let receipt =
            fields.parsed::<Id<()>>("receipt", LONGEST_CODE, "settlement.refused.not_an_identifier");
        let (total, own) = (fields.amount("total"), fields.amount("own_share"));
        let funds = read_funds(&fields);
        fields.finish();
        if let (Some(number), Some(status), Some(total), Some(own)) = (number, status, total, own) {
            let receipt = receipt.map(Id::uuid);
            read.push((number, DaySide { status, receipt, total, own, funds }));
        }
    }
    read
}

/// `[{ fund, amount }, …]`; one fund twice is added up.
fn read_funds(fields: &JsonFields<'_>) -> Option<Vec<FundAmount>> {
    let mut funds: BTreeMap<String, Fen> = BTreeMap::new();
    for fields in fields.list("funds", MOST_FUNDS)? {
        let (fund, amount) = (fields.text("fund", LONGEST_CODE), fields.amount("amount"));
        fields.finish();
        if let (Some(fund), Some(amount)) = (fund, amount) {
            *funds.entry(fund).or_default() += amount;
        }
    }
    Some(funds.into_iter().map(|(fund, amount)| FundAmount(fund, amount)).collect())
}

/// The fields of the national interface by the funds of the packs, those of the place first.
fn national_fields(policies: &Release, place: DivisionCode, day: Day) -> BTreeMap<String, String> {
    let here = policies.jurisdiction_for(place, day).into_iter();
    let mut fields = BTreeMap::new();
    for jurisdiction in here.chain(policies.jurisdictions()) {
        for layer in jurisdiction.to_read().layers() {
            let payer = &layer.benefit.payer;
            fields.entry(payer.fund.clone()).or_insert_with(|| payer.national.clone());
        }
    }
    fields
}

fn work(tx: &mut Transaction<'_>, call: &Call, asked: &DayAsked) -> Worked {
    let institution = match call.actor.institution {
        Some(own) => kangmai_places::find_institution(tx, Id::from_uuid(own))?,
        None => None,
    };
    // The day of an institution is all of its patients: a client that reaches fewer has no part in it.
    let institution = institution.filter(|institution| call.reach.covers(institution.place));
    let Some(institution) = institution else { return Ok(Err(ApiFailure::not_found())) };
    let national = match asked.funds_by {
        FundsBy::Fund => BTreeMap::new(),
        FundsBy::National => national_fields(&call.app.policies, institution.place, asked.day),
    };
    let name_of = |fund: &str| national.get(fund).cloned().unwrap_or_else(|| fund.to_owned());
    let theirs = asked.bills.as_deref().unwrap_or_default();
    let numbers: Vec<&str> = theirs.iter().map(|(number, _)| number.as_str()).collect();
    let ledger = ledger_of_day(tx, institution.id.uuid(), asked.day, &numbers, &name_of)?;
    let of_day = ledger.iter().filter(|bill| bill.is_of_day).map(|bill| &bill.now);
    let ours = totals(of_day, true);
    let lines = match &asked.bills {
        Some(bills) => hold_against(asked.day, bills, &ledger),
        None => Vec::new(),
    };
    let theirs = asked.totals.clone().unwrap_or_else(|| {
        let says_funds = theirs.iter().all(|(_, side)| side.funds.is_some());
        totals(theirs.iter().map(|(_, side)| side), says_funds)
    });
    let reconciled = DayReconciled {
        reconciliation: call.app.mint(),
        day: asked.day,
        funds_by: asked.funds_by,
        theirs,
        ours,
        has_lines: asked.bills.is_some(),
        lines: i64::try_from(lines.len()).unwrap_or(i64::MAX),
        different: i64::try_from(lines.iter().filter(|line| !line.differences.is_empty()).count())
            .unwrap_or(i64::MAX),
    };
    let said = said(&reconciled, &lines);
    let facts = facts_of(&hand(call), &institution, &reconciled, lines)?;
    call.app.record.keep(tx, hand(call).now, facts)?;
    Ok(Ok((None, said)))
}

fn facts_of(
    hand: &Hand<'_>,
    institution: &Institution,
    reconciled: &DayReconciled,
    lines: Vec<DayLine>,
) -> Result<Vec<NewFact>, DatabaseError> {
    let mut facts = vec![institution_fact(hand, DAY_RECONCILED, institution, reconciled)?];
    let mut first = 0;
    let mut rest = lines;
    while !rest.is_empty() {
        let after = rest.split_off(rest.len().min(DayLines::MOST));
        let count = i64::try_from(rest.len()).unwrap_or(i64::MAX);
        let lines = DayLines { reconciliation: reconciled.reconciliation, first, lines: rest };
        facts.push(institution_fact(hand, DAY_LINES, institution, &lines)?);
        (first, rest) = (first + count, after);
    }
    Ok(facts)
}

fn institution_fact(
    hand: &Hand<'_>,
    kind: &str,
    institution: &Institution,
    body: &impl Serialize,
) -> Result<NewFact, DatabaseError> {
    let id: Uuid = institution.id.uuid();
    let fact = hand.fact(kind, id, institution.place, body)?;
    Ok(NewFact { subject: Subject::institution(id), ..fact })
}

/// What the sender is told: whether it agrees, and each bill that does not.
fn said(reconciled: &DayReconciled, lines: &[DayLine]) -> Value {
    let agrees = match reconciled.has_lines {
        true => reconciled.different == 0,
        false => agree(&reconciled.theirs, &reconciled.ours),
    };
    let different = lines.iter().filter(|line| !line.differences.is_empty());
    json!({
        "reconciliation": reconciled.reconciliation,
        "day": reconciled.day.to_string(),
        "agrees": agrees,
        "needs_bills": !reconciled.has_lines && !agrees,
        "theirs": said_totals(&reconciled.theirs),
        "ours": said_totals(&reconciled.ours),
        "compared": reconciled.lines,
        "different": reconciled.different,
        "bills": different.map(said_line).collect::<Value>(),
        "page": format!("/reconciliations/{}", reconciled.reconciliation),
    })
}

fn said_totals(totals: &DayTotals) -> Value {
    json!({
        "bills": totals.bills,
        "total": totals.total.to_string(),
        "own_share": totals.own.to_string(),
        "funds": totals.funds.as_deref().map(said_funds),
    })
}

fn said_funds(funds: &[FundAmount]) -> Value {
    funds
        .iter()
        .map(|FundAmount(fund, amount)| json!({ "fund": fund, "amount": amount.to_string() }))
        .collect()
}

fn said_line(line: &DayLine) -> Value {
    let side = |side: &DaySide| {
        json!({
            "status": side.status.key(),
            "receipt": side.receipt,
            "total": side.total.to_string(),
            "own_share": side.own.to_string(),
            "funds": side.funds.as_deref().map(said_funds),
        })
    };
    let difference = |one: &DayDifference| {
        json!({
            "kind": one.kind.key(),
            "payer": one.payer,
            "theirs": one.theirs.map(|amount| amount.to_string()),
            "ours": one.ours.map(|amount| amount.to_string()),
            "on": one.on.map(|day| day.to_string()),
            "why": one.why.map(crate::facts::Why::key),
        })
    };
    json!({
        "number": line.number,
        "bill": line.bill,
        "theirs": line.theirs.as_ref().map(side),
        "ours": line.ours.as_ref().map(side),
        "differences": line.differences.iter().map(difference).collect::<Value>(),
    })
}
