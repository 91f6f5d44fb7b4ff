//! What law holds here today, since when, from where, how sure.

use askama::Template;
use axum::http::Uri;
use axum::response::Response;
use kangmai_base::{Day, DivisionCode};
use kangmai_places::Divisions;
use kangmai_policy::{Jurisdiction, Language as Spoken};
use kangmai_programme::Visit;

use super::law::{self, Figures, Through};
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
    cases: Option<String>,
    tables: String,
    directory: String,
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
    applies: String,
    base: String,
    date: &'static str,
    figures: Option<Figures>,
    accumulators: Vec<String>,
    history: Option<String>,
    path: String,
}

pub(super) const fn spoken(language: Language) -> Spoken {
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
        .map(|one| one.to_read().layers().iter().map(|layer| read(&page, one, &layer.benefit, on)).collect())
        .unwrap_or_default();
    let place_name = Divisions::shipped().get(place).map(kangmai_places::Division::full_name);
    show(&PacksPage {
        place_name: place_name.unwrap_or_default(),
        pack_name: jurisdiction.map(|one| one.pack.name.get(language).to_owned()),
        note: jurisdiction
            .and_then(|one| one.pack.note.as_ref())
            .map(|note| note.get(language).to_owned())
            .unwrap_or_default(),
        layers,
        cases: jurisdiction.map(|one| format!("/policies/cases?pack={}", one.pack.directory)),
        tables: match jurisdiction.filter(|_| list.chosen("pack").is_some()) {
            Some(one) => format!("/policies/tables?place={}&on={on}", one.pack.place),
            None => format!("/policies/tables?place={place}&on={on}"),
        },
        directory: jurisdiction.map(|one| one.pack.directory.clone()).unwrap_or_default(),
        hash: release.hash().to_owned(),
        list,
        page,
    })
}

fn read(page: &Page, one: &Jurisdiction, benefit: &kangmai_policy::Benefit, on: Day) -> Layer {
    let language = spoken(page.language);
    let version = benefit.version_on(on);
    let gap = benefit.gaps.iter().find(|gap| gap.period.contains(on));
    let source = version.map(|version| &version.source);
    let (sure, sure_tone) =
        version.map_or(("server.packs.not_in_force", "plain"), |version| law::sure_word(version.sure));
    let policy = one.to_read();
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
        applies: policy.condition(&benefit.applies, language),
        base: law::base(page, benefit),
        date: law::date_word(benefit.date),
        figures: version.map(|version| law::figures(page, policy, benefit, version)),
        accumulators: law::accumulators(page, benefit),
        history: (benefit.versions.len() > 1)
            .then(|| format!("/policies/benefit?pack={}&benefit={}", one.pack.directory, benefit.id)),
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

static BENEFIT: ListSpec = ListSpec {
    filters: &[
        Field::text("pack", "server.packs.pack").optional(),
        Field::text("benefit", "server.law.benefit").optional(),
    ],
    sorts: &["path"],
    descending: false,
};

/// The head of a version's column.
struct Held {
    from: Day,
    to: Option<Day>,
    sure: &'static str,
    sure_tone: &'static str,
    document: String,
    article: String,
    quote: String,
}

#[derive(Template)]
#[template(path = "office_benefit.html")]
struct BenefitPage {
    page: Page,
    versions: Vec<Held>,
    rows: Vec<Through>,
}

/// GET `/policies/benefit`: the versions of one benefit side by side, with what changed from one to the next.
pub(super) async fn show_benefit(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let list = ListQuery::read(&BENEFIT, &uri);
    let one = list.filter("pack").and_then(|pack| visit.app.policies.jurisdiction(pack));
    let one = one.ok_or(Failure::NotFound)?;
    let layers = one.to_read().layers();
    let layer = layers.iter().find(|layer| list.filter("benefit") == Some(&*layer.benefit.id));
    let benefit = &layer.ok_or(Failure::NotFound)?.benefit;
    let back = format!("/policies?pack={}", one.pack.directory);
    let mut page = visit.page.titled("server.law.history");
    let language = spoken(page.language);
    page = page.under(one.pack.name.get(language).to_owned(), back);
    page.lead = benefit.name.get(language).to_owned();
    let held = |version: &std::sync::Arc<kangmai_policy::Version>| {
        let (sure, sure_tone) = law::sure_word(version.sure);
        Held {
            from: version.period.from,
            to: version.period.to,
            sure,
            sure_tone,
            document: version.source.doc.clone(),
            article: version.source.article.clone().unwrap_or_default(),
            quote: version.source.quote.clone().unwrap_or_default(),
        }
    };
    let rows = law::side_by_side(&page, one.to_read(), benefit, language);
    show(&BenefitPage { versions: benefit.versions.iter().map(held).collect(), rows, page })
}

/// One case as it is shown.
struct CaseLine {
    name: String,
    benefit: String,
    points: usize,
    difference: String,
}

#[derive(Template)]
#[template(path = "office_cases.html")]
struct CasesPage {
    page: Page,
    cases: Vec<CaseLine>,
    failed: usize,
}

/// GET `/policies/cases`: the worked examples of a pack, each run now.
pub(super) async fn show_cases(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let list = ListQuery::read(&BENEFIT, &uri);
    let one = list.filter("pack").and_then(|pack| visit.app.policies.jurisdiction(pack));
    let one = one.ok_or(Failure::NotFound)?;
    let page = visit.page.titled("server.law.cases");
    let language = spoken(page.language);
    let page =
        page.under(one.pack.name.get(language).to_owned(), format!("/policies?pack={}", one.pack.directory));
    let name_of = |id: Option<String>| {
        let benefit = one.pack.benefits.iter().find(|benefit| Some(&benefit.id) == id.as_ref());
        benefit.map_or_else(
            || page.word("server.law.all_layers").into_owned(),
            |benefit| benefit.name.get(language).to_owned(),
        )
    };
    let cases: Vec<CaseLine> = one
        .run_cases()
        .into_iter()
        .map(|case| CaseLine {
            benefit: name_of(case.benefit),
            name: case.name,
            points: case.points,
            difference: case.difference,
        })
        .collect();
    let failed = cases.iter().filter(|case| !case.difference.is_empty()).count();
    show(&CasesPage { page, cases, failed })
}
