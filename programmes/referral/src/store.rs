//! The views of referrals and of visits that came to one; the only files with SQL. Neither holds why somebody was referred.

mod events;
mod list;
mod wanted;

use kangmai_access::Actor;
use kangmai_base::{Day, DivisionCode, DivisionLevel, PlaceRange, Uuid};
use kangmai_database::{DatabaseError, InsertMany, Transaction, params};
use kangmai_people::{PERSON_REGISTERED, Person};
use kangmai_places::{Institution, InstitutionFilter, InstitutionTier, find_institution, institutions_at};
use kangmai_programme::Holding;
use kangmai_record::{Fact, NewFact, Projection, Subject, SubjectKind, nothing_along};

pub use events::{events_of, folder_of, visits_of};
pub use list::{Cuts, Listed, Wanted, Which, count, listed, share};
pub use wanted::{WantedVisit, WantedVisits, count_visits, visits_share, wanted_visits};

use crate::facts::{
    ANSWERED, ARRIVED, Answered, Arrived, ENDED, Ended, KINDS, OPENED, Opened, Party, UNDONE, Undone, WAIVED,
    Waived,
};
use crate::folder::Folder;
use crate::rules;
use crate::visits::Visits;

/// Institutions that a form offers at most, of one tier.
const MOST_OFFERED: i64 = 200;

const HOME_OF: &str = "select home from person where id = $1";
const HAS_ANY: &str = "select 1 from referral where person = $1
    union all select 1 from referral_wanted where person = $1 limit 1";
const FORGET: &str = "delete from referral where person = $1";
const FORGET_WANTED: &str = "delete from referral_wanted where person = $1";
const MOVE: &str = "update referral set home = $2 where person = $1 and home <> $2";
const MOVE_WANTED: &str = "update referral_wanted set home = $2 where person = $1 and home <> $2";
const PUT: InsertMany = InsertMany {
    table: "referral",
    columns: &[
        "id",
        "person",
        "home",
        "sensitive",
        "direction",
        "urgency",
        "from_institution",
        "from_place",
        "to_institution",
        "to_tier",
        "to_place",
        "stage",
        "waits_since",
        "opened_on",
        "answered_on",
        "accepted",
        "arrived_on",
        "closed_on",
        "outcome",
    ],
    suffix: "",
};
const PUT_WANTED: InsertMany = InsertMany {
    table: "referral_wanted",
    columns: &["visit", "person", "home", "sensitive", "urgency", "programmes", "visited_on", "handled"],
    suffix: "",
};

/// The views of referrals and of visits that came to one.
pub const REFERRALS: Projection = Projection {
    name: "referral",
    kinds: &[
        OPENED,
        ANSWERED,
        ARRIVED,
        ENDED,
        WAIVED,
        UNDONE,
        "follow_up.visited",
        "follow_up.classified",
        "follow_up.undone",
        PERSON_REGISTERED,
    ],
    views: &["referral", "referral_wanted"],
    admit,
    apply,
    along: nothing_along,
    forget,
};

fn admit(fact: &NewFact) -> Result<(), kangmai_base::Refusal> {
    match fact.kind.as_str() {
        OPENED => fact.read_body::<Opened>().map(|_| ()),
        ANSWERED => fact.read_body::<Answered>().map(|_| ()),
        ARRIVED => fact.read_body::<Arrived>().map(|_| ()),
        ENDED => fact.read_body::<Ended>().map(|_| ()),
        WAIVED => fact.read_body::<Waived>().map(|_| ()),
        UNDONE => fact.read_body::<Undone>().map(|_| ()),
        _ => Ok(()),
    }
}

