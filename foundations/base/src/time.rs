//! Time: civil days, moments, and the clock that is always a parameter.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A civil day, counted from 1970-01-01. All days are days in China (UTC+8, no summer time).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i32);

/// A text that is no day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a day such as 2026-03-05: {0:?}")]
pub struct NotADay(String);

impl Day {
    /// The day `year`-`month`-`day`, or `None` if the calendar has no such day.
    ///
    /// Takes years 1 to 9999. The arithmetic counts in 400-year cycles that begin on 1 March.
    pub const fn from_ymd(year: i32, month: u32, day: u32) -> Option<Day> {
        if year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) {
            return None;
        }
        let shifted_year = if month <= 2 { year - 1 } else { year };
        let cycle = shifted_year.div_euclid(400);
        let year_of_cycle = shifted_year.rem_euclid(400);
        let month_from_march = (month as i32 + 9) % 12;
        let day_of_year = (153 * month_from_march + 2) / 5 + day as i32 - 1;
        let day_of_cycle = year_of_cycle * 365 + year_of_cycle / 4 - year_of_cycle / 100 + day_of_year;
        Some(Day(cycle * 146_097 + day_of_cycle - 719_468))
    }

    /// Year, month (1 to 12), day (1 to 31).
    pub const fn ymd(self) -> (i32, u32, u32) {
        let shifted = self.0 + 719_468;
        let cycle = shifted.div_euclid(146_097);
        let day_of_cycle = shifted.rem_euclid(146_097);
        let year_of_cycle =
            (day_of_cycle - day_of_cycle / 1_460 + day_of_cycle / 36_524 - day_of_cycle / 146_096) / 365;
        let day_of_year = day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = year_of_cycle + cycle * 400 + (month <= 2) as i32;
        (year, month as u32, day as u32)
    }

    /// The year.
    pub const fn year(self) -> i32 {
        self.ymd().0
    }

    /// 1 January of this day's year.
    pub const fn start_of_year(self) -> Day {
        match Day::from_ymd(self.year(), 1, 1) {
            Some(day) => day,
            None => self,
        }
    }

    /// `days` later (or earlier).
    pub const fn plus_days(self, days: i32) -> Day {
        Day(self.0.saturating_add(days))
    }

    /// The same day of the month `months` later; the last day of that month if it is shorter.
    pub const fn plus_months(self, months: i32) -> Day {
        let (year, month, day) = self.ymd();
        let counted = year * 12 + month as i32 - 1 + months;
        let (year, month) = (counted.div_euclid(12), counted.rem_euclid(12) as u32 + 1);
        let last = days_in_month(year, month);
        match Day::from_ymd(year, month, if day < last { day } else { last }) {
            Some(day) => day,
            None => self,
        }
    }

    /// Whole days from `earlier` to this day.
    pub const fn days_since(self, earlier: Day) -> i32 {
        self.0.saturating_sub(earlier.0)
    }

    /// Completed years of life on this day of somebody born on `birth`. Born on 29 February: older on 1 March.
    pub const fn age_of(self, birth: Day) -> i32 {
        let (year, month, day) = self.ymd();
        let (birth_year, birth_month, birth_day) = birth.ymd();
        let before_birthday = month < birth_month || (month == birth_month && day < birth_day);
        year - birth_year - before_birthday as i32
    }

    /// `2026年3月5日`, for Chinese text.
    pub fn in_chinese(self) -> String {
        let (year, month, day) = self.ymd();
        format!("{year}年{month}月{day}日")
    }
}

