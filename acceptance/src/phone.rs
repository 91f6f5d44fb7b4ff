//! A phone in the field, without its screen: registers, loads, hears what is new, writes facts and hands them in, as
//! `docs/sync.md` says. What the network does to it is the journey's to say.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kangmai_base::{Ids, Moment, Uuid};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::visitor::{Visitor, percent};

/// A person as the phone knows them.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// The card.
    pub card: Value,
    /// What is known of them, by fact.
    pub facts: BTreeMap<Uuid, Value>,
}

/// A fact as it was written, for as long as it is not answered.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// Its number.
    pub sequence: i64,
    chain: [u8; 32],
    /// The fact.
    pub id: Uuid,
    text: String,
}

/// A phone.
pub struct Phone {
    system: Visitor,
    /// Its identifier.
    pub id: Uuid,
    /// What it shows.
    pub key: String,
    /// What a journey may compare.
    pub share: String,
    /// What seals what it holds.
    pub data_key: String,
    /// By place, how far it has heard.
    cursor: String,
    places: BTreeMap<String, String>,
    /// Whom it knows.
    pub people: BTreeMap<Uuid, Known>,
    /// What it has not been answered for.
    pub outbox: Vec<Outgoing>,
    last: i64,
    chain: [u8; 32],
    /// All that it ever wrote.
    pub written: Vec<Uuid>,
    /// How far its clock is ahead, in seconds.
    pub ahead_seconds: i64,
}

fn hex(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a phone makes of a PIN: here only another text of the right form.
pub fn proof(pin: &str) -> String {
    hex(pin)
}

fn uuid(value: &Value) -> Uuid {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("no identifier: {value}"))
}

impl Phone {
    /// Registers a phone of who is signed in.
    pub fn registered(signed_in: &mut Visitor, system: Visitor, name: &str, pin: &str) -> Phone {
        let session = signed_in.finds("/field/session").json();
        let csrf = session["csrf"].as_str().expect("a token").to_owned();
        let form = format!("csrf={csrf}&name={}&proof={}", percent(name), proof(pin));
        let kind = Some("application/x-www-form-urlencoded");
        signed_in.send("POST", "/field/phones", kind, form.into_bytes());
        assert_eq!(signed_in.status(), StatusCode::OK, "{}", signed_in.whole_text());
        let keys = signed_in.json();
        let text = |name: &str| keys[name].as_str().expect(name).to_owned();
        let id = uuid(&keys["phone"]);
        let mut phone = Phone {
            system,
            id,
            key: text("key"),
            share: text("share"),
            data_key: text("data_key"),
            cursor: String::new(),
            places: BTreeMap::new(),
            people: BTreeMap::new(),
            outbox: Vec::new(),
            last: 0,
            chain: Sha256::digest(id.to_string().as_bytes()).into(),
            written: Vec::new(),
            ahead_seconds: 0,
        };
        phone.system.shows_key(Some(&phone.key));
        phone
    }

    /// Asks for a path with its key.
    pub fn asks(&mut self, path: &str) -> (StatusCode, Vec<u8>) {
        self.system.send("GET", path, None, Vec::new());
        let mut body = self.system.bytes().to_vec();
        if self.system.header("content-encoding") == Some("gzip") {
            let mut unpacked = Vec::new();
            flate2::read::GzDecoder::new(&body[..]).read_to_end(&mut unpacked).expect("packed by gzip");
            body = unpacked;
        }
        (self.system.status(), body)
    }

    /// Hands in a body as it is.
    pub fn sends(&mut self, path: &str, body: &Value) -> (StatusCode, Value) {
        self.sends_bytes(path, body.to_string().into_bytes())
    }

    /// The same, whatever the bytes are.
    pub fn sends_bytes(&mut self, path: &str, body: Vec<u8>) -> (StatusCode, Value) {
        self.system.send("POST", path, Some("application/json"), body);
        (self.system.status(), serde_json::from_slice(self.system.bytes()).unwrap_or_default())
    }

    /// What an app answers that speaks this version.
    pub fn asks_as(&mut self, version: &str, path: &str) -> StatusCode {
        self.system.says_header("kangmai-phone", Some(version));
        let (status, _) = self.asks(path);
        self.system.says_header("kangmai-phone", None);
        status
    }

    /// What a header of the last answer said.
    pub fn header(&self, name: &str) -> Option<String> {
        self.system.header(name).map(str::to_owned)
    }

