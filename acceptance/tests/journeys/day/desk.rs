//! The desk of a hospital: bills are tried, put right, settled and printed; one is cancelled; somebody is admitted.

use std::path::PathBuf;

use kangmai_acceptance::browser::Page;
use kangmai_access::Role;

use super::{Day, beside_field, nothing_went_wrong, wait_until};

/// A bill as it lies on the counter.
struct Bill {
    patient: &'static str,
    number: &'static str,
    hospital: &'static str,
    days: (&'static str, &'static str),
    total: &'static str,
    compliant: &'static str,
}

impl Bill {
    /// Finds the patient and fills the form.
    fn enter(&self, page: &Page) {
        page.click("结算窗口");
        page.fill("身份证号、姓名或拼音首字母", self.patient);
        page.click("查找");
        page.click_beside(self.patient, "录入费用");
        page.fill("结算单号", self.number);
        page.fill("医疗机构", self.hospital);
        page.fill("住院", "yes");
        page.fill("入院日期", self.days.0);
        page.fill("出院日期", self.days.1);
        page.fill("规范转诊", "yes");
        page.fill("总费用", self.total);
        page.fill("合规费用", self.compliant);
        page.click("预结算");
    }

    /// Enters and settles it; `layers` and the own share are what the trial shows.
    fn settle(&self, page: &Page, layers: &[&str], own: &str) {
        self.enter(page);
        for amount in layers {
            page.wait_for(amount);
        }
        page.click(&format!("结算 {own} 元"));
        page.wait_for("打印结算单");
        assert!(page.shows(own) && page.shows(self.number), "{}", page.shown());
    }
}

const JUNE: (&str, &str) = ("2019-06-12", "2019-06-30");
const COUNTY_HOSPITAL: &str = "上蔡县示例人民医院";

/// Example E1: 60,000 yuan in the county hospital, registered as poor, 2019.
const E1: Bill = Bill {
    patient: "示例石大山",
    number: "B2019-0001",
    hospital: COUNTY_HOSPITAL,
    days: JUNE,
    total: "60000.00",
    compliant: "60000.00",
};

/// The statement on the front, what it rests on on the back: in both languages, and for who reads it in large letters.
fn prints_on_one_sheet(page: &Page, name: &str) {
    let address = page.address();
    let looks = [("en", "0"), ("en", "4"), ("zh", "4"), ("zh", "0")];
    for (language, elder) in looks {
        page.cookie(&address, "kangmai_language", language);
        page.cookie(&address, "kangmai_elder", elder);
        page.open(&address);
        let pdf = page.print();
        if let Some(folder) = std::env::var_os("KANGMAI_SCREENSHOTS") {
            let file = PathBuf::from(folder).join(format!("{name}-{language}-{elder}.pdf"));
            std::fs::write(file, &pdf).expect("the print is kept");
        }
        let sheets = Page::sheets_of(&pdf);
        assert_eq!(sheets, 2, "{name} in {language}, letters {elder}, is more than a sheet and its back");
    }
}

#[test]
fn a_county_desk_settles_corrects_cancels_and_admits() {
    let Some(day) = Day::begins() else { return };
    let page = day.sign_in(Role::CountyDesk);

    // The discharge sheet is misread: more within the catalogues than the whole bill.
    Bill { compliant: "66000.00", ..E1 }.enter(&page);
    page.wait_for("有问题，请改正后再提交");
    assert!(beside_field(&page, "合规费用").contains("应在零和总费用 60,000.00 元之间"), "{}", page.shown());
    page.fill("合规费用", "60000.00");
    page.click("预结算");
    page.wait_for("5,330.24");
    // At the counter it turns out that the number is another.
    page.click("返回修改");
    page.fill("结算单号", "B2019-0002");
    page.click("预结算");
    for layer in ["49,248.00", "4,201.60", "1,220.16"] {
        page.wait_for(layer);
    }
    page.click("结算 5,330.24 元");
    page.wait_for("打印结算单");
    let statement = page.address();
    assert!(page.shows("91.12%") && page.shows("B2019-0002"), "{}", page.shown());
    prints_on_one_sheet(&page, "e1");

    // Example E5: 3,000 yuan in the township, the second stay of the year, and earlier than the first: it moves it. The
    // centre's own desk settles it, for a desk has its institution's bills only.
    day.county.employ(Role::CountyDesk, "centre_desk", kangmai_acceptance::county::COUNTY);
    day.county.seat("centre_desk", "H41172200902");
    let hospital = page;
    let mut page = day.sign_in_as("centre_desk", kangmai_acceptance::county::PASSWORD);
    let second = Bill {
        number: "B2019-0003",
        hospital: "蔡都街道示例卫生院",
        days: ("2019-03-01", "2019-03-09"),
        total: "3000.00",
        compliant: "3000.00",
        ..E1
    };
    second.enter(&page);
    page.wait_for("2,400.00");
    page.wait_for("会改变本年其他结算单");
    page.click("结算 600.00 元");
    page.wait_for("打印结算单");
    // It was another patient's: it is cancelled with a reason, and the first comes out as before.
    page.click("作废");
    page.click("作废这张结算单");
    wait_until(&page, "the reason", |page| !beside_field(page, "作废原因").is_empty());
    page.fill("作废原因", "录错人员");
    page.click("作废这张结算单");
    page.wait_for("结算单 B2019-0003 已作废，重新结算 1 张。");
    nothing_went_wrong(&mut page);
    page.open(&statement);
    assert!(page.shows("没有这个页面"), "another institution's bill: {}", page.shown());
    let mut page = hospital;
    page.open(&statement);
    assert!(page.shows("5,330.24"), "{}", page.shown());

    // The county's insurance reads the same: one settled, one cancelled with its reason.
    let clerk = day.sign_in(Role::InsuranceClerk);
    clerk.click("结算单");
    clerk.wait_for("已作废");
    clerk.open(&statement);
    assert!(clerk.shows("5,330.24") && !clerk.shows("打印协议"), "{}", clerk.shown());
    nothing_went_wrong(&mut page);
}

