//! The phone's interpreter of the tables against the server's: all test vectors, and charts of invented people, each visit written
//! down in any order, put right and taken back.

use std::cell::Cell;
use std::collections::BTreeMap;

use kangmai_acceptance::browser::{Browser, Page};
use kangmai_acceptance::county::{County, VILLAGE};
use kangmai_base::{Day, Id, Moment, Sex, Uuid};
use kangmai_follow_up::act::{Draft, Hand, Writing};
use kangmai_follow_up::chart::{Chart, Event, What};
use kangmai_follow_up::facts::{Found, Outcome, VISITED, Way};
use kangmai_follow_up::rules::Ill;
use kangmai_people::{Person, PersonBody};
use kangmai_policy::Release;
use serde_json::{Value, json};

/// People whose charts are compared, and what is written in each.
const CHARTS: u64 = 60;
const ACTS: u64 = 12;

fn day(text: &str) -> Day {
    text.parse().expect(text)
}

/// The tables of a village, as a phone gets them.
fn tables(release: &Release) -> Value {
    let place = VILLAGE.parse().expect("a place");
    let all = release.follow_ups(place, day("2026-11-20"));
    json!(
        all.iter()
            .map(|rules| json!({ "first": VILLAGE, "last": VILLAGE, "rules": rules }))
            .collect::<Vec<Value>>()
    )
}

fn app_page(browser: &Browser, county: &County) -> Page {
    let page = browser.page();
    page.open(&format!("{}/field/", county.serve()));
    page
}

#[test]
fn the_phone_answers_every_vector_as_the_server_does() {
    let Some(browser) = Browser::launch() else { return };
    let county = County::on_sqlite();
    let page = app_page(&browser, &county);
    let vectors = json!(county.app.policies.follow_up_vectors());
    let book = json!({ "programmes": tables(&county.app.policies), "vectors": vectors });
    let told = page.ask(&format!(
        "const {{ runVectors }} = await import('/field/app/vectors.js'); return runVectors({book})"
    ));
    let count = vectors.as_array().map_or(0, Vec::len);
    assert!(count > 200, "only {count} vectors");
    assert_eq!(told, json!({ "count": count, "failed": [], "without_rules": 0 }));
}

/// Numbers in the same order every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn one_of<'a>(&mut self, texts: &[&'a str]) -> &'a str {
        texts[usize::try_from(self.roll(texts.len() as u64)).unwrap_or(0)]
    }
}

fn person(dice: &mut Dice) -> Person {
    let birth = day("1940-01-05").plus_days(i32::try_from(dice.roll(15_000)).unwrap_or(0));
    Person {
        id: Id::from_uuid(Uuid::from_u128(1)),
        home: VILLAGE.parse().expect("a place"),
        body: PersonBody {
            household: Uuid::from_u128(2),
            relation: None,
            name: "示例".to_owned(),
            sex: Some(if dice.roll(2) == 0 { Sex::Male } else { Sex::Female }),
            birth: Some(birth),
            id_number: None,
            ethnicity: None,
            living: None,
            phone: None,
            enrolment: None,
            died_on: None,
            marks: vec![],
            labels: vec![],
        },
    }
}

fn answers(dice: &mut Dice) -> BTreeMap<String, Vec<String>> {
    let mut answers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut say = |item: &str, text: String| {
        answers.insert(item.to_owned(), vec![text]);
    };
    say("systolic", (115 + dice.roll(75)).to_string());
    say("diastolic", (65 + dice.roll(50)).to_string());
    say("fasting_glucose", format!("{}.{}", 3 + dice.roll(14), dice.roll(10)));
    say("hypertension_danger", dice.one_of(&["none", "none", "none", "vision"]).to_owned());
    say("diabetes_danger", dice.one_of(&["none", "none", "none", "thirst"]).to_owned());
    say("side_effect", dice.one_of(&["none", "none", "none", "yes", "hard_to_control"]).to_owned());
    say("complication", dice.one_of(&["none", "none", "none", "new_or_worse"]).to_owned());
    say("weight", format!("{}", 45 + dice.roll(40)));
    // What was not asked, or cannot be read.
    match dice.roll(6) {
        0 => _ = answers.remove("diastolic"),
        1 => _ = answers.insert("systolic".to_owned(), vec!["1３8".to_owned()]),
        _ => {}
    }
    answers
}

