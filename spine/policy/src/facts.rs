//! What a policy may ask about a bill.

use kangmai_base::{Day, DivisionCode, Fen, Sex};
use serde::{Deserialize, Serialize};

use crate::{Icd10, InstitutionGrade, InstitutionKind, InstitutionTier, LabelSet, Referral, Setting};

/// A fee with a name of its own, which an institution may waive (七免一减).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeeKind {
    /// 挂号费
    Registration,
    /// 注射费
    Injection,
    /// 换药费
    Dressing,
    /// 救护车接送费
    Ambulance,
    /// 健康体检费
    Checkup,
}

impl FeeKind {
    /// All, in the order in which they are waived.
    pub const ALL: [FeeKind; 5] =
        [FeeKind::Registration, FeeKind::Injection, FeeKind::Dressing, FeeKind::Ambulance, FeeKind::Checkup];

    /// The name in packs and files.
    pub const fn name(self) -> &'static str {
        match self {
            FeeKind::Registration => "registration",
            FeeKind::Injection => "injection",
            FeeKind::Dressing => "dressing",
            FeeKind::Ambulance => "ambulance",
            FeeKind::Checkup => "checkup",
        }
    }
}

/// What a cost is for, as far as the lines of a bill say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CostCategory {
    /// 药品
    Drug,
    /// 医疗服务项目
    Service,
    /// 医用耗材
    Material,
}

impl CostCategory {
    /// All, in their order.
    pub const ALL: [CostCategory; 3] = [CostCategory::Drug, CostCategory::Service, CostCategory::Material];

    /// The name in packs and files.
    pub const fn name(self) -> &'static str {
        match self {
            CostCategory::Drug => "drug",
            CostCategory::Service => "service",
            CostCategory::Material => "material",
        }
    }
}

/// An age that is not known: no rule about age holds for it.
pub const UNKNOWN_AGE: u8 = u8::MAX;

/// The facts about one bill, small and flat, so that a million of them settle fast. Each dated fact says the date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillFacts {
    /// 总费用: all that the bill charges.
    pub total: Fen,
    /// 合规费用: what of it lies in the catalogues and may enter a layer. The rest the person bears.
    pub compliant: Fen,
    /// What other payers have settled on this bill before the first layer (a bill settled in part elsewhere).
    pub already_paid: Fen,
    /// Named fees within the total, by [`FeeKind`].
    pub fees: [Fen; FeeKind::ALL.len()],
    /// What of the compliant cost is known to be for what, by [`CostCategory`]; zero where the bill has no lines.
    #[serde(default)]
    pub categories: [Fen; CostCategory::ALL.len()],
    /// 参保地: the place whose policy holds.
    pub person_place: DivisionCode,
    /// Where the institution stands.
    pub institution_place: DivisionCode,
    /// The main diagnosis.
    pub diagnosis: Icd10,
    /// 入院日, or the day of the visit.
    pub admission: Day,
    /// 出院日, or the day of the visit.
    pub discharge: Day,
    /// 结算日.
    pub settlement: Day,
    /// Labels that hold on the day of admission.
    pub labels_at_admission: LabelSet,
    /// Labels that hold on the day of discharge.
    pub labels_at_discharge: LabelSet,
    /// What the institution is named for, see [`Vocabulary::designations`](crate::Vocabulary::designations).
    pub designations: u32,
    /// Completed years on the day of admission, or [`UNKNOWN_AGE`].
    pub age_at_admission: u8,
    /// Completed years on the day of discharge, or [`UNKNOWN_AGE`].
    pub age_at_discharge: u8,
    /// Sex, if known.
    pub sex: Option<Sex>,
    /// Whether basic insurance covers the person on the day of admission.
    pub insured_at_admission: bool,
    /// Whether basic insurance covers the person on the day of discharge.
    pub insured_at_discharge: bool,
    /// 机构层级.
    pub tier: InstitutionTier,
    /// 医院等级.
    pub grade: InstitutionGrade,
    /// 机构类别.
    pub kind: InstitutionKind,
    /// 就医类别.
    pub setting: Setting,
    /// 转诊.
    pub referral: Referral,
}

