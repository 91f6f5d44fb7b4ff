//! What a bill costs: amounts only, with the structured trace, with the text; on Zhengzhou's six layers and over
//! synthetic bills of many persons. `cargo bench -p kangmai-policy`.
#![expect(clippy::expect_used, reason = "a bench stops when its pack is missing")]

use std::path::Path;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use kangmai_base::{Day, DivisionCode, Fen};
use kangmai_policy::{
    Around, BillFacts, InstitutionGrade, InstitutionTier, Language, Referral, Release, Settler, Sight, Trace,
    YearAccumulators,
};

fn main() {
    divan::main();
}

const BILLS: usize = 100_000;

/// A step of a fixed sequence: the same bills in every run.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

fn release() -> Release {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    let mut files = Release::read_directory(&directory).expect("policies");
    // Six layers: basic, major, supplementary, assistance and waiver of Zhengzhou, and a promise of 90 % on top.
    files.retain(|(path, _)| !path.ends_with("12-chronic.toml"));
    for (_, text) in files.iter_mut().filter(|(path, _)| path.contains("/benefits/")) {
        *text = text.replace("\"chronic\", ", "").replace(", \"chronic\"", "");
    }
    files.push(("cn/henan/zhengzhou/benefits/90-promise.toml".to_owned(), PROMISE.to_owned()));
    Release::load(files).expect("packs")
}

const PROMISE: &str = r#"
id = "promise"
name = { zh = "兜底", en = "promise" }
payer = { kind = "government", fund = "promise", name = { zh = "兜底资金", en = "the promise" }, national = "oth_pay" }
kind = "ceiling_on_self_pay"
date = "discharge"
round = { mode = "half_up", to = "0.01", at = "layer" }
base = { take = "remaining_compliant", over = "bill", owner = "person" }
after = ["waiver"]
applies = { fact = "label", any_of = ["registered_poor", "subsistence_allowance", "marginal"], as_of = "discharge" }
[[version]]
from = "2017-01-01"
sure = "low"
source = { doc = "bench" }
[[version.profile]]
name = { zh = "兜底", en = "promise" }
pays_up_to = "90%"
of = "compliant"
"#;

/// Bills in order of person and discharge, about three a person, with skew: most small, few very large.
fn bills(release: &Release) -> Vec<(u32, BillFacts)> {
    let place: DivisionCode = "410100".parse().expect("a place");
    let labels: Vec<_> = ["registered_poor", "subsistence_allowance", "marginal", "extreme_poverty"]
        .iter()
        .map(|label| release.labels([*label]))
        .collect();
    let first = Day::from_ymd(2023, 1, 1).expect("a day");
    let mut state = 42;
    let mut out = Vec::with_capacity(BILLS);
    for number in 0..BILLS {
        let exponent = next(&mut state) % 11 + 12;
        let total = Fen(((next(&mut state) % (1 << exponent)) + 1_000) as i64);
        let day = first.plus_days((number % 3 * 120 + next(&mut state) as usize % 100) as i32);
        let mut facts = BillFacts::inpatient(total, day, place);
        facts.compliant = Fen(total.0 * 9 / 10);
        facts.tier = InstitutionTier::ALL[1 + next(&mut state) as usize % 4];
        facts.grade = InstitutionGrade::ALL[1 + next(&mut state) as usize % 3];
        facts.referral = Referral::ALL[next(&mut state) as usize % 3];
        if next(&mut state) % 10 < 6 {
            facts.labels_at_discharge = labels[next(&mut state) as usize % labels.len()];
            facts.labels_at_admission = facts.labels_at_discharge;
        }
        facts.age_at_admission = (next(&mut state) % 90) as u8;
        facts.age_at_discharge = facts.age_at_admission;
        out.push(((number / 3) as u32, facts));
    }
    out
}

fn each_person(bills: &[(u32, BillFacts)], mut settle: impl FnMut(&BillFacts, &mut YearAccumulators)) {
    let (mut person, mut year) = (u32::MAX, YearAccumulators::NONE);
    for (whose, facts) in bills {
        if *whose != person {
            (person, year) = (*whose, YearAccumulators::NONE);
        }
        settle(facts, &mut year);
    }
}

