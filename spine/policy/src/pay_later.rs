//! What a place says about the own share of somebody who was treated before payment: when it is due, how it may be
//! deferred, who bears what is written off, and what an institution may claim for what it waived.

use kangmai_base::Fen;

use crate::fields::Fields;
use crate::words::Word;
use crate::{Bilingual, Source, Sure, TreatFirstRules};

/// When the own share is due, and when somebody is reminded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentTerms {
    /// How sure.
    pub sure: Sure,
    /// Where from.
    pub source: Source,
    /// Days after discharge on which the own share is due.
    pub due_after_days: i32,
    /// Days before the due day from which it is shown as due soon.
    pub due_soon_days: i32,
    /// Days after the due day from which somebody is reminded in person.
    pub remind_after_days: i32,
}

/// Who stands in for somebody who cannot pay at discharge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guarantor {
    /// 乡镇人民政府, 街道办事处
    TownshipGovernment,
    /// 村（居）民委员会
    VillageCommittee,
}

impl Guarantor {
    const NAMES: &[&str] = &["township_government", "village_committee"];

    /// The name in packs and facts.
    pub const fn name(self) -> &'static str {
        match self {
            Guarantor::TownshipGovernment => "township_government",
            Guarantor::VillageCommittee => "village_committee",
        }
    }

    /// The one with this name.
    pub fn from_name(name: &str) -> Option<Guarantor> {
        [Guarantor::TownshipGovernment, Guarantor::VillageCommittee]
            .into_iter()
            .find(|one| one.name() == name)
    }
}

/// How far payment may be deferred or cut into instalments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeferralTerms {
    /// How sure.
    pub sure: Sure,
    /// Where from.
    pub source: Source,
    /// Months from the day of the agreement within which the last instalment must lie.
    pub most_months: i32,
    /// The least instalment; the last one may be larger, never smaller.
    pub least_amount: Fen,
    /// Who may guarantee; never empty.
    pub guarantors: Vec<Guarantor>,
}

/// Who bears something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bearer {
    /// The fund's code.
    pub fund: String,
    /// Its name.
    pub name: Bilingual,
}

/// Who bears what is written off for hardship.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteOffTerms {
    /// How sure.
    pub sure: Sure,
    /// Where from.
    pub source: Source,
    /// Who may bear it; never empty.
    pub bearers: Vec<Bearer>,
}

/// What an institution may claim for what it waived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimTerms {
    /// How sure.
    pub sure: Sure,
    /// Where from.
    pub source: Source,
    /// The benefits whose amounts may be claimed; never empty.
    pub layers: Vec<String>,
    /// Who pays the claim.
    pub bearer: Bearer,
}

impl TreatFirstRules {
    /// What a case may ask of the terms; `none` where the place says nothing.
    pub(crate) fn pay_later_answers(&self) -> Vec<(&'static str, String)> {
        let none = || "none".to_owned();
        let payment = |days: fn(&PaymentTerms) -> i32| {
            self.payment.as_ref().map_or_else(none, |terms| days(terms).to_string())
        };
        let deferral = |said: fn(&DeferralTerms) -> String| self.deferral.as_ref().map_or_else(none, said);
        let guarantors = |terms: &DeferralTerms| {
            terms.guarantors.iter().map(|one| one.name()).collect::<Vec<&str>>().join(" ")
        };
        let bearers = |terms: &WriteOffTerms| {
            terms.bearers.iter().map(|one| one.fund.as_str()).collect::<Vec<&str>>().join(" ")
        };
        vec![
            ("due_after_days", payment(|terms| terms.due_after_days)),
            ("due_soon_days", payment(|terms| terms.due_soon_days)),
            ("remind_after_days", payment(|terms| terms.remind_after_days)),
            ("most_months", deferral(|terms| terms.most_months.to_string())),
            ("least_amount", deferral(|terms| terms.least_amount.to_string())),
            ("guarantors", deferral(guarantors)),
            ("write_off", self.write_off.as_ref().map_or_else(none, bearers)),
            ("claim", self.claim.as_ref().map_or_else(none, |terms| terms.layers.join(" "))),
            ("claim_from", self.claim.as_ref().map_or_else(none, |terms| terms.bearer.fund.clone())),
        ]
    }
}

fn days(fields: &Fields<'_>, key: &'static str) -> Option<i32> {
    let days = fields.whole(key)?;
    match i32::try_from(days.value) {
        Ok(value @ 0..=3_660) => Some(value),
        _ => {
            let error = days.spot.error(Word::ErrNotInList, Word::MendList);
            fields.push(error.with("value", days.value.to_string()).with("list", "0 … 3660"));
            None
        }
    }
}

fn bearer(fields: &Fields<'_>) -> Option<Bearer> {
    let (fund, name) = (fields.text("fund"), fields.bilingual("name"));
    fields.finish();
    Some(Bearer { fund: fund?.value.to_owned(), name: name? })
}

impl PaymentTerms {
    pub(crate) fn read(fields: &Fields<'_>) -> Option<PaymentTerms> {
        let (sure, source) = (Sure::read(fields), Source::read(fields));
        let due_after_days = days(fields, "due_after_days");
        let due_soon_days = days(fields, "due_soon_days");
        let remind_after_days = days(fields, "remind_after_days");
        fields.finish();
        Some(PaymentTerms {
            sure: sure?,
            source: source?,
            due_after_days: due_after_days?,
            due_soon_days: due_soon_days?,
            remind_after_days: remind_after_days?,
        })
    }
}

impl DeferralTerms {
    pub(crate) fn read(fields: &Fields<'_>) -> Option<DeferralTerms> {
        let (sure, source) = (Sure::read(fields), Source::read(fields));
        let most_months = days(fields, "most_months");
        let least_amount = fields.money("least_amount");
        let guarantors = fields
            .texts("guarantors")
            .into_iter()
            .filter_map(|text| fields.chosen(Some(text), Guarantor::NAMES, Guarantor::from_name))
            .collect();
        fields.finish();
        Some(DeferralTerms {
            sure: sure?,
            source: source?,
            most_months: most_months?,
            least_amount: least_amount?.value,
            guarantors,
        })
    }
}

impl WriteOffTerms {
    pub(crate) fn read(fields: &Fields<'_>) -> Option<WriteOffTerms> {
        let (sure, source) = (Sure::read(fields), Source::read(fields));
        let bearers = fields.some_tables("bearer").iter().filter_map(bearer).collect();
        fields.finish();
        Some(WriteOffTerms { sure: sure?, source: source?, bearers })
    }
}

impl ClaimTerms {
    pub(crate) fn read(fields: &Fields<'_>) -> Option<ClaimTerms> {
        let (sure, source) = (Sure::read(fields), Source::read(fields));
        let layers = fields.texts("layers").into_iter().map(|text| text.value.to_owned()).collect();
        let payer = fields.table("bearer").and_then(|table| bearer(&table));
        fields.finish();
        Some(ClaimTerms { sure: sure?, source: source?, layers, bearer: payer? })
    }
}
