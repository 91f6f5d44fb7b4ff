//! The keys by which values are sealed before they reach the database. The ring stands in the database, each key wrapped by
//! a master key that stands outside, so that several servers on one database share a rotation.
//!
//! A transaction that seals asks first whether there is a newer key, one that meets a value under a key it does not know
//! reads the ring again. So a running server takes up a new key with its next transaction, without a timer.

use std::sync::{Arc, PoisonError, RwLock};

use kangmai_base::{Ids, Moment, Uuid};
use kangmai_seal::{
    Cell, CipherKind, Digest, KeyRing, LookUp, MasterKeys, Opened, Purpose, Unopened, WrappedKey,
};

use crate::{Database, DatabaseError, InsertMany, Migration, Migrations, Transaction, Value, params};

/// The table of wrapped keys.
pub const KEY_TABLES: Migrations = Migrations {
    owner: "keys",
    steps: &[Migration { name: "001-keys", sql: include_str!("../migrations/001-keys.sql") }],
};

const KEPT: &str = "select number, cipher, wrapped, made_at from seal_key order by number";
const NEWEST: &str = "select coalesce(max(number), 0) from seal_key";
const CLEAR: &str = "delete from seal_key";
const REMOVE: &str = "delete from seal_key where number = $1";
const KEEP: InsertMany =
    InsertMany { table: "seal_key", columns: &["number", "cipher", "wrapped", "made_at"], suffix: "" };
/// The lock that a change of the ring holds.
const LOCK: &str = "kangmai keys";

/// What all clones of a [`Database`] share.
#[derive(Clone, Default)]
pub(crate) struct Keys(Arc<RwLock<Held>>);

#[derive(Clone, Default)]
struct Held {
    ring: Option<KeyRing>,
    /// None: the ring is in memory alone, for tests and benches.
    master: Option<MasterKeys>,
}

impl Keys {
    fn held(&self) -> Held {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn hold(&self, ring: KeyRing, master: Option<MasterKeys>) {
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        // Of two that read at the same time the later ring stays.
        let is_older =
            held.master.is_some() && held.ring.as_ref().is_some_and(|old| old.current() > ring.current());
        if !is_older {
            *held = Held { ring: Some(ring), master };
        }
    }
}

/// A key of the ring, as `kangmai keys status` tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptKey {
    /// Its number.
    pub number: u32,
    /// Its cipher.
    pub cipher: CipherKind,
    /// Since when it is there.
    pub made_at: Moment,
    /// Which master key wraps it.
    pub wrapped_by: u32,
}

impl Database {
    /// Takes up the ring that is kept in this database, which `master` wraps; makes one where there is none. The tables
    /// ([`KEY_TABLES`]) must be there.
    ///
    /// # Errors
    /// [`DatabaseError::Keys`] when another master key is wanted or a key was altered; when the database fails.
    pub fn unlock(&self, master: &MasterKeys, ids: &dyn Ids, now: Moment) -> Result<(), DatabaseError> {
        let fresh = KeyRing::fresh(ids, master.cipher());
        let with = master.clone();
        let ring = self.write_blocking(move |tx| {
            tx.lock(LOCK)?;
            let kept = kept(tx)?;
            if !kept.is_empty() {
                return unwrap(&with, &kept);
            }
            keep(tx, with.wrap(&fresh), |_| now)?;
            Ok(fresh)
        })?;
        self.keys.hold(ring, Some(master.clone()));
        Ok(())
    }

    /// Holds a ring that is kept nowhere: for tests and benches.
    pub fn hold_keys(&self, ring: KeyRing) {
        self.keys.hold(ring, None);
    }

    /// The ring that is held; `None` before [`Database::unlock`].
    pub fn keys(&self) -> Option<KeyRing> {
        self.keys.held().ring
    }

    /// Makes a new key, current from now on; answers its number.
    ///
    /// # Errors
    /// When no ring was taken up, or the database fails.
    pub fn rotate_keys(&self, ids: &dyn Ids, now: Moment) -> Result<u32, DatabaseError> {
        let master = self.keys.held().master.ok_or(DatabaseError::Keys(Unopened::NoKey(0)))?;
        let drawn = KeyRing::fresh(ids, master.cipher());
        let with = master.clone();
        let ring = self.write_blocking(move |tx| {
            tx.lock(LOCK)?;
            let kept = kept(tx)?;
            let ring = unwrap(&with, &kept)?.with_newest_of(&drawn, with.cipher());
            let newest = ring.current();
            let wrapped = with.wrap(&ring).into_iter().filter(|key| key.number == newest).collect();
            keep(tx, wrapped, |_| now)?;
            Ok::<_, DatabaseError>(ring)
        })?;
        let newest = ring.current();
        self.keys.hold(ring, Some(master));
        Ok(newest)
    }

