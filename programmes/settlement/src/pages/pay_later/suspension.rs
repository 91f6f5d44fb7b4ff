//! The right to treatment before payment: suspended by the county after default in bad faith, appealed, upheld, lifted.

use askama::Template;
use axum::extract::Path;
use axum::http::Uri;
use axum::response::Response;
use kangmai_access::{Purpose, Reach, reach};
use kangmai_base::{Fen, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::Person;
use kangmai_programme::Visit;
use kangmai_record::Source;
use kangmai_web::{
    Choice, Failure, Field, Flash, Form, FormBody, ListQuery, ListSpec, Page, show, show_refused,
};

use crate::facts::{
    PRIVILEGE_SUSPENDED, PrivilegeSuspended, SUSPENSION_APPEALED, SUSPENSION_LIFTED, SUSPENSION_UPHELD,
    SuspensionStep,
};
use crate::pages::{Head, id_in, note, person_within, village};
use crate::rules::{LONGEST_REASON, check_suspension};
use crate::settling::{Hand, lock};
use crate::store::pay_later::{
    Suspension, SuspensionState, count_suspensions, is_suspended, overdue_of, suspension as find_suspension,
    suspensions as list_suspensions,
};

const SUSPEND: &[Field] = &[
    Field::area("reason", "settlement.field.bad_faith").at_most(LONGEST_REASON),
    Field::tick("deliberate", "settlement.field.deliberate"),
];
const APPEAL: &[Field] = &[Field::area("reason", "settlement.field.appeal").at_most(LONGEST_REASON)];
const ANSWER: &[Field] = &[
    Field::radios("verdict", "settlement.field.verdict"),
    Field::area("reason", "settlement.field.why").at_most(LONGEST_REASON),
];
static LIST: ListSpec = ListSpec {
    filters: &[Field::select("state", "settlement.filter.state")],
    sorts: &["suspended"],
    descending: true,
};

#[derive(Template)]
#[template(path = "settlement_suspensions.html")]
struct ListPage {
    page: Page,
    list: ListQuery,
    rows: Vec<(Suspension, String)>,
}

/// GET: all within reach, the latest first.
pub(crate) async fn suspensions(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let mut list = ListQuery::read(&LIST, &uri);
    let states =
        SuspensionState::ALL.iter().map(|state| Choice::new(state.key(), visit.page.word(state.word())));
    list.offer("state", states.collect());
    let state = list.filter("state").and_then(SuspensionState::of_key);
    let (within, counted) = (visit.reach.clone(), visit.reach.clone());
    let total = visit.app.database.read(move |tx| count_suspensions(tx, &counted, state)).await?;
    list.found(total.unsigned_abs());
    let paging = (list.paging.limit(), list.paging.offset());
    let rows = visit.app.database.read(move |tx| list_suspensions(tx, &within, state, paging)).await?;
    let rows =
        rows.into_iter().map(|row| (village(row.home), row)).map(|(place, row)| (row, place)).collect();
    let debts = visit.page.word("settlement.debts.title").into_owned();
    let page = visit.page.titled("settlement.suspensions.title").under(debts, "/payments");
    show(&ListPage { page, list, rows })
}

#[derive(Template)]
#[template(path = "settlement_suspend.html")]
struct SuspendPage {
    page: Page,
    head: Head,
    overdue: Fen,
    form: Form,
}

async fn with_overdue(visit: &Visit, id: &str) -> Result<(Person, Fen), Failure> {
    let (id, within, today) = (id_in(id)?, visit.reach.clone(), visit.today);
    let read = visit.app.database.read(move |tx| {
        let overdue = overdue_of(tx, id, today)?;
        Ok::<_, DatabaseError>((person_within(tx, &within, id)?, overdue))
    });
    let (person, overdue) = read.await?;
    Ok((person.ok_or(Failure::NotFound)?, overdue))
}

fn suspend_page(visit: &Visit, person: &Person, overdue: Fen, form: Form) -> SuspendPage {
    let list = visit.page.word("settlement.suspensions.title").into_owned();
    let page = visit.page.clone().titled("settlement.suspend.title").under(list, "/suspensions");
    SuspendPage { head: Head::of(&page, person, visit.today), page, overdue, form }
}

/// GET: what is overdue, and the field for what shows bad faith.
pub(crate) async fn suspend_form(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    let (person, overdue) = with_overdue(&visit, &id).await?;
    show(&suspend_page(&visit, &person, overdue, Form::blank(SUSPEND)))
}

/// POST: suspends the right. Never automatic: somebody says why, and that it is bad faith and not want.
pub(crate) async fn suspend(
    visit: Visit,
    Path(id): Path<String>,
    body: FormBody,
) -> Result<Response, Failure> {
    let (person, overdue) = with_overdue(&visit, &id).await?;
    let mut form = body.form(SUSPEND);
    let reason = form.text("reason");
    if !form.tick("deliberate") {
        form.refuse(Refusal::new("settlement.refused.deliberate").at("deliberate"));
    }
    let (Some(reason), false) = (reason, form.is_refused()) else {
        return show_refused(&suspend_page(&visit, &person, overdue, form));
    };
    let suspension = visit.app.mint();
    let (app, actor, now, today) =
        (visit.app.clone(), visit.actor.clone(), visit.app.clock.now(), visit.today);
    let (id, home) = (person.id.uuid(), person.home);
    let done = visit.app.database.write(move |tx| {
        lock(tx, home)?;
        let overdue = overdue_of(tx, id, today)?;
        if let Some(refusal) = check_suspension(overdue, is_suspended(tx, id, today)?) {
            return Ok::<_, DatabaseError>(Err(refusal));
        }
        let hand = Hand { app: &app, actor: &actor, now, source: Source::Typed };
        let body = PrivilegeSuspended { suspension, suspended_on: today, overdue, reason };
        app.record.keep(tx, now, vec![hand.fact(PRIVILEGE_SUSPENDED, id, home, &body)?])?;
        Ok(Ok(()))
    });
    match done.await? {
        Ok(()) => {
            let path = format!("/suspensions/{suspension}");
            Ok(Flash::good(visit.page.word("settlement.suspended_now")).then_go_to(&path))
        }
        Err(refusal) => {
            form.refuse(refusal);
            show_refused(&suspend_page(&visit, &person, overdue, form))
        }
    }
}

#[derive(Template)]
#[template(path = "settlement_suspension.html")]
struct OnePage {
    page: Page,
    one: Suspension,
    village: String,
    overdue_now: Fen,
    /// None: the reader may not answer.
    form: Option<Form>,
    may_appeal: bool,
    may_find: bool,
}

impl OnePage {
    fn appeal(&self) -> String {
        format!("/suspensions/{}/appeal", self.one.id)
    }
}

async fn found(visit: &Visit, id: &str) -> Result<(Suspension, Fen), Failure> {
    let (id, within, today) = (id_in(id)?, visit.reach.clone(), visit.today);
    let read = visit.app.database.read(move |tx| {
        let Some(one) = find_suspension(tx, &within, id)? else { return Ok::<_, DatabaseError>(None) };
        let overdue = overdue_of(tx, one.person, today)?;
        Ok(Some((one, overdue)))
    });
    read.await?.ok_or(Failure::NotFound)
}

fn offer(form: &mut Form, page: &Page) {
    let verdict = |key: &str, word: &str| Choice::new(key, page.word(word));
    let verdicts = vec![
        verdict("lift", "settlement.suspension.lift"),
        verdict("uphold", "settlement.suspension.uphold"),
    ];
    form.offer("verdict", verdicts);
}

fn one_page(visit: &Visit, one: Suspension, overdue_now: Fen, form: Option<Form>) -> OnePage {
    let list = visit.page.word("settlement.suspensions.title").into_owned();
    let page = visit.page.clone().titled("settlement.suspension.title").under(list, "/suspensions");
    let covers = |purpose| reach(&visit.actor, purpose).is_some_and(|reach| reach.covers(one.home));
    let holds = one.state != SuspensionState::Lifted;
    let form = form.or_else(|| {
        (holds && covers(Purpose::DecidePayLater)).then(|| {
            let mut form = Form::blank(ANSWER);
            offer(&mut form, &page);
            form
        })
    });
    let appeals = matches!(one.state, SuspensionState::Suspended | SuspensionState::Upheld);
    OnePage {
        village: village(one.home),
        may_appeal: appeals && covers(Purpose::AskWriteOffs),
        may_find: reach(&visit.actor, Purpose::FindPeople).is_some(),
        overdue_now,
        form,
        one,
        page,
    }
}

/// GET: the suspension, and the form for who decides.
pub(crate) async fn suspension(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    let (one, overdue) = found(&visit, &id).await?;
    note(&visit, "read_person", Some(one.person), one.home, String::new()).await?;
    show(&one_page(&visit, one, overdue, None))
}

#[derive(Template)]
#[template(path = "settlement_appeal.html")]
struct AppealPage {
    page: Page,
    one: Suspension,
    form: Form,
}

impl AppealPage {
    fn back(&self) -> String {
        format!("/suspensions/{}", self.one.id)
    }
}

fn appeal_page(visit: &Visit, one: Suspension, form: Form) -> AppealPage {
    let list = visit.page.word("settlement.suspensions.title").into_owned();
    let page = visit.page.clone().titled("settlement.appeal.title").under(list, "/suspensions");
    AppealPage { page, one, form }
}

/// GET: the field for what the person says.
pub(crate) async fn appeal_form(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    let (one, _) = found(&visit, &id).await?;
    show(&appeal_page(&visit, one, Form::blank(APPEAL)))
}

/// POST: the appeal waits for the county; until then the suspension holds.
pub(crate) async fn appeal(
    visit: Visit,
    Path(id): Path<String>,
    body: FormBody,
) -> Result<Response, Failure> {
    let (one, _) = found(&visit, &id).await?;
    let mut form = body.form(APPEAL);
    let Some(reason) = form.text("reason") else {
        return show_refused(&appeal_page(&visit, one, form));
    };
    let from = [SuspensionState::Suspended, SuspensionState::Upheld];
    let done = step(&visit, one.id, &from, SUSPENSION_APPEALED, reason).await?;
    Ok(told(&visit, one.id, done, "settlement.appealed_now"))
}

/// POST: the county lifts the suspension, or stands by it; with its reason.
pub(crate) async fn answer(
    visit: Visit,
    Path(id): Path<String>,
    body: FormBody,
) -> Result<Response, Failure> {
    let (one, overdue) = found(&visit, &id).await?;
    let mut form = body.form(ANSWER);
    offer(&mut form, &visit.page);
    let (verdict, reason) = (form.choice("verdict"), form.text("reason"));
    let (Some(verdict), Some(reason)) = (verdict, reason) else {
        return show_refused(&one_page(&visit, one, overdue, Some(form)));
    };
    let from = [SuspensionState::Suspended, SuspensionState::Upheld, SuspensionState::Appealed];
    let (kind, word) = match verdict.as_str() {
        "lift" => (SUSPENSION_LIFTED, "settlement.lifted_now"),
        _ => (SUSPENSION_UPHELD, "settlement.upheld_now"),
    };
    let done = step(&visit, one.id, &from, kind, reason).await?;
    Ok(told(&visit, one.id, done, word))
}

fn told(visit: &Visit, id: Uuid, done: bool, word: &str) -> Response {
    let path = format!("/suspensions/{id}");
    match done {
        true => Flash::good(visit.page.word(word)).then_go_to(&path),
        false => Flash::warning(visit.page.word("settlement.refused.decided_already")).then_go_to(&path),
    }
}

/// Writes a step about a suspension that stands in one of the states `from`; answers whether it did.
async fn step(
    visit: &Visit,
    id: Uuid,
    from: &[SuspensionState],
    kind: &'static str,
    reason: String,
) -> Result<bool, Failure> {
    let (app, actor, now, on) = (visit.app.clone(), visit.actor.clone(), visit.app.clock.now(), visit.today);
    let (within, from): (Reach, Vec<SuspensionState>) = (visit.reach.clone(), from.to_vec());
    let work = move |tx: &mut Transaction<'_>| {
        let Some(one) = find_suspension(tx, &within, id)? else { return Ok::<_, DatabaseError>(false) };
        lock(tx, one.home)?;
        let Some(one) = find_suspension(tx, &within, id)?.filter(|one| from.contains(&one.state)) else {
            return Ok(false);
        };
        let hand = Hand { app: &app, actor: &actor, now, source: Source::Typed };
        let body = SuspensionStep { suspension: id, on, reason };
        app.record.keep(tx, now, vec![hand.fact(kind, one.person, one.home, &body)?])?;
        Ok(true)
    };
    Ok(visit.app.database.write(work).await?)
}
