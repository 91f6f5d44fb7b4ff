//! The figures of a benefit in words: what a clerk reads before money follows it.

use kangmai_base::Fen;
use kangmai_policy::{
    AccumulatorKind, BaseTake, Benefit, CategoryLimit, CostCategory, DateBasis, FeeKind, Language as Spoken,
    Over, Owner, Policy, Profile, Rule, Segment, Sure, Terms, Version,
};
use kangmai_web::Page;

/// One profile of a version, as a row of a table.
pub(super) struct ProfileLine {
    pub(super) name: String,
    pub(super) condition: String,
    pub(super) deductible: String,
    pub(super) ratios: Vec<String>,
    pub(super) cap: String,
    pub(super) source: String,
}

/// One rule of a version: when it holds and what it does.
pub(super) struct RuleLine {
    pub(super) name: String,
    pub(super) condition: String,
    pub(super) effect: String,
}

/// The figures of a version.
pub(super) struct Figures {
    pub(super) profiles: Vec<ProfileLine>,
    pub(super) rules: Vec<RuleLine>,
}

/// How sure: key of the word, and tone.
pub(super) const fn sure_word(sure: Sure) -> (&'static str, &'static str) {
    match sure {
        Sure::High => ("server.packs.sure.high", "good"),
        Sure::Medium => ("server.packs.sure.medium", "plain"),
        Sure::Low => ("server.packs.sure.low", "warning"),
    }
}

/// The figures of `version` of `benefit`.
pub(super) fn figures(page: &Page, policy: &Policy, benefit: &Benefit, version: &Version) -> Figures {
    let language = super::packs::spoken(page.language);
    let profile = |profile: &Profile| {
        let (deductible, ratios, cap) = terms(page, benefit, profile);
        let source = profile.source.as_ref().map(|source| match &source.article {
            Some(article) => format!("{} {article}", source.doc),
            None => source.doc.clone(),
        });
        let sure = profile.sure.map(|sure| page.word(sure_word(sure).0).into_owned());
        ProfileLine {
            name: profile.name.get(language).to_owned(),
            condition: policy.condition(&profile.when, language),
            deductible,
            ratios,
            cap,
            source: source.into_iter().chain(sure).collect::<Vec<_>>().join(" "),
        }
    };
    let rule = |key: &'static str| {
        move |rule: &Rule| RuleLine {
            name: rule.name.get(language).to_owned(),
            condition: policy.condition(&rule.when, language),
            effect: page.say1(key, "rate", rule.rate),
        }
    };
    let deductible = version.deductible_rules.iter().map(rule("server.law.rule.deductible"));
    let ratio = version.ratio_rules.iter().map(rule("server.law.rule.ratio"));
    Figures {
        profiles: version.profiles.iter().map(profile).collect(),
        rules: deductible.chain(ratio).collect(),
    }
}

