//! Signing in over HTTP, on both databases: one-time passwords, devices, the first accounts, limits, cookies and
//! headers as an attacker meets them.

#![expect(clippy::expect_used, clippy::panic, reason = "a test says what it needs")]

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use kangmai_acceptance::county::{COUNTY, County, PASSWORD, VILLAGE};
use kangmai_acceptance::visitor::Visitor;
use kangmai_access::{Role, begin_set_up};
use kangmai_programme::{GateRules, RequestLimits};
use kangmai_server::application::router;
use tower::ServiceExt as _;

const OWN: &str = "the well behind the school";

/// The one-time password that a page shows: four groups of four.
fn one_time_on(page: &Visitor) -> String {
    let shown = page.shown();
    let is_group = |group: &str| group.len() == 4 && group.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let words = shown.split(|sign: char| !sign.is_ascii_alphanumeric() && sign != '-');
    let found = words.into_iter().find(|word| word.len() == 19 && word.split('-').all(is_group));
    found.unwrap_or_else(|| panic!("no one-time password in:\n{shown}")).to_owned()
}

#[test]
fn a_new_account_chooses_its_own_password_before_anything_else() {
    County::on_both(|county| {
        let mut admin = county.sign_in(Role::Administrator);
        admin.finds("/accounts").fill("登录名", "xincunyi").fill("姓名", "示例新村医");
        admin.fill("岗位", "村医").fill("地区", VILLAGE).press("新建").sees("只在这里显示这一次");
        let first = one_time_on(&admin);
        let page = admin.path().to_owned();
        admin.finds(&page).does_not_see(&first);

        let mut newcomer = county.visitor();
        newcomer.finds("/people?name=x").sign_in("xincunyi", &first);
        assert_eq!(newcomer.path(), "/password?next=/people%3Fname%3Dx");
        newcomer.sees("一次性密码").does_not_see("居民查找");
        for elsewhere in ["/", "/people", "/devices", "/import", "/second-factor/enrolment"] {
            newcomer.open(elsewhere);
            assert!(newcomer.path().starts_with("/password"), "{elsewhere} leads to {}", newcomer.path());
        }
        let token = |visitor: &Visitor| {
            visitor.cookies().find(|(name, _)| *name == "kangmai_session").unwrap().1.to_owned()
        };
        let before = token(&newcomer);
        let choose = |visitor: &mut Visitor, present: &str, new: &str, again: &str| {
            visitor.fill("现在的密码", present).fill("自己的密码", new).fill("再输一次", again);
            visitor.press("修改密码");
        };
        choose(&mut newcomer, &first, OWN, "something else here");
        newcomer.sees("两次输入的不一样");
        choose(&mut newcomer, &first, "woaini1314520", "woaini1314520");
        newcomer.sees("太常见");
        choose(&mut newcomer, "not the one at all", OWN, OWN);
        newcomer.sees("现在的密码不对");
        choose(&mut newcomer, &first, OWN, OWN);
        newcomer.finds("/").sees("我的登录").sees("居民查找");
        assert_ne!(token(&newcomer), before, "a change of privilege changes the token");

        // The administrator's help: another one-time password; what was open is over.
        admin.finds("/accounts").follow("更改 示例新村医").press("重设密码");
        let second = one_time_on(&admin);
        newcomer.open("/people");
        assert!(newcomer.path().starts_with("/sign-in"));
        newcomer.finds("/sign-in").sign_in("xincunyi", &second);
        assert!(newcomer.path().starts_with("/password"));
    });
}

#[test]
fn devices_are_seen_and_ended_by_their_owner() {
    County::on_both(|county| {
        let mut desk = county.sign_in(Role::CountyDesk);
        county.clock.advance(1);
        let mut elsewhere = county.sign_in(Role::CountyDesk);
        county.clock.advance(1);
        let mut third = county.sign_in(Role::CountyDesk);
        third.finds("/").sees("上次登录").follow("登录的设备").sees("本机");
        assert_eq!(third.table("登录的设备").len(), 3);
        third.press("结束").sees("已结束");
        assert_eq!(third.table("登录的设备").len(), 2);
        // The one last seen stands first; of the other two it was the second.
        elsewhere.open("/");
        assert!(elsewhere.path().starts_with("/sign-in"));
        desk.finds("/");
        third.press("结束其他全部设备");
        assert_eq!(third.table("登录的设备").len(), 1);
        desk.open("/");
        assert!(desk.path().starts_with("/sign-in"));
        third.finds("/");
    });
}

