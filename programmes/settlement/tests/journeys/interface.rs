//! The interface for systems of hospitals: pre-settle, settle, cancel, correct, ask.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

use super::office::{Office, XIPING, given_a_desk, on_both, settles, stay};
use axum::http::StatusCode;
use kangmai_access::{Purpose, Role};
use kangmai_base::{Clock, Uuid};
use kangmai_people::Person;
use kangmai_places::{InstitutionGrade, InstitutionTier};
use kangmai_settlement::store::{self, BillFilter, RequestKey, begin_request};
use serde_json::{Value, json};

fn bills(office: &Office) -> usize {
    let reach = office.reach_of("41", Purpose::ReadBills);
    office.read(move |tx| store::bill_rows(tx, &reach, BillFilter::default(), 100, 0)).len()
}

/// A county hospital with a desk, a client and a patient.
fn given_a_hospital(office: &mut Office) -> (String, Uuid, Person) {
    let (hospital, person) = given_a_desk(office);
    let key = office.given_a_client("411721", hospital);
    (key, hospital, person)
}

/// A referred inpatient bill of ten days in 2026.
fn bill(number: &str, person: &Person, total: &str) -> Value {
    json!({
        "number": number,
        "person": { "id_number": person.body.id_number.as_ref().expect("a number").as_str(), "name": person.body.name },
        "setting": "inpatient",
        "referral": "referred",
        "admission": "2026-01-01",
        "discharge": "2026-01-11",
        "total": total,
        "compliant": total,
    })
}

fn with(mut body: Value, changes: &[(&str, Value)]) -> Value {
    for (name, value) in changes {
        body[*name] = value.clone();
    }
    body
}

fn sum_of(said: &Value, list: &str, amount: &str) -> i64 {
    let fen = |one: &Value| -> i64 { fen(one[amount].as_str().expect("an amount")) };
    said[list].as_array().expect("a list").iter().map(fen).sum()
}

fn fen(amount: &str) -> i64 {
    amount.replace('.', "").parse().expect("an amount")
}

#[test]
fn a_bill_comes_to_the_same_at_the_interface_as_at_the_desk() {
    on_both(|office| {
        let (key, hospital, person) = given_a_hospital(office);
        let tried = office.sends(&key, None, "pre-settle", &bill("ZY-1", &person, "60000.00")).done();
        assert_eq!(bills(office), 0, "nothing is written");
        let settled = office.sends(&key, Some("m-1"), "settle", &bill("ZY-1", &person, "60000.00")).done();
        for part in ["own_share", "funds", "layers", "process_text", "national", "total", "compliant"] {
            assert_eq!(settled[part], tried[part], "{part}");
        }
        assert_eq!(settled["state"], "settled");
        assert_eq!(settled["setting"], "inpatient");
        // To the fen: the lines of the funds, what others paid and the own share are the total.
        let own = fen(settled["own_share"].as_str().expect("an amount"));
        assert_eq!(sum_of(&settled, "funds", "amount") + own, 6_000_000);
        assert_eq!(sum_of(&settled, "layers", "paid") + own, 6_000_000);
        // One line for each fund, with the field of the national interface.
        let funds = settled["funds"].as_array().expect("funds");
        let mut codes: Vec<&str> = funds.iter().filter_map(|fund| fund["fund"].as_str()).collect();
        codes.dedup();
        assert_eq!(codes.len(), funds.len());
        let basic = funds.iter().find(|fund| fund["fund"] == "basic").expect("basic insurance");
        assert_eq!(basic["national"], "hifp_pay");
        assert_eq!(basic["name"]["zh"], "居民医保统筹基金");
        let national = &settled["national"];
        assert_eq!(national["med_type"], "21");
        assert_eq!(national["amounts"]["hifp_pay"], basic["amount"]);
        assert_eq!(national["amounts"]["medfee_sumamt"], "60000.00");
        assert_eq!(national["amounts"]["psn_part_amt"], settled["own_share"]);
        assert_eq!(national["sure"], "low", "what is not certain is said");
        let process = settled["process_text"].as_str().expect("a text");
        assert!(process.contains("60,000.00") && process.chars().count() <= 4_000, "{process}");

        // The desk sees the same bill, and the same bill at the desk would cost the same.
        let statement = office.finds(settled["statement"].as_str().expect("a path"));
        assert!(statement.contains("ZY-1"));
        let other = office.given_a_person("示例丙", XIPING, &[]);
        let id = hospital.to_string();
        let at_desk = settles(office, &other, &stay("ZY-9", &id, "2026-01-01", "2026-01-11", "60000.00"));
        let bill_id = at_desk.trim_start_matches("/bills/");
        let receipt = office.asks(&key, &format!("receipts/{bill_id}")).done();
        assert_eq!(receipt["own_share"], settled["own_share"]);
        assert_eq!(receipt["funds"], settled["funds"]);
        office.nothing_differs_after_rebuilding();
    });
}

