//! The agreement on paper (家庭医生签约服务协议书): as it was signed, as it is to be signed, or blank; and the picture of what was
//! signed.

use askama::Template;
use axum::extract::Path;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use kangmai_base::{DivisionLevel, Sex, Uuid};
use kangmai_policy::AgreementRules;
use kangmai_programme::{Visit, place_name};
use kangmai_web::{Failure, Page, show};

use super::agreement::{signer, way};
use super::{Known, known, note, note_as, team_of};
use crate::facts::TeamKept;
use crate::folder::Agreement;
use crate::rules::{PictureKind, SECRET_LEVEL};
use crate::sentences::{Names, members, often, said, team_line};
use crate::store;

/// Rows of the team that a blank form leaves free.
const BLANK_MEMBERS: usize = 5;
/// The width and height in which a signature is drawn.
const DRAWN: (u32, u32) = (600, 200);

/// A package on paper.
struct Package {
    name: String,
    /// Item, and how often.
    items: Vec<(String, String)>,
    ticked: bool,
}

/// A word and what stands beside it.
type Field = (String, String);

#[derive(Template)]
#[template(path = "agreements_print.html")]
struct PrintPage {
    page: Page,
    back: String,
    number: String,
    /// Two fields of the resident to a row.
    resident: Vec<(Field, Field)>,
    team: String,
    members: Vec<(String, String, String)>,
    packages: Vec<Package>,
    term: String,
    fee: String,
    consent: String,
    clauses: Vec<String>,
    signed: Vec<(String, String)>,
    picture: Option<String>,
    ended: String,
}

/// What of a year each bears, or that it is not set.
pub(super) fn fee(page: &Page, rules: Option<&AgreementRules>) -> String {
    match rules.and_then(|rules| rules.fee) {
        None => page.word("agreements.fee.not_set").into_owned(),
        Some(fee) => {
            let values: [(&str, &dyn std::fmt::Display); 3] = [
                ("fund", &page.yuan(fee.fund)),
                ("health", &page.yuan(fee.public_health)),
                ("person", &page.yuan(fee.person)),
            ];
            page.say("agreements.fee.split", &values)
        }
    }
}

fn clauses(page: &Page, rules: Option<&AgreementRules>) -> Vec<String> {
    let clauses = rules.map(|rules| rules.clauses.as_slice()).unwrap_or_default();
    clauses.iter().map(|clause| said(page, clause).to_owned()).collect()
}

/// GET `/agreements/blank`: for whoever signs on paper first.
pub(crate) async fn blank(visit: Visit) -> Result<Response, Failure> {
    let page = visit.page.clone().titled("agreements.print");
    let names = Names { release: &visit.app.policies, home: visit.reach.place(), on: visit.today };
    let rules = names.rules();
    let all = rules.map(|rules| rules.packages.as_slice()).unwrap_or_default();
    let package = |package: &kangmai_policy::ServicePackage| Package {
        name: said(&page, &package.name).to_owned(),
        items: package
            .items
            .iter()
            .map(|item| (said(&page, &item.name).to_owned(), often(&page, item.times)))
            .collect(),
        ticked: package.basic,
    };
    let word = |key: &str| (page.word(key).into_owned(), String::new());
    let resident = ["name", "sex", "birth", "id", "phone", "address"];
    show(&PrintPage {
        back: "/agreements".to_owned(),
        number: String::new(),
        resident: in_pairs(resident.iter().map(|key| word(&format!("agreements.print.{key}")))),
        team: String::new(),
        members: vec![(String::new(), String::new(), String::new()); BLANK_MEMBERS],
        // A blank form is for anybody: what is of level 5 is written by hand, by who treats.
        packages: all.iter().filter(|one| one.sensitive < SECRET_LEVEL).map(package).collect(),
        term: page.word("agreements.print.term_blank").into_owned(),
        fee: fee(&page, rules),
        consent: rules.map(|rules| said(&page, &rules.consent).to_owned()).unwrap_or_default(),
        clauses: clauses(&page, rules),
        signed: Vec::new(),
        picture: None,
        ended: String::new(),
        page,
    })
}

/// GET `/people/{id}/agreements/{agreement}/print`.
pub(crate) async fn page(
    visit: Visit,
    Path((id, agreement)): Path<(Uuid, Uuid)>,
) -> Result<Response, Failure> {
    let known = known(&visit, id).await?;
    let one = known.folder.agreement(agreement).ok_or(Failure::NotFound)?;
    let team = team_of(&visit, one.team()).await?;
    note(&visit, id, known.person.home).await?;
    if known.may_write {
        note_as(&visit, "reveal_numbers", id, known.person.home).await?;
    }
    let page = visit.page.clone().titled("agreements.print");
    let back = format!("/people/{id}/agreements/{agreement}");
    let page = page.under(known.person.body.name.clone(), back.clone());
    let on = one.signed.as_ref().map_or(visit.today, |signed| signed.body.on);
    let names = Names { release: &visit.app.policies, home: known.person.home, on };
    let has_picture = one.signed.as_ref().is_some_and(|signed| signed.body.signature.file.is_some());
    let kept = team.as_ref().map(|team| &team.kept);
    show(&PrintPage {
        number: agreement.simple().to_string(),
        resident: resident(&page, &known),
        team: team_line(&page, team.as_ref()),
        members: kept.map(|kept: &TeamKept| members(&page, &names, kept, on)).unwrap_or_default(),
        packages: packages(&page, &names, &known, one),
        term: term(&page, one),
        fee: fee(&page, names.rules()),
        consent: names.rules().map(|rules| said(&page, &rules.consent).to_owned()).unwrap_or_default(),
        clauses: clauses(&page, names.rules()),
        signed: signed(&page, one),
        picture: has_picture.then(|| format!("{back}/paper")),
        ended: ended(&page, one),
        back,
        page: Page { lead: String::new(), ..page },
    })
}

