//! The programme from its outside, on both databases.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

mod county;

use axum::http::StatusCode;
use county::{County, OTHER_VILLAGE, VILLAGE, on_each};
use kangmai_access::{Actor, Purpose, Role, reach};
use kangmai_base::Uuid;
use kangmai_classification::rules::PlanKind;
use kangmai_classification::{programme, reclassify, store};
use kangmai_programme::FigureValue;
use kangmai_sheet::{Column, Schema, Source as _};

const HEAD: &[&str] = &["诊断代码", "证件号码", "姓名", "疾病名称", "确诊日期", "医疗机构", "结束日期"];
static EXPORTED: Schema = Schema {
    key: "test.exported",
    title_zh: "导出",
    title_en: "Export",
    columns: &[
        Column::new("name", "姓名", "Name").required(),
        Column::new("why", "分类依据", "Why").required(),
    ],
};
const WANG: &str = "411722196203049992";
const LI: &str = "411722201205069990";
const ZHAO: &str = "411722197107089991";

fn right(text: &str) -> String {
    let number = kangmai_base::IdNumber::read(text).expect("a number");
    let mut text = text.to_owned();
    if let Some(check) = number.expected_check_character() {
        text.pop();
        text.push(check);
    }
    text
}

/// Three people: one in her sixties, a child, one in another township.
fn given_a_register(county: &County) -> (Uuid, Uuid, Uuid) {
    (
        county.has(1, "王示例", &right(WANG), VILLAGE),
        county.has(2, "李示例", &right(LI), VILLAGE),
        county.has(3, "赵示例", &right(ZHAO), OTHER_VILLAGE),
    )
}

fn when_diagnoses_come_in(county: &County) -> (u64, u64, u64, u64) {
    let (wang, li, zhao) = (right(WANG), right(LI), right(ZHAO));
    let rows: &[&[&str]] = &[
        &["I10.x00", &wang, "王示例", "高血压", "2020-05-01", "塔桥镇卫生院", ""],
        &["I63.900", &wang, "王示例", "脑梗死", "2025-11-20", "上蔡县人民医院", ""],
        &["Q21.100", &li, "李示例", "房间隔缺损", "2019-03-01", "", ""],
        &["F20.900", &zhao, "赵示例", "精神分裂症", "2018-03-01", "", ""],
    ];
    let (summary, _) = county.import(HEAD, rows, false);
    (summary.new, summary.changed, summary.unchanged, summary.faulty)
}

#[test]
fn a_list_comes_in_once_and_everybody_is_in_one_plan() {
    on_each(|county| {
        let (wang, li, zhao) = given_a_register(county);
        assert_eq!(when_diagnoses_come_in(county), (4, 0, 0, 0));
        assert_eq!(when_diagnoses_come_in(county), (0, 0, 4, 0));
        let bureau = county.visitor(Role::HealthBureau, "411722");

        let (_, page) = bureau.get("/plans");
        assert!(page.contains("脑卒中（I63.900）2025年11月20日确诊，属大病专项救治病种"), "{page}");
        assert!(page.contains("儿童先天性心脏病") && page.contains("共 2 条"), "{page}");
        // Level 5: counted, never in a list, not even in the choice of diseases.
        assert!(page.contains("另有 1 人受限"));
        for secret in ["赵示例", "精神", "F20", &zhao.to_string()] {
            assert!(!page.contains(secret), "{secret} shows in the list");
        }
        let (_, page) = bureau.get("/plans?plan=major&disease=stroke");
        assert!(page.contains(&wang.to_string()) && !page.contains(&li.to_string()));

        let (status, page) = bureau.get(&format!("/plans/{wang}"));
        assert_eq!(status, StatusCode::OK);
        for part in ["大病集中救治", "脑梗死", "塔桥镇卫生院", "诊断.xlsx", "列入大病集中救治"]
        {
            assert!(page.contains(part), "no {part} in {page}");
        }
        let (_, page) = bureau.get_in(&format!("/plans/{wang}"), "en");
        assert!(
            page.contains(
                "stroke (I63.900), diagnosed on 20 November 2025, is on the list of major diseases"
            )
        );
        county.lacks_no_word();
        county.rebuild_finds_nothing();
    });
}

