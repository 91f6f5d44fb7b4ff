//! The import of diagnoses: what a hospital, an insurance bureau or a family doctor's list says of people's diseases.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use kangmai_base::{Day, DivisionCode, Id, Moment, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::{Person, find_person, match_id_number};
use kangmai_policy::Icd10;
use kangmai_programme::{ImportRun, Planned as PlannedRows};
use kangmai_record::{NewFact, Source, Subject};
use kangmai_sheet::{Cells, Column, Flaw, Format, Matching, Outcome, Record, Schema, read};

use crate::diagnoses::{Met, Reported, is_struck, meet, remember};
use crate::facts::{DIAGNOSED, Diagnosed};
use crate::planning::{Whose, follow};
use crate::rules::is_sensitive;
use crate::store::{self, KnownDiagnosis, StruckDiagnosis};

/// The columns of the import `diagnoses`.
pub static SCHEMA: Schema = Schema {
    key: "classification.diagnoses",
    title_zh: "诊断名单",
    title_en: "Diagnoses",
    columns: &[
        Column::new("id_number", "证件号码", "ID number")
            .aliases(&["身份证号", "身份证号码", "公民身份号码", "证件号"])
            .required()
            .format(Format::Code)
            .personal()
            .example("411722195001019995")
            .hint("与人员名册一致；单元格设为文本格式", "As in the register; keep the cell as text"),
        Column::new("name", "姓名", "Name").aliases(&["患者姓名", "病人姓名"]).personal().example("王示例"),
        Column::new("code", "诊断编码", "Diagnosis code")
            .aliases(&["ICD编码", "ICD-10编码", "ICD10编码", "疾病编码", "主要诊断编码", "诊断代码"])
            .required()
            .format(Format::Code)
            .example("I63.900")
            .hint("ICD-10，含6位扩展码，如 I10.x00", "ICD-10, with the extension of six characters: I10.x00"),
        Column::new("disease", "诊断名称", "Diagnosis")
            .aliases(&["疾病名称", "主要诊断", "主要诊断名称", "病种名称"])
            .required()
            .example("脑梗死"),
        Column::new("from", "确诊日期", "Diagnosed on")
            .aliases(&["诊断日期", "确诊时间", "诊断时间"])
            .required()
            .format(Format::Day)
            .example("2025-04-18"),
        Column::new("institution", "医疗机构", "Institution")
            .aliases(&["确诊机构", "诊断机构", "医疗机构名称", "确诊医院"])
            .example("上蔡县人民医院"),
        Column::new("to", "结束日期", "Ended on")
            .aliases(&["治愈日期", "终止日期", "销号日期"])
            .format(Format::Day)
            .hint(
                "治愈、更正或销号的日期；未结束留空",
                "Cured, put right or struck off; empty while it holds",
            ),
        Column::new("system", "编码版本", "Code system")
            .aliases(&["诊断编码版本", "编码体系"])
            .example("ICD-10 国家临床版2.0"),
        Column::new("drug_resistant", "耐多药", "Drug-resistant")
            .aliases(&["是否耐多药", "耐药"])
            .choices(&["是", "否"])
            .example("否")
            .hint("仅用于结核病", "For tuberculosis only"),
    ],
};

/// What a code is taken to be without a word about it.
pub(crate) const DEFAULT_SYSTEM: &str = "ICD-10 国家临床版2.0";
/// What a diagnosis without its own name may call itself, in characters.
const LONGEST_NAME: usize = 100;

/// A person as rows touch them.
struct Touched {
    person: Person,
    known: Vec<KnownDiagnosis>,
    struck: Vec<StruckDiagnosis>,
    changed: bool,
}

/// In a dry run nothing is written, so what earlier rows of the file would have told is remembered here.
#[derive(Default)]
struct Memory {
    touched: HashMap<Uuid, Vec<KnownDiagnosis>>,
}

