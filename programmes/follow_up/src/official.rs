//! The record tables of the national norm (国家基本公共卫生服务规范（第三版）附件), as rows: what stands on paper, in its order. What is
//! asked is named by items of the catalogue; a row whose items no table asks stays to be filled in by hand.

use crate::facts::{Found, Visited};

/// What a cell of a row holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cell {
    /// 随访日期
    Day,
    /// 随访方式
    Way,
    /// Answers to items, several joined by a stroke.
    Items(&'static [&'static str]),
    /// What the visit came to, in the words of the table.
    State,
    /// 此次随访分类 with its number on paper: by the classes of the form.
    Class(&'static [Class]),
    /// 转诊原因
    ReferralWhy,
    /// 下次随访日期
    Next,
    /// Remarks.
    Note,
    /// 随访医生签名
    By,
    /// Left to be filled in by hand.
    Hand,
}

/// One class of a form; of several that fit, the first is the gravest and taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Class {
    /// Its number on paper.
    pub(crate) number: usize,
    /// Key of its word.
    pub(crate) word: &'static str,
    /// When.
    pub(crate) when: When,
}

/// When a class of a form fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// One of these was answered for the item.
    Answered(&'static str, &'static [&'static str]),
    /// The visit came to one of these states.
    State(&'static [&'static str]),
    /// At target, or not.
    AtTarget(bool),
}

/// 控制满意, 控制不满意, 不良反应, 并发症: of hypertension and diabetes.
const CONTROL: &[Class] = &[
    Class {
        number: 4,
        word: "follow_up.class.complication",
        when: When::Answered("complication", &["new_or_worse"]),
    },
    Class {
        number: 3,
        word: "follow_up.class.side_effect",
        when: When::Answered("side_effect", &["yes", "hard_to_control"]),
    },
    Class { number: 2, word: "follow_up.class.uncontrolled", when: When::AtTarget(false) },
    Class { number: 1, word: "follow_up.class.controlled", when: When::AtTarget(true) },
];
/// 不稳定, 基本稳定, 稳定: of severe mental illness.
const MENTAL: &[Class] = &[
    Class { number: 1, word: "follow_up.class.unstable", when: When::State(&["unstable"]) },
    Class {
        number: 2,
        word: "follow_up.class.basically_stable",
        when: When::State(&["not_better", "basically_stable"]),
    },
    Class { number: 3, word: "follow_up.class.stable", when: When::State(&["stable"]) },
];

