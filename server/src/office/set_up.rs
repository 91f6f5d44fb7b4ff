//! The first accounts of an installation, by the code that stands where the server was started.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use kangmai_access::{
    FIRST_ROLES, NewAccount, PasswordHash, Role, check_password, hash_in_turn, set_up, set_up_waits,
};
use kangmai_base::{DivisionCode, Id, Refusal};
use kangmai_places::Divisions;
use kangmai_programme::{App, Door};
use kangmai_web::{Failure, Field, Form, FormBody, Page, show, show_refused};

use super::accounts::one_time_password;

const FIELDS: &[Field] = &[
    Field::text("code", "server.set_up.code").at_most(40).autocomplete("one-time-code"),
    Field::text("place", "server.accounts.place").at_most(12),
];
/// The fields of the account that the person at the form makes for themself.
const OWN: &[Field] = &[
    Field::text("sign_in_name", "server.accounts.sign_in_name").at_most(64).autocomplete("username"),
    Field::text("display_name", "server.accounts.display_name").at_most(64),
    Field::password("password", "server.own.password").autocomplete("new-password"),
    Field::password("again", "server.own.again").autocomplete("new-password"),
];
/// Those of the other roles' accounts: name and display name of each.
const OTHERS: &[&[Field]] = &[
    &[
        Field::text("sign_in_name_1", "server.accounts.sign_in_name").at_most(64),
        Field::text("display_name_1", "server.accounts.display_name").at_most(64),
    ],
    &[
        Field::text("sign_in_name_2", "server.accounts.sign_in_name").at_most(64),
        Field::text("display_name_2", "server.accounts.display_name").at_most(64),
    ],
];

#[derive(Template)]
#[template(path = "office_set_up.html")]
struct SetUpPage {
    page: Page,
    form: Form,
    own: Form,
    others: Vec<Other>,
}

struct Other {
    role: String,
    form: Form,
}

#[derive(Template)]
#[template(path = "office_set_up_done.html")]
struct DonePage {
    page: Page,
    own: String,
    /// Role, sign-in name and one-time password of each other account.
    others: Vec<(String, String, String)>,
}

fn page(app: &App, headers: &HeaderMap, uri: &Uri) -> Page {
    Page::of_request(&app.words, headers, uri).titled("server.set_up")
}

fn role_word(page: &Page, role: Role) -> String {
    page.word(&format!("access.role.{}", role.key())).into_owned()
}

fn other_roles() -> impl Iterator<Item = (Role, &'static [Field])> {
    FIRST_ROLES.iter().skip(1).copied().zip(OTHERS.iter().copied())
}

