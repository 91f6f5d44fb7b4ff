//! The packs that the product ships: they load, and every case in them comes out to the fen.
#![expect(clippy::expect_used, reason = "a test")]

use std::path::Path;

use kangmai_base::{Day, DivisionCode, Fen};
use kangmai_policy::{
    Guarantor, InstitutionKind, InstitutionTier, LabelSet, Language, MutationChoice, PackError, PushRhythm,
    Release, SubsidyPer, Sure, TreatFirstWhyNot,
};

/// The shipped release.
fn shipped() -> Release {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    let files = Release::read_directory(&directory).expect("policies");
    let rendered =
        |errors: Vec<PackError>| errors.iter().map(|error| error.render(Language::En)).collect::<Vec<_>>();
    Release::load(files).map_err(|errors| rendered(errors).join("\n\n")).expect("the shipped packs load")
}

#[test]
fn every_case_comes_out_to_the_fen() {
    let report = shipped().run_cases();
    let failures: Vec<String> = report
        .failures
        .iter()
        .map(|failure| format!("{}:{} {}: {}", failure.path, failure.line, failure.name, failure.difference))
        .collect();
    assert!(failures.is_empty(), "{} failures of {}\n{}", failures.len(), report.passed, failures.join("\n"));
    assert!(report.passed > 100, "only {} cases", report.passed);
}

#[test]
fn the_cases_leave_no_point_out() {
    let missing: Vec<String> =
        shipped().lint().iter().map(|point| point.render_warning(Language::En)).collect();
    assert!(missing.is_empty(), "{}", missing.join("\n\n"));
}

#[test]
fn every_small_change_makes_a_case_fail() {
    let report = shipped().mutate(&MutationChoice::default());
    let alive: Vec<String> = report.alive.iter().map(|mutant| mutant.render(Language::En)).collect();
    assert!(alive.is_empty(), "{}", alive.join("\n\n"));
    assert!(report.killed > 1_000, "only {} changes", report.killed);
    // The last profile of basic insurance, and the third grade where all others are taken, in each version.
    assert_eq!(report.without_effect, 6);
}

fn day(text: &str) -> Day {
    text.parse().expect("a day")
}

fn place(text: &str) -> DivisionCode {
    text.parse().expect("a place")
}

#[test]
fn tables_are_found_by_place_and_day() {
    let release = shipped();
    let (today, village) = (day("2026-11-22"), place("411722103203"));
    let rules = release.watch_rules(village, today).expect("watch rules");
    let supported = rules.group_for(release.labels(["marginal"])).expect("a group");
    assert_eq!(supported.push, PushRhythm::EveryDays(10));
    let (line, income) = release.threshold(supported.threshold, village, 2026).expect("a line");
    assert_eq!((line, income.map(|income| income.year)), (Fen(1_002_650), Some(2023)));
    let general = rules.group_for(release.labels([])).expect("a group");
    assert_eq!((general.id.as_str(), general.push), ("general", PushRhythm::Monthly));

    let yangyuan = release.watch_rules(place("130727"), day("2022-06-30")).expect("rules");
    assert_eq!((yangyuan.name.en.as_str(), yangyuan.sure), ("Watch rules of Yangyuan", Sure::Medium));
    let xian = release.watch_rules(place("610102"), today).expect("rules");
    let line = |labels: &[&str]| {
        let group = xian.group_for(release.labels(labels.iter().copied())).expect("a group");
        release.threshold(group.threshold, place("610102"), 2025).expect("a line").0
    };
    assert_eq!((line(&["subsistence_allowance"]), line(&[])), (Fen::yuan(10_000), Fen::yuan(26_000)));
    assert!(release.watch_rules(village, day("2020-12-31")).is_none());
}

