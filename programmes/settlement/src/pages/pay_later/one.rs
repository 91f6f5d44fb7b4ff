//! One debt: what is open and since when, the plan, payments, agreements, write-offs.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use kangmai_access::{Purpose, reach};
use kangmai_base::{Day, Fen};
use kangmai_programme::Visit;
use kangmai_web::{Failure, Page, show};

use super::{Owed, may, owed};
use crate::pages::{Head, note};
use crate::store::BillState;
use crate::store::pay_later::{DebtLine, WriteOffState};

#[derive(Template)]
#[template(path = "settlement_debt.html")]
struct DebtPage {
    page: Page,
    owed: Owed,
    head: Option<Head>,
    phone: Option<String>,
    today: Day,
    overdue: Fen,
    may_settle: bool,
    may_ask: bool,
    may_suspend: bool,
    may_find: bool,
    may_read_bill: bool,
    may_agree: bool,
    /// The agreement that holds, in one sentence.
    agreed: String,
}

impl DebtPage {
    fn to(&self, step: &str) -> String {
        format!("{}/{step}", self.owed.path())
    }

    fn suspend(&self) -> String {
        format!("/suspensions/new/{}", self.owed.bill.person)
    }

    /// The state of a line, and the tone of its tag.
    fn state(&self, line: &DebtLine) -> (String, &'static str) {
        let page = &self.page;
        if line.open == Fen::ZERO {
            return match line.closed_on {
                Some(on) if on > line.due_on => {
                    (page.say1("settlement.line.late", "day", page.iso(on)), "plain")
                }
                Some(on) => (page.say1("settlement.line.paid", "day", page.iso(on)), "good"),
                None => (page.word("settlement.line.nothing").into_owned(), "plain"),
            };
        }
        (page.days_left(line.due_on, self.today), page.deadline_tone(line.due_on, self.today))
    }
}

/// GET: the debt.
pub(crate) async fn one(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    let owed = owed(&visit, &id, false).await?;
    note(&visit, "read_person", Some(owed.bill.person), owed.bill.home, owed.bill.number.clone()).await?;
    let list = visit.page.word("settlement.debts.title").into_owned();
    let page = visit.page.clone().titled("settlement.debt.title").under(list, "/payments");
    let overdue = owed.overdue(visit.today);
    let asked = owed.write_offs.iter().any(|one| one.state == WriteOffState::Asked);
    let is_open = owed.debt.open > Fen::ZERO && owed.bill.state == BillState::Settled;
    let may_settle = may(&visit, Purpose::SettleBills, &owed.bill);
    show(&DebtPage {
        head: owed.person.as_ref().map(|person| Head::of(&visit.page, person, visit.today)),
        phone: owed
            .person
            .as_ref()
            .filter(|_| visit.reach.contact())
            .and_then(|person| person.body.phone.as_ref())
            .map(kangmai_base::Phone::masked),
        today: visit.today,
        may_ask: is_open && !asked && may(&visit, Purpose::AskWriteOffs, &owed.bill),
        may_suspend: overdue > Fen::ZERO && may(&visit, Purpose::DecidePayLater, &owed.bill),
        may_find: reach(&visit.actor, Purpose::FindPeople).is_some(),
        may_read_bill: reach(&visit.actor, Purpose::ReadBills).is_some(),
        may_agree: is_open
            && may_settle
            && super::rule_of(&visit, &owed.bill).is_some_and(|rule| rule.deferral.is_some()),
        agreed: owed
            .agreements
            .last()
            .map(|one| super::agreement::said(&visit.page, one))
            .unwrap_or_default(),
        may_settle,
        overdue,
        owed,
        page,
    })
}
