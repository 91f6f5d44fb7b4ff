//! Cases that mutants ask for, put into a file: each once.

use toml::{Table, Value};

/// What a case says, without its name.
struct Said {
    date: Value,
    given: Value,
    expect: Table,
}

impl Said {
    fn of(case: &Table) -> Option<Said> {
        let expect = case.get("expect")?.as_table()?.clone();
        Some(Said { date: case.get("date")?.clone(), given: case.get("given")?.clone(), expect })
    }

    /// Whether the other says all that this one does.
    fn is_said_by(&self, other: &Said) -> bool {
        (&self.date, &self.given) == (&other.date, &other.given)
            && self.expect.iter().all(|(key, value)| other.expect.get(key) == Some(value))
    }
}

fn cases_of(text: &str) -> Vec<Said> {
    let table: Table = text.parse().unwrap_or_default();
    let cases = table.get("case").and_then(Value::as_array).cloned().unwrap_or_default();
    cases.iter().filter_map(|case| Said::of(case.as_table()?)).collect()
}

/// `text` with those of `cases` behind it that say something that neither a case of the text nor another of them says: one
/// case often notices several mutants.
pub fn with_cases(text: &str, cases: &[&str]) -> String {
    let there = cases_of(text);
    let mut new: Vec<(&str, Said)> = Vec::new();
    for case in cases {
        let Some(said) = cases_of(case).pop() else { continue };
        let is_known =
            there.iter().chain(new.iter().map(|(_, other)| other)).any(|other| said.is_said_by(other));
        if !is_known {
            new.retain(|(_, other)| !other.is_said_by(&said));
            new.push((case, said));
        }
    }
    let mut out = text.trim_end().to_owned();
    for (case, _) in new {
        out.extend(["\n\n", case.trim_end()]);
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_added_once_whatever_it_is_called() {
        let case = |name: &str, day: &str, expect: &str| {
            format!(
                "[[case]]\nname = \"{name}\"\ndate = \"{day}\"\ngiven = {{ compliant = \"1.00\" }}\nexpect = {{ {expect} }}\n"
            )
        };
        let one = case("a", "2026-01-01", "pays = \"1.00\"");
        let same = case("b", "2026-01-01", "pays = \"1.00\"");
        let more = case("c", "2026-01-01", "pays = \"1.00\", profile = \"x\"");
        let other_day = case("d", "2026-01-02", "pays = \"1.00\"");
        let text = "id = \"x\"\n";
        let added = |text: &str, cases: &[&String]| {
            let cases: Vec<&str> = cases.iter().map(|case| case.as_str()).collect();
            cases_of(&with_cases(text, &cases)).len()
        };
        assert_eq!(added(text, &[&one, &same]), 1);
        assert_eq!(added(text, &[&one, &more]), 1, "the one that says more stays");
        assert!(with_cases(text, &[&one, &more]).contains("profile"));
        assert_eq!(added(text, &[&more, &one, &other_day]), 2);
        assert_eq!(added(&format!("{text}\n{more}"), &[&one, &same]), 1, "what is there already");
        assert!(with_cases(text, &[&one]).starts_with("id = \"x\"\n\n[[case]]"));
    }
}
