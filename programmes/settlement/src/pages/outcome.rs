//! What became of a request whose sender does not know: asked by the key that the sender gave it.

use askama::Template;
use axum::response::Response;
use kangmai_base::Uuid;
use kangmai_programme::Visit;
use kangmai_web::{Failure, Field, Form, FormBody, Page, show, show_refused};

use crate::intake::caller;
use crate::store::{LONGEST_KEY, RequestKey, RequestState, ask_request};

const FIELDS: &[Field] = &[Field::text("key", "settlement.field.key").at_most(LONGEST_KEY)];

#[derive(Template)]
#[template(path = "settlement_outcome.html")]
struct OutcomePage {
    page: Page,
    form: Form,
    /// None: not asked yet.
    said: Option<Said>,
}

/// What became of it.
struct Said {
    tone: &'static str,
    text: String,
    bill: Option<Uuid>,
}

/// GET: the field for the key.
pub(crate) async fn ask_outcome(visit: Visit) -> Result<Response, Failure> {
    show(&page_of(visit, Form::blank(FIELDS), None))
}

fn page_of(visit: Visit, form: Form, said: Option<Said>) -> OutcomePage {
    let desk = visit.page.word("settlement.desk.title").into_owned();
    OutcomePage { page: visit.page.titled("settlement.outcome.title").under(desk, "/desk"), form, said }
}

/// POST, so that no key stands in an address: settled, not received, or in progress.
pub(crate) async fn outcome(visit: Visit, body: FormBody) -> Result<Response, Failure> {
    let mut form = body.form(FIELDS);
    let Some(key) = form.text("key") else {
        return show_refused(&page_of(visit, form, None));
    };
    let key = RequestKey { caller: caller(&visit.actor), key };
    let now = visit.app.clock.now();
    let state = visit.app.database.read(move |tx| ask_request(tx, &key, now)).await?;
    let (tone, word, bill) = match state {
        RequestState::NotReceived => ("warning", "settlement.outcome.not_received", None),
        RequestState::InProgress => ("plain", "settlement.outcome.in_progress", None),
        RequestState::Answered(answered) => ("good", "settlement.outcome.settled", answered.bill),
    };
    let said = Said { tone, text: visit.page.word(word).into_owned(), bill };
    show(&page_of(visit, form, Some(said)))
}
