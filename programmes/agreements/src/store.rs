//! The views of agreements, of what is due of them, and of teams; the only files with SQL. What tells a disease of level 5 stands
//! in none of them: it is worked out of the facts on the person's own pages.

mod erased;
mod events;
mod items;
mod list;
mod paper;
mod residents;
mod teams;

use kangmai_base::{Day, DivisionCode, Uuid};
use kangmai_database::{DatabaseError, InsertMany, SealedTable, Transaction, params};
use kangmai_people::PERSON_REGISTERED;
use kangmai_record::{Fact, NewFact, Projection, nothing_along};

pub(crate) use erased::held;
pub use events::{Diagnosed, care_of, diagnosed_of, events_of, folder_of, known_of};
pub use items::{DueRow, DueWanted, Which, count_due, due_rows, kept_share, promises_of};
pub use list::{
    Listed, Wanted, count, households_signed, in_force_share, listed, renewed_share, signed_with,
};
pub use paper::{Picture, keep_picture, picture};
pub use residents::{
    First, MOST_FIRST, Resident, ResidentsWanted, count_residents, first_share, known_of_all, residents,
};
pub use teams::{Team, TeamCount, signed_by_team, team, teams_at, teams_within};

use crate::care::Care;
use crate::facts::{
    DONE, Done, ENDED, EndReason, Ended, KINDS, MOVED, Moved, OFFERED, Offered, PLANNED, Planned, SIGNED,
    Signed, UNDONE, Undone, Way,
};
use crate::folder::{Agreement, Folder};
use crate::rules;

/// What is sealed of agreements: signatures and photographs of papers.
pub const SEALED: &[SealedTable] =
    &[SealedTable { table: "agreement_paper", id: "id", columns: &["content_sealed"] }];

const HOME_OF: &str = "select home from person where id = $1";
const HAS_ANY: &str = "select 1 from agreement where person = $1 limit 1";
const FORGET: &str = "delete from agreement where person = $1";
const FORGET_DUE: &str = "delete from agreement_due where person = $1";
const MOVE: &str = "update agreement set home = $2 where person = $1 and home <> $2";
const MOVE_DUE: &str = "update agreement_due set home = $2 where person = $1 and home <> $2";
const MOVE_PAPER: &str = "update agreement_paper set home = $2 where person = $1 and home <> $2";
const PUT: InsertMany = InsertMany {
    table: "agreement",
    columns: &[
        "id",
        "person",
        "home",
        "team",
        "offered_on",
        "signed_on",
        "from_on",
        "until_on",
        "ended_on",
        "end_reason",
        "renews",
        "renewed_on",
        "packages",
        "way",
    ],
    suffix: "",
};
const PUT_DUE: InsertMany = InsertMany {
    table: "agreement_due",
    columns: &["agreement", "item", "number", "person", "home", "from_on", "until_on", "done_on"],
    suffix: "",
};

/// The views of agreements and of what is due of them.
pub const AGREEMENTS: Projection = Projection {
    name: "agreements",
    kinds: &[
        OFFERED,
        SIGNED,
        MOVED,
        ENDED,
        DONE,
        PLANNED,
        UNDONE,
        "follow_up.visited",
        "follow_up.classified",
        "follow_up.undone",
        PERSON_REGISTERED,
    ],
    views: &["agreement", "agreement_due"],
    admit,
    apply,
    along: nothing_along,
    forget: erased::forget,
};

/// The views of teams.
pub const TEAMS: Projection = teams::PROJECTION;

fn admit(fact: &NewFact) -> Result<(), kangmai_base::Refusal> {
    match fact.kind.as_str() {
        OFFERED => fact.read_body::<Offered>().map(|_| ()),
        SIGNED => fact.read_body::<Signed>().map(|_| ()),
        MOVED => fact.read_body::<Moved>().map(|_| ()),
        ENDED => fact.read_body::<Ended>().map(|_| ()),
        DONE => fact.read_body::<Done>().map(|_| ()),
        PLANNED => fact.read_body::<Planned>().map(|_| ()),
        UNDONE => fact.read_body::<Undone>().map(|_| ()),
        _ => Ok(()),
    }
}

