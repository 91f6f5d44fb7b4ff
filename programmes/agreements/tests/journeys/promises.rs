//! When something is due, and what was done in time.

use kangmai_agreements::care::{Care, CareEvent, CareFact};
use kangmai_agreements::facts::{Done, DoneBy, Promise, SignedBy, Signer, Way};
use kangmai_agreements::folder::{Folder, What};
use kangmai_agreements::rules::{
    DueState, PictureKind, Window, check_drawing, check_signer, check_way, fulfil, kept, windows,
};
use kangmai_base::Day;

use super::standing::{event, signed, what_signed};
use super::{day, id};

fn spans(from: &str, until: &str, times: u8) -> Vec<(Day, Day)> {
    windows(day(from), day(until), times).iter().map(|one| (one.from, one.until)).collect()
}

#[test]
fn a_year_is_cut_into_equal_parts() {
    let all =
        |list: &[(&str, &str)]| list.iter().map(|(from, until)| (day(from), day(until))).collect::<Vec<_>>();
    assert_eq!(spans("2026-03-01", "2027-02-28", 1), all(&[("2026-03-01", "2027-02-28")]));
    assert_eq!(
        spans("2026-03-01", "2027-02-28", 4),
        all(&[
            ("2026-03-01", "2026-05-31"),
            ("2026-06-01", "2026-08-31"),
            ("2026-09-01", "2026-11-30"),
            ("2026-12-01", "2027-02-28"),
        ])
    );
    // Three years of one a year; a term that is no whole year is cut short; five a year go by days.
    assert_eq!(spans("2026-03-01", "2029-02-28", 1).len(), 3);
    assert_eq!(spans("2026-03-01", "2026-08-31", 1), all(&[("2026-03-01", "2026-08-31")]));
    assert_eq!(spans("2026-03-01", "2027-02-28", 5).len(), 5);
    assert_eq!(spans("2024-02-29", "2025-02-28", 1), all(&[("2024-02-29", "2025-02-28")]));
}

fn done(days: &[&str]) -> Vec<Option<Day>> {
    let mut parts = windows(day("2026-03-01"), day("2027-02-28"), 4);
    let days: Vec<Day> = days.iter().map(|text| day(text)).collect();
    fulfil(&mut parts, &days);
    parts.iter().map(|part| part.done_on).collect()
}

#[test]
fn what_was_done_fills_its_own_part_first_and_then_what_is_over() {
    let at = |text: &str| Some(day(text));
    assert_eq!(done(&[]), [None; 4]);
    assert_eq!(done(&["2026-05-31"]), [at("2026-05-31"), None, None, None]);
    assert_eq!(
        done(&["2026-06-01"]),
        [None, at("2026-06-01"), None, None],
        "a day late it is the next quarter's"
    );
    // Twice in one quarter: one of them makes good what was missed before, late.
    assert_eq!(done(&["2026-06-01", "2026-08-31"]), [at("2026-08-31"), at("2026-06-01"), None, None]);
    // Twice on one day is once.
    assert_eq!(done(&["2026-03-01", "2026-03-01"]), [at("2026-03-01"), None, None, None]);
    // What was done beforehand fills nothing later.
    assert_eq!(done(&["2026-03-01", "2026-03-02"]), [at("2026-03-01"), None, None, None]);
}

#[test]
fn how_it_stands_on_a_day() {
    let part = |done_on: Option<&str>| Window {
        number: 1,
        from: day("2026-06-01"),
        until: day("2026-08-31"),
        done_on: done_on.map(day),
    };
    for (done_on, on, expected) in [
        (None, "2026-05-31", DueState::Ahead),
        (None, "2026-06-01", DueState::Due),
        (None, "2026-08-31", DueState::Due),
        (None, "2026-09-01", DueState::Overdue),
        (Some("2026-08-31"), "2026-09-01", DueState::InTime),
        (Some("2026-09-01"), "2026-09-01", DueState::Late),
    ] {
        assert_eq!(part(done_on).state(day(on)), expected, "{done_on:?} {on}");
    }
    assert!(
        part(Some("2026-08-31")).in_time() && !part(Some("2026-09-01")).in_time() && !part(None).in_time()
    );
}

fn visited(fact: u128, visit: u128, on: &str, windows: &[&str]) -> CareEvent {
    let body = serde_json::json!({
        "visit": id(visit), "on": on, "windows": windows, "later": "a field of a later version",
        "found": [{ "programme": "hypertension", "grade": "steady", "due": [{ "why": "visit", "until": "2026-12-01" }] }]
    });
    CareEvent { id: id(fact), what: CareFact::Visited(serde_json::from_value(body).expect("a visit")) }
}

