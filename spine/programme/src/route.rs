//! Routes: each has a purpose, and access is asked before its handler runs. A page asks a session, an interface a key.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Request, State};
use axum::handler::Handler;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get, post};
use kangmai_access::{
    Actor, FoundSession, KeyHolder, PhoneHolder, Purpose, Stage, client_of_key, note_key_seen,
    note_phone_seen, note_seen, phone_of_key, reach, session,
};
use kangmai_base::Refusal;
use kangmai_database::DatabaseError;
use kangmai_web::csrf::ExpectedToken;
use kangmai_web::{
    ApiFailure, Failure, Preferences, Problem, RequestId, Sender, cookies, go_to, say_in_json,
};

use crate::call::{Let, LetPhone};
use crate::gate::CountedElsewhere;
use crate::telling::Telling;
use crate::{Admitted, App, Operation, newest_publication};

/// A page or interface: method, path, purpose, handler.
#[derive(Clone)]
pub struct Route {
    /// GET or POST.
    pub method: Method,
    /// With `{names}` as axum has them.
    pub path: &'static str,
    /// What it is for: who has this purpose may come here.
    pub purpose: Purpose,
    /// How an interface describes itself; none: it is a page.
    pub operation: Option<&'static Operation>,
    /// The stages of a sign-in in which it answers; a page of any work only when the sign-in is complete.
    pub stages: &'static [Stage],
    /// Whether personal data may stand in its answer: then looking leaves a line in the audit trail, whoever wrote the
    /// handler.
    pub about_persons: bool,
    /// Whether phones ask it, by their keys, instead of people who are signed in.
    pub is_for_phones: bool,
    handler: MethodRouter<App>,
}

const OPEN: &[Stage] = &[Stage::Open];

/// Where a sign-in goes on that is not complete.
const fn page_of(stage: Stage) -> &'static str {
    match stage {
        Stage::Code => "/second-factor",
        Stage::Password => "/password",
        Stage::Enrolment => "/second-factor/enrolment",
        Stage::Open => "/",
    }
}

impl Route {
    /// The same route, answering in these stages of a sign-in.
    #[must_use]
    pub fn in_stages(self, stages: &'static [Stage]) -> Route {
        Route { stages, ..self }
    }

    /// The same route, in whose answer no personal data stands: looking at it leaves no line in the audit trail.
    #[must_use]
    pub fn about_nobody(self) -> Route {
        Route { about_persons: false, ..self }
    }

