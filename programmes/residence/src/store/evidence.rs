//! What was done in a month for who was handed over, and who was not seen. Of a visit it is told that there was one, by whom and
//! when, and never what it came to: so no disease of level 5 is told, and a visit for one counts as any other.

use kangmai_access::Reach;
use kangmai_base::{Day, DivisionCode, Moment, Uuid};
use kangmai_database::{DatabaseError, Row, Transaction, Value, params};
use kangmai_people::read_name;

use crate::facts::Side;

// $3: by which place; $4, $5: first day of the month and of the next; $6: seen, yes or no. A fact's moment is the beginning of its
// day in China. A visit that was put right or taken back is not there; one whose correction was taken back is.
const EVIDENCE: &str = "select hand_over.person, person.name_sealed, hand_over.id, hand_over.home, hand_over.living,
    hand_over.from_on, hand_over.ended_on
    from hand_over join person on person.id = hand_over.person
    where ((cast($3 as text) = 'home' and hand_over.home between $1 and $2)
        or (cast($3 as text) = 'living' and hand_over.living between $1 and $2))
    and hand_over.answer = 'accepted' and hand_over.from_on < $5
    and (hand_over.ended_on is null or (hand_over.ended_on > $4 and hand_over.ended_on > hand_over.from_on))
    and person.same_as is null and (person.died_on is null or person.died_on >= $4)
    and (cast($6 as text) is null or ($6 = 'yes') = exists (select 1 from fact where fact.subject = hand_over.person
        and fact.kind = 'follow_up.visited' and fact.erased_at is null
        and fact.occurred_at >= $4 * 86400000000 - 28800000000 and fact.occurred_at < $5 * 86400000000 - 28800000000
        and fact.occurred_at >= hand_over.from_on * 86400000000 - 28800000000
        and (hand_over.ended_on is null or fact.occurred_at < hand_over.ended_on * 86400000000 - 28800000000)
        and not exists (select 1 from fact as later where later.subject = fact.subject and later.corrects = fact.id
            and not exists (select 1 from fact as undo where undo.subject = fact.subject
                and undo.corrects = later.id and undo.kind = 'follow_up.undone'))))
    order by hand_over.home, hand_over.person, hand_over.from_on limit $7 offset $8";
const COUNTED: &str = "select count(*) from hand_over join person on person.id = hand_over.person
    where ((cast($3 as text) = 'home' and hand_over.home between $1 and $2)
        or (cast($3 as text) = 'living' and hand_over.living between $1 and $2))
    and hand_over.answer = 'accepted' and hand_over.from_on < $5
    and (hand_over.ended_on is null or (hand_over.ended_on > $4 and hand_over.ended_on > hand_over.from_on))
    and person.same_as is null and (person.died_on is null or person.died_on >= $4)
    and (cast($6 as text) is null or ($6 = 'yes') = exists (select 1 from fact where fact.subject = hand_over.person
        and fact.kind = 'follow_up.visited' and fact.erased_at is null
        and fact.occurred_at >= $4 * 86400000000 - 28800000000 and fact.occurred_at < $5 * 86400000000 - 28800000000
        and fact.occurred_at >= hand_over.from_on * 86400000000 - 28800000000
        and (hand_over.ended_on is null or fact.occurred_at < hand_over.ended_on * 86400000000 - 28800000000)
        and not exists (select 1 from fact as later where later.subject = fact.subject and later.corrects = fact.id
            and not exists (select 1 from fact as undo where undo.subject = fact.subject
                and undo.corrects = later.id and undo.kind = 'follow_up.undone'))))";
const DONE_OF: &str = "select fact.kind, fact.occurred_at, account.display_name
    from fact left join account on account.id = fact.author
    where fact.subject = $1 and fact.erased_at is null and fact.occurred_at >= $2 and fact.occurred_at < $3
    and fact.kind in ('follow_up.visited', 'follow_up.missed', 'agreements.signed', 'agreements.done')
    and not exists (select 1 from fact as later where later.subject = fact.subject and later.corrects = fact.id
        and not exists (select 1 from fact as undo where undo.subject = fact.subject and undo.corrects = later.id
            and undo.kind in ('follow_up.undone', 'agreements.undone')))
    order by case when fact.kind = 'follow_up.visited' then 0 else 1 end, fact.occurred_at, fact.id limit 20";

/// A month, by its first day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Month(pub Day);

impl Month {
    /// The first day of the next.
    pub const fn next(self) -> Day {
        self.0.plus_months(1)
    }
}

/// What is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EvidenceWanted {
    /// For whom of ours was done what elsewhere, or what we did for others.
    pub side: Side,
    /// In which month.
    pub month: Month,
    /// Only who was seen, or only who was not.
    pub seen: Option<bool>,
}

impl EvidenceWanted {
    fn params(&self, reach: &Reach) -> [Value; 6] {
        let seen = self.seen.map(|seen| if seen { "yes" } else { "no" });
        let Month(first) = self.month;
        params![reach.first(), reach.last(), self.side.key(), first, self.month.next(), seen]
    }
}

/// Somebody who was in the care of the place of living in the month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Who.
    pub person: Uuid,
    /// Name.
    pub name: String,
    /// Which hand-over.
    pub hand_over: Uuid,
    /// Where they are registered.
    pub home: DivisionCode,
    /// Where they live.
    pub living: DivisionCode,
    /// From when.
    pub from_on: Day,
    /// Until before when.
    pub ended_on: Option<Day>,
}

impl Evidence {
    /// The days of the month on which the hand-over was in force: the first, and the one after the last.
    pub fn days(&self, month: Month) -> (Day, Day) {
        let until = self.ended_on.map_or(month.next(), |ended| ended.min(month.next()));
        (self.from_on.max(month.0), until)
    }
}

/// Something that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// What, as a kind of fact.
    pub kind: String,
    /// On which day.
    pub on: Day,
    /// By whom; none: the program, or an account that is gone.
    pub by: Option<String>,
}

/// Who was handed over in a month, by home.
///
/// # Errors
/// When the database fails.
pub fn evidence(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    wanted: &EvidenceWanted,
    (limit, offset): (i64, i64),
) -> Result<Vec<Evidence>, DatabaseError> {
    let mut asked = wanted.params(reach).to_vec();
    asked.extend(params![limit, offset]);
    let opener = tx.opener()?;
    let rows = tx.query(EVIDENCE, &asked)?;
    let read = |row: &Row| {
        Ok(Evidence {
            person: row.get(0)?,
            name: read_name(&opener, row, (0, 1))?,
            hand_over: row.get(2)?,
            home: row.get(3)?,
            living: row.get(4)?,
            from_on: row.get(5)?,
            ended_on: row.get(6)?,
        })
    };
    rows.iter().map(read).collect()
}

/// How many they are.
///
/// # Errors
/// When the database fails.
pub fn count_evidence(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    wanted: &EvidenceWanted,
) -> Result<i64, DatabaseError> {
    tx.query_one(COUNTED, &wanted.params(reach))?.map_or(Ok(0), |row| row.get(0))
}

/// What was done for one of them from one day to before another.
///
/// # Errors
/// When the database fails.
pub fn done_of(
    tx: &mut Transaction<'_>,
    person: Uuid,
    (from, until): (Day, Day),
) -> Result<Vec<Done>, DatabaseError> {
    let asked = params![person, Moment::start_of(from), Moment::start_of(until)];
    let read = |row: &Row| {
        let at: Moment = row.get(1)?;
        Ok(Done { kind: row.get(0)?, on: at.day(), by: row.get(2)? })
    };
    tx.query(DONE_OF, &asked)?.iter().map(read).collect()
}
