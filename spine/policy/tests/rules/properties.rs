//! What holds for every bill, whatever the policy.
#![expect(clippy::expect_used, reason = "a test")]

use std::path::Path;
use std::sync::LazyLock;

use kangmai_base::{Day, DivisionCode, Fen};
use kangmai_policy::{
    BillFacts, InstitutionGrade, InstitutionTier, LabelSet, Language, Outcome, Policy, Referral, Release,
    Setting, Settler, Trace, YearAccumulators, settle,
};
use proptest::prelude::*;

/// A pack that has every kind, ratios that are no whole per cents, and every way to round.
const ODD: &[(&str, &str)] = &[
    (
        "cn/odd/pack.toml",
        "id = \"odd\"\nname = { zh = \"奇\", en = \"odd\" }\ndivision = \"99\"\ninherits = \"none\"\n",
    ),
    ("cn/odd/benefits/1.toml", include_str!("odd/1-basic.toml")),
    ("cn/odd/benefits/2.toml", include_str!("odd/2-tiers.toml")),
    ("cn/odd/benefits/3.toml", include_str!("odd/3-share.toml")),
    ("cn/odd/benefits/4.toml", include_str!("odd/4-ceiling.toml")),
    ("cn/odd/benefits/5.toml", include_str!("odd/5-waiver.toml")),
    (
        "cn/kinds/pack.toml",
        "id = \"kinds\"\nname = { zh = \"类\", en = \"kinds\" }\ndivision = \"98\"\ninherits = \"none\"\n",
    ),
    ("cn/kinds/benefits/1.toml", include_str!("kinds/bed.toml")),
    ("cn/kinds/benefits/2.toml", include_str!("kinds/drugs.toml")),
    ("cn/kinds/benefits/3.toml", include_str!("kinds/pool.toml")),
    ("cn/kinds/benefits/4.toml", include_str!("kinds/aid.toml")),
    ("cn/kinds/benefits/5.toml", include_str!("kinds/top.toml")),
];

static RELEASE: LazyLock<Release> = LazyLock::new(|| {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    let mut files = Release::read_directory(&directory).expect("policies");
    files.extend(ODD.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())));
    let rendered = |errors: Vec<kangmai_policy::PackError>| {
        errors.iter().map(|error| error.render(Language::En)).collect::<Vec<_>>().join("\n\n")
    };
    Release::load(files).map_err(rendered).expect("packs")
});

fn policies() -> Vec<&'static Policy> {
    RELEASE
        .jurisdictions()
        .iter()
        .map(|one| one.to_read())
        .filter(|policy| !policy.layers().is_empty())
        .collect()
}

prop_compose! {
    fn any_bill()(
        total in prop_oneof![0_i64..100_000, 0_i64..100_000_000, 0..=Fen::LIMIT.0],
        compliant in 0_u32..=1_000, paid in 0_u32..=1_000, fees in prop::array::uniform5(0_i64..10_000),
        day in 17_000_i32..21_000, stay in 0_i32..400,
        labels in (0_u32..4_096, 0_u32..4_096), places in (0_usize..5, 0_usize..5),
        kinds in (0_usize..6, 0_usize..4, 0_usize..3, 0_usize..3), age in 0_u8..100, flags in 0_u32..8,
    ) -> BillFacts {
        let place = |number: usize| -> DivisionCode {
            ["410122", "411722", "220102", "360402", "990000"][number].parse().expect("a place")
        };
        let share = |of: i64, thousandths: u32| (i128::from(of) * i128::from(thousandths) / 1_000) as i64;
        let mut facts = BillFacts::inpatient(Fen(total), Day(day), place(places.0));
        facts.compliant = Fen(share(total, compliant));
        facts.already_paid = Fen(share(facts.compliant.0, paid / 4));
        facts.fees = fees.map(|fee| Fen(fee.min(total / 5)));
        facts.admission = Day(day - stay);
        facts.institution_place = place(places.1);
        let all: Vec<LabelSet> = RELEASE.vocabulary().labels.iter().map(|l| RELEASE.labels([l.id.as_str()])).collect();
        let set = |bits: u32| {
            let chosen = all.iter().enumerate().filter(|(bit, _)| bits & (1 << bit) != 0);
            chosen.fold(LabelSet::NONE, |set, (_, label)| set.and(*label))
        };
        (facts.labels_at_admission, facts.labels_at_discharge) = (set(labels.0), set(labels.1 & labels.0));
        (facts.tier, facts.grade) = (InstitutionTier::ALL[kinds.0], InstitutionGrade::ALL[kinds.1]);
        (facts.setting, facts.referral) = (Setting::ALL[kinds.2], Referral::ALL[kinds.3]);
        (facts.age_at_admission, facts.age_at_discharge) = (age, age);
        facts.designations = flags;
        facts.categories[flags as usize % 3] = Fen(facts.compliant.0 / 3);
        facts
    }
}

