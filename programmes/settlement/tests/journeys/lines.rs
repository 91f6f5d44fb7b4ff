//! Lines of bills: in files and at the desk, over HTTP, on both databases.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

use super::office::{Office, between, given_a_desk, on_both, settles, stay};
use axum::http::StatusCode;
use kangmai_access::{Purpose, Role};
use kangmai_base::{Fen, Uuid};
use kangmai_people::{Label, Person};
use kangmai_places::{InstitutionGrade, InstitutionTier};
use kangmai_settlement::import::{BILLS, LINES};
use kangmai_settlement::replay::{ReceiptFile, replay};
use kangmai_settlement::store::{self, BillFilter, BillRow, BillState};

/// A village of Zhengzhou, whose hospitals waive fees for the registered poor.
const ZHONGMU: &str = "410122001001";

const BILL_HEAD: [&str; 10] = [
    "结算单号",
    "身份证号",
    "机构代码",
    "入院日期",
    "出院日期",
    "就诊类型",
    "总费用",
    "合规费用",
    "是否转诊",
    "更正",
];
const LINE_HEAD: [&str; 11] = [
    "结算单号",
    "机构代码",
    "项目编码",
    "收费项目名称",
    "收费类别",
    "医保类别",
    "数量",
    "单价",
    "金额",
    "自付比例",
    "减免费用项",
];

fn given_a_patient(office: &mut Office) -> Person {
    let county = InstitutionTier::County;
    office.given_an_institution("H1", "410122001000", county, InstitutionGrade::Second);
    office.given_a_person("示例甲", ZHONGMU, &[(Label::RegisteredPoor, "2016-01-01", None)])
}

fn bill<'a>(person: &'a Person, number: &'a str, total: &'a str, compliant: &'a str) -> Vec<Vec<&'a str>> {
    let id = person.body.id_number.as_ref().expect("a number").as_str();
    let row = vec![number, id, "H1", "2019-06-01", "2019-06-29", "住院", total, compliant, "是", ""];
    vec![BILL_HEAD.to_vec(), row]
}

/// Lines of a bill that come to 1,000.00, of which 845.00 are compliant, with 5.00 for registration.
fn lines(number: &str) -> Vec<Vec<&str>> {
    vec![
        LINE_HEAD.to_vec(),
        vec![number, "H1", "X1", "阿莫西林胶囊", "西药费", "甲", "20", "12.50", "250.00", "", ""],
        vec![number, "H1", "X2", "示例进口药", "药品", "乙类", "1", "500", "500.00", "10%", ""],
        vec![number, "H1", "", "示例自费材料", "卫生材料费", "丙", "3", "35", "105", "", ""],
        vec![number, "H1", "G1", "挂号费", "挂号费", "甲", "1", "5", "", "0", "挂号费"],
        vec![number, "H1", "S1", "示例检查", "检查费", "甲", "2", "70", "", "", ""],
    ]
}

fn rows(office: &Office) -> Vec<BillRow> {
    let reach = office.reach_of("41", Purpose::ReadBills);
    office.read(move |tx| store::bill_rows(tx, &reach, BillFilter::default(), 100, 0))
}

/// Cause, kind of payer and amount of what was posted for a bill, in order.
fn posted(office: &Office, bill: Uuid) -> Vec<(String, String, Fen)> {
    let found = office.read(move |tx| store::postings_of(tx, bill));
    let of = |posting: store::PostingRow| {
        (posting.cause.map_or("", |why| why.key()).to_owned(), posting.kind, posting.amount)
    };
    found.into_iter().map(of).collect()
}

