//! Accumulators that a household has together: medical assistance as one year of all members, from the outside. Packs of
//! the test's own; no shipped pack has any.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::office::{
    Office, XIPING, between, day, household_packs, on_both_under, place, policies, settles, stay,
};
use axum::http::StatusCode;
use kangmai_access::{Actor, Purpose, Role, reach};
use kangmai_base::{Fen, Uuid};
use kangmai_database::testing::FreshDatabase;
use kangmai_people::{Label, LabelInterval, PERSON_REGISTERED, Person};
use kangmai_places::{InstitutionGrade, InstitutionTier};
use kangmai_programme::App;
use kangmai_record::{NewFact, Source, Subject};
use kangmai_settlement::facts::{BillReceived, Settled, Used, Why};
use kangmai_settlement::import::{BILLS, OPENINGS};
use kangmai_settlement::replay::{ReceiptFile, replay};
use kangmai_settlement::rules::{Adjudicator, Settlement};
use kangmai_settlement::store::{self, BillFilter, BillState, JoinedYear};
use kangmai_settlement::{Resettled, Which, resettle};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::json;

const MARGINAL: &[(Label, &str, Option<&str>)] = &[(Label::Marginal, "2024-01-01", None)];

/// A desk of a county hospital, and a couple of the margin of poverty: basic insurance leaves 10,752 of 60,000; assistance
/// pays 60 % of what is above the 2,100 that the household bears itself.
fn given_a_couple(office: &mut Office) -> (String, Person, Person) {
    let county = InstitutionTier::County;
    let hospital = office.given_an_institution("H1", "411721001000", county, InstitutionGrade::Second);
    let one = office.given_a_person("示例乙", XIPING, MARGINAL);
    let other = office.given_a_member("示例丁", &one, MARGINAL);
    office.signed_in(Role::CountyDesk, "411721", Some(hospital));
    (hospital.to_string(), one, other)
}

fn id_in(path: &str) -> Uuid {
    path.trim_start_matches("/bills/").parse().expect("a bill")
}

fn joined(office: &Office, person: &Person, year: i32) -> JoinedYear {
    let (id, policies) = (person.id.uuid(), Arc::clone(&office.app.policies));
    office.read(move |tx| store::joined_year(tx, &policies, (id, None), year))
}

/// Settling the whole year of all members from nothing comes to what stands there.
fn is_as_if_settled_at_once(office: &Office, person: &Person, year: i32) {
    let found = joined(office, person, year);
    for settlement in Adjudicator::new(&office.app.policies).settle_together(&found.to_settle()) {
        let (_, stands) = found.find(settlement.bill()).expect("a bill");
        assert_eq!(stands.result, Some(settlement.result()), "{}", stands.bill.body.number);
    }
}

/// What each bears of each bill, by number; the postings come to what the receipts say.
fn ledger(office: &Office) -> BTreeMap<(String, String), Fen> {
    let reach = office.reach_of("41", Purpose::ReadBills);
    let (mut posted, mut said) = office.read(move |tx| {
        let (mut posted, mut said) = (BTreeMap::new(), BTreeMap::new());
        for row in store::bill_rows(tx, &reach, BillFilter::default(), 10_000, 0)? {
            for line in store::postings_of(tx, row.id)? {
                *posted.entry((row.number.clone(), line.payer)).or_insert(Fen::ZERO) += line.amount;
            }
            for (_, payer, _, paid) in store::payments(tx, row.id)? {
                *said.entry((row.number.clone(), payer)).or_insert(Fen::ZERO) += paid;
            }
            if row.state == BillState::Settled {
                said.insert((row.number.clone(), "person".to_owned()), row.own);
            }
        }
        Ok((posted, said))
    });
    posted.retain(|_, amount| *amount != Fen::ZERO);
    said.retain(|_, amount| *amount != Fen::ZERO);
    assert_eq!(posted, said, "the ledger and the receipts");
    posted
}

