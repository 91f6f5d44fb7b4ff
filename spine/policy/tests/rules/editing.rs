//! Changes written into the files, what a release says otherwise, and cases that come out otherwise: over the shipped packs.
#![expect(clippy::expect_used, reason = "a test says what it needs")]

use std::path::Path;

use kangmai_policy::overlay::figures;
use kangmai_policy::{
    Citation, Language, MutationChoice, Overlay, Release, Sure, diff, take_over, with_case_checked,
};

const PACK: &str = "cn/henan";

fn shipped() -> Release {
    let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    Release::load(Release::read_directory(&packs).expect("the packs")).expect("a release")
}

fn notice() -> Citation {
    Citation {
        doc: "示例市医疗保障局通知（示例〔2026〕1号）".to_owned(),
        article: Some("第三条".to_owned()),
        quote: Some("支付比例\n提高到“65%”\"".to_owned()),
        sure: Sure::High,
    }
}

/// The release with some of its files exchanged.
fn with(release: &Release, files: &[(String, String)]) -> Release {
    let rest = release.files().iter().filter(|(path, _)| !files.iter().any(|(other, _)| other == path));
    let all: Vec<(String, String)> = rest.chain(files).cloned().collect();
    Release::load(all).expect("a release")
}

fn written(release: &Release, change: &str) -> Vec<(String, String)> {
    Overlay::parse(&[change]).expect(change).write(release, PACK, &notice()).expect(change)
}

fn said(before: &Release, after: &Release) -> Vec<String> {
    diff(before, after).into_iter().map(|one| one.text.get(Language::Zh).to_owned()).collect()
}

#[test]
fn every_figure_that_is_offered_can_be_written_and_is_what_the_overlay_says() {
    let release = shipped();
    let (first, last) = ("2026-01-01".parse().expect("a day"), "2026-12-31".parse().expect("a day"));
    let mut seen = std::collections::BTreeSet::new();
    for one in release.jurisdictions() {
        for figure in figures(&release, one, first, last) {
            // One of each kind in each file, and each group's number, is enough: the rest is written alike.
            if !seen.insert((figure.benefit.clone(), figure.key.clone(), figure.profile.is_some())) {
                continue;
            }
            let change = format!("{} = {} from 2026-07-01", figure.path, figure.value);
            let overlay = Overlay::parse(&[&change]).expect(&change);
            let laid = overlay.apply(&release, &one.pack.directory).expect(&change);
            let files = overlay.write(&release, &one.pack.directory, &notice()).expect(&change);
            let after = with(&release, &files);
            let (path, text) = &files[0];
            let old = &release.files().iter().find(|(known, _)| known == path).expect("it").1;
            for comment in old.lines().filter(|line| line.trim_start().starts_with('#')) {
                assert!(text.contains(comment), "{change} loses {comment}");
            }
            for (found, wanted) in after.jurisdictions().iter().zip(laid.jurisdictions()) {
                for (layer, other) in found.to_read().layers().iter().zip(wanted.to_read().layers()) {
                    let terms = |benefit: &kangmai_policy::Benefit| -> Vec<_> {
                        let versions = benefit.versions.iter();
                        let profiles = versions.map(|version| {
                            let own = version
                                .profiles
                                .iter()
                                .map(|one| (one.when.clone(), one.terms.clone(), one.yearly_cap));
                            (
                                version.period,
                                own.collect::<Vec<_>>(),
                                version.ratio_rules.clone(),
                                version.deductible_rules.clone(),
                            )
                        });
                        profiles.collect()
                    };
                    assert_eq!(terms(&layer.benefit), terms(&other.benefit), "{change}");
                }
            }
            // The same value: nothing differs but what it rests on.
            let told = said(&release, &after);
            assert!(
                told.iter().all(|line| line.contains("依据")
                    || line.contains("可靠程度")
                    || line.contains("carried_forward")),
                "{told:?}"
            );
        }
    }
    assert!(seen.len() > 12, "{seen:?}");
}

