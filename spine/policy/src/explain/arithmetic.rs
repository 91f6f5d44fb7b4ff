//! The arithmetic of a layer in words.

use kangmai_base::{Fen, Rate};

use super::{colon, comma, equals, full_stop, plus, semicolon};
use crate::benefit::{Over, Profile, Version};
use crate::policy::Layer;
use crate::terms::{CategoryLimit, Graded, Terms, Waiver};
use crate::trace::{Cap, Step, Trace};
use crate::words::{Arg, Word};
use crate::{BaseTake, CostCategory, FeeKind, Language};

pub(super) fn write_base(layer: &Layer, step: &Step, language: Language, out: &mut String) {
    let word = match (layer.benefit.base.over, layer.benefit.base.take) {
        (Over::Year, _) if step.before > Fen::ZERO => Word::BaseYear,
        (_, BaseTake::Compliant) => Word::BaseCompliant,
        (_, BaseTake::RemainingCompliant) => Word::BaseRemaining,
    };
    let values = [
        ("base", Arg::Money(step.base)),
        ("before", Arg::Money(step.before)),
        ("sum", Arg::Money(step.base + step.before)),
    ];
    word.write(language, out, &values);
}

pub(super) fn write_arithmetic(
    layer: &Layer,
    (version, profile): (&Version, &Profile),
    step: &Step,
    trace: &Trace,
    language: Language,
    out: &mut String,
) {
    match &profile.terms {
        Terms::DeductibleRatio(graded) => {
            write_base(layer, step, language, out);
            write_deductible(version, step, false, language, out);
            let (low, high) = (step.deductible.0, step.base.0);
            write_segments(version, graded, step, (low, high), language, out);
        }
        Terms::Tiers(graded) => {
            write_base(layer, step, language, out);
            write_deductible(version, step, layer.benefit.base.over == Over::Year, language, out);
            let (low, high) = (step.before.0, step.before.0 + step.base.0);
            write_segments(version, graded, step, (low, high), language, out);
        }
        Terms::Share(share) | Terms::PoolLimit(share) => {
            write_base(layer, step, language, out);
            write_deductible(version, step, share.deductible_over == Over::Year, language, out);
            let payable = step.base - step.deductible_used;
            let rate = less_points(version, step, share.segment.rate);
            let values = [("amount", Arg::Money(payable)), ("rate", Arg::Rate(rate))];
            Word::SegmentPlain.write(language, out, &values);
            write_end(version, step, language, out);
        }
        Terms::ThresholdToZero(share) => {
            write_base(layer, step, language, out);
            let over_year = share.deductible_over == Over::Year;
            let word = if over_year { Word::ThresholdYear } else { Word::ThresholdBill };
            let values = [
                ("threshold", Arg::Money(step.deductible)),
                ("before", Arg::Money(step.before)),
                ("used", Arg::Money(step.deductible_used)),
            ];
            word.write(language, out, &values);
            write_end(version, step, language, out);
        }
        Terms::Fixed(fixed) => {
            let word = if fixed.per_day { Word::FixedByDay } else { Word::FixedByBill };
            let values =
                [("amount", Arg::Money(fixed.amount)), ("days", Arg::Number(trace.facts.bed_days()))];
            word.write(language, out, &values);
            write_end(version, step, language, out);
        }
        Terms::CategoryLimit(limit) => write_category(version, limit, step, language, out),
        Terms::Ceiling(ceiling) => {
            let word = if ceiling.of_own_share { Word::CeilingOwn } else { Word::CeilingPays };
            let values = [
                ("base", Arg::Money(step.base)),
                ("rate", Arg::Rate(ceiling.rate)),
                ("line", Arg::Money(step.rounded)),
                ("paid", Arg::Money(step.before)),
                ("left", Arg::Money(step.base - step.before)),
            ];
            word.write(language, out, &values);
        }
        Terms::Waiver(waiver) => write_waivers(waiver, step, trace, language, out),
    }
}

fn write_category(
    version: &Version,
    limit: &CategoryLimit,
    step: &Step,
    language: Language,
    out: &mut String,
) {
    let names = limit.categories.iter().map(|category| match category {
        CostCategory::Drug => Word::CategoryDrug,
        CostCategory::Service => Word::CategoryService,
        CostCategory::Material => Word::CategoryMaterial,
    });
    let names = names.chain(limit.fees.iter().map(|fee| fee_word(*fee)));
    let names: Vec<String> = names.map(|word| word.text(language)).collect();
    let word = if limit.limit_over == Over::Year { Word::CategoryYear } else { Word::CategoryBill };
    let names = names.join(comma(language));
    let values = [
        ("names", Arg::Text(&names)),
        ("charged", Arg::Money(step.base)),
        ("limit", Arg::Money(limit.limit)),
        ("before", Arg::Money(step.before)),
        ("counts", Arg::Money(step.base - step.deductible_used)),
        ("rate", Arg::Rate(limit.rate)),
    ];
    word.write(language, out, &values);
    write_end(version, step, language, out);
}

