//! The program `kangmai`: puts the parts together, serves the pages and runs every command.
//!
//! *Invariant:* no rule of the field lives here. What a programme does is in its folder; this crate goes over
//! [`programmes::all`].

pub mod anchors;
pub mod application;
pub mod commands;
pub mod config;
pub mod copy;
pub mod demo;
pub mod import;
pub mod lock;
mod metrics;
mod office;
pub mod programmes;
pub mod serving;
pub mod tls;
pub mod wall;
