//! A doctor with a telephone: what a journey does to it, in words.

use kangmai_acceptance::browser::{Browser, Link, Page, Screen};
use kangmai_acceptance::county::{County, PASSWORD, VILLAGE};
use kangmai_base::IdNumber;
use kangmai_follow_up::enrol_all;
use serde_json::{Value, json};

/// The PIN of everybody.
pub(crate) const PIN: &str = "314159";
/// Name, first seventeen digits of the number, code of the diagnosis.
const PEOPLE: [(&str, &str, &str); 4] = [
    ("示例王一", "41172219700101991", "I10.x00"),
    ("示例李二", "41172219720101992", "I10.x00"),
    ("示例周四", "41172219740101993", "E11.900"),
    ("示例赵三", "41172219760101991", "F20.901"),
];

/// A village with four patients: two with hypertension, one with diabetes, and one who is ill in confidence.
pub(crate) fn village() -> County {
    let county = County::on_sqlite();
    let mut register =
        "户编号,与户主关系,姓名,证件号码,户籍地区划代码,联系电话,参保状态,人群类别,认定日期\n".to_owned();
    let mut diagnoses = "证件号码,姓名,诊断编码,诊断名称,确诊日期\n".to_owned();
    for (index, (name, first_17, code)) in PEOPLE.iter().enumerate() {
        let number = IdNumber::with_checksum(first_17).expect("a number");
        register +=
            &format!("H{index},户主,{name},{},{VILLAGE},13900009901,居民,低保,2024-01-01\n", number.as_str());
        diagnoses += &format!("{},{name},{code},示例诊断,2026-01-05\n", number.as_str());
    }
    for (key, text) in [("register", register), ("diagnoses", diagnoses)] {
        let finished = county.import(key, &format!("{key}.csv"), text.as_bytes());
        assert_eq!((finished.summary.faulty, finished.parked), (0, 0), "{finished:?}");
    }
    // Managed since so long that everybody is to be visited.
    enrol_all(&county.app, county.app.today().plus_days(-200), |_| {}).expect("a run");
    county
}

/// A telephone in the hand of somebody with an account.
pub(crate) struct Telephone {
    /// Its browser's page.
    pub(crate) page: Page,
    address: String,
}

impl Telephone {
    /// Signs in, chooses a PIN and waits until everything has come.
    pub(crate) fn of(browser: &Browser, address: &str, account: &str) -> Telephone {
        let telephone = Telephone { page: browser.page(), address: address.to_owned() };
        telephone.page.screen(Screen::PHONE);
        telephone.page.open(&format!("{address}/field/"));
        telephone.page.wait_for("开始使用");
        telephone.signs_in(account);
        telephone.page.wait_for("设置 PIN");
        telephone.chooses_pin(PIN);
        telephone.page.wait_for("今日应访");
        telephone.waits_for_sync();
        telephone
    }

    pub(crate) fn signs_in(&self, account: &str) {
        self.page.click("去登录");
        self.page.ask("document.querySelector('main input:not([type=hidden])').focus()");
        self.page.type_text(account);
        self.page.press("Tab");
        self.page.type_text(PASSWORD);
        self.page.press("Enter");
    }

    pub(crate) fn chooses_pin(&self, pin: &str) {
        self.page.fill("PIN（六位数字）", pin);
        self.page.fill("再输一次", pin);
        self.page.click("设好 PIN");
    }

    /// What the app has done is behind it: everything was sent and heard. The files of the app are kept, too.
    pub(crate) fn waits_for_sync(&self) {
        self.page.ask("await navigator.serviceWorker.ready");
        for _ in 0..100 {
            let shown = self.page.shown();
            if shown.contains("待上传 0") && !shown.contains("正在同步") && !shown.contains("还没有 ·")
            {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        panic!("it is not synced:\n{}", self.page.shown());
    }

    /// Opens the app with the PIN.
    pub(crate) fn opens(&self, pin: &str) {
        self.page.open(&format!("{}/field/", self.address));
        self.enters(pin);
    }

    pub(crate) fn enters(&self, pin: &str) {
        self.page.wait_for("忘记 PIN");
        self.page.fill("PIN", pin);
    }

    /// Ends the tab at once and opens another.
    pub(crate) fn killed_and_opened(self, link: Link) -> Telephone {
        let page = self.page.beside();
        self.page.kill();
        page.screen(Screen::PHONE);
        page.link(link);
        let telephone = Telephone { page, address: self.address };
        telephone.opens(PIN);
        telephone.page.wait_for("今日应访");
        telephone
    }

    pub(crate) fn goes_to(&self, place: &str) {
        self.page.ask(&format!("location.hash = '#/{place}'"));
    }

    /// Opens the sheet of somebody on the list.
    pub(crate) fn visits(&self, name: &str) {
        self.goes_to("today");
        self.page.wait_for("今日应访");
        // The list may be drawn anew at any moment: found and touched in one.
        self.page.ask(&format!("clickable('随访', around('{name}')).click()"));
        self.page.wait_for("下一项");
    }

    /// Presses keys of the pad.
    pub(crate) fn types(&self, digits: &str) {
        for digit in digits.chars() {
            self.page.ask(&format!(
                "[...document.querySelectorAll('.key')].find((key) => key.innerText === '{digit}').click()"
            ));
        }
    }

    /// Answers that nothing is amiss, where nobody was asked before.
    pub(crate) fn answers_that_all_is_well(&self) {
        self.page.ask(
            "for (const group of document.querySelectorAll('fieldset.choices')) group.querySelector('input').click()",
        );
    }

    /// A whole visit with this pressure.
    pub(crate) fn writes_visit(&self, name: &str, pressure: &str) {
        self.visits(name);
        self.types(pressure);
        self.answers_that_all_is_well();
        self.page.click("保存随访");
        self.page.wait_for("已保存");
    }

    /// What is kept under the names of the browser's databases.
    pub(crate) fn databases(&self) -> Vec<String> {
        let names = self.page.ask("return (await indexedDB.databases()).map((one) => one.name)");
        names.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// Runs a script with `store`, the account's own.
    pub(crate) fn in_store(&self, body: &str) -> Value {
        let account = "const [card] = await (await Store.register()).all('phones')";
        let open = "const { Store } = await import('/field/app/store.js')";
        self.page
            .ask(&format!("{open}; {account}; const store = await Store.ofAccount(card.account); {body}"))
    }

    pub(crate) fn cuts(&self) {
        self.page.link(Link::Cut);
    }

    pub(crate) fn is_linked(&self) {
        self.page.link(Link::Free);
        self.goes_to("outbox");
        self.page.wait_for("立即同步");
        self.page.click("立即同步");
    }
}

/// How many visits the server's page of somebody shows.
pub(crate) fn person_id(county: &County, name: &str) -> String {
    let mut visitor = county.sign_in(kangmai_access::Role::VillageDoctor);
    let session = visitor.finds("/field/session").json();
    assert_ne!(session["account"], json!(null));
    let found = kangmai_acceptance::phone::Phone::registered(&mut visitor, county.visitor(), "表", "271828");
    let mut found = found;
    found.loads(VILLAGE);
    let person = found.people.iter().find(|(_, known)| known.card["name"] == json!(name));
    person.expect(name).0.to_string()
}
