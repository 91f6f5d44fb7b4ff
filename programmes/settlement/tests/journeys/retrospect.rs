//! What comes after a settlement: the register reaches back, the policies have a new release, the year is closed.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

use std::path::Path;
use std::sync::Arc;

use super::office::{Office, XIPING, between, day, given_a_desk, on_both, settles, stay};
use axum::http::StatusCode;
use kangmai_access::{Actor, Purpose, Role, reach};
use kangmai_base::{Clock, Fen, Uuid};
use kangmai_people::{Label, LabelInterval, PERSON_REGISTERED, Person};
use kangmai_policy::Release;
use kangmai_programme::{App, AppParts};
use kangmai_record::{Appended, NewFact, Source, Subject};
use kangmai_settlement::facts::Why;
use kangmai_settlement::import::{BILLS, OPENINGS};
use kangmai_settlement::store::{self, BillFilter, BillState, PostingFilter};
use kangmai_settlement::{Resettled, Which, resettle};

/// The register says something new about somebody, as an import of it does.
fn the_register_says(office: &Office, person: &Person) {
    office.put_person(person);
    let now = office.clock.now();
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
    let answers = office.write(move |tx| record.append(tx, now, vec![fact]));
    assert_eq!(answers, [Appended::Accepted]);
}

fn with_label(person: &Person, from: &str) -> Person {
    let mut person = person.clone();
    person.body.labels = vec![LabelInterval {
        label: Label::SubsistenceAllowance,
        from: Some(day(from)),
        to: None,
        source: "示例".to_owned(),
    }];
    person
}

fn touched(office: &Office) -> i64 {
    let reach = office.reach_of("4117", Purpose::KeepLedger);
    office.read(move |tx| store::count_touched(tx, &reach))
}

fn run(app: &App, at: &str, which: Which, dry_run: bool) -> Resettled {
    let actor = Actor { place: super::office::place(at), ..Actor::system() };
    let reach = reach(&actor, Purpose::KeepLedger).expect("the system may");
    resettle(app, &actor, &reach, which, dry_run, |_| {}).expect("database")
}

/// Postings of all, and receipts, that must agree.
fn posted(office: &Office) -> Fen {
    let reach = office.reach_of("41", Purpose::ReadBills);
    let (posted, stands) = office.read(move |tx| {
        let (mut posted, mut stands) = (Fen::ZERO, Fen::ZERO);
        for row in store::bill_rows(tx, &reach, BillFilter::default(), 10_000, 0)? {
            let mut of_bill = Fen::ZERO;
            let mut own = Fen::ZERO;
            for line in store::postings_of(tx, row.id)? {
                of_bill += line.amount;
                if line.kind == "person" {
                    own += line.amount;
                }
            }
            assert_eq!(own, if row.state == BillState::Settled { row.own } else { Fen::ZERO });
            posted += of_bill;
            stands += if row.state == BillState::Settled { row.total } else { Fen::ZERO };
        }
        Ok((posted, stands))
    });
    assert_eq!(posted, stands);
    posted
}

