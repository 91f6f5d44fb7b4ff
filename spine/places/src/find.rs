//! Finds divisions by what people type: a code, a name, initials; and reads a path of names.

use kangmai_base::{DivisionCode, DivisionLevel};

use crate::division::Division;
use crate::divisions::Divisions;
use crate::pinyin::initials;

/// How many divisions a search answers.
pub const MAX_FOUND: usize = 50;
/// How many hits a search ranks before it stops.
const MAX_RANKED: usize = 5_000;

/// What a path of names stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolved<'a> {
    /// One division.
    One(Division<'a>),
    /// Several of that name.
    Several(Vec<Division<'a>>),
    /// None, and one much like it, if any.
    Nothing {
        /// What may be meant.
        nearest: Option<Division<'a>>,
    },
}

impl Divisions {
    /// Finds divisions in `scope` by the start of a code (`411722`), by initials (`spx`) or by a part of a name (`宋集`).
    /// The same name first, then names that begin so, the wider before the narrower; at most `limit` and [`MAX_FOUND`].
    pub fn find(&self, typed: &str, scope: DivisionCode, limit: usize) -> Vec<Division<'_>> {
        let typed = kangmai_sheet::half_width(typed);
        let limit = limit.min(MAX_FOUND);
        if typed.is_empty() || limit == 0 {
            return Vec::new();
        }
        if typed.bytes().all(|byte| byte.is_ascii_digit()) {
            return self.find_code(&typed, scope, limit);
        }
        let hits = if typed.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            self.find_initials(&typed.to_ascii_lowercase(), scope)
        } else {
            self.find_name(&typed, scope)
        };
        let mut ranked: Vec<(u8, DivisionLevel, usize)> = hits;
        ranked.sort_unstable();
        ranked.into_iter().take(limit).map(|(_, _, index)| Division::new(self, index)).collect()
    }

    fn find_code(&self, digits: &str, scope: DivisionCode, limit: usize) -> Vec<Division<'_>> {
        let Some(missing) = 12_usize.checked_sub(digits.len()) else { return Vec::new() };
        let Ok(start) = digits.parse::<u64>() else { return Vec::new() };
        let width = 10_u64.pow(missing as u32);
        let codes = start * width..(start + 1) * width;
        let mut found: Vec<Division<'_>> = self
            .within(scope)
            .skip_while(|index| self.code(*index) < codes.start)
            .take_while(|index| self.code(*index) < codes.end)
            .take(MAX_RANKED)
            .map(|index| Division::new(self, index))
            .collect();
        found.sort_by_key(|division| (division.level(), division.code()));
        found.truncate(limit);
        found
    }

    fn find_name(&self, typed: &str, scope: DivisionCode) -> Vec<(u8, DivisionLevel, usize)> {
        let indices = self.within(scope);
        let names = self.names(&indices);
        let mut hits: Vec<(u8, DivisionLevel, usize)> = Vec::new();
        for (offset, _) in names.match_indices(typed) {
            let index = self.index_at(&indices, offset);
            if hits.last().is_some_and(|(_, _, last)| *last == index) {
                continue;
            }
            let name = self.name(index);
            let rank = match name.strip_prefix(typed) {
                Some("") => 0,
                Some(rest) if is_suffix(rest) => 1,
                Some(_) => 2,
                None => 3,
            };
            hits.push((rank, self.level(index), index));
            if hits.len() == MAX_RANKED {
                break;
            }
        }
        hits
    }

    fn find_initials(&self, typed: &str, scope: DivisionCode) -> Vec<(u8, DivisionLevel, usize)> {
        let mut hits = Vec::new();
        for index in self.within(scope) {
            let name = self.name(index);
            let of_name = initials(name);
            let rank = match of_name.strip_prefix(typed) {
                Some("") => 0,
                Some(_) if initials(stem(name, self.level(index))) == typed => 1,
                Some(_) => 2,
                None => continue,
            };
            hits.push((rank, self.level(index), index));
            if hits.len() == MAX_RANKED {
                break;
            }
        }
        hits
    }

    /// Reads a path of names: `河南省驻马店市西平县宋集镇宋集村`, `宋集镇/宋集村委会`, `宋集`. Names before `scope` may
    /// stand or not; names between may be left out where no other division is meant; endings such as 村委会 and 社区 may
    /// be left out. Looks no wider than `scope`.
    pub fn resolve(&self, text: &str, scope: DivisionCode) -> Resolved<'_> {
        let narrow = kangmai_sheet::half_width(text);
        let mut rest: String = narrow
            .chars()
            .filter(|c| !c.is_whitespace() && !matches!(c, '/' | '-' | '>' | '、' | ',' | '·'))
            .collect();
        if rest.is_empty() {
            return Resolved::Nothing { nearest: None };
        }
        let start = self.get(scope);
        for wider in start.map(Division::path).unwrap_or_default() {
            if let Some(after) = strip_name(&rest, wider) {
                rest = after.to_owned();
            }
        }
        let Some(start) = start else {
            return self.descend_all(&self.provinces(), &rest);
        };
        if rest.is_empty() {
            return Resolved::One(start);
        }
        let mut found = Vec::new();
        self.descend(start, &rest, &mut found);
        self.settle(found, &rest, start.code())
    }

    fn descend_all<'a>(&'a self, from: &[Division<'a>], rest: &str) -> Resolved<'a> {
        let mut found = Vec::new();
        for division in from {
            match strip_name(rest, *division) {
                Some("") => found.push((0, *division)),
                Some(after) => self.descend(*division, after, &mut found),
                None => {}
            }
        }
        self.settle(found, rest, DivisionCode::COUNTRY)
    }

    /// Gathers the divisions below `start` that `rest` names, with a mark: 0 named in full, 1 without its ending.
    fn descend<'a>(&'a self, start: Division<'a>, rest: &str, found: &mut Vec<(u8, Division<'a>)>) {
        let children = start.children();
        let before = found.len();
        for child in &children {
            if child.level() == DivisionLevel::Village {
                if rest == child.name() || rest == child.short_name() {
                    found.push((0, *child));
                } else if stem(rest, DivisionLevel::Village) == stem(child.name(), DivisionLevel::Village) {
                    found.push((1, *child));
                }
                continue;
            }
            match strip_name(rest, *child) {
                Some("") => found.push((u8::from(rest != child.name()), *child)),
                Some(after) => self.descend(*child, after, found),
                None => {}
            }
        }
        // A name may be left out below a county, and where a division has none of its own.
        if found.len() == before {
            let unsaid = |child: &Division<'_>| child.is_nameless() || child.name() == start.name();
            for child in children.into_iter().filter(|child| child.level() < DivisionLevel::Village) {
                if start.level() >= DivisionLevel::County || unsaid(&child) {
                    self.descend(child, rest, found);
                }
            }
        }
    }

    fn settle<'a>(
        &'a self,
        mut found: Vec<(u8, Division<'a>)>,
        rest: &str,
        scope: DivisionCode,
    ) -> Resolved<'a> {
        if let Some(best) = found.iter().map(|(mark, _)| *mark).min() {
            found.retain(|(mark, _)| *mark == best);
        }
        // Where a wider and a narrower division bear one name (a city and its only county), the wider is meant.
        if let Some(widest) = found.iter().map(|(_, division)| division.level()).min() {
            found.retain(|(_, division)| division.level() == widest);
        }
        match found.as_slice() {
            [] => Resolved::Nothing { nearest: self.most_like(rest, scope) },
            [(_, one)] => Resolved::One(*one),
            several => {
                Resolved::Several(several.iter().take(MAX_FOUND).map(|(_, division)| *division).collect())
            }
        }
    }

    /// The division in `scope`, a county or narrower, whose name is most like the end of `rest`.
    fn most_like(&self, rest: &str, scope: DivisionCode) -> Option<Division<'_>> {
        if scope.level()? < DivisionLevel::County {
            return None;
        }
        let mut scope = scope;
        let mut rest = rest;
        for township in self.of_level(scope, DivisionLevel::Township) {
            if let Some(after) = strip_name(rest, township).filter(|after| !after.is_empty()) {
                (scope, rest) = (township.code(), after);
                break;
            }
        }
        let wanted = stem(rest, DivisionLevel::Village);
        let indices = self.within(scope);
        let stems = indices.clone().map(|index| stem(self.name(index), self.level(index)));
        let like = kangmai_sheet::most_like(wanted, stems)?;
        indices
            .into_iter()
            .find(|index| stem(self.name(*index), self.level(*index)) == like)
            .map(|index| Division::new(self, index))
    }
}

