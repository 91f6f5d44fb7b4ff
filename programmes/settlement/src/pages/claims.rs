//! What institutions waived, claimed by month and reconciled by the county: what is looked at.

mod steps;

pub(crate) use steps::{
    cut, cut_form, pay, pay_form, reconcile, reconcile_form, submit, withdraw, withdraw_form,
};

use askama::Template;
use axum::extract::Path;
use axum::http::Uri;
use axum::response::Response;
use kangmai_access::{Purpose, reach};
use kangmai_base::{Day, DivisionCode, Fen, Id, Uuid};
use kangmai_database::DatabaseError;
use kangmai_places::{Institution, find_institution};
use kangmai_policy::ClaimTerms;
use kangmai_programme::Visit;
use kangmai_sheet::Format;
use kangmai_sheets::{Cell, Head as Column, SheetError, XlsxExport};
use kangmai_web::{Choice, Failure, Field, ListQuery, ListSpec, Page, show, workbook};

use super::{id_in, institution_choices, institutions_of_desk, language, note};
use crate::rules::month_end;
use crate::store::claim::{
    Claim, ClaimRow, ClaimState, claim as find_claim, claim_lines, claimable, claims, count_claims,
};

static LIST: ListSpec = ListSpec {
    filters: &[Field::select("state", "settlement.filter.state")],
    sorts: &["month"],
    descending: true,
};
static NEW: ListSpec = ListSpec {
    filters: &[
        Field::select("institution", "settlement.field.institution"),
        Field::text("month", "settlement.field.month").at_most(7),
    ],
    sorts: &["number"],
    descending: false,
};
static LINES: ListSpec = ListSpec { filters: &[], sorts: &["discharged"], descending: false };
/// Lines that the page before submitting shows; all are submitted.
const SHOWN: usize = 200;
/// Lines of an export: as many as a claim may have.
const MOST_EXPORTED: i64 = crate::store::claim::MOST_CLAIMED;

#[derive(Template)]
#[template(path = "settlement_claims.html")]
struct ListPage {
    page: Page,
    list: ListQuery,
    rows: Vec<Claim>,
    may_claim: bool,
}

/// GET: the claims within reach, the latest month first.
pub(crate) async fn list(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let mut list = ListQuery::read(&LIST, &uri);
    let states = ClaimState::ALL.iter().map(|state| Choice::new(state.key(), visit.page.word(state.word())));
    list.offer("state", states.collect());
    let state = list.filter("state").and_then(ClaimState::of_key);
    let (within, own) = (visit.reach.clone(), visit.actor.institution);
    let counted = within.clone();
    let total = visit.app.database.read(move |tx| count_claims(tx, &counted, own, state)).await?;
    list.found(total.unsigned_abs());
    let paging = (list.paging.limit(), list.paging.offset());
    let rows = visit.app.database.read(move |tx| claims(tx, &within, own, state, paging)).await?;
    let may_claim = reach(&visit.actor, Purpose::SettleBills).is_some();
    let page = visit.page.titled("settlement.claims.title");
    show(&ListPage { page, list, rows, may_claim })
}

/// What an institution may claim for a month, before it is claimed.
struct Offer {
    institution: Institution,
    month_end: Day,
    terms: ClaimTerms,
    rows: Vec<ClaimRow>,
}

impl Offer {
    /// Whether the page shows fewer lines than are submitted.
    fn is_cut(&self) -> bool {
        self.rows.len() > SHOWN
    }

    fn amount(&self) -> Fen {
        self.rows.iter().map(|row| row.amount).sum()
    }
}

#[derive(Template)]
#[template(path = "settlement_claim_new.html")]
struct NewPage {
    page: Page,
    list: ListQuery,
    offer: Option<Offer>,
    bearer: String,
    source: String,
    /// Why there is nothing to claim.
    nothing: &'static str,
}

/// The terms of the place of an institution, if it has any.
fn terms_of(visit: &Visit, place: DivisionCode, on: Day) -> Option<ClaimTerms> {
    visit.app.policies.treat_first(place, on).and_then(|rule| rule.claim.clone())
}

/// The name of who pays a claim; its code where the pack has it no more.
fn bearer_name(visit: &Visit, place: DivisionCode, on: Day, fund: &str) -> String {
    match terms_of(visit, place, on).filter(|terms| terms.bearer.fund == fund) {
        Some(terms) => terms.bearer.name.get(language(&visit.page)).to_owned(),
        None => fund.to_owned(),
    }
}

/// GET: an institution, a month, and what may be claimed up to its end.
pub(crate) async fn claim_form(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let mut list = ListQuery::read(&NEW, &uri);
    let (within, own) = (visit.reach.clone(), visit.actor.institution);
    let institutions = visit.app.database.read(move |tx| institutions_of_desk(tx, &within, own)).await?;
    list.offer("institution", institution_choices(&visit.page, &institutions));
    let asked = list.chosen("institution").and_then(|id| id_in(id).ok()).or(visit.actor.institution);
    let (year, month, _) = visit.today.plus_months(-1).ymd();
    let last_month = format!("{year}-{month:02}");
    let asked_month = list.filter("month").unwrap_or(&last_month).to_owned();
    list.form.fill("month", &asked_month);
    if let Some(asked) = asked {
        list.form.fill("institution", asked);
    }
    let institution = institutions.into_iter().find(|one| Some(one.id.uuid()) == asked);
    let offer = match (institution, month_end(&asked_month)) {
        (Some(institution), Some(month_end)) => offer_of(&visit, institution, month_end).await?,
        _ => None,
    };
    let nothing = match (&asked, &offer) {
        (None, _) => "settlement.claim.choose",
        (_, None) => "settlement.claim.no_terms",
        _ => "settlement.claim.nothing",
    };
    let claims = visit.page.word("settlement.claims.title").into_owned();
    let language = language(&visit.page);
    let terms = offer.as_ref().map(|offer| &offer.terms);
    show(&NewPage {
        bearer: terms.map(|terms| terms.bearer.name.get(language).to_owned()).unwrap_or_default(),
        source: terms.map(|terms| terms.source.doc.clone()).unwrap_or_default(),
        page: visit.page.titled("settlement.claim.new_title").under(claims, "/claims"),
        list,
        offer,
        nothing,
    })
}