#[test]
fn another_place_or_role_finds_nothing() {
    on_each(|county| {
        let (wang, _, zhao) = given_a_register(county);
        when_diagnoses_come_in(county);
        let elsewhere = county.visitor(Role::HealthBureau, "411723");
        assert_eq!(elsewhere.get(&format!("/plans/{wang}")).0, StatusCode::NOT_FOUND);
        assert_eq!(
            elsewhere.post(&format!("/plans/{wang}"), "plan=severe&reason=示例理由").0,
            StatusCode::NOT_FOUND
        );
        assert!(!elsewhere.get("/plans").1.contains("王示例"));
        let narrowed = elsewhere.get("/plans?place=411722103203").1;
        assert!(!narrowed.contains("王示例"));
        for role in [Role::Cadre, Role::InsuranceClerk, Role::Auditor, Role::Administrator] {
            assert_eq!(county.visitor(role, "411722").get("/plans").0, StatusCode::NOT_FOUND, "{role:?}");
        }
        // A village doctor reads, and does not decide; who treats sees what level 5 hides from the bureau.
        let doctor = county.visitor(Role::VillageDoctor, VILLAGE);
        assert_eq!(doctor.get(&format!("/plans/{wang}")).0, StatusCode::OK);
        assert_eq!(
            doctor.post(&format!("/plans/{wang}"), "plan=severe&reason=abcd").0,
            StatusCode::NOT_FOUND
        );
        let treating = county.visitor(Role::VillageDoctor, OTHER_VILLAGE);
        assert!(treating.get(&format!("/plans/{zhao}")).1.contains("精神分裂症"));
        assert!(!treating.get("/plans").1.contains("赵示例"));
        let bureau = county.visitor(Role::HealthBureau, "411722");
        let (_, page) = bureau.get(&format!("/plans/{zhao}"));
        assert!(page.contains("受限") && !page.contains("精神") && !page.contains("F20"), "{page}");
    });
}

#[test]
fn a_decision_stands_with_its_reason_and_can_be_taken_back() {
    on_each(|county| {
        let (wang, ..) = given_a_register(county);
        when_diagnoses_come_in(county);
        let bureau = county.visitor(Role::HealthBureau, "411722");
        let path = format!("/plans/{wang}");
        let (status, page) = bureau.post(&path, "plan=severe&reason=");
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.contains("role=\"alert\"") && page.contains("value=\"severe\" checked"), "{page}");
        let (status, _) = bureau.post(&path, "plan=severe&reason=%E4%B8%8D");
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        let (status, to) =
            bureau.post(&path, "plan=severe&reason=%E5%8E%BF%E7%BA%A7%E4%B8%93%E5%AE%B6%E7%BB%84");
        assert_eq!((status, to), (StatusCode::SEE_OTHER, format!("/people/{wang}")));
        let (_, page) = bureau.get(&path);
        assert!(
            page.contains("人工核定：县级专家组") && page.contains("由大病集中救治改为重病兜底保障"),
            "{page}"
        );
        assert!(page.contains("示例 于2026年3月5日核定"));
        bureau.post(&format!("{path}/undo"), "");
        let (_, page) = bureau.get(&path);
        assert!(page.contains("由重病兜底保障改为大病集中救治"), "{page}");
        county.rebuild_finds_nothing();
        county.lacks_no_word();
    });
}

#[test]
fn what_is_wrong_in_a_row_is_said_and_the_others_go_on() {
    on_each(|county| {
        given_a_register(county);
        let (wang, stranger) = (right(WANG), right("411722198811229994"));
        let rows: &[&[&str]] = &[
            &["I6O.9", &wang, "王示例", "脑出血", "2025-11-20", "", ""],
            &["I63.9", &stranger, "某某", "脑梗死", "2025-11-20", "", ""],
            &["I63.9", &wang, "王示例", "脑梗死", "2026-11-20", "", ""],
            &["I63.9", &wang, "王示例", "脑梗死", "1900-01-01", "", ""],
            &["I63.9", &wang, "王示例", "脑梗死", "1950-01-01", "", ""],
            &["I63.9", &wang, "王示例", "脑梗死", "2025-11-20", "", "2025-01-01"],
            &["I63.9", &wang, "张三", "脑梗死", "2025-11-20", "", ""],
        ];
        let (dry, said) = county.import(HEAD, rows, true);
        assert_eq!((dry.rows, dry.new, dry.faulty, dry.warned), (7, 1, 6, 1), "{said:?}");
        let (wet, again) = county.import(HEAD, rows, false);
        assert_eq!((wet.new, wet.faulty, &said), (1, 6, &again));
        assert_eq!(
            said,
            [
                "classification.flaw.not_a_code",
                "classification.flaw.not_registered",
                "sheet.flaw.day_in_future",
                "sheet.flaw.day_of_1900",
                "classification.flaw.before_birth",
                "classification.flaw.ends_before",
                "classification.flaw.name_differs",
            ]
        );
        county.rebuild_finds_nothing();
    });
}

