//! One benefit: a layer of settlement with its dated versions.

use std::sync::Arc;

use kangmai_base::{Fen, Rate};
use serde::{Deserialize, Serialize};

use crate::Bilingual;
use crate::cases::LayerCase;
use crate::dated::{Gap, Period, Source, Sure, check_coverage};
use crate::fields::Fields;
use crate::predicate::Predicate;
use crate::source::Spot;
use crate::terms::{Kind, Terms};
use crate::vocabulary::Vocabulary;
use crate::words::Word;

/// Who pays a layer, in kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayerKind {
    /// An insurance fund.
    Insurance,
    /// A medical-assistance fund.
    Assistance,
    /// The budget of a government.
    Government,
    /// The institution that treats.
    Institution,
    /// Charity and commercial supplements.
    Other,
}

impl PayerKind {
    const NAMES: &[&str] = &["insurance", "assistance", "government", "institution", "other"];

    fn from_name(name: &str) -> Option<PayerKind> {
        match name {
            "insurance" => Some(PayerKind::Insurance),
            "assistance" => Some(PayerKind::Assistance),
            "government" => Some(PayerKind::Government),
            "institution" => Some(PayerKind::Institution),
            "other" => Some(PayerKind::Other),
            _ => None,
        }
    }
}

/// Who pays a layer. The codes differ by place, so they live in the pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payer {
    /// Its kind.
    pub kind: PayerKind,
    /// The fund's code here.
    pub fund: String,
    /// What people call it.
    pub name: Bilingual,
    /// The field of the national settlement interface that takes the amount.
    pub national: String,
}

/// What a layer takes as its base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BaseTake {
    /// The compliant cost of the bill.
    Compliant,
    /// What earlier layers have left of it.
    RemainingCompliant,
}

/// Over what a deductible or a base is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// Each bill for itself.
    Bill,
    /// All bills of the insurance year.
    Year,
}

impl Over {
    pub(crate) const NAMES: &[&str] = &["bill", "year"];

    pub(crate) fn from_name(name: &str) -> Option<Over> {
        match name {
            "bill" => Some(Over::Bill),
            "year" => Some(Over::Year),
            _ => None,
        }
    }
}

/// Whose accumulators a benefit counts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// Each person has their own.
    Person,
    /// All members of a household have them together.
    Household,
}

impl Owner {
    const NAMES: &[&str] = &["person", "household"];

    fn from_name(name: &str) -> Option<Owner> {
        match name {
            "person" => Some(Owner::Person),
            "household" => Some(Owner::Household),
            _ => None,
        }
    }
}

/// The base of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Base {
    /// What.
    pub take: BaseTake,
    /// Over what time.
    pub over: Over,
    /// Whose year: of all accumulators that the benefit has.
    pub owner: Owner,
}

/// The date that selects a layer's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateBasis {
    /// 入院日
    Admission,
    /// 出院日
    Discharge,
    /// 结算日
    Settlement,
}

/// How a layer's amount is brought to money, once, at the end of the layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// 四舍五入 to so many fen.
    HalfUp(i64),
    /// Down to so many fen.
    Down(i64),
    /// Up to so many fen.
    Up(i64),
}

/// The accumulators that a benefit owns.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Slots<T> {
    /// The base of the year so far.
    pub(crate) base: Option<T>,
    /// Paid this year so far.
    pub(crate) paid: Option<T>,
    /// The deductible borne this year so far.
    pub(crate) deductible: Option<T>,
    /// Stays of this year so far.
    pub(crate) stays: Option<T>,
}

/// What an accumulator of a benefit holds of a person-year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccumulatorKind {
    /// The base so far.
    Base,
    /// What was paid so far.
    Paid,
    /// The deductible borne so far.
    Deductible,
    /// The stays so far.
    Stays,
}

/// A rule that changes a deductible or takes points off the ratios.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// What the statement calls it.
    pub name: Bilingual,
    /// When it holds.
    pub when: Predicate,
    /// The factor on the deductible, or the points off each ratio.
    pub rate: Rate,
}

