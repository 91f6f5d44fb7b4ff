//! What people call the figures of packs and the facts of cases, and how their values read: in words, never by the key.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use kangmai_base::{Fen, Rate};
use serde::Deserialize;
use toml::Value;

use crate::vocabulary::{InstitutionGrade, InstitutionKind, InstitutionTier, Referral, Setting, Vocabulary};
use crate::{Bilingual, CostCategory, FeeKind};

/// Numbers under these are ratios, however they are written.
pub(crate) const RATIOS: &[&str] = &[
    "ratio",
    "factor",
    "minus",
    "discount",
    "pays_up_to",
    "own_share_at_most",
    "rate",
    "yellow_from",
    "orange_from",
];

/// Ratios that may be more than the whole.
const LARGE_RATIOS: &[&str] = &["factor", "rate", "yellow_from", "orange_from"];

/// Amounts that may be the word `none`.
const CAPS: &[&str] = &["yearly_cap", "bill_cap"];

/// Words of which another could have been meant.
pub(crate) const CHOICES: &[(&str, &[&str])] = &[
    ("as_of", &["admission", "discharge"]),
    ("date", &["admission", "discharge"]),
    ("mode", &["half_up", "down", "up"]),
    ("deductible_over", &["bill", "year"]),
    ("of", &["total", "compliant"]),
    ("discount_of", &["remaining_compliant", "remaining_own"]),
    ("take", &["compliant", "remaining_compliant"]),
    ("over", &["bill", "year"]),
    ("owner", &["person", "household"]),
    ("rest", &["own", "with_before", "with_next"]),
    ("window", &["year_to_date", "rolling_12_months"]),
    ("own_cost", &["compliant", "all"]),
    ("scope", &["county", "city", "province"]),
    ("is", &["male", "female"]),
    ("per", &["case", "year"]),
    ("action", &["continue", "adjust", "refer", "refer_now", "report"]),
];

/// What kind of value a figure has: how it is typed and read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FigureKind {
    /// A ratio of at most one.
    Ratio,
    /// A ratio of any size.
    LargeRatio,
    /// An amount in yuan.
    Amount,
    /// An amount in yuan, or `none`.
    Cap,
    /// A whole number.
    Whole,
    /// One of these, each with what people call it.
    Choice(Vec<(String, Bilingual)>),
    /// Anything else.
    Text,
}

impl FigureKind {
    /// The kind of the value that stands under `key`.
    pub(crate) fn of(key: &str, value: &Value) -> FigureKind {
        let choice = |word: &str| (word.to_owned(), value_name(word).unwrap_or_else(|| same(word)));
        match value {
            Value::Boolean(_) => {
                let yes_or_no = [("true", "yes"), ("false", "no")];
                let named = yes_or_no.map(|(value, word)| (value.to_owned(), choice(word).1));
                FigureKind::Choice(named.into())
            }
            Value::Integer(_) => FigureKind::Whole,
            Value::String(_) if CAPS.contains(&key) => FigureKind::Cap,
            Value::String(text) if is_ratio(key, text) => match LARGE_RATIOS.contains(&key) {
                true => FigureKind::LargeRatio,
                false => FigureKind::Ratio,
            },
            Value::String(text) => match CHOICES.iter().find(|(name, _)| *name == key) {
                Some((_, words)) if words.contains(&text.as_str()) => {
                    FigureKind::Choice(words.iter().map(|word| choice(word)).collect())
                }
                _ if text.parse::<Fen>().is_ok() => FigureKind::Amount,
                _ => FigureKind::Text,
            },
            _ => FigureKind::Text,
        }
    }
}

/// Whether what stands under `key` is a ratio.
pub(crate) fn is_ratio(key: &str, text: &str) -> bool {
    (RATIOS.contains(&key) || text.ends_with('%')) && text.parse::<Rate>().is_ok()
}

#[derive(Debug, Default, Deserialize)]
struct Names {
    key: BTreeMap<String, Bilingual>,
    value: BTreeMap<String, Bilingual>,
    table: BTreeMap<String, Bilingual>,
}

// A test reads the same text: it cannot fail outside of a build that the tests refuse.
static NAMES: LazyLock<Names> =
    LazyLock::new(|| toml::from_str(include_str!("../names.toml")).unwrap_or_default());

fn same(text: impl Into<String>) -> Bilingual {
    let text = text.into();
    Bilingual { zh: text.clone(), en: text }
}

fn filled(text: &Bilingual, name: &str, value: &str) -> Bilingual {
    let fill = |text: &str| text.replace(&format!("{{{name}}}"), value);
    Bilingual { zh: fill(&text.zh), en: fill(&text.en) }
}

