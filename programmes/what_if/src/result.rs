//! What a run came to.

use kangmai_base::{DivisionCode, Fen, Uuid};
use kangmai_policy::{Bilingual, PayerKind};
use serde::{Deserialize, Serialize};

/// Upper edges of the bands of differences, in fen; the last band is open.
pub const BANDS: [i64; 5] = [10_000, 50_000, 100_000, 500_000, 1_000_000];

/// An amount under the law as it is, and under the changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Pair {
    /// As it is.
    pub before: Fen,
    /// With the changes.
    pub after: Fen,
}

impl Pair {
    /// What the changes add.
    pub const fn difference(self) -> Fen {
        Fen(self.after.0 - self.before.0)
    }

    pub(crate) const fn add(&mut self, before: Fen, after: Fen) {
        self.before.0 += before.0;
        self.after.0 += after.0;
    }
}

/// A payer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayerLine {
    /// Its kind.
    pub kind: PayerKind,
    /// The fund's code.
    pub fund: String,
    /// What people call it.
    pub name: Bilingual,
    /// What it pays.
    pub pays: Pair,
}

/// A level of hospitals, a township or a group of people.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Line {
    /// The level's name, the place's code, the label's key; empty for nobody's.
    pub key: String,
    /// People, or bills where people cannot be counted.
    pub count: i64,
    /// What all payers pay.
    pub payers: Pair,
    /// What people bear.
    pub own: Pair,
}

/// People on one side: those who bear more, or those who bear less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Side {
    /// How many.
    pub people: i64,
    /// How much together; never negative.
    pub sum: Fen,
}

/// Households against the line of the watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Households {
    /// Households with a bill.
    pub all: i64,
    /// Those of places where no line is known.
    pub without_line: i64,
    /// Over the line as it is.
    pub over_before: i64,
    /// Over the line with the changes.
    pub over_after: i64,
    /// Over it only with the changes.
    pub newly_over: i64,
    /// Over it only as it is.
    pub no_longer_over: i64,
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Outcome {
    /// Bills settled under both.
    pub bills: i64,
    /// People with such a bill.
    pub people: i64,
    /// Bills that no law settles, left out of both.
    pub left_out: i64,
    /// Bills of other places that were settled with these, since persons or households have their year together, and are not
    /// counted in anything else.
    #[serde(default)]
    pub elsewhere: i64,
    /// Bills that are settled otherwise than their receipt says even without the changes.
    pub unlike_receipt: i64,
    /// Bills that the changes touch.
    pub touched_bills: i64,
    /// What the bills charge.
    pub total: Fen,
    /// What others had paid before the first layer.
    pub already_paid: Fen,
    /// What people bear.
    pub own: Pair,
    /// By payer, in the order of the layers.
    pub payers: Vec<PayerLine>,
    /// By level of hospital: bills.
    pub tiers: Vec<Line>,
    /// By township, or village where the run is of a township: people.
    pub places: Vec<Line>,
    /// By the strongest label: people.
    pub labels: Vec<Line>,
    /// Who bear more.
    pub lose: Side,
    /// Who bear less.
    pub gain: Side,
    /// Who bear more, by [`BANDS`].
    pub lose_bands: [Side; BANDS.len() + 1],
    /// Who bear less, by [`BANDS`].
    pub gain_bands: [Side; BANDS.len() + 1],
    /// Against the line of the watch.
    pub households: Households,
    /// Numbers of the changes, from 0, that make no difference to any bill.
    pub idle: Vec<usize>,
    /// The year in which the bills are taken to have come, if another than theirs: a draft begins after the last bill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_if_year: Option<i32>,
}

impl Outcome {
    /// What all payers pay.
    pub fn all_payers(&self) -> Pair {
        let mut all = Pair::default();
        for payer in &self.payers {
            all.add(payer.pays.before, payer.pays.after);
        }
        all
    }
}

/// A person whose own share the changes move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonLine {
    /// Who.
    pub person: Uuid,
    /// The household on the last bill.
    pub household: Uuid,
    /// The home place on the last bill.
    pub home: DivisionCode,
    /// Key of the strongest label on the last bill; empty if none.
    pub label: &'static str,
    /// Own cost of the year.
    pub own: Pair,
}

/// A household that the changes move over the line, or back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HouseholdLine {
    /// Which.
    pub household: Uuid,
    /// Where.
    pub home: DivisionCode,
    /// Own cost of the year, as the line measures it.
    pub own: Pair,
    /// The line.
    pub line: Fen,
    /// Over it only with the changes; else only as it is.
    pub is_newly_over: bool,
}
