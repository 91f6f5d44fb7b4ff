//! What a township looks at: how its villages stand, who wrote how many visits down, and whether figures look measured. Plain
//! counts without a verdict: each opens its visits, and whoever reads them judges.

use askama::Template;
use axum::http::Uri;
use axum::response::Response;
use kangmai_access::{Purpose, Reach, reach};
use kangmai_base::{Day, DivisionCode, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_places::{Division, Divisions};
use kangmai_programme::{Visit, place_choices, place_name};
use kangmai_web::{BarChart, Failure, Field, Figure, ListQuery, ListSpec, Page, show};

use crate::facts::Satisfaction;
use crate::store::{self, Author, PlaceSum, VisitRow, VisitsWanted};

static WORK: ListSpec = ListSpec {
    filters: &[
        Field::text("month", "follow_up.filter.month").at_most(7).optional(),
        Field::select("place", "follow_up.filter.place").optional(),
        Field { label: "follow_up.column.by", ..Field::hidden("author") },
    ],
    sorts: &[],
    descending: false,
};

static VISITS: ListSpec = ListSpec {
    filters: &[
        Field::text("month", "follow_up.filter.month").at_most(7).optional(),
        Field::select("place", "follow_up.filter.place").optional(),
        Field { label: "follow_up.column.by", ..Field::hidden("author") },
        Field { label: "follow_up.filter.ends", ..Field::hidden("ends") },
        Field { label: "follow_up.filter.hour", ..Field::hidden("hour") },
        Field { label: "follow_up.field.opinion", ..Field::hidden("satisfied") },
    ],
    sorts: &[],
    descending: false,
};

/// So many answers at least make a figure of satisfaction: fewer tell who said what. Our own choice.
pub(crate) const LEAST_ANSWERS: i64 = 5;

fn is_satisfaction(key: &str) -> bool {
    key == "any" || Satisfaction::of_key(key).is_some()
}

/// What is asked: the month in words and days, the place, who.
struct Asked {
    month: String,
    wanted: VisitsWanted,
    within: Reach,
}

/// `2026-11` as its first day.
fn first_day(month: &str) -> Option<Day> {
    let (year, number) = month.trim().split_once('-')?;
    if number.len() != 2 || year.len() != 4 {
        return None;
    }
    Day::from_ymd(year.parse().ok()?, number.parse().ok()?, 1)
}

fn asked(visit: &Visit, list: &mut ListQuery) -> Asked {
    let today = visit.today;
    let first = list.filter("month").and_then(first_day);
    let first = first.unwrap_or_else(|| store::first_of_next_month(today).plus_months(-1));
    let month = first.to_string().chars().take(7).collect::<String>();
    list.form.fill("month", &month);
    let place = list.parsed::<DivisionCode>("place");
    let within = place.map_or_else(|| visit.reach.clone(), |place| visit.reach.narrowed(place));
    let ends = list.filter("ends").and_then(|text| text.chars().next()).filter(char::is_ascii_digit);
    let wanted = VisitsWanted {
        from: first,
        to: store::first_of_next_month(first).plus_days(-1),
        author: list.parsed::<Uuid>("author"),
        ends,
        hour: list.parsed::<i64>("hour").filter(|hour| (0..24).contains(hour)),
        satisfied: list.filter("satisfied").map(str::to_owned).filter(|key| is_satisfaction(key)),
    };
    list.offer("place", place_choices(&visit.reach, &within));
    Asked { month, wanted, within }
}

/// A line of the table of places.
struct PlaceLine {
    name: String,
    code: String,
    sum: PlaceSum,
    /// `8/10`, where enough were asked.
    satisfied: Option<String>,
}

/// A line of the table of who wrote visits down.
struct AuthorLine {
    name: String,
    account: String,
    author: Author,
    zeros: String,
    repeats: String,
    devices: String,
}

#[derive(Template)]
#[template(path = "follow_up_work.html")]
struct WorkPage {
    page: Page,
    list: ListQuery,
    month: String,
    place: String,
    places: Vec<PlaceLine>,
    authors: Vec<AuthorLine>,
    /// Whose pattern is shown, if one person's.
    whose: Option<String>,
    of_author: String,
    digits: BarChart,
    digit_links: Vec<(String, i64)>,
    hours: BarChart,
    hour_links: Vec<(String, i64)>,
    has_visits: bool,
    /// Whether the reader has the page of phones.
    has_phones: bool,
}

/// The divisions right below a place, with what lies in each; homes of the place itself stand under its own name.
fn by_child(
    place: DivisionCode,
    homes: &std::collections::BTreeMap<DivisionCode, PlaceSum>,
) -> Vec<PlaceLine> {
    let division = Divisions::shipped().get(place);
    let children = division.map(Division::children).unwrap_or_default();
    let codes: Vec<DivisionCode> = children.iter().map(|child| child.code()).collect();
    let mut sums: std::collections::BTreeMap<DivisionCode, PlaceSum> = std::collections::BTreeMap::new();
    for (home, sum) in homes {
        let child = codes.iter().find(|code| code.contains(*home)).copied().unwrap_or(place);
        let all = sums.entry(child).or_default();
        all.managed += sum.managed;
        all.due += sum.due;
        all.late += sum.late;
        all.visits += sum.visits;
        all.satisfied += sum.satisfied;
        all.asked += sum.asked;
    }
    let mut lines: Vec<PlaceLine> = sums
        .into_iter()
        .map(|(code, sum)| PlaceLine {
            name: place_name(code),
            code: code.to_string(),
            satisfied: (sum.asked >= LEAST_ANSWERS).then(|| format!("{}/{}", sum.satisfied, sum.asked)),
            sum,
        })
        .collect();
    lines.sort_by_key(|line| std::cmp::Reverse(line.sum.late));
    lines
}

/// `62.5%`, rounded down at the first decimal; a dash of nothing.
fn share(part: i64, whole: i64) -> String {
    if whole == 0 {
        return "—".to_owned();
    }
    let thousandths = part * 1_000 / whole;
    format!("{}.{}%", thousandths / 10, thousandths % 10)
}

/// GET `/follow-up/work`: how the villages stand, and how visits were written down, in one month.
pub(crate) async fn page(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let mut list = ListQuery::read(&WORK, &uri);
    let asked = asked(&visit, &mut list);
    let (within, wanted, today) = (asked.within.clone(), asked.wanted.clone(), visit.today);
    let read = move |tx: &mut Transaction<'_>| -> Result<_, DatabaseError> {
        let places = store::places(tx, &within, &wanted, today)?;
        let authors = store::authors(tx, &within, &wanted)?;
        Ok((places, authors, store::pattern(tx, &within, &wanted)?))
    };
    let (places, authors, (digits, hours)) = visit.app.database.read(read).await?;
    let page = visit.page.clone().titled("follow_up.work");
    let name = |author: &Author| {
        author.name.clone().unwrap_or_else(|| page.word("follow_up.by.program").into_owned())
    };
    let whose = authors.iter().find(|author| Some(author.account) == asked.wanted.author).map(name);
    let (digit_chart, digit_links) = digit_chart(&page, &digits);
    let (hour_chart, hour_links) = hour_chart(&page, &hours);
    let lines = authors.iter().map(|author| AuthorLine {
        name: name(author),
        account: author.account.to_string(),
        zeros: share(author.zeros, author.numbers),
        repeats: share(author.repeats, author.visits),
        devices: share(author.devices, author.visits),
        author: author.clone(),
    });
    let authors = lines.collect();
    show(&WorkPage {
        list,
        month: asked.month,
        place: asked.within.place().to_string(),
        places: by_child(asked.within.place(), &places),
        authors,
        whose,
        of_author: asked.wanted.author.map(|author| format!("&author={author}")).unwrap_or_default(),
        has_visits: hours.iter().sum::<i64>() > 0,
        has_phones: reach(&visit.actor, Purpose::RecordVisits).is_some(),
        digits: digit_chart,
        digit_links,
        hours: hour_chart,
        hour_links,
        page,
    })
}

