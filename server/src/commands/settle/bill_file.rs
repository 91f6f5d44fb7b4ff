//! The reading of one row of a file of bills that carries all that settling asks.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher as _};
use std::sync::Arc;

use kangmai_base::{Day, DivisionCode, DivisionLevel, Fen, Refusal, Sex};
use kangmai_policy::{
    BillFacts, FactsError, FeeKind, Icd10, InstitutionGrade, InstitutionTier, LabelSet, Referral, Setting,
    UNKNOWN_AGE,
};
use kangmai_settlement::facts::NamedFee;
use kangmai_settlement::import::{REFERRALS, SETTINGS, bill_number, named_fees};
use kangmai_settlement::rules::{Itemised, LineFault, Stated, itemise, refuse_stay};
use kangmai_sheet::{Cells, Fault, Flaw, Matching, Record, Slot, half_width, read};

use super::Setup;
use super::columns::{GRADES, LABELS, TIERS};
use super::line_file::LinesReader;
use super::order::RowError;

/// Characters of a household number.
const LONGEST_HOUSEHOLD: usize = 40;

/// One bill that can be settled.
#[derive(Debug, Clone)]
pub(super) struct BillRow {
    pub(super) number: String,
    /// Row of the file, from 1.
    pub(super) row: u32,
    /// The person, as a number drawn from the ID number.
    pub(super) person: u64,
    /// With whom they are settled: a number that all of those have in common.
    pub(super) chain: u64,
    /// The household, as a number; none: not known.
    pub(super) household: Option<u64>,
    /// Number of the jurisdiction in the release.
    pub(super) jurisdiction: u16,
    pub(super) facts: BillFacts,
    /// Whether its amounts are what its lines come to.
    pub(super) has_lines: bool,
}

impl BillRow {
    /// The household; one of whom none is known has nothing together with anybody.
    pub(super) fn household_or_self(&self) -> u64 {
        self.household.unwrap_or(self.person)
    }
}

/// What became of a row.
pub(super) enum Read {
    Bill(Box<BillRow>),
    /// A bill that an earlier row has, word for word.
    Repeated,
    Faulty,
}

/// Where the columns stand.
struct Slots {
    number: Option<Slot>,
    id_number: Option<Slot>,
    discharge: Option<Slot>,
    total: Option<Slot>,
    compliant: Option<Slot>,
    already_paid: Option<Slot>,
    admission: Option<Slot>,
    settlement: Option<Slot>,
    setting: Option<Slot>,
    institution_code: Option<Slot>,
    tier: Option<Slot>,
    grade: Option<Slot>,
    institution_place: Option<Slot>,
    designations: Option<Slot>,
    referral: Option<Slot>,
    diagnosis: Option<Slot>,
    fees: Option<Slot>,
    labels: Option<Slot>,
    person_place: Option<Slot>,
    household: Option<Slot>,
}

impl Slots {
    fn of(matching: &Matching) -> Slots {
        let slot = |key| matching.slot(key).filter(|slot| matching.position(*slot).is_some());
        Slots {
            number: slot("number"),
            id_number: slot("id_number"),
            discharge: slot("discharge"),
            total: slot("total"),
            compliant: slot("compliant"),
            already_paid: slot("already_paid"),
            admission: slot("admission"),
            settlement: slot("settlement"),
            setting: slot("setting"),
            institution_code: slot("institution_code"),
            tier: slot("institution_tier"),
            grade: slot("institution_grade"),
            institution_place: slot("institution_place"),
            designations: slot("designations"),
            referral: slot("referral"),
            diagnosis: slot("diagnosis_code"),
            fees: slot("fees"),
            labels: slot("labels"),
            person_place: slot("person_place"),
            household: slot("household_number"),
        }
    }
}

/// The last text of a column and what it meant: neighbouring rows mostly say the same.
struct Memo<T> {
    text: String,
    value: Option<T>,
}

impl<T: Copy> Memo<T> {
    const fn new() -> Memo<T> {
        Memo { text: String::new(), value: None }
    }

