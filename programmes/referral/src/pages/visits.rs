//! Visits that came to a referral: the list that is worked off, and why one needs none.

use askama::Template;
use axum::extract::Path;
use axum::http::Uri;
use axum::response::Response;
use kangmai_base::{DivisionCode, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_programme::{Visit, place_choices, place_name};
use kangmai_web::{
    Choice, Failure, Field, Flash, Form, FormBody, ListQuery, ListSpec, Page, show, show_refused,
};

use super::list::{Tab, is_by_place, tabs};
use super::{Known, known, note, transact};
use crate::facts::EndReason;
use crate::rules::{Handled, WAIVING, handled};
use crate::sentences::{A_YEAR_MONTHS, Names, joined, urgency};
use crate::store::{self, WantedVisit, WantedVisits};

static LIST: ListSpec = ListSpec {
    filters: &[
        Field::select("handled", "referral.filter.handled").optional(),
        Field::select("place", "referral.filter.place").optional(),
    ],
    sorts: &[],
    descending: false,
};
const WAIVE: &[Field] = &[
    Field::radios("waive_reason", "referral.field.waive_reason"),
    Field::text("waive_note", "referral.field.note_why").at_most(200),
];

/// A visit on the list.
struct Line {
    person: String,
    name: String,
    age: Option<i32>,
    place: String,
    urgency: (&'static str, String),
    text: String,
    mark: (&'static str, String),
    /// Referring, and writing why not.
    refer: Option<(String, String)>,
}

#[derive(Template)]
#[template(path = "referral_visits.html")]
struct VisitsPage {
    page: Page,
    tabs: Vec<Tab>,
    list: ListQuery,
    lines: Vec<Line>,
    hidden: i64,
}

/// GET `/referrals/visits`.
pub(crate) async fn page(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let mut list = ListQuery::read(&LIST, &uri);
    let page = visit.page.clone().titled("referral.visits");
    let choice = |key: &str| Choice::new(key, page.word(&format!("referral.handled.{key}")));
    let mut choices: Vec<Choice> = Handled::ALL.iter().map(|one| choice(one.key())).collect();
    choices.push(choice("all"));
    list.offer("handled", choices);
    if list.chosen("handled").is_none() {
        list.form.fill("handled", Handled::Open.key());
    }
    let place = list.parsed::<DivisionCode>("place");
    let within = place.map_or_else(|| visit.reach.clone(), |place| visit.reach.narrowed(place));
    list.offer("place", place_choices(&visit.reach, &within));
    let wanted = WantedVisits {
        handled: match list.chosen("handled") {
            Some("all") => None,
            Some(key) => Handled::of_key(key),
            None => Some(Handled::Open),
        },
        from: visit.today.plus_months(-A_YEAR_MONTHS),
        until: visit.today,
        sensitive: false,
    };
    let (limit, offset) = (list.paging.limit(), list.paging.offset());
    // The desk of a hospital covers the county's people, and none of their visits.
    let by_place = is_by_place(&visit);
    let read = move |tx: &mut Transaction<'_>| {
        if !by_place {
            return Ok((Vec::new(), 0, 0));
        }
        let rows = store::wanted_visits(tx, &within, &wanted, (limit, offset))?;
        let total = store::count_visits(tx, &within, &wanted)?;
        let hidden = store::count_visits(tx, &within, &WantedVisits { sensitive: true, ..wanted })?;
        Ok::<_, DatabaseError>((rows, total, hidden))
    };
    let (rows, total, hidden) = visit.app.database.read(read).await?;
    list.found(total.unsigned_abs());
    let may_write =
        kangmai_access::reach(&visit.actor, kangmai_access::Purpose::KeepReferrals).is_some() && by_place;
    show(&VisitsPage {
        tabs: tabs(&visit, "/referrals/visits"),
        lines: rows.iter().map(|one| line_of(&visit, &page, one, may_write)).collect(),
        list,
        hidden,
        page: page.clone().to_do(page.count("referral.visits.found", total), None),
    })
}

fn line_of(visit: &Visit, page: &Page, one: &WantedVisit, may_write: bool) -> Line {
    let names = Names { release: &visit.app.policies, home: one.home, on: one.on };
    let programmes: Vec<String> = one.programmes.iter().map(|id| names.programme(page, id)).collect();
    let tone = if one.handled == Handled::Open { "warning" } else { "plain" };
    let mark = page.word(&format!("referral.handled.{}", one.handled.key())).into_owned();
    let refer = (may_write && one.handled == Handled::Open).then(|| {
        (
            format!("/people/{}/referrals/up?visit={}", one.person, one.visit),
            format!("/people/{}/referrals/visits/{}", one.person, one.visit),
        )
    });
    Line {
        person: format!("/people/{}", one.person),
        name: one.name.clone(),
        age: one.birth.map(|birth| visit.today.age_of(birth)),
        place: place_name(one.home),
        urgency: urgency(page, one.urgency),
        text: page.say2("referral.visit.line", "day", one.on, "names", joined(page, &programmes)),
        mark: (tone, mark),
        refer,
    }
}

#[derive(Template)]
#[template(path = "referral_waive.html")]
struct WaivePage {
    page: Page,
    path: String,
    back: String,
    reasons: String,
    refer: String,
    form: Form,
}

fn waive_page(visit: &Visit, known: &Known, which: Uuid, mut form: Form) -> Result<WaivePage, Failure> {
    let found = known.visits.visit(which).filter(|found| found.urgency().is_some());
    let found = found.filter(|_| known.standing.near).ok_or(Failure::NotFound)?;
    if found.urgency_told().is_none() && !known.standing.secret {
        return Err(Failure::NotFound);
    }
    let id = known.person.id;
    let page = visit.page.clone().titled("referral.waive");
    let page = page.under(known.person.body.name.clone(), format!("/people/{id}"));
    if handled(found, &known.visits, &known.folder) != Handled::Open && !form.is_refused() {
        form.refuse(Refusal::new("referral.refused.handled"));
    }
    let names = Names { release: &visit.app.policies, home: known.person.home, on: found.on };
    offer_waive(&page, &mut form);
    Ok(WaivePage {
        path: format!("/people/{id}/referrals/visits/{which}"),
        back: format!("/people/{id}"),
        reasons: names.reasons(&page, &found.reasons(), known.standing.secret),
        refer: format!("/people/{id}/referrals/up?visit={which}"),
        form,
        page: Page { title: page.say1("referral.waive.of", "name", &known.person.body.name), ..page },
    })
}

fn offer_waive(page: &Page, form: &mut Form) {
    let choice = |reason: EndReason| {
        Choice::new(reason.key(), page.word(&format!("referral.outcome.{}", reason.key())))
    };
    form.offer("waive_reason", WAIVING.map(choice).to_vec());
}

/// GET `/people/{id}/referrals/visits/{visit}`: why a visit that came to a referral needs none.
pub(crate) async fn waiving(
    visit: Visit,
    Path((id, which)): Path<(Uuid, Uuid)>,
) -> Result<Response, Failure> {
    let known = known(&visit, id).await?;
    let page = waive_page(&visit, &known, which, Form::blank(WAIVE))?;
    note(&visit, id, known.person.home).await?;
    show(&page)
}

/// POST.
pub(crate) async fn waive(
    visit: Visit,
    Path((id, which)): Path<(Uuid, Uuid)>,
    body: FormBody,
) -> Result<Response, Failure> {
    let known = known(&visit, id).await?;
    waive_page(&visit, &known, which, Form::blank(WAIVE))?;
    let mut form = body.form(WAIVE);
    offer_waive(&visit.page, &mut form);
    let reason = form.choice("waive_reason").as_deref().and_then(EndReason::of_key);
    let text = form.text("waive_note");
    if let (Some(reason), Some(text), false) = (reason, text, form.is_refused()) {
        let done = transact(&visit, id, move |writing, hand, standing| {
            if !standing.near {
                return Ok(Err(Refusal::new("referral.refused.not_there")));
            }
            writing.waive(hand, which, (reason, text))
        });
        match done.await? {
            Ok(fact) => {
                let undo = format!("/people/{id}/referrals/undo/{fact}");
                let said = Flash::good(visit.page.word("referral.waived_now")).undo(undo);
                return Ok(said.then_go_to(&format!("/people/{id}")));
            }
            Err(refusal) => form.refuse(refusal),
        }
    }
    show_refused(&waive_page(&visit, &known, which, form)?)
}