#[test]
fn wrong_tries_are_shown_to_the_owner() {
    let county = County::on_sqlite();
    county.sign_in(Role::Cadre);
    county.clock.advance(1);
    let mut stranger = county.visitor();
    for _ in 0..2 {
        stranger.finds("/sign-in").fill("登录名", "cadre").fill("密码", "guessed at random").press("登录");
        stranger.sees("登录名或密码不对");
    }
    let unknown = {
        let mut other = county.visitor();
        other
            .finds("/sign-in")
            .fill("登录名", "nobody-has-it")
            .fill("密码", "guessed at random")
            .press("登录");
        other.shown()
    };
    assert_eq!(stranger.shown(), unknown, "whether a name exists cannot be seen");
    county
        .sign_in(Role::Cadre)
        .finds("/")
        .sees("输错过 2 次")
        .in_english()
        .finds("/")
        .sees("2 wrong passwords");
}

/// An application without accounts, as at its first start.
fn bare(county: &County) -> (kangmai_programme::App, String) {
    let app = county.app.clone();
    let by = app.clone();
    let write = move |tx: &mut kangmai_database::Transaction<'_>| {
        tx.execute("delete from session", &[])?;
        tx.execute("delete from account", &[])?;
        begin_set_up(tx, &*by.ids, by.clock.now())
    };
    let code = app.database.write_blocking(write).expect("the database").expect("a code");
    (app, code)
}

#[test]
fn the_first_accounts_are_made_by_the_code_of_the_console() {
    County::on_both(|county| {
        county.visitor().does_not_find("/set-up");
        let (_, code) = bare(county);
        let mut first = county.visitor();
        first.finds("/sign-in");
        assert_eq!(first.path(), "/set-up", "without accounts there is nothing to sign in to");
        let fill = |visitor: &mut Visitor, code: &str| {
            visitor.fill("初始设置码", code).fill("地区", COUNTY);
            visitor.fill("自己的密码", OWN).fill("再输一次", OWN);
        };
        let body = |code: &str, second: &str| {
            let own = "the+well+behind+the+school";
            format!(
                "code={code}&place={COUNTY}&sign_in_name=first.admin&display_name=A&password={own}&again={own}\
                 &sign_in_name_1={second}&display_name_1=B&sign_in_name_2=third.one&display_name_2=C"
            )
        };
        let form = Some("application/x-www-form-urlencoded");
        fill(&mut first, "wrong-wrong-wrong-wrong");
        first.send("POST", "/set-up", form, body("wrong", "second.one").into_bytes());
        first.sees("初始设置码不对");
        first.send("POST", "/set-up", form, body(&code, "first.admin").into_bytes());
        first.sees("已被使用");
        first.send("POST", "/set-up", form, body(&code, "second.one").into_bytes());
        first.sees("账号已建立").sees("second.one");
        let secret = one_time_on(&first);
        first.does_not_find("/set-up");
        first.finds("/sign-in").sign_in("first.admin", OWN);
        first.finds("/accounts").sees("first.admin").sees("second.one");
        let mut second = county.visitor();
        second.finds("/sign-in").sign_in("second.one", &secret);
        assert!(second.path().starts_with("/password"), "a one-time password is changed first");
        second.finds("/sign-in").open("/accounts");
        assert!(second.path().starts_with("/password"));
        assert_eq!(county.visitor().open("/set-up").status(), StatusCode::NOT_FOUND);
    });
}

#[test]
fn an_installation_has_no_account_until_somebody_makes_one() {
    let county = County::on_sqlite();
    bare(&county);
    for name in ["admin", "administrator", "root", "kangmai", "demo"] {
        for password in [PASSWORD, "kangmai-demo", "admin", "administrator"] {
            let mut visitor = county.visitor();
            let body = format!("name={name}&password={password}").into_bytes();
            visitor.send("POST", "/sign-in", Some("application/x-www-form-urlencoded"), body);
            visitor.sees("登录名或密码不对");
        }
    }
}

/// Sends a request as no browser of ours would.
fn ask(app: &Router, request: Request<Body>) -> (StatusCode, HeaderMap, String) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (head, body) = app.clone().oneshot(request).await.expect("an answer").into_parts();
        let body = to_bytes(body, 1 << 22).await.expect("a body");
        (head.status, head.headers, String::from_utf8_lossy(&body).into_owned())
    })
}

fn from(peer: &str, path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request =
        Request::get(path).header(header::ACCEPT, "text/html").header(header::HOST, "localhost");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut request = request.body(Body::empty()).expect("a request");
    let peer: std::net::SocketAddr = format!("{peer}:4000").parse().expect("an address");
    request.extensions_mut().insert(axum::extract::ConnectInfo(peer));
    request
}

