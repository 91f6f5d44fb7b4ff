//! Brings the rows of a file of bills into order: each person's rows together.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;

use anyhow::{Context as _, anyhow, bail};
use kangmai_base::Refusal;
use kangmai_sheet::{Fault, Matching, Record, Source as _, read};
use kangmai_sheets::{Sheet, open};

use super::Setup;
use super::bill_file::{BillRow, Read, Reading, hash_of, household_of, person_of};
use super::columns::BILLS;

/// Rows read before they are handed on.
const BATCH_ROWS: usize = 4_096;
/// Bytes of a file that one part of it holds, about.
const PART_BYTES: u64 = 32 << 20;
/// Most parts: each is an open file.
const MOST_PARTS: u64 = 256;

/// Bills in which each person's stand together, and rows that were not taken.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) bills: Vec<BillRow>,
    pub(super) errors: Vec<RowError>,
}

/// Why a row was not taken.
#[derive(Debug)]
pub(super) struct RowError {
    /// The bill number, as it stands.
    pub(super) number: String,
    pub(super) faults: Vec<Fault>,
    /// Whether the row only repeats another.
    pub(super) is_repeat: bool,
    /// Whether it is a row of the file of lines.
    pub(super) of_lines: bool,
}

/// Where batches go, and how far the reading has come.
pub(super) struct Sent<'p> {
    pub(super) sender: SyncSender<Batch>,
    pub(super) percent: &'p AtomicU64,
}

/// A person's rows do not stand together, so the file cannot be streamed.
#[derive(Debug, thiserror::Error)]
#[error("the rows of a person do not stand together")]
pub(super) struct NotGrouped;

/// The settling side has stopped; it says why itself.
#[derive(Debug, thiserror::Error)]
#[error("the settling broke off")]
struct Stopped;

impl Sent<'_> {
    fn send(&self, batch: Batch) -> anyhow::Result<()> {
        self.sender.send(batch).map_err(|_| Stopped.into())
    }

    /// What is told at the end.
    pub(super) fn rest(&self, errors: Vec<RowError>) -> anyhow::Result<()> {
        if errors.is_empty() { Ok(()) } else { self.send(Batch { errors, ..Batch::default() }) }
    }
}

fn open_bills(path: &Path, setup: &Setup) -> anyhow::Result<Sheet> {
    let text = |refusal: &Refusal| setup.words.refusal(setup.language, refusal, "");
    let sheet = open(path, &BILLS, None)
        .map_err(|error| anyhow!("{}: {}", path.display(), text(&error.refusal())))?;
    if let Some(fault) = sheet.header_faults().iter().find(|fault| fault.is_error()) {
        let mend = fault.suggestion.as_ref().map(text).unwrap_or_default();
        bail!("{}: {} {mend}", path.display(), text(&fault.reason));
    }
    Ok(sheet)
}

fn next(sheet: &mut Sheet, record: &mut Record, setup: &Setup) -> anyhow::Result<bool> {
    sheet.next(record).map_err(|refusal| anyhow!("{}", setup.words.refusal(setup.language, &refusal, "")))
}

/// Puts what a row comes to into a batch; answers the person of a bill.
fn take(
    reading: &mut Reading<'_>,
    matching: &Matching,
    record: &Record,
    batch: &mut Batch,
) -> anyhow::Result<Option<u64>> {
    let (read, faults) = reading.row(matching, record)?;
    let is_repeat = matches!(read, Read::Repeated);
    if let Read::Bill(bill) = read {
        let person = bill.person;
        batch.bills.push(*bill);
        return Ok(Some(person));
    }
    let position = matching.slot("number").and_then(|slot| matching.position(slot));
    let number = position.map_or("", |position| record.get(position).trim()).to_owned();
    batch.errors.push(RowError { number, faults, is_repeat, of_lines: false });
    Ok(None)
}

/// Streams a file whose rows stand together by person, whatever their order within. Keeps eight bytes a person and
/// sixteen a bill (to tell a person that comes back and a bill that stands twice).
pub(super) fn stream(path: &Path, reading: &mut Reading<'_>, sent: &Sent<'_>) -> anyhow::Result<()> {
    if reading.setup().release.has_shared() {
        // Who is settled together is known when all rows are.
        return Err(NotGrouped.into());
    }
    let mut sheet = open_bills(path, reading.setup())?;
    let matching = sheet.matching().clone();
    let (mut record, mut batch) = (Record::new(), Batch::default());
    let mut past: HashSet<u64> = HashSet::new();
    let mut current = None;
    while next(&mut sheet, &mut record, reading.setup())? {
        let Some(person) = take(reading, &matching, &record, &mut batch)? else { continue };
        if current != Some(person) {
            if let Some(before) = current {
                past.insert(before);
            }
            if past.contains(&person) {
                return Err(NotGrouped.into());
            }
            current = Some(person);
            if batch.bills.len() > BATCH_ROWS {
                // All but the bill that has just begun another person.
                let begun = batch.bills.pop();
                let full = std::mem::take(&mut batch);
                batch.bills.extend(begun);
                sent.percent.store(sheet.progress().percent().into(), Ordering::Relaxed);
                sent.send(full)?;
            }
        }
    }
    sent.send(batch)
}

/// Who is settled together with whom: the persons whom a household of a bill joins, and whoever those are joined with.
struct Joined(HashMap<u64, u64>);

