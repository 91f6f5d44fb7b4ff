//! 一人一策: the plan of one person, derived of diagnoses, labels, follow-up and packages; edited by the doctor, and printed.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use kangmai_access::{Actor, Purpose, reach};
use kangmai_base::{Refusal, Uuid};
use kangmai_people::Label;
use kangmai_programme::{Visit, place_name};
use kangmai_web::{Choice, Failure, Field, Flash, Form, FormBody, Page, show, show_refused};

use super::{Known, known, note, team_of, transact};
use crate::facts::{Planned, Struck};
use crate::rules::{DueState, SHORTEST_REASON};
use crate::sentences::{Names, members, progress, remind_days, team_line, term};
use crate::store::{self, Diagnosed, Team};

/// Lines that a doctor adds at most.
const MOST_ADDED: usize = 30;

const FIELDS: &[Field] = &[
    Field::area("goal", "agreements.field.goal").at_most(500).optional(),
    Field::area("added", "agreements.field.added").at_most(2_000).optional(),
    Field::many("struck", "agreements.field.struck"),
    Field::text("struck_why", "agreements.field.struck_why").at_most(200).optional(),
];

/// A line of the plan.
struct Line {
    key: String,
    text: String,
    tone: &'static str,
    mark: String,
    says: String,
    /// Why it is struck out.
    struck: Option<String>,
    sensitive: bool,
    /// Something that the person is entitled to and has not had yet.
    is_open: bool,
}

/// What the plan stands on, in the reader's words.
struct Plan {
    problems: Vec<String>,
    lines: Vec<Line>,
    goal: String,
    added: Vec<String>,
    agreement: Option<(String, String)>,
    team: String,
    members: Vec<(String, String, String)>,
    written: String,
}

#[derive(Template)]
#[template(path = "agreements_plan.html")]
struct PlanPage {
    page: Page,
    plan: Plan,
    open: usize,
    form: Option<Form>,
    action: String,
    print: String,
    is_refused: bool,
}

#[derive(Template)]
#[template(path = "agreements_plan_print.html")]
struct PrintPage {
    page: Page,
    plan: Plan,
    name: String,
    who: String,
    place: String,
    back: String,
}

/// GET `/people/{id}/care-plan`.
pub(crate) async fn page(visit: Visit, Path(id): Path<Uuid>) -> Result<Response, Failure> {
    let known = known(&visit, id).await?;
    note(&visit, id, known.person.home).await?;
    show(&page_of(&visit, &known, None).await?)
}

async fn page_of(visit: &Visit, known: &Known, sent: Option<Form>) -> Result<PlanPage, Failure> {
    let (page, plan) = (framed(visit, known), plan_of(visit, known).await?);
    let is_refused = sent.is_some();
    let form = known.may_write.then(|| {
        let mut form = sent.unwrap_or_else(|| filled(&plan));
        offer(&mut form, &plan);
        form
    });
    let id = known.person.id;
    Ok(PlanPage {
        open: plan.lines.iter().filter(|line| line.is_open).count(),
        plan,
        form,
        action: format!("/people/{id}/care-plan"),
        print: format!("/people/{id}/care-plan/print"),
        is_refused,
        page,
    })
}

fn framed(visit: &Visit, known: &Known) -> Page {
    let page = visit.page.clone().titled("agreements.plan");
    let page = page.under(known.person.body.name.clone(), format!("/people/{}", known.person.id));
    let title = page.say1("agreements.plan.of", "name", &known.person.body.name);
    Page { title, ..page }
}

fn filled(plan: &Plan) -> Form {
    let struck = plan.lines.iter().filter(|line| line.struck.is_some());
    let mut form = Form::typed(FIELDS, struck.map(|line| ("struck".to_owned(), line.key.clone())).collect());
    form.fill("goal", &plan.goal);
    form.fill("added", plan.added.join("\n"));
    form
}

fn offer(form: &mut Form, plan: &Plan) {
    form.offer("struck", plan.lines.iter().map(|line| Choice::new(&line.key, &line.text)).collect());
}

