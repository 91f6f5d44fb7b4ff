//! Clients of the interface: making one, a new key, revoking.

use askama::Template;
use axum::extract::Path;
use axum::http::Uri;
use axum::response::Response;
use kangmai_access::{
    Client, KEY_LASTS_DAYS, KEY_OVERLAP_DAYS, LONGEST_CLIENT_NAME, NewClient, client_within, create_client,
    list_clients, revoke_client, rotate_key, set_scopes,
};
use kangmai_base::{Id, Moment, Refusal};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_places::{Division, Divisions, InstitutionFilter, institutions_at};
use kangmai_programme::Visit;
use kangmai_web::{
    Choice, Failure, Field, Flash, Form, FormBody, ListQuery, ListSpec, Page, show, show_refused,
};

static LIST: ListSpec = ListSpec { filters: &[], sorts: &["place"], descending: false };
const FIELDS: &[Field] = &[
    Field::text("name", "server.clients.name").at_most(LONGEST_CLIENT_NAME),
    Field::select("institution", "server.clients.institution"),
    Field::text("place", "server.accounts.place").at_most(12),
    Field::many("scopes", "server.clients.scopes"),
];
const SCOPES: &[Field] = &[Field::many("scopes", "server.clients.scopes")];
/// Institutions that the form offers; more than a county has.
const MOST_OFFERED: i64 = 1_000;

#[derive(Template)]
#[template(path = "office_clients.html")]
struct ClientsPage {
    page: Page,
    list: ListQuery,
    form: Form,
    rows: Vec<Line>,
    more: bool,
}

#[derive(Template)]
#[template(path = "office_client.html")]
struct ClientPage {
    page: Page,
    line: Line,
    keys: Vec<KeyLine>,
    scopes: Form,
    /// A key that was just made: shown now and never again.
    new_key: Option<String>,
}

struct Line {
    client: Client,
    place: String,
    state: &'static str,
    tone: &'static str,
    seen: String,
}

struct KeyLine {
    hint: String,
    made: String,
    ends: String,
    seen: String,
    state: &'static str,
    tone: &'static str,
}

fn line(client: Client, now: Moment) -> Line {
    let (state, tone) = if client.closed_at.is_some() {
        ("server.clients.revoked", "plain")
    } else if client.keys_at(now).next().is_none() {
        ("server.clients.no_key", "warning")
    } else {
        ("server.clients.open", "good")
    };
    Line {
        place: Divisions::shipped().get(client.place).map(Division::full_name).unwrap_or_default(),
        seen: client.seen_at().map(|at| at.to_string()).unwrap_or_default(),
        client,
        state,
        tone,
    }
}

/// All operations of interfaces, by their names.
fn operations(visit: &Visit) -> Vec<Choice> {
    let routes = visit.app.programmes.iter().flat_map(|programme| (programme.routes)());
    let operations = routes.filter_map(|route| route.operation);
    operations.map(|operation| Choice::new(operation.id, visit.page.word(operation.word))).collect()
}

/// The ticks that are set: of no scopes, all.
fn ticked(visit: &Visit, scopes: Option<&[String]>) -> Vec<(String, String)> {
    let all = operations(visit).into_iter().map(|choice| choice.value);
    let set = all.filter(|name| scopes.is_none_or(|scopes| scopes.contains(name)));
    set.map(|name| ("scopes".to_owned(), name)).collect()
}

/// The scopes of a form; none where all are ticked, so that a later operation is open as well.
fn scopes_of(visit: &Visit, form: &mut Form) -> Option<Option<Vec<String>>> {
    let chosen = form.many("scopes");
    if form.error_at("scopes").is_some() {
        return None;
    }
    if chosen.is_empty() {
        form.refuse(Refusal::new("web.form.choose").at("scopes"));
        return None;
    }
    Some((chosen.len() < operations(visit).len()).then_some(chosen))
}

async fn clients_page(visit: &Visit, uri: &Uri, mut form: Form) -> Result<ClientsPage, Failure> {
    let list = ListQuery::read(&LIST, uri);
    let (offset, limit, reach) = (list.paging.offset(), list.paging.limit(), visit.reach.clone());
    let read = move |tx: &mut Transaction<'_>| {
        let clients = list_clients(tx, &reach, offset, limit + 1)?;
        let all = InstitutionFilter::default();
        let institutions = institutions_at(tx, reach.places(), &all, 0, MOST_OFFERED)?;
        Ok::<_, DatabaseError>((clients, institutions))
    };
    let (clients, institutions) = visit.app.database.read(read).await?;
    let choices = institutions
        .iter()
        .map(|one| Choice::new(one.id.uuid().to_string(), format!("{} ({})", one.body.name, one.body.code)));
    form.offer("institution", choices.collect());
    form.offer("scopes", operations(visit));
    let shown = usize::try_from(limit).unwrap_or(0);
    let (more, now) = (clients.len() > shown, visit.app.clock.now());
    let rows = clients.into_iter().take(shown).map(|client| line(client, now)).collect();
    let page = visit.page.clone().titled("server.clients");
    Ok(ClientsPage { page, list, form, rows, more })
}

/// GET: the clients, and the form for a new one.
pub(super) async fn show_clients(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let mut form = Form::typed(FIELDS, ticked(&visit, None));
    form.fill("place", visit.reach.place());
    show(&clients_page(&visit, &uri, form).await?)
}

