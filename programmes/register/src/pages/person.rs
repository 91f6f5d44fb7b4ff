//! `/people/{id}`: one person, one page. Head, what the other programmes add, and the timeline.

use askama::Template;
use axum::extract::Path;
use axum::http::Uri;
use axum::response::Response;
use kangmai_access::{Purpose, Reach, RelationKind, reach, reach_of_person};
use kangmai_base::{Moment, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::{LabelInterval, Person, PersonId, aliases, find_person, same_as};
use kangmai_programme::{Looking, Section, Visit};
use kangmai_record::Source;
use kangmai_web::{Choice, Failure, Field, ListQuery, ListSpec, Page, show};

use crate::pages::timeline::{self, Asked, Event, Timeline};
use crate::pages::{
    LabelTag, Numbers, dated_tags, full_place, masked_number, note_reading, under_search, village, who,
};
use crate::rules::sex_word;
use crate::store::{Candidate, candidates_of};

static TIMELINE: ListSpec = ListSpec {
    filters: &[
        Field::select("source", "register.timeline.source"),
        Field::select("kind", "register.timeline.kind"),
        Field { label: "register.timeline.earlier", ..Field::hidden("before") },
    ],
    sorts: &[],
    descending: false,
};

/// A record that the person also has, or may have.
struct OtherRecord {
    name: String,
    path: String,
}

#[derive(Template)]
#[template(path = "register_person.html")]
struct PersonPage {
    page: Page,
    labels: Vec<LabelTag>,
    ended: Vec<String>,
    died: String,
    marks: Vec<String>,
    pairs: Vec<(String, String)>,
    /// Not where the reader reaches this one person alone.
    household: Option<String>,
    same_as: Option<OtherRecord>,
    aliases: Vec<OtherRecord>,
    waiting: Vec<OtherRecord>,
    correct: Option<String>,
    rights: Option<String>,
    /// Where the numbers are shown whole, for who may see them.
    numbers: Option<String>,
    sections: Vec<Section>,
    list: ListQuery,
    events: Vec<Event>,
    earlier: Option<String>,
}

/// What the page stands on.
struct Known {
    person: Person,
    same_as: Option<Person>,
    aliases: Vec<Person>,
    waiting: Vec<(Candidate, Person)>,
    sections: Vec<Section>,
    timeline: Timeline,
    /// By what relation the page is open, if not by place.
    relation: Option<RelationKind>,
}

/// GET.
pub(crate) async fn page(visit: Visit, Path(id): Path<Uuid>, uri: Uri) -> Result<Response, Failure> {
    let id = PersonId::from_uuid(id);
    let mut list = ListQuery::read(&TIMELINE, &uri);
    list.offer("source", sources(&visit.page));
    list.offer("kind", programmes(&visit));
    let asked = Asked {
        source: list.chosen("source").map(str::to_owned),
        programme: list.chosen("kind").map(str::to_owned),
        before: list.parsed::<i64>("before").map(Moment),
    };
    // Another filter begins with the newest again.
    list.form.fill("before", "");
    let looking = visit.looking();
    let known = visit.app.database.read(move |tx| read(tx, looking, id, &asked)).await?;
    let known = known.ok_or(Failure::NotFound)?;
    note_reading(&visit, "read_person", id.uuid(), known.person.home).await?;
    show(&page_of(visit, known, list))
}

fn sources(page: &Page) -> Vec<Choice> {
    [Source::Typed, Source::Device, Source::Hospital, Source::Import, Source::Derived]
        .into_iter()
        .map(|source| Choice::new(source.key(), page.word(&format!("record.source.{}", source.key()))))
        .collect()
}

/// The programmes by the word of their first entry in the navigation.
fn programmes(visit: &Visit) -> Vec<Choice> {
    let programmes = visit.app.programmes.iter().filter(|programme| !programme.projections.is_empty());
    programmes
        .filter_map(|programme| {
            let entry = programme.navigation.first()?;
            Some(Choice::new(programme.name, visit.page.word(entry.word)))
        })
        .collect()
}

fn read(
    tx: &mut Transaction<'_>,
    mut looking: Looking,
    id: PersonId,
    asked: &Asked,
) -> Result<Option<Known>, DatabaseError> {
    let Some(person) = find_person(tx, id)? else { return Ok(None) };
    let (whom, now) = ((id.uuid(), person.home), looking.app.clock.now());
    let opened = reach_of_person(tx, &looking.actor, Purpose::FindPeople, whom, now)?;
    let Some(opened) = opened else { return Ok(None) };
    looking.reach = opened;
    let looking = &looking;
    let within = |person: &Person| looking.reach.covers(person.home);
    let same_as = match same_as(tx, id)? {
        Some(other) => find_person(tx, other)?.filter(within),
        None => None,
    };
    let mut known_aliases = Vec::new();
    for alias in aliases(tx, id)? {
        known_aliases.extend(find_person(tx, alias)?.filter(within));
    }
    let mut waiting = Vec::new();
    if reach(&looking.actor, Purpose::KeepRegister).is_some() {
        for candidate in candidates_of(tx, id)?.into_iter().filter(|candidate| candidate.state == "open") {
            let other = if candidate.one == id { candidate.other } else { candidate.one };
            let other = find_person(tx, other)?.filter(within);
            waiting.extend(other.map(|other| (candidate, other)));
        }
    }
    let mut sections = Vec::new();
    for programme in looking.app.programmes {
        if let Some(section) = programme.person {
            sections.extend(section(tx, looking, &person)?);
        }
    }
    sections.sort_by_key(|section| section.order);
    let timeline = timeline::read(tx, looking, &person, asked)?;
    let relation = looking.reach.relation();
    Ok(Some(Known { person, same_as, aliases: known_aliases, waiting, sections, timeline, relation }))
}

fn page_of(visit: Visit, known: Known, list: ListQuery) -> PersonPage {
    let Known { person, same_as, aliases, waiting, sections, timeline, relation } = known;
    let today = visit.today;
    let mut page = under_search(visit.page);
    page.title = person.body.name.clone();
    let lead = [who(&page, today, &person), village(&visit.reach, person.home)];
    page.lead = lead.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ");
    let record = |person: &Person| OtherRecord {
        name: format!("{} {}", person.body.name, masked_number(person)),
        path: format!("/people/{}", person.id),
    };
    let pair = |(candidate, other): &(Candidate, Person)| OtherRecord {
        name: format!("{} {}", other.body.name, masked_number(other)),
        path: format!("/identity/{}/{}", candidate.one, candidate.other),
    };
    let keeps = reach(&visit.actor, Purpose::KeepRegister).is_some_and(|keeps| keeps.covers(person.home));
    let mut marks: Vec<String> =
        person.body.marks.iter().map(|mark| page.word(mark.word()).into_owned()).collect();
    marks.extend(relation.map(|kind| page.word(relation_word(kind)).into_owned()));
    let next = timeline.next.map(|before| list.with("before", &before.0.to_string()));
    PersonPage {
        labels: dated_tags(&page, today, &person.body.labels),
        ended: ended(&page, today, &person.body.labels),
        died: person.body.died_on.map(|day| page.say1("register.died", "day", day)).unwrap_or_default(),
        marks,
        pairs: pairs(&page, &visit.reach, Numbers::Masked, &person),
        household: relation.is_none().then(|| format!("/households/{}", person.body.household)),
        same_as: same_as.as_ref().map(record),
        aliases: aliases.iter().map(record).collect(),
        waiting: waiting.iter().map(pair).collect(),
        correct: keeps.then(|| format!("/people/{}/correct", person.id)),
        rights: keeps.then(|| format!("/people/{}/rights", person.id)),
        numbers: numbers_of(&person, &visit.reach),
        sections,
        events: timeline.events(&page, visit.app.programmes),
        earlier: next,
        list,
        page,
    }
}

/// The page of the whole numbers, where there are any and the reader may see them.
fn numbers_of(person: &Person, reach: &Reach) -> Option<String> {
    let has_any = person.body.id_number.is_some() || person.body.phone.is_some();
    (has_any && reach.contact()).then(|| format!("/people/{}/numbers", person.id))
}

/// Why somebody sees a person who lives out of their reach.
const fn relation_word(kind: RelationKind) -> &'static str {
    match kind {
        RelationKind::Treating => "register.reached.treating",
        RelationKind::Referral => "register.reached.referral",
        RelationKind::Team => "register.reached.team",
        RelationKind::BreakGlass => "register.reached.break_glass",
        RelationKind::Serving => "register.reached.serving",
    }
}