/// Why the facts of a bill cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FactsError {
    /// The total is below zero or over [`Fen::LIMIT`].
    #[error("the total must lie between 0 and {}", Fen::LIMIT)]
    Total,
    /// More compliant than charged, or less than nothing.
    #[error("the compliant cost must lie between 0 and the total")]
    Compliant,
    /// More already paid than compliant, or less than nothing.
    #[error("what is already paid must lie between 0 and the compliant cost")]
    AlreadyPaid,
    /// A fee below zero, or fees over the total.
    #[error("the named fees must not be negative, nor together more than the total")]
    Fees,
    /// A category below zero, or categories over the compliant cost.
    #[error("the costs by category must not be negative, nor together more than the compliant cost")]
    Categories,
    /// Discharged before admitted.
    #[error("the day of discharge lies before the day of admission")]
    Dates,
}

impl BillFacts {
    /// A bill of `total`, all of it compliant, for an insured adult without labels, admitted and discharged on
    /// `day` at a county hospital of `place`. The start from which imports, cases and tests fill in what they know.
    pub fn inpatient(total: Fen, day: Day, place: DivisionCode) -> BillFacts {
        BillFacts {
            total,
            compliant: total,
            already_paid: Fen::ZERO,
            fees: [Fen::ZERO; FeeKind::ALL.len()],
            categories: [Fen::ZERO; CostCategory::ALL.len()],
            person_place: place,
            institution_place: place,
            diagnosis: Icd10::UNKNOWN,
            admission: day,
            discharge: day,
            settlement: day,
            labels_at_admission: LabelSet::NONE,
            labels_at_discharge: LabelSet::NONE,
            designations: 0,
            age_at_admission: UNKNOWN_AGE,
            age_at_discharge: UNKNOWN_AGE,
            sex: None,
            insured_at_admission: true,
            insured_at_discharge: true,
            tier: InstitutionTier::County,
            grade: InstitutionGrade::Second,
            kind: InstitutionKind::Hospital,
            setting: Setting::Inpatient,
            referral: Referral::Referred,
        }
    }

    /// Whether a bill can be so. Ask before settling: [`settle`](crate::settle) takes impossible amounts as the
    /// nearest possible ones and still adds up, but the answer is then about another bill.
    pub fn check(&self) -> Result<(), FactsError> {
        let fees: Fen = self.fees.iter().copied().sum();
        if self.total.is_negative() || self.total > Fen::LIMIT {
            Err(FactsError::Total)
        } else if self.compliant.is_negative() || self.compliant > self.total {
            Err(FactsError::Compliant)
        } else if self.already_paid.is_negative() || self.already_paid > self.compliant {
            Err(FactsError::AlreadyPaid)
        } else if self.fees.iter().any(|fee| fee.is_negative()) || fees > self.total {
            Err(FactsError::Fees)
        } else if self.categories.iter().any(|cost| cost.is_negative())
            || self.categories.iter().copied().sum::<Fen>() > self.compliant
        {
            Err(FactsError::Categories)
        } else if self.discharge < self.admission {
            Err(FactsError::Dates)
        } else {
            Ok(())
        }
    }

    /// Fills in both ages of somebody born on `birth`.
    pub fn set_birth(&mut self, birth: Day) {
        let age = |day: Day| {
            u8::try_from(day.age_of(birth)).ok().filter(|age| *age < UNKNOWN_AGE).unwrap_or(UNKNOWN_AGE)
        };
        self.age_at_admission = age(self.admission);
        self.age_at_discharge = age(self.discharge);
    }

    /// Days of the stay: the day of discharge does not count, but a stay has at least one (床日).
    pub fn bed_days(&self) -> i64 {
        i64::from(self.discharge.0 - self.admission.0).max(1)
    }

    /// What of the total lies outside the catalogues.
    pub fn out_of_catalogue(&self) -> Fen {
        self.total - self.compliant
    }
}
