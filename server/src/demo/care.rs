//! Institutions, illnesses and bills: with the skew that real ones have.

use kangmai_base::{Day, DivisionCode, DivisionLevel, Fen, Sex};
use kangmai_places::Divisions;

use super::household::Member;
use super::{Draw, Plan, county};

/// An institution.
pub(super) struct Institution {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) place: DivisionCode,
    pub(super) tier: &'static str,
    pub(super) grade: &'static str,
    pub(super) kind: &'static str,
    pub(super) capabilities: &'static str,
    /// Middle cost of an inpatient stay, in yuan; 0 where nobody stays.
    cost: f64,
}

/// An illness of somebody.
pub(super) struct Illness {
    pub(super) code: &'static str,
    pub(super) name: &'static str,
    pub(super) since: Day,
    pub(super) drug_resistant: bool,
    chronic: bool,
    stays: f64,
    weight: f64,
}

/// A bill.
pub(super) struct Bill {
    pub(super) institution: String,
    pub(super) institution_name: String,
    pub(super) admitted: Day,
    pub(super) discharged: Day,
    pub(super) setting: &'static str,
    pub(super) code: &'static str,
    pub(super) disease: &'static str,
    pub(super) total: Fen,
    pub(super) compliant: Fen,
    pub(super) referred: bool,
}

const HOSPITAL: &str = "住院、门诊、门诊慢特病、先诊疗后付费、一站式结算、医保定点";

/// Code, name, place, tier, grade, kind, capabilities, middle cost of a stay.
type Known = (&'static str, &'static str, u64, &'static str, &'static str, &'static str, &'static str, f64);
const HOSPITALS: [Known; 5] = [
    (
        "H41000000901",
        "省级示例医院",
        410_105_000_000,
        "省级",
        "三级",
        "综合医院",
        "住院、门诊、医保定点、大病定点",
        26_000.0,
    ),
    (
        "H41170000901",
        "市级示例中心医院",
        411_702_000_000,
        "市级",
        "三级",
        "综合医院",
        "住院、门诊、医保定点、大病定点、远程诊疗",
        14_500.0,
    ),
    ("H41172200901", "上蔡县示例人民医院", 411_722_000_000, "县级", "二级", "综合医院", HOSPITAL, 6_200.0),
    ("H41172200902", "上蔡县示例中医院", 411_722_000_000, "县级", "二级", "中医医院", HOSPITAL, 5_400.0),
    (
        "H41172200903",
        "上蔡县示例妇幼保健院",
        411_722_000_000,
        "县级",
        "二级",
        "妇幼保健院",
        HOSPITAL,
        4_600.0,
    ),
];

/// The county's institutions, the city's and the province's hospitals where its people go.
pub(super) fn institutions(villages: &[DivisionCode]) -> Vec<Institution> {
    let hospitals = HOSPITALS.map(|(code, name, place, tier, grade, kind, capabilities, cost)| Institution {
        code: code.to_owned(),
        name: name.to_owned(),
        place: DivisionCode::from_number(place).unwrap_or(county()),
        tier,
        grade,
        kind,
        capabilities,
        cost,
    });
    let mut townships: Vec<DivisionCode> =
        villages.iter().map(|village| village.at(DivisionLevel::Township)).collect();
    townships.dedup();
    let centers = townships.into_iter().map(|township| Institution {
        code: format!("H{:09}91", township.number() / 1_000),
        name: format!("{}示例卫生院", short_name(township)),
        place: township,
        tier: "乡镇级",
        grade: "一级",
        kind: "乡镇卫生院",
        capabilities: HOSPITAL,
        cost: 2_300.0,
    });
    let clinics = villages.iter().map(|village| Institution {
        code: format!("P{:012}", village.number()),
        name: format!("{}示例卫生室", short_name(*village)),
        place: *village,
        tier: "村级",
        grade: "未定级",
        kind: "村卫生室",
        capabilities: "门诊、医保定点",
        cost: 0.0,
    });
    hospitals.into_iter().chain(centers).chain(clinics).collect()
}

fn short_name(place: DivisionCode) -> String {
    Divisions::shipped().get(place).map(|division| division.short_name()).unwrap_or_default()
}

