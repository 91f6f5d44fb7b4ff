//! Every sentence that a user sees is a key with a Chinese and an English sentence; every key is used; and no sentence
//! speaks of people by a name that is no longer used.

use std::collections::{BTreeMap, BTreeSet};

use super::{Complaint, TextFile};
use crate::source::{Kind, tokens};

/// Functions and fields whose text is a key.
const KEY_TAKERS: [&str; 6] = ["word", "say", "say1", "say2", "count", "titled"];

/// Names out of use since the transition of 2021 to 2025, and what is said instead. They may stand where history is
/// told: as the label of a closed interval, or as a heading in a file of that time.
const OUT_OF_USE: [(&str, &str); 6] = [
    ("扶贫", "帮扶 or 防止因病返贫致贫"),
    ("贫困户", "脱贫户 or 监测户"),
    ("贫困人口", "脱贫人口 or 监测对象"),
    ("贫困县", "脱贫县"),
    ("乡村振兴局", "农业农村局"),
    ("poverty alleviation", "protection against illness-caused poverty"),
];

/// Keys whose sentence tells history. Each must still exist.
const HISTORICAL: [&str; 2] = ["people.label.registered_poor", "people.mend.vague_label"];

/// All keys, with their sentences and the file they stand in.
#[derive(Debug, Default)]
pub struct Keys {
    sentences: BTreeMap<String, Sentence>,
}

#[derive(Debug)]
struct Sentence {
    zh: String,
    en: String,
    file: String,
}

impl Keys {
    /// Reads every `words.toml`; complains of what is no table of `zh` and `en`, of an empty sentence, of a key twice
    /// and of a key that does not begin with the name of its crate.
    pub fn read(files: &[TextFile]) -> (Keys, Vec<Complaint>) {
        let mut keys = Keys::default();
        let mut complaints = Vec::new();
        for file in files.iter().filter(|file| file.path.ends_with("/words.toml")) {
            let table: toml::Table = match file.text.parse() {
                Ok(table) => table,
                Err(error) => {
                    complaints.push(Complaint::about(&file.path, error.to_string()));
                    continue;
                }
            };
            for (key, entry) in table {
                let mut complain = |says: String| complaints.push(Complaint::about(&file.path, says));
                let text = |language: &str| {
                    let text = entry.get(language).and_then(toml::Value::as_str).unwrap_or_default();
                    text.trim().to_owned()
                };
                let sentence = Sentence { zh: text("zh"), en: text("en"), file: file.path.clone() };
                if sentence.zh.is_empty() || sentence.en.is_empty() {
                    complain(format!("{key:?} needs both zh and en"));
                }
                if !is_own_key(&file.path, &key) {
                    complain(format!("{key:?} does not begin with the name of its crate"));
                }
                if keys.sentences.insert(key.clone(), sentence).is_some() {
                    complain(format!("{key:?} is there twice"));
                }
            }
        }
        (keys, complaints)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.sentences.keys().map(String::as_str)
    }
}

/// The web crate also says what `base` refuses: `base` knows of no words.
fn is_own_key(path: &str, key: &str) -> bool {
    let folder = path.rsplit('/').nth(1).unwrap_or_default();
    let begin = key.split('.').next().unwrap_or_default();
    begin == folder || (folder == "web" && begin == "base")
}

/// The texts of the program that may be keys: string literals of code and templates, without those of tests.
#[derive(Debug, Default)]
pub struct Uses {
    /// Each literal, once.
    literals: BTreeSet<String>,
    /// Keys that something is asked to say: key, file, line.
    asked: Vec<(String, String, usize)>,
    /// Other literals of three parts or more that have the shape of a key.
    alike: Vec<(String, String, usize)>,
}

impl Uses {
    /// Reads code and templates.
    pub fn read(files: &[TextFile]) -> Uses {
        let mut uses = Uses::default();
        for file in files.iter().filter(|file| !file.is_test()) {
            match file.extension() {
                "rs" => uses.read_code(file),
                "html" | "js" => uses.read_template(file),
                _ => {}
            }
        }
        uses
    }

