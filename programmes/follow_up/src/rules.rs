//! What follows from the tables of the pack: who belongs, what a visit comes to, what is due and by when. Pure: every
//! rate, limit and deadline is the table's.

use kangmai_base::{Day, Refusal, Sex, Uuid};
use kangmai_policy::Icd10;
use kangmai_policy::follow_up::{
    Action, Anchor, Answer, Answers, Classified, Condition, FollowUpRules, Measure, Patient, Window,
};

use crate::chart::{Chart, Managed};
use crate::facts::{
    Basis, Due, DueWhy, Enrolled, Found, Grade, Happened, Happening, Opinion, Satisfaction, Way,
};

/// Months of a year.
const MONTHS: i32 = 12;
/// The level from which a disease shows to treating staff alone (GB/T 39725-2020).
pub const SECRET_LEVEL: u8 = 5;

/// What of a person the rules ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Who {
    /// Birth date.
    pub birth: Option<Day>,
    /// Sex.
    pub sex: Option<Sex>,
}

impl Who {
    /// Completed years on `day`.
    pub fn age_on(&self, day: Day) -> Option<u8> {
        self.birth.and_then(|birth| u8::try_from(day.age_of(birth)).ok())
    }
}

/// A diagnosis as far as the tables ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ill {
    /// Its code.
    pub code: Icd10,
    /// Whether the lists of the place call it level 5.
    pub sensitive: bool,
    /// The day of the diagnosis.
    pub since: Day,
    /// The day from which it no longer holds: cured, or struck off the list.
    pub ended: Option<Day>,
}

/// Whether a visit is classified: a table without rows asks for a check and no more.
pub fn classifies(rules: &FollowUpRules) -> bool {
    !rules.states.is_empty()
}

/// Whether every visit asks the table: it classifies, or its visits count from a birth or a pregnancy. Any other is a check that
/// somebody does once a year.
pub fn is_always_asked(rules: &FollowUpRules) -> bool {
    classifies(rules) || rules.windows.iter().any(|window| window.anchor.is_of_a_life())
}

/// Whether an opinion can be kept: who is not satisfied says with what.
///
/// # Errors
/// The refusal that says it lacks that.
pub fn check_opinion(opinion: Option<&Opinion>) -> Result<(), Refusal> {
    let lacks = |one: &Opinion| one.satisfied == Satisfaction::Dissatisfied && one.why.trim().is_empty();
    match opinion {
        Some(one) if lacks(one) => Err(Refusal::new("follow_up.refused.opinion").at("opinion_why")),
        _ => Ok(()),
    }
}

/// Whether somebody with these diagnoses belongs on `day`: then why, and whether it is of level 5. A table of the cured asks the
/// diagnoses that ended by then, any other those in force. Where a pregnancy must have begun, somebody takes them in by hand.
pub fn belongs(rules: &FollowUpRules, who: &Who, ill: &[Ill], day: Day) -> Option<(Basis, bool)> {
    let of_cured = rules.belongs.since == Some(Anchor::Cure);
    let counts = |one: &&Ill| one.ended.is_some_and(|ended| ended <= day) == of_cured;
    let ill: Vec<&Ill> = ill.iter().filter(counts).collect();
    let codes: Vec<Icd10> = ill.iter().map(|one| one.code).collect();
    let began: &[Anchor] = if of_cured && !codes.is_empty() { &[Anchor::Cure] } else { &[] };
    if !rules.belongs(&codes, who.age_on(day), who.sex, began) {
        return None;
    }
    if rules.belongs.icd10.is_empty() {
        return Some((Basis::Age, rules.sensitive >= SECRET_LEVEL));
    }
    let by = ill.iter().filter(|one| rules.belongs.icd10.iter().any(|range| range.contains(one.code)));
    let is_secret = rules.sensitive >= SECRET_LEVEL || by.into_iter().any(|one| one.sensitive);
    Some((Basis::Diagnosis, is_secret))
}

/// An enrolment that begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beginning {
    /// On which day.
    pub on: Day,
    /// When a notice from above came.
    pub noticed_on: Option<Day>,
    /// The first day of the last period before a pregnancy.
    pub began_on: Option<Day>,
}

impl Beginning {
    /// On a day, and nothing before it.
    pub const fn on(on: Day) -> Beginning {
        Beginning { on, noticed_on: None, began_on: None }
    }
}

