//! 先诊疗后付费: admission with the check of the deposit, the agreement, the list.

use askama::Template;
use axum::extract::Path;
use axum::http::Uri;
use axum::response::Response;
use kangmai_access::{NewRelation, Related, RelationKind, relate};
use kangmai_base::{Day, Moment, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::Person;
use kangmai_places::{Institution, find_institution};
use kangmai_policy::InstitutionTier;
use kangmai_programme::Visit;
use kangmai_record::{NewFact, Source};
use kangmai_web::{Failure, Field, Flash, Form, FormBody, ListQuery, ListSpec, Page, show, show_refused};

use super::desk::{FindPage, own_institution, search_for};
use super::{
    Head, id_in, institution_choices, institutions_of_desk, joined, label_words, note, person_within,
};
use crate::facts::{ADMITTED, Admitted};
use crate::rules::{Deposit, deposit};
use crate::settling::Hand;
use crate::store::pay_later::is_suspended;
use crate::store::{self, AdmissionFilter, AdmissionRow};

const FIND: &[Field] =
    &[Field::text("query", "settlement.desk.query").at_most(kangmai_people::Query::LONGEST)];
const FIELDS: &[Field] = &[
    Field::select("institution", "settlement.field.institution"),
    Field::day("admission", "settlement.field.admitted_on"),
    Field::tick("emergency", "settlement.field.emergency"),
];
static ADMISSIONS: ListSpec = ListSpec { filters: &[], sorts: &["admitted"], descending: true };
/// An admission may be written down so many days after, not more: the check is for the day of admission.
const MOST_DAYS_AFTER: i32 = 30;

#[derive(Template)]
#[template(path = "settlement_admissions.html")]
struct AdmissionsPage {
    page: Page,
    list: ListQuery,
    rows: Vec<AdmissionRow>,
}

/// GET: who was admitted, the latest first.
pub(crate) async fn list(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let mut list = ListQuery::read(&ADMISSIONS, &uri);
    let filter = AdmissionFilter { institution: visit.actor.institution };
    let (reach, limit, offset) = (visit.reach.clone(), list.paging.limit(), list.paging.offset());
    let since = visit.today.plus_days(-OPEN_FOR_DAYS);
    let read = visit.app.database.read(move |tx| {
        let rows = store::admissions(tx, &reach, filter, limit, offset)?;
        let total = store::count_admissions(tx, &reach, filter)?;
        Ok::<_, DatabaseError>((rows, total, store::open_admissions(tx, &reach, filter, since)?))
    });
    let (rows, total, open) = read.await?;
    list.found(total.unsigned_abs());
    let button = visit.page.word("settlement.admissions.new").into_owned();
    let todo = visit.page.count("settlement.admissions.open", open);
    let page = visit
        .page
        .titled("settlement.admissions.title")
        .to_do(todo, Some((button, "/admissions/new".to_owned())));
    show(&AdmissionsPage { page, list, rows })
}

/// Admissions without a bill that began longer ago than this are no longer counted as open.
pub(crate) const OPEN_FOR_DAYS: i32 = 180;

/// GET: the field to find somebody by.
pub(crate) async fn find_to_admit(visit: Visit) -> Result<Response, Failure> {
    let own = own_institution(&visit).await?;
    let page = visit.page.titled("settlement.admit.title");
    show(&FindPage { page, form: Form::blank(FIND), found: None, admitting: true, own })
}

/// POST: the people found.
pub(crate) async fn search_to_admit(visit: Visit, body: FormBody) -> Result<Response, Failure> {
    search_for(visit, body, true, "settlement.admit.title").await
}

#[derive(Template)]
#[template(path = "settlement_admit.html")]
struct AdmitPage {
    page: Page,
    head: Head,
    form: Form,
}

async fn admit_data(visit: &Visit, id: &str) -> Result<(Person, Vec<Institution>), Failure> {
    let (id, reach, own) = (id_in(id)?, visit.reach.clone(), visit.actor.institution);
    let found = visit
        .app
        .database
        .read(move |tx| {
            let person = person_within(tx, &reach, id)?;
            Ok::<_, DatabaseError>((person, institutions_of_desk(tx, &reach, own)?))
        })
        .await?;
    Ok((found.0.ok_or(Failure::NotFound)?, found.1))
}

fn admit_page(visit: &Visit, person: &Person, form: Form) -> AdmitPage {
    let head = Head::of(&visit.page, person, visit.today);
    let list = visit.page.word("settlement.admissions.title").into_owned();
    let page = visit.page.clone().titled("settlement.admit.title").under(list, "/admissions");
    AdmitPage { page, head, form }
}

/// GET: where and when.
pub(crate) async fn admit_form(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    let (person, institutions) = admit_data(&visit, &id).await?;
    let mut form = Form::blank(FIELDS);
    form.offer("institution", institution_choices(&visit.page, &institutions));
    if let Some(own) = visit.actor.institution {
        form.fill("institution", own);
    }
    form.fill("admission", visit.today);
    show(&admit_page(&visit, &person, form))
}

/// POST: checks whether a deposit is owed and writes the admission down.
pub(crate) async fn admit(visit: Visit, Path(id): Path<String>, body: FormBody) -> Result<Response, Failure> {
    let (person, institutions) = admit_data(&visit, &id).await?;
    let mut form = body.form(FIELDS);
    form.offer("institution", institution_choices(&visit.page, &institutions));
    let institution = form.choice("institution").and_then(|id| id_in(&id).ok());
    let institution = institutions.iter().find(|one| Some(one.id.uuid()) == institution);
    let admission = form.day("admission");
    let emergency = form.tick("emergency");
    if let Some(admission) = admission {
        refuse_day(&mut form, admission, &visit, &person);
    }
    let (Some(institution), Some(admission), false) = (institution, admission, form.is_refused()) else {
        return show_refused(&admit_page(&visit, &person, form));
    };
    let id = person.id.uuid();
    let suspended = visit.app.database.read(move |tx| is_suspended(tx, id, admission)).await?;
    let checked = check(&visit, &person, institution, admission, suspended);
    let fact = fact_of(&visit, &person, institution, admission, emergency, &checked)?;
    let path = format!("/admissions/{}", fact.id);
    let (record, now) = (visit.app.record.clone(), visit.app.clock.now());
    let treats = treating(&visit, &person, institution, fact.id);
    let write = move |tx: &mut Transaction<'_>| {
        relate(tx, &treats)?;
        record.keep(tx, now, vec![fact])
    };
    visit.app.database.write(write).await?;
    Ok(Flash::good(visit.page.word("settlement.admitted_now")).then_go_to(&path))
}