    /// Shows a key from now on.
    pub fn shows(&mut self, key: &str) {
        self.key = key.to_owned();
        self.system.shows_key(Some(key));
    }

    /// Loads a place from the beginning.
    pub fn loads(&mut self, place: &str) -> usize {
        let (status, body) = self.asks(&format!("/sync/first?place={place}"));
        if status == StatusCode::NOT_FOUND {
            return 0;
        }
        assert_eq!(status, StatusCode::OK, "the load of {place}");
        let text = String::from_utf8(body).expect("text");
        let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON"));
        let head = lines.next().expect("a first line");
        let cursor = head["cursor"].as_str().expect("a cursor");
        self.cursor =
            if self.cursor.is_empty() { cursor.to_owned() } else { format!("{};{cursor}", self.cursor) };
        self.places.insert(place.to_owned(), String::new());
        for line in lines {
            self.takes_line(&line);
        }
        text.len()
    }

    fn takes_line(&mut self, line: &Value) {
        for one in line["people"].as_array().expect("people") {
            let facts = one["facts"].as_array().expect("facts").iter();
            let facts = facts.map(|fact| (uuid(&fact["id"]), without_person(fact)));
            let known = Known { card: one["person"].clone(), facts: facts.collect() };
            self.people.insert(uuid(&one["person"]["id"]), known);
        }
    }

    /// Takes in what is new until there is nothing more. `deaf` loses the first answer on the way.
    pub fn hears(&mut self, deaf: bool) {
        if deaf {
            let path = format!("/sync/pull?cursor={}", self.cursor);
            let _lost = self.asks(&path);
            return;
        }
        for _ in 0..50 {
            let (status, body) = self.asks(&format!("/sync/pull?cursor={}", self.cursor));
            assert_eq!(status, StatusCode::OK, "a pull");
            let news: Value = serde_json::from_slice(&body).expect("JSON");
            self.cursor = news["cursor"].as_str().expect("a cursor").to_owned();
            self.takes_news(&news);
            if news["more"] == json!(false) {
                return;
            }
        }
        panic!("a pull has no end");
    }

    fn takes_news(&mut self, news: &Value) {
        for card in news["people"].as_array().expect("people") {
            // Of whom it does not know it hears by the roll, with all that is known of them.
            if let Some(known) = self.people.get_mut(&uuid(&card["id"])) {
                known.card = card.clone();
            }
        }
        for fact in news["facts"].as_array().expect("facts") {
            if let Some(known) = self.people.get_mut(&uuid(&fact["person"])) {
                known.facts.insert(uuid(&fact["id"]), without_person(fact));
            }
        }
        let now: BTreeMap<String, String> = news["places"]
            .as_object()
            .expect("places")
            .iter()
            .map(|(place, roll)| (place.clone(), roll.as_str().expect("a roll").to_owned()))
            .collect();
        self.people.retain(|_, known| known.card["home"].as_str().is_some_and(|home| now.contains_key(home)));
        let fresh: Vec<String> =
            now.keys().filter(|place| !self.places.contains_key(*place)).cloned().collect();
        self.places.retain(|place, _| now.contains_key(place));
        for place in fresh {
            self.loads(&place);
        }
        for (place, roll) in now {
            if self.roll(&place) != roll {
                self.calls_the_roll(&place);
            }
        }
    }

    /// The phone's own roll of a place.
    fn roll(&self, place: &str) -> String {
        let at_home = self.people.iter().filter(|(_, known)| known.card["home"] == json!(place));
        let ids: Vec<u128> = at_home.map(|(id, _)| id.as_u128()).collect();
        format!("{}-{:032x}", ids.len(), ids.iter().fold(0, |sum, id| sum ^ id))
    }

    fn calls_the_roll(&mut self, place: &str) {
        let (status, body) = self.asks(&format!("/sync/roll?place={place}"));
        assert_eq!(status, StatusCode::OK, "a roll");
        let roll: Value = serde_json::from_slice(&body).expect("JSON");
        let there: BTreeSet<Uuid> = roll["people"].as_array().expect("people").iter().map(uuid).collect();
        self.people.retain(|id, known| there.contains(id) || known.card["home"] != json!(place));
        let of_here = |known: &Known| known.card["home"] == json!(place);
        let lacking: Vec<Uuid> =
            there.iter().filter(|id| !self.people.get(id).is_some_and(of_here)).copied().collect();
        for some in lacking.chunks(200) {
            self.system.send(
                "POST",
                "/sync/people",
                Some("application/json"),
                json!({ "people": some }).to_string().into_bytes(),
            );
            assert_eq!(self.system.status(), StatusCode::OK, "people by name");
            let text = String::from_utf8(self.system.bytes().to_vec()).expect("text");
            for line in text.lines() {
                self.takes_line(&serde_json::from_str(line).expect("a line of JSON"));
            }
        }
    }

