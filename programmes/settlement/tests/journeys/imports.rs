//! Files of bills and openings: what a row comes to, whatever it holds, in whatever order it comes, on both databases.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

use super::office::{Office, XIPING, day, on_both, on_both_under, policies_and};
use axum::http::StatusCode;
use kangmai_access::{Actor, Purpose, Role, reach};
use kangmai_base::{Fen, Uuid};
use kangmai_people::{Label, Person};
use kangmai_places::{InstitutionGrade, InstitutionTier};
use kangmai_record::facts_of_kind;
use kangmai_settlement::facts::{SETTLED, Settled, Used};
use kangmai_settlement::import::{BILLS, OPENING_COLUMNS, OPENINGS, opening_columns};
use kangmai_settlement::store::{self, BillFilter, BillState};

const HEAD: [&str; 12] = [
    "结算单号",
    "身份证号",
    "姓名",
    "机构代码",
    "机构级别",
    "入院日期",
    "出院日期",
    "就诊类型",
    "医疗总费用",
    "政策范围内费用",
    "是否转诊",
    "更正",
];

fn given_people(office: &mut Office, count: usize) -> Vec<Person> {
    office.given_an_institution("H1", "411721001000", InstitutionTier::County, InstitutionGrade::Second);
    (0..count)
        .map(|number| {
            let labels = [(Label::SubsistenceAllowance, "2024-01-01", None)];
            office.given_a_person(&format!("示例{number}"), XIPING, &labels[..number % 2])
        })
        .collect()
}

fn number_of(person: &Person) -> &str {
    person.body.id_number.as_ref().map(kangmai_base::IdNumber::as_str).expect("a number")
}

fn row<'a>(person: &'a Person, number: &'a str, from: &'a str, to: &'a str, total: &'a str) -> Vec<&'a str> {
    let name = person.body.name.as_str();
    vec![number, number_of(person), name, "H1", "县级", from, to, "住院", total, total, "是", ""]
}

fn sheet<'a>(rows: &[Vec<&'a str>]) -> Vec<Vec<&'a str>> {
    std::iter::once(HEAD.to_vec()).chain(rows.iter().cloned()).collect()
}

/// Bill number, state, own share, and what the layers paid.
type LedgerLine = (String, BillState, Fen, Vec<(String, Fen)>);

/// What stands in the tables of the county, by bill number: state, own share, and what the layers paid.
fn ledger(office: &Office) -> Vec<LedgerLine> {
    let reach = office.reach_of("411721", Purpose::ReadBills);
    office.read(move |tx| {
        let mut all = Vec::new();
        for row in store::bill_rows(tx, &reach, BillFilter::default(), 1_000, 0)? {
            let paid = store::payments(tx, row.id)?.into_iter().map(|(layer, _, _, paid)| (layer, paid));
            let mut paid: Vec<(String, Fen)> = paid.collect();
            paid.sort();
            all.push((row.number, row.state, row.own, paid));
        }
        all.sort_by(|one, other| one.0.cmp(&other.0));
        Ok(all)
    })
}

#[test]
fn a_file_is_settled_and_coming_again_changes_nothing() {
    on_both(|office| {
        let people = given_people(office, 3);
        let rows = sheet(&[
            row(&people[0], "A1", "2026-01-01", "2026-01-09", "20000.00"),
            row(&people[0], "A2", "2026-02-01", "2026-02-09", "30,000.00"),
            row(&people[1], "B1", "2026/1/3", "20260105", "￥800.5元"),
        ]);
        let bureau = office.bureau("411721");
        let dry = office.imports(&BILLS, &bureau, &rows, true);
        assert_eq!((dry.summary.new, dry.summary.faulty, dry.facts), (3, 0, 0), "{:?}", dry.faults());
        assert_eq!(ledger(office), [], "a dry run writes nothing");
        let done = office.imports(&BILLS, &bureau, &rows, false);
        assert_eq!((done.summary.new, done.facts), (3, 6), "{:?}", done.faults());
        let first = ledger(office);
        assert!(first.iter().all(|line| line.1 == BillState::Settled && line.2 > Fen::ZERO), "{first:?}");
        let again = office.imports(&BILLS, &bureau, &rows, false);
        assert_eq!((again.summary.unchanged, again.facts), (3, 0), "{:?}", again.faults());
        assert_eq!(ledger(office), first);
        office.nothing_differs_after_rebuilding();
    });
}

