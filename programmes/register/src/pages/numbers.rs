//! `/people/{id}/numbers`: the identity and telephone number of one person, whole. Everywhere else they are masked; here they
//! are shown once, to who has to call people and fill in forms for them, and a line of the audit trail says so.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use kangmai_access::{Purpose, audit, reach_of_person};
use kangmai_base::Uuid;
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::{Person, PersonId, find_person};
use kangmai_programme::Visit;
use kangmai_web::{Failure, Page, show as show_page};

#[derive(Template)]
#[template(path = "register_numbers.html")]
struct NumbersPage {
    page: Page,
    number: String,
    phone: String,
    back: String,
}

/// POST.
pub(crate) async fn show(visit: Visit, Path(id): Path<Uuid>) -> Result<Response, Failure> {
    let (audit_id, now, actor) = (visit.app.mint(), visit.app.clock.now(), visit.actor.clone());
    let work = move |tx: &mut Transaction<'_>| -> Result<Option<Person>, DatabaseError> {
        let Some(person) = find_person(tx, PersonId::from_uuid(id))? else { return Ok(None) };
        let opened = reach_of_person(tx, &actor, Purpose::FindPeople, (id, person.home), now)?;
        if !opened.is_some_and(|reach| reach.contact()) {
            return Ok(None);
        }
        audit(tx, audit_id, now, &actor, "reveal_numbers", Some(id), person.home, "", "done")?;
        Ok(Some(person))
    };
    let person = visit.app.database.write(work).await?.ok_or(Failure::NotFound)?;
    let back = format!("/people/{id}");
    let mut page = visit.page.titled("register.numbers.show").under(person.body.name.clone(), back.clone());
    page.lead = page.word("register.numbers.noted").into_owned();
    show_page(&NumbersPage {
        page,
        number: person.body.id_number.map(|number| number.as_str().to_owned()).unwrap_or_default(),
        phone: person.body.phone.map(|phone| phone.as_str().to_owned()).unwrap_or_default(),
        back,
    })
}
