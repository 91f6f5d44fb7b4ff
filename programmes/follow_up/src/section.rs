//! The part of a person's page that says for what they are managed and when they were seen, and the sentences of the
//! timeline.

use askama::Template;
use kangmai_access::Purpose;
use kangmai_base::Day;
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::Person;
use kangmai_programme::{Looking, Section, Told};
use kangmai_record::Fact;
use kangmai_web::{Html, Page};

use crate::chart::{Chart, Standing};
use crate::checks::{CHECKED, Checked};
use crate::facts::{
    CLASSIFIED, CLOSED, Classified, Closed, ENROLLED, Enrolled, Found, HAPPENED, Happened, MISSED, Missed,
    REPORTED, Reported, UNDONE, VISITED, Visited,
};
use crate::rules;
use crate::sentences::{Names, due_sentence, said, tone};
use crate::store;

/// Visits that the page of a person names.
const SHOWN: usize = 6;

/// A programme as it is shown.
struct Shown {
    name: String,
    tone: &'static str,
    state: String,
    last: String,
    due: Vec<String>,
    since: Day,
    /// What must be reported upwards.
    report: Option<String>,
}

/// A visit as it is shown.
struct Line {
    on: Day,
    text: String,
    path: String,
}

#[derive(Template)]
#[template(path = "follow_up_section.html")]
struct Part {
    page: Page,
    shown: Vec<Shown>,
    visits: Vec<Line>,
    missed: Option<String>,
    unreached: Option<String>,
    restricted: usize,
    visit: Option<String>,
    management: Option<String>,
}

/// The section of a person's page.
pub(crate) fn person(
    tx: &mut Transaction<'_>,
    looking: &Looking,
    person: &Person,
) -> Result<Option<Section>, DatabaseError> {
    let Some(record) = looking.within(Purpose::ReadRecord, person) else { return Ok(None) };
    let may_name = record.diagnoses() && record.sensitive();
    let may_write = looking.within(Purpose::RecordVisits, person).is_some();
    let id = person.id.uuid();
    let chart = store::chart_of(tx, id)?;
    let is_nothing = chart.managed.is_empty() && chart.visits.is_empty();
    if is_nothing && !may_write {
        return Ok(None);
    }
    let page = &looking.page;
    let names = Names { release: &looking.app.policies, home: person.home, on: looking.today };
    let open = chart.open().filter(|one| may_name || !one.body.sensitive);
    let shown: Vec<Shown> = open.map(|one| shown(page, &names, &chart, one, looking.today)).collect();
    let visits = chart.visits.iter().rev().filter(|visit| may_name || !visit.body.sensitive);
    let line = |visit: &crate::chart::Visit| Line {
        on: visit.body.on,
        text: found_sentence(page, &names, &visit.body.found),
        path: format!("/people/{id}/visits/{}", visit.body.visit),
    };
    let last_seen = chart.visits.last().map(|visit| visit.body.on);
    let missed = chart.missed.last().filter(|one| last_seen.is_none_or(|last| one.body.on >= last));
    let is_secret_miss = chart.missed.last().is_some_and(|one| one.body.sensitive);
    let part = Part {
        unreached: chart.unreached_since().filter(|_| may_name || !is_secret_miss).map(|since| {
            let days = looking.today.days_since(since);
            page.say2("follow_up.mark.unreached", "day", page.day(since), "days", days)
        }),
        restricted: chart.open().count() - shown.len(),
        shown,
        visits: visits.take(SHOWN).map(line).collect(),
        missed: missed
            .filter(|one| may_name || !one.body.sensitive)
            .map(|one| missed_sentence(page, &one.body)),
        visit: may_write.then(|| format!("/people/{id}/visit")).filter(|_| person.body.died_on.is_none()),
        management: may_write.then(|| format!("/people/{id}/management")),
        page: page.clone(),
    };
    let heading = page.word("follow_up.section").into_owned();
    Ok(Some(Section { heading, body: Html::of(&part), order: 15 }))
}

/// When somebody was seen last, and with which figures.
pub(crate) fn last_seen(page: &Page, standing: &Standing) -> String {
    let Some(on) = standing.last_on else { return page.word("follow_up.never_seen").into_owned() };
    let key = if standing.figures.is_empty() { "follow_up.last_on" } else { "follow_up.last_on_with" };
    page.say2(key, "day", page.day(on), "figures", &standing.figures)
}

fn shown(page: &Page, names: &Names<'_>, chart: &Chart, one: &crate::chart::Managed, today: Day) -> Shown {
    let standing = chart.standing(one);
    let programme = &one.body.programme;
    let last = last_seen(page, &standing);
    Shown {
        name: names.short(page, programme),
        tone: tone(standing.grade, standing.at_target),
        state: standing.state.map(|state| names.state(page, programme, &state)).unwrap_or_default(),
        last,
        due: standing.due.iter().map(|due| due_sentence(page, names, programme, due, today)).collect(),
        since: one.body.on,
        report: to_report(page, names, chart, one),
    }
}