#[test]
fn every_order_of_rows_and_files_ends_in_the_same_ledger() {
    let orders: [&[&[usize]]; 5] = [
        &[&[0, 1, 2, 3, 4, 5]],
        &[&[5, 4, 3, 2, 1, 0]],
        &[&[3], &[0], &[5], &[1], &[4], &[2]],
        &[&[4, 1], &[5, 0, 3, 2]],
        &[&[2, 5], &[1], &[0, 4, 3]],
    ];
    on_both(|office| {
        // Each turn has a person of its own, all alike, so that all turns can stand in one database.
        let people = given_people(office, 2 * orders.len());
        let mut ledgers = Vec::new();
        for (turn, order) in orders.iter().enumerate() {
            let named: Vec<String> = (0..6).map(|number| format!("T{turn}-{number}")).collect();
            let dates: Vec<(String, String)> =
                (1..7).map(|month| (format!("2025-0{month}-01"), format!("2025-0{month}-19"))).collect();
            let all: Vec<Vec<&str>> = (0..6)
                .map(|number| {
                    let total = ["20000.00", "3000.00", "90000.00", "450.00", "64000.00", "7000.00"][number];
                    row(&people[2 * turn + 1], &named[number], &dates[number].0, &dates[number].1, total)
                })
                .collect();
            let bureau = office.bureau("411721");
            for file in order.iter() {
                let rows: Vec<Vec<&str>> = file.iter().map(|number| all[*number].clone()).collect();
                let done = office.imports(&BILLS, &bureau, &sheet(&rows), false);
                assert_eq!(done.summary.faulty, 0, "{:?}", done.faults());
            }
            let own = ledger(office)
                .into_iter()
                .filter(|line| line.0.starts_with(&format!("T{turn}-")))
                .map(|line| (line.0[3..].to_owned(), line.2))
                .collect::<Vec<_>>();
            ledgers.push(own);
        }
        for (turn, ledger) in ledgers.iter().enumerate() {
            assert_eq!(*ledger, ledgers[0], "order {turn}");
        }
        office.nothing_differs_after_rebuilding();
    });
}

#[test]
fn a_desk_brings_its_own_institution_s_bills_only() {
    on_both(|office| {
        let people = given_people(office, 1);
        let (tier, grade) = (InstitutionTier::Township, InstitutionGrade::First);
        let other = office.given_an_institution("H2", "411721107000", tier, grade);
        let desk = Actor {
            role: Role::CountyDesk,
            place: super::office::place("411721"),
            institution: Some(other),
            ..Actor::system()
        };
        let mut own = row(&people[0], "D2", "2026-02-10", "2026-02-19", "700.00");
        (own[3], own[4]) = ("H2", "乡级");
        let rows = [row(&people[0], "D1", "2026-01-10", "2026-01-19", "500.00"), own];
        let done = office.imports(&BILLS, &desk, &sheet(&rows), false);
        assert_eq!(done.summary.faulty, 1, "{:?}", done.faults());
        let numbers: Vec<String> = ledger(office).into_iter().map(|line| line.0).collect();
        assert_eq!(numbers, ["D2"]);
        let opening = reach(&desk, OPENINGS.purpose);
        assert_eq!(opening, None, "opening amounts are the bureau's");
    });
}

