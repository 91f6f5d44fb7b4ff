//! The teams of a place, and a new one.

use askama::Template;
use axum::http::Uri;
use axum::response::Response;
use kangmai_access::{Account, Purpose, reach, staff_of_teams};
use kangmai_base::{DivisionCode, DivisionLevel, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_policy::AgreementRules;
use kangmai_programme::{Visit, place_choices, place_name};
use kangmai_web::{
    Choice, Failure, Field, Flash, Form, FormBody, ListQuery, ListSpec, Page, show, show_refused,
};

use super::hand_of;
use crate::facts::{Member, TeamKept};
use crate::sentences::said;
use crate::store::{self, TeamCount};
use crate::teamwork::keep_team;

static TEAMS: ListSpec = ListSpec { filters: &[], sorts: &[], descending: false };

const FIELDS: &[Field] = &[
    Field::text("team_name", "agreements.field.team_name").at_most(40),
    Field::text("team_phone", "agreements.field.team_phone").at_most(30).optional(),
    Field::many("area", "agreements.field.area"),
    Field::select("account", "agreements.field.leader"),
    Field::select("role", "agreements.field.leader_role"),
    Field::text("phone", "agreements.field.member_phone").at_most(30).optional(),
    Field::day("from", "agreements.field.team_from"),
];

/// A team on the list.
struct Line {
    path: String,
    name: String,
    place: String,
    phone: String,
    area: String,
    signed: i64,
    members: i64,
    is_closed: bool,
}

#[derive(Template)]
#[template(path = "agreements_teams.html")]
struct TeamsPage {
    page: Page,
    list: ListQuery,
    lines: Vec<Line>,
    may_keep: bool,
}

#[derive(Template)]
#[template(path = "agreements_team_new.html")]
struct NewTeamPage {
    page: Page,
    form: Form,
}

/// GET `/agreements/teams`.
pub(crate) async fn list(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let mut list = ListQuery::read(&TEAMS, &uri);
    let (within, today) = (visit.reach.clone(), visit.today);
    // Whoever works in a village reads the teams of the township.
    let village = visit.reach.place().level() == Some(DivisionLevel::Village);
    let (limit, offset) = (list.paging.limit(), list.paging.offset());
    let read = move |tx: &mut Transaction<'_>| {
        if village {
            let teams = store::teams_at(tx, within.place())?;
            let of = |team| TeamCount { team, signed: 0, members: 0 };
            let all: Vec<TeamCount> = teams.into_iter().map(of).collect();
            let total = i64::try_from(all.len()).unwrap_or(i64::MAX);
            return Ok((all, total));
        }
        store::teams_within(tx, &within, today, (limit, offset))
    };
    let (teams, total): (Vec<TeamCount>, i64) =
        visit.app.database.read(move |tx| read(tx).map_err(|error: DatabaseError| error)).await?;
    list.found(total.unsigned_abs());
    let may_keep = reach(&visit.actor, Purpose::KeepTeams).is_some();
    let page = visit
        .page
        .clone()
        .titled("agreements.teams")
        .under(visit.page.word("agreements.title").into_owned(), "/agreements");
    show(&TeamsPage { lines: teams.iter().map(|one| line_of(&page, one)).collect(), list, may_keep, page })
}

fn line_of(page: &Page, one: &TeamCount) -> Line {
    let kept = &one.team.kept;
    Line {
        path: format!("/agreements/teams/{}", kept.team),
        name: kept.name.clone(),
        place: place_name(one.team.place),
        phone: kept.phone.clone(),
        area: area_of(page, &kept.area),
        signed: one.signed,
        members: one.members,
        is_closed: kept.closed_on.is_some(),
    }
}

/// The villages that a team serves, or that it serves all.
pub(super) fn area_of(page: &Page, area: &[DivisionCode]) -> String {
    if area.is_empty() {
        return page.word("agreements.area.all").into_owned();
    }
    let names: Vec<String> = area.iter().map(|code| place_name(*code)).collect();
    names.join(if page.is_chinese() { "、" } else { ", " })
}

