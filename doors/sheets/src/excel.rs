//! Excel files (.xlsx): read cell by cell on a thread of their own.

use std::collections::VecDeque;
use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use calamine::{DataRef, Reader, Xlsx, XlsxCellReader, XlsxError};
use kangmai_base::{Day, Refusal};
use kangmai_sheet::limit::{
    MAX_COLUMNS, MAX_ROWS, MAX_ROWS_ABOVE_HEADER, MAX_XLSX_TEXTS_BYTES, MAX_XLSX_TIMES_PACKED,
    MAX_XLSX_UNPACKED_BYTES, XLSX_PACKED_AS_ONE_LIKES_BYTES,
};
use kangmai_sheet::{Matching, Progress, Record, Schema, Source};

use crate::merged::FillDown;
use crate::open::{FileKind, Sheet};
use crate::refused::SheetError;

/// Rows handed over at a time.
const BATCH_ROWS: usize = 256;
/// Batches that may wait.
const WAITING_BATCHES: usize = 8;
/// Merged cells stand behind all rows, so that finding them reads the sheet twice: not for files longer than this.
const MERGED_CELLS_UP_TO_BYTES: u64 = 32 << 20;

/// How the name of the part with the table of texts ends.
const TEXTS: &str = "sharedstrings.xml";

enum Message {
    Head(Matching),
    Rows(Vec<Record>),
    Failed(SheetError),
}

/// Opens the workbook and finds the head.
pub(crate) fn open<R>(
    mut reader: R,
    total_bytes: u64,
    schema: &Schema,
    sheet: Option<&str>,
) -> Result<Sheet, SheetError>
where
    R: Read + Seek + Send + 'static,
{
    check_package(&mut reader)?;
    reader.seek(SeekFrom::Start(0))?;
    let done_bytes = Arc::new(AtomicU64::new(0));
    let counted = Counted { inner: reader, done_bytes: Arc::clone(&done_bytes) };
    let (sender, receiver) = sync_channel(WAITING_BATCHES);
    let (schema, sheet) = (*schema, sheet.map(str::to_owned));
    let fill_down = total_bytes <= MERGED_CELLS_UP_TO_BYTES;
    let thread = std::thread::Builder::new().name("kangmai-xlsx".to_owned()).spawn(move || {
        if let Err(error) = hand_over(counted, &schema, sheet.as_deref(), fill_down, &sender) {
            // The receiver may be gone; then nobody asks.
            let _ = sender.send(Message::Failed(error));
        }
    })?;
    let mut rows = ExcelRows {
        receiver: Some(receiver),
        thread: Some(thread),
        ready: VecDeque::new(),
        count: 0,
        done_bytes,
        total_bytes,
    };
    match rows.receive()? {
        Some(Message::Head(matching)) => Ok(Sheet::new(matching, [], Box::new(rows), FileKind::Excel)),
        Some(_) | None => Err(SheetError::Damaged("the reader ended without a head".to_owned())),
    }
}

/// Rows that the thread hands over.
struct ExcelRows {
    receiver: Option<Receiver<Message>>,
    thread: Option<JoinHandle<()>>,
    ready: VecDeque<Record>,
    count: u64,
    done_bytes: Arc<AtomicU64>,
    total_bytes: u64,
}

impl ExcelRows {
    fn receive(&mut self) -> Result<Option<Message>, SheetError> {
        let Some(receiver) = &self.receiver else { return Ok(None) };
        match receiver.recv() {
            Ok(Message::Failed(error)) => Err(error),
            Ok(message) => Ok(Some(message)),
            Err(_) => {
                self.receiver = None;
                let panicked = self.thread.take().is_some_and(|thread| thread.join().is_err());
                if panicked { Err(SheetError::Damaged("the reader gave up".to_owned())) } else { Ok(None) }
            }
        }
    }
}

