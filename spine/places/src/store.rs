//! The SQL of institutions.

use std::collections::{BTreeSet, HashMap};

use kangmai_base::PlaceRange;
use kangmai_database::{DatabaseError, InsertMany, Row, Transaction, Value, params};

use crate::institution::{
    Capability, Institution, InstitutionBody, InstitutionGrade, InstitutionId, InstitutionKind,
    InstitutionTier,
};
use crate::pinyin::initials;

const PUT: InsertMany = InsertMany {
    table: "institution",
    columns: &[
        "id", "code", "name", "initials", "place", "tier", "grade", "kind", "phone", "opened", "closed", "digest",
    ],
    suffix: "on conflict (id) do update set code = excluded.code, name = excluded.name, initials = excluded.initials,
        place = excluded.place, tier = excluded.tier, grade = excluded.grade, kind = excluded.kind, phone = excluded.phone,
        opened = excluded.opened, closed = excluded.closed, digest = excluded.digest",
};
const PUT_CAPABILITIES: InsertMany = InsertMany {
    table: "institution_capability",
    columns: &["institution", "capability", "place"],
    suffix: "",
};
const CLEAR_CAPABILITIES: &str = "delete from institution_capability where institution = $1";
const CAPABILITIES: &str =
    "select capability from institution_capability where institution = $1 order by capability";
const BY_ID: &str = "select id, code, name, place, tier, grade, kind, phone, opened, closed, digest
    from institution where id = $1";
const BY_CODE: &str = "select id, code, name, place, tier, grade, kind, phone, opened, closed, digest
    from institution where code = $1 order by id limit 1";
const LIST: &str =
    "select id, code, name, place, tier, grade, kind, phone, opened, closed, digest from institution
    where place between $1 and $2 and (cast($3 as text) is null or tier = $3)
    and (cast($4 as text) is null or kind = $4)
    and (cast($5 as text) is null or id in
        (select institution from institution_capability where capability = $5 and place between $1 and $2))
    order by place, code, id limit $6 offset $7";
const COUNT: &str = "select count(*) from institution
    where place between $1 and $2 and (cast($3 as text) is null or tier = $3)
    and (cast($4 as text) is null or kind = $4)
    and (cast($5 as text) is null or id in
        (select institution from institution_capability where capability = $5 and place between $1 and $2))";
const SEARCH: &str = "select id, code, name, place, tier, grade, kind, phone, opened, closed, digest from institution
    where place between $1 and $2 and (name like $3 escape '\\' or initials like $4 escape '\\' or code like $7 escape '\\')
    order by case when name = $5 or code = $5 or initials = $5 then 0 else 1 end, place, code, id limit $6";

/// What a list of institutions is narrowed to; `None` narrows nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InstitutionFilter<'a> {
    /// Of this tier.
    pub tier: Option<InstitutionTier>,
    /// Of this kind.
    pub kind: Option<InstitutionKind>,
    /// With the capability of this key.
    pub capability: Option<&'a str>,
}

impl InstitutionFilter<'_> {
    fn params(&self, places: PlaceRange) -> Vec<Value> {
        let capability = self.capability.map(str::to_owned);
        params![
            places.first.cast_signed(),
            places.last.cast_signed(),
            self.tier.map(InstitutionTier::key),
            self.kind.map(InstitutionKind::key),
            capability,
        ]
        .to_vec()
    }
}

/// Writes institutions as they stand now: for the projection of the register. Of several with one identifier the last.
///
/// # Errors
/// When the database fails.
pub fn put_institutions(tx: &mut Transaction<'_>, institutions: &[Institution]) -> Result<(), DatabaseError> {
    let last: HashMap<InstitutionId, usize> =
        institutions.iter().enumerate().map(|(at, institution)| (institution.id, at)).collect();
    let last: BTreeSet<usize> = last.into_values().collect();
    let last: Vec<&Institution> = last.into_iter().filter_map(|at| institutions.get(at)).collect();
    for institution in &last {
        tx.execute(CLEAR_CAPABILITIES, &params![institution.id])?;
    }
    let rows = last.iter().map(|institution| {
        let body = &institution.body;
        params![
            institution.id,
            body.code.as_str(),
            body.name.as_str(),
            initials(&body.name),
            institution.place,
            body.tier.key(),
            body.grade.key(),
            body.kind.key(),
            body.phone.as_ref(),
            body.opened,
            body.closed,
            body.digest(institution.place),
        ]
    });
    tx.insert_many(&PUT, rows)?;
    let capabilities = last.iter().flat_map(|institution| {
        let of_one = institution.body.capabilities.iter();
        of_one.map(|capability| params![institution.id, capability.key(), institution.place])
    });
    tx.insert_many(&PUT_CAPABILITIES, capabilities)?;
    Ok(())
}

