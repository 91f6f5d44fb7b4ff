//! Files that come in: the same for every kind. Reading, dry run, error sheet, progress; what a row means is the
//! programme's ([`kangmai_programme::Import`]).

mod desk;
mod run;

pub use desk::{ImportDesk, JobState};
pub use run::{Finished, ImportFailure, Task, run};
