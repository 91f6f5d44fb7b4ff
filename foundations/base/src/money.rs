//! Money: [`Fen`] and exact ratios. No float touches money, here or anywhere.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An amount in fen (0.01 yuan). May be negative: a reversal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Fen(pub i64);

/// Why a text is no amount or no ratio.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not of the form `1234.56`.
    #[error("not an amount in yuan with at most two decimals: {0:?}")]
    NotAnAmount(String),
    /// Not of the form `80%`, `2/37` or `0.8`.
    #[error("not a ratio such as 80%, 2/37 or 0.8: {0:?}")]
    NotARatio(String),
    /// Larger than this program handles.
    #[error("too large: {0:?}")]
    TooLarge(String),
}

impl Fen {
    /// Nothing.
    pub const ZERO: Fen = Fen(0);
    /// The largest amount taken from outside: ten thousand million yuan. Sums of 9,000,000 such still fit.
    pub const LIMIT: Fen = Fen(1_000_000_000_000);

    /// `yuan` whole yuan.
    pub const fn yuan(yuan: i64) -> Fen {
        Fen(yuan * 100)
    }

    /// The sum, or `None` past the range of i64.
    pub const fn checked_add(self, other: Fen) -> Option<Fen> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Fen(sum)),
            None => None,
        }
    }

    /// The difference, or `None` past the range of i64.
    pub const fn checked_sub(self, other: Fen) -> Option<Fen> {
        match self.0.checked_sub(other.0) {
            Some(difference) => Some(Fen(difference)),
            None => None,
        }
    }

    /// Whether the amount is below zero.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// `12,345.60`, for a person to read. Unit (yuan) goes in the head of the column.
    pub fn grouped(self) -> String {
        let plain = self.to_string();
        let (sign, digits) = plain.strip_prefix('-').map_or(("", plain.as_str()), |rest| ("-", rest));
        let (whole, cents) = digits.split_at(digits.len() - 3);
        let mut out = String::with_capacity(plain.len() + whole.len() / 3);
        out.push_str(sign);
        for (index, digit) in whole.chars().enumerate() {
            if index > 0 && (whole.len() - index).is_multiple_of(3) {
                out.push(',');
            }
            out.push(digit);
        }
        out.push_str(cents);
        out
    }

    /// `壹仟零贰元伍角整`, as a receipt says an amount so that nobody can alter it. Negative: `负` before it.
    pub fn in_chinese_capitals(self) -> String {
        const DIGITS: [&str; 10] = ["零", "壹", "贰", "叁", "肆", "伍", "陆", "柒", "捌", "玖"];
        let magnitude = self.0.unsigned_abs();
        let (yuan, jiao, fen) = (magnitude / 100, (magnitude / 10 % 10) as usize, (magnitude % 10) as usize);
        let mut out = String::from(if self.0 < 0 { "负" } else { "" });
        if yuan > 0 || magnitude == 0 {
            out.push_str(&whole_in_capitals(yuan));
            out.push('元');
        }
        match (jiao, fen) {
            (0, 0) => out.push('整'),
            (0, fen) => {
                out.push_str(if yuan > 0 { "零" } else { "" });
                out.push_str(DIGITS[fen]);
                out.push('分');
            }
            (jiao, fen) => {
                out.push_str(DIGITS[jiao]);
                out.push('角');
                if fen == 0 {
                    out.push('整');
                } else {
                    out.push_str(DIGITS[fen]);
                    out.push('分');
                }
            }
        }
        out
    }
}

