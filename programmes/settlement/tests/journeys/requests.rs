//! Requests that come twice, that nobody knows the end of, and receipts that are worked out again.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

use std::collections::BTreeSet;
use std::path::Path;

use super::office::{Office, between, given_a_desk, on_both, policies, settles, stay};
use axum::http::StatusCode;
use kangmai_access::{Purpose, Role};
use kangmai_base::{Clock, Fen, Refusal, Uuid};
use kangmai_database::testing::FreshDatabase;
use kangmai_people::Person;
use kangmai_places::{InstitutionGrade, InstitutionTier};
use kangmai_policy::Release;
use kangmai_record::{Projection, nothing_along, nothing_to_forget};
use kangmai_settlement::import::BILLS;
use kangmai_settlement::replay::{NotReplayed, ReceiptFile, replay};
use kangmai_settlement::store::{
    self, Answered, Begun, BillFilter, RequestKey, RequestState, answer_request, ask_request, begin_request,
    give_up_request,
};

fn bills(office: &Office) -> usize {
    let reach = office.reach_of("41", Purpose::ReadBills);
    office.read(move |tx| store::bill_rows(tx, &reach, BillFilter::default(), 100, 0)).len()
}

/// A trial at the desk, confirmed: what the page then sends.
fn confirmed<'a>(
    office: &Office,
    person: &Person,
    bill: &[(&'a str, &'a str)],
    kept: &'a mut (String, String),
) -> Vec<(&'a str, &'a str)> {
    let trial = office.post(&format!("/desk/{}", person.id), bill).text;
    kept.0 = between(&trial, "name=\"expected\" value=\"", "\"");
    kept.1 = between(&trial, "name=\"request\" value=\"", "\"");
    let mut sent = bill.to_vec();
    sent.push(("expected", &kept.0));
    sent.push(("request", &kept.1));
    sent
}

#[test]
fn a_bill_that_is_sent_twice_is_settled_once_and_answered_the_same() {
    on_both(|office| {
        let (hospital, person) = given_a_desk(office);
        let id = hospital.to_string();
        let path = format!("/desk/{}/settle", person.id);
        let bill = stay("ZY-1", &id, "2026-01-01", "2026-01-11", "60000.00");
        let mut kept = Default::default();
        let sent = confirmed(office, &person, &bill, &mut kept);
        let first = office.post(&path, &sent);
        assert_eq!(first.status, StatusCode::SEE_OTHER, "{}", first.text);
        let again = office.post(&path, &sent);
        assert_eq!((again.status, &again.location), (StatusCode::SEE_OTHER, &first.location));
        assert_eq!(bills(office), 1);
        let mut other = sent.clone();
        other.retain(|(name, _)| *name != "number");
        other.push(("number", "ZY-2"));
        let refused = office.post(&path, &other);
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text.contains("已经用于另一份内容"), "{}", refused.text);
        assert_eq!(bills(office), 1);

        // Asked by its key.
        let asked = office.post("/requests", &[("key", &kept.1)]);
        let statement = first.location.expect("a statement");
        assert!(asked.text.contains("已经结算") && asked.text.contains(&statement), "{}", asked.text);
        assert!(office.post("/requests", &[("key", "nothing")]).text.contains("没有收到这笔请求"));
        assert_eq!(office.post("/requests", &[]).status, StatusCode::UNPROCESSABLE_ENTITY);
        office.in_english().finds("/requests");
        office.in_chinese();
        // The key is the institution's: another desk has none of that name.
        let township = InstitutionTier::Township;
        let elsewhere = office.given_an_institution("H2", "411721107000", township, InstitutionGrade::First);
        office.signed_in(Role::CountyDesk, "411721", Some(elsewhere));
        assert!(office.post("/requests", &[("key", &kept.1)]).text.contains("没有收到这笔请求"));
        office.nothing_differs_after_rebuilding();
    });
}

