//! Journeys over HTTP on both databases, browser journeys, load profiles and the invariants of the house.

#![expect(clippy::expect_used, clippy::panic, reason = "what tests are built from fails loudly")]

pub mod access;
pub mod bad_input;
pub mod browser;
pub mod county;
pub mod crawl;
pub mod dump;
pub mod html;
pub mod measure;
pub mod network;
pub mod phone;
pub mod program;
pub mod source;
pub mod tidy;
pub mod visitor;
pub mod wire;
