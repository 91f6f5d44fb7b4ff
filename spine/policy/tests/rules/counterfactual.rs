//! What would have been otherwise, worked out by hand from Henan's pack, and what holds of every answer.
#![expect(clippy::expect_used, reason = "a test")]

use std::path::Path;
use std::sync::LazyLock;

use kangmai_base::{Day, DivisionCode, Fen};
use kangmai_policy::{
    Around, BillFacts, Change, InstitutionGrade, InstitutionTier, LabelSet, Language, MOST_OTHERWISE,
    MOST_WAYS, Policy, Referral, Release, Setting, Sight, ToldCounterfactuals, ToldOtherwise, Trace,
    YearAccumulators, settle,
};
use proptest::prelude::*;

/// A pack that asks two things at once, asks for a diagnosis and has a gap.
const ASKING: &[(&str, &str)] = &[
    (
        "cn/asking/pack.toml",
        "id = \"asking\"\nname = { zh = \"问\", en = \"asking\" }\ndivision = \"97\"\ninherits = \"none\"\n",
    ),
    ("cn/asking/benefits/1.toml", include_str!("kinds/two.toml")),
    ("cn/asking/benefits/2.toml", include_str!("kinds/renal.toml")),
    ("cn/asking/benefits/3.toml", include_str!("kinds/orphans.toml")),
];

static RELEASE: LazyLock<Release> = LazyLock::new(|| {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    let mut files = Release::read_directory(&directory).expect("policies");
    files.extend(ASKING.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())));
    let rendered = |errors: Vec<kangmai_policy::PackError>| {
        errors.iter().map(|error| error.render(Language::En)).collect::<Vec<_>>().join("\n\n")
    };
    Release::load(files).map_err(rendered).expect("packs")
});

fn day(text: &str) -> Day {
    text.parse().expect("a day")
}

fn henan() -> &'static Policy {
    RELEASE.jurisdiction("cn/henan").expect("the pack").to_read()
}

fn bill(yuan: i64, on: &str, labels: &[&str]) -> BillFacts {
    let place: DivisionCode = "411722".parse().expect("a place");
    let mut facts = BillFacts::inpatient(Fen::yuan(yuan), day(on), place);
    facts.labels_at_discharge = RELEASE.labels(labels.iter().copied());
    facts.labels_at_admission = facts.labels_at_discharge;
    facts.admission = facts.discharge.plus_days(-10);
    facts
}

fn at(mut facts: BillFacts, tier: InstitutionTier, grade: InstitutionGrade) -> BillFacts {
    (facts.tier, facts.grade) = (tier, grade);
    facts
}

fn ask(policy: &Policy, facts: &BillFacts, around: &Around) -> (Trace, ToldCounterfactuals) {
    let trace = settle(policy, facts, &mut YearAccumulators::NONE.clone());
    let found = policy.counterfactuals(&trace, around);
    (trace, policy.tell_counterfactuals(&trace, &found, Language::Zh, Sight::ALL))
}

fn lines(told: &[ToldOtherwise]) -> Vec<String> {
    told.iter().map(|one| format!("{} {} {}", one.what, one.own_share, one.saves)).collect()
}

