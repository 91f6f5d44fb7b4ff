//! What each interface is called, takes and answers: its part of the OpenAPI document. The meaning of every field is a word,
//! `settlement.api.field.{name}`.

use kangmai_policy::{CostCategory, FeeKind, MOST_PROCESS_CHARACTERS, Referral};
use kangmai_programme::{Described, Operation};
use serde_json::{Map, Value, json};

use super::lines::CLASSES;
use crate::facts::{DayStatus, FundsBy};
use crate::rules::{LONGEST_NUMBER, LONGEST_REASON};

/// 预结算
pub(crate) static PRE_SETTLE: Operation = Operation {
    id: "pre_settle",
    word: "settlement.api.pre_settle",
    field_words: "settlement.api.field.",
    keyed: false,
    request: Some(|| bill(&[])),
    answer: || Described { schema: settled(), example: trial_example() },
    errors: &[400, 409, 413, 422],
};
/// 结算
pub(crate) static SETTLE: Operation = Operation {
    id: "settle",
    word: "settlement.api.settle",
    field_words: "settlement.api.field.",
    keyed: true,
    request: Some(|| bill(&[("expected_own_share", money(), json!("7312.00"))])),
    answer: || receipt(),
    errors: &[400, 409, 413, 422],
};
/// 撤销结算
pub(crate) static CANCEL: Operation = Operation {
    id: "cancel",
    word: "settlement.api.cancel",
    field_words: "settlement.api.field.",
    keyed: true,
    request: Some(|| {
        let fields = [
            ("bill", text(36), Value::Null),
            ("number", text(LONGEST_NUMBER), json!("ZY20260305001")),
            ("reason", text(LONGEST_REASON), json!("收费有误，重新结算")),
        ];
        described(&fields, &["reason"])
    }),
    answer: || {
        let schema = object(
            [cancelled_fields(), vec![("settled_again", count())]].concat(),
            &["bill", "number", "state", "person", "received_at", "statement", "changes", "settled_again"],
        );
        Described { schema, example: cancelled_example() }
    },
    errors: &[400, 409, 413, 422],
};
/// 更正
pub(crate) static CORRECT: Operation = Operation {
    id: "correct",
    word: "settlement.api.correct",
    field_words: "settlement.api.field.",
    keyed: true,
    request: Some(|| {
        let expected = ("expected_own_share", money(), Value::Null);
        bill(&[expected, ("reason", text(LONGEST_REASON), json!("补录药费"))])
    }),
    answer: || receipt(),
    errors: &[400, 409, 413, 422],
};
/// 日终对账
pub(crate) static RECONCILE: Operation = Operation {
    id: "reconcile",
    word: "settlement.api.reconcile",
    field_words: "settlement.api.field.",
    keyed: true,
    request: Some(|| Described { schema: day(), example: day_example() }),
    answer: || Described { schema: reconciled(), example: reconciled_example() },
    errors: &[400, 409, 413, 422],
};
/// 查询请求结果
pub(crate) static REQUEST: Operation = Operation {
    id: "request",
    word: "settlement.api.request",
    field_words: "settlement.api.field.",
    keyed: false,
    request: None,
    answer: || {
        let fields = vec![
            ("key", string()),
            ("state", one_of(&["answered", "in_progress", "not_received"])),
            ("bill", maybe(string())),
            ("answer", json!({ "type": ["object", "null"] })),
        ];
        let example =
            json!({ "key": "HIS-20260305-000123", "state": "not_received", "bill": null, "answer": null });
        Described { schema: object(fields, &["key", "state", "bill", "answer"]), example }
    },
    errors: &[400],
};
/// 查询结算单
pub(crate) static RECEIPT: Operation = Operation {
    id: "receipt",
    word: "settlement.api.receipt",
    field_words: "settlement.api.field.",
    keyed: false,
    request: None,
    answer: || receipt(),
    errors: &[],
};

fn string() -> Value {
    json!({ "type": "string" })
}

fn text(most: usize) -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": most })
}

