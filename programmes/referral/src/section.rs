//! The part of a person's page, and the sentences of the timeline.

use askama::Template;
use kangmai_access::Purpose;
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::{Person, aliases};
use kangmai_programme::{Looking, Section, Told};
use kangmai_record::Fact;
use kangmai_web::{Html, Page};

use crate::facts::{
    ANSWERED, ARRIVED, Answered, Arrived, Direction, ENDED, Ended, OPENED, Opened, UNDONE, Urgency, WAIVED,
    Waived,
};
use crate::folder::Referral;
use crate::pages::Standing;
use crate::rules::wanted;
use crate::sentences::{Names, due, party, stage_word, tone};
use crate::store;

/// Referrals that the page of a person names.
const SHOWN: usize = 5;

/// A referral as it is shown.
struct Line {
    path: String,
    tone: &'static str,
    mark: String,
    text: String,
    due: String,
}

/// A visit that waits for a referral.
struct Waits {
    tone: &'static str,
    text: String,
    refer: String,
    waive: String,
}

#[derive(Template)]
#[template(path = "referral_section.html")]
struct Part {
    page: Page,
    waits: Option<Waits>,
    lines: Vec<Line>,
    /// What is due by follow-up after it.
    next: Vec<String>,
    up: Option<String>,
    down: Option<String>,
}

/// The section of a person's page, with what stands under a record that is the same person's.
pub(crate) fn person(
    tx: &mut Transaction<'_>,
    looking: &Looking,
    person: &Person,
) -> Result<Option<Section>, DatabaseError> {
    if looking.within(Purpose::ReadReferrals, person).is_none() {
        return Ok(None);
    }
    let now = looking.app.clock.now();
    let Some(standing) = Standing::of(tx, &looking.actor, person, now)? else { return Ok(None) };
    let (page, id, today) = (&looking.page, person.id, looking.today);
    let (folder, visits) = (store::folder_of(tx, id.uuid())?, store::visits_of(tx, id.uuid())?);
    let mut all: Vec<(String, Referral)> =
        folder.referrals.iter().map(|one| (id.to_string(), one.clone())).collect();
    for alias in aliases(tx, id)? {
        let other = store::folder_of(tx, alias.uuid())?;
        all.extend(other.referrals.into_iter().map(|one| (alias.to_string(), one)));
    }
    all.retain(|(_, one)| standing.sees(one));
    all.sort_by_key(|(_, one)| (!one.is_open(), std::cmp::Reverse(one.body().on)));
    let names = Names { release: &looking.app.policies, home: person.home, on: today };
    let lives = person.body.died_on.is_none();
    let waits = wanted(&visits, &folder).filter(|_| standing.near && lives);
    let waits = waits.filter(|found| standing.secret || found.urgency_told().is_some());
    let waits = waits.map(|found| Waits {
        tone: if found.urgency() == Some(Urgency::AtOnce) { "danger" } else { "warning" },
        text: names.reasons(page, &found.reasons(), standing.secret),
        refer: format!("/people/{id}/referrals/up?visit={}", found.id),
        waive: format!("/people/{id}/referrals/visits/{}", found.id),
    });
    let lines: Vec<Line> = all.iter().take(SHOWN).map(|(id, one)| line(looking, person, id, one)).collect();
    let own = store::own_institution(tx, &looking.actor, today)?;
    let goes_down = own.is_some_and(|own| own.body.tier != kangmai_places::InstitutionTier::Village);
    if lines.is_empty() && waits.is_none() && !standing.keeps {
        return Ok(None);
    }
    let shows_next = !lines.is_empty() && standing.reads;
    let part = Part {
        waits,
        next: if shows_next { names.next(page, &visits.next(), standing.secret) } else { Vec::new() },
        lines,
        up: (standing.keeps && lives).then(|| format!("/people/{id}/referrals/up")),
        down: (standing.keeps && lives && goes_down).then(|| format!("/people/{id}/referrals/down")),
        page: page.clone(),
    };
    let heading = page.word("referral.section").into_owned();
    Ok(Some(Section { heading, body: Html::of(&part), order: 16 }))
}

fn line(looking: &Looking, person: &Person, id: &str, one: &Referral) -> Line {
    let (page, body) = (&looking.page, one.body());
    let key = match body.direction {
        Direction::Up => "referral.way.up",
        Direction::Down => "referral.way.down",
    };
    let way = page.say2(key, "from", party(&body.from), "to", party(&body.to));
    Line {
        path: format!("/people/{id}/referrals/{}", one.id()),
        tone: tone(one.stage()),
        mark: stage_word(page, one.stage(), one.outcome().map_or("", |(outcome, _)| outcome)),
        text: format!("{} {way}", body.on),
        due: due(page, &looking.app.policies, person.home, one, looking.today).1,
    }
}

/// A fact of this programme as a sentence of the timeline.
pub(crate) fn told(looking: &Looking, person: &Person, fact: &Fact) -> Option<Told> {
    let page = &looking.page;
    let names = Names { release: &looking.app.policies, home: person.home, on: fact.new.occurred_at.day() };
    let by = |by: &str| page.say1("referral.told.by", "by", by);
    let filled = |parts: Vec<String>| parts.into_iter().filter(|part| !part.is_empty()).collect();
    let (title, details): (String, Vec<String>) = match fact.new.kind.as_str() {
        OPENED => {
            let body: Opened = fact.new.read_body().ok()?;
            let key = match body.direction {
                Direction::Up => "referral.told.up",
                Direction::Down => "referral.told.down",
            };
            let why = names.reasons(page, &body.reasons, true);
            let mut parts = vec![why, body.note.clone()];
            if let Some(summary) = body.summary {
                parts.extend([summary.diagnosis, summary.done, summary.medicines, summary.advice]);
            }
            parts.push(by(&body.by));
            (page.say2(key, "from", party(&body.from), "to", party(&body.to)), filled(parts))
        }
        ANSWERED => {
            let body: Answered = fact.new.read_body().ok()?;
            let key = if body.accepted { "referral.told.accepted" } else { "referral.told.refused" };
            (page.word(key).into_owned(), filled(vec![body.department, body.note, by(&body.by)]))
        }
        ARRIVED => {
            let body: Arrived = fact.new.read_body().ok()?;
            let key = if body.came { "referral.told.came" } else { "referral.told.absent" };
            (page.word(key).into_owned(), filled(vec![body.note, by(&body.by)]))
        }
        ENDED => {
            let body: Ended = fact.new.read_body().ok()?;
            let why = page.word(&format!("referral.outcome.{}", body.reason.key())).into_owned();
            (page.say1("referral.told.ended", "why", why), filled(vec![body.note, by(&body.by)]))
        }
        WAIVED => {
            let body: Waived = fact.new.read_body().ok()?;
            let why = page.word(&format!("referral.outcome.{}", body.reason.key())).into_owned();
            (page.say1("referral.told.waived", "why", why), filled(vec![body.note, by(&body.by)]))
        }
        UNDONE => (page.word("referral.told.undone").into_owned(), Vec::new()),
        _ => return None,
    };
    Some(Told { title, details })
}
