//! Figures that take long to work out are kept for a while, with the time at which they were counted.
//!
//! A figure of a village is counted whenever somebody looks. One of a million people takes seconds: the first who looks
//! waits, later ones get what was counted then, and a reconciler ([`FigureBook::count_again`]) keeps it fresh as long as
//! anybody looks. Nothing is stored: a restart counts anew.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use kangmai_access::Reach;
use kangmai_base::{Day, Moment};
use kangmai_database::{DatabaseError, Transaction};

use crate::{App, Figure, FigureValue};

/// What takes longer is kept.
const SLOW_MICROSECONDS: i64 = 30_000;
/// How old a kept figure becomes before it is counted again.
const FRESH_MICROSECONDS: i64 = 5 * 60 * 1_000_000;
/// A figure that nobody asked for so long is forgotten.
const FORGET_MICROSECONDS: i64 = 60 * 60 * 1_000_000;
/// Most figures kept; more are counted whenever they are asked for.
const MOST_KEPT: usize = 10_000;

/// A figure with the time at which it was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// What it came to.
    pub value: FigureValue,
    /// When.
    pub at: Moment,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    word: &'static str,
    reach: Reach,
    today: Day,
    /// The law that it was counted under.
    publication: i64,
}

struct Kept {
    figure: &'static Figure,
    counted: Counted,
    asked: Moment,
}

/// The figures that are kept.
#[derive(Default)]
pub struct FigureBook {
    kept: Mutex<HashMap<Key, Kept>>,
}

impl FigureBook {
    /// The figure: as kept, or counted now.
    pub fn value(
        &self,
        tx: &mut Transaction<'_>,
        app: &App,
        figure: &'static Figure,
        reach: &Reach,
        today: Day,
    ) -> Result<Counted, DatabaseError> {
        let key = Key { word: figure.word, reach: reach.clone(), today, publication: app.publication };
        let asked = app.clock.now();
        if let Some(kept) = self.lock().get_mut(&key) {
            kept.asked = asked;
            return Ok(kept.counted);
        }
        self.count(tx, app, (key, figure), asked)
    }

    /// Counts again what has grown old, and forgets what nobody asks for; answers how many were counted. May run at any
    /// time and any number of times.
    pub fn count_again(&self, tx: &mut Transaction<'_>, app: &App) -> Result<usize, DatabaseError> {
        let now = app.clock.now();
        let old: Vec<(Key, &'static Figure, Moment)> = {
            let mut kept = self.lock();
            kept.retain(|_, kept| now.0 - kept.asked.0 < FORGET_MICROSECONDS);
            let old = kept.iter().filter(|(_, kept)| now.0 - kept.counted.at.0 >= FRESH_MICROSECONDS);
            old.map(|(key, kept)| (key.clone(), kept.figure, kept.asked)).collect()
        };
        for (key, figure, asked) in &old {
            self.count(tx, app, (key.clone(), figure), *asked)?;
        }
        Ok(old.len())
    }

    fn count(
        &self,
        tx: &mut Transaction<'_>,
        app: &App,
        (key, figure): (Key, &'static Figure),
        asked: Moment,
    ) -> Result<Counted, DatabaseError> {
        let at = app.clock.now();
        let counted = Counted { value: (figure.value)(tx, app, &key.reach, key.today)?, at };
        let took = app.clock.now().0 - at.0;
        let mut kept = self.lock();
        if took <= SLOW_MICROSECONDS {
            kept.remove(&key);
        } else if kept.len() < MOST_KEPT || kept.contains_key(&key) {
            kept.insert(key, Kept { figure, counted, asked });
        }
        Ok(counted)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Key, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use kangmai_access::{Actor, Purpose, reach};
    use kangmai_base::{Clock, FixedClock, SystemIds};
    use kangmai_database::testing::FreshDatabase;
    use kangmai_policy::Release;
    use kangmai_record::Record;
    use kangmai_web::Words;

    use super::*;
    use crate::{AppParts, Settings};

    static CALLS: AtomicI64 = AtomicI64::new(0);
    static TAKES_SECONDS: AtomicI64 = AtomicI64::new(0);
    static FIGURE: Figure = Figure {
        word: "test.figure",
        purpose: Purpose::ReadFigures,
        value: |_, app, _, _| {
            let call = CALLS.fetch_add(1, Ordering::Relaxed);
            CLOCK.get().expect("a clock").advance(TAKES_SECONDS.load(Ordering::Relaxed));
            let _ = app;
            Ok(FigureValue::Count(call))
        },
        list: "",
        list_purpose: Purpose::ReadFigures,
    };
    static CLOCK: std::sync::OnceLock<Arc<FixedClock>> = std::sync::OnceLock::new();

    #[test]
    fn only_what_is_slow_is_kept_and_it_is_counted_again() {
        let clock = Arc::clone(CLOCK.get_or_init(|| Arc::new(FixedClock::at(Moment(1_700_000_000_000_000)))));
        let fresh = FreshDatabase::sqlite().expect("a database");
        let settings = Settings { secure: false, uploads: std::path::PathBuf::from("/nowhere"), demo: false };
        let packs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
        let packs = Release::read_directory(&packs).expect("packs");
        let app = App::new(AppParts {
            database: fresh.database.clone(),
            record: Record::new(Vec::new()),
            policies: Arc::new(Release::load(packs).expect("right packs")),
            words: Arc::new(Words::load(&[kangmai_web::WORDS]).expect("words")),
            clock: clock.clone(),
            ids: Arc::new(SystemIds),
            programmes: &[],
            settings,
        });
        let wide = reach(&Actor::system(), Purpose::ReadFigures).expect("may read");
        let count = |today: Day| {
            let (asked, wide) = (app.clone(), wide.clone());
            let ask =
                move |tx: &mut Transaction<'_>| asked.figure_book().value(tx, &asked, &FIGURE, &wide, today);
            let FigureValue::Count(call) = app.database.read_blocking(ask).expect("read").value else {
                return -1;
            };
            call
        };
        let again = || {
            let asked = app.clone();
            let work = move |tx: &mut Transaction<'_>| asked.figure_book().count_again(tx, &asked);
            app.database.read_blocking(work).expect("read")
        };
        let today = clock.today();
        assert_eq!((count(today), count(today)), (0, 1), "what is fast is counted each time");
        TAKES_SECONDS.store(2, Ordering::Relaxed);
        assert_eq!((count(today), count(today), count(today)), (2, 2, 2), "what is slow is kept");
        assert_eq!(count(today.plus_days(1)), 3, "for one day");
        assert_eq!(again(), 0, "still fresh");
        clock.advance(5 * 60);
        assert_eq!(again(), 2);
        assert!(count(today) > 3, "counted again");
        clock.advance(2 * 60 * 60);
        assert_eq!(again(), 0, "nobody asked: forgotten");
    }
}
