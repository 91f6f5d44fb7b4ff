//! 家庭医生签约服务: for how long an agreement holds, who may be in a team, and what its packages promise, as one place rules it
//! for a time.

use kangmai_base::{Day, Fen, Sex};

use crate::dated::Period;
use crate::fields::Fields;
use crate::predicate::read_label_set;
use crate::words::Word;
use crate::{Bilingual, Icd10, IcdRange, LabelSet, Source, Sure, Vocabulary};

/// The tier that somebody of a team comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TeamTier {
    /// 村级
    Village,
    /// 乡镇级
    Township,
    /// 县级
    County,
    /// 市级
    City,
}

impl TeamTier {
    const NAMES: &[&str] = &["village", "township", "county", "city"];

    /// As packs name it.
    pub const fn name(self) -> &'static str {
        match self {
            TeamTier::Village => "village",
            TeamTier::Township => "township",
            TeamTier::County => "county",
            TeamTier::City => "city",
        }
    }

    fn from_name(name: &str) -> Option<TeamTier> {
        let all = [TeamTier::Village, TeamTier::Township, TeamTier::County, TeamTier::City];
        all.into_iter().find(|tier| tier.name() == name)
    }
}

/// What somebody can be in a team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamRole {
    /// Code name.
    pub id: String,
    /// What people call it.
    pub name: Bilingual,
    /// From which tier.
    pub tier: TeamTier,
    /// Whether somebody in this role may lead the team.
    pub leads: bool,
}

/// By what an item of a package is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DoneBy {
    /// Visits in this programme of follow-up.
    FollowUp(String),
    /// A visit that was this window of any programme, such as the yearly check.
    Window(String),
    /// The plan of the person is written.
    Plan,
    /// A doctor writes that it was done.
    Hand,
}

impl DoneBy {
    fn answer(&self) -> String {
        match self {
            DoneBy::FollowUp(programme) => format!("follow_up {programme}"),
            DoneBy::Window(window) => format!("window {window}"),
            DoneBy::Plan => "plan".to_owned(),
            DoneBy::Hand => "hand".to_owned(),
        }
    }
}

/// One thing that a package promises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageItem {
    /// Code name, unique in its package.
    pub id: String,
    /// What people call it.
    pub name: Bilingual,
    /// How often in a year of the agreement; none: whenever it is needed, so nothing is due.
    pub times: Option<u8>,
    /// By what it is done.
    pub done_by: DoneBy,
}

/// For whom a package is: any of diagnoses, labels or ages that are named, of this sex.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PackageFor {
    /// With one of these diagnoses.
    pub icd10: Vec<IcdRange>,
    /// With one of these labels.
    pub labels: LabelSet,
    /// From this age in completed years.
    pub min_age: Option<u8>,
    /// Up to this age.
    pub max_age: Option<u8>,
    /// Only this sex.
    pub sex: Option<Sex>,
}

/// Somebody, as far as packages ask.
#[derive(Debug, Clone, Copy, Default)]
pub struct Resident<'r> {
    /// Diagnoses in force.
    pub diagnoses: &'r [Icd10],
    /// Labels in force.
    pub labels: LabelSet,
    /// Completed years of life.
    pub age: Option<u8>,
    /// Sex.
    pub sex: Option<Sex>,
}

impl PackageFor {
    /// Whether it is for this resident. An unknown age fits no age, and nobody is taken for another sex.
    pub fn fits(&self, who: &Resident<'_>) -> bool {
        let ill = |code: &Icd10| self.icd10.iter().any(|range| range.contains(*code));
        let is_ill = self.icd10.is_empty() || who.diagnoses.iter().any(ill);
        let is_labelled = self.labels.is_empty() || who.labels.meets(self.labels);
        let old_enough = self.min_age.is_none_or(|min| who.age.is_some_and(|age| age >= min));
        let young_enough = self.max_age.is_none_or(|max| who.age.is_some_and(|age| age <= max));
        is_ill && is_labelled && old_enough && young_enough && self.sex.is_none_or(|sex| who.sex == Some(sex))
    }
}

