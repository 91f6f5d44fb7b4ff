//! Rules of the poverty watch: whose own cost is measured against what, how often that is pushed to whom, and the
//! clocks from a clue to a decision.

use kangmai_base::{Fen, Rate};
use serde::{Deserialize, Serialize};

use crate::dated::Period;
use crate::fields::Fields;
use crate::predicate::read_label_set;
use crate::words::Word;
use crate::{Bilingual, IncomeKind, LabelSet, Source, Sure, Vocabulary};

/// The time over which own cost is summed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CostWindow {
    /// From 1 January.
    YearToDate,
    /// The last twelve months.
    Rolling12Months,
}

/// Which own cost counts. Both are always kept and shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnCost {
    /// Without out-of-catalogue cost.
    Compliant,
    /// With it.
    All,
}

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threshold {
    /// A fixed amount.
    Amount(Fen),
    /// A share of an income figure of an earlier year.
    OfIncome {
        /// Which figure.
        kind: IncomeKind,
        /// How many years earlier (1: last year's).
        years_before: i32,
        /// The share.
        rate: Rate,
    },
}

/// How often warnings of a group are pushed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PushRhythm {
    /// Every so many days.
    EveryDays(i32),
    /// Once a month.
    Monthly,
}

/// One group of people and its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchGroup {
    /// Code name.
    pub id: String,
    /// What people call it.
    pub name: Bilingual,
    /// Any of these labels today; empty: everybody whom no group before takes.
    pub labels: LabelSet,
    /// The line.
    pub threshold: Threshold,
    /// Summed over.
    pub window: CostWindow,
    /// Which cost.
    pub own_cost: OwnCost,
    /// How often pushed.
    pub push: PushRhythm,
}

/// What turns a warning over the line red.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RedTrigger {
    /// A diagnosis of the major-disease list.
    MajorDisease,
    /// So many admissions in the window.
    RepeatedAdmission,
    /// A main earner is lost.
    LostEarner,
}

/// Yellow, orange, red.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WarningLevels {
    /// Yellow from this share of the line.
    pub yellow_from: Rate,
    /// Orange from this share of the line.
    pub orange_from: Rate,
    /// Red: orange and one of these.
    pub red_with: Vec<RedTrigger>,
    /// Admissions in the window that count as repeated.
    pub repeated_admissions: i32,
}

/// Days of the process, each counted from the step before unless said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// From clue to home check.
    pub home_check_days: i32,
    /// From clue to decision at most.
    pub decision_days: i32,
    /// Village notice at least.
    pub notice_days: i32,
    /// Whether `decision_days` counts working days.
    pub working_days: bool,
}

/// The watch rules of one place and time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchRules {
    /// What people call them.
    pub name: Bilingual,
    /// When they hold.
    pub period: Period,
    /// How sure.
    pub sure: Sure,
    /// Where from.
    pub source: Source,
    /// The groups; the first that fits is taken.
    pub groups: Vec<WatchGroup>,
    /// 因病致贫重病患者: the line of recognition on application, if the place has it.
    pub recognition: Option<WatchGroup>,
    /// How many months a recognition holds.
    pub recognition_months: i32,
    /// The levels.
    pub levels: WarningLevels,
    /// The clocks.
    pub clock: Clock,
    /// To which departments warnings are pushed.
    pub push_to: Vec<Bilingual>,
    /// Whether a household's sum is watched besides each member's.
    pub households: bool,
}

impl WatchRules {
    /// The group of somebody with `labels` today.
    pub fn group_for(&self, labels: LabelSet) -> Option<&WatchGroup> {
        self.groups.iter().find(|group| group.labels.is_empty() || group.labels.meets(labels))
    }

    pub(crate) fn read(fields: &Fields<'_>, vocabulary: &Vocabulary) -> Option<WatchRules> {
        let name = fields.bilingual("name");
        let (period, sure, source) = (Period::read(fields), Sure::read(fields), Source::read(fields));
        let groups =
            fields.some_tables("group").iter().filter_map(|table| read_group(table, vocabulary)).collect();
        let recognition = fields.table_maybe("recognition").and_then(|table| read_group(&table, vocabulary));
        let recognition_months =
            fields.whole_maybe("recognition_months").map_or(12, |months| months.value as i32);
        let levels = fields.table("levels").and_then(|table| read_levels(&table));
        let clock = fields.table("clock").and_then(|table| read_clock(&table));
        let mut push_to = Vec::new();
        for table in fields.tables("push_to") {
            push_to.extend(table.bilingual("name"));
            table.finish();
        }
        let households = fields.flag_maybe("households").unwrap_or(true);
        fields.finish();
        Some(WatchRules {
            name: name?,
            period: period?,
            sure: sure?,
            source: source?,
            groups,
            recognition,
            recognition_months,
            levels: levels?,
            clock: clock?,
            push_to,
            households,
        })
    }
}

