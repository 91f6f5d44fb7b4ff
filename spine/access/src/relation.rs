//! Relations: what gives somebody reach for one person, wherever that person lives, for a time.
//!
//! A programme writes a relation in the transaction of the fact that makes it ([`relate`]) and ends it with the fact that
//! ends it ([`end_relations`]), or in the projection of its facts ([`relate_anew`]); one with a term ends by itself. What a kind
//! gives is data here: a relation never gives what the role is not for, never a list, and nothing of the household. Lists of
//! work ask the relations of a place themselves (`docs/adr/019-residence.md`).

use kangmai_base::{DivisionCode, Id, Moment, Uuid};
use kangmai_database::{DatabaseError, Transaction};

use crate::store::relation as store;
use crate::{Account, Actor, Purpose, Reach, reach};

/// What somebody is to one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RelationKind {
    /// The institution has them as a patient: admitted, and the bill has not come.
    Treating,
    /// They were referred to the institution: until it refuses, the referral is withdrawn or over, and for a limited time.
    Referral,
    /// A family-doctor team has signed them, and the account is in it.
    Team,
    /// Somebody asked for them in an emergency, with a reason that is looked at afterwards.
    BreakGlass,
    /// They live in another township than the one of their registration, and it has taken their care over: whoever treats
    /// there visits them and signs with them as with its own.
    Serving,
}

impl RelationKind {
    /// All of them.
    pub const ALL: [RelationKind; 5] = [
        RelationKind::Treating,
        RelationKind::Referral,
        RelationKind::Team,
        RelationKind::BreakGlass,
        RelationKind::Serving,
    ];

    /// As it stands in the table.
    pub const fn key(self) -> &'static str {
        match self {
            RelationKind::Treating => "treating",
            RelationKind::Referral => "referral",
            RelationKind::Team => "team",
            RelationKind::BreakGlass => "break_glass",
            RelationKind::Serving => "serving",
        }
    }

    /// The kind with this key.
    pub fn of_key(key: &str) -> Option<RelationKind> {
        RelationKind::ALL.into_iter().find(|kind| kind.key() == key)
    }

    /// For which purposes it reaches, if the role has them.
    pub const fn gives(self) -> &'static [Purpose] {
        match self {
            RelationKind::Treating => &[Purpose::FindPeople, Purpose::ReadReferrals, Purpose::KeepReferrals],
            RelationKind::Referral => &[
                Purpose::FindPeople,
                Purpose::ReadRecord,
                Purpose::ReadPlans,
                Purpose::ReadReferrals,
                Purpose::KeepReferrals,
            ],
            RelationKind::Team => &[
                Purpose::FindPeople,
                Purpose::ReadRecord,
                Purpose::ReadPlans,
                Purpose::ReadAgreements,
                Purpose::ReadReferrals,
            ],
            RelationKind::BreakGlass => &[Purpose::FindPeople, Purpose::ReadRecord, Purpose::ReadPlans],
            RelationKind::Serving => &[
                Purpose::FindPeople,
                Purpose::ReadRecord,
                Purpose::ReadPlans,
                Purpose::RecordVisits,
                Purpose::ReadAgreements,
                Purpose::KeepAgreements,
                Purpose::ReadReferrals,
                Purpose::KeepReferrals,
            ],
        }
    }
}

/// Who stands in a relation: an account, whoever works for an institution, or whoever treats in a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Related {
    /// One account.
    Account(Id<Account>),
    /// An institution.
    Institution(Uuid),
    /// A place: the doctors of the village, and of the township around it.
    Place(DivisionCode),
}

/// A relation that nobody has ended and that has no term ends then: nobody's time.
pub const NO_TERM: Moment = Moment(i64::MAX);

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