#[test]
fn a_request_that_comes_twice_is_done_once_and_answered_the_same() {
    on_both(|office| {
        let (key, _, person) = given_a_hospital(office);
        let body = bill("ZY-1", &person, "60000.00");
        let first = office.sends(&key, Some("m-1"), "settle", &body);
        assert!(!first.headers.contains_key("idempotency-replayed"));
        // The same content, with other spaces and its fields in another order.
        let pretty = serde_json::to_string_pretty(&body).expect("text");
        let again = office.sends_text(&key, Some("m-1"), "settle", &pretty);
        assert_eq!((again.status, &again.text), (StatusCode::OK, &first.text));
        assert_eq!(again.headers["idempotency-replayed"], "true");
        assert_eq!(bills(office), 1);
        // The same key with another body, and with another purpose.
        let other = office.sends(&key, Some("m-1"), "settle", &bill("ZY-2", &person, "60000.00"));
        assert_eq!(other.not(), (422, "other_body"));
        let cancel = json!({ "number": "ZY-1", "reason": "录错" });
        assert_eq!(office.sends(&key, Some("m-1"), "cancel", &cancel).not(), (422, "other_body"));
        // Another key for a bill that is there.
        assert_eq!(office.sends(&key, Some("m-2"), "settle", &body).not(), (409, "known"));
        assert_eq!(office.sends(&key, None, "settle", &body).not(), (400, "key_missing"));
        assert_eq!(office.sends(&key, Some(&"m".repeat(65)), "settle", &body).not(), (400, "key_too_long"));
        assert_eq!(office.sends(&key, Some("单号-1"), "settle", &body).not(), (400, "key_characters"));
        assert_eq!(bills(office), 1);
        // Whoever asks by such a name hears the same.
        for (name, code) in [
            ("m".repeat(65).as_str(), "key_too_long"),
            ("m%00", "key_characters"),
            ("%E5%8D%95%E5%8F%B7", "key_characters"),
            ("%20", "key_missing"),
        ] {
            assert_eq!(office.asks(&key, &format!("requests/{name}")).not(), (400, code), "{name}");
        }

        // Whoever does not know asks.
        let asked = office.asks(&key, "requests/m-1").done();
        assert_eq!(asked["state"], "answered");
        assert_eq!(asked["answer"], first.json);
        assert_eq!(office.asks(&key, "requests/m-2").done()["state"], "not_received", "refused: it is free");
        assert_eq!(office.asks(&key, "requests/m-9").done()["state"], "not_received");
        // Of another institution nobody learns anything.
        let township = InstitutionTier::Township;
        let elsewhere = office.given_an_institution("H2", "411721107000", township, InstitutionGrade::First);
        let stranger = office.given_a_client("411721", elsewhere);
        assert_eq!(office.asks(&stranger, "requests/m-1").done()["state"], "not_received");
        let of_other = format!("receipts/{}", first.json["bill"].as_str().expect("a bill"));
        assert_eq!(office.asks(&stranger, &of_other).not(), (404, "not_found"));
        assert_eq!(office.sends(&stranger, Some("c"), "cancel", &cancel).not(), (404, "unknown_bill"));
        let by_id = json!({ "bill": first.json["bill"], "reason": "录错" });
        assert_eq!(office.sends(&stranger, Some("c"), "cancel", &by_id).not(), (404, "unknown_bill"));
    });
}

