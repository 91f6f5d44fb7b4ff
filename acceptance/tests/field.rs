//! The field app in a real browser: the same tables and the same fold as the server's, and the days of a village doctor whose
//! network comes and goes.

#![expect(clippy::expect_used, clippy::panic, reason = "a test says what it needs")]

#[path = "field/days.rs"]
mod days;
#[path = "field/doctor.rs"]
mod doctor;
#[path = "field/interpreter.rs"]
mod interpreter;
#[path = "field/looks.rs"]
mod looks;
#[path = "field/size.rs"]
mod size;
#[path = "field/speed.rs"]
mod speed;
#[path = "field/taps.rs"]
mod taps;
