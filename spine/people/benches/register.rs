//! How fast a register is read into typed rows. `cargo bench -p kangmai-people`

#![expect(clippy::expect_used, reason = "a bench may")]

use divan::counter::ItemsCount;
use kangmai_base::{DivisionCode, IdNumber};
use kangmai_people::{Parsed, REGISTER, RegisterContext, RegisterParser};
use kangmai_places::Divisions;
use kangmai_sheet::Record;

fn main() {
    divan::main();
}

const ROWS: u32 = 100_000;

fn rows() -> Vec<Record> {
    (0..ROWS)
        .map(|row| {
            let day = 1 + row % 28;
            let month = 1 + row / 28 % 12;
            let year = 1_940 + row / 336 % 80;
            let number = IdNumber::with_checksum(&format!("411721{year:04}{month:02}{day:02}99{}", row % 10));
            let number = number.map(|number| number.as_str().to_owned()).unwrap_or_default();
            let household = format!("H{:05}", row / 3);
            let birth = format!("{year:04}-{month:02}-{day:02}");
            let name = format!("示例{row}").replace(|c: char| c.is_ascii_digit(), "甲");
            let cells = [
                household.as_str(),
                "户主",
                &name,
                &number,
                &birth,
                "汉族",
                "宋集镇",
                "宋集村",
                "13900009901",
                "城乡居民",
                "脱贫人口、低保",
                "2019-12-31、2021-03-01",
                "32000.00",
            ];
            Record::of(row + 2, cells)
        })
        .collect()
}

#[divan::bench(sample_count = 3)]
fn parse(bencher: divan::Bencher<'_, '_>) {
    let head = Record::of(
        1,
        "户编号|与户主关系|姓名|证件号码|出生日期|民族|乡镇|村|联系电话|参保状态|人群类别|认定日期|家庭年收入".split('|'),
    );
    let matching = std::sync::Arc::new(REGISTER.match_header(&head));
    let context = RegisterContext {
        scope: DivisionCode::from_number(411_721_000_000).expect("a code"),
        today: "2026-03-05".parse().expect("a day"),
        source: "bench".to_owned(),
    };
    let rows = rows();
    bencher.counter(ItemsCount::new(ROWS)).bench(|| {
        let mut parser =
            RegisterParser::new(std::sync::Arc::clone(&matching), Divisions::shipped(), context.clone());
        rows.iter().filter(|record| matches!(parser.parse(record).0, Parsed::Row(_))).count()
    });
}
