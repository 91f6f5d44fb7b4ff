//! Insurance years: closing one, opening it again with a reason, and the bills that came after.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use kangmai_access::Reach;
use kangmai_base::{DivisionLevel, Moment, Refusal};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_policy::InsuranceYear;
use kangmai_programme::Visit;
use kangmai_record::{NewFact, Source, Subject};
use kangmai_web::{Failure, Field, Flash, Form, FormBody, Page, show, show_refused};

use crate::facts::{YEAR_CLOSED, YEAR_REOPENED, YearDecided};
use crate::rules::LONGEST_REASON;
use crate::settling::{Hand, lock};
use crate::store::{self, LateBill, YearState, YearSum};

/// Late bills that the page shows.
const MOST_SHOWN: i64 = 200;

const FIELDS: &[Field] = &[Field::area("reason", "settlement.field.year_reason").at_most(LONGEST_REASON)];

#[derive(Template)]
#[template(path = "settlement_years.html")]
struct YearsPage {
    page: Page,
    years: Vec<YearLine>,
    late: Vec<LateBill>,
    touched: i64,
}

/// A year with what was settled in it.
struct YearLine {
    sum: YearSum,
    closed: Option<YearState>,
    /// Its days at the reader's place.
    days: InsuranceYear,
}

impl YearLine {
    fn is_calendar(&self) -> bool {
        self.days == InsuranceYear::calendar(self.sum.year)
    }
}

/// The days of the year that is called so.
fn days_of(visit: &Visit, year: i32) -> InsuranceYear {
    let found = visit.app.policies.insurance_year_called(visit.reach.place(), year);
    found.unwrap_or(InsuranceYear::calendar(year))
}

/// A year is closed for a county or for who is above, not for a township.
fn may_close(reach: &Reach) -> bool {
    reach.place().level().is_none_or(|level| level <= DivisionLevel::County)
}

/// GET: the years with bills, and the late ones.
pub(crate) async fn years(visit: Visit) -> Result<Response, Failure> {
    let within = visit.reach.clone();
    let (years, late, touched) = visit
        .app
        .database
        .read(move |tx| {
            let mut years = Vec::new();
            for sum in store::year_sums(tx, &within)? {
                years.push((sum, store::closed_year(tx, within.place(), sum.year)?));
            }
            let late = store::late_bills(tx, &within, MOST_SHOWN)?;
            Ok::<_, DatabaseError>((years, late, store::count_touched(tx, &within)?))
        })
        .await?;
    let years = years.into_iter();
    let line = |(sum, closed): (YearSum, _)| YearLine { days: days_of(&visit, sum.year), sum, closed };
    let years = years.map(line).collect();
    show(&YearsPage { page: visit.page.titled("settlement.years.title"), years, late, touched })
}

#[derive(Template)]
#[template(path = "settlement_year.html")]
struct YearPage {
    page: Page,
    form: Form,
    /// The closing that holds, if the year is closed.
    closed: Option<YearState>,
    /// Whether it was closed by who stands above, so that only they open it.
    is_closed_above: bool,
    may_close: bool,
    /// What was decided before, the latest first.
    history: Vec<Decided>,
}

/// A decision about a year.
struct Decided {
    at: Moment,
    closed: bool,
    said: YearDecided,
}

fn find(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    year: i32,
) -> Result<(Option<YearState>, Vec<Decided>), DatabaseError> {
    let closed = store::closed_year(tx, reach.place(), year)?;
    let subject = Subject::place(reach.place()).id;
    let mut history = Vec::new();
    for kind in [YEAR_CLOSED, YEAR_REOPENED] {
        for fact in kangmai_record::facts_of_kind(tx, subject, kind)? {
            let said: YearDecided = fact.body()?;
            if said.year == year {
                history.push((
                    fact.place_sequence,
                    Decided { at: fact.received_at, closed: kind == YEAR_CLOSED, said },
                ));
            }
        }
    }
    history.sort_by_key(|(order, _)| std::cmp::Reverse(*order));
    Ok((closed, history.into_iter().map(|(_, decided)| decided).collect()))
}

