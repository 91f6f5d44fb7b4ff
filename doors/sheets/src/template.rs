//! The template of a schema: a sheet to fill in, and a page that says how.

use kangmai_sheet::{Format as ColumnFormat, Schema};
use rust_xlsxwriter::{DataValidation, Workbook, Worksheet};

use crate::Speech;
use crate::export::{Head, Looks, begin_sheet, column_index, sheet_name};
use crate::refused::SheetError;

/// The last row that offers the words of a column to choose from.
const LAST_ROW_WITH_CHOICES: u32 = 20_000;
/// Excel's limit of the words of a list, in characters.
const MAX_CHOICES_CHARS: usize = 255;

/// The template of `schema` as an .xlsx file: required columns bear a `*`, codes are text, words are offered to choose
/// from; the examples stand on the page of instructions, so that nobody imports them.
///
/// # Errors
/// The file cannot be written.
pub fn template(schema: &Schema, speech: &Speech<'_>) -> Result<Vec<u8>, SheetError> {
    let mut workbook = Workbook::new();
    let looks = Looks::new();
    let title = if speech.english { schema.title_en } else { schema.title_zh };
    let sheet = workbook.add_worksheet();
    sheet.set_name(sheet_name(title))?;
    let heads: Vec<Head> = schema
        .columns
        .iter()
        .map(|column| {
            let mut head = Head::of(column, speech);
            if column.required {
                head.title.insert(0, '*');
            }
            head
        })
        .collect();
    begin_sheet(sheet, &heads, &looks)?;
    for (index, column) in schema.columns.iter().enumerate() {
        let chars: usize = column.choices.iter().map(|choice| choice.chars().count() + 1).sum();
        if column.choices.is_empty() || chars > MAX_CHOICES_CHARS {
            continue;
        }
        let list = DataValidation::new().allow_list_strings(column.choices)?.ignore_blank(true);
        let at = column_index(index);
        sheet.add_data_validation(1, at, LAST_ROW_WITH_CHOICES, at, &list)?;
    }
    instructions(workbook.add_worksheet(), schema, speech, &looks)?;
    Ok(workbook.save_to_buffer()?)
}

fn instructions(
    sheet: &mut Worksheet,
    schema: &Schema,
    speech: &Speech<'_>,
    looks: &Looks,
) -> Result<(), SheetError> {
    sheet.set_name(sheet_name(&speech.word("sheets.template.instructions")))?;
    let keys = [
        ("sheets.template.column", 20),
        ("sheets.template.required", 10),
        ("sheets.template.hint", 60),
        ("sheets.template.example", 24),
        ("sheets.template.choices", 60),
    ];
    let heads: Vec<Head> = keys
        .into_iter()
        .map(|(key, width)| Head { title: speech.word(key), format: ColumnFormat::Text, width })
        .collect();
    begin_sheet(sheet, &heads, looks)?;
    for (index, column) in schema.columns.iter().enumerate() {
        let (title, hint) = match speech.english {
            true => (column.title_en, column.hint_en),
            false => (column.title_zh, column.hint_zh),
        };
        let required =
            speech.word(if column.required { "sheets.template.yes" } else { "sheets.template.no" });
        let choices = column.choices.join("、");
        let cells = [title, &required, hint, column.example, &choices];
        for (at, text) in cells.into_iter().enumerate() {
            sheet.write_string_with_format(index as u32 + 1, column_index(at), text, &looks.wrapped)?;
        }
    }
    let last = schema.columns.len() as u32 + 2;
    for (index, key) in
        ["sheets.template.note_text", "sheets.template.note_repeat", "sheets.template.note_errors"]
            .into_iter()
            .enumerate()
    {
        sheet.write_string(last + index as u32, 0, speech.word(key))?;
    }
    Ok(())
}