#[expect(clippy::cast_precision_loss, reason = "the height of a bar")]
fn chart(page: &Page, (title, lead): (&str, &str), labels: &[String], values: &[i64]) -> BarChart {
    let title = page.word(title).into_owned();
    BarChart {
        description: page.word(lead).into_owned(),
        figure: Figure::Count,
        labels: labels.to_vec(),
        series: vec![(title.clone(), values.iter().map(|value| *value as f64).collect())],
        stacked: false,
        lying: false,
        limit: None,
        title,
    }
}

type Links = Vec<(String, i64)>;

fn digit_chart(page: &Page, digits: &[i64; 10]) -> (BarChart, Links) {
    let labels: Vec<String> = (0..10).map(|digit| digit.to_string()).collect();
    let heads = ("follow_up.work.digits", "follow_up.work.digits.lead");
    let links = labels.iter().cloned().zip(digits.iter().copied()).collect();
    (chart(page, heads, &labels, digits), links)
}

fn hour_chart(page: &Page, hours: &[i64; 24]) -> (BarChart, Links) {
    let labels: Vec<String> = (0..24).map(|hour| hour.to_string()).collect();
    let heads = ("follow_up.work.hours", "follow_up.work.hours.lead");
    let links = labels.iter().cloned().zip(hours.iter().copied()).collect();
    (chart(page, heads, &labels, hours), links)
}