fn own(office: &Office, number: &str) -> Fen {
    ledger(office).get(&(number.to_owned(), "person".to_owned())).copied().unwrap_or(Fen::ZERO)
}

fn causes(office: &Office, bill: &str) -> Vec<(Why, Option<Uuid>)> {
    let id = id_in(bill);
    let mut all: Vec<(Why, Option<Uuid>)> = office
        .read(move |tx| store::postings_of(tx, id))
        .iter()
        .map(|line| (line.cause.expect("each says why"), line.cause_bill))
        .collect();
    all.dedup();
    all
}

#[test]
fn a_bill_of_one_member_settles_the_other_again_and_says_so_without_showing_it() {
    on_both_under(&household_packs(), |office| {
        let (hospital, one, other) = given_a_couple(office);
        let late = settles(office, &one, &stay("ZY-9", &hospital, "2026-02-20", "2026-02-28", "60000.00"));
        assert_eq!(own(office, "ZY-9"), Fen(556_080), "10,752 − (10,752 − 2,100) × 60 %");
        // Somebody of another household is not touched by any of it.
        let stranger = office.given_a_person("示例戊", XIPING, MARGINAL);
        settles(office, &stranger, &stay("ZY-5", &hospital, "2026-02-20", "2026-02-28", "60000.00"));

        let bill = stay("ZY-1", &hospital, "2026-01-05", "2026-01-15", "60000.00");
        let trial = office.post(&format!("/desk/{}", other.id), &bill);
        assert!(
            trial.text.contains("同户其他成员的结算单 1 张，个人自付合计变动 −1,260.00 元"),
            "{}",
            trial.text
        );
        assert!(!trial.text.contains("ZY-9") && !trial.text.contains("示例乙"), "{}", trial.text);
        let early = settles(office, &other, &bill);
        assert_eq!(own(office, "ZY-1"), Fen(556_080));
        assert_eq!(own(office, "ZY-9"), Fen(430_080), "10,752 × 40 %: the household has borne its 2,100");
        assert_eq!(own(office, "ZY-5"), Fen(556_080));
        assert_eq!(
            causes(office, &late),
            [(Why::Received, None), (Why::MemberReceived, Some(id_in(&early)))]
        );
        let page = office.finds(&late);
        assert!(
            page.contains("同户另一成员的结算单补录") && page.contains("本年度累计按全户成员合计"),
            "{page}"
        );
        assert!(!page.contains("示例丁") && !page.contains("ZY-1<"), "{page}");
        office.in_english();
        assert!(office.finds(&late).contains("A bill of another member of the household came in"));
        office.in_chinese();
        assert!(office.finds("/postings?cause=member_received").contains("同户另一成员的结算单补录"));
        is_as_if_settled_at_once(office, &one, 2026);

        let done = office.post(&format!("{early}/cancel"), &[("reason", "录错人员"), ("act", "cancel")]);
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
        assert_eq!(own(office, "ZY-9"), Fen(556_080), "as if nothing had been");
        assert_eq!(
            causes(office, &late)[2..],
            [(Why::MemberCancelled, Some(id_in(&early)))],
            "{:?}",
            causes(office, &late)
        );
        office.nothing_differs_after_rebuilding();
    });
}

#[test]
fn a_receipt_of_a_household_is_worked_out_again() {
    let packs = household_packs();
    on_both_under(&packs, |office| {
        let (hospital, one, other) = given_a_couple(office);
        settles(office, &other, &stay("ZY-1", &hospital, "2026-01-05", "2026-01-15", "60000.00"));
        let late = settles(office, &one, &stay("ZY-9", &hospital, "2026-02-20", "2026-02-28", "60000.00"));
        let file: ReceiptFile =
            serde_json::from_slice(&office.get(&format!("{late}/receipt.json")).bytes).expect("a receipt");
        let before = &file.receipt.before;
        assert!(before.contains(&Used("assistance_deductible".to_owned(), 210_000)), "{before:?}");
        assert!(!before.iter().any(|used| used.0 == "basic_stays"), "the other's stay: {before:?}");
        assert!(replay(&packs, &file, false).expect("replayed").is_same());
        let file_of = |text: &str| text.contains("示例丁") || text.contains("ZY-1\"");
        assert!(!file_of(&serde_json::to_string(&file).expect("JSON")), "nothing of the other member");
    });
}

