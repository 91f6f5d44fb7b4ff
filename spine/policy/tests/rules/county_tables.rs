//! The tables that a county fills in itself: what the strict loader says of mistakes, and that they prove themselves.
#![expect(clippy::expect_used, clippy::panic, reason = "a test")]

use kangmai_base::{Fen, Rate};
use kangmai_policy::{CapDeviation, Language, MutationChoice, PackError, Release};

const LABELS: &str = "[[label]]\nid = \"marginal\"\nname = { zh = \"边缘易致贫户\", en = \"marginal\" }\n";
const NAMES: &str = "[[designation]]\nid = \"named\"\nname = { zh = \"定点\", en = \"named\" }\n";
const NATION: &str =
    "id = \"cn\"\nname = { zh = \"全国\", en = \"cn\" }\ndivision = \"000000000000\"\ninherits = \"none\"\n";
const COUNTY: &str =
    "id = \"q\"\nname = { zh = \"某县\", en = \"q\" }\ndivision = \"411722\"\ninherits = \"all\"\n";
const DISEASES: &str = r#"[[version]]
from   = "2017-01-01"
sure   = "medium"
source = { doc = "某文件" }
major  = [
  { number = 1, id = "gastric_cancer", name = { zh = "胃癌", en = "gastric cancer" }, since = 2017, icd10 = ["C16"] },
  { number = 2, id = "lung_cancer", name = { zh = "肺癌", en = "lung cancer" }, since = 2018, icd10 = ["C34"] },
]
chronic = [ { id = "hypertension", name = { zh = "高血压", en = "hypertension" }, icd10 = ["I10"] } ]
severe  = { icd10 = ["C00-C97"], sure = "low", source = { doc = "某文件" } }
"#;
/// Figures that rest on no notice: a test.
const CAPS: &str = r#"[[version]]
from   = "2026-01-01"
sure   = "low"
source = { doc = "示例" }
responsible = { zh = "县医保局", en = "county insurance bureau" }
[[version.cap]]
disease   = "gastric_cancer"
hospitals = ["H1", "H2"]
pathway   = { id = "胃癌根治术", version = "2016" }
price     = "30000.00"
promised  = "80%"
[[version.cap]]
disease   = "lung_cancer"
price     = "none"
promised  = "none"
"#;
const CAP_CASES: &str = r#"
[[case]]
name   = "胃癌四定，肺癌只列名，其他没有"
date   = "2026-01-01"
points = [
  { diagnosis = "C16", disease = "gastric_cancer", hospitals = ["H1", "H2"], pathway = "胃癌根治术 2016", price = "30000.00", promised = "80%" },
  { diagnosis = "C34.1", disease = "lung_cancer", hospitals = "none", pathway = "none", price = "none", promised = "none" },
  { diagnosis = "I10", disease = "none", price = "none" },
]
[[case]]
name   = "生效前一天"
date   = "2025-12-31"
given  = { diagnosis = "C16" }
expect = { in_force = false }
"#;
const PREMIUMS: &str = r#"[[premium]]
year   = 2025
state  = "700.00"
person = "400.00"
sure   = "low"
source = { doc = "示例" }
[[aid]]
id = "fixed"
name = { zh = "定额", en = "fixed" }
from_year = 2025
to_year = 2025
labels = ["marginal"]
gives = "fixed"
amount = "200.00"
sure = "low"
source = { doc = "示例" }
"#;
const SUBSIDIES: &str = r#"[[version]]
from   = "2026-01-01"
sure   = "low"
source = { doc = "示例" }
[[version.item]]
id = "screening"
name = { zh = "筛查", en = "screening" }
per = "case"
amount = "140.00"
kinds = ["maternal_child", "hospital"]
designations = ["named"]
"#;

fn files() -> Vec<(String, String)> {
    [
        ("cn/labels.toml", LABELS),
        ("cn/designations.toml", NAMES),
        ("cn/pack.toml", NATION),
        ("cn/diseases.toml", DISEASES),
        // Before diseases.toml by name: the order in which files are read must not matter.
        ("cn/a/pack.toml", COUNTY),
        ("cn/a/disease_caps.toml", CAPS),
        ("cn/a/premiums.toml", PREMIUMS),
        ("cn/a/subsidies.toml", SUBSIDIES),
    ]
    .map(|(path, text)| (path.to_owned(), text.to_owned()))
    .to_vec()
}

fn with(path: &str, change: impl FnOnce(&mut String)) -> Vec<(String, String)> {
    let mut all = files();
    let (_, text) = all.iter_mut().find(|(other, _)| other.ends_with(path)).expect("the file");
    change(text);
    all
}

/// The errors of the release in which `from` is replaced by `to`.
fn spoilt(path: &str, from: &str, to: &str) -> Vec<PackError> {
    let files = with(path, |text| {
        assert!(text.contains(from), "{path} does not hold {from}");
        *text = text.replacen(from, to, 1);
    });
    let spoilt = Release::load(files).map(|_| ());
    spoilt.err().unwrap_or_else(|| panic!("{from:?} -> {to:?} loads"))
}

