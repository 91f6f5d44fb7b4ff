//! What the strict loader says of packs that are wrong: each spoils one thing in a pack that loads.
#![expect(clippy::expect_used, clippy::panic, reason = "a test")]

use kangmai_policy::{Language, PackError, Release};

const LABELS: &str = "[[label]]\nid = \"marginal\"\nname = { zh = \"边缘易致贫户\", en = \"marginal\" }\n";
const PACK: &str =
    "id = \"p\"\nname = { zh = \"某省\", en = \"p\" }\ndivision = \"41\"\ninherits = \"none\"\n";
const CHILD: &str =
    "id = \"q\"\nname = { zh = \"某市\", en = \"q\" }\ndivision = \"4101\"\ninherits = \"all\"\n";
const BASIC: &str = r#"id      = "basic"
name    = { zh = "基本医保", en = "basic" }
payer   = { kind = "insurance", fund = "basic", name = { zh = "基金", en = "fund" }, national = "hifp_pay" }
kind    = "deductible_ratio"
date    = "discharge"
round   = { mode = "half_up", to = "0.01", at = "layer" }
base    = { take = "compliant", over = "bill", owner = "person" }
accumulators = { paid = "basic_paid" }
applies = { fact = "insured_basic", as_of = "admission" }
[[version]]
from   = "2019-01-01"
to     = "2024-02-28"
sure   = "medium"
source = { doc = "某文件" }
[[version.profile]]
name = { zh = "县级", en = "county" }
when = { fact = "institution_tier", any_of = ["county"] }
deductible = "400.00"
segments = [ { up_to = "1500.00", ratio = "63%" }, { ratio = "83%" } ]
yearly_cap = "150000.00"
[[version]]
from   = "2024-02-29"
sure   = "low"
source = { doc = "某文件" }
[[version.profile]]
name = { zh = "所有", en = "all" }
deductible = "400.00"
segments = [ { ratio = "83%" } ]
yearly_cap = "none"
"#;
const MAJOR: &str = r#"id      = "major"
name    = { zh = "大病保险", en = "major" }
payer   = { kind = "insurance", fund = "major", name = { zh = "基金", en = "fund" }, national = "hifmi_pay" }
kind    = "tiers"
date    = "discharge"
round   = { mode = "half_up", to = "0.01", at = "layer" }
base    = { take = "remaining_compliant", over = "year", owner = "person" }
after   = ["basic"]
accumulators = { base = "major_base" }
applies = { fact = "label", any_of = ["marginal"], as_of = "discharge" }
[[version]]
from   = "2019-01-01"
sure   = "medium"
source = { doc = "某文件" }
[[version.profile]]
name  = { zh = "所有", en = "all" }
tiers = [ { above = "5500.00", ratio = "80%" }, { above = "50000.00", ratio = "85%" } ]
yearly_cap = "none"
"#;