#[test]
fn while_a_request_is_under_way_its_sender_waits_and_a_broken_one_is_done_again() {
    on_both(|office| {
        let (key, hospital, person) = given_a_hospital(office);
        let body = bill("ZY-1", &person, "60000.00");
        // Somebody took it in and never came back: a crash between the two transactions.
        let digest = store::digest_of(format!("settle\n{body}").as_bytes());
        let (request, now) = (RequestKey { caller: hospital, key: "m-1".to_owned() }, office.clock.now());
        office.write(move |tx| begin_request(tx, &request, &digest, now));
        let waits = office.sends(&key, Some("m-1"), "settle", &body);
        assert_eq!(waits.not(), (409, "in_progress"));
        assert_eq!(waits.headers["retry-after"], "2");
        assert_eq!(office.asks(&key, "requests/m-1").done()["state"], "in_progress");
        office.clock.advance(61);
        assert_eq!(office.asks(&key, "requests/m-1").done()["state"], "not_received");
        office.sends(&key, Some("m-1"), "settle", &body).done();
        assert_eq!(
            (bills(office), office.asks(&key, "requests/m-1").done()["state"].clone()),
            (1, json!("answered"))
        );
    });
}

#[test]
fn cancelling_and_correcting_settle_the_year_again() {
    on_both(|office| {
        let (key, _, person) = given_a_hospital(office);
        let first = office.sends(&key, Some("m-1"), "settle", &bill("ZY-1", &person, "60000.00")).done();
        let later = [("admission", json!("2026-02-01")), ("discharge", json!("2026-02-11"))];
        let second = office
            .sends(&key, Some("m-2"), "settle", &with(bill("ZY-2", &person, "20000.00"), &later))
            .done();

        // A correction gives the whole bill anew; it says which others it changes.
        let body = with(bill("ZY-1", &person, "90000.00"), &[("reason", json!("补录药费"))]);
        let corrected = office.sends(&key, Some("m-3"), "correct", &body).done();
        assert_eq!((&corrected["bill"], &corrected["total"]), (&first["bill"], &json!("90000.00")));
        assert_ne!(corrected["receipt"], first["receipt"]);
        assert_eq!(corrected["changes"][0]["number"], "ZY-2", "{corrected}");
        let second_now =
            office.asks(&key, &format!("receipts/{}", second["bill"].as_str().expect("a bill"))).done();
        assert_eq!(corrected["changes"][0]["own_share"], second_now["own_share"]);
        assert_eq!(corrected["changes"][0]["own_share_before"], second["own_share"]);

        // Cancelled by number; the other goes back to what it would be alone.
        let alone =
            office.sends(&key, None, "pre-settle", &with(bill("ZY-3", &person, "20000.00"), &later)).done();
        let cancel = json!({ "number": "ZY-1", "reason": "录错" });
        let cancelled = office.sends(&key, Some("m-4"), "cancel", &cancel).done();
        assert_eq!((&cancelled["state"], &cancelled["settled_again"]), (&json!("cancelled"), &json!(1)));
        assert_eq!(cancelled["receipt"], Value::Null);
        assert_ne!(alone["own_share"], Value::Null);
        let again = office.sends(&key, Some("m-5"), "cancel", &cancel);
        assert_eq!(again.not(), (409, "cancelled_already"));
        assert_eq!(
            office.sends(&key, Some("m-4"), "cancel", &cancel).done(),
            cancelled,
            "the same key, the same answer"
        );
        assert_eq!(office.sends(&key, Some("m-6"), "correct", &body).not(), (409, "cancelled_already"));
        // It may come in anew under its number.
        let anew = office.sends(&key, Some("m-7"), "settle", &bill("ZY-1", &person, "60000.00")).done();
        assert_eq!((&anew["bill"], &anew["own_share"]), (&first["bill"], &first["own_share"]));
        office.nothing_differs_after_rebuilding();
    });
}

