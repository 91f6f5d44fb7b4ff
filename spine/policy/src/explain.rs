//! Says in words, from a trace, what each layer did and why: for the patient, the desk and the auditor.

mod arithmetic;
mod audit;
mod patient;
mod process;

pub use audit::{FailedTest, LayerAudit};
pub use process::MOST_PROCESS_CHARACTERS;

use kangmai_base::Fen;

use self::arithmetic::{each_waiver, write_arithmetic, write_base};
use crate::benefit::{DateBasis, Profile, Version};
use crate::policy::Layer;
use crate::predicate::{AsOf, Literal, Predicate, Test};
use crate::terms::Terms;
use crate::trace::{Cap, Outcome, Step, Trace};
use crate::vocabulary::{InstitutionGrade, InstitutionKind, InstitutionTier, LabelSet, Referral, Setting};
use crate::words::{Arg, Word};
use crate::{BillFacts, Gap, Language, Owner, Payer, Policy, Source, Sure};

/// How much of the facts a reader may see in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sight {
    /// The diagnosis.
    pub diagnosis: bool,
    /// The labels.
    pub labels: bool,
}

impl Sight {
    /// All of them.
    pub const ALL: Sight = Sight { diagnosis: true, labels: true };

    /// Whether the fact that a test asks about may be shown.
    const fn shows(self, test: &Test) -> bool {
        match test {
            Test::Diagnosis(_) => self.diagnosis,
            Test::Labels(..) => self.labels,
            _ => true,
        }
    }
}

/// A statement in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// One text for each layer, in order, those that did not apply included.
    pub layers: Vec<LayerText>,
    /// What was already paid before the first layer.
    pub already_paid: Fen,
    /// What the person bears.
    pub own_share: Fen,
    /// What of it lies outside the catalogues.
    pub out_of_catalogue: Fen,
}

/// One layer in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerText {
    /// The benefit's code name.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Who pays.
    pub payer: Payer,
    /// What became of it.
    pub outcome: Outcome,
    /// The base.
    pub base: Fen,
    /// What it pays.
    pub pays: Fen,
    /// What of the compliant cost is left after it.
    pub remaining: Fen,
    /// What it did and why, with its arithmetic; or why it did not apply.
    pub sentence: String,
    /// Document, article, since when, how sure.
    pub source: Option<String>,
    /// The words that the figures rest on.
    pub quote: Option<String>,
    /// What to know about the source (carried forward, borrowed).
    pub note: Option<String>,
    /// How sure.
    pub sure: Option<Sure>,
    /// Waivers, line by line.
    pub waived: Vec<WaivedItem>,
}

/// One waived item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaivedItem {
    /// What, in words.
    pub name: String,
    /// How much.
    pub amount: Fen,
}

impl Policy {
    /// The statement of a trace of this policy.
    pub fn explain(&self, trace: &Trace, language: Language) -> Explanation {
        self.explain_to(trace, language, Sight::ALL)
    }

    /// The statement of a trace of this policy for a reader who may not see all facts.
    pub fn explain_to(&self, trace: &Trace, language: Language, sight: Sight) -> Explanation {
        let layers = self
            .layers
            .iter()
            .zip(trace.steps())
            .map(|(layer, step)| self.layer(layer, step, trace, (language, sight)));
        Explanation {
            layers: layers.collect(),
            already_paid: trace.facts.already_paid,
            own_share: trace.own_share,
            out_of_catalogue: trace.own_out_of_catalogue,
        }
    }

    /// The statement as one text, a line for each layer: what the national interface takes as the process of a
    /// settlement. Appends to `out`.
    pub fn write_text(&self, trace: &Trace, language: Language, out: &mut String) {
        self.write_text_to(trace, (language, Sight::ALL), out);
    }

    fn write_text_to(&self, trace: &Trace, (language, sight): (Language, Sight), out: &mut String) {
        self.write_head(trace, language, out);
        for (layer, step) in self.layers.iter().zip(trace.steps()) {
            out.push('\n');
            out.push_str(layer.benefit.name.get(language));
            out.push_str(colon(language));
            self.write_layer(layer, step, trace, (language, sight), out);
        }
        out.push('\n');
        self.write_own(trace, language, out);
    }

    /// The sums before the layers.
    fn write_head(&self, trace: &Trace, language: Language, out: &mut String) {
        let facts = &trace.facts;
        let amounts =
            [("total", facts.total), ("compliant", facts.compliant), ("outside", facts.out_of_catalogue())];
        Word::TotalLine.write(language, out, &amounts.map(|(name, amount)| (name, Arg::Money(amount))));
        if facts.already_paid > Fen::ZERO {
            out.push('\n');
            Word::AlreadyPaid.write(language, out, &[("amount", Arg::Money(facts.already_paid))]);
        }
    }

