//! What a statement says.
#![expect(clippy::expect_used, reason = "a test")]

use std::path::Path;

use kangmai_base::{Day, DivisionCode, Fen};
use kangmai_policy::{
    BillFacts, FeeKind, InstitutionGrade, InstitutionTier, Language, MOST_PROCESS_CHARACTERS, Outcome,
    Referral, Release, Setting, Sight, YearAccumulators, settle,
};

fn release() -> Release {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    Release::load(Release::read_directory(&directory).expect("policies")).expect("packs")
}

fn day(text: &str) -> Day {
    text.parse().expect("a day")
}

fn place(text: &str) -> DivisionCode {
    text.parse().expect("a place")
}

fn bill(release: &Release, yuan: i64, on: &str, labels: &[&str]) -> BillFacts {
    let mut facts = BillFacts::inpatient(Fen::yuan(yuan), day(on), place("410122"));
    facts.labels_at_discharge = release.labels(labels.iter().copied());
    facts.labels_at_admission = facts.labels_at_discharge;
    facts
}

fn text(release: &Release, facts: &BillFacts, year: &mut YearAccumulators, language: Language) -> String {
    let policy = release.jurisdiction_for(facts.person_place, facts.discharge).expect("a policy").to_read();
    let trace = settle(policy, facts, year);
    let mut out = String::new();
    policy.write_text(&trace, language, &mut out);
    out
}

