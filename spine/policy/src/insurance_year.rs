//! The insurance year: which days count together. The calendar year, unless a place says otherwise.
//!
//! A version says one thing: on its first day a year begins, and on the same day of each year after. Where that is another
//! day than before, the days between the last old beginning and the new one are a rest, and the pack says which year they
//! belong to.

use kangmai_base::{Day, DivisionCode};

use crate::fields::{At, Fields};
use crate::source::Spot;
use crate::words::Word;
use crate::{Source, Sure};

/// The calendar years between which beginnings are worked out; outside them the year is the calendar year.
const YEARS: std::ops::RangeInclusive<i32> = 1950..=2200;

/// Days that count together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InsuranceYear {
    /// What it is called: the calendar year in which it begins.
    pub label: i32,
    /// Its first day.
    pub first: Day,
    /// Its last day.
    pub last: Day,
}

impl InsuranceYear {
    /// 1 January to 31 December.
    pub const fn calendar(label: i32) -> InsuranceYear {
        let (first, last) = (Day::from_ymd(label, 1, 1), Day::from_ymd(label, 12, 31));
        match (first, last) {
            (Some(first), Some(last)) => InsuranceYear { label, first, last },
            // No calendar goes so far.
            _ => InsuranceYear { label, first: Day(i32::MIN), last: Day(i32::MAX) },
        }
    }
}

/// Where the days go that are left of the year under way when years begin on another day than before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// They are a short year of their own.
    Own,
    /// They make the year before them longer.
    WithBefore,
    /// They make the year after them longer.
    WithNext,
}

impl Rest {
    const NAMES: &[&str] = &["own", "with_before", "with_next"];

    fn from_name(name: &str) -> Option<Rest> {
        match name {
            "own" => Some(Rest::Own),
            "with_before" => Some(Rest::WithBefore),
            "with_next" => Some(Rest::WithNext),
            _ => None,
        }
    }
}

/// From when on years begin on which day.
struct Begins {
    from: Day,
    rest: Option<At<Rest>>,
    spot: Spot,
}

/// The insurance years of one place.
#[derive(Debug, Clone)]
pub(crate) struct YearTable {
    pub(crate) path: std::sync::Arc<str>,
    pub(crate) place: DivisionCode,
    /// The first days of its years, rising.
    starts: Vec<Day>,
}

impl YearTable {
    /// The year that `day` lies in.
    pub(crate) fn of_day(&self, day: Day) -> InsuranceYear {
        let at = self.starts.partition_point(|start| *start <= day);
        match (at.checked_sub(1).and_then(|before| self.starts.get(before)), self.starts.get(at)) {
            (Some(first), Some(next)) => {
                InsuranceYear { label: first.year(), first: *first, last: next.plus_days(-1) }
            }
            _ => InsuranceYear::calendar(day.year()),
        }
    }

    /// The year called `label`, if there is one.
    pub(crate) fn called(&self, label: i32) -> Option<InsuranceYear> {
        if !YEARS.contains(&label) {
            return Some(InsuranceYear::calendar(label));
        }
        let first = self.starts.iter().find(|start| start.year() == label)?;
        Some(self.of_day(*first))
    }

    pub(crate) fn read(
        fields: &Fields<'_>,
        (path, place): (std::sync::Arc<str>, DivisionCode),
    ) -> Option<YearTable> {
        let tables = fields.some_tables("version");
        let mut versions: Vec<Begins> = tables.iter().filter_map(read_version).collect();
        fields.finish();
        let is_complete = versions.len() == tables.len();
        versions.sort_by_key(|version| version.from);
        for pair in versions.windows(2) {
            if let [one, other] = pair
                && one.from == other.from
            {
                let error = other.spot.error(Word::ErrTwice, Word::MendTwice);
                fields.push(error.with("value", other.from.to_string()));
            }
        }
        let starts = starts_of(fields, &versions);
        is_complete.then_some(YearTable { path, place, starts })
    }
}

fn read_version(table: &Fields<'_>) -> Option<Begins> {
    let from = table.day("from");
    let rest = table.text_maybe("rest");
    let rest_spot = rest.as_ref().map(|rest| rest.spot.clone());
    let rest = table.chosen(rest, Rest::NAMES, Rest::from_name);
    // They are for the reader, who is told where a rule comes from: nothing is worked out of them.
    let (sure, source) = (Sure::read(table), Source::read(table));
    table.finish();
    let (from, _, _) = (from?, sure?, source?);
    if from.value.ymd().1 == 2 && from.value.ymd().2 == 29 {
        table.push(from.spot.error(Word::ErrLeapDay, Word::MendLeapDay));
        return None;
    }
    let year = from.value.year();
    if !YEARS.contains(&year) || year == *YEARS.start() {
        let error = from.spot.error(Word::ErrYearOutside, Word::MendYearOutside);
        let error = error.with("first", (YEARS.start() + 1).to_string());
        table.push(error.with("last", YEARS.end().to_string()));
        return None;
    }
    let rest = rest.zip(rest_spot).map(|(value, spot)| At { value, spot });
    Some(Begins { from: from.value, rest, spot: from.spot })
}

/// The same day of another year; never 29 February.
fn in_year(day: Day, year: i32) -> Option<Day> {
    let (_, month, date) = day.ymd();
    Day::from_ymd(year, month, date)
}

/// The first days of all years: of calendar years, until the first version says otherwise.
fn starts_of(fields: &Fields<'_>, versions: &[Begins]) -> Vec<Day> {
    let mut begins = InsuranceYear::calendar(*YEARS.start()).first;
    let mut starts = vec![begins];
    let fill = |starts: &mut Vec<Day>, from: Day, to: Day| {
        let days = YEARS.filter_map(|year| in_year(from, year));
        starts.extend(days.filter(|day| *day > from && *day < to));
    };
    for version in versions {
        fill(&mut starts, begins, version.from);
        let is_cut = in_year(begins, version.from.year()) != Some(version.from);
        let rest = join_rest(fields, version, starts.last().copied().filter(|_| is_cut));
        if rest == Some(Rest::WithBefore) {
            starts.pop();
        }
        let before = starts.last().map(|start| start.year());
        if rest != Some(Rest::WithNext) {
            starts.push(version.from);
        }
        if rest == Some(Rest::Own) && before == Some(version.from.year()) {
            let spot = version.rest.as_ref().map_or(&version.spot, |rest| &rest.spot);
            let error = spot.error(Word::ErrYearTwice, Word::MendYearTwice);
            fields.push(error.with("year", version.from.year().to_string()));
        }
        begins = version.from;
    }
    fill(&mut starts, begins, Day(i32::MAX));
    starts
}

/// What a version says of the rest that begins on `rest`, if there is one. It must say so exactly then.
fn join_rest(fields: &Fields<'_>, version: &Begins, rest: Option<Day>) -> Option<Rest> {
    match (&version.rest, rest) {
        (Some(said), Some(_)) => Some(said.value),
        (None, None) => None,
        (None, Some(first)) => {
            let error = version.spot.error(Word::ErrNoRest, Word::MendNoRest);
            let last = version.from.plus_days(-1);
            fields.push(error.with("from", first.to_string()).with("to", last.to_string()));
            None
        }
        (Some(said), None) => {
            fields.push(said.spot.error(Word::ErrIdleRest, Word::MendIdleRest));
            None
        }
    }
}
