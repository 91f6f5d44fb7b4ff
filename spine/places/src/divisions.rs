//! All divisions of mainland China, held compactly: sorted codes, levels, and names in one arena.

use std::io::{BufRead, BufReader};
use std::sync::OnceLock;

use kangmai_base::{DivisionCode, DivisionLevel};

use crate::division::Division;

/// The divisions at 2023-06-30 (see `data/README.md`), packed.
const SHIPPED: &[u8] = include_bytes!("../../../data/divisions-2023.csv.zst");
/// How many divisions are shipped, and the bytes of their names: room is made once.
const SHIPPED_COUNT: usize = 665_276;
const SHIPPED_NAME_BYTES: usize = 12_800_000;
/// What stands between two names in the arena; no name holds it.
const BETWEEN: char = '\n';

/// Why a file of divisions cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum DivisionsError {
    /// The packed bytes are damaged.
    #[error("the divisions cannot be unpacked: {0}")]
    Unpack(String),
    /// A line is not `code,level,name`, or the lines are not in order.
    #[error("line {line} of the divisions is wrong")]
    Line {
        /// Its number, from 1.
        line: usize,
    },
}

/// The division tree. About 22 MB for the 665,276 divisions shipped.
pub struct Divisions {
    /// Sorted; four codes stand several times, the wider division first.
    codes: Vec<u64>,
    levels: Vec<DivisionLevel>,
    /// Where each name ends in `names`; the next begins one byte further.
    ends: Vec<u32>,
    names: String,
}

impl std::fmt::Debug for Divisions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Divisions").field("count", &self.codes.len()).finish_non_exhaustive()
    }
}