#[test]
fn a_client_that_reaches_fewer_is_told_nothing_of_the_others() {
    on_both(|office| {
        let (key, hospital, person) = given_a_hospital(office);
        office.sends(&key, Some("m-1"), "settle", &bill("ZY-1", &person, "60000.00")).done();
        assert_eq!(office.asks(&key, "requests/m-1").done()["state"], "answered");
        let narrow = office.given_a_client("411721999", hospital);
        assert_eq!(office.asks(&narrow, "requests/m-1").not(), (404, "not_found"));
        let again = office.sends(&narrow, Some("m-1"), "settle", &bill("ZY-1", &person, "60000.00"));
        assert_eq!(again.not(), (404, "not_found"));
        let day = json!({ "day": super::office::TODAY, "bills": [] });
        assert_eq!(office.sends(&narrow, Some("m-2"), "reconcile", &day).not(), (404, "not_found"));
    });
}

#[test]
fn what_cannot_be_corrected_is_refused_with_a_code_of_its_own() {
    on_both(|office| {
        let (key, _, person) = given_a_hospital(office);
        let settled = office.sends(&key, Some("m-1"), "settle", &bill("ZY-1", &person, "60000.00")).done();
        let other = office.given_a_person("示例丙", XIPING, &[]);
        let correct = |changes: &[(&str, Value)]| {
            let body = with(with(bill("ZY-1", &person, "60000.00"), &[("reason", json!("更正"))]), changes);
            let said = office.sends(&key, Some("m-2"), "correct", &body);
            let (status, code) = said.not();
            (status, code.to_owned(), said.json["field"].as_str().unwrap_or_default().to_owned())
        };
        let expect = |status: u16, code: &str, field: &str| (status, code.to_owned(), field.to_owned());
        assert_eq!(correct(&[("total", json!("-0.01"))]), expect(422, "correction_negative", "total"));
        assert_eq!(
            correct(&[("compliant", json!("-1.00"))]),
            expect(422, "correction_negative", "compliant")
        );
        assert_eq!(
            correct(&[("already_paid", json!("-1.00"))]),
            expect(422, "correction_negative", "already_paid")
        );
        let fees = json!({ "injection": "-1.00" });
        assert_eq!(correct(&[("fees", fees)]), expect(422, "correction_negative", "fees.injection"));
        let nothing = [("total", json!("0.00")), ("compliant", json!("0.00"))];
        assert_eq!(correct(&nothing), expect(422, "correction_zero", "total"));
        assert_eq!(correct(&[("number", json!("ZY-9"))]), expect(404, "unknown_bill", "number"));
        assert_eq!(correct(&[("person", json!({ "id": other.id }))]), expect(409, "other_person", "person"));
        let last_year = [("admission", json!("2025-12-01")), ("discharge", json!("2025-12-31"))];
        assert_eq!(correct(&last_year), expect(409, "other_year", "discharge"));
        assert_eq!(correct(&[("reason", Value::Null)]), expect(422, "missing", "reason"));
        assert_eq!(correct(&[("compliant", json!("60000.01"))]), expect(422, "compliant", "compliant"));
        let now =
            office.asks(&key, &format!("receipts/{}", settled["bill"].as_str().expect("a bill"))).done();
        assert_eq!(now["receipt"], settled["receipt"], "nothing was done");
    });
}

