//! A clinic day without a network: the county's system and a hub, two processes, and a wire between them that is cut, loses
//! answers and comes back, while the hub is killed and the county is put back to a copy of before. In the end both know the
//! same: nothing is lost and nothing is there twice.

#![expect(clippy::expect_used, clippy::panic, reason = "a test says what it needs")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use kangmai_acceptance::county::{TOWNSHIP, VILLAGE};
use kangmai_acceptance::network::{Network, Way, visitor_at};
use kangmai_acceptance::program::{Program, Running, fresh_folder, remove_folder};
use kangmai_acceptance::visitor::Visitor;
use kangmai_base::{IdNumber, Uuid};
use kangmai_database::{Database, DatabaseError, Row, params};

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);
/// The passwords that people choose.
const UPSTREAM_PASSWORD: &str = "shui ku bian de chezhan";
const HUB_PASSWORD: &str = "xunzhenche li de jiandao";
/// The master key of the hub, in a file of its own.
const HUB_MASTER: &str = "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100";

const NAMES: [&str; 4] = ["示例孔一", "示例孟二", "示例曾三", "示例颜四"];

fn program(folder: &Path, name: &str) -> Program {
    std::fs::create_dir_all(folder.join(name)).expect("a folder");
    Program {
        executable: PathBuf::from(env!("CARGO_BIN_EXE_kangmai_here")),
        database: folder.join(name).join("kangmai.db").to_string_lossy().into_owned(),
        folder: folder.join(name),
    }
}

/// A county with four people of one village who have a high pressure; the passwords that its accounts first have.
fn given(county: &Program) -> BTreeMap<&'static str, String> {
    let mut register =
        "户编号,与户主关系,姓名,证件号码,户籍地区划代码,联系电话,参保状态,人群类别,认定日期\n".to_owned();
    let mut diagnoses = "证件号码,姓名,诊断编码,诊断名称,确诊日期\n".to_owned();
    for (index, name) in NAMES.iter().enumerate() {
        let number = IdNumber::with_checksum(&format!("411722196{index}0101991")).expect("a number");
        register += &format!("H{index},户主,{name},{},{VILLAGE},,居民,,\n", number.as_str());
        diagnoses += &format!("{},{name},I10.x00,示例诊断,2026-01-05\n", number.as_str());
    }
    for (kind, text) in [("register", register), ("diagnoses", diagnoses)] {
        let path = county.folder.join(format!("{kind}.csv"));
        std::fs::write(&path, text).expect("a file");
        county.must(&["import", kind, &path.to_string_lossy()]);
    }
    county.must(&["follow-up", "run"]);
    let accounts = [
        ("guanli", "township_officer", TOWNSHIP),
        ("cunyi", "village_doctor", VILLAGE),
        ("huyi", "village_doctor", VILLAGE),
    ];
    let made = accounts.map(|(name, role, place)| {
        let told = county.must(&["account", "add", name, "--role", role, "--place", place]);
        (name, told.split_once(": ").expect("a password").1.to_owned())
    });
    made.into()
}

fn serving(program: &Program, words: &[&str], extra: &[(&str, &str)]) -> Running {
    let mut command = program.command(words);
    command.env("KANGMAI_SECOND_FACTOR", "voluntary");
    for (name, value) in extra {
        command.env(name, value);
    }
    let mut running = program.begin_serving_under(command);
    running.wait_until_it_answers();
    running
}

/// Signs in with a password that serves once, and chooses another.
fn first_sign_in(host: &str, name: &str, once: &str, own: &str) -> Visitor {
    let mut visitor = visitor_at(host);
    visitor.finds("/sign-in").sign_in(name, once);
    visitor.fill("现在的密码", once).fill("自己的密码", own).fill("再输一次", own).press("修改密码");
    visitor.finds("/");
    visitor
}

/// The secret that a page shows once.
fn shown_once(page: &Visitor, is_it: impl Fn(&str) -> bool) -> String {
    let text = page.whole_text();
    let found = text.split(|c: char| c.is_whitespace() || "<>".contains(c)).find(|word| is_it(word));
    found.unwrap_or_else(|| panic!("no secret on the page:\n{text}")).to_owned()
}

fn is_code(word: &str) -> bool {
    word.len() == 19 && word.bytes().filter(|byte| *byte == b'-').count() == 3
}

/// A hub of this county at the end of this wire.
struct Hub {
    program: Program,
    key: String,
    wire: Network,
    running: Option<Running>,
}