impl Source for ExcelRows {
    fn next(&mut self, record: &mut Record) -> Result<bool, Refusal> {
        loop {
            if let Some(next) = self.ready.pop_front() {
                *record = next;
                self.count += 1;
                return Ok(true);
            }
            match self.receive()? {
                Some(Message::Rows(rows)) => self.ready = rows.into(),
                Some(_) => {}
                None => return Ok(false),
            }
        }
    }

    fn progress(&self) -> Progress {
        // Directory, texts and rows are read once each, the merged cells a second time: never say more than all.
        let done_bytes = self.done_bytes.load(Ordering::Relaxed).min(self.total_bytes);
        Progress { done_bytes, total_bytes: self.total_bytes, rows: self.count }
    }
}

/// Looks at the package before the reader does: its kind, and that it does not unpack to more than is taken.
fn check_package<R: Read + Seek>(reader: &mut R) -> Result<(), SheetError> {
    let mut package = zip::ZipArchive::new(reader).map_err(|error| SheetError::Damaged(error.to_string()))?;
    let names: Vec<String> = package
        .file_names()
        .filter_map(Result::ok)
        .map(|name| name.to_ascii_lowercase().replace('\\', "/"))
        .collect();
    let has = |name: &str| names.iter().any(|found| found == name);
    if has("xl/workbook.bin") {
        return Err(SheetError::OtherKind("xlsb"));
    }
    if names.iter().any(|name| name.starts_with("word/")) {
        return Err(SheetError::OtherKind("Word"));
    }
    if has("mimetype") && has("content.xml") {
        return Err(SheetError::OtherKind("ods"));
    }
    if !has("[content_types].xml") {
        return Err(SheetError::OtherKind("zip"));
    }
    let mut unpacked = 0_u64;
    for index in 0..package.len() {
        let part = package.by_index_raw(index).map_err(|error| SheetError::Damaged(error.to_string()))?;
        unpacked = unpacked.saturating_add(part.size());
        let most = part.compressed_size().saturating_mul(MAX_XLSX_TIMES_PACKED);
        if part.size() > most.max(XLSX_PACKED_AS_ONE_LIKES_BYTES) {
            return Err(SheetError::Damaged(
                "a part of it unpacks to far more than any sheet does".to_owned(),
            ));
        }
        let texts = part.name().is_ok_and(|name| name.to_ascii_lowercase().ends_with(TEXTS));
        if texts && part.size() > MAX_XLSX_TEXTS_BYTES {
            return Err(SheetError::TooLarge { limit_bytes: MAX_XLSX_TEXTS_BYTES });
        }
    }
    if unpacked > MAX_XLSX_UNPACKED_BYTES {
        return Err(SheetError::TooLarge { limit_bytes: MAX_XLSX_UNPACKED_BYTES });
    }
    check_text_count(&mut package)
}

/// The table of texts says how many it holds, and the reader reserves room for them: a false count would end the
/// process. Each text takes at least 9 bytes (`<si></si>`).
fn check_text_count<R: Read + Seek>(package: &mut zip::ZipArchive<R>) -> Result<(), SheetError> {
    let names = package.file_names().filter_map(Result::ok);
    let found = names.map(|name| name.into_owned()).find(|name| name.to_ascii_lowercase().ends_with(TEXTS));
    let Some(name) = found else { return Ok(()) };
    let part = package.by_name(&name).map_err(|error| SheetError::Damaged(error.to_string()))?;
    let size = part.size();
    let mut start = Vec::new();
    part.take(4_096).read_to_end(&mut start).map_err(|error| SheetError::Damaged(error.to_string()))?;
    let start = String::from_utf8_lossy(&start);
    let count = start.split_once("uniqueCount=").map_or("", |(_, rest)| rest.trim_start_matches(['"', '\'']));
    let digits: String = count.chars().take_while(char::is_ascii_digit).collect();
    if !digits.is_empty() && digits.parse::<u64>().map_or(true, |count| count > size) {
        return Err(SheetError::Damaged("the table of texts counts more than it can hold".to_owned()));
    }
    Ok(())
}

fn damaged(error: XlsxError) -> SheetError {
    match error {
        XlsxError::Password => SheetError::Protected,
        other => SheetError::Damaged(other.to_string()),
    }
}

