//! A receipt in words: what each layer paid and why, what did not apply and why not, and where each rule stands written.

use kangmai_base::Fen;
use kangmai_policy::{Explanation, Language, LayerText, Policy, Release, Sight, Trace};
use kangmai_web::{Page, ShareBar};
use sha2::{Digest as _, Sha256};

use crate::facts::Settled;
use crate::replay::work_out;
use crate::rules::ChainBill;

/// A layer as a statement shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) payer: String,
    pub(crate) base: Fen,
    pub(crate) paid: Fen,
    pub(crate) remaining: Fen,
    pub(crate) sentence: String,
    pub(crate) waived: Vec<(String, Fen)>,
    pub(crate) applied: bool,
}

/// Where a rule stands written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) layer: String,
    pub(crate) source: String,
    pub(crate) quote: String,
    pub(crate) note: String,
}

/// A settlement in words.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Told {
    /// Layers that applied, in order.
    pub(crate) lines: Vec<Line>,
    /// Layers that did not, with the reason.
    pub(crate) why_not: Vec<(String, String)>,
    /// The sources of the layers that applied; each says how sure it is.
    pub(crate) written: Vec<Written>,
    /// What the patient reads.
    pub(crate) plain: String,
    /// Who pays what.
    pub(crate) shares: ShareBar,
    /// What the total is made of.
    pub(crate) total: Fen,
    pub(crate) compliant: Fen,
    pub(crate) already_paid: Fen,
    pub(crate) own: Fen,
    pub(crate) own_uncovered: Fen,
    pub(crate) reimbursed: Fen,
    /// Reimbursed per total, in tenths of a per cent: `91.1%`.
    pub(crate) ratio: String,
    /// Whether the release that the program holds still comes to the same, so that the words are those of the receipt.
    pub(crate) is_exact: bool,
}

/// A receipt worked out again, if the release at hand still comes to it.
pub(crate) struct Again<'p> {
    /// Under what.
    pub(crate) policy: &'p Policy,
    /// Every layer.
    pub(crate) trace: Trace,
}

