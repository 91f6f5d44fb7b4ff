//! Tells what kind of file it is and opens it.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use kangmai_base::Refusal;
use kangmai_sheet::limit::{MAX_CSV_BYTES, MAX_XLSX_BYTES};
use kangmai_sheet::{Fault, Matching, Progress, Record, Schema, Source};

use crate::excel;
use crate::refused::SheetError;
use crate::separated::Separated;

/// How the rows stood in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// `.xlsx`
    Excel,
    /// Separated text.
    Separated {
        /// `UTF-8`, `GB18030` or `UTF-16`.
        encoding: &'static str,
        /// What stands between two cells.
        separator: char,
    },
}

/// An open file whose head is known. Rows come by [`Source::next`].
pub struct Sheet {
    matching: Matching,
    ahead: VecDeque<Record>,
    rows: Box<dyn Source + Send>,
    kind: FileKind,
}

impl std::fmt::Debug for Sheet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sheet")
            .field("kind", &self.kind)
            .field("titles", &self.matching.titles())
            .finish_non_exhaustive()
    }
}

impl Sheet {
    /// Which columns stand where.
    pub fn matching(&self) -> &Matching {
        &self.matching
    }

    /// What is wrong with the head: an error for each required column that is missing.
    pub fn header_faults(&self) -> Vec<Fault> {
        self.matching.faults()
    }

    /// What kind of file it is.
    pub fn kind(&self) -> FileKind {
        self.kind
    }

    pub(crate) fn new(
        matching: Matching,
        ahead: impl IntoIterator<Item = Record>,
        rows: Box<dyn Source + Send>,
        kind: FileKind,
    ) -> Sheet {
        let head = matching.row();
        let ahead = ahead.into_iter().filter(|record| record.number() > head).collect();
        Sheet { matching, ahead, rows, kind }
    }
}

impl Source for Sheet {
    fn next(&mut self, record: &mut Record) -> Result<bool, Refusal> {
        match self.ahead.pop_front() {
            Some(next) => {
                *record = next;
                Ok(true)
            }
            None => self.rows.next(record),
        }
    }

    fn progress(&self) -> Progress {
        self.rows.progress()
    }
}

/// Opens the file at `path` and finds the columns of `schema` in it; in an Excel file in the sheet named `sheet`, else
/// in the first that has them.
///
/// # Errors
/// No file, another kind of file, too long, damaged, or no head with the columns wanted.
pub fn open(path: &Path, schema: &Schema, sheet: Option<&str>) -> Result<Sheet, SheetError> {
    open_reader(File::open(path)?, schema, sheet)
}

/// The same of bytes at hand.
///
/// # Errors
/// As [`open`].
pub fn open_bytes(bytes: Vec<u8>, schema: &Schema, sheet: Option<&str>) -> Result<Sheet, SheetError> {
    open_reader(Cursor::new(bytes), schema, sheet)
}

/// The same of any reader.
///
/// # Errors
/// As [`open`].
pub fn open_reader<R>(mut reader: R, schema: &Schema, sheet: Option<&str>) -> Result<Sheet, SheetError>
where
    R: Read + Seek + Send + 'static,
{
    let total_bytes = reader.seek(SeekFrom::End(0))?;
    reader.seek(SeekFrom::Start(0))?;
    let mut start = Vec::new();
    reader.by_ref().take(8_192).read_to_end(&mut start)?;
    reader.seek(SeekFrom::Start(0))?;
    match kind_of(&start)? {
        Kind::Zip => {
            within(total_bytes, MAX_XLSX_BYTES)?;
            excel::open(reader, total_bytes, schema, sheet)
        }
        Kind::OldContainer => {
            let mut head = Vec::new();
            reader.take(1 << 20).read_to_end(&mut head)?;
            let name: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
            let protected = head.windows(name.len()).any(|window| window == name);
            Err(if protected { SheetError::Protected } else { SheetError::OldExcel })
        }
        Kind::Text => {
            within(total_bytes, MAX_CSV_BYTES)?;
            Separated::open(reader, total_bytes, schema)
        }
    }
}

fn within(total_bytes: u64, limit_bytes: u64) -> Result<(), SheetError> {
    if total_bytes > limit_bytes { Err(SheetError::TooLarge { limit_bytes }) } else { Ok(()) }
}

enum Kind {
    Zip,
    OldContainer,
    Text,
}

fn kind_of(start: &[u8]) -> Result<Kind, SheetError> {
    const MARKS: [(&[u8], &str); 8] = [
        (b"%PDF", "PDF"),
        (b"\x89PNG", "PNG"),
        (b"\xFF\xD8\xFF", "JPEG"),
        (b"Rar!", "RAR"),
        (b"7z\xBC\xAF", "7z"),
        (b"\x1F\x8B", "gzip"),
        (b"SQLite format 3", "SQLite"),
        (b"{\\rtf", "RTF"),
    ];
    if start.is_empty() {
        return Err(SheetError::Empty);
    }
    if start.starts_with(b"PK\x03\x04") {
        return Ok(Kind::Zip);
    }
    if start.starts_with(b"PK") {
        return Err(SheetError::OtherKind("zip"));
    }
    if start.starts_with(b"\xD0\xCF\x11\xE0") {
        return Ok(Kind::OldContainer);
    }
    if let Some((_, kind)) = MARKS.iter().find(|(mark, _)| start.starts_with(mark)) {
        return Err(SheetError::OtherKind(kind));
    }
    let text = String::from_utf8_lossy(&start[..start.len().min(512)]).to_ascii_lowercase();
    let text = text.trim_start_matches('\u{FEFF}').trim_start();
    if text.starts_with("<html")
        || text.starts_with("<!doctype")
        || text.starts_with("<table")
        || text.starts_with("<meta")
    {
        return Err(SheetError::OtherKind("HTML"));
    }
    if text.starts_with("<?xml") {
        return Err(SheetError::OtherKind("XML"));
    }
    let wide = start.starts_with(b"\xFF\xFE") || start.starts_with(b"\xFE\xFF");
    if !wide && start.contains(&0) {
        return Err(SheetError::OtherKind("?"));
    }
    Ok(Kind::Text)
}
