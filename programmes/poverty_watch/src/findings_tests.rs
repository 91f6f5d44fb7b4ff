//! Tables of what is found, at every boundary, by the packs of 阳原 2022 and 西安 2025.

use proptest::prelude::*;

use super::*;

fn release() -> Release {
    let packs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    Release::load(Release::read_directory(&packs).expect("the packs")).expect("a release")
}

fn day(text: &str) -> Day {
    text.parse().expect("a day")
}

fn fen(text: &str) -> Fen {
    text.parse().expect("an amount")
}

const YANGYUAN: &str = "130727";
const XIAN: &str = "610100";

/// A member of group `supported` or `general` whose bill of `own` was discharged on `on`.
fn member(release: &Release, number: u128, supported: bool, bills: &[(&str, &str)], as_of: &str) -> Member {
    let mut costs = PersonCosts::default();
    for (on, own) in bills {
        costs.add(day(as_of), day(on), fen(own), Fen::ZERO, true);
    }
    let labels = if supported { release.labels(["poverty_alleviated"]) } else { LabelSet::NONE };
    Member { person: Uuid::from_u128(number), labels, enrolled: Some(true), costs, ..Member::default() }
}

fn found(place: &str, members: &[Member], as_of: &str) -> Vec<(What, Level)> {
    let release = release();
    let lines = Lines::at(&release, place.parse().expect("a code"), day(as_of)).expect("rules");
    findings(members, &lines, day(as_of)).iter().map(|finding| (finding.what, finding.level)).collect()
}

#[test]
fn each_line_at_its_boundary() {
    let release = release();
    use Level::{Orange, Yellow};
    for (place, as_of, supported, own, expected) in [
        // Xi'an 2025: 10,000 and 26,000; yellow over half.
        (XIAN, "2025-12-01", true, "5000.00", None),
        (XIAN, "2025-12-01", true, "5000.01", Some(Yellow)),
        (XIAN, "2025-12-01", true, "10000.00", Some(Yellow)),
        (XIAN, "2025-12-01", true, "10000.01", Some(Orange)),
        (XIAN, "2025-12-01", false, "13000.00", None),
        (XIAN, "2025-12-01", false, "13000.01", Some(Yellow)),
        (XIAN, "2025-12-01", false, "26000.00", Some(Yellow)),
        (XIAN, "2025-12-01", false, "26000.01", Some(Orange)),
        // Yangyuan 2022: half of, and the whole of 18,179.00 (Hebei 2021).
        (YANGYUAN, "2022-12-01", true, "4544.75", None),
        (YANGYUAN, "2022-12-01", true, "4544.76", Some(Yellow)),
        (YANGYUAN, "2022-12-01", true, "9089.50", Some(Yellow)),
        (YANGYUAN, "2022-12-01", true, "9089.51", Some(Orange)),
        (YANGYUAN, "2022-12-01", false, "9089.50", None),
        (YANGYUAN, "2022-12-01", false, "9089.51", Some(Yellow)),
        (YANGYUAN, "2022-12-01", false, "18179.00", Some(Yellow)),
    ] {
        let one = member(&release, 1, supported, &[("2022-06-01", own), ("2025-06-01", own)], as_of);
        let found = found(place, &[one], as_of);
        assert_eq!(found.first().map(|(_, level)| *level), expected, "{place} {supported} {own}");
    }
}

#[test]
fn recognition_is_for_the_insured_whom_no_class_of_aid_holds() {
    let release = release();
    let as_of = "2022-12-01";
    let of = |own: &str| member(&release, 1, false, &[("2022-02-01", own)], as_of);
    let recognised =
        |one: Member| found(YANGYUAN, &[one], as_of).contains(&(What::Recognition, Level::Orange));
    assert!(!recognised(of("18179.00")));
    assert!(recognised(of("18179.01")));
    assert!(!recognised(Member { enrolled: Some(false), ..of("18179.01") }));
    assert!(recognised(Member { enrolled: None, ..of("18179.01") }));
    for label in AIDED.into_iter().chain([RECOGNISED]) {
        assert!(!recognised(Member { labels: release.labels([label]), ..of("90000.00") }), "{label}");
    }
    assert!(recognised(Member { labels: release.labels(["poverty_alleviated"]), ..of("18179.01") }));
}