#[test]
fn a_label_in_retrospect_waits_is_looked_at_and_settled_again() {
    on_both(|office| {
        let (hospital, person) = given_a_desk(office);
        let other = office.given_a_person("示例丙", XIPING, &[]);
        let id = hospital.to_string();
        let first = settles(office, &person, &stay("ZY-1", &id, "2026-01-01", "2026-01-11", "60000.00"));
        settles(office, &person, &stay("ZY-2", &id, "2026-02-01", "2026-02-11", "9000.00"));
        settles(office, &other, &stay("ZY-3", &id, "2026-02-01", "2026-02-11", "9000.00"));
        let before = office.finds(&first);
        let own_before = between(&before, "own-share print-tight\">", " ");

        // A name, or a label of days that no bill lies in, touches nothing.
        let mut renamed = person.clone();
        renamed.body.phone = None;
        the_register_says(office, &renamed);
        the_register_says(office, &with_label(&other, "2026-02-20"));
        assert_eq!(touched(office), 0);
        // The label holds since the day before the second discharge; then it is put right to hold for both stays.
        the_register_says(office, &with_label(&person, "2026-02-10"));
        the_register_says(office, &with_label(&person, "2025-12-01"));
        assert_eq!(touched(office), 1);
        assert_eq!(
            office.due(Role::InsuranceClerk, "411721").iter().map(|line| line.word).collect::<Vec<_>>(),
            ["settlement.due.touched"]
        );
        let dry = run(&office.app, "4117", Which::Touched(None), true);
        assert_eq!((dry.looked_at, dry.changed, dry.bills, touched(office)), (1, 1, 2, 1));
        let (person_gets, taken) = dry.payers[&("person".to_owned(), "person".to_owned())];
        assert!(taken < Fen::ZERO && person_gets == Fen::ZERO, "{dry:?}");
        assert_eq!(run(&office.app, "411722", Which::Touched(None), true).looked_at, 0);
        assert_eq!(run(&office.app, "4117", Which::Touched(Some(2025)), true).looked_at, 0);

        office.signed_in(Role::InsuranceClerk, "411721", None);
        let page = office.finds("/resettle");
        let less = Fen(-taken.0).grouped();
        assert!(page.contains("示例乙") && page.contains(&format!("−{less}")), "{less}: {page}");
        assert!(!page.contains("示例丙"));
        office.in_english().finds("/resettle");
        office.in_chinese();
        let chosen = format!("{} 2026", person.id);
        let nothing = office.post("/resettle", &[("year", &format!("{} 2026", other.id)), ("year", "x")]);
        assert_eq!((nothing.status, touched(office)), (StatusCode::SEE_OTHER, 1));
        assert_eq!(office.post("/resettle", &[("year", &chosen)]).status, StatusCode::SEE_OTHER);
        assert_eq!(touched(office), 0);
        let page = office.finds(&first);
        assert_ne!(between(&page, "own-share print-tight\">", " "), own_before);
        assert!(page.contains("身份等登记信息追溯变更"), "{page}");
        let again = run(&office.app, "4117", Which::Touched(None), false);
        assert_eq!(again, Resettled::default(), "a second run finds nothing");
        posted(office);
        office.nothing_differs_after_rebuilding();

        // Taken back: as before.
        the_register_says(office, &person);
        assert_eq!(run(&office.app, "4117", Which::Touched(None), false).bills, 2);
        assert_eq!(between(&office.finds(&first), "own-share print-tight\">", " "), own_before);
        posted(office);
        office.nothing_differs_after_rebuilding();
        for role in [Role::CountyDesk, Role::Auditor, Role::HealthBureau] {
            office.signed_in(role, "411721", None);
            for path in ["/resettle", "/years", "/years/2026"] {
                assert_eq!(office.get(path).status, StatusCode::NOT_FOUND, "{role:?} {path}");
            }
        }
    });
}

/// The shipped packs with another ratio of basic insurance.
fn other_release() -> Arc<Release> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    let files = Release::read_directory(&folder).expect("the packs").into_iter().map(|(path, text)| {
        let text = if path == "cn/henan/benefits/10-basic.toml" {
            text.replace("yearly_cap = \"150000.00\"", "yearly_cap = \"50000.00\"")
        } else {
            text
        };
        (path, text)
    });
    Arc::new(Release::load(files.collect::<Vec<_>>()).expect("loads"))
}