    fn read_code(&mut self, file: &TextFile) {
        let tokens = tokens(&file.text);
        for (at, token) in tokens.iter().enumerate().filter(|(_, token)| !token.in_test) {
            let Some(text) = token.text() else { continue };
            self.literals.insert(text.to_owned());
            let before = |back: usize| at.checked_sub(back).map(|place| &tokens[place].kind);
            let called = match (before(1), before(2)) {
                (Some(Kind::Sign('(')), Some(Kind::Word(name))) => KEY_TAKERS.contains(&&**name),
                // `words.say(language, "key", …)`, `words.word(language, "key")`
                (Some(Kind::Sign(',')), Some(Kind::Word(name))) => {
                    name == "language" && is_call_of_key_taker(&tokens[..at])
                }
                _ => false,
            };
            let refused = matches!((before(1), before(2), before(5)),
                (Some(Kind::Sign('(')), Some(Kind::Word(_)), Some(Kind::Word(kind))) if kind == "Refusal");
            if !is_key_shape(text) {
                continue;
            }
            let place = (text.to_owned(), file.path.clone(), token.line);
            if called || refused {
                self.asked.push(place);
            } else if text.split('.').count() > 2 {
                self.alike.push(place);
            }
        }
    }

    fn read_template(&mut self, file: &TextFile) {
        for (number, line) in file.text.lines().enumerate() {
            for (at, part) in line.split('"').enumerate() {
                self.literals.insert(part.to_owned());
                let asked = at > 0
                    && KEY_TAKERS.iter().any(|taker| {
                        let before = line.split('"').nth(at - 1).unwrap_or_default();
                        before.trim_end().ends_with(&format!(".{taker}("))
                    });
                let place = (part.to_owned(), file.path.clone(), number + 1);
                if is_key_shape(part) && asked {
                    self.asked.push(place);
                } else if is_key_shape(part) && part.split('.').count() > 2 {
                    self.alike.push(place);
                }
            }
        }
    }
}

/// Whether the last open parenthesis of `tokens` belongs to a function that takes a key.
fn is_call_of_key_taker(tokens: &[crate::source::Token]) -> bool {
    let open = tokens.iter().rposition(|token| token.is('('));
    open.and_then(|open| tokens.get(open.checked_sub(1)?))
        .is_some_and(|token| matches!(&token.kind, Kind::Word(name) if KEY_TAKERS.contains(&&**name)))
}

/// `settlement.bill_desk.title`
fn is_key_shape(text: &str) -> bool {
    text.contains('.')
        && text.split('.').all(|part| {
            !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        })
}

/// Complaints about keys that are nowhere: those that are asked for, and literals of three parts or more that begin
/// as keys do. What a key is put together from at run time is found by the journeys: no page may lack a word.
pub fn check_missing(keys: &Keys, uses: &Uses) -> Vec<Complaint> {
    let names: BTreeSet<&str> = keys.names().filter_map(|key| key.split('.').next()).collect();
    let begins_as_a_key = |text: &str| text.split('.').next().is_some_and(|name| names.contains(name));
    let is_begin =
        |text: &str| keys.names().any(|key| key.strip_prefix(text).is_some_and(|rest| rest.starts_with('.')));
    let alike = uses.alike.iter().filter(|(text, ..)| begins_as_a_key(text) && !is_begin(text));
    let missing = uses.asked.iter().chain(alike).filter(|(key, ..)| !keys.sentences.contains_key(key));
    missing
        .map(|(key, file, line)| Complaint::at(file, *line, format!("no words.toml has {key:?}")))
        .collect()
}

/// Complaints about keys that nothing uses. A literal `"people.label.{…}"` or `"people.label."` uses every key that
/// it can grow to; `"{key}.lead"` uses the `.lead` of every key that is used.
pub fn check_unused(keys: &Keys, uses: &Uses) -> Vec<Complaint> {
    let patterns: Vec<Pattern<'_>> =
        uses.literals.iter().filter_map(|literal| Pattern::read(literal)).collect();
    let suffixes: Vec<&str> = uses
        .literals
        .iter()
        .filter_map(|literal| literal.strip_prefix('{')?.split_once('}').map(|(_, suffix)| suffix))
        .filter(|suffix| suffix.starts_with('.') && is_key_shape(&format!("key{suffix}")))
        .collect();
    let is_used = |key: &str| uses.literals.contains(key) || patterns.iter().any(|pattern| pattern.fits(key));
    let unused = keys.names().filter(|key| {
        let by_suffix = |suffix: &&str| key.strip_suffix(*suffix).is_some_and(is_used);
        !is_used(key) && !suffixes.iter().any(by_suffix)
    });
    unused
        .map(|key| Complaint::about(&keys.sentences[key].file, format!("nothing says {key:?}: remove it")))
        .collect()
}

