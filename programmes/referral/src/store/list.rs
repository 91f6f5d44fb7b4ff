//! Lists and counts of referrals: who was asked, who refers, and by place. What is late is asked in SQL with days that were worked
//! out from the pack, so that nothing about it is ever stored.

use kangmai_access::{Actor, Reach};
use kangmai_base::{Day, DivisionCode, Uuid};
use kangmai_database::{DatabaseError, Row, Transaction, Value, params};
use kangmai_people::read_name;
use kangmai_policy::ReferralRules;

use crate::facts::{Direction, Urgency};
use crate::folder::Stage;

// $1: whose (in, out, all); $2: the institution of who asks; $3 to $6: tiers and place of the institutions that are theirs; $7, $8:
// the places of which they read everything; $9, $10: the place asked for; $11: the state; $12 to $16: what has waited since before
// these days is late; $17, $18: the twelve months that are counted; $19: whether what tells a disease of level 5.
const LISTED: &str = "select referral.person, person.name_sealed, referral.id, referral.home, person.birth, direction,
    urgency, sender.name, from_place, asked.name, stage, waits_since, opened_on, outcome
    from referral join person on person.id = referral.person
    left join institution as sender on sender.id = referral.from_institution
    left join institution as asked on asked.id = referral.to_institution
    where person.died_on is null and referral.sensitive = $19
    and (($1 <> 'out' and (to_institution = $2 or (to_tier in ($3, $4) and to_place between $5 and $6)))
        or ($1 <> 'in' and (from_institution = $2 or (direction = 'up' and referral.home between $7 and $8)))
        or ($1 = 'all' and referral.home between $7 and $8))
    and referral.home between $9 and $10
    and (($11 = 'open' and stage <> 'closed') or $11 = 'all' or $11 = stage
        or ($11 = 'decide' and stage in ('refused', 'absent'))
        or ($11 = 'late' and ((stage = 'waiting' and direction = 'up' and urgency = 'at_once' and waits_since < $12)
        or (stage = 'waiting' and direction = 'up' and urgency = 'ordinary' and waits_since < $13)
        or (stage = 'waiting' and direction = 'down' and waits_since < $14)
        or (stage = 'accepted' and waits_since < $15)
        or (stage in ('refused', 'absent') and waits_since < $16)))
        or ($11 = 'to_answer' and direction = 'up' and opened_on between $17 and $18 and outcome <> 'withdrawn'
            and (answered_on is not null or ((stage = 'waiting' and direction = 'up' and urgency = 'at_once' and waits_since < $12)
        or (stage = 'waiting' and direction = 'up' and urgency = 'ordinary' and waits_since < $13)
        or (stage = 'waiting' and direction = 'down' and waits_since < $14)
        or (stage = 'accepted' and waits_since < $15)
        or (stage in ('refused', 'absent') and waits_since < $16))))
        or ($11 = 'to_come' and direction = 'up' and opened_on between $17 and $18 and outcome <> 'withdrawn'
            and accepted = true and (stage <> 'accepted' or ((stage = 'waiting' and direction = 'up' and urgency = 'at_once' and waits_since < $12)
        or (stage = 'waiting' and direction = 'up' and urgency = 'ordinary' and waits_since < $13)
        or (stage = 'waiting' and direction = 'down' and waits_since < $14)
        or (stage = 'accepted' and waits_since < $15)
        or (stage in ('refused', 'absent') and waits_since < $16))))
        or ($11 = 'to_return' and direction = 'up' and opened_on between $17 and $18 and arrived_on is not null
            and stage = 'closed'))
    order by case when stage = 'closed' then 1 else 0 end, case when urgency = 'at_once' then 0 else 1 end,
    case when stage = 'closed' then -waits_since else waits_since end, referral.id limit $20 offset $21";
const COUNTED: &str = "select count(*) from referral join person on person.id = referral.person
    where person.died_on is null and referral.sensitive = $19
    and (($1 <> 'out' and (to_institution = $2 or (to_tier in ($3, $4) and to_place between $5 and $6)))
        or ($1 <> 'in' and (from_institution = $2 or (direction = 'up' and referral.home between $7 and $8)))
        or ($1 = 'all' and referral.home between $7 and $8))
    and referral.home between $9 and $10
    and (($11 = 'open' and stage <> 'closed') or $11 = 'all' or $11 = stage
        or ($11 = 'decide' and stage in ('refused', 'absent'))
        or ($11 = 'late' and ((stage = 'waiting' and direction = 'up' and urgency = 'at_once' and waits_since < $12)
        or (stage = 'waiting' and direction = 'up' and urgency = 'ordinary' and waits_since < $13)
        or (stage = 'waiting' and direction = 'down' and waits_since < $14)
        or (stage = 'accepted' and waits_since < $15)
        or (stage in ('refused', 'absent') and waits_since < $16)))
        or ($11 = 'to_answer' and direction = 'up' and opened_on between $17 and $18 and outcome <> 'withdrawn'
            and (answered_on is not null or ((stage = 'waiting' and direction = 'up' and urgency = 'at_once' and waits_since < $12)
        or (stage = 'waiting' and direction = 'up' and urgency = 'ordinary' and waits_since < $13)
        or (stage = 'waiting' and direction = 'down' and waits_since < $14)
        or (stage = 'accepted' and waits_since < $15)
        or (stage in ('refused', 'absent') and waits_since < $16))))
        or ($11 = 'to_come' and direction = 'up' and opened_on between $17 and $18 and outcome <> 'withdrawn'
            and accepted = true and (stage <> 'accepted' or ((stage = 'waiting' and direction = 'up' and urgency = 'at_once' and waits_since < $12)
        or (stage = 'waiting' and direction = 'up' and urgency = 'ordinary' and waits_since < $13)
        or (stage = 'waiting' and direction = 'down' and waits_since < $14)
        or (stage = 'accepted' and waits_since < $15)
        or (stage in ('refused', 'absent') and waits_since < $16))))
        or ($11 = 'to_return' and direction = 'up' and opened_on between $17 and $18 and arrived_on is not null
            and stage = 'closed'))";
