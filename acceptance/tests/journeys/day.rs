//! A day of each role, in a browser: its work, a mistake and its mending, and what another role sees of it afterwards.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

mod administrator;
mod agreements;
mod auditor;
mod bureau;
mod cadre;
mod clerk;
mod desk;
mod doctor;
mod follow_up;
mod officer;

use std::path::PathBuf;

use kangmai_acceptance::browser::{Browser, Page};
use kangmai_acceptance::county::{County, PASSWORD};
use kangmai_access::Role;
use kangmai_poverty_watch::run_watch;

/// Where the day takes place.
pub(crate) struct Day {
    pub(crate) county: County,
    pub(crate) address: String,
    browser: Browser,
}

impl Day {
    /// None where there is no browser and nobody insists on one.
    pub(crate) fn begins() -> Option<Day> {
        let browser = Browser::launch()?;
        let county = County::on_sqlite();
        county.import("institutions", "institutions.csv", INSTITUTIONS.as_bytes());
        let finished = county.import("register", "register.csv", REGISTER.as_bytes());
        assert_eq!((finished.summary.faulty, finished.parked), (0, 0), "{finished:?}");
        county.seat(Role::CountyDesk.key(), "H41172200901");
        let address = county.serve();
        Some(Day { county, address, browser })
    }

    /// Three households of the village have borne more than they can; the watch has seen it.
    pub(crate) fn with_warnings(self) -> Day {
        let finished = self.county.import("bills", "bills.csv", BILLS.as_bytes());
        assert_eq!((finished.summary.faulty, finished.parked), (0, 0), "{finished:?}");
        let finished = self.county.import("diagnoses", "diagnoses.csv", DIAGNOSES.as_bytes());
        assert_eq!((finished.summary.faulty, finished.parked), (0, 0), "{finished:?}");
        let watched = run_watch(&self.county.app, self.county.app.today(), |_| {}).expect("the watch");
        assert_eq!(watched.raised, 3, "{watched:?}");
        self
    }

    /// Somebody signs in, in a window of their own.
    pub(crate) fn sign_in(&self, role: Role) -> Page {
        self.sign_in_as(role.key(), PASSWORD)
    }

    /// The same, by the name of the account.
    pub(crate) fn sign_in_as(&self, name: &str, password: &str) -> Page {
        let page = self.browser.page();
        page.open(&self.address);
        page.fill("登录名", name);
        page.fill("密码", password);
        page.click("登录");
        page
    }

    /// Opens a path.
    pub(crate) fn open(&self, page: &Page, path: &str) {
        page.open(&format!("{}{path}", self.address));
    }

    /// A file on the person's disk.
    pub(crate) fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let folder = self.county.files();
        std::fs::create_dir_all(folder).expect("a folder");
        let path = folder.join(name);
        std::fs::write(&path, content).expect("a file");
        path
    }

    /// Chooses a file, looks at the preview, and waits until it is there.
    pub(crate) fn preview(&self, page: &Page, name: &str, content: &[u8]) {
        page.attach("选择 .xlsx 或 .csv 文件", &self.file(name, content));
        page.click("预览");
        page.wait_for(name);
        wait_until(page, "预览", |page| page.shows("行数") && !page.shows("正在预览"));
    }

    /// Confirms the preview and waits until all is in.
    pub(crate) fn confirm(&self, page: &Page, button: &str) {
        page.click(button);
        page.wait_for("导入完成。");
    }
}

/// Waits for something; `what` says for what.
pub(crate) fn wait_until(page: &Page, what: &str, is: impl Fn(&Page) -> bool) {
    let waited = (0..100).any(|_| {
        let is_so = is(page);
        if !is_so {
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        is_so
    });
    assert!(waited, "waited for {what} in vain at {}, which shows:\n{}", page.address(), page.shown());
}

/// The browser complained of nothing but forms and pages that were refused, as they should be.
pub(crate) fn nothing_went_wrong(page: &mut Page) {
    let refused = |error: &String| error.contains("status of 422") || error.contains("status of 404");
    let errors: Vec<String> = page.errors().into_iter().filter(|error| !refused(error)).collect();
    assert_eq!(errors, Vec::<String>::new());
}

/// The village doctor was at the household of `head` and found it in need.
pub(crate) fn checked_at_home(day: &Day, head: &str) {
    let page = day.sign_in(Role::VillageDoctor);
    page.click("因病返贫致贫预警");
    page.click_beside(head, "入户核实");
    page.fill("农户同意部门之间比对其家庭数据", "yes");
    page.fill("入户看到的情况", "两人均无收入");
    page.click("核实有风险，报评议");
    page.wait_for("已核实，转村级评议。");
}

/// The message beside the field with this label.
pub(crate) fn beside_field(page: &Page, label: &str) -> String {
    let body = format!(
        "const control = field({label:?}); const wrong = control.closest('.field-wrong'); \
         return wrong ? wrong.querySelector('.error').innerText : ''"
    );
    page.ask(&body).as_str().unwrap_or_default().to_owned()
}

const INSTITUTIONS: &str = "机构编码,机构名称,所在地区划代码,机构层级,医院等级,机构类别,服务能力
H41172200901,上蔡县示例人民医院,411722000000,县级,二级,综合医院,住院、门诊、医保定点
H41172200902,蔡都街道示例卫生院,411722001000,乡镇级,一级,乡镇卫生院,住院、门诊、医保定点
H41010500901,省级示例医院,410105000000,省级,三级,综合医院,住院、门诊、医保定点
H41012200901,中牟县示例人民医院,410122000000,县级,二级,综合医院,住院、门诊、医保定点
";

/// One who was registered as poor until 2020 in each of two counties, and two households beside.
const REGISTER: &str = "户编号,与户主关系,姓名,证件号码,户籍地区划代码,联系电话,参保状态,人群类别,认定日期,退出日期
H0001,户主,示例石大山,411722196203089916,411722001001,13900009901,城乡居民基本医疗保险,建档立卡贫困人口,2016-01-01,2020-12-31
H0002,户主,示例王二河,411722195501019911,411722001001,13900009902,城乡居民基本医疗保险,脱贫人口,2021-01-01,
H0003,户主,示例李三桥,41172219600101991X,411722001001,13900009903,城乡居民基本医疗保险,低保对象,2021-01-01,
H0003,配偶,示例赵四妹,41172219630101992X,411722001001,,城乡居民基本医疗保险,低保对象,2021-01-01,
Z0001,户主,示例周中牟,410122196203089912,410122001001,13900009904,城乡居民基本医疗保险,建档立卡贫困人口,2016-01-01,2020-12-31
";

/// Much of it outside the catalogues: no layer takes it over.
const BILLS: &str = "结算单号,证件号码,姓名,医疗机构代码,入院日期,出院日期,就诊类型,诊断编码,诊断名称,总费用,合规费用,是否转诊
W-1,411722196203089916,示例石大山,H41172200901,2026-09-01,2026-09-20,住院,J18.900,肺炎,90000.00,40000.00,是
W-2,411722195501019911,示例王二河,H41172200901,2026-09-02,2026-09-21,住院,J18.900,肺炎,80000.00,40000.00,是
W-3,41172219600101991X,示例李三桥,H41172200901,2026-09-03,2026-09-22,住院,I63.900,脑梗死,70000.00,30000.00,是
";

const DIAGNOSES: &str = "证件号码,姓名,诊断编码,诊断名称,确诊日期
41172219600101991X,示例李三桥,I63.900,脑梗死,2026-09-05
";
