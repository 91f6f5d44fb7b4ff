//! The tables of the packs in words: what resident insurance costs and who is helped with it, what institutions are paid
//! by the case and by the year, and what the county has set for major diseases.

use askama::Template;
use axum::http::Uri;
use axum::response::Response;
use kangmai_access::{Purpose, reach};
use kangmai_base::{Day, DivisionCode, Fen};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::Person;
use kangmai_places::Divisions;
use kangmai_policy::{
    DiseaseCap, DiseaseCaps, LabelSet, Language as Spoken, Premium, PremiumAid, PremiumDue, PremiumGift,
    Release, Source, Subsidy, SubsidyPer, SubsidyTable, Sure,
};
use kangmai_programme::{Looking, Section, Visit};
use kangmai_web::{Failure, Field, Html, ListQuery, ListSpec, Page, show};

use super::law::sure_word;
use super::packs::spoken;

/// Years before and after the day asked whose premium is shown.
const YEARS_BEFORE: i32 = 2;
const YEARS_AFTER: i32 = 1;

static LIST: ListSpec = ListSpec {
    filters: &[
        Field::text("place", "server.packs.place").optional(),
        Field::day("on", "server.packs.on").optional(),
    ],
    sorts: &["order"],
    descending: false,
};

/// Where a line comes from, and how sure it is.
struct Ground {
    sure: &'static str,
    tone: &'static str,
    document: String,
    note: String,
}

struct PremiumLine {
    year: i32,
    state: String,
    person: String,
    ground: Ground,
}

/// Who gets what: a class of people, a kind of institution.
struct GiftLine {
    name: String,
    for_whom: String,
    gives: String,
    ground: Ground,
}

struct CapLine {
    disease: String,
    hospitals: String,
    pathway: String,
    price: String,
    promised: String,
    responsible: String,
}

#[derive(Template)]
#[template(path = "office_tables.html")]
struct TablesPage {
    page: Page,
    list: ListQuery,
    place_name: String,
    year: i32,
    premiums: Vec<PremiumLine>,
    aids: Vec<GiftLine>,
    premium_file: Option<String>,
    subsidies: Vec<GiftLine>,
    subsidy_file: Option<String>,
    may_list: bool,
    caps: Vec<CapLine>,
    caps_open: String,
    caps_ground: Option<Ground>,
    caps_file: Option<String>,
}

/// GET `/policies/tables`: the tables that hold at a place on a day.
pub(super) async fn show_tables(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let mut list = ListQuery::read(&LIST, &uri);
    let release = &visit.app.policies;
    let place = list.parsed::<DivisionCode>("place").unwrap_or(visit.actor.place);
    let on = list.form.day("on").unwrap_or(visit.today);
    let page = visit.page.titled("server.tables");
    let packs = page.word("server.packs").into_owned();
    let mut page = page.under(packs, "/policies");
    page.lead = page.say1("server.packs.on_day", "day", page.day(on));
    let year = on.year();
    let premiums = (year - YEARS_BEFORE..=year + YEARS_AFTER)
        .filter_map(|year| release.premium(place, year))
        .map(|premium| premium_line(&page, premium))
        .collect();
    let aids =
        release.premium_aids(place, year).into_iter().map(|aid| aid_line(&page, release, aid)).collect();
    let subsidies = release.subsidies(place, on);
    let subsidies = subsidies.map(|table| subsidy_lines(&page, release, table)).unwrap_or_default();
    let set = release.disease_caps(place, on);
    let (caps, caps_open) = set.map(|set| cap_lines(&page, release, set, (place, on))).unwrap_or_default();
    let place_name = Divisions::shipped().get(place).map(kangmai_places::Division::full_name);
    show(&TablesPage {
        list,
        place_name: place_name.unwrap_or_default(),
        year,
        premiums,
        aids,
        premium_file: file_of(release, place, "premiums.toml"),
        subsidies,
        subsidy_file: file_of(release, place, "subsidies.toml"),
        may_list: reach(&visit.actor, Purpose::ReadFigures).is_some(),
        caps,
        caps_open,
        caps_ground: set.map(|set| ground(&page, set.sure, &set.source)),
        caps_file: file_of(release, place, "disease_caps.toml"),
        page,
    })
}