/// An enrolment, with what is due from the beginning.
pub fn enrolled(
    rules: &FollowUpRules,
    who: &Who,
    (enrolment, law): (Uuid, &str),
    beginning: Beginning,
    (basis, sensitive): (Basis, bool),
) -> Enrolled {
    let Beginning { on, noticed_on, began_on } = beginning;
    let body = Enrolled {
        enrolment,
        programme: rules.programme.clone(),
        on,
        noticed_on,
        began_on,
        basis,
        due: Vec::new(),
        reason: String::new(),
        by: String::new(),
        law: law.to_owned(),
        sensitive,
    };
    let mut due = Vec::new();
    if rules.visits_per_year > 0 {
        let until = on.plus_months(MONTHS / i32::from(rules.visits_per_year));
        due.push(Due { why: DueWhy::First, window: None, from: Some(on), until });
    }
    due.extend(rules.windows.iter().filter_map(|window| window_due(window, &body, &[])));
    let managed = Managed::begun(body);
    due.extend(Row::of(rules, &managed, who, (on, on)).waiting_on(on, &[]));
    Enrolled { due, ..managed.body }
}

/// What is due from the day of something that happened, which `managed` knows already, by all that is known to have happened.
pub fn due_after(
    rules: &FollowUpRules,
    chart: &Chart,
    managed: &Managed,
    who: &Who,
    one: &Happened,
) -> Vec<Due> {
    // A visit on the day of a delivery was before it.
    let before = one.on.plus_days(i32::from(one.what == Happening::Delivery));
    let earlier: Vec<&Found> = chart.found_under(managed, Some(before)).map(|(_, found)| found).collect();
    let done: Vec<&str> = earlier.iter().filter_map(|found| found.window.as_deref()).collect();
    let left = earlier.first().map_or(&managed.body.due, |found| &found.due);
    let is_of_the_row = |due: &&Due| {
        let window = due.window.as_ref().and_then(|id| rules.windows.iter().find(|one| one.id == *id));
        window.is_some_and(|window| window.anchor.is_of_a_life())
    };
    let others = left.iter().filter(|due| !is_of_the_row(due)).cloned();
    let latest = managed.happened.iter().map(|one| one.on).max().unwrap_or(one.on);
    others.chain(Row::of(rules, managed, who, (latest, latest)).waiting_on(one.on, &done)).collect()
}

/// The visits of a table that count from a birth or a pregnancy, each to be made once, by the day on which they open.
struct Row<'r>(Vec<(&'r Window, kangmai_policy::follow_up::Due)>);

impl<'r> Row<'r> {
    /// As it stands: deliveries until one day and discharges until another count, later ones move nothing yet. A delivery ends the
    /// visits of the pregnancy.
    fn of(
        rules: &'r FollowUpRules,
        managed: &Managed,
        who: &Who,
        (delivered, discharged): (Day, Day),
    ) -> Row<'r> {
        let happened = |what, until| managed.happened.iter().find(|one| one.what == what && one.on <= until);
        let delivery = happened(Happening::Delivery, delivered);
        let discharge = happened(Happening::Discharge, discharged);
        let anchor = |window: &Window| match window.anchor {
            Anchor::Birth => who.birth,
            Anchor::BirthDischarge => discharge.map(|one| one.on).or(who.birth),
            Anchor::Pregnancy if delivery.is_none() => managed.body.began_on,
            Anchor::Delivery => delivery.map(|one| one.on),
            Anchor::DeliveryDischarge => delivery.map(|one| discharge.map_or(one.on, |home| home.on)),
            _ => None,
        };
        let mut row: Vec<_> =
            rules.windows.iter().filter_map(|window| Some((window, window.due(anchor(window)?)))).collect();
        row.sort_by_key(|(_, due)| due.from);
        Row(row)
    }

    /// Which visit one on `on` made this way is: the last that has opened, unless it was made or is not made so. And the one to be
    /// made after it: earlier ones are not made up for.
    fn with(&self, (on, way): (Day, Way), done: &[&str]) -> (Option<&'r Window>, Option<Due>) {
        let opened = self.0.iter().rev().find(|(_, due)| due.from <= on);
        let next = self.0.iter().find(|(_, due)| due.from > on);
        let Some((window, _)) = opened.filter(|(window, _)| !done.contains(&&*window.id)) else {
            return (None, next.map(row_due));
        };
        if window.is_made_by(way.key()) {
            (Some(*window), next.map(row_due))
        } else {
            (None, opened.map(row_due))
        }
    }

    /// The visit to be made from `on` by who was not visited then: the first that is not late yet.
    fn waiting_on(&self, on: Day, done: &[&str]) -> Option<Due> {
        let waits = |(window, due): &&(&Window, _)| {
            let due: &kangmai_policy::follow_up::Due = due;
            due.until >= on && !done.contains(&&*window.id)
        };
        self.0.iter().find(waits).map(row_due)
    }
}

fn row_due((window, due): &(&Window, kangmai_policy::follow_up::Due)) -> Due {
    Due { why: DueWhy::Window, window: Some(window.id.clone()), from: Some(due.from), until: due.until }
}

