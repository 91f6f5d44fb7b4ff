//! A bill layer by layer for an auditor: what the patient reads, what the desk reads, the exact amounts with article and
//! quote, what failed with the fact that it asked, what would have been otherwise, and the process as it is sent.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use kangmai_base::Fen;
use kangmai_policy::{FailedTest, LayerAudit, LayerText, MOST_PROCESS_CHARACTERS, ToldCounterfactuals};
use kangmai_programme::Visit;
use kangmai_record::Source;
use kangmai_web::{Failure, Page, show};

use super::statement::{Found, find, made_by};
use super::{Head, id_in, language, note, village};
use crate::facts::Settled;
use crate::statement::{Again, receipt_hash};
use crate::store::Bill;

#[derive(Template)]
#[template(path = "settlement_why.html")]
struct WhyPage {
    page: Page,
    bill: Bill,
    head: Option<Head>,
    village: String,
    made_by: String,
    hash: String,
    /// None: the release at hand no longer comes to the receipt.
    told: Option<Told>,
}

/// The receipt worked out again, for every reader.
struct Told {
    patient: String,
    patient_layers: Vec<String>,
    layers: Vec<Audited>,
    own: Fen,
    otherwise: Option<ToldCounterfactuals>,
    process: String,
    process_characters: String,
}

/// A layer as the auditor sees it.
struct Audited {
    name: String,
    payer: String,
    base: Fen,
    pays: Fen,
    remaining: Fen,
    applied: bool,
    sentence: String,
    /// Whatever there is to check: what it is called, what it is.
    pairs: Vec<(String, String)>,
    failed: Vec<String>,
    source: String,
    quote: String,
    note: String,
}

/// GET: the whole of a settlement, to be checked.
pub(crate) async fn why(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    let (id, within) = (id_in(&id)?, visit.reach.clone());
    let found = visit.app.database.read(move |tx| find(tx, &within, id)).await?.ok_or(Failure::NotFound)?;
    let Some(settled) = found.settled.as_ref().filter(|_| visit.reach.money()) else {
        return Err(Failure::NotFound);
    };
    note(&visit, "read_person", Some(found.bill.person), found.bill.home, found.bill.number.clone()).await?;
    let told = told(&visit, &found, settled);
    let statement = visit.page.word("settlement.statement.title").into_owned();
    let page = &visit.page;
    show(&WhyPage {
        head: found.person.as_ref().map(|person| Head::of(page, person, found.body.discharge)),
        village: village(found.bill.home),
        made_by: made_by(page, settled),
        hash: receipt_hash(settled),
        told,
        page: page.clone().titled("settlement.why.title").under(statement, format!("/bills/{id}")),
        bill: found.bill,
    })
}

fn told(visit: &Visit, found: &Found, settled: &Settled) -> Option<Told> {
    let (page, policies) = (&visit.page, &visit.app.policies);
    let again = Again::of(policies, settled, &found.chain_bill())?;
    let sight = found.sight(policies, &visit.reach);
    let (policy, trace) = (again.policy, &again.trace);
    let explained = policy.explain_to(trace, language(page), sight);
    let audit = policy.audit(trace, language(page), sight);
    let origin = Origin { page, settled, found };
    let layers = explained.layers.iter().zip(&audit).map(|(text, audit)| audited(&origin, text, audit));
    let process = policy.process_text(trace, language(page), sight, MOST_PROCESS_CHARACTERS);
    let characters = process.chars().count();
    Some(Told {
        patient: policy.patient_sentence(trace, language(page)),
        patient_layers: policy.patient_layers(trace, language(page)),
        layers: layers.collect(),
        own: trace.own_share,
        otherwise: found.otherwise(page, policies, &again, sight),
        process,
        process_characters: page.say2(
            "settlement.why.characters",
            "count",
            page.number(characters as i64),
            "most",
            page.number(MOST_PROCESS_CHARACTERS as i64),
        ),
    })
}

