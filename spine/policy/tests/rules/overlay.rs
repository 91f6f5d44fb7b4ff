//! Changes laid over the shipped packs: what they change, and what is said of each that cannot be.
#![expect(clippy::expect_used, reason = "a test says what it needs")]

use std::path::Path;

use kangmai_base::{Day, Fen};
use kangmai_policy::overlay::{MOST_CHANGES, figures};
use kangmai_policy::{BillFacts, Language, Overlay, PackError, Release, Settler, YearAccumulators};
use proptest::prelude::*;

const PACK: &str = "cn/henan";

fn shipped() -> Release {
    let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    Release::load(Release::read_directory(&packs).expect("the packs")).expect("a release")
}

fn laid(release: &Release, changes: &[&str]) -> Result<Release, Vec<PackError>> {
    Overlay::parse(changes)?.apply(release, PACK)
}

/// The token that an error underlines.
fn underlined(error: &PackError) -> String {
    let text = error.render(Language::En);
    let lines: Vec<&str> = text.lines().collect();
    let marks = lines.iter().position(|line| line.contains('^')).expect("marks");
    let start = lines[marks].find('^').expect("a mark");
    let width = lines[marks].matches('^').count();
    // A Chinese character takes two columns.
    let mut column = 0;
    let inside = |character: &char| {
        let here = column;
        column += if (*character as u32) >= 0x1100 { 2 } else { 1 };
        here >= start && here < start + width
    };
    lines[marks - 1].chars().filter(inside).collect()
}

#[test]
fn a_change_ends_the_version_the_day_before_and_begins_another() {
    let release = shipped();
    let change = r#"major [参保居民] tiers[1].ratio = "65%" from 2025-01-01"#;
    let changed = laid(&release, &[change]).expect("laid over");
    assert_ne!(changed.hash(), release.hash());
    let versions = |release: &Release| -> Vec<String> {
        let one = release.jurisdiction(PACK).expect("Henan");
        let layer = &one.to_read().layers()[one.to_read().layer_of("major").expect("a layer")];
        let say = |version: &std::sync::Arc<kangmai_policy::Version>| {
            let to = version.period.to.map(|to| to.to_string()).unwrap_or_default();
            format!("{} {to}", version.period.from)
        };
        layer.benefit.versions.iter().map(say).collect()
    };
    assert_eq!(versions(&release).last().expect("one"), "2022-05-01 ");
    let after = versions(&changed);
    assert_eq!(after[after.len() - 2..], ["2022-05-01 2024-12-31", "2025-01-01 "]);
    // The day before it settles as before; on the day the first tier pays 65 parts where it paid 60.
    let pays = |release: &Release, day: &str| {
        let policy = release.jurisdiction(PACK).expect("Henan").to_read();
        let mut facts = BillFacts::inpatient(fen("160000.00"), day.parse().expect("a day"), policy.place);
        facts.insured_at_admission = true;
        facts.insured_at_discharge = true;
        let amounts = Settler::new(policy).amounts(&facts, &mut YearAccumulators::NONE.clone());
        amounts.pays[policy.layer_of("major").expect("a layer")].0
    };
    assert_eq!(pays(&release, "2024-12-31"), pays(&changed, "2024-12-31"));
    let (before, after) = (pays(&release, "2025-01-01"), pays(&changed, "2025-01-01"));
    assert!(before > 100_000, "{before}");
    assert!((after * 60 - before * 65).abs() <= 65, "{before} {after}");
}

