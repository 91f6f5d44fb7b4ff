//! Which table a file is, and what it can be asked.

use crate::{agreements, disease_caps, premiums, records, referral, subsidies};

/// Which table a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TableKind {
    Watch,
    Diseases,
    TreatFirst,
    Lines,
    Interface,
    Income,
    InsuranceYear,
    Premiums,
    Subsidies,
    DiseaseCaps,
    Records,
    Agreements,
    Referral,
}

impl TableKind {
    pub(crate) fn of_file(name: &str) -> Option<TableKind> {
        match name {
            "watch.toml" => Some(TableKind::Watch),
            "diseases.toml" => Some(TableKind::Diseases),
            "treat_first.toml" => Some(TableKind::TreatFirst),
            "lines.toml" => Some(TableKind::Lines),
            "interface.toml" => Some(TableKind::Interface),
            "income.toml" => Some(TableKind::Income),
            "insurance_year.toml" => Some(TableKind::InsuranceYear),
            "premiums.toml" => Some(TableKind::Premiums),
            "subsidies.toml" => Some(TableKind::Subsidies),
            "disease_caps.toml" => Some(TableKind::DiseaseCaps),
            "records.toml" => Some(TableKind::Records),
            "agreements.toml" => Some(TableKind::Agreements),
            "referral.toml" => Some(TableKind::Referral),
            _ => None,
        }
    }

    /// The names of all that it answers.
    pub(super) const fn answers(self) -> &'static [&'static str] {
        match self {
            TableKind::Watch => &[
                "in_force",
                "rules",
                "group",
                "line",
                "income_year",
                "push_every_days",
                "window",
                "own_cost",
                "yellow_over",
                "orange_over",
                "red_with",
                "repeated_admissions",
                "recognition_line",
                "recognition_window",
                "recognition_own_cost",
                "recognition_months",
                "home_check_days",
                "decision_days",
                "notice_days",
                "working_days",
                "households",
                "push_to",
            ],
            TableKind::Diseases => &["in_force", "major", "chronic", "severe", "sensitive", "needs"],
            TableKind::TreatFirst => &[
                "in_force",
                "entitled",
                "conditions",
                "instalments",
                "due_after_days",
                "due_soon_days",
                "remind_after_days",
                "most_months",
                "least_amount",
                "guarantors",
                "write_off",
                "claim",
                "claim_from",
            ],
            TableKind::Lines => &["in_force", "round", "at", "class_b_own_share"],
            TableKind::Interface => &["in_force", "settings", "figures"],
            TableKind::Income => &["amount", "of_year", "from"],
            TableKind::InsuranceYear => &["year", "first", "last"],
            TableKind::Premiums => premiums::ANSWERS,
            TableKind::Subsidies => subsidies::ANSWERS,
            TableKind::DiseaseCaps => disease_caps::ANSWERS,
            TableKind::Records => records::ANSWERS,
            TableKind::Agreements => agreements::ANSWERS,
            TableKind::Referral => referral::ANSWERS,
        }
    }
}