#[test]
fn lines_that_come_after_their_bill_settle_it_again_and_say_why() {
    on_both(|office| {
        let person = given_a_patient(office);
        let bureau = office.bureau("4101");
        let (bills, lines) = (bill(&person, "L1", "1000.00", "845.00"), lines("L1"));
        let early = office.imports(&LINES, &bureau, &lines, false);
        assert_eq!((early.summary.faulty, early.facts), (5, 0), "the bill is not there yet");
        assert_eq!(early.faults()[0].1, "settlement.flaw.no_such_bill");

        office.imports(&BILLS, &bureau, &bills, false);
        let before = rows(office)[0].clone();
        assert_eq!((before.total, before.waived), (Fen(100_000), before.waived));
        let dry = office.imports(&LINES, &bureau, &lines, true);
        assert_eq!((dry.summary.new, dry.summary.faulty, dry.facts), (5, 0, 0), "{:?}", dry.faults());
        let done = office.imports(&LINES, &bureau, &lines, false);
        assert_eq!((done.summary.new, done.facts), (5, 2), "{:?}", done.faults());
        let after = rows(office)[0].clone();
        assert_eq!((after.total, after.compliant), (Fen(100_000), Fen(84_500)));
        assert_eq!(after.state, BillState::Settled);
        assert!(after.waived > before.waived, "the registration fee is waived: {before:?} {after:?}");
        let changes = posted(office, after.id);
        let itemised: Vec<_> = changes.iter().filter(|change| change.0 == "itemised").collect();
        assert!(!itemised.is_empty() && itemised.iter().map(|change| change.2).sum::<Fen>() == Fen::ZERO);
        assert_eq!(changes.iter().map(|change| change.2).sum::<Fen>(), after.total);

        // Neither file changes anything when it comes again, in whatever order the lines stand.
        let mut turned = lines.clone();
        turned[1..].reverse();
        for again in [&lines, &turned] {
            let again = office.imports(&LINES, &bureau, again, false);
            assert_eq!((again.summary.unchanged, again.facts), (5, 0), "{:?}", again.faults());
        }
        let again = office.imports(&BILLS, &bureau, &bills, false);
        assert_eq!((again.summary.unchanged, again.facts), (1, 0), "{:?}", again.faults());
        assert_eq!(rows(office)[0], after);
        office.nothing_differs_after_rebuilding();
    });
}

#[test]
fn a_receipt_with_lines_is_worked_out_again_and_names_their_rule() {
    on_both(|office| {
        let person = given_a_patient(office);
        let bureau = office.bureau("4101");
        office.imports(&BILLS, &bureau, &bill(&person, "L1", "1000.00", "845.00"), false);
        office.imports(&LINES, &bureau, &lines("L1"), false);
        let id = rows(office)[0].id;
        let mut names = Vec::new();
        for role in [Role::HealthBureau, Role::InsuranceClerk] {
            office.signed_in(role, "4101", None);
            let file = office.finds(&format!("/bills/{id}/receipt.json"));
            let file: ReceiptFile = serde_json::from_str(&file).expect("a receipt");
            let rule = file.receipt.lines_rule.as_ref().expect("a rule of lines");
            assert_eq!((rule.file.as_str(), rule.from.to_string().as_str()), ("cn/lines.toml", "2017-01-01"));
            assert!(replay(&office.app.policies, &file, false).expect("replayed").is_same());
            let lines = file.bill.lines.expect("lines").lines;
            names.push(lines.iter().any(|line| !line.name.is_empty()));
            let page = office.finds(&format!("/bills/{id}"));
            assert!(page.contains("乙类先行自付 10%") && page.contains("lines-drug-b"), "{page}");
            assert_eq!(page.contains("示例进口药"), names[names.len() - 1], "{role:?}");
            let book = office.get(&format!("/bills/{id}/lines.xlsx"));
            assert_eq!((book.status, &book.bytes[..2]), (StatusCode::OK, &b"PK"[..]));
            assert!(office.in_english().finds(&format!("/bills/{id}")).contains("Borne first of class B"));
            office.in_chinese();
        }
        assert_eq!(names, [true, false], "a clerk sees money, not what somebody was given");
        office.signed_in(Role::HealthBureau, "4117", None);
        assert_eq!(office.get(&format!("/bills/{id}/lines.xlsx")).status, StatusCode::NOT_FOUND);
    });
}