/// A whole number in capitals: four digits at a time, one 零 for any run of zeros between digits.
fn whole_in_capitals(number: u64) -> String {
    const DIGITS: [&str; 10] = ["零", "壹", "贰", "叁", "肆", "伍", "陆", "柒", "捌", "玖"];
    const UNITS: [&str; 4] = ["", "拾", "佰", "仟"];
    const GROUPS: [&str; 6] = ["", "万", "亿", "万亿", "亿亿", "万亿亿"];
    if number == 0 {
        return DIGITS[0].to_owned();
    }
    let digits: Vec<usize> = number.to_string().bytes().map(|byte| usize::from(byte - b'0')).collect();
    let (mut out, mut zeros, mut group_is_empty) = (String::new(), false, true);
    for (index, digit) in digits.iter().enumerate() {
        let place = digits.len() - 1 - index;
        if *digit == 0 {
            zeros = true;
        } else {
            if zeros && !out.is_empty() {
                out.push_str(DIGITS[0]);
            }
            zeros = false;
            group_is_empty = false;
            out.push_str(DIGITS[*digit]);
            out.push_str(UNITS[place % 4]);
        }
        if place.is_multiple_of(4) {
            if !group_is_empty {
                out.push_str(GROUPS[place / 4]);
            }
            group_is_empty = true;
        }
    }
    out
}

impl std::ops::Add for Fen {
    type Output = Fen;
    /// Saturates: amounts are bounded by [`Fen::LIMIT`] where they enter, so no real sum comes near.
    fn add(self, other: Fen) -> Fen {
        Fen(self.0.saturating_add(other.0))
    }
}

impl std::ops::Sub for Fen {
    type Output = Fen;
    fn sub(self, other: Fen) -> Fen {
        Fen(self.0.saturating_sub(other.0))
    }
}

impl std::ops::AddAssign for Fen {
    fn add_assign(&mut self, other: Fen) {
        *self = *self + other;
    }
}

impl std::ops::SubAssign for Fen {
    fn sub_assign(&mut self, other: Fen) {
        *self = *self - other;
    }
}

impl std::ops::Neg for Fen {
    type Output = Fen;
    fn neg(self) -> Fen {
        Fen(self.0.saturating_neg())
    }
}

impl std::iter::Sum for Fen {
    fn sum<I: Iterator<Item = Fen>>(amounts: I) -> Fen {
        amounts.fold(Fen::ZERO, |sum, amount| sum + amount)
    }
}

/// `1234.56`: always two decimals, no separators; what files and machines read.
impl fmt::Display for Fen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let magnitude = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", magnitude / 100, magnitude % 100)
    }
}

/// Reads yuan: `1234`, `1234.5`, `1,234.56`, `-3.00`. More than two decimals is an error unless they are zeros:
/// a third decimal would have to be rounded, and only a pack may say how.
impl FromStr for Fen {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Fen, MoneyError> {
        let error = || MoneyError::NotAnAmount(text.to_owned());
        let trimmed = text.trim();
        let (negative, digits) = match trimmed.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, trimmed),
        };
        let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() && decimals.is_empty() {
            return Err(error());
        }
        let mut fen: i64 = 0;
        for byte in whole.bytes().filter(|byte| *byte != b',') {
            let digit = digit(byte).ok_or_else(error)?;
            fen = fen.checked_mul(10).and_then(|fen| fen.checked_add(digit)).ok_or_else(error)?;
            if fen > Fen::LIMIT.0 {
                return Err(MoneyError::TooLarge(text.to_owned()));
            }
        }
        for position in 0..decimals.len().max(2) {
            let digit = match decimals.as_bytes().get(position) {
                Some(byte) => digit(*byte).ok_or_else(error)?,
                None => 0,
            };
            if position < 2 {
                fen = fen * 10 + digit;
            } else if digit != 0 {
                return Err(error());
            }
        }
        if fen > Fen::LIMIT.0 {
            return Err(MoneyError::TooLarge(text.to_owned()));
        }
        Ok(Fen(if negative { -fen } else { fen }))
    }
}

fn digit(byte: u8) -> Option<i64> {
    byte.is_ascii_digit().then(|| i64::from(byte - b'0'))
}

impl Serialize for Fen {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Fen, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// An exact ratio, not negative, in lowest terms: `80%` is 4/5, `2/37` is 2/37.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rate {
    numerator: i64,
    denominator: i64,
}

