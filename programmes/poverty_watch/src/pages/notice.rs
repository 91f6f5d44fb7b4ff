//! The village notice: who, which village, from when to when. Nothing else: no identity number, no telephone, no bank
//! account, nothing of anybody's health, and no cost, which would tell of it.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use kangmai_base::{Day, Uuid};
use kangmai_database::DatabaseError;
use kangmai_people::{find_household, members};
use kangmai_programme::{Visit, place_name};
use kangmai_web::{Failure, Page, show};

use crate::due::clock_at;
use crate::pages::note;
use crate::rules::Stage;
use crate::store;

/// Exactly what a notice may say.
#[derive(Template)]
#[template(path = "poverty_watch_notice.html")]
pub(crate) struct NoticePage {
    pub(crate) page: Page,
    pub(crate) village: String,
    pub(crate) head: String,
    pub(crate) people: usize,
    pub(crate) from: Day,
    pub(crate) to: Day,
    pub(crate) days: i32,
}

/// GET `/warnings/{id}/notice`: once the village reviewed it and until the county decides.
pub(crate) async fn show_notice(visit: Visit, Path(id): Path<Uuid>) -> Result<Response, Failure> {
    let (within, today) = (visit.reach.clone(), visit.today);
    let asked = within.clone();
    let found = visit
        .app
        .database
        .read(move |tx| {
            let Some(row) = store::warning(tx, &asked, id)? else { return Ok(None) };
            let household = find_household(tx, kangmai_base::Id::from_uuid(row.household))?;
            let people = members(tx, kangmai_base::Id::from_uuid(row.household))?;
            Ok::<_, DatabaseError>(household.map(|household| (row, household, people)))
        })
        .await?;
    let Some((row, household, people)) = found else { return Err(Failure::NotFound) };
    if !matches!(row.warning.stage, Stage::Posting | Stage::Notice | Stage::County) {
        return Err(Failure::NotFound);
    }
    let clock = clock_at(&visit.app, row.warning.place, today).ok_or(Failure::NotFound)?;
    note(&visit.app, &visit.actor, "print", Some(row.household), row.warning.place, String::new()).await?;
    let from = row.warning.noticed_on.unwrap_or(today);
    let living = people.iter().filter(|person| person.body.died_on.is_none());
    let near = || people.iter().filter(|person| within.covers(person.home));
    let head = near()
        .find(|person| Some(person.id.uuid()) == household.body.head)
        .or_else(|| near().next())
        .map(|person| person.body.name.clone());
    // The last crumb is printed: the village, never the name of this programme, which speaks of illness.
    let village = place_name(row.warning.place);
    let page = visit.page.titled("poverty_watch.notice").under(village.clone(), format!("/warnings/{id}"));
    show(&NoticePage {
        page,
        village,
        head: head.unwrap_or_default(),
        people: living.count(),
        from,
        to: from.plus_days(clock.notice_days),
        days: clock.notice_days,
    })
}