#[test]
fn each_mistake_is_told_at_its_place() {
    for (path, from, to, problem, mend) in [
        (
            "caps.toml",
            "disease   = \"lung_cancer\"",
            "disease   = \"lung_cancers\"",
            "lung_cancers",
            "gastric_cancer, lung_cancer",
        ),
        (
            "caps.toml",
            "\"lung_cancer\"",
            "\"gastric_cancer\"",
            "`gastric_cancer` stands there twice",
            "remove",
        ),
        ("caps.toml", "price     = \"none\"\n", "", "`price` is missing", "price"),
        ("caps.toml", "promised  = \"80%\"", "promised  = \"180%\"", "180%", ""),
        ("caps.toml", "hospitals =", "hospital =", "`hospital`", "hospitals"),
        ("caps.toml", "responsible =", "# responsible =", "`responsible` is missing", ""),
        ("premiums.toml", "year   = 2025", "years  = 2025", "`years`", "year"),
        ("premiums.toml", "\"400.00\"", "\"local\"", "local", ""),
        ("premiums.toml", "\"200.00\"", "\"unknown\"", "unknown", ""),
        ("premiums.toml", "to_year = 2025", "to_year = 2024", "2024", ""),
        ("premiums.toml", "\"fixed\"\namount", "\"part\"\namount", "`part`", "full, fixed, share"),
        ("premiums.toml", "\"fixed\"\namount", "\"full\"\namount", "`amount`", ""),
        ("premiums.toml", "[\"marginal\"]", "[\"marginals\"]", "marginals", "marginal"),
        ("subsidies.toml", "\"case\"", "\"month\"", "`month`", "case, year"),
        ("subsidies.toml", "\"named\"", "\"name\"", "`name`", "named"),
        ("subsidies.toml", "\"hospital\"", "\"clinic\"", "`clinic`", "village_clinic"),
        ("subsidies.toml", "\"140.00\"", "\"-1.00\"", "-1.00", ""),
    ] {
        let errors = spoilt(path, from, to);
        let told = errors.iter().find(|error| error.path.ends_with(path)).expect("an error of the file");
        let (said, advice) = (told.problem(Language::En), told.advice(Language::En));
        assert!(said.contains(problem) && advice.contains(mend), "{to:?}: {said} / {advice}");
    }
    let twice =
        with("premiums.toml", |text| text.push_str(&PREMIUMS.replace("\"fixed\"\nname", "\"other\"\nname")));
    let errors = Release::load(twice).expect_err("one year twice");
    assert!(
        errors.iter().any(|error| error.problem(Language::En) == "`2025` stands there twice"),
        "{errors:?}"
    );
    let empty = with("premiums.toml", |text| text.clear());
    assert!(Release::load(empty).is_err(), "a file that says nothing was meant to say something");
}

fn mutants(release: &Release, only: &str) -> Vec<String> {
    let choice = MutationChoice { only: Some(only.to_owned()), ..MutationChoice::default() };
    let report = release.mutate(&choice);
    assert!(report.killed + report.alive.len() > 5, "{only} is changed");
    report.alive.iter().map(|mutant| mutant.render(Language::En)).collect()
}

#[test]
fn a_table_with_its_cases_leaves_no_change_unnoticed() {
    let release = Release::load(with("caps.toml", |text| text.push_str(CAP_CASES))).expect("a good release");
    let report = release.run_cases();
    assert!(report.failures.is_empty() && report.passed == 4, "{:?}", report.failures);
    assert_eq!(mutants(&release, "disease_caps"), Vec::<String>::new());
}

/// The cases that a mutant's report proposes, as they would be pasted.
fn proposed(alive: &[String]) -> String {
    let case = |told: &String| told.split_once("[[case]]").map(|(_, case)| format!("\n[[case]]{case}\n"));
    alive.iter().filter_map(case).collect()
}

#[test]
fn the_proposed_cases_pasted_into_a_table_kill_every_mutant() {
    for (path, only) in
        [("caps.toml", "disease_caps"), ("premiums.toml", "premiums"), ("subsidies.toml", "subsidies")]
    {
        let alive = mutants(&Release::load(files()).expect("a good release"), only);
        assert!(!alive.is_empty(), "{only} proves nothing without cases");
        let release =
            Release::load(with(path, |text| text.push_str(&proposed(&alive)))).expect("a good release");
        assert!(release.run_cases().failures.is_empty(), "{only}");
        assert_eq!(mutants(&release, only), Vec::<String>::new(), "{only}");
    }
}

#[test]
fn a_bill_is_held_against_what_its_county_set() {
    let release = Release::load(files()).expect("a good release");
    let village = "411722103203".parse().expect("a place");
    let on = |day: &str| release.disease_caps(village, day.parse().expect("a day"));
    assert!(on("2025-12-31").is_none());
    let cap = on("2026-06-30").and_then(|caps| caps.cap_for("gastric_cancer")).expect("the cap");
    assert_eq!(cap.promised, Some(Rate::percent(80)));
    assert_eq!(cap.deviations("H2", Fen::yuan(30_000), Fen::yuan(6_000)), []);
    assert_eq!(
        cap.deviations("H9", Fen::yuan(40_000), Fen::yuan(8_000)),
        [CapDeviation::Elsewhere, CapDeviation::OverPrice { over: Fen::yuan(10_000) }]
    );
}
