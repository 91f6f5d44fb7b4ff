//! Settlement through its outside, on both databases.
//!
//! One program, for each of these linked alone is as large as the server.

mod chain;
mod claims;
mod days;
mod desk;
mod deviations;
mod households;
mod imports;
mod insurance_years;
mod interface;
mod ledger;
mod lines;
mod office;
mod openapi;
mod pay_later;
mod requests;
mod retrospect;
mod why;
