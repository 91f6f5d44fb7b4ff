//! What a person may ask of whoever holds their data (个人信息保护法 art. 15, 23, 44 to 50): consents and their withdrawal,
//! requests that something be put right or erased. Bodies of the facts, and the pure rules.

use kangmai_base::{Day, Refusal, Uuid};
use kangmai_policy::{RecordClass, RecordRules};
use kangmai_record::{Fact, NewFact};
use serde::{Deserialize, Serialize};

/// Somebody agreed that something is handed to somebody else; the body is a [`ConsentGiven`].
pub const CONSENT_GIVEN: &str = "register.consent_given";
/// Such a consent was withdrawn; the body is a [`ConsentWithdrawn`].
pub const CONSENT_WITHDRAWN: &str = "register.consent_withdrawn";
/// Somebody asked that something be put right or erased; the body is a [`Requested`].
pub const REQUESTED: &str = "register.requested";
/// Such a request was answered; the body is an [`Answered`].
pub const ANSWERED: &str = "register.request_answered";
/// Who asked does not want it any more; the body is a [`TakenBack`].
pub const TAKEN_BACK: &str = "register.request_taken_back";
/// A person was erased. About the request, since the person is gone; the body is an [`Erased`].
pub const ERASED: &str = "register.erased";

/// The longest text of a request, consent or answer, in characters.
pub(crate) const LONGEST_TEXT: usize = 500;
/// The longest name of somebody else, in characters.
pub(crate) const LONGEST_NAME: usize = 60;

/// Who speaks for the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
    /// The person.
    Person,
    /// 监护人: of children under 14 and of who cannot decide (art. 31).
    Guardian,
    /// 近亲属: of somebody who died (art. 49).
    NearRelative,
    /// 受托人: with a mandate.
    Agent,
}

impl Speaker {
    /// All of them.
    pub const ALL: [Speaker; 4] = [Speaker::Person, Speaker::Guardian, Speaker::NearRelative, Speaker::Agent];

    /// As it stands in facts.
    pub const fn key(self) -> &'static str {
        match self {
            Speaker::Person => "person",
            Speaker::Guardian => "guardian",
            Speaker::NearRelative => "near_relative",
            Speaker::Agent => "agent",
        }
    }

    /// The one with this key.
    pub fn of_key(key: &str) -> Option<Speaker> {
        Speaker::ALL.into_iter().find(|speaker| speaker.key() == key)
    }

    /// Key of its word.
    pub const fn word(self) -> &'static str {
        match self {
            Speaker::Person => "register.speaker.person",
            Speaker::Guardian => "register.speaker.guardian",
            Speaker::NearRelative => "register.speaker.near_relative",
            Speaker::Agent => "register.speaker.agent",
        }
    }
}

/// Whether this one may speak for a person of `age` who is alive or not.
///
/// # Errors
/// The sentence at the field `speaker` or `speaker_name`: somebody dead says nothing, near relatives speak for the dead only,
/// and a child under 14 is spoken for by a guardian (art. 31, 49).
pub fn check_speaker(
    speaker: Speaker,
    speaker_name: Option<&str>,
    (age, is_dead): (Option<i32>, bool),
) -> Result<(), Refusal> {
    let at = |key: &'static str| Err(Refusal::new(key).at("speaker"));
    match speaker {
        Speaker::NearRelative if !is_dead => at("register.refused.not_dead"),
        Speaker::Person | Speaker::Guardian | Speaker::Agent if is_dead => at("register.refused.dead"),
        Speaker::Person if age.is_some_and(|age| age < OF_AGE) => at("register.refused.child"),
        Speaker::Guardian | Speaker::NearRelative | Speaker::Agent if speaker_name.is_none() => {
            Err(Refusal::new("register.refused.whose_name").at("speaker_name"))
        }
        _ => Ok(()),
    }
}

/// The age from which somebody consents for themself (个人信息保护法 art. 31).
const OF_AGE: i32 = 14;

/// That something may be handed to one recipient for one use (art. 23, 29).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentGiven {
    /// To whom.
    pub recipient: String,
    /// What for.
    pub used_for: String,
    /// The last day on which it holds.
    pub until: Day,
    /// Who agreed.
    pub speaker: Speaker,
    /// Their name, if it is not the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speaker_name: Option<String>,
    /// How it was made sure who agreed, and where the signed paper lies.
    pub paper: String,
}

/// A consent does not hold any more, from the moment of this fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentWithdrawn {
    /// The fact by which it was given.
    pub consent: Uuid,
    /// Who withdrew it.
    pub speaker: Speaker,
}

/// A consent as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// The fact by which it was given.
    pub id: Uuid,
    /// On which day.
    pub given_on: Day,
    /// What was agreed.
    pub body: ConsentGiven,
    /// The day on which it was withdrawn.
    pub withdrawn_on: Option<Day>,
}

impl Consent {
    /// Whether something may be handed over by it on `day`.
    pub fn holds_on(&self, day: Day) -> bool {
        self.withdrawn_on.is_none() && day <= self.body.until
    }

    /// Key of the word for how it stands on `day`, and its tone.
    pub fn state(&self, day: Day) -> (&'static str, &'static str) {
        match (self.withdrawn_on, day <= self.body.until) {
            (Some(_), _) => ("register.consent.withdrawn", "plain"),
            (None, true) => ("register.consent.holds", "good"),
            (None, false) => ("register.consent.over", "plain"),
        }
    }
}

