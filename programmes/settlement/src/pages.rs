//! The pages of this programme: what is looked at and what is sent, side by side.

mod admissions;
mod bill_form;
mod bill_lines;
mod cancel;
pub(crate) mod claims;
pub(crate) mod days;
mod desk;
pub(crate) mod deviations;
mod late;
mod list;
mod outcome;
pub(crate) mod pay_later;
mod postings;
mod resettle;
mod section;
mod statement;
mod why;
mod years;

pub(crate) use admissions::{
    OPEN_FOR_DAYS, admission, admit, admit_form, find_to_admit, list as admissions, search_to_admit,
};
pub(crate) use cancel::{cancel, cancel_form, closing_for, settle_waiting};
pub(crate) use desk::{bill_form, find, preview, search, settle};
pub(crate) use late::{decide_late, late};
pub(crate) use list::{export, list};
pub(crate) use outcome::{ask_outcome, outcome};
pub(crate) use postings::{export as export_postings, list as postings};
pub(crate) use resettle::{resettle, resettle_form};
pub(crate) use section::{household, person};
pub(crate) use statement::{lines_file, receipt_file, statement};
pub(crate) use why::why;
pub(crate) use years::{decide_year, refuse_closed, year, years};

use kangmai_access::{Reach, audit};
use kangmai_base::{Day, DivisionCode, DivisionLevel, Id, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::{Person, find_person};
use kangmai_places::{Divisions, Institution, InstitutionFilter, find_institution, institutions_at};
use kangmai_programme::Visit;
use kangmai_web::{Choice, Failure, Page};

/// Who stands at the top of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) id_number: String,
    pub(crate) age: Option<i32>,
    pub(crate) village: String,
    pub(crate) labels: Vec<String>,
    pub(crate) enrolment: String,
    pub(crate) died_on: Option<Day>,
}

impl Head {
    pub(crate) fn of(page: &Page, person: &Person, day: Day) -> Head {
        let enrolment = person.body.enrolment;
        Head {
            id: person.id.uuid(),
            name: person.body.name.clone(),
            id_number: person.body.id_number.as_ref().map(kangmai_base::IdNumber::masked).unwrap_or_default(),
            age: person.age_on(day),
            village: village(person.home),
            labels: person.labels_on(day).iter().map(|label| page.word(label.word()).into_owned()).collect(),
            enrolment: match enrolment {
                Some(enrolment) => page.word(enrolment.word()).into_owned(),
                None => page.word("settlement.enrolment.unknown").into_owned(),
            },
            died_on: person.body.died_on,
        }
    }
}

/// The path of a place from its county down, in one word: 西平县宋集镇宋集村.
pub(crate) fn village(home: DivisionCode) -> String {
    let division = Divisions::shipped().nearest(home);
    division.map(|division| division.path_from(DivisionLevel::County).concat()).unwrap_or_default()
}

/// The words of labels that a receipt or admission keeps by their keys.
pub(crate) fn label_words(page: &Page, keys: &[String]) -> Vec<String> {
    let word = |key: &String| {
        kangmai_people::Label::of_key(key)
            .map_or_else(|| key.clone(), |label| page.word(label.word()).into_owned())
    };
    keys.iter().map(word).collect()
}

/// Names one after the other, as the language joins them.
pub(crate) fn joined(page: &Page, names: &[String]) -> String {
    names.join(if page.is_chinese() { "、" } else { ", " })
}

/// The language of policy texts.
pub(crate) fn language(page: &Page) -> kangmai_policy::Language {
    if page.is_chinese() { kangmai_policy::Language::Zh } else { kangmai_policy::Language::En }
}

/// A person within reach; to others there is no such person.
pub(crate) fn person_within(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    id: Uuid,
) -> Result<Option<Person>, DatabaseError> {
    Ok(find_person(tx, Id::from_uuid(id))?.filter(|person| reach.covers(person.home)))
}

/// Institutions that somebody may choose: at the desk of an institution that one alone, else their own first, then those
/// of their place.
pub(crate) fn institutions_of_desk(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    own: Option<Uuid>,
) -> Result<Vec<Institution>, DatabaseError> {
    const MOST: i64 = 300;
    if let Some(bound) = reach.institution() {
        return Ok(find_institution(tx, Id::from_uuid(bound))?.into_iter().collect());
    }
    let mut all = institutions_at(tx, reach.places(), &InstitutionFilter::default(), 0, MOST)?;
    if let Some(own) = own {
        all.retain(|institution| institution.id.uuid() != own);
        if let Some(own) = find_institution(tx, Id::from_uuid(own))? {
            all.insert(0, own);
        }
    }
    Ok(all)
}

/// The choices of a field of institutions.
pub(crate) fn institution_choices(page: &Page, institutions: &[Institution]) -> Vec<Choice> {
    institutions
        .iter()
        .map(|one| {
            let text = format!("{} ({})", one.body.name, page.word(one.body.tier.word()));
            Choice::new(one.id.uuid().to_string(), text)
        })
        .collect()
}

/// A line of the audit trail: somebody read, printed or took out what is about a person, household or place.
pub(crate) async fn note(
    visit: &Visit,
    action: &'static str,
    subject: Option<Uuid>,
    place: DivisionCode,
    reason: String,
) -> Result<(), Failure> {
    let (id, now, actor) = (visit.app.mint(), visit.app.clock.now(), visit.actor.clone());
    visit
        .app
        .database
        .write(move |tx| audit(tx, id, now, &actor, action, subject, place, &reason, "done"))
        .await?;
    Ok(())
}

/// An identifier in an address; anything else is not found.
pub(crate) fn id_in(path: &str) -> Result<Uuid, Failure> {
    path.parse::<Id<()>>().map(Id::uuid).map_err(|_| Failure::NotFound)
}