impl SetUpPage {
    fn of(page: Page, form: impl Fn(&'static [Field]) -> Form) -> SetUpPage {
        let others =
            other_roles().map(|(role, fields)| Other { role: role_word(&page, role), form: form(fields) });
        let others = others.collect();
        SetUpPage { form: form(FIELDS), own: form(OWN), others, page }
    }

    fn own_role(&self) -> String {
        FIRST_ROLES.first().map(|role| role_word(&self.page, *role)).unwrap_or_default()
    }

    /// The form of the account with this number, to be refused at.
    fn form_of(&mut self, account: Option<usize>) -> &mut Form {
        match account {
            None => &mut self.form,
            Some(0) => &mut self.own,
            Some(index) => self.others.get_mut(index - 1).map_or(&mut self.form, |other| &mut other.form),
        }
    }
}

/// GET: the form, while there are no accounts; after that there is no such page.
pub(super) async fn show_set_up(
    State(app): State<App>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Failure> {
    if !app.database.read(set_up_waits).await? {
        return Err(Failure::NotFound);
    }
    show(&SetUpPage::of(page(&app, &headers, &uri), Form::blank))
}

/// POST: the accounts are made, all or none. The answer shows the one-time passwords of the others, once.
pub(super) async fn take_set_up(
    door: Door,
    headers: HeaderMap,
    uri: Uri,
    body: FormBody,
) -> Result<Response, Failure> {
    door.may_try()?;
    let app = door.app("POST /set-up");
    if !app.database.read(set_up_waits).await? {
        return Err(Failure::NotFound);
    }
    let mut view = SetUpPage::of(page(&app, &headers, &uri), |fields| body.clone().form(fields));
    let Some(typed) = read(&mut view) else { return show_refused(&view) };
    let own = match own_hash(&app, &typed).await? {
        Ok(hash) => hash,
        Err(refusal) => {
            view.own.refuse(refusal);
            return show_refused(&view);
        }
    };
    let (accounts, secrets) = accounts(&app, &typed, own).await?;
    let (by, now) = (app.clone(), app.clock.now());
    let code = typed.code.clone();
    let made = app.database.write(move |tx| set_up(tx, &*by.ids, now, &code, &accounts)).await?;
    if let Err((account, refusal)) = made {
        if account.is_none() {
            door.note_wrong();
        }
        let field = refusal.field.and_then(|field| field_of(account, field));
        view.form_of(account).refuse(Refusal { field, ..refusal });
        return show_refused(&view);
    }
    let others = other_roles().zip(&typed.others).zip(secrets);
    let others = others
        .map(|(((role, _), (name, _)), secret)| (role_word(&view.page, role), name.clone(), secret))
        .collect();
    show(&DonePage { page: view.page.titled("server.set_up.done"), own: typed.name, others })
}

/// The field of the account with this number that access calls `field`.
fn field_of(account: Option<usize>, field: &'static str) -> Option<&'static str> {
    match account {
        None | Some(0) => Some(field),
        Some(index) => {
            let fields = OTHERS.get(index - 1)?;
            fields.iter().map(|own| own.name).find(|name| name.starts_with(field))
        }
    }
}

struct Typed {
    code: String,
    place: DivisionCode,
    name: String,
    display: String,
    password: String,
    others: Vec<(String, String)>,
}

fn read(view: &mut SetUpPage) -> Option<Typed> {
    let code = view.form.text("code");
    let place = view.form.division("place");
    if place.is_some_and(|place| !Divisions::shipped().has(place)) {
        view.form.refuse(Refusal::new("access.account.place_out_of_reach").at("place"));
    }
    let (name, display) = (view.own.text("sign_in_name"), view.own.text("display_name"));
    let (password, again) = (view.own.text("password"), view.own.text("again"));
    if password.is_some() && again.is_some() && password != again {
        view.own.refuse(Refusal::new("server.own.differs").at("again"));
    }
    let others: Option<Vec<(String, String)>> = view
        .others
        .iter_mut()
        .map(|other| {
            let mut texts = other.form.fields().iter().map(|field| field.name);
            let (name, display) = (texts.next()?, texts.next()?);
            let (name, display) = (other.form.text(name), other.form.text(display));
            Some((name?, display?))
        })
        .collect();
    let refused = view.form.is_refused() || view.own.is_refused();
    let typed = Typed {
        code: code?,
        place: place?,
        name: name?,
        display: display?,
        password: password?,
        others: others?,
    };
    (!refused).then_some(typed)
}

async fn own_hash(app: &App, typed: &Typed) -> Result<Result<PasswordHash, Refusal>, Failure> {
    if let Err(refusal) = check_password(&typed.password, &[&typed.name, &typed.display]) {
        return Ok(Err(refusal));
    }
    Ok(hash_in_turn(&app.ids, typed.password.clone()).await?)
}

/// The accounts in the order of [`FIRST_ROLES`], and the one-time passwords of all but the first.
async fn accounts(
    app: &App,
    typed: &Typed,
    own: PasswordHash,
) -> Result<(Vec<NewAccount>, Vec<String>), Failure> {
    let new = |role: Role, name: &str, display: &str, password: PasswordHash| NewAccount {
        id: Id::from_uuid(app.mint()),
        sign_in_name: name.to_owned(),
        display_name: display.to_owned(),
        role,
        place: typed.place,
        institution: None,
        password,
    };
    let first = FIRST_ROLES.first().copied().unwrap_or(Role::Administrator);
    let mut accounts = vec![new(first, &typed.name, &typed.display, own)];
    let mut secrets = Vec::new();
    for ((role, _), (name, display)) in other_roles().zip(&typed.others) {
        let (text, hash) = one_time_password(app).await??;
        secrets.push(text);
        accounts.push(new(role, name, display, hash));
    }
    Ok((accounts, secrets))
}
