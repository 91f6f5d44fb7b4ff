//! A receipt as a file, and working it out again years later: the same to the fen, layer by layer, or not.

use kangmai_base::{Day, DivisionCode, Fen, Moment};
use kangmai_policy::{Outcome, Policy, Release, Settler, Trace};
use kangmai_record::Source;
use serde::{Deserialize, Serialize};

use crate::facts::{BillReceived, Settled, Used};
use crate::rules::{ChainBill, bill_facts, used_of, year_of};
use crate::statement::receipt_hash;

/// The form of the file that this program writes and reads.
const FORMAT: &str = "kangmai.receipt.1";

/// A receipt with all that it rests on. No name and no number of a person is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptFile {
    /// The form of the file.
    pub format: String,
    /// SHA-256 over the receipt, as its paper bears it.
    pub hash: String,
    /// The receipt: program, release, accumulators before and after, layers.
    pub receipt: Settled,
    /// Where the bill's facts come from.
    pub bill_source: Source,
    /// When the bill was received.
    pub received_at: Moment,
    /// The person's home place then.
    pub home: DivisionCode,
    /// The bill.
    pub bill: BillReceived,
    /// Whether the bill has a diagnosis that whoever took the file out may not see: a layer that asks for it may then come
    /// out otherwise.
    #[serde(default)]
    pub diagnosis_withheld: bool,
    /// What was asked of the person and the institution, each as of its day, with its origin.
    pub facts: Vec<FactUsed>,
}

/// A fact that the settlement used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactUsed {
    /// Which.
    pub fact: String,
    /// What it said.
    pub value: String,
    /// As of which day.
    pub as_of: Day,
    /// Where it comes from: `register`, or how the bill came in.
    pub origin: String,
}

/// Why a receipt is not worked out again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotReplayed {
    /// The file has another form.
    Format(String),
    /// The receipt is not the one that its hash was taken of.
    Altered,
    /// The list of facts does not say what receipt and bill say.
    OtherFacts,
    /// The packs at hand are another release: the receipt's, and theirs.
    OtherRelease(String, String),
    /// The packs at hand do not have the jurisdiction.
    NoPack(String),
}

/// One layer, or the own share: what the receipt says and what it comes to now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// The layer.
    pub layer: String,
    /// What the receipt says: outcome and amount; none: the receipt does not have it.
    pub kept: Option<(Outcome, Fen)>,
    /// What it comes to now; none: the packs at hand do not have it.
    pub now: Option<(Outcome, Fen)>,
}

impl Compared {
    /// Whether both are the same, to the fen.
    pub fn is_same(&self) -> bool {
        self.kept == self.now
    }
}

/// A receipt beside what it comes to now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// The layers, in order.
    pub layers: Vec<Compared>,
    /// The own share: kept, and now.
    pub own: (Fen, Fen),
    /// What of the year is used after it: kept, and now.
    pub after: (Vec<Used>, Vec<Used>),
}

impl Replayed {
    /// Whether all is the same, to the fen.
    pub fn is_same(&self) -> bool {
        self.layers.iter().all(Compared::is_same) && self.own.0 == self.own.1 && self.after.0 == self.after.1
    }
}

impl ReceiptFile {
    /// The file of a receipt. `sees_diagnosis`: whether who takes it out may see the bill's diagnosis.
    pub(crate) fn of(
        settled: &Settled,
        bill: ChainBill,
        source: Source,
        sees_diagnosis: bool,
    ) -> ReceiptFile {
        let mut body = bill.body;
        let withheld = !sees_diagnosis && body.diagnosis.is_some();
        if withheld {
            body.diagnosis = None;
        }
        if !sees_diagnosis {
            // What somebody was given tells what they have.
            for line in body.lines.iter_mut().flat_map(|lines| &mut lines.lines) {
                (line.code, line.name) = (String::new(), String::new());
            }
        }
        ReceiptFile {
            format: FORMAT.to_owned(),
            hash: receipt_hash(settled),
            facts: facts_of(settled, &body, bill.home, source),
            receipt: settled.clone(),
            bill_source: source,
            received_at: bill.received_at,
            home: bill.home,
            bill: body,
            diagnosis_withheld: withheld,
        }
    }
}

