//! One warning: why, what it rests on, what was done, and the form of the next step for whose turn it is.

use std::collections::HashMap;

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use kangmai_access::{Actor, Purpose, Reach, reach};
use kangmai_base::{Day, Fen, Id, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::{Household, Person, find_household, members};
use kangmai_policy::Clock;
use kangmai_programme::{Visit, place_name};
use kangmai_record::{Fact, Subject, timeline};
use kangmai_web::{Choice, Failure, Field, Flash, Form, FormBody, Page, show, show_refused};

use crate::due::{clock_at, urgency_word};
use crate::pages::note;
use crate::rules::{Command, DismissReason, LONGEST_NOTE, Stage, can_undo, may_act, status};
use crate::sentences::{
    dismiss_word, first_sentence, level_tone, level_word, outcome_word, sentence, stage_word, whose,
};
use crate::steps::take_step;
use crate::store::{self, NamedMajor, WarningRow};
use crate::story::{Story, story};

const DISMISS: &[Field] = &[
    Field::radios("reason", "poverty_watch.form.reason"),
    Field::text("explanation", "poverty_watch.form.note").at_most(LONGEST_NOTE).optional(),
];
const CHECK: &[Field] = &[
    Field::tick("consent", "poverty_watch.form.consent"),
    Field::area("note", "poverty_watch.form.check_note").at_most(LONGEST_NOTE).optional(),
];
const REVIEW: &[Field] = &[
    Field::day("posted_on", "poverty_watch.form.posted_on").optional(),
    Field::area("note", "poverty_watch.form.review_note").at_most(LONGEST_NOTE).optional(),
];
const POST: &[Field] = &[Field::day("posted_on", "poverty_watch.form.posted_on")];
const TOWNSHIP: &[Field] = &[
    Field::radios("objections", "poverty_watch.form.objections"),
    Field::area("note", "poverty_watch.form.township_note").at_most(LONGEST_NOTE).optional(),
];
const DECIDE: &[Field] = &[
    Field::radios("take_in", "poverty_watch.form.take_in"),
    Field::area("note", "poverty_watch.form.decide_note").at_most(LONGEST_NOTE).optional(),
];
const FEED_BACK: &[Field] = &[Field::area("note", "poverty_watch.form.feedback_note").at_most(LONGEST_NOTE)];

/// A form of a next step: its name, what it asks, its button.
pub(crate) struct StepForm {
    act: &'static str,
    title: &'static str,
    button: &'static str,
    form: Form,
}

/// A finding as it is shown.
struct Reason {
    whose: String,
    person: Option<Uuid>,
    said: String,
    level: String,
    tone: &'static str,
    carried: Option<i32>,
    disease: Option<String>,
}

/// A member's costs as they are shown.
struct MemberCosts {
    name: String,
    person: Option<Uuid>,
    year: (Fen, Fen),
    rolling: (Fen, Fen),
}

/// A bill as it is shown.
struct Bill {
    id: Uuid,
    name: String,
    on: Day,
    own: Fen,
    own_uncovered: Fen,
}

#[derive(Template)]
#[template(path = "poverty_watch_one.html")]
struct WarningPage {
    page: Page,
    id: Uuid,
    household: Uuid,
    level: String,
    tone: &'static str,
    stage: String,
    steps: Vec<String>,
    at: usize,
    left: String,
    left_tone: &'static str,
    urgency: Option<&'static str>,
    decision_due: Day,
    ended: Option<String>,
    reasons: Vec<Reason>,
    as_of: Day,
    law: Option<(String, String)>,
    costs: Vec<MemberCosts>,
    bills: Vec<Bill>,
    bills_sum: (Fen, Fen),
    opens_bills: bool,
    shows_money: bool,
    diseases: Option<Vec<(String, NamedMajor)>>,
    events: Vec<Story>,
    forms: Vec<StepForm>,
    shows_notice: bool,
    undo: bool,
    consent: Option<bool>,
}

/// Everything read for the page.
struct Opened {
    row: WarningRow,
    household: Option<Household>,
    people: Vec<Person>,
    facts: Vec<Fact>,
    majors: Vec<NamedMajor>,
}

fn open(tx: &mut Transaction<'_>, within: &Reach, id: Uuid) -> Result<Option<Opened>, DatabaseError> {
    let Some(row) = store::warning(tx, within, id)? else { return Ok(None) };
    let household = Id::from_uuid(row.household);
    // A member who is at home elsewhere counts, but is not named.
    let mut people = members(tx, household)?;
    people.retain(|person| within.covers(person.home));
    Ok(Some(Opened {
        household: find_household(tx, household)?,
        people,
        facts: timeline(tx, within, Subject::case(id), None, 200)?,
        majors: if within.diagnoses() { store::named_majors(tx, row.household)? } else { Vec::new() },
        row,
    }))
}

/// GET `/warnings/{id}`. Reading it leaves a line in the audit trail.
pub(crate) async fn one(visit: Visit, Path(id): Path<Uuid>) -> Result<Response, Failure> {
    show(&warning_page(visit, id, None).await?)
}

async fn warning_page(
    visit: Visit,
    id: Uuid,
    refused: Option<(&'static str, Form)>,
) -> Result<WarningPage, Failure> {
    let within = reach(&visit.actor, Purpose::ReadWarnings).ok_or(Failure::NotFound)?;
    let asked = within.clone();
    let opened = visit.app.database.read(move |tx| open(tx, &asked, id)).await?.ok_or(Failure::NotFound)?;
    let place = opened.row.warning.place;
    note(&visit.app, &visit.actor, "read_household", Some(opened.row.household), place, String::new())
        .await?;
    let clock = clock_at(&visit.app, place, visit.today).ok_or(Failure::NotFound)?;
    let mut forms = forms(&visit.page, &opened.row, &visit.actor, visit.today);
    if let Some((act, form)) = refused
        && let Some(there) = forms.iter_mut().find(|step| step.act == act)
    {
        there.form = form;
    }
    Ok(Building { visit: &visit, within: &within, opened: &opened, clock: &clock }.page(forms))
}

/// What the page is built of.
struct Building<'a> {
    visit: &'a Visit,
    within: &'a Reach,
    opened: &'a Opened,
    clock: &'a Clock,
}

impl Building<'_> {
    fn page(&self, forms: Vec<StepForm>) -> WarningPage {
        let (visit, row) = (self.visit, &self.opened.row);
        let page = &visit.page;
        let warning = &row.warning;
        let status = status(warning.stage, warning.since, warning.opened_on, visit.today, self.clock);
        let names: HashMap<Uuid, String> =
            self.opened.people.iter().map(|person| (person.id.uuid(), person.body.name.clone())).collect();
        let head = self.opened.household.as_ref().and_then(|household| household.body.head);
        let head = head.and_then(|head| names.get(&head)).cloned();
        let title = page.say2(
            "poverty_watch.one.title",
            "head",
            head.unwrap_or_else(|| page.word("poverty_watch.no_head").into_owned()),
            "place",
            place_name(warning.place),
        );
        let mut shown = page.clone().under(page.word("poverty_watch.title").into_owned(), "/warnings");
        shown.lead = first_sentence(page, row.findings.first(), self.within);
        shown.title = title;
        let rules = visit.app.policies.watch_rules(warning.place, row.as_of);
        let passed = stages_passed(row);
        let steps = passed.iter().map(|stage| stage_word(page, *stage));
        let bills: Vec<Bill> = self.bills(&names);
        let sum = |amount: fn(&Bill) -> Fen| Fen(bills.iter().map(|bill| amount(bill).0).sum());
        WarningPage {
            id: row.id,
            household: row.household,
            level: level_word(page, row.level),
            tone: level_tone(row.level),
            stage: stage_word(page, warning.stage),
            at: passed.iter().position(|stage| *stage == warning.stage).unwrap_or(0),
            steps: steps.collect(),
            left: page.days_left(status.due, visit.today),
            left_tone: status.pressure.tone(),
            urgency: urgency_word(warning.stage, warning.since, visit.today, self.clock),
            decision_due: status.decision_due,
            ended: row.outcome.map(|outcome| self.ended(outcome_word(page, outcome))),
            reasons: self.reasons(&names),
            as_of: row.as_of,
            law: rules.map(|rules| {
                let name = if page.is_chinese() { &rules.name.zh } else { &rules.name.en };
                (name.clone(), rules.source.doc.clone())
            }),
            costs: self.costs(&names),
            bills_sum: (sum(|bill| bill.own), sum(|bill| bill.own_uncovered)),
            bills,
            opens_bills: reach(&visit.actor, Purpose::ReadBills).is_some(),
            shows_money: self.within.money(),
            diseases: self.within.diagnoses().then(|| self.diseases(&names)),
            events: self
                .opened
                .facts
                .iter()
                .filter_map(|fact| story(&self.visit.page, self.within, fact, None))
                .collect(),
            shows_notice: matches!(warning.stage, Stage::Posting | Stage::Notice | Stage::County)
                && reach(&visit.actor, Purpose::CheckWarnings).is_some(),
            undo: warning.last.is_some_and(|last| can_undo(&last, &visit.actor, visit.today)),
            consent: row.consent,
            forms,
            page: shown,
        }
    }

    fn ended(&self, outcome: String) -> String {
        let page = &self.visit.page;
        let reason = self.opened.row.dismissed.as_deref().and_then(DismissReason::of_key);
        match reason {
            Some(reason) => {
                page.say2("poverty_watch.ended_for", "outcome", outcome, "reason", dismiss_word(page, reason))
            }
            None => outcome,
        }
    }

    fn reasons(&self, names: &HashMap<Uuid, String>) -> Vec<Reason> {
        let (page, row) = (&self.visit.page, &self.opened.row);
        let named = |diagnosis: Option<Uuid>| {
            let major = self.opened.majors.iter().find(|major| Some(major.diagnosis) == diagnosis)?;
            names.get(&major.person)?;
            Some(format!("{} {} {}", major.name, major.code, page.iso(major.from)))
        };
        row.findings
            .iter()
            .map(|finding| Reason {
                whose: whose(page, finding.person, names),
                person: finding.person.filter(|person| names.contains_key(person)),
                said: sentence(page, finding, self.within),
                level: level_word(page, finding.level),
                tone: level_tone(finding.level),
                carried: finding
                    .measure
                    .as_ref()
                    .and_then(|measure| measure.income_year)
                    .filter(|year| *year < finding.year - 1),
                disease: named(finding.diagnosis),
            })
            .collect()
    }

    fn costs(&self, names: &HashMap<Uuid, String>) -> Vec<MemberCosts> {
        let page = &self.visit.page;
        let costs = self.opened.row.costs.iter();
        costs
            .map(|costs| MemberCosts {
                name: whose(page, Some(costs.person), names),
                person: Some(costs.person).filter(|person| names.contains_key(person)),
                year: (costs.year.all, costs.year.compliant),
                rolling: (costs.rolling.all, costs.rolling.compliant),
            })
            .collect()
    }

    /// The bills that the warning rests on, as they were when it was last looked at.
    fn bills(&self, names: &HashMap<Uuid, String>) -> Vec<Bill> {
        let page = &self.visit.page;
        let mut bills: Vec<Bill> = self
            .opened
            .row
            .bills
            .iter()
            .map(|bill| Bill {
                id: bill.bill,
                name: whose(page, Some(bill.person), names),
                on: bill.on,
                own: bill.own,
                own_uncovered: bill.own_uncovered,
            })
            .collect();
        bills.sort_by_key(|bill| std::cmp::Reverse((bill.on, bill.id)));
        bills
    }

    fn diseases(&self, names: &HashMap<Uuid, String>) -> Vec<(String, NamedMajor)> {
        let page = &self.visit.page;
        let majors = self.opened.majors.iter().filter(|major| names.contains_key(&major.person));
        majors.map(|major| (whose(page, Some(major.person), names), major.clone())).collect()
    }
}

