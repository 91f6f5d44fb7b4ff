//! A clock that jumps: what was written later stays later.

use kangmai_acceptance::county::County;
use kangmai_database::DatabaseError;
use kangmai_record::rebuild;
use kangmai_server::programmes;

/// Two days, in seconds.
const JUMP: i64 = 2 * 86_400;
const ORDERS_AGREE: &str = "select count(*) from fact as one join fact as other on one.place = other.place
    and one.place_sequence < other.place_sequence where one.received_at > other.received_at";
const FACTS: &str = "select count(*) from fact";

#[test]
fn facts_keep_their_order_when_the_clock_jumps_either_way() {
    County::on_both(|county| {
        county.populate();
        let database = county.app.database.clone();
        let number = |sql: &'static str| -> i64 {
            let asked = database.read_blocking(move |tx| -> Result<i64, DatabaseError> {
                tx.query_one(sql, &[])?.map_or(Ok(0), |row| row.get(0))
            });
            asked.expect("the database answers")
        };
        let facts = number(FACTS);
        let bills = std::fs::read_to_string(county.files().join("county/bills.csv")).expect("the bills");
        for (round, jump) in [JUMP, -JUMP, -JUMP, JUMP].into_iter().enumerate() {
            county.clock.advance(jump);
            // The same file under numbers of its own: as many bills more.
            let today = county.app.today();
            let finished =
                county.import("bills", &format!("again-{round}.csv"), &under_other_numbers(&bills, round));
            assert_eq!(finished.parked, 0, "facts were parked on {today}");
            assert!(finished.summary.new > 0, "nothing new: {:?}", finished.summary);
        }
        assert!(number(FACTS) > facts, "nothing was written");
        assert_eq!(number(ORDERS_AGREE), 0, "facts of a place in another order than they were written");
        let differences = rebuild(&database, &programmes::record(), true, |_| {}).expect("a rebuild");
        assert!(differences.is_empty(), "views differ from their facts: {differences:?}");
    });
}

/// The same bills with the round behind each number.
fn under_other_numbers(bills: &str, round: usize) -> Vec<u8> {
    let mut lines = bills.lines();
    let head = lines.next().expect("a head");
    let number = head
        .split(',')
        .position(|name| name.trim_start_matches('\u{feff}') == "结算单号")
        .expect("a column of numbers");
    let others = lines.map(|line| {
        let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
        cells[number] = format!("{}-{round}", cells[number]);
        cells.join(",")
    });
    std::iter::once(head.to_owned()).chain(others).collect::<Vec<_>>().join("\n").into_bytes()
}
