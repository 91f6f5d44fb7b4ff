//! The words that every other crate speaks: money ([`Fen`], [`Rate`]), time ([`Day`], [`Moment`], [`Clock`]),
//! identifiers ([`Id`], [`IdNumber`], [`Phone`], [`DivisionCode`]) and what to say when something may not be
//! ([`Refusal`]).
//!
//! *Invariant:* nothing here knows of health, of a database or of a page. Nothing here reads the clock or draws a
//! random number except [`SystemClock`] and [`SystemIds`].

mod cores;
mod division;
mod id_number;
mod ids;
mod money;
mod phone;
mod refusal;
mod time;

pub use cores::{on_all_cores, on_all_cores_with};
pub use division::{DivisionCode, DivisionLevel, PlaceRange};
pub use id_number::{IdNumber, IdNumberKind, Sex};
pub use ids::{Id, Ids, SeededIds, SystemIds};
pub use money::{Fen, MoneyError, Rate, round_half_up};
pub use phone::Phone;
pub use refusal::Refusal;
pub use time::{Clock, Day, FixedClock, Moment, SystemClock};
pub use uuid::Uuid;