/// Deductible, ratios and cap of the terms.
fn terms(page: &Page, benefit: &Benefit, profile: &Profile) -> (String, Vec<String>, String) {
    let none = || "—".to_owned();
    match &profile.terms {
        Terms::DeductibleRatio(graded) | Terms::Tiers(graded) => (
            deductible(page, graded.deductible, benefit.base.over),
            graded.segments.iter().map(|part| segment(page, part)).collect(),
            cap(page, profile),
        ),
        Terms::Share(share) | Terms::PoolLimit(share) => (
            deductible(page, share.deductible, share.deductible_over),
            vec![segment(page, &share.segment)],
            cap(page, profile),
        ),
        Terms::ThresholdToZero(share) => {
            let key = match share.deductible_over {
                Over::Bill => "server.law.threshold.bill",
                Over::Year => "server.law.threshold.year",
            };
            (none(), vec![page.say1(key, "amount", page.yuan(share.deductible))], none())
        }
        Terms::Fixed(fixed) => {
            let key = if fixed.per_day { "server.law.fixed.day" } else { "server.law.fixed.bill" };
            (none(), vec![page.say1(key, "amount", page.yuan(fixed.amount))], cap(page, profile))
        }
        Terms::CategoryLimit(limit) => (none(), category_limit(page, limit), cap(page, profile)),
        Terms::Ceiling(ceiling) => {
            let key = match (ceiling.of_own_share, ceiling.of_total) {
                (true, true) => "server.law.ceiling.own_of_total",
                (true, false) => "server.law.ceiling.own_of_compliant",
                (false, true) => "server.law.ceiling.paid_of_total",
                (false, false) => "server.law.ceiling.paid_of_compliant",
            };
            (none(), vec![page.say1(key, "rate", ceiling.rate)], none())
        }
        Terms::Waiver(waiver) => {
            let fees = waiver.fees.iter().map(|fee| page.word(fee_word(*fee)).into_owned());
            let key = if waiver.discount_of_own {
                "server.law.waiver.of_own"
            } else {
                "server.law.waiver.of_compliant"
            };
            let discount =
                (waiver.discount.to_string() != "0%").then(|| page.say1(key, "rate", waiver.discount));
            let waived = benefit.waives_deductible_of.is_some();
            let deductible = waived.then(|| page.word("server.law.waiver.deductible").into_owned());
            (none(), deductible.into_iter().chain(fees).chain(discount).collect(), none())
        }
    }
}

fn deductible(page: &Page, amount: Fen, over: Over) -> String {
    if amount == Fen::ZERO {
        return page.word("server.law.no_deductible").into_owned();
    }
    let key = match over {
        Over::Bill => "server.law.deductible.bill",
        Over::Year => "server.law.deductible.year",
    };
    page.say1(key, "amount", page.yuan(amount))
}

fn segment(page: &Page, part: &Segment) -> String {
    let (from, to) = (page.yuan(part.from), page.yuan(part.to));
    let values: &[(&str, &dyn std::fmt::Display)] = &[("from", &from), ("to", &to), ("rate", &part.rate)];
    match (part.from == Fen::ZERO, part.is_open()) {
        (true, true) => page.say1("server.law.segment.all", "rate", part.rate),
        (true, false) => page.say2("server.law.segment.up_to", "to", to, "rate", part.rate),
        (false, true) => page.say2("server.law.segment.over", "from", from, "rate", part.rate),
        (false, false) => page.say("server.law.segment.between", values),
    }
}

/// The caps of a profile.
fn cap(page: &Page, profile: &Profile) -> String {
    let pool = matches!(profile.terms, Terms::PoolLimit(_));
    let year = profile.yearly_cap.map(|cap| match pool {
        true => page.say1("server.law.cap.pool", "amount", page.yuan(cap)),
        false => page.yuan(cap),
    });
    let bill = profile.bill_cap.map(|cap| page.say1("server.law.cap.bill", "amount", page.yuan(cap)));
    let caps: Vec<String> = year.into_iter().chain(bill).collect();
    if caps.is_empty() { page.word("server.law.no_cap").into_owned() } else { caps.join(", ") }
}

fn category_limit(page: &Page, limit: &CategoryLimit) -> Vec<String> {
    let categories = limit.categories.iter().map(|category| match category {
        CostCategory::Drug => "policy.category.drug",
        CostCategory::Service => "policy.category.service",
        CostCategory::Material => "policy.category.material",
    });
    let names = categories.chain(limit.fees.iter().map(|fee| match fee {
        FeeKind::Registration => "policy.fee_name.registration",
        FeeKind::Injection => "policy.fee_name.injection",
        FeeKind::Dressing => "policy.fee_name.dressing",
        FeeKind::Ambulance => "policy.fee_name.ambulance",
        FeeKind::Checkup => "policy.fee_name.checkup",
    }));
    let key = match limit.limit_over {
        Over::Bill => "server.law.category.bill",
        Over::Year => "server.law.category.year",
    };
    let amount = page.yuan(limit.limit);
    let what = |name| {
        let name = page.word(name);
        let values: [(&str, &dyn std::fmt::Display); 3] =
            [("name", &name), ("amount", &amount), ("rate", &limit.rate)];
        page.say(key, &values)
    };
    names.map(what).collect()
}

