//! What the interface says of itself holds: out of its own description, each field is left out, given another type, made too
//! long, given an unknown value or a neighbour that does not exist. Every such request is refused in the one shape, at its field.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

use axum::http::{HeaderMap, HeaderValue, StatusCode};
use kangmai_acceptance::bad_input::{Stand, stand};
use serde_json::{Map, Value, json};

/// One way to be wrong.
struct Case {
    what: String,
    body: Value,
    /// The field that must be named, where only one can be meant.
    at: Option<String>,
}

/// Puts `value` at a path of keys and numbers; nothing takes it away.
fn with(body: &Value, path: &[String], value: Option<Value>) -> Value {
    let mut body = body.clone();
    let (last, before) = path.split_last().expect("a path");
    let mut here = &mut body;
    for part in before {
        here = match here {
            Value::Array(items) => &mut items[part.parse::<usize>().expect("a number")],
            other => &mut other[part.as_str()],
        };
    }
    match (here, value) {
        (Value::Object(fields), Some(value)) => drop(fields.insert(last.clone(), value)),
        (Value::Object(fields), None) => drop(fields.remove(last)),
        (Value::Array(items), Some(value)) => items[last.parse::<usize>().expect("a number")] = value,
        _ => {}
    }
    body
}

/// A path as an error names it: `bills[0].total`.
fn named(path: &[String]) -> String {
    let mut name = String::new();
    for part in path {
        if part.bytes().all(|byte| byte.is_ascii_digit()) {
            name = format!("{name}[{part}]");
        } else if name.is_empty() {
            name.clone_from(part);
        } else {
            name = format!("{name}.{part}");
        }
    }
    name
}

fn types(schema: &Value) -> Vec<&str> {
    match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// Something of a type that the schema does not have.
fn of_another_type(schema: &Value) -> Value {
    let own = types(schema);
    let others = [("object", json!({ "a": 1 })), ("array", json!([[]])), ("boolean", json!(true))];
    let found = others.into_iter().find(|(kind, _)| !own.contains(kind));
    found.map_or(Value::Null, |(_, value)| value)
}

/// All ways in which what stands at `path` can be wrong.
fn cases(schema: &Value, body: &Value, path: &mut Vec<String>, out: &mut Vec<Case>) {
    let here = path.iter().try_fold(body, |at, part| match at {
        Value::Array(items) => items.get(part.parse::<usize>().ok()?),
        other => other.get(part.as_str()),
    });
    let name = named(path);
    let mut push = |what: &str, value: Option<Value>| {
        let what = format!("{name}: {what}");
        out.push(Case { what, body: with(body, path, value), at: Some(name.clone()) });
    };
    if !path.is_empty() {
        push("of another type", Some(of_another_type(schema)));
        if let Some(most) = schema["maxLength"].as_u64() {
            let long = "a".repeat(usize::try_from(most).expect("a length") + 1);
            push("too long", Some(json!(long)));
        }
        if schema["enum"].is_array() {
            push("none of those", Some(json!("no-such-thing")));
        }
        if schema["format"] == "date" {
            push("no day", Some(json!("2026-02-30")));
        }
        if schema["pattern"].is_string() {
            push("no amount", Some(json!("1.234")));
        }
        if schema["minimum"] == 0 {
            push("below nought", Some(json!(-1)));
        }
    }
    let nothing = Map::new();
    let fields = schema["properties"].as_object().unwrap_or(&nothing);
    if here.is_some_and(Value::is_object) && !fields.is_empty() {
        for required in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            path.push(required.to_owned());
            let what = format!("{} left out", named(path));
            out.push(Case { what, body: with(body, path, None), at: Some(named(path)) });
            path.pop();
        }
        path.push("no_such_field".to_owned());
        let what = format!("{} does not exist", named(path));
        out.push(Case { what, body: with(body, path, Some(json!("x"))), at: Some(named(path)) });
        path.pop();
        for (field, schema) in fields {
            path.push(field.clone());
            cases(schema, body, path, out);
            path.pop();
        }
    }
    if here.and_then(Value::as_array).is_some_and(|items| !items.is_empty()) {
        path.push("0".to_owned());
        cases(&schema["items"], body, path, out);
        path.pop();
    }
}

