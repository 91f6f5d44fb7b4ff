//! Files that come in: what a programme says of one kind of file. Reading files, previews, error sheets and progress
//! are the server's, the same for all.

use std::any::Any;

use kangmai_access::{Actor, Purpose, Reach};
use kangmai_base::{Day, Moment};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_policy::Release;
use kangmai_record::NewFact;
use kangmai_sheet::{Fault, Matching, Outcome, Record, Schema, Summary};

use crate::App;

/// One kind of file.
#[derive(Debug, Clone, Copy)]
pub struct Import {
    /// In addresses and on the command line: `register`, `bills`. The key of its name is `{programme}.import.{key}`.
    pub key: &'static str,
    /// Key of its name.
    pub word: &'static str,
    /// Who may import it.
    pub purpose: Purpose,
    /// Its columns.
    pub schema: &'static Schema,
    /// Its columns under a release, where the packs add some.
    pub schema_under: Option<fn(&Release) -> Schema>,
    /// Where it stands among the others: a register comes before its bills.
    pub order: u8,
    /// Reads some rows and says what they would add to the record. In a dry run the transaction only reads. Counts each
    /// row with [`ImportRun::count`] and keeps what it must remember from one call to the next in `run.memory`.
    pub plan:
        fn(&mut Transaction<'_>, &mut ImportRun, &Matching, &[Record]) -> Result<Planned, DatabaseError>,
    /// Called again and again after the last row, until it plans nothing more: what follows from what came in.
    pub finish: Option<PlanRest>,
    /// Rows that `plan` gets at once.
    pub rows_at_once: usize,
}

/// Reads some rows and says what they would add to the record.
pub type PlanRows =
    fn(&mut Transaction<'_>, &mut ImportRun, &Matching, &[Record]) -> Result<Planned, DatabaseError>;
/// Says what follows from what came in; nothing once all is said.
pub type PlanRest = fn(&mut Transaction<'_>, &mut ImportRun) -> Result<Planned, DatabaseError>;

/// One run over one file.
pub struct ImportRun {
    /// The program.
    pub app: App,
    /// Who imports.
    pub actor: Actor,
    /// How far.
    pub reach: Reach,
    /// Name of the file; the source of labels without one.
    pub file: String,
    /// The present instant, the same for the whole run.
    pub now: Moment,
    /// The present day.
    pub today: Day,
    /// Whether nothing is to be written.
    pub dry_run: bool,
    /// What became of the rows; written by [`ImportRun::count`].
    pub summary: Summary,
    /// The faults of the rows at hand, for the error sheet; the server takes them after each call.
    pub faults: Vec<Fault>,
    /// Rows of earlier calls of which a fault may still be found, if `plan` keeps any: the error sheet looks here too.
    pub held: Vec<Record>,
    /// What `plan` and `finish` remember.
    pub memory: Box<dyn Any + Send>,
}

impl Import {
    /// Its columns under the law in force.
    pub fn columns(&self, policies: &Release) -> Schema {
        self.schema_under.map_or(*self.schema, |under| under(policies))
    }
}

impl ImportRun {
    /// Counts a row and keeps its faults. A row with an error counts as faulty whatever `outcome` says.
    pub fn count(&mut self, outcome: Outcome, faults: Vec<Fault>) {
        self.faults.extend(faults.iter().cloned());
        self.summary.count(outcome, faults);
    }

    /// What is remembered as a `T`, made anew if it is not there yet.
    pub fn memory<T: Any + Send + Default>(&mut self) -> &mut T {
        if !self.memory.is::<T>() {
            self.memory = Box::new(T::default());
        }
        #[expect(clippy::expect_used, reason = "it was made one line above")]
        self.memory.downcast_mut::<T>().expect("what was just put there")
    }
}

/// What some rows would add to the record.
#[derive(Debug, Default)]
pub struct Planned {
    /// New facts, in order. At most [`kangmai_record::Record::BATCH`].
    pub facts: Vec<NewFact>,
}
