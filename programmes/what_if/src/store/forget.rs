//! Erasing: how a person or household leaves the bills of a year and the lists of runs. The sums of a run stay.

use kangmai_base::Uuid;
use kangmai_database::{DatabaseError, Transaction, params};
use kangmai_people::{PERSON_REGISTERED, PersonBody};
use kangmai_record::{Subject, SubjectKind, facts_of_kind};

const FORGET_BILL: &str = "delete from what_if_bill where bill = $1 and person = $2";
const FORGET_PERSON: &str = "delete from what_if_person where person = $1";
const FORGET_HOUSEHOLD: &str = "delete from what_if_household where household = $1";

/// Takes the bills of a person away, and their line in every run; the households that they belonged to were counted with them,
/// so their lines go as well. Reads the lists of runs from end to end.
pub(crate) fn forget_subject(
    tx: &mut Transaction<'_>,
    subject: Subject,
    bills: &[Uuid],
) -> Result<(), DatabaseError> {
    let mut households = Vec::new();
    match subject.kind {
        SubjectKind::Household => households.push(subject.id),
        SubjectKind::Person => {
            for bill in bills {
                tx.execute(FORGET_BILL, &params![*bill, subject.id])?;
            }
            tx.execute(FORGET_PERSON, &params![subject.id])?;
            for fact in facts_of_kind(tx, subject.id, PERSON_REGISTERED)? {
                households.push(fact.body::<PersonBody>()?.household);
            }
        }
        _ => {}
    }
    households.sort_unstable();
    households.dedup();
    for household in households {
        tx.execute(FORGET_HOUSEHOLD, &params![household])?;
    }
    Ok(())
}
