//! Registers as townships write them, read into typed rows with their faults.

#![expect(clippy::expect_used, reason = "a test may")]

use std::sync::Arc;

use kangmai_base::{Day, DivisionCode, IdNumberKind, Sex};
use kangmai_people::{
    Enrolment, Label, Mark, Parsed, REGISTER, RegisterContext, RegisterParser, RegisterRow, Relation,
};
use kangmai_places::Divisions;
use kangmai_sheet::{Fault, Matching, Record};

fn day(text: &str) -> Day {
    text.parse().expect("a day")
}

fn code(text: &str) -> DivisionCode {
    text.parse().expect("a code")
}

fn context(scope: &str) -> RegisterContext {
    RegisterContext { scope: code(scope), today: day("2026-03-05"), source: "名册.xlsx".to_owned() }
}

fn parse(scope: &str, titles: &str, rows: &[&str]) -> (Vec<Fault>, Vec<(Parsed, Vec<Fault>)>) {
    let head = Record::of(1, titles.split('|'));
    let matching: Matching = REGISTER.match_header(&head);
    assert!(matching.unknown().is_empty(), "{:?}", matching.unknown());
    let mut parser = RegisterParser::new(Arc::new(matching), Divisions::shipped(), context(scope));
    let header = parser.header_faults();
    let parsed = rows
        .iter()
        .enumerate()
        .map(|(index, row)| parser.parse(&Record::of(index as u32 + 2, row.split('|'))))
        .collect();
    (header, parsed)
}

fn one(titles: &str, row: &str) -> (Option<RegisterRow>, Vec<String>) {
    let (_, mut parsed) = parse("411721", titles, &[row]);
    let (outcome, faults) = parsed.remove(0);
    let row = match outcome {
        Parsed::Row(row) => Some(*row),
        _ => None,
    };
    (row, said(&faults))
}

fn said(faults: &[Fault]) -> Vec<String> {
    faults
        .iter()
        .map(|fault| {
            let mend = fault.suggestion.as_ref().map(ToString::to_string).unwrap_or_default();
            let column = fault.column.map_or("", |column| column.key);
            format!("{:?} {column} {} | {mend}", fault.severity, fault.reason)
        })
        .collect()
}

const FULL: &str = "户编号|与户主关系|姓名|证件类型|身份证号|性别|出生日期|民族|户籍地区划代码|家庭住址|现住地|联系电话|参保状态|人群类别|认定日期|退出日期|死亡日期|家庭年收入(元)|收入年份";

#[test]
fn reads_a_full_row() {
    let (row, faults) = one(
        FULL,
        "h0001|之长子|示 例甲|居民身份证|411721195001019919|男|1950/1/1|汉|411721107200|3组|宋集镇宋集村|139-0000-9901|城乡居民医保|脱贫户、低保|2019-12-31、2021年3月1日|、2025-01-01||32,000|2025年",
    );
    let row = row.expect("a row");
    assert_eq!(faults, Vec::<String>::new());
    assert_eq!((row.row, row.name.as_str(), row.relation), (2, "示例甲", Some(Relation::Child)));
    assert_eq!(row.id_number.as_ref().map(|number| number.kind()), Some(IdNumberKind::Valid));
    assert_eq!(
        (row.birth, row.sex, row.ethnicity.as_deref()),
        (Some(day("1950-01-01")), Some(Sex::Male), Some("汉族"))
    );
    assert_eq!((row.home, row.living), (code("411721107200"), None));
    assert_eq!(row.phone.as_ref().map(|phone| phone.as_str()), Some("13900009901"));
    assert_eq!((row.enrolment, row.died), (Some(Enrolment::Resident), None));
    let labels: Vec<_> = row.labels.iter().map(|label| (label.label, label.from, label.to)).collect();
    assert_eq!(
        labels,
        [
            (Label::PovertyAlleviated, Some(day("2019-12-31")), None),
            (Label::SubsistenceAllowance, Some(day("2021-03-01")), Some(day("2025-01-01"))),
        ]
    );
    assert_eq!(row.labels[0].source, "名册.xlsx");
    let household = row.household;
    assert_eq!((household.number.as_deref(), household.address.as_deref()), (Some("H0001"), Some("3组")));
    assert_eq!(household.annual_income.map(|fen| fen.to_string()).as_deref(), Some("32000.00"));
    assert_eq!((household.income_year, household.place), (Some(2025), code("411721107200")));
    assert!(row.marks.is_empty());
}

