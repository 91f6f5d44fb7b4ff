//! What the patient reads: one plain sentence for the bill and one for each layer, in the second person.

use kangmai_base::Fen;

use crate::policy::Layer;
use crate::trace::{Outcome, Step, Trace};
use crate::words::{Arg, Word};
use crate::{Language, PayerKind, Policy};

use super::deductible_left;

impl Policy {
    /// The whole bill in one sentence.
    pub fn patient_sentence(&self, trace: &Trace, language: Language) -> String {
        let facts = &trace.facts;
        let outside = trace.own_out_of_catalogue;
        let word = if outside > Fen::ZERO { Word::PatientWholeOutside } else { Word::PatientWhole };
        let values = [
            ("total", facts.total),
            ("paid", facts.total - trace.own_share),
            ("own", trace.own_share),
            ("outside", outside),
        ];
        let mut out = String::new();
        word.write(language, &mut out, &values.map(|(name, amount)| (name, Arg::Money(amount))));
        out
    }

    /// One sentence for each layer, in order, those that did not apply included. It says no fact about the patient.
    pub fn patient_layers(&self, trace: &Trace, language: Language) -> Vec<String> {
        let layers = self.layers.iter().zip(trace.steps());
        layers.map(|(layer, step)| layer_sentence(layer, step, language)).collect()
    }
}

fn layer_sentence(layer: &Layer, step: &Step, language: Language) -> String {
    let word = match step.outcome {
        Outcome::Paid if layer.benefit.payer.kind == PayerKind::Institution => Word::PatientWaived,
        Outcome::Paid => Word::PatientPaid,
        Outcome::PaidNothing => Word::PatientPaidNothing,
        Outcome::NothingLeft => Word::PatientNothingLeft,
        Outcome::BelowDeductible => Word::PatientBelowDeductible,
        Outcome::CapExhausted => Word::PatientCapExhausted,
        Outcome::NotEntitled | Outcome::NoProfile => Word::PatientNotEntitled,
        Outcome::NotInForce | Outcome::Gap => Word::PatientNotInForce,
    };
    let values = [
        ("name", Arg::Text(layer.benefit.name.get(language))),
        ("pays", Arg::Money(step.pays)),
        ("deductible", Arg::Money(deductible_left(layer, step))),
    ];
    let mut out = String::new();
    word.write(language, &mut out, &values);
    out
}
