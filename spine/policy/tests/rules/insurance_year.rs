//! The insurance year: which days count together, what a change of its beginning does, and what the loader refuses.
#![expect(clippy::expect_used, reason = "a test says what it needs")]

use kangmai_base::{Day, DivisionCode};
use kangmai_policy::{InsuranceYear, Language, MutationChoice, PackError, Release};

const LABELS: &str = "[[label]]\nid = \"marginal\"\nname = { zh = \"边缘易致贫户\", en = \"marginal\" }\n";
const PROVINCE: &str =
    "id = \"p\"\nname = { zh = \"某省\", en = \"p\" }\ndivision = \"41\"\ninherits = \"none\"\n";
const CITY: &str =
    "id = \"q\"\nname = { zh = \"某市\", en = \"q\" }\ndivision = \"4101\"\ninherits = \"all\"\n";

fn day(text: &str) -> Day {
    text.parse().expect("a day")
}

fn place(text: &str) -> DivisionCode {
    text.parse().expect("a place")
}

/// A version that begins on `from`; `rest` as it stands in the file.
fn version(from: &str, rest: &str) -> String {
    let rest = if rest.is_empty() { String::new() } else { format!("rest = \"{rest}\"\n") };
    format!("[[version]]\nfrom = \"{from}\"\n{rest}sure = \"low\"\nsource = {{ doc = \"某文件\" }}\n")
}

fn load(of_province: &str, of_city: &str) -> Result<Release, Vec<PackError>> {
    let mut files = vec![
        ("cn/labels.toml", LABELS.to_owned()),
        ("cn/p/pack.toml", PROVINCE.to_owned()),
        ("cn/p/q/pack.toml", CITY.to_owned()),
    ];
    for (path, text) in [("cn/p/insurance_year.toml", of_province), ("cn/p/q/insurance_year.toml", of_city)] {
        if !text.is_empty() {
            files.push((path, text.to_owned()));
        }
    }
    Release::load(files)
}

fn of_province(versions: &[(&str, &str)]) -> Result<Release, Vec<PackError>> {
    load(&versions.iter().map(|(from, rest)| version(from, rest)).collect::<String>(), "")
}

/// Label, first and last day of the year that `on` lies in, at the province.
fn year(release: &Release, on: &str) -> (i32, String, String) {
    let InsuranceYear { label, first, last } = release.insurance_year(place("410305"), day(on));
    (label, first.to_string(), last.to_string())
}

#[test]
fn without_a_word_the_year_is_the_calendar_year() {
    let release = load("", "").expect("loads");
    assert!(!release.has_insurance_years());
    for on in ["2024-01-01", "2024-02-29", "2024-12-31"] {
        assert_eq!(year(&release, on), (2024, "2024-01-01".into(), "2024-12-31".into()), "{on}");
    }
    let called = release.insurance_year_called(place("41"), 2024).expect("a year");
    assert_eq!(called, InsuranceYear::calendar(2024));
}

/// The first days of versions, each with what it says of the days left over.
type Beginnings<'a> = &'a [(&'a str, &'a str)];

