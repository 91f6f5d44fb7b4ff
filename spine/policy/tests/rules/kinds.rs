//! The kinds that no shipped pack needs yet, alone and together: amounts worked out by hand from the packs in `kinds/`.
#![expect(clippy::expect_used, reason = "a test says what it needs")]

use std::path::Path;

use kangmai_base::{Day, Fen};
use kangmai_policy::{
    BillFacts, Cap, CostCategory, FeeKind, Language, Outcome, Policy, Release, Setting, Settler, Trace,
    YearAccumulators, settle,
};

const PACK: &[(&str, &str)] = &[
    (
        "pack.toml",
        "id = \"kinds\"\nname = { zh = \"类\", en = \"kinds\" }\ndivision = \"98\"\ninherits = \"none\"\n",
    ),
    ("benefits/1.toml", include_str!("kinds/bed.toml")),
    ("benefits/2.toml", include_str!("kinds/drugs.toml")),
    ("benefits/3.toml", include_str!("kinds/pool.toml")),
    ("benefits/4.toml", include_str!("kinds/aid.toml")),
    ("benefits/5.toml", include_str!("kinds/top.toml")),
];

fn load(change: impl Fn(&str) -> String) -> Result<Release, Vec<kangmai_policy::PackError>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    let mut files = Release::read_directory(&directory).expect("policies");
    files.extend(PACK.iter().map(|(path, text)| (format!("cn/kinds/{path}"), change(text))));
    Release::load(files)
}

fn release() -> Release {
    load(str::to_owned).expect("packs")
}

fn policy(release: &Release) -> &Policy {
    release.jurisdiction("cn/kinds").expect("the pack").to_read()
}

/// A stay of `days` days that costs `yuan`, of which `drugs` are for drugs.
fn stay(policy: &Policy, yuan: i64, days: i32, drugs: i64) -> BillFacts {
    let mut facts = BillFacts::inpatient(Fen::yuan(yuan), Day(19_000), policy.place);
    facts.admission = Day(19_000 - days);
    facts.categories[CostCategory::Drug as usize] = Fen::yuan(drugs);
    facts
}

fn pays(trace: &Trace) -> Vec<i64> {
    trace.steps().iter().map(|step| step.pays.0).collect()
}

#[test]
fn each_kind_pays_what_its_rule_says() {
    let release = release();
    let policy = policy(&release);
    let mut year = YearAccumulators::NONE;
    // 3 days of 100; drugs 200 at one half; of the 1,600 left a tenth; 60 % of 1,440 is 864, but 500 a bill; what is left,
    // 940, is borne.
    let first = settle(policy, &stay(policy, 2_000, 3, 200), &mut year);
    assert_eq!(pays(&first), [30_000, 10_000, 16_000, 50_000, 0]);
    assert_eq!((first.steps()[3].cap, first.steps()[3].cap_room), (Cap::Bill, Some(Fen::yuan(500))));
    assert_eq!(first.own_share, Fen::yuan(940));
    // 6 days would be 600: 450 a bill. Of 200 for drugs 100 still count. A tenth of 1,500 would be 150: 40 are left of the
    // pool. Nothing is left of it for the next. 560 of the 1,460 left reach 1,500 borne; 900 are paid.
    let second = settle(policy, &stay(policy, 2_000, 6, 200), &mut year);
    assert_eq!(pays(&second), [45_000, 5_000, 4_000, 0, 90_000]);
    assert_eq!((second.steps()[2].cap, second.steps()[3].cap), (Cap::Year, Cap::Pool));
    assert_eq!(second.steps()[3].outcome, Outcome::CapExhausted);
    assert_eq!(second.own_share, Fen::yuan(560));
    // 250 are left of the year's 1,000 for beds; drugs and pool are used up; nobody bears more.
    let third = settle(policy, &stay(policy, 2_000, 3, 200), &mut year);
    assert_eq!(pays(&third), [25_000, 0, 0, 0, 175_000]);
    assert_eq!(third.own_share, Fen::ZERO);
}

