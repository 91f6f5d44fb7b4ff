//! Policy packs, layers, settlement arithmetic and its explanation. Pure: no input or output but reading packs.
//!
//! *Invariant:* money is [`Fen`](kangmai_base::Fen) and exact ratios; a float does not compile here.
//! *Invariant:* nothing here knows a place, a rate, a line or a list: all of that is in the packs.
//! *Invariant:* the payers, the institution and the person together bear the total of the bill, to the fen.
#![deny(clippy::float_arithmetic)]

mod accumulators;
mod agreements;
mod benefit;
mod cases;
mod conditions;
mod counterfactual;
mod dated;
mod diff;
mod disease_caps;
mod diseases;
mod explain;
mod facts;
mod fields;
mod figure;
pub mod follow_up;
mod icd;
mod income;
mod insurance_year;
mod interface;
mod lines;
mod lint;
mod mutate;
pub mod overlay;
mod pack;
mod pay_later;
mod plan;
mod policy;
mod predicate;
mod premiums;
mod records;
mod referral;
mod release;
mod settle;
mod source;
mod splice;
mod subsidies;
mod tables;
mod terms;
mod text;
mod trace;
mod treat_first;
mod vocabulary;
mod watch;
mod words;

pub use accumulators::{MAX_ACCUMULATORS, YearAccumulators};
pub use agreements::{
    AgreementFee, AgreementRules, DoneBy, PackageFor, PackageItem, Resident, ServicePackage, TeamRole,
    TeamTier,
};
pub use benefit::{
    AccumulatorKind, Base, BaseTake, Benefit, DateBasis, Over, Owner, Payer, PayerKind, Profile, Rounding,
    Rule, Version,
};
pub use cases::{
    CaseDifference, CaseFailure, CaseReport, CaseResult, CaseSaid, ChangedCase, UNCHECKED, UncheckedCase,
    with_case_checked,
};
pub use counterfactual::{
    Around, Change, Condition, Counterfactuals, FactChange, LayerDifference, MOST_CONDITIONS, MOST_DAYS,
    MOST_OTHERWISE, MOST_WAYS, Missing, Otherwise, ToldCondition, ToldCounterfactuals, ToldMissing,
    ToldOtherwise, ToldWay, Way,
};
pub use dated::{Gap, Period, Source, Sure};
pub use diff::{Difference, diff};
pub use disease_caps::{CapDeviation, DiseaseCap, DiseaseCaps, Pathway};
pub use diseases::{ChronicDisease, DiseaseTable, MajorDisease, PlanRule, SevereRules};
pub use explain::{
    Explanation, FailedTest, LayerAudit, LayerText, MOST_PROCESS_CHARACTERS, Sight, WaivedItem,
};
pub use facts::{BillFacts, CostCategory, FactsError, FeeKind, UNKNOWN_AGE};
pub use figure::FigureKind;
pub use icd::{Icd10, IcdRange};
pub use income::{IncomeKind, IncomeLine};
pub use insurance_year::InsuranceYear;
pub use interface::{InterfaceCodes, InterfaceFigure};
pub use lines::{BillLine, CatalogueClass, Decimal4, LineError, LineRules, LineSums, MAX_LINES, NotADecimal};
pub use mutate::{AliveMutant, MutationChoice, MutationReport};
pub use overlay::{Citation, Overlay, OverlayFigure, take_over};
pub use pack::{Pack, Untranslatable};
pub use pay_later::{Bearer, ClaimTerms, DeferralTerms, Guarantor, PaymentTerms, WriteOffTerms};
pub use policy::{Jurisdiction, Layer, MAX_LAYERS, Policy, Unaccepted};
pub use predicate::{AsOf, Literal, Predicate, Test};
pub use premiums::{Premium, PremiumAid, PremiumDue, PremiumGift};
pub use records::{RecordClass, RecordKept, RecordRules};
pub use referral::ReferralRules;
pub use release::{Release, pack_directory, text_hash};
pub use settle::{Amounts, Settler, settle};
pub use source::{ErrorCode, PackError};
pub use subsidies::{Subsidy, SubsidyPer, SubsidyTable};
pub use terms::{CategoryLimit, Ceiling, Fixed, Graded, Segment, Share, Terms, Waiver};
pub use text::{Bilingual, Language};
pub use trace::{Cap, Outcome, Step, Trace};
pub use treat_first::{TreatFirstRules, TreatFirstScope, TreatFirstWhyNot};
pub use vocabulary::{
    Designation, InstitutionGrade, InstitutionKind, InstitutionTier, Label, LabelSet, Referral, Setting,
    Vocabulary,
};
pub use watch::{
    Clock, CostWindow, OwnCost, PushRhythm, RedTrigger, Threshold, WarningLevels, WatchGroup, WatchRules,
};
pub use words::{WORDS_TOML, Word};
