//! Relations: what gives somebody reach for one person, wherever that person lives, for a time.
//!
//! A programme writes a relation in the transaction of the fact that makes it ([`relate`]) and ends it with the fact that
//! ends it ([`end_relations`]); one that nobody ends ends by itself. What a kind gives is data here: a relation never
//! gives what the role is not for, never a list, and nothing of the household.

use kangmai_base::{DivisionCode, Id, Moment, Uuid};
use kangmai_database::{DatabaseError, Transaction};

use crate::store::relation as store;
use crate::{Account, Actor, Purpose, Reach, reach};

/// What somebody is to one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RelationKind {
    /// The institution has them as a patient: admitted, and the bill has not come.
    Treating,
    /// A family-doctor team has signed them, and the account is in it.
    Team,
    /// Somebody asked for them in an emergency, with a reason that is looked at afterwards.
    BreakGlass,
}

impl RelationKind {
    /// All of them.
    pub const ALL: [RelationKind; 3] = [RelationKind::Treating, RelationKind::Team, RelationKind::BreakGlass];

    /// As it stands in the table.
    pub const fn key(self) -> &'static str {
        match self {
            RelationKind::Treating => "treating",
            RelationKind::Team => "team",
            RelationKind::BreakGlass => "break_glass",
        }
    }

    /// The kind with this key.
    pub fn of_key(key: &str) -> Option<RelationKind> {
        RelationKind::ALL.into_iter().find(|kind| kind.key() == key)
    }

    /// For which purposes it reaches, if the role has them.
    pub const fn gives(self) -> &'static [Purpose] {
        match self {
            RelationKind::Treating => &[Purpose::FindPeople],
            RelationKind::Team => {
                &[Purpose::FindPeople, Purpose::ReadRecord, Purpose::ReadPlans, Purpose::ReadAgreements]
            }
            RelationKind::BreakGlass => &[Purpose::FindPeople, Purpose::ReadRecord, Purpose::ReadPlans],
        }
    }
}

/// Who stands in a relation: an account, or whoever works for an institution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Related {
    /// One account.
    Account(Id<Account>),
    /// An institution.
    Institution(Uuid),
}

/// A relation to be written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewRelation {
    /// Its identifier.
    pub id: Uuid,
    /// To whom.
    pub person: Uuid,
    /// What.
    pub kind: RelationKind,
    /// Whose.
    pub whose: Related,
    /// From when.
    pub from: Moment,
    /// Until when, at the latest.
    pub until: Moment,
    /// What made it: a fact, an admission, a case.
    pub source: Uuid,
}

/// Writes a relation down, in the transaction of what makes it.
///
/// # Errors
/// When the database fails.
pub fn relate(tx: &mut Transaction<'_>, new: &NewRelation) -> Result<(), DatabaseError> {
    store::insert(tx, new)
}

/// The same for many at once.
///
/// # Errors
/// When the database fails.
pub fn relate_all(tx: &mut Transaction<'_>, all: &[NewRelation]) -> Result<(), DatabaseError> {
    store::insert_all(tx, all)
}

/// Ends at `now` all relations that `source` made.
///
/// # Errors
/// When the database fails.
pub fn end_relations(tx: &mut Transaction<'_>, source: Uuid, now: Moment) -> Result<(), DatabaseError> {
    store::end_of_source(tx, source, now)
}

/// Takes all relations to `person` away, of whom everything is erased: for the record and nobody else. What was written down
/// of asking in an emergency stays, as the audit trail does.
///
/// # Errors
/// When the database fails.
pub fn forget_relations(tx: &mut Transaction<'_>, person: Uuid) -> Result<(), DatabaseError> {
    store::forget(tx, person)
}

/// How far `actor` may do `purpose` with this one person, at home in `home`: by place, which asks the database nothing,
/// else by a relation that holds at `now`, which costs one look at an index.
///
/// # Errors
/// When the database fails.
pub fn reach_of_person(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    purpose: Purpose,
    (person, home): (Uuid, DivisionCode),
    now: Moment,
) -> Result<Option<Reach>, DatabaseError> {
    let Some(by_place) = reach(actor, purpose) else { return Ok(None) };
    if by_place.covers(home) {
        return Ok(Some(by_place));
    }
    let kinds = store::kinds(tx, actor, person, now)?;
    let gives = kinds.into_iter().filter(|kind| kind.gives().contains(&purpose)).max();
    Ok(gives.map(|kind| by_place.of_person(person, kind)))
}

#[cfg(test)]
mod tests {
    use kangmai_base::DivisionCode;

    use super::*;
    use crate::Role;

    #[test]
    fn an_expert_reaches_no_place_and_a_team_gives_what_the_role_is_for() {
        let county: DivisionCode = "411722000000".parse().expect("a code");
        let village: DivisionCode = "411722001001".parse().expect("a code");
        let actor = Actor { role: Role::Expert, place: county, ..Actor::system() };
        for purpose in [Purpose::FindPeople, Purpose::ReadRecord, Purpose::ReadAgreements] {
            let reach = reach(&actor, purpose).expect("the purpose");
            assert!(!reach.covers(village) && !reach.covers(county), "{purpose:?}");
            assert!(reach.first() > reach.last() && reach.places().first > reach.places().last);
            assert!(!reach.narrowed(village).covers(village));
            assert!(!reach.covers_person(Uuid::from_u128(7), village));
            let one = reach.of_person(Uuid::from_u128(7), RelationKind::Team);
            assert!(one.covers_person(Uuid::from_u128(7), village));
            assert!(!one.covers_person(Uuid::from_u128(8), village) && !one.money());
        }
        // A team gives no list of warnings, no bills, and nothing to write.
        let given = RelationKind::Team.gives();
        for purpose in
            [Purpose::KeepAgreements, Purpose::RecordVisits, Purpose::ReadBills, Purpose::ReadWarnings]
        {
            assert!(!given.contains(&purpose), "{purpose:?}");
        }
        assert_eq!(RelationKind::of_key("team"), Some(RelationKind::Team));
    }
}
