//! How findings, stages and days are said: the reason before the data.

use std::collections::HashMap;

use kangmai_access::Reach;
use kangmai_base::Uuid;
use kangmai_policy::{CostWindow, OwnCost, RedTrigger};
use kangmai_web::Page;

use crate::findings::{Finding, Level, Measure, What};
use crate::rules::{DismissReason, Outcome, Stage};

/// The word of a level.
pub(crate) fn level_word(page: &Page, level: Level) -> String {
    page.word(&format!("poverty_watch.level.{}", level.key())).into_owned()
}

/// The tone of a level, for a tag: the word says the same.
pub(crate) const fn level_tone(level: Level) -> &'static str {
    match level {
        Level::Yellow => "plain",
        Level::Orange => "warning",
        Level::Red => "danger",
    }
}

/// The word of a stage.
pub(crate) fn stage_word(page: &Page, stage: Stage) -> String {
    page.word(&format!("poverty_watch.stage.{}", stage.key())).into_owned()
}

/// The word of an outcome.
pub(crate) fn outcome_word(page: &Page, outcome: Outcome) -> String {
    page.word(&format!("poverty_watch.outcome.{}", outcome.key())).into_owned()
}

/// The word of a reason of dismissal.
pub(crate) fn dismiss_word(page: &Page, reason: DismissReason) -> String {
    page.word(&format!("poverty_watch.dismiss.{}", reason.key())).into_owned()
}

/// What was found, in one sentence. Who may not read diagnoses reads of risk, not of disease.
pub(crate) fn sentence(page: &Page, finding: &Finding, may: &Reach) -> String {
    let said = match (&finding.measure, finding.what) {
        (Some(measure), what) => cost_sentence(page, what, measure),
        (None, What::Relapse) if may.diagnoses() => {
            let sign = finding.relapse.map_or("visit", |one| one.sign.key());
            page.word(&format!("poverty_watch.found.relapse.{sign}")).into_owned()
        }
        (None, What::Relapse) => page.word("poverty_watch.found.new_major_unnamed").into_owned(),
        (None, What::NewMajor) if may.diagnoses() => page.word("poverty_watch.found.new_major").into_owned(),
        (None, What::NewMajor) => page.word("poverty_watch.found.new_major_unnamed").into_owned(),
        (None, _) => page.word("poverty_watch.found.unenrolled").into_owned(),
    };
    let worse: Vec<String> =
        finding.worse.iter().filter_map(|trigger| worse_word(page, *trigger, may)).collect();
    if worse.is_empty() {
        return said;
    }
    let joint = page.word("poverty_watch.joint").into_owned();
    page.say2("poverty_watch.worse", "said", said, "worse", worse.join(&joint))
}

fn worse_word(page: &Page, trigger: RedTrigger, may: &Reach) -> Option<String> {
    let key = match trigger {
        RedTrigger::MajorDisease if !may.diagnoses() => return None,
        RedTrigger::MajorDisease => "poverty_watch.worse.major_disease",
        RedTrigger::RepeatedAdmission => "poverty_watch.worse.repeated_admission",
        RedTrigger::LostEarner => "poverty_watch.worse.lost_earner",
    };
    Some(page.word(key).into_owned())
}

fn cost_sentence(page: &Page, what: What, measure: &Measure) -> String {
    let window = match (measure.window, measure.own_cost) {
        (CostWindow::YearToDate, OwnCost::All) => "poverty_watch.window.year",
        (CostWindow::YearToDate, OwnCost::Compliant) => "poverty_watch.window.year_compliant",
        (CostWindow::Rolling12Months, OwnCost::All) => "poverty_watch.window.rolling",
        (CostWindow::Rolling12Months, OwnCost::Compliant) => "poverty_watch.window.rolling_compliant",
    };
    let (window, cost, line) = (page.word(window), page.yuan(measure.cost), page.yuan(measure.line));
    let percent = format!("{}%", measure.percent());
    let key = match (what, measure.is_over()) {
        (What::Recognition, _) => "poverty_watch.found.recognition",
        (What::HouseholdCost, true) => "poverty_watch.found.household_over",
        (What::HouseholdCost, false) => "poverty_watch.found.household_near",
        (_, true) => "poverty_watch.found.person_over",
        (_, false) => "poverty_watch.found.person_near",
    };
    page.say(key, &[("window", &window), ("cost", &cost), ("line", &line), ("percent", &percent)])
}

/// The first finding of a warning, or that nothing is found any more.
pub(crate) fn first_sentence(page: &Page, first: Option<&Finding>, may: &Reach) -> String {
    first.map_or_else(
        || page.word("poverty_watch.found.nothing").into_owned(),
        |finding| sentence(page, finding, may),
    )
}

/// Whose finding it is.
pub(crate) fn whose(page: &Page, person: Option<Uuid>, names: &HashMap<Uuid, String>) -> String {
    person.and_then(|person| names.get(&person).cloned()).unwrap_or_else(|| {
        page.word(if person.is_some() {
            "poverty_watch.former_member"
        } else {
            "poverty_watch.whole_household"
        })
        .into_owned()
    })
}