#[test]
fn windows_begin_and_end_on_their_days() {
    let release = release();
    for (on, as_of, year, rolling) in [
        ("2025-01-01", "2025-01-01", true, true),
        ("2025-01-02", "2025-01-01", false, false),
        ("2024-12-31", "2025-01-01", false, true),
        ("2024-01-02", "2025-01-01", false, true),
        ("2024-01-01", "2025-01-01", false, false),
        ("2025-01-01", "2025-12-31", true, true),
        ("2024-12-31", "2025-12-31", false, false),
    ] {
        let costs = member(&release, 1, true, &[(on, "1.00")], as_of).costs;
        let seen = (costs.year.all.0 > 0, costs.rolling.all.0 > 0);
        assert_eq!(seen, (year, rolling), "{on} seen from {as_of}");
    }
    // Rolling recognition sees last year's cost; the line over the year to date does not.
    let one = member(&release, 1, false, &[("2021-12-15", "20000.00")], "2022-03-01");
    assert_eq!(found(YANGYUAN, &[one], "2022-03-01"), [(What::Recognition, Level::Orange)]);
}

#[test]
fn over_the_line_and_one_sign_is_red() {
    let release = release();
    let as_of = "2025-12-01";
    let of = |own: &str| member(&release, 1, true, &[("2025-06-01", own)], as_of);
    let major = |from: &str| vec![MajorDiagnosis { id: Uuid::from_u128(9), from: day(from) }];
    let first = |members: &[Member]| found(XIAN, members, as_of).first().copied();
    assert_eq!(first(&[of("10000.01")]), Some((What::PersonCost, Level::Orange)));
    // Long known: no news by itself, yet it makes the cost worse.
    assert_eq!(
        first(&[Member { majors: major("2020-01-01"), ..of("10000.01") }]),
        Some((What::PersonCost, Level::Red))
    );
    assert_eq!(
        first(&[Member { majors: major("2020-01-01"), ..of("10000.00") }]),
        Some((What::PersonCost, Level::Yellow))
    );
    for (stays, level) in [(2, Level::Orange), (3, Level::Red)] {
        let bills: Vec<(&str, &str)> = (0..stays).map(|_| ("2025-06-01", "6000.00")).collect();
        let one = member(&release, 1, true, &bills, as_of);
        assert_eq!(first(&[one]), Some((What::PersonCost, level)), "{stays}");
    }
    let earner = |died: &str, birth: &str| Member {
        person: Uuid::from_u128(2),
        died_on: Some(day(died)),
        birth: Some(day(birth)),
        ..Member::default()
    };
    for (died, birth, level) in [
        ("2025-03-01", "1980-01-01", Level::Red),
        ("2024-12-01", "1980-01-01", Level::Orange),
        ("2024-12-02", "1980-01-01", Level::Red),
        ("2025-03-01", "1965-03-01", Level::Orange),
        ("2025-03-01", "1965-03-02", Level::Red),
        ("2025-03-01", "2009-03-02", Level::Orange),
    ] {
        assert_eq!(
            first(&[of("10000.01"), earner(died, birth)]),
            Some((What::PersonCost, level)),
            "{died} {birth}"
        );
    }
}

#[test]
fn signs_without_cost_are_yellow() {
    let release = release();
    let as_of = "2025-12-01";
    let quiet = |supported| member(&release, 1, supported, &[], as_of);
    let major = |from: &str| vec![MajorDiagnosis { id: Uuid::from_u128(9), from: day(from) }];
    for (from, expected) in [("2024-12-01", 0), ("2024-12-02", 1), ("2025-12-01", 1), ("2025-12-02", 0)] {
        let one = Member { majors: major(from), ..quiet(false) };
        assert_eq!(found(XIAN, &[one], as_of).len(), expected, "{from}");
    }
    let unenrolled = |supported, enrolled| Member { enrolled, ..quiet(supported) };
    assert_eq!(found(XIAN, &[unenrolled(true, Some(false))], as_of), [(What::Unenrolled, Level::Yellow)]);
    assert_eq!(found(XIAN, &[unenrolled(true, None)], as_of), []);
    assert_eq!(found(XIAN, &[unenrolled(false, Some(false))], as_of), []);
    let dead = Member { died_on: Some(day("2025-11-01")), majors: major("2025-06-01"), ..quiet(true) };
    assert_eq!(found(XIAN, &[dead], as_of), []);
}

