//! A form as typed: read into types field by field, every refusal kept at its field, nothing typed is lost.

use std::str::FromStr;

use kangmai_base::{Day, DivisionCode, Fen, Id, IdNumber, IdNumberKind, MoneyError, Phone, Refusal};

use crate::field::{Choice, Field, Kind};
use crate::words::grouped;

/// A form: its fields, what was typed, what is wrong with it.
///
/// Every typed reader answers `None` both for an empty optional field and for a refused one; ask
/// [`Form::is_refused`] before using optional values.
#[derive(Debug, Clone)]
pub struct Form {
    fields: &'static [Field],
    values: Vec<(String, String)>,
    choices: Vec<(&'static str, Vec<Choice>)>,
    errors: Vec<Refusal>,
}

/// The field that confirms a wrong identity number: `{name}.official`.
const OFFICIAL: &str = ".official";

impl Form {
    /// An empty form.
    pub fn blank(fields: &'static [Field]) -> Form {
        Form::typed(fields, Vec::new())
    }

    /// A form with what was typed (name, value), in the order of the body.
    pub fn typed(fields: &'static [Field], values: Vec<(String, String)>) -> Form {
        Form { fields, values, choices: Vec::new(), errors: Vec::new() }
    }

    /// Puts `value` into the field, as if it had been typed; for editing what is there already.
    pub fn fill(&mut self, name: &str, value: impl ToString) {
        self.values.retain(|(candidate, _)| candidate != name);
        self.values.push((name.to_owned(), value.to_string()));
    }

    /// Sets the choices of a select, radios or many.
    pub fn offer(&mut self, name: &'static str, choices: Vec<Choice>) {
        self.choices.retain(|(candidate, _)| *candidate != name);
        self.choices.push((name, choices));
    }

    /// Notes that a rule refuses the form; shown at `refusal.field`, or on top if it has none.
    pub fn refuse(&mut self, refusal: Refusal) {
        self.errors.push(refusal);
    }

    /// Whether anything is wrong.
    pub const fn is_refused(&self) -> bool {
        !self.errors.is_empty()
    }

    /// What is wrong, in the order found.
    pub fn errors(&self) -> &[Refusal] {
        &self.errors
    }

    /// The first thing wrong at `name`.
    pub fn error_at(&self, name: &str) -> Option<&Refusal> {
        self.errors.iter().find(|refusal| refusal.field == Some(name))
    }

    /// The fields, in order.
    pub const fn fields(&self) -> &'static [Field] {
        self.fields
    }

    /// The declaration of `name`.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The choices of `name`.
    pub fn choices(&self, name: &str) -> &[Choice] {
        self.choices.iter().find(|(candidate, _)| *candidate == name).map_or(&[], |(_, choices)| choices)
    }

    /// What was typed, untrimmed; empty if nothing.
    pub fn raw(&self, name: &str) -> &str {
        self.values.iter().find(|(candidate, _)| candidate == name).map_or("", |(_, value)| value)
    }

    /// Everything typed under `name`, for ticks of which several may be set.
    pub(crate) fn raw_all(&self, name: &str) -> Vec<&str> {
        self.values
            .iter()
            .filter(|(candidate, _)| candidate == name)
            .map(|(_, value)| value.as_str())
            .collect()
    }

    /// Whether the form was sent with the button or tick `name` = `value`.
    pub fn chose(&self, name: &str, value: &str) -> bool {
        self.values.iter().any(|(candidate, typed)| candidate == name && typed == value)
    }

    /// Text without spaces at its ends.
    pub fn text(&mut self, name: &'static str) -> Option<String> {
        self.present(name)
    }

    /// An amount within the field's bounds.
    pub fn amount(&mut self, name: &'static str) -> Option<Fen> {
        let text = self.present(name)?;
        let (least, most) = self.bounds(name);
        match text.parse::<Fen>() {
            Ok(amount) if (least..=most).contains(&amount.0) => Some(amount),
            Ok(_) | Err(MoneyError::TooLarge(_)) => {
                let (least, most) = (Fen(least).grouped(), Fen(most).grouped());
                self.wrong(name, Refusal::new("web.form.between").with("least", least).with("most", most))
            }
            Err(_) => self.wrong(name, Refusal::new("web.form.not_an_amount")),
        }
    }

    /// A whole number within the field's bounds.
    pub fn whole(&mut self, name: &'static str) -> Option<i64> {
        let text = self.present(name)?;
        let (least, most) = self.bounds(name);
        match text.replace(',', "").parse::<i64>() {
            Ok(number) if (least..=most).contains(&number) => Some(number),
            Ok(_) => {
                let refusal = if most == i64::MAX {
                    Refusal::new("web.form.at_least").with("least", grouped(least))
                } else {
                    Refusal::new("web.form.between").with("least", grouped(least)).with("most", grouped(most))
                };
                self.wrong(name, refusal)
            }
            Err(_) => self.wrong(name, Refusal::new("web.form.not_a_number")),
        }
    }

