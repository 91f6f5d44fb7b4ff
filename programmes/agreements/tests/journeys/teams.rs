//! Who joins a team and who leaves it.

use kangmai_agreements::facts::{Member, TeamKept};
use kangmai_agreements::rules::check_team;
use kangmai_agreements::teamwork::{joined, left};

use super::{day, id};

fn member(number: u128, leads: bool) -> Member {
    Member {
        member: id(number),
        account: Some(id(number + 1_000)),
        name: format!("示例{number}"),
        role: "village_doctor".into(),
        phone: String::new(),
        leads,
        from: day("2026-01-01"),
        until: None,
    }
}

fn team() -> TeamKept {
    TeamKept {
        team: id(1),
        name: "示例团队".into(),
        phone: String::new(),
        area: Vec::new(),
        from: day("2026-01-01"),
        members: vec![member(10, true)],
        closed_on: None,
        by: String::new(),
    }
}

#[test]
fn one_leads_and_stays_until_another_does() {
    let refused = |team: Result<TeamKept, kangmai_base::Refusal>| team.err().map(|refusal| refusal.key);
    assert_eq!(refused(left(&team(), id(10), day("2026-06-30"))), Some("agreements.refused.leader_leaves"));
    let two = joined(&team(), member(11, true), true).expect("joined");
    assert_eq!(two.members.iter().filter(|one| one.leads).count(), 1, "one leads");
    let one = left(&two, id(10), day("2026-06-30")).expect("left");
    assert_eq!(one.members.len(), 2, "who left is still told");
    assert_eq!(refused(left(&one, id(10), day("2026-07-30"))), Some("agreements.refused.not_a_member"));
    assert_eq!(refused(left(&two, id(10), day("2025-06-30"))), Some("agreements.refused.member_before"));
    assert_eq!(refused(joined(&team(), member(11, true), false)), Some("agreements.refused.may_not_lead"));
    assert_eq!(refused(joined(&team(), member(10, false), true)), Some("agreements.refused.member_twice"));
    let nameless = Member { name: String::new(), ..member(12, false) };
    assert_eq!(refused(joined(&team(), nameless, true)), Some("agreements.refused.member_name"));
    let early = Member { from: day("2025-12-31"), ..member(12, false) };
    assert_eq!(refused(joined(&team(), early, true)), Some("agreements.refused.member_before"));
    // Who left comes back as somebody new.
    let back = Member { from: day("2026-07-01"), member: id(20), ..member(10, false) };
    assert!(joined(&one, back, true).is_ok());
}

#[test]
fn a_team_signs_while_it_works_and_somebody_leads() {
    let refused = |team: &TeamKept, on: &str| check_team(team, day(on)).err().map(|refusal| refusal.key);
    assert_eq!(refused(&team(), "2026-01-01"), None);
    assert_eq!(refused(&team(), "2025-12-31"), Some("agreements.refused.team_closed"));
    let closed = TeamKept { closed_on: Some(day("2026-06-01")), ..team() };
    assert_eq!(refused(&closed, "2026-05-31"), None);
    assert_eq!(refused(&closed, "2026-06-01"), Some("agreements.refused.team_closed"));
    let led = TeamKept { members: vec![member(10, false)], ..team() };
    assert_eq!(refused(&led, "2026-01-01"), Some("agreements.refused.no_leader"));
    let gone =
        TeamKept { members: vec![Member { until: Some(day("2026-03-31")), ..member(10, true) }], ..team() };
    assert_eq!(refused(&gone, "2026-03-31"), None);
    assert_eq!(refused(&gone, "2026-04-01"), Some("agreements.refused.no_leader"));
}
