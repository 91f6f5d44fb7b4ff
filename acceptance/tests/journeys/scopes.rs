//! Whatever people live where, move where, are and have, and whoever asks from wherever: no page, list, search, export,
//! figure or error names anybody whose home lies outside. The worlds are drawn by lot, each from its own number, so a
//! failure is repeated by that number alone.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

use std::collections::BTreeMap;

use kangmai_acceptance::county::County;
use kangmai_acceptance::crawl::crawl;
use kangmai_acceptance::visitor::{Visitor, percent};
use kangmai_access::Role;
use kangmai_base::IdNumber;
use kangmai_poverty_watch::run_watch;

/// Worlds of an ordinary run; a nightly one asks for more by [`WORLDS`].
const FEW: u64 = 3;
/// The variable that says how many.
const WORLDS: &str = "KANGMAI_TEST_WORLDS";
/// Three villages of one township, one of its neighbour, two of another county.
const VILLAGES: [&str; 6] =
    ["411722001001", "411722001002", "411722001003", "411722002001", "411723001001", "411723001002"];
const HOSPITALS: [(&str, &str); 2] = [("H41172200901", "411722000000"), ("H41172300901", "411723000000")];
/// The pages of bills, what was paid, what is owed, and what another law would have cost.
const OF_MONEY: [&str; 11] = [
    "/bills",
    "/postings",
    "/payments",
    "/claims",
    "/years",
    "/reconciliations",
    "/write-offs",
    "/suspensions",
    "/deviations",
    "/what-if",
    "/late",
];
const PEOPLE: usize = 24;
const DIGITS: [&str; 10] = ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九"];

/// A number after the other out of one seed (xorshift); the same seed gives the same world.
struct Lot(u64);

impl Lot {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % most as u64).expect("small")
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

struct Someone {
    name: String,
    number: String,
    phone: String,
    household: usize,
    village: &'static str,
    /// Where they were at home before.
    before: Vec<&'static str>,
    labels: &'static str,
}

const LABELS: [&str; 6] =
    ["", "低保对象", "特困供养人员", "脱贫不稳定户", "低保边缘家庭成员", "突发严重困难户"];

/// People in households; some members live elsewhere than the household.
fn people(lot: &mut Lot) -> Vec<Someone> {
    let homes: Vec<&'static str> = (0..PEOPLE / 2).map(|_| lot.of(&VILLAGES)).collect();
    let one = |index: usize| {
        let household = index / 2;
        let first = format!("41172219{}0101{:02}9", 40 + index, index);
        Someone {
            // Long enough and of one length, so that no other word of a page holds it.
            name: format!("示例众{}{}", DIGITS[index / 10], DIGITS[index % 10]),
            number: IdNumber::with_checksum(&first).expect("a number").as_str().to_owned(),
            phone: format!("139000{:05}", 40_000 + index * 7),
            household,
            village: if lot.below(5) == 0 { lot.of(&VILLAGES) } else { homes[household] },
            before: Vec::new(),
            labels: lot.of(&LABELS),
        }
    };
    (0..PEOPLE).map(one).collect()
}

fn import(county: &County, key: &str, text: &str) {
    let finished = county.import(key, &format!("{key}.csv"), text.as_bytes());
    assert_eq!(finished.summary.faulty, 0, "{key}: {finished:?}");
}

fn register(county: &County, people: &[&Someone]) {
    let mut text =
        "户编号,与户主关系,姓名,证件号码,户籍地区划代码,联系电话,参保状态,人群类别,认定日期\n".to_owned();
    for one in people {
        let relation = if one.number.as_bytes()[15] % 2 == 0 { "户主" } else { "其他" };
        let since = if one.labels.is_empty() { "" } else { "2024-01-01" };
        let (name, number, phone) = (&one.name, &one.number, &one.phone);
        let (household, village, labels) = (one.household, one.village, one.labels);
        text.push_str(&format!(
            "H{household},{relation},{name},{number},{village},{phone},居民,{labels},{since}\n"
        ));
    }
    import(county, "register", &text);
}

