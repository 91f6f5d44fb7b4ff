//! Phones without a network: what they are told and what never, how each fact is answered, how a phone is opened, lost and
//! emptied. Over HTTP, on both databases.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

use axum::http::StatusCode;
use kangmai_acceptance::county::{County, VILLAGE};
use kangmai_acceptance::phone::{Phone, proof};
use kangmai_access::{AccountChange, Role};
use kangmai_base::{IdNumber, Ids as _, SeededIds, Uuid};
use kangmai_follow_up::enrol_all;
use kangmai_record::Subject;
use kangmai_sync::{OutboxFault, read_outbox};
use serde_json::{Value, json};

/// Name, first seventeen digits of the number, village, code of the diagnosis.
const PEOPLE: [(&str, &str, &str, &str); 4] = [
    ("示例王一", "41172219600101991", VILLAGE, "I10.x00"),
    ("示例李二", "41172219620101992", VILLAGE, "I10.x00"),
    ("示例赵三", "41172219700101991", VILLAGE, "F20.901"),
    ("示例远村", "41172219710101991", "411722002001", "I10.x00"),
];

fn given(county: &County) {
    let mut register =
        "户编号,与户主关系,姓名,证件号码,户籍地区划代码,联系电话,参保状态,人群类别,认定日期\n".to_owned();
    let mut diagnoses = "证件号码,姓名,诊断编码,诊断名称,确诊日期\n".to_owned();
    for (index, (name, first_17, village, code)) in PEOPLE.iter().enumerate() {
        let number = IdNumber::with_checksum(first_17).expect("a number");
        register += &format!("H{index},户主,{name},{},{village},13900009901,居民,,\n", number.as_str());
        diagnoses += &format!("{},{name},{code},示例诊断,2026-09-05\n", number.as_str());
    }
    for (key, text) in [("register", register), ("diagnoses", diagnoses)] {
        let finished = county.import(key, &format!("{key}.csv"), text.as_bytes());
        assert_eq!((finished.summary.faulty, finished.parked), (0, 0), "{finished:?}");
    }
    enrol_all(&county.app, county.app.today(), |_| {}).expect("a run");
}

fn phone(county: &County, role: Role, name: &str) -> Phone {
    let mut signed_in = county.sign_in(role);
    Phone::registered(&mut signed_in, county.visitor(), name, "123456")
}

/// Whom a phone knows under this name.
fn called(phone: &Phone, name: &str) -> Uuid {
    let found = phone.people.iter().find(|(_, known)| known.card["name"] == json!(name));
    *found.expect(name).0
}

/// A visit with nothing amiss but the pressure.
fn visit(ids: &SeededIds, county: &County, on: &str, pressure: (&str, &str)) -> Value {
    json!({
        "visit": ids.mint(county.app.clock.now()), "on": on, "way": "home", "programmes": ["hypertension"], "windows": [],
        "answers": {
            "systolic": [pressure.0], "diastolic": [pressure.1], "hypertension_danger": ["none"],
            "side_effect": ["none"], "complication": ["none"], "adherence": ["regular"],
        },
    })
}

fn outcomes(answers: &[Value]) -> Vec<(String, String)> {
    let text = |answer: &Value, name: &str| answer[name].as_str().unwrap_or_default().to_owned();
    answers.iter().map(|answer| (text(answer, "outcome"), text(answer, "reason"))).collect()
}

fn views_stand(county: &County) {
    let differs = kangmai_record::rebuild(&county.app.database, &county.app.record, true, |_| {});
    assert_eq!(differs.expect("a rebuild"), []);
}

