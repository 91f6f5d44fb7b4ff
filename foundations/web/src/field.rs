//! The fields of a form: declared once, read and drawn from the same declaration.

/// What a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One line.
    Text,
    /// Several lines.
    Area,
    /// Yuan with at most two decimals.
    Amount,
    /// A whole number.
    Whole,
    /// A day.
    Day,
    /// An identity number of any kind; a wrong checksum is kept once confirmed.
    IdNumber,
    /// A phone number.
    Phone,
    /// One of the choices, in a list.
    Select,
    /// One of the choices, all in sight: for at most seven.
    Radios,
    /// Any of the choices.
    Many,
    /// Yes or no.
    Tick,
    /// A file; the form must be `multipart`.
    File,
    /// A password; never shown again.
    Password,
    /// Not seen.
    Hidden,
}

/// One field. Made in a `const` or `static`: `Field::amount("total", "settlement.bill.total").optional()`.
///
/// `label` is a key of `words.toml`; if there is a key `{label}.hint`, that is the hint under the label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// The name in the form's body.
    pub name: &'static str,
    /// Key of the label.
    pub label: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// Whether it must be filled in.
    pub required: bool,
    /// The longest text, in characters.
    pub at_most: usize,
    /// The least whole number or amount in fen.
    pub least: i64,
    /// The greatest whole number or amount in fen.
    pub most: i64,
    /// Key of the unit behind the field; empty = none.
    pub unit: &'static str,
    /// The browser's `autocomplete` token; empty = `off`.
    pub autocomplete: &'static str,
    /// For a file: what the browser offers, such as `.xlsx,.csv`.
    pub accept: &'static str,
}

/// The longest line.
const LINE: usize = 200;
/// The longest text of several lines.
const AREA: usize = 4_000;

impl Field {
    const fn new(name: &'static str, label: &'static str, kind: Kind, at_most: usize) -> Field {
        Field {
            name,
            label,
            kind,
            required: true,
            at_most,
            least: 0,
            most: i64::MAX,
            unit: "",
            autocomplete: "",
            accept: "",
        }
    }

    /// One line of text, at most 200 characters.
    pub const fn text(name: &'static str, label: &'static str) -> Field {
        Field::new(name, label, Kind::Text, LINE)
    }

    /// Several lines, at most 4,000 characters.
    pub const fn area(name: &'static str, label: &'static str) -> Field {
        Field::new(name, label, Kind::Area, AREA)
    }

    /// An amount in yuan, not negative, at most [`kangmai_base::Fen::LIMIT`].
    pub const fn amount(name: &'static str, label: &'static str) -> Field {
        Field::new(name, label, Kind::Amount, 20).between(0, kangmai_base::Fen::LIMIT.0).unit("web.unit.yuan")
    }

    /// A whole number, not negative.
    pub const fn whole(name: &'static str, label: &'static str) -> Field {
        Field::new(name, label, Kind::Whole, 20)
    }

    /// A day.
    pub const fn day(name: &'static str, label: &'static str) -> Field {
        Field::new(name, label, Kind::Day, 30)
    }

    /// An identity number.
    pub const fn id_number(name: &'static str, label: &'static str) -> Field {
        Field::new(name, label, Kind::IdNumber, 40)
    }

    /// A phone number.
    pub const fn phone(name: &'static str, label: &'static str) -> Field {
        Field::new(name, label, Kind::Phone, 30)
    }

    /// One of the choices of `Form::offer`, in a list.
    pub const fn select(name: &'static str, label: &'static str) -> Field {
        Field::new(name, label, Kind::Select, LINE)
    }

    /// One of the choices of `Form::offer`, all in sight.
    pub const fn radios(name: &'static str, label: &'static str) -> Field {
        Field::new(name, label, Kind::Radios, LINE)
    }

    /// Any of the choices of `Form::offer`.
    pub const fn many(name: &'static str, label: &'static str) -> Field {
        Field::new(name, label, Kind::Many, LINE).optional()
    }

    /// Yes or no.
    pub const fn tick(name: &'static str, label: &'static str) -> Field {
        Field::new(name, label, Kind::Tick, 10).optional()
    }

    /// A file; read it with `Upload`.
    pub const fn file(name: &'static str, label: &'static str) -> Field {
        Field::new(name, label, Kind::File, LINE)
    }

    /// A password.
    pub const fn password(name: &'static str, label: &'static str) -> Field {
        Field::new(name, label, Kind::Password, LINE).autocomplete("current-password")
    }

    /// A value that is carried along.
    pub const fn hidden(name: &'static str) -> Field {
        Field::new(name, name, Kind::Hidden, LINE).optional()
    }

    /// May be left empty.
    #[must_use]
    pub const fn optional(mut self) -> Field {
        self.required = false;
        self
    }

    /// At most `characters` long.
    #[must_use]
    pub const fn at_most(mut self, characters: usize) -> Field {
        self.at_most = characters;
        self
    }

    /// From `least` to `most`, both included (whole numbers, or fen).
    #[must_use]
    pub const fn between(mut self, least: i64, most: i64) -> Field {
        self.least = least;
        self.most = most;
        self
    }

    /// With the unit of this key behind it.
    #[must_use]
    pub const fn unit(mut self, key: &'static str) -> Field {
        self.unit = key;
        self
    }

    /// With the browser's `autocomplete` token.
    #[must_use]
    pub const fn autocomplete(mut self, token: &'static str) -> Field {
        self.autocomplete = token;
        self
    }

    /// For a file: what the browser offers, such as `.xlsx,.csv`.
    #[must_use]
    pub const fn accept(mut self, endings: &'static str) -> Field {
        self.accept = endings;
        self
    }
}

/// A choice of a list, of radios or of ticks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What the form sends.
    pub value: String,
    /// What the reader sees.
    pub text: String,
    /// A line under it; empty = none.
    pub hint: String,
}

impl Choice {
    /// A choice without a hint.
    pub fn new(value: impl Into<String>, text: impl Into<String>) -> Choice {
        Choice { value: value.into(), text: text.into(), hint: String::new() }
    }

    /// With a line under it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Choice {
        self.hint = hint.into();
        self
    }
}
