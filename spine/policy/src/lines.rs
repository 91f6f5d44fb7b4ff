//! Lines of a bill: from quantity, unit price and catalogue class to the total, the compliant cost, and what is waived.
//!
//! A product is exact to a millionth of a fen; a fraction of a fen is rounded once, where the pack says: at each line, as
//! hospitals print it, or once for the whole bill.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use kangmai_base::{Fen, Rate};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::benefit::{read_rounding, round};
use crate::dated::Period;
use crate::fields::Fields;
use crate::{BillFacts, CostCategory, FeeKind, Rounding, Source, Sure};

/// Most lines of one bill.
pub const MAX_LINES: usize = 10_000;

/// A number with up to four decimals: a quantity, or a unit price in yuan. Negative where a charge is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Decimal4(pub i64);

/// The text is no number with at most four decimals, or it is larger than anything that is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a number with at most four decimals")]
pub struct NotADecimal;

impl Decimal4 {
    /// One.
    pub const ONE: Decimal4 = Decimal4(Decimal4::SCALE);
    /// The largest that is taken: a thousand million.
    pub const LIMIT: Decimal4 = Decimal4(1_000_000_000 * Decimal4::SCALE);
    const SCALE: i64 = 10_000;
}

impl FromStr for Decimal4 {
    type Err = NotADecimal;

    fn from_str(text: &str) -> Result<Decimal4, NotADecimal> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number(whole) || !is_number(part) || part.len() > 4 || whole.len() > 10 {
            return Err(NotADecimal);
        }
        let parse = |text: &str| text.parse::<i64>().map_err(|_| NotADecimal);
        let value = parse(whole)? * Decimal4::SCALE + parse(&format!("{part:0<4}"))?;
        if value > Decimal4::LIMIT.0 {
            return Err(NotADecimal);
        }
        Ok(Decimal4(if negative { -value } else { value }))
    }
}

impl fmt::Display for Decimal4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, part) = (self.0.unsigned_abs() / 10_000, self.0.unsigned_abs() % 10_000);
        if part == 0 {
            return write!(f, "{sign}{whole}");
        }
        let part = format!("{part:04}");
        write!(f, "{sign}{whole}.{}", part.trim_end_matches('0'))
    }
}

impl Serialize for Decimal4 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Decimal4 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Decimal4, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// 医保目录类别
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CatalogueClass {
    /// 甲类: wholly compliant.
    A,
    /// 乙类: a share is borne first, the rest is compliant.
    B,
    /// 丙类, or in no catalogue: nothing of it enters a layer.
    C,
}

/// One line of a bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BillLine {
    /// What it is for.
    pub category: CostCategory,
    /// In which class of the catalogue.
    pub class: CatalogueClass,
    /// How many.
    pub quantity: Decimal4,
    /// For how much each, in yuan.
    pub unit_price: Decimal4,
    /// What is borne first of a line of class B, where the line says it.
    pub own_share: Option<Rate>,
    /// The fee that it is, if it is one with a name of its own.
    pub fee: Option<FeeKind>,
    /// What the hospital printed as the line's amount, if anything.
    pub amount: Option<Fen>,
}

/// How lines become a bill, in one place and time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineRules {
    /// When.
    pub period: Period,
    /// How sure.
    pub sure: Sure,
    /// Where from.
    pub source: Source,
    /// How a fraction of a fen is brought to money.
    pub rounding: Rounding,
    /// Whether at each line; else once for the bill.
    pub at_line: bool,
    /// What is borne first of a line of class B that says nothing; none: such a line is refused.
    pub class_b_own_share: Option<Rate>,
}

/// What the lines of a bill come to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LineSums {
    /// Of all lines.
    pub total: Fen,
    /// What of it may enter a layer.
    pub compliant: Fen,
    /// Fees with a name of their own.
    pub fees: [Fen; FeeKind::ALL.len()],
    /// Compliant cost by category; never more than the compliant cost together.
    pub categories: [Fen; CostCategory::ALL.len()],
}

impl LineSums {
    /// Writes the sums into the facts of a bill.
    pub fn fill(&self, facts: &mut BillFacts) {
        (facts.total, facts.compliant) = (self.total, self.compliant);
        (facts.fees, facts.categories) = (self.fees, self.categories);
    }
}

/// Why lines are no bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// The amount that the line prints is not quantity times unit price.
    #[error("line {line}: {printed} is printed, but quantity times unit price is {product}")]
    Amount {
        /// Which, from 1.
        line: usize,
        /// What is printed.
        printed: Fen,
        /// What it should be.
        product: Fen,
    },
    /// A line of class B says nothing of the share that is borne first, and neither does the pack.
    #[error("line {line}: class B without the share that is borne first")]
    NoOwnShare {
        /// Which, from 1.
        line: usize,
    },
    /// An amount beyond what is handled.
    #[error("line {line}: the amount is too large")]
    TooLarge {
        /// Which, from 1.
        line: usize,
    },
    /// More is taken back than was charged: of the bill, of a category or of a fee.
    #[error("more is taken back than was charged")]
    Negative,
    /// Too many lines.
    #[error("more than {MAX_LINES} lines")]
    TooMany,
}

/// Millionths of a fen in a fen: quantity and price have four decimals each, and a yuan is 100 fen.
const MILLIONTHS: i64 = 1_000_000;

/// Numerator and denominator.
type Ratio = (i128, i64);

/// A sum of exact amounts over different denominators.
#[derive(Default)]
struct Exact(BTreeMap<i64, i128>);

impl Exact {
    fn add(&mut self, numerator: i128, denominator: i64) {
        *self.0.entry(denominator).or_default() += numerator;
    }

