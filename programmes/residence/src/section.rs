//! The part of a person's page that says where they live and who visits them, and the sentences of the timeline.

use askama::Template;
use kangmai_access::{Purpose, reach};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::Person;
use kangmai_programme::{Looking, Section, Told, place_name};
use kangmai_record::Fact;
use kangmai_web::{Html, Page};

use crate::facts::{ANSWERED, ASKED, Answered, Asked, ENDED, Ended};
use crate::pages::{mark, whole_name};
use crate::rules::{HandOver, same_county, township};
use crate::store;

/// Hand-overs that the page of a person names.
const SHOWN: usize = 3;

struct Line {
    path: Option<String>,
    tone: &'static str,
    mark: String,
    text: String,
}

#[derive(Template)]
#[template(path = "residence_section.html")]
struct Part {
    page: Page,
    lines: Vec<Line>,
    living: Option<String>,
    ask: Option<String>,
}

/// The section of a person's page.
pub(crate) fn person(
    tx: &mut Transaction<'_>,
    looking: &Looking,
    person: &Person,
) -> Result<Option<Section>, DatabaseError> {
    if looking.within(Purpose::ReadRecord, person).is_none() {
        return Ok(None);
    }
    let all = store::of_person(tx, person.id.uuid())?;
    let page = &looking.page;
    let reads = reach(&looking.actor, Purpose::ReadHandOvers);
    let line = |one: &HandOver| {
        let (tone, word) = mark(one.state(looking.today));
        let places = [one.home, one.asked.living];
        let is_ours = reads.as_ref().is_some_and(|reads| places.iter().any(|place| reads.covers(*place)));
        Line {
            path: is_ours.then(|| format!("/residence/{}", one.id())),
            tone,
            mark: page.word(word).into_owned(),
            text: page.say2(
                "residence.from_to",
                "home",
                place_name(one.home),
                "living",
                place_name(one.asked.living),
            ),
        }
    };
    let lines: Vec<Line> = all.iter().rev().take(SHOWN).map(line).collect();
    let is_open = all.iter().any(|one| one.state(looking.today).is_open());
    let elsewhere = person.body.living.filter(|living| township(*living) != township(person.home));
    let living = elsewhere.map(|living| {
        let near = same_county(living, person.home);
        let key = if near { "residence.lives_near" } else { "residence.lives_beyond" };
        page.say1(key, "place", if near { place_name(living) } else { whole_name(living) })
    });
    let keeps = reach(&looking.actor, Purpose::KeepHandOvers).is_some_and(|keeps| keeps.covers(person.home));
    let may_ask = keeps && !is_open && person.body.died_on.is_none();
    if lines.is_empty() && living.is_none() && !may_ask {
        return Ok(None);
    }
    let part = Part {
        lines,
        living: living.filter(|_| !is_open),
        ask: may_ask.then(|| format!("/people/{}/hand-over", person.id)),
        page: page.clone(),
    };
    let heading = page.word("residence.section").into_owned();
    Ok(Some(Section { heading, body: Html::of(&part), order: 18 }))
}

/// A fact of this programme as a sentence of the timeline.
pub(crate) fn told(looking: &Looking, _: &Person, fact: &Fact) -> Option<Told> {
    let page = &looking.page;
    let words = |texts: [String; 2]| texts.into_iter().filter(|text| !text.is_empty()).collect();
    match fact.new.kind.as_str() {
        ASKED => {
            let body: Asked = fact.new.read_body().ok()?;
            let key = format!("residence.told.asked.{}", body.side.key());
            let title = page.say1(&key, "place", place_name(body.living));
            Some(Told { title, details: words([body.note, body.by]) })
        }
        ANSWERED => {
            let body: Answered = fact.new.read_body().ok()?;
            let title = match body.from_on {
                Some(from) => page.say1("residence.accepted_from", "day", page.day(from)),
                None => page.say1("residence.refused_for", "reason", &body.reason),
            };
            Some(Told { title, details: words([body.by, String::new()]) })
        }
        ENDED => {
            let body: Ended = fact.new.read_body().ok()?;
            let why = page.word(&format!("residence.end.{}", body.why.key())).into_owned();
            let title = page.say1("residence.told.ended", "why", why);
            Some(Told { title, details: words([body.note, body.by]) })
        }
        _ => None,
    }
}
