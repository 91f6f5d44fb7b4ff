//! In which plan a person is. Pure: no database, no clock.
//!
//! The three plans are those of the 2017 three batches (三个一批): major diseases are treated at named hospitals
//! (大病集中救治), chronic diseases are managed by the signed family doctor (慢病签约管理), severe illness is backed up
//! (重病兜底保障). A person is in exactly one: the gravest that a diagnosis in force calls for.

use kangmai_base::{Day, Sex, Uuid};
use kangmai_policy::{DiseaseTable, Icd10, MajorDisease, PlanRule};
use serde::{Deserialize, Serialize};

/// A plan, the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanKind {
    /// 大病集中救治
    Major,
    /// 重病兜底保障
    Severe,
    /// 慢病签约管理
    Chronic,
}

impl PlanKind {
    /// All three, the gravest first.
    pub const ALL: [PlanKind; 3] = [PlanKind::Major, PlanKind::Severe, PlanKind::Chronic];

    /// Name in the database and in addresses; the key of its word is `classification.plan.` and this.
    pub const fn key(self) -> &'static str {
        match self {
            PlanKind::Major => "major",
            PlanKind::Severe => "severe",
            PlanKind::Chronic => "chronic",
        }
    }

    /// The plan that `key` names.
    pub fn of_key(key: &str) -> Option<PlanKind> {
        PlanKind::ALL.into_iter().find(|kind| kind.key() == key)
    }
}

/// What put a person into a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Somebody decided it, with a reason.
    Decided,
    /// A diagnosis stands on the list of major diseases.
    OnMajorList,
    /// A diagnosis stands on the list of severe illness, and on neither of the others.
    OnSevereList,
    /// A diagnosis stands on the list of chronic diseases.
    OnChronicList,
    /// No diagnosis stands on any list: the family doctor manages it until somebody decides.
    OnNoList,
}

impl Why {
    /// All reasons, in the order in which they are asked.
    pub const ALL: [Why; 5] =
        [Why::Decided, Why::OnMajorList, Why::OnSevereList, Why::OnChronicList, Why::OnNoList];

    /// Name in the database; the key of its sentence is `classification.why.` and this.
    pub const fn key(self) -> &'static str {
        match self {
            Why::Decided => "decided",
            Why::OnMajorList => "on_major_list",
            Why::OnSevereList => "on_severe_list",
            Why::OnChronicList => "on_chronic_list",
            Why::OnNoList => "on_no_list",
        }
    }

    /// The reason that `key` names.
    pub fn of_key(key: &str) -> Option<Why> {
        Why::ALL.into_iter().find(|why| why.key() == key)
    }
}

/// A diagnosis as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// Which.
    pub id: Uuid,
    /// Its code as it was given.
    pub code: String,
    /// What it is called.
    pub name: String,
    /// The day of the diagnosis.
    pub from: Day,
    /// The day from which it no longer holds.
    pub to: Option<Day>,
    /// Proved to resist drugs.
    pub drug_resistant: bool,
}

impl Diagnosis {
    /// Its code as a number that compares; unknown if the text is no code.
    pub fn icd10(&self) -> Icd10 {
        self.code.parse().unwrap_or(Icd10::UNKNOWN)
    }

    /// Whether it holds on `day`.
    pub fn is_in_force(&self, day: Day) -> bool {
        self.from <= day && self.to.is_none_or(|to| day < to)
    }
}

/// What of a person decides besides the diagnoses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Patient {
    /// Completed years on the day; none if the birth date is not known: then no age bars.
    pub age: Option<u8>,
    /// None if not known: then no sex bars.
    pub sex: Option<Sex>,
}

/// A decision in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The plan.
    pub plan: PlanKind,
    /// Why.
    pub reason: String,
}

/// The plan of a person with its reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Which.
    pub kind: PlanKind,
    /// What decided.
    pub why: Why,
    /// The diagnosis that decided (with a decision: the gravest).
    pub diagnosis: Uuid,
    /// Key of the disease on its list, if it stands on one.
    pub disease: Option<String>,
    /// The list's name of the disease, else the diagnosis's, in Chinese.
    pub disease_zh: String,
    /// The same in English.
    pub disease_en: String,
    /// The code as it was given.
    pub code: String,
    /// The day of the diagnosis.
    pub diagnosed_on: Day,
    /// Whether naming it is barred in lists, exports and notices (level 5).
    pub sensitive: bool,
    /// The reason of a decision; else empty.
    pub note: String,
}

