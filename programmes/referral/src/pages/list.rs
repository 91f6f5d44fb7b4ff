//! The lists of referrals: where one was asked, what one sent, and everything of a place. None says why somebody was referred.

use askama::Template;
use axum::http::Uri;
use axum::response::Response;
use kangmai_access::Reach;
use kangmai_base::DivisionCode;
use kangmai_database::{DatabaseError, Transaction};
use kangmai_programme::{Visit, place_choices, place_name};
use kangmai_web::{Choice, Failure, Field, ListQuery, ListSpec, Page, show};

use crate::facts::Direction;
use crate::folder::Stage;
use crate::rules::days_of;
use crate::sentences::{stage_word, tone, urgency};
use crate::store::{self, Cuts, Listed, Wanted};

static LIST: ListSpec = ListSpec {
    filters: &[
        Field::select("whose", "referral.filter.whose").optional(),
        Field::select("state", "referral.filter.state").optional(),
        Field::select("place", "referral.filter.place").optional(),
    ],
    sorts: &[],
    descending: false,
};
/// Referrals of level 5 that are opened from the list, each without a name.
const MOST_HIDDEN: i64 = 50;
/// The states that a list can be asked for.
const STATES: [&str; 12] = [
    "open",
    "waiting",
    "accepted",
    "here",
    "decide",
    "late",
    "refused",
    "absent",
    "closed",
    "to_answer",
    "to_come",
    "to_return",
];

/// A list, for the line that leads from one to the other.
pub(super) struct Tab {
    pub(super) word: &'static str,
    pub(super) path: &'static str,
    pub(super) is_here: bool,
}

/// The lists; who reaches nobody by place has none of visits.
pub(super) fn tabs(visit: &Visit, here: &str) -> Vec<Tab> {
    let by_place = is_by_place(visit);
    let all = [
        ("referral.tab.in", "/referrals?whose=in", visit.actor.post().is_any()),
        ("referral.tab.out", "/referrals?whose=out", visit.actor.post().is_any()),
        ("referral.tab.all", "/referrals?whose=all", by_place),
        ("referral.tab.visits", "/referrals/visits", by_place),
    ];
    let shown = all.into_iter().filter(|(.., shown)| *shown);
    shown.map(|(word, path, _)| Tab { word, path, is_here: path == here }).collect()
}

/// Whether the reader reads everything of a place.
pub(super) fn is_by_place(visit: &Visit) -> bool {
    visit.reach.institution().is_none() && !visit.actor.role.reaches_by_relation()
}