#[test]
fn a_household_falls_by_the_sum_of_its_members() {
    let release = release();
    let as_of = "2025-12-01";
    let of = |number, own: &str| member(&release, number, true, &[("2025-06-01", own)], as_of);
    let both = [of(1, "4000.00"), of(2, "1000.00")];
    assert_eq!(found(XIAN, &both, as_of), []);
    let both = [of(1, "4000.00"), of(2, "1000.01")];
    assert_eq!(found(XIAN, &both, as_of), [(What::HouseholdCost, Level::Yellow)]);
    let both = [of(1, "5000.00"), of(2, "5000.01")];
    assert_eq!(
        found(XIAN, &both, as_of),
        [(What::HouseholdCost, Level::Orange), (What::PersonCost, Level::Yellow)]
    );
    // The dead cost too.
    let both = [of(1, "4000.00"), Member { died_on: Some(day("2025-07-01")), ..of(2, "1000.01") }];
    assert_eq!(found(XIAN, &both, as_of), [(What::HouseholdCost, Level::Yellow)]);
}

#[test]
fn which_cost_counts_is_the_groups_to_say() {
    let mut costs = PersonCosts::default();
    costs.add(day("2025-12-01"), day("2025-06-01"), fen("100.00"), fen("30.00"), false);
    assert_eq!(
        (costs.year.of(OwnCost::All), costs.year.of(OwnCost::Compliant)),
        (fen("100.00"), fen("70.00"))
    );
    assert_eq!(costs.admissions_year, 0);
}

#[test]
fn a_closed_warning_speaks_of_the_same_thing_only() {
    let finding = |what, level, cost: &str, year| Finding {
        what,
        level,
        person: Some(Uuid::from_u128(1)),
        diagnosis: (what == What::NewMajor).then(|| Uuid::from_u128(9)),
        relapse: None,
        measure: Some(Measure {
            window: CostWindow::YearToDate,
            own_cost: OwnCost::All,
            cost: fen(cost),
            line: fen("10000.00"),
            group: "supported".into(),
            income_year: None,
        }),
        worse: vec![],
        year,
    };
    let closed = [finding(What::PersonCost, Level::Orange, "12000.00", 2025)];
    for (new, is_new) in [
        (finding(What::PersonCost, Level::Orange, "12000.00", 2025), false),
        (finding(What::PersonCost, Level::Orange, "19999.99", 2025), false),
        (finding(What::PersonCost, Level::Orange, "20000.00", 2025), true),
        (finding(What::PersonCost, Level::Yellow, "9000.00", 2025), false),
        (finding(What::PersonCost, Level::Red, "12000.00", 2025), true),
        (finding(What::PersonCost, Level::Orange, "12000.00", 2026), true),
        (finding(What::Unenrolled, Level::Yellow, "0.00", 2025), true),
    ] {
        assert_eq!(is_news(std::slice::from_ref(&new), &closed), is_new, "{new:?}");
    }
    let known = [finding(What::NewMajor, Level::Yellow, "0.00", 2025)];
    let later = finding(What::NewMajor, Level::Yellow, "0.00", 2026);
    assert!(!is_news(&[later], &known), "a diagnosis is news once, not every year");
}

