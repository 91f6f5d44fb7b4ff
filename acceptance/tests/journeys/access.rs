//! Every route against every role: who has the purpose is let in, for everybody else there is no such page.

use axum::http::StatusCode;
use kangmai_acceptance::access::{Scope, Stance, rows};
use kangmai_acceptance::county::County;
use kangmai_acceptance::visitor::Visitor;
use kangmai_access::{Actor, Role, Stage, reach};
use kangmai_programme::Route;

/// Pages that ask further: for a kind of file that the role may import, for the name of a file, a pack or a benefit.
const ASK_FURTHER: [&str; 4] = ["/import", "/policies/file", "/policies/benefit", "/policies/cases"];

/// Stands where an identifier is asked; nothing has it.
const NOTHING: &str = "00000000-0000-7000-8000-000000000000";

/// The pages: what people go to. Interfaces ask a key and no session: see `interfaces`.
fn routes(county: &County) -> Vec<Route> {
    all(county).into_iter().filter(|route| route.operation.is_none() && !route.is_for_phones).collect()
}

fn interfaces(county: &County) -> Vec<Route> {
    all(county).into_iter().filter(|route| route.operation.is_some()).collect()
}

fn all(county: &County) -> Vec<Route> {
    county.app.programmes.iter().flat_map(|programme| (programme.routes)()).collect()
}

/// The route's path with every `{name}` filled in.
fn path_of(route: &Route) -> String {
    let parts = route.path.split('/').map(|part| if part.starts_with('{') { NOTHING } else { part });
    parts.collect::<Vec<_>>().join("/")
}

fn ask(visitor: &mut Visitor, route: &Route) -> StatusCode {
    let form = (route.method == "POST").then_some("application/x-www-form-urlencoded");
    visitor.send(route.method.as_str(), &path_of(route), form, Vec::new());
    visitor.status()
}

#[test]
fn the_table_has_every_route_and_no_other() {
    let county = County::on_sqlite();
    let name = |method: &str, path: &str| format!("{method} {path}");
    let mut routes: Vec<String> =
        all(&county).iter().map(|route| name(route.method.as_str(), route.path)).collect();
    let mut written: Vec<String> = rows().iter().map(|row| name(row.method, row.path)).collect();
    routes.sort();
    written.sort();
    let missing: Vec<&String> = routes.iter().filter(|route| !written.contains(route)).collect();
    assert!(missing.is_empty(), "write into the table whom these open to: {missing:#?}");
    assert_eq!(routes, written, "the table has lines that no route has, or has one twice");
    for route in all(&county) {
        let row =
            rows().into_iter().find(|row| (row.method, row.path) == (route.method.as_str(), route.path));
        let row = row.expect("a line");
        assert_eq!(row.scope == Scope::Key, route.operation.is_some(), "{}", route.path);
        assert_eq!(row.scope == Scope::Phone, route.is_for_phones, "{}", route.path);
        assert_eq!(row.about_persons, route.about_persons, "{} {}", route.method, route.path);
    }
}

