//! The sentences of this crate, Chinese and English side by side in `words.toml`, split into pieces once.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use kangmai_base::{Day, Fen, Rate};
use serde::Deserialize;

use crate::{Bilingual, Language};

/// The text of this crate's `words.toml`, for the product's table of words.
pub const WORDS_TOML: &str = include_str!("../words.toml");

macro_rules! words {
    ($($variant:ident = $key:literal,)+) => {
        /// A sentence of this crate.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "each is its key in words.toml, which reads as a sentence")]
        pub enum Word { $($variant,)+ }

        const KEYS: &[&str] = &[$($key),+];
    };
}

words! {
    // heads of errors
    HeadError = "policy.head.error",
    HeadWarning = "policy.head.warning",
    HeadMend = "policy.head.mend",
    // points that the cases leave out
    LintAmount = "policy.lint.amount",
    LintCap = "policy.lint.cap",
    LintDay = "policy.lint.day",
    LintOwner = "policy.lint.owner",
    LintNeverMet = "policy.lint.never_met",
    LintAlwaysMet = "policy.lint.always_met",
    MendLintAmount = "policy.lint.mend.amount",
    MendLintCap = "policy.lint.mend.cap",
    MendLintDay = "policy.lint.mend.day",
    MendLintOwner = "policy.lint.mend.owner",
    MendLintNeverMet = "policy.lint.mend.never_met",
    MendLintAlwaysMet = "policy.lint.mend.always_met",
    // mutants
    MutantOther = "policy.mutant.other",
    MutantLeftOut = "policy.mutant.left_out",
    MutantLayer = "policy.mutant.layer",
    MutantSaid = "policy.mutant.said",
    MutantSaidOut = "policy.mutant.said_out",
    MutantSaidLayer = "policy.mutant.said_layer",
    MutantVerify = "policy.mutant.verify",
    MendMutant = "policy.mutant.mend",
    MendNoEffect = "policy.mutant.no_effect",
    // explanation
    Paid = "policy.layer.paid",
    PaidNothing = "policy.layer.paid_nothing",
    NothingLeft = "policy.layer.nothing_left",
    BelowDeductible = "policy.layer.below_deductible",
    CapExhausted = "policy.layer.cap_exhausted",
    PoolExhausted = "policy.layer.pool_exhausted",
    OfHousehold = "policy.layer.of_household",
    NotInForce = "policy.layer.not_in_force",
    Gap = "policy.layer.gap",
    NotEntitled = "policy.layer.not_entitled",
    NoProfile = "policy.layer.no_profile",
    BaseCompliant = "policy.base.compliant",
    BaseRemaining = "policy.base.remaining",
    BaseYear = "policy.base.year",
    Deductible = "policy.part.deductible",
    DeductibleYear = "policy.part.deductible_year",
    DeductibleChanged = "policy.part.deductible_changed",
    NoDeductible = "policy.part.no_deductible",
    Segment = "policy.part.segment",
    SegmentOpen = "policy.part.segment_open",
    SegmentPlain = "policy.part.segment_plain",
    Points = "policy.part.points",
    PointsOdd = "policy.part.points_odd",
    Capped = "policy.part.capped",
    CappedByBill = "policy.part.capped_by_bill",
    CappedByPool = "policy.part.capped_by_pool",
    ThresholdYear = "policy.part.threshold_year",
    ThresholdBill = "policy.part.threshold_bill",
    FixedByBill = "policy.part.fixed_by_bill",
    FixedByDay = "policy.part.fixed_by_day",
    CategoryBill = "policy.part.category_bill",
    CategoryYear = "policy.part.category_year",
    CeilingPays = "policy.part.ceiling_pays",
    CeilingOwn = "policy.part.ceiling_own",
    WaivedDeductible = "policy.part.waived_deductible",
    WaivedDiscount = "policy.part.waived_discount",
    LimitedToRemaining = "policy.part.limited_to_remaining",
    ProcessCut = "policy.bill.cut",
    CapYear = "policy.cap.year",
    CapBill = "policy.cap.bill",
    CapPool = "policy.cap.pool",
    RoundHalfUp = "policy.round.half_up",
    RoundDown = "policy.round.down",
    RoundUp = "policy.round.up",
    FractionOfFen = "policy.round.fraction",
    // what the patient reads
    PatientWhole = "policy.patient.whole",
    PatientWholeOutside = "policy.patient.whole_outside",
    PatientPaid = "policy.patient.paid",
    PatientWaived = "policy.patient.waived",
    PatientPaidNothing = "policy.patient.paid_nothing",
    PatientNothingLeft = "policy.patient.nothing_left",
    PatientBelowDeductible = "policy.patient.below_deductible",
    PatientCapExhausted = "policy.patient.cap_exhausted",
    PatientNotEntitled = "policy.patient.not_entitled",
    PatientNotInForce = "policy.patient.not_in_force",
    // what would have been otherwise
    OtherwiseReferred = "policy.otherwise.referred",
    OtherwiseNotReferred = "policy.otherwise.not_referred",
    OtherwiseDischarge = "policy.otherwise.discharge",
    OtherwiseInstitution = "policy.otherwise.institution",
    OtherwiseInsured = "policy.otherwise.insured",
    OtherwiseUninsured = "policy.otherwise.uninsured",
    OtherwiseSetting = "policy.otherwise.setting",
    OtherwiseLabel = "policy.otherwise.label",
    OtherwiseOr = "policy.otherwise.or",
    OtherwiseHead = "policy.otherwise.head",
    OtherwiseWorseHead = "policy.otherwise.worse_head",
    OtherwiseBetter = "policy.otherwise.better",
    OtherwiseWorse = "policy.otherwise.worse",
    OtherwiseLayer = "policy.otherwise.layer",
    MissingHead = "policy.missing.head",
    MissingNeeds = "policy.missing.needs",
    MissingWouldPay = "policy.missing.would_pay",
    MissingReasonOnly = "policy.missing.reason_only",
    MissingTooMuch = "policy.missing.too_much",
    TotalLine = "policy.bill.total",
    OwnLine = "policy.bill.own",
    AlreadyPaid = "policy.bill.already_paid",
    Sourced = "policy.source.line",
    CarriedForward = "policy.source.carried_forward",
    SureHigh = "policy.sure.high",
    SureMedium = "policy.sure.medium",
    SureLow = "policy.sure.low",
    AsOfAdmission = "policy.as_of.admission",
    AsOfDischarge = "policy.as_of.discharge",
    AsOfSettlement = "policy.as_of.settlement",
    // facts and what is asked of them
    Nothing = "policy.fact.nothing",
    Unknown = "policy.fact.unknown",
    NotShown = "policy.fact.not_shown",
    Or = "policy.fact.or",
    Not = "policy.fact.not",
    AtAdmission = "policy.at.admission",
    AtDischarge = "policy.at.discharge",
    ForAll = "policy.for_all",
    FactStaysAtLeast = "policy.fact.earlier_stays_at_least",
    FactLabel = "policy.fact.label",
    FactNoLabel = "policy.fact.no_label",
    FactAgeAtMost = "policy.fact.age_at_most",
    FactAgeAtLeast = "policy.fact.age_at_least",
    FactAgeBetween = "policy.fact.age_between",
    FactAge = "policy.fact.age",
    FactSex = "policy.fact.sex",
    FactMale = "policy.fact.male",
    FactFemale = "policy.fact.female",
    FactDiagnosis = "policy.fact.diagnosis",
    FactTier = "policy.fact.institution_tier",
    FactGrade = "policy.fact.institution_grade",
    FactKind = "policy.fact.institution_kind",
    FactDesignation = "policy.fact.designation",
    FactReferral = "policy.fact.referral",
    FactSetting = "policy.fact.setting",
    FactInsured = "policy.fact.insured",
    FactUninsured = "policy.fact.uninsured",
    FactPersonPlace = "policy.fact.person_place",
    FactInstitutionPlace = "policy.fact.institution_place",
    FactStays = "policy.fact.earlier_stays",
    FactStaysWere = "policy.fact.earlier_stays_were",
    // fees
    FeeRegistration = "policy.fee.registration",
    FeeInjection = "policy.fee.injection",
    FeeDressing = "policy.fee.dressing",
    FeeAmbulance = "policy.fee.ambulance",
    FeeCheckup = "policy.fee.checkup",
    FeeNameRegistration = "policy.fee_name.registration",
    FeeNameInjection = "policy.fee_name.injection",
    FeeNameDressing = "policy.fee_name.dressing",
    FeeNameAmbulance = "policy.fee_name.ambulance",
    FeeNameCheckup = "policy.fee_name.checkup",
    CategoryDrug = "policy.category.drug",
    CategoryService = "policy.category.service",
    CategoryMaterial = "policy.category.material",
    // treat first, pay later
    TreatFirstYes = "policy.treat_first.yes",
    TreatFirstNoLabel = "policy.treat_first.no_label",
    TreatFirstNotTier = "policy.treat_first.not_tier",
    TreatFirstNotPlace = "policy.treat_first.not_place",
    TreatFirstUninsured = "policy.treat_first.uninsured",
    // rows of files of bills
    FileTotal = "policy.file.total",
    FileCompliant = "policy.file.compliant",
    FileAlreadyPaid = "policy.file.already_paid",
    FileFees = "policy.file.fees",
    FileDates = "policy.file.dates",
    FileNoPlace = "policy.file.no_place",
    FileNoTier = "policy.file.no_tier",
    FileNoPolicy = "policy.file.no_policy",
    FileUnaccepted = "policy.file.unaccepted",
    FileTwice = "policy.file.twice",
    FileTwiceOtherwise = "policy.file.twice_otherwise",
    FileDiagnosis = "policy.file.diagnosis",
    FileLabel = "policy.file.label",
    FileDesignation = "policy.file.designation",
    FileMendCheck = "policy.file.mend.check",
    FileMendNoPlace = "policy.file.mend.no_place",
    FileMendNoTier = "policy.file.mend.no_tier",
    FileMendNoPolicy = "policy.file.mend.no_policy",
    FileMendUnaccepted = "policy.file.mend.unaccepted",
    FileMendTwice = "policy.file.mend.twice",
    FileMendTwiceOtherwise = "policy.file.mend.twice_otherwise",
    FileMendDiagnosis = "policy.file.mend.diagnosis",
    FileMendList = "policy.file.mend.list",
    // errors of packs
    ErrSyntax = "policy.error.syntax",
    ErrUnknownKey = "policy.error.unknown_key",
    ErrMissingKey = "policy.error.missing_key",
    ErrWrongType = "policy.error.wrong_type",
    ErrNotAnAmount = "policy.error.not_an_amount",
    ErrNotARatio = "policy.error.not_a_ratio",
    ErrOverOne = "policy.error.over_one",
    ErrNotADate = "policy.error.not_a_date",
    ErrNotInList = "policy.error.not_in_list",
    ErrNotACode = "policy.error.not_a_code",
    ErrNotRising = "policy.error.not_rising",
    ErrOpenSegment = "policy.error.open_segment",
    ErrEmptyList = "policy.error.empty_list",
    ErrBackwards = "policy.error.backwards",
    ErrOverlap = "policy.error.overlap",
    ErrHole = "policy.error.hole",
    ErrUnreachable = "policy.error.unreachable",
    ErrWrongForKind = "policy.error.wrong_for_kind",
    ErrAsOf = "policy.error.as_of",
    ErrNoAsOf = "policy.error.no_as_of",
    ErrTwoOwners = "policy.error.two_owners",
    ErrMixedOwner = "policy.error.mixed_owner",
    ErrNoAccumulator = "policy.error.no_accumulator",
    ErrLeapDay = "policy.error.leap_day",
    ErrYearOutside = "policy.error.year_outside",
    ErrYearTwice = "policy.error.year_twice",
    ErrNoRest = "policy.error.no_rest",
    ErrIdleRest = "policy.error.idle_rest",
    ErrCycle = "policy.error.cycle",
    ErrUnknownBenefit = "policy.error.unknown_benefit",
    ErrNotAfter = "policy.error.not_after",
    ErrNoPool = "policy.error.no_pool",
    ErrTwice = "policy.error.twice",
    ErrNotDeclared = "policy.error.not_declared",
    ErrNothingToOverride = "policy.error.nothing_to_override",
    ErrOutsideParent = "policy.error.outside_parent",
    ErrTooMany = "policy.error.too_many",
    ErrNoPack = "policy.error.no_pack",
    ErrNoVocabulary = "policy.error.no_vocabulary",
    ErrUnexpectedFile = "policy.error.unexpected_file",
    ErrPredicateSize = "policy.error.predicate_size",
    ErrIncomes = "policy.error.incomes",
    ErrNotAMeasure = "policy.error.not_a_measure",
    ErrNotASpan = "policy.error.not_a_span",
    ErrEveryone = "policy.error.everyone",
    ErrFollowUpWords = "policy.error.follow_up_words",
    ErrCaseFacts = "policy.error.case_facts",
    // what another release says otherwise
    DiffOfPack = "policy.diff.of_pack",
    DiffFileNew = "policy.diff.file_new",
    DiffFileGone = "policy.diff.file_gone",
    DiffTakenOver = "policy.diff.taken_over",
    DiffGivenBack = "policy.diff.given_back",
    DiffTakenOverSame = "policy.diff.taken_over_same",
    DiffGivenBackSame = "policy.diff.given_back_same",
    DiffWritingOnly = "policy.diff.writing_only",
    DiffSince = "policy.diff.since",
    DiffBetween = "policy.diff.between",
    DiffComma = "policy.diff.comma",
    DiffChanged = "policy.diff.changed",
    DiffAdded = "policy.diff.added",
    DiffRemoved = "policy.diff.removed",
    DiffBecause = "policy.diff.because",
    DiffCases = "policy.diff.cases",
    // changes of an overlay
    ErrOverlaySyntax = "policy.overlay.syntax",
    ErrOverlayPack = "policy.overlay.pack",
    ErrOverlayBenefit = "policy.overlay.benefit",
    ErrOverlayProfile = "policy.overlay.profile",
    ErrOverlayWhichProfile = "policy.overlay.which_profile",
    ErrOverlayFigure = "policy.overlay.figure",
    ErrOverlayNumber = "policy.overlay.number",
    ErrOverlayNotInForce = "policy.overlay.not_in_force",
    ErrByHand = "policy.overlay.by_hand",
    MendByHand = "policy.overlay.mend.by_hand",
    MendOverlaySyntax = "policy.overlay.mend.syntax",
    MendOverlayWhichProfile = "policy.overlay.mend.which_profile",
    MendOverlayNumber = "policy.overlay.mend.number",
    MendOverlayNotInForce = "policy.overlay.mend.not_in_force",
    // their mends
    MendSyntax = "policy.mend.syntax",
    MendDidYouMean = "policy.mend.did_you_mean",
    MendKnownKeys = "policy.mend.known_keys",
    MendAddKey = "policy.mend.add_key",
    MendType = "policy.mend.type",
    MendAmount = "policy.mend.amount",
    MendRatio = "policy.mend.ratio",
    MendOverOne = "policy.mend.over_one",
    MendDate = "policy.mend.date",
    MendList = "policy.mend.list",
    MendCode = "policy.mend.code",
    MendRising = "policy.mend.rising",
    MendOpenSegment = "policy.mend.open_segment",
    MendEmptyList = "policy.mend.empty_list",
    MendBackwards = "policy.mend.backwards",
    MendOverlap = "policy.mend.overlap",
    MendHole = "policy.mend.hole",
    MendUnreachable = "policy.mend.unreachable",
    MendWrongForKind = "policy.mend.wrong_for_kind",
    MendAsOf = "policy.mend.as_of",
    MendNoAsOf = "policy.mend.no_as_of",
    MendTwoOwners = "policy.mend.two_owners",
    MendMixedOwner = "policy.mend.mixed_owner",
    MendNoAccumulator = "policy.mend.no_accumulator",
    MendLeapDay = "policy.mend.leap_day",
    MendYearOutside = "policy.mend.year_outside",
    MendYearTwice = "policy.mend.year_twice",
    MendNoRest = "policy.mend.no_rest",
    MendIdleRest = "policy.mend.idle_rest",
    MendCycle = "policy.mend.cycle",
    MendNotAfter = "policy.mend.not_after",
    MendNoPool = "policy.mend.no_pool",
    MendTwice = "policy.mend.twice",
    MendNotDeclared = "policy.mend.not_declared",
    MendNothingToOverride = "policy.mend.nothing_to_override",
    MendOutsideParent = "policy.mend.outside_parent",
    MendTooMany = "policy.mend.too_many",
    MendNoPack = "policy.mend.no_pack",
    MendNoVocabulary = "policy.mend.no_vocabulary",
    MendUnexpectedFile = "policy.mend.unexpected_file",
    MendPredicateSize = "policy.mend.predicate_size",
    MendIncomes = "policy.mend.incomes",
    MendMeasure = "policy.mend.measure",
    MendSpan = "policy.mend.span",
    MendEveryone = "policy.mend.everyone",
    MendFollowUpWords = "policy.mend.follow_up_words",
    MendCaseFacts = "policy.mend.case_facts",
}