/// Of upward referrals of the twelve months: those that were answered in time, those that came, those that were sent back.
const IN_TIME: &str = "select coalesce(sum(case when answered_on is not null and answered_on <= opened_on
    + case when urgency = 'at_once' then cast($20 as bigint) else cast($21 as bigint) end then 1 else 0 end), 0),
    coalesce(sum(case when arrived_on is not null then 1 else 0 end), 0),
    coalesce(sum(case when outcome = 'sent_back' then 1 else 0 end), 0), count(*)
    from referral join person on person.id = referral.person
    where person.died_on is null and referral.sensitive = $19
    and (($1 <> 'out' and (to_institution = $2 or (to_tier in ($3, $4) and to_place between $5 and $6)))
        or ($1 <> 'in' and (from_institution = $2 or (direction = 'up' and referral.home between $7 and $8)))
        or ($1 = 'all' and referral.home between $7 and $8))
    and referral.home between $9 and $10
    and (($11 = 'open' and stage <> 'closed') or $11 = 'all' or $11 = stage
        or ($11 = 'decide' and stage in ('refused', 'absent'))
        or ($11 = 'late' and ((stage = 'waiting' and direction = 'up' and urgency = 'at_once' and waits_since < $12)
        or (stage = 'waiting' and direction = 'up' and urgency = 'ordinary' and waits_since < $13)
        or (stage = 'waiting' and direction = 'down' and waits_since < $14)
        or (stage = 'accepted' and waits_since < $15)
        or (stage in ('refused', 'absent') and waits_since < $16)))
        or ($11 = 'to_answer' and direction = 'up' and opened_on between $17 and $18 and outcome <> 'withdrawn'
            and (answered_on is not null or ((stage = 'waiting' and direction = 'up' and urgency = 'at_once' and waits_since < $12)
        or (stage = 'waiting' and direction = 'up' and urgency = 'ordinary' and waits_since < $13)
        or (stage = 'waiting' and direction = 'down' and waits_since < $14)
        or (stage = 'accepted' and waits_since < $15)
        or (stage in ('refused', 'absent') and waits_since < $16))))
        or ($11 = 'to_come' and direction = 'up' and opened_on between $17 and $18 and outcome <> 'withdrawn'
            and accepted = true and (stage <> 'accepted' or ((stage = 'waiting' and direction = 'up' and urgency = 'at_once' and waits_since < $12)
        or (stage = 'waiting' and direction = 'up' and urgency = 'ordinary' and waits_since < $13)
        or (stage = 'waiting' and direction = 'down' and waits_since < $14)
        or (stage = 'accepted' and waits_since < $15)
        or (stage in ('refused', 'absent') and waits_since < $16))))
        or ($11 = 'to_return' and direction = 'up' and opened_on between $17 and $18 and arrived_on is not null
            and stage = 'closed'))";

/// Which part of a share is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Answered within the days of the pack, of those whose answer was due or came.
    Answered,
    /// Came, of those who were accepted and whose day is past.
    Came,
    /// Sent back with a summary, of those whose treatment is over.
    SentBack,
}

impl Which {
    /// The state by which the list is asked.
    pub const fn state(self) -> &'static str {
        match self {
            Which::Answered => "to_answer",
            Which::Came => "to_come",
            Which::SentBack => "to_return",
        }
    }
}

/// What has waited since before these days is late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cuts([Day; 5]);

impl Cuts {
    /// What was due before `today`, and as many days before as `past`; without rules nothing is late.
    pub fn of(rules: Option<&ReferralRules>, today: Day, past: i32) -> Cuts {
        let Some(rules) = rules else { return Cuts([Day(i32::MIN / 2); 5]) };
        let days = [
            rules.answer_at_once_days,
            rules.answer_days,
            rules.take_back_days,
            rules.arrive_days,
            rules.decide_days,
        ];
        Cuts(days.map(|days| today.plus_days(-days - past)))
    }
}

