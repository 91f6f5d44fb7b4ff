//! Standing in: somebody on leave names a colleague, who then works with that reach from one day to another. Whatever is
//! done stays the deed of who did it: the actor is the colleague's account, in the role and at the place of the other.
//!
//! One who watches (administrator, auditor, security officer) has nobody stand in, and nobody passes on what was
//! passed on to them: what is delegated is what an account is by itself.

use kangmai_base::{Day, DivisionLevel, Id, Ids, Moment, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};

use crate::session::{hash_token, rotate};
use crate::store::delegation as store;
use crate::{Account, Actor, Purpose, Role, audit, reach};

/// The longest time that somebody stands in, in days. Our own choice: a leave; what is longer is a transfer.
pub const LONGEST_DELEGATION_DAYS: i32 = 92;
/// The colleagues that can stand in for one account at once.
pub const MOST_DELEGATIONS: usize = 5;
/// The longest reason, in characters.
pub const LONGEST_DELEGATION_REASON: usize = 100;
/// The colleagues that a form offers.
pub const MOST_COLLEAGUES: usize = 300;

/// Somebody stands in for somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delegation {
    /// Its identifier.
    pub id: Uuid,
    /// Whose reach it is.
    pub of: Account,
    /// Who stands in.
    pub to: Account,
    /// From when.
    pub from: Moment,
    /// Until when.
    pub until: Moment,
    /// Why.
    pub reason: String,
}

impl Delegation {
    /// The last day on which it holds.
    pub const fn last_day(&self) -> Day {
        self.until.plus_seconds(-1).day()
    }

    /// Whether it holds at `now`.
    pub fn holds(&self, now: Moment) -> bool {
        self.from <= now && now < self.until
    }
}

/// What somebody asks for.
#[derive(Debug, Clone)]
pub struct NewDelegation {
    /// Whose reach.
    pub of: Id<Account>,
    /// Who is to stand in.
    pub to: Id<Account>,
    /// First and last day.
    pub days: (Day, Day),
    /// Why.
    pub reason: String,
}

/// Whether `to` may stand in for `of`: a colleague in the same role and county (at a desk: of the same institution), or
/// for a village doctor the township that the village belongs to.
pub fn may_stand_in(of: &Account, to: &Account) -> bool {
    if of.id == to.id || to.closed_at.is_some() || [of.role, to.role].iter().any(|role| role.keeps_watch()) {
        return false;
    }
    let from_above =
        of.role == Role::VillageDoctor && to.role == Role::TownshipOfficer && to.place.contains(of.place);
    let same_county = of.place.at(DivisionLevel::County) == to.place.at(DivisionLevel::County)
        && of.place.level() == to.place.level();
    from_above || of.role == to.role && of.institution == to.institution && same_county
}

/// Who could stand in for an account, those nearest first.
///
/// # Errors
/// When the database fails.
pub fn colleagues(tx: &mut Transaction<'_>, of: Id<Account>) -> Result<Vec<Account>, DatabaseError> {
    let Some(of) = crate::store::account(tx, of)? else { return Ok(Vec::new()) };
    let county = of.place.at(DivisionLevel::County).range();
    let mut all = store::open_accounts(tx, (county.first.cast_signed(), county.last.cast_signed()))?;
    all.retain(|to| may_stand_in(&of, to));
    let township = of.place.at(DivisionLevel::Township);
    all.sort_by_key(|to| {
        (to.place.at(DivisionLevel::Township) != township, to.place.number(), to.sign_in_name.clone())
    });
    all.truncate(MOST_COLLEAGUES);
    Ok(all)
}

