//! 双向转诊单 on A4: the stub that stays with the sender, the slip that the patient takes along, and the slip that comes back.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use kangmai_base::{Sex, Uuid};
use kangmai_programme::{Visit, place_name};
use kangmai_web::{Failure, Page, show};

use super::one::{pairs, summary};
use super::{Known, known, note, note_as};
use crate::facts::{Direction, Party};
use crate::folder::Referral;
use crate::sentences::{Names, party};

#[derive(Template)]
#[template(path = "referral_print.html")]
struct PrintPage {
    page: Page,
    back: String,
    number: String,
    is_up: bool,
    name: String,
    sex: String,
    age: String,
    id_number: String,
    phone: String,
    address: String,
    from: String,
    to: String,
    to_phone: String,
    day: String,
    by: String,
    urgency: String,
    /// Why, medicines, note: what the receiving side has to know.
    pairs: Vec<(String, String)>,
    /// What came back, or is to be filled in by hand.
    summary: Vec<(String, String)>,
    back_from: String,
    back_day: String,
    back_by: String,
}

/// GET `/people/{id}/referrals/{referral}/print`.
pub(crate) async fn page(
    visit: Visit,
    Path((id, referral)): Path<(Uuid, Uuid)>,
) -> Result<Response, Failure> {
    let known = known(&visit, id).await?;
    let one = known.referral(referral)?;
    if !known.standing.is_told(one) {
        return Err(Failure::NotFound);
    }
    let sides = known.standing.sides(one);
    let is_whole = sides.sends || (sides.receives && known.standing.holds(one));
    note(&visit, id, known.person.home).await?;
    if is_whole {
        note_as(&visit, "reveal_numbers", id, known.person.home).await?;
    }
    show(&page_of(&visit, &known, one, is_whole))
}

fn page_of(visit: &Visit, known: &Known, one: &Referral, is_whole: bool) -> PrintPage {
    let (body, person) = (one.body(), &known.person.body);
    let page = visit.page.clone().titled("referral.print");
    let back = format!("/people/{}/referrals/{}", known.person.id, one.id());
    let names = Names { release: &visit.app.policies, home: known.person.home, on: body.on };
    // The first five are on the slip anyway.
    let why = pairs(visit, &page, &names, known, (one, true)).into_iter().skip(5).collect();
    let is_up = body.direction == Direction::Up;
    // The slip that comes back is the referral downwards: with what the hospital wrote, or empty for its hand.
    let came_back = one.sent_back.and_then(|(id, _)| known.folder.referral(id));
    let came_back = came_back.filter(|down| known.standing.is_told(down));
    let filled = if is_up { came_back } else { Some(one) };
    let sex = person.sex.map(|sex| {
        let key = if sex == Sex::Male { "referral.sex.male" } else { "referral.sex.female" };
        page.word(key).into_owned()
    });
    let number = person.id_number.as_ref().map(|number| match is_whole {
        true => number.as_str().to_owned(),
        false => number.masked(),
    });
    let phone = person.phone.as_ref().map(|phone| match is_whole {
        true => phone.as_str().to_owned(),
        false => phone.masked(),
    });
    let name_of = |side: &Party| party(side);
    PrintPage {
        number: one.id().simple().to_string(),
        is_up,
        name: person.name.clone(),
        sex: sex.unwrap_or_default(),
        age: known.person.age_on(body.on).map(|age| page.count("referral.age", age)).unwrap_or_default(),
        id_number: number.unwrap_or_default(),
        phone: phone.unwrap_or_default(),
        address: place_name(known.person.home),
        from: name_of(&body.from),
        to: name_of(&body.to),
        to_phone: body.to.phone.clone(),
        day: page.day(body.on),
        by: body.by.clone(),
        urgency: page.word(&format!("referral.urgency.{}", body.urgency.key())).into_owned(),
        pairs: why,
        summary: filled.map(|down| summary(&page, down)).unwrap_or_default(),
        back_from: filled.map(|down| name_of(&down.body().from)).unwrap_or_default(),
        back_day: filled.map(|down| page.day(down.body().on)).unwrap_or_default(),
        back_by: filled.map(|down| down.body().by.clone()).unwrap_or_default(),
        back,
        page: Page { lead: String::new(), ..page },
    }
}
