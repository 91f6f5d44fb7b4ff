//! The lines of a stay: believable items that come to the bill's total and compliant cost to the fen.

use kangmai_base::Fen;

use super::Draw;
use super::care::Bill;

/// One line.
pub(super) struct Item {
    pub(super) name: &'static str,
    pub(super) category: &'static str,
    pub(super) class: &'static str,
    pub(super) quantity: i64,
    pub(super) price: Fen,
    pub(super) own_share: &'static str,
    pub(super) fee: &'static str,
}

/// Wholly compliant items: name, category, price in fen, how many a day (0: once), fee.
const DAILY: [(&str, &str, i64, i64, &str); 12] = [
    ("普通病房床位费", "床位费", 3_500, 1, ""),
    ("住院诊察费", "诊察费", 1_200, 1, ""),
    ("二级护理", "护理费", 1_500, 1, ""),
    ("静脉注射", "治疗费", 350, 2, "注射费"),
    ("静脉输液", "治疗费", 800, 1, ""),
    ("血常规", "化验费", 1_800, 0, ""),
    ("肝肾功能", "化验费", 8_600, 0, ""),
    ("CT平扫", "检查费", 21_000, 0, ""),
    ("心电图", "检查费", 2_000, 0, ""),
    ("0.9%氯化钠注射液250ml", "西药费", 298, 2, ""),
    ("注射用头孢曲松钠1g", "西药费", 425, 2, ""),
    ("一次性输液器", "卫生材料费", 180, 1, ""),
];
const CLASS_B: [(&str, &str); 4] = [
    ("核磁共振平扫", "检查费"),
    ("注射用胸腺法新1.6mg", "西药费"),
    ("丹参川芎嗪注射液", "中成药费"),
    ("吻合器", "卫生材料费"),
];
const CLASS_C: [(&str, &str); 3] =
    [("特需病房床位费差价", "床位费"), ("进口止血材料", "卫生材料费"), ("营养型肠内制剂", "西药费")];
/// What is left of the compliant cost.
const REST: [(&str, &str); 3] =
    [("综合治疗费", "治疗费"), ("手术费", "手术费"), ("其他国家医保目录内药品", "西药费")];

/// The lines of `bill`; none if it is no stay.
pub(super) fn lines(draw: &mut Draw, bill: &Bill) -> Vec<Item> {
    let days = i64::from(bill.discharged.days_since(bill.admitted));
    let uncovered = (bill.total - bill.compliant).0;
    if days < 1 || uncovered < 0 || bill.compliant.0 < 10_000 {
        return Vec::new();
    }
    // A tenth of class B is borne first and the rest of it compliant: exact where the tenth is.
    let borne_first = (uncovered * 2 / 5).min(bill.compliant.0 / 18);
    let mut items = Vec::new();
    if borne_first > 0 {
        let (name, category) = draw.one_of(&CLASS_B);
        let price = Fen(borne_first * 10);
        items.push(Item { name, category, class: "乙", quantity: 1, price, own_share: "10%", fee: "" });
    }
    if uncovered > borne_first {
        let (name, category) = draw.one_of(&CLASS_C);
        let price = Fen(uncovered - borne_first);
        items.push(Item { name, category, class: "丙", quantity: 1, price, own_share: "", fee: "" });
    }
    let plain = |name, category, quantity, price, fee| Item {
        name,
        category,
        class: "甲",
        quantity,
        price: Fen(price),
        own_share: "",
        fee,
    };
    let mut left = bill.compliant.0 - 9 * borne_first;
    for (name, category, price, a_day, fee) in DAILY {
        let quantity = if a_day == 0 { 1 } else { a_day * days };
        if quantity * price < left && draw.chance(800) {
            items.push(plain(name, category, quantity, price, fee));
            left -= quantity * price;
        }
    }
    let (name, category) = draw.one_of(&REST);
    items.push(plain(name, category, 1, left, ""));
    items
}

#[cfg(test)]
mod tests {
    use kangmai_base::Day;

    use super::*;

    #[test]
    fn lines_come_to_their_bill() {
        let mut draw = Draw::new(5);
        for (total, compliant) in
            [(1_000_000, 912_345), (1_234_567, 1_234_567), (18_000, 14_940), (62_000_001, 51_460_007)]
        {
            let bill = Bill {
                institution: String::new(),
                institution_name: String::new(),
                admitted: Day(20_000),
                discharged: Day(20_009),
                setting: "住院",
                code: "",
                disease: "",
                total: Fen(total),
                compliant: Fen(compliant),
                referred: true,
            };
            let items = lines(&mut draw, &bill);
            let amount = |item: &Item| item.quantity * item.price.0;
            let covered = |item: &Item| match item.class {
                "甲" => amount(item),
                "乙" => amount(item) - amount(item) / 10,
                _ => 0,
            };
            assert_eq!(items.iter().map(amount).sum::<i64>(), total);
            assert_eq!(items.iter().map(covered).sum::<i64>(), compliant);
            assert!(items.iter().all(|item| amount(item) > 0));
        }
    }
}
