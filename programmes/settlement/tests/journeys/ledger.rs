//! The ledger: what is posted for each payer always comes to what the receipts say, whatever happens in whatever order and
//! however many desks work at once.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

use std::collections::BTreeMap;

use super::office::{Office, XIPING, between, day, on_both, policies, settles, stay};
use axum::http::StatusCode;
use kangmai_access::{Purpose, Role};
use kangmai_base::{Fen, Uuid};
use kangmai_database::testing::FreshDatabase;
use kangmai_people::{Label, Person};
use kangmai_places::{InstitutionGrade, InstitutionTier};
use kangmai_settlement::facts::Why;
use kangmai_settlement::import::BILLS;
use kangmai_settlement::rules::{ChainBill, Settlement, settle_year};
use kangmai_settlement::store::{self, BillFilter, BillState, PostingFilter};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

/// A desk of a county hospital and one of its patients.
fn given_a_desk(office: &mut Office) -> (String, Person) {
    let county = InstitutionTier::County;
    let hospital = office.given_an_institution("H1", "411721001000", county, InstitutionGrade::Second);
    let person =
        office.given_a_person("示例乙", XIPING, &[(Label::SubsistenceAllowance, "2024-01-01", None)]);
    office.signed_in(Role::CountyDesk, "411721", Some(hospital));
    (hospital.to_string(), person)
}

/// What each bears of each bill, by bill number; those who bear nothing are left out.
type Borne = BTreeMap<(String, String), Fen>;

/// What postings come to, after it was checked that they come to what the receipts say.
fn ledger(office: &Office) -> Borne {
    let reach = office.reach_of("41", Purpose::ReadBills);
    let (posted, said) = office.read(move |tx| {
        let (mut posted, mut said) = (Borne::new(), Borne::new());
        for row in store::bill_rows(tx, &reach, BillFilter::default(), 10_000, 0)? {
            for line in store::postings_of(tx, row.id)? {
                *posted.entry((row.number.clone(), line.payer)).or_default() += line.amount;
            }
            for (_, payer, _, paid) in store::payments(tx, row.id)? {
                *said.entry((row.number.clone(), payer)).or_default() += paid;
            }
            if row.state == BillState::Settled {
                said.insert((row.number.clone(), "person".to_owned()), row.own);
            }
        }
        posted.retain(|_, amount| *amount != Fen::ZERO);
        said.retain(|_, amount| *amount != Fen::ZERO);
        Ok((posted, said))
    });
    assert_eq!(posted, said, "the ledger and the receipts");
    posted
}

/// Settling the whole year from nothing comes to what stands there.
fn is_as_if_settled_at_once(office: &Office, person: Uuid, year: i32) {
    let found = office.read(move |tx| store::person_year(tx, person, year));
    let bills: Vec<ChainBill> = found.bills.iter().map(|bill| bill.bill.clone()).collect();
    for settlement in settle_year(&policies(), &found.insured, &found.opening, &bills) {
        let stands =
            found.bills.iter().find(|bill| bill.bill.body.bill == settlement.bill()).expect("a bill");
        let result = match &settlement {
            Settlement::Settled(settled) => settled.0.result(),
            Settlement::Not(not) => not.result(),
        };
        assert_eq!(stands.result, Some(result), "{}", stands.bill.body.number);
    }
}

#[test]
fn settling_and_cancelling_is_as_if_nothing_had_been() {
    on_both(|office| {
        let (hospital, person) = given_a_desk(office);
        settles(office, &person, &stay("ZY-1", &hospital, "2026-02-20", "2026-02-28", "60000.00"));
        let before = ledger(office);
        let early =
            settles(office, &person, &stay("ZY-0", &hospital, "2026-01-05", "2026-01-15", "40000.00"));
        let with_both = ledger(office);
        assert_ne!(before, with_both);
        assert!(
            with_both.iter().any(|(key, amount)| key.0 == "ZY-1" && before.get(key) != Some(amount)),
            "the early bill changes the later one: {with_both:?}"
        );
        let path = format!("{early}/cancel");
        let done = office.post(&path, &[("reason", "录错人员"), ("act", "cancel")]);
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
        assert_eq!(ledger(office), before);
        // And once more, under the same number.
        settles(office, &person, &stay("ZY-0", &hospital, "2026-01-05", "2026-01-15", "40000.00"));
        assert_eq!(ledger(office), with_both);
        is_as_if_settled_at_once(office, person.id.uuid(), 2026);
        office.nothing_differs_after_rebuilding();

        let bill: Uuid = early.trim_start_matches("/bills/").parse().expect("a bill");
        let causes: Vec<Why> = office
            .read(move |tx| store::postings_of(tx, bill))
            .iter()
            .map(|line| line.cause.expect("each says why"))
            .fold(Vec::new(), |mut all, why| {
                if all.last() != Some(&why) {
                    all.push(why);
                }
                all
            });
        assert_eq!(causes, [Why::Received, Why::Cancelled, Why::Corrected]);
    });
}