/// Who signs needs the whole numbers on the paper; anybody else reads them masked.
fn resident(page: &Page, known: &Known) -> Vec<(Field, Field)> {
    let body = &known.person.body;
    let sex = body.sex.map(|sex| {
        let key = if sex == Sex::Male { "agreements.sex.male" } else { "agreements.sex.female" };
        page.word(key).into_owned()
    });
    let home = address(known);
    let all = [
        ("agreements.print.name", Some(body.name.clone())),
        ("agreements.print.sex", sex),
        ("agreements.print.birth", body.birth.map(|birth| birth.to_string())),
        (
            "agreements.print.id",
            body.id_number.as_ref().map(|number| match known.may_write {
                true => number.as_str().to_owned(),
                false => number.masked(),
            }),
        ),
        (
            "agreements.print.phone",
            body.phone.as_ref().map(|phone| match known.may_write {
                true => phone.as_str().to_owned(),
                false => phone.masked(),
            }),
        ),
        ("agreements.print.address", Some(home)),
    ];
    in_pairs(all.into_iter().map(|(word, text)| (page.word(word).into_owned(), text.unwrap_or_default())))
}

fn in_pairs(mut fields: impl Iterator<Item = Field>) -> Vec<(Field, Field)> {
    let mut pairs = Vec::new();
    while let Some(first) = fields.next() {
        pairs.push((first, fields.next().unwrap_or_default()));
    }
    pairs
}

fn address(known: &Known) -> String {
    let home = known.person.home;
    match home.level() {
        Some(DivisionLevel::Village | DivisionLevel::Township) => place_name(home),
        _ => home.to_string(),
    }
}

fn packages(page: &Page, names: &Names<'_>, known: &Known, one: &Agreement) -> Vec<Package> {
    let Some(content) = one.content() else { return Vec::new() };
    let mut all: Vec<Package> = Vec::new();
    for id in &content.packages {
        let mut promises = content.promises.iter().filter(|promise| promise.package == *id).peekable();
        if promises.peek().is_some_and(|promise| promise.sensitive) && !known.secret {
            continue;
        }
        let items = promises
            .map(|promise| (names.item(page, id, &promise.item), often(page, promise.times)))
            .collect();
        all.push(Package { name: names.package(page, id), items, ticked: true });
    }
    all
}

fn term(page: &Page, one: &Agreement) -> String {
    match one.term() {
        Some((from, until)) => {
            page.say2("agreements.print.term", "from", page.day(from), "until", page.day(until))
        }
        None => page.word("agreements.print.term_blank").into_owned(),
    }
}

fn signed(page: &Page, one: &Agreement) -> Vec<(String, String)> {
    let Some(signed) = &one.signed else { return Vec::new() };
    let body = &signed.body;
    let all = [
        ("agreements.pair.signed", page.day(body.on)),
        ("agreements.pair.signer", signer(page, body)),
        ("agreements.pair.way", way(page, body)),
        ("agreements.pair.by", body.by.clone()),
    ];
    all.into_iter().map(|(word, text)| (page.word(word).into_owned(), text)).collect()
}

fn ended(page: &Page, one: &Agreement) -> String {
    let Some(ended) = &one.ended else { return String::new() };
    let why = page.word(&format!("agreements.end.{}", ended.body.reason.key())).into_owned();
    let values: [(&str, &dyn std::fmt::Display); 3] =
        [("day", &page.day(ended.body.on)), ("why", &why), ("note", &ended.body.note)];
    page.say("agreements.print.ended", &values)
}

/// GET `/people/{id}/agreements/{agreement}/paper`: what was drawn or photographed.
pub(crate) async fn paper(
    visit: Visit,
    Path((id, agreement)): Path<(Uuid, Uuid)>,
) -> Result<Response, Failure> {
    let known = known(&visit, id).await?;
    let one = known.folder.agreement(agreement).ok_or(Failure::NotFound)?;
    let signature = one.signed.as_ref().map(|signed| signed.body.signature.clone());
    let signature = signature.ok_or(Failure::NotFound)?;
    let file = signature.file.ok_or(Failure::NotFound)?;
    let found = visit.app.database.read(move |tx| store::picture(tx, file, id)).await?;
    let picture = found.filter(|picture| kangmai_policy::text_hash(&picture.text()) == signature.digest);
    let picture = picture.ok_or(Failure::NotFound)?;
    note(&visit, id, known.person.home).await?;
    let bytes = match picture.kind {
        PictureKind::Svg => drawn(&String::from_utf8_lossy(&picture.bytes)),
        PictureKind::Jpeg | PictureKind::Png => picture.bytes,
    };
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(picture.kind.content_type()));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// A path of moves and lines as a picture: it was checked to be nothing else when it came in.
fn drawn(path: &str) -> Vec<u8> {
    let (width, height) = DRAWN;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\"><path d=\"{path}\" \
         fill=\"none\" stroke=\"black\" stroke-width=\"3\" stroke-linecap=\"round\" \
         stroke-linejoin=\"round\"/></svg>"
    )
    .into_bytes()
}
