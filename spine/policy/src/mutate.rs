//! Packs that prove themselves: each small change of a pack must make one of its cases fail. A change that none
//! notices says which case is missing, and that case is found and written down.

mod ask;
mod search;
mod sites;
mod tell;
mod write;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use kangmai_base::DivisionCode;
use toml::de::DeTable;

use crate::cases::Given;
use crate::fields::{Errors, Fields};
use crate::follow_up::{FollowUpBook, FollowUpCase};
use crate::release::{Role, role_of};
use crate::source::{PackError, PackFile};
use crate::tables::{TableKind, Tables};
use crate::words::Word;
use crate::{Benefit, Bilingual, Jurisdiction, Language, Policy, Release};

use search::Found;
use sites::Change;

/// Which files are changed, and by how many threads.
#[derive(Debug, Clone, Default)]
pub struct MutationChoice {
    /// Only the pack in this directory of the release (`cn/henan`).
    pub pack: Option<String>,
    /// Only the benefit of this name, or the table (`watch`, `premiums`: its file without `.toml`).
    pub only: Option<String>,
    /// How many threads; 0: as many as the machine has processors.
    pub threads: usize,
}

/// What became of the changes.
#[derive(Debug, Clone, Default)]
pub struct MutationReport {
    /// How many the loader refuses.
    pub refused: usize,
    /// How many make a case fail.
    pub killed: usize,
    /// How many say in another way what the pack says: a condition that repeats what the profiles before it leave
    /// over. Every combination of the facts asked has been tried.
    pub without_effect: usize,
    /// Those that no case notices, by file and place.
    pub alive: Vec<AliveMutant>,
}

/// A change that no case notices.
#[derive(Debug, Clone)]
pub struct AliveMutant {
    /// What and where.
    pub error: PackError,
    /// The same in words, for who does not read the file.
    pub said: Bilingual,
    /// The same in a form that lines put in above it do not change: what it is accepted by.
    pub name: String,
    /// The case that would notice it, to be put into that file once its amounts are held against the source; `None`:
    /// nothing was found at which it makes a difference.
    pub case: Option<String>,
}

impl AliveMutant {
    /// What and where, and the case to write.
    pub fn render(&self, language: Language) -> String {
        match &self.case {
            Some(case) => {
                let verify = Word::MutantVerify.text(language);
                format!("{}\n\n# {verify}\n{case}", self.error.render(language))
            }
            None => self.error.render(language),
        }
    }
}

impl Release {
    /// Makes every small change of the chosen packs and runs the cases that it touches. The cases should all pass
    /// before ([`run_cases`](Release::run_cases)): a case that fails anyway notices nothing.
    pub fn mutate(&self, choice: &MutationChoice) -> MutationReport {
        self.mutate_told(choice, &|_, _| true).unwrap_or_default()
    }

    /// How many changes [`mutate`](Release::mutate) would make.
    pub fn mutants(&self, choice: &MutationChoice) -> usize {
        let files = self.chosen_files(choice);
        files.iter().filter_map(|file| self.target(file, choice)).map(|target| target.changes().len()).sum()
    }

    fn chosen_files(&self, choice: &MutationChoice) -> Vec<Arc<PackFile>> {
        let files = self.files().iter().filter(|(path, _)| is_chosen(path, choice));
        files.map(|(path, text)| Arc::new(PackFile { path: path.clone(), text: text.clone() })).collect()
    }