#[test]
fn the_worked_examples_otherwise_to_the_fen() {
    use InstitutionGrade::{First, Third};
    use InstitutionTier::{Province, Township};
    let uninsured = |total: &str, less: &str| format!("如果当时没有参加基本医保 {total} -{less}");
    let poor = &["registered_poor"];
    // E1. Township: 420.00 + 53,280.00; (6,300 − 5,500) × 80 %; 600.00 + 660.00 × 40 %.
    let (_, e1) = ask(henan(), &bill(60_000, "2019-06-30", poor), &Around::default());
    assert_eq!(lines(&e1.better), ["如果在本县乡镇(社区)级机构（一级）就医 4796.00 534.24"]);
    assert_eq!(lines(&e1.worse), [uninsured("60000.00", "54669.76")]);
    // E2. Township: 53,700.00; (6,300 − 5,500) × 65 %.
    let (_, e2) = ask(henan(), &bill(60_000, "2022-06-30", &["subsistence_allowance"]), &Around::default());
    assert_eq!(lines(&e2.better), ["如果在本县乡镇(社区)级机构（一级）就医 5780.00 1558.20"]);
    assert_eq!(lines(&e2.worse), [uninsured("60000.00", "52661.80")]);
    // E3. Township: 53,700.00 and nothing of the rest. Recognised: what E2 is.
    let (_, e3) = ask(henan(), &bill(60_000, "2022-06-30", &[]), &Around::default());
    assert_eq!(e3.better.len(), 2, "{:?}", lines(&e3.better));
    assert_eq!(lines(&e3.better)[0], "如果在本县乡镇(社区)级机构（一级）就医 6300.00 4452.00");
    let recognised = &e3.better[1];
    assert_eq!((recognised.own_share, recognised.saves), (Fen(733_820), Fen(341_380)));
    assert!(
        recognised.what.contains("2022-06-30以前（含当日）已认定为") && recognised.what.contains("低保对象")
    );
    assert_eq!(recognised.layers.len(), 1);
    assert_eq!((recognised.layers[0].pays, recognised.layers[0].would_pay), (Fen::ZERO, Fen(341_380)));
    assert!(recognised.source.as_deref().is_some_and(|source| source.contains("大病保险")), "{recognised:?}");
    // E4. Not referred: 5,500 × 30 % + 193,000 × 48 % = 94,290.00; 35,600 + 42,500 + 5,710 × 95 % = 83,524.50;
    // 600 + 2,000 + 2,500 + 7,185.50 × 80 % = 10,848.40. In the own county basic insurance comes to its cap of 150,000:
    // 44,500 × 80 % = 35,600.00; 600 + 2,000 + 4,400 × 50 % = 4,800.00.
    let (_, e4) = ask(henan(), &at(bill(200_000, "2020-06-30", poor), Province, Third), &Around::default());
    assert_eq!(
        lines(&e4.better),
        [
            "如果在本县乡镇(社区)级机构（一级）就医 9600.00 660.30",
            "如果在本县县级机构（二级）就医 9600.00 660.30"
        ]
    );
    assert_eq!(
        lines(&e4.worse),
        [uninsured("200000.00", "189739.70"), "如果未经转诊 11337.10 -1076.80".to_owned()]
    );
    assert_eq!(e4.worse[0].rule, "城乡居民基本医疗保险：参加基本医保");
    assert_eq!(e4.worse[1].rule, "城乡居民基本医疗保险：未按规定转诊");
    assert!(e4.worse[1].quote.as_deref().is_some_and(|quote| quote.contains("三级1500元")));
    // E5. County: 693.00 + 1,245.00. Nothing helps.
    let (_, e5) = ask(henan(), &at(bill(3_000, "2019-06-30", poor), Township, First), &Around::default());
    assert_eq!(lines(&e5.better), [""; 0]);
    assert_eq!(
        lines(&e5.worse),
        [uninsured("3000.00", "2400.00"), "如果在本县县级机构（二级）就医 1062.00 -462.00".to_owned()]
    );
}

#[test]
fn without_a_referral_twenty_points_are_lost_and_with_one_won_back() {
    let mut facts = at(bill(10_000, "2026-03-05", &[]), InstitutionTier::City, InstitutionGrade::Third);
    facts.referral = Referral::NotReferred;
    let (_, told) = ask(henan(), &facts, &Around::default());
    // Not referred 3,100 × 33 % + 6,000 × 52 % = 4,143.00; referred 5,963.00.
    let referred = told.better.iter().find(|one| one.fact == "referral").expect("it helps");
    assert_eq!((referred.own_share, referred.saves), (Fen(403_700), Fen(182_000)));
    assert_eq!(referred.what, "如果经规范转诊");
    assert_eq!(referred.rule, "城乡居民基本医疗保险：未按规定转诊");
    let told = |language| {
        let trace = settle(henan(), &facts, &mut YearAccumulators::NONE.clone());
        let found = henan().counterfactuals(&trace, &Around::default());
        henan().tell_counterfactuals(&trace, &found, language, Sight::ALL)
    };
    let english = told(Language::En);
    assert!(english.better.iter().any(|one| one.what == "had the patient been referred by the rules"));
    assert!(serde_json::to_string(&english).expect("it is written").contains("\"saves\":\"1820.00\""));
}

