//! The description of the interface holds: each example is taken, and each real answer fits its schema.

#![expect(clippy::expect_used, clippy::panic, reason = "a test says what it needs")]

use super::office::{Office, given_a_desk, on_both};
use kangmai_base::IdNumber;
use kangmai_people::Person;
use kangmai_programme::{Described, Operation, Route};
use serde_json::{Value, json};

fn operation(id: &str) -> &'static Operation {
    let routes: Vec<Route> = (kangmai_settlement::programme().routes)();
    let found = routes.into_iter().filter_map(|route| route.operation).find(|operation| operation.id == id);
    found.unwrap_or_else(|| panic!("no interface {id}"))
}

fn request(id: &str) -> Described {
    operation(id).request.expect("a body")()
}

/// What of `value` does not fit `schema`: those parts of JSON Schema that the description uses, and no others.
fn misfits(schema: &Value, value: &Value, path: &str) -> Vec<String> {
    let known = [
        "type",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "enum",
        "pattern",
        "format",
        "minLength",
        "maxLength",
        "minimum",
        "description",
    ];
    let mut found: Vec<String> = Vec::new();
    for key in schema.as_object().expect("a schema").keys().filter(|key| !known.contains(&key.as_str())) {
        found.push(format!("{path}: the schema says {key}, which this test does not know"));
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let kinds: Vec<&str> = match &schema["type"] {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => vec![],
    };
    if !kinds.contains(&kind) {
        found.push(format!("{path}: {kind} is not {kinds:?}"));
    }
    match value {
        Value::Object(object) => {
            for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                if !object.contains_key(name) {
                    found.push(format!("{path}.{name} is missing"));
                }
            }
            for (name, value) in object {
                let at = format!("{path}.{name}");
                match (&schema["properties"][name], &schema["additionalProperties"]) {
                    (Value::Null, Value::Bool(false)) => found.push(format!("{at} is not in the schema")),
                    (Value::Null, Value::Object(_)) => {
                        found.extend(misfits(&schema["additionalProperties"], value, &at));
                    }
                    (Value::Null, _) => {}
                    (schema, _) => found.extend(misfits(schema, value, &at)),
                }
            }
        }
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                if schema["items"].is_object() {
                    found.extend(misfits(&schema["items"], item, &format!("{path}[{place}]")));
                }
            }
        }
        Value::String(text) => found.extend(text_misfits(schema, text, path)),
        _ => {}
    }
    found
}

fn text_misfits(schema: &Value, text: &str, path: &str) -> Option<String> {
    let names = schema["enum"].as_array();
    let length = text.chars().count() as u64;
    let is_amount = |text: &str| {
        let digits = text.strip_prefix('-').unwrap_or(text);
        digits.split_once('.').is_some_and(|(yuan, fen)| {
            !yuan.is_empty()
                && fen.len() == 2
                && (yuan.to_owned() + fen).bytes().all(|byte| byte.is_ascii_digit())
        })
    };
    let fits = names.is_none_or(|names| names.iter().any(|name| name == text))
        && schema["minLength"].as_u64().is_none_or(|least| length >= least)
        && schema["maxLength"].as_u64().is_none_or(|most| length <= most)
        && (schema["pattern"].is_null() || is_amount(text))
        && (schema["format"] != "date" || text.parse::<kangmai_base::Day>().is_ok());
    (!fits).then(|| format!("{path}: {text:?} does not fit {schema}"))
}

fn fits(id: &str, answer: &Value) {
    let schema = (operation(id).answer)().schema;
    assert_eq!(misfits(&schema, answer, id), Vec::<String>::new(), "{answer}");
}

/// The person of the examples, in reach of a client.
fn given_the_person_of_the_examples(office: &mut Office) -> (String, Person) {
    let (hospital, mut person) = given_a_desk(office);
    let key = office.given_a_client("411721", hospital);
    let example = request("settle").example;
    let number = example["person"]["id_number"].as_str().expect("a number");
    assert_eq!(
        IdNumber::with_checksum(&number[..17]).map(|right| right.as_str().to_owned()).as_deref(),
        Some(number)
    );
    person.body.id_number = IdNumber::read(number);
    person.body.name = example["person"]["name"].as_str().expect("a name").to_owned();
    office.put_person(&person);
    (key, person)
}