const fn fee_word(fee: FeeKind) -> &'static str {
    match fee {
        FeeKind::Registration => "policy.fee.registration",
        FeeKind::Injection => "policy.fee.injection",
        FeeKind::Dressing => "policy.fee.dressing",
        FeeKind::Ambulance => "policy.fee.ambulance",
        FeeKind::Checkup => "policy.fee.checkup",
    }
}

/// What the benefit counts, and over what time.
pub(super) fn base(page: &Page, benefit: &Benefit) -> String {
    let key = match (benefit.base.take, benefit.base.over) {
        (BaseTake::Compliant, Over::Bill) => "server.law.base.compliant",
        (BaseTake::Compliant, Over::Year) => "server.law.base.compliant_year",
        (BaseTake::RemainingCompliant, Over::Bill) => "server.law.base.remaining",
        (BaseTake::RemainingCompliant, Over::Year) => "server.law.base.remaining_year",
    };
    page.word(key).into_owned()
}

/// Which day selects the version.
pub(super) const fn date_word(date: DateBasis) -> &'static str {
    match date {
        DateBasis::Admission => "server.law.date.admission",
        DateBasis::Discharge => "server.law.date.discharge",
        DateBasis::Settlement => "server.law.date.settlement",
    }
}

/// What the benefit keeps of a person, or of a household, over the year, in words.
pub(super) fn accumulators(page: &Page, benefit: &Benefit) -> Vec<String> {
    let word = |kind| match kind {
        AccumulatorKind::Base => "server.law.accumulator.base",
        AccumulatorKind::Paid => "server.law.accumulator.paid",
        AccumulatorKind::Deductible => "server.law.accumulator.deductible",
        AccumulatorKind::Stays => "server.law.accumulator.stays",
    };
    let said = |kind| match benefit.base.owner {
        Owner::Person => page.word(word(kind)).into_owned(),
        Owner::Household => {
            page.say1("server.law.accumulator.of_household", "what", page.word(word(kind)).into_owned())
        }
    };
    benefit.accumulators().map(|(kind, _)| said(kind)).collect()
}

/// One figure of a benefit through its versions: a cell for each, and whether it is another than in the version before.
pub(super) struct Through {
    pub(super) label: String,
    pub(super) cells: Vec<(String, bool)>,
}

/// The versions of a benefit side by side. A profile or rule is the same one where it bears the same name.
pub(super) fn side_by_side(
    page: &Page,
    policy: &Policy,
    benefit: &Benefit,
    language: Spoken,
) -> Vec<Through> {
    let mut rows: Vec<(String, Vec<String>)> = Vec::new();
    let count = benefit.versions.len();
    for (position, version) in benefit.versions.iter().enumerate() {
        let all = figures(page, policy, benefit, version);
        let mut put = |label: String, value: String| {
            let index = rows.iter().position(|(known, _)| *known == label).unwrap_or_else(|| {
                rows.push((label, vec![String::new(); count]));
                rows.len() - 1
            });
            if let Some(cell) = rows.get_mut(index).and_then(|(_, cells)| cells.get_mut(position)) {
                *cell = value;
            }
        };
        let joint = if language == Spoken::Zh { "；" } else { "; " };
        for line in all.profiles {
            for (word, value) in [
                ("server.law.for_whom", line.condition),
                ("server.law.deductible", line.deductible),
                ("server.law.ratios", line.ratios.join(joint)),
                ("server.law.cap", line.cap),
            ] {
                put(format!("{} · {}", line.name, page.word(word)), value);
            }
        }
        for line in all.rules {
            put(line.name, format!("{}{joint}{}", line.condition, line.effect));
        }
    }
    let through = |(label, cells): (String, Vec<String>)| {
        let before = std::iter::once(cells.first().cloned().unwrap_or_default()).chain(cells.clone());
        let changed: Vec<bool> = before.zip(&cells).map(|(before, cell)| before != *cell).collect();
        Through { label, cells: cells.into_iter().zip(changed).collect() }
    };
    rows.into_iter().map(through).collect()
}
