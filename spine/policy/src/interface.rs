//! The codes of the national settlement interface: which code says what a bill says here in a word of ours.
//!
//! The code of a fund stands with the payer of its benefit ([`Payer::national`](crate::Payer::national)).

use crate::dated::Period;
use crate::fields::Fields;
use crate::words::Word;
use crate::{Setting, Source, Sure};

/// A figure or text of a settlement that the interface has a field for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InterfaceFigure {
    /// 总费用
    Total,
    /// 合规费用
    Compliant,
    /// What lies in no catalogue.
    OutOfCatalogue,
    /// What all funds pay together.
    Funds,
    /// 个人自付
    OwnShare,
    /// The settlement told step by step.
    Process,
}

impl InterfaceFigure {
    const NAMES: &[&str] =
        &["total", "compliant", "out_of_catalogue", "paid_by_funds", "own_share", "process_text"];

    /// The name in packs and in the interface.
    pub const fn name(self) -> &'static str {
        match self {
            InterfaceFigure::Total => "total",
            InterfaceFigure::Compliant => "compliant",
            InterfaceFigure::OutOfCatalogue => "out_of_catalogue",
            InterfaceFigure::Funds => "paid_by_funds",
            InterfaceFigure::OwnShare => "own_share",
            InterfaceFigure::Process => "process_text",
        }
    }

    fn from_name(name: &str) -> Option<InterfaceFigure> {
        match name {
            "total" => Some(InterfaceFigure::Total),
            "compliant" => Some(InterfaceFigure::Compliant),
            "out_of_catalogue" => Some(InterfaceFigure::OutOfCatalogue),
            "paid_by_funds" => Some(InterfaceFigure::Funds),
            "own_share" => Some(InterfaceFigure::OwnShare),
            "process_text" => Some(InterfaceFigure::Process),
            _ => None,
        }
    }
}

/// The codes that the interface has in one place and time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterfaceCodes {
    /// When.
    pub period: Period,
    /// How sure.
    pub sure: Sure,
    /// Where from.
    pub source: Source,
    settings: Vec<(Setting, String)>,
    figures: Vec<(InterfaceFigure, String)>,
}

impl InterfaceCodes {
    /// The code of a setting (医疗类别). Where several mean the same here, the first.
    pub fn setting(&self, setting: Setting) -> Option<&str> {
        code_of(&self.settings, setting)
    }

    /// The setting that a code means.
    pub fn setting_of(&self, code: &str) -> Option<Setting> {
        self.settings.iter().find(|(_, known)| known == code).map(|(setting, _)| *setting)
    }

    /// The field that takes a figure.
    pub fn figure(&self, figure: InterfaceFigure) -> Option<&str> {
        code_of(&self.figures, figure)
    }

    pub(crate) fn read(fields: &Fields<'_>) -> Option<InterfaceCodes> {
        let (period, sure, source) = (Period::read(fields), Sure::read(fields), Source::read(fields));
        let settings = read_codes(fields, "setting", Setting::NAMES, Setting::from_name);
        let figures = read_codes(fields, "figure", InterfaceFigure::NAMES, InterfaceFigure::from_name);
        fields.finish();
        Some(InterfaceCodes { period: period?, sure: sure?, source: source?, settings, figures })
    }

    /// What cases ask for: all codes, in order.
    pub(crate) fn answers(&self) -> Vec<(&'static str, String)> {
        let settings = self.settings.iter().map(|(setting, code)| format!("{} {code}", setting.name()));
        let figures = self.figures.iter().map(|(figure, code)| format!("{} {code}", figure.name()));
        vec![
            ("in_force", true.to_string()),
            ("settings", settings.collect::<Vec<_>>().join(", ")),
            ("figures", figures.collect::<Vec<_>>().join(", ")),
        ]
    }
}

fn code_of<T: PartialEq>(codes: &[(T, String)], ours: T) -> Option<&str> {
    codes.iter().find(|(known, _)| *known == ours).map(|(_, code)| code.as_str())
}

/// `[{ ours = "inpatient", code = "21" }, …]`: a word of ours may have several codes, a code one word.
fn read_codes<T>(
    fields: &Fields<'_>,
    key: &'static str,
    names: &[&str],
    from_name: impl Fn(&str) -> Option<T>,
) -> Vec<(T, String)> {
    let mut codes: Vec<(T, String)> = Vec::new();
    for table in fields.some_tables(key) {
        let (ours, code) = (table.text("ours"), table.text("code"));
        table.finish();
        let (Some(ours), Some(code)) = (table.chosen(ours, names, &from_name), code) else { continue };
        if codes.iter().any(|(_, known)| known == code.value) {
            fields.push(code.spot.error(Word::ErrTwice, Word::MendTwice).with("value", code.value));
        } else {
            codes.push((ours, code.value.to_owned()));
        }
    }
    codes
}