/// The figures for one group of people, institutions or settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// What the statement calls it.
    pub name: Bilingual,
    /// For whom. The first profile whose condition holds is taken.
    pub when: Predicate,
    /// The figures.
    pub terms: Terms,
    /// What the layer pays at most in a year; of a pool, what it holds.
    pub yearly_cap: Option<Fen>,
    /// What the layer pays at most on one bill.
    pub bill_cap: Option<Fen>,
    /// How sure the figures are, where it differs from the version.
    pub sure: Option<Sure>,
    /// Their source, where it differs from the version.
    pub source: Option<Source>,
    /// The deductible under each of the version's deductible rules.
    pub(crate) changed: Box<[i64]>,
    /// The points of each of the version's ratio rules, over the terms' denominator.
    pub(crate) points: Box<[i64]>,
}

/// What holds of a benefit from a day to a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// When.
    pub period: Period,
    /// How sure.
    pub sure: Sure,
    /// Where from.
    pub source: Source,
    /// Whether it is the last known version carried forward until the local notice is found.
    pub carried_forward: bool,
    /// The profiles; the first that holds is taken.
    pub profiles: Vec<Profile>,
    /// Rules on the deductible; the first that holds is taken.
    pub deductible_rules: Vec<Rule>,
    /// Rules that take points off the ratios; all that hold are taken.
    pub ratio_rules: Vec<Rule>,
}

/// One benefit.
#[derive(Debug, Clone)]
pub struct Benefit {
    /// Code name, the same wherever the benefit is overridden.
    pub id: String,
    /// What people call it.
    pub name: Bilingual,
    /// Who pays.
    pub payer: Payer,
    /// The layer kind, as packs name it.
    pub kind: &'static str,
    /// The base.
    pub base: Base,
    /// How it is rounded.
    pub rounding: Rounding,
    /// Which date selects the version.
    pub date: DateBasis,
    /// Which benefits come before it.
    pub after: Vec<String>,
    /// Whom it is for at all.
    pub applies: Predicate,
    /// The pool that it draws on: the benefit of the kind `pool_limit` that owns it.
    pub draws_on: Option<String>,
    /// The benefit whose deductible a waiver waives.
    pub waives_deductible_of: Option<String>,
    /// The versions, by date.
    pub versions: Vec<Arc<Version>>,
    /// Times without a rule, on purpose.
    pub gaps: Vec<Gap>,
    /// The file it stands in.
    pub path: String,
    pub(crate) slots: Slots<String>,
    pub(crate) cases: Vec<LayerCase>,
    pub(crate) spot: Spot,
}

/// Most profiles of one version.
const MOST_PROFILES: usize = 64;
/// Most rules of one version: the trace has a bit for each.
const MOST_RULES: usize = 8;

impl Benefit {
    /// The version in force on `day`.
    pub fn version_on(&self, day: kangmai_base::Day) -> Option<&Version> {
        self.versions.iter().map(|version| &**version).find(|version| version.period.contains(day))
    }

    /// What it keeps over the year: what, and the name by which that is stored.
    pub fn accumulators(&self) -> impl Iterator<Item = (AccumulatorKind, &str)> {
        let slots = &self.slots;
        let all = [
            (AccumulatorKind::Base, &slots.base),
            (AccumulatorKind::Paid, &slots.paid),
            (AccumulatorKind::Deductible, &slots.deductible),
            (AccumulatorKind::Stays, &slots.stays),
        ];
        all.into_iter().filter_map(|(kind, name)| Some((kind, name.as_deref()?)))
    }