#[test]
fn a_disease_that_is_back_is_found_by_each_sign_and_told_once() {
    let release = release();
    let as_of = "2025-12-01";
    let with = |relapses: Vec<Relapse>| Member { relapses, ..member(&release, 1, false, &[], as_of) };
    let sign = |sign, id: u128, on: &str| Relapse { sign, id: Uuid::from_u128(id), on: day(on) };
    use RelapseSign::{Bill, Diagnosis, Visit};
    for (on, is_found) in
        [("2024-12-01", false), ("2024-12-02", true), ("2025-12-01", true), ("2025-12-02", false)]
    {
        let found = found(XIAN, &[with(vec![sign(Visit, 5, on)])], as_of);
        assert_eq!(!found.is_empty(), is_found, "{on}");
    }
    let all =
        vec![sign(Visit, 5, "2025-10-01"), sign(Bill, 6, "2025-10-02"), sign(Diagnosis, 7, "2025-10-03")];
    assert_eq!(found(XIAN, &[with(all.clone())], as_of), [(What::Relapse, Level::Yellow); 3]);
    // Whom the disease took is no household's relapse.
    let died = Member { died_on: Some(day("2025-11-01")), ..with(all) };
    assert_eq!(found(XIAN, &[died], as_of), []);

    let finding = |relapse: Relapse| Finding {
        what: What::Relapse,
        level: Level::Yellow,
        person: Some(Uuid::from_u128(1)),
        diagnosis: None,
        relapse: Some(relapse),
        measure: None,
        worse: vec![],
        year: relapse.on.year(),
    };
    let closed = [Visit, Bill, Diagnosis].map(|kind| finding(sign(kind, 5, "2025-10-01")));
    for (new, is_new) in [
        (sign(Visit, 5, "2025-10-01"), false),
        (sign(Visit, 5, "2025-11-01"), true),
        (sign(Bill, 9, "2025-11-01"), false),
        (sign(Bill, 9, "2026-01-01"), true),
        (sign(Diagnosis, 5, "2025-10-01"), false),
        (sign(Diagnosis, 8, "2025-10-01"), true),
    ] {
        assert_eq!(is_news(&[finding(new)], &closed), is_new, "{new:?}");
    }
    assert!(is_news(&[finding(sign(Visit, 5, "2025-10-01"))], &closed[1..]), "each sign is its own");
}

proptest! {
    #[test]
    fn more_cost_is_never_a_lower_level(
        bills in prop::collection::vec((0_i32..500, 1_i64..3_000_000, 0_i64..100, prop::bool::ANY), 0..8),
        more in 0_i64..3_000_000,
        supported in prop::bool::ANY,
        xian in prop::bool::ANY,
    ) {
        thread_local!(static RELEASE: Release = release());
        RELEASE.with(|release| {
            let as_of = day("2025-12-01");
            let place = if xian { XIAN } else { YANGYUAN };
            let lines = Lines::at(release, place.parse().expect("a code"), as_of).expect("rules");
            let labels = if supported { release.labels(["marginal"]) } else { LabelSet::NONE };
            let level = |extra: i64| {
                let mut costs = PersonCosts::default();
                for (back, own, outside, admitted) in &bills {
                    costs.add(as_of, as_of.plus_days(-back), Fen(own + extra), Fen(own * outside / 100), *admitted);
                }
                let one = Member { labels, costs, enrolled: Some(true), ..Member::default() };
                level_of(&findings(&[one], &lines, as_of))
            };
            prop_assert!(level(more) >= level(0));
            Ok(())
        })?;
    }

    #[test]
    fn costs_are_the_sums_of_their_bills(
        bills in prop::collection::vec((-5_i32..500, 0_i64..3_000_000, 0_i64..100), 0..20),
    ) {
        let as_of = day("2025-12-01");
        let mut costs = PersonCosts::default();
        for (back, own, outside) in &bills {
            costs.add(as_of, as_of.plus_days(-back), Fen(*own), Fen(own * outside / 100), true);
        }
        for window in [CostWindow::YearToDate, CostWindow::Rolling12Months] {
            let start = window_start(window, as_of);
            let within = || bills.iter().filter(|(back, ..)| {
                let on = as_of.plus_days(-back);
                on >= start && on <= as_of
            });
            let (sums, admissions) = costs.over(window);
            prop_assert_eq!(sums.all.0, within().map(|(_, own, _)| own).sum::<i64>());
            prop_assert_eq!(sums.compliant.0, within().map(|(_, own, outside)| own - own * outside / 100).sum::<i64>());
            prop_assert_eq!(admissions as usize, within().count());
        }
    }
}
