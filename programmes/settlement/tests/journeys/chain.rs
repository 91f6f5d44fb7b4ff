//! The chain of a person-year, without a database: order, identity by day, and what must hold for any bills.

#![expect(clippy::expect_used, clippy::panic, reason = "a test says what it needs")]

use std::collections::BTreeMap;

use super::office::{day, household_packs, place, policies};
use kangmai_base::{Day, DivisionCode, Fen, Moment, Uuid};
use kangmai_people::{Enrolment, Label, LabelInterval};
use kangmai_policy::{InstitutionGrade, InstitutionKind, InstitutionTier, Referral, Release, Setting};
use kangmai_settlement::facts::{BillReceived, NamedFee, Settled, TreatingInstitution, Used, WhyNotSettled};
use kangmai_settlement::rules::{Adjudicator, ChainBill, Insured, Member, Settlement, settle_year};
use proptest::prelude::*;

fn bill(number: u128, admission: Day, discharge: Day, total: i64) -> ChainBill {
    ChainBill {
        received_at: Moment(i64::try_from(number).expect("small")),
        home: place("410122001001"),
        body: BillReceived {
            bill: Uuid::from_u128(number),
            number: format!("ZY{number}"),
            household: Uuid::nil(),
            insurance_year: None,
            institution: TreatingInstitution {
                id: Uuid::from_u128(7),
                code: "H1".to_owned(),
                place: place("410122001000"),
                tier: InstitutionTier::County,
                grade: InstitutionGrade::Second,
                kind: InstitutionKind::Hospital,
                designations: Vec::new(),
            },
            admission,
            discharge,
            setting: Setting::Inpatient,
            referral: Referral::Referred,
            diagnosis: None,
            total: Fen(total),
            compliant: Fen(total),
            already_paid: Fen::ZERO,
            fees: Vec::new(),
            lines: None,
        },
    }
}

fn labelled(labels: &[(Label, &str, Option<&str>)]) -> Insured {
    Insured {
        birth: Some(day("1960-01-01")),
        sex: None,
        enrolment: Some(Enrolment::Resident),
        labels: labels
            .iter()
            .map(|(label, from, to)| LabelInterval {
                label: *label,
                from: Some(day(from)),
                to: to.map(day),
                source: String::new(),
            })
            .collect(),
    }
}

fn settled(all: &[Settlement]) -> Vec<&Settled> {
    all.iter()
        .map(|settlement| match settlement {
            Settlement::Settled(settled) => &settled.0,
            Settlement::Not(not) => panic!("not settled: {not:?}"),
        })
        .collect()
}

#[test]
fn the_identity_of_the_day_of_discharge_decides() {
    let insured = labelled(&[(Label::RegisteredPoor, "2016-01-01", Some("2019-06-30"))]);
    let own = |discharge: &str| {
        let bills = [bill(1, day("2019-06-01"), day(discharge), 6_000_000)];
        settled(&settle_year(&policies(), &insured, &[], &bills))[0].own
    };
    assert_eq!(own("2019-06-29"), Fen(443_722), "the last day of the label: E1b");
    assert!(own("2019-06-30") > Fen(1_000_000), "the day on which it no longer holds");
}

#[test]
fn what_was_used_before_counts() {
    let insured = labelled(&[(Label::RegisteredPoor, "2016-01-01", None)]);
    let bills = [bill(1, day("2019-06-01"), day("2019-06-29"), 6_000_000)];
    let opening = [Used("major_base".to_owned(), 550_000), Used("basic_stays".to_owned(), 1)];
    let all = settle_year(&policies(), &insured, &opening, &bills);
    let receipt = settled(&all)[0];
    assert_eq!(receipt.before, vec![Used("basic_stays".into(), 1), Used("major_base".into(), 550_000)]);
    // Second stay: deductible 200; 200 to 1,500 at 63 %, the rest at 83 %.
    assert_eq!(receipt.layers[0].paid, Fen(130_000 * 63 / 100 + 5_850_000 * 83 / 100));
    let major = receipt.layers.iter().find(|layer| layer.layer == "major").expect("a layer");
    assert_eq!(major.paid, Fen(major.base.0 * 80 / 100), "the deductible of the year is used up");
}

#[test]
fn without_a_policy_there_is_no_receipt() {
    let mut far = bill(1, day("2019-06-01"), day("2019-06-29"), 100);
    far.home = place("540102001001");
    let found = settle_year(&policies(), &Insured::default(), &[], &[far]);
    let [Settlement::Not(not)] = found.as_slice() else { panic!("settled: {found:?}") };
    assert_eq!(not.why, WhyNotSettled::NoPolicy);
    let mut open = bill(2, day("2020-06-01"), day("2020-06-29"), 100);
    open.home = place("220102001001");
    let found = settle_year(&policies(), &Insured::default(), &[], &[open]);
    assert!(
        matches!(found.as_slice(), [Settlement::Not(not)] if matches!(not.why, WhyNotSettled::Untranslatable(_))),
        "{found:?}"
    );
}

