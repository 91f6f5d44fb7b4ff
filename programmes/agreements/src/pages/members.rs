//! One team: what it is called, whom it serves, who is in it and was; and all its agreements given to another.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use kangmai_access::{Account, Purpose, reach};
use kangmai_base::{Refusal, Uuid};
use kangmai_programme::{Visit, place_choices, place_name};
use kangmai_web::{Choice, Failure, Field, Flash, Form, FormBody, Page, show, show_refused};

use super::teams::{account_choices, area_of, role_choices, staff};
use super::{hand_of, team_of};
use crate::facts::{Member, TeamKept};
use crate::rules::SHORTEST_REASON;
use crate::sentences::Names;
use crate::store::{self, Team};
use crate::teamwork::{MOST_OF_TEAM, joined, keep_members, keep_team, left, pass_all_on};

const CHANGE: &[Field] = &[
    Field::text("team_name", "agreements.field.team_name").at_most(40),
    Field::text("team_phone", "agreements.field.team_phone").at_most(30).optional(),
    Field::many("area", "agreements.field.area"),
    Field::tick("close", "agreements.field.close"),
];
const JOIN: &[Field] = &[
    Field::select("account", "agreements.field.account").optional(),
    Field::text("name", "agreements.field.member_name").at_most(40).optional(),
    Field::select("role", "agreements.field.role"),
    Field::text("phone", "agreements.field.member_phone").at_most(30).optional(),
    Field::day("from", "agreements.field.member_from"),
    Field::tick("leads", "agreements.field.leads"),
];
const LEAVE: &[Field] = &[
    Field::select("member", "agreements.field.member"),
    Field::day("until", "agreements.field.member_until"),
];
const PASS_ON: &[Field] = &[
    Field::select("to", "agreements.field.new_team"),
    Field::text("why", "agreements.field.reason").at_most(200),
];

/// Somebody in the team, now or before.
struct Line {
    name: String,
    role: String,
    phone: String,
    from: String,
    until: String,
    leads: bool,
}

#[derive(Template)]
#[template(path = "agreements_team.html")]
struct TeamPage {
    page: Page,
    path: String,
    place: String,
    phone: String,
    area: String,
    lines: Vec<Line>,
    signed: usize,
    is_closed: bool,
    forms: Option<Forms>,
}

struct Forms {
    change: Form,
    join: Form,
    leave: Form,
    pass_on: Form,
    open: &'static str,
}

