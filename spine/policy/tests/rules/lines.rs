//! Lines of a bill: exact products, one rounding, what is compliant.
#![expect(clippy::expect_used, reason = "a test says what it needs")]

use std::path::Path;

use kangmai_base::{Day, Fen, Rate};
use kangmai_policy::{
    BillLine, CatalogueClass, CostCategory, Decimal4, FeeKind, LineError, LineRules, LineSums, Release,
};
use proptest::prelude::*;

fn rules(at_line: bool) -> LineRules {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    let release = Release::load(Release::read_directory(&directory).expect("policies")).expect("packs");
    let place = "411722".parse().expect("a place");
    let day = Day::from_ymd(2026, 3, 1).expect("a day");
    LineRules { at_line, ..release.lines(place, day).expect("a rule").clone() }
}

fn number(text: &str) -> Decimal4 {
    text.parse().expect("a number")
}

fn line(class: CatalogueClass, quantity: &str, price: &str) -> BillLine {
    BillLine {
        category: CostCategory::Drug,
        class,
        quantity: number(quantity),
        unit_price: number(price),
        own_share: Some(Rate::percent(10)),
        fee: None,
        amount: None,
    }
}

fn sums(at_line: bool, lines: &[BillLine]) -> (i64, i64) {
    let LineSums { total, compliant, .. } = rules(at_line).sum(lines).expect("sums");
    (total.0, compliant.0)
}

#[test]
fn classes_decide_what_is_compliant() {
    use CatalogueClass::{A, B, C};
    // 3 × 12.50; a tenth of 37.50 is borne first; nothing of the third.
    assert_eq!(sums(true, &[line(A, "3", "12.5")]), (3_750, 3_750));
    assert_eq!(sums(true, &[line(B, "3", "12.5")]), (3_750, 3_375));
    assert_eq!(sums(true, &[line(C, "3", "12.5")]), (3_750, 0));
    assert_eq!(
        sums(true, &[line(A, "3", "12.5"), line(B, "3", "12.5"), line(C, "3", "12.5")]),
        (11_250, 7_125)
    );
    assert_eq!(sums(true, &[]), (0, 0));
}

#[test]
fn a_fraction_of_a_fen_is_rounded_once_where_the_pack_says() {
    use CatalogueClass::{A, B};
    // 0.333 × 0.05 = 0.01665: two fen by line; three of them 0.04995: five fen by bill, six by line.
    let thin = line(A, "0.333", "0.05");
    assert_eq!(sums(true, &[thin]), (2, 2));
    assert_eq!(sums(true, &[thin, thin, thin]), (6, 6));
    assert_eq!(sums(false, &[thin, thin, thin]), (5, 5));
    // 0.125 × 0.04 = half a fen, up; taken back, half a fen the other way: nothing is left.
    let half = line(A, "0.125", "0.04");
    let back = BillLine { quantity: number("-0.125"), ..half };
    assert_eq!(sums(true, &[half]), (1, 1));
    assert_eq!(sums(true, &[half, back]), (0, 0));
    assert_eq!(sums(false, &[half, back]), (0, 0));
    // A third borne first of 1.00: 66.67 fen are 67; three of them 201 by line and 200 by bill.
    let third = BillLine { own_share: Rate::new(1, 3), ..line(B, "1", "1") };
    assert_eq!(sums(true, &[third, third, third]), (300, 201));
    assert_eq!(sums(false, &[third, third, third]), (300, 200));
}

#[test]
fn fees_and_categories_are_told_apart() {
    let mut fee = line(CatalogueClass::C, "1", "2.5");
    (fee.category, fee.fee) = (CostCategory::Service, Some(FeeKind::Registration));
    let sums = rules(true).sum(&[line(CatalogueClass::B, "2", "50"), fee]).expect("sums");
    assert_eq!(sums.fees[FeeKind::Registration as usize], Fen(250));
    assert_eq!(sums.categories, [Fen(9_000), Fen(0), Fen(0)]);
    assert_eq!((sums.total, sums.compliant), (Fen(10_250), Fen(9_000)));
}

#[test]
fn what_cannot_be_is_said() {
    let rules = rules(true);
    let plain = line(CatalogueClass::A, "3", "12.5");
    let printed = BillLine { amount: Some(Fen(3_749)), ..plain };
    let amount = LineError::Amount { line: 2, printed: Fen(3_749), product: Fen(3_750) };
    assert_eq!(rules.sum(&[plain, printed]), Err(amount));
    let unsaid = BillLine { own_share: None, ..line(CatalogueClass::B, "1", "1") };
    assert_eq!(rules.sum(&[unsaid]), Err(LineError::NoOwnShare { line: 1 }));
    let over = BillLine { own_share: Rate::new(101, 100), ..unsaid };
    assert_eq!(rules.sum(&[over]), Err(LineError::NoOwnShare { line: 1 }));
    let back = BillLine { quantity: number("-1"), ..plain };
    assert_eq!(rules.sum(&[back]), Err(LineError::Negative));
    let vast = line(CatalogueClass::A, "1000000000", "1000000000");
    assert_eq!(rules.sum(&[vast]), Err(LineError::TooLarge { line: 1 }));
    assert_eq!(rules.sum(&vec![plain; 10_001]), Err(LineError::TooMany));
}

#[test]
fn numbers_are_read_and_written() {
    for (text, value, back) in [
        ("3", 30_000, "3"),
        ("12.50", 125_000, "12.5"),
        ("0.0001", 1, "0.0001"),
        ("-0.5", -5_000, "-0.5"),
        ("1000000000", 10_000_000_000_000, "1000000000"),
    ] {
        assert_eq!((number(text).0, number(text).to_string().as_str()), (value, back));
    }
    for text in ["", "-", ".5", "1.", "1.00001", "1e3", "１", "1000000000.0001", "99999999999", "1,000"] {
        assert!(text.parse::<Decimal4>().is_err(), "{text}");
    }
}

proptest! {
    /// By line, the bill is what a person with a pocket calculator adds up.
    #[test]
    fn by_line_agrees_with_plain_arithmetic(
        lines in prop::collection::vec((0_i64..1_000_000, 0_i64..10_000_000, 0_u32..=100, 0_usize..3), 0..20),
    ) {
        let rules = rules(true);
        let classes = [CatalogueClass::A, CatalogueClass::B, CatalogueClass::C];
        let (mut total, mut compliant) = (0_i128, 0_i128);
        let lines: Vec<BillLine> = lines.iter().map(|(quantity, price, percent, class)| {
            let exact = i128::from(*quantity) * i128::from(*price);
            let covered = [100, 100 - i128::from(*percent), 0][*class];
            total += (exact + 500_000) / 1_000_000;
            compliant += (exact * covered + 50_000_000) / 100_000_000;
            BillLine {
                quantity: Decimal4(*quantity),
                unit_price: Decimal4(*price),
                own_share: Some(Rate::percent(*percent)),
                ..line(classes[*class], "1", "1")
            }
        }).collect();
        let sums = rules.sum(&lines).expect("sums");
        prop_assert_eq!(i128::from(sums.total.0), total);
        prop_assert_eq!(i128::from(sums.compliant.0), compliant.min(total));
        prop_assert!(sums.categories.iter().copied().sum::<Fen>() <= sums.compliant);
    }
}
