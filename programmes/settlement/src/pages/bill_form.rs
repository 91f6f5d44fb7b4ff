//! The form of a bill at the desk.

use kangmai_base::{Day, DivisionCode, Fen, Refusal, Uuid};
use kangmai_places::Institution;
use kangmai_policy::{FeeKind, Icd10, Referral, Release, Setting};
use kangmai_web::{Choice, Field, Form, Page};

use super::bill_lines::Entered;
use super::institution_choices;
use crate::facts::{BillLines, Diagnosis, NamedFee};
use crate::rules::{BillDraft, LONGEST_NUMBER, Stated, check_bill};

/// The fields, in the order in which a discharge sheet has them.
pub(crate) const FIELDS: &[Field] = &[
    Field::text("number", "settlement.field.number").at_most(LONGEST_NUMBER),
    Field::select("institution", "settlement.field.institution"),
    Field::radios("setting", "settlement.field.setting"),
    Field::day("admission", "settlement.field.admission"),
    Field::day("discharge", "settlement.field.discharge"),
    Field::radios("referral", "settlement.field.referral"),
    Field::text("diagnosis_code", "settlement.field.diagnosis_code").at_most(20).optional(),
    Field::text("diagnosis_name", "settlement.field.diagnosis_name").at_most(80).optional(),
    Field::area("lines", "settlement.field.lines").at_most(LONGEST_LINES).optional(),
    Field::amount("total", "settlement.field.total").optional(),
    Field::amount("compliant", "settlement.field.compliant").optional(),
    Field::amount("already_paid", "settlement.field.already_paid").optional(),
    Field::amount("registration", "settlement.field.registration").optional(),
    Field::amount("injection", "settlement.field.injection").optional(),
    Field::amount("dressing", "settlement.field.dressing").optional(),
    Field::amount("ambulance", "settlement.field.ambulance").optional(),
    Field::amount("checkup", "settlement.field.checkup").optional(),
];

/// The longest text of pasted lines, in characters.
const LONGEST_LINES: usize = 2_000_000;

const FEES: [(&str, FeeKind); 5] = [
    ("registration", FeeKind::Registration),
    ("injection", FeeKind::Injection),
    ("dressing", FeeKind::Dressing),
    ("ambulance", FeeKind::Ambulance),
    ("checkup", FeeKind::Checkup),
];

/// Key of the word of a setting.
pub(crate) const fn setting_word(setting: Setting) -> &'static str {
    match setting {
        Setting::Inpatient => "settlement.setting.inpatient",
        Setting::ChronicOutpatient => "settlement.setting.chronic_outpatient",
        Setting::Outpatient => "settlement.setting.outpatient",
    }
}

/// Key of the word of a referral.
pub(crate) const fn referral_word(referral: Referral) -> &'static str {
    match referral {
        Referral::NotReferred => "settlement.referral.none",
        Referral::Referred => "settlement.referral.referred",
        Referral::Emergency => "settlement.referral.emergency",
    }
}

/// Sets the choices.
pub(crate) fn offer(form: &mut Form, page: &Page, institutions: &[Institution]) {
    form.offer("institution", institution_choices(page, institutions));
    let settings = Setting::ALL.iter().map(|one| Choice::new(one.name(), page.word(setting_word(*one))));
    form.offer("setting", settings.collect());
    let referrals = Referral::ALL.iter().map(|one| Choice::new(one.name(), page.word(referral_word(*one))));
    form.offer("referral", referrals.collect());
}

/// What a desk begins with: its own institution, a stay that ends today.
pub(crate) fn fill(form: &mut Form, own: Option<Uuid>, today: Day) {
    if let Some(own) = own {
        form.fill("institution", own);
    }
    form.fill("setting", Setting::Inpatient.name());
    form.fill("referral", Referral::NotReferred.name());
    form.fill("discharge", today);
}

/// What a bill at the desk is read with.
pub(crate) struct Reading<'r> {
    pub(crate) page: &'r Page,
    pub(crate) policies: &'r Release,
    /// Where the patient lives: whose rule of lines holds.
    pub(crate) home: DivisionCode,
    pub(crate) today: Day,
    pub(crate) died_on: Option<Day>,
}

/// Reads the bill and the institution; none if something is wrong with the form, which then says what. Of a bill with
/// lines the amounts are what they come to, and those that are typed besides must agree.
pub(crate) fn read(
    reading: &Reading<'_>,
    form: &mut Form,
    entered: &mut Entered,
) -> Option<(BillDraft, Uuid)> {
    let number = form.text("number");
    let institution = form.choice("institution").and_then(|id| super::id_in(&id).ok());
    let setting = form.choice("setting").and_then(|name| Setting::from_name(&name));
    let (admission, discharge) = (form.day("admission"), form.day("discharge"));
    let referral = form.choice("referral").and_then(|name| Referral::from_name(&name));
    let code = form.text("diagnosis_code").unwrap_or_default();
    let name = form.text("diagnosis_name").unwrap_or_default();
    if !code.is_empty() && code.parse::<Icd10>().is_err() {
        form.refuse(Refusal::new("settlement.refused.diagnosis").at("diagnosis_code"));
    }
    let (total, compliant) = (form.amount("total"), form.amount("compliant"));
    let already_paid = form.amount("already_paid").unwrap_or(Fen::ZERO);
    let mut fees = Vec::new();
    for (field, kind) in FEES {
        let amount = form.amount(field).filter(|amount| *amount != Fen::ZERO);
        fees.extend(amount.map(|amount| NamedFee { kind, amount }));
    }
    let stated = Stated { total, compliant, fees };
    let amounts = amounts(reading, form, entered, (discharge, stated));
    if form.is_refused() {
        return None;
    }
    let amounts = amounts?;
    let has_diagnosis = !code.is_empty() || !name.is_empty();
    let draft = BillDraft {
        number: number?,
        admission: admission?,
        discharge: discharge?,
        setting: setting?,
        referral: referral?,
        diagnosis: has_diagnosis.then_some(Diagnosis { code, name }),
        total: amounts.total,
        compliant: amounts.compliant,
        already_paid,
        fees: amounts.fees,
        lines: amounts.lines,
    };
    for refusal in check_bill(&draft, reading.today, reading.died_on) {
        form.refuse(refusal);
    }
    if form.is_refused() { None } else { Some((draft, institution?)) }
}

/// What a bill charges.
struct Amounts {
    total: Fen,
    compliant: Fen,
    fees: Vec<NamedFee>,
    lines: Option<BillLines>,
}

/// The amounts: what the lines come to, or what is stated.
fn amounts(
    reading: &Reading<'_>,
    form: &mut Form,
    entered: &mut Entered,
    (discharge, stated): (Option<Day>, Stated),
) -> Option<Amounts> {
    if !entered.is_empty() {
        let rule = discharge.and_then(|day| reading.policies.lines_and_file(reading.home, day));
        let days = (discharge, reading.today);
        let itemised = entered.itemise(reading.page, form, rule, days, &stated)?;
        return Some(Amounts {
            total: itemised.total,
            compliant: itemised.compliant,
            fees: itemised.fees,
            lines: Some(itemised.lines),
        });
    }
    let Stated { total, compliant, fees } = stated;
    for (field, amount) in [("total", total), ("compliant", compliant)] {
        if amount.is_none() && form.error_at(field).is_none() {
            form.refuse(Refusal::new("web.form.missing").at(field));
        }
    }
    Some(Amounts { total: total?, compliant: compliant?, fees, lines: None })
}
