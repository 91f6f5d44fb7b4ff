//! What the versions of a benefit state: the closed set of layer kinds and their figures.

use kangmai_base::{Fen, Rate};

use crate::fields::{At, Fields};
use crate::words::Word;
use crate::{CostCategory, FeeKind, Over};

/// The kind of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    DeductibleRatio,
    Tiers,
    Share,
    Fixed,
    CeilingOnSelfPay,
    CategoryLimit,
    ThresholdToZero,
    PoolLimit,
    FeeWaiver,
}

impl Kind {
    pub(crate) const NAMES: &[&str] = &[
        "deductible_ratio",
        "tiers",
        "share",
        "fixed",
        "ceiling_on_self_pay",
        "category_limit",
        "threshold_to_zero",
        "pool_limit",
        "fee_waiver",
    ];

    pub(crate) fn from_name(name: &str) -> Option<Kind> {
        match name {
            "deductible_ratio" => Some(Kind::DeductibleRatio),
            "tiers" => Some(Kind::Tiers),
            "share" => Some(Kind::Share),
            "fixed" => Some(Kind::Fixed),
            "category_limit" => Some(Kind::CategoryLimit),
            "threshold_to_zero" => Some(Kind::ThresholdToZero),
            "pool_limit" => Some(Kind::PoolLimit),
            "ceiling_on_self_pay" => Some(Kind::CeilingOnSelfPay),
            "fee_waiver" => Some(Kind::FeeWaiver),
            _ => None,
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Kind::DeductibleRatio => "deductible_ratio",
            Kind::Tiers => "tiers",
            Kind::Share => "share",
            Kind::Fixed => "fixed",
            Kind::CategoryLimit => "category_limit",
            Kind::ThresholdToZero => "threshold_to_zero",
            Kind::PoolLimit => "pool_limit",
            Kind::CeilingOnSelfPay => "ceiling_on_self_pay",
            Kind::FeeWaiver => "fee_waiver",
        }
    }
}

/// What of the base from `from` to `to` is paid at `rate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Lower edge.
    pub from: Fen,
    /// Upper edge; the largest amount there is where the segment is open.
    pub to: Fen,
    /// The ratio.
    pub rate: Rate,
    /// The ratio's numerator over the common denominator of the terms.
    pub(crate) numerator: i64,
}

impl Segment {
    /// Whether it has no upper edge.
    pub const fn is_open(&self) -> bool {
        self.to.0 == i64::MAX
    }

    /// How much of `low..high` lies in it.
    pub(crate) const fn overlap(&self, low: i64, high: i64) -> i64 {
        let from = if self.from.0 > low { self.from.0 } else { low };
        let to = if self.to.0 < high { self.to.0 } else { high };
        if to > from { to - from } else { 0 }
    }
}

/// `deductible_ratio` and `tiers`: segments of the base, each with its ratio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graded {
    /// Nothing is paid below.
    pub deductible: Fen,
    /// Rising, without holes, the last open.
    pub segments: Box<[Segment]>,
    /// Common denominator of all ratios and points.
    pub(crate) denominator: i64,
    /// Whether all products fit 64 bits.
    pub(crate) small: bool,
}

/// `share`: a ratio of what is over a deductible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// Nothing is paid below.
    pub deductible: Fen,
    /// Whether the deductible is borne at each bill or once a year.
    pub deductible_over: Over,
    /// The ratio, as the one segment from nothing.
    pub segment: Segment,
    pub(crate) denominator: i64,
    pub(crate) small: bool,
}

/// `fixed`: an amount for each bill or each day of the stay, whatever it cost (定额, 按床日).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fixed {
    /// The amount.
    pub amount: Fen,
    /// Whether it is for each day.
    pub per_day: bool,
}

/// `category_limit`: a ratio of what the bill charges for some things, up to a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CategoryLimit {
    /// Costs by category.
    pub categories: Box<[CostCategory]>,
    /// Fees with a name of their own.
    pub fees: Box<[FeeKind]>,
    /// What of them counts at most.
    pub limit: Fen,
    /// Whether the limit holds for each bill or for the year.
    pub limit_over: Over,
    /// The ratio of what counts.
    pub rate: Rate,
    pub(crate) scale: Scale,
}

