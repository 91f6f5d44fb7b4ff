//! Hardship: a desk or a township asks that a debt be written off, a second person of the county decides.

use askama::Template;
use axum::extract::Path;
use axum::http::Uri;
use axum::response::Response;
use kangmai_access::{Purpose, reach};
use kangmai_base::Refusal;
use kangmai_database::DatabaseError;
use kangmai_policy::Bearer;
use kangmai_programme::Visit;
use kangmai_web::{
    Choice, Failure, Field, Flash, Form, FormBody, ListQuery, ListSpec, Page, show, show_refused,
};

use super::{DebtForm, Owed, find_owed, may, owed, write_about};
use crate::facts::{
    WRITE_OFF_ASKED, WRITE_OFF_DECIDED, WRITE_OFF_WITHDRAWN, WriteOffAsked, WriteOffDecided,
    WriteOffWithdrawn,
};
use crate::pages::{id_in, language, note, village};
use crate::rules::{LONGEST_REASON, check_money};
use crate::store::pay_later::{
    WriteOff, WriteOffState, count_write_offs, write_off as find_write_off, write_offs as list_write_offs,
};

const ASK: &[Field] = &[
    Field::amount("amount", "settlement.field.written_off"),
    Field::area("reason", "settlement.field.hardship").at_most(LONGEST_REASON),
    Field::area("evidence", "settlement.field.evidence").at_most(LONGEST_REASON),
];
const DECIDE: &[Field] = &[
    Field::radios("verdict", "settlement.field.verdict"),
    Field::select("bearer", "settlement.field.bearer").optional(),
    Field::area("reason", "settlement.field.why").at_most(LONGEST_REASON),
];
const WITHDRAW: &[Field] = &[Field::area("reason", "settlement.field.why").at_most(LONGEST_REASON)];
static LIST: ListSpec = ListSpec {
    filters: &[Field::select("state", "settlement.filter.state")],
    sorts: &["asked"],
    descending: true,
};

fn ask_page(visit: &Visit, owed: &Owed, form: Form) -> DebtForm {
    let mut page =
        DebtForm::of(visit, owed, "settlement.write_off.ask_title", form, "settlement.write_off.ask");
    page.notes.push(page.page.word("settlement.write_off.ask_note").into_owned());
    page
}

/// GET: how much, why, and what was looked at.
pub(crate) async fn ask_form(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    let owed = owed(&visit, &id, true).await?;
    let mut form = Form::blank(ASK);
    form.fill("amount", owed.debt.open);
    show(&ask_page(&visit, &owed, form))
}

/// POST: the request waits for the county.
pub(crate) async fn ask(visit: Visit, Path(id): Path<String>, body: FormBody) -> Result<Response, Failure> {
    let owed = owed(&visit, &id, true).await?;
    let mut form = body.form(ASK);
    let (amount, reason, evidence) = (form.amount("amount"), form.text("reason"), form.text("evidence"));
    let (Some(amount), Some(reason), Some(evidence)) = (amount, reason, evidence) else {
        return show_refused(&ask_page(&visit, &owed, form));
    };
    let write_off = visit.app.mint();
    let done = write_about(&visit, &owed.bill, move |_, hand, owed| {
        let mut wrong = check_money(owed.debt.open, amount, "settlement.refused.overpaid");
        if owed.write_offs.iter().any(|one| one.state == WriteOffState::Asked) {
            wrong.push(Refusal::new("settlement.refused.asked_already"));
        }
        if !wrong.is_empty() {
            return Ok(Err(wrong));
        }
        let (bill, institution) = (owed.bill.id, owed.bill.institution);
        let body = WriteOffAsked { write_off, bill, institution, amount, reason, evidence };
        Ok(Ok(vec![hand.fact(WRITE_OFF_ASKED, owed.bill.person, owed.bill.home, &body)?]))
    });
    match done.await? {
        Ok(()) => {
            let path = format!("/write-offs/{write_off}");
            Ok(Flash::good(visit.page.word("settlement.write_off.asked_now")).then_go_to(&path))
        }
        Err(wrong) => {
            for refusal in wrong {
                form.refuse(refusal);
            }
            show_refused(&ask_page(&visit, &owed, form))
        }
    }
}

#[derive(Template)]
#[template(path = "settlement_write_offs.html")]
struct ListPage {
    page: Page,
    list: ListQuery,
    rows: Vec<(WriteOff, String)>,
}