/// The page of the file called `name` of the innermost pack that has one for `place`.
fn file_of(release: &Release, place: DivisionCode, name: &str) -> Option<String> {
    let holds = release.jurisdictions().iter().filter(|one| one.pack.place.contains(place));
    let paths = holds.map(|one| format!("{}/{name}", one.pack.directory));
    let is_there = |path: &String| release.files().iter().any(|(known, _)| known == path);
    let path = paths.filter(is_there).max_by_key(|path| path.matches('/').count());
    path.map(|path| format!("/policies/file?path={path}"))
}

fn ground(page: &Page, sure: Sure, source: &Source) -> Ground {
    let language = spoken(page.language);
    let (sure, tone) = sure_word(sure);
    let note = source.note.as_ref().map(|note| note.get(language).to_owned());
    let document = match &source.article {
        Some(article) => format!("{} {article}", source.doc),
        None => source.doc.clone(),
    };
    Ground { sure, tone, document, note: note.unwrap_or_default() }
}

fn amount(page: &Page, amount: Option<Fen>) -> String {
    amount.map_or_else(|| page.word("server.premium.unknown").into_owned(), |amount| page.yuan(amount))
}

fn premium_line(page: &Page, premium: &Premium) -> PremiumLine {
    PremiumLine {
        year: premium.year,
        state: page.yuan(premium.state),
        person: amount(page, premium.person),
        ground: ground(page, premium.sure, &premium.source),
    }
}

fn joined(page: &Page, names: Vec<String>) -> String {
    names.join(if page.is_chinese() { "、" } else { ", " })
}

fn aid_line(page: &Page, release: &Release, aid: &PremiumAid) -> GiftLine {
    let language = spoken(page.language);
    let labels = release.vocabulary().labels_in(aid.labels);
    GiftLine {
        name: aid.name.get(language).to_owned(),
        for_whom: joined(page, labels.map(|label| label.name.get(language).to_owned()).collect()),
        gives: gives(page, aid),
        ground: ground(page, aid.sure, &aid.source),
    }
}

/// What an aid gives, in words.
fn gives(page: &Page, aid: &PremiumAid) -> String {
    let least = |key: &'static str, least: &'static str| if aid.at_least { least } else { key };
    match aid.gift {
        PremiumGift::Full => page.word("server.premium.full").into_owned(),
        PremiumGift::Fixed(None) => page.word("server.premium.local").into_owned(),
        PremiumGift::Fixed(Some(sum)) => {
            let key = least("server.premium.fixed", "server.premium.fixed_least");
            page.say1(key, "amount", page.yuan(sum))
        }
        PremiumGift::Share(rate) => {
            page.say1(least("server.premium.share", "server.premium.share_least"), "rate", rate)
        }
    }
}

fn subsidy_lines(page: &Page, release: &Release, table: &SubsidyTable) -> Vec<GiftLine> {
    let language = spoken(page.language);
    let line = |item: &Subsidy| {
        let sure = item.sure.unwrap_or(table.sure);
        GiftLine {
            name: item.name.get(language).to_owned(),
            for_whom: for_institutions(page, release, item),
            gives: subsidy_gives(page, item),
            ground: ground(page, sure, item.source.as_ref().unwrap_or(&table.source)),
        }
    };
    table.items.iter().map(line).collect()
}

/// The amount of a payment, for a case or for a year.
pub(super) fn subsidy_gives(page: &Page, item: &Subsidy) -> String {
    let key = match item.per {
        SubsidyPer::Case => "server.subsidy.per_case",
        SubsidyPer::Year => "server.subsidy.per_year",
    };
    page.say1(key, "amount", page.yuan(item.amount))
}

fn for_institutions(page: &Page, release: &Release, item: &Subsidy) -> String {
    let language = spoken(page.language);
    let kind = |words: (&'static str, &'static str)| match language {
        Spoken::Zh => words.0.to_owned(),
        Spoken::En => words.1.to_owned(),
    };
    let names = release.vocabulary().designations_in(item.designations);
    let names: Vec<String> = names.map(|name| name.name.get(language).to_owned()).collect();
    let kinds: Vec<String> = item.kinds.iter().map(|one| kind(one.words())).collect();
    match (kinds.is_empty(), names.is_empty()) {
        (true, true) => page.word("server.subsidy.any").into_owned(),
        (false, true) => joined(page, kinds),
        (true, false) => joined(page, names),
        (false, false) => {
            let (kinds, names) = (joined(page, kinds), joined(page, names));
            page.say2("server.subsidy.named", "kinds", kinds, "names", names)
        }
    }
}

