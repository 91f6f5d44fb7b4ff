//! Every route against every role: who has the purpose is let in, for everybody else there is no such page.

use axum::http::StatusCode;
use kangmai_acceptance::county::County;
use kangmai_acceptance::visitor::Visitor;
use kangmai_access::{Role, reach};
use kangmai_programme::Route;

/// Pages that ask further: for a kind of file that the role may import, for the name of a file, a pack or a benefit.
const ASK_FURTHER: [&str; 4] = ["/import", "/policies/file", "/policies/benefit", "/policies/cases"];

/// Stands where an identifier is asked; nothing has it.
const NOTHING: &str = "00000000-0000-7000-8000-000000000000";

fn routes(county: &County) -> Vec<Route> {
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
fn each_role_finds_what_it_has_a_purpose_for_and_nothing_else() {
    let county = County::on_sqlite();
    let routes = routes(&county);
    assert!(routes.len() > 15, "too few routes: {}", routes.len());
    let mut wrong = Vec::new();
    for role in Role::ALL {
        let mut visitor = county.sign_in(role);
        let actor = county.employ(role, &format!("again_{}", role.key()), kangmai_acceptance::county::COUNTY);
        // The last one asked ends the session.
        let (ending, others): (Vec<&Route>, Vec<&Route>) =
            routes.iter().partition(|route| route.path == "/logout");
        for route in others.into_iter().chain(ending) {
            let may = reach(&actor, route.purpose).is_some();
            let status = ask(&mut visitor, route);
            let is_plain_page =
                route.method == "GET" && !route.path.contains('{') && !ASK_FURTHER.contains(&route.path);
            let right = match (may, is_plain_page) {
                (false, _) => status == StatusCode::NOT_FOUND,
                (true, true) => status == StatusCode::OK,
                // Nothing has that identifier, and the form carries no token.
                (true, false) => !status.is_server_error(),
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
        for route in routes(&county).iter().filter(|route| route.method == "POST") {
            let status = ask(&mut visitor, route);
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
