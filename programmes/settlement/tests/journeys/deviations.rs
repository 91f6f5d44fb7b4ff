//! 定额偏离: what a county has set for a disease, stays that left it, and who sees that.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

use std::path::Path;
use std::sync::Arc;

use super::office::{Office, XIPING, day, place, settles, stay};
use axum::http::StatusCode;
use kangmai_access::Role;
use kangmai_base::Fen;
use kangmai_database::testing::FreshDatabase;
use kangmai_places::{InstitutionGrade, InstitutionTier};
use kangmai_policy::{CapDeviation, Release};
use kangmai_settlement::rules::{Stay, deviated};

/// What Xiping is taken to have set; the figures rest on no notice.
const PACK: &str = "id = \"xiping\"\nname = { zh = \"西平县\", en = \"Xiping\" }\ndivision = \"411721\"\ninherits = \"all\"\n";
const CAPS: &str = r#"[[version]]
from   = "2026-01-01"
sure   = "low"
source = { doc = "示例" }
responsible = { zh = "县医保局", en = "county insurance bureau" }
[[version.cap]]
disease   = "gastric_cancer"
hospitals = ["H1"]
price     = "30000.00"
promised  = "80%"
[[version.cap]]
disease   = "childhood_leukaemia"
price     = "10000.00"
promised  = "none"
[[version.cap]]
disease   = "hiv_opportunistic"
price     = "1.00"
promised  = "none"
"#;

fn packs() -> Arc<Release> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    let mut files = Release::read_directory(&folder).expect("the packs");
    let known = &files.iter().find(|(path, _)| path == "cn/diseases.toml").expect("the diseases").1;
    // The list's own name of the disease of level 5.
    let restricted = known.split("[[version.major]]").find(|part| part.contains("B20")).expect("it");
    let id = restricted.split("id = \"").nth(1).and_then(|rest| rest.split('"').next()).expect("its id");
    let caps = CAPS.replace("hiv_opportunistic", id);
    files.push(("cn/henan/xiping/pack.toml".to_owned(), PACK.to_owned()));
    files.push(("cn/henan/xiping/disease_caps.toml".to_owned(), caps));
    Arc::new(Release::load(files).expect("the packs load"))
}

#[test]
fn a_stay_is_held_against_the_table_of_its_place_day_disease_and_age() {
    let packs = packs();
    let kept = Stay {
        home: place(XIPING),
        discharge: day("2026-03-01"),
        diagnosis: "C16.900",
        age: Some(60),
        institution: "H1",
        total: Fen::yuan(30_000),
        own: Fen::yuan(6_000),
    };
    let over = Stay { total: Fen::yuan(30_001), own: Fen::ZERO, ..kept };
    let leukaemia = Stay { diagnosis: "C91.000", ..over };
    for (what, stay, expected) in [
        ("kept", kept, 0),
        ("over the price", over, 1),
        ("elsewhere", Stay { institution: "H2", ..kept }, 1),
        ("a fen under the promise", Stay { own: Fen(600_001), ..kept }, 1),
        ("all three", Stay { institution: "", own: Fen(900_000), ..over }, 3),
        ("the day before", Stay { discharge: day("2025-12-31"), ..over }, 0),
        ("the first day", Stay { discharge: day("2026-01-01"), ..over }, 1),
        ("another county", Stay { home: place("411722103203"), ..over }, 0),
        ("nothing is set for it", Stay { diagnosis: "C34.100", ..over }, 0),
        ("no major disease", Stay { diagnosis: "I10", ..over }, 0),
        ("no code", Stay { diagnosis: "胃癌", ..over }, 0),
        ("a child", Stay { age: Some(17), ..leukaemia }, 1),
        ("no child", Stay { age: Some(18), ..leukaemia }, 0),
        ("an unknown age is let in", Stay { age: None, ..leukaemia }, 1),
        ("named in no list", Stay { diagnosis: "B20.000", ..over }, 0),
    ] {
        let found = deviated(&packs, &stay).map_or(0, |found| found.deviations.len());
        assert_eq!(found, expected, "{what}");
    }
    let found = deviated(&packs, &over).expect("it");
    assert_eq!(found.deviations, [CapDeviation::OverPrice { over: Fen::yuan(1) }]);
    assert_eq!(found.disease.id, "gastric_cancer");
}

fn on_both(journey: impl Fn(&mut Office)) {
    for fresh in FreshDatabase::all().expect("databases") {
        journey(&mut Office::open_under(fresh, packs()));
    }
}