impl<'p> Again<'p> {
    pub(crate) fn of(policies: &'p Release, settled: &Settled, bill: &ChainBill) -> Option<Again<'p>> {
        let policy = policies.jurisdiction(&settled.jurisdiction)?.to_read();
        let trace = worked_out_again(policies, policy, settled, bill)?;
        Some(Again { policy, trace })
    }
}

/// Tells a receipt to a reader who sees so much. If the release at hand no longer comes to it, the figures are the
/// receipt's and the words say so.
pub(crate) fn tell(
    page: &Page,
    policies: &Release,
    settled: &Settled,
    again: Option<&Again<'_>>,
    sight: Sight,
) -> Told {
    let language = super::pages::language(page);
    match again {
        Some(again) => in_words(page, settled, &again.policy.explain_to(&again.trace, language, sight)),
        None => {
            let policy = policies.jurisdiction(&settled.jurisdiction);
            in_figures(page, policy.map(kangmai_policy::Jurisdiction::to_read), settled, language)
        }
    }
}

/// Tells a settlement that is not written down yet.
pub(crate) fn tell_trial(page: &Page, policies: &Release, settled: &Settled, trace: &Trace) -> Told {
    let policy = policies.jurisdiction(&settled.jurisdiction).map(kangmai_policy::Jurisdiction::to_read);
    match policy {
        Some(policy) => in_words(page, settled, &policy.explain(trace, super::pages::language(page))),
        None => in_figures(page, None, settled, super::pages::language(page)),
    }
}

/// The trace of a receipt, if this release comes to the same to the fen.
fn worked_out_again(
    policies: &Release,
    policy: &Policy,
    settled: &Settled,
    bill: &ChainBill,
) -> Option<Trace> {
    let (trace, _) = work_out(policies, policy, settled, bill);
    let same_layers = policy.layers().len() == settled.layers.len()
        && policy.layers().iter().zip(trace.steps()).zip(&settled.layers).all(|((layer, step), kept)| {
            layer.benefit.id == kept.layer && step.pays == kept.paid && step.outcome == kept.outcome
        });
    (same_layers && trace.own_share == settled.own).then_some(trace)
}

fn in_words(page: &Page, settled: &Settled, explanation: &Explanation) -> Told {
    let language = super::pages::language(page);
    let mut lines = Vec::new();
    let mut why_not = Vec::new();
    let mut written = Vec::new();
    for layer in &explanation.layers {
        if !layer.outcome.applied() {
            why_not.push((layer.name.clone(), layer.sentence.clone()));
            continue;
        }
        written.extend(written_of(layer));
        lines.push(Line {
            name: layer.name.clone(),
            payer: layer.payer.name.get(language).to_owned(),
            base: layer.base,
            paid: layer.pays,
            remaining: layer.remaining,
            sentence: layer.sentence.clone(),
            waived: layer.waived.iter().map(|item| (item.name.clone(), item.amount)).collect(),
            applied: true,
        });
    }
    put_together(page, settled, lines, why_not, written, true)
}

fn written_of(layer: &LayerText) -> Option<Written> {
    Some(Written {
        layer: layer.name.clone(),
        source: layer.source.clone()?,
        quote: layer.quote.clone().unwrap_or_default(),
        note: layer.note.clone().unwrap_or_default(),
    })
}

/// The figures of the receipt with names from the pack, as far as it still has them.
fn in_figures(page: &Page, policy: Option<&Policy>, settled: &Settled, language: Language) -> Told {
    let mut lines = Vec::new();
    let mut why_not = Vec::new();
    for kept in &settled.layers {
        let layer = policy
            .and_then(|policy| policy.layers().iter().find(|layer| layer.benefit.id == kept.layer))
            .map(|layer| &layer.benefit);
        let name = layer.map_or(kept.layer.clone(), |layer| layer.name.get(language).to_owned());
        let payer = layer.map_or(kept.payer.clone(), |layer| layer.payer.name.get(language).to_owned());
        if kept.outcome.applied() {
            let sentence = page.say(
                "settlement.statement.kept",
                &[("base", &page.money(kept.base)), ("paid", &page.money(kept.paid))],
            );
            lines.push(Line {
                name,
                payer,
                base: kept.base,
                paid: kept.paid,
                remaining: kept.remaining,
                sentence,
                waived: Vec::new(),
                applied: true,
            });
        } else {
            why_not.push((name, page.word("settlement.statement.kept_why_not").into_owned()));
        }
    }
    put_together(page, settled, lines, why_not, Vec::new(), false)
}

fn put_together(
    page: &Page,
    settled: &Settled,
    lines: Vec<Line>,
    why_not: Vec<(String, String)>,
    written: Vec<Written>,
    is_exact: bool,
) -> Told {
    let reimbursed = settled.total - settled.own;
    let mut parts: Vec<(String, Fen)> = Vec::new();
    for line in lines.iter().filter(|line| line.paid != Fen::ZERO) {
        parts.push((line.name.clone(), line.paid));
    }
    // The bar has room for six parts: the smaller layers go together.
    const MOST: usize = 4;
    if parts.len() > MOST {
        let rest: Fen = parts.split_off(MOST - 1).into_iter().map(|(_, paid)| paid).sum();
        parts.push((page.word("settlement.share.others").into_owned(), rest));
    }
    if settled.already_paid != Fen::ZERO {
        parts.push((page.word("settlement.share.already_paid").into_owned(), settled.already_paid));
    }
    parts.push((page.word("settlement.share.own").into_owned(), settled.own));
    let ratio = ratio_of(reimbursed, settled.total);
    let plain = plain_sentence(page, settled, reimbursed);
    Told {
        shares: ShareBar {
            title: page.word("settlement.share.title").into_owned(),
            description: plain.clone(),
            parts,
        },
        lines,
        why_not,
        written,
        plain,
        total: settled.total,
        compliant: settled.compliant,
        already_paid: settled.already_paid,
        own: settled.own,
        own_uncovered: settled.own_uncovered,
        reimbursed,
        ratio,
        is_exact,
    }
}

/// What the patient reads, in plain words.
fn plain_sentence(page: &Page, settled: &Settled, reimbursed: Fen) -> String {
    let values: [(&str, &dyn std::fmt::Display); 4] = [
        ("total", &page.yuan(settled.total)),
        ("reimbursed", &page.yuan(reimbursed)),
        ("own", &page.yuan(settled.own)),
        ("uncovered", &page.yuan(settled.own_uncovered)),
    ];
    let key = if settled.own_uncovered == Fen::ZERO {
        "settlement.statement.plain"
    } else {
        "settlement.statement.plain_uncovered"
    };
    page.say(key, &values)
}

/// `91.12%`: a part of a whole in hundredths of a per cent, without a float.
pub(crate) fn ratio_of(part: Fen, whole: Fen) -> String {
    if whole.0 <= 0 {
        return "—".to_owned();
    }
    let hundredths = kangmai_base::round_half_up(i128::from(part.0) * 10_000, i128::from(whole.0));
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}

/// SHA-256 over the receipt: what the paper bears, so that it can be held against the record.
pub(crate) fn receipt_hash(settled: &Settled) -> String {
    let text = serde_json::to_vec(settled).unwrap_or_default();
    Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_rounded_to_hundredths() {
        assert_eq!(ratio_of(Fen(5_466_976), Fen(6_000_000)), "91.12%");
        assert_eq!(ratio_of(Fen(0), Fen(1)), "0.00%");
        assert_eq!(ratio_of(Fen(1), Fen(1)), "100.00%");
        assert_eq!(ratio_of(Fen(1), Fen(0)), "—");
    }
}