async fn plan_of(visit: &Visit, known: &Known) -> Result<Plan, Failure> {
    let (page, today) = (&visit.page, visit.today);
    let id = known.person.id.uuid();
    let ill = visit.app.database.read(move |tx| store::diagnosed_of(tx, id, today)).await?;
    let held = known.folder.held_on(today);
    let team: Option<Team> = match held {
        Some(held) => team_of(visit, held.team()).await?,
        None => None,
    };
    let names = Names { release: &visit.app.policies, home: known.person.home, on: today };
    let remind = remind_days(&visit.app.policies, known.person.home, today);
    let agreement = held.map(|held| {
        let (_, mark) = crate::sentences::mark(page, held, today, remind);
        (mark, term(page, held, today))
    });
    let planned = known.folder.planned.as_ref();
    let body = planned.map(|planned| &planned.body);
    Ok(Plan {
        problems: problems(visit, known, &ill),
        lines: lines(visit, known, &names),
        goal: body.map(|body| body.goal.clone()).unwrap_or_default(),
        added: body.map(|body| body.added.clone()).unwrap_or_default(),
        agreement,
        team: if team.is_some() { team_line(page, team.as_ref()) } else { String::new() },
        members: team.as_ref().map(|team| members(page, &names, &team.kept, today)).unwrap_or_default(),
        written: body
            .map(|body| page.say2("agreements.on_by", "day", body.on, "by", &body.by))
            .unwrap_or_default(),
    })
}

/// Age, diagnoses and labels: what the plan answers.
fn problems(visit: &Visit, known: &Known, ill: &[Diagnosed]) -> Vec<String> {
    let page = &visit.page;
    let shown = ill.iter().filter(|one| known.secret || !one.sensitive);
    let diagnoses = shown.map(|one| page.say2("agreements.plan.ill", "name", &one.name, "day", one.since));
    let sees_ill = sees_diagnoses(&visit.actor);
    let diagnoses: Vec<String> = if sees_ill { diagnoses.collect() } else { Vec::new() };
    let labels = known.person.labels_on(visit.today).into_iter().map(Label::word);
    let labels = labels.map(|word| page.word(word).into_owned());
    let age = known.person.age_on(visit.today).map(|age| page.count("agreements.age", age));
    age.into_iter().chain(diagnoses).chain(labels).collect()
}

fn sees_diagnoses(actor: &Actor) -> bool {
    reach(actor, Purpose::ReadRecord).is_some_and(|record| record.diagnoses())
}

/// What is to be done: what packages promise, and what follow-up asks besides.
fn lines(visit: &Visit, known: &Known, names: &Names<'_>) -> Vec<Line> {
    let (page, today) = (&visit.page, visit.today);
    let struck = known.folder.planned.as_ref().map(|planned| planned.body.struck.as_slice());
    let struck = struck.unwrap_or_default();
    let why = |key: &str| struck.iter().find(|one| one.line == key).map(|one| one.reason.clone());
    let mut lines = Vec::new();
    if let Some(held) = known.folder.held_on(today) {
        for kept in store::promises_of(&known.folder, held, &known.care, known.secret) {
            let (package, item) = (&kept.promise.package, &kept.promise.item);
            let key = format!("{package}.{item}");
            let (tone, mark, says) = progress(page, &kept, today);
            let is_open = kept
                .windows
                .iter()
                .any(|window| matches!(window.state(today), DueState::Due | DueState::Overdue));
            let struck = why(&key);
            lines.push(Line {
                text: page.say2(
                    "agreements.item_of",
                    "item",
                    names.item(page, package, item),
                    "package",
                    names.package(page, package),
                ),
                is_open: is_open && struck.is_none(),
                struck,
                key,
                tone,
                mark,
                says,
                sensitive: kept.promise.sensitive,
            });
        }
    }
    let managed = known.care.managed().into_iter().filter(|one| known.secret || !one.sensitive);
    for one in managed {
        let key = format!("follow_up:{}", one.programme);
        let name = names.programme(page, &one.programme);
        let says = one
            .due_on
            .map(|due| page.say2("agreements.plan.due", "day", due, "left", page.days_left(due, today)));
        let is_late = one.due_on.is_some_and(|due| due < today);
        let state = if is_late { DueState::Overdue } else { DueState::Due };
        lines.push(Line {
            text: page.say1("agreements.plan.follow_up", "name", name),
            tone: state.tone(),
            mark: page.word(&format!("agreements.due.{}", state.key())).into_owned(),
            says: says.unwrap_or_default(),
            struck: why(&key),
            key,
            sensitive: one.sensitive,
            is_open: false,
        });
    }
    lines
}

