//! Bills of a year under two laws, whatever they are: nothing is won without somebody losing it, and no change is no change.
#![expect(clippy::expect_used, reason = "a test says what it needs")]

use std::collections::HashMap;
use std::path::Path;
use std::sync::OnceLock;

use kangmai_base::{Day, DivisionLevel, Fen, Moment, Uuid};
use kangmai_people::Label;
use kangmai_policy::{BillFacts, InstitutionTier, Overlay, Release, Setting};
use kangmai_what_if::households;
use kangmai_what_if::result::{Outcome, Pair};
use kangmai_what_if::rules::{
    Openings, PersonYear, YearBill, add_people, moved_most, settle_both, settles_alike, sort_bills,
};
use proptest::prelude::*;

const YEAR: i32 = 2025;
const CHANGES: [&str; 5] = [
    "basic [县级二级及以下医院] deductible = 1000.00 from 2025-01-01",
    "major [参保居民] tiers[1].ratio = 75% from 2025-07-01",
    "major [1] tiers[1].above = 3000.00 from 2025-03-15",
    "assistance [1] yearly_cap = 100.00 from 2025-01-01",
    "basic [1] yearly_cap = 1.00 from 2025-10-01",
];

fn shipped() -> &'static Release {
    static RELEASE: OnceLock<Release> = OnceLock::new();
    RELEASE.get_or_init(|| {
        let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
        Release::load(Release::read_directory(&packs).expect("the packs")).expect("a release")
    })
}

fn changed(changes: &[&str]) -> Release {
    Overlay::parse(changes).expect("changes").apply(shipped(), "cn/henan").expect("laid over")
}

prop_compose! {
    fn bill()(
        person in 0_u128..6,
        number in 1_u128..1_000_000,
        total in 1_i64..40_000_000,
        (compliant, paid) in (0_i64..=100, 0_i64..=10),
        day in 0_i32..365,
        stay in 0_i32..20,
        (tier, inpatient, label) in (0_usize..5, any::<bool>(), 0_usize..14),
        township in 0_u64..3,
    ) -> YearBill {
        let tiers = [InstitutionTier::Township, InstitutionTier::County, InstitutionTier::City,
            InstitutionTier::Province, InstitutionTier::OutsideProvince];
        let home = (411_722_100_000 + township * 1_000).to_string().parse().expect("a code");
        let discharge = Day::from_ymd(YEAR, 1, 1).expect("a day").plus_days(day);
        let mut facts = BillFacts::inpatient(Fen(total), discharge, home);
        facts.compliant = Fen(total * compliant / 100);
        facts.already_paid = Fen(facts.compliant.0 * paid / 100);
        facts.admission = discharge.plus_days(-stay);
        facts.tier = tiers[tier];
        facts.setting = if inpatient { Setting::Inpatient } else { Setting::Outpatient };
        facts.insured_at_admission = true;
        facts.insured_at_discharge = true;
        let label = Label::ALL.get(label).copied();
        facts.labels_at_discharge = shipped().labels(label.map(Label::key));
        facts.labels_at_admission = facts.labels_at_discharge;
        YearBill {
            person: Uuid::from_u128(person),
            household: Uuid::from_u128(person / 2),
            bill: Uuid::from_u128(number),
            received_at: Moment(0),
            own: Fen::ZERO,
            label,
            facts,
        }
    }
}

fn compare(bills: &[YearBill], openings: &Openings, after: &Release) -> (Outcome, Vec<PersonYear>) {
    let mut bills = bills.to_vec();
    sort_bills(&mut bills);
    let (mut outcome, people) = settle_both(&bills, openings, (shipped(), after), YEAR);
    add_people(&mut outcome, &people, DivisionLevel::Township);
    let (found, crossing) = households(&people, &HashMap::new(), shipped(), YEAR);
    assert_eq!(found.newly_over + found.no_longer_over, i64::try_from(crossing.len()).expect("few"));
    assert_eq!(found.over_after - found.over_before, found.newly_over - found.no_longer_over);
    outcome.households = found;
    (outcome, people)
}