/// Code, name, age from, age to, sex (0 both, 1 male, 2 female), people in 100,000 of that age, chronic, stays a year, weight of cost.
type Row = (&'static str, &'static str, i32, i32, u8, u32, bool, f64, f64);
const ILLNESSES: [Row; 26] = [
    ("I10.x00", "原发性高血压", 35, 64, 0, 18_000, true, 0.10, 0.8),
    ("I10.x00", "原发性高血压", 65, 120, 0, 42_000, true, 0.20, 0.9),
    ("E11.900", "2型糖尿病", 40, 120, 0, 9_000, true, 0.18, 1.0),
    ("J44.900", "慢性阻塞性肺疾病", 55, 120, 0, 4_500, true, 0.55, 1.2),
    ("I25.103", "冠状动脉粥样硬化性心脏病", 55, 120, 0, 7_000, true, 0.40, 1.3),
    ("I63.900", "脑梗死", 50, 120, 0, 4_200, true, 0.75, 1.6),
    ("I61.900", "脑出血", 45, 120, 0, 500, false, 1.1, 3.2),
    ("I21.900", "急性心肌梗死", 45, 120, 0, 400, false, 1.2, 4.5),
    ("C34.900", "支气管或肺恶性肿瘤", 45, 120, 0, 350, false, 3.2, 4.0),
    ("C15.900", "食管恶性肿瘤", 50, 120, 0, 300, false, 2.8, 4.2),
    ("C16.900", "胃恶性肿瘤", 45, 120, 0, 300, false, 2.8, 4.2),
    ("C18.900", "结肠恶性肿瘤", 45, 120, 0, 160, false, 2.6, 4.0),
    ("C20.x00", "直肠恶性肿瘤", 45, 120, 0, 150, false, 2.6, 4.0),
    ("C22.900", "肝恶性肿瘤", 40, 120, 0, 200, false, 2.6, 3.6),
    ("C50.900", "乳房恶性肿瘤", 35, 90, 2, 420, false, 2.6, 3.4),
    ("C53.900", "宫颈恶性肿瘤", 35, 80, 2, 180, false, 2.2, 3.2),
    ("N18.500", "慢性肾脏病5期", 30, 90, 0, 180, true, 4.0, 1.4),
    ("H25.900", "老年性白内障", 62, 120, 0, 5_000, false, 0.35, 0.9),
    ("F20.900", "精神分裂症", 18, 75, 0, 420, true, 0.7, 1.4),
    ("A15.000", "肺结核", 20, 90, 0, 90, true, 0.8, 1.1),
    ("I09.900", "风湿性心脏病", 40, 90, 0, 260, true, 0.8, 2.0),
    ("C91.000", "急性淋巴细胞白血病", 1, 17, 0, 30, false, 5.0, 4.8),
    ("Q21.000", "室间隔缺损", 0, 14, 0, 90, false, 0.8, 3.6),
    ("M16.900", "髋关节病", 60, 110, 0, 900, true, 0.25, 3.8),
    ("K80.200", "胆囊结石", 30, 90, 0, 1_200, false, 0.5, 1.4),
    ("J18.900", "肺炎", 0, 9, 0, 5_200, false, 1.0, 0.5),
];

/// What a member is ill with.
pub(super) fn illnesses(draw: &mut Draw, member: &Member, today: Day) -> Vec<Illness> {
    let age = today.age_of(member.birth);
    let mut found: Vec<Illness> = Vec::new();
    for (code, name, from, to, sex, in_100_000, chronic, stays, weight) in ILLNESSES {
        let fits_sex = match sex {
            1 => member.sex == Sex::Male,
            2 => member.sex == Sex::Female,
            _ => true,
        };
        let known = found.iter().any(|illness| illness.code == code);
        if (from..=to).contains(&age) && fits_sex && !known && draw.below(100_000) < in_100_000 {
            let most = if chronic { 365 * 8 } else { 420 };
            let since = today.plus_days(-draw.between(5, most)).max(member.birth);
            let drug_resistant = code.starts_with("A15") && draw.chance(120);
            found.push(Illness { code, name, since, drug_resistant, chronic, stays, weight });
        }
    }
    found
}

