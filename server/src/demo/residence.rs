//! Who lives in another township than registered: some handed over, some asked for, one refused, one given back. Samples all.

use kangmai_base::{Day, DivisionCode, DivisionLevel, Moment, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::{Person, people_at};
use kangmai_places::Divisions;
use kangmai_programme::App;
use kangmai_residence::act::{Answer, Hand, answer, ask, end};
use kangmai_residence::facts::{EndReason, Side};
use kangmai_residence::rules::township;
use kangmai_residence::store::of_person;

use super::county;

/// Of so many people one lives elsewhere in the county, and so many are looked through.
const ONE_OF: usize = 60;
const MOST_LOOKED_AT: i64 = 1_500;
/// From this age somebody lives apart here.
const ADULT: i32 = 25;
const SAMPLE: &str = "示例";

/// Lets some people live two townships further on, until `today`.
///
/// # Errors
/// When the database fails.
pub fn take_hand_overs(app: &App, today: Day) -> Result<(), DatabaseError> {
    let townships: Vec<DivisionCode> =
        Divisions::shipped().of_level(county(), DivisionLevel::Township).map(|one| one.code()).collect();
    let inside = app.clone();
    app.database.write_blocking(move |tx| {
        let people = people_at(tx, county().range(), 0, MOST_LOOKED_AT)?;
        let adults = people.iter().filter(|person| person.age_on(today).is_some_and(|age| age >= ADULT));
        for (number, person) in adults.step_by(ONE_OF).enumerate() {
            let at = townships.iter().position(|one| *one == township(person.home));
            let Some(further) = at.and_then(|at| townships.get((at + 2) % townships.len())) else { continue };
            let villages = Divisions::shipped().of_level(*further, DivisionLevel::Village);
            let Some(living) = villages.map(|one| one.code()).nth(number % 2) else { continue };
            hand_over(tx, &inside, (person, living), number, today)?;
        }
        Ok(())
    })
}

/// By its number: in force, waiting from either side, refused, given back.
fn hand_over(
    tx: &mut Transaction<'_>,
    app: &App,
    (person, living): (&Person, DivisionCode),
    number: usize,
    today: Day,
) -> Result<(), DatabaseError> {
    let hand = |place: DivisionCode, days: i32| Hand {
        author: Uuid::nil(),
        by: format!("{SAMPLE}卫生院"),
        place: township(place),
        now: Moment::start_of(today.plus_days(-days)),
    };
    let side = if number % 5 == 2 { Side::Living } else { Side::Home };
    let (asker, other) = match side {
        Side::Home => (person.home, living),
        Side::Living => (living, person.home),
    };
    let note = format!("{SAMPLE}：随子女居住");
    let asked = ask(tx, app, &hand(asker, 60), (person, side), (app.mint(), living, note))?;
    let whom = person.id.uuid();
    let Some(one) = of_person(tx, whom)?.into_iter().find(|one| asked == Ok(one.id())) else { return Ok(()) };
    let answered = match number % 5 {
        0 | 4 => Answer::Accept(today.plus_days(-50)),
        3 => Answer::Refuse(format!("{SAMPLE}：本人不愿意")),
        _ => return Ok(()),
    };
    let done = answer(tx, app, &hand(other, 50), (whom, &one), answered)?;
    if number % 5 == 4 && done.is_ok() {
        let Some(one) = of_person(tx, whom)?.into_iter().find(|known| known.id() == one.id()) else {
            return Ok(());
        };
        _ = end(tx, app, &hand(other, 5), (whom, &one), (EndReason::MovedBack, String::new()))?;
    }
    Ok(())
}
