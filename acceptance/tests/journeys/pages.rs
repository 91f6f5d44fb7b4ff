//! Every page of every role, as links lead to it: there, well-formed, with all its words, in both languages; and for
//! somebody of another place, county or institution there or not there as the table says.
//!
//! One county, one walk for each role, all roles at once: what the walks found is opened again in English, and by those who
//! stand elsewhere.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use axum::http::StatusCode;
use kangmai_acceptance::access::{Row, Scope, Stance, row_of, rows};
use kangmai_acceptance::county::{COUNTY, County, TOWNSHIP};
use kangmai_acceptance::crawl::{Walk, crawl};
use kangmai_acceptance::visitor::Visitor;
use kangmai_access::Role;

/// 上蔡县's city: whoever works there stands above the county.
const CITY: &str = "411700000000";
/// Another village of the township, and another township of the county.
const OTHER_VILLAGE: &str = "411722001002";
const OTHER_TOWNSHIP: &str = "411722002000";
/// Another institution of a populated county.
const OTHER_INSTITUTION: &str = "H41172200902";

/// Where somebody of `role` stands, by the name of their account. Who works for a whole county has nobody beside them
/// but the other county.
fn stances(county: &County, role: Role) -> Vec<(Stance, String)> {
    let (parent, sibling) = match role {
        Role::VillageDoctor => (TOWNSHIP, Some(OTHER_VILLAGE)),
        Role::TownshipOfficer => (COUNTY, Some(OTHER_TOWNSHIP)),
        _ => (CITY, None),
    };
    let mut all = vec![(Stance::OtherCounty, format!("other_{}", role.key()))];
    let mut stands = |stance, begin: &str, place: &str| {
        let name = format!("{begin}_{}", role.key());
        county.employ(role, &name, place);
        all.push((stance, name));
    };
    stands(Stance::Parent, "parent", parent);
    if let Some(sibling) = sibling {
        stands(Stance::Sibling, "sibling", sibling);
    }
    if role.is_of_an_institution() {
        stands(Stance::OtherInstitution, "second", COUNTY);
        county.seat(&format!("second_{}", role.key()), OTHER_INSTITUTION);
        county.seat(&format!("parent_{}", role.key()), kangmai_acceptance::county::HOSPITAL);
    }
    all
}

/// Does something for every role, all at once; what was wrong, each once.
fn for_each_role(work: impl Fn(Role) -> Vec<String> + Sync) -> BTreeSet<String> {
    let all = Mutex::new(BTreeSet::new());
    std::thread::scope(|threads| {
        for role in Role::ALL {
            let (all, work) = (&all, &work);
            threads.spawn(move || {
                let wrong = work(role);
                let wrong = wrong.into_iter().map(|says| format!("{}: {says}", role.key()));
                all.lock().expect("no role panicked").extend(wrong);
            });
        }
    });
    all.into_inner().expect("no role panicked")
}

fn expect_none(complaints: &BTreeSet<String>) {
    let lines: Vec<&str> = complaints.iter().map(String::as_str).collect();
    assert!(lines.is_empty(), "{} complaints:\n{}", lines.len(), lines.join("\n"));
}

fn walk_of(county: &County, role: Role) -> (Visitor, Walk) {
    let mut visitor = county.sign_in(role);
    let walk = crawl(&mut visitor, "/");
    (visitor, walk)
}

/// The pages of a walk again, in English.
fn in_english(visitor: &mut Visitor, walk: &Walk) -> Vec<String> {
    visitor.in_english();
    let mut wrong = Vec::new();
    for path in walk.pages.values().flatten() {
        wrong.extend(visitor.try_open(path).into_iter().map(|fault| format!("{path} in English: {fault}")));
    }
    wrong
}

/// What stands in an address for each name of the lines of the table, as a walk found it.
fn parts_of<'w>(rows: &[Row], walk: &'w Walk) -> BTreeMap<String, &'w str> {
    let mut found = BTreeMap::new();
    for path in walk.pages.values().flatten() {
        let path = path.split('?').next().unwrap_or_default();
        let Some(row) = row_of(rows, "GET", path) else { continue };
        let mut begin = String::new();
        for (own, part) in row.path.split('/').zip(path.split('/')) {
            begin = format!("{begin}/{}", if own.starts_with('{') { "{}" } else { own });
            if own.starts_with('{') {
                found.entry(begin.clone()).or_insert(part);
            }
        }
    }
    found
}

/// The address of a line with what a walk found, if it found all.
fn address_of(row: &Row, parts: &BTreeMap<String, &str>) -> Option<String> {
    let (mut begin, mut address) = (String::new(), Vec::new());
    for own in row.path.split('/') {
        begin = format!("{begin}/{}", if own.starts_with('{') { "{}" } else { own });
        address.push(if own.starts_with('{') { parts.get(&begin).copied()? } else { own });
    }
    Some(address.join("/"))
}

