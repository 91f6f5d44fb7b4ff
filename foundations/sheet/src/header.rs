//! Finds the columns of a schema in the head of a file.

use std::borrow::Cow;

use kangmai_base::Refusal;

use crate::column::{Column, Schema};
use crate::fault::Fault;
use crate::likeness::most_like;
use crate::limit::{MAX_COLUMNS, MAX_ROWS_ABOVE_HEADER};
use crate::record::Record;
use crate::width::half_width;
use crate::{Flaw, Severity};

/// A column of a schema, looked up once: quicker than its key where millions of rows are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot(pub(crate) usize);

/// A title in the file that no column of the schema goes by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownColumn {
    /// Where it stands, from 0.
    pub position: usize,
    /// What it says.
    pub title: String,
    /// A column that is not in the file and is much like it.
    pub did_you_mean: Option<&'static Column>,
}

/// Which column of the file holds which column of the schema.
#[derive(Debug, Clone)]
pub struct Matching {
    schema: Schema,
    /// For each column of the schema, where it stands in the file.
    positions: Vec<Option<usize>>,
    /// The titles as they stand in the file.
    titles: Vec<String>,
    row: u32,
    unknown: Vec<UnknownColumn>,
    /// Titles that stand twice; the first counts.
    doubled: Vec<(usize, &'static Column)>,
}

/// Titles that stand in many files, or that our own error sheet adds, and that hold nothing to import.
const PASSED_OVER: [&str; 14] = [
    "序号",
    "编号",
    "行号",
    "出错列",
    "级别",
    "原因",
    "建议",
    "备注",
    "no.",
    "row",
    "faultycolumn",
    "severity",
    "reason",
    "suggestion",
];

impl Schema {
    /// Reads `head` as the head of a file.
    pub fn match_header(&self, head: &Record) -> Matching {
        let mut matching = Matching {
            schema: *self,
            positions: vec![None; self.columns.len()],
            titles: head.cells().take(MAX_COLUMNS).map(|title| half_width(title).into_owned()).collect(),
            row: head.number(),
            unknown: Vec::new(),
            doubled: Vec::new(),
        };
        let mut left: Vec<usize> = Vec::new();
        for reduce in [bare as fn(&str) -> Cow<'_, str>, without_brackets] {
            let open = match left.is_empty() {
                true => (0..matching.titles.len()).filter(|at| !matching.titles[*at].is_empty()).collect(),
                false => std::mem::take(&mut left),
            };
            for position in open {
                let title = reduce(&matching.titles[position]).into_owned();
                let found = self
                    .columns
                    .iter()
                    .position(|column| !title.is_empty() && column.names().any(|name| reduce(name) == title));
                match found {
                    None => left.push(position),
                    Some(index) if matching.positions[index].is_none() => {
                        matching.positions[index] = Some(position)
                    }
                    Some(index) => matching.doubled.push((position, &self.columns[index])),
                }
            }
            if left.is_empty() {
                break;
            }
        }
        left.retain(|position| !PASSED_OVER.contains(&&*bare(&matching.titles[*position])));
        matching.unknown = left.into_iter().map(|position| matching.unknown_at(position)).collect();
        matching
    }

    /// Finds the head among the first rows of a file: the row that knows most columns, at least half of the required
    /// ones (and at least one). `Err` says which columns are wanted.
    ///
    /// # Errors
    /// No row looks like a head of this schema.
    pub fn find_header(&self, first_rows: &[Record]) -> Result<Matching, Refusal> {
        let required = self.columns.iter().filter(|column| column.required).count();
        let mut best: Option<(usize, Matching)> = None;
        for row in first_rows.iter().take(MAX_ROWS_ABOVE_HEADER) {
            let matching = self.match_header(row);
            let known = matching.positions.iter().flatten().count();
            let known_required = self
                .columns
                .iter()
                .zip(&matching.positions)
                .filter(|(c, at)| c.required && at.is_some())
                .count();
            let enough = known >= 1 && known_required * 2 >= required;
            if enough && best.as_ref().is_none_or(|(most, _)| known > *most) {
                best = Some((known, matching));
            }
        }
        best.map(|(_, matching)| matching).ok_or_else(|| {
            let wanted: Vec<&str> = self.columns.iter().filter(|c| c.required).map(|c| c.title_zh).collect();
            Refusal::new("sheet.header.not_found").with("columns", wanted.join("、"))
        })
    }
}

impl Matching {
    /// The schema that was matched.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The row of the head, from 1.
    pub fn row(&self) -> u32 {
        self.row
    }