#[test]
fn odd_numbers_are_kept_and_marked() {
    let (row, faults) = one("姓名|证件号码|村代码", "示例乙|411721195001019910|411721107200");
    assert_eq!(row.expect("kept").marks, [Mark::OddIdNumber]);
    assert_eq!(faults, ["Warning id_number sheet.flaw.id_checksum | sheet.mend.id_checksum expected=9"]);
    let (row, faults) = one("姓名|证件号码|村代码", "示例丙||411721107200");
    assert_eq!(row.expect("kept").marks, [Mark::NoIdNumber]);
    assert_eq!(faults, ["Warning id_number people.flaw.no_id_number | people.mend.no_id_number"]);
    let (row, faults) = one("姓名|证件类型|证件号码|村代码", "Shili Ding|护照|123456789012|411721107200");
    let row = row.expect("kept");
    assert_eq!((row.marks.as_slice(), row.name.as_str()), ([].as_slice(), "Shili Ding"));
    assert!(faults.is_empty());
    let (row, faults) = one("姓名|证件号码|村代码", "示例戊|4.11721E+17|411721107200");
    assert_eq!(row, None);
    assert_eq!(faults, ["Error id_number sheet.flaw.lost_digits | sheet.mend.lost_digits"]);
}

#[test]
fn the_file_wins_over_the_number_with_a_mark() {
    let titles = "姓名|证件号码|性别|出生日期|村代码";
    let (row, faults) = one(titles, "示例甲|411721195001019919|女|1951-01-01|411721107200");
    let row = row.expect("kept");
    assert_eq!((row.birth, row.sex), (Some(day("1951-01-01")), Some(Sex::Female)));
    assert_eq!(row.marks, [Mark::BirthDiffers, Mark::SexDiffers]);
    assert_eq!(faults.len(), 2);
    let (row, faults) = one(titles, "示例甲|411721195001019919||1900-01-00|411721107200");
    assert_eq!(row.expect("the number tells the birth date").birth, Some(day("1950-01-01")));
    assert_eq!(faults.len(), 1);
    let (row, faults) = one(titles, "示例甲|||1900-01-01|411721107200");
    assert_eq!(row, None);
    assert_eq!(faults[1], "Error birth sheet.flaw.day_of_1900 day=1900-01-01 | sheet.mend.day_of_1900");
    let (row, _) = one(titles, "示例甲|||2026-03-06|411721107200");
    assert_eq!(row, None, "born tomorrow");
}

#[test]
fn a_home_is_found_by_code_or_names_or_told() {
    let home = |titles: &str, row: &str| {
        let (row, faults) =
            one(&format!("姓名|证件号码|{titles}"), &format!("示例甲|411721195001019919|{row}"));
        (row.map(|row| row.home.to_string()), faults)
    };
    let songji = Some("411721107200".to_owned());
    assert_eq!(home("户籍地", "河南省驻马店市西平县宋集镇宋集村"), (songji.clone(), vec![]));
    assert_eq!(home("乡镇|村", "宋集镇|宋集村委会"), (songji, vec![]));
    let (row, faults) = home("户籍地区划代码", "411721107299");
    assert_eq!(row, None);
    assert!(
        faults[0].starts_with("Error home_code places.flaw.unknown_division code=411721107299 | places.mend.is_meant code=411721107"),
        "{faults:?}"
    );
    let (row, faults) = home("户籍地", "师灵镇油坊张村");
    assert_eq!(row, None);
    assert!(faults[0].ends_with("name=河南省驻马店市西平县师灵镇油房张村"), "{faults:?}");
    assert!(home("户籍地", "崔庄").1[0].contains("places.flaw.several"));
    assert!(home("户籍地区划代码", "411722103203").1[0].contains("people.flaw.home_outside"));
    assert!(home("户籍地区划代码", "411721").1[0].contains("people.flaw.home_too_wide"));
    let (row, faults) = home("户籍地", "宋集镇");
    assert_eq!(row.as_deref(), Some("411721107000"));
    assert!(faults[0].starts_with("Warning home_path people.flaw.home_is_township"), "{faults:?}");
    assert!(home("户籍地", "").1[0].contains("people.flaw.no_home"));
}

#[test]
fn without_a_column_for_the_home_only_a_village_can_import() {
    let (header, parsed) = parse("411721107200", "姓名|证件号码", &["示例甲|411721195001019919"]);
    assert!(header.is_empty());
    let Parsed::Row(row) = &parsed[0].0 else { panic!("{parsed:?}") };
    assert_eq!(row.home, code("411721107200"));
    let (header, _) = parse("411721", "姓名|证件号码", &[]);
    assert_eq!(said(&header), ["Error  people.flaw.no_home_column | people.mend.no_home_column"]);
}

