//! Figures of a place: each opens its list; one of them compared over the divisions right below.

use askama::Template;
use axum::http::Uri;
use axum::response::Response;
use kangmai_access::{Actor, Reach, reach};
use kangmai_base::{DivisionCode, Fen, round_half_up};
use kangmai_database::DatabaseError;
use kangmai_places::Divisions;
use kangmai_programme::{Counted, Figure, FigureValue, Visit};
use kangmai_web::{
    BarChart, Crumb, Failure, Field, Figure as Written, ListQuery, ListSpec, Page, Stat, show,
};

/// Divisions that one chart compares.
const MOST_BARS: usize = 60;

static LIST: ListSpec = ListSpec {
    filters: &[
        Field::text("place", "server.figures.place").optional(),
        Field::text("figure", "server.figures.figure").optional(),
    ],
    sorts: &["figure"],
    descending: false,
};

#[derive(Template)]
#[template(path = "office_figures.html")]
struct FiguresPage {
    page: Page,
    stats: Vec<Shown>,
    below: Vec<(String, String)>,
    chart: Option<BarChart>,
}

struct Shown {
    stat: Stat,
    compare: String,
}

type Valued = (&'static Figure, Counted);

pub(super) async fn show_figures(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let list = ListQuery::read(&LIST, &uri);
    let asked = list.parsed::<DivisionCode>("place").filter(|place| visit.reach.covers(*place));
    let place = asked.unwrap_or_else(|| visit.reach.place());
    let chosen = list.filter("figure").map(str::to_owned);
    let children = children_of(place);
    let compared: Vec<DivisionCode> = children.iter().map(|(code, _)| *code).take(MOST_BARS).collect();
    let (app, actor, today) = (visit.app.clone(), visit.actor.clone(), visit.today);
    let (values, mut bars) = visit
        .app
        .database
        .read(move |tx| -> Result<(Vec<Valued>, Vec<Valued>), DatabaseError> {
            let (mut values, mut bars) = (Vec::new(), Vec::new());
            for figure in app.programmes.iter().flat_map(|programme| programme.figures) {
                let Some(reach) = reach(&actor, figure.purpose) else { continue };
                let counted = app.figure_book().value(tx, &app, figure, &reach.narrowed(place), today)?;
                values.push((figure, counted));
                if chosen.as_deref() == Some(figure.word) {
                    for child in &compared {
                        let reach = reach.narrowed(*child);
                        bars.push((figure, app.figure_book().value(tx, &app, figure, &reach, today)?));
                    }
                }
            }
            Ok((values, bars))
        })
        .await?;
    let mut page = visit.page.titled("server.figures");
    page.as_of = counted_at(values.iter().chain(&bars).map(|(_, counted)| counted));
    page.crumbs = crumbs(place, &visit.reach);
    let stats = values
        .iter()
        .map(|(figure, counted)| Shown {
            stat: stat_of(&page, figure, counted.value, &visit.actor, place),
            compare: format!("/figures?place={place}&figure={}", figure.word),
        })
        .collect();
    for (figure, counted) in &mut bars {
        counted.value = told(figure, counted.value, &visit.actor).0;
    }
    let chart = chart_of(&page, &children, &bars);
    let below = children.into_iter().map(|(code, name)| (name, format!("/figures?place={code}"))).collect();
    show(&FiguresPage { page, stats, below, chart })
}

fn children_of(place: DivisionCode) -> Vec<(DivisionCode, String)> {
    let divisions = Divisions::shipped();
    let children = match divisions.get(place) {
        Some(division) => division.children(),
        None => divisions.provinces(),
    };
    children.into_iter().map(|child| (child.code(), child.short_name())).collect()
}

/// The path to `place`; the steps within reach lead to their figures.
fn crumbs(place: DivisionCode, reach: &Reach) -> Vec<Crumb> {
    let path = Divisions::shipped().get(place).map(kangmai_places::Division::path).unwrap_or_default();
    path.into_iter()
        .map(|division| {
            let code = division.code();
            let leads = code != place && reach.covers(code);
            Crumb { word: division.short_name(), path: leads.then(|| format!("/figures?place={code}")) }
        })
        .collect()
}

/// The time at which the oldest was counted, to the minute.
pub(super) fn counted_at<'c>(counted: impl Iterator<Item = &'c Counted>) -> String {
    let oldest = counted.map(|counted| counted.at).min();
    oldest.map_or_else(String::new, |at| {
        let (hour, minute, _) = at.hms();
        format!("{} {hour:02}:{minute:02}", at.day())
    })
}

