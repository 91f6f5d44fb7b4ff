//! Which year a bill counts in, from the outside: the turn of a year, stays across it, labels that begin or end within a
//! stay, years that begin on 1 July, and a release that says so only afterwards.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

use std::sync::Arc;

use super::office::{
    Office, XIPING, given_a_desk, on_both, on_both_under, packs_with, place, policies, settles, stay,
};
use axum::http::StatusCode;
use kangmai_access::{Actor, Purpose, Role, reach};
use kangmai_base::{Fen, Uuid};
use kangmai_people::{Label, Person};
use kangmai_places::{InstitutionGrade, InstitutionTier};
use kangmai_policy::Release;
use kangmai_programme::FigureValue;
use kangmai_settlement::import::{BILLS, OPENINGS};
use kangmai_settlement::rules::Adjudicator;
use kangmai_settlement::store::{self, BillFilter};
use kangmai_settlement::{Resettled, Which, resettle};

/// Years of Henan begin on 1 July since 2024; what is left of 2024 joins the first of them.
fn july_packs() -> Arc<Release> {
    let years = "[[version]]\nfrom = \"2024-07-01\"\nrest = \"with_next\"\nsure = \"low\"\nsource = { doc = \"测试用\" }\n";
    packs_with(|_, text| text, &[("cn/henan/insurance_year.toml", years)])
}

/// What a layer pays of the bill with this number.
fn paid(office: &Office, number: &str, layer: &'static str) -> Fen {
    let reach = office.reach_of("41", Purpose::ReadBills);
    let number = number.to_owned();
    office.read(move |tx| {
        let rows = store::bill_rows(tx, &reach, BillFilter::default(), 1_000, 0)?;
        let row = rows.into_iter().find(|row| row.number == number).expect("the bill");
        let paid = store::payments(tx, row.id)?.into_iter();
        Ok(paid.filter(|line| line.0 == layer).map(|line| line.3).sum())
    })
}

/// The year that a bill counts in, as the table and the receipt have it.
fn year_of(office: &Office, path: &str) -> i32 {
    let (id, reach) = (id_in(path), office.reach_of("41", Purpose::ReadBills));
    office.read(move |tx| {
        let bill = store::bill(tx, &reach, id)?.expect("the bill");
        let receipt: kangmai_settlement::facts::Settled =
            store::receipt_of(tx, bill.receipt)?.expect("a receipt");
        assert_eq!(receipt.year, bill.year);
        Ok(bill.year)
    })
}

fn id_in(path: &str) -> Uuid {
    path.trim_start_matches("/bills/").parse().expect("a bill")
}

fn is_as_if_settled_at_once(office: &Office, person: &Person, year: i32) {
    let (id, policies) = (person.id.uuid(), Arc::clone(&office.app.policies));
    let found = office.read(move |tx| store::joined_year(tx, &policies, (id, None), year));
    for settlement in Adjudicator::new(&office.app.policies).settle_together(&found.to_settle()) {
        let (_, stands) = found.find(settlement.bill()).expect("a bill");
        assert_eq!(stands.result, Some(settlement.result()), "{}", stands.bill.body.number);
    }
}

/// Basic insurance of a first stay of 60,000 at a county hospital, and of a second.
const FIRST: Fen = Fen(4_924_800);
const SECOND: Fen = Fen(4_937_400);

#[test]
fn a_stay_across_new_year_counts_in_the_year_of_discharge() {
    on_both(|office| {
        let (hospital, person) = given_a_desk(office);
        let id = hospital.to_string();
        let bills = [
            ("A", "2025-12-20", "2025-12-31", 2025, FIRST),
            ("B", "2025-12-30", "2026-01-01", 2026, FIRST),
            ("C", "2026-01-02", "2026-01-03", 2026, SECOND),
        ];
        // The last first: each year is settled again as the others come in.
        for (number, from, to, year, _) in bills.iter().rev() {
            let path = settles(office, &person, &stay(number, &id, from, to, "60000.00"));
            assert_eq!(year_of(office, &path), *year, "{number}");
        }
        for (number, .., basic) in bills {
            assert_eq!(paid(office, number, "basic"), basic, "{number}");
        }
        is_as_if_settled_at_once(office, &person, 2025);
        is_as_if_settled_at_once(office, &person, 2026);
        office.nothing_differs_after_rebuilding();
    });
}