#[test]
fn the_statement_and_the_ledger_say_what_changed_for_whom_and_why() {
    on_both(|office| {
        let (hospital, person) = given_a_desk(office);
        let late = settles(office, &person, &stay("ZY-1", &hospital, "2026-02-20", "2026-02-28", "60000.00"));
        let early =
            settles(office, &person, &stay("ZY-0", &hospital, "2026-01-05", "2026-01-15", "40000.00"));
        office.post(&format!("{early}/cancel"), &[("reason", "录错人员"), ("act", "cancel")]);
        for (path, causes) in [
            (&late, ["收到结算单", "本年另一张结算单补录", "本年另一张结算单作废"].as_slice()),
            (&early, &["收到结算单", "本单作废"]),
        ] {
            let page = office.finds(path);
            let history = &page[page.find("结算经过").expect("a history")..];
            for cause in causes {
                assert!(history.contains(cause), "{path} does not say {cause}: {history}");
            }
            assert!(history.contains("个人 +") && history.contains("个人 −"), "{history}");
        }
        office.signed_in(Role::Auditor, "4117", None);
        let page = office.finds("/postings");
        let reach = office.reach_of("4117", Purpose::ReadBills);
        let all = PostingFilter { from: day("2026-03-05"), to: day("2026-03-05"), payer: None, cause: None };
        let sums = office.read(move |tx| store::posting_sums(tx, &reach, &all));
        assert!(sums.len() >= 3, "{sums:?}");
        let left: Fen = sums.iter().map(store::PostingSum::balance).sum();
        assert_eq!(left, Fen::yuan(60_000), "one bill stands");
        for sum in &sums {
            assert!(page.contains(&sum.balance().grouped()), "{sum:?}\n{page}");
            let lines = office.finds(&format!("/postings?payer={}", sum.payer));
            let shown = lines.matches("<td data-label=\"入账日期\"").count();
            assert_eq!(i64::try_from(shown), Ok(sum.lines), "{sum:?}");
        }
        assert!(office.finds("/postings?cause=other_cancelled").contains("本年另一张结算单作废"));
        assert!(office.finds("/postings?from=2026-03-06&to=2026-03-09").contains("这段时间没有入账"));
        let file = office.get("/postings.xlsx?payer=person");
        assert_eq!((file.status, &file.bytes[..2]), (StatusCode::OK, &b"PK"[..]));
        office.in_english().finds("/postings");
        office.in_chinese();
        for role in [Role::VillageDoctor, Role::Cadre, Role::Administrator] {
            office.signed_in(role, "411721", None);
            assert_eq!(office.get("/postings").status, StatusCode::NOT_FOUND, "{role:?}");
        }
        office.signed_in(Role::CountyDesk, "411722", None);
        assert!(!office.finds("/postings").contains("示例乙"));
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

/// A bill of the year 2025: day of admission, days, yuan, compliant per cent.
type Drawn = (i32, i32, i64, i64);

/// Up to eight bills of different days: among bills of the same days the order of arrival decides on purpose.
fn any_bills() -> impl Strategy<Value = (Vec<Drawn>, Vec<usize>)> {
    let bill = (0_i32..40, 0_i32..8, 1_i64..200_000, 50_i64..=100);
    proptest::collection::vec(bill, 1..=8).prop_flat_map(|bills| {
        let apart: Vec<Drawn> = bills
            .into_iter()
            .enumerate()
            .map(|(number, (from, days, yuan, share))| {
                (from + 40 * i32::try_from(number).expect("small"), days, yuan, share)
            })
            .collect();
        let order = Just((0..apart.len()).collect::<Vec<usize>>()).prop_shuffle();
        (Just(apart), order)
    })
}

fn arrives(office: &Office, person: &Person, number: usize, drawn: Drawn) {
    let (from, days, yuan, share) = drawn;
    let admission = day("2025-01-01").plus_days(from);
    let id_number = person.body.id_number.as_ref().expect("a number").as_str();
    let compliant = Fen(yuan * share);
    let cells = [
        format!("{}-{number}", person.id),
        id_number.to_owned(),
        "H1".to_owned(),
        admission.to_string(),
        admission.plus_days(days).to_string(),
        "住院".to_owned(),
        Fen::yuan(yuan).to_string(),
        compliant.to_string(),
        "是".to_owned(),
    ];
    let rows = vec![HEAD.to_vec(), cells.iter().map(String::as_str).collect()];
    let done = office.imports(&BILLS, &office.bureau("411721"), &rows, false);
    assert_eq!(done.summary.new, 1, "{:?}", done.faults());
}

#[test]
fn every_order_of_arrival_ends_in_the_same_ledger() {
    let fresh = FreshDatabase::sqlite().expect("a database");
    let mut office = Office::open(fresh);
    office.given_an_institution("H1", "411721001000", InstitutionTier::County, InstitutionGrade::Second);
    let labels = [(Label::SubsistenceAllowance, "2024-01-01", Some("2025-06-30"))];
    let office = std::cell::RefCell::new(office);
    let mut runner =
        TestRunner::new(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() });
    let done = runner.run(&any_bills(), |(bills, order)| {
        let mut office = office.borrow_mut();
        let (one, other) = {
            let mut person = || office.given_a_person("示例", XIPING, &labels);
            (person(), person())
        };
        for (number, drawn) in bills.iter().enumerate() {
            arrives(&office, &one, number, *drawn);
        }
        for number in order {
            arrives(&office, &other, number, bills[number]);
        }
        let of = |person: &Person| {
            let (id, since) = (person.id.uuid(), day("2025-01-01"));
            office.read(move |tx| {
                let mut all = Vec::new();
                for row in store::bills_of_person(tx, id, since, 100)? {
                    let mut paid: Vec<(String, Fen)> = store::payments(tx, row.id)?
                        .into_iter()
                        .map(|(layer, _, _, paid)| (layer, paid))
                        .collect();
                    paid.sort();
                    let mut posted: BTreeMap<String, Fen> = BTreeMap::new();
                    for line in store::postings_of(tx, row.id)? {
                        *posted.entry(line.payer).or_default() += line.amount;
                    }
                    posted.retain(|_, amount| *amount != Fen::ZERO);
                    all.push((row.admitted_on, row.own, paid, posted));
                }
                all.sort_by_key(|line| line.0);
                Ok(all)
            })
        };
        prop_assert_eq!(of(&one), of(&other));
        is_as_if_settled_at_once(&office, one.id.uuid(), 2025);
        is_as_if_settled_at_once(&office, other.id.uuid(), 2025);
        Ok(())
    });
    if let Err(error) = done {
        assert_eq!(error.to_string(), "");
    }
    let office = office.into_inner();
    ledger(&office);
    office.nothing_differs_after_rebuilding();
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
fn desks_that_settle_at_once_never_overspend_a_cap() {
    on_both(|office| {
        let (hospital, person) = given_a_desk(office);
        let numbers: Vec<String> = (0..6).map(|number| format!("ZY-{number}")).collect();
        let days: Vec<String> = (0..6).map(|number| format!("2026-02-0{}", number + 1)).collect();
        let (office_there, person_there, hospital) = (&*office, &person, &hospital);
        std::thread::scope(|scope| {
            for (number, on) in numbers.iter().zip(&days) {
                scope.spawn(move || {
                    let bill = stay(number, hospital, on, on, "90000.00");
                    settles_among_others(office_there, person_there, &bill);
                });
            }
        });
        let id = person.id.uuid();
        is_as_if_settled_at_once(office, id, 2026);
        let bills = office.read(move |tx| store::bills_of_person(tx, id, day("2026-01-01"), 10));
        assert_eq!(bills.len(), 6);
        let basic: Fen = ledger_of_layer(office, &bills, "basic");
        // 6 × 90,000 at 80 % and more would be over 430,000.
        assert_eq!(basic, Fen::yuan(150_000), "the cap of basic insurance, to the fen");
        ledger(office);
        office.nothing_differs_after_rebuilding();
    });
}

fn ledger_of_layer(office: &Office, bills: &[store::BillRow], layer: &'static str) -> Fen {
    let ids: Vec<Uuid> = bills.iter().map(|bill| bill.id).collect();
    office.read(move |tx| {
        let mut sum = Fen::ZERO;
        for id in ids {
            let paid = store::payments(tx, id)?;
            sum += paid.into_iter().filter(|line| line.0 == layer).map(|line| line.3).sum::<Fen>();
        }
        Ok(sum)
    })
}
