//! Files as they come: encodings, separators, heads, merged cells, damage; and our own files read back.

#![expect(clippy::expect_used, reason = "a test may")]

use std::io::Cursor;

use kangmai_base::{Day, Fen, Refusal};
use kangmai_sheet::{Cells, Column, Flaw, Format, Record, Schema, Severity, Source, read};
use kangmai_sheets::{
    Cell, CsvExport, ErrorSheet, FileKind, Head, Sheet, SheetError, Speech, XlsxExport, open_bytes, template,
};
use rust_xlsxwriter::{ExcelDateTime, Workbook};

const SCHEMA: Schema = Schema {
    key: "test.people",
    title_zh: "人员",
    title_en: "People",
    columns: &[
        Column::new("household", "户编号", "Household"),
        Column::new("name", "姓名", "Name").required().example("示例甲").personal(),
        Column::new("id_number", "证件号码", "ID number").required().format(Format::Code).personal(),
        Column::new("birth", "出生日期", "Birth").format(Format::Day),
        Column::new("total", "总费用", "Total").format(Format::Amount),
        Column::new("insured", "参保状态", "Insured").choices(&["城乡居民", "职工", "未参保"]),
    ],
};

fn open(bytes: impl Into<Vec<u8>>) -> Result<Sheet, SheetError> {
    open_bytes(bytes.into(), &SCHEMA, None)
}

/// `row: name|id_number|birth|total` of every row.
fn rows(mut sheet: Sheet) -> Vec<String> {
    let matching = sheet.matching().clone();
    let mut record = Record::new();
    let mut found = Vec::new();
    while sheet.next(&mut record).expect("reads") {
        let cells = Cells::new(&matching, &record);
        let text = |key| cells.text(key);
        found.push(format!(
            "{}: {}|{}|{}|{}",
            record.number(),
            text("name"),
            text("id_number"),
            text("birth"),
            text("total")
        ));
    }
    found
}

fn refusal(result: Result<Sheet, SheetError>) -> String {
    result.expect_err("refused").refusal().to_string()
}

const TEXT: &str = "姓名,证件号码,出生日期,总费用\n示例甲,411722195001010013,1950-01-01,\"1,234.50\"\n\n示例乙,\"4117221950\n01010021\",,3\n";
const ROWS: [&str; 2] =
    ["2: 示例甲|411722195001010013|1950-01-01|1,234.50", "4: 示例乙|4117221950\n01010021||3"];

