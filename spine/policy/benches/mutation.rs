//! What it takes to see that the shipped packs prove themselves. `cargo bench -p kangmai-policy --bench mutation`.
#![expect(clippy::expect_used, reason = "a bench stops when its packs are missing")]

use std::path::Path;

use divan::Bencher;
use kangmai_policy::{MutationChoice, Release};

fn main() {
    divan::main();
}

fn shipped() -> Release {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    Release::load(Release::read_directory(&directory).expect("policies")).expect("packs")
}

#[divan::bench]
fn load() -> Release {
    shipped()
}

#[divan::bench]
fn run_cases(bencher: Bencher<'_, '_>) {
    let release = shipped();
    bencher.bench_local(|| release.run_cases());
}

#[divan::bench]
fn lint(bencher: Bencher<'_, '_>) {
    let release = shipped();
    bencher.bench_local(|| release.lint());
}

#[divan::bench(args = [1, 2], sample_count = 10)]
fn mutate(bencher: Bencher<'_, '_>, threads: usize) {
    let release = shipped();
    let choice = MutationChoice { threads, ..MutationChoice::default() };
    bencher.bench_local(|| release.mutate(&choice));
}
