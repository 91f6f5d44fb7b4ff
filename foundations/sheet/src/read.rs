//! Typed readers of a cell. Each takes a text that is not empty and answers a value, or why it is none *and* how to
//! mend it. All take full-width digits and letters.

use std::ops::RangeInclusive;

use kangmai_base::{Day, DivisionCode, Fen, IdNumber, IdNumberKind, MoneyError, Phone, Refusal};

use crate::fault::Flaw;
use crate::likeness::most_like;
use crate::width::half_width;

/// The earliest day taken from a sheet: days of 1900 are what Excel makes of an empty or zero cell.
pub const EARLIEST_YEAR: i32 = 1901;
/// The latest year taken from a sheet.
pub const LATEST_YEAR: i32 = 2199;
/// Day 1 of Excel's count is 1900-01-01, but it counts a 29 February 1900 that never was.
const EXCEL_DAY_ZERO: i32 = -25_569;

/// Any text, half-width.
///
/// # Errors
/// None; the form is that of the other readers.
pub fn text(text: &str) -> Result<String, Flaw> {
    Ok(half_width(text).into_owned())
}

/// A code that is no quantity, such as a number of a household or a bill: half-width, upper case, without spaces, at
/// most `max_chars` characters.
///
/// # Errors
/// Excel lost its last digits, or it is too long.
pub fn code(text: &str, max_chars: usize) -> Result<String, Flaw> {
    let narrow = half_width(text);
    let narrow = narrow.trim_start_matches('\'');
    if let Some(flaw) = lost_digits(narrow) {
        return Err(flaw);
    }
    let code: String =
        narrow.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_uppercase()).collect();
    if code.chars().count() > max_chars {
        return Err(Flaw::new("sheet.flaw.too_long").with("limit", max_chars.to_string()));
    }
    Ok(code)
}

/// An amount in yuan, not negative: `1234.5`, `1,234.50`, `￥1234.50元`.
///
/// # Errors
/// No amount, negative, more than two decimals, or past [`Fen::LIMIT`].
pub fn amount(text: &str) -> Result<Fen, Flaw> {
    let fen = signed_amount(text)?;
    if fen.is_negative() {
        return Err(Flaw::new("sheet.flaw.negative").mend(Refusal::new("sheet.mend.negative")));
    }
    Ok(fen)
}

/// An amount in yuan that may be negative: a reversal is.
///
/// # Errors
/// No amount, more than two decimals, or past [`Fen::LIMIT`].
pub fn signed_amount(text: &str) -> Result<Fen, Flaw> {
    if let Ok(fen) = text.parse::<Fen>() {
        return Ok(fen);
    }
    let narrow = half_width(text);
    let digits = narrow.trim_start_matches(['¥', '￥']).trim_end_matches('元').trim();
    match digits.parse::<Fen>() {
        Ok(fen) => Ok(fen),
        Err(MoneyError::TooLarge(_)) => {
            Err(Flaw::new("sheet.flaw.amount_too_large").with("limit", Fen::LIMIT.grouped()))
        }
        Err(_) => Err(no_amount(digits)),
    }
}

fn no_amount(digits: &str) -> Flaw {
    let shortened = digits.split_once('.').and_then(|(whole, decimals)| {
        let short = format!("{whole}.{}", decimals.get(..2)?);
        let only_digits = decimals.len() > 2 && decimals.bytes().all(|byte| byte.is_ascii_digit());
        (only_digits && short.parse::<Fen>().is_ok()).then_some(short)
    });
    if shortened.is_some() {
        return Flaw::new("sheet.flaw.decimals").mend(Refusal::new("sheet.mend.decimals"));
    }
    if let Some(tens) = digits.strip_suffix('万').and_then(|tens| tens.trim().parse::<Fen>().ok())
        && let Some(fen) = tens.0.checked_mul(10_000).filter(|fen| *fen <= Fen::LIMIT.0)
    {
        let yuan = Fen(fen).to_string();
        return Flaw::new("sheet.flaw.amount_in_ten_thousands")
            .mend(Refusal::new("sheet.mend.write").with("value", yuan));
    }
    Flaw::new("sheet.flaw.no_amount").mend(Refusal::new("sheet.mend.amount"))
}

