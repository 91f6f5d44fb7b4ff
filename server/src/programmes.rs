//! The list of programmes. Adding one is one line here and its folder.

use std::sync::OnceLock;

use kangmai_database::{ClearText, Migrations, SealedTable};
use kangmai_programme::Programme;
use kangmai_record::{Projection, Record};

/// All programmes, in the order in which their tables are made.
pub fn all() -> &'static [Programme] {
    static ALL: OnceLock<Vec<Programme>> = OnceLock::new();
    ALL.get_or_init(|| {
        vec![
            crate::office::programme(),
            kangmai_register::programme(),
            kangmai_classification::programme(),
            kangmai_settlement::programme(),
            kangmai_poverty_watch::programme(),
            kangmai_follow_up::programme(),
            kangmai_agreements::programme(),
            kangmai_referral::programme(),
            kangmai_residence::programme(),
            kangmai_what_if::programme(),
            kangmai_sync::programme(),
        ]
    })
}

/// The tables of the spine and of all programmes.
pub fn migrations() -> &'static [Migrations] {
    static MIGRATIONS: OnceLock<Vec<Migrations>> = OnceLock::new();
    MIGRATIONS.get_or_init(|| {
        let spine = [
            kangmai_database::KEY_TABLES,
            kangmai_places::MIGRATIONS,
            kangmai_people::MIGRATIONS,
            kangmai_access::MIGRATIONS,
            kangmai_record::MIGRATIONS,
            kangmai_cases::MIGRATIONS,
            kangmai_programme::MIGRATIONS,
        ];
        spine.into_iter().chain(all().iter().map(|programme| programme.migrations)).collect()
    })
}

/// The tables with sealed columns.
pub fn sealed() -> Vec<SealedTable> {
    let all: [&[SealedTable]; 9] = [
        kangmai_access::SEALED,
        kangmai_people::SEALED,
        kangmai_record::SEALED,
        kangmai_classification::store::SEALED,
        kangmai_follow_up::store::SEALED,
        kangmai_agreements::store::SEALED,
        kangmai_settlement::store::SEALED,
        kangmai_what_if::store::SEALED,
        kangmai_sync::SEALED,
    ];
    all.concat()
}

/// What stood in clear before there were keys.
pub fn clear_text() -> Vec<ClearText> {
    let all: [&[ClearText]; 5] = [
        kangmai_people::CLEAR_TEXT,
        kangmai_record::CLEAR_TEXT,
        kangmai_classification::store::CLEAR_TEXT,
        kangmai_settlement::store::CLEAR_TEXT,
        kangmai_what_if::store::CLEAR_TEXT,
    ];
    all.concat()
}

/// The words of every crate that has any.
pub fn words() -> Vec<&'static str> {
    let spine = [
        kangmai_web::WORDS,
        kangmai_sheet::WORDS,
        kangmai_sheets::WORDS,
        kangmai_places::WORDS,
        kangmai_people::WORDS,
        kangmai_access::WORDS,
        kangmai_record::WORDS,
        kangmai_cases::WORDS,
        kangmai_policy::WORDS_TOML,
    ];
    spine.into_iter().chain(all().iter().map(|programme| programme.words)).collect()
}

/// The record with the projections of all programmes.
pub fn record() -> Record {
    let projections: Vec<Projection> =
        all().iter().flat_map(|programme| programme.projections.iter().copied()).collect();
    Record::new(projections).with_sealed(sealed())
}