impl Rate {
    /// Nothing of it.
    pub const ZERO: Rate = Rate { numerator: 0, denominator: 1 };
    /// All of it.
    pub const ONE: Rate = Rate { numerator: 1, denominator: 1 };
    /// Largest numerator and denominator: with an amount up to [`Fen::LIMIT`] no product leaves i128.
    pub const LIMIT: i64 = 1_000_000_000;

    /// `numerator / denominator`; `None` if the denominator is not positive, the numerator is negative or either
    /// passes [`Rate::LIMIT`].
    pub const fn new(numerator: i64, denominator: i64) -> Option<Rate> {
        if numerator < 0 || denominator <= 0 || numerator > Rate::LIMIT || denominator > Rate::LIMIT {
            return None;
        }
        let divisor = greatest_common_divisor(numerator, denominator);
        Some(Rate { numerator: numerator / divisor, denominator: denominator / divisor })
    }

    /// `percent` hundredths.
    pub const fn percent(percent: u32) -> Rate {
        let divisor = greatest_common_divisor(percent as i64, 100);
        Rate { numerator: percent as i64 / divisor, denominator: 100 / divisor }
    }

    /// The numerator in lowest terms.
    pub const fn numerator(self) -> i64 {
        self.numerator
    }

    /// The denominator in lowest terms, at least 1.
    pub const fn denominator(self) -> i64 {
        self.denominator
    }

    /// `amount` times this ratio, rounded half up to the fen.
    pub const fn of(self, amount: Fen) -> Fen {
        Fen(round_half_up(amount.0 as i128 * self.numerator as i128, self.denominator as i128))
    }

    /// Whether the ratio is at most 1.
    pub const fn is_share(self) -> bool {
        self.numerator <= self.denominator
    }
}

const fn greatest_common_divisor(a: i64, b: i64) -> i64 {
    let (mut a, mut b) = (a, b);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    if a == 0 { 1 } else { a }
}

/// `numerator / denominator` rounded to the nearest whole, a half away from zero (四舍五入).
///
/// `denominator` must be positive. A quotient past i64 saturates.
pub const fn round_half_up(numerator: i128, denominator: i128) -> i64 {
    debug_assert!(denominator > 0);
    let magnitude = numerator.unsigned_abs() as i128;
    let rounded =
        magnitude / denominator + (magnitude % denominator >= denominator - magnitude % denominator) as i128;
    let signed = if numerator < 0 { -rounded } else { rounded };
    if signed > i64::MAX as i128 {
        i64::MAX
    } else if signed < i64::MIN as i128 {
        i64::MIN
    } else {
        signed as i64
    }
}

/// `80%` when the ratio is a whole number of hundredths or of hundredths of a per cent, else `2/37`.
impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ten_thousandths = self.numerator as i128 * 10_000;
        if ten_thousandths % self.denominator as i128 != 0 {
            return write!(f, "{}/{}", self.numerator, self.denominator);
        }
        let ten_thousandths = ten_thousandths / self.denominator as i128;
        match (ten_thousandths / 100, ten_thousandths % 100) {
            (whole, 0) => write!(f, "{whole}%"),
            (whole, part) if part % 10 == 0 => write!(f, "{whole}.{}%", part / 10),
            (whole, part) => write!(f, "{whole}.{part:02}%"),
        }
    }
}

impl FromStr for Rate {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Rate, MoneyError> {
        let error = || MoneyError::NotARatio(text.to_owned());
        let trimmed = text.trim();
        if let Some((numerator, denominator)) = trimmed.split_once('/') {
            let numerator = numerator.trim().parse().map_err(|_| error())?;
            let denominator = denominator.trim().parse().map_err(|_| error())?;
            return Rate::new(numerator, denominator).ok_or_else(error);
        }
        let (digits, unit) = match trimmed.strip_suffix('%') {
            Some(digits) => (digits.trim_end(), 100),
            None => (trimmed, 1),
        };
        let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(decimals) || decimals.len() > 6 {
            return Err(error());
        }
        let scale = 10_i64.pow(decimals.len() as u32);
        let numerator = format!("{whole}{decimals}").parse().map_err(|_| error())?;
        Rate::new(numerator, scale * unit).ok_or_else(error)
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Rate, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_and_writes_yuan() {
        let cases = [
            ("0", Some(0)),
            ("1234.56", Some(123_456)),
            ("1,234.5", Some(123_450)),
            ("-3.00", Some(-300)),
            (".5", Some(50)),
            ("7.", Some(700)),
            ("12.340", Some(1234)),
            ("12.345", None),
            ("", None),
            (".", None),
            ("-", None),
            ("1e3", None),
            ("１２", None),
            ("10000000000.00", Some(Fen::LIMIT.0)),
            ("10000000000.01", None),
            ("99999999999999999999999", None),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse::<Fen>().ok().map(|fen| fen.0), expected, "{text}");
        }
        assert_eq!(Fen(-5).to_string(), "-0.05");
        assert_eq!(Fen(123_456_789).grouped(), "1,234,567.89");
        assert_eq!(Fen(-12_345).grouped(), "-123.45");
    }