fn draft(dice: &mut Dice, visit: Uuid, reason: &str) -> Draft {
    let on = day("2025-06-01").plus_days(i32::try_from(dice.roll(520)).unwrap_or(0));
    Draft {
        visit,
        on,
        way: Way::Home,
        answers: answers(dice),
        windows: if dice.roll(3) == 0 { vec!["yearly_check".to_owned()] } else { Vec::new() },
        programmes: ["hypertension", "type2_diabetes", "elderly", "copd"].map(str::to_owned).to_vec(),
        agreed_on: None,
        note: String::new(),
        opinion: None,
        reason: reason.to_owned(),
    }
}

/// A fact as a phone gets it.
fn fact(event: &Event) -> Value {
    let (kind, body) = match &event.what {
        What::Enrolled(body) => ("follow_up.enrolled", json!(body)),
        What::Closed(body) => ("follow_up.closed", json!(body)),
        What::Visited(body) => (VISITED, json!(body)),
        What::Classified(body) => ("follow_up.classified", json!(body)),
        What::Missed(body) => ("follow_up.missed", json!(body)),
        What::Undone(body) => ("follow_up.undone", json!(body)),
    };
    let by = (!event.author.is_nil()).then_some("own");
    let at = Moment::start_of(event.recorded_on).0 / 1_000;
    json!({ "id": event.id, "kind": kind, "on": body["on"], "at": at, "by": by, "body": body })
}

/// What a chart comes to, for comparing.
fn told(chart: &Chart) -> Value {
    let found = |found: &Vec<Found>| json!(found);
    let visits: Vec<Value> = chart
        .visits
        .iter()
        .map(|visit| json!({ "visit": visit.body.visit, "on": visit.body.on, "fact": visit.fact, "found": found(&visit.body.found) }))
        .collect();
    let standing: Vec<Value> = chart
        .open()
        .map(|managed| {
            let standing = chart.standing(managed);
            json!({
                "programme": managed.body.programme, "lastOn": standing.last_on, "state": standing.state, "grade": standing.grade,
                "atTarget": standing.at_target, "figures": standing.figures, "due": standing.due, "missed": standing.missed,
                "missedWhy": standing.missed_why, "againOn": standing.again_on,
            })
        })
        .collect();
    json!({ "visits": visits, "standing": standing })
}

/// Writes in a chart what a doctor may write; answers the events, and which of them a phone wrote.
fn life(release: &Release, dice: &mut Dice) -> (Person, Vec<Event>, Vec<Uuid>) {
    let (person, next) = (person(dice), Cell::new(1_000_u128));
    let mint = || {
        next.set(next.get() + 1);
        Uuid::from_u128(next.get())
    };
    let hand = |on: &str| {
        let now = Moment::start_of(day(on));
        Hand { author: Uuid::from_u128(9), by: "示例".to_owned(), now, recorded_at: now }
    };
    let ill = |code: &str| Ill {
        code: code.parse().expect(code),
        sensitive: false,
        since: day("2020-01-01"),
        ended: None,
    };
    let mut writing = Writing::new(release, &person, Vec::new(), &mint);
    let codes: &[&str] = [&["I10"][..], &["E11.900"], &["I10", "E11.900"], &["I10", "J44.9"]]
        [usize::try_from(dice.roll(4)).unwrap_or(0)];
    let ill: Vec<Ill> = codes.iter().map(|code| ill(code)).collect();
    writing.enrol_who_belongs(&hand("2025-05-01"), &ill, day("2025-05-01")).expect("enrolled");
    let (mut visits, mut facts) = (Vec::new(), Vec::new());
    for _ in 0..ACTS {
        let today = hand("2026-11-20");
        match dice.roll(8) {
            0 if !facts.is_empty() => {
                let which = facts[usize::try_from(dice.roll(facts.len() as u64)).unwrap_or(0)];
                _ = writing.undo(&today, which).expect("asked");
            }
            1 if !visits.is_empty() => {
                let which = visits[usize::try_from(dice.roll(visits.len() as u64)).unwrap_or(0)];
                let draft = draft(dice, which, "量错了一位");
                facts.extend(writing.visit(&today, &draft).expect("asked").ok().flatten());
            }
            2 => {
                let on = day("2026-01-01").plus_days(i32::try_from(dice.roll(300)).unwrap_or(0));
                let done = writing.missed(&today, Outcome::NotAtHome, (on, None)).expect("asked");
                facts.extend(done.ok());
            }
            _ => {
                let visit = mint();
                let draft = draft(dice, visit, "");
                if let Some(fact) = writing.visit(&today, &draft).expect("asked").ok().flatten() {
                    visits.push(visit);
                    facts.push(fact);
                }
            }
        }
    }
    (person.clone(), events_of(&writing), facts)
}

