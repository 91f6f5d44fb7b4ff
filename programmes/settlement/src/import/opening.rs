//! What people had used of a year before the county joined: one row a person and year.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use kangmai_access::Purpose;
use kangmai_base::{Fen, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_policy::{Policy, Release, YearAccumulators};
use kangmai_programme::{Import, ImportRun, Planned};
use kangmai_record::{NewFact, Source};
use kangmai_sheet::{Cells, Column, Flaw, Format, Matching, Outcome, Record, Schema, read};

use crate::facts::{Cause, OPENING, Opening, Used, Why};
use crate::rules::Adjudicator;
use crate::settling::{Hand, closing, join_with, lock};
use crate::store::{MatchedPerson, Openings, opening_fact, people_with_number};

/// Accumulators so far of a county that joins in mid-year.
pub const OPENINGS: Import = Import {
    key: "opening",
    word: "settlement.import.opening",
    purpose: Purpose::KeepLedger,
    schema: &OPENING_COLUMNS,
    schema_under: Some(opening_columns),
    order: 20,
    plan,
    finish: None,
    rows_at_once: 200,
};

/// A file of openings. Each amount column is an accumulator, named as packs name it; those of the national layers have
/// titles of their own, the rest come out of the packs ([`opening_columns`]).
pub const OPENING_COLUMNS: Schema = Schema {
    key: "settlement.opening",
    title_zh: "年度累计期初数",
    title_en: "Used of the year so far",
    columns: &COLUMNS,
};

const COLUMNS: [Column; 10] = [
    Column::new("id_number", "证件号码", "ID number")
        .required()
        .aliases(&["身份证号", "身份证号码", "公民身份号码", "身份证", "证件号"])
        .format(Format::Code)
        .personal()
        .example("411721195001019919")
        .hint("须先在人员名册中登记", "The person must be in the register"),
    Column::new("name", "姓名", "Name").aliases(&["人员姓名"]).personal().example("示例甲"),
    Column::new("year", "年度", "Year")
        .required()
        .aliases(&["医保年度", "结算年度"])
        .format(Format::Whole)
        .example("2026")
        .hint("医保年度，以开始的那一年称呼", "The insurance year, called by the year in which it begins"),
    Column::new("basic_stays", "本年住院次数", "Stays this year")
        .aliases(&["住院次数"])
        .format(Format::Whole)
        .example("1")
        .hint("本系统启用以前的住院次数", "Before this system was in use"),
    Column::new("basic_paid", "基本医保已支付", "Paid by basic insurance")
        .aliases(&["统筹基金已支付", "统筹累计支付"])
        .format(Format::Amount)
        .example("8200.00"),
    Column::new("major_base", "大病保险累计合规自付", "Base of major-disease insurance")
        .aliases(&["大病累计自付", "大病保险累计基数"])
        .format(Format::Amount)
        .example("3400.00")
        .hint("基本医保报销后本年累计的合规自付费用", "Compliant own cost of the year after basic insurance"),
    Column::new("major_paid", "大病保险已支付", "Paid by major-disease insurance").format(Format::Amount),
    Column::new("supplementary_base", "补充医疗保险累计合规自付", "Base of supplementary insurance")
        .aliases(&["大病补充累计自付"])
        .format(Format::Amount),
    Column::new("assistance_deductible", "医疗救助已用起付线", "Deductible of assistance used")
        .format(Format::Amount),
    Column::new("assistance_paid", "医疗救助已支付", "Paid by medical assistance").format(Format::Amount),
];

/// How many columns say who and when; each of the others is an accumulator.
const WHO: usize = 3;
/// The columns of each list of accumulators that packs of this process have had.
static SCHEMAS: Mutex<BTreeMap<Vec<String>, Schema>> = Mutex::new(BTreeMap::new());

/// The columns of a file of openings: who, which year, and every accumulator that a pack of the release has.
pub fn opening_columns(release: &Release) -> Schema {
    let mut more: Vec<(String, String, String, bool)> = Vec::new();
    for policy in release.jurisdictions().iter().map(kangmai_policy::Jurisdiction::to_read) {
        for accumulator in policy.accumulators() {
            let name = &accumulator.name;
            if OPENING_COLUMNS.column(name).is_some() || more.iter().any(|(known, ..)| known == name) {
                continue;
            }
            let owner = policy.layers().iter().find(|layer| layer.benefit.id == accumulator.owner);
            let (zh, en) = owner.map_or(("", ""), |layer| {
                let name = &layer.benefit.name;
                (name.zh.as_str(), name.en.as_str())
            });
            more.push((
                name.clone(),
                format!("{zh} {name}").trim().to_owned(),
                format!("{en} {name}").trim().to_owned(),
                accumulator.is_count,
            ));
        }
    }
    if more.is_empty() {
        return OPENING_COLUMNS;
    }
    let names = more.iter().map(|(name, zh, ..)| format!("{name} {zh}")).collect();
    let mut schemas = SCHEMAS.lock().unwrap_or_else(PoisonError::into_inner);
    *schemas.entry(names).or_insert_with(|| {
        // A schema's texts live as long as the program: once for each list of accumulators that was ever in force.
        let of_packs = more.into_iter().map(|(name, zh, en, is_count)| {
            let format = if is_count { Format::Whole } else { Format::Amount };
            Column::new(name.leak(), zh.leak(), en.leak()).format(format)
        });
        let columns: Vec<Column> = COLUMNS.into_iter().chain(of_packs).collect();
        Schema { columns: columns.leak(), ..OPENING_COLUMNS }
    })
}

/// Of the columns of a file of openings those that are accumulators; a count of stays is a whole number, the rest are yuan.
pub fn accumulator_columns(schema: &Schema) -> &'static [Column] {
    let columns: &'static [Column] = schema.columns;
    columns.get(WHO..).unwrap_or_default()
}
/// Years in which an opening can lie.
const YEARS: std::ops::RangeInclusive<i64> = 2010..=2199;
/// Stays of a year.
const STAYS_RANGE: std::ops::RangeInclusive<i64> = 0..=366;

