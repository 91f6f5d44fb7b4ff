//! What is kept of a person.

use kangmai_base::Day;
use kangmai_database::{DatabaseError, Transaction, params};
use kangmai_people::Person;
use kangmai_policy::RecordClass;
use kangmai_programme::Holding;

const BILLS_HELD: &str =
    "select setting, count(*), max(discharged_on) from bill where person = $1 group by setting";

/// Bills, as records of care by their setting, and all of them as what was paid.
pub(crate) fn held(
    tx: &mut Transaction<'_>,
    person: &Person,
    _sensitive: bool,
) -> Result<Vec<Holding>, DatabaseError> {
    let of = |word, class| Holding { word, class: Some(class), count: 0, latest: None };
    let mut stays = of("settlement.held.stays", RecordClass::Inpatient);
    let mut visits = of("settlement.held.visits", RecordClass::Outpatient);
    let mut settled = of("settlement.held.settled", RecordClass::Settlement);
    for row in tx.query(BILLS_HELD, &params![person.id])? {
        let (setting, count, latest): (String, i64, Option<Day>) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let of_setting = if setting == "inpatient" { &mut stays } else { &mut visits };
        for held in [of_setting, &mut settled] {
            held.count += count;
            held.latest = held.latest.max(latest);
        }
    }
    Ok(vec![stays, visits, settled])
}
