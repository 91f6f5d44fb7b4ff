//! The import of a register: what each row means for what is known.
//!
//! Who a row is about is told by the identity number, where there is one: one record has it, then it is that person; two
//! have it, then somebody must look. Else it is the person of the same name and birth date in the same household of the
//! same village, so that the same file twice changes nothing. Else the row is a new person; where the same name and
//! birth date stand elsewhere in the county, and one of the two has no valid number, the pair waits for somebody.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;

use kangmai_base::{Day, DivisionCode, DivisionLevel, Id, IdNumber, IdNumberKind, PlaceRange, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::{
    Alike, HouseholdBody, HouseholdId, Label, LabelInterval, Parsed, PersonBody, PersonId, REGISTER,
    RegisterContext, RegisterParser, RegisterRow, find_alike, find_household, find_household_by_number,
    find_person, match_id_numbers, same_name_and_birth,
};
use kangmai_places::Divisions;
use kangmai_programme::{ImportRun, Planned};
use kangmai_record::{NewFact, Record as FactRecord, Source, Subject};
use kangmai_sheet::limit::MAX_CHANGES_KEPT;
use kangmai_sheet::{Change, Fault, Flaw, Matching, Outcome, Record, Severity};
use kangmai_web::Language;
use serde::Serialize;

use crate::facts::{CANDIDATE_FOUND, CandidateFound, HOUSEHOLD, PERSON};
use crate::rules::{Said, differences, merge_household, merge_person};

/// Rows at once: a chunk of rows makes at most two facts a row, and pairs that do not fit wait for the next.
pub(crate) const ROWS_AT_ONCE: usize = 2_000;

/// What is kept from one chunk of rows to the next.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    parser: Option<RegisterParser>,
    /// The persons that are new in this file (hashed keys): in a dry run no table knows of them.
    new: HashSet<u64>,
    /// The persons without a number of the rows before (hashed keys).
    without_number: HashSet<u64>,
    /// Pairs found and not yet written.
    pairs: Vec<Pair>,
}

/// What tells a person within a file: the number, else village, household, name and birth.
type PersonKey = (DivisionCode, String);

#[derive(Debug, Clone, Copy)]
struct Pair {
    one: Uuid,
    other: Uuid,
    home: DivisionCode,
}

/// Something known that a chunk of rows touches: as it was, and as it is by now.
struct Held<T> {
    place_before: DivisionCode,
    place: DivisionCode,
    before: Option<T>,
    now: T,
}

/// The persons and households that a chunk of rows touches.
#[derive(Default)]
struct Chunk {
    /// Who has the numbers of these rows, by number.
    matched: HashMap<String, Vec<PersonId>>,
    /// The records in doubt that bear the name and birth date of the row at hand.
    alike: Vec<Alike>,
    persons: HashMap<PersonId, Held<PersonBody>>,
    person_order: Vec<PersonId>,
    by_key: HashMap<PersonKey, PersonId>,
    /// New persons by name and birth date.
    new_by_name: HashMap<(String, Day), Vec<PersonId>>,
    households: HashMap<HouseholdId, Held<HouseholdBody>>,
    household_order: Vec<HouseholdId>,
    by_number: HashMap<(DivisionCode, String), HouseholdId>,
}

/// Why a row is not taken.
struct NotTaken {
    column: &'static str,
    flaw: Flaw,
}