#[test]
fn an_address_that_asks_too_often_waits_and_a_session_behind_it_does_not() {
    let county = County::on_sqlite();
    let rules = GateRules {
        limits: RequestLimits { of_stranger: 5, of_account: 8, ..RequestLimits::NONE },
        proxies: "127.0.0.1".parse().expect("a proxy"),
        ..GateRules::lenient()
    };
    let mut desk = county.sign_in(Role::CountyDesk);
    desk.finds("/devices");
    let cookie: String = desk.cookies().map(|(name, value)| format!("{name}={value}; ")).collect();
    let app = router(&county.app.clone().behind(rules));
    for _ in 0..5 {
        assert_eq!(ask(&app, from("192.0.2.1", "/sign-in", &[])).0, StatusCode::OK);
    }
    let (status, headers, body) = ask(&app, from("192.0.2.1", "/health", &[]));
    assert_eq!(
        (status, headers[header::RETRY_AFTER].to_str().unwrap()),
        (StatusCode::TOO_MANY_REQUESTS, "60")
    );
    assert!(body.contains("请等 60 秒再试"), "{body}");
    let (_, _, body) = ask(&app, from("192.0.2.1", "/sign-in", &[("cookie", "kangmai_language=en")]));
    assert!(body.contains("Wait 60 seconds and try again."), "{body}");
    // Another address is not meant, and nobody makes himself another one.
    assert_eq!(ask(&app, from("192.0.2.2", "/sign-in", &[])).0, StatusCode::OK);
    let lie = [("x-forwarded-for", "203.0.113.9")];
    assert_eq!(ask(&app, from("192.0.2.1", "/sign-in", &lie)).0, StatusCode::TOO_MANY_REQUESTS);
    // The proxy's word counts: behind it two senders are two.
    for _ in 0..5 {
        assert_eq!(ask(&app, from("127.0.0.1", "/sign-in", &lie)).0, StatusCode::OK);
    }
    assert_eq!(ask(&app, from("127.0.0.1", "/sign-in", &lie)).0, StatusCode::TOO_MANY_REQUESTS);
    let other = [("x-forwarded-for", "203.0.113.9, 203.0.113.10")];
    assert_eq!(ask(&app, from("127.0.0.1", "/sign-in", &other)).0, StatusCode::OK);
    // Who is signed in at the address that is full goes on, up to the account's own limit; a made-up cookie does not help.
    let signed_in = [("cookie", cookie.as_str())];
    for _ in 0..8 {
        assert_eq!(ask(&app, from("192.0.2.1", "/devices", &signed_in)).0, StatusCode::OK);
    }
    assert_eq!(ask(&app, from("192.0.2.9", "/devices", &signed_in)).0, StatusCode::TOO_MANY_REQUESTS);
    let made_up = [("cookie", "kangmai_session=0123")];
    assert_eq!(ask(&app, from("192.0.2.1", "/devices", &made_up)).0, StatusCode::TOO_MANY_REQUESTS);
    county.clock.advance(60);
    assert_eq!(ask(&app, from("192.0.2.1", "/sign-in", &[])).0, StatusCode::OK);
    assert_eq!(ask(&app, from("192.0.2.1", "/devices", &signed_in)).0, StatusCode::OK);
}