    /// A day, in any form that registers hold.
    pub fn day(&mut self, name: &'static str) -> Option<Day> {
        let text = self.present(name)?;
        match text.parse::<Day>() {
            Ok(day) => Some(day),
            Err(_) => self.wrong(name, Refusal::new("web.form.not_a_day")),
        }
    }

    /// An identity number. A citizen's number with a wrong checksum or birth date is refused once with the right
    /// character as suggestion; the page then offers a tick that it is so on the card, and takes it
    /// ([`IdNumberKind::WrongButOfficial`]).
    pub fn id_number(&mut self, name: &'static str) -> Option<IdNumber> {
        let text = self.present(name)?;
        let Some(number) = IdNumber::read(&text) else {
            return self.wrong(name, Refusal::new("web.form.not_an_id_number"));
        };
        let official = format!("{name}{OFFICIAL}");
        if number.kind() != IdNumberKind::WrongButOfficial || self.chose(&official, "1") {
            return Some(number);
        }
        let expected =
            number.expected_check_character().filter(|expected| !number.as_str().ends_with(*expected));
        self.wrong(
            name,
            match expected {
                Some(expected) => Refusal::new("web.form.id_checksum").with("expected", expected.to_string()),
                None => Refusal::new("web.form.id_birth"),
            },
        )
    }

    /// A phone number.
    pub fn phone(&mut self, name: &'static str) -> Option<Phone> {
        let text = self.present(name)?;
        Phone::read(&text).or_else(|| self.wrong(name, Refusal::new("web.form.not_a_phone")))
    }

    /// A division code of 2, 4, 6, 9 or 12 digits.
    pub fn division(&mut self, name: &'static str) -> Option<DivisionCode> {
        self.parsed(name)
    }

    /// An identifier.
    pub fn id<T>(&mut self, name: &'static str) -> Option<Id<T>> {
        self.parsed(name)
    }

    /// Anything that reads itself from text; refused as "not one of the choices".
    pub fn parsed<T: FromStr>(&mut self, name: &'static str) -> Option<T> {
        let text = self.present(name)?;
        match text.parse() {
            Ok(value) => Some(value),
            Err(_) => self.wrong(name, Refusal::new("web.form.not_a_choice")),
        }
    }

    /// One of the choices offered.
    pub fn choice(&mut self, name: &'static str) -> Option<String> {
        let text = self.present(name)?;
        if self.choices(name).iter().any(|choice| choice.value == text) {
            Some(text)
        } else {
            self.wrong(name, Refusal::new("web.form.not_a_choice"))
        }
    }

    /// Those of the choices offered that were ticked.
    pub fn many(&mut self, name: &'static str) -> Vec<String> {
        let typed: Vec<String> = self
            .values
            .iter()
            .filter(|(candidate, _)| candidate == name)
            .map(|(_, value)| value.clone())
            .collect();
        if typed.iter().any(|value| !self.choices(name).iter().any(|choice| choice.value == *value)) {
            self.refuse(Refusal::new("web.form.not_a_choice").at(name));
        } else if typed.is_empty() && self.field(name).is_some_and(|field| field.required) {
            self.refuse(Refusal::new("web.form.choose").at(name));
        }
        typed
    }

    /// Whether it was ticked.
    pub fn tick(&self, name: &str) -> bool {
        self.chose(name, "1")
    }

    /// Whether the page offers the tick "it is so on the card".
    pub(crate) fn offers_official(&self, name: &str) -> bool {
        let refused = self
            .error_at(name)
            .is_some_and(|refusal| matches!(refusal.key, "web.form.id_checksum" | "web.form.id_birth"));
        refused || self.chose(&format!("{name}{OFFICIAL}"), "1")
    }

    fn bounds(&self, name: &str) -> (i64, i64) {
        self.field(name).map_or((0, i64::MAX), |field| (field.least, field.most))
    }

    fn present(&mut self, name: &'static str) -> Option<String> {
        let field = self.field(name);
        debug_assert!(field.is_some(), "the form declares no field {name}");
        let text = self.raw(name);
        let text = if field.is_some_and(|field| field.kind == Kind::Password) { text } else { text.trim() };
        if text.is_empty() {
            if field.is_none_or(|field| field.required) {
                let choosing = field.is_some_and(|field| matches!(field.kind, Kind::Select | Kind::Radios));
                let key = if choosing { "web.form.choose" } else { "web.form.missing" };
                return self.wrong(name, Refusal::new(key));
            }
            return None;
        }
        let most = field.map_or(usize::MAX, |field| field.at_most);
        let text = text.to_owned();
        if text.chars().count() > most {
            return self.wrong(name, Refusal::new("web.form.too_long").with("most", most.to_string()));
        }
        Some(text)
    }

