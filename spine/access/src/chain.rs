//! The chain that the audit trail is sealed into: whoever alters, removes or puts in a line afterwards is found out, and
//! the line is named.
//!
//! The program marks each line as it writes it (HMAC-SM3 under a key that stands outside the database), in the transaction
//! of what the line tells of, and nobody waits. A reconciler takes the lines into the chain, in order, under a lock: each
//! link has an ordinal and a hash over the line and the hash before it. An anchor is the head of the chain, kept outside of
//! the database: it tells what was cut off at the end.

use std::fmt;
use std::str::FromStr;

use kangmai_base::{DivisionCode, Ids, Moment, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_seal::{Digest, LookUp, Purpose as DigestPurpose};

use crate::audit::{Line, MARK};
use crate::store::audit as lines;
use crate::store::chain::{self as store, Link, Standing, Told};
use crate::{Actor, Role, audit};

/// Tables whose rows the role of a server adds and never changes.
pub const AUDIT_ONLY_ADDED_TO: &[&str] = &["audit_row", "audit_link"];
/// The least that the trail is kept: six months (网络安全法 21).
pub const LEAST_AUDIT_MONTHS: u32 = 6;
/// How long it is kept unless somebody says otherwise: 15 years, as the outpatient record of which it tells (医疗机构病历管理规定 29).
pub const AUDIT_KEPT_MONTHS: u32 = 180;

const LOCK: &str = "audit chain";
const HASH: DigestPurpose = DigestPurpose("audit_link.hash");
const ANCHOR: DigestPurpose = DigestPurpose("audit anchor");
/// Lines that one transaction takes into the chain.
const AT_ONCE: i64 = 2_000;
/// Faults that are told one by one; the rest is counted.
const MOST_FAULTS: usize = 1_000;
/// What stands before the first link.
const NOTHING: [u8; 32] = [0; 32];
/// The first line of a chain; its reason is the number of lines of before, which carry no mark.
const BEGUN: &str = "audit_begun";
/// Says that the chain was cut; its reason: last ordinal that went, its hash, how many lines carry no mark.
const CUT: &str = "audit_cut";

fn hash(key: &LookUp, ordinal: i64, previous: &[u8], line: &Line, mark: Option<&[u8]>) -> Digest {
    let mut bytes = line.bytes();
    bytes.extend_from_slice(mark.unwrap_or_default());
    bytes.extend_from_slice(previous);
    bytes.extend_from_slice(&ordinal.to_be_bytes());
    key.digest(&bytes)
}

/// Whether a line waits to come into the chain.
///
/// # Errors
/// When the database fails.
pub fn audit_waits(tx: &mut Transaction<'_>) -> Result<bool, DatabaseError> {
    store::any_waiting(tx)
}

/// Takes lines that wait into the chain; answers how many: call it until it answers 0. Several servers take turns.
///
/// # Errors
/// When the database holds no keys or fails.
pub fn seal_audit(tx: &mut Transaction<'_>, ids: &dyn Ids, now: Moment) -> Result<usize, DatabaseError> {
    if !store::any_waiting(tx)? {
        return Ok(0);
    }
    tx.lock(LOCK)?;
    let waiting = store::waiting(tx, AT_ONCE)?;
    if waiting.is_empty() {
        return Ok(0);
    }
    let (head, mut previous) = match store::head(tx)? {
        Some(head) => head,
        None => begin(tx, ids, now)?,
    };
    let key = tx.look_up(HASH)?;
    let mut links = Vec::with_capacity(waiting.len());
    for ((line, mark), ordinal) in waiting.iter().zip(head + 1..) {
        let own = hash(&key, ordinal, &previous, line, mark.as_deref());
        let link = Link { ordinal, line: line.id, previous, hash: own.bytes().to_vec() };
        previous = own.bytes().to_vec();
        links.push(link);
    }
    store::put(tx, links, head)?;
    Ok(waiting.len())
}

/// The first link: it says how many lines were there before the chain.
fn begin(tx: &mut Transaction<'_>, ids: &dyn Ids, now: Moment) -> Result<(i64, Vec<u8>), DatabaseError> {
    let line = Line {
        id: ids.mint(now),
        at: now,
        account: None,
        role: Role::System.key().to_owned(),
        action: BEGUN.to_owned(),
        subject: None,
        place: DivisionCode::COUNTRY,
        reason: store::count_unmarked(tx)?.to_string(),
        outcome: "done".to_owned(),
        address: None,
        asked: None,
    };
    let mark = tx.digest(MARK, &line.bytes())?;
    lines::insert_line(tx, &line, mark.bytes())?;
    let own = hash(&tx.look_up(HASH)?, 1, &NOTHING, &line, Some(mark.bytes())).bytes().to_vec();
    let link = Link { ordinal: 1, line: line.id, previous: NOTHING.to_vec(), hash: own.clone() };
    store::put(tx, vec![link], 0)?;
    Ok((1, own))
}

/// Lets every line wait that neither waits nor is in the chain: those of before it, and those that a program of before wrote.
/// Answers how many.
///
/// # Errors
/// When the database fails.
pub fn take_up_audit(tx: &mut Transaction<'_>) -> Result<u64, DatabaseError> {
    tx.lock(LOCK)?;
    store::take_up(tx)
}

/// The head of the chain at a moment, to be kept outside of the database. Written and read as one line of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// When.
    pub at: Moment,
    /// The ordinal of the last link.
    pub ordinal: i64,
    hash: Digest,
    mark: Digest,
}