    /// [`mutate`](Release::mutate), which says after each change how many are done, and of how many, and asks whether to go
    /// on; `None` if not.
    pub fn mutate_told(
        &self,
        choice: &MutationChoice,
        told: &(dyn Fn(usize, usize) -> bool + Sync),
    ) -> Option<MutationReport> {
        let files = self.chosen_files(choice);
        let targets: Vec<Target<'_>> = files.iter().filter_map(|file| self.target(file, choice)).collect();
        let jobs: Vec<(&Target<'_>, Change)> = targets
            .iter()
            .flat_map(|target| target.changes().into_iter().map(move |change| (target, change)))
            .collect();
        let (next, judged, goes_on) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicBool::new(true));
        let work = || {
            let mut done = Vec::new();
            while let Some((target, change)) = jobs.get(next.fetch_add(1, Ordering::Relaxed))
                && goes_on.load(Ordering::Relaxed)
            {
                done.push(target.judge(change));
                if !told(judged.fetch_add(1, Ordering::Relaxed) + 1, jobs.len()) {
                    goes_on.store(false, Ordering::Relaxed);
                }
            }
            done
        };
        let threads = match choice.threads {
            0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            threads => threads,
        };
        let verdicts: Vec<Verdict> = std::thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
            let own = work();
            own.into_iter()
                .chain(others.into_iter().flat_map(|other| other.join().unwrap_or_default()))
                .collect()
        });
        if !goes_on.into_inner() {
            return None;
        }
        let mut report = MutationReport::default();
        for verdict in verdicts {
            match verdict {
                Verdict::Refused => report.refused += 1,
                Verdict::Killed => report.killed += 1,
                Verdict::NoEffect => report.without_effect += 1,
                Verdict::Alive(alive) => report.alive.push(*alive),
            }
        }
        let place = |alive: &AliveMutant| (alive.error.path.clone(), alive.error.line, alive.error.column);
        report.alive.sort_by_key(place);
        Some(report)
    }

    fn target<'r>(&'r self, file: &'r Arc<PackFile>, choice: &MutationChoice) -> Option<Target<'r>> {
        let (directory, role) = role_of(&file.path);
        let only = |name: &str| choice.only.as_deref().is_none_or(|only| only == name);
        // The file has been loaded: it parses.
        let mut table = DeTable::parse(&file.text).ok()?.into_inner();
        table.remove("case");
        let what = match role {
            Role::Benefit => {
                let home = self.jurisdiction(directory)?;
                let benefit = home.pack.benefits.iter().find(|benefit| benefit.path == file.path)?;
                let holds = |one: &&Jurisdiction| {
                    one.policy.layers.iter().any(|layer| Arc::ptr_eq(&layer.benefit, benefit))
                };
                let mut under: Vec<&Jurisdiction> = self.jurisdictions().iter().filter(holds).collect();
                under.sort_by_key(|one| one.pack.directory.len());
                What::Layer(benefit, under).of(only(&benefit.id))?
            }
            Role::Table(kind) => {
                let name = file.path.rsplit('/').next().and_then(|name| name.strip_suffix(".toml"));
                What::Table(kind, Box::new(self.tables().without(&file.path)))
                    .of(only(name.unwrap_or_default()))?
            }
            Role::FollowUp => {
                let name = file.path.rsplit('/').next().and_then(|name| name.strip_suffix(".toml"));
                let programme = table.get("id").and_then(|id| id.get_ref().as_str()).unwrap_or_default();
                let book = self.follow_up_book();
                let cases = book.cases().iter().filter(|(_, case)| case.programme == programme).collect();
                What::FollowUp(Box::new(book.beside(&file.path, programme)), cases)
                    .of(only(name.unwrap_or_default()))?
            }
            _ => return None,
        };
        Some(Target { release: self, directory, file, table, what })
    }
}

fn is_chosen(path: &str, choice: &MutationChoice) -> bool {
    let (directory, _) = role_of(path);
    choice.pack.as_deref().is_none_or(|pack| directory == pack.trim_matches('/'))
}

/// A file whose changes are judged.
struct Target<'r> {
    release: &'r Release,
    directory: &'r str,
    file: &'r Arc<PackFile>,
    /// What it says, without its cases.
    table: DeTable<'r>,
    what: What<'r>,
}

enum What<'r> {
    /// A benefit, and where it holds, its own pack first.
    Layer(&'r Arc<Benefit>, Vec<&'r Jurisdiction>),
    /// A table, and all the other tables.
    Table(TableKind, Box<Tables>),
    /// What other files say of its programme of follow-up, and all cases of that.
    FollowUp(Box<FollowUpBook>, Vec<&'r (DivisionCode, FollowUpCase)>),
}

impl What<'_> {
    fn of(self, is_wanted: bool) -> Option<Self> {
        is_wanted.then_some(self)
    }
}

enum Verdict {
    Refused,
    Killed,
    NoEffect,
    Alive(Box<AliveMutant>),
}