#[test]
fn a_disease_ends_a_child_grows_up_and_the_past_is_kept() {
    on_each(|county| {
        let (wang, li, _) = given_a_register(county);
        when_diagnoses_come_in(county);
        let number = right(WANG);
        let rows: &[&[&str]] = &[&["I63.900", &number, "王示例", "脑梗死", "2025-11-20", "", "2026-03-01"]];
        assert_eq!(county.import(HEAD, rows, false).0.changed, 1);
        assert_eq!(county.import(HEAD, rows, false).0.unchanged, 1);
        let bureau = county.visitor(Role::HealthBureau, "411722");
        let (_, page) = bureau.get(&format!("/plans/{wang}"));
        assert!(
            page.contains("由大病集中救治改为慢病签约管理") && page.contains("属慢病签约管理病种"),
            "{page}"
        );
        // Born on 2012-05-06: eighteen on 2030-05-06.
        let run = |on: &str, dry| reclassify(&county.app, county::day(on), dry, |_| {}).expect("run");
        assert_eq!((run("2030-05-05", false).checked, run("2030-05-05", false).changed), (3, 0));
        let dry = run("2030-05-06", true);
        let moves = [((Some(PlanKind::Major), Some(PlanKind::Chronic)), 1)];
        assert_eq!((dry.checked, dry.changed, &dry.moves), (3, 1, &moves.into()));
        assert!(!bureau.get(&format!("/plans/{li}")).1.contains("2030-05-06"), "a dry run wrote");
        assert_eq!(run("2030-05-06", false), dry);
        assert_eq!(run("2030-05-06", false).changed, 0);
        let (_, page) = bureau.get(&format!("/plans/{li}"));
        assert!(page.contains("先由签约家庭医生管理") && page.contains("2030-05-06"), "{page}");
        county.rebuild_finds_nothing();
    });
}

#[test]
fn figures_count_and_the_list_behind_them_is_an_excel_file_without_level_5() {
    on_each(|county| {
        let (wang, ..) = given_a_register(county);
        when_diagnoses_come_in(county);
        let figures = || -> Vec<FigureValue> {
            let app = county.app.clone();
            let values = county.database().read_blocking(move |tx| {
                let actor = Actor { place: county::place("411722"), ..Actor::system() };
                let within = reach(&actor, Purpose::ReadFigures).expect("may");
                programme()
                    .figures
                    .iter()
                    .map(|figure| (figure.value)(tx, &app, &within, app.today()))
                    .collect()
            });
            values.map_err(|error: kangmai_database::DatabaseError| error).expect("figures")
        };
        let ratio = |part, whole| FigureValue::Ratio { part, whole, money: false };
        let counts = |major, chronic, severe| [major, chronic, severe].map(FigureValue::Count).to_vec();
        assert_eq!(figures(), [counts(3, 0, 0), vec![ratio(0, 3)]].concat());
        county.bill(wang, "2025-11-19");
        assert_eq!(figures()[3], ratio(0, 3));
        county.bill(wang, "2025-12-01");
        assert_eq!(figures()[3], ratio(1, 3));
        let bureau = county.visitor(Role::HealthBureau, "411722");
        assert!(bureau.get("/plans?plan=major&treated=yes&place=411722000000").1.contains("王示例"));
        assert!(!bureau.get("/plans?plan=major&treated=no&place=411722000000").1.contains("王示例"));
        let file = bureau.download("/plans/export?plan=major");
        let mut sheet = kangmai_sheets::open_bytes(file, &EXPORTED, None).expect("an Excel file");
        let (mut row, mut names) = (kangmai_sheet::Record::new(), Vec::new());
        while sheet.next(&mut row).expect("a row") {
            names.push(row.get(0).to_owned());
        }
        names.sort();
        assert_eq!(names, ["李示例", "王示例"]);
        county.lacks_no_word();
    });
}

/// The page of a person's plan.
fn plan_page(visitor: &county::Visitor<'_>, person: Uuid) -> String {
    let (status, page) = visitor.get(&format!("/plans/{person}"));
    assert_eq!(status, StatusCode::OK, "{page}");
    page
}

/// The diagnosis of a person under `code`, and the fact that tells it.
fn known(county: &County, person: Uuid, code: &'static str) -> (Uuid, Uuid) {
    let known =
        county.database().read_blocking(move |tx| store::diagnoses_of(tx, person)).expect("diagnoses");
    let known = known.into_iter().find(|known| known.diagnosis.code == code).expect("a diagnosis");
    (known.diagnosis.id, known.fact)
}