fn money() -> Value {
    json!({ "type": "string", "pattern": "^-?[0-9]+\\.[0-9]{2}$" })
}

fn a_day() -> Value {
    json!({ "type": "string", "format": "date" })
}

fn count() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

fn one_of(names: &[&str]) -> Value {
    json!({ "type": "string", "enum": names })
}

fn list(items: Value) -> Value {
    json!({ "type": "array", "items": items })
}

/// The same, or null.
fn maybe(mut schema: Value) -> Value {
    schema["type"] = json!([schema["type"], "null"]);
    schema
}

/// An object of these fields and no others.
fn object(fields: Vec<(&str, Value)>, needed: &[&str]) -> Value {
    let fields: Map<String, Value> =
        fields.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect();
    json!({ "type": "object", "properties": fields, "required": needed, "additionalProperties": false })
}

/// Fields with an example each; one without is left out of the example.
fn described(fields: &[(&str, Value, Value)], needed: &[&str]) -> Described {
    let schema = object(fields.iter().map(|(name, schema, _)| (*name, schema.clone())).collect(), needed);
    let given = fields.iter().filter(|(_, _, example)| !example.is_null());
    let example: Map<String, Value> =
        given.map(|(name, _, example)| ((*name).to_owned(), example.clone())).collect();
    Described { schema, example: Value::Object(example) }
}

/// A bill as it is sent, with further fields.
fn bill(further: &[(&str, Value, Value)]) -> Described {
    let person = vec![("id", text(36)), ("id_number", text(40)), ("name", text(80))];
    let fees = FeeKind::ALL.iter().map(|kind| (kind.name(), money())).collect();
    let diagnosis = vec![("code", text(40)), ("name", text(80))];
    let mut fields = vec![
        ("number", text(LONGEST_NUMBER), json!("ZY20260305001")),
        ("person", object(person, &[]), json!({ "id_number": "411721195101019916", "name": "示例甲" })),
        ("setting", string(), json!("21")),
        ("referral", one_of(Referral::NAMES), json!("referred")),
        ("admission", a_day(), json!("2026-02-20")),
        ("discharge", a_day(), json!("2026-03-04")),
        ("diagnosis", object(diagnosis, &["code"]), json!({ "code": "I63.9", "name": "脑梗死" })),
        ("total", money(), json!("30000.00")),
        ("compliant", money(), json!("28000.00")),
        ("already_paid", money(), Value::Null),
        ("fees", object(fees, &[]), json!({ "registration": "5.00" })),
        ("lines", charged_lines(), Value::Null),
    ];
    fields.extend(further.iter().cloned());
    // Total and compliant cost too, unless there are lines that they come of.
    let mut needed = vec!["number", "person", "setting", "admission", "discharge"];
    needed.extend(further.iter().map(|(name, _, _)| *name).filter(|name| *name == "reason"));
    described(&fields, &needed)
}

/// 收费明细: what total, compliant cost and fees are then worked out of.
fn charged_lines() -> Value {
    let decimal = || json!({ "type": "string" });
    let classes: Vec<&str> = CLASSES.iter().map(|(name, _)| *name).collect();
    let categories: Vec<&str> = CostCategory::ALL.iter().map(|category| category.name()).collect();
    let fees: Vec<&str> = FeeKind::ALL.iter().map(|fee| fee.name()).collect();
    let line = vec![
        ("code", text(200)),
        ("name", text(200)),
        ("category", one_of(&categories)),
        ("class", one_of(&classes)),
        ("quantity", decimal()),
        ("unit_price", decimal()),
        ("amount", money()),
        ("own_share", string()),
        ("fee", one_of(&fees)),
        ("on", a_day()),
    ];
    list(object(line, &["name", "category", "class", "quantity", "unit_price"]))
}

