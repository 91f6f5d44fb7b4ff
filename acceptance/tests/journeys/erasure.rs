//! What is known of somebody is erased by law (个人信息保护法第四十七条): nothing of them is left in any table, what others
//! have is as it was, every view is what a rebuild makes of the facts that are left, and nobody brings them back.

#![expect(clippy::expect_used, clippy::panic, reason = "a test says what it needs")]

mod life;
mod traces;

use std::collections::{BTreeMap, BTreeSet};

use kangmai_acceptance::county::{COUNTY, County, HOSPITAL};
use kangmai_acceptance::crawl::crawl;
use kangmai_acceptance::dump::{dump, file_of};
use kangmai_access::Role;
use kangmai_base::{DivisionCode, Fen, Ids as _, Moment, SeededIds, Uuid};
use kangmai_database::testing::FreshDatabase;
use kangmai_database::{Database, DatabaseError, Transaction, params};
use kangmai_people::Person;
use kangmai_record::{Appended, Erased, NewFact, Subject, rebuild};
use kangmai_settlement::facts::{
    BILL_CANCELLED, BILL_RECEIVED, BillCancelled, BillReceived, OWN_SHARE_PAID, OwnSharePaid, PaymentMethod,
};

use life::{OneBill, append, bills_of, give_everything, typed};
use traces::{Who, everybody, tables_of_persons, traces};

/// Tables that name persons and of which nothing is erased: whoever adds a table gives the person of the test a row of it
/// (`life.rs`), or says here why it stays.
const STAYS: [&str; 4] = [
    // Part of the audit trail.
    "break_glass",
    // A hub's alone: there people go when upstream says so, and with them what was handed on (`hub`).
    "hub_out",
    "hub_stale",
    "hub_told",
];

fn erase(county: &County, subject: Subject) -> Erased {
    let (record, now) = (county.app.record.clone(), county.app.clock.now());
    county.app.database.write_blocking(move |tx| record.erase(tx, subject, now)).expect("erased")
}

fn expect_rebuilt(database: &Database, county: &County, after: &str) {
    let differences = rebuild(database, &county.app.record, true, |_| {}).expect("a rebuild");
    assert_eq!(differences, [], "after {after}");
}

/// Sums by table, place, year, and payer if there is one.
type Sums = BTreeMap<(&'static str, i64, i64, String), Vec<i64>>;

/// The sums as they stand; those of nothing left out.
fn sums(database: &Database) -> Sums {
    let read = |tx: &mut Transaction<'_>| {
        let mut all = Sums::new();
        let of_bills =
            "select home, insurance_year, bills, total, compliant, own, own_uncovered, waived from bill_sum";
        for row in tx.query(of_bills, &[])? {
            let values = (2..8).map(|column| row.get(column)).collect::<Result<Vec<i64>, _>>()?;
            all.insert(("bill_sum", row.get(0)?, row.get(1)?, String::new()), values);
        }
        let of_payers = "select home, insurance_year, kind, payer, paid from payer_sum";
        for row in tx.query(of_payers, &[])? {
            let payer = format!("{} {}", row.get::<String>(2)?, row.get::<String>(3)?);
            all.insert(("payer_sum", row.get(0)?, row.get(1)?, payer), vec![row.get(4)?]);
        }
        all.retain(|_, values| values.iter().any(|value| *value != 0));
        Ok::<_, DatabaseError>(all)
    };
    database.read_blocking(read).expect("sums")
}

/// What one person's settled bills are of the sums.
fn part_of(database: &Database, person: Uuid) -> Sums {
    let read = move |tx: &mut Transaction<'_>| {
        let mut all = Sums::new();
        let of_bills = "select home, insurance_year, total, compliant, own, own_uncovered, waived from bill
            where person = $1 and state = 'settled'";
        for row in tx.query(of_bills, &params![person])? {
            let sum = all.entry(("bill_sum", row.get(0)?, row.get(1)?, String::new())).or_insert(vec![0; 6]);
            sum[0] += 1;
            for (position, value) in sum.iter_mut().enumerate().skip(1) {
                *value += row.get::<i64>(position + 1)?;
            }
        }
        let of_payers =
            "select bill.home, bill.insurance_year, bill_payment.kind, bill_payment.payer, bill_payment.paid
            from bill join bill_payment on bill_payment.bill = bill.id where bill.person = $1";
        for row in tx.query(of_payers, &params![person])? {
            let payer = format!("{} {}", row.get::<String>(2)?, row.get::<String>(3)?);
            all.entry(("payer_sum", row.get(0)?, row.get(1)?, payer)).or_insert(vec![0])[0] +=
                row.get::<i64>(4)?;
        }
        Ok::<_, DatabaseError>(all)
    };
    database.read_blocking(read).expect("a part")
}