#[test]
fn a_bill_takes_all_of_its_lines_or_none() {
    on_both(|office| {
        let person = given_a_patient(office);
        let bureau = office.bureau("4101");
        office.imports(&BILLS, &bureau, &bill(&person, "L1", "1000.00", "845.00"), false);
        let refused = |change: &dyn Fn(&mut Vec<Vec<&str>>), expected: &[(u32, &str)]| {
            let mut rows = lines("L1");
            change(&mut rows);
            let all = u64::try_from(rows.len() - 1).expect("few");
            let done = office.imports(&LINES, &bureau, &rows, false);
            assert_eq!((done.summary.faulty, done.facts), (all, 0), "{:?}", done.faults());
            let mut told: Vec<(u32, &str)> = done.faults().iter().map(|fault| (fault.0, fault.1)).collect();
            told.retain(|fault| fault.1 != "settlement.flaw.other_line");
            assert_eq!(told, expected);
        };
        refused(&|rows| rows[1][6] = "0", &[(2, "settlement.flaw.quantity_zero")]);
        refused(&|rows| rows[1][7] = "12.50001", &[(2, "settlement.flaw.line_number")]);
        refused(&|rows| rows[1][8] = "250.01", &[(2, "settlement.flaw.line_amount")]);
        refused(&|rows| rows[2][5] = "丁", &[(3, "sheet.flaw.unknown_word")]);
        refused(&|rows| rows[2][9] = "", &[(3, "settlement.flaw.no_own_share")]);
        // 500.00 at 10 %: taken for wholly compliant it would be 50.00 more.
        refused(&|rows| (rows[2][5], rows[2][9]) = ("甲", ""), &[(2, "settlement.flaw.lines_compliant")]);
        refused(
            &|rows| {
                rows.truncate(5);
            },
            &[(2, "settlement.flaw.lines_total"), (2, "settlement.flaw.lines_compliant")],
        );
        refused(
            &|rows| {
                let double = rows[3].clone();
                rows.push(double);
            },
            &[(4, "settlement.flaw.lines_total")],
        );
        refused(
            &|rows| rows.push(vec!["L1", "H1", "", "退药", "药品", "甲", "-90", "12.5", "", "", ""]),
            &[(7, "settlement.flaw.taken_back")],
        );
        refused(
            &|rows| rows.iter_mut().skip(1).for_each(|row| row[0] = "L404"),
            &[(2, "settlement.flaw.no_such_bill")],
        );
        assert_eq!(rows(office)[0].waived, {
            let id = rows(office)[0].id;
            let paid = office.read(move |tx| store::payments(tx, id));
            paid.into_iter().filter(|paid| paid.2 == "institution").map(|paid| paid.3).sum()
        });
        // A charge that is taken back is right as long as something is left.
        let mut right = lines("L1");
        right.push(vec!["L1", "H1", "X1", "退药", "西药费", "甲", "-4", "12.5", "-50.00", "", ""]);
        right[1][6] = "24";
        right[1][8] = "300";
        let done = office.imports(&LINES, &bureau, &right, false);
        assert_eq!((done.summary.new, done.facts), (6, 2), "{:?}", done.faults());
        // Other lines only as a correction.
        let other = office.imports(&LINES, &bureau, &lines("L1"), false);
        assert_eq!((other.summary.faulty, other.faults()[0].1), (5, "settlement.flaw.other_lines"));
        let mut correction = lines("L1");
        correction[0].push("更正");
        correction[1].push("是");
        let done = office.imports(&LINES, &bureau, &correction, false);
        assert_eq!((done.summary.changed, done.summary.faulty), (5, 0), "{:?}", done.faults());
        office.nothing_differs_after_rebuilding();
    });
}

