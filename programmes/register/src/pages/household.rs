//! `/households/{id}`: one household, one page (一户一档).

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use kangmai_base::Uuid;
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::{Household, HouseholdId, Label, Person, Relation, find_household, members};
use kangmai_programme::{Looking, Section, Visit};
use kangmai_web::{Failure, Page, show};

use crate::pages::{LabelTag, PersonLine, dated_tags, full_place, label_tag, note_reading, under_search};

struct Member {
    line: PersonLine,
    labels: Vec<LabelTag>,
}

#[derive(Template)]
#[template(path = "register_household.html")]
struct HouseholdPage {
    page: Page,
    number: String,
    place: String,
    address: String,
    people: String,
    income: String,
    labels: Vec<LabelTag>,
    members: Vec<Member>,
    /// How many more are at home where the reader does not see.
    elsewhere: Option<String>,
    contact: bool,
    sections: Vec<Section>,
}

/// What the page stands on.
struct Known {
    household: Household,
    members: Vec<Person>,
    elsewhere: usize,
    sections: Vec<Section>,
}

/// GET.
pub(crate) async fn page(visit: Visit, Path(id): Path<Uuid>) -> Result<Response, Failure> {
    let id = HouseholdId::from_uuid(id);
    let looking = visit.looking();
    let known = visit.app.database.read(move |tx| read(tx, &looking, id)).await?;
    let known = known.ok_or(Failure::NotFound)?;
    note_reading(&visit, "read_household", id.uuid(), known.household.place).await?;
    show(&page_of(visit, known))
}

fn read(
    tx: &mut Transaction<'_>,
    looking: &Looking,
    id: HouseholdId,
) -> Result<Option<Known>, DatabaseError> {
    let Some(household) = find_household(tx, id)?.filter(|it| looking.reach.covers(it.place)) else {
        return Ok(None);
    };
    let mut members = members(tx, id)?;
    let all = members.len();
    members.retain(|person| looking.reach.covers(person.home));
    let elsewhere = all - members.len();
    members.sort_by_key(|person| {
        (
            person.body.died_on.is_some(),
            person.body.relation.is_none(),
            person.body.relation,
            person.body.birth,
        )
    });
    let living: Vec<Person> =
        members.iter().filter(|person| person.body.died_on.is_none()).cloned().collect();
    let mut sections = Vec::new();
    for programme in looking.app.programmes {
        if let Some(section) = programme.household {
            sections.extend(section(tx, looking, &household, &living)?);
        }
    }
    sections.sort_by_key(|section| section.order);
    Ok(Some(Known { household, members, elsewhere, sections }))
}

fn page_of(visit: Visit, known: Known) -> HouseholdPage {
    let Known { household, members, elsewhere, sections } = known;
    let (reach, today) = (visit.reach, visit.today);
    let mut page = under_search(visit.page);
    let head = household.body.head.and_then(|head| members.iter().find(|person| person.id.uuid() == head));
    let head = head
        .or_else(|| members.iter().find(|person| person.body.relation == Some(Relation::Head)))
        .or_else(|| members.first());
    page.title = match head {
        Some(head) => page.say1("register.household.of", "name", &head.body.name),
        None => page.word("register.household.empty").into_owned(),
    };
    page.lead = full_place(household.place);
    let living = members.iter().filter(|person| person.body.died_on.is_none()).count();
    let mut held: Vec<Label> = members
        .iter()
        .filter(|person| person.body.died_on.is_none())
        .flat_map(|person| person.labels_on(today))
        .collect();
    held.sort_unstable();
    held.dedup();
    let labels = held.into_iter().map(|label| label_tag(&page, label)).collect();
    let income = match (household.body.income, household.body.income_year) {
        (Some(income), Some(year)) if reach.money() => {
            page.say2("register.income.of_year", "amount", page.yuan(income), "year", year)
        }
        (Some(income), None) if reach.money() => page.yuan(income),
        _ => String::new(),
    };
    let members = members
        .iter()
        .map(|person| Member {
            line: PersonLine::of(&page, &reach, today, person),
            labels: dated_tags(&page, today, &person.body.labels),
        })
        .collect();
    HouseholdPage {
        number: household.body.number.clone(),
        place: full_place(household.place),
        address: household.body.address.clone().unwrap_or_default(),
        people: page.count("register.household.people", living + elsewhere),
        elsewhere: (elsewhere > 0).then(|| page.count("register.household.elsewhere", elsewhere)),
        income,
        labels,
        members,
        contact: reach.contact(),
        sections,
        page,
    }
}
