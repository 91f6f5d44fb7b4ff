//! 先诊疗后付费: who is admitted without deposit, where, on which conditions.

use kangmai_base::{DivisionCode, DivisionLevel};

use crate::dated::Period;
use crate::fields::Fields;
use crate::pay_later::{ClaimTerms, DeferralTerms, PaymentTerms, WriteOffTerms};
use crate::predicate::read_label_set;
use crate::words::{Arg, Word};
use crate::{Bilingual, InstitutionTier, LabelSet, Language, Source, Sure, Vocabulary};

/// How far from home it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TreatFirstScope {
    /// In institutions of the person's county.
    County,
    /// Of the person's city.
    City,
    /// Of the person's province.
    Province,
}

/// The rule of one place and time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreatFirstRules {
    /// When it holds.
    pub period: Period,
    /// How sure.
    pub sure: Sure,
    /// Where from.
    pub source: Source,
    /// Labels of which one must hold on the day of admission.
    pub labels: LabelSet,
    /// In institutions of these tiers.
    pub tiers: Vec<InstitutionTier>,
    /// How far from home.
    pub scope: TreatFirstScope,
    /// Whether basic insurance must cover the person.
    pub must_be_insured: bool,
    /// What is agreed at admission, in order, for the agreement that is printed.
    pub conditions: Vec<Bilingual>,
    /// Who may stand in for somebody who cannot pay at discharge, and how.
    pub instalments: Option<Bilingual>,
    /// When the own share is due.
    pub payment: Option<PaymentTerms>,
    /// How far it may be deferred; none: not at all.
    pub deferral: Option<DeferralTerms>,
    /// Who bears what is written off; none: nothing is.
    pub write_off: Option<WriteOffTerms>,
    /// What an institution may claim; none: nothing.
    pub claim: Option<ClaimTerms>,
}

/// Why somebody is not entitled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TreatFirstWhyNot {
    /// None of the labels holds.
    NoLabel,
    /// The institution's tier is not among them.
    NotTier,
    /// Too far from home.
    NotPlace,
    /// Not insured.
    Uninsured,
}

impl TreatFirstWhyNot {
    /// The reason, as a sentence. An emergency is never refused, whatever this says.
    pub fn text(self, language: Language) -> String {
        match self {
            TreatFirstWhyNot::NoLabel => Word::TreatFirstNoLabel.text(language),
            TreatFirstWhyNot::NotTier => Word::TreatFirstNotTier.text(language),
            TreatFirstWhyNot::NotPlace => Word::TreatFirstNotPlace.text(language),
            TreatFirstWhyNot::Uninsured => Word::TreatFirstUninsured.text(language),
        }
    }
}

impl TreatFirstRules {
    /// Whether somebody with `labels` on the day of admission, at home in `home`, is admitted without deposit to an
    /// institution of `tier` that stands in `institution`.
    pub fn entitled(
        &self,
        labels: LabelSet,
        insured: bool,
        home: DivisionCode,
        tier: InstitutionTier,
        institution: DivisionCode,
    ) -> Result<(), TreatFirstWhyNot> {
        let level = match self.scope {
            TreatFirstScope::County => DivisionLevel::County,
            TreatFirstScope::City => DivisionLevel::City,
            TreatFirstScope::Province => DivisionLevel::Province,
        };
        if !labels.meets(self.labels) {
            Err(TreatFirstWhyNot::NoLabel)
        } else if self.must_be_insured && !insured {
            Err(TreatFirstWhyNot::Uninsured)
        } else if !self.tiers.contains(&tier) {
            Err(TreatFirstWhyNot::NotTier)
        } else if home.at(level) != institution.at(level) {
            Err(TreatFirstWhyNot::NotPlace)
        } else {
            Ok(())
        }
    }

    /// The sentence for somebody who is entitled, with the labels that entitle.
    pub fn yes(&self, labels: LabelSet, vocabulary: &Vocabulary, language: Language) -> String {
        let both = LabelSet(labels.0 & self.labels.0);
        let names: Vec<&str> = vocabulary.labels_in(both).map(|label| label.name.get(language)).collect();
        let joined = names.join(if language == Language::Zh { "、" } else { ", " });
        let mut out = String::new();
        Word::TreatFirstYes.write(language, &mut out, &[("labels", Arg::Text(&joined))]);
        out
    }

    pub(crate) fn read(fields: &Fields<'_>, vocabulary: &Vocabulary) -> Option<TreatFirstRules> {
        let (period, sure, source) = (Period::read(fields), Sure::read(fields), Source::read(fields));
        let labels = read_label_set(fields, "labels", vocabulary);
        let tiers = fields
            .texts("tiers")
            .into_iter()
            .filter_map(|text| fields.chosen(Some(text), InstitutionTier::NAMES, InstitutionTier::from_name))
            .collect();
        let scope = fields.chosen(fields.text("scope"), &["county", "city", "province"], |name| match name {
            "county" => Some(TreatFirstScope::County),
            "city" => Some(TreatFirstScope::City),
            "province" => Some(TreatFirstScope::Province),
            _ => None,
        });
        let must_be_insured = fields.flag_maybe("must_be_insured").unwrap_or(true);
        let mut conditions = Vec::new();
        for condition in fields.tables("condition") {
            conditions.extend(condition.bilingual("text"));
            condition.finish();
        }
        let instalments = fields.bilingual_maybe("instalments");
        let payment = fields.table_maybe("payment").and_then(|table| PaymentTerms::read(&table));
        let deferral = fields.table_maybe("deferral").and_then(|table| DeferralTerms::read(&table));
        let write_off = fields.table_maybe("write_off").and_then(|table| WriteOffTerms::read(&table));
        let claim = fields.table_maybe("claim").and_then(|table| ClaimTerms::read(&table));
        fields.finish();
        Some(TreatFirstRules {
            period: period?,
            sure: sure?,
            source: source?,
            labels: labels?,
            tiers,
            scope: scope?,
            must_be_insured,
            conditions,
            instalments,
            payment,
            deferral,
            write_off,
            claim,
        })
    }
}