/// Labels that no longer hold.
fn ended(page: &Page, today: kangmai_base::Day, labels: &[LabelInterval]) -> Vec<String> {
    let past = labels.iter().filter(|label| label.to.is_some_and(|to| to <= today));
    past.map(|interval| {
        let word = page.word(interval.label.word());
        let to = page.iso(interval.to);
        match interval.from {
            Some(from) => {
                page.say("register.label.from_to", &[("label", &word), ("from", &from), ("to", &to)])
            }
            None => page.say2("register.label.until", "label", word, "to", to),
        }
    })
    .collect()
}

/// What is on record, word and value; what is not known is left out, insurance aside.
pub(crate) fn pairs(page: &Page, reach: &Reach, numbers: Numbers, person: &Person) -> Vec<(String, String)> {
    let body = &person.body;
    let number = body.id_number.as_ref().map(|number| match numbers {
        Numbers::Masked => number.masked(),
        Numbers::Whole => number.as_str().to_owned(),
    });
    let phone = body.phone.as_ref().filter(|_| reach.contact());
    let unknown = || page.word("register.unknown").into_owned();
    let insurance = body.enrolment.map_or_else(unknown, |enrolment| page.word(enrolment.word()).into_owned());
    let all = [
        ("register.number", number),
        ("register.sex", body.sex.map(|sex| page.word(sex_word(sex)).into_owned())),
        ("register.birth", body.birth.map(|birth| page.day(birth))),
        ("register.ethnicity", body.ethnicity.clone()),
        ("register.relation", body.relation.map(|relation| page.word(relation.word()).into_owned())),
        ("register.home", Some(full_place(person.home))),
        ("register.living", body.living.map(full_place)),
        (
            "register.phone",
            phone.map(|phone| match numbers {
                Numbers::Masked => phone.masked(),
                Numbers::Whole => phone.as_str().to_owned(),
            }),
        ),
        ("register.insurance", Some(insurance)),
    ];
    all.into_iter().filter_map(|(word, value)| Some((page.word(word).into_owned(), value?))).collect()
}
