//! Person-years that are settled as one. Where the law gives households accumulators that their members have together, a
//! bill of one member changes what is left for the others: all persons whom a household of a bill of the year joins, and
//! whoever those are joined with, are one chain. Elsewhere each person-year stands alone.

use std::collections::{BTreeMap, BTreeSet};

use kangmai_access::Reach;
use kangmai_base::{DivisionCode, DivisionLevel, Uuid};
use kangmai_database::{DatabaseError, Transaction, params};
use kangmai_policy::Release;

use super::touched::itemised_years;
use super::year::{PersonYear, YearBill, person_year, waiting_years, years_between};
use crate::facts::Opening;
use crate::rules::{ChainBill, Member};

/// A bill keeps its household as of when it came in, and so does an opening.
const MEMBERS: &str =
    "select person from bill where household = $1 and insurance_year = $2 and state <> 'cancelled'
    union select person from opening where household = $1 and insurance_year = $2";
const WAITING: &str =
    "select distinct person, insurance_year from bill where state = 'received' and +home between $1 and $2
    order by person, insurance_year limit $3";

/// Most persons who are settled as one: no household has so many, and a register that joins more is wrong.
pub const MOST_JOINED: usize = 2_000;

/// Openings by person and year.
pub type Openings = BTreeMap<(Uuid, i32), Opening>;

/// Person-years that are settled as one; most often one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinedYear {
    /// Which insurance year.
    pub year: i32,
    /// Who is settled together.
    pub members: Vec<PersonYear>,
}

impl From<PersonYear> for JoinedYear {
    fn from(alone: PersonYear) -> JoinedYear {
        JoinedYear { year: alone.year, members: vec![alone] }
    }
}

impl PersonYear {
    /// The households of their bills, and that of their opening.
    fn households(&self) -> impl Iterator<Item = Uuid> {
        self.bills.iter().map(|bill| bill.bill.body.household).chain(self.opened_for)
    }
}

impl JoinedYear {
    /// The households that join them.
    pub fn households(&self) -> BTreeSet<Uuid> {
        self.members.iter().flat_map(PersonYear::households).collect()
    }

    /// The counties that their bills lie in.
    pub fn counties(&self) -> BTreeSet<DivisionCode> {
        self.bills().map(|(_, bill)| bill.bill.home.at(DivisionLevel::County)).collect()
    }

    /// All bills, each with whose it is.
    pub fn bills(&self) -> impl Iterator<Item = (Uuid, &YearBill)> {
        self.members.iter().flat_map(|member| member.bills.iter().map(|bill| (member.person, bill)))
    }

    /// The bill `id`, with whose it is.
    pub fn find(&self, id: Uuid) -> Option<(Uuid, &YearBill)> {
        self.bills().find(|(_, bill)| bill.bill.body.bill == id)
    }

    /// One of them.
    pub fn member_mut(&mut self, person: Uuid) -> Option<&mut PersonYear> {
        self.members.iter_mut().find(|member| member.person == person)
    }

    /// As the rules take them.
    pub fn to_settle(&self) -> Vec<Member<'_>> {
        let members = self.members.iter().map(|year| Member {
            insured: &year.insured,
            opening: &year.opening,
            opened_for: year.opened_for,
            bills: year.bills.iter().map(|bill| &bill.bill).collect(),
        });
        members.collect()
    }

    /// The year with one more bill.
    pub fn with_bill(mut self, person: Uuid, bill: ChainBill) -> JoinedYear {
        let bill = YearBill { bill, fact: Uuid::nil(), receipt: None, result: None, waits: None };
        if let Some(member) = self.member_mut(person) {
            member.bills.push(bill);
        }
        self
    }
}

/// The year of a person with all who are joined with them; `household`: one that a bill or an opening of theirs is about
/// to join them to.
///
/// # Errors
/// When the database fails, or when more are joined than can be.
pub fn joined_year(
    tx: &mut Transaction<'_>,
    policies: &Release,
    (person, household): (Uuid, Option<Uuid>),
    year: i32,
) -> Result<JoinedYear, DatabaseError> {
    joined_year_with(tx, policies, (person, household), year, &Openings::new())
}