/// A figure as it stands on a page: opens its list for who may read that.
pub(super) fn stat_of(
    page: &Page,
    figure: &Figure,
    value: FigureValue,
    actor: &Actor,
    place: DivisionCode,
) -> Stat {
    let label = page.word(figure.word).into_owned();
    let mut definition = page.word(&format!("{}.definition", figure.word)).into_owned();
    let (value, opens) = told(figure, value, actor);
    if !opens {
        definition.push_str(&page.word("server.figures.coarse"));
    }
    let stat = match value {
        FigureValue::Count(count) => Stat::new(page.number(count), label),
        FigureValue::Amount(amount) => {
            Stat::new(page.money(amount), label).unit(page.word("web.unit.yuan").into_owned())
        }
        FigureValue::Ratio { whole: 0, .. } => Stat::new("—", label),
        FigureValue::Ratio { part, whole, money } => {
            let say = |value: i64| if money { page.money(Fen(value)) } else { page.number(value) };
            Stat::new(percent(part, whole), label).ratio(say(part), say(whole))
        }
    };
    let stat = stat.defined(definition);
    if opens { stat.opens(figure.list.replace("{place}", &place.to_string())) } else { stat }
}

/// A figure as `actor` is told it, and whether they may open the list behind it.
fn told(figure: &Figure, value: FigureValue, actor: &Actor) -> (FigureValue, bool) {
    let opens = reach(actor, figure.list_purpose).is_some();
    (if opens { value } else { value.coarse() }, opens)
}

/// `86.2%`, rounded half up at the first decimal.
fn percent(part: i64, whole: i64) -> String {
    let thousandths = round_half_up(i128::from(part) * 1_000, i128::from(whole.max(1)));
    format!("{}.{}%", thousandths / 10, (thousandths % 10).abs())
}

fn chart_of(page: &Page, children: &[(DivisionCode, String)], bars: &[Valued]) -> Option<BarChart> {
    let (figure, first) = bars.first()?;
    let written = match first.value {
        FigureValue::Count(_) => Written::Count,
        FigureValue::Amount(_) => Written::Yuan,
        FigureValue::Ratio { .. } => Written::Percent,
    };
    let title = page.word(figure.word).into_owned();
    Some(BarChart {
        description: page.say1("server.figures.compared", "figure", &title),
        figure: written,
        labels: children.iter().take(bars.len()).map(|(_, name)| name.clone()).collect(),
        series: vec![(title.clone(), bars.iter().map(|(_, value)| height(value.value)).collect())],
        stacked: false,
        lying: true,
        limit: None,
        title,
    })
}

#[expect(clippy::cast_precision_loss, reason = "the height of a bar")]
fn height(value: FigureValue) -> f64 {
    match value {
        FigureValue::Count(count) => count as f64,
        FigureValue::Amount(amount) => kangmai_web::yuan_of(amount),
        FigureValue::Ratio { part, whole, .. } => part as f64 * 100.0 / whole.max(1) as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn a_share_is_rounded_half_up() {
        for (part, whole, expected) in
            [(0, 7, "0.0%"), (1, 2, "50.0%"), (2, 3, "66.7%"), (9_999, 10_000, "100.0%")]
        {
            assert_eq!(percent(part, whole), expected);
        }
    }
}