impl Anchor {
    fn bytes(at: Moment, ordinal: i64, hash: &Digest) -> Vec<u8> {
        [&at.0.to_be_bytes()[..], &ordinal.to_be_bytes()[..], hash.bytes()].concat()
    }
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Anchor { at, ordinal, hash, mark } = self;
        write!(f, "{} {} {ordinal} {} {}", at.day(), at.0, hash.hex(), mark.hex())
    }
}

/// A text that is no anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an anchor of the audit trail")]
pub struct NotAnAnchor;

impl FromStr for Anchor {
    type Err = NotAnAnchor;

    fn from_str(text: &str) -> Result<Anchor, NotAnAnchor> {
        let parts: Vec<&str> = text.split_whitespace().collect();
        let [_, at, ordinal, hash, mark] = parts[..] else { return Err(NotAnAnchor) };
        Ok(Anchor {
            at: at.parse().map(Moment).map_err(|_| NotAnAnchor)?,
            ordinal: ordinal.parse().map_err(|_| NotAnAnchor)?,
            hash: Digest::of_hex(hash).ok_or(NotAnAnchor)?,
            mark: Digest::of_hex(mark).ok_or(NotAnAnchor)?,
        })
    }
}

/// The head of the chain; `None` while there is none.
///
/// # Errors
/// When the database holds no keys or fails.
pub fn anchor_audit(tx: &mut Transaction<'_>, at: Moment) -> Result<Option<Anchor>, DatabaseError> {
    let Some((ordinal, hash)) = store::head(tx)? else { return Ok(None) };
    let hash = Digest::of_bytes(&hash).ok_or(DatabaseError::WrongType { column: 1, expected: "hash" })?;
    let mark = tx.digest(ANCHOR, &Anchor::bytes(at, ordinal, &hash))?;
    Ok(Some(Anchor { at, ordinal, hash, mark }))
}

/// What is wrong with the trail, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The line is not as it was written.
    Altered {
        /// Its place.
        ordinal: i64,
        /// Its identifier.
        line: Uuid,
    },
    /// The line is gone, its link is there; or it waited for its link.
    Removed {
        /// Its place, if it had one.
        ordinal: Option<i64>,
        /// Its identifier.
        line: Uuid,
    },
    /// Links are gone, whatever became of their lines.
    Missing {
        /// The first of them.
        first: i64,
        /// The last of them.
        last: i64,
    },
    /// The line does not belong in this place, or the link was altered.
    Moved {
        /// The place.
        ordinal: i64,
        /// The line that stands there.
        line: Uuid,
    },
    /// The line was not written by this program, or it was altered before it came into the chain.
    Inserted {
        /// Its place, if it has one.
        ordinal: Option<i64>,
        /// Its identifier.
        line: Uuid,
    },
    /// The chain ends before what an anchor saw.
    CutOff {
        /// Where it ends.
        last: i64,
        /// What the anchor saw.
        anchored: i64,
        /// When.
        at: Moment,
    },
    /// The chain is another than the one that an anchor saw.
    NotAnchored {
        /// Where.
        ordinal: i64,
        /// When.
        at: Moment,
    },
    /// The anchor was not written by this program.
    ForgedAnchor {
        /// What it says.
        ordinal: i64,
        /// When it says so.
        at: Moment,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Altered { ordinal, line } => write!(f, "altered: line {ordinal}, {line}"),
            Fault::Removed { ordinal: Some(ordinal), line } => write!(f, "removed: line {ordinal}, {line}"),
            Fault::Removed { ordinal: None, line } => {
                write!(f, "removed: {line}, before it came into the chain")
            }
            Fault::Missing { first, last } if first == last => {
                write!(f, "removed with its link: line {first}")
            }
            Fault::Missing { first, last } => write!(f, "removed with their links: lines {first} to {last}"),
            Fault::Moved { ordinal, line } => write!(f, "not in its place: line {ordinal}, {line}"),
            Fault::Inserted { ordinal: Some(ordinal), line } => write!(f, "inserted: line {ordinal}, {line}"),
            Fault::Inserted { ordinal: None, line } => write!(f, "inserted: {line}, which is in no chain"),
            Fault::CutOff { last, anchored, at } => {
                write!(f, "cut off at the end: lines {} to {anchored}, which were there at {at}", last + 1)
            }
            Fault::NotAnchored { ordinal, at } => {
                write!(f, "another chain: at line {ordinal} it is not the one that was anchored at {at}")
            }
            Fault::ForgedAnchor { ordinal, at } => {
                write!(f, "an anchor that this program did not write: line {ordinal} at {at}")
            }
        }
    }
}

