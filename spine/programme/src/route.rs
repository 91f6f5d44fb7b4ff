//! Routes: each has a purpose, and access is asked before its handler runs.

use axum::Router;
use axum::extract::{Request, State};
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get, post};
use kangmai_access::{Purpose, SignedIn, note_seen, reach, session};
use kangmai_database::DatabaseError;
use kangmai_web::csrf::ExpectedToken;
use kangmai_web::{Failure, cookies, go_to};

use crate::{Admitted, App};

/// A page or interface: method, path, purpose, handler.
#[derive(Clone)]
pub struct Route {
    /// GET or POST.
    pub method: Method,
    /// With `{names}` as axum has them.
    pub path: &'static str,
    /// What it is for: who has this purpose may come here.
    pub purpose: Purpose,
    handler: MethodRouter<App>,
}

impl Route {
    /// A page that is looked at.
    pub fn get<H, T>(path: &'static str, purpose: Purpose, handler: H) -> Route
    where
        H: Handler<T, App>,
        T: 'static,
    {
        Route { method: Method::GET, path, purpose, handler: get(handler) }
    }

    /// A form that is sent.
    pub fn post<H, T>(path: &'static str, purpose: Purpose, handler: H) -> Route
    where
        H: Handler<T, App>,
        T: 'static,
    {
        Route { method: Method::POST, path, purpose, handler: post(handler) }
    }
}

/// The router of `routes`: each behind its purpose.
pub fn routed(app: &App, routes: Vec<Route>) -> Router<App> {
    routes.into_iter().fold(Router::new(), |router, route| {
        let guard = from_fn_with_state((app.clone(), route.purpose), admit);
        router.route(route.path, route.handler.layer(guard))
    })
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
    let Some((signed_in, seen_is_old)) = app.database.read(move |tx| session(tx, &asked, now)).await? else {
        return Ok(None);
    };
    if seen_is_old {
        let seen = token.clone();
        app.database.write(move |tx| note_seen(tx, &seen, now)).await?;
    }
    Ok(Some((signed_in, token)))
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