/// The rows of a person are what all facts about the person come to, so they are worked out once for each person that a batch
/// speaks of. A visit that came to nothing, of somebody without a row, costs one look at an index.
fn apply(tx: &mut Transaction<'_>, facts: &[&Fact]) -> Result<(), DatabaseError> {
    let (mut own, mut visited, mut moved) = (Vec::new(), Vec::new(), Vec::new());
    for fact in facts {
        let kind = fact.new.kind.as_str();
        let about = (fact.new.subject.id, fact.new.place);
        if KINDS.contains(&kind) || comes_to_referral(fact) {
            own.push(about);
        } else if kind == PERSON_REGISTERED {
            moved.push(about);
        } else {
            visited.push(about);
        }
    }
    for people in [&mut own, &mut visited, &mut moved] {
        people.sort_by_key(|(person, _)| *person);
        people.dedup_by_key(|(person, _)| *person);
    }
    let is_own = |person: &Uuid| own.iter().any(|(known, _)| known == person);
    for (person, place) in &own {
        put(tx, *person, *place)?;
    }
    for (person, place) in visited.iter().filter(|(person, _)| !is_own(person)) {
        if tx.query_one(HAS_ANY, &params![*person])?.is_some() {
            put(tx, *person, *place)?;
        }
    }
    for (person, place) in moved.iter().filter(|(person, _)| !is_own(person)) {
        if tx.query_one(HAS_ANY, &params![*person])?.is_some() {
            let home = home_of(tx, *person)?.unwrap_or(*place);
            tx.execute(MOVE, &params![*person, home])?;
            tx.execute(MOVE_WANTED, &params![*person, home])?;
        }
    }
    Ok(())
}

/// Whether a visit says, as it was written, that somebody is to be referred: what is sure not to be is not read again.
fn comes_to_referral(fact: &Fact) -> bool {
    // What is taken back may let an earlier one stand again.
    if fact.new.kind == "follow_up.undone" {
        return true;
    }
    let is_visit = matches!(fact.new.kind.as_str(), "follow_up.visited" | "follow_up.classified");
    is_visit && ["\"refer\"", "\"danger\""].iter().any(|grade| fact.new.body.contains(grade))
}

fn home_of(tx: &mut Transaction<'_>, person: Uuid) -> Result<Option<DivisionCode>, DatabaseError> {
    tx.query_one(HOME_OF, &params![person])?.map(|row| row.get(0)).transpose()
}

fn put(tx: &mut Transaction<'_>, person: Uuid, place: DivisionCode) -> Result<(), DatabaseError> {
    let home = home_of(tx, person)?.unwrap_or(place);
    let (folder, visits) = (folder_of(tx, person)?, visits_of(tx, person)?);
    tx.execute(FORGET, &params![person])?;
    tx.execute(FORGET_WANTED, &params![person])?;
    put_referrals(tx, (person, home), &folder)?;
    put_wanted(tx, (person, home), &folder, &visits)
}

fn put_referrals(
    tx: &mut Transaction<'_>,
    (person, home): (Uuid, DivisionCode),
    folder: &Folder,
) -> Result<(), DatabaseError> {
    let rows = folder.referrals.iter().map(|one| {
        let body = one.body();
        let answered = one.answered.as_ref().map(|answered| &answered.body);
        let came = one.arrived.as_ref().map(|arrived| &arrived.body).filter(|arrived| arrived.came);
        let outcome = one.outcome();
        params![
            one.id(),
            person,
            home,
            body.sensitive,
            body.direction.key(),
            body.urgency.key(),
            body.from.institution,
            body.from.place,
            body.to.institution,
            body.to.tier.key(),
            body.to.place,
            one.stage().key(),
            one.waits_since(),
            body.on,
            // Whoever came without an answer was taken.
            answered.map(|answered| answered.on).or(came.map(|came| came.on)),
            answered.map(|answered| answered.accepted).or(came.map(|_| true)),
            came.map(|came| came.on),
            outcome.map(|(_, on)| on),
            outcome.map_or("", |(outcome, _)| outcome)
        ]
    });
    tx.insert_many(&PUT, rows)?;
    Ok(())
}

fn put_wanted(
    tx: &mut Transaction<'_>,
    (person, home): (Uuid, DivisionCode),
    folder: &Folder,
    visits: &Visits,
) -> Result<(), DatabaseError> {
    let mut rows = Vec::new();
    for visit in &visits.all {
        let Some(urgency) = visit.urgency() else { continue };
        let told = visit.urgency_told();
        let reasons = visit.reasons();
        let programmes: Vec<&str> = reasons
            .iter()
            .filter(|reason| !reason.sensitive)
            .map(|reason| reason.programme.as_str())
            .collect();
        rows.push(params![
            visit.id,
            person,
            home,
            told.is_none(),
            told.unwrap_or(urgency).key(),
            programmes.join(" "),
            visit.on,
            rules::handled(visit, visits, folder).key()
        ]);
    }
    tx.insert_many(&PUT_WANTED, rows)?;
    Ok(())
}