#[test]
fn a_change_says_what_it_rests_on_and_leaves_the_rest_on_what_it_rested_on() {
    let release = shipped();
    let files = written(&release, "major [参保居民] tiers[1].ratio = 65% from 2026-01-01");
    let after = with(&release, &files);
    let one = after.jurisdiction(PACK).expect("Henan").to_read();
    let benefit = &one.layers()[one.layer_of("major").expect("a layer")].benefit;
    let version = benefit.versions.last().expect("a version");
    assert_eq!(version.source.doc, notice().doc);
    assert_eq!(version.source.quote.as_deref(), Some("支付比例 提高到“65%”\""));
    assert_eq!((version.sure, version.profiles[1].sure), (Sure::High, None));
    let (count, tilted) = (benefit.versions.len(), &version.profiles[0]);
    let old = benefit.versions[count - 2].clone();
    assert_eq!(old.period.to.map(|to| to.to_string()).as_deref(), Some("2025-12-31"));
    assert_eq!((tilted.source.as_ref(), tilted.sure), (Some(&old.source), Some(old.sure)));
    assert_eq!(
        said(&release, &after),
        ["河南省，城乡居民大病保险，参保居民，自 2026-01-01 起：第 1 段比例 60% → 65%（依据：示例市医疗保障局通知（示例〔2026〕1号） 第三条）"]
            .map(|line| line.replace("河南省", &after.jurisdiction(PACK).expect("it").pack.name.zh))
    );
    // A second change of the same day goes into the same version; of another group it says its own document.
    let other =
        Citation { doc: "另一份通知".to_owned(), article: None, quote: None, sure: Sure::Medium };
    let second = "major [1] tiers[1].ratio = 70% from 2026-01-01";
    let files = Overlay::parse(&[second]).expect("read").write(&after, PACK, &other).expect("written");
    let last = with(&after, &files);
    let one = last.jurisdiction(PACK).expect("Henan").to_read();
    let versions = &one.layers()[one.layer_of("major").expect("a layer")].benefit.versions;
    assert_eq!(versions.len(), count, "no version more");
    let last_one = &versions[count - 1];
    assert_eq!(last_one.profiles[0].source.as_ref().map(|source| source.doc.as_str()), Some("另一份通知"));
    assert_eq!(last_one.source.doc, notice().doc);
    assert_eq!(said(&after, &last).len(), 1);
    assert_eq!(said(&last, &last), [""; 0]);
}

#[test]
fn cases_that_come_out_otherwise_are_shown_and_taken_over() {
    let release = shipped();
    let mut after =
        with(&release, &written(&release, "major [参保居民] tiers[1].ratio = 65% from 2026-01-01"));
    let changed = after.changed_cases();
    assert!(!changed.is_empty());
    for case in &changed {
        assert!(case.can_be_accepted, "{case:?}");
        assert!(case.rows.iter().all(|row| row.expected != row.found && row.day.is_some()), "{case:?}");
        assert!(case.rows.iter().all(|row| !row.given.en.contains("pays")), "{case:?}");
    }
    let given = |text: &str| changed.iter().flat_map(|case| &case.rows).any(|row| row.given.zh == text);
    assert!(given("此前各项支付后剩余的合规费用 1,000.00 元；本年此前累计费用 10,500.00 元"), "{changed:?}");
    for _ in 0..200 {
        let Some(case) = after.changed_cases().into_iter().next() else { break };
        let text = after.with_case_accepted(&case.path, case.line).expect("taken over");
        after = with(&after, &[(case.path.clone(), text)]);
    }
    assert_eq!(after.run_cases().failures, []);
    // What held before holds on: no bill is lost, and what is said of the days before stays.
    assert!(after.run_cases().passed >= release.run_cases().passed);
    assert_eq!(after.with_case_accepted("cn/henan/benefits/20-major.toml", 1), None);
    assert_eq!(after.with_case_accepted("cn/watch.toml", 1), None);
}

