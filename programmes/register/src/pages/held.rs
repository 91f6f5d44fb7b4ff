//! What is kept of a person and for how long by law: told by the programmes that keep it, with the figures of the pack.

use kangmai_base::Day;
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::Person;
use kangmai_programme::{App, Looking};
use kangmai_web::Page;

use crate::rights::{Held, kept_until};

/// A line, in the reader's words.
pub(crate) struct HeldRow {
    pub(crate) what: String,
    pub(crate) count: i64,
    pub(crate) latest: String,
    pub(crate) until: String,
    pub(crate) is_kept: bool,
}

/// Everything that is kept on `day`, what is of level 5 too: for deciding, never for showing.
pub(crate) fn all(
    tx: &mut Transaction<'_>,
    app: &App,
    person: &Person,
    day: Day,
) -> Result<Vec<Held>, DatabaseError> {
    read(tx, app, person, (true, day))
}

/// What is kept, as far as the one who looks may see it.
pub(crate) fn of(
    tx: &mut Transaction<'_>,
    looking: &Looking,
    person: &Person,
) -> Result<Vec<Held>, DatabaseError> {
    let record = looking.within(kangmai_access::Purpose::ReadRecord, person);
    let sensitive = record.is_some_and(|record| record.sensitive());
    read(tx, &looking.app, person, (sensitive, looking.today))
}

fn read(
    tx: &mut Transaction<'_>,
    app: &App,
    person: &Person,
    (sensitive, day): (bool, Day),
) -> Result<Vec<Held>, DatabaseError> {
    let rules = app.policies.records(person.home, day);
    let mut held = Vec::new();
    for holdings in app.programmes.iter().filter_map(|programme| programme.holdings) {
        let all = holdings(tx, person, sensitive)?.into_iter().filter(|holding| holding.count > 0);
        held.extend(all.map(|holding| Held {
            word: holding.word,
            class: holding.class,
            count: holding.count,
            latest: holding.latest,
            until: kept_until(rules, holding.class, holding.latest),
        }));
    }
    Ok(held)
}

/// In words.
pub(crate) fn rows(page: &Page, held: &[Held], today: Day) -> Vec<HeldRow> {
    let row = |held: &Held| HeldRow {
        what: page.word(held.word).into_owned(),
        count: held.count,
        latest: held.latest.map(|day| page.day(day)).unwrap_or_default(),
        until: match held.until {
            Some(until) if held.is_kept_on(today) => page.say1("register.held.until", "day", page.day(until)),
            Some(until) => page.say1("register.held.over", "day", page.day(until)),
            None => page.word("register.held.no_law").into_owned(),
        },
        is_kept: held.is_kept_on(today),
    };
    held.iter().map(row).collect()
}