/// A year of bills of a member.
pub(super) fn bills(
    draw: &mut Draw,
    plan: &Plan,
    institutions: &[Institution],
    village: DivisionCode,
    member: &Member,
    illnesses: &[Illness],
) -> Vec<Bill> {
    let mut bills = Vec::new();
    let scale = plan.bills_each;
    let last = member.died.unwrap_or(plan.today).plus_days(-1);
    for illness in illnesses {
        let mean = illness.stays * member.hospital_eager * scale;
        for _ in 0..draw.times(mean) {
            bills.extend(stay(draw, plan, institutions, village, illness, last));
        }
        if illness.chronic {
            for _ in 0..draw.times(1.4 * scale) {
                bills.extend(visit(draw, plan, institutions, village, illness, last));
            }
        }
    }
    for _ in 0..draw.times(0.035 * scale) {
        let other = Illness {
            code: "J06.900",
            name: "急性上呼吸道感染",
            since: last,
            drug_resistant: false,
            chronic: false,
            stays: 1.0,
            weight: 0.6,
        };
        bills.extend(stay(draw, plan, institutions, village, &other, last));
    }
    bills
}

/// Where somebody of `village` goes: the graver, the farther.
fn choose<'a>(
    draw: &mut Draw,
    institutions: &'a [Institution],
    village: DivisionCode,
    weight: f64,
) -> Option<&'a Institution> {
    let far = (weight - 0.6).max(0.0) * 70.0;
    let drawn = f64::from(draw.below(1_000));
    let (province, city) = (far * 0.9, far * 2.4);
    let tier = if drawn < province {
        "省级"
    } else if drawn < city {
        "市级"
    } else if drawn < 480.0 + far * 2.0 {
        "县级"
    } else {
        "乡镇级"
    };
    let near: Vec<&Institution> = institutions
        .iter()
        .take(200)
        .filter(|one| one.tier == tier && one.cost > 0.0)
        .filter(|one| tier != "乡镇级" || one.place.contains(village))
        .collect();
    if near.is_empty() { institutions.get(2) } else { Some(draw.one_of(&near)) }
}

fn stay(
    draw: &mut Draw,
    plan: &Plan,
    institutions: &[Institution],
    village: DivisionCode,
    illness: &Illness,
    last: Day,
) -> Option<Bill> {
    let institution = choose(draw, institutions, village, illness.weight)?;
    let discharged = plan.today.plus_days(-draw.between(1, 365));
    let days = (3.0 + 6.0 * illness.weight * draw.share() + draw.times(3.0) as f64) as i32;
    if discharged > last {
        return None;
    }
    let yuan = draw.skewed(institution.cost * illness.weight.powf(0.72), 0.50).clamp(180.0, 620_000.0);
    let total = Fen((yuan * 100.0) as i64);
    let covered = 830 + i64::from(draw.below(165));
    let far = matches!(institution.tier, "省级" | "市级");
    Some(Bill {
        institution: institution.code.clone(),
        institution_name: institution.name.clone(),
        admitted: discharged.plus_days(-days),
        discharged,
        setting: "住院",
        code: illness.code,
        disease: illness.name,
        total,
        compliant: Fen(total.0 * covered / 1_000),
        referred: !far || draw.chance(720),
    })
}

fn visit(
    draw: &mut Draw,
    plan: &Plan,
    institutions: &[Institution],
    village: DivisionCode,
    illness: &Illness,
    last: Day,
) -> Option<Bill> {
    let township = village.at(DivisionLevel::Township);
    let institution =
        institutions.iter().find(|one| one.place == township).or_else(|| institutions.get(2))?;
    let day = plan.today.plus_days(-draw.between(1, 365));
    if day > last {
        return None;
    }
    let total = Fen((draw.skewed(230.0 * illness.weight, 0.45).clamp(20.0, 9_000.0) * 100.0) as i64);
    Some(Bill {
        institution: institution.code.clone(),
        institution_name: institution.name.clone(),
        admitted: day,
        discharged: day,
        setting: "门诊慢特病",
        code: illness.code,
        disease: illness.name,
        total,
        compliant: Fen(total.0 * (900 + i64::from(draw.below(100))) / 1_000),
        referred: false,
    })
}