#[test]
fn who_moves_to_another_household_counts_with_each_for_the_bills_of_its_time() {
    on_both_under(&household_packs(), |office| {
        let (hospital, one, other) = given_a_couple(office);
        let third = office.given_a_person("示例己", XIPING, MARGINAL);
        settles(office, &one, &stay("A", &hospital, "2026-01-01", "2026-01-05", "60000.00"));
        // The one goes to live with the third; the bill of before stays with the other.
        let mut moved = one.clone();
        moved.body.household = third.body.household;
        office.put_person(&moved);
        settles(office, &moved, &stay("B", &hospital, "2026-01-10", "2026-01-15", "60000.00"));
        settles(office, &other, &stay("C", &hospital, "2026-02-01", "2026-02-05", "60000.00"));
        settles(office, &third, &stay("D", &hospital, "2026-02-10", "2026-02-15", "60000.00"));
        let all: Vec<Fen> = ["A", "C", "D"].iter().map(|number| own(office, number)).collect();
        assert_eq!(all, [Fen(556_080), Fen(430_080), Fen(430_080)]);
        // B: the deductible of the other household anew; basic insurance counts the second stay of the person.
        let found = joined(office, &third, 2026);
        assert_eq!(found.members.len(), 3, "all are joined through the one who moved");
        let names: BTreeSet<Uuid> = found.households();
        assert_eq!(names, BTreeSet::from([one.body.household, third.body.household]));
        is_as_if_settled_at_once(office, &other, 2026);
        office.nothing_differs_after_rebuilding();
    });
}

const HEAD: [&str; 9] = [
    "结算单号",
    "身份证号",
    "机构代码",
    "入院日期",
    "出院日期",
    "就诊类型",
    "医疗总费用",
    "政策范围内费用",
    "是否转诊",
];

/// A bill of the year 2025: whose, day of admission, days, yuan, compliant per cent.
type Drawn = (usize, i32, i32, i64, i64);

/// Up to eight bills of three members, of different days: among bills of the same days the order of arrival decides on
/// purpose.
fn any_bills() -> impl Strategy<Value = (Vec<Drawn>, Vec<usize>)> {
    let bill = (0_usize..3, 0_i32..40, 0_i32..8, 1_i64..200_000, 50_i64..=100);
    proptest::collection::vec(bill, 1..=8).prop_flat_map(|bills| {
        let apart: Vec<Drawn> = bills
            .into_iter()
            .enumerate()
            .map(|(number, (whose, from, days, yuan, share))| {
                (whose, from + 40 * i32::try_from(number).expect("small"), days, yuan, share)
            })
            .collect();
        let order = Just((0..apart.len()).collect::<Vec<usize>>()).prop_shuffle();
        (Just(apart), order)
    })
}

fn row_of(family: &[Person], number: usize, drawn: Drawn) -> Vec<String> {
    let (whose, from, days, yuan, share) = drawn;
    let admission = day("2025-01-01").plus_days(from);
    vec![
        format!("{}-{number}", family[0].id),
        family[whose].body.id_number.as_ref().expect("a number").as_str().to_owned(),
        "H1".to_owned(),
        admission.to_string(),
        admission.plus_days(days).to_string(),
        "住院".to_owned(),
        Fen::yuan(yuan).to_string(),
        Fen(yuan * share).to_string(),
        "是".to_owned(),
    ]
}

fn arrive(office: &Office, rows: &[Vec<String>]) {
    let mut file = vec![HEAD.to_vec()];
    file.extend(rows.iter().map(|row| row.iter().map(String::as_str).collect::<Vec<&str>>()));
    let done = office.imports(&BILLS, &office.bureau("411721"), &file, false);
    assert_eq!(done.summary.new, rows.len() as u64, "{:?}", done.faults());
}

