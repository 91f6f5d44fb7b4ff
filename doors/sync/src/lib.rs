//! Phones that work without a network, and hubs that are phones to the server above them: what they are told of people and of the record, and what they hand in
//! (`docs/sync.md`). A door: it knows no disease and no rule; programmes say what of their facts is told and take what is
//! written ([`kangmai_programme::Field`]).
//!
//! *Invariant:* what a phone hands in is answered for only once it is committed, and nothing is dropped: it is in the record,
//! put aside for somebody, or kept as the text that came.
//! *Invariant:* no identity number and nothing that a programme keeps back goes to a phone.

mod cursor;
mod first;
mod hubs;
mod outbox_file;
mod pages;
mod pull;
mod push;
pub mod relay;
mod roll;
mod store;
mod told;

use axum::http::StatusCode;
use kangmai_access::Purpose::RecordVisits;
use kangmai_access::Reach;
use kangmai_base::Refusal;
use kangmai_database::{Migration, Migrations};
use kangmai_programme::{Navigation, PhoneCall, Programme, Route, nothing_due};
use kangmai_record::{Projection, nothing_along};
use kangmai_web::{ApiFailure, Problem};

pub use first::LoadShelf;
pub use outbox_file::{OutboxFault, OutboxRead, Receipt, read_outbox};
pub use pages::open_routes;
pub use store::SEALED;

/// The version of `docs/sync.md` that is spoken here.
pub const VERSION: u32 = 1;
/// The oldest that is still told anything. Whatever an older app wrote is taken all the same.
const OLDEST_VERSION: u32 = 1;

/// The table of contents: a door with pages of its own.
pub fn programme() -> Programme {
    Programme {
        name: "sync",
        words: include_str!("../words.toml"),
        migrations: Migrations {
            owner: "sync",
            steps: &[
                Migration { name: "001-sync", sql: include_str!("../migrations/001-sync.sql") },
                Migration { name: "002-hub", sql: include_str!("../migrations/002-hub.sql") },
            ],
        },
        projections: &[TEXTS],
        navigation: &[
            Navigation { word: "sync.phones.nav", path: "/phones", purpose: RecordVisits, order: 88 },
            Navigation { word: "sync.hubs.nav", path: "/hubs", purpose: RecordVisits, order: 89 },
        ],
        routes,
        imports: &[],
        figures: &[],
        due: nothing_due,
        person: None,
        household: None,
        timeline: None,
        holdings: None,
        field: None,
    }
}

/// Texts that were no facts belong to no view; they go with whom they name.
const TEXTS: Projection = Projection {
    name: "phone_text",
    kinds: &[],
    views: &[],
    admit: |_| Ok(()),
    apply: |_, _| Ok(()),
    along: nothing_along,
    forget: store::forget_texts,
};

fn routes() -> Vec<Route> {
    vec![
        Route::get("/phones", RecordVisits, pages::list).about_nobody(),
        Route::post("/phones/{id}/wipe", RecordVisits, pages::wipe),
        Route::get("/phones/{id}/texts", RecordVisits, pages::texts),
        Route::get("/field/session", RecordVisits, pages::session).about_nobody(),
        Route::post("/field/phones", RecordVisits, pages::register),
        Route::post("/field/phones/{id}/rescue", RecordVisits, pages::rescue),
        Route::get("/hubs", RecordVisits, hubs::list),
        Route::post("/hubs", RecordVisits, hubs::register),
        Route::post("/hubs/{id}/join", RecordVisits, hubs::join),
        Route::post("/hubs/{id}/leave", RecordVisits, hubs::leave),
        Route::post("/hubs/aside/{id}", RecordVisits, relay::desk::seen),
        Route::get("/sync/hub", RecordVisits, hubs::own).for_phones(),
        Route::get("/sync/first", RecordVisits, first::first).for_phones(),
        Route::get("/sync/roll", RecordVisits, first::roll).for_phones(),
        Route::post("/sync/people", RecordVisits, first::people).for_phones(),
        Route::get("/sync/pull", RecordVisits, pull::pull).for_phones(),
        Route::get("/sync/rules", RecordVisits, pull::rules).for_phones(),
        Route::post("/sync/push", RecordVisits, push::push).for_phones(),
    ]
}

/// How far the phone may still be told anything.
///
/// # Errors
/// 410 of one that is to be emptied; 401 where its account is closed or locked; 404 where that visits nobody; 426 where its
/// app is too old to understand the answer.
fn alive(call: &PhoneCall) -> Result<&Reach, ApiFailure> {
    let refuse = |status, key| Err(ApiFailure::new(status, Problem::new(Refusal::new(key))));
    if call.holder.is_expired {
        return refuse(StatusCode::GONE, "sync.refused.hub_expired");
    }
    if call.holder.is_wiped {
        return refuse(StatusCode::GONE, "sync.refused.wiped");
    }
    if call.holder.is_barred {
        return refuse(StatusCode::UNAUTHORIZED, "web.api.unauthorized");
    }
    if call.version.is_some_and(|version| version < OLDEST_VERSION) {
        return refuse(StatusCode::UPGRADE_REQUIRED, "sync.refused.too_old");
    }
    call.reach.as_ref().ok_or_else(ApiFailure::not_found)
}