/// The events of a chart out of the facts that were written.
fn events_of(writing: &Writing<'_>) -> Vec<Event> {
    writing.events().to_vec()
}

const COMPARE: &str = "
const { Chart } = await import('/field/app/chart.js');
const { Writing, eventOf } = await import('/field/app/writing.js');
const { rulesAt } = await import('/field/app/rules.js');
const bare = (object) => JSON.parse(JSON.stringify(object, (key, value) => (key === 'figures' && value === '' ? undefined : value)));
const told = (chart) => ({
  visits: chart.visits.map(({ body, fact }) => ({ visit: body.visit, on: body.on, fact, found: bare(body.found) })),
  standing: chart.open().map((managed) => chart.standing(managed)),
});
return lives.map(({ person, facts, mine }) => ({
  folded: told(Chart.of(facts.map((fact) => eventOf(fact, 'own')))),
  own: told(new Writing(person, facts.filter((fact) => !mine.some((one) => one.id === fact.id) && fact.kind !== 'follow_up.classified'), mine, (on) => rulesAt(book, person.home, on), 'own').chart),
}));";

#[test]
fn the_phone_folds_a_chart_as_the_server_does() {
    let Some(browser) = Browser::launch() else { return };
    let county = County::on_sqlite();
    let page = app_page(&browser, &county);
    let (mut lives, mut charts) = (Vec::new(), Vec::new());
    for seed in 0..CHARTS {
        let (person, events, _) = life(&county.app.policies, &mut Dice(seed));
        charts.push(told(&Chart::of(&events)));
        let facts: Vec<Value> = events.iter().map(fact).collect();
        // What a phone writes says what happened; what it comes to is worked out on both sides.
        let is_own = |fact: &&Value| fact["by"] == "own";
        let mine: Vec<Value> = facts.iter().filter(is_own).map(as_sent).collect();
        let card = json!({ "id": person.id, "home": VILLAGE, "birth": person.body.birth, "sex": person.body.sex, "died_on": null });
        lives.push(json!({ "person": card, "facts": facts, "mine": mine }));
    }
    let given = format!("const lives = {};\nconst book = {};", json!(lives), tables(&county.app.policies));
    let answered = page.ask(&format!("{given}{COMPARE}"));
    let mut visits = 0;
    for (seed, chart) in charts.iter().enumerate() {
        visits += chart["visits"].as_array().map_or(0, Vec::len);
        assert_eq!(answered[seed]["folded"], *chart, "the fold of {seed}");
        assert_eq!(answered[seed]["own"], *chart, "what a phone makes of its own facts, {seed}");
    }
    assert!(visits > 200, "only {visits} visits were compared");
}

/// A fact of ours as the phone sends it: without what follows.
fn as_sent(fact: &Value) -> Value {
    let mut sent = fact.clone();
    if let Some(body) = sent["body"].as_object_mut() {
        let programmes: Vec<Value> =
            ["hypertension", "type2_diabetes", "elderly", "copd"].map(Value::from).to_vec();
        if fact["kind"] == VISITED {
            body.insert("programmes".to_owned(), json!(programmes));
        }
        for derived in ["found", "law", "by"] {
            body.remove(derived);
        }
    }
    sent
}
