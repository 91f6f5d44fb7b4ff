//! Drafts of a new release: which files they change, what stands in the way of making them law. Pure.

mod added;
mod merge;

use std::collections::BTreeSet;
use std::sync::Arc;

use kangmai_base::{DivisionCode, DivisionLevel, Moment, Uuid};
use kangmai_policy::{
    Bilingual, ChangedCase, Citation, Difference, Language, MutationChoice, Overlay, PackError, Release,
    UncheckedCase, diff, pack_directory, take_over, text_hash,
};
use serde::{Deserialize, Serialize};

pub use added::with_cases;
pub use merge::merge;

/// Most files of one draft.
pub const MOST_FILES: usize = 40;
/// The longest text of a file, in characters.
pub const LONGEST_FILE: usize = 60_000;

/// How far a draft is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DraftState {
    /// It is written on.
    Open,
    /// It waits for a second person.
    Submitted,
    /// It was sent back; writing on takes it up again.
    Rejected,
    /// It is law.
    Published,
    /// It was given up.
    Withdrawn,
}

impl DraftState {
    /// All of them.
    pub const ALL: [DraftState; 5] = [
        DraftState::Open,
        DraftState::Submitted,
        DraftState::Rejected,
        DraftState::Published,
        DraftState::Withdrawn,
    ];

    /// Its name in the database.
    pub const fn key(self) -> &'static str {
        match self {
            DraftState::Open => "open",
            DraftState::Submitted => "submitted",
            DraftState::Rejected => "rejected",
            DraftState::Published => "published",
            DraftState::Withdrawn => "withdrawn",
        }
    }

    /// The one of this name.
    pub fn of_key(key: &str) -> Option<DraftState> {
        DraftState::ALL.into_iter().find(|state| state.key() == key)
    }

    /// Whether its files may be changed.
    pub const fn is_written_on(self) -> bool {
        matches!(self, DraftState::Open | DraftState::Rejected)
    }
}

/// A file that a draft changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftFile {
    /// Which.
    pub path: String,
    /// Its text in the release that the draft was made from.
    pub old: Option<String>,
    /// Its text in the draft; none: the program's holds again, or it is gone where the program has none.
    pub text: Option<String>,
    /// The text that somebody else published meanwhile, where both changed the same lines and nobody has decided yet.
    pub clash: Option<String>,
}

/// A mutant that somebody accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptedMutant {
    /// Its name.
    pub mutant: String,
    /// Why.
    pub reason: String,
    /// Who.
    pub name: String,
}

/// What was done with a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: Moment,
    /// Whose account.
    pub account: Uuid,
    /// Who.
    pub name: String,
    /// What: the end of a key of words.
    pub act: String,
    /// Why, or which.
    pub reason: String,
}

/// Acts of a draft's history that change what it says, or vouch for it: who did one of them may not approve it.
pub const OWN_ACTS: [&str; 11] = [
    "begun",
    "figure",
    "file",
    "dropped",
    "case_accepted",
    "cases_added",
    "case_checked",
    "mutant_accepted",
    "rebased",
    "decided",
    "submitted",
];

/// A draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Which.
    pub id: Uuid,
    /// For which place.
    pub place: DivisionCode,
    /// What it is called.
    pub title: String,
    /// Number of the publication that it was made from.
    pub made_from: i64,
    /// How far it is.
    pub state: DraftState,
    /// Who began it.
    pub author_name: String,
    /// When it was last changed.
    pub changed_at: Moment,
    /// Counts its changes.
    pub revision: i64,
    /// What became of the mutants.
    pub judged: Option<Judged>,
    /// That its mutants are being judged.
    pub judging: Option<Judging>,
    /// The latest run over last year's bills.
    pub run: Option<Uuid>,
    /// The publication that it became.
    pub publication: Option<i64>,
    /// Its files.
    pub files: Vec<DraftFile>,
    /// Mutants that are accepted.
    pub accepted: Vec<AcceptedMutant>,
    /// What was done with it, the first first.
    pub steps: Vec<Step>,
}

/// How far judging is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judging {
    /// When it last said that it goes on.
    pub at: Moment,
    /// How many mutants are judged.
    pub done: i64,
    /// Of how many; zero before that is known.
    pub all: i64,
}

/// Judging that says nothing for so long has broken off, in seconds.
pub const SILENT_FOR: i64 = 60;

impl Judging {
    /// Whether it goes on.
    pub fn is_under_way(&self, now: Moment) -> bool {
        self.at.plus_seconds(SILENT_FOR) >= now
    }
}

/// What became of the mutants of what a draft touches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// Of which law and cases: [`Review::proof`].
    pub release: String,
    /// How many made a case fail, or were refused by the loader.
    pub noticed: usize,
    /// Those that no case notices.
    pub alive: Vec<Alive>,
}