/// A referral on the list.
struct Line {
    path: String,
    person: Option<String>,
    name: String,
    age: Option<i32>,
    place: String,
    urgency: (&'static str, String),
    tone: &'static str,
    mark: String,
    due: Option<(&'static str, String)>,
    what: String,
    opened: String,
}

#[derive(Template)]
#[template(path = "referral_list.html")]
struct ListPage {
    page: Page,
    tabs: Vec<Tab>,
    list: ListQuery,
    lines: Vec<Line>,
    /// What is of level 5: how many, and for who treats the way to each.
    hidden: i64,
    hidden_links: Vec<(String, String)>,
}

fn usual_whose(visit: &Visit) -> &'static str {
    if visit.actor.post().is_any() { "in" } else { "all" }
}

fn wanted_of(visit: &Visit, list: &ListQuery) -> Wanted {
    let whose = match list.chosen("whose") {
        Some("in") => "in",
        Some("out") => "out",
        Some("all") => "all",
        _ => usual_whose(visit),
    };
    let rules = visit.app.policies.referral(visit.actor.place, visit.today);
    Wanted {
        whose,
        state: list.chosen("state").unwrap_or("open").to_owned(),
        place: list.parsed::<DivisionCode>("place"),
        cuts: Cuts::of(rules, visit.today, 0),
        today: visit.today,
        sensitive: false,
    }
}

fn offer(visit: &Visit, list: &mut ListQuery) {
    let page = &visit.page;
    let choice = |word: &str, key: &str| Choice::new(key, page.word(&format!("referral.{word}.{key}")));
    list.offer("whose", ["in", "out", "all"].map(|key| choice("whose", key)).to_vec());
    let mut states: Vec<Choice> = STATES.iter().map(|key| choice("state", key)).collect();
    states.push(choice("state", "all"));
    list.offer("state", states);
    for (name, usual) in [("whose", usual_whose(visit)), ("state", "open")] {
        if list.chosen(name).is_none() {
            list.form.fill(name, usual);
        }
    }
    let place = list.parsed::<DivisionCode>("place");
    let within: Reach = place.map_or_else(|| visit.reach.clone(), |place| visit.reach.narrowed(place));
    list.offer("place", place_choices(&visit.reach, &within));
}

/// GET `/referrals`.
pub(crate) async fn page(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let mut list = ListQuery::read(&LIST, &uri);
    offer(&visit, &mut list);
    let wanted = wanted_of(&visit, &list);
    let (limit, offset) = (list.paging.limit(), list.paging.offset());
    let (actor, within, asked) = (visit.actor.clone(), visit.reach.clone(), wanted.clone());
    let may_open = visit.reach.sensitive();
    let read = move |tx: &mut Transaction<'_>| {
        let who = (&actor, &within);
        let rows = store::listed(tx, who, &asked, (limit, offset))?;
        let total = store::count(tx, who, &asked)?;
        let secret = Wanted { sensitive: true, ..asked };
        let hidden = store::count(tx, who, &secret)?;
        let opened = may_open && hidden > 0;
        let secret = if opened { store::listed(tx, who, &secret, (MOST_HIDDEN, 0))? } else { Vec::new() };
        Ok::<_, DatabaseError>((rows, total, hidden, secret))
    };
    let (rows, total, hidden, secret) = visit.app.database.read(read).await?;
    list.found(total.unsigned_abs());
    let page = visit.page.clone().titled("referral.title");
    let here = format!("/referrals?whose={}", wanted.whose);
    let hidden_link = |one: &Listed| {
        let stage = stage_word(&page, one.stage, &one.outcome);
        let text = page.say2("referral.hidden.one", "day", one.opened_on, "stage", stage);
        (text, format!("/people/{}/referrals/{}", one.person, one.referral))
    };
    show(&ListPage {
        tabs: tabs(&visit, &here),
        lines: rows.iter().map(|one| line_of(&visit, &page, one)).collect(),
        hidden,
        hidden_links: secret.iter().map(hidden_link).collect(),
        list,
        page: page.clone().to_do(page.count("referral.found", total), None),
    })
}

fn line_of(visit: &Visit, page: &Page, one: &Listed) -> Line {
    let rules = visit.app.policies.referral(visit.actor.place, visit.today);
    let days = rules.and_then(|rules| days_of(one.stage, one.direction, one.urgency, rules));
    let due = days.map(|days| one.waits_since.plus_days(days));
    let from = one.from.clone().unwrap_or_else(|| place_name(one.from_place));
    let key = match one.direction {
        Direction::Up => "referral.way.up",
        Direction::Down => "referral.way.down",
    };
    // Who reaches nobody by place finds the person's page from the referral's own.
    let reaches = visit.reach.covers(one.home);
    Line {
        path: format!("/people/{}/referrals/{}", one.person, one.referral),
        person: reaches.then(|| format!("/people/{}", one.person)),
        name: one.name.clone(),
        age: one.birth.map(|birth| visit.today.age_of(birth)),
        place: place_name(one.home),
        urgency: urgency(page, one.urgency),
        tone: tone(one.stage),
        mark: stage_word(page, one.stage, &one.outcome),
        due: due
            .filter(|_| one.stage != Stage::Closed)
            .map(|due| (page.deadline_tone(due, visit.today), page.days_left(due, visit.today))),
        what: page.say2(key, "from", from, "to", &one.to),
        opened: one.opened_on.to_string(),
    }
}
