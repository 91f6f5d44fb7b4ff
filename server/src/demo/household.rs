//! Households: who lives together, how old, with which labels, on what income.

use std::collections::HashMap;

use kangmai_base::{Day, DivisionCode, DivisionLevel, Fen, IdNumber, Sex};
use kangmai_places::Divisions;

use super::{Draw, county, names};

/// A household.
pub(super) struct Household {
    pub(super) number: String,
    pub(super) place: DivisionCode,
    pub(super) address: String,
    pub(super) income: Fen,
    pub(super) members: Vec<Member>,
}

/// A member.
pub(super) struct Member {
    pub(super) name: String,
    pub(super) sex: Sex,
    pub(super) birth: Day,
    pub(super) id_number: String,
    pub(super) relation: &'static str,
    pub(super) phone: Option<String>,
    pub(super) enrolment: &'static str,
    pub(super) labels: Vec<Labelled>,
    pub(super) living: Option<DivisionCode>,
    pub(super) died: Option<Day>,
    pub(super) hospital_eager: f64,
}

/// A label with its dates.
#[derive(Clone)]
pub(super) struct Labelled {
    pub(super) label: &'static str,
    pub(super) from: Day,
    pub(super) to: Option<Day>,
    pub(super) source: &'static str,
}

/// Makes households, each number and identity number once.
pub(super) struct Maker {
    today: Day,
    counties: Vec<u64>,
    numbers: HashMap<DivisionCode, u32>,
    serials: HashMap<(Day, Sex), u32>,
}

impl Maker {
    pub(super) fn new(today: Day) -> Maker {
        let henan = county().at(DivisionLevel::Province);
        let mut counties: Vec<u64> = Divisions::shipped()
            .of_level(henan, DivisionLevel::County)
            .filter(|division| !division.is_statistical_zone())
            .map(|division| division.code().number() / 1_000_000)
            .collect();
        counties.sort_by_key(|code| code.abs_diff(county().number() / 1_000_000));
        Maker { today, counties, numbers: HashMap::new(), serials: HashMap::new() }
    }

    pub(super) fn household(&mut self, draw: &mut Draw, place: DivisionCode) -> Household {
        let number = self.numbers.entry(place).or_insert(0);
        *number += 1;
        let number = *number;
        let labels = self.labels(draw);
        let surname = names::surname(draw);
        let head_age = if draw.chance(420) { draw.between(58, 84) } else { draw.between(28, 62) };
        let mut members = vec![self.member(draw, surname, head_age, Sex::Male, "户主")];
        if draw.chance(if head_age > 70 { 560 } else { 860 }) {
            let spouse = names::surname(draw);
            let age = (head_age + draw.between(-4, 2)).max(22);
            members.push(self.member(draw, spouse, age, Sex::Female, "配偶"));
        }
        self.children(draw, surname, head_age, &mut members);
        if head_age < 56 && draw.chance(340) {
            let sex = if draw.chance(620) { Sex::Female } else { Sex::Male };
            let age = (head_age + draw.between(22, 30)).min(96);
            members.push(self.member(draw, surname, age, sex, "父母"));
        }
        let working = members.iter().filter(|member| (18..65).contains(&self.age(member))).count();
        let poor = !labels.is_empty();
        let each = draw.skewed(if poor { 9_500.0 } else { 17_500.0 }, 0.42);
        let earned =
            each * (working.max(1) as f64 + 0.35 * (members.len() - working.min(members.len())) as f64);
        for member in &mut members {
            member.labels.clone_from(&labels);
        }
        Household {
            number: format!("H{number:04}"),
            place,
            address: format!("{}组{}号", draw.between(1, 12), draw.between(1, 60)),
            income: Fen((earned * 100.0) as i64),
            members,
        }
    }

    fn age(&self, member: &Member) -> i32 {
        self.today.age_of(member.birth)
    }

    fn children(&mut self, draw: &mut Draw, surname: &'static str, head_age: i32, members: &mut Vec<Member>) {
        if !(24..=72).contains(&head_age) {
            return;
        }
        let count = draw.times(if head_age > 60 { 0.8 } else { 1.5 }).min(4);
        for _ in 0..count {
            let age = (head_age - draw.between(22, 33)).clamp(0, 48);
            let sex = if draw.chance(520) { Sex::Male } else { Sex::Female };
            let grown = age > 26 && sex == Sex::Male;
            members.push(self.member(draw, surname, age, sex, "子女"));
            if grown && draw.chance(600) {
                let wife = names::surname(draw);
                let wife_age = (age - draw.between(-2, 4)).max(21);
                members.push(self.member(draw, wife, wife_age, Sex::Female, "儿媳"));
                if draw.chance(700) {
                    let sex = if draw.chance(520) { Sex::Male } else { Sex::Female };
                    let age = (age - draw.between(22, 28)).clamp(0, 20);
                    members.push(self.member(draw, surname, age, sex, "孙子女"));
                }
            }
        }
    }