fn hand_over<R: Read + Seek>(
    reader: R,
    schema: &Schema,
    sheet: Option<&str>,
    fill_down: bool,
    sender: &SyncSender<Message>,
) -> Result<(), SheetError> {
    let mut workbook = Xlsx::new(reader).map_err(damaged)?;
    let (name, matching) = choose(&mut workbook, schema, sheet)?;
    let merged = match fill_down {
        true => workbook.merge_cells_by_sheet_name(&name).unwrap_or_default(),
        false => Vec::new(),
    };
    let head_row = matching.row();
    if sender.send(Message::Head(matching)).is_err() {
        return Ok(());
    }
    let cells = workbook.worksheet_cells_reader(&name).map_err(damaged)?;
    let mut rows = RowReader::new(cells, FillDown::new(&merged));
    let mut batch = Vec::with_capacity(BATCH_ROWS);
    let mut failed = None;
    loop {
        let mut record = Record::new();
        match rows.read(&mut record) {
            Ok(true) if record.number() <= head_row || record.is_blank() => continue,
            Ok(true) => batch.push(record),
            Ok(false) => break,
            Err(error) => {
                failed = Some(error);
                break;
            }
        }
        if batch.len() == BATCH_ROWS && sender.send(Message::Rows(std::mem::take(&mut batch))).is_err() {
            return Ok(());
        }
    }
    if sender.send(Message::Rows(batch)).is_err() {
        return Ok(());
    }
    failed.map_or(Ok(()), Err)
}

/// The sheet named, or the first that lacks no required column, or the first with a head at all.
fn choose<R: Read + Seek>(
    workbook: &mut Xlsx<R>,
    schema: &Schema,
    sheet: Option<&str>,
) -> Result<(String, Matching), SheetError> {
    let names = workbook.sheet_names();
    let asked: Vec<String> = match sheet {
        Some(name) => names.iter().filter(|found| found.as_str() == name).cloned().collect(),
        None => names.clone(),
    };
    if let (Some(name), []) = (sheet, asked.as_slice()) {
        return Err(SheetError::NoSuchSheet { name: name.to_owned(), found: names.join("、") });
    }
    let mut best: Option<(usize, String, Matching)> = None;
    let mut refusal = None;
    for name in asked {
        let first_rows = match first_rows(workbook, &name) {
            Ok(rows) => rows,
            Err(XlsxError::NotAWorksheet(_)) => continue,
            Err(error) => return Err(damaged(error)),
        };
        match schema.find_header(&first_rows) {
            Ok(matching) => {
                let missing = matching.missing().count();
                if best.as_ref().is_none_or(|(least, _, _)| missing < *least) {
                    best = Some((missing, name, matching));
                }
            }
            Err(none) => refusal = Some(none),
        }
    }
    match (best, refusal) {
        (Some((_, name, matching)), _) => Ok((name, matching)),
        (None, Some(refusal)) => Err(SheetError::NoHeader(refusal)),
        (None, None) => Err(SheetError::Empty),
    }
}

fn first_rows<R: Read + Seek>(workbook: &mut Xlsx<R>, name: &str) -> Result<Vec<Record>, XlsxError> {
    let cells = workbook.worksheet_cells_reader(name)?;
    let mut rows = RowReader::new(cells, FillDown::default());
    let mut found = Vec::new();
    let mut record = Record::new();
    while found.len() < MAX_ROWS_ABOVE_HEADER {
        match rows.read(&mut record) {
            Ok(true) => found.push(record.clone()),
            Ok(false) => break,
            Err(SheetError::Damaged(_)) if !found.is_empty() => break,
            Err(_) => return Err(XlsxError::Unexpected("the first rows")),
        }
    }
    Ok(found)
}

/// Gathers cells into rows.
struct RowReader<'a, R: Read + Seek> {
    cells: XlsxCellReader<'a, R>,
    pending: Option<(u32, u32, String)>,
    row: Vec<String>,
    fill_down: FillDown,
    ended: bool,
}

