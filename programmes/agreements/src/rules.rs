//! What may be signed, how an agreement stands on a day, and what is due of it. Pure: terms, roles, packages and how often
//! something is done stand in the packs; how an agreement stands is worked out when somebody looks.

use kangmai_base::{Day, Refusal, Sex, Uuid};
use kangmai_people::Person;
use kangmai_policy::{AgreementRules, DoneBy as Law, Icd10, Release, Resident};

use crate::care::Care;
use crate::facts::{DoneBy, Member, Promise, SignedBy, Signer, TeamKept, Way};
use crate::folder::{Agreement, Folder};

/// Months of a year.
const YEAR_MONTHS: i32 = 12;
/// Days of a year, where months do not divide.
const YEAR_DAYS: i32 = 365;
/// The level from which a disease shows to treating staff alone (GB/T 39725-2020).
pub const SECRET_LEVEL: u8 = 5;
/// The longest signature that is drawn, in characters of its path; and the least strokes of one.
pub const LONGEST_DRAWING: usize = 40_000;
const LEAST_POINTS: usize = 8;
/// The largest photograph of a signed paper.
pub const LARGEST_PHOTO_BYTES: u64 = 1_024 * 1_024;
/// The shortest reason, in characters.
pub const SHORTEST_REASON: usize = 2;

/// How an agreement stands on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Prepared, not signed.
    Offered,
    /// Signed, and begins later.
    Later,
    /// In force.
    InForce,
    /// In force, and to be renewed.
    EndsSoon,
    /// Its term is over.
    Expired,
    /// Ended before its term.
    Ended,
}

impl Standing {
    /// All, in the order of the filter.
    pub const ALL: [Standing; 6] = [
        Standing::InForce,
        Standing::EndsSoon,
        Standing::Offered,
        Standing::Later,
        Standing::Expired,
        Standing::Ended,
    ];

    /// As filters send it and in the keys of words.
    pub const fn key(self) -> &'static str {
        match self {
            Standing::Offered => "offered",
            Standing::Later => "later",
            Standing::InForce => "in_force",
            Standing::EndsSoon => "ends_soon",
            Standing::Expired => "expired",
            Standing::Ended => "ended",
        }
    }

    /// The one that `key` names.
    pub fn of_key(key: &str) -> Option<Standing> {
        Standing::ALL.into_iter().find(|standing| standing.key() == key)
    }

    /// The tone of its mark.
    pub const fn tone(self) -> &'static str {
        match self {
            Standing::InForce => "good",
            Standing::EndsSoon | Standing::Expired => "warning",
            Standing::Offered | Standing::Later | Standing::Ended => "plain",
        }
    }
}

/// How an agreement with these days stands on `day`: its term, and the day from which it ended, if it did.
pub fn standing(term: Option<(Day, Day)>, ended_on: Option<Day>, day: Day, remind_days: i32) -> Standing {
    let Some((from, until)) = term else {
        return if ended_on.is_some_and(|ended| ended <= day) { Standing::Ended } else { Standing::Offered };
    };
    match ended_on {
        Some(ended) if ended <= day && ended <= until => Standing::Ended,
        _ if day < from => Standing::Later,
        _ if day > until => Standing::Expired,
        _ if until.days_since(day) <= remind_days => Standing::EndsSoon,
        _ => Standing::InForce,
    }
}

/// The same of one agreement.
pub fn standing_of(one: &Agreement, day: Day, remind_days: i32) -> Standing {
    standing(one.term(), one.ended.as_ref().map(|ended| ended.body.on), day, remind_days)
}

/// A time in which something is to be done once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Counted from 1 over the whole agreement.
    pub number: i64,
    /// First day.
    pub from: Day,
    /// Last day.
    pub until: Day,
    /// When it was done, in time or late.
    pub done_on: Option<Day>,
}

impl Window {
    /// Whether it was done by its last day.
    pub fn in_time(&self) -> bool {
        self.done_on.is_some_and(|done| done <= self.until)
    }

    /// How it stands on `day`.
    pub fn state(&self, day: Day) -> DueState {
        match self.done_on {
            Some(done) if done <= self.until => DueState::InTime,
            Some(_) => DueState::Late,
            None if day > self.until => DueState::Overdue,
            None if day < self.from => DueState::Ahead,
            None => DueState::Due,
        }
    }
}