    /// The titles as they stand in the file.
    pub fn titles(&self) -> &[String] {
        &self.titles
    }

    /// The column `key`, for reading millions of rows. `None` if the schema has no such column.
    pub fn slot(&self, key: &str) -> Option<Slot> {
        self.schema.columns.iter().position(|column| column.key == key).map(Slot)
    }

    /// Whether the file has the column `key`.
    pub fn has(&self, key: &str) -> bool {
        self.slot(key).is_some_and(|slot| self.position(slot).is_some())
    }

    /// Where the column stands in the file, from 0.
    pub fn position(&self, slot: Slot) -> Option<usize> {
        self.positions.get(slot.0).copied().flatten()
    }

    /// The column.
    pub(crate) fn column(&self, slot: Slot) -> Option<&'static Column> {
        self.schema.columns.get(slot.0)
    }

    /// Required columns that the file lacks.
    pub fn missing(&self) -> impl Iterator<Item = &'static Column> + '_ {
        let columns: &'static [Column] = self.schema.columns;
        columns.iter().zip(&self.positions).filter(|(c, at)| c.required && at.is_none()).map(|(c, _)| c)
    }

    /// Titles that no column goes by.
    pub fn unknown(&self) -> &[UnknownColumn] {
        &self.unknown
    }

    /// What is wrong with the head: an error for each missing required column, a warning for each unknown or doubled
    /// one.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        for column in self.missing() {
            let like = self.unknown.iter().find(|unknown| unknown.did_you_mean == Some(column));
            let mut flaw = Flaw::new("sheet.header.missing").with("column", column.title_zh);
            flaw = flaw.mend(match like {
                Some(unknown) => Refusal::new("sheet.header.rename")
                    .with("title", unknown.title.clone())
                    .with("column", column.title_zh),
                None => Refusal::new("sheet.header.add").with("column", column.title_zh),
            });
            faults.push(Fault { column: Some(column), ..Fault::of_row(self.row, Severity::Error, flaw) });
        }
        for unknown in &self.unknown {
            let mut flaw = Flaw::new("sheet.header.unknown").with("title", unknown.title.clone());
            if let Some(column) = unknown.did_you_mean {
                flaw = flaw.mend(
                    Refusal::new("sheet.header.rename")
                        .with("title", unknown.title.clone())
                        .with("column", column.title_zh),
                );
            }
            let fault = Fault::of_row(self.row, Severity::Warning, flaw);
            faults.push(Fault { position: Some(unknown.position), shown: unknown.title.clone(), ..fault });
        }
        for (position, column) in &self.doubled {
            let flaw = Flaw::new("sheet.header.doubled")
                .with("column", column.title_zh)
                .mend(Refusal::new("sheet.header.drop_double"));
            let fault = Fault::of_row(self.row, Severity::Warning, flaw);
            faults.push(Fault { column: Some(column), position: Some(*position), ..fault });
        }
        faults
    }

    fn unknown_at(&self, position: usize) -> UnknownColumn {
        let title = self.titles[position].clone();
        let columns: &'static [Column] = self.schema.columns;
        let absent: Vec<&'static Column> =
            columns.iter().zip(&self.positions).filter(|(_, at)| at.is_none()).map(|(c, _)| c).collect();
        let meant = most_like(&title, absent.iter().flat_map(|column| column.names()));
        let did_you_mean = meant.and_then(|name| absent.into_iter().find(|c| c.names().any(|n| n == name)));
        UnknownColumn { position, title, did_you_mean }
    }
}

