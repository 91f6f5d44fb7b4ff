//! How fast files are read and written. `cargo bench -p kangmai-sheets`

#![expect(clippy::expect_used, reason = "a bench may")]

use std::fmt::Write as _;
use std::hint::black_box;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use kangmai_base::{Day, Fen};
use kangmai_sheet::{Cells, Column, Format, Record, Schema, Source, read};
use kangmai_sheets::{Cell, Head, XlsxExport, open_bytes};

const SCHEMA: Schema = Schema {
    key: "bench.bills",
    title_zh: "费用",
    title_en: "Bills",
    columns: &[
        Column::new("bill", "单据号", "Bill").required(),
        Column::new("id_number", "证件号码", "ID number").required().format(Format::Code),
        Column::new("name", "姓名", "Name"),
        Column::new("discharged", "出院日期", "Discharged").required().format(Format::Day),
        Column::new("total", "总费用", "Total").required().format(Format::Amount),
        Column::new("covered", "合规费用", "Covered").format(Format::Amount),
        Column::new("hospital", "医院", "Hospital"),
        Column::new("place", "区划代码", "Division"),
    ],
};

fn main() {
    divan::main();
}

fn csv(rows: usize) -> Vec<u8> {
    let mut text = String::from("单据号,证件号码,姓名,出院日期,总费用,合规费用,医院,区划代码\n");
    for row in 0..rows {
        let _ = writeln!(
            text,
            "ZY{row:08},41172219500101{:04},示例甲,2026-03-{:02},{}.{:02},{}.00,某县人民医院,411722103203",
            row % 10_000,
            row % 28 + 1,
            row % 50_000,
            row % 100,
            row % 50_000
        );
    }
    text.into_bytes()
}

fn xlsx(rows: usize) -> Vec<u8> {
    let heads = SCHEMA.columns.iter().map(|column| Head::new(column.title_zh, column.format)).collect();
    let mut export = XlsxExport::begin("费用", heads).expect("begun");
    for row in 0..rows {
        let bill = format!("ZY{row:08}");
        export
            .row(&[
                Cell::Text(&bill),
                Cell::Text("411722195001010013"),
                Cell::Text("示例甲"),
                Cell::Day(Day(20_000)),
                Cell::Amount(Fen(row as i64)),
                Cell::Amount(Fen(row as i64)),
                Cell::Text("某县人民医院"),
                Cell::Text("411722103203"),
            ])
            .expect("written");
    }
    export.finish_in_memory().expect("written")
}

fn read_all(bytes: Vec<u8>) -> u64 {
    let mut sheet = open_bytes(bytes, &SCHEMA, None).expect("opens");
    let mut record = Record::new();
    let mut length = 0;
    while sheet.next(&mut record).expect("reads") {
        length += record.get(0).len() as u64;
    }
    length
}

#[divan::bench(args = [100_000], sample_count = 5)]
fn read_csv(bencher: Bencher<'_, '_>, rows: usize) {
    let bytes = csv(rows);
    bencher
        .counter(ItemsCount::new(rows))
        .counter(BytesCount::new(bytes.len()))
        .with_inputs(|| bytes.clone())
        .bench_values(|bytes| black_box(read_all(bytes)));
}

#[divan::bench(args = [100_000], sample_count = 5)]
fn read_csv_into_types(bencher: Bencher<'_, '_>, rows: usize) {
    let bytes = csv(rows);
    bencher.counter(ItemsCount::new(rows)).with_inputs(|| bytes.clone()).bench_values(|bytes| {
        let mut sheet = open_bytes(bytes, &SCHEMA, None).expect("opens");
        let matching = sheet.matching().clone();
        let mut record = Record::new();
        let mut sum = Fen::ZERO;
        while sheet.next(&mut record).expect("reads") {
            let mut cells = Cells::new(&matching, &record);
            let number = cells.required("id_number", read::id_number);
            let day = cells.required("discharged", read::day);
            sum += cells.required("total", read::amount).unwrap_or_default();
            sum += cells.optional("covered", read::amount).unwrap_or_default();
            black_box((number, day, cells.optional("place", read::division)));
        }
        sum
    });
}

#[divan::bench(args = [100_000], sample_count = 3)]
fn read_xlsx(bencher: Bencher<'_, '_>, rows: usize) {
    let bytes = xlsx(rows);
    bencher
        .counter(ItemsCount::new(rows))
        .counter(BytesCount::new(bytes.len()))
        .with_inputs(|| bytes.clone())
        .bench_values(|bytes| black_box(read_all(bytes)));
}

#[divan::bench(args = [100_000], sample_count = 3)]
fn write_xlsx(bencher: Bencher<'_, '_>, rows: usize) {
    bencher.counter(ItemsCount::new(rows)).bench(|| black_box(xlsx(rows).len()));
}