impl Hub {
    fn command(&self) -> Command {
        let mut command = self.program.command(&["hub"]);
        command
            .env_remove("KANGMAI_MASTER_KEY")
            .env("KANGMAI_MASTER_KEY_FILE", self.program.folder.join("master.key"))
            .env("KANGMAI_HUB_KEY", &self.key)
            .env("KANGMAI_UPSTREAM", format!("http://{}", self.wire.host))
            .env("KANGMAI_HUB_EVERY", "1")
            .env("KANGMAI_SECOND_FACTOR", "voluntary");
        command
    }

    fn starts(&mut self) {
        std::fs::write(self.program.folder.join("master.key"), HUB_MASTER).expect("a key");
        let mut running = self.program.begin_serving_under(self.command());
        running.wait_until_it_answers();
        self.running = Some(running);
    }

    /// It is killed without a word, and started again.
    fn dies_and_comes_back(&mut self) {
        assert!(self.running.take().expect("a hub").kill(), "it was at work");
        self.starts();
    }

    fn host(&self) -> String {
        self.running.as_ref().expect("a hub").host.clone()
    }

    fn signed_in(&self, name: &str) -> Visitor {
        let mut visitor = visitor_at(&self.host());
        visitor.finds("/sign-in").sign_in(name, HUB_PASSWORD);
        visitor
    }

    fn count(&self, sql: &'static str) -> i64 {
        count(&self.program, sql)
    }

    #[expect(clippy::disallowed_methods, reason = "waits for another process")]
    fn waits_until(&self, what: &str, holds: impl Fn(&Hub) -> bool) {
        let until = Instant::now() + PATIENCE;
        while !holds(self) {
            assert!(Instant::now() < until, "not yet: {what}; {}", self.trouble());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn trouble(&self) -> String {
        let rows = rows(&self.program, "select trouble from hub_link", |row| row.get::<String>(0));
        format!("trouble {rows:?}, waiting {}", self.count(WAITING))
    }

    fn all_is_handed_on(&self) {
        self.waits_until("all is handed on", |hub| hub.count(WAITING) == 0 && hub.count(STALE) == 0);
    }
}

const WAITING: &str =
    "select (select count(*) from hub_out where outcome is null) + (select count(*) from fact
    left join hub_out on hub_out.fact = fact.id left join hub_told on hub_told.fact = fact.id
    where fact.kind in ('follow_up.visited', 'follow_up.missed', 'follow_up.undone')
    and hub_out.fact is null and hub_told.fact is null)";
const STALE: &str = "select count(*) from hub_stale";
const HEARD: &str = "select count(*) from hub_link where heard_at is not null";
const TROUBLED: &str = "select count(*) from hub_link where trouble <> ''";
const KNOWN: &str = "select count(*) from person";

fn rows<T: Send + 'static>(
    program: &Program,
    sql: &'static str,
    read: fn(&Row) -> Result<T, DatabaseError>,
) -> Vec<T> {
    let database = Database::open(&program.database).expect("a database");
    let found = database.read_blocking(move |tx| tx.query(sql, &params![])?.iter().map(read).collect());
    found.unwrap_or_else(|error: DatabaseError| panic!("{sql}: {error}"))
}

fn count(program: &Program, sql: &'static str) -> i64 {
    rows(program, sql, |row| row.get(0))[0]
}

/// Every visit and everybody who was not met: the fact, who wrote it, when to the millisecond, about whom.
type Written = Vec<(Uuid, String, Uuid, i64, Uuid)>;

fn written(program: &Program) -> Written {
    rows(
        program,
        "select id, kind, author, recorded_at / 1000, subject from fact
            where kind in ('follow_up.visited', 'follow_up.missed', 'follow_up.undone') order by id",
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)),
    )
}

/// What every visit comes to: the view, without what is sealed.
fn views(program: &Program) -> Vec<(Uuid, Uuid, Uuid, i64)> {
    rows(program, "select id, person, author, visited_on from follow_up_visit order by id", |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
    })
}

/// A visit at the page of `name`.
fn visits(at: &mut Visitor, name: &str, pressure: (&str, &str)) {
    at.finds("/people").fill("姓名、首字母或号码", name).press("查找").follow(name).follow("随访");
    at.fill("随访方式", "门诊").fill("高血压危急情况", "无").fill("药物不良反应", "无");
    at.fill("并发症", "无新发").fill("服药依从性", "规律");
    at.fill("收缩压", pressure.0).fill("舒张压", pressure.1).press("保存随访").sees("随访已保存");
}

