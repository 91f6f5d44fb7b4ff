//! A pack proves itself in the reader's eyes: the points that no case covers, and the small changes that no case notices.

use askama::Template;
use axum::response::Response;
use kangmai_policy::{AliveMutant, CaseSaid, MutationChoice, Release, pack_directory};
use kangmai_programme::Visit;
use kangmai_web::{Failure, Flash, FormBody, Page, show};
use tokio::sync::Semaphore;

use super::packs::spoken;

/// Packs that are judged at the same time: each takes a processor for a while.
const AT_ONCE: usize = 1;
static JUDGING: Semaphore = Semaphore::const_new(AT_ONCE);
/// Findings that a page shows; the rest is counted.
const MOST_SHOWN: usize = 200;

/// What was found.
struct Finding {
    /// In words.
    said: String,
    /// As the loader says it.
    raw: String,
    /// The case to write, in words and as it is written.
    case: Option<(String, String)>,
}

#[derive(Template)]
#[template(path = "office_proof.html")]
struct ProofPage {
    page: Page,
    what: &'static str,
    said: String,
    findings: Vec<Finding>,
    more: usize,
    is_proved: bool,
    hash: String,
}

/// POST `/policies/proof`: `act` says whether the points are derived or the mutants judged.
pub(super) async fn prove(visit: Visit, body: FormBody) -> Result<Response, Failure> {
    let release = visit.app.policies.clone();
    let one = release.jurisdiction(body.value("pack")).ok_or(Failure::NotFound)?;
    let (directory, mutates) = (one.pack.directory.clone(), body.act() == "mutate");
    let back = format!("/policies?pack={directory}");
    let language = spoken(visit.page.language);
    let name = one.pack.name.get(language).to_owned();
    let Ok(_turn) = JUDGING.try_acquire() else {
        return Ok(Flash::warning(visit.page.word("server.proof.busy")).then_go_to(&back));
    };
    let (law, pack, page) = (release.clone(), directory, visit.page.clone());
    let work = move || if mutates { mutants(&page, &law, &pack) } else { points(&page, &law, &pack) };
    let (said, mut findings) = tokio::task::spawn_blocking(work).await.map_err(Failure::internal)?;
    let page = visit.page.titled(if mutates { "server.proof.mutate" } else { "server.proof.check" });
    let mut page = page.under(name.clone(), back);
    page.lead = name;
    let more = findings.len().saturating_sub(MOST_SHOWN);
    findings.truncate(MOST_SHOWN);
    show(&ProofPage {
        what: if mutates { "server.proof.mutate.what" } else { "server.proof.check.what" },
        is_proved: findings.is_empty(),
        hash: release.hash().to_owned(),
        said,
        findings,
        more,
        page,
    })
}

/// The cases of the pack that come out otherwise, then the points that none covers.
fn points(page: &Page, release: &Release, pack: &str) -> (String, Vec<Finding>) {
    let language = spoken(page.language);
    let failed = release.changed_cases().into_iter().filter(|case| pack_directory(&case.path) == pack);
    let failed = failed.map(|case| {
        let rows = case.rows.iter().map(|row| {
            let part = |text: &kangmai_policy::Bilingual| text.get(language).to_owned();
            match part(&row.what).as_str() {
                "" => part(&row.found),
                what => {
                    format!("{} {what}: {} → {}", part(&row.given), part(&row.expected), part(&row.found))
                }
            }
        });
        let said =
            page.say2("server.proof.failed", "name", &case.name, "what", rows.collect::<Vec<_>>().join("; "));
        Finding { said, raw: format!("{}:{}", case.path, case.line), case: None }
    });
    let missing = release.lint().into_iter().filter(|point| pack_directory(&point.path) == pack);
    let missing = missing.map(|point| Finding {
        said: page.say2(
            "server.proof.missing",
            "problem",
            point.problem(language),
            "mend",
            point.advice(language),
        ),
        raw: point.render_warning(language),
        case: None,
    });
    let findings: Vec<Finding> = failed.chain(missing).collect();
    (page.count("server.proof.points", findings.len()), findings)
}

fn mutants(page: &Page, release: &Release, pack: &str) -> (String, Vec<Finding>) {
    let language = spoken(page.language);
    let report = release.mutate(&MutationChoice { pack: Some(pack.to_owned()), only: None, threads: 1 });
    let (noticed, alive) = (report.killed + report.refused, report.alive.len());
    let said =
        page.say2("server.proof.mutants", "noticed", page.number(noticed), "alive", page.number(alive));
    let case = |text: String| {
        let told = CaseSaid::of(&text, release.vocabulary()).map(|case| {
            let rows = case
                .rows
                .iter()
                .map(|[given, expect]| format!("{} → {}", given.get(language), expect.get(language)));
            format!("{} {}", case.days.join(", "), rows.collect::<Vec<_>>().join("; "))
        });
        (told.unwrap_or_default(), text)
    };
    let finding = |one: AliveMutant| Finding {
        said: one.said.get(language).to_owned(),
        raw: one.error.render(language),
        case: one.case.map(case),
    };
    (said, report.alive.into_iter().map(finding).collect())
}
