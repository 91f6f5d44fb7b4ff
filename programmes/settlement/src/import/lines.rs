//! The import of the lines of bills: joined to bills that are there by institution and number, added up, held against what
//! the bill says; then every person-year that was touched is settled again.
//!
//! A bill takes all of its lines or none, so the rows of a bill stand together in the file: nothing but the bill at hand is
//! in memory, however long the file is. The order of the two files does not matter for what comes out: lines that come
//! before their bill are refused with that reason, and coming again after it they are taken.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use kangmai_access::Purpose;
use kangmai_base::{Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_policy::{MAX_LINES, Release};
use kangmai_programme::{Import, ImportRun, Planned};
use kangmai_record::{NewFact, Source};
use kangmai_sheet::{Cells, Fault, Flaw, Matching, Outcome, Record, Severity, Slot, read};

use super::bill_columns::bill_number;
use super::bills::{ClosedYears, at_once, look_up, settle_some, year_closed};
use super::line_rows::{LINE_FILE_COLUMNS, LineReader};
use crate::facts::{BillReceived, ChargedLine};
use crate::rules::{LineFault, Stated, itemise, too_many};
use crate::settling::{Hand, closing_of, lock};
use crate::store::{BillState, Known, body_of_fact, itemised_joined, known_bill, waiting_joined};

/// Lines of bills that came before them.
pub const LINES: Import = Import {
    key: "lines",
    word: "settlement.import.lines",
    purpose: Purpose::ImportBills,
    schema: &LINE_FILE_COLUMNS,
    schema_under: None,
    order: 31,
    plan,
    finish: Some(finish),
    rows_at_once: 2_000,
};

#[derive(Default)]
struct Memory {
    head: Option<Head>,
    /// By code or name as the file has it; none: not in the list.
    institutions: HashMap<String, Option<Uuid>>,
    closed: ClosedYears,
    /// The bill whose rows are being read.
    open: Option<Open>,
    /// The bills whose rows were read, by a number for institution and bill number: their first row.
    done: HashMap<u64, u32>,
}

/// Where the columns stand.
#[derive(Clone)]
struct Head {
    reader: LineReader,
    number: Option<Slot>,
    institution_code: Option<Slot>,
    institution_name: Option<Slot>,
    correction: Option<Slot>,
}

/// A bill with the rows of it that were read.
struct Open {
    institution: Uuid,
    number: String,
    rows: Vec<u32>,
    lines: Vec<ChargedLine>,
    /// The first row that is wrong by itself, and the faults of all that are.
    wrong: Option<u32>,
    faults: HashMap<u32, Vec<Fault>>,
    /// Whether these lines replace those that are there.
    correction: bool,
}

impl Head {
    fn of(matching: &Matching) -> Head {
        Head {
            reader: LineReader::under(matching),
            number: matching.slot("number"),
            institution_code: matching.slot("institution_code"),
            institution_name: matching.slot("institution_name"),
            correction: matching.slot("correction"),
        }
    }

    /// A fault at a column of a row that is no longer at hand.
    fn fault(&self, row: u32, column: &'static str, flaw: Flaw) -> Fault {
        let matching = self.reader.matching();
        let position = matching.slot(column).and_then(|slot| matching.position(slot));
        let column = LINE_FILE_COLUMNS.column(column);
        Fault { column, position, ..Fault::of_row(row, Severity::Error, flaw) }
    }
}

fn plan(
    tx: &mut Transaction<'_>,
    run: &mut ImportRun,
    matching: &Matching,
    records: &[Record],
) -> Result<Planned, DatabaseError> {
    let mut memory = std::mem::take(run.memory::<Memory>());
    let head = memory.head.get_or_insert_with(|| Head::of(matching)).clone();
    if !run.dry_run {
        memory.closed.clear();
        lock(tx, run.reach.place())?;
    }
    let first_open = memory.open.as_ref().and_then(|open| open.rows.first().copied());
    run.held.retain(|record| first_open.is_some_and(|first| record.number() >= first));
    let mut facts = Vec::new();
    for record in records {
        let mut cells = Cells::new(matching, record);
        let number = head.number.and_then(|slot| cells.required(slot, bill_number));
        let institution = find_institution(tx, run, &mut memory, &head, &mut cells)?;
        let correction = head.correction.and_then(|slot| cells.optional(slot, read::yes_no));
        let line = head.reader.read_cells(&mut cells, run.today);
        let (Some(number), Some(institution)) = (number, institution) else {
            run.count(Outcome::Faulty, cells.into_faults());
            continue;
        };
        let is_same =
            memory.open.as_ref().is_some_and(|open| open.institution == institution && open.number == number);
        if !is_same {
            facts.extend(close(tx, run, &mut memory, &head)?);
            memory.open = Some(Open::begin(institution, number));
        }
        if let Some(open) = &mut memory.open {
            open.correction |= correction == Some(true);
            open.add(run, record.number(), line, cells.into_faults());
        }
    }
    let first_open = memory.open.as_ref().and_then(|open| open.rows.first().copied());
    let still_open = records.iter().filter(|record| first_open.is_some_and(|first| record.number() >= first));
    let room = (MAX_LINES + 1).saturating_sub(run.held.len());
    run.held.extend(still_open.take(room).cloned());
    *run.memory::<Memory>() = memory;
    Ok(Planned { facts })
}

impl Open {
    fn begin(institution: Uuid, number: String) -> Open {
        Open {
            institution,
            number,
            rows: Vec::new(),
            lines: Vec::new(),
            wrong: None,
            faults: HashMap::new(),
            correction: false,
        }
    }

    /// Takes a row in. One past the most that a bill may have is told at once and not kept.
    fn add(&mut self, run: &mut ImportRun, row: u32, line: Option<ChargedLine>, faults: Vec<Fault>) {
        if self.rows.len() > MAX_LINES {
            let fault = Fault::of_row(row, Severity::Error, too_many(MAX_LINES + 1));
            run.count(Outcome::Faulty, vec![fault]);
            return;
        }
        self.rows.push(row);
        match line {
            Some(line) => self.lines.push(line),
            None => self.wrong = self.wrong.or(Some(row)),
        }
        if !faults.is_empty() {
            self.faults.insert(row, faults);
        }
    }

    fn key(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.institution, self.number.as_str()).hash(&mut hasher);
        hasher.finish()
    }
}