prop_compose! {
    fn any_bill(number: u128)(
        admitted in 0_i32..350, days in 0_i32..20, total in 1_i64..30_000_000, outside in 0_i64..40,
        tier in 0_usize..6, setting in 0_usize..3, fee in 0_i64..5_000, city in any::<bool>(),
    ) -> ChainBill {
        let january = day("2019-01-01");
        let admission = january.plus_days(admitted);
        let discharge = admission.plus_days(days).min(day("2019-12-31"));
        let mut bill = bill(number, admission.min(discharge), discharge, total);
        bill.body.compliant = Fen(total - total * outside / 100);
        bill.body.institution.tier = InstitutionTier::ALL[tier];
        bill.body.setting = Setting::ALL[setting];
        bill.body.fees = vec![NamedFee { kind: kangmai_policy::FeeKind::Injection, amount: Fen(fee.min(total)) }];
        if city {
            bill.home = place("411721001001");
        }
        bill
    }
}

prop_compose! {
    fn any_year()(count in 1_usize..=6)(bills in (0..count).map(|number| any_bill(number as u128 + 1)).collect::<Vec<_>>())
        -> Vec<ChainBill> { bills }
}

fn any_insured() -> impl Strategy<Value = Insured> {
    prop_oneof![
        Just(labelled(&[])),
        Just(labelled(&[(Label::RegisteredPoor, "2016-01-01", None)])),
        Just(labelled(&[(Label::RegisteredPoor, "2016-01-01", Some("2019-07-01"))])),
        Just(labelled(&[(Label::SubsistenceAllowance, "2019-05-01", None)])),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn payers_institution_and_person_bear_the_total(bills in any_year(), insured in any_insured()) {
        for settled in settled(&settle_year(&policies(), &insured, &[], &bills)) {
            let paid: Fen = settled.layers.iter().map(|layer| layer.paid).sum();
            prop_assert_eq!(paid + settled.own, settled.total);
            prop_assert!(settled.own >= settled.own_uncovered && !settled.own_uncovered.is_negative());
        }
    }

    #[test]
    fn every_order_of_arrival_ends_in_the_same_receipts(
        (bills, arrived) in any_year().prop_flat_map(|bills| {
            let shuffled = Just(bills.clone()).prop_shuffle();
            (Just(bills), shuffled)
        }),
        insured in any_insured(),
    ) {
        let ledger = |arrivals: &[ChainBill]| {
            // Each arrival settles the year again; what stands at the end is the ledger.
            let mut standing = Vec::new();
            for count in 1..=arrivals.len() {
                standing = settle_year(&policies(), &insured, &[], &arrivals[..count]);
            }
            let mut results: Vec<(Uuid, i64)> =
                settled(&standing).into_iter().map(|settled| (settled.bill, settled.result())).collect();
            results.sort_unstable();
            results
        };
        prop_assert_eq!(ledger(&bills), ledger(&arrived));
    }

    #[test]
    fn a_receipt_survives_its_text(bills in any_year(), insured in any_insured()) {
        for kept in settled(&settle_year(&policies(), &insured, &[], &bills)) {
            let text = serde_json::to_string(kept).expect("JSON");
            let back: Settled = serde_json::from_str(&text).expect("a receipt");
            prop_assert_eq!(back.result(), kept.result());
            prop_assert_eq!(&back, kept);
        }
    }
}

#[test]
fn the_place_of_a_bill_is_the_home_of_that_day() {
    let insured = labelled(&[(Label::RegisteredPoor, "2016-01-01", None)]);
    let mut moved = bill(2, day("2019-08-01"), day("2019-08-10"), 6_000_000);
    moved.home = DivisionCode::from_number(411_721_001_001).expect("a code");
    let bills = [bill(1, day("2019-06-01"), day("2019-06-29"), 6_000_000), moved];
    let all = settle_year(&policies(), &insured, &[], &bills);
    let all = settled(&all);
    assert_eq!(
        (all[0].jurisdiction.as_str(), all[1].jurisdiction.as_str()),
        ("cn/henan/zhengzhou", "cn/henan")
    );
    assert_eq!(all[1].before.iter().find(|used| used.0 == "basic_stays").map(|used| used.1), Some(1));
}

/// A bill of 2023, when medical assistance is in force, of one of four persons in one of three households.
fn any_shared_bill(number: u128) -> impl Strategy<Value = (usize, ChainBill)> {
    (0_usize..4, 0_u128..3, any_bill(number)).prop_map(|(whose, household, mut bill)| {
        let four_years = 1_461;
        bill.body.admission = bill.body.admission.plus_days(four_years);
        bill.body.discharge = bill.body.discharge.plus_days(four_years);
        bill.body.household = Uuid::from_u128(100 + household);
        (whose, bill)
    })
}

fn any_shared_year() -> impl Strategy<Value = Vec<(usize, ChainBill)>> {
    (1_usize..=8).prop_flat_map(|count| {
        (0..count).map(|number| any_shared_bill(number as u128 + 1)).collect::<Vec<_>>()
    })
}

fn marginal() -> Insured {
    labelled(&[(Label::Marginal, "2020-01-01", None)])
}

/// Settles the bills of all persons together; `turned`: handed over the other way round.
fn together(packs: &Release, bills: &[(usize, ChainBill)], turned: bool) -> Vec<Settlement> {
    let insured = marginal();
    let mut members: Vec<Member<'_>> = (0..4)
        .map(|whose| Member {
            insured: &insured,
            opening: &[],
            opened_for: None,
            bills: bills.iter().filter(|(of, _)| *of == whose).map(|(_, bill)| bill).collect(),
        })
        .collect();
    if turned {
        members.reverse();
        members.iter_mut().for_each(|member| member.bills.reverse());
    }
    Adjudicator::new(packs).settle_together(&members)
}

fn layers(all: &[Settlement]) -> Vec<(Uuid, Fen, Vec<Fen>)> {
    let of = |one: &Settled| (one.bill, one.own, one.layers.iter().map(|layer| layer.paid).collect());
    settled(all).into_iter().map(of).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn members_are_settled_in_one_order_and_share_what_their_household_has(bills in any_shared_year()) {
        let packs = household_packs();
        let all = together(&packs, &bills, false);
        prop_assert_eq!(layers(&all), layers(&together(&packs, &bills, true)));
        let mut aid: BTreeMap<Uuid, (i64, i64)> = BTreeMap::new();
        for receipt in settled(&all) {
            let paid: Fen = receipt.layers.iter().map(|layer| layer.paid).sum();
            prop_assert_eq!(paid + receipt.own, receipt.total);
            let bill = bills.iter().find(|(_, bill)| bill.body.bill == receipt.bill).expect("a bill");
            let household = aid.entry(bill.1.body.household).or_default();
            let of = |used: &[Used], name: &str| used.iter().find(|used| used.0 == name).map_or(0, |used| used.1);
            // A receipt begins where the last one of its household ended.
            prop_assert_eq!(of(&receipt.before, "assistance_deductible"), household.0);
            prop_assert_eq!(of(&receipt.before, "assistance_paid"), household.1);
            household.0 = of(&receipt.after, "assistance_deductible");
            household.1 = of(&receipt.after, "assistance_paid");
        }
        for (deductible, paid) in aid.into_values() {
            prop_assert!(deductible <= 210_000 && paid <= 3_000_000, "{deductible} {paid}");
        }
    }

    #[test]
    fn who_lives_alone_is_settled_as_if_nobody_had_anything_together(bills in any_shared_year()) {
        let alone: Vec<(usize, ChainBill)> = bills
            .into_iter()
            .map(|(whose, mut bill)| {
                bill.body.household = Uuid::from_u128(200 + whose as u128);
                (whose, bill)
            })
            .collect();
        let joined = together(&household_packs(), &alone, false);
        prop_assert_eq!(layers(&joined), layers(&together(&policies(), &alone, false)));
        let mut each: Vec<_> = (0..4)
            .flat_map(|whose| {
                let own: Vec<ChainBill> =
                    alone.iter().filter(|(of, _)| *of == whose).map(|(_, bill)| bill.clone()).collect();
                layers(&settle_year(&policies(), &marginal(), &[], &own))
            })
            .collect();
        let mut joined = layers(&joined);
        each.sort();
        joined.sort();
        prop_assert_eq!(joined, each);
    }
}

#[test]
fn an_opening_that_names_no_household_counts_for_that_of_the_first_bill() {
    let insured = marginal();
    let mut one = bill(1, day("2023-03-01"), day("2023-03-10"), 6_000_000);
    one.body.household = Uuid::from_u128(100);
    let opening = [Used("assistance_deductible".to_owned(), 210_000), Used("basic_stays".to_owned(), 1)];
    let settle = |opened_for: Option<u128>| {
        let opened_for = opened_for.map(Uuid::from_u128);
        let member = Member { insured: &insured, opening: &opening, opened_for, bills: vec![&one] };
        let all = Adjudicator::new(&household_packs()).settle_together(&[member]);
        settled(&all)[0].before.clone()
    };
    assert_eq!(settle(None), opening);
    assert_eq!(settle(Some(100)), opening);
    assert_eq!(settle(Some(101)), opening[1..], "another household's");
}
