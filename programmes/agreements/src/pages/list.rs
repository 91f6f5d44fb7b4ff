//! The lists: agreements by how they stand, residents with and without one, and what is due.

use std::collections::HashMap;

use askama::Template;
use axum::http::Uri;
use axum::response::Response;
use kangmai_access::{Purpose, Reach, reach};
use kangmai_base::{Day, DivisionCode, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_programme::{Visit, place_choices, place_name};
use kangmai_web::{Choice, Failure, Field, Form, ListQuery, ListSpec, Page, show};

use super::signing::{MANY, offer_many};
use crate::rules::{Known, Standing, standing};
use crate::sentences::{Names, SOON_DAYS, joined, remind_days, window};
use crate::store::{self, DueRow, DueWanted, First, Listed, Resident, ResidentsWanted, Team, Wanted, Which};

static AGREEMENTS: ListSpec = ListSpec {
    filters: &[
        Field::select("standing", "agreements.filter.standing").optional(),
        Field::select("renewed", "agreements.filter.renewed").optional(),
        Field::select("place", "agreements.filter.place").optional(),
    ],
    sorts: &[],
    descending: false,
};
static RESIDENTS: ListSpec = ListSpec {
    filters: &[
        Field::select("signed", "agreements.filter.signed").optional(),
        Field::select("who", "agreements.filter.who").optional(),
        Field::select("place", "agreements.filter.place").optional(),
    ],
    sorts: &[],
    descending: false,
};
static ITEMS: ListSpec = ListSpec {
    filters: &[
        Field::select("which", "agreements.filter.which").optional(),
        Field::select("place", "agreements.filter.place").optional(),
    ],
    sorts: &[],
    descending: false,
};

/// The three lists, for the line that leads from one to the other.
pub(crate) struct Tab {
    word: &'static str,
    path: &'static str,
    is_here: bool,
}

fn tabs(here: &str, visit: &Visit) -> Vec<Tab> {
    let all = [
        ("agreements.tab.residents", "/agreements/residents"),
        ("agreements.tab.agreements", "/agreements"),
        ("agreements.tab.items", "/agreements/items"),
    ];
    let mut tabs: Vec<Tab> =
        all.map(|(word, path)| Tab { word, path, is_here: path == here }).into_iter().collect();
    if reach(&visit.actor, Purpose::ReadTeams).is_some() {
        tabs.push(Tab { word: "agreements.tab.teams", path: "/agreements/teams", is_here: false });
    }
    tabs
}

fn narrowed(list: &ListQuery, all: &Reach) -> Reach {
    let place = list.parsed::<DivisionCode>("place");
    place.map_or_else(|| all.clone(), |place| all.narrowed(place))
}

fn offer(page: &Page, list: &mut ListQuery, (name, word): (&'static str, &str), keys: &[&str], usual: &str) {
    let choice = |key: &&str| Choice::new(*key, page.word(&format!("agreements.{word}.{key}")));
    list.offer(name, keys.iter().map(choice).collect());
    // What holds where nobody chose stands there as chosen.
    if !usual.is_empty() && list.chosen(name).is_none() {
        list.form.fill(name, usual);
    }
}

/// An agreement on the list.
struct Line {
    person: String,
    path: String,
    household: String,
    name: String,
    age: Option<i32>,
    place: String,
    tone: &'static str,
    mark: String,
    term: String,
    packages: String,
    team: String,
    renew: Option<String>,
}

#[derive(Template)]
#[template(path = "agreements_list.html")]
struct AgreementsPage {
    page: Page,
    tabs: Vec<Tab>,
    list: Option<ListQuery>,
    pager: ListQuery,
    lines: Vec<Line>,
    may_write: bool,
}

/// GET `/agreements`: agreements within reach; to who reaches nobody by place, those of their teams.
pub(crate) async fn agreements(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let mut list = ListQuery::read(&AGREEMENTS, &uri);
    let page = visit.page.clone().titled("agreements.title");
    let mut standings = Standing::ALL.map(Standing::key).to_vec();
    standings.push("all");
    offer(&page, &mut list, ("standing", "standing"), &standings, Standing::InForce.key());
    offer(&page, &mut list, ("renewed", "renewed"), &["yes", "no"], "");
    let within = narrowed(&list, &visit.reach);
    list.offer("place", place_choices(&visit.reach, &within));
    let wanted = Wanted {
        standing: list.chosen("standing").and_then(Standing::of_key),
        renewed: list.chosen("renewed").map(|renewed| renewed == "yes"),
    };
    let (limit, offset) = (list.paging.limit(), list.paging.offset());
    let remind = remind_days(&visit.app.policies, visit.reach.place(), visit.today);
    let by_team = visit.actor.role.reaches_by_relation();
    let (asked, today, account) = (wanted, visit.today, visit.actor.account);
    let read = move |tx: &mut Transaction<'_>| {
        if by_team {
            return store::signed_with(tx, account, today, (limit, offset));
        }
        let rows = store::listed(tx, &within, &asked, (today, remind), (limit, offset))?;
        Ok::<_, DatabaseError>((rows, store::count(tx, &within, &asked, (today, remind))?))
    };
    let (rows, total) = visit.app.database.read(read).await?;
    list.found(total.unsigned_abs());
    let may_write = reach(&visit.actor, Purpose::KeepAgreements).is_some();
    let line = |one: &Listed| line_of(&visit, &page, one, (remind, may_write));
    show(&AgreementsPage {
        lines: rows.iter().map(line).collect(),
        tabs: if by_team { Vec::new() } else { tabs("/agreements", &visit) },
        list: (!by_team).then(|| list.clone()),
        pager: list,
        may_write,
        page: page.clone().to_do(page.count("agreements.found", total), None),
    })
}

fn line_of(visit: &Visit, page: &Page, one: &Listed, (remind, may_write): (i32, bool)) -> Line {
    let names = Names { release: &visit.app.policies, home: one.home, on: visit.today };
    let standing = standing(one.term, one.ended_on, visit.today, remind);
    let packages: Vec<String> = one.packages.iter().map(|id| names.package(page, id)).collect();
    let term = match one.term {
        Some((from, until)) => page.say2("agreements.term", "from", from, "until", until),
        None => page.say1("agreements.offered_on", "day", page.iso(one.offered_on)),
    };
    let until = one.term.map(|(_, until)| until);
    let left = match (standing, until) {
        (Standing::EndsSoon, Some(until)) => Some(page.days_left(until, visit.today)),
        (Standing::Expired, Some(until)) => {
            Some(page.count("agreements.days_ago", visit.today.days_since(until)))
        }
        _ => None,
    };
    let why = (standing == Standing::Ended && !one.end_reason.is_empty())
        .then(|| page.word(&format!("agreements.end.{}", one.end_reason)).into_owned());
    let renewed = one.renewed_on.map(|day| page.say1("agreements.renewed_on", "day", day));
    let parts = [Some(term), renewed.or(left), why];
    let is_to_renew = matches!(standing, Standing::EndsSoon | Standing::Expired) && one.renewed_on.is_none();
    Line {
        person: one.person.to_string(),
        path: format!("/people/{}/agreements/{}", one.person, one.agreement),
        household: format!("/households/{}", one.household),
        name: one.name.clone(),
        age: one.birth.map(|birth| visit.today.age_of(birth)),
        place: place_name(one.home),
        tone: standing.tone(),
        mark: page.word(&format!("agreements.standing.{}", standing.key())).into_owned(),
        term: parts.into_iter().flatten().collect::<Vec<_>>().join(" · "),
        packages: joined(page, &packages),
        team: one.team.clone(),
        renew: (may_write && (is_to_renew || standing == Standing::Offered))
            .then(|| format!("/people/{}/agreements/sign", one.person)),
    }
}

/// A resident on the list.
pub(super) struct ResidentLine {
    person: String,
    name: String,
    age: Option<i32>,
    place: String,
    household: String,
    /// Whether the household is another than that of the line before: there it is signed as a whole.
    begins: bool,
    packages: Vec<String>,
    until: Option<Day>,
    ticked: bool,
}

#[derive(Template)]
#[template(path = "agreements_residents.html")]
pub(super) struct ResidentsPage {
    page: Page,
    tabs: Vec<Tab>,
    list: ListQuery,
    lines: Vec<ResidentLine>,
    form: Form,
    action: String,
    may_write: bool,
    has_teams: bool,
}

/// GET `/agreements/residents`: who has an agreement and who has none, household by household.
pub(crate) async fn residents(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let mut form = Form::blank(MANY);
    form.fill("signed_on", visit.today);
    show(&residents_page(&visit, &uri, form, &[]).await?)
}

pub(super) async fn residents_page(
    visit: &Visit,
    uri: &Uri,
    mut form: Form,
    ticked: &[Uuid],
) -> Result<ResidentsPage, Failure> {
    let mut list = ListQuery::read(&RESIDENTS, uri);
    let page = visit.page.clone().titled("agreements.residents");
    offer(&page, &mut list, ("signed", "signed"), &["no", "yes", "all"], "no");
    offer(&page, &mut list, ("who", "who"), &["first", "all"], "all");
    let reach_here = reach(&visit.actor, Purpose::ReadAgreements).unwrap_or_else(|| visit.reach.clone());
    let within = narrowed(&list, &reach_here);
    list.offer("place", place_choices(&reach_here, &within));
    let wanted = ResidentsWanted {
        signed: match list.chosen("signed") {
            Some("yes") => Some(true),
            Some("all") => None,
            _ => Some(false),
        },
        only_first: list.chosen("who") == Some("first"),
        first: First::of(&visit.app.policies, within.place(), visit.today),
        today: visit.today,
    };
    let (limit, offset, today) = (list.paging.limit(), list.paging.offset(), visit.today);
    let place = within.place();
    let read = move |tx: &mut Transaction<'_>| {
        let rows = store::residents(tx, &within, &wanted, (limit, offset))?;
        let total = store::count_residents(tx, &within, &wanted)?;
        let known = store::known_of_all(tx, &rows, today)?;
        let home = rows.first().map_or(place, |one| one.home);
        Ok::<_, DatabaseError>((rows, total, known, store::teams_at(tx, home)?))
    };
    type Read = (Vec<Resident>, i64, HashMap<Uuid, Known>, Vec<Team>);
    let (rows, total, known, teams): Read = visit.app.database.read(read).await?;
    list.found(total.unsigned_abs());
    offer_many(&page, &mut form, visit, &teams);
    let may_write = reach(&visit.actor, Purpose::KeepAgreements).is_some();
    Ok(ResidentsPage {
        lines: resident_lines(visit, &page, &rows, &known, ticked),
        tabs: tabs("/agreements/residents", visit),
        action: uri.path_and_query().map_or_else(|| list.path().to_owned(), |path| path.as_str().to_owned()),
        page: page.clone().to_do(page.count("agreements.residents.found", total), None),
        list,
        form,
        may_write,
        has_teams: !teams.is_empty(),
    })
}