/// What the rows of a bill come to.
enum Judged {
    /// The bill takes them; whether it had others.
    Taken(Box<NewFact>, bool),
    Unchanged,
    /// Each fault at its row.
    Faulty(Vec<Fault>),
}

/// Ends the bill whose rows were read: counts them and plans its fact.
fn close(
    tx: &mut Transaction<'_>,
    run: &mut ImportRun,
    memory: &mut Memory,
    head: &Head,
) -> Result<Option<NewFact>, DatabaseError> {
    let Some(mut open) = memory.open.take() else { return Ok(None) };
    let Some(first) = open.rows.first().copied() else { return Ok(None) };
    let rows = std::mem::take(&mut open.rows);
    let judged = judge(tx, run, memory, head, &mut open, &rows)?;
    memory.done.entry(open.key()).or_insert(first);
    let (outcome, faults, fact) = match judged {
        Judged::Taken(fact, had_lines) => {
            let outcome = if had_lines { Outcome::Changed } else { Outcome::New };
            (outcome, Vec::new(), Some(*fact))
        }
        Judged::Unchanged => (Outcome::Unchanged, Vec::new(), None),
        Judged::Faulty(faults) => (Outcome::Faulty, faults, None),
    };
    for fault in faults {
        open.faults.entry(fault.row).or_default().push(fault);
    }
    // A bill takes all of its lines or none: all of them come back on the error sheet, so that it can be mended and
    // handed in as it is.
    let worst = open.faults.iter().filter(|(_, faults)| faults.iter().any(Fault::is_error));
    let worst = worst.map(|(row, _)| *row).min();
    for row in rows {
        let mut faults = open.faults.remove(&row).unwrap_or_default();
        let is_told = faults.iter().any(Fault::is_error);
        if let Some(worst) = worst.filter(|_| outcome == Outcome::Faulty && !is_told) {
            let flaw = Flaw::new("settlement.flaw.other_line").with("row", worst.to_string());
            faults.push(head.fault(row, "number", flaw));
        }
        run.count(outcome, faults);
    }
    Ok(fact)
}

fn judge(
    tx: &mut Transaction<'_>,
    run: &ImportRun,
    memory: &mut Memory,
    head: &Head,
    open: &mut Open,
    rows: &[u32],
) -> Result<Judged, DatabaseError> {
    let first = rows.first().copied().unwrap_or_default();
    let refuse = |column, flaw: Flaw| Ok(Judged::Faulty(vec![head.fault(first, column, flaw)]));
    if let Some(row) = memory.done.get(&open.key()) {
        let flaw = Flaw::new("settlement.flaw.lines_apart").with("row", row.to_string());
        return refuse("number", flaw.mend(Refusal::new("settlement.mend.lines_apart")));
    }
    if rows.len() > MAX_LINES {
        return refuse("number", too_many(rows.len()));
    }
    if open.wrong.is_some() {
        return Ok(Judged::Faulty(Vec::new()));
    }
    let known = known_bill(tx, open.institution, &open.number)?.filter(|known| run.reach.covers(known.home));
    let Some(known) = known else {
        let flaw = Flaw::new("settlement.flaw.no_such_bill");
        return refuse("number", flaw.mend(Refusal::new("settlement.mend.no_such_bill")));
    };
    if known.state == BillState::Cancelled {
        let flaw = Flaw::new("settlement.flaw.lines_cancelled");
        return refuse("number", flaw.mend(Refusal::new("settlement.mend.no_such_bill")));
    }
    let Some(before) = body_of_fact(tx, known.fact)? else {
        return refuse("number", Flaw::new("settlement.flaw.no_such_bill"));
    };
    if let Some(flaw) = closed(tx, &run.app.policies, memory, &known)? {
        return refuse("number", flaw);
    }
    let Some(rule) = run.app.policies.lines_and_file(known.home, before.discharge) else {
        return refuse("number", no_rule(&before));
    };
    let stated = Stated {
        total: Some(before.total),
        compliant: Some(before.compliant),
        // Fees that came of lines are theirs to replace.
        fees: if before.lines.is_some() { Vec::new() } else { before.fees.clone() },
    };
    let name = |line: usize| rows.get(line).copied().unwrap_or(first).to_string();
    let itemised = match itemise(rule, std::mem::take(&mut open.lines), &stated, &name) {
        Ok(itemised) => itemised,
        Err(faults) => return Ok(Judged::Faulty(at_rows(head, faults, rows))),
    };
    let had_lines = before.lines.is_some();
    let body = BillReceived { fees: itemised.fees, lines: Some(itemised.lines), ..before };
    if had_lines && body.content(known.person) == known.content {
        return Ok(Judged::Unchanged);
    }
    if had_lines && !open.correction {
        let flaw = Flaw::new("settlement.flaw.other_lines");
        return refuse("number", flaw.mend(Refusal::new("settlement.mend.other_lines")));
    }
    let (app, actor) = (run.app.clone(), run.actor.clone());
    let hand = Hand { app: &app, actor: &actor, now: run.now, source: Source::Import };
    let fact = hand.itemised(known.person, known.home, &body, known.fact)?;
    Ok(Judged::Taken(Box::new(fact), had_lines))
}