/// What is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// `in`: where who asks was asked; `out`: what they sent; `all`.
    pub whose: &'static str,
    /// A stage, or `open`, `all`, `decide`, `late`, or the whole of a share.
    pub state: String,
    /// Within this place of homes.
    pub place: Option<DivisionCode>,
    /// What is late.
    pub cuts: Cuts,
    /// The present day.
    pub today: Day,
    /// What tells a disease of level 5, and nothing else; else nothing of it.
    pub sensitive: bool,
}

impl Wanted {
    fn params(&self, actor: &Actor, reach: &Reach) -> [Value; 19] {
        let post = actor.post();
        let (lower, upper) = post.tier_keys();
        let (post_first, post_last) = post.places();
        // The desk of a hospital has its own, whoever lives in the county.
        let (first, last) =
            if reach.institution().is_some() { (1, 0) } else { (reach.first(), reach.last()) };
        let asked = self.place.unwrap_or(DivisionCode::COUNTRY).range();
        let [at_once, ordinary, back, arrive, decide] = self.cuts.0;
        params![
            self.whose,
            post.institution,
            lower,
            upper,
            post_first,
            post_last,
            first,
            last,
            asked.first.cast_signed(),
            asked.last.cast_signed(),
            self.state.as_str(),
            at_once,
            ordinary,
            back,
            arrive,
            decide,
            self.today.plus_months(-12),
            self.today,
            self.sensitive
        ]
    }
}

/// A referral as lists show it: never why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Who.
    pub person: Uuid,
    /// Name.
    pub name: String,
    /// Which.
    pub referral: Uuid,
    /// Home place.
    pub home: DivisionCode,
    /// Birth date.
    pub birth: Option<Day>,
    /// Which way.
    pub direction: Direction,
    /// How much it presses.
    pub urgency: Urgency,
    /// What the sender is called, if it is an institution of the register.
    pub from: Option<String>,
    /// Where the sender is.
    pub from_place: DivisionCode,
    /// What who was asked is called.
    pub to: String,
    /// Where it stands.
    pub stage: Stage,
    /// Since when, as its time counts.
    pub waits_since: Day,
    /// When it was opened.
    pub opened_on: Day,
    /// How it ended, as a key of words.
    pub outcome: String,
}

/// Referrals, what presses most first.
///
/// # Errors
/// When the database fails.
pub fn listed(
    tx: &mut Transaction<'_>,
    (actor, reach): (&Actor, &Reach),
    wanted: &Wanted,
    (limit, offset): (i64, i64),
) -> Result<Vec<Listed>, DatabaseError> {
    let mut asked = wanted.params(actor, reach).to_vec();
    asked.extend(params![limit, offset]);
    let opener = tx.opener()?;
    let rows = tx.query(LISTED, &asked)?;
    let wrong = |column, expected| DatabaseError::WrongType { column, expected };
    let read = |row: &Row| {
        let (direction, urgency, stage): (String, String, String) = (row.get(5)?, row.get(6)?, row.get(10)?);
        Ok(Listed {
            person: row.get(0)?,
            name: read_name(&opener, row, (0, 1))?,
            referral: row.get(2)?,
            home: row.get(3)?,
            birth: row.get(4)?,
            direction: Direction::of_key(&direction).ok_or(wrong(5, "direction"))?,
            urgency: Urgency::of_key(&urgency).ok_or(wrong(6, "urgency"))?,
            from: row.get(7)?,
            from_place: row.get(8)?,
            to: row.get::<Option<String>>(9)?.unwrap_or_default(),
            stage: Stage::of_key(&stage).ok_or(wrong(10, "stage"))?,
            waits_since: row.get(11)?,
            opened_on: row.get(12)?,
            outcome: row.get(13)?,
        })
    };
    rows.iter().map(read).collect()
}

/// How many there are.
///
/// # Errors
/// When the database fails.
pub fn count(
    tx: &mut Transaction<'_>,
    (actor, reach): (&Actor, &Reach),
    wanted: &Wanted,
) -> Result<i64, DatabaseError> {
    tx.query_one(COUNTED, &wanted.params(actor, reach))?.map_or(Ok(0), |row| row.get(0))
}

/// A share of the upward referrals from within reach in the twelve months before `today`.
///
/// # Errors
/// When the database fails.
pub fn share(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    (which, today): (Which, Day),
    rules: Option<&ReferralRules>,
) -> Result<(i64, i64), DatabaseError> {
    // By place alone: a figure is the place's, whoever looks at it.
    let actor = Actor { role: kangmai_access::Role::HealthBureau, place: reach.place(), ..Actor::system() };
    let wanted = Wanted {
        whose: "all",
        state: which.state().to_owned(),
        place: None,
        cuts: Cuts::of(rules, today, 0),
        today,
        sensitive: false,
    };
    let mut asked = wanted.params(&actor, reach).to_vec();
    let (at_once, ordinary) = rules.map_or((0, 0), |rules| (rules.answer_at_once_days, rules.answer_days));
    asked.extend(params![i64::from(at_once), i64::from(ordinary)]);
    let Some(row) = tx.query_one(IN_TIME, &asked)? else { return Ok((0, 0)) };
    let part = match which {
        Which::Answered => 0,
        Which::Came => 1,
        Which::SentBack => 2,
    };
    Ok((row.get(part)?, row.get(3)?))
}