/// The stages of a warning, those ahead of it included; of one that is closed only those that it went through.
fn stages_passed(row: &WarningRow) -> Vec<Stage> {
    let ended_in = row.warning.last.filter(|_| row.closed_on.is_some()).map(|last| last.from);
    let last = ended_in.and_then(|stage| Stage::ALL.iter().position(|one| *one == stage));
    let passed = |at: usize, stage: Stage| stage == Stage::Closed || last.is_none_or(|last| at <= last);
    Stage::ALL
        .into_iter()
        .enumerate()
        .filter(|(at, stage)| passed(*at, *stage))
        .map(|(_, stage)| stage)
        .collect()
}

/// The forms of what `actor` may do next.
fn forms(page: &Page, row: &WarningRow, actor: &Actor, today: Day) -> Vec<StepForm> {
    let stage = row.warning.stage;
    if row.closed_on.is_some() || !may_act(stage, row.warning.place, actor) {
        return Vec::new();
    }
    let step = |act: &'static str| -> Option<StepForm> {
        let (title, button, fields) = fields_of(act)?;
        let mut form = Form::blank(fields);
        offer(page, act, &mut form);
        if act == "post" {
            form.fill("posted_on", today);
        }
        Some(StepForm { act, title, button, form })
    };
    let acts: &[&'static str] = match stage {
        Stage::Clue => &["dismiss", "check"],
        Stage::Review => &["review", "dismiss"],
        Stage::Posting => &["post", "dismiss"],
        Stage::Notice => &["township", "dismiss"],
        Stage::County => &["decide", "dismiss"],
        Stage::Feedback => &["feedback"],
        Stage::Closed => &[],
    };
    acts.iter().filter_map(|act| step(act)).collect()
}