/// A patient of Xiping, treated for 胃癌 as set and otherwise, and for something else.
fn given_stays(office: &mut Office) -> Vec<String> {
    let county = InstitutionTier::County;
    let hospital = office.given_an_institution("H1", "411721001000", county, InstitutionGrade::Second);
    let other = office.given_an_institution("H2", "411721001000", county, InstitutionGrade::Second);
    let person = office.given_a_person("示例胃", XIPING, &[]);
    let (own, elsewhere) = (hospital.to_string(), other.to_string());
    let mut paths = Vec::new();
    for (number, institution, at, until, total, code) in [
        ("KEPT", hospital, &own, "2026-02-10", "30000.00", "C16.900"),
        ("OVER", hospital, &own, "2026-02-11", "45000.00", "C16.900"),
        ("AWAY", other, &elsewhere, "2026-02-12", "20000.00", "C16.900"),
        ("FLU", hospital, &own, "2026-02-13", "90000.00", "J10.100"),
        ("HIV", hospital, &own, "2026-02-14", "50000.00", "B20.000"),
    ] {
        office.signed_in(Role::CountyDesk, "411721", Some(institution));
        let mut bill = stay(number, at, "2026-02-01", until, total);
        bill.extend([("diagnosis_code", code), ("diagnosis_name", "示例诊断")]);
        paths.push(settles(office, &person, &bill));
    }
    paths
}

#[test]
fn who_left_what_is_set_stands_in_a_list_with_how() {
    on_both(|office| {
        given_stays(office);
        office.signed_in(Role::HealthBureau, "411721", None);
        let page = office.finds("/deviations");
        assert!(page.contains(">OVER<") && page.contains(">AWAY<"), "{page}");
        for kept in [">KEPT<", ">FLU<", ">HIV<", "B20"] {
            assert!(!page.contains(kept), "{kept} stands in the list");
        }
        assert!(page.contains("超过限价 30,000.00 元：多 15,000.00 元"), "{page}");
        assert!(page.contains("未在定点医院治疗") && page.contains("胃癌"), "{page}");
        let only = office.finds("/deviations?what=elsewhere");
        assert!(only.contains(">AWAY<") && !only.contains(">OVER<"), "{only}");
        let before = office.finds("/deviations?to=2026-02-09");
        assert!(before.contains("没有偏离的住院"), "{before}");
        let file = office.get("/deviations.xlsx");
        assert!(file.status == StatusCode::OK && file.bytes.starts_with(b"PK"), "an Excel file");
        office.in_english();
        let english = office.finds("/deviations");
        assert!(english.contains("15,000.00 yuan over the price of 30,000.00 yuan"), "{english}");
        office.in_chinese();

        // An insurance clerk sees no diagnosis; another county sees nothing.
        office.signed_in(Role::InsuranceClerk, "411721", None);
        let page = office.finds("/deviations");
        assert!(page.contains(">OVER<") && !page.contains("胃癌"), "{page}");
        office.signed_in(Role::HealthBureau, "411722", None);
        let page = office.finds("/deviations");
        assert!(!page.contains(">OVER<"), "{page}");
    });
}

#[test]
fn the_statement_says_it_to_staff_who_may_see_the_diagnosis() {
    on_both(|office| {
        let paths = given_stays(office);
        office.signed_in(Role::HealthBureau, "411721", None);
        for (path, said) in paths.iter().zip([false, true, true, false, false]) {
            let page = office.finds(path);
            assert_eq!(page.contains("定额偏离（单位内部）"), said, "{path}");
        }
        let page = office.finds(&paths[1]);
        let from = page.find("定额偏离（单位内部）").expect("it");
        assert!(page[..from].rfind("no-print") > page[..from].rfind("</dl>"), "never on paper");
        office.signed_in(Role::InsuranceClerk, "411721", None);
        assert!(!office.finds(&paths[1]).contains("定额偏离（单位内部）"), "no diagnosis for a clerk");
    });
}

#[test]
fn where_nothing_is_set_the_page_says_what_to_do() {
    super::office::on_both(|office| {
        office.signed_in(Role::HealthBureau, "411721", None);
        let page = office.finds("/deviations");
        assert!(page.contains("没有录入单病种定额") && page.contains("/policies/tables"), "{page}");
        assert!(!office.finds("/bills").contains("/deviations"), "no way to what is not there");
    });
}