/// While an admission is open its institution finds the patient, also if they move away meanwhile.
fn treating(visit: &Visit, person: &Person, institution: &Institution, admission: Uuid) -> NewRelation {
    let now = visit.app.clock.now();
    NewRelation {
        id: visit.app.mint(),
        person: person.id.uuid(),
        kind: RelationKind::Treating,
        whose: Related::Institution(institution.id.uuid()),
        from: now,
        until: now.plus_seconds(i64::from(OPEN_FOR_DAYS) * 86_400),
        source: admission,
    }
}

fn refuse_day(form: &mut Form, admission: Day, visit: &Visit, person: &Person) {
    if admission > visit.today || admission < visit.today.plus_days(-MOST_DAYS_AFTER) {
        let refusal = Refusal::new("settlement.refused.admission_day");
        form.refuse(refusal.with("days", MOST_DAYS_AFTER.to_string()).at("admission"));
    }
    if person.body.died_on.is_some_and(|died_on| admission > died_on) {
        let died = person.body.died_on.map(|day| day.to_string()).unwrap_or_default();
        form.refuse(Refusal::new("settlement.refused.died").with("died", died).at("admission"));
    }
}

fn check<'v>(
    visit: &'v Visit,
    person: &Person,
    institution: &Institution,
    day: Day,
    is_suspended: bool,
) -> Deposit<'v> {
    let insured = super::section::insured_of(person);
    let tier = InstitutionTier::from_name(institution.body.tier.key()).unwrap_or(InstitutionTier::County);
    deposit(&visit.app.policies, &insured, person.home, day, tier, institution.place, is_suspended)
}

