//! All packs together: loaded as one, hashed as one, found by place and day.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use kangmai_base::{Day, DivisionCode, Fen};
use sha2::{Digest, Sha256};
use toml::de::DeTable;

use crate::cases::CaseFile;
use crate::fields::{Errors, Fields};
use crate::follow_up::{FollowUpBook, FollowUpRules, Vector};
use crate::pack::Inherits;
use crate::source::{PackError, PackFile};
use crate::tables::{TableKind, Tables, depth};
use crate::vocabulary::{Designation, Label, LabelSet, Vocabulary};
use crate::words::Word;
use crate::{
    AgreementRules, Benefit, DiseaseCaps, DiseaseTable, IncomeKind, IncomeLine, InsuranceYear,
    InterfaceCodes, Jurisdiction, LineRules, Pack, Policy, Premium, PremiumAid, PremiumDue, RecordRules,
    ReferralRules, SubsidyTable, Threshold, TreatFirstRules, WatchRules,
};

/// All packs of one release.
#[derive(Debug, Clone)]
pub struct Release {
    hash: String,
    files: Vec<(String, String)>,
    vocabulary: Arc<Vocabulary>,
    jurisdictions: Vec<Jurisdiction>,
    tables: Tables,
    follow_up: FollowUpBook,
    /// The accumulators that households have together, by name.
    shared: BTreeSet<String>,
}

impl Release {
    /// Loads a release from its files: path within the release (`cn/henan/pack.toml`) and text. Files that are not
    /// `.toml` are left aside. All errors are found in one run.
    pub fn load<P, T>(files: impl IntoIterator<Item = (P, T)>) -> Result<Release, Vec<PackError>>
    where
        P: Into<String>,
        T: Into<String>,
    {
        let mut files: Vec<(String, String)> =
            files.into_iter().map(|(path, text)| (path.into().replace('\\', "/"), text.into())).collect();
        files.retain(|(path, _)| path.ends_with(".toml"));
        files.sort();
        let mut loading = Loading::default();
        let release = loading.load(files);
        let mut errors = loading.errors.into_inner();
        if errors.is_empty() {
            return Ok(release);
        }
        errors.sort_by(|a, b| (&a.path, a.line, a.column).cmp(&(&b.path, b.line, b.column)));
        errors.dedup();
        Err(errors)
    }

    /// Reads the files of a release from a directory: the only input of this crate.
    pub fn read_directory(directory: &Path) -> std::io::Result<Vec<(String, String)>> {
        let mut files = Vec::new();
        let mut waiting = vec![(directory.to_path_buf(), String::new())];
        while let Some((folder, prefix)) = waiting.pop() {
            for entry in std::fs::read_dir(&folder)? {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy().into_owned();
                let path = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
                if entry.file_type()?.is_dir() {
                    waiting.push((entry.path(), path));
                } else if path.ends_with(".toml") {
                    files.push((path, std::fs::read_to_string(entry.path())?));
                }
            }
        }
        files.sort();
        Ok(files)
    }

    /// SHA-256 over all paths and texts, in hex: what a receipt stores.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The files, for a reader.
    pub fn files(&self) -> &[(String, String)] {
        &self.files
    }

    /// The closed lists of the national pack.
    pub fn vocabulary(&self) -> &Arc<Vocabulary> {
        &self.vocabulary
    }

