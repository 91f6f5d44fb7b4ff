//! What a settlement did: a fixed-size step per layer, from which every explanation is written.

use kangmai_base::Fen;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::plan::Head;
use crate::{BillFacts, MAX_LAYERS, YearAccumulators};

/// What became of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// No version of it holds at the date.
    NotInForce,
    /// The pack says, on purpose, that it holds no rule for the date.
    Gap,
    /// Not for this person, institution or setting; `failed` is the part of the condition.
    NotEntitled,
    /// For this person in general, but no profile fits.
    NoProfile,
    /// Earlier payers have left nothing.
    NothingLeft,
    /// The deductible is not passed.
    BelowDeductible,
    /// The cap of the year is used up.
    CapExhausted,
    /// It applies, and comes to nothing.
    PaidNothing,
    /// It pays.
    Paid,
}

impl Outcome {
    /// Whether the layer was for this bill, whatever it paid.
    pub const fn applied(self) -> bool {
        !matches!(self, Outcome::NotInForce | Outcome::Gap | Outcome::NotEntitled | Outcome::NoProfile)
    }
}

/// What a cap is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cap {
    /// One layer and the year.
    #[default]
    Year,
    /// One layer and one bill.
    Bill,
    /// All layers that draw on one pool, and the year.
    Pool,
}

/// One layer of one bill. Amounts that a kind has no use for are zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What became of it.
    pub outcome: Outcome,
    /// Number of the version (or of the gap).
    pub version: u8,
    /// Number of the profile.
    pub profile: u8,
    /// Number of the deductible rule that held, or [`Step::NO_RULE`].
    pub deductible_rule: u8,
    /// The ratio rules that held, as bits.
    pub ratio_rules: u8,
    /// Number of the part of `applies` that failed.
    pub failed: u8,
    /// The base of this bill.
    pub base: Fen,
    /// The base of the year (or, for a share, the deductible of the year) before this bill.
    pub before: Fen,
    /// The deductible that held, after its rule.
    pub deductible: Fen,
    /// What of it this bill used (waiver: what of it is waived).
    pub deductible_used: Fen,
    /// Named fees waived.
    pub fees: Fen,
    /// The exact amount before rounding, over the terms' denominator.
    #[serde(with = "as_text")]
    pub numerator: i128,
    /// Its denominator.
    pub denominator: i64,
    /// The rounded amount before the cap and before what was left.
    pub rounded: Fen,
    /// What the narrowest cap still held before this bill; `None`: no cap.
    pub cap_room: Option<Fen>,
    /// Which cap that is.
    pub cap: Cap,
    /// What the layer pays.
    pub pays: Fen,
    /// What of the compliant cost is left after it.
    pub remaining: Fen,
}

impl Step {
    /// No deductible rule held.
    pub const NO_RULE: u8 = u8::MAX;

    /// What conditions decide, without amounts.
    #[inline(always)]
    pub(crate) const fn of(head: &Head) -> Step {
        Step {
            outcome: head.outcome,
            version: head.version,
            profile: head.profile,
            deductible_rule: head.deductible_rule,
            ratio_rules: head.ratio_rules,
            failed: head.failed,
            ..Step::EMPTY
        }
    }

    pub(crate) const EMPTY: Step = Step {
        outcome: Outcome::NotInForce,
        version: 0,
        profile: 0,
        deductible_rule: Step::NO_RULE,
        ratio_rules: 0,
        failed: 0,
        base: Fen::ZERO,
        before: Fen::ZERO,
        deductible: Fen::ZERO,
        deductible_used: Fen::ZERO,
        fees: Fen::ZERO,
        numerator: 0,
        denominator: 1,
        rounded: Fen::ZERO,
        cap_room: None,
        cap: Cap::Year,
        pays: Fen::ZERO,
        remaining: Fen::ZERO,
    };
}

mod as_text {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(number: &i128, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i128, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// One bill, settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace {
    /// The facts that it was settled on.
    pub facts: BillFacts,
    /// The year before this bill.
    pub before: YearAccumulators,
    /// What the person bears, out-of-catalogue cost included.
    pub own_share: Fen,
    /// What of it lies outside the catalogues.
    pub own_out_of_catalogue: Fen,
    pub(crate) length: u8,
    pub(crate) steps: [Step; MAX_LAYERS],
}

impl Trace {
    /// An empty trace to settle into.
    pub fn new(facts: &BillFacts) -> Trace {
        Trace {
            facts: *facts,
            before: YearAccumulators::NONE,
            own_share: Fen::ZERO,
            own_out_of_catalogue: Fen::ZERO,
            length: 0,
            steps: [Step::EMPTY; MAX_LAYERS],
        }
    }

    /// One step for each layer of the policy, in its order.
    pub fn steps(&self) -> &[Step] {
        self.steps.get(..usize::from(self.length)).unwrap_or_default()
    }

    /// What all layers pay together (without what was already paid).
    pub fn paid(&self) -> Fen {
        self.steps().iter().map(|step| step.pays).sum()
    }
}

#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    facts: BillFacts,
    before: YearAccumulators,
    own_share: Fen,
    own_out_of_catalogue: Fen,
    steps: std::borrow::Cow<'a, [Step]>,
}

impl Serialize for Trace {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (facts, before, own_share) = (self.facts, self.before, self.own_share);
        let own_out_of_catalogue = self.own_out_of_catalogue;
        Stored { facts, before, own_share, own_out_of_catalogue, steps: self.steps().into() }
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Trace {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Trace, D::Error> {
        let stored = Stored::deserialize(deserializer)?;
        if stored.steps.len() > MAX_LAYERS {
            return Err(serde::de::Error::custom("more steps than a policy has layers"));
        }
        let mut trace = Trace::new(&stored.facts);
        trace.before = stored.before;
        (trace.own_share, trace.own_out_of_catalogue) = (stored.own_share, stored.own_out_of_catalogue);
        trace.length = stored.steps.len() as u8;
        trace.steps[..stored.steps.len()].copy_from_slice(&stored.steps);
        Ok(trace)
    }
}
