//! Gives faulty rows back: the original columns, then row, column, reason and suggestion. Mended, the same file can be
//! imported again: the added columns are passed over.

use std::io::{Seek, Write};

use kangmai_base::Refusal;
use kangmai_sheet::{Fault, Format as ColumnFormat, Matching, Record, Severity};
use rust_xlsxwriter::{Format, Workbook, Worksheet};

use crate::Speech;
use crate::export::{Head, Looks, begin_sheet, column_index, cut, sheet_name};
use crate::refused::SheetError;

/// Writes the error sheet row by row, in constant memory.
pub struct ErrorSheet<'a> {
    workbook: Workbook,
    sheet: Worksheet,
    speech: Speech<'a>,
    looks: Looks,
    columns: usize,
    row: u32,
    notes: Vec<Fault>,
}

impl std::fmt::Debug for ErrorSheet<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ErrorSheet").field("rows", &self.row).finish_non_exhaustive()
    }
}

impl<'a> ErrorSheet<'a> {
    /// Begins the error sheet of a file whose head is `matching`.
    ///
    /// # Errors
    /// No temporary file can be made.
    pub fn begin(matching: &Matching, speech: Speech<'a>) -> Result<ErrorSheet<'a>, SheetError> {
        let mut workbook = Workbook::new();
        let looks = Looks::new();
        let mut heads: Vec<Head> =
            matching.titles().iter().map(|title| Head::new(title.clone(), ColumnFormat::Code)).collect();
        let columns = heads.len();
        for (key, width) in [
            ("sheets.error_sheet.row", 8),
            ("sheets.error_sheet.column", 20),
            ("sheets.error_sheet.severity", 8),
            ("sheets.error_sheet.reason", 48),
            ("sheets.error_sheet.suggestion", 48),
        ] {
            heads.push(Head { title: speech.word(key), format: ColumnFormat::Text, width });
        }
        let mut sheet = workbook.new_worksheet_with_constant_memory()?;
        sheet.set_name(sheet_name(&speech.word("sheets.error_sheet.title")))?;
        begin_sheet(&mut sheet, &heads, &looks)?;
        Ok(ErrorSheet { workbook, sheet, speech, looks, columns, row: 1, notes: Vec::new() })
    }

    /// Adds a row with what is wrong with it; faulty cells are marked.
    ///
    /// # Errors
    /// The temporary file cannot be written, or there are more rows than Excel takes.
    pub fn row(&mut self, record: &Record, faults: &[Fault]) -> Result<(), SheetError> {
        for (index, text) in record.cells().enumerate().take(self.columns) {
            let worst =
                faults.iter().filter(|fault| fault.position == Some(index)).map(|fault| fault.severity).max();
            let format = self.format(worst).clone();
            match (text.is_empty(), worst) {
                (true, None) => {}
                (true, Some(_)) => {
                    self.sheet.write_blank(self.row, column_index(index), &format)?;
                }
                (false, _) => {
                    self.sheet.write_string_with_format(self.row, column_index(index), cut(text), &format)?;
                }
            }
        }
        let joined = |part: &dyn Fn(&Fault) -> Option<String>| {
            let mut parts: Vec<String> = faults.iter().filter_map(part).collect();
            parts.dedup();
            parts.join("；\n")
        };
        let worst = faults.iter().map(|fault| fault.severity).max();
        let added = [
            record.number().to_string(),
            joined(&|fault| self.title(fault)),
            worst.map(|severity| self.speech.word(severity.word())).unwrap_or_default(),
            joined(&|fault| Some((self.speech.say)(&fault.reason))),
            joined(&|fault| fault.suggestion.as_ref().map(|suggestion| (self.speech.say)(suggestion))),
        ];
        for (index, text) in added.iter().enumerate() {
            let column = column_index(self.columns + index);
            self.sheet.write_string_with_format(self.row, column, cut(text), &self.looks.wrapped)?;
        }
        self.row += 1;
        Ok(())
    }

    /// Adds a fault of the file as a whole; it goes on a page of its own.
    pub fn note(&mut self, fault: Fault) {
        self.notes.push(fault);
    }

    /// How many rows it has.
    pub fn rows(&self) -> u32 {
        self.row - 1
    }

    /// Writes the file.
    ///
    /// # Errors
    /// `out` cannot be written.
    pub fn finish<W: Write + Seek + Send>(mut self, out: W) -> Result<(), SheetError> {
        self.workbook.push_worksheet(std::mem::replace(&mut self.sheet, Worksheet::new()));
        if !self.notes.is_empty() {
            let sheet = self.workbook.add_worksheet();
            sheet.set_name(sheet_name(&self.speech.word("sheets.error_sheet.file_title")))?;
            let keys = [
                "sheets.error_sheet.column",
                "sheets.error_sheet.severity",
                "sheets.error_sheet.reason",
                "sheets.error_sheet.suggestion",
            ];
            let heads: Vec<Head> = keys
                .into_iter()
                .zip([20, 8, 48, 48])
                .map(|(key, width)| Head { title: self.speech.word(key), format: ColumnFormat::Text, width })
                .collect();
            begin_sheet(sheet, &heads, &self.looks)?;
            for (index, fault) in self.notes.iter().enumerate() {
                let say = |refusal: &Refusal| (self.speech.say)(refusal);
                let column = fault.column.map_or(fault.shown.clone(), |column| {
                    if self.speech.english { column.title_en } else { column.title_zh }.to_owned()
                });
                let suggestion = fault.suggestion.as_ref().map(say).unwrap_or_default();
                let cells = [column, self.speech.word(fault.severity.word()), say(&fault.reason), suggestion];
                for (at, text) in cells.iter().enumerate() {
                    sheet.write_string_with_format(
                        index as u32 + 1,
                        column_index(at),
                        text,
                        &self.looks.wrapped,
                    )?;
                }
            }
        }
        Ok(self.workbook.save_to_writer(out)?)
    }

    fn format(&self, worst: Option<Severity>) -> &Format {
        match worst {
            None => &self.looks.text,
            Some(Severity::Warning) => &self.looks.doubtful,
            Some(Severity::Error) => &self.looks.faulty,
        }
    }

    fn title(&self, fault: &Fault) -> Option<String> {
        fault
            .column
            .map(|column| if self.speech.english { column.title_en } else { column.title_zh }.to_owned())
    }
}
