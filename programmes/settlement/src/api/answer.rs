//! What the interface answers of a settlement: amounts, one line for each fund, layers, and its process in words.

use kangmai_base::{Fen, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_policy::{
    InterfaceCodes, InterfaceFigure, Jurisdiction, MOST_PROCESS_CHARACTERS, PayerKind, Policy, Setting,
    Sight, Trace,
};
use kangmai_programme::Call;
use serde_json::{Map, Value, json};

use crate::facts::{LayerPaid, Settled};
use crate::intake::Trial;
use crate::pages::language;
use crate::rules::ChainBill;
use crate::statement::{receipt_hash, worked_out_again};
use crate::store::{self, Bill};

/// What settling would come to.
pub(super) fn of_trial(call: &Call, setting: Setting, trial: &Trial) -> Value {
    let mut said = figures(call, setting, &trial.settled, Some(&trial.trace));
    said.insert("changes".to_owned(), changes(trial));
    Value::Object(said)
}

/// A bill as it stands, with its receipt. `trial`: what taking it in changed.
pub(super) fn of_bill(
    tx: &mut Transaction<'_>,
    call: &Call,
    bill: &Bill,
    trial: Option<&Trial>,
) -> Result<Value, DatabaseError> {
    let body = store::body_of(tx, bill)?;
    let settled: Option<Settled> = match bill.state {
        store::BillState::Settled => store::receipt_of(tx, bill.receipt)?,
        _ => None,
    };
    let setting = body.as_ref().map(|body| body.setting);
    let mut said = match (&settled, body) {
        (Some(settled), Some(body)) => {
            let bill = ChainBill { received_at: bill.received_at, home: bill.home, body };
            let policies = &call.app.policies;
            let policy = policies.jurisdiction(&settled.jurisdiction).map(Jurisdiction::to_read);
            let trace = policy.and_then(|policy| worked_out_again(policies, policy, settled, &bill));
            figures(call, setting.unwrap_or(Setting::Inpatient), settled, trace.as_ref())
        }
        _ => Map::new(),
    };
    let mut put = |name: &str, value: Value| drop(said.insert(name.to_owned(), value));
    put("bill", json!(bill.id));
    put("number", json!(bill.number));
    put("state", json!(bill.state.key()));
    put("person", json!({ "id": bill.person }));
    put("receipt", json!(bill.receipt.filter(|_| settled.is_some())));
    put("receipt_hash", json!(settled.as_ref().map(receipt_hash)));
    put("received_at", json!(bill.received_at.to_string()));
    put("statement", json!(format!("/bills/{}", bill.id)));
    put("changes", trial.map_or_else(|| json!([]), changes));
    Ok(Value::Object(said))
}

/// The earlier bills of the year whose own share became another.
fn changes(trial: &Trial) -> Value {
    let change = |(number, before, after): &(String, Option<Fen>, Fen)| json!({ "number": number, "own_share_before": before.map(|own| own.to_string()), "own_share": after.to_string() });
    trial.changes.iter().map(change).collect()
}

fn figures(call: &Call, setting: Setting, settled: &Settled, trace: Option<&Trace>) -> Map<String, Value> {
    let policies = &call.app.policies;
    let policy = policies.jurisdiction(&settled.jurisdiction).map(Jurisdiction::to_read);
    let funds = funds(policy, settled);
    let by_funds: Fen = settled.layers.iter().filter(|layer| is_fund(layer)).map(|layer| layer.paid).sum();
    let amounts = [
        (InterfaceFigure::Total, settled.total),
        (InterfaceFigure::Compliant, settled.compliant),
        (InterfaceFigure::OutOfCatalogue, settled.own_uncovered),
        (InterfaceFigure::Funds, by_funds),
        (InterfaceFigure::OwnShare, settled.own),
    ];
    let codes = policies.interface(call.reach.place(), call.today);
    let mut said = Map::new();
    said.insert("insurance_year".to_owned(), json!(settled.year));
    said.insert("setting".to_owned(), json!(setting.name()));
    for (figure, amount) in amounts {
        said.insert(figure.name().to_owned(), json!(amount.to_string()));
    }
    said.insert("already_paid".to_owned(), json!(settled.already_paid.to_string()));
    said.insert("funds".to_owned(), funds.iter().map(Fund::said).collect());
    said.insert("layers".to_owned(), layers(call, policy, settled, trace));
    said.insert("process_text".to_owned(), json!(process(call, policy, settled, trace)));
    said.insert(
        "national".to_owned(),
        codes.map_or(Value::Null, |codes| national(codes, setting, &amounts, &funds)),
    );
    said
}

/// What an institution forgoes is no fund's money.
fn is_fund(layer: &LayerPaid) -> bool {
    layer.kind != PayerKind::Institution
}

/// One who pays: all its layers together.
struct Fund {
    fund: String,
    kind: PayerKind,
    national: Option<String>,
    names: (String, String),
    amount: Fen,
}

impl Fund {
    fn said(&self) -> Value {
        json!({
            "fund": self.fund,
            "kind": self.kind,
            "national": self.national,
            "name": { "zh": self.names.0, "en": self.names.1 },
            "amount": self.amount.to_string(),
        })
    }
}

/// One line for each fund, in the order of the layers; also for one that pays nothing.
fn funds(policy: Option<&Policy>, settled: &Settled) -> Vec<Fund> {
    let mut funds: Vec<Fund> = Vec::new();
    for layer in &settled.layers {
        if let Some(fund) = funds.iter_mut().find(|fund| fund.fund == layer.payer && fund.kind == layer.kind)
        {
            fund.amount += layer.paid;
            continue;
        }
        let of_layer = policy.and_then(|policy| {
            policy.layers().iter().find(|one| one.benefit.id == layer.layer).map(|one| &one.benefit.payer)
        });
        let names = of_layer.map_or_else(
            || (layer.payer.clone(), layer.payer.clone()),
            |payer| (payer.name.zh.clone(), payer.name.en.clone()),
        );
        funds.push(Fund {
            fund: layer.payer.clone(),
            kind: layer.kind,
            national: of_layer.map(|payer| payer.national.clone()),
            names,
            amount: layer.paid,
        });
    }
    funds
}

fn layers(call: &Call, policy: Option<&Policy>, settled: &Settled, trace: Option<&Trace>) -> Value {
    let language = language(&call.page);
    let told = policy
        .zip(trace)
        .map(|(policy, trace)| policy.explain_to(trace, language, sight(call, trace)).layers);
    let one = |layer: &LayerPaid| {
        let text = told.iter().flatten().find(|text| text.id == layer.layer);
        json!({
            "layer": layer.layer,
            "name": text.map_or(layer.layer.as_str(), |text| text.name.as_str()),
            "fund": layer.payer,
            "outcome": layer.outcome,
            "base": layer.base.to_string(),
            "paid": layer.paid.to_string(),
            "remaining": layer.remaining.to_string(),
            "sentence": text.map(|text| text.sentence.as_str()),
        })
    };
    settled.layers.iter().map(one).collect()
}

/// What of the facts is said: of a diagnosis of level 5 nothing, as on the statement.
fn sight(call: &Call, trace: &Trace) -> Sight {
    let facts = &trace.facts;
    let table = call.app.policies.disease_table(facts.person_place, facts.discharge);
    let level = table.map_or(0, |table| table.sensitive_level(facts.diagnosis));
    Sight { diagnosis: level < 5 || call.reach.sensitive(), labels: true }
}

/// The process in words, as long as the national interface takes it. A receipt of another release is told by its figures
/// only.
fn process(call: &Call, policy: Option<&Policy>, settled: &Settled, trace: Option<&Trace>) -> String {
    match policy.zip(trace) {
        Some((policy, trace)) => {
            let sight = sight(call, trace);
            policy.process_text(trace, language(&call.page), sight, MOST_PROCESS_CHARACTERS)
        }
        None => {
            let values: [(&str, &dyn std::fmt::Display); 2] =
                [("total", &settled.total.grouped()), ("own", &settled.own.grouped())];
            call.page.say("settlement.api.process_kept", &values)
        }
    }
}

/// The same amounts by the fields of the national interface.
fn national(
    codes: &InterfaceCodes,
    setting: Setting,
    amounts: &[(InterfaceFigure, Fen)],
    funds: &[Fund],
) -> Value {
    let mut fields: Map<String, Value> = Map::new();
    let mut of_funds: std::collections::BTreeMap<&str, Fen> = std::collections::BTreeMap::new();
    for fund in funds {
        if let Some(field) = fund.national.as_deref() {
            *of_funds.entry(field).or_default() += fund.amount;
        }
    }
    for (field, amount) in of_funds {
        fields.insert(field.to_owned(), json!(amount.to_string()));
    }
    for (figure, amount) in amounts {
        if let Some(field) = codes.figure(*figure) {
            fields.insert(field.to_owned(), json!(amount.to_string()));
        }
    }
    json!({
        "med_type": codes.setting(setting),
        "amounts": fields,
        "process_text": codes.figure(InterfaceFigure::Process),
        "sure": codes.sure.name(),
    })
}

/// A bill of the client's own institution, within reach; of others it does not know.
pub(super) fn own_bill(
    tx: &mut Transaction<'_>,
    call: &Call,
    id: Uuid,
) -> Result<Option<Bill>, DatabaseError> {
    let bill = store::bill(tx, &call.reach, id)?;
    Ok(bill.filter(|bill| call.actor.institution == Some(bill.institution)))
}