#[test]
fn a_visit_without_a_network_arrives_and_reaches_the_other_phone() {
    County::on_both(|county| {
        given(county);
        let ids = SeededIds::new(11);
        let (mut own, mut other) =
            (phone(county, Role::VillageDoctor, "红米"), phone(county, Role::TownshipOfficer, "华为"));
        own.loads(VILLAGE);
        other.loads(VILLAGE);
        // Those of the village, and no other; of the one who is ill in confidence nothing but the card.
        let names = |phone: &Phone| {
            let mut names: Vec<String> = phone
                .people
                .values()
                .map(|known| known.card["name"].as_str().unwrap_or_default().to_owned())
                .collect();
            names.sort();
            names
        };
        assert_eq!(names(&own), ["示例李二", "示例王一", "示例赵三"]);
        assert!(own.people[&called(&own, "示例赵三")].facts.is_empty());
        let wang = called(&own, "示例王一");
        let card = &own.people[&wang].card;
        assert_eq!((&card["last_four"], &card["phone"]), (&json!(&number(0)[14..]), &json!("13900009901")));
        assert_eq!(own.people[&wang].facts.len(), 2, "two enrolments: hypertension, and the check from 65");

        // Two days later there is a network.
        let fact = own.writes(
            &ids,
            county.app.clock.now(),
            "follow_up.visited",
            wang,
            visit(&ids, county, "2026-11-20", ("168", "98")),
        );
        county.clock.advance(2 * 86_400);
        assert_eq!(outcomes(&own.pushes()), [("accepted".to_owned(), String::new())]);
        for phone in [&mut own, &mut other] {
            phone.hears(false);
            let told = &phone.people[&wang].facts[&fact];
            assert_eq!((&told["on"], &told["kind"]), (&json!("2026-11-20"), &json!("follow_up.visited")));
            assert_eq!(told["body"]["found"][0]["figures"], json!("168/98"), "{told}");
        }
        // The page says so as well, by the doctor's name.
        let mut doctor = county.sign_in(Role::VillageDoctor);
        doctor.finds(&format!("/people/{wang}")).sees("168/98");

        // What is taken back on the phone on the day itself is taken back.
        let now = county.app.clock.now();
        let undone = own.writes(&ids, now, "follow_up.undone", wang, json!({ "fact": fact }));
        assert_eq!(outcomes(&own.pushes())[0].0, "parked", "the visit is of the day before yesterday");
        let second = own.writes(
            &ids,
            now,
            "follow_up.visited",
            wang,
            visit(&ids, county, "2026-11-22", ("150", "90")),
        );
        let back = own.writes(&ids, now, "follow_up.undone", wang, json!({ "fact": second }));
        assert!(outcomes(&own.pushes()).iter().all(|(outcome, _)| outcome == "accepted"));
        own.hears(false);
        let facts = &own.people[&wang].facts;
        assert!(facts.contains_key(&second) && facts.contains_key(&back) && !facts.contains_key(&undone));
        views_stand(county);
    });
}

fn number(index: usize) -> String {
    IdNumber::with_checksum(PEOPLE[index].1).expect("a number").as_str().to_owned()
}

#[test]
fn no_identity_number_and_nothing_in_confidence_goes_to_a_phone() {
    let county = County::on_sqlite();
    given(&county);
    let mut own = phone(&county, Role::VillageDoctor, "红米");
    for path in [format!("/sync/first?place={VILLAGE}"), "/sync/pull?cursor=411722001001:0".to_owned()] {
        let (status, body) = own.asks(&path);
        assert_eq!(status, StatusCode::OK);
        let text = String::from_utf8(body).expect("text");
        assert!(text.contains("示例王一"), "{text}");
        for kept in ["F20", "severe_mental", "示例诊断", "示例远村", &number(0), &number(2)] {
            assert!(!text.contains(kept), "{path} tells {kept}");
        }
    }
    // Another place is not there, whatever is asked.
    assert_eq!(own.asks("/sync/first?place=411722002001").0, StatusCode::NOT_FOUND);
    assert_eq!(own.asks("/sync/roll?place=411722002001").0, StatusCode::NOT_FOUND);
    let (_, told) = own.sends("/sync/people", &json!({ "people": [Uuid::from_u128(5)] }));
    assert_eq!(told, Value::Null, "nobody");
    let (status, body) = own.asks("/sync/rules");
    let rules: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(status, StatusCode::OK);
    assert!(rules["programmes"].as_array().is_some_and(|all| all.len() >= 8), "every table");
    assert!(rules["vectors"].as_array().is_some_and(|all| all.len() > 100), "the cases of the tables");
}