/// Takes a person out of the views.
fn forget(tx: &mut Transaction<'_>, subject: Subject) -> Result<(), DatabaseError> {
    if subject.kind == SubjectKind::Person {
        tx.execute(FORGET, &params![subject.id])?;
        tx.execute(FORGET_WANTED, &params![subject.id])?;
    }
    Ok(())
}

/// Referrals. No law was found that says how long one is kept by itself.
pub(crate) fn held(
    tx: &mut Transaction<'_>,
    person: &Person,
    sensitive: bool,
) -> Result<Vec<Holding>, DatabaseError> {
    let folder = folder_of(tx, person.id.uuid())?;
    let shown = folder.referrals.iter().map(|one| one.body()).filter(|body| sensitive || !body.sensitive);
    let days: Vec<Day> = shown.map(|body| body.on).collect();
    Ok(vec![Holding {
        word: "referral.held",
        class: None,
        count: i64::try_from(days.len()).unwrap_or(i64::MAX),
        latest: days.into_iter().max(),
    }])
}

/// A side of a referral as an institution is today.
pub fn party_of(institution: &Institution) -> Party {
    Party {
        institution: Some(institution.id.uuid()),
        name: institution.body.name.clone(),
        tier: institution.body.tier,
        place: institution.place,
        phone: institution.body.phone.as_ref().map(|phone| phone.as_str().to_owned()).unwrap_or_default(),
    }
}

fn open_at(
    tx: &mut Transaction<'_>,
    places: PlaceRange,
    tier: InstitutionTier,
    today: Day,
) -> Result<Vec<Institution>, DatabaseError> {
    let filter = InstitutionFilter { tier: Some(tier), ..InstitutionFilter::default() };
    let all = institutions_at(tx, places, &filter, 0, MOST_OFFERED)?;
    Ok(all.into_iter().filter(|one| one.is_open_on(today)).collect())
}

/// The institution for which somebody refers: that of the account, else the highest of their tier at their place.
///
/// # Errors
/// When the database fails.
pub fn own_institution(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    today: Day,
) -> Result<Option<Institution>, DatabaseError> {
    let post = actor.post();
    if let Some(id) = post.institution {
        return find_institution(tx, kangmai_base::Id::from_uuid(id));
    }
    match post.tiers.last() {
        Some(tier) => Ok(open_at(tx, post.place.range(), *tier, today)?.into_iter().next()),
        None => Ok(None),
    }
}

/// The institutions to which somebody at home in `home` may be referred upwards: those of the county, then of the city and the
/// province, the township's own first.
///
/// # Errors
/// When the database fails.
pub fn upward(
    tx: &mut Transaction<'_>,
    home: DivisionCode,
    today: Day,
) -> Result<Vec<Institution>, DatabaseError> {
    let at = |level| home.at(level);
    let (township, county) = (at(DivisionLevel::Township), at(DivisionLevel::County));
    let mut all = open_at(tx, township.range(), InstitutionTier::Township, today)?;
    all.extend(open_at(tx, county.range(), InstitutionTier::County, today)?);
    all.extend(open_at(tx, at(DivisionLevel::City).range(), InstitutionTier::City, today)?);
    all.extend(open_at(tx, at(DivisionLevel::Province).range(), InstitutionTier::Province, today)?);
    let others = open_at(tx, county.range(), InstitutionTier::Township, today)?;
    let are_other = |one: &Institution| !township.contains(one.place);
    all.extend(others.into_iter().filter(are_other));
    Ok(all)
}

/// The institutions to which somebody at home in `home` may be sent back down: the village's, the township's, others of the county.
///
/// # Errors
/// When the database fails.
pub fn downward(
    tx: &mut Transaction<'_>,
    home: DivisionCode,
    today: Day,
) -> Result<Vec<Institution>, DatabaseError> {
    let (township, county) = (home.at(DivisionLevel::Township), home.at(DivisionLevel::County));
    let mut all = open_at(tx, township.range(), InstitutionTier::Township, today)?;
    all.extend(open_at(tx, home.range(), InstitutionTier::Village, today)?);
    let others = open_at(tx, county.range(), InstitutionTier::Township, today)?;
    all.extend(others.into_iter().filter(|one| !township.contains(one.place)));
    Ok(all)
}
