//! What the watch finds about one household: whose own cost passes which line, who was newly found to have a major
//! disease, who is not enrolled. Pure: no database, no clock.
//!
//! Own cost is what people bear after every layer. It is kept over the year to date and over the last twelve months,
//! each with and without what lies outside the catalogues; the pack says which of the four is measured. A line is passed
//! when the cost is *over* it (超过), to the fen.

use kangmai_base::{Day, DivisionCode, Fen, Rate, Uuid};
use kangmai_policy::{
    CostWindow, LabelSet, OwnCost, RedTrigger, Release, Threshold, WarningLevels, WatchGroup, WatchRules,
};
use serde::{Deserialize, Serialize};

/// Months of the rolling window, and how long a diagnosis is a new one: the window in which it may cost.
pub const WINDOW_MONTHS: i32 = 12;
/// Ages at which a death takes a main earner: from the least age of work (劳动法第十五条) to the rural pension (60).
pub const EARNER_AGES: std::ops::Range<i32> = 16..60;
/// The classes of aid one to three (国办发〔2021〕42号): who is in one of them is not recognised as impoverished by illness.
pub const AIDED: [&str; 8] = [
    "extreme_poverty",
    "orphan",
    "subsistence_allowance",
    "returned_to_poverty",
    "subsistence_marginal",
    "unstable_alleviated",
    "marginal",
    "sudden_hardship",
];
/// The label that a recognition gives.
pub const RECOGNISED: &str = "illness_impoverished";

/// How grave a warning is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Half of the line, or a sign without cost.
    Yellow,
    /// Over the line.
    Orange,
    /// Over the line, and something that makes it worse.
    Red,
}

impl Level {
    /// All three, the gravest first.
    pub const ALL: [Level; 3] = [Level::Red, Level::Orange, Level::Yellow];

    /// In the database: 1 to 3.
    pub const fn rank(self) -> i64 {
        match self {
            Level::Yellow => 1,
            Level::Orange => 2,
            Level::Red => 3,
        }
    }

    /// The level of a rank.
    pub fn of_rank(rank: i64) -> Option<Level> {
        Level::ALL.into_iter().find(|level| level.rank() == rank)
    }

    /// In addresses; the key of its word is `poverty_watch.level.` and this.
    pub const fn key(self) -> &'static str {
        match self {
            Level::Yellow => "yellow",
            Level::Orange => "orange",
            Level::Red => "red",
        }
    }

    /// The level that `key` names.
    pub fn of_key(key: &str) -> Option<Level> {
        Level::ALL.into_iter().find(|level| level.key() == key)
    }
}

/// Own cost with and without what lies outside the catalogues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Costs {
    /// With it.
    pub all: Fen,
    /// Without it.
    pub compliant: Fen,
}

impl Costs {
    /// The one that a group measures.
    pub const fn of(self, own_cost: OwnCost) -> Fen {
        match own_cost {
            OwnCost::All => self.all,
            OwnCost::Compliant => self.compliant,
        }
    }

    fn plus(self, other: Costs) -> Costs {
        Costs {
            all: self.all.checked_add(other.all).unwrap_or(self.all),
            compliant: self.compliant.checked_add(other.compliant).unwrap_or(self.compliant),
        }
    }
}

/// What care cost one person up to a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PersonCosts {
    /// From 1 January.
    pub year: Costs,
    /// Over the last twelve months.
    pub rolling: Costs,
    /// Admissions from 1 January.
    pub admissions_year: i32,
    /// Admissions over the last twelve months.
    pub admissions_rolling: i32,
}

