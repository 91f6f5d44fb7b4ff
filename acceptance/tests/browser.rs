//! Journeys in a real browser.

use std::collections::BTreeSet;

use kangmai_acceptance::browser::accessibility::{Need, check};
use kangmai_acceptance::browser::{Browser, Page, Screen};
use kangmai_acceptance::county::{County, HOSPITAL, PASSWORD};
use kangmai_acceptance::crawl::crawl;
use kangmai_access::Role;

const GOOD: &str = r##"<!doctype html><html lang="en"><head><meta name="viewport" content="width=device-width"><title>Desk</title>
<style>body{color:#1b2733;background:#fff} button,input{min-height:44px} @media print{nav{display:none}}</style></head>
<body><nav><a href="#main">Skip</a></nav><main id="main"><h1>Desk</h1>
<form><label for="name">Name</label><input id="name"><label for="kind">Kind</label>
<select id="kind" style="min-height:44px"><option>first</option><option>second</option></select>
<button type="button">Settle</button></form>
<table><caption>Bills</caption><thead><tr><th scope="col">Bill</th></tr></thead>
<tbody><tr><td>B-1 <button type="button" aria-label="Open">Open</button></td></tr>
<tr><td>B-2 <button type="button">Open</button></td></tr></tbody></table>
<p id="said">nothing</p></main></body></html>"##;

/// Each breaks one rule of our own.
const BAD: [(&str, &str); 13] = [
    ("lang=\"en\"", ""),
    ("<title>Desk</title>", ""),
    ("<h1>Desk</h1>", "<h3>Desk</h3>"),
    ("<p id=\"said\">", "<h1>Twice</h1><p id=\"said\">"),
    ("<label for=\"name\">Name</label>", "Name"),
    (">Settle<", "><"),
    (
        "<p id=\"said\">",
        "<img src=\"data:image/gif;base64,R0lGODlhAQABAAAAACw=\" width=9 height=9><p id=\"said\">",
    ),
    ("<p id=\"said\">", "<svg width=9 height=9><rect width=9 height=9 /></svg><p id=\"said\">"),
    ("<caption>Bills</caption>", ""),
    (" scope=\"col\"", ""),
    ("<p id=\"said\">", "<p id=\"said\" style=\"color:#999\">"),
    ("min-height:44px\"", "height:12px\""),
    ("<p id=\"said\">", "<p id=\"said\" style=\"width:3000px\">"),
];

fn page(browser: &Browser, html: &str) -> Page {
    let page = browser.page();
    page.show(html);
    page
}

#[test]
fn the_driver_sees_fills_clicks_and_prints() {
    let Some(browser) = Browser::launch() else { return };
    let mut page = page(&browser, GOOD);
    page.ask("document.addEventListener('click', (event) => { said.textContent = event.target.closest('tr')?.innerText || event.target.innerText + ' ' + document.getElementById('name').value + ' ' + kind.value })");
    page.fill("Name", "石大山");
    page.fill("Kind", "second");
    page.click("Settle");
    page.wait_for("Settle 石大山 second");
    page.click_beside("B-2", "Open");
    assert!(page.shows("B-2 Open") && page.shows("Skip") && !page.printed_text().contains("Skip"));
    let pdf = page.print();
    assert!(pdf.starts_with(b"%PDF"));
    assert_eq!(Page::sheets_of(&pdf), 1);
    page.screen(Screen::PHONE);
    let picture = page.picture();
    assert_eq!(picture[..4], *b"\x89PNG");
    let width = u32::from_be_bytes(picture[16..20].try_into().unwrap());
    assert_eq!(width, 360);
    assert_eq!(page.errors(), Vec::<String>::new());
    page.ask("console.error('broken'); setTimeout(() => { throw new Error('thrown') }, 0)");
    std::thread::sleep(std::time::Duration::from_millis(200));
    let errors = page.errors();
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert_eq!(page.errors(), Vec::<String>::new());
}

#[test]
fn what_keeps_people_from_a_page_is_found() {
    let Some(browser) = Browser::launch() else { return };
    let good = page(&browser, GOOD);
    assert_eq!(check(&good, Need::ANYBODY), Vec::<String>::new());
    assert!(check(&good, Need::ELDER).iter().any(|says| says.contains("60 px")));
    for (from, to) in BAD {
        let html = GOOD.replacen(from, to, 1);
        assert_ne!(html, GOOD, "{from}");
        assert!(
            !check(&page(&browser, &html), Need::ANYBODY).is_empty(),
            "not found: {to} instead of {from}"
        );
    }
}

/// A way of looking at a page.
struct Look {
    name: &'static str,
    screen: Screen,
    dark: bool,
    /// Cookies of the reader's choice.
    cookies: &'static [(&'static str, &'static str)],
    need: Need,
}

const LOOKS: [Look; 4] = [
    Look { name: "phone", screen: Screen::PHONE, dark: false, cookies: &[], need: Need::ANYBODY },
    Look { name: "dark", screen: Screen::DESK, dark: true, cookies: &[], need: Need::ANYBODY },
    Look {
        name: "elder",
        screen: Screen::TABLET,
        dark: false,
        cookies: &[("kangmai_elder", "1")],
        need: Need::ELDER,
    },
    Look {
        name: "english",
        screen: Screen::DESK,
        dark: false,
        cookies: &[("kangmai_language", "en")],
        need: Need::ANYBODY,
    },
];

/// The most that a first page may weigh, all its files together.
const FIRST_PAGE_BYTES: u64 = 60 * 1_024;

#[test]
fn every_page_can_be_used_by_everybody() {
    let Some(browser) = Browser::launch() else { return };
    let county = County::on_sqlite();
    county.populate();
    let address = county.serve();
    let mut complaints = Vec::new();
    let mut seen = BTreeSet::new();
    for role in Role::ALL {
        let mut visitor = county.sign_in(role);
        let walk = crawl(&mut visitor, "/");
        let new = walk.pages.iter().filter(|(shape, _)| {
            !walk.files.contains(*shape) && !shape.contains('?') && seen.insert((*shape).clone())
        });
        let paths: Vec<String> = new.filter_map(|(_, paths)| paths.first().cloned()).collect();
        for look in &LOOKS {
            let mut page = browser.page();
            page.screen(look.screen);
            page.dark(look.dark);
            for (name, value) in visitor.cookies().chain(look.cookies.iter().copied()) {
                page.cookie(&address, name, value);
            }
            for path in &paths {
                page.open(&format!("{address}{path}"));
                let found = check(&page, look.need).into_iter().chain(page.errors());
                complaints
                    .extend(found.map(|says| format!("{path} ({}, {}): {says}", look.name, role.key())));
            }
        }
    }
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
    assert!(seen.len() > 10, "only {seen:?} were looked at");
}

#[test]
fn the_first_page_is_light_and_works_without_script() {
    let Some(browser) = Browser::launch() else { return };
    let county = County::on_sqlite();
    let address = county.serve();
    let mut page = browser.page();
    page.open(&address);
    let bytes = page.bytes_loaded();
    assert!((1..=FIRST_PAGE_BYTES).contains(&bytes), "the first page weighs {bytes} bytes");
    page.scripts(false);
    page.open(&address);
    page.ask("document.querySelector('input[type=text], input:not([type])').focus()");
    page.type_text("county_desk");
    page.press("Tab");
    page.type_text(PASSWORD);
    page.press("Enter");
    assert!(
        !page.address().contains("sign-in"),
        "still at {}, which shows:\n{}",
        page.address(),
        page.shown()
    );
    assert_eq!(page.errors(), Vec::<String>::new());
}

/// Signs in as somebody does: by the keyboard.
fn sign_in(page: &Page, address: &str, role: Role) {
    page.open(address);
    page.ask("document.querySelector('main input:not([type=hidden])').focus()");
    page.type_text(role.key());
    page.press("Tab");
    page.type_text(PASSWORD);
    page.press("Enter");
}

const INSTITUTIONS: &str = "机构编码,机构名称,所在地区划代码,机构层级,医院等级,机构类别,服务能力
H41172200901,上蔡县示例人民医院,411722000000,县级,二级,综合医院,住院、门诊、医保定点
";

/// One who was registered as poor until 2020, and is counted among those who came out of it since.
const REGISTER: &str = "户编号,与户主关系,姓名,证件号码,户籍地区划代码,参保状态,人群类别,认定日期,退出日期
H0001,户主,示例石大山,411722196203089916,411722001001,城乡居民基本医疗保险,建档立卡贫困人口,2016-01-01,2020-12-31
";

fn desk_county() -> County {
    let county = County::on_sqlite();
    county.import("institutions", "institutions.csv", INSTITUTIONS.as_bytes());
    let finished = county.import("register", "register.csv", REGISTER.as_bytes());
    assert_eq!((finished.summary.faulty, finished.parked), (0, 0), "{finished:?}");
    county.seat(Role::CountyDesk.key(), HOSPITAL);
    county
}

#[test]
fn a_clerk_settles_a_bill_and_prints_the_statement() {
    let Some(browser) = Browser::launch() else { return };
    let county = desk_county();
    let address = county.serve();
    let mut page = browser.page();
    sign_in(&page, &address, Role::CountyDesk);
    page.click("结算窗口");
    page.fill("身份证号、姓名或拼音首字母", "9916");
    page.click("查找");
    page.wait_for("示例石大山");
    page.click_beside("示例石大山", "录入费用");
    page.fill("结算单号", "B2019-0001");
    page.fill("医疗机构", "上蔡县示例人民医院");
    page.fill("住院", "yes");
    page.fill("入院日期", "2019-06-12");
    page.fill("出院日期", "2019-06-30");
    page.fill("规范转诊", "yes");
    page.fill("总费用", "60000.00");
    page.fill("合规费用", "60000.00");
    page.click("预结算");
    // Example E1: 60,000 yuan in a county hospital, registered poor, 2019 (豫政办〔2016〕194号, 豫人社 major-disease
    // and supplementary rules as the packs cite them).
    for layer in ["49,248.00", "4,201.60", "1,220.16", "5,330.24"] {
        page.wait_for(layer);
    }
    page.click("结算 5,330.24 元");
    page.wait_for("医疗费用一站式结算单");
    assert!(page.address().contains("/bills/"), "at {}", page.address());
    assert!(page.shows("5,330.24") && page.shows("B2019-0001"));
    page.screen(Screen::PICTURE);
    page.ask("scrollTo(0, 0)");
    page.keep_picture("statement");
    let pdf = page.print();
    // The statement on the front, sources on the back.
    assert_eq!(Page::sheets_of(&pdf), 2, "the statement does not fit on one page and its back");
    assert!(!page.printed_text().contains("退出"), "the navigation is printed");
    assert_eq!(page.errors(), Vec::<String>::new());
}

#[test]
fn a_warning_is_followed_from_its_list_to_its_evidence() {
    let Some(browser) = Browser::launch() else { return };
    let county = County::on_sqlite();
    county.populate();
    let address = county.serve();
    let mut page = browser.page();
    sign_in(&page, &address, Role::HealthBureau);
    page.keep_picture("home");
    page.click("预警");
    page.wait_for("因病返贫致贫预警");
    page.keep_picture("warnings");
    page.click_selected("main tbody td.action a");
    page.wait_for("依据");
    page.keep_picture("warning");
    page.ask("document.querySelector('main a[href^=\"/households/\"]').click()");
    page.wait_for("家庭成员");
    page.keep_picture("household");
    assert_eq!(page.errors(), Vec::<String>::new());
}

#[test]
fn no_risk_is_said_with_a_reason_in_three_clicks() {
    let Some(browser) = Browser::launch() else { return };
    let county = County::on_sqlite();
    county.populate();
    let address = county.serve();
    let page = browser.page();
    sign_in(&page, &address, Role::VillageDoctor);
    page.open(&format!("{address}/warnings"));
    // One: the warning. Two: the reason. Three: done.
    page.click_selected("main tbody td.action a");
    page.click("家庭能够承担，生活未受影响");
    page.click("确认无风险");
    page.wait_for("已办结：无风险。");
}
