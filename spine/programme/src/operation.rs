//! How an interface describes itself: OpenAPI 3.1, put together out of the routes.
//!
//! Written by hand as JSON values and not by a derive: the handlers read a body field by field, so that all that is wrong is
//! told at once, and have no type that a derive could look at. Tests send each example to its handler and hold each answer
//! against its schema, so neither can drift.

use kangmai_web::{Language, Words};
use serde_json::{Map, Value, json};

use crate::Route;

/// What an interface does, takes and answers.
#[derive(Debug)]
pub struct Operation {
    /// Its name: `settle`.
    pub id: &'static str,
    /// Key of what it is called; the same with `.about` says more.
    pub word: &'static str,
    /// What the key of a field's meaning begins with; its name follows.
    pub field_words: &'static str,
    /// Whether the sender names the request by `Idempotency-Key`.
    pub keyed: bool,
    /// The schema of the body with an example; none: it has no body.
    pub request: Option<fn() -> Described>,
    /// The schema of the answer with an example.
    pub answer: fn() -> Described,
    /// The statuses of what can go wrong, besides those of every interface.
    pub errors: &'static [u16],
}

/// A schema and an example of it.
#[derive(Debug)]
pub struct Described {
    /// JSON Schema.
    pub schema: Value,
    /// Something that fits it.
    pub example: Value,
}

/// What can go wrong with every interface.
const ERRORS_OF_ALL: [u16; 8] = [401, 403, 404, 408, 429, 500, 503, 504];

/// The description of all interfaces among `routes`.
pub fn openapi(routes: &[Route], words: &Words, language: Language) -> Value {
    let mut paths = Map::new();
    for route in routes {
        let Some(operation) = route.operation else { continue };
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.as_str().to_ascii_lowercase()] = describe(route, operation, words, language);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": words.word(language, "web.api.title"),
            "description": words.word(language, "web.api.about"),
            "version": env!("CARGO_PKG_VERSION"),
        },
        "security": [{ "key": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": { "key": { "type": "http", "scheme": "bearer" } },
            "schemas": { "Error": error_schema() },
        },
    })
}

fn describe(route: &Route, operation: &Operation, words: &Words, language: Language) -> Value {
    let (begin, key) = (operation.field_words, operation.word);
    let content = |described: Described| {
        let mut schema = described.schema;
        explain(&mut schema, begin, words, language);
        json!({ "application/json": { "schema": schema, "example": described.example } })
    };
    let mut responses = Map::new();
    let answer =
        json!({ "description": words.word(language, key), "content": content((operation.answer)()) });
    responses.insert("200".to_owned(), answer);
    for status in operation.errors.iter().chain(&ERRORS_OF_ALL) {
        let about = words.word(language, &format!("web.api.status.{status}"));
        let schema = json!({ "$ref": "#/components/schemas/Error" });
        let error = json!({ "description": about, "content": { "application/json": { "schema": schema } } });
        responses.insert(status.to_string(), error);
    }
    let mut described = json!({
        "operationId": operation.id,
        "summary": words.word(language, key),
        "description": words.word(language, &format!("{key}.about")),
        "parameters": parameters(route, operation, words, language),
        "responses": responses,
    });
    if let Some(request) = operation.request {
        described["requestBody"] = json!({ "required": true, "content": content(request()) });
    }
    described
}

fn parameters(route: &Route, operation: &Operation, words: &Words, language: Language) -> Vec<Value> {
    let names = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let in_path = |name: &str| {
        let about = words.word(language, &format!("{}{name}", operation.field_words));
        json!({ "name": name, "in": "path", "required": true, "description": about, "schema": { "type": "string" } })
    };
    let mut parameters: Vec<Value> = names.map(in_path).collect();
    if operation.keyed {
        let about = words.word(language, "web.api.key");
        parameters.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": true, "description": about,
            "schema": { "type": "string" },
        }));
    }
    parameters
}

/// Says of every field of a schema what it means: `{begin}{name}`, where there is such a word.
fn explain(schema: &mut Value, begin: &str, words: &Words, language: Language) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::Object(fields)) = object.get_mut("properties") {
                for (name, field) in fields.iter_mut() {
                    let key = format!("{begin}{name}");
                    if words.has(&key) && field.get("description").is_none() {
                        field["description"] = json!(words.word(language, &key));
                    }
                }
            }
            object.values_mut().for_each(|value| explain(value, begin, words, language));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| explain(item, begin, words, language)),
        _ => {}
    }
}

/// The one shape of everything that goes wrong.
fn error_schema() -> Value {
    let one = json!({
        "code": { "type": "string" },
        "message": { "type": "string" },
        "field": { "type": ["string", "null"] },
        "mend": { "type": "string" },
    });
    let needed = ["code", "message", "field", "mend"];
    let mut all = one.clone();
    all["request_id"] = json!({ "type": "string" });
    all["errors"] = json!({
        "type": "array",
        "items": { "type": "object", "properties": one, "required": needed },
    });
    json!({
        "type": "object",
        "properties": all,
        "required": ["code", "message", "field", "mend", "request_id", "errors"],
    })
}
