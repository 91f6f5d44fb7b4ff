//! What phones hand in. Everything is kept: in the record, put aside for somebody to look at, or, where it is no fact at all,
//! as the text that came. A number of a phone is answered once, and the same again ever after.

use std::collections::{BTreeMap, HashMap};
use std::io::Read as _;

use axum::Json;
use axum::body::Bytes;
use axum::http::header::CONTENT_ENCODING;
use axum::http::{HeaderMap, StatusCode};
use kangmai_access::{Actor, Phone, PhoneHolder, Purpose, Reach, audit, hub_author, reach, reach_of_person};
use kangmai_base::{Id, Moment, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::{Person, find_persons, same_as};
use kangmai_programme::{App, PhoneCall, Sent, Taken};
use kangmai_record::{NewFact, Source, Subject, park_fact, was_erased};
use kangmai_web::{ApiFailure, Problem};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::store::{self, Receipt};
use crate::told::{Tellers, milliseconds, of_milliseconds};

/// Facts of one push at most.
pub(crate) const MOST_FACTS: usize = 500;
/// Bytes of a push as it comes, and unpacked.
pub(crate) const MOST_BYTES: usize = 256 * 1024;
pub(crate) const MOST_BYTES_UNPACKED: u64 = 2 * 1024 * 1024;
/// A phone that was longer without a network is taken to have written its facts so long ago.
const LONGEST_OFFLINE_DAYS: i64 = 90;
/// A clock that runs further ahead is taken to run so far ahead; the fact says that its clock was wrong.
const MOST_AHEAD_DAYS: i64 = 3;
const DAY_SECONDS: i64 = 86_400;
/// The highest number that a phone gives: none writes so much in its life.
pub(crate) const MOST_SEQUENCE: i64 = 1_000_000_000;
/// Gaps that an answer names at most.
const MOST_GAPS: i64 = 50;

#[derive(Debug, Deserialize)]
struct Push {
    facts: Vec<Numbered>,
}

/// A fact as a phone hands it in.
#[derive(Debug, Deserialize)]
pub(crate) struct Numbered {
    pub(crate) sequence: i64,
    pub(crate) chain: String,
    pub(crate) fact: String,
}

/// What the text of a fact says.
#[derive(Debug, Deserialize)]
pub(crate) struct Written {
    pub(crate) id: Uuid,
    pub(crate) kind: String,
    pub(crate) person: Uuid,
    pub(crate) at: i64,
    /// Who wrote it: said by a hub, at which several write.
    #[serde(default)]
    pub(crate) by: Option<Uuid>,
    #[serde(default)]
    pub(crate) corrects: Option<Uuid>,
    pub(crate) body: Value,
}

/// Those in whose names a hub hands facts in, each with how far they reach; none: they do not work there, or may not.
type Authors = HashMap<Uuid, Option<(Actor, Reach)>>;

/// What became of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Answer {
    sequence: i64,
    outcome: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    reason: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    said: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Answers {
    answers: Vec<Answer>,
    missing: Vec<(i64, i64)>,
    now: i64,
}

const ACCEPTED: &str = "accepted";
const DUPLICATE: &str = "duplicate";
const PARKED: &str = "parked";
const REJECTED: &str = "rejected";

/// What was decided about one number, before it is written down.
#[derive(Debug, Clone)]
pub(crate) struct Decided {
    fact: Option<Uuid>,
    pub(crate) outcome: &'static str,
    pub(crate) refusal: Option<Refusal>,
    /// The reason that was answered before, of a number that came again.
    before: Option<String>,
    field: Option<String>,
}

impl Decided {
    const fn done(fact: Uuid, outcome: &'static str) -> Decided {
        Decided { fact: Some(fact), outcome, refusal: None, before: None, field: None }
    }

    fn rejected(reason: &'static str, field: Option<String>) -> Decided {
        let refusal = Some(Refusal::new(reason));
        Decided { fact: None, outcome: REJECTED, refusal, before: None, field }
    }

    fn reason(&self) -> String {
        let own = || self.refusal.as_ref().map(|refusal| refusal.key.to_owned());
        self.before.clone().or_else(own).unwrap_or_default()
    }
}

/// POST `/sync/push`. A wiped phone, too, hands in what it still holds: that is put aside.
pub(crate) async fn push(
    call: PhoneCall,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Answers>, ApiFailure> {
    if call.holder.is_expired {
        return Err(ApiFailure::new(
            StatusCode::GONE,
            Problem::new(Refusal::new("sync.refused.hub_expired")),
        ));
    }
    // Whoever registered a hub cannot sign in just now: what all its people wrote waits there, and is not put aside for that.
    if call.holder.is_hub && call.holder.is_barred && !call.holder.is_wiped {
        return Err(ApiFailure::not_found());
    }
    let push = read(&headers, &body)?;
    let (app, holder, reach) = (call.app.clone(), call.holder.clone(), call.reach.clone());
    let now = call.app.clock.now();
    let write =
        move |tx: &mut Transaction<'_>| take_from(tx, &app, (&holder, reach.as_ref()), &push.facts, now);
    let (decided, missing) = call.app.database.write(write).await?;
    let answers = decided.into_iter().map(|(sequence, one)| Answer {
        sequence,
        outcome: one.outcome,
        reason: one.reason(),
        said: one.refusal.as_ref().map(|refusal| call.page.refusal(refusal)).unwrap_or_default(),
        field: one.field,
    });
    Ok(Json(Answers { answers: answers.collect(), missing, now: milliseconds(now) }))
}

/// Takes what came from a phone or a hub, as far as its account reaches; none: it may do nothing any more, and what it still
/// holds is put aside.
pub(crate) fn take_from(
    tx: &mut Transaction<'_>,
    app: &App,
    (holder, reach): (&PhoneHolder, Option<&Reach>),
    facts: &[Numbered],
    now: Moment,
) -> Result<Outcome, DatabaseError> {
    let barred = match (reach, holder.is_wiped) {
        (_, true) => Some("sync.parked.wiped"),
        (None, false) => Some("sync.parked.barred"),
        (Some(_), false) => None,
    };
    let authors = match holder.is_hub {
        true => Some(authors_of(tx, holder.phone, facts, now)?),
        false => None,
    };
    let (actor, authors) = (&holder.actor, authors.as_ref());
    From { app, phone: holder.phone, actor, reach, authors, now }.take(tx, facts, barred)
}

fn read(headers: &HeaderMap, body: &Bytes) -> Result<Push, ApiFailure> {
    let refuse = |status, key, most: u64| {
        Err(ApiFailure::new(status, Problem::new(Refusal::new(key).with("most", most.to_string()))))
    };
    if body.len() > MOST_BYTES {
        return refuse(StatusCode::PAYLOAD_TOO_LARGE, "sync.refused.push_too_long", MOST_BYTES as u64);
    }
    let mut unpacked = Vec::new();
    let is_packed = headers.get(CONTENT_ENCODING).is_some_and(|how| how.as_bytes() == b"gzip");
    let bytes: &[u8] = if is_packed {
        let mut unpacker = flate2::read::GzDecoder::new(&body[..]).take(MOST_BYTES_UNPACKED + 1);
        if unpacker.read_to_end(&mut unpacked).is_err() {
            return refuse(StatusCode::BAD_REQUEST, "sync.refused.push_unreadable", 0);
        }
        &unpacked
    } else {
        body
    };
    if bytes.len() as u64 > MOST_BYTES_UNPACKED {
        return refuse(StatusCode::PAYLOAD_TOO_LARGE, "sync.refused.push_too_long", MOST_BYTES_UNPACKED);
    }
    let Ok(push) = serde_json::from_slice::<Push>(bytes) else {
        return refuse(StatusCode::BAD_REQUEST, "sync.refused.push_unreadable", 0);
    };
    if push.facts.len() > MOST_FACTS {
        return refuse(StatusCode::PAYLOAD_TOO_LARGE, "sync.refused.push_too_many", MOST_FACTS as u64);
    }
    if push.facts.iter().any(|fact| !(1..=MOST_SEQUENCE).contains(&fact.sequence)) {
        return refuse(StatusCode::BAD_REQUEST, "sync.refused.push_unreadable", 0);
    }
    Ok(push)
}

/// From whom it comes.
struct From<'a> {
    app: &'a App,
    phone: Id<Phone>,
    actor: &'a Actor,
    reach: Option<&'a Reach>,
    /// Of a hub: who wrote.
    authors: Option<&'a Authors>,
    now: Moment,
}

/// What becomes of a fact before its programme looks at it.
enum Judged {
    Decided(Decided),
    ToTake(Box<Sent>),
}

/// Facts of one programme and one author that follow each other, with their places in the push.
type Together = ((usize, Uuid), Vec<usize>, Vec<Sent>);

/// What was decided, by number, and the gaps.
pub(crate) type Outcome = (Vec<(i64, Decided)>, Vec<(i64, i64)>);

impl From<'_> {
    fn take(
        &self,
        tx: &mut Transaction<'_>,
        facts: &[Numbered],
        barred: Option<&'static str>,
    ) -> Result<Outcome, DatabaseError> {
        // Two pushes of one phone at once must see each other's numbers.
        tx.lock(&format!("sync.phone.{}", self.phone.uuid()))?;
        let known = self.known(tx, facts)?;
        // Numbers of this push, each with the place of the first that bears it.
        let mut seen: HashMap<i64, ([u8; 32], usize)> = HashMap::new();
        let mut twins = Vec::new();
        let mut decided: Vec<Option<Decided>> = vec![None; facts.len()];
        let (mut to_take, people) = (Vec::new(), people_of(tx, facts)?);
        let mut merged = HashMap::new();
        for (index, fact) in facts.iter().enumerate() {
            let digest: [u8; 32] = Sha256::digest(fact.fact.as_bytes()).into();
            let receipt = known.get(&fact.sequence);
            if receipt.is_some_and(|receipt| receipt.digest == digest) {
                decided[index] = Some(answered(receipt));
                continue;
            }
            let twin = seen.get(&fact.sequence).copied();
            if let Some((_, first)) = twin.filter(|(same, _)| *same == digest) {
                twins.push((index, first));
                continue;
            }
            let before = receipt.map(|receipt| receipt.digest).or(twin.map(|(other, _)| other));
            seen.entry(fact.sequence).or_insert((digest, index));
            let twice = before.map(|_| Refusal::new("sync.parked.sequence_twice"));
            let barred = barred.map(Refusal::new).or(twice);
            match self.judge(tx, (&people, &mut merged), fact, barred)? {
                Judged::Decided(done) => decided[index] = Some(done),
                Judged::ToTake(sent) => to_take.push((index, *sent)),
            }
        }
        // In the order of writing, whatever the order of sending.
        to_take.sort_by_key(|(index, _): &(usize, Sent)| facts[*index].sequence);
        self.hand_over(tx, facts, to_take, &mut decided)?;
        for (index, first) in twins {
            decided[index] = decided[first].clone().map(again);
        }
        let decided: Vec<(i64, Decided)> = facts
            .iter()
            .zip(decided)
            .filter_map(|(fact, decided)| decided.map(|decided| (fact.sequence, decided)))
            .collect();
        self.write_receipts(tx, facts, &decided, &known)?;
        let count = facts.len().to_string();
        let (id, phone) = (self.app.mint(), Some(self.phone.uuid()));
        audit(tx, id, self.now, self.actor, "phone_push", phone, self.actor.place, &count, "done")?;
        Ok((decided, store::gaps(tx, self.phone, MOST_GAPS)?))
    }

    /// Reads one fact and says what becomes of it before any programme looks at it; `aside` puts it aside whatever it says.
    fn judge(
        &self,
        tx: &mut Transaction<'_>,
        (people, merged): (&HashMap<Uuid, Person>, &mut HashMap<Uuid, bool>),
        numbered: &Numbered,
        aside: Option<Refusal>,
    ) -> Result<Judged, DatabaseError> {
        let sent = match self.sent(people, numbered) {
            Ok(sent) => sent,
            Err(wrong) => {
                let reason = wrong.refusal.as_ref().map_or("", |refusal| refusal.key);
                let at = (self.app.mint(), self.phone, numbered.sequence);
                // Of somebody who was erased nothing is kept but that something came.
                let is_erased = match about(numbered) {
                    Some(person) => was_erased(tx, Subject::person(person))?,
                    None => false,
                };
                let text = if is_erased { "" } else { numbered.fact.as_str() };
                store::keep_text(tx, at, (reason, text), self.now)?;
                return Ok(Judged::Decided(*wrong));
            }
        };
        let own = match aside {
            Some(refusal) => Some(refusal),
            None => self.aside(tx, &sent)?,
        };
        let refusal = match (own, &sent.person) {
            (None, Some(person)) => is_merged(tx, merged, person)?,
            (refusal, _) => refusal,
        };
        match (refusal, sent) {
            (None, Reading { fact, person: Some(person) }) => {
                Ok(Judged::ToTake(Box::new(Sent { fact, person, now: self.now })))
            }
            (_, Reading { fact, person: None }) if was_erased(tx, fact.subject)? => {
                let cut = NewFact { body: "{}".to_owned(), ..fact };
                Ok(Judged::Decided(self.park(tx, &cut, Refusal::new("sync.parked.erased"))?))
            }
            (refusal, Reading { fact, .. }) => {
                let refusal = refusal.unwrap_or(Refusal::new("sync.parked.unknown_person"));
                Ok(Judged::Decided(self.park(tx, &fact, refusal)?))
            }
        }
    }

    /// The receipts that are there, from the number before the first to the one after the last.
    fn known(
        &self,
        tx: &mut Transaction<'_>,
        facts: &[Numbered],
    ) -> Result<BTreeMap<i64, Receipt>, DatabaseError> {
        let mut numbers: Vec<i64> = facts.iter().map(|fact| fact.sequence).collect();
        numbers.sort_unstable();
        let mut known = BTreeMap::new();
        // Numbers that lie far from each other are looked for apart.
        for run in numbers.chunk_by(|one, next| next - one <= 1_000) {
            let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
            let mut from = first.saturating_sub(1);
            let last = last.saturating_add(1);
            while from <= last {
                let upto = from.saturating_add(1_999).min(last);
                let found = store::receipts(tx, self.phone, (from, upto))?;
                known.extend(found.into_iter().map(|receipt| (receipt.sequence, receipt)));
                from = upto.saturating_add(1);
            }
        }
        Ok(known)
    }

    /// Reads the text of a fact and finds its person.
    fn sent(&self, people: &HashMap<Uuid, Person>, numbered: &Numbered) -> Result<Reading, Box<Decided>> {
        let written: Written = match serde_json::from_str(&numbered.fact) {
            Ok(written) => written,
            Err(error) => {
                let field = error.to_string().split('`').nth(1).map(str::to_owned);
                return Err(Box::new(Decided::rejected("sync.rejected.no_fact", field)));
            }
        };
        if written.kind.is_empty() || written.kind.len() > LONGEST_KIND {
            return Err(Box::new(Decided::rejected("sync.rejected.no_fact", Some("kind".to_owned()))));
        }
        let person = people.get(&written.person).cloned();
        // What a phone's clock says beyond this is the clock's fault.
        let day = |days: i64| self.now.plus_seconds(days * DAY_SECONDS);
        let recorded_at = of_milliseconds(written.at).clamp(day(-LONGEST_OFFLINE_DAYS), day(MOST_AHEAD_DAYS));
        Ok(Reading {
            fact: NewFact {
                id: written.id,
                kind: written.kind,
                subject: Subject::person(written.person),
                occurred_at: recorded_at,
                recorded_at,
                place: person.as_ref().map_or(self.actor.place, |person| person.home),
                author: self.author(written.by),
                source: Source::Typed,
                corrects: written.corrects,
                body: written.body.to_string(),
            },
            person,
        })
    }

    /// Who wrote a fact: of a phone its account, whatever it says; of a hub the one it names. A hub that names nobody wrote it
    /// itself, and nobody works there by that name.
    fn author(&self, by: Option<Uuid>) -> Uuid {
        match self.authors {
            Some(_) => by.unwrap_or(Uuid::nil()),
            None => self.actor.account.uuid(),
        }
    }

    /// Who acts, for a fact of this author.
    fn hand_of(&self, author: Uuid) -> Option<(&Actor, &Reach)> {
        match self.authors {
            Some(authors) => authors.get(&author)?.as_ref().map(|(actor, reach)| (actor, reach)),
            None => self.reach.map(|reach| (self.actor, reach)),
        }
    }

    /// Why a fact is put aside before any programme looks at it.
    fn aside(&self, tx: &mut Transaction<'_>, reading: &Reading) -> Result<Option<Refusal>, DatabaseError> {
        let Some(person) = &reading.person else {
            return Ok(Some(Refusal::new("sync.parked.unknown_person")));
        };
        let hand = self.hand_of(reading.fact.author);
        if self.authors.is_some() && hand.is_none() {
            return Ok(Some(Refusal::new("sync.parked.not_at_hub")));
        }
        // Both who wrote and whose phone or hub it is reach the person: by place, or as who serves them where they live.
        let whom = (person.id.uuid(), person.home);
        for hand in [self.reach.map(|reach| (self.actor, reach)), hand] {
            let Some((actor, reach)) = hand else {
                return Ok(Some(Refusal::new("sync.parked.out_of_reach")));
            };
            if !reach.covers(person.home)
                && reach_of_person(tx, actor, Purpose::RecordVisits, whom, self.now)?.is_none()
            {
                return Ok(Some(Refusal::new("sync.parked.out_of_reach")));
            }
        }
        let tellers = Tellers::of(self.app.programmes);
        let is_unknown = tellers.taker(&reading.fact.kind).is_none();
        Ok(is_unknown.then(|| Refusal::new("sync.parked.unknown_kind")))
    }

    fn park(
        &self,
        tx: &mut Transaction<'_>,
        fact: &NewFact,
        refusal: Refusal,
    ) -> Result<Decided, DatabaseError> {
        // Who looks at it works where the phone's account works: the person may be anywhere by now.
        let here = NewFact { place: self.actor.place, ..fact.clone() };
        park_fact(tx, self.now, &here, &refusal)?;
        Ok(Decided { refusal: Some(refusal), ..Decided::done(fact.id, PARKED) })
    }

    /// Hands the facts to their programmes in their order, those of one programme and author that follow each other together.
    fn hand_over(
        &self,
        tx: &mut Transaction<'_>,
        facts: &[Numbered],
        to_take: Vec<(usize, Sent)>,
        decided: &mut [Option<Decided>],
    ) -> Result<(), DatabaseError> {
        let tellers = Tellers::of(self.app.programmes);
        let mut by_taker: Vec<Together> = Vec::new();
        for (index, sent) in to_take {
            let Some(field) = tellers.taker(&sent.fact.kind) else { continue };
            let key = (field.written.as_ptr() as usize, sent.fact.author);
            match by_taker.last_mut().filter(|(last, _, _)| *last == key) {
                Some((_, indices, all)) => {
                    indices.push(index);
                    all.push(sent);
                }
                None => by_taker.push((key, vec![index], vec![sent])),
            }
        }
        for ((_, author), indices, sent) in by_taker {
            let Some(field) = sent.first().and_then(|sent| tellers.taker(&sent.fact.kind)) else { continue };
            let written: Vec<NewFact> = sent.iter().map(|sent| sent.fact.clone()).collect();
            let Some(hand) = self.hand_of(author) else { continue };
            let taken = (field.take)(tx, self.app, hand, sent)?;
            for ((index, fact), taken) in indices.into_iter().zip(written).zip(taken) {
                decided[index] = Some(match taken {
                    Taken::Kept(id) => Decided::done(id, ACCEPTED),
                    Taken::There => Decided::done(fact.id, DUPLICATE),
                    Taken::Refused(refusal) => self.park(tx, &fact, refusal)?,
                    Taken::Unreadable(member) => {
                        let at = (self.app.mint(), self.phone, facts[index].sequence);
                        let text = (UNREADABLE, facts[index].fact.as_str());
                        store::keep_text(tx, at, text, self.now)?;
                        Decided::rejected(UNREADABLE, Some(member))
                    }
                });
            }
        }
        Ok(())
    }

    /// Writes what was answered, for numbers that had no answer yet.
    fn write_receipts(
        &self,
        tx: &mut Transaction<'_>,
        facts: &[Numbered],
        decided: &[(i64, Decided)],
        known: &BTreeMap<i64, Receipt>,
    ) -> Result<(), DatabaseError> {
        let mut fresh: BTreeMap<i64, Receipt> = BTreeMap::new();
        for (fact, (_, one)) in facts.iter().zip(decided) {
            if known.contains_key(&fact.sequence) || fresh.contains_key(&fact.sequence) {
                continue;
            }
            fresh.insert(
                fact.sequence,
                Receipt {
                    sequence: fact.sequence,
                    fact: one.fact,
                    digest: Sha256::digest(fact.fact.as_bytes()).into(),
                    chain: read_chain(&fact.chain).unwrap_or_default(),
                    outcome: one.outcome.to_owned(),
                    reason: one.reason(),
                },
            );
        }
        let of = |number: i64| fresh.get(&number).or_else(|| known.get(&number));
        let follows = |receipt: &Receipt| {
            let before = match receipt.sequence {
                1 => Some(first_chain(self.phone)),
                number => of(number - 1).map(|before| before.chain),
            };
            before.is_none_or(|before| next_chain(&before, &receipt.digest) == receipt.chain)
        };
        let rows: Vec<(Receipt, bool)> =
            fresh.values().map(|receipt| (receipt.clone(), !follows(receipt))).collect();
        store::insert_receipts(tx, self.phone, &rows, self.now)?;
        // One that came before its neighbour is held against it now.
        for number in fresh.keys().map(|number| number + 1).filter(|number| !fresh.contains_key(number)) {
            if known.get(&number).is_some_and(|later| !follows(later)) {
                store::note_broken(tx, self.phone, number)?;
            }
        }
        Ok(())
    }
}

