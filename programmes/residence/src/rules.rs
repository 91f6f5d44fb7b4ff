//! Who may ask, answer and end what, and how a hand-over stands on a day. Pure: no database, no clock.

use kangmai_base::{Day, DivisionCode, DivisionLevel, Refusal, Uuid};

use crate::facts::{Answered, Asked, EndReason, Ended, Side};

/// Days ahead from which a hand-over may begin at most: more is a slip of the finger. No law sets one.
pub const MOST_DAYS_AHEAD: i32 = 366;
/// The least length of a reason, in characters.
pub const SHORTEST_REASON: usize = 4;
/// The longest reason or note, in characters.
pub const LONGEST_NOTE: usize = 200;

/// Something that happened, as the record has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The person's home then.
    pub place: DivisionCode,
    /// The day on which it came into the record.
    pub on: Day,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// One side asked.
    Asked(Asked),
    /// The other answered.
    Answered(Answered),
    /// It is over.
    Ended(Ended),
    /// The register has the person at home in the event's place.
    Registered,
}

/// A hand-over with all that happened to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandOver {
    /// Where the person is registered, as long as it lasts.
    pub home: DivisionCode,
    /// The question.
    pub asked: Asked,
    /// The answer, once there is one.
    pub answered: Option<Answered>,
    /// The end: from which day, and why.
    pub ended: Option<(Day, EndReason)>,
    /// The fact of the end, where somebody wrote one.
    pub ending: Option<Ended>,
}

/// How a hand-over stands on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The other side has not answered.
    Waiting,
    /// The other side said no.
    Refused,
    /// Accepted, from a later day.
    Ahead,
    /// The place of living serves.
    InForce,
    /// Over, or taken back before there was an answer.
    Over,
}

impl State {
    /// All of them.
    pub const ALL: [State; 5] = [State::Waiting, State::Refused, State::Ahead, State::InForce, State::Over];

    /// As filters and words have it.
    pub const fn key(self) -> &'static str {
        match self {
            State::Waiting => "waiting",
            State::Refused => "refused",
            State::Ahead => "ahead",
            State::InForce => "in_force",
            State::Over => "over",
        }
    }

    /// Whether it stands in the way of another.
    pub const fn is_open(self) -> bool {
        matches!(self, State::Waiting | State::Ahead | State::InForce)
    }

    /// Told from the columns of a row: the day of the answer that was yes, whether it was no, the day of the end.
    pub fn of(refused: bool, from_on: Option<Day>, ended_on: Option<Day>, today: Day) -> State {
        match (refused, from_on, ended_on) {
            (true, ..) => State::Refused,
            (_, _, Some(ended)) if ended <= today => State::Over,
            (_, None, _) => State::Waiting,
            (_, Some(from), _) if from > today => State::Ahead,
            _ => State::InForce,
        }
    }
}

impl HandOver {
    /// Its identifier.
    pub const fn id(&self) -> Uuid {
        self.asked.hand_over
    }

    /// From which day on the place of living serves, if it was accepted.
    pub fn from_on(&self) -> Option<Day> {
        self.answered.as_ref().and_then(|answered| answered.from_on)
    }

    /// Whether the other side said no.
    pub fn is_refused(&self) -> bool {
        self.answered.as_ref().is_some_and(|answered| answered.from_on.is_none())
    }

    /// How it stands on `today`.
    pub fn state(&self, today: Day) -> State {
        State::of(self.is_refused(), self.from_on(), self.ended.map(|(on, _)| on), today)
    }

    /// The first day on which the place of living serves and the first on which it does not any more, if it ever does.
    pub fn days(&self) -> Option<(Day, Option<Day>)> {
        let from = self.from_on()?;
        let until = self.ended.map(|(on, _)| on);
        until.is_none_or(|until| until > from).then_some((from, until))
    }

    /// The place of a side.
    pub const fn place(&self, side: Side) -> DivisionCode {
        match side {
            Side::Home => self.home,
            Side::Living => self.asked.living,
        }
    }
}

