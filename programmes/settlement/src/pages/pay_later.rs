//! What is owed after treatment before payment: what is shared by its pages.

mod agreement;
mod list;
mod one;
mod pay;
mod receipt;
mod suspension;
mod write_off;

pub(crate) use agreement::{agree, agree_form, agreement};
pub(crate) use list::{export, list, reminders};
pub(crate) use one::one;
pub(crate) use pay::{pay, pay_form, refund, refund_form};
pub(crate) use receipt::{receipt, take_back, take_back_form};
pub(crate) use suspension::{answer, appeal, appeal_form, suspend, suspend_form, suspension, suspensions};
pub(crate) use write_off::{ask, ask_form, decide, withdraw, withdraw_form, write_off, write_offs};

use askama::Template;
use kangmai_access::{Purpose, Reach, reach};
use kangmai_base::{Fen, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::{Person, find_person};
use kangmai_policy::TreatFirstRules;
use kangmai_programme::Visit;
use kangmai_record::{NewFact, Source};
use kangmai_web::{Failure, Form, Page};

use super::village;
use crate::facts::{BillReceived, DeferralAgreed, Settled};
use crate::settling::{Hand, lock};
use crate::store::pay_later::{
    Debt, DebtLine, Payment, WriteOff, agreements, debt, lines_of, payments_of, write_offs_of,
};
use crate::store::{self, Bill, BillState};

/// A bill with all that is known of what is owed on it.
pub(crate) struct Owed {
    pub(crate) bill: Bill,
    pub(crate) body: BillReceived,
    pub(crate) person: Option<Person>,
    /// Whether somebody follows the own share: a stay without deposit, or something was paid or agreed.
    pub(crate) is_followed: bool,
    pub(crate) debt: Debt,
    pub(crate) lines: Vec<DebtLine>,
    pub(crate) payments: Vec<Payment>,
    /// The last one holds.
    pub(crate) agreements: Vec<DeferralAgreed>,
    pub(crate) write_offs: Vec<WriteOff>,
}

impl Owed {
    /// What is overdue on a day.
    pub(crate) fn overdue(&self, today: kangmai_base::Day) -> Fen {
        self.lines.iter().filter(|line| line.due_on < today).map(|line| line.open).sum()
    }

    /// The path of its page.
    pub(crate) fn path(&self) -> String {
        format!("/payments/{}", self.bill.id)
    }
}

/// Reads a bill within reach with what is owed on it. A bill that nobody follows owes its own share at discharge.
pub(crate) fn find_owed(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    id: Uuid,
) -> Result<Option<Owed>, DatabaseError> {
    let Some(bill) = store::bill(tx, reach, id)? else { return Ok(None) };
    let Some(body) = store::body_of(tx, &bill)? else { return Ok(None) };
    let person = find_person(tx, kangmai_base::Id::from_uuid(bill.person))?;
    let followed = debt(tx, id)?;
    let mut lines = lines_of(tx, id)?;
    let is_followed = followed.is_some();
    let debt = match followed {
        Some(debt) => debt,
        None => {
            let settled: Option<Settled> = match bill.state {
                BillState::Settled => store::receipt_of(tx, bill.receipt)?,
                _ => None,
            };
            let own = settled.map_or(Fen::ZERO, |settled| settled.own);
            lines = vec![DebtLine { due_on: body.discharge, amount: own, open: own, closed_on: None }];
            Debt { own, open: own, next_due: Some(body.discharge), ..Debt::default() }
        }
    };
    Ok(Some(Owed {
        payments: payments_of(tx, id)?,
        agreements: agreements(tx, bill.person, id)?,
        write_offs: write_offs_of(tx, id)?,
        bill,
        body,
        person,
        is_followed,
        debt,
        lines,
    }))
}

/// The same for a page: not found where it is out of reach, or, at the desk of one institution, another's.
async fn owed(visit: &Visit, id: &str, own_desk: bool) -> Result<Owed, Failure> {
    let (id, within) = (super::id_in(id)?, visit.reach.clone());
    let found = visit.app.database.read(move |tx| find_owed(tx, &within, id)).await?;
    let own = visit.actor.institution;
    found
        .filter(|owed| !own_desk || own.is_none_or(|own| own == owed.bill.institution))
        .filter(|owed| owed.is_followed || owed.bill.state == BillState::Settled)
        .ok_or(Failure::NotFound)
}

/// Whether the reader may act for `purpose` on this bill; a desk only on its own institution's.
fn may(visit: &Visit, purpose: Purpose, bill: &Bill) -> bool {
    reach(&visit.actor, purpose).is_some_and(|reach| reach.covers(bill.home))
        && visit.actor.institution.is_none_or(|own| own == bill.institution)
}

/// The rule of the home place on the present day.
fn rule_of<'v>(visit: &'v Visit, bill: &Bill) -> Option<&'v TreatFirstRules> {
    visit.app.policies.treat_first(bill.home, visit.today)
}

