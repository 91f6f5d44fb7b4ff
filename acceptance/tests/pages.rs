//! Every page of every role, as links lead to it: there, well-formed, with all its words, in both languages; and for
//! somebody of another county not there at all.

use kangmai_access::Role;
use kangmai_acceptance::county::County;
use kangmai_acceptance::crawl::crawl;

/// What holds no person, household or case: the law, figures of a place, templates of files.
const FOR_EVERY_COUNTY: [&str; 6] = ["/policies", "/places", "/figures", "/import", "/static", "/assets"];

#[test]
fn every_page_that_a_role_can_reach_is_whole() {
    County::on_both(|county| {
        county.populate();
        for role in Role::ALL {
            let pages = crawl(&mut county.sign_in(role), "/");
            assert!(pages.len() > 1, "{} reaches only {:?}", role.key(), pages.keys());
        }
    });
}

#[test]
fn every_page_is_whole_in_english() {
    let mut county = County::on_sqlite();
    county.populate();
    for role in Role::ALL {
        let mut visitor = county.sign_in(role);
        crawl(visitor.in_english(), "/");
    }
}

#[test]
fn what_is_of_one_county_is_not_found_from_another() {
    let mut county = County::on_sqlite();
    county.populate();
    let mut asked = 0;
    for role in Role::ALL {
        let mut stranger = county.sign_in_as(&format!("other_{}", role.key()));
        let own = crawl(&mut county.sign_in(role), "/");
        let of_somebody = own.iter().filter(|(shape, _)| {
            shape.contains("{…}") && !FOR_EVERY_COUNTY.iter().any(|begin| shape.starts_with(begin))
        });
        for path in of_somebody.flat_map(|(_, paths)| paths) {
            stranger.does_not_find(path);
            asked += 1;
        }
    }
    assert!(asked > 20, "only {asked} pages of somebody were found");
}
