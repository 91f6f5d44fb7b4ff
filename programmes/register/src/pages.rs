//! The pages of the register.

mod consents;
mod correct;
mod export;
mod held;
mod household;
mod identity;
mod list;
mod numbers;
mod person;
mod readers;
mod requests;
mod rights;
mod search;
mod timeline;

use kangmai_access::{Purpose, Reach, audit};
use kangmai_base::{Day, DivisionCode, DivisionLevel, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::{Label, LabelInterval, Person};
use kangmai_places::Divisions;
use kangmai_programme::{Route, Visit};
use kangmai_web::Page;

use Purpose::{ErasePeople, FindPeople, KeepRegister};

use crate::rules::sex_word;

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/people", FindPeople, search::page),
        Route::post("/people", FindPeople, search::search),
        Route::get("/people/lists/{label}", FindPeople, list::page),
        Route::get("/people/lists/{label}/export", KeepRegister, export::excel),
        Route::post("/people/lists/{label}/export", KeepRegister, export::whole),
        Route::get("/people/{id}", FindPeople, person::page),
        Route::post("/people/{id}/numbers", FindPeople, numbers::show),
        Route::get("/people/{id}/correct", KeepRegister, correct::page),
        Route::post("/people/{id}/correct", KeepRegister, correct::correct),
        Route::get("/people/{id}/readers", KeepRegister, readers::page),
        Route::get("/people/{id}/rights", KeepRegister, rights::page),
        Route::get("/people/{id}/copy", KeepRegister, rights::whole),
        Route::get("/people/{id}/copy/restricted/{consent}", KeepRegister, rights::restricted),
        Route::get("/people/{id}/fhir.json", KeepRegister, rights::bundle),
        Route::get("/people/{id}/consents", KeepRegister, consents::blank),
        Route::post("/people/{id}/consents", KeepRegister, consents::give),
        Route::get("/people/{id}/consents/{consent}", KeepRegister, consents::one),
        Route::post("/people/{id}/consents/{consent}/withdraw", KeepRegister, consents::withdraw),
        Route::get("/people/{id}/requests/{wish}", KeepRegister, requests::blank),
        Route::post("/people/{id}/requests/{wish}", KeepRegister, requests::ask),
        Route::get("/rights", KeepRegister, requests::list),
        Route::get("/rights/{id}", KeepRegister, requests::one),
        Route::post("/rights/{id}/answer", KeepRegister, requests::answer),
        Route::post("/rights/{id}/take-back", KeepRegister, requests::take_back),
        Route::post("/rights/{id}/erase", ErasePeople, requests::erase),
        Route::get("/erasures", KeepRegister, requests::erasures_list).about_nobody(),
        Route::get("/households/{id}", FindPeople, household::page),
        Route::get("/identity", KeepRegister, identity::list),
        Route::get("/identity/{one}/{other}", KeepRegister, identity::pair),
        Route::post("/identity/{one}/{other}", KeepRegister, identity::decide),
        Route::post("/identity/{one}/{other}/undo", KeepRegister, identity::undo),
    ]
}

/// How identity and telephone numbers are shown. Whole only where somebody asked for it and a line of the audit trail says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numbers {
    Masked,
    Whole,
}

/// A label as a tag: its word, and a tone.
pub(crate) struct LabelTag {
    pub(crate) tone: &'static str,
    pub(crate) text: String,
}

/// A person on one line of a list.
pub(crate) struct PersonLine {
    pub(crate) path: String,
    pub(crate) household: String,
    pub(crate) name: String,
    /// `男，74 岁`.
    pub(crate) who: String,
    pub(crate) village: String,
    pub(crate) number: String,
    pub(crate) phone: String,
    pub(crate) relation: String,
    pub(crate) insurance: String,
    pub(crate) labels: Vec<LabelTag>,
    /// What must be known before anything else: the person died, the record is in doubt.
    pub(crate) remarks: Vec<String>,
}