/// What follows the name of `division`, with or without its ending, at the start of `text`.
fn strip_name<'t>(text: &'t str, division: Division<'_>) -> Option<&'t str> {
    if let Some(rest) = text.strip_prefix(division.name()) {
        return Some(rest);
    }
    if division.is_nameless() {
        return None;
    }
    let stem = stem(division.name(), division.level());
    let rest = text.strip_prefix(stem).filter(|_| stem.chars().count() >= 2)?;
    // Of the endings that may follow, the longest.
    let ending = endings(division.level()).iter().find(|ending| rest.starts_with(**ending));
    Some(ending.map_or(rest, |ending| &rest[ending.len()..]))
}

/// The endings of names of `level`, a longer one before its part.
fn endings(level: DivisionLevel) -> &'static [&'static str] {
    match level {
        DivisionLevel::Province => {
            &["维吾尔自治区", "壮族自治区", "回族自治区", "自治区", "特别行政区", "省", "市"]
        }
        DivisionLevel::City => &["自治州", "地区", "盟", "市"],
        DivisionLevel::County => &["自治县", "自治旗", "林区", "特区", "县", "区", "市", "旗"],
        DivisionLevel::Township => &["街道办事处", "街道", "民族乡", "地区", "镇", "乡", "苏木"],
        DivisionLevel::Village => &[
            "社区居民委员会",
            "社区居委会",
            "村村民委员会",
            "村民委员会",
            "居民委员会",
            "村村委会",
            "村委会",
            "居委会",
            "社区",
            "村",
            "嘎查",
        ],
    }
}

/// A name without its ending; as it is, if nothing would be left.
fn stem(name: &str, level: DivisionLevel) -> &str {
    endings(level)
        .iter()
        .find_map(|ending| name.strip_suffix(ending))
        .filter(|stem| !stem.is_empty())
        .unwrap_or(name)
}

fn is_suffix(rest: &str) -> bool {
    DivisionLevel::ALL.into_iter().any(|level| endings(level).contains(&rest))
}
