//! A file of lines beside a file of bills. It is read once: what settling asks of each line goes into a file beside the
//! system's temporary files, and in memory stays where the lines of each bill begin. However long the file is, a bill's own
//! lines are all that is at hand.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{BufWriter, Read as _, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use kangmai_base::{Clock as _, Day, Fen, Rate, Refusal, SystemClock};
use kangmai_policy::{CatalogueClass, CostCategory, Decimal4, FeeKind, MAX_LINES};
use kangmai_settlement::facts::ChargedLine;
use kangmai_settlement::import::{LINE_FILE_COLUMNS, LineReader, bill_number};
use kangmai_settlement::rules::too_many;
use kangmai_sheet::{Cells, Fault, Flaw, Matching, Record, Severity, Source as _};
use kangmai_sheets::open;

use super::Setup;
use super::bill_file::hash_of;
use super::order::RowError;
use super::output::Output;

/// Bytes of a line in the file beside.
const LINE_BYTES: usize = 64;
/// No lines of the bill before these.
const NONE: u64 = u64::MAX;

/// The lines of all bills, by a number for institution and bill number.
#[derive(Debug)]
pub(super) struct LineFile {
    path: PathBuf,
    /// Where the last block of a bill's lines begins; each block says where the one before does.
    blocks: HashMap<u64, u64>,
}

/// The lines of one bill.
#[derive(Debug, Default)]
pub(super) struct LinesOfBill {
    pub(super) lines: Vec<ChargedLine>,
    /// Their rows in the file, one for each.
    pub(super) rows: Vec<u32>,
    /// A row of the bill that is wrong by itself.
    pub(super) wrong: Option<u32>,
    /// How many there are; lines past the most that a bill may have are not read.
    pub(super) count: usize,
    number: String,
}

/// The number of a bill among all: as the file of bills and the file of lines both make it.
pub(super) fn bill_key(institution: &str, number: &str) -> u64 {
    hash_of((institution, number.to_ascii_uppercase()))
}

/// Lines that follow each other and belong to one bill.
#[derive(Default)]
struct Block {
    key: u64,
    number: String,
    bytes: Vec<u8>,
    count: u32,
}

impl LineFile {
    /// Reads a file of lines; rows that are wrong are listed, and their bills are not settled.
    pub(super) fn read(path: &Path, setup: &Setup, output: &mut Output<'_>) -> anyhow::Result<LineFile> {
        let text = |refusal: &Refusal| setup.words.refusal(setup.language, refusal, "");
        let mut sheet = open(path, &LINE_FILE_COLUMNS, None)
            .map_err(|error| anyhow!("{}: {}", path.display(), text(&error.refusal())))?;
        if let Some(fault) = sheet.header_faults().iter().find(|fault| fault.is_error()) {
            let mend = fault.suggestion.as_ref().map(text).unwrap_or_default();
            bail!("{}: {} {mend}", path.display(), text(&fault.reason));
        }
        let beside = std::env::temp_dir().join(format!("kangmai-settle-lines-{}", std::process::id()));
        let file = File::create(&beside).context("a place for the lines")?;
        let mut lines = LineFile { path: beside, blocks: HashMap::new() };
        let mut writer = Writer { out: BufWriter::with_capacity(1 << 20, file), at: 0 };
        let matching = sheet.matching().clone();
        let (mut rows, mut record) = (Rows::of(&matching), Record::new());
        let mut block = Block::default();
        while sheet.next(&mut record).map_err(|refusal| anyhow!("{}: {}", path.display(), text(&refusal)))? {
            let (key, number, line) = rows.read(&matching, &record, output)?;
            let Some(key) = key else { continue };
            if block.count > 0 && (block.key != key || block.count as usize >= MAX_LINES) {
                lines.put(&mut writer, &mut block)?;
            }
            if block.count == 0 {
                (block.key, block.number) = (key, number);
            }
            block.count += 1;
            write_line(&mut block.bytes, record.number(), line.as_ref());
        }
        lines.put(&mut writer, &mut block)?;
        writer.out.flush()?;
        Ok(lines)
    }