fn post(peer: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Request<Body> {
    let mut request = from(peer, path, headers);
    *request.method_mut() = axum::http::Method::POST;
    let kind = "application/x-www-form-urlencoded".parse().expect("a type");
    request.headers_mut().insert(header::CONTENT_TYPE, kind);
    *request.body_mut() = Body::from(body.to_owned());
    request
}

#[test]
fn guessing_from_one_address_ends_whatever_the_names() {
    let county = County::on_sqlite();
    let limits = RequestLimits { of_wrong_sign_ins: 6, ..RequestLimits::NONE };
    let app = router(&county.app.clone().behind(GateRules { limits, ..GateRules::lenient() }));
    for number in 0..6 {
        let body = format!("name=somebody{number}&password=guessed+at+random");
        let (status, ..) = ask(&app, post("192.0.2.1", "/sign-in", &[], &body));
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let right = format!("name=cadre&password={PASSWORD}");
    let (status, headers, _) = ask(&app, post("192.0.2.1", "/sign-in", &[], &right));
    assert_eq!(
        (status, headers[header::RETRY_AFTER].to_str().unwrap()),
        (StatusCode::TOO_MANY_REQUESTS, "600")
    );
    assert_eq!(ask(&app, post("192.0.2.2", "/sign-in", &[], &right)).0, StatusCode::SEE_OTHER);
    county.clock.advance(600);
    assert_eq!(ask(&app, post("192.0.2.1", "/sign-in", &[], &right)).0, StatusCode::SEE_OTHER);
}

#[test]
fn no_strange_page_sends_a_form() {
    let county = County::on_sqlite();
    let mut doctor = county.sign_in(Role::VillageDoctor);
    doctor.finds("/devices");
    let cookie: String = doctor.cookies().map(|(name, value)| format!("{name}={value}; ")).collect();
    let csrf = |page: &Visitor| {
        let field = page
            .page()
            .all("input")
            .into_iter()
            .find(|field| page.page().attribute(*field, "name") == Some("csrf"));
        page.page().attribute(field.expect("a token"), "value").expect("a value").to_owned()
    };
    let token = csrf(&doctor);
    let app = router(&county.app);
    let expired = StatusCode::UNPROCESSABLE_ENTITY;
    let form = format!("act=others&csrf={token}");
    for (headers, body, expected) in [
        (&[("sec-fetch-site", "same-origin")][..], form.as_str(), StatusCode::SEE_OTHER),
        (&[("origin", "http://localhost")], &form, StatusCode::SEE_OTHER),
        (&[("sec-fetch-site", "cross-site")], &form, expired),
        (&[("sec-fetch-site", "same-site")], &form, expired),
        (&[("sec-fetch-site", "same-origin")], "act=others", expired),
        (&[("sec-fetch-site", "same-origin")], "act=others&csrf=", expired),
        (&[("sec-fetch-site", "same-origin")], &format!("act=others&csrf={}", "0".repeat(64)), expired),
        (&[("origin", "https://localhost.evil.example")], &form, expired),
        (&[("origin", "http://localhost:8080")], &form, expired),
        (&[("origin", "null")], &form, expired),
        (&[("origin", "https://evil.example"), ("sec-fetch-site", "same-site")], &form, expired),
    ] {
        let mut all = headers.to_vec();
        all.push(("cookie", &cookie));
        let (status, ..) = ask(&app, post("192.0.2.1", "/devices", &all, body));
        assert_eq!(status, expected, "{headers:?} {body}");
    }
    // Signing somebody in from elsewhere is refused too, and so is signing out.
    let body = format!("name=cadre&password={PASSWORD}");
    let (status, headers, _) =
        ask(&app, post("192.0.2.1", "/sign-in", &[("sec-fetch-site", "cross-site")], &body));
    assert_eq!((status, headers.get(header::SET_COOKIE)), (expired, None));
    let (status, ..) = ask(&app, post("192.0.2.1", "/logout", &[("cookie", &cookie)], ""));
    assert_eq!(status, expired);
    doctor.finds("/");
}

#[test]
fn cookies_and_headers_are_strict_where_the_program_is_reached_by_https() {
    let county = County::on_sqlite();
    let settings = kangmai_programme::Settings { secure: true, ..county.app.settings.clone() };
    let parts = kangmai_programme::AppParts {
        database: county.app.database.clone(),
        record: kangmai_server::programmes::record(),
        policies: std::sync::Arc::clone(&county.app.policies),
        words: std::sync::Arc::clone(&county.app.words),
        clock: std::sync::Arc::clone(&county.app.clock),
        ids: std::sync::Arc::clone(&county.app.ids),
        programmes: county.app.programmes,
        settings,
    };
    let app = router(&kangmai_programme::App::new(parts));
    let body = format!("name=cadre&password={PASSWORD}");
    let (status, headers, _) = ask(&app, post("192.0.2.1", "/sign-in", &[], &body));
    assert_eq!(status, StatusCode::SEE_OTHER);
    let cookie = headers[header::SET_COOKIE].to_str().expect("a cookie").to_owned();
    let (pair, attributes) = cookie.split_once("; ").expect("attributes");
    assert!(pair.starts_with("__Host-kangmai_session=") && pair.len() > 64, "{pair}");
    assert_eq!(attributes, "Path=/; SameSite=Lax; HttpOnly; Secure");
    // A cookie of the plain name, which a neighbour could have planted, opens nothing.
    let plain = pair.trim_start_matches("__Host-").to_owned();
    assert_eq!(ask(&app, from("192.0.2.1", "/devices", &[("cookie", &plain)])).0, StatusCode::SEE_OTHER);
    for (path, cookie) in
        [("/", pair), ("/devices", pair), ("/sign-in", ""), ("/nowhere", ""), ("/metrics", "")]
    {
        let (_, headers, _) = ask(&app, from("192.0.2.1", path, &[("cookie", cookie)]));
        let says = |name: &str| {
            headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
        };
        assert_eq!(says("strict-transport-security"), "max-age=31536000", "{path}");
        assert_eq!(says("x-content-type-options"), "nosniff");
        assert_eq!(says("x-frame-options"), "DENY");
        assert_eq!(says("referrer-policy"), "same-origin");
        assert_eq!(says("cross-origin-opener-policy"), "same-origin");
        assert_eq!(says("cross-origin-resource-policy"), "same-origin");
        assert!(says("permissions-policy").contains("camera=()"), "{path}");
        assert_eq!(says("cache-control"), "no-store", "{path}");
        let policy = says("content-security-policy");
        for rule in [
            "default-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(rule), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
    }
}