#[test]
fn a_new_release_settles_a_whole_year_again_and_goes_on_where_it_was_broken_off() {
    on_both(|office| {
        let (hospital, person) = given_a_desk(office);
        let id = hospital.to_string();
        let mut people = vec![person];
        people.extend((0..5).map(|number| office.given_a_person(&format!("示例{number}"), XIPING, &[])));
        for (number, person) in people.iter().enumerate() {
            let total = if number == 0 { "9000.00" } else { "90000.00" };
            settles(office, person, &stay(&format!("N{number}"), &id, "2026-01-02", "2026-01-20", total));
            settles(office, person, &stay(&format!("P{number}"), &id, "2025-01-02", "2025-01-20", total));
        }
        let app = App::new(AppParts {
            database: office.app.database.clone(),
            record: office.app.record.clone(),
            policies: other_release(),
            words: Arc::clone(&office.app.words),
            clock: Arc::clone(&office.clock) as Arc<dyn Clock>,
            ids: Arc::clone(&office.app.ids),
            programmes: office.app.programmes,
            settings: office.app.settings.clone(),
        });
        assert_eq!(run(&office.app, "41", Which::Release(2026), false).changed, 0, "the same release");
        let dry = run(&app, "41", Which::Release(2026), true);
        assert_eq!((dry.looked_at, dry.changed, dry.bills), (6, 5, 5), "{dry:?}");
        assert_eq!(run(&office.app, "41", Which::Release(2026), true).changed, 0, "it was dry");
        let done = run(&app, "41", Which::Release(2026), false);
        assert_eq!(done, dry);
        let again = run(&app, "41", Which::Release(2026), false);
        assert_eq!((again.looked_at, again.changed), (6, 0));
        assert_eq!(run(&app, "41", Which::Release(2025), true).changed, 5, "the other year is as it was");
        let filter = PostingFilter {
            from: day("2026-03-05"),
            to: day("2026-03-05"),
            payer: None,
            cause: Some(Why::Release),
        };
        let reach = office.reach_of("41", Purpose::ReadBills);
        let lines = office.read(move |tx| store::postings(tx, &reach, &filter, 1_000, 0));
        assert!(lines.len() >= 10 && lines.iter().all(|line| line.year == 2026), "{lines:?}");
        assert!(lines.iter().all(|line| line.release.as_deref() == Some(app.policies.hash())));
        assert_eq!(lines.iter().map(|line| line.amount).sum::<Fen>(), Fen::ZERO, "the totals stay");
        posted(office);
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
    "更正",
];

#[test]
fn a_closed_year_stays_as_it_is_until_the_bureau_opens_it_with_a_reason() {
    on_both(|office| {
        let (hospital, person) = given_a_desk(office);
        let id = hospital.to_string();
        let bill = stay("ZY-1", &id, "2025-11-01", "2025-11-11", "60000.00");
        let statement = settles(office, &person, &bill);
        let desk = format!("/desk/{}", person.id);

        office.signed_in(Role::InsuranceClerk, "411721", None);
        assert!(office.finds("/years").contains("2025"));
        let close = [("act", "close"), ("reason", "年终清算完成")];
        assert_eq!(office.post("/years/2025", &[("act", "close")]).status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(office.post("/years/2027", &close).status, StatusCode::NOT_FOUND, "not come yet");
        let refused = office.post("/years/2025", &[("act", "reopen"), ("reason", "试")]);
        assert!(refused.text.contains("这个年度没有结账"), "{}", refused.text);
        assert_eq!(office.post("/years/2025", &close).status, StatusCode::SEE_OTHER);
        let refused = office.post("/years/2025", &close);
        assert!(refused.text.contains("这个年度已经结账"), "{}", refused.text);
        assert!(office.finds("/years/2025").contains("年终清算完成"));

        // The desk: nothing of that year, everything of another.
        office.signed_in(Role::CountyDesk, "411721", Some(hospital));
        let late = stay("ZY-0", &id, "2025-10-01", "2025-10-11", "9000.00");
        let refused = office.post(&desk, &late);
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            refused.text.contains("2025 医保年度已于 2026-03-05 结账")
                && refused.text.contains("交医保局处理"),
            "{}",
            refused.text
        );
        let mut stale = late.clone();
        stale.push(("expected", "1.00"));
        assert_eq!(office.post(&format!("{desk}/settle"), &stale).status, StatusCode::UNPROCESSABLE_ENTITY);
        let cancel = format!("{statement}/cancel");
        assert!(office.finds(&cancel).contains("医保年度已于"));
        let refused = office.post(&cancel, &[("reason", "录错人员")]);
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text.contains("医保年度已于"), "{}", refused.text);
        settles(office, &person, &stay("ZY-9", &id, "2026-01-01", "2026-01-11", "700.00"));

        // A file: a fault at each such row.
        let number = person.body.id_number.as_ref().expect("a number").as_str();
        let row = |bill: &'static str, from: &'static str, to: &'static str, again: &'static str| {
            vec![bill, number, "H1", from, to, "住院", "500.00", "500.00", again]
        };
        let rows = vec![
            HEAD.to_vec(),
            row("F-1", "2025-12-30", "2025-12-31", ""),
            row("ZY-1", "2025-11-01", "2025-11-11", "是"),
            row("F-2", "2025-12-30", "2026-01-02", ""),
        ];
        let done = office.imports(&BILLS, &office.bureau("411721"), &rows, false);
        assert_eq!((done.summary.new, done.summary.faulty), (1, 2), "{:?}", done.faults());
        assert!(done.faults().iter().all(|fault| fault.1 == "settlement.flaw.year_closed"));
        let opening = vec![vec!["证件号码", "年度", "本年住院次数"], vec![number, "2025", "2"]];
        let done = office.imports(&OPENINGS, &office.bureau("411721"), &opening, false);
        assert_eq!(done.faults()[0].1, "settlement.flaw.year_closed");

        // The late bill goes to the bureau, once.
        let mut handed = late.clone();
        handed.push(("act", "late"));
        for _ in 0..2 {
            assert_eq!(office.post(&desk, &handed).status, StatusCode::SEE_OTHER);
        }
        // A label in retrospect leaves a closed year alone.
        the_register_says(office, &with_label(&person, "2025-01-01"));
        let done = run(&office.app, "4117", Which::Touched(Some(2025)), false);
        assert_eq!((done.looked_at, done.closed, done.changed), (1, 1, 0));
        assert_eq!(run(&office.app, "4117", Which::Release(2025), false).closed, 1);

        office.signed_in(Role::InsuranceClerk, "411721", None);
        let years = office.finds("/years");
        assert_eq!(years.matches("ZY-0").count(), 1, "{years}");
        let path = format!("/late-bills/{}", between(&years, "/late-bills/", "\""));
        assert!(office.finds(&path).contains("9,000.00"));
        let refused = office.post(&path, &[("act", "take")]);
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "still closed");
        assert_eq!(office.post(&path, &[("act", "leave")]).status, StatusCode::UNPROCESSABLE_ENTITY);
        office.post("/years/2025", &[("act", "reopen"), ("reason", "补录跨年住院")]);
        assert!(office.finds("/years/2025").contains("补录跨年住院"));
        let taken = office.post(&path, &[("act", "take")]);
        let taken = taken.location.expect("the statement");
        assert!(office.finds(&taken).contains("9,000.00"));
        assert_eq!(office.post(&path, &[("act", "take")]).status, StatusCode::SEE_OTHER, "it is decided");
        assert!(!office.finds("/years").contains("ZY-0"));
        for page in ["/years", "/years/2025"] {
            office.in_english().finds(page);
        }
        office.in_chinese();
        posted(office);
        office.nothing_differs_after_rebuilding();

        // Who stands above closes for all below, and alone opens again.
        office.signed_in(Role::InsuranceClerk, "4117", None);
        assert_eq!(office.post("/years/2025", &close).status, StatusCode::SEE_OTHER);
        office.signed_in(Role::InsuranceClerk, "411721", None);
        let refused = office.post("/years/2025", &[("act", "reopen"), ("reason", "试")]);
        assert!(refused.text.contains("由上级结账"), "{}", refused.text);
        office.signed_in(Role::CountyDesk, "411721", Some(hospital));
        assert_eq!(office.post(&desk, &late).status, StatusCode::UNPROCESSABLE_ENTITY);
    });
}