#[test]
fn each_way_to_name_a_figure_leads_to_it() {
    let release = shipped();
    let hash = |change: &str| laid(&release, &[change]).map(|release| release.hash().to_owned());
    let one = hash("major [参保居民] tiers[1].ratio = 65% from 2025-01-01").expect("laid over");
    for same in [
        "cn/henan/major [参保居民] tiers[1].ratio = 65% from 2025-01-01",
        "cn/henan/zhengzhou/major [2] tiers[1].ratio = \"65%\" from 2025-01-01",
        "cn/henan/benefits/20-major.toml [insured residents] tiers[1].ratio=\"65%\" from 2025年1月1日",
        "  major  [ 参保居民 ]  tiers[1].ratio  =  65%   from  2025-01-01 ",
    ] {
        assert_eq!(hash(same).expect(same), one, "{same}");
    }
    // On the first day of a version nothing is split off; the value that stands there changes nothing at all.
    let version_day = laid(&release, &["major [2] yearly_cap = none from 2022-05-01"]).expect("laid over");
    let layers = version_day.jurisdiction(PACK).expect("Henan").to_read().layers();
    assert_eq!(
        layers.iter().find(|layer| layer.benefit.id == "major").expect("it").benefit.versions.len(),
        4
    );
}

#[test]
fn a_change_is_told_as_people_say_it() {
    let release = shipped();
    let changes = [
        "major [参保居民] tiers[1].ratio = 65% from 2025-01-01",
        "cn/henan/zhengzhou/major [insured residents] tiers[2].ratio=\"0.7\" from 2025年1月1日",
        "major [参保居民] yearly_cap = none from 2025-01-01",
        "major [参保居民] yearly_cap = 500000.00 from 2020-06-01",
        "major [参保居民] yearly_cap = 500000.00 from 1999-01-01",
        "magor [参保居民] yearly_cap = 500000.00 from 2025-01-01",
        "major [参保居民] tires[1].ratio = 65% from 2025-01-01",
    ];
    let told = Overlay::parse(&changes).expect("read").told(&release, PACK);
    let said: Vec<String> = told
        .iter()
        .map(|change| {
            let Some(one) = change else { return "-".to_owned() };
            let group = one.group.as_ref().map(|group| group.zh.as_str()).unwrap_or_default();
            let parts = [&one.benefit.zh, group, &one.figure.zh, &one.before.zh, &one.after.zh];
            format!("{} {}", parts.join("|"), one.from)
        })
        .collect();
    let expected = [
        "城乡居民大病保险|参保居民|第 1 段比例|60%|65% 2025-01-01",
        "城乡居民大病保险|参保居民|第 2 段比例|70%|70% 2025-01-01",
        "城乡居民大病保险|参保居民|年度限额|400,000.00 元|不设限 2025-01-01",
        "-",
        "-",
        "-",
        "-",
    ];
    assert_eq!(said, expected);
}

#[test]
fn the_order_of_days_counts_not_the_order_of_writing() {
    let release = shipped();
    let (june, january) = (
        "major [2] tiers[1].ratio = 66% from 2025-06-01",
        "major [2] yearly_cap = 500000.00 from 2025-01-01",
    );
    let one = laid(&release, &[june, january]).expect("laid over");
    let other = laid(&release, &[january, june]).expect("laid over");
    assert_eq!(one.hash(), other.hash());
    // What January changed still holds after June.
    let layers = one.jurisdiction(PACK).expect("Henan").to_read().layers();
    let benefit = &layers.iter().find(|layer| layer.benefit.id == "major").expect("it").benefit;
    let last = benefit.versions.last().expect("a version");
    assert_eq!(last.period.from, "2025-06-01".parse::<Day>().expect("a day"));
    assert_eq!(last.profiles[1].yearly_cap, Some(fen("500000.00")));
    // Two changes that only hold together: the first edge past the second, and the second moved too.
    let edges = [
        "major [2] tiers[2].above = 200000.00 from 2025-01-01",
        "major [2] tiers[1].above = 120000.00 from 2025-01-01",
    ];
    laid(&release, &edges).expect("laid over together");
    laid(&release, &edges[1..]).expect_err("alone it does not rise");
}