#[test]
fn cancelling_is_as_if_the_bill_had_never_come() {
    on_both(|office| {
        let people = given_people(office, 1);
        let bureau = office.bureau("411721");
        let kept = [
            row(&people[0], "K1", "2026-01-10", "2026-01-19", "50000.00"),
            row(&people[0], "K2", "2026-02-10", "2026-02-19", "70000.00"),
        ];
        office.imports(&BILLS, &bureau, &sheet(&kept), false);
        let never = ledger(office);
        let gone = [row(&people[0], "G1", "2026-01-01", "2026-01-05", "90000.00")];
        office.imports(&BILLS, &bureau, &sheet(&gone), false);
        assert_ne!(ledger(office)[1..], never[..], "the bill in between changes the later ones");
        let reach = office.reach_of("411721", Purpose::ReadBills);
        let rows = office.read(move |tx| store::bill_rows(tx, &reach, BillFilter::default(), 10, 0));
        let id = rows.iter().find(|row| row.number == "G1").expect("the bill").id;
        let reach = office.reach_of("411721", Purpose::ReadBills);
        let bill = office.read(move |tx| store::bill(tx, &reach, id)).expect("the bill");
        office.signed_in(Role::CountyDesk, "411721", Some(bill.institution));
        let answer =
            office.post(&format!("/bills/{id}/cancel"), &[("reason", "重复录入"), ("act", "cancel")]);
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        let after: Vec<_> = ledger(office).into_iter().filter(|line| line.0 != "G1").collect();
        assert_eq!(after, never);
        let reach = office.reach_of("411721", Purpose::ReadBills);
        let sum = office.read(move |tx| store::bill_sum(tx, &reach, Some(2026)));
        assert_eq!((sum.bills, sum.total), (2, Fen::yuan(120_000)));
        assert_eq!(sum.own, never.iter().map(|line| line.2).sum());
        office.nothing_differs_after_rebuilding();
    });
}

#[test]
fn a_bad_row_is_told_and_the_others_go_on() {
    on_both(|office| {
        let people = given_people(office, 2);
        let good = row(&people[0], "OK", "2026-01-01", "2026-01-09", "20000.00");
        let change = |number: &'static str, at: usize, cell: &'static str| {
            let mut row = row(&people[0], number, "2026-01-01", "2026-01-09", "20000.00");
            row[at] = cell;
            row
        };
        let rows = sheet(&[
            good.clone(),
            change("B1", 1, "411721199001019992"),
            change("B2", 1, "411721199001010000"),
            change("B3", 3, "H404"),
            change("B4", 8, "-20000.00"),
            change("B5", 9, "20000.01"),
            change("B6", 5, "2026-02-01"),
            change("B7", 5, "1900-01-01"),
            change("B8", 7, "看病"),
            change("", 0, ""),
            change("B10", 6, "2027-01-01"),
            change("B11", 2, "别人"),
            change("B12", 4, "市级"),
            change("OK", 8, "21000.00"),
            change("B14", 3, ""),
            good.clone(),
        ]);
        let bureau = office.bureau("411721");
        let done = office.imports(&BILLS, &bureau, &rows, false);
        let faults: Vec<(u32, &str)> = done.faults().into_iter().map(|fault| (fault.0, fault.1)).collect();
        for expected in [
            (3, "settlement.flaw.unknown_person"),
            (4, "settlement.flaw.unknown_person"),
            (5, "settlement.flaw.unknown_institution"),
            (6, "sheet.flaw.negative"),
            (7, "settlement.refused.compliant"),
            (8, "settlement.refused.dates"),
            (11, "sheet.flaw.empty"),
            (12, "settlement.refused.future"),
            (13, "settlement.flaw.other_name"),
            (14, "settlement.flaw.other_tier"),
            (15, "settlement.flaw.twice"),
            (16, "settlement.flaw.no_institution"),
        ] {
            assert!(faults.contains(&expected), "{expected:?} in {faults:?}");
        }
        assert!(
            faults.iter().any(|fault| fault.0 == 9) && faults.iter().any(|fault| fault.0 == 10),
            "{faults:?}"
        );
        assert!(
            done.faults().iter().all(|fault| !fault.2.is_empty()),
            "each says how to mend it: {faults:?}"
        );
        let summary = &done.summary;
        let counted = (summary.rows, summary.new, summary.unchanged, summary.faulty, summary.warned);
        assert_eq!(counted, (16, 3, 1, 12, 2), "{faults:?}");
        for line in office.words.missing() {
            assert!(!line.starts_with("settlement."), "{line}");
        }
        office.nothing_differs_after_rebuilding();
    });
}