/// Folds the facts about one person, in the order in which they came. A new registration in another township ends what is open:
/// who lives there is at home there, or another township is asked.
pub fn hand_overs(events: &[Event]) -> Vec<HandOver> {
    let mut all: Vec<HandOver> = Vec::new();
    for event in events {
        match &event.what {
            What::Asked(asked) => all.push(HandOver {
                home: event.place,
                asked: asked.clone(),
                answered: None,
                ended: None,
                ending: None,
            }),
            What::Answered(answered) => {
                let one = all.iter_mut().find(|one| one.id() == answered.hand_over);
                if let Some(one) = one.filter(|one| one.answered.is_none() && one.ended.is_none()) {
                    one.answered = Some(answered.clone());
                }
            }
            What::Ended(ended) => {
                let one = all.iter_mut().find(|one| one.id() == ended.hand_over);
                if let Some(one) = one.filter(|one| one.ended.is_none()) {
                    one.ended = Some((ended.on, ended.why));
                    one.ending = Some(ended.clone());
                }
            }
            What::Registered => {
                for one in all.iter_mut().filter(|one| one.ended.is_none() && !one.is_refused()) {
                    if township(one.home) == township(event.place) {
                        one.home = event.place;
                    } else {
                        one.ended = Some((event.on, EndReason::Registered));
                    }
                }
            }
        }
    }
    all
}

/// The township in which a place lies.
pub const fn township(place: DivisionCode) -> DivisionCode {
    place.at(DivisionLevel::Township)
}

/// Whether both lie in one county: only there is a hand-over.
pub fn same_county(one: DivisionCode, other: DivisionCode) -> bool {
    one.at(DivisionLevel::County) == other.at(DivisionLevel::County)
}

/// What a question rests on.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Where the person is registered.
    pub home: DivisionCode,
    /// Whether they live.
    pub is_alive: bool,
    /// What is known of hand-overs of them.
    pub known: &'a [HandOver],
    /// Where they live.
    pub living: DivisionCode,
    /// Who asks.
    pub side: Side,
    /// The place of whoever asks.
    pub asker: DivisionCode,
}

/// Whether somebody's hand-over may be asked for on `today`.
///
/// # Errors
/// The refusal that says why not.
pub fn may_ask(question: &Question<'_>, today: Day) -> Result<(), Refusal> {
    let Question { home, living, .. } = *question;
    if !question.is_alive {
        return Err(Refusal::new("residence.refused.died"));
    }
    if living.level() != Some(DivisionLevel::Village) {
        return Err(Refusal::new("residence.refused.village").at("village"));
    }
    if !same_county(home, living) {
        return Err(Refusal::new("residence.refused.other_county").at("village"));
    }
    if township(home) == township(living) {
        return Err(Refusal::new("residence.refused.same_township").at("village"));
    }
    let own = if question.side == Side::Home { home } else { living };
    if !question.asker.contains(own) {
        return Err(Refusal::new("residence.refused.not_yours"));
    }
    if question.known.iter().any(|one| one.state(today).is_open()) {
        return Err(Refusal::new("residence.refused.open"));
    }
    Ok(())
}

/// Whether who works for `place` may answer on `today`: the side that was asked.
///
/// # Errors
/// The refusal that says why not.
pub fn may_answer(one: &HandOver, place: DivisionCode, today: Day) -> Result<(), Refusal> {
    if one.state(today) != State::Waiting {
        return Err(Refusal::new("residence.refused.answered"));
    }
    if !place.contains(one.place(one.asked.side.other())) {
        return Err(Refusal::new("residence.refused.not_asked"));
    }
    Ok(())
}

/// The day from which the place of living serves.
///
/// # Errors
/// The refusal that says why not.
pub fn check_from(from_on: Day, today: Day) -> Result<(), Refusal> {
    // A day that is over was the other side's: what was due then stays with it.
    if from_on < today || from_on > today.plus_days(MOST_DAYS_AHEAD) {
        let last = today.plus_days(MOST_DAYS_AHEAD);
        let refusal = Refusal::new("residence.refused.from").with("first", today.to_string());
        return Err(refusal.with("last", last.to_string()).at("from_on"));
    }
    Ok(())
}

/// Whether a reason says something.
///
/// # Errors
/// The refusal that says it does not.
pub fn check_reason(reason: &str, field: &'static str) -> Result<(), Refusal> {
    if reason.trim().chars().count() < SHORTEST_REASON {
        let least = SHORTEST_REASON.to_string();
        return Err(Refusal::new("residence.refused.reason").with("least", least).at(field));
    }
    Ok(())
}

/// Whether who works for `place` may end it on `today` for this reason: who asked, before there is an answer; either side later.
///
/// # Errors
/// The refusal that says why not.
pub fn may_end(one: &HandOver, place: DivisionCode, why: EndReason, today: Day) -> Result<(), Refusal> {
    let covers = |side| place.contains(one.place(side));
    let may = match (one.state(today), why) {
        (State::Waiting, EndReason::Withdrawn) => covers(one.asked.side),
        (State::Ahead | State::InForce, why) if EndReason::OFFERED.contains(&why) => {
            covers(Side::Home) || covers(Side::Living)
        }
        _ => false,
    };
    if may { Ok(()) } else { Err(Refusal::new("residence.refused.end")) }
}
