//! Years that a later word of the register reaches back into: who would change by how much, then settling them again.

use std::collections::BTreeSet;

use askama::Template;
use axum::response::Response;
use kangmai_base::{Fen, Uuid};
use kangmai_database::DatabaseError;
use kangmai_programme::Visit;
use kangmai_record::Source;
use kangmai_web::{Failure, Flash, FormBody, Page, show};

use super::postings::{payer_name, signed};
use crate::resettling::{Preview, preview, resettle_these};
use crate::settling::Hand;
use crate::store::{PERSON_KIND, count_touched};

/// Person-years that one page shows and one press settles.
const MOST_SHOWN: i64 = 200;

#[derive(Template)]
#[template(path = "settlement_resettle.html")]
struct ResettlePage {
    page: Page,
    rows: Vec<Line>,
    /// What changes for each payer over all that is shown and may be settled: name, amount.
    sums: Vec<(String, String)>,
    total: i64,
    can_be_settled: usize,
}

struct Line {
    person: Uuid,
    name: String,
    year: i32,
    since: kangmai_base::Day,
    is_closed: bool,
    bills: usize,
    /// Persons of whom a bill changes: more than one where a household is settled together.
    people: u64,
    is_told: bool,
    /// What changes for the patients; none if nothing does.
    own: Option<String>,
    /// What changes for the others.
    payers: Vec<(String, String)>,
}

/// GET: the years that wait, each with what settling it again would change.
pub(crate) async fn resettle_form(visit: Visit) -> Result<Response, Failure> {
    let (app, within) = (visit.app.clone(), visit.reach.clone());
    let (found, total) = visit
        .app
        .database
        .read(move |tx| {
            let found = preview(tx, &app, &within, MOST_SHOWN)?;
            Ok::<_, DatabaseError>((found, count_touched(tx, &within)?))
        })
        .await?;
    let place = visit.reach.place();
    let name = |payer: &str| payer_name(&visit.page, &visit.app.policies, place, visit.today, payer);
    let mut sums: std::collections::BTreeMap<String, Fen> = std::collections::BTreeMap::new();
    for one in found.iter().filter(|one| !one.is_closed) {
        for ((_, payer), amount) in one.change.iter().flat_map(|change| &change.payers) {
            *sums.entry(payer.clone()).or_default() += *amount;
        }
    }
    let sums = sums.iter().map(|(payer, amount)| (name(payer), signed(&visit.page, *amount))).collect();
    let can_be_settled = found.iter().filter(|one| !one.is_closed).count();
    let rows = found.into_iter().map(|one| line(&visit.page, one, &name)).collect();
    let years = visit.page.word("settlement.years.title").into_owned();
    let page = visit.page.clone().titled("settlement.resettle.title").under(years, "/years");
    show(&ResettlePage { page, rows, sums, total, can_be_settled })
}

fn line(page: &Page, one: Preview, name: &impl Fn(&str) -> String) -> Line {
    let change = one.change;
    let payers = change.as_ref().map(|change| change.payers.clone()).unwrap_or_default();
    let own = payers.iter().find(|((kind, _), _)| kind == PERSON_KIND).map(|(_, amount)| *amount);
    let others = payers.iter().filter(|((kind, _), _)| kind != PERSON_KIND);
    Line {
        person: one.touched.person,
        name: one.touched.name,
        year: one.touched.year,
        since: one.touched.touched_at.day(),
        is_closed: one.is_closed,
        people: change.as_ref().map_or(0, |change| change.people),
        is_told: one.is_told,
        bills: change.map_or(0, |change| change.bills),
        own: own.map(|amount| signed(page, amount)),
        payers: others.map(|((_, payer), amount)| (name(payer), signed(page, *amount))).collect(),
    }
}

/// POST: settles those that were shown again. What has changed meanwhile is settled as it stands now.
pub(crate) async fn resettle(visit: Visit, body: FormBody) -> Result<Response, Failure> {
    let chosen: BTreeSet<(Uuid, i32)> = body
        .values("year")
        .filter_map(|text| {
            let (person, year) = text.split_once(' ')?;
            Some((super::id_in(person).ok()?, year.parse().ok()?))
        })
        .collect();
    let (app, actor, reach, now) =
        (visit.app.clone(), visit.actor.clone(), visit.reach.clone(), visit.app.clock.now());
    let done = visit
        .app
        .database
        .write(move |tx| {
            let hand = Hand { app: &app, actor: &actor, now, source: Source::Derived };
            resettle_these(tx, &hand, &reach, &chosen, MOST_SHOWN)
        })
        .await?;
    let said = visit.page.say2("settlement.resettled_now", "years", done.changed, "bills", done.bills);
    Ok(Flash::good(said).then_go_to("/resettle"))
}