/// `ceiling_on_self_pay`: pays what is missing to a promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ceiling {
    /// The promised ratio of all payers, or the person's greatest share.
    pub rate: Rate,
    /// Whether `rate` is the person's share.
    pub of_own_share: bool,
    /// Whether the promise is about the total of the bill; else about its compliant part. Out-of-catalogue cost is
    /// never paid either way.
    pub of_total: bool,
    pub(crate) scale: Scale,
}

/// `fee_waiver`: what the institution waives, in this order: the deductible used, named fees, a part of the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// The fees waived.
    pub fees: Box<[FeeKind]>,
    /// The part of the rest that is waived.
    pub discount: Rate,
    /// Whether the rest counts out-of-catalogue cost too.
    pub discount_of_own: bool,
    pub(crate) scale: Scale,
}

/// A ratio over 100 where that is enough, so that most divisions are by a constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scale {
    pub(crate) numerator: i64,
    pub(crate) denominator: i64,
}

impl Scale {
    fn of(rate: Rate) -> Scale {
        let denominator = if 100 % rate.denominator() == 0 { 100 } else { rate.denominator() };
        Scale { numerator: rate.numerator() * (denominator / rate.denominator()), denominator }
    }
}

/// The figures of one profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Terms {
    /// Deductible, then segments with ratios, each bill for itself.
    DeductibleRatio(Graded),
    /// Tiers over this bill or over the year.
    Tiers(Graded),
    /// One ratio over a deductible.
    Share(Share),
    /// An amount whatever it cost.
    Fixed(Fixed),
    /// A ratio of some things up to a limit.
    CategoryLimit(CategoryLimit),
    /// All that is over what a person may bear; as a share of 100 % whose deductible is that threshold.
    ThresholdToZero(Share),
    /// One ratio, out of a pool on which other layers may draw; the pool is the cap.
    PoolLimit(Share),
    /// A promise on the own share.
    Ceiling(Ceiling),
    /// The institution's waivers.
    Waiver(Waiver),
}

/// The kinds that may have a cap for each bill.
const CAPPED: &[Kind] =
    &[Kind::DeductibleRatio, Kind::Tiers, Kind::Share, Kind::Fixed, Kind::CategoryLimit, Kind::PoolLimit];

const KEYS_BY_KIND: &[(&str, &[Kind])] = &[
    ("segments", &[Kind::DeductibleRatio]),
    ("tiers", &[Kind::Tiers]),
    ("deductible", &[Kind::DeductibleRatio, Kind::Share]),
    ("deductible_over", &[Kind::Share]),
    ("ratio", &[Kind::Share, Kind::CategoryLimit, Kind::PoolLimit]),
    ("yearly_cap", &[Kind::DeductibleRatio, Kind::Tiers, Kind::Share, Kind::Fixed, Kind::CategoryLimit]),
    ("bill_cap", CAPPED),
    ("amount", &[Kind::Fixed]),
    ("per", &[Kind::Fixed]),
    ("categories", &[Kind::CategoryLimit]),
    ("limit", &[Kind::CategoryLimit]),
    ("limit_over", &[Kind::CategoryLimit]),
    ("threshold", &[Kind::ThresholdToZero]),
    ("threshold_over", &[Kind::ThresholdToZero]),
    ("yearly_pool", &[Kind::PoolLimit]),
    ("pays_up_to", &[Kind::CeilingOnSelfPay]),
    ("own_share_at_most", &[Kind::CeilingOnSelfPay]),
    ("of", &[Kind::CeilingOnSelfPay]),
    ("fees", &[Kind::FeeWaiver, Kind::CategoryLimit]),
    ("discount", &[Kind::FeeWaiver]),
    ("discount_of", &[Kind::FeeWaiver]),
];