/// A day: `2026-03-05`, `2026/3/5`, `20260305`, `2026年3月5日`.
///
/// # Errors
/// No day, a month without day, a year of 1900 or before, a bare serial number of Excel.
pub fn day(text: &str) -> Result<Day, Flaw> {
    let narrow = half_width(text);
    if let Ok(day) = narrow.parse::<Day>() {
        return match day.year() {
            ..EARLIEST_YEAR => Err(Flaw::new("sheet.flaw.day_of_1900")
                .with("day", day.to_string())
                .mend(Refusal::new("sheet.mend.day_of_1900"))),
            EARLIEST_YEAR..=LATEST_YEAR => Ok(day),
            _ => Err(Flaw::new("sheet.flaw.day_too_late")
                .with("day", day.to_string())
                .mend(Refusal::new("sheet.mend.day"))),
        };
    }
    Err(no_day(&narrow))
}

fn no_day(text: &str) -> Flaw {
    if let Ok(serial) = text.parse::<i32>()
        && (366..80_000).contains(&serial)
    {
        let day = Day(serial + EXCEL_DAY_ZERO).to_string();
        return Flaw::new("sheet.flaw.day_serial").mend(Refusal::new("sheet.mend.write").with("value", day));
    }
    let parts: Vec<&str> = text
        .trim_end_matches('日')
        .split(['-', '/', '.', '年', '月'])
        .filter(|part| !part.is_empty())
        .collect();
    let numbers: Option<Vec<i32>> = parts.iter().map(|part| part.parse().ok()).collect();
    match numbers.as_deref() {
        Some([year, month]) if *year >= EARLIEST_YEAR && (1..=12).contains(month) => {
            let first = format!("{year:04}-{month:02}-01");
            Flaw::new("sheet.flaw.day_without_day")
                .mend(Refusal::new("sheet.mend.day_such_as").with("value", first))
        }
        Some([day, month, year])
            if *year >= EARLIEST_YEAR && (1..=12).contains(month) && (1..=31).contains(day) =>
        {
            let turned = format!("{year:04}-{month:02}-{day:02}");
            Flaw::new("sheet.flaw.day_turned")
                .mend(Refusal::new("sheet.mend.day_such_as").with("value", turned))
        }
        _ => Flaw::new("sheet.flaw.no_day").mend(Refusal::new("sheet.mend.day")),
    }
}

/// A day not after `today`: what has happened.
///
/// # Errors
/// As [`day`], or in the future.
pub fn past_day(text: &str, today: Day) -> Result<Day, Flaw> {
    let day = day(text)?;
    if day > today {
        return Err(Flaw::new("sheet.flaw.day_in_future")
            .with("day", day.to_string())
            .with("today", today.to_string())
            .mend(Refusal::new("sheet.mend.day_in_future")));
    }
    Ok(day)
}

/// A whole number within `range`; `3.0` is 3.
///
/// # Errors
/// No whole number, or out of range.
pub fn whole(text: &str, range: RangeInclusive<i64>) -> Result<i64, Flaw> {
    let narrow = half_width(text);
    let digits = narrow.split_once('.').map_or(&*narrow, |(whole, decimals)| {
        if decimals.bytes().all(|byte| byte == b'0') { whole } else { &*narrow }
    });
    let bounds = |flaw: Flaw| {
        flaw.mend(
            Refusal::new("sheet.mend.range")
                .with("from", range.start().to_string())
                .with("to", range.end().to_string()),
        )
    };
    let number: i64 =
        digits.replace(',', "").parse().map_err(|_| bounds(Flaw::new("sheet.flaw.no_whole_number")))?;
    if range.contains(&number) { Ok(number) } else { Err(bounds(Flaw::new("sheet.flaw.out_of_range"))) }
}

