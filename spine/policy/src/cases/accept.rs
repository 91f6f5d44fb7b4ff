//! Cases that come out otherwise than they say: what differs, and the text of their file with the new answer, for a person
//! to hold against the source.

use std::ops::Range;
use std::sync::Arc;

use kangmai_base::{Day, Fen};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::said::{ANSWERS, CaseSaid, written_said};
use super::{CaseBill, ChainCase, LayerCase, Taken, taken};
use crate::diff::plain;
use crate::fields::{Errors, Fields};
use crate::figure::{fact_name, key_name, value_said};
use crate::release::{Role, role_of};
use crate::source::PackFile;
use crate::splice::{Splice, block, entries, inline, line_of, quoted};
use crate::vocabulary::Vocabulary;
use crate::{Bilingual, Jurisdiction, Release};

/// Stands before the name of a case whose amounts nobody has worked out from the source yet.
pub const UNCHECKED: &str = "待核对：";

/// A case that comes out otherwise than it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedCase {
    /// The file.
    pub path: String,
    /// The line of its head, from 1.
    pub line: usize,
    /// Its name.
    pub name: String,
    /// What differs, one bill after the other.
    pub rows: Vec<CaseDifference>,
    /// Whether [`Release::with_case_accepted`] can write the new answer.
    pub can_be_accepted: bool,
}

/// What differs of one bill of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseDifference {
    /// The day of the bill, where the case says one.
    pub day: Option<Day>,
    /// What is given; of a chain, the number of the bill.
    pub given: Bilingual,
    /// What is otherwise: what is paid, what is left, or who pays; empty where a sentence says all.
    pub what: Bilingual,
    /// What the case says.
    pub expected: Bilingual,
    /// What comes out.
    pub found: Bilingual,
}

/// A case that waits for somebody to work its amounts out from the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UncheckedCase {
    /// The file.
    pub path: String,
    /// The line of its head, from 1.
    pub line: usize,
    /// Its text.
    pub text: String,
    /// The same in words.
    pub said: Option<CaseSaid>,
}

/// Answers of a layer to one point: what a case may say.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Answer {
    pays: Fen,
    remaining: Fen,
    version: Option<Day>,
    profile: String,
}

/// What each layer pays of a bill, and what the person bears.
type Payments = Vec<(String, Fen)>;

/// One `[[case]]` of a file.
struct Written<'t> {
    file: &'t Arc<PackFile>,
    table: &'t DeTable<'t>,
    case: &'t DeTable<'t>,
    head: Range<usize>,
}

impl Release {
    /// The cases that come out otherwise than they say, in the order of files and lines.
    pub fn changed_cases(&self) -> Vec<ChangedCase> {
        let mut changed: Vec<ChangedCase> = Vec::new();
        for failure in self.run_cases().failures {
            let Some((path, text)) = self.files().iter().find(|(path, _)| *path == failure.path) else {
                continue;
            };
            let head = head_above(text, failure.line);
            if changed.iter().any(|case| case.path == *path && case.line == head) {
                continue;
            }
            let told = self.with_case(path, head, |written, home, benefit| match benefit {
                Some(benefit) => written.layer_rows(self, home, benefit),
                None => written.chain_rows(self, home),
            });
            let rows = told.flatten().filter(|rows| !rows.is_empty());
            let can_be_accepted = rows.is_some() && self.with_case_accepted(path, head).is_some();
            let sentence = || CaseDifference {
                day: None,
                given: Bilingual::default(),
                what: Bilingual::default(),
                expected: Bilingual::default(),
                found: plain(&failure.difference),
            };
            changed.push(ChangedCase {
                path: path.clone(),
                line: head,
                name: failure.name.clone(),
                rows: rows.unwrap_or_else(|| vec![sentence()]),
                can_be_accepted,
            });
        }
        changed.sort_by(|one, other| (&one.path, one.line).cmp(&(&other.path, other.line)));
        changed
    }

    /// The text of the file at `path` in which the case whose head is on `line` says what comes out. Days on which it comes
    /// out as before stay where they are; for the others a case of its own is written beside it. `None` if there is no
    /// such case, or if it does not say amounts of layers.
    pub fn with_case_accepted(&self, path: &str, line: usize) -> Option<String> {
        self.with_case(path, line, |written, home, benefit| match benefit {
            Some(benefit) => written.accepted_layer(self, home, benefit),
            None => written.accepted_chain(self, home),
        })?
    }

