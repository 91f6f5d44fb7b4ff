//! The lines of a bill at the desk: typed row by row, or pasted out of Excel. Both become the same rows.

use kangmai_base::{Day, Refusal};
use kangmai_policy::{CatalogueClass, CostCategory, FeeKind, LineRules, MAX_LINES};
use kangmai_sheet::{Column, Flaw, Record, Source as _, read};
use kangmai_sheets::{Sheet, SheetError, open_bytes};
use kangmai_web::{Choice, Form, FormBody, Page};

use crate::facts::ChargedLine;
use crate::import::{CLASSES, FEES, LINE_COLUMNS, LineReader, category};
use crate::lines_told::{category_word, class_word};
use crate::rules::{Itemised, LineFault, Stated, itemise, too_many};

/// Rows that the form shows as fields; more stay in the field that they were pasted into.
const MOST_ROWS: usize = 100;
/// Empty rows that are added at once.
const ROWS_AT_ONCE: usize = 5;
/// Faults of pasted rows that are shown.
const MOST_FAULTS: usize = 50;
/// Columns of a line.
const WIDTH: usize = LINE_COLUMNS.columns.len();

/// A row as it was typed.
type Cells = [String; WIDTH];

/// A row of the form.
#[derive(Debug, Clone, Default)]
pub(super) struct Row {
    cells: Cells,
    /// What is wrong, by column.
    wrong: [String; WIDTH],
}

/// A field of a row, as the template draws it.
pub(super) struct Cell<'r> {
    pub(super) name: String,
    pub(super) title: &'static str,
    /// The title with the number of the row, for who does not see the table.
    pub(super) label: String,
    pub(super) key: &'static str,
    pub(super) value: &'r str,
    pub(super) wrong: &'r str,
    pub(super) choices: &'r [Choice],
    /// What was typed is none of the choices.
    pub(super) is_odd: bool,
}

impl Cell<'_> {
    /// Whether this choice is the one that was typed.
    pub(super) fn is_chosen(&self, choice: &Choice) -> bool {
        canonical(self.key, self.value) == choice.value
    }
}

/// The lines of a form.
#[derive(Debug, Default)]
pub(super) struct Entered {
    rows: Vec<Row>,
    /// What is wrong with rows that are too many to be shown, and with what was pasted.
    pub(super) told: Vec<String>,
    /// Faults beyond those that are told.
    pub(super) more: usize,
    /// Whether they are too many to be shown as fields.
    is_long: bool,
    english: bool,
    choices: [Vec<Choice>; 3],
}

/// The columns with choices, in the order of [`Entered::choices`].
const CHOSEN: [&str; 3] = ["category", "class", "fee"];

/// What the form sends of a cell with choices: the key of what was typed, or what was typed.
fn canonical(key: &str, typed: &str) -> String {
    let found = match key {
        "category" => category(typed).ok().map(CostCategory::name),
        "class" => read::choice(typed, &CLASSES).ok().map(class_key),
        "fee" => read::choice(typed, &FEES).ok().map(FeeKind::name),
        _ => None,
    };
    found.map_or_else(|| typed.trim().to_owned(), str::to_owned)
}

const fn class_key(class: CatalogueClass) -> &'static str {
    match class {
        CatalogueClass::A => "a",
        CatalogueClass::B => "b",
        CatalogueClass::C => "c",
    }
}

const fn fee_word(fee: FeeKind) -> &'static str {
    match fee {
        FeeKind::Registration => "settlement.field.registration",
        FeeKind::Injection => "settlement.field.injection",
        FeeKind::Dressing => "settlement.field.dressing",
        FeeKind::Ambulance => "settlement.field.ambulance",
        FeeKind::Checkup => "settlement.field.checkup",
    }
}

fn choices(page: &Page) -> [Vec<Choice>; 3] {
    let categories = CostCategory::ALL.map(|one| Choice::new(one.name(), page.word(category_word(one))));
    let classes = crate::lines_told::CLASSES;
    let classes = classes.map(|one| Choice::new(class_key(one), page.word(class_word(one))));
    let fees = FeeKind::ALL.map(|one| Choice::new(one.name(), page.word(fee_word(one))));
    [categories.to_vec(), classes.to_vec(), fees.to_vec()]
}

/// Whether the first row is a head, though not a good one: two titles that we know are no accident.
fn has_head(text: &str) -> bool {
    let first = text.trim_start().lines().next().unwrap_or_default();
    let matching = LINE_COLUMNS.match_header(&Record::of(1, first.split('\t')));
    LINE_COLUMNS.columns.iter().filter(|column| matching.has(column.key)).count() >= 2
}

fn field_name(row: usize, key: &str) -> String {
    format!("line-{row}-{key}")
}

impl Entered {
    /// No lines: a bill that states its amounts.
    pub(super) fn none(page: &Page) -> Entered {
        Entered { choices: choices(page), english: !page.is_chinese(), ..Entered::default() }
    }

