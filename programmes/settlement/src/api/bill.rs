//! A bill as the interface takes it: read strictly, in words of ours or in codes of the national interface.

use axum::http::StatusCode;
use kangmai_base::{Fen, Id, IdNumber, IdNumberKind, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::find_person;
use kangmai_policy::{FeeKind, Icd10, InterfaceCodes, Referral, Setting};
use kangmai_programme::Call;
use kangmai_web::{ApiFailure, JsonFields, Problem, Problems};
use serde_json::Value;

use super::lines::{read_lines, with_amounts};
use crate::facts::{ChargedLine, Diagnosis, NamedFee};
use crate::import::treating;
use crate::intake::{Expected, Offered, Patient};
use crate::rules::{BillDraft, LONGEST_NUMBER, LONGEST_REASON, check_bill};
use crate::store::{MatchedPerson, people_with_number};

/// The longest name of a person or a diagnosis, in characters.
const LONGEST_NAME: usize = 80;
/// The longest code, number of a person or identifier, in characters.
const LONGEST_CODE: usize = 40;

/// Who a request says that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PersonAsked {
    /// By our identifier.
    Id(Uuid),
    /// By identity number, with the name for a check.
    Number(IdNumber, Option<String>),
}

/// A bill as it was sent, before anything is looked up.
#[derive(Debug, Clone)]
pub(super) struct BillAsked {
    pub(super) person: PersonAsked,
    /// Of a bill with lines the amounts come from them: see [`with_amounts`].
    pub(super) draft: BillDraft,
    /// 收费明细
    pub(super) lines: Option<Vec<ChargedLine>>,
    /// 总费用 and 合规费用 as they are said; a bill with lines may leave them out.
    pub(super) total: Option<Fen>,
    pub(super) compliant: Option<Fen>,
    pub(super) expected: Expected,
}

/// Reads a bill that is only tried: nothing can be expected of it yet.
pub(super) fn read_trial(body: &Value, codes: Option<&InterfaceCodes>) -> Result<BillAsked, ApiFailure> {
    let problems = Problems::default();
    let fields = JsonFields::of(body, &problems);
    let bill = read_fields(&fields, codes);
    fields.finish();
    whole(bill, problems)
}

/// Reads a bill that is to be settled.
pub(super) fn read_bill(body: &Value, codes: Option<&InterfaceCodes>) -> Result<BillAsked, ApiFailure> {
    let problems = Problems::default();
    let fields = JsonFields::of(body, &problems);
    let bill = read_expecting(&fields, codes);
    fields.finish();
    whole(bill, problems)
}

/// Reads a bill that replaces another, with the reason. An amount below zero would take back more than was charged; one at
/// zero is no bill any more. Both have a code of their own: the sender meant a difference, or a cancelling.
pub(super) fn read_correction(
    body: &Value,
    codes: Option<&InterfaceCodes>,
) -> Result<(BillAsked, String), ApiFailure> {
    let problems = Problems::default();
    let fields = JsonFields::of(body, &problems);
    let bill = read_expecting(&fields, codes);
    let reason = fields.text("reason", LONGEST_REASON);
    fields.finish();
    if let Some(bill) = &bill {
        let draft = &bill.draft;
        let mut amounts = vec![
            ("total", draft.total),
            ("compliant", draft.compliant),
            ("already_paid", draft.already_paid),
        ];
        amounts.extend(draft.fees.iter().map(|fee| (fee.kind.name(), fee.amount)));
        for (name, amount) in amounts.into_iter().filter(|(_, amount)| amount.is_negative()) {
            let refusal =
                Refusal::new("settlement.refused.correction_negative").with("amount", amount.grouped());
            let is_fee = FeeKind::ALL.iter().any(|kind| kind.name() == name);
            problems.push(Problem::new(refusal).at(if is_fee {
                format!("fees.{name}")
            } else {
                name.to_owned()
            }));
        }
        if bill.total == Some(Fen::ZERO) {
            let refusal = Refusal::new("settlement.refused.correction_zero");
            problems.push(Problem::new(refusal).at("total").mending("settlement.api.mend.cancel"));
        }
    }
    whole(bill.zip(reason), problems)
}

/// What was read, if nothing is wrong with it.
fn whole<T>(read: Option<T>, problems: Problems) -> Result<T, ApiFailure> {
    match read {
        Some(read) if problems.is_empty() => Ok(read),
        _ => Err(problems.into_failure()),
    }
}

