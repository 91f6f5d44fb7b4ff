//! What if a figure were another: put together from the pack in force, run over a year of bills, read, kept; on both
//! databases.

#![expect(clippy::panic, reason = "a test says what it needs")]

use axum::http::StatusCode;
use kangmai_acceptance::county::{COUNTY, County};
use kangmai_acceptance::visitor::Visitor;
use kangmai_access::Role;

/// The year of the county's bills that is over.
const YEAR: &str = "2025";

/// Puts the change of a figure together, in the form of the page.
fn change(visitor: &mut Visitor, figure: &str, value: &str, from: &str) {
    let path = format!("/what-if/new?year={YEAR}&figure={}", encoded(figure));
    visitor.finds(&path).fill("新值", value).fill("从哪一天起", from).press("加入改动");
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Presses run, and looks until the run is done, as a browser without script does.
fn run(visitor: &mut Visitor) -> String {
    visitor.press("开始测算");
    let path = visitor.path().to_owned();
    for _ in 0..200 {
        visitor.finds(&path);
        let waits = visitor
            .page()
            .all("meta")
            .into_iter()
            .any(|meta| visitor.page().attribute(meta, "http-equiv") == Some("refresh"));
        if !waits {
            return path;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("the run does not end: {}", visitor.shown());
}

/// Fen in a cell: `1,234.56`, `+12.00`.
fn fen(text: &str) -> i64 {
    let digits: String = text.chars().filter(|c| c.is_ascii_digit() || *c == '-').collect();
    digits.parse().unwrap_or_else(|_| panic!("{text:?} is no amount"))
}

#[test]
fn a_bureau_lowers_a_deductible_and_sees_who_pays() {
    County::on_both(|county| {
        county.populate();
        let mut clerk = county.sign_in(Role::InsuranceClerk);
        clerk.follow("政策测算").sees("还没有测算").follow("新建测算").sees("城乡居民大病保险");
        change(&mut clerk, "basic [县级二级及以下医院] deductible", "200.00", "2025-01-01");
        clerk.sees(
            "城乡居民基本医疗保险 · 县级二级及以下医院 · 起付线：400.00 元 → 200.00 元，从 2025-01-01 起",
        );
        let path = run(&mut clerk);
        clerk
            .does_not_see("没有影响到任何一笔费用")
            .does_not_see("也和当时的结算单不同")
            .sees("不考虑标准改变后行为的变化");

        let rows = clerk.table("按支付方");
        let difference = |row: &std::collections::BTreeMap<String, String>| fen(&row["差额（元）"]);
        let (sum, parts) = rows.split_last().expect("rows");
        assert_eq!(difference(sum), 0, "what one pays more another pays less");
        assert_eq!(parts.iter().map(difference).sum::<i64>(), 0);
        let own = parts.iter().find(|row| row["支付方"] == "个人自付").expect("people");
        assert!(difference(own) < 0, "{own:?}");
        // What is "as it is" is what the receipts say.
        let before = fen(&own["现行（元）"]);
        let stored: i64 = county
            .app
            .database
            .read_blocking(|tx| {
                let row = tx.query_one(
                    "select coalesce(sum(own), 0) from bill where insurance_year = 2025 and state = 'settled'",
                    &[],
                )?;
                row.map_or(Ok(0), |row| row.values().first().map_or(Ok(0), |sum| {
                    let text = format!("{sum:?}");
                    Ok::<i64, kangmai_database::DatabaseError>(fen(&text))
                }))
            })
            .expect("the database");
        assert_eq!(before, stored);

        // Each part of the page tells the same difference.
        for (caption, column) in [("按医院层级", 7), ("按地方", 7), ("按身份", 7)] {
            let _ = column;
            let rows = clerk.table(caption);
            assert!(!rows.is_empty(), "{caption}");
            let sum: i64 = rows
                .iter()
                .map(|row| fen(&row["个人自付：改后（元）"]) - fen(&row["个人自付：现行（元）"]))
                .sum();
            assert_eq!(sum, difference(own), "{caption}");
        }

        // The list behind a figure holds as many people as the figure says.
        let bands = clerk.table("多付和少付的人");
        let people: i64 = bands.iter().map(|row| fen(&row["少付的人"])).sum();
        clerk.finds(&format!("{path}/people?side=gain"));
        assert!(people > 0);
        clerk.sees(&format!("共 {people}"));
        let listed = clerk.table("少付的人");
        let first = listed.first().expect("a person");
        clerk.follow(&first["姓名"]);
        assert!(clerk.path().starts_with("/people/"), "{}", clerk.path());

        // Files.
        for file in ["figures.xlsx", "people.xlsx?side=gain"] {
            clerk.open(&format!("{path}/{file}"));
            assert!(clerk.bytes().starts_with(b"PK"), "{file} is a workbook");
        }

        // Kept: the bureau of the same county finds it, another county does not; who has no purpose finds nothing.
        let mut bureau = county.sign_in(Role::HealthBureau);
        bureau
            .finds("/what-if")
            .sees("县级二级及以下医院 · 起付线：")
            .sees("→ 200.00 元，从 ")
            .finds(&path)
            .finds(&format!("{path}/households"));
        county
            .sign_in_as("other_insurance_clerk")
            .does_not_find(&path)
            .does_not_find(&format!("{path}/people"));
        county.sign_in(Role::VillageDoctor).does_not_find("/what-if").does_not_find(&path);
        bureau.finds(&path).press("删除这次测算");
        bureau.does_not_find(&path);
        // A run changes no view and no receipt.
        let differences = kangmai_record::rebuild(&county.app.database, &county.app.record, true, |_| {});
        assert_eq!(differences.expect("rebuilt"), []);
    });
}

#[test]
fn a_change_that_touches_no_bill_is_said_loudly() {
    County::on_both(|county| {
        county.populate();
        let mut clerk = county.sign_in(Role::InsuranceClerk);
        // Nobody's bill comes near this cap.
        change(&mut clerk, "major [参保居民] yearly_cap", "390000.00", "2025-12-31");
        run(&mut clerk);
        clerk.sees("这些改动没有影响到任何一笔费用");
        // With one that counts, only the idle one is named.
        change(&mut clerk, "basic [县级二级及以下医院] deductible", "500.00", "2025-01-01");
        let both = clerk.path().replace(
            "?year=2025",
            &format!(
                "?year=2025&change={}",
                encoded("major [参保居民] yearly_cap = 390000.00 from 2025-12-31")
            ),
        );
        clerk.finds(&both);
        run(&mut clerk);
        clerk.does_not_see("没有影响到任何一笔费用").sees("下面的改动没有带来任何差别");
    });
}

#[test]
fn what_is_wrong_with_a_change_is_underlined_and_the_draft_stays() {
    let county = County::on_sqlite();
    let mut clerk = county.sign_in(Role::HealthBureau);
    let good = "major [参保居民] yearly_cap = 500000.00 from 2025-01-01";
    let path = format!("/what-if/new?year={YEAR}&change={}", encoded(good));
    let said = "城乡居民大病保险 · 参保居民 · 年度限额：400,000.00 元 → 500,000.00 元，从 2025-01-01 起";
    clerk.finds(&path).sees(said);
    clerk.open(&format!(
        "{path}&figure={}&act=add&value=101%25&from=2025-01-01",
        encoded("major [参保居民] tiers[1].ratio")
    ));
    assert_eq!(clerk.status(), StatusCode::UNPROCESSABLE_ENTITY);
    clerk.sees("比例超过 100%").sees(said);
    clerk.open(&format!(
        "{path}&figure={}&act=add&value=70&from=2025-01-01",
        encoded("major [参保居民] tiers[1].ratio")
    ));
    clerk.sees("是不是想写 70%");
    clerk.open(&format!("{path}&figure={}&act=add&value=&from=", encoded("major [参保居民] tiers[1].ratio")));
    assert_eq!(clerk.status(), StatusCode::UNPROCESSABLE_ENTITY);
    clerk.open(&format!(
        "{path}&figure={}&act=add&value=1&from=2025-01-01",
        encoded("magor [参保居民] tires")
    ));
    clerk.sees("major");
    clerk
        .in_english()
        .finds(&path)
        .sees("The figures in force")
        .follow("Remove")
        .does_not_see("500,000.00 yuan");
    assert_eq!(COUNTY.len(), 12);
}
