//! How the facts of this programme become rows of its views.

mod before;
mod forget;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use kangmai_base::{DivisionCode, Fen, Refusal, Uuid, on_all_cores};
use kangmai_database::{DatabaseError, InsertMany, Transaction, params};
use kangmai_policy::{MAX_LINES, PayerKind};
use kangmai_record::{Fact, NewFact, Projection, Source, SubjectKind, nothing_along};

use self::before::{Before, taken_out};
pub(super) use self::forget::bills_ever_of;
use super::deviation::DIAGNOSIS;
use crate::facts::{
    ADMITTED, Admitted, BILL_CANCELLED, BILL_ITEMISED, BILL_RECEIVED, BillCancelled, BillReceived, Cause,
    NOT_SETTLED, NotSettled, OPENING, Opening, SETTLED, Settled, Why,
};
use crate::rules::LONGEST_NUMBER;

const PUT_BILLS: InsertMany = InsertMany {
    table: "bill",
    columns: &[
        "id",
        "fact",
        "content",
        "number",
        "person",
        "household",
        "home",
        "institution",
        "insurance_year",
        "admitted_on",
        "discharged_on",
        "received_at",
        "setting",
        "diagnosis_sealed",
        "total",
        "compliant",
        "own",
        "own_uncovered",
        "paid_insurance",
        "waived",
        "state",
    ],
    suffix: "on conflict (id) do update set fact = excluded.fact, content = excluded.content,
        number = excluded.number, person = excluded.person, household = excluded.household, home = excluded.home,
        institution = excluded.institution, insurance_year = excluded.insurance_year,
        admitted_on = excluded.admitted_on, discharged_on = excluded.discharged_on,
        received_at = excluded.received_at, setting = excluded.setting, diagnosis = null, diagnosis_sealed = excluded.diagnosis_sealed,
        total = excluded.total, compliant = excluded.compliant, own = excluded.own,
        own_uncovered = excluded.own_uncovered, paid_insurance = excluded.paid_insurance, waived = excluded.waived,
        state = excluded.state, receipt = null, result = null, closing = null",
};
const PUT_PAYMENTS: InsertMany =
    InsertMany { table: "bill_payment", columns: &["bill", "layer", "payer", "kind", "paid"], suffix: "" };
const PUT_BILL_SUMS: InsertMany = InsertMany {
    table: "bill_sum",
    columns: &["home", "insurance_year", "bills", "total", "compliant", "own", "own_uncovered", "waived"],
    suffix: "on conflict (home, insurance_year) do update set bills = bill_sum.bills + excluded.bills,
        total = bill_sum.total + excluded.total, compliant = bill_sum.compliant + excluded.compliant,
        own = bill_sum.own + excluded.own, own_uncovered = bill_sum.own_uncovered + excluded.own_uncovered,
        waived = bill_sum.waived + excluded.waived",
};
const PUT_PAYER_SUMS: InsertMany = InsertMany {
    table: "payer_sum",
    columns: &["home", "insurance_year", "kind", "payer", "paid"],
    suffix: "on conflict (home, insurance_year, kind, payer) do update set paid = payer_sum.paid + excluded.paid",
};
const SETTLE_BILL: &str = "update bill set own = $2, own_uncovered = $3, paid_insurance = $4, waived = $5,
    state = 'settled', receipt = $6, result = $7 where id = $1";
const LEAVE_BILL: &str = "update bill set own = 0, own_uncovered = 0, paid_insurance = 0, waived = 0,
    state = 'gap', receipt = $2, result = $3 where id = $1";
const CANCEL_BILL: &str = "update bill set own = 0, own_uncovered = 0, paid_insurance = 0, waived = 0,
    state = 'cancelled', result = null, closing = $2 where id = $1";
/// The lines of a bill came after it. A settled bill stays in the sums with its receipt until it is settled again; that it
/// waits for that says its missing result.
const ITEMISE_BILL: &str = "update bill set fact = $2, content = $3, result = null,
    state = case when state = 'gap' then 'received' else state end where id = $1 and state <> 'cancelled'";