    fn put(&mut self, writer: &mut Writer, block: &mut Block) -> anyhow::Result<()> {
        if block.count == 0 {
            return Ok(());
        }
        let before = self.blocks.insert(block.key, writer.at).unwrap_or(NONE);
        writer.write(&before.to_le_bytes())?;
        writer.write(&block.count.to_le_bytes())?;
        writer.write(&u32::try_from(block.number.len()).unwrap_or(0).to_le_bytes())?;
        writer.write(block.number.as_bytes())?;
        writer.write(&block.bytes)?;
        block.bytes.clear();
        block.count = 0;
        Ok(())
    }

    /// A hand that reads the lines of one bill after the other.
    pub(super) fn reader(&self) -> anyhow::Result<LinesReader<'_>> {
        let file = File::open(&self.path).context("the lines beside")?;
        Ok(LinesReader { of: self, file, used: HashSet::new() })
    }
}

impl Drop for LineFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

struct Writer {
    out: BufWriter<File>,
    at: u64,
}

impl Writer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.at += bytes.len() as u64;
        self.out.write_all(bytes)
    }
}

/// Reads the rows of the file.
struct Rows {
    reader: LineReader,
    today: Day,
}

impl Rows {
    fn of(matching: &Matching) -> Rows {
        Rows { reader: LineReader::under(matching), today: SystemClock.today() }
    }

    /// The bill of a row, its number, and the line; none if it is wrong, which is listed.
    fn read(
        &mut self,
        matching: &Matching,
        record: &Record,
        output: &mut Output<'_>,
    ) -> anyhow::Result<(Option<u64>, String, Option<ChargedLine>)> {
        let mut cells = Cells::new(matching, record);
        let number = matching.slot("number").and_then(|slot| cells.required(slot, bill_number));
        let institution = matching.slot("institution_code").and_then(|slot| cells.filled(slot));
        let key = number.as_ref().map(|number| bill_key(institution.unwrap_or_default(), number));
        let number = number.unwrap_or_default();
        let line = self.reader.read_cells(&mut cells, self.today);
        let faults = cells.into_faults();
        if faults.iter().any(Fault::is_error) {
            output.error(&RowError { number: number.clone(), faults, is_repeat: false, of_lines: true })?;
        }
        Ok((key, number, line))
    }
}

/// Reads the lines of bills from the file beside, and knows which bills asked.
pub(super) struct LinesReader<'l> {
    of: &'l LineFile,
    file: File,
    used: HashSet<u64>,
}

impl LinesReader<'_> {
    /// The lines of a bill: those of its institution, else those of a file that names no institutions.
    pub(super) fn lines_of(
        &mut self,
        institution: &str,
        number: &str,
    ) -> anyhow::Result<Option<LinesOfBill>> {
        let keys = [bill_key(institution, number), bill_key("", number)];
        let Some(key) = keys.into_iter().find(|key| self.of.blocks.contains_key(key)) else {
            return Ok(None);
        };
        self.used.insert(key);
        self.read(key).map(Some)
    }

    fn read(&mut self, key: u64) -> anyhow::Result<LinesOfBill> {
        let mut found = LinesOfBill::default();
        let mut at = self.of.blocks.get(&key).copied().unwrap_or(NONE);
        while at != NONE {
            self.file.seek(SeekFrom::Start(at))?;
            let mut head = [0_u8; 16];
            self.file.read_exact(&mut head)?;
            let [before, count_and_length] = [&head[..8], &head[8..]].map(word);
            let (count, length) = (count_and_length & 0xffff_ffff, count_and_length >> 32);
            let mut number = vec![0_u8; usize::try_from(length)?];
            self.file.read_exact(&mut number)?;
            found.number = String::from_utf8(number).context("the lines beside were changed")?;
            let count = usize::try_from(count)?;
            found.count += count;
            if found.count <= MAX_LINES {
                let mut bytes = vec![0_u8; count * LINE_BYTES];
                self.file.read_exact(&mut bytes)?;
                bytes.chunks_exact(LINE_BYTES).for_each(|bytes| found.add(bytes));
            }
            at = before;
        }
        Ok(found)
    }

    /// The lines that no bill asked for, each bill once.
    pub(super) fn left_over(&mut self) -> anyhow::Result<Vec<RowError>> {
        let keys: Vec<u64> = self.of.blocks.keys().filter(|key| !self.used.contains(key)).copied().collect();
        let mut errors = Vec::with_capacity(keys.len());
        for key in keys {
            let found = self.read(key)?;
            let flaw = Flaw::new("server.settle.no_such_bill").with("lines", found.count.to_string());
            let mend = Refusal::new("server.settle.mend.no_such_bill");
            let row = found.rows.iter().copied().chain(found.wrong).min().unwrap_or_default();
            let fault = Fault::of_row(row, Severity::Error, flaw.mend(mend));
            errors.push(RowError {
                number: found.number,
                faults: vec![fault],
                is_repeat: false,
                of_lines: true,
            });
        }
        errors.sort_by_key(|error| error.faults.first().map_or(0, |fault| fault.row));
        Ok(errors)
    }
}

