//! `kangmai settle` and `kangmai policy` from the outside.
#![expect(clippy::expect_used, reason = "a test")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A directory of its own for one test; gone afterwards.
struct Desk(PathBuf);

impl Desk {
    fn new(name: &str) -> Desk {
        let directory =
            std::env::temp_dir().join(format!("kangmai-test-settle-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("a directory");
        Desk(directory)
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).expect("a file");
        path
    }

    fn read(&self, name: &str) -> String {
        let text = std::fs::read_to_string(self.0.join(name)).expect("a file");
        text.trim_start_matches('\u{feff}').to_owned()
    }

    fn settle(&self, bills: &Path, more: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kangmai"));
        command.arg("settle").arg("--bills").arg(bills).arg("--out").arg(self.0.join("out.csv")).args(more);
        command.output().expect("the command runs")
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

const HEAD: &str = "结算单号,证件号码,出院日期,总费用,合规费用,机构级别,医院等级,是否转诊,人群类别,参保地\n";

const EXAMPLES: &str = "\
E1,411721195001019919,2019-06-30,60000.00,60000.00,县级,二级,是,建档立卡,411722
E1b,411721195001019927,2019-06-30,60000.00,60000.00,县级,二级,是,建档立卡,410122
E2,411721195001019935,2022-06-30,60000.00,60000.00,县级,二级,是,低保,411722
E3,411721195001019943,2022-06-30,60000.00,60000.00,县级,二级,是,,411722
E4,411721195001019951,2020-06-30,200000.00,200000.00,省级,三级,是,建档立卡,411722
E5,41172119500101996X,2019-06-30,3000.00,3000.00,乡镇级,一级,是,建档立卡,411722
";

#[test]
fn the_worked_examples_come_out_to_the_fen() {
    let desk = Desk::new("examples");
    let bills = desk.file("bills.csv", format!("{HEAD}{EXAMPLES}"));
    let told = said(&desk.settle(&bills, &["--explain", "e1b"]));
    assert!(told.contains("6 bills settled, 0 rows not settled"), "{told}");
    assert!(told.contains("减免住院起付线：400.00") && told.contains("个人自付4,437.22元"), "{told}");
    let otherwise = said(&desk.settle(&bills, &["--explain", "E3"]));
    for part in [
        "还可以怎样",
        "如果在本县乡镇(社区)级机构（一级）就医：个人自付6,300.00元，少付4,452.00元",
        "城乡居民大病保险 0.00 → 3,413.80元",
        "没有享受的待遇还差什么",
    ] {
        assert!(otherwise.contains(part), "{part}: {otherwise}");
    }
    let out = desk.read("out.csv");
    for expected in [
        "E1,basic,basic,60000.00,49248.00,10752.00",
        "E1,major,major,10752.00,4201.60,6550.40",
        "E1,supplementary,supplementary,6550.40,1220.16,5330.24",
        "E1,own,person,60000.00,5330.24,0.00",
        "E1b,waiver,institution,5330.24,893.02,4437.22",
        "E1b,own,person,60000.00,4437.22,0.00",
        "E2,major,major,10752.00,3413.80,7338.20",
        "E2,own,person,60000.00,7338.20,0.00",
        "E3,own,person,60000.00,10752.00,0.00",
        "E4,basic,basic,200000.00,133990.00,66010.00",
        "E4,major,major,66010.00,49208.50,16801.50",
        "E4,supplementary,supplementary,16801.50,6541.20,10260.30",
        "E4,own,person,200000.00,10260.30,0.00",
        "E5,basic,basic,3000.00,2400.00,600.00",
        "E5,own,person,3000.00,600.00,0.00",
    ] {
        assert!(out.lines().any(|line| line == expected), "{expected}\n{out}");
    }
    assert!(!desk.0.join("out.errors.csv").exists(), "nothing was wrong");
}

const LINES_HEAD: &str = "结算单号,项目名称,费用类别,目录类别,数量,单价,金额,自付比例,免除费用项\n";

#[test]
fn lines_are_joined_to_their_bills() {
    let desk = Desk::new("lines");
    // Zhengzhou waives the registration fee of the registered poor: without lines nobody knows of it.
    let head = "结算单号,证件号码,出院日期,总费用,合规费用,机构级别,医院等级,是否转诊,人群类别,参保地\n";
    let bills = "\
L1,411721195001019919,2019-06-30,60005.00,60000.00,县级,二级,是,建档立卡,410122
L2,411721195001019927,2019-06-30,1000.00,,县级,二级,是,,411722
L3,411721195001019935,2019-06-30,1000.00,1000.00,县级,二级,是,,411722
L4,411721195001019943,2019-06-30,1000.00,,县级,二级,是,,411722
L5,411721195001019951,2019-06-30,100.00,100.00,县级,二级,是,,411722
L6,41172119500101996X,2019-06-30,100.00,100.00,县级,二级,是,,411722
";
    let lines = "\
L1,示例药,西药费,甲,10,5999.50,59995.00,,
L2,示例药,药品,乙,2,400,800.00,10%,
L3,示例药,药品,乙,2,500,,10%,
L1,挂号费,挂号费,甲,1,5,5.00,,挂号费
L1,示例自费药,药品,丙,1,5,5.00,,
L2,示例材料,耗材,甲,1,200,200,,
L4,示例药,药品,甲,0,500,,,
L4,示例药,药品,甲,1,1000,,,
L404,示例药,药品,甲,1,1000,,,
L6,示例药,药品,甲,2,50,100.01,,
";
    let bills = desk.file("bills.csv", format!("{head}{bills}"));
    let lines = desk.file("lines.csv", format!("{LINES_HEAD}{lines}"));
    let lines = lines.to_str().expect("a path");
    let told = said(&desk.settle(&bills, &["--lines", lines]));
    assert!(told.contains("3 bills settled, 3 rows not settled"), "{told}");
    assert!(told.contains("2 bills with lines, 2 lines not taken"), "{told}");
    let out = desk.read("out.csv");
    let paid = |bill: &str, layer: &str| {
        let row = out.lines().find(|line| line.starts_with(&format!("{bill},{layer},")));
        row.map(|row| row.split(',').nth(4).expect("an amount").to_owned())
    };
    assert!(out.contains("L2,own,person,1000.00,"), "{out}");
    let base = |bill: &str, layer: &str| {
        let row = out.lines().find(|line| line.starts_with(&format!("{bill},{layer},"))).expect("a row");
        row.split(',').nth(3).expect("an amount").to_owned()
    };
    assert_eq!(base("L2", "basic"), "920.00", "a tenth of 800.00 is borne first");
    // E1b waives 893.02 of 60,000.00; the registration fee comes on top as far as the patient would bear it.
    let waived = paid("L1", "waiver").expect("the waiver");
    assert_ne!(waived, "893.02", "{out}");
    let errors = desk.read("out.errors.csv");
    for expected in [
        "明细 8,L4,数量,0,数量为零",
        "明细 10,L404,",
        "明细文件第 8 行有误",
        "两者相差 100.00 元",
        "明细文件第 11 行：金额 100.01 元",
    ] {
        assert!(errors.contains(expected), "{expected}: {errors}");
    }
    // The order of either file changes nothing.
    let turned = |name: &str, text: &str| {
        let (head, rows) = text.split_once('\n').expect("a head");
        let mut rows: Vec<&str> = rows.lines().collect();
        rows.reverse();
        desk.file(name, format!("{head}\n{}\n", rows.join("\n")))
    };
    let read = |path: &Path| std::fs::read_to_string(path).expect("a file");
    let turned_lines = turned("turned-lines.csv", &read(Path::new(lines)));
    let turned_bills = turned("turned-bills.csv", &read(&bills));
    said(&desk.settle(&turned_bills, &["--lines", turned_lines.to_str().expect("a path")]));
    let sorted = |text: &str| {
        let mut rows: Vec<String> = text.lines().map(str::to_owned).collect();
        rows.sort();
        rows
    };
    assert_eq!(sorted(&desk.read("out.csv")), sorted(&out));
}

#[test]
fn what_cannot_be_settled_is_listed_and_the_rest_goes_on() {
    let desk = Desk::new("errors");
    let rows = "\
G1,411721195001019919,2019-06-30,60000.00,60000.00,县级,,是,,411722
G1,411721195001019919,2019-06-30,60000.00,60000.00,县级,,是,,411722
G1,411721195001019919,2019-06-30,60000.01,60000.00,县级,,是,,411722
B1,411721195001019978,1900-01-01,3000.00,3000.00,乡镇级,,,,411722
B2,411721195001019978,2019-06-30,-3000.00,3000.00,乡镇级,,,,411722
B3,411721195001019978,2019-06-30,3000.00,3000.01,乡镇级,,,,411722
B4,411721195001019978,2019-06-30,3000.00,,星级,,,,411722
B5,411721195001019978,2019-06-30,3000.00,,,,,,411722
B6,411721195001019978,2019-06-30,3000.00,,县级,,,贫困户,411722
B7,411721195001019978,2019-06-30,3000.00,,县级,,,,990000
B8,,2019-06-30,3000.00,,县级,,,,411722
B9,411721195001019978,2020-06-30,3000.00,,县级,,,,220102
";
    let bills = desk.file("bills.csv", format!("{HEAD}{rows}"));
    let told = said(&desk.settle(&bills, &[]));
    assert!(told.contains("1 bills settled, 10 rows not settled, 1 rows seen twice"), "{told}");
    let errors = desk.read("out.errors.csv");
    for (row, reason) in [
        (3, "同一张单"),
        (4, "内容不同"),
        (5, "1901"),
        (6, "负数"),
        (7, "合规费用大于总费用"),
        (8, "只能是"),
        (9, "级别"),
        (10, "贫困户"),
        (11, "没有生效的政策"),
        (12, "不能为空"),
        (13, "jilin-insurance"),
    ] {
        let found = errors.lines().any(|line| line.starts_with(&format!("{row},")) && line.contains(reason));
        assert!(found, "row {row}: {reason}\n{errors}");
    }
    assert!(!errors.contains('⟦'), "a sentence is missing\n{errors}");
    let told = said(&desk.settle(&bills, &["--accept", "jilin-insurance", "--english"]));
    assert!(told.contains("9 rows not settled"), "{told}");
}

/// The lines of a result in an order of their own.
fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

#[test]
fn the_order_encoding_and_form_of_the_file_do_not_matter() {
    let desk = Desk::new("order");
    let mut rows: Vec<String> = Vec::new();
    for person in 0..200 {
        for bill in 0..5 {
            let (month, total) = (1 + (bill * 7 + person) % 12, 1_000 * (person % 90 + 1) + 37 * bill);
            let label = ["", "建档立卡", "低保", "特困"][person % 4];
            rows.push(format!(
                "N{person:03}{bill},L{person:08},2019-{month:02}-15,{total}.55,{total}.05,县级,二级,否,{label},411722"
            ));
        }
    }
    let grouped = format!("{HEAD}{}\n", rows.join("\n"));
    let bills = desk.file("grouped.csv", &grouped);
    assert!(!said(&desk.settle(&bills, &[])).contains("split"));
    let expected = desk.read("out.csv");
    assert_eq!(expected.lines().filter(|line| line.contains(",own,")).count(), 1_000);

    let mut mixed = rows.clone();
    mixed
        .sort_by_key(|row| row.bytes().rev().fold(7_u64, |sum, byte| sum.wrapping_mul(31) + u64::from(byte)));
    let bills = desk.file("mixed.csv", format!("\u{feff}{HEAD}{}\r\n", mixed.join("\r\n")));
    assert!(said(&desk.settle(&bills, &[])).contains("split"));
    assert_eq!(sorted(&desk.read("out.csv")), sorted(&expected));

    let (gbk, _, _) = encoding_rs::GBK.encode(&grouped);
    let bills = desk.file("gbk.csv", &gbk);
    said(&desk.settle(&bills, &[]));
    assert_eq!(desk.read("out.csv"), expected);
}

#[test]
fn labels_come_from_the_register_as_of_the_day_and_openings_count() {
    let desk = Desk::new("people");
    let people = desk.file(
        "people.csv",
        "姓名,证件号码,户籍地区划代码,人群类别,认定日期,退出日期\n\
         示例甲,411721195001019919,411721107200,低保,2020-01-01,2022-12-01\n",
    );
    let institutions =
        desk.file("institutions.csv", "机构编码,机构名称,区划代码,机构层级,医院等级,机构类别\nH1,示例县人民医院,411721,县级,二级,综合医院\n");
    let opening = desk.file(
        "opening.csv",
        "证件号码,年度,大病保险累计合规自付,本年住院次数\n411721195001019919,2022,5500.00,1\n",
    );
    let bills = desk.file(
        "bills.csv",
        "结算单号,证件号码,入院日期,出院日期,总费用,医疗机构代码\n\
         A,411721195001019919,2022-06-01,2022-06-30,60000.00,H1\n\
         B,411721195001019919,2022-11-20,2022-12-01,60000.00,H1\n\
         C,411721195001019919,2022-06-01,2022-06-30,60000.00,H9\n",
    );
    let path = |path: &Path| path.to_string_lossy().into_owned();
    let (people, institutions, opening) = (path(&people), path(&institutions), path(&opening));
    let more = ["--people", &people, "--institutions", &institutions, "--opening", &opening];
    let told = said(&desk.settle(&bills, &more));
    assert!(told.contains("2 bills settled, 1 rows not settled"), "{told}");
    let out = desk.read("out.csv");
    // The second stay of the year by the opening: 200 deductible. The base of the year has passed 5,500.
    assert!(out.contains("A,basic,basic,60000.00,49374.00,10626.00"), "{out}");
    assert!(out.contains("A,major,major,10626.00,6906.90,3719.10"), "{out}");
    // The label ended on the day of discharge: the general tiers hold, over the base of both bills.
    assert!(out.contains("B,major,major,10626.00,6375.60,4250.40"), "{out}");
    assert!(!out.contains("B,assistance"), "{out}");
}

/// The shipped packs in a directory of the desk, but medical assistance counts for households and the years of Henan begin
/// on 1 July.
fn packs_of_households(desk: &Desk) -> String {
    let root = desk.0.join("packs");
    let mut folders = vec![(Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies"), root.clone())];
    while let Some((from, to)) = folders.pop() {
        std::fs::create_dir_all(&to).expect("a folder");
        for entry in std::fs::read_dir(from).expect("packs") {
            let entry = entry.expect("a file");
            let to = to.join(entry.file_name());
            if entry.path().is_dir() {
                folders.push((entry.path(), to));
                continue;
            }
            let text = std::fs::read_to_string(entry.path()).expect("a text");
            let is_aid = entry.file_name() == "40-assistance.toml";
            let owner = if is_aid { "owner = \"household\"" } else { "owner = \"person\"" };
            std::fs::write(to, text.replace("owner = \"person\"", owner)).expect("written");
        }
    }
    let years = "[[version]]\nfrom = \"2024-07-01\"\nrest = \"with_next\"\nsure = \"low\"\nsource = { doc = \"测试用\" }\n";
    std::fs::write(root.join("cn/henan/insurance_year.toml"), years).expect("written");
    root.to_string_lossy().into_owned()
}

#[test]
fn members_of_a_household_stay_together_whatever_the_order_of_rows() {
    let desk = Desk::new("households");
    let packs = packs_of_households(&desk);
    let head = HEAD.replace("参保地", "参保地,户编号");
    let row = |number: &str, person: &str, on: &str, household: &str| {
        format!("{number},{person},{on},60000.00,60000.00,县级,二级,是,边缘易致贫,411722,{household}")
    };
    let (one, two, three) = ("411721195001019919", "411721195001019927", "411721195001019935");
    let mut rows = vec![
        // The other member bears nothing of the 2,100 any more; nor does whoever the one moves in with.
        row("A", one, "2025-07-01", "7"),
        row("B", two, "2025-08-01", "7"),
        row("C", three, "2025-07-15", "8"),
        row("D", three, "2026-06-30", ""),
        row("E", two, "2025-06-30", "7"),
        row("F", two, "2026-07-01", "7"),
    ];
    // Many others between them, so that parts and batches matter.
    rows.extend(
        (0..500).map(|number| row(&format!("X{number:03}"), &format!("L{number:08}"), "2025-09-01", "")),
    );
    let lines = [
        "A,assistance,assistance,10752.00,5191.20,5560.80",
        "B,assistance,assistance,10752.00,6451.20,4300.80",
        "C,assistance,assistance,10752.00,5191.20,5560.80",
        // The year from July 2024 to June 2025, and that from July 2026: each anew.
        "E,assistance,assistance,10752.00,5191.20,5560.80",
        "F,assistance,assistance,10752.00,5191.20,5560.80",
        "X499,assistance,assistance,10752.00,5191.20,5560.80",
    ];
    let mut before: Option<String> = None;
    for turned in [false, true] {
        if turned {
            rows.reverse();
        }
        let bills = desk.file("bills.csv", format!("{head}{}\n", rows.join("\n")));
        let told = said(&desk.settle(&bills, &["--pack", &packs, "--explain", "B"]));
        assert!(told.contains("506 bills settled") && told.contains("本年度累计按全户成员合计"), "{told}");
        let out = desk.read("out.csv");
        for line in lines {
            assert!(out.lines().any(|found| found == line), "{line}\n{out}");
        }
        assert!(out.contains("D,basic,basic,60000.00,49374.00"), "the second stay of the year: {out}");
        if let Some(before) = &before {
            assert_eq!(sorted(before), sorted(&out));
        }
        before = Some(out);
    }
}

#[test]
fn households_come_from_the_register_and_openings_of_members_add_up() {
    let desk = Desk::new("register");
    let packs = packs_of_households(&desk);
    let people = desk.file(
        "people.csv",
        "姓名,证件号码,户籍地区划代码,户编号,人群类别,认定日期\n\
         示例甲,411721195001019919,411721107200,12,边缘易致贫,2020-01-01\n\
         示例乙,411721195001019927,411721107200,12,边缘易致贫,2020-01-01\n\
         示例丙,411721195001019935,411721107200,12,边缘易致贫,2020-01-01\n\
         示例丁,411721195001019943,411721107201,12,边缘易致贫,2020-01-01\n",
    );
    let opening = desk.file(
        "opening.csv",
        "证件号码,年度,医疗救助已用起付线,医疗救助已支付\n\
         411721195001019919,2025,1000.00,29000.00\n\
         411721195001019935,2025,600.00,100.00\n\
         411721195001019943,2024,2100.00,0.00\n",
    );
    let bills = desk.file(
        "bills.csv",
        "结算单号,证件号码,出院日期,总费用,机构级别,医院等级,是否转诊\n\
         A,411721195001019927,2026-06-30,60000.00,县级,二级,是\n\
         B,411721195001019943,2026-06-30,60000.00,县级,二级,是\n",
    );
    let path = |path: &Path| path.to_string_lossy().into_owned();
    let (people, opening) = (path(&people), path(&opening));
    let told = said(&desk.settle(&bills, &["--pack", &packs, "--people", &people, "--opening", &opening]));
    assert!(told.contains("2 bills settled, 0 rows not settled"), "{told}");
    let out = desk.read("out.csv");
    // Of the household's 30,000 are 900 left, used by two members who have no bill here.
    assert!(out.contains("A,assistance,assistance,10752.00,900.00,9852.00"), "{out}");
    // The same number in another village is another household, and its opening of the year before is past.
    assert!(out.contains("B,assistance,assistance,10752.00,5191.20,5560.80"), "{out}");
}

#[test]
fn one_pack_can_be_named_and_packs_are_checked_and_tested() {
    let desk = Desk::new("pack");
    let bills = desk.file("bills.csv", format!("{HEAD}{EXAMPLES}"));
    let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies");
    let zhengzhou = packs.join("cn/henan/zhengzhou").to_string_lossy().into_owned();
    let told = said(&desk.settle(&bills, &["--pack", &zhengzhou, "--explain", "E1b", "--english"]));
    assert!(told.contains("Own share 4,437.22 yuan") && told.contains("What would have cost more"), "{told}");

    let kangmai = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_kangmai")).args(arguments).output().expect("the command runs")
    };
    assert!(said(&kangmai(&["policy", "check"])).contains("packs"));
    assert!(said(&kangmai(&["policy", "test"])).contains(" 0 did not"));

    desk.file(
        "labels.toml",
        "[[label]]\nid = \"marginal\"\nname = { zh = \"边缘\", en = \"marginal\", fr = \"x\" }\n",
    );
    let spoilt = desk.0.to_string_lossy().into_owned();
    let output = kangmai(&["policy", "check", "--policies", &spoilt]);
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success() && told.contains("labels.toml:3:") && told.contains("“fr”"), "{told}");
}
