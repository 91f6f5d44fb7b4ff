//! The program's commands, from the outside.
//!
//! One program, for each of these linked alone is as large as the server.

mod client;
mod policy;
mod published;
mod settle;
mod tutorial;
mod whatif;