    /// Shorthand for [`Vocabulary::label_set`], leaving unknown names aside.
    pub fn labels<'i>(&self, ids: impl IntoIterator<Item = &'i str>) -> LabelSet {
        ids.into_iter().filter_map(|id| self.vocabulary.label(id)).fold(LabelSet::NONE, LabelSet::and)
    }

    /// All packs as places to settle at, outermost first.
    pub fn jurisdictions(&self) -> &[Jurisdiction] {
        &self.jurisdictions
    }

    /// The innermost pack that holds `place` and has a benefit in force, or a stated gap, on `day`.
    pub fn jurisdiction_for(&self, place: DivisionCode, day: Day) -> Option<&Jurisdiction> {
        let has_something =
            |one: &&Jurisdiction| one.pack.place.contains(place) && one.policy.says_something_on(day);
        self.jurisdictions.iter().filter(has_something).max_by_key(|one| depth(one.pack.place))
    }

    /// The jurisdiction of the pack in `directory` (`cn/henan`).
    pub fn jurisdiction(&self, directory: &str) -> Option<&Jurisdiction> {
        self.jurisdictions.iter().find(|one| one.pack.directory == directory.trim_matches('/'))
    }

    /// The watch rules of the innermost place that has any on `day`.
    pub fn watch_rules(&self, place: DivisionCode, day: Day) -> Option<&WatchRules> {
        self.tables.watch_rules(place, day)
    }

    /// The disease lists of the innermost place that has any on `day`.
    pub fn disease_table(&self, place: DivisionCode, day: Day) -> Option<&DiseaseTable> {
        self.tables.disease_table(place, day)
    }

    /// How the lines of a bill become its total and its compliant cost in `place` on `day`.
    pub fn lines(&self, place: DivisionCode, day: Day) -> Option<&LineRules> {
        self.tables.lines(place, day).map(|(_, rules)| rules)
    }

    /// The same, with the file of the pack that it stands in: what a receipt names.
    pub fn lines_and_file(&self, place: DivisionCode, day: Day) -> Option<(&str, &LineRules)> {
        self.tables.lines(place, day)
    }

    /// The codes that the national settlement interface has in `place` on `day`.
    pub fn interface(&self, place: DivisionCode, day: Day) -> Option<&InterfaceCodes> {
        self.tables.interface(place, day)
    }

    /// 先诊疗后付费 of the innermost place that has a rule on `day`.
    pub fn treat_first(&self, place: DivisionCode, day: Day) -> Option<&TreatFirstRules> {
        self.tables.treat_first(place, day)
    }

    /// The income figure of the innermost place for `year`, or the last before it: compare
    /// [`IncomeLine::year`] with `year` to see whether it is carried forward, and say so.
    pub fn income_line(&self, place: DivisionCode, kind: IncomeKind, year: i32) -> Option<&IncomeLine> {
        self.tables.income_line(place, kind, year)
    }

    /// A watch line in fen at a place and year, with the income figure that it rests on.
    pub fn threshold(
        &self,
        threshold: Threshold,
        place: DivisionCode,
        year: i32,
    ) -> Option<(Fen, Option<&IncomeLine>)> {
        self.tables.threshold(threshold, place, year)
    }

    /// The insurance year that a bill of somebody at home in `place` counts in who was discharged on `day`: that of the
    /// innermost place that says anything of its insurance years, else the calendar year.
    pub fn insurance_year(&self, place: DivisionCode, day: Day) -> InsuranceYear {
        self.tables.insurance_year(place, day)
    }

    /// The insurance year of `place` called `label`; none where a change of its beginning left that name out.
    pub fn insurance_year_called(&self, place: DivisionCode, label: i32) -> Option<InsuranceYear> {
        match self.tables.years_at(place) {
            Some(table) => table.called(label),
            None => Some(InsuranceYear::calendar(label)),
        }
    }

    /// Whether any place has other insurance years than the calendar's.
    pub fn has_insurance_years(&self) -> bool {
        self.tables.has_years()
    }

    /// Whether households have any accumulator together, anywhere: then persons of one household are settled as one.
    pub fn has_shared(&self) -> bool {
        !self.shared.is_empty()
    }

    /// Whether the accumulator `name` is one that a household has together.
    pub fn is_shared(&self, name: &str) -> bool {
        self.shared.contains(name)
    }

    /// The premium of resident insurance for the insured `year`, of the innermost place that states it.
    pub fn premium(&self, place: DivisionCode, year: i32) -> Option<&Premium> {
        self.tables.premium(place, year)
    }

    /// Who is helped with the premium of `year`, by the innermost place that has a rule: the first class that fits is
    /// taken.
    pub fn premium_aids(&self, place: DivisionCode, year: i32) -> Vec<&PremiumAid> {
        self.tables.premium_aids(place, year)
    }

    /// What somebody with `labels` pays for the insured `year`; `None` where no premium is stated.
    pub fn premium_due(&self, place: DivisionCode, year: i32, labels: LabelSet) -> Option<PremiumDue<'_>> {
        self.tables.premium_due(place, year, labels)
    }

    /// How long records are kept and in how many days somebody is answered, of the innermost place that has a rule on `day`.
    pub fn records(&self, place: DivisionCode, day: Day) -> Option<&RecordRules> {
        self.tables.records(place, day)
    }

    /// In how many days a referral is answered and what follows, of the innermost place that has a rule on `day`.
    pub fn referral(&self, place: DivisionCode, day: Day) -> Option<&ReferralRules> {
        self.tables.referral(place, day)
    }

    /// Terms, roles and packages of family-doctor agreements, of the innermost place that has a rule on `day`.
    pub fn agreements(&self, place: DivisionCode, day: Day) -> Option<&AgreementRules> {
        self.tables.agreements(place, day)
    }

    /// What institutions are paid by the case and by the year, of the innermost place that has a rule on `day`.
    pub fn subsidies(&self, place: DivisionCode, day: Day) -> Option<&SubsidyTable> {
        self.tables.subsidies(place, day)
    }

    /// What is set for major diseases, of the innermost place that has a table on `day`.
    pub fn disease_caps(&self, place: DivisionCode, day: Day) -> Option<&DiseaseCaps> {
        self.tables.disease_caps(place, day)
    }

    /// Whether any pack has caps for diseases.
    pub fn sets_disease_caps(&self) -> bool {
        self.tables.has_disease_caps()
    }

    /// The rules of follow-up of a programme, of the innermost place that has any on `day`.
    pub fn follow_up(&self, programme: &str, place: DivisionCode, day: Day) -> Option<&FollowUpRules> {
        self.follow_up.rules(programme, place, day)
    }

    /// The rules of every programme of follow-up in force at `place` on `day`.
    pub fn follow_ups(&self, place: DivisionCode, day: Day) -> Vec<&FollowUpRules> {
        self.follow_up.all_rules(place, day)
    }

    /// Every table of follow-up that a phone may need that works in `place`, for visits from `since` on, each with the place of
    /// its pack: the innermost that holds on the day counts.
    pub fn follow_up_tables(&self, place: DivisionCode, since: Day) -> Vec<(DivisionCode, &FollowUpRules)> {
        self.follow_up.tables(place, since)
    }

    /// The cases of follow-up, for another interpreter of the same tables.
    pub fn follow_up_vectors(&self) -> Vec<Vector> {
        self.follow_up.vectors()
    }

    pub(crate) fn follow_up_book(&self) -> &FollowUpBook {
        &self.follow_up
    }

    pub(crate) fn tables(&self) -> &Tables {
        &self.tables
    }
}

