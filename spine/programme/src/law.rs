//! The law in force: the packs that the program came with, and over them what was published here.
//!
//! A publication holds whole files, each with the text of the program that it was made from. When a later program brings
//! another text of such a file, the published one stays in force and the three of them are a [`Conflict`], until somebody
//! makes another release. Every release that was ever in force can be read by its hash.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use kangmai_base::{Day, DivisionCode, Moment};
use kangmai_database::{Database, DatabaseError, Transaction};
use kangmai_policy::{Bilingual, PackError, Release, text_hash};

use crate::{App, store};

/// What is published over the files of the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedFile {
    /// Which file.
    pub path: String,
    /// By which publication.
    pub number: i64,
    /// Hash of the program's text that it was made from; none if the program had no such file.
    pub base: Option<String>,
    /// Its text.
    pub text: String,
}

/// A file of a publication to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileToPublish {
    /// Which file.
    pub path: String,
    /// The program's text of it.
    pub base: Option<String>,
    /// The text from now on; none: the program's holds again.
    pub text: Option<String>,
}

/// Which bills a publication may settle otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Touches {
    /// None: only cases or comments changed.
    Nothing,
    /// Those from this day on.
    From(Day),
    /// All.
    Everything,
}

impl Touches {
    /// As it is kept.
    pub fn key(self) -> String {
        match self {
            Touches::Nothing => "nothing".to_owned(),
            Touches::From(day) => day.to_string(),
            Touches::Everything => "everything".to_owned(),
        }
    }

    /// As it was kept.
    pub fn of_key(key: &str) -> Option<Touches> {
        match key {
            "nothing" => Some(Touches::Nothing),
            "everything" => Some(Touches::Everything),
            day => day.parse().ok().map(Touches::From),
        }
    }
}

/// A publication to be made.
#[derive(Debug, Clone)]
pub struct NewPublication {
    /// The number of the publication that it follows.
    pub after: i64,
    /// All packs with it.
    pub release: Arc<Release>,
    /// Hash of the release that it was made from.
    pub made_from: String,
    /// For which place.
    pub place: DivisionCode,
    /// What it is called.
    pub title: String,
    /// Which bills may be settled otherwise.
    pub touches: Touches,
    /// What is otherwise, in words.
    pub told: Vec<Bilingual>,
    /// Its files.
    pub files: Vec<FileToPublish>,
}

/// What was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// Counted from 1.
    pub number: i64,
    /// Hash of all packs with it, as of then.
    pub release: String,
    /// Hash of the release that it was made from.
    pub made_from: String,
    /// For which place.
    pub place: DivisionCode,
    /// What it is called.
    pub title: String,
    /// Which bills may be settled otherwise.
    pub touches: Touches,
    /// Who made it.
    pub author: String,
    /// Who approved it.
    pub approver: String,
    /// When.
    pub at: Moment,
    /// What is otherwise, in words.
    pub told: Vec<Bilingual>,
}

/// A published file whose text in the program has become another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// Which file.
    pub path: String,
    /// By which publication.
    pub number: i64,
    /// The text in force.
    pub published: String,
    /// Hash of the program's text that it was made from.
    pub old_base: Option<String>,
    /// The program's text of today.
    pub new_base: Option<String>,
}

/// Why the law in the database could not be taken up.
#[derive(Debug, thiserror::Error)]
pub enum LawError {
    /// The published files do not load with this program.
    #[error("{}", refused(.published, .errors))]
    Packs {
        /// The published files and the numbers of their publications.
        published: Vec<(String, i64)>,
        /// What the loader says of them.
        errors: Vec<PackError>,
    },
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// The sentence for who starts a program that cannot read the law of its database, and each error with its place.
fn refused(published: &[(String, i64)], errors: &[PackError]) -> String {
    let is_named = |path: &str| errors.iter().any(|error| error.path == path);
    let named = published.iter().filter(|(path, _)| is_named(path));
    let mut named: Vec<String> =
        named.map(|(path, number)| format!("{path} (published as number {number})")).collect();
    if named.is_empty() {
        named.push("a file of the program together with the published ones".to_owned());
    }
    let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
    format!(
        "the law that was published in this database does not load with this program: {}. This program does not start \
         with another law and has changed nothing in the database. To mend it: start the program of before, publish \
         there, on the page /policy-drafts, a text of the file that both read, and start this program again; \
         `kangmai check` of this program says whether it would.\n{}",
        named.join(", "),
        told.join("\n")
    )
}

/// The law of a database as it was read: the packs of the program with what was published over them.
#[derive(Debug, Clone)]
pub struct Law {
    /// The number of the newest publication; 0: nothing was published.
    pub number: i64,
    /// All packs.
    pub release: Arc<Release>,
}

/// Reads the law of a database, over the packs of the program. It only reads: tables need not be up to date, nor be there.
/// For commands and threads that may block.
///
/// # Errors
/// See [`LawError`].
pub fn read_law(database: &Database, shipped: &Arc<Release>) -> Result<Law, LawError> {
    let (number, published) = database.read_blocking(read_published)?;
    law_over(shipped, number, &published)
}

/// The newest publication's number, and the files that lie over those of the program.
fn read_published(tx: &mut Transaction<'_>) -> Result<(i64, Vec<PublishedFile>), DatabaseError> {
    if !tx.has_table("policy_publication")? {
        return Ok((0, Vec::new()));
    }
    Ok((store::newest_publication(tx)?, store::laid_over(tx)?))
}

fn law_over(shipped: &Arc<Release>, number: i64, published: &[PublishedFile]) -> Result<Law, LawError> {
    if published.is_empty() {
        return Ok(Law { number, release: Arc::clone(shipped) });
    }
    match Release::load(with_published(shipped.files(), published)) {
        Ok(release) => Ok(Law { number, release: Arc::new(release) }),
        Err(errors) => {
            let published = published.iter().map(|file| (file.path.clone(), file.number)).collect();
            Err(LawError::Packs { published, errors })
        }
    }
}

/// The law that a running program holds; all its clones share it.
pub(crate) struct LawInForce {
    held: RwLock<(i64, Arc<Release>)>,
    /// A publication that could not be taken up; it is not tried at every request.
    refused: AtomicI64,
}

impl LawInForce {
    pub(crate) fn new(base: &Arc<Release>) -> LawInForce {
        LawInForce { held: RwLock::new((0, Arc::clone(base))), refused: AtomicI64::new(0) }
    }

