//! What sealing costs: an identity number, a fact of usual length, a bill of many lines; and a digest.

use divan::{Bencher, black_box};
use kangmai_base::SeededIds;
use kangmai_seal::{Cell, CipherKind, KeyRing, Purpose};

fn main() {
    divan::main();
}

const CELL: Cell<'static> = Cell { table: "fact", column: "body", row: &[9; 16] };
const LENGTHS: [usize; 3] = [18, 400, 64 * 1024];

fn ring(kind: CipherKind) -> KeyRing {
    KeyRing::fresh(&SeededIds::new(1), kind)
}

#[divan::bench(args = LENGTHS)]
fn seal_aes(bencher: Bencher<'_, '_>, length: usize) {
    let (ring, plain) = (ring(CipherKind::Aes256Gcm), vec![7_u8; length]);
    bencher.bench(|| ring.seal(&CELL, black_box(&plain)));
}

#[divan::bench(args = LENGTHS)]
fn open_aes(bencher: Bencher<'_, '_>, length: usize) {
    let ring = ring(CipherKind::Aes256Gcm);
    let sealed = ring.seal(&CELL, &vec![7_u8; length]);
    bencher.bench(|| ring.open(&CELL, black_box(&sealed)));
}

#[divan::bench(args = LENGTHS)]
fn seal_sm4(bencher: Bencher<'_, '_>, length: usize) {
    let (ring, plain) = (ring(CipherKind::Sm4Gcm), vec![7_u8; length]);
    bencher.bench(|| ring.seal(&CELL, black_box(&plain)));
}

#[divan::bench(args = LENGTHS)]
fn open_sm4(bencher: Bencher<'_, '_>, length: usize) {
    let ring = ring(CipherKind::Sm4Gcm);
    let sealed = ring.seal(&CELL, &vec![7_u8; length]);
    bencher.bench(|| ring.open(&CELL, black_box(&sealed)));
}

#[divan::bench]
fn digest_of_an_id_number(bencher: Bencher<'_, '_>) {
    let look_up = ring(CipherKind::Aes256Gcm).look_up(Purpose("person.id_number"));
    bencher.bench(|| look_up.digest(black_box(b"411722195001010013")));
}