/// The rows of a person are what all facts about the person come to, so they are worked out once for each person that a batch
/// speaks of. Whoever has no agreement costs one look at an index.
fn apply(tx: &mut Transaction<'_>, facts: &[&Fact]) -> Result<(), DatabaseError> {
    let (mut own, mut visited, mut moved) = (Vec::new(), Vec::new(), Vec::new());
    for fact in facts {
        let people = match fact.new.kind.as_str() {
            kind if KINDS.contains(&kind) => &mut own,
            PERSON_REGISTERED => &mut moved,
            _ => &mut visited,
        };
        people.push((fact.new.subject.id, fact.new.place));
    }
    for people in [&mut own, &mut visited, &mut moved] {
        people.sort_by_key(|(person, _)| *person);
        people.dedup_by_key(|(person, _)| *person);
    }
    for (person, place) in &own {
        let home = tx.query_one(HOME_OF, &params![*person])?.map(|row| row.get(0)).transpose()?;
        put(tx, *person, home.unwrap_or(*place))?;
    }
    let is_own = |person: &Uuid| own.iter().any(|(known, _)| known == person);
    for (person, place) in visited.iter().filter(|(person, _)| !is_own(person)) {
        if tx.query_one(HAS_ANY, &params![*person])?.is_some() {
            let home = tx.query_one(HOME_OF, &params![*person])?.map(|row| row.get(0)).transpose()?;
            put(tx, *person, home.unwrap_or(*place))?;
        }
    }
    for (person, _) in moved.iter().filter(|(person, _)| !is_own(person)) {
        if tx.query_one(HAS_ANY, &params![*person])?.is_some() {
            let home: Option<DivisionCode> =
                tx.query_one(HOME_OF, &params![*person])?.map(|row| row.get(0)).transpose()?;
            for statement in [MOVE, MOVE_DUE, MOVE_PAPER] {
                if let Some(home) = home {
                    tx.execute(statement, &params![*person, home])?;
                }
            }
        }
    }
    Ok(())
}

fn put(tx: &mut Transaction<'_>, person: Uuid, home: DivisionCode) -> Result<(), DatabaseError> {
    let (folder, care) = (folder_of(tx, person)?, care_of(tx, person)?);
    tx.execute(FORGET, &params![person])?;
    tx.execute(FORGET_DUE, &params![person])?;
    put_agreements(tx, (person, home), &folder)?;
    for one in &folder.agreements {
        put_due(tx, (person, home), (&folder, one), &care)?;
    }
    Ok(())
}

fn put_agreements(
    tx: &mut Transaction<'_>,
    (person, home): (Uuid, DivisionCode),
    folder: &Folder,
) -> Result<(), DatabaseError> {
    let rows = folder.agreements.iter().map(|one| {
        let signed = one.signed.as_ref().map(|signed| &signed.body);
        let ended = one.ended.as_ref().map(|ended| &ended.body);
        params![
            one.id,
            person,
            home,
            one.team(),
            one.offered.as_ref().map(|offered| offered.body.on),
            signed.map(|signed| signed.on),
            signed.map(|signed| signed.from),
            signed.map(|signed| signed.until),
            ended.map(|ended| ended.on),
            ended.map_or("", |ended| EndReason::key(ended.reason)),
            signed.and_then(|signed| signed.renews),
            one.renewed_on,
            open_packages(one).join(" "),
            signed.map_or("", |signed| Way::key(signed.signature.way))
        ]
    });
    tx.insert_many(&PUT, rows)?;
    Ok(())
}

/// The packages that tell no disease of level 5.
fn open_packages(one: &Agreement) -> Vec<&str> {
    let Some(content) = one.content() else { return Vec::new() };
    let secret: Vec<&str> = content
        .promises
        .iter()
        .filter(|promise| promise.sensitive)
        .map(|promise| promise.package.as_str())
        .collect();
    content.packages.iter().map(String::as_str).filter(|package| !secret.contains(package)).collect()
}

fn put_due(
    tx: &mut Transaction<'_>,
    (person, home): (Uuid, DivisionCode),
    (folder, one): (&Folder, &Agreement),
    care: &Care,
) -> Result<(), DatabaseError> {
    let mut rows = Vec::new();
    for kept in rules::kept(folder, one, care).into_iter().filter(|kept| !kept.promise.sensitive) {
        let item = format!("{}.{}", kept.promise.package, kept.promise.item);
        for window in &kept.windows {
            rows.push(params![
                one.id,
                item.as_str(),
                window.number,
                person,
                home,
                window.from,
                window.until,
                window.done_on
            ]);
        }
    }
    tx.insert_many(&PUT_DUE, rows)?;
    Ok(())
}

/// A share of something on a day.
pub type Share = (i64, i64);

/// The first day of the twelve months before `today`.
fn a_year_before(today: Day) -> Day {
    today.plus_months(-12)
}