/// The major disease that a diagnosis is on `day`: the list of that year, the person's age on that day, and for what a
/// code cannot tell the mark of a doctor. Where two fit (a leukaemia of a child), the narrower age wins.
pub fn major_disease<'t>(
    diagnosis: &Diagnosis,
    patient: Patient,
    table: &'t DiseaseTable,
    day: Day,
) -> Option<&'t MajorDisease> {
    let code = diagnosis.icd10();
    let fits = |disease: &&MajorDisease| {
        is_on_list_since(disease, day)
            && holds_for(&disease.rule, code, patient)
            && is_confirmed(&disease.rule, diagnosis)
    };
    table
        .major
        .iter()
        .filter(fits)
        .min_by_key(|disease| (disease.rule.max_age.unwrap_or(u8::MAX), disease.number))
}

fn is_on_list_since(disease: &MajorDisease, day: Day) -> bool {
    disease.since <= day.year()
}

fn holds_for(rule: &PlanRule, code: Icd10, patient: Patient) -> bool {
    let sex_fits = rule.sex.is_none_or(|wanted| patient.sex.is_none_or(|sex| sex == wanted));
    sex_fits && rule.holds(code, patient.age)
}

fn is_confirmed(rule: &PlanRule, diagnosis: &Diagnosis) -> bool {
    rule.needs.as_deref() != Some("drug_resistant") || diagnosis.drug_resistant
}

/// Whether a diagnosis is of sensitive level 5 by any list of the place, whatever the age or the year.
pub fn is_sensitive(code: Icd10, table: Option<&DiseaseTable>) -> bool {
    table.is_some_and(|table| table.sensitive_level(code) >= 5)
}

/// The diagnoses in force on `day` that are major diseases, with the key of the list.
pub fn majors(
    diagnoses: &[Diagnosis],
    patient: Patient,
    table: Option<&DiseaseTable>,
    day: Day,
) -> Vec<(Uuid, String)> {
    let Some(table) = table else { return Vec::new() };
    diagnoses
        .iter()
        .filter(|diagnosis| diagnosis.is_in_force(day))
        .filter_map(|diagnosis| {
            Some((diagnosis.id, major_disease(diagnosis, patient, table, day)?.id.clone()))
        })
        .collect()
}

/// The plan of a person on `day`; none when no diagnosis holds. Asked in order: does somebody's decision stand; is a
/// diagnosis a major disease; is one severe; is one chronic; and where no list knows any of them, the family doctor
/// manages it. Among diagnoses of the same rank one that may be named goes before a sensitive one, then the earliest.
pub fn plan_of(
    diagnoses: &[Diagnosis],
    patient: Patient,
    table: Option<&DiseaseTable>,
    decision: Option<&Decision>,
    day: Day,
) -> Option<Plan> {
    let by_lists = diagnoses
        .iter()
        .filter(|diagnosis| diagnosis.is_in_force(day))
        .map(|diagnosis| plan_by_lists(diagnosis, patient, table, day))
        .min_by_key(|plan| (rank(plan.why), plan.sensitive, plan.diagnosed_on, plan.diagnosis))?;
    Some(match decision {
        Some(decision) => {
            Plan { kind: decision.plan, why: Why::Decided, note: decision.reason.clone(), ..by_lists }
        }
        None => by_lists,
    })
}

fn rank(why: Why) -> usize {
    Why::ALL.iter().position(|known| *known == why).unwrap_or(Why::ALL.len())
}

fn plan_by_lists(diagnosis: &Diagnosis, patient: Patient, table: Option<&DiseaseTable>, day: Day) -> Plan {
    let code = diagnosis.icd10();
    let plan = |kind, why, disease: Option<(&str, &kangmai_policy::Bilingual)>| Plan {
        kind,
        why,
        diagnosis: diagnosis.id,
        disease: disease.map(|(id, _)| id.to_owned()),
        disease_zh: disease.map_or_else(|| diagnosis.name.clone(), |(_, name)| name.zh.clone()),
        disease_en: disease.map_or_else(|| diagnosis.name.clone(), |(_, name)| name.en.clone()),
        code: diagnosis.code.clone(),
        diagnosed_on: diagnosis.from,
        sensitive: is_sensitive(code, table),
        note: String::new(),
    };
    let Some(table) = table else { return plan(PlanKind::Chronic, Why::OnNoList, None) };
    if let Some(major) = major_disease(diagnosis, patient, table, day) {
        return plan(PlanKind::Major, Why::OnMajorList, Some((&major.id, &major.name)));
    }
    if let Some(chronic) = table.chronic.iter().find(|chronic| holds_for(&chronic.rule, code, patient)) {
        return plan(PlanKind::Chronic, Why::OnChronicList, Some((&chronic.id, &chronic.name)));
    }
    if holds_for(&table.severe.rule, code, patient) {
        return plan(PlanKind::Severe, Why::OnSevereList, None);
    }
    plan(PlanKind::Chronic, Why::OnNoList, None)
}