const STROKE: &str =
    "code=I63.900&disease=脑梗死&from=2025-11-20&institution=上蔡县人民医院&reason=出院诊断证明";

#[test]
fn a_village_doctor_records_a_diagnosis_and_takes_it_back() {
    on_each(|county| {
        let (wang, ..) = given_a_register(county);
        let doctor = county.visitor(Role::VillageDoctor, VILLAGE);
        let path = format!("/plans/{wang}/diagnoses");
        assert!(plan_page(&doctor, wang).contains(&format!("href=\"{path}\"")), "no way to record");
        // The lists of the place name codes; what was chosen stands in the form.
        let (_, found) = doctor.get(&format!("{path}?find=脑卒中"));
        assert!(found.contains("I63 脑卒中") && found.contains("I60 脑卒中"), "{found}");
        let (_, picked) = doctor.get(&format!("{path}?find=脑卒中&pick=I63+脑卒中"));
        assert!(picked.contains("value=\"I63\"") && picked.contains("value=\"脑卒中\""), "{picked}");
        assert!(doctor.get(&format!("{path}?find=没有的病")).1.contains("没有这个名称"));
        let (status, page) = doctor.post(&path, STROKE);
        assert_eq!((status, page), (StatusCode::SEE_OTHER, format!("/people/{wang}")));
        let page = plan_page(&doctor, wang);
        for part in ["大病集中救治", "脑梗死", "上蔡县人民医院", "列入大病集中救治"] {
            assert!(page.contains(part), "no {part} in {page}");
        }
        let (status, page) = doctor.post(&path, STROKE);
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.contains("已有这一诊断（2025-11-20确诊）"), "{page}");
        // Now others find its code by its name, too.
        assert!(doctor.get(&format!("{path}?find=脑梗")).1.contains("I63.900 脑梗死"));
        let (_, fact) = known(county, wang, "I63.900");
        assert_eq!(doctor.post(&format!("/plans/{wang}/facts/{fact}/undo"), "").0, StatusCode::SEE_OTHER);
        let page = plan_page(&doctor, wang);
        assert!(page.contains("目前没有在治诊断") && page.contains("诊断均已结束"), "{page}");
        assert!(page.contains("<del>脑梗死（I63.900）2025年11月20日确诊</del>"), "{page}");
        county.rebuild_finds_nothing();
        county.lacks_no_word();
    });
}

#[test]
fn a_wrong_code_is_put_right_and_what_it_was_stays_struck_out() {
    on_each(|county| {
        let (wang, ..) = given_a_register(county);
        when_diagnoses_come_in(county);
        let officer = county.visitor(Role::TownshipOfficer, "411722103");
        let (stroke, fact) = known(county, wang, "I63.900");
        let path = format!("/plans/{wang}/diagnoses/{stroke}");
        let (_, form) = officer.get(&path);
        assert!(form.contains("value=\"I63.900\"") && form.contains("value=\"2025-11-20\""), "{form}");
        for (fields, said) in [
            ("code=脑梗&disease=脑梗死&from=2025-11-20&reason=编码录错了", "不是 ICD-10 诊断编码"),
            ("code=I69.300&disease=脑梗死&from=2027-01-01&reason=编码录错了", "不能晚于今天"),
            ("code=I69.300&disease=脑梗死&from=1950-01-01&reason=编码录错了", "早于出生日期"),
            ("code=I69.300&disease=脑梗死&from=2025-11-20&to=2025-01-01&reason=编码录错了", "早于确诊日期"),
            ("code=I69.300&disease=脑梗死&from=2025-11-20&reason=错", "至少4个字"),
        ] {
            let (status, page) = officer.post(&path, fields);
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{fields}");
            assert!(page.contains(said), "no {said} in {page}");
        }
        let right =
            "code=I69.300&disease=脑梗死后遗症&from=2025-10-20&institution=县人民医院&reason=原编码录错";
        assert_eq!(officer.post(&path, right).0, StatusCode::SEE_OTHER);
        let page = plan_page(&officer, wang);
        for part in [
            "<del>脑梗死（I63.900）2025年11月20日确诊</del>",
            "示例 于2026年3月5日更正",
            "原编码录错",
            "由大病集中救治改为慢病签约管理",
            "I69.300",
        ] {
            assert!(page.contains(part), "no {part} in {page}");
        }
        // The list with the mistake comes again: it stays as somebody put it right, and the row says so.
        let number = crate::right(WANG);
        let rows: &[&[&str]] = &[&["I63.900", &number, "王示例", "脑梗死", "2025-11-20", "", ""]];
        let (summary, said) = county.import(HEAD, rows, false);
        assert_eq!((summary.new, summary.unchanged, summary.warned), (0, 1, 1));
        assert_eq!(said, ["classification.flaw.put_right"]);
        // Another officer cannot take it back, nor the first fact be taken back any more; its author can, once.
        let (_, put_right) = known(county, wang, "I69.300");
        let undo = |fact| format!("/plans/{wang}/facts/{fact}/undo");
        assert!(page.contains(&undo(put_right)), "{page}");
        let bureau = county.visitor(Role::HealthBureau, "411722");
        assert!(!plan_page(&bureau, wang).contains(&undo(put_right)));
        bureau.post(&undo(put_right), "");
        officer.post(&undo(fact), "");
        assert!(plan_page(&officer, wang).contains("I69.300"));
        officer.post(&undo(put_right), "");
        officer.post(&undo(put_right), "");
        let page = plan_page(&officer, wang);
        assert!(!page.contains("<del>") && page.contains("由慢病签约管理改为大病集中救治"), "{page}");
        assert_eq!(known(county, wang, "I63.900").0, stroke);
        county.rebuild_finds_nothing();
        county.lacks_no_word();
    });
}