/// What a verification found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// Links that were read.
    pub links: u64,
    /// The ordinals of the first and the last.
    pub from_to: Option<(i64, i64)>,
    /// Lines that are to come into the chain yet, and are as they were written.
    pub waiting: i64,
    /// Anchors that were compared.
    pub anchors: u64,
    /// What is wrong, in order.
    pub faults: Vec<Fault>,
    /// How much more is wrong.
    pub more: u64,
}

impl Verified {
    fn blame(&mut self, fault: Fault) {
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(fault);
        } else {
            self.more += 1;
        }
    }

    /// Whether nothing is wrong.
    pub fn is_whole(&self) -> bool {
        self.faults.is_empty()
    }
}

/// What the lines say that tell of the chain itself, if the program wrote them.
#[derive(Default)]
struct Sayings {
    /// Lines of before the chain, which carry no mark.
    unmarked: i64,
    /// Where it was cut: the last ordinal that went, and its hash.
    cuts: Vec<(i64, String)>,
}

fn sayings(tx: &mut Transaction<'_>, key: &LookUp) -> Result<Sayings, DatabaseError> {
    let mut said = Sayings::default();
    for (line, mark) in store::of_action(tx, BEGUN)? {
        if is_marked(key, &line, mark.as_deref()) {
            said.unmarked = said.unmarked.max(line.reason.parse().unwrap_or(0));
        }
    }
    for (line, mark) in store::of_action(tx, CUT)? {
        let parts: Vec<&str> = line.reason.split(' ').collect();
        if let [last, hash, unmarked] = parts[..]
            && is_marked(key, &line, mark.as_deref())
        {
            said.unmarked = said.unmarked.max(unmarked.parse().unwrap_or(0));
            said.cuts.push((last.parse().unwrap_or(0), hash.to_owned()));
        }
    }
    Ok(said)
}

fn is_marked(key: &LookUp, line: &Line, mark: Option<&[u8]>) -> bool {
    mark.is_some_and(|mark| mark == &key.digest(&line.bytes()).bytes()[..])
}

/// Goes through the whole trail and compares it with its chain, its marks and these anchors. Only reads.
///
/// # Errors
/// When the database holds no keys or fails.
pub fn verify_audit(tx: &mut Transaction<'_>, anchors: &[Anchor]) -> Result<Verified, DatabaseError> {
    let (marks, hashes) = (tx.look_up(MARK)?, tx.look_up(HASH)?);
    let said = sayings(tx, &marks)?;
    let mut walk = Walk { said, marks, hashes, last: None, found: Verified::default() };
    store::for_each_link(tx, |standing| walk.meet(standing))?;
    let Walk { said, marks, last, mut found, .. } = walk;
    store::for_each_unlinked(tx, |line, mark, told| match told {
        Told::Line(own) if is_marked(&marks, &own, mark.as_deref()) => found.waiting += 1,
        // Before the first run nothing is in the chain yet, and what was there carries no mark.
        Told::Line(_) if mark.is_none() && last.is_none() => found.waiting += 1,
        _ => found.blame(Fault::Inserted { ordinal: None, line }),
    })?;
    for line in store::waiting_for_nothing(tx)? {
        found.blame(Fault::Removed { ordinal: None, line });
    }
    compare_anchors(tx, anchors, &said, &mut found)?;
    Ok(found)
}

/// A walk along the chain.
struct Walk {
    said: Sayings,
    marks: LookUp,
    hashes: LookUp,
    /// The link before, as it stands.
    last: Option<(i64, Vec<u8>)>,
    found: Verified,
}

impl Walk {
    fn meet(&mut self, one: Standing) {
        let ordinal = one.ordinal;
        let follows = match &self.last {
            Some((last, hash)) if last + 1 == ordinal => one.previous == *hash,
            Some((last, _)) => {
                self.found.blame(Fault::Missing { first: last + 1, last: ordinal - 1 });
                true
            }
            None => self.begins_at(ordinal, &one.previous),
        };
        if let Some(fault) = self.fault_of(&one, follows) {
            self.found.blame(fault);
        }
        self.found.links += 1;
        let first = self.found.from_to.map_or(ordinal, |(first, _)| first);
        self.found.from_to = Some((first, ordinal));
        self.last = Some((ordinal, one.hash));
    }