#[divan::bench]
fn amounts(bencher: Bencher<'_, '_>) {
    let release = release();
    let policy = release.jurisdiction("cn/henan/zhengzhou").expect("the pack").to_read();
    let bills = bills(&release);
    let mut settler = Settler::new(policy);
    bencher.counter(ItemsCount::new(BILLS)).bench_local(|| {
        each_person(black_box(&bills), |facts, year| {
            black_box(settler.amounts(facts, year));
        });
    });
}

/// One bill over and over: what the arithmetic costs when nothing is guessed wrong.
#[divan::bench(args = [false, true])]
fn one_bill(bencher: Bencher<'_, '_>, traced: bool) {
    let release = release();
    let policy = release.jurisdiction("cn/henan/zhengzhou").expect("the pack").to_read();
    let place: DivisionCode = "410100".parse().expect("a place");
    let day = Day::from_ymd(2023, 6, 30).expect("a day");
    let mut facts = BillFacts::inpatient(Fen::yuan(60_000), day, place);
    facts.labels_at_discharge = release.labels(["subsistence_allowance", "marginal"]);
    let mut settler = Settler::new(policy);
    let mut trace = Trace::new(&facts);
    bencher.counter(ItemsCount::new(1_000_u32)).bench_local(|| {
        for _ in 0..1_000 {
            let mut year = YearAccumulators::NONE;
            if traced {
                settler.settle_into(black_box(&facts), &mut year, &mut trace);
                black_box(&trace);
            } else {
                black_box(settler.amounts(black_box(&facts), &mut year));
            }
        }
    });
}

#[divan::bench]
fn with_trace(bencher: Bencher<'_, '_>) {
    let release = release();
    let policy = release.jurisdiction("cn/henan/zhengzhou").expect("the pack").to_read();
    let bills = bills(&release);
    let mut settler = Settler::new(policy);
    let mut trace = Trace::new(&bills[0].1);
    bencher.counter(ItemsCount::new(BILLS)).bench_local(|| {
        each_person(black_box(&bills), |facts, year| {
            settler.settle_into(facts, year, &mut trace);
            black_box(&trace);
        });
    });
}

#[divan::bench]
fn with_text(bencher: Bencher<'_, '_>) {
    let release = release();
    let policy = release.jurisdiction("cn/henan/zhengzhou").expect("the pack").to_read();
    let bills = bills(&release);
    let mut settler = Settler::new(policy);
    let mut trace = Trace::new(&bills[0].1);
    let mut text = String::with_capacity(4_096);
    bencher.counter(ItemsCount::new(BILLS)).bench_local(|| {
        each_person(black_box(&bills), |facts, year| {
            settler.settle_into(facts, year, &mut trace);
            text.clear();
            policy.write_text(&trace, Language::Zh, &mut text);
            black_box(&text);
        });
    });
}

#[divan::bench]
fn load_release() -> Release {
    release()
}

/// All counterfactuals of a bill, found and told in Chinese: what the desk's trial settlement adds.
#[divan::bench(args = [false, true])]
fn counterfactuals(bencher: Bencher<'_, '_>, told: bool) {
    let release = release();
    let policy = release.jurisdiction("cn/henan/zhengzhou").expect("the pack").to_read();
    let bills = bills(&release);
    let mut settler = Settler::new(policy);
    let traces: Vec<Trace> = bills
        .iter()
        .step_by(BILLS / 1_000)
        .map(|(_, facts)| {
            let mut trace = Trace::new(facts);
            settler.settle_into(facts, &mut YearAccumulators::NONE.clone(), &mut trace);
            trace
        })
        .collect();
    let around = Around {
        labels: vec![(Day::from_ymd(2023, 6, 1).expect("a day"), release.labels(["marginal"]))],
        ..Around::default()
    };
    bencher.counter(ItemsCount::new(traces.len())).bench_local(|| {
        for trace in &traces {
            let found = policy.counterfactuals(black_box(trace), &around);
            if told {
                black_box(policy.tell_counterfactuals(trace, &found, Language::Zh, Sight::ALL));
            } else {
                black_box(found);
            }
        }
    });
}