#[test]
fn a_diagnosis_belongs_to_the_list_of_its_year_and_age() {
    let release = shipped();
    let table = release.disease_table(place("411722"), day("2026-01-01")).expect("a table");
    assert_eq!(table.major.len(), 30);
    for (code, age, year, expected) in [
        ("C16.9", Some(60), 2017, Some("gastric_cancer")),
        ("C34.1", Some(60), 2017, None),
        ("C34.1", Some(60), 2018, Some("lung_cancer")),
        ("I63.9", Some(70), 2018, None),
        ("I63.9", Some(70), 2019, Some("stroke")),
        ("C67", Some(70), 2019, None),
        ("C67", Some(70), 2020, Some("bladder_cancer")),
        ("C91.0", Some(17), 2026, Some("childhood_leukaemia")),
        ("C91.0", Some(18), 2026, None),
        ("C91.0", None, 2026, Some("childhood_leukaemia")),
        ("N18.5", Some(50), 2026, Some("end_stage_renal_disease")),
        ("N18.3", Some(50), 2026, None),
        ("J18.9", Some(50), 2026, None),
    ] {
        let found =
            table.major_for(code.parse().expect("a code"), age, year).map(|disease| disease.id.as_str());
        assert_eq!(found, expected, "{code} at {age:?} in {year}");
    }
    let sensitive = |code: &str| table.sensitive_level(code.parse().expect("a code"));
    assert_eq!(["B20", "F20.0", "A15.0", "I10", "C16"].map(sensitive), [5, 5, 5, 0, 0]);
    let chronic =
        |code: &str| table.chronic_for(code.parse().expect("a code"), None).map(|one| one.id.as_str());
    assert_eq!(["I10", "E11.9", "J18"].map(chronic), [Some("hypertension"), Some("diabetes"), None]);
    assert!(table.is_severe("C43.9".parse().expect("a code"), None));
}

#[test]
fn treat_first_asks_label_insurance_tier_and_county() {
    let release = shipped();
    let home = place("411722103203");
    let rules = release.treat_first(home, day("2026-11-22")).expect("rules");
    let label = release.labels(["marginal"]);
    let ask =
        |labels, insured, tier, institution| rules.entitled(labels, insured, home, tier, place(institution));
    let (county, city) = (InstitutionTier::County, InstitutionTier::City);
    assert_eq!(ask(label, true, county, "411722"), Ok(()));
    assert_eq!(ask(LabelSet::NONE, true, county, "411722"), Err(TreatFirstWhyNot::NoLabel));
    assert_eq!(ask(label, false, county, "411722"), Err(TreatFirstWhyNot::Uninsured));
    assert_eq!(ask(label, true, city, "411722"), Err(TreatFirstWhyNot::NotTier));
    assert_eq!(ask(label, true, county, "411723"), Err(TreatFirstWhyNot::NotPlace));
}

#[test]
fn what_is_agreed_about_the_own_share_is_in_the_pack_and_marked_as_unsure() {
    let release = shipped();
    let rules = release.treat_first(place("411722103203"), day("2026-11-22")).expect("rules");
    let payment = rules.payment.as_ref().expect("terms of payment");
    assert_eq!((payment.due_after_days, payment.due_soon_days, payment.remind_after_days), (0, 7, 30));
    let deferral = rules.deferral.as_ref().expect("terms of deferral");
    assert_eq!((deferral.most_months, deferral.least_amount), (12, Fen::yuan(100)));
    assert_eq!(deferral.guarantors, [Guarantor::TownshipGovernment, Guarantor::VillageCommittee]);
    let write_off = rules.write_off.as_ref().expect("who bears a write-off");
    let funds: Vec<&str> = write_off.bearers.iter().map(|bearer| bearer.fund.as_str()).collect();
    assert_eq!(funds, ["institution", "emergency_rescue"]);
    let claim = rules.claim.as_ref().expect("what may be claimed");
    assert_eq!(
        (claim.layers.as_slice(), claim.bearer.fund.as_str()),
        (&["waiver".to_owned()][..], "county_finance")
    );
    assert!([payment.sure, deferral.sure, write_off.sure, claim.sure].iter().all(|sure| *sure == Sure::Low));
    let before = release.treat_first(place("411722103203"), day("2019-06-30")).expect("rules of then");
    assert!(before.payment.is_none() && before.claim.is_none());
}

