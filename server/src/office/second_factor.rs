//! The second factor: giving its code at sign-in, setting it up, recovery codes.

use askama::Template;
use axum::http::Uri;
use axum::http::header::SET_COOKIE;
use axum::response::Response;
use kangmai_access::{
    Enrolled, Enrolment, Means, Proof, SecondFactor, Stage, begin_enrolment, finish_enrolment, give_code,
    give_up_factor, renew_recovery_codes, second_factor,
};
use kangmai_base::Refusal;
use kangmai_database::{DatabaseError, Transaction};
use kangmai_programme::{Door, Visit};
use kangmai_web::{Failure, Field, Form, FormBody, Page, cookies, show, show_refused};
use qrcodegen::{QrCode, QrCodeEcc};

use super::sign_in::{go_on, wanted};

const CODE: &[Field] = &[
    Field::text("code", "server.second_factor.code").at_most(40).autocomplete("one-time-code"),
    Field::hidden("next"),
];
/// What an authenticator calls the program.
const ISSUER: &str = "Kangmai";
/// Light modules around the code, as ISO/IEC 18004 asks for.
const QUIET_MODULES: i32 = 4;

#[derive(Template)]
#[template(path = "office_second_factor.html")]
struct CodePage {
    page: Page,
    form: Form,
}

#[derive(Template)]
#[template(path = "office_enrolment.html")]
struct EnrolmentPage {
    page: Page,
    form: Form,
    /// The secret in groups of four letters.
    secret: String,
    qr: Option<Qr>,
    is_forced: bool,
}

#[derive(Template)]
#[template(path = "office_own_factor.html")]
struct OwnPage {
    page: Page,
    form: Form,
    factor: SecondFactor,
}

#[derive(Template)]
#[template(path = "office_recovery_codes.html")]
struct RecoveryPage {
    page: Page,
    codes: Vec<String>,
}

/// A square of modules as one path of an SVG.
struct Qr {
    size: i32,
    path: String,
}

impl Qr {
    /// `None` for a text that is too long for any code.
    fn of(text: &str) -> Option<Qr> {
        let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
        let mut path = String::new();
        for y in 0..code.size() {
            for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
                path.push_str(&format!("M{} {}h1v1h-1z", x + QUIET_MODULES, y + QUIET_MODULES));
            }
        }
        Some(Qr { size: code.size() + 2 * QUIET_MODULES, path })
    }
}

/// What an authenticator reads off the picture. The name is letters, digits, dots, dashes and underscores.
fn address_of(secret: &str, name: &str) -> String {
    format!("otpauth://totp/{ISSUER}:{name}?secret={secret}&issuer={ISSUER}")
}

/// GET: the form for the code that completes a sign-in.
pub(super) async fn show_code(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let mut form = Form::blank(CODE);
    if let Some(next) = wanted(&uri) {
        form.fill("next", next);
    }
    show(&CodePage { page: visit.page.titled("server.second_factor"), form })
}

/// POST: the code.
pub(super) async fn take_code(visit: Visit, door: Door, body: FormBody) -> Result<Response, Failure> {
    door.may_try()?;
    let next = body.value("next").to_owned();
    let mut form = body.form(CODE);
    if let Some(code) = form.text("code") {
        match with_code(&visit, code, give_code).await? {
            Ok(token) => return Ok(go_on(&visit.app, &next, &token)),
            Err(refusal) => {
                door.note_wrong();
                form.refuse(refusal);
            }
        }
    }
    form.fill("code", "");
    show_refused(&CodePage { page: visit.page.titled("server.second_factor"), form })
}

/// Something that access does by a code.
type ByCode<T> =
    fn(&mut Transaction<'_>, &Means<'_>, &Proof<'_>) -> Result<Result<T, Refusal>, DatabaseError>;

async fn with_code<T: Send + 'static>(
    visit: &Visit,
    code: String,
    act: ByCode<T>,
) -> Result<Result<T, Refusal>, Failure> {
    let (app, actor, token) = (visit.app.clone(), visit.actor.clone(), visit.token.clone());
    let database = app.database.clone();
    let write = move |tx: &mut Transaction<'_>| {
        let means = Means { ids: &*app.ids, now: app.clock.now() };
        act(tx, &means, &Proof { actor: &actor, token: &token, code: &code })
    };
    Ok(database.write(write).await?)
}