/// The class of a form that fits what was answered and what it came to.
pub(crate) fn class_of(classes: &'static [Class], visit: &Visited, found: &Found) -> Option<&'static Class> {
    let state = found.state.as_deref()?;
    classes.iter().find(|class| match class.when {
        When::Answered(item, options) => {
            let answer = visit.answers.get(item).map(Vec::as_slice).unwrap_or_default();
            answer.iter().any(|one| options.contains(&one.as_str()))
        }
        When::State(states) => states.contains(&state),
        When::AtTarget(at_target) => found.at_target == Some(at_target),
    })
}

/// A row: its group, its label (none: the name of its item), and its cells.
pub(crate) type Row = (&'static str, &'static str, Cell);

/// A record table.
pub(crate) struct Official {
    /// Whose visits it records.
    pub(crate) programme: &'static str,
    /// Key of its title.
    pub(crate) title: &'static str,
    /// Its rows.
    pub(crate) rows: &'static [Row],
}

/// Visits that one sheet of paper holds.
pub(crate) const COLUMNS: usize = 4;

const BODY: &str = "follow_up.group.body";
const LIFE: &str = "follow_up.group.life";
const DRUGS: &str = "follow_up.group.drugs";
const REFERRAL: &str = "follow_up.group.referral";
const MIND: &str = "follow_up.group.mind";
const CHECK: &str = "follow_up.group.check";

/// All of them.
pub(crate) const ALL: &[Official] = &[
    Official {
        programme: "hypertension",
        title: "follow_up.official.hypertension",
        rows: &[
            ("", "follow_up.row.day", Cell::Day),
            ("", "follow_up.row.way", Cell::Way),
            ("", "follow_up.row.symptoms", Cell::Items(&["hypertension_danger"])),
            (BODY, "follow_up.row.pressure", Cell::Items(&["systolic", "diastolic"])),
            (BODY, "", Cell::Items(&["weight"])),
            (BODY, "", Cell::Items(&["height"])),
            (BODY, "", Cell::Items(&["heart_rate"])),
            (LIFE, "", Cell::Items(&["smoking"])),
            (LIFE, "", Cell::Items(&["drinking"])),
            (LIFE, "follow_up.row.exercise", Cell::Items(&["exercise", "exercise_minutes"])),
            (LIFE, "", Cell::Items(&["salt"])),
            (LIFE, "", Cell::Items(&["mood"])),
            (LIFE, "", Cell::Items(&["compliance"])),
            ("", "", Cell::Items(&["examination"])),
            ("", "", Cell::Items(&["adherence"])),
            ("", "", Cell::Items(&["side_effect"])),
            ("", "", Cell::Items(&["complication"])),
            ("", "follow_up.row.class", Cell::Class(CONTROL)),
            (DRUGS, "", Cell::Items(&["medicines"])),
            (REFERRAL, "follow_up.row.referral_why", Cell::ReferralWhy),
            (REFERRAL, "follow_up.row.referral_to", Cell::Hand),
            ("", "follow_up.row.next", Cell::Next),
            ("", "follow_up.row.note", Cell::Note),
            ("", "follow_up.row.by", Cell::By),
        ],
    },
    Official {
        programme: "type2_diabetes",
        title: "follow_up.official.type2_diabetes",
        rows: &[
            ("", "follow_up.row.day", Cell::Day),
            ("", "follow_up.row.way", Cell::Way),
            ("", "follow_up.row.symptoms", Cell::Items(&["diabetes_danger"])),
            (BODY, "follow_up.row.pressure", Cell::Items(&["systolic", "diastolic"])),
            (BODY, "", Cell::Items(&["weight"])),
            (BODY, "", Cell::Items(&["height"])),
            (BODY, "", Cell::Items(&["foot_pulse"])),
            (LIFE, "", Cell::Items(&["smoking"])),
            (LIFE, "", Cell::Items(&["drinking"])),
            (LIFE, "follow_up.row.exercise", Cell::Items(&["exercise", "exercise_minutes"])),
            (LIFE, "", Cell::Items(&["staple_food"])),
            (LIFE, "", Cell::Items(&["mood"])),
            (LIFE, "", Cell::Items(&["compliance"])),
            (CHECK, "", Cell::Items(&["fasting_glucose"])),
            (CHECK, "", Cell::Items(&["examination"])),
            ("", "", Cell::Items(&["adherence"])),
            ("", "", Cell::Items(&["side_effect"])),
            ("", "", Cell::Items(&["hypoglycemia"])),
            ("", "", Cell::Items(&["complication"])),
            ("", "follow_up.row.class", Cell::Class(CONTROL)),
            (DRUGS, "", Cell::Items(&["medicines"])),
            (REFERRAL, "follow_up.row.referral_why", Cell::ReferralWhy),
            (REFERRAL, "follow_up.row.referral_to", Cell::Hand),
            ("", "follow_up.row.next", Cell::Next),
            ("", "follow_up.row.note", Cell::Note),
            ("", "follow_up.row.by", Cell::By),
        ],
    },
    Official {
        programme: "severe_mental_illness",
        title: "follow_up.official.severe_mental_illness",
        rows: &[
            ("", "follow_up.row.day", Cell::Day),
            ("", "follow_up.row.way", Cell::Way),
            ("", "", Cell::Items(&["danger_level"])),
            (MIND, "", Cell::Items(&["mental_symptoms"])),
            (MIND, "", Cell::Items(&["insight"])),
            (MIND, "follow_up.row.sleep", Cell::Hand),
            (MIND, "follow_up.row.diet", Cell::Hand),
            (MIND, "", Cell::Items(&["social_function"])),
            ("", "follow_up.row.harm", Cell::Hand),
            ("", "follow_up.row.locked", Cell::Hand),
            ("", "follow_up.row.hospital", Cell::Hand),
            (CHECK, "follow_up.row.laboratory", Cell::Hand),
            ("", "", Cell::Items(&["adherence"])),
            ("", "", Cell::Items(&["serious_reaction"])),
            ("", "follow_up.row.class", Cell::Class(MENTAL)),
            (DRUGS, "", Cell::Items(&["medicines"])),
            ("", "follow_up.row.rehabilitation", Cell::Hand),
            (REFERRAL, "follow_up.row.referral_why", Cell::ReferralWhy),
            (REFERRAL, "follow_up.row.referral_to", Cell::Hand),
            ("", "follow_up.row.next", Cell::Next),
            ("", "follow_up.row.note", Cell::Note),
            ("", "follow_up.row.by", Cell::By),
        ],
    },
    Official {
        programme: "tuberculosis",
        title: "follow_up.official.tuberculosis",
        rows: &[
            ("", "follow_up.row.day", Cell::Day),
            ("", "", Cell::Items(&["tuberculosis_phase"])),
            ("", "", Cell::Items(&["supervisor"])),
            ("", "follow_up.row.way", Cell::Way),
            ("", "follow_up.row.symptoms", Cell::Items(&["tuberculosis_emergency"])),
            (LIFE, "", Cell::Items(&["smoking"])),
            (LIFE, "", Cell::Items(&["drinking"])),
            (DRUGS, "follow_up.row.regimen", Cell::Hand),
            (DRUGS, "", Cell::Items(&["medicines"])),
            (DRUGS, "", Cell::Items(&["adherence"])),
            (DRUGS, "follow_up.row.doses_missed", Cell::Hand),
            ("", "", Cell::Items(&["side_effect"])),
            ("", "follow_up.row.complication", Cell::Hand),
            (REFERRAL, "follow_up.row.referral_why", Cell::ReferralWhy),
            (REFERRAL, "follow_up.row.referral_to", Cell::Hand),
            (REFERRAL, "follow_up.row.referral_result", Cell::Hand),
            ("", "follow_up.row.class", Cell::State),
            ("", "follow_up.row.next", Cell::Next),
            ("", "follow_up.row.note", Cell::Note),
            ("", "follow_up.row.by", Cell::By),
        ],
    },
    Official {
        programme: "elderly",
        title: "follow_up.official.elderly",
        rows: &[
            ("", "follow_up.row.day", Cell::Day),
            (BODY, "follow_up.row.pressure", Cell::Items(&["systolic", "diastolic"])),
            (BODY, "", Cell::Items(&["heart_rate"])),
            (BODY, "", Cell::Items(&["weight"])),
            (LIFE, "", Cell::Items(&["self_care"])),
            (LIFE, "", Cell::Items(&["smoking"])),
            (LIFE, "", Cell::Items(&["exercise"])),
            (CHECK, "", Cell::Items(&["fasting_glucose"])),
            (CHECK, "follow_up.row.blood", Cell::Hand),
            (CHECK, "follow_up.row.liver_kidney", Cell::Hand),
            (CHECK, "follow_up.row.lipids", Cell::Hand),
            (CHECK, "follow_up.row.imaging", Cell::Hand),
            (DRUGS, "", Cell::Items(&["medicines"])),
            ("", "follow_up.row.note", Cell::Note),
            ("", "follow_up.row.by", Cell::By),
        ],
    },
];

#[cfg(test)]
mod tests {
    use std::path::Path;

    use kangmai_policy::Release;
    use kangmai_policy::follow_up::{FollowUpRules, ItemKind, sheet};

    use super::*;

    fn release() -> Release {
        let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
        Release::load(Release::read_directory(&packs).expect("the packs")).expect("a release")
    }

    fn rules<'r>(release: &'r Release, programme: &str) -> &'r FollowUpRules {
        let day = "2026-11-26".parse().expect("a day");
        release.follow_up(programme, "411722103203".parse().expect("a place"), day).expect(programme)
    }

    /// What somebody fills in on the paper; remarks are ours.
    fn fields(programme: &str) -> usize {
        let official = ALL.iter().find(|one| one.programme == programme).expect(programme);
        let of = |cell: Cell| match cell {
            Cell::Items(items) => items.len(),
            Cell::Note => 0,
            _ => 1,
        };
        official.rows.iter().map(|(.., cell)| of(*cell)).sum()
    }

    #[test]
    fn everything_on_paper_is_asked_or_left_to_the_hand() {
        let release = release();
        for official in ALL {
            let rules = rules(&release, official.programme);
            for (_, label, cell) in official.rows {
                let Cell::Items(items) = cell else { continue };
                let known = items.iter().filter(|id| rules.asks.iter().any(|ask| ask.item.id == **id));
                let is_optional = ["smoking", "drinking"].iter().any(|id| items.contains(id));
                assert!(is_optional || known.count() == items.len(), "{}: {items:?}", official.programme);
                assert!(!label.is_empty() || items.len() == 1, "{}: {items:?}", official.programme);
            }
        }
    }

    #[test]
    fn the_class_on_paper_is_the_gravest_that_fits() {
        let visit = |complication: &str, side_effect: &str| {
            let body = serde_json::json!({
                "visit": kangmai_base::Uuid::nil(), "on": "2026-03-01", "way": "home", "by": "", "law": "", "found": [],
                "answers": { "complication": [complication], "side_effect": [side_effect] },
            });
            serde_json::from_value::<Visited>(body).expect("a visit")
        };
        let found = |state: &str, at_target: bool| {
            let body = serde_json::json!({
                "programme": "", "state": state, "grade": "steady", "at_target": at_target, "running": 0, "due": [],
            });
            serde_json::from_value::<Found>(body).expect("found")
        };
        for (classes, complication, side_effect, state, at_target, number) in [
            (CONTROL, "none", "none", "controlled", true, Some(1)),
            (CONTROL, "none", "none", "uncontrolled", false, Some(2)),
            (CONTROL, "none", "none", "danger", false, Some(2)),
            (CONTROL, "none", "yes", "uncontrolled", false, Some(3)),
            (CONTROL, "none", "hard_to_control", "refer", false, Some(3)),
            (CONTROL, "new_or_worse", "yes", "refer", false, Some(4)),
            (MENTAL, "", "", "unstable", false, Some(1)),
            (MENTAL, "", "", "not_better", false, Some(2)),
            (MENTAL, "", "", "basically_stable", false, Some(2)),
            (MENTAL, "", "", "stable", true, Some(3)),
            (MENTAL, "", "", "another", true, None),
        ] {
            let class = class_of(classes, &visit(complication, side_effect), &found(state, at_target));
            assert_eq!(class.map(|class| class.number), number, "{complication} {side_effect} {state}");
        }
    }

    #[test]
    fn what_a_doctor_fills_in_for_two_diseases() {
        let release = release();
        let both = ["hypertension", "type2_diabetes"];
        let sheet = sheet(both.map(|programme| rules(&release, programme)));
        let required: Vec<&str> =
            sheet.iter().filter(|ask| ask.required).map(|ask| ask.item.id.as_str()).collect();
        let is_number = |id: &&&str| {
            sheet.iter().any(|ask| ask.item.id == **id && matches!(ask.item.kind, ItemKind::Number { .. }))
        };
        let measured = required.iter().filter(is_number).count();
        // The figures of docs/burden.md.
        let paper = both.map(fields);
        assert_eq!((paper, paper.iter().sum::<usize>()), ([25, 27], 52));
        assert_eq!((required.len(), measured, sheet.len()), (9, 3, 24));
    }
}