/// A package of services.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServicePackage {
    /// Code name.
    pub id: String,
    /// What people call it.
    pub name: Bilingual,
    /// Whether it belongs to every agreement.
    pub basic: bool,
    /// Whether those whom it fits are people to be signed first (重点人群).
    pub first: bool,
    /// Sensitive level: what tells a package of level 5 shows to treating staff on the person's page alone.
    pub sensitive: u8,
    /// For whom it is proposed; none: only a doctor chooses it.
    pub fits: Option<PackageFor>,
    /// What it promises.
    pub items: Vec<PackageItem>,
}

/// Who bears the fee of a year, for each person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgreementFee {
    /// The insurance fund.
    pub fund: Fen,
    /// Money of basic public health.
    pub public_health: Fen,
    /// The person.
    pub person: Fen,
}

/// What one place says of agreements, for a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgreementRules {
    /// When it holds: the day of the signature decides.
    pub period: Period,
    /// How sure.
    pub sure: Sure,
    /// Where from.
    pub source: Source,
    /// Months of an agreement as a rule.
    pub term_months: i32,
    /// Months of the longest.
    pub longest_term_months: i32,
    /// Days before its end from which renewal is spoken of, and may be signed.
    pub remind_days: i32,
    /// Below this age in completed years a guardian signs.
    pub guardian_below_age: u8,
    /// Who bears the fee; none: it is not set.
    pub fee: Option<AgreementFee>,
    /// To what the resident consents.
    pub consent: Bilingual,
    /// Rights and duties, in order.
    pub clauses: Vec<Bilingual>,
    /// What somebody can be in a team.
    pub roles: Vec<TeamRole>,
    /// Packages, the basic one first.
    pub packages: Vec<ServicePackage>,
}

/// The longest term that a pack may set, in months, and the longest reminder, in days: beyond it is a slip of the hand.
const MOST_MONTHS: i64 = 120;
const MOST_DAYS: i64 = 366;
/// The highest age below which a guardian signs.
const MOST_AGE: i64 = 18;
/// The most often that something is promised in a year.
const MOST_TIMES: i64 = 52;
/// Months of a year.
const YEAR_MONTHS: i32 = 12;

/// What a case may ask.
pub(crate) const ANSWERS: &[&str] = &[
    "in_force",
    "term_months",
    "longest_term_months",
    "remind_days",
    "guardian_below_age",
    "fee",
    "clauses",
    "roles",
    "packages",
    "first",
    "sensitive",
    "by_hand",
    "items",
];

impl AgreementRules {
    /// The package of this name.
    pub fn package(&self, id: &str) -> Option<&ServicePackage> {
        self.packages.iter().find(|package| package.id == id)
    }

    /// What somebody can be in a team, by this name.
    pub fn role(&self, id: &str) -> Option<&TeamRole> {
        self.roles.iter().find(|role| role.id == id)
    }

    /// The packages that are proposed to a resident: the basic one and all that fit.
    pub fn proposed(&self, who: &Resident<'_>) -> Vec<&ServicePackage> {
        let fits = |package: &&ServicePackage| {
            package.basic || package.fits.as_ref().is_some_and(|fits| fits.fits(who))
        };
        self.packages.iter().filter(fits).collect()
    }

    /// The terms that may be agreed on, in months: whole years up to the longest.
    pub fn terms(&self) -> Vec<i32> {
        let mut terms: Vec<i32> = (1..)
            .map(|year| year * YEAR_MONTHS)
            .take_while(|term| *term <= self.longest_term_months)
            .collect();
        if !terms.contains(&self.term_months) {
            terms.push(self.term_months);
        }
        terms.sort_unstable();
        terms
    }

    /// The last day of an agreement that holds from `from` for `months`: the one before the corresponding day; where the month
    /// has none, its last (民法典第二百零二条).
    pub const fn last_day(from: Day, months: i32) -> Day {
        let end = from.plus_months(months);
        if end.ymd().2 < from.ymd().2 { end } else { end.plus_days(-1) }
    }