impl Terms {
    /// Reads the figures of `kind`; `points` are the denominators that ratio rules bring.
    pub(crate) fn read(fields: &Fields<'_>, kind: Kind, points: &[Rate]) -> Option<Terms> {
        for (key, kinds) in KEYS_BY_KIND {
            if !kinds.contains(&kind) && fields.has(key) {
                let kinds: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
                let error = fields.spot().error(Word::ErrWrongForKind, Word::MendWrongForKind);
                fields
                    .push(error.with("key", *key).with("kind", kind.name()).with("kinds", kinds.join(", ")));
            }
        }
        match kind {
            Kind::DeductibleRatio => read_deductible_ratio(fields, points),
            Kind::Tiers => read_tiers(fields, points),
            Kind::Share => read_share(fields, points),
            Kind::Fixed => read_fixed(fields),
            Kind::CategoryLimit => read_category_limit(fields),
            Kind::ThresholdToZero => read_threshold(fields),
            Kind::PoolLimit => read_pool(fields, points),
            Kind::CeilingOnSelfPay => read_ceiling(fields),
            Kind::FeeWaiver => read_waiver(fields),
        }
    }

    /// The deductible, where the kind has one.
    pub(crate) const fn deductible(&self) -> Fen {
        match self {
            Terms::DeductibleRatio(graded) | Terms::Tiers(graded) => graded.deductible,
            Terms::Share(share) | Terms::ThresholdToZero(share) | Terms::PoolLimit(share) => share.deductible,
            Terms::Fixed(_) | Terms::CategoryLimit(_) | Terms::Ceiling(_) | Terms::Waiver(_) => Fen::ZERO,
        }
    }

    /// The denominator of the numerators.
    pub(crate) const fn denominator(&self) -> i64 {
        match self {
            Terms::DeductibleRatio(graded) | Terms::Tiers(graded) => graded.denominator,
            Terms::Share(share) | Terms::ThresholdToZero(share) | Terms::PoolLimit(share) => {
                share.denominator
            }
            Terms::Fixed(_) => 1,
            Terms::CategoryLimit(limit) => limit.scale.denominator,
            Terms::Ceiling(ceiling) => ceiling.scale.denominator,
            Terms::Waiver(waiver) => waiver.scale.denominator,
        }
    }
}

fn read_deductible_ratio(fields: &Fields<'_>, points: &[Rate]) -> Option<Terms> {
    let deductible = fields.money("deductible");
    let tables = fields.some_tables("segments");
    let last = tables.len().saturating_sub(1);
    let mut rates = Vec::new();
    let mut from = Fen::ZERO;
    for (index, table) in tables.iter().enumerate() {
        let (up_to, rate) = (table.money_maybe("up_to"), table.share("ratio"));
        table.finish();
        let lowest = if index == 0 { deductible.as_ref().map_or(Fen::ZERO, |at| at.value) } else { from };
        match &up_to {
            Some(up_to) if up_to.value <= lowest => push_not_rising(fields, up_to, lowest),
            Some(up_to) if index == last => {
                fields.push(up_to.spot.error(Word::ErrOpenSegment, Word::MendOpenSegment));
            }
            None if index != last => {
                fields.push(table.spot().error(Word::ErrMissingKey, Word::MendAddKey).with("key", "up_to"));
            }
            _ => {}
        }
        let to = up_to.map_or(Fen(i64::MAX), |up_to| up_to.value);
        rates.extend(rate.map(|rate| (from, to, rate)));
        from = to;
    }
    let (segments, denominator, small) = scaled(fields, rates, points)?;
    Some(Terms::DeductibleRatio(Graded { deductible: deductible?.value, segments, denominator, small }))
}