/// The institution `id`.
///
/// # Errors
/// When the database fails.
pub fn find_institution(
    tx: &mut Transaction<'_>,
    id: InstitutionId,
) -> Result<Option<Institution>, DatabaseError> {
    Ok(institutions(tx, BY_ID, &params![id])?.into_iter().next())
}

/// The institution with this code.
///
/// # Errors
/// When the database fails.
pub fn find_institution_by_code(
    tx: &mut Transaction<'_>,
    code: &str,
) -> Result<Option<Institution>, DatabaseError> {
    Ok(institutions(tx, BY_CODE, &params![code])?.into_iter().next())
}

/// The institutions within `places`, by place and code.
///
/// # Errors
/// When the database fails.
pub fn institutions_at(
    tx: &mut Transaction<'_>,
    places: PlaceRange,
    filter: &InstitutionFilter<'_>,
    offset: i64,
    limit: i64,
) -> Result<Vec<Institution>, DatabaseError> {
    let mut params = filter.params(places);
    params.extend([Value::from(limit), Value::from(offset)]);
    institutions(tx, LIST, &params)
}

/// How many institutions there are within `places`.
///
/// # Errors
/// When the database fails.
pub fn count_institutions(
    tx: &mut Transaction<'_>,
    places: PlaceRange,
    filter: &InstitutionFilter<'_>,
) -> Result<i64, DatabaseError> {
    tx.query_one(COUNT, &filter.params(places))?.map_or(Ok(0), |row| row.get(0))
}

/// Institutions within `places` by a part of the name, or by the beginning of the code or of the initials; those that are
/// exactly what was typed first.
///
/// # Errors
/// When the database fails.
pub fn search_institutions(
    tx: &mut Transaction<'_>,
    places: PlaceRange,
    typed: &str,
    limit: i64,
) -> Result<Vec<Institution>, DatabaseError> {
    let typed = kangmai_sheet::half_width(typed);
    if typed.is_empty() {
        return Ok(Vec::new());
    }
    let escaped = typed.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    let params = params![
        places.first.cast_signed(),
        places.last.cast_signed(),
        format!("%{escaped}%"),
        format!("{}%", escaped.to_lowercase()),
        typed.into_owned(),
        limit,
        format!("{escaped}%"),
    ];
    institutions(tx, SEARCH, &params)
}

fn institutions(
    tx: &mut Transaction<'_>,
    sql: &str,
    params: &[Value],
) -> Result<Vec<Institution>, DatabaseError> {
    let mut found: Vec<Institution> = tx.query(sql, params)?.iter().map(read).collect::<Result<_, _>>()?;
    for institution in &mut found {
        for row in tx.query(CAPABILITIES, &params![institution.id])? {
            let key: String = row.get(0)?;
            institution.body.capabilities.extend(Capability::read(&key));
        }
    }
    Ok(found)
}

fn read(row: &Row) -> Result<Institution, DatabaseError> {
    let unknown = |column: usize, expected: &'static str| DatabaseError::WrongType { column, expected };
    let (tier, grade, kind): (String, String, String) = (row.get(4)?, row.get(5)?, row.get(6)?);
    Ok(Institution {
        id: row.get(0)?,
        place: row.get(3)?,
        body: InstitutionBody {
            code: row.get(1)?,
            name: row.get(2)?,
            tier: InstitutionTier::of_key(&tier).ok_or(unknown(4, "tier"))?,
            grade: InstitutionGrade::of_key(&grade).ok_or(unknown(5, "grade"))?,
            kind: InstitutionKind::of_key(&kind).ok_or(unknown(6, "kind"))?,
            capabilities: BTreeSet::new(),
            phone: row.get(7)?,
            opened: row.get(8)?,
            closed: row.get(9)?,
        },
    })
}