/// Plans some rows; see the head of this file.
pub(crate) fn plan(
    tx: &mut Transaction<'_>,
    run: &mut ImportRun,
    matching: &Matching,
    records: &[Record],
) -> Result<Planned, DatabaseError> {
    let mut memory = std::mem::take(run.memory::<Memory>());
    let parser = memory.parser.get_or_insert_with(|| {
        let context =
            RegisterContext { scope: run.reach.place(), today: run.today, source: run.file.clone() };
        RegisterParser::new(Arc::new(matching.clone()), Divisions::shipped(), context)
    });
    let parsed: Vec<(Parsed, Vec<Fault>)> = records.iter().map(|record| parser.parse(record)).collect();
    let numbers: Vec<&IdNumber> = parsed
        .iter()
        .filter_map(|(parsed, _)| match parsed {
            Parsed::Row(row) => row.id_number.as_ref(),
            Parsed::Repeat { .. } | Parsed::Faulty => None,
        })
        .collect();
    let mut chunk = Chunk { matched: match_id_numbers(tx, &numbers)?, ..Chunk::default() };
    for (parsed, mut faults) in parsed {
        let outcome = match parsed {
            Parsed::Faulty => Outcome::Faulty,
            Parsed::Repeat { .. } => Outcome::Unchanged,
            Parsed::Row(row) => match chunk.take(tx, run, &mut memory, &row, &mut faults, matching)? {
                Ok(outcome) => outcome,
                Err(NotTaken { column, flaw }) => {
                    faults.push(fault_at(matching, &row, column, Severity::Error, flaw));
                    Outcome::Faulty
                }
            },
        };
        run.count(outcome, faults);
    }
    let facts = chunk.facts(run, &mut memory);
    *run.memory::<Memory>() = memory;
    Ok(Planned { facts })
}

/// The pairs that found no room beside the rows.
pub(crate) fn finish(_: &mut Transaction<'_>, run: &mut ImportRun) -> Result<Planned, DatabaseError> {
    let mut memory = std::mem::take(run.memory::<Memory>());
    let facts = memory.take_pairs(run, FactRecord::BATCH);
    *run.memory::<Memory>() = memory;
    Ok(Planned { facts })
}

impl Memory {
    fn take_pairs(&mut self, run: &ImportRun, most: usize) -> Vec<NewFact> {
        let count = most.min(self.pairs.len());
        let fact = |pair: Pair| {
            let body = CandidateFound { other: pair.other };
            NewFact {
                source: Source::Derived,
                ..fact_of(run, CANDIDATE_FOUND, Subject::person(pair.one), pair.home, &body)
            }
        };
        self.pairs.drain(..count).map(fact).collect()
    }
}

impl Chunk {
    /// Takes one row: finds its person and household, and makes of them what the row says.
    fn take(
        &mut self,
        tx: &mut Transaction<'_>,
        run: &mut ImportRun,
        memory: &mut Memory,
        row: &RegisterRow,
        faults: &mut Vec<Fault>,
        matching: &Matching,
    ) -> Result<Result<Outcome, NotTaken>, DatabaseError> {
        let key = person_key(row);
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(&key);
        let found = match self.find(tx, row, &key)? {
            Ok(found) => found,
            Err(not_taken) => return Ok(Err(not_taken)),
        };
        let new_before = memory.new.contains(&hash);
        if found.is_none() && run.dry_run && new_before {
            return Ok(Ok(Outcome::New));
        }
        let home = found.and_then(|id| self.persons.get(&id)).map(|held| held.place_before);
        if home.is_some_and(|home| !run.reach.covers(home)) {
            return Ok(Err(registered_elsewhere()));
        }
        let again = row.id_number.is_none() && !memory.without_number.insert(hash);
        if again && found.is_some_and(|id| self.contradicts(id, row, run.today)) {
            return Ok(Err(twice_without_number()));
        }
        let id = found.unwrap_or_else(|| Id::from_uuid(run.app.mint()));
        let (household, household_changed) = self.household(tx, run, row, id)?;
        let (outcome, ended) = self.merge(run, row, id, household);
        self.warn(run, matching, row, id, &ended, faults);
        if found.is_none() {
            self.look_for_alike(tx, memory, row, id)?;
            memory.new.insert(hash);
        }
        self.by_key.insert(key, id);
        Ok(Ok(match outcome {
            _ if new_before => Outcome::New,
            Outcome::Unchanged if household_changed => Outcome::Changed,
            outcome => outcome,
        }))
    }

    /// Whether the row says of a person something other than a row before, labels aside.
    fn contradicts(&self, id: PersonId, row: &RegisterRow, today: Day) -> bool {
        self.persons.get(&id).is_some_and(|held| {
            let (mut body, _) = merge_person(Some(&held.now), row, held.now.household, today);
            body.labels.clone_from(&held.now.labels);
            body != held.now
        })
    }

