//! The end of a hospital's day against the ledger: over the interface, and on the pages of desk and bureau.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

use super::office::{Office, TODAY, XIPING, given_a_desk, on_both, settles, stay};
use axum::http::StatusCode;
use kangmai_access::Role;
use kangmai_base::Uuid;
use kangmai_people::Person;
use kangmai_places::{InstitutionGrade, InstitutionTier};
use serde_json::{Value, json};

fn bill(number: &str, person: &Person, days: (&str, &str), total: &str) -> Value {
    json!({
        "number": number, "person": { "id": person.id }, "setting": "inpatient", "referral": "referred",
        "admission": days.0, "discharge": days.1, "total": total, "compliant": total,
    })
}

const JANUARY: (&str, &str) = ("2026-01-01", "2026-01-11");
const FEBRUARY: (&str, &str) = ("2026-02-01", "2026-02-11");

/// A line of a day as the hospital keeps it: what it was answered.
fn kept(answer: &Value) -> Value {
    let funds: Vec<Value> = answer["funds"]
        .as_array()
        .expect("funds")
        .iter()
        .map(|fund| json!({ "fund": fund["fund"], "amount": fund["amount"] }))
        .collect();
    json!({
        "number": answer["number"], "receipt": answer["receipt"], "status": "settled",
        "total": answer["total"], "own_share": answer["own_share"], "funds": funds,
    })
}

fn reconciles(office: &Office, key: &str, name: &str, bills: &[Value]) -> Value {
    office.sends(key, Some(name), "reconcile", &json!({ "day": TODAY, "bills": bills })).done()
}

/// Number and kinds of each bill that differs.
fn named(said: &Value) -> Vec<(String, Vec<String>)> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let bills = said["bills"].as_array().expect("bills").iter();
    bills
        .map(|bill| {
            let differences = bill["differences"].as_array().expect("differences").iter();
            (text(&bill["number"]), differences.map(|one| text(&one["kind"])).collect())
        })
        .collect()
}

fn one(number: &str, kinds: &[&str]) -> (String, Vec<String>) {
    (number.to_owned(), kinds.iter().map(|kind| (*kind).to_owned()).collect())
}

#[test]
fn each_difference_of_a_day_is_named() {
    on_both(|office| {
        let (hospital, person) = given_a_desk(office);
        let key = office.given_a_client("411721", hospital);
        let other = office.given_a_person("示例丙", XIPING, &[]);
        let third = office.given_a_person("示例丁", XIPING, &[]);
        let settle =
            |office: &Office, name: &str, body: &Value| office.sends(&key, Some(name), "settle", body).done();

        // A day on which all is well: one bill of the interface, one of the desk.
        let first = settle(office, "s-1", &bill("A", &person, FEBRUARY, "60000.00"));
        let id = hospital.to_string();
        let statement = settles(office, &other, &stay("B", &id, JANUARY.0, JANUARY.1, "20000.00"));
        let second =
            office.asks(&key, &format!("receipts/{}", statement.trim_start_matches("/bills/"))).done();
        let all_well = reconciles(office, &key, "r-1", &[kept(&first), kept(&second)]);
        assert_eq!((&all_well["agrees"], &all_well["different"]), (&json!(true), &json!(0)), "{all_well}");
        assert_eq!(all_well["theirs"], all_well["ours"]);
        assert_eq!(all_well["ours"]["total"], "80000.00");

        // An earlier bill of the first person comes in: the first was settled again since.
        let earlier = settle(office, "s-2", &bill("C", &person, JANUARY, "50000.00"));
        let third_bill = settle(office, "s-3", &bill("D", &third, JANUARY, "10000.00"));
        office.sends(&key, Some("c-1"), "cancel", &json!({ "number": "B", "reason": "录错" })).done();
        let mut wrong = kept(&earlier);
        wrong["own_share"] = json!("1.00");
        let mut unknown = kept(&third_bill);
        unknown["number"] = json!("X");
        let said = reconciles(office, &key, "r-2", &[kept(&first), kept(&second), wrong, unknown]);
        assert_eq!(
            named(&said),
            [
                one(
                    "A",
                    &["settled_again"]
                        .repeat(said["bills"][0]["differences"].as_array().expect("some").len())
                ),
                one("B", &["cancelled_here"]),
                one("C", &["own_share"]),
                one("X", &["only_theirs"]),
                one("D", &["only_ours"]),
            ]
        );
        let again = &said["bills"][0]["differences"][0];
        assert_eq!((&again["on"], &again["why"]), (&json!(TODAY), &json!("other_received")), "{again}");
        let own = &said["bills"][2]["differences"][0];
        assert_eq!(
            (&own["payer"], &own["theirs"], &own["ours"]),
            (&json!("person"), &json!("1.00"), &earlier["own_share"])
        );

        // Cancelled at the hospital only; and all of it right at last.
        let now = |answer: &Value| {
            kept(&office.asks(&key, &format!("receipts/{}", answer["bill"].as_str().expect("a bill"))).done())
        };
        let mut cancelled = kept(&second);
        cancelled["status"] = json!("cancelled");
        let mut cancelled_there = now(&third_bill);
        cancelled_there["status"] = json!("cancelled");
        let said = reconciles(
            office,
            &key,
            "r-3",
            &[now(&first), cancelled.clone(), now(&earlier), cancelled_there],
        );
        assert_eq!(named(&said), [one("D", &["cancelled_there"])]);
        let said =
            reconciles(office, &key, "r-4", &[now(&first), cancelled, now(&earlier), now(&third_bill)]);
        assert_eq!((named(&said), &said["agrees"]), (vec![], &json!(true)));
        office.nothing_differs_after_rebuilding();
    });
}