/// Asks for what a walk found from everywhere else; answers what is not as the table says, and how often it asked.
fn elsewhere(county: &County, rows: &[Row], role: Role, walk: &Walk) -> (Vec<String>, usize) {
    let (mut wrong, mut asked) = (Vec::new(), 0);
    let parts = parts_of(rows, walk);
    let belongs = |row: &&Row| !matches!(row.scope, Scope::Open | Scope::Key | Scope::Phone);
    let forms: Vec<(&Row, String)> = rows
        .iter()
        .filter(|row| row.method == "POST" && row.roles.contains(&role))
        .filter(belongs)
        .filter_map(|row| Some((row, address_of(row, &parts)?)))
        .collect();
    let pages: Vec<(&Row, &String)> = walk
        .pages
        .values()
        .flatten()
        .filter_map(|path| Some((row_of(rows, "GET", path)?, path)))
        .filter(|(row, _)| belongs(row))
        .collect();
    for (stance, name) in stances(county, role) {
        let mut stranger = county.sign_in_as(&name);
        let token = token_of(&stranger);
        let mut expect = |row: &Row, path: &str, found: bool, status: StatusCode| {
            asked += 1;
            if found == (status == StatusCode::NOT_FOUND) || status.is_server_error() {
                wrong.push(format!("{} {path} answers {status} from {stance:?}", row.method));
            }
        };
        for (row, path) in &pages {
            stranger.try_open(path);
            expect(row, path, row.opens(role, stance), stranger.status());
        }
        // Whoever may change it is not asked here: an empty form could.
        for (row, path) in forms.iter().filter(|(row, _)| !row.opens(role, stance)) {
            let body = format!("csrf={token}").into_bytes();
            stranger.send("POST", path, Some("application/x-www-form-urlencoded"), body);
            // A form that does not say what is to be done is refused before anybody looks for anything.
            if stranger.status() != StatusCode::BAD_REQUEST {
                expect(row, path, false, stranger.status());
            }
        }
    }
    (wrong, asked)
}

/// The token that forms of this visitor carry.
fn token_of(visitor: &Visitor) -> String {
    let page = visitor.page();
    let field = page.all("input").into_iter().find(|field| page.attribute(*field, "name") == Some("csrf"));
    let field = field.expect("a form with a token");
    page.attribute(field, "value").expect("a token").to_owned()
}

#[test]
fn every_page_that_a_role_can_reach_is_whole_and_found_as_the_table_says() {
    let county = County::on_sqlite();
    county.populate();
    somebody_asks(&county);
    let rows = rows();
    let asked = Mutex::new((0, BTreeSet::new()));
    expect_none(&for_each_role(|role| {
        let (mut visitor, walk) = walk_of(&county, role);
        let mut wrong = walk.complaints.clone();
        wrong.extend(in_english(&mut visitor, &walk));
        let (elsewhere, times) = elsewhere(&county, &rows, role, &walk);
        wrong.extend(elsewhere);
        let shown = walk.pages.values().flatten();
        let shown = shown.filter_map(|path| row_of(&rows, "GET", path)).map(|row| row.path);
        let mut asked = asked.lock().expect("no role panicked");
        asked.0 += times;
        asked.1.extend(shown);
        wrong
    }));
    let (times, shown) = asked.into_inner().expect("no role panicked");
    assert!(times > 200, "only {times} pages of somebody were asked for from elsewhere");
    let pages =
        rows.iter().filter(|row| row.method == "GET" && !matches!(row.scope, Scope::Key | Scope::Phone));
    let pages = pages.filter(|row| row.path != ON_THE_WAY_IN);
    let unseen: Vec<&str> = pages.map(|row| row.path).filter(|path| !shown.contains(path)).collect();
    // What nobody's links lead to in a populated county: asked for only with an identifier that nothing has.
    assert!(unseen.len() <= MOST_UNSEEN, "{} pages are shown to nobody: {unseen:#?}", unseen.len());
}

/// Answers before a sign-in is complete and leads on ever after.
const ON_THE_WAY_IN: &str = "/second-factor";

/// Pages to which no link leads in a populated county, for want of a claim, a receipt, a draft, an erasure.
/// Consents stand with persons whom the walk does not come to: `rights` opens them.
const MOST_UNSEEN: usize = 48;

/// Somebody asks for a correction.
fn somebody_asks(county: &County) {
    let mut officer = county.sign_in(Role::TownshipOfficer);
    officer.finds("/people/lists/all");
    let page = officer.page();
    let links = page.all("a").into_iter().filter_map(|link| page.attribute(link, "href"));
    let person = links.into_iter().find(|path| path.starts_with("/people/0")).expect("a person").to_owned();
    officer.finds(&format!("{person}/requests/correct")).fill("哪里不对，应当是什么", "示例");
    officer.fill("由谁提出", "本人").fill("核对了什么证件，纸质材料存放在哪里", "示例").press("记下请求");
    officer.sees("请求已记下");
}

#[test]
fn every_page_that_a_role_can_reach_is_whole_on_postgresql() {
    let Some(county) = County::on_postgresql() else { return };
    county.populate();
    expect_none(&for_each_role(|role| walk_of(&county, role).1.complaints));
}
