//! Agreements on deferred or instalment payment: made, printed, replaced by a new one.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use kangmai_base::{Day, DivisionLevel, Refusal};
use kangmai_places::Divisions;
use kangmai_policy::{DeferralTerms, Guarantor};
use kangmai_programme::Visit;
use kangmai_web::{Choice, Failure, Field, Flash, Form, FormBody, Page, show, show_refused};

use super::{DebtForm, Owed, owed, rule_of, write_about};
use crate::facts::{DEFERRAL_AGREED, DeferralAgreed, guarantor_word};
use crate::pages::{Head, language, note};
use crate::rules::{DueLine, Instalments, LONGEST_REASON, check_agreement};
use crate::store::BillState;

const FIELDS: &[Field] = &[
    Field::whole("instalments", "settlement.field.instalments").between(1, 120),
    Field::day("first_due", "settlement.field.first_due"),
    Field::radios("guarantor", "settlement.field.guarantor"),
    Field::text("guarantor_name", "settlement.field.guarantor_name").at_most(60),
    Field::area("reason", "settlement.field.agreement_reason").at_most(LONGEST_REASON).optional(),
    Field::hidden("expected"),
];

/// An agreement in one sentence.
pub(super) fn said(page: &Page, agreement: &DeferralAgreed) -> String {
    let values: [(&str, &dyn std::fmt::Display); 4] = [
        ("day", &page.day(agreement.agreed_on)),
        ("amount", &page.yuan(agreement.amount)),
        ("count", &agreement.instalments),
        ("guarantor", &agreement.guarantor_name),
    ];
    page.say("settlement.agree.said", &values)
}

fn page_of(visit: &Visit, owed: &Owed, terms: &DeferralTerms, mut form: Form) -> DebtForm {
    let choice = |one: &Guarantor| Choice::new(one.name(), visit.page.word(guarantor_word(*one)));
    form.offer("guarantor", terms.guarantors.iter().map(choice).collect());
    let mut page = DebtForm::of(visit, owed, "settlement.agree.title", form, "settlement.agree.do");
    let words = &page.page;
    let last = visit.today.plus_months(terms.most_months);
    let values: [(&str, &dyn std::fmt::Display); 3] = [
        ("months", &terms.most_months),
        ("last", &words.day(last)),
        ("least", &words.yuan(terms.least_amount)),
    ];
    let mut notes = vec![words.say("settlement.agree.limits", &values)];
    notes.push(words.say1("settlement.agreement.source", "source", &terms.source.doc));
    if let Some(note) = &terms.source.note {
        notes.push(note.get(language(words)).to_owned());
    }
    if let Some(agreement) = owed.agreements.last() {
        notes.push(words.say1("settlement.agree.replaces", "agreement", said(words, agreement)));
    }
    page.notes = notes;
    page
}

async fn with_terms(visit: &Visit, id: &str) -> Result<(Owed, DeferralTerms), Failure> {
    let owed = owed(visit, id, true).await?;
    let terms = rule_of(visit, &owed.bill).and_then(|rule| rule.deferral.clone());
    let is_settled = owed.bill.state == BillState::Settled;
    let terms = terms.filter(|_| is_settled).ok_or(Failure::NotFound)?;
    Ok((owed, terms))
}

/// GET: the form, with the limits of the pack above it.
pub(crate) async fn agree_form(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    let (owed, terms) = with_terms(&visit, &id).await?;
    let mut form = Form::blank(FIELDS);
    form.fill("first_due", visit.today.plus_months(1));
    form.fill("expected", owed.debt.open);
    if let Some(first) = terms.guarantors.first() {
        form.fill("guarantor", first.name());
    }
    let township = owed.bill.home.at(DivisionLevel::Township);
    if let Some(division) = Divisions::shipped().get(township) {
        form.fill("guarantor_name", division.path_from(DivisionLevel::County).concat());
    }
    show(&page_of(&visit, &owed, &terms, form))
}