#[test]
fn a_day_later_is_asked_where_law_labels_or_the_year_change() {
    let low_income = RELEASE.labels(["subsistence_allowance"]);
    let discharge = |told: &ToldCounterfactuals| -> Vec<String> {
        let all = told.better.iter().chain(&told.worse).filter(|one| one.fact == "discharge");
        all.map(|one| format!("{} {} {}", one.what, one.own_share, one.saves)).collect()
    };
    // Law: medical assistance begins on 2022-11-08; 7,338.20 × 70 % = 5,136.74.
    for (on, expected) in [
        ("2022-10-07", vec![]),
        ("2022-10-08", vec!["如果出院日为2022-11-08 2201.46 5136.74"]),
        ("2022-11-07", vec!["如果出院日为2022-11-08 2201.46 5136.74"]),
        ("2022-11-08", vec!["如果出院日为2022-11-07 7338.20 -5136.74"]),
        ("2022-11-19", vec![]),
    ] {
        let (_, told) = ask(henan(), &bill(60_000, on, &["subsistence_allowance"]), &Around::default());
        assert_eq!(discharge(&told), expected, "{on}");
    }
    // Labels: one that begins the day after, one that ended on the day itself.
    let mut facts = bill(60_000, "2026-03-05", &[]);
    facts.admission = day("2026-02-20");
    let around = |from: &str, set: LabelSet| Around {
        labels: vec![(day("2020-01-01"), LabelSet::NONE), (day(from), set)],
        ..Around::default()
    };
    // The tilted tiers: 3,413.80; 7,338.20 × 70 %.
    let (_, told) = ask(henan(), &facts, &around("2026-03-06", low_income));
    assert_eq!(discharge(&told), ["如果出院日为2026-03-06 2201.46 8550.54"]);
    let ended = Around {
        labels: vec![(day("2020-01-01"), low_income), (day("2026-03-05"), LabelSet::NONE)],
        ..Around::default()
    };
    let (_, told) = ask(henan(), &facts, &ended);
    assert_eq!(discharge(&told), ["如果出院日为2026-03-04 2201.46 8550.54"]);
    // Not before the admission.
    facts.admission = day("2026-03-05");
    let (_, told) = ask(henan(), &facts, &ended);
    assert_eq!(discharge(&told), [""; 0]);
}

#[test]
fn over_new_year_the_new_insurance_year_counts_with_what_is_used_of_it() {
    let facts = bill(60_000, "2025-12-31", &[]);
    let mut year = YearAccumulators::NONE;
    assert!(henan().set_accumulator(&mut year, "basic_stays", Fen(1)));
    assert!(henan().set_accumulator(&mut year, "major_base", Fen::yuan(20_000)));
    let trace = settle(henan(), &facts, &mut year.clone());
    // Second stay: 200 + …: 1,300 × 63 % + 58,500 × 83 % = 49,374.00; 10,626.00 × 60 % = 6,375.60.
    assert_eq!(trace.own_share, Fen(425_040));
    let told = |around: &Around| {
        let found = henan().counterfactuals(&trace, around);
        let discharge = found.otherwise.iter().find(|one| matches!(one.change, Change::Discharge(_)));
        discharge.map(|one| (one.change, one.trace.own_share))
    };
    // The new year knows no earlier stay and a deductible of 11,000 of its own: 10,752.00 below it.
    assert_eq!(told(&Around::default()), Some((Change::Discharge(day("2026-01-01")), Fen(1_075_200))));
    // With as much used of the new year, nothing changes.
    assert_eq!(told(&Around { next_year: year, ..Around::default() }), None);
}

