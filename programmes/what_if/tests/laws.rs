//! Bills of a year under two laws, whatever they are: nothing is won without somebody losing it, and no change is no change.
#![expect(clippy::expect_used, reason = "a test says what it needs")]

use std::collections::HashMap;
use std::path::Path;
use std::sync::OnceLock;

use kangmai_base::{Day, DivisionLevel, Fen, Moment, Uuid};
use kangmai_people::Label;
use kangmai_policy::{BillFacts, InstitutionTier, Overlay, Release, Setting, take_over};
use kangmai_what_if::households;
use kangmai_what_if::result::{Outcome, Pair};
use kangmai_what_if::rules::{
    Opened, Openings, PersonYear, YearBill, add_people, join_households, moved_most, settle_both,
    settles_alike, sort_bills,
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
            chain: Uuid::from_u128(person),
            household: Uuid::from_u128(person / 2),
            bill: Uuid::from_u128(number),
            received_at: Moment(0),
            own: Fen::ZERO,
            label,
            is_elsewhere: false,
            facts,
        }
    }
}

fn compare(bills: &[YearBill], openings: &Openings, after: &Release) -> (Outcome, Vec<PersonYear>) {
    let mut bills = bills.to_vec();
    sort_bills(&mut bills);
    let (mut outcome, people) = settle_both(&bills, openings, (shipped(), after));
    add_people(&mut outcome, &people, DivisionLevel::Township);
    let (found, crossing) = households(&people, &HashMap::new(), shipped(), YEAR);
    assert_eq!(found.newly_over + found.no_longer_over, i64::try_from(crossing.len()).expect("few"));
    assert_eq!(found.over_after - found.over_before, found.newly_over - found.no_longer_over);
    outcome.households = found;
    (outcome, people)
}

fn openings_of(used: &[(u128, i64)]) -> Openings {
    let entry = |(person, paid): &(u128, i64)| {
        let used = vec![("basic_paid".to_owned(), *paid), ("gone".to_owned(), 5)];
        (Uuid::from_u128(*person), Opened { used, household: None })
    };
    used.iter().map(entry).collect()
}