    /// The sums after them.
    fn write_own(&self, trace: &Trace, language: Language, out: &mut String) {
        let own = [("own", trace.own_share), ("outside", trace.own_out_of_catalogue)];
        Word::OwnLine.write(language, out, &own.map(|(name, amount)| (name, Arg::Money(amount))));
    }

    /// The waivers of a step, line by line; empty for other layers.
    pub fn waived(&self, layer: &Layer, step: &Step, trace: &Trace, language: Language) -> Vec<WaivedItem> {
        let mut items = Vec::new();
        if let Some((_, Terms::Waiver(waiver))) =
            figures(layer, step).map(|(_, profile)| (profile, &profile.terms))
        {
            each_waiver(waiver, step, trace, |word, amount, rate| {
                let mut name = String::new();
                let values = [("rate", Arg::Rate(rate)), ("rest", Arg::Money(step.before))];
                word.write(language, &mut name, &values);
                items.push(WaivedItem { name, amount });
            });
        }
        items
    }

    fn layer(
        &self,
        layer: &Layer,
        step: &Step,
        trace: &Trace,
        (language, sight): (Language, Sight),
    ) -> LayerText {
        let benefit = &layer.benefit;
        let mut sentence = String::new();
        self.write_layer(layer, step, trace, (language, sight), &mut sentence);
        let written = written(layer, step);
        let source = written.map(|(_, source, _)| source);
        LayerText {
            id: benefit.id.clone(),
            name: benefit.name.get(language).to_owned(),
            payer: benefit.payer.clone(),
            outcome: step.outcome,
            base: step.base,
            pays: step.pays,
            remaining: step.remaining,
            sentence,
            source: written.map(|(version, source, sure)| source_line(version, source, sure, language)),
            quote: source.and_then(|source| source.quote.clone()),
            note: source.and_then(|source| source.note.as_ref()).map(|note| note.get(language).to_owned()),
            sure: written.map(|(_, _, sure)| sure),
            waived: self.waived(layer, step, trace, language),
        }
    }