fn openings_of(used: &[(u128, i64)]) -> Openings {
    let entry = |(person, paid): &(u128, i64)| {
        (Uuid::from_u128(*person), vec![("basic_paid".to_owned(), *paid), ("gone".to_owned(), 5)])
    };
    used.iter().map(entry).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn nothing_is_won_without_somebody_losing_it(
        bills in prop::collection::vec(bill(), 1..40),
        used in prop::collection::vec((0_u128..6, 0_i64..20_000_000), 0..4),
        chosen in prop::sample::subsequence(CHANGES.to_vec(), 1..=CHANGES.len()),
    ) {
        let after = changed(&chosen);
        let openings = openings_of(&used);
        let (outcome, people) = compare(&bills, &openings, &after);
        prop_assert_eq!(outcome.left_out + outcome.bills, i64::try_from(bills.len()).expect("few"));
        let payers = outcome.all_payers();
        prop_assert_eq!(payers.difference().0 + outcome.own.difference().0, 0);
        for (paid, own) in [(payers.before, outcome.own.before), (payers.after, outcome.own.after)] {
            prop_assert_eq!(paid.0 + own.0 + outcome.already_paid.0, outcome.total.0);
        }
        prop_assert_eq!(outcome.lose.sum.0 - outcome.gain.sum.0, outcome.own.difference().0);
        for lines in [&outcome.tiers, &outcome.places, &outcome.labels] {
            let sum = |of: fn(&kangmai_what_if::result::Line) -> Pair| {
                lines.iter().fold((0, 0), |sum, line| (sum.0 + of(line).before.0, sum.1 + of(line).after.0))
            };
            prop_assert_eq!(sum(|line| line.payers), (payers.before.0, payers.after.0));
            prop_assert_eq!(sum(|line| line.own), (outcome.own.before.0, outcome.own.after.0));
        }
        let bands = |bands: &[kangmai_what_if::result::Side]| bands.iter().map(|side| side.people).sum::<i64>();
        prop_assert_eq!(bands(&outcome.lose_bands), outcome.lose.people);
        prop_assert_eq!(bands(&outcome.gain_bands), outcome.gain.people);
        // The list of all whom it moves sums to the figure, those who bear most first.
        let moved = moved_most(&people, 100);
        prop_assert_eq!(moved.iter().map(|line| line.own.difference().0).sum::<i64>(), outcome.own.difference().0);
        prop_assert_eq!(i64::try_from(moved.len()).expect("few"), outcome.lose.people + outcome.gain.people);
        // Alike or not is what the figures say.
        let mut sorted = bills.clone();
        sort_bills(&mut sorted);
        prop_assert_eq!(
            settles_alike(&sorted, &openings, (shipped(), &after), YEAR),
            outcome.touched_bills == 0
        );
        // The order in which bills are read changes nothing, but among bills that are the same in all that orders them.
        let mut turned = bills.clone();
        turned.reverse();
        let mut numbers: Vec<_> = bills.iter().map(|bill| (bill.person, bill.bill)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        if numbers.len() == bills.len() {
            prop_assert_eq!(compare(&turned, &openings, &after).0, outcome);
        }
    }

    #[test]
    fn no_change_is_no_change(
        bills in prop::collection::vec(bill(), 1..40),
        used in prop::collection::vec((0_u128..6, 0_i64..20_000_000), 0..4),
    ) {
        let (outcome, people) = compare(&bills, &openings_of(&used), &changed(&[]));
        prop_assert_eq!(outcome.touched_bills, 0);
        prop_assert_eq!(outcome.own.before, outcome.own.after);
        prop_assert!(outcome.payers.iter().all(|payer| payer.pays.difference() == Fen::ZERO));
        prop_assert_eq!((outcome.lose.people, outcome.gain.people), (0, 0));
        prop_assert_eq!(outcome.households.over_before, outcome.households.over_after);
        prop_assert!(moved_most(&people, 100).is_empty());
    }
}

#[test]
fn an_opening_counts_before_the_first_bill() {
    let home = "411722100000".parse().expect("a code");
    let mut facts = BillFacts::inpatient(Fen(6_000_000), Day::from_ymd(YEAR, 5, 1).expect("a day"), home);
    facts.tier = InstitutionTier::County;
    facts.insured_at_admission = true;
    facts.insured_at_discharge = true;
    let bill = YearBill {
        person: Uuid::from_u128(1),
        household: Uuid::from_u128(1),
        bill: Uuid::from_u128(1),
        received_at: Moment(0),
        own: Fen::ZERO,
        label: None,
        facts,
    };
    let one = std::slice::from_ref(&bill);
    let cap = changed(&["basic [县级二级及以下医院] yearly_cap = 1000.00 from 2025-01-01"]);
    let (fresh, _) = compare(one, &Openings::new(), &cap);
    let (used, _) = compare(one, &openings_of(&[(1, 100_000)]), &cap);
    let basic = |outcome: &Outcome| {
        outcome.payers.iter().find(|payer| payer.fund == "basic").map(|payer| payer.pays.after)
    };
    assert_eq!(basic(&fresh), Some(Fen(100_000)));
    assert_eq!(basic(&used), Some(Fen::ZERO), "the cap is used up before the first bill");
}
