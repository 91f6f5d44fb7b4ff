//! Two-way referral (双向转诊): up with acceptance, down with a summary, and what became of it; visits that came to a referral are
//! worked off. Every deadline stands in the pack.
//!
//! *Invariant:* where a referral stands is worked out of facts; whether it is late, when somebody looks. Who was asked reaches the
//! person by a relation that ends with the refusal, the withdrawal and the end. No list says why somebody was referred, and what
//! tells a disease of level 5 stands in none.
//! *Invariant:* it knows no other programme; it reads the visits of follow-up by their kind.

pub mod act;
mod due;
pub mod facts;
mod figures;
pub mod folder;
mod pages;
pub mod rules;
mod section;
mod sentences;
pub mod store;
pub mod visits;

use kangmai_access::Purpose;
use kangmai_database::{Migration, Migrations};
use kangmai_programme::{Navigation, Programme, Telling, nothing_more};

/// The tables of this programme.
pub const MIGRATIONS: Migrations = Migrations {
    owner: "referral",
    steps: &[Migration { name: "001-referral", sql: include_str!("../migrations/001-referral.sql") }],
};

/// The words of this programme.
pub const WORDS: &str = include_str!("../words.toml");

/// The programme, as a table.
pub const fn programme() -> Programme {
    Programme {
        name: "referral",
        words: WORDS,
        migrations: MIGRATIONS,
        projections: &[store::REFERRALS],
        navigation: &[Navigation {
            word: "referral.title",
            path: "/referrals",
            purpose: Purpose::ReadReferrals,
            order: 17,
        }],
        routes: pages::routes,
        imports: &[],
        figures: figures::FIGURES,
        due: due::due,
        person: Some(section::person),
        household: None,
        timeline: Some(Telling { also: nothing_more, sentence: section::told }),
        holdings: Some(store::held),
        field: None,
    }
}
