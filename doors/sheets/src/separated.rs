//! Separated text: detects encoding and separator, reads as a stream.

use std::collections::VecDeque;
use std::io::{Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use csv::ByteRecord;
use encoding_rs::{Decoder, Encoding, GB18030, UTF_16BE, UTF_16LE};
use kangmai_base::Refusal;
use kangmai_sheet::limit::{MAX_COLUMNS, MAX_ROWS, MAX_ROWS_ABOVE_HEADER};
use kangmai_sheet::{Progress, Record, Schema, Source};

use crate::open::{FileKind, Sheet};
use crate::refused::SheetError;

/// Bytes looked at to tell encoding and separator.
const LOOKED_AT_BYTES: u64 = 256 << 10;
/// The longest row in bytes. A quote that never closes would otherwise swallow the file.
const MAX_ROW_BYTES: u64 = 16 << 20;

/// How the bytes of a row become text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// Seen to be UTF-8; what is not is shown as unreadable.
    Utf8,
    /// Nothing but ASCII so far: UTF-8, and GB 18030 for rows that are not.
    Ascii,
    /// Seen to be GB 18030.
    Gb18030,
}

/// Rows of separated text.
pub(crate) struct Separated {
    rows: csv::Reader<Metered<Box<dyn Read + Send>>>,
    bytes: ByteRecord,
    reading: Reading,
    row: u32,
    count: u64,
    done_bytes: Arc<AtomicU64>,
    row_bytes: Arc<AtomicU64>,
    total_bytes: u64,
}

impl Separated {
    /// Opens `reader` and finds the head.
    pub(crate) fn open<R: Read + Send + 'static>(
        mut reader: R,
        total_bytes: u64,
        schema: &Schema,
    ) -> Result<Sheet, SheetError> {
        let mut start = Vec::new();
        reader.by_ref().take(LOOKED_AT_BYTES).read_to_end(&mut start)?;
        let complete = (start.len() as u64) < LOOKED_AT_BYTES;
        let wide = Encoding::for_bom(&start)
            .map(|(encoding, _)| encoding)
            .filter(|e| *e == UTF_16LE || *e == UTF_16BE);
        let (text_start, encoding, reading) = match wide {
            Some(encoding) => (encoding.decode(&start).0.into_owned().into_bytes(), "UTF-16", Reading::Utf8),
            None => {
                if start.starts_with(b"\xEF\xBB\xBF") {
                    start.drain(..3);
                }
                let reading = reading_of(&start, complete);
                (start.clone(), if reading == Reading::Gb18030 { "GB18030" } else { "UTF-8" }, reading)
            }
        };
        if text_start.iter().all(u8::is_ascii_whitespace) && complete {
            return Err(SheetError::Empty);
        }
        let separator = separator_of(&text_start);
        let (done_bytes, row_bytes) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let counted = Metered {
            inner: Cursor::new(start).chain(reader),
            done_bytes: Arc::clone(&done_bytes),
            row_bytes: Arc::new(AtomicU64::new(0)),
            limit_bytes: u64::MAX,
        };
        let text: Box<dyn Read + Send> = match wide {
            Some(encoding) => Box::new(Narrowed::new(counted, encoding.new_decoder_with_bom_removal())),
            None => Box::new(counted),
        };
        let bounded = Metered {
            inner: text,
            done_bytes: Arc::new(AtomicU64::new(0)),
            row_bytes: Arc::clone(&row_bytes),
            limit_bytes: MAX_ROW_BYTES,
        };
        let rows = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(separator)
            .buffer_capacity(128 << 10)
            .from_reader(bounded);
        let bytes = ByteRecord::new();
        let mut separated =
            Separated { rows, bytes, reading, row: 0, count: 0, done_bytes, row_bytes, total_bytes };
        let mut ahead = VecDeque::new();
        let mut record = Record::new();
        while ahead.len() < MAX_ROWS_ABOVE_HEADER && separated.read(&mut record)? {
            ahead.push_back(record.clone());
        }
        let matching = schema.find_header(ahead.make_contiguous()).map_err(SheetError::NoHeader)?;
        let kind = FileKind::Separated { encoding, separator: char::from(separator) };
        Ok(Sheet::new(matching, ahead, Box::new(separated), kind))
    }

    fn read(&mut self, record: &mut Record) -> Result<bool, SheetError> {
        loop {
            self.row_bytes.store(0, Ordering::Relaxed);
            let line_before = self.rows.position().line();
            let read = self.rows.read_byte_record(&mut self.bytes).map_err(|error| self.explain(error))?;
            if !read {
                return Ok(false);
            }
            if self.row >= MAX_ROWS {
                return Err(SheetError::TooManyRows { limit: MAX_ROWS });
            }
            let lines = self.rows.position().line().saturating_sub(line_before);
            let inside = self.bytes.as_slice().iter().filter(|byte| **byte == b'\n').count() as u64;
            let blank_lines = lines.saturating_sub(inside + 1);
            self.row =
                self.row.saturating_add(1).saturating_add(u32::try_from(blank_lines).unwrap_or(u32::MAX));
            let told_separator =
                self.row == 1 && self.bytes.len() <= 2 && self.bytes.as_slice().starts_with(b"sep=");
            if told_separator {
                continue;
            }
            self.decode(record);
            if !record.is_blank() {
                self.count += 1;
                return Ok(true);
            }
        }
    }

    fn explain(&self, error: csv::Error) -> SheetError {
        if self.row_bytes.load(Ordering::Relaxed) > MAX_ROW_BYTES {
            return SheetError::UnclosedQuote { row: self.row };
        }
        match error.into_kind() {
            csv::ErrorKind::Io(error) => SheetError::Io(error),
            other => SheetError::Io(std::io::Error::other(format!("{other:?}"))),
        }
    }

    /// Turns the bytes of a row into text. Splitting came first: no byte of a separator, quote or line break can be a
    /// part of a character of UTF-8 or GB 18030.
    fn decode(&mut self, record: &mut Record) {
        let whole = self.bytes.as_slice();
        let wrapped = whole.contains(&b'=') || whole.contains(&b'\'');
        if !wrapped
            && self.reading != Reading::Gb18030
            && self.bytes.len() <= MAX_COLUMNS
            && let Ok(text) = std::str::from_utf8(whole)
        {
            let ends =
                (0..self.bytes.len()).map(|index| self.bytes.range(index).map_or(0, |range| range.end));
            record.fill(self.row, text, ends);
            return;
        }
        record.begin(self.row);
        for bytes in self.bytes.iter().take(MAX_COLUMNS) {
            let text = match (std::str::from_utf8(bytes), self.reading) {
                (_, Reading::Gb18030) | (Err(_), Reading::Ascii) => {
                    GB18030.decode_without_bom_handling(bytes).0
                }
                (Ok(text), _) => text.into(),
                (Err(_), Reading::Utf8) => String::from_utf8_lossy(bytes),
            };
            record.push(unwrapped(&text));
        }
    }
}