/// Something to fill into a sentence.
#[derive(Clone, Copy)]
pub(crate) enum Arg<'a> {
    Text(&'a str),
    /// Whatever writes itself, without a text of its own in between.
    With(&'a dyn Fn(&mut String)),
    /// Yuan, grouped: 12,345.60.
    Money(Fen),
    Rate(Rate),
    Day(Day),
    Number(i64),
}

enum Piece {
    Text(String),
    Value(String),
}

static TABLE: LazyLock<Vec<[Vec<Piece>; 2]>> = LazyLock::new(|| {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Entry {
        zh: String,
        en: String,
    }
    // A test reads the same text: it cannot fail outside of a build that the tests refuse.
    let entries: BTreeMap<String, Entry> = toml::from_str(WORDS_TOML).unwrap_or_default();
    KEYS.iter()
        .map(|key| match entries.get(*key) {
            Some(entry) => [split(&entry.zh), split(&entry.en)],
            None => [split(key), split(key)],
        })
        .collect()
});

fn split(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, tail)) = after.split_once('}') else { break };
        if !before.is_empty() {
            pieces.push(Piece::Text(before.to_owned()));
        }
        pieces.push(Piece::Value(name.to_owned()));
        rest = tail;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    pieces
}

impl Word {
    /// The key in `words.toml`.
    pub fn key(self) -> &'static str {
        KEYS.get(self as usize).copied().unwrap_or_default()
    }

    /// Writes the sentence with `values` filled in.
    pub(crate) fn write(self, language: Language, out: &mut String, values: &[(&str, Arg<'_>)]) {
        let Some(pieces) = TABLE.get(self as usize) else { return };
        for piece in &pieces[usize::from(language == Language::En)] {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Value(name) => {
                    if let Some((_, value)) = values.iter().find(|(candidate, _)| candidate == name) {
                        value.write(out);
                    }
                }
            }
        }
    }

    /// The sentence without anything to fill in.
    pub(crate) fn both(self) -> Bilingual {
        Bilingual { zh: self.text(Language::Zh), en: self.text(Language::En) }
    }

    pub(crate) fn text(self, language: Language) -> String {
        let mut out = String::new();
        self.write(language, &mut out, &[]);
        out
    }
}

