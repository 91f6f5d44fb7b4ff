//! What a dry run says.

use crate::fault::{Fault, Severity};
use crate::limit::{MAX_CHANGES_KEPT, MAX_FAULTS_KEPT};

/// What became, or would become, of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Something not known before.
    New,
    /// Something known, now otherwise.
    Changed,
    /// Known and the same.
    Unchanged,
    /// Not taken.
    Faulty,
}

impl Outcome {
    /// Key of its word.
    pub const fn word(self) -> &'static str {
        match self {
            Outcome::New => "sheet.outcome.new",
            Outcome::Changed => "sheet.outcome.changed",
            Outcome::Unchanged => "sheet.outcome.unchanged",
            Outcome::Faulty => "sheet.outcome.faulty",
        }
    }
}

/// One cell of something known that would become otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Number of the row.
    pub row: u32,
    /// Of whom or what, as the reader may see it.
    pub subject: String,
    /// Key of the column.
    pub column: &'static str,
    /// What is known.
    pub before: String,
    /// What the file says.
    pub after: String,
}

/// Counts of a dry run or an import, with samples. `new + changed + unchanged + faulty = rows`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Rows read.
    pub rows: u64,
    /// Rows that are new.
    pub new: u64,
    /// Rows that change something.
    pub changed: u64,
    /// Rows that say what is known.
    pub unchanged: u64,
    /// Rows not taken.
    pub faulty: u64,
    /// Rows taken with a warning.
    pub warned: u64,
    /// The first changes.
    pub changes: Vec<Change>,
    /// The first faults.
    pub faults: Vec<Fault>,
    /// How many faults there are in all.
    pub faults_total: u64,
}

impl Summary {
    /// Nothing yet.
    pub fn new() -> Summary {
        Summary::default()
    }

    /// Counts a row and keeps its faults. A row with an error counts as faulty whatever `outcome` says.
    pub fn count(&mut self, outcome: Outcome, faults: impl IntoIterator<Item = Fault>) {
        let mut worst: Option<Severity> = None;
        for fault in faults {
            worst = worst.max(Some(fault.severity));
            self.keep(fault);
        }
        self.rows += 1;
        let outcome = if worst == Some(Severity::Error) { Outcome::Faulty } else { outcome };
        match outcome {
            Outcome::New => self.new += 1,
            Outcome::Changed => self.changed += 1,
            Outcome::Unchanged => self.unchanged += 1,
            Outcome::Faulty => self.faulty += 1,
        }
        if worst == Some(Severity::Warning) && outcome != Outcome::Faulty {
            self.warned += 1;
        }
    }

    /// Keeps a fault without counting a row: one that belongs to the file, or found after its row was counted.
    pub fn keep(&mut self, fault: Fault) {
        self.faults_total += 1;
        if self.faults.len() < MAX_FAULTS_KEPT {
            self.faults.push(fault);
        }
    }

    /// Keeps a change as a sample.
    pub fn change(&mut self, change: Change) {
        if self.changes.len() < MAX_CHANGES_KEPT {
            self.changes.push(change);
        }
    }

    /// Whether taking the file would alter nothing.
    pub fn alters_nothing(&self) -> bool {
        self.new == 0 && self.changed == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Flaw;

    #[test]
    fn every_row_is_counted_once() {
        let fault = |severity| Fault::of_row(2, severity, Flaw::new("sheet.flaw.empty"));
        let mut summary = Summary::new();
        summary.count(Outcome::New, []);
        summary.count(Outcome::Changed, [fault(Severity::Warning)]);
        summary.count(Outcome::Unchanged, []);
        summary.count(Outcome::New, [fault(Severity::Warning), fault(Severity::Error)]);
        let counted = (summary.rows, summary.new, summary.changed, summary.unchanged, summary.faulty);
        assert_eq!(counted, (4, 1, 1, 1, 1));
        assert_eq!((summary.warned, summary.faults_total), (1, 3));
        for _ in 0..2 * MAX_FAULTS_KEPT {
            summary.keep(fault(Severity::Error));
        }
        assert_eq!((summary.faults.len(), summary.rows), (MAX_FAULTS_KEPT, 4));
    }
}