/// What is meant by `="411722…"` (a trick to keep Excel from spoiling a number) and by `'=…` (how we write a text that
/// Excel would run).
fn unwrapped(text: &str) -> &str {
    if let Some(inner) = text.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"')) {
        return inner;
    }
    match text.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@', '\t', '\r']) => rest,
        _ => text,
    }
}

impl Source for Separated {
    fn next(&mut self, record: &mut Record) -> Result<bool, Refusal> {
        Ok(self.read(record)?)
    }

    fn progress(&self) -> Progress {
        let done_bytes = self.done_bytes.load(Ordering::Relaxed);
        Progress { done_bytes, total_bytes: self.total_bytes, rows: self.count }
    }
}

fn reading_of(start: &[u8], complete: bool) -> Reading {
    match std::str::from_utf8(start) {
        Ok(_) if start.is_ascii() => Reading::Ascii,
        Ok(_) => Reading::Utf8,
        Err(error) if error.error_len().is_none() && !complete => match error.valid_up_to() {
            0 => Reading::Gb18030,
            _ => Reading::Utf8,
        },
        // One bad byte in a long text of UTF-8 is damage, not another encoding.
        Err(error) => {
            let good = &start[..error.valid_up_to()];
            let wide = good.iter().filter(|byte| !byte.is_ascii()).count();
            if wide > 300 { Reading::Utf8 } else { Reading::Gb18030 }
        }
    }
}

/// The separator that stands most often outside quotes in the first lines.
fn separator_of(start: &[u8]) -> u8 {
    const SEPARATORS: [u8; 4] = [b',', b'\t', b';', b'|'];
    if let Some(told) = start.strip_prefix(b"sep=").and_then(|rest| rest.first()) {
        return *told;
    }
    let mut counts = [0_usize; 4];
    let (mut quoted, mut lines) = (false, 0);
    for byte in start {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => lines += 1,
            byte if !quoted => {
                if let Some(index) = SEPARATORS.iter().position(|separator| separator == byte) {
                    counts[index] += 1;
                }
            }
            _ => {}
        }
        if lines >= MAX_ROWS_ABOVE_HEADER {
            break;
        }
    }
    let most = counts.iter().copied().max().unwrap_or(0);
    counts.iter().position(|count| *count == most).map_or(b',', |index| SEPARATORS[index])
}

/// Counts what is read, in all and since the row began, and ends a row that does not end.
struct Metered<R> {
    inner: R,
    done_bytes: Arc<AtomicU64>,
    row_bytes: Arc<AtomicU64>,
    limit_bytes: u64,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.done_bytes.fetch_add(count as u64, Ordering::Relaxed);
        let of_row = self.row_bytes.fetch_add(count as u64, Ordering::Relaxed) + count as u64;
        if of_row > self.limit_bytes {
            return Err(std::io::Error::other("a row does not end"));
        }
        Ok(count)
    }
}

/// UTF-16 as UTF-8.
struct Narrowed<R> {
    inner: R,
    decoder: Decoder,
    source: Vec<u8>,
    ready: Vec<u8>,
    taken: usize,
    ended: bool,
}

impl<R: Read> Narrowed<R> {
    fn new(inner: R, decoder: Decoder) -> Narrowed<R> {
        Narrowed { inner, decoder, source: vec![0; 64 << 10], ready: Vec::new(), taken: 0, ended: false }
    }
}

impl<R: Read> Read for Narrowed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.taken == self.ready.len() {
            if self.ended {
                return Ok(0);
            }
            let count = self.inner.read(&mut self.source)?;
            self.ended = count == 0;
            let room = self.decoder.max_utf8_buffer_length(count).unwrap_or(count * 3 + 16);
            self.ready.resize(room, 0);
            let (_, _, written, _) =
                self.decoder.decode_to_utf8(&self.source[..count], &mut self.ready, self.ended);
            self.ready.truncate(written);
            self.taken = 0;
        }
        let count = (self.ready.len() - self.taken).min(buffer.len());
        buffer[..count].copy_from_slice(&self.ready[self.taken..self.taken + count]);
        self.taken += count;
        Ok(count)
    }
}
