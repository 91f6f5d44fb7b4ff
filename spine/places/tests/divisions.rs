//! The divisions shipped: all there, found by code, name, initials and path, with their traps.

#![expect(clippy::expect_used, reason = "a test may")]

use kangmai_base::{DivisionCode, DivisionLevel};
use kangmai_places::{Division, Divisions, Resolved, VillageKind};

fn code(text: &str) -> DivisionCode {
    text.parse().expect("a code")
}

fn division(text: &str) -> Division<'static> {
    Divisions::shipped().get(code(text)).expect("a division")
}

fn names(divisions: &[Division<'_>]) -> Vec<String> {
    divisions.iter().map(|division| division.full_name()).collect()
}

#[test]
fn all_are_there() {
    let all = Divisions::shipped();
    assert_eq!(all.len(), 665_276);
    let counts: Vec<usize> =
        DivisionLevel::ALL.map(|level| all.of_level(DivisionCode::COUNTRY, level).count()).into();
    assert_eq!(counts, [31, 342, 2_978, 41_352, 620_573]);
    assert_eq!(all.provinces().len(), 31);
    let zhumadian = division("4117");
    assert_eq!(
        (
            zhumadian.name(),
            zhumadian.count_below(DivisionLevel::Township),
            zhumadian.count_below(DivisionLevel::Village)
        ),
        ("驻马店市", 208, 2_906)
    );
}

#[test]
fn every_division_below_a_province_has_its_parent_and_is_among_its_children() {
    let all = Divisions::shipped();
    let mut children = 0;
    for level in DivisionLevel::ALL {
        for division in all.of_level(DivisionCode::COUNTRY, level) {
            assert_eq!(division.parent().is_none(), level == DivisionLevel::Province, "{division:?}");
            if level < DivisionLevel::Village {
                children += division.children().len();
            }
        }
    }
    assert_eq!(children, all.len() - 31);
}

#[test]
fn a_division_knows_its_path_and_kin() {
    let village = division("411721107200");
    assert_eq!((village.name(), village.short_name().as_str()), ("宋集村民委员会", "宋集村"));
    assert_eq!(village.full_name(), "河南省驻马店市西平县宋集镇宋集村");
    assert_eq!(village.path_from(DivisionLevel::Township), ["宋集镇", "宋集村"]);
    assert_eq!(village.village_kind(), Some(VillageKind::Villagers));
    assert!(village.siblings().contains(&village));
    assert_eq!(division("110101001001").full_name(), "北京市东城区东华门街道多福巷社区");
    assert!(division("411771").is_statistical_zone());
    assert!(!village.is_statistical_zone());
}

#[test]
fn codes_that_stand_at_several_levels_are_told_apart() {
    let all = Divisions::shipped();
    for (text, levels) in [("441900000000", 2), ("442000000000", 2), ("460400000000", 2), ("350527000000", 3)]
    {
        let found =
            DivisionLevel::ALL.into_iter().filter(|level| all.at(code(text), *level).is_some()).count();
        assert_eq!(found, levels, "{text}");
    }
    let dongguan = division("4419");
    assert_eq!(dongguan.level(), DivisionLevel::City);
    let county = dongguan.children();
    assert_eq!((county.len(), county[0].level()), (1, DivisionLevel::County));
    assert_eq!(county[0].parent(), Some(dongguan));
    assert_eq!(county[0].children()[0].full_name(), "广东省东莞市东城街道");
    let jinmen = all.at(code("350527000000"), DivisionLevel::Village).expect("a village");
    assert_eq!(jinmen.full_name(), "福建省泉州市金门县");
    assert_eq!(jinmen.path().len(), 5);
}

#[test]
fn finds_by_code_name_and_initials_within_a_scope() {
    let all = Divisions::shipped();
    let zhumadian = code("4117");
    for (typed, expected) in [
        ("411721", "河南省驻马店市西平县"),
        ("西平", "河南省驻马店市西平县"),
        ("西平县", "河南省驻马店市西平县"),
        ("xpx", "河南省驻马店市西平县"),
        ("ZMD", "河南省驻马店市"),
        ("byx", "河南省驻马店市泌阳县"),
        ("宋集", "河南省驻马店市西平县宋集镇"),
        ("４１１７２１１０７２００", "河南省驻马店市西平县宋集镇宋集村"),
    ] {
        let found = all.find(typed, zhumadian, 5);
        assert_eq!(found.first().map(|d| d.full_name()).as_deref(), Some(expected), "{typed}");
        assert!(found.iter().all(|division| zhumadian.contains(division.code())));
    }
    assert!(all.find("西平", code("4118"), 5).is_empty());
    assert!(all.find("", zhumadian, 5).is_empty());
    assert!(all.find("1234567890123", zhumadian, 5).is_empty());
    assert_eq!(all.find("张庄", DivisionCode::COUNTRY, 500).len(), 50);
    assert_eq!(names(&all.find("驻马店市", DivisionCode::COUNTRY, 1)), ["河南省驻马店市"]);
}

#[test]
fn a_part_of_a_name_never_reaches_over_two_names() {
    let all = Divisions::shipped();
    for division in all.find("会某", DivisionCode::COUNTRY, 50) {
        assert!(division.name().contains("会某"));
    }
    for typed in ["委员会西", "村民", "集镇"] {
        let found = all.find(typed, code("4117"), 50);
        assert!(found.iter().all(|division| division.name().contains(typed)), "{typed}");
    }
}

#[test]
fn reads_paths_of_names_as_registers_hold_them() {
    let all = Divisions::shipped();
    let xiping = code("411721");
    for text in [
        "河南省驻马店市西平县宋集镇宋集村",
        "河南省 驻马店市 西平县 宋集镇 宋集村民委员会",
        "西平县/宋集镇/宋集村委会",
        "宋集镇宋集",
        "西平宋集宋集村",
    ] {
        let Resolved::One(found) = all.resolve(text, xiping) else {
            panic!("{text}: {:?}", all.resolve(text, xiping))
        };
        assert_eq!(found.code(), code("411721107200"), "{text}");
    }
    let whole = |text: &str, scope: &str| match all.resolve(text, code(scope)) {
        Resolved::One(found) => found.full_name(),
        Resolved::Several(found) => format!("several: {}", names(&found).join(" ")),
        Resolved::Nothing { nearest } => {
            format!("nothing: {}", nearest.map(|d| d.full_name()).unwrap_or_default())
        }
    };
    assert_eq!(whole("宋集镇", "411721"), "河南省驻马店市西平县宋集镇");
    assert_eq!(whole("宋集", "411721"), "河南省驻马店市西平县宋集镇");
    assert_eq!(whole("油房张村", "411721"), "河南省驻马店市西平县师灵镇油房张村");
    assert_eq!(whole("河南省驻马店市西平县", "4117"), "河南省驻马店市西平县");
    assert_eq!(whole("北京市东城区东华门街道", "11"), "北京市东城区东华门街道");
    assert_eq!(whole("东莞市东城街道", "4419"), "广东省东莞市东城街道");
    assert_eq!(whole("师灵镇油坊张村", "411721"), "nothing: 河南省驻马店市西平县师灵镇油房张村");
    assert_eq!(whole("查无此地某某某某", "411721"), "nothing: ");
    assert_eq!(whole("", "411721"), "nothing: ");
    assert!(whole("崔庄", "411721").starts_with("several: "), "{}", whole("崔庄", "411721"));
}

#[test]
fn a_code_that_does_not_exist_has_a_neighbour() {
    let all = Divisions::shipped();
    assert!(!all.has(code("411721107299")));
    let nearest = all.nearest(code("411721107299")).expect("a neighbour");
    assert!(code("411721107").contains(nearest.code()));
    assert_eq!(
        all.holding(code("411721107299")).map(|d| d.full_name()).as_deref(),
        Some("河南省驻马店市西平县宋集镇")
    );
    assert_eq!(all.holding(code("990000000000")), None);
}

#[test]
fn refuses_other_files() {
    assert!(Divisions::unpack(b"code,level,name").is_err());
    assert!(Divisions::unpack(&[]).is_err());
}
