//! From a person's diagnoses, as the record has them, to the fact that says the plan came to be another.

use kangmai_base::{Day, DivisionCode, Moment, Sex, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::Person;
use kangmai_policy::Release;
use kangmai_programme::App;
use kangmai_record::{NewFact, Source, Subject};

use crate::facts::{PLANNED, Planned};
use crate::rules::{Decision, Diagnosis, Patient, Plan, majors, plan_of};
use crate::store::{self, KnownDiagnosis, PlanRow};

/// What of a person decides the plan, besides diagnoses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Whose {
    pub(crate) person: Uuid,
    pub(crate) home: DivisionCode,
    pub(crate) birth: Option<Day>,
    pub(crate) sex: Option<Sex>,
}

impl Whose {
    /// What of a person of the register decides.
    pub(crate) fn of(person: &Person) -> Whose {
        let body = &person.body;
        Whose { person: person.id.uuid(), home: person.home, birth: body.birth, sex: body.sex }
    }
}

/// What follows for a person's plan on `day` from `known`, and the fact that says so at `now`; nothing if the views say
/// it already.
pub(crate) fn follow(
    tx: &mut Transaction<'_>,
    app: &App,
    whose: Whose,
    known: &[KnownDiagnosis],
    (day, now): (Day, Moment),
) -> Result<Option<(Planned, NewFact)>, DatabaseError> {
    let decision = store::decision_of(tx, whose.person)?.map(|(decision, ..)| decision);
    let stored = store::plan_row(tx, whose.person)?;
    let Some(planned) = change(&app.policies, whose, known, decision.as_ref(), stored.as_ref(), day) else {
        return Ok(None);
    };
    let fact = fact_of(app.mint(), now, whose, &planned);
    let fact = fact.map_err(|error| DatabaseError::Refused(error.to_string()))?;
    Ok(Some((planned, fact)))
}

/// What is to be said about the plan on `day`; nothing if the views say it already.
fn change(
    release: &Release,
    whose: Whose,
    known: &[KnownDiagnosis],
    decision: Option<&Decision>,
    stored: Option<&PlanRow>,
    day: Day,
) -> Option<Planned> {
    let age = whose.birth.and_then(|birth| u8::try_from(day.age_of(birth)).ok());
    let patient = Patient { age, sex: whose.sex };
    let table = release.disease_table(whose.home, day);
    let diagnoses: Vec<Diagnosis> = known.iter().map(|known| known.diagnosis.clone()).collect();
    let plan = plan_of(&diagnoses, patient, table, decision, day);
    let mut major = majors(&diagnoses, patient, table, day);
    major.sort();
    let mut major_before: Vec<(Uuid, String)> =
        known.iter().filter_map(|known| Some((known.diagnosis.id, known.major.clone()?))).collect();
    major_before.sort();
    if says_the_same(stored, plan.as_ref()) && major == major_before {
        return None;
    }
    let since = match (stored, &plan) {
        (Some(stored), Some(plan)) if stored.plan == plan.kind => stored.since,
        (None, Some(plan)) => plan.diagnosed_on,
        _ => day,
    };
    let before = stored.map(|stored| stored.plan);
    Some(Planned { on: day, before, plan, since, major, law: release.hash().to_owned() })
}

fn says_the_same(stored: Option<&PlanRow>, plan: Option<&Plan>) -> bool {
    match (stored, plan) {
        (None, None) => true,
        (Some(stored), Some(plan)) => {
            stored.plan == plan.kind
                && stored.why == plan.why
                && stored.code == plan.code
                && stored.disease_zh == plan.disease_zh
                && stored.disease_en == plan.disease_en
                && stored.diagnosed_on == plan.diagnosed_on
                && stored.sensitive == plan.sensitive
                && stored.note == plan.note
        }
        _ => false,
    }
}

/// The fact of a change, worked out at `now`.
fn fact_of(id: Uuid, now: Moment, whose: Whose, planned: &Planned) -> Result<NewFact, serde_json::Error> {
    Ok(NewFact {
        id,
        kind: PLANNED.to_owned(),
        subject: Subject::person(whose.person),
        occurred_at: Moment::start_of(planned.on),
        recorded_at: now,
        place: whose.home,
        author: Uuid::nil(),
        source: Source::Derived,
        corrects: None,
        body: serde_json::to_string(planned)?,
    })
}