    fn read(
        &mut self,
        cells: &mut Cells<'_>,
        slot: Option<Slot>,
        read: impl FnOnce(&str) -> Result<T, Flaw>,
    ) -> Option<T> {
        let slot = slot?;
        let text = cells.filled(slot)?;
        if self.value.is_some() && self.text == text {
            return self.value;
        }
        self.value = cells.optional(slot, read);
        self.text.clear();
        self.text.push_str(text);
        self.value
    }
}

/// Who a row is about.
#[derive(Debug, Clone, Copy)]
struct Who {
    person: u64,
    birth: Option<Day>,
    sex: Option<Sex>,
}

/// Reads the rows of one file in any order; keeps what it must know of the rows before.
pub(super) struct Reading<'s> {
    setup: &'s Setup,
    slots: Option<Arc<Slots>>,
    /// By number of institution and bill: the row, and what it says.
    seen: HashMap<u64, (u32, u32)>,
    who: Memo<Who>,
    setting: Memo<Setting>,
    tier: Memo<InstitutionTier>,
    grade: Memo<InstitutionGrade>,
    referral: Memo<Referral>,
    labels: Memo<LabelSet>,
    designations: Memo<u32>,
    person_place: Memo<DivisionCode>,
    institution_place: Memo<DivisionCode>,
    diagnosis: Memo<Icd10>,
    jurisdiction: Option<((DivisionCode, Day), Option<u16>)>,
    lines: Option<LinesReader<'s>>,
}