    /// Wraps every key of the ring again, by the first of `master`, which must also hold the one that wraps them now.
    ///
    /// # Errors
    /// As [`Database::unlock`].
    pub fn rewrap_keys(&self, master: &MasterKeys) -> Result<(), DatabaseError> {
        let with = master.clone();
        let ring = self.write_blocking(move |tx| {
            tx.lock(LOCK)?;
            let old = kept(tx)?;
            let ring = unwrap(&with, &old)?;
            let made_at = |number: u32| {
                old.iter().find(|(key, _)| key.number == number).map_or(Moment(0), |(_, made_at)| *made_at)
            };
            tx.execute(CLEAR, &[])?;
            keep(tx, with.wrap(&ring), made_at)?;
            Ok::<_, DatabaseError>(ring)
        })?;
        self.keys.hold(ring, Some(master.clone()));
        Ok(())
    }
}

/// The keys that are kept, oldest first, without the look-up key.
///
/// # Errors
/// When the database fails.
pub fn kept_keys(tx: &mut Transaction<'_>) -> Result<Vec<KeptKey>, DatabaseError> {
    let told = |(key, made_at): (WrappedKey, Moment)| KeptKey {
        number: key.number,
        cipher: key.cipher,
        made_at,
        wrapped_by: kangmai_seal::key_of(&key.wrapped).unwrap_or_default(),
    };
    Ok(kept(tx)?.into_iter().filter(|(key, _)| key.number != 0).map(told).collect())
}

/// Forgets a key for ever. The caller has seen that nothing is sealed with it and that it is not the current one.
///
/// # Errors
/// When the database fails.
pub fn forget_key(tx: &mut Transaction<'_>, number: u32) -> Result<(), DatabaseError> {
    tx.lock(LOCK)?;
    tx.execute(REMOVE, &params![number])?;
    Ok(())
}

fn kept(tx: &mut Transaction<'_>) -> Result<Vec<(WrappedKey, Moment)>, DatabaseError> {
    tx.query(KEPT, &[])?
        .iter()
        .map(|row| {
            let cipher: String = row.get(1)?;
            let cipher = CipherKind::of_key(&cipher)
                .ok_or(DatabaseError::WrongType { column: 1, expected: "cipher" })?;
            Ok((WrappedKey { number: row.get(0)?, cipher, wrapped: row.get(2)? }, row.get(3)?))
        })
        .collect()
}

fn unwrap(master: &MasterKeys, kept: &[(WrappedKey, Moment)]) -> Result<KeyRing, DatabaseError> {
    let kept: Vec<WrappedKey> = kept.iter().map(|(key, _)| key.clone()).collect();
    master.unwrap(&kept).map_err(DatabaseError::Keys)
}

fn keep(
    tx: &mut Transaction<'_>,
    wrapped: Vec<WrappedKey>,
    made_at: impl Fn(u32) -> Moment,
) -> Result<(), DatabaseError> {
    let rows = wrapped
        .into_iter()
        .map(|key| params![key.number, key.cipher.key(), key.wrapped, made_at(key.number)]);
    tx.insert_many(&KEEP, rows)?;
    Ok(())
}

/// The keys of one transaction.
#[derive(Default)]
pub(crate) struct Holding {
    keys: Keys,
    /// The ring, once it was asked for.
    ring: Option<KeyRing>,
    /// Whether it was looked for a newer key.
    is_newest: bool,
}

impl Holding {
    pub(crate) fn of(keys: Keys) -> Holding {
        Holding { keys, ring: None, is_newest: false }
    }
}

/// Opens and seals texts without the transaction, while that one hands over rows or on another core: with every key that it
/// can meet.
#[derive(Debug, Clone)]
pub struct Opener(KeyRing);