/// What must hold of any settled bill.
fn check(policy: &Policy, trace: &Trace) {
    let facts = &trace.facts;
    assert_eq!(facts.already_paid + trace.paid() + trace.own_share, facts.total, "all bear the total");
    assert!(trace.own_share >= Fen::ZERO && trace.own_out_of_catalogue >= Fen::ZERO);
    assert!(trace.own_out_of_catalogue <= facts.out_of_catalogue());
    let mut left = facts.compliant - facts.already_paid;
    let mut insurers = Fen::ZERO;
    for (layer, step) in policy.layers().iter().zip(trace.steps()) {
        assert!(step.pays >= Fen::ZERO && step.remaining >= Fen::ZERO && step.remaining <= left);
        assert_eq!(step.outcome == Outcome::Paid, step.pays > Fen::ZERO, "{:?}", step.outcome);
        assert!(step.cap_room.is_none_or(|room| step.pays <= room), "the cap holds");
        if layer.benefit.kind != "fee_waiver" {
            assert_eq!(left - step.remaining, step.pays, "what a layer pays is no longer left");
            insurers += step.pays;
        }
        left = step.remaining;
    }
    assert!(
        insurers <= facts.compliant - facts.already_paid,
        "out-of-catalogue cost enters no layer but a waiver"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn payers_institution_and_person_bear_the_total(bills in prop::collection::vec(any_bill(), 1..6)) {
        for policy in policies() {
            let mut year = YearAccumulators::NONE;
            let mut settler = Settler::new(policy);
            for facts in &bills {
                let mut other = year;
                let trace = settle(policy, facts, &mut year);
                check(policy, &trace);
                let amounts = settler.amounts(facts, &mut other);
                prop_assert_eq!(other, year, "with and without a trace");
                prop_assert_eq!(amounts.own_share, trace.own_share);
                let pays: Vec<Fen> = trace.steps().iter().map(|step| step.pays).collect();
                prop_assert_eq!(&amounts.pays[..pays.len()], &pays[..]);
                for language in [Language::Zh, Language::En] {
                    let mut text = String::new();
                    policy.write_text(&trace, language, &mut text);
                    prop_assert!(text.chars().count() <= 4_000, "fits the national interface");
                    prop_assert!(!text.contains('{'), "{}", text);
                }
            }
        }
    }

    #[test]
    fn a_trace_survives_its_json(facts in any_bill()) {
        for policy in policies() {
            let mut year = YearAccumulators::NONE;
            let trace = settle(policy, &facts, &mut year);
            let text = serde_json::to_string(&trace).expect("json");
            prop_assert_eq!(serde_json::from_str::<Trace>(&text).expect("json"), trace);
        }
    }

    #[test]
    fn impossible_amounts_still_add_up(total in any::<i64>(), compliant in any::<i64>(), paid in any::<i64>()) {
        let mut facts = BillFacts::inpatient(Fen(total), Day(18_000), "411722".parse().expect("a place"));
        (facts.compliant, facts.already_paid) = (Fen(compliant), Fen(paid));
        for policy in policies() {
            let trace = settle(policy, &facts, &mut YearAccumulators::NONE.clone());
            let total = total.clamp(0, Fen::LIMIT.0);
            let paid = paid.clamp(0, compliant.clamp(0, total));
            prop_assert_eq!(trace.paid() + trace.own_share + Fen(paid), Fen(total));
        }
    }

    /// The arithmetic in 128 bits, written down anew, against the one of the engine.
    #[test]
    fn cumulative_tiers_agree_with_a_plain_calculation(parts in prop::collection::vec(0_i64..30_000_000, 1..8)) {
        let policy = RELEASE.jurisdiction("cn/henan").expect("the pack").to_read();
        let index = policy.layer_of("major").expect("the layer");
        let mut year = YearAccumulators::NONE;
        let mut base = 0_i128;
        for (number, part) in parts.iter().enumerate() {
            let mut facts = BillFacts::inpatient(Fen(*part), Day(18_000 + number as i32), policy.place);
            facts.setting = Setting::ChronicOutpatient;
            facts.labels_at_discharge = RELEASE.labels(["registered_poor"]);
            let trace = settle(policy, &facts, &mut year);
            let step = trace.steps()[index];
            let after = base + i128::from(step.base.0);
            let exact = |amount: i128| {
                let tier = |from: i128, to: i128, ratio: i128| (amount.min(to) - from).max(0) * ratio;
                tier(550_000, 5_000_000, 80) + tier(5_000_000, 10_000_000, 85) + tier(10_000_000, i128::MAX / 100, 95)
            };
            let pays = (exact(after) - exact(base) + 50) / 100;
            prop_assert_eq!(i128::from(step.pays.0), pays);
            base = after;
        }
    }
}

#[test]
fn odd_ratios_and_roundings_are_exact() {
    let policy = RELEASE.jurisdiction("cn/odd").expect("the pack").to_read();
    let pays = |total: i64| {
        let facts = BillFacts::inpatient(Fen(total), Day(18_000), policy.place);
        let trace = settle(policy, &facts, &mut YearAccumulators::NONE.clone());
        trace.steps().iter().map(|step| step.pays.0).collect::<Vec<_>>()
    };
    // 2/37 of 100.00 is 540.54… fen: half up 541. Then 1/3 of what is left over 10.00, down to the whole jiao:
    // 94.59 - 10.00 = 84.59, a third 28.196…, 28.10. Then 1/7 of 66.49, up to the whole yuan: 9.4985…, 10.00.
    assert_eq!(pays(10_000)[..3], [541, 2_810, 1_000]);
    // A third of a fen over nothing is nothing down and a yuan up, but never more than is left.
    assert_eq!(pays(1)[..3], [0, 0, 1]);
    assert_eq!(pays(0)[..3], [0, 0, 0]);
    // The largest amount there is goes the wide way: 2/37 and 999999937/999999999 share no small denominator.
    let largest = pays(Fen::LIMIT.0);
    assert_eq!(i128::from(largest[0]), (i128::from(Fen::LIMIT.0) * 2 + 18) / 37);
}
