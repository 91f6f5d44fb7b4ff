//! Lines of bills as the rest of the house meets them: the watch, the timeline, a what-if about a limit for drugs.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

use std::path::Path;
use std::sync::Arc;

use kangmai_acceptance::county::{COUNTY, County};
use kangmai_access::Role;
use kangmai_base::Fen;
use kangmai_policy::{Overlay, Release};
use kangmai_poverty_watch::run_watch;
use kangmai_what_if::{Asked, run};

const INSTITUTIONS: &str = "机构编码,机构名称,所在地区划代码,机构层级,医院等级,机构类别,服务能力\n\
    H1,上蔡县示例人民医院,411722000000,县级,二级,医院,住院、一站式结算、医保定点\n";
const REGISTER: &str = "户编号,与户主关系,姓名,证件号码,户籍地区划代码,参保状态,人群类别,认定日期\n\
    H0001,户主,示例王一,411722195001019911,411722001001,居民,边缘易致贫户,2024-01-01\n";
const BILLS: &str = "结算单号,证件号码,医疗机构代码,入院日期,出院日期,就诊类型,总费用,合规费用,是否转诊\n\
    Q1,411722195001019911,H1,2026-03-01,2026-03-12,住院,50000.00,2000.00,是\n";
const LINES: &str = "结算单号,医疗机构代码,项目名称,费用类别,目录类别,数量,单价\n\
    Q1,H1,示例国产药,西药费,甲,9,100\n\
    Q1,H1,示例护理,护理费,甲,11,100\n\
    Q1,H1,示例进口药,西药费,丙,4,12000\n";

/// A layer that the shipped packs do not have: half of the cost of drugs, at most so much of it counts in a year.
const DRUGS: &str = r#"
id = "drugs"
name = { zh = "用药补助", en = "drugs" }
kind = "category_limit"
payer = { kind = "insurance", fund = "drugs", name = { zh = "基金", en = "the fund" }, national = "x_pay" }
date = "discharge"
round = { mode = "half_up", to = "0.01", at = "layer" }
applies = { fact = "insured_basic", as_of = "discharge" }
base = { take = "remaining_compliant", over = "bill", owner = "person" }
after = ["assistance"]
accumulators = { base = "drugs_counted" }
[[version]]
from = "2000-01-01"
sure = "low"
source = { doc = "test" }
[[version.profile]]
name = { zh = "人", en = "people" }
categories = ["drug"]
fees = []
limit = "300.00"
limit_over = "year"
ratio = "50%"
yearly_cap = "none"
"#;

fn files_come_in(county: &County, lines: bool) {
    for (key, text) in [("institutions", INSTITUTIONS), ("register", REGISTER), ("bills", BILLS)] {
        let finished = county.import(key, &format!("{key}.csv"), text.as_bytes());
        assert_eq!(finished.summary.faulty, 0, "{key}: {:?}", finished.summary.faults);
    }
    if lines {
        let finished = county.import("lines", "lines.csv", LINES.as_bytes());
        assert_eq!((finished.summary.new, finished.parked), (3, 0), "{:?}", finished.summary.faults);
    }
}

fn law_with_drugs() -> Arc<Release> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies");
    let mut files = Release::read_directory(&folder).expect("the packs");
    files.push(("cn/henan/benefits/50-drugs.toml".to_owned(), DRUGS.to_owned()));
    Arc::new(Release::load(files).expect("a release"))
}