/// A profile after one for everybody.
const SECOND: &str = "yearly_cap = \"none\"
[[version.profile]]
name = { zh = \"后\", en = \"second\" }
deductible = \"0.00\"
segments = [ { ratio = \"1%\" } ]
yearly_cap = \"none\"
";

fn files() -> Vec<(String, String)> {
    [
        ("cn/labels.toml", LABELS),
        ("cn/p/pack.toml", PACK),
        ("cn/p/benefits/10-basic.toml", BASIC),
        ("cn/p/benefits/20-major.toml", MAJOR),
        ("cn/p/q/pack.toml", CHILD),
    ]
    .map(|(path, text)| (path.to_owned(), text.to_owned()))
    .to_vec()
}

/// The errors of the pack in which `from` is replaced by `to`.
fn spoilt(path: &str, from: &str, to: &str) -> Vec<PackError> {
    let mut all = files();
    let (_, text) = all.iter_mut().find(|(other, _)| other.ends_with(path)).expect("the file");
    assert!(text.contains(from), "{path} does not hold {from}");
    *text = text.replacen(from, to, 1);
    let spoilt = Release::load(all).map(|_| ());
    spoilt.err().unwrap_or_else(|| panic!("{from:?} -> {to:?} loads"))
}

#[test]
fn the_pack_that_the_tests_spoil_is_good() {
    let release = Release::load(files()).expect("a good pack");
    assert_eq!(release.jurisdictions().len(), 2);
    assert_eq!(release.hash().len(), 64);
    let mut other = files();
    other[1].1.push('\n');
    assert_ne!(
        Release::load(other).expect("a good pack").hash(),
        release.hash(),
        "one blank line is another release"
    );
}

/// File, what is replaced, by what, key of the error, line and column of the token.
type Mistake = (&'static str, &'static str, &'static str, &'static str, (usize, usize));

#[test]
fn each_mistake_is_told_at_its_place() {
    let (basic, major) = ("10-basic.toml", "20-major.toml");
    let table: &[Mistake] = &[
        (major, "tiers = [", "tier = [", "unknown_key", (17, 1)),
        (major, "sure   = \"medium\"", "sure   = \"middling\"", "not_in_list", (13, 10)),
        (major, "\"marginal\"", "\"marginl\"", "not_in_list", (10, 39)),
        (major, "fact = \"label\"", "fact = \"lable\"", "not_in_list", (10, 20)),
        (major, ", as_of = \"discharge\"", "", "no_as_of", (10, 11)),
        (
            major,
            "round   = { mode = \"half_up\", to = \"0.01\", at = \"layer\" }\n",
            "",
            "missing_key",
            (1, 1),
        ),
        (major, "date    = \"discharge\"\n", "", "missing_key", (1, 1)),
        (major, "yearly_cap = \"none\"", "", "missing_key", (15, 1)),
        (major, "yearly_cap = \"none\"", "yearly_cpa = \"none\"", "unknown_key", (18, 1)),
        (major, "\"80%\"", "\"101%\"", "over_one", (17, 40)),
        (major, "\"80%\"", "0.8", "wrong_type", (17, 40)),
        (major, "\"80%\"", "\"八成\"", "not_a_ratio", (17, 40)),
        (major, "\"50000.00\"", "\"5500.00\"", "not_rising", (17, 59)),
        (major, "\"5500.00\"", "\"5500.005\"", "not_an_amount", (17, 21)),
        (major, "\"5500.00\"", "\"-1.00\"", "not_an_amount", (17, 21)),
        (major, "tiers = [", "deductible = \"1.00\"\ntiers = [", "wrong_for_kind", (15, 1)),
        (major, "accumulators = { base = \"major_base\" }\n", "", "no_accumulator", (1, 1)),
        (major, "base = \"major_base\"", "base = \"basic_paid\"", "two_owners", (1, 1)),
        (major, "after   = [\"basic\"]", "after   = [\"basics\"]", "unknown_benefit", (1, 1)),
        (major, "from   = \"2019-01-01\"", "from   = \"2019-02-29\"", "not_a_date", (12, 10)),
        (major, "any_of = [\"marginal\"]", "any_of = []", "empty_list", (10, 11)),
        (major, "id      = \"major\"", "id      = \"basic\"", "twice", (1, 1)),
        (basic, "from   = \"2024-02-29\"", "from   = \"2024-03-01\"", "hole", (21, 1)),
        (basic, "from   = \"2024-02-29\"", "from   = \"2024-02-28\"", "overlap", (21, 1)),
        (basic, "to     = \"2024-02-28\"\n", "", "overlap", (20, 1)),
        (basic, "to     = \"2024-02-28\"", "to     = \"2018-12-31\"", "backwards", (12, 10)),
        (basic, "{ up_to = \"1500.00\"", "{ up_to = \"400.00\"", "not_rising", (19, 24)),
        (basic, "{ ratio = \"83%\" } ]", "{ up_to = \"9.00\", ratio = \"83%\" } ]", "not_rising", (19, 62)),
        (basic, "{ up_to = \"1500.00\", ratio", "{ ratio", "missing_key", (19, 14)),
        (
            basic,
            "yearly_cap = \"none\"
",
            SECOND,
            "unreachable",
            (30, 1),
        ),
        (basic, "any_of = [\"county\"]", "any_of = [\"county\"], as_of = \"admission\"", "as_of", (17, 17)),
        (basic, "date    =", "after = [\"major\"]\ndate    =", "cycle", (1, 1)),
        (basic, "kind    = \"deductible_ratio\"", "kind    = deductible_ratio", "syntax", (4, 11)),
        ("p/pack.toml", "division = \"41\"", "division = \"411\"", "not_a_code", (3, 12)),
        ("q/pack.toml", "division = \"4101\"", "division = \"4201\"", "outside_parent", (1, 1)),
        ("q/pack.toml", "inherits = \"all\"", "inherits = [\"basik\"]", "unknown_benefit", (1, 1)),
        ("q/pack.toml", "inherits", "overrides = [\"basic\"]\ninherits", "nothing_to_override", (1, 1)),
        ("labels.toml", "id = \"marginal\"", "id = \"margin\"", "not_in_list", (10, 39)),
    ];
    let mut wrong: Vec<String> = Vec::new();
    for (path, from, to, key, place) in table {
        let errors = spoilt(path, from, to);
        let keys: Vec<(&str, (usize, usize))> =
            errors.iter().map(|error| (error.code.key(), (error.line, error.column))).collect();
        let wanted = format!("policy.error.{key}");
        if !keys.contains(&(wanted.as_str(), *place)) {
            wrong.push(format!("{from:?} -> {to:?}: wanted {key} at {place:?}, found {keys:?}"));
        }
        for error in &errors {
            for language in [Language::Zh, Language::En] {
                assert!(error.render(language).contains('^'));
                for sentence in [error.problem(language), error.advice(language)] {
                    assert!(!sentence.is_empty() && !sentence.contains("policy."), "{sentence}");
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn all_mistakes_are_told_in_one_run() {
    let mut all = files();
    all[2].1 = all[2].1.replace("63%", "163%").replace("half_up", "halfup");
    all[3].1 = all[3].1.replace("tiers =", "teirs =").replace("85%", "185%");
    all.push(("cn/p/benefitss/x.toml".to_owned(), String::new()));
    all.push(("cn/z/benefits/x.toml".to_owned(), "id = \"x\"".to_owned()));
    let errors = Release::load(all).map(|_| ()).expect_err("spoilt");
    let keys: Vec<&str> = errors.iter().map(|error| error.code.key()).collect();
    for wanted in ["over_one", "not_in_list", "unknown_key", "unexpected_file", "no_pack"] {
        assert!(keys.contains(&format!("policy.error.{wanted}").as_str()), "{wanted} in {keys:?}");
    }
    assert!(Release::load(Vec::<(String, String)>::new()).is_err(), "nothing is no release");
}

#[test]
fn an_error_underlines_the_token_and_says_the_mend() {
    let both = |errors: Vec<PackError>| {
        let error = errors.first().expect("an error").clone();
        format!("{}\n\n{}", error.render(Language::Zh), error.render(Language::En))
    };
    insta::assert_snapshot!(both(spoilt("20-major.toml", "tiers = [", "teirs = [")), @r#"
    错误: 不认识的键“teirs”
      --> cn/p/benefits/20-major.toml:17:1
       |
    17 | teirs = [ { above = "5500.00", ratio = "80%" }, { above = "50000.00", ratio = "85%" } ]
       | ^^^^^
       = 改法: 是不是想写“tiers”？

    error: unknown key `teirs`
      --> cn/p/benefits/20-major.toml:17:1
       |
    17 | teirs = [ { above = "5500.00", ratio = "80%" }, { above = "50000.00", ratio = "85%" } ]
       | ^^^^^
       = mend: did you mean `tiers`?
    "#);
    insta::assert_snapshot!(both(spoilt("10-basic.toml", "\"2024-02-29\"", "\"2024-03-01\"")), @r#"
    错误: 版本之间有空档：2024-02-29 至 2024-02-29 没有规定
      --> cn/p/benefits/10-basic.toml:21:1
       |
    21 | [[version]]
       | ^^^^^^^^^^^
       = 改法: 补上版本，或用 [[gap]] 写明 2024-02-29 至 2024-02-29 为什么没有规定。

    error: a hole between versions: nothing is said for 2024-02-29 to 2024-02-29
      --> cn/p/benefits/10-basic.toml:21:1
       |
    21 | [[version]]
       | ^^^^^^^^^^^
       = mend: add a version, or say in a [[gap]] why there is no rule for 2024-02-29 to 2024-02-29.
    "#);
    insta::assert_snapshot!(both(spoilt("20-major.toml", "\"80%\"", "\"101%\"")), @r#"
    错误: 比例超过 100%：101%
      --> cn/p/benefits/20-major.toml:17:40
       |
    17 | tiers = [ { above = "5500.00", ratio = "101%" }, { above = "50000.00", ratio = "85%" } ]
       |                                        ^^^^^^
       = 改法: 一层支付不能多于它的基数；改为不超过 100%。

    error: a ratio over 100%: 101%
      --> cn/p/benefits/20-major.toml:17:40
       |
    17 | tiers = [ { above = "5500.00", ratio = "101%" }, { above = "50000.00", ratio = "85%" } ]
       |                                        ^^^^^^
       = mend: no layer pays more than its base; make it at most 100%.
    "#);
    insta::assert_snapshot!(both(spoilt("10-basic.toml", "\"县级\", en", "\"县级\", eng")), @r#"
    错误: 不认识的键“eng”
      --> cn/p/benefits/10-basic.toml:16:21
       |
    16 | name = { zh = "县级", eng = "county" }
       |                       ^^^
       = 改法: 是不是想写“en”？

    error: unknown key `eng`
      --> cn/p/benefits/10-basic.toml:16:21
       |
    16 | name = { zh = "县级", eng = "county" }
       |                       ^^^
       = mend: did you mean `en`?
    "#);
}