/// The title, button and fields of a form.
fn fields_of(act: &str) -> Option<(&'static str, &'static str, &'static [Field])> {
    Some(match act {
        "dismiss" => ("poverty_watch.step.dismiss", "poverty_watch.do.dismiss", DISMISS),
        "check" => ("poverty_watch.step.check", "poverty_watch.do.check", CHECK),
        "review" => ("poverty_watch.step.review", "poverty_watch.do.review", REVIEW),
        "post" => ("poverty_watch.step.post", "poverty_watch.do.post", POST),
        "township" => ("poverty_watch.step.township", "poverty_watch.do.township", TOWNSHIP),
        "decide" => ("poverty_watch.step.decide", "poverty_watch.do.decide", DECIDE),
        "feedback" => ("poverty_watch.step.feedback", "poverty_watch.do.feedback", FEED_BACK),
        _ => return None,
    })
}

fn offer(page: &Page, act: &str, form: &mut Form) {
    let choice = |value: &'static str, key: &str| Choice::new(value, page.word(key));
    match act {
        "dismiss" => form.offer(
            "reason",
            DismissReason::ALL.map(|reason| Choice::new(reason.key(), dismiss_word(page, reason))).to_vec(),
        ),
        "township" => form.offer(
            "objections",
            vec![choice("no", "poverty_watch.objections.no"), choice("yes", "poverty_watch.objections.yes")],
        ),
        "decide" => form.offer(
            "take_in",
            vec![
                choice("yes", "poverty_watch.outcome.taken_in"),
                choice("no", "poverty_watch.outcome.not_taken_in"),
            ],
        ),
        _ => {}
    }
}

