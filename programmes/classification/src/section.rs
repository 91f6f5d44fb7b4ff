//! The part of a person's page that says in which plan they are, why, since when, and what came before.

use askama::Template;
use kangmai_access::{Actor, Purpose, reach};
use kangmai_base::{Day, DivisionCode};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::Person;
use kangmai_programme::{Looking, Section, Told};
use kangmai_record::Fact;
use kangmai_web::{Choice, Field, Form, Html, Page};

use crate::facts::{DIAGNOSED, Diagnosed, PUT_RIGHT, PutRight};
use crate::rules::{PlanKind, Why};
use crate::store::{self, ChangeRow, KnownDiagnosis, PlanRow, StruckDiagnosis};

/// The fields of a decision.
pub(crate) const DECISION: &[Field] = &[
    Field::radios("plan", "classification.decide.plan"),
    Field::text("reason", "classification.decide.reason").at_most(200),
];

/// An empty form of a decision.
pub(crate) fn blank(page: &Page) -> Form {
    let mut form = Form::blank(DECISION);
    offer(page, &mut form);
    form
}

/// Offers the three plans.
pub(crate) fn offer(page: &Page, form: &mut Form) {
    let choice = |kind: PlanKind| Choice::new(kind.key(), plan_word(page, kind));
    form.offer("plan", PlanKind::ALL.map(choice).to_vec());
}

/// What a plan is called.
pub(crate) fn plan_word(page: &Page, kind: PlanKind) -> String {
    page.word(&format!("classification.plan.{}", kind.key())).into_owned()
}

/// What puts a person into a plan, as a sentence.
pub(crate) struct Because<'a> {
    pub(crate) why: Why,
    pub(crate) disease_zh: &'a str,
    pub(crate) disease_en: &'a str,
    pub(crate) code: &'a str,
    pub(crate) diagnosed_on: Option<Day>,
    pub(crate) sensitive: bool,
    pub(crate) note: &'a str,
}

impl<'a> From<&'a PlanRow> for Because<'a> {
    fn from(row: &'a PlanRow) -> Because<'a> {
        Because {
            why: row.why,
            disease_zh: &row.disease_zh,
            disease_en: &row.disease_en,
            code: &row.code,
            diagnosed_on: Some(row.diagnosed_on),
            sensitive: row.sensitive,
            note: &row.note,
        }
    }
}

impl Because<'_> {
    /// The sentence; without naming a disease of level 5 unless `may_name`.
    pub(crate) fn sentence(&self, page: &Page, may_name: bool) -> String {
        if self.why == Why::Decided {
            return page.say1("classification.why.decided", "reason", self.note);
        }
        if self.sensitive && !may_name {
            return page.word("classification.restricted").into_owned();
        }
        let disease = if page.is_chinese() { self.disease_zh } else { self.disease_en };
        page.say(
            &format!("classification.why.{}", self.why.key()),
            &[("disease", &disease), ("code", &self.code), ("day", &page.day(self.diagnosed_on))],
        )
    }
}

/// One line of history.
pub(crate) struct Event {
    pub(crate) when: String,
    pub(crate) title: String,
    pub(crate) reason: String,
}

/// One diagnosis as it is shown.
pub(crate) struct Shown {
    pub(crate) code: String,
    pub(crate) name: String,
    pub(crate) from: Day,
    pub(crate) to: Option<Day>,
    pub(crate) institution: String,
    pub(crate) origin: String,
    pub(crate) is_major: bool,
    pub(crate) correct: Option<String>,
}

/// What a diagnosis was before somebody put it right, as it is shown: struck out.
pub(crate) struct Struck {
    pub(crate) was: String,
    pub(crate) done: String,
    pub(crate) reason: String,
    pub(crate) undo: Option<String>,
}

/// Everything that the section shows.
#[derive(Template)]
#[template(path = "classification_section.html")]
pub(crate) struct PlanPart {
    pub(crate) page: Page,
    pub(crate) person: String,
    pub(crate) plan: Option<(String, String, Day)>,
    pub(crate) decided: Option<(String, Day)>,
    pub(crate) diagnoses: Vec<Shown>,
    pub(crate) struck: Vec<Struck>,
    pub(crate) record: Option<String>,
    pub(crate) restricted: usize,
    pub(crate) events: Vec<Event>,
    pub(crate) form: Option<Form>,
}

