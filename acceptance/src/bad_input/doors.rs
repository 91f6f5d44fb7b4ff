//! The doors.

use std::io::Cursor;
use std::sync::{Arc, LazyLock};

use kangmai_base::{Day, DivisionCode, Fen, IdNumber, Moment, Phone, SeededIds};
use kangmai_database::Database;
use kangmai_policy::{Overlay, Release};
use kangmai_seal::{CipherKind, MasterKeys};
use kangmai_server::application::{load_policies, shipped_packs};
use kangmai_server::copy::verify;
use kangmai_server::programmes;
use kangmai_settlement::replay::{ReceiptFile, replay};
use kangmai_sheet::{Record, Source as _};

use super::Door;
use super::interface::stand;
use super::workbook::workbook_of;
use crate::access::rows;
use crate::program::fresh_folder;
use crate::visitor::percent;

/// All of them.
pub const DOORS: &[Door] = &[
    Door { name: "numbers", take: take_numbers, seeds: numbers, tokens: NUMBER_TOKENS, cases: 20_000 },
    Door { name: "separated", take: take_sheet, seeds: separated, tokens: SHEET_TOKENS, cases: 300 },
    Door { name: "workbook", take: take_sheet, seeds: workbooks, tokens: &[], cases: 200 },
    Door { name: "workbook_sheet", take: take_inside, seeds: insides, tokens: XML_TOKENS, cases: 300 },
    Door { name: "workbook_texts", take: take_texts, seeds: texts, tokens: XML_TOKENS, cases: 200 },
    Door { name: "imports", take: take_import, seeds: imports, tokens: SHEET_TOKENS, cases: 120 },
    Door { name: "pack", take: take_pack, seeds: packs, tokens: PACK_TOKENS, cases: 12 },
    Door { name: "overlay", take: take_overlay, seeds: overlays, tokens: PACK_TOKENS, cases: 400 },
    Door { name: "interface", take: take_interface, seeds: bodies, tokens: JSON_TOKENS, cases: 300 },
    Door { name: "addresses", take: take_address, seeds: addresses, tokens: ADDRESS_TOKENS, cases: 150 },
    Door { name: "receipt", take: take_receipt, seeds: receipts, tokens: JSON_TOKENS, cases: 60 },
    Door { name: "copy", take: take_copy, seeds: copies, tokens: &[], cases: 12 },
    Door { name: "sealed_file", take: take_sealed, seeds: sealed, tokens: &[], cases: 12 },
    Door {
        name: "master_key",
        take: take_master_key,
        seeds: master_keys,
        tokens: &["cipher ", "\n"],
        cases: 2_000,
    },
];

const NUMBER_TOKENS: &[&str] =
    &["x", "X", "０", "．", "-", "99999999999999999999", "1e9", "　", "年", "\u{202e}", "0000"];
const SHEET_TOKENS: &[&str] = &[
    "\"",
    "\"\"",
    ",",
    "\t",
    ";",
    "\r\n",
    "\u{feff}",
    "=1+1",
    "999999999999",
    "-0.01",
    "2026-02-30",
    "１２",
    "\u{0}",
    "1e308",
    "示例",
];
const XML_TOKENS: &[&str] = &[
    "<row r=\"1048577\">",
    "<c r=\"XFE1\">",
    "<c r=\"A99999999999\">",
    "t=\"s\"",
    "<v>",
    "</v>",
    "4294967296",
    "-1",
    "1e309",
    "&#0;",
    "&lol;",
    "<!DOCTYPE a [<!ENTITY lol \"lol\">]>",
    "<![CDATA[",
    "<mergeCell ref=\"A1:XFD1048576\"/>",
    "spans=\"1:16384\"",
    "</sheetData>",
];
const PACK_TOKENS: &[&str] = &[
    "[",
    "[[",
    "]]",
    "=",
    "\"",
    "%",
    " from ",
    "9999-12-31",
    "0000-01-01",
    "99999999999999999999",
    "-1",
    "元",
    "# ",
    "\n",
    "\"\"\"",
    "..",
];
const JSON_TOKENS: &[&str] = &[
    "null",
    "[]",
    "{}",
    "-1",
    "1e999",
    "\"\\ud800\"",
    "\"\\u0000\"",
    "99999999999999999999",
    "\"2026-02-30\"",
    "\"0.001\"",
    "true",
    "[[[[",
    "\"\"",
    "\"number\":1,",
];
const ADDRESS_TOKENS: &[&str] = &[
    "&page=99999999999999999999",
    "&page=-1",
    "&page=0",
    "&sort=",
    "&place=",
    "999999999999",
    "&year=0",
    "&from=2026-02-30",
    "&q=%00",
    "%",
    "&q=",
    "'",
    "&&",
    "=",
    "&page=9223372036854775807",
    "&to=9999-12-31",
    "&year=99999",
];