#[test]
fn labels_have_dates_one_each_or_one_for_all() {
    let titles = "姓名|证件号码|村代码|人群类别|认定日期|退出日期";
    let labels = |cells: &str| {
        let (row, faults) = one(titles, &format!("示例甲|411721195001019919|411721107200|{cells}"));
        let labels: Option<Vec<String>> = row.map(|row| {
            row.labels
                .iter()
                .map(|label| format!("{} {:?}", label.label.key(), label.from.map(|day| day.to_string())))
                .collect()
        });
        (labels.unwrap_or_else(|| vec!["not taken".to_owned()]), faults)
    };
    assert_eq!(
        labels("脱贫不稳定户；特困供养|2022-01-01|").0,
        ["unstable_alleviated Some(\"2022-01-01\")", "extreme_poverty Some(\"2022-01-01\")"]
    );
    assert_eq!(labels("低保||").0, ["subsistence_allowance None"]);
    assert!(labels("一般户||").0.is_empty());
    assert_eq!(labels("脱贫户（享受政策）||").0, ["poverty_alleviated None"]);
    for (cells, expected) in [
        ("低保户口||", "people.flaw.unknown_label word=低保户口 | sheet.mend.did_you_mean word=低保户"),
        ("监测户||", "people.flaw.vague_label word=监测户 | people.mend.vague_label"),
        (
            "低保、特困、孤儿|2022-01-01、2022-01-02|",
            "people.flaw.label_dates dates=2 labels=3 | people.mend.label_dates",
        ),
        ("低保|2022-01-01|2021-01-01", "people.flaw.label_ends_before | people.mend.dates"),
        (
            "低保|2026-03-06|",
            "sheet.flaw.day_in_future day=2026-03-06 today=2026-03-05 | sheet.mend.day_in_future",
        ),
    ] {
        let (taken, faults) = labels(cells);
        assert_eq!(taken, ["not taken"], "{cells}");
        assert!(faults[0].ends_with(expected), "{faults:?}");
    }
}

#[test]
fn a_person_who_stands_twice_is_seen() {
    let titles = "姓名|证件号码|村代码|人群类别|联系电话";
    let rows = [
        "示例甲|411721195001019919|411721107200|低保|13900009901",
        "示例甲 |411721195001019919|411721107200|低保|13900009901",
        "示例甲|411721195001019919|411721107200|脱贫|13900009901",
        "示例甲|411721195001019919|411721107200|低保|13900009902",
        "示例乙|411721195001019919|411721107200|低保|13900009901",
        "示例丙||411721107200||",
        "示例丙||411721107200||",
    ];
    let (_, parsed) = parse("411721", titles, &rows);
    let shown: Vec<String> = parsed
        .iter()
        .map(|(outcome, faults)| match outcome {
            Parsed::Row(row) => format!("row {}", row.row),
            Parsed::Repeat { of_row } => format!("repeats {of_row}"),
            Parsed::Faulty => said(faults).join(" "),
        })
        .collect();
    assert_eq!(
        shown,
        [
            "row 2",
            "repeats 2",
            "row 4",
            "Error id_number people.flaw.person_twice row=2 | people.mend.person_twice",
            "Error id_number people.flaw.id_of_two_names row=2 | people.mend.against_card",
            "row 7",
            "repeats 7",
        ]
    );
}

#[test]
fn what_is_personal_is_masked_in_faults() {
    let (_, parsed) = parse(
        "411721",
        "姓名|证件号码|村代码|联系电话",
        &["示例9|411721195001019910|411721107200|139000099"],
    );
    let shown: Vec<&str> = parsed[0].1.iter().map(|fault| fault.shown.as_str()).collect();
    assert_eq!(shown, ["示**", "4117**********9910", "139**0099"]);
}

#[test]
fn every_key_has_its_sentence() {
    let words = include_str!("../words.toml");
    let sources = [
        include_str!("../src/register_parser.rs"),
        include_str!("../src/register_words.rs"),
        include_str!("../src/register.rs"),
        include_str!("../src/label.rs"),
    ];
    for key in sources.iter().flat_map(|source| {
        source.split('"').filter(|text| text.starts_with("people.") && !text.ends_with("{}"))
    }) {
        assert!(words.contains(&format!("[\"{key}\"]")), "no sentence for {key}");
    }
}
