//! What upstream tells, as it is read here. What is not known is passed over.

use std::collections::BTreeMap;

use kangmai_access::HubStaff;
use kangmai_base::{Day, DivisionCode, Id, Moment, Phone, Sex, Uuid};
use kangmai_people::{HouseholdBody, Label, LabelInterval, PERSON_REGISTERED, PersonBody, Relation};
use kangmai_record::{NewFact, Source, Subject};
use serde::Deserialize;
use serde_json::Value;

use crate::pull::HOUSEHOLD_REGISTERED;
use crate::told::of_milliseconds;

/// Who says what a card says.
const CARD: &str = "hub";

/// What upstream says of the hub itself.
#[derive(Debug, Deserialize)]
pub(crate) struct Own {
    pub(crate) hub: Uuid,
    pub(crate) name: String,
    pub(crate) place: DivisionCode,
    pub(crate) staff: Vec<HubStaff>,
    /// The highest number that upstream has of this hub.
    #[serde(default)]
    pub(crate) received: i64,
}

/// The first line of a load.
#[derive(Debug, Deserialize)]
pub(crate) struct Head {
    pub(crate) cursor: String,
}

/// What is new.
#[derive(Debug, Deserialize)]
pub(crate) struct News {
    pub(crate) cursor: String,
    pub(crate) more: bool,
    pub(crate) law: String,
    #[serde(default)]
    pub(crate) received: Option<i64>,
    pub(crate) places: BTreeMap<DivisionCode, String>,
    #[serde(default)]
    pub(crate) people: Vec<Named>,
    #[serde(default)]
    pub(crate) households: Vec<Household>,
    #[serde(default)]
    pub(crate) facts: Vec<About>,
}

/// A card of which only the name counts: it is asked for whole.
#[derive(Debug, Deserialize)]
pub(crate) struct Named {
    pub(crate) id: Uuid,
}

/// A fact of which only the person counts.
#[derive(Debug, Deserialize)]
pub(crate) struct About {
    pub(crate) person: Uuid,
}

/// Who is at home in a place.
#[derive(Debug, Deserialize)]
pub(crate) struct Roll {
    pub(crate) people: Vec<Uuid>,
}

/// A household with people and what is known of them.
#[derive(Debug, Deserialize)]
pub(crate) struct Line {
    pub(crate) household: Option<Household>,
    pub(crate) people: Vec<Told>,
}

/// A person with what is known of them.
#[derive(Debug, Deserialize)]
pub(crate) struct Told {
    pub(crate) person: Person,
    pub(crate) facts: Vec<Fact>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Household {
    pub(crate) id: Uuid,
    pub(crate) place: DivisionCode,
    number: String,
    head: Option<Uuid>,
    address: Option<String>,
}

#[derive(Debug, Deserialize)]
struct LabelCard {
    label: String,
    from: Option<Day>,
    to: Option<Day>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Person {
    pub(crate) id: Uuid,
    pub(crate) home: DivisionCode,
    household: Uuid,
    relation: Option<String>,
    name: String,
    sex: Option<String>,
    birth: Option<Day>,
    phone: Option<String>,
    living: Option<DivisionCode>,
    died_on: Option<Day>,
    #[serde(default)]
    labels: Vec<LabelCard>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Fact {
    pub(crate) id: Uuid,
    pub(crate) kind: String,
    on: Day,
    at: i64,
    by: Option<Uuid>,
    #[serde(default)]
    corrects: Option<Uuid>,
    body: Value,
}

/// What upstream answered for one number.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Answer {
    pub(crate) sequence: i64,
    pub(crate) outcome: String,
    #[serde(default)]
    pub(crate) reason: String,
    #[serde(default)]
    pub(crate) said: String,
}

/// What upstream answered to a push.
#[derive(Debug, Deserialize)]
pub(crate) struct Answers {
    pub(crate) answers: Vec<Answer>,
    #[serde(default)]
    pub(crate) missing: Vec<(i64, i64)>,
}

impl Household {
    /// What the register holds of it, with what this card does not tell as it is known here.
    pub(crate) fn body(&self) -> HouseholdBody {
        HouseholdBody {
            number: self.number.clone(),
            head: self.head,
            address: self.address.clone(),
            income: None,
            income_year: None,
        }
    }

    /// The fact that registers it here.
    pub(crate) fn fact(&self, id: Uuid, now: Moment) -> NewFact {
        let body = serde_json::to_string(&self.body()).unwrap_or_default();
        told((id, HOUSEHOLD_REGISTERED), Subject::household(self.id), (self.place, now), body)
    }
}

/// A fact that the program writes of what upstream told.
fn told(
    (id, kind): (Uuid, &str),
    subject: Subject,
    (place, now): (DivisionCode, Moment),
    body: String,
) -> NewFact {
    NewFact {
        id,
        kind: kind.to_owned(),
        subject,
        occurred_at: now,
        recorded_at: now,
        place,
        author: Uuid::nil(),
        source: Source::Import,
        corrects: None,
        body,
    }
}

impl Person {
    fn body(&self) -> PersonBody {
        let label = |card: &LabelCard| {
            let label = Label::of_key(&card.label)?;
            Some(LabelInterval { label, from: card.from, to: card.to, source: CARD.to_owned() })
        };
        PersonBody {
            household: self.household,
            relation: self.relation.as_deref().and_then(Relation::of_key),
            name: self.name.clone(),
            id_number: None,
            sex: match self.sex.as_deref() {
                Some("male") => Some(Sex::Male),
                Some("female") => Some(Sex::Female),
                _ => None,
            },
            birth: self.birth,
            ethnicity: None,
            living: self.living,
            phone: self.phone.as_deref().and_then(Phone::read),
            enrolment: None,
            died_on: self.died_on,
            marks: Vec::new(),
            labels: self.labels.iter().filter_map(label).collect(),
        }
    }

    /// The fact that registers them here.
    pub(crate) fn fact(&self, id: Uuid, now: Moment) -> NewFact {
        let body = serde_json::to_string(&self.body()).unwrap_or_default();
        told((id, PERSON_REGISTERED), Subject::person(self.id), (self.home, now), body)
    }

    /// As the tables hold them.
    pub(crate) fn person(&self) -> kangmai_people::Person {
        kangmai_people::Person { id: Id::from_uuid(self.id), home: self.home, body: self.body() }
    }
}

impl Fact {
    /// The fact as it is kept here: author, day and moment as upstream has them.
    pub(crate) fn fact(&self, person: &Person) -> NewFact {
        NewFact {
            id: self.id,
            kind: self.kind.clone(),
            subject: Subject::person(person.id),
            occurred_at: Moment::start_of(self.on),
            recorded_at: of_milliseconds(self.at),
            place: person.home,
            author: self.by.unwrap_or(Uuid::nil()),
            source: Source::Typed,
            corrects: self.corrects,
            body: self.body.to_string(),
        }
    }
}