async fn page_of(visit: Visit, year: i32, form: Form) -> Result<YearPage, Failure> {
    let within = visit.reach.clone();
    let (closed, history) = visit.app.database.read(move |tx| find(tx, &within, year)).await?;
    let is_closed_above = closed.as_ref().is_some_and(|closed| closed.place != visit.reach.place());
    let may_close = may_close(&visit.reach);
    let years = visit.page.word("settlement.years.title").into_owned();
    let days = days_of(&visit, year);
    let mut page = visit.page.titled("settlement.year.title").under(years, "/years");
    page.title = page.say1("settlement.year.title_of", "year", year);
    if days != InsuranceYear::calendar(year) {
        page.title = page
            .say("settlement.year.title_days", &[("year", &year), ("from", &days.first), ("to", &days.last)]);
    }
    Ok(YearPage { page, form, closed, is_closed_above, may_close, history })
}

/// A year in an address, not one to come.
fn year_in(visit: &Visit, text: &str) -> Result<i32, Failure> {
    const FIRST: i32 = 2000;
    let year = text.parse::<i32>().map_err(|_| Failure::NotFound)?;
    if (FIRST..=visit.today.year()).contains(&year) { Ok(year) } else { Err(Failure::NotFound) }
}

/// GET: one year, whether it is closed, and the form to close or open it.
pub(crate) async fn year(visit: Visit, Path(year): Path<String>) -> Result<Response, Failure> {
    let year = year_in(&visit, &year)?;
    show(&page_of(visit, year, Form::blank(FIELDS)).await?)
}

/// POST: closes the year, or opens it again.
pub(crate) async fn decide_year(
    visit: Visit,
    Path(year): Path<String>,
    body: FormBody,
) -> Result<Response, Failure> {
    let year = year_in(&visit, &year)?;
    let closing = match body.act() {
        "close" => true,
        "reopen" => false,
        _ => return Err(Failure::NotFound),
    };
    if !may_close(&visit.reach) {
        return Err(Failure::NotFound);
    }
    let mut form = body.form(FIELDS);
    let Some(reason) = form.text("reason") else {
        return show_refused(&page_of(visit, year, form).await?);
    };
    let (app, actor, reach, now) =
        (visit.app.clone(), visit.actor.clone(), visit.reach.clone(), visit.app.clock.now());
    let written = visit.app.database.write(move |tx| {
        let hand = Hand { app: &app, actor: &actor, now, source: Source::Typed };
        decide(tx, &hand, &reach, closing, YearDecided { year, by: actor.name.clone(), reason })
    });
    match written.await? {
        Ok(()) => {
            let word = if closing { "settlement.year.closed_now" } else { "settlement.year.reopened_now" };
            Ok(Flash::good(visit.page.say1(word, "year", year)).then_go_to(&format!("/years/{year}")))
        }
        Err(refusal) => {
            form.refuse(refusal);
            show_refused(&page_of(visit, year, form).await?)
        }
    }
}

/// Nobody settles in the place meanwhile: then no bill can slip into a year that is being closed.
fn decide(
    tx: &mut Transaction<'_>,
    hand: &Hand<'_>,
    reach: &Reach,
    closing: bool,
    decided: YearDecided,
) -> Result<Result<(), Refusal>, DatabaseError> {
    lock(tx, reach.place())?;
    let closed = store::closed_year(tx, reach.place(), decided.year)?;
    let waiting = store::waiting_in_year(tx, reach, decided.year)?;
    let refused = match (closing, &closed) {
        (true, Some(_)) => Some(Refusal::new("settlement.refused.closed_already")),
        (true, None) if waiting > 0 => {
            Some(Refusal::new("settlement.refused.bills_wait").with("count", waiting.to_string()))
        }
        (false, None) => Some(Refusal::new("settlement.refused.not_closed")),
        (false, Some(state)) if state.place != reach.place() => {
            Some(Refusal::new("settlement.refused.closed_above"))
        }
        _ => None,
    };
    if let Some(refusal) = refused {
        return Ok(Err(refusal));
    }
    let kind = if closing { YEAR_CLOSED } else { YEAR_REOPENED };
    let place = reach.place();
    let fact = hand.fact(kind, Subject::place(place).id, place, &decided)?;
    let fact = NewFact { subject: Subject::place(place), ..fact };
    hand.app.record.keep(tx, hand.now, vec![fact])?;
    Ok(Ok(()))
}

/// Why a bill of a closed year is not taken, cancelled or corrected.
pub(crate) fn refuse_closed(closed: &YearState) -> Refusal {
    Refusal::new("settlement.refused.year_closed")
        .with("year", closed.year.to_string())
        .with("day", closed.changed_at.day().to_string())
        .at("discharge")
}