fn without(mut sums: Sums, part: &Sums) -> Sums {
    for (key, values) in part {
        let sum = sums.get_mut(key).expect("a sum");
        sum.iter_mut().zip(values).for_each(|(sum, value)| *sum -= value);
    }
    sums.retain(|_, values| values.iter().any(|value| *value != 0));
    sums
}

/// Erases a person with all that must hold of it.
fn erase_person(county: &County, person: &Person, all: &[Person]) -> Erased {
    let database = &county.app.database;
    let (id, who) = (person.id.uuid(), Who::person(person, all));
    let expected = without(sums(database), &part_of(database, id));
    let erased = erase(county, Subject::person(id));
    assert_eq!(traces(database, &[who]), Vec::<String>::new());
    assert_eq!(sums(database), expected);
    expect_rebuilt(database, county, &person.body.name);
    erased
}

/// Somebody whom a warning speaks of, with a bill, who does not live alone; and with whom.
fn somebody_warned(county: &County, all: &[Person]) -> (Person, OneBill, Uuid, Vec<Person>) {
    let rows = county
        .app
        .database
        .read_blocking(|tx| tx.query("select id, household, evidence from warning order by id", &[]));
    for row in rows.expect("warnings") {
        let (warning, household): (Uuid, Uuid) = (row.get(0).expect("it"), row.get(1).expect("it"));
        let evidence: String = row.get(2).expect("evidence");
        let (named, others): (Vec<&Person>, Vec<&Person>) = all
            .iter()
            .filter(|person| person.body.household == household)
            .partition(|person| evidence.contains(&person.id.to_string()));
        for person in named {
            if let Some(bill) = bills_of(county, person.id.uuid()).pop().filter(|_| !others.is_empty()) {
                return (person.clone(), bill, warning, others.into_iter().cloned().collect());
            }
        }
    }
    panic!("nobody is as needed");
}

fn head_of(county: &County, household: Uuid) -> Option<Uuid> {
    let row = county.app.database.read_blocking(move |tx| {
        tx.query_one("select head from household where id = $1", &params![household])
    });
    row.expect("the database").expect("a household").get(0).expect("a head")
}

#[test]
fn nothing_of_a_person_is_left_and_all_of_the_others() {
    County::on_both(|county| {
        county.populate();
        let all = everybody(&county.app.database);
        let (person, bill, warning, members) = somebody_warned(county, &all);
        let (id, household) = (person.id.uuid(), person.body.household);
        let strangers: Vec<&Person> =
            all.iter().filter(|other| other.body.household != household).take(2).collect();
        let other_bill = all
            .iter()
            .filter(|other| other.body.household != household)
            .find_map(|other| {
                bills_of(county, other.id.uuid()).pop().filter(|it| it.institution == bill.institution)
            })
            .expect("a bill of somebody else at the same hospital");
        let [claim, day] =
            give_everything(county, &person, &bill, (&other_bill, [strangers[0], strangers[1]]));
        let database = &county.app.database;
        let before = traces(database, &[Who::person(&person, &all)]);
        for table in tables_of_persons(database).iter().filter(|table| !STAYS.contains(&table.as_str())) {
            let end = format!(" rows of {table}");
            assert!(before.iter().any(|found| found.ends_with(&end)), "{table} has nothing of the person");
        }
        expect_rebuilt(database, county, "nothing");
        let names = all.iter().filter(|other| other.body.name.contains(&person.body.name)).count();
        let was_head = head_of(county, household) == Some(id);
        let received = facts_of(county, id);

        let erased = erase_person(county, &person, &all);
        assert!(erased.facts > 10, "{erased:?}");
        assert!(!was_head || head_of(county, household).is_none());
        assert_eq!(same_as(county, strangers[0]), Some(strangers[1].id.uuid()), "the earlier decision holds");
        // Whoever sends it again brings nothing back.
        assert!(received.len() > 10);
        let again = append(county, received);
        assert!(again.iter().all(|answer| *answer == Appended::Duplicate), "{again:?}");
        assert_eq!(traces(database, &[Who::person(&person, &all)]), Vec::<String>::new());
        assert_eq!(erase(county, Subject::person(id)), Erased { facts: 0 });
        look_around(county, (&person, &bill), (&members[0], warning, &other_bill), [claim, day]);
        copy_is_the_same(county, &Who::person(&person, &all));
        // The file of SQLite keeps what was written over until it is cleared.
        database.scrub().expect("cleared");
        let bytes = dump(database, file_of(database).as_deref());
        let name = person.body.name.as_bytes();
        assert!(names > 1 || !bytes.windows(name.len()).any(|part| part == name));
    });
}