impl LinesOfBill {
    /// What is wrong with them before they are added up.
    pub(super) fn wrong(&self) -> Option<Flaw> {
        if self.count > MAX_LINES {
            return Some(too_many(self.count));
        }
        self.wrong.map(|row| Flaw::new("server.settle.wrong_line").with("row", row.to_string()))
    }

    fn add(&mut self, bytes: &[u8]) {
        let number = |at: usize| bytes.get(at * 8..at * 8 + 8).map_or(0, word);
        let (row, kinds) = (number(0) as u32, number(1));
        let kind = |at: u32| (kinds >> (8 * at)) as usize & 0xff;
        let class = [CatalogueClass::A, CatalogueClass::B, CatalogueClass::C].get(kind(1)).copied();
        let (Some(category), Some(class)) = (CostCategory::ALL.get(kind(0)).copied(), class) else {
            self.wrong = Some(self.wrong.map_or(row, |wrong| wrong.min(row)));
            return;
        };
        let signed = |at: usize| number(at).cast_signed();
        self.rows.push(row);
        self.lines.push(ChargedLine {
            code: String::new(),
            name: String::new(),
            category,
            class,
            quantity: Decimal4(signed(2)),
            unit_price: Decimal4(signed(3)),
            amount: (kind(3) == 1).then(|| Fen(signed(4))),
            own_share: Rate::new(signed(5), signed(6)),
            fee: FeeKind::ALL.get(kind(2)).copied(),
            on: None,
        });
    }
}

fn word(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |word, byte| (word << 8) | u64::from(*byte))
}

/// Eight words: row; category, class, fee and whether an amount is printed; quantity; price; amount; own share; room. A row
/// that is wrong has no category.
fn write_line(out: &mut Vec<u8>, row: u32, line: Option<&ChargedLine>) {
    const NO: u64 = 0xff;
    let mut words = [0_u64; LINE_BYTES / 8];
    words[0] = u64::from(row);
    words[1] = NO;
    if let Some(line) = line {
        let fee = line.fee.map_or(NO, |fee| fee as u64);
        let printed = u64::from(line.amount.is_some());
        words[1] = line.category as u64 | (line.class as u64) << 8 | fee << 16 | printed << 24;
        words[2] = line.quantity.0.cast_unsigned();
        words[3] = line.unit_price.0.cast_unsigned();
        words[4] = line.amount.unwrap_or_default().0.cast_unsigned();
        if let Some(share) = line.own_share {
            (words[5], words[6]) = (share.numerator().cast_unsigned(), share.denominator().cast_unsigned());
        }
    }
    words.iter().for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_comes_back_as_it_was_written() {
        let line = ChargedLine {
            code: String::new(),
            name: String::new(),
            category: CostCategory::Material,
            class: CatalogueClass::B,
            quantity: Decimal4(-12_345),
            unit_price: Decimal4(9_999_999_999_999),
            amount: Some(Fen(-1)),
            own_share: Rate::new(1, 3),
            fee: Some(FeeKind::Checkup),
            on: None,
        };
        let plain = ChargedLine {
            amount: None,
            own_share: None,
            fee: None,
            class: CatalogueClass::A,
            ..line.clone()
        };
        let mut bytes = Vec::new();
        write_line(&mut bytes, 7, Some(&line));
        write_line(&mut bytes, 9, None);
        write_line(&mut bytes, u32::MAX, Some(&plain));
        let mut found = LinesOfBill::default();
        bytes.chunks_exact(LINE_BYTES).for_each(|bytes| found.add(bytes));
        assert_eq!((found.lines, found.rows, found.wrong), (vec![line, plain], vec![7, u32::MAX], Some(9)));
    }
}
