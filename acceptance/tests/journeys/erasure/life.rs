//! Everything that a county may hold of one person, in every table that there is.

use kangmai_acceptance::county::County;
use kangmai_access::{NewRelation, Related, RelationKind, relate};
use kangmai_base::{Day, DivisionCode, Fen, Id, Uuid};
use kangmai_database::{DatabaseError, Transaction, params};
use kangmai_people::{Enrolment, Label, LabelInterval, PERSON_REGISTERED, Person, PersonBody, find_person};
use kangmai_record::{Appended, NewFact, Source, Subject, facts_of_kind};
use kangmai_settlement::facts::{
    ADMITTED, Admitted, BILL_LATE, BILL_RECEIVED, BillReceived, CLAIM_LINES, CLAIM_SUBMITTED, ClaimLine,
    ClaimLines, ClaimSubmitted, DAY_LINES, DAY_RECONCILED, DEFERRAL_AGREED, DayLine, DayLines, DayReconciled,
    DayTotals, DeferralAgreed, FundsBy, OPENING, OWN_SHARE_PAID, Opening, OwnSharePaid, PRIVILEGE_SUSPENDED,
    PaymentMethod, PrivilegeSuspended, SETTLED, WRITE_OFF_ASKED, WriteOffAsked,
};
use serde::Serialize;

/// A bill of somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OneBill {
    pub(crate) id: Uuid,
    pub(crate) home: DivisionCode,
    pub(crate) institution: Uuid,
    pub(crate) admitted_on: Day,
    pub(crate) number: String,
}

/// The settled bills of a person.
pub(crate) fn bills_of(county: &County, person: Uuid) -> Vec<OneBill> {
    let rows = county.app.database.read_blocking(move |tx| {
        let sql = "select id, home, institution, admitted_on, number from bill
            where person = $1 and state = 'settled' and own > 0 order by id";
        tx.query(sql, &params![person])
    });
    let read = |row: &kangmai_database::Row| {
        let (id, home, institution) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok::<_, DatabaseError>(OneBill {
            id,
            home,
            institution,
            admitted_on: row.get(3)?,
            number: row.get(4)?,
        })
    };
    rows.expect("bills").iter().map(|row| read(row).expect("a bill")).collect()
}

/// A fact that somebody typed now.
pub(crate) fn typed(
    county: &County,
    (kind, subject, place): (&str, Subject, DivisionCode),
    body: &impl Serialize,
) -> NewFact {
    let now = county.app.clock.now();
    NewFact {
        id: county.app.mint(),
        kind: kind.to_owned(),
        subject,
        occurred_at: now,
        recorded_at: now,
        place,
        author: Uuid::nil(),
        source: Source::Typed,
        corrects: None,
        body: serde_json::to_string(body).expect("a body"),
    }
}

pub(crate) fn append(county: &County, facts: Vec<NewFact>) -> Vec<Appended> {
    let (record, now) = (county.app.record.clone(), county.app.clock.now());
    county.app.database.write_blocking(move |tx| record.append(tx, now, facts)).expect("appended")
}

/// What is owed on a bill, put off, asked to be let off; and that the right to it is suspended.
fn money(county: &County, person: &Person, bill: &OneBill) -> Vec<NewFact> {
    let (mint, today) = (|| county.app.mint(), county.app.today());
    let about = |kind| (kind, Subject::person(person.id.uuid()), bill.home);
    let release = "示例".to_owned();
    let (bill_id, institution) = (bill.id, bill.institution);
    let admitted = Admitted {
        household: person.body.household,
        institution,
        admission: bill.admitted_on,
        emergency: false,
        entitled: true,
        why_not: None,
        labels: Vec::new(),
        pay_within_days: Some(30),
        release: release.clone(),
    };
    let paid = OwnSharePaid {
        payment: mint(),
        bill: bill_id,
        institution,
        amount: Fen(100),
        method: PaymentMethod::Cash,
        year: 2026,
        sequence: 1,
        paid_on: today,
    };
    let agreed = DeferralAgreed {
        agreement: mint(),
        bill: bill_id,
        agreed_on: today,
        amount: Fen(5_000),
        instalments: 3,
        first_due: today.plus_days(30),
        guarantor: "village_committee".into(),
        guarantor_name: "示例村".into(),
        reason: None,
        release,
    };
    let asked = WriteOffAsked {
        write_off: mint(),
        bill: bill_id,
        institution,
        amount: Fen(50),
        reason: "示例".into(),
        evidence: "示例".into(),
    };
    let suspended = PrivilegeSuspended {
        suspension: mint(),
        suspended_on: today,
        overdue: Fen(50),
        reason: "示例".into(),
    };
    let opening = Opening { year: 2025, household: Some(person.body.household), used: Vec::new() };
    vec![
        typed(county, about(ADMITTED), &admitted),
        typed(county, about(OWN_SHARE_PAID), &paid),
        typed(county, about(DEFERRAL_AGREED), &agreed),
        typed(county, about(WRITE_OFF_ASKED), &asked),
        typed(county, about(PRIVILEGE_SUSPENDED), &suspended),
        typed(county, about(OPENING), &opening),
    ]
}