    fn write_layer(
        &self,
        layer: &Layer,
        step: &Step,
        trace: &Trace,
        (language, sight): (Language, Sight),
        out: &mut String,
    ) {
        let benefit = &layer.benefit;
        let say =
            |word: Word, out: &mut String, values: &[(&str, Arg<'_>)]| word.write(language, out, values);
        let day = match benefit.date {
            DateBasis::Admission => (Word::AsOfAdmission, trace.facts.admission),
            DateBasis::Discharge => (Word::AsOfDischarge, trace.facts.discharge),
            DateBasis::Settlement => (Word::AsOfSettlement, trace.facts.settlement),
        };
        match step.outcome {
            Outcome::NotInForce => say(Word::NotInForce, out, &[("day", Arg::Day(day.1))]),
            Outcome::Gap => {
                let gap: Option<&Gap> = benefit.gaps.get(usize::from(step.version));
                let why = gap.map_or("", |gap| gap.why.get(language));
                say(Word::Gap, out, &[("day", Arg::Day(day.1)), ("why", Arg::Text(why))]);
            }
            Outcome::NotEntitled => {
                self.write_failure(&benefit.applies, step.failed, trace, (language, sight), out);
            }
            Outcome::NoProfile => self.write_no_profile(layer, step, trace, (language, sight), out),
            Outcome::NothingLeft => say(Word::NothingLeft, out, &[]),
            Outcome::BelowDeductible => {
                let mut base = String::new();
                write_base(layer, step, language, &mut base);
                let values =
                    [("base", Arg::Text(&base)), ("deductible", Arg::Money(deductible_left(layer, step)))];
                say(Word::BelowDeductible, out, &values);
            }
            Outcome::CapExhausted => {
                let word = if step.cap == Cap::Pool { Word::PoolExhausted } else { Word::CapExhausted };
                say(word, out, &[]);
            }
            Outcome::PaidNothing | Outcome::Paid => {
                let word = if step.outcome == Outcome::Paid { Word::Paid } else { Word::PaidNothing };
                let payer = benefit.payer.name.get(language);
                say(word, out, &[("payer", Arg::Text(payer)), ("pays", Arg::Money(step.pays))]);
                if let Some(figures) = figures(layer, step) {
                    write_arithmetic(layer, figures, step, trace, language, out);
                }
            }
        }
        if step.outcome.applied() && self.counts_for_household(layer) {
            say(Word::OfHousehold, out, &[]);
        }
    }

    /// Whether what a layer counts over the year, or the pool that it draws on, is a household's.
    fn counts_for_household(&self, layer: &Layer) -> bool {
        let pool = layer.pool.and_then(|pool| self.layers.get(usize::from(pool)));
        let owners = [Some(layer), pool].into_iter().flatten().map(|layer| &layer.benefit);
        owners
            .into_iter()
            .any(|benefit| benefit.base.owner == Owner::Household && benefit.accumulators().next().is_some())
    }

    fn write_no_profile(
        &self,
        layer: &Layer,
        step: &Step,
        trace: &Trace,
        (language, sight): (Language, Sight),
        out: &mut String,
    ) {
        let profiles = layer.benefit.versions.get(usize::from(step.version)).map(|version| &version.profiles);
        let profiles: &[Profile] = profiles.map_or(&[], Vec::as_slice);
        let names: Vec<&str> = profiles.iter().map(|profile| profile.name.get(language)).collect();
        let mut actual = String::new();
        if let [only] = profiles {
            let failed = only.when.first_failure(&trace.facts, 0).unwrap_or(0);
            self.write_failure(&only.when, failed, trace, (language, sight), out);
            return;
        }
        let mut said: Vec<std::mem::Discriminant<Test>> = Vec::new();
        let parts = profiles.iter().filter_map(|profile| {
            let failed = profile.when.first_failure(&trace.facts, 0)?;
            profile.when.parts().nth(usize::from(failed))?.first()
        });
        for literal in parts {
            let kind = std::mem::discriminant(&literal.test);
            if !said.contains(&kind) {
                if !said.is_empty() {
                    actual.push_str(comma(language));
                }
                self.write_actual(literal, &trace.facts, (language, sight), &mut actual);
                said.push(kind);
            }
        }
        // A group's name may be a list itself (特困人员、孤儿).
        let is_list = names.iter().any(|name| name.contains(comma(language)));
        let names = names.join(if is_list { semicolon(language) } else { comma(language) });
        Word::NoProfile.write(language, out, &[("names", Arg::Text(&names)), ("actual", Arg::Text(&actual))]);
    }

    /// "Needs X; is Y", for the part `failed` of `predicate`.
    fn write_failure(
        &self,
        predicate: &Predicate,
        failed: u8,
        trace: &Trace,
        (language, sight): (Language, Sight),
        out: &mut String,
    ) {
        let part = predicate.parts().nth(usize::from(failed)).unwrap_or_default();
        let needed = |out: &mut String| self.write_part(part, trace, language, out);
        let actual = |out: &mut String| {
            if let Some(first) = part.first() {
                self.write_actual(first, &trace.facts, (language, sight), out);
            }
        };
        Word::NotEntitled.write(
            language,
            out,
            &[("needed", Arg::With(&needed)), ("actual", Arg::With(&actual))],
        );
    }

    /// What an "any of" asks for.
    pub(crate) fn write_part(&self, part: &[Literal], trace: &Trace, language: Language, out: &mut String) {
        for (position, literal) in part.iter().enumerate() {
            if position > 0 {
                Word::Or.write(language, out, &[]);
            }
            if literal.negated {
                Word::Not.write(language, out, &[]);
            }
            self.write_needed(literal, Some(&trace.facts), language, out);
        }
    }

    pub(crate) fn write_needed(
        &self,
        literal: &Literal,
        facts: Option<&BillFacts>,
        language: Language,
        out: &mut String,
    ) {
        let mut list = |word: Word, names: &str| word.write(language, out, &[("list", Arg::Text(names))]);
        match literal.test {
            Test::Labels(set, as_of) => self.write_labels(set, as_of, facts, language, out),
            Test::Age(0, high, _) => {
                Word::FactAgeAtMost.write(language, out, &[("age", Arg::Number(high.into()))])
            }
            Test::Age(low, high, _) if high >= 254 => {
                Word::FactAgeAtLeast.write(language, out, &[("age", Arg::Number(low.into()))]);
            }
            Test::Age(low, high, _) => {
                let values = [("low", Arg::Number(low.into())), ("high", Arg::Number(high.into()))];
                Word::FactAgeBetween.write(language, out, &values);
            }
            Test::Sex(sex) => list(Word::FactSex, &sex_word(sex).text(language)),
            Test::Diagnosis(range) => list(Word::FactDiagnosis, &range.to_string()),
            Test::Tier(bits) => list(Word::FactTier, &names_of(InstitutionTier::ALL, bits, language)),
            Test::Grade(bits) => list(Word::FactGrade, &names_of(InstitutionGrade::ALL, bits, language)),
            Test::Kind(bits) => list(Word::FactKind, &names_of(InstitutionKind::ALL, bits, language)),
            Test::Referral(bits) => list(Word::FactReferral, &names_of(Referral::ALL, bits, language)),
            Test::Setting(bits) => list(Word::FactSetting, &names_of(Setting::ALL, bits, language)),
            Test::Designation(bits) => list(Word::FactDesignation, &self.designations(bits, language)),
            Test::Insured(_) => Word::FactInsured.write(language, out, &[]),
            Test::PersonPlace(range) => list(Word::FactPersonPlace, &format!("{:012}", range.first)),
            Test::InstitutionPlace(range) => {
                list(Word::FactInstitutionPlace, &format!("{:012}", range.first))
            }
            Test::EarlierStays(low, high) if high >= 254 => {
                Word::FactStaysAtLeast.write(language, out, &[("low", Arg::Number(low.into()))]);
            }
            Test::EarlierStays(low, high) => {
                let values = [("low", Arg::Number(low.into())), ("high", Arg::Number(high.into()))];
                Word::FactStays.write(language, out, &values);
            }
        }
    }

    /// The fact that a test asks about, as it is, if the reader may see it.
    pub(crate) fn write_actual(
        &self,
        literal: &Literal,
        facts: &BillFacts,
        (language, sight): (Language, Sight),
        out: &mut String,
    ) {
        if !sight.shows(&literal.test) {
            Word::NotShown.write(language, out, &[]);
            return;
        }
        let unknown = || Word::Unknown.text(language);
        let mut list = |word: Word, name: &str| word.write(language, out, &[("list", Arg::Text(name))]);
        match literal.test {
            Test::Labels(_, as_of) => {
                let set = match as_of {
                    AsOf::Admission => facts.labels_at_admission,
                    AsOf::Discharge => facts.labels_at_discharge,
                };
                self.write_labels(set, as_of, Some(facts), language, out);
            }
            Test::Age(_, _, as_of) => {
                let age = match as_of {
                    AsOf::Admission => facts.age_at_admission,
                    AsOf::Discharge => facts.age_at_discharge,
                };
                if age == crate::UNKNOWN_AGE {
                    list(Word::FactAge, &unknown());
                } else {
                    list(Word::FactAge, &age.to_string());
                }
            }
            Test::Sex(_) => {
                list(Word::FactSex, &facts.sex.map_or_else(unknown, |sex| sex_word(sex).text(language)))
            }
            Test::Diagnosis(_) => {
                let code = crate::predicate::known(facts.diagnosis);
                list(Word::FactDiagnosis, &code.map_or_else(unknown, |code| code.to_string()));
            }
            Test::Tier(_) => list(Word::FactTier, pick(facts.tier.words(), language)),
            Test::Grade(_) => list(Word::FactGrade, pick(facts.grade.words(), language)),
            Test::Kind(_) => list(Word::FactKind, pick(facts.kind.words(), language)),
            Test::Referral(_) => list(Word::FactReferral, pick(facts.referral.words(), language)),
            Test::Setting(_) => list(Word::FactSetting, pick(facts.setting.words(), language)),
            Test::Designation(_) => {
                list(Word::FactDesignation, &self.designations(facts.designations, language))
            }
            Test::Insured(_) => Word::FactUninsured.write(language, out, &[]),
            Test::PersonPlace(_) => list(Word::FactPersonPlace, &facts.person_place.to_string()),
            Test::InstitutionPlace(_) => {
                list(Word::FactInstitutionPlace, &facts.institution_place.to_string())
            }
            Test::EarlierStays(..) => Word::FactStaysWere.write(language, out, &[]),
        }
    }

    fn write_labels(
        &self,
        set: LabelSet,
        as_of: AsOf,
        facts: Option<&BillFacts>,
        language: Language,
        out: &mut String,
    ) {
        let (word, bare, day) = match as_of {
            AsOf::Admission => (Word::AsOfAdmission, Word::AtAdmission, facts.map(|facts| facts.admission)),
            AsOf::Discharge => (Word::AsOfDischarge, Word::AtDischarge, facts.map(|facts| facts.discharge)),
        };
        let list = |out: &mut String| {
            for (position, label) in self.vocabulary.labels_in(set).enumerate() {
                if position > 0 {
                    out.push_str(comma(language));
                }
                out.push_str(label.name.get(language));
            }
        };
        let at = |out: &mut String| match day {
            Some(day) => word.write(language, out, &[("day", Arg::Day(day))]),
            None => bare.write(language, out, &[]),
        };
        let sentence = if set.is_empty() { Word::FactNoLabel } else { Word::FactLabel };
        sentence.write(language, out, &[("list", Arg::With(&list)), ("at", Arg::With(&at))]);
    }

    fn designations(&self, bits: u32, language: Language) -> String {
        let names: Vec<&str> =
            self.vocabulary.designations_in(bits).map(|one| one.name.get(language)).collect();
        if names.is_empty() { Word::Nothing.text(language) } else { names.join(comma(language)) }
    }
}

pub(crate) fn figures<'l>(layer: &'l Layer, step: &Step) -> Option<(&'l Version, &'l Profile)> {
    if !step.outcome.applied() {
        return None;
    }
    let version = layer.benefit.versions.get(usize::from(step.version))?;
    Some((version, version.profiles.get(usize::from(step.profile))?))
}

/// The version that a step went by, with its source and how sure it is; the profile's own before the version's.
fn written<'l>(layer: &'l Layer, step: &Step) -> Option<(&'l Version, &'l Source, Sure)> {
    if matches!(step.outcome, Outcome::NotInForce | Outcome::Gap) {
        return None;
    }
    let version = layer.benefit.versions.get(usize::from(step.version))?;
    let profile = figures(layer, step).map(|(_, profile)| profile);
    let source = profile.and_then(|profile| profile.source.as_ref()).unwrap_or(&version.source);
    Some((version, source, profile.and_then(|profile| profile.sure).unwrap_or(version.sure)))
}

