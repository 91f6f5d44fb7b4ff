//! Reads a place as a sheet names it: a code, or a path of names.

use kangmai_base::{DivisionCode, DivisionLevel, Refusal};
use kangmai_sheet::{Flaw, half_width, read};

use crate::division::Division;
use crate::divisions::Divisions;
use crate::find::Resolved;

/// How many places of one name a suggestion shows.
const SHOWN: usize = 5;

impl Divisions {
    /// Reads a code of an existing division, or names from `scope` down. See [`Divisions::resolve`].
    ///
    /// # Errors
    /// No such code, no such name, or several places of that name; each with what may be meant.
    pub fn read_place(&self, text: &str, scope: DivisionCode) -> Result<Division<'_>, Flaw> {
        let narrow = half_width(text);
        if narrow.bytes().all(|byte| byte.is_ascii_digit()) || narrow.contains("E+") {
            return self.existing(read::division(&narrow)?);
        }
        match self.resolve(&narrow, scope) {
            Resolved::One(division) => Ok(division),
            Resolved::Several(several) => {
                let shown: Vec<String> = several
                    .iter()
                    .take(SHOWN)
                    .map(|one| format!("{} {}", one.code(), one.path_from(DivisionLevel::Township).concat()))
                    .collect();
                Err(Flaw::new("places.flaw.several")
                    .with("names", narrow.into_owned())
                    .mend(Refusal::new("places.mend.several").with("several", shown.join("；"))))
            }
            Resolved::Nothing { nearest } => {
                let flaw = Flaw::new("places.flaw.unknown_place").with("names", narrow.into_owned());
                Err(flaw.mend(nearest.map_or(Refusal::new("places.mend.unknown_place"), is_meant)))
            }
        }
    }

    /// The division `code`.
    ///
    /// # Errors
    /// There is none; says which may be meant.
    pub fn existing(&self, code: DivisionCode) -> Result<Division<'_>, Flaw> {
        self.get(code).ok_or_else(|| {
            let flaw = Flaw::new("places.flaw.unknown_division").with("code", code.to_string());
            flaw.mend(self.nearest(code).map_or(Refusal::new("sheet.mend.division_code"), is_meant))
        })
    }
}

fn is_meant(division: Division<'_>) -> Refusal {
    Refusal::new("places.mend.is_meant")
        .with("code", division.code().to_string())
        .with("name", division.full_name())
}