fn plan(
    tx: &mut Transaction<'_>,
    run: &mut ImportRun,
    matching: &Matching,
    records: &[Record],
) -> Result<Planned, DatabaseError> {
    let (app, actor) = (run.app.clone(), run.actor.clone());
    let hand = Hand { app: &app, actor: &actor, now: run.now, source: Source::Import };
    if !run.dry_run {
        lock(tx, run.reach.place())?;
    }
    let mut facts: Vec<NewFact> = Vec::new();
    let (mut openings, mut causes) = (Openings::new(), BTreeMap::new());
    let mut seen = std::collections::HashSet::new();
    for record in records {
        let mut cells = Cells::new(matching, record);
        let read = read_row(tx, run, accumulator_columns(matching.schema()), &mut cells)?;
        let outcome = match read.filter(|_| !cells.has_errors()) {
            None => Outcome::Faulty,
            Some((person, opening)) if !seen.insert((person.id, opening.year)) => {
                let _ = (person, opening);
                let flaw = Flaw::new("settlement.flaw.opening_twice");
                cells.error("id_number", flaw.mend(Refusal::new("settlement.mend.twice")));
                Outcome::Faulty
            }
            Some((person, opening)) => match opening_fact(tx, person.id, opening.year)? {
                Some((_, used)) if used == opening.used => Outcome::Unchanged,
                known => {
                    let corrects = known.as_ref().map(|(fact, _)| *fact);
                    let fact = hand.fact(OPENING, person.id, person.home, &opening)?;
                    let cause = Cause { why: Why::Opening, fact: Some(fact.id), bill: None };
                    causes.insert((person.id, opening.year), cause);
                    openings.insert((person.id, opening.year), opening);
                    facts.push(NewFact { corrects, ..fact });
                    if corrects.is_some() { Outcome::Changed } else { Outcome::New }
                }
            },
        };
        run.count(outcome, cells.into_faults());
    }
    if !run.dry_run {
        facts.extend(settle_opened(tx, &hand, &openings, &causes)?);
    }
    Ok(Planned { facts })
}