/// A mutant that no case notices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alive {
    /// Its name, by which it is accepted.
    pub name: String,
    /// The file.
    pub path: String,
    /// What and where, as the loader says it, in Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
    /// What and where, in words.
    #[serde(default)]
    pub said: Bilingual,
    /// The case to write.
    pub case: Option<String>,
}

/// The packs of today: those of the program, and with what was published over them.
#[derive(Debug, Clone)]
pub struct Today {
    /// The packs that the program came with.
    pub shipped: Arc<Release>,
    /// The packs in force.
    pub in_force: Arc<Release>,
    /// The number of the newest publication.
    pub newest: i64,
}

/// Something that keeps a draft from being handed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blocker {
    /// It changes nothing.
    Empty,
    /// Another release was published since it was begun.
    Outdated,
    /// Others changed the same lines of this file.
    Clash(String),
    /// This file is law of a place that is not the draft's.
    NotYours(String),
    /// So many errors of the loader.
    Errors(usize),
    /// So many cases come out otherwise.
    Cases(usize),
    /// So many cases wait for somebody to check them.
    Unchecked(usize),
    /// The mutants of what it says now were not judged.
    NotJudged,
    /// So many mutants are alive and not accepted.
    Alive(usize),
}

/// All that is to be known of a draft before it becomes law.
#[derive(Debug, Default)]
pub struct Review {
    /// The packs with it, if they load.
    pub release: Option<Arc<Release>>,
    /// What keeps them from loading.
    pub errors: Vec<PackError>,
    /// What is otherwise than in force.
    pub differences: Vec<Difference>,
    /// Cases that come out otherwise.
    pub cases: Vec<ChangedCase>,
    /// Cases that wait for somebody to check them.
    pub unchecked: Vec<UncheckedCase>,
    /// Points that no case covers, in the files that it changes, and that were covered or not there before.
    pub missing: Vec<PackError>,
    /// What keeps it from being handed in.
    pub blockers: Vec<Blocker>,
    /// The law and the cases, whatever the cases are called: what was judged of the mutants holds as long as this is the same.
    pub proof: String,
}

impl Review {
    /// What bills can be settled otherwise for, in words.
    pub fn law_told(&self, language: Language) -> Vec<String> {
        let law = self.differences.iter().filter(|one| one.is_law);
        law.map(|one| one.text.get(language).to_owned()).collect()
    }
}

fn text_of<'r>(release: &'r Release, path: &str) -> Option<&'r String> {
    release.files().iter().find(|(known, _)| known == path).map(|(_, text)| text)
}

impl Draft {
    /// All files with the draft laid over those in force.
    pub fn laid_over(&self, today: &Today) -> Vec<(String, String)> {
        let own = |path: &String| self.files.iter().any(|file| file.path == *path);
        let rest = today.in_force.files().iter().filter(|(path, _)| !own(path)).cloned();
        let changed = self.files.iter().filter_map(|file| {
            let text = file.text.as_ref().or_else(|| text_of(&today.shipped, &file.path));
            Some((file.path.clone(), text?.clone()))
        });
        rest.chain(changed).collect()
    }

    /// The file at `path` as the draft has it, else as it is in force.
    pub fn text(&self, today: &Today, path: &str) -> Option<String> {
        match self.files.iter().find(|file| file.path == path) {
            Some(file) => file.text.clone().or_else(|| text_of(&today.shipped, path).cloned()),
            None => text_of(&today.in_force, path).cloned(),
        }
    }

    /// Loads, runs the cases, derives the points, holds it against what is in force. Takes a while.
    pub fn review(&self, today: &Today) -> Review {
        let mut review = Review { proof: self.proof(today), ..Review::default() };
        match Release::load(self.laid_over(today)) {
            Ok(release) => {
                review.differences = diff(&today.in_force, &release);
                // First what bills can be settled otherwise for, then cases and comments.
                review.differences.sort_by_key(|one| !one.is_law);
                review.cases = release.changed_cases();
                review.unchecked = release.unchecked_cases();
                review.missing = self.newly_missing(today, &release);
                review.release = Some(Arc::new(release));
            }
            Err(errors) => review.errors = errors,
        }
        review.blockers = self.blockers(today, &review);
        review
    }

    /// The same with files written and files taken out.
    #[must_use]
    pub fn after(&self, written: &[DraftFile], dropped: &[String]) -> Draft {
        let mut after = self.clone();
        after.files.retain(|file| {
            !dropped.contains(&file.path) && written.iter().all(|other| other.path != file.path)
        });
        after.files.extend_from_slice(written);
        after.files.sort_by(|one, other| one.path.cmp(&other.path));
        after
    }

    /// Whether what was judged of the mutants holds for what it says now.
    pub fn is_judged(&self, today: &Today) -> bool {
        let judged = self.judged.as_ref();
        judged.is_some_and(|judged| judged.release == self.proof(today))
    }