#[test]
fn what_a_layer_lacks_is_told_with_what_was_found_and_what_it_would_pay() {
    let mut facts = bill(60_000, "2026-03-05", &["poverty_alleviated"]);
    facts.admission = day("2026-02-20");
    let (_, told) = ask(henan(), &facts, &Around::default());
    let assistance = told.missing.iter().find(|one| one.id == "assistance").expect("it did not apply");
    let ways: Vec<String> = assistance
        .ways
        .iter()
        .map(|way| {
            let condition = &way.conditions[0];
            assert_eq!(way.conditions.len(), 1);
            assert_eq!(condition.found, "身份为脱贫人口（出院日2026-03-05）");
            format!("{} {}", condition.needed, way.pays.expect("somebody can act"))
        })
        .collect();
    // 低保, 返贫致贫: the tilted tiers first, 7,338.20 × 70 %. 特困, 孤儿: the same ratio. Which of them the tilted tiers
    // of major-disease insurance name, is in the pack.
    assert!(ways.iter().any(|way| way.contains("低保对象") && way.ends_with(" 5136.74")), "{ways:#?}");
    assert!(assistance.source.as_deref().is_some_and(|source| source.contains("国办发〔2021〕42号")));
    // What somebody is treated as is a reason, no advice.
    let chronic = told.missing.iter().find(|one| one.id == "chronic").expect("it did not apply");
    assert_eq!(chronic.ways.len(), 1);
    assert_eq!((chronic.ways[0].pays, chronic.ways[0].conditions[0].can_act), (None, false));
    assert_eq!(chronic.ways[0].conditions[0].needed, "门诊慢特病");
    assert_eq!(chronic.ways[0].conditions[0].found, "住院");
    // Layers that no rule of the day speaks of lack nothing.
    assert!(told.missing.iter().all(|one| one.id != "supplementary"));
    // A reader without sight of labels is told what is needed, not what was found.
    let trace = settle(henan(), &facts, &mut YearAccumulators::NONE.clone());
    let found = henan().counterfactuals(&trace, &Around::default());
    let blind = Sight { labels: false, diagnosis: false };
    let told = henan().tell_counterfactuals(&trace, &found, Language::Zh, blind);
    let written = serde_json::to_string(&told).expect("it is written");
    assert!(!written.contains("脱贫人口") && written.contains("（无权查看）"), "{written}");
    assert!(told.better.iter().chain(&told.worse).all(|one| one.fact != "labels"));
}

#[test]
fn nobody_is_told_to_have_a_status_recognised_that_their_age_rules_out() {
    let told = |age: u8, yuan: i64| {
        let mut facts = bill(yuan, "2026-03-05", &[]);
        (facts.age_at_admission, facts.age_at_discharge) = (age, age);
        let (_, told) = ask(henan(), &facts, &Around::default());
        serde_json::to_string(&told).expect("it is written")
    };
    // A child of 17 may be recognised as an orphan, a person of 18 not; an unknown age rules nothing out.
    assert!(told(17, 60_000).contains("孤儿"));
    assert!(told(kangmai_policy::UNKNOWN_AGE, 60_000).contains("孤儿"));
    assert!(!told(18, 60_000).contains("孤儿") && told(18, 60_000).contains("特困人员"));
    // Where that status is all that is missing it stands as the reason, not as advice.
    let policy = RELEASE.jurisdiction("cn/asking").expect("the pack").to_read();
    let place: DivisionCode = "970000".parse().expect("a place");
    let orphans = |age: u8| {
        let mut facts = BillFacts::inpatient(Fen::yuan(1_000), day("2025-06-30"), place);
        (facts.age_at_admission, facts.age_at_discharge) = (age, age);
        let (_, told) = ask(policy, &facts, &Around::default());
        let of = told.missing.iter().find(|one| one.id == "orphans").expect("it did not apply");
        (of.ways.len(), of.ways[0].pays, of.ways[0].conditions[0].can_act)
    };
    assert_eq!(orphans(17), (1, Some(Fen::yuan(100)), true));
    assert_eq!(orphans(18), (1, None, false));
}