/// What stands of the bills of a family, by day of admission: own share, what each layer pays, what is posted.
type Stands = Vec<(kangmai_base::Day, Fen, Vec<(String, Fen)>, BTreeMap<String, Fen>)>;

fn stands(office: &Office, family: &[Person]) -> Stands {
    let ids: Vec<Uuid> = family.iter().map(|person| person.id.uuid()).collect();
    office.read(move |tx| {
        let mut all = Stands::new();
        for id in ids {
            for row in store::bills_of_person(tx, id, day("2025-01-01"), 100)? {
                let paid = store::payments(tx, row.id)?.into_iter();
                let mut paid: Vec<(String, Fen)> = paid.map(|(layer, _, _, paid)| (layer, paid)).collect();
                paid.sort();
                let mut posted: BTreeMap<String, Fen> = BTreeMap::new();
                for line in store::postings_of(tx, row.id)? {
                    *posted.entry(line.payer).or_default() += line.amount;
                }
                posted.retain(|_, amount| *amount != Fen::ZERO);
                all.push((row.admitted_on, row.own, paid, posted));
            }
        }
        all.sort_by_key(|line| line.0);
        Ok(all)
    })
}

/// Two of the margin of poverty, one on subsistence allowance until the middle of the year.
fn given_a_family(office: &mut Office) -> Vec<Person> {
    let one = office.given_a_person("示例", XIPING, MARGINAL);
    let two = office.given_a_member("示例", &one, MARGINAL);
    let allowance = [(Label::SubsistenceAllowance, "2024-01-01", Some("2025-06-30"))];
    let three = office.given_a_member("示例", &one, &allowance);
    vec![one, two, three]
}

fn orders_end_alike(fresh: FreshDatabase) {
    let mut office = Office::open_under(fresh, household_packs());
    office.given_an_institution("H1", "411721001000", InstitutionTier::County, InstitutionGrade::Second);
    let office = std::cell::RefCell::new(office);
    let mut runner =
        TestRunner::new(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() });
    let done = runner.run(&any_bills(), |(bills, order)| {
        let mut office = office.borrow_mut();
        let families =
            [given_a_family(&mut office), given_a_family(&mut office), given_a_family(&mut office)];
        let row = |family: &[Person], number: usize| row_of(family, number, bills[number]);
        for number in 0..bills.len() {
            arrive(&office, &[row(&families[0], number)]);
        }
        for number in &order {
            arrive(&office, &[row(&families[1], *number)]);
        }
        // And all in one file.
        arrive(&office, &order.iter().map(|number| row(&families[2], *number)).collect::<Vec<_>>());
        let first = stands(&office, &families[0]);
        prop_assert_eq!(&first, &stands(&office, &families[1]));
        prop_assert_eq!(&first, &stands(&office, &families[2]));
        for family in &families {
            is_as_if_settled_at_once(&office, &family[0], 2025);
        }
        Ok(())
    });
    if let Err(error) = done {
        assert_eq!(error.to_string(), "");
    }
    let office = office.into_inner();
    ledger(&office);
    office.nothing_differs_after_rebuilding();
}

#[test]
fn every_order_of_arrival_ends_in_the_same_ledger() {
    for fresh in FreshDatabase::all().expect("databases") {
        orders_end_alike(fresh);
    }
}

#[test]
fn settling_and_cancelling_a_member_s_bill_is_as_if_nothing_had_been() {
    on_both_under(&household_packs(), |office| {
        let (hospital, one, other) = given_a_couple(office);
        for (number, person, on) in
            [("A", &one, "2026-01-10"), ("B", &other, "2026-01-20"), ("C", &one, "2026-02-10")]
        {
            settles(office, person, &stay(number, &hospital, on, on, "90000.00"));
        }
        let before = ledger(office);
        for (person, on) in [(&other, "2026-01-02"), (&one, "2026-01-15"), (&other, "2026-02-20")] {
            let bill = settles(office, person, &stay("X", &hospital, on, on, "50000.00"));
            assert_ne!(ledger(office), before);
            is_as_if_settled_at_once(office, &one, 2026);
            let done = office.post(&format!("{bill}/cancel"), &[("reason", "录错人员"), ("act", "cancel")]);
            assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
            assert_eq!(ledger(office), before, "{on}");
        }
        office.nothing_differs_after_rebuilding();
    });
}