    /// A page that is looked at.
    pub fn get<H, T>(path: &'static str, purpose: Purpose, handler: H) -> Route
    where
        H: Handler<T, App>,
        T: 'static,
    {
        Route {
            method: Method::GET,
            path,
            purpose,
            operation: None,
            stages: OPEN,
            about_persons: true,
            is_for_phones: false,
            handler: get(handler),
        }
    }

    /// A form that is sent.
    pub fn post<H, T>(path: &'static str, purpose: Purpose, handler: H) -> Route
    where
        H: Handler<T, App>,
        T: 'static,
    {
        Route {
            method: Method::POST,
            path,
            purpose,
            operation: None,
            stages: OPEN,
            about_persons: true,
            is_for_phones: false,
            handler: post(handler),
        }
    }

    /// The same route, asked by phones with their keys. In its answer stands what the handler itself tells the audit trail.
    #[must_use]
    pub fn for_phones(self) -> Route {
        Route { is_for_phones: true, about_persons: false, ..self }
    }

    /// An interface that other systems ask; it cannot be without its description.
    pub fn api_get<H, T>(
        path: &'static str,
        purpose: Purpose,
        operation: &'static Operation,
        handler: H,
    ) -> Route
    where
        H: Handler<T, App>,
        T: 'static,
    {
        Route { operation: Some(operation), ..Route::get(path, purpose, handler) }
    }

    /// An interface that other systems send something to.
    pub fn api_post<H, T>(
        path: &'static str,
        purpose: Purpose,
        operation: &'static Operation,
        handler: H,
    ) -> Route
    where
        H: Handler<T, App>,
        T: 'static,
    {
        Route { operation: Some(operation), ..Route::post(path, purpose, handler) }
    }
}

/// The longest body that an interface takes: a bill of ten thousand lines, or the day of a large hospital.
pub const API_LIMIT_BYTES: usize = 4 * 1_024 * 1_024;

/// The router of `routes`: each behind its purpose.
pub fn routed(app: &App, routes: Vec<Route>) -> Router<App> {
    routes.into_iter().fold(Router::new(), |router, route| {
        let path = route.path;
        let (handler, asked) = (route.handler.clone(), (app.clone(), Arc::new(route)));
        let handler = match asked.1.operation {
            None if asked.1.is_for_phones => handler
                .layer(DefaultBodyLimit::max(API_LIMIT_BYTES))
                .layer(from_fn_with_state(asked, admit_phone)),
            None => handler.layer(from_fn_with_state(asked, admit)),
            Some(_) => handler
                .layer(DefaultBodyLimit::max(API_LIMIT_BYTES))
                .layer(from_fn_with_state(asked, admit_client)),
        };
        router.route(path, handler)
    })
}

/// What a request asks: the program, and the route that it came to.
type Asked = (App, Arc<Route>);

/// Lets a request of a client through whose key works and whose role has the purpose. No cookie counts here, so no form
/// of a strange page can use a session.
async fn admit_client(State((app, route)): State<Asked>, mut request: Request, next: Next) -> Response {
    let request_id = request.extensions().get::<RequestId>().cloned();
    let request_id = request_id.unwrap_or_else(|| RequestId::from(app.mint())).to_string();
    let language = Preferences::of_interface(request.headers()).language;
    let (key, from) = (bearer(request.headers()), sender_of(&request).counted_as());
    let telling = Telling::begin(&app, &route, &request);
    let answer = match let_in(&telling, &route, key, from).await {
        Ok(mut granted) => {
            granted.request_id.clone_from(&request_id);
            granted.behalf = Some(telling.behalf());
            let actor = granted.actor.clone();
            request.extensions_mut().insert(granted);
            let answer = next.run(request).await;
            telling
                .finish(&actor, answer)
                .await
                .unwrap_or_else(|error| ApiFailure::from(error).into_response())
        }
        Err(failure) => failure.into_response(),
    };
    let said = say_in_json(answer, &app.words, language, &request_id);
    // Whoever shows no key that works is a stranger.
    if said.status() == StatusCode::UNAUTHORIZED { said } else { counted_elsewhere(said) }
}

/// Lets a request of a phone through whose key is known. Whether its account may do anything is in the reach: a phone that may not
/// must still be told so, and hand in what it holds.
async fn admit_phone(State((app, route)): State<Asked>, mut request: Request, next: Next) -> Response {
    let request_id = request.extensions().get::<RequestId>().cloned();
    let request_id = request_id.unwrap_or_else(|| RequestId::from(app.mint())).to_string();
    let language = Preferences::of_interface(request.headers()).language;
    let (key, from) = (bearer(request.headers()), sender_of(&request).counted_as());
    let telling = Telling::begin(&app, &route, &request);
    let answer = match let_phone_in(&telling, &route, key, from).await {
        Ok(granted) => {
            let actor = granted.holder.actor.clone();
            request.extensions_mut().insert(LetPhone { behalf: Some(telling.behalf()), ..granted });
            let answer = next.run(request).await;
            telling
                .finish(&actor, answer)
                .await
                .unwrap_or_else(|error| ApiFailure::from(error).into_response())
        }
        Err(failure) => failure.into_response(),
    };
    let said = say_in_json(answer, &app.words, language, &request_id);
    if said.status() == StatusCode::UNAUTHORIZED { said } else { counted_elsewhere(said) }
}

async fn let_phone_in(
    telling: &Telling,
    route: &Route,
    key: Option<String>,
    from: IpAddr,
) -> Result<LetPhone, ApiFailure> {
    let app = &telling.app;
    let Some(holder) = find_phone(app, key).await? else {
        if let Some(seconds) = app.gate().wrong_keys().note(from, app.clock.now()) {
            return Err(too_many("web.api.too_many", seconds));
        }
        let problem = Problem::new(Refusal::new("web.api.unauthorized"));
        return Err(ApiFailure::new(StatusCode::UNAUTHORIZED, problem));
    };
    if let Some(seconds) = app.gate().accounts().note(holder.actor.account.uuid(), app.clock.now()) {
        return Err(too_many("web.api.too_often", seconds));
    }
    let reach = reach(&holder.actor, route.purpose).filter(|_| !holder.is_barred && !holder.is_wiped);
    Ok(LetPhone { holder, reach, behalf: None })
}

async fn find_phone(app: &App, key: Option<String>) -> Result<Option<PhoneHolder>, DatabaseError> {
    let Some(key) = key else { return Ok(None) };
    let now = app.clock.now();
    let found =
        app.database.read(move |tx| Ok((phone_of_key(tx, &key, now)?, newest_publication(tx)?))).await;
    let (found, number) = found.map_err(|error: DatabaseError| error)?;
    if app.law().lacks(number) {
        take_up(app).await;
    }
    if let Some(holder) = found.as_ref().filter(|holder| holder.seen_is_old) {
        let phone = holder.phone;
        app.database.write(move |tx| note_phone_seen(tx, phone, now)).await?;
    }
    Ok(found)
}

fn counted_elsewhere(mut response: Response) -> Response {
    response.extensions_mut().insert(CountedElsewhere);
    response
}

async fn let_in(
    telling: &Telling,
    route: &Route,
    key: Option<String>,
    from: IpAddr,
) -> Result<Let, ApiFailure> {
    let app = &telling.app;
    let Some(holder) = find_client(app, key).await? else {
        if let Some(seconds) = app.gate().wrong_keys().note(from, app.clock.now()) {
            return Err(too_many("web.api.too_many", seconds));
        }
        telling.tell(&Actor::system(), "client_sign_in", None, "refused").await?;
        let problem = Problem::new(Refusal::new("web.api.unauthorized"));
        return Err(ApiFailure::new(StatusCode::UNAUTHORIZED, problem));
    };
    let may = route.operation.is_some_and(|operation| holder.may(operation.id));
    let actor = holder.actor;
    if let Some(seconds) = app.gate().clients().note(actor.account.uuid(), app.clock.now()) {
        return Err(too_many("web.api.too_often", seconds));
    }
    if !may {
        telling.tell(&actor, "client_sign_in", None, "refused").await?;
        let refusal = Refusal::new("web.api.out_of_scope");
        let problem = Problem::new(refusal).mending("web.api.mend.out_of_scope");
        return Err(ApiFailure::new(StatusCode::FORBIDDEN, problem));
    }
    let reach = reach(&actor, route.purpose).ok_or_else(ApiFailure::not_found)?;
    Ok(Let { actor, reach, request_id: String::new(), behalf: None })
}

/// The key that a request brings.
fn bearer(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim().to_owned())
}

/// The other end of the connection: a proxy, if there is one. Without an address (a test, a socket of the machine
/// itself) all count as one.
pub fn peer_of(request: &Request) -> IpAddr {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    peer.map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.0.ip())
}