#[test]
fn what_would_pay_nothing_is_not_said_to_be_missing() {
    // A small bill: below every deductible, and whatever the status nothing is left to pay.
    for yuan in [1, 300] {
        let (_, told) = ask(henan(), &bill(yuan, "2026-03-05", &[]), &Around::default());
        let ways = told.missing.iter().flat_map(|one| &one.ways);
        let pays: Vec<Fen> = ways.filter_map(|way| way.pays).collect();
        assert!(pays.iter().all(|pays| *pays > Fen::ZERO), "{yuan}: {told:?}");
    }
    let all = |yuan| ask(henan(), &bill(yuan, "2026-03-05", &[]), &Around::default()).1.missing;
    assert!(all(60_000).iter().any(|one| one.id == "assistance"));
}

#[test]
fn several_conditions_at_once_reasons_and_gaps() {
    let policy = RELEASE.jurisdiction("cn/asking").expect("the pack").to_read();
    let place: DivisionCode = "970000".parse().expect("a place");
    let mut facts = BillFacts::inpatient(Fen::yuan(1_000), day("2025-06-30"), place);
    facts.tier = InstitutionTier::City;
    facts.diagnosis = "I63.9".parse().expect("a code");
    let (_, told) = ask(policy, &facts, &Around::default());
    let of = |id: &str| told.missing.iter().find(|one| one.id == id).expect("it did not apply");
    // The label and the county or township: both at once; each tier by itself comes to the same.
    let two = of("two");
    assert_eq!(two.ways.len(), 2, "{two:?}");
    for way in &two.ways {
        assert_eq!(
            way.conditions.iter().map(|one| one.fact).collect::<Vec<_>>(),
            ["label", "institution_tier"]
        );
        assert_eq!(way.pays, Some(Fen::yuan(500)));
    }
    // A diagnosis is a reason only.
    let renal = of("renal");
    assert_eq!(renal.ways[0].pays, None);
    assert_eq!(renal.ways[0].conditions[0].found, "诊断I63.9");
    // In a gap nothing is lacking, and a day on which no rule speaks is not asked about.
    facts = BillFacts::inpatient(Fen::yuan(1_000), day("2024-12-31"), place);
    let (_, told) = ask(policy, &facts, &Around::default());
    assert!(told.missing.is_empty() && told.better.iter().all(|one| one.fact != "labels"), "{told:?}");
}

#[test]
fn only_what_makes_sense_of_setting_and_enrolment_is_asked() {
    let has = |told: &ToldCounterfactuals, fact: &str| {
        told.better.iter().chain(&told.worse).any(|one| one.fact == fact)
    };
    // An outpatient visit may count as chronic: 65 % of 1,000.00.
    let mut visit = bill(1_000, "2026-03-05", &[]);
    visit.admission = visit.discharge;
    visit.setting = Setting::Outpatient;
    let (_, told) = ask(henan(), &visit, &Around::default());
    assert_eq!(lines(&told.better), ["如果按门诊慢特病结算 350.00 650.00"]);
    assert_eq!(told.better[0].rule, "门诊重症慢性病待遇：一般参保居民");
    // A chronic visit is never proposed as a stay, a stay of days not as a visit, and a visit on no other day.
    visit.setting = Setting::ChronicOutpatient;
    let (_, told) = ask(henan(), &visit, &Around::default());
    assert!(!has(&told, "setting") && !has(&told, "discharge"));
    let (_, told) = ask(henan(), &bill(1_000, "2026-03-05", &[]), &Around::default());
    assert!(!has(&told, "setting"));
    // Not enrolled: all of it is borne; enrolled, 400.01 to 1,000.00 at 63 %.
    let mut uninsured = bill(1_000, "2026-03-05", &[]);
    (uninsured.insured_at_admission, uninsured.insured_at_discharge) = (false, false);
    let (_, told) = ask(henan(), &uninsured, &Around::default());
    assert_eq!(lines(&told.better), ["如果当时已参加基本医保 622.00 378.00"]);
    let basic = &told.missing[0];
    assert_eq!((basic.id.as_str(), basic.ways.len()), ("basic", 1));
    assert_eq!(basic.ways[0].conditions[0].sentence, "需要：参加基本医保；实际：未参加基本医保。");
    assert_eq!(basic.ways[0].saves, Some(Fen(37_800)));
}