#[test]
fn packs_nest_by_place_and_day() {
    let release = shipped();
    let found = |code: &str, on: &str| {
        release.jurisdiction_for(place(code), day(on)).map(|one| one.pack.directory.clone())
    };
    assert_eq!(found("410105", "2026-01-01").as_deref(), Some("cn/henan/zhengzhou"));
    assert_eq!(found("411722103203", "2026-01-01").as_deref(), Some("cn/henan"));
    assert_eq!(found("411722103203", "2016-12-31"), None);
    assert_eq!(found("220102", "2020-01-01").as_deref(), Some("cn/jilin/changchun"));
    assert_eq!(found("220102", "2026-01-01"), None);
    assert_eq!(found("130727", "2022-06-30"), None);
    let jilin = release.jurisdiction("cn/jilin/changchun").expect("the pack");
    assert_eq!(jilin.policy::<&str>(&[]).map(|_| ()).map_err(|open| open.0.len()), Err(1));
    assert!(jilin.policy(&["jilin-insurance"]).is_ok());
}

#[test]
fn a_premium_is_due_by_label_and_insured_year() {
    let release = shipped();
    let due = |place_of: &str, year, labels: &[&str]| {
        let due = release.premium_due(place(place_of), year, release.labels(labels.iter().copied()));
        due.map(|due| (due.pays, due.at_most))
    };
    let (hebei, henan) = ("130727", "411722103203");
    assert_eq!(due(hebei, 2025, &["marginal"]), Some((Some(Fen::yuan(160)), true)));
    assert_eq!(due(hebei, 2025, &["orphan"]), Some((Some(Fen::ZERO), false)));
    assert_eq!(due(henan, 2025, &["marginal"]), Some((Some(Fen::yuan(400)), false)));
    assert_eq!(due(henan, 2025, &["subsistence_allowance"]), Some((Some(Fen::yuan(400)), true)));
    // Of 2026 only the state's part is known: what is paid in full is nothing all the same.
    assert_eq!(due(henan, 2026, &[]), Some((None, false)));
    assert_eq!(due(henan, 2026, &["extreme_poverty"]), Some((Some(Fen::ZERO), false)));
    assert_eq!(due(henan, 2027, &[]), None);
    assert_eq!(release.premium(place(henan), 2026).map(|premium| premium.sure), Some(Sure::Low));
    assert_eq!(release.premium_aids(place(hebei), 2025).len(), 2);
}

#[test]
fn an_institution_is_due_so_much_by_the_case_and_by_the_year() {
    let release = shipped();
    let table = release.subsidies(place("410105"), day("2026-06-30")).expect("the table of Zhengzhou");
    let screening = table.items.iter().find(|item| item.id == "newborn_screening").expect("the item");
    assert_eq!((screening.per, screening.for_cases(12)), (SubsidyPer::Case, Some(Fen::yuan(1_680))));
    let poor = release.vocabulary().designation("alleviated_village_clinic").expect("the name");
    let clinic = InstitutionKind::VillageClinic;
    assert_eq!(table.due_for_year(clinic, 0), Fen::yuan(5_000));
    assert_eq!(table.due_for_year(clinic, poor), Fen::yuan(7_000));
    assert_eq!(table.due_for_year(InstitutionKind::Hospital, poor), Fen::ZERO);
    assert!(release.subsidies(place("411722"), day("2026-06-30")).is_none());
}

#[test]
fn no_cap_for_a_disease_is_shipped_because_none_was_found() {
    let release = shipped();
    assert!(!release.files().iter().any(|(path, _)| path.ends_with("disease_caps.toml")));
    assert!(release.disease_caps(place("411722"), day("2026-06-30")).is_none());
}
