//! A pack proves itself in the reader's eyes: the points that no case covers, and the small changes that no case notices.

use askama::Template;
use axum::response::Response;
use kangmai_policy::{MutationChoice, Release, pack_directory};
use kangmai_programme::Visit;
use kangmai_web::{Failure, Flash, FormBody, Page, show};
use tokio::sync::Semaphore;

use super::packs::spoken;

/// Packs that are judged at the same time: each takes a processor for a while.
const AT_ONCE: usize = 1;
static JUDGING: Semaphore = Semaphore::const_new(AT_ONCE);
/// Findings that a page shows; the rest is counted.
const MOST_SHOWN: usize = 200;

/// What was found, and the case to write.
type Finding = (String, Option<String>);

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
    let report = release.run_cases();
    let failed = report.failures.iter().filter(|failure| pack_directory(&failure.path) == pack);
    let failed =
        failed.map(|one| (format!("{}:{} {} {}", one.path, one.line, one.name, one.difference), None));
    let missing = release.lint().into_iter().filter(|point| pack_directory(&point.path) == pack);
    let findings: Vec<Finding> =
        failed.chain(missing.map(|point| (point.render_warning(language), None))).collect();
    (page.count("server.proof.points", findings.len()), findings)
}

fn mutants(page: &Page, release: &Release, pack: &str) -> (String, Vec<Finding>) {
    let language = spoken(page.language);
    let report = release.mutate(&MutationChoice { pack: Some(pack.to_owned()), only: None, threads: 1 });
    let (noticed, alive) = (report.killed + report.refused, report.alive.len());
    let said =
        page.say2("server.proof.mutants", "noticed", page.number(noticed), "alive", page.number(alive));
    (said, report.alive.into_iter().map(|one| (one.error.render(language), one.case)).collect())
}