#[test]
fn each_fact_is_answered_once_and_everything_is_kept() {
    County::on_both(|county| {
        given(county);
        let ids = SeededIds::new(12);
        let mut own = phone(county, Role::VillageDoctor, "红米");
        own.loads(VILLAGE);
        let (wang, li, now) = (called(&own, "示例王一"), called(&own, "示例李二"), county.app.clock.now());
        let visited = "follow_up.visited";
        own.writes(&ids, now, visited, wang, visit(&ids, county, "2026-11-20", ("132", "84")));
        let first = own.outbox.clone();
        // The answer is lost, so it comes again: once more, and once more.
        let (status, _) = own.sends("/sync/push", &Phone::push_of(&first));
        assert_eq!(status, StatusCode::OK);
        assert_eq!(outcomes(&own.pushes_these(&first)), [("duplicate".to_owned(), String::new())]);
        assert_eq!(outcomes(&own.pushes_these(&first)), [("duplicate".to_owned(), String::new())]);

        // What breaks a rule is put aside with the reason; what is no fact is kept as it came.
        let far = Uuid::from_u128(77);
        let cases: Vec<(Uuid, Value, &str, &str)> = vec![
            (wang, visit(&ids, county, "2026-11-20", ("140", "90")), "parked", "follow_up.refused.twice"),
            (li, visit(&ids, county, "2026-11-21", ("140", "90")), "parked", "follow_up.refused.future"),
            (li, visit(&ids, county, "1961-11-21", ("140", "90")), "parked", "follow_up.parked.long_ago"),
            (li, visit(&ids, county, "2026-11-19", ("400", "20")), "parked", "follow_up.parked.out_of_range"),
            (li, visit(&ids, county, "2026-11-19", ("80", "120")), "parked", "follow_up.parked.not_below"),
            (
                li,
                visit(&ids, county, "2026-11-19", ("１20", "80")),
                "parked",
                "follow_up.parked.not_a_number",
            ),
            (far, visit(&ids, county, "2026-11-19", ("120", "80")), "parked", "sync.parked.unknown_person"),
            (li, json!({ "on": "2026-11-19" }), "rejected", "sync.rejected.unreadable"),
            (li, visit(&ids, county, "2026-11-19", ("120", "80")), "accepted", ""),
        ];
        for (person, body, outcome, reason) in cases {
            let said = body.to_string();
            own.writes(&ids, now, visited, person, body);
            let answers = own.pushes();
            assert_eq!(outcomes(&answers), [(outcome.to_owned(), reason.to_owned())], "{said}");
            assert_eq!(answers[0]["said"].is_string(), outcome != "accepted", "a sentence: {answers:?}");
        }
        own.writes(&ids, now, "field.weather", li, json!({ "rain": true }));
        own.writes_text(ids.mint(now), "{\"kind\":\"follow_up.visited\"");
        own.writes_text(ids.mint(now), "{\"id\":\"x\"}");
        let answers: Vec<String> = outcomes(&own.pushes()).into_iter().map(|(_, reason)| reason).collect();
        assert_eq!(answers, ["sync.parked.unknown_kind", "sync.rejected.no_fact", "sync.rejected.no_fact"]);

        // An app two versions newer says more: what is not understood does not stand in the way.
        let mut newer = visit(&ids, county, "2026-11-18", ("120", "80"));
        newer["mood"] = json!("good");
        own.writes(&ids, now, visited, li, newer);
        assert_eq!(outcomes(&own.pushes())[0].0, "accepted");
        // The township sees what waits, and the phone's counts.
        let mut officer = county.sign_in(Role::TownshipOfficer);
        officer.finds("/parked").sees("手机记的数值不可能出现").sees("服务器还不认识这类记录");
        officer.sees("\"400\"").sees("打开这个人").finds("/phones").follow("3 条读不出来，原文已保存");
        officer.sees("{\"id\":\"x\"}").sees("这条不是完整的记录");
        let mut bureau = county.sign_in(Role::HealthBureau);
        bureau.finds("/parked").sees("手机记的数值不可能出现").does_not_see("\"400\"");
        officer.finds("/phones").sees("红米").sees("14 条").sees("8 条待核对").sees("3 条读不出来");
        officer.does_not_see("缺第").does_not_see("接不上");
        views_stand(county);
    });
}

