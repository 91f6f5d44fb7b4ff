//! The register from its outside, on both databases: what comes in as a file, and what each page shows to whom.

#![expect(clippy::expect_used, reason = "a test says what it needs")]
#![expect(clippy::unwrap_used, reason = "a test says what it needs")]

mod county;
mod import;
mod pages;