pub(crate) fn sender_of(request: &Request) -> Sender {
    request.extensions().get::<Sender>().copied().unwrap_or_else(|| Sender(peer_of(request)))
}

fn too_many(key: &'static str, seconds: i64) -> ApiFailure {
    ApiFailure::new(StatusCode::TOO_MANY_REQUESTS, Problem::new(Refusal::new(key))).after(seconds)
}

async fn find_client(app: &App, key: Option<String>) -> Result<Option<KeyHolder>, DatabaseError> {
    let Some(key) = key else { return Ok(None) };
    let (now, asked) = (app.clock.now(), key.clone());
    let found =
        app.database.read(move |tx| Ok((client_of_key(tx, &asked, now)?, newest_publication(tx)?))).await;
    let (found, number) = found.map_err(|error: DatabaseError| error)?;
    if app.law().lacks(number) {
        take_up(app).await;
    }
    let Some(holder) = found else { return Ok(None) };
    if holder.seen_is_old {
        app.database.write(move |tx| note_key_seen(tx, &key, now)).await?;
    }
    Ok(Some(holder))
}

/// Lets a request through whose session is open and whose actor has the purpose; sends others to sign in, or on with
/// their sign-in, or says that there is no such page.
async fn admit(State((app, route)): State<Asked>, mut request: Request, next: Next) -> Response {
    let name = cookies::session_name(app.settings.secure);
    let token = cookies::read(request.headers(), name).map(str::to_owned);
    let (found, token) = match find_session(&app, token).await {
        Ok(Some(found)) => found,
        Ok(None) => return go_to(&format!("/sign-in{}", wanted(&request))),
        Err(error) => return Failure::from(error).into_response(),
    };
    let (signed_in, stage) = (found.signed_in, found.stage);
    if let Some(left) = app.gate().accounts().note(signed_in.actor.account.uuid(), app.clock.now()) {
        return counted_elsewhere(Failure::TooMany(left).into_response());
    }
    if !route.stages.contains(&stage) {
        let page =
            if stage == Stage::Open { "/".to_owned() } else { page_of(stage).to_owned() + &wanted(&request) };
        return counted_elsewhere(go_to(&page));
    }
    let telling = Telling::begin(&app, &route, &request);
    let actor = signed_in.actor.clone();
    let answer = match reach(&actor, route.purpose) {
        Some(reach) => {
            request.extensions_mut().insert(ExpectedToken(signed_in.csrf.clone()));
            let behalf = telling.behalf();
            request.extensions_mut().insert(Admitted { signed_in, stage, reach, token, behalf });
            next.run(request).await
        }
        None => Failure::NotFound.into_response(),
    };
    let told = telling.finish(&actor, answer).await;
    counted_elsewhere(told.unwrap_or_else(|error| Failure::from(error).into_response()))
}

