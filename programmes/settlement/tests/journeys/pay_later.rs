//! Treatment before payment to its end: payments, instalments, write-offs, suspension; over HTTP, on both databases.

#![expect(clippy::expect_used, clippy::panic, reason = "a test says what it needs")]

use super::office::{Office, XIPING, on_both};
use axum::http::StatusCode;
use kangmai_access::Role;
use kangmai_base::Fen;
use kangmai_people::{Label, Person};
use kangmai_places::{InstitutionGrade, InstitutionTier};
use kangmai_programme::FigureValue;

const COUNTY: &str = "411721";
const TOWNSHIP: &str = "411721107000";
/// A desk of the county hospital, signed in.
fn given_a_hospital(office: &mut Office) -> String {
    let county = InstitutionTier::County;
    let hospital = office.given_an_institution("H1", "411721001000", county, InstitutionGrade::Second);
    office.signed_in(Role::CountyDesk, COUNTY, Some(hospital));
    hospital.to_string()
}

/// Somebody admitted without deposit on 1 February and settled on the 10th; the path of the debt, and what is open.
fn given_a_debt(office: &mut Office, hospital: &str, person: &Person, number: &str) -> (String, Fen) {
    let admitted = office.post(
        &format!("/admissions/new/{}", person.id),
        &[("institution", hospital), ("admission", "2026-02-10")],
    );
    assert_eq!(admitted.status, StatusCode::SEE_OTHER, "{}", admitted.text);
    let bill = [
        ("number", number),
        ("institution", hospital),
        ("setting", "inpatient"),
        ("admission", "2026-02-10"),
        ("discharge", "2026-02-20"),
        ("referral", "referred"),
        ("total", "12345.60"),
        ("compliant", "12345.60"),
    ];
    let trial = office.post(&format!("/desk/{}", person.id), &bill);
    let own = between(&trial.text, "name=\"expected\" value=\"", "\"");
    let statement = office.settles(person, &bill, &own);
    (statement.replace("/bills/", "/payments/"), own.parse().expect("an amount"))
}

fn between(text: &str, before: &str, after: &str) -> String {
    let start = text.find(before).unwrap_or_else(|| panic!("no {before:?} in {text}")) + before.len();
    let rest = &text[start..];
    rest[..rest.find(after).expect("it ends")].to_owned()
}

/// Pays at the desk with the form as it is drawn; answers the path of the receipt.
fn pays(office: &Office, debt: &str, amount: Fen) -> String {
    let form = office.finds(&format!("{debt}/pay"));
    let expected = between(&form, "name=\"expected\" value=\"", "\"");
    let amount = amount.to_string();
    let fields =
        [("amount", &*amount), ("method", "cash"), ("paid_on", "2026-03-05"), ("expected", &*expected)];
    let answer = office.post(&format!("{debt}/pay"), &fields);
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    answer.location.expect("a receipt")
}

fn marginal(office: &mut Office, name: &str) -> Person {
    office.given_a_person(name, XIPING, &[(Label::Marginal, "2024-01-01", None)])
}

