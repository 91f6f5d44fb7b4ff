//! `kangmai policy check` and `kangmai policy mutate` from the outside, on a pack small enough to see through.
#![expect(clippy::expect_used, reason = "a test")]

use std::path::PathBuf;
use std::process::{Command, Output};

const LABELS: &str = "\
[[label]]
id = \"marginal\"
name = { zh = \"边缘易致贫户\", en = \"marginal\" }
[[label]]
id = \"orphan\"
name = { zh = \"孤儿\", en = \"orphan\" }
";

const PACK: &str = "\
id = \"small\"
name = { zh = \"小县\", en = \"Small\" }
division = \"990101\"
inherits = \"none\"
";

/// Rules that rest on no notice: a test.
const BENEFIT: &str = r#"
id      = "aid"
name    = { zh = "救助", en = "Aid" }
payer   = { kind = "assistance", fund = "aid", name = { zh = "救助资金", en = "aid" }, national = "maf_pay" }
kind    = "share"
date    = "discharge"
round   = { mode = "half_up", to = "0.01", at = "layer" }
base    = { take = "remaining_compliant", over = "bill", owner = "person" }
accumulators = { deductible = "aid_deductible", paid = "aid_paid" }
applies = { fact = "label", any_of = ["marginal", "orphan"], as_of = "discharge" }

[[version]]
from   = "2020-01-01"
sure   = "low"
source = { doc = "…" }
  [[version.profile]]
  name = { zh = "儿童", en = "children" }
  when = { fact = "age", at_most = 14, as_of = "admission" }
  deductible = "0.00"
  deductible_over = "year"
  ratio = "90%"
  yearly_cap = "none"
  [[version.profile]]
  name = { zh = "其他人", en = "others" }
  deductible = "500.00"
  deductible_over = "year"
  ratio = "60%"
  yearly_cap = "20000.00"

"#;

/// A release with one small pack; gone afterwards.
struct Packs(PathBuf);

impl Packs {
    fn new(name: &str, cases: &str) -> Packs {
        let directory =
            std::env::temp_dir().join(format!("kangmai-test-policy-{name}-{}", std::process::id()));
        let packs = Packs(directory);
        packs.write("labels.toml", LABELS);
        packs.write("pack.toml", PACK);
        packs.write("benefits/10-aid.toml", &format!("{BENEFIT}{cases}"));
        packs
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.join("small").join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    fn policy(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kangmai"));
        command.arg("policy").args(words).arg("--policies").arg(&self.0).arg("--english");
        command.output().expect("the command runs")
    }
}

impl Drop for Packs {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The cases that a run printed, as they would be pasted.
fn printed(told: &str) -> Vec<String> {
    let after = told.split("[[case]]").skip(1);
    let until_expect = after.map(|text| {
        let lines: Vec<&str> = text.lines().collect();
        let last = lines.iter().position(|line| line.starts_with("expect")).expect("an expectation");
        format!("[[case]]{}\n\n", lines[..=last].join("\n"))
    });
    until_expect.collect()
}

#[test]
fn the_printed_cases_pasted_into_the_pack_kill_every_mutant() {
    let packs = Packs::new("all", "");
    let output = packs.policy(&["mutate"]);
    let first = told(&output);
    assert!(!output.status.success(), "a pack without cases proves nothing: {first}");
    assert!(first.contains("with \"500.01\" here no case fails"), "{first}");
    assert!(first.contains("with the whole file left out no case fails"), "{first}");
    let cases = printed(&first);
    assert!(cases.len() > 20, "{} cases\n{first}", cases.len());

    packs.write("benefits/10-aid.toml", &format!("{BENEFIT}{}", cases.concat()));
    let second = packs.policy(&["mutate"]);
    assert!(second.status.success(), "{}", told(&second));
    assert!(told(&second).contains(" 0 went unnoticed"), "{}", told(&second));
}

#[test]
fn one_missing_case_is_underlined_and_written_down() {
    let all = printed(&told(&Packs::new("source", "").policy(&["mutate"])));
    // Without the cases of orphans, nobody notices that they are left out.
    let far: String = all.iter().filter(|case| !case.contains("orphan")).map(String::as_str).collect();
    let packs = Packs::new("one", &far);
    let output = packs.policy(&["mutate", "--pack", "small", "--only", "aid"]);
    let said = told(&output);
    assert!(!output.status.success(), "{said}");
    let underlined = "any_of = [\"marginal\", \"orphan\"], as_of = \"discharge\" }\n   |".to_owned();
    assert!(said.contains(&(underlined + &" ".repeat(51) + "^^^^^^^^\n")), "{said}");
    assert!(said.contains("verify it against the source"), "{said}");
    let missing = printed(&said).concat();
    assert!(missing.contains("labels = [\"orphan\"]"), "{missing}");

    packs.write("benefits/10-aid.toml", &format!("{BENEFIT}{far}{missing}"));
    let output = packs.policy(&["mutate"]);
    assert!(output.status.success(), "{}", told(&output));
    assert!(!packs.policy(&["mutate", "--only", "nothing"]).status.success());
}

#[test]
fn check_names_the_points_without_a_case_and_strict_refuses_them() {
    let case = "\
[[case]]
name   = \"超过起付线一分\"
date   = \"2020-01-01\"
given  = { remaining_compliant = \"500.01\", labels = [\"marginal\"] }
expect = { pays = \"0.01\" }
";
    let packs = Packs::new("lint", case);
    let output = packs.policy(&["check"]);
    let said = told(&output);
    assert!(output.status.success(), "warnings only: {said}");
    for point in [
        "warning: no case has a base of exactly 499.99 here",
        "warning: no case has a base of exactly 500.00 here",
        "warning: no case would bring the year to exactly 20000.00 (the cap is 20000.00)",
        "warning: no case falls on 2019-12-31",
        "warning: no case meets this condition (from 2020-01-01)",
        "warning: no case fails to meet this condition (from *)",
        "  deductible = \"500.00\"\n   |                ^^^^^^^^",
    ] {
        assert!(said.contains(point), "{point}\n{said}");
    }
    for covered in ["exactly 500.01 here", "no case falls on 2020-01-01"] {
        assert!(!said.contains(covered), "{covered}\n{said}");
    }
    let output = packs.policy(&["check", "--strict"]);
    assert!(!output.status.success() && told(&output).contains("error: no case falls on 2019-12-31"));
}

#[test]
fn a_table_proves_itself_too() {
    let income = "\
[[line]]
kind   = \"rural_disposable\"
year   = 2022
amount = \"18697.00\"
sure   = \"low\"
source = { doc = \"…\" }
";
    let packs = Packs::new("income", "");
    packs.write("income.toml", income);
    let output = packs.policy(&["mutate", "--only", "income"]);
    let said = told(&output);
    assert!(!output.status.success() && said.contains("with \"18697.01\" here no case fails"), "{said}");
    packs.write("income.toml", &format!("{income}{}", printed(&said).concat()));
    let output = packs.policy(&["mutate", "--only", "income"]);
    assert!(output.status.success(), "{}", told(&output));
}

#[test]
fn figures_and_dates_that_cannot_be_are_underlined_with_their_mend() {
    let gap = BENEFIT.replace("from   = \"2020-01-01\"", "from   = \"2020-01-01\"\nto     = \"2024-02-28\"")
        + &BENEFIT[BENEFIT.find("[[version]]").expect("a version")..]
            .replace("from   = \"2020-01-01\"", "from   = \"2024-03-01\"");
    let tiers =
        BENEFIT.replace("\"share\"", "\"tiers\"").replace("deductible_over = \"year\"\n", "").replace(
            "  ratio = \"90%\"",
            "  tiers = [ { above = \"9.00\", ratio = \"90%\" }, { above = \"9.00\", ratio = \"80%\" } ]",
        );
    for (text, problem) in [
        (BENEFIT.replace("\"60%\"", "\"101%\""), "a ratio over 100%: 101%"),
        (gap, "nothing is said for 2024-02-29 to 2024-02-29"),
        (tiers, "\"9.00\""),
        (BENEFIT.replace("owner = \"person\"", "owner = \"village\""), "village"),
    ] {
        let packs = Packs::new("wrong", "");
        packs.write("benefits/10-aid.toml", &text);
        let output = packs.policy(&["check"]);
        let said = told(&output);
        assert!(!output.status.success(), "{said}");
        assert!(said.contains(problem) && said.contains("^^^") && said.contains("= mend: "), "{said}");
    }
    let packs = Packs::new("leap", "");
    packs.write(
        "insurance_year.toml",
        "[[version]]\nfrom = \"2024-02-29\"\nrest = \"with_next\"\nsure = \"low\"\nsource = { doc = \"…\" }\n",
    );
    let output = packs.policy(&["check"]);
    assert!(!output.status.success() && told(&output).contains("no insurance year begins on 29 February"));
}

fn kangmai(database: &std::path::Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kangmai"));
    command.env("KANGMAI_MASTER_KEY", "5e".repeat(32));
    command.env("RUST_BACKTRACE", "0").arg("--database").arg(database).args(words);
    command.output().expect("the command runs")
}

#[test]
fn two_releases_are_held_against_each_other_in_words() {
    let (before, after) = (Packs::new("before", ""), Packs::new("after", ""));
    after.write("benefits/10-aid.toml", &BENEFIT.replace("\"500.00\"", "\"600.00\""));
    let path = |packs: &Packs| packs.0.to_str().expect("a path").to_owned();
    let nowhere = std::env::temp_dir().join("kangmai-test-policy-nowhere/kangmai.db");
    let output = kangmai(&nowhere, &["policy", "diff", &path(&before), &path(&after)]);
    let said = told(&output);
    assert!(said.contains("起付线 500.00 元 → 600.00 元"), "{said}");
    let english =
        told(&kangmai(&nowhere, &["policy", "diff", &path(&before), &path(&after), "--lang", "en"]));
    assert!(english.contains("deductible 500.00 yuan → 600.00 yuan"), "{english}");
    assert_eq!(told(&kangmai(&nowhere, &["policy", "diff", &path(&before), &path(&before)])), "");
    for wrong in ["no-such-directory", "abcdef12", "short"] {
        let output = kangmai(&nowhere, &["policy", "diff", wrong, "shipped"]);
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && why.contains(wrong), "{why}");
    }
    assert!(!nowhere.exists(), "a command that only reads makes no database");
}

#[test]
fn a_release_that_was_in_force_is_found_by_its_hash() {
    let folder = std::env::temp_dir().join(format!("kangmai-test-policy-kept-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let database = folder.join("kangmai.db");
    let own = Packs::new("kept", "");
    let directory = own.0.to_str().expect("a path").to_owned();
    // What works on the database keeps the law that it works by; what checks only reads.
    for words in [["watch", "run"].as_slice(), &["check"]] {
        let output = kangmai(&database, &[&["--policies", &directory], words].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let said = told(&kangmai(&database, &["--policies", &directory, "check"]));
    assert!(said.contains("published: 0 files over those of the program, by 0 publications"), "{said}");
    let hash = said.lines().last().and_then(|line| line.rsplit(' ').next()).expect("a hash").to_owned();
    // The packs of the program are in force now; those of before are kept.
    let found = told(&kangmai(&database, &["policy", "diff", &hash[..12], &directory]));
    assert_eq!(found, "", "the same");
    let changed = BENEFIT.replace("\"500.00\"", "\"600.00\"");
    own.write("benefits/10-aid.toml", &changed);
    let found = told(&kangmai(&database, &["policy", "diff", &hash, &directory]));
    assert!(found.contains("500.00 元 → 600.00 元"), "{found}");
    let shipped = kangmai(&database, &["policy", "diff", "shipped", "published"]);
    assert!(shipped.status.success() && told(&shipped).is_empty());
    let _ = std::fs::remove_dir_all(&folder);
}
