//! One's own sign-in: the password, and where one is signed in.

use askama::Template;
use axum::http::Uri;
use axum::response::Response;
use kangmai_access::{
    Device, LastSignIn, OwnPassword, Stage, change_own_password, devices, end_device, end_other_sessions,
};
use kangmai_database::Transaction;
use kangmai_programme::{Door, Visit};
use kangmai_web::{Failure, Field, Flash, Form, FormBody, Page, show, show_refused};

use super::sign_in::{go_on, wanted};

const PASSWORD: &[Field] = &[
    Field::password("present", "server.own.present"),
    Field::password("password", "server.own.password").autocomplete("new-password"),
    Field::password("again", "server.own.again").autocomplete("new-password"),
    Field::hidden("next"),
];

#[derive(Template)]
#[template(path = "office_own_password.html")]
struct PasswordPage {
    page: Page,
    form: Form,
    /// Whether nothing else may be done before.
    is_forced: bool,
}

fn password_page(visit: &Visit, form: Form) -> PasswordPage {
    PasswordPage {
        page: visit.page.clone().titled("server.own.password_page"),
        form,
        is_forced: visit.stage == Stage::Password,
    }
}

/// GET: the form for a password of one's own.
pub(super) async fn show_password(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let mut form = Form::blank(PASSWORD);
    if let Some(next) = wanted(&uri) {
        form.fill("next", next);
    }
    show(&password_page(&visit, form))
}

/// POST: a password of one's own; every other session ends.
pub(super) async fn change_password(visit: Visit, door: Door, body: FormBody) -> Result<Response, Failure> {
    door.may_try()?;
    let next = body.value("next").to_owned();
    let mut form = body.form(PASSWORD);
    let typed = (form.text("present"), form.text("password"), form.text("again"));
    if let (Some(present), Some(new), Some(again)) = typed {
        if new == again {
            let app = &visit.app;
            let typed = OwnPassword { present, new };
            let account = visit.actor.account;
            let changed =
                change_own_password(&app.database, &app.clock, &app.ids, account, &visit.token, typed);
            match changed.await? {
                Ok(token) => return Ok(go_on(app, &next, &token)),
                Err(refusal) => {
                    if refusal.field == Some("present") {
                        door.note_wrong();
                    }
                    form.refuse(refusal);
                }
            }
        } else {
            form.refuse(kangmai_base::Refusal::new("server.own.differs").at("again"));
        }
    }
    show_refused(&password_page(&visit, form))
}

#[derive(Template)]
#[template(path = "office_devices.html")]
struct DevicesPage {
    page: Page,
    devices: Vec<Device>,
}

/// GET: where one is signed in.
pub(super) async fn show_devices(visit: Visit) -> Result<Response, Failure> {
    let (token, account, now) = (visit.token.clone(), visit.actor.account, visit.app.clock.now());
    let rules = visit.app.gate().rules.sign_in;
    let read = move |tx: &mut Transaction<'_>| devices(tx, &rules, account, &token, now);
    let devices = visit.app.database.read(read).await?;
    show(&DevicesPage { page: visit.page.titled("server.own.devices"), devices })
}

/// POST: one of the sessions ends, or all but this one.
pub(super) async fn end_devices(visit: Visit, body: FormBody) -> Result<Response, Failure> {
    let (token, account, now) = (visit.token.clone(), visit.actor.account, visit.app.clock.now());
    let all_others = match body.act() {
        "others" => true,
        "one" => false,
        _ => return Err(Failure::Malformed),
    };
    let handle = body.value("device").to_owned();
    let write = move |tx: &mut Transaction<'_>| match all_others {
        true => end_other_sessions(tx, account, &token, now),
        false => end_device(tx, account, &handle, now),
    };
    visit.app.database.write(write).await?;
    Ok(Flash::good(visit.page.word("server.own.ended").into_owned()).then_go_to("/devices"))
}

/// A device in words.
pub(super) fn device_words(page: &Page, device: &str, address: &str) -> String {
    let unknown = page.word("server.own.unknown_device");
    let device = if device.is_empty() { &*unknown } else { device };
    if address.is_empty() { device.to_owned() } else { format!("{device} · {address}") }
}

/// The sign-in before this one, in words.
pub(super) fn last_words(page: &Page, last: &LastSignIn) -> String {
    let device = device_words(page, &last.device, &last.address);
    page.say2("server.own.last", "at", last.at, "device", device)
}

impl DevicesPage {
    fn words(&self, device: &&Device) -> String {
        device_words(&self.page, &device.device, &device.address)
    }
}