fn fact_of(
    visit: &Visit,
    person: &Person,
    institution: &Institution,
    admission: Day,
    emergency: bool,
    checked: &Deposit<'_>,
) -> Result<NewFact, DatabaseError> {
    let (app, actor) = (&visit.app, &visit.actor);
    let hand = Hand { app, actor, now: app.clock.now(), source: Source::Typed };
    let labels = person.labels_on(admission).into_iter().map(|label| label.key().to_owned()).collect();
    let body = Admitted {
        household: person.body.household,
        institution: institution.id.uuid(),
        admission,
        emergency,
        entitled: checked.why_not.is_none(),
        why_not: checked.why_not,
        labels,
        pay_within_days: checked
            .rule
            .and_then(|rule| rule.payment.as_ref())
            .map(|terms| terms.due_after_days),
        release: app.policies.hash().to_owned(),
    };
    let fact = hand.fact(ADMITTED, person.id.uuid(), person.home, &body)?;
    Ok(NewFact { occurred_at: Moment::start_of(admission), ..fact })
}

#[derive(Template)]
#[template(path = "settlement_agreement.html")]
struct AgreementPage {
    page: Page,
    head: Option<Head>,
    row: AdmissionRow,
    labels: String,
    verdict: String,
    conditions: Vec<String>,
    instalments: Option<String>,
    source: String,
}

impl AgreementPage {
    fn desk(&self) -> String {
        format!("/desk/{}", self.row.person)
    }
}

/// GET: the verdict, and the agreement to print.
pub(crate) async fn admission(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    let (id, reach) = (id_in(&id)?, visit.reach.clone());
    let read = visit.app.database.read(move |tx| {
        let Some(row) = store::admission(tx, &reach, id)? else { return Ok::<_, DatabaseError>(None) };
        let person = person_within(tx, &reach, row.person)?;
        let institution = find_institution(tx, kangmai_base::Id::from_uuid(row.institution))?;
        Ok(Some((row, person, institution)))
    });
    let (row, person, institution) = read.await?.ok_or(Failure::NotFound)?;
    note(&visit, "read_person", Some(row.person), row.home, String::new()).await?;
    show(&agreement_page(visit, row, person.as_ref(), institution.as_ref()))
}

fn agreement_page(
    visit: Visit,
    row: AdmissionRow,
    person: Option<&Person>,
    institution: Option<&Institution>,
) -> AgreementPage {
    let page = &visit.page;
    let language = super::language(page);
    let rule = visit.app.policies.treat_first(row.home, row.admitted_on);
    let words = label_words(page, &row.labels);
    let verdict = match row.why_not {
        None => page.word("settlement.deposit.none").into_owned(),
        Some(why) => page.word(why.word()).into_owned(),
    };
    let conditions = rule
        .filter(|_| row.entitled)
        .map(|rule| rule.conditions.iter().map(|text| text.get(language).to_owned()).collect::<Vec<_>>());
    let list = page.word("settlement.admissions.title").into_owned();
    let title = if row.entitled { "settlement.agreement.title" } else { "settlement.admission.title" };
    let mut framed = visit.page.clone().titled(title).under(list, "/admissions");
    framed.unit = institution.map(|one| one.body.name.clone()).unwrap_or_default();
    AgreementPage {
        head: person.map(|person| Head::of(page, person, row.admitted_on)),
        labels: if words.is_empty() {
            page.word("settlement.labels.none").into_owned()
        } else {
            joined(page, &words)
        },
        verdict,
        conditions: conditions.unwrap_or_default(),
        instalments: rule
            .filter(|_| row.entitled)
            .and_then(|rule| rule.instalments.as_ref())
            .map(|text| text.get(language).to_owned()),
        source: rule.map(|rule| rule.source.doc.clone()).unwrap_or_default(),
        row,
        page: framed,
    }
}