/// How something that is due stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DueState {
    /// Its time has not begun.
    Ahead,
    /// It may be done now.
    Due,
    /// Done in time.
    InTime,
    /// Done after its time.
    Late,
    /// Its time is over and it was not done.
    Overdue,
}

impl DueState {
    /// In the keys of words.
    pub const fn key(self) -> &'static str {
        match self {
            DueState::Ahead => "ahead",
            DueState::Due => "due",
            DueState::InTime => "in_time",
            DueState::Late => "late",
            DueState::Overdue => "overdue",
        }
    }

    /// The tone of its mark.
    pub const fn tone(self) -> &'static str {
        match self {
            DueState::InTime => "good",
            DueState::Late | DueState::Overdue => "warning",
            DueState::Ahead | DueState::Due => "plain",
        }
    }
}

/// The times in which something is due that is promised so often in each year of an agreement, from its first to its last day.
/// A year is cut into equal parts; the last ones may be cut short by the end of the term.
pub fn windows(from: Day, until: Day, times: u8) -> Vec<Window> {
    let times = i32::from(times.max(1));
    let begin = |part: i32| {
        let (year, rest) = (part / times, part % times);
        let start = match year {
            0 => from,
            _ => AgreementRules::last_day(from, YEAR_MONTHS * year).plus_days(1),
        };
        match YEAR_MONTHS % times {
            0 => start.plus_months(YEAR_MONTHS / times * rest),
            _ => start.plus_days(YEAR_DAYS * rest / times),
        }
    };
    (0..)
        .map(|part| (part, begin(part), begin(part + 1).plus_days(-1)))
        .take_while(|(_, first, _)| *first <= until)
        .map(|(part, first, last)| Window {
            number: i64::from(part) + 1,
            from: first,
            until: last.min(until),
            done_on: None,
        })
        .collect()
}

/// Lays what was done into the times in which it was due: first each into the time in which it lies, then what is over into
/// the first time before it that is still empty, as done late. What was done twice in one time fills one.
pub fn fulfil(windows: &mut [Window], done: &[Day]) {
    let mut rest: Vec<Day> = done.to_vec();
    rest.sort_unstable();
    rest.dedup();
    for window in windows.iter_mut() {
        let at = rest.iter().position(|day| window.from <= *day && *day <= window.until);
        window.done_on = at.map(|at| rest.remove(at));
    }
    for window in windows.iter_mut().filter(|window| window.done_on.is_none()) {
        let at = rest.iter().position(|day| *day > window.until);
        window.done_on = at.map(|at| rest.remove(at));
    }
}

/// What one promise comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The promise.
    pub promise: Promise,
    /// Its times; none where it is done whenever it is needed.
    pub windows: Vec<Window>,
    /// When it was done within the agreement, the earliest first.
    pub done: Vec<Day>,
}

/// What an agreement promised and what of it was done. What lies behind its end, and was not done, is not due.
pub fn kept(folder: &Folder, one: &Agreement, care: &Care) -> Vec<Kept> {
    let (Some(signed), Some(last)) = (&one.signed, one.last_day()) else { return Vec::new() };
    let (from, until) = (signed.body.from, signed.body.until);
    let is_within = |day: &Day| from <= *day && *day <= last;
    let of = |promise: &Promise| {
        let by_hand = one
            .done
            .iter()
            .filter(|done| done.body.package == promise.package && done.body.item == promise.item);
        let plans = folder.planned_on.iter().copied().filter(|_| promise.done_by == DoneBy::Plan);
        let by_hand = by_hand.map(|done| done.body.on);
        let mut done: Vec<Day> = by_hand.chain(care.done(&promise.done_by)).chain(plans).collect();
        done.retain(is_within);
        done.sort_unstable();
        done.dedup();
        let mut times = promise.times.map(|times| windows(from, until, times)).unwrap_or_default();
        fulfil(&mut times, &done);
        times.retain(|window| window.until <= last || window.done_on.is_some());
        Kept { promise: promise.clone(), windows: times, done }
    };
    signed.body.content.promises.iter().map(of).collect()
}

