//! A list of residents as an Excel file with the columns that the import takes. Numbers are masked, unless somebody who
//! keeps the register asks for them whole, to mend the file and bring it back.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use axum::extract::Path;
use axum::http::Uri;
use axum::response::Response;
use kangmai_access::audit;
use kangmai_base::{Day, Fen, IdNumber, IdNumberKind, Phone, Refusal, Sex};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::{
    Enrolment, HouseholdBody, HouseholdId, LabelInterval, Person, REGISTER, Relation, find_household,
};
use kangmai_programme::Visit;
use kangmai_sheets::{Cell, Head, SheetError, Speech, XlsxExport};
use kangmai_web::{Failure, Language, ListQuery, Words, workbook};

use crate::list::List;
use crate::pages::Numbers;
use crate::pages::list::{SPEC, asked_reach};

/// The most people of one file; a county exports by township.
const LIMIT: i64 = 100_000;
/// People read at once.
const BATCH: i64 = 1_000;

/// A cell that owns its text.
enum Written {
    Nothing,
    Text(String),
    Amount(Fen),
    Day(Day),
    Whole(i64),
}

/// GET: the whole list, with masked numbers.
pub(crate) async fn excel(visit: Visit, Path(label): Path<String>, uri: Uri) -> Result<Response, Failure> {
    export(visit, label, uri, Numbers::Masked).await
}

/// POST: the whole list, with whole numbers.
pub(crate) async fn whole(visit: Visit, Path(label): Path<String>, uri: Uri) -> Result<Response, Failure> {
    export(visit, label, uri, Numbers::Whole).await
}

/// Personal data leaves the house, so a line of the audit trail is written first.
async fn export(visit: Visit, label: String, uri: Uri, numbers: Numbers) -> Result<Response, Failure> {
    let which = List::of_key(&label).ok_or(Failure::NotFound)?;
    let asked = asked_reach(&visit.reach, &ListQuery::read(&SPEC, &uri))?;
    let (today, narrow) = (visit.today, asked.clone());
    let total = visit.app.database.read(move |tx| which.count(tx, &narrow, today)).await?;
    if total > LIMIT {
        return Err(Refusal::new("register.list.too_long").with("most", LIMIT.to_string()).into());
    }
    let (id, now, actor, place) =
        (visit.app.mint(), visit.app.clock.now(), visit.actor.clone(), asked.place());
    let reason = format!("{label} {total}");
    let action = if numbers == Numbers::Whole { "export_numbers" } else { "export" };
    let note =
        move |tx: &mut Transaction<'_>| audit(tx, id, now, &actor, action, None, place, &reason, "done");
    visit.app.database.write(note).await?;
    let (words, language) = (visit.app.words.clone(), visit.page.language);
    let database = visit.app.database.clone();
    let bytes = tokio::task::spawn_blocking(move || {
        database.read_blocking(move |tx| write(tx, (which, numbers), &asked, today, &words, language))
    });
    let bytes = bytes.await??;
    Ok(workbook(bytes, &format!("{label}-{place}-{today}.xlsx")))
}

fn write(
    tx: &mut Transaction<'_>,
    (which, numbers): (List, Numbers),
    reach: &kangmai_access::Reach,
    today: Day,
    words: &Words,
    language: Language,
) -> Result<Vec<u8>, DatabaseError> {
    let broken = |error: SheetError| DatabaseError::Refused(error.to_string());
    let say = |refusal: &Refusal| words.refusal(language, refusal, "");
    let speech = Speech { english: language == Language::En, say: &say };
    let heads = REGISTER.columns.iter().map(|column| Head::of(column, &speech)).collect();
    let mut file = XlsxExport::begin(&words.word(language, which.word()), heads).map_err(broken)?;
    let mut households: HashMap<HouseholdId, Option<HouseholdBody>> = HashMap::new();
    let mut offset = 0;
    loop {
        let people = which.people(tx, reach, today, offset, BATCH)?;
        for person in &people {
            let id = HouseholdId::from_uuid(person.body.household);
            if let Entry::Vacant(vacant) = households.entry(id) {
                vacant.insert(find_household(tx, id)?.map(|household| household.body));
            }
            let household = households.get(&id).and_then(Option::as_ref);
            let of = |column: &kangmai_sheet::Column| match (numbers, column.key) {
                (Numbers::Masked, "id_number") => text(person.body.id_number.as_ref().map(IdNumber::masked)),
                (Numbers::Masked, "phone") => text(person.body.phone.as_ref().map(Phone::masked)),
                (_, key) => written(key, person, household, words),
            };
            let written: Vec<Written> = REGISTER.columns.iter().map(of).collect();
            let cells: Vec<Cell<'_>> = written.iter().map(cell).collect();
            file.row(&cells).map_err(broken)?;
        }
        offset += BATCH;
        if i64::try_from(people.len()).unwrap_or(0) < BATCH || offset >= LIMIT {
            return file.finish_in_memory().map_err(broken);
        }
    }
}