/// Yes or no: 是/否, 有/无, 1/0, Y/N, true/false, √/×.
///
/// # Errors
/// Anything else.
pub fn yes_no(text: &str) -> Result<bool, Flaw> {
    match half_width(text).to_ascii_lowercase().as_str() {
        "是" | "有" | "1" | "y" | "yes" | "true" | "t" | "√" | "✓" | "对" => Ok(true),
        "否" | "无" | "没有" | "0" | "n" | "no" | "false" | "f" | "×" | "✗" | "x" | "不是" => {
            Ok(false)
        }
        _ => Err(Flaw::new("sheet.flaw.no_yes_no").mend(Refusal::new("sheet.mend.yes_no"))),
    }
}

/// One of `choices`, by its word: exact but for width, case and spaces.
///
/// # Errors
/// Another word; says which are taken, and the one that may be meant.
pub fn choice<T: Copy>(text: &str, choices: &[(&'static str, T)]) -> Result<T, Flaw> {
    let narrow = half_width(text);
    let squeezed: String = narrow.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_lowercase();
    let found = choices.iter().find(|(word, _)| *word == narrow || word.to_lowercase() == squeezed);
    if let Some((_, value)) = found {
        return Ok(*value);
    }
    let words: Vec<&'static str> = choices.iter().map(|(word, _)| *word).collect();
    let flaw = Flaw::new("sheet.flaw.unknown_word").with("words", words.join("、"));
    Err(match most_like(&narrow, words.iter().copied()) {
        Some(word) => flaw.mend(Refusal::new("sheet.mend.did_you_mean").with("word", word.to_owned())),
        None => flaw.mend(Refusal::new("sheet.mend.one_of").with("words", words.join("、"))),
    })
}

/// A division code of 2, 4, 6, 9 or 12 digits. Whether it exists is for `places` to say.
///
/// # Errors
/// Any other form.
pub fn division(text: &str) -> Result<DivisionCode, Flaw> {
    let narrow = half_width(text);
    if let Some(flaw) = lost_digits(&narrow) {
        return Err(flaw);
    }
    narrow
        .parse()
        .map_err(|_| Flaw::new("sheet.flaw.no_division_code").mend(Refusal::new("sheet.mend.division_code")))
}

/// An identity number of any kind, right or wrong: a number is never a reason to refuse care. What is odd about it
/// says [`id_oddity`].
///
/// # Errors
/// Excel lost its last digits, or it holds signs that no number has.
pub fn id_number(text: &str) -> Result<IdNumber, Flaw> {
    let narrow = half_width(text);
    let narrow = narrow.trim_start_matches('\'');
    if let Some(flaw) = lost_digits(narrow) {
        return Err(flaw);
    }
    IdNumber::read(narrow)
        .ok_or_else(|| Flaw::new("sheet.flaw.no_id_number").mend(Refusal::new("sheet.mend.id_number")))
}

/// What is odd about an identity number that is kept all the same: wrong check character, impossible birth date, 15
/// digits of the first generation, another number of digits.
pub fn id_oddity(number: &IdNumber) -> Option<Flaw> {
    let text = number.as_str();
    match number.kind() {
        IdNumberKind::Valid | IdNumberKind::Temporary => None,
        IdNumberKind::WrongButOfficial if number.birth().is_none() => {
            Some(Flaw::new("sheet.flaw.id_birth").mend(Refusal::new("sheet.mend.id_birth")))
        }
        IdNumberKind::WrongButOfficial => {
            let expected = number.expected_check_character().map(String::from).unwrap_or_default();
            Some(
                Flaw::new("sheet.flaw.id_checksum")
                    .mend(Refusal::new("sheet.mend.id_checksum").with("expected", expected)),
            )
        }
        IdNumberKind::Passport => {
            let digits = text.bytes().filter(u8::is_ascii_digit).count();
            if digits < text.len() || digits < 12 {
                return None;
            }
            if digits == 15 && IdNumber::with_checksum(&format!("{}19{}", &text[..6], &text[6..])).is_some() {
                return Some(
                    Flaw::new("sheet.flaw.id_first_generation")
                        .mend(Refusal::new("sheet.mend.id_first_generation")),
                );
            }
            let length = digits.to_string();
            Some(
                Flaw::new("sheet.flaw.id_length")
                    .with("length", length)
                    .mend(Refusal::new("sheet.mend.id_number")),
            )
        }
    }
}

/// A telephone number.
///
/// # Errors
/// No mobile number of 11 digits and no landline with area code.
pub fn phone(text: &str) -> Result<Phone, Flaw> {
    let narrow = half_width(text);
    let narrow = narrow.trim_start_matches('\'');
    if let Some(flaw) = lost_digits(narrow) {
        return Err(flaw);
    }
    Phone::read(narrow).ok_or_else(|| Flaw::new("sheet.flaw.no_phone").mend(Refusal::new("sheet.mend.phone")))
}

/// `4.11722E+17`: Excel took a long number for a quantity and kept 15 digits of it.
fn lost_digits(text: &str) -> Option<Flaw> {
    let (mantissa, exponent) = text.split_once(['E', 'e'])?;
    let scientific = exponent.strip_prefix('+').is_some_and(|digits| digits.parse::<u8>().is_ok())
        && mantissa.parse::<f64>().is_ok();
    scientific.then(|| Flaw::new("sheet.flaw.lost_digits").mend(Refusal::new("sheet.mend.lost_digits")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `Ok` as text, or reason and mend.
    fn said<T: std::fmt::Debug>(result: Result<T, Flaw>) -> String {
        match result {
            Ok(value) => format!("{value:?}"),
            Err(flaw) => {
                let mend = flaw.suggestion.map(|mend| mend.to_string()).unwrap_or_default();
                format!("{} | {mend}", flaw.reason)
            }
        }
    }

    #[test]
    fn amounts() {
        for (text, expected) in [
            ("1234.5", "Fen(123450)"),
            ("￥1，234.50元", "Fen(123450)"),
            ("１２.３４", "Fen(1234)"),
            ("-3", "sheet.flaw.negative | sheet.mend.negative"),
            ("12.345", "sheet.flaw.decimals | sheet.mend.decimals"),
            ("1.5万", "sheet.flaw.amount_in_ten_thousands | sheet.mend.write value=15000.00"),
            ("约300", "sheet.flaw.no_amount | sheet.mend.amount"),
            ("99999999999", "sheet.flaw.amount_too_large limit=10,000,000,000.00 | "),
        ] {
            assert_eq!(said(amount(text)), expected, "{text}");
        }
        assert_eq!(signed_amount("-3").ok(), Some(Fen(-300)));
    }

    #[test]
    fn days() {
        let known = |text: &str| day(text).map(|day| day.to_string());
        for (text, expected) in [
            ("2026-03-05", "\"2026-03-05\""),
            ("２０２６／３／５", "\"2026-03-05\""),
            ("1900-01-00", "sheet.flaw.no_day | sheet.mend.day"),
            ("1900-01-01", "sheet.flaw.day_of_1900 day=1900-01-01 | sheet.mend.day_of_1900"),
            ("1901-01-01", "\"1901-01-01\""),
            ("45292", "sheet.flaw.day_serial | sheet.mend.write value=2024-01-01"),
            ("2024.5", "sheet.flaw.day_without_day | sheet.mend.day_such_as value=2024-05-01"),
            ("5/3/2026", "sheet.flaw.day_turned | sheet.mend.day_such_as value=2026-03-05"),
            ("3026-01-01", "sheet.flaw.day_too_late day=3026-01-01 | sheet.mend.day"),
            ("2023-02-29", "sheet.flaw.no_day | sheet.mend.day"),
            ("去年", "sheet.flaw.no_day | sheet.mend.day"),
        ] {
            assert_eq!(said(known(text)), expected, "{text}");
        }
        let today = "2026-03-05".parse().expect("a day");
        assert!(past_day("2026-03-05", today).is_ok());
        assert!(said(past_day("2026-03-06", today)).starts_with("sheet.flaw.day_in_future day=2026-03-06"));
    }

    #[test]
    fn numbers_words_and_choices() {
        assert_eq!(said(whole("3.0", 1..=20)), "3");
        assert_eq!(said(whole("1,200", 0..=9_999)), "1200");
        assert_eq!(said(whole("21", 1..=20)), "sheet.flaw.out_of_range | sheet.mend.range from=1 to=20");
        assert_eq!(said(whole("3.5", 1..=20)), "sheet.flaw.no_whole_number | sheet.mend.range from=1 to=20");
        for (text, expected) in [("是", "true"), ("Ｙ", "true"), ("0", "false"), ("否", "false")] {
            assert_eq!(said(yes_no(text)), expected, "{text}");
        }
        assert_eq!(said(yes_no("也许")), "sheet.flaw.no_yes_no | sheet.mend.yes_no");
        let choices = [("城乡居民", 1), ("职工", 2), ("Outside", 3)];
        assert_eq!(said(choice("职 工", &choices)), "2");
        assert_eq!(said(choice("outside", &choices)), "3");
        assert_eq!(
            said(choice("城镇居民", &choices)),
            "sheet.flaw.unknown_word words=城乡居民、职工、Outside | sheet.mend.did_you_mean word=城乡居民"
        );
        assert!(
            said(choice("无此", &choices)).ends_with("| sheet.mend.one_of words=城乡居民、职工、Outside")
        );
    }

    #[test]
    fn codes_that_excel_spoils() {
        assert_eq!(said(division("411722103203").map(|code| code.to_string())), "\"411722103203\"");
        assert_eq!(said(code(" h-００１ 甲", 10)), "\"H-001甲\"");
        assert_eq!(said(code("12345678901", 10)), "sheet.flaw.too_long limit=10 | ");
        assert_eq!(said(division("4117221")), "sheet.flaw.no_division_code | sheet.mend.division_code");
        for lost in ["4.11722E+17", "4.11722195001010E+17"] {
            assert_eq!(said(id_number(lost)), "sheet.flaw.lost_digits | sheet.mend.lost_digits", "{lost}");
        }
        assert_eq!(said(phone("1.38001E+10")), "sheet.flaw.lost_digits | sheet.mend.lost_digits");
        assert_eq!(said(phone("138-0013-8000")), "Phone(…8000)");
        assert_eq!(said(phone("12345")), "sheet.flaw.no_phone | sheet.mend.phone");
    }

    #[test]
    fn identity_numbers_are_kept_with_a_word() {
        let oddity = |text: &str| {
            let number = id_number(text).expect("kept");
            id_oddity(&number).map(|flaw| said::<()>(Err(flaw)))
        };
        assert_eq!(oddity("'411722195001010013"), None);
        assert_eq!(
            oddity("411722195001010014").as_deref(),
            Some("sheet.flaw.id_checksum | sheet.mend.id_checksum expected=3")
        );
        assert_eq!(
            oddity("411722195013010014").as_deref(),
            Some("sheet.flaw.id_birth | sheet.mend.id_birth")
        );
        assert_eq!(
            oddity("411722500101001").as_deref(),
            Some("sheet.flaw.id_first_generation | sheet.mend.id_first_generation")
        );
        assert_eq!(
            oddity("41172219500101001").as_deref(),
            Some("sheet.flaw.id_length length=17 | sheet.mend.id_number")
        );
        assert_eq!(oddity("E12345678"), None);
        assert_eq!(said(id_number("不详")), "sheet.flaw.no_id_number | sheet.mend.id_number");
    }

    proptest::proptest! {
        #[test]
        fn no_reader_breaks_on_any_text(text in ".{0,40}") {
            let _ = (signed_amount(&text), day(&text), whole(&text, 0..=9), yes_no(&text), division(&text), phone(&text));
            if let Ok(number) = id_number(&text) {
                let _ = id_oddity(&number);
            }
        }
    }
}