    /// See [`Review::proof`].
    fn proof(&self, today: &Today) -> String {
        let mut all = today.in_force.hash().to_owned();
        for file in &self.files {
            let text = self.text(today, &file.path).unwrap_or_default();
            let said = text.parse::<toml::Table>().map(|mut table| {
                let cases = table.get_mut("case").and_then(toml::Value::as_array_mut);
                for case in cases.into_iter().flatten().filter_map(toml::Value::as_table_mut) {
                    case.remove("name");
                }
                table.to_string()
            });
            all.extend(["\n", &file.path, "\n", &said.unwrap_or(text)]);
        }
        text_hash(&all)
    }

    fn newly_missing(&self, today: &Today, release: &Release) -> Vec<PackError> {
        let said = |error: &PackError| (error.path.clone(), error.problem(Language::Zh));
        let before: BTreeSet<(String, String)> = today.in_force.lint().iter().map(said).collect();
        let packs: BTreeSet<&str> = self.files.iter().map(|file| pack_directory(&file.path)).collect();
        let missing = release.lint().into_iter();
        missing
            .filter(|error| packs.contains(pack_directory(&error.path)) && !before.contains(&said(error)))
            .collect()
    }

    fn blockers(&self, today: &Today, review: &Review) -> Vec<Blocker> {
        let mut blockers = Vec::new();
        if self.files.is_empty() {
            blockers.push(Blocker::Empty);
        }
        if self.made_from != today.newest {
            blockers.push(Blocker::Outdated);
        }
        let clashing = self.files.iter().filter(|file| file.clash.is_some());
        blockers.extend(clashing.map(|file| Blocker::Clash(file.path.clone())));
        let Some(release) = &review.release else {
            blockers.push(Blocker::Errors(review.errors.len()));
            return blockers;
        };
        let foreign =
            self.files.iter().filter(|file| !is_within(self.place, [&today.in_force, release], &file.path));
        blockers.extend(foreign.map(|file| Blocker::NotYours(file.path.clone())));
        let count = |number: usize, blocker: fn(usize) -> Blocker| (number > 0).then(|| blocker(number));
        blockers.extend(count(review.cases.len(), Blocker::Cases));
        blockers.extend(count(review.unchecked.len(), Blocker::Unchecked));
        match self.judged.as_ref().filter(|judged| judged.release == review.proof) {
            None => blockers.push(Blocker::NotJudged),
            Some(judged) => blockers.extend(count(self.alive(judged).count(), Blocker::Alive)),
        }
        blockers
    }

    /// Mutants that are alive and that nobody has accepted.
    pub fn alive<'j>(&'j self, judged: &'j Judged) -> impl Iterator<Item = &'j Alive> {
        let is_open = |alive: &&Alive| !self.accepted.iter().any(|accepted| accepted.mutant == alive.name);
        judged.alive.iter().filter(is_open)
    }

    /// Whether `account` has written on it or handed it in.
    pub fn is_of(&self, account: Uuid) -> bool {
        self.steps.iter().any(|step| step.account == account && OWN_ACTS.contains(&step.act.as_str()))
    }

    /// The same made from what is in force today: what others changed in the meantime is taken in line by line; where both
    /// changed the same lines, somebody has to decide.
    #[must_use]
    pub fn rebased(&self, today: &Today) -> Vec<DraftFile> {
        let rebase = |file: &DraftFile| {
            let now = text_of(&today.in_force, &file.path).cloned();
            if now == file.old {
                return DraftFile { clash: None, ..file.clone() };
            }
            let merged = match (&file.old, &file.text, &now) {
                (Some(old), Some(own), Some(now)) => merge(old, own, now),
                _ => None,
            };
            match merged {
                Some(text) => DraftFile { old: now, text: Some(text), clash: None, path: file.path.clone() },
                None if file.text == now => DraftFile { old: now, clash: None, ..file.clone() },
                // That it is gone now is said as an empty text.
                None => DraftFile { clash: Some(now.clone().unwrap_or_default()), old: now, ..file.clone() },
            }
        };
        self.files.iter().map(rebase).collect()
    }
}

/// Whether the file at `path` is law of `place`, or of a place in it, in both releases, as far as they have its pack.
pub fn is_within(place: DivisionCode, releases: [&Release; 2], path: &str) -> bool {
    let directory = pack_directory(path);
    let packs: Vec<DivisionCode> = releases
        .into_iter()
        .filter_map(|release| release.jurisdiction(directory))
        .map(|one| one.pack.place)
        .collect();
    !packs.is_empty() && packs.into_iter().all(|other| place.contains(other))
}