    pub(crate) fn read(fields: &Fields<'_>, path: &str, vocabulary: &Vocabulary) -> Option<Benefit> {
        let id = fields.text("id");
        let name = fields.bilingual("name");
        let payer = read_payer(fields);
        let kind = fields.chosen(fields.text("kind"), Kind::NAMES, Kind::from_name);
        let date =
            fields.chosen(fields.text("date"), &["admission", "discharge", "settlement"], read_date_basis);
        let rounding = read_rounding(fields, &["layer"]).map(|(rounding, _)| rounding);
        let base = read_base(fields);
        let after = fields.texts_maybe("after").unwrap_or_default();
        let slots = fields.table_maybe("accumulators").map(|table| read_slots(&table)).unwrap_or_default();
        let applies = fields.table("applies").and_then(|table| Predicate::read(&table, vocabulary));
        let draws_on = fields.text_maybe("draws_on").map(|text| text.value.to_owned());
        let waives = fields.text_maybe("waives_deductible_of").map(|text| text.value.to_owned());
        let mut cases = Vec::new();
        for case in fields.tables("case") {
            cases.extend(LayerCase::read(&case, vocabulary));
        }
        let (kind, applies) = (kind?, applies?);
        let read: Vec<(Version, Spot)> = fields
            .some_tables("version")
            .iter()
            .filter_map(|table| Some((read_version(table, kind, vocabulary)?, table.spot())))
            .collect();
        let gaps = Gap::read_all(fields);
        fields.finish();
        let periods = read.iter().map(|(version, spot)| (version.period, spot.clone()));
        check_coverage(
            fields,
            periods.chain(gaps.iter().map(|(gap, spot)| (gap.period, spot.clone()))).collect(),
        );
        let mut benefit = Benefit {
            id: id?.value.to_owned(),
            name: name?,
            payer: payer?,
            kind: kind.name(),
            base: base?,
            rounding: rounding?,
            date: date?,
            after: after.iter().map(|text| text.value.to_owned()).collect(),
            applies,
            draws_on,
            waives_deductible_of: waives,
            versions: read.into_iter().map(|(version, _)| Arc::new(version)).collect(),
            gaps: gaps.into_iter().map(|(gap, _)| gap).collect(),
            path: path.to_owned(),
            slots,
            cases,
            spot: fields.spot(),
        };
        benefit.versions.sort_by_key(|version| version.period.from);
        check_slots(fields, kind, &benefit);
        Some(benefit)
    }
}

fn read_payer(fields: &Fields<'_>) -> Option<Payer> {
    let table = fields.table("payer")?;
    let kind = table.chosen(table.text("kind"), PayerKind::NAMES, PayerKind::from_name);
    let (fund, name, national) = (table.text("fund"), table.bilingual("name"), table.text("national"));
    table.finish();
    Some(Payer {
        kind: kind?,
        fund: fund?.value.to_owned(),
        name: name?,
        national: national?.value.to_owned(),
    })
}

fn read_date_basis(name: &str) -> Option<DateBasis> {
    match name {
        "admission" => Some(DateBasis::Admission),
        "discharge" => Some(DateBasis::Discharge),
        "settlement" => Some(DateBasis::Settlement),
        _ => None,
    }
}

/// How it is rounded, and where: one of `places`.
pub(crate) fn read_rounding<'f>(
    fields: &Fields<'f>,
    places: &'static [&'static str],
) -> Option<(Rounding, &'f str)> {
    let table = fields.table("round")?;
    let unit = table.chosen(table.text("to"), &["0.01", "0.10", "1.00"], |text| match text {
        "0.01" => Some(1),
        "0.10" => Some(10),
        "1.00" => Some(100),
        _ => None,
    });
    let at = table.text("at");
    let at = table.chosen(at, places, |text| places.iter().copied().find(|place| *place == text));
    let mode = table.text("mode");
    table.finish();
    let (unit, at) = (unit?, at?);
    let rounding = fields.chosen(mode, &["half_up", "down", "up"], |text| match text {
        "half_up" => Some(Rounding::HalfUp(unit)),
        "down" => Some(Rounding::Down(unit)),
        "up" => Some(Rounding::Up(unit)),
        _ => None,
    });
    Some((rounding?, at))
}