#[test]
fn rows_of_a_bill_stand_together_and_are_at_most_ten_thousand() {
    on_both(|office| {
        let person = given_a_patient(office);
        let bureau = office.bureau("4101");
        let mut two = bill(&person, "L1", "1000.00", "845.00");
        two.extend(bill(&person, "L2", "10000.00", "10000.00").into_iter().skip(1));
        office.imports(&BILLS, &bureau, &two, false);
        // The last row of L1 stands behind a row of L2: what comes first does not add up, the rest comes back.
        let mut apart = lines("L1");
        let last = apart.pop().expect("a row");
        apart.push(vec!["L2", "H1", "", "示例", "药品", "甲", "1", "10000", "", "", ""]);
        apart.push(last);
        let done = office.imports(&LINES, &bureau, &apart, false);
        assert_eq!((done.summary.new, done.summary.faulty), (1, 5), "{:?}", done.faults());
        assert!(done.faults().iter().any(|fault| (fault.0, fault.1) == (7, "settlement.flaw.lines_apart")));
        // Ten thousand rows are taken across many pieces of the file; one more is too many.
        let line = vec!["L2", "H1", "", "示例", "药品", "甲", "1", "1", "1.00", "", ""];
        let mut many = vec![LINE_HEAD.to_vec()];
        many.extend(std::iter::repeat_n(line.clone(), 10_000));
        many[0].push("更正");
        many[1].push("是");
        let done = office.imports(&LINES, &bureau, &many, false);
        assert_eq!((done.summary.changed, done.summary.faulty), (10_000, 0), "{:?}", done.faults());
        many.push(line);
        let done = office.imports(&LINES, &bureau, &many, false);
        assert_eq!((done.summary.faulty, done.facts), (10_001, 0));
        assert!(done.faults().iter().any(|fault| fault.1 == "settlement.flaw.too_many_lines"));
        office.nothing_differs_after_rebuilding();
    });
}

#[test]
fn a_corrected_bill_keeps_the_lines_that_fit_it() {
    on_both(|office| {
        let person = given_a_patient(office);
        let bureau = office.bureau("4101");
        let mut row = bill(&person, "L1", "1000.00", "845.00");
        office.imports(&BILLS, &bureau, &row, false);
        office.imports(&LINES, &bureau, &lines("L1"), false);
        let has_lines = |office: &Office| {
            let id = rows(office)[0].id;
            let reach = office.reach_of("41", Purpose::ReadBills);
            let body = office.read(move |tx| {
                let bill = store::bill(tx, &reach, id)?.expect("the bill");
                store::body_of(tx, &bill)
            });
            body.expect("a body").lines.is_some()
        };
        (row[1][8], row[1][9]) = ("否", "是");
        let done = office.imports(&BILLS, &bureau, &row, false);
        assert_eq!((done.summary.changed, done.summary.warned), (1, 0), "{:?}", done.faults());
        assert!(has_lines(office), "only the referral is another");
        (row[1][6], row[1][7]) = ("1100.00", "945.00");
        let done = office.imports(&BILLS, &bureau, &row, false);
        assert_eq!(done.faults()[0].1, "settlement.flaw.lines_dropped");
        assert!(!has_lines(office));
        assert_eq!(rows(office)[0].total, Fen(110_000));
        office.nothing_differs_after_rebuilding();
    });
}

#[test]
fn each_import_finds_its_own_sheet_of_one_workbook() {
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let patient =
        vec!["L1", "411721195001019919", "H1", "2019-06-01", "2019-06-29", "住院", "1", "1", "是", ""];
    for (name, rows) in [("结算单", vec![BILL_HEAD.to_vec(), patient]), ("明细", lines("L1"))] {
        let sheet = workbook.add_worksheet().set_name(name).expect("named");
        for (row, cells) in rows.iter().enumerate() {
            for (column, cell) in cells.iter().enumerate() {
                let (row, column) = (u32::try_from(row), u16::try_from(column));
                sheet.write(row.expect("few"), column.expect("few"), *cell).expect("written");
            }
        }
    }
    let bytes = workbook.save_to_buffer().expect("a workbook");
    for (import, rows) in [(BILLS, 1), (LINES, 5)] {
        let mut sheet = kangmai_sheets::open_bytes(bytes.clone(), import.schema, None).expect("a sheet");
        assert!(!sheet.header_faults().iter().any(kangmai_sheet::Fault::is_error), "{}", import.key);
        let mut record = kangmai_sheet::Record::new();
        let mut count = 0;
        while kangmai_sheet::Source::next(&mut sheet, &mut record).expect("a row") {
            count += 1;
        }
        assert_eq!(count, rows, "{}", import.key);
    }
}