const PUT_POSTINGS: InsertMany = InsertMany {
    table: "posting",
    columns: &[
        "fact",
        "bill",
        "person",
        "home",
        "insurance_year",
        "kind",
        "payer",
        "amount",
        "cause",
        "cause_fact",
        "cause_bill",
        "release",
        "posted_at",
        "posted_on",
        "place_sequence",
    ],
    suffix: "",
};
const PUT_OPENING: &str =
    "insert into opening (person, insurance_year, fact, home, used, household) values ($1, $2, $3, $4, $5, $6)
    on conflict (person, insurance_year) do update set fact = excluded.fact, home = excluded.home,
    used = excluded.used, household = excluded.household";
const PUT_ADMISSION: &str = "insert into admission (id, person, household, home, institution, admitted_on, emergency,
    entitled, why_not, labels, admitted_at, author) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";

/// The views of bills, payments, openings and admissions.
pub const BILLS: Projection = Projection {
    name: "settlement bills",
    kinds: &[BILL_RECEIVED, BILL_ITEMISED, SETTLED, NOT_SETTLED, BILL_CANCELLED, OPENING, ADMITTED],
    views: &["bill", "bill_payment", "bill_sum", "payer_sum", "opening", "admission", "posting"],
    admit,
    apply,
    along: nothing_along,
    forget: forget::forget,
};

/// Whether a body can be read and is possible by itself.
fn admit(fact: &NewFact) -> Result<(), Refusal> {
    if fact.subject.kind != SubjectKind::Person {
        return Err(Refusal::new("settlement.parked.not_a_person"));
    }
    match fact.kind.as_str() {
        BILL_RECEIVED | BILL_ITEMISED => admit_bill(&fact.read_body()?),
        SETTLED => admit_receipt(&fact.read_body()?),
        NOT_SETTLED => fact.read_body::<NotSettled>().map(|_| ()),
        BILL_CANCELLED => fact.read_body::<BillCancelled>().map(|_| ()),
        OPENING => match fact.read_body::<Opening>()?.used.iter().any(|used| used.1 < 0) {
            true => Err(Refusal::new("settlement.parked.negative")),
            false => Ok(()),
        },
        _ => fact.read_body::<Admitted>().map(|_| ()),
    }
}

fn admit_bill(bill: &BillReceived) -> Result<(), Refusal> {
    let fees: Fen = bill.fees.iter().map(|fee| fee.amount).sum();
    let amounts = [bill.total, bill.compliant, bill.already_paid, fees];
    let fits = |amount: &Fen| *amount >= Fen::ZERO && *amount <= bill.total;
    if bill.total > Fen::LIMIT
        || bill.fees.iter().any(|fee| fee.amount.is_negative())
        || !amounts.iter().all(fits)
    {
        return Err(Refusal::new("settlement.parked.amounts"));
    }
    if let Some(lines) = &bill.lines {
        let known: Fen = lines.categories.iter().map(|cost| cost.compliant).sum();
        let is_wrong = lines.categories.iter().any(|cost| cost.compliant.is_negative());
        if is_wrong || known > bill.compliant || lines.lines.len() > MAX_LINES {
            return Err(Refusal::new("settlement.parked.lines"));
        }
    }
    if bill.discharge < bill.admission {
        return Err(Refusal::new("settlement.parked.dates"));
    }
    if bill.number.trim().is_empty() || bill.number.chars().count() > LONGEST_NUMBER {
        return Err(Refusal::new("settlement.parked.number"));
    }
    Ok(())
}

/// Σ layers + what was paid before + own share = total, to the fen.
fn admit_receipt(receipt: &Settled) -> Result<(), Refusal> {
    let paid: Fen = receipt.layers.iter().map(|layer| layer.paid).sum();
    let adds_up = paid + receipt.already_paid + receipt.own == receipt.total;
    let is_possible = receipt.layers.iter().all(|layer| !layer.paid.is_negative())
        && !receipt.own.is_negative()
        && receipt.own_uncovered <= receipt.own;
    if adds_up && is_possible { Ok(()) } else { Err(Refusal::new("settlement.parked.sum")) }
}

/// What a batch adds to the sums of a place and year.
#[derive(Default)]
struct Sums {
    bills: BTreeMap<(DivisionCode, i32), [i64; 6]>,
    payers: BTreeMap<(DivisionCode, i32, String, String), i64>,
}

