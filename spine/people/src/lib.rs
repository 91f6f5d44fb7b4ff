//! Persons, households, identity labels as dated intervals, and how two records are told to be one person.

mod label;
mod register;

pub use label::{Label, LabelInterval};
pub use register::{Enrolment, HouseholdRow, Mark, RegisterRow, Relation};
