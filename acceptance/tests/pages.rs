//! Every page of every role, as links lead to it: there, well-formed, with all its words, in both languages; and for
//! somebody of another county not there at all.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use kangmai_acceptance::county::County;
use kangmai_acceptance::crawl::crawl;
use kangmai_acceptance::visitor::Visitor;
use kangmai_access::Role;

/// What holds no person, household or case: the law, figures of a place, templates of files, years and whether they are
/// closed here.
const FOR_EVERY_COUNTY: [&str; 7] =
    ["/policies", "/places", "/figures", "/import", "/static", "/assets", "/years"];

/// Walks as every role; what was wrong, each once.
fn complaints(county: &County, prepare: impl Fn(&mut Visitor)) -> BTreeSet<String> {
    let walks = Role::ALL.iter().map(|role| {
        let mut visitor = county.sign_in(*role);
        prepare(&mut visitor);
        (role, crawl(&mut visitor, "/"))
    });
    walks
        .flat_map(|(role, walk)| walk.complaints.into_iter().map(|says| format!("{}: {says}", role.key())))
        .collect()
}

fn expect_none(complaints: &BTreeSet<String>) {
    let lines: Vec<&str> = complaints.iter().map(String::as_str).collect();
    assert!(lines.is_empty(), "{} complaints:\n{}", lines.len(), lines.join("\n"));
}

#[test]
fn every_page_that_a_role_can_reach_is_whole() {
    County::on_both(|county| {
        county.populate();
        expect_none(&complaints(county, |_| {}));
    });
}

#[test]
fn every_page_is_whole_in_english() {
    let county = County::on_sqlite();
    county.populate();
    expect_none(&complaints(&county, |visitor| {
        visitor.in_english();
    }));
}

#[test]
fn what_is_of_one_county_is_not_found_from_another() {
    let county = County::on_sqlite();
    county.populate();
    let mut wrong = BTreeSet::new();
    let mut asked = 0;
    for role in Role::ALL {
        let mut stranger = county.sign_in_as(&format!("other_{}", role.key()));
        let own = crawl(&mut county.sign_in(role), "/").pages;
        let of_somebody = own.iter().filter(|(shape, _)| {
            shape.contains("{…}") && !FOR_EVERY_COUNTY.iter().any(|begin| shape.starts_with(begin))
        });
        for path in of_somebody.flat_map(|(_, paths)| paths) {
            stranger.try_open(path);
            asked += 1;
            if stranger.status() != StatusCode::NOT_FOUND {
                wrong.insert(format!(
                    "{path} answers a {} of another county {}",
                    role.key(),
                    stranger.status()
                ));
            }
        }
    }
    expect_none(&wrong);
    assert!(asked > 20, "only {asked} pages of somebody were found");
}