fn read_group(fields: &Fields<'_>, vocabulary: &Vocabulary) -> Option<WatchGroup> {
    let (id, name) = (fields.text("id"), fields.bilingual("name"));
    let labels = if fields.has("labels") {
        read_label_set(fields, "labels", vocabulary)
    } else {
        Some(LabelSet::NONE)
    };
    let threshold = fields.table("threshold").and_then(|table| read_threshold(&table));
    let window =
        fields.chosen(fields.text("window"), &["year_to_date", "rolling_12_months"], |name| match name {
            "year_to_date" => Some(CostWindow::YearToDate),
            "rolling_12_months" => Some(CostWindow::Rolling12Months),
            _ => None,
        });
    let own_cost = fields.chosen(fields.text("own_cost"), &["compliant", "all"], |name| match name {
        "compliant" => Some(OwnCost::Compliant),
        "all" => Some(OwnCost::All),
        _ => None,
    });
    let push = match fields.whole_maybe("push_every_days") {
        Some(days) => PushRhythm::EveryDays(days.value as i32),
        None => PushRhythm::Monthly,
    };
    fields.finish();
    Some(WatchGroup {
        id: id?.value.to_owned(),
        name: name?,
        labels: labels?,
        threshold: threshold?,
        window: window?,
        own_cost: own_cost?,
        push,
    })
}

fn read_threshold(fields: &Fields<'_>) -> Option<Threshold> {
    let threshold = if fields.has("amount") {
        fields.money("amount").map(|amount| Threshold::Amount(amount.value))
    } else {
        let kind = fields.chosen(fields.text("income"), IncomeKind::NAMES, IncomeKind::from_name);
        let (years_before, rate) = (fields.whole("years_before"), fields.rate("rate"));
        kind.zip(years_before).zip(rate).map(|((kind, years), rate)| Threshold::OfIncome {
            kind,
            years_before: years.value as i32,
            rate: rate.value,
        })
    };
    fields.finish();
    threshold
}

fn read_levels(fields: &Fields<'_>) -> Option<WarningLevels> {
    let (yellow, orange) = (fields.rate("yellow_from"), fields.rate("orange_from"));
    let names = ["major_disease", "repeated_admission", "lost_earner"];
    let red_with = fields
        .texts("red_with")
        .into_iter()
        .filter_map(|text| {
            fields.chosen(Some(text), &names, |name| match name {
                "major_disease" => Some(RedTrigger::MajorDisease),
                "repeated_admission" => Some(RedTrigger::RepeatedAdmission),
                "lost_earner" => Some(RedTrigger::LostEarner),
                _ => None,
            })
        })
        .collect();
    let repeated = fields.whole("repeated_admissions");
    fields.finish();
    let (yellow, orange) = (yellow?, orange?);
    let product = |a: Rate, b: Rate| i128::from(a.numerator()) * i128::from(b.denominator());
    if product(orange.value, yellow.value) <= product(yellow.value, orange.value) {
        let error = orange.spot.error(Word::ErrNotRising, Word::MendRising);
        fields.push(error.with("value", orange.value.to_string()).with("lowest", yellow.value.to_string()));
    }
    Some(WarningLevels {
        yellow_from: yellow.value,
        orange_from: orange.value,
        red_with,
        repeated_admissions: i32::try_from(repeated?.value).ok()?,
    })
}

fn read_clock(fields: &Fields<'_>) -> Option<Clock> {
    let days = |key| fields.whole(key).and_then(|days| i32::try_from(days.value).ok());
    let (home_check_days, decision_days) = (days("home_check_days"), days("decision_days"));
    let notice_days = days("notice_days");
    let working_days = fields.flag_maybe("working_days").unwrap_or(false);
    fields.finish();
    Some(Clock {
        home_check_days: home_check_days?,
        decision_days: decision_days?,
        notice_days: notice_days?,
        working_days,
    })
}