/// Hospitals, people, what they have, what it cost; then some move, the watch runs.
fn world(county: &County, lot: &mut Lot) -> Vec<Someone> {
    let mut institutions =
        "机构编码,机构名称,所在地区划代码,机构层级,医院等级,机构类别,服务能力\n".to_owned();
    for (code, place) in HOSPITALS {
        let row =
            format!("{code},示例医院{code},{place},县级,二级,综合医院,住院、门诊、一站式结算、医保定点\n");
        institutions.push_str(&row);
    }
    import(county, "institutions", &institutions);
    let mut people = people(lot);
    register(county, &people.iter().collect::<Vec<_>>());
    let mut diagnoses = "证件号码,姓名,诊断编码,诊断名称,确诊日期\n".to_owned();
    let mut bills =
        "结算单号,证件号码,医疗机构代码,入院日期,出院日期,就诊类型,诊断编码,诊断名称,总费用,合规费用,是否转诊\n"
            .to_owned();
    for (index, one) in people.iter().enumerate() {
        let (code, illness) =
            lot.of(&[("I10.x00", "高血压"), ("C34.900", "肺恶性肿瘤"), ("F20.900", "精神分裂症")]);
        if lot.below(3) > 0 {
            diagnoses.push_str(&format!("{},{},{code},{illness},2026-01-05\n", one.number, one.name));
        }
        if lot.below(3) > 0 {
            let (hospital, _) = lot.of(&HOSPITALS);
            let total = lot.of(&["900.00", "9000.00", "90000.00"]);
            let days = "2026-02-01,2026-02-20,住院";
            bills.push_str(&format!(
                "L{index},{},{hospital},{days},{code},{illness},{total},{total},是\n",
                one.number
            ));
        }
    }
    import(county, "diagnoses", &diagnoses);
    import(county, "bills", &bills);
    run_watch(&county.app, county.app.today(), |_| {}).expect("the watch");
    for _ in 0..5 {
        let moved = lot.below(PEOPLE);
        let left = std::mem::replace(&mut people[moved].village, lot.of(&VILLAGES));
        people[moved].before.push(left);
        register(county, &[&people[moved]]);
    }
    people
}

/// Where each person's page is, as somebody finds it who sees the whole province.
fn pages_of(county: &County, people: &[Someone]) -> BTreeMap<String, String> {
    county.employ(Role::HealthBureau, "province", "410000000000");
    let mut bureau = county.sign_in_as("province");
    let page = |one: &Someone| {
        bureau.finds(&format!("/people?q={}", percent(&one.name))).follow(&one.name);
        (one.name.clone(), bureau.path().split('?').next().unwrap_or_default().to_owned())
    };
    people.iter().map(page).collect()
}

struct Asked<'w> {
    people: &'w [Someone],
    pages: &'w BTreeMap<String, String>,
    who: String,
    place: String,
    leaks: Vec<String>,
}

impl Asked<'_> {
    /// Whether the person's home lies within the place of who asks.
    fn covers(&self, one: &Someone) -> bool {
        self.holds(one.village)
    }

    fn holds(&self, village: &str) -> bool {
        let length = match &*self.place {
            place if place.ends_with("000000") => 6,
            place if place.ends_with("000") => 9,
            _ => 12,
        };
        village.starts_with(&self.place[..length])
    }

    /// A bill and what it moved stay with the place whose funds paid it, where the person was at home then.
    fn paid_for(&self, one: &Someone, path: &str) -> bool {
        let is_of_money = OF_MONEY.iter().any(|begin| path.starts_with(begin));
        is_of_money && one.before.iter().any(|village| self.holds(village))
    }

    /// What an answer says of anybody outside; `but` is what was asked for and may be said again.
    fn look(&mut self, visitor: &Visitor, path: &str, but: &str) {
        let text = visitor.whole_text();
        let people = self.people;
        for one in
            people.iter().filter(|one| !self.covers(one) && !self.paid_for(one, path)).collect::<Vec<_>>()
        {
            let page = self.pages[&one.name].as_str();
            for secret in [one.name.as_str(), one.number.as_str(), one.phone.as_str(), page] {
                if secret != but && text.contains(secret) {
                    self.leaks.push(format!("{}: {path} says {secret} of {}", self.who, one.village));
                }
            }
        }
    }

    /// Asks for everybody by name, last four digits and initials, and for the page of each.
    fn asks_for_each(&mut self, visitor: &mut Visitor) {
        for one in self.people {
            for asked in [one.name.as_str(), &one.number[14..], one.number.as_str(), &one.phone[7..]] {
                visitor.try_open(&format!("/people?q={}", percent(asked)));
                self.look(visitor, &format!("/people?q={asked}"), asked);
            }
            let page = self.pages[&one.name].as_str();
            for path in [page.to_owned(), page.replace("/people/", "/plans/"), format!("{page}/correct")] {
                visitor.try_open(&path);
                self.look(visitor, &path, page);
                if !self.covers(one) && visitor.status().is_success() {
                    self.leaks.push(format!("{}: {path} opens, home {}", self.who, one.village));
                }
            }
        }
    }
}