fn texts_of(list: &[&str]) -> Vec<Vec<u8>> {
    list.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// Identity numbers, telephones, codes of divisions, days, amounts.
fn take_numbers(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Some(number) = IdNumber::read(&text) {
        let shown = [number.masked(), number.last_four().to_owned()];
        assert!(shown[0].chars().count() <= number.as_str().chars().count().max(8), "{shown:?}");
        let _ = (number.birth(), number.sex(), number.expected_check_character(), number.kind());
        assert_eq!(IdNumber::read(number.as_str()).as_ref(), Some(&number), "what was read is read again");
    }
    if let Some(phone) = Phone::read(&text) {
        let _ = (phone.masked(), phone.last_four());
        assert_eq!(Phone::read(phone.as_str()).as_ref(), Some(&phone), "what was read is read again");
    }
    if let Ok(code) = text.parse::<DivisionCode>() {
        let _ = (code.level(), code.parent(), code.range());
        assert_eq!(code.to_string().parse::<DivisionCode>().ok(), Some(code));
    }
    if let Ok(day) = text.parse::<Day>() {
        let _ = (day.plus_days(1), day.plus_days(-1), day.to_string());
    }
    if let Ok(amount) = text.parse::<Fen>() {
        let _ = (amount.grouped(), amount.in_chinese_capitals());
        assert_eq!(amount.to_string().parse::<Fen>().ok(), Some(amount));
    }
    let _ = text.parse::<kangmai_web::TrustedProxies>();
}

fn numbers() -> Vec<Vec<u8>> {
    texts_of(&[
        "41172219510101991X",
        "411722195101019918",
        "１３８００１３８０００",
        "+86 138-0013-8000",
        "0396-6920120",
        "411722001001",
        "4117",
        "2026-03-05",
        "2026年3月5日",
        "20260305",
        "12,345.67",
        "-0.01",
        "￥1234.5",
        "10.0.0.0/8,::1",
        "9999-12-31",
        "92233720368547758.07",
    ])
}

fn read_rows(bytes: Vec<u8>) {
    let stand_schema = kangmai_register_schema();
    let Ok(mut sheet) = kangmai_sheets::open_bytes(bytes, &stand_schema, None) else { return };
    let _ = (sheet.header_faults(), sheet.kind());
    let mut record = Record::default();
    let mut rows = 0_u32;
    // A sheet of a few bytes may claim a million rows; that is the reader's limit, not this one's.
    while rows < 5_000 && matches!(sheet.next(&mut record), Ok(true)) {
        rows += 1;
    }
    let _ = sheet.progress();
}

/// The columns of the register, found by the name of their import.
fn kangmai_register_schema() -> kangmai_sheet::Schema {
    let imports = programmes::all().iter().flat_map(|programme| programme.imports);
    let register = imports.into_iter().find(|import| import.key == "register");
    *register.expect("the register comes in by a file").schema
}

fn take_sheet(bytes: &[u8]) {
    read_rows(bytes.to_vec());
}

fn separated() -> Vec<Vec<u8>> {
    let text = "县级,乡镇,村,户编号,与户主关系,姓名,身份证号,联系电话\n上蔡县,蔡都街道,老城社区,H1,户主,示例甲,41172219510101991X,13800138000\n";
    let wide: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let quoted = text.replace("示例甲", "\"示例\n\"\"甲\"\"\"").replace(',', "\t");
    vec![
        text.as_bytes().to_vec(),
        wide,
        quoted.into_bytes(),
        b"\xd0\xd5\xc3\xfb,\xc9\xed\xb7\xdd\xd6\xa4\xba\xc5\n\xd5\xc5\xc8\xfd,1\n".to_vec(),
    ]
}

const SHEET: &str = r#"<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><dimension ref="A1:C3"/><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>姓名</t></is></c><c r="B1" t="inlineStr"><is><t>身份证号</t></is></c><c r="C1" t="s"><v>0</v></c></row><row r="2"><c r="A2" t="s"><v>1</v></c><c r="B2"><v>411722195101019918</v></c><c r="C2" t="b"><v>1</v></c></row><row r="3"><c r="A3" t="e"><v>#N/A</v></c><c r="B3" t="str"><f>A1</f><v>x</v></c><c r="C3" s="1"><v>44000.5</v></c></row></sheetData><mergeCells count="1"><mergeCell ref="A2:A3"/></mergeCells></worksheet>"#;
const TEXTS: &str = r#"<?xml version="1.0"?><sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" count="2" uniqueCount="2"><si><t>联系电话</t></si><si><r><t>示例</t></r><r><t xml:space="preserve"> 乙</t></r></si></sst>"#;

fn workbooks() -> Vec<Vec<u8>> {
    vec![workbook_of(SHEET.as_bytes(), Some(TEXTS.as_bytes()))]
}

fn take_inside(bytes: &[u8]) {
    read_rows(workbook_of(bytes, Some(TEXTS.as_bytes())));
}

fn insides() -> Vec<Vec<u8>> {
    texts_of(&[SHEET])
}

fn take_texts(bytes: &[u8]) {
    read_rows(workbook_of(SHEET.as_bytes(), Some(bytes)));
}

fn texts() -> Vec<Vec<u8>> {
    texts_of(&[TEXTS])
}

/// The first byte says which kind of file it is.
fn take_import(bytes: &[u8]) {
    let Some((which, file)) = bytes.split_first() else { return };
    let all = stand().imports();
    stand().try_file(all[usize::from(*which) % all.len()], file);
}

fn imports() -> Vec<Vec<u8>> {
    let files = &stand().files;
    let all = stand().imports();
    let paths = [
        ("institutions", &files.institutions),
        ("register", &files.register),
        ("diagnoses", &files.diagnoses),
        ("bills", &files.bills),
        ("lines", &files.lines),
    ];
    let seed = |(key, path): (&str, &std::path::PathBuf)| {
        let which = all.iter().position(|import| import.key == key)?;
        let text = std::fs::read_to_string(path).ok()?;
        let first: Vec<&str> = text.lines().take(6).collect();
        let which = u8::try_from(which).ok()?;
        Some([&[which][..], first.join("\n").as_bytes()].concat())
    };
    paths.into_iter().filter_map(seed).collect()
}

fn shipped() -> &'static Arc<Release> {
    static SHIPPED: LazyLock<Arc<Release>> =
        LazyLock::new(|| load_policies(None).expect("the shipped packs"));
    &SHIPPED
}

