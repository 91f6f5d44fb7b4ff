//! Reads a TOML table strictly: every key is asked for by name, whatever is left over is an error that knows what
//! was meant. All errors of a file are collected, so that one run shows them all.

use std::cell::RefCell;
use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;

use kangmai_base::{Day, DivisionCode, Fen, Rate, Sex};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::Bilingual;
use crate::follow_up::Measure;
use crate::source::{PackError, PackFile, Spot};
use crate::words::Word;

/// Where errors are collected.
pub(crate) type Errors = RefCell<Vec<PackError>>;

/// One table of a file.
pub(crate) struct Fields<'a> {
    file: &'a Arc<PackFile>,
    errors: &'a Errors,
    table: &'a DeTable<'a>,
    span: Range<usize>,
    asked: RefCell<Vec<&'static str>>,
    /// Keys that must be there and are not; told at the end, unless one of them is only misspelt.
    missing: RefCell<Vec<&'static str>>,
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) spot: Spot,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(
        file: &'a Arc<PackFile>,
        errors: &'a Errors,
        table: &'a DeTable<'a>,
        span: Range<usize>,
    ) -> Fields<'a> {
        Fields { file, errors, table, span, asked: RefCell::default(), missing: RefCell::default() }
    }

    /// The place of the table's head.
    pub(crate) fn spot(&self) -> Spot {
        Spot { file: Arc::clone(self.file), span: self.span.clone() }
    }

    fn spot_at(&self, span: Range<usize>) -> Spot {
        Spot { file: Arc::clone(self.file), span }
    }

    pub(crate) fn push(&self, error: PackError) {
        self.errors.borrow_mut().push(error);
    }

    pub(crate) fn has(&self, key: &'static str) -> bool {
        self.value(key).is_some()
    }

    fn value(&self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        if !self.asked.borrow().contains(&key) {
            self.asked.borrow_mut().push(key);
        }
        self.table.get(key)
    }

    fn needed(&self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        let value = self.value(key);
        if value.is_none() {
            self.miss(key);
        }
        value
    }

    fn miss(&self, key: &'static str) {
        let mut missing = self.missing.borrow_mut();
        if !missing.contains(&key) {
            missing.push(key);
        }
    }

    fn wrong_type(&self, key: &'static str, value: &Spanned<DeValue<'_>>, wanted: &'static str) {
        let error = self.spot_at(value.span()).error(Word::ErrWrongType, Word::MendType);
        self.push(error.with("key", key).with("found", value.get_ref().type_str()).with("wanted", wanted));
    }

    fn as_text(&self, key: &'static str, value: &'a Spanned<DeValue<'a>>) -> Option<At<&'a str>> {
        match value.get_ref().as_str() {
            Some(text) => Some(At { value: text, spot: self.spot_at(value.span()) }),
            None => {
                self.wrong_type(key, value, "string");
                None
            }
        }
    }

    pub(crate) fn text(&self, key: &'static str) -> Option<At<&'a str>> {
        self.needed(key).and_then(|value| self.as_text(key, value))
    }

    pub(crate) fn text_maybe(&self, key: &'static str) -> Option<At<&'a str>> {
        self.value(key).and_then(|value| self.as_text(key, value))
    }

    /// A list of texts; a single text counts as a list of one.
    pub(crate) fn texts_maybe(&self, key: &'static str) -> Option<Vec<At<&'a str>>> {
        let value = self.value(key)?;
        match value.get_ref() {
            DeValue::Array(items) => Some(items.iter().filter_map(|item| self.as_text(key, item)).collect()),
            _ => self.as_text(key, value).map(|text| vec![text]),
        }
    }

    pub(crate) fn texts(&self, key: &'static str) -> Vec<At<&'a str>> {
        if self.needed(key).is_none() {
            return Vec::new();
        }
        let texts = self.texts_maybe(key).unwrap_or_default();
        if texts.is_empty() {
            self.push(self.spot().error(Word::ErrEmptyList, Word::MendEmptyList).with("key", key));
        }
        texts
    }

    pub(crate) fn whole_maybe(&self, key: &'static str) -> Option<At<i64>> {
        let value = self.value(key)?;
        let number = value
            .get_ref()
            .as_integer()
            .and_then(|number| i64::from_str_radix(number.as_str(), number.radix()).ok());
        match number {
            Some(number) => Some(At { value: number, spot: self.spot_at(value.span()) }),
            None => {
                self.wrong_type(key, value, "integer");
                None
            }
        }
    }

    pub(crate) fn whole(&self, key: &'static str) -> Option<At<i64>> {
        self.needed(key)?;
        self.whole_maybe(key)
    }

    pub(crate) fn flag_maybe(&self, key: &'static str) -> Option<bool> {
        let value = self.value(key)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong_type(key, value, "boolean");
        }
        flag
    }

    fn fields_of(&self, key: &'static str, value: &'a Spanned<DeValue<'a>>) -> Option<Fields<'a>> {
        match value.get_ref().as_table() {
            Some(table) => Some(Fields::new(self.file, self.errors, table, value.span())),
            None => {
                self.wrong_type(key, value, "table");
                None
            }
        }
    }

    pub(crate) fn table(&self, key: &'static str) -> Option<Fields<'a>> {
        self.needed(key).and_then(|value| self.fields_of(key, value))
    }

    pub(crate) fn table_maybe(&self, key: &'static str) -> Option<Fields<'a>> {
        self.value(key).and_then(|value| self.fields_of(key, value))
    }

    pub(crate) fn tables(&self, key: &'static str) -> Vec<Fields<'a>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        match value.get_ref() {
            DeValue::Array(items) => items.iter().filter_map(|item| self.fields_of(key, item)).collect(),
            _ => {
                self.wrong_type(key, value, "array of tables");
                Vec::new()
            }
        }
    }

    /// A list of tables that must not be empty.
    pub(crate) fn some_tables(&self, key: &'static str) -> Vec<Fields<'a>> {
        let tables = self.tables(key);
        if tables.is_empty() {
            self.miss(key);
        }
        tables
    }

    fn parsed<T: FromStr>(&self, text: Option<At<&'a str>>, code: Word, mend: Word) -> Option<At<T>> {
        let text = text?;
        match text.value.parse() {
            Ok(value) => Some(At { value, spot: text.spot }),
            Err(_) => {
                self.push(text.spot.error(code, mend).with("value", text.value));
                None
            }
        }
    }

    pub(crate) fn money(&self, key: &'static str) -> Option<At<Fen>> {
        self.not_negative(self.parsed(self.text(key), Word::ErrNotAnAmount, Word::MendAmount))
    }

    pub(crate) fn money_maybe(&self, key: &'static str) -> Option<At<Fen>> {
        self.not_negative(self.parsed(self.text_maybe(key), Word::ErrNotAnAmount, Word::MendAmount))
    }

    fn not_negative(&self, amount: Option<At<Fen>>) -> Option<At<Fen>> {
        let amount = amount?;
        if amount.value.is_negative() {
            let error = amount.spot.error(Word::ErrNotAnAmount, Word::MendAmount);
            self.push(error.with("value", amount.value.to_string()));
            return None;
        }
        Some(amount)
    }

    /// An amount or the word `none`, which must be written: nobody forgets a cap by leaving it out.
    pub(crate) fn cap(&self, key: &'static str) -> Option<Option<Fen>> {
        match self.text(key)? {
            At { value: "none", .. } => Some(None),
            _ => self.money(key).map(|amount| Some(amount.value)),
        }
    }

    /// A measured number, written as a whole number or as a text.
    pub(crate) fn measure(&self, key: &'static str) -> Option<At<Measure>> {
        self.needed(key)?;
        self.measure_maybe(key)
    }

    pub(crate) fn measure_maybe(&self, key: &'static str) -> Option<At<Measure>> {
        let spot = self.spot_at(self.value(key)?.span());
        let said = self.said(key)?;
        match said.parse() {
            Ok(value) => Some(At { value, spot }),
            Err(_) => {
                self.push(
                    spot.error(Word::ErrNotAMeasure, Word::MendMeasure)
                        .with("value", said)
                        .with("decimals", "3"),
                );
                None
            }
        }
    }

    /// Every entry of a table whose keys are names of the pack's own, each value as a list of texts.
    pub(crate) fn entries(&self) -> Vec<(String, Vec<String>)> {
        let as_text = |value: &DeValue<'_>| match value {
            DeValue::String(text) => Some(text.clone().into_owned()),
            DeValue::Integer(number) => Some(number.to_string()),
            _ => None,
        };
        let mut entries = Vec::new();
        for (key, value) in self.table.iter() {
            let texts = match value.get_ref() {
                DeValue::Array(items) => items.iter().map(|item| as_text(item.get_ref())).collect(),
                one => as_text(one).map(|text| vec![text]),
            };
            match texts {
                Some(texts) => entries.push((key.get_ref().to_string(), texts)),
                None => {
                    let error = self.spot_at(value.span()).error(Word::ErrWrongType, Word::MendType);
                    let found = value.get_ref().type_str();
                    self.push(
                        error
                            .with("key", key.get_ref().to_string())
                            .with("found", found)
                            .with("wanted", "string"),
                    );
                }
            }
        }
        entries
    }

    pub(crate) fn share_maybe(&self, key: &'static str) -> Option<At<Rate>> {
        if self.has(key) { self.share(key) } else { None }
    }

    /// A ratio of at most one.
    pub(crate) fn share(&self, key: &'static str) -> Option<At<Rate>> {
        let rate: At<Rate> = self.parsed(self.text(key), Word::ErrNotARatio, Word::MendRatio)?;
        if !rate.value.is_share() {
            self.push(
                rate.spot.error(Word::ErrOverOne, Word::MendOverOne).with("value", rate.value.to_string()),
            );
            return None;
        }
        Some(rate)
    }

    /// A ratio of any size.
    pub(crate) fn rate(&self, key: &'static str) -> Option<At<Rate>> {
        self.parsed(self.text(key), Word::ErrNotARatio, Word::MendRatio)
    }

    pub(crate) fn day(&self, key: &'static str) -> Option<At<Day>> {
        self.parsed(self.text(key), Word::ErrNotADate, Word::MendDate)
    }

    pub(crate) fn day_maybe(&self, key: &'static str) -> Option<At<Day>> {
        self.parsed(self.text_maybe(key), Word::ErrNotADate, Word::MendDate)
    }

    /// One day or a list of days.
    pub(crate) fn days(&self, key: &'static str) -> Vec<Day> {
        self.parse_all(self.texts(key), Word::ErrNotADate, Word::MendDate)
    }

    /// This table with the entries of `other` put over its own, to be read by [`Fields::of`].
    pub(crate) fn overlaid(&self, other: &Fields<'a>) -> DeTable<'a> {
        let mut table = self.table.clone();
        for (key, value) in other.table.iter() {
            table.insert(key.clone(), value.clone());
        }
        table
    }

    /// Another table that is read as if it stood here.
    pub(crate) fn of<'b>(&'b self, table: &'b DeTable<'b>) -> Fields<'b> {
        Fields::new(self.file, self.errors, table, self.span())
    }

    fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// A text, a whole number, a truth or a list of texts, as a text.
    pub(crate) fn said(&self, key: &'static str) -> Option<String> {
        let value = self.value(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some(text.clone().into_owned()),
            DeValue::Integer(number) => Some(number.to_string()),
            DeValue::Boolean(flag) => Some(flag.to_string()),
            DeValue::Array(_) => {
                let texts = self.texts_maybe(key).unwrap_or_default();
                Some(texts.iter().map(|text| text.value).collect::<Vec<_>>().join(", "))
            }
            _ => {
                self.wrong_type(key, value, "string");
                None
            }
        }
    }

    pub(crate) fn place(&self, key: &'static str) -> Option<At<DivisionCode>> {
        self.parsed(self.text(key), Word::ErrNotACode, Word::MendCode)
    }

    pub(crate) fn place_maybe(&self, key: &'static str) -> Option<At<DivisionCode>> {
        self.parsed(self.text_maybe(key), Word::ErrNotACode, Word::MendCode)
    }

    pub(crate) fn parse_all<T: FromStr>(&self, texts: Vec<At<&'a str>>, code: Word, mend: Word) -> Vec<T> {
        texts.into_iter().filter_map(|text| self.parsed(Some(text), code, mend)).map(|at| at.value).collect()
    }

    /// `{ zh = "…", en = "…" }`.
    pub(crate) fn bilingual(&self, key: &'static str) -> Option<Bilingual> {
        self.table(key).and_then(|fields| fields.both())
    }

    pub(crate) fn bilingual_maybe(&self, key: &'static str) -> Option<Bilingual> {
        self.table_maybe(key).and_then(|fields| fields.both())
    }

    fn both(&self) -> Option<Bilingual> {
        let (zh, en) = (self.text("zh"), self.text("en"));
        self.finish();
        Some(Bilingual { zh: zh?.value.to_owned(), en: en?.value.to_owned() })
    }

    /// An age in completed years.
    pub(crate) fn age_maybe(&self, key: &'static str) -> Option<u8> {
        self.whole_maybe(key).and_then(|age| u8::try_from(age.value).ok())
    }

    /// The sex that `text` names.
    pub(crate) fn sex(&self, text: Option<At<&'a str>>) -> Option<Sex> {
        self.chosen(text, &["male", "female"], |name| match name {
            "male" => Some(Sex::Male),
            "female" => Some(Sex::Female),
            _ => None,
        })
    }

    /// A value of a closed list, told by `read`.
    pub(crate) fn chosen<T>(
        &self,
        text: Option<At<&'a str>>,
        names: &[&str],
        read: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let text = text?;
        let value = read(text.value);
        if value.is_none() {
            self.push(not_in_list(&text, names));
        }
        value
    }

    /// Reports every key that nobody asked for.
    pub(crate) fn finish(&self) {
        let asked = self.asked.borrow();
        for (key, _) in self.table.iter() {
            let name: &str = key.get_ref();
            if asked.contains(&name) {
                continue;
            }
            let spot = self.spot_at(key.span());
            let error = match nearest(name, &self.missing.borrow()).or_else(|| nearest(name, &asked)) {
                Some(meant) => spot.error(Word::ErrUnknownKey, Word::MendDidYouMean).with("meant", meant),
                None => spot.error(Word::ErrUnknownKey, Word::MendKnownKeys).with("known", asked.join(", ")),
            };
            if let Some((_, meant)) = error.values.iter().find(|(name, _)| *name == "meant") {
                self.missing.borrow_mut().retain(|key| key != meant);
            }
            self.push(error.with("key", name));
        }
    }
}

impl Drop for Fields<'_> {
    fn drop(&mut self) {
        for key in self.missing.take() {
            self.push(self.spot().error(Word::ErrMissingKey, Word::MendAddKey).with("key", key));
        }
    }
}

pub(crate) fn not_in_list(text: &At<&str>, names: &[&str]) -> PackError {
    let error = match nearest(text.value, names) {
        Some(meant) => text.spot.error(Word::ErrNotInList, Word::MendDidYouMean).with("meant", meant),
        None => text.spot.error(Word::ErrNotInList, Word::MendList),
    };
    error.with("value", text.value).with("list", names.join(", "))
}

/// The name of `names` that somebody who wrote `word` most likely meant.
pub(crate) fn nearest<'n>(word: &str, names: &[&'n str]) -> Option<&'n str> {
    let allowed = (word.chars().count() / 3).max(1);
    let distances = names.iter().map(|name| (distance(word, name), *name));
    distances
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Insertions, deletions, substitutions and swaps of neighbours between two words.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0_usize; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    rows[0] = (0..=b.len()).collect();
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let cost = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + cost);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

impl Fields<'_> {
    /// All pairs of a table whose keys are names of the pack's own.
    pub(crate) fn money_pairs(&self) -> Vec<(String, Fen)> {
        let mut pairs = Vec::new();
        for (key, value) in self.table.iter() {
            let spot = self.spot_at(value.span());
            let text = value.get_ref().as_str().unwrap_or_default();
            match text.parse::<Fen>() {
                Ok(amount) => pairs.push((key.get_ref().to_string(), amount)),
                Err(_) => self.push(spot.error(Word::ErrNotAnAmount, Word::MendAmount).with("value", text)),
            }
        }
        pairs
    }
}
