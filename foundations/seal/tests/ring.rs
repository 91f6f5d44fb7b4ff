//! What a ring of keys promises.

use kangmai_base::SeededIds;
use kangmai_seal::{BadKeyText, Cell, CipherKind, KeyRing, MasterKeys, Purpose, Unopened, key_of};
use proptest::prelude::*;

const CIPHERS: [CipherKind; 2] = [CipherKind::Aes256Gcm, CipherKind::Sm4Gcm];
const CELL: Cell<'static> = Cell { table: "person", column: "id_number", row: &[1; 16] };

fn ring(kind: CipherKind) -> KeyRing {
    KeyRing::fresh(&SeededIds::new(7), kind)
}

#[test]
fn a_value_opens_in_its_cell_alone() {
    for kind in CIPHERS {
        let ring = ring(kind);
        let sealed = ring.seal(&CELL, b"411722195001010013");
        assert_eq!(ring.open(&CELL, &sealed).expect("opens").as_slice(), b"411722195001010013");
        for elsewhere in [
            Cell { table: "household", ..CELL },
            Cell { column: "phone", ..CELL },
            Cell { row: &[2; 16], ..CELL },
            // The same letters, cut otherwise.
            Cell { table: "perso", column: "nid_number", ..CELL },
        ] {
            assert_eq!(ring.open(&elsewhere, &sealed).err(), Some(Unopened::Broken), "{elsewhere:?}");
        }
        assert_eq!(sealed, ring.seal(&CELL, b"411722195001010013"), "the same cell, the same value");
        assert_ne!(sealed[6..18], ring.seal(&Cell { row: &[2; 16], ..CELL }, b"411722195001010013")[6..18]);
    }
}

#[test]
fn what_was_altered_or_cut_does_not_open() {
    for kind in CIPHERS {
        let ring = ring(kind);
        let sealed = ring.seal(&CELL, "13800138000".as_bytes());
        for position in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[position] ^= 0x10;
            assert!(ring.open(&CELL, &altered).is_err(), "byte {position} was altered");
            assert!(ring.open(&CELL, &sealed[..position]).is_err(), "cut to {position} bytes");
        }
    }
}

#[test]
fn old_values_stay_readable_when_the_key_changes_and_the_cipher_too() {
    let ids = SeededIds::new(1);
    let old = KeyRing::fresh(&ids, CipherKind::Aes256Gcm);
    let sealed = old.seal(&CELL, b"old");
    let new = old.rotated(&ids, CipherKind::Sm4Gcm);
    assert_eq!((key_of(&sealed), new.current()), (Some(1), 2));
    assert_eq!(new.open(&CELL, &sealed).expect("opens").as_slice(), b"old");
    let again = new.seal(&CELL, b"old");
    assert_eq!(key_of(&again), Some(2));
    assert_eq!(old.open(&CELL, &again).err(), Some(Unopened::NoKey(2)));
    let purpose = Purpose("person.id_number");
    assert_eq!(old.digest(purpose, b"x"), new.digest(purpose, b"x"), "what was found stays found");
}

#[test]
fn a_ring_is_kept_wrapped_and_no_other_master_key_opens_it() {
    let ids = SeededIds::new(2);
    let ring = KeyRing::fresh(&ids, CipherKind::Sm4Gcm).rotated(&ids, CipherKind::Aes256Gcm);
    let master = MasterKeys::fresh(&ids, CipherKind::Sm4Gcm);
    let kept = master.wrap(&ring);
    let read: MasterKeys = master.text().parse().expect("its own text");
    let again = read.unwrap(&kept).expect("unwraps");
    assert_eq!(again.open(&CELL, &ring.seal(&CELL, b"value")).expect("opens").as_slice(), b"value");
    assert_eq!(again.digest(Purpose("p"), b"x"), ring.digest(Purpose("p"), b"x"));

    let stranger = MasterKeys::fresh(&ids, CipherKind::Sm4Gcm);
    let wanted = master.fingerprints().next().expect("one");
    assert_eq!(stranger.unwrap(&kept).err(), Some(Unopened::NoKey(wanted)));
    // A key of the ring under another number, or as another cipher's, does not unwrap.
    let mut moved = kept.clone();
    moved[0].number = 9;
    assert_eq!(master.unwrap(&moved).err(), Some(Unopened::Broken));
    let mut other = kept.clone();
    other[0].cipher = CipherKind::Aes256Gcm;
    assert_eq!(master.unwrap(&other).err(), Some(Unopened::Broken));

    // A renewed master key still opens what the old one wrapped; the old alone does not open what the new one wraps.
    let renewed = master.renewed(&ids);
    assert!(renewed.unwrap(&kept).is_ok());
    assert!(master.unwrap(&renewed.wrap(&ring)).is_err());
    // Another cipher in the file reads what the first wrapped.
    let other: MasterKeys = master.text().replace("sm4-gcm", "aes-256-gcm").parse().expect("a key file");
    assert!(other.unwrap(&kept).is_ok());
}

#[test]
fn a_key_file_says_which_line_is_wrong_and_nothing_of_it() {
    let digits = "ab".repeat(32);
    for (text, expected) in [
        (String::new(), Some(BadKeyText::Empty)),
        ("# nothing yet\n\n".into(), Some(BadKeyText::Empty)),
        ("cipher rot13\n".into(), Some(BadKeyText::Line(1))),
        (format!("cipher sm4-gcm\nkey {}", &digits[1..]), Some(BadKeyText::Line(2))),
        (format!("key {}zz", &digits[2..]), Some(BadKeyText::Line(1))),
        (format!("key 密{}", &digits[3..]), Some(BadKeyText::Line(1))),
        (format!("{digits}\n").repeat(9), Some(BadKeyText::TooMany)),
        (digits.clone(), None),
        (format!("# note\ncipher sm4-gcm\nkey {digits}\r\n"), None),
    ] {
        assert_eq!(text.parse::<MasterKeys>().err(), expected, "{text}");
    }
}

#[test]
fn nothing_that_holds_a_key_shows_it() {
    let ids = SeededIds::new(3);
    let ring = KeyRing::fresh(&ids, CipherKind::Aes256Gcm);
    let master = MasterKeys::fresh(&ids, CipherKind::Aes256Gcm);
    assert_eq!(format!("{ring:?}"), "KeyRing(1 keys, current 1)");
    assert_eq!(format!("{master:?}"), "MasterKeys(1, aes-256-gcm)");
}

proptest! {
    #[test]
    fn everything_comes_back(
        table in "[a-z_]{1,20}", column in "[a-z_]{1,20}", row in prop::collection::vec(any::<u8>(), 0..40),
        plain in prop::collection::vec(any::<u8>(), 0..2000), sm4: bool, rotations in 0_usize..3,
    ) {
        let ids = SeededIds::new(11);
        let kind = if sm4 { CipherKind::Sm4Gcm } else { CipherKind::Aes256Gcm };
        let mut ring = KeyRing::fresh(&ids, kind);
        let cell = Cell { table: &table, column: &column, row: &row };
        let sealed = ring.seal(&cell, &plain);
        for _ in 0..rotations {
            ring = ring.rotated(&ids, kind);
        }
        let opened = ring.open(&cell, &sealed).expect("opens");
        prop_assert_eq!(opened.as_slice(), plain.as_slice());
        prop_assert!(plain.len() < 8 || !sealed.windows(plain.len()).any(|part| part == plain));
    }

    #[test]
    fn no_bytes_make_it_fail(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(ring(CipherKind::Aes256Gcm).open(&CELL, &bytes).is_err());
    }
}