/// The files of packs, one of them these bytes; the first says which.
fn take_pack(bytes: &[u8]) {
    let Some((which, text)) = bytes.split_first() else { return };
    let mut files = shipped_packs();
    let at = usize::from(*which) % files.len();
    files[at].1 = String::from_utf8_lossy(text).into_owned();
    if let Err(errors) = Release::load(files) {
        assert!(!errors.is_empty());
        // An error underlines its place: that must be possible wherever it is.
        let _: Vec<String> = errors.iter().map(ToString::to_string).collect();
    }
}

fn packs() -> Vec<Vec<u8>> {
    let files = shipped_packs();
    let every = (files.len() / 12).max(1);
    let some = files.iter().enumerate().step_by(every);
    some.filter_map(|(at, (_, text))| Some([&[u8::try_from(at).ok()?][..], text.as_bytes()].concat()))
        .collect()
}

fn take_overlay(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let texts: Vec<&str> = text.lines().collect();
    match Overlay::parse(&texts) {
        Ok(overlay) => {
            if let Err(errors) = overlay.apply(shipped(), "cn/henan") {
                let _: Vec<String> = errors.iter().map(ToString::to_string).collect();
            }
        }
        Err(errors) => {
            let _: Vec<String> = errors.iter().map(ToString::to_string).collect();
        }
    }
}

fn overlays() -> Vec<Vec<u8>> {
    texts_of(&[
        "major [参保居民] tiers[1].ratio = 65% from 2025-01-01",
        "major [参保居民] tiers[1].ratio = 65% from 2025-01-01\nbasic deductible = 300元",
    ])
}

/// The first byte says which interface.
fn take_interface(bytes: &[u8]) {
    let Some((which, body)) = bytes.split_first() else { return };
    thread_local! {
        static OPERATIONS: Vec<String> = stand().operations().into_iter().map(|(path, _)| path).collect();
    }
    let path = OPERATIONS.with(|all| all[usize::from(*which) % all.len()].clone());
    stand().must_answer("POST", &path, body);
}

