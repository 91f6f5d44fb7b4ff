//! The copy of people that a hub holds: what upstream tells takes the place of what was here, and what waits to be handed on
//! is written on top of it.

use kangmai_access::{Purpose, actor_of, reach};
use kangmai_base::{Id, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::{find_household, find_persons};
use kangmai_programme::{App, Sent};
use kangmai_record::{NewFact, Record, Source, Subject};

use crate::push::Written;
use crate::relay::heard::{Household, Line, Told};
use crate::relay::store::{self, Out};
use crate::told::{Tellers, of_milliseconds};

/// Writes households down whose cards say something else than the register here.
pub(super) fn put_households(
    tx: &mut Transaction<'_>,
    app: &App,
    households: &[Household],
) -> Result<(), DatabaseError> {
    let now = app.clock.now();
    let mut facts = Vec::new();
    for card in households {
        let known = find_household(tx, Id::from_uuid(card.id))?;
        if !known.is_some_and(|known| known.place == card.place && known.body == card.body()) {
            facts.push(card.fact(app.mint(), now));
        }
    }
    for facts in facts.chunks(Record::BATCH) {
        app.record.append(tx, now, facts.to_vec())?;
    }
    Ok(())
}

/// Takes households with their people as upstream tells them.
pub(super) fn take_lines(tx: &mut Transaction<'_>, app: &App, lines: &[Line]) -> Result<(), DatabaseError> {
    // What was written in this moment is numbered first: nothing that is not may go with the copy.
    while super::number(tx, app)? {}
    let ids: Vec<Uuid> = lines.iter().flat_map(|line| &line.people).map(|told| told.person.id).collect();
    let there = find_persons(tx, &ids)?;
    let (now, tellers) = (app.clock.now(), Tellers::of(app.programmes));
    let written = tellers.written();
    let mut facts = Vec::new();
    for told in lines.iter().flat_map(|line| &line.people) {
        let person = told.person.id;
        if there.contains_key(&person) {
            app.record.let_go(tx, Subject::person(person))?;
        }
        facts.push(told.person.fact(app.mint(), now));
        facts.extend(told.facts.iter().map(|fact| fact.fact(&told.person)));
        let handed: Vec<Uuid> = told
            .facts
            .iter()
            .filter(|fact| written.contains(&fact.kind.as_str()))
            .map(|fact| fact.id)
            .collect();
        store::note_told(tx, person, &handed)?;
    }
    let households: Vec<Household> = lines.iter().filter_map(|line| line.household.clone()).collect();
    put_households(tx, app, &households)?;
    for facts in facts.chunks(Record::BATCH) {
        // What a newer upstream says and this program cannot read is put aside here, and holds nothing up.
        app.record.append(tx, now, facts.to_vec())?;
    }
    for told in lines.iter().flat_map(|line| &line.people) {
        write_on_top(tx, app, told)?;
    }
    // All of it came from upstream, or is numbered.
    super::pass_over(tx)
}

/// Writes what waits to be handed on about somebody on top of what upstream tells.
fn write_on_top(tx: &mut Transaction<'_>, app: &App, told: &Told) -> Result<(), DatabaseError> {
    let waiting = store::waiting_of(tx, told.person.id)?;
    for out in waiting {
        // What upstream has already was told; its answer is on the way.
        if told.facts.iter().any(|fact| fact.id == out.fact) {
            continue;
        }
        write_one(tx, app, told, &out)?;
    }
    Ok(())
}

fn write_one(tx: &mut Transaction<'_>, app: &App, told: &Told, out: &Out) -> Result<(), DatabaseError> {
    let tellers = Tellers::of(app.programmes);
    let Ok(written) = serde_json::from_str::<Written>(&out.text) else { return Ok(()) };
    let Some(field) = tellers.taker(&out.kind) else { return Ok(()) };
    let Some(actor) = actor_of(tx, Id::from_uuid(written.by.unwrap_or_default()))? else { return Ok(()) };
    let Some(reach) = reach(&actor, Purpose::RecordVisits) else { return Ok(()) };
    let (now, person) = (app.clock.now(), told.person.person());
    let recorded_at = of_milliseconds(written.at);
    let fact = NewFact {
        id: written.id,
        kind: written.kind,
        subject: Subject::person(written.person),
        occurred_at: recorded_at,
        recorded_at,
        place: person.home,
        author: actor.account.uuid(),
        source: Source::Typed,
        corrects: written.corrects,
        body: written.body.to_string(),
    };
    // What does not fit upstream's news is not shown here any more; it is handed on, and upstream puts it aside.
    (field.take)(tx, app, (&actor, &reach), vec![Sent { fact, person, now }])?;
    Ok(())
}

/// Lets somebody go who is not this hub's any more; what waits about them is still handed on.
pub(super) fn let_go(tx: &mut Transaction<'_>, app: &App, person: Uuid) -> Result<(), DatabaseError> {
    while super::number(tx, app)? {}
    app.record.let_go(tx, Subject::person(person))?;
    store::forget_out(tx, person)
}

/// Those of these people who are held here.
pub(super) fn known(tx: &mut Transaction<'_>, people: &[Uuid]) -> Result<Vec<Uuid>, DatabaseError> {
    let mut people = people.to_vec();
    people.sort_unstable();
    people.dedup();
    Ok(find_persons(tx, &people)?.into_keys().collect())
}