#[test]
fn every_example_is_taken_and_every_answer_fits_its_schema() {
    on_both(|office| {
        let (key, _) = given_the_person_of_the_examples(office);
        let tried = office.sends(&key, None, "pre-settle", &request("pre_settle").example).done();
        fits("pre_settle", &tried);
        // The example says the own share that comes of it.
        let example = request("settle").example;
        assert_eq!(example["expected_own_share"], tried["own_share"]);
        let settled = office.sends(&key, Some("m-1"), "settle", &example).done();
        fits("settle", &settled);
        fits("request", &office.asks(&key, "requests/m-1").done());
        fits("request", &office.asks(&key, "requests/m-0").done());
        fits(
            "receipt",
            &office.asks(&key, &format!("receipts/{}", settled["bill"].as_str().expect("a bill"))).done(),
        );
        let day = office.sends(&key, Some("m-2"), "reconcile", &request("reconcile").example).done();
        fits("reconcile", &day);
        assert_eq!(day["agrees"], true, "{day}");
        // With a difference of every part.
        let mut other = request("reconcile").example;
        other["bills"][0]["own_share"] = json!("1.00");
        other["bills"][0]["number"] = json!("X");
        fits("reconcile", &office.sends(&key, Some("m-3"), "reconcile", &other).done());
        other["bills"][0]["number"] = example["number"].clone();
        fits("reconcile", &office.sends(&key, Some("m-4"), "reconcile", &other).done());
        let corrected = office.sends(&key, Some("m-5"), "correct", &request("correct").example).done();
        fits("correct", &corrected);
        let cancelled = office.sends(&key, Some("m-6"), "cancel", &request("cancel").example).done();
        fits("cancel", &cancelled);
        fits(
            "receipt",
            &office.asks(&key, &format!("receipts/{}", settled["bill"].as_str().expect("a bill"))).done(),
        );
    });
}

#[test]
fn every_example_fits_its_schema() {
    for route in (kangmai_settlement::programme().routes)() {
        let Some(operation) = route.operation else { continue };
        for described in operation.request.map(|request| request()).into_iter().chain([(operation.answer)()])
        {
            let found = misfits(&described.schema, &described.example, operation.id);
            assert_eq!(found, Vec::<String>::new());
        }
    }
}

#[test]
fn every_field_of_a_request_is_one_that_the_handler_asks_for() {
    on_both(|office| {
        let (key, _) = given_the_person_of_the_examples(office);
        // A field with a value that cannot be: the handler refuses it at that very field.
        for (id, path) in [
            ("pre_settle", "pre-settle"),
            ("settle", "settle"),
            ("correct", "correct"),
            ("cancel", "cancel"),
            ("reconcile", "reconcile"),
        ] {
            let described = request(id);
            for name in described.schema["properties"].as_object().expect("fields").keys() {
                let mut body = described.example.clone();
                body[name] = json!({ "no": [] });
                if described.schema["properties"][name]["type"] == "object" {
                    body[name] = json!("no");
                }
                let said = office.sends(&key, Some("m-1"), path, &body);
                let fields: Vec<&str> = said.json["errors"]
                    .as_array()
                    .expect("errors")
                    .iter()
                    .filter(|error| error["code"] != "unknown_field")
                    .filter_map(|error| error["field"].as_str())
                    .collect();
                assert!(fields.contains(&name.as_str()), "{id} does not ask for {name}: {}", said.text);
            }
            let mut body = described.example;
            body["nothing"] = json!(1);
            let said = office.sends(&key, Some("m-1"), path, &body);
            assert_eq!((said.not(), said.json["field"].as_str()), ((422, "unknown_field"), Some("nothing")));
        }
    });
}