impl PersonCosts {
    /// Adds a bill discharged on `on`, seen from `as_of`; what lies outside the windows counts for nothing.
    pub fn add(&mut self, as_of: Day, on: Day, own: Fen, own_uncovered: Fen, admitted: bool) {
        if on > as_of || on < window_start(CostWindow::Rolling12Months, as_of) {
            return;
        }
        let compliant = own.checked_sub(own_uncovered).unwrap_or(own);
        let costs = Costs { all: own, compliant };
        self.rolling = self.rolling.plus(costs);
        self.admissions_rolling += i32::from(admitted);
        if on >= window_start(CostWindow::YearToDate, as_of) {
            self.year = self.year.plus(costs);
            self.admissions_year += i32::from(admitted);
        }
    }

    /// Over a window.
    pub const fn over(&self, window: CostWindow) -> (Costs, i32) {
        match window {
            CostWindow::YearToDate => (self.year, self.admissions_year),
            CostWindow::Rolling12Months => (self.rolling, self.admissions_rolling),
        }
    }

    fn plus(self, other: PersonCosts) -> PersonCosts {
        PersonCosts {
            year: self.year.plus(other.year),
            rolling: self.rolling.plus(other.rolling),
            admissions_year: self.admissions_year.max(other.admissions_year),
            admissions_rolling: self.admissions_rolling.max(other.admissions_rolling),
        }
    }
}

/// The first day of a window that ends on `as_of`.
pub const fn window_start(window: CostWindow, as_of: Day) -> Day {
    match window {
        CostWindow::YearToDate => as_of.start_of_year(),
        CostWindow::Rolling12Months => as_of.plus_months(-WINDOW_MONTHS).plus_days(1),
    }
}

/// A major disease in force that may be named: level 5 never comes here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MajorDiagnosis {
    /// Which diagnosis.
    pub id: Uuid,
    /// Since when.
    pub from: Day,
}

/// A member of a household.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Member {
    /// Who.
    pub person: Uuid,
    /// Labels today.
    pub labels: LabelSet,
    /// Whether in basic insurance; none if not known.
    pub enrolled: Option<bool>,
    /// Birth date.
    pub birth: Option<Day>,
    /// Day of death.
    pub died_on: Option<Day>,
    /// What care cost.
    pub costs: PersonCosts,
    /// Major diseases in force.
    pub majors: Vec<MajorDiagnosis>,
    /// Signs that a disease of which they were cured is back.
    pub relapses: Vec<Relapse>,
}

/// A line at a place and year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// How much.
    pub amount: Fen,
    /// The year of the income figure that it rests on, if it does.
    pub income_year: Option<i32>,
}

/// The rules of a place on a day, with their lines worked out.
#[derive(Debug, Clone)]
pub struct Lines<'r> {
    /// The rules.
    pub rules: &'r WatchRules,
    groups: Vec<Option<Line>>,
    recognition: Option<Line>,
    aided: LabelSet,
    recognised: LabelSet,
}

impl<'r> Lines<'r> {
    /// The lines at `place` on `day`; none where no rules hold.
    pub fn at(release: &'r Release, place: DivisionCode, day: Day) -> Option<Lines<'r>> {
        let rules = release.watch_rules(place, day)?;
        let line = |threshold: Threshold| {
            let (amount, income) = release.threshold(threshold, place, day.year())?;
            Some(Line { amount, income_year: income.map(|income| income.year) })
        };
        Some(Lines {
            rules,
            groups: rules.groups.iter().map(|group| line(group.threshold)).collect(),
            recognition: rules.recognition.as_ref().and_then(|group| line(group.threshold)),
            aided: release.labels(AIDED),
            recognised: release.labels([RECOGNISED]),
        })
    }

    /// The group of somebody with `labels`, and its line if the place's income figure is known.
    pub fn group_for(&self, labels: LabelSet) -> Option<(&'r WatchGroup, Option<Line>)> {
        let fits = |group: &WatchGroup| group.labels.is_empty() || group.labels.meets(labels);
        let position = self.rules.groups.iter().position(fits)?;
        Some((self.rules.groups.get(position)?, self.groups.get(position).copied().flatten()))
    }
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// One person's own cost.
    PersonCost,
    /// The sum of the household's own cost.
    HouseholdCost,
    /// Own cost that reaches the line of recognition as impoverished by illness (因病致贫重病患者).
    Recognition,
    /// A new diagnosis of a major disease.
    NewMajor,
    /// A member of a supported household without basic insurance.
    Unenrolled,
    /// Somebody who was cured of a major disease shows signs of it again.
    Relapse,
}

/// By what a relapse shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RelapseSign {
    /// The last visit of the cured suspects it.
    Visit,
    /// A bill of the same disease after the cure.
    Bill,
    /// A diagnosis of the same disease after the cure.
    Diagnosis,
}