#[test]
fn visits_count_by_themselves_once_put_right_and_not_when_taken_back() {
    let care = Care::of(&[
        visited(1, 50, "2026-04-01", &[]),
        visited(2, 50, "2026-04-03", &["yearly_check"]),
        visited(3, 51, "2026-07-01", &[]),
        CareEvent {
            id: id(4),
            what: CareFact::Undone(
                serde_json::from_value(serde_json::json!({ "fact": id(3) })).expect("one"),
            ),
        },
    ]);
    let hypertension = DoneBy::FollowUp("hypertension".into());
    assert_eq!(care.done(&hypertension), [day("2026-04-03")]);
    assert_eq!(care.done(&DoneBy::Window("yearly_check".into())), [day("2026-04-03")]);
    assert!(care.done(&DoneBy::FollowUp("type2_diabetes".into())).is_empty());
    assert!(care.done(&DoneBy::Hand).is_empty());

    let promise = |item: &str, times, done_by| Promise {
        package: "hypertension".into(),
        item: item.into(),
        times,
        done_by,
        sensitive: false,
    };
    let mut body = signed(100, "2026-03-01", "2026-03-01", "2027-02-28", None);
    body.content.promises = vec![
        promise("visit", Some(4), hypertension),
        promise("advice", Some(1), DoneBy::Hand),
        promise("care", None, DoneBy::Hand),
    ];
    let by_hand = |item: &str, on: &str| {
        let (note, by) = (String::new(), String::new());
        let (agreement, package, item) = (id(100), "hypertension".to_owned(), item.to_owned());
        What::Done(Done { agreement, package, item, on: day(on), note, by, sensitive: false })
    };
    let folder = Folder::of(&[
        event(1, what_signed(body)),
        event(2, by_hand("advice", "2026-05-05")),
        event(3, by_hand("care", "2026-06-05")),
        event(4, by_hand("care", "2025-06-05")),
    ]);
    let all = kept(&folder, folder.agreement(id(100)).expect("one"), &care);
    let counts: Vec<(usize, usize)> = all
        .iter()
        .map(|kept| (kept.windows.len(), kept.windows.iter().filter(|part| part.in_time()).count()))
        .collect();
    assert_eq!(counts, [(4, 1), (1, 1), (0, 0)]);
    assert_eq!(all[2].done, [day("2026-06-05")], "what was done outside of the agreement is not in it");
}

#[test]
fn what_lies_behind_the_end_is_not_due() {
    let mut body = signed(100, "2026-03-01", "2026-03-01", "2027-02-28", None);
    body.content.promises = vec![Promise {
        package: "basic".into(),
        item: "advice".into(),
        times: Some(4),
        done_by: DoneBy::Hand,
        sensitive: false,
    }];
    let ended = kangmai_agreements::facts::Ended {
        agreement: id(100),
        on: day("2026-09-01"),
        reason: kangmai_agreements::facts::EndReason::MovedAway,
        note: String::new(),
        by: String::new(),
    };
    let folder = Folder::of(&[event(1, what_signed(body)), event(2, What::Ended(ended))]);
    let all = kept(&folder, folder.agreement(id(100)).expect("one"), &Care::default());
    let last: Vec<Day> = all[0].windows.iter().map(|part| part.until).collect();
    assert_eq!(last, [day("2026-05-31"), day("2026-08-31")]);
}

#[test]
fn who_may_sign_and_how() {
    let signer =
        |who, name: &str, relation: &str| Signer { who, name: name.into(), relation: relation.into() };
    for (who, age, expected) in [
        (signer(SignedBy::Resident, "", ""), Some(14), Ok(())),
        (signer(SignedBy::Resident, "", ""), Some(13), Err("agreements.refused.guardian")),
        (signer(SignedBy::Resident, "", ""), None, Ok(())),
        (signer(SignedBy::Guardian, "示例父", "父亲"), Some(3), Ok(())),
        (signer(SignedBy::Guardian, "", "父亲"), Some(3), Err("agreements.refused.signer_name")),
        (signer(SignedBy::Household, "示例户主", ""), Some(40), Err("agreements.refused.signer_relation")),
    ] {
        assert_eq!(check_signer(&who, age, 14).map_err(|refusal| refusal.key), expected, "{who:?} {age:?}");
    }
    assert!(check_way(Way::Paper, "").is_err() && check_way(Way::Paper, "柜").is_ok());
    assert!(check_way(Way::Photo, "").is_ok());
}

#[test]
fn a_drawing_is_a_path_and_a_picture_is_one_by_its_first_bytes() {
    let good = format!("M1 1{}", "L2 2".repeat(8));
    let too_long = format!("M1 1{}", "L200 200".repeat(6_000));
    for (path, expected) in [
        (good.as_str(), Ok(())),
        ("", Err("agreements.refused.drawing_empty")),
        ("M1 1L2 2", Err("agreements.refused.drawing_empty")),
        ("L1 1L1 1L1 1L1 1L1 1L1 1L1 1L1 1L1 1", Err("agreements.refused.drawing_empty")),
        ("M1 1L2 2L2 2L2 2L2 2L2 2L2 2L2 2\"/><script>", Err("agreements.refused.drawing_empty")),
        (too_long.as_str(), Err("agreements.refused.drawing_long")),
    ] {
        assert_eq!(check_drawing(path).map_err(|refusal| refusal.key), expected);
    }
    assert_eq!(PictureKind::of_bytes(&[0xff, 0xd8, 0xff, 0xe0]), Some(PictureKind::Jpeg));
    assert_eq!(PictureKind::of_bytes(b"\x89PNG\r\n\x1a\n...."), Some(PictureKind::Png));
    for bytes in [&b"GIF89a"[..], b"%PDF-1.7", b"<svg onload=1>", b"", &[0xff, 0xd8]] {
        assert_eq!(PictureKind::of_bytes(bytes), None);
    }
}
