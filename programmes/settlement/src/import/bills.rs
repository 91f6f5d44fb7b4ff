//! The import of bills: finds person and institution, tells new from known, and settles every person-year that was touched.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeSet, HashMap};
use std::hash::{Hash as _, Hasher as _};
use std::sync::Arc;

use kangmai_access::Purpose;
use kangmai_base::{Day, DivisionCode, DivisionLevel, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_places::{Institution, find_institution_by_code, search_institutions};
use kangmai_policy::Release;
use kangmai_programme::{App, Import, ImportRun, Planned};
use kangmai_record::{NewFact, Record as FactRecord, Source};
use kangmai_sheet::{Cells, Flaw, Matching, Outcome, Record};

use super::bill_rows::{BILL_COLUMNS, BillRead, Slots, read_bill};
use crate::facts::{BillReceived, TreatingInstitution};
use crate::rules::{Adjudicator, Stated, check_bill, insurance_year, itemise};
use crate::settling::{Hand, closing, join, keep_standing, lock, lock_household};
use crate::store::{
    BillState, JoinedYear, Known, MatchedPerson, body_of_fact, closed_year, known_bill, people_with_number,
    waiting_joined,
};

/// Bills of an insurance bureau or a hospital.
pub const BILLS: Import = Import {
    key: "bills",
    word: "settlement.import.bills",
    purpose: Purpose::ImportBills,
    schema: &BILL_COLUMNS,
    schema_under: None,
    order: 30,
    plan,
    finish: Some(finish),
    rows_at_once: 2_000,
};

/// Person-years settled in one transaction.
const YEARS_AT_ONCE: i64 = 1_500;
/// The same where households join them: each household is locked until the transaction ends.
const JOINED_AT_ONCE: i64 = 300;

#[derive(Default)]
struct Memory {
    /// By code or name as the file has it; none: not in the list.
    institutions: HashMap<String, Option<Arc<Treating>>>,
    /// Bills of this file, by a number for institution and bill number: the row and what it says.
    seen: HashMap<u64, (u32, i64)>,
    closed: ClosedYears,
}

pub(super) struct Treating {
    institution: Institution,
    pub(super) then: TreatingInstitution,
}

/// What a row comes to.
enum Row {
    New(Box<(MatchedPerson, BillReceived)>),
    Again(Box<(MatchedPerson, BillReceived)>, Known),
    Unchanged,
    Faulty,
}

fn plan(
    tx: &mut Transaction<'_>,
    run: &mut ImportRun,
    matching: &Matching,
    records: &[Record],
) -> Result<Planned, DatabaseError> {
    let slots = Slots::of(matching);
    let mut memory = std::mem::take(run.memory::<Memory>());
    if !run.dry_run {
        // What came before is in the table by now, and a year may have been closed since.
        memory.seen.clear();
        memory.closed.clear();
        lock(tx, run.reach.place())?;
    }
    let (app, actor) = (run.app.clone(), run.actor.clone());
    let hand = Hand { app: &app, actor: &actor, now: run.now, source: Source::Import };
    let mut facts = Vec::with_capacity(records.len());
    for record in records {
        let mut cells = Cells::new(matching, record);
        let row = judge(tx, run, &mut memory, &slots, &mut cells)?;
        let faults = cells.into_faults();
        let outcome = match row {
            Row::New(bill) => {
                facts.push(hand.received(bill.0.id, bill.0.home, &bill.1)?);
                Outcome::New
            }
            Row::Again(bill, known) => {
                facts.extend(again(&hand, &bill.0, &bill.1, &known)?);
                Outcome::Changed
            }
            Row::Unchanged => Outcome::Unchanged,
            Row::Faulty => Outcome::Faulty,
        };
        run.count(outcome, faults);
    }
    *run.memory::<Memory>() = memory;
    Ok(Planned { facts })
}

/// Cancels what is there, unless it is cancelled already, and takes the bill in anew.
fn again(
    hand: &Hand<'_>,
    person: &MatchedPerson,
    bill: &BillReceived,
    known: &Known,
) -> Result<Vec<NewFact>, DatabaseError> {
    let mut facts = Vec::with_capacity(2);
    if known.state != BillState::Cancelled {
        facts.push(hand.cancelled(person.id, person.home, known.id, known.fact, "更正导入")?);
    }
    let received = hand.received(person.id, person.home, bill)?;
    facts.push(NewFact { corrects: Some(known.fact), ..received });
    Ok(facts)
}

fn judge(
    tx: &mut Transaction<'_>,
    run: &ImportRun,
    memory: &mut Memory,
    slots: &Slots,
    cells: &mut Cells<'_>,
) -> Result<Row, DatabaseError> {
    let read = read_bill(cells, slots);
    let treating = find_treating(tx, run, memory, slots, cells)?;
    let person = match &read {
        Some(read) => find_person(tx, run, slots, cells, read)?,
        None => None,
    };
    let (Some(read), Some(treating), Some(person)) = (read, treating, person) else { return Ok(Row::Faulty) };
    refuse_impossible(run, cells, &read, &person, &treating);
    refuse_closed(tx, &run.app, memory, (cells, &read), &person)?;
    if cells.has_errors() {
        return Ok(Row::Faulty);
    }
    let mut bill = received(run, &person, &treating, &read);
    let content = bill.content(person.id);
    let key = key_of(&treating, &bill.number);
    if let Some(&(row, before)) = memory.seen.get(&key) {
        if before != content {
            let flaw = Flaw::new("settlement.flaw.twice").with("row", row.to_string());
            cells.error("number", flaw.mend(Refusal::new("settlement.mend.twice")));
        }
        return Ok(if before == content { Row::Unchanged } else { Row::Faulty });
    }
    memory.seen.insert(key, (cells.row(), content));
    let Some(known) = known_bill(tx, treating.then.id, &bill.number)? else {
        return Ok(Row::New(Box::new((person, bill))));
    };
    let is_live = known.state != BillState::Cancelled;
    if is_live && known.content == content {
        return Ok(Row::Unchanged);
    }
    if is_live && with_lines(tx, run, cells, (&person, &mut bill), (&known, read.correction))? {
        return Ok(Row::Unchanged);
    }
    if !read.correction {
        refuse_known(cells, &known, &bill);
        return Ok(Row::Faulty);
    }
    bill.bill = known.id;
    if !is_live {
        return Ok(Row::Again(Box::new((person, bill)), known));
    }
    keep_standing(tx, &known, &mut bill)?;
    if let Some(day) = memory.closed.on(tx, (known.home, known.year))? {
        let flaw = year_closed(known.year, day);
        cells.error("discharge", flaw.mend(Refusal::new("settlement.mend.year_closed")));
        return Ok(Row::Faulty);
    }
    if known.person != person.id || known.year != bill.year() {
        let flaw = Flaw::new("settlement.flaw.moves");
        cells.error("number", flaw.mend(Refusal::new("settlement.mend.cancel_first")));
        return Ok(Row::Faulty);
    }
    Ok(Row::Again(Box::new((person, bill)), known))
}

/// Holds a row, which never has lines, against a bill that has them: whether it says the same. A correction keeps the lines
/// if they come to its amounts; else they are dropped, with a word.
fn with_lines(
    tx: &mut Transaction<'_>,
    run: &ImportRun,
    cells: &mut Cells<'_>,
    (person, bill): (&MatchedPerson, &mut BillReceived),
    (known, correction): (&Known, bool),
) -> Result<bool, DatabaseError> {
    let Some(before) = body_of_fact(tx, known.fact)? else { return Ok(false) };
    let Some(lines) = before.lines.clone() else { return Ok(false) };
    let mut said = bill.clone();
    if said.fees.is_empty() {
        said.fees.clone_from(&before.fees);
    }
    if said.content_without_lines(person.id) == before.content_without_lines(known.person) {
        return Ok(true);
    }
    if !correction {
        return Ok(false);
    }
    let stated = Stated { total: Some(bill.total), compliant: Some(bill.compliant), fees: bill.fees.clone() };
    let rule = run.app.policies.lines_and_file(person.home, bill.discharge);
    match rule.map(|rule| itemise(rule, lines.lines, &stated, &|line| (line + 1).to_string())) {
        Some(Ok(itemised)) => (bill.fees, bill.lines) = (itemised.fees, Some(itemised.lines)),
        _ => {
            let flaw = Flaw::new("settlement.flaw.lines_dropped");
            cells.warning("correction", flaw.mend(Refusal::new("settlement.mend.lines_dropped")));
        }
    }
    Ok(false)
}

/// A bill of a closed year is for the insurance bureau to decide.
fn refuse_closed(
    tx: &mut Transaction<'_>,
    app: &App,
    memory: &mut Memory,
    (cells, read): (&mut Cells<'_>, &BillRead),
    person: &MatchedPerson,
) -> Result<(), DatabaseError> {
    let discharge = read.draft.discharge;
    let year = insurance_year(&app.policies, person.home, discharge).unwrap_or(discharge.year());
    let whose = (person.id, Some(person.household));
    if let Some(day) = memory.closed.of(tx, &app.policies, whose, (person.home, year))? {
        let flaw = year_closed(year, day);
        cells.error("discharge", flaw.mend(Refusal::new("settlement.mend.year_closed")));
    }
    Ok(())
}

/// By county and year: since when it is closed. Kept within one batch: a year may be closed between two.
#[derive(Default)]
pub(super) struct ClosedYears(HashMap<(DivisionCode, i32), Option<Day>>);

impl ClosedYears {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Since when the year is closed for a place.
    fn on(
        &mut self,
        tx: &mut Transaction<'_>,
        (home, year): (DivisionCode, i32),
    ) -> Result<Option<Day>, DatabaseError> {
        let key = (home.at(DivisionLevel::County), year);
        if let Some(closed) = self.0.get(&key) {
            return Ok(*closed);
        }
        let closed = closed_year(tx, key.0, key.1)?.map(|closed| closed.changed_at.day());
        self.0.insert(key, closed);
        Ok(closed)
    }

    /// Since when it is closed for a person, by their own place or by that of somebody who is settled with them.
    pub(super) fn of(
        &mut self,
        tx: &mut Transaction<'_>,
        policies: &Release,
        whose: (Uuid, Option<Uuid>),
        (home, year): (DivisionCode, i32),
    ) -> Result<Option<Day>, DatabaseError> {
        let closed = self.on(tx, (home, year))?;
        if closed.is_some() || !policies.has_shared() {
            return Ok(closed);
        }
        let found = closing(tx, policies, whose, home, year)?;
        Ok(found.map(|closed| closed.changed_at.day()))
    }
}

/// What is wrong with a row of a closed year.
pub(super) fn year_closed(year: i32, day: Day) -> Flaw {
    let flaw = Flaw::new("settlement.flaw.year_closed").with("year", year.to_string());
    flaw.with("day", day.to_string())
}

fn key_of(treating: &Treating, number: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (treating.then.id, number).hash(&mut hasher);
    hasher.finish()
}

fn refuse_known(cells: &mut Cells<'_>, known: &Known, bill: &BillReceived) {
    let reason = if known.state == BillState::Cancelled {
        "settlement.flaw.cancelled"
    } else if known.total != bill.total {
        "settlement.flaw.other_amount"
    } else {
        "settlement.flaw.other_content"
    };
    let flaw = Flaw::new(reason).with("known", known.total.grouped()).with("given", bill.total.grouped());
    cells.error("number", flaw.mend(Refusal::new("settlement.mend.correct")));
}

/// The rules of a bill, each said at its column.
fn refuse_impossible(
    run: &ImportRun,
    cells: &mut Cells<'_>,
    read: &BillRead,
    person: &MatchedPerson,
    treating: &Treating,
) {
    for refusal in check_bill(&read.draft, run.today, person.died_on) {
        let column = match refusal.field {
            Some("total") => "total",
            Some("compliant") => "compliant",
            Some("already_paid") => "already_paid",
            Some("registration") => "fees",
            Some("admission") => "admission",
            _ => "discharge",
        };
        let suggestion = Refusal::new("settlement.mend.check_source");
        let reason = Refusal { field: None, ..refusal };
        cells.error(column, Flaw { reason, suggestion: Some(suggestion) });
    }
    if !treating.institution.is_open_on(read.draft.admission) {
        let flaw = Flaw::new("settlement.flaw.closed").with("name", treating.institution.body.name.clone());
        cells.warning("institution_code", flaw.mend(Refusal::new("settlement.mend.check_source")));
    }
}

/// A row becomes a bill.
fn received(run: &ImportRun, person: &MatchedPerson, treating: &Treating, read: &BillRead) -> BillReceived {
    BillReceived {
        bill: run.app.ids.mint(run.now),
        number: read.draft.number.clone(),
        household: person.household,
        insurance_year: insurance_year(&run.app.policies, person.home, read.draft.discharge),
        institution: treating.then.clone(),
        admission: read.draft.admission,
        discharge: read.draft.discharge,
        setting: read.draft.setting,
        referral: read.draft.referral,
        diagnosis: read.draft.diagnosis.clone(),
        total: read.draft.total,
        compliant: read.draft.compliant,
        already_paid: read.draft.already_paid,
        fees: read.draft.fees.clone(),
        lines: read.draft.lines.clone(),
    }
}

/// The person of a row, if exactly one within reach has the number.
fn find_person(
    tx: &mut Transaction<'_>,
    run: &ImportRun,
    slots: &Slots,
    cells: &mut Cells<'_>,
    read: &BillRead,
) -> Result<Option<MatchedPerson>, DatabaseError> {
    let mut found = people_with_number(tx, read.id_number.as_str())?;
    found.retain(|person| run.reach.covers(person.home));
    if found.len() > 1 {
        let flaw = Flaw::new("settlement.flaw.two_people");
        cells.error("id_number", flaw.mend(Refusal::new("settlement.mend.two_people")));
        return Ok(None);
    }
    let Some(person) = found.pop() else {
        let expected = read
            .id_number
            .expected_check_character()
            .filter(|expected| !read.id_number.as_str().ends_with(*expected));
        let mend = match expected {
            Some(expected) => {
                Refusal::new("settlement.mend.check_character").with("expected", expected.to_string())
            }
            None => Refusal::new("settlement.mend.unknown_person"),
        };
        cells.error("id_number", Flaw::new("settlement.flaw.unknown_person").mend(mend));
        return Ok(None);
    };
    let name = slots.name.and_then(|slot| cells.filled(slot)).unwrap_or_default();
    if let Some(slot) = slots.name.filter(|_| !name.is_empty() && name != person.name) {
        let flaw = Flaw::new("settlement.flaw.other_name");
        cells.warning(slot, flaw.mend(Refusal::new("settlement.mend.other_name")));
    }
    Ok(Some(person))
}

/// The institution of a row, by code, else by its whole name. A desk knows its own only.
fn find_treating(
    tx: &mut Transaction<'_>,
    run: &ImportRun,
    memory: &mut Memory,
    slots: &Slots,
    cells: &mut Cells<'_>,
) -> Result<Option<Arc<Treating>>, DatabaseError> {
    let code = slots.institution_code.and_then(|slot| cells.filled(slot));
    let name = slots.institution_name.and_then(|slot| cells.filled(slot));
    let Some(asked) = code.or(name) else {
        let flaw = Flaw::new("settlement.flaw.no_institution");
        cells.error("institution_code", flaw.mend(Refusal::new("settlement.mend.institution")));
        return Ok(None);
    };
    let found = match memory.institutions.get(asked) {
        Some(found) => found.clone(),
        None => {
            let found = look_up(tx, &run.app, asked, code.is_some())?;
            let found = found.filter(|found| run.reach.covers_institution(found.then.id)).map(Arc::new);
            memory.institutions.insert(asked.to_owned(), found.clone());
            found
        }
    };
    let Some(found) = found else {
        let column = if code.is_some() { "institution_code" } else { "institution_name" };
        let flaw = Flaw::new("settlement.flaw.unknown_institution");
        cells.error(column, flaw.mend(Refusal::new("settlement.mend.institution")));
        return Ok(None);
    };
    let tier = slots.institution_tier.and_then(|slot| cells.filled(slot)).unwrap_or_default();
    let known = found.then.tier.words().0.trim_end_matches("机构");
    let agrees = tier.is_empty() || known.contains(tier) || tier.contains(known) || !tier.ends_with('级');
    if let Some(slot) = slots.institution_tier.filter(|_| !agrees && is_tier_word(tier)) {
        let flaw = Flaw::new("settlement.flaw.other_tier").with("known", known.to_owned());
        cells.warning(slot, flaw.mend(Refusal::new("settlement.mend.other_tier")));
    }
    Ok(Some(found))
}

/// 机构级别 also holds 二级甲等 in many files: that is a grade and says nothing of the tier.
fn is_tier_word(word: &str) -> bool {
    ["村", "乡", "社区", "县", "区", "市", "省"].iter().any(|part| word.contains(part))
}

pub(super) fn look_up(
    tx: &mut Transaction<'_>,
    app: &App,
    asked: &str,
    by_code: bool,
) -> Result<Option<Treating>, DatabaseError> {
    let found = if by_code {
        find_institution_by_code(tx, asked)?
    } else {
        let all = search_institutions(tx, DivisionCode::COUNTRY.range(), asked, 10)?;
        all.into_iter().find(|institution| institution.body.name == asked)
    };
    Ok(found.map(|institution| {
        let then = treating(app, &institution);
        Treating { institution, then }
    }))
}

/// An institution as a bill keeps it.
pub(crate) fn treating(app: &App, institution: &Institution) -> TreatingInstitution {
    use kangmai_policy::{InstitutionGrade, InstitutionKind, InstitutionTier};
    let body = &institution.body;
    let vocabulary = app.policies.vocabulary();
    let designations = body.capabilities.iter().map(|capability| capability.key());
    TreatingInstitution {
        id: institution.id.uuid(),
        code: body.code.clone(),
        place: institution.place,
        tier: InstitutionTier::from_name(body.tier.key()).unwrap_or(InstitutionTier::County),
        grade: InstitutionGrade::from_name(body.grade.key()).unwrap_or(InstitutionGrade::Ungraded),
        kind: InstitutionKind::from_name(body.kind.key()).unwrap_or(InstitutionKind::Other),
        designations: designations
            .filter(|key| vocabulary.designation(key).is_some())
            .map(str::to_owned)
            .collect(),
    }
}

/// Settles person-years that wait, some at a time, until none is left.
fn finish(tx: &mut Transaction<'_>, run: &mut ImportRun) -> Result<Planned, DatabaseError> {
    if run.dry_run {
        return Ok(Planned::default());
    }
    lock(tx, run.reach.place())?;
    let waiting = waiting_joined(tx, &run.app.policies, &run.reach, at_once(run))?;
    Ok(Planned { facts: settle_some(tx, run, waiting)? })
}

/// How many person-years are settled in one transaction.
pub(super) fn at_once(run: &ImportRun) -> i64 {
    if run.app.policies.has_shared() { JOINED_AT_ONCE } else { YEARS_AT_ONCE }
}

/// The facts of as many of these years as fit; the others wait for the next call.
pub(super) fn settle_some(
    tx: &mut Transaction<'_>,
    run: &ImportRun,
    years: Vec<JoinedYear>,
) -> Result<Vec<NewFact>, DatabaseError> {
    let app = &run.app;
    let hand = Hand { app, actor: &run.actor, now: run.now, source: Source::Import };
    let mut facts = Vec::new();
    let mut adjudicator = Adjudicator::new(&app.policies);
    if app.policies.has_shared() {
        // All in one order, so that two imports of different counties never wait for each other in a circle.
        let households: BTreeSet<Uuid> = years.iter().flat_map(JoinedYear::households).collect();
        for household in households {
            lock_household(tx, household)?;
        }
    }
    for mut year in years {
        if let Some(first) = year.members.first().filter(|_| app.policies.has_shared()) {
            year = join(tx, &app.policies, (first.person, None), year.year)?;
        }
        let more = hand.settled(&mut adjudicator, &year, |_| None)?;
        // A year is written whole: of one that is cut off, bills that do not wait would never be settled again.
        if !facts.is_empty() && facts.len() + more.len() > FactRecord::BATCH {
            break;
        }
        facts.extend(more);
    }
    Ok(facts)
}