#[test]
fn a_gap_and_an_altered_record_are_seen() {
    County::on_both(|county| {
        given(county);
        let ids = SeededIds::new(13);
        let mut own = phone(county, Role::VillageDoctor, "红米");
        own.loads(VILLAGE);
        let (li, now) = (called(&own, "示例李二"), county.app.clock.now());
        for day in 1..=6 {
            let on = format!("2026-10-{day:02}");
            own.writes(&ids, now, "follow_up.visited", li, visit(&ids, county, &on, ("120", "80")));
        }
        let all = own.outbox.clone();
        let (_, said) = own.sends("/sync/push", &Phone::push_of([&all[0], &all[4]]));
        assert_eq!(said["missing"], json!([[2, 4]]), "{said}");
        let mut officer = county.sign_in(Role::TownshipOfficer);
        officer.finds("/phones").sees("缺第 2 至 4 条").does_not_see("接不上");
        // They come at last, in another order: nothing is missing, and nothing is broken.
        own.pushes_these(&[all[3].clone(), all[1].clone(), all[2].clone()]);
        officer.finds("/phones").does_not_see("缺第").does_not_see("接不上");
        // The text of a fact was changed on the phone after it was written.
        let mut altered = Phone::push_of([&all[5]]);
        let text = altered["facts"][0]["fact"].as_str().expect("a text").replace("120", "118");
        altered["facts"][0]["fact"] = json!(text);
        let (_, said) = own.sends("/sync/push", &altered);
        assert_eq!(said["answers"][0]["outcome"], json!("accepted"), "{said}");
        officer.finds("/phones").sees("1 处前后接不上");
        // Then the true one comes under the same number: it is not thrown away.
        let answers = own.pushes_these(&[all[5].clone()]);
        assert_eq!(outcomes(&answers)[0].1, "sync.parked.sequence_twice");
    });
}

#[test]
fn a_phone_opens_by_its_pin_is_rescued_by_the_password_and_emptied_from_afar() {
    County::on_both(|county| {
        given(county);
        let ids = SeededIds::new(14);
        let mut doctor = county.sign_in(Role::VillageDoctor);
        let mut own = Phone::registered(&mut doctor, county.visitor(), "红米", "123456");
        own.loads(VILLAGE);
        let id = own.id;
        let unlock = move |phone: &mut Phone, pin: &str| {
            phone.sends("/sync/unlock", &json!({ "phone": id, "proof": proof(pin) }))
        };
        let (status, said) = unlock(&mut own, "123456");
        assert_eq!((status, said["share"].as_str()), (StatusCode::OK, Some(own.share.as_str())));
        // Nine wrong ones leave one; a right one begins the count anew; ten running end it.
        for left in (1..10).rev() {
            let (status, said) = unlock(&mut own, "000000");
            assert_eq!((status, &said["left"]), (StatusCode::OK, &json!(left)));
        }
        assert_eq!(unlock(&mut own, "123456").0, StatusCode::OK);
        for _ in 0..9 {
            assert!(unlock(&mut own, "000000").1["left"].is_number());
        }
        assert_eq!(unlock(&mut own, "000000").0, StatusCode::GONE);
        assert_eq!(unlock(&mut own, "123456").0, StatusCode::GONE, "not even the right one");
        let mut officer = county.sign_in(Role::TownshipOfficer);
        officer.finds("/phones").sees("PIN 连续输错，已锁");

        // The password opens it again, with the data key of before: what was not sent is not lost.
        let csrf = doctor.finds("/field/session").json()["csrf"].as_str().expect("a token").to_owned();
        let kind = Some("application/x-www-form-urlencoded");
        let form = format!("csrf={csrf}&proof={}", proof("654321"));
        doctor.send("POST", &format!("/field/phones/{}/rescue", own.id), kind, form.clone().into_bytes());
        let keys = doctor.json();
        assert_eq!(keys["data_key"].as_str(), Some(own.data_key.as_str()));
        assert_ne!(keys["share"].as_str(), Some(own.share.as_str()));
        assert_eq!(own.asks("/sync/pull?cursor=").0, StatusCode::UNAUTHORIZED, "the key of before");
        own.shows(keys["key"].as_str().expect("a key"));
        assert_eq!(own.asks("/sync/pull?cursor=").0, StatusCode::OK);
        assert_eq!(unlock(&mut own, "654321").0, StatusCode::OK);
        // Nobody else opens it so.
        let mut other = county.sign_in_as("other_village_doctor");
        let csrf = other.finds("/field/session").json()["csrf"].as_str().expect("a token").to_owned();
        let theirs = format!("csrf={csrf}&proof={}", proof("654321"));
        other.send("POST", &format!("/field/phones/{}/rescue", own.id), kind, theirs.into_bytes());
        assert_eq!(other.status(), StatusCode::NOT_FOUND);
        other.finds("/phones").does_not_see("红米");

        // It is lost: the township empties it. What it still holds comes in, and is looked at.
        let (li, now) = (called(&own, "示例李二"), county.app.clock.now());
        own.writes(&ids, now, "follow_up.visited", li, visit(&ids, county, "2026-11-19", ("120", "80")));
        officer.finds("/phones").press("清空 示例 village_doctor 红米").sees("已下令清空");
        for path in ["/sync/pull?cursor=", "/sync/rules", "/sync/first?place=411722001001"] {
            assert_eq!(own.asks(path).0, StatusCode::GONE, "{path}");
        }
        assert_eq!(outcomes(&own.pushes()), [("parked".to_owned(), "sync.parked.wiped".to_owned())]);
        assert_eq!(unlock(&mut own, "654321").0, StatusCode::GONE);
    });
}

