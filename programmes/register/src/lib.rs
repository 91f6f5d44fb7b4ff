//! The register of residents: who lives where, in which household, recognised as what since when; how files come in; how
//! somebody is found; the page of a household and of a person, to which the other programmes add their parts.
//!
//! *Invariant:* it knows no other programme; their parts come as sections, their facts as words. Nothing is merged by
//! name, nothing is deleted: what was known stays in the record.

pub mod facts;
mod fhir;
mod figures;
mod import;
mod institutions;
pub mod list;
mod pages;
pub mod rights;
pub mod rules;
pub mod store;

use kangmai_access::Purpose;
use kangmai_database::{Migration, Migrations};
use kangmai_people::REGISTER;
use kangmai_programme::{Import, Navigation, Programme, Route};

use Purpose::{FindPeople, KeepRegister};

/// The tables of this programme.
pub const MIGRATIONS: Migrations = Migrations {
    owner: "register",
    steps: &[
        Migration { name: "001-identity", sql: include_str!("../migrations/001-identity.sql") },
        Migration { name: "002-rights", sql: include_str!("../migrations/002-rights.sql") },
    ],
};

/// The words of this programme.
pub const WORDS: &str = include_str!("../words.toml");

/// The programme, as a table.
pub const fn programme() -> Programme {
    Programme {
        name: "register",
        words: WORDS,
        migrations: MIGRATIONS,
        projections: &[store::REGISTER, store::INSTITUTIONS, store::rights::RIGHTS],
        navigation: &[
            Navigation { word: "register.search", path: "/people", purpose: FindPeople, order: 20 },
            Navigation { word: "register.requests", path: "/rights", purpose: KeepRegister, order: 85 },
            Navigation { word: "register.identity", path: "/identity", purpose: KeepRegister, order: 80 },
        ],
        routes,
        imports: IMPORTS,
        figures: figures::FIGURES,
        due: figures::due,
        person: None,
        household: None,
        timeline: None,
        holdings: Some(store::rights::held),
        field: None,
    }
}

const IMPORTS: &[Import] = &[
    Import {
        key: "institutions",
        word: "register.import.institutions",
        purpose: KeepRegister,
        schema: &kangmai_places::INSTITUTIONS,
        schema_under: None,
        order: 5,
        plan: institutions::plan,
        finish: None,
        rows_at_once: 1_000,
    },
    Import {
        key: "register",
        word: "register.import.register",
        purpose: KeepRegister,
        schema: &REGISTER,
        schema_under: None,
        order: 10,
        plan: import::plan,
        finish: Some(import::finish),
        rows_at_once: import::ROWS_AT_ONCE,
    },
];

fn routes() -> Vec<Route> {
    pages::routes()
}