/// A claim and a reconciled day of the institution, each with this bill and another. They are the institution's.
fn accounts(county: &County, bills: [&OneBill; 2]) -> (Vec<NewFact>, [Uuid; 2]) {
    let (claim, reconciliation, today) = (county.app.mint(), county.app.mint(), county.app.today());
    let place: DivisionCode = kangmai_acceptance::county::COUNTY.parse().expect("a code");
    let about = |kind| (kind, Subject::institution(bills[0].institution), place);
    let submitted = ClaimSubmitted {
        claim,
        month_end: today,
        lines: 2,
        amount: Fen(300),
        bearer: "basic".into(),
        release: "示例".into(),
    };
    let lines =
        ClaimLines { claim, lines: vec![ClaimLine(bills[0].id, Fen(100)), ClaimLine(bills[1].id, Fen(200))] };
    let reconciled = DayReconciled {
        reconciliation,
        day: today,
        funds_by: FundsBy::Fund,
        theirs: DayTotals::default(),
        ours: DayTotals::default(),
        has_lines: true,
        lines: 2,
        different: 0,
    };
    let line = |bill: &OneBill| DayLine {
        number: bill.number.clone(),
        bill: Some(bill.id),
        theirs: None,
        ours: None,
        differences: Vec::new(),
    };
    let day = DayLines { reconciliation, first: 0, lines: bills.into_iter().map(line).collect() };
    let facts = vec![
        typed(county, about(CLAIM_SUBMITTED), &submitted),
        typed(county, about(CLAIM_LINES), &lines),
        typed(county, about(DAY_RECONCILED), &reconciled),
        typed(county, about(DAY_LINES), &day),
    ];
    (facts, [claim, reconciliation])
}

/// Two other records that were taken for this person, one of them for another before.
fn comparisons(county: &County, person: &Person, others: [&Person; 2]) -> Vec<NewFact> {
    let about = |kind, one: &Person| (kind, Subject::person(one.id.uuid()), one.home);
    let other = |other: &Person| serde_json::json!({ "other": other.id });
    let same =
        |other: &Person| serde_json::json!({ "other": other.id, "decision": "same", "reason": "示例" });
    let (found, decided) = ("register.candidate_found", "register.same_person_decided");
    vec![
        typed(county, about(found, others[0]), &other(person)),
        typed(county, about(found, person), &other(others[1])),
        typed(county, about(decided, others[0]), &same(others[1])),
        typed(county, about(decided, others[0]), &same(person)),
    ]
}

/// The register says something else of the days that counted; a bill came when its year was closed.
fn second_thoughts(county: &County, person: &Person) -> Vec<NewFact> {
    let (id, place) = (person.id.uuid(), person.home);
    let asked = county.app.database.read_blocking(move |tx| {
        let person = find_person(tx, Id::from_uuid(id))?.map(|person| person.body);
        let bill = facts_of_kind(tx, id, BILL_RECEIVED)?.pop().map(|fact| fact.body::<BillReceived>());
        Ok::<_, DatabaseError>((person, bill.transpose()?))
    });
    let (body, bill) = asked.expect("what is known");
    let mut body = PersonBody { enrolment: Some(Enrolment::NotEnrolled), ..body.expect("a person") };
    let label = Label::Orphan;
    if body.labels.iter().all(|interval| interval.label != label) {
        body.labels.push(LabelInterval { label, from: None, to: None, source: "示例".into() });
    }
    let late = BillReceived { bill: county.app.mint(), number: "LATE-1".into(), ..bill.expect("a bill") };
    let about = |kind| (kind, Subject::person(id), place);
    vec![typed(county, about(PERSON_REGISTERED), &body), typed(county, about(BILL_LATE), &late)]
}

