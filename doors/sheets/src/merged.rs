//! Vertically merged cells: a register writes the household once, beside all its members.

use std::collections::BTreeMap;

use calamine::Dimensions;

/// Fills the value of a merged cell down to the rows that it covers.
#[derive(Debug, Default)]
pub(crate) struct FillDown {
    /// By column and first row, the last row.
    ranges: BTreeMap<(u32, u32), u32>,
    /// By column, the last row and the value of the merged cell that is open.
    open: BTreeMap<u32, (u32, String)>,
}

impl FillDown {
    pub(crate) fn new(merged: &[Dimensions]) -> FillDown {
        let ranges = merged
            .iter()
            .filter(|area| area.end.0 > area.start.0)
            .map(|area| ((area.start.1, area.start.0), area.end.0))
            .collect();
        FillDown { ranges, open: BTreeMap::new() }
    }

    /// Fills the cells of `row` (from 0).
    pub(crate) fn apply(&mut self, row: u32, cells: &mut Vec<String>) {
        if self.ranges.is_empty() {
            return;
        }
        self.open.retain(|_, (last, _)| *last >= row);
        for (column, (_, value)) in &self.open {
            let column = *column as usize;
            if cells.len() <= column {
                cells.resize(column + 1, String::new());
            }
            if cells[column].is_empty() {
                cells[column].clone_from(value);
            }
        }
        for (column, cell) in cells.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
            let column = column as u32;
            if let Some(last) = self.ranges.get(&(column, row)) {
                self.open.insert(column, (*last, cell.clone()));
            }
        }
    }
}
