//! What stands before all routes: who is asked for what at sign-in, how often anybody may come, and whose word counts
//! for where a request comes from.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use kangmai_access::{AuditWatch, Origin, SignInRules, Throttle, WrongKeys};
use kangmai_base::Uuid;
use kangmai_database::OnBehalf;
use kangmai_web::{Failure, Sender, TrustedProxies, cookies, device_of};

use crate::App;
use crate::route::peer_of;

/// How often somebody may ask in a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestLimits {
    /// An address, by requests that belong to no session and no key. Those that do are counted by account or client:
    /// behind one proxy a whole county looks like one address.
    pub of_stranger: u32,
    /// An account, over all its sessions.
    pub of_account: u32,
    /// A client of the interface.
    pub of_client: u32,
    /// An address, by wrong names, passwords and codes within [`WRONG_WINDOW_SECONDS`].
    pub of_wrong_sign_ins: u32,
}

impl RequestLimits {
    /// What holds unless somebody sets something else: ten a second of a stranger or an account, which no hand reaches,
    /// and a thousand a second of a hospital's system.
    pub const USUAL: RequestLimits =
        RequestLimits { of_stranger: 600, of_account: 600, of_client: 60_000, of_wrong_sign_ins: 20 };
    /// For tests, whose clock stands still.
    pub const NONE: RequestLimits = RequestLimits {
        of_stranger: u32::MAX,
        of_account: u32::MAX,
        of_client: u32::MAX,
        of_wrong_sign_ins: u32::MAX,
    };
}

/// The time in which requests are counted.
const WINDOW_SECONDS: i64 = 60;
/// The time in which wrong sign-ins of an address are counted.
pub const WRONG_WINDOW_SECONDS: i64 = 600;

/// What can be set of the gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateRules {
    /// Of signing in.
    pub sign_in: SignInRules,
    /// How often anybody may come.
    pub limits: RequestLimits,
    /// Whose word counts for where a request comes from.
    pub proxies: TrustedProxies,
    /// The identity provider by which people may sign in, if there is one.
    pub issuer: Option<String>,
    /// What counts as out of the ordinary in the audit trail.
    pub audit: AuditWatch,
}

impl GateRules {
    /// What a server has unless somebody sets something else.
    pub fn strict() -> GateRules {
        GateRules {
            sign_in: SignInRules::STRICT,
            limits: RequestLimits::USUAL,
            proxies: TrustedProxies::default(),
            issuer: None,
            audit: AuditWatch::USUAL,
        }
    }

    /// For tests of other things and commands that serve no pages.
    pub fn lenient() -> GateRules {
        GateRules {
            sign_in: SignInRules::WITHOUT_SECOND_FACTOR,
            limits: RequestLimits::NONE,
            ..GateRules::strict()
        }
    }
}

/// The gate of a running program, with its counts.
#[derive(Debug)]
pub struct Gate {
    /// What is set.
    pub rules: GateRules,
    strangers: Throttle<IpAddr>,
    accounts: Throttle<Uuid>,
    clients: Throttle<Uuid>,
    wrong_sign_ins: Throttle<IpAddr>,
    wrong_keys: WrongKeys,
}

impl Gate {
    /// With nothing counted yet.
    pub fn new(rules: GateRules) -> Gate {
        let limits = rules.limits;
        Gate {
            strangers: Throttle::new(limits.of_stranger, WINDOW_SECONDS),
            accounts: Throttle::new(limits.of_account, WINDOW_SECONDS),
            clients: Throttle::new(limits.of_client, WINDOW_SECONDS),
            wrong_sign_ins: Throttle::new(limits.of_wrong_sign_ins, WRONG_WINDOW_SECONDS),
            wrong_keys: WrongKeys::default(),
            rules,
        }
    }

    /// Wrong keys that came to the interface.
    pub fn wrong_keys(&self) -> &WrongKeys {
        &self.wrong_keys
    }

    pub(crate) fn accounts(&self) -> &Throttle<Uuid> {
        &self.accounts
    }

    pub(crate) fn clients(&self) -> &Throttle<Uuid> {
        &self.clients
    }
}

/// From where a request comes, for the session that it opens and the tries that it has.
#[derive(Clone)]
pub struct Door {
    app: App,
    sender: Sender,
    device: String,
}

impl Door {
    /// For [`kangmai_access::SignIn::from`].
    pub fn origin(&self) -> Origin {
        Origin { address: self.sender.0.to_string(), device: self.device.clone() }
    }

    /// The program, on behalf of this request: what is written to the audit trail says from where it came. `asked` is the
    /// page, as `POST /sign-in`.
    pub fn app(&self, asked: &str) -> App {
        self.app.on_behalf(&OnBehalf::new(self.sender.0.to_string(), asked.to_owned()))
    }

    /// Lets a try pass unless too many of this address were wrong: before anything is compared.
    ///
    /// # Errors
    /// [`Failure::TooMany`].
    pub fn may_try(&self) -> Result<(), Failure> {
        let (gate, key) = (self.app.gate(), self.sender.counted_as());
        gate.wrong_sign_ins
            .is_full(key, self.app.clock.now())
            .map_or(Ok(()), |left| Err(Failure::TooMany(left)))
    }

    /// Counts a wrong name, password or code.
    pub fn note_wrong(&self) {
        let _ = self.app.gate().wrong_sign_ins.note(self.sender.counted_as(), self.app.clock.now());
    }
}

impl axum::extract::FromRequestParts<App> for Door {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        app: &App,
    ) -> Result<Door, std::convert::Infallible> {
        let sender = parts.extensions.get::<Sender>().copied();
        Ok(Door {
            app: app.clone(),
            sender: sender.unwrap_or(Sender(IpAddr::from([0, 0, 0, 0]))),
            device: device_of(&parts.headers),
        })
    }
}

/// In an answer: it belongs to a session or a key, and was counted there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CountedElsewhere;

/// Counts the requests of strangers, and says to all others where a request comes from. A layer around all routes.
///
/// A request that shows a cookie or a key is looked at even while its address asks too often, since the one who floods may
/// stand behind the same proxy; if it proves to be a stranger's, it is answered like one.
pub async fn count_strangers(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let sender = app.gate().rules.proxies.sender(peer_of(&request), request.headers());
    request.extensions_mut().insert(sender);
    let (gate, now) = (app.gate(), app.clock.now());
    let headers = request.headers();
    let shows_something = cookies::read(headers, cookies::session_name(app.settings.secure)).is_some()
        || headers.contains_key(axum::http::header::AUTHORIZATION);
    if let Some(left) = gate.strangers.is_full(sender.counted_as(), now).filter(|_| !shows_something) {
        return Failure::TooMany(left).into_response();
    }
    let response = next.run(request).await;
    if response.extensions().get::<CountedElsewhere>().is_some() {
        return response;
    }
    match gate.strangers.note(sender.counted_as(), now) {
        Some(left) => Failure::TooMany(left).into_response(),
        None => response,
    }
}
