//! The codes of the national interface: what the strict reader takes, and what is found by place and day.
#![expect(clippy::expect_used, reason = "a test")]

use std::path::Path;

use kangmai_base::Day;
use kangmai_policy::{InterfaceFigure, Language, Release, Setting};

const LABELS: &str = "[[label]]\nid = \"marginal\"\nname = { zh = \"边缘易致贫户\", en = \"marginal\" }\n";
const NATION: &str =
    "id = \"cn\"\nname = { zh = \"全国\", en = \"cn\" }\ndivision = \"000000000000\"\ninherits = \"none\"\n";
const CODES: &str = r#"
[[version]]
from    = "2026-01-01"
sure    = "low"
source  = { doc = "某接口规范" }
setting = [{ ours = "inpatient", code = "21" }, { ours = "inpatient", code = "24" }, { ours = "outpatient", code = "11" }]
figure  = [{ ours = "total", code = "medfee_sumamt" }]
"#;

fn day(text: &str) -> Day {
    text.parse().expect("a day")
}

fn shipped() -> Release {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    Release::load(Release::read_directory(&folder).expect("the packs")).expect("they load")
}

/// The texts of the errors of a table, in English.
fn errors(codes: &str) -> Vec<String> {
    let files = [("cn/labels.toml", LABELS), ("cn/pack.toml", NATION), ("cn/interface.toml", codes)];
    match Release::load(files) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.iter().map(|error| error.render(Language::En)).collect(),
    }
}

#[test]
fn the_shipped_codes_are_found_for_every_county_and_say_how_sure_they_are() {
    let release = shipped();
    let place = "411722103203".parse().expect("a code");
    let codes = release.interface(place, day("2026-03-05")).expect("codes");
    for (setting, code) in
        [(Setting::Inpatient, "21"), (Setting::ChronicOutpatient, "14"), (Setting::Outpatient, "11")]
    {
        assert_eq!((codes.setting(setting), codes.setting_of(code)), (Some(code), Some(setting)));
    }
    assert_eq!(codes.setting_of("99"), None);
    assert_eq!(codes.figure(InterfaceFigure::Process), Some("setl_proc_info"));
    assert_eq!(codes.sure.name(), "low");
    assert!(release.interface(place, day("2016-12-31")).is_none());
}

#[test]
fn a_word_may_have_several_codes_and_the_first_is_answered() {
    let files = [("cn/labels.toml", LABELS), ("cn/pack.toml", NATION), ("cn/interface.toml", CODES)];
    let release = Release::load(files).expect("it loads");
    let codes = release.interface("41".parse().expect("a code"), day("2026-01-01")).expect("codes");
    assert_eq!(codes.setting(Setting::Inpatient), Some("21"));
    assert_eq!(codes.setting_of("24"), Some(Setting::Inpatient));
    assert_eq!(
        (codes.setting(Setting::ChronicOutpatient), codes.figure(InterfaceFigure::OwnShare)),
        (None, None)
    );
}

#[test]
fn the_reader_is_strict() {
    assert_eq!(errors(CODES), Vec::<String>::new());
    for (from, to, says) in [
        ("code = \"24\"", "code = \"21\"", "21"),
        ("ours = \"outpatient\"", "ours = \"outpatent\"", "outpatent"),
        ("ours = \"total\"", "ours = \"totals\"", "totals"),
        ("code = \"11\"", "cod = \"11\"", "cod"),
        ("sure    = \"low\"", "sure    = \"certain\"", "certain"),
        ("figure  = [{ ours = \"total\", code = \"medfee_sumamt\" }]", "", "figure"),
    ] {
        assert!(CODES.contains(from), "{from}");
        let found = errors(&CODES.replacen(from, to, 1));
        assert!(found.iter().any(|error| error.contains(says)), "{to}: {found:?}");
    }
}