#[cfg(test)]
mod tests {
    use kangmai_base::DivisionCode;
    use kangmai_policy::Release;

    use super::*;

    fn release() -> Release {
        let packs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
        Release::load(Release::read_directory(&packs).expect("the packs")).expect("a release")
    }

    fn day(text: &str) -> Day {
        text.parse().expect("a day")
    }

    fn diagnosis(code: &str, from: &str) -> Diagnosis {
        Diagnosis {
            id: Uuid::from_u128(u128::from(code.bytes().map(u32::from).sum::<u32>())),
            code: code.to_owned(),
            name: code.to_owned(),
            from: day(from),
            to: None,
            drug_resistant: false,
        }
    }

    fn planned(
        diagnoses: &[Diagnosis],
        age: Option<u8>,
        on: &str,
    ) -> Option<(PlanKind, Why, Option<String>)> {
        let release = release();
        let table = release.disease_table(DivisionCode::COUNTRY, day(on));
        let plan = plan_of(diagnoses, Patient { age, sex: None }, table, None, day(on))?;
        Some((plan.kind, plan.why, plan.disease))
    }

    #[test]
    fn each_code_at_its_boundary() {
        use PlanKind::{Chronic, Major, Severe};
        for (code, age, expected, disease) in [
            // A prefix and what lies on either side of it.
            ("C15", 60, Major, "esophageal_cancer"),
            ("C15.900", 60, Major, "esophageal_cancer"),
            ("C14.900", 60, Severe, ""),
            ("C16.9", 60, Major, "gastric_cancer"),
            ("C17.9", 60, Severe, ""),
            ("C19.x00", 60, Major, "rectal_cancer"),
            ("C20.x00x001", 60, Major, "rectal_cancer"),
            ("C21.0", 60, Severe, ""),
            // A fourth character counts.
            ("N18.4", 60, Chronic, "chronic_kidney_disease"),
            ("N18.5", 60, Major, "end_stage_renal_disease"),
            ("N18.500x001", 60, Major, "end_stage_renal_disease"),
            ("N18.9", 60, Chronic, "chronic_kidney_disease"),
            // Stroke, its neighbours, its sequelae.
            ("I60.9", 60, Major, "stroke"),
            ("I63.900", 60, Major, "stroke"),
            ("I64", 60, Major, "stroke"),
            ("I64.x00", 60, Major, "stroke"),
            ("I65.2", 60, Chronic, ""),
            ("I69.3", 60, Chronic, "stroke_sequelae"),
            // The extension of six characters.
            ("I10", 60, Chronic, "hypertension"),
            ("I10.x00", 60, Chronic, "hypertension"),
            ("i10.X00x002", 60, Chronic, "hypertension"),
            ("E11.900", 60, Chronic, "diabetes"),
            ("E15", 60, Chronic, ""),
            // Diseases of children.
            ("C91.0", 17, Major, "childhood_leukaemia"),
            ("C91.0", 18, Severe, ""),
            ("C91.000x001", 0, Major, "childhood_leukaemia"),
            ("C91.1", 10, Severe, ""),
            ("C92.4", 17, Major, "childhood_leukaemia"),
            ("Q21.0", 17, Major, "childhood_heart_defect"),
            ("Q21.0", 18, Chronic, ""),
            // On no list.
            ("J06.9", 30, Chronic, ""),
            ("S06.5", 30, Severe, ""),
        ] {
            let expected_disease = (!disease.is_empty()).then(|| disease.to_owned());
            let (kind, _, found) =
                planned(&[diagnosis(code, "2024-05-01")], Some(age), "2026-03-05").expect("a plan");
            assert_eq!((kind, found), (expected, expected_disease), "{code} at {age}");
        }
    }

    #[test]
    fn the_list_grew_with_the_years() {
        for (code, on, kind) in [
            ("C15", "2017-01-01", PlanKind::Major),
            ("C34.9", "2017-12-31", PlanKind::Severe),
            ("C34.9", "2018-01-01", PlanKind::Major),
            ("I63.9", "2018-12-31", PlanKind::Chronic),
            ("I63.9", "2019-01-01", PlanKind::Major),
            ("C67.9", "2019-12-31", PlanKind::Severe),
            ("C67.9", "2020-01-01", PlanKind::Major),
        ] {
            let found = planned(&[diagnosis(code, "2016-05-01")], Some(60), on).map(|(kind, ..)| kind);
            let expected = if on < "2017-01-01" { None } else { Some(kind) };
            assert_eq!(found, expected, "{code} on {on}");
        }
    }