    /// Says what somebody should look at although the row is taken.
    fn warn(
        &self,
        run: &ImportRun,
        matching: &Matching,
        row: &RegisterRow,
        id: PersonId,
        ended: &[Label],
        faults: &mut Vec<Fault>,
    ) {
        for label in ended {
            let word = run.app.words.word(Language::Zh, label.word()).into_owned();
            let flaw = Flaw::new("register.flaw.label_ended").with("label", word);
            let flaw = flaw.mend(Refusal::new("register.mend.label_ended"));
            faults.push(fault_at(matching, row, "labels", Severity::Warning, flaw));
        }
        let before = self.persons.get(&id).and_then(|held| held.before.as_ref());
        if let Some(before) = before.filter(|before| before.name != row.name) {
            let flaw = Flaw::new("register.flaw.other_name").with("name", masked_name(&before.name));
            let flaw = flaw.mend(Refusal::new("register.mend.other_name"));
            faults.push(fault_at(matching, row, "name", Severity::Warning, flaw));
        }
    }

    /// The record of the row's person, loaded; none if the row is a new person.
    fn find(
        &mut self,
        tx: &mut Transaction<'_>,
        row: &RegisterRow,
        key: &PersonKey,
    ) -> Result<Result<Option<PersonId>, NotTaken>, DatabaseError> {
        if let Some(id) = self.by_key.get(key) {
            return Ok(Ok(Some(*id)));
        }
        if let Some(number) = &row.id_number {
            match self.matched.get(number.as_str()).map(Vec::as_slice) {
                None | Some([]) => {}
                Some(&[id]) => {
                    self.load(tx, id)?;
                    return Ok(Ok(Some(id)));
                }
                Some(_) => return Ok(Err(number_of_two())),
            }
        }
        let number = row.household.number.as_deref().unwrap_or_default();
        self.alike = find_alike(tx, &row.name, row.birth)?;
        let mut same = self
            .alike
            .iter()
            .filter(|one| one.home == row.home && one.household_number == number && (!one.has_number));
        match (same.next(), same.next()) {
            (None, _) => Ok(Ok(None)),
            (Some(one), None) => {
                let id = one.person;
                self.load(tx, id)?;
                Ok(Ok(Some(id)))
            }
            (Some(_), Some(_)) => Ok(Err(two_without_number())),
        }
    }

    fn load(&mut self, tx: &mut Transaction<'_>, id: PersonId) -> Result<(), DatabaseError> {
        if !self.persons.contains_key(&id)
            && let Some(person) = find_person(tx, id)?
        {
            let held = Held {
                place_before: person.home,
                place: person.home,
                before: Some(person.body.clone()),
                now: person.body,
            };
            self.persons.insert(id, held);
            self.person_order.push(id);
        }
        Ok(())
    }

    /// The household of the row, with what the row says of it; and whether that is anything new.
    fn household(
        &mut self,
        tx: &mut Transaction<'_>,
        run: &ImportRun,
        row: &RegisterRow,
        person: PersonId,
    ) -> Result<(HouseholdId, bool), DatabaseError> {
        let known = match &row.household.number {
            Some(number) => {
                let key = (row.household.place, number.clone());
                match self.by_number.get(&key) {
                    Some(id) => Some(*id),
                    None => find_household_by_number(tx, row.household.place, number)?.map(|(id, _)| id),
                }
            }
            None => self.persons.get(&person).map(|held| Id::from_uuid(held.now.household)),
        };
        let id = known.unwrap_or_else(|| Id::from_uuid(run.app.mint()));
        if let Some(number) = &row.household.number {
            self.by_number.insert((row.household.place, number.clone()), id);
        }
        if let Entry::Vacant(vacant) = self.households.entry(id) {
            let before = if known.is_some() { find_household(tx, id)? } else { None };
            let place = row.household.place;
            let held = match before {
                Some(household) => Held {
                    place_before: household.place,
                    place: household.place,
                    before: Some(household.body.clone()),
                    now: household.body,
                },
                None => {
                    let now = merge_household(None, &row.household, person.uuid(), row.relation);
                    Held { place_before: place, place, before: None, now }
                }
            };
            vacant.insert(held);
            self.household_order.push(id);
        }
        let mut changed = known.is_none();
        if let Some(held) = self.households.get_mut(&id) {
            let now = merge_household(Some(&held.now), &row.household, person.uuid(), row.relation);
            changed |= now != held.now;
            held.now = now;
            if held.now.number.is_empty() {
                held.place = row.household.place;
            }
        }
        Ok((id, changed))
    }