/// What every settlement says.
fn settled_fields() -> Vec<(&'static str, Value)> {
    let name = object(vec![("zh", string()), ("en", string())], &["zh", "en"]);
    let fund = vec![
        ("fund", string()),
        ("kind", one_of(&["insurance", "assistance", "government", "institution", "other"])),
        ("national", maybe(string())),
        ("name", name),
        ("amount", money()),
    ];
    let layer = vec![
        ("layer", string()),
        ("name", string()),
        ("fund", string()),
        ("outcome", string()),
        ("base", money()),
        ("paid", money()),
        ("remaining", money()),
        ("sentence", maybe(string())),
    ];
    let change = vec![("number", string()), ("own_share_before", maybe(money())), ("own_share", money())];
    let national = vec![
        ("med_type", maybe(string())),
        ("amounts", json!({ "type": "object", "additionalProperties": money() })),
        ("process_text", maybe(string())),
        ("sure", one_of(&["high", "medium", "low"])),
    ];
    vec![
        ("insurance_year", json!({ "type": "integer" })),
        ("setting", string()),
        ("total", money()),
        ("compliant", money()),
        ("out_of_catalogue", money()),
        ("paid_by_funds", money()),
        ("own_share", money()),
        ("already_paid", money()),
        ("funds", list(object(fund, &["fund", "kind", "national", "name", "amount"]))),
        (
            "layers",
            list(object(
                layer,
                &["layer", "name", "fund", "outcome", "base", "paid", "remaining", "sentence"],
            )),
        ),
        ("process_text", json!({ "type": "string", "maxLength": MOST_PROCESS_CHARACTERS })),
        ("national", maybe(object(national, &["med_type", "amounts", "process_text", "sure"]))),
        ("changes", list(object(change, &["number", "own_share_before", "own_share"]))),
    ]
}

fn settled() -> Value {
    let fields = settled_fields();
    let needed: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    object(fields.clone(), &needed)
}

/// What a bill says that is there.
fn bill_fields() -> Vec<(&'static str, Value)> {
    vec![
        ("bill", string()),
        ("number", string()),
        ("state", one_of(&["settled", "gap", "received", "cancelled"])),
        ("person", object(vec![("id", string())], &["id"])),
        ("receipt", maybe(string())),
        ("receipt_hash", maybe(string())),
        ("received_at", string()),
        ("statement", string()),
    ]
}

fn cancelled_fields() -> Vec<(&'static str, Value)> {
    let mut fields = bill_fields();
    fields.push(("changes", json!({ "type": "array" })));
    fields
}

/// A receipt: of a bill that stands all is said, of another only what is known of every bill.
fn receipt() -> Described {
    let mut fields = settled_fields();
    fields.extend(bill_fields());
    let needed: Vec<&str> = bill_fields().iter().map(|(name, _)| *name).chain(["changes"]).collect();
    Described { schema: object(fields, &needed), example: receipt_example() }
}

fn trial_example() -> Value {
    json!({
        "insurance_year": 2026,
        "setting": "inpatient",
        "total": "30000.00",
        "compliant": "28000.00",
        "out_of_catalogue": "2000.00",
        "paid_by_funds": "22688.00",
        "own_share": "7312.00",
        "already_paid": "0.00",
        "funds": [{
            "fund": "basic", "kind": "insurance", "national": "hifp_pay",
            "name": { "zh": "居民医保统筹基金", "en": "the residents' basic insurance fund" }, "amount": "22688.00",
        }],
        "layers": [{
            "layer": "basic", "name": "城乡居民基本医疗保险", "fund": "basic", "outcome": "paid", "base": "28000.00",
            "paid": "22688.00", "remaining": "5312.00", "sentence": null,
        }],
        "process_text": "总费用 30,000.00 元……",
        "national": {
            "med_type": "21",
            "amounts": { "medfee_sumamt": "30000.00", "hifp_pay": "22688.00", "psn_part_amt": "7312.00" },
            "process_text": "setl_proc_info",
            "sure": "low",
        },
        "changes": [],
    })
}

fn of_a_bill(state: &str) -> Value {
    json!({
        "bill": "019cbb2e-0000-7000-8000-000000000001",
        "number": "ZY20260305001",
        "state": state,
        "person": { "id": "019cbb2e-0000-7000-8000-000000000002" },
        "receipt": null,
        "receipt_hash": null,
        "received_at": "2026-03-05 09:00:00",
        "statement": "/bills/019cbb2e-0000-7000-8000-000000000001",
        "changes": [],
    })
}

