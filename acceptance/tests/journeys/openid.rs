//! Signing in by a real identity provider that runs here: npm `oidc-provider`. Without node and npm (or without the
//! package and a way to fetch it) these journeys are left out, loudly; with `KANGMAI_TEST_ALL` set they must run.

#![expect(clippy::expect_used, clippy::panic, clippy::print_stderr, reason = "a test says what it needs")]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use kangmai_acceptance::county::County;
use kangmai_access::Role;
use kangmai_base::{Clock as _, Moment, SystemClock, SystemIds};
use kangmai_openid::{OpenIdError, Provider, ProviderSettings};
use kangmai_programme::GateRules;
use kangmai_server::application::{OpenIdDesk, router_with};
use tower::ServiceExt as _;

const SECRET: &str = "a secret that stands in no table";
const REDIRECT: &str = "http://localhost/sign-in/openid/back";

/// A provider that runs until dropped.
struct Running {
    child: Child,
    issuer: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where the package is, or is fetched to once.
fn package() -> Option<PathBuf> {
    let folder = std::env::temp_dir().join("kangmai-test-oidc-provider");
    if folder.join("node_modules/oidc-provider").is_dir() {
        return Some(folder);
    }
    std::fs::create_dir_all(&folder).ok()?;
    std::fs::write(folder.join("package.json"), "{\"private\":true}").ok()?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-audit", "--no-fund", "oidc-provider@9"]);
    let fetched = npm.current_dir(&folder).stdout(Stdio::null()).stderr(Stdio::null()).status().ok()?;
    fetched.success().then_some(folder)
}

fn provider() -> Option<Running> {
    let Some(folder) = package() else {
        eprintln!("LEFT OUT: signing in by a real provider; node and npm with oidc-provider@9 are needed");
        return None;
    };
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/journeys/openid/provider.mjs");
    let mut child = Command::new("node")
        .arg(script)
        .args([folder.to_str().expect("a path"), &port.to_string(), SECRET, REDIRECT])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("node");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines().map_while(Result::ok);
    let ready = lines.any(|line| line == "ready");
    // What it says further has to be read: a pipe that nobody reads would end it.
    std::thread::spawn(move || lines.count());
    let running = Running { child, issuer: format!("http://127.0.0.1:{port}") };
    assert!(ready, "the provider does not start");
    Some(running)
}

fn settings(issuer: &str, secret: &str) -> ProviderSettings {
    ProviderSettings {
        issuer: issuer.to_owned(),
        client_id: "kangmai".into(),
        client_secret: secret.to_owned(),
        redirect: REDIRECT.into(),
        scope: "profile".into(),
        certificates: None,
    }
}

fn desk(issuer: &str, claim: Option<&str>, asks_second_factor: bool) -> Arc<OpenIdDesk> {
    let provider = Provider::new(settings(issuer, SECRET)).expect("a provider");
    Arc::new(OpenIdDesk::new(provider, claim.map(str::to_owned), asks_second_factor))
}

/// A browser that knows the program and the provider.
struct Browser {
    app: Router,
    runtime: tokio::runtime::Runtime,
    own: BTreeMap<String, String>,
    agent: ureq::Agent,
    theirs: BTreeMap<String, String>,
}

impl Browser {
    fn new(app: Router) -> Browser {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let agent = ureq::Agent::config_builder().max_redirects(0).http_status_as_error(false).build();
        Browser {
            app,
            runtime: runtime.expect("a runtime"),
            own: BTreeMap::new(),
            agent: agent.into(),
            theirs: BTreeMap::new(),
        }
    }