/// GET: what one has as a second factor, or the way to one.
pub(super) async fn show_enrolment(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let mut form = Form::blank(CODE);
    if let Some(next) = wanted(&uri) {
        form.fill("next", next);
    }
    show_own(&visit, form).await
}

async fn show_own(visit: &Visit, form: Form) -> Result<Response, Failure> {
    let is_refused = form.is_refused();
    let account = visit.actor.account;
    if let Some(factor) = visit.app.database.read(move |tx| second_factor(tx, account)).await? {
        let view = OwnPage { page: visit.page.clone().titled("server.second_factor.own"), form, factor };
        return if is_refused { show_refused(&view) } else { show(&view) };
    }
    let app = visit.app.clone();
    let database = app.database.clone();
    let write = move |tx: &mut Transaction<'_>| {
        let means = Means { ids: &*app.ids, now: app.clock.now() };
        begin_enrolment(tx, &means, account)
    };
    let Enrolment { secret, sign_in_name } = database.write(write).await??.ok_or(Failure::NotFound)?;
    let letters: Vec<char> = secret.chars().collect();
    let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
    let view = EnrolmentPage {
        page: visit.page.clone().titled("server.second_factor.enrolment"),
        form,
        qr: Qr::of(&address_of(&secret, &sign_in_name)),
        secret: groups.join(" "),
        is_forced: visit.stage == Stage::Enrolment,
    };
    if is_refused { show_refused(&view) } else { show(&view) }
}

/// POST: the end of an enrolment; new recovery codes; another telephone.
pub(super) async fn change(visit: Visit, door: Door, body: FormBody) -> Result<Response, Failure> {
    door.may_try()?;
    let act = body.act().to_owned();
    let mut form = body.form(CODE);
    if let Some(code) = form.text("code") {
        let done = match act.as_str() {
            "finish" => with_code(&visit, code, finish_enrolment).await?.map(|done| enrolled(&visit, done)),
            "renew" => with_code(&visit, code, renew_recovery_codes)
                .await?
                .map(|codes| show(&recovery_page(&visit, codes))),
            "replace" => with_code(&visit, code, give_up_factor)
                .await?
                .map(|token| Ok(go_on(&visit.app, "/second-factor/enrolment", &token))),
            _ => return Err(Failure::Malformed),
        };
        match done {
            Ok(response) => return response,
            Err(refusal) => {
                door.note_wrong();
                form.refuse(refusal);
            }
        }
    }
    form.fill("code", "");
    show_own(&visit, form).await
}

fn recovery_page(visit: &Visit, codes: Vec<String>) -> RecoveryPage {
    RecoveryPage { page: visit.page.clone().titled("server.second_factor.recovery"), codes }
}

fn enrolled(visit: &Visit, done: Enrolled) -> Result<Response, Failure> {
    let mut page = recovery_page(visit, done.recovery_codes);
    // The form tokens of this page belong to the token before: it offers a link and no form.
    page.page.reader = None;
    let mut response = show(&page)?;
    let cookie = cookies::session(&done.token, visit.app.settings.secure);
    response.headers_mut().append(SET_COOKIE, cookie);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_says_what_an_authenticator_reads() {
        let text = address_of("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "wang.li-2_a");
        assert_eq!(
            text,
            "otpauth://totp/Kangmai:wang.li-2_a?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Kangmai"
        );
        let qr = Qr::of(&text).expect("a code");
        assert!(qr.size > 30 && qr.path.len() > 1_000);
        assert!(qr.path.chars().all(|sign| sign.is_ascii_digit() || "Mh v-1z".contains(sign)));
        assert!(Qr::of(&"x".repeat(5_000)).is_none());
    }
}