#[test]
fn after_the_year_is_closed_nothing_of_it_moves() {
    on_both(|office| {
        let (key, _, person) = given_a_hospital(office);
        let days = [("admission", json!("2025-12-01")), ("discharge", json!("2025-12-11"))];
        let body = |number: &str| with(bill(number, &person, "60000.00"), &days);
        let settled = office.sends(&key, Some("m-1"), "settle", &body("ZY-1")).done();
        office.signed_in(Role::InsuranceClerk, "411721", None);
        let closed = office.post("/years/2025", &[("act", "close"), ("reason", "年度决算")]);
        assert_eq!(closed.status, StatusCode::SEE_OTHER, "{}", closed.text);
        let cancel = json!({ "number": "ZY-1", "reason": "录错" });
        let refused = office.sends(&key, Some("m-2"), "cancel", &cancel);
        assert_eq!(refused.not(), (409, "year_closed"));
        assert!(refused.json["mend"].as_str().expect("a mend").contains("医保局"), "{}", refused.text);
        let correction = with(body("ZY-1"), &[("reason", json!("更正"))]);
        assert_eq!(office.sends(&key, Some("m-3"), "correct", &correction).not(), (409, "year_closed"));
        assert_eq!(office.sends(&key, Some("m-4"), "settle", &body("ZY-2")).not(), (409, "year_closed"));
        assert_eq!(office.sends(&key, None, "pre-settle", &body("ZY-2")).not(), (409, "year_closed"));
        // What was answered before stays answered.
        assert_eq!(office.sends(&key, Some("m-1"), "settle", &body("ZY-1")).done(), settled);
        office.nothing_differs_after_rebuilding();
    });
}

#[test]
fn everything_wrong_with_a_bill_is_told_at_once_and_nothing_is_done() {
    on_both(|office| {
        let (key, _, person) = given_a_hospital(office);
        let wrong = json!({
            "number": "", "person": { "name": "示例乙" }, "setting": "99", "referral": "maybe",
            "admission": "2026-02-30", "discharge": "11.01.2026", "total": 60000, "compliant": "60000",
            "diagnosis": { "code": "not a code" }, "fees": { "injection": "x", "odd": "1.00" }, "extra": true,
        });
        let said = office.sends(&key, Some("m-1"), "settle", &wrong);
        assert_eq!(said.not(), (422, "missing"));
        let found: Vec<(&str, &str)> = said.json["errors"]
            .as_array()
            .expect("all of them")
            .iter()
            .filter_map(|one| Some((one["field"].as_str()?, one["code"].as_str()?)))
            .collect();
        assert_eq!(
            found,
            [
                ("person.id_number", "missing"),
                ("number", "missing"),
                ("setting", "not_in_list"),
                ("referral", "not_in_list"),
                ("admission", "not_a_day"),
                ("discharge", "not_a_day"),
                ("diagnosis.code", "diagnosis"),
                ("total", "not_an_amount"),
                ("compliant", "not_an_amount"),
                ("fees.injection", "not_an_amount"),
                ("fees.odd", "unknown_field"),
                ("extra", "unknown_field"),
            ]
        );
        // By the rules of every desk.
        let expect = |changes: &[(&str, Value)], status: u16, code: &str, field: &str| {
            let said =
                office.sends(&key, Some("m-1"), "settle", &with(bill("ZY-1", &person, "60000.00"), changes));
            assert_eq!(
                (said.not(), said.json["field"].as_str()),
                ((status, code), Some(field)),
                "{}",
                said.text
            );
        };
        expect(&[("total", json!("0.00"))], 422, "total", "total");
        expect(&[("compliant", json!("60000.01"))], 422, "compliant", "compliant");
        expect(&[("discharge", json!("2025-12-31"))], 422, "dates", "discharge");
        expect(&[("admission", json!("1026-02-20"))], 422, "stay_too_long", "admission");
        expect(&[("discharge", json!("2026-03-06"))], 422, "future", "discharge");
        expect(&[("fees", json!({ "injection": "60000.01" }))], 422, "fees", "fees");
        expect(&[("expected_own_share", json!("1.00"))], 409, "own_share_moved", "expected_own_share");
        expect(
            &[("person", json!({ "id_number": "411721195101019999" }))],
            404,
            "id_checksum",
            "person.id_number",
        );
        expect(&[("person", json!({ "id": Uuid::from_u128(7) }))], 404, "unknown_person", "person.id");
        let number = person.body.id_number.as_ref().expect("a number").as_str();
        expect(
            &[("person", json!({ "id_number": number, "name": "另一人" }))],
            422,
            "other_name",
            "person.name",
        );
        expect(
            &[("person", json!({ "id_number": number, "id": person.id }))],
            422,
            "named_twice",
            "person.id",
        );
        assert_eq!(bills(office), 0);
        let expecting = with(bill("ZY-1", &person, "60000.00"), &[("expected_own_share", json!("1.00"))]);
        let tried = office.sends(&key, None, "pre-settle", &expecting);
        assert_eq!(
            (tried.not(), tried.json["field"].as_str()),
            ((422, "unknown_field"), Some("expected_own_share"))
        );
        // Its key is still free, and the own share that pre-settle says is taken.
        let tried = office.sends(&key, None, "pre-settle", &bill("ZY-1", &person, "60000.00")).done();
        let right =
            with(bill("ZY-1", &person, "60000.00"), &[("expected_own_share", tried["own_share"].clone())]);
        office.sends(&key, Some("m-1"), "settle", &right).done();
        for (body, code) in
            [("", "not_json"), ("[]", "not_an_object"), ("{", "not_json"), ("null", "not_an_object")]
        {
            assert_eq!(office.sends_text(&key, Some("m-2"), "settle", body).not(), (400, code));
        }
        let large = format!("\"{}\"", "x".repeat(kangmai_programme::API_LIMIT_BYTES));
        assert_eq!(office.sends_text(&key, Some("m-2"), "settle", &large).not(), (413, "too_large"));
        // In the sender's language.
        office.in_english();
        let said = office.sends(&key, Some("m-2"), "cancel", &json!({ "number": "no" }));
        assert_eq!(said.json["message"], "reason is missing: add it");
        office.in_chinese();
    });
}