/// Presses until it is settled: whenever somebody else was quicker and the own share moved, the trial is shown again.
fn settles_among_others(office: &Office, person: &Person, bill: &[(&str, &str)]) {
    let path = format!("/desk/{}", person.id);
    let mut page = office.post(&path, bill);
    for _ in 0..50 {
        let mut confirmed = bill.to_vec();
        let expected = between(&page.text, "name=\"expected\" value=\"", "\"");
        confirmed.push(("expected", &expected));
        page = office.post(&format!("{path}/settle"), &confirmed);
        if page.status == StatusCode::SEE_OTHER {
            return;
        }
    }
    assert_eq!(page.text, "", "never settled");
}

#[test]
fn desks_that_settle_two_members_at_once_never_overspend_their_cap() {
    on_both_under(&household_packs(), |office| {
        let county = InstitutionTier::County;
        let hospital = office.given_an_institution("H1", "411721001000", county, InstitutionGrade::Second);
        let allowance = [(Label::SubsistenceAllowance, "2024-01-01", None)];
        let one = office.given_a_person("示例乙", XIPING, &allowance);
        let other = office.given_a_member("示例丁", &one, &allowance);
        office.signed_in(Role::CountyDesk, "411721", Some(hospital));
        let hospital = hospital.to_string();
        let numbers: Vec<String> = (0..6).map(|number| format!("ZY-{number}")).collect();
        let days: Vec<String> = (0..6).map(|number| format!("2026-02-0{}", number + 1)).collect();
        let (office_there, hospital) = (&*office, &hospital);
        std::thread::scope(|scope| {
            for (at, (number, on)) in numbers.iter().zip(&days).enumerate() {
                let person = if at % 2 == 0 { &one } else { &other };
                scope.spawn(move || {
                    settles_among_others(office_there, person, &stay(number, hospital, on, on, "290000.00"));
                });
            }
        });
        is_as_if_settled_at_once(office, &one, 2026);
        let paid: Fen =
            ledger(office).iter().filter(|(key, _)| key.1 == "assistance").map(|(_, paid)| *paid).sum();
        // Each alone could have had 50,000.
        assert_eq!(paid, Fen::yuan(50_000), "the cap of the household, to the fen");
        office.nothing_differs_after_rebuilding();
    });
}

#[test]
fn openings_of_members_add_up_to_the_household_s() {
    on_both_under(&household_packs(), |office| {
        let (hospital, one, other) = given_a_couple(office);
        let child = office.given_a_member("示例庚", &one, MARGINAL);
        let bill = settles(office, &one, &stay("ZY-1", &hospital, "2026-02-20", "2026-02-28", "60000.00"));
        assert_eq!(own(office, "ZY-1"), Fen(556_080));
        // Neither the other nor the child has a bill here; both had used something of the household's.
        let number = |person: &Person| person.body.id_number.as_ref().expect("a number").as_str().to_owned();
        let (of_other, of_child) = (number(&other), number(&child));
        let rows = vec![
            vec!["证件号码", "年度", "医疗救助已用起付线", "医疗救助已支付"],
            vec![&of_other, "2026", "1000.00", "29000.00"],
            vec![&of_child, "2026", "600.00", "100.00"],
        ];
        let done = office.imports(&OPENINGS, &office.bureau("411721"), &rows, false);
        assert_eq!(done.summary.new, 2, "{:?}", done.faults());
        // 500 of the deductible are left, 900 of the 30,000: (10,752 − 500) × 60 % is more.
        assert_eq!(own(office, "ZY-1"), Fen(1_075_200 - 90_000));
        let found = joined(office, &one, 2026);
        assert_eq!(found.members.len(), 3);
        assert_eq!(causes(office, &bill)[1].0, Why::MemberOpening);
        is_as_if_settled_at_once(office, &child, 2026);
        // The same file again changes nothing; put right, the household's sum is put right.
        let done = office.imports(&OPENINGS, &office.bureau("411721"), &rows, false);
        assert_eq!(done.summary.unchanged, 2, "{:?}", done.faults());
        let rows = vec![rows[0].clone(), vec![&of_other, "2026", "0.00", "0.00"]];
        let done = office.imports(&OPENINGS, &office.bureau("411721"), &rows, false);
        assert_eq!(done.summary.changed, 1, "{:?}", done.faults());
        assert_eq!(own(office, "ZY-1"), Fen(1_075_200 - (1_075_200 - 150_000) * 60 / 100));
        office.nothing_differs_after_rebuilding();
    });
}