fn read_tiers(fields: &Fields<'_>, points: &[Rate]) -> Option<Terms> {
    let tables = fields.some_tables("tiers");
    let mut edges: Vec<(Fen, At<Rate>)> = Vec::new();
    for table in &tables {
        let (above, rate) = (table.money("above"), table.share("ratio"));
        table.finish();
        let (Some(above), Some(rate)) = (above, rate) else { continue };
        if let Some((previous, _)) = edges.last().filter(|(previous, _)| above.value <= *previous) {
            push_not_rising(fields, &above, *previous);
        }
        edges.push((above.value, rate));
    }
    let deductible = edges.first()?.0;
    let ends: Vec<Fen> = edges.iter().skip(1).map(|(from, _)| *from).chain([Fen(i64::MAX)]).collect();
    let rates = edges.into_iter().zip(ends).map(|((from, rate), to)| (from, to, rate)).collect();
    let (segments, denominator, small) = scaled(fields, rates, points)?;
    Some(Terms::Tiers(Graded { deductible, segments, denominator, small }))
}

fn push_not_rising(fields: &Fields<'_>, at: &At<Fen>, lowest: Fen) {
    let error = at.spot.error(Word::ErrNotRising, Word::MendRising);
    fields.push(error.with("value", at.value.to_string()).with("lowest", lowest.to_string()));
}

fn read_share(fields: &Fields<'_>, points: &[Rate]) -> Option<Terms> {
    let deductible = fields.money("deductible");
    let deductible_over = fields.chosen(fields.text("deductible_over"), Over::NAMES, Over::from_name);
    let rate = fields.share("ratio");
    let (segments, denominator, small) = scaled(fields, vec![(Fen::ZERO, Fen(i64::MAX), rate?)], points)?;
    let segment = *segments.first()?;
    let deductible = deductible?.value;
    Some(Terms::Share(Share { deductible, deductible_over: deductible_over?, segment, denominator, small }))
}

fn read_fixed(fields: &Fields<'_>) -> Option<Terms> {
    let amount = fields.money("amount");
    let per_day = fields.chosen(fields.text("per"), &["bill", "day"], |name| match name {
        "bill" => Some(false),
        "day" => Some(true),
        _ => None,
    });
    Some(Terms::Fixed(Fixed { amount: amount?.value, per_day: per_day? }))
}

fn read_category_limit(fields: &Fields<'_>) -> Option<Terms> {
    let names: Vec<&str> = CostCategory::ALL.iter().map(|category| category.name()).collect();
    let read = |name: &str| CostCategory::ALL.into_iter().find(|category| category.name() == name);
    let listed = fields.texts_maybe("categories").unwrap_or_default();
    let mut categories: Vec<CostCategory> =
        listed.into_iter().filter_map(|text| fields.chosen(Some(text), &names, read)).collect();
    categories.sort_by_key(|category| *category as u8);
    categories.dedup();
    let fees = read_fees(fields);
    if categories.is_empty() && fees.is_empty() {
        fields.push(fields.spot().error(Word::ErrEmptyList, Word::MendEmptyList).with("key", "categories"));
    }
    let limit = fields.money("limit");
    let limit_over = fields.chosen(fields.text("limit_over"), Over::NAMES, Over::from_name);
    let rate = fields.share("ratio")?.value;
    Some(Terms::CategoryLimit(CategoryLimit {
        categories: categories.into(),
        fees,
        limit: limit?.value,
        limit_over: limit_over?,
        rate,
        scale: Scale::of(rate),
    }))
}

fn read_threshold(fields: &Fields<'_>) -> Option<Terms> {
    let threshold = fields.money("threshold");
    let over = fields.chosen(fields.text("threshold_over"), Over::NAMES, Over::from_name);
    Some(Terms::ThresholdToZero(plain_share(threshold?.value, over?, Rate::ONE, 100, true)))
}

fn read_pool(fields: &Fields<'_>, points: &[Rate]) -> Option<Terms> {
    let (segments, denominator, small) =
        scaled(fields, vec![(Fen::ZERO, Fen(i64::MAX), fields.share("ratio")?)], points)?;
    let segment = *segments.first()?;
    let share = plain_share(Fen::ZERO, Over::Bill, segment.rate, denominator, small);
    Some(Terms::PoolLimit(Share { segment, ..share }))
}

