//! Packs, layers and arithmetic through their outside.
//!
//! One program, for each of these linked alone is as large as the server.

mod counterfactual;
mod county_tables;
mod editing;
mod explanation;
mod follow_up;
mod household;
mod insurance_year;
mod interface;
mod kinds;
mod lines;
mod loader;
mod overlay;
mod properties;
mod shipped_packs;