fn resident_lines(
    visit: &Visit,
    page: &Page,
    rows: &[Resident],
    known: &HashMap<Uuid, Known>,
    ticked: &[Uuid],
) -> Vec<ResidentLine> {
    let mut before = None;
    let mut line = |one: &Resident| {
        let names = Names { release: &visit.app.policies, home: one.home, on: visit.today };
        let proposed = known.get(&one.person).zip(names.rules()).map(|(known, rules)| {
            let all = known.proposed(&visit.app.policies, rules, visit.today, false);
            let is_own = |id: &&String| rules.package(id).is_some_and(|package| !package.basic);
            all.iter().filter(is_own).map(|id| names.package(page, id)).collect::<Vec<String>>()
        });
        let begins = before.replace(one.household) != Some(one.household);
        ResidentLine {
            person: one.person.to_string(),
            name: one.name.clone(),
            age: one.birth.map(|birth| visit.today.age_of(birth)),
            place: place_name(one.home),
            household: format!("/households/{}", one.household),
            begins,
            packages: proposed.unwrap_or_default(),
            until: one.until,
            ticked: ticked.contains(&one.person),
        }
    };
    rows.iter().map(&mut line).collect()
}

/// Something due on the list.
struct ItemLine {
    person: String,
    path: String,
    name: String,
    place: String,
    what: String,
    tone: &'static str,
    mark: String,
    text: String,
}