#[test]
fn a_mutant_s_case_waits_until_somebody_has_checked_it() {
    let release = shipped();
    let mut after =
        with(&release, &written(&release, "major [参保居民] tiers[1].ratio = 65% from 2026-01-01"));
    while let Some(case) = after.changed_cases().into_iter().next() {
        let text = after.with_case_accepted(&case.path, case.line).expect("taken over");
        after = with(&after, &[(case.path.clone(), text)]);
    }
    let choice = MutationChoice { pack: Some(PACK.to_owned()), only: Some("major".to_owned()), threads: 1 };
    assert_eq!(after.unchecked_cases(), []);
    let mut alive = after.mutate(&choice).alive;
    assert!(!alive.is_empty(), "the edge of the new version has no cases yet");
    for mutant in &alive {
        let said = [&mutant.said.zh, &mutant.said.en];
        assert!(said.iter().all(|said| !said.contains(['_', '[', '='])), "{said:?}");
        assert!(mutant.said.zh.starts_with("城乡居民大病保险，"), "{said:?}");
    }
    assert!(after.mutants(&choice) > alive.len());
    for _ in 0..4 {
        let path = &alive.first().map_or(String::new(), |mutant| mutant.error.path.clone());
        let Some((_, text)) = after.files().iter().find(|(known, _)| known == path) else { break };
        let cases = alive
            .iter()
            .filter(|mutant| mutant.error.path == *path)
            .filter_map(|mutant| mutant.case.as_ref());
        let cases: Vec<String> = cases.map(|case| format!("\n{case}\n")).collect();
        let text = format!("{}\n{}", text.trim_end(), cases.concat());
        after = with(&after, &[(path.clone(), text)]);
        alive = after.mutate(&choice).alive;
    }
    assert!(alive.iter().all(|mutant| mutant.case.is_none()), "{alive:#?}");
    let waiting = after.unchecked_cases();
    assert!(!waiting.is_empty());
    let said = waiting[0].said.as_ref().expect("in words");
    assert!(said.rows.iter().flatten().all(|row| !row.zh.is_empty() && !row.zh.contains('_')), "{said:?}");
    assert!(waiting[0].text.starts_with("[[case]]\nname   = \"待核对："), "{}", waiting[0].text);
    let count = waiting.len();
    let path = waiting[0].path.clone();
    let text = &after.files().iter().find(|(known, _)| *known == path).expect("the file").1;
    let text = with_case_checked(text, waiting[0].line).expect("checked");
    assert_eq!(with_case_checked(&text, waiting[0].line), None, "once is enough");
    after = with(&after, &[(path, text)]);
    assert_eq!(after.unchecked_cases().len(), count - 1);
    assert_eq!(after.run_cases().failures, []);
}

