//! What law holds here today, since when, from where, how sure.

use askama::Template;
use axum::http::Uri;
use axum::response::Response;
use kangmai_base::{Day, DivisionCode};
use kangmai_places::Divisions;
use kangmai_policy::{Language as Spoken, Sure};
use kangmai_programme::Visit;
use kangmai_web::{Choice, Failure, Field, Language, ListQuery, ListSpec, Page, show};

static LIST: ListSpec = ListSpec {
    filters: &[
        Field::text("place", "server.packs.place").optional(),
        Field::day("on", "server.packs.on").optional(),
        Field::select("pack", "server.packs.pack").optional(),
    ],
    sorts: &["order"],
    descending: false,
};
static FILE: ListSpec = ListSpec {
    filters: &[Field::text("path", "server.packs.path").optional()],
    sorts: &["path"],
    descending: false,
};

#[derive(Template)]
#[template(path = "office_packs.html")]
struct PacksPage {
    page: Page,
    list: ListQuery,
    place_name: String,
    pack_name: Option<String>,
    note: String,
    layers: Vec<Layer>,
    hash: String,
}

struct Layer {
    name: String,
    payer: String,
    since: Option<Day>,
    until: Option<Day>,
    gap: String,
    sure: &'static str,
    sure_tone: &'static str,
    document: String,
    article: String,
    quote: String,
    note: String,
    path: String,
}

const fn spoken(language: Language) -> Spoken {
    match language {
        Language::Zh => Spoken::Zh,
        Language::En => Spoken::En,
    }
}

pub(super) async fn show_here(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let mut list = ListQuery::read(&LIST, &uri);
    let release = &visit.app.policies;
    let language = spoken(visit.page.language);
    let choices = release
        .jurisdictions()
        .iter()
        .map(|one| Choice::new(one.pack.directory.clone(), one.pack.name.get(language)))
        .collect();
    list.offer("pack", choices);
    let place = list.parsed::<DivisionCode>("place").unwrap_or(visit.actor.place);
    let on = list.form.day("on").unwrap_or(visit.today);
    let jurisdiction = match list.chosen("pack") {
        Some(directory) => release.jurisdiction(directory),
        None => release.jurisdiction_for(place, on),
    };
    let mut page = visit.page.titled("server.packs");
    page.lead = page.say1("server.packs.on_day", "day", page.day(on));
    let layers = jurisdiction
        .map(|one| one.to_read().layers().iter().map(|layer| read(&page, &layer.benefit, on)).collect())
        .unwrap_or_default();
    let place_name = Divisions::shipped().get(place).map(kangmai_places::Division::full_name);
    show(&PacksPage {
        list,
        place_name: place_name.unwrap_or_default(),
        pack_name: jurisdiction.map(|one| one.pack.name.get(language).to_owned()),
        note: jurisdiction
            .and_then(|one| one.pack.note.as_ref())
            .map(|note| note.get(language).to_owned())
            .unwrap_or_default(),
        layers,
        hash: release.hash().to_owned(),
        page,
    })
}

fn read(page: &Page, benefit: &kangmai_policy::Benefit, on: Day) -> Layer {
    let language = spoken(page.language);
    let version = benefit.version_on(on);
    let gap = benefit.gaps.iter().find(|gap| gap.period.contains(on));
    let source = version.map(|version| &version.source);
    let (sure, sure_tone) = match version.map(|version| version.sure) {
        Some(Sure::High) => ("server.packs.sure.high", "good"),
        Some(Sure::Medium) => ("server.packs.sure.medium", "plain"),
        Some(Sure::Low) => ("server.packs.sure.low", "warning"),
        None => ("server.packs.not_in_force", "plain"),
    };
    Layer {
        name: benefit.name.get(language).to_owned(),
        payer: benefit.payer.name.get(language).to_owned(),
        since: version.map(|version| version.period.from),
        until: version.and_then(|version| version.period.to),
        gap: gap.map(|gap| gap.why.get(language).to_owned()).unwrap_or_default(),
        sure,
        sure_tone,
        document: source.map(|source| source.doc.clone()).unwrap_or_default(),
        article: source.and_then(|source| source.article.clone()).unwrap_or_default(),
        quote: source.and_then(|source| source.quote.clone()).unwrap_or_default(),
        note: source
            .and_then(|source| source.note.as_ref())
            .map(|note| note.get(language).to_owned())
            .unwrap_or_default(),
        path: format!("/policies/file?path={}", benefit.path),
    }
}

#[derive(Template)]
#[template(path = "office_pack_file.html")]
struct FilePage {
    page: Page,
    text: String,
}

pub(super) async fn show_file(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let list = ListQuery::read(&FILE, &uri);
    let path = list.filter("path").unwrap_or_default().to_owned();
    let files = visit.app.policies.files();
    let (_, text) = files.iter().find(|(known, _)| *known == path).ok_or(Failure::NotFound)?;
    let mut page = visit.page.titled("server.packs.file");
    page.lead = path;
    show(&FilePage { page, text: text.clone() })
}