/// What is set, in the order of the list of diseases, and the names of those for which nothing is.
fn cap_lines(
    page: &Page,
    release: &Release,
    set: &DiseaseCaps,
    (place, on): (DivisionCode, Day),
) -> (Vec<CapLine>, String) {
    let language = spoken(page.language);
    let diseases = release.disease_table(place, on).map(|table| table.major.as_slice());
    let (mut lines, mut open) = (Vec::new(), Vec::new());
    for disease in diseases.unwrap_or_default() {
        let name = disease.name.get(language).to_owned();
        match set.cap_for(&disease.id) {
            Some(cap) => lines.push(cap_line(page, name, cap, set)),
            None => open.push(name),
        }
    }
    (lines, joined(page, open))
}

fn cap_line(page: &Page, disease: String, cap: &DiseaseCap, set: &DiseaseCaps) -> CapLine {
    let none = || "—".to_owned();
    let hospitals = joined(page, cap.hospitals.clone());
    let pathway = cap.pathway.as_ref();
    let responsible = cap.responsible.as_ref().unwrap_or(&set.responsible);
    CapLine {
        disease,
        hospitals: if hospitals.is_empty() { none() } else { hospitals },
        pathway: pathway.map_or_else(none, |pathway| format!("{} {}", pathway.id, pathway.version)),
        price: cap.price.map_or_else(none, |price| page.yuan(price)),
        promised: cap.promised.map_or_else(none, |rate| rate.to_string()),
        responsible: responsible.get(spoken(page.language)).to_owned(),
    }
}

/// What is due for one year, as it stands on a person's page.
struct DueLine {
    year: i32,
    state: String,
    person: String,
    aid: String,
    pays: String,
    ground: Ground,
}

#[derive(Template)]
#[template(path = "office_premium.html")]
struct PremiumPart {
    page: Page,
    lines: Vec<DueLine>,
}

/// The part of a person's page that says what resident insurance costs them this year and the next, and who pays it,
/// by the labels of today.
#[expect(clippy::unnecessary_wraps, reason = "the form of every part of a person's page")]
pub(super) fn premium_section(
    _: &mut Transaction<'_>,
    looking: &Looking,
    person: &Person,
) -> Result<Option<Section>, DatabaseError> {
    let (page, release) = (looking.page.clone(), &looking.app.policies);
    let labels = person.labels_on(looking.today);
    let labels: LabelSet = release.labels(labels.iter().map(|label| label.key()));
    let year = looking.today.year();
    let lines: Vec<DueLine> = (year..=year + YEARS_AFTER)
        .filter_map(|year| release.premium_due(person.home, year, labels))
        .map(|due| due_line(&page, due))
        .collect();
    if lines.is_empty() {
        return Ok(None);
    }
    let heading = page.word("server.premium").into_owned();
    Ok(Some(Section { heading, body: Html::of(&PremiumPart { page, lines }), order: 60 }))
}

fn due_line(page: &Page, due: PremiumDue<'_>) -> DueLine {
    let language = spoken(page.language);
    let aid = due.aid.map(|aid| {
        let (name, gives) = (aid.name.get(language), gives(page, aid));
        page.say2("server.premium.aided_as", "name", name, "gives", gives)
    });
    let pays = match (due.pays, due.at_most) {
        (Some(pays), true) => page.say1("server.premium.at_most", "amount", page.yuan(pays)),
        (pays, _) => amount(page, pays),
    };
    // The less sure of the two figures that it rests on.
    let of_aid = due.aid.filter(|aid| aid.sure < due.premium.sure);
    let (sure, source) =
        of_aid.map_or((due.premium.sure, &due.premium.source), |aid| (aid.sure, &aid.source));
    DueLine {
        year: due.premium.year,
        state: page.yuan(due.premium.state),
        person: amount(page, due.premium.person),
        aid: aid.unwrap_or_else(|| page.word("server.premium.no_aid").into_owned()),
        pays,
        ground: ground(page, sure, source),
    }
}