#[test]
fn the_same_number_with_another_amount_is_a_fault_until_it_is_a_correction() {
    on_both(|office| {
        let people = given_people(office, 2);
        let bureau = office.bureau("411721");
        let first = row(&people[0], "A1", "2026-01-01", "2026-01-09", "20000.00");
        let later = row(&people[0], "A2", "2026-02-01", "2026-02-09", "50000.00");
        office.imports(&BILLS, &bureau, &sheet(&[first.clone(), later.clone()]), false);
        let before = ledger(office);
        let mut other = row(&people[0], "A1", "2026-01-01", "2026-01-09", "26000.00");
        let refused = office.imports(&BILLS, &bureau, &sheet(&[other.clone()]), false);
        assert_eq!(refused.faults(), [(2, "settlement.flaw.other_amount", "settlement.mend.correct")]);
        assert_eq!(ledger(office), before);
        other[11] = "是";
        let done = office.imports(&BILLS, &bureau, &sheet(&[other.clone()]), false);
        assert_eq!((done.summary.changed, done.facts >= 4), (1, true), "{:?}", done.faults());
        let after = ledger(office);
        assert!(after[0].2 > before[0].2 && after[1] != before[1], "{after:?}");
        let again = office.imports(&BILLS, &bureau, &sheet(&[other]), false);
        assert_eq!(again.summary.unchanged, 1);
        let mut moved = row(&people[1], "A1", "2026-01-01", "2026-01-09", "26000.00");
        moved[11] = "是";
        let refused = office.imports(&BILLS, &bureau, &sheet(&[moved]), false);
        assert_eq!(refused.faults(), [(2, "settlement.flaw.moves", "settlement.mend.cancel_first")]);

        // The receipt of the first result stays and the new one corrects it.
        let person = people[0].id.uuid();
        let receipts = office.read(move |tx| facts_of_kind(tx, person, SETTLED));
        let of_later: Vec<(Uuid, Option<Uuid>, Fen)> = receipts
            .iter()
            .map(|fact| (fact.new.id, fact.new.corrects, fact.body::<Settled>().expect("a receipt")))
            .filter(|(_, _, receipt)| receipt.total == Fen::yuan(50_000))
            .map(|(id, corrects, receipt)| (id, corrects, receipt.own))
            .collect();
        assert_eq!(of_later.len(), 2, "{of_later:?}");
        assert_eq!((of_later[0].1, of_later[1].1), (None, Some(of_later[0].0)));
        office.nothing_differs_after_rebuilding();
    });
}

#[test]
fn another_countys_people_are_not_there() {
    on_both(|office| {
        let people = given_people(office, 1);
        let rows = sheet(&[row(&people[0], "A1", "2026-01-01", "2026-01-09", "20000.00")]);
        let elsewhere = office.bureau("411722");
        let done = office.imports(&BILLS, &elsewhere, &rows, false);
        assert_eq!(done.faults()[0].1, "settlement.flaw.unknown_person");
        assert_eq!(ledger(office), []);
    });
}

#[test]
fn what_was_used_before_the_county_joined_counts() {
    on_both(|office| {
        let people = given_people(office, 2);
        let bureau = office.bureau("411721");
        let bills = [
            row(&people[0], "A1", "2026-02-01", "2026-02-09", "60000.00"),
            row(&people[1], "B1", "2026-02-01", "2026-02-09", "60000.00"),
        ];
        office.imports(&BILLS, &bureau, &sheet(&bills[..1]), false);
        let before = ledger(office);
        let opening = |person: &Person, stays: &str, base: &str| {
            vec![
                vec!["证件号码", "年度", "本年住院次数", "大病保险累计合规自付"],
                vec![number_of(person), "2026", stays, base],
            ]
            .into_iter()
            .map(|row| row.into_iter().map(str::to_owned).collect::<Vec<_>>())
            .collect::<Vec<_>>()
        };
        let borrowed = |rows: &[Vec<String>]| -> Vec<Vec<String>> { rows.to_vec() };
        let import = |office: &Office, rows: &[Vec<String>]| {
            let rows = borrowed(rows);
            let cells: Vec<Vec<&str>> =
                rows.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
            office.imports(&OPENINGS, &bureau, &cells, false)
        };
        let done = import(office, &opening(&people[0], "1", "11000.00"));
        assert_eq!((done.summary.new, done.facts), (1, 2), "the bill that was there is settled again");
        assert_ne!(ledger(office), before);
        let again = import(office, &opening(&people[0], "1", "11000.00"));
        assert_eq!((again.summary.unchanged, again.facts), (1, 0));
        let mended = import(office, &opening(&people[0], "0", ""));
        assert_eq!((mended.summary.changed, ledger(office)), (1, before));
        let strange = import(office, &opening(&people[1], "-1", "x"));
        assert_eq!((strange.summary.faulty, strange.facts), (1, 0), "{:?}", strange.faults());

        import(office, &opening(&people[1], "1", "11000.00"));
        office.imports(&BILLS, &bureau, &sheet(&bills[1..]), false);
        let person = people[1].id.uuid();
        let year = office.read(move |tx| store::person_year(tx, person, day("2026-02-09").year()));
        let opening = vec![Used("basic_stays".into(), 1), Used("major_base".into(), 1_100_000)];
        assert_eq!(year.opening, opening);
        office.nothing_differs_after_rebuilding();
    });
}

