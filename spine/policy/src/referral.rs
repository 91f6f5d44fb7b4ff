//! 双向转诊: in how many days a referral is answered and what follows it, and for how long who receives somebody reaches their
//! record, as one place rules it for a time.

use crate::dated::Period;
use crate::fields::Fields;
use crate::words::Word;
use crate::{Source, Sure};

/// What a place says of referrals, for a time. Days are counted from the day on which a step is reached; 0 is the same day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferralRules {
    /// When it holds.
    pub period: Period,
    /// How sure.
    pub sure: Sure,
    /// Where from.
    pub source: Source,
    /// In how many days one that is urgent is answered.
    pub answer_at_once_days: i32,
    /// In how many days any other is answered.
    pub answer_days: i32,
    /// In how many days it is written down whether somebody who was accepted came: from the day that was named, else from the
    /// answer.
    pub arrive_days: i32,
    /// In how many days the lower side takes somebody back.
    pub take_back_days: i32,
    /// In how many days the sender decides what follows a refusal, or on somebody who did not come, or on a visit that came to
    /// a referral.
    pub decide_days: i32,
    /// Days past its day from which the next tier is told.
    pub tell_after_days: i32,
    /// The longest that who is asked reaches the record while nobody comes or answers.
    pub open_days: i32,
    /// For how long after the arrival who receives reaches the record.
    pub treating_days: i32,
}

/// The longest that a pack may set, in days: a figure beyond a year is a slip of the hand.
const MOST_DAYS: i64 = 366;

/// What a case may ask.
pub(crate) const ANSWERS: &[&str] = &[
    "in_force",
    "answer_at_once_days",
    "answer_days",
    "arrive_days",
    "take_back_days",
    "decide_days",
    "tell_after_days",
    "open_days",
    "treating_days",
];

impl ReferralRules {
    pub(crate) fn read(fields: &Fields<'_>) -> Option<ReferralRules> {
        let (period, sure, source) = (Period::read(fields), Sure::read(fields), Source::read(fields));
        let days = |key| read_days(fields, key, 0);
        let least_one = |key| read_days(fields, key, 1);
        let (at_once, answer, arrive) =
            (days("answer_at_once_days"), days("answer_days"), days("arrive_days"));
        let (take_back, decide, tell) =
            (days("take_back_days"), days("decide_days"), days("tell_after_days"));
        let (open, treating) = (least_one("open_days"), least_one("treating_days"));
        fields.finish();
        Some(ReferralRules {
            period: period?,
            sure: sure?,
            source: source?,
            answer_at_once_days: at_once?,
            answer_days: answer?,
            arrive_days: arrive?,
            take_back_days: take_back?,
            decide_days: decide?,
            tell_after_days: tell?,
            open_days: open?,
            treating_days: treating?,
        })
    }

    pub(crate) fn answers(&self) -> Vec<(&'static str, String)> {
        vec![
            ("in_force", true.to_string()),
            ("answer_at_once_days", self.answer_at_once_days.to_string()),
            ("answer_days", self.answer_days.to_string()),
            ("arrive_days", self.arrive_days.to_string()),
            ("take_back_days", self.take_back_days.to_string()),
            ("decide_days", self.decide_days.to_string()),
            ("tell_after_days", self.tell_after_days.to_string()),
            ("open_days", self.open_days.to_string()),
            ("treating_days", self.treating_days.to_string()),
        ]
    }
}

/// A whole number of days of at least `least`.
fn read_days(fields: &Fields<'_>, key: &'static str, least: i64) -> Option<i32> {
    let read = fields.whole(key)?;
    if !(least..=MOST_DAYS).contains(&read.value) {
        let error = read.spot.error(Word::ErrNotInList, Word::MendList);
        let list = format!("{least} … {MOST_DAYS}");
        fields.push(error.with("value", read.value.to_string()).with("list", list));
        return None;
    }
    i32::try_from(read.value).ok()
}