/// The directory of the place's own pack, there or to be made: under the innermost pack that holds the place.
pub fn own_directory(release: &Release, place: DivisionCode) -> String {
    let holding = release.jurisdictions().iter().filter(|one| one.pack.place.contains(place));
    let Some(nearest) = holding.max_by_key(|one| (one.pack.place.level(), one.pack.directory.len())) else {
        return String::new();
    };
    if nearest.pack.place == place {
        return nearest.pack.directory.clone();
    }
    format!("{}/{}", nearest.pack.directory, short_code(place))
}

/// A code without the zeros that say nothing.
pub fn short_code(place: DivisionCode) -> String {
    let digits = match place.level() {
        None => 0,
        Some(DivisionLevel::Province) => 2,
        Some(DivisionLevel::City) => 4,
        Some(DivisionLevel::County) => 6,
        Some(DivisionLevel::Township) => 9,
        Some(DivisionLevel::Village) => 12,
    };
    place.to_string().chars().take(digits).collect()
}

/// Why a change of figures cannot be written.
#[derive(Debug)]
pub enum NotWritten {
    /// What is wrong with it.
    Errors(Vec<PackError>),
    /// The benefit cannot be taken over from the place above.
    NoRoom,
}

/// The files that change a figure of the law at `place`: where a place above rules the benefit, `place` takes it over first.
///
/// # Errors
/// See [`NotWritten`].
pub fn write_figure(
    release: &Release,
    (place, name): (DivisionCode, &str),
    (benefit, change): (&str, &str),
    citation: &Citation,
) -> Result<Vec<(String, String)>, NotWritten> {
    let own = own_directory(release, place);
    let overlay = Overlay::parse(&[change]).map_err(NotWritten::Errors)?;
    let mut files = Vec::new();
    let mut with_own = None;
    if is_taken_over(release, place, benefit) {
        let code = short_code(place);
        let english = format!("division {code}");
        files = take_over(release, (&own, &code, (name, &english)), benefit).ok_or(NotWritten::NoRoom)?;
        let rest = release.files().iter().filter(|(path, _)| !files.iter().any(|(other, _)| other == path));
        let all: Vec<(String, String)> = rest.chain(&files).cloned().collect();
        with_own = Some(Release::load(all).map_err(NotWritten::Errors)?);
    }
    let release = with_own.as_ref().unwrap_or(release);
    let written = overlay.write(release, &own, citation).map_err(NotWritten::Errors)?;
    files.retain(|(path, _)| !written.iter().any(|(other, _)| other == path));
    files.extend(written);
    Ok(files)
}

/// Whether a place above `place` rules the benefit, so that `place` must take it over before it can change it.
pub fn is_taken_over(release: &Release, place: DivisionCode, benefit: &str) -> bool {
    let own = own_directory(release, place);
    let one = release.jurisdiction(&own);
    !one.is_some_and(|one| one.pack.benefits.iter().any(|own| own.id == benefit))
}

/// Judges the mutants of every benefit and table that the draft's files are about, and says after each how many are done, and
/// of how many; `None` once `told` says that nobody waits for it. Takes seconds.
pub fn judge(
    release: &Release,
    files: &[DraftFile],
    proof: &str,
    told: &(dyn Fn(usize, usize) -> bool + Sync),
) -> Option<Judged> {
    let mut judged = Judged { release: proof.to_owned(), noticed: 0, alive: Vec::new() };
    let choices: BTreeSet<(String, String)> = files
        .iter()
        .filter_map(|file| {
            let text = text_of(release, &file.path)?;
            let table: toml::Table = text.parse().ok()?;
            let stem = file.path.rsplit('/').next()?.strip_suffix(".toml")?;
            let named = |key: &str| table.get(key).and_then(toml::Value::as_str).map(str::to_owned);
            let only = match file.path.as_str() {
                path if path.contains("/benefits/") => named("id")?,
                path if path.contains("/cases/") => named("benefit")?,
                _ => stem.to_owned(),
            };
            Some((pack_directory(&file.path).to_owned(), only))
        })
        .collect();
    let choice =
        |(pack, only): (String, String)| MutationChoice { pack: Some(pack), only: Some(only), threads: 1 };
    let choices: Vec<MutationChoice> = choices.into_iter().map(choice).collect();
    let counts: Vec<usize> = choices.iter().map(|choice| release.mutants(choice)).collect();
    let (all, mut before) = (counts.iter().sum(), 0);
    for (choice, count) in choices.iter().zip(counts) {
        let report = release.mutate_told(choice, &|done, _| told(before + done, all))?;
        before += count;
        judged.noticed += report.killed + report.refused;
        judged.alive.extend(report.alive.into_iter().map(|alive| Alive {
            zh: alive.error.render(Language::Zh),
            en: alive.error.render(Language::En),
            path: alive.error.path.clone(),
            said: alive.said,
            name: alive.name,
            case: alive.case,
        }));
    }
    Some(judged)
}

#[cfg(test)]
mod tests;
