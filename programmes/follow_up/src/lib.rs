//! Follow-up by the national norm: who is managed for what, one visit for several diseases, what a visit comes to, what
//! follows and by when. Every limit and deadline stands in the tables of the packs.
//!
//! *Invariant:* what a visit came to is a fact with the hash of the law that said so; whether a visit is late is worked out
//! when somebody looks. A programme of sensitive level 5 stands in no list and no figure's list.
//! *Invariant:* it knows no other programme; diagnoses it reads in the view `diagnosis`.

pub mod act;
pub mod chart;
mod due;
mod enrolling;
pub mod facts;
mod field;
mod figures;
mod official;
mod pages;
pub mod rules;
mod section;
mod sentences;
pub mod store;

use kangmai_access::Purpose;
use kangmai_database::{Migration, Migrations};
use kangmai_programme::{Navigation, Programme, Telling, nothing_more};

pub use enrolling::{EnrolRun, enrol_all};

/// The tables of this programme.
pub const MIGRATIONS: Migrations = Migrations {
    owner: "follow_up",
    steps: &[
        Migration { name: "001-follow-up", sql: include_str!("../migrations/001-follow-up.sql") },
        Migration { name: "002-visits", sql: include_str!("../migrations/002-visits.sql") },
        Migration { name: "003-unreached", sql: include_str!("../migrations/003-unreached.sql") },
        Migration { name: "004-satisfied", sql: include_str!("../migrations/004-satisfied.sql") },
    ],
};

/// The words of this programme.
pub const WORDS: &str = include_str!("../words.toml");

/// The programme, as a table.
pub const fn programme() -> Programme {
    Programme {
        name: "follow_up",
        words: WORDS,
        migrations: MIGRATIONS,
        projections: &[store::FOLLOW_UPS],
        navigation: &[Navigation {
            word: "follow_up.title",
            path: "/follow-up",
            purpose: Purpose::ReadFollowUps,
            order: 15,
        }],
        routes: pages::routes,
        imports: &[],
        figures: figures::FIGURES,
        due: due::due,
        person: Some(section::person),
        household: None,
        timeline: Some(Telling { also: nothing_more, sentence: section::told }),
        holdings: Some(store::held),
        field: Some(field::FIELD),
    }
}