    /// The first link that is there is the first of all, or the one after a cut.
    fn begins_at(&mut self, ordinal: i64, previous: &[u8]) -> bool {
        if ordinal == 1 {
            return previous == NOTHING;
        }
        let before = Digest::of_bytes(previous).map(|hash| hash.hex()).unwrap_or_default();
        let is_cut = self.said.cuts.iter().any(|(last, hash)| *last == ordinal - 1 && *hash == before);
        if !is_cut {
            // After the last cut, if there was one, everything must be there.
            let first = self.said.cuts.iter().map(|(last, _)| last + 1).max().unwrap_or(1);
            self.found.blame(Fault::Missing { first, last: ordinal - 1 });
        }
        true
    }

    fn fault_of(&self, one: &Standing, follows: bool) -> Option<Fault> {
        let (ordinal, line) = (one.ordinal, one.line);
        let told = match &one.told {
            Told::Gone => return Some(Fault::Removed { ordinal: Some(ordinal), line }),
            Told::Unreadable => return Some(Fault::Altered { ordinal, line }),
            Told::Line(told) => told,
        };
        let mark = one.mark.as_deref();
        let hash = hash(&self.hashes, ordinal, &one.previous, told, mark);
        let is_hashed = one.hash == hash.bytes()[..];
        // The first lines, one after the one that begins the chain, are from before it.
        let is_of_before = mark.is_none() && ordinal <= self.said.unmarked + 1;
        let is_own = is_of_before || is_marked(&self.marks, told, mark);
        match (is_own, is_hashed) {
            (true, true) => (!follows).then_some(Fault::Moved { ordinal, line }),
            (true, false) if is_of_before => Some(Fault::Altered { ordinal, line }),
            (true, false) => Some(Fault::Moved { ordinal, line }),
            (false, true) => Some(Fault::Inserted { ordinal: Some(ordinal), line }),
            (false, false) => Some(Fault::Altered { ordinal, line }),
        }
    }
}

fn compare_anchors(
    tx: &mut Transaction<'_>,
    anchors: &[Anchor],
    said: &Sayings,
    found: &mut Verified,
) -> Result<(), DatabaseError> {
    let key = tx.look_up(ANCHOR)?;
    let last = found.from_to.map_or(0, |(_, last)| last);
    let cut = said.cuts.iter().map(|(last, _)| *last).max().unwrap_or(0);
    for anchor in anchors {
        let Anchor { at, ordinal, hash, mark } = *anchor;
        found.anchors += 1;
        if key.digest(&Anchor::bytes(at, ordinal, &hash)) != mark {
            found.blame(Fault::ForgedAnchor { ordinal, at });
        } else if ordinal > last {
            found.blame(Fault::CutOff { last, anchored: ordinal, at });
        } else if let Some(standing) = store::hash_at(tx, ordinal)? {
            if standing != hash.bytes()[..] {
                found.blame(Fault::NotAnchored { ordinal, at });
            }
        } else if ordinal == cut && !said.cuts.iter().any(|(_, own)| *own == hash.hex()) {
            found.blame(Fault::NotAnchored { ordinal, at });
        }
    }
    Ok(())
}

/// What a cut took away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// The ordinal of the first line that went.
    pub first: i64,
    /// The ordinal of the last.
    pub last: i64,
}

/// Takes away the lines from before `since`, up to the first that is not; a line says so, with the hash from which the rest
/// follows, so that the chain can be verified as before. `None` if there was nothing to take.
///
/// # Errors
/// When the database holds no keys or fails.
pub fn cut_audit(
    tx: &mut Transaction<'_>,
    ids: &dyn Ids,
    since: Moment,
    now: Moment,
) -> Result<Option<Cut>, DatabaseError> {
    tx.lock(LOCK)?;
    let Some((first, (head, _))) = store::first(tx)?.zip(store::head(tx)?) else { return Ok(None) };
    // The last link stays in any case, or the next would have nothing to follow.
    let last = store::first_kept(tx, since)?.map_or(head, |kept| kept.min(head)) - 1;
    let Some(hash) = store::hash_at(tx, last)?.filter(|_| last >= first) else { return Ok(None) };
    let hash = Digest::of_bytes(&hash).ok_or(DatabaseError::WrongType { column: 0, expected: "hash" })?;
    let marks = tx.look_up(MARK)?;
    let unmarked = sayings(tx, &marks)?.unmarked;
    store::cut(tx, first, last)?;
    let (id, actor) = (ids.mint(now), Actor::system());
    let reason = format!("{last} {} {unmarked}", hash.hex());
    audit(tx, id, now, &actor, CUT, None, actor.place, &reason, "done")?;
    Ok(Some(Cut { first, last }))
}
