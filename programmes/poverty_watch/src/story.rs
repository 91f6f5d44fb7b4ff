//! What happened to a warning, step by step: on its own page, and on the timelines of those whom it concerns.

use kangmai_access::{Purpose, Reach, reach};
use kangmai_base::{Moment, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::Person;
use kangmai_programme::{Looking, Told};
use kangmai_record::{Fact, Subject, timeline};
use kangmai_web::Page;

use crate::facts::{LEVEL_CHANGED, RAISED, Seen, Step, UPDATED};
use crate::sentences::{dismiss_word, first_sentence, level_word};
use crate::store;

/// A line of history.
pub(crate) struct Story {
    pub(crate) when: String,
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) by: String,
}

/// A fact as a line of history, as far as `may` lets read; with `of`, only what concerns that member or the whole
/// household.
pub(crate) fn story(page: &Page, may: &Reach, fact: &Fact, of: Option<Uuid>) -> Option<Story> {
    let kind = fact.new.kind.strip_prefix("poverty_watch.")?;
    let title = page.word(&format!("poverty_watch.fact.{kind}")).into_owned();
    if matches!(fact.new.kind.as_str(), RAISED | LEVEL_CHANGED | UPDATED) {
        let seen: Seen = fact.new.read_body().ok()?;
        let concerns = |person: Option<Uuid>| of.is_none() || person.is_none() || person == of;
        let first = seen.findings.iter().find(|finding| concerns(finding.person));
        let said = if first.is_none() && !seen.findings.is_empty() {
            page.word("poverty_watch.other_member").into_owned()
        } else {
            first_sentence(page, first, may)
        };
        let text = format!("{} {said}", level_word(page, seen.level));
        return Some(Story { when: page.iso(seen.as_of), title, text, by: String::new() });
    }
    let step: Step = fact.new.read_body().ok()?;
    Some(Story { when: page.iso(step.on), title, text: step_text(page, &step), by: step.by })
}

/// What was said with a step.
fn step_text(page: &Page, step: &Step) -> String {
    let mut parts: Vec<String> = Vec::new();
    parts.extend(step.reason.map(|reason| dismiss_word(page, reason)));
    let say = |key: &str| page.word(key).into_owned();
    parts.extend(step.take_in.map(|yes| {
        say(if yes { "poverty_watch.outcome.taken_in" } else { "poverty_watch.outcome.not_taken_in" })
    }));
    parts
        .extend(step.objections.map(|yes| {
            say(if yes { "poverty_watch.objections.yes" } else { "poverty_watch.objections.no" })
        }));
    parts.extend(step.posted_on.map(|on| page.say1("poverty_watch.posted_on", "day", page.day(on))));
    parts.extend(
        step.consent
            .map(|yes| say(if yes { "poverty_watch.consent.yes" } else { "poverty_watch.consent.no" })),
    );
    parts.extend(Some(step.note.clone()).filter(|note| !note.is_empty()));
    parts.join(if page.is_chinese() { "；" } else { "; " })
}

/// The facts of the warnings of a person's household that happened before `before`, within reach.
pub(crate) fn of_household(
    tx: &mut Transaction<'_>,
    looking: &Looking,
    person: &Person,
    before: Option<Moment>,
    limit: i64,
) -> Result<Vec<Fact>, DatabaseError> {
    let may = reach(&looking.actor, Purpose::ReadWarnings).filter(|may| may.covers(person.home));
    let Some(may) = may else { return Ok(Vec::new()) };
    let mut facts = Vec::new();
    for row in store::warnings_of(tx, &may, person.body.household)? {
        facts.extend(timeline(tx, &may, Subject::case(row.id), before, limit)?);
    }
    Ok(facts)
}

/// A fact as a sentence of a person's timeline.
pub(crate) fn sentence(looking: &Looking, person: &Person, fact: &Fact) -> Option<Told> {
    let page = &looking.page;
    let may = reach(&looking.actor, Purpose::ReadWarnings)?;
    let story = story(page, &may, fact, Some(person.id.uuid()))?;
    let by = Some(story.by).filter(|by| !by.is_empty());
    let by = by.map(|by| page.say1("poverty_watch.step_by", "by", by));
    Some(Told {
        title: page.say1("poverty_watch.told", "step", story.title),
        details: Some(story.text).filter(|text| !text.is_empty()).into_iter().chain(by).collect(),
    })
}