/// Where the rule of a step stands written, and its words.
pub(crate) fn rule_of(layer: &Layer, step: &Step, language: Language) -> (Option<String>, Option<String>) {
    match written(layer, step) {
        Some((version, source, sure)) => {
            (Some(source_line(version, source, sure, language)), source.quote.clone())
        }
        None => (None, None),
    }
}

/// The part of the deductible that this bill still had to pass.
fn deductible_left(layer: &Layer, step: &Step) -> Fen {
    let is_share = matches!(
        figures(layer, step),
        Some((_, Profile { terms: Terms::Share(_) | Terms::ThresholdToZero(_) | Terms::PoolLimit(_), .. }))
    );
    if is_share { (step.deductible - step.before).max(Fen::ZERO) } else { step.deductible }
}

fn source_line(version: &Version, source: &Source, sure: Sure, language: Language) -> String {
    let mut out = String::new();
    let article = source.article.as_deref().unwrap_or("");
    let sure = sure.word().text(language);
    let values = [
        ("doc", Arg::Text(&source.doc)),
        ("article", Arg::Text(article)),
        ("from", Arg::Day(version.period.from)),
        ("sure", Arg::Text(&sure)),
    ];
    Word::Sourced.write(language, &mut out, &values);
    if version.carried_forward {
        Word::CarriedForward.write(language, &mut out, &[]);
    }
    out
}