/// A record that was found to be another's takes no more visits: they would stand where nobody looks.
fn is_merged(
    tx: &mut Transaction<'_>,
    known: &mut HashMap<Uuid, bool>,
    person: &Person,
) -> Result<Option<Refusal>, DatabaseError> {
    let id = person.id.uuid();
    let merged = match known.get(&id) {
        Some(merged) => *merged,
        None => same_as(tx, person.id)?.is_some(),
    };
    known.insert(id, merged);
    Ok(merged.then(|| Refusal::new("sync.parked.merged")))
}

/// Who wrote these facts, as a hub says, as far as they work there.
fn authors_of(
    tx: &mut Transaction<'_>,
    hub: Id<Phone>,
    facts: &[Numbered],
    now: Moment,
) -> Result<Authors, DatabaseError> {
    #[derive(Deserialize)]
    struct By {
        by: Uuid,
    }
    let mut authors = Authors::new();
    for fact in facts {
        let Ok(By { by }) = serde_json::from_str::<By>(&fact.fact) else { continue };
        if let std::collections::hash_map::Entry::Vacant(free) = authors.entry(by) {
            let actor = hub_author(tx, hub, Id::from_uuid(by), now)?;
            let found = actor.and_then(|actor| {
                let reach = reach(&actor, Purpose::RecordVisits)?;
                Some((actor, reach))
            });
            free.insert(found);
        }
    }
    Ok(authors)
}