#[test]
fn each_role_finds_what_the_table_says_and_nothing_else() {
    let county = County::on_sqlite();
    let (routes, rows) = (routes(&county), rows());
    let mut wrong = Vec::new();
    for role in Role::ALL {
        let mut visitor = county.sign_in(role);
        // The last one asked ends the session.
        let (ending, others): (Vec<&Route>, Vec<&Route>) =
            routes.iter().partition(|route| route.path == "/logout");
        for route in others.into_iter().chain(ending) {
            let row = rows.iter().find(|row| (row.method, row.path) == (route.method.as_str(), route.path));
            let may = row.expect("a line").opens(role, Stance::Own);
            let status = ask(&mut visitor, route);
            let is_plain_page =
                route.method == "GET" && !route.path.contains('{') && !ASK_FURTHER.contains(&route.path);
            let right = match (may, route.method.as_str(), is_plain_page) {
                (false, ..) => status == StatusCode::NOT_FOUND,
                (true, "GET", true) => status == StatusCode::OK,
                // Nothing has that identifier.
                (true, "GET", false) => !status.is_server_error(),
                // The form carries no token: it is refused, but the page is there; behind an identifier there is nothing.
                (true, ..) => {
                    !status.is_server_error() && (status != StatusCode::NOT_FOUND || route.path.contains('{'))
                }
            };
            if !right {
                wrong.push(format!("{} {} answers {} {status}", route.method, route.path, role.key()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_form_without_the_session_s_token_changes_nothing() {
    let county = County::on_sqlite();
    let mut wrong = Vec::new();
    for role in Role::ALL {
        let mut visitor = county.sign_in(role);
        let actor = county.employ(role, &format!("again_{}", role.key()), kangmai_acceptance::county::COUNTY);
        let posts = routes(&county).into_iter().filter(|route| route.method == "POST");
        // What answers only on the way in leads a complete sign-in on before it reads anything.
        for route in posts.filter(|route| route.stages.contains(&Stage::Open)) {
            let status = ask(&mut visitor, &route);
            if reach(&actor, route.purpose).is_some() && status.is_success() {
                wrong.push(format!("{} {} answers {} {status}", route.method, route.path, role.key()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn who_has_not_signed_in_is_sent_to_sign_in() {
    let county = County::on_sqlite();
    for route in routes(&county) {
        let mut visitor = county.visitor();
        ask(&mut visitor, &route);
        assert!(
            visitor.path().starts_with("/sign-in"),
            "{} {} leads to {}",
            route.method,
            route.path,
            visitor.path()
        );
    }
}

/// Asks an interface; answers status and code.
fn ask_interface(visitor: &mut Visitor, route: &Route) -> (StatusCode, String) {
    let body = (route.method == "POST").then_some("application/json");
    visitor.send(route.method.as_str(), &path_of(route), body, Vec::new());
    let said: serde_json::Value = serde_json::from_slice(visitor.bytes()).unwrap_or_default();
    assert!(said.is_object(), "{} {} answers no JSON", route.method, route.path);
    assert_eq!(said["request_id"].is_string(), !visitor.status().is_success(), "{said}");
    (visitor.status(), said["code"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn an_interface_opens_to_a_key_alone_whatever_session_there_is() {
    let county = County::on_sqlite();
    let interfaces = interfaces(&county);
    assert!(interfaces.len() >= 7, "too few interfaces: {}", interfaces.len());
    let desk = Actor { role: Role::CountyDesk, ..Actor::system() };
    let (client, key) = county.employ_client("his");
    let mut wrong = Vec::new();
    let mut visitors: Vec<Visitor> = Role::ALL.into_iter().map(|role| county.sign_in(role)).collect();
    visitors.push(county.visitor());
    for route in &interfaces {
        assert!(reach(&desk, route.purpose).is_some(), "{} is for no client", route.path);
        for visitor in &mut visitors {
            // A minute later, so that nobody came too often.
            county.clock.advance(60);
            for shown in [None, Some("kmk_0"), Some("")] {
                let (status, code) = ask_interface(visitor.shows_key(shown), route);
                if (status, code.as_str()) != (StatusCode::UNAUTHORIZED, "unauthorized") {
                    wrong.push(format!("{} {} answers {status} to {shown:?}", route.method, route.path));
                }
            }
            let (status, code) = ask_interface(visitor.shows_key(Some(&key)), route);
            // Nothing has that identifier, and an empty body is no request.
            let right = match (route.method.as_str(), route.path.contains("requests")) {
                ("POST", _) => (status, code.as_str()) == (StatusCode::BAD_REQUEST, "not_json"),
                (_, true) => status == StatusCode::OK,
                (_, false) => (status, code.as_str()) == (StatusCode::NOT_FOUND, "not_found"),
            };
            if !right {
                wrong.push(format!("{} {} answers {status} {code} to its key", route.method, route.path));
            }
        }
    }
    county.revoke(client);
    for route in &interfaces {
        county.clock.advance(60);
        let (status, _) = ask_interface(visitors[0].shows_key(Some(&key)), route);
        if status != StatusCode::UNAUTHORIZED {
            wrong.push(format!("{} {} answers {status} to a revoked key", route.method, route.path));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_key_opens_no_page() {
    let county = County::on_sqlite();
    let (_, key) = county.employ_client("his");
    for route in routes(&county) {
        let mut visitor = county.visitor();
        ask(visitor.shows_key(Some(&key)), &route);
        assert!(
            visitor.path().starts_with("/sign-in"),
            "{} {} leads to {}",
            route.method,
            route.path,
            visitor.path()
        );
    }
}

#[test]
fn every_interface_is_described_and_nothing_else() {
    let county = County::on_sqlite();
    let mut visitor = county.visitor();
    visitor.finds("/api/openapi.json");
    let document: serde_json::Value = serde_json::from_slice(visitor.bytes()).expect("JSON");
    assert_eq!(document["openapi"], "3.1.0");
    let mut described = Vec::new();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            described.push((path.clone(), method.to_uppercase()));
            for part in ["summary", "description", "operationId"] {
                assert!(operation[part].as_str().is_some_and(|text| !text.is_empty()), "{path}: no {part}");
            }
            let content = &operation["responses"]["200"]["content"]["application/json"];
            assert!(content["schema"].is_object() && content["example"].is_object(), "{path}: no example");
            let has_body = operation["requestBody"]["content"]["application/json"]["example"].is_object();
            assert_eq!(has_body, method == "post", "{path}");
        }
    }
    let mut routes: Vec<(String, String)> =
        interfaces(&county).iter().map(|route| (route.path.to_owned(), route.method.to_string())).collect();
    described.sort();
    routes.sort();
    assert_eq!(described, routes);
    assert_eq!(county.app.words.missing(), Vec::<String>::new());
    // Where there is none, the answer has the shape of all others.
    visitor.open("/api/v1/settlement/nothing");
    let said: serde_json::Value = serde_json::from_slice(visitor.bytes()).expect("JSON");
    assert_eq!((visitor.status(), said["code"].as_str()), (StatusCode::NOT_FOUND, Some("not_found")));
}

#[test]
fn signing_out_ends_the_session() {
    let county = County::on_sqlite();
    let mut clerk = county.sign_in(Role::InsuranceClerk);
    let cookies: Vec<(String, String)> =
        clerk.cookies().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    clerk.press("退出");
    assert!(clerk.path().starts_with("/sign-in"), "signing out leads to {}", clerk.path());
    clerk.open("/");
    assert!(clerk.path().starts_with("/sign-in"), "signed out, but let in to {}", clerk.path());
    // The server has forgotten it too: a kept cookie opens nothing.
    let mut thief = county.visitor();
    for (name, value) in &cookies {
        thief.take_cookie(name, value);
    }
    thief.open("/");
    assert!(thief.path().starts_with("/sign-in"), "an old cookie opens {}", thief.path());
}

#[test]
fn what_phones_ask_opens_to_the_key_of_a_phone_alone() {
    let mut asked = 0;
    for route in all(&County::on_sqlite()).into_iter().filter(|route| route.is_for_phones) {
        // With counties of its own: so many wrong keys of one address are answered no more.
        let county = County::on_sqlite();
        let mut visitors: Vec<Visitor> = Role::ALL.into_iter().map(|role| county.sign_in(role)).collect();
        let elsewhere = County::on_sqlite();
        let (_, key) = elsewhere.employ_client("his");
        for key in [key.as_str(), "kmp_", "kmp_0000", ""] {
            let mut system = elsewhere.visitor();
            system.shows_key(Some(key));
            visitors.push(system);
        }
        for mut visitor in visitors {
            let (status, code) = ask_interface(&mut visitor, &route);
            assert_eq!((status, code.as_str()), (StatusCode::UNAUTHORIZED, "unauthorized"), "{}", route.path);
        }
        asked += 1;
    }
    assert_eq!(asked, 7);
}
