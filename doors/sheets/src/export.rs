//! Writes rows as .xlsx and .csv, one after the other.

use std::borrow::Cow;
use std::io::{Seek, Write};

use kangmai_base::{Day, Fen};
use kangmai_sheet::{Column, Format as ColumnFormat};
use rust_xlsxwriter::{Color, Format, FormatAlign, FormatBorder, Workbook, Worksheet};

use crate::Speech;
use crate::refused::SheetError;

/// The last row of a sheet in Excel, from 0.
const LAST_ROW: u32 = 1_048_575;

/// One column of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// What stands on top.
    pub title: String,
    /// How its cells are written.
    pub format: ColumnFormat,
    /// Width in characters of Latin text; a Chinese character takes two.
    pub width: u16,
}

impl Head {
    /// A column with a width fit for its title and format.
    pub fn new(title: impl Into<String>, format: ColumnFormat) -> Head {
        let title = title.into();
        let of_title: u16 = title.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum::<u16>() + 4;
        let of_cells = match format {
            ColumnFormat::Text => 14,
            ColumnFormat::Code => 21,
            ColumnFormat::Amount => 14,
            ColumnFormat::Day => 12,
            ColumnFormat::Whole => 8,
        };
        Head { title, format, width: of_title.max(of_cells).min(60) }
    }

    /// The head of a column of a schema.
    pub fn of(column: &Column, speech: &Speech<'_>) -> Head {
        Head::new(if speech.english { column.title_en } else { column.title_zh }, column.format)
    }
}

/// One cell of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell<'a> {
    /// Nothing.
    Empty,
    /// Text, also codes: never taken for a number or a formula.
    Text(&'a str),
    /// Yuan with two decimals.
    Amount(Fen),
    /// A day.
    Day(Day),
    /// A whole number.
    Whole(i64),
}

/// The looks of cells.
#[derive(Debug, Clone)]
pub(crate) struct Looks {
    pub(crate) head: Format,
    pub(crate) text: Format,
    pub(crate) wrapped: Format,
    pub(crate) faulty: Format,
    pub(crate) doubtful: Format,
    amount: Format,
    day: Format,
    whole: Format,
}

impl Looks {
    pub(crate) fn new() -> Looks {
        let text = Format::new().set_num_format("@");
        Looks {
            head: Format::new()
                .set_bold()
                .set_background_color(Color::RGB(0xE3_EF_EF))
                .set_border_bottom(FormatBorder::Thin)
                .set_align(FormatAlign::VerticalCenter)
                .set_text_wrap(),
            wrapped: text.clone().set_text_wrap().set_align(FormatAlign::Top),
            faulty: text.clone().set_background_color(Color::RGB(0xFB_D5_D2)),
            doubtful: text.clone().set_background_color(Color::RGB(0xFF_F4_D6)),
            text,
            amount: Format::new().set_num_format("0.00"),
            day: Format::new().set_num_format("yyyy-mm-dd"),
            whole: Format::new().set_num_format("0"),
        }
    }
}

/// Sets widths and writes the head.
pub(crate) fn begin_sheet(sheet: &mut Worksheet, heads: &[Head], looks: &Looks) -> Result<(), SheetError> {
    for (index, head) in heads.iter().enumerate() {
        let column = column_index(index);
        sheet.set_column_width(column, head.width)?;
        if matches!(head.format, ColumnFormat::Code | ColumnFormat::Text) {
            sheet.set_column_format(column, &looks.text)?;
        }
    }
    sheet.set_freeze_panes(1, 0)?;
    sheet.set_row_height(0, 24)?;
    for (index, head) in heads.iter().enumerate() {
        sheet.write_string_with_format(0, column_index(index), &head.title, &looks.head)?;
    }
    Ok(())
}

pub(crate) fn column_index(index: usize) -> u16 {
    u16::try_from(index).unwrap_or(u16::MAX)
}

/// Writes an Excel file row by row in constant memory; past Excel's last row it goes on in a further sheet.
pub struct XlsxExport {
    workbook: Workbook,
    sheet: Worksheet,
    heads: Vec<Head>,
    looks: Looks,
    title: String,
    sheets: u32,
    row: u32,
}

impl std::fmt::Debug for XlsxExport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("XlsxExport")
            .field("title", &self.title)
            .field("row", &self.row)
            .finish_non_exhaustive()
    }
}

impl XlsxExport {
    /// Begins a file whose sheet is named `title`.
    ///
    /// # Errors
    /// No temporary file can be made.
    pub fn begin(title: &str, heads: Vec<Head>) -> Result<XlsxExport, SheetError> {
        let mut workbook = Workbook::new();
        let looks = Looks::new();
        let title = sheet_name(title);
        let sheet = new_sheet(&mut workbook, &title, &heads, &looks)?;
        Ok(XlsxExport { workbook, sheet, heads, looks, title, sheets: 1, row: 1 })
    }

    /// Rows that the export of a list holds at most.
    pub const LIST_ROWS: i64 = 100_000;
    /// Rows of a list that are read at once.
    const LIST_PAGE: i64 = 1_000;

    /// Writes a list that is read page by page, by limit and offset; answers the file and how many rows it holds.
    ///
    /// # Errors
    /// When the file cannot be written, and what `read` says.
    pub fn list<R, E: From<SheetError>>(
        title: &str,
        heads: Vec<Head>,
        mut read: impl FnMut(i64, i64) -> Result<Vec<R>, E>,
        mut write: impl FnMut(&mut XlsxExport, &R) -> Result<(), SheetError>,
    ) -> Result<(Vec<u8>, i64), E> {
        let mut export = XlsxExport::begin(title, heads)?;
        let mut written = 0;
        while written < XlsxExport::LIST_ROWS {
            let rows = read(XlsxExport::LIST_PAGE, written)?;
            for row in &rows {
                write(&mut export, row)?;
            }
            let count = i64::try_from(rows.len()).unwrap_or(0);
            written += count;
            if count < XlsxExport::LIST_PAGE {
                break;
            }
        }
        Ok((export.finish_in_memory()?, written))
    }