#[test]
fn an_own_share_is_paid_in_parts_and_a_mistake_is_taken_back() {
    on_both(|office| {
        let hospital = given_a_hospital(office);
        let person = marginal(office, "示例丙");
        let (debt, own) = given_a_debt(office, &hospital, &person, "ZY1");
        let page = office.finds(&debt);
        assert!(page.contains("已逾期未付"), "{page}");
        assert!(office.finds("/payments?state=overdue").contains("示例丙"));
        assert!(!office.finds("/payments?state=paid").contains("示例丙"));

        // A part, with its receipt in words.
        let first = pays(office, &debt, Fen::yuan(1_002));
        let receipt = office.finds(&first);
        for part in ["壹仟零贰元整", "2026-000001", "1,002.00", "现金", "示例丙"] {
            assert!(receipt.contains(part), "{part}: {receipt}");
        }
        assert!(office.in_english().finds(&first).contains("Receipt for an own share"));
        office.in_chinese();

        // Too much is refused, and who presses twice pays once.
        let open = own - Fen::yuan(1_002);
        let too_much = (open + Fen(1)).to_string();
        let fields = |amount: &str, expected: &str| {
            [
                ("amount", amount.to_owned()),
                ("method", "wechat".to_owned()),
                ("paid_on", "2026-03-05".to_owned()),
                ("expected", expected.to_owned()),
            ]
        };
        let post = |amount: &str, expected: &str| {
            let owned = fields(amount, expected);
            let pairs: Vec<(&str, &str)> =
                owned.iter().map(|(name, value)| (*name, value.as_str())).collect();
            office.post(&format!("{debt}/pay"), &pairs)
        };
        let refused = post(&too_much, &open.to_string());
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text.contains(&format!("最多 {}", open.grouped())), "{}", refused.text);
        assert_eq!(post("1.00", &open.to_string()).status, StatusCode::SEE_OTHER);
        assert_eq!(post("1.00", &open.to_string()).status, StatusCode::UNPROCESSABLE_ENTITY);

        // The first was a mistake: taken back with a reason, its number stays void; the next has the next number.
        let form = format!("{first}/take-back");
        assert!(office.finds(&form).contains("2026-000001"));
        assert_eq!(office.post(&form, &[("reason", "")]).status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(office.post(&form, &[("reason", "记错了人")]).status, StatusCode::SEE_OTHER);
        assert_eq!(office.get(&form).status, StatusCode::NOT_FOUND);
        assert!(office.finds(&first).contains("本收据已作废：记错了人"));
        let last = pays(office, &debt, own - Fen::yuan(1));
        assert!(office.finds(&last).contains("2026-000003"));
        assert!(office.finds("/payments?state=paid").contains("示例丙"));
        assert!(!office.finds("/payments?state=overdue").contains("示例丙"));
        office.nothing_differs_after_rebuilding();
    });
}

#[test]
fn a_re_settlement_claims_more_or_owes_a_refund() {
    on_both(|office| {
        let hospital = given_a_hospital(office);
        let person = marginal(office, "示例丁");
        let (debt, own) = given_a_debt(office, &hospital, &person, "ZY1");
        pays(office, &debt, own);
        // An earlier stay comes in late: the later one has another deductible, so another own share.
        let earlier = [
            ("number", "ZY0"),
            ("institution", &*hospital),
            ("setting", "inpatient"),
            ("admission", "2026-01-05"),
            ("discharge", "2026-01-10"),
            ("referral", "referred"),
            ("total", "9000.00"),
            ("compliant", "9000.00"),
        ];
        let trial = office.post(&format!("/desk/{}", person.id), &earlier);
        let earlier_own = between(&trial.text, "name=\"expected\" value=\"", "\"");
        let late = office.settles(&person, &earlier, &earlier_own);
        let page = office.finds(&debt);
        assert!(page.contains("应退还多付的部分"), "{page}");
        let form = office.finds(&format!("{debt}/refund"));
        let most: Fen =
            between(&form, "name=\"amount\" type=\"text\" value=\"", "\"").parse().expect("an amount");
        assert!(most > Fen::ZERO);
        let refund = |amount: Fen| {
            let amount = amount.to_string();
            let fields =
                [("amount", &*amount), ("method", "cash"), ("paid_on", "2026-03-05"), ("expected", "0")];
            office.post(&format!("{debt}/refund"), &fields)
        };
        assert_eq!(refund(most + Fen(1)).status, StatusCode::UNPROCESSABLE_ENTITY);
        let slip = refund(most).location.expect("a slip");
        assert!(office.finds(&slip).contains(&most.in_chinese_capitals()));
        // The late bill was a mistake: what was given back is owed again, from today.
        assert_eq!(
            office.post(&format!("{late}/cancel"), &[("reason", "重复")]).status,
            StatusCode::SEE_OTHER
        );
        let page = office.finds(&debt);
        assert!(page.contains(&most.grouped()) && page.contains("2026-03-05"), "{page}");
        assert!(office.finds("/payments?state=soon").contains("示例丁"), "due today");
        office.nothing_differs_after_rebuilding();
    });
}