/// Change, token underlined, sentence, mend.
const WRONG: &[(&str, &str, &str, &str)] = &[
    ("major", "", "this change cannot be read", "write: benefit"),
    (
        "major tiers[1].ratio 65% from 2025-01-01",
        "tiers[1].ratio 65%",
        "this change cannot be read",
        "write: benefit",
    ),
    (
        "major [参保居民 tiers[1.ratio = 65% from 2025-01-01",
        "[参保居民 tiers[1.ratio = 65%",
        "this change",
        "write",
    ),
    ("major [2] tiers[x].ratio = 65% from 2025-01-01", "x", "this change cannot be read", "write: benefit"),
    ("major [2] tiers[1]. = 65% from 2025-01-01", "", "this change cannot be read", "write: benefit"),
    ("major [2] tiers[1].ratio = 65% from 2025-02-29", "2025-02-29", "not a date: 2025-02-29", ""),
    ("major [2] tiers[1].ratio = 65% from tomorrow", "tomorrow", "not a date: tomorrow", ""),
    ("cn/henn/major [2] tiers[1].ratio = 65% from 2025-01-01", "cn/henn", "no pack `cn/henn`", "`cn/henan`"),
    ("cn/henan/magor [2] tiers[1].ratio = 65% from 2025-01-01", "magor", "no benefit `magor`", "`major`"),
    ("xyz [2] tiers[1].ratio = 65% from 2025-01-01", "xyz", "no benefit `xyz`", "basic, chronic, major"),
    (
        "cn/henan/benefits/20-magor.toml [2] tiers[1].ratio = 65% from 2025-01-01",
        "cn/henan/benefits/20-magor.toml",
        "no benefit",
        "20-major.toml",
    ),
    ("major [参保居名] tiers[1].ratio = 65% from 2025-01-01", "参保居名", "no group `参保居名`", "参保居民"),
    ("major [7] tiers[1].ratio = 65% from 2025-01-01", "7", "no group `7`", "参保居民"),
    ("major tiers[1].ratio = 65% from 2025-01-01", "tiers", "not said for which group", "参保居民"),
    ("major [2] tires[1].ratio = 65% from 2025-01-01", "tires", "no figure `tires`", "`tiers`"),
    ("major tires[1].ratio = 65% from 2025-01-01", "tires", "no figure `tires`", "`tiers`"),
    ("major [2] tiers[1].ration = 65% from 2025-01-01", "ration", "no figure `ration`", "`ratio`"),
    ("major [2] yearly_cap.ratio = 65% from 2025-01-01", "ratio", "no figure `ratio`", ""),
    ("major [2] from = 2020-01-01 from 2025-01-01", "from", "no figure `from`", ""),
    ("major [2] tiers[3].ratio = 65% from 2025-01-01", "3", "`tiers` has 2 entries", "tiers[1]"),
    ("major [2] tiers[0].ratio = 65% from 2025-01-01", "0", "`tiers` has 2 entries", "counted from 1"),
    ("major [2] tiers.ratio = 65% from 2025-01-01", "tiers", "`tiers` has 2 entries", "tiers[1]"),
    ("major [2] yearly_cap[1] = 65% from 2025-01-01", "1", "`yearly_cap` has 0 entries", ""),
    (
        "major [2] tiers[1].ratio = 65% from 2021-06-01",
        "2021-06-01",
        "no version of `major` holds on 2021-06-01",
        "2022-05-01…",
    ),
    (
        "major [2] tiers[1].ratio = 65% from 2001-01-01",
        "2001-01-01",
        "no version of `major` holds",
        "2017-01-01…2018-12-31",
    ),
    ("major [2] tiers = 65% from 2025-01-01", "65%", "`tiers` is a string, not a array", ""),
    ("major [2] tiers[1].ratio = [65] from 2025-01-01", "[65]", "`ratio` is a array, not a string", ""),
    ("major [2] tiers[1].ratio = 101% from 2025-01-01", "101%", "over 100%", ""),
    ("major [2] tiers[1].ratio = plenty from 2025-01-01", "plenty", "not a ratio: plenty", ""),
    ("major [2] tiers[1].above = -5.00 from 2025-01-01", "-5.00", "not an amount", ""),
    ("major [2] tiers[1].above = 200000.00 from 2025-01-01", "200000.00", "not rising", ""),
];

