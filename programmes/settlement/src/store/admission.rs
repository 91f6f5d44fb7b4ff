//! Reading admissions.

use kangmai_access::Reach;
use kangmai_base::{Day, DivisionCode, Moment, Uuid};
use kangmai_database::{DatabaseError, Opener, Row, Transaction, params};
use kangmai_people::read_name;

use crate::facts::WhyDeposit;

/// An admission is open until a bill of that stay has come in.
const ADMISSIONS: &str = "select admission.id, admission.person, admission.household, admission.home,
    admission.institution, admission.admitted_on, admission.emergency, admission.entitled, admission.why_not,
    admission.labels, admission.admitted_at, person.name_sealed, institution.name,
    exists (select 1 from bill where bill.person = admission.person and bill.discharged_on >= admission.admitted_on
        and bill.institution = admission.institution and bill.admitted_on <= admission.admitted_on + 1
        and bill.state <> 'cancelled')
    from admission left join person on person.id = admission.person
    left join institution on institution.id = admission.institution
    where admission.home between $1 and $2 and (cast($3 as uuid) is null or admission.institution = $3)
    order by admission.admitted_on desc, admission.id limit $4 offset $5";
const COUNT: &str = "select count(*) from admission where home between $1 and $2
    and (cast($3 as uuid) is null or institution = $3)";
const OPEN: &str = "select count(*) from admission where admission.home between $1 and $2
    and (cast($3 as uuid) is null or admission.institution = $3) and admission.admitted_on >= $4
    and not exists (select 1 from bill where bill.person = admission.person
        and bill.discharged_on >= admission.admitted_on and bill.institution = admission.institution
        and bill.admitted_on <= admission.admitted_on + 1 and bill.state <> 'cancelled')";
const ADMISSION: &str = "select admission.id, admission.person, admission.household, admission.home,
    admission.institution, admission.admitted_on, admission.emergency, admission.entitled, admission.why_not,
    admission.labels, admission.admitted_at, person.name_sealed, institution.name,
    exists (select 1 from bill where bill.person = admission.person and bill.discharged_on >= admission.admitted_on
        and bill.institution = admission.institution and bill.admitted_on <= admission.admitted_on + 1
        and bill.state <> 'cancelled')
    from admission left join person on person.id = admission.person
    left join institution on institution.id = admission.institution
    where admission.id = $1 and admission.home between $2 and $3
    and (cast($4 as uuid) is null or admission.institution = $4)";
const OF_PERSON: &str = "select admission.id, admission.person, admission.household, admission.home,
    admission.institution, admission.admitted_on, admission.emergency, admission.entitled, admission.why_not,
    admission.labels, admission.admitted_at, person.name_sealed, institution.name,
    exists (select 1 from bill where bill.person = admission.person and bill.discharged_on >= admission.admitted_on
        and bill.institution = admission.institution and bill.admitted_on <= admission.admitted_on + 1
        and bill.state <> 'cancelled')
    from admission left join person on person.id = admission.person
    left join institution on institution.id = admission.institution
    where admission.person = $1 and admission.admitted_on >= $2
    and (cast($3 as uuid) is null or admission.institution = $3) order by admission.admitted_on desc limit 50";

/// An admission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdmissionRow {
    /// Which.
    pub id: Uuid,
    /// Who.
    pub person: Uuid,
    /// Their household then.
    pub household: Uuid,
    /// Their home place then.
    pub home: DivisionCode,
    /// Where.
    pub institution: Uuid,
    /// When.
    pub admitted_on: Day,
    /// Whether it was an emergency.
    pub emergency: bool,
    /// Whether no deposit is owed by right.
    pub entitled: bool,
    /// Why not.
    pub why_not: Option<WhyDeposit>,
    /// The labels that held: keys.
    pub labels: Vec<String>,
    /// When it was written down.
    pub admitted_at: Moment,
    /// The person's name.
    pub person_name: String,
    /// The institution's name.
    pub institution_name: String,
    /// Whether the bill of the stay has come in.
    pub is_billed: bool,
}

/// Which admissions a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AdmissionFilter {
    /// To this institution.
    pub institution: Option<Uuid>,
}

fn read(row: &Row, opener: &Opener) -> Result<AdmissionRow, DatabaseError> {
    let (why_not, labels): (Option<String>, String) = (row.get(8)?, row.get(9)?);
    Ok(AdmissionRow {
        id: row.get(0)?,
        person: row.get(1)?,
        household: row.get(2)?,
        home: row.get(3)?,
        institution: row.get(4)?,
        admitted_on: row.get(5)?,
        emergency: row.get(6)?,
        entitled: row.get(7)?,
        why_not: why_not.as_deref().and_then(WhyDeposit::of_key),
        labels: labels.split_whitespace().map(str::to_owned).collect(),
        admitted_at: row.get(10)?,
        person_name: read_name(opener, row, (1, 11))?,
        institution_name: row.get::<Option<String>>(12)?.unwrap_or_default(),
        is_billed: row.get(13)?,
    })
}

/// The admissions within reach, the latest first.
///
/// # Errors
/// When the database fails.
pub fn admissions(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    filter: AdmissionFilter,
    limit: i64,
    offset: i64,
) -> Result<Vec<AdmissionRow>, DatabaseError> {
    let parameters =
        params![reach.first(), reach.last(), reach.institution_or(filter.institution), limit, offset];
    let opener = tx.opener()?;
    tx.query(ADMISSIONS, &parameters)?.iter().map(|row| read(row, &opener)).collect()
}

/// How many admissions there are within reach.
///
/// # Errors
/// When the database fails.
pub fn count_admissions(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    filter: AdmissionFilter,
) -> Result<i64, DatabaseError> {
    let parameters = params![reach.first(), reach.last(), reach.institution_or(filter.institution)];
    tx.query_one(COUNT, &parameters)?.map_or(Ok(0), |row| row.get(0))
}

/// How many of those admitted on `since` or later have no bill yet.
///
/// # Errors
/// When the database fails.
pub fn open_admissions(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    filter: AdmissionFilter,
    since: Day,
) -> Result<i64, DatabaseError> {
    let parameters = params![reach.first(), reach.last(), reach.institution_or(filter.institution), since];
    tx.query_one(OPEN, &parameters)?.map_or(Ok(0), |row| row.get(0))
}

/// One admission within reach.
///
/// # Errors
/// When the database fails.
pub fn admission(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    id: Uuid,
) -> Result<Option<AdmissionRow>, DatabaseError> {
    let asked = params![id, reach.first(), reach.last(), reach.institution()];
    let opener = tx.opener()?;
    tx.query_one(ADMISSION, &asked)?.as_ref().map(|row| read(row, &opener)).transpose()
}

/// A person's admissions on `since` or later; at the desk of `institution` only its own. The caller asks access for the
/// person.
///
/// # Errors
/// When the database fails.
pub fn admissions_of(
    tx: &mut Transaction<'_>,
    person: Uuid,
    since: Day,
    institution: Option<Uuid>,
) -> Result<Vec<AdmissionRow>, DatabaseError> {
    let opener = tx.opener()?;
    tx.query(OF_PERSON, &params![person, since, institution])?.iter().map(|row| read(row, &opener)).collect()
}