/// An illness that was put right by hand and decided upon.
fn illness(county: &County, person: &Person) -> Vec<NewFact> {
    let about = |kind| (kind, Subject::person(person.id.uuid()), person.home);
    let (diagnosis, day) = (county.app.mint(), "2026-01-05");
    let told = serde_json::json!({
        "diagnosis": diagnosis, "code": "I10.x00", "system": "ICD-10", "name": "示例高血压", "from": day
    });
    let right = serde_json::json!({
        "diagnosis": diagnosis, "before": told, "after": told, "reason": "示例", "by": "示例", "on": day
    });
    let decided = serde_json::json!({ "plan": "chronic", "reason": "示例", "by": "示例", "on": day });
    let plan = serde_json::json!({
        "kind": "chronic", "why": "decided", "diagnosis": diagnosis, "disease": null, "disease_zh": "示例",
        "disease_en": "example", "code": "I10.x00", "diagnosed_on": day, "sensitive": false, "note": "示例"
    });
    let planned = serde_json::json!({
        "on": day, "before": null, "plan": plan, "since": day, "major": [], "law": "示例"
    });
    vec![
        typed(county, about("classification.diagnosed"), &told),
        typed(county, about("classification.put_right"), &right),
        typed(county, about("classification.decided"), &decided),
        typed(county, about("classification.planned"), &planned),
    ]
}

/// Managed, visited and not seen.
fn follow_up(county: &County, person: &Person) -> Vec<NewFact> {
    let about = |kind| (kind, Subject::person(person.id.uuid()), person.home);
    let (programme, day) = ("hypertension", "2026-01-05");
    let due = serde_json::json!([{ "why": "first", "until": "2026-04-05" }]);
    let enrolled = serde_json::json!({
        "enrolment": county.app.mint(), "programme": programme, "on": day, "basis": "hand", "due": due,
        "reason": "示例", "by": "示例", "law": "示例"
    });
    let found = serde_json::json!([{
        "programme": programme, "state": "controlled", "grade": "steady", "at_target": true, "running": 0,
        "figures": "130/80", "due": due
    }]);
    let visited = serde_json::json!({
        "visit": county.app.mint(), "on": day, "way": "home", "answers": { "systolic": ["130"] },
        "found": found, "note": "示例", "by": "示例", "law": "示例"
    });
    let missed = serde_json::json!({ "on": day, "outcome": "not_at_home", "by": "示例" });
    vec![
        typed(county, about("follow_up.enrolled"), &enrolled),
        typed(county, about("follow_up.visited"), &visited),
        typed(county, about("follow_up.missed"), &missed),
    ]
}

/// Signed with a family-doctor team, served, planned.
fn agreement(county: &County, person: &Person) -> Vec<NewFact> {
    let about = |kind| (kind, Subject::person(person.id.uuid()), person.home);
    let (agreement, day) = (county.app.mint(), "2026-01-05");
    let content = serde_json::json!({
        "team": county.app.mint(), "term_months": 12, "packages": ["basic"],
        "promises": [{ "package": "basic", "item": "health_management", "times": 1, "done_by": "hand" }]
    });
    let signed = serde_json::json!({
        "agreement": agreement, "on": day, "from": day, "until": "2027-01-04", "content": content,
        "signature": { "way": "paper", "paper_at": "示例" }, "signer": { "who": "resident" },
        "consent": "示例", "note": "示例", "by": "示例", "law": "示例"
    });
    let done = serde_json::json!({
        "agreement": agreement, "package": "basic", "item": "health_management", "on": day, "note": "示例", "by": "示例"
    });
    let planned = serde_json::json!({ "goal": "示例", "added": ["示例"], "on": day, "by": "示例" });
    vec![
        typed(county, about("agreements.signed"), &signed),
        typed(county, about("agreements.done"), &done),
        typed(county, about("agreements.planned"), &planned),
    ]
}

/// Came to a referral at a visit, was referred, answered for, and did not come; another visit needed none.
fn referral(county: &County, person: &Person) -> Vec<NewFact> {
    let about = |kind| (kind, Subject::person(person.id.uuid()), person.home);
    let (referral, visit, day) = (county.app.mint(), county.app.mint(), "2026-01-05");
    let visited = serde_json::json!({
        "visit": visit, "on": day, "way": "home", "answers": { "medicines": ["示例"] }, "by": "示例", "law": "示例",
        "found": [{ "programme": "hypertension", "state": "refer", "grade": "refer", "running": 2, "figures": "168/98", "due": [] }]
    });
    let side = |name: &str| serde_json::json!({ "institution": county.app.mint(), "name": name, "tier": "county", "place": person.home });
    let opened = serde_json::json!({
        "referral": referral, "direction": "up", "on": day, "from": side("示例甲"), "to": side("示例乙"),
        "urgency": "ordinary", "visit": visit, "note": "示例", "by": "示例", "law": "示例"
    });
    let answered = serde_json::json!({ "referral": referral, "accepted": true, "on": day, "note": "示例", "by": "示例" });
    let arrived =
        serde_json::json!({ "referral": referral, "came": false, "on": day, "note": "示例", "by": "示例" });
    let ended = serde_json::json!({ "referral": referral, "on": day, "reason": "not_needed", "note": "示例", "by": "示例" });
    let waived = serde_json::json!({ "visit": visit, "on": day, "reason": "not_needed", "note": "示例", "by": "示例" });
    vec![
        typed(county, about("follow_up.visited"), &visited),
        typed(county, about("referral.opened"), &opened),
        typed(county, about("referral.answered"), &answered),
        typed(county, about("referral.arrived"), &arrived),
        typed(county, about("referral.ended"), &ended),
        typed(county, about("referral.waived"), &waived),
    ]
}