fn no_rule(bill: &BillReceived) -> Flaw {
    Flaw::new("settlement.flaw.no_line_rule").with("day", bill.discharge.to_string())
}

/// The faults of lines at the rows and columns of the file.
fn at_rows(head: &Head, faults: Vec<LineFault>, rows: &[u32]) -> Vec<Fault> {
    let at = |fault: LineFault| {
        let row = fault.line.and_then(|line| rows.get(line)).or(rows.first()).copied().unwrap_or_default();
        let column = match fault.column {
            "total" => "amount",
            "compliant" => "class",
            other => other,
        };
        head.fault(row, column, fault.flaw)
    };
    faults.into_iter().map(at).collect()
}

/// A bill of a closed year stays as it is.
fn closed(
    tx: &mut Transaction<'_>,
    policies: &Release,
    memory: &mut Memory,
    known: &Known,
) -> Result<Option<Flaw>, DatabaseError> {
    let whose = (known.person, Some(known.household));
    let closed = memory.closed.of(tx, policies, whose, (known.home, known.year))?;
    let flaw = |day| year_closed(known.year, day).mend(Refusal::new("settlement.mend.lines_closed"));
    Ok(closed.map(flaw))
}

/// The institution of a row, by code, else by its whole name.
fn find_institution(
    tx: &mut Transaction<'_>,
    run: &ImportRun,
    memory: &mut Memory,
    head: &Head,
    cells: &mut Cells<'_>,
) -> Result<Option<Uuid>, DatabaseError> {
    let code = head.institution_code.and_then(|slot| cells.filled(slot));
    let name = head.institution_name.and_then(|slot| cells.filled(slot));
    let Some(asked) = code.or(name) else {
        let flaw = Flaw::new("settlement.flaw.no_institution");
        cells.error("institution_code", flaw.mend(Refusal::new("settlement.mend.institution")));
        return Ok(None);
    };
    let found = match memory.institutions.get(asked) {
        Some(found) => *found,
        None => {
            let found = look_up(tx, &run.app, asked, code.is_some())?.map(|treating| treating.then.id);
            let found = found.filter(|found| run.reach.covers_institution(*found));
            memory.institutions.insert(asked.to_owned(), found);
            found
        }
    };
    if found.is_none() {
        let column = if code.is_some() { "institution_code" } else { "institution_name" };
        let flaw = Flaw::new("settlement.flaw.unknown_institution");
        cells.error(column, flaw.mend(Refusal::new("settlement.mend.institution")));
    }
    Ok(found)
}

/// Ends the last bill, then settles person-years that wait, some at a time, until none is left.
fn finish(tx: &mut Transaction<'_>, run: &mut ImportRun) -> Result<Planned, DatabaseError> {
    if !run.dry_run {
        lock(tx, run.reach.place())?;
    }
    let mut memory = std::mem::take(run.memory::<Memory>());
    let mut facts = Vec::new();
    if let Some(head) = memory.head.clone() {
        facts.extend(close(tx, run, &mut memory, &head)?);
    }
    *run.memory::<Memory>() = memory;
    if run.dry_run || !facts.is_empty() {
        return Ok(Planned { facts });
    }
    let (policies, reach) = (&run.app.policies, &run.reach);
    let mut years = waiting_joined(tx, policies, reach, at_once(run))?;
    if years.is_empty() {
        for year in itemised_joined(tx, policies, reach, at_once(run))? {
            if closing_of(tx, &year)?.is_none() {
                years.push(year);
            }
        }
    }
    Ok(Planned { facts: settle_some(tx, run, years)? })
}
