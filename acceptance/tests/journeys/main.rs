//! Journeys over HTTP, on both databases, and what must never happen.
//!
//! One program, for each of these linked alone is as large as the server.

mod access;
mod agreements;
mod at_rest;
mod audit;
mod bad_input;
mod break_glass;
mod clients;
mod contract;
mod cured;
mod day;
mod delegations;
mod erasure;
mod exports;
mod field_trials;
mod follow_up;
mod hub;
mod interface;
mod law;
mod limits;
mod lines;
mod nothing_lost;
mod openid;
mod pages;
mod policy_drafts;
mod referral;
mod residence;
mod rights;
mod scopes;
mod sensitive;
mod sign_in;
mod statements;
mod sync;
mod tables;
mod timeline;
mod tls;
mod what_if;
