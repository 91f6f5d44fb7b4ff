//! How an agreement stands on a day, when it may be renewed, and when it may end.

use kangmai_agreements::facts::{
    Content, EndReason, Ended, Signature, Signed, SignedBy, Signer, Undone, Way,
};
use kangmai_agreements::folder::{Event, Folder, What};
use kangmai_agreements::rules::{Standing, begins, check_end, standing};
use kangmai_base::{Day, Uuid};
use kangmai_policy::AgreementRules;

use super::{day, id};

const REMIND: i32 = 30;

pub(crate) fn signed(agreement: u128, on: &str, from: &str, until: &str, renews: Option<Uuid>) -> Signed {
    Signed {
        agreement: id(agreement),
        renews,
        on: day(on),
        from: day(from),
        until: day(until),
        content: Content {
            team: id(900),
            term_months: 12,
            packages: vec!["basic".into()],
            promises: Vec::new(),
        },
        signature: Signature { way: Way::Paper, paper_at: "柜".into(), file: None, digest: String::new() },
        signer: Signer { who: SignedBy::Resident, name: String::new(), relation: String::new() },
        consent: String::new(),
        act: None,
        note: String::new(),
        reason: String::new(),
        by: String::new(),
        law: String::new(),
        sensitive: false,
    }
}

pub(crate) fn what_signed(body: Signed) -> What {
    What::Signed(Box::new(body))
}

pub(crate) fn event(fact: u128, what: What) -> Event {
    Event { id: id(fact), author: id(7), recorded_on: day("2026-11-20"), what }
}

fn ended(agreement: u128, on: &str) -> What {
    let (note, by) = (String::new(), String::new());
    What::Ended(Ended { agreement: id(agreement), on: day(on), reason: EndReason::Resident, note, by })
}

#[test]
fn an_agreement_stands_as_the_day_has_it() {
    let term = Some((day("2026-03-01"), day("2027-02-28")));
    for (on, ended_on, expected) in [
        ("2026-02-28", None, Standing::Later),
        ("2026-03-01", None, Standing::InForce),
        // 31, 30 and 29 days before the end.
        ("2027-01-28", None, Standing::InForce),
        ("2027-01-29", None, Standing::EndsSoon),
        ("2027-01-30", None, Standing::EndsSoon),
        ("2027-02-28", None, Standing::EndsSoon),
        ("2027-03-01", None, Standing::Expired),
        ("2026-09-09", Some("2026-09-10"), Standing::InForce),
        ("2026-09-10", Some("2026-09-10"), Standing::Ended),
        ("2027-03-01", Some("2026-09-10"), Standing::Ended),
        // Whoever ended it on its last day ended it; an end behind the term is none.
        ("2027-02-28", Some("2027-02-28"), Standing::Ended),
        ("2027-03-02", Some("2027-03-01"), Standing::Expired),
    ] {
        let ended_on = ended_on.map(day);
        assert_eq!(standing(term, ended_on, day(on), REMIND), expected, "{on} {ended_on:?}");
    }
    assert_eq!(standing(None, None, day("2026-03-01"), REMIND), Standing::Offered);
    assert_eq!(standing(None, Some(day("2026-03-01")), day("2026-03-01"), REMIND), Standing::Ended);
    // A day with no rule of reminding is no reminder.
    assert_eq!(standing(term, None, day("2027-02-27"), 0), Standing::InForce);
}

