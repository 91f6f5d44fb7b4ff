//! What phones are told, as JSON: cards of people and households, facts as far as their programmes tell them. An identity
//! number never, and nothing that a programme keeps back.

use std::collections::HashMap;

use kangmai_base::{Day, DivisionCode, Moment, Uuid};
use kangmai_people::{Household, Label, Person, Relation};
use kangmai_places::person_initials;
use kangmai_policy::Release;
use kangmai_programme::{Field, Programme};
use kangmai_record::NewFact;
use serde::Serialize;
use serde_json::Value;

/// What happened longer ago is not told, but for what lasts and the last thing that is known of each person.
pub(crate) const MONTHS_TOLD: i32 = 24;

/// Microseconds of a thousandth of a second.
const MILLISECOND: i64 = 1_000;

/// A moment as phones write it.
pub(crate) const fn milliseconds(moment: Moment) -> i64 {
    moment.0 / MILLISECOND
}

/// The same read; what no clock shows is the nearest that one does.
pub(crate) const fn of_milliseconds(at: i64) -> Moment {
    Moment(at.saturating_mul(MILLISECOND))
}

/// A label of a person.
#[derive(Debug, Serialize)]
struct LabelCard {
    label: &'static str,
    from: Option<Day>,
    to: Option<Day>,
}

/// A person.
#[derive(Debug, Serialize)]
pub(crate) struct PersonCard {
    id: Uuid,
    household: Uuid,
    relation: Option<&'static str>,
    name: String,
    initials: String,
    last_four: Option<String>,
    sex: Option<&'static str>,
    birth: Option<Day>,
    phone: Option<String>,
    home: DivisionCode,
    living: Option<DivisionCode>,
    died_on: Option<Day>,
    labels: Vec<LabelCard>,
}

impl PersonCard {
    pub(crate) fn of(person: &Person) -> PersonCard {
        let body = &person.body;
        let labels = body.labels.iter();
        PersonCard {
            id: person.id.uuid(),
            household: body.household,
            relation: body.relation.map(Relation::key),
            initials: person_initials(&body.name),
            name: body.name.clone(),
            last_four: body.id_number.as_ref().map(|number| number.last_four().to_owned()),
            sex: body.sex.map(|sex| match sex {
                kangmai_base::Sex::Male => "male",
                kangmai_base::Sex::Female => "female",
            }),
            birth: body.birth,
            phone: body.phone.as_ref().map(|phone| phone.as_str().to_owned()),
            home: person.home,
            living: body.living,
            died_on: body.died_on,
            labels: labels
                .map(|one| LabelCard { label: Label::key(one.label), from: one.from, to: one.to })
                .collect(),
        }
    }
}

/// A household.
#[derive(Debug, Serialize)]
pub(crate) struct HouseholdCard {
    id: Uuid,
    number: String,
    head: Option<Uuid>,
    address: Option<String>,
    place: DivisionCode,
}

impl HouseholdCard {
    pub(crate) fn of(household: &Household) -> HouseholdCard {
        HouseholdCard {
            id: household.id.uuid(),
            number: household.body.number.clone(),
            head: household.body.head,
            address: household.body.address.clone(),
            place: household.place,
        }
    }
}

/// A fact.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct FactTold {
    pub(crate) id: Uuid,
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    person: Option<Uuid>,
    on: Day,
    at: i64,
    by: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    corrects: Option<Uuid>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cut: bool,
    body: Value,
}

/// A household with people and what is known of them: a line of a first load.
#[derive(Debug, Serialize)]
pub(crate) struct HouseholdLine {
    pub(crate) household: Option<HouseholdCard>,
    pub(crate) people: Vec<PersonLine>,
}

/// A person with what is known of them.
#[derive(Debug, Serialize)]
pub(crate) struct PersonLine {
    pub(crate) person: PersonCard,
    pub(crate) facts: Vec<FactTold>,
}

/// Which facts phones are told, and by whom.
pub(crate) struct Tellers {
    fields: Vec<Field>,
}

impl Tellers {
    pub(crate) fn of(programmes: &[Programme]) -> Tellers {
        Tellers { fields: programmes.iter().filter_map(|programme| programme.field).collect() }
    }

    /// The kinds that are told.
    pub(crate) fn kinds(&self) -> Vec<&'static str> {
        self.fields.iter().flat_map(|field| field.told.iter().copied()).collect()
    }

    /// The kinds that phones write.
    pub(crate) fn written(&self) -> Vec<&'static str> {
        self.fields.iter().flat_map(|field| field.written.iter().copied()).collect()
    }

    /// Who takes facts of this kind.
    pub(crate) fn taker(&self, kind: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.written.contains(&kind))
    }

    pub(crate) fn lasts(&self, kind: &str) -> bool {
        self.fields.iter().any(|field| field.lasting.contains(&kind))
    }

    /// The fact as phones are told it; `with_person` where its person does not stand beside it.
    pub(crate) fn tell(&self, release: &Release, fact: &NewFact, with_person: bool) -> Option<FactTold> {
        let field = self.fields.iter().find(|field| field.told.contains(&fact.kind.as_str()))?;
        let told = (field.tell)(release, fact)?;
        Some(FactTold {
            id: fact.id,
            kind: fact.kind.clone(),
            person: with_person.then_some(fact.subject.id),
            on: fact.occurred_at.day(),
            at: milliseconds(fact.recorded_at),
            by: (!fact.author.is_nil()).then_some(fact.author),
            corrects: fact.corrects,
            cut: told.is_cut,
            body: told.body,
        })
    }

    /// The facts of each person as phones are told them, and how many are left out as too old.
    pub(crate) fn by_person(
        &self,
        release: &Release,
        facts: &[NewFact],
        today: Day,
    ) -> (HashMap<Uuid, Vec<FactTold>>, usize) {
        let since = today.plus_months(-MONTHS_TOLD);
        let mut last: HashMap<Uuid, Moment> = HashMap::new();
        for fact in facts.iter().filter(|fact| !self.lasts(&fact.kind)) {
            let known = last.entry(fact.subject.id).or_insert(fact.occurred_at);
            *known = (*known).max(fact.occurred_at);
        }
        let is_told = |fact: &NewFact| {
            fact.occurred_at.day() >= since
                || self.lasts(&fact.kind)
                || last.get(&fact.subject.id) == Some(&fact.occurred_at)
        };
        let (mut told, mut older) = (HashMap::<Uuid, Vec<FactTold>>::new(), 0);
        for fact in facts {
            if is_told(fact) {
                told.entry(fact.subject.id).or_default().extend(self.tell(release, fact, false));
            } else {
                older += 1;
            }
        }
        (told, older)
    }
}
