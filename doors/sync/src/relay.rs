//! A hub: a server of a clinic day or a van that works without a network and is, upstream, a phone (`docs/sync.md`,
//! `docs/adr/020-hubs.md`). It loads the people of its places, is told what is new, and hands on what was written here in the
//! names of those who wrote it.
//!
//! What it holds of a person is a copy. Whenever upstream has anything new of somebody, the whole of them is told again, takes
//! the place of what was here, and what waits to be handed on is written on top. So whatever was missed, doubled or judged in
//! another way heals by itself.

mod copy;
pub(crate) mod desk;
pub(crate) mod heard;
mod link;
pub(crate) mod store;

use std::sync::Arc;

use kangmai_access::take_up_staff;
use kangmai_base::{DivisionCode, Id, Moment, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_programme::App;
use kangmai_record::NewFact;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::cursor::Cursor;
use crate::push::{first_chain, next_chain};
use crate::relay::heard::{Answers, Head, Line, News, Own, Roll};
use crate::relay::store::{HubLink, Out};
use crate::told::{Tellers, milliseconds};

pub use desk::keep_to_hub;
pub use link::{AddressError, Link, LinkError};

/// Facts that are handed on at once.
const PUSH_FACTS: i64 = 100;
/// Bytes of them at most, below what upstream takes.
const PUSH_BYTES: usize = 128 * 1024;
/// Facts that are numbered at once.
const NUMBER_AT_ONCE: i64 = 500;
/// People that are asked for at once.
const PEOPLE_AT_ONCE: i64 = 100;
/// Households of a load that are written at once.
const HOUSEHOLDS_AT_ONCE: usize = 50;
/// Answers of one pull; a hub that has more to hear goes on in the next round.
const MOST_PULLS: usize = 200;

/// Why a round came to no good end.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The link.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The database of the hub.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// A hub at work.
#[derive(Clone)]
pub struct Relay {
    app: App,
    link: Link,
    hub: Id<kangmai_access::Phone>,
}

impl Relay {
    /// Takes up the link of this hub: asks upstream who it is where that is not known yet, or where the key is another.
    ///
    /// # Errors
    /// When upstream must be asked and does not answer as it should.
    pub fn take_up(app: &App, link: Link, key: &str) -> Result<Relay, RelayError> {
        let known = app.database.read_blocking(store::link)?;
        let hub = match known.as_ref().filter(|known| known.key == key) {
            Some(known) if known.upstream == link.base() => known.hub,
            _ => {
                let own: Own = link.ask("/sync/hub")?;
                enter(app, &link, key, &own)?;
                Id::from_uuid(own.hub)
            }
        };
        Ok(Relay { app: app.clone(), link, hub })
    }

    /// The key that a hub holds, if it was one before.
    ///
    /// # Errors
    /// When the database fails.
    pub fn held_key(app: &App) -> Result<Option<String>, DatabaseError> {
        Ok(app.database.read_blocking(store::link)?.map(|link| link.key).filter(|key| !key.is_empty()))
    }

    /// Whether upstream had this hub wiped.
    ///
    /// # Errors
    /// When the database fails.
    pub fn is_wiped(app: &App) -> Result<bool, DatabaseError> {
        Ok(app.database.read_blocking(store::link)?.is_some_and(|link| link.wiped_at.is_some()))
    }

    /// Hands in what was written after the last round, before all is taken away.
    ///
    /// # Errors
    /// As [`Relay::round`].
    pub fn hand_in_the_rest(&self) -> Result<(), RelayError> {
        self.number()?;
        self.hand_on()
    }

    /// One round: numbers what was written here, hands it on, and hears what is new. Whatever ends it in the middle, the next
    /// goes on from there.
    ///
    /// # Errors
    /// The link or the database; the link's trouble is written down for who looks. [`LinkError::Wiped`] once all that waited is
    /// handed in.
    pub fn round(&self) -> Result<(), RelayError> {
        let done = self.whole_round();
        let now = self.app.clock.now();
        let trouble = match &done {
            Ok(()) => None,
            Err(RelayError::Link(trouble)) => Some(trouble.word()),
            Err(RelayError::Database(_)) => Some("sync.hub.trouble.own"),
        };
        let is_wiped = matches!(done, Err(RelayError::Link(LinkError::Wiped)));
        self.app.database.write_blocking(move |tx| match trouble {
            None => store::set_heard(tx, now),
            Some(_) if is_wiped => store::set_wiped(tx, now),
            Some(trouble) => store::set_trouble(tx, trouble),
        })?;
        done
    }

    fn whole_round(&self) -> Result<(), RelayError> {
        self.number()?;
        self.hand_on()?;
        self.meet_staff()?;
        self.hear()?;
        self.freshen()
    }

    /// Numbers what was written here since, in the order of writing, and chains it.
    fn number(&self) -> Result<(), RelayError> {
        let app = self.app.clone();
        while app.database.write_blocking({
            let app = app.clone();
            move |tx| number(tx, &app)
        })? {}
        Ok(())
    }

    /// Hands on what waits, as often as it takes. A cut link leaves it waiting: upstream answers a number once and the same
    /// ever after.
    fn hand_on(&self) -> Result<(), RelayError> {
        let mut after = 0;
        loop {
            let some = self.app.database.read_blocking(move |tx| store::waiting(tx, after, PUSH_FACTS))?;
            let mut bytes = 0;
            let some: Vec<Out> = some
                .into_iter()
                .enumerate()
                .take_while(|(index, out)| {
                    bytes += out.text.len();
                    *index == 0 || bytes <= PUSH_BYTES
                })
                .map(|(_, out)| out)
                .collect();
            let Some(last) = some.last().map(|last| last.sequence) else { return Ok(()) };
            let said = self.link.send("/sync/push", push_of(&some).to_string().as_bytes())?;
            let said: Answers = serde_json::from_slice(&said).map_err(|_| LinkError::NotKangmai)?;
            self.app.database.write_blocking(move |tx| {
                let mut people = Vec::new();
                for answer in &said.answers {
                    people.extend(store::answered(tx, answer)?);
                }
                // What upstream lacks below what it has was lost there: it goes with the next round.
                for gap in &said.missing {
                    store::again(tx, *gap)?;
                }
                store::mark_stale(tx, &people)
            })?;
            after = last;
        }
    }

    /// Who this hub is and who works at it.
    fn meet_staff(&self) -> Result<(), RelayError> {
        let own: Own = self.link.ask("/sync/hub")?;
        let (app, hub) = (self.app.clone(), self.hub);
        let left_out = self.app.database.write_blocking(move |tx| -> Result<_, DatabaseError> {
            store::set_own(tx, &own.name, own.place)?;
            go_on_after(tx, own.received)?;
            take_up_staff(tx, hub, &own.staff, &*app.ids, app.clock.now())
        })?;
        if !left_out.is_empty() {
            tracing::warn!(count = left_out.len(), "accounts of upstream whose names somebody else has here");
        }
        Ok(())
    }

    /// Hears what is new: loads places that are new, marks people of whom there is anything, calls the roll.
    fn hear(&self) -> Result<(), RelayError> {
        for _ in 0..MOST_PULLS {
            let link = self.held()?;
            let law = self.app.current().policies.hash().to_owned();
            let news: News = self.link.ask(&format!("/sync/pull?cursor={}&law={law}", link.cursor))?;
            self.compare_received(&news)?;
            let known: Cursor = link.cursor.parse().unwrap_or_default();
            let more = news.more;
            let fresh: Vec<DivisionCode> =
                news.places.keys().filter(|place| !known.0.contains_key(place)).copied().collect();
            if news.law != law {
                tracing::debug!("the law here is another than upstream's, which judges what is handed in");
            }
            self.take_news(&news, &known)?;
            for place in &fresh {
                self.load(*place)?;
            }
            if more {
                continue;
            }
            for (place, roll) in &news.places {
                self.call_roll(*place, roll)?;
            }
            return Ok(());
        }
        Ok(())
    }

    fn held(&self) -> Result<HubLink, RelayError> {
        let link = self.app.database.read_blocking(store::link)?;
        link.ok_or(RelayError::Link(LinkError::WrongKey))
    }

    /// A copy that upstream put back may end before what this hub handed in: then it is handed in again.
    fn compare_received(&self, news: &News) -> Result<(), RelayError> {
        let Some(received) = news.received else { return Ok(()) };
        let again = self.app.database.write_blocking(move |tx| store::again_after(tx, received))?;
        if again > 0 {
            tracing::warn!(again, "upstream has lost facts that it took before: they are handed in again");
            self.hand_on()?;
        }
        Ok(())
    }

    /// Marks of whom there is anything new, and lets the places go that are not this hub's any more; with the cursor, in one.
    fn take_news(&self, news: &News, known: &Cursor) -> Result<(), RelayError> {
        let people: Vec<Uuid> = news
            .facts
            .iter()
            .map(|about| about.person)
            .chain(news.people.iter().map(|named| named.id))
            .collect();
        let gone: Vec<DivisionCode> =
            known.0.keys().filter(|place| !news.places.contains_key(place)).copied().collect();
        let (app, households, cursor) = (self.app.clone(), news.households.clone(), news.cursor.clone());
        self.app.database.write_blocking(move |tx| -> Result<(), DatabaseError> {
            copy::put_households(tx, &app, &households)?;
            for place in gone {
                for person in crate::store::on_roll(tx, place)? {
                    copy::let_go(tx, &app, person)?;
                }
            }
            // Whether anybody is to be told of whom it does not know, the roll says.
            let known = copy::known(tx, &people)?;
            store::mark_stale(tx, &known)?;
            store::set_cursor(tx, &cursor)
        })?;
        Ok(())
    }

    /// Loads a place from the beginning; its cursor is noted with the last of its households.
    fn load(&self, place: DivisionCode) -> Result<(), RelayError> {
        let body = self.link.get(&format!("/sync/first?place={place}"))?;
        let mut lines = body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let read = |line: &[u8]| serde_json::from_slice::<Line>(line).map_err(|_| LinkError::NotKangmai);
        let head: Head =
            lines.next().and_then(|line| serde_json::from_slice(line).ok()).ok_or(LinkError::NotKangmai)?;
        let households: Vec<Line> = lines.map(read).collect::<Result<_, _>>()?;
        let mut households = households.into_iter().peekable();
        while households.peek().is_some() {
            let some: Vec<Line> = households.by_ref().take(HOUSEHOLDS_AT_ONCE).collect();
            let app = self.app.clone();
            self.app.database.write_blocking(move |tx| copy::take_lines(tx, &app, &some))?;
        }
        let own: Cursor = head.cursor.parse().map_err(|_| LinkError::NotKangmai)?;
        self.app.database.write_blocking(move |tx| -> Result<(), DatabaseError> {
            let link = store::link(tx)?;
            let mut cursor: Cursor = link.and_then(|link| link.cursor.parse().ok()).unwrap_or_default();
            cursor.0.extend(own.0);
            store::set_cursor(tx, &cursor.to_string())
        })?;
        Ok(())
    }

    /// Compares who is at home in a place, and asks for the list where it differs.
    fn call_roll(&self, place: DivisionCode, roll: &str) -> Result<(), RelayError> {
        let range = (place.number().cast_signed(), place.number().cast_signed());
        let own = self.app.database.read_blocking(move |tx| crate::store::rolls(tx, range))?;
        if own.get(&place).copied().unwrap_or_default().to_string() == roll {
            return Ok(());
        }
        let there: Roll = self.link.ask(&format!("/sync/roll?place={place}"))?;
        let app = self.app.clone();
        self.app.database.write_blocking(move |tx| -> Result<(), DatabaseError> {
            let here = crate::store::on_roll(tx, place)?;
            for person in here.iter().filter(|person| !there.people.contains(person)) {
                copy::let_go(tx, &app, *person)?;
            }
            let lacking: Vec<Uuid> =
                there.people.iter().filter(|person| !here.contains(person)).copied().collect();
            store::mark_stale(tx, &lacking)
        })?;
        Ok(())
    }

    /// Asks anew for everybody of whom there is anything new.
    fn freshen(&self) -> Result<(), RelayError> {
        loop {
            let people = self.app.database.read_blocking(|tx| store::stale(tx, PEOPLE_AT_ONCE))?;
            if people.is_empty() {
                return Ok(());
            }
            let body = self.link.send("/sync/people", json!({ "people": people }).to_string().as_bytes())?;
            let lines = body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
            let lines: Vec<Line> = lines
                .map(|line| serde_json::from_slice(line).map_err(|_| LinkError::NotKangmai))
                .collect::<Result<_, _>>()?;
            let app = self.app.clone();
            self.app.database.write_blocking(move |tx| -> Result<(), DatabaseError> {
                copy::take_lines(tx, &app, &lines)?;
                let told = |person: &Uuid| {
                    lines.iter().flat_map(|line| &line.people).any(|told| told.person.id == *person)
                };
                for person in &people {
                    // Who is not told is not here any more: moved away, died, merged or erased.
                    if !told(person) {
                        copy::let_go(tx, &app, *person)?;
                    }
                    store::freshened(tx, *person)?;
                }
                Ok(())
            })?;
        }
    }
}

/// Writes down which hub this is. Where it was registered again, all that it holds is numbered anew and handed in once more:
/// what upstream has already it knows by the facts' own names.
fn enter(app: &App, link: &Link, key: &str, own: &Own) -> Result<(), DatabaseError> {
    let (hub, name, place) = (Id::from_uuid(own.hub), own.name.clone(), own.place);
    let (upstream, key, received) = (link.base().to_owned(), key.to_owned(), own.received);
    app.database.write_blocking(move |tx| {
        let before = store::link(tx)?;
        let start = first_chain(hub);
        store::set_link(tx, (hub, &name, place), (&upstream, &key), start)?;
        if let Some(before) = before.filter(|before| before.hub != hub) {
            let mut last = (0, start);
            store::renumber(tx, |text| {
                last = (last.0 + 1, chained(&last.1, text));
                last
            })?;
            store::set_last(tx, last, before.collected_at)?;
            store::set_cursor(tx, &before.cursor)?;
        }
        go_on_after(tx, received)
    })
}

/// Upstream has higher numbers than this hub has given: the database here is an older copy, or a new one. What it holds is
/// numbered on from there and handed in once more; what upstream has already it knows by the facts' own names.
fn go_on_after(tx: &mut Transaction<'_>, received: i64) -> Result<(), DatabaseError> {
    let Some(link) = store::link(tx)?.filter(|link| received > link.last_sequence) else { return Ok(()) };
    tracing::warn!(received, last = link.last_sequence, "upstream has more of this hub than it holds itself");
    let mut last = (received, link.last_chain);
    store::renumber(tx, |text| {
        last = (last.0 + 1, chained(&last.1, text));
        last
    })?;
    store::set_last(tx, last, link.collected_at)
}

fn chained(before: &[u8; 32], text: &str) -> [u8; 32] {
    next_chain(before, &Sha256::digest(text.as_bytes()).into())
}

/// Numbers some of what was written here; answers whether there is more.
fn number(tx: &mut Transaction<'_>, app: &App) -> Result<bool, DatabaseError> {
    let Some(link) = store::link(tx)? else { return Ok(false) };
    let latest = store::latest(tx)?;
    if latest <= link.collected_at {
        return Ok(false);
    }
    let tellers = Tellers::of(app.programmes);
    let fresh = store::fresh(tx, link.collected_at, &tellers.written(), NUMBER_AT_ONCE)?;
    let is_full = i64::try_from(fresh.len()).is_ok_and(|count| count >= NUMBER_AT_ONCE);
    let mut last = (link.last_sequence, link.last_chain);
    for (fact, _) in &fresh {
        let text = text_of(&tellers, fact);
        last = (last.0 + 1, chained(&last.1, &text));
        store::put_out(tx, fact, last, &text)?;
    }
    // Facts that came together bear one moment: the next look begins before it, and passes over what is numbered.
    let reached = match fresh.last() {
        Some((_, received_at)) if is_full => Moment(received_at.0 - 1),
        _ => latest,
    };
    store::set_last(tx, last, reached)?;
    Ok(is_full)
}

/// The facts that were just written are upstream's, or are numbered: the next look passes over them.
fn pass_over(tx: &mut Transaction<'_>) -> Result<(), DatabaseError> {
    let Some(link) = store::link(tx)? else { return Ok(()) };
    let latest = store::latest(tx)?;
    store::set_last(tx, (link.last_sequence, link.last_chain), latest)
}

/// The text of a fact that was written here, as a phone writes it, with who wrote it. It stays this text.
fn text_of(tellers: &Tellers, fact: &NewFact) -> String {
    let body = tellers.taker(&fact.kind).and_then(|field| (field.hand_on)(fact));
    let body = body.or_else(|| serde_json::from_str(&fact.body).ok()).unwrap_or(Value::Null);
    let mut text = json!({
        "id": fact.id, "kind": fact.kind, "person": fact.subject.id, "at": milliseconds(fact.recorded_at),
        "by": fact.author, "body": body,
    });
    if let (Some(corrects), Some(members)) = (fact.corrects, text.as_object_mut()) {
        members.insert("corrects".to_owned(), json!(corrects));
    }
    text.to_string()
}

fn push_of(facts: &[Out]) -> Value {
    let facts = facts.iter().map(|out| {
        let chain: String = out.chain.iter().map(|byte| format!("{byte:02x}")).collect();
        json!({ "sequence": out.sequence, "chain": chain, "fact": out.text })
    });
    json!({ "facts": facts.collect::<Vec<Value>>() })
}

/// What pages of a hub ask: that it is one.
#[derive(Clone)]
pub struct AtHub(pub Arc<str>);
