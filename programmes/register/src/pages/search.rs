//! `/people`: finding a person by what somebody at a desk can say.

use askama::Template;
use axum::http::Uri;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kangmai_base::Refusal;
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::{Query, search as search_people};
use kangmai_programme::Visit;
use kangmai_seal::Cell;
use kangmai_web::{Failure, Field, Form, FormBody, ListQuery, ListSpec, Page, go_to, show, show_refused};

use crate::list::List;
use crate::pages::PersonLine;

const FIELDS: &[Field] = &[Field::text("q", "register.search.q").at_most(Query::LONGEST)];
/// What an address may hold: what somebody typed into it, or what was sealed for who searched.
static SPEC: ListSpec = ListSpec {
    filters: &[
        Field::text("q", "register.search.q").at_most(Query::LONGEST),
        Field::text("found", "register.search.q").at_most(LONGEST_SEALED),
    ],
    sorts: &[],
    descending: false,
};
/// The longest search, sealed and written in base 64.
const LONGEST_SEALED: usize = Query::LONGEST * 6 + 128;
/// How many are shown; who is not among them is found by typing more.
const SHOWN: usize = 50;

#[derive(Template)]
#[template(path = "register_search.html")]
struct SearchPage {
    page: Page,
    form: Form,
    /// Whether anything was looked for.
    asked: bool,
    lines: Vec<PersonLine>,
    /// Whether there are more than are shown.
    more: bool,
    contact: bool,
    lists: Vec<(String, String)>,
}

/// GET: the search box, and what `q` finds.
pub(crate) async fn page(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let list = ListQuery::read(&SPEC, &uri);
    let typed = match list.filter("found") {
        Some(sealed) => opened(&visit, sealed).await?,
        None => list.filter("q").unwrap_or_default().to_owned(),
    };
    let mut form = Form::blank(FIELDS);
    if typed.is_empty() {
        return show(&found(visit, form, None).await?);
    }
    if may_be_whole_number(&typed) {
        // A whole number never stands in an address, where histories and logs keep it.
        form.refuse(Refusal::new("register.search.not_in_address").at("q"));
        return show_refused(&found(visit, form, None).await?);
    }
    form.fill("q", &typed);
    let query = Query::read(&typed);
    show(&found(visit, form, query).await?)
}

/// POST: a whole number is answered right here; everything else gets an address, so that one comes back to the list from a
/// person's page. The address holds it sealed: a name is personal data, and addresses are kept by browsers and proxies.
pub(crate) async fn search(visit: Visit, body: FormBody) -> Result<Response, Failure> {
    let mut form = body.form(FIELDS);
    let Some(typed) = form.text("q") else {
        return show_refused(&found(visit, form, None).await?);
    };
    if may_be_whole_number(&typed) {
        let query = Query::read(&typed);
        return show(&found(visit, form, query).await?);
    }
    Ok(go_to(&format!("/people?found={}", sealed(&visit, typed).await?)))
}

/// Where a search is sealed: it opens for the account that searched and for nobody else.
fn cell(account: &[u8]) -> Cell<'_> {
    Cell { table: "search", column: "q", row: account }
}

async fn sealed(visit: &Visit, typed: String) -> Result<String, DatabaseError> {
    let account = visit.actor.account.uuid();
    let seal = move |tx: &mut Transaction<'_>| tx.seal(&cell(account.as_bytes()), typed.as_bytes());
    Ok(URL_SAFE_NO_PAD.encode(visit.app.database.read(seal).await?))
}

/// What was sealed for the visitor; nothing where it was not.
async fn opened(visit: &Visit, sealed: &str) -> Result<String, DatabaseError> {
    let Ok(sealed) = URL_SAFE_NO_PAD.decode(sealed) else { return Ok(String::new()) };
    let account = visit.actor.account.uuid();
    let open = move |tx: &mut Transaction<'_>| match tx.open_text(&cell(account.as_bytes()), &sealed) {
        Err(DatabaseError::Keys(_)) => Ok(String::new()),
        opened => opened,
    };
    visit.app.database.read(open).await
}

fn may_be_whole_number(typed: &str) -> bool {
    typed.chars().filter(char::is_ascii_digit).count() >= Query::WHOLE_NUMBER_DIGITS
}

async fn found(visit: Visit, form: Form, query: Option<Query>) -> Result<SearchPage, Failure> {
    let asked = query.is_some();
    let (reach, today) = (visit.reach, visit.today);
    let people = match query {
        Some(query) => {
            let places = reach.places();
            let limit = i64::try_from(SHOWN).unwrap_or(i64::MAX) + 1;
            visit.app.database.read(move |tx| search_people(tx, places, &query, limit)).await?
        }
        None => Vec::new(),
    };
    let page = visit.page.titled("register.search");
    let more = people.len() > SHOWN;
    let lines =
        people.iter().take(SHOWN).map(|person| PersonLine::of(&page, &reach, today, person)).collect();
    let lists = List::every()
        .map(|list| (page.word(list.word()).into_owned(), format!("/people/lists/{}", list.key())))
        .collect();
    Ok(SearchPage { page, form, asked, lines, more, contact: reach.contact(), lists })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_is_one_however_it_is_written() {
        for (typed, expected) in [
            ("王小明", false),
            ("0013", false),
            ("002X", false),
            ("41172119500101991X", true),
            ("4117 2119 5001 01", true),
            ("139-0000-9901", true),
            ("L411721-0001", true),
        ] {
            assert_eq!(may_be_whole_number(typed), expected, "{typed}");
        }
    }
}