/// What a file of a pack is, by its name.
pub(crate) enum Role {
    Pack,
    Benefit,
    Cases,
    Labels,
    Designations,
    Table(TableKind),
    /// The catalogue of what visits can ask.
    Items,
    /// A programme of follow-up.
    FollowUp,
    Unknown,
}

/// The directory of the pack that a file belongs to, and what it is.
pub(crate) fn role_of(path: &str) -> (&str, Role) {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    match (folder.rsplit_once('/').unwrap_or(("", folder)), name) {
        ((pack, "benefits"), _) => (pack, Role::Benefit),
        ((pack, "cases"), _) => (pack, Role::Cases),
        ((pack, "follow_up"), "items.toml") => (pack, Role::Items),
        ((pack, "follow_up"), _) => (pack, Role::FollowUp),
        (_, "pack.toml") => (folder, Role::Pack),
        (_, "labels.toml") => (folder, Role::Labels),
        (_, "designations.toml") => (folder, Role::Designations),
        _ => (folder, TableKind::of_file(name).map_or(Role::Unknown, Role::Table)),
    }
}

#[derive(Default)]
struct Loading {
    errors: Errors,
    vocabulary: Vocabulary,
    packs: BTreeMap<String, Pack>,
    tables: Tables,
    follow_up: FollowUpBook,
}