/// A key that is put together at run time: `begin`, anything, …, `end`.
struct Pattern<'a> {
    parts: Vec<&'a str>,
}

impl<'a> Pattern<'a> {
    /// From a literal that begins like a key: `settlement.layer.` or `settlement.layer.{kind}.title`.
    fn read(literal: &'a str) -> Option<Pattern<'a>> {
        let (begin, rest) = literal.split_once('{').unwrap_or((literal, ""));
        let (name, _) = begin.split_once('.')?;
        let is_key = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') && !name.is_empty();
        let is_open = literal.contains('{') || literal.ends_with('.');
        if !is_key || !is_open || literal.contains([' ', '/', '=']) {
            return None;
        }
        let mut parts = vec![begin];
        for part in rest.split('{') {
            parts.push(part.split_once('}').map_or("", |(_, after)| after));
        }
        Some(Pattern { parts })
    }

    fn fits(&self, key: &str) -> bool {
        let Some((begin, rest)) = self.parts.split_first() else { return false };
        let Some(mut key) = key.strip_prefix(begin) else { return false };
        for (at, part) in rest.iter().enumerate() {
            if at + 1 == rest.len() {
                return key.len() > part.len() && key.ends_with(part);
            }
            match key.find(part) {
                Some(place) if !part.is_empty() => key = &key[place + part.len()..],
                Some(_) => {}
                None => return false,
            }
        }
        !key.is_empty()
    }
}

/// Complaints about sentences that use a name out of use.
pub fn check_names_of_today(keys: &Keys) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for (key, sentence) in &keys.sentences {
        if HISTORICAL.contains(&&**key) {
            continue;
        }
        for (word, instead) in OUT_OF_USE {
            if sentence.zh.contains(word) || sentence.en.to_lowercase().contains(word) {
                let says = format!("{key:?} says {word}, which is out of use; say {instead}");
                complaints.push(Complaint::about(&sentence.file, says));
            }
        }
    }
    complaints
}

/// Complaints about exceptions that are no longer needed.
pub fn check_historical(keys: &Keys) -> Vec<Complaint> {
    let gone = HISTORICAL.iter().filter(|key| !keys.sentences.contains_key(**key));
    let says = |key| format!("{key:?} is gone from the words: remove the exception");
    gone.map(|key| Complaint::about("acceptance/src/tidy/words.rs", says(key))).collect()
}

/// Complaints about keys that must be there, such as those of labels.
pub fn check_present<'a>(keys: &Keys, needed: impl IntoIterator<Item = &'a str>) -> Vec<Complaint> {
    let missing = needed.into_iter().filter(|key| !keys.sentences.contains_key(*key));
    missing.map(|key| Complaint::about("words.toml", format!("{key:?} is missing"))).collect()
}

