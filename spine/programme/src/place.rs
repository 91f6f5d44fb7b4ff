//! Places as lists say them.

use kangmai_access::Reach;
use kangmai_base::{DivisionCode, DivisionLevel};
use kangmai_places::{Division, Divisions};
use kangmai_web::Choice;

/// Township and village: the county is that of the reader.
pub fn place_name(code: DivisionCode) -> String {
    let division = Divisions::shipped().nearest(code);
    division.map_or_else(|| code.to_string(), |division| division.path_from(DivisionLevel::Township).concat())
}

/// The divisions right below the reader's place, and the one asked for.
pub fn place_choices(all: &Reach, chosen: &Reach) -> Vec<Choice> {
    let divisions = Divisions::shipped();
    let below = divisions.get(all.place()).map(Division::children).unwrap_or_default();
    let mut choices: Vec<Choice> = below
        .iter()
        .map(|division| Choice::new(division.code().to_string(), division.short_name()))
        .collect();
    let code = chosen.place().to_string();
    if chosen.place() != all.place() && !choices.iter().any(|choice| choice.value == code) {
        choices.insert(0, Choice::new(code, place_name(chosen.place())));
    }
    choices
}