#[test]
fn instalments_are_agreed_printed_paid_in_order_and_agreed_anew() {
    on_both(|office| {
        let hospital = given_a_hospital(office);
        let person = marginal(office, "示例戊");
        let (debt, own) = given_a_debt(office, &hospital, &person, "ZY1");
        let agree = format!("{debt}/agree");
        let form = office.finds(&agree);
        assert!(form.contains("12 个月内") && form.contains("100.00"), "{form}");
        let post = |office: &Office, count: &str, first: &str, reason: &str, open: Fen| {
            let open = open.to_string();
            office.post(
                &agree,
                &[
                    ("instalments", count),
                    ("first_due", first),
                    ("guarantor", "township_government"),
                    ("guarantor_name", "示例镇人民政府"),
                    ("reason", reason),
                    ("expected", &open),
                ],
            )
        };
        assert!(post(office, "13", "2026-04-05", "", own).text.contains("最后一期须在 12 个月内"));
        let made = post(office, "3", "2026-04-05", "", own);
        let print = made.location.unwrap_or_else(|| panic!("{}", made.text));
        let page = office.finds(&print);
        let each = Fen(own.0 / 3);
        for part in ["示例镇人民政府", &each.grouped(), &(own - each - each).grouped(), "2026年6月5日"]
        {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert!(!office.finds("/payments?state=overdue").contains("示例戊"));

        // Paid in order: a part of the first, then the day passes.
        pays(office, &debt, Fen::yuan(100));
        office.clock.advance(32 * 86_400);
        let hospital_id = hospital.parse::<kangmai_base::Id<()>>().expect("an id").uuid();
        office.signed_in(Role::CountyDesk, COUNTY, Some(hospital_id));
        let page = office.finds("/payments?state=overdue");
        assert!(page.contains(&(each - Fen::yuan(100)).grouped()), "{page}");
        let open = own - Fen::yuan(100);
        assert!(post(office, "2", "2026-05-01", "", open).text.contains("请写明变更原因"));
        let anew = post(office, "2", "2026-05-01", "住院复发", open);
        let page = office.finds(&anew.location.unwrap_or_else(|| panic!("{}", anew.text)));
        assert!(page.contains("变更原因：住院复发"), "{page}");
        assert!(!office.finds("/payments?state=overdue").contains("示例戊"));
        office.nothing_differs_after_rebuilding();
    });
}

#[test]
fn a_write_off_needs_a_second_person_of_the_county() {
    on_both(|office| {
        let hospital = given_a_hospital(office);
        let person = marginal(office, "示例己");
        let (debt, own) = given_a_debt(office, &hospital, &person, "ZY1");
        office.signed_in(Role::TownshipOfficer, TOWNSHIP, None);
        let ask = format!("{debt}/write-off");
        let (amount, more) = (own.to_string(), (own + Fen(1)).to_string());
        let fields = |amount| [("amount", amount), ("reason", "大病失能"), ("evidence", "入户2026-03-01")];
        assert_eq!(office.post(&ask, &fields(&more)).status, StatusCode::UNPROCESSABLE_ENTITY);
        let asked = office.post(&ask, &fields(&amount)).location.expect("a request");
        assert!(office.post(&ask, &fields(&amount)).text.contains("已有一份申请待审批"));
        // The township reads it, decides nothing, and may not pay it off either.
        assert!(office.finds(&asked).contains("待审批"));
        assert_eq!(office.post(&asked, &[("verdict", "approve")]).status, StatusCode::NOT_FOUND);
        assert_eq!(office.get(&format!("{debt}/pay")).status, StatusCode::NOT_FOUND);
        let due = office.due(Role::HealthBureau, COUNTY);
        let found = due.iter().find(|line| line.path == "/write-offs?state=asked").expect("a task");
        assert_eq!((found.count, found.late), (1, 0));

        office.signed_in(Role::HealthBureau, COUNTY, None);
        let decide = |verdict: &str, bearer: &str| {
            office.post(&asked, &[("verdict", verdict), ("bearer", bearer), ("reason", "情况属实")])
        };
        assert!(decide("approve", "").text.contains("请选择由谁负担"));
        assert_eq!(decide("approve", "emergency_rescue").status, StatusCode::SEE_OTHER);
        assert_eq!(decide("reject", "").status, StatusCode::UNPROCESSABLE_ENTITY, "decided already");
        let page = office.finds(&asked);
        assert!(page.contains("疾病应急救助基金") && page.contains("情况属实"), "{page}");
        assert!(!office.finds("/payments?state=overdue").contains("示例己"));
        assert!(office.finds("/payments?state=written_off").contains("示例己"));
        let figures = office.figures(COUNTY, "2026-03-05");
        let of = |word: &str| figures.iter().find(|(name, _)| *name == word).expect("a figure").1;
        assert_eq!(of("settlement.figure.written_off"), FigureValue::Amount(own));
        assert_eq!(of("settlement.figure.overdue"), FigureValue::Amount(Fen::ZERO));
        assert_eq!(of("settlement.figure.on_time"), FigureValue::Ratio { part: 0, whole: 1, money: false });
        let statement = office.finds(&debt.replace("/payments/", "/bills/"));
        assert!(statement.contains("已核销"), "{statement}");

        // A mistake: taken back, owed again.
        let back = office.post(&format!("{asked}/withdraw"), &[("reason", "材料不实")]);
        assert_eq!(back.status, StatusCode::SEE_OTHER);
        assert!(office.finds("/payments?state=overdue").contains("示例己"));
        office.nothing_differs_after_rebuilding();
    });
}

#[test]
fn only_bad_faith_suspends_and_an_emergency_is_admitted_all_the_same() {
    on_both(|office| {
        let hospital = given_a_hospital(office);
        let person = marginal(office, "示例庚");
        let other = marginal(office, "示例辛");
        given_a_debt(office, &hospital, &person, "ZY1");
        let admit = |office: &Office, emergency: bool| {
            let mut fields = vec![("institution", hospital.as_str()), ("admission", "2026-03-05")];
            if emergency {
                fields.push(("emergency", "1"));
            }
            let answer = office.post(&format!("/admissions/new/{}", person.id), &fields);
            assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
            office.finds(&answer.location.expect("an admission"))
        };
        // Late, for months perhaps: that alone takes nothing away.
        assert!(admit(office, false).contains("免交住院押金"));
        // The desk cannot suspend; the county can, with reason, over something overdue, and only for bad faith.
        let new = format!("/suspensions/new/{}", person.id);
        assert_eq!(office.get(&new).status, StatusCode::NOT_FOUND);
        office.signed_in(Role::HealthBureau, COUNTY, None);
        assert!(office.finds(&new).contains("已逾期未付"));
        let reason = ("reason", "有存款拒不支付，三次书面通知");
        assert!(office.post(&new, &[reason]).text.contains("只有核实属恶意拖欠才能暂停"));
        let never_late = format!("/suspensions/new/{}", other.id);
        assert!(office.post(&never_late, &[reason, ("deliberate", "1")]).text.contains("没有逾期未付的费用"));
        let suspended = office.post(&new, &[reason, ("deliberate", "1")]).location.expect("a suspension");
        assert!(office.post(&new, &[reason, ("deliberate", "1")]).text.contains("已经暂停"));

        office.signed_in(
            Role::CountyDesk,
            COUNTY,
            Some(hospital.parse::<kangmai_base::Id<()>>().expect("an id").uuid()),
        );
        let refused = admit(office, false);
        assert!(refused.contains("恶意拖欠") && !refused.contains("免交住院押金"), "{refused}");
        let urgent = admit(office, true);
        assert!(urgent.contains("急诊入院，不收押金") && urgent.contains("不得拒收"), "{urgent}");
        assert!(office.sections(Role::CountyDesk, COUNTY, &person)[0].contains("急诊照常免押金救治"));

        // An appeal is passed on, and the county lifts it.
        let appeal = format!("{suspended}/appeal");
        assert_eq!(office.post(&appeal, &[("reason", "存款已用于治病")]).status, StatusCode::SEE_OTHER);
        let due = office.due(Role::HealthBureau, COUNTY);
        assert!(due.iter().any(|line| line.path == "/suspensions?state=appealed" && line.count == 1));
        office.signed_in(Role::HealthBureau, COUNTY, None);
        let answer = office.post(&suspended, &[("verdict", "lift"), ("reason", "情况属实")]);
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        assert!(office.finds(&suspended).contains("已恢复"));
        let hospital_id = hospital.parse::<kangmai_base::Id<()>>().expect("an id").uuid();
        office.signed_in(Role::CountyDesk, COUNTY, Some(hospital_id));
        assert!(admit(office, false).contains("免交住院押金"));
        office.nothing_differs_after_rebuilding();
    });
}

#[test]
fn who_asks_for_money_sees_the_phone_and_who_audits_does_not() {
    on_both(|office| {
        let hospital = given_a_hospital(office);
        let mut person = marginal(office, "示例壬");
        person.body.phone = kangmai_base::Phone::read("13800138000");
        office.put_person(&person);
        let (debt, own) = given_a_debt(office, &hospital, &person, "ZY1");
        let far = office.given_a_person("示例癸", "411721108200", &[(Label::Marginal, "2024-01-01", None)]);
        let (far_debt, _) = given_a_debt(office, &hospital, &far, "ZY2");
        let list = office.finds("/payments");
        assert!(list.contains("138****8000") && !list.contains("13800138000"), "{list}");
        office.signed_in(Role::TownshipOfficer, TOWNSHIP, None);
        let list = office.finds("/payments?state=overdue");
        assert!(list.contains("138****8000") && list.contains(&own.grouped()), "{list}");
        assert!(!list.contains("示例癸"), "another township's");
        assert_eq!(office.get(&far_debt).status, StatusCode::NOT_FOUND);
        let due = office.due(Role::TownshipOfficer, TOWNSHIP);
        let overdue = due.iter().find(|line| line.path == "/payments?state=overdue").expect("a task");
        assert_eq!((overdue.count, overdue.late), (1, 0), "not late enough for a reminder");
        office.clock.advance(17 * 86_400);
        let due = office.due(Role::TownshipOfficer, TOWNSHIP);
        let overdue = due.iter().find(|line| line.path == "/payments?state=overdue").expect("a task");
        assert_eq!((overdue.count, overdue.late), (1, 1), "30 days late");
        office.signed_in(Role::Auditor, COUNTY, None);
        assert!(!office.finds("/payments").contains("****8000"));
        assert!(!office.finds(&debt).contains("****8000"));
        assert_eq!(&office.get("/payments.xlsx?state=overdue").bytes[..2], b"PK");
        office.signed_in(Role::VillageDoctor, XIPING, None);
        assert_eq!(office.get("/payments").status, StatusCode::NOT_FOUND);
        let figures = office.figures(COUNTY, "2026-03-05");
        let overdue =
            figures.iter().find(|(name, _)| *name == "settlement.figure.overdue").expect("a figure");
        assert!(matches!(overdue.1, FigureValue::Amount(amount) if amount > own));
    });
}