#[test]
fn a_request_that_was_refused_leaves_its_key_free() {
    on_both(|office| {
        let (hospital, person) = given_a_desk(office);
        let id = hospital.to_string();
        let path = format!("/desk/{}/settle", person.id);
        let bill = stay("ZY-1", &id, "2026-01-01", "2026-01-11", "60000.00");
        let mut kept = Default::default();
        let sent = confirmed(office, &person, &bill, &mut kept);
        let mut stale = sent.clone();
        stale.retain(|(name, _)| *name != "expected");
        stale.push(("expected", "0.01"));
        assert_eq!(office.post(&path, &stale).status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(office.post(&path, &sent).status, StatusCode::SEE_OTHER);
        assert_eq!(bills(office), 1);
    });
}

/// A reader of receipts that takes none: as if a rule of later had been broken.
const REFUSING: Projection = Projection {
    name: "refusing",
    kinds: &["settlement.settled"],
    views: &[],
    admit: |_| Err(Refusal::new("record.parked.too_long").with("most", "7")),
    apply: |_, _| Ok(()),
    along: nothing_along,
    forget: nothing_to_forget,
};

#[test]
fn what_the_record_does_not_take_is_refused_to_whoever_waits_and_nothing_of_it_stays() {
    for fresh in FreshDatabase::all().expect("databases") {
        let office = &mut Office::open_with(fresh, policies(), &[REFUSING]);
        let (hospital, person) = given_a_desk(office);
        let id = hospital.to_string();
        // At the desk, in words.
        let bill = stay("ZY-1", &id, "2026-01-01", "2026-01-11", "60000.00");
        let mut kept = Default::default();
        let sent = confirmed(office, &person, &bill, &mut kept);
        let refused = office.post(&format!("/desk/{}/settle", person.id), &sent);
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text);
        assert!(refused.text.contains("内容超过 7 字节，请拆分后重发"), "{}", refused.text);
        // Over the interface, with its code; the name of the request is free again.
        let key = office.given_a_client("411721", hospital);
        let body = serde_json::json!({
            "number": "ZY-1", "person": { "id": person.id }, "setting": "inpatient", "admission": "2026-01-01",
            "discharge": "2026-01-11", "total": "60000.00", "compliant": "60000.00",
        });
        assert_eq!(office.sends(&key, Some("m-1"), "settle", &body).not(), (422, "parked_too_long"));
        assert_eq!(office.asks(&key, "requests/m-1").done()["state"], "not_received");
        // Neither a bill without its receipt, nor anything put aside that nobody asked for.
        assert_eq!(bills(office), 0);
        let reach = office.reach_of("41", Purpose::KeepRegister);
        assert_eq!(office.read(move |tx| kangmai_record::parked_waiting(tx, &reach)), 0);
        office.nothing_differs_after_rebuilding();
    }
}

#[test]
fn many_presses_at_once_settle_once() {
    on_both(|office| {
        let (hospital, person) = given_a_desk(office);
        let id = hospital.to_string();
        let path = format!("/desk/{}/settle", person.id);
        let bill = stay("ZY-1", &id, "2026-01-01", "2026-01-11", "60000.00");
        let mut kept = Default::default();
        let sent = confirmed(office, &person, &bill, &mut kept);
        let (office_there, path, sent) = (&*office, &path, &sent);
        let answers: Vec<_> = std::thread::scope(|scope| {
            let presses: Vec<_> =
                (0..6).map(|_| scope.spawn(move || office_there.post(path, sent))).collect();
            presses.into_iter().map(|press| press.join().expect("an answer")).collect()
        });
        let locations: BTreeSet<&String> =
            answers.iter().filter_map(|answer| answer.location.as_ref()).collect();
        assert_eq!(locations.len(), 1, "one statement");
        for answer in answers.iter().filter(|answer| answer.location.is_none()) {
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
            assert!(answer.text.contains("正在办理"), "{}", answer.text);
        }
        assert_eq!(bills(office), 1);
    });
}

#[test]
fn what_is_under_way_is_said_and_what_was_broken_off_begins_anew() {
    on_both(|office| {
        let key = RequestKey { caller: Uuid::from_u128(7), key: "MSG-1".to_owned() };
        let begin = |office: &Office, digest: &'static str| {
            let (key, now) = (key.clone(), office.clock.now());
            office.write(move |tx| begin_request(tx, &key, digest, now))
        };
        let ask = |office: &Office| {
            let (key, now) = (key.clone(), office.clock.now());
            office.read(move |tx| ask_request(tx, &key, now))
        };
        assert_eq!(ask(office), RequestState::NotReceived);
        let Begun::Go(first) = begin(office, "a") else { panic!("it is new") };
        assert_eq!(ask(office), RequestState::InProgress);
        assert_eq!(begin(office, "a"), Begun::InProgress);
        assert_eq!(begin(office, "b"), Begun::OtherBody);
        office.clock.advance(61);
        assert_eq!(ask(office), RequestState::NotReceived, "broken off");
        let Begun::Go(second) = begin(office, "a") else { panic!("it begins anew") };
        assert_eq!(ask(office), RequestState::InProgress);
        let answered = Answered { bill: Some(Uuid::from_u128(9)), answer: "12.00".to_owned() };
        let (late, said) = (first.clone(), answered.clone());
        assert!(!office.write(move |tx| answer_request(tx, &late, &said)), "the first has lost it");
        office.write(move |tx| give_up_request(tx, &first));
        assert_eq!(ask(office), RequestState::InProgress, "nor can it give it up");
        let said = answered.clone();
        assert!(office.write(move |tx| answer_request(tx, &second, &said)));
        assert_eq!(ask(office), RequestState::Answered(answered.clone()));
        assert_eq!(begin(office, "a"), Begun::Done(answered));
        assert_eq!(begin(office, "b"), Begun::OtherBody);
        office.clock.advance(401 * 86_400);
        assert!(matches!(begin(office, "b"), Begun::Go(_)), "forgotten");
    });
}

