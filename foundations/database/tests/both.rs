//! What both databases must do alike.

use kangmai_base::{Day, DivisionCode, Fen, Ids as _, Moment, SeededIds, Uuid};
use kangmai_database::testing::{FreshDatabase, on_both};
use kangmai_database::{
    Database, DatabaseError, InsertMany, Migration, Migrations, Transaction, Value, params,
};

const MIGRATIONS: &[Migrations] = &[Migrations {
    owner: "test",
    steps: &[Migration {
        name: "001-item",
        sql: "create table item (
            id uuid primary key, name text, amount bigint not null, seen boolean not null, share double precision,
            body bytea);
            create index item_by_amount on item (amount);",
    }],
}];
const INSERT: InsertMany =
    InsertMany { table: "item", columns: &["id", "name", "amount", "seen", "share", "body"], suffix: "" };
const INSERT_OR_SKIP: InsertMany = InsertMany { suffix: "on conflict (id) do nothing", ..INSERT };

fn item(ids: &SeededIds, number: i64) -> [Value; 6] {
    params![
        ids.mint(Moment(number)),
        if number % 2 == 0 { Some("王小明") } else { None },
        number,
        number % 3 == 0,
        0.5,
        vec![1_u8, 2]
    ]
}

fn count(tx: &mut Transaction<'_>) -> Result<i64, DatabaseError> {
    tx.query_one("select count(*) from item", &[])?.map_or(Ok(0), |row| row.get(0))
}

#[test]
fn values_come_back_as_they_went_in() {
    on_both(MIGRATIONS, |database| {
        let id = SeededIds::new(1).mint(Moment(5));
        database.write_blocking(move |tx| -> Result<(), DatabaseError> {
            tx.insert_many(&INSERT, [params![id, "示例", i64::MAX, true, 0.25, vec![0_u8, 255]]])?;
            Ok(())
        })?;
        let row = database.read_blocking(move |tx| {
            tx.query_one("select id, name, amount, seen, share, body from item where id = $1", &params![id])
        })?;
        let row = row.expect("the row");
        assert_eq!(row.get::<Uuid>(0)?, id);
        assert_eq!(row.get::<Option<String>>(1)?.as_deref(), Some("示例"));
        assert_eq!(row.get::<Fen>(2)?, Fen(i64::MAX));
        assert!(row.get::<bool>(3)?);
        assert!((row.get::<f64>(4)? - 0.25).abs() < f64::EPSILON);
        assert_eq!(row.get::<Vec<u8>>(5)?, vec![0, 255]);
        assert!(matches!(row.get::<Day>(1), Err(DatabaseError::WrongType { column: 1, .. })));
        assert!(row.get::<i64>(9).is_err());
        Ok(())
    })
    .expect("both");
}

#[test]
fn many_rows_go_in_and_sums_come_out() {
    on_both(MIGRATIONS, |database| {
        let inserted = database.write_blocking(|tx| {
            let ids = SeededIds::new(2);
            tx.insert_many(&INSERT, (0..2_345).map(|number| item(&ids, number)))
        })?;
        assert_eq!(inserted, 2_345);
        let again = database.write_blocking(|tx| {
            let ids = SeededIds::new(2);
            tx.insert_many(&INSERT_OR_SKIP, (0..2_345).map(|number| item(&ids, number)))
        })?;
        assert_eq!(again, 0);
        let row = database.read_blocking(|tx| {
            tx.query_one("select sum(amount), count(*) filter (where seen), max(amount) from item", &[])
        })?;
        let row = row.expect("a row");
        assert_eq!((row.get::<i64>(0)?, row.get::<i64>(1)?, row.get::<i64>(2)?), (2_748_340, 782, 2_344));
        let mut seen = 0;
        database.read_blocking(move |tx| {
            tx.for_each(
                "select amount from item where amount >= $1 order by amount",
                &params![2_000],
                |row| {
                    assert_eq!(row.get::<i64>(0)?, 2_000 + seen);
                    seen += 1;
                    Ok(())
                },
            )
        })?;
        Ok(())
    })
    .expect("both");
}