    pub(crate) fn read(fields: &Fields<'_>, vocabulary: &Vocabulary) -> Option<AgreementRules> {
        let (period, sure, source) = (Period::read(fields), Sure::read(fields), Source::read(fields));
        let term_months = read_whole(fields, "term_months", MOST_MONTHS);
        let longest_term_months = read_whole(fields, "longest_term_months", MOST_MONTHS);
        let remind_days = read_whole(fields, "remind_days", MOST_DAYS);
        if let (Some(term), Some(longest)) = (term_months, longest_term_months)
            && longest < term
        {
            let error = fields.spot().error(Word::ErrBackwards, Word::MendBackwards);
            fields.push(error.with("from", term.to_string()).with("to", longest.to_string()));
        }
        let guardian_below_age = read_whole(fields, "guardian_below_age", MOST_AGE);
        let fee = fields.table_maybe("fee").and_then(|table| read_fee(&table));
        let consent = fields.bilingual("consent");
        let mut clauses = Vec::new();
        for clause in fields.some_tables("clause") {
            clauses.extend(clause.bilingual("text"));
            clause.finish();
        }
        let roles = read_each(fields, "role", read_role, |role| &role.id);
        let package = |table: &Fields<'_>| read_package(table, vocabulary);
        let packages = read_each(fields, "package", package, |package| &package.id);
        fields.finish();
        Some(AgreementRules {
            period: period?,
            sure: sure?,
            source: source?,
            term_months: term_months?,
            longest_term_months: longest_term_months?,
            remind_days: remind_days?,
            guardian_below_age: guardian_below_age.and_then(|age| u8::try_from(age).ok())?,
            fee,
            consent: consent?,
            clauses,
            roles,
            packages,
        })
    }

    /// What is answered for a resident.
    pub(crate) fn answers(&self, who: &Resident<'_>) -> Vec<(&'static str, String)> {
        let proposed = self.proposed(who);
        let joined = |all: Vec<String>| if all.is_empty() { "none".to_owned() } else { all.join(", ") };
        let role = |role: &TeamRole| {
            format!("{} {}{}", role.id, role.tier.name(), if role.leads { " leads" } else { "" })
        };
        let item = |package: &ServicePackage, item: &PackageItem| {
            let times = item.times.map_or_else(|| "as needed".to_owned(), |times| times.to_string());
            format!("{}.{} {times} {}", package.id, item.id, item.done_by.answer())
        };
        let items = proposed.iter().flat_map(|package| package.items.iter().map(|one| item(package, one)));
        let ids = |keep: &dyn Fn(&ServicePackage) -> bool, of: &[&ServicePackage]| {
            joined(of.iter().filter(|package| keep(package)).map(|package| package.id.clone()).collect())
        };
        let all: Vec<&ServicePackage> = self.packages.iter().collect();
        let level = |package: &&ServicePackage| format!("{} {}", package.id, package.sensitive);
        let fee = |fee: AgreementFee| format!("{} {} {}", fee.fund, fee.public_health, fee.person);
        vec![
            ("in_force", true.to_string()),
            ("term_months", self.term_months.to_string()),
            ("longest_term_months", self.longest_term_months.to_string()),
            ("remind_days", self.remind_days.to_string()),
            ("guardian_below_age", self.guardian_below_age.to_string()),
            ("fee", self.fee.map_or_else(|| "none".to_owned(), fee)),
            ("clauses", self.clauses.len().to_string()),
            ("roles", joined(self.roles.iter().map(role).collect())),
            ("packages", ids(&|_| true, &proposed)),
            ("first", ids(&|package| package.first, &proposed)),
            ("sensitive", joined(all.iter().filter(|one| one.sensitive > 0).map(level).collect())),
            ("by_hand", ids(&|package| !package.basic && package.fits.is_none(), &all)),
            ("items", joined(items.collect())),
        ]
    }
}