/// The shipped packs with a pack of the county that rules major-disease insurance by itself, as the province does.
fn of_county() -> &'static Release {
    static RELEASE: OnceLock<Release> = OnceLock::new();
    RELEASE.get_or_init(|| {
        let place = ("cn/henan/411722", "411722", ("上蔡县", "Shangcai"));
        let own = take_over(shipped(), place, "major").expect("taken over");
        Release::load(shipped().files().iter().cloned().chain(own)).expect("a release")
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// A pack of the county that says what the province says touches no bill; one that says otherwise comes to what the same
    /// change of the province comes to.
    #[test]
    fn a_pack_more_is_settled_like_any_other(
        bills in prop::collection::vec(bill(), 1..40),
        used in prop::collection::vec((0_u128..6, 0_i64..20_000_000), 0..4),
    ) {
        let openings = openings_of(&used);
        let (same, _) = compare(&bills, &openings, of_county());
        prop_assert_eq!((same.touched_bills, same.own.difference()), (0, Fen::ZERO));
        prop_assert_eq!(same.all_payers().difference(), Fen::ZERO);
        let change = CHANGES[1];
        let own = Overlay::parse(&[change]).expect("a change").apply(of_county(), "cn/henan/411722").expect("laid over");
        let (by_county, people) = compare(&bills, &openings, &own);
        let (by_province, others) = compare(&bills, &openings, &changed(&[change]));
        prop_assert_eq!(by_county.touched_bills, by_province.touched_bills);
        prop_assert_eq!(people, others);
        prop_assert_eq!(by_county.payers.len(), by_province.payers.len());
        for payer in &by_county.payers {
            let other = by_province.payers.iter().find(|other| other.fund == payer.fund);
            prop_assert_eq!(Some(payer.pays), other.map(|other| other.pays));
        }
    }

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
            settles_alike(&sorted, &openings, (shipped(), &after)),
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
        chain: Uuid::from_u128(1),
        household: Uuid::from_u128(1),
        bill: Uuid::from_u128(1),
        received_at: Moment(0),
        own: Fen::ZERO,
        label: None,
        is_elsewhere: false,
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

/// The shipped packs, but medical assistance counts for whole households.
fn with_households() -> Release {
    let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    let files = Release::read_directory(&packs).expect("the packs").into_iter().map(|(path, text)| {
        let is_aid = path.ends_with("benefits/40-assistance.toml");
        (path, if is_aid { text.replace("owner = \"person\"", "owner = \"household\"") } else { text })
    });
    Release::load(files.collect::<Vec<_>>()).expect("a release")
}

/// A bill of 60,000 of somebody of the margin: basic insurance leaves 10,752.
fn marginal_bill(release: &Release, number: u128, (person, household): (u128, u128), day: i32) -> YearBill {
    let home = "411722100000".parse().expect("a code");
    let discharge = Day::from_ymd(YEAR, 1, 1).expect("a day").plus_days(day);
    let mut facts = BillFacts::inpatient(Fen(6_000_000), discharge, home);
    facts.tier = InstitutionTier::County;
    facts.labels_at_discharge = release.labels(["marginal"]);
    facts.labels_at_admission = facts.labels_at_discharge;
    YearBill {
        person: Uuid::from_u128(person),
        chain: Uuid::from_u128(person),
        household: Uuid::from_u128(1_000 + household),
        bill: Uuid::from_u128(number),
        received_at: Moment(0),
        own: Fen::ZERO,
        label: None,
        is_elsewhere: false,
        facts,
    }
}

#[test]
fn members_of_a_household_are_one_chain_where_the_law_joins_them() {
    let joining = with_households();
    let bill = |number, who, day| marginal_bill(&joining, number, who, day);
    // Two members, one of whom moves in with a third; somebody of another household between them in time.
    let bills = [
        bill(1, (7, 1), 100),
        bill(2, (3, 1), 10),
        bill(3, (3, 2), 200),
        bill(4, (9, 2), 300),
        bill(5, (5, 4), 50),
    ];
    let own = |release: &Release, openings: &Openings, number: usize| {
        let mut all = bills.to_vec();
        join_households(&mut all, openings, release);
        sort_bills(&mut all);
        let (_, with) = settle_both(&all, openings, (release, release));
        let person = bills[number - 1].person;
        with.iter().find(|one| one.person == person).map(|one| one.own.all.before)
    };
    let none = Openings::new();
    let each = |release: &Release| [1, 5, 4].map(|number| own(release, &none, number).expect("theirs"));
    assert_eq!(each(shipped()), [Fen(556_080); 3], "each bears 2,100 and 40 % of the rest");
    assert_eq!(each(&joining), [Fen(430_080), Fen(556_080), Fen(430_080)]);
    // An opening of a member without bills counts for the household; another's of nobody does not.
    let opened = |household: u128| Opened {
        used: vec![("assistance_deductible".to_owned(), 210_000), ("basic_stays".to_owned(), 1)],
        household: Some(Uuid::from_u128(1_000 + household)),
    };
    let openings = Openings::from([(Uuid::from_u128(77), opened(4)), (Uuid::from_u128(78), opened(9))]);
    assert_eq!(own(&joining, &openings, 5), Some(Fen(430_080)));
    assert_eq!(own(shipped(), &openings, 5), Some(Fen(556_080)));

    let mut joined = bills.to_vec();
    join_households(&mut joined, &none, &joining);
    let chains: Vec<u128> = joined.iter().map(|bill| bill.chain.as_u128()).collect();
    assert_eq!(chains, [3, 3, 3, 3, 5]);
    let mut alone = bills.to_vec();
    join_households(&mut alone, &none, shipped());
    assert_eq!(alone, bills, "nobody is joined");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn whoever_pays_what_the_total_is_borne_by_households_too(
        drawn in prop::collection::vec((0_u128..6, 0_u128..3, 0_i32..365), 1..30),
    ) {
        let joining = with_households();
        let numbered = drawn.iter().enumerate();
        let mut bills: Vec<YearBill> = numbered
            .map(|(number, (person, household, day))| {
                marginal_bill(&joining, number as u128 + 1, (*person + 1, *household), *day)
            })
            .collect();
        let openings = Openings::new();
        join_households(&mut bills, &openings, &joining);
        sort_bills(&mut bills);
        let (outcome, people) = settle_both(&bills, &openings, (&joining, &joining));
        let paid: i64 = outcome.payers.iter().map(|payer| payer.pays.before.0).sum();
        prop_assert_eq!(paid + outcome.own.before.0, outcome.total.0);
        let persons: std::collections::BTreeSet<_> = bills.iter().map(|bill| bill.person).collect();
        prop_assert_eq!(people.len(), persons.len());
        prop_assert!(settles_alike(&bills, &openings, (&joining, &joining)));
        let mut turned = bills.clone();
        turned.reverse();
        sort_bills(&mut turned);
        prop_assert_eq!(&turned, &bills, "one order, whatever came first");
    }
}
