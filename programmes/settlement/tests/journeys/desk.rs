//! Journeys at the bill desk, over HTTP, on both databases.

use super::office::{Office, XIPING, between, day, on_both, stay};
use axum::http::StatusCode;
use kangmai_access::{Purpose, Role};
use kangmai_base::Fen;
use kangmai_people::{Enrolment, Label};
use kangmai_places::{InstitutionGrade, InstitutionTier};
use kangmai_programme::FigureValue;
use kangmai_settlement::store::{self, BillFilter, BillState};

/// Zhumadian has the province's rules, Zhengzhou its waivers besides.
const ZHONGMU: &str = "410122001001";

#[test]
fn the_worked_examples_come_out_to_the_fen() {
    struct Example {
        name: &'static str,
        home: &'static str,
        label: Option<Label>,
        hospital: (&'static str, InstitutionTier, InstitutionGrade),
        discharge: &'static str,
        total: &'static str,
        layers: &'static [&'static str],
        own: &'static str,
        ratio: &'static str,
    }
    let county = ("411721001000", InstitutionTier::County, InstitutionGrade::Second);
    let examples = [
        Example {
            name: "E1",
            home: XIPING,
            label: Some(Label::RegisteredPoor),
            hospital: county,
            discharge: "2019-06-30",
            total: "60000.00",
            layers: &["49,248.00", "4,201.60", "1,220.16"],
            own: "5330.24",
            ratio: "91.12%",
        },
        Example {
            name: "E1b",
            home: ZHONGMU,
            label: Some(Label::RegisteredPoor),
            hospital: ("410122001000", InstitutionTier::County, InstitutionGrade::Second),
            discharge: "2019-06-30",
            total: "60000.00",
            layers: &["49,248.00", "4,201.60", "1,220.16", "400.00", "493.02"],
            own: "4437.22",
            ratio: "92.60%",
        },
        Example {
            name: "E2",
            home: XIPING,
            label: Some(Label::SubsistenceAllowance),
            hospital: county,
            discharge: "2022-06-30",
            total: "60000.00",
            layers: &["49,248.00", "3,413.80"],
            own: "7338.20",
            ratio: "87.77%",
        },
        Example {
            name: "E3",
            home: XIPING,
            label: None,
            hospital: county,
            discharge: "2022-06-30",
            total: "60000.00",
            layers: &["49,248.00"],
            own: "10752.00",
            ratio: "82.08%",
        },
        Example {
            name: "E4",
            home: XIPING,
            label: Some(Label::RegisteredPoor),
            hospital: ("410105001000", InstitutionTier::Province, InstitutionGrade::Third),
            discharge: "2020-06-30",
            total: "200000.00",
            layers: &["133,990.00", "49,208.50", "6,541.20"],
            own: "10260.30",
            ratio: "94.87%",
        },
        Example {
            name: "E5",
            home: XIPING,
            label: Some(Label::RegisteredPoor),
            hospital: ("411721107000", InstitutionTier::Township, InstitutionGrade::First),
            discharge: "2019-06-30",
            total: "3000.00",
            layers: &["2,400.00"],
            own: "600.00",
            ratio: "80.00%",
        },
    ];
    on_both(|office| {
        for example in &examples {
            let (at, tier, grade) = example.hospital;
            let hospital = office.given_an_institution(example.name, at, tier, grade);
            let labels: Vec<(Label, &str, Option<&str>)> =
                example.label.iter().map(|label| (*label, "2016-01-01", None)).collect();
            let person = office.given_a_person("示例甲", example.home, &labels);
            office.signed_in(Role::CountyDesk, "41", Some(hospital));
            let hospital = hospital.to_string();
            let bill = stay(example.name, &hospital, example.discharge, example.discharge, example.total);
            let statement = office.settles(&person, &bill, example.own);
            for english in [false, true] {
                if english {
                    office.in_english()
                } else {
                    office.in_chinese()
                };
                let page = office.finds(&statement);
                for layer in example.layers {
                    assert!(page.contains(layer), "{} does not say {layer}:\n{page}", example.name);
                }
                assert!(page.contains(example.ratio), "{}: {}", example.name, example.ratio);
                let own = example.own.parse::<Fen>().expect("an amount").grouped();
                assert!(page.contains(&format!("own-share print-tight\">{own} ")), "{}: {own}", example.name);
            }
            office.in_chinese();
        }
        office.nothing_differs_after_rebuilding();
    });
}