impl PersonLine {
    pub(crate) fn of(page: &Page, reach: &Reach, today: Day, person: &Person) -> PersonLine {
        let body = &person.body;
        let mut remarks: Vec<String> = Vec::new();
        if let Some(died_on) = body.died_on {
            remarks.push(page.say1("register.died", "day", died_on));
        }
        remarks.extend(body.marks.iter().map(|mark| page.word(mark.word()).into_owned()));
        let phone = body.phone.as_ref().filter(|_| reach.contact());
        PersonLine {
            path: format!("/people/{}", person.id),
            household: format!("/households/{}", body.household),
            name: body.name.clone(),
            who: who(page, today, person),
            village: village(reach, person.home),
            number: masked_number(person),
            phone: phone.map(kangmai_base::Phone::masked).unwrap_or_default(),
            relation: body.relation.map(|it| page.word(it.word()).into_owned()).unwrap_or_default(),
            insurance: body.enrolment.map(|it| page.word(it.word()).into_owned()).unwrap_or_default(),
            labels: person.labels_on(today).into_iter().map(|label| label_tag(page, label)).collect(),
            remarks,
        }
    }
}

fn masked_number(person: &Person) -> String {
    person.body.id_number.as_ref().map(|number| number.masked()).unwrap_or_default()
}

/// `男，74 岁`; what is not known is left out.
fn who(page: &Page, today: Day, person: &Person) -> String {
    let age_on = person.body.died_on.unwrap_or(today);
    let sex = person.body.sex.map(|sex| page.word(sex_word(sex)).into_owned());
    let age = person.age_on(age_on).filter(|age| *age >= 0).map(|age| page.count("register.age", age));
    let both: Vec<String> = sex.into_iter().chain(age).collect();
    both.join(if page.is_chinese() { "，" } else { ", " })
}

fn tone_of(label: Label) -> &'static str {
    if label.is_monitored() || label == Label::ReturnedToPoverty { "warning" } else { "plain" }
}

fn label_tag(page: &Page, label: Label) -> LabelTag {
    LabelTag { tone: tone_of(label), text: page.word(label.word()).into_owned() }
}

/// The labels that hold on `today` with the day since when, the one of the strongest aid first.
pub(crate) fn dated_tags(page: &Page, today: Day, labels: &[LabelInterval]) -> Vec<LabelTag> {
    let mut holding: Vec<&LabelInterval> = labels.iter().filter(|label| label.holds_on(today)).collect();
    holding.sort_by_key(|interval| interval.label);
    let tag = |interval: &LabelInterval| {
        let word = page.word(interval.label.word());
        let text = match (interval.from, interval.to) {
            (Some(from), None) => page.say2("register.label.since", "label", word, "from", from),
            (Some(from), Some(to)) => {
                page.say("register.label.from_to", &[("label", &word), ("from", &from), ("to", &to)])
            }
            (None, Some(to)) => page.say2("register.label.until", "label", word, "to", to),
            (None, None) => word.into_owned(),
        };
        LabelTag { tone: tone_of(interval.label), text }
    };
    holding.into_iter().map(tag).collect()
}

/// The path of a division below the reader's own: a township's reader does not need the county's name.
pub(crate) fn village(reach: &Reach, place: DivisionCode) -> String {
    let from = match reach.place().level() {
        None => DivisionLevel::Province,
        Some(DivisionLevel::Province) => DivisionLevel::City,
        Some(DivisionLevel::City) => DivisionLevel::County,
        Some(DivisionLevel::County) => DivisionLevel::Township,
        Some(DivisionLevel::Township | DivisionLevel::Village) => DivisionLevel::Village,
    };
    let division = Divisions::shipped().holding(place);
    let path = division.map(|division| division.path_from(from).concat()).filter(|path| !path.is_empty());
    path.unwrap_or_else(|| place.to_string())
}

/// The full name of a division.
pub(crate) fn full_place(place: DivisionCode) -> String {
    Divisions::shipped().holding(place).map_or_else(|| place.to_string(), |division| division.full_name())
}

/// Notes that `visit` read a record, beside the reading: nobody waits for it but the answer.
pub(crate) async fn note_reading(
    visit: &Visit,
    action: &'static str,
    subject: Uuid,
    place: DivisionCode,
) -> Result<(), DatabaseError> {
    let (id, now, actor) = (visit.app.mint(), visit.app.clock.now(), visit.actor.clone());
    let write =
        move |tx: &mut Transaction<'_>| audit(tx, id, now, &actor, action, Some(subject), place, "", "done");
    visit.app.database.write(write).await
}

/// The page with a way back to the search.
fn under_search(page: Page) -> Page {
    let search = page.word("register.search").into_owned();
    page.under(search, "/people")
}