impl RelapseSign {
    /// The key of its sentence is `poverty_watch.found.relapse.` and this.
    pub const fn key(self) -> &'static str {
        match self {
            RelapseSign::Visit => "visit",
            RelapseSign::Bill => "bill",
            RelapseSign::Diagnosis => "diagnosis",
        }
    }
}

/// A sign that a disease is back. Level 5 never comes here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relapse {
    /// By what it shows.
    pub sign: RelapseSign,
    /// The diagnosis, the bill, or the enrolment among the cured.
    pub id: Uuid,
    /// On which day.
    pub on: Day,
}

impl What {
    /// Name in the database; the key of its sentences is `poverty_watch.found.` and this.
    pub const fn key(self) -> &'static str {
        match self {
            What::PersonCost => "person_cost",
            What::HouseholdCost => "household_cost",
            What::Recognition => "recognition",
            What::NewMajor => "new_major",
            What::Unenrolled => "unenrolled",
            What::Relapse => "relapse",
        }
    }
}

impl Relapse {
    /// Whether this sign says all that `new` says: a further bill of the year is no news, a further visit that suspects it, or
    /// another diagnosis, is.
    fn tells(self, new: Relapse, same_year: bool) -> bool {
        self.sign == new.sign
            && match self.sign {
                RelapseSign::Bill => same_year,
                RelapseSign::Visit | RelapseSign::Diagnosis => self.id == new.id && self.on >= new.on,
            }
    }
}

/// A cost against a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measure {
    /// Over which window.
    pub window: CostWindow,
    /// Which cost.
    pub own_cost: OwnCost,
    /// How much.
    pub cost: Fen,
    /// The line.
    pub line: Fen,
    /// The group of the pack whose line it is.
    pub group: String,
    /// The year of the income figure, if the line rests on one.
    pub income_year: Option<i32>,
}

impl Measure {
    /// How many whole lines the cost comes to.
    pub const fn lines(&self) -> i64 {
        if self.line.0 > 0 { self.cost.0 / self.line.0 } else { 0 }
    }

    /// The cost as whole hundredths of the line, rounded down.
    pub fn percent(&self) -> i64 {
        let line = i128::from(self.line.0.max(1));
        i64::try_from(i128::from(self.cost.0) * 100 / line).unwrap_or(i64::MAX)
    }

    /// Whether it is over the line.
    pub const fn is_over(&self) -> bool {
        self.cost.0 > self.line.0
    }
}

/// One thing found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// What.
    pub what: What,
    /// How grave.
    pub level: Level,
    /// About whom; none for the household's sum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<Uuid>,
    /// The new diagnosis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diagnosis: Option<Uuid>,
    /// The cost against the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measure: Option<Measure>,
    /// By what a relapse shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relapse: Option<Relapse>,
    /// What made it red.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub worse: Vec<RedTrigger>,
    /// The year that it is about: the next year it may be found anew.
    pub year: i32,
}

impl Finding {
    /// Whether a warning that was closed over `self` speaks of `new` already: the same thing of the same year, not
    /// graver, and not by a further whole line.
    pub fn covers(&self, new: &Finding) -> bool {
        let lines = |finding: &Finding| finding.measure.as_ref().map_or(0, Measure::lines);
        let is_same = self.what == new.what
            && self.person == new.person
            && match new.what {
                What::NewMajor => self.diagnosis == new.diagnosis,
                What::Relapse => match (self.relapse, new.relapse) {
                    (Some(old), Some(new)) => old.tells(new, self.year == new.on.year()),
                    _ => false,
                },
                _ => self.year == new.year,
            };
        is_same && self.level >= new.level && lines(self) >= lines(new)
    }
}