    #[test]
    fn exactly_one_plan_the_gravest_in_force() {
        let (pressure, stroke) = (diagnosis("I10.x00", "2020-01-01"), diagnosis("I63.9", "2024-06-01"));
        let severe = diagnosis("G20.x00", "2022-01-01");
        let all = [pressure.clone(), severe.clone(), stroke.clone()];
        let kind =
            |diagnoses: &[Diagnosis], on: &str| planned(diagnoses, Some(60), on).map(|(kind, ..)| kind);
        assert_eq!(kind(&all, "2019-12-31"), None);
        assert_eq!(kind(&all, "2020-01-01"), Some(PlanKind::Chronic));
        assert_eq!(kind(&all, "2022-01-01"), Some(PlanKind::Severe));
        assert_eq!(kind(&all, "2024-06-01"), Some(PlanKind::Major));
        let ended = Diagnosis { to: Some(day("2025-01-01")), ..stroke };
        let all = [pressure, severe, ended];
        assert_eq!(kind(&all, "2024-12-31"), Some(PlanKind::Major));
        assert_eq!(kind(&all, "2025-01-01"), Some(PlanKind::Severe));
        assert_eq!(kind(&[], "2025-01-01"), None);
    }

    #[test]
    fn what_a_code_cannot_tell_needs_a_doctors_mark() {
        let plain = diagnosis("A15.000", "2024-01-01");
        let (kind, _, disease) =
            planned(std::slice::from_ref(&plain), Some(40), "2026-01-01").expect("a plan");
        assert_eq!((kind, disease.as_deref()), (PlanKind::Chronic, Some("tuberculosis")));
        let resistant = Diagnosis { drug_resistant: true, ..plain };
        assert_eq!(
            planned(&[resistant], Some(40), "2026-01-01").map(|(kind, ..)| kind),
            Some(PlanKind::Major)
        );
    }

    #[test]
    fn a_child_outgrows_the_list_and_an_unknown_age_bars_nothing() {
        let heart = [diagnosis("Q21.1", "2020-01-01")];
        assert_eq!(planned(&heart, Some(17), "2026-01-01").map(|(kind, ..)| kind), Some(PlanKind::Major));
        assert_eq!(planned(&heart, Some(18), "2026-01-01").map(|(_, why, _)| why), Some(Why::OnNoList));
        assert_eq!(planned(&heart, None, "2026-01-01").map(|(kind, ..)| kind), Some(PlanKind::Major));
    }

    #[test]
    fn a_decision_stands_over_the_lists_while_a_diagnosis_holds() {
        let release = release();
        let on = day("2026-03-05");
        let table = release.disease_table(DivisionCode::COUNTRY, on);
        let decision = Decision { plan: PlanKind::Severe, reason: "县专家组核定".to_owned() };
        let stroke = [diagnosis("I63.9", "2024-06-01")];
        let plan = plan_of(&stroke, Patient::default(), table, Some(&decision), on).expect("a plan");
        assert_eq!(
            (plan.kind, plan.why, plan.note.as_str()),
            (PlanKind::Severe, Why::Decided, "县专家组核定")
        );
        assert_eq!(plan.disease.as_deref(), Some("stroke"));
        assert_eq!(plan_of(&[], Patient::default(), table, Some(&decision), on), None);
    }

    #[test]
    fn what_may_be_named_goes_before_what_may_not() {
        let release = release();
        let on = day("2026-03-05");
        let table = release.disease_table(DivisionCode::COUNTRY, on);
        for (code, sensitive) in [
            ("B20.0", true),
            ("F20.9", true),
            ("A15.0", true),
            ("F31.9", true),
            ("C15", false),
            ("I10", false),
        ] {
            assert_eq!(is_sensitive(code.parse().expect("a code"), table), sensitive, "{code}");
        }
        let both = [diagnosis("F20.9", "2020-01-01"), diagnosis("C34.1", "2025-01-01")];
        let plan = plan_of(&both, Patient::default(), table, None, on).expect("a plan");
        assert_eq!((plan.disease.as_deref(), plan.sensitive), (Some("lung_cancer"), false));
        let plan = plan_of(&both[..1], Patient::default(), table, None, on).expect("a plan");
        assert!(plan.sensitive);
    }

    #[test]
    fn without_lists_the_family_doctor_manages() {
        let on = day("2026-03-05");
        let plan =
            plan_of(&[diagnosis("C15", "2024-01-01")], Patient::default(), None, None, on).expect("a plan");
        assert_eq!((plan.kind, plan.why), (PlanKind::Chronic, Why::OnNoList));
    }
}