#[test]
fn a_bill_of_another_day_and_one_that_was_corrected_later_are_told_apart() {
    on_both(|office| {
        let (hospital, person) = given_a_desk(office);
        let key = office.given_a_client("411721", hospital);
        let settled =
            office.sends(&key, Some("s-1"), "settle", &bill("A", &person, JANUARY, "60000.00")).done();
        office.clock.advance(86_400);
        let mut body = bill("A", &person, JANUARY, "70000.00");
        body["reason"] = json!("补录药费");
        let corrected = office.sends(&key, Some("k-1"), "correct", &body).done();
        // Of the first day the hospital has what it was answered then.
        let said = reconciles(office, &key, "r-1", &[kept(&settled)]);
        let kinds = named(&said)[0].1.clone();
        assert!(!kinds.is_empty() && kinds.iter().all(|kind| kind == "settled_again"), "{said}");
        assert_eq!(said["bills"][0]["differences"][0]["why"], "corrected");
        assert_eq!(said["bills"][0]["differences"][0]["on"], "2026-03-06");
        // Of the second day it has the correction; sent for a day before, it is of another day.
        let second = json!({ "day": "2026-03-06", "bills": [kept(&corrected)] });
        assert_eq!(office.sends(&key, Some("r-2"), "reconcile", &second).done()["agrees"], true);
        let before = json!({ "day": "2026-03-04", "bills": [kept(&corrected)] });
        let said = office.sends(&key, Some("r-3"), "reconcile", &before).done();
        assert_eq!(named(&said), [one("A", &["other_day"])]);
        assert_eq!(said["bills"][0]["differences"][0]["on"], "2026-03-06");
    });
}