/// A visit on the list.
struct VisitLine {
    row: VisitRow,
    place: String,
    way: String,
    by: String,
}

#[derive(Template)]
#[template(path = "follow_up_visits.html")]
struct VisitsPage {
    page: Page,
    list: ListQuery,
    lines: Vec<VisitLine>,
    /// Of which digit or hour, in words.
    only: Vec<String>,
}

/// GET `/follow-up/visits`: the visits behind a count.
pub(crate) async fn visits(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let mut list = ListQuery::read(&VISITS, &uri);
    let asked = asked(&visit, &mut list);
    let (limit, offset) = (list.paging.limit(), list.paging.offset());
    let (within, wanted) = (asked.within.clone(), asked.wanted.clone());
    let read = move |tx: &mut Transaction<'_>| store::visits(tx, &within, &wanted, (limit, offset));
    let (rows, count) = visit.app.database.read(read).await?;
    list.found(count.unsigned_abs());
    let page = visit.page.clone().titled("follow_up.visits");
    let page = page.under(visit.page.word("follow_up.work"), "/follow-up/work");
    let mut only = Vec::new();
    only.extend(asked.wanted.ends.map(|digit| page.say1("follow_up.visits.ends", "digit", digit)));
    only.extend(
        asked
            .wanted
            .satisfied
            .as_ref()
            .map(|key| page.word(&format!("follow_up.opinion.{key}")).into_owned()),
    );
    only.extend(asked.wanted.hour.map(|hour| page.say1("follow_up.visits.hour", "hour", hour)));
    let line = |row: VisitRow| VisitLine {
        place: place_name(row.home),
        way: page.word(&format!("follow_up.way.{}", row.way)).into_owned(),
        by: row.by.clone().unwrap_or_else(|| page.word("follow_up.by.program").into_owned()),
        row,
    };
    let lines = rows.into_iter().map(line).collect();
    show(&VisitsPage { page, list, lines, only })
}

#[cfg(test)]
mod tests {
    use super::{first_day, share};

    #[test]
    fn months_are_read_and_shares_are_said() {
        for (text, first) in [
            ("2026-11", Some("2026-11-01")),
            (" 2026-01 ", Some("2026-01-01")),
            ("2026-13", None),
            ("2026-1", None),
            ("2026", None),
            ("", None),
        ] {
            assert_eq!(first_day(text).map(|day| day.to_string()).as_deref(), first, "{text}");
        }
        for (part, whole, said) in
            [(0, 0, "—"), (0, 8, "0.0%"), (5, 8, "62.5%"), (8, 8, "100.0%"), (2, 3, "66.6%")]
        {
            assert_eq!(share(part, whole), said);
        }
    }
}