fn write_deductible(version: &Version, step: &Step, over_year: bool, language: Language, out: &mut String) {
    if step.deductible == Fen::ZERO {
        Word::NoDeductible.write(language, out, &[]);
        out.push_str(semicolon(language));
        return;
    }
    let word = if over_year { Word::DeductibleYear } else { Word::Deductible };
    let values = [("deductible", Arg::Money(step.deductible)), ("used", Arg::Money(step.deductible_used))];
    word.write(language, out, &values);
    if let Some(rule) = version.deductible_rules.get(usize::from(step.deductible_rule)) {
        let values = [("name", Arg::Text(rule.name.get(language))), ("factor", Arg::Rate(rule.rate))];
        Word::DeductibleChanged.write(language, out, &values);
    }
    out.push_str(semicolon(language));
}

/// The ratio after the rules that took points off it.
fn less_points(version: &Version, step: &Step, rate: Rate) -> Rate {
    let held = version.ratio_rules.iter().enumerate().filter(|(bit, _)| step.ratio_rules & (1 << bit) != 0);
    held.fold(rate, |rate, (_, rule)| {
        let (a, b) = (rate.denominator(), rule.rate.denominator());
        Rate::new((rate.numerator() * b - rule.rate.numerator() * a).max(0), a * b).unwrap_or(rate)
    })
}

fn write_segments(
    version: &Version,
    graded: &Graded,
    step: &Step,
    (low, high): (i64, i64),
    language: Language,
    out: &mut String,
) {
    let mut count = 0;
    for segment in &graded.segments {
        let amount = segment.overlap(low, high);
        if amount == 0 {
            continue;
        }
        if count > 0 {
            out.push_str(plus(language));
        }
        count += 1;
        let values = [
            ("from", Arg::Money(Fen(segment.from.0.max(step.deductible.0)))),
            ("to", Arg::Money(segment.to)),
            ("amount", Arg::Money(Fen(amount))),
            ("rate", Arg::Rate(less_points(version, step, segment.rate))),
        ];
        let word = if segment.is_open() { Word::SegmentOpen } else { Word::Segment };
        word.write(language, out, &values);
    }
    write_end(version, step, language, out);
}

/// Equals, points, cap, limit.
fn write_end(version: &Version, step: &Step, language: Language, out: &mut String) {
    out.push_str(equals(language));
    Arg::Money(step.rounded).write(out);
    for (bit, rule) in version.ratio_rules.iter().enumerate() {
        if step.ratio_rules & (1 << bit) != 0 {
            let (word, points) = match 100 % rule.rate.denominator() {
                0 => {
                    let points = rule.rate.numerator() * (100 / rule.rate.denominator());
                    (Word::Points, Arg::Number(points))
                }
                _ => (Word::PointsOdd, Arg::Rate(rule.rate)),
            };
            let values = [("name", Arg::Text(rule.name.get(language))), ("points", points)];
            word.write(language, out, &values);
        }
    }
    match step.cap_room {
        Some(room) if room < step.rounded && step.pays == room => {
            let word = match step.cap {
                Cap::Year => Word::Capped,
                Cap::Bill => Word::CappedByBill,
                Cap::Pool => Word::CappedByPool,
            };
            word.write(language, out, &[("room", Arg::Money(room))]);
        }
        _ if step.pays < step.rounded => {
            Word::LimitedToRemaining.write(language, out, &[("pays", Arg::Money(step.pays))]);
        }
        _ => {}
    }
    out.push_str(full_stop(language));
}

/// Calls `with` for each waiver that came to something: its words, its amount, its ratio.
pub(super) fn each_waiver(
    waiver: &Waiver,
    step: &Step,
    trace: &Trace,
    mut with: impl FnMut(Word, Fen, Rate),
) {
    if step.deductible_used > Fen::ZERO {
        with(Word::WaivedDeductible, step.deductible_used, Rate::ONE);
    }
    let mut left = step.fees;
    for fee in &waiver.fees {
        let amount = trace.facts.fees[*fee as usize].max(Fen::ZERO).min(left);
        left -= amount;
        if amount > Fen::ZERO {
            let word = match fee {
                FeeKind::Registration => Word::FeeRegistration,
                FeeKind::Injection => Word::FeeInjection,
                FeeKind::Dressing => Word::FeeDressing,
                FeeKind::Ambulance => Word::FeeAmbulance,
                FeeKind::Checkup => Word::FeeCheckup,
            };
            with(word, amount, Rate::ONE);
        }
    }
    if step.rounded > Fen::ZERO {
        with(Word::WaivedDiscount, step.rounded, waiver.discount);
    }
}

fn write_waivers(waiver: &Waiver, step: &Step, trace: &Trace, language: Language, out: &mut String) {
    let mut count = 0;
    each_waiver(waiver, step, trace, |word, amount, rate| {
        if count > 0 {
            out.push_str(semicolon(language));
        }
        count += 1;
        let values = [("rate", Arg::Rate(rate)), ("rest", Arg::Money(step.before))];
        word.write(language, out, &values);
        out.push_str(colon(language));
        Arg::Money(amount).write(out);
    });
    out.push_str(full_stop(language));
}

const fn fee_word(fee: FeeKind) -> Word {
    match fee {
        FeeKind::Registration => Word::FeeNameRegistration,
        FeeKind::Injection => Word::FeeNameInjection,
        FeeKind::Dressing => Word::FeeNameDressing,
        FeeKind::Ambulance => Word::FeeNameAmbulance,
        FeeKind::Checkup => Word::FeeNameCheckup,
    }
}