/// What bills of the years come to with their openings: two openings of one household belong together.
fn settle_opened(
    tx: &mut Transaction<'_>,
    hand: &Hand<'_>,
    openings: &Openings,
    causes: &BTreeMap<(Uuid, i32), Cause>,
) -> Result<Vec<NewFact>, DatabaseError> {
    let policies = &hand.app.policies;
    let mut adjudicator = Adjudicator::new(policies);
    let mut done: BTreeSet<(Uuid, i32)> = BTreeSet::new();
    let mut facts = Vec::new();
    for ((person, year), cause) in causes {
        if done.contains(&(*person, *year)) {
            continue;
        }
        let joined = join_with(tx, policies, (*person, None), *year, openings)?;
        done.extend(joined.members.iter().map(|member| (member.person, *year)));
        let cause_of =
            |of: Uuid| Some(causes.get(&(of, *year)).copied().unwrap_or_else(|| cause.for_member()));
        facts.extend(hand.settled(&mut adjudicator, &joined, cause_of)?);
    }
    Ok(facts)
}

fn read_row(
    tx: &mut Transaction<'_>,
    run: &ImportRun,
    columns: &'static [Column],
    cells: &mut Cells<'_>,
) -> Result<Option<(MatchedPerson, Opening)>, DatabaseError> {
    let number = cells.required("id_number", read::id_number);
    let year = cells.required("year", |text| read::whole(text, YEARS));
    let mut used = Vec::new();
    for column in columns {
        let value = if column.format == Format::Whole {
            cells.optional(column.key, |text| read::whole(text, STAYS_RANGE))
        } else {
            cells.optional(column.key, read::amount).map(|amount| amount.0)
        };
        used.extend(value.filter(|value| *value != 0).map(|value| Used(column.key.to_owned(), value)));
    }
    used.sort_by(|one, other| one.0.cmp(&other.0));
    let (Some(number), Some(year)) = (number, year.and_then(|year| i32::try_from(year).ok())) else {
        return Ok(None);
    };
    let mut found = people_with_number(tx, number.as_str())?;
    found.retain(|person| run.reach.covers(person.home));
    if found.len() > 1 {
        let flaw = Flaw::new("settlement.flaw.two_people");
        cells.error("id_number", flaw.mend(Refusal::new("settlement.mend.two_people")));
        return Ok(None);
    }
    let Some(person) = found.pop() else {
        let flaw = Flaw::new("settlement.flaw.unknown_person");
        cells.error("id_number", flaw.mend(Refusal::new("settlement.mend.unknown_person")));
        return Ok(None);
    };
    refuse_unknown(run, cells, (&person, year), columns, &used);
    let whose = (person.id, Some(person.household));
    if let Some(closed) = closing(tx, &run.app.policies, whose, person.home, year)? {
        let day = closed.changed_at.day().to_string();
        let flaw = Flaw::new("settlement.flaw.year_closed").with("year", year.to_string()).with("day", day);
        cells.error("year", flaw.mend(Refusal::new("settlement.mend.year_closed")));
    }
    let household = Some(person.household);
    Ok(Some((person, Opening { year, household, used })))
}

/// An amount under a name that the pack does not know would be lost without a word.
fn refuse_unknown(
    run: &ImportRun,
    cells: &mut Cells<'_>,
    (person, year): (&MatchedPerson, i32),
    columns: &'static [Column],
    used: &[Used],
) {
    let policies = &run.app.policies;
    let Some(asked) = policies.insurance_year_called(person.home, year) else {
        let flaw = Flaw::new("settlement.flaw.no_such_year").with("year", year.to_string());
        cells.error("year", flaw.mend(Refusal::new("settlement.mend.no_such_year")));
        return;
    };
    let jurisdiction = policies.jurisdiction_for(person.home, asked.last);
    let policy: Option<&Policy> = jurisdiction.map(kangmai_policy::Jurisdiction::to_read);
    for Used(name, _) in used {
        let mut year = YearAccumulators::NONE;
        let is_known = policy.is_some_and(|policy| policy.set_accumulator(&mut year, name, Fen(1)));
        if let Some(column) = columns.iter().find(|column| column.key == name && !is_known) {
            let flaw = Flaw::new("settlement.flaw.no_accumulator");
            cells.error(column.key, flaw.mend(Refusal::new("settlement.mend.no_accumulator")));
        }
    }
}