/// POST `/people/{id}/care-plan`: the plan as it is from now on.
pub(crate) async fn keep(visit: Visit, Path(id): Path<Uuid>, body: FormBody) -> Result<Response, Failure> {
    let known = known(&visit, id).await?;
    let plan = plan_of(&visit, &known).await?;
    let mut form = body.form(FIELDS);
    offer(&mut form, &plan);
    let goal = form.text("goal").unwrap_or_default();
    let added = form.text("added").unwrap_or_default();
    let added: Vec<String> =
        added.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    let chosen = form.many("struck");
    let why = form.text("struck_why").unwrap_or_default();
    if added.len() > MOST_ADDED {
        let refusal = Refusal::new("agreements.refused.many_lines").with("most", MOST_ADDED.to_string());
        form.refuse(refusal.at("added"));
    }
    let before =
        |key: &str| plan.lines.iter().find(|line| line.key == key).and_then(|line| line.struck.clone());
    let is_new = chosen.iter().any(|key| before(key).is_none());
    if is_new && why.chars().count() < SHORTEST_REASON {
        form.refuse(Refusal::new("agreements.refused.reason").at("struck_why"));
    }
    if !form.is_refused() {
        let struck = chosen
            .iter()
            .map(|key| Struck { line: key.clone(), reason: before(key).unwrap_or_else(|| why.clone()) });
        // What the reader may not see stays as it is.
        let hidden = known.folder.planned.iter().flat_map(|planned| &planned.body.struck);
        let hidden = hidden.filter(|one| plan.lines.iter().all(|line| line.key != one.line)).cloned();
        let struck: Vec<Struck> = struck.chain(hidden).collect();
        let is_secret = |one: &Struck| plan.lines.iter().any(|line| line.key == one.line && line.sensitive);
        let sensitive = struck.iter().any(is_secret);
        let by = visit.actor.name.clone();
        let plan = Planned { goal, added, struck, on: visit.today, by, sensitive };
        match transact(&visit, id, move |writing, hand| writing.plan(hand, plan)).await? {
            Ok(fact) => {
                let undo = format!("/people/{id}/agreements/undo/{fact}");
                let said = Flash::good(visit.page.word("agreements.plan.kept")).undo(undo);
                return Ok(said.then_go_to(&format!("/people/{id}/care-plan")));
            }
            Err(refusal) => form.refuse(refusal),
        }
    }
    show_refused(&page_of(&visit, &known, Some(form)).await?)
}

/// GET `/people/{id}/care-plan/print`.
pub(crate) async fn print(visit: Visit, Path(id): Path<Uuid>) -> Result<Response, Failure> {
    let known = known(&visit, id).await?;
    note(&visit, id, known.person.home).await?;
    let page = framed(&visit, &known);
    let age = known.person.age_on(visit.today).map(|age| page.count("agreements.age", age));
    show(&PrintPage {
        plan: plan_of(&visit, &known).await?,
        name: known.person.body.name.clone(),
        who: age.unwrap_or_default(),
        place: place_name(known.person.home),
        back: format!("/people/{id}/care-plan"),
        page: Page { title: page.word("agreements.plan").into_owned(), lead: String::new(), ..page },
    })
}