    /// Rounded once. `None` if it leaves the range of 127 bits.
    fn rounded(&self, rounding: Rounding) -> Option<i64> {
        let (mut numerator, mut denominator) = (0_i128, 1_i128);
        for (other, amount) in &self.0 {
            let other = i128::from(*other);
            numerator = numerator.checked_mul(other)?.checked_add(amount.checked_mul(denominator)?)?;
            denominator = denominator.checked_mul(other)?;
            let divisor = common_divisor(numerator.unsigned_abs(), denominator.unsigned_abs()) as i128;
            (numerator, denominator) = (numerator / divisor, denominator / divisor);
        }
        round(rounding, numerator, denominator)
    }
}

const fn common_divisor(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    if a == 0 { 1 } else { a }
}

impl LineRules {
    /// What `lines` come to.
    pub fn sum(&self, lines: &[BillLine]) -> Result<LineSums, LineError> {
        if lines.len() > MAX_LINES {
            return Err(LineError::TooMany);
        }
        let mut total = Exact::default();
        let mut compliant = Exact::default();
        let mut fees: [Exact; FeeKind::ALL.len()] = Default::default();
        let mut categories: [Exact; CostCategory::ALL.len()] = Default::default();
        for (index, line) in lines.iter().enumerate() {
            let (product, covered) = self.amounts(index + 1, line)?;
            total.add(product.0, product.1);
            compliant.add(covered.0, covered.1);
            categories[line.category as usize].add(covered.0, covered.1);
            if let Some(fee) = line.fee {
                fees[fee as usize].add(product.0, product.1);
            }
        }
        let down = Rounding::Down(1);
        let money = |sum: &Exact, rounding| {
            let amount = sum.rounded(rounding).ok_or(LineError::TooLarge { line: lines.len() })?;
            if amount < 0 { Err(LineError::Negative) } else { Ok(Fen(amount)) }
        };
        let mut sums = LineSums {
            total: money(&total, self.rounding)?,
            compliant: money(&compliant, self.rounding)?,
            ..LineSums::default()
        };
        for (into, sum) in sums.fees.iter_mut().zip(&fees) {
            *into = money(sum, down)?;
        }
        // Down, so that together they never pass the compliant cost.
        for (into, sum) in sums.categories.iter_mut().zip(&categories) {
            *into = money(sum, down)?;
        }
        if sums.total > Fen::LIMIT {
            return Err(LineError::TooLarge { line: lines.len() });
        }
        sums.compliant = sums.compliant.min(sums.total);
        Ok(sums)
    }

    /// All that is wrong with lines one by one, in their order.
    pub fn wrong(&self, lines: &[BillLine]) -> Vec<LineError> {
        lines.iter().enumerate().filter_map(|(index, line)| self.amounts(index + 1, line).err()).collect()
    }

    /// What one line charges and what of it is compliant, each rounded as the rules say; where they round once for the
    /// bill, these are for reading only and need not add up to it.
    pub fn split(&self, line: &BillLine) -> Result<(Fen, Fen), LineError> {
        let (product, covered) = self.amounts(1, line)?;
        let money = |(numerator, denominator): Ratio| {
            let amount = round(self.rounding, numerator, i128::from(denominator));
            amount.map(Fen).ok_or(LineError::TooLarge { line: 1 })
        };
        Ok((money(product)?, money(covered)?))
    }

    /// What a line charges, and what of it is compliant: numerator and denominator, in fen.
    fn amounts(&self, number: usize, line: &BillLine) -> Result<(Ratio, Ratio), LineError> {
        let too_large = LineError::TooLarge { line: number };
        let exact = i128::from(line.quantity.0) * i128::from(line.unit_price.0);
        let product = round(self.rounding, exact, i128::from(MILLIONTHS)).ok_or(too_large)?;
        if product.abs() > Fen::LIMIT.0 {
            return Err(too_large);
        }
        if let Some(printed) = line.amount.filter(|printed| printed.0 != product) {
            return Err(LineError::Amount { line: number, printed, product: Fen(product) });
        }
        let share = match line.class {
            CatalogueClass::A => Rate::ONE,
            CatalogueClass::B => {
                let own = line.own_share.or(self.class_b_own_share).filter(|rate| rate.is_share());
                let own = own.ok_or(LineError::NoOwnShare { line: number })?;
                Rate::new(own.denominator() - own.numerator(), own.denominator()).ok_or(too_large)?
            }
            CatalogueClass::C => Rate::percent(0),
        };
        let (numerator, denominator) = (i128::from(share.numerator()), share.denominator());
        if !self.at_line {
            let over = denominator.checked_mul(MILLIONTHS).ok_or(too_large)?;
            return Ok(((exact, MILLIONTHS), (exact * numerator, over)));
        }
        let covered = exact.checked_mul(numerator).ok_or(too_large)?;
        let covered = round(self.rounding, covered, i128::from(denominator) * i128::from(MILLIONTHS));
        Ok(((i128::from(product), 1), (i128::from(covered.ok_or(too_large)?), 1)))
    }

    pub(crate) fn read(fields: &Fields<'_>) -> Option<LineRules> {
        let (period, sure, source) = (Period::read(fields), Sure::read(fields), Source::read(fields));
        let (rounding, at) = read_rounding(fields, &["line", "bill"])?;
        let class_b_own_share = fields.share_maybe("class_b_own_share").map(|rate| rate.value);
        fields.finish();
        Some(LineRules {
            period: period?,
            sure: sure?,
            source: source?,
            rounding,
            at_line: at == "line",
            class_b_own_share,
        })
    }
}