    /// Adds a row; cells past the head are left out.
    ///
    /// # Errors
    /// The temporary file cannot be written.
    pub fn row(&mut self, cells: &[Cell<'_>]) -> Result<(), SheetError> {
        if self.row > LAST_ROW {
            self.sheets += 1;
            let name = sheet_name(&format!("{} {}", self.title, self.sheets));
            let sheet = new_sheet(&mut self.workbook, &name, &self.heads, &self.looks)?;
            self.workbook.push_worksheet(std::mem::replace(&mut self.sheet, sheet));
            self.row = 1;
        }
        for (index, cell) in cells.iter().take(self.heads.len()).enumerate() {
            write_cell(&mut self.sheet, self.row, column_index(index), *cell, &self.looks)?;
        }
        self.row += 1;
        Ok(())
    }

    /// Writes the file.
    ///
    /// # Errors
    /// `out` cannot be written.
    pub fn finish<W: Write + Seek + Send>(mut self, out: W) -> Result<(), SheetError> {
        self.workbook.push_worksheet(self.sheet);
        Ok(self.workbook.save_to_writer(out)?)
    }

    /// Writes the file into memory.
    ///
    /// # Errors
    /// The temporary file cannot be read.
    pub fn finish_in_memory(self) -> Result<Vec<u8>, SheetError> {
        let mut out = std::io::Cursor::new(Vec::new());
        self.finish(&mut out)?;
        Ok(out.into_inner())
    }
}

fn new_sheet(
    workbook: &mut Workbook,
    name: &str,
    heads: &[Head],
    looks: &Looks,
) -> Result<Worksheet, SheetError> {
    let mut sheet = workbook.new_worksheet_with_constant_memory()?;
    sheet.set_name(name)?;
    begin_sheet(&mut sheet, heads, looks)?;
    Ok(sheet)
}

/// A name that Excel takes: at most 31 characters, none of `[]:*?/\`, no apostrophe at the ends.
pub(crate) fn sheet_name(title: &str) -> String {
    let name: String = title
        .chars()
        .filter(|c| !matches!(c, '[' | ']' | ':' | '*' | '?' | '/' | '\\' | '\''))
        .take(31)
        .collect();
    let name = name.trim();
    if name.is_empty() { "Sheet1".to_owned() } else { name.to_owned() }
}

pub(crate) fn write_cell(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    cell: Cell<'_>,
    looks: &Looks,
) -> Result<(), SheetError> {
    match cell {
        Cell::Empty | Cell::Text("") => {}
        Cell::Text(text) => {
            sheet.write_string_with_format(row, column, cut(text), &looks.text)?;
        }
        Cell::Amount(fen) => {
            let yuan: f64 = fen.to_string().parse().unwrap_or_default();
            sheet.write_number_with_format(row, column, yuan, &looks.amount)?;
        }
        Cell::Day(day) => match serial(day) {
            Some(serial) => {
                sheet.write_number_with_format(row, column, serial, &looks.day)?;
            }
            None => {
                sheet.write_string_with_format(row, column, day.to_string(), &looks.text)?;
            }
        },
        Cell::Whole(number) => {
            sheet.write_number_with_format(row, column, number as f64, &looks.whole)?;
        }
    }
    Ok(())
}

/// Excel's count of a day; none before 1900-03-01, where Excel counts wrongly.
fn serial(day: Day) -> Option<f64> {
    let serial = day.0 + 25_569;
    (serial > 60).then(|| f64::from(serial))
}

/// At most as many characters as Excel takes in a cell.
pub(crate) fn cut(text: &str) -> &str {
    match text.char_indices().nth(kangmai_sheet::limit::MAX_CELL_CHARS) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

/// Writes separated text row by row: UTF-8 with BOM, so that Excel reads it right.
pub struct CsvExport<W: Write> {
    rows: csv::Writer<W>,
}

impl<W: Write> std::fmt::Debug for CsvExport<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CsvExport").finish_non_exhaustive()
    }
}

impl<W: Write> CsvExport<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// `out` cannot be written.
    pub fn begin(mut out: W, heads: &[Head]) -> Result<CsvExport<W>, SheetError> {
        out.write_all("\u{FEFF}".as_bytes())?;
        let mut rows =
            csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).flexible(true).from_writer(out);
        rows.write_record(heads.iter().map(|head| head.title.as_str())).map_err(std::io::Error::from)?;
        Ok(CsvExport { rows })
    }

    /// Adds a row.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn row(&mut self, cells: &[Cell<'_>]) -> Result<(), SheetError> {
        for cell in cells {
            let text: Cow<'_, str> = match cell {
                Cell::Empty => "".into(),
                Cell::Text(text) => harmless(text),
                Cell::Amount(fen) => fen.to_string().into(),
                Cell::Day(day) => day.to_string().into(),
                Cell::Whole(number) => number.to_string().into(),
            };
            self.rows.write_field(text.as_bytes()).map_err(std::io::Error::from)?;
        }
        self.rows.write_record(None::<&[u8]>).map_err(std::io::Error::from)?;
        Ok(())
    }

    /// Ends the file and gives back what it was written to.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn finish(self) -> Result<W, SheetError> {
        self.rows.into_inner().map_err(|error| SheetError::Io(error.into_error()))
    }
}

/// A text that a spreadsheet would run as a formula gets an apostrophe in front; our own reader takes it off again.
fn harmless(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}").into() } else { text.into() }
}