/// Everything found about a household, the gravest first; empty when there is nothing. Asked of each living member in
/// turn: is the own cost over the line of the group; over the line of recognition; is there a new major disease; is
/// the person not enrolled. Then of the household, if the pack watches households: is the sum of all over the line of
/// its best-supported member.
pub fn findings(members: &[Member], lines: &Lines<'_>, as_of: Day) -> Vec<Finding> {
    let has_lost_earner = members.iter().any(|member| lost_earner(member, as_of));
    let mut found = Vec::new();
    for member in members.iter().filter(|member| member.died_on.is_none_or(|died| died > as_of)) {
        found.extend(person_cost(member, lines, has_lost_earner, as_of));
        found.extend(recognition(member, lines, as_of));
        found.extend(
            member
                .majors
                .iter()
                .filter(|major| is_new(major, as_of) && !is_back(major, &member.relapses))
                .map(|major| Finding { diagnosis: Some(major.id), ..sign(What::NewMajor, member, as_of) }),
        );
        let relapses = member.relapses.iter().filter(|one| is_recent(one.on, as_of));
        found.extend(
            relapses.map(|one| Finding { relapse: Some(*one), ..sign(What::Relapse, member, as_of) }),
        );
        if member.enrolled == Some(false) && is_supported(member, lines) {
            found.push(sign(What::Unenrolled, member, as_of));
        }
    }
    found.extend(household_cost(members, lines, has_lost_earner, as_of));
    found.sort_by_key(|finding| {
        let cost = finding.measure.as_ref().map_or(0, |measure| measure.cost.0);
        (
            std::cmp::Reverse(finding.level),
            finding.what,
            std::cmp::Reverse(cost),
            finding.person,
            finding.diagnosis,
            finding.relapse.map(|one| (one.sign, one.id)),
        )
    });
    found
}

/// The level of a warning: that of its gravest finding.
pub fn level_of(findings: &[Finding]) -> Option<Level> {
    findings.iter().map(|finding| finding.level).max()
}

/// What of `found` no closed warning speaks of yet.
pub fn is_news(found: &[Finding], closed: &[Finding]) -> bool {
    found.iter().any(|new| !closed.iter().any(|old| old.covers(new)))
}

fn sign(what: What, member: &Member, as_of: Day) -> Finding {
    Finding {
        what,
        level: Level::Yellow,
        person: Some(member.person),
        diagnosis: None,
        relapse: None,
        measure: None,
        worse: Vec::new(),
        year: as_of.year(),
    }
}

fn is_new(major: &MajorDiagnosis, as_of: Day) -> bool {
    is_recent(major.from, as_of)
}

/// Whether a diagnosis is told as a relapse already.
fn is_back(major: &MajorDiagnosis, relapses: &[Relapse]) -> bool {
    relapses.iter().any(|one| one.sign == RelapseSign::Diagnosis && one.id == major.id)
}

fn is_recent(on: Day, as_of: Day) -> bool {
    on <= as_of && on >= window_start(CostWindow::Rolling12Months, as_of)
}

fn is_supported(member: &Member, lines: &Lines<'_>) -> bool {
    lines.group_for(member.labels).is_some_and(|(group, _)| !group.labels.is_empty())
}

fn lost_earner(member: &Member, as_of: Day) -> bool {
    let Some(died) = member.died_on else { return false };
    let of_age = member.birth.is_some_and(|birth| EARNER_AGES.contains(&died.age_of(birth)));
    of_age && died <= as_of && died >= window_start(CostWindow::Rolling12Months, as_of)
}