#[test]
fn a_label_that_begins_or_ends_within_a_stay_counts_as_of_discharge() {
    on_both(|office| {
        let county = InstitutionTier::County;
        let hospital = office.given_an_institution("H1", "411721001000", county, InstitutionGrade::Second);
        let allowance = Label::SubsistenceAllowance;
        // It no longer holds from the day on that it ends.
        let people = [
            office.given_a_person("示例一", XIPING, &[(allowance, "2024-01-01", Some("2026-01-10"))]),
            office.given_a_person("示例二", XIPING, &[(allowance, "2024-01-01", Some("2026-01-11"))]),
            office.given_a_person("示例三", XIPING, &[(allowance, "2026-01-10", None)]),
            office.given_a_person("示例四", XIPING, &[(allowance, "2026-01-11", None)]),
        ];
        office.signed_in(Role::CountyDesk, "411721", Some(hospital));
        let id = hospital.to_string();
        for (person, (number, is_aided)) in
            people.iter().zip([("A", false), ("B", true), ("C", true), ("D", false)])
        {
            let bill = stay(number, &id, "2026-01-02", "2026-01-10", "60000.00");
            let trial = office.post(&format!("/desk/{}", person.id), &bill);
            assert_eq!(
                trial.text.contains("入院日身份"),
                ["A", "C"].contains(&number),
                "{number}: {}",
                trial.text
            );
            let path = settles(office, person, &bill);
            assert_eq!(paid(office, number, "assistance") > Fen::ZERO, is_aided, "{number}");
            assert!(office.finds(&path).contains("医疗救助"), "paid, or why not");
        }
        office.nothing_differs_after_rebuilding();
    });
}