/// Reads what was sent; none if the form is refused.
fn command(act: &str, form: &mut Form) -> Option<Command> {
    let name = if act == "dismiss" { "explanation" } else { "note" };
    let mut note = || form.text(name).unwrap_or_default();
    let command = match act {
        "dismiss" => {
            let note = note();
            let reason = form.choice("reason").as_deref().and_then(DismissReason::of_key)?;
            Command::Dismiss { reason, note }
        }
        "check" => Command::CheckHousehold { note: note(), consent: form.tick("consent") },
        "review" => Command::ReviewInVillage { note: note(), posted_on: form.day("posted_on") },
        "post" => Command::PostNotice { posted_on: form.day("posted_on")? },
        "township" => {
            let note = note();
            Command::CheckInTownship { objections: form.choice("objections")? == "yes", note }
        }
        "decide" => {
            let note = note();
            Command::Decide { take_in: form.choice("take_in")? == "yes", note }
        }
        "feedback" => Command::FeedBack { note: form.text("note")? },
        _ => return None,
    };
    (!form.is_refused()).then_some(command)
}

/// POST `/warnings/{id}`: the next step.
pub(crate) async fn act(visit: Visit, Path(id): Path<Uuid>, body: FormBody) -> Result<Response, Failure> {
    let names = ["dismiss", "check", "review", "post", "township", "decide", "feedback"];
    let Some(act) = names.into_iter().find(|name| *name == body.act()) else {
        return Err(Failure::Malformed);
    };
    let Some((.., fields)) = fields_of(act) else { return Err(Failure::Malformed) };
    let mut form = body.form(fields);
    offer(&visit.page, act, &mut form);
    let Some(command) = command(act, &mut form) else {
        return show_refused(&warning_page(visit, id, Some((act, form))).await?);
    };
    match carry_out(&visit, id, command).await? {
        Ok(()) => {}
        Err(refusal) => {
            form.refuse(refusal);
            return show_refused(&warning_page(visit, id, Some((act, form))).await?);
        }
    }
    let said = visit.page.word(&format!("poverty_watch.done.{act}")).into_owned();
    let flash = Flash::good(said);
    let flash =
        if act == "decide" || act == "feedback" { flash } else { flash.undo(format!("/warnings/{id}/undo")) };
    let ends = matches!(act, "dismiss" | "feedback");
    Ok(flash.then_go_to(&if ends { "/warnings?whose=mine".to_owned() } else { format!("/warnings/{id}") }))
}

/// POST `/warnings/{id}/undo`.
pub(crate) async fn undo(visit: Visit, Path(id): Path<Uuid>) -> Result<Response, Failure> {
    match carry_out(&visit, id, Command::Undo).await? {
        Ok(()) => {
            let said = visit.page.word("poverty_watch.done.undo").into_owned();
            Ok(Flash::good(said).then_go_to(&format!("/warnings/{id}")))
        }
        Err(refusal) => Err(Failure::Refused(refusal)),
    }
}

async fn carry_out(visit: &Visit, id: Uuid, command: Command) -> Result<Result<(), Refusal>, Failure> {
    let (app, actor, today) = (visit.app.clone(), visit.actor.clone(), visit.today);
    let taken = visit.app.database.write(move |tx| take_step(tx, &app, &actor, id, &command, today)).await?;
    taken.ok_or(Failure::NotFound)
}