#[derive(Template)]
#[template(path = "agreements_items.html")]
struct ItemsPage {
    page: Page,
    tabs: Vec<Tab>,
    list: ListQuery,
    lines: Vec<ItemLine>,
}

/// GET `/agreements/items`: what is due of agreements.
pub(crate) async fn items(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let mut list = ListQuery::read(&ITEMS, &uri);
    let page = visit.page.clone().titled("agreements.items");
    offer(&page, &mut list, ("which", "which"), &Which::ALL.map(Which::key), Which::default().key());
    let within = narrowed(&list, &visit.reach);
    list.offer("place", place_choices(&visit.reach, &within));
    let which = list.chosen("which").and_then(Which::of_key).unwrap_or_default();
    let wanted = DueWanted { which, today: visit.today, soon_days: SOON_DAYS };
    let (limit, offset) = (list.paging.limit(), list.paging.offset());
    let read = move |tx: &mut Transaction<'_>| {
        let rows = store::due_rows(tx, &within, &wanted, (limit, offset))?;
        Ok::<_, DatabaseError>((rows, store::count_due(tx, &within, &wanted)?))
    };
    let (rows, total) = visit.app.database.read(read).await?;
    list.found(total.unsigned_abs());
    let line = |one: &DueRow| {
        let names = Names { release: &visit.app.policies, home: one.home, on: visit.today };
        let (package, item) = one.item.split_once('.').unwrap_or((one.item.as_str(), ""));
        let (tone, mark, text) = window(&page, &one.window, visit.today);
        ItemLine {
            person: one.person.to_string(),
            path: format!("/people/{}/agreements/{}", one.person, one.agreement),
            name: one.name.clone(),
            place: place_name(one.home),
            what: page.say2(
                "agreements.item_of",
                "item",
                names.item(&page, package, item),
                "package",
                names.package(&page, package),
            ),
            tone,
            mark,
            text,
        }
    };
    show(&ItemsPage {
        lines: rows.iter().map(line).collect(),
        tabs: tabs("/agreements/items", &visit),
        page: page.clone().to_do(page.count("agreements.items.found", total), None),
        list,
    })
}