#[test]
fn what_lines_leave_outside_the_catalogues_raises_a_warning() {
    County::on_both(|county| {
        for (key, text) in [("institutions", INSTITUTIONS), ("register", REGISTER)] {
            county.import(key, &format!("{key}.csv"), text.as_bytes());
        }
        // Nobody states what is compliant: the desk types what the hospital charged, and class C is outside.
        county.seat(Role::CountyDesk.key(), "H1");
        let mut desk = county.sign_in(Role::CountyDesk);
        desk.follow("结算窗口")
            .fill("身份证号、姓名或拼音首字母", "示例王一")
            .press("查找")
            .follow("录入费用");
        desk.fill("结算单号", "Q2").fill("医疗机构", "上蔡县示例人民医院 (县级)");
        desk.fill("入院日期", "2026-03-01").fill("出院日期", "2026-03-12");
        let pasted: Vec<String> = LINES.lines().map(|line| line.replace(',', "\t")).collect();
        desk.fill("粘贴明细", &pasted.join("\n")).press("预结算");
        desk.sees("丙类和目录外").sees("48,000.00").press("结算 ");
        let watched = run_watch(&county.app, county.app.today(), |_| {}).expect("the watch");
        assert_eq!(watched.raised, 1, "{watched:?}");
        let mut doctor = county.sign_in(Role::VillageDoctor);
        doctor.follow("因病返贫致贫预警").sees("示例王一");
    });
}

#[test]
fn lines_that_come_later_stand_in_the_timeline_and_in_the_statement() {
    let county = County::on_sqlite();
    files_come_in(&county, true);
    let mut clerk = county.sign_in(Role::InsuranceClerk);
    clerk.follow("结算单").follow("查看").sees("收费明细").sees("48,000.00").sees("补录收费明细");
    let path = clerk.path().to_owned();
    clerk.in_english().finds(&path).sees("The lines of the bill came").sees("class C, borne wholly");
    let mut bureau = county.sign_in(Role::HealthBureau);
    bureau.finds(&path).follow("示例王一").sees("收到结算单 Q1 的收费明细");
    assert_eq!(county.app.words.missing(), Vec::<String>::new());
}

#[test]
fn all_rows_of_a_refused_bill_come_back_on_the_error_sheet() {
    let county = County::on_sqlite();
    files_come_in(&county, false);
    // Longer than what is read at once: the first rows are no longer at hand when the last one is found wrong.
    let mut text = LINES.lines().next().expect("a head").to_owned();
    text.push_str(&"\nQ1,H1,示例药,西药费,甲,1,1".repeat(4_999));
    let wrong = county.import("lines", "lines.csv", format!("{text}\nQ1,H1,示例药,西药费,甲,0,1").as_bytes());
    assert_eq!((wrong.summary.faulty, wrong.error_rows, wrong.facts), (5_000, 5_000, 0));
    // So do those of a bill that is right row by row and does not add up.
    let short = county.import("lines", "lines.csv", text.as_bytes());
    assert_eq!((short.summary.faulty, short.error_rows, short.facts), (4_999, 4_999, 0));
    let right = county.import("lines", "lines.csv", LINES.as_bytes());
    assert_eq!((right.summary.new, right.error_rows, right.facts), (3, 0, 2));
}

#[test]
fn a_limit_for_drugs_is_tried_over_bills_with_lines() {
    let law = law_with_drugs();
    for lines in [false, true] {
        County::on_both_under(&law, |county| {
            files_come_in(county, lines);
            let change = ["drugs [1] limit = 700.00 from 2026-01-01"];
            let overlay = Overlay::parse(&change).expect("a change");
            let asked = Asked { place: COUNTY.parse().expect("a place"), year: 2026, overlay, draft: None };
            let finished = run(&county.app, &asked, &Arc::default()).expect("a run");
            let outcome = &finished.outcome;
            assert_eq!(outcome.bills, 1);
            // Without lines nobody knows of drugs. With them 300.00 of 900.00 count and 150.00 are paid, then 700.00 and
            // 350.00, if so much is left of the compliant cost.
            let won = outcome.own.before - outcome.own.after;
            let expected = if lines { Fen::yuan(200) } else { Fen::ZERO };
            assert_eq!(won, expected, "{outcome:?}");
            let stood = outcome.idle.is_empty();
            assert_eq!(stood, lines);
        });
    }
}
