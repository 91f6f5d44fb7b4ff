//! The timeline of a person: one sentence for each fact, newest first.
//!
//! A programme says its facts in words: `{kind}.timeline`, whose `{names}` are fields of the fact's body. A day is written
//! as the reader writes days; a name that ends in `_yuan` is the amount of the field before it. A programme with more to
//! say has a `Telling`. A body with
//! `sensitive: true` is for those only who treat the person (GB/T 39725-2020, level 5).

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::fmt::Display;

use kangmai_access::{Purpose, Reach};
use kangmai_base::{DivisionCode, Moment, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::{Person, PersonBody};
use kangmai_programme::{Looking, Programme, Told};
use kangmai_record::{Fact, Subject, facts_of_kind, struck_out, timeline};
use kangmai_web::Page;
use serde_json::Value;

use crate::facts::{PERSON, SAME_PERSON_DECIDED, SamePersonDecided};
use crate::pages::full_place;
use crate::rules::{Difference, Said, differences};

/// Facts shown on one page.
pub(crate) const SHOWN: usize = 30;
/// Facts looked through for one page, whatever the filter leaves of them.
const LOOKED_THROUGH: i64 = 500;

/// A line of the timeline.
pub(crate) struct Event {
    pub(crate) when: String,
    pub(crate) title: String,
    pub(crate) details: Vec<String>,
    pub(crate) source: String,
    /// Somebody put it right, withdrew it or took it back.
    pub(crate) struck: bool,
}

/// What is asked of the timeline.
pub(crate) struct Asked {
    /// Source key; none for all.
    pub(crate) source: Option<String>,
    /// Programme; none for all.
    pub(crate) programme: Option<String>,
    /// Only what happened before.
    pub(crate) before: Option<Moment>,
}

/// The timeline as far as it is asked for.
pub(crate) struct Timeline {
    pub(crate) facts: Vec<Fact>,
    /// Earlier states of the person by the fact that changed them.
    earlier: HashMap<Uuid, (DivisionCode, PersonBody)>,
    /// What programmes say of their facts themselves.
    told: HashMap<Uuid, Told>,
    struck: HashSet<Uuid>,
    /// Where the next page begins, if there is more.
    pub(crate) next: Option<Moment>,
}

/// Reads the facts that the reader may see.
///
/// # Errors
/// When the database fails.
pub(crate) fn read(
    tx: &mut Transaction<'_>,
    looking: &Looking,
    person: &Person,
    asked: &Asked,
) -> Result<Timeline, DatabaseError> {
    let subject = Subject::person(person.id.uuid());
    let clinical = looking.within(Purpose::ReadRecord, person);
    let reach = clinical.as_ref().unwrap_or(&looking.reach);
    let mut all = timeline(tx, reach, subject, asked.before, LOOKED_THROUGH)?;
    let cut = i64::try_from(all.len()).unwrap_or(0) == LOOKED_THROUGH;
    let last_looked_at = all.last().map(|fact| fact.new.occurred_at).filter(|_| cut);
    for telling in looking.app.programmes.iter().filter_map(|programme| programme.timeline) {
        let mut more = (telling.also)(tx, looking, person, asked.before, LOOKED_THROUGH)?;
        more.retain(|fact| last_looked_at.is_none_or(|last| fact.new.occurred_at >= last));
        all.append(&mut more);
    }
    all.sort_by_key(|fact| Reverse(fact.new.occurred_at));
    let mut facts: Vec<Fact> = all
        .into_iter()
        .filter(|fact| may_see(looking, person, clinical.as_ref(), fact))
        .filter(|fact| asked.source.as_ref().is_none_or(|source| source == fact.new.source.key()))
        .filter(|fact| asked.programme.as_ref().is_none_or(|name| name == programme_of(&fact.new.kind)))
        .collect();
    let mut next = last_looked_at;
    if let Some(last) = facts.get(SHOWN - 1).map(|fact| fact.new.occurred_at) {
        // Facts of one instant stay together, or the next page would pass over some.
        let shown = facts.iter().take_while(|fact| fact.new.occurred_at >= last).count();
        if facts.len() > shown {
            facts.truncate(shown);
            next = Some(last);
        }
    }
    let mut earlier = HashMap::new();
    let mut before: Option<(DivisionCode, PersonBody)> = None;
    for fact in facts_of_kind(tx, person.id.uuid(), PERSON)? {
        let now = (fact.new.place, fact.body::<PersonBody>()?);
        if let Some(before) = before.replace(now) {
            earlier.insert(fact.new.id, before);
        }
    }
    let mut struck = HashSet::new();
    let subjects: HashSet<Uuid> = facts.iter().map(|fact| fact.new.subject.id).collect();
    for subject in subjects {
        struck.extend(struck_out(tx, subject)?);
    }
    let told = facts.iter().filter_map(|fact| Some((fact.new.id, tell(looking, person, fact)?))).collect();
    Ok(Timeline { facts, earlier, told, struck, next })
}

/// What its programme itself says of a fact.
fn tell(looking: &Looking, person: &Person, fact: &Fact) -> Option<Told> {
    let name = programme_of(&fact.new.kind);
    let programme = looking.app.programmes.iter().find(|programme| programme.name == name)?;
    (programme.timeline?.sentence)(looking, person, fact)
}

fn programme_of(kind: &str) -> &str {
    kind.split('.').next().unwrap_or_default()
}

/// The institution that a fact is of, if its body says one.
fn institution_of(fact: &Fact) -> Option<Uuid> {
    let body = serde_json::from_str::<Value>(&fact.new.body).ok()?;
    let said = body.get("institution")?;
    let id = said.as_str().or_else(|| said.get("id")?.as_str())?;
    id.parse().ok()
}

/// Who may read the record of care sees all but what is sensitive, unless they treat. Who may not sees the facts of
/// those programmes whose own list they may read, where that list is not one of care.
fn may_see(looking: &Looking, person: &Person, clinical: Option<&Reach>, fact: &Fact) -> bool {
    let sensitive = serde_json::from_str::<Value>(&fact.new.body)
        .is_ok_and(|body| body.get("sensitive").and_then(Value::as_bool) == Some(true));
    if sensitive {
        return clinical.is_some_and(Reach::sensitive);
    }
    if clinical.is_some() {
        return true;
    }
    let name = programme_of(&fact.new.kind);
    let programme = looking.app.programmes.iter().find(|programme| programme.name == name);
    programme.and_then(|programme| programme.navigation.first()).is_some_and(|entry| {
        let without_care = matches!(
            entry.purpose,
            Purpose::FindPeople | Purpose::ReadBills | Purpose::SettleBills | Purpose::ReadWarnings
        );
        without_care
            && looking.within(entry.purpose, person).is_some_and(|within| {
                // A desk knows of other institutions' bills nothing, not even that there are any.
                entry.purpose == Purpose::FindPeople
                    || within.institution().is_none_or(|own| institution_of(fact) == Some(own))
            })
    })
}

impl Timeline {
    /// The facts, each with whether somebody put it right, withdrew it or took it back.
    pub(crate) fn marked_facts(&self) -> impl Iterator<Item = (&Fact, bool)> {
        self.facts.iter().map(|fact| (fact, self.struck.contains(&fact.new.id)))
    }

    /// The facts in the reader's words.
    pub(crate) fn events(&self, page: &Page, programmes: &[Programme]) -> Vec<Event> {
        self.facts.iter().map(|fact| self.event(page, programmes, fact)).collect()
    }

    fn event(&self, page: &Page, programmes: &[Programme], fact: &Fact) -> Event {
        let (title, details) = self.sentence(page, programmes, fact);
        let source = page.word(&format!("record.source.{}", fact.new.source.key())).into_owned();
        let source = if fact.new.recorded_at.day() == fact.new.occurred_at.day() {
            source
        } else {
            page.say2("register.timeline.recorded", "source", source, "at", fact.new.recorded_at)
        };
        let struck = self.struck.contains(&fact.new.id);
        Event { when: fact.new.occurred_at.day().to_string(), title, details, source, struck }
    }

    fn sentence(&self, page: &Page, programmes: &[Programme], fact: &Fact) -> (String, Vec<String>) {
        if let Some(told) = self.told.get(&fact.new.id) {
            return (told.title.clone(), told.details.clone());
        }
        if fact.new.kind == PERSON {
            let Ok(body) = fact.body::<PersonBody>() else { return (fact.new.kind.clone(), Vec::new()) };
            return match self.earlier.get(&fact.new.id) {
                Some((home, before)) => {
                    let all = differences((*home, before), (fact.new.place, &body));
                    let lines = all.iter().map(|difference| difference_line(page, difference)).collect();
                    (page.word("register.person.changed").into_owned(), lines)
                }
                None => (page.word("register.person.registered").into_owned(), Vec::new()),
            };
        }
        if fact.new.kind == SAME_PERSON_DECIDED
            && let Ok(body) = fact.body::<SamePersonDecided>()
        {
            let title = page.word(&format!("register.decision.{}", body.decision.key())).into_owned();
            return (title, vec![body.reason]);
        }
        let key = format!("{}.timeline", fact.new.kind);
        if !page.words.has(&key) {
            let name = programme_of(&fact.new.kind);
            let entry = programmes.iter().find(|it| it.name == name).and_then(|it| it.navigation.first());
            let kind = entry.map_or_else(|| name.to_owned(), |entry| page.word(entry.word).into_owned());
            return (page.say1("register.timeline.other", "kind", kind), Vec::new());
        }
        let values = values_of(page, &fact.new.body);
        let borrowed: Vec<(&str, &dyn Display)> =
            values.iter().map(|(name, value)| (name.as_str(), value as &dyn Display)).collect();
        (page.say(&key, &borrowed), Vec::new())
    }
}

/// The fields of a body as a sentence takes them.
fn values_of(page: &Page, body: &str) -> Vec<(String, String)> {
    let Ok(Value::Object(fields)) = serde_json::from_str::<Value>(body) else { return Vec::new() };
    let mut values = Vec::new();
    for (name, value) in fields {
        let text = match value {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            _ => continue,
        };
        if let Ok(amount) = text.parse::<kangmai_base::Fen>() {
            values.push((format!("{name}_yuan"), page.yuan(amount)));
        }
        let is_day = text.len() == 10 && text.as_bytes().get(4) == Some(&b'-');
        let shown = match text.parse::<kangmai_base::Day>() {
            Ok(day) if is_day => page.day(day),
            _ => text,
        };
        values.push((name, shown));
    }
    values
}

/// `联系电话：139****9901 → 139****9902`
pub(crate) fn difference_line(page: &Page, difference: &Difference) -> String {
    let column = kangmai_people::REGISTER.column(difference.column);
    let title =
        column.map_or(
            difference.column,
            |column| {
                if page.is_chinese() { column.title_zh } else { column.title_en }
            },
        );
    page.say(
        "register.changed.line",
        &[
            ("what", &title),
            ("before", &said(page, &difference.before)),
            ("after", &said(page, &difference.after)),
        ],
    )
}

fn said(page: &Page, said: &Said) -> String {
    match said {
        Said::Nothing => "—".to_owned(),
        Said::Text(text) => text.clone(),
        Said::Word(key) => page.word(key).into_owned(),
        Said::Place(place) => full_place(*place),
        Said::Labels(labels) => {
            let one = |interval: &kangmai_people::LabelInterval| {
                let word = page.word(interval.label.word());
                let day = |day: Option<kangmai_base::Day>| day.map(|day| day.to_string()).unwrap_or_default();
                format!("{word} {}–{}", day(interval.from), day(interval.to))
            };
            labels.iter().map(one).collect::<Vec<_>>().join(if page.is_chinese() { "、" } else { ", " })
        }
    }
}