#[test]
fn what_is_not_there_is_not_cancelled_and_no_correction_goes_below_zero() {
    on_both(|office| {
        let (hospital, person) = given_a_desk(office);
        let id = hospital.to_string();
        let statement = settles(office, &person, &stay("ZY-1", &id, "2026-01-01", "2026-01-11", "60000.00"));
        let unknown = "/bills/b0000000-0000-7000-8000-000000000000/cancel";
        assert_eq!(office.post(unknown, &[("reason", "录错")]).status, StatusCode::NOT_FOUND);
        let before = office.finds(&statement);
        let number = person.body.id_number.as_ref().expect("a number").as_str();
        let head = [
            "结算单号",
            "身份证号",
            "机构代码",
            "入院日期",
            "出院日期",
            "就诊类型",
            "总费用",
            "合规费用",
            "更正",
        ];
        for (total, compliant) in [("-100.00", "0.00"), ("100.00", "-0.01"), ("0.00", "0.00")] {
            let row = vec!["ZY-1", number, "H1", "2026-01-01", "2026-01-11", "住院", total, compliant, "是"];
            let done = office.imports(&BILLS, &office.bureau("411721"), &[head.to_vec(), row], false);
            assert_eq!((done.summary.faulty, done.facts), (1, 0), "{total} {compliant}: {:?}", done.faults());
        }
        let own = |page: &str| between(page, "own-share print-tight\">", " ");
        assert_eq!(own(&office.finds(&statement)), own(&before));
    });
}

/// The shipped packs with another yearly cap of basic insurance.
fn other_release() -> Release {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    let files = Release::read_directory(&folder).expect("the packs").into_iter().map(|(path, text)| {
        let text = match path.as_str() {
            "cn/henan/benefits/10-basic.toml" => {
                text.replace("yearly_cap = \"150000.00\"", "yearly_cap = \"20000.00\"")
            }
            _ => text,
        };
        (path, text)
    });
    Release::load(files.collect::<Vec<_>>()).expect("loads")
}

#[test]
fn a_receipt_is_worked_out_again_to_the_fen() {
    on_both(|office| {
        let (hospital, person) = given_a_desk(office);
        let id = hospital.to_string();
        settles(office, &person, &stay("ZY-0", &id, "2026-01-01", "2026-01-05", "3000.00"));
        let mut bill = stay("ZY-1", &id, "2026-02-01", "2026-02-11", "60000.00");
        bill.extend([("diagnosis_code", "I63.900"), ("registration", "5.00")]);
        let statement = settles(office, &person, &bill);
        assert!(office.finds(&statement).contains("/receipt.json"));
        let answer = office.get(&format!("{statement}/receipt.json"));
        assert_eq!(answer.status, StatusCode::OK);
        assert!(!answer.text.contains("示例乙"), "no name");
        assert!(!answer.text.contains(person.body.id_number.as_ref().expect("a number").as_str()));
        let file: ReceiptFile = serde_json::from_str(&answer.text).expect("a receipt");
        assert!(!file.receipt.before.is_empty() && !file.receipt.after.is_empty() && !file.facts.is_empty());
        assert!(file.facts.iter().any(|fact| fact.origin == "typed"));
        let again = replay(&policies(), &file, false).expect("the same release");
        assert!(again.is_same(), "{again:?}");
        assert_eq!(again.layers.len(), file.receipt.layers.len());

        // Another release: refused, and by order worked out to something else, where it is something else.
        let other = other_release();
        assert!(matches!(replay(&other, &file, false), Err(NotReplayed::OtherRelease(..))));
        let anyway = replay(&other, &file, true).expect("by order");
        assert!(!anyway.is_same());
        let basic = &anyway.layers[0];
        assert!(basic.now.expect("there").1 < basic.kept.expect("there").1, "{basic:?}");

        // Somebody put a hand on it.
        let mut altered = file.clone();
        altered.receipt.own = Fen(1);
        assert_eq!(replay(&policies(), &altered, false), Err(NotReplayed::Altered));
        let mut altered = file.clone();
        altered.bill.total = Fen(1);
        assert_eq!(replay(&policies(), &altered, false), Err(NotReplayed::OtherFacts));
        let mut altered = file.clone();
        altered.format = "kangmai.receipt.0".to_owned();
        assert!(matches!(replay(&policies(), &altered, false), Err(NotReplayed::Format(_))));

        // The bureau sees money and no diagnosis.
        assert!(file.bill.diagnosis.is_some() && !file.diagnosis_withheld);
        office.signed_in(Role::InsuranceClerk, "411721", None);
        let answer = office.get(&format!("{statement}/receipt.json"));
        let file: ReceiptFile = serde_json::from_str(&answer.text).expect("a receipt");
        assert!(file.bill.diagnosis.is_none() && file.diagnosis_withheld && !answer.text.contains("I63"));
        assert!(replay(&policies(), &file, false).expect("worked out").is_same());
        office.signed_in(Role::VillageDoctor, "411721", None);
        assert_eq!(office.get(&format!("{statement}/receipt.json")).status, StatusCode::NOT_FOUND);
    });
}