#[test]
fn reads_every_encoding_and_separator() {
    let (gbk, _, _) = encoding_rs::GB18030.encode(TEXT);
    let utf16: Vec<u8> =
        [0xFF, 0xFE].into_iter().chain(TEXT.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let bom = format!("\u{FEFF}{TEXT}").into_bytes();
    for (bytes, encoding) in [
        (TEXT.as_bytes().to_vec(), "UTF-8"),
        (bom, "UTF-8"),
        (gbk.into_owned(), "GB18030"),
        (utf16, "UTF-16"),
    ] {
        let sheet = open(bytes).expect(encoding);
        assert_eq!(sheet.kind(), FileKind::Separated { encoding, separator: ',' });
        assert_eq!(rows(sheet), ROWS, "{encoding}");
    }
    for separator in [';', '\t', '|'] {
        let text = "总费用,证件号码,姓名\n3,X1,示例甲".replace(',', &separator.to_string());
        assert_eq!(rows(open(text).expect("opens")), ["2: 示例甲|X1||3"], "{separator:?}");
    }
    assert_eq!(rows(open("sep=;\r\n姓名;证件号码\r\n示例;X1\r\n").expect("opens")), ["3: 示例|X1||"]);
}

#[test]
fn an_ascii_head_does_not_hide_gbk_rows() {
    let (row, _, _) = encoding_rs::GB18030.encode("示例甲,411722195001010013");
    let padding = "x,E12345678\n".repeat(40_000);
    let mut bytes = format!("name,id_number\n{padding}").into_bytes();
    bytes.extend_from_slice(&row);
    let last = rows(open(bytes).expect("opens")).pop();
    assert_eq!(last.as_deref(), Some("40002: 示例甲|411722195001010013||"));
}

#[test]
fn a_bad_byte_in_utf_8_is_a_fault_of_its_cell_only() {
    let mut bytes = "姓名,证件号码\n".as_bytes().to_vec();
    bytes.extend("示例甲乙丙丁戊己庚辛,X1\n".repeat(60).into_bytes());
    bytes.extend(b"\xE7\xA4,X2\n");
    let mut sheet = open(bytes).expect("opens");
    let matching = sheet.matching().clone();
    let mut record = Record::new();
    while sheet.next(&mut record).expect("reads") {}
    let mut cells = Cells::new(&matching, &record);
    assert_eq!(cells.required("id_number", read::text).as_deref(), Some("X2"));
    assert_eq!(cells.required("name", read::text), None);
    assert_eq!(cells.into_faults()[0].reason.key, "sheet.flaw.unreadable");
}

#[test]
fn takes_tricks_off() {
    let text = "姓名,证件号码\n'=示例,\"=\"\"411722195001010013\"\"\"\n";
    assert_eq!(rows(open(text).expect("opens")), ["2: =示例|411722195001010013||"]);
}

fn workbook(fill: impl FnOnce(&mut rust_xlsxwriter::Worksheet)) -> Vec<u8> {
    let mut workbook = Workbook::new();
    workbook.add_worksheet().set_name("封面").expect("named").write(0, 0, "某县台账").expect("written");
    let sheet = workbook.add_worksheet().set_name("名单").expect("named");
    fill(sheet);
    workbook.save_to_buffer().expect("saved")
}

#[test]
fn reads_excel_with_title_dates_numbers_and_merged_cells() {
    let bytes = workbook(|sheet| {
        let day = rust_xlsxwriter::Format::new().set_num_format("yyyy/m/d");
        let plain = rust_xlsxwriter::Format::new();
        sheet.merge_range(0, 0, 0, 4, "脱贫人口台账", &plain).expect("merged");
        for (column, title) in ["户编号", "姓名", "证件号码", "出生日期", "总费用（元）"].iter().enumerate()
        {
            sheet.write(1, column as u16, *title).expect("written");
        }
        sheet.merge_range(2, 0, 3, 0, "H001", &plain).expect("merged");
        sheet.write(2, 1, "示例甲").expect("written");
        sheet.write(2, 2, "411722195001010013").expect("written");
        let birth = ExcelDateTime::from_ymd(1950, 1, 1).expect("a day");
        sheet.write_with_format(2, 3, &birth, &day).expect("written");
        sheet.write(2, 4, 0.1 + 0.2).expect("written");
        sheet.write(3, 1, "示例乙").expect("written");
        sheet.write(3, 2, 4.117_221_950_010_1e17).expect("written");
        sheet.write_with_format(3, 3, 0.0, &day).expect("written");
        sheet.write(6, 1, "示例丙").expect("written");
    });
    let mut sheet = open_bytes(bytes.clone(), &SCHEMA, Some("名单")).expect("opens");
    assert_eq!((sheet.matching().row(), sheet.kind()), (2, FileKind::Excel));
    let matching = sheet.matching().clone();
    let mut record = Record::new();
    let mut said = Vec::new();
    while sheet.next(&mut record).expect("reads") {
        let mut cells = Cells::new(&matching, &record);
        let line = format!(
            "{} {} {} {}",
            record.number(),
            cells.text("household"),
            cells.text("name"),
            cells.text("total")
        );
        cells.required("id_number", read::id_number);
        cells.optional("birth", read::day);
        said.push((line, cells.into_faults().iter().map(|fault| fault.reason.key).collect::<Vec<_>>()));
    }
    assert_eq!(
        said,
        [
            ("3 H001 示例甲 0.3".to_owned(), vec![]),
            ("4 H001 示例乙 ".to_owned(), vec!["sheet.flaw.lost_digits", "sheet.flaw.day_of_1900"]),
            ("7  示例丙 ".to_owned(), vec!["sheet.flaw.empty"]),
        ]
    );
    assert_eq!(sheet.progress().rows, 3);
    let unnamed = open(bytes.clone()).expect("finds the sheet by its head");
    assert_eq!(rows(unnamed).len(), 3);
    assert_eq!(
        refusal(open_bytes(bytes, &SCHEMA, Some("别的"))),
        "sheets.no_such_sheet name=别的 found=封面、名单"
    );
}

#[test]
fn refuses_what_is_no_sheet_with_a_word() {
    let good =
        XlsxExport::begin("人员", vec![Head::new("姓名", Format::Text), Head::new("证件号码", Format::Code)])
            .and_then(XlsxExport::finish_in_memory)
            .expect("written");
    let cut_off = good[..good.len() / 2].to_vec();
    let mut spoiled = good.clone();
    let middle = spoiled.len() / 2;
    spoiled[middle..middle + 200].fill(0x55);
    for (bytes, expected) in [
        (b"".to_vec(), "sheets.empty"),
        (b"\xEF\xBB\xBF\n".to_vec(), "sheets.empty"),
        (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1old".to_vec(), "sheets.old_excel"),
        (b"%PDF-1.7".to_vec(), "sheets.other_kind kind=PDF"),
        (b"  <html><table>".to_vec(), "sheets.other_kind kind=HTML"),
        (b"a\0b\0c".to_vec(), "sheets.other_kind kind=?"),
        (cut_off, "sheets.damaged"),
        (b"PK\x03\x04 and nothing more".to_vec(), "sheets.damaged"),
        ("年份,金额\n2026,3\n".as_bytes().to_vec(), "sheet.header.not_found columns=姓名、证件号码"),
    ] {
        assert_eq!(refusal(open(bytes)), expected);
    }
    let mut protected = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1".to_vec();
    protected.extend("EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes));
    assert_eq!(refusal(open(protected)), "sheets.protected");
    match open(spoiled) {
        Err(error) => assert!(matches!(error, SheetError::Damaged(_) | SheetError::NoHeader(_)), "{error}"),
        Ok(sheet) => assert!(rows(sheet).len() < 2),
    }
}

#[test]
fn no_damage_to_an_excel_file_is_more_than_a_refusal() {
    let mut export =
        XlsxExport::begin("人员", SCHEMA.columns.iter().map(|c| Head::of(c, &speech())).collect())
            .expect("begun");
    for _ in 0..50 {
        export
            .row(&[Cell::Text("H1"), Cell::Text("示例甲"), Cell::Text("411722195001010013")])
            .expect("written");
    }
    let good = export.finish_in_memory().expect("written");
    for step in 0..200 {
        let mut bytes = good.clone();
        let at = step * good.len() / 200;
        bytes[at] ^= 0x5A;
        if let Ok(mut sheet) = open(bytes) {
            let mut record = Record::new();
            while let Ok(true) = sheet.next(&mut record) {}
        }
    }
}

#[test]
fn a_quote_that_never_closes_is_told() {
    let mut text = String::from("姓名,证件号码\n示例甲,X1\n\"示例乙,X2\n");
    text.push_str(&"示例丙,X3\n".repeat(2_000_000));
    let mut sheet = match open(text) {
        Ok(sheet) => sheet,
        Err(error) => return assert_eq!(error.refusal().to_string(), "sheets.unclosed_quote row=2"),
    };
    let mut record = Record::new();
    let error = loop {
        match sheet.next(&mut record) {
            Ok(true) => {}
            Ok(false) => panic!("swallowed the file"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.to_string(), "sheets.unclosed_quote row=2");
}

fn speech() -> Speech<'static> {
    Speech { english: false, say: &|refusal: &Refusal| refusal.to_string() }
}

#[test]
fn what_is_written_reads_back() {
    let heads: Vec<Head> = SCHEMA.columns.iter().map(|column| Head::of(column, &speech())).collect();
    let day = Day::from_ymd(1950, 1, 1).expect("a day");
    let cells = [
        [
            Cell::Empty,
            Cell::Text("=cmd|' /C calc'!A0"),
            Cell::Text("411722195001010013"),
            Cell::Day(day),
            Cell::Amount(Fen(123_450)),
            Cell::Empty,
        ],
        [
            Cell::Empty,
            Cell::Text("-示例"),
            Cell::Text("007"),
            Cell::Empty,
            Cell::Amount(Fen(-1)),
            Cell::Whole(3),
        ],
    ];
    let mut csv = CsvExport::begin(Vec::new(), &heads).expect("begun");
    let mut xlsx = XlsxExport::begin("人员", heads).expect("begun");
    for row in &cells {
        csv.row(row).expect("written");
        xlsx.row(row).expect("written");
    }
    let csv = csv.finish().expect("written");
    let text = String::from_utf8(csv.clone()).expect("UTF-8");
    assert!(text.starts_with("\u{FEFF}户编号,姓名,") && text.contains("\n,'=cmd|' /C calc'!A0,"), "{text}");
    assert_eq!(
        rows(open(csv).expect("opens")),
        ["2: =cmd|' /C calc'!A0|411722195001010013|1950-01-01|1234.50", "3: -示例|007||-0.01"]
    );
    assert_eq!(
        rows(open(xlsx.finish_in_memory().expect("written")).expect("opens")),
        ["2: =cmd|' /C calc'!A0|411722195001010013|1950-01-01|1234.5", "3: -示例|007||-0.01"]
    );
}

#[test]
fn a_template_is_a_file_without_rows() {
    let bytes = template(&SCHEMA, &speech()).expect("written");
    let sheet = open(bytes).expect("opens");
    assert!(sheet.header_faults().is_empty(), "{:?}", sheet.header_faults());
    assert_eq!(sheet.matching().titles()[1], "*姓名");
    assert!(rows(sheet).is_empty());
}

#[test]
fn an_error_sheet_can_be_mended_and_imported() {
    let sheet = open("姓名,证件号码\n示例甲,411722195001010014\n").expect("opens");
    let matching = sheet.matching().clone();
    let mut errors = ErrorSheet::begin(&matching, speech()).expect("begun");
    let record = Record::of(2, ["示例甲", "411722195001010014"]);
    let mut cells = Cells::new(&matching, &record);
    let flaw = Flaw::new("sheet.flaw.id_checksum")
        .mend(Refusal::new("sheet.mend.id_checksum").with("expected", "3"));
    cells.warning("id_number", flaw);
    cells.error("name", Flaw::new("sheet.flaw.empty"));
    errors.row(&record, &cells.into_faults()).expect("written");
    errors.note(kangmai_sheet::Fault::of_row(1, Severity::Warning, Flaw::new("sheet.header.unknown")));
    assert_eq!(errors.rows(), 1);
    let mut out = Cursor::new(Vec::new());
    errors.finish(&mut out).expect("written");
    let again = open(out.into_inner()).expect("opens");
    let words: Vec<&str> = again.matching().titles().iter().map(String::as_str).collect();
    assert_eq!(words[..2], ["姓名", "证件号码"]);
    assert_eq!(words[6], "sheets.error_sheet.suggestion");
    assert_eq!(rows(again), ["2: 示例甲|411722195001010014||"]);
}

#[test]
fn every_key_has_its_sentence() {
    let words = include_str!("../words.toml");
    let known: std::collections::BTreeSet<&str> =
        words.lines().filter_map(|line| line.strip_prefix("[\"")?.strip_suffix("\"]")).collect();
    let sources = [
        include_str!("../src/refused.rs"),
        include_str!("../src/error_sheet.rs"),
        include_str!("../src/template.rs"),
    ];
    let named: std::collections::BTreeSet<&str> = sources
        .iter()
        .flat_map(|source| source.split('"').filter(|text| text.starts_with("sheets.")))
        .collect();
    assert_eq!(known, named);
}