/// The facts as a reader wants them, each with its day and origin.
fn facts_of(settled: &Settled, bill: &BillReceived, home: DivisionCode, source: Source) -> Vec<FactUsed> {
    let (person, institution) = (&settled.person, &bill.institution);
    let register = |fact: &str, value: String, as_of: Day| FactUsed {
        fact: fact.to_owned(),
        value,
        as_of,
        origin: "register".to_owned(),
    };
    let at_admission = person.labels_at_admission.as_ref().unwrap_or(&person.labels_at_discharge);
    let mut facts = vec![
        register("labels", at_admission.join(" "), bill.admission),
        register("labels", person.labels_at_discharge.join(" "), bill.discharge),
        register("home", home.to_string(), bill.discharge),
        register("institution", institution.code.clone(), bill.admission),
        register("institution_tier", institution.tier.name().to_owned(), bill.admission),
        register("institution_grade", institution.grade.name().to_owned(), bill.admission),
        register("institution_kind", institution.kind.name().to_owned(), bill.admission),
        register("designations", institution.designations.join(" "), bill.admission),
    ];
    let insured = if person.insured_is_assumed { "assumed" } else { "register" };
    facts.push(FactUsed {
        fact: "insured".to_owned(),
        value: person.insured.to_string(),
        as_of: bill.discharge,
        origin: insured.to_owned(),
    });
    if let Some(birth) = person.birth {
        facts.push(register("birth", birth.to_string(), bill.discharge));
    }
    let of_bill = |fact: &str, value: String| FactUsed {
        fact: fact.to_owned(),
        value,
        as_of: bill.discharge,
        origin: source.key().to_owned(),
    };
    facts.extend([
        of_bill("total", bill.total.to_string()),
        of_bill("compliant", bill.compliant.to_string()),
        of_bill("already_paid", bill.already_paid.to_string()),
        of_bill("setting", bill.setting.name().to_owned()),
        of_bill("referral", bill.referral.name().to_owned()),
    ]);
    if let Some(lines) = &bill.lines {
        facts.push(of_bill("lines", lines.lines.len().to_string()));
        facts.push(of_bill("lines_rule", format!("{} {}", lines.rule.file, lines.rule.from)));
        let costs = lines.categories.iter();
        facts.extend(costs.map(|cost| of_bill(cost.category.name(), cost.compliant.to_string())));
    }
    facts
}

/// Works a receipt out again under the packs at hand. Unless `anyway`, only under the release that it was settled by.
///
/// # Errors
/// When that cannot be; see [`NotReplayed`].
pub fn replay(policies: &Release, file: &ReceiptFile, anyway: bool) -> Result<Replayed, NotReplayed> {
    let settled = &file.receipt;
    if file.format != FORMAT {
        return Err(NotReplayed::Format(file.format.clone()));
    }
    if file.hash != receipt_hash(settled) || settled.bill != file.bill.bill {
        return Err(NotReplayed::Altered);
    }
    if file.facts != facts_of(settled, &file.bill, file.home, file.bill_source) {
        return Err(NotReplayed::OtherFacts);
    }
    if settled.release != policies.hash() && !anyway {
        return Err(NotReplayed::OtherRelease(settled.release.clone(), policies.hash().to_owned()));
    }
    let jurisdiction = policies.jurisdiction(&settled.jurisdiction);
    let policy = jurisdiction.ok_or_else(|| NotReplayed::NoPack(settled.jurisdiction.clone()))?.to_read();
    let bill = ChainBill { received_at: file.received_at, home: file.home, body: file.bill.clone() };
    let (trace, after) = work_out(policies, policy, settled, &bill);
    Ok(Replayed {
        layers: compared(policy, settled, &trace),
        own: (settled.own, trace.own_share),
        after: (settled.after.clone(), after),
    })
}

/// The trace of a receipt under `policy`, from what the receipt says, and what of the year is used after it.
pub(crate) fn work_out(
    policies: &Release,
    policy: &Policy,
    settled: &Settled,
    bill: &ChainBill,
) -> (Trace, Vec<Used>) {
    let facts = bill_facts(policies.vocabulary(), bill, &settled.person);
    let mut year = year_of(policy, &settled.before);
    let mut trace = Trace::new(&facts);
    Settler::new(policy).settle_into(&facts, &mut year, &mut trace);
    (trace, used_of(policy, &year))
}

fn compared(policy: &Policy, settled: &Settled, trace: &Trace) -> Vec<Compared> {
    let now = policy.layers().iter().zip(trace.steps());
    let mut layers: Vec<Compared> = now
        .map(|(layer, step)| Compared {
            layer: layer.benefit.id.clone(),
            kept: None,
            now: Some((step.outcome, step.pays)),
        })
        .collect();
    for kept in &settled.layers {
        let found = Some((kept.outcome, kept.paid));
        match layers.iter_mut().find(|layer| layer.layer == kept.layer) {
            Some(layer) => layer.kept = found,
            None => layers.push(Compared { layer: kept.layer.clone(), kept: found, now: None }),
        }
    }
    layers
}