fn misses(at: &mut Visitor, name: &str) {
    at.finds("/people").fill("姓名、首字母或号码", name).press("查找").follow(name).follow("随访");
    at.press("不在家").sees("已记下");
}

/// A county that serves, and a hub that two doctors of the village work at, loaded.
fn a_county_and_its_hub(folder: &Path) -> (Program, Running, Hub) {
    let county = program(folder, "county");
    let once = given(&county);
    let upstream = serving(&county, &["serve"], &[]);
    let mut officer = first_sign_in(&upstream.host, "guanli", &once["guanli"], UPSTREAM_PASSWORD);
    officer.finds("/hubs").sees("还没有登记分站").fill("分站", "").press("登记").sees("请");
    officer.finds("/hubs").fill("分站", "巡诊车一号").press("登记").sees("只显示这一次").sees("还没启用");
    let key = shown_once(&officer, |word| word.starts_with("kmp_"));
    let mut codes = BTreeMap::new();
    for name in ["cunyi", "huyi"] {
        let mut doctor = first_sign_in(&upstream.host, name, &once[name], UPSTREAM_PASSWORD);
        doctor.finds("/hubs").sees("巡诊车一号").press("领取登录码").sees("只显示这一次");
        codes.insert(name, shown_once(&doctor, is_code));
    }
    let wire = Network::to(&upstream.host);
    let mut hub = Hub { program: program(folder, "hub"), key, wire, running: None };
    hub.starts();
    hub.waits_until("it is loaded", |hub| hub.count(HEARD) == 1 && hub.count(KNOWN) == 4);
    // The network is gone before anybody signs in.
    hub.wire.is(Way::Cut);
    for (name, code) in &codes {
        first_sign_in(&hub.host(), name, code, HUB_PASSWORD);
    }
    (county, upstream, hub)
}

#[test]
fn a_clinic_day_without_a_network_loses_nothing_and_doubles_nothing() {
    let folder = fresh_folder("hub");
    let (county, upstream, mut hub) = a_county_and_its_hub(&folder);
    // Nobody's number, nobody's password: what must not be there is not there.
    assert_eq!(hub.count("select count(*) from account"), 2);
    assert_eq!(hub.count("select count(*) from person where id_number_sealed is not null"), 0);

    let (mut one, mut other) = (hub.signed_in("cunyi"), hub.signed_in("huyi"));
    visits(&mut one, NAMES[0], ("152", "92"));
    visits(&mut other, NAMES[1], ("138", "84"));
    one.finds("/people").fill("姓名、首字母或号码", NAMES[1]).press("查找").follow(NAMES[1]).sees("138/84");
    hub.waits_until("it noticed", |hub| hub.count(TROUBLED) == 1);
    one.finds("/hubs").sees("2 条待上传").sees("现在连不上");
    hub.dies_and_comes_back();
    let mut one = hub.signed_in("cunyi");
    misses(&mut one, NAMES[2]);
    one.finds("/people").fill("姓名、首字母或号码", NAMES[0]).press("查找").follow(NAMES[0]).sees("152/92");
    // What would stay here is refused, in words.
    let person = one.path().to_owned();
    one.finds(&format!("{person}/management")).press("纳入管理");
    assert!(one.whole_text().contains("sync.refused.at_hub"), "{}", one.whole_text());
    assert_eq!(written(&county).len(), 0);

    // Answers are lost, and it is killed in the middle of a push.
    hub.wire.is(Way::NoAnswers);
    hub.waits_until("it was pushed without an answer", |_| written(&county).len() == 3);
    hub.dies_and_comes_back();
    hub.wire.is(Way::Open);
    hub.all_is_handed_on();
    assert_eq!(written(&county), written(&hub.program));
    assert_eq!(views(&county), views(&hub.program));

    // Meanwhile the county's desk writes as well, and the hub hears of it.
    let mut at_county = visitor_at(&upstream.host);
    at_county.finds("/sign-in").sign_in("huyi", UPSTREAM_PASSWORD);
    at_county
        .finds("/people")
        .fill("姓名、首字母或号码", NAMES[0])
        .press("查找")
        .follow(NAMES[0])
        .sees("152/92");
    visits(&mut at_county, NAMES[3], ("142", "90"));
    hub.waits_until("it heard of the visit", |hub| written(&hub.program).len() == 4);
    let authors: std::collections::BTreeSet<Uuid> = written(&county).iter().map(|one| one.2).collect();
    assert_eq!(authors.len(), 2, "each in the name of who wrote it");

    goes_on_after_a_copy_was_put_back(&folder, county, upstream, hub);
    remove_folder(&folder);
}