/// A bill at the desk without amounts.
fn bare<'a>(number: &'a str, hospital: &'a str) -> Vec<(&'a str, &'a str)> {
    let mut bill = stay(number, hospital, "2026-02-01", "2026-02-10", "");
    bill.retain(|(name, _)| *name != "total" && *name != "compliant");
    bill
}

const PASTED: &str = "序号\t单价\t项目名称\t数量\t目录类别\t费用类别\t自付比例\t金额\r\n\
    1\t12.50\t阿莫西林胶囊\t20\t甲\t西药费\t\t250.00\r\n\
    2\t500\t示例进口药\t1\t乙\t药品\t10%\t500.00\r\n\
    3\t35\t示例自费材料\t3\t丙\t耗材\t\t105.00\r\n";

#[test]
fn lines_are_typed_or_pasted_at_the_desk() {
    on_both(|office| {
        let (hospital, person) = given_a_desk(office);
        let hospital = hospital.to_string();
        let path = format!("/desk/{}", person.id);
        assert!(office.finds(&path).contains("name=\"lines\""));

        // Five rows more; what was pasted becomes rows; a row goes.
        let mut bill = bare("D1", &hospital);
        bill.extend([("lines", PASTED), ("act", "rows")]);
        let grown = office.post(&path, &bill);
        assert_eq!(grown.status, StatusCode::OK);
        assert!(grown.text.contains("name=\"rows\" value=\"8\""), "{}", grown.text);
        assert!(grown.text.contains("value=\"示例进口药\""));
        let typed = [
            ("rows", "3"),
            ("line-0-name", "阿莫西林胶囊"),
            ("line-0-category", "drug"),
            ("line-0-class", "a"),
            ("line-0-quantity", "20"),
            ("line-0-unit_price", "12.5"),
            ("line-2-name", "示例进口药"),
            ("line-2-category", "drug"),
            ("line-2-class", "b"),
            ("line-2-quantity", "1"),
            ("line-2-unit_price", "500"),
            ("line-2-own_share", "10%"),
        ];
        let mut bill = bare("D1", &hospital);
        bill.extend(typed);
        bill.extend([("act", "rows"), ("line-2-gone", "1")]);
        let fewer = office.post(&path, &bill);
        assert!(!fewer.text.contains("示例进口药") && fewer.text.contains("阿莫西林"), "{}", fewer.text);

        let mut bill = bare("D1", &hospital);
        bill.extend(typed);
        let trial = office.post(&path, &bill);
        assert_eq!(trial.status, StatusCode::OK, "{}", trial.text);
        for part in ["收费明细", "750.00", "700.00", "乙类先行自付 10%"] {
            assert!(trial.text.contains(part), "{part}: {}", trial.text);
        }
        let carried = between(&trial.text, "name=\"lines\" value=\"", "\"").replace("&#9;", "\t");
        let own = between(&trial.text, "name=\"expected\" value=\"", "\"");
        let mut confirmed = bare("D1", &hospital);
        confirmed.extend([("lines", carried.as_str()), ("expected", own.as_str())]);
        let settled = office.post(&format!("{path}/settle"), &confirmed);
        assert_eq!(settled.status, StatusCode::SEE_OTHER, "{}", settled.text);
        let statement = office.finds(&settled.location.expect("a statement"));
        assert!(statement.contains("id=\"lines\"") && statement.contains("示例进口药"), "{statement}");

        // The same pasted, with titles in another order; and the plain form goes on.
        let mut pasted = bare("D2", &hospital);
        pasted.push(("lines", PASTED));
        // Of two bills of the same days the one that came first is settled first: this one comes later.
        office.clock.advance(1);
        let page = office.finds(&settles(office, &person, &pasted));
        assert!(page.contains("855.00") && page.contains("105.00 丙类，全部自付"), "{page}");
        let plain = stay("D3", &hospital, "2026-02-01", "2026-02-10", "100.00");
        assert!(!office.finds(&settles(office, &person, &plain)).contains("id=\"lines\""));
        // Going back to the form shows the rows again.
        let mut back = bare("D4", &hospital);
        back.extend([("lines", PASTED), ("act", "edit")]);
        let form = office.post(&format!("{path}/settle"), &back);
        assert!(form.text.contains("name=\"line-2-name\" value=\"示例自费材料\""), "{}", form.text);
        office.nothing_differs_after_rebuilding();
    });
}