fn run(app: &App, which: Which, dry_run: bool) -> Resettled {
    let actor = Actor { place: place("41"), ..Actor::system() };
    let reach = reach(&actor, Purpose::KeepLedger).expect("the system may");
    resettle(app, &actor, &reach, which, dry_run, |_| {}).expect("database")
}

#[test]
fn a_release_that_joins_households_settles_them_as_one_and_counts_each_once() {
    on_both_under(&policies(), |office| {
        let (hospital, one, other) = given_a_couple(office);
        let alone = office.given_a_person("示例戊", XIPING, MARGINAL);
        for (number, person, on) in
            [("A", &one, "2026-01-10"), ("B", &other, "2026-01-20"), ("C", &alone, "2026-01-20")]
        {
            settles(office, person, &stay(number, &hospital, on, on, "60000.00"));
            assert_eq!(own(office, number), Fen(556_080), "each has their own deductible");
        }
        let app = office.app_under(household_packs());
        let dry = run(&app, Which::Release(2026), true);
        assert_eq!((dry.looked_at, dry.changed, dry.bills), (3, 1, 1), "{dry:?}");
        assert_eq!(own(office, "B"), Fen(556_080), "it was dry");
        assert_eq!(run(&app, Which::Release(2026), false), dry);
        let all: Vec<Fen> = ["A", "B", "C"].iter().map(|number| own(office, number)).collect();
        assert_eq!(all, [Fen(556_080), Fen(430_080), Fen(556_080)]);
        assert_eq!(run(&app, Which::Release(2026), false).changed, 0);
        // And back.
        assert_eq!(run(&office.app, Which::Release(2026), false).changed, 1);
        assert_eq!(own(office, "B"), Fen(556_080));
        office.nothing_differs_after_rebuilding();
    });
}

#[test]
fn the_register_reaches_back_into_the_year_of_all_members() {
    on_both_under(&household_packs(), |office| {
        let (hospital, one, other) = given_a_couple(office);
        let early = settles(office, &one, &stay("A", &hospital, "2026-01-01", "2026-01-10", "60000.00"));
        let late = settles(office, &other, &stay("B", &hospital, "2026-02-01", "2026-02-10", "60000.00"));
        assert_eq!(own(office, "B"), Fen(430_080));
        // The one had no label after all: assistance pays nothing, so the other bears the deductible.
        let mut without = one.clone();
        without.body.labels = vec![LabelInterval {
            label: Label::Marginal,
            from: Some(day("2026-02-01")),
            to: None,
            source: "示例".to_owned(),
        }];
        register_says(office, &without);
        office.signed_in(Role::InsuranceClerk, "411721", None);
        let page = office.finds("/resettle");
        assert!(page.contains("示例乙") && !page.contains("示例丁"), "{page}");
        assert!(page.contains("（同户 2 人）"), "{page}");
        // Who is touched too is told once, with whoever stands before.
        let mut also = other.clone();
        also.body.labels = Vec::new();
        register_says(office, &also);
        let page = office.finds("/resettle");
        assert!(page.contains("示例丁") && page.matches("随上列同户成员一并结算").count() == 1, "{page}");
        register_says(office, &other);
        let dry = run(&office.app, Which::Touched(None), true);
        assert_eq!((dry.looked_at, dry.changed, dry.bills), (1, 2, 2), "{dry:?}");
        assert_eq!(run(&office.app, Which::Touched(None), false), dry);
        assert_eq!((own(office, "A"), own(office, "B")), (Fen(1_075_200), Fen(556_080)));
        assert_eq!(causes(office, &early)[1].0, Why::Register);
        assert_eq!(causes(office, &late)[1].0, Why::MemberRegister);
        assert_eq!(run(&office.app, Which::Touched(None), false), Resettled::default());
        office.nothing_differs_after_rebuilding();
    });
}