/// With the own share that the sender expects, if it says one.
fn read_expecting(fields: &JsonFields<'_>, codes: Option<&InterfaceCodes>) -> Option<BillAsked> {
    let bill = read_fields(fields, codes);
    let expected = fields.amount_maybe("expected_own_share");
    bill.map(|bill| match expected {
        Some(own) => BillAsked { expected: Expected::Own(Some(own)), ..bill },
        None => bill,
    })
}

fn read_fields(fields: &JsonFields<'_>, codes: Option<&InterfaceCodes>) -> Option<BillAsked> {
    let person = fields.object("person").and_then(read_person);
    let number = fields.text("number", LONGEST_NUMBER);
    let setting = read_setting(fields, codes);
    let referral = match fields.text_maybe("referral", LONGEST_CODE) {
        None if fields.has("referral") => None,
        None => Some(Referral::NotReferred),
        Some(name) => chosen(fields, "referral", &name, Referral::NAMES, Referral::from_name),
    };
    let (admission, discharge) = (fields.day("admission"), fields.day("discharge"));
    let diagnosis = fields.object_maybe("diagnosis").and_then(read_diagnosis);
    let lines = read_lines(fields);
    let (total, compliant) = match lines {
        Some(_) => (fields.amount_maybe("total"), fields.amount_maybe("compliant")),
        None => (fields.amount("total"), fields.amount("compliant")),
    };
    let or_of_lines = |amount: Option<Fen>| amount.or(lines.is_some().then_some(Fen::ZERO));
    let already_paid = fields.amount_maybe("already_paid").unwrap_or(Fen::ZERO);
    let fees = fields.object_maybe("fees").map(read_fees).unwrap_or_default();
    let draft = BillDraft {
        number: number?,
        admission: admission?,
        discharge: discharge?,
        setting: setting?,
        referral: referral?,
        diagnosis,
        total: or_of_lines(total)?,
        compliant: or_of_lines(compliant)?,
        already_paid,
        fees,
        lines: None,
    };
    Some(BillAsked { person: person?, draft, lines, total, compliant, expected: Expected::Anything })
}

fn chosen<T>(
    fields: &JsonFields<'_>,
    key: &'static str,
    name: &str,
    names: &[&str],
    from_name: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    let found = from_name(name);
    if found.is_none() {
        let refusal = Refusal::new("settlement.refused.not_in_list").with("list", names.join(", "));
        fields.refuse(key, refusal);
    }
    found
}

/// 医疗类别: a word of ours or the code of the national interface.
fn read_setting(fields: &JsonFields<'_>, codes: Option<&InterfaceCodes>) -> Option<Setting> {
    let text = fields.text("setting", LONGEST_CODE)?;
    if let Some(setting) = codes.and_then(|codes| codes.setting_of(&text)) {
        return Some(setting);
    }
    let of_interface = Setting::ALL.iter().filter_map(|one| codes.and_then(|codes| codes.setting(*one)));
    let known: Vec<&str> = Setting::NAMES.iter().copied().chain(of_interface).collect();
    chosen(fields, "setting", &text, &known, Setting::from_name)
}

fn read_person(fields: JsonFields<'_>) -> Option<PersonAsked> {
    let id = fields.parsed::<Id<()>>("id", LONGEST_CODE, "settlement.refused.not_an_identifier");
    let number = fields.text_maybe("id_number", LONGEST_CODE);
    let name = fields.text_maybe("name", LONGEST_NAME);
    let is_said = fields.has("id") || fields.has("id_number");
    if !is_said {
        fields.refuse("id_number", Refusal::new("web.api.missing"));
    }
    let number = number.and_then(|text| {
        let read = IdNumber::read(&text);
        if read.is_none() {
            fields.refuse("id_number", Refusal::new("web.form.not_an_id_number"));
        }
        read
    });
    if id.is_some() && number.is_some() {
        fields.refuse("id", Refusal::new("settlement.refused.named_twice"));
    }
    fields.finish();
    match (id, number) {
        (Some(id), _) => Some(PersonAsked::Id(id.uuid())),
        (None, number) => Some(PersonAsked::Number(number?, name)),
    }
}