    fn wrong<T>(&mut self, name: &'static str, refusal: Refusal) -> Option<T> {
        self.refuse(refusal.at(name));
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: &[Field] = &[
        Field::text("name", "x.name").at_most(4),
        Field::amount("amount", "x.amount"),
        Field::whole("age", "x.age").between(0, 150).optional(),
        Field::day("on", "x.on"),
        Field::id_number("id", "x.id"),
        Field::phone("phone", "x.phone").optional(),
        Field::select("plan", "x.plan"),
        Field::many("labels", "x.labels"),
        Field::tick("sure", "x.sure"),
    ];

    fn form(values: &[(&str, &str)]) -> Form {
        let mut form = Form::typed(
            FIELDS,
            values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        );
        form.offer("plan", vec![Choice::new("a", "A"), Choice::new("b", "B")]);
        form.offer("labels", vec![Choice::new("x", "X"), Choice::new("y", "Y")]);
        form
    }

    #[test]
    fn reads_what_is_right() {
        let mut form = form(&[
            ("name", " 王秀英 "),
            ("amount", "1,234.5"),
            ("age", ""),
            ("on", "2026年3月5日"),
            ("id", "11010519491231002x"),
            ("plan", "b"),
            ("labels", "x"),
            ("labels", "y"),
            ("sure", "1"),
        ]);
        assert_eq!(form.text("name").as_deref(), Some("王秀英"));
        assert_eq!(form.amount("amount"), Some(Fen(123_450)));
        assert_eq!(form.whole("age"), None);
        assert_eq!(form.day("on").map(|day| day.to_string()).as_deref(), Some("2026-03-05"));
        assert_eq!(form.id_number("id").map(|id| id.kind()), Some(IdNumberKind::Valid));
        assert_eq!(form.phone("phone"), None);
        assert_eq!(form.choice("plan").as_deref(), Some("b"));
        assert_eq!(form.many("labels"), ["x", "y"]);
        assert!(form.tick("sure"));
        assert!(!form.is_refused(), "{:?}", form.errors());
        assert_eq!(form.raw("name"), " 王秀英 ");
    }

    #[test]
    fn says_what_is_wrong_at_each_field() {
        let check = |name: &'static str, value: &str, read: fn(&mut Form, &'static str), expected: &str| {
            let mut form = form(&[(name, value)]);
            read(&mut form, name);
            let found = form.error_at(name).map_or("", |refusal| refusal.key);
            assert_eq!(found, expected, "{name}={value}");
            assert_eq!(form.raw(name), value);
        };
        check("name", "", |form, name| _ = form.text(name), "web.form.missing");
        check("name", "一二三四五", |form, name| _ = form.text(name), "web.form.too_long");
        check("amount", "12.345", |form, name| _ = form.amount(name), "web.form.not_an_amount");
        check("amount", "-1", |form, name| _ = form.amount(name), "web.form.between");
        check("amount", "99999999999999", |form, name| _ = form.amount(name), "web.form.between");
        check("age", "151", |form, name| _ = form.whole(name), "web.form.between");
        check("age", "六", |form, name| _ = form.whole(name), "web.form.not_a_number");
        check("age", "1,50", |form, name| _ = form.whole(name), "");
        check("on", "2023-02-29", |form, name| _ = form.day(name), "web.form.not_a_day");
        check("id", "1101051949123100?", |form, name| _ = form.id_number(name), "web.form.not_an_id_number");
        check("id", "110105194912310021", |form, name| _ = form.id_number(name), "web.form.id_checksum");
        check("id", "11010519491331002X", |form, name| _ = form.id_number(name), "web.form.id_checksum");
        check("phone", "12317", |form, name| _ = form.phone(name), "web.form.not_a_phone");
        check("plan", "", |form, name| _ = form.choice(name), "web.form.choose");
        check("plan", "c", |form, name| _ = form.choice(name), "web.form.not_a_choice");
        check("labels", "z", |form, name| _ = form.many(name), "web.form.not_a_choice");
    }

    #[test]
    fn a_wrong_number_on_the_card_is_kept_once_confirmed() {
        let mut first = form(&[("id", "110105194912310021")]);
        assert_eq!(first.id_number("id"), None);
        assert!(first.offers_official("id"));
        let mut again = form(&[("id", "110105194912310021"), ("id.official", "1")]);
        assert_eq!(again.id_number("id").map(|id| id.kind()), Some(IdNumberKind::WrongButOfficial));
        assert!(!again.is_refused());
    }
}