fn register_says(office: &Office, person: &Person) {
    office.put_person(person);
    let now = kangmai_base::Clock::now(&*office.clock);
    let fact = NewFact {
        id: office.app.mint(),
        kind: PERSON_REGISTERED.to_owned(),
        subject: Subject::person(person.id.uuid()),
        occurred_at: now,
        recorded_at: now,
        place: person.home,
        author: Uuid::nil(),
        source: Source::Import,
        corrects: None,
        body: serde_json::to_string(&person.body).expect("JSON"),
    };
    let record = office.app.record.clone();
    office.write(move |tx| record.append(tx, now, vec![fact]));
}

#[test]
fn a_year_that_is_closed_for_one_member_is_closed_for_all() {
    on_both_under(&household_packs(), |office| {
        let (hospital, one, other) = given_a_couple(office);
        settles(office, &one, &stay("A", &hospital, "2026-01-01", "2026-01-10", "60000.00"));
        // The other lives in the next county, where the year is closed for all who live there.
        let mut moved = other.clone();
        moved.home = place("411722103203");
        office.put_person(&moved);
        let second = office.given_an_institution(
            "H2",
            "411722001000",
            InstitutionTier::County,
            InstitutionGrade::Second,
        );
        office.signed_in(Role::CountyDesk, "411722", Some(second));
        let far =
            settles(office, &moved, &stay("B", &second.to_string(), "2026-02-01", "2026-02-10", "60000.00"));
        assert_eq!(own(office, "B"), Fen(430_080), "across a border of counties");
        office.signed_in(Role::InsuranceClerk, "411722", None);
        let closed = office.post("/years/2026", &[("reason", "决算"), ("act", "close")]);
        assert_eq!(closed.status, StatusCode::SEE_OTHER, "{}", closed.text);
        office.signed_in(Role::CountyDesk, "411721", hospital.parse().ok());
        let before = ledger(office);
        let refused = office
            .post(&format!("/desk/{}", one.id), &stay("C", &hospital, "2026-01-20", "2026-01-21", "900.00"));
        assert!(refused.text.contains("2026") && refused.text.contains("已"), "{}", refused.text);
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text);
        let number = one.body.id_number.as_ref().expect("a number").as_str().to_owned();
        let row = ["C", number.as_str(), "H1", "2026-01-20", "2026-01-21", "住院", "900.00", "900.00", "是"];
        let done = office.imports(&BILLS, &office.bureau("411721"), &[HEAD.to_vec(), row.to_vec()], false);
        assert_eq!(done.faults()[0].1, "settlement.flaw.year_closed");
        assert_eq!(run(&office.app_under(policies()), Which::Release(2026), false).changed, 0, "it stays");
        assert_eq!(ledger(office), before);
        assert!(far.starts_with("/bills/"));
        office.nothing_differs_after_rebuilding();
    });
}