/// What may be claimed; none where the pack names nothing, or for a month that is not over.
async fn offer_of(visit: &Visit, institution: Institution, month_end: Day) -> Result<Option<Offer>, Failure> {
    let Some(terms) = terms_of(visit, institution.place, month_end) else { return Ok(None) };
    if month_end >= visit.today {
        return Ok(None);
    }
    let (id, layers) = (institution.id.uuid(), terms.layers.clone());
    let rows = visit.app.database.read(move |tx| claimable(tx, id, month_end, &layers)).await?;
    Ok(Some(Offer { institution, month_end, terms, rows }))
}

#[derive(Template)]
#[template(path = "settlement_claim.html")]
struct OnePage {
    page: Page,
    list: ListQuery,
    claim: Claim,
    rows: Vec<ClaimRow>,
    bearer: String,
    may_withdraw: bool,
    may_reconcile: bool,
    may_pay: bool,
}

impl OnePage {
    fn to(&self, step: &str) -> String {
        format!("/claims/{}/{step}", self.claim.id)
    }
}

/// A claim within reach; at the desk of one institution only its own.
async fn found(visit: &Visit, id: Uuid) -> Result<Claim, Failure> {
    let (within, own) = (visit.reach.clone(), visit.actor.institution);
    let claim = visit.app.database.read(move |tx| find_claim(tx, &within, id)).await?;
    claim.filter(|claim| own.is_none_or(|own| own == claim.institution)).ok_or(Failure::NotFound)
}

/// GET: a claim with its lines.
pub(crate) async fn one(visit: Visit, Path(id): Path<String>, uri: Uri) -> Result<Response, Failure> {
    let claim = found(&visit, id_in(&id)?).await?;
    let mut list = ListQuery::read(&LINES, &uri);
    list.found(claim.lines.unsigned_abs());
    let (id, limit, offset) = (claim.id, list.paging.limit(), list.paging.offset());
    let rows = visit.app.database.read(move |tx| claim_lines(tx, id, limit, offset)).await?;
    let may = |purpose| reach(&visit.actor, purpose).is_some_and(|reach| reach.covers(claim.place));
    let is_open = claim.state == ClaimState::Submitted;
    let claims = visit.page.word("settlement.claims.title").into_owned();
    let mut page = visit.page.clone().titled("settlement.claim.title").under(claims, "/claims");
    page.unit = claim.institution_name.clone();
    show(&OnePage {
        bearer: bearer_name(&visit, claim.place, claim.month_end, &claim.bearer),
        may_withdraw: is_open && may(Purpose::SettleBills),
        may_reconcile: is_open && may(Purpose::DecidePayLater),
        may_pay: claim.state == ClaimState::Reconciled && may(Purpose::DecidePayLater),
        page,
        list,
        claim,
        rows,
    })
}

/// GET: the lines of a claim as an Excel file.
pub(crate) async fn export(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    let claim = found(&visit, id_in(&id)?).await?;
    let page = visit.page.clone();
    let heads = [
        ("settlement.column.number", Format::Code),
        ("settlement.column.name", Format::Text),
        ("settlement.column.discharged", Format::Day),
        ("settlement.claim.amount", Format::Amount),
        ("settlement.claim.cut", Format::Amount),
        ("settlement.field.cut_reason", Format::Text),
    ];
    let heads = heads.map(|(key, format)| Column::new(page.word(key), format)).to_vec();
    let title = page.word("settlement.claim.title").into_owned();
    let (asked, what) = (claim.id, format!("{title} {} {}", claim.institution_name, claim.lines));
    let written = visit.app.database.read(move |tx| {
        let sheet = |error: SheetError| DatabaseError::Refused(format!("{error:?}"));
        let mut out = XlsxExport::begin(&title, heads).map_err(sheet)?;
        for row in claim_lines(tx, asked, MOST_EXPORTED, 0)? {
            out.row(&[
                Cell::Text(&row.number),
                Cell::Text(&row.person_name),
                row.discharged_on.map_or(Cell::Empty, Cell::Day),
                Cell::Amount(row.amount),
                Cell::Amount(row.cut),
                row.reason.as_deref().map_or(Cell::Empty, Cell::Text),
            ])
            .map_err(sheet)?;
        }
        out.finish_in_memory().map_err(sheet)
    });
    let bytes: Vec<u8> = written.await.map_err(|error: DatabaseError| error)?;
    note(&visit, "export", None, claim.place, what).await?;
    Ok(workbook(bytes, "claim.xlsx"))
}

/// The institution that a form names, within reach and, at a desk of one, its own.
async fn institution_within(visit: &Visit, id: Uuid) -> Result<Institution, Failure> {
    let own = visit.actor.institution;
    let read = move |tx: &mut kangmai_database::Transaction<'_>| find_institution(tx, Id::from_uuid(id));
    let institution = visit.app.database.read(read).await?;
    institution
        .filter(|one| visit.reach.covers(one.place) && own.is_none_or(|own| own == one.id.uuid()))
        .ok_or(Failure::NotFound)
}
