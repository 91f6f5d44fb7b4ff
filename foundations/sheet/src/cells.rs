//! Reads the cells of one row and gathers what is wrong with them.

use crate::column::Column;
use crate::fault::{Fault, Flaw, Severity, shown};
use crate::header::{Matching, Slot};
use crate::limit::MAX_CELL_CHARS;
use crate::record::Record;

/// What names a column: its key, or a [`Slot`] looked up once.
pub trait Key: Copy {
    /// The column in `matching`.
    fn slot(self, matching: &Matching) -> Option<Slot>;
}

impl Key for &str {
    fn slot(self, matching: &Matching) -> Option<Slot> {
        let slot = matching.slot(self);
        debug_assert!(slot.is_some(), "the schema has no column {self}");
        slot
    }
}

impl Key for Slot {
    fn slot(self, _: &Matching) -> Option<Slot> {
        Some(self)
    }
}

/// The cells of one row, by column. An absent column reads as empty cells.
#[derive(Debug)]
pub struct Cells<'a> {
    matching: &'a Matching,
    record: &'a Record,
    faults: Vec<Fault>,
}

impl<'a> Cells<'a> {
    /// The cells of `record` in a file whose head is `matching`.
    pub fn new(matching: &'a Matching, record: &'a Record) -> Cells<'a> {
        Cells { matching, record, faults: Vec::new() }
    }

    /// Number of the row, from 1 as in Excel.
    pub fn row(&self) -> u32 {
        self.record.number()
    }

    /// The cell without spaces at its ends; empty if the column is absent.
    pub fn text<K: Key>(&self, key: K) -> &'a str {
        let position = key.slot(self.matching).and_then(|slot| self.matching.position(slot));
        position.map_or("", |position| self.record.get(position).trim())
    }

    /// The cell, or none if it is empty or says that there is nothing (`/`, `-`, `无`, `NULL`).
    pub fn filled<K: Key>(&self, key: K) -> Option<&'a str> {
        Some(self.text(key)).filter(|text| !says_nothing(text))
    }

    /// Reads a cell that may be empty. A cell that cannot be read is an error of the row.
    pub fn optional<K: Key, T>(&mut self, key: K, read: impl FnOnce(&str) -> Result<T, Flaw>) -> Option<T> {
        let text = self.filled(key)?;
        if text.len() > MAX_CELL_CHARS && text.chars().count() > MAX_CELL_CHARS {
            self.error(key, Flaw::new("sheet.flaw.too_long").with("limit", MAX_CELL_CHARS.to_string()));
            return None;
        }
        if text.contains(char::REPLACEMENT_CHARACTER) {
            let mend = kangmai_base::Refusal::new("sheet.mend.unreadable");
            self.error(key, Flaw::new("sheet.flaw.unreadable").mend(mend));
            return None;
        }
        match read(text) {
            Ok(value) => Some(value),
            Err(flaw) => {
                self.error(key, flaw);
                None
            }
        }
    }

    /// Reads a cell that must be filled.
    pub fn required<K: Key, T>(&mut self, key: K, read: impl FnOnce(&str) -> Result<T, Flaw>) -> Option<T> {
        if self.filled(key).is_none() {
            let column = self.column(key);
            let mut flaw = Flaw::new("sheet.flaw.empty").with("column", column.map_or("", |c| c.title_zh));
            if let Some(column) = column.filter(|column| !column.example.is_empty()) {
                flaw = flaw
                    .mend(kangmai_base::Refusal::new("sheet.mend.fill_in").with("example", column.example));
            }
            self.error(key, flaw);
            return None;
        }
        self.optional(key, read)
    }

    /// The row is not taken because of this cell.
    pub fn error<K: Key>(&mut self, key: K, flaw: Flaw) {
        self.add(key, Severity::Error, flaw);
    }

    /// The row is taken, but somebody should look at this cell.
    pub fn warning<K: Key>(&mut self, key: K, flaw: Flaw) {
        self.add(key, Severity::Warning, flaw);
    }

    /// Whether the row cannot be taken.
    pub fn has_errors(&self) -> bool {
        self.faults.iter().any(Fault::is_error)
    }

    /// What was found wrong.
    pub fn into_faults(self) -> Vec<Fault> {
        self.faults
    }

    fn column<K: Key>(&self, key: K) -> Option<&'static Column> {
        key.slot(self.matching).and_then(|slot| self.matching.column(slot))
    }

    fn add<K: Key>(&mut self, key: K, severity: Severity, flaw: Flaw) {
        let slot = key.slot(self.matching);
        let column = slot.and_then(|slot| self.matching.column(slot));
        let personal = column.is_some_and(|column| column.personal);
        self.faults.push(Fault {
            column,
            position: slot.and_then(|slot| self.matching.position(slot)),
            shown: shown(self.text(key), personal),
            ..Fault::of_row(self.row(), severity, flaw)
        });
    }
}

fn says_nothing(text: &str) -> bool {
    match text.len() {
        0 => true,
        1..=6 => matches!(
            text,
            "/" | "\\"
                | "-"
                | "--"
                | "—"
                | "——"
                | "无"
                | "暂无"
                | "空"
                | "#N/A"
                | "N/A"
                | "NULL"
                | "null"
                | "None"
        ),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::column::{Format, Schema};
    use crate::read;

    const SCHEMA: Schema = Schema {
        key: "test.bills",
        title_zh: "费用",
        title_en: "Bills",
        columns: &[
            Column::new("bill", "单据号", "Bill").required().example("ZY0001"),
            Column::new("id_number", "证件号码", "ID number").personal().format(Format::Code),
            Column::new("total", "总费用", "Total").required().format(Format::Amount),
        ],
    };

    #[test]
    fn gathers_faults_with_place_and_mend() {
        let matching = SCHEMA.match_header(&Record::of(1, ["总费用", "证件号码", "单据号"]));
        let record = Record::of(5, [" -3 ", "411722195001010014 ", "无"]);
        let mut cells = Cells::new(&matching, &record);
        assert_eq!(cells.required("bill", read::text), None);
        let total = matching.slot("total").expect("a column");
        assert_eq!(cells.required(total, read::amount), None);
        assert!(cells.optional("id_number", read::id_number).is_some());
        cells.warning("id_number", Flaw::new("sheet.flaw.id_checksum"));
        assert!(cells.has_errors());
        let faults = cells.into_faults();
        let said: Vec<String> =
            faults.iter().map(|f| format!("{} {:?} {:?} {}", f.row, f.position, f.shown, f.reason)).collect();
        assert_eq!(
            said,
            [
                "5 Some(2) \"无\" sheet.flaw.empty column=单据号",
                "5 Some(0) \"-3\" sheet.flaw.negative",
                "5 Some(1) \"4117**********0014\" sheet.flaw.id_checksum",
            ]
        );
        assert_eq!(
            faults[0].suggestion.as_ref().map(ToString::to_string).as_deref(),
            Some("sheet.mend.fill_in example=ZY0001")
        );
    }

    #[test]
    fn an_absent_column_is_empty() {
        let matching = SCHEMA.match_header(&Record::of(1, ["总费用", "单据号"]));
        let record = Record::of(2, ["1"]);
        let mut cells = Cells::new(&matching, &record);
        assert_eq!((cells.text("id_number"), cells.text("bill")), ("", ""));
        assert_eq!(cells.optional("id_number", read::text), None);
        assert!(!cells.has_errors());
    }
}
