//! What the pages say: names out of the tables, why somebody was referred, how a referral stands and by when.

use kangmai_base::{Day, DivisionCode};
use kangmai_policy::{Bilingual, Release};
use kangmai_programme::place_name;
use kangmai_web::Page;

use crate::facts::{Party, Reason, Urgency};
use crate::folder::{Referral, Stage};
use crate::rules;
use crate::visits::NextVisit;

/// Months over which figures count, and over which visits stand on the list.
pub(crate) const A_YEAR_MONTHS: i32 = 12;

fn said<'t>(page: &Page, text: &'t Bilingual) -> &'t str {
    if page.is_chinese() { &text.zh } else { &text.en }
}

/// Parts of a sentence, as the language joins them.
pub(crate) fn joined(page: &Page, parts: &[String]) -> String {
    parts.join(if page.is_chinese() { "；" } else { "; " })
}

/// The law that names programmes and states at a place on a day.
#[derive(Clone, Copy)]
pub(crate) struct Names<'a> {
    pub(crate) release: &'a Release,
    pub(crate) home: DivisionCode,
    pub(crate) on: Day,
}

impl Names<'_> {
    /// What a programme of follow-up is called; its code name where no table holds any more.
    pub(crate) fn programme(&self, page: &Page, id: &str) -> String {
        let rules = self.release.follow_up(id, self.home, self.on);
        rules.map_or(id, |rules| said(page, &rules.short)).to_owned()
    }

    fn state(&self, page: &Page, programme: &str, state: &str) -> String {
        let rules = self.release.follow_up(programme, self.home, self.on);
        rules.and_then(|rules| rules.state(state)).map_or("", |state| said(page, &state.name)).to_owned()
    }

    /// `高血压 危急 185/112（2026-11-20 随访）`.
    pub(crate) fn reason(&self, page: &Page, reason: &Reason) -> String {
        let parts = [
            self.programme(page, &reason.programme),
            self.state(page, &reason.programme, &reason.state),
            reason.figures.clone(),
        ];
        let what = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
        page.say2("referral.reason", "what", what, "day", reason.on)
    }

    /// What of these may be told.
    pub(crate) fn reasons(&self, page: &Page, reasons: &[Reason], secret: bool) -> String {
        let shown = reasons.iter().filter(|reason| secret || !reason.sensitive);
        joined(page, &shown.map(|reason| self.reason(page, reason)).collect::<Vec<_>>())
    }

    /// What follow-up says is due next: its own days, none of ours.
    pub(crate) fn next(&self, page: &Page, next: &[NextVisit], secret: bool) -> Vec<String> {
        let shown = next.iter().filter(|one| secret || !one.sensitive);
        let line = |one: &NextVisit| {
            let name = self.programme(page, &one.programme);
            page.say2("referral.next_visit", "name", name, "day", page.day(one.until))
        };
        shown.map(line).collect()
    }
}

/// What a side is called, with where it is if it is no institution of the register.
pub(crate) fn party(party: &Party) -> String {
    if party.name.is_empty() { place_name(party.place) } else { party.name.clone() }
}

/// How much it presses, as a mark: tone and word.
pub(crate) fn urgency(page: &Page, urgency: Urgency) -> (&'static str, String) {
    let tone = if urgency == Urgency::AtOnce { "danger" } else { "plain" };
    (tone, page.word(&format!("referral.urgency.{}", urgency.key())).into_owned())
}

/// The tone of a stage.
pub(crate) const fn tone(stage: Stage) -> &'static str {
    match stage {
        Stage::Waiting | Stage::Accepted => "warning",
        Stage::Refused | Stage::Absent => "danger",
        Stage::Here => "good",
        Stage::Closed => "plain",
    }
}

/// A stage in words; a closed one by how it ended.
pub(crate) fn stage_word(page: &Page, stage: Stage, outcome: &str) -> String {
    let key = match stage {
        Stage::Closed if !outcome.is_empty() => format!("referral.outcome.{outcome}"),
        _ => format!("referral.stage.{}", stage.key()),
    };
    page.word(&key).into_owned()
}

/// By when its stage should be over, in words; empty where no time is set.
pub(crate) fn due(
    page: &Page,
    release: &Release,
    home: DivisionCode,
    one: &Referral,
    today: Day,
) -> (&'static str, String) {
    let due = release.referral(home, one.body().on).and_then(|rules| rules::due(one, rules));
    let Some(due) = due else { return ("plain", String::new()) };
    (page.deadline_tone(due, today), page.say2("referral.by", "day", due, "left", page.days_left(due, today)))
}