/// What a resident is, as far as packages ask, on a day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// Diagnoses in force, with whether one is of level 5.
    pub ill: Vec<(Icd10, bool)>,
    /// Labels in force, by name.
    pub labels: Vec<&'static str>,
    /// Birth date.
    pub birth: Option<Day>,
    /// Sex.
    pub sex: Option<Sex>,
}

impl Known {
    /// The packages that are proposed to this resident on `day`, those of level 5 with `secret` alone.
    pub fn proposed(&self, release: &Release, rules: &AgreementRules, day: Day, secret: bool) -> Vec<String> {
        let diagnoses: Vec<Icd10> =
            self.ill.iter().filter(|(_, sensitive)| secret || !sensitive).map(|(code, _)| *code).collect();
        let age = self.birth.and_then(|birth| u8::try_from(day.age_of(birth)).ok());
        let labels = release.labels(self.labels.iter().copied());
        let who = Resident { diagnoses: &diagnoses, labels, age, sex: self.sex };
        let proposed = rules.proposed(&who).into_iter();
        let shown = proposed.filter(|package| secret || package.sensitive < SECRET_LEVEL);
        shown.map(|package| package.id.clone()).collect()
    }
}

/// What these packages promise, as the pack has it; the basic one always.
pub fn promises(rules: &AgreementRules, packages: &[String]) -> (Vec<String>, Vec<Promise>) {
    let chosen = rules.packages.iter().filter(|one| one.basic || packages.contains(&one.id));
    let (mut names, mut all) = (Vec::new(), Vec::new());
    for package in chosen {
        names.push(package.id.clone());
        all.extend(package.items.iter().map(|item| Promise {
            package: package.id.clone(),
            item: item.id.clone(),
            times: item.times,
            done_by: match &item.done_by {
                Law::FollowUp(programme) => DoneBy::FollowUp(programme.clone()),
                Law::Window(window) => DoneBy::Window(window.clone()),
                Law::Plan => DoneBy::Plan,
                Law::Hand => DoneBy::Hand,
            },
            sensitive: package.sensitive >= SECRET_LEVEL,
        }));
    }
    (names, all)
}

/// From when a signature of `on` holds, and which agreement it renews.
///
/// # Errors
/// `agreements.refused.in_force` where an agreement holds that is not to be renewed yet, or another begins later.
pub fn begins(folder: &Folder, on: Day, remind_days: i32) -> Result<(Day, Option<Uuid>), Refusal> {
    let Some(latest) = folder.latest() else { return Ok((on, None)) };
    let Some(last) = latest.last_day() else { return Ok((on, None)) };
    if last < on {
        // Whoever ended it signs anew; what ran out is renewed.
        let is_renewal = latest.ended.is_none() && latest.renewed_on.is_none();
        return Ok((on, is_renewal.then_some(latest.id)));
    }
    if latest.ended.is_none() && latest.holds_on(on) && last.days_since(on) <= remind_days {
        return Ok((last.plus_days(1), Some(latest.id)));
    }
    Err(Refusal::new("agreements.refused.in_force").with("day", last.to_string()))
}

/// Whether anything can have been signed or done with this person on `on`.
///
/// # Errors
/// The refusal that says why not.
pub fn check_day(person: &Person, on: Day, today: Day) -> Result<(), Refusal> {
    if on > today {
        return Err(Refusal::new("agreements.refused.future"));
    }
    if let Some(birth) = person.body.birth.filter(|birth| on < *birth) {
        return Err(Refusal::new("agreements.refused.before_birth").with("day", birth.to_string()));
    }
    if let Some(died_on) = person.body.died_on.filter(|died_on| on > *died_on) {
        return Err(Refusal::new("agreements.refused.after_death").with("day", died_on.to_string()));
    }
    Ok(())
}

/// Whether a team can sign on a day: it works, and somebody leads it.
///
/// # Errors
/// The refusal that says why not.
pub fn check_team(team: &TeamKept, on: Day) -> Result<(), Refusal> {
    if on < team.from || team.closed_on.is_some_and(|closed| on >= closed) {
        return Err(Refusal::new("agreements.refused.team_closed")
            .with("team", team.name.clone())
            .at("team"));
    }
    if !team.members.iter().any(|member| member.leads && is_in(member, on)) {
        return Err(Refusal::new("agreements.refused.no_leader").with("team", team.name.clone()).at("team"));
    }
    Ok(())
}

