//! Lines against what is stated besides: every fault at its line, by how much.

use std::sync::OnceLock;

use kangmai_base::{Day, Rate};
use kangmai_policy::{CatalogueClass, Decimal4, Release};
use proptest::prelude::*;

use super::*;

fn release() -> &'static Release {
    static RELEASE: OnceLock<Release> = OnceLock::new();
    RELEASE.get_or_init(|| {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
        Release::load(Release::read_directory(&folder).expect("files")).expect("packs")
    })
}

fn line(class: CatalogueClass, quantity: &str, price: &str) -> ChargedLine {
    ChargedLine {
        code: String::new(),
        name: "示例项目".to_owned(),
        category: CostCategory::Drug,
        class,
        quantity: quantity.parse().expect("a number"),
        unit_price: price.parse().expect("a number"),
        amount: None,
        own_share: (class == CatalogueClass::B).then(|| Rate::percent(10)),
        fee: None,
        on: None,
    }
}

fn itemised(lines: Vec<ChargedLine>, stated: &Stated) -> Result<Itemised, Vec<LineFault>> {
    let day = Day::from_ymd(2026, 3, 1).expect("a day");
    let rule = release().lines_and_file("411722".parse().expect("a place"), day).expect("a rule");
    itemise(rule, lines, stated, &|line| format!("#{line}"))
}

/// Line, column, and what is said with its mend.
fn faults(lines: Vec<ChargedLine>, stated: &Stated) -> Vec<(Option<usize>, &'static str, String)> {
    let faults = itemised(lines, stated).expect_err("something is wrong");
    let said = |flaw: &Flaw| {
        format!("{} / {}", flaw.reason, flaw.suggestion.as_ref().map(ToString::to_string).unwrap_or_default())
    };
    faults.iter().map(|fault| (fault.line, fault.column, said(&fault.flaw))).collect()
}

fn stated(total: i64, compliant: i64) -> Stated {
    Stated { total: Some(Fen(total)), compliant: Some(Fen(compliant)), fees: Vec::new() }
}

#[test]
fn a_bill_is_what_its_lines_come_to() {
    use CatalogueClass::{A, B, C};
    let mut fee = line(A, "1", "5");
    (fee.category, fee.fee) = (CostCategory::Service, Some(FeeKind::Registration));
    let lines = vec![line(A, "3", "12.5"), line(B, "2", "50"), line(C, "1", "80"), fee];
    let came = itemised(lines.clone(), &Stated::default()).expect("sums");
    assert_eq!((came.total, came.compliant), (Fen(22_250), Fen(13_250)));
    assert_eq!(came.fees, [NamedFee { kind: FeeKind::Registration, amount: Fen(500) }]);
    let costs: Vec<(CostCategory, i64)> =
        came.lines.categories.iter().map(|cost| (cost.category, cost.compliant.0)).collect();
    assert_eq!(costs, [(CostCategory::Drug, 12_750), (CostCategory::Service, 500)]);
    assert_eq!((came.lines.rule.file.as_str(), came.lines.lines.len()), ("cn/lines.toml", 4));
    // What is stated besides agrees, fees too.
    let all = Stated { fees: came.fees.clone(), ..stated(22_250, 13_250) };
    assert_eq!(itemised(lines, &all), Ok(came));
}

#[test]
fn what_does_not_agree_is_said_with_the_difference_and_the_line() {
    use CatalogueClass::{A, C};
    let lines = || vec![line(A, "3", "12.5"), line(A, "1", "20"), line(C, "1", "80")];
    let one = "settlement.mend.lines_one line=#1";
    assert_eq!(
        faults(lines(), &stated(11_750, 3_750)),
        [
            (
                Some(1),
                "total",
                format!("settlement.flaw.lines_total stated=117.50 sum=137.50 difference=20.00 / {one}")
            ),
            (
                Some(1),
                "compliant",
                format!("settlement.flaw.lines_compliant stated=37.50 sum=57.50 difference=20.00 / {one}")
            ),
        ]
    );
    assert_eq!(
        faults(lines(), &stated(13_751, 5_750)),
        [(
            None,
            "total",
            "settlement.flaw.lines_total stated=137.51 sum=137.50 difference=0.01 / settlement.mend.lines_total"
                .to_owned()
        )]
    );
    let fees = vec![NamedFee { kind: FeeKind::Registration, amount: Fen(500) }];
    assert_eq!(
        faults(lines(), &Stated { fees, ..Stated::default() }),
        [(
            None,
            "fee",
            "settlement.flaw.lines_fees stated=5.00 sum=0.00 difference=5.00 / settlement.mend.lines_fees"
                .to_owned()
        )]
    );
}

#[test]
fn each_wrong_line_is_said_at_its_column() {
    use CatalogueClass::{A, B};
    let off = ChargedLine { amount: Some(Fen(3_751)), ..line(A, "3", "12.5") };
    let unsaid = ChargedLine { own_share: None, ..line(B, "1", "1") };
    let vast = line(A, "1000000000", "1000000000");
    let found = faults(vec![line(A, "1", "1"), off, unsaid, vast], &Stated::default());
    let at: Vec<(Option<usize>, &str)> = found.iter().map(|fault| (fault.0, fault.1)).collect();
    assert_eq!(at, [(Some(1), "amount"), (Some(2), "own_share"), (Some(3), "quantity")]);
    assert!(found[0].2.contains("printed=37.51 product=37.50 difference=0.01"), "{}", found[0].2);
    // Taken back more than was charged: at the line that takes back most.
    let back = vec![line(A, "3", "12.5"), line(A, "-1", "1"), line(A, "-4", "12.5")];
    let found = faults(back, &Stated::default());
    assert_eq!((found[0].0, found[0].1), (Some(2), "quantity"));
    let found = faults(vec![line(A, "1", "1"); 10_001], &Stated::default());
    assert_eq!(found.len(), 1);
    assert!(found[0].2.contains("lines=10001 most=10000"), "{}", found[0].2);
    assert!(itemised(vec![line(A, "1", "1"); 10_000], &Stated::default()).is_ok());
}

proptest! {
    /// The order of lines changes nothing, and a bill that states what they come to agrees with them.
    #[test]
    fn order_changes_nothing(
        rows in prop::collection::vec((1_i64..500_000, 0_i64..5_000_000, 0_u32..=100, 0_usize..3, 0_usize..3), 1..25),
        turn in 0_usize..25,
    ) {
        let classes = [CatalogueClass::A, CatalogueClass::B, CatalogueClass::C];
        let lines: Vec<ChargedLine> = rows.iter().map(|(quantity, price, share, class, category)| ChargedLine {
            quantity: Decimal4(*quantity),
            unit_price: Decimal4(*price),
            own_share: Some(Rate::percent(*share)).filter(|_| *class == 1),
            category: CostCategory::ALL[*category],
            ..line(classes[*class], "1", "1")
        }).collect();
        let mut turned = lines.clone();
        turned.rotate_left(turn % lines.len());
        turned.reverse();
        let one = itemised(lines, &Stated::default()).expect("sums");
        let stated = Stated { total: Some(one.total), compliant: Some(one.compliant), fees: one.fees.clone() };
        let other = itemised(turned, &stated).expect("the same sums");
        prop_assert_eq!((one.total, one.compliant, &one.fees), (other.total, other.compliant, &other.fees));
        prop_assert_eq!(&one.lines.categories, &other.lines.categories);
        let known: Fen = one.lines.categories.iter().map(|cost| cost.compliant).sum();
        prop_assert!(known <= one.compliant && one.compliant <= one.total);
    }
}
