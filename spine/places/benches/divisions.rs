//! How fast the divisions load and answer. `cargo bench -p kangmai-places`

use std::hint::black_box;

use kangmai_base::DivisionCode;
use kangmai_places::Divisions;

#[expect(clippy::print_stderr, reason = "a bench tells what it measures")]
fn main() {
    let before = resident_kib();
    let divisions = Divisions::shipped();
    eprintln!("{} divisions, {} MiB resident more", divisions.len(), (resident_kib() - before) / 1024);
    divan::main();
}

/// Memory of this process in KiB, as Linux tells it.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0)
}

#[divan::bench(sample_count = 10)]
fn load() -> usize {
    let packed = include_bytes!("../../../data/divisions-2023.csv.zst");
    Divisions::unpack(black_box(packed)).map_or(0, |divisions| divisions.len())
}

fn code(number: u64) -> DivisionCode {
    DivisionCode::from_number(number).unwrap_or(DivisionCode::COUNTRY)
}

#[divan::bench]
fn by_code() -> bool {
    Divisions::shipped().has(black_box(code(411_722_103_203)))
}

#[divan::bench]
fn by_name_in_a_city() -> usize {
    Divisions::shipped().find(black_box("宋集"), code(411_700_000_000), 20).len()
}

#[divan::bench]
fn by_name_in_the_country() -> usize {
    Divisions::shipped().find(black_box("宋集"), DivisionCode::COUNTRY, 20).len()
}

#[divan::bench]
fn by_initials_in_a_city() -> usize {
    Divisions::shipped().find(black_box("sj"), code(411_700_000_000), 20).len()
}

#[divan::bench]
fn by_initials_in_the_country() -> usize {
    Divisions::shipped().find(black_box("sjcwh"), DivisionCode::COUNTRY, 20).len()
}

#[divan::bench]
fn a_path_of_names() -> bool {
    let resolved =
        Divisions::shipped().resolve(black_box("河南省驻马店市西平县宋集镇宋集村"), code(411_700_000_000));
    matches!(resolved, kangmai_places::Resolved::One(_))
}