#[test]
fn a_birthday_within_the_month_is_a_day_on_which_something_changes() {
    let policy = RELEASE.jurisdiction("cn/asking").expect("the pack").to_read();
    let place: DivisionCode = "970000".parse().expect("a place");
    let birth = day("1964-07-05");
    let told = |on: &str| {
        let mut facts = BillFacts::inpatient(Fen::yuan(1_000), day(on), place);
        facts.diagnosis = "N18.5".parse().expect("a code");
        (facts.referral, facts.tier) = (Referral::NotReferred, InstitutionTier::City);
        facts.admission = facts.discharge.plus_days(-3);
        facts.set_birth(birth);
        let (_, told) = ask(policy, &facts, &Around { birth: Some(birth), ..Around::default() });
        lines(
            &told
                .better
                .iter()
                .chain(&told.worse)
                .filter(|one| one.fact == "discharge")
                .cloned()
                .collect::<Vec<_>>(),
        )
    };
    // Aged 60 the benefit pays half; aged 61 only who was referred.
    assert_eq!(told("2025-06-03"), [""; 0], "32 days before");
    assert_eq!(told("2025-06-04"), ["如果出院日为2025-07-05 1000.00 -500.00"]);
    assert_eq!(told("2025-07-04"), ["如果出院日为2025-07-05 1000.00 -500.00"]);
    assert_eq!(told("2025-07-05"), [""; 0], "an earlier day is not asked about for an age");
}

fn policies() -> Vec<&'static Policy> {
    let all = RELEASE.jurisdictions().iter().map(|one| one.to_read());
    all.filter(|policy| !policy.layers().is_empty()).collect()
}