fn receipt_example() -> Value {
    let mut example = trial_example();
    if let (Value::Object(example), Value::Object(bill)) = (&mut example, of_a_bill("settled")) {
        example.extend(bill);
    }
    example["receipt"] = json!("019cbb2e-0000-7000-8000-000000000003");
    example["receipt_hash"] = json!("5f0c…");
    example
}

fn cancelled_example() -> Value {
    let mut example = of_a_bill("cancelled");
    example["settled_again"] = json!(0);
    example
}

fn fund_amounts() -> Value {
    list(object(vec![("fund", text(40)), ("amount", money())], &["fund", "amount"]))
}

/// A hospital's day as it is sent.
fn day() -> Value {
    let totals =
        vec![("bills", count()), ("total", money()), ("own_share", money()), ("funds", fund_amounts())];
    let bill = vec![
        ("number", text(LONGEST_NUMBER)),
        ("receipt", text(36)),
        ("status", one_of(&DayStatus::SENT)),
        ("total", money()),
        ("own_share", money()),
        ("funds", fund_amounts()),
    ];
    let fields = vec![
        ("day", a_day()),
        ("funds_by", one_of(&FundsBy::NAMES)),
        ("totals", object(totals, &["bills", "total", "own_share"])),
        ("bills", list(object(bill, &["number", "status", "total", "own_share"]))),
    ];
    object(fields, &["day"])
}

fn day_example() -> Value {
    json!({
        "day": "2026-03-05",
        "funds_by": "national",
        "bills": [{
            "number": "ZY20260305001", "status": "settled", "total": "30000.00", "own_share": "7312.00",
            "funds": [{ "fund": "hifp_pay", "amount": "22688.00" }],
        }],
    })
}

/// What is answered to it.
fn reconciled() -> Value {
    let totals = object(
        vec![
            ("bills", count()),
            ("total", money()),
            ("own_share", money()),
            ("funds", maybe(fund_amounts())),
        ],
        &["bills", "total", "own_share", "funds"],
    );
    let side = maybe(object(
        vec![
            ("status", string()),
            ("receipt", maybe(string())),
            ("total", money()),
            ("own_share", money()),
            ("funds", maybe(fund_amounts())),
        ],
        &["status", "receipt", "total", "own_share", "funds"],
    ));
    let difference = object(
        vec![
            ("kind", string()),
            ("payer", maybe(string())),
            ("theirs", maybe(money())),
            ("ours", maybe(money())),
            ("on", maybe(a_day())),
            ("why", maybe(string())),
        ],
        &["kind", "payer", "theirs", "ours", "on", "why"],
    );
    let bill = object(
        vec![
            ("number", string()),
            ("bill", maybe(string())),
            ("theirs", side.clone()),
            ("ours", side),
            ("differences", list(difference)),
        ],
        &["number", "bill", "theirs", "ours", "differences"],
    );
    let fields = vec![
        ("reconciliation", string()),
        ("day", a_day()),
        ("agrees", json!({ "type": "boolean" })),
        ("needs_bills", json!({ "type": "boolean" })),
        ("theirs", totals.clone()),
        ("ours", totals),
        ("compared", count()),
        ("different", count()),
        ("bills", list(bill)),
        ("page", string()),
    ];
    let needed: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    object(fields.clone(), &needed)
}

fn reconciled_example() -> Value {
    let totals = json!({
        "bills": 1, "total": "30000.00", "own_share": "7312.00",
        "funds": [{ "fund": "hifp_pay", "amount": "22688.00" }],
    });
    json!({
        "reconciliation": "019cbb2e-0000-7000-8000-000000000004",
        "day": "2026-03-05",
        "agrees": true,
        "needs_bills": false,
        "theirs": totals,
        "ours": totals,
        "compared": 1,
        "different": 0,
        "bills": [],
        "page": "/reconciliations/019cbb2e-0000-7000-8000-000000000004",
    })
}