/// Where to go on after sign-in: `?next=…`, as far as it is a page that is looked at.
fn wanted(request: &Request) -> String {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    if request.method() == Method::GET && path != "/" {
        format!("?next={}", percent_encoded(path))
    } else {
        String::new()
    }
}

async fn find_session(
    app: &App,
    token: Option<String>,
) -> Result<Option<(FoundSession, String)>, DatabaseError> {
    let Some(token) = token else { return Ok(None) };
    let (now, rules) = (app.clock.now(), app.gate().rules.sign_in);
    let asked = token.clone();
    // With the session the newest publication: what another process published holds from the next request on.
    let found =
        app.database.read(move |tx| Ok((session(tx, &rules, &asked, now)?, newest_publication(tx)?))).await;
    let (found, number) = found.map_err(|error: DatabaseError| error)?;
    if app.law().lacks(number) {
        take_up(app).await;
    }
    let Some(found) = found else { return Ok(None) };
    if found.seen_is_old {
        let seen = token.clone();
        app.database.write(move |tx| note_seen(tx, &seen, now)).await?;
    }
    Ok(Some((found, token)))
}

/// Takes up what was published. If that cannot be, the law held so far stays in force and the log says why.
async fn take_up(app: &App) {
    let by = app.clone();
    match tokio::task::spawn_blocking(move || by.take_up_law()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(%error, "the published law is not taken up"),
        Err(error) => tracing::error!(%error, "the published law is not taken up"),
    }
}

/// Everything but unreserved characters and `/` as `%XX`: for a path that is carried in an address.
pub fn percent_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