fn measured(group: &WatchGroup, line: Line, costs: &PersonCosts) -> Measure {
    Measure {
        window: group.window,
        own_cost: group.own_cost,
        cost: costs.over(group.window).0.of(group.own_cost),
        line: line.amount,
        group: group.id.clone(),
        income_year: line.income_year,
    }
}

fn person_cost(member: &Member, lines: &Lines<'_>, lost_earner: bool, as_of: Day) -> Option<Finding> {
    let (group, line) = lines.group_for(member.labels)?;
    let measure = measured(group, line?, &member.costs);
    let signs = Signs {
        major: !member.majors.is_empty(),
        admissions: member.costs.over(group.window).1,
        lost_earner,
    };
    let (level, worse) = graded(&measure, &lines.rules.levels, &signs)?;
    Some(Finding { level, worse, measure: Some(measure), ..sign(What::PersonCost, member, as_of) })
}

fn household_cost(members: &[Member], lines: &Lines<'_>, lost_earner: bool, as_of: Day) -> Option<Finding> {
    let who_paid = members.iter().filter(|member| member.costs.rolling.all.0 != 0).count();
    if !lines.rules.households || who_paid < 2 {
        return None;
    }
    let living = members.iter().filter(|member| member.died_on.is_none_or(|died| died > as_of));
    let labels = living.fold(LabelSet::NONE, |set, member| set.and(member.labels));
    let (group, line) = lines.group_for(labels)?;
    let sum = members.iter().fold(PersonCosts::default(), |sum, member| sum.plus(member.costs));
    let measure = measured(group, line?, &sum);
    let signs = Signs {
        major: members.iter().any(|member| !member.majors.is_empty()),
        admissions: sum.over(group.window).1,
        lost_earner,
    };
    let (level, worse) = graded(&measure, &lines.rules.levels, &signs)?;
    let year = as_of.year();
    let what = What::HouseholdCost;
    Some(Finding {
        what,
        level,
        person: None,
        diagnosis: None,
        relapse: None,
        measure: Some(measure),
        worse,
        year,
    })
}

fn recognition(member: &Member, lines: &Lines<'_>, as_of: Day) -> Option<Finding> {
    let group = lines.rules.recognition.as_ref()?;
    let may_apply = member.enrolled != Some(false)
        && !member.labels.meets(lines.aided)
        && !member.labels.meets(lines.recognised);
    let measure = measured(group, lines.recognition?, &member.costs);
    (may_apply && measure.is_over()).then(|| Finding {
        level: Level::Orange,
        measure: Some(measure),
        ..sign(What::Recognition, member, as_of)
    })
}

/// What can make a cost over the line worse.
struct Signs {
    major: bool,
    admissions: i32,
    lost_earner: bool,
}

/// The level of a cost, and what made it red: yellow over its share of the line, orange over the line's, red when
/// orange and one of the pack's triggers holds.
fn graded(measure: &Measure, levels: &WarningLevels, signs: &Signs) -> Option<(Level, Vec<RedTrigger>)> {
    if !is_over_share(measure, levels.yellow_from) {
        return None;
    }
    if !is_over_share(measure, levels.orange_from) {
        return Some((Level::Yellow, Vec::new()));
    }
    let holds = |trigger: &RedTrigger| match trigger {
        RedTrigger::MajorDisease => signs.major,
        RedTrigger::RepeatedAdmission => signs.admissions >= levels.repeated_admissions,
        RedTrigger::LostEarner => signs.lost_earner,
    };
    let worse: Vec<RedTrigger> = levels.red_with.iter().copied().filter(holds).collect();
    Some((if worse.is_empty() { Level::Orange } else { Level::Red }, worse))
}

fn is_over_share(measure: &Measure, share: Rate) -> bool {
    let cost = i128::from(measure.cost.0) * i128::from(share.denominator());
    cost > i128::from(measure.line.0) * i128::from(share.numerator())
}

#[cfg(test)]
#[path = "findings_tests.rs"]
mod tests;
