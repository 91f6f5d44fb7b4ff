//! One division and its place in the tree.

use kangmai_base::{DivisionCode, DivisionLevel};

use crate::divisions::{Divisions, span};

/// City names that are no names.
const NAMELESS: [&str; 4] = ["市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划"];
/// How a village's full name ends, and what is said instead.
const VILLAGE_ENDINGS: [(&str, &str); 8] = [
    ("社区居民委员会", "社区"),
    ("社区居委会", "社区"),
    ("村村民委员会", "村"),
    ("村民委员会", "村"),
    ("村村委会", "村"),
    ("村委会", "村"),
    ("居民委员会", "社区"),
    ("居委会", "社区"),
];

/// What kind of village the last three digits tell (统计用区划代码 编制规则).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VillageKind {
    /// 居民委员会, 001 to 199
    Residents,
    /// 村民委员会, 200 to 399
    Villagers,
    /// A farm, park or camp that stands for a village, 400 and above
    Quasi,
}

/// One division. Cheap to copy; compares by code and level.
#[derive(Clone, Copy)]
pub struct Division<'a> {
    all: &'a Divisions,
    index: usize,
}

impl PartialEq for Division<'_> {
    fn eq(&self, other: &Division<'_>) -> bool {
        (self.code(), self.level()) == (other.code(), other.level())
    }
}
impl Eq for Division<'_> {}

impl std::fmt::Debug for Division<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.code(), self.name())
    }
}

impl<'a> Division<'a> {
    pub(crate) fn new(all: &'a Divisions, index: usize) -> Division<'a> {
        Division { all, index }
    }

    pub(crate) fn index(self) -> usize {
        self.index
    }

    /// Its code.
    pub fn code(self) -> DivisionCode {
        DivisionCode::from_number(self.all.code(self.index)).unwrap_or(DivisionCode::COUNTRY)
    }

    /// Its level, which of four codes the trailing zeros do not tell.
    pub fn level(self) -> DivisionLevel {
        self.all.level(self.index)
    }

    /// Its name as published: `宋集村委会`.
    pub fn name(self) -> &'a str {
        self.all.name(self.index)
    }

    /// Its name as people say it: `宋集村` for `宋集村委会`.
    pub fn short_name(self) -> String {
        let name = self.name();
        if self.level() != DivisionLevel::Village {
            return name.to_owned();
        }
        let ending = VILLAGE_ENDINGS.iter().find_map(|(long, short)| {
            name.strip_suffix(long).filter(|rest| !rest.is_empty()).map(|rest| (rest, *short))
        });
        match ending {
            Some((rest, short)) if rest.ends_with(['村', '屯', '庄']) && short == "村" => rest.to_owned(),
            Some((rest, short)) => format!("{}{short}", rest.strip_suffix(short).unwrap_or(rest)),
            None => name.to_owned(),
        }
    }

    /// Whether it is a city without a name of its own, left out of full names.
    pub fn is_nameless(self) -> bool {
        self.level() == DivisionLevel::City && NAMELESS.contains(&self.name())
    }

    /// Whether it is, or lies in, a zone made for statistics that is no administrative division (county part 71 to 79).
    pub fn is_statistical_zone(self) -> bool {
        self.level() >= DivisionLevel::County
            && (71..=79).contains(&(self.all.code(self.index) / 1_000_000 % 100))
    }

    /// What kind of village it is; none for wider divisions.
    pub fn village_kind(self) -> Option<VillageKind> {
        if self.level() != DivisionLevel::Village {
            return None;
        }
        Some(match self.all.code(self.index) % 1_000 {
            0..=199 => VillageKind::Residents,
            200..=399 => VillageKind::Villagers,
            _ => VillageKind::Quasi,
        })
    }

    /// The next wider division; none for a province.
    pub fn parent(self) -> Option<Division<'a>> {
        let level = *DivisionLevel::ALL.iter().rev().find(|level| **level < self.level())?;
        self.all.at(self.code().at(level), level)
    }

    /// From the province down to this one.
    pub fn path(self) -> Vec<Division<'a>> {
        let mut path: Vec<Division<'a>> =
            std::iter::successors(Some(self), |division| division.parent()).collect();
        path.reverse();
        path
    }

    /// `河南省驻马店市西平县宋集镇宋集村`: short names from the province down, without the names that are none and
    /// without saying a name twice.
    pub fn full_name(self) -> String {
        self.path_from(DivisionLevel::Province).concat()
    }

    /// The short names from `level` down to this division, for a reader who knows where they are.
    pub fn path_from(self, level: DivisionLevel) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for division in self.path() {
            let name = division.short_name();
            if division.level() >= level && !division.is_nameless() && names.last() != Some(&name) {
                names.push(name);
            }
        }
        names
    }

    /// The divisions right below, in order of code.
    pub fn children(self) -> Vec<Division<'a>> {
        let Some(level) = DivisionLevel::ALL.into_iter().find(|level| *level > self.level()) else {
            return Vec::new();
        };
        let below = self.all.below(self.index);
        let mut children = Vec::new();
        let mut index = below.start;
        while index < below.end {
            if self.all.level(index) == level {
                children.push(Division::new(self.all, index));
                let past = self.all.code(index) + span(level);
                index += 1 + first_past(self.all, index + 1..below.end, past);
            } else {
                index += 1;
            }
        }
        children
    }

    /// The divisions beside it, itself among them.
    pub fn siblings(self) -> Vec<Division<'a>> {
        self.parent().map_or_else(|| self.all.provinces(), Division::children)
    }

    /// How many divisions of `level` lie below it.
    pub fn count_below(self, level: DivisionLevel) -> usize {
        self.all.below(self.index).filter(|index| self.all.level(*index) == level).count()
    }
}

/// How many of `indices`, in order of code, have a code before `past`.
fn first_past(all: &Divisions, indices: std::ops::Range<usize>, past: u64) -> usize {
    let (mut low, mut high) = (indices.start, indices.end);
    while low < high {
        let middle = low + (high - low) / 2;
        if all.code(middle) < past { low = middle + 1 } else { high = middle }
    }
    low - indices.start
}