#[test]
fn totals_first_and_bills_only_where_they_differ() {
    on_both(|office| {
        let (hospital, person) = given_a_desk(office);
        let key = office.given_a_client("411721", hospital);
        let settled =
            office.sends(&key, Some("s-1"), "settle", &bill("A", &person, JANUARY, "60000.00")).done();
        let totals = |own: &Value| json!({ "bills": 1, "total": "60000.00", "own_share": own });
        let send = |name: &str, body: &Value| office.sends(&key, Some(name), "reconcile", body);
        let right = json!({ "day": TODAY, "totals": totals(&settled["own_share"]) });
        let said = send("r-1", &right).done();
        assert_eq!((&said["agrees"], &said["needs_bills"]), (&json!(true), &json!(false)));
        let wrong = json!({ "day": TODAY, "totals": totals(&json!("1.00")) });
        let said = send("r-2", &wrong).done();
        assert_eq!((&said["agrees"], &said["needs_bills"]), (&json!(false), &json!(true)));
        // By the fields of the national interface.
        let mut national = kept(&settled);
        national["funds"] = settled["funds"]
            .as_array()
            .expect("funds")
            .iter()
            .map(|fund| json!({ "fund": fund["national"], "amount": fund["amount"] }))
            .collect();
        let body = json!({ "day": TODAY, "funds_by": "national", "bills": [national] });
        assert_eq!(send("r-3", &body).done()["agrees"], true);

        // What cannot be.
        let refused = |body: &Value| {
            let said = send("r-9", body);
            let (status, code) = said.not();
            (status, code.to_owned(), said.json["field"].as_str().unwrap_or_default().to_owned())
        };
        let expect = |status: u16, code: &str, field: &str| (status, code.to_owned(), field.to_owned());
        assert_eq!(refused(&json!({ "day": TODAY })), expect(422, "missing", "bills"));
        assert_eq!(refused(&json!({ "day": "2026-03-06", "bills": [] })), expect(422, "day_to_come", "day"));
        for (day, code) in [("0001-01-01", "day_too_old"), ("2016-03-01", "day_too_old")] {
            assert_eq!(refused(&json!({ "day": day, "bills": [] })), expect(422, code, "day"), "{day}");
        }
        let twice = json!({ "day": TODAY, "bills": [kept(&settled), kept(&settled)] });
        assert_eq!(refused(&twice), expect(422, "twice", "bills[1].number"));
        let odd_sum = json!({ "day": TODAY, "totals": totals(&json!("1.00")), "bills": [kept(&settled)] });
        assert_eq!(refused(&odd_sum), expect(422, "totals", "totals"));
        let mut status = kept(&settled);
        status["status"] = json!("gone");
        let body = json!({ "day": TODAY, "bills": [status] });
        assert_eq!(refused(&body), expect(422, "not_in_list", "bills[0].status"));
        let large = |number: &str, funds: Value| {
            let (total, own) = ("9999999999.00", "1.00");
            json!({ "number": number, "status": "settled", "total": total, "own_share": own, "funds": funds })
        };
        let body = json!({ "day": TODAY, "bills": [large("A", json!([])), large("B", json!([]))] });
        assert_eq!(refused(&body), expect(422, "day_too_large", "bills"));
        let fund = json!({ "fund": "basic", "amount": "9999999999.00" });
        let body = json!({ "day": TODAY, "bills": [large("A", json!([fund, fund, fund]))] });
        assert_eq!(refused(&body), expect(422, "day_too_large", "bills"));
        let body = json!({ "day": TODAY, "bills": [large("A\u{0}\u{202e}", json!([]))] });
        assert_eq!(refused(&body), expect(422, "unseen", "bills[0].number"));
        let body = json!({ "day": TODAY, "bills": [], "funds_by": "name" });
        assert_eq!(refused(&body), expect(422, "not_in_list", "funds_by"));
        office.nothing_differs_after_rebuilding();
    });
}

/// A day with one bill that only the ledger has and one that only the hospital has.
fn given_a_day(office: &mut Office) -> (Uuid, String, String) {
    let (hospital, person) = given_a_desk(office);
    let key = office.given_a_client("411721", hospital);
    let settled = office.sends(&key, Some("s-1"), "settle", &bill("A", &person, JANUARY, "60000.00")).done();
    let mut unknown = kept(&settled);
    unknown["number"] = json!("X");
    let said = reconciles(office, &key, "r-1", &[unknown]);
    (hospital, key, said["page"].as_str().expect("a page").to_owned())
}