/// When a window that is no visit of a [`Row`] is due for somebody enrolled so, who had the visit of this window on the days
/// `done`; none when it is done.
fn window_due(window: &Window, enrolled: &Enrolled, done: &[Day]) -> Option<Due> {
    let last = done.iter().max().copied();
    let anchor = match window.anchor {
        Anchor::Year => {
            let year = last.map_or(enrolled.on.year(), |last| last.year() + 1);
            Day::from_ymd(year, 1, 1)?
        }
        Anchor::Notice | Anchor::Joined if last.is_some() => return None,
        Anchor::Notice => enrolled.noticed_on.unwrap_or(enrolled.on),
        Anchor::Joined => enrolled.on,
        Anchor::LastOfKind => last.unwrap_or(enrolled.on),
        _ => return None,
    };
    Some(row_due(&(window, window.due(anchor))))
}

/// What can happen in the course of a management under this table, and moves its visits.
pub fn may_happen(rules: &FollowUpRules) -> Vec<Happening> {
    let counts = |anchors: &[Anchor]| rules.windows.iter().any(|window| anchors.contains(&window.anchor));
    let mut all = Vec::new();
    if counts(&[Anchor::Delivery, Anchor::DeliveryDischarge]) {
        all.push(Happening::Delivery);
    }
    if counts(&[Anchor::DeliveryDischarge, Anchor::BirthDischarge]) {
        all.push(Happening::Discharge);
    }
    all
}

/// The window whose visits in vain have become so many that they are reported upwards, and nobody did: of whom nobody was
/// seen since, with the number of visits.
pub fn to_report<'r>(
    rules: &'r FollowUpRules,
    chart: &Chart,
    managed: &Managed,
) -> Option<(&'r Window, usize)> {
    let since = managed.body.noticed_on.unwrap_or(managed.body.on);
    let due = chart.standing(managed).due;
    let waits = |window: &&Window| due.iter().any(|due| due.window.as_ref() == Some(&window.id));
    let window = rules.windows.iter().filter(|window| window.report_after.is_some()).find(waits)?;
    let missed = chart.in_vain_since(since);
    let is_reported = managed.reported_on.is_some_and(|on| on >= since);
    (!is_reported && missed >= usize::from(window.report_after?)).then_some((window, missed))
}

/// A visit as it is judged.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'v> {
    /// On which day.
    pub on: Day,
    /// How.
    pub way: Way,
    /// The answers.
    pub answers: &'v Answers,
    /// The visits with a time of their own that it was.
    pub windows: &'v [String],
}

/// What a visit comes to in one programme; `chart` may hold it already, or later ones.
pub fn found(rules: &FollowUpRules, managed: &Managed, chart: &Chart, who: &Who, visit: Judged<'_>) -> Found {
    let earlier = || chart.found_under(managed, Some(visit.on));
    let before = earlier().map(|(_, found)| found).find(|found| found.state.is_some());
    let patient = Patient {
        age: who.age_on(visit.on),
        sex: who.sex,
        last: before.and_then(|found| found.state.as_deref()),
    };
    let state = match rules.classify(visit.answers, &patient) {
        Classified::As(state) => Some(state),
        Classified::Incomplete(_) | Classified::Open => None,
    };
    let counted = counted(rules);
    let runs_on =
        before.filter(|found| found.state.as_ref().is_some_and(|state| counted.contains(&&**state)));
    let running = match state {
        Some(state) if counted.contains(&&*state.id) => runs_on.map_or(0, |found| found.running) + 1,
        _ => 0,
    };
    let mut due = Vec::new();
    if let Some(state) = state {
        let is_referred = matches!(state.action, Action::Refer | Action::ReferNow);
        let why = if is_referred { DueWhy::Referral } else { DueWhy::Visit };
        due.push(Due { why, window: None, from: None, until: state.next.after(visit.on) });
    } else {
        let left = earlier().next().map_or(&managed.body.due, |(_, found)| &found.due);
        due.extend(left.iter().filter(|due| due.why != DueWhy::Window).cloned());
    }
    for window in rules.windows.iter().filter(|window| !window.anchor.is_of_a_life()) {
        let counts_from_one = matches!(window.anchor, Anchor::Notice | Anchor::Joined);
        let is_it = |(way, windows): (Way, &[String])| {
            (counts_from_one || windows.contains(&window.id)) && window.is_made_by(way.key())
        };
        let mut done: Vec<Day> = earlier()
            .filter(|(visit, _)| is_it((visit.body.way, &visit.body.windows)))
            .map(|(visit, _)| visit.body.on)
            .collect();
        if is_it((visit.way, visit.windows)) {
            done.push(visit.on);
        }
        due.extend(window_due(window, &managed.body, &done));
    }
    // A visit on the day of a delivery was before it; one on the day of a discharge after it.
    let row = Row::of(rules, managed, who, (visit.on.plus_days(-1), visit.on));
    let done: Vec<&str> = earlier().filter_map(|(_, found)| found.window.as_deref()).collect();
    let (made, next) = row.with((visit.on, visit.way), &done);
    due.extend(next);
    due.sort_by_key(|due| (due.until, due.why));
    Found {
        programme: rules.programme.clone(),
        grade: state.map_or(Grade::Steady, |state| grade_of(state.action)),
        at_target: state.map(|state| state.at_target),
        state: state.map(|state| state.id.clone()),
        running,
        figures: figures(rules, visit.answers),
        due,
        sensitive: managed.body.sensitive,
        window: made.map(|window| window.id.clone()),
    }
}

