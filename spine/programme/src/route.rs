//! Routes: each has a purpose, and access is asked before its handler runs. A page asks a session, an interface a key.

use std::net::{IpAddr, SocketAddr};

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Request, State};
use axum::handler::Handler;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get, post};
use kangmai_access::{Actor, Purpose, SignedIn, client_of_key, note_key_seen, note_seen, reach, session};
use kangmai_base::Refusal;
use kangmai_database::DatabaseError;
use kangmai_web::csrf::ExpectedToken;
use kangmai_web::{ApiFailure, Failure, Preferences, Problem, cookies, go_to, say_in_json};

use crate::call::Let;
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
    handler: MethodRouter<App>,
}

impl Route {
    /// A page that is looked at.
    pub fn get<H, T>(path: &'static str, purpose: Purpose, handler: H) -> Route
    where
        H: Handler<T, App>,
        T: 'static,
    {
        Route { method: Method::GET, path, purpose, operation: None, handler: get(handler) }
    }

    /// A form that is sent.
    pub fn post<H, T>(path: &'static str, purpose: Purpose, handler: H) -> Route
    where
        H: Handler<T, App>,
        T: 'static,
    {
        Route { method: Method::POST, path, purpose, operation: None, handler: post(handler) }
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
        let asked = (app.clone(), route.purpose);
        let handler = match route.operation {
            None => route.handler.layer(from_fn_with_state(asked, admit)),
            Some(_) => route
                .handler
                .layer(DefaultBodyLimit::max(API_LIMIT_BYTES))
                .layer(from_fn_with_state(asked, admit_client)),
        };
        router.route(route.path, handler)
    })
}

/// Lets a request of a client through whose key works and whose role has the purpose. No cookie counts here, so no form
/// of a strange page can use a session.
async fn admit_client(
    State((app, purpose)): State<(App, Purpose)>,
    mut request: Request,
    next: Next,
) -> Response {
    let request_id = app.mint().to_string();
    let language = Preferences::of_interface(request.headers()).language;
    let (key, from) = (bearer(request.headers()), peer_of(&request));
    let answer = match let_in(&app, purpose, key, from).await {
        Ok(mut granted) => {
            granted.request_id.clone_from(&request_id);
            request.extensions_mut().insert(granted);
            next.run(request).await
        }
        Err(failure) => failure.into_response(),
    };
    say_in_json(answer, &app.words, language, &request_id)
}

async fn let_in(app: &App, purpose: Purpose, key: Option<String>, from: IpAddr) -> Result<Let, ApiFailure> {
    let Some(actor) = find_client(app, key).await? else {
        return Err(wrong_key(app, from));
    };
    let reach = reach(&actor, purpose).ok_or_else(ApiFailure::not_found)?;
    Ok(Let { actor, reach, request_id: String::new() })
}

/// The key that a request brings.
fn bearer(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim().to_owned())
}

/// Where a request comes from. Without an address (a test, a socket of the machine itself) all count as one.
fn peer_of(request: &Request) -> IpAddr {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    peer.map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.0.ip())
}

fn wrong_key(app: &App, from: IpAddr) -> ApiFailure {
    match app.wrong_keys().note(from, app.clock.now()) {
        Some(seconds) => {
            let problem = Problem::new(Refusal::new("web.api.too_many"));
            ApiFailure::new(StatusCode::TOO_MANY_REQUESTS, problem).after(seconds)
        }
        None => {
            let problem = Problem::new(Refusal::new("web.api.unauthorized"));
            ApiFailure::new(StatusCode::UNAUTHORIZED, problem)
        }
    }
}

async fn find_client(app: &App, key: Option<String>) -> Result<Option<Actor>, DatabaseError> {
    let Some(key) = key else { return Ok(None) };
    let (now, asked) = (app.clock.now(), key.clone());
    let found =
        app.database.read(move |tx| Ok((client_of_key(tx, &asked, now)?, newest_publication(tx)?))).await;
    let (found, number) = found.map_err(|error: DatabaseError| error)?;
    if app.law().lacks(number) {
        take_up(app).await;
    }
    let Some((actor, seen_is_old)) = found else { return Ok(None) };
    if seen_is_old {
        app.database.write(move |tx| note_key_seen(tx, &key, now)).await?;
    }
    Ok(Some(actor))
}

/// Lets a request through whose session is open and whose actor has the purpose; sends others to sign in, or says that
/// there is no such page.
async fn admit(State((app, purpose)): State<(App, Purpose)>, mut request: Request, next: Next) -> Response {
    let token = cookies::read(request.headers(), cookies::SESSION).map(str::to_owned);
    match find_session(&app, token).await {
        Ok(Some((signed_in, token))) => {
            let Some(reach) = reach(&signed_in.actor, purpose) else {
                return Failure::NotFound.into_response();
            };
            request.extensions_mut().insert(ExpectedToken(signed_in.csrf.clone()));
            request.extensions_mut().insert(Admitted { signed_in, reach, token });
            next.run(request).await
        }
        Ok(None) => {
            let wanted = request.uri().path_and_query().map_or("/", |path| path.as_str());
            let query: String = if request.method() == Method::GET && wanted != "/" {
                format!("?next={}", percent_encoded(wanted))
            } else {
                String::new()
            };
            go_to(&format!("/sign-in{query}"))
        }
        Err(error) => Failure::from(error).into_response(),
    }
}

async fn find_session(app: &App, token: Option<String>) -> Result<Option<(SignedIn, String)>, DatabaseError> {
    let Some(token) = token else { return Ok(None) };
    let now = app.clock.now();
    let asked = token.clone();
    // With the session the newest publication: what another process published holds from the next request on.
    let found = app.database.read(move |tx| Ok((session(tx, &asked, now)?, newest_publication(tx)?))).await;
    let (found, number) = found.map_err(|error: DatabaseError| error)?;
    if app.law().lacks(number) {
        take_up(app).await;
    }
    let Some((signed_in, seen_is_old)) = found else { return Ok(None) };
    if seen_is_old {
        let seen = token.clone();
        app.database.write(move |tx| note_seen(tx, &seen, now)).await?;
    }
    Ok(Some((signed_in, token)))
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

/// Everything but unreserved characters and `/` as `%XX`.
fn percent_encoded(text: &str) -> String {
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