impl<'s> Reading<'s> {
    pub(super) fn new(setup: &'s Setup, lines: Option<LinesReader<'s>>) -> Reading<'s> {
        Reading {
            setup,
            slots: None,
            seen: HashMap::new(),
            who: Memo::new(),
            setting: Memo::new(),
            tier: Memo::new(),
            grade: Memo::new(),
            referral: Memo::new(),
            labels: Memo::new(),
            designations: Memo::new(),
            person_place: Memo::new(),
            institution_place: Memo::new(),
            diagnosis: Memo::new(),
            jurisdiction: None,
            lines,
        }
    }

    /// The lines that no bill of the file asked for.
    pub(super) fn left_over(&mut self) -> anyhow::Result<Vec<RowError>> {
        self.lines.as_mut().map_or_else(|| Ok(Vec::new()), LinesReader::left_over)
    }

    pub(super) fn setup(&self) -> &'s Setup {
        self.setup
    }

    /// Reads one row; the faults say what is wrong with it.
    pub(super) fn row(&mut self, matching: &Matching, record: &Record) -> anyhow::Result<(Read, Vec<Fault>)> {
        let slots = Arc::clone(self.slots.get_or_insert_with(|| Arc::new(Slots::of(matching))));
        let mut cells = Cells::new(matching, record);
        let bill = self.bill(&slots, &mut cells)?;
        let read = match bill {
            Some(bill) if !cells.has_errors() => self.compare(&slots, &mut cells, bill),
            _ => Read::Faulty,
        };
        Ok((read, cells.into_faults()))
    }

    fn bill(&mut self, slots: &Slots, cells: &mut Cells<'_>) -> anyhow::Result<Option<BillRow>> {
        let Some((number, who, mut facts)) = self.amounts_and_person(slots, cells) else { return Ok(None) };
        let has_lines = self.lines(slots, cells, &number, &mut facts)?;
        Ok(self.rest(slots, cells, (number, who, facts, has_lines)))
    }

    fn amounts_and_person(
        &mut self,
        slots: &Slots,
        cells: &mut Cells<'_>,
    ) -> Option<(String, Who, BillFacts)> {
        let number = cells.required(slots.number?, bill_number);
        if cells.filled(slots.id_number?).is_none() {
            cells.required(slots.id_number?, read::id_number);
        }
        let who = self.who.read(cells, slots.id_number, read_who);
        let discharge = cells.required(slots.discharge?, read::day);
        let total = cells.required(slots.total?, read::amount);
        let (number, who, discharge, total) = (number?, who?, discharge?, total?);
        let mut facts = BillFacts::inpatient(total, discharge, DivisionCode::COUNTRY);
        self.money(slots, cells, &mut facts);
        self.person(slots, cells, &who, &mut facts)?;
        Some((number, who, facts))
    }

    /// Where the bill has lines its amounts are what they come to, and those that it states must agree.
    fn lines(
        &mut self,
        slots: &Slots,
        cells: &mut Cells<'_>,
        number: &str,
        facts: &mut BillFacts,
    ) -> anyhow::Result<bool> {
        let Some(reader) = &mut self.lines else { return Ok(false) };
        let institution = slots.institution_code.and_then(|slot| cells.filled(slot)).unwrap_or_default();
        let Some(found) = reader.lines_of(institution, number)? else { return Ok(false) };
        let Some(at) = slots.number.or(slots.total) else { return Ok(true) };
        let rule = self.setup.release.lines_and_file(facts.person_place, facts.discharge);
        let (Some(rule), None) = (rule, found.wrong()) else {
            let no_rule =
                || Flaw::new("settlement.flaw.no_line_rule").with("day", facts.discharge.to_string());
            cells.error(at, found.wrong().unwrap_or_else(no_rule));
            return Ok(true);
        };
        let says = |slot: Option<Slot>| slot.is_some_and(|slot| cells.filled(slot).is_some());
        let fees = FeeKind::ALL.into_iter().zip(facts.fees).filter(|_| says(slots.fees));
        let stated = Stated {
            total: Some(facts.total),
            compliant: Some(facts.compliant).filter(|_| says(slots.compliant)),
            fees: fees.map(|(kind, amount)| NamedFee { kind, amount }).collect(),
        };
        let rows = found.rows;
        let name = |line: usize| rows.get(line).map(ToString::to_string).unwrap_or_default();
        match itemise(rule, found.lines, &stated, &name) {
            Ok(itemised) => put_sums(facts, &itemised),
            Err(faults) => {
                for fault in faults {
                    let slot = match fault.column {
                        "total" => slots.total,
                        "compliant" => slots.compliant,
                        "fee" => slots.fees,
                        _ => None,
                    };
                    let flaw = self.at_line(fault, &rows);
                    cells.error(slot.unwrap_or(at), flaw);
                }
            }
        }
        Ok(true)
    }

    /// What is wrong with one line, with its row in the file of lines.
    fn at_line(&self, fault: LineFault, rows: &[u32]) -> Flaw {
        let is_of_bill = matches!(fault.column, "total" | "compliant" | "fee");
        let row = fault.line.filter(|_| !is_of_bill).and_then(|line| rows.get(line));
        let Some(row) = row else { return fault.flaw };
        let text = self.setup.words.refusal(self.setup.language, &fault.flaw.reason, "");
        let reason = Refusal::new("server.settle.at_line").with("row", row.to_string()).with("text", text);
        Flaw { reason, ..fault.flaw }
    }

    fn rest(
        &mut self,
        slots: &Slots,
        cells: &mut Cells<'_>,
        (number, who, mut facts, has_lines): (String, Who, BillFacts, bool),
    ) -> Option<BillRow> {
        self.institution(slots, cells, &mut facts);
        facts.set_birth_if_known(who.birth);
        facts.sex = who.sex.or(facts.sex);
        if let Err(error) = facts.check() {
            let (slot, word) = match error {
                FactsError::Total => (slots.total, "policy.file.total"),
                FactsError::Compliant | FactsError::Categories => (slots.compliant, "policy.file.compliant"),
                FactsError::AlreadyPaid => (slots.already_paid, "policy.file.already_paid"),
                FactsError::Fees => (slots.fees, "policy.file.fees"),
                FactsError::Dates => (slots.admission, "policy.file.dates"),
            };
            let flaw = Flaw::new(word).mend(Refusal::new("policy.file.mend.check"));
            cells.error(slot.or(slots.total)?, flaw);
        }
        let jurisdiction = self.jurisdiction(slots, cells, &facts)?;
        let row = cells.row();
        let said = slots.household.and_then(|slot| {
            cells.optional(slot, |text| read::code(text, LONGEST_HOUSEHOLD)).map(|text| household_of(&text))
        });
        let household = said.or(self.setup.around.household(who.person));
        Some(BillRow {
            number,
            row,
            person: who.person,
            chain: who.person,
            household,
            jurisdiction,
            facts,
            has_lines,
        })
    }

    fn money(&mut self, slots: &Slots, cells: &mut Cells<'_>, facts: &mut BillFacts) {
        let mut amount = |slot: Option<Slot>| slot.and_then(|slot| cells.optional(slot, read::amount));
        facts.compliant = amount(slots.compliant).unwrap_or(facts.total);
        facts.already_paid = amount(slots.already_paid).unwrap_or(Fen::ZERO);
        let mut day = |slot: Option<Slot>| slot.and_then(|slot| cells.optional(slot, read::day));
        facts.admission = day(slots.admission).unwrap_or(facts.discharge);
        facts.settlement = day(slots.settlement).unwrap_or(facts.discharge);
        if let Some((slot, refusal)) = slots.admission.zip(refuse_stay(facts.admission, facts.discharge)) {
            cells.error(slot, Flaw { reason: Refusal { field: None, ..refusal }, suggestion: None });
        }
        if let Some(slot) = slots.fees
            && let Some(fees) = cells.optional(slot, read_fees)
        {
            facts.fees = fees;
        }
    }

    fn person(
        &mut self,
        slots: &Slots,
        cells: &mut Cells<'_>,
        who: &Who,
        facts: &mut BillFacts,
    ) -> Option<()> {
        let setup = self.setup;
        let known = setup.around.person(who.person);
        let said = self.person_place.read(cells, slots.person_place, read::division);
        let fixed = setup.fixed.and_then(|number| setup.jurisdiction(number)).map(|one| one.pack.place);
        let place = said.or(known.map(|known| known.home)).or(setup.place).or(fixed);
        let Some(place) = place else {
            let flaw = Flaw::new("policy.file.no_place").mend(Refusal::new("policy.file.mend.no_place"));
            cells.error(slots.person_place.or(slots.id_number)?, flaw);
            return None;
        };
        facts.person_place = place;
        let read_set = |text: &str| read_labels(text, setup);
        let labels = self.labels.read(cells, slots.labels, read_set).unwrap_or(LabelSet::NONE);
        (facts.labels_at_admission, facts.labels_at_discharge) = (labels, labels);
        if let Some(known) = known {
            facts.labels_at_admission = labels.and(known.labels_on(facts.admission));
            facts.labels_at_discharge = labels.and(known.labels_on(facts.discharge));
            facts.sex = known.sex;
            facts.set_birth_if_known(known.birth);
            (facts.insured_at_admission, facts.insured_at_discharge) = (known.insured, known.insured);
        }
        Some(())
    }

    fn institution(&mut self, slots: &Slots, cells: &mut Cells<'_>, facts: &mut BillFacts) {
        facts.setting = self
            .setting
            .read(cells, slots.setting, |text| read::choice(text, &SETTINGS))
            .unwrap_or(Setting::Inpatient);
        let referral = self.referral.read(cells, slots.referral, |text| read::choice(text, &REFERRALS));
        facts.referral = referral.unwrap_or(Referral::NotReferred);
        facts.diagnosis =
            self.diagnosis.read(cells, slots.diagnosis, read_diagnosis).unwrap_or(Icd10::UNKNOWN);
        let code = slots.institution_code.and_then(|slot| cells.filled(slot));
        let known = code.and_then(|code| self.setup.around.institution(code));
        let tier = self.tier.read(cells, slots.tier, |text| read::choice(text, &TIERS));
        let grade = self.grade.read(cells, slots.grade, |text| read::choice(text, &GRADES));
        let place = self.institution_place.read(cells, slots.institution_place, read::division);
        let setup = self.setup;
        let bits = self.designations.read(cells, slots.designations, |text| read_designations(text, setup));
        if let Some(known) = known {
            (facts.tier, facts.grade, facts.kind) = (known.tier, known.grade, known.kind);
            (facts.institution_place, facts.designations) = (known.place, known.designations);
        }
        let says_tier = slots.tier.is_some_and(|slot| cells.filled(slot).is_some());
        if !says_tier && known.is_none() {
            let flaw = Flaw::new("policy.file.no_tier").mend(Refusal::new("policy.file.mend.no_tier"));
            if let Some(slot) = slots.tier.or(slots.institution_code).or(slots.number) {
                cells.error(slot, flaw);
            }
        }
        facts.tier = tier.unwrap_or(facts.tier);
        facts.grade = grade.or(known.map(|known| known.grade)).unwrap_or(usual_grade(facts.tier));
        facts.designations |= bits.unwrap_or(0);
        let near = known.map(|known| known.place).unwrap_or_else(|| usual_place(facts));
        facts.institution_place = place.unwrap_or(near);
    }

    fn jurisdiction(&mut self, slots: &Slots, cells: &mut Cells<'_>, facts: &BillFacts) -> Option<u16> {
        let setup = self.setup;
        let key = (facts.person_place, facts.discharge);
        let number = match (setup.fixed, self.jurisdiction) {
            (Some(fixed), _) => Some(fixed),
            (None, Some((before, number))) if before == key => number,
            (None, _) => {
                let found = setup.release.jurisdiction_for(facts.person_place, facts.discharge);
                let all = setup.release.jurisdictions();
                let number = found.and_then(|found| all.iter().position(|one| std::ptr::eq(one, found)));
                number.map(|number| number as u16)
            }
        };
        self.jurisdiction = Some((key, number));
        let slot = slots.person_place.or(slots.discharge)?;
        let Some(number) = number else {
            let flaw = Flaw::new("policy.file.no_policy")
                .with("place", facts.person_place.to_string())
                .with("day", facts.discharge.to_string());
            cells.error(slot, flaw.mend(Refusal::new("policy.file.mend.no_policy")));
            return None;
        };
        if let Err(open) = setup.jurisdiction(number)?.policy(&setup.accepted) {
            let names: Vec<String> = open.0.iter().map(|rule| rule.id.clone()).collect();
            let mend = Refusal::new("policy.file.mend.unaccepted").with("names", names.join(" --accept "));
            cells.error(slot, Flaw::new("policy.file.unaccepted").with("names", names.join("、")).mend(mend));
            return None;
        }
        Some(number)
    }

    /// Tells a bill that stands twice from a new one.
    fn compare(&mut self, slots: &Slots, cells: &mut Cells<'_>, bill: BillRow) -> Read {
        let institution = slots.institution_code.and_then(|slot| cells.filled(slot)).unwrap_or_default();
        let key = hash_of((institution, bill.number.to_ascii_uppercase()));
        let facts = &bill.facts;
        let content = hash_of((
            (bill.person, bill.household),
            (facts.total, facts.compliant, facts.already_paid, facts.fees, facts.categories),
            (facts.admission, facts.discharge, facts.settlement),
            (facts.tier as u8, facts.grade as u8, facts.setting as u8, facts.referral as u8),
            (facts.diagnosis, facts.person_place, facts.institution_place),
        )) as u32;
        match self.seen.get(&key) {
            None => {
                self.seen.insert(key, (bill.row, content));
                Read::Bill(Box::new(bill))
            }
            Some((row, before)) => {
                let is_same = *before == content;
                let reason = if is_same { "policy.file.twice" } else { "policy.file.twice_otherwise" };
                let mend =
                    if is_same { "policy.file.mend.twice" } else { "policy.file.mend.twice_otherwise" };
                let flaw = Flaw::new(reason).with("row", row.to_string()).mend(Refusal::new(mend));
                if let Some(slot) = slots.number {
                    if is_same { cells.warning(slot, flaw) } else { cells.error(slot, flaw) }
                }
                if is_same { Read::Repeated } else { Read::Faulty }
            }
        }
    }
}