#[test]
fn edges_are_exact() {
    let release = release();
    let policy = policy(&release);
    let settle = |facts: &BillFacts| settle(policy, facts, &mut YearAccumulators::NONE.clone());
    // A day case counts as one bed day; two days are two.
    for (days, expected) in [(0, 10_000), (1, 10_000), (2, 20_000), (4, 40_000), (5, 45_000)] {
        assert_eq!(pays(&settle(&stay(policy, 2_000, days, 0)))[0], expected, "{days} days");
    }
    // Never more than is left.
    assert_eq!(pays(&settle(&stay(policy, 90, 1, 0))), [9_000, 0, 0, 0, 0]);
    // The limit on drugs at -1, 0 and +1 fen, and the rounding of half a fen.
    for (drugs, expected) in [(29_999, 15_000), (30_000, 15_000), (30_001, 15_000), (1, 1), (0, 0)] {
        let mut facts = stay(policy, 2_000, 1, 0);
        facts.categories[CostCategory::Drug as usize] = Fen(drugs);
        assert_eq!(pays(&settle(&facts))[1], expected, "{drugs} fen of drugs");
    }
    // Fees count beside categories, and neither beyond the compliant cost.
    let mut facts = stay(policy, 100, 1, 0);
    facts.setting = Setting::Outpatient;
    facts.fees[FeeKind::Checkup as usize] = Fen::yuan(60);
    facts.categories[CostCategory::Drug as usize] = Fen::yuan(80);
    assert_eq!(pays(&settle(&facts))[..2], [0, 5_000]);
    // The threshold at 1,500.00 and one fen more: outpatient, no drugs, 10 % and 60 % before it.
    let mut facts = stay(policy, 0, 1, 0);
    facts.setting = Setting::Outpatient;
    (facts.total, facts.compliant) = (Fen::yuan(2_200), Fen::yuan(2_200));
    // 220 from the pool; 60 % of 1,980 is 1,188, but the pool holds 480: 1,500 is borne, to the fen.
    assert_eq!(pays(&settle(&facts)), [0, 0, 22_000, 48_000, 0]);
    (facts.total, facts.compliant) = (facts.total + Fen(1), facts.compliant + Fen(1));
    assert_eq!(pays(&settle(&facts))[4], 1);
}

#[test]
fn each_kind_says_what_it_did() {
    let release = release();
    let policy = policy(&release);
    let mut year = YearAccumulators::NONE;
    settle(policy, &stay(policy, 2_000, 3, 200), &mut year);
    let trace = settle(policy, &stay(policy, 2_000, 6, 200), &mut year);
    let mut text = String::new();
    policy.write_text(&trace, Language::Zh, &mut text);
    for sentence in [
        "定额每床日100.00元×6天＝600.00，受单次限额450.00元所限。",
        "药品、健康体检费合规费用200.00元，全年限额300.00元（此前已计200.00元），可计100.00元×50%＝50.00。",
        "10%＝150.00，受年度限额余额40.00元所限。",
        "个人负担超过全年封顶1,500.00元的部分全部支付（此前已负担940.00元，本次再负担560.00元）＝900.00。",
    ] {
        assert!(text.contains(sentence), "{sentence}\n{text}");
    }
    let mut text = String::new();
    policy.write_text(&trace, Language::En, &mut text);
    assert!(text.contains("a fixed 100.00 a day × 6 days = 600.00"), "{text}");
}

#[test]
fn amounts_agree_with_the_trace_over_many_kinds_of_bills() {
    let release = release();
    let policy = policy(&release);
    let mut settler = Settler::new(policy);
    let (mut year, mut other) = (YearAccumulators::NONE, YearAccumulators::NONE);
    for number in 0..5_000 {
        let mut facts = stay(policy, 50 + number % 97, (number % 9) as i32, number % 50);
        facts.discharge = Day(19_000 + (number % 300) as i32);
        facts.admission = facts.discharge;
        let trace = settle(policy, &facts, &mut year);
        let amounts = settler.amounts(&facts, &mut other);
        assert_eq!((amounts.own_share, other), (trace.own_share, year));
        if number % 40 == 0 {
            (year, other) = (YearAccumulators::NONE, YearAccumulators::NONE);
        }
    }
}

#[test]
fn what_cannot_be_is_refused() {
    for (from, to, expected) in [
        ("draws_on = \"pool\"", "draws_on = \"aid\"", "pool_limit"),
        ("bill_cap = \"500.00\"", "yearly_pool = \"5.00\"", "yearly_pool"),
        ("ratio = \"50%\"", "ratio = \"101%\"", "101%"),
        ("accumulators = { base = \"drugs_counted\" }", "", "base"),
        ("categories = [\"drug\"]\nfees = [\"checkup\"]", "", "categories"),
        ("per = \"day\"", "per = \"week\"", "week"),
        ("threshold = \"1500.00\"", "", "threshold"),
    ] {
        let errors = load(|text| text.replace(from, to)).expect_err(to);
        let said: Vec<String> = errors.iter().map(|error| error.render(Language::En)).collect();
        assert!(said.iter().any(|error| error.contains(expected)), "{to}: {said:#?}");
    }
}
