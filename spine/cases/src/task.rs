//! What is to be done, by whom, by when: derived, never stored.

use kangmai_access::Role;
use kangmai_base::Day;

use crate::Case;

/// What a stage asks for. A programme has one for each stage that waits for somebody; the days come from its pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageRule {
    /// The stage.
    pub stage: &'static str,
    /// Whose work it is.
    pub owner: Role,
    /// Days after the stage was reached until it is shown.
    pub show_after_days: i32,
    /// Days after the stage was reached by which it should be done.
    pub due_after_days: i32,
    /// Days after the stage was reached from which the next tier is told.
    pub late_after_days: i32,
    /// The next tier.
    pub escalates_to: Role,
    /// Key of the sentence that says what is to be done.
    pub todo: &'static str,
}

/// How much a task presses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Not to be shown yet.
    Hidden,
    /// There is time.
    Open,
    /// Due today.
    DueToday,
    /// Past its day.
    Overdue,
    /// So far past its day that the next tier is told.
    Escalated,
}

impl Urgency {
    /// Key of its word.
    pub const fn word(self) -> &'static str {
        match self {
            Urgency::Hidden | Urgency::Open => "cases.urgency.open",
            Urgency::DueToday => "cases.urgency.due_today",
            Urgency::Overdue => "cases.urgency.overdue",
            Urgency::Escalated => "cases.urgency.escalated",
        }
    }
}

/// One thing to do about a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// The case.
    pub case: Case,
    /// Whose work it is.
    pub owner: Role,
    /// Who is told when it is late.
    pub escalates_to: Role,
    /// From when it is shown.
    pub show_from: Day,
    /// By when it should be done.
    pub due: Day,
    /// From when the next tier is told.
    pub late_after: Day,
    /// How much it presses today.
    pub urgency: Urgency,
    /// Key of the sentence that says what is to be done.
    pub todo: &'static str,
}

/// The task of a case on `today`; none if it is closed or its stage waits for nobody.
pub fn task(case: &Case, rules: &[StageRule], today: Day) -> Option<Task> {
    if case.closed_on.is_some() {
        return None;
    }
    let rule = rules.iter().find(|rule| rule.stage == case.stage)?;
    let show_from = case.stage_since.plus_days(rule.show_after_days);
    let due = case.stage_since.plus_days(rule.due_after_days);
    let late_after = case.stage_since.plus_days(rule.late_after_days);
    let urgency = if today < show_from {
        Urgency::Hidden
    } else if today > late_after {
        Urgency::Escalated
    } else if today > due {
        Urgency::Overdue
    } else if today == due {
        Urgency::DueToday
    } else {
        Urgency::Open
    };
    Some(Task {
        case: case.clone(),
        owner: rule.owner,
        escalates_to: rule.escalates_to,
        show_from,
        due,
        late_after,
        urgency,
        todo: rule.todo,
    })
}

impl Task {
    /// Whether it stands on `role`'s list: its own, or what was escalated to it.
    pub fn is_for(&self, role: Role) -> bool {
        self.urgency != Urgency::Hidden
            && (self.owner == role || (self.urgency == Urgency::Escalated && self.escalates_to == role))
    }
}

#[cfg(test)]
mod tests {
    use kangmai_base::{DivisionCode, Id, Uuid};

    use super::*;

    const RULE: StageRule = StageRule {
        stage: "check",
        owner: Role::VillageDoctor,
        show_after_days: 1,
        due_after_days: 5,
        late_after_days: 8,
        escalates_to: Role::TownshipOfficer,
        todo: "test.check",
    };

    fn case(stage: &str, closed: bool) -> Case {
        Case {
            id: Id::from_uuid(Uuid::nil()),
            programme: "test".into(),
            subject: Uuid::nil(),
            place: DivisionCode::COUNTRY,
            stage: stage.into(),
            stage_since: Day(1_000),
            opened_on: Day(1_000),
            closed_on: closed.then_some(Day(1_001)),
            outcome: None,
            weight: 0,
        }
    }

    #[test]
    fn a_task_presses_more_with_each_day() {
        for (today, urgency, doctor, township) in [
            (1_000, Urgency::Hidden, false, false),
            (1_001, Urgency::Open, true, false),
            (1_004, Urgency::Open, true, false),
            (1_005, Urgency::DueToday, true, false),
            (1_006, Urgency::Overdue, true, false),
            (1_008, Urgency::Overdue, true, false),
            (1_009, Urgency::Escalated, true, true),
        ] {
            let task = task(&case("check", false), &[RULE], Day(today)).expect("a task");
            assert_eq!(task.urgency, urgency, "{today}");
            assert_eq!(task.is_for(Role::VillageDoctor), doctor, "{today}");
            assert_eq!(task.is_for(Role::TownshipOfficer), township, "{today}");
        }
    }

    #[test]
    fn closed_cases_and_stages_that_wait_for_nobody_have_none() {
        assert_eq!(task(&case("check", true), &[RULE], Day(1_005)), None);
        assert_eq!(task(&case("notice", false), &[RULE], Day(1_005)), None);
    }
}