/// Writes what `source` makes anew: its relations are these and no others. For a projection, which works them out of facts.
///
/// # Errors
/// When the database fails.
pub fn relate_anew(tx: &mut Transaction<'_>, source: Uuid, all: &[NewRelation]) -> Result<(), DatabaseError> {
    store::forget_source(tx, source)?;
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

/// In which relations `actor`, or the institution or place that they work for, stands to a person at `now`: asked where reach by
/// place is not enough.
///
/// # Errors
/// When the database fails.
pub fn relations_of(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    person: Uuid,
    now: Moment,
) -> Result<Vec<RelationKind>, DatabaseError> {
    store::kinds(tx, actor, person, now)
}

/// Ends at `now` the relations of one kind that `source` made.
///
/// # Errors
/// When the database fails.
pub fn end_relations_of_kind(
    tx: &mut Transaction<'_>,
    (source, kind): (Uuid, RelationKind),
    now: Moment,
) -> Result<(), DatabaseError> {
    store::end_of_source_and_kind(tx, (source, kind), now)
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

/// The place that serves somebody at `now` who lives elsewhere than registered; none: home does.
///
/// # Errors
/// When the database fails.
pub fn serving_place(
    tx: &mut Transaction<'_>,
    person: Uuid,
    now: Moment,
) -> Result<Option<DivisionCode>, DatabaseError> {
    store::serving_place(tx, person, now)
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
        for kind in RelationKind::ALL {
            assert_eq!(RelationKind::of_key(kind.key()), Some(kind));
        }
    }

    #[test]
    fn a_referral_gives_what_treating_asks_and_nothing_of_money_or_lists_of_others() {
        let given = RelationKind::Referral.gives();
        for purpose in [Purpose::FindPeople, Purpose::ReadRecord, Purpose::ReadPlans, Purpose::KeepReferrals]
        {
            assert!(given.contains(&purpose), "{purpose:?}");
        }
        for purpose in
            [Purpose::ReadBills, Purpose::ReadWarnings, Purpose::RecordVisits, Purpose::KeepRegister]
        {
            assert!(!given.contains(&purpose), "{purpose:?}");
        }
    }

    #[test]
    fn somebody_works_for_their_institution_and_for_those_of_their_tier_at_their_place() {
        use kangmai_places::InstitutionTier::{County, Township, Village};
        let code = |text: &str| text.parse::<DivisionCode>().expect("a code");
        let (township, village) = (code("411722001000"), code("411722001001"));
        let own = Uuid::from_u128(1);
        let hospital = (own, County, code("411722000000"));
        let of = |role, place| Actor { role, place, ..Actor::system() }.post();
        let officer = of(Role::TownshipOfficer, township);
        assert!(officer.works_for(Uuid::from_u128(2), Township, township));
        assert!(
            officer.works_for(Uuid::from_u128(2), Township, village)
                && officer.works_for(own, Village, village)
        );
        // A hospital of the county that stands in the township is another's.
        assert!(!officer.works_for(own, County, village));
        assert!(!officer.works_for(own, Township, code("411722002000")));
        let doctor = of(Role::VillageDoctor, village);
        assert!(doctor.works_for(own, Village, village) && !doctor.works_for(own, Township, village));
        let expert =
            Actor { institution: Some(own), role: Role::Expert, place: hospital.2, ..Actor::system() };
        assert!(expert.post().works_for(hospital.0, hospital.1, hospital.2));
        assert!(!expert.post().works_for(Uuid::from_u128(2), County, hospital.2));
        assert!(!of(Role::HealthBureau, hospital.2).works_for(own, Township, township));
    }

    #[test]
    fn who_serves_visits_and_signs_and_sees_no_money_no_list_and_no_register() {
        let given = RelationKind::Serving.gives();
        assert!(given.contains(&Purpose::RecordVisits) && given.contains(&Purpose::KeepAgreements));
        for purpose in [
            Purpose::ReadBills,
            Purpose::ReadWarnings,
            Purpose::KeepRegister,
            Purpose::RecordDiagnoses,
            Purpose::ReadFollowUps,
            Purpose::ErasePeople,
        ] {
            assert!(!given.contains(&purpose), "{purpose:?}");
        }
        assert_eq!(RelationKind::of_key("serving"), Some(RelationKind::Serving));
    }
}