impl Loading {
    fn load(&mut self, files: Vec<(String, String)>) -> Release {
        let hash = hash_of(&files);
        let parsed: Vec<Arc<PackFile>> = files
            .iter()
            .map(|(path, text)| Arc::new(PackFile { path: path.clone(), text: text.clone() }))
            .collect();
        for round in 0..3 {
            for file in &parsed {
                let (directory, role) = role_of(&file.path);
                let is_turn = match role {
                    Role::Labels | Role::Designations => round == 0,
                    Role::Pack | Role::Items | Role::Unknown => round == 1,
                    _ => round == 2,
                };
                if is_turn {
                    self.read_file(file, directory, &role);
                }
            }
        }
        if self.vocabulary.labels.is_empty() {
            let file = parsed.first().cloned().unwrap_or_else(|| {
                Arc::new(PackFile { path: "cn/labels.toml".to_owned(), text: String::new() })
            });
            self.push(PackError::new(&file, 0..0, Word::ErrNoVocabulary, Word::MendNoVocabulary));
        }
        self.tables.check(|error| self.errors.borrow_mut().push(error));
        let vocabulary = Arc::new(std::mem::take(&mut self.vocabulary));
        let jurisdictions = self.nest(&vocabulary);
        let shared = self.shared(&jurisdictions);
        let (tables, follow_up) = (std::mem::take(&mut self.tables), std::mem::take(&mut self.follow_up));
        Release { hash, files, vocabulary, jurisdictions, tables, follow_up, shared }
    }

    /// The accumulators that households have together. People move and packs follow each other, and what is used of a year
    /// goes on by name: so a name is a person's everywhere or a household's everywhere.
    fn shared(&self, jurisdictions: &[Jurisdiction]) -> BTreeSet<String> {
        let mut owners: BTreeMap<&str, (bool, &str)> = BTreeMap::new();
        for policy in jurisdictions.iter().map(|one| &one.policy) {
            for accumulator in policy.accumulators() {
                let (name, of_household) = (accumulator.name.as_str(), accumulator.of_household);
                let benefit = policy.layers().iter().find(|layer| layer.benefit.id == accumulator.owner);
                let Some(benefit) = benefit.map(|layer| &*layer.benefit) else { continue };
                let known = *owners.entry(name).or_insert((of_household, &benefit.path));
                if known.0 != of_household {
                    let error = benefit.spot.error(Word::ErrMixedOwner, Word::MendMixedOwner);
                    self.push(error.with("name", name).with("path", known.1));
                }
            }
        }
        let households = owners.into_iter().filter(|(_, (of_household, _))| *of_household);
        households.map(|(name, _)| name.to_owned()).collect()
    }

    fn push(&self, error: PackError) {
        self.errors.borrow_mut().push(error);
    }

    fn read_file(&mut self, file: &Arc<PackFile>, directory: &str, role: &Role) {
        let table = match DeTable::parse(&file.text) {
            Ok(table) => table,
            Err(error) => {
                let span = error.span().unwrap_or(0..0);
                let message = error.message().to_owned();
                self.push(
                    PackError::new(file, span, Word::ErrSyntax, Word::MendSyntax).with("message", message),
                );
                return;
            }
        };
        // The fields push into a list of their own, so that `self` stays free to take what they read.
        let errors: Errors = RefCell::default();
        let fields = Fields::new(file, &errors, table.get_ref(), 0..0);
        if let Role::Pack = role {
            if let Some(pack) = Pack::read(&fields, directory) {
                self.packs.insert(directory.to_owned(), pack);
            }
        } else {
            self.read_part(&fields, file, directory, role);
        }
        drop(fields);
        self.errors.borrow_mut().append(&mut errors.into_inner());
    }