/// Lets somebody stand in. Who is on leave does it, or an administrator of the place for somebody who no longer can.
///
/// # Errors
/// The inner [`Refusal`] when it may not be, or the days make no sense; [`DatabaseError`] when the database fails.
pub fn delegate(
    tx: &mut Transaction<'_>,
    by: &Actor,
    new: &NewDelegation,
    ids: &dyn Ids,
    now: Moment,
) -> Result<Result<Uuid, Refusal>, DatabaseError> {
    let refused = |key, field| Ok(Err(Refusal::new(key).at(field)));
    let Some(of) = crate::store::account(tx, new.of)?.filter(|of| may_manage(by, of)) else {
        return Ok(Err(Refusal::new("access.account.not_found")));
    };
    let to = crate::store::account(tx, new.to)?.filter(|to| may_stand_in(&of, to));
    let Some(to) = to else { return refused("access.delegation.not_a_colleague", "to") };
    let (first, last) = new.days;
    if first < now.day() {
        return refused("access.delegation.past", "from");
    }
    if last < first {
        return refused("access.delegation.backwards", "until");
    }
    if last.days_since(first) >= LONGEST_DELEGATION_DAYS {
        let days = LONGEST_DELEGATION_DAYS.to_string();
        return Ok(Err(Refusal::new("access.delegation.too_long").at("until").with("days", days)));
    }
    let given = store::of_account(tx, of.id, now)?.0;
    if given.len() >= MOST_DELEGATIONS {
        let most = MOST_DELEGATIONS.to_string();
        return Ok(Err(Refusal::new("access.delegation.too_many").at("to").with("most", most)));
    }
    let (from, until) = (Moment::start_of(first), Moment::start_of(last.plus_days(1)));
    if given.iter().any(|known| known.to.id == to.id && known.from < until && from < known.until) {
        return refused("access.delegation.twice", "to");
    }
    let id = ids.mint(now);
    let reason = new.reason.trim();
    store::insert(tx, id, (of.id, to.id), (from, until), reason, (now, by.account))?;
    let said = format!("{} {first}..{last}", to.sign_in_name);
    audit(tx, ids.mint(now), now, by, "delegated", Some(of.id.uuid()), of.place, &said, "done")?;
    Ok(Ok(id))
}

/// Whether `by` decides who stands in for `of`.
fn may_manage(by: &Actor, of: &Account) -> bool {
    by.account == of.id || reach(by, Purpose::ManageAccounts).is_some_and(|within| within.covers(of.place))
}

/// What was given by an account and holds or will hold, and what was given to it; the earliest first.
///
/// # Errors
/// When the database fails.
pub fn delegations(
    tx: &mut Transaction<'_>,
    account: Id<Account>,
    now: Moment,
) -> Result<(Vec<Delegation>, Vec<Delegation>), DatabaseError> {
    store::of_account(tx, account, now)
}

/// Ends one before its time; who works by it is at once back at their own place.
///
/// # Errors
/// The inner [`Refusal`] when there is none that `by` decides about, or that was given to them.
pub fn end_delegation(
    tx: &mut Transaction<'_>,
    by: &Actor,
    id: Uuid,
    ids: &dyn Ids,
    now: Moment,
) -> Result<Result<(), Refusal>, DatabaseError> {
    let found = store::one(tx, id, now)?.filter(|one| may_manage(by, &one.of) || one.to.id == by.account);
    let Some(one) = found else { return Ok(Err(Refusal::new("access.delegation.not_found"))) };
    store::end(tx, id, now)?;
    let (of, said) = (Some(one.of.id.uuid()), one.to.sign_in_name.as_str());
    audit(tx, ids.mint(now), now, by, "delegation_ended", of, one.of.place, said, "done")?;
    Ok(Ok(()))
}

/// The session of `token` works in somebody's place from now on, or, without `id`, in its own again. Answers the session's
/// new token.
///
/// # Errors
/// The inner [`Refusal`] when nobody asked `by` to stand in at this time.
pub fn stand_in(
    tx: &mut Transaction<'_>,
    by: &Actor,
    token: &str,
    id: Option<Uuid>,
    ids: &dyn Ids,
    now: Moment,
) -> Result<Result<String, Refusal>, DatabaseError> {
    let mut subject = by.account.uuid();
    if let Some(id) = id {
        let found = store::one(tx, id, now)?.filter(|one| one.to.id == by.account && one.holds(now));
        let Some(one) = found.filter(|one| one.of.closed_at.is_none()) else {
            return Ok(Err(Refusal::new("access.delegation.not_found")));
        };
        subject = one.of.id.uuid();
    }
    store::set_of_session(tx, &hash_token(token), id)?;
    let action = if id.is_some() { "stands_in" } else { "stands_in_no_more" };
    audit(tx, ids.mint(now), now, by, action, Some(subject), by.place, "", "done")?;
    rotate(tx, ids, token).map(Ok)
}
