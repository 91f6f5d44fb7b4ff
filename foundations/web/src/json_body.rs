//! The body of a request to an interface, read strictly: every key is asked for, everything that is wrong is told at once,
//! each at its field.

use std::cell::RefCell;
use std::str::FromStr;

use axum::http::StatusCode;
use kangmai_base::{Day, Fen, MoneyError, Refusal};
use serde_json::{Map, Value};

use crate::interface::{ApiFailure, Problem};

/// What is wrong so far.
#[derive(Debug, Default)]
pub struct Problems(RefCell<Vec<Problem>>);

impl Problems {
    /// The most that are told at once.
    pub const MOST: usize = 50;

    /// One more.
    pub fn push(&self, problem: Problem) {
        let mut all = self.0.borrow_mut();
        if all.len() < Problems::MOST {
            all.push(problem);
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// All of them, as an answer.
    pub fn into_failure(self) -> ApiFailure {
        ApiFailure::all(self.0.into_inner())
    }
}

/// Reads a body as one JSON object.
///
/// # Errors
/// 400 when it is none.
pub fn read_json(bytes: &[u8]) -> Result<Value, ApiFailure> {
    let malformed = |refusal: Refusal| ApiFailure::new(StatusCode::BAD_REQUEST, Problem::new(refusal));
    match serde_json::from_slice::<Value>(bytes) {
        Ok(value) if value.is_object() => Ok(value),
        Ok(_) => Err(malformed(Refusal::new("web.api.not_an_object"))),
        Err(error) => Err(malformed(
            Refusal::new("web.api.not_json")
                .with("line", error.line().to_string())
                .with("column", error.column().to_string()),
        )),
    }
}

/// The fields of one object of a body.
pub struct JsonFields<'v> {
    object: &'v Map<String, Value>,
    /// Where it stands in the body; empty for the body itself.
    path: String,
    problems: &'v Problems,
    asked: RefCell<Vec<&'static str>>,
}

/// Whether a character does something else than stand there: a control character, or one that turns the direction of writing.
fn is_unseen(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

impl<'v> JsonFields<'v> {
    /// The body itself; one that is no object has no fields.
    pub fn of(body: &'v Value, problems: &'v Problems) -> JsonFields<'v> {
        static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
        let object = body.as_object().unwrap_or(&NONE);
        JsonFields { object, path: String::new(), problems, asked: RefCell::default() }
    }

    /// The name of a field in full.
    pub fn name(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Something is wrong with a field.
    pub fn refuse(&self, key: &str, refusal: Refusal) {
        self.problems.push(Problem::new(refusal).at(self.name(key)));
    }

    /// Whether there is such a field, and it is not null.
    pub fn has(&self, key: &str) -> bool {
        self.object.get(key).is_some_and(|value| !value.is_null())
    }

    fn value(&self, key: &'static str) -> Option<&'v Value> {
        self.asked.borrow_mut().push(key);
        self.object.get(key).filter(|value| !value.is_null())
    }

    fn needed<T>(&self, key: &'static str, read: Option<T>) -> Option<T> {
        if !self.has(key) {
            self.refuse(key, Refusal::new("web.api.missing"));
        }
        read
    }

    /// Text of at most `most` characters, without spaces at its ends; not empty.
    pub fn text(&self, key: &'static str, most: usize) -> Option<String> {
        let read = self.text_maybe(key, most);
        self.needed(key, read)
    }

    /// The same, if it is there.
    pub fn text_maybe(&self, key: &'static str, most: usize) -> Option<String> {
        let value = self.value(key)?;
        let Some(text) = value.as_str().map(str::trim) else {
            self.refuse(key, Refusal::new("web.api.not_text"));
            return None;
        };
        if text.is_empty() {
            self.refuse(key, Refusal::new("web.api.missing"));
            None
        } else if text.chars().count() > most {
            self.refuse(key, Refusal::new("web.form.too_long").with("most", most.to_string()));
            None
        } else if text.chars().any(is_unseen) {
            self.refuse(key, Refusal::new("web.api.unseen"));
            None
        } else {
            Some(text.to_owned())
        }
    }

    /// A text that something reads itself from.
    pub fn parsed<T: FromStr>(&self, key: &'static str, most: usize, wrong: &'static str) -> Option<T> {
        let text = self.text_maybe(key, most)?;
        let read = text.parse().ok();
        if read.is_none() {
            self.refuse(key, Refusal::new(wrong));
        }
        read
    }

    /// An amount in yuan as text with two decimals; a JSON number is refused: it may have been a float on its way.
    pub fn amount(&self, key: &'static str) -> Option<Fen> {
        let read = self.amount_maybe(key);
        self.needed(key, read)
    }

    /// The same, if it is there.
    pub fn amount_maybe(&self, key: &'static str) -> Option<Fen> {
        let value = self.value(key)?;
        let exact = value.as_str().filter(|text| {
            let digits = text.strip_prefix('-').unwrap_or(text);
            let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            let parts = digits.split_once('.');
            parts.is_some_and(|(yuan, fen)| is_number(yuan) && is_number(fen) && fen.len() == 2)
        });
        match exact.map(str::parse::<Fen>) {
            Some(Ok(amount)) => Some(amount),
            Some(Err(MoneyError::TooLarge(_))) => {
                let (least, most) = ((-Fen::LIMIT).grouped(), Fen::LIMIT.grouped());
                self.refuse(key, Refusal::new("web.form.between").with("least", least).with("most", most));
                None
            }
            _ => {
                self.refuse(key, Refusal::new("web.api.not_an_amount"));
                None
            }
        }
    }

    /// A whole number of at least zero.
    pub fn count(&self, key: &'static str) -> Option<i64> {
        let read = self.value(key).map(|value| value.as_i64().filter(|number| *number >= 0));
        if read == Some(None) {
            self.refuse(key, Refusal::new("web.api.not_a_count"));
        }
        self.needed(key, read.flatten())
    }

    /// A day as `2026-03-05`.
    pub fn day(&self, key: &'static str) -> Option<Day> {
        let text = self.value(key).map(|value| value.as_str().unwrap_or_default());
        let day = text.and_then(|text| text.parse::<Day>().ok().filter(|day| day.to_string() == text));
        if text.is_some() && day.is_none() {
            self.refuse(key, Refusal::new("web.api.not_a_day"));
        }
        self.needed(key, day)
    }

    /// An object within this one.
    pub fn object(&self, key: &'static str) -> Option<JsonFields<'v>> {
        let read = self.object_maybe(key);
        self.needed(key, read)
    }

    /// The same, if it is there.
    pub fn object_maybe(&self, key: &'static str) -> Option<JsonFields<'v>> {
        let value = self.value(key)?;
        let Some(object) = value.as_object() else {
            self.refuse(key, Refusal::new("web.api.not_an_object_here"));
            return None;
        };
        Some(JsonFields { object, path: self.name(key), problems: self.problems, asked: RefCell::default() })
    }

    /// A list of objects, of at most `most`; none where there is no such field.
    pub fn list(&self, key: &'static str, most: usize) -> Option<Vec<JsonFields<'v>>> {
        let value = self.value(key)?;
        let Some(items) = value.as_array() else {
            self.refuse(key, Refusal::new("web.api.not_a_list"));
            return None;
        };
        if items.len() > most {
            self.refuse(key, Refusal::new("web.api.too_many_items").with("most", most.to_string()));
            return None;
        }
        let mut list = Vec::with_capacity(items.len());
        for (place, item) in items.iter().enumerate() {
            let path = format!("{}[{place}]", self.name(key));
            match item.as_object() {
                Some(object) => {
                    list.push(JsonFields { object, path, problems: self.problems, asked: RefCell::default() })
                }
                None => {
                    self.problems.push(Problem::new(Refusal::new("web.api.not_an_object_here")).at(path));
                }
            }
        }
        Some(list)
    }

    /// Every field that nobody asked for is one too many: a name typed wrongly must not be passed over.
    pub fn finish(self) {
        let asked = self.asked.borrow();
        for key in self.object.keys().filter(|key| !asked.contains(&key.as_str())) {
            self.refuse(key, Refusal::new("web.api.unknown_field"));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wrong(body: &Value, read: impl Fn(&JsonFields<'_>)) -> Vec<(String, &'static str)> {
        let problems = Problems::default();
        let fields = JsonFields::of(body, &problems);
        read(&fields);
        fields.finish();
        let found = problems.0.into_inner();
        found.into_iter().map(|one| (one.field.unwrap_or_default(), one.refusal.key)).collect()
    }

    #[test]
    fn amounts_are_text_with_two_decimals() {
        for (value, expected) in [
            (json!("0.00"), Some(0)),
            (json!("-1.05"), Some(-105)),
            (json!("1234.56"), Some(123_456)),
            (json!("1234.5"), None),
            (json!("1234"), None),
            (json!("1,234.56"), None),
            (json!("1234.567"), None),
            (json!(1234.56), None),
            (json!(12), None),
            (json!(""), None),
            (json!(".."), None),
            (json!("12.3 "), None),
            (json!("999999999999999.00"), None),
        ] {
            let body = json!({ "total": value });
            let problems = Problems::default();
            let read = JsonFields::of(&body, &problems).amount("total");
            assert_eq!(read.map(|amount| amount.0), expected, "{value}");
            assert_eq!(problems.is_empty(), expected.is_some(), "{value}");
        }
    }

    #[test]
    fn everything_wrong_is_told_at_once_at_its_field() {
        let body = json!({
            "number": 7, "day": "2026-3-5", "count": -1, "odd": 1, "name": "  ", "long": "12345",
            "person": { "id": true, "odd": null }, "bills": [1, { "total": "x" }],
        });
        let found = wrong(&body, |fields| {
            fields.text("number", 9);
            fields.day("day");
            fields.count("count");
            fields.text("name", 9);
            fields.text("long", 4);
            fields.text("gone", 4);
            let person = fields.object("person").expect("an object");
            person.text("id", 9);
            person.finish();
            for bill in fields.list("bills", 2).expect("a list") {
                bill.amount("total");
                bill.finish();
            }
        });
        let expected = [
            ("number", "web.api.not_text"),
            ("day", "web.api.not_a_day"),
            ("count", "web.api.not_a_count"),
            ("name", "web.api.missing"),
            ("long", "web.form.too_long"),
            ("gone", "web.api.missing"),
            ("person.id", "web.api.not_text"),
            ("person.odd", "web.api.unknown_field"),
            ("bills[0]", "web.api.not_an_object_here"),
            ("bills[1].total", "web.api.not_an_amount"),
            ("odd", "web.api.unknown_field"),
        ];
        assert_eq!(found, expected.map(|(field, key)| (field.to_owned(), key)));
    }

    #[test]
    fn a_list_has_a_limit_and_must_be_one() {
        let body = json!({ "a": [{}, {}, {}], "b": {} });
        let found = wrong(&body, |fields| {
            assert!(fields.list("a", 2).is_none());
            assert!(fields.list("b", 2).is_none());
            assert!(fields.list("c", 2).is_none());
        });
        assert_eq!(
            found,
            [("a".to_owned(), "web.api.too_many_items"), ("b".to_owned(), "web.api.not_a_list"),]
        );
    }

    #[test]
    fn a_body_is_one_object() {
        assert!(read_json(b"{}").is_ok());
        for body in [&b""[..], b"[]", b"{", b"\xff", b"null", b"{\"a\":1}x"] {
            assert!(read_json(body).is_err(), "{body:?}");
        }
        let deep = "[".repeat(10_000);
        assert!(read_json(deep.as_bytes()).is_err());
    }
}