const fn grade_of(action: Action) -> Grade {
    match action {
        Action::Continue => Grade::Steady,
        Action::Adjust => Grade::Adjust,
        Action::Refer | Action::Report => Grade::Refer,
        Action::ReferNow => Grade::Danger,
    }
}

/// The states that the table asks the visit before for: two of them running are "twice running".
fn counted(rules: &FollowUpRules) -> Vec<&str> {
    fn walk<'c>(condition: &'c Condition, found: &mut Vec<&'c str>) {
        match condition {
            Condition::Last(states) => found.extend(states.iter().map(String::as_str)),
            Condition::All(parts) | Condition::Any(parts) => parts.iter().for_each(|part| walk(part, found)),
            Condition::Not(part) => walk(part, found),
            _ => {}
        }
    }
    let mut found = Vec::new();
    rules.states.iter().for_each(|state| walk(&state.when, &mut found));
    found
}

/// The numbers that rows of the table ask, as lists show them, in the order of the sheet: `168/98 9.1`.
fn figures(rules: &FollowUpRules, answers: &Answers) -> String {
    let mut text = String::new();
    let mut upper = None;
    for ask in &rules.asks {
        let Some(Answer::Number(number)) = answers.get(&ask.item.id) else { continue };
        if !rules.states.iter().any(|state| asks_for(&state.when, &ask.item.id)) {
            continue;
        }
        // A pressure is written upper/lower: an item that lies below the one before it belongs to it.
        let joined = ask.item.checks.below.is_some() && ask.item.checks.below == upper;
        if !text.is_empty() {
            text.push(if joined { '/' } else { ' ' });
        }
        text.push_str(&number.to_string());
        upper = Some(ask.item.id.clone());
    }
    text
}

fn asks_for(condition: &Condition, wanted: &str) -> bool {
    match condition {
        Condition::Number { item, .. } => item == wanted,
        Condition::All(parts) | Condition::Any(parts) => parts.iter().any(|part| asks_for(part, wanted)),
        Condition::Not(part) => asks_for(part, wanted),
        _ => false,
    }
}

/// One reason why a row of the table holds: what was answered for an item, and the limit it met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Because {
    /// Which item.
    pub item: String,
    /// The number and the limit; none where options decide.
    pub number: Option<(Measure, Measure)>,
    /// The options that decide.
    pub options: Vec<String>,
}

/// What of the answers makes a row hold, each item once.
pub fn because(condition: &Condition, answers: &Answers, patient: &Patient<'_>) -> Vec<Because> {
    fn walk(condition: &Condition, answers: &Answers, patient: &Patient<'_>, found: &mut Vec<Because>) {
        if condition.holds(answers, patient, &mut Vec::new()) != Some(true) {
            return;
        }
        match condition {
            Condition::Number { item, limit, .. } => {
                if let Some(Answer::Number(number)) = answers.get(item)
                    && !found.iter().any(|one| one.item == *item)
                {
                    let number = Some((*number, *limit));
                    found.push(Because { item: item.clone(), number, options: Vec::new() });
                }
            }
            Condition::AnyOf { item, options } => {
                if let Some(Answer::Chosen(chosen)) = answers.get(item) {
                    let options = chosen.iter().filter(|one| options.contains(one)).cloned().collect();
                    found.push(Because { item: item.clone(), number: None, options });
                }
            }
            Condition::All(parts) | Condition::Any(parts) => {
                parts.iter().for_each(|part| walk(part, answers, patient, found));
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(condition, answers, patient, &mut found);
    found
}

/// The answers as the items of `rules` read them; one that its item refuses is not there.
pub fn read_answers<'r>(
    rules: impl IntoIterator<Item = &'r FollowUpRules>,
    written: &std::collections::BTreeMap<String, Vec<String>>,
) -> Answers {
    let mut answers = Answers::new();
    for ask in rules.into_iter().flat_map(|rules| &rules.asks) {
        let Some(texts) = written.get(&ask.item.id) else { continue };
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        if let Ok(answer) = ask.item.answer(&texts) {
            answers.insert(ask.item.id.clone(), answer);
        }
    }
    answers
}
