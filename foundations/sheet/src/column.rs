//! What an import takes.

/// How a cell of a column is written by us and is best kept in Excel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Plain text.
    Text,
    /// Digits that are no quantity (ID number, division code, telephone): text to Excel, or the tail is lost.
    Code,
    /// Yuan with two decimals.
    Amount,
    /// `2026-03-05`.
    Day,
    /// A whole number.
    Whole,
}

/// One column of an import. Built as a constant: `Column::new("name", "姓名", "Name").required().example("示例")`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Name in code and in machine-made files.
    pub key: &'static str,
    /// Title in Chinese; what a template shows.
    pub title_zh: &'static str,
    /// Title in English.
    pub title_en: &'static str,
    /// Other titles it goes by.
    pub aliases: &'static [&'static str],
    /// Whether the head must have it and its cells must be filled.
    pub required: bool,
    /// How its cells are written.
    pub format: Format,
    /// The words it takes, if it takes only certain words.
    pub choices: &'static [&'static str],
    /// One cell, filled in the right way.
    pub example: &'static str,
    /// What to know when filling it in, in Chinese.
    pub hint_zh: &'static str,
    /// The same in English.
    pub hint_en: &'static str,
    /// Whether its cells tell who somebody is: shown masked.
    pub personal: bool,
}

impl Column {
    /// A column that may be left out, of plain text.
    pub const fn new(key: &'static str, title_zh: &'static str, title_en: &'static str) -> Column {
        Column {
            key,
            title_zh,
            title_en,
            aliases: &[],
            required: false,
            format: Format::Text,
            choices: &[],
            example: "",
            hint_zh: "",
            hint_en: "",
            personal: false,
        }
    }

    /// Goes by these titles too.
    #[must_use]
    pub const fn aliases(mut self, aliases: &'static [&'static str]) -> Column {
        self.aliases = aliases;
        self
    }

    /// Must be there and filled.
    #[must_use]
    pub const fn required(mut self) -> Column {
        self.required = true;
        self
    }

    /// Is written so.
    #[must_use]
    pub const fn format(mut self, format: Format) -> Column {
        self.format = format;
        self
    }

    /// Takes these words.
    #[must_use]
    pub const fn choices(mut self, choices: &'static [&'static str]) -> Column {
        self.choices = choices;
        self
    }

    /// A cell filled in the right way.
    #[must_use]
    pub const fn example(mut self, example: &'static str) -> Column {
        self.example = example;
        self
    }

    /// What to know when filling it in.
    #[must_use]
    pub const fn hint(mut self, zh: &'static str, en: &'static str) -> Column {
        self.hint_zh = zh;
        self.hint_en = en;
        self
    }

    /// Is shown masked.
    #[must_use]
    pub const fn personal(mut self) -> Column {
        self.personal = true;
        self
    }

    /// All titles it goes by: Chinese, English, key, aliases.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        [self.title_zh, self.title_en, self.key].into_iter().chain(self.aliases.iter().copied())
    }
}

/// The columns of one import.
#[derive(Debug, Clone, Copy)]
pub struct Schema {
    /// Its name, such as `people.register`.
    pub key: &'static str,
    /// What the file is called, in Chinese.
    pub title_zh: &'static str,
    /// What the file is called, in English.
    pub title_en: &'static str,
    /// Its columns in the order of the template.
    pub columns: &'static [Column],
}

impl Schema {
    /// The column `key`.
    pub fn column(&self, key: &str) -> Option<&'static Column> {
        self.columns.iter().find(|column| column.key == key)
    }
}