/// POST: a new client. Its key is in the answer and nowhere else.
pub(super) async fn create(visit: Visit, uri: Uri, body: FormBody) -> Result<Response, Failure> {
    let mut page = clients_page(&visit, &uri, body.form(FIELDS)).await?;
    let form = &mut page.form;
    let (name, institution) = (form.text("name"), form.choice("institution"));
    let place = form.division("place");
    let scopes = scopes_of(&visit, form);
    let institution = institution.and_then(|id| id.parse::<Id<()>>().ok());
    if let (Some(name), Some(institution), Some(place), Some(scopes)) = (name, institution, place, scopes) {
        let id = Id::from_uuid(visit.app.mint());
        let new = NewClient { id, name, institution: institution.uuid(), place };
        match make(&visit, new, scopes).await? {
            Ok(key) => return show(&client_page(&visit, id, Some(key)).await?),
            Err(refusal) => form.refuse(refusal),
        }
    }
    show_refused(&page)
}

async fn make(
    visit: &Visit,
    new: NewClient,
    scopes: Option<Vec<String>>,
) -> Result<Result<String, Refusal>, Failure> {
    if !Divisions::shipped().has(new.place) {
        return Ok(Err(Refusal::new("access.account.place_out_of_reach").at("place")));
    }
    let (app, actor, reach) = (visit.app.clone(), visit.actor.clone(), visit.reach.clone());
    let now = app.clock.now();
    let database = app.database.clone();
    let write = move |tx: &mut Transaction<'_>| {
        let made = create_client(tx, &actor, &reach, &new, &*app.ids, now)?;
        if made.is_ok() && scopes.is_some() {
            let set = set_scopes(tx, &actor, &reach, new.id, scopes.as_deref(), (app.mint(), now))?;
            return Ok(set.and(made));
        }
        Ok::<_, DatabaseError>(made)
    };
    Ok(database.write(write).await?)
}

async fn client_page(visit: &Visit, id: Id<Client>, new_key: Option<String>) -> Result<ClientPage, Failure> {
    let reach = visit.reach.clone();
    let found = visit.app.database.read(move |tx| client_within(tx, &reach, id)).await?;
    let client = found.ok_or(Failure::NotFound)?;
    let now = visit.app.clock.now();
    let title = visit.page.word("server.clients").into_owned();
    let mut page = visit.page.clone().under(title, "/clients");
    page.title.clone_from(&client.name);
    page.lead.clone_from(&client.institution_name);
    let keys = client.keys.iter().map(|key| {
        let (state, tone) = match (key.revoked_at, key.works_at(now)) {
            (Some(_), _) => ("server.clients.key_revoked", "plain"),
            (None, true) => ("server.clients.key_works", "good"),
            (None, false) => ("server.clients.key_ended", "plain"),
        };
        KeyLine {
            hint: key.hint.clone(),
            made: key.made_at.to_string(),
            ends: key.expires_at.to_string(),
            seen: key.seen_at.map(|at| at.to_string()).unwrap_or_default(),
            state,
            tone,
        }
    });
    let keys = keys.collect();
    let mut scopes = Form::typed(SCOPES, ticked(visit, client.scopes.as_deref()));
    scopes.offer("scopes", operations(visit));
    Ok(ClientPage { page, keys, scopes, new_key, line: line(client, now) })
}

/// GET: one client with its keys.
pub(super) async fn show_client(visit: Visit, Path(id): Path<Id<Client>>) -> Result<Response, Failure> {
    show(&client_page(&visit, id, None).await?)
}

/// POST: a new key, shown in the answer, or the end of all keys.
pub(super) async fn change(
    visit: Visit,
    Path(id): Path<Id<Client>>,
    body: FormBody,
) -> Result<Response, Failure> {
    let (app, actor, reach) = (visit.app.clone(), visit.actor.clone(), visit.reach.clone());
    let (database, now) = (app.database.clone(), app.clock.now());
    match body.act() {
        "rotate" => {
            let made = database.write(move |tx| rotate_key(tx, &actor, &reach, id, &*app.ids, now));
            let key = made.await?.map_err(|_| Failure::NotFound)?;
            show(&client_page(&visit, id, Some(key)).await?)
        }
        "revoke" => {
            let audit_id = app.mint();
            let done = database.write(move |tx| revoke_client(tx, &actor, &reach, id, audit_id, now));
            done.await?.map_err(|_| Failure::NotFound)?;
            Ok(Flash::good(visit.page.word("server.clients.revoked_now").into_owned()).then_go_to("/clients"))
        }
        "scopes" => change_scopes(visit, id, body).await,
        _ => Err(Failure::Malformed),
    }
}

async fn change_scopes(visit: Visit, id: Id<Client>, body: FormBody) -> Result<Response, Failure> {
    let shown = client_page(&visit, id, None).await?;
    let mut form = body.form(SCOPES);
    form.offer("scopes", operations(&visit));
    let Some(scopes) = scopes_of(&visit, &mut form) else {
        return show_refused(&ClientPage { scopes: form, ..shown });
    };
    let (app, actor, reach) = (visit.app.clone(), visit.actor.clone(), visit.reach.clone());
    let stamp = (app.mint(), app.clock.now());
    let write = move |tx: &mut Transaction<'_>| set_scopes(tx, &actor, &reach, id, scopes.as_deref(), stamp);
    app.database.write(write).await?.map_err(|_| Failure::NotFound)?;
    let done = visit.page.word("server.clients.scopes_changed").into_owned();
    Ok(Flash::good(done).then_go_to(&format!("/clients/{id}")))
}

impl ClientPage {
    /// How long a key lasts, and how long the one before still works.
    fn days(&self) -> String {
        self.page.say2("server.clients.rotate.about", "lasts", KEY_LASTS_DAYS, "overlap", KEY_OVERLAP_DAYS)
    }

    const fn is_open(&self) -> bool {
        self.line.client.closed_at.is_none()
    }
}