fn cell(written: &Written) -> Cell<'_> {
    match written {
        Written::Nothing => Cell::Empty,
        Written::Text(text) => Cell::Text(text),
        Written::Amount(amount) => Cell::Amount(*amount),
        Written::Day(day) => Cell::Day(*day),
        Written::Whole(number) => Cell::Whole(*number),
    }
}

fn text(text: Option<String>) -> Written {
    text.filter(|text| !text.is_empty()).map_or(Written::Nothing, Written::Text)
}

/// What stands in a column of the register, in the words that the import reads.
fn written(column: &str, person: &Person, household: Option<&HouseholdBody>, words: &Words) -> Written {
    let body = &person.body;
    let day = |day: Option<Day>| day.map_or(Written::Nothing, Written::Day);
    match column {
        "household_number" => text(household.map(|household| household.number.clone())),
        "relation" => text(body.relation.map(|relation| relation_in_file(relation).to_owned())),
        "name" => Written::Text(body.name.clone()),
        "id_kind" => text(body.id_number.as_ref().map(|number| kind_in_file(number.kind()).to_owned())),
        "id_number" => text(body.id_number.as_ref().map(|number| number.as_str().to_owned())),
        "sex" => text(body.sex.map(|sex| if sex == Sex::Male { "男" } else { "女" }.to_owned())),
        "birth" => day(body.birth),
        "ethnicity" => text(body.ethnicity.clone()),
        "home_code" => Written::Text(person.home.to_string()),
        "address" => text(household.and_then(|household| household.address.clone())),
        "living" => text(body.living.map(|living| living.to_string())),
        "phone" => text(body.phone.as_ref().map(|phone| phone.as_str().to_owned())),
        "enrolment" => text(body.enrolment.map(|enrolment| enrolment_in_file(enrolment).to_owned())),
        "labels" => text(Some(joined(&body.labels, |label| {
            let word = words.word(Language::Zh, label.label.word()).into_owned();
            word.split('（').next().unwrap_or_default().to_owned()
        }))),
        "labels_from" => text(dates(&body.labels, |label| label.from)),
        "labels_to" => text(dates(&body.labels, |label| label.to)),
        "labels_source" => text(one_source(&body.labels)),
        "died" => day(body.died_on),
        "annual_income" => household.and_then(|it| it.income).map_or(Written::Nothing, Written::Amount),
        "income_year" => household
            .and_then(|household| household.income_year)
            .map_or(Written::Nothing, |year| Written::Whole(i64::from(year))),
        // The place stands in its code; names of it would say it twice.
        _ => Written::Nothing,
    }
}

fn joined(labels: &[LabelInterval], one: impl Fn(&LabelInterval) -> String) -> String {
    labels.iter().map(one).collect::<Vec<_>>().join("、")
}

/// One date for each label, `-` for none; nothing if there is none at all.
fn dates(labels: &[LabelInterval], date: impl Fn(&LabelInterval) -> Option<Day>) -> Option<String> {
    labels
        .iter()
        .any(|label| date(label).is_some())
        .then(|| joined(labels, |label| date(label).map_or_else(|| "-".to_owned(), |day| day.to_string())))
}

/// The source, if all labels have the same.
fn one_source(labels: &[LabelInterval]) -> Option<String> {
    let first = labels.first()?;
    labels.iter().all(|label| label.source == first.source).then(|| first.source.clone())
}

const fn relation_in_file(relation: Relation) -> &'static str {
    match relation {
        Relation::Head => "户主",
        Relation::Spouse => "配偶",
        Relation::Child => "子女",
        Relation::ChildInLaw => "儿媳",
        Relation::Grandchild => "孙子女",
        Relation::Parent => "父母",
        Relation::ParentInLaw => "公婆",
        Relation::Grandparent => "祖父母",
        Relation::Sibling => "兄弟姐妹",
        Relation::Other => "其他",
    }
}

const fn enrolment_in_file(enrolment: Enrolment) -> &'static str {
    match enrolment {
        Enrolment::Resident => "城乡居民",
        Enrolment::Employee => "职工",
        Enrolment::NotEnrolled => "未参保",
    }
}

const fn kind_in_file(kind: IdNumberKind) -> &'static str {
    match kind {
        IdNumberKind::Valid | IdNumberKind::WrongButOfficial => "居民身份证",
        IdNumberKind::Passport => "护照",
        IdNumberKind::Temporary => "临时编号",
    }
}