/// Where a day lies: label, first and last day of its year.
type Lies = (&'static str, i32, &'static str, &'static str);

#[test]
fn each_change_of_the_beginning_says_where_the_rest_goes() {
    let (joins_before, joins_next) = ("with_before", "with_next");
    let table: &[(Beginnings<'_>, &[Lies])] = &[
        (
            &[("2026-07-01", joins_next)],
            &[
                ("2025-12-31", 2025, "2025-01-01", "2025-12-31"),
                ("2026-01-01", 2026, "2026-01-01", "2027-06-30"),
                ("2026-06-30", 2026, "2026-01-01", "2027-06-30"),
                ("2026-07-01", 2026, "2026-01-01", "2027-06-30"),
                ("2027-06-30", 2026, "2026-01-01", "2027-06-30"),
                ("2027-07-01", 2027, "2027-07-01", "2028-06-30"),
                ("2028-02-29", 2027, "2027-07-01", "2028-06-30"),
            ],
        ),
        (
            &[("2026-07-01", joins_before)],
            &[
                ("2024-12-31", 2024, "2024-01-01", "2024-12-31"),
                ("2025-01-01", 2025, "2025-01-01", "2026-06-30"),
                ("2026-06-30", 2025, "2025-01-01", "2026-06-30"),
                ("2026-07-01", 2026, "2026-07-01", "2027-06-30"),
            ],
        ),
        (
            // And back to the calendar year: half a year of its own.
            &[("2020-07-01", joins_before), ("2024-01-01", "own")],
            &[
                ("2023-06-30", 2022, "2022-07-01", "2023-06-30"),
                ("2023-07-01", 2023, "2023-07-01", "2023-12-31"),
                ("2023-12-31", 2023, "2023-07-01", "2023-12-31"),
                ("2024-02-29", 2024, "2024-01-01", "2024-12-31"),
            ],
        ),
        (
            // The same beginning said again leaves no rest.
            &[("2020-01-01", ""), ("2022-03-01", joins_next), ("2025-03-01", "")],
            &[
                ("2022-02-28", 2022, "2022-01-01", "2023-02-28"),
                ("2024-02-29", 2023, "2023-03-01", "2024-02-29"),
                ("2025-03-01", 2025, "2025-03-01", "2026-02-28"),
            ],
        ),
        (
            // A year that never came to be whole joins the one before.
            &[("2026-07-01", joins_before), ("2026-09-01", joins_before)],
            &[
                ("2026-08-31", 2025, "2025-01-01", "2026-08-31"),
                ("2026-09-01", 2026, "2026-09-01", "2027-08-31"),
            ],
        ),
    ];
    for (versions, days) in table {
        let release = of_province(versions).expect("loads");
        for (on, label, first, last) in *days {
            assert_eq!(year(&release, on), (*label, (*first).into(), (*last).into()), "{versions:?} {on}");
            let called = release.insurance_year_called(place("410305"), *label).expect("a year");
            assert_eq!(called, release.insurance_year(place("410305"), day(on)), "{versions:?} {label}");
        }
    }
}

#[test]
fn years_cover_every_day_once_and_no_name_stands_twice() {
    for versions in [
        &[("2026-07-01", "with_next")][..],
        &[("2026-07-01", "with_before"), ("2031-04-01", "with_before"), ("2040-01-01", "own")],
        &[("2026-03-01", "with_next"), ("2026-07-01", "with_before")],
    ] {
        let release = of_province(versions).expect("loads");
        let mut on = day("2019-05-05");
        let mut before: Option<InsuranceYear> = None;
        while on < day("2060-01-01") {
            let found = release.insurance_year(place("410305"), on);
            assert!(found.first <= on && on <= found.last, "{on}: {found:?}");
            if let Some(before) = before {
                assert_eq!(found.first, before.last.plus_days(1));
                assert!(found.label > before.label, "{before:?} {found:?}");
            }
            before = Some(found);
            on = found.last.plus_days(1);
        }
    }
}

#[test]
fn the_innermost_place_that_says_anything_says_it_all() {
    let release = load(&version("2020-07-01", "with_next"), &version("2024-04-01", "with_next"));
    let release = release.expect("loads");
    assert!(release.has_insurance_years());
    let label = |code: &str, on: &str| release.insurance_year(place(code), day(on)).label;
    assert_eq!((label("410305", "2023-06-30"), label("410105", "2023-06-30")), (2022, 2023));
    assert_eq!((label("410305", "2025-03-31"), label("410105", "2025-03-31")), (2024, 2024));
    assert_eq!((label("410305", "2025-04-01"), label("410105", "2025-04-01")), (2024, 2025));
    assert_eq!(label("500101", "2025-04-01"), 2025, "elsewhere");
}

/// The versions, the key of the error, its line.
type Refused = (&'static [(&'static str, &'static str)], &'static str, usize);

#[test]
fn what_cannot_be_is_refused_at_its_place() {
    let table: &[Refused] = &[
        (&[("2024-02-29", "with_next")], "leap_day", 2),
        (&[("2023-02-29", "with_next")], "not_a_date", 2),
        (&[("2026-07-01", "")], "no_rest", 2),
        (&[("2026-07-01", "own")], "year_twice", 3),
        (&[("2026-01-01", "own")], "idle_rest", 3),
        (&[("2026-07-01", "somewhere")], "not_in_list", 3),
        (&[("2026-07-01", "with_next"), ("2026-07-01", "")], "twice", 7),
        (&[("1950-07-01", "with_next")], "year_outside", 2),
        (&[("2201-07-01", "with_next")], "year_outside", 2),
    ];
    for (versions, key, line) in table {
        let Err(errors) = of_province(versions) else { panic!("{versions:?} loads") };
        let found: Vec<(&str, usize)> = errors.iter().map(|error| (error.code.key(), error.line)).collect();
        assert!(found.contains(&(&*format!("policy.error.{key}"), *line)), "{versions:?}: {found:?}");
        for error in &errors {
            for language in [Language::Zh, Language::En] {
                let said = error.render(language);
                assert!(!said.contains("policy.") && said.contains('^'), "{said}");
            }
        }
    }
    let errors = load(&version("2026-07-01", "with_next").replace("sure = \"low\"\n", ""), "");
    assert_eq!(errors.expect_err("no certainty")[0].code.key(), "policy.error.missing_key");
    let errors = load(&format!("{}to = \"2027-01-01\"\n", version("2026-07-01", "with_next")), "");
    assert_eq!(errors.expect_err("years do not end")[0].code.key(), "policy.error.unknown_key");
}

const CASES: &str = r#"
[[case]]
name = "改为7月1日以前、以后"
date = "2026-06-30"
given = {}
expect = { year = 2026, first = "2026-01-01", last = "2027-06-30" }
[[case]]
name = "新年度第一天"
date = "2027-07-01"
given = {}
expect = { year = 2027 }
"#;

#[test]
fn cases_prove_the_beginning_and_the_rest() {
    let release = load(&format!("{}{CASES}", version("2026-07-01", "with_next")), "").expect("loads");
    let report = release.run_cases();
    assert_eq!((report.passed, report.failures.len()), (2, 0), "{:?}", report.failures);
    let all = MutationChoice { only: Some("insurance_year".to_owned()), ..MutationChoice::default() };
    let mutated = release.mutate(&all);
    let alive: Vec<String> = mutated.alive.iter().map(|mutant| mutant.render(Language::En)).collect();
    assert!(alive.is_empty(), "{}", alive.join("\n\n"));
    assert!(mutated.killed >= 4, "{mutated:?}");

    let wrong = CASES.replace("year = 2027", "year = 2026");
    let release = load(&format!("{}{wrong}", version("2026-07-01", "with_next")), "").expect("loads");
    assert_eq!(release.run_cases().failures.len(), 1);

    // Without cases each change is told with the case that would notice it.
    let release = load(&version("2026-07-01", "with_next"), "").expect("loads");
    let mutated = release.mutate(&all);
    assert!(mutated.alive.len() >= 4, "{mutated:?}");
    for mutant in &mutated.alive {
        let case = mutant.case.as_ref().unwrap_or_else(|| panic!("{}", mutant.render(Language::En)));
        let text = format!("{}\n{case}", version("2026-07-01", "with_next"));
        assert_eq!(load(&text, "").expect("loads").run_cases().failures, [], "{case}");
    }
}