#[test]
fn desk_and_bureau_see_a_day_and_explain_what_differs() {
    on_both(|office| {
        let (hospital, key, page) = given_a_day(office);
        assert_eq!(due(office, hospital), 1);
        office.signed_in(Role::CountyDesk, "411721", Some(hospital));
        let list = office.finds("/reconciliations");
        assert!(list.contains(&page) && list.contains("有差异待说明"), "{list}");
        let shown = office.finds(&page);
        for text in ["医院报送了这张单，账本没有", "账本有这张单，医院没有报送", "60,000.00", "示例 HIS"]
        {
            assert!(shown.contains(text), "{text}:\n{shown}");
        }
        // Each number opens its list.
        let only = office.finds(&format!("{page}?of=ours"));
        assert!(only.contains(">A</a>") && !only.contains(">X<"), "{only}");
        assert!(!office.finds(&format!("{page}?of=theirs")).contains(">A</a>"));
        let form = format!("{page}/lines/0");
        assert!(office.finds(&form).contains("医院报送了这张单"));
        assert_eq!(office.post(&form, &[("reason", " ")]).status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(office.post(&form, &[("reason", "医院测试数据，已删除")]).status, StatusCode::SEE_OTHER);
        assert!(office.finds(&page).contains("医院测试数据，已删除"));
        assert!(!office.finds(&format!("{page}?of=open")).contains(">X<"));
        assert_eq!(due(office, hospital), 1, "one is still open");

        // The bureau of the county explains the other; then nothing waits.
        office.signed_in(Role::InsuranceClerk, "411721", None);
        assert_eq!(
            office.post(&format!("{page}/lines/1"), &[("reason", "次日补报")]).status,
            StatusCode::SEE_OTHER
        );
        assert!(office.finds("/reconciliations").contains("差异已说明"));
        assert!(!office.finds("/reconciliations?state=open").contains(&page));
        assert_eq!(due(office, hospital), 0);
        for path in [page.clone(), "/reconciliations?from=2026-03-05&to=2026-03-05".to_owned()] {
            office.in_english().finds(&path);
        }
        office.in_chinese();
        let file = office.get(&format!("{page}/export?of=all"));
        assert!(file.status == StatusCode::OK && file.bytes.starts_with(b"PK"), "a workbook");
        for path in ["/lines/2", "/lines/x", "/lines/-1"] {
            assert_eq!(office.get(&format!("{page}{path}")).status, StatusCode::NOT_FOUND, "{path}");
        }

        // A later reconciliation stands in its place; there is nothing to explain in the earlier one.
        let later = reconciles(office, &key, "r-2", &[]);
        assert_ne!(later["page"], page.as_str());
        assert_eq!(office.get(&form).status, StatusCode::NOT_FOUND);
        assert_eq!(office.post(&form, &[("reason", "x")]).status, StatusCode::NOT_FOUND);
        assert!(office.finds("/reconciliations").contains("已有新的对账"));
        office.nothing_differs_after_rebuilding();
    });
}

#[test]
fn another_institution_and_another_county_find_nothing_of_it() {
    on_both(|office| {
        let (_, _, page) = given_a_day(office);
        let (tier, grade) = (InstitutionTier::Township, InstitutionGrade::First);
        let other = office.given_an_institution("H2", "411721107000", tier, grade);
        for (role, at, institution) in
            [(Role::CountyDesk, "411721", Some(other)), (Role::InsuranceClerk, "411722", None)]
        {
            office.signed_in(role, at, institution);
            assert!(!office.finds("/reconciliations").contains(&page));
            for path in [page.clone(), format!("{page}/export"), format!("{page}/lines/0")] {
                assert_eq!(office.get(&path).status, StatusCode::NOT_FOUND, "{path}");
            }
            let posted = office.post(&format!("{page}/lines/0"), &[("reason", "x")]);
            assert_eq!(posted.status, StatusCode::NOT_FOUND);
        }
        // Who only reads does not explain.
        office.signed_in(Role::Auditor, "411721", None);
        assert!(!office.finds(&page).contains("/lines/0"));
        assert_eq!(office.post(&format!("{page}/lines/0"), &[("reason", "x")]).status, StatusCode::NOT_FOUND);
    });
}

fn due(office: &Office, hospital: Uuid) -> i64 {
    let lines = office.due_at(Role::CountyDesk, "411721", Some(hospital));
    lines.iter().find(|line| line.word == "settlement.due.days").map_or(0, |line| line.count)
}