/// The interfaces that take a body: path, schema, example, whether the request has a name.
fn operations(stand: &Stand) -> Vec<(String, Value, Value, bool)> {
    let document: Value =
        serde_json::from_slice(&stand.ask("GET", "/api/openapi.json", b"").1).expect("JSON");
    let paths = document["paths"].as_object().expect("paths");
    let with_body = paths.iter().filter_map(|(path, methods)| {
        let operation = methods.get("post")?;
        let content = &operation["requestBody"]["content"]["application/json"];
        let keyed = operation["parameters"]
            .as_array()
            .is_some_and(|all| all.iter().any(|parameter| parameter["name"] == "Idempotency-Key"));
        content
            .is_object()
            .then(|| (path.clone(), content["schema"].clone(), content["example"].clone(), keyed))
    });
    with_body.collect()
}

#[test]
fn every_field_is_looked_at_as_it_is_described() {
    let stand = stand();
    let operations = operations(stand);
    assert!(operations.len() >= 5, "{} operations", operations.len());
    let (mut tried, mut complaints) = (0, Vec::new());
    for (path, schema, example, _) in &operations {
        let mut all = Vec::new();
        cases(schema, example, &mut Vec::new(), &mut all);
        assert!(all.len() > 3, "{path} has {} cases", all.len());
        for case in all {
            tried += 1;
            let (status, answer) = stand.ask("POST", path, case.body.to_string().as_bytes());
            let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
            let fields: Vec<&str> = answer["errors"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|one| one["field"].as_str())
                .collect();
            let right = matches!(status.as_u16(), 400 | 422)
                && case.at.as_ref().is_none_or(|at| {
                    // What stands inside of it may be what is told of.
                    fields.iter().any(|field| field == at || field.starts_with(&format!("{at}.")))
                });
            if !right {
                complaints.push(format!("{path}, {}: {status} at {fields:?}: {answer}", case.what));
            }
        }
    }
    assert!(complaints.is_empty(), "{} of {tried}:\n{}", complaints.len(), complaints.join("\n"));
    assert!(tried > 100, "{tried} cases");
}

#[test]
fn what_is_no_request_of_an_interface_is_refused_in_its_shape() {
    let stand = stand();
    for (path, _, example, keyed) in operations(stand) {
        let body = example.to_string();
        for wrong in ["", "{", "[]", "null", "\u{0}", "{\"a\":1}{", "\"\\ud800\""] {
            let status = stand.must_answer("POST", &path, wrong.as_bytes());
            assert!(matches!(status.as_u16(), 400 | 422), "{path} takes {wrong:?}: {status}");
        }
        let deep = format!("{}{}", "{\"a\":".repeat(5_000), "1");
        assert!(stand.must_answer("POST", &path, deep.as_bytes()).is_client_error());
        let broken = [body.as_bytes(), &[0xff, 0xfe]].concat();
        assert_eq!(stand.must_answer("POST", &path, &broken), StatusCode::BAD_REQUEST);
        let large = vec![b' '; kangmai_programme::API_LIMIT_BYTES + 1];
        assert_eq!(stand.must_answer("POST", &path, &large), StatusCode::PAYLOAD_TOO_LARGE);
        for method in ["GET", "PUT", "DELETE", "PATCH"] {
            let status = stand.must_answer(method, &path, body.as_bytes());
            assert!(status.is_client_error(), "{method} {path}: {status}");
        }
        if keyed {
            for name in ["", " ", "a\tb", &"k".repeat(300)] {
                let mut headers = HeaderMap::new();
                headers.insert("idempotency-key", HeaderValue::from_str(name).expect("a value"));
                let (status, _, answer) = stand.ask_named("POST", &path, &headers, body.as_bytes());
                let says = String::from_utf8_lossy(&answer);
                assert_eq!(status, StatusCode::BAD_REQUEST, "{path} named {name:?}: {says}");
            }
        }
    }
}
