//! How many sign in a second, and what a storm of them does to a read that comes between.

#![expect(clippy::expect_used, reason = "a bench says what it needs")]

use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use kangmai_access::{
    Actor, MIGRATIONS, NewAccount, Role, SignIn, create_account, hash_password, sign_in, verify_password,
};
use kangmai_base::{Clock, Id, Ids, SystemClock, SystemIds};
use kangmai_database::Database;
use kangmai_database::testing::FreshDatabase;

const PASSWORD: &str = "the well behind the school";
/// Sign-ins that come at once.
const STORM: usize = 50;

fn main() {
    divan::main();
}

/// One password against its hash, on one core.
#[divan::bench(sample_count = 20)]
fn verify(bencher: Bencher<'_, '_>) {
    let hash = hash_password(&SystemIds, PASSWORD).expect("a hash");
    bencher.bench_local(|| verify_password(Some(&hash), PASSWORD));
}

fn with_an_account() -> (FreshDatabase, Database) {
    let fresh = FreshDatabase::sqlite().expect("a database");
    let now = SystemClock.now();
    fresh.database.migrate(&[MIGRATIONS], now).expect("migrated");
    let new = NewAccount {
        id: Id::from_uuid(SystemIds.mint(now)),
        sign_in_name: "wang".into(),
        display_name: "王（示例）".into(),
        role: Role::VillageDoctor,
        place: "411722103203".parse().expect("a code"),
        institution: None,
        password: hash_password(&SystemIds, PASSWORD).expect("a hash"),
    };
    let write = move |tx: &mut kangmai_database::Transaction<'_>| {
        create_account(tx, &Actor::system(), &new, SystemIds.mint(now), now)
    };
    fresh.database.write_blocking(write).expect("a database").expect("an account");
    let database = fresh.database.clone();
    (fresh, database)
}

/// Fifty who sign in at the same moment; nobody is refused.
#[divan::bench(sample_count = 5)]
fn storm(bencher: Bencher<'_, '_>) {
    let (_fresh, database) = with_an_account();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    bencher.counter(ItemsCount::new(STORM)).bench_local(|| {
        runtime.block_on(async {
            let all: Vec<_> = (0..STORM)
                .map(|_| {
                    let database = database.clone();
                    tokio::spawn(async move {
                        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
                        let ids: Arc<dyn Ids> = Arc::new(SystemIds);
                        let typed =
                            SignIn { name: "wang".into(), password: PASSWORD.into(), ..SignIn::default() };
                        sign_in(&database, &clock, &ids, typed).await.expect("a database").is_ok()
                    })
                })
                .collect();
            for one in all {
                assert!(one.await.expect("joined"), "somebody was refused");
            }
        });
    });
}