/// Complaints about Chinese in a template: what a user reads is a key. Comments of the template are free.
pub fn check_template(file: &TextFile) -> Vec<Complaint> {
    if file.extension() != "html" {
        return Vec::new();
    }
    let mut complaints = Vec::new();
    let mut in_comment = false;
    for (number, line) in file.text.lines().enumerate() {
        let mut shown = String::new();
        let mut rest = line;
        while !rest.is_empty() {
            let mark = if in_comment { "#}" } else { "{#" };
            let (before, after) = rest.split_once(mark).unwrap_or((rest, ""));
            if !in_comment {
                shown.push_str(before);
            }
            if rest.contains(mark) {
                in_comment = !in_comment;
            }
            rest = after;
        }
        if shown.chars().any(|character| ('\u{4e00}'..='\u{9fff}').contains(&character)) {
            complaints.push(Complaint::at(&file.path, number + 1, "a sentence belongs in words.toml"));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: &str = r#"
        ["bills.title"]
        zh = "账单"
        en = "Bills"
        ["bills.title.lead"]
        zh = "今天的账单"
        en = "Bills of today"
        ["bills.layer.basic.name"]
        zh = "基本医保"
        en = "Basic insurance"
    "#;

    fn keys(words: &str) -> Keys {
        let (keys, complaints) = Keys::read(&[TextFile::new("programmes/bills/words.toml", words)]);
        assert_eq!(complaints, []);
        keys
    }

    fn uses(code: &str, template: &str) -> Uses {
        let code = TextFile::new("programmes/bills/src/pages.rs", code);
        Uses::read(&[code, TextFile::new("programmes/bills/templates/desk.html", template)])
    }

    #[test]
    fn careless_words_are_found() {
        for bad in [
            "[\"bills.a\"]\nzh = \"一\"",
            "[\"bills.a\"]\nzh = \" \"\nen = \"a\"",
            "[\"people.a\"]\nzh = \"一\"\nen = \"a\"",
            "[\"bills.a\"",
        ] {
            let (_, complaints) = Keys::read(&[TextFile::new("programmes/bills/words.toml", bad)]);
            assert_eq!(complaints.len(), 1, "{bad}");
        }
        let one = TextFile::new("programmes/bills/words.toml", WORDS);
        assert_eq!(Keys::read(&[one.clone(), one]).1.len(), 3);
    }

    #[test]
    fn missing_keys_are_found_in_code_and_templates() {
        let found = |code: &str, template: &str| check_missing(&keys(WORDS), &uses(code, template)).len();
        assert_eq!(found("fn a() { page.word(\"bills.title\") }", "{{ page.word(\"bills.title\") }}"), 0);
        assert_eq!(found("fn a() { page.word(\"bills.gone\") }", ""), 1);
        assert_eq!(found("fn a() { words.say(language, \"bills.gone\", &[]) }", ""), 1);
        assert_eq!(found("fn a() { Refusal::new(\"bills.gone\") }", ""), 1);
        assert_eq!(found("fn a() { other(\"bills.gone\") }", ""), 0);
        assert_eq!(
            found("fn a() { other(\"bills.title.gone\", \"bills.layer.basic\", \"web.a.b\") }", ""),
            1
        );
        assert_eq!(found("", "{{ page.button(\"bills.title.gone\") }}"), 1);
        assert_eq!(found("", "<p>{{ page.say1(\"bills.gone\", \"name\", name) }}"), 1);
        assert_eq!(found("#[cfg(test)] mod tests { fn a() { page.word(\"bills.gone\") } }", ""), 0);
    }

    #[test]
    fn unused_keys_are_found() {
        let found = |code: &str| -> Vec<String> {
            let complaints = check_unused(&keys(WORDS), &uses(code, ""));
            complaints
                .into_iter()
                .map(|complaint| complaint.says.split('"').nth(1).unwrap().to_owned())
                .collect()
        };
        assert_eq!(found(""), ["bills.layer.basic.name", "bills.title", "bills.title.lead"]);
        let all =
            "fn a() { (\"bills.title\", format!(\"{key}.lead\"), format!(\"bills.layer.{kind}.name\")) }";
        assert_eq!(found(all), Vec::<String>::new());
        let other_end = "fn a() { (\"bills.title\", \"{key}.lead\", \"bills.layer.{kind}.hint\") }";
        assert_eq!(found(other_end), ["bills.layer.basic.name"]);
        assert_eq!(found("fn a() { \"bills.layer.\" }"), ["bills.title", "bills.title.lead"]);
    }

    #[test]
    fn names_out_of_use_are_found() {
        let said = |zh: &str, en: &str| {
            check_names_of_today(&keys(&format!("[\"bills.a\"]\nzh = \"{zh}\"\nen = \"{en}\""))).len()
        };
        assert_eq!(said("健康帮扶", "health protection"), 0);
        assert_eq!(said("健康扶贫平台", "platform"), 1);
        assert_eq!(said("一", "Poverty alleviation office"), 1);
        assert_eq!(check_historical(&keys(WORDS)).len(), HISTORICAL.len());
        assert_eq!(check_present(&keys(WORDS), ["bills.title", "bills.gone"]).len(), 1);
    }

    #[test]
    fn chinese_in_a_template_is_found() {
        let check = |html: &str| check_template(&TextFile::new("a/templates/b.html", html)).len();
        assert_eq!(check("<p>{{ page.word(\"a.b\") }}</p>{# 账单 #}\n{# 一\n二 #}<p>ok</p>"), 0);
        assert_eq!(check("<p>账单</p>"), 1);
        assert_eq!(check("{# 一 #}<p>账单</p>{# 二 #}"), 1);
    }
}