/// A quotient brought to money; half up, up and down are away from and towards zero. `None` past 63 bits.
pub(crate) fn round(rounding: Rounding, numerator: i128, denominator: i128) -> Option<i64> {
    let (size, negative) = (i128::try_from(numerator.unsigned_abs()).ok()?, numerator < 0);
    let (unit, added) = match rounding {
        Rounding::HalfUp(unit) => (unit, denominator.checked_mul(i128::from(unit))? / 2),
        Rounding::Down(unit) => (unit, 0),
        Rounding::Up(unit) => (unit, denominator.checked_mul(i128::from(unit))? - 1),
    };
    let units = size.checked_add(added)? / denominator.checked_mul(i128::from(unit))?;
    let amount = i64::try_from(units.checked_mul(i128::from(unit))?).ok()?;
    Some(if negative { -amount } else { amount })
}

fn read_base(fields: &Fields<'_>) -> Option<Base> {
    let table = fields.table("base")?;
    let take = table.chosen(table.text("take"), &["compliant", "remaining_compliant"], |name| match name {
        "compliant" => Some(BaseTake::Compliant),
        "remaining_compliant" => Some(BaseTake::RemainingCompliant),
        _ => None,
    });
    let over = table.chosen(table.text("over"), Over::NAMES, Over::from_name);
    let owner = table.chosen(table.text("owner"), Owner::NAMES, Owner::from_name);
    table.finish();
    Some(Base { take: take?, over: over?, owner: owner? })
}

fn read_slots(table: &Fields<'_>) -> Slots<String> {
    let name = |key| table.text_maybe(key).map(|text| text.value.to_owned());
    let slots = Slots {
        base: name("base"),
        paid: name("paid"),
        deductible: name("deductible"),
        stays: name("stays"),
    };
    table.finish();
    slots
}

fn read_version(fields: &Fields<'_>, kind: Kind, vocabulary: &Vocabulary) -> Option<Version> {
    let (period, sure, source) = (Period::read(fields), Sure::read(fields), Source::read(fields));
    let carried_forward = fields.flag_maybe("carried_forward").unwrap_or(false);
    let deductible_rules = read_rules(fields, "deductible_rule", "factor", vocabulary);
    let ratio_rules = read_rules(fields, "ratio_rule", "minus", vocabulary);
    let rates = |rules: &[Rule]| -> Vec<Rate> { rules.iter().map(|rule| rule.rate).collect() };
    let (factors, points) = (rates(&deductible_rules), rates(&ratio_rules));
    let tables = fields.some_tables("profile");
    if tables.len() > MOST_PROFILES || deductible_rules.len() > MOST_RULES || ratio_rules.len() > MOST_RULES {
        let error = fields.spot().error(Word::ErrTooMany, Word::MendTooMany);
        fields.push(error.with("limit", MOST_PROFILES.to_string()));
        return None;
    }
    let mut profiles: Vec<Profile> = Vec::new();
    let mut complete = true;
    for table in &tables {
        if profiles.iter().any(|earlier| earlier.when.is_always()) {
            fields.push(table.spot().error(Word::ErrUnreachable, Word::MendUnreachable));
        }
        match read_profile(table, kind, (&factors, &points), vocabulary) {
            Some(profile) => profiles.push(profile),
            None => complete = false,
        }
    }
    fields.finish();
    let version = Version {
        period: period?,
        sure: sure?,
        source: source?,
        carried_forward,
        profiles,
        deductible_rules,
        ratio_rules,
    };
    complete.then_some(version)
}

fn read_rules(
    fields: &Fields<'_>,
    key: &'static str,
    rate: &'static str,
    vocabulary: &Vocabulary,
) -> Vec<Rule> {
    let read = |table: &Fields<'_>| {
        let (name, rate) = (table.bilingual("name"), table.share(rate));
        let when = table.table("when").and_then(|when| Predicate::read(&when, vocabulary));
        table.finish();
        Some(Rule { name: name?, when: when?, rate: rate?.value })
    };
    fields.tables(key).iter().filter_map(read).collect()
}

