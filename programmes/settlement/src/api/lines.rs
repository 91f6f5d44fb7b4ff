//! The lines of a bill (收费明细) as the interface takes them: read strictly, added up by the rule of the patient's place.

use kangmai_base::{Day, Rate, Refusal};
use kangmai_policy::{CatalogueClass, CostCategory, Decimal4, FeeKind, MAX_LINES, Release};
use kangmai_web::{ApiFailure, JsonFields, Problem};

use super::bill::BillAsked;
use crate::facts::ChargedLine;
use crate::intake::Patient;
use crate::rules::{BillDraft, LineFault, Stated, itemise};

/// The longest code or name of a line, in characters.
const LONGEST_TEXT: usize = 200;
/// The longest number or word of a list, in characters.
const LONGEST_WORD: usize = 40;
/// 目录类别, as the interface names them.
pub(super) const CLASSES: [(&str, CatalogueClass); 3] =
    [("a", CatalogueClass::A), ("b", CatalogueClass::B), ("c", CatalogueClass::C)];

/// The lines of a bill, if it has any.
pub(super) fn read_lines(fields: &JsonFields<'_>) -> Option<Vec<ChargedLine>> {
    let lines = fields.list("lines", MAX_LINES)?;
    Some(lines.into_iter().filter_map(read_line).collect())
}

fn read_line(fields: JsonFields<'_>) -> Option<ChargedLine> {
    let code = fields.text_maybe("code", LONGEST_TEXT).unwrap_or_default();
    let name = fields.text("name", LONGEST_TEXT);
    let category = one_of(&fields, "category", &CostCategory::ALL.map(|one| (one.name(), one)));
    let class = one_of(&fields, "class", &CLASSES);
    let quantity = number(&fields, "quantity");
    let unit_price = number(&fields, "unit_price");
    let amount = fields.amount_maybe("amount");
    let own_share = fields.parsed::<Rate>("own_share", LONGEST_WORD, "settlement.refused.not_a_share");
    if own_share.is_some_and(|share| !share.is_share()) {
        fields.refuse("own_share", Refusal::new("settlement.refused.not_a_share"));
    }
    let fee = match fields.has("fee") {
        true => one_of(&fields, "fee", &FeeKind::ALL.map(|one| (one.name(), one))),
        false => None,
    };
    let on = if fields.has("on") { fields.day("on") } else { None };
    fields.finish();
    Some(ChargedLine {
        code,
        name: name?,
        category: category?,
        class: class?,
        quantity: quantity?,
        unit_price: unit_price?,
        amount,
        own_share,
        fee,
        on,
    })
}

fn one_of<T: Copy>(fields: &JsonFields<'_>, key: &'static str, all: &[(&str, T)]) -> Option<T> {
    let name = fields.text(key, LONGEST_WORD)?;
    let found = all.iter().find(|(known, _)| *known == name).map(|(_, one)| *one);
    if found.is_none() {
        let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
        fields.refuse(key, Refusal::new("settlement.refused.not_in_list").with("list", names.join(", ")));
    }
    found
}

fn number(fields: &JsonFields<'_>, key: &'static str) -> Option<Decimal4> {
    if !fields.has(key) {
        fields.refuse(key, Refusal::new("web.api.missing"));
    }
    fields.parsed(key, LONGEST_WORD, "settlement.refused.not_a_decimal")
}

/// The bill with its amounts: of one with lines they are what the lines come to, and what is said besides must agree.
pub(super) fn with_amounts(
    policies: &Release,
    patient: &Patient,
    asked: &BillAsked,
    today: Day,
) -> Result<BillDraft, ApiFailure> {
    let mut draft = asked.draft.clone();
    let Some(lines) = &asked.lines else { return Ok(draft) };
    let Some(rule) = policies.lines_and_file(patient.home, draft.discharge) else {
        let refusal = Refusal::new("settlement.refused.no_line_rule");
        return Err(ApiFailure::all(vec![Problem::new(refusal).at("lines")]));
    };
    let too_late = lines.iter().position(|line| line.on.is_some_and(|on| on > today));
    if let Some(place) = too_late {
        let refusal = Refusal::new("settlement.refused.future").with("today", today.to_string());
        return Err(ApiFailure::all(vec![Problem::new(refusal).at(format!("lines[{place}].on"))]));
    }
    let stated = Stated { total: asked.total, compliant: asked.compliant, fees: draft.fees.clone() };
    let name = |place: usize| format!("lines[{place}]");
    let itemised = itemise(rule, lines.clone(), &stated, &name)
        .map_err(|faults| ApiFailure::all(faults.into_iter().map(problem).collect()))?;
    (draft.total, draft.compliant) = (itemised.total, itemised.compliant);
    (draft.fees, draft.lines) = (itemised.fees, Some(itemised.lines));
    Ok(draft)
}

fn problem(fault: LineFault) -> Problem {
    let field = match fault.line {
        Some(line) => format!("lines[{line}].{}", fault.column),
        None => "lines".to_owned(),
    };
    Problem::new(Refusal { field: None, ..fault.flaw.reason }).at(field)
}
