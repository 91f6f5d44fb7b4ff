//! The program is killed (SIGKILL) at random moments, again and again, while hospitals settle, cancel and correct over the
//! interface, files of bills and diagnoses come in, and the watch runs. Whatever was acknowledged is there, once; no
//! settlement is half; every view is what its facts tell; what was broken off is taken up again and comes to its end.
//!
//! `KANGMAI_KILLS` is the number of kills on both databases together.

#![expect(clippy::expect_used, clippy::panic, reason = "a test says what it needs")]
#![expect(clippy::print_stderr, reason = "how often it killed is worth a line")]

mod clock;
mod copies;
mod keeping;
mod trial;
mod trouble;
mod upgrade;
mod wall;

use kangmai_acceptance::program::{fresh_folder, remove_folder};
use kangmai_database::testing::{FreshDatabase, POSTGRES_VARIABLE};

use trial::Trial;

/// Says how often to kill.
const KILLS_VARIABLE: &str = "KANGMAI_KILLS";
/// As often as a change must wait for.
const KILLS: usize = 50;
/// Of all kills, those on PostgreSQL, as a part of so many.
const POSTGRES_PART: usize = 3;

fn kills() -> usize {
    std::env::var(KILLS_VARIABLE).ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS)
}

fn has_postgres() -> Option<String> {
    std::env::var(POSTGRES_VARIABLE).ok()
}

#[test]
fn nothing_is_lost_or_doubled_on_sqlite() {
    let folder = fresh_folder("killed");
    let share = if has_postgres().is_some() { kills() - kills() / POSTGRES_PART } else { kills() };
    Trial::begin(&folder.join("kangmai.db").to_string_lossy(), &folder, 1).run(share);
    remove_folder(&folder);
}

#[test]
fn nothing_is_lost_or_doubled_on_postgresql() {
    let Some(server) = has_postgres() else { return };
    let folder = fresh_folder("killed");
    let fresh = FreshDatabase::postgres(&server).expect("a schema");
    Trial::begin(&fresh.address, &folder, 2).run(kills() / POSTGRES_PART);
    remove_folder(&folder);
}