/// The facts about somebody as their authors handed them in.
fn facts_of(county: &County, subject: Uuid) -> Vec<NewFact> {
    let read = move |tx: &mut Transaction<'_>| {
        let mut facts = Vec::new();
        for row in tx.query("select distinct kind from fact where subject = $1", &params![subject])? {
            facts.extend(kangmai_record::facts_of_kind(tx, subject, &row.get::<String>(0)?)?);
        }
        Ok::<_, DatabaseError>(facts)
    };
    let facts = county.app.database.read_blocking(read).expect("facts");
    facts.into_iter().map(|fact| fact.new).collect()
}

fn same_as(county: &County, person: &Person) -> Option<Uuid> {
    let id = person.id;
    let found = county.app.database.read_blocking(move |tx| kangmai_people::same_as(tx, id));
    found.expect("the database").map(kangmai_base::Id::uuid)
}

/// The pages of those who are left are there, those of who is gone are not, and no link leads to one.
fn look_around(
    county: &County,
    (person, bill): (&Person, &OneBill),
    (member, warning, other_bill): (&Person, Uuid, &OneBill),
    [claim, day]: [Uuid; 2],
) {
    let mut bureau = county.sign_in(Role::HealthBureau);
    bureau.does_not_find(&format!("/people/{}", person.id)).does_not_find(&format!("/bills/{}", bill.id));
    bureau.does_not_find(&format!("/plans/{}", person.id));
    for path in [
        format!("/people/{}", member.id),
        format!("/households/{}", member.body.household),
        format!("/warnings/{warning}"),
        format!("/bills/{}", other_bill.id),
        format!("/reconciliations/{day}"),
    ] {
        bureau.finds(&path).does_not_see(&person.id.to_string());
    }
    bureau.finds(&format!("/claims/{claim}")).sees("已依法删除").sees(&other_bill.number);
    for role in [Role::HealthBureau, Role::InsuranceClerk, Role::CountyDesk, Role::Auditor] {
        let mut visitor = county.sign_in(role);
        let walk = crawl(&mut visitor, "/");
        assert_eq!(walk.complaints, Vec::<String>::new(), "{}", role.key());
    }
}

/// A copy carries what was emptied as it carries everything, and rebuilds the same.
fn copy_is_the_same(county: &County, who: &Who) {
    let (bytes, sums) = county.app.database.write_snapshot(Vec::new(), |_, _| {}).expect("a copy");
    let fresh = FreshDatabase::sqlite().expect("a database");
    let input = std::io::Cursor::new(bytes);
    let all = kangmai_server::programmes::migrations();
    let read = fresh.database.read_snapshot(all, input, Moment(0), |_, _| {}).expect("restored");
    assert_eq!(read, sums);
    assert_eq!(traces(&fresh.database, std::slice::from_ref(who)), Vec::<String>::new());
    expect_rebuilt(&fresh.database, county, "a copy");
}

#[test]
fn whoever_is_erased_one_after_the_other_and_a_whole_household_with_its_warnings() {
    County::on_both(|county| {
        county.populate();
        let all = everybody(&county.app.database);
        let ids = SeededIds::new(41);
        let mut gone = BTreeSet::new();
        for _ in 0..4 {
            let drawn = usize::try_from(ids.mint(Moment(0)).as_u128() % all.len() as u128).expect("a number");
            if gone.insert(all[drawn].id) {
                erase_person(county, &all[drawn], &all);
            }
        }
        let left: Vec<Person> = all.iter().filter(|person| !gone.contains(&person.id)).cloned().collect();
        let (person, _, warning, others) = somebody_warned(county, &left);
        let household = person.body.household;
        for member in [&person].into_iter().chain(&others) {
            erase_person(county, member, &all);
        }
        let erased = erase(county, Subject::household(household));
        assert!(erased.facts >= 2, "the household and its warning: {erased:?}");
        let who = [household, warning].map(Who::with_id);
        assert_eq!(traces(&county.app.database, &who), Vec::<String>::new());
        expect_rebuilt(&county.app.database, county, "a household");
        let mut bureau = county.sign_in(Role::HealthBureau);
        bureau.does_not_find(&format!("/households/{household}"));
        bureau.does_not_find(&format!("/warnings/{warning}"));
    });
}