impl Target<'_> {
    fn changes(&self) -> Vec<Change> {
        let is_measured = matches!(self.what, What::FollowUp(..));
        let mut changes = sites::changes(&self.file.text, &self.table, is_measured);
        changes.push(Change::of_all());
        changes
    }

    fn judge(&self, change: &Change) -> Verdict {
        match &self.what {
            What::Layer(benefit, under) => self.judge_layer(change, benefit, under),
            What::Table(kind, others) => self.judge_table(change, *kind, others),
            What::FollowUp(others, cases) => self.judge_follow_up(change, others, cases),
        }
    }

    fn judge_layer(&self, change: &Change, benefit: &Arc<Benefit>, under: &[&Jurisdiction]) -> Verdict {
        let changed = if change.drops_all() {
            None
        } else {
            match self.changed_benefit(change) {
                Some(changed) => Some(Arc::new(changed)),
                None => return Verdict::Refused,
            }
        };
        let mut home: Option<Policy> = None;
        for jurisdiction in under {
            let Some(policy) = with_benefit(jurisdiction, benefit, changed.as_ref()) else {
                return Verdict::Refused;
            };
            let mut cases = jurisdiction.layer_cases().filter(|(id, _)| *id == benefit.id);
            let notices = cases.any(|(id, case)| !case.holds(&policy, id))
                || jurisdiction.pack.cases.iter().any(|case| !case.run(jurisdiction, &policy).is_empty());
            if notices {
                return Verdict::Killed;
            }
            home.get_or_insert(policy);
        }
        let Some((jurisdiction, mutant)) = under.first().zip(home.as_ref()) else {
            return self.alive(change, None, self.tell(change, None));
        };
        let conditions = tell::conditions(self, change, (&jurisdiction.policy, changed.as_deref()));
        let said = self.tell(change, conditions);
        let seeds = jurisdiction.layer_cases().filter(|(id, _)| *id == benefit.id);
        let seeds: Vec<Given> = seeds.map(|(_, case)| case.given).collect();
        let both = (&jurisdiction.policy, mutant);
        match search::difference(&self.table, benefit, both, &seeds, change.is_in_condition()) {
            Found::Bill(given) => {
                self.alive(change, write::layer_case(&given, benefit, both, &said.zh), said)
            }
            Found::NoneExists => Verdict::NoEffect,
            Found::None => self.alive(change, None, said),
        }
    }

    fn changed_benefit(&self, change: &Change) -> Option<Benefit> {
        let read = |fields: &Fields<'_>| Benefit::read(fields, &self.file.path, self.release.vocabulary());
        self.changed(change, read).flatten()
    }

    /// What `read` makes of the changed file; `None` where the loader refuses it.
    fn changed<T>(&self, change: &Change, read: impl FnOnce(&Fields<'_>) -> T) -> Option<T> {
        let table = change.applied(&self.table);
        let errors = Errors::default();
        let fields = Fields::new(self.file, &errors, &table, 0..0);
        let made = read(&fields);
        drop(fields);
        errors.into_inner().is_empty().then_some(made)
    }

    /// The place of the file's pack.
    fn home(&self) -> Option<DivisionCode> {
        self.release.jurisdiction(self.directory).map(|one| one.pack.place)
    }

    fn judge_table(&self, change: &Change, kind: TableKind, others: &Tables) -> Verdict {
        let mut tables = Tables::clone(others);
        let Some(place) = self.home() else { return Verdict::Refused };
        if !change.drops_all()
            && self
                .changed(change, |fields| {
                    tables.read(kind, fields, (&self.file.path, place), self.release.vocabulary())
                })
                .is_none()
        {
            return Verdict::Refused;
        }
        let cases = self.release.tables().cases();
        // The cases of the file itself first: they most likely notice.
        let (own, foreign): (Vec<_>, Vec<_>) =
            cases.iter().partition(|(_, case)| case.spot.file.path == self.file.path);
        if own.into_iter().chain(foreign).any(|(home, case)| !case.run(&tables, *home).is_empty()) {
            return Verdict::Killed;
        }
        let both = (self.release.tables(), &tables);
        let said = self.tell(change, None);
        let case = ask::difference(&self.table, kind, place, both, self.release.vocabulary())
            .map(|asked| write::table_case(&asked, kind, place, both, self.release.vocabulary(), &said.zh));
        self.alive(change, case, said)
    }

    fn judge_follow_up(
        &self,
        change: &Change,
        others: &FollowUpBook,
        cases: &[&(DivisionCode, FollowUpCase)],
    ) -> Verdict {
        let mut book = FollowUpBook::clone(others);
        let Some(place) = self.home() else { return Verdict::Refused };
        if !change.drops_all()
            && self.changed(change, |fields| book.read(fields, (&self.file.path, place))).is_none()
        {
            return Verdict::Refused;
        }
        if cases.iter().any(|(home, case)| !book.run(*home, case).is_empty()) {
            return Verdict::Killed;
        }
        let said = self.tell(change, None);
        self.alive(change, None, said)
    }

    fn alive(&self, change: &Change, case: Option<String>, said: Bilingual) -> Verdict {
        let code = match (change.drops_all(), &change.to) {
            (true, _) => Word::MutantLayer,
            (false, None) => Word::MutantLeftOut,
            (false, Some(_)) => Word::MutantOther,
        };
        let mend = if case.is_some() { Word::MendMutant } else { Word::MendNoEffect };
        let error = PackError::new(self.file, change.span.clone(), code, mend);
        let to = change.to.clone().unwrap_or_default();
        let name = format!("{}: {} -> {to}", self.file.path, change.place());
        // What is left out has nothing behind the arrow; a form gives a name back without the space.
        let name = name.trim_end().to_owned();
        let error = error.with("to", to).with("path", self.file.path.clone());
        Verdict::Alive(Box::new(AliveMutant { error, said, name, case }))
    }
}

/// The policy of a place with one benefit changed, or left out; `None` if it cannot be.
fn with_benefit(
    jurisdiction: &Jurisdiction,
    benefit: &Arc<Benefit>,
    changed: Option<&Arc<Benefit>>,
) -> Option<Policy> {
    let exchange = |own: &Arc<Benefit>| {
        if Arc::ptr_eq(own, benefit) { changed.map(Arc::clone) } else { Some(Arc::clone(own)) }
    };
    let layers = jurisdiction.policy.layers();
    let benefits: Vec<Arc<Benefit>> = layers.iter().filter_map(|layer| exchange(&layer.benefit)).collect();
    let errors = Errors::default();
    let vocabulary = Arc::clone(&jurisdiction.policy.vocabulary);
    let policy = Policy::compile(&jurisdiction.pack, benefits, vocabulary, &errors);
    errors.into_inner().is_empty().then_some(policy)
}