    /// Writes a fact down, to be handed in when there is a network.
    pub fn writes(&mut self, ids: &dyn Ids, now: Moment, kind: &str, person: Uuid, body: Value) -> Uuid {
        let at = now.plus_seconds(self.ahead_seconds);
        let id = ids.mint(at);
        let corrects = body.get("corrects").cloned();
        let mut fact = json!({ "id": id, "kind": kind, "person": person, "at": at.0 / 1_000, "body": body });
        if let Some(corrects) = corrects {
            fact["corrects"] = corrects;
        }
        self.writes_text(id, &fact.to_string());
        id
    }

    /// The same, whatever the text is.
    pub fn writes_text(&mut self, id: Uuid, text: &str) {
        self.last += 1;
        let digest = Sha256::digest(text.as_bytes());
        self.chain = Sha256::new_with_prefix(self.chain).chain_update(digest).finalize().into();
        self.outbox.push(Outgoing { sequence: self.last, chain: self.chain, id, text: text.to_owned() });
        self.written.push(id);
    }

    /// The outbox as the app saves it into a file: sealed, each to its number.
    pub fn exports(&self) -> String {
        let bytes: Vec<u8> = (0..self.data_key.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&self.data_key[at..at + 2], 16).expect("hexadecimal"))
            .collect();
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &bytes).expect("a key"));
        let entry = |one: &Outgoing| {
            let mut nonce = [0_u8; 12];
            nonce[..8].copy_from_slice(&one.sequence.to_le_bytes());
            let mut sealed = json!({ "text": one.text }).to_string().into_bytes();
            let place = format!("outbox/{}", one.sequence);
            let aad = Aad::from(place.as_bytes());
            key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed)
                .expect("sealed");
            let chain: String = one.chain.iter().map(|byte| format!("{byte:02x}")).collect();
            let whole = [nonce.to_vec(), sealed].concat();
            json!({ "sequence": one.sequence, "id": one.id, "form": 1, "chain": chain, "state": "waiting",
                "sealed": STANDARD.encode(whole) })
        };
        let entries: Vec<Value> = self.outbox.iter().map(entry).collect();
        json!({ "form": 1, "phone": self.id, "account": Uuid::nil(), "entries": entries }).to_string()
    }

    /// What the phone would hand in of these.
    pub fn push_of<'o>(facts: impl IntoIterator<Item = &'o Outgoing>) -> Value {
        let facts = facts.into_iter().map(|one| {
            let chain: String = one.chain.iter().map(|byte| format!("{byte:02x}")).collect();
            json!({ "sequence": one.sequence, "chain": chain, "fact": one.text })
        });
        json!({ "facts": facts.collect::<Vec<_>>() })
    }

    /// A push of one text under a number of its own.
    pub fn outbox_of(&self, sequence: i64, text: &str) -> Value {
        json!({ "facts": [{ "sequence": sequence, "chain": "", "fact": text }] })
    }

    /// Hands in all that waits, and takes out what is answered.
    pub fn pushes(&mut self) -> Vec<Value> {
        let mut answers = Vec::new();
        while !self.outbox.is_empty() {
            let some: Vec<Outgoing> = self.outbox.iter().take(100).cloned().collect();
            answers.extend(self.pushes_these(&some));
        }
        answers
    }

    /// Hands these in, in this order, and takes out what is answered.
    pub fn pushes_these(&mut self, facts: &[Outgoing]) -> Vec<Value> {
        let (status, said) = self.sends("/sync/push", &Phone::push_of(facts));
        assert_eq!(status, StatusCode::OK, "{said}");
        let answers = said["answers"].as_array().expect("answers").clone();
        assert_eq!(answers.len(), facts.len(), "one answer for each: {said}");
        let done: BTreeSet<i64> = answers.iter().filter_map(|answer| answer["sequence"].as_i64()).collect();
        self.outbox.retain(|one| !done.contains(&one.sequence));
        answers
    }
}

/// A fact without the person, who stands beside it in a load.
fn without_person(fact: &Value) -> Value {
    let mut fact = fact.clone();
    if let Some(members) = fact.as_object_mut() {
        members.remove("person");
    }
    fact
}
