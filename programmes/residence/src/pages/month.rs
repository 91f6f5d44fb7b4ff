//! What was done in a month for who was handed over: the evidence that goes back to the place of registration by itself.

use askama::Template;
use axum::http::Uri;
use axum::response::Response;
use kangmai_base::{Day, DivisionCode};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_programme::{Visit, place_choices, place_name};
use kangmai_web::{Choice, Failure, Field, ListQuery, ListSpec, Page, show};

use super::{Tab, tabs};
use crate::facts::Side;
use crate::store::{self, Done, Evidence, EvidenceWanted, Month};

static MONTH: ListSpec = ListSpec {
    filters: &[
        Field::select("side", "residence.filter.side").optional(),
        Field::text("month", "residence.filter.month").at_most(7).optional(),
        Field::select("seen", "residence.filter.seen").optional(),
        Field::select("place", "residence.filter.place").optional(),
    ],
    sorts: &[],
    descending: false,
};

struct Line {
    path: String,
    name: String,
    home: String,
    living: String,
    since: Day,
    was_seen: bool,
    done: Vec<String>,
}

#[derive(Template)]
#[template(path = "residence_month.html")]
struct MonthPage {
    page: Page,
    tabs: Vec<Tab>,
    list: ListQuery,
    lines: Vec<Line>,
    sums: String,
}

/// `2026-11` as its first day.
fn first_day(month: &str) -> Option<Day> {
    let (year, number) = month.trim().split_once('-')?;
    if number.len() != 2 || year.len() != 4 {
        return None;
    }
    Day::from_ymd(year.parse().ok()?, number.parse().ok()?, 1)
}

/// GET `/residence/month`.
pub(crate) async fn page(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let mut list = ListQuery::read(&MONTH, &uri);
    let page = visit.page.clone().titled("residence.month");
    let (year, number, _) = visit.today.ymd();
    let present = Day::from_ymd(year, number, 1).unwrap_or(visit.today);
    let first = list.filter("month").and_then(first_day).unwrap_or(present);
    let month = first.to_string().chars().take(7).collect::<String>();
    list.form.fill("month", &month);
    let choice = |key: &str, word: String| Choice::new(key, page.word(&word));
    list.offer(
        "side",
        Side::ALL.map(|side| choice(side.key(), format!("residence.side.{}", side.key()))).into(),
    );
    list.offer("seen", ["yes", "no"].map(|seen| choice(seen, format!("residence.seen.{seen}"))).into());
    if list.chosen("side").is_none() {
        list.form.fill("side", Side::Home.key());
    }
    let place = list.parsed::<DivisionCode>("place");
    let within = place.map_or_else(|| visit.reach.clone(), |place| visit.reach.narrowed(place));
    list.offer("place", place_choices(&visit.reach, &within));
    let side = list.chosen("side").and_then(Side::of_key).unwrap_or(Side::Home);
    let seen = list.chosen("seen").map(|seen| seen == "yes");
    let wanted = EvidenceWanted { side, month: Month(first), seen };
    let (limit, offset) = (list.paging.limit(), list.paging.offset());
    let read = move |tx: &mut Transaction<'_>| {
        let mut rows = Vec::new();
        for one in store::evidence(tx, &within, &wanted, (limit, offset))? {
            let done = store::done_of(tx, one.person, one.days(wanted.month))?;
            rows.push((one, done));
        }
        let [all, yes, no] = [None, Some(true), Some(false)]
            .map(|seen| store::count_evidence(tx, &within, &EvidenceWanted { seen, ..wanted }));
        Ok::<_, DatabaseError>((rows, [all?, yes?, no?]))
    };
    let (rows, [all, yes, no]): (Vec<(Evidence, Vec<Done>)>, [i64; 3]) =
        visit.app.database.read(read).await?;
    list.found(seen.map_or(all, |seen| if seen { yes } else { no }).unsigned_abs());
    let numbers: [(&str, &dyn std::fmt::Display); 3] = [("all", &all), ("yes", &yes), ("no", &no)];
    let sums = page.say("residence.month.sums", &numbers);
    let lines = rows.iter().map(|(one, done)| line(&page, one, done)).collect();
    show(&MonthPage { tabs: tabs("/residence/month"), list, lines, sums, page })
}

fn line(page: &Page, one: &Evidence, done: &[Done]) -> Line {
    let said = |done: &Done| {
        let what = match done.kind.as_str() {
            "follow_up.visited" => page.word("residence.did.visited"),
            "follow_up.missed" => page.word("residence.did.missed"),
            "agreements.signed" => page.word("residence.did.signed"),
            _ => page.word("residence.did.served"),
        };
        let by = done.by.clone().unwrap_or_default();
        format!("{} {what} {by}", page.iso(done.on)).trim_end().to_owned()
    };
    Line {
        path: format!("/residence/{}", one.hand_over),
        name: one.name.clone(),
        home: place_name(one.home),
        living: place_name(one.living),
        since: one.from_on,
        was_seen: done.iter().any(|done| done.kind == "follow_up.visited"),
        done: done.iter().map(said).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::first_day;

    #[test]
    fn months_are_read() {
        for (text, first) in
            [("2026-11", Some("2026-11-01")), ("2026-13", None), ("2026-1", None), ("", None)]
        {
            assert_eq!(first_day(text).map(|day| day.to_string()).as_deref(), first, "{text}");
        }
    }
}