#[test]
fn a_county_takes_a_benefit_over_with_its_cases() {
    let release = shipped();
    let place = ("cn/henan/411722", "411722", ("上蔡县", "Shangcai"));
    let files = take_over(&release, place, "major").expect("taken over");
    let own = with(&release, &files);
    let county = "411722000000".parse().expect("a code");
    let day = "2026-01-01".parse().expect("a day");
    let one = own.jurisdiction_for(county, day).expect("a pack");
    assert_eq!(one.pack.directory, "cn/henan/411722");
    assert_eq!(own.run_cases().failures, []);
    let paths: Vec<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "cn/henan/411722/pack.toml",
            "cn/henan/411722/benefits/20-major.toml",
            "cn/henan/411722/cases/20-major.toml"
        ]
    );
    let second = take_over(&own, place, "basic").expect("taken over");
    assert!(second[0].1.contains("overrides = [\"major\", \"basic\"]"), "{}", second[0].1);
    let both = with(&own, &second);
    assert_eq!(both.run_cases().failures, []);
    // What is its own already is not taken over again; what is not there cannot be.
    assert_eq!(take_over(&both, place, "major"), None);
    assert_eq!(take_over(&both, place, "nothing"), None);
    assert_eq!(take_over(&both, ("nowhere/at/all", "11", ("", "")), "major"), None);
    let told = said(&release, &own);
    assert!(told.iter().any(|line| line.contains("新增文件 cn/henan/411722/pack.toml")), "{told:?}");
    assert!(
        told.iter().any(|line| line.contains("改由本级规定（cn/henan/411722/benefits/20-major.toml）")),
        "{told:?}"
    );
    assert_eq!(told.len(), 3, "what it says is what the province says: {told:?}");
    let differences = diff(&release, &own);
    assert!(differences.iter().all(|one| !one.is_law), "no bill is touched: {differences:?}");
    let change = "major [参保居民] tiers[1].ratio = 65% from 2026-01-01";
    let overlay = Overlay::parse(&[change]).expect("read");
    let changed = with(&own, &overlay.write(&own, "cn/henan/411722", &notice()).expect("written"));
    let law: Vec<_> = diff(&release, &changed).into_iter().filter(|one| one.is_law).collect();
    assert_eq!(law.len(), 1, "{law:?}");
    assert_eq!(law[0].from.map(|day| day.to_string()).as_deref(), Some("2026-01-01"));
    assert!(law[0].text.zh.contains("第 1 段比例 60% → 65%"));
    let back: Vec<_> = diff(&changed, &release).into_iter().filter(|one| one.is_law).collect();
    assert!(back.len() == 1 && back[0].text.zh.contains("65% → 60%"), "{back:?}");
}

/// From, to, what is said.
#[test]
fn each_kind_of_difference_is_told() {
    let release = shipped();
    let edit = |path: &str, from: &str, to: &str| {
        let text = &release.files().iter().find(|(known, _)| known == path).expect(path).1;
        assert!(text.contains(from), "{path} has no {from}");
        with(&release, &[(path.to_owned(), text.replacen(from, to, 1))])
    };
    let major = "cn/henan/benefits/20-major.toml";
    for (path, from, to, expected) in [
        (major, "# 城乡", "# 河南城乡", "只改了注释或写法"),
        (major, "half_up", "down", "不足一分怎样处理 四舍五入 → 舍去"),
        (major, "\"returned_to_poverty\"]", "\"returned_to_poverty\", \"marginal\"]", "适用条件"),
        (
            major,
            "yearly_cap = \"400000.00\"",
            "yearly_cap = \"500000.00\"",
            "2017-01-01 至 2018-12-31：年度限额 400,000.00 元 → 500,000.00 元",
        ),
        (major, "zh = \"2021年的大病保险", "zh = \"这一年的大病保险", "暂无规定的原因"),
        (major, "pays = \"35600.01\"", "pays = \"35600.02\"", "新增或改写 1 个"),
        (major, "（2022-11-08）", "（2022-11-09）", "依据 周口市"),
        ("cn/income.toml", "amount = \"6000.00\"", "amount = \"6500.00\"", "6,000.00 元 → 6,500.00 元"),
        ("cn/henan/pack.toml", "zh = \"", "zh = \"新", "→ 新"),
    ] {
        let told = said(&release, &edit(path, from, to));
        assert!(told.iter().any(|line| line.contains(expected)), "{path} {from}: {told:?}");
        assert!(told.len() <= 3, "{told:?}");
    }
    let gone: Vec<(String, String)> =
        release.files().iter().filter(|(path, _)| !path.contains("zhengzhou")).cloned().collect();
    let smaller = Release::load(gone).expect("a release");
    let told = said(&release, &smaller);
    assert!(told.iter().any(|line| line.contains("删去文件 cn/henan/zhengzhou/pack.toml")), "{told:?}");
}
