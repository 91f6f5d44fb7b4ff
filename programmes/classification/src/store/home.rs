//! What stands in the views stands where its person is at home.

use kangmai_base::Uuid;
use kangmai_database::{DatabaseError, Transaction, in_fifties};
use kangmai_record::Fact;

pub(super) const DIAGNOSES: &str = "update diagnosis set home =
    (select person.home from person where person.id = diagnosis.person)
    where home <> (select person.home from person where person.id = diagnosis.person) and person in
    ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25,
    $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48, $49, $50)";
pub(super) const STRUCK: &str = "update diagnosis_struck set home =
    (select person.home from person where person.id = diagnosis_struck.person)
    where home <> (select person.home from person where person.id = diagnosis_struck.person) and person in
    ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25,
    $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48, $49, $50)";
pub(super) const PLANS: &str = "update plan set home =
    (select person.home from person where person.id = plan.person)
    where home <> (select person.home from person where person.id = plan.person) and person in
    ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25,
    $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48, $49, $50)";
pub(super) const CHANGES: &str = "update plan_change set home =
    (select person.home from person where person.id = plan_change.person)
    where home <> (select person.home from person where person.id = plan_change.person) and person in
    ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25,
    $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48, $49, $50)";
pub(super) const DECISIONS: &str = "update plan_decision set home =
    (select person.home from person where person.id = plan_decision.person)
    where home <> (select person.home from person where person.id = plan_decision.person) and person in
    ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25,
    $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48, $49, $50)";

/// What stands here stands where its person is at home, whatever place its fact says: who moves takes it along, and the
/// place left behind sees it no longer. The register, which comes before, has written the home.
pub(super) fn follow(
    tx: &mut Transaction<'_>,
    facts: &[&Fact],
    moves: &[&'static str],
) -> Result<(), DatabaseError> {
    let mut people: Vec<Uuid> = facts.iter().map(|fact| fact.new.subject.id).collect();
    people.sort_unstable();
    people.dedup();
    for people in in_fifties(&people) {
        for statement in moves {
            tx.execute(statement, &people)?;
        }
    }
    Ok(())
}