    pub(crate) fn held(&self) -> (i64, Arc<Release>) {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        (held.0, Arc::clone(&held.1))
    }

    fn hold(&self, number: i64, release: Arc<Release>) {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        // Of two that read at the same time the later publication stays.
        if held.0 <= number {
            *held = (number, release);
        }
    }

    /// Whether publication `number` should be taken up.
    pub(crate) fn lacks(&self, number: i64) -> bool {
        self.held().0 < number && self.refused.load(Ordering::Relaxed) != number
    }
}

/// The files of the program with the published ones laid over them.
pub fn with_published(base: &[(String, String)], published: &[PublishedFile]) -> Vec<(String, String)> {
    let is_published = |path: &String| published.iter().any(|file| file.path == *path);
    let own = base.iter().filter(|(path, _)| !is_published(path)).cloned();
    own.chain(published.iter().map(|file| (file.path.clone(), file.text.clone()))).collect()
}

/// The published files whose text in the program has become another since they were made.
pub fn conflicts(base: &[(String, String)], published: &[PublishedFile]) -> Vec<Conflict> {
    let of = |file: &PublishedFile| {
        let own = base.iter().find(|(path, _)| *path == file.path).map(|(_, text)| text);
        let is_other = own.map(|text| text_hash(text)) != file.base;
        // The program has come to say the same: nothing is left to decide.
        let agrees = own == Some(&file.text);
        (is_other && !agrees).then(|| Conflict {
            path: file.path.clone(),
            number: file.number,
            published: file.text.clone(),
            old_base: file.base.clone(),
            new_base: own.cloned(),
        })
    };
    published.iter().filter_map(of).collect()
}

impl App {
    /// Takes up what was published last, if this program does not hold it yet, and keeps the files of the release that is
    /// in force. For commands and threads that may block.
    ///
    /// # Errors
    /// See [`LawError`]; the law held so far stays.
    pub fn take_up_law(&self) -> Result<(), LawError> {
        let (number, published) = self.database.read_blocking(read_published)?;
        let law = law_over(&self.shipped, number, &published).inspect_err(|error| {
            if matches!(error, LawError::Packs { .. }) {
                self.law().refused.store(number, Ordering::Relaxed);
            }
        })?;
        self.hold_law(law)
    }

    /// Takes up a law that [`read_law`] read of this database.
    ///
    /// # Errors
    /// When the database fails.
    pub fn hold_law(&self, law: Law) -> Result<(), LawError> {
        let (kept, now) = (Arc::clone(&law.release), self.clock.now());
        self.database.write_blocking(move |tx| store::keep_release(tx, &kept, now))?;
        self.law().hold(law.number, law.release);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, base: Option<&str>, text: &str) -> PublishedFile {
        PublishedFile { path: path.into(), number: 1, base: base.map(text_hash), text: text.into() }
    }

    #[test]
    fn published_files_lie_over_those_of_the_program() {
        let base = [("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())];
        let mut files = with_published(&base, &[file("b", Some("2"), "3"), file("c", None, "4")]);
        files.sort();
        let texts: Vec<&str> = files.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(texts, ["1", "3", "4"]);
        assert_eq!(with_published(&base, &[]), base);
    }

    #[test]
    fn what_a_publication_touches_is_read_as_it_is_kept() {
        for touches in [Touches::Nothing, Touches::Everything, Touches::From(Day(20_000))] {
            assert_eq!(Touches::of_key(&touches.key()), Some(touches));
        }
        assert_eq!(Touches::of_key("2026-02-29"), None);
    }

    #[test]
    fn another_text_in_a_later_program_is_a_conflict() {
        let base = [("a".to_owned(), "new".to_owned())];
        for (published, expected) in [
            (file("a", Some("new"), "mine"), 0),
            (file("a", Some("old"), "mine"), 1),
            (file("a", Some("old"), "new"), 0),
            (file("a", None, "mine"), 1),
            (file("b", None, "mine"), 0),
            (file("b", Some("old"), "mine"), 1),
        ] {
            let found = conflicts(&base, std::slice::from_ref(&published));
            assert_eq!(found.len(), expected, "{published:?}");
        }
    }

    #[test]
    fn the_later_publication_stays_and_one_that_was_refused_is_not_tried_again() {
        let packs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
        let packs = Release::read_directory(&packs).expect("packs");
        let release = Arc::new(Release::load(packs).expect("right packs"));
        let law = LawInForce::new(&release);
        assert!(law.lacks(1) && !law.lacks(0));
        law.hold(2, Arc::clone(&release));
        law.hold(1, Arc::clone(&release));
        assert_eq!(law.held().0, 2);
        law.refused.store(3, Ordering::Relaxed);
        assert!(!law.lacks(3) && law.lacks(4));
    }
}
