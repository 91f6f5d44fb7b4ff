//! Break-glass: who treats asks for one person out of reach, with a reason, and gets reach for that person for some hours.
//! The health bureau of the person's place is told and says afterwards whether it was justified.

use kangmai_base::{DivisionCode, Id, Ids, Moment, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};

use crate::store::break_glass as store;
use crate::{
    Account, Actor, NewRelation, Purpose, Reach, Related, RelationKind, Role, audit, end_relations, relate,
};

/// How long the reach lasts.
pub const BREAK_GLASS_HOURS: i64 = 24;
/// The shortest reason, in characters: one word is none.
pub const SHORTEST_REASON: usize = 8;
/// The longest reason or note, in characters.
pub const LONGEST_REASON: usize = 500;
/// Tries of one account in a day, whoever was asked for: nobody finds out by trying who is in the register.
pub const MOST_TRIES_A_DAY: i64 = 10;
const HOUR_SECONDS: i64 = 3_600;

/// Somebody asked for a person out of reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakGlass {
    /// Its identifier.
    pub id: Uuid,
    /// For whom.
    pub person: Uuid,
    /// Where that person is at home.
    pub home: DivisionCode,
    /// Who asked.
    pub account: Id<Account>,
    /// What to call them today.
    pub name: String,
    /// In which role.
    pub role: Role,
    /// For which place they work.
    pub place: DivisionCode,
    /// Why.
    pub reason: String,
    /// When.
    pub asked_at: Moment,
    /// Until when the reach lasts.
    pub until: Moment,
    /// What the bureau says to it, once it does.
    pub review: Option<Review>,
}

/// What the bureau says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// When.
    pub at: Moment,
    /// Who, by name.
    pub by: String,
    /// Whether it was justified.
    pub is_justified: bool,
    /// Why.
    pub note: String,
}

/// How often the glass was broken and what became of it; no person, no reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakGlassSum {
    /// Who asked, by name.
    pub name: String,
    /// In which role.
    pub role: Role,
    /// How often.
    pub times: i64,
    /// How many wait for the bureau.
    pub waiting: i64,
    /// How many were not justified.
    pub unjustified: i64,
}

/// Writes down a try, before anybody is looked for.
///
/// # Errors
/// The inner [`Refusal`] when the account tried too often in a day.
pub fn try_break_glass(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    now: Moment,
) -> Result<Result<(), Refusal>, DatabaseError> {
    let checked = check_tries(tx, actor, now)?;
    if checked.is_ok() {
        store::insert_try(tx, actor.account, now)?;
    }
    Ok(checked)
}

/// Whether the account may try once more, without counting it.
///
/// # Errors
/// The inner [`Refusal`] when it tried too often in a day.
pub fn check_tries(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    now: Moment,
) -> Result<Result<(), Refusal>, DatabaseError> {
    let since = now.plus_seconds(-24 * HOUR_SECONDS);
    if store::tries(tx, actor.account, since)? >= MOST_TRIES_A_DAY {
        let most = MOST_TRIES_A_DAY.to_string();
        return Ok(Err(Refusal::new("access.break_glass.too_often").with("most", most)));
    }
    Ok(Ok(()))
}

/// Gives `actor` reach for one person for [`BREAK_GLASS_HOURS`]. `reach` is the actor's for asking.
///
/// # Errors
/// The inner [`Refusal`] when the reason says too little.
pub fn break_glass(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    (person, home): (Uuid, DivisionCode),
    reason: &str,
    ids: &dyn Ids,
    now: Moment,
) -> Result<Result<Uuid, Refusal>, DatabaseError> {
    let reason = reason.trim();
    if !(SHORTEST_REASON..=LONGEST_REASON).contains(&reason.chars().count()) {
        return Ok(Err(Refusal::new("access.break_glass.reason").at("reason")));
    }
    let (id, until) = (ids.mint(now), now.plus_seconds(BREAK_GLASS_HOURS * HOUR_SECONDS));
    store::insert(tx, id, actor, (person, home), reason, (now, until))?;
    let new = NewRelation {
        id: ids.mint(now),
        person,
        kind: RelationKind::BreakGlass,
        whose: Related::Account(actor.account),
        from: now,
        until,
        source: id,
    };
    relate(tx, &new)?;
    audit(tx, ids.mint(now), now, actor, "break_glass", Some(person), home, reason, "done")?;
    Ok(Ok(id))
}

/// Those within reach of who reviews, the ones that wait first, then the latest.
///
/// # Errors
/// When the database fails.
pub fn list_break_glass(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    offset: i64,
    limit: i64,
) -> Result<Vec<BreakGlass>, DatabaseError> {
    if reach.purpose() != Purpose::ReviewBreakGlass {
        return Ok(Vec::new());
    }
    store::list(tx, reach, offset, limit)
}

/// One of them.
///
/// # Errors
/// When the database fails.
pub fn break_glass_within(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    id: Uuid,
) -> Result<Option<BreakGlass>, DatabaseError> {
    let found = store::one(tx, id)?;
    Ok(found.filter(|one| reach.purpose() == Purpose::ReviewBreakGlass && reach.covers(one.home)))
}

/// How many wait for who reviews.
///
/// # Errors
/// When the database fails.
pub fn break_glass_waiting(tx: &mut Transaction<'_>, reach: &Reach) -> Result<i64, DatabaseError> {
    if reach.purpose() != Purpose::ReviewBreakGlass {
        return Ok(0);
    }
    store::waiting(tx, reach)
}

/// Says whether it was justified. What was not justified ends at once.
///
/// # Errors
/// The inner [`Refusal`] when there is none within reach, it is one's own, it was reviewed already, or the note is empty.
pub fn review_break_glass(
    tx: &mut Transaction<'_>,
    by: &Actor,
    reach: &Reach,
    (id, is_justified, note): (Uuid, bool, &str),
    audit_id: Uuid,
    now: Moment,
) -> Result<Result<(), Refusal>, DatabaseError> {
    let Some(one) = break_glass_within(tx, reach, id)? else {
        return Ok(Err(Refusal::new("access.break_glass.not_found")));
    };
    if one.account == by.account {
        return Ok(Err(Refusal::new("access.break_glass.own")));
    }
    if one.review.is_some() {
        return Ok(Err(Refusal::new("access.break_glass.reviewed")));
    }
    let note = note.trim();
    if note.is_empty() || note.chars().count() > LONGEST_REASON {
        return Ok(Err(Refusal::new("access.break_glass.note").at("note")));
    }
    store::review(tx, id, by, (is_justified, note), now)?;
    if !is_justified {
        end_relations(tx, id, now)?;
    }
    let outcome = if is_justified { "done" } else { "refused" };
    audit(tx, audit_id, now, by, "break_glass_review", Some(one.person), one.home, note, outcome)?;
    Ok(Ok(()))
}

/// Who broke the glass how often since `since`, within the place of who guards the accounts.
///
/// # Errors
/// When the database fails.
pub fn break_glass_sums(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    since: Moment,
) -> Result<Vec<BreakGlassSum>, DatabaseError> {
    if reach.purpose() != Purpose::GuardAccounts {
        return Ok(Vec::new());
    }
    store::sums(tx, reach, since)
}