/// Who may be in a team of a place.
pub(super) async fn staff(visit: &Visit, place: DivisionCode) -> Result<Vec<Account>, Failure> {
    let within = visit.reach.clone();
    Ok(visit.app.database.read(move |tx| staff_of_teams(tx, &within, place)).await?)
}

pub(super) fn account_choices(page: &Page, staff: &[Account]) -> Vec<Choice> {
    let choice = |account: &Account| {
        let role = page.word(&format!("access.role.{}", account.role.key())).into_owned();
        let text = format!("{} · {role} · {}", account.display_name, place_name(account.place));
        Choice::new(account.id.to_string(), text)
    };
    staff.iter().map(choice).collect()
}

pub(super) fn role_choices(page: &Page, rules: Option<&AgreementRules>, leads: bool) -> Vec<Choice> {
    let roles = rules.map(|rules| rules.roles.as_slice()).unwrap_or_default();
    let fits = roles.iter().filter(|role| !leads || role.leads);
    fits.map(|role| Choice::new(role.id.clone(), said(page, &role.name))).collect()
}

fn offer(visit: &Visit, staff: &[Account], form: &mut Form) {
    let page = &visit.page;
    form.offer("area", place_choices(&visit.reach, &visit.reach));
    form.offer("account", account_choices(page, staff));
    let rules = visit.app.policies.agreements(visit.reach.place(), visit.today);
    form.offer("role", role_choices(page, rules, true));
}

fn new_page(visit: &Visit, form: Form) -> NewTeamPage {
    let page = visit.page.clone().titled("agreements.team.new");
    let page = page.under(visit.page.word("agreements.teams").into_owned(), "/agreements/teams");
    NewTeamPage { page, form }
}

/// GET `/agreements/teams/new`.
pub(crate) async fn blank(visit: Visit) -> Result<Response, Failure> {
    let staff = staff(&visit, visit.reach.place()).await?;
    let mut form = Form::blank(FIELDS);
    form.fill("from", visit.today);
    offer(&visit, &staff, &mut form);
    show(&new_page(&visit, form))
}

/// POST: a new team with who leads it.
pub(crate) async fn make(visit: Visit, body: FormBody) -> Result<Response, Failure> {
    let staff = staff(&visit, visit.reach.place()).await?;
    let mut form = body.form(FIELDS);
    offer(&visit, &staff, &mut form);
    let (name, phone) = (form.text("team_name"), form.text("team_phone").unwrap_or_default());
    let area = form.many("area");
    let account = form.choice("account");
    let leader = account.and_then(|id| staff.iter().find(|account| account.id.to_string() == id));
    let (role, from) = (form.choice("role"), form.day("from"));
    let own_phone = form.text("phone").unwrap_or_default();
    if let (Some(name), Some(leader), Some(role), Some(from), false) =
        (name, leader, role, from, form.is_refused())
    {
        let team: Uuid = visit.app.mint();
        let member = Member {
            member: visit.app.mint(),
            account: Some(leader.id.uuid()),
            name: leader.display_name.clone(),
            role,
            phone: own_phone,
            leads: true,
            from,
            until: None,
        };
        let area = area.iter().filter_map(|code| code.parse().ok()).collect();
        let by = visit.actor.name.clone();
        let kept = TeamKept { team, name, phone, area, from, members: vec![member], closed_on: None, by };
        let (app, place, hand) = (visit.app.clone(), visit.reach.place(), hand_of(&visit));
        visit.app.database.write(move |tx| keep_team(tx, &app, (place, &kept), &hand)).await?;
        let said = Flash::good(visit.page.word("agreements.team.made"));
        return Ok(said.then_go_to(&format!("/agreements/teams/{team}")));
    }
    show_refused(&new_page(&visit, form))
}
