//! The statement of a bill: one page for the patient, its back for who wants to know where each rule stands written.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use kangmai_access::{Purpose, Reach, reach};
use kangmai_base::{Day, Fen, Moment, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::Person;
use kangmai_policy::{Icd10, Release, Setting, Sight, ToldCounterfactuals};
use kangmai_programme::Visit;
use kangmai_record::{Source, facts_of_kind};
use kangmai_sheet::Format;
use kangmai_sheets::{Cell, Head as Column, XlsxExport};
use kangmai_web::{Failure, Page, download, show, workbook};

use super::bill_form::{referral_word, setting_word};
use super::postings::{cause_sentence, payer_name, signed};
use super::{Head, deviations, id_in, label_words, note, village};
use crate::facts::{
    BILL_CANCELLED, BillCancelled, BillReceived, Cause, NOT_SETTLED, NotSettled, SETTLED, Settled, Used,
};
use crate::lines_told::{LinesTold, tell_lines};
use crate::otherwise::{Known, around, otherwise};
use crate::replay::ReceiptFile;
use crate::rules::{ChainBill, Stay};
use crate::statement::{Again, Told, receipt_hash, tell};
use crate::store::pay_later::Debt;
use crate::store::{self, Bill, BillState, PostingRow, cause_of_cancelling};

#[derive(Template)]
#[template(path = "settlement_statement.html")]
struct StatementPage {
    page: Page,
    bill: Bill,
    head: Option<Head>,
    village: String,
    tier: String,
    setting: String,
    referral: String,
    admission: Day,
    discharge: Day,
    days: i32,
    /// Only for who may see diagnoses, and never one of level 5.
    diagnosis: Option<String>,
    /// How the stay left what is set for the disease: for who may see the diagnosis, never on paper.
    deviations: Vec<String>,
    receipt: Option<Receipt>,
    lines: Option<LinesTold>,
    why_not_settled: Option<String>,
    cancelled: Option<String>,
    /// What became of the bill so far, the latest first.
    history: Vec<Event>,
    may_settle: bool,
    /// Whether the reader may open the person's page.
    may_find: bool,
    /// What is owed and paid of the own share, if somebody follows it.
    debt: Option<Debt>,
    may_follow: bool,
}

impl StatementPage {
    fn cancel(&self) -> String {
        format!("/bills/{}/cancel", self.bill.id)
    }
}

/// A receipt as the page shows it.
struct Receipt {
    told: Told,
    /// What would have changed it; none if the release at hand no longer comes to the receipt.
    otherwise: Option<ToldCounterfactuals>,
    labels: String,
    labels_at_admission: Option<String>,
    insured_is_assumed: bool,
    hash: String,
    /// Program, pack and release.
    made_by: String,
}

/// A settlement of the bill, or its end.
struct Event {
    at: Moment,
    cause: String,
    /// The other bill that it happened to, if it is still there.
    cause_bill: Option<Uuid>,
    own: Option<Fen>,
    /// What changed for whom.
    changes: Vec<(String, String)>,
}

/// All that is read of a bill.
pub(super) struct Found {
    pub(super) bill: Bill,
    pub(super) body: BillReceived,
    pub(super) person: Option<Person>,
    pub(super) settled: Option<Settled>,
    /// What is used of the next insurance year before its first bill.
    next_year: Vec<Used>,
    not: Option<NotSettled>,
    cancelled: Option<BillCancelled>,
    /// Where the bill comes from.
    pub(super) source: Source,
    past: Vec<Past>,
    postings: Vec<PostingRow>,
    debt: Option<Debt>,
}

/// A fact about what became of the bill.
struct Past {
    fact: Uuid,
    at: Moment,
    cause: Option<Cause>,
    release: Option<String>,
    own: Option<Fen>,
}

/// The facts about what became of a bill, the latest first.
fn past(tx: &mut Transaction<'_>, bill: &Bill) -> Result<Vec<Past>, DatabaseError> {
    let mut all = Vec::new();
    for kind in [SETTLED, NOT_SETTLED, BILL_CANCELLED] {
        for fact in facts_of_kind(tx, bill.person, kind)? {
            let (id, at) = (fact.new.id, fact.received_at);
            let (about, cause, release, own) = match kind {
                SETTLED => {
                    let body: Settled = fact.body()?;
                    (body.bill, body.cause, Some(body.release), Some(body.own))
                }
                NOT_SETTLED => {
                    let body: NotSettled = fact.body()?;
                    (body.bill, body.cause, Some(body.release), None)
                }
                _ => {
                    let body: BillCancelled = fact.body()?;
                    (body.bill, Some(cause_of_cancelling(&fact.new)), None, None)
                }
            };
            if about == bill.id {
                let order = (at, fact.new.place, fact.place_sequence);
                all.push((order, Past { fact: id, at, cause, release, own }));
            }
        }
    }
    all.sort_by_key(|(order, _)| std::cmp::Reverse(*order));
    Ok(all.into_iter().map(|(_, past)| past).collect())
}

pub(super) fn find(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    id: Uuid,
) -> Result<Option<Found>, DatabaseError> {
    let Some(bill) = store::bill(tx, reach, id)? else { return Ok(None) };
    let Some(body) = store::body_of(tx, &bill)? else { return Ok(None) };
    let (mut settled, mut not): (Option<Settled>, Option<NotSettled>) = (None, None);
    match bill.state {
        BillState::Settled => settled = store::receipt_of(tx, bill.receipt)?,
        BillState::Gap => not = store::receipt_of(tx, bill.receipt)?,
        BillState::Received | BillState::Cancelled => {}
    }
    let cancelled = match bill.state {
        BillState::Cancelled => store::receipt_of(tx, bill.closing)?,
        _ => None,
    };
    let source = store::source_of(tx, &bill)?;
    let past = past(tx, &bill)?;
    let postings = store::postings_of(tx, id)?;
    let person = kangmai_people::find_person(tx, kangmai_base::Id::from_uuid(bill.person))?;
    let debt = store::pay_later::debt(tx, id)?;
    let next_year = store::opening_fact(tx, bill.person, body.year() + 1)?.map(|(_, used)| used);
    let next_year = next_year.unwrap_or_default();
    Ok(Some(Found { bill, body, person, settled, next_year, not, cancelled, source, past, postings, debt }))
}

/// GET: the statement.
pub(crate) async fn statement(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    let (id, within) = (id_in(&id)?, visit.reach.clone());
    let found = visit.app.database.read(move |tx| find(tx, &within, id)).await?.ok_or(Failure::NotFound)?;
    if !visit.reach.money() {
        return Err(Failure::NotFound);
    }
    note(&visit, "read_person", Some(found.bill.person), found.bill.home, found.bill.number.clone()).await?;
    show(&page_of(visit, found))
}

/// GET: the receipt as a file that `kangmai policy replay` works out again.
pub(crate) async fn receipt_file(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    let (id, within) = (id_in(&id)?, visit.reach.clone());
    let found = visit.app.database.read(move |tx| find(tx, &within, id)).await?.ok_or(Failure::NotFound)?;
    let Some(settled) = found.settled.as_ref().filter(|_| visit.reach.money()) else {
        return Err(Failure::NotFound);
    };
    let sees_diagnosis = sees_illness(&visit.app.policies, &visit.reach, &found);
    let file = ReceiptFile::of(settled, found.chain_bill(), found.source, sees_diagnosis);
    let text = serde_json::to_vec_pretty(&file).map_err(Failure::internal)?;
    note(&visit, "export", Some(found.bill.person), found.bill.home, found.bill.number.clone()).await?;
    Ok(download(text, "application/json", "receipt.json"))
}

fn page_of(visit: Visit, found: Found) -> StatementPage {
    let may_settle = reach(&visit.actor, Purpose::SettleBills)
        .is_some_and(|reach| reach.covers(found.bill.home))
        && visit.actor.institution.is_none_or(|own| own == found.bill.institution);
    let may_find = reach(&visit.actor, Purpose::FindPeople).is_some();
    let page = &visit.page;
    let body = &found.body;
    let diagnosis = shown_diagnosis(&visit.app.policies, &visit.reach, &found);
    let sight = found.sight(&visit.app.policies, &visit.reach);
    let receipt =
        found.settled.as_ref().map(|settled| receipt_of(page, &visit.app.policies, settled, &found, sight));
    let lines = lines_of(&visit, &found);
    let why_not_settled = found.not.as_ref().map(|not| page.refusal(&crate::intake::why_refusal(&not.why)));
    let history = history_of(&visit, &found);
    let list = page.word("settlement.bills.title").into_owned();
    let title = if found.bill.state == BillState::Settled {
        "settlement.statement.title"
    } else {
        "settlement.statement.title_open"
    };
    let tier = match kangmai_places::InstitutionTier::of_key(body.institution.tier.name()) {
        Some(tier) => page.word(tier.word()).into_owned(),
        None => String::new(),
    };
    let mut framed = visit.page.clone().titled(title).under(list, "/bills");
    framed.unit = found.bill.institution_name.clone();
    StatementPage {
        head: found.person.as_ref().map(|person| Head::of(page, person, body.discharge)),
        village: village(found.bill.home),
        tier,
        setting: page.word(setting_word(body.setting)).into_owned(),
        referral: page.word(referral_word(body.referral)).into_owned(),
        admission: body.admission,
        discharge: body.discharge,
        days: body.discharge.days_since(body.admission),
        deviations: if diagnosis.is_some() { deviations_of(&visit, &found) } else { Vec::new() },
        diagnosis,
        receipt,
        lines,
        why_not_settled,
        cancelled: found.cancelled.map(|cancelled| cancelled.reason),
        history,
        may_settle,
        may_find,
        debt: found.debt,
        may_follow: reach(&visit.actor, Purpose::ReadPayments).is_some(),
        bill: found.bill,
        page: framed,
    }
}

/// How a settled stay left what is set for its disease.
fn deviations_of(visit: &Visit, found: &Found) -> Vec<String> {
    let (Some(settled), Some(diagnosis)) = (&found.settled, &found.body.diagnosis) else { return Vec::new() };
    if found.body.setting != Setting::Inpatient {
        return Vec::new();
    }
    let stay = Stay {
        home: found.bill.home,
        discharge: found.body.discharge,
        diagnosis: &diagnosis.code,
        age: found.person.as_ref().and_then(|person| person.age_on(found.body.discharge)),
        institution: &found.bill.institution_code,
        total: found.body.total,
        own: settled.own,
    };
    deviations::sentences(&visit.page, &visit.app.policies, &stay)
}

/// The facts in words, each with what it changed for whom.
fn history_of(visit: &Visit, found: &Found) -> Vec<Event> {
    let page = &visit.page;
    let (home, day) = (found.bill.home, found.body.discharge);
    let event = |past: &Past| {
        let changes = found.postings.iter().filter(|posting| posting.fact == past.fact).map(|posting| {
            let name = payer_name(page, &visit.app.policies, home, day, &posting.payer);
            (name, signed(page, posting.amount))
        });
        Event {
            at: past.at,
            cause: cause_sentence(page, past.cause.map(|cause| cause.why), past.release.as_deref()),
            cause_bill: past.cause.and_then(|cause| cause.bill).filter(|other| {
                let is_there = |posting: &PostingRow| posting.cause_bill == Some(*other);
                found.postings.iter().any(|posting| posting.fact == past.fact && is_there(posting))
            }),
            own: past.own,
            changes: changes.collect(),
        }
    };
    found.past.iter().map(event).collect()
}

impl Found {
    pub(super) fn chain_bill(&self) -> ChainBill {
        ChainBill { received_at: self.bill.received_at, home: self.bill.home, body: self.body.clone() }
    }

    /// How much of the facts the reader may see. Whoever may read a statement sees the labels that it goes by.
    pub(super) fn sight(&self, policies: &Release, reach: &Reach) -> Sight {
        let diagnosis = self.body.diagnosis.is_none() || shown_diagnosis(policies, reach, self).is_some();
        Sight { diagnosis, labels: true }
    }

    /// What would have changed a receipt that is worked out again.
    pub(super) fn otherwise(
        &self,
        page: &Page,
        policies: &Release,
        again: &Again<'_>,
        sight: Sight,
    ) -> Option<ToldCounterfactuals> {
        let settled = self.settled.as_ref()?;
        let labels = self.person.as_ref().map(|person| person.body.labels.clone()).unwrap_or_default();
        let known = Known { labels, next_year: self.next_year.clone() };
        let day = self.body.discharge;
        let around = around((policies, self.bill.home), again.policy, &known, &settled.person, day);
        Some(otherwise(page, again.policy, &again.trace, &around, sight))
    }
}

fn receipt_of(page: &Page, policies: &Release, settled: &Settled, found: &Found, sight: Sight) -> Receipt {
    let again = Again::of(policies, settled, &found.chain_bill());
    let words = |keys: &[String]| {
        let words = label_words(page, keys);
        if words.is_empty() {
            page.word("settlement.labels.none").into_owned()
        } else {
            super::joined(page, &words)
        }
    };
    Receipt {
        told: tell(page, policies, settled, again.as_ref(), sight),
        otherwise: again.and_then(|again| found.otherwise(page, policies, &again, sight)),
        labels: words(&settled.person.labels_at_discharge),
        labels_at_admission: settled.person.labels_at_admission.as_deref().map(words),
        insured_is_assumed: settled.person.insured_is_assumed,
        hash: receipt_hash(settled),
        made_by: made_by(page, settled),
    }
}

/// Program, pack and release of a receipt.
pub(super) fn made_by(page: &Page, settled: &Settled) -> String {
    page.say(
        "settlement.statement.made_by",
        &[("engine", &settled.engine), ("pack", &settled.jurisdiction), ("release", &settled.release)],
    )
}

/// A diagnosis for a reader who may see diagnoses. One of sensitive level 5 (GB/T 39725-2020) only for who may see those.
fn shown_diagnosis(policies: &Release, reach: &Reach, found: &Found) -> Option<String> {
    let diagnosis = found.body.diagnosis.as_ref().filter(|_| sees_illness(policies, reach, found))?;
    Some(format!("{} {}", diagnosis.code, diagnosis.name).trim().to_owned())
}

/// Whether the reader may know what the patient has: then the diagnosis, and what was charged, which tells it too.
fn sees_illness(policies: &Release, reach: &Reach, found: &Found) -> bool {
    if !reach.diagnoses() {
        return false;
    }
    let code = found.body.diagnosis.as_ref().and_then(|diagnosis| diagnosis.code.parse::<Icd10>().ok());
    let table = policies.disease_table(found.bill.home, found.body.discharge);
    let level = code.zip(table).map_or(0, |(code, table)| table.sensitive_level(code));
    level < 5 || reach.sensitive()
}

fn lines_of(visit: &Visit, found: &Found) -> Option<LinesTold> {
    let policies = &visit.app.policies;
    let rules = policies.lines(found.bill.home, found.body.discharge);
    tell_lines(&visit.page, &found.body, rules, sees_illness(policies, &visit.reach, found))
}

/// GET: the lines of a bill as a file.
pub(crate) async fn lines_file(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    let (id, within) = (id_in(&id)?, visit.reach.clone());
    let found = visit.app.database.read(move |tx| find(tx, &within, id)).await?.ok_or(Failure::NotFound)?;
    let Some(lines) = lines_of(&visit, &found).filter(|_| visit.reach.money()) else {
        return Err(Failure::NotFound);
    };
    note(&visit, "export", Some(found.bill.person), found.bill.home, found.bill.number.clone()).await?;
    Ok(workbook(lines_sheet(&visit.page, &lines)?, "lines.xlsx"))
}

fn lines_sheet(page: &Page, lines: &LinesTold) -> Result<Vec<u8>, Failure> {
    let heads = [
        ("settlement.lines.number", Format::Whole),
        ("settlement.lines.category", Format::Text),
        ("settlement.lines.class", Format::Text),
        ("settlement.lines.code", Format::Code),
        ("settlement.lines.name", Format::Text),
        ("settlement.lines.quantity", Format::Text),
        ("settlement.lines.unit_price", Format::Text),
        ("settlement.lines.amount", Format::Amount),
        ("settlement.lines.compliant", Format::Amount),
        ("settlement.lines.borne", Format::Amount),
        ("settlement.lines.why", Format::Text),
    ];
    let heads = heads.map(|(key, format)| Column::new(page.word(key), format)).to_vec();
    let mut out = XlsxExport::begin(&page.word("settlement.lines.title"), heads)?;
    for group in &lines.groups {
        for line in &group.lines {
            out.row(&[
                Cell::Whole(i64::try_from(line.number).unwrap_or(i64::MAX)),
                Cell::Text(&group.category),
                Cell::Text(&group.class),
                Cell::Text(&line.code),
                Cell::Text(line.name.as_deref().unwrap_or_default()),
                Cell::Text(&line.quantity),
                Cell::Text(&line.unit_price),
                Cell::Amount(line.amount),
                Cell::Amount(line.compliant),
                Cell::Amount(line.borne),
                Cell::Text(&line.why),
            ])?;
        }
    }
    let mut bytes = std::io::Cursor::new(Vec::new());
    out.finish(&mut bytes)?;
    Ok(bytes.into_inner())
}
