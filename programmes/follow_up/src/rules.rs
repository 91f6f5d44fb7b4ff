//! What follows from the tables of the pack: who belongs, what a visit comes to, what is due and by when. Pure: every
//! rate, limit and deadline is the table's.

use kangmai_base::{Day, Refusal, Sex, Uuid};
use kangmai_policy::Icd10;
use kangmai_policy::follow_up::{
    Action, Anchor, Answer, Answers, Classified, Condition, FollowUpRules, Measure, Patient, Window,
};

use crate::chart::{Chart, Managed};
use crate::facts::{Basis, Due, DueWhy, Enrolled, Found, Grade, Opinion, Satisfaction};

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

/// Whether this programme can tell when visits of a table are due: those that count from a birth or a pregnancy come with
/// what mothers and children need.
pub fn is_managed_here(rules: &FollowUpRules) -> bool {
    let known = |window: &Window| {
        matches!(window.anchor, Anchor::Year | Anchor::Notice | Anchor::Joined | Anchor::LastOfKind)
    };
    matches!(rules.belongs.since, None | Some(Anchor::Cure)) && rules.windows.iter().all(known)
}

/// Whether a visit is classified: a table without rows asks for a check and no more.
pub fn classifies(rules: &FollowUpRules) -> bool {
    !rules.states.is_empty()
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
/// diagnoses that ended by then, any other those in force.
pub fn belongs(rules: &FollowUpRules, who: &Who, ill: &[Ill], day: Day) -> Option<(Basis, bool)> {
    let of_cured = rules.belongs.since == Some(Anchor::Cure);
    let counts = |one: &&Ill| one.ended.is_some_and(|ended| ended <= day) == of_cured;
    let ill: Vec<&Ill> = ill.iter().filter(counts).collect();
    let codes: Vec<Icd10> = ill.iter().map(|one| one.code).collect();
    let began: &[Anchor] = if of_cured && !codes.is_empty() { &[Anchor::Cure] } else { &[] };
    if !is_managed_here(rules) || !rules.belongs(&codes, who.age_on(day), who.sex, began) {
        return None;
    }
    if rules.belongs.icd10.is_empty() {
        return Some((Basis::Age, rules.sensitive >= SECRET_LEVEL));
    }
    let by = ill.iter().filter(|one| rules.belongs.icd10.iter().any(|range| range.contains(one.code)));
    let is_secret = rules.sensitive >= SECRET_LEVEL || by.into_iter().any(|one| one.sensitive);
    Some((Basis::Diagnosis, is_secret))
}

/// An enrolment on `on`, with what is due from the beginning.
pub fn enrolled(
    rules: &FollowUpRules,
    (enrolment, law): (Uuid, &str),
    (on, noticed_on): (Day, Option<Day>),
    (basis, sensitive): (Basis, bool),
) -> Enrolled {
    let mut body = Enrolled {
        enrolment,
        programme: rules.programme.clone(),
        on,
        noticed_on,
        basis,
        due: Vec::new(),
        reason: String::new(),
        by: String::new(),
        law: law.to_owned(),
        sensitive,
    };
    if rules.visits_per_year > 0 {
        let until = on.plus_months(MONTHS / i32::from(rules.visits_per_year));
        body.due.push(Due { why: DueWhy::First, window: None, from: Some(on), until });
    }
    let windows = rules.windows.iter().filter_map(|window| window_due(window, &body, &[]));
    let windows: Vec<Due> = windows.collect();
    body.due.extend(windows);
    body
}

/// When a window is due for somebody enrolled so, who had the visit of this window on the days `done`; none when it is done.
fn window_due(window: &Window, enrolled: &Enrolled, done: &[Day]) -> Option<Due> {
    let last = done.iter().max().copied();
    let anchor = match window.anchor {
        Anchor::Year => {
            let year = last.map_or(enrolled.on.year(), |last| last.year() + 1);
            Day::from_ymd(year, 1, 1)?
        }
        Anchor::Notice | Anchor::Joined if last.is_some() => return None,
        Anchor::Notice => enrolled.noticed_on.unwrap_or(enrolled.on),
        Anchor::LastOfKind => last.unwrap_or(enrolled.on),
        _ => enrolled.on,
    };
    let due = window.due(anchor);
    Some(Due { why: DueWhy::Window, window: Some(window.id.clone()), from: Some(due.from), until: due.until })
}

/// A visit as it is judged.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'v> {
    /// On which day.
    pub on: Day,
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
    for window in &rules.windows {
        let is_it = |windows: &[String]| windows.contains(&window.id);
        let counts_from_one = matches!(window.anchor, Anchor::Notice | Anchor::Joined);
        let mut done: Vec<Day> = earlier()
            .filter(|(visit, _)| counts_from_one || is_it(&visit.body.windows))
            .map(|(visit, _)| visit.body.on)
            .collect();
        if counts_from_one || is_it(visit.windows) {
            done.push(visit.on);
        }
        due.extend(window_due(window, &managed.body, &done));
    }
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