#[test]
fn a_failed_write_leaves_nothing_and_tells_why() {
    on_both(MIGRATIONS, |database| {
        let ids = SeededIds::new(3);
        let first = item(&ids, 1);
        let twice = [first.clone(), first];
        let result = database.write_blocking(move |tx| tx.insert_many(&INSERT, twice));
        assert!(matches!(result, Err(DatabaseError::Duplicate(_))), "{result:?}");
        let result: Result<(), DatabaseError> = database.write_blocking(|tx| {
            tx.insert_many(&INSERT, [item(&SeededIds::new(4), 1)])?;
            Err(DatabaseError::Refused("changed my mind".into()))
        });
        assert!(matches!(result, Err(DatabaseError::Refused(_))));
        let result: Result<(), DatabaseError> = database.write_blocking(|tx| {
            tx.insert_many(&INSERT, [item(&SeededIds::new(5), 1)])?;
            panic!("in the midst of work")
        });
        assert!(matches!(result, Err(DatabaseError::GivenUp)), "{result:?}");
        assert_eq!(database.read_blocking(count)?, 0);
        let short = database.write_blocking(|tx| tx.insert_many(&INSERT, [params![1_i64]]));
        assert!(matches!(short, Err(DatabaseError::Refused(_))));
        Ok(())
    })
    .expect("both");
}

#[test]
fn an_edited_migration_is_refused() {
    const EDITED: &[Migrations] = &[Migrations {
        owner: "test",
        steps: &[Migration { name: "001-item", sql: "create table item (id uuid primary key)" }],
    }];
    for fresh in FreshDatabase::all().expect("databases") {
        assert_eq!(fresh.database.migrate(MIGRATIONS, Moment(0)).expect("first"), 1);
        assert_eq!(fresh.database.migrate(MIGRATIONS, Moment(0)).expect("again"), 0);
        let edited = fresh.database.migrate(EDITED, Moment(0));
        assert!(matches!(edited, Err(DatabaseError::EditedMigration { .. })));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_at_the_same_time_all_get_through_and_readers_see_them() {
    let all = tokio::task::spawn_blocking(FreshDatabase::all).await.expect("a thread").expect("databases");
    for fresh in all {
        let database = fresh.database.clone();
        let migrated = database.clone();
        tokio::task::spawn_blocking(move || migrated.migrate(MIGRATIONS, Moment(0)))
            .await
            .expect("a thread")
            .expect("migrated");
        let writers: Vec<_> = (0..50)
            .map(|number| {
                let database: Database = database.clone();
                tokio::spawn(async move {
                    database
                        .write(move |tx| -> Result<(), DatabaseError> {
                            tx.lock("a name")?;
                            let before = count(tx)?;
                            tx.insert_many(&INSERT, [item(&SeededIds::new(100 + number), before)])?;
                            Ok(())
                        })
                        .await
                })
            })
            .collect();
        for writer in writers {
            writer.await.expect("a task").expect("a write");
        }
        let distinct = database
            .read(|tx| tx.query_one("select count(distinct amount), count(*) from item", &[]))
            .await
            .expect("a read")
            .expect("a row");
        assert_eq!((distinct.get::<i64>(0).ok(), distinct.get::<i64>(1).ok()), (Some(50), Some(50)));
        tokio::task::spawn_blocking(move || drop(fresh)).await.expect("dropped");
    }
}

#[test]
fn a_place_is_a_range() {
    on_both(MIGRATIONS, |database| {
        let place: DivisionCode = "411722103203".parse().expect("a code");
        database.write_blocking(move |tx| {
            tx.insert_many(
                &INSERT,
                [params![Uuid::nil(), None::<&str>, place, false, None::<f64>, Value::Null]],
            )
        })?;
        let range = place.parent().expect("a parent").range();
        let row = database.read_blocking(move |tx| {
            tx.query_one(
                "select amount from item where amount between $1 and $2",
                &params![range.first.cast_signed(), range.last.cast_signed()],
            )
        })?;
        assert_eq!(row.expect("a row").get::<DivisionCode>(0)?, place);
        Ok(())
    })
    .expect("both");
}

#[test]
fn placeholders_go_by_their_number_not_their_order() {
    on_both(MIGRATIONS, |database| {
        let (first, second) = database.read_blocking(|tx| {
            let row = tx.query_one(
                "select cast($2 as bigint), cast($1 as bigint), cast($2 as bigint)",
                &params![1_i64, 2_i64],
            )?;
            row.map_or(Ok((0, 0)), |row| Ok::<_, DatabaseError>((row.get::<i64>(0)?, row.get::<i64>(1)?)))
        })?;
        assert_eq!((first, second), (2, 1));
        let missing = database
            .read_blocking(|tx| tx.query("select cast($1 as bigint), cast($2 as bigint)", &params![1_i64]));
        assert!(missing.is_err());
        Ok(())
    })
    .expect("both");
}
