//! Income figures by place and year: what lines of watch and assistance are measured against.

use kangmai_base::{Day, DivisionCode, Fen};
use serde::{Deserialize, Serialize};

use crate::fields::Fields;
use crate::{Bilingual, Source, Sure};

/// What an income figure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncomeKind {
    /// 防止返贫监测线: the income line of monitoring, by year, from a day on.
    MonitoringLine,
    /// 农村居民人均可支配收入 of a year.
    RuralDisposable,
    /// 居民人均可支配收入 of a year.
    Disposable,
}

impl IncomeKind {
    pub(crate) const NAMES: &[&str] = &["monitoring_line", "rural_disposable", "disposable"];

    pub(crate) fn from_name(name: &str) -> Option<IncomeKind> {
        match name {
            "monitoring_line" => Some(IncomeKind::MonitoringLine),
            "rural_disposable" => Some(IncomeKind::RuralDisposable),
            "disposable" => Some(IncomeKind::Disposable),
            _ => None,
        }
    }
}

/// One figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncomeLine {
    /// Where it holds.
    pub place: DivisionCode,
    /// What it is.
    pub kind: IncomeKind,
    /// Of which year.
    pub year: i32,
    /// From which day it holds, if later than 1 January.
    pub from: Option<Day>,
    /// How much, for a person and a year.
    pub amount: Fen,
    /// How sure.
    pub sure: Sure,
    /// Where from.
    pub source: Source,
    /// What to know about it.
    pub note: Option<Bilingual>,
}

impl IncomeLine {
    pub(crate) fn read_all(fields: &Fields<'_>, place: DivisionCode) -> Vec<IncomeLine> {
        let read = |table: Fields<'_>| {
            let kind = table.chosen(table.text("kind"), IncomeKind::NAMES, IncomeKind::from_name);
            let (year, from, amount) = (table.whole("year"), table.day_maybe("from"), table.money("amount"));
            let (sure, source, note) =
                (Sure::read(&table), Source::read(&table), table.bilingual_maybe("note"));
            table.finish();
            Some(IncomeLine {
                place,
                kind: kind?,
                year: i32::try_from(year?.value).ok()?,
                from: from.map(|from| from.value),
                amount: amount?.value,
                sure: sure?,
                source: source?,
                note,
            })
        };
        let lines = fields.some_tables("line").into_iter().filter_map(read).collect();
        fields.finish();
        lines
    }
}
