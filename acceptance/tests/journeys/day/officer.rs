//! A township officer: the register comes in and is mended, two records are compared, a warning goes through the village.

use kangmai_acceptance::browser::Page;
use kangmai_access::Role;
use kangmai_people::REGISTER;
use kangmai_sheet::{Format, Record, Source as _};
use kangmai_sheets::{Cell, Head, XlsxExport, open_bytes};

use super::{Day, beside_field, checked_at_home, nothing_went_wrong, wait_until};

/// Two new households; in one the day of birth is none that the calendar has, and one is alike somebody already there.
const NEWCOMERS: &str = "户编号,与户主关系,姓名,证件号码,出生日期,户籍地区划代码,联系电话,参保状态
H0101,户主,示例孙五岭,411722197007079934,,411722001001,13900009905,城乡居民基本医疗保险
H0102,户主,示例钱六泉,,1980-02-30,411722001001,13900009906,城乡居民基本医疗保险
H0103,户主,示例石大山,,1962-03-08,411722001001,13900009907,城乡居民基本医疗保险
";

/// What the link with these words gives.
fn download(page: &Page, words: &str) -> Vec<u8> {
    let body = format!(
        "const answer = await fetch(clickable({words:?}).href); if (!answer.ok) throw new Error(answer.status); \
         return [...new Uint8Array(await answer.arrayBuffer())]"
    );
    let told = page.ask(&body);
    let bytes = told.as_array().expect("bytes").iter().filter_map(serde_json::Value::as_u64);
    bytes.map(|byte| u8::try_from(byte).expect("a byte")).collect()
}

/// An error sheet with one cell written anew and saved, as somebody does in a spreadsheet.
fn mended(sheet: Vec<u8>, wrong: &str, right: &str) -> Vec<u8> {
    let mut sheet = open_bytes(sheet, &REGISTER, None).expect("the error sheet is read");
    let heads =
        sheet.matching().titles().iter().map(|title| Head::new(title.clone(), Format::Code)).collect();
    let mut out = XlsxExport::begin("人员名册", heads).expect("a workbook");
    let (mut record, mut found) = (Record::new(), 0);
    while sheet.next(&mut record).expect("a row") {
        let cells = record.cells().map(|cell| Cell::Text(if cell == wrong { right } else { cell }));
        out.row(&cells.collect::<Vec<_>>()).expect("a row is written");
        found += record.cells().filter(|cell| *cell == wrong).count();
    }
    assert_eq!(found, 1, "the faulty row comes back as it was");
    out.finish_in_memory().expect("a workbook")
}

#[test]
fn a_township_officer_brings_the_register_in_and_decides_who_is_who() {
    let Some(day) = Day::begins() else { return };
    let mut page = day.sign_in(Role::TownshipOfficer);
    page.click("导入");
    page.click("人员名册");
    page.click("预览");
    wait_until(&page, "the file asked for", |page| {
        beside_field(page, "选择 .xlsx 或 .csv 文件").contains("请先选择一个文件")
    });
    day.preview(&page, "新登记.csv", NEWCOMERS.as_bytes());
    assert!(page.shows("不是日期，或者日历上没有这一天") && page.shows("1980-02-30"), "{}", page.shown());
    let errors = download(&page, "下载错误清单");
    day.confirm(&page, "导入 2 行");

    page.click("换一个文件");
    day.preview(&page, "新登记-errors.xlsx", &mended(errors, "1980-02-30", "1980-02-28"));
    assert!(!page.shows("日历上没有这一天"), "{}", page.shown());
    day.confirm(&page, "导入 1 行");
    // The same file again takes nothing in.
    page.click("换一个文件");
    day.preview(&page, "新登记.csv", NEWCOMERS.replace("1980-02-30", "1980-02-28").as_bytes());
    assert!(!page.shows("导入 1 行") && !page.shows("导入 3 行"), "{}", page.shown());

    // Somebody without a number has the name and the day of birth of another.
    page.click("首页");
    page.click("1对登记可能是同一人，等待核对");
    page.click_beside("示例石大山", "核对");
    page.wait_for("两条登记对照");
    page.click("是同一人");
    wait_until(&page, "the reason", |page| !beside_field(page, "依据").is_empty());
    page.fill("依据", "已入户见证件，是同一人");
    page.click("是同一人");
    page.wait_for("示例石大山：已认定为同一人。");

    // The village doctor finds the newcomers, and the one once.
    let doctor = day.sign_in(Role::VillageDoctor);
    doctor.click("居民查找");
    for (asked, found) in [("示例钱六泉", "46 岁"), ("示例孙五岭", "56 岁")] {
        doctor.fill("姓名、首字母或号码", asked);
        doctor.click("查找");
        doctor.wait_for(found);
    }
    day.open(&doctor, "/people/lists/all");
    assert!(doctor.shows("共 6 条"), "{}", doctor.shown());
    nothing_went_wrong(&mut page);
}

#[test]
fn a_township_officer_takes_a_warning_through_the_village() {
    let Some(day) = Day::begins().map(Day::with_warnings) else { return };
    checked_at_home(&day, "示例李三桥");
    let mut page = day.sign_in(Role::TownshipOfficer);
    page.click("因病返贫致贫预警");
    page.fill("环节", "待村级评议");
    wait_until(&page, "the filter", |page| !page.shows("示例石大山"));
    page.click_beside("示例李三桥", "查看");
    page.wait_for("两人均无收入");
    page.fill("评议意见", "村民代表一致同意");
    page.click("评议通过");
    page.wait_for("评议已登记。");
    let warning = page.address();

    page.click("打印村内公示");
    page.wait_for("防止返贫致贫对象村内公示");
    let notice = page.printed_text();
    assert!(notice.contains("示例李三桥") && notice.contains("老城社区"), "{notice}");
    for private in
        ["41172219600101991X", "9911", "991X", "13900009903", "脑梗", "I63", "卒中", "疾病", "费用", "元"]
    {
        assert!(!notice.contains(private), "the notice says {private}:\n{notice}");
    }
    assert_eq!(Page::sheets_of(&page.print()), 1, "the notice is one page");

    // Posted tomorrow is not posted.
    page.open(&warning);
    page.fill("公示张贴日期", "2026-11-21");
    page.click("已张贴");
    wait_until(&page, "the day refused", |page| beside_field(page, "公示张贴日期").contains("不能晚于今天"));
    page.fill("公示张贴日期", "2026-11-20");
    page.click("已张贴");
    page.wait_for("公示已登记，期满后由乡镇初审。");
    // Not before it has hung its days.
    page.click("公示无异议");
    page.click("初审通过，报县级");
    page.wait_for("公示未满5天，2026-11-25起才能初审");

    day.county.clock.advance(5 * 86_400);
    let page_later = day.sign_in(Role::TownshipOfficer);
    page_later.wait_for("1 户公示期满，待乡镇初审");
    page_later.open(&warning);
    page_later.click("公示无异议");
    page_later.click("初审通过，报县级");
    page_later.wait_for("初审已登记，转县级审定。");
    let bureau = day.sign_in(Role::HealthBureau);
    bureau.wait_for("1 户待县级审定");
    nothing_went_wrong(&mut page);
}
