//! 定额偏离: a stay held against what its county has set for the disease.

use kangmai_base::{Day, DivisionCode, Fen};
use kangmai_policy::{CapDeviation, DiseaseCap, Icd10, MajorDisease, Release};

/// From this sensitive level on a disease is named in no list (GB/T 39725-2020).
const RESTRICTED_LEVEL: u8 = 5;

/// A settled stay, as far as it is held against a cap.
#[derive(Debug, Clone, Copy)]
pub struct Stay<'b> {
    /// Where the person is at home.
    pub home: DivisionCode,
    /// The day that selects the table and the list of diseases.
    pub discharge: Day,
    /// The code of the diagnosis.
    pub diagnosis: &'b str,
    /// The person's age on that day, if known.
    pub age: Option<i32>,
    /// The code of who treated.
    pub institution: &'b str,
    /// What it cost.
    pub total: Fen,
    /// What of it stayed with the person.
    pub own: Fen,
}

/// A stay that left what was set.
#[derive(Debug, Clone)]
pub struct Deviated<'r> {
    /// The disease.
    pub disease: &'r MajorDisease,
    /// What is set for it.
    pub cap: &'r DiseaseCap,
    /// How the stay left it; never empty.
    pub deviations: Vec<CapDeviation>,
}

/// How `stay` left what its county has set; `None` where nothing is set, it was kept, or the disease is one that is
/// named in no list.
pub fn deviated<'r>(policies: &'r Release, stay: &Stay<'_>) -> Option<Deviated<'r>> {
    let caps = policies.disease_caps(stay.home, stay.discharge)?;
    let diseases = policies.disease_table(stay.home, stay.discharge)?;
    let code: Icd10 = stay.diagnosis.parse().ok()?;
    if diseases.sensitive_level(code) >= RESTRICTED_LEVEL {
        return None;
    }
    let age = stay.age.and_then(|age| u8::try_from(age).ok());
    let disease = diseases.major_for(code, age, stay.discharge.year())?;
    let cap = caps.cap_for(&disease.id)?;
    let deviations = cap.deviations(stay.institution, stay.total, stay.own);
    (!deviations.is_empty()).then_some(Deviated { disease, cap, deviations })
}