/// The same, as it will be when `openings` have joined the record.
///
/// # Errors
/// See [`joined_year`].
pub fn joined_year_with(
    tx: &mut Transaction<'_>,
    policies: &Release,
    (person, household): (Uuid, Option<Uuid>),
    year: i32,
    openings: &Openings,
) -> Result<JoinedYear, DatabaseError> {
    let open = |member: &mut PersonYear| {
        if let Some(opening) = openings.get(&(member.person, year)) {
            (member.opening, member.opened_for) = (opening.used.clone(), opening.household);
        }
    };
    if !policies.has_shared() {
        let mut alone = person_year(tx, person, year)?;
        open(&mut alone);
        return Ok(alone.into());
    }
    let mut joined = JoinedYear { year, members: Vec::new() };
    let (mut known, mut households) = (BTreeSet::from([person]), BTreeSet::new());
    let mut waiting = vec![person];
    let mut entered: Vec<Uuid> = household.into_iter().collect();
    while let Some(next) = waiting.pop() {
        let mut member = person_year(tx, next, year)?;
        entered.extend(member.households());
        open(&mut member);
        entered.extend(member.opened_for);
        joined.members.push(member);
        for household in entered.drain(..).filter(|household| households.insert(*household)) {
            let is_of = |((_, of_year), opening): &(&(Uuid, i32), &Opening)| {
                *of_year == year && opening.household == Some(household)
            };
            let mut others: Vec<Uuid> = openings.iter().filter(is_of).map(|((other, _), _)| *other).collect();
            for row in tx.query(MEMBERS, &params![household, year])? {
                others.push(row.get(0)?);
            }
            waiting.extend(others.into_iter().filter(|other| known.insert(*other)));
        }
        if known.len() > MOST_JOINED {
            let said = format!("more than {MOST_JOINED} persons are joined by households of {year}");
            return Err(DatabaseError::Refused(said));
        }
    }
    Ok(joined)
}

/// The first years, of homes within reach, that hold a bill which waits to be settled, each with all who are joined with
/// it: of the first `limit` person-years.
///
/// # Errors
/// When the database fails.
pub fn waiting_joined(
    tx: &mut Transaction<'_>,
    policies: &Release,
    reach: &Reach,
    limit: i64,
) -> Result<Vec<JoinedYear>, DatabaseError> {
    if !policies.has_shared() {
        return Ok(waiting_years(tx, reach, limit)?.into_iter().map(JoinedYear::from).collect());
    }
    let rows = tx.query(WAITING, &params![reach.first(), reach.last(), limit])?;
    let mut first: Vec<(Uuid, i32)> = Vec::with_capacity(rows.len());
    for row in rows {
        first.push((row.get(0)?, row.get(1)?));
    }
    join_each(tx, policies, first)
}

/// The first years within reach of which a bill's lines came and that were not settled since, each with all who are joined
/// with it: of the first `limit` person-years.
///
/// # Errors
/// When the database fails.
pub fn itemised_joined(
    tx: &mut Transaction<'_>,
    policies: &Release,
    reach: &Reach,
    limit: i64,
) -> Result<Vec<JoinedYear>, DatabaseError> {
    let asked = itemised_years(tx, reach, limit)?;
    join_each(tx, policies, asked)
}

/// The person-years of `year` of these persons, which are in order, where no household joins any.
///
/// # Errors
/// When the database fails.
pub fn alone_between(
    tx: &mut Transaction<'_>,
    year: i32,
    people: &[Uuid],
) -> Result<Vec<JoinedYear>, DatabaseError> {
    let (Some(first), Some(last)) = (people.first(), people.last()) else { return Ok(Vec::new()) };
    let mut years = years_between(tx, year, *first, *last)?;
    years.retain(|found| people.binary_search(&found.person).is_ok());
    Ok(years.into_iter().map(JoinedYear::from).collect())
}

/// Each year once, however many of its members are asked for.
fn join_each(
    tx: &mut Transaction<'_>,
    policies: &Release,
    asked: impl IntoIterator<Item = (Uuid, i32)>,
) -> Result<Vec<JoinedYear>, DatabaseError> {
    let mut done: BTreeSet<(Uuid, i32)> = BTreeSet::new();
    let mut all = Vec::new();
    for (person, year) in asked {
        if !done.contains(&(person, year)) {
            let joined = joined_year(tx, policies, (person, None), year)?;
            done.extend(joined.members.iter().map(|member| (member.person, year)));
            all.push(joined);
        }
    }
    Ok(all)
}