impl Divisions {
    /// The divisions shipped with the product, loaded on first use (about a fifth of a second).
    pub fn shipped() -> &'static Divisions {
        static LOADED: OnceLock<Divisions> = OnceLock::new();
        LOADED.get_or_init(|| {
            Divisions::unpack(SHIPPED).unwrap_or_else(|_| {
                // A test loads the shipped file: it cannot be damaged in a binary that passed.
                Divisions { codes: Vec::new(), levels: Vec::new(), ends: Vec::new(), names: String::new() }
            })
        })
    }

    /// Reads a zstd-packed file of `code,level,name`, sorted by code and level, with a head line.
    ///
    /// # Errors
    /// Damaged, or a line of another form.
    pub fn unpack(packed: &[u8]) -> Result<Divisions, DivisionsError> {
        let unpack = |error: &dyn std::fmt::Display| DivisionsError::Unpack(error.to_string());
        let decoder = ruzstd::decoding::StreamingDecoder::new(packed).map_err(|error| unpack(&error))?;
        let mut lines = BufReader::with_capacity(256 << 10, decoder);
        let mut divisions = Divisions {
            codes: Vec::with_capacity(SHIPPED_COUNT),
            levels: Vec::with_capacity(SHIPPED_COUNT),
            ends: Vec::with_capacity(SHIPPED_COUNT),
            names: String::with_capacity(SHIPPED_NAME_BYTES + SHIPPED_COUNT),
        };
        let mut line = String::with_capacity(128);
        let mut number = 0;
        loop {
            line.clear();
            if lines.read_line(&mut line).map_err(|error| unpack(&error))? == 0 {
                return Ok(divisions);
            }
            number += 1;
            if number > 1 {
                divisions.add(line.trim_end()).ok_or(DivisionsError::Line { line: number })?;
            }
        }
    }

    fn add(&mut self, line: &str) -> Option<()> {
        let (code, rest) = line.split_once(',')?;
        let (level, name) = rest.split_once(',')?;
        let level = match level {
            "1" => DivisionLevel::Province,
            "2" => DivisionLevel::City,
            "3" => DivisionLevel::County,
            "4" => DivisionLevel::Township,
            "5" => DivisionLevel::Village,
            _ => return None,
        };
        let code: u64 = code.parse().ok()?;
        if let (Some(last), Some(last_level)) = (self.codes.last(), self.levels.last())
            && (*last, *last_level) >= (code, level)
        {
            return None;
        }
        self.codes.push(code);
        self.levels.push(level);
        self.names.push_str(name);
        self.ends.push(u32::try_from(self.names.len()).ok()?);
        self.names.push(BETWEEN);
        Some(())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.codes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    /// The division `code`; of the four codes that stand at several levels the widest.
    pub fn get(&self, code: DivisionCode) -> Option<Division<'_>> {
        let index = self.codes.partition_point(|found| *found < code.number());
        (self.codes.get(index) == Some(&code.number())).then(|| Division::new(self, index))
    }

    /// The division `code` at `level`.
    pub fn at(&self, code: DivisionCode, level: DivisionLevel) -> Option<Division<'_>> {
        let first = self.get(code)?.index();
        (first..self.len())
            .take_while(|index| self.codes[*index] == code.number())
            .find(|index| self.levels[*index] == level)
            .map(|index| Division::new(self, index))
    }

    /// Whether there is a division `code`.
    pub fn has(&self, code: DivisionCode) -> bool {
        self.codes.binary_search(&code.number()).is_ok()
    }

    /// The provinces.
    pub fn provinces(&self) -> Vec<Division<'_>> {
        self.within(DivisionCode::COUNTRY)
            .filter(|index| self.levels[*index] == DivisionLevel::Province)
            .map(|index| Division::new(self, index))
            .collect()
    }

    /// The divisions of `level` in `scope`.
    pub fn of_level(&self, scope: DivisionCode, level: DivisionLevel) -> impl Iterator<Item = Division<'_>> {
        self.within(scope)
            .filter(move |index| self.levels[*index] == level)
            .map(|index| Division::new(self, index))
    }

    /// The narrowest existing division that holds `code`, for a code that does not exist.
    pub fn holding(&self, code: DivisionCode) -> Option<Division<'_>> {
        std::iter::successors(Some(code), |code| code.parent()).find_map(|code| self.get(code))
    }

    /// An existing code that may be meant by `code`, which does not exist: in the narrowest division that holds it and
    /// of the same level, the one with most digits alike.
    pub fn nearest(&self, code: DivisionCode) -> Option<Division<'_>> {
        let level = code.level()?;
        let scope = self.holding(code).map_or(DivisionCode::COUNTRY, |division| division.code());
        let unlike = |other: u64| {
            let (mut a, mut b, mut digits) = (other, code.number(), 0_u32);
            while a != b {
                digits += u32::from(a % 10 != b % 10);
                (a, b) = (a / 10, b / 10);
            }
            digits
        };
        self.within(scope)
            .filter(|index| self.levels[*index] == level)
            .min_by_key(|index| (unlike(self.codes[*index]), self.codes[*index].abs_diff(code.number())))
            .map(|index| Division::new(self, index))
    }

    /// Indices of the divisions in `scope`, the scope itself first.
    pub(crate) fn within(&self, scope: DivisionCode) -> std::ops::Range<usize> {
        let range = scope.range();
        let start = self.codes.partition_point(|code| *code < range.first);
        let end = self.codes.partition_point(|code| *code <= range.last);
        start..end
    }

    /// Indices of the divisions below the one at `index`, itself left out.
    pub(crate) fn below(&self, index: usize) -> std::ops::Range<usize> {
        let end_code = self.codes[index] + span(self.levels[index]);
        let end = self.codes.partition_point(|code| *code < end_code);
        index + 1..end
    }

    pub(crate) fn code(&self, index: usize) -> u64 {
        self.codes[index]
    }

    pub(crate) fn level(&self, index: usize) -> DivisionLevel {
        self.levels[index]
    }

    pub(crate) fn name(&self, index: usize) -> &str {
        &self.names[self.start(index)..self.ends[index] as usize]
    }

    /// The names of `indices`, one after the other with a line break between.
    pub(crate) fn names(&self, indices: &std::ops::Range<usize>) -> &str {
        if indices.is_empty() {
            return "";
        }
        &self.names[self.start(indices.start)..self.ends[indices.end - 1] as usize]
    }

    /// The index of the division whose name holds the byte at `offset` of [`Divisions::names`] of `indices`.
    pub(crate) fn index_at(&self, indices: &std::ops::Range<usize>, offset: usize) -> usize {
        let position = self.start(indices.start) + offset;
        self.ends.partition_point(|end| (*end as usize) < position + 1)
    }

    fn start(&self, index: usize) -> usize {
        index.checked_sub(1).map_or(0, |before| self.ends[before] as usize + BETWEEN.len_utf8())
    }
}

/// How many codes a division of `level` spans.
pub(crate) const fn span(level: DivisionLevel) -> u64 {
    match level {
        DivisionLevel::Province => 10_000_000_000,
        DivisionLevel::City => 100_000_000,
        DivisionLevel::County => 1_000_000,
        DivisionLevel::Township => 1_000,
        DivisionLevel::Village => 1,
    }
}