impl Opener {
    /// The text of `table.column` of the row `id`, as [`Transaction::sealed`] sealed it; nothing stays nothing.
    ///
    /// # Errors
    /// When the value is not what was sealed there.
    pub fn text(
        &self,
        (table, column): (&str, &str),
        id: Uuid,
        sealed: Option<Vec<u8>>,
    ) -> Result<Option<String>, DatabaseError> {
        let Some(sealed) = sealed else { return Ok(None) };
        let cell = Cell { table, column, row: id.as_bytes() };
        let opened = self.0.open(&cell, &sealed).map_err(DatabaseError::Keys)?;
        text_of(&opened).map(Some)
    }

    /// `text` as [`Transaction::sealed`] seals it.
    pub fn sealed(&self, (table, column): (&str, &str), id: Uuid, text: &str) -> Value {
        Value::Bytes(self.0.seal(&Cell { table, column, row: id.as_bytes() }, text.as_bytes()))
    }
}

fn text_of(opened: &Opened) -> Result<String, DatabaseError> {
    std::str::from_utf8(opened).map(str::to_owned).map_err(|_| DatabaseError::Keys(Unopened::Broken))
}

impl Transaction<'_> {
    /// What opens the rows of this transaction.
    ///
    /// # Errors
    /// When there are no keys or the database fails.
    pub fn opener(&mut self) -> Result<Opener, DatabaseError> {
        Ok(Opener(self.newest_ring()?))
    }

    fn ring(&mut self) -> Result<KeyRing, DatabaseError> {
        if let Some(ring) = &self.held.ring {
            return Ok(ring.clone());
        }
        let ring = self.held.keys.held().ring.ok_or(DatabaseError::NoKeys)?;
        self.held.ring = Some(ring.clone());
        Ok(ring)
    }

    /// The ring with the key that is current in the database as this transaction sees it.
    fn newest_ring(&mut self) -> Result<KeyRing, DatabaseError> {
        let ring = self.ring()?;
        if self.held.is_newest || self.held.keys.held().master.is_none() {
            return Ok(ring);
        }
        self.held.is_newest = true;
        let newest: u32 = self.query_one(NEWEST, &[])?.map_or(Ok(0), |row| row.get(0))?;
        if newest == ring.current() { Ok(ring) } else { self.read_ring() }
    }

    fn read_ring(&mut self) -> Result<KeyRing, DatabaseError> {
        let master = self.held.keys.held().master.ok_or(DatabaseError::NoKeys)?;
        let kept = kept(self)?;
        let ring = unwrap(&master, &kept)?;
        self.held.keys.hold(ring.clone(), Some(master));
        self.held.ring = Some(ring.clone());
        Ok(ring)
    }

    /// The number of the current key.
    ///
    /// # Errors
    /// When there are no keys or the database fails.
    pub fn current_key(&mut self) -> Result<u32, DatabaseError> {
        Ok(self.newest_ring()?.current())
    }

    /// Seals `plain` for `cell` with the current key.
    ///
    /// # Errors
    /// When there are no keys or the database fails.
    pub fn seal(&mut self, cell: &Cell<'_>, plain: &[u8]) -> Result<Vec<u8>, DatabaseError> {
        Ok(self.newest_ring()?.seal(cell, plain))
    }

    /// Opens what was sealed for `cell`.
    ///
    /// # Errors
    /// When there are no keys, the value is not what was sealed there, or the database fails.
    pub fn open(&mut self, cell: &Cell<'_>, sealed: &[u8]) -> Result<Opened, DatabaseError> {
        let opened = match self.ring()?.open(cell, sealed) {
            Err(Unopened::NoKey(_)) if self.held.keys.held().master.is_some() => {
                self.read_ring()?.open(cell, sealed)
            }
            opened => opened,
        };
        opened.map_err(DatabaseError::Keys)
    }

    /// The same as text.
    ///
    /// # Errors
    /// As [`Transaction::open`], and when it is no text.
    pub fn open_text(&mut self, cell: &Cell<'_>, sealed: &[u8]) -> Result<String, DatabaseError> {
        text_of(&self.open(cell, sealed)?)
    }

    /// The keyed digest of `plain` for `purpose`.
    ///
    /// # Errors
    /// When there are no keys.
    pub fn digest(&mut self, purpose: Purpose, plain: &[u8]) -> Result<Digest, DatabaseError> {
        Ok(self.ring()?.digest(purpose, plain))
    }

    /// The look-up key of a purpose, for many digests.
    ///
    /// # Errors
    /// When there are no keys.
    pub fn look_up(&mut self, purpose: Purpose) -> Result<LookUp, DatabaseError> {
        Ok(self.ring()?.look_up(purpose))
    }
}
