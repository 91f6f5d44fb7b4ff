//! What phones that work without a network are told of follow-up, and what they write: visits, that nobody was seen, and
//! taking back. What a visit comes to is worked out here again, whatever the phone said to the doctor.
//!
//! Nothing of level 5 goes to a phone: a visit that was for such a programme among others goes there without it.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use kangmai_access::{Actor, Reach};
use kangmai_base::{Day, Moment, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_policy::Release;
use kangmai_policy::follow_up::{Answer, AnswerFault, Ask, Doubt, FollowUpRules, sheet};
use kangmai_programme::{App, Field, Sent, Taken, ToldToPhone};
use kangmai_record::{NewFact, known_facts};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::act::{Draft, Hand, Writing};
use crate::facts::{
    CLASSIFIED, CLOSED, Classified, Closed, ENROLLED, Enrolled, MISSED, Missed, Opinion, Outcome, UNDONE,
    Undone, VISITED, Visited, Way,
};
use crate::rules::Ill;
use crate::store;

/// The part of follow-up in the field.
pub(crate) const FIELD: Field = Field {
    told: &[ENROLLED, CLOSED, VISITED, CLASSIFIED, MISSED, UNDONE],
    lasting: &[ENROLLED, CLOSED],
    tell,
    written: &[VISITED, MISSED, UNDONE],
    hand_on,
    take,
};

/// A visit longer ago is put aside: a phone whose clock fell back writes such.
const MONTHS_BACK: i32 = 24;
/// The longest text of words in a visit, in characters.
const LONGEST_WORDS: usize = 500;

/// What a phone is told of one of our facts.
fn tell(release: &Release, fact: &NewFact) -> Option<ToldToPhone> {
    let whole = || serde_json::from_str(&fact.body).ok().map(|body| ToldToPhone { body, is_cut: false });
    match fact.kind.as_str() {
        ENROLLED => fact.read_body::<Enrolled>().ok().filter(|body| !body.sensitive).and_then(|_| whole()),
        CLOSED => fact.read_body::<Closed>().ok().filter(|body| !body.sensitive).and_then(|_| whole()),
        MISSED => fact.read_body::<Missed>().ok().filter(|body| !body.sensitive).and_then(|_| whole()),
        UNDONE => fact.read_body::<Undone>().ok().filter(|body| !body.sensitive).and_then(|_| whole()),
        VISITED => {
            let body: Visited = fact.read_body().ok()?;
            if body.sensitive { cut_visit(release, fact, body) } else { whole() }
        }
        CLASSIFIED => {
            let mut body: Classified = fact.read_body().ok()?;
            let was_sensitive = body.sensitive;
            body.found.retain(|found| !found.sensitive);
            body.sensitive = false;
            let body = (!body.found.is_empty()).then(|| serde_json::to_value(&body).ok()).flatten()?;
            Some(ToldToPhone { body, is_cut: was_sensitive })
        }
        _ => None,
    }
}

/// A visit without what it was for a programme of level 5: neither what it came to, nor what was asked for that alone, nor the
/// note, which may speak of it.
fn cut_visit(release: &Release, fact: &NewFact, mut body: Visited) -> Option<ToldToPhone> {
    body.found.retain(|found| !found.sensitive);
    if body.found.is_empty() {
        return None;
    }
    let rules: Vec<&FollowUpRules> = body
        .found
        .iter()
        .filter_map(|found| release.follow_up(&found.programme, fact.place, body.on))
        .collect();
    let asked: BTreeSet<&str> =
        rules.iter().flat_map(|rules| &rules.asks).map(|ask| ask.item.id.as_str()).collect();
    let windows: BTreeSet<&str> =
        rules.iter().flat_map(|rules| &rules.windows).map(|window| window.id.as_str()).collect();
    body.answers.retain(|item, _| asked.contains(item.as_str()));
    body.windows.retain(|window| windows.contains(window.as_str()));
    body.note.clear();
    body.reason.clear();
    body.sensitive = false;
    Some(ToldToPhone { body: serde_json::to_value(&body).ok()?, is_cut: true })
}

/// One of our facts as a phone would have written it. What it came to is left out: upstream works that out itself.
fn hand_on(fact: &NewFact) -> Option<Value> {
    match fact.kind.as_str() {
        VISITED => {
            let body: Visited = fact.read_body().ok()?;
            let programmes: Vec<&str> = body.found.iter().map(|found| found.programme.as_str()).collect();
            Some(json!({
                "visit": body.visit, "on": body.on, "way": body.way, "answers": body.answers,
                "windows": body.windows, "programmes": programmes, "agreed_on": body.agreed_on,
                "note": body.note, "reason": body.reason,
            }))
        }
        MISSED => {
            let body: Missed = fact.read_body().ok()?;
            Some(json!({ "on": body.on, "outcome": body.outcome, "again_on": body.again_on }))
        }
        UNDONE => Some(json!({ "fact": fact.read_body::<Undone>().ok()?.fact })),
        _ => None,
    }
}

/// A visit as a phone writes it. What it does not name is passed over: a newer app may say more.
#[derive(Debug, Deserialize)]
struct VisitWritten {
    visit: Uuid,
    on: Day,
    way: Way,
    answers: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    windows: Vec<String>,
    programmes: Vec<String>,
    #[serde(default)]
    agreed_on: Option<Day>,
    #[serde(default)]
    note: String,
    #[serde(default)]
    opinion: Option<Opinion>,
    #[serde(default)]
    reason: String,
}

#[derive(Debug, Deserialize)]
struct MissedWritten {
    on: Day,
    outcome: Outcome,
    #[serde(default)]
    again_on: Option<Day>,
}

#[derive(Debug, Deserialize)]
struct UndoneWritten {
    fact: Uuid,
}

/// Takes what phones wrote: person by person, in the order of each person's facts, all in one transaction.
fn take(
    tx: &mut Transaction<'_>,
    app: &App,
    (actor, _): (&Actor, &Reach),
    all: Vec<Sent>,
) -> Result<Vec<Taken>, DatabaseError> {
    // Two visits that are written down at once must see each other.
    tx.lock("follow_up.chart")?;
    let mut taken: Vec<Option<Taken>> = vec![None; all.len()];
    let mut people: BTreeMap<Uuid, Vec<usize>> = BTreeMap::new();
    for (index, sent) in all.iter().enumerate() {
        people.entry(sent.person.id.uuid()).or_default().push(index);
    }
    let ids: Vec<Uuid> = all.iter().map(|sent| sent.fact.id).collect();
    let there = known_facts(tx, &ids)?;
    let known: Vec<Uuid> = people.keys().copied().collect();
    let today = all.first().map_or(Moment(0), |sent| sent.now).day();
    let mut events = store::events_of_people(tx, &known)?;
    let mut ill = store::ill_of_people(tx, &known, today)?;
    let mut facts = Vec::with_capacity(all.len());
    let (mut now, mut used) = (Moment(0), HashSet::new());
    for (person, indices) in people {
        let Some(first) = indices.first().and_then(|index| all.get(*index)) else { continue };
        now = first.now;
        let events = events.remove(&person).unwrap_or_default();
        let ill = ill.remove(&person).unwrap_or_default();
        let mint = || app.mint();
        let mut writing = Writing::new(&app.policies, &first.person, events, &mint);
        for index in indices {
            let sent = &all[index];
            let hand = Hand {
                author: actor.account.uuid(),
                by: actor.name.clone(),
                now: sent.now,
                recorded_at: sent.fact.recorded_at,
            };
            taken[index] = Some(if writing.knows(sent.fact.id) {
                Taken::There
            } else if there.contains(&sent.fact.id) || !used.insert(sent.fact.id) {
                // It bears the name of something else in the record.
                Taken::Refused(Refusal::new("record.parked.other_content"))
            } else {
                one(&mut writing, (&hand, &ill), &app.policies, sent)?
            });
        }
        facts.extend(writing.into_facts());
    }
    for facts in facts.chunks(kangmai_record::Record::BATCH) {
        app.record.keep(tx, now, facts.to_vec())?;
    }
    Ok(taken.into_iter().map(|one| one.unwrap_or(Taken::There)).collect())
}

/// The member that a body lacks or that cannot be read.
fn unreadable(error: &serde_json::Error) -> Taken {
    Taken::Unreadable(error.to_string().split('`').nth(1).unwrap_or("body").to_owned())
}

fn one(
    writing: &mut Writing<'_>,
    (hand, ill): (&Hand, &[Ill]),
    release: &Release,
    sent: &Sent,
) -> Result<Taken, DatabaseError> {
    if sent.fact.kind != UNDONE {
        let day = sent.fact.recorded_at.day().min(sent.now.day());
        writing.enrol_who_belongs(hand, ill, day)?;
    }
    writing.next_fact(sent.fact.id);
    let body = sent.fact.body.as_str();
    let done = match sent.fact.kind.as_str() {
        VISITED => match serde_json::from_str::<VisitWritten>(body) {
            Ok(written) => match checked(release, sent, written) {
                Ok(draft) => match stands(writing, sent, &draft)
                    .map_or_else(|| writing.visit(hand, &draft), |refusal| Ok(Err(refusal)))?
                {
                    Ok(None) => return Ok(Taken::There),
                    Ok(Some(id)) => Ok(id),
                    Err(refusal) => Err(refusal),
                },
                Err(refusal) => Err(refusal),
            },
            Err(error) => return Ok(unreadable(&error)),
        },
        MISSED => match serde_json::from_str::<MissedWritten>(body) {
            Ok(written) => writing.missed(hand, written.outcome, (written.on, written.again_on))?,
            Err(error) => return Ok(unreadable(&error)),
        },
        _ => match serde_json::from_str::<UndoneWritten>(body) {
            Ok(written) => writing.undo(hand, written.fact)?,
            Err(error) => return Ok(unreadable(&error)),
        },
    };
    Ok(match done {
        Ok(id) => Taken::Kept(id),
        // The same visit again, word for word, is no news.
        Err(refusal) if refusal.key == "follow_up.refused.same" => Taken::There,
        Err(refusal) => Taken::Refused(refusal),
    })
}

/// Why a visit does not fit what is known of it here: it says something else than one of the same name, it puts right what was
/// put right since, or what a phone saw a part of only.
fn stands(writing: &Writing<'_>, sent: &Sent, draft: &Draft) -> Option<Refusal> {
    let there = writing.chart.visit(draft.visit);
    let key = match (there, sent.fact.corrects) {
        (None, None) => return None,
        (None, Some(_)) => "follow_up.parked.changed_since",
        (Some(there), None) => {
            let same = there.body.on == draft.on
                && there.body.answers == draft.answers
                && there.body.way == draft.way
                && there.body.note == draft.note;
            return (!same).then(|| Refusal::new("record.parked.other_content"));
        }
        (Some(there), Some(_)) if there.body.sensitive => "follow_up.parked.at_desk",
        (Some(there), Some(corrects)) if there.fact != corrects => "follow_up.parked.changed_since",
        (Some(_), Some(_)) => return None,
    };
    Some(Refusal::new(key))
}

/// A visit whose answers its items take. An answer that no living person can give puts the whole visit aside: nobody knows
/// what was meant. An item that the tables do not ask stays with the visit.
fn checked(release: &Release, sent: &Sent, written: VisitWritten) -> Result<Draft, Refusal> {
    let home = sent.person.home;
    let rules = written.programmes.iter().filter_map(|one| release.follow_up(one, home, written.on));
    check_answers(&sheet(rules), &written.answers)?;
    let lengths = written
        .answers
        .values()
        .flatten()
        .chain([&written.note, &written.reason])
        .chain(written.opinion.as_ref().map(|one| &one.why));
    if lengths.into_iter().any(|text| text.chars().count() > LONGEST_WORDS) {
        return Err(Refusal::new("follow_up.parked.too_long").with("most", LONGEST_WORDS.to_string()));
    }
    if written.on < sent.now.day().plus_months(-MONTHS_BACK) {
        return Err(Refusal::new("follow_up.parked.long_ago").with("months", MONTHS_BACK.to_string()));
    }
    let is_correction = sent.fact.corrects.is_some();
    if is_correction && written.reason.is_empty() {
        return Err(Refusal::new("follow_up.refused.reason"));
    }
    Ok(Draft {
        visit: written.visit,
        on: written.on,
        way: written.way,
        answers: written.answers,
        windows: written.windows,
        programmes: written.programmes,
        agreed_on: written.agreed_on,
        note: written.note,
        opinion: written.opinion,
        reason: if is_correction { written.reason } else { String::new() },
    })
}

fn check_answers(asks: &[Ask], written: &BTreeMap<String, Vec<String>>) -> Result<(), Refusal> {
    let mut numbers = BTreeMap::new();
    for ask in asks {
        let Some(texts) = written.get(&ask.item.id) else { continue };
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let key = match ask.item.answer(&texts) {
            Ok(Answer::Number(number)) => {
                numbers.insert(ask.item.id.as_str(), number);
                continue;
            }
            Ok(_) => continue,
            Err(AnswerFault::NotANumber) => "follow_up.parked.not_a_number",
            Err(AnswerFault::OutOfRange) => "follow_up.parked.out_of_range",
            Err(AnswerFault::NotAnOption) => "follow_up.parked.not_an_option",
            Err(AnswerFault::Contradicts) => "follow_up.parked.contradicts",
        };
        return Err(Refusal::new(key));
    }
    // What is unusual was asked again on the phone; a diastolic pressure above the systolic is none.
    let contradicts = |ask: &Ask| {
        let own = numbers.get(ask.item.id.as_str())?;
        Some(matches!(ask.item.doubt(*own, |other| numbers.get(other).copied()), Some(Doubt::NotBelow(_))))
    };
    if asks.iter().any(|ask| contradicts(ask) == Some(true)) {
        return Err(Refusal::new("follow_up.parked.not_below"));
    }
    Ok(())
}