const fn days_in_month(year: i32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// `2026-03-05`.
impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.ymd();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

/// Reads `2026-03-05`, `2026/3/5`, `2026.3.5`, `20260305` and `2026年3月5日`, each perhaps with a time behind it,
/// which is dropped: what registers in townships really hold.
impl FromStr for Day {
    type Err = NotADay;

    fn from_str(text: &str) -> Result<Day, NotADay> {
        let error = || NotADay(text.to_owned());
        let date = text.trim().split([' ', 'T']).next().unwrap_or_default();
        if date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit()) {
            let number: u32 = date.parse().map_err(|_| error())?;
            return Day::from_ymd((number / 10_000) as i32, number / 100 % 100, number % 100)
                .ok_or_else(error);
        }
        let mut parts = date.trim_end_matches('日').split(['-', '/', '.', '年', '月']);
        let mut part = |longest: usize| {
            let part = parts.next().filter(|part| !part.is_empty() && part.len() <= longest)?;
            part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<u32>().ok()).flatten()
        };
        let (year, month, day) = (part(4), part(2), part(2));
        match (year, month, day, parts.next()) {
            (Some(year), Some(month), Some(day), None) => {
                Day::from_ymd(year as i32, month, day).ok_or_else(error)
            }
            _ => Err(error()),
        }
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Day, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// An instant: microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment(pub i64);

/// China's offset from UTC.
const CHINA_MICROSECONDS: i64 = 8 * 3_600 * Moment::SECOND;

impl Moment {
    /// Microseconds in a second.
    pub const SECOND: i64 = 1_000_000;
    const DAY: i64 = 86_400 * Moment::SECOND;

    /// The civil day in China.
    pub const fn day(self) -> Day {
        Day(self.0.saturating_add(CHINA_MICROSECONDS).div_euclid(Moment::DAY) as i32)
    }

    /// 00:00 in China on `day`.
    pub const fn start_of(day: Day) -> Moment {
        Moment(day.0 as i64 * Moment::DAY - CHINA_MICROSECONDS)
    }

    /// `seconds` later (or earlier).
    pub const fn plus_seconds(self, seconds: i64) -> Moment {
        Moment(self.0.saturating_add(seconds.saturating_mul(Moment::SECOND)))
    }

    /// Hour, minute, second of the day in China.
    pub const fn hms(self) -> (u32, u32, u32) {
        let seconds = self.0.saturating_add(CHINA_MICROSECONDS).rem_euclid(Moment::DAY) / Moment::SECOND;
        ((seconds / 3_600) as u32, (seconds / 60 % 60) as u32, (seconds % 60) as u32)
    }
}

/// `2026-03-05 08:30`, in China.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hour, minute, _) = self.hms();
        write!(f, "{} {hour:02}:{minute:02}", self.day())
    }
}

/// Where "now" comes from. Passed in, so that midnight, New Year and a wrong clock can be tested.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Moment;

    /// The present civil day in China.
    fn today(&self) -> Day {
        self.now().day()
    }
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> Moment {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Moment(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// A clock that stands where it was put and moves when told; for tests and for `--as-of`.
#[derive(Debug)]
pub struct FixedClock(std::sync::atomic::AtomicI64);

impl FixedClock {
    /// Stands at `moment`.
    pub fn at(moment: Moment) -> FixedClock {
        FixedClock(std::sync::atomic::AtomicI64::new(moment.0))
    }

    /// Stands at noon of `day`.
    pub fn on(day: Day) -> FixedClock {
        FixedClock::at(Moment::start_of(day).plus_seconds(12 * 3_600))
    }

    /// Moves on by `seconds`.
    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds * Moment::SECOND, std::sync::atomic::Ordering::SeqCst);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Moment {
        Moment(self.0.load(std::sync::atomic::Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> Day {
        text.parse().expect("a day")
    }

    #[test]
    fn reads_the_dates_that_registers_hold() {
        for (text, expected) in [
            ("2026-03-05", Some("2026-03-05")),
            ("2026/3/5", Some("2026-03-05")),
            ("2026.3.5", Some("2026-03-05")),
            ("20260305", Some("2026-03-05")),
            ("2026年3月5日", Some("2026-03-05")),
            ("2026-03-05 23:59:59", Some("2026-03-05")),
            ("2026-03-05T00:00:00", Some("2026-03-05")),
            ("2024-02-29", Some("2024-02-29")),
            ("2023-02-29", None),
            ("2026-13-01", None),
            ("2026-3", None),
            ("5/3/2026", None),
            ("", None),
            ("今天", None),
        ] {
            assert_eq!(text.parse::<Day>().ok().map(|day| day.to_string()).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn counts_age_and_months() {
        assert_eq!(day("2026-03-04").age_of(day("1961-03-05")), 64);
        assert_eq!(day("2026-03-05").age_of(day("1961-03-05")), 65);
        assert_eq!(day("2025-02-28").age_of(day("2024-02-29")), 0);
        assert_eq!(day("2025-03-01").age_of(day("2024-02-29")), 1);
        assert_eq!(day("2024-01-31").plus_months(1), day("2024-02-29"));
        assert_eq!(day("2024-03-15").plus_months(-12), day("2023-03-15"));
        assert_eq!(day("2024-03-15").start_of_year(), day("2024-01-01"));
    }

    #[test]
    fn a_day_in_china_begins_at_sixteen_hours_utc() {
        let start = Moment::start_of(day("2026-01-01"));
        assert_eq!(start.day(), day("2026-01-01"));
        assert_eq!(start.plus_seconds(-1).day(), day("2025-12-31"));
        assert_eq!(start.plus_seconds(8 * 3_600 + 1_800).to_string(), "2026-01-01 08:30");
    }

    proptest! {
        #[test]
        fn agrees_with_the_calendar_library(days in -100_000_i32..200_000) {
            let expected = jiff::civil::date(1970, 1, 1) + jiff::Span::new().days(days);
            prop_assert_eq!(Day(days).to_string(), expected.to_string());
            let (year, month, date) = Day(days).ymd();
            prop_assert_eq!(Day::from_ymd(year, month, date), Some(Day(days)));
        }
    }
}
