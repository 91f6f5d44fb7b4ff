//! Journeys in a real browser.

use std::collections::BTreeSet;

use kangmai_acceptance::browser::accessibility::{Need, check};
use kangmai_acceptance::browser::{Browser, Page, Screen};
use kangmai_acceptance::county::{County, PASSWORD};
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
