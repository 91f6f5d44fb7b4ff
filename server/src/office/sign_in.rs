//! Signing in and out.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use kangmai_access::{SignIn, audit, end_session, set_up_waits, sign_in};
use kangmai_database::Transaction;
use kangmai_programme::{App, Door, Visit, percent_encoded};
use kangmai_web::{Failure, Field, Form, FormBody, Page, cookies, go_to, local_path, show, show_refused};

use super::openid::OpenId;

const FIELDS: &[Field] = &[
    Field::text("name", "server.sign_in.name").autocomplete("username").at_most(64),
    Field::password("password", "server.sign_in.password"),
    Field::hidden("next"),
];

#[derive(Template)]
#[template(path = "office_sign_in.html")]
struct SignInPage {
    page: Page,
    form: Form,
    demo: bool,
    /// Whether an identity provider is set.
    openid: bool,
    next: String,
}

impl SignInPage {
    fn openid_path(&self) -> String {
        match self.next.as_str() {
            "" => "/sign-in/openid".to_owned(),
            next => format!("/sign-in/openid?next={}", percent_encoded(next)),
        }
    }
}

fn page(app: &App, headers: &HeaderMap, uri: &Uri) -> Page {
    Page::of_request(&app.words, headers, uri).titled("server.sign_in")
}

pub(super) async fn show_sign_in(
    State(app): State<App>,
    Extension(desk): OpenId,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Failure> {
    if app.database.read(set_up_waits).await? {
        return Ok(go_to("/set-up"));
    }
    let mut form = Form::blank(FIELDS);
    if let Some(next) = wanted(&uri) {
        form.fill("next", next);
    }
    let next = wanted(&uri).unwrap_or_default();
    let (page, demo) = (page(&app, &headers, &uri), app.settings.demo);
    show(&SignInPage { page, form, demo, openid: desk.is_some(), next })
}

pub(super) async fn take_sign_in(
    Extension(desk): OpenId,
    door: Door,
    headers: HeaderMap,
    uri: Uri,
    body: FormBody,
) -> Result<Response, Failure> {
    door.may_try()?;
    let app = door.app("POST /sign-in");
    let next = body.value("next").to_owned();
    let mut form = body.form(FIELDS);
    let (name, password) = (form.text("name"), form.text("password"));
    if let (Some(name), Some(password)) = (name, password) {
        let typed = SignIn { name, password, from: door.origin() };
        match sign_in(&app.database, &app.clock, &app.ids, typed).await? {
            Ok((token, _)) => {
                end_former(&app, &headers).await?;
                return Ok(go_on(&app, &next, &token));
            }
            Err(refusal) => {
                door.note_wrong();
                form.refuse(refusal);
            }
        }
    }
    form.fill("password", "");
    let (page, demo) = (page(&app, &headers, &uri), app.settings.demo);
    show_refused(&SignInPage { page, form, demo, openid: desk.is_some(), next })
}

/// Ends the session that this browser had: who signs in anew leaves none behind.
pub(super) async fn end_former(app: &App, headers: &HeaderMap) -> Result<(), Failure> {
    let former = cookies::read(headers, cookies::session_name(app.settings.secure)).map(str::to_owned);
    let Some(former) = former else { return Ok(()) };
    let now = app.clock.now();
    Ok(app.database.write(move |tx| end_session(tx, &former, now)).await?)
}

/// On to the page that was wanted, with the session's (new) token. What is still missing there, is asked there.
pub(super) fn go_on(app: &App, next: &str, token: &str) -> Response {
    let mut response = go_to(local_path(next).unwrap_or("/"));
    response.headers_mut().append(SET_COOKIE, cookies::session(token, app.settings.secure));
    response
}

/// The page that was wanted before the sign-in, from the address of a page: `?next=…`.
pub(super) fn wanted(uri: &Uri) -> Option<String> {
    let next = uri.query()?.strip_prefix("next=").map(percent_decoded)?;
    local_path(&next).map(str::to_owned)
}

pub(super) async fn sign_out(visit: Visit, _: FormBody) -> Result<Response, Failure> {
    let (token, now, actor, id) = (visit.token, visit.app.clock.now(), visit.actor, visit.app.mint());
    let end = move |tx: &mut Transaction<'_>| {
        end_session(tx, &token, now)?;
        audit(tx, id, now, &actor, "sign_out", None, actor.place, "", "done")
    };
    visit.app.database.write(end).await?;
    let mut response = go_to("/sign-in");
    response.headers_mut().append(SET_COOKIE, cookies::end_session(visit.app.settings.secure));
    Ok(response)
}

pub(super) fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while let Some(byte) = bytes.get(index) {
        let hex = bytes.get(index + 1..index + 3).and_then(|hex| std::str::from_utf8(hex).ok());
        match (byte, hex.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(decoded)) => {
                out.push(decoded);
                index += 3;
            }
            _ => {
                out.push(*byte);
                index += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::percent_decoded;

    #[test]
    fn decodes_what_the_guard_encodes() {
        for (encoded, plain) in
            [("/people%3Fq%3D1", "/people?q=1"), ("/a%", "/a%"), ("%E7%8E%8B", "王"), ("%zz", "%zz")]
        {
            assert_eq!(percent_decoded(encoded), plain);
        }
    }
}