impl Sums {
    fn add(&mut self, home: DivisionCode, year: i32, amounts: [i64; 6]) {
        let sums = self.bills.entry((home, year)).or_default();
        for (sum, amount) in sums.iter_mut().zip(amounts) {
            *sum += amount;
        }
    }

    fn pay(&mut self, home: DivisionCode, year: i32, kind: &str, payer: &str, paid: i64) {
        *self.payers.entry((home, year, kind.to_owned(), payer.to_owned())).or_default() += paid;
    }
}

/// What waits to be written together.
#[derive(Default)]
struct Batch<'f> {
    received: Vec<(&'f Fact, BillReceived)>,
    bills: HashSet<Uuid>,
    payments: Vec<(Uuid, String, String, PayerKind, Fen)>,
    /// The bills whose payments wait among them.
    unwritten: HashSet<Uuid>,
    postings: Vec<Posting<'f>>,
    sums: Sums,
    /// What bills came to that are settled again here, already taken out.
    before: HashMap<Uuid, Before>,
}

/// What somebody bears of a bill: kind and payer, the person with what is their own.
type Borne = BTreeMap<(&'static str, String), i64>;

/// What a fact changes for one who bears part of a bill.
struct Posting<'f> {
    fact: &'f Fact,
    bill: Uuid,
    year: i32,
    kind: &'static str,
    payer: String,
    amount: i64,
    cause: Option<Cause>,
    release: Option<String>,
}

fn apply(tx: &mut Transaction<'_>, facts: &[&Fact]) -> Result<(), DatabaseError> {
    let mut batch = Batch::default();
    if facts.iter().all(|fact| fact.new.kind == SETTLED) {
        apply_receipts(tx, facts, &mut batch)?;
    } else {
        for fact in facts {
            apply_one(tx, fact, &mut batch)?;
        }
    }
    write_received(tx, &mut batch)?;
    write_payments(tx, &mut batch)?;
    write_postings(tx, &batch.postings)?;
    write_sums(tx, batch.sums)
}

/// Nothing but receipts, as settling again makes them by the thousand: what the bills came to before is taken out at once.
fn apply_receipts<'f>(
    tx: &mut Transaction<'_>,
    facts: &[&'f Fact],
    batch: &mut Batch<'f>,
) -> Result<(), DatabaseError> {
    let receipts = on_all_cores(facts, |fact| fact.body::<Settled>());
    let receipts = receipts.into_iter().collect::<Result<Vec<_>, _>>()?;
    let again = facts.iter().zip(&receipts).filter(|(fact, _)| fact.new.corrects.is_some());
    let bills: BTreeSet<Uuid> = again.map(|(_, receipt)| receipt.bill).collect();
    batch.before = taken_out(tx, &bills.into_iter().collect::<Vec<_>>())?;
    for (fact, receipt) in facts.iter().zip(receipts) {
        apply_settled(tx, fact, receipt, batch)?;
    }
    Ok(())
}

fn apply_one<'f>(
    tx: &mut Transaction<'_>,
    fact: &'f Fact,
    batch: &mut Batch<'f>,
) -> Result<(), DatabaseError> {
    if fact.new.kind == BILL_RECEIVED {
        let body: BillReceived = fact.body()?;
        if !batch.bills.insert(body.bill) {
            write_received(tx, batch)?;
            batch.bills.insert(body.bill);
        }
        batch.received.push((fact, body));
        return Ok(());
    }
    write_received(tx, batch)?;
    match fact.new.kind.as_str() {
        BILL_ITEMISED => {
            let body: BillReceived = fact.body()?;
            let content = body.content(fact.new.subject.id);
            tx.execute(ITEMISE_BILL, &params![body.bill, fact.new.id, content])?;
        }
        SETTLED => apply_settled(tx, fact, fact.body()?, batch)?,
        NOT_SETTLED => {
            let body: NotSettled = fact.body()?;
            let (year, before) = take_back(tx, body.bill, batch)?;
            let posted = (body.bill, year, body.cause, Some(body.release.as_str()));
            batch.post(fact, posted, before, &Borne::new());
            tx.execute(LEAVE_BILL, &params![body.bill, fact.new.id, body.result()])?;
        }
        BILL_CANCELLED => {
            let body: BillCancelled = fact.body()?;
            let (year, before) = take_back(tx, body.bill, batch)?;
            let cause = cause_of_cancelling(&fact.new);
            batch.post(fact, (body.bill, year, Some(cause), None), before, &Borne::new());
            tx.execute(CANCEL_BILL, &params![body.bill, fact.new.id])?;
        }
        OPENING => {
            let body: Opening = fact.body()?;
            let used = serde_json::to_string(&body.used)
                .map_err(|_| DatabaseError::Refused("an opening cannot be written".into()))?;
            let (person, home) = (fact.new.subject.id, fact.new.place);
            tx.execute(PUT_OPENING, &params![person, body.year, fact.new.id, home, used, body.household])?;
        }
        _ => apply_admitted(tx, fact)?,
    }
    Ok(())
}