fn value_name(word: &str) -> Option<Bilingual> {
    NAMES.value.get(word).cloned()
}

/// What the figure at `path` is called: `tiers.ratio` with the number 2 is the ratio of tier 2. The path has no numbers; one
/// that has no name of its own goes by the name of its last key, and that by itself.
pub(crate) fn key_name(path: &str, number: Option<usize>) -> Bilingual {
    let last = path.rsplit('.').next().unwrap_or(path);
    let found = NAMES.key.get(path).or_else(|| NAMES.key.get(last));
    let number = number.unwrap_or(1).to_string();
    found.map_or_else(|| same(last), |name| filled(name, "number", &number))
}

/// What the table in the file of this name, without its ending, is called.
pub(crate) fn table_name(file: &str) -> Option<Bilingual> {
    NAMES.table.get(file).cloned()
}

/// How a value that stands under `key` reads.
pub(crate) fn value_said(key: &str, value: &Value, vocabulary: &Vocabulary) -> Bilingual {
    match value {
        Value::Boolean(flag) => value_name(if *flag { "yes" } else { "no" }).unwrap_or_default(),
        Value::String(text) => text_said(key, text, vocabulary),
        Value::Array(items) if items.is_empty() => value_name("nobody").unwrap_or_default(),
        Value::Array(items) => joined(items.iter().map(|item| value_said(key, item, vocabulary)), "、", ", "),
        Value::Table(table) => pairs_said(table.iter(), vocabulary),
        other => same(other.to_string()),
    }
}

/// `key value` of each entry, one after the other.
pub(crate) fn pairs_said<'v>(
    pairs: impl Iterator<Item = (&'v String, &'v Value)>,
    vocabulary: &Vocabulary,
) -> Bilingual {
    let said = pairs.map(|(key, value)| {
        let (name, value) = (fact_name(key), value_said(key, value, vocabulary));
        Bilingual { zh: format!("{} {}", name.zh, value.zh), en: format!("{} {}", name.en, value.en) }
    });
    joined(said, "；", "; ")
}

/// What a fact of a case is called; what it says of a version and of a group is of the one that must be taken.
pub(crate) fn fact_name(key: &str) -> Bilingual {
    match key {
        "version" => key_name("starts", None),
        "profile" => key_name("taken_group", None),
        _ => fee_name(key).unwrap_or_else(|| key_name(key, None)),
    }
}

fn joined(parts: impl Iterator<Item = Bilingual>, zh: &str, en: &str) -> Bilingual {
    let parts: Vec<Bilingual> = parts.collect();
    let join = |of: fn(&Bilingual) -> &str, by: &str| parts.iter().map(of).collect::<Vec<_>>().join(by);
    Bilingual { zh: join(|part| &part.zh, zh), en: join(|part| &part.en, en) }
}

fn text_said(key: &str, text: &str, vocabulary: &Vocabulary) -> Bilingual {
    if let Ok(rate) = text.parse::<Rate>()
        && is_ratio(key, text)
    {
        // As a per cent where it has an end; as it is written where that is a per cent already.
        return if text.ends_with('%') { same(text) } else { same(rate.to_string()) };
    }
    if let (Ok(amount), true) = (text.parse::<Fen>(), text.contains('.')) {
        let yuan = value_name("yuan").unwrap_or_default();
        return filled(&yuan, "amount", &amount.grouped());
    }
    let of_list = |(zh, en): (&str, &str)| Bilingual { zh: zh.to_owned(), en: en.to_owned() };
    let closed = match key {
        "tier" | "tiers" => InstitutionTier::from_name(text).map(|one| of_list(one.words())),
        "grade" => InstitutionGrade::from_name(text).map(|one| of_list(one.words())),
        "kind" | "kinds" => InstitutionKind::from_name(text).map(|one| of_list(one.words())),
        "setting" => Setting::from_name(text).map(|one| of_list(one.words())),
        "referral" => Referral::from_name(text).map(|one| of_list(one.words())),
        "labels" | "labels_at_admission" => {
            vocabulary.labels.iter().find(|label| label.id == text).map(|label| label.name.clone())
        }
        "designations" => {
            vocabulary.designations.iter().find(|one| one.id == text).map(|one| one.name.clone())
        }
        "fees" | "categories" => fee_name(text),
        _ => value_name(text),
    };
    closed.or_else(|| value_name(text)).unwrap_or_else(|| same(text))
}