/// The tables of a list, each with another code name.
fn read_each<T>(
    fields: &Fields<'_>,
    key: &'static str,
    read: impl Fn(&Fields<'_>) -> Option<T>,
    id: impl Fn(&T) -> &String,
) -> Vec<T> {
    let mut all: Vec<T> = Vec::new();
    for table in fields.some_tables(key) {
        let Some(one) = read(&table) else { continue };
        if all.iter().any(|earlier| id(earlier) == id(&one)) {
            table.push(table.spot().error(Word::ErrTwice, Word::MendTwice).with("value", id(&one).clone()));
        }
        all.push(one);
    }
    all
}

fn read_role(table: &Fields<'_>) -> Option<TeamRole> {
    let (id, name) = (table.text("id"), table.bilingual("name"));
    let tier = table.chosen(table.text("tier"), TeamTier::NAMES, TeamTier::from_name);
    let leads = table.flag_maybe("leads").unwrap_or(false);
    table.finish();
    Some(TeamRole { id: id?.value.to_owned(), name: name?, tier: tier?, leads })
}

fn read_package(table: &Fields<'_>, vocabulary: &Vocabulary) -> Option<ServicePackage> {
    let (id, name) = (table.text("id"), table.bilingual("name"));
    let basic = table.flag_maybe("basic").unwrap_or(false);
    let first = table.flag_maybe("first").unwrap_or(false);
    let sensitive = table.whole_maybe("sensitive").and_then(|level| u8::try_from(level.value).ok());
    let fits = table.table_maybe("for").map(|fits| read_for(&fits, vocabulary));
    let items = read_each(table, "item", read_item, |item| &item.id);
    table.finish();
    Some(ServicePackage {
        id: id?.value.to_owned(),
        name: name?,
        basic,
        first,
        sensitive: sensitive.unwrap_or(0),
        fits,
        items,
    })
}

fn read_for(table: &Fields<'_>, vocabulary: &Vocabulary) -> PackageFor {
    let codes = table.texts_maybe("icd10").unwrap_or_default();
    let icd10 = table.parse_all(codes, Word::ErrNotACode, Word::MendCode);
    let labels = if table.has("labels") { read_label_set(table, "labels", vocabulary) } else { None };
    let sex = table.sex(table.text_maybe("sex"));
    let (min_age, max_age) = (table.age_maybe("min_age"), table.age_maybe("max_age"));
    let fits = PackageFor { icd10, labels: labels.unwrap_or(LabelSet::NONE), min_age, max_age, sex };
    table.finish();
    if fits == PackageFor::default() {
        table.push(table.spot().error(Word::ErrEveryone, Word::MendEveryone));
    }
    fits
}

fn read_item(table: &Fields<'_>) -> Option<PackageItem> {
    let (id, name) = (table.text("id"), table.bilingual("name"));
    let times = table.has("times").then(|| read_whole(table, "times", MOST_TIMES)).flatten();
    let owned = |key| table.text_maybe(key).map(|text| text.value.to_owned());
    let is_plan = table.flag_maybe("plan").unwrap_or(false);
    let done_by = match (owned("follow_up"), owned("window")) {
        (Some(programme), _) => DoneBy::FollowUp(programme),
        (None, Some(window)) => DoneBy::Window(window),
        (None, None) if is_plan => DoneBy::Plan,
        (None, None) => DoneBy::Hand,
    };
    table.finish();
    let times = times.and_then(|times| u8::try_from(times).ok());
    Some(PackageItem { id: id?.value.to_owned(), name: name?, times, done_by })
}

fn read_fee(table: &Fields<'_>) -> Option<AgreementFee> {
    let amount = |key| table.money(key).map(|amount| amount.value);
    let (fund, public_health, person) = (amount("fund"), amount("public_health"), amount("person"));
    table.finish();
    Some(AgreementFee { fund: fund?, public_health: public_health?, person: person? })
}

/// A whole number of at least one and at most `most`.
fn read_whole(fields: &Fields<'_>, key: &'static str, most: i64) -> Option<i32> {
    let read = fields.whole(key)?;
    if !(1..=most).contains(&read.value) {
        let error = read.spot.error(Word::ErrNotInList, Word::MendList);
        fields.push(error.with("value", read.value.to_string()).with("list", format!("1 … {most}")));
        return None;
    }
    i32::try_from(read.value).ok()
}