fn audited(origin: &Origin<'_>, text: &LayerText, audit: &LayerAudit) -> Audited {
    let page = origin.page;
    let applied = text.outcome.applied();
    Audited {
        name: text.name.clone(),
        payer: text.payer.name.get(language(page)).to_owned(),
        base: text.base,
        pays: text.pays,
        remaining: text.remaining,
        applied,
        sentence: text.sentence.clone(),
        pairs: pairs(page, audit, applied),
        failed: audit.failed.iter().map(|failed| origin.sentence(failed)).collect(),
        source: text.source.clone().unwrap_or_default(),
        quote: text.quote.clone().unwrap_or_default(),
        note: text.note.clone().unwrap_or_default(),
    }
}

/// What there is to check of a layer; of one that did not apply only what selected its version.
fn pairs(page: &Page, audit: &LayerAudit, applied: bool) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut add = |key: &str, value: String| pairs.push((page.word(key).into_owned(), value));
    if let Some((number, from, to)) = audit.version {
        let (number, from) = (i64::from(number), page.iso(from));
        let version = match to {
            Some(to) => page.say(
                "settlement.why.version_to",
                &[("number", &number), ("from", &from), ("to", &page.iso(to))],
            ),
            None => page.say2("settlement.why.version_from", "number", number, "from", from),
        };
        add("settlement.why.version", version);
    }
    add("settlement.why.dated", audit.dated.clone());
    if !applied {
        return pairs;
    }
    if let Some(profile) = &audit.profile {
        add("settlement.why.profile", profile.clone());
    }
    if audit.before != Fen::ZERO {
        add("settlement.why.before", page.yuan(audit.before));
    }
    if audit.deductible != Fen::ZERO {
        let (line, used) = (page.money(audit.deductible), page.money(audit.deductible_used));
        add(
            "settlement.why.deductible",
            page.say2("settlement.why.deductible_used", "line", line, "used", used),
        );
    }
    add("settlement.why.exact", audit.exact.clone());
    let rounded = page.money(audit.rounded);
    let values: [(&str, &dyn std::fmt::Display); 3] =
        [("rounded", &rounded), ("how", &audit.rounding), ("difference", &audit.rounding_difference)];
    add("settlement.why.rounded", page.say("settlement.why.rounded_how", &values));
    if let Some((cap, before, after)) = &audit.cap {
        let (before, after) = (page.money(*before), page.money(*after));
        let values: [(&str, &dyn std::fmt::Display); 3] =
            [("cap", cap), ("before", &before), ("after", &after)];
        add("settlement.why.cap", page.say("settlement.why.cap_room", &values));
    }
    pairs
}

/// Tells where a fact came from.
struct Origin<'a> {
    page: &'a Page,
    settled: &'a Settled,
    found: &'a Found,
}

impl Origin<'_> {
    fn sentence(&self, failed: &FailedTest) -> String {
        let page = self.page;
        let (day, origin) = (page.iso(failed.as_of), self.of(failed.fact));
        // A dated fact says its day itself.
        let origin = if failed.needed.contains(&day) { origin } else { super::joined(page, &[day, origin]) };
        page.say(
            "settlement.why.failed",
            &[("needed", &failed.needed), ("found", &failed.found), ("origin", &origin)],
        )
    }

    /// What a bill says comes from where the bill came from; the rest from the register, or was assumed.
    fn of(&self, fact: &str) -> String {
        let page = self.page;
        let word = match fact {
            "setting" | "referral" | "diagnosis" => Source::word(self.found.source),
            "insured_basic" if self.settled.person.insured_is_assumed => "settlement.why.origin.assumed",
            "earlier_stays" => Source::word(Source::Derived),
            fact if fact.starts_with("institution") || fact == "designation" => {
                "settlement.why.origin.institutions"
            }
            _ => "settlement.why.origin.register",
        };
        page.word(word).into_owned()
    }
}