#[test]
fn years_that_begin_on_1_july_turn_on_that_day() {
    // Number, stay, year, basic insurance: by years from July, and by calendar years.
    type Turns = [(&'static str, &'static str, &'static str, i32, Fen); 5];
    let july: Turns = [
        ("L", "2024-02-27", "2024-02-29", 2024, FIRST),
        ("A", "2025-06-20", "2025-06-30", 2024, SECOND),
        ("B", "2025-06-25", "2025-07-01", 2025, FIRST),
        ("C", "2026-01-30", "2026-02-28", 2025, SECOND),
        ("D", "2026-03-01", "2026-03-02", 2025, SECOND),
    ];
    let calendar: Turns = [
        ("L", "2024-02-27", "2024-02-29", 2024, FIRST),
        ("A", "2025-06-20", "2025-06-30", 2025, FIRST),
        ("B", "2025-06-25", "2025-07-01", 2025, SECOND),
        ("C", "2026-01-30", "2026-02-28", 2026, FIRST),
        ("D", "2026-03-01", "2026-03-02", 2026, SECOND),
    ];
    for (packs, bills) in [(july_packs(), july), (policies(), calendar)] {
        on_both_under(&packs, |office| {
            let (hospital, person) = given_a_desk(office);
            let id = hospital.to_string();
            for at in [3, 0, 2, 4, 1] {
                let (number, from, to, year, _) = bills[at];
                let path = settles(office, &person, &stay(number, &id, from, to, "60000.00"));
                assert_eq!(year_of(office, &path), year, "{number}");
            }
            for (number, .., basic) in bills {
                assert_eq!(paid(office, number, "basic"), basic, "{number}");
            }
            for year in [2024, 2025, 2026] {
                is_as_if_settled_at_once(office, &person, year);
            }
            // The figures of "this year" are those of the insurance year.
            let this_year = bills.iter().filter(|bill| bill.3 == bills[4].3).count();
            let figures = office.figures("411721", "2026-03-05");
            let count = figures.iter().find(|(word, _)| *word == "settlement.figure.bills").expect("it");
            assert_eq!(count.1, FigureValue::Count(i64::try_from(this_year).expect("few")));
            office.nothing_differs_after_rebuilding();
        });
    }
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

#[test]
fn a_year_from_july_is_closed_opened_for_and_listed_by_its_days() {
    on_both_under(&july_packs(), |office| {
        let (hospital, person) = given_a_desk(office);
        let id = hospital.to_string();
        let earlier = settles(office, &person, &stay("ZY-June", &id, "2025-06-20", "2025-06-30", "60000.00"));
        let later = settles(office, &person, &stay("ZY-July", &id, "2025-07-01", "2025-07-05", "60000.00"));
        office.signed_in(Role::InsuranceClerk, "411721", None);
        let page = office.finds("/years");
        for (days, (here, not_here), list) in [
            (
                "2024-01-01 至 2025-06-30",
                (&earlier, &later),
                "/bills?from=2024-01-01&amp;to=2025-06-30&amp;state=settled",
            ),
            (
                "2025-07-01 至 2026-06-30",
                (&later, &earlier),
                "/bills?from=2025-07-01&amp;to=2026-06-30&amp;state=settled",
            ),
        ] {
            assert!(page.contains(days) && page.contains(list), "{days}: {page}");
            let listed = office.finds(&list.replace("&amp;", "&"));
            assert!(listed.contains(&**here) && !listed.contains(&**not_here), "{listed}");
        }
        assert!(office.finds("/years/2025").contains("2025 医保年度（2025-07-01 至 2026-06-30）"));
        let closed = office.post("/years/2024", &[("reason", "决算"), ("act", "close")]);
        assert_eq!(closed.status, StatusCode::SEE_OTHER, "{}", closed.text);

        // An opening of the year 2025 counts for what comes after 1 July.
        let number = person.body.id_number.as_ref().expect("a number").as_str().to_owned();
        let opening = |year: &'static str| {
            vec![vec!["证件号码", "年度", "本年住院次数"], vec![number.as_str(), year, "1"]]
        };
        let done = office.imports(&OPENINGS, &office.bureau("411721"), &opening("2025"), false);
        assert_eq!(done.summary.new, 1, "{:?}", done.faults());
        assert_eq!(paid(office, "ZY-July", "basic"), SECOND);
        assert_eq!(paid(office, "ZY-June", "basic"), FIRST);
        let done = office.imports(&OPENINGS, &office.bureau("411721"), &opening("2024"), false);
        assert_eq!(done.faults()[0].1, "settlement.flaw.year_closed");

        let row = |number_of_bill: &'static str, on: &'static str| {
            vec![number_of_bill, number.as_str(), "H1", on, on, "住院", "900.00", "900.00", "是"]
        };
        let rows = vec![HEAD.to_vec(), row("C", "2025-06-30"), row("D", "2025-07-01")];
        let done = office.imports(&BILLS, &office.bureau("411721"), &rows, false);
        assert_eq!(done.summary.new, 1);
        assert_eq!(done.faults()[0].1, "settlement.flaw.year_closed");
        office.signed_in(Role::CountyDesk, "411721", Some(hospital));
        let refused = office
            .post(&format!("/desk/{}", person.id), &stay("E", &id, "2025-06-01", "2025-06-30", "900.00"));
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text);
        let done = office.post(&format!("{later}/cancel"), &[("reason", "录错人员"), ("act", "cancel")]);
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
        office.nothing_differs_after_rebuilding();
    });
}

fn run(office: &Office, packs: &Arc<Release>, year: i32, dry_run: bool) -> Resettled {
    let actor = Actor { place: place("41"), ..Actor::system() };
    let reach = reach(&actor, Purpose::KeepLedger).expect("the system may");
    let app = office.app_under(Arc::clone(packs));
    resettle(&app, &actor, &reach, Which::Release(year), dry_run, |_| {}).expect("database")
}

#[test]
fn a_release_that_begins_the_year_elsewhere_moves_bills_with_a_trace() {
    let july = july_packs();
    on_both_under(&policies(), |office| {
        let (hospital, person) = given_a_desk(office);
        let id = hospital.to_string();
        let mut paths = Vec::new();
        for (number, from, to) in [
            ("A", "2025-06-20", "2025-06-30"),
            ("B", "2025-06-25", "2025-07-01"),
            ("C", "2026-01-30", "2026-02-28"),
        ] {
            paths.push(settles(office, &person, &stay(number, &id, from, to, "60000.00")));
        }
        let basic = |office: &Office| ["A", "B", "C"].map(|number| paid(office, number, "basic"));
        assert_eq!(basic(office), [FIRST, SECOND, FIRST]);
        let dry = run(office, &july, 2026, true);
        assert_eq!((dry.looked_at, dry.moved), (1, 1), "{dry:?}");
        assert_eq!(basic(office), [FIRST, SECOND, FIRST], "it was dry");
        // The bill of February goes to the year 2025; that of June to 2024.
        // Basic insurance pays less in a year that has stays before: what was paid in 2026 is taken back, and paid anew.
        let told = &dry.payers[&("insurance".to_owned(), "basic".to_owned())];
        assert_eq!(told.1, Fen::ZERO - FIRST, "{dry:?}");
        assert!(told.0 > Fen::ZERO, "{dry:?}");
        assert_eq!(run(office, &july, 2026, false), dry, "what the dry run told is what happens");
        assert_eq!(run(office, &july, 2025, false).moved, 1);
        assert_eq!(basic(office), [FIRST, FIRST, SECOND]);
        assert_eq!(paths.iter().map(|path| year_of(office, path)).collect::<Vec<_>>(), [2024, 2025, 2025]);
        let again: Vec<u64> = [2024, 2025, 2026]
            .map(|year| run(office, &july, year, false))
            .iter()
            .map(|done| done.moved + done.bills)
            .collect();
        assert_eq!(again, [0, 0, 0], "a second run finds nothing");
        let history = office.finds(&paths[0]);
        // Nobody cancelled or corrected it: out of one year and into another it went by the law.
        assert!(history.matches("政策发布新版本").count() >= 2, "{history}");
        assert!(!history.contains("本单作废") && !history.contains("更正后重新结算"), "{history}");
        office.nothing_differs_after_rebuilding();
        // And back.
        for year in [2024, 2025, 2026] {
            run(office, &policies(), year, false);
        }
        assert_eq!(basic(office), [FIRST, SECOND, FIRST]);
        // Nothing goes out of a closed year, or into one.
        office.signed_in(Role::InsuranceClerk, "411721", None);
        office.post("/years/2025", &[("reason", "决算"), ("act", "close")]);
        assert_eq!((run(office, &july, 2026, false).moved, run(office, &july, 2025, false).moved), (0, 0));
        assert_eq!(basic(office), [FIRST, SECOND, FIRST]);
        office.nothing_differs_after_rebuilding();
    });
}