/// A title without width, case, spaces and the marks that say "required".
fn bare(title: &str) -> Cow<'_, str> {
    let dull = |character: char| {
        character.is_whitespace()
            || character.is_ascii_uppercase()
            || matches!(character, '*' | '_' | ':' | '"' | '\'')
    };
    match half_width(title) {
        Cow::Borrowed(title) if !title.contains(dull) => Cow::Borrowed(title),
        title => Cow::Owned(
            title
                .chars()
                .filter(|character| !dull(*character) || character.is_ascii_uppercase())
                .map(|character| character.to_ascii_lowercase())
                .collect(),
        ),
    }
}

/// The same without what stands in brackets: a unit or a remark.
fn without_brackets(title: &str) -> Cow<'_, str> {
    let bare = bare(title);
    if !bare.contains(['(', '[', '【']) {
        return bare;
    }
    let mut depth = 0_u32;
    let mut out = String::with_capacity(bare.len());
    for character in bare.chars() {
        match character {
            '(' | '[' | '【' => depth += 1,
            ')' | ']' | '】' => depth = depth.saturating_sub(1),
            character if depth == 0 => out.push(character),
            _ => {}
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: Schema = Schema {
        key: "test.people",
        title_zh: "人员",
        title_en: "People",
        columns: &[
            Column::new("name", "姓名", "Name").required().personal(),
            Column::new("id_number", "证件号码", "ID number")
                .required()
                .aliases(&["身份证号", "公民身份号码"]),
            Column::new("total", "总费用", "Total"),
            Column::new("phone", "联系电话", "Phone"),
        ],
    };

    fn head(titles: &[&str]) -> Record {
        Record::of(1, titles.iter().copied())
    }

    fn positions(titles: &[&str]) -> Vec<Option<usize>> {
        SCHEMA.match_header(&head(titles)).positions
    }

    #[test]
    fn takes_any_order_width_case_unit_and_alias() {
        for titles in [
            ["姓名", "证件号码", "总费用", "联系电话"],
            ["name", "ID Number", "TOTAL", "phone"],
            ["*姓 名", "身份证号", "总费用（元）", "联系电话 "],
            ["\u{FEFF}姓名：", "公民身份号码", "总费用[yuan]", "联系电话(必填)"],
        ] {
            assert_eq!(positions(&titles), [Some(0), Some(1), Some(2), Some(3)], "{titles:?}");
        }
        assert_eq!(positions(&["", "总费用", "证件号码", "姓名"]), [Some(3), Some(2), Some(1), None]);
    }

    #[test]
    fn says_what_is_missing_unknown_or_twice() {
        let matching = SCHEMA.match_header(&head(&["姓名", "证件号", "收入", "姓名"]));
        let said: Vec<String> = matching
            .faults()
            .iter()
            .map(|f| {
                format!(
                    "{:?} {} / {:?}",
                    f.severity,
                    f.reason,
                    f.suggestion.as_ref().map(ToString::to_string)
                )
            })
            .collect();
        assert_eq!(
            said,
            [
                "Error sheet.header.missing column=证件号码 / Some(\"sheet.header.rename title=证件号 column=证件号码\")",
                "Warning sheet.header.unknown title=证件号 / Some(\"sheet.header.rename title=证件号 column=证件号码\")",
                "Warning sheet.header.unknown title=收入 / None",
                "Warning sheet.header.doubled column=姓名 / Some(\"sheet.header.drop_double\")",
            ]
        );
    }

    #[test]
    fn finds_the_head_under_a_title() {
        let rows = [
            Record::of(1, ["某县脱贫人口台账"]),
            Record::of(2, ["填报单位：", "", "日期：2026-03-05"]),
            Record::of(3, ["序号", "收入", "姓名", "证件号码"]),
            Record::of(4, ["1", "示例甲", "411722195001010013"]),
        ];
        let matching = SCHEMA.find_header(&rows).expect("a head");
        assert_eq!((matching.row(), matching.has("name"), matching.has("phone")), (3, true, false));
        assert_eq!(matching.unknown().len(), 1);
        let none = SCHEMA.find_header(&rows[..2]).expect_err("no head");
        assert_eq!(none.to_string(), "sheet.header.not_found columns=姓名、证件号码");
    }
}