/// Somebody of a township brings a register that names people of elsewhere by number: what comes back says nothing of them.
fn brings_a_register(visitor: &mut Visitor, asked: &mut Asked<'_>) {
    let outside: Vec<&Someone> = asked.people.iter().filter(|one| !asked.covers(one)).collect();
    let mut text = "户编号,与户主关系,姓名,证件号码,户籍地区划代码,参保状态\n".to_owned();
    for (index, one) in outside.iter().enumerate() {
        text.push_str(&format!(
            "Z{index},户主,示例另{},{},{},居民\n",
            DIGITS[index % 10],
            one.number,
            asked.place.replace("000", "001")
        ));
    }
    visitor.finds("/import/register").attach("选择 .xlsx 或 .csv 文件", "register.csv", text.into_bytes());
    visitor.press("预览");
    let job = visitor.path().to_owned();
    let is_there = (0..200).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        let shown = visitor.finds(&job).shown();
        shown.contains("行数") && !shown.contains("正在预览")
    });
    assert!(is_there, "{}", visitor.shown());
    let numbers: Vec<String> = outside.iter().map(|one| one.number.clone()).collect();
    let walk = crawl(visitor, &job);
    for path in walk.pages.values().flatten() {
        visitor.try_open(path);
        let text = visitor.whole_text();
        for one in asked.people.iter().filter(|one| numbers.contains(&one.number)) {
            if text.contains(&one.name) || text.contains(&asked.pages[&one.name]) {
                asked.leaks.push(format!("{}: the import says {} at {path}", asked.who, one.name));
            }
        }
    }
}

fn hold(seed: u64) {
    let county = County::on_sqlite();
    let mut lot = Lot(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let people = world(&county, &mut lot);
    let pages = pages_of(&county, &people);
    let (mut leaks, mut opened) = (Vec::new(), 0);
    for role in Role::ALL {
        let village = lot.of(&VILLAGES);
        let place = match lot.below(3) {
            0 => village.to_owned(),
            1 => format!("{}000", &village[..9]),
            _ => format!("{}000000", &village[..6]),
        };
        let name = format!("drawn_{}", role.key());
        county.employ(role, &name, &place);
        let mut visitor = county.sign_in_as(&name);
        let who = format!("{} at {place}", role.key());
        let mut asked = Asked { people: &people, pages: &pages, who, place, leaks: Vec::new() };
        let walk = crawl(&mut visitor, "/");
        for path in walk.pages.values().flatten() {
            visitor.try_open(path);
            opened += 1;
            asked.look(&visitor, path, "");
        }
        asked.asks_for_each(&mut visitor);
        if role == Role::TownshipOfficer {
            brings_a_register(&mut visitor, &mut asked);
        }
        leaks.append(&mut asked.leaks);
    }
    assert!(opened > 100, "only {opened} pages");
    assert!(leaks.is_empty(), "world {seed}: {} leaks\n{}", leaks.len(), leaks.join("\n"));
}

#[test]
fn nobody_is_named_to_who_asks_from_elsewhere() {
    let worlds = std::env::var(WORLDS).map(|text| text.parse().expect("a number of worlds")).unwrap_or(FEW);
    for seed in 1..=worlds {
        hold(seed);
    }
}