    /// Makes of the person what the row says. What became of the row, and the labels that it names although they ended.
    fn merge(
        &mut self,
        run: &mut ImportRun,
        row: &RegisterRow,
        id: PersonId,
        household: HouseholdId,
    ) -> (Outcome, Vec<Label>) {
        let known = self.persons.get(&id);
        let (body, ended) = merge_person(known.map(|held| &held.now), row, household.uuid(), run.today);
        let Some(held) = self.persons.get_mut(&id) else {
            let held = Held { place_before: row.home, place: row.home, before: None, now: body };
            self.persons.insert(id, held);
            self.person_order.push(id);
            return (Outcome::New, ended);
        };
        let is_new = held.before.is_none();
        let same = held.now == body && held.place == row.home;
        if !same && !is_new && run.summary.changes.len() < MAX_CHANGES_KEPT {
            note_changes(run, row, (held.place, &held.now), (row.home, &body));
        }
        (held.now, held.place) = (body, row.home);
        let outcome = match (is_new, same) {
            (true, _) => Outcome::New,
            (false, true) => Outcome::Unchanged,
            (false, false) => Outcome::Changed,
        };
        (outcome, ended)
    }

    /// Notes who else in the county has this name and birth date, where one of the two has no valid number.
    fn look_for_alike(
        &mut self,
        tx: &mut Transaction<'_>,
        memory: &mut Memory,
        row: &RegisterRow,
        id: PersonId,
    ) -> Result<(), DatabaseError> {
        let Some(birth) = row.birth else { return Ok(()) };
        let county: DivisionCode = row.home.at(DivisionLevel::County);
        let valid = row.id_number.as_ref().is_some_and(|number| number.kind() == IdNumberKind::Valid);
        let others: Vec<PersonId> = if valid {
            let alike = self.alike.iter().filter(|one| county.contains(one.home));
            alike.map(|one| one.person).collect()
        } else {
            let range: PlaceRange = county.range();
            same_name_and_birth(tx, range, &row.name, birth)?
        };
        let in_chunk = self.new_by_name.entry((row.name.clone(), birth)).or_default();
        let alike = in_chunk.iter().copied().filter(|other| {
            self.persons.get(other).is_some_and(|held| {
                let number = held.now.id_number.as_ref();
                let other_valid = number.is_some_and(|number| number.kind() == IdNumberKind::Valid);
                county.contains(held.place) && !(valid && other_valid)
            })
        });
        let others: Vec<PersonId> = others.into_iter().chain(alike).filter(|other| *other != id).collect();
        in_chunk.push(id);
        let pair = |other: PersonId| Pair { one: id.uuid(), other: other.uuid(), home: row.home };
        memory.pairs.extend(others.into_iter().map(pair));
        Ok(())
    }

    /// The facts of what is new or otherwise, and pairs as far as there is room.
    fn facts(&self, run: &ImportRun, memory: &mut Memory) -> Vec<NewFact> {
        let mut facts = Vec::new();
        for id in &self.household_order {
            let Some(held) = self.households.get(id) else { continue };
            if held.before.as_ref() != Some(&held.now) || held.place != held.place_before {
                facts.push(fact_of(run, HOUSEHOLD, Subject::household(id.uuid()), held.place, &held.now));
            }
        }
        for id in &self.person_order {
            let Some(held) = self.persons.get(id) else { continue };
            if held.before.as_ref() != Some(&held.now) || held.place != held.place_before {
                facts.push(fact_of(run, PERSON, Subject::person(id.uuid()), held.place, &held.now));
            }
        }
        let room = FactRecord::BATCH.saturating_sub(facts.len());
        facts.extend(memory.take_pairs(run, room));
        facts
    }
}

