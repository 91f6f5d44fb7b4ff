//! Releases in the database: published one after the other, kept by their hash, taken up by every program; on both
//! databases.
#![expect(clippy::expect_used, reason = "a test says what it needs")]

use std::sync::Arc;

use kangmai_base::{Day, FixedClock, Moment, SystemIds, Uuid};
use kangmai_database::testing::FreshDatabase;
use kangmai_database::{Database, DatabaseError, Transaction};
use kangmai_policy::{Release, text_hash};
use kangmai_programme::{
    App, AppParts, FileToPublish, LawError, MIGRATIONS, NewPublication, Settings, Touches, keep_release,
    kept_text, laid_over, newest_publication, publication, publications, publish, read_law, release_files,
};
use kangmai_record::Record;
use kangmai_web::Words;

const NOW: Moment = Moment(1_700_000_000_000_000);
const LABELS: &str = "[[label]]\nid = \"marginal\"\nname = { zh = \"低保边缘\", en = \"marginal\" }\n";

fn pack(name: &str) -> String {
    format!(
        "id = \"cn\"\nname = {{ zh = \"{name}\", en = \"{name}\" }}\ndivision = \"41\"\ninherits = \"none\"\n"
    )
}

fn release(files: &[(&str, &str)]) -> Arc<Release> {
    let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    Arc::new(Release::load(files).expect("a release"))
}

fn program(database: &Database, policies: Arc<Release>) -> App {
    App::new(AppParts {
        database: database.clone(),
        record: Record::new(Vec::new()),
        policies,
        words: Arc::new(Words::load(&[kangmai_web::WORDS]).expect("words")),
        clock: Arc::new(FixedClock::at(NOW)),
        ids: Arc::new(SystemIds),
        programmes: &[],
        settings: Settings { secure: false, uploads: std::path::PathBuf::from("/nowhere"), demo: false },
    })
}

fn new(after: i64, release: &Arc<Release>, file: FileToPublish) -> NewPublication {
    NewPublication {
        after,
        release: Arc::clone(release),
        made_from: "before".to_owned(),
        place: "41".parse().expect("a code"),
        title: "通知".to_owned(),
        touches: Touches::From(Day(20_000)),
        told: Vec::new(),
        files: vec![file],
    }
}

fn put(database: &Database, new: NewPublication) -> bool {
    let who = Uuid::from_u128(1);
    let write = move |tx: &mut Transaction<'_>| publish(tx, &new, ((who, "甲"), (who, "乙")), NOW);
    database.write_blocking(write).expect("the database")
}

fn read<T: Send + 'static>(
    database: &Database,
    work: impl FnOnce(&mut Transaction<'_>) -> Result<T, DatabaseError> + Send + 'static,
) -> T {
    database.read_blocking(work).expect("the database")
}

