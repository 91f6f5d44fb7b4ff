//! The pages of this programme: what is looked at and what is sent, side by side.

use askama::Template;
use axum::http::Uri;
use axum::response::Response;
use kangmai_base::Moment;
use kangmai_database::DatabaseError;
use kangmai_programme::Visit;
use kangmai_record::{NewFact, Source, Subject};
use kangmai_web::{Failure, Field, Flash, Form, FormBody, ListQuery, ListSpec, Page, show, show_refused};

use crate::facts::{NOTED, Noted};
use crate::rules::{LONGEST_NOTE, decide};
use crate::store;

const FIELDS: &[Field] =
    &[Field::text("note", "skeleton.note").at_most(LONGEST_NOTE), Field::day("on", "skeleton.on")];

static NOTES: ListSpec = ListSpec { filters: &[], sorts: &["on"], descending: true };

#[derive(Template)]
#[template(path = "skeleton.html")]
struct NotesPage {
    page: Page,
    form: Form,
    list: ListQuery,
    notes: Vec<Noted>,
}

/// GET: the notes, and the form for one more.
pub(crate) async fn list(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let mut form = Form::blank(FIELDS);
    form.fill("on", visit.today);
    show(&notes_page(visit, &uri, form).await?)
}

/// POST: one more note.
pub(crate) async fn note(visit: Visit, uri: Uri, body: FormBody) -> Result<Response, Failure> {
    let mut form = body.form(FIELDS);
    let (Some(note), Some(on)) = (form.text("note"), form.day("on")) else {
        return show_refused(&notes_page(visit, &uri, form).await?);
    };
    let noted = match decide(&note, on, visit.today) {
        Ok(noted) => noted,
        Err(refusal) => {
            form.refuse(refusal);
            return show_refused(&notes_page(visit, &uri, form).await?);
        }
    };
    let fact = fact_of(&visit, &noted)?;
    let (record, now) = (visit.app.record.clone(), visit.app.clock.now());
    visit.app.database.write(move |tx| record.append(tx, now, vec![fact])).await?;
    Ok(Flash::good(visit.page.word("skeleton.noted_now")).then_go_to("/skeleton"))
}

fn fact_of(visit: &Visit, noted: &Noted) -> Result<NewFact, Failure> {
    let id = visit.app.mint();
    Ok(NewFact {
        id,
        kind: NOTED.to_owned(),
        subject: Subject::case(id),
        occurred_at: Moment::start_of(noted.on),
        recorded_at: visit.app.clock.now(),
        place: visit.actor.place,
        author: visit.actor.account.uuid(),
        source: Source::Typed,
        corrects: None,
        body: serde_json::to_string(noted)?,
    })
}

async fn notes_page(visit: Visit, uri: &Uri, form: Form) -> Result<NotesPage, Failure> {
    let mut list = ListQuery::read(&NOTES, uri);
    let (reach, limit, offset) = (visit.reach, list.paging.limit(), list.paging.offset());
    let read = move |tx: &mut kangmai_database::Transaction<'_>| {
        Ok::<_, DatabaseError>((store::list(tx, &reach, limit, offset)?, store::count(tx, &reach)?))
    };
    let (notes, total) = visit.app.database.read(read).await?;
    list.found(total.unsigned_abs());
    Ok(NotesPage { page: visit.page.titled("skeleton.title"), form, list, notes })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use kangmai_base::Day;
    use kangmai_web::{Language, Preferences, Words};

    use super::*;

    #[test]
    fn the_page_has_all_its_words() {
        let words = Arc::new(Words::load(&[kangmai_web::WORDS, crate::WORDS]).unwrap());
        for language in Language::ALL {
            for notes in [Vec::new(), vec![Noted { note: "<b>".to_owned(), on: Day(20_000) }]] {
                let preferences = Preferences { language, ..Preferences::default() };
                let page = Page::new(Arc::clone(&words), preferences, "/skeleton").titled("skeleton.title");
                let list = ListQuery::read(&NOTES, &Uri::from_static("/skeleton"));
                let html = NotesPage { page, form: Form::blank(FIELDS), list, notes }.render().unwrap();
                assert!(!html.contains("<b>"), "not escaped");
            }
        }
        assert_eq!(words.missing(), Vec::<String>::new());
    }
}