prop_compose! {
    fn any_bill()(
        total in 0_i64..100_000_000, day in 18_000_i32..20_900, stay in 0_i32..40,
        labels in (0_u32..4_096, 0_u32..4_096, 0_u32..4_096), places in (0_usize..4, 0_usize..4),
        kinds in (0_usize..6, 0_usize..4, 0_usize..3, 0_usize..3), age in 0_u8..100, flags in 0_u32..8,
        insured in prop::bool::weighted(0.8), change in -30_i32..30, coded in prop::bool::ANY,
    ) -> (BillFacts, Around) {
        let place = |number: usize| -> DivisionCode {
            ["410122", "411722", "970100", "360402"][number].parse().expect("a place")
        };
        let all: Vec<LabelSet> = RELEASE.vocabulary().labels.iter().map(|l| RELEASE.labels([l.id.as_str()])).collect();
        let set = |bits: u32| {
            let chosen = all.iter().enumerate().filter(|(bit, _)| bits & (1 << bit) != 0);
            chosen.fold(LabelSet::NONE, |set, (_, label)| set.and(*label))
        };
        let mut facts = BillFacts::inpatient(Fen(total), Day(day), place(places.0));
        facts.admission = Day(day - stay);
        facts.institution_place = place(places.1);
        (facts.labels_at_admission, facts.labels_at_discharge) = (set(labels.0 & labels.1), set(labels.1 & labels.2));
        (facts.tier, facts.grade) = (InstitutionTier::ALL[kinds.0], InstitutionGrade::ALL[kinds.1]);
        (facts.setting, facts.referral) = (Setting::ALL[kinds.2], Referral::ALL[kinds.3]);
        (facts.age_at_admission, facts.age_at_discharge) = (age, age);
        (facts.insured_at_admission, facts.insured_at_discharge) = (insured, insured);
        facts.designations = flags;
        if coded {
            facts.diagnosis = "N18.5".parse().expect("a code");
        }
        let labels = vec![(Day(0), facts.labels_at_discharge), (Day(day + change), set(labels.2))];
        (facts, Around { labels, ..Around::default() })
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_is_made_true_settles_to_the_same_and_nothing_smaller_would_do((facts, around) in any_bill()) {
        for policy in policies() {
            let trace = settle(policy, &facts, &mut YearAccumulators::NONE.clone());
            let found = policy.counterfactuals(&trace, &around);
            prop_assert!(found.otherwise.len() <= MOST_OTHERWISE);
            prop_assert!(found.missing.iter().all(|missing| missing.ways.len() <= MOST_WAYS));
            for one in &found.otherwise {
                prop_assert_ne!(one.trace.own_share, trace.own_share, "what changes nothing is left out");
                let again = settle(policy, &one.trace.facts, &mut one.trace.before.clone());
                prop_assert_eq!(&again, &*one.trace);
                if let Change::Labels(set, _) = one.change {
                    for label in set.each() {
                        let mut facts = trace.facts;
                        facts.labels_at_discharge = facts.labels_at_discharge.and(label);
                        facts.labels_at_admission = facts.labels_at_admission.and(label);
                        let one_label = settle(policy, &facts, &mut YearAccumulators::NONE.clone());
                        prop_assert_eq!(one_label.own_share, one.trace.own_share, "any of them comes to the same");
                    }
                }
            }
            for missing in &found.missing {
                prop_assert!(!trace.steps()[missing.layer].outcome.applied());
                for way in &missing.ways {
                    let applies = |left_out: Option<usize>| {
                        let kept = way.conditions.iter().enumerate().filter(|(number, _)| Some(*number) != left_out);
                        let facts = kept.fold(facts, |facts, (_, one)| one.change.applied_to(&facts));
                        settle(policy, &facts, &mut YearAccumulators::NONE.clone())
                    };
                    let all = applies(None);
                    prop_assert!(all.steps()[missing.layer].outcome.applied(), "{:?}", way.conditions);
                    if let Some(told) = &way.trace {
                        prop_assert_eq!(&**told, &all, "made true by hand it settles to the same");
                        prop_assert!(way.conditions.iter().all(|one| one.change.can_act()));
                    }
                    for number in 0..way.conditions.len() {
                        let fewer = applies(Some(number));
                        prop_assert!(!fewer.steps()[missing.layer].outcome.applied(), "one could be left out");
                    }
                }
                // No single fact would do where two are said to be needed.
                if missing.ways.first().is_some_and(|way| way.conditions.len() > 1) {
                    for other in single_changes(&facts) {
                        let other = settle(policy, &other, &mut YearAccumulators::NONE.clone());
                        prop_assert!(!other.steps()[missing.layer].outcome.applied());
                    }
                }
            }
            for language in [Language::Zh, Language::En] {
                let told = policy.tell_counterfactuals(&trace, &found, language, Sight::ALL);
                prop_assert!(told.better.windows(2).all(|pair| pair[0].saves >= pair[1].saves));
                let complete = told.better.iter().all(|one| !one.what.contains('{') && one.saves > Fen::ZERO);
                prop_assert!(complete);
            }
        }
    }
}

/// Each bill that differs in one fact.
fn single_changes(facts: &BillFacts) -> Vec<BillFacts> {
    let mut all = Vec::new();
    for label in RELEASE.vocabulary().labels.iter().map(|label| RELEASE.labels([label.id.as_str()])) {
        all.push(BillFacts { labels_at_discharge: facts.labels_at_discharge.and(label), ..*facts });
    }
    all.extend(InstitutionTier::ALL.iter().map(|tier| BillFacts { tier: *tier, ..*facts }));
    all.extend(InstitutionGrade::ALL.iter().map(|grade| BillFacts { grade: *grade, ..*facts }));
    all.extend(Setting::ALL.iter().map(|setting| BillFacts { setting: *setting, ..*facts }));
    all.extend(Referral::ALL.iter().map(|referral| BillFacts { referral: *referral, ..*facts }));
    all.push(BillFacts { insured_at_admission: true, ..*facts });
    all.extend((0..100).map(|age| BillFacts { age_at_admission: age, age_at_discharge: age, ..*facts }));
    all.push(BillFacts { diagnosis: "N18.5".parse().expect("a code"), ..*facts });
    all
}