#[test]
fn national_codes_are_taken_and_given_back() {
    on_both(|office| {
        let (key, _, person) = given_a_hospital(office);
        for (code, setting) in [("21", "inpatient"), ("14", "chronic_outpatient"), ("11", "outpatient")] {
            let changes = [("setting", json!(code))];
            let said = office
                .sends(&key, None, "pre-settle", &with(bill("ZY-1", &person, "600.00"), &changes))
                .done();
            assert_eq!((&said["setting"], &said["national"]["med_type"]), (&json!(setting), &json!(code)));
            let ours = [("setting", json!(setting))];
            let same =
                office.sends(&key, None, "pre-settle", &with(bill("ZY-1", &person, "600.00"), &ours)).done();
            assert_eq!(said, same);
        }
    });
}

#[test]
fn a_bill_with_lines_comes_to_what_they_come_to() {
    on_both(|office| {
        let (key, _, person) = given_a_hospital(office);
        let lines = json!([
            { "name": "甲药", "category": "drug", "class": "a", "quantity": "10", "unit_price": "600.00" },
            { "name": "乙药", "category": "drug", "class": "b", "quantity": "2.5", "unit_price": "1600.00", "own_share": "10%" },
            { "name": "丙类材料", "category": "material", "class": "c", "quantity": "1", "unit_price": "300.00" },
        ]);
        let mut body = with(bill("ZY-1", &person, "0.00"), &[("lines", lines)]);
        for amount in ["total", "compliant"] {
            body.as_object_mut().expect("an object").remove(amount);
        }
        let settled = office.sends(&key, Some("m-1"), "settle", &body).done();
        // 6,000 + 4,000 + 300; of class B a tenth is borne first, of class C everything.
        assert_eq!((&settled["total"], &settled["compliant"]), (&json!("10300.00"), &json!("9600.00")));
        let statement = office.finds(settled["statement"].as_str().expect("a path"));
        assert!(statement.contains("乙药"), "{statement}");
        // What is said besides must agree, and each line is read strictly.
        let refused = |changes: &[(&str, Value)]| {
            let said = office.sends(
                &key,
                None,
                "pre-settle",
                &with(with(body.clone(), &[("number", json!("ZY-2"))]), changes),
            );
            (said.not().0, said.json["field"].as_str().unwrap_or_default().to_owned())
        };
        assert_eq!(refused(&[("total", json!("10300.01"))]), (422, "lines".to_owned()));
        let line = |changes: &[(&str, Value)]| {
            let line = json!({ "name": "甲药", "category": "drug", "class": "a", "quantity": "1", "unit_price": "1.00" });
            [("lines", json!([with(line, changes)]))]
        };
        for (field, value) in [
            ("quantity", json!("1.00001")),
            ("unit_price", json!(1)),
            ("class", json!("d")),
            ("category", json!("food")),
            ("amount", json!("2.00")),
            ("own_share", json!("101%")),
            ("on", json!("2026-03-06")),
            ("odd", json!(1)),
        ] {
            assert_eq!(refused(&line(&[(field, value)])), (422, format!("lines[0].{field}")), "{field}");
        }
        // More is taken back than was charged: a correction cannot make a bill negative by its lines either.
        let back = line(&[("quantity", json!("-1"))]);
        let correction = with(with(body.clone(), &[("reason", json!("退药"))]), &back);
        let said = office.sends(&key, Some("m-2"), "correct", &correction);
        assert_eq!(
            (said.not(), said.json["field"].as_str()),
            ((422, "taken_back"), Some("lines[0].quantity"))
        );
        office.nothing_differs_after_rebuilding();
    });
}

