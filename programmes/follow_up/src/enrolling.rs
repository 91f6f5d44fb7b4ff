//! Finds who belongs to a programme and is not managed in it, and the other way round: a diagnosis came in or was withdrawn,
//! somebody grew past an age. Takes no input
//! but the day, may run at any time, any number of times: a second run of the same day changes nothing.

use kangmai_base::{Day, Id, Uuid};
use kangmai_database::DatabaseError;
use kangmai_people::{Person, find_person};
use kangmai_programme::App;

use crate::act::{Hand, Writing};
use crate::rules;
use crate::store::{self, Someone};

/// What a run came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EnrolRun {
    /// The living that were looked at.
    pub people: u64,
    /// Enrolments that were written down.
    pub enrolled: u64,
    /// Enrolments that ended, since the diagnosis no longer holds.
    pub closed: u64,
}

/// People that one transaction takes.
const AT_ONCE: i64 = 1_000;

/// Takes everybody into management who belongs on `as_of`; `progress` is told how many people are done.
///
/// # Errors
/// When the database fails.
pub fn enrol_all(app: &App, as_of: Day, mut progress: impl FnMut(u64)) -> Result<EnrolRun, DatabaseError> {
    let (mut run, mut after) = (EnrolRun::default(), Uuid::nil());
    loop {
        let part = app.clone();
        let (people, last, enrolled, closed) = app.database.write_blocking(move |tx| {
            tx.lock("follow_up.chart")?;
            let people = store::people_after(tx, after, as_of, AT_ONCE)?;
            let now = part.clock.now();
            let hand = Hand { author: Uuid::nil(), by: String::new(), now, recorded_at: now };
            let (mut facts, mut enrolled, mut closed) = (Vec::new(), 0, 0);
            let mint = || part.mint();
            for one in people.iter().filter(|one| is_otherwise(&part, one, as_of)) {
                let Some(person) = find_person(tx, Id::from_uuid(one.person))? else { continue };
                let person: Person = person;
                let events = store::events_of(tx, one.person)?;
                let mut writing = Writing::new(&part.policies, &person, events, &mint);
                closed += writing.close_who_no_longer_belongs(&hand, &one.ill, as_of)?;
                enrolled += writing.enrol_who_belongs(&hand, &one.ill, as_of)?;
                facts.extend(writing.into_facts());
            }
            part.record.append(tx, hand.now, facts)?;
            Ok::<_, DatabaseError>((
                people.len() as u64,
                people.last().map(|last| last.person),
                enrolled,
                closed,
            ))
        })?;
        run.people += people;
        run.enrolled += enrolled as u64;
        run.closed += closed as u64;
        progress(run.people);
        match last {
            Some(last) => after = last,
            None => return Ok(run),
        }
    }
}

/// Whether somebody may belong to a programme in which they are not managed, or be managed where they do not belong.
fn is_otherwise(app: &App, one: &Someone, as_of: Day) -> bool {
    app.policies.follow_ups(one.home, as_of).into_iter().any(|rules| {
        let is_open = one.managed.contains(&rules.programme);
        rules::belongs(rules, &one.who, &one.ill, as_of).is_some() != is_open
    })
}