    fn read_part(&mut self, fields: &Fields<'_>, file: &Arc<PackFile>, directory: &str, role: &Role) {
        match role {
            Role::Labels => {
                let read = |(id, name, age_at_most)| Label { id, name, age_at_most };
                self.vocabulary.labels = read_names(fields, "label", true).map(read).collect();
                return;
            }
            Role::Designations => {
                let names = read_names(fields, "designation", false);
                self.vocabulary.designations = names.map(|(id, name, _)| Designation { id, name }).collect();
                return;
            }
            Role::Items => {
                self.follow_up.read_items(fields);
                return;
            }
            Role::Unknown => {
                fields.push(fields.spot().error(Word::ErrUnexpectedFile, Word::MendUnexpectedFile));
                return;
            }
            _ => {}
        }
        let Some(pack) = self.packs.get_mut(directory) else {
            let error = fields.spot().error(Word::ErrNoPack, Word::MendNoPack);
            fields.push(error.with("directory", directory));
            return;
        };
        let place = pack.place;
        match role {
            Role::Benefit => {
                if let Some(benefit) = Benefit::read(fields, &file.path, &self.vocabulary) {
                    pack.benefits.push(Arc::new(benefit));
                }
            }
            Role::Cases => match CaseFile::read(fields, &self.vocabulary) {
                CaseFile::Chains(cases) => pack.cases.extend(cases),
                CaseFile::Layers(id, cases) => pack.layer_cases.push((id, cases)),
            },
            Role::Table(kind) => self.tables.read(*kind, fields, (&file.path, place), &self.vocabulary),
            Role::FollowUp => self.follow_up.read(fields, (&file.path, place)),
            Role::Pack | Role::Labels | Role::Designations | Role::Items | Role::Unknown => {}
        }
    }

    /// Hands benefits down from place to place and compiles what results.
    fn nest(&mut self, vocabulary: &Arc<Vocabulary>) -> Vec<Jurisdiction> {
        let packs = std::mem::take(&mut self.packs);
        let mut effective: BTreeMap<String, Vec<Arc<Benefit>>> = BTreeMap::new();
        // A benefit that did not load is no reason to say that those after it name one that is not there.
        let is_complete = self.errors.borrow().is_empty();
        let known: Vec<String> =
            packs.values().flat_map(|pack| pack.benefits.iter().map(|benefit| benefit.id.clone())).collect();
        let mut jurisdictions: Vec<Jurisdiction> = Vec::new();
        for (directory, pack) in packs {
            let parent = parent_of(&directory, &jurisdictions);
            if let Some(parent) = parent.filter(|parent| !parent.pack.place.contains(pack.place)) {
                let error = pack.spot.error(Word::ErrOutsideParent, Word::MendOutsideParent);
                self.push(
                    error.with("place", pack.place.to_string()).with("parent", parent.pack.place.to_string()),
                );
            }
            let handed =
                parent.and_then(|parent| effective.get(&parent.pack.directory)).cloned().unwrap_or_default();
            let benefits = self.hand_down(&pack, handed);
            for benefit in &pack.benefits {
                for other in benefit.after.iter().chain(&benefit.waives_deductible_of) {
                    if is_complete && !known.contains(other) {
                        let error = benefit.spot.error(Word::ErrUnknownBenefit, Word::MendList);
                        self.push(error.with("id", other.clone()).with("list", known.join(", ")));
                    }
                }
            }
            let mut untranslatable = parent.map(|parent| parent.untranslatable.clone()).unwrap_or_default();
            untranslatable.extend(pack.untranslatable.iter().cloned());
            let policy = Policy::compile(&pack, benefits.clone(), Arc::clone(vocabulary), &self.errors);
            effective.insert(directory, benefits);
            jurisdictions.push(Jurisdiction { pack: Arc::new(pack), untranslatable, policy });
        }
        jurisdictions
    }