/// A desk of a county hospital and one of its patients.
fn given_a_desk(office: &mut Office) -> (String, kangmai_people::Person) {
    let county = InstitutionTier::County;
    let hospital = office.given_an_institution("H1", "411721001000", county, InstitutionGrade::Second);
    let person = office.given_a_person("示例乙", XIPING, &[(Label::Marginal, "2024-01-01", None)]);
    office.signed_in(Role::CountyDesk, "411721", Some(hospital));
    (hospital.to_string(), person)
}

#[test]
fn a_patient_is_found_and_settled_with_the_whole_way_on_paper() {
    on_both(|office| {
        let (hospital, person) = given_a_desk(office);
        assert!(office.finds("/desk").contains("结算窗口"));
        let number = person.body.id_number.as_ref().expect("a number").as_str().to_owned();
        let found = office.post("/desk", &[("query", &number)]);
        assert!(found.text.contains("示例乙"), "{}", found.text);
        assert_eq!(found.text.matches(&number).count(), 1, "only where it was typed");
        assert!(found.text.contains(&format!("/desk/{}", person.id)));
        assert!(office.post("/desk", &[("query", "没有这人")]).text.contains("没有找到"));
        assert_eq!(office.post("/desk", &[("query", " ")]).status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(office.finds(&format!("/desk/{}", person.id)).contains("name=\"total\""));

        let mut bill = stay("ZY1", &hospital, "2026-02-01", "2026-02-10", "12345.60");
        bill.extend([("diagnosis_code", "I63.9"), ("diagnosis_name", "脑梗死"), ("registration", "5.00")]);
        let trial = office.post(&format!("/desk/{}", person.id), &bill);
        assert!(trial.text.contains("预结算") && trial.text.contains("边缘易致贫"), "{}", trial.text);
        let own = between(&trial.text, "name=\"expected\" value=\"", "\"");
        let statement = office.settles(&person, &bill, &own);
        let page = office.finds(&statement);
        for part in
            ["医疗费用一站式结算单", "12,345.60", "脑梗死", "大病保险", "结算凭证校验码", "政策出处", "ZY1"]
        {
            assert!(page.contains(part), "{part}");
        }
        assert!(office.in_english().finds(&statement).contains("Statement of settlement"));
        office.in_chinese();
        office.nothing_differs_after_rebuilding();
    });
}

#[test]
fn a_late_bill_settles_the_later_ones_again_and_cancelling_it_takes_that_back() {
    on_both(|office| {
        let (hospital, person) = given_a_desk(office);
        let expected = |office: &Office, bill: &[(&str, &str)]| {
            let trial = office.post(&format!("/desk/{}", person.id), bill);
            (between(&trial.text, "name=\"expected\" value=\"", "\""), trial.text)
        };
        let late = stay("ZY-late", &hospital, "2026-02-20", "2026-02-28", "60000.00");
        let (own_alone, _) = expected(office, &late);
        let statement = office.settles(&person, &late, &own_alone);
        let early = stay("ZY-early", &hospital, "2026-01-05", "2026-01-15", "40000.00");
        let (own, trial) = expected(office, &early);
        assert!(trial.contains("会改变本年其他结算单") && trial.contains("ZY-late"), "{trial}");
        let early_statement = office.settles(&person, &early, &own);
        let page = office.finds(&statement);
        let own_after = between(&page, "own-share print-tight\">", " ");
        assert_ne!(own_after, own_alone.parse::<Fen>().expect("an amount").grouped());
        assert!(page.contains("本年另一张结算单补录"), "{page}");
        office.nothing_differs_after_rebuilding();

        assert!(office.finds(&format!("{early_statement}/cancel")).contains("作废这张结算单"));
        let path = format!("{early_statement}/cancel");
        let refused = office.post(&path, &[("reason", " ")]);
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        let done = office.post(&path, &[("reason", "录错人员"), ("act", "cancel")]);
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
        let page = office.finds(&statement);
        assert_eq!(
            between(&page, "own-share print-tight\">", " "),
            own_alone.parse::<Fen>().expect("an amount").grouped(),
            "as if the early bill had never been"
        );
        let cancelled = office.finds(&early_statement);
        assert!(cancelled.contains("本单已作废") && cancelled.contains("录错人员"));
        assert_eq!(office.get(&path).status, StatusCode::NOT_FOUND, "it is cancelled already");

        // The number may be entered anew.
        let (own, _) = expected(office, &early);
        assert_eq!(office.settles(&person, &early, &own), early_statement);
        let reach = office.reach_of("411721", Purpose::ReadBills);
        let sum = office.read(move |tx| store::bill_sum(tx, &reach, Some(2026)));
        assert_eq!((sum.bills, sum.total), (2, Fen::yuan(100_000)));
        office.nothing_differs_after_rebuilding();
    });
}

#[test]
fn what_cannot_be_is_said_at_its_field() {
    on_both(|office| {
        let (hospital, mut person) = given_a_desk(office);
        let path = format!("/desk/{}", person.id);
        let refused = |office: &Office, changes: &[(&str, &str)], expected: &str| {
            let mut bill = stay("ZY9", &hospital, "2026-02-01", "2026-02-10", "100.00");
            bill.retain(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
            bill.extend(changes);
            let answer = office.post(&path, &bill);
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{changes:?}");
            assert!(answer.text.contains(expected), "{changes:?}: {}", answer.text);
            assert!(answer.text.contains("ZY9"), "what was typed stays");
        };
        refused(office, &[("compliant", "100.01")], "合规费用 100.01 元应在零和总费用 100.00 元之间");
        refused(office, &[("total", "-3")], "id=\"field-total-error\"");
        refused(office, &[("discharge", "2026-01-31")], "早于入院日期");
        refused(office, &[("discharge", "2026-03-06")], "不能晚于今天");
        refused(office, &[("diagnosis_code", "脑梗")], "不是 ICD-10 编码");
        refused(
            office,
            &[("institution", "b0000000-0000-7000-8000-000000000000")],
            "field-institution-error",
        );
        person.body.died_on = Some(day("2026-01-20"));
        office.put_person(&person);
        refused(office, &[], "晚于登记的死亡日期");
        person.body.died_on = None;
        office.put_person(&person);

        let bill = stay("ZY9", &hospital, "2026-02-01", "2026-02-10", "100.00");
        let trial = office.post(&path, &bill);
        let own = between(&trial.text, "name=\"expected\" value=\"", "\"");
        office.settles(&person, &bill, &own);
        refused(office, &[], "这个单号已经录入");
        let mut stale = stay("ZY10", &hospital, "2026-02-01", "2026-02-10", "100.00");
        stale.push(("expected", "0.01"));
        let moved = office.post(&format!("{path}/settle"), &stale);
        assert_eq!(moved.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(moved.text.contains("结果已经改变"), "{}", moved.text);
    });
}

#[test]
fn without_a_policy_nothing_is_settled() {
    on_both(|office| {
        let county = InstitutionTier::County;
        let hospital = office.given_an_institution("H9", "540102001000", county, InstitutionGrade::Second);
        let person = office.given_a_person("示例丙", "540102001001", &[]);
        office.signed_in(Role::CountyDesk, "540102", Some(hospital));
        let hospital = hospital.to_string();
        let bill = stay("ZY1", &hospital, "2026-02-01", "2026-02-10", "100.00");
        let answer = office.post(&format!("/desk/{}", person.id), &bill);
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.text.contains("没有可用的结算政策"), "{}", answer.text);
    });
}

#[test]
fn who_may_not_see_finds_nothing() {
    on_both(|office| {
        let (hospital, person) = given_a_desk(office);
        let mut bill = stay("ZY1", &hospital, "2026-02-01", "2026-02-10", "100.00");
        // A disease of sensitive level 5 in the shipped lists.
        bill.extend([("diagnosis_code", "B20.1"), ("diagnosis_name", "机密诊断")]);
        let trial = office.post(&format!("/desk/{}", person.id), &bill);
        let own = between(&trial.text, "name=\"expected\" value=\"", "\"");
        let statement = office.settles(&person, &bill, &own);
        assert!(!office.finds(&statement).contains("机密诊断"), "level 5 is not shown at a desk");
        assert!(!office.finds("/bills").contains("机密诊断"));

        office.signed_in(Role::CountyDesk, "411722", None);
        assert_eq!(office.get(&statement).status, StatusCode::NOT_FOUND);
        assert_eq!(office.get(&format!("/desk/{}", person.id)).status, StatusCode::NOT_FOUND);
        let elsewhere = office.post(&format!("/desk/{}", person.id), &bill);
        assert_eq!(elsewhere.status, StatusCode::NOT_FOUND);
        assert!(!office.finds("/bills").contains("示例乙"));

        office.signed_in(Role::InsuranceClerk, "411721", None);
        let page = office.finds(&statement);
        assert!(page.contains("100.00") && !page.contains("B20.1"), "money, but no diagnosis");
        for path in ["/desk", "/admissions", &format!("{statement}/cancel")] {
            assert_eq!(office.get(path).status, StatusCode::NOT_FOUND, "{path}");
        }
        for role in [Role::VillageDoctor, Role::Cadre, Role::Administrator] {
            office.signed_in(role, "411721", None);
            for path in ["/bills", "/bills.xlsx", "/desk", &statement] {
                assert_eq!(office.get(path).status, StatusCode::NOT_FOUND, "{role:?} {path}");
            }
        }
        // Another hospital of the county does not know of the bill, nor does a desk of none.
        let township = InstitutionTier::Township;
        let other = office.given_an_institution("H2", "411721107000", township, InstitutionGrade::First);
        for institution in [Some(other), None] {
            office.signed_in(Role::CountyDesk, "411721", institution);
            for path in ["", "/why", "/receipt.json", "/lines.xlsx", "/cancel"] {
                let path = format!("{statement}{path}");
                assert_eq!(office.get(&path).status, StatusCode::NOT_FOUND, "{path}");
            }
            let bill = statement.rsplit('/').next().expect("a bill");
            for path in [format!("/payments/{bill}"), format!("/payments/{bill}/pay")] {
                assert_eq!(office.get(&path).status, StatusCode::NOT_FOUND, "{path}");
            }
            for list in ["/bills", "/bills?state=settled", "/postings", "/payments?state=all"] {
                let list = office.finds(list);
                assert!(!list.contains("ZY1") && !list.contains("100.00"), "{list}");
            }
            let sections = office.sections_at(Role::CountyDesk, XIPING, institution, &person);
            assert!(!sections[0].contains("/bills/"), "{}", sections[0]);
        }
        // Nor may it settle in another's name: what is typed is refused for want of an institution of its own.
        office.signed_in(Role::CountyDesk, "411721", Some(other));
        let theirs = stay("ZY9", &hospital, "2026-02-01", "2026-02-10", "100.00");
        let refused = office.post(&format!("/desk/{}", person.id), &theirs);
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(!refused.text.contains("示例医院H1 "), "others are not offered");
    });
}

#[test]
fn the_list_filters_and_goes_out_as_a_file() {
    on_both(|office| {
        let (hospital, person) = given_a_desk(office);
        for (number, from, to) in [("ZY1", "2026-01-01", "2026-01-10"), ("ZY2", "2026-02-01", "2026-02-10")] {
            let bill = stay(number, &hospital, from, to, "8000.00");
            let trial = office.post(&format!("/desk/{}", person.id), &bill);
            let own = between(&trial.text, "name=\"expected\" value=\"", "\"");
            office.settles(&person, &bill, &own);
        }
        office.signed_in(Role::InsuranceClerk, "4117", None);
        for (query, shown) in [
            ("", 2),
            ("?from=2026-02-01", 1),
            ("?to=2026-01-31", 1),
            ("?from=2026-02-11", 0),
            ("?state=settled", 2),
            ("?state=cancelled", 0),
            ("?place=411721000000", 2),
            ("?place=411722000000", 0),
            ("?place=530000000000&state=settled&from=2026-02-01", 1),
        ] {
            let page = office.finds(&format!("/bills{query}"));
            assert_eq!(page.matches("示例乙</a>").count(), shown, "{query}: {page}");
        }
        let file = office.get("/bills.xlsx?from=2026-02-01");
        assert_eq!((file.status, &file.bytes[..2]), (StatusCode::OK, &b"PK"[..]));
        let reach = office.reach_of("41", Purpose::ReadBills);
        let rows = office.read(move |tx| store::bill_rows(tx, &reach, BillFilter::default(), 50, 0));
        assert_eq!(rows.iter().map(|row| row.number.as_str()).collect::<Vec<_>>(), ["ZY2", "ZY1"]);
        assert!(rows.iter().all(|row| row.state == BillState::Settled));
    });
}

#[test]
fn no_deposit_for_who_is_entitled_and_a_reason_for_who_is_not() {
    on_both(|office| {
        let (hospital, marginal) = given_a_desk(office);
        let plain = office.given_a_person("示例丁", XIPING, &[]);
        let mut uninsured =
            office.given_a_person("示例戊", XIPING, &[(Label::SubsistenceAllowance, "2024-01-01", None)]);
        uninsured.body.enrolment = Some(Enrolment::NotEnrolled);
        office.put_person(&uninsured);
        let admit = |office: &Office, person: &kangmai_people::Person, emergency: bool| {
            office.finds(&format!("/admissions/new/{}", person.id));
            let mut fields = vec![("institution", hospital.as_str()), ("admission", "2026-03-04")];
            if emergency {
                fields.push(("emergency", "1"));
            }
            let answer = office.post(&format!("/admissions/new/{}", person.id), &fields);
            assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
            office.finds(&answer.location.expect("the admission"))
        };
        let agreed = admit(office, &marginal, false);
        assert!(agreed.contains("先诊疗后付费协议书") && agreed.contains("约定事项"), "{agreed}");
        let refused = admit(office, &plain, true);
        assert!(refused.contains("不属于先诊疗后付费对象") && refused.contains("不得拒收"), "{refused}");
        assert!(admit(office, &uninsured, false).contains("未参加基本医保"));
        let list = office.finds("/admissions");
        assert!(list.contains("3 人在院") && list.contains("免押金"), "{list}");
        let wrong = office.post(
            &format!("/admissions/new/{}", plain.id),
            &[("institution", &hospital), ("admission", "2027-01-01")],
        );
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        office.in_english();
        assert!(office.finds("/admissions").contains("in hospital"));
        assert!(office.finds("/admissions/new").contains("Admission"));
        assert!(office.post("/admissions/new", &[("query", "示例丁")]).text.contains("Admit"));
        office.in_chinese();

        // The bill of the stay closes the admission.
        let bill = stay("ZY1", &hospital, "2026-03-04", "2026-03-05", "900.00");
        let trial = office.post(&format!("/desk/{}", marginal.id), &bill);
        let own = between(&trial.text, "name=\"expected\" value=\"", "\"");
        office.settles(&marginal, &bill, &own);
        assert!(office.finds("/admissions").contains("2 人在院"));
        office.nothing_differs_after_rebuilding();
    });
}

#[test]
fn pages_of_persons_and_households_say_cost_line_and_entitlements() {
    on_both(|office| {
        let (hospital, person) = given_a_desk(office);
        let bill = stay("ZY1", &hospital, "2026-02-01", "2026-02-10", "120000.00");
        let trial = office.post(&format!("/desk/{}", person.id), &bill);
        let own = between(&trial.text, "name=\"expected\" value=\"", "\"");
        office.settles(&person, &bill, &own);
        let grouped = own.parse::<Fen>().expect("an amount").grouped();
        for (role, links) in [
            (Role::InsuranceClerk, true),
            (Role::VillageDoctor, false),
            (Role::Cadre, false),
            (Role::CountyDesk, true),
        ] {
            let sections = office.sections_at(role, XIPING, hospital.parse().ok(), &person);
            assert_eq!(sections.len(), 2, "{role:?}");
            for section in &sections {
                assert!(section.contains(&grouped), "{role:?}: {section}");
                assert!(section.contains("警戒线"), "{role:?}: {section}");
                assert!(section.contains("基本医疗保险"), "{role:?}: {section}");
            }
            assert_eq!(sections[0].contains("/bills/"), links, "{role:?}: {}", sections[0]);
            assert_eq!(sections[0].contains("/desk/"), role == Role::CountyDesk, "{role:?}");
        }
        assert_eq!(office.sections(Role::Administrator, XIPING, &person).len(), 0);
        assert_eq!(office.words.missing(), Vec::<String>::new());
    });
}

#[test]
fn figures_and_the_home_page_count_what_is_settled_and_what_waits() {
    on_both(|office| {
        let (hospital, person) = given_a_desk(office);
        let bill = stay("ZY1", &hospital, "2026-02-01", "2026-02-10", "60000.00");
        let trial = office.post(&format!("/desk/{}", person.id), &bill);
        let own = between(&trial.text, "name=\"expected\" value=\"", "\"");
        office.settles(&person, &bill, &own);
        let own: Fen = own.parse().expect("an amount");
        let figures = office.figures("411721", "2026-03-05");
        let of = |word: &str| figures.iter().find(|(key, _)| *key == word).expect("a figure").1;
        assert_eq!(of("settlement.figure.bills"), FigureValue::Count(1));
        assert_eq!(of("settlement.figure.total"), FigureValue::Amount(Fen::yuan(60_000)));
        assert_eq!(of("settlement.figure.own"), FigureValue::Amount(own));
        let part = (Fen::yuan(60_000) - own).0;
        assert_eq!(of("settlement.figure.ratio"), FigureValue::Ratio { part, whole: 6_000_000, money: true });
        let FigureValue::Amount(insurance) = of("settlement.figure.insurance") else { panic!("an amount") };
        assert!(insurance >= Fen(4_924_800), "{insurance}");
        for (place, day) in [("411722", "2026-03-05"), ("411721", "2025-03-05")] {
            let elsewhere = office.figures(place, day);
            assert_eq!(elsewhere[0].1, FigureValue::Count(0), "{place} {day}");
        }
        let desk = hospital.parse().ok();
        assert_eq!(office.due_at(Role::CountyDesk, "411721", desk), []);
        office.post(
            &format!("/admissions/new/{}", person.id),
            &[("institution", &hospital), ("admission", "2026-03-05")],
        );
        let due = office.due_at(Role::CountyDesk, "411721", desk);
        assert_eq!(
            due.iter().map(|line| (line.word, line.count)).collect::<Vec<_>>(),
            [("settlement.due.admissions", 1)]
        );
        assert_eq!(office.due(Role::CountyDesk, "411721"), [], "a desk of no institution has nothing to do");
        assert_eq!(office.due(Role::VillageDoctor, "411721"), []);
    });
}