/// Reads rows: each is about one disease of one person of the register within reach.
pub(crate) fn plan(
    tx: &mut Transaction<'_>,
    run: &mut ImportRun,
    matching: &Matching,
    rows: &[Record],
) -> Result<PlannedRows, DatabaseError> {
    let mut facts = Vec::with_capacity(rows.len() * 2);
    let mut touched: HashMap<Uuid, Touched> = HashMap::new();
    for record in rows {
        let mut cells = Cells::new(matching, record);
        let outcome = match take_row(tx, run, &mut cells, &mut touched)? {
            Some((person, met)) => {
                let (outcome, fact) = facts_of(run, person, met, &mut touched)?;
                facts.extend(fact);
                outcome
            }
            None => Outcome::Faulty,
        };
        run.count(outcome, cells.into_faults());
    }
    let mut changed: Vec<Touched> = touched.into_values().filter(|touched| touched.changed).collect();
    changed.sort_by_key(|touched| touched.person.id.uuid());
    for touched in &changed {
        facts.extend(plan_fact(tx, run, touched)?);
    }
    if run.dry_run {
        let memory = run.memory::<Memory>();
        for touched in changed {
            memory.touched.insert(touched.person.id.uuid(), touched.known);
        }
    }
    Ok(PlannedRows { facts })
}

fn take_row(
    tx: &mut Transaction<'_>,
    run: &mut ImportRun,
    cells: &mut Cells<'_>,
    touched: &mut HashMap<Uuid, Touched>,
) -> Result<Option<(Uuid, Met)>, DatabaseError> {
    let reported = reported(cells, run.today);
    let person = find(tx, run, cells)?;
    let (Some(mut reported), Some(person)) = (reported, person) else { return Ok(None) };
    if person.body.birth.is_some_and(|birth| reported.from < birth) {
        let mend = Refusal::new("classification.mend.before_birth");
        cells.error("from", Flaw::new("classification.flaw.before_birth").mend(mend));
        return Ok(None);
    }
    if cells.has_errors() {
        return Ok(None);
    }
    let code = reported.code.parse().unwrap_or(Icd10::UNKNOWN);
    reported.sensitive = is_sensitive(code, run.app.policies.disease_table(person.home, run.today));
    let id = person.id.uuid();
    let touched = match touched.entry(id) {
        Entry::Occupied(there) => there.into_mut(),
        Entry::Vacant(vacant) => {
            let remembered = run.dry_run.then(|| run.memory::<Memory>().touched.get(&id).cloned()).flatten();
            let known = match remembered {
                Some(known) => known,
                None => store::diagnoses_of(tx, id)?,
            };
            let struck = store::struck_of(tx, id)?;
            vacant.insert(Touched { person, known, struck, changed: false })
        }
    };
    if is_struck(&reported, &touched.struck) {
        let mend = Refusal::new("classification.mend.put_right");
        cells.warning("code", Flaw::new("classification.flaw.put_right").mend(mend));
        return Ok(Some((id, Met::Known)));
    }
    Ok(Some((id, meet(&reported, &touched.known, &run.file, run.app.mint()))))
}

/// Reads what a row says of the disease; a fault for each cell that cannot be.
fn reported(cells: &mut Cells<'_>, today: Day) -> Option<Reported> {
    let code = cells.required("code", read_code);
    let name = cells.required("disease", read::text);
    let from = cells.required("from", |text| read::past_day(text, today));
    let to = cells.optional("to", |text| read::past_day(text, today));
    let institution = cells.optional("institution", read::text).unwrap_or_default();
    let system = cells.optional("system", read::text);
    let drug_resistant = cells.optional("drug_resistant", read::yes_no);
    let (code, name, from) = (code?, name?, from?);
    if to.is_some_and(|to| to < from) {
        cells.error("to", Flaw::new("classification.flaw.ends_before").with("from", from.to_string()));
        return None;
    }
    let named_so = ["耐多药", "利福平耐药", "广泛耐药"].iter().any(|word| name.contains(word));
    Some(Reported {
        code,
        system: system.unwrap_or_else(|| DEFAULT_SYSTEM.to_owned()),
        drug_resistant: drug_resistant.unwrap_or(named_so),
        name: name.chars().take(LONGEST_NAME).collect(),
        from,
        to,
        institution,
        sensitive: false,
    })
}

