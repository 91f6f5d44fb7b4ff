//! What a place says of records about people: how long each class is kept, and in how many days somebody who asks is
//! answered.

use kangmai_base::Day;

use crate::dated::Period;
use crate::fields::Fields;
use crate::words::Word;
use crate::{Source, Sure};

/// A class of records that a law keeps for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordClass {
    /// 门诊病历: diagnoses and care outside of a ward.
    Outpatient,
    /// 住院病历: stays.
    Inpatient,
    /// 结算凭证: what was settled and who paid.
    Settlement,
    /// 帮扶档案: warnings, what was found in a home, what was decided.
    Support,
}

impl RecordClass {
    /// All of them.
    pub const ALL: [RecordClass; 4] =
        [RecordClass::Outpatient, RecordClass::Inpatient, RecordClass::Settlement, RecordClass::Support];
    const NAMES: &[&str] = &["outpatient", "inpatient", "settlement", "support"];

    /// The name in packs.
    pub const fn name(self) -> &'static str {
        match self {
            RecordClass::Outpatient => "outpatient",
            RecordClass::Inpatient => "inpatient",
            RecordClass::Settlement => "settlement",
            RecordClass::Support => "support",
        }
    }

    fn from_name(name: &str) -> Option<RecordClass> {
        RecordClass::ALL.into_iter().find(|class| class.name() == name)
    }
}

/// How long records of a class are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordKept {
    /// Which.
    pub class: RecordClass,
    /// Years from the day of the latest record of the class.
    pub years: i32,
    /// Where this figure comes from, if not from where the others do.
    pub source: Option<Source>,
    /// How sure this figure is, if not as the others are.
    pub sure: Option<Sure>,
}

impl RecordKept {
    /// The first day on which a record of `day` need not be kept any more.
    pub fn until(&self, day: Day) -> Day {
        day.plus_months(12 * self.years)
    }
}

/// What a place says of records, for a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordRules {
    /// When it holds.
    pub period: Period,
    /// How sure.
    pub sure: Sure,
    /// Where from.
    pub source: Source,
    /// Days in which a request about one's own data is answered.
    pub answer_days: i32,
    /// How long each class is kept; a class that is not named is kept as long as it is needed, and no longer by law.
    pub kept: Vec<RecordKept>,
}

/// The longest that a pack may keep a class, in years: a figure beyond a life is a slip of the hand.
const MOST_YEARS: i64 = 150;
/// The longest that somebody may wait for an answer, in days.
const MOST_DAYS: i64 = 366;

/// What a case may ask.
pub(crate) const ANSWERS: &[&str] = &["in_force", "answer_days", "kept"];

impl RecordRules {
    /// How long `class` is kept, if a law says so.
    pub fn kept(&self, class: RecordClass) -> Option<&RecordKept> {
        self.kept.iter().find(|kept| kept.class == class)
    }

    pub(crate) fn read(fields: &Fields<'_>) -> Option<RecordRules> {
        let (period, sure, source) = (Period::read(fields), Sure::read(fields), Source::read(fields));
        let answer_days = read_whole(fields, "answer_days", MOST_DAYS);
        let mut kept: Vec<RecordKept> = Vec::new();
        for table in fields.tables("kept") {
            let Some(one) = read_kept(&table) else { continue };
            if kept.iter().any(|earlier| earlier.class == one.class) {
                let error = table.spot().error(Word::ErrTwice, Word::MendTwice);
                table.push(error.with("value", one.class.name()));
            }
            kept.push(one);
        }
        fields.finish();
        Some(RecordRules { period: period?, sure: sure?, source: source?, answer_days: answer_days?, kept })
    }

    pub(crate) fn answers(&self) -> Vec<(&'static str, String)> {
        let kept = self.kept.iter().map(|kept| format!("{} {}", kept.class.name(), kept.years));
        let kept = kept.collect::<Vec<String>>().join(", ");
        vec![
            ("in_force", true.to_string()),
            ("answer_days", self.answer_days.to_string()),
            ("kept", if kept.is_empty() { "none".to_owned() } else { kept }),
        ]
    }
}

fn read_kept(table: &Fields<'_>) -> Option<RecordKept> {
    let class = table.chosen(table.text("class"), RecordClass::NAMES, RecordClass::from_name);
    let years = read_whole(table, "years", MOST_YEARS);
    let (source, sure) = (Source::read_maybe(table), Sure::read_maybe(table));
    table.finish();
    Some(RecordKept { class: class?, years: years?, source, sure })
}

/// A whole number of at least one and at most `most`.
fn read_whole(fields: &Fields<'_>, key: &'static str, most: i64) -> Option<i32> {
    let read = fields.whole(key)?;
    if !(1..=most).contains(&read.value) {
        let error = read.spot.error(Word::ErrNotInList, Word::MendList);
        fields.push(error.with("value", read.value.to_string()).with("list", format!("1 … {most}")));
        return None;
    }
    i32::try_from(read.value).ok()
}