/// Whom a text is about, as far as it says so.
fn about(fact: &Numbered) -> Option<Uuid> {
    #[derive(Deserialize)]
    struct About {
        person: Uuid,
    }
    serde_json::from_str::<About>(&fact.fact).ok().map(|about| about.person)
}

/// The people whom these facts are about, as far as the register has them.
fn people_of(tx: &mut Transaction<'_>, facts: &[Numbered]) -> Result<HashMap<Uuid, Person>, DatabaseError> {
    let mut people: Vec<Uuid> = facts.iter().filter_map(about).collect();
    people.sort_unstable();
    people.dedup();
    find_persons(tx, &people)
}

const UNREADABLE: &str = "sync.rejected.unreadable";
/// The longest name of a kind, in bytes.
const LONGEST_KIND: usize = 100;

/// A fact as it was read, and its person, if the register has them.
struct Reading {
    fact: NewFact,
    person: Option<Person>,
}

/// What the second of two that are the same is answered.
fn again(first: Decided) -> Decided {
    let before = Some(first.reason()).filter(|reason| !reason.is_empty());
    Decided { outcome: DUPLICATE, before, ..first }
}

/// What a number that came again is answered.
fn answered(receipt: Option<&Receipt>) -> Decided {
    let before = receipt.map(|receipt| receipt.reason.clone()).filter(|reason| !reason.is_empty());
    let refusal = before.is_some().then(|| Refusal::new("sync.parked.before"));
    let fact = receipt.and_then(|receipt| receipt.fact);
    Decided { fact, outcome: DUPLICATE, refusal, before, field: None }
}

/// What stands before the first chain of a phone.
pub(crate) fn first_chain(phone: Id<Phone>) -> [u8; 32] {
    Sha256::digest(phone.uuid().to_string().as_bytes()).into()
}

pub(crate) fn next_chain(before: &[u8; 32], digest: &[u8; 32]) -> [u8; 32] {
    Sha256::new_with_prefix(before).chain_update(digest).finalize().into()
}

fn read_chain(text: &str) -> Option<[u8; 32]> {
    let mut chain = [0_u8; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (byte, pair) in chain.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(chain)
}