fn sex_word(sex: kangmai_base::Sex) -> Word {
    match sex {
        kangmai_base::Sex::Male => Word::FactMale,
        kangmai_base::Sex::Female => Word::FactFemale,
    }
}

pub(crate) trait Named: Copy {
    fn bit_and_words(self) -> (u16, (&'static str, &'static str));
}

macro_rules! named {
    ($($name:ident),+) => {
        $(impl Named for $name {
            fn bit_and_words(self) -> (u16, (&'static str, &'static str)) {
                (self.bit(), self.words())
            }
        })+
    };
}
named!(InstitutionTier, InstitutionGrade, InstitutionKind, Referral, Setting);

pub(crate) fn names_of<T: Named>(all: &[T], bits: u16, language: Language) -> String {
    let chosen = all.iter().map(|one| one.bit_and_words()).filter(|(bit, _)| bit & bits != 0);
    chosen.map(|(_, words)| pick(words, language)).collect::<Vec<_>>().join(comma(language))
}

const fn pick((zh, en): (&'static str, &'static str), language: Language) -> &'static str {
    match language {
        Language::Zh => zh,
        Language::En => en,
    }
}

const fn comma(language: Language) -> &'static str {
    pick(("、", ", "), language)
}

pub(crate) const fn colon(language: Language) -> &'static str {
    pick(("：", ": "), language)
}

pub(crate) const fn semicolon(language: Language) -> &'static str {
    pick(("；", "; "), language)
}

const fn full_stop(language: Language) -> &'static str {
    pick(("。", "."), language)
}

const fn plus(language: Language) -> &'static str {
    pick(("＋", " + "), language)
}

const fn equals(language: Language) -> &'static str {
    pick(("＝", " = "), language)
}
