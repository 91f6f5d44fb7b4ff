//! The parts of a person's and a household's page, and the sentences of the timeline.

use askama::Template;
use kangmai_access::{Purpose, reach};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::{Household, Person};
use kangmai_programme::{Looking, Section, Told};
use kangmai_record::Fact;
use kangmai_web::{Html, Page};

use crate::facts::{
    DONE, Done, ENDED, Ended, MOVED, Moved, OFFERED, Offered, PLANNED, Planned, SIGNED, Signed, UNDONE,
};
use crate::folder::Agreement;
use crate::rules::{DueState, Standing, standing_of};
use crate::sentences::{Names, joined, mark, progress, remind_days, team_line, term};
use crate::store;

/// Agreements that the page of a person names.
const SHOWN: usize = 4;

/// An agreement as it is shown.
struct Line {
    path: String,
    tone: &'static str,
    mark: String,
    term: String,
    team: String,
    packages: String,
}

#[derive(Template)]
#[template(path = "agreements_section.html")]
struct Part {
    page: Page,
    lines: Vec<Line>,
    /// What is due now: tone, mark, what, when.
    due: Vec<(&'static str, String, String, String)>,
    sign: Option<(&'static str, String)>,
    plan: String,
}

/// The section of a person's page.
pub(crate) fn person(
    tx: &mut Transaction<'_>,
    looking: &Looking,
    person: &Person,
) -> Result<Option<Section>, DatabaseError> {
    if looking.within(Purpose::ReadAgreements, person).is_none() {
        return Ok(None);
    }
    let record = looking.within(Purpose::ReadRecord, person);
    let secret = record.is_some_and(|record| record.diagnoses() && record.sensitive());
    let may_write = looking.within(Purpose::KeepAgreements, person).is_some();
    let id = person.id.uuid();
    let (folder, care) = (store::folder_of(tx, id)?, store::care_of(tx, id)?);
    if folder.agreements.is_empty() && !may_write {
        return Ok(None);
    }
    let page = &looking.page;
    let today = looking.today;
    let names = Names { release: &looking.app.policies, home: person.home, on: today };
    let remind = remind_days(&looking.app.policies, person.home, today);
    let mut lines = Vec::new();
    for one in folder.agreements.iter().rev().take(SHOWN) {
        let team = store::team(tx, one.team())?;
        lines.push(line(page, &names, one, (team_line(page, team.as_ref()), secret, remind), id, looking));
    }
    let mut due = Vec::new();
    if let Some(held) = folder.held_on(today) {
        for kept in store::promises_of(&folder, held, &care, secret) {
            let open = |window: &crate::rules::Window| {
                matches!(window.state(today), DueState::Due | DueState::Overdue)
            };
            if kept.windows.iter().any(open) {
                let (tone, mark, text) = progress(page, &kept, today);
                due.push((tone, mark, names.item(page, &kept.promise.package, &kept.promise.item), text));
            }
        }
    }
    let sign = format!("/people/{id}/agreements/sign");
    let standing = folder.held_on(today).map(|held| standing_of(held, today, remind));
    let word = match standing {
        None => Some(if folder.latest().is_some() { "agreements.renew" } else { "agreements.sign" }),
        Some(Standing::EndsSoon) => Some("agreements.renew"),
        Some(_) => None,
    };
    let part = Part {
        lines,
        due,
        sign: word.filter(|_| may_write && person.body.died_on.is_none()).map(|word| (word, sign)),
        plan: format!("/people/{id}/care-plan"),
        page: page.clone(),
    };
    let heading = page.word("agreements.section").into_owned();
    Ok(Some(Section { heading, body: Html::of(&part), order: 12 }))
}

fn line(
    page: &Page,
    names: &Names<'_>,
    one: &Agreement,
    (team, secret, remind): (String, bool, i32),
    person: kangmai_base::Uuid,
    looking: &Looking,
) -> Line {
    let (tone, mark) = mark(page, one, looking.today, remind);
    let packages = one.content().map(|content| names.packages(page, content, secret)).unwrap_or_default();
    Line {
        path: format!("/people/{person}/agreements/{}", one.id),
        tone,
        mark,
        term: term(page, one, looking.today),
        team,
        packages: joined(page, &packages),
    }
}

#[derive(Template)]
#[template(path = "agreements_household.html")]
struct HouseholdPart {
    page: Page,
    signed: i64,
    all: usize,
    sign: Option<String>,
}

/// The section of a household's page: how many are signed, and all in one go.
pub(crate) fn household(
    tx: &mut Transaction<'_>,
    looking: &Looking,
    household: &Household,
    members: &[Person],
) -> Result<Option<Section>, DatabaseError> {
    let within = reach(&looking.actor, Purpose::ReadAgreements);
    if members.is_empty() || within.is_none_or(|within| !within.covers(household.place)) {
        return Ok(None);
    }
    let signed = store::households_signed(tx, household.id.uuid(), looking.today)?;
    let keeps = reach(&looking.actor, Purpose::KeepAgreements);
    let may_write = keeps.is_some_and(|keeps| keeps.covers(household.place));
    let part = HouseholdPart {
        signed,
        all: members.len(),
        sign: may_write.then(|| format!("/households/{}/agreements/sign", household.id)),
        page: looking.page.clone(),
    };
    let heading = looking.page.word("agreements.section").into_owned();
    Ok(Some(Section { heading, body: Html::of(&part), order: 12 }))
}

/// A fact of this programme as a sentence of the timeline.
pub(crate) fn told(looking: &Looking, person: &Person, fact: &Fact) -> Option<Told> {
    let page = &looking.page;
    let on = fact.new.occurred_at.day();
    let names = Names { release: &looking.app.policies, home: person.home, on };
    let filled = |text: String| Some(text).filter(|text| !text.is_empty());
    let (title, details) = match fact.new.kind.as_str() {
        OFFERED => {
            let body: Offered = fact.new.read_body().ok()?;
            let packages = names.packages(page, &body.content, true);
            (page.word("agreements.told.offered").into_owned(), vec![joined(page, &packages)])
        }
        SIGNED => {
            let body: Signed = fact.new.read_body().ok()?;
            let packages = joined(page, &names.packages(page, &body.content, true));
            let key =
                if body.renews.is_some() { "agreements.told.renewed" } else { "agreements.told.signed" };
            let title = page.say2(key, "from", body.from, "until", body.until);
            let why = filled(body.reason).map(|reason| page.say1("agreements.told.why", "reason", reason));
            let by = page.say1("agreements.told.by", "by", &body.by);
            (title, [Some(packages), why, filled(body.note), Some(by)].into_iter().flatten().collect())
        }
        MOVED => {
            let body: Moved = fact.new.read_body().ok()?;
            (page.word("agreements.told.moved").into_owned(), vec![body.reason])
        }
        ENDED => {
            let body: Ended = fact.new.read_body().ok()?;
            let why = page.word(&format!("agreements.end.{}", body.reason.key())).into_owned();
            (page.say1("agreements.told.ended", "why", why), vec![body.note])
        }
        DONE => {
            let body: Done = fact.new.read_body().ok()?;
            let item = names.item(page, &body.package, &body.item);
            let by = page.say1("agreements.told.by", "by", &body.by);
            (
                page.say1("agreements.told.done", "item", item),
                filled(body.note).into_iter().chain([by]).collect(),
            )
        }
        PLANNED => {
            let body: Planned = fact.new.read_body().ok()?;
            (page.word("agreements.told.planned").into_owned(), filled(body.goal).into_iter().collect())
        }
        UNDONE => (page.word("agreements.told.undone").into_owned(), Vec::new()),
        _ => return None,
    };
    Some(Told { title, details })
}