/// GET: all within reach, the latest first.
pub(crate) async fn write_offs(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let mut list = ListQuery::read(&LIST, &uri);
    let states =
        WriteOffState::ALL.iter().map(|state| Choice::new(state.key(), visit.page.word(state.word())));
    list.offer("state", states.collect());
    let state = list.filter("state").and_then(WriteOffState::of_key);
    let (within, own, counted) = (visit.reach.clone(), visit.actor.institution, visit.reach.clone());
    let total = visit.app.database.read(move |tx| count_write_offs(tx, &counted, state, own)).await?;
    list.found(total.unsigned_abs());
    let paging = (list.paging.limit(), list.paging.offset());
    let rows = visit.app.database.read(move |tx| list_write_offs(tx, &within, state, own, paging)).await?;
    let rows =
        rows.into_iter().map(|row| (village(row.home), row)).map(|(place, row)| (row, place)).collect();
    let debts = visit.page.word("settlement.debts.title").into_owned();
    let page = visit.page.titled("settlement.write_offs.title").under(debts, "/payments");
    show(&ListPage { page, list, rows })
}

#[derive(Template)]
#[template(path = "settlement_write_off.html")]
struct OnePage {
    page: Page,
    one: WriteOff,
    owed: Owed,
    village: String,
    bearer: String,
    /// None: the reader may not decide, or there is nothing to decide.
    form: Option<Form>,
    /// Why the reader may not decide, though others of the office may.
    own_request: bool,
    may_withdraw: bool,
}

impl OnePage {
    fn debt(&self) -> String {
        self.owed.path()
    }

    fn withdraw(&self) -> String {
        format!("/write-offs/{}/withdraw", self.one.id)
    }
}

/// The bearers that the pack names for this bill.
fn bearers<'v>(visit: &'v Visit, owed: &Owed) -> &'v [Bearer] {
    let terms = super::rule_of(visit, &owed.bill).and_then(|rule| rule.write_off.as_ref());
    terms.map_or(&[], |terms| &terms.bearers)
}

/// The name of a bearer; its code where the pack has it no more.
pub(crate) fn bearer_name(visit: &Visit, owed: &Owed, fund: &str) -> String {
    let found = bearers(visit, owed).iter().find(|bearer| bearer.fund == fund);
    found.map_or_else(|| fund.to_owned(), |bearer| bearer.name.get(language(&visit.page)).to_owned())
}

async fn found(visit: &Visit, id: &str) -> Result<(WriteOff, Owed), Failure> {
    let (id, within, own) = (id_in(id)?, visit.reach.clone(), visit.actor.institution);
    let read = visit.app.database.read(move |tx| {
        let Some(one) = find_write_off(tx, &within, id)? else { return Ok::<_, DatabaseError>(None) };
        Ok(find_owed(tx, &within, one.bill)?.map(|owed| (one, owed)))
    });
    read.await?.filter(|(one, _)| own.is_none_or(|own| own == one.institution)).ok_or(Failure::NotFound)
}

fn offer(form: &mut Form, visit: &Visit, owed: &Owed) {
    let page = &visit.page;
    let verdict = |key: &str, word: &str| Choice::new(key, page.word(word));
    let verdicts = vec![
        verdict("approve", "settlement.write_off.approve"),
        verdict("reject", "settlement.write_off.reject"),
    ];
    form.offer("verdict", verdicts);
    let choice = |bearer: &Bearer| Choice::new(bearer.fund.clone(), bearer.name.get(language(page)));
    form.offer("bearer", bearers(visit, owed).iter().map(choice).collect());
}

fn one_page(visit: &Visit, one: WriteOff, owed: Owed, form: Option<Form>) -> OnePage {
    let list = visit.page.word("settlement.write_offs.title").into_owned();
    let page = visit.page.clone().titled("settlement.write_off.title").under(list, "/write-offs");
    let decides = may(visit, Purpose::DecidePayLater, &owed.bill);
    let own_request = one.asked_by == visit.actor.account.uuid();
    let form = form.or_else(|| {
        let is_open = one.state == WriteOffState::Asked && decides && !own_request;
        is_open.then(|| {
            let mut form = Form::blank(DECIDE);
            offer(&mut form, visit, &owed);
            form
        })
    });
    let may_withdraw = match one.state {
        WriteOffState::Asked => may(visit, Purpose::AskWriteOffs, &owed.bill),
        WriteOffState::Approved => decides,
        _ => false,
    };
    OnePage {
        village: village(one.home),
        bearer: one.bearer.as_deref().map(|fund| bearer_name(visit, &owed, fund)).unwrap_or_default(),
        own_request: own_request && decides && one.state == WriteOffState::Asked,
        form,
        may_withdraw,
        one,
        owed,
        page,
    }
}

/// GET: the request, and the form for who decides.
pub(crate) async fn write_off(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    let (one, owed) = found(&visit, &id).await?;
    note(&visit, "read_person", Some(one.person), one.home, owed.bill.number.clone()).await?;
    show(&one_page(&visit, one, owed, None))
}

