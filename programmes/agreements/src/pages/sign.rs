//! The form of a signature: for one person, or for a household in one go.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use kangmai_access::serving_place;
use kangmai_base::{Day, DivisionCode, Id, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::{Person, find_household, members};
use kangmai_policy::AgreementRules;
use kangmai_programme::{Visit, place_name};
use kangmai_web::{Choice, Failure, Field, Form, Page, show};

use crate::facts::{SignedBy, Way};
use crate::folder::Folder;
use crate::rules::{Known, begins};
use crate::sentences::{Names, said};
use crate::store::{self, Team};

pub(super) const FIELDS: &[Field] = &[
    Field::hidden("minted"),
    Field::many("person", "agreements.field.person"),
    Field::many("package", "agreements.field.package"),
    Field::select("team", "agreements.field.team"),
    Field::day("signed_on", "agreements.field.signed_on"),
    Field::select("term", "agreements.field.term"),
    Field::radios("signer", "agreements.field.signer"),
    Field::text("signer_name", "agreements.field.signer_name").at_most(40).optional(),
    Field::text("signer_relation", "agreements.field.signer_relation").at_most(20).optional(),
    Field::radios("way", "agreements.field.way"),
    Field::text("paper_at", "agreements.field.paper_at").at_most(100).optional(),
    Field::file("photo", "agreements.field.photo").accept("image/jpeg,image/png").optional(),
    Field { label: "agreements.field.drawn", ..Field::hidden("drawn") },
    Field::text("note", "agreements.field.note").at_most(200).optional(),
    Field::tick("consent", "agreements.field.consent"),
];

/// Who is to sign, with what is known of each.
pub(super) struct Signers {
    pub(super) title: String,
    pub(super) back: String,
    pub(super) action: String,
    /// Where they are at home, or the place that serves the one.
    pub(super) place: DivisionCode,
    pub(super) people: Vec<(Person, Folder, Known)>,
    pub(super) teams: Vec<Team>,
}

/// A member of the household on the form.
pub(super) struct Line {
    id: String,
    name: String,
    who: String,
    /// Why nothing can be signed, or what the signature begins.
    says: String,
    can: bool,
    ticked: bool,
    /// Value, name, whether it is chosen.
    packages: Vec<(String, String, bool)>,
}

#[derive(Template)]
#[template(path = "agreements_sign.html")]
pub(super) struct SignPage {
    page: Page,
    action: String,
    back: String,
    lines: Vec<Line>,
    /// The one person, whose page it is; none: a household.
    is_one: bool,
    form: Form,
    consent: String,
    basic: String,
    fee: String,
    has_team: bool,
    can: bool,
}

/// Who of these is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Whom {
    Person(Uuid),
    Household(Uuid),
}

/// GET `/people/{id}/agreements/sign`.
pub(crate) async fn person(visit: Visit, Path(id): Path<Uuid>) -> Result<Response, Failure> {
    blank(&visit, Whom::Person(id)).await
}

/// GET `/households/{id}/agreements/sign`.
pub(crate) async fn household(visit: Visit, Path(id): Path<Uuid>) -> Result<Response, Failure> {
    blank(&visit, Whom::Household(id)).await
}

async fn blank(visit: &Visit, whom: Whom) -> Result<Response, Failure> {
    let signers = signers(visit, whom).await?;
    let mut form = Form::blank(FIELDS);
    form.fill("minted", visit.app.mint());
    form.fill("signed_on", visit.today);
    form.fill("way", Way::Paper.key());
    let is_one = signers.people.len() == 1;
    form.fill("signer", if is_one { SignedBy::Resident.key() } else { SignedBy::Household.key() });
    if let Some(team) = signers.teams.first().filter(|team| team.serves(signers.place)) {
        form.fill("team", team.kept.team);
    }
    show(&sign_page(visit, &signers, form, true))
}

/// The person, or the living of the household, within reach.
pub(super) async fn signers(visit: &Visit, whom: Whom) -> Result<Signers, Failure> {
    let (actor, within) = (visit.actor.clone(), visit.reach.clone());
    let (today, now, page) = (visit.today, visit.app.clock.now(), visit.page.clone());
    let read = move |tx: &mut Transaction<'_>| {
        let (found, title, back, place) = match whom {
            Whom::Person(id) => {
                let Some(person) = super::person_within(tx, &actor, id, now)? else { return Ok(None) };
                let title = page.say1("agreements.sign.of", "name", &person.body.name);
                let place = serving_place(tx, id, now)?.unwrap_or(person.home);
                let back = format!("/people/{id}");
                (vec![person], title, back, place)
            }
            Whom::Household(id) => {
                let Some(household) = find_household(tx, Id::from_uuid(id))? else { return Ok(None) };
                let title = page.say1("agreements.sign.household", "number", &household.body.number);
                let all = members(tx, household.id)?;
                if !within.covers(household.place) {
                    return Ok(None);
                }
                let living = |one: &Person| one.body.died_on.is_none() && within.covers(one.home);
                let all = all.into_iter().filter(living).collect();
                (all, title, format!("/households/{id}"), household.place)
            }
        };
        let teams = match found.as_slice() {
            [one] => super::teams_for(tx, one, now)?,
            _ => store::teams_at(tx, place)?,
        };
        let mut people = Vec::new();
        for person in found {
            let folder = store::folder_of(tx, person.id.uuid())?;
            let known = store::known_of(tx, &person, today)?;
            people.push((person, folder, known));
        }
        let action = format!("{back}/agreements/sign");
        Ok::<_, DatabaseError>(Some(Signers { title, back, action, place, people, teams }))
    };
    let found = visit.app.database.read(read).await?;
    found.filter(|signers| !signers.people.is_empty()).ok_or(Failure::NotFound)
}