    fn member(
        &mut self,
        draw: &mut Draw,
        surname: &str,
        age: i32,
        sex: Sex,
        relation: &'static str,
    ) -> Member {
        let birth = self.today.plus_months(-12 * age).plus_days(-draw.between(0, 364));
        let mut name = format!("{surname}{}", names::given(draw, sex));
        if draw.below(4_000) == 0 {
            name = "阿卜杜热依木·买买提依明江".to_owned();
        }
        let id_number = self.id_number(draw, birth, sex);
        let phone = (age >= 14 && draw.chance(820)).then(|| {
            format!(
                "1{}{:08}",
                draw.one_of(&["30", "36", "38", "50", "52", "58", "76", "83", "88", "99"]),
                draw.below(100_000_000)
            )
        });
        let enrolment = match draw.below(1_000) {
            0..=22 => "未参保",
            23..=79 if (20..60).contains(&age) => "职工",
            _ => "城乡居民",
        };
        let away = (20..50).contains(&age) && draw.chance(60);
        let living = away.then(|| DivisionCode::from_number(410_105_000_000)).flatten();
        let died = (age > 78 && draw.chance(18)).then(|| self.today.plus_days(-draw.between(5, 360)));
        let hospital_eager = draw.skewed(1.0, 0.5);
        Member {
            name,
            sex,
            birth,
            id_number,
            relation,
            phone,
            enrolment,
            labels: Vec::new(),
            living,
            died,
            hospital_eager,
        }
    }

    /// Valid, with a serial of 99x; one in a thousand has none, one in a thousand a wrong check character.
    fn id_number(&mut self, draw: &mut Draw, birth: Day, sex: Sex) -> String {
        if draw.chance(1) {
            return String::new();
        }
        let taken = self.serials.entry((birth, sex)).or_insert(0);
        let (area, turn) = (*taken / 5, *taken % 5);
        *taken += 1;
        let odd = u32::from(sex == Sex::Male);
        let area = self.counties.get(area as usize % self.counties.len().max(1)).copied().unwrap_or(411_722);
        let (year, month, day) = birth.ymd();
        let first_17 = format!("{area:06}{year:04}{month:02}{day:02}99{}", turn * 2 + odd);
        let Some(number) = IdNumber::with_checksum(&first_17) else { return String::new() };
        let text = number.as_str().to_owned();
        if draw.chance(1) {
            let wrong = if text.ends_with('5') { '6' } else { '5' };
            return format!("{first_17}{wrong}");
        }
        text
    }

    /// The labels of a household. About a sixth of rural households have one or more.
    fn labels(&self, draw: &mut Draw) -> Vec<Labelled> {
        let day = |year: i32, month: u32| Day::from_ymd(year, month, 1).unwrap_or(self.today);
        let label = |label, from, to, source| Labelled { label, from, to, source };
        let lately = self.today.plus_days(-draw.between(40, 700));
        let mut labels = Vec::new();
        if draw.chance(120) {
            labels.push(label("建档立卡", day(2014, 4), Some(day(2021, 1)), "县农业农村局"));
            labels.push(label("脱贫人口", day(2019, 12), None, "县农业农村局"));
            if draw.chance(70) {
                labels.push(label("脱贫不稳定", lately, None, "县农业农村局"));
            }
        } else if draw.chance(14) {
            labels.push(label("边缘易致贫", lately, None, "县农业农村局"));
        } else if draw.chance(6) {
            labels.push(label("突发严重困难", lately, None, "县农业农村局"));
        }
        if draw.chance(if labels.is_empty() { 24 } else { 150 }) {
            labels.push(label("低保", day(2021 + draw.between(0, 3), 7), None, "县民政局"));
        } else if draw.chance(10) {
            labels.push(label("低保边缘", day(2023 + draw.between(0, 1), 3), None, "县民政局"));
        } else if draw.chance(6) {
            labels.push(label("特困", day(2018, 1), None, "县民政局"));
        }
        labels
    }
}