#[test]
fn whatever_is_wrong_is_underlined_with_its_mend() {
    let release = shipped();
    for (change, token, sentence, mend) in WRONG {
        let errors = laid(&release, &[change]).expect_err(change);
        let error = errors.first().expect("an error");
        assert_eq!(underlined(error).trim(), *token, "{change}\n{}", error.render(Language::En));
        assert_eq!(error.path, "#1");
        for (what, said) in [(sentence, error.problem(Language::En)), (mend, error.advice(Language::En))] {
            assert!(said.contains(what), "{change}\n{what}\n{said}");
        }
        assert!(!error.problem(Language::Zh).contains('{') && !error.advice(Language::Zh).contains('{'));
    }
}

#[test]
fn an_error_is_told_at_the_change_that_brought_it() {
    let release = shipped();
    let good = "major [2] yearly_cap = 500000.00 from 2025-01-01";
    let bad = "major [2] tiers[1].ratio = 101% from 2025-01-01";
    for (changes, path) in [([good, bad], "#2"), ([bad, good], "#1")] {
        let errors = laid(&release, &changes).expect_err("101 %");
        assert_eq!(errors.first().expect("one").path, path);
    }
    let many = vec![good; MOST_CHANGES + 1];
    let errors = Overlay::parse(&many).expect_err("too many");
    assert_eq!(errors.first().expect("one").path, format!("#{}", MOST_CHANGES + 1));
}

#[test]
fn every_figure_that_is_offered_can_be_changed() {
    let release = shipped();
    let (first, last) = ("2025-01-01".parse().expect("a day"), "2025-12-31".parse().expect("a day"));
    let mut seen = 0;
    for one in release.jurisdictions() {
        for figure in figures(&release, one, first, last) {
            let from = figure.period.from.max(first);
            let change = format!("{} = {} from {from}", figure.path, figure.value);
            let overlay = Overlay::parse(&[&change]).expect(&change);
            if let Err(errors) = overlay.apply(&release, &one.pack.directory) {
                unreachable!("{change}\n{}", errors[0]);
            }
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen} figures");
}

fn fen(text: &str) -> Fen {
    text.parse().expect("an amount")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A change of a figure to the value that it has changes nothing for any bills, and an empty overlay neither.
    #[test]
    fn what_changes_nothing_changes_nothing(
        bills in prop::collection::vec((1_i64..30_000_000, 0_u8..=100, 0_i32..365, 0_u32..4), 1..8),
        empty in any::<bool>(),
    ) {
        thread_local!(static RELEASES: [Release; 3] = {
            let release = shipped();
            let none = Overlay::parse(&[""; 0]).expect("nothing").apply(&release, PACK).expect("laid over");
            let same = laid(&release, &["major [2] tiers[1].ratio = 60% from 2025-04-01"]).expect("laid over");
            [release, none, same]
        });
        RELEASES.with(|[release, none, same]| {
            let other = if empty { none } else { same };
            let [policy, other] = [release, other].map(|one| one.jurisdiction(PACK).expect("Henan").to_read());
            let (mut before, mut after) = (Settler::new(policy), Settler::new(other));
            let mut years = [YearAccumulators::NONE; 2];
            let mut bills = bills.clone();
            bills.sort_by_key(|bill| bill.2);
            for (total, compliant, day, labels) in bills {
                let on = "2025-01-01".parse::<Day>().expect("a day").plus_days(day);
                let mut facts = BillFacts::inpatient(Fen(total), on, policy.place);
                facts.compliant = Fen(total * i64::from(compliant) / 100);
                facts.insured_at_admission = true;
                facts.insured_at_discharge = true;
                facts.labels_at_discharge = release.labels(
                    [["marginal"], ["subsistence_allowance"], ["extreme_poverty"]].into_iter().flatten().take(labels as usize),
                );
                facts.labels_at_admission = facts.labels_at_discharge;
                let one = before.amounts(&facts, &mut years[0]);
                prop_assert_eq!(one, after.amounts(&facts, &mut years[1]));
                let paid: Fen = one.pays.iter().copied().sum();
                prop_assert_eq!(paid + one.own_share, Fen(total));
            }
            prop_assert_eq!(years[0], years[1]);
            Ok(())
        })?;
    }
}