/// The consents that these facts of one person tell, the latest first.
///
/// # Errors
/// When a fact cannot be read.
pub fn consents(given: &[Fact], withdrawn: &[Fact]) -> Result<Vec<Consent>, kangmai_database::DatabaseError> {
    let mut all = Vec::with_capacity(given.len());
    for fact in given.iter().rev() {
        let mut consent = Consent {
            id: fact.new.id,
            given_on: fact.new.occurred_at.day(),
            body: fact.body()?,
            withdrawn_on: None,
        };
        for withdrawal in withdrawn {
            if withdrawal.body::<ConsentWithdrawn>()?.consent == fact.new.id {
                consent.withdrawn_on = Some(withdrawal.new.occurred_at.day());
            }
        }
        all.push(consent);
    }
    Ok(all)
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// 更正、补充 (art. 46).
    Correct,
    /// 删除 (art. 47).
    Erase,
}

impl Wish {
    /// All of them.
    pub const ALL: [Wish; 2] = [Wish::Correct, Wish::Erase];

    /// As it stands in the table and in addresses.
    pub const fn key(self) -> &'static str {
        match self {
            Wish::Correct => "correct",
            Wish::Erase => "erase",
        }
    }

    /// The one with this key.
    pub fn of_key(key: &str) -> Option<Wish> {
        Wish::ALL.into_iter().find(|wish| wish.key() == key)
    }

    /// Key of its word.
    pub const fn word(self) -> &'static str {
        match self {
            Wish::Correct => "register.wish.correct",
            Wish::Erase => "register.wish.erase",
        }
    }
}

/// On what ground somebody is erased (art. 47).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ground {
    /// 处理目的已实现、无法实现或不再必要
    PurposeEnded,
    /// 保存期限届满
    PeriodOver,
    /// 撤回同意
    ConsentWithdrawn,
    /// 违法或没有依据的处理
    Unlawful,
}

impl Ground {
    /// All of them.
    pub const ALL: [Ground; 4] =
        [Ground::PurposeEnded, Ground::PeriodOver, Ground::ConsentWithdrawn, Ground::Unlawful];

    /// As it stands in the table.
    pub const fn key(self) -> &'static str {
        match self {
            Ground::PurposeEnded => "purpose_ended",
            Ground::PeriodOver => "period_over",
            Ground::ConsentWithdrawn => "consent_withdrawn",
            Ground::Unlawful => "unlawful",
        }
    }

    /// The one with this key.
    pub fn of_key(key: &str) -> Option<Ground> {
        Ground::ALL.into_iter().find(|ground| ground.key() == key)
    }

    /// Key of its word.
    pub const fn word(self) -> &'static str {
        match self {
            Ground::PurposeEnded => "register.ground.purpose_ended",
            Ground::PeriodOver => "register.ground.period_over",
            Ground::ConsentWithdrawn => "register.ground.consent_withdrawn",
            Ground::Unlawful => "register.ground.unlawful",
        }
    }
}

/// Somebody asked for something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requested {
    /// What.
    pub wish: Wish,
    /// Of an erasure: why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ground: Option<Ground>,
    /// In their words.
    pub text: String,
    /// Who asked.
    pub speaker: Speaker,
    /// Their name, if it is not the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speaker_name: Option<String>,
    /// How it was made sure who asked, and where the paper lies.
    pub paper: String,
}

/// What the office said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answered {
    /// The fact by which it was asked.
    pub request: Uuid,
    /// Whether what was asked is done.
    pub granted: bool,
    /// What was done, or why not.
    pub text: String,
}

/// Who asked does not want it any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TakenBack {
    /// The fact by which it was asked.
    pub request: Uuid,
}

/// That a person was erased, without saying who it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Erased {
    /// On what ground.
    pub ground: Ground,
    /// When it was asked.
    pub asked_on: Day,
    /// The account that wrote the request down.
    pub asked_by: Uuid,
    /// How many facts were made empty.
    pub facts: u64,
}

/// Whether the body of a fact of ours can be read.
///
/// # Errors
/// `record.parked.unreadable`.
pub(crate) fn admit(fact: &NewFact) -> Result<(), Refusal> {
    match fact.kind.as_str() {
        CONSENT_GIVEN => fact.read_body::<ConsentGiven>().map(|_| ()),
        CONSENT_WITHDRAWN => fact.read_body::<ConsentWithdrawn>().map(|_| ()),
        REQUESTED => fact.read_body::<Requested>().map(|_| ()),
        ANSWERED => fact.read_body::<Answered>().map(|_| ()),
        TAKEN_BACK => fact.read_body::<TakenBack>().map(|_| ()),
        _ => fact.read_body::<Erased>().map(|_| ()),
    }
}

/// What is kept of one class, and for how long by law.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Key of the word for what it is.
    pub word: &'static str,
    /// Its class.
    pub class: Option<RecordClass>,
    /// How many records.
    pub count: i64,
    /// The day of the latest.
    pub latest: Option<Day>,
    /// The first day on which they need not be kept any more; none: no law asks that they be kept.
    pub until: Option<Day>,
}

impl Held {
    /// Whether a law asks on `day` that they be kept.
    pub fn is_kept_on(&self, day: Day) -> bool {
        self.until.is_some_and(|until| day < until)
    }
}

/// For how long by `rules` something of `class`, the latest of `latest`, is kept.
pub fn kept_until(
    rules: Option<&RecordRules>,
    class: Option<RecordClass>,
    latest: Option<Day>,
) -> Option<Day> {
    let kept = rules?.kept(class?)?;
    Some(kept.until(latest?))
}

/// The last day of all that a law keeps on `day`; none: nothing stands in the way of erasing.
pub fn kept_by_law(held: &[Held], day: Day) -> Option<Day> {
    held.iter().filter(|held| held.is_kept_on(day)).filter_map(|held| held.until).max()
}

/// By which day a request of `asked_on` is to be answered.
pub fn due_on(rules: Option<&RecordRules>, asked_on: Day) -> Option<Day> {
    rules.map(|rules| asked_on.plus_days(rules.answer_days))
}