fn plain_share(deductible: Fen, deductible_over: Over, rate: Rate, denominator: i64, small: bool) -> Share {
    let numerator = rate.numerator() * (denominator / rate.denominator());
    let segment = Segment { from: Fen::ZERO, to: Fen(i64::MAX), rate, numerator };
    Share { deductible, deductible_over, segment, denominator, small }
}

fn read_ceiling(fields: &Fields<'_>) -> Option<Terms> {
    let of_total = fields.chosen(fields.text("of"), &["total", "compliant"], |name| match name {
        "total" => Some(true),
        "compliant" => Some(false),
        _ => None,
    });
    let of_own_share = fields.has("own_share_at_most");
    if of_own_share && fields.has("pays_up_to") {
        let error = fields.spot().error(Word::ErrTwice, Word::MendTwice);
        fields.push(error.with("value", "own_share_at_most / pays_up_to"));
    }
    let rate = fields.share(if of_own_share { "own_share_at_most" } else { "pays_up_to" });
    let rate = rate?.value;
    Some(Terms::Ceiling(Ceiling { rate, of_own_share, of_total: of_total?, scale: Scale::of(rate) }))
}

fn read_fees(fields: &Fields<'_>) -> Box<[FeeKind]> {
    let names: Vec<&str> = FeeKind::ALL.iter().map(|fee| fee.name()).collect();
    let read = |name: &str| FeeKind::ALL.into_iter().find(|fee| fee.name() == name);
    let listed = fields.texts_maybe("fees").unwrap_or_default();
    let mut fees: Vec<FeeKind> =
        listed.into_iter().filter_map(|text| fields.chosen(Some(text), &names, read)).collect();
    fees.sort_by_key(|fee| *fee as u8);
    fees.dedup();
    fees.into()
}

fn read_waiver(fields: &Fields<'_>) -> Option<Terms> {
    let fees = read_fees(fields);
    let discount = fields.share("discount");
    let bases = ["remaining_compliant", "remaining_own"];
    let of_own = fields.chosen(fields.text("discount_of"), &bases, |name| match name {
        "remaining_compliant" => Some(false),
        "remaining_own" => Some(true),
        _ => None,
    });
    let discount = discount?.value;
    let scale = Scale::of(discount);
    Some(Terms::Waiver(Waiver { fees, discount, discount_of_own: of_own?, scale }))
}

/// Brings the ratios over one denominator, 100 where that is enough.
fn scaled(
    fields: &Fields<'_>,
    rates: Vec<(Fen, Fen, At<Rate>)>,
    points: &[Rate],
) -> Option<(Box<[Segment]>, i64, bool)> {
    let mut denominator: i64 = 1;
    for other in rates.iter().map(|(_, _, rate)| rate.value).chain(points.iter().copied()) {
        let step = other.denominator() / common_divisor(denominator, other.denominator());
        let product = denominator.checked_mul(step).filter(|product| *product <= Rate::LIMIT);
        let Some(product) = product else {
            let spot = rates.first().map_or(fields.spot(), |(_, _, rate)| rate.spot.clone());
            fields.push(spot.error(Word::ErrNotARatio, Word::MendRatio).with("value", other.to_string()));
            return None;
        };
        denominator = product;
    }
    if 100 % denominator == 0 {
        denominator = 100;
    }
    let segment = |(from, to, rate): (Fen, Fen, At<Rate>)| Segment {
        from,
        to,
        rate: rate.value,
        numerator: rate.value.numerator() * (denominator / rate.value.denominator()),
    };
    Some((rates.into_iter().map(segment).collect(), denominator, denominator <= SMALL))
}

/// With a denominator up to this, [`Fen::LIMIT`] times any share fits 63 bits.
const SMALL: i64 = 1_000_000;

pub(crate) const fn common_divisor(a: i64, b: i64) -> i64 {
    let (mut a, mut b) = (a, b);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    if a == 0 { 1 } else { a }
}