/// Why a bill was cancelled: what nobody did, another release did, by which it counts in another year.
pub(crate) fn cause_of_cancelling(fact: &NewFact) -> Cause {
    let why = if fact.source == Source::Derived { Why::Release } else { Why::Cancelled };
    Cause { why, fact: Some(fact.id), bill: None }
}

fn write_received(tx: &mut Transaction<'_>, batch: &mut Batch<'_>) -> Result<(), DatabaseError> {
    if batch.received.is_empty() {
        return Ok(());
    }
    batch.bills.clear();
    let received = std::mem::take(&mut batch.received);
    let mut rows = Vec::with_capacity(received.len());
    for (fact, body) in &received {
        let code = body.diagnosis.as_ref().map(|diagnosis| diagnosis.code.as_str());
        let diagnosis = tx.sealed(DIAGNOSIS, body.bill, code)?;
        rows.push(params![
            body.bill,
            fact.new.id,
            body.content(fact.new.subject.id),
            body.number.as_str(),
            fact.new.subject.id,
            body.household,
            fact.new.place,
            body.institution.id,
            body.year(),
            body.admission,
            body.discharge,
            fact.received_at,
            body.setting.name(),
            diagnosis,
            body.total,
            body.compliant,
            0_i64,
            0_i64,
            0_i64,
            0_i64,
            "received",
        ]);
    }
    tx.insert_many(&PUT_BILLS, rows)?;
    Ok(())
}

fn apply_settled<'f>(
    tx: &mut Transaction<'_>,
    fact: &'f Fact,
    body: Settled,
    batch: &mut Batch<'f>,
) -> Result<(), DatabaseError> {
    let mut before = Borne::new();
    if fact.new.corrects.is_some() {
        before = take_back(tx, body.bill, batch)?.1;
    }
    let (home, year, waived) = (fact.new.place, body.year, body.waived());
    let insurance = body.paid_by_insurance();
    let result = body.result();
    let parameters = params![body.bill, body.own, body.own_uncovered, insurance, waived, fact.new.id, result];
    tx.execute(SETTLE_BILL, &parameters)?;
    let (own, uncovered) = (body.own.0, body.own_uncovered.0);
    batch.sums.add(home, year, [1, body.total.0, body.compliant.0, own, uncovered, waived.0]);
    let mut after = Borne::new();
    add_borne(&mut after, PERSON_KIND, PERSON_KIND, own);
    batch.unwritten.insert(body.bill);
    for layer in body.layers {
        if layer.paid != Fen::ZERO {
            let kind = payer_kind_key(layer.kind);
            batch.sums.pay(home, year, kind, &layer.payer, layer.paid.0);
            add_borne(&mut after, kind, &layer.payer, layer.paid.0);
            batch.payments.push((body.bill, layer.layer, layer.payer, layer.kind, layer.paid));
        }
    }
    batch.post(fact, (body.bill, year, body.cause, Some(body.release.as_str())), before, &after);
    Ok(())
}

fn add_borne(borne: &mut Borne, kind: &'static str, payer: &str, amount: i64) {
    *borne.entry((kind, payer.to_owned())).or_default() += amount;
}

impl<'f> Batch<'f> {
    /// What is borne by whom was `before` and is `after`: the differences are posted. `(bill, year, cause, release)`.
    fn post(
        &mut self,
        fact: &'f Fact,
        (bill, year, cause, release): (Uuid, i32, Option<Cause>, Option<&str>),
        before: Borne,
        after: &Borne,
    ) {
        let mut changes = after.clone();
        for (payer, amount) in before {
            *changes.entry(payer).or_default() -= amount;
        }
        let is_release = cause.is_some_and(|cause| cause.why == Why::Release);
        let release = release.filter(|_| is_release);
        for ((kind, payer), amount) in changes.into_iter().filter(|(_, amount)| *amount != 0) {
            let release = release.map(str::to_owned);
            self.postings.push(Posting { fact, bill, year, kind, payer, amount, cause, release });
        }
    }
}

