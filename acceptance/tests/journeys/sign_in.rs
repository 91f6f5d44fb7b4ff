//! Signing in over HTTP, on both databases: one-time passwords, devices, the first accounts, limits, cookies and
//! headers as an attacker meets them.

#![expect(clippy::expect_used, clippy::panic, reason = "a test says what it needs")]

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use kangmai_acceptance::county::{COUNTY, County, PASSWORD, VILLAGE};
use kangmai_acceptance::visitor::Visitor;
use kangmai_access::{Role, SignInRules, begin_set_up, code_at};
use kangmai_database::{DatabaseError, Dialect, Transaction, Value};
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

/// The same county as a server has it: whoever sees more than a village needs a second factor.
fn strictly(county: &mut County) {
    county.put_behind(GateRules { sign_in: SignInRules::STRICT, ..GateRules::lenient() });
}

/// The secret that the enrolment page shows.
fn secret_on(page: &Visitor) -> String {
    let shown = page.shown();
    let is_group = |word: &&str| {
        word.len() == 4 && word.bytes().all(|sign| sign.is_ascii_uppercase() || sign.is_ascii_digit())
    };
    let groups: Vec<&str> = shown.split_whitespace().filter(is_group).collect();
    assert_eq!(groups.len(), 8, "{shown}");
    groups.concat()
}

/// What the authenticator shows now.
fn code_now(county: &County, secret: &str) -> String {
    code_at(secret, county.app.clock.now()).expect("a code")
}

/// Signs in and sets up a second factor; gives its secret and the recovery codes.
fn enrolled(county: &County, name: &str) -> (Visitor, String, Vec<String>) {
    let mut visitor = county.visitor();
    visitor.finds("/sign-in").sign_in(name, PASSWORD);
    assert_eq!(visitor.path(), "/second-factor/enrolment");
    let secret = secret_on(&visitor);
    visitor.fill("验证码", &code_now(county, &secret)).press("完成设置").sees("恢复码只显示这一次");
    let shown = visitor.shown();
    let codes: Vec<String> = shown
        .split_whitespace()
        .filter(|word| word.len() == 19 && word.matches('-').count() == 3)
        .map(str::to_owned)
        .collect();
    assert_eq!(codes.len(), 10, "{shown}");
    (visitor, secret, codes)
}

#[test]
fn a_second_factor_is_set_up_before_anything_else_and_asked_at_each_sign_in() {
    County::on_both(|county| {
        strictly(county);
        // Who sees one village needs none.
        county.sign_in(Role::VillageDoctor).finds("/people");
        let mut bureau = county.visitor();
        bureau.finds("/sign-in").sign_in("health_bureau", PASSWORD);
        bureau.sees("一个村以上").does_not_see("居民查找");
        for elsewhere in ["/", "/people", "/devices", "/password", "/second-factor"] {
            bureau.open(elsewhere);
            assert!(bureau.path().starts_with("/second-factor/enrolment"), "{elsewhere}: {}", bureau.path());
        }
        let secret = secret_on(&bureau);
        bureau.fill("验证码", "000000").press("完成设置").sees("验证码不对");
        assert_eq!(secret_on(&bureau), secret, "a wrong code does not change the secret");
        let (mut bureau, secret, recovery) = enrolled(county, "health_bureau");
        bureau.follow("已经存好，继续").sees("我的登录");
        bureau.finds("/second-factor/enrolment").sees("剩余恢复码").does_not_see(&secret[..4]);

        // Signing in again asks for a code; the one of the enrolment was used.
        let used = code_now(county, &secret);
        let mut again = county.visitor();
        again.finds("/people?name=x").sign_in("health_bureau", PASSWORD);
        assert_eq!(again.path(), "/second-factor?next=/people%3Fname%3Dx");
        again.fill("验证码", &used).press("登录").sees("验证码不对或已用过");
        again.open("/people");
        assert!(again.path().starts_with("/second-factor"), "{}", again.path());
        county.clock.advance(30);
        let before = again.cookies().find(|(name, _)| *name == "kangmai_session").unwrap().1.to_owned();
        let code = code_now(county, &secret);
        again.finds("/second-factor?next=/devices").fill("验证码", &code).press("登录");
        assert_eq!(again.path(), "/devices");
        let after = again.cookies().find(|(name, _)| *name == "kangmai_session").unwrap().1.to_owned();
        assert_ne!(before, after, "the token changes with the code");
        again.take_cookie("kangmai_session", &before);
        again.open("/devices");
        assert!(again.path().starts_with("/sign-in"), "the token before the code is none");

        // A recovery code serves once.
        let mut without = county.visitor();
        without.finds("/sign-in").sign_in("health_bureau", PASSWORD);
        without.fill("验证码", &recovery[3].to_uppercase()).press("登录").sees("我的登录");
        without.finds("/second-factor/enrolment");
        assert_eq!(without.value_of("剩余恢复码"), "9");
        let mut twice = county.visitor();
        twice.finds("/sign-in").sign_in("health_bureau", PASSWORD);
        twice.fill("验证码", &recovery[3]).press("登录").sees("验证码不对或已用过");
    });
}