    #[test]
    fn says_amounts_in_capitals() {
        for (fen, expected) in [
            (0, "零元整"),
            (5, "伍分"),
            (50, "伍角整"),
            (105, "壹元零伍分"),
            (1_005, "壹拾元零伍分"),
            (10_050, "壹佰元伍角整"),
            (100_230, "壹仟零贰元叁角整"),
            (123_456, "壹仟贰佰叁拾肆元伍角陆分"),
            (10_000_000, "壹拾万元整"),
            (10_010_000, "壹拾万零壹佰元整"),
            (1_000_100, "壹万零壹元整"),
            (2_030_000, "贰万零叁佰元整"),
            (100_000_000, "壹佰万元整"),
            (10_001_000_000, "壹亿零壹万元整"),
            (10_000_000_100, "壹亿零壹元整"),
            (1_000_000_000_000, "壹佰亿元整"),
            (-12_345, "负壹佰贰拾叁元肆角伍分"),
        ] {
            assert_eq!(Fen(fen).in_chinese_capitals(), expected, "{fen}");
        }
        // Nothing is lost or panics at the ends.
        assert!(Fen(i64::MIN).in_chinese_capitals().starts_with('负'));
    }

    #[test]
    fn reads_and_writes_ratios() {
        for (text, expected) in [
            ("80%", Some((4, 5, "80%"))),
            ("2/37", Some((2, 37, "2/37"))),
            ("0.8", Some((4, 5, "80%"))),
            ("37.5%", Some((3, 8, "37.5%"))),
            ("0.25%", Some((1, 400, "0.25%"))),
            ("101%", Some((101, 100, "101%"))),
            ("1/0", None),
            ("-1%", None),
            ("%", None),
            ("80％", None),
        ] {
            let read = text.parse::<Rate>().ok();
            let shown = read.map(|rate| rate.to_string());
            let found =
                read.map(|rate| (rate.numerator(), rate.denominator(), shown.as_deref().unwrap_or("")));
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn rounds_half_away_from_zero() {
        for (numerator, denominator, expected) in [
            (5, 10, 1),
            (4, 10, 0),
            (-5, 10, -1),
            (1, 3, 0),
            (2, 3, 1),
            (3, 2, 2),
            (-3, 2, -2),
            (7, 5, 1),
            (1, 1, 1),
        ] {
            assert_eq!(round_half_up(numerator, denominator), expected, "{numerator}/{denominator}");
        }
    }

    proptest! {
        #[test]
        fn an_amount_survives_its_text(fen in -Fen::LIMIT.0..=Fen::LIMIT.0) {
            prop_assert_eq!(Fen(fen).to_string().parse::<Fen>(), Ok(Fen(fen)));
            prop_assert_eq!(Fen(fen).grouped().parse::<Fen>(), Ok(Fen(fen)));
        }

        #[test]
        fn rounding_is_within_half(numerator in -1_000_000_000_i128..1_000_000_000, denominator in 1_i128..100_000) {
            let rounded = i128::from(round_half_up(numerator, denominator));
            prop_assert!((rounded * denominator - numerator).abs() * 2 <= denominator);
        }
    }
}
