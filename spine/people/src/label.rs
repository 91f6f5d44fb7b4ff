//! What a person or household is recognised as: labels, as dated intervals, several at a time.

use kangmai_base::Day;
use serde::{Deserialize, Serialize};

/// A recognised status. The names are those in use since the transition period ended; 建档立卡 is kept as history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    /// 特困供养人员
    ExtremePoverty,
    /// 孤儿
    Orphan,
    /// 最低生活保障对象
    SubsistenceAllowance,
    /// 返贫致贫人口
    ReturnedToPoverty,
    /// 低保边缘家庭成员
    SubsistenceMarginal,
    /// 脱贫不稳定户 (monitored)
    UnstableAlleviated,
    /// 边缘易致贫户 (monitored)
    Marginal,
    /// 突发严重困难户 (monitored)
    SuddenHardship,
    /// 刚性支出困难家庭成员
    ExpenditureHardship,
    /// 因病致贫重病患者: valid for 12 months from recognition
    IllnessImpoverished,
    /// 脱贫人口
    PovertyAlleviated,
    /// 建档立卡贫困人口, to 2020: history
    RegisteredPoor,
}

impl Label {
    /// All labels, those of the strongest aid first.
    pub const ALL: [Label; 12] = [
        Label::ExtremePoverty,
        Label::Orphan,
        Label::SubsistenceAllowance,
        Label::ReturnedToPoverty,
        Label::SubsistenceMarginal,
        Label::UnstableAlleviated,
        Label::Marginal,
        Label::SuddenHardship,
        Label::ExpenditureHardship,
        Label::IllnessImpoverished,
        Label::PovertyAlleviated,
        Label::RegisteredPoor,
    ];

    /// The three kinds that are monitored against falling back (监测对象).
    pub const MONITORED: [Label; 3] = [Label::UnstableAlleviated, Label::Marginal, Label::SuddenHardship];

    /// Name in code, packs and the database.
    pub const fn key(self) -> &'static str {
        match self {
            Label::ExtremePoverty => "extreme_poverty",
            Label::Orphan => "orphan",
            Label::SubsistenceAllowance => "subsistence_allowance",
            Label::ReturnedToPoverty => "returned_to_poverty",
            Label::SubsistenceMarginal => "subsistence_marginal",
            Label::UnstableAlleviated => "unstable_alleviated",
            Label::Marginal => "marginal",
            Label::SuddenHardship => "sudden_hardship",
            Label::ExpenditureHardship => "expenditure_hardship",
            Label::IllnessImpoverished => "illness_impoverished",
            Label::PovertyAlleviated => "poverty_alleviated",
            Label::RegisteredPoor => "registered_poor",
        }
    }

    /// Key of its word in `words.toml`.
    pub const fn word(self) -> &'static str {
        match self {
            Label::ExtremePoverty => "people.label.extreme_poverty",
            Label::Orphan => "people.label.orphan",
            Label::SubsistenceAllowance => "people.label.subsistence_allowance",
            Label::ReturnedToPoverty => "people.label.returned_to_poverty",
            Label::SubsistenceMarginal => "people.label.subsistence_marginal",
            Label::UnstableAlleviated => "people.label.unstable_alleviated",
            Label::Marginal => "people.label.marginal",
            Label::SuddenHardship => "people.label.sudden_hardship",
            Label::ExpenditureHardship => "people.label.expenditure_hardship",
            Label::IllnessImpoverished => "people.label.illness_impoverished",
            Label::PovertyAlleviated => "people.label.poverty_alleviated",
            Label::RegisteredPoor => "people.label.registered_poor",
        }
    }

    /// The label with this key.
    pub fn of_key(key: &str) -> Option<Label> {
        Label::ALL.into_iter().find(|label| label.key() == key)
    }

    /// Whether it is one of the three monitored kinds.
    pub fn is_monitored(self) -> bool {
        Label::MONITORED.contains(&self)
    }
}

/// A label from one day to another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LabelInterval {
    /// Which.
    pub label: Label,
    /// The first day on which it holds. None: the file does not say since when. Who takes it in keeps the start that is
    /// known, and else lets it begin on the day of the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Day>,
    /// The day on which it no longer holds (退出日期). None: it holds still.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Day>,
    /// Who says so: a file, an office, a decision.
    pub source: String,
}

impl LabelInterval {
    /// Whether it holds on `day`. One without a start holds on any day before its end.
    pub fn holds_on(&self, day: Day) -> bool {
        self.from.is_none_or(|from| from <= day) && self.to.is_none_or(|to| day < to)
    }
}

/// The labels that hold on `day`, each once, the one of the strongest aid first.
pub fn labels_on(intervals: &[LabelInterval], day: Day) -> Vec<Label> {
    let mut labels: Vec<Label> =
        intervals.iter().filter(|interval| interval.holds_on(day)).map(|interval| interval.label).collect();
    labels.sort_unstable();
    labels.dedup();
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_the_words_and_of_serde() {
        for label in Label::ALL {
            assert_eq!(Label::of_key(label.key()), Some(label));
            assert_eq!(label.word(), format!("people.label.{}", label.key()));
            assert_eq!(serde_json::to_string(&label).ok(), Some(format!("\"{}\"", label.key())));
        }
    }

    #[test]
    fn the_last_day_is_not_held() {
        let day = |text: &str| text.parse::<Day>().expect("a day");
        let interval = LabelInterval {
            label: Label::Marginal,
            from: Some(day("2024-01-01")),
            to: Some(day("2025-01-01")),
            source: String::new(),
        };
        let held: Vec<bool> = ["2023-12-31", "2024-01-01", "2024-12-31", "2025-01-01"]
            .map(|text| interval.holds_on(day(text)))
            .into();
        assert_eq!(held, [false, true, true, false]);
    }
}