#[test]
fn a_diagnosis_of_somebody_else_is_withdrawn_and_comes_back() {
    on_each(|county| {
        let (wang, _, zhao) = given_a_register(county);
        when_diagnoses_come_in(county);
        let bureau = county.visitor(Role::HealthBureau, "411722");
        let (stroke, _) = known(county, wang, "I63.900");
        let path = format!("/plans/{wang}/diagnoses/{stroke}/withdraw");
        let (status, page) = bureau.post(&path, "withdraw_reason=误");
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.contains("至少4个字") && page.contains(&format!("action=\"{path}\"")), "{page}");
        assert_eq!(bureau.post(&path, "withdraw_reason=登记到他人名下").0, StatusCode::SEE_OTHER);
        assert_eq!(bureau.post(&path, "withdraw_reason=登记到他人名下").0, StatusCode::NOT_FOUND);
        let page = plan_page(&bureau, wang);
        for part in ["<del>脑梗死（I63.900）", "登记到他人名下", "属慢病签约管理病种"] {
            assert!(page.contains(part), "no {part} in {page}");
        }
        assert_eq!(when_diagnoses_come_in(county).0, 0, "the list brought it back");
        let withdrawn =
            county.database().read_blocking(move |tx| store::struck_of(tx, wang)).expect("struck");
        assert_eq!(
            bureau.post(&format!("/plans/{wang}/facts/{}/undo", withdrawn[0].fact), "").0,
            StatusCode::SEE_OTHER
        );
        assert!(!plan_page(&bureau, wang).contains("<del>"));
        assert_eq!(known(county, wang, "I63.900").0, stroke);
        // Level 5: who does not treat can neither see, correct nor withdraw it; who treats leaves nothing to be read.
        let (psychosis, _) = known(county, zhao, "F20.900");
        let path = format!("/plans/{zhao}/diagnoses/{psychosis}");
        assert_eq!(bureau.get(&path).0, StatusCode::NOT_FOUND);
        assert_eq!(
            bureau.post(&format!("{path}/withdraw"), "withdraw_reason=登记到他人名下").0,
            StatusCode::NOT_FOUND
        );
        let doctor = county.visitor(Role::VillageDoctor, OTHER_VILLAGE);
        assert_eq!(
            doctor.post(&path, "code=F32.900&disease=抑郁发作&from=2018-03-01&reason=专科医院复核").0,
            StatusCode::SEE_OTHER
        );
        assert!(plan_page(&doctor, zhao).contains("<del>精神分裂症"));
        let page = plan_page(&bureau, zhao);
        assert!(
            page.contains("抑郁发作") && !page.contains("精神分裂") && !page.contains("专科医院"),
            "{page}"
        );
        // Another village, another purpose: there is no such page.
        assert_eq!(doctor.get(&format!("/plans/{wang}/diagnoses")).0, StatusCode::NOT_FOUND);
        assert_eq!(doctor.post(&format!("/plans/{wang}/diagnoses"), STROKE).0, StatusCode::NOT_FOUND);
        for role in [Role::Cadre, Role::InsuranceClerk, Role::CountyDesk, Role::Auditor] {
            let path = format!("/plans/{wang}/diagnoses");
            assert_eq!(county.visitor(role, "411722").get(&path).0, StatusCode::NOT_FOUND, "{role:?}");
        }
        county.rebuild_finds_nothing();
        county.lacks_no_word();
    });
}