/// What a rule answers about a command: the facts, or why not.
type Decided = Result<Vec<NewFact>, Vec<Refusal>>;

/// Reads the debt again under the lock of its county, asks `decide` and writes what it answers.
async fn write_about(
    visit: &Visit,
    bill: &Bill,
    decide: impl FnOnce(&mut Transaction<'_>, &Hand<'_>, &Owed) -> Result<Decided, DatabaseError> + Send + 'static,
) -> Result<Result<(), Vec<Refusal>>, Failure> {
    let (app, actor, now) = (visit.app.clone(), visit.actor.clone(), visit.app.clock.now());
    let (within, id, home) = (visit.reach.clone(), bill.id, bill.home);
    let written = visit.app.database.write(move |tx| {
        lock(tx, home)?;
        let Some(owed) = find_owed(tx, &within, id)? else { return Ok::<_, DatabaseError>(None) };
        let hand = Hand { app: &app, actor: &actor, now, source: Source::Typed };
        Ok(Some(match decide(tx, &hand, &owed)? {
            Ok(facts) => {
                app.record.keep(tx, now, facts)?;
                Ok(())
            }
            Err(refusals) => Err(refusals),
        }))
    });
    written.await?.ok_or(Failure::NotFound)
}

/// A page with one form about a debt.
#[derive(Template)]
#[template(path = "settlement_pay_form.html")]
struct DebtForm {
    page: Page,
    /// Terms and what they are, above the form.
    pairs: Vec<(String, String)>,
    /// Sentences above the form: the limits of the pack, what will happen.
    notes: Vec<String>,
    form: Form,
    /// Key of the button.
    button: &'static str,
    /// Whether the button takes something away.
    is_danger: bool,
    /// Where one goes who changed their mind.
    back: String,
}

impl DebtForm {
    fn of(visit: &Visit, owed: &Owed, title: &'static str, form: Form, button: &'static str) -> DebtForm {
        let page = visit.page.clone().titled(title);
        let list = page.word("settlement.debts.title").into_owned();
        let page = page.under(list, "/payments").under(owed.bill.person_name.clone(), owed.path());
        DebtForm {
            pairs: pairs(&page, owed),
            notes: Vec::new(),
            form,
            button,
            is_danger: false,
            back: owed.path(),
            page,
        }
    }
}

/// Whose debt, where, and what is open.
fn pairs(page: &Page, owed: &Owed) -> Vec<(String, String)> {
    let word = |key: &str| page.word(key).into_owned();
    vec![
        (word("settlement.column.name"), owed.bill.person_name.clone()),
        (word("settlement.column.village"), village(owed.bill.home)),
        (word("settlement.field.institution"), owed.bill.institution_name.clone()),
        (word("settlement.field.number"), owed.bill.number.clone()),
        (word("settlement.debt.own"), page.yuan(owed.debt.own)),
        (word("settlement.debt.open"), page.yuan(owed.debt.open)),
    ]
}