/// A fee or a kind of cost.
fn fee_name(name: &str) -> Option<Bilingual> {
    use crate::words::Word;
    let fee = FeeKind::ALL.into_iter().find(|fee| fee.name() == name).map(|fee| match fee {
        FeeKind::Registration => Word::FeeNameRegistration,
        FeeKind::Injection => Word::FeeNameInjection,
        FeeKind::Dressing => Word::FeeNameDressing,
        FeeKind::Ambulance => Word::FeeNameAmbulance,
        FeeKind::Checkup => Word::FeeNameCheckup,
    });
    let category =
        CostCategory::ALL.into_iter().find(|category| category.name() == name).map(
            |category| match category {
                CostCategory::Drug => Word::CategoryDrug,
                CostCategory::Service => Word::CategoryService,
                CostCategory::Material => Word::CategoryMaterial,
            },
        );
    fee.or(category).map(Word::both)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;
    use crate::Release;

    /// Keys whose values are sentences, sources or names, or that only hold others.
    const SILENT: &[&str] = &[
        "accumulators",
        "after",
        "base",
        "benefit",
        "bill",
        "case",
        "carried_forward",
        "claim",
        "clock",
        "code",
        "condition",
        "deferral",
        "designation",
        "division",
        "doc",
        "article",
        "quote",
        "en",
        "expect",
        "fact",
        "figure",
        "gap",
        "given",
        "id",
        "inherits",
        "instalments",
        "label",
        "levels",
        "line",
        "name",
        "note",
        "number",
        "of_year",
        "ours",
        "overrides",
        "payer",
        "payment",
        "points",
        "premium",
        "round",
        "at",
        "text",
        "untranslatable",
        "url",
        "version",
        "why",
        "write_off",
        "zh",
        "all",
        "any",
        "any_of",
        "national",
        "discharge",
        "total",
        "only",
        "accept",
        "opening",
        "member",
        "entitled",
        "aided",
        "responsible",
        "income_year",
        "recognition_line",
        "recognition_window",
        "recognition_own_cost",
        "red",
        "year_total",
        "by_case",
        "by_year",
        "cases",
        "yellow_over",
        "orange_over",
        "in_force",
        "rules",
        "settings",
        "figures",
        "conditions",
        "instalment",
        "claim_from",
        "within",
        "is",
        "page",
        "fund",
        "sex",
    ];

    fn keys(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Table(table) => {
                for (key, value) in table.iter().filter(|(key, _)| {
                    !["expect", "bill", "opening", "accumulators", "source"].contains(&key.as_str())
                }) {
                    found.insert(key.clone());
                    keys(value, found);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| keys(item, found)),
            _ => {}
        }
    }

    #[test]
    fn every_key_of_the_shipped_packs_has_a_name_in_both_languages() {
        let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
        let mut found = BTreeSet::new();
        for (path, text) in Release::read_directory(&packs).expect("the packs") {
            if path.contains("/benefits/") || path.contains("/cases/") || path.ends_with("watch.toml") {
                keys(&Value::Table(text.parse().expect("a table")), &mut found);
            }
        }
        let named = |key: &String| {
            let last = |name: &String| name.rsplit('.').next() == Some(key);
            NAMES.key.keys().any(last) || fee_name(key).is_some()
        };
        let known = |key: &String| SILENT.contains(&key.as_str()) || named(key);
        let nameless: Vec<&String> = found.iter().filter(|key| !known(key)).collect();
        assert_eq!(nameless, Vec::<&String>::new());
        let texts = NAMES.key.values().chain(NAMES.value.values());
        assert!(texts.into_iter().all(|name| !name.zh.is_empty() && !name.en.is_empty()));
    }

    #[test]
    fn values_read_as_people_write_them() {
        let vocabulary = Vocabulary::default();
        for (key, value, zh) in [
            ("ratio", "0.7", "70%"),
            ("ratio", "2/37", "2/37"),
            ("ratio", "1/2", "50%"),
            ("ratio", "33.333%", "33.333%"),
            ("deductible", "5500.00", "5,500.00 元"),
            ("yearly_cap", "none", "不设限"),
            ("deductible_over", "year", "按年"),
            ("tier", "county", "县级机构"),
            ("date", "2026-01-01", "2026-01-01"),
        ] {
            assert_eq!(
                value_said(key, &Value::String(value.to_owned()), &vocabulary).zh,
                zh,
                "{key} {value}"
            );
        }
        assert_eq!(key_name("tiers.ratio", Some(2)).zh, "第 2 段比例");
        assert_eq!(key_name("no_such_key", None).en, "no_such_key");
    }
}