    /// Opens a path of the program: status, where it leads, what it shows.
    fn open(&mut self, path: &str) -> (StatusCode, String, String) {
        let cookies: Vec<String> = self.own.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request =
            Request::get(path).header(header::HOST, "localhost").header(header::ACCEPT, "text/html");
        let request =
            request.header(header::COOKIE, cookies.join("; ")).body(Body::empty()).expect("a request");
        let app = self.app.clone();
        let (head, body) = self.runtime.block_on(async {
            let (head, body) = app.oneshot(request).await.expect("an answer").into_parts();
            (head, axum::body::to_bytes(body, 1 << 22).await.expect("a body"))
        });
        for cookie in head.headers.get_all(header::SET_COOKIE) {
            keep(&mut self.own, cookie.to_str().expect("a text"));
        }
        let location =
            head.headers.get(header::LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        (head.status, location.to_owned(), String::from_utf8_lossy(&body).into_owned())
    }

    /// Goes to the provider and through all it asks, until it leads back; gives path and query of the way back.
    fn through(&mut self, address: &str) -> String {
        let mut address = address.to_owned();
        let issuer: String = address.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
        for _ in 0..12 {
            if let Some(back) = address.strip_prefix("http://localhost") {
                return back.to_owned();
            }
            let cookies: Vec<String> =
                self.theirs.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let answer = self.agent.get(&address).header("cookie", cookies.join("; ")).call();
            let mut answer = answer.expect("the provider answers");
            for cookie in answer.headers().get_all("set-cookie") {
                keep(&mut self.theirs, cookie.to_str().expect("a text"));
            }
            let location =
                answer.headers().get("location").and_then(|value| value.to_str().ok()).map(str::to_owned);
            let Some(location) = location else {
                let body = answer.body_mut().read_to_string().unwrap_or_default();
                panic!("{address} leads nowhere: {} {body}", answer.status());
            };
            address = if location.starts_with('/') { format!("{issuer}{location}") } else { location };
        }
        panic!("the provider leads in a circle");
    }
}

fn keep(cookies: &mut BTreeMap<String, String>, cookie: &str) {
    let pair = cookie.split(';').next().unwrap_or_default();
    let (name, value) = pair.split_once('=').unwrap_or_default();
    if value.is_empty() {
        cookies.remove(name);
    } else {
        cookies.insert(name.to_owned(), value.to_owned());
    }
}

/// The county's clock stands still and the provider's does not: what it signs is of the present.
fn to_the_present(county: &County) {
    let left = SystemClock.now().0 - county.clock.now().0;
    county.clock.advance(left.div_euclid(Moment::SECOND));
}

#[test]
fn a_bound_identity_opens_its_account_and_no_other() {
    let Some(running) = provider() else { return };
    County::on_both(|county| {
        to_the_present(county);
        county.put_behind(GateRules { issuer: Some(running.issuer.clone()), ..GateRules::lenient() });
        let app = router_with(&county.app, Some(desk(&running.issuer, None, false)));
        let mut browser = Browser::new(app.clone());
        assert!(browser.open("/sign-in").2.contains("/sign-in/openid"), "the way there is offered");
        let (status, there, _) = browser.open("/sign-in/openid?next=/devices");
        assert_eq!(status, StatusCode::SEE_OTHER);
        assert!(
            there.starts_with(&running.issuer) && there.contains("code_challenge_method=S256"),
            "{there}"
        );
        let back = browser.through(&there);
        let (status, _, page) = browser.open(&back);
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            page.contains("subject-0042"),
            "nobody is made by itself; the identity is said to its owner: {page}"
        );

        // An administrator binds it; another account cannot have it as well.
        let mut admin = county.visitor_of(app.clone());
        admin.finds("/sign-in").sign_in("administrator", kangmai_acceptance::county::PASSWORD);
        admin.finds("/accounts").follow("更改 示例 health_bureau").fill("统一身份标识", "subject-0042");
        admin.press("绑定").sees("账号已更改").sees("subject-0042");
        admin.finds("/accounts").follow("更改 示例 cadre").fill("统一身份标识", "subject-0042");
        admin.press("绑定").sees("已绑定");

        let (_, there, _) = browser.open("/sign-in/openid?next=/devices");
        let back = browser.through(&there);
        let (status, to, _) = browser.open(&back);
        assert_eq!((status, to.as_str()), (StatusCode::SEE_OTHER, "/devices"));
        assert!(browser.open("/").2.contains("示例 health_bureau"));
        // The same way back once more: the browser carries nothing any more, and the code was used.
        let (status, ..) = browser.open(&back);
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        // Another browser with the way back of this one: its sign-in is another.
        let mut thief = Browser::new(app.clone());
        let (_, there, _) = browser.open("/sign-in/openid");
        let stolen = browser.through(&there);
        let (status, ..) = thief.open(&stolen);
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "without a sign-in on its way");
        thief.open("/sign-in/openid");
        assert_eq!(thief.open(&stolen).0, StatusCode::UNPROCESSABLE_ENTITY, "with another one");

        // Unbound, it opens nothing, and what it had opened is over.
        admin.finds("/accounts").follow("更改 示例 health_bureau").press("解除绑定").sees("账号已更改");
        assert!(browser.open("/").1.starts_with("/sign-in"));
    });
}