#[test]
fn a_term_ends_the_day_before_and_in_leap_years_with_the_month() {
    for (from, months, last) in [
        ("2026-03-01", 12, "2027-02-28"),
        ("2027-03-01", 12, "2028-02-29"),
        ("2026-11-20", 12, "2027-11-19"),
        ("2026-11-20", 36, "2029-11-19"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2024-02-29", 48, "2028-02-28"),
        ("2026-01-01", 12, "2026-12-31"),
    ] {
        assert_eq!(AgreementRules::last_day(day(from), months), day(last), "{from} {months}");
    }
}

fn folder(events: Vec<Event>) -> Folder {
    Folder::of(&events)
}

#[test]
fn one_is_renewed_from_thirty_days_before_and_follows_without_a_gap() {
    let one = || event(1, what_signed(signed(100, "2026-03-01", "2026-03-01", "2027-02-28", None)));
    let refused = Err("agreements.refused.in_force");
    for (events, on, expected) in [
        (vec![], "2026-03-01", Ok((day("2026-03-01"), None))),
        (vec![one()], "2026-03-02", refused),
        (vec![one()], "2027-01-28", refused),
        (vec![one()], "2027-01-29", Ok((day("2027-03-01"), Some(id(100))))),
        (vec![one()], "2027-02-28", Ok((day("2027-03-01"), Some(id(100))))),
        // What ran out is renewed from the day of the signature, however late.
        (vec![one()], "2027-03-01", Ok((day("2027-03-01"), Some(id(100))))),
        (vec![one()], "2028-03-01", Ok((day("2028-03-01"), Some(id(100))))),
        // Whoever ended it signs anew.
        (vec![one(), event(2, ended(100, "2026-09-10"))], "2026-09-10", Ok((day("2026-09-10"), None))),
        (vec![one(), event(2, ended(100, "2026-09-10"))], "2026-09-09", refused),
        // On the day before the first one nobody signs another.
        (vec![one()], "2026-02-28", refused),
        (
            vec![
                one(),
                event(3, what_signed(signed(101, "2027-02-01", "2027-03-01", "2028-02-29", Some(id(100))))),
            ],
            "2027-02-10",
            refused,
        ),
    ] {
        let found = begins(&folder(events), day(on), REMIND).map_err(|refusal| refusal.key);
        assert_eq!(found, expected, "{on}");
    }
}

#[test]
fn a_renewal_is_seen_on_the_one_before_and_what_was_taken_back_is_gone() {
    let first = what_signed(signed(100, "2026-03-01", "2026-03-01", "2027-02-28", None));
    let second = what_signed(signed(101, "2027-02-01", "2027-03-01", "2028-02-29", Some(id(100))));
    let both = folder(vec![event(1, first.clone()), event(2, second.clone())]);
    assert_eq!(both.agreement(id(100)).and_then(|one| one.renewed_on), Some(day("2027-02-01")));
    assert_eq!(both.held_on(day("2027-02-28")).map(|one| one.id), Some(id(100)));
    assert_eq!(both.held_on(day("2027-03-01")).map(|one| one.id), Some(id(101)));
    assert_eq!(both.held_on(day("2028-03-01")), None, "nothing renews itself");
    let undone =
        What::Undone(Undone { fact: id(2), on: day("2027-02-01"), by: String::new(), sensitive: false });
    let back = folder(vec![event(1, first), event(2, second), event(3, undone)]);
    assert_eq!(back.agreements.len(), 1);
    assert_eq!(back.agreement(id(100)).and_then(|one| one.renewed_on), None);
}

#[test]
fn it_ends_between_its_signature_and_its_last_day() {
    let one =
        folder(vec![event(1, what_signed(signed(100, "2026-03-01", "2026-03-01", "2027-02-28", None)))]);
    let one = one.agreement(id(100)).expect("one");
    let today = day("2026-11-20");
    for (on, today, expected) in [
        ("2026-02-28", today, Err("agreements.refused.end_before")),
        ("2026-03-01", today, Ok(())),
        ("2026-11-20", today, Ok(())),
        ("2026-11-21", today, Err("agreements.refused.future")),
        ("2027-02-28", day("2027-06-01"), Ok(())),
        ("2027-03-01", day("2027-06-01"), Err("agreements.refused.expired")),
    ] {
        let found = check_end(one, day(on), today).map_err(|refusal| refusal.key);
        assert_eq!(found, expected, "{on}");
    }
    let over = folder(vec![
        event(1, what_signed(signed(100, "2026-03-01", "2026-03-01", "2027-02-28", None))),
        event(2, ended(100, "2026-09-10")),
    ]);
    let over = over.agreement(id(100)).expect("one");
    let found = check_end(over, day("2026-10-01"), today).map_err(|refusal| refusal.key);
    assert_eq!(found, Err("agreements.refused.ended"));
    assert_eq!(over.last_day(), Some(day("2026-09-09")));
    let never: Option<Day> = over.last_day().filter(|last| *last > day("2026-09-09"));
    assert_eq!(never, None);
}