/// Builds the part for who looks; none if they may not see plans of the person's place or there is nothing to see.
pub(crate) fn part(
    tx: &mut Transaction<'_>,
    looking: &Looking,
    person: &Person,
) -> Result<Option<PlanPart>, DatabaseError> {
    let (actor, page, today) = (&looking.actor, &looking.page, looking.today);
    let Some(may) = looking.within(Purpose::ReadPlans, person) else { return Ok(None) };
    let id = person.id.uuid();
    let plan = store::plan_row(tx, id)?;
    let known = store::diagnoses_of(tx, id)?;
    let changes = store::changes_of(tx, id)?;
    let struck = store::struck_of(tx, id)?;
    let may_record = reach(actor, Purpose::RecordDiagnoses).is_some_and(|may| may.covers(person.home));
    if plan.is_none() && known.is_empty() && changes.is_empty() && struck.is_empty() && !may_record {
        return Ok(None);
    }
    let decided = store::decision_of(tx, id)?.map(|(_, by, on)| (by, on));
    let record = looking.within(Purpose::ReadRecord, person);
    let may_name = record.is_some_and(|may| may.diagnoses() && may.sensitive());
    let may_decide = reach(actor, Purpose::KeepRegister).is_some_and(|keep| keep.covers(person.home));
    let is_nameable = |row: &&StruckDiagnosis| may.diagnoses() && (may_name || !row.sensitive);
    let own = |row: &StruckDiagnosis| may_record && row.author == actor.account.uuid() && row.on == today;
    let is_shown = |known: &&KnownDiagnosis| may.diagnoses() && (may_name || !known.sensitive);
    let diagnoses: Vec<Shown> = known
        .iter()
        .filter(is_shown)
        .map(|known| {
            shown(known, may_record.then(|| format!("/plans/{id}/diagnoses/{}", known.diagnosis.id)))
        })
        .collect();
    Ok(Some(PlanPart {
        person: id.to_string(),
        restricted: known.len() - diagnoses.len(),
        diagnoses,
        events: changes.iter().map(|change| event(page, change, may_name)).collect(),
        plan: plan
            .map(|row| (plan_word(page, row.plan), Because::from(&row).sentence(page, may_name), row.since)),
        decided,
        struck: struck
            .iter()
            .filter(is_nameable)
            .map(|row| {
                struck_out(page, row, own(row).then(|| format!("/plans/{id}/facts/{}/undo", row.fact)))
            })
            .collect(),
        record: may_record.then(|| format!("/plans/{id}/diagnoses")),
        form: (may_decide && !known.is_empty()).then(|| blank(page)),
        page: page.clone(),
    }))
}

/// Whether `actor` may be told a diagnosis of level 5 of somebody at `home`.
pub(crate) fn may_name(actor: &Actor, home: DivisionCode) -> bool {
    let may = reach(actor, Purpose::ReadRecord);
    may.is_some_and(|may| may.diagnoses() && may.sensitive() && may.covers(home))
}

fn struck_out(page: &Page, row: &StruckDiagnosis, undo: Option<String>) -> Struck {
    let was = page.say(
        "classification.struck.was",
        &[("name", &row.name), ("code", &row.code), ("day", &page.day(row.from))],
    );
    let key =
        if row.withdrawn { "classification.struck.withdrawn" } else { "classification.struck.corrected" };
    let done = page.say2(key, "by", &row.by, "day", page.day(row.on));
    Struck { was, done, reason: row.reason.clone(), undo }
}

fn shown(known: &KnownDiagnosis, correct: Option<String>) -> Shown {
    Shown {
        correct,
        code: known.diagnosis.code.clone(),
        name: known.diagnosis.name.clone(),
        from: known.diagnosis.from,
        to: known.diagnosis.to,
        institution: known.institution.clone(),
        origin: known.origin.clone(),
        is_major: known.major.is_some(),
    }
}

fn event(page: &Page, change: &ChangeRow, may_name: bool) -> Event {
    let word = |kind: Option<PlanKind>| {
        kind.map_or_else(|| page.word("classification.plan.none").into_owned(), |kind| plan_word(page, kind))
    };
    let title = match (change.before, change.after) {
        (None, after) => page.say1("classification.change.first", "plan", word(after)),
        (before, after) if before == after => page.say1("classification.change.reason", "plan", word(after)),
        (before, after) => {
            page.say2("classification.change.moved", "before", word(before), "after", word(after))
        }
    };
    let reason = change.why.map_or_else(
        || page.word("classification.why.none").into_owned(),
        |why| {
            let because = Because {
                why,
                disease_zh: &change.disease_zh,
                disease_en: &change.disease_en,
                code: &change.code,
                diagnosed_on: change.diagnosed_on,
                sensitive: change.sensitive,
                note: &change.note,
            };
            because.sentence(page, may_name)
        },
    );
    Event { when: page.iso(change.on), title, reason }
}

/// The section of a person's page.
pub(crate) fn person(
    tx: &mut Transaction<'_>,
    looking: &Looking,
    person: &Person,
) -> Result<Option<Section>, DatabaseError> {
    let part = part(tx, looking, person)?;
    Ok(part.map(|part| Section {
        heading: looking.page.word("classification.section").into_owned(),
        body: Html::of(&part),
        order: 20,
    }))
}

/// A diagnosis recorded or put right by hand, as a sentence of the timeline.
pub(crate) fn told(looking: &Looking, _: &Person, fact: &Fact) -> Option<Told> {
    let page = &looking.page;
    if fact.new.kind == DIAGNOSED {
        let body: Diagnosed = fact.new.read_body().ok()?;
        let title = page.say2("classification.diagnosed.timeline", "name", &body.name, "code", &body.code);
        let rests_on = (!body.reason.is_empty())
            .then(|| page.say2("classification.told.rests_on", "reason", &body.reason, "by", &body.origin));
        return Some(Told { title, details: rests_on.into_iter().collect() });
    }
    if fact.new.kind != PUT_RIGHT {
        return None;
    }
    let body: PutRight = fact.new.read_body().ok()?;
    let state = |body: &Diagnosed| {
        page.say(
            "classification.told.state",
            &[("name", &body.name), ("code", &body.code), ("day", &page.day(body.from))],
        )
    };
    let before = state(&body.before);
    let title = match (&body.after, body.undoes) {
        (Some(after), Some(_)) => page.say1("classification.put_right.undone", "after", state(after)),
        (Some(after), None) => {
            page.say2("classification.put_right.corrected", "before", before, "after", state(after))
        }
        (None, _) => page.say1("classification.put_right.withdrawn", "before", before),
    };
    let why = page.say2("classification.told.reason", "reason", &body.reason, "by", &body.by);
    Some(Told { title, details: vec![why] })
}