impl Arg<'_> {
    pub(crate) fn write(&self, out: &mut String) {
        match self {
            Arg::Text(text) => out.push_str(text),
            Arg::Money(fen) => write_money(*fen, out),
            Arg::Rate(rate) => write_rate(*rate, out),
            Arg::Number(number) => write_digits(*number, out),
            Arg::Day(day) => write_day(*day, out),
            Arg::With(write) => write(out),
        }
    }
}

/// `2026-03-05`, without the formatting machinery.
fn write_day(day: Day, out: &mut String) {
    let (year, month, date) = day.ymd();
    let digit = |number: i64| char::from(b'0' + (number % 10) as u8);
    let (year, month, date) = (i64::from(year), i64::from(month), i64::from(date));
    let year = [year / 1_000, year / 100, year / 10, year];
    out.extend(year.map(digit));
    out.push('-');
    out.extend([month / 10, month].map(digit));
    out.push('-');
    out.extend([date / 10, date].map(digit));
}

fn write_digits(number: i64, out: &mut String) {
    let mut digits = [0_u8; 20];
    let mut start = digits.len();
    let mut rest = number.unsigned_abs();
    loop {
        start -= 1;
        digits[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        out.push('-');
    }
    out.push_str(std::str::from_utf8(&digits[start..]).unwrap_or_default());
}

/// `12,345.60`, without an allocation.
pub(crate) fn write_money(fen: Fen, out: &mut String) {
    let magnitude = fen.0.unsigned_abs();
    let mut text = [0_u8; 32];
    let mut start = text.len();
    let mut put = |byte: u8| {
        start -= 1;
        text[start] = byte;
    };
    put(b'0' + (magnitude % 10) as u8);
    put(b'0' + (magnitude / 10 % 10) as u8);
    put(b'.');
    let mut whole = magnitude / 100;
    for position in 0.. {
        if position > 0 && position % 3 == 0 {
            put(b',');
        }
        put(b'0' + (whole % 10) as u8);
        whole /= 10;
        if whole == 0 {
            break;
        }
    }
    if fen.0 < 0 {
        put(b'-');
    }
    out.push_str(std::str::from_utf8(&text[start..]).unwrap_or_default());
}

fn write_rate(rate: Rate, out: &mut String) {
    use std::fmt::Write;
    if 100 % rate.denominator() == 0 {
        write_digits(rate.numerator() * (100 / rate.denominator()), out);
        out.push('%');
    } else {
        let _ = write!(out, "{rate}");
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_word_is_said_in_both_languages_and_every_sentence_is_a_word() {
        let table: toml::Table = toml::from_str(WORDS_TOML).expect("words.toml");
        let said: BTreeSet<&str> = table.keys().map(String::as_str).collect();
        let known: BTreeSet<&str> = KEYS.iter().copied().collect();
        assert_eq!(known.difference(&said).collect::<Vec<_>>(), Vec::<&&str>::new(), "not in words.toml");
        assert_eq!(said.difference(&known).collect::<Vec<_>>(), Vec::<&&str>::new(), "in words.toml only");
        for (key, entry) in &table {
            let names = |language: &str| {
                let text = entry
                    .get(language)
                    .and_then(toml::Value::as_str)
                    .unwrap_or_else(|| panic!("{key}.{language}"));
                split(text)
                    .into_iter()
                    .filter_map(|piece| match piece {
                        Piece::Value(name) => Some(name),
                        Piece::Text(_) => None,
                    })
                    .collect::<BTreeSet<_>>()
            };
            assert_eq!(names("zh"), names("en"), "{key}");
        }
    }

    #[test]
    fn a_day_reads_as_base_writes_it() {
        for day in [-719_162, 0, 1, 11_016, 19_782, 20_000, 2_932_896] {
            let mut out = String::new();
            write_day(Day(day), &mut out);
            assert_eq!(out, Day(day).to_string());
        }
    }

    #[test]
    fn money_reads_as_base_writes_it() {
        for fen in [0, 1, 10, 99, 100, -1, 12_345, 99_999, 100_000, 123_456_789, -123_456_789, i64::MAX] {
            let mut out = String::new();
            write_money(Fen(fen), &mut out);
            assert_eq!(out, Fen(fen).grouped());
        }
    }
}