#[test]
fn what_is_wrong_with_lines_stands_at_their_row() {
    on_both(|office| {
        let (hospital, person) = given_a_desk(office);
        let hospital = hospital.to_string();
        let path = format!("/desk/{}", person.id);
        let refused = |fields: &[(&str, &str)], expected: &[&str]| {
            let mut bill = bare("D9", &hospital);
            bill.extend(fields);
            let answer = office.post(&path, &bill);
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{fields:?}");
            for part in expected {
                assert!(answer.text.contains(part), "{fields:?} {part}: {}", answer.text);
            }
        };
        refused(&[], &["id=\"field-total-error\"", "id=\"field-compliant-error\""]);
        let line = |quantity: &str, price: &str, class: &str, amount: &str| {
            format!(
                "项目名称\t费用类别\t目录类别\t数量\t单价\t金额\n示例\t药品\t甲\t1\t1\t1\n示例药\t药品\t{class}\t{quantity}\t{price}\t{amount}"
            )
        };
        let at = |key: &str| format!("id=\"line-1-{key}-error\"");
        for (text, key, said) in [
            (line("0", "1", "甲", ""), "quantity", "数量为零"),
            (line("-5", "1", "甲", ""), "quantity", "退费多于收费"),
            (line("1", "1.00001", "甲", ""), "unit_price", "最多四位小数"),
            (line("3", "1.5", "甲", "4.51"), "amount", "相差 0.01 元"),
            (line("1", "1", "丁", ""), "class", "丁"),
            (line("1", "1", "乙", ""), "own_share", "先行自付比例"),
        ] {
            refused(&[("lines", &text)], &[&at(key), said, "value=\"示例药\""]);
        }
        let good = line("2", "1", "甲", "2.00");
        refused(
            &[("lines", &good), ("total", "4.00")],
            &["明细合计 3.00 元，总费用 4.00 元，两者相差 1.00 元"],
        );
        refused(&[("lines", &good), ("compliant", "1.00")], &["第 2 行正好是这个差额"]);
        refused(&[("lines", "项目名称\t数量\n示例\t1")], &["目录类别"]);
        // Without titles: in the order of the form.
        let mut bill = bare("D9", &hospital);
        bill.push(("lines", "\t示例\t药品\t甲\t1\t3\t3.00\t\t\t"));
        let trial = office.post(&path, &bill);
        assert!(trial.text.contains("3.00"), "{}", trial.text);
        // Too many to be shown as fields: they stay where they were pasted, with a list of what is wrong.
        let mut many = line("1", "1", "甲", "");
        many.push_str(&"\n示例\t药品\t甲\t0\t1\t".repeat(200));
        refused(&[("lines", &many)], &["第 3 行 数量：数量为零", "另有 150 处错误没有列出"]);
        let mut many = line("1", "1", "甲", "");
        many.push_str(&"\n示例\t药品\t甲\t1\t1\t".repeat(9_999));
        refused(&[("lines", &many)], &["一张结算单有 10001 行明细，最多 10000 行"]);
    });
}