fn read_diagnosis(fields: JsonFields<'_>) -> Option<Diagnosis> {
    let code = fields.text("code", LONGEST_CODE);
    let name = fields.text_maybe("name", LONGEST_NAME).unwrap_or_default();
    if code.as_ref().is_some_and(|code| code.parse::<Icd10>().is_err()) {
        fields.refuse("code", Refusal::new("settlement.refused.diagnosis"));
    }
    fields.finish();
    Some(Diagnosis { code: code?, name })
}

fn read_fees(fields: JsonFields<'_>) -> Vec<NamedFee> {
    let read = |kind: FeeKind| {
        let amount = fields.amount_maybe(kind.name()).filter(|amount| *amount != Fen::ZERO)?;
        Some(NamedFee { kind, amount })
    };
    let fees = FeeKind::ALL.into_iter().filter_map(read).collect();
    fields.finish();
    fees
}

/// Looks up whom a bill is about and what the institution of the client is; checks the bill by the rules of every desk.
pub(super) fn look_up(
    tx: &mut Transaction<'_>,
    call: &Call,
    asked: &BillAsked,
) -> Result<Result<(Patient, Offered), ApiFailure>, DatabaseError> {
    let own = call.actor.institution.map(Id::from_uuid);
    let institution = match own {
        Some(own) => kangmai_places::find_institution(tx, own)?,
        None => None,
    };
    let Some(institution) = institution else { return Ok(Err(ApiFailure::not_found())) };
    let person = match find_asked(tx, call, &asked.person)? {
        Ok(person) => person,
        Err(failure) => return Ok(Err(failure)),
    };
    let patient = Patient::from(&person);
    let draft = match with_amounts(&call.app.policies, &patient, asked, call.today) {
        Ok(draft) => draft,
        Err(failure) => return Ok(Err(failure)),
    };
    let wrong = check_bill(&draft, call.today, person.died_on);
    if !wrong.is_empty() {
        let at_its_field = |refusal: Refusal| match refusal.field {
            Some("registration") => Problem::new(refusal).at("fees"),
            _ => Problem::new(refusal),
        };
        return Ok(Err(ApiFailure::all(wrong.into_iter().map(at_its_field).collect())));
    }
    let institution = treating(&call.app, &institution);
    Ok(Ok((patient, Offered { draft, institution })))
}

/// The person within reach; of others the interface does not know.
fn find_asked(
    tx: &mut Transaction<'_>,
    call: &Call,
    asked: &PersonAsked,
) -> Result<Result<MatchedPerson, ApiFailure>, DatabaseError> {
    let unknown =
        |field: &str, refusal| ApiFailure::new(StatusCode::NOT_FOUND, Problem::new(refusal).at(field));
    let (number, name) = match asked {
        PersonAsked::Id(id) => {
            let found = find_person(tx, Id::from_uuid(*id))?.filter(|person| call.reach.covers(person.home));
            return Ok(found
                .map(|person| MatchedPerson {
                    id: person.id.uuid(),
                    household: person.body.household,
                    home: person.home,
                    name: person.body.name,
                    died_on: person.body.died_on,
                })
                .ok_or_else(|| unknown("person.id", Refusal::new("settlement.refused.unknown_person"))));
        }
        PersonAsked::Number(number, name) => (number, name),
    };
    let mut found = people_with_number(tx, number.as_str())?;
    found.retain(|person| call.reach.covers(person.home));
    if found.len() > 1 {
        let problem = Problem::new(Refusal::new("settlement.refused.two_people")).at("person.id_number");
        return Ok(Err(ApiFailure::new(StatusCode::CONFLICT, problem)));
    }
    let Some(person) = found.pop() else {
        let expected = number.expected_check_character().filter(|expected| {
            number.kind() == IdNumberKind::WrongButOfficial && !number.as_str().ends_with(*expected)
        });
        let refusal = match expected {
            Some(expected) => Refusal::new("web.form.id_checksum").with("expected", expected.to_string()),
            None => Refusal::new("settlement.refused.unknown_person"),
        };
        return Ok(Err(unknown("person.id_number", refusal)));
    };
    if name.as_ref().is_some_and(|name| *name != person.name) {
        let problem = Problem::new(Refusal::new("settlement.refused.other_name")).at("person.name");
        return Ok(Err(ApiFailure::all(vec![problem])));
    }
    Ok(Ok(person))
}