#[test]
fn a_correction_in_a_file_stays_with_the_household_of_its_time() {
    on_both_under(&household_packs(), |office| {
        let (hospital, one, other) = given_a_couple(office);
        settles(office, &other, &stay("B", &hospital, "2026-02-01", "2026-02-10", "60000.00"));
        let number = one.body.id_number.as_ref().expect("a number").as_str().to_owned();
        let mut head = HEAD.to_vec();
        head.push("更正");
        let row = |total: &'static str, correction: &'static str| {
            let days = ["2026-01-02", "2026-01-10"];
            vec!["A", &number, "H1", days[0], days[1], "住院", total, total, "是", correction]
                .into_iter()
                .map(str::to_owned)
                .collect::<Vec<String>>()
        };
        let import = |office: &Office, row: Vec<String>| {
            let rows = vec![head.clone(), row.iter().map(String::as_str).collect()];
            office.imports(&BILLS, &office.bureau("411721"), &rows, false)
        };
        assert_eq!(import(office, row("60000.00", "")).summary.new, 1);
        assert_eq!(own(office, "B"), Fen(430_080));
        // Meanwhile the one lives elsewhere; the bill is put right to next to nothing.
        let mut moved = one.clone();
        moved.body.household = office.app.mint();
        office.put_person(&moved);
        let done = import(office, row("100.00", "是"));
        assert_eq!(done.summary.changed, 1, "{:?}", done.faults());
        assert_eq!(own(office, "B"), Fen(556_080 - 6_000), "100 of the deductible are borne by the one");
        let found = joined(office, &other, 2026);
        let kept = found.bills().find(|(_, bill)| bill.bill.body.number == "A").expect("still joined");
        let kept: BillReceived = kept.1.bill.body.clone();
        assert_eq!(kept.household, one.body.household);
        is_as_if_settled_at_once(office, &one, 2026);
        office.nothing_differs_after_rebuilding();
    });
}

#[test]
fn a_correction_over_the_interface_stays_with_the_household_of_its_time() {
    on_both_under(&household_packs(), |office| {
        let (hospital, one, other) = given_a_couple(office);
        let key = office.given_a_client("411721", hospital.parse().expect("an identifier"));
        let bill = |total: &str| {
            json!({
                "number": "A", "person": { "id": one.id }, "setting": "inpatient", "referral": "referred",
                "admission": "2026-01-02", "discharge": "2026-01-10", "total": total, "compliant": total,
            })
        };
        office.sends(&key, Some("s-1"), "settle", &bill("60000.00")).done();
        settles(office, &other, &stay("B", &hospital, "2026-02-01", "2026-02-10", "60000.00"));
        assert_eq!(own(office, "B"), Fen(430_080));
        // Meanwhile the one lives elsewhere; the bill is put right to next to nothing.
        let mut moved = one.clone();
        moved.body.household = office.app.mint();
        office.put_person(&moved);
        let mut right = bill("100.00");
        right["reason"] = json!("更正");
        office.sends(&key, Some("s-2"), "correct", &right).done();
        assert_eq!(own(office, "B"), Fen(556_080 - 6_000), "100 of the deductible are borne by the one");
        is_as_if_settled_at_once(office, &one, 2026);
        office.nothing_differs_after_rebuilding();
    });
}

#[test]
fn without_shared_accumulators_nobody_is_joined() {
    on_both_under(&policies(), |office| {
        let (hospital, one, other) = given_a_couple(office);
        for (number, person) in [("A", &one), ("B", &other)] {
            settles(office, person, &stay(number, &hospital, "2026-01-01", "2026-01-10", "60000.00"));
        }
        assert_eq!((own(office, "A"), own(office, "B")), (Fen(556_080), Fen(556_080)));
        assert_eq!(joined(office, &one, 2026).members.len(), 1);
        let all =
            Adjudicator::new(&office.app.policies).settle_together(&joined(office, &one, 2026).to_settle());
        let settled: Vec<&Settled> = all
            .iter()
            .filter_map(|one| match one {
                Settlement::Settled(settled) => Some(&settled.0),
                Settlement::Not(_) => None,
            })
            .collect();
        assert_eq!(settled.len(), 1);
    });
}