#[test]
fn each_layer_says_its_arithmetic_and_each_other_why_not() {
    let release = release();
    let facts = bill(&release, 60_000, "2019-06-30", &["registered_poor"]);
    insta::assert_snapshot!(text(&release, &facts, &mut YearAccumulators::NONE.clone(), Language::Zh), @r"
    总费用60,000.00元，其中合规费用60,000.00元，目录外费用0.00元。
    城乡居民基本医疗保险：居民医保统筹基金支付49,248.00元。合规费用60,000.00元，起付线400.00元；400.00元至1,500.00元部分1,100.00×63%＋1,500.00元以上部分58,500.00×83%＝49,248.00。
    门诊重症慢性病待遇：不适用。需要门诊慢特病；实际住院。
    城乡居民大病保险：居民大病保险资金支付4,201.60元。前面各层支付后剩余合规费用10,752.00元，年度起付线5,500.00元，本次计入5,500.00元；5,500.00元至50,000.00元部分5,252.00×80%＝4,201.60。
    困难群众大病补充医疗保险：困难群众大病补充保险资金支付1,220.16元。前面各层支付后剩余合规费用6,550.40元，年度起付线3,000.00元，本次计入3,000.00元；3,000.00元至5,000.00元部分2,000.00×30%＋5,000.00元至10,000.00元部分1,550.40×40%＝1,220.16。
    医疗救助：2019-06-30时本项待遇没有生效的规定。
    七免一减：就诊医疗机构支付893.02元。减免住院起付线：400.00；剩余自付4,930.24元×10%减免：493.02。
    个人自付4,437.22元，其中目录外0.00元。
    ");
    insta::assert_snapshot!(text(&release, &facts, &mut YearAccumulators::NONE.clone(), Language::En), @r"
    Total 60,000.00 yuan, of which 60,000.00 compliant and 0.00 out of catalogue.
    Basic insurance of residents: the residents' basic insurance fund pays 49,248.00 yuan. Compliant cost 60,000.00, deductible 400.00; from 400.00 to 1,500.00: 1,100.00 × 63% + above 1,500.00: 58,500.00 × 83% = 49,248.00.
    Chronic outpatient benefit: Not for this bill. Needed: chronic outpatient; is: inpatient.
    Major-disease insurance of residents: the major-disease insurance fund pays 4,201.60 yuan. Compliant cost left by earlier layers 10,752.00, deductible of the year 5,500.00, of which this bill bears 5,500.00; from 5,500.00 to 50,000.00: 5,252.00 × 80% = 4,201.60.
    Supplementary insurance for people in hardship: the supplementary fund for people in hardship pays 1,220.16 yuan. Compliant cost left by earlier layers 6,550.40, deductible of the year 3,000.00, of which this bill bears 3,000.00; from 3,000.00 to 5,000.00: 2,000.00 × 30% + from 5,000.00 to 10,000.00: 1,550.40 × 40% = 1,220.16.
    Medical assistance: No rule of this benefit was in force on 2019-06-30.
    Seven waivers and one reduction: the treating institution pays 893.02 yuan. inpatient deductible waived: 400.00; 10% off the remaining own share of 4,930.24: 493.02.
    Own share 4,437.22 yuan, of which 0.00 out of catalogue.
    ");
}

#[test]
fn rules_caps_and_limits_are_said() {
    let release = release();
    let mut facts = bill(&release, 60_000, "2026-06-30", &["marginal"]);
    (facts.tier, facts.grade) = (InstitutionTier::City, InstitutionGrade::Third);
    (facts.referral, facts.compliant) = (Referral::NotReferred, Fen::yuan(50_000));
    facts.age_at_admission = 10;
    let policy = release.jurisdiction("cn/henan/zhengzhou").expect("the pack").to_read();
    let mut year = YearAccumulators::NONE;
    assert!(policy.set_accumulator(&mut year, "basic_paid", Fen::yuan(140_000)));
    assert!(policy.set_accumulator(&mut year, "major_base", Fen::yuan(8_000)));
    assert!(!policy.set_accumulator(&mut year, "no_such", Fen::yuan(1)));
    insta::assert_snapshot!(text(&release, &facts, &mut year, Language::Zh), @r"
    总费用60,000.00元，其中合规费用50,000.00元，目录外费用10,000.00元。
    城乡居民基本医疗保险：居民医保统筹基金支付10,000.00元。合规费用50,000.00元，起付线450.00元（14周岁及以下：起付线×50%）；450.00元至4,000.00元部分3,550.00×33%＋4,000.00元以上部分46,000.00×52%＝25,091.50（未按规定转诊：各段比例已减20个百分点），受年度限额余额10,000.00元所限。
    门诊重症慢性病待遇：不适用。需要门诊慢特病；实际住院。
    城乡居民大病保险：居民大病保险资金支付22,200.00元。本年累计合规自付8,000.00元＋本次40,000.00元＝48,000.00元，年度起付线11,000.00元，本次计入3,000.00元；11,000.00元至100,000.00元部分37,000.00×60%＝22,200.00。
    困难群众大病补充医疗保险：2026-06-30时本项待遇没有生效的规定。
    医疗救助：医疗救助资金支付9,420.00元。前面各层支付后剩余合规费用17,800.00元，年度起付线2,100.00元，本次计入2,100.00元；15,700.00×60%＝9,420.00。
    七免一减：不适用。需要乡镇(社区)级机构、县级机构；实际市级机构。
    个人自付18,380.00元，其中目录外10,000.00元。
    ");
    insta::assert_snapshot!(text(&release, &facts, &mut YearAccumulators::NONE.clone(), Language::En), @r"
    Total 60,000.00 yuan, of which 50,000.00 compliant and 10,000.00 out of catalogue.
    Basic insurance of residents: the residents' basic insurance fund pays 25,091.50 yuan. Compliant cost 50,000.00, deductible 450.00 (aged 14 or less: deductible × 50%); from 450.00 to 4,000.00: 3,550.00 × 33% + above 4,000.00: 46,000.00 × 52% = 25,091.50 (not referred by the rules: each ratio is 20 points less).
    Chronic outpatient benefit: Not for this bill. Needed: chronic outpatient; is: inpatient.
    Major-disease insurance of residents: the major-disease insurance fund pays 8,345.10 yuan. Compliant cost left by earlier layers 24,908.50, deductible of the year 11,000.00, of which this bill bears 11,000.00; from 11,000.00 to 100,000.00: 13,908.50 × 60% = 8,345.10.
    Supplementary insurance for people in hardship: No rule of this benefit was in force on 2026-06-30.
    Medical assistance: the medical-assistance fund pays 8,678.04 yuan. Compliant cost left by earlier layers 16,563.40, deductible of the year 2,100.00, of which this bill bears 2,100.00; 14,463.40 × 60% = 8,678.04.
    Seven waivers and one reduction: Not for this bill. Needed: township or community institution, county institution; is: city institution.
    Own share 17,885.36 yuan, of which 10,000.00 out of catalogue.
    ");
}

#[test]
fn waivers_stand_line_by_line() {
    let release = release();
    let mut facts = bill(&release, 300, "2026-06-30", &["sudden_hardship"]);
    (facts.tier, facts.setting) = (InstitutionTier::Township, Setting::Outpatient);
    facts.compliant = Fen::yuan(290);
    facts.fees[FeeKind::Registration as usize] = Fen::yuan(2);
    facts.fees[FeeKind::Injection as usize] = Fen(350);
    let policy = release.jurisdiction("cn/henan/zhengzhou").expect("the pack").to_read();
    let trace = settle(policy, &facts, &mut YearAccumulators::NONE.clone());
    let explanation = policy.explain(&trace, Language::Zh);
    let waiver = explanation.layers.iter().find(|layer| layer.id == "waiver").expect("the layer");
    let lines: Vec<String> =
        waiver.waived.iter().map(|item| format!("{} {}", item.name, item.amount)).collect();
    // 5.50 of the 10.00 out of catalogue are the two fees; 10 % of the 290.00 compliant.
    assert_eq!(lines, ["减免挂号费 2.00", "减免注射费 3.50", "剩余自付290.00元×10%减免 29.00"]);
    assert_eq!(waiver.pays, Fen(3_450));
    assert_eq!((explanation.own_share, explanation.out_of_catalogue), (Fen(26_550), Fen(450)));
}

#[test]
fn the_source_of_each_rule_is_given_with_how_sure_it_is() {
    let release = release();
    let facts = bill(&release, 60_000, "2026-06-30", &["subsistence_allowance"]);
    let policy = release.jurisdiction_for(facts.person_place, facts.discharge).expect("a policy").to_read();
    let trace = settle(policy, &facts, &mut YearAccumulators::NONE.clone());
    let explanation = policy.explain(&trace, Language::Zh);
    let layer = |id: &str| explanation.layers.iter().find(|layer| layer.id == id).expect("the layer");
    let basic = layer("basic").source.as_deref().expect("a source");
    assert!(basic.contains("豫政办〔2016〕194号") && basic.contains("沿用旧标准"), "{basic}");
    assert!(layer("basic").note.is_some() && layer("major").quote.is_some());
    let assistance = layer("assistance");
    assert!(assistance.note.as_deref().is_some_and(|note| note.contains("九江")), "the profile's own source");
    assert_eq!(layer("supplementary").outcome, Outcome::NotInForce);
    assert_eq!(layer("supplementary").source, None);
    assert_eq!(layer("waiver").outcome, Outcome::NoProfile);
}

#[test]
fn the_patient_reads_one_sentence_for_the_bill_and_one_for_each_layer() {
    let release = release();
    let mut facts = bill(&release, 60_000, "2026-06-30", &["marginal"]);
    facts.compliant = Fen::yuan(10_000);
    let policy = release.jurisdiction_for(facts.person_place, facts.discharge).expect("a policy").to_read();
    let mut year = YearAccumulators::NONE;
    assert!(policy.set_accumulator(&mut year, "assistance_deductible", Fen::yuan(500)));
    let trace = settle(policy, &facts, &mut year);
    let told = |language| {
        let mut all = vec![policy.patient_sentence(&trace, language)];
        all.extend(policy.patient_layers(&trace, language));
        all.join("\n")
    };
    insta::assert_snapshot!(told(Language::Zh), @r"
    您这次看病共花费60,000.00元，各项保障为您支付8,685.28元，您自己负担51,314.72元，其中50,000.00元不在医保目录内，不能报销。
    城乡居民基本医疗保险为您支付7,748.00元。
    门诊重症慢性病待遇：这次不适用，原因请询问窗口。
    城乡居民大病保险：您的费用还没有超过11,000.00元的起付线，这次不支付。
    困难群众大病补充医疗保险：按您这次就医的日期，没有这项待遇的规定。
    医疗救助为您支付391.20元。
    按照七免一减，医疗机构为您减免546.08元。
    ");
    insta::assert_snapshot!(told(Language::En), @r"
    Your treatment cost 60,000.00 yuan; 8,685.28 yuan were paid for you, and you bear 51,314.72 yuan yourself, of which 50,000.00 lie outside the catalogues and are not reimbursed.
    Basic insurance of residents pays 7,748.00 yuan for you.
    Chronic outpatient benefit: not for this bill; the desk can tell you why.
    Major-disease insurance of residents: your cost has not passed the deductible of 11,000.00 yuan, so it pays nothing this time.
    Supplementary insurance for people in hardship: no rule of it covers the date of your treatment.
    Medical assistance pays 391.20 yuan for you.
    Under Seven waivers and one reduction the institution waives 546.08 yuan for you.
    ");
}

#[test]
fn an_auditor_reads_exact_amounts_caps_and_the_test_that_failed() {
    let release = release();
    let mut facts = bill(&release, 60_000, "2026-06-30", &["marginal"]);
    facts.compliant = Fen(5_000_037);
    let policy = release.jurisdiction("cn/henan/zhengzhou").expect("the pack").to_read();
    let mut year = YearAccumulators::NONE;
    assert!(policy.set_accumulator(&mut year, "basic_paid", Fen::yuan(140_000)));
    let trace = settle(policy, &facts, &mut year);
    let audit = policy.audit(&trace, Language::Zh, Sight::ALL);
    let of = |id: &str| audit.iter().find(|layer| layer.id == id).expect("the layer");
    let basic = of("basic");
    // 1,100 × 63 % + 48,500.37 × 83 % = 40,948.3071.
    assert_eq!((basic.exact.as_str(), basic.rounded), ("40,948.3071", Fen(4_094_831)));
    assert_eq!((basic.rounding_difference.as_str(), basic.rounding.as_str()), ("0.0029", "四舍五入到0.01元"));
    assert_eq!(basic.cap, Some(("年度支付限额".to_owned(), Fen::yuan(10_000), Fen::ZERO)));
    assert_eq!(basic.version, Some((2, day("2021-01-01"), None)));
    assert_eq!(basic.profile.as_deref(), Some("县级二级及以下医院"));
    assert!(basic.failed.is_empty() && basic.dated == "出院日2026-06-30");
    let chronic = &of("chronic").failed[0];
    assert_eq!(
        (chronic.fact, chronic.needed.as_str(), chronic.found.as_str()),
        ("setting", "门诊慢特病", "住院")
    );
    facts.labels_at_discharge = release.labels(["poverty_alleviated"]);
    let trace = settle(policy, &facts, &mut YearAccumulators::NONE.clone());
    let told = |sight| policy.audit(&trace, Language::Zh, sight);
    let all = told(Sight::ALL);
    let waiver = all.iter().find(|layer| layer.id == "waiver").expect("the layer");
    assert_eq!(waiver.failed[0].found, "身份为脱贫人口（出院日2026-06-30）");
    assert_eq!(waiver.failed[0].as_of, day("2026-06-30"));
    let blind = Sight { diagnosis: false, labels: false };
    assert!(told(blind).iter().flat_map(|layer| &layer.failed).all(|test| !test.found.contains("脱贫")));
    let statement = policy.explain_to(&trace, Language::Zh, blind);
    let said: String = statement.layers.iter().map(|layer| layer.sentence.as_str()).collect();
    assert!(said.contains("（无权查看）") && !said.contains("脱贫人口（"), "{said}");
}

#[test]
fn the_process_is_cut_at_a_sentence_and_keeps_the_sums() {
    let release = release();
    let facts = bill(&release, 60_000, "2019-06-30", &["registered_poor"]);
    let policy = release.jurisdiction_for(facts.person_place, facts.discharge).expect("a policy").to_read();
    let trace = settle(policy, &facts, &mut YearAccumulators::NONE.clone());
    for (language, sums) in [
        (
            Language::Zh,
            [
                "总费用60,000.00元",
                "支付49,248.00元",
                "支付4,201.60元",
                "支付1,220.16元",
                "支付893.02元",
                "个人自付4,437.22元",
            ],
        ),
        (
            Language::En,
            [
                "Total 60,000.00",
                "pays 49,248.00",
                "pays 4,201.60",
                "pays 1,220.16",
                "pays 893.02",
                "Own share 4,437.22",
            ],
        ),
    ] {
        let whole = policy.process_text(&trace, language, Sight::ALL, MOST_PROCESS_CHARACTERS);
        assert_eq!(whole, text(&release, &facts, &mut YearAccumulators::NONE.clone(), language));
        let length = whole.chars().count();
        assert_eq!(policy.process_text(&trace, language, Sight::ALL, length), whole, "just enough");
        let mut lengths = Vec::new();
        for most in [length - 1, length - 60, length * 4 / 5] {
            let cut = policy.process_text(&trace, language, Sight::ALL, most);
            assert!(cut.chars().count() <= most, "{most}: {cut}");
            for sum in sums {
                assert!(cut.contains(sum), "{most}: {sum}\n{cut}");
            }
            for line in cut.lines() {
                assert!(line.trim_end().ends_with(['。', '.', '）', ')']), "{line}");
            }
            lengths.push(cut.chars().count());
        }
        assert!(lengths.is_sorted_by(|one, other| one >= other), "{lengths:?}");
        // With room for nothing else, the sums of the bill.
        let least = policy.process_text(&trace, language, Sight::ALL, 160);
        assert!(
            least.contains(sums[0]) && least.contains(sums[5]) && least.chars().count() <= 160,
            "{least}"
        );
        assert!(policy.process_text(&trace, language, Sight::ALL, 10).chars().count() <= 10);
    }
}
