//! Who is managed, and visits of the last year: most on time, some let slip, one in danger. Every one is marked as a sample.

use std::collections::BTreeMap;

use kangmai_base::{Day, Id, Moment, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_follow_up::act::{Draft, Hand, Writing};
use kangmai_follow_up::facts::{DueWhy, Opinion, Satisfaction, Way};
use kangmai_follow_up::store::{Someone, people_after};
use kangmai_follow_up::{enrol_all, rules};
use kangmai_people::find_person;
use kangmai_policy::follow_up::{Anchor, FollowUpRules, ItemKind, sheet};
use kangmai_programme::App;

use super::Draw;

/// People that one transaction takes.
const AT_ONCE: i64 = 1_000;
/// How long ago most were taken into management, in days.
const LONGEST_AGO: i32 = 330;
/// Visits of one person at most.
const MOST_VISITS: usize = 4;
/// Of a thousand patients so many were let slip after a visit or two.
const LET_SLIP: u32 = 160;
/// Of a thousand so many had the yearly check.
const CHECKED: u32 = 800;
/// Of a thousand so many are well controlled, and what their pressure is about.
const WELL: u32 = 720;
const WELL_PRESSURE: i32 = 120;
/// The least days from one visit to the next.
const LEAST_DAYS: i32 = 70;
/// What says that a visit is a sample.
const SAMPLE: &str = "示例";

/// Takes everybody into management who belongs, and writes down how they were visited until `today`.
///
/// # Errors
/// When the database fails.
pub fn take_visits(app: &App, seed: u64, today: Day) -> Result<(), DatabaseError> {
    let (mut after, mut draw) = (Uuid::nil(), Draw::new(seed ^ 0x7669_7369));
    let mut endangered = Endangered::default();
    loop {
        let inside = app.clone();
        let (last, drawn, given) = app.database.write_blocking(move |tx| {
            let people = people_after(tx, after, today, AT_ONCE)?;
            let mut facts = Vec::new();
            for one in people.iter().filter(|one| !one.ill.is_empty()) {
                facts.extend(history(tx, &inside, &mut draw, &mut endangered, one, today)?);
            }
            inside.record.append(tx, inside.clock.now(), facts)?;
            Ok::<_, DatabaseError>((people.last().map(|last| last.person), draw, endangered))
        })?;
        (draw, endangered) = (drawn, given);
        match last {
            Some(last) => after = last,
            None => break,
        }
    }
    enrol_all(app, today, |_| {}).map(|_| ())
}

/// The village whose first patient is in danger: that of the demonstration's doctor, the first of all.
#[derive(Default)]
struct Endangered(bool);

/// How one person was visited.
fn history(
    tx: &mut Transaction<'_>,
    app: &App,
    draw: &mut Draw,
    endangered: &mut Endangered,
    one: &Someone,
    today: Day,
) -> Result<Vec<kangmai_record::NewFact>, DatabaseError> {
    let Some(person) = find_person(tx, Id::from_uuid(one.person))? else { return Ok(Vec::new()) };
    let since = one.ill.iter().map(|ill| ill.since).max().unwrap_or(today);
    let from = since.max(today.plus_days(-LONGEST_AGO + draw.between(0, 60)));
    let mint = || app.mint();
    let hand = |on: Day| {
        let now = Moment::start_of(on).plus_seconds(10 * 3_600);
        Hand { author: Uuid::nil(), by: SAMPLE.to_owned(), now, recorded_at: now }
    };
    let mut writing = Writing::new(&app.policies, &person, Vec::new(), &mint);
    writing.enrol_who_belongs(&hand(from), &one.ill, from)?;
    let managed: Vec<String> = writing.chart.open().map(|open| open.body.programme.clone()).collect();
    let all: Vec<&FollowUpRules> =
        managed.iter().filter_map(|programme| app.policies.follow_up(programme, one.home, from)).collect();
    let rules: Vec<&FollowUpRules> = all.iter().copied().filter(|rules| rules::classifies(rules)).collect();
    if rules.is_empty() {
        return Ok(writing.into_facts());
    }
    // Most are well controlled.
    let usual = if draw.chance(WELL) { draw.between(112, 130) } else { draw.between(132, 158) };
    let body = (usual, draw.between(48, 79));
    let is_let_slip = draw.chance(LET_SLIP);
    let stops_after = if is_let_slip { draw.between(1, 2).unsigned_abs() as usize } else { MOST_VISITS };
    let mut on = from.plus_days(draw.between(3, 20));
    for turn in 0..stops_after {
        if on > today {
            break;
        }
        // Most had the yearly check with the first visit.
        let asked = if turn == 0 && draw.chance(CHECKED) { &all } else { &rules };
        let answers = answers(draw, asked, body);
        let mut draft = draft(app, asked, on, answers);
        if asked.len() == all.len() && turn == 0 {
            draft.windows = windows(&all);
        }
        visit(&mut writing, &hand(on), draft)?;
        on = on.plus_days(draw.between(LEAST_DAYS, 92));
    }
    if !is_let_slip && next(&writing).is_some_and(|due| due < today) {
        let day = today.plus_days(-draw.between(0, 6));
        let answers = answers(draw, &rules, (WELL_PRESSURE, body.1));
        visit(&mut writing, &hand(day), draft(app, &rules, day, answers))?;
    }
    let is_measured = rules.iter().any(|rules| rules.asks.iter().any(|ask| ask.item.id == "systolic"));
    let free = writing.chart.visits.last().is_none_or(|last| last.body.on < today.plus_days(-3));
    if is_measured && free && from < today.plus_days(-3) && (!endangered.0 || draw.chance(3)) {
        endangered.0 = true;
        let mut answers = answers(draw, &rules, body);
        answers.insert("systolic".to_owned(), vec![draw.between(184, 202).to_string()]);
        answers.insert("diastolic".to_owned(), vec![draw.between(104, 118).to_string()]);
        let day = today.plus_days(-draw.between(1, 2));
        visit(&mut writing, &hand(day), draft(app, &rules, day, answers))?;
    }
    Ok(writing.into_facts())
}

/// The windows of the year that these tables have.
fn windows(rules: &[&FollowUpRules]) -> Vec<String> {
    let windows =
        rules.iter().flat_map(|rules| &rules.windows).filter(|window| window.anchor == Anchor::Year);
    let mut ids: Vec<String> = windows.map(|window| window.id.clone()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// By when the next visit is due, the yearly check aside.
fn next(writing: &Writing<'_>) -> Option<Day> {
    let due = writing.chart.open().flat_map(|open| writing.chart.standing(open).due);
    due.filter(|due| due.why != DueWhy::Window).map(|due| due.until).min()
}

/// A refusal is no fault here: a visit that the rules forbid on its day simply was not made.
fn visit(writing: &mut Writing<'_>, hand: &Hand, draft: Draft) -> Result<(), DatabaseError> {
    writing.visit(hand, &draft).map(|_| ())
}

/// One visit of three asks how satisfied the person is.
fn opinion(on: Day) -> Option<Opinion> {
    let (satisfied, why) = match on.0.rem_euclid(30) {
        0 => (Satisfaction::Dissatisfied, "示例：等得太久"),
        3 | 6 => (Satisfaction::Fair, ""),
        day if day % 3 == 0 => (Satisfaction::Satisfied, ""),
        _ => return None,
    };
    Some(Opinion { satisfied, why: why.to_owned() })
}

fn draft(app: &App, rules: &[&FollowUpRules], on: Day, answers: BTreeMap<String, Vec<String>>) -> Draft {
    Draft {
        visit: app.mint(),
        on,
        way: Way::Home,
        answers,
        windows: Vec::new(),
        programmes: rules.iter().map(|rules| rules.programme.clone()).collect(),
        agreed_on: None,
        note: SAMPLE.to_owned(),
        opinion: opinion(on),
        reason: String::new(),
    }
}

/// What is answered: mostly nothing amiss.
fn answers(
    draw: &mut Draw,
    rules: &[&FollowUpRules],
    (pressure, weight): (i32, i32),
) -> BTreeMap<String, Vec<String>> {
    let systolic = pressure + draw.between(-12, 12);
    let mut answers = BTreeMap::new();
    for ask in sheet(rules.iter().copied()) {
        let item = &ask.item;
        let text = match (&item.kind, item.id.as_str()) {
            (ItemKind::Number { .. }, "systolic") => systolic.to_string(),
            (ItemKind::Number { .. }, "diastolic") => (systolic * 3 / 5 - draw.between(0, 6)).to_string(),
            (ItemKind::Number { .. }, "fasting_glucose") => {
                let tenths = draw.between(52, 88);
                format!("{}.{}", tenths / 10, tenths % 10)
            }
            (ItemKind::Number { .. }, "heart_rate") => draw.between(62, 88).to_string(),
            (ItemKind::Number { .. }, "weight") => (weight + draw.between(-1, 1)).to_string(),
            (ItemKind::Number { .. }, "danger_level" | "self_care") => "0".to_owned(),
            (ItemKind::Words, "medicines") => "氨氯地平片 5mg 每日1次".to_owned(),
            (ItemKind::One(_), "supervisor") => "family".to_owned(),
            (ItemKind::One(_), "tuberculosis_phase") => "continuation".to_owned(),
            (ItemKind::One(options), "adherence") if draw.chance(150) => match options.get(1) {
                Some(option) => option.id.clone(),
                None => continue,
            },
            (ItemKind::One(options) | ItemKind::Several(options), _) if ask.required => match options.first()
            {
                Some(option) => option.id.clone(),
                None => continue,
            },
            _ => continue,
        };
        answers.insert(item.id.clone(), vec![text]);
    }
    answers
}