/// A fact of this run.
pub(crate) fn fact_of(
    run: &ImportRun,
    kind: &str,
    subject: Subject,
    place: DivisionCode,
    body: &impl Serialize,
) -> NewFact {
    NewFact {
        id: run.app.mint(),
        kind: kind.to_owned(),
        subject,
        occurred_at: run.now,
        recorded_at: run.now,
        place,
        author: run.actor.account.uuid(),
        source: Source::Import,
        corrects: None,
        body: serde_json::to_string(body).unwrap_or_default(),
    }
}

fn person_key(row: &RegisterRow) -> PersonKey {
    match &row.id_number {
        Some(number) => (DivisionCode::COUNTRY, number.as_str().to_owned()),
        None => {
            let household = row.household.number.as_deref().unwrap_or_default();
            let birth = row.birth.map_or(String::new(), |birth| birth.to_string());
            (row.home, format!("{household}\n{}\n{birth}", row.name))
        }
    }
}

/// Keeps a sample of what changes, in the words of the file.
fn note_changes(
    run: &mut ImportRun,
    row: &RegisterRow,
    before: (DivisionCode, &PersonBody),
    after: (DivisionCode, &PersonBody),
) {
    let number = after.1.id_number.as_ref().map(|number| format!(" {}", number.masked())).unwrap_or_default();
    for difference in differences(before, after) {
        let change = Change {
            row: row.row,
            subject: format!("{}{number}", row.name),
            column: difference.column,
            before: said(run, &difference.before),
            after: said(run, &difference.after),
        };
        run.summary.change(change);
    }
}

fn said(run: &ImportRun, said: &Said) -> String {
    let words = &run.app.words;
    let language = Language::Zh;
    match said {
        Said::Nothing => String::new(),
        Said::Text(text) => text.clone(),
        Said::Word(key) => words.word(language, key).into_owned(),
        Said::Place(place) => Divisions::shipped()
            .get(*place)
            .map_or_else(|| place.to_string(), |division| division.full_name()),
        Said::Labels(labels) => {
            let one = |interval: &LabelInterval| {
                let day = |day: Option<Day>| day.map(|day| day.to_string()).unwrap_or_default();
                format!(
                    "{} {}–{}",
                    words.word(language, interval.label.word()),
                    day(interval.from),
                    day(interval.to)
                )
            };
            labels.iter().map(one).collect::<Vec<_>>().join("、")
        }
    }
}

fn fault_at(
    matching: &Matching,
    row: &RegisterRow,
    column: &'static str,
    severity: Severity,
    flaw: Flaw,
) -> Fault {
    let position = matching.slot(column).and_then(|slot| matching.position(slot));
    let shown = match column {
        "id_number" => row.id_number.as_ref().map(|number| number.masked()).unwrap_or_default(),
        "name" => masked_name(&row.name),
        _ => String::new(),
    };
    Fault { column: REGISTER.column(column), position, shown, ..Fault::of_row(row.row, severity, flaw) }
}

/// `王**`.
fn masked_name(name: &str) -> String {
    let mut characters = name.chars();
    let first: String = characters.next().into_iter().collect();
    format!("{first}{}", "*".repeat(characters.count()))
}

fn not_taken(column: &'static str, reason: &'static str, mend: &'static str) -> NotTaken {
    NotTaken { column, flaw: Flaw::new(reason).mend(Refusal::new(mend)) }
}

fn number_of_two() -> NotTaken {
    not_taken("id_number", "register.flaw.number_of_two", "register.mend.number_of_two")
}

fn two_without_number() -> NotTaken {
    not_taken("name", "register.flaw.two_without_number", "register.mend.number_of_two")
}

fn twice_without_number() -> NotTaken {
    not_taken("name", "register.flaw.twice_without_number", "register.mend.twice_without_number")
}

fn registered_elsewhere() -> NotTaken {
    not_taken("id_number", "register.flaw.elsewhere", "register.mend.elsewhere")
}