/// A form that was sent and refused.
type Sent = (&'static str, Form);

/// The team, as far as the reader's place reads it: from the township up, and by who works under it.
async fn found(visit: &Visit, id: Uuid) -> Result<Team, Failure> {
    let team = team_of(visit, id).await?;
    let place = visit.reach.place();
    team.filter(|team| place.contains(team.place) || team.place.contains(place)).ok_or(Failure::NotFound)
}

/// The same for who keeps it.
async fn kept(visit: &Visit, id: Uuid) -> Result<Team, Failure> {
    let team = found(visit, id).await?;
    Some(team).filter(|team| visit.reach.covers(team.place)).ok_or(Failure::NotFound)
}

/// GET `/agreements/teams/{team}`.
pub(crate) async fn page(visit: Visit, Path(id): Path<Uuid>) -> Result<Response, Failure> {
    let team = found(&visit, id).await?;
    show(&page_of(&visit, &team, None).await?)
}

async fn page_of(visit: &Visit, team: &Team, sent: Option<Sent>) -> Result<TeamPage, Failure> {
    let page = visit.page.clone().titled("agreements.team");
    let page = page.under(visit.page.word("agreements.teams").into_owned(), "/agreements/teams");
    let page = Page { title: team.kept.name.clone(), ..page };
    let (id, today) = (team.kept.team, visit.today);
    let names = Names { release: &visit.app.policies, home: team.place, on: today };
    let signed =
        visit.app.database.read(move |tx| store::signed_by_team(tx, id, today, MOST_OF_TEAM)).await?.len();
    let line = |member: &Member| Line {
        name: member.name.clone(),
        role: names.role(&page, &member.role),
        phone: member.phone.clone(),
        from: member.from.to_string(),
        until: page.iso(member.until),
        leads: member.leads && member.until.is_none(),
    };
    let may_keep = reach(&visit.actor, Purpose::KeepTeams).is_some_and(|may| may.covers(team.place));
    let forms = if may_keep { Some(forms(visit, team, sent).await?) } else { None };
    Ok(TeamPage {
        path: format!("/agreements/teams/{id}"),
        place: place_name(team.place),
        phone: team.kept.phone.clone(),
        area: area_of(&page, &team.kept.area),
        lines: team.kept.members.iter().map(line).collect(),
        signed,
        is_closed: team.kept.closed_on.is_some(),
        forms,
        page,
    })
}

async fn forms(visit: &Visit, team: &Team, sent: Option<Sent>) -> Result<Forms, Failure> {
    let keeping = reach(&visit.actor, Purpose::KeepTeams).ok_or(Failure::NotFound)?;
    let place = team.place;
    let (staff, others) = visit
        .app
        .database
        .read(move |tx| {
            let staff = kangmai_access::staff_of_teams(tx, &keeping, place)?;
            Ok::<_, kangmai_database::DatabaseError>((staff, store::teams_at(tx, place)?))
        })
        .await?;
    let (open, mut sent) = match sent {
        Some((open, form)) => (open, Some(form)),
        None => ("", None),
    };
    let mut take = |name: &str, fields| {
        if name == open { sent.take().unwrap_or_else(|| Form::blank(fields)) } else { Form::blank(fields) }
    };
    let mut forms = Forms {
        change: take("change", CHANGE),
        join: take("join", JOIN),
        leave: take("leave", LEAVE),
        pass_on: take("pass_on", PASS_ON),
        open,
    };
    if open != "change" {
        let area = team.kept.area.iter().map(|code| ("area".to_owned(), code.to_string())).collect();
        forms.change = Form::typed(CHANGE, area);
        forms.change.fill("team_name", &team.kept.name);
        forms.change.fill("team_phone", &team.kept.phone);
    }
    for (form, day) in [(&mut forms.join, "from"), (&mut forms.leave, "until")] {
        if form.raw(day).is_empty() && !form.is_refused() {
            form.fill(day, visit.today);
        }
    }
    offer_change(visit, &mut forms.change);
    offer_join(visit, team, &staff, &mut forms.join);
    offer_leave(team, &mut forms.leave);
    offer_pass_on(team, &others, &mut forms.pass_on);
    Ok(forms)
}

fn offer_change(visit: &Visit, form: &mut Form) {
    form.offer("area", place_choices(&visit.reach, &visit.reach));
}

fn offer_join(visit: &Visit, team: &Team, staff: &[Account], form: &mut Form) {
    form.offer("account", account_choices(&visit.page, staff));
    let rules = visit.app.policies.agreements(team.place, visit.today);
    form.offer("role", role_choices(&visit.page, rules, false));
}

fn offer_leave(team: &Team, form: &mut Form) {
    let members = team.kept.members.iter().filter(|member| member.until.is_none());
    form.offer("member", members.map(|one| Choice::new(one.member.to_string(), &one.name)).collect());
}

fn offer_pass_on(team: &Team, others: &[Team], form: &mut Form) {
    let others = others.iter().filter(|other| other.kept.team != team.kept.team);
    form.offer("to", others.map(|one| Choice::new(one.kept.team.to_string(), &one.kept.name)).collect());
}

async fn refused(visit: &Visit, team: &Team, sent: Sent) -> Result<Response, Failure> {
    show_refused(&page_of(visit, team, Some(sent)).await?)
}

fn went_well(visit: &Visit, team: &Team, word: &str) -> Response {
    Flash::good(visit.page.word(word)).then_go_to(&format!("/agreements/teams/{}", team.kept.team))
}

/// POST: name, telephone, area; or that it works no more.
pub(crate) async fn change(visit: Visit, Path(id): Path<Uuid>, body: FormBody) -> Result<Response, Failure> {
    let team = kept(&visit, id).await?;
    let mut form = body.form(CHANGE);
    offer_change(&visit, &mut form);
    let (name, phone) = (form.text("team_name"), form.text("team_phone").unwrap_or_default());
    let area = form.many("area");
    let close = form.tick("close");
    let today = visit.today;
    let signed = visit.app.database.read(move |tx| store::signed_by_team(tx, id, today, 1)).await?;
    if close && !signed.is_empty() {
        form.refuse(Refusal::new("agreements.refused.team_has_agreements").at("close"));
    }
    if let (Some(name), false) = (name, form.is_refused()) {
        let area = area.iter().filter_map(|code| code.parse().ok()).collect();
        let closed_on = if close { Some(visit.today) } else { None };
        let by = visit.actor.name.clone();
        let next = TeamKept { name, phone, area, closed_on, by, ..team.kept.clone() };
        let (app, place, hand) = (visit.app.clone(), team.place, hand_of(&visit));
        visit.app.database.write(move |tx| keep_team(tx, &app, (place, &next), &hand)).await?;
        return Ok(went_well(&visit, &team, "agreements.team.kept"));
    }
    refused(&visit, &team, ("change", form)).await
}

async fn keep(visit: &Visit, team: &Team, next: TeamKept) -> Result<(), Failure> {
    let next = TeamKept { by: visit.actor.name.clone(), ..next };
    let (app, place, hand) = (visit.app.clone(), team.place, hand_of(visit));
    Ok(visit.app.database.write(move |tx| keep_members(tx, &app, (place, &next), &hand)).await?)
}

/// POST: somebody joins.
pub(crate) async fn join(visit: Visit, Path(id): Path<Uuid>, body: FormBody) -> Result<Response, Failure> {
    let team = kept(&visit, id).await?;
    let staff = staff(&visit, team.place).await?;
    let mut form = body.form(JOIN);
    offer_join(&visit, &team, &staff, &mut form);
    let account = form.choice("account");
    let account = account.and_then(|id| staff.iter().find(|account| account.id.to_string() == id));
    let typed = form.text("name").unwrap_or_default();
    let (role, from) = (form.choice("role"), form.day("from"));
    let phone = form.text("phone").unwrap_or_default();
    let leads = form.tick("leads");
    if let (Some(role), Some(from), false) = (role, from, form.is_refused()) {
        let rules = visit.app.policies.agreements(team.place, visit.today);
        let may_lead = rules.and_then(|rules| rules.role(&role)).is_some_and(|role| role.leads);
        let name = account.map_or(typed, |account| account.display_name.clone());
        let new = Member {
            member: visit.app.mint(),
            account: account.map(|account| account.id.uuid()),
            name,
            role,
            phone,
            leads,
            from,
            until: None,
        };
        match joined(&team.kept, new, may_lead) {
            Ok(next) => {
                keep(&visit, &team, next).await?;
                return Ok(went_well(&visit, &team, "agreements.member.joined"));
            }
            Err(refusal) => form.refuse(refusal),
        }
    }
    refused(&visit, &team, ("join", form)).await
}

/// POST: somebody leaves; what they did stays theirs.
pub(crate) async fn leave(visit: Visit, Path(id): Path<Uuid>, body: FormBody) -> Result<Response, Failure> {
    let team = kept(&visit, id).await?;
    let mut form = body.form(LEAVE);
    offer_leave(&team, &mut form);
    let member = form.choice("member").and_then(|id| id.parse::<Uuid>().ok());
    let until = form.day("until");
    if let (Some(member), Some(until), false) = (member, until, form.is_refused()) {
        match left(&team.kept, member, until) {
            Ok(next) => {
                keep(&visit, &team, next).await?;
                return Ok(went_well(&visit, &team, "agreements.member.left"));
            }
            Err(refusal) => form.refuse(refusal),
        }
    }
    refused(&visit, &team, ("leave", form)).await
}

/// POST: all its agreements go to another team.
pub(crate) async fn pass_on(visit: Visit, Path(id): Path<Uuid>, body: FormBody) -> Result<Response, Failure> {
    let team = kept(&visit, id).await?;
    let place = team.place;
    let others = visit.app.database.read(move |tx| store::teams_at(tx, place)).await?;
    let mut form = body.form(PASS_ON);
    offer_pass_on(&team, &others, &mut form);
    let to = form.choice("to").and_then(|id| id.parse::<Uuid>().ok());
    let why = form.text("why");
    if why.as_ref().is_some_and(|why| why.chars().count() < SHORTEST_REASON) {
        form.refuse(Refusal::new("agreements.refused.reason").at("why"));
    }
    if let (Some(to), Some(why), false) = (to, why, form.is_refused())
        && let Some(to) = team_of(&visit, to).await?
    {
        let (app, hand) = (visit.app.clone(), hand_of(&visit));
        let write =
            move |tx: &mut kangmai_database::Transaction<'_>| pass_all_on(tx, &app, (id, &to), &why, &hand);
        match visit.app.database.write(write).await? {
            Ok(passed) => {
                let said = Flash::good(visit.page.count("agreements.passed_all", passed));
                return Ok(said.then_go_to(&format!("/agreements/teams/{id}")));
            }
            Err(refusal) => form.refuse(refusal.at("to")),
        }
    }
    refused(&visit, &team, ("pass_on", form)).await
}