#[test]
fn a_transfer_or_a_closed_account_ends_a_phone_s_access_at_once() {
    County::on_both(|county| {
        given(county);
        let mut own = phone(county, Role::VillageDoctor, "红米");
        own.loads(VILLAGE);
        own.hears(false);
        assert_eq!(own.people.len(), 3);
        county.transfer("village_doctor", Role::VillageDoctor, "411722002001");
        own.hears(false);
        let names: Vec<&Value> = own.people.values().map(|known| &known.card["name"]).collect();
        assert_eq!(names, [&json!("示例远村")], "the new village, without loading anything twice");
        // Somebody moves in, another out.
        county.transfer("village_doctor", Role::VillageDoctor, VILLAGE);
        own.hears(false);
        let (wang, far) = (called(&own, "示例王一"), own.people.len());
        county.move_home(wang, "411722002001");
        own.hears(false);
        assert_eq!((own.people.len(), own.people.contains_key(&wang)), (far - 1, false));
        county.move_home(wang, VILLAGE);
        own.hears(false);
        assert_eq!(own.people[&wang].facts.len(), 2, "with what is known of them");

        county.transfer("village_doctor", Role::Cadre, VILLAGE);
        assert_eq!(own.asks("/sync/pull?cursor=").0, StatusCode::NOT_FOUND, "a cadre visits nobody");
        county.transfer("village_doctor", Role::VillageDoctor, VILLAGE);
        assert_eq!(own.asks("/sync/pull?cursor=").0, StatusCode::OK);
        county.change("village_doctor", AccountChange::Close);
        assert_eq!(own.asks("/sync/pull?cursor=").0, StatusCode::UNAUTHORIZED);
    });
}

