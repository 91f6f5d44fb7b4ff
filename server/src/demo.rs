//! A believable county of invented people on real villages. Everything comes in through the doors that a real county
//! uses: files of institutions, people, diagnoses, bills and their lines, written here and imported like any other.
//!
//! Repeatable from a seed. Names are invented; identity numbers are valid but carry a serial of 99x, which marks them
//! as samples.

mod agreements;
mod care;
mod draw;
mod household;
mod lines;
mod names;
mod pay_later;
mod referrals;
mod residence;
mod rights;
mod steps;
mod visits;
mod write;

use std::path::{Path, PathBuf};

use kangmai_base::{Day, DivisionCode, DivisionLevel};
use kangmai_places::Divisions;

pub use agreements::take_agreements;
pub(crate) use draw::Draw;
pub(crate) use pay_later::take_payments;
pub use referrals::take_referrals;
pub use residence::take_hand_overs;
pub(crate) use rights::ask_rights;
pub(crate) use steps::take_steps;
pub use visits::take_visits;

/// How large a county to make.
#[derive(Debug, Clone)]
pub struct Plan {
    /// People.
    pub people: u32,
    /// Bills of a year for each person, about.
    pub bills_each: f64,
    /// The day on which the year of bills ends.
    pub today: Day,
    /// The same seed makes the same county.
    pub seed: u64,
}

/// The files of a county, in the order in which they are imported.
#[derive(Debug)]
pub struct Files {
    /// Institutions.
    pub institutions: PathBuf,
    /// People and households.
    pub register: PathBuf,
    /// Diagnoses.
    pub diagnoses: PathBuf,
    /// Bills of a year.
    pub bills: PathBuf,
    /// The lines of some of them.
    pub lines: PathBuf,
}

/// The county: 上蔡县 of Zhumadian.
pub fn county() -> DivisionCode {
    DivisionCode::from_number(411_722_000_000).unwrap_or(DivisionCode::COUNTRY)
}

/// People for whom one village is taken from the county's list.
const PEOPLE_A_VILLAGE: u32 = 250;

/// Of so many bills one comes with its lines.
const BILLS_FOR_ONE_WITH_LINES: u32 = 12;

/// Villages spread over the county's townships, as many as `people` need.
pub(crate) fn villages(people: u32) -> Vec<DivisionCode> {
    let divisions = Divisions::shipped();
    let townships: Vec<Vec<DivisionCode>> = divisions
        .of_level(county(), DivisionLevel::Township)
        .map(|township| {
            let villages = divisions.of_level(township.code(), DivisionLevel::Village);
            villages.map(kangmai_places::Division::code).collect()
        })
        .collect();
    let wanted = (people / PEOPLE_A_VILLAGE).clamp(8, 400) as usize;
    let deepest = townships.iter().map(Vec::len).max().unwrap_or(0);
    let mut taken: Vec<DivisionCode> = (0..deepest)
        .flat_map(|row| townships.iter().filter_map(move |villages| villages.get(row).copied()))
        .take(wanted)
        .collect();
    taken.sort_unstable();
    taken
}

/// Writes the files of a county into `folder`.
///
/// # Errors
/// When a file cannot be written.
pub fn write_county(plan: &Plan, folder: &Path) -> std::io::Result<Files> {
    std::fs::create_dir_all(folder)?;
    let mut draw = Draw::new(plan.seed);
    let villages = villages(plan.people);
    let institutions = care::institutions(&villages);
    let files = Files {
        institutions: folder.join("institutions.csv"),
        register: folder.join("register.csv"),
        diagnoses: folder.join("diagnoses.csv"),
        bills: folder.join("bills.csv"),
        lines: folder.join("lines.csv"),
    };
    write::institutions(&files.institutions, &institutions)?;
    let mut register = write::Register::begin(&files.register)?;
    let mut diagnoses = write::Diagnoses::begin(&files.diagnoses)?;
    let mut bills = write::Bills::begin(&files.bills)?;
    let mut lines = write::Lines::begin(&files.lines)?;
    // Chance of its own, so that the rest of the county is the same with lines and without.
    let mut line_draw = Draw::new(plan.seed ^ 0x6c69_6e65);
    let mut maker = household::Maker::new(plan.today);
    let mut made = 0;
    while made < plan.people {
        for village in &villages {
            let household = maker.household(&mut draw, *village);
            for member in &household.members {
                register.row(&household, member)?;
                let illnesses = care::illnesses(&mut draw, member, plan.today);
                for illness in &illnesses {
                    diagnoses.row(member, illness)?;
                }
                for bill in care::bills(&mut draw, plan, &institutions, *village, member, &illnesses) {
                    let Some(number) = bills.row(member, &bill)? else { continue };
                    if line_draw.below(BILLS_FOR_ONE_WITH_LINES) == 0 {
                        for item in self::lines::lines(&mut line_draw, &bill) {
                            lines.row(&number, &bill, &item)?;
                        }
                    }
                }
                made += 1;
            }
            if made >= plan.people {
                break;
            }
        }
    }
    register.finish()?;
    diagnoses.finish()?;
    bills.finish()?;
    lines.finish()?;
    Ok(files)
}