#[test]
fn a_claim_may_give_the_name_and_the_second_factor_stays_ours_unless_said_otherwise() {
    let Some(running) = provider() else { return };
    let mut county = County::on_sqlite();
    to_the_present(&county);
    county.put_behind(GateRules { sign_in: kangmai_access::SignInRules::STRICT, ..GateRules::lenient() });
    for (asks, stage) in [(false, "/second-factor/enrolment"), (true, "")] {
        let app = router_with(&county.app, Some(desk(&running.issuer, Some("preferred_username"), asks)));
        let mut browser = Browser::new(app);
        let (_, there, _) = browser.open("/sign-in/openid");
        let back = browser.through(&there);
        assert_eq!(browser.open(&back).1, "/");
        let (status, to, page) = browser.open("/");
        if asks {
            assert!(status == StatusCode::OK && page.contains("示例 health_bureau"), "{status} {to}");
        } else {
            assert_eq!((status, to.as_str()), (StatusCode::SEE_OTHER, stage));
        }
    }
    assert!(county.sign_in_as(Role::VillageDoctor.key()).path().starts_with('/'));
}

#[test]
fn a_provider_that_is_not_there_or_knows_another_secret_signs_nobody_in() {
    let county = County::on_sqlite();
    let nowhere =
        std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let app = router_with(&county.app, Some(desk(&format!("http://{nowhere}"), None, false)));
    let (status, _, page) = Browser::new(app).open("/sign-in/openid");
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("统一身份服务没有回应"), "{page}");
    assert_eq!(Browser::new(router_with(&county.app, None)).open("/sign-in/openid").0, StatusCode::NOT_FOUND);

    let Some(running) = provider() else { return };
    let wrong = Provider::new(settings(&running.issuer, "another secret")).expect("a provider");
    let mut browser = Browser::new(Router::new());
    let (ids, now) = (SystemIds, SystemClock.now());
    let begun = wrong.begin(&ids, now).expect("begun");
    let back = browser.through(&begun.address);
    let value = |name: &str| {
        let query = back.split_once('?').expect("a query").1;
        let found = query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
        found.expect("a value").to_owned()
    };
    let (code, state) = (value("code"), value("state"));
    let refused = wrong.finish(&begun.attempt, &state, &code, now);
    assert!(matches!(refused, Err(OpenIdError::Refused(_))), "{refused:?}");
    // Right secret, but another sign-in's verifier: PKCE holds.
    let right = Provider::new(settings(&running.issuer, SECRET)).expect("a provider");
    let begun = right.begin(&ids, now).expect("begun");
    let back = browser.through(&begun.address);
    let value = |name: &str| {
        let query = back.split_once('?').expect("a query").1;
        let found = query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
        found.expect("a value").to_owned()
    };
    let (code, state) = (value("code"), value("state"));
    let other = right.begin(&ids, now).expect("begun").attempt;
    let mixed = kangmai_openid::Attempt { state: begun.attempt.state.clone(), ..other };
    assert!(matches!(right.finish(&mixed, &state, &code, now), Err(OpenIdError::Refused(_))));
    let elsewhere = Provider::new(settings("http://id.county.example", SECRET));
    assert!(elsewhere.is_err(), "a provider in the clear elsewhere is not taken");
}