fn write_postings(tx: &mut Transaction<'_>, postings: &[Posting<'_>]) -> Result<(), DatabaseError> {
    let rows = postings.iter().map(|posting| {
        let fact = posting.fact;
        params![
            fact.new.id,
            posting.bill,
            fact.new.subject.id,
            fact.new.place,
            posting.year,
            posting.kind,
            posting.payer.as_str(),
            posting.amount,
            posting.cause.map(|cause| cause.why.key()),
            posting.cause.and_then(|cause| cause.fact),
            posting.cause.and_then(|cause| cause.bill),
            posting.release.as_deref(),
            fact.received_at,
            fact.received_at.day(),
            fact.place_sequence,
        ]
    });
    tx.insert_many(&PUT_POSTINGS, rows)?;
    Ok(())
}

/// Takes a settled bill out of the sums, with its payments; answers its year and who bore what.
fn take_back(
    tx: &mut Transaction<'_>,
    bill: Uuid,
    batch: &mut Batch<'_>,
) -> Result<(i32, Borne), DatabaseError> {
    let before = match batch.before.remove(&bill) {
        Some(before) => Some(before),
        None => {
            if batch.unwritten.contains(&bill) {
                write_payments(tx, batch)?;
            }
            taken_out(tx, &[bill])?.remove(&bill)
        }
    };
    Ok(before.map_or_else(|| (0, Borne::new()), |before| before.take_back(&mut batch.sums)))
}

fn write_payments(tx: &mut Transaction<'_>, batch: &mut Batch<'_>) -> Result<(), DatabaseError> {
    batch.unwritten.clear();
    let payments = std::mem::take(&mut batch.payments);
    let rows = payments
        .into_iter()
        .map(|(bill, layer, payer, kind, paid)| params![bill, layer, payer, payer_kind_key(kind), paid]);
    tx.insert_many(&PUT_PAYMENTS, rows)?;
    Ok(())
}

fn write_sums(tx: &mut Transaction<'_>, sums: Sums) -> Result<(), DatabaseError> {
    let rows = sums
        .bills
        .into_iter()
        .map(|((home, year), sum)| params![home, year, sum[0], sum[1], sum[2], sum[3], sum[4], sum[5]]);
    tx.insert_many(&PUT_BILL_SUMS, rows)?;
    let rows = sums
        .payers
        .into_iter()
        .map(|((home, year, kind, payer), paid)| params![home, year, kind, payer, paid]);
    tx.insert_many(&PUT_PAYER_SUMS, rows)?;
    Ok(())
}

fn apply_admitted(tx: &mut Transaction<'_>, fact: &Fact) -> Result<(), DatabaseError> {
    let body: Admitted = fact.body()?;
    let parameters = params![
        fact.new.id,
        fact.new.subject.id,
        body.household,
        fact.new.place,
        body.institution,
        body.admission,
        body.emergency,
        body.entitled,
        body.why_not.map(crate::facts::WhyDeposit::key),
        body.labels.join(" "),
        fact.new.occurred_at,
        fact.new.author,
    ];
    tx.execute(PUT_ADMISSION, &parameters)?;
    Ok(())
}

/// The person who was treated, as one who bears part of a bill.
pub(crate) const PERSON_KIND: &str = "person";

const PAYER_KINDS: [PayerKind; 5] = [
    PayerKind::Insurance,
    PayerKind::Assistance,
    PayerKind::Government,
    PayerKind::Institution,
    PayerKind::Other,
];

/// The kind of a payer as it stands in the tables; its word is `settlement.payer.` and this.
pub(crate) const fn payer_kind_key(kind: PayerKind) -> &'static str {
    match kind {
        PayerKind::Insurance => "insurance",
        PayerKind::Assistance => "assistance",
        PayerKind::Government => "government",
        PayerKind::Institution => "institution",
        PayerKind::Other => "other",
    }
}