/// The county is put back to a copy of before: what the hub had handed in since comes again. Then the hub is lost.
fn goes_on_after_a_copy_was_put_back(folder: &Path, county: Program, mut upstream: Running, mut hub: Hub) {
    hub.wire.is(Way::Cut);
    upstream.ask_to_stop();
    assert!(upstream.ends_well());
    let copy = folder.join("copy.db");
    std::fs::copy(&county.database, &copy).expect("a copy");
    let mut upstream = serving(&county, &["serve"], &[]);
    hub.wire.leads_to(&upstream.host);
    hub.wire.is(Way::Open);
    let mut one = hub.signed_in("cunyi");
    misses(&mut one, NAMES[1]);
    hub.waits_until("the county has it", |_| written(&county).len() == 5);
    hub.all_is_handed_on();
    hub.wire.is(Way::Cut);
    upstream.kill();
    for ending in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{ending}", county.database));
    }
    std::fs::copy(&copy, &county.database).expect("the copy is put back");
    assert_eq!(written(&county).len(), 4);
    let upstream = serving(&county, &["serve"], &[]);
    hub.wire.leads_to(&upstream.host);
    hub.wire.is(Way::Open);
    hub.waits_until("it was handed in again", |_| written(&county).len() == 5);
    hub.all_is_handed_on();
    assert_eq!(written(&county), written(&hub.program));
    assert_eq!(views(&county), views(&hub.program));
    for program in [&county, &hub.program] {
        let mut check = program.command(&["rebuild", "--check"]);
        check.env(
            "KANGMAI_MASTER_KEY",
            if program.folder == hub.program.folder { HUB_MASTER } else { COUNTY_MASTER },
        );
        if program.folder == hub.program.folder {
            hub.running.take();
        }
        let output = check.output().expect("a check");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    // One more is written with nobody on the line; then the van is stolen, and the township has it wiped.
    hub.wire.is(Way::Cut);
    hub.starts();
    let mut one = hub.signed_in("cunyi");
    misses(&mut one, NAMES[3]);
    let mut officer = visitor_at(&upstream.host);
    officer.finds("/sign-in").sign_in("guanli", UPSTREAM_PASSWORD);
    officer.finds("/phones").press("清空").sees("已下令清空");
    hub.wire.is(Way::Open);
    assert!(hub.running.take().expect("a hub").ends_well(), "it ends by itself");
    for gone in ["kangmai.db", "kangmai.db-wal", "master.key"] {
        assert!(!hub.program.folder.join(gone).exists(), "{gone}");
    }
    officer.finds("/parked").sees("来自已清空的手机");
}

/// As [`Program`] has it.
const COUNTY_MASTER: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

#[test]
fn what_is_wrong_with_the_link_is_said_in_words() {
    let folder = fresh_folder("hub-words");
    let county = program(&folder, "county");
    given(&county);
    let upstream = serving(&county, &["serve"], &[]);
    let wire = Network::to(&upstream.host);
    let mut hub = Hub { program: program(&folder, "hub"), key: "kmp_nobody".to_owned(), wire, running: None };
    std::fs::write(hub.program.folder.join("master.key"), HUB_MASTER).expect("a key");
    let says = |hub: &Hub, upstream: Option<&str>| {
        let mut command = hub.command();
        if let Some(upstream) = upstream {
            command.env("KANGMAI_UPSTREAM", upstream);
        }
        let output = command.output().expect("the program is there");
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let said = says(&hub, None);
    assert!(said.contains("不认识这个密钥") && said.contains("does not know this key"), "{said}");
    let said = says(&hub, Some("http://kangmai.example"));
    assert!(said.contains("https://"), "{said}");
    hub.wire.is(Way::Cut);
    let said = says(&hub, None);
    assert!(said.contains("There is no link"), "{said}");
    // It speaks no TLS.
    hub.wire.is(Way::Open);
    let said = says(&hub, Some(&format!("https://{}", hub.wire.host)));
    assert!(said.contains("no link") || said.contains("not trusted"), "{said}");
    hub.key = String::new();
    let said = says(&hub, None);
    assert!(said.contains("has no key yet"), "{said}");
    remove_folder(&folder);
}