fn put_sums(facts: &mut BillFacts, itemised: &Itemised) {
    (facts.total, facts.compliant) = (itemised.total, itemised.compliant);
    facts.fees = [Fen::ZERO; FeeKind::ALL.len()];
    for fee in &itemised.fees {
        facts.fees[fee.kind as usize] = fee.amount;
    }
    for cost in &itemised.lines.categories {
        facts.categories[cost.category as usize] = cost.compliant;
    }
}

/// Ages, where the birth date is known.
trait Born {
    fn set_birth_if_known(&mut self, birth: Option<Day>);
}

impl Born for BillFacts {
    fn set_birth_if_known(&mut self, birth: Option<Day>) {
        if let Some(birth) = birth
            && self.age_at_discharge == UNKNOWN_AGE
        {
            self.set_birth(birth);
        }
    }
}

/// A number for anything that can be hashed.
pub(super) fn hash_of<T: std::hash::Hash>(value: T) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// The number of the person with this ID number.
pub(super) fn person_of(id_number: &str) -> u64 {
    hash_of(id_number)
}

/// The number of the household that a file of bills calls so.
pub(super) fn household_of(number: &str) -> u64 {
    hash_of(("household", half_width(number.trim()).trim_start_matches('\'')))
}

fn read_who(text: &str) -> Result<Who, Flaw> {
    let number = read::id_number(text)?;
    Ok(Who { person: person_of(number.as_str()), birth: number.birth(), sex: number.sex() })
}

