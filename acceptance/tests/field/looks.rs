//! Every screen as people with old eyes, one thumb or no mouse meet it: in both languages, small and large.

use kangmai_acceptance::browser::accessibility::{Need, check};
use kangmai_acceptance::browser::{Browser, Screen};
use kangmai_access::Role;

use crate::doctor::{Telephone, person_id, village};

/// Language, size of text, and what its reader needs.
const LOOKS: [(&str, u32, Need); 4] = [
    ("zh", 18, Need { target: 44, text: 16 }),
    ("en", 18, Need { target: 44, text: 16 }),
    ("zh", 30, Need::ELDER),
    ("en", 30, Need::ELDER),
];
/// The narrowest and the widest telephone.
const WIDTHS: [u32; 3] = [320, 360, 412];

#[test]
fn every_screen_can_be_used_by_everybody() {
    let Some(browser) = Browser::launch() else { return };
    let county = village();
    let mut telephone = Telephone::of(&browser, &county.serve(), Role::VillageDoctor.key());
    telephone.writes_visit("示例王一", "16898");
    telephone.writes_visit("示例李二", "18898");
    telephone.goes_to("today");
    telephone.waits_for_sync();
    let wang = person_id(&county, "示例王一");
    let ask = |script: &str| telephone.page.ask(script).as_str().expect("an address").to_owned();
    telephone.goes_to(&format!("person/{wang}"));
    telephone.page.wait_for("随访：高血压 168/98");
    let household = ask("return document.querySelector('main a[href*=household]').hash.slice(2)");
    let visit = ask("return document.querySelector('.timeline a').hash.slice(2)");
    let screens = [
        "today".to_owned(),
        household,
        format!("person/{wang}"),
        visit.clone(),
        format!("visit/{wang}"),
        format!("visit/{wang}/correct/{}", visit.rsplit('/').next().unwrap_or_default()),
        "search".to_owned(),
        "outbox".to_owned(),
        "settings".to_owned(),
        "check".to_owned(),
    ];
    let mut complaints = Vec::new();
    for (language, size, need) in LOOKS {
        let look = format!(
            "const {{ applyLook }} = await import('/field/app/look.js'); applyLook({{ language: '{language}', size: {size} }})"
        );
        telephone.page.ask(&look);
        // Half of the looks at night: light letters on a dark ground.
        telephone.page.dark(language == "en");
        for screen in &screens {
            telephone.goes_to(screen);
            std::thread::sleep(std::time::Duration::from_millis(300));
            for width in WIDTHS {
                telephone.page.screen(Screen { width, height: 640, mobile: true });
                let found = check(&telephone.page, need);
                complaints.extend(
                    found.iter().map(|says| format!("{screen} ({language}, {size}, {width}): {says}")),
                );
            }
            if std::env::var_os("KANGMAI_SCREENSHOTS").is_some() {
                telephone.page.screen(Screen::PHONE);
                let name = screen.split('/').next().unwrap_or_default();
                let deep = screen.matches('/').count();
                telephone.page.keep_picture(&format!("field-{language}-{size}-{name}{deep}"));
            }
        }
    }
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
    assert_eq!(telephone.page.errors(), Vec::<String>::new());
}

#[test]
fn the_door_can_be_used_by_everybody() {
    let Some(browser) = Browser::launch() else { return };
    let county = village();
    let address = county.serve();
    let mut complaints = Vec::new();
    let telephone = Telephone::of(&browser, &address, Role::VillageDoctor.key());
    for (language, size, need) in LOOKS {
        let look = format!(
            "const {{ applyLook }} = await import('/field/app/look.js'); applyLook({{ language: '{language}', size: {size} }})"
        );
        telephone.page.ask(&look);
        telephone.page.open(&format!("{address}/field/"));
        telephone.page.wait_for("PIN");
        complaints.extend(check(&telephone.page, need));
        telephone.page.ask("document.querySelectorAll('main .buttons .button')[1].click()");
        telephone.page.wait_for(if language == "zh" { "再输一次" } else { "The same again" });
        complaints.extend(check(&telephone.page, need));
        let fresh = browser.page();
        fresh.screen(Screen::PHONE);
        fresh.open(&format!("{address}/field/"));
        fresh.wait_for("去登录");
        complaints.extend(check(&fresh, Need { target: 44, text: 16 }));
    }
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}