/// Whether somebody is in the team on a day.
pub fn is_in(member: &Member, on: Day) -> bool {
    member.from <= on && member.until.is_none_or(|until| on <= until)
}

/// Whether this person may have signed so.
///
/// # Errors
/// The refusal that says why not.
pub fn check_signer(signer: &Signer, age: Option<i32>, guardian_below_age: u8) -> Result<(), Refusal> {
    if signer.who == SignedBy::Resident {
        if age.is_some_and(|age| age < i32::from(guardian_below_age)) {
            let refusal = Refusal::new("agreements.refused.guardian").at("signer");
            return Err(refusal.with("age", guardian_below_age.to_string()));
        }
        return Ok(());
    }
    if signer.name.is_empty() {
        return Err(Refusal::new("agreements.refused.signer_name").at("signer_name"));
    }
    if signer.relation.is_empty() {
        return Err(Refusal::new("agreements.refused.signer_relation").at("signer_relation"));
    }
    Ok(())
}

/// A picture of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureKind {
    /// The path of an SVG.
    Svg,
    /// JPEG
    Jpeg,
    /// PNG
    Png,
}

impl PictureKind {
    /// As the table holds it.
    pub const fn key(self) -> &'static str {
        match self {
            PictureKind::Svg => "svg",
            PictureKind::Jpeg => "jpeg",
            PictureKind::Png => "png",
        }
    }

    /// The one that `key` names.
    pub fn of_key(key: &str) -> Option<PictureKind> {
        [PictureKind::Svg, PictureKind::Jpeg, PictureKind::Png].into_iter().find(|kind| kind.key() == key)
    }

    /// As browsers are told it.
    pub const fn content_type(self) -> &'static str {
        match self {
            PictureKind::Svg => "image/svg+xml",
            PictureKind::Jpeg => "image/jpeg",
            PictureKind::Png => "image/png",
        }
    }

    /// What a file is by its first bytes, whatever its name says.
    pub fn of_bytes(bytes: &[u8]) -> Option<PictureKind> {
        if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
            Some(PictureKind::Jpeg)
        } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some(PictureKind::Png)
        } else {
            None
        }
    }
}

/// Whether a text is the path of a signature: moves and lines of whole numbers, and nothing else that could stand in a
/// picture.
///
/// # Errors
/// The refusal that says why not.
pub fn check_drawing(path: &str) -> Result<(), Refusal> {
    let refused = |key| Err(Refusal::new(key).at("drawn"));
    if path.len() > LONGEST_DRAWING {
        return refused("agreements.refused.drawing_long");
    }
    let is_path = path.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'M' | b'L' | b' '));
    let points = path.bytes().filter(|byte| matches!(byte, b'M' | b'L')).count();
    if !path.starts_with('M') || !is_path || points < LEAST_POINTS {
        return refused("agreements.refused.drawing_empty");
    }
    Ok(())
}

/// Whether what goes with a way of signing is there.
///
/// # Errors
/// The refusal that says what is missing.
pub fn check_way(way: Way, paper_at: &str) -> Result<(), Refusal> {
    if way == Way::Paper && paper_at.is_empty() {
        return Err(Refusal::new("agreements.refused.paper_at").at("paper_at"));
    }
    Ok(())
}

/// Whether an agreement, or an offer, may end on a day.
///
/// # Errors
/// The refusal that says why not.
pub fn check_end(one: &Agreement, on: Day, today: Day) -> Result<(), Refusal> {
    if on > today {
        return Err(Refusal::new("agreements.refused.future").at("ended_on"));
    }
    if one.ended.is_some() {
        return Err(Refusal::new("agreements.refused.ended").at("ended_on"));
    }
    let begun = one.term().map(|(from, _)| from).or_else(|| one.offered.as_ref().map(|one| one.body.on));
    let signed = one.signed.as_ref().map(|signed| signed.body.on);
    if signed.or(begun).is_some_and(|begun| on < begun) {
        let day = signed.or(begun).map(|day| day.to_string()).unwrap_or_default();
        return Err(Refusal::new("agreements.refused.end_before").with("day", day).at("ended_on"));
    }
    if one.term().is_some_and(|(_, until)| on > until) {
        return Err(Refusal::new("agreements.refused.expired").at("ended_on"));
    }
    Ok(())
}
