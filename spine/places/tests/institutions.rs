//! Institutions come in as a file, are held and found, on both databases.

#![expect(clippy::expect_used, reason = "a test may")]

use kangmai_base::{DivisionCode, Id, PlaceRange, Uuid};
use kangmai_database::testing::on_both;
use kangmai_database::{DatabaseError, Migrations};
use kangmai_places::{
    Divisions, INSTITUTIONS, Institution, InstitutionFilter, InstitutionParser, InstitutionRow,
    InstitutionTier, MIGRATIONS, ParsedInstitution, changes, count_institutions, find_institution,
    find_institution_by_code, institutions_at, put_institutions, search_institutions,
};
use kangmai_sheet::Record;

const ALL: &[Migrations] = &[MIGRATIONS];

const ROWS: [&str; 4] = [
    "H001|示例县人民医院|411721001000||县级|二级甲等|综合医院|住院、先诊疗后付费、医保定点、大病定点：肺癌|0396-2812345|2001-05-01|",
    "H002|宋集镇卫生院||西平县宋集镇|乡镇级||卫生院|住院,医保定点|||",
    "H003|宋集村卫生室||宋集镇宋集村|村级||村卫生室|门诊|||2025-06-01",
    "H900|示例省肿瘤医院|410105||省级|三级|专科医院|住院、rescue_centre|||",
];

fn code(text: &str) -> DivisionCode {
    text.parse().expect("a code")
}

fn places(text: &str) -> PlaceRange {
    code(text).range()
}

fn parse(rows: &[&str]) -> Vec<Result<InstitutionRow, String>> {
    let titles = "机构编码|机构名称|所在地区划代码|所在地|机构层级|医院等级|机构类别|服务能力|联系电话|开业日期|停业日期";
    let matching = INSTITUTIONS.match_header(&Record::of(1, titles.split('|')));
    assert_eq!(matching.faults(), vec![]);
    let mut parser =
        InstitutionParser::new(std::sync::Arc::new(matching), Divisions::shipped(), code("411721"));
    rows.iter()
        .enumerate()
        .map(|(at, row)| match parser.parse(&Record::of(at as u32 + 2, row.split('|'))) {
            (ParsedInstitution::Row(row), _) => Ok(*row),
            (ParsedInstitution::Repeat { of_row }, _) => Err(format!("repeats {of_row}")),
            (ParsedInstitution::Faulty, faults) => {
                let said = |fault: &kangmai_sheet::Fault| {
                    format!(
                        "{} | {}",
                        fault.reason,
                        fault.suggestion.as_ref().map(ToString::to_string).unwrap_or_default()
                    )
                };
                Err(faults.iter().map(said).collect::<Vec<_>>().join(" + "))
            }
        })
        .collect()
}

fn institutions() -> Vec<Institution> {
    let rows = parse(&ROWS).into_iter().map(|row| row.expect("a row"));
    rows.enumerate()
        .map(|(at, row)| Institution {
            id: Id::from_uuid(Uuid::from_u128(at as u128 + 1)),
            place: row.place,
            body: row.body,
        })
        .collect()
}

#[test]
fn a_file_is_read_with_its_faults() {
    let rows = parse(&ROWS);
    let hospital = rows[0].as_ref().expect("a row");
    let keys: Vec<&str> = hospital.body.capabilities.iter().map(|capability| capability.key()).collect();
    assert_eq!(keys, ["designated", "inpatient", "major_disease:肺癌", "treat_first_pay_later"]);
    assert_eq!(rows[2].as_ref().expect("a row").place, code("411721107200"));
    let faulty = parse(&[
        ROWS[0],
        ROWS[0],
        &ROWS[0].replace("人民医院", "第二人民医院"),
        "|无编码医院|411721||区级||医院||||",
        "H7|某医院|411799||县级||医院|做饭||2020-01-01|2019-01-01",
    ]);
    assert_eq!(faulty[1], Err("repeats 2".to_owned()));
    assert_eq!(
        faulty[2],
        Err("places.flaw.code_of_two_names row=2 | places.mend.code_of_two_names".to_owned())
    );
    let said = faulty[3].as_ref().expect_err("faulty");
    assert!(
        said.starts_with("sheet.flaw.empty column=机构编码") && said.contains("sheet.flaw.unknown_word"),
        "{said}"
    );
    let said = faulty[4].as_ref().expect_err("faulty");
    for part in [
        "places.flaw.unknown_division code=411799000000",
        "places.flaw.unknown_capability word=做饭",
        "places.flaw.closed_before_opened",
    ] {
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn institutions_are_held_and_found() {
    on_both(ALL, |database| {
        let all = institutions();
        let put = all.clone();
        database.write_blocking(move |tx| {
            put_institutions(tx, &put)?;
            // The same again doubles nothing.
            put_institutions(tx, &put)
        })?;
        database.read_blocking(move |tx| {
            assert_eq!(find_institution(tx, all[0].id)?.as_ref(), Some(&all[0]));
            assert_eq!(find_institution_by_code(tx, "H002")?.as_ref(), Some(&all[1]));
            assert_eq!(find_institution_by_code(tx, "H404")?, None);
            let every = InstitutionFilter::default();
            assert_eq!(
                institutions_at(tx, places("411721"), &every, 0, 10)?,
                [all[0].clone(), all[1].clone(), all[2].clone()]
            );
            assert_eq!(institutions_at(tx, places("411721"), &every, 1, 1)?, [all[1].clone()]);
            let inpatient = InstitutionFilter { capability: Some("inpatient"), ..every };
            assert_eq!(count_institutions(tx, places("411721"), &inpatient)?, 2);
            assert_eq!(count_institutions(tx, places("41"), &inpatient)?, 3);
            let village = InstitutionFilter { tier: Some(InstitutionTier::Village), ..every };
            assert_eq!(count_institutions(tx, places("41"), &village)?, 1);
            for (typed, expected) in
                [("宋集", 2), ("sjz", 1), ("SJZ", 1), ("H00", 3), ("H9", 0), ("%", 0), ("", 0)]
            {
                assert_eq!(search_institutions(tx, places("411721"), typed, 10)?.len(), expected, "{typed}");
            }
            assert!(all[2].is_open_on("2025-05-31".parse().expect("a day")));
            assert!(!all[2].is_open_on("2025-06-01".parse().expect("a day")));
            assert!(all[3].can("rescue_centre") && !all[3].can("designated"));
            Ok::<(), DatabaseError>(())
        })
    })
    .expect("works on both");
}

#[test]
fn a_row_says_what_it_would_change() {
    let held = institutions().remove(0);
    let row = |text: &str| parse(&[text]).remove(0).expect("a row");
    assert_eq!(changes(&held, &row(ROWS[0])), vec![]);
    let changed = changes(&held, &row(&ROWS[0].replace("二级甲等", "三级").replace("住院、", "")));
    assert_eq!(
        changed
            .iter()
            .map(|(column, before, after)| format!("{column}: {before} > {after}"))
            .collect::<Vec<_>>(),
        [
            "grade: second > third",
            "capabilities: designated、inpatient、major_disease:肺癌、treat_first_pay_later > designated、major_disease:肺癌、treat_first_pay_later"
        ]
    );
    let text = serde_json::to_string(&held.body).expect("written");
    assert_eq!(serde_json::from_str::<kangmai_places::InstitutionBody>(&text).expect("read"), held.body);
}
