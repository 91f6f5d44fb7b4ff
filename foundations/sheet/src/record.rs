//! One row, and where rows come from.

use kangmai_base::Refusal;

/// One row of text cells in one buffer, to be filled again and again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    number: u32,
    text: String,
    ends: Vec<usize>,
}

impl Record {
    /// An empty row 0.
    pub fn new() -> Record {
        Record::default()
    }

    /// Row `number` with these cells.
    pub fn of<'a>(number: u32, cells: impl IntoIterator<Item = &'a str>) -> Record {
        let mut record = Record::new();
        record.begin(number);
        cells.into_iter().for_each(|cell| record.push(cell));
        record
    }

    /// Empties it and makes it row `number`, counted from 1 as in Excel (the head of a plain sheet is row 1).
    pub fn begin(&mut self, number: u32) {
        self.number = number;
        self.text.clear();
        self.ends.clear();
    }

    /// Adds a cell at the right.
    pub fn push(&mut self, cell: &str) {
        self.text.push_str(cell);
        self.ends.push(self.text.len());
    }

    /// Makes it row `number` with all cells in one `text`; `ends` says where each cell ends in it.
    pub fn fill(&mut self, number: u32, text: &str, ends: impl IntoIterator<Item = usize>) {
        self.begin(number);
        self.text.push_str(text);
        self.ends.extend(ends);
    }

    /// The number of the row, from 1 as in Excel.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// How many cells it has.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether it has no cells.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Whether all cells are empty.
    pub fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// The cell at `index`, as it stood; nothing past the end.
    pub fn get(&self, index: usize) -> &str {
        let end = self.ends.get(index).copied().unwrap_or(self.text.len());
        let start = match index.checked_sub(1) {
            None => 0,
            Some(before) => self.ends.get(before).copied().unwrap_or(end),
        };
        self.text.get(start..end).unwrap_or_default()
    }

    /// All cells from the left.
    pub fn cells(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|index| self.get(index))
    }
}

/// How far a reading has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes read.
    pub done_bytes: u64,
    /// Bytes in all.
    pub total_bytes: u64,
    /// Rows read.
    pub rows: u64,
}

impl Progress {
    /// 0 to 100.
    pub fn percent(self) -> u8 {
        match self.total_bytes {
            0 => 100,
            total => (u128::from(self.done_bytes.min(total)) * 100 / u128::from(total)) as u8,
        }
    }
}

/// Where rows come from: an open file, or rows at hand.
pub trait Source {
    /// Puts the next row into `record`; `false` at the end. Rows that are all blank are left out.
    ///
    /// # Errors
    /// The file breaks off or is damaged here; what was read before stays good.
    fn next(&mut self, record: &mut Record) -> Result<bool, Refusal>;

    /// How far it has come.
    fn progress(&self) -> Progress;
}

/// Rows at hand.
impl Source for std::vec::IntoIter<Record> {
    fn next(&mut self, record: &mut Record) -> Result<bool, Refusal> {
        match Iterator::next(self) {
            Some(next) => {
                *record = next;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    fn progress(&self) -> Progress {
        Progress::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_cells_in_one_buffer() {
        let mut record = Record::of(7, ["a", "", "证件"]);
        assert_eq!((record.number(), record.len()), (7, 3));
        assert_eq!(record.cells().collect::<Vec<_>>(), ["a", "", "证件"]);
        assert_eq!((record.get(2), record.get(3), record.get(99)), ("证件", "", ""));
        record.begin(8);
        assert!(record.is_empty() && record.is_blank());
        assert_eq!(record.get(0), "");
        record.push(" ");
        assert!(record.is_blank() && !record.is_empty());
        record.fill(9, "ab证", [1, 2, 5]);
        assert_eq!(record.cells().collect::<Vec<_>>(), ["a", "b", "证"]);
    }

    #[test]
    fn counts_up_to_a_hundred() {
        let at = |done_bytes, total_bytes| Progress { done_bytes, total_bytes, rows: 0 }.percent();
        assert_eq!((at(0, 0), at(0, 10), at(5, 10), at(11, 10)), (100, 0, 50, 100));
    }
}