/// Xiping's own benefit with a yearly cap of 1,000, on an accumulator that no other pack knows.
const EXTRA: &str = r#"
id = "extra"
name = { zh = "县级补助", en = "County aid" }
payer = { kind = "government", fund = "extra", name = { zh = "县财政", en = "the county" }, national = "oth_pay" }
kind = "share"
date = "discharge"
round = { mode = "half_up", to = "0.01", at = "layer" }
base = { take = "remaining_compliant", over = "bill", owner = "person" }
accumulators = { paid = "extra_paid" }
after = ["assistance"]
applies = { fact = "setting", any_of = ["inpatient"] }
[[version]]
from = "2020-01-01"
sure = "low"
source = { doc = "示例文件" }
[[version.profile]]
name = { zh = "所有人", en = "everybody" }
deductible = "0.00"
deductible_over = "bill"
ratio = "50%"
yearly_cap = "1000.00"
"#;
const XIPING_PACK: &str = r#"
id = "xiping"
name = { zh = "西平县", en = "Xiping" }
division = "411721"
inherits = "all"
"#;

#[test]
fn the_columns_of_openings_are_the_accumulators_of_the_packs_in_force() {
    let packs = policies_and(&[
        ("cn/henan/411721/pack.toml", XIPING_PACK),
        ("cn/henan/411721/benefits/90-extra.toml", EXTRA),
    ]);
    let columns = opening_columns(&packs);
    let own = columns.column("extra_paid").expect("the county's own accumulator has a column");
    assert_eq!((own.title_zh, own.title_en), ("县级补助 extra_paid", "County aid extra_paid"));
    assert!(OPENING_COLUMNS.column("extra_paid").is_none() && columns.column("basic_paid").is_some());
    on_both_under(&packs, |office| {
        let bureau = office.bureau("411721");
        let county = InstitutionTier::County;
        office.given_an_institution("H1", "411721001000", county, InstitutionGrade::Second);
        let person = office.given_a_person("示例甲", XIPING, &[]);
        for (title, used) in [("县级补助 extra_paid", "900.00"), ("extra_paid", "990.00")] {
            let rows = vec![vec!["证件号码", "年度", title], vec![number_of(&person), "2026", used]];
            let done = office.imports(&OPENINGS, &bureau, &rows, false);
            assert_eq!((done.summary.faulty, done.facts > 0), (0, true), "{:?}", done.faults());
        }
        // 10.00 are left of the county's 1,000.
        office.imports(
            &BILLS,
            &bureau,
            &sheet(&[row(&person, "A1", "2026-02-01", "2026-02-09", "60000.00")]),
            false,
        );
        let id = person.id.uuid();
        let year = office.read(move |tx| store::person_year(tx, id, 2026));
        assert_eq!(year.opening, [Used("extra_paid".into(), 99_000)]);
        let reach = office.reach_of("41", Purpose::ReadBills);
        let bill = office.read(move |tx| store::bill_rows(tx, &reach, BillFilter::default(), 10, 0));
        let page =
            office.signed_in(Role::InsuranceClerk, "411721", None).finds(&format!("/bills/{}", bill[0].id));
        assert!(page.contains("县级补助") && page.contains("10.00"), "{page}");
        office.nothing_differs_after_rebuilding();
    });
}
