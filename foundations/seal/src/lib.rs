//! Secrecy at rest: values that a stolen disk or a dump of the database must not tell.
//!
//! [`KeyRing::seal`] seals a value to its [`Cell`]: a sealed value that is copied to another row, column or table does
//! not open there, one that was altered does not open at all. It says which key of the ring sealed it, so that old
//! values stay readable while a new key is taken up. [`KeyRing::digest`] makes a keyed digest by which a value is
//! found again without being told.
//!
//! Sealing is deterministic: the nonce is a keyed digest of the cell and the value (a synthetic nonce), so the same
//! value in the same cell under the same key is the same to the letter. Views can be compared with what their facts
//! tell, and no counter or randomness can be repeated by a machine that was cloned. What it tells: whether a cell that
//! changed and changed back holds what it held before.
//!
//! *Invariant:* no key reaches a log: nothing here that holds one shows it.

mod cipher;
mod digest;
mod hex;
mod master;
mod ring;

pub use cipher::CipherKind;
pub use digest::{Digest, LookUp, Purpose};
pub use master::{BadKeyText, MasterKeys};
pub use ring::{Cell, KeyRing, Opened, Secret, Unopened, WrappedKey, key_of};