#[test]
fn an_admission_without_deposit_has_its_agreement() {
    let Some(day) = Day::begins() else { return };
    let mut page = day.sign_in(Role::CountyDesk);
    page.click("先诊疗后付费");
    page.click("办理入院");
    page.fill("身份证号、姓名或拼音首字母", "示例王二河");
    page.click("查找");
    page.click_beside("示例王二河", "办理入院");
    page.fill("医疗机构", COUNTY_HOSPITAL);
    page.fill("入院日期", "2027-01-01");
    page.click("核对并登记");
    wait_until(&page, "the day refused", |page| beside_field(page, "入院日期").contains("今天或之前"));
    page.fill("入院日期", "2026-11-19");
    page.click("核对并登记");
    page.wait_for("免交住院押金");
    assert!(page.printed_text().contains("先诊疗后付费协议书"), "{}", page.printed_text());
    assert_eq!(Page::sheets_of(&page.print()), 1, "the agreement is one page");
    page.click("首页");
    page.wait_for("1 人免押金入院后尚未结算");
    nothing_went_wrong(&mut page);
}

#[test]
fn the_worked_examples_come_out_at_the_desk_of_the_province() {
    let Some(day) = Day::begins() else { return };
    let desk_of = |code: &str| {
        let name = format!("desk_{}", code.to_lowercase());
        day.county.employ(Role::CountyDesk, &name, "410000000000");
        day.county.seat(&name, code);
        day.sign_in_as(&name, kangmai_acceptance::county::PASSWORD)
    };
    let mut page = desk_of("H41012200901");
    // E1b: as E1, in a county of Zhengzhou that waives fees and a tenth of the rest.
    let waived = Bill { patient: "示例周中牟", hospital: "中牟县示例人民医院", ..E1 };
    waived.settle(&page, &["49,248.00", "4,201.60", "1,220.16", "400.00", "493.02"], "4,437.22");
    assert!(page.shows("92.60%"), "{}", page.shown());
    prints_on_one_sheet(&page, "e1b");
    // E4: 200,000 yuan in a tertiary hospital of the province, in another year.
    let tertiary = Bill {
        hospital: "省级示例医院",
        number: "B2020-0001",
        days: ("2020-06-12", "2020-06-30"),
        total: "200000.00",
        compliant: "200000.00",
        ..E1
    };
    nothing_went_wrong(&mut page);
    let mut page = desk_of("H41010500901");
    tertiary.settle(&page, &["133,990.00", "49,208.50", "6,541.20"], "10,260.30");
    assert!(page.shows("94.87%"), "{}", page.shown());
    // E3: the same person has no label any more in 2022.
    let general = Bill { number: "B2022-0001", days: ("2022-06-12", "2022-06-30"), ..E1 };
    nothing_went_wrong(&mut page);
    let mut page = desk_of("H41172200901");
    general.settle(&page, &["49,248.00"], "10,752.00");
    assert!(page.shows("82.08%"), "{}", page.shown());
    nothing_went_wrong(&mut page);
}