impl<'a, R: Read + Seek> RowReader<'a, R> {
    fn new(cells: XlsxCellReader<'a, R>, fill_down: FillDown) -> RowReader<'a, R> {
        RowReader { cells, pending: None, row: Vec::new(), fill_down, ended: false }
    }

    fn next_cell(&mut self) -> Result<Option<(u32, u32, String)>, SheetError> {
        if let Some(cell) = self.pending.take() {
            return Ok(Some(cell));
        }
        while !self.ended {
            let Some(cell) = self.cells.next_cell().map_err(damaged)? else {
                self.ended = true;
                break;
            };
            let (row, column) = cell.get_position();
            let text = text_of(cell.get_value());
            if !text.is_empty() && (column as usize) < MAX_COLUMNS {
                return Ok(Some((row, column, text)));
            }
        }
        Ok(None)
    }

    fn read(&mut self, record: &mut Record) -> Result<bool, SheetError> {
        let Some((row, column, text)) = self.next_cell()? else { return Ok(false) };
        if row >= MAX_ROWS {
            return Err(SheetError::TooManyRows { limit: MAX_ROWS });
        }
        self.row.clear();
        self.put(column, text);
        while let Some((next_row, column, text)) = self.next_cell()? {
            if next_row != row {
                self.pending = Some((next_row, column, text));
                break;
            }
            self.put(column, text);
        }
        self.fill_down.apply(row, &mut self.row);
        record.begin(row + 1);
        self.row.iter().for_each(|cell| record.push(cell));
        Ok(true)
    }

    fn put(&mut self, column: u32, text: String) {
        let column = column as usize;
        if self.row.len() <= column {
            self.row.resize(column + 1, String::new());
        }
        self.row[column] = text;
    }
}

/// A cell as the person who filled it in means it.
fn text_of(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Empty => String::new(),
        DataRef::String(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Int(number) => number_text(*number as f64),
        DataRef::Float(number) => number_text(*number),
        DataRef::Bool(yes) => if *yes { "是" } else { "否" }.to_owned(),
        DataRef::DateTime(moment) if moment.is_duration() => number_text(moment.as_f64()),
        DataRef::DateTime(moment) => {
            let (year, month, day, hour, minute, second, _) = moment.to_ymd_hms_milli();
            // Excel counts a day 0 and a 29 February 1900: both are days of 1900 to the reader of days.
            let day = Day::from_ymd(i32::from(year), u32::from(month), u32::from(day))
                .or_else(|| Day::from_ymd(1900, 1, 1))
                .map(|day| day.to_string())
                .unwrap_or_default();
            if (hour, minute, second) == (0, 0, 0) {
                day
            } else {
                format!("{day} {hour:02}:{minute:02}:{second:02}")
            }
        }
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::Error(error) => error.to_string(),
    }
}

/// At most 15 digits, as Excel shows them: 0.1 + 0.2 is 0.3. From 10^15 on the tail is lost, and the form says so.
fn number_text(number: f64) -> String {
    if !number.is_finite() {
        return String::new();
    }
    if number.abs() >= 1e15 {
        return format!("{number:.14E}").replace('E', "E+");
    }
    let shortened: f64 = format!("{number:.14e}").parse().unwrap_or(number);
    shortened.to_string()
}

/// Counts the bytes read.
struct Counted<R> {
    inner: R,
    done_bytes: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.done_bytes.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl<R: Seek> Seek for Counted<R> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.inner.seek(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_excel_shows_them() {
        for (number, expected) in [
            (0.1 + 0.2, "0.3"),
            (1234.5, "1234.5"),
            (1_234.56, "1234.56"),
            (-3.0, "-3"),
            (411_722_103_203.0, "411722103203"),
            (4.117_221_950_010_1e17, "4.11722195001010E+17"),
            (0.000_001, "0.000001"),
            (f64::NAN, ""),
        ] {
            assert_eq!(number_text(number), expected);
        }
    }
}