/// POST: writes the agreement and shows it for printing and signing.
pub(crate) async fn agree(visit: Visit, Path(id): Path<String>, body: FormBody) -> Result<Response, Failure> {
    let (owed, terms) = with_terms(&visit, &id).await?;
    let mut form = body.form(FIELDS);
    let choice = |one: &Guarantor| Choice::new(one.name(), visit.page.word(guarantor_word(*one)));
    form.offer("guarantor", terms.guarantors.iter().map(choice).collect());
    let (count, first_due) = (form.whole("instalments"), form.day("first_due"));
    let (guarantor, guarantor_name) = (form.choice("guarantor"), form.text("guarantor_name"));
    let (reason, expected) = (form.text("reason"), form.raw("expected").to_owned());
    let (Some(count), Some(first_due), Some(guarantor), Some(guarantor_name), false) =
        (count, first_due, guarantor, guarantor_name, form.is_refused())
    else {
        return show_refused(&page_of(&visit, &owed, &terms, form));
    };
    let (agreement, today, limits) = (visit.app.mint(), visit.today, terms.clone());
    let release = visit.app.policies.hash().to_owned();
    let done = write_about(&visit, &owed.bill, move |_, hand, owed| {
        let count = i32::try_from(count).unwrap_or(i32::MAX);
        let instalments = Instalments { amount: owed.debt.open, count, first_due };
        let replaces = !owed.agreements.is_empty();
        let mut wrong =
            check_agreement(&limits, owed.debt.open, instalments, today, replaces, reason.as_deref());
        if wrong.is_empty() && expected != owed.debt.open.to_string() {
            wrong.push(Refusal::new("settlement.refused.moved").with("open", owed.debt.open.grouped()));
        }
        if !wrong.is_empty() {
            return Ok(Err(wrong));
        }
        let body = DeferralAgreed {
            agreement,
            bill: owed.bill.id,
            agreed_on: today,
            amount: owed.debt.open,
            instalments: count,
            first_due,
            guarantor,
            guarantor_name,
            reason: reason.filter(|_| replaces),
            release,
        };
        let fact = hand.fact(DEFERRAL_AGREED, owed.bill.person, owed.bill.home, &body)?;
        Ok(Ok(vec![fact]))
    });
    match done.await? {
        Ok(()) => {
            let path = format!("{}/agreement", owed.path());
            Ok(Flash::good(visit.page.word("settlement.agreed_now")).then_go_to(&path))
        }
        Err(wrong) => {
            for refusal in wrong {
                form.refuse(refusal);
            }
            show_refused(&page_of(&visit, &owed, &terms, form))
        }
    }
}

#[derive(Template)]
#[template(path = "settlement_deferral.html")]
struct AgreementPage {
    page: Page,
    owed: Owed,
    head: Option<Head>,
    agreement: DeferralAgreed,
    lines: Vec<DueLine>,
    guarantor: String,
    said: String,
    in_words: String,
    /// Earlier agreements, each with why it was replaced by the next.
    earlier: Vec<String>,
    source: String,
    is_sample: bool,
}

impl AgreementPage {
    fn debt(&self) -> String {
        self.owed.path()
    }

    fn last_due(&self) -> Option<Day> {
        self.lines.last().map(|line| line.due_on)
    }
}

/// GET: the agreement that holds, to be printed and signed.
pub(crate) async fn agreement(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    let owed = owed(&visit, &id, false).await?;
    let agreement = owed.agreements.last().cloned().ok_or(Failure::NotFound)?;
    note(&visit, "read_person", Some(owed.bill.person), owed.bill.home, owed.bill.number.clone()).await?;
    let list = visit.page.word("settlement.debts.title").into_owned();
    let mut page = visit.page.clone().titled("settlement.agree.title").under(list, "/payments");
    page = page.under(owed.bill.person_name.clone(), owed.path());
    page.unit = owed.bill.institution_name.clone();
    let (amount, first_due) = (agreement.amount, agreement.first_due);
    let lines = Instalments { amount, count: agreement.instalments, first_due }.lines();
    let terms = visit.app.policies.treat_first(owed.bill.home, agreement.agreed_on);
    let terms = terms.and_then(|rule| rule.deferral.as_ref());
    let guarantor = Guarantor::from_name(&agreement.guarantor).map(guarantor_word);
    let replaced = owed.agreements.iter().zip(owed.agreements.iter().skip(1));
    show(&AgreementPage {
        head: owed.person.as_ref().map(|person| Head::of(&visit.page, person, agreement.agreed_on)),
        guarantor: guarantor.map(|word| page.word(word).into_owned()).unwrap_or_default(),
        said: said(&page, &agreement),
        in_words: amount.in_chinese_capitals(),
        earlier: replaced
            .map(|(before, next)| {
                let reason = next.reason.clone().unwrap_or_default();
                format!(
                    "{} {}",
                    said(&page, before),
                    page.say1("settlement.agree.replaced", "reason", reason)
                )
            })
            .collect(),
        source: terms.map(|terms| terms.source.doc.clone()).unwrap_or_default(),
        is_sample: visit.app.settings.demo,
        lines,
        agreement,
        owed,
        page,
    })
}