/// What the form offers.
pub(super) fn offer(visit: &Visit, signers: &Signers, form: &mut Form) {
    let page = &visit.page;
    let people = signers.people.iter();
    form.offer(
        "person",
        people.clone().map(|(person, ..)| Choice::new(person.id.to_string(), &person.body.name)).collect(),
    );
    let names = Names { release: &visit.app.policies, home: signers.place, on: visit.today };
    let packages = names.rules().map(|rules| rules.packages.as_slice()).unwrap_or_default();
    let of = |person: &Person| {
        let own = packages.iter().filter(|package| !package.basic);
        own.map(|package| {
            let value = format!("{}.{}", person.id, package.id);
            Choice::new(value, said(page, &package.name))
        })
        .collect::<Vec<Choice>>()
    };
    form.offer("package", people.flat_map(|(person, ..)| of(person)).collect());
    form.offer("team", team_choices(&signers.teams));
    offer_terms(page, names.rules(), form);
    let signer =
        |one: SignedBy| Choice::new(one.key(), page.word(&format!("agreements.signer.{}", one.key())));
    form.offer("signer", SignedBy::ALL.map(signer).to_vec());
    let way = |way: Way| {
        let hint = page.word(&format!("agreements.way.{}.lead", way.key())).into_owned();
        Choice::new(way.key(), page.word(&format!("agreements.way.{}", way.key()))).hint(hint)
    };
    form.offer("way", Way::ALL.map(way).to_vec());
}

pub(super) fn team_choices(teams: &[Team]) -> Vec<Choice> {
    let choice = |team: &Team| {
        Choice::new(team.kept.team.to_string(), format!("{} {}", team.kept.name, place_name(team.place)))
    };
    teams.iter().map(choice).collect()
}

pub(super) fn offer_terms(page: &Page, rules: Option<&AgreementRules>, form: &mut Form) {
    let terms = rules.map(AgreementRules::terms).unwrap_or_default();
    let choice = |months: &i32| Choice::new(months.to_string(), page.count("agreements.months", *months));
    form.offer("term", terms.iter().map(choice).collect());
    if let Some(rules) = rules.filter(|_| form.raw("term").is_empty()) {
        form.fill("term", rules.term_months);
    }
}

pub(super) fn sign_page(visit: &Visit, signers: &Signers, mut form: Form, is_blank: bool) -> SignPage {
    let page = visit.page.clone().titled("agreements.sign");
    let page = page.under(signers.title.clone(), signers.back.clone());
    offer(visit, signers, &mut form);
    let names = Names { release: &visit.app.policies, home: signers.place, on: visit.today };
    let rules = names.rules();
    let on = form.raw("signed_on").parse::<Day>().unwrap_or(visit.today);
    let lines: Vec<Line> = signers
        .people
        .iter()
        .map(|(person, folder, known)| line(visit, (&names, &form), (person, folder, known), (on, is_blank)))
        .collect();
    let basic = rules.and_then(|rules| rules.packages.iter().find(|package| package.basic));
    SignPage {
        action: signers.action.clone(),
        back: signers.back.clone(),
        is_one: lines.len() == 1,
        can: lines.iter().any(|line| line.can),
        lines,
        consent: rules.map(|rules| said(&page, &rules.consent).to_owned()).unwrap_or_default(),
        basic: basic.map(|package| said(&page, &package.name).to_owned()).unwrap_or_default(),
        fee: super::print::fee(&page, rules),
        has_team: !signers.teams.is_empty(),
        form,
        page: Page { title: signers.title.clone(), ..page },
    }
}

fn line(
    visit: &Visit,
    (names, form): (&Names<'_>, &Form),
    (person, folder, known): (&Person, &Folder, &Known),
    (on, is_blank): (Day, bool),
) -> Line {
    let page = &visit.page;
    let remind = names.rules().map_or(0, |rules| rules.remind_days);
    let (can, says) = match begins(folder, on, remind) {
        _ if person.body.died_on.is_some() => (false, page.word("agreements.sign.died").into_owned()),
        Err(refusal) => (false, page.refusal(&refusal)),
        Ok((from, Some(_))) => (true, page.say1("agreements.sign.renews", "day", from)),
        Ok((_, None)) => (true, String::new()),
    };
    let id = person.id.to_string();
    let proposed = names.rules().map(|rules| known.proposed(&visit.app.policies, rules, on, true));
    let proposed = proposed.unwrap_or_default();
    let packages = names.rules().map(|rules| rules.packages.as_slice()).unwrap_or_default();
    let package = |package: &kangmai_policy::ServicePackage| {
        let value = format!("{id}.{}", package.id);
        let is_chosen = if is_blank { proposed.contains(&package.id) } else { form.chose("package", &value) };
        (value, said(page, &package.name).to_owned(), is_chosen)
    };
    let age = person.age_on(visit.today).map(|age| page.count("agreements.age", age));
    Line {
        name: person.body.name.clone(),
        who: age.unwrap_or_default(),
        says,
        can,
        ticked: can && if is_blank { true } else { form.chose("person", &id) },
        packages: packages.iter().filter(|one| !one.basic).map(package).collect(),
        id,
    }
}
