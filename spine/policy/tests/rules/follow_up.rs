//! Follow-up as tables: the shipped programmes prove themselves, one sheet asks each thing once, and a file that is wrong
//! says so.

#![expect(clippy::expect_used, clippy::panic, reason = "a test says what it needs")]

use kangmai_base::{Day, DivisionCode};
use kangmai_policy::follow_up::{Answers, Classified, Patient, sheet};
use kangmai_policy::{Language, MutationChoice, Release};

fn packs() -> Vec<(String, String)> {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    Release::read_directory(&directory).expect("the packs")
}

fn shipped() -> Release {
    Release::load(packs()).unwrap_or_else(|errors| panic!("{}", errors[0].render(Language::En)))
}

fn place() -> DivisionCode {
    "411722103203".parse().expect("a code")
}

fn day(text: &str) -> Day {
    text.parse().expect("a day")
}

const PROGRAMMES: [&str; 9] = [
    "child",
    "copd",
    "cured",
    "elderly",
    "hypertension",
    "maternal",
    "severe_mental_illness",
    "tuberculosis",
    "type2_diabetes",
];

#[test]
fn every_programme_is_in_force_today() {
    let release = shipped();
    let names: Vec<&str> =
        release.follow_ups(place(), day("2026-11-26")).iter().map(|rules| rules.programme.as_str()).collect();
    assert_eq!(names, PROGRAMMES);
    let sensitive = |id| release.follow_up(id, place(), day("2026-11-26")).map(|rules| rules.sensitive);
    assert_eq!((sensitive("severe_mental_illness"), sensitive("hypertension")), (Some(5), Some(0)));
}

#[test]
fn every_change_of_every_programme_is_noticed_by_a_case() {
    let release = shipped();
    let failures = release.run_cases().failures;
    assert!(failures.is_empty(), "{failures:#?}");
    for programme in PROGRAMMES {
        let choice = MutationChoice { only: Some(programme.to_owned()), ..MutationChoice::default() };
        let report = release.mutate(&choice);
        let alive: Vec<String> = report.alive.iter().map(|alive| alive.render(Language::En)).collect();
        assert!(alive.is_empty(), "{programme}: {} alive\n{}", alive.len(), alive.join("\n"));
        assert!(report.killed > 10, "{programme}: {}", report.killed);
    }
}

#[test]
fn one_sheet_asks_each_thing_once() {
    let release = shipped();
    let today = day("2026-11-26");
    let of = |id| release.follow_up(id, place(), today).expect(id);
    let (pressure, glucose) = (of("hypertension"), of("type2_diabetes"));
    let both = sheet([pressure, glucose]);
    let ids: Vec<&str> = both.iter().map(|ask| ask.item.id.as_str()).collect();
    let mut once = ids.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), ids.len(), "{ids:?}");
    assert!(both.len() < pressure.asks.len() + glucose.asks.len());
    for rules in [pressure, glucose] {
        for ask in &rules.asks {
            let on_sheet = both.iter().find(|known| known.item.id == ask.item.id).expect("on the sheet");
            assert!(on_sheet.required || !ask.required, "{}", ask.item.id);
        }
    }
}

#[test]
fn one_visit_is_classified_by_each_programme_for_itself() {
    let release = shipped();
    let today = day("2026-11-26");
    let written = [
        ("systolic", "150"),
        ("diastolic", "85"),
        ("fasting_glucose", "6.5"),
        ("hypertension_danger", "none"),
        ("diabetes_danger", "none"),
        ("side_effect", "none"),
        ("complication", "none"),
    ];
    let state = |programme: &str| {
        let rules = release.follow_up(programme, place(), today).expect(programme);
        let answers: Answers = rules
            .asks
            .iter()
            .filter_map(|ask| {
                let (_, text) = written.iter().find(|(item, _)| *item == ask.item.id)?;
                Some((ask.item.id.clone(), ask.item.answer(&[text]).expect("an answer")))
            })
            .collect();
        match rules.classify(&answers, &Patient { age: Some(60), ..Patient::default() }) {
            Classified::As(state) => state.id.clone(),
            other => format!("{other:?}"),
        }
    };
    assert_eq!(
        (state("hypertension").as_str(), state("type2_diabetes").as_str()),
        ("uncontrolled", "controlled")
    );
}

#[test]
fn the_table_and_its_cases_go_to_a_phone_as_json() {
    let release = shipped();
    let rules = release.follow_up("hypertension", place(), day("2026-11-26")).expect("rules");
    let json = serde_json::to_value(rules).expect("json");
    assert_eq!(json["states"][0]["when"]["any"][0]["number"]["limit"], "180");
    assert_eq!(json["asks"][0]["item"]["id"], "systolic");
    let vectors = serde_json::to_value(release.follow_up_vectors()).expect("json");
    let vectors = vectors.as_array().expect("a list");
    assert!(vectors.len() > 150, "{}", vectors.len());
    let danger = vectors.iter().filter(|vector| vector["expect"]["state"] == "danger").count();
    assert!(danger > 20, "{danger}");
}

#[test]
fn a_county_tightens_a_programme_for_itself() {
    let mut files = packs();
    let national = files.iter().find(|(path, _)| path == "cn/follow_up/hypertension.toml").expect("the file");
    let own = national
        .1
        .split("[[case]]")
        .next()
        .expect("rules")
        .replace("next = { months = 3 }", "next = { months = 2 }");
    files.push(("cn/henan/follow_up/hypertension.toml".to_owned(), own));
    let release = Release::load(files).unwrap_or_else(|errors| panic!("{}", errors[0].render(Language::En)));
    let next = |place: &str| {
        let rules = release.follow_up("hypertension", place.parse().expect("a code"), day("2026-11-26"));
        rules.and_then(|rules| rules.state("controlled")).map(|state| state.next.count)
    };
    assert_eq!((next("411722103203"), next("220581001001")), (Some(2), Some(3)));
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_mend() {
    let national = packs();
    let whole =
        &national.iter().find(|(path, _)| path == "cn/follow_up/hypertension.toml").expect("the file").1;
    for (from, to, says) in [
        ("item = \"systolic\", at_least = 180", "item = \"systolik\", at_least = 180", "systolic"),
        ("item = \"systolic\", at_least = 180", "item = \"systolic\", at_least = \"180.5\"", "decimals"),
        (
            "item = \"systolic\", at_least = 180",
            "item = \"systolic\", at_least = 180, below = 200",
            "one comparison",
        ),
        ("last = [\"uncontrolled\", \"refer\"]", "last = [\"uncontroled\"]", "uncontrolled"),
        ("next = { weeks = 2 }", "next = { fortnights = 1 }", "unit"),
        ("belongs = { icd10 = [\"I10\"], min_age = 35 }", "belongs = {}", "at least one of"),
        ("\"vision\"", "\"visions\"", "vision"),
        ("required = [\"systolic\"", "required = [\"systolic\", \"systolic\"", "systolic"),
        ("item = \"systolic\", at_least = 180", "item = \"medicines\", at_least = 180", "words"),
        ("due = { days = 364 }", "due = { days = 70000 }", "unit"),
    ] {
        assert!(whole.contains(from), "{from}");
        let files = national.iter().map(|(path, text)| {
            let changed = if path == "cn/follow_up/hypertension.toml" {
                text.replacen(from, to, 1)
            } else {
                text.clone()
            };
            (path.clone(), changed)
        });
        let errors = Release::load(files).expect_err(to);
        let text: Vec<String> = errors.iter().map(|error| error.render(Language::En)).collect();
        assert!(text.iter().any(|text| text.contains(says)), "{to}: {}", text.join("\n"));
    }
}