impl Joined {
    /// Reads the households of a whole file, if the law lets households have anything together.
    fn read(path: &Path, setup: &Setup) -> anyhow::Result<Joined> {
        let mut joined = Joined(HashMap::new());
        if !setup.release.has_shared() {
            return Ok(joined);
        }
        let mut sheet = open_bills(path, setup)?;
        let matching = sheet.matching().clone();
        let position = |key| matching.slot(key).and_then(|slot| matching.position(slot));
        let (id, household) = (position("id_number").unwrap_or(0), position("household_number"));
        let mut record = Record::new();
        while next(&mut sheet, &mut record, setup)? {
            let Some(person) = person_in(&record, id) else { continue };
            let said = household.map(|at| record.get(at).trim()).filter(|text| !text.is_empty());
            let household = said.map(household_of).or_else(|| setup.around.household(person));
            if let Some(household) = household {
                joined.join(person, household);
            }
        }
        Ok(joined)
    }

    fn join(&mut self, person: u64, household: u64) {
        let (one, other) = (self.root(person), self.root(household));
        self.0.insert(one.max(other), one.min(other));
    }

    /// The number that all have in common who are settled together.
    fn root(&mut self, one: u64) -> u64 {
        let mut at = one;
        while let Some(next) = self.0.get(&at).copied().filter(|next| *next != at) {
            let behind = self.0.get(&next).copied().unwrap_or(next);
            self.0.insert(at, behind);
            at = next;
        }
        at
    }
}

/// The person of a row, if its number can be one.
fn person_in(record: &Record, position: usize) -> Option<u64> {
    read::id_number(record.get(position)).ok().map(|number| person_of(number.as_str()))
}

/// Splits a file by those who are settled together into parts that fit in memory, then reads part after part.
pub(super) fn split(path: &Path, reading: &mut Reading<'_>, sent: &Sent<'_>) -> anyhow::Result<()> {
    let mut joined = Joined::read(path, reading.setup())?;
    let mut sheet = open_bills(path, reading.setup())?;
    let matching = sheet.matching().clone();
    let bytes = std::fs::metadata(path).map_or(0, |about| about.len());
    let count = (bytes / PART_BYTES + 1).min(MOST_PARTS);
    let parts = Parts::new(count)?;
    let mut writers: Vec<BufWriter<File>> = (0..count)
        .map(|part| Ok(BufWriter::new(File::create(parts.path(part))?)))
        .collect::<std::io::Result<_>>()?;
    let id = matching.slot("id_number").and_then(|slot| matching.position(slot)).unwrap_or(0);
    let mut record = Record::new();
    while next(&mut sheet, &mut record, reading.setup())? {
        let part = hash_of(person_in(&record, id).map(|person| joined.root(person))) % count;
        write_record(&mut writers[part as usize], &record).context("writing a part of the file")?;
        if record.number().is_multiple_of(BATCH_ROWS as u32) {
            sent.percent.store(u64::from(sheet.progress().percent()) / 2, Ordering::Relaxed);
        }
    }
    for writer in &mut writers {
        writer.flush()?;
    }
    drop(writers);
    for part in 0..count {
        let mut file = BufReader::with_capacity(1 << 20, File::open(parts.path(part))?);
        let mut batch = Batch::default();
        while read_record(&mut file, &mut record)? {
            take(reading, &matching, &record, &mut batch)?;
        }
        for bill in &mut batch.bills {
            bill.chain = joined.root(bill.person);
        }
        batch.bills.sort_by_key(|bill| (bill.chain, bill.row));
        sent.percent.store(50 + 50 * (part + 1) / count, Ordering::Relaxed);
        sent.send(batch)?;
    }
    Ok(())
}

/// The parts of a file while it is read; gone afterwards.
struct Parts(PathBuf);

impl Parts {
    fn new(count: u64) -> anyhow::Result<Parts> {
        let directory = std::env::temp_dir().join(format!("kangmai-settle-{}-{count}", std::process::id()));
        std::fs::create_dir_all(&directory).context("a place for the parts of the file")?;
        Ok(Parts(directory))
    }

    fn path(&self, part: u64) -> PathBuf {
        self.0.join(part.to_string())
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn write_record(out: &mut impl std::io::Write, record: &Record) -> std::io::Result<()> {
    out.write_all(&record.number().to_le_bytes())?;
    out.write_all(&(record.len() as u32).to_le_bytes())?;
    for cell in record.cells() {
        out.write_all(&(cell.len() as u32).to_le_bytes())?;
        out.write_all(cell.as_bytes())?;
    }
    Ok(())
}

fn read_record(file: &mut impl std::io::Read, record: &mut Record) -> anyhow::Result<bool> {
    let mut number = [0_u8; 4];
    match file.read(&mut number[..1])? {
        0 => return Ok(false),
        _ => file.read_exact(&mut number[1..])?,
    }
    let mut word = [0_u8; 4];
    file.read_exact(&mut word)?;
    record.begin(u32::from_le_bytes(number));
    let mut cell = Vec::new();
    for _ in 0..u32::from_le_bytes(word) {
        file.read_exact(&mut word)?;
        cell.resize(u32::from_le_bytes(word) as usize, 0);
        file.read_exact(&mut cell)?;
        record.push(std::str::from_utf8(&cell).context("a part of the file was changed")?);
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_a_household_joins_has_a_number_in_common_and_nobody_else() {
        let mut joined = Joined(HashMap::new());
        // A long chain from household to household, and a ring of others.
        for number in 0..1_000_u64 {
            joined.join(10_000 + number, 20_000 + number);
            joined.join(10_000 + number, 20_001 + number);
            joined.join(30_000 + number % 7, 40_000 + (number + 1) % 7);
            joined.join(30_000 + number % 7, 40_000 + number % 7);
        }
        let chain = joined.root(10_000);
        assert!((0..1_000).all(|number| joined.root(10_000 + number) == chain));
        let ring = joined.root(30_000);
        assert!((0..7).all(|number| joined.root(30_000 + number) == ring));
        assert_ne!(chain, ring);
        assert_eq!(joined.root(50_000), 50_000, "somebody alone");
    }
}