/// A diagnosis code in its usual form: half-width, without spaces.
pub(crate) fn read_code(text: &str) -> Result<String, Flaw> {
    let narrow: String =
        kangmai_sheet::half_width(text).chars().filter(|sign| !sign.is_whitespace()).collect();
    if narrow.parse::<Icd10>().is_ok() && narrow.len() <= 24 {
        return Ok(narrow);
    }
    let flaw = Flaw::new("classification.flaw.not_a_code");
    // A letter O for the digit 0 and a missing dot are what is met most.
    let mended: String = narrow
        .chars()
        .enumerate()
        .map(|(position, sign)| match sign {
            'O' | 'o' if position > 0 => '0',
            'l' | 'I' | '|' if position > 0 => '1',
            '。' | '．' | ',' | '，' => '.',
            other => other,
        })
        .collect();
    Err(if mended != narrow && mended.parse::<Icd10>().is_ok() {
        flaw.mend(Refusal::new("classification.mend.code_such_as").with("code", mended))
    } else {
        flaw.mend(Refusal::new("classification.mend.code"))
    })
}

/// The person of a row: exactly one within reach has the number.
fn find(
    tx: &mut Transaction<'_>,
    run: &ImportRun,
    cells: &mut Cells<'_>,
) -> Result<Option<Person>, DatabaseError> {
    let Some(number) = cells.required("id_number", read::id_number) else { return Ok(None) };
    let found = match_id_number(tx, &number)?;
    let mut within = Vec::new();
    for (id, ..) in found {
        within.extend(find_person(tx, id)?.filter(|person| run.reach.covers(person.home)));
    }
    let person = match within.len() {
        0 => {
            let mend = Refusal::new("classification.mend.not_registered");
            cells.error("id_number", Flaw::new("classification.flaw.not_registered").mend(mend));
            return Ok(None);
        }
        1 => within.remove(0),
        _ => {
            let mend = Refusal::new("classification.mend.two_records");
            cells.error("id_number", Flaw::new("classification.flaw.two_records").mend(mend));
            return Ok(None);
        }
    };
    let name = cells.optional("name", read::text);
    if name.is_some_and(|name| name.replace(' ', "") != person.body.name.replace(' ', "")) {
        let mend = Refusal::new("classification.mend.name_differs");
        cells.warning("name", Flaw::new("classification.flaw.name_differs").mend(mend));
    }
    Ok(Some(person))
}

fn facts_of(
    run: &ImportRun,
    person: Uuid,
    met: Met,
    touched: &mut HashMap<Uuid, Touched>,
) -> Result<(Outcome, Option<NewFact>), DatabaseError> {
    let (outcome, body, corrects) = match met {
        Met::Known => return Ok((Outcome::Unchanged, None)),
        Met::New(body) => (Outcome::New, body, None),
        Met::Changed(body, fact) => (Outcome::Changed, body, Some(fact)),
    };
    let id = run.app.mint();
    let Some(touched) = touched.get_mut(&person) else { return Ok((Outcome::Unchanged, None)) };
    remember(&mut touched.known, &body, id);
    touched.changed = true;
    let fact = diagnosed_fact(run, id, Subject::person(person), touched.person.home, &body, corrects)?;
    Ok((outcome, Some(fact)))
}

fn diagnosed_fact(
    run: &ImportRun,
    id: Uuid,
    subject: Subject,
    place: DivisionCode,
    body: &Diagnosed,
    corrects: Option<Uuid>,
) -> Result<NewFact, DatabaseError> {
    Ok(NewFact {
        id,
        kind: DIAGNOSED.to_owned(),
        subject,
        occurred_at: Moment::start_of(body.from),
        recorded_at: run.now,
        place,
        author: run.actor.account.uuid(),
        source: Source::Import,
        corrects,
        body: serde_json::to_string(body).map_err(|error| DatabaseError::Refused(error.to_string()))?,
    })
}

fn plan_fact(
    tx: &mut Transaction<'_>,
    run: &ImportRun,
    touched: &Touched,
) -> Result<Option<NewFact>, DatabaseError> {
    let whose = Whose::of(&touched.person);
    let followed = follow(tx, &run.app, whose, &touched.known, (run.today, run.now))?;
    Ok(followed.map(|(_, fact)| fact))
}

/// The person `id`, if within `reach`.
pub(crate) fn person_within(
    tx: &mut Transaction<'_>,
    reach: &kangmai_access::Reach,
    id: Uuid,
) -> Result<Option<Person>, DatabaseError> {
    Ok(find_person(tx, Id::from_uuid(id))?.filter(|person| reach.covers(person.home)))
}