    fn hand_down(&self, pack: &Pack, handed: Vec<Arc<Benefit>>) -> Vec<Arc<Benefit>> {
        let own = |id: &str| pack.benefits.iter().find(|benefit| benefit.id == id);
        if let Inherits::These(wanted) = &pack.inherits {
            for id in wanted.iter().filter(|id| !handed.iter().any(|benefit| benefit.id == **id)) {
                let names: Vec<&str> = handed.iter().map(|benefit| benefit.id.as_str()).collect();
                let error = pack.spot.error(Word::ErrUnknownBenefit, Word::MendList);
                self.push(error.with("id", id.clone()).with("list", names.join(", ")));
            }
        }
        for id in &pack.overrides {
            if own(id).is_none() || !handed.iter().any(|benefit| benefit.id == *id) {
                let error = pack.spot.error(Word::ErrNothingToOverride, Word::MendNothingToOverride);
                self.push(error.with("id", id.clone()));
            }
        }
        let mut benefits = Vec::new();
        for benefit in handed {
            let is_wanted = match &pack.inherits {
                Inherits::All => true,
                Inherits::These(wanted) => wanted.contains(&benefit.id),
            };
            let is_overridden = pack.overrides.contains(&benefit.id);
            if let Some(own) = own(&benefit.id).filter(|_| is_wanted && !is_overridden) {
                let error = own.spot.error(Word::ErrNotDeclared, Word::MendNotDeclared);
                self.push(error.with("id", own.id.clone()).with("path", benefit.path.clone()));
            }
            if is_wanted && !is_overridden {
                benefits.push(benefit);
            }
        }
        for (position, benefit) in pack.benefits.iter().enumerate() {
            if pack.benefits[..position].iter().any(|earlier| earlier.id == benefit.id) {
                let error = benefit.spot.error(Word::ErrTwice, Word::MendTwice);
                self.push(error.with("value", benefit.id.clone()));
            }
        }
        benefits.extend(pack.benefits.iter().cloned());
        benefits
    }
}

fn parent_of<'j>(directory: &str, jurisdictions: &'j [Jurisdiction]) -> Option<&'j Jurisdiction> {
    let is_above = |one: &&Jurisdiction| {
        directory.strip_prefix(&one.pack.directory).is_some_and(|rest| rest.starts_with('/'))
    };
    jurisdictions.iter().filter(is_above).max_by_key(|one| one.pack.directory.len())
}

/// Names of a closed list; of people also up to which age one holds, if it ends with an age.
fn read_names(
    fields: &Fields<'_>,
    key: &'static str,
    of_people: bool,
) -> impl Iterator<Item = (String, crate::Bilingual, Option<u8>)> {
    let mut names: Vec<(String, crate::Bilingual, Option<u8>)> = Vec::new();
    for table in fields.some_tables(key) {
        let (id, name) = (table.text("id"), table.bilingual("name"));
        let age = if of_people { read_age(&table) } else { None };
        table.finish();
        let (Some(id), Some(name)) = (id, name) else { continue };
        if names.iter().any(|(earlier, ..)| earlier == id.value) {
            fields.push(id.spot.error(Word::ErrTwice, Word::MendTwice).with("value", id.value));
        } else if names.len() >= 32 {
            fields.push(id.spot.error(Word::ErrTooMany, Word::MendTooMany).with("limit", "32"));
        } else {
            names.push((id.value.to_owned(), name, age));
        }
    }
    fields.finish();
    names.into_iter()
}

/// The highest age at which people still are what the label says.
fn read_age(table: &Fields<'_>) -> Option<u8> {
    let age = table.whole_maybe("age_at_most")?;
    let read = u8::try_from(age.value).ok().filter(|age| *age < crate::UNKNOWN_AGE);
    if read.is_none() {
        let error = age.spot.error(Word::ErrBackwards, Word::MendBackwards);
        table.push(error.with("from", "0").with("to", age.value.to_string()));
    }
    read
}

/// The directory of the pack that the file at `path` of a release belongs to: `cn/henan`.
pub fn pack_directory(path: &str) -> &str {
    role_of(path).0
}

/// SHA-256 of one file's text, in hex.
pub fn text_hash(text: &str) -> String {
    hex(&Sha256::digest(text))
}

fn hash_of(files: &[(String, String)]) -> String {
    let mut hasher = Sha256::new();
    for (path, text) in files {
        hasher.update((path.len() as u64).to_be_bytes());
        hasher.update(path.as_bytes());
        hasher.update((text.len() as u64).to_be_bytes());
        hasher.update(text.as_bytes());
    }
    hex(&hasher.finalize())
}

fn hex(bytes: &[u8]) -> String {
    let mut hex = String::with_capacity(64);
    for byte in bytes {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

// A release sits in an `Arc` in every handler.
const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<Release>();
};