fn read_profile(
    fields: &Fields<'_>,
    kind: Kind,
    (factors, points): (&[Rate], &[Rate]),
    vocabulary: &Vocabulary,
) -> Option<Profile> {
    let name = fields.bilingual("name");
    let when = match fields.table_maybe("when") {
        Some(table) => Predicate::read(&table, vocabulary),
        None => Some(Predicate::default()),
    };
    let (sure, source) = (Sure::read_maybe(fields), Source::read_maybe(fields));
    let terms = Terms::read(fields, kind, points);
    let yearly_cap = match kind {
        Kind::CeilingOnSelfPay | Kind::ThresholdToZero | Kind::FeeWaiver => Some(None),
        Kind::PoolLimit => fields.money("yearly_pool").map(|pool| Some(pool.value)),
        _ => fields.cap("yearly_cap"),
    };
    let bill_cap = fields.money_maybe("bill_cap").map(|cap| cap.value);
    fields.finish();
    let when = when?;
    let terms = terms?;
    let changed = factors.iter().map(|factor| factor.of(terms.deductible()).0).collect();
    let points =
        points.iter().map(|rate| rate.numerator() * (terms.denominator() / rate.denominator())).collect();
    let yearly_cap = yearly_cap?;
    Some(Profile { name: name?, when, terms, yearly_cap, bill_cap, sure, source, changed, points })
}

/// Each figure of a year needs its accumulator.
fn check_slots(fields: &Fields<'_>, kind: Kind, benefit: &Benefit) {
    let need = |slot: &'static str, is_there: bool, is_needed: bool| {
        if is_needed && !is_there {
            let error = fields.spot().error(Word::ErrNoAccumulator, Word::MendNoAccumulator);
            fields.push(error.with("slot", slot).with("example", format!("{}_{slot}", benefit.id)));
        }
    };
    let profiles = || benefit.versions.iter().flat_map(|version| &version.profiles);
    let rules = || {
        benefit
            .versions
            .iter()
            .flat_map(|version| version.deductible_rules.iter().chain(&version.ratio_rules))
    };
    let asks_stays = benefit.applies.asks_earlier_stays()
        || profiles().any(|profile| profile.when.asks_earlier_stays())
        || rules().any(|rule| rule.when.asks_earlier_stays());
    let yearly_deductible = profiles().any(|profile| match &profile.terms {
        Terms::Share(share) | Terms::ThresholdToZero(share) => {
            share.deductible_over == Over::Year && share.deductible > Fen::ZERO
        }
        _ => false,
    });
    let yearly_limit = profiles().any(
        |profile| matches!(&profile.terms, Terms::CategoryLimit(limit) if limit.limit_over == Over::Year),
    );
    let yearly_tiers = kind == Kind::Tiers && benefit.base.over == Over::Year;
    need("base", benefit.slots.base.is_some(), yearly_tiers || yearly_limit);
    need("paid", benefit.slots.paid.is_some(), profiles().any(|profile| profile.yearly_cap.is_some()));
    need("deductible", benefit.slots.deductible.is_some(), yearly_deductible);
    need("stays", benefit.slots.stays.is_some(), asks_stays);
    if kind != Kind::Tiers && benefit.base.over == Over::Year {
        let error = fields.spot().error(Word::ErrWrongForKind, Word::MendWrongForKind);
        fields.push(error.with("key", "base.over = year").with("kind", kind.name()).with("kinds", "tiers"));
    }
    if kind != Kind::FeeWaiver && benefit.waives_deductible_of.is_some() {
        let error = fields.spot().error(Word::ErrWrongForKind, Word::MendWrongForKind);
        let error = error.with("key", "waives_deductible_of");
        fields.push(error.with("kind", kind.name()).with("kinds", Kind::FeeWaiver.name()));
    }
}
