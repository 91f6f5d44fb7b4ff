//! How long a village doctor waits on a cheap telephone: the processor six times slower, a weak 4G, a village of 2,000 people of
//! whom 300 are ill. `docs/performance.md` has the figures; here only that nothing has become many times slower.

use std::fmt::Write as _;

use kangmai_acceptance::browser::{Browser, Link};
use kangmai_acceptance::county::{County, VILLAGE};
use kangmai_access::Role;
use kangmai_base::IdNumber;
use kangmai_follow_up::enrol_all;
use kangmai_server::demo::take_visits;
use serde_json::Value;

use crate::doctor::{PIN, Telephone};

/// People of the village, and who of them is ill: every so many-th.
const PEOPLE: u32 = 2_000;
const ILL_EVERY: u32 = 7;
/// How many times slower the processor is.
const SLOWER: u32 = 6;
/// A test is not a measurement: other tests run beside it.
const SLACK: u64 = 3;

fn large_village() -> County {
    let county = County::on_sqlite();
    let mut register =
        "户编号,与户主关系,姓名,证件号码,户籍地区划代码,联系电话,参保状态,人群类别,认定日期\n".to_owned();
    let mut diagnoses = "证件号码,姓名,诊断编码,诊断名称,确诊日期\n".to_owned();
    for index in 0..PEOPLE {
        let (household, is_head) = (index / 4, index % 4 == 0);
        let (year, month, date) = (1935 + index % 60, 1 + index / 60 % 9, 10 + index / 540 % 18);
        let first_17 = format!("411722{year}{month:02}{date}991");
        let number = IdNumber::with_checksum(&first_17).expect("a number");
        let relation = if is_head { "户主" } else { "子女" };
        let name = format!("示例{}", char::from_u32(0x5f20 + index % 900).unwrap_or('一'));
        let _ = writeln!(register, "H{household:03},{relation},{name},{},{VILLAGE},,居民,,", number.as_str());
        if index % ILL_EVERY == 0 {
            let code = if index % 2 == 0 { "I10.x00" } else { "E11.900" };
            let _ = writeln!(diagnoses, "{},{name},{code},示例诊断,2025-01-05", number.as_str());
        }
    }
    for (key, text) in [("register", register), ("diagnoses", diagnoses)] {
        county.import(key, &format!("{key}.csv"), text.as_bytes());
    }
    enrol_all(&county.app, county.app.today().plus_days(-400), |_| {}).expect("a run");
    take_visits(&county.app, 7, county.app.today()).expect("visits");
    county
}

/// Scripts that wait for what a person waits for, as frames are shown.
const SEEN: &str = "const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
const seen = async (selector) => { while (!document.querySelector(selector)) await frame(); await frame(); return performance.now() };";

fn milliseconds(telephone: &Telephone, script: &str) -> u64 {
    let told = telephone.page.ask(&format!("{SEEN}\n{script}"));
    told.as_f64().map_or(u64::MAX, |time| format!("{time:.0}").parse().unwrap_or(u64::MAX))
}

#[test]
fn a_cheap_telephone_is_quick_enough() {
    let Some(browser) = Browser::launch() else { return };
    let county = large_village();
    let address = county.serve();
    let telephone = Telephone::of(&browser, &address, Role::VillageDoctor.key());
    let held = telephone.page.ask("const { Store } = await import('/field/app/store.js'); const [card] = await (await Store.register()).all('phones'); const store = await Store.ofAccount(card.account); return (await store.keys('households')).length");
    assert_eq!(held, Value::from(PEOPLE / 4));
    telephone.page.slow_down(SLOWER);
    telephone.page.link(Link::Weak);
    let mut figures: Vec<(&str, Vec<u64>, u64)> = Vec::new();
    let mut note = |what, figure, goal| match figures.iter_mut().find(|(known, _, _)| *known == what) {
        Some((_, all, _)) => all.push(figure),
        None => figures.push((what, vec![figure], goal)),
    };
    for _ in 0..5 {
        telephone.page.open(&format!("{address}/field/"));
        let shown = milliseconds(&telephone, "return seen('input.pin')");
        let pin = format!(
            "const pin = document.querySelector('input.pin'); const begin = performance.now(); pin.value = '{PIN}';
            pin.dispatchEvent(new Event('input', {{ bubbles: true }})); return (await seen('.person')) - begin"
        );
        let opened = milliseconds(&telephone, &pin);
        note("the PIN can be typed", shown, 1_000);
        note("from the sixth digit to the list", opened, 1_000);
        note("cold open to the list", shown + opened, 2_000);
        std::thread::sleep(std::time::Duration::from_millis(1_500));
        let go = |to: &str, selector: &str| {
            format!(
                "const begin = performance.now(); location.hash = '#/{to}'; return (await seen('{selector}')) - begin"
            )
        };
        note("another screen", milliseconds(&telephone, &go("settings", ".choices")), 1_000);
        note("the list again", milliseconds(&telephone, &go("today", ".person")), 1_000);
        let search = "location.hash = '#/search'; await seen('input[type=search]'); const input = document.querySelector('input[type=search]');
            const begin = performance.now(); input.value = 's'; input.dispatchEvent(new Event('input', { bubbles: true })); return (await seen('.person')) - begin";
        note("a search of 2,000 people", milliseconds(&telephone, search), 200);
        let sheet = "location.hash = '#/today'; await seen('.person');
            const row = () => [...document.querySelectorAll('.person')].find(({ innerText }) => innerText.includes('高血压') && !/糖尿病|体检/.test(innerText));
            while (!row()) document.querySelector('.button.second.wide').click();
            const begin = performance.now(); row().querySelector('a[href*=visit]').click(); return (await seen('.pad')) - begin";
        note("the sheet of a visit", milliseconds(&telephone, sheet), 1_000);
        let save = "const press = (key) => [...document.querySelectorAll('.key')].find((one) => one.innerText === key).click();
            [...'13886'].forEach(press);
            for (const group of document.querySelectorAll('fieldset.choices')) group.querySelector('input').click();
            await frame(); const begin = performance.now(); const done = new Promise((resolve) => new MutationObserver(() => resolve(performance.now() - begin)).observe(document.querySelector('.toast-place'), { childList: true }));
            document.getElementById('save').click(); return done";
        note("a visit saved, on the disk", milliseconds(&telephone, save), 100);
    }
    for (what, all, goal) in &mut figures {
        all.sort_unstable();
        let median = all[all.len() / 2];
        println!("{what}: {median} ms ({} to {}), goal {goal} ms", all[0], all[all.len() - 1]);
        assert!(median <= *goal * SLACK, "{what}: {median} ms, {SLACK} times the goal of {goal} ms");
    }
}