/// That so many visits were in vain that it is to be reported.
fn to_report(page: &Page, names: &Names<'_>, chart: &Chart, one: &crate::chart::Managed) -> Option<String> {
    let rules = names.rules(&one.body.programme)?;
    let (window, times) = rules::to_report(rules, chart, one)?;
    Some(page.say2("follow_up.report.must", "what", said(page, &window.name), "times", times))
}

/// `高血压 血压控制不满意 168/98；2型糖尿病 血糖控制满意 6.1`.
pub(crate) fn found_sentence(page: &Page, names: &Names<'_>, found: &[Found]) -> String {
    let one = |found: &Found| {
        let state = found.state.as_deref().map(|state| names.state(page, &found.programme, state));
        let window = found.window.as_deref().map(|window| names.window(page, &found.programme, window));
        let state = state.or(window);
        let parts = [names.short(page, &found.programme), state.unwrap_or_default(), found.figures.clone()];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    };
    let all: Vec<String> = found.iter().map(one).collect();
    all.join(if page.is_chinese() { "；" } else { "; " })
}

fn missed_sentence(page: &Page, body: &Missed) -> String {
    let why = page.word(&format!("follow_up.outcome.{}", body.outcome.key())).into_owned();
    let text = page.say2("follow_up.told.missed", "why", why, "day", page.day(body.on));
    match body.again_on {
        Some(again) => format!("{text}{}", page.say1("follow_up.told.again", "day", page.day(again))),
        None => text,
    }
}

/// A fact of this programme as a sentence of the timeline.
pub(crate) fn told(looking: &Looking, person: &Person, fact: &Fact) -> Option<Told> {
    let page = &looking.page;
    let on = fact.new.occurred_at.day();
    let names = Names { release: &looking.app.policies, home: person.home, on };
    let (title, details) = match fact.new.kind.as_str() {
        VISITED => {
            let body: Visited = fact.new.read_body().ok()?;
            let found = found_sentence(page, &names, &body.found);
            let by = page.say1("follow_up.told.by", "by", &body.by);
            let why =
                (!body.reason.is_empty()).then(|| page.say1("follow_up.told.why", "reason", &body.reason));
            let note = Some(body.note).filter(|note| !note.is_empty());
            let details = why.into_iter().chain(note).chain([by]).collect();
            (page.say1("follow_up.told.visited", "found", found), details)
        }
        CLASSIFIED => {
            let body: Classified = fact.new.read_body().ok()?;
            let found = found_sentence(page, &names, &body.found);
            (page.say1("follow_up.told.classified", "found", found), Vec::new())
        }
        ENROLLED => {
            let body: Enrolled = fact.new.read_body().ok()?;
            let title = page.say1("follow_up.told.enrolled", "name", names.short(page, &body.programme));
            (title, Some(body.reason).filter(|reason| !reason.is_empty()).into_iter().collect())
        }
        CLOSED => {
            let body: Closed = fact.new.read_body().ok()?;
            let reason = page.word(&format!("follow_up.close.{}", body.reason.key())).into_owned();
            let name = names.short(page, &body.programme);
            let note = Some(body.note).filter(|note| !note.is_empty());
            (page.say2("follow_up.told.closed", "name", name, "reason", reason), note.into_iter().collect())
        }
        MISSED => (missed_sentence(page, &fact.new.read_body::<Missed>().ok()?), Vec::new()),
        HAPPENED => {
            let body: Happened = fact.new.read_body().ok()?;
            let what = page.word(&format!("follow_up.happening.{}", body.what.key())).into_owned();
            let name = names.short(page, &body.programme);
            let is_anew = body.by.is_empty();
            let key = if is_anew { "follow_up.told.set_anew" } else { "follow_up.told.happened" };
            (page.say2(key, "name", name, "what", what), Vec::new())
        }
        REPORTED => {
            let body: Reported = fact.new.read_body().ok()?;
            let name = names.short(page, &body.programme);
            (page.say2("follow_up.told.reported", "name", name, "to", body.to), Vec::new())
        }
        UNDONE => (page.word("follow_up.told.undone").into_owned(), Vec::new()),
        CHECKED => {
            let body: Checked = fact.new.read_body().ok()?;
            let outcome = page.word(&format!("follow_up.asked.{}", body.outcome.key())).into_owned();
            let note = Some(body.note).filter(|note| !note.is_empty());
            let by = page.say1("follow_up.told.by", "by", &body.by);
            (page.say1("follow_up.told.checked", "outcome", outcome), note.into_iter().chain([by]).collect())
        }
        _ => return None,
    };
    Some(Told { title, details })
}