#[test]
fn codes_cannot_be_guessed() {
    County::on_both(|county| {
        strictly(county);
        let (_, secret, _) = enrolled(county, "auditor");
        county.clock.advance(30);
        let mut guesser = county.visitor();
        guesser.finds("/sign-in").sign_in("auditor", PASSWORD);
        for guess in 0..5 {
            guesser.fill("验证码", &format!("00000{guess}")).press("登录").sees("验证码不对");
        }
        // Locked: the right code does not help, and signing in anew does not begin the count anew.
        guesser.fill("验证码", &code_now(county, &secret)).press("登录").sees("验证码不对");
        guesser
            .finds("/sign-in")
            .fill("登录名", "auditor")
            .fill("密码", PASSWORD)
            .press("登录")
            .sees("登录名或密码不对");
        county.clock.advance(60);
        guesser.finds("/sign-in").sign_in("auditor", PASSWORD);
        guesser.fill("验证码", "000000").press("登录").sees("验证码不对");
        guesser
            .finds("/sign-in")
            .fill("登录名", "auditor")
            .fill("密码", PASSWORD)
            .press("登录")
            .sees("登录名或密码不对");
        county.clock.advance(120);
        guesser.finds("/sign-in").sign_in("auditor", PASSWORD);
        guesser.fill("验证码", &code_now(county, &secret)).press("登录").sees("输错过");
    });
}

#[test]
fn a_lost_telephone_is_replaced_by_its_owner_or_reset_by_the_administrator() {
    County::on_both(|county| {
        strictly(county);
        let (mut clerk, secret, recovery) = enrolled(county, "insurance_clerk");
        clerk
            .finds("/second-factor/enrolment")
            .fill("验证码", "123456")
            .press("重新生成恢复码")
            .sees("验证码不对");
        county.clock.advance(30);
        let code = code_now(county, &secret);
        clerk
            .fill("验证码", &code)
            .press("重新生成恢复码")
            .sees("恢复码只显示这一次")
            .does_not_see(&recovery[0]);
        clerk
            .finds("/second-factor/enrolment")
            .fill("验证码", &recovery[0])
            .press("更换手机")
            .sees("验证码不对");
        county.clock.advance(30);
        clerk.fill("验证码", &code_now(county, &secret)).press("更换手机");
        assert_eq!(clerk.path(), "/second-factor/enrolment");
        let second = secret_on(&clerk);
        assert_ne!(second, secret);
        clerk.fill("验证码", &code_now(county, &second)).press("完成设置").sees("恢复码只显示这一次");

        // Telephone and paper are lost: an administrator, who has a second factor too, resets it.
        let (mut admin, ..) = enrolled(county, "administrator");
        admin.finds("/accounts").follow("更改 示例 insurance_clerk").press("重置第二验证").sees("账号已更改");
        clerk.open("/");
        assert!(clerk.path().starts_with("/sign-in"), "the sessions end");
        let (.., third) = enrolled(county, "insurance_clerk");
        assert_eq!(third.len(), 10);
        let (mut auditor, ..) = enrolled(county, "auditor");
        auditor.finds("/audit").sees("重置第二验证").sees("设置第二验证").sees("重新生成恢复码");
    });
}