#[test]
fn a_late_bill_that_is_not_taken_in_leaves_its_reason() {
    on_both(|office| {
        let (hospital, person) = given_a_desk(office);
        office.signed_in(Role::InsuranceClerk, "411721", None);
        office.post("/years/2025", &[("act", "close"), ("reason", "年终清算完成")]);
        office.signed_in(Role::CountyDesk, "411721", Some(hospital));
        let id = hospital.to_string();
        let mut late = stay("ZY-0", &id, "2025-10-01", "2025-10-11", "9000.00");
        late.push(("act", "late"));
        office.post(&format!("/desk/{}", person.id), &late);
        assert_eq!(
            office.due(Role::InsuranceClerk, "411721").iter().map(|line| line.word).collect::<Vec<_>>(),
            ["settlement.due.late"]
        );
        office.signed_in(Role::InsuranceClerk, "411722", None);
        assert!(!office.finds("/years").contains("ZY-0"), "another county");
        office.signed_in(Role::InsuranceClerk, "411721", None);
        let path = format!("/late-bills/{}", between(&office.finds("/years"), "/late-bills/", "\""));
        let left = office.post(&path, &[("act", "leave"), ("reason", "超过申报期限")]);
        assert_eq!(left.status, StatusCode::SEE_OTHER, "{}", left.text);
        assert_eq!(office.get(&path).status, StatusCode::NOT_FOUND);
        office.nothing_differs_after_rebuilding();
    });
}