/// POST: approved with a bearer, or rejected; each with its reason, by another than who asked.
pub(crate) async fn decide(
    visit: Visit,
    Path(id): Path<String>,
    body: FormBody,
) -> Result<Response, Failure> {
    let (one, owed) = found(&visit, &id).await?;
    let mut form = body.form(DECIDE);
    offer(&mut form, &visit, &owed);
    let (verdict, reason) = (form.choice("verdict"), form.text("reason"));
    let approves = verdict.as_deref() == Some("approve");
    let bearer = if approves { form.choice("bearer") } else { None };
    if approves && bearer.is_none() && !form.is_refused() {
        form.refuse(Refusal::new("settlement.refused.bearer").at("bearer"));
    }
    let (Some(_), Some(reason), false) = (verdict, reason, form.is_refused()) else {
        return show_refused(&one_page(&visit, one, owed, Some(form)));
    };
    let (asked, today) = (one.id, visit.today);
    let done = write_about(&visit, &owed.bill, move |_, hand, owed| {
        let found = owed.write_offs.iter().find(|one| one.id == asked && one.state == WriteOffState::Asked);
        let wrong = match found {
            None => Some(Refusal::new("settlement.refused.decided_already")),
            Some(one) if one.asked_by == hand.actor.account.uuid() => {
                Some(Refusal::new("settlement.refused.same_person"))
            }
            Some(one) if approves && one.amount > owed.debt.open => {
                Some(Refusal::new("settlement.refused.more_than_open").with("open", owed.debt.open.grouped()))
            }
            Some(_) => None,
        };
        if let Some(wrong) = wrong {
            return Ok(Err(vec![wrong]));
        }
        let bill = owed.bill.id;
        let body = WriteOffDecided { write_off: asked, bill, decided_on: today, bearer, reason };
        Ok(Ok(vec![hand.fact(WRITE_OFF_DECIDED, owed.bill.person, owed.bill.home, &body)?]))
    });
    match done.await? {
        Ok(()) => {
            let word = match approves {
                true => "settlement.write_off.approved_now",
                false => "settlement.write_off.rejected_now",
            };
            Ok(Flash::good(visit.page.word(word)).then_go_to(&format!("/write-offs/{asked}")))
        }
        Err(wrong) => {
            for refusal in wrong {
                form.refuse(refusal);
            }
            show_refused(&one_page(&visit, one, owed, Some(form)))
        }
    }
}

/// Whether the reader may take this one back: who asked while it waits, who decides once it is approved.
fn may_take_back(visit: &Visit, one: &WriteOff, owed: &Owed) -> bool {
    match one.state {
        WriteOffState::Asked => may(visit, Purpose::AskWriteOffs, &owed.bill),
        WriteOffState::Approved => reach(&visit.actor, Purpose::DecidePayLater).is_some(),
        WriteOffState::Rejected | WriteOffState::Withdrawn => false,
    }
}

fn withdraw_page(visit: &Visit, one: &WriteOff, owed: &Owed, form: Form) -> DebtForm {
    let mut page = DebtForm::of(
        visit,
        owed,
        "settlement.write_off.withdraw_title",
        form,
        "settlement.write_off.withdraw",
    );
    page.is_danger = true;
    page.notes.push(page.page.say1(
        "settlement.write_off.withdraw_note",
        "amount",
        page.page.yuan(one.amount),
    ));
    page.back = format!("/write-offs/{}", one.id);
    page
}

/// GET: the field for the reason.
pub(crate) async fn withdraw_form(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    let (one, owed) = found(&visit, &id).await?;
    if !may_take_back(&visit, &one, &owed) {
        return Err(Failure::NotFound);
    }
    show(&withdraw_page(&visit, &one, &owed, Form::blank(WITHDRAW)))
}

/// POST: the person owes again.
pub(crate) async fn withdraw(
    visit: Visit,
    Path(id): Path<String>,
    body: FormBody,
) -> Result<Response, Failure> {
    let (one, owed) = found(&visit, &id).await?;
    if !may_take_back(&visit, &one, &owed) {
        return Err(Failure::NotFound);
    }
    let mut form = body.form(WITHDRAW);
    let Some(reason) = form.text("reason") else {
        return show_refused(&withdraw_page(&visit, &one, &owed, form));
    };
    let (asked, state) = (one.id, one.state);
    let done = write_about(&visit, &owed.bill, move |_, hand, owed| {
        if !owed.write_offs.iter().any(|one| one.id == asked && one.state == state) {
            return Ok(Err(vec![Refusal::new("settlement.refused.decided_already")]));
        }
        let body = WriteOffWithdrawn { write_off: asked, bill: owed.bill.id, reason };
        Ok(Ok(vec![hand.fact(WRITE_OFF_WITHDRAWN, owed.bill.person, owed.bill.home, &body)?]))
    });
    let path = format!("/write-offs/{asked}");
    Ok(match done.await? {
        Ok(()) => Flash::good(visit.page.word("settlement.write_off.withdrawn_now")).then_go_to(&path),
        Err(_) => Flash::warning(visit.page.word("settlement.refused.decided_already")).then_go_to(&path),
    })
}