/// Two households of a village, and one bill that was charged to the wrong one.
fn wrongly_charged(county: &County) -> (Person, Person, Uuid) {
    let institutions = format!(
        "机构编码,机构名称,所在地区划代码,机构层级,医院等级,机构类别,服务能力\n\
         {HOSPITAL},上蔡县示例人民医院,411722000000,县级,二级,综合医院,住院、门诊、一站式结算、医保定点\n"
    );
    let number =
        |first: &str| kangmai_base::IdNumber::with_checksum(first).expect("a number").as_str().to_owned();
    let (one, other) = (number("41172219500101991"), number("41172219550101991"));
    let register = format!(
        "户编号,与户主关系,姓名,证件号码,户籍地区划代码,参保状态,人群类别,认定日期\n\
         H1,户主,示例张甲,{one},411722001001,居民,低保对象,2024-01-01\n\
         H2,户主,示例李乙,{other},411722001001,居民,,\n"
    );
    let bill = |bill: &str, number: &str| {
        format!(
            "结算单号,证件号码,医疗机构代码,入院日期,出院日期,就诊类型,总费用,合规费用,是否转诊\n\
             {bill},{number},{HOSPITAL},2026-02-01,2026-02-20,住院,90000.00,40000.00,是\n"
        )
    };
    let import = |key: &str, text: &str| {
        let finished = county.import(key, &format!("{key}.csv"), text.as_bytes());
        assert_eq!((finished.summary.faulty, finished.parked), (0, 0), "{key}: {finished:?}");
    };
    import("institutions", &institutions);
    import("register", &register);
    import("bills", &bill("L1", &one));
    let all = everybody(&county.app.database);
    let named = |name: &str| all.iter().find(|person| person.body.name == name).expect("there").clone();
    let (first, second) = (named("示例张甲"), named("示例李乙"));
    let charged = bills_of(county, first.id.uuid()).pop().expect("a bill");
    let about = |kind| (kind, Subject::person(first.id.uuid()), charged.home);
    let paid = OwnSharePaid {
        payment: county.app.mint(),
        bill: charged.id,
        institution: charged.institution,
        amount: Fen(100),
        method: PaymentMethod::Cash,
        year: 2026,
        sequence: 1,
        paid_on: county.app.today(),
    };
    let cancelled = BillCancelled { bill: charged.id, reason: "记错了人".into() };
    let facts =
        vec![typed(county, about(OWN_SHARE_PAID), &paid), typed(county, about(BILL_CANCELLED), &cancelled)];
    assert_eq!(append(county, facts), [Appended::Accepted, Appended::Accepted]);
    county.clock.advance(60);
    append(county, vec![sent_anew(county, &first, &second)]);
    import("bills", &bill("L2", &other));
    (first, second, charged.id)
}

/// The bill of `first` as it comes in again, for `second`.
fn sent_anew(county: &County, first: &Person, second: &Person) -> NewFact {
    let received = facts_of(county, first.id.uuid()).into_iter().find(|fact| fact.kind == BILL_RECEIVED);
    let received = received.expect("a bill that came in");
    let body: BillReceived = received.read_body().expect("a bill");
    let body = BillReceived { household: second.body.household, ..body };
    let about = (BILL_RECEIVED, Subject::person(second.id.uuid()), second.home);
    NewFact { corrects: Some(received.id), ..typed(county, about, &body) }
}

fn holder_of(county: &County, bill: Uuid) -> Option<(Uuid, String)> {
    let row = county.app.database.read_blocking(move |tx| {
        tx.query_one("select person, state from bill where id = $1", &params![bill])
    });
    let row = row.expect("the database")?;
    Some((row.get(0).expect("a person"), row.get(1).expect("a state")))
}

#[test]
fn a_bill_that_was_another_s_before_is_theirs_again() {
    County::on_both(|county| {
        let (first, second, bill) = wrongly_charged(county);
        let (one, other) = (first.id.uuid(), second.id.uuid());
        let all = everybody(&county.app.database);
        assert_eq!(holder_of(county, bill), Some((other, "settled".into())));
        erase_person(county, &second, &all);
        assert_eq!(holder_of(county, bill), Some((one, "cancelled".into())));
        erase_person(county, &first, &all);
        assert_eq!(holder_of(county, bill), None);
        assert_eq!(sums(&county.app.database), Sums::new());
    });
    County::on_both(|county| {
        let (first, second, bill) = wrongly_charged(county);
        let all = everybody(&county.app.database);
        erase_person(county, &first, &all);
        assert_eq!(holder_of(county, bill), Some((second.id.uuid(), "settled".into())));
        erase_person(county, &second, &all);
        assert_eq!(holder_of(county, bill), None);
        let place: DivisionCode = COUNTY.parse().expect("a code");
        let bills = county.app.database.read_blocking(move |tx| {
            tx.query(
                "select id from fact where place between $1 and $2 and erased_at is null",
                &params![place.range().first.cast_signed(), place.range().last.cast_signed()],
            )
        });
        assert!(!bills.expect("facts").is_empty(), "households and the hospital stay");
    });
}