    fn with_case<T>(
        &self,
        path: &str,
        line: usize,
        work: impl FnOnce(&Written<'_>, &Jurisdiction, Option<&str>) -> T,
    ) -> Option<T> {
        let (_, text) = self.files().iter().find(|(known, _)| known == path)?;
        let table = DeTable::parse(text).ok()?.into_inner();
        let (directory, role) = role_of(path);
        let home = self.jurisdiction(directory)?;
        let benefit = match role {
            Role::Benefit => Some(table.get("id")?.get_ref().as_str()?),
            Role::Cases => table.get("benefit").and_then(|id| id.get_ref().as_str()),
            _ => return None,
        };
        let cases = table.get("case")?.get_ref().as_array()?;
        let found = cases.iter().find(|case| line_of(text, case.span().start) == line)?;
        let file = Arc::new(PackFile { path: path.to_owned(), text: text.clone() });
        let written =
            Written { file: &file, table: &table, case: found.get_ref().as_table()?, head: found.span() };
        Some(work(&written, home, benefit))
    }

    /// The cases that wait for somebody to work their amounts out from the source.
    pub fn unchecked_cases(&self) -> Vec<UncheckedCase> {
        let mut unchecked = Vec::new();
        for (path, text) in self.files() {
            let Ok(table) = DeTable::parse(text) else { continue };
            let table = table.get_ref();
            for case in table
                .get("case")
                .and_then(|all| all.get_ref().as_array())
                .into_iter()
                .flat_map(|all| all.iter())
            {
                let name = case.get_ref().get("name").and_then(|name| name.get_ref().as_str());
                if name.is_some_and(|name| name.starts_with(UNCHECKED)) {
                    let own = block(text, table, case.span().start);
                    let line = line_of(text, case.span().start);
                    let text = text.get(own).unwrap_or_default().trim_end().to_owned();
                    let said = CaseSaid::of(&text, self.vocabulary());
                    unchecked.push(UncheckedCase { path: path.clone(), line, text, said });
                }
            }
        }
        unchecked
    }
}

/// `text` in which the case whose head is on `line` is checked; `None` if it does not wait for that.
pub fn with_case_checked(text: &str, line: usize) -> Option<String> {
    let table = DeTable::parse(text).ok()?.into_inner();
    let cases = table.get("case")?.get_ref().as_array()?;
    let case = cases.iter().find(|case| line_of(text, case.span().start) == line)?;
    let name = case.get_ref().get("name")?;
    let checked = name.get_ref().as_str()?.strip_prefix(UNCHECKED)?;
    let mut splice = Splice::default();
    splice.replace(name.span(), quoted(checked));
    Some(splice.applied(text))
}

/// The line of the last `[[case]]` at or above `line`.
fn head_above(text: &str, line: usize) -> usize {
    let lines: Vec<&str> = text.lines().take(line).collect();
    lines.iter().rposition(|text| text.trim_start().starts_with("[[case]]")).map_or(line, |index| index + 1)
}

impl Written<'_> {
    fn text(&self) -> &str {
        &self.file.text
    }

    /// What is given: what all points share, then what the point has of its own; without the answers.
    fn given(&self, point: Option<&Spanned<DeValue<'_>>>, vocabulary: &Vocabulary) -> Bilingual {
        let shared = self.case.get("given");
        let parts = shared
            .into_iter()
            .chain(point)
            .filter_map(|value| entries(self.text(), value.get_ref().as_table()?, value.span()));
        let own = parts.flatten().filter(|(key, _)| !ANSWERS.contains(&key.as_str()));
        written_said(&own.collect::<Vec<_>>(), vocabulary)
    }

    fn name(&self) -> &str {
        self.case.get("name").and_then(|name| name.get_ref().as_str()).unwrap_or_default()
    }

    /// Its cases: for each of its points, or for itself, one for each of its days.
    fn layer_cases(&self, release: &Release) -> Vec<LayerCase> {
        let errors = Errors::default();
        let fields = Fields::new(self.file, &errors, self.case, self.head.clone());
        LayerCase::read(&fields, release.vocabulary())
    }