/// Handed over to where they live.
fn residence(county: &County, person: &Person) -> Vec<NewFact> {
    let about = |kind| (kind, Subject::person(person.id.uuid()), person.home);
    let hand_over = county.app.mint();
    let asked = serde_json::json!({
        "hand_over": hand_over, "living": "411722002001", "side": "home", "on": "2026-01-05", "note": "示例", "by": "示例"
    });
    let answered = serde_json::json!({
        "hand_over": hand_over, "on": "2026-01-06", "from_on": "2026-01-07", "by": "示例"
    });
    vec![
        typed(county, about("residence.asked"), &asked),
        typed(county, about("residence.answered"), &answered),
    ]
}

/// What was agreed to and asked for.
fn wishes(county: &County, person: &Person) -> Vec<NewFact> {
    let about = |kind| (kind, Subject::person(person.id.uuid()), person.home);
    let consent = serde_json::json!({
        "recipient": "示例", "used_for": "示例", "until": "2027-01-05", "speaker": "person", "paper": "示例"
    });
    let wish = serde_json::json!({ "wish": "correct", "text": "示例", "speaker": "person", "paper": "示例" });
    vec![
        typed(county, about("register.consent_given"), &consent),
        typed(county, about("register.requested"), &wish),
    ]
}

/// What stands beside the record: a relation, the answer of a request, the lists of a what-if run.
fn beside(tx: &mut Transaction<'_>, id: Uuid, person: &Person, bill: &OneBill) -> Result<(), DatabaseError> {
    let relation = NewRelation {
        id,
        person: person.id.uuid(),
        kind: RelationKind::Treating,
        whose: Related::Institution(bill.institution),
        from: kangmai_base::Moment(0),
        until: kangmai_base::Moment(i64::MAX),
        source: id,
    };
    relate(tx, &relation)?;
    let drawn = tx.sealed(("agreement_paper", "content_sealed"), id, Some("M1 1L2 2"))?;
    tx.execute(
        "insert into agreement_paper (id, person, home, kind, content_sealed) values ($1, $2, $3, 'svg', $4)",
        &params![id, person.id, person.home, drawn],
    )?;
    let said = format!("{{\"name\":\"{}\",\"person\":\"{}\"}}", person.body.name, person.id);
    tx.execute(
        "insert into request (caller, key, digest, attempt, state, began_at, bill, answer)
        values ($1, 'K-1', 'abc', 1, 'answered', 0, $2, $3)",
        &params![bill.institution, bill.id, said],
    )?;
    tx.execute(
        "insert into what_if_person (run, person, household, home, label, own_before, own_after, difference)
        values ($1, $2, $3, $4, '', 1, 2, 1)",
        &params![id, person.id, person.body.household, person.home],
    )?;
    tx.execute(
        "insert into what_if_household (run, household, home, own_before, own_after, line, is_newly_over)
        values ($1, $2, $3, 1, 2, 1, true)",
        &params![id, person.body.household, person.home],
    )?;
    Ok(())
}

/// Gives a person whatever a person may have; answers the claim and the reconciliation that speak of their bill.
pub(crate) fn give_everything(
    county: &County,
    person: &Person,
    bill: &OneBill,
    (other_bill, others): (&OneBill, [&Person; 2]),
) -> [Uuid; 2] {
    let (accounts, ids) = accounts(county, [bill, other_bill]);
    let mut facts = money(county, person, bill);
    facts.extend(illness(county, person));
    facts.extend(follow_up(county, person));
    facts.extend(agreement(county, person));
    facts.extend(referral(county, person));
    facts.extend(residence(county, person));
    facts.extend(accounts);
    facts.extend(comparisons(county, person, others));
    facts.extend(second_thoughts(county, person));
    facts.extend(wishes(county, person));
    for (kind, answer) in facts.iter().map(|fact| &fact.kind).zip(append(county, facts.clone())) {
        assert_eq!(answer, Appended::Accepted, "{kind}");
    }
    let unreadable = typed(county, (SETTLED, Subject::person(person.id.uuid()), person.home), &());
    assert!(matches!(append(county, vec![unreadable]).as_slice(), [Appended::Parked(_)]));
    let (id, person, bill) = (county.app.mint(), person.clone(), bill.clone());
    county.app.database.write_blocking(move |tx| beside(tx, id, &person, &bill)).expect("written");
    ids
}