#[test]
fn what_is_too_much_or_no_push_at_all_is_said_and_changes_nothing() {
    let county = County::on_sqlite();
    given(&county);
    let ids = SeededIds::new(15);
    let mut own = phone(&county, Role::VillageDoctor, "红米");
    own.loads(VILLAGE);
    let (li, now) = (called(&own, "示例李二"), county.app.clock.now());
    for _ in 0..501 {
        own.writes(
            &ids,
            now,
            "follow_up.missed",
            li,
            json!({ "on": "2026-11-19", "outcome": "not_at_home" }),
        );
    }
    let all = own.outbox.clone();
    for (body, status, code) in [
        (Phone::push_of(&all).to_string(), StatusCode::PAYLOAD_TOO_LARGE, "push_too_many"),
        (" ".repeat(300_000), StatusCode::PAYLOAD_TOO_LARGE, "push_too_long"),
        ("{".to_owned(), StatusCode::BAD_REQUEST, "push_unreadable"),
        ("[]".to_owned(), StatusCode::BAD_REQUEST, "push_unreadable"),
        (
            "{\"facts\":[{\"sequence\":0,\"chain\":\"\",\"fact\":\"\"}]}".to_owned(),
            StatusCode::BAD_REQUEST,
            "push_unreadable",
        ),
    ] {
        let (found, said) = own.sends_bytes("/sync/push", body.into_bytes());
        assert_eq!((found, said["code"].as_str()), (status, Some(code)), "{said}");
        assert!(said["message"].as_str().is_some_and(|message| !message.is_empty()), "{said}");
    }
    for (cursor, status) in [
        ("x", StatusCode::BAD_REQUEST),
        ("411722001001", StatusCode::BAD_REQUEST),
        ("411722001001:x", StatusCode::BAD_REQUEST),
        ("411722001001:9999999999999999999", StatusCode::BAD_REQUEST),
        ("411722001001:-7", StatusCode::OK),
        ("411722001001:1;411722001001:2", StatusCode::OK),
        ("411722001001:9000000000000000000", StatusCode::OK),
        ("411723001001:0", StatusCode::OK),
    ] {
        assert_eq!(own.asks(&format!("/sync/pull?cursor={cursor}")).0, status, "{cursor}");
    }
    // Clocks and days that no phone has, numbers beyond all others: answered, and nothing breaks.
    let mut odd = phone(&county, Role::TownshipOfficer, "华为");
    for at in [i64::MAX, i64::MIN, -1, 0, 253_402_300_799_000] {
        for on in ["0001-01-01", "9999-12-31", "2026-11-19", "2026-02-30", ""] {
            let mut body = visit(&ids, &county, on, ("120", "80"));
            body["agreed_on"] = json!("9999-12-31");
            let id = ids.mint(now);
            let fact = json!({ "id": id, "kind": "follow_up.visited", "person": li, "at": at, "body": body });
            odd.writes_text(id, &fact.to_string());
        }
    }
    let answers = odd.pushes();
    assert!(answers.iter().all(|answer| answer["outcome"] != json!("accepted")), "{answers:?}");
    for sequence in [i64::MAX, i64::MAX - 1, 1_000_000_001, -1] {
        let (status, said) = odd.sends("/sync/push", &odd.outbox_of(sequence, "{}"));
        assert_eq!((status, said["code"].as_str()), (StatusCode::BAD_REQUEST, Some("push_unreadable")));
    }
    let (status, said) = odd.sends("/sync/push", &odd.outbox_of(1_000_000_000, "{}"));
    assert_eq!((status, &said["answers"][0]["outcome"]), (StatusCode::OK, &json!("rejected")), "{said}");
    assert_eq!(said["missing"], json!([[26, 999_999_999]]));
    county.sign_in(Role::TownshipOfficer).finds("/phones").sees("华为");
    // An app that is too old is told nothing, and what it wrote is taken all the same.
    assert_eq!(own.asks_as("0", "/sync/pull?cursor="), StatusCode::UPGRADE_REQUIRED);
    for version in ["1", "2", "x"] {
        assert_eq!(own.asks_as(version, "/sync/pull?cursor="), StatusCode::OK, "{version}");
    }
    // All of it came to nothing, so all of it can still come.
    assert_eq!(own.pushes().len(), 501);
}