#[test]
fn publications_follow_each_other_and_every_release_is_kept() {
    for fresh in FreshDatabase::all().expect("databases") {
        let database = fresh.database.clone();
        database.migrate(&[MIGRATIONS], NOW).expect("migrated");
        let (one, two) = (pack("一"), pack("二"));
        let shipped = release(&[("cn/labels.toml", LABELS), ("cn/pack.toml", &one)]);
        let app = program(&database, Arc::clone(&shipped));
        app.take_up_law().expect("the law");
        assert_eq!((app.publication, app.current().publication), (0, 0));
        assert_eq!(app.current().policies.hash(), shipped.hash());

        // The first is law at once for a program that looks, and only for that.
        let changed = release(&[("cn/labels.toml", LABELS), ("cn/pack.toml", &two)]);
        let file = |text: Option<&str>| FileToPublish {
            path: "cn/pack.toml".to_owned(),
            base: Some(one.clone()),
            text: text.map(str::to_owned),
        };
        assert!(put(&database, new(0, &changed, file(Some(&two)))));
        assert_eq!(app.current().policies.hash(), shipped.hash(), "nobody has looked yet");
        app.take_up_law().expect("the law");
        assert_eq!((app.current().publication, app.current().policies.hash()), (1, changed.hash()));
        assert_eq!(app.policies.hash(), shipped.hash(), "what runs goes on under the law that it began with");

        // Made from the same release as the first: refused, and nothing of it stays.
        assert!(!put(&database, new(0, &shipped, file(Some("id = ")))));
        assert_eq!(read(&database, newest_publication), 1);
        let over = read(&database, laid_over);
        assert_eq!((over.len(), over[0].number, over[0].text.as_str()), (1, 1, two.as_str()));
        assert_eq!(over[0].base, Some(text_hash(&one)));
        let hash = text_hash(&one);
        assert_eq!(read(&database, move |tx| kept_text(tx, &hash)), Some(one.clone()));

        // By its hash, whole or begun; none where two begin alike or none does.
        for asked in [shipped.hash().to_owned(), shipped.hash()[..10].to_owned()] {
            let files = read(&database, move |tx| release_files(tx, &asked)).expect("the release");
            assert_eq!(files, shipped.files());
        }
        for asked in ["", "zzzz"] {
            assert_eq!(read(&database, move |tx| release_files(tx, asked)), None, "{asked:?}");
        }
        let again = Arc::clone(&shipped);
        database.write_blocking(move |tx| keep_release(tx, &again, NOW)).expect("kept once");

        // The program's text holds again.
        assert!(put(&database, new(1, &shipped, file(None))));
        assert_eq!(read(&database, laid_over), []);
        app.take_up_law().expect("the law");
        assert_eq!((app.current().publication, app.current().policies.hash()), (2, shipped.hash()));
        let all = read(&database, |tx| publications(tx, 10));
        assert_eq!(all.iter().map(|one| one.number).collect::<Vec<_>>(), [2, 1]);
        let (found, paths) = read(&database, |tx| publication(tx, 1)).expect("the first");
        assert_eq!(
            (found.author.as_str(), found.approver.as_str(), found.touches),
            ("甲", "乙", Touches::From(Day(20_000)))
        );
        assert_eq!((paths, found.release.as_str()), (vec!["cn/pack.toml".to_owned()], changed.hash()));
        assert!(read(&database, |tx| publication(tx, 3)).is_none());
    }
}

#[test]
fn what_does_not_load_is_not_taken_up() {
    let fresh = FreshDatabase::sqlite().expect("a database");
    let database = fresh.database.clone();
    database.migrate(&[MIGRATIONS], NOW).expect("migrated");
    let one = pack("一");
    let shipped = release(&[("cn/labels.toml", LABELS), ("cn/pack.toml", &one)]);
    // A later program reads more strictly: as if it had been this text.
    let file = FileToPublish {
        path: "cn/pack.toml".to_owned(),
        base: Some(one.clone()),
        text: Some("id = 1\n".to_owned()),
    };
    assert!(put(&database, new(0, &shipped, file)));
    let app = program(&database, Arc::clone(&shipped));
    let error = app.take_up_law().expect_err("it does not load");
    assert!(matches!(error, LawError::Packs { .. }), "{error}");
    let said = error.to_string();
    // The file, by which publication, and how to mend it; the loader's own words below.
    for part in ["cn/pack.toml (published as number 1)", "/policy-drafts", "kangmai check", "cn/pack.toml:1"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!((app.current().publication, app.current().policies.hash()), (0, shipped.hash()));
}

#[test]
fn reading_the_law_needs_no_tables_and_makes_none() {
    for fresh in FreshDatabase::all().expect("databases") {
        let database = fresh.database.clone();
        let shipped = release(&[("cn/labels.toml", LABELS), ("cn/pack.toml", &pack("一"))]);
        let law = read_law(&database, &shipped).expect("the law");
        assert_eq!((law.number, law.release.hash()), (0, shipped.hash()));
        assert!(!read(&database, |tx| tx.has_table("policy_publication")));
        database.migrate(&[MIGRATIONS], NOW).expect("migrated");
        assert!(read(&database, |tx| tx.has_table("policy_publication")));
        assert!(!read(&database, |tx| tx.has_table("policy_release_kept")));
    }
}