    /// The rows of the form and behind them what was pasted; rows that are ticked to be gone are.
    pub(super) fn read(page: &Page, body: &FormBody) -> Entered {
        let mut entered = Entered::none(page);
        let shown = body.value("rows").parse::<usize>().unwrap_or(0).min(MOST_ROWS);
        for row in (0..shown).filter(|row| body.value(&field_name(*row, "gone")).is_empty()) {
            let cells = LINE_COLUMNS.columns.iter().map(|column| body.value(&field_name(row, column.key)));
            entered.push(cells);
        }
        entered.paste(page, body.value("lines"));
        entered.is_long = entered.rows.len() > MOST_ROWS;
        if body.act() == "rows" {
            let more = (entered.rows.len() + ROWS_AT_ONCE).min(MOST_ROWS).max(entered.rows.len());
            entered.rows.resize_with(more, Row::default);
        }
        entered
    }

    fn push<'c>(&mut self, cells: impl Iterator<Item = &'c str>) {
        let mut row = Row::default();
        for (into, cell) in row.cells.iter_mut().zip(cells) {
            cell.trim().clone_into(into);
        }
        if row.cells.iter().any(|cell| !cell.is_empty()) {
            self.rows.push(row);
        }
    }

    /// Takes rows in as Excel puts them on the clipboard; without a head they stand in the order of the form.
    fn paste(&mut self, page: &Page, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        let open = |text: String| open_bytes(text.into_bytes(), &LINE_COLUMNS, None);
        let under_head = || {
            let keys: Vec<&str> = LINE_COLUMNS.columns.iter().map(|column| column.key).collect();
            open(format!("{}\n{text}", keys.join("\t")))
        };
        let opened = match open(text.to_owned()) {
            Err(_) if !has_head(text) => under_head(),
            opened => opened,
        };
        let taken =
            opened.map_err(|error: SheetError| error.refusal()).and_then(|sheet| self.take(page, sheet));
        if let Err(refusal) = taken {
            self.told.push(page.refusal(&refusal));
        }
    }

    fn take(&mut self, page: &Page, mut sheet: Sheet) -> Result<(), Refusal> {
        let faults = sheet.header_faults();
        let missing = faults.iter().filter(|fault| fault.is_error());
        self.told.extend(missing.map(|fault| page.refusal(&fault.reason)));
        let matching = sheet.matching().clone();
        let mut record = Record::new();
        while self.rows.len() <= MAX_LINES && sheet.next(&mut record)? {
            let columns = LINE_COLUMNS.columns.iter();
            self.push(columns.map(|column| {
                let position = matching.slot(column.key).and_then(|slot| matching.position(slot));
                position.map_or("", |position| record.get(position))
            }));
        }
        Ok(())
    }

    /// Whether there are no lines.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.iter().all(|row| row.cells.iter().all(String::is_empty)) && self.told.is_empty()
    }

    /// How many rows the form shows.
    pub(super) fn shown(&self) -> usize {
        if self.is_long { 0 } else { self.rows.len() }
    }

    /// How many lines there are.
    pub(super) fn count(&self) -> usize {
        self.rows.iter().filter(|row| row.cells.iter().any(|cell| !cell.is_empty())).count()
    }

    /// The titles of the columns of a line.
    pub(super) fn titles(&self) -> Vec<&'static str> {
        LINE_COLUMNS.columns.iter().map(|column| self.title(column)).collect()
    }

    fn title(&self, column: &Column) -> &'static str {
        if self.english { column.title_en } else { column.title_zh }
    }

    /// The rows that are shown, each with its fields.
    pub(super) fn table(&self) -> Vec<(usize, Vec<Cell<'_>>)> {
        let shown = self.rows.iter().take(self.shown()).enumerate();
        shown.map(|(row, cells)| (row, self.cells(row, cells))).collect()
    }

    fn cells<'r>(&'r self, row: usize, shown: &'r Row) -> Vec<Cell<'r>> {
        let columns = LINE_COLUMNS.columns.iter().enumerate();
        columns
            .map(|(index, column)| {
                let chosen = CHOSEN.iter().position(|key| *key == column.key);
                let choices: &[Choice] = chosen.map_or(&[], |chosen| &self.choices[chosen]);
                let value = shown.cells[index].as_str();
                let known = choices.iter().any(|choice| choice.value == canonical(column.key, value));
                Cell {
                    name: field_name(row, column.key),
                    title: self.title(column),
                    label: format!("{} {}", self.title(column), row + 1),
                    key: column.key,
                    value,
                    wrong: &shown.wrong[index],
                    choices,
                    is_odd: !choices.is_empty() && !value.is_empty() && !known,
                }
            })
            .collect()
    }

    /// The lines as one text that [`Entered::read`] takes in again; what the form carries along while it is looked at.
    fn text(&self) -> String {
        let keys: Vec<&str> = LINE_COLUMNS.columns.iter().map(|column| column.key).collect();
        let mut text = keys.join("\t");
        for row in self.rows.iter().filter(|row| row.cells.iter().any(|cell| !cell.is_empty())) {
            text.push('\n');
            let cells = row.cells.iter().map(|cell| match cell.contains(['"', '\t', '\n', '\r']) {
                true => format!("\"{}\"", cell.replace('"', "\"\"")),
                false => cell.clone(),
            });
            text.push_str(&cells.collect::<Vec<_>>().join("\t"));
        }
        text
    }

    /// Puts the lines into the form's field: all of them, or only those that are too many to be shown.
    pub(super) fn carry(&self, form: &mut Form, all: bool) {
        let is_carried = (all || self.is_long) && self.count() > 0;
        form.fill("lines", if is_carried { self.text() } else { String::new() });
    }

    /// What the lines come to; none if something is wrong, which then stands at its row, and in the form.
    pub(super) fn itemise(
        &mut self,
        page: &Page,
        form: &mut Form,
        rule: Option<(&str, &LineRules)>,
        (discharge, today): (Option<Day>, Day),
        stated: &Stated,
    ) -> Option<Itemised> {
        let lines = self.lines(page, today);
        let wrong = self.told.len() + self.more + self.rows.iter().filter(|row| row.is_wrong()).count();
        let (Some(lines), 0) = (lines, wrong) else {
            form.refuse(
                Refusal::new("settlement.refused.lines").with("count", wrong.to_string()).at("lines"),
            );
            return None;
        };
        // Without the day of discharge nobody knows by which rule; the form says already that it is missing.
        let discharge = discharge?;
        let Some(rule) = rule else {
            let refusal = Refusal::new("settlement.flaw.no_line_rule").with("day", discharge.to_string());
            form.refuse(refusal.at("lines"));
            return None;
        };
        match itemise(rule, lines, stated, &|line| (line + 1).to_string()) {
            Ok(itemised) => Some(itemised),
            Err(faults) => {
                self.refuse_all(page, form, faults);
                None
            }
        }
    }

    /// The typed lines, without the rows that are empty; none if one is wrong.
    fn lines(&mut self, page: &Page, today: Day) -> Option<Vec<ChargedLine>> {
        self.rows.retain(|row| row.cells.iter().any(|cell| !cell.is_empty()));
        if self.rows.len() > MAX_LINES {
            self.told.push(said(page, &too_many(self.rows.len())));
            return None;
        }
        let reader = LineReader::typed();
        let mut lines = Vec::with_capacity(self.rows.len());
        for index in 0..self.rows.len() {
            let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
            let record = Record::of(number, self.rows[index].cells.iter().map(String::as_str));
            match reader.read(&record, today) {
                Ok(line) => lines.push(line),
                Err(faults) => {
                    for fault in faults {
                        let flaw = Flaw { reason: fault.reason, suggestion: fault.suggestion };
                        self.tell(page, index, fault.column.map_or("name", |column| column.key), &flaw);
                    }
                }
            }
        }
        (lines.len() == self.rows.len()).then_some(lines)
    }

    fn refuse_all(&mut self, page: &Page, form: &mut Form, faults: Vec<LineFault>) {
        let mut count = 0;
        for fault in faults {
            let at_field = match fault.column {
                "total" | "compliant" => Some(fault.column),
                "fee" if fault.line.is_none() => Some("registration"),
                _ => None,
            };
            match (at_field, fault.line) {
                (Some(field), _) => {
                    let text = said(page, &fault.flaw);
                    form.refuse(Refusal::new("settlement.refused.said").with("text", text).at(field));
                }
                (None, Some(line)) => {
                    count += 1;
                    self.tell(page, line, fault.column, &fault.flaw);
                }
                (None, None) => {
                    count += 1;
                    self.told.push(said(page, &fault.flaw));
                }
            }
        }
        if count > 0 {
            form.refuse(
                Refusal::new("settlement.refused.lines").with("count", count.to_string()).at("lines"),
            );
        }
    }

    /// Says what is wrong at a row: at its field, or in the list of those that are too many to be shown.
    fn tell(&mut self, page: &Page, row: usize, key: &str, flaw: &Flaw) {
        let index = LINE_COLUMNS.columns.iter().position(|column| column.key == key).unwrap_or(1);
        let text = said(page, flaw);
        if !self.is_long {
            if let Some(row) = self.rows.get_mut(row) {
                row.wrong[index] = text;
            }
            return;
        }
        if self.told.len() >= MOST_FAULTS {
            self.more += 1;
            return;
        }
        let title = self.title(&LINE_COLUMNS.columns[index]);
        let values: [(&str, &dyn std::fmt::Display); 3] =
            [("line", &(row + 1)), ("column", &title), ("text", &text)];
        self.told.push(page.say("settlement.lines.at", &values));
    }
}

impl Row {
    fn is_wrong(&self) -> bool {
        self.wrong.iter().any(|wrong| !wrong.is_empty())
    }
}

/// Why, and how to mend it.
fn said(page: &Page, flaw: &Flaw) -> String {
    let reason = page.refusal(&flaw.reason);
    let mend = flaw.suggestion.as_ref().map(|mend| page.refusal(mend)).unwrap_or_default();
    let between = if mend.is_empty() {
        ""
    } else if page.is_chinese() {
        "。"
    } else {
        ". "
    };
    format!("{reason}{between}{mend}")
}