fn read_diagnosis(text: &str) -> Result<Icd10, Flaw> {
    text.parse()
        .map_err(|_| Flaw::new("policy.file.diagnosis").mend(Refusal::new("policy.file.mend.diagnosis")))
}

fn words_of(text: &str) -> impl Iterator<Item = &str> {
    text.split(['、', ',', '，', ';', '；', ' ']).map(str::trim).filter(|word| !word.is_empty())
}

fn read_labels(text: &str, setup: &Setup) -> Result<LabelSet, Flaw> {
    let vocabulary = setup.release.vocabulary();
    let mut set = LabelSet::NONE;
    for word in words_of(&half_width(text)) {
        let by_name = vocabulary.labels.iter().find(|label| label.name.zh == word || label.name.en == word);
        let short = LABELS.iter().find(|(short, _)| *short == word).map(|(_, id)| *id);
        let id = by_name.map(|label| label.id.as_str()).or(short).unwrap_or(word);
        let names =
            || vocabulary.labels.iter().map(|label| label.name.zh.as_str()).collect::<Vec<_>>().join("、");
        let flaw = || {
            let mend = Refusal::new("policy.file.mend.list").with("list", names());
            Flaw::new("policy.file.label").with("word", word.to_owned()).mend(mend)
        };
        set = set.and(vocabulary.label(id).ok_or_else(flaw)?);
    }
    Ok(set)
}