#[test]
fn people_of_another_place_are_not_known_and_keys_open_only_what_they_should() {
    on_both(|office| {
        let (key, hospital, _) = given_a_hospital(office);
        let stranger = office.given_a_person("示例丁", "411722103203", &[]);
        let said = office.sends(&key, Some("m-1"), "settle", &bill("ZY-1", &stranger, "60000.00"));
        assert_eq!(said.not(), (404, "unknown_person"));
        let by_id = with(bill("ZY-1", &stranger, "60000.00"), &[("person", json!({ "id": stranger.id }))]);
        assert_eq!(office.sends(&key, Some("m-1"), "settle", &by_id).not(), (404, "unknown_person"));
        // A key opens no page, a session no interface.
        assert!(office.given_a_client("411721", hospital) != key);
        let wrong = office.asks("kmk_no", "requests/x");
        assert_eq!(wrong.not(), (401, "unauthorized"));
        assert_eq!(wrong.headers["www-authenticate"], "Bearer");
        // Too many wrong ones wait; a right one is let in all the same.
        for _ in 1..kangmai_access::MOST_WRONG_KEYS {
            assert_eq!(office.asks("kmk_no", "requests/x").not(), (401, "unauthorized"));
        }
        let turned_away = office.asks("kmk_no", "requests/x");
        assert_eq!(turned_away.not(), (429, "too_many"));
        assert!(turned_away.headers.contains_key("retry-after"));
        office.asks(&key, "requests/x").done();
        office.clock.advance(61);
        assert_eq!(office.asks("kmk_no", "requests/x").not(), (401, "unauthorized"));
    });
}

#[test]
fn reading_a_receipt_leaves_a_line_in_the_audit_trail() {
    on_both(|office| {
        let (key, _, person) = given_a_hospital(office);
        let settled = office.sends(&key, Some("m-1"), "settle", &bill("ZY-1", &person, "60000.00")).done();
        office.asks(&key, &format!("receipts/{}", settled["bill"].as_str().expect("a bill"))).done();
        let reach = office.reach_of("41", Purpose::ReadAudit);
        let subject = person.id.uuid();
        let rows = office.read(move |tx| kangmai_access::audit_of_subject(tx, &reach, subject, 10));
        let mut said: Vec<(&str, Option<&str>, &str)> =
            rows.iter().map(|row| (row.action.as_str(), row.name.as_deref(), row.reason.as_str())).collect();
        said.sort_unstable();
        let by = Some("示例 HIS");
        assert_eq!(said, [("read_person", by, "ZY-1"), ("settle", by, "ZY-1")]);
        for path in ["receipts/no", "receipts/00000000-0000-7000-8000-000000000000"] {
            assert_eq!(office.asks(&key, path).not(), (404, "not_found"), "{path}");
        }
    });
}