#[test]
fn no_secret_stands_in_the_database_in_clear() {
    County::on_both(|county| {
        strictly(county);
        let (mut admin, secret, recovery) = enrolled(county, "administrator");
        admin.finds("/accounts").fill("登录名", "xinren").fill("姓名", "示例新人").fill("岗位", "村医");
        admin.fill("地区", VILLAGE).press("新建");
        let one_time = one_time_on(&admin);
        let (_, key) = county.employ_client("his");
        let mut newcomer = county.visitor();
        newcomer.finds("/sign-in").sign_in("xinren", &one_time);
        let tokens: Vec<String> = [&admin, &newcomer]
            .iter()
            .flat_map(|visitor| visitor.cookies())
            .filter(|(name, _)| *name == "kangmai_session")
            .map(|(_, value)| value.to_owned())
            .collect();
        assert_eq!(tokens.len(), 2);
        let raw = base32(&secret);
        let mut secrets: Vec<Vec<u8>> = vec![secret.clone().into_bytes(), raw, key.clone().into_bytes()];
        secrets.push(one_time.into_bytes());
        secrets.push(PASSWORD.as_bytes().to_vec());
        secrets.extend(recovery.into_iter().map(String::into_bytes));
        for token in tokens {
            secrets.push(unhex(&token));
            secrets.push(token.into_bytes());
        }
        secrets.push(unhex(key.trim_start_matches("kmk_")));
        let dump = dump(county);
        assert!(dump.len() > 5_000, "the tables are read: {}", dump.len());
        assert!(holds(&dump, "示例新人".as_bytes()), "what may stand there is found");
        for secret in secrets {
            assert!(!holds(&dump, &secret), "{:?} stands in a table", String::from_utf8_lossy(&secret));
        }
    });
}

fn holds(dump: &[u8], secret: &[u8]) -> bool {
    dump.windows(secret.len()).any(|window| window == secret)
}

fn unhex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("a digit"), 16).expect("a digit"))
        .collect()
}

/// The bytes of a secret as authenticators read it.
fn base32(text: &str) -> Vec<u8> {
    let bits: String = text
        .bytes()
        .map(|letter| {
            let value =
                b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|own| *own == letter).expect("a digit");
            format!("{value:05b}")
        })
        .collect();
    bits.as_bytes()
        .chunks_exact(8)
        .map(|byte| u8::from_str_radix(std::str::from_utf8(byte).expect("a digit"), 2).expect("a digit"))
        .collect()
}

/// Every value of every table, one after the other; bytes as they are, everything else as text.
fn dump(county: &County) -> Vec<u8> {
    let names = match county.app.database.dialect() {
        Dialect::Sqlite => "select name from sqlite_master where type = 'table'",
        Dialect::Postgres => {
            "select table_name::text from information_schema.tables where table_schema = any (current_schemas(false))"
        }
    };
    let read = move |tx: &mut Transaction<'_>| -> Result<Vec<u8>, DatabaseError> {
        let mut bytes = Vec::new();
        for name in tx.query(names, &[])? {
            let name: String = name.get(0)?;
            for row in tx.query(&format!("select * from {name}"), &[])? {
                for value in row.values() {
                    match value {
                        Value::Bytes(value) => bytes.extend(value),
                        Value::Text(value) => bytes.extend(value.bytes()),
                        value => bytes.extend(format!("{value:?}").into_bytes()),
                    }
                    bytes.push(0);
                }
            }
        }
        Ok(bytes)
    };
    county.app.database.read_blocking(read).expect("the tables")
}