    /// The tables that say what must come out: the points, or the one `expect`.
    fn said(&self) -> Vec<&Spanned<DeValue<'_>>> {
        match self.case.get("points").and_then(|points| points.get_ref().as_array()) {
            Some(points) => points.iter().collect(),
            None => self.case.get("expect").into_iter().collect(),
        }
    }

    fn layer_rows(
        &self,
        release: &Release,
        home: &Jurisdiction,
        benefit: &str,
    ) -> Option<Vec<CaseDifference>> {
        let cases = self.layer_cases(release);
        let said = self.said();
        let days = cases.len().checked_div(said.len())?;
        let mut rows = Vec::new();
        for (index, case) in cases.iter().enumerate() {
            let found = case.answer(home, benefit)?;
            let point = self.case.get("points").and_then(|_| said.get(index.checked_div(days)?).copied());
            let given = self.given(point, release.vocabulary());
            let mut put = |what: &str, expected: String, found: String| {
                if expected != found {
                    let day = Some(case.given.facts.discharge);
                    let [expected, found] = [expected, found]
                        .map(|text| value_said(what, &toml::Value::String(text), release.vocabulary()));
                    rows.push(CaseDifference {
                        day,
                        given: given.clone(),
                        what: fact_name(what),
                        expected,
                        found,
                    });
                }
            };
            put("pays", case.pays.to_string(), found.pays.to_string());
            if let Some(left) = case.left {
                put("remaining", left.to_string(), found.remaining.to_string());
            }
            if let Some(version) = case.version {
                put(
                    "version",
                    version.to_string(),
                    found.version.map_or_else(String::new, |day| day.to_string()),
                );
            }
            if let Some(profile) = &case.profile {
                put("profile", profile.clone(), found.profile.clone());
            }
        }
        Some(rows)
    }

    fn accepted_layer(&self, release: &Release, home: &Jurisdiction, benefit: &str) -> Option<String> {
        let cases = self.layer_cases(release);
        let points = self.said().len();
        let days: Vec<Day> = {
            let count = cases.len().checked_div(points)?;
            cases.iter().take(count).map(|case| case.given.facts.discharge).collect()
        };
        // Of each day, what comes out at each point; and whether that is what the case says.
        let mut same = Vec::new();
        let mut others: Vec<(Vec<Day>, Vec<Answer>)> = Vec::new();
        for (number, day) in days.iter().enumerate() {
            let of_day: Vec<&LayerCase> = cases.iter().skip(number).step_by(days.len()).collect();
            let answers: Option<Vec<Answer>> = of_day.iter().map(|case| case.answer(home, benefit)).collect();
            let answers = answers?;
            if of_day.iter().all(|case| case.holds(home.to_read(), benefit)) {
                same.push(*day);
            } else if let Some((days, _)) = others.iter_mut().find(|(_, other)| *other == answers) {
                days.push(*day);
            } else {
                others.push((vec![*day], answers));
            }
        }
        let text = self.text();
        let own = block(text, self.table, self.head.start);
        let mut splice = Splice::default();
        let mut after = String::new();
        let in_place = same.is_empty().then_some(0);
        for (index, (days, answers)) in others.iter().enumerate() {
            let name = (in_place != Some(index))
                .then(|| format!("{}（{}）", self.name(), days.first().copied().unwrap_or(Day(0))));
            let written = self.with_answers(own.clone(), (name, days), answers)?;
            if in_place == Some(index) {
                splice.replace(own.clone(), written);
            } else {
                after.extend(["\n", written.trim_end(), "\n"]);
            }
        }
        if !same.is_empty() {
            splice.replace(self.case.get("date")?.span(), dates(&same));
        }
        splice.insert(own.end, after);
        Some(splice.applied(text))
    }

    /// The text of the case with other days, another name, and these answers where it says any.
    fn with_answers(
        &self,
        own: Range<usize>,
        (name, days): (Option<String>, &[Day]),
        answers: &[Answer],
    ) -> Option<String> {
        let text = self.text();
        let mut splice = Splice::default();
        let shifted = |span: Range<usize>| span.start - own.start..span.end - own.start;
        splice.replace(shifted(self.case.get("date")?.span()), dates(days));
        if let Some(name) = name {
            splice.replace(shifted(self.case.get("name")?.span()), quoted(&name));
        }
        for (value, answer) in self.said().into_iter().zip(answers) {
            let pairs = entries(text, value.get_ref().as_table()?, value.span())?;
            let pairs: Vec<(String, String)> = pairs
                .into_iter()
                .filter_map(|(key, value)| Some((key.clone(), answer.of(&key, value)?)))
                .collect();
            splice.replace(shifted(value.span()), inline(&pairs));
        }
        Some(splice.applied(text.get(own.clone())?))
    }

    fn chain(&self, release: &Release) -> Option<ChainCase> {
        let errors = Errors::default();
        let fields = Fields::new(self.file, &errors, self.case, self.head.clone());
        ChainCase::read(&fields, release.vocabulary())
    }

    /// Of each bill, what each layer pays and what the person bears.
    fn chain_found(&self, release: &Release, home: &Jurisdiction) -> Option<(ChainCase, Vec<Payments>)> {
        let case = self.chain(release)?;
        let policy = home.to_read();
        let mut found = Vec::new();
        case.settle(home, policy, |_, _, trace| {
            let layers = policy.layers().iter().zip(trace.steps());
            let mut of_bill: Vec<(String, Fen)> =
                layers.map(|(layer, step)| (layer.benefit.id.clone(), step.pays)).collect();
            of_bill.push(("own".to_owned(), trace.own_share));
            found.push(of_bill);
        })
        .ok()?;
        Some((case, found))
    }

    fn chain_rows(&self, release: &Release, home: &Jurisdiction) -> Option<Vec<CaseDifference>> {
        let (case, found) = self.chain_found(release, home)?;
        let mut rows = Vec::new();
        let layers = home.to_read().layers();
        let name_of = |what: &str| {
            let layer = layers.iter().find(|layer| layer.benefit.id == what);
            layer.map_or_else(|| fact_name(what), |layer| layer.benefit.name.clone())
        };
        let yuan =
            |amount: Fen| value_said("pays", &toml::Value::String(amount.to_string()), release.vocabulary());
        for (number, (CaseBill { facts, expect, .. }, found)) in case.bills.iter().zip(&found).enumerate() {
            for (what, amount) in found {
                let said = expect.iter().find(|(name, _)| name == what).map(|(_, amount)| *amount);
                let expected =
                    if what == "own" { said.unwrap_or(*amount) } else { said.unwrap_or(Fen::ZERO) };
                if expected != *amount {
                    rows.push(CaseDifference {
                        day: Some(facts.discharge),
                        given: key_name("bill", Some(number + 1)),
                        what: name_of(what),
                        expected: yuan(expected),
                        found: yuan(*amount),
                    });
                }
            }
        }
        Some(rows)
    }

    fn accepted_chain(&self, release: &Release, home: &Jurisdiction) -> Option<String> {
        let (_, found) = self.chain_found(release, home)?;
        let text = self.text();
        let bills = self.case.get("bill")?.get_ref().as_array()?;
        let mut splice = Splice::default();
        for (bill, found) in bills.iter().zip(&found) {
            let expect = bill.get_ref().get("expect")?;
            let said = entries(text, expect.get_ref().as_table()?, expect.span())?;
            let amount =
                |name: &str| found.iter().find(|(other, _)| other == name).map(|(_, amount)| *amount);
            // What it says stays in its order; a layer that it does not name and that pays comes before the own share.
            let mut pairs: Vec<(String, String)> = said
                .iter()
                .filter_map(|(key, _)| Some((key.clone(), quoted(&amount(key)?.to_string()))))
                .collect();
            let place = pairs.iter().position(|(key, _)| key == "own").unwrap_or(pairs.len());
            let is_new = |(name, amount): &&(String, Fen)| {
                name != "own" && *amount != Fen::ZERO && !said.iter().any(|(key, _)| key == name)
            };
            let new: Vec<(String, String)> = found
                .iter()
                .filter(is_new)
                .map(|(name, amount)| (name.clone(), quoted(&amount.to_string())))
                .collect();
            pairs.splice(place..place, new);
            splice.replace(expect.span(), inline(&pairs));
        }
        Some(splice.applied(text))
    }
}

impl Answer {
    /// What stands at `key`; `old` where the key is no answer, nothing where there is none to give.
    fn of(&self, key: &str, old: String) -> Option<String> {
        match key {
            "pays" => Some(quoted(&self.pays.to_string())),
            "remaining" => Some(quoted(&self.remaining.to_string())),
            "version" => self.version.map(|day| quoted(&day.to_string())),
            "profile" => (!self.profile.is_empty()).then(|| quoted(&self.profile)),
            _ => Some(old),
        }
    }
}

impl LayerCase {
    fn answer(&self, home: &Jurisdiction, benefit: &str) -> Option<Answer> {
        let policy = home.to_read();
        let index = policy.layer_of(benefit)?;
        let step = self.given.settle(policy, index);
        let Taken { version, profile, .. } = taken(policy, index, &step);
        Some(Answer { pays: step.pays, remaining: step.remaining, version, profile: profile.to_owned() })
    }
}

/// One day by itself, several as a list.
fn dates(days: &[Day]) -> String {
    let days: Vec<String> = days.iter().map(|day| quoted(&day.to_string())).collect();
    match days.as_slice() {
        [only] => only.clone(),
        several => format!("[{}]", several.join(", ")),
    }
}