#[test]
fn what_was_put_right_elsewhere_is_not_overwritten_and_no_name_serves_twice() {
    County::on_both(|county| {
        given(county);
        let ids = SeededIds::new(16);
        let mut own = phone(county, Role::VillageDoctor, "红米");
        own.loads(VILLAGE);
        let (wang, li, now) = (called(&own, "示例王一"), called(&own, "示例李二"), county.app.clock.now());
        let visited = "follow_up.visited";
        let body = visit(&ids, county, "2026-11-19", ("150", "80"));
        let fact = own.writes(&ids, now, visited, li, body.clone());
        let twice = own.outbox.clone();
        let both = [twice[0].clone(), twice[0].clone()];
        let told = outcomes(&own.pushes_these(&both));
        assert_eq!(told[0].0.as_str(), "accepted");
        assert_eq!(told[1].0.as_str(), "duplicate");
        // The desk puts it right; the phone, which has not heard of that, puts it right as well.
        let mut doctor = county.sign_in(Role::VillageDoctor);
        let which = body["visit"].as_str().expect("a visit");
        doctor.finds(&format!("/people/{li}/visits/{which}/correct")).fill("收缩压", "160");
        doctor.fill("更正原因", "抄错了数字").press("更正").sees("随访已更正");
        let mut again = visit(&ids, county, "2026-11-19", ("152", "80"));
        again["visit"] = body["visit"].clone();
        again["corrects"] = json!(fact);
        again["reason"] = json!("抄错了数字");
        own.writes(&ids, now, visited, li, again.clone());
        assert_eq!(outcomes(&own.pushes())[0].1, "follow_up.parked.changed_since");
        doctor.finds(&format!("/people/{li}")).sees("160/80").does_not_see("152/80");
        // Having heard of it, it may.
        own.hears(false);
        let latest = own.people[&li].facts.values().filter(|fact| fact["kind"] == json!(visited));
        let latest = latest.max_by_key(|fact| fact["id"].as_str().map(str::to_owned)).expect("a visit");
        again["corrects"] = latest["id"].clone();
        own.writes(&ids, now, visited, li, again.clone());
        assert_eq!(outcomes(&own.pushes())[0].0, "accepted");
        doctor.finds(&format!("/people/{li}")).sees("152/80");

        // The name of a visit, or of a fact, for two people: each is answered, and nothing is stuck.
        let mut same = visit(&ids, county, "2026-11-18", ("120", "80"));
        same["visit"] = body["visit"].clone();
        own.writes(&ids, now, visited, wang, same);
        let other = visit(&ids, county, "2026-11-17", ("120", "80"));
        let id = ids.mint(now);
        for person in [wang, li] {
            let text =
                json!({ "id": id, "kind": visited, "person": person, "at": now.0 / 1_000, "body": other });
            own.writes_text(id, &text.to_string());
        }
        let told = outcomes(&own.pushes());
        assert_eq!((told[0].0.as_str(), told.len()), ("accepted", 3), "{told:?}");
        let parked = told.iter().filter(|(_, reason)| reason == "record.parked.other_content").count();
        assert_eq!(parked, 1, "{told:?}");
        views_stand(county);
    });
}

#[test]
fn a_locked_account_is_told_nothing_and_a_long_pull_skips_nobody() {
    County::on_both(|county| {
        given(county);
        let ids = SeededIds::new(17);
        let mut own = phone(county, Role::VillageDoctor, "红米");
        own.loads(VILLAGE);
        let (li, now) = (called(&own, "示例李二"), county.app.clock.now());
        county.change("village_doctor", AccountChange::Lock);
        assert_eq!(own.asks("/sync/pull?cursor=").0, StatusCode::UNAUTHORIZED);
        own.writes(&ids, now, "follow_up.visited", li, visit(&ids, county, "2026-11-19", ("120", "80")));
        assert_eq!(outcomes(&own.pushes())[0].1, "sync.parked.barred");
        let id = own.id;
        let (status, _) = own.sends("/sync/unlock", &json!({ "phone": id, "proof": proof("123456") }));
        assert_eq!(status, StatusCode::GONE);

        // More than one pull holds in the first of two places, and something in the second.
        let mut both = phone(county, Role::TownshipOfficer, "华为");
        county.move_home(li, "411722001002");
        both.hears(false);
        let wang = called(&both, "示例王一");
        let before = both.people[&li].facts.len();
        for (person, place, count) in [(wang, VILLAGE, 2_100), (li, "411722001002", 3)] {
            county.miss_often(person, place, count);
        }
        both.hears(false);
        assert_eq!(both.people[&li].facts.len(), before + 3);
        assert!(both.people[&wang].facts.len() > 2_100);
    });
}