fn read_designations(text: &str, setup: &Setup) -> Result<u32, Flaw> {
    let all = &setup.release.vocabulary().designations;
    let mut bits = 0;
    for word in words_of(&half_width(text)) {
        let found = all.iter().find(|one| one.id == word || one.name.zh == word || one.name.en == word);
        let flaw = || {
            let names = all.iter().map(|one| one.name.zh.as_str()).collect::<Vec<_>>().join("、");
            let mend = Refusal::new("policy.file.mend.list").with("list", names);
            Flaw::new("policy.file.designation").with("word", word.to_owned()).mend(mend)
        };
        let id = &found.ok_or_else(flaw)?.id;
        bits |= setup.release.vocabulary().designation(id).unwrap_or(0);
    }
    Ok(bits)
}

/// The amount of each kind of fee.
fn read_fees(text: &str) -> Result<[Fen; FeeKind::ALL.len()], Flaw> {
    let mut fees = [Fen::ZERO; FeeKind::ALL.len()];
    for fee in named_fees(text)? {
        fees[fee.kind as usize] += fee.amount;
    }
    Ok(fees)
}

/// The grade that most institutions of a tier have, where the file does not say.
const fn usual_grade(tier: InstitutionTier) -> InstitutionGrade {
    match tier {
        InstitutionTier::Village => InstitutionGrade::Ungraded,
        InstitutionTier::Township => InstitutionGrade::First,
        InstitutionTier::County => InstitutionGrade::Second,
        InstitutionTier::City | InstitutionTier::Province | InstitutionTier::OutsideProvince => {
            InstitutionGrade::Third
        }
    }
}

/// Where an institution stands, where the file does not say: in the person's own county, city or province.
fn usual_place(facts: &BillFacts) -> DivisionCode {
    let level = match facts.tier {
        InstitutionTier::Village | InstitutionTier::Township | InstitutionTier::County => {
            DivisionLevel::County
        }
        InstitutionTier::City => DivisionLevel::City,
        InstitutionTier::Province => DivisionLevel::Province,
        InstitutionTier::OutsideProvince => return DivisionCode::COUNTRY,
    };
    facts.person_place.at(level)
}
