//! Bad input at every door: what is kept, what a mutator makes, and what somebody could make on purpose.
//!
//! `KANGMAI_BAD_INPUT` multiplies the number of cases; 100 for a night.

#![expect(clippy::expect_used, clippy::panic, reason = "a test says what it needs")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use kangmai_acceptance::bad_input::{DOORS, Mutator, door, peak_memory_kib, workbook_of, zip_of};
use kangmai_acceptance::tidy::root;

/// Says by how much the number of cases is multiplied.
const TIMES_VARIABLE: &str = "KANGMAI_BAD_INPUT";
/// What a door may take of memory over one input, in KiB.
const MOST_MEMORY_KIB: u64 = 256 * 1_024;

fn times() -> u32 {
    std::env::var(TIMES_VARIABLE).ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// Tries the door of this name with good input, with what is kept, and with what is made.
fn try_door(name: &str) {
    let door = door(name).expect("a door");
    let seeds = (door.seeds)();
    assert!(!seeds.is_empty(), "{name} has nothing to begin from");
    let kept = door.corpus();
    for bytes in seeds.iter().chain(kept.iter().map(|(_, bytes)| bytes)) {
        door.try_with(bytes);
    }
    let seed = name.bytes().fold(7, |seed: u64, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let mut mutator = Mutator::new(seed, door.tokens);
    for number in 0..door.cases * times() {
        let bytes = mutator.next(&seeds);
        if catch_unwind(AssertUnwindSafe(|| door.try_with(&bytes))).is_err() {
            let path = std::env::temp_dir().join(format!("kangmai-bad-input-{name}-{number}"));
            std::fs::write(&path, &bytes).expect("a file");
            panic!("case {number} of {name} fails; keep {} in acceptance/bad_input/{name}", path.display());
        }
    }
}

macro_rules! doors {
    ($($name:ident),*) => {
        $(#[test] fn $name() { try_door(stringify!($name)); })*

        #[test]
        fn every_door_is_tried() {
            let tried = [$(stringify!($name)),*];
            let all: Vec<&str> = DOORS.iter().map(|door| door.name).collect();
            assert_eq!(tried.to_vec(), all);
            // And each has its target for cargo-fuzz.
            let manifest = std::fs::read_to_string(root().join("fuzz/Cargo.toml")).expect("fuzz/Cargo.toml");
            for name in all {
                assert!(manifest.contains(&format!("name = \"{name}\"")), "fuzz/ lacks {name}");
            }
        }
    };
}

doors!(
    numbers,
    separated,
    workbook,
    workbook_sheet,
    workbook_texts,
    imports,
    pack,
    overlay,
    interface,
    addresses,
    receipt,
    copy,
    sealed_file,
    master_key
);

/// A door must take this soon and without much memory.
fn bomb(name: &str, bytes: &[u8]) {
    let before = peak_memory_kib();
    door(name).expect("a door").try_with(bytes);
    if let (Some(before), Some(after)) = (before, peak_memory_kib()) {
        let grown = after.saturating_sub(before);
        assert!(grown < MOST_MEMORY_KIB, "{} bytes took {} MiB", bytes.len(), grown / 1_024);
    }
}

const BEGIN: &str = r#"<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>姓名</t></is></c><c r="B1" t="inlineStr"><is><t>身份证号</t></is></c></row>"#;

#[test]
fn a_workbook_that_unpacks_to_a_thousand_times_its_size_stays_small() {
    // Spaces between two rows.
    let spaces = [BEGIN.as_bytes(), &vec![b' '; 100_000_000], b"</sheetData></worksheet>"].concat();
    let workbook = workbook_of(&spaces, None);
    drop(spaces);
    assert!(workbook.len() < 1_000_000, "{} bytes packed", workbook.len());
    bomb("workbook", &workbook);
}

#[test]
fn one_endless_text_stays_small() {
    let text = [
        BEGIN.as_bytes(),
        b"<row r=\"2\"><c r=\"A2\" t=\"inlineStr\"><is><t>",
        &vec![b'a'; 100_000_000],
        b"</t></is></c></row></sheetData></worksheet>",
    ]
    .concat();
    let workbook = workbook_of(&text, None);
    drop(text);
    bomb("workbook", &workbook);
}

#[test]
fn a_file_of_one_endless_line_stays_small() {
    bomb("separated", &[b"a,b\n".as_slice(), b"\"".as_slice(), &vec![b'x'; 100_000_000]].concat());
    bomb("separated", &[b"a,b\n".as_slice(), &vec![b','; 50_000_000]].concat());
}

#[test]
fn an_archive_of_many_parts_is_refused_soon() {
    let names: Vec<String> = (0..20_000).map(|number| format!("xl/part{number}.xml")).collect();
    let parts: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), b"<a/>".as_slice())).collect();
    bomb("workbook", &zip_of(&parts));
}