#[test]
fn of_somebody_who_was_erased_nothing_that_a_phone_says_is_kept() {
    County::on_both(|county| {
        given(county);
        let ids = SeededIds::new(18);
        let mut own = phone(county, Role::VillageDoctor, "红米");
        own.loads(VILLAGE);
        let (li, now) = (called(&own, "示例李二"), county.app.clock.now());
        let mut body = visit(&ids, county, "2026-11-19", ("187", "120"));
        body["note"] = json!("示例不该留下");
        own.writes(&ids, now, "follow_up.visited", li, body);
        // Two texts that are no facts: one names them.
        let texts = [json!({ "person": li, "note": "示例不该留下" }), json!({ "note": "示例该留下" })];
        for text in &texts {
            own.writes_text(ids.mint(now), &text.to_string());
        }
        let (record, subject) = (county.app.record.clone(), Subject::person(li));
        county.app.database.write_blocking(move |tx| record.erase(tx, subject, now)).expect("erased");
        let told = outcomes(&own.pushes());
        assert_eq!(told[0], ("parked".to_owned(), "sync.parked.erased".to_owned()));
        assert_eq!((told[1].0.as_str(), told[2].0.as_str()), ("rejected", "rejected"));
        let mut officer = county.sign_in(Role::TownshipOfficer);
        officer.finds("/parked").sees("资料已依法删除").does_not_see("187").does_not_see("示例不该留下");
        officer.finds("/phones").follow("2 条读不出来，原文已保存");
        officer.sees("示例该留下").does_not_see("示例不该留下");
        own.hears(false);
        assert!(!own.people.contains_key(&li));
        views_stand(county);
    });
}

#[test]
fn what_a_phone_exported_sealed_is_read_in_once_and_what_is_damaged_is_named() {
    County::on_both(|county| {
        given(county);
        let ids = SeededIds::new(19);
        let mut own = phone(county, Role::VillageDoctor, "红米");
        own.loads(VILLAGE);
        let (li, wang, now) = (called(&own, "示例李二"), called(&own, "示例王一"), county.app.clock.now());
        let visited = "follow_up.visited";
        own.writes(&ids, now, visited, li, visit(&ids, county, "2026-11-19", ("150", "80")));
        own.writes(&ids, now, visited, wang, visit(&ids, county, "2026-11-19", ("138", "80")));
        own.writes(&ids, now, "follow_up.missed", ids.mint(now), json!({ "on": "2026-11-19" }));
        own.writes_text(ids.mint(now), "{}");
        let file = own.exports();
        assert!(!file.contains("visited"), "it is sealed");
        // One entry was moved to another's place: it does not open there, and the others do.
        let mut damaged: Value = serde_json::from_str(&file).expect("JSON");
        damaged["entries"][1]["sealed"] = damaged["entries"][0]["sealed"].clone();
        let read = read_outbox(&county.app, &damaged.to_string()).expect("the database").expect("a file");
        assert_eq!(read.unopened, [2]);
        let told: Vec<(i64, &str)> = read.receipts.iter().map(|one| (one.sequence, one.outcome)).collect();
        assert_eq!(told, [(1, "accepted"), (3, "parked"), (4, "rejected")]);
        let read = read_outbox(&county.app, &file).expect("the database").expect("a file");
        let told: Vec<&str> = read.receipts.iter().map(|one| one.outcome).collect();
        assert_eq!(told, ["duplicate", "accepted", "duplicate", "duplicate"]);
        // The phone finds a network at last: it is answered for what came by the file.
        let told = own.pushes();
        assert!(told.iter().all(|answer| answer["outcome"] == json!("duplicate")), "{told:?}");
        let mut doctor = county.sign_in(Role::VillageDoctor);
        doctor.finds(&format!("/people/{li}")).sees("150/80");
        doctor.finds("/phones").sees("4 条").does_not_see("接不上").does_not_see("缺第");

        let mut other = damaged.clone();
        other["phone"] = json!(ids.mint(now));
        for (text, fault) in [
            (other.to_string(), OutboxFault::UnknownPhone),
            ("{}".to_owned(), OutboxFault::NoExport),
            (String::new(), OutboxFault::NoExport),
            (file.replacen("\"form\":1,\"phone", "\"form\":2,\"phone", 1), OutboxFault::Newer),
        ] {
            assert_eq!(read_outbox(&county.app, &text).expect("the database"), Err(fault), "{text}");
        }
        // Another phone's key opens nothing of it.
        let theirs = phone(county, Role::TownshipOfficer, "华为");
        other["phone"] = json!(theirs.id);
        let read = read_outbox(&county.app, &other.to_string()).expect("the database").expect("a file");
        assert_eq!((read.unopened.len(), read.receipts.len()), (4, 0));
        views_stand(county);
    });
}