fn bodies() -> Vec<Vec<u8>> {
    let operations = stand().operations();
    let seed = |(at, (_, example)): (usize, &(String, serde_json::Value))| {
        Some([&[u8::try_from(at).ok()?][..], example.to_string().as_bytes()].concat())
    };
    operations.iter().enumerate().filter_map(seed).collect()
}

/// The queries of pages: what stands behind `?` in an address. The first byte says which page.
fn take_address(bytes: &[u8]) {
    let Some((which, query)) = bytes.split_first() else { return };
    thread_local! {
        static READER: std::cell::RefCell<crate::visitor::Visitor> = std::cell::RefCell::new(stand().reader());
    }
    let rows = rows();
    let pages: Vec<&str> = rows.iter().filter(|row| is_page(row)).map(|row| row.path).collect();
    let page = pages[usize::from(*which) % pages.len()];
    let query: String = query
        .iter()
        .map(|byte| match byte {
            b'&' | b'=' | b'%' | b'+' => char::from(*byte).to_string(),
            b if b.is_ascii_alphanumeric() => char::from(*b).to_string(),
            other => percent_of(*other),
        })
        .collect();
    READER.with_borrow_mut(|reader| {
        let faults = reader.try_open(&format!("{page}?{query}"));
        assert!(faults.is_empty(), "{page}?{query}: {faults:?}");
    });
}

fn is_page(row: &crate::access::Row) -> bool {
    row.method == "GET" && row.names() == 0 && !row.path.starts_with("/api/") && !row.path.contains('.')
}

fn percent_of(byte: u8) -> String {
    if byte.is_ascii() { percent(&char::from(byte).to_string()) } else { format!("%{byte:02X}") }
}

fn addresses() -> Vec<Vec<u8>> {
    let queries = [
        "page=2&sort=name&q=%E7%8E%8B",
        "place=411722001&year=2026&from=2026-01-01&to=2026-12-31",
        "q=1234&label=a&kind=b&state=c&plan=d",
    ];
    (0..=255_u8)
        .step_by(3)
        .flat_map(|page| queries.map(|query| [&[page][..], query.as_bytes()].concat()))
        .collect()
}

fn take_receipt(bytes: &[u8]) {
    let Ok(file) = serde_json::from_slice::<ReceiptFile>(bytes) else { return };
    // As it stands, and as somebody asks for it in spite of the release.
    let _ = (replay(shipped(), &file, false), replay(shipped(), &file, true));
}

fn receipts() -> Vec<Vec<u8>> {
    vec![stand().receipt()]
}

/// A file that is there while somebody looks at it.
fn in_a_folder(look: impl FnOnce(&std::path::Path)) {
    let folder = fresh_folder("bad-input");
    look(&folder);
    crate::program::remove_folder(&folder);
}

fn take_copy(bytes: &[u8]) {
    let bytes = bytes.to_vec();
    in_a_folder(|folder| {
        let database = Database::open_throw_away(&folder.join("copy.db")).expect("a database");
        let _ = database.read_snapshot(programmes::migrations(), Cursor::new(bytes), Moment(0), |_, _| {});
    });
}

fn copies() -> Vec<Vec<u8>> {
    let snapshot = stand().county.app.database.write_snapshot(Vec::new(), |_, _| {});
    vec![snapshot.expect("a copy").0]
}

fn keys() -> MasterKeys {
    MasterKeys::fresh(&SeededIds::new(1), CipherKind::Aes256Gcm)
}

fn take_sealed(bytes: &[u8]) {
    in_a_folder(|folder| {
        let path = folder.join("copy.kmb");
        std::fs::write(&path, bytes).expect("a file");
        let _ = verify(&path, &keys(), |_, _| {});
    });
}

fn sealed() -> Vec<Vec<u8>> {
    let mut made = Vec::new();
    in_a_folder(|folder| {
        let path = folder.join("copy.kmb");
        let database = &stand().county.app.database;
        kangmai_server::copy::back_up(database, &keys(), &path, |_, _| {}).expect("a backup");
        made = std::fs::read(&path).expect("the backup");
    });
    vec![made]
}

fn take_master_key(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = text.parse::<MasterKeys>();
}

fn master_keys() -> Vec<Vec<u8>> {
    texts_of(&[
        "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n",
        "# made\ncipher sm4-gcm\n00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n",
    ])
}
