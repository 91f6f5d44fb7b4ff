//! What the pages say: names out of the pack, how an agreement stands, what is due and by when.

use kangmai_base::{Day, DivisionCode};
use kangmai_policy::{AgreementRules, Bilingual, Release};
use kangmai_web::Page;

use crate::facts::{Content, Member, TeamKept};
use crate::folder::Agreement;
use crate::rules::{DueState, Kept, Window, is_in, standing_of};
use crate::store::Team;

/// Days before the end of the time in which something is due from which it stands on the list of what is to be done: our own
/// choice.
pub(crate) const SOON_DAYS: i32 = 14;
/// Days before its end from which renewal is spoken of, where no pack says so.
const USUAL_REMIND_DAYS: i32 = 30;

/// A text of the pack in the reader's language.
pub(crate) fn said<'t>(page: &Page, text: &'t Bilingual) -> &'t str {
    if page.is_chinese() { &text.zh } else { &text.en }
}

/// Parts of a sentence, as the language joins them.
pub(crate) fn joined(page: &Page, parts: &[String]) -> String {
    parts.join(if page.is_chinese() { "、" } else { ", " })
}

/// Days before its end from which renewal is spoken of at a place.
pub(crate) fn remind_days(release: &Release, place: DivisionCode, today: Day) -> i32 {
    release.agreements(place, today).map_or(USUAL_REMIND_DAYS, |rules| rules.remind_days)
}

/// The law that names packages and roles at a place on a day.
#[derive(Clone, Copy)]
pub(crate) struct Names<'a> {
    pub(crate) release: &'a Release,
    pub(crate) home: DivisionCode,
    pub(crate) on: Day,
}

impl<'a> Names<'a> {
    pub(crate) fn rules(&self) -> Option<&'a AgreementRules> {
        self.release.agreements(self.home, self.on)
    }

    /// What a package is called; its code name where no pack has it any more.
    pub(crate) fn package(&self, page: &Page, id: &str) -> String {
        let package = self.rules().and_then(|rules| rules.package(id));
        package.map_or(id, |package| said(page, &package.name)).to_owned()
    }

    /// What an item of a package is called.
    pub(crate) fn item(&self, page: &Page, package: &str, item: &str) -> String {
        let package = self.rules().and_then(|rules| rules.package(package));
        let found = package.and_then(|package| package.items.iter().find(|one| one.id == item));
        found.map_or(item, |found| said(page, &found.name)).to_owned()
    }

    /// What somebody is in a team.
    pub(crate) fn role(&self, page: &Page, id: &str) -> String {
        self.rules().and_then(|rules| rules.role(id)).map_or(id, |role| said(page, &role.name)).to_owned()
    }

    /// What a programme of follow-up is called.
    pub(crate) fn programme(&self, page: &Page, id: &str) -> String {
        let rules = self.release.follow_up(id, self.home, self.on);
        rules.map_or(id, |rules| said(page, &rules.short)).to_owned()
    }

    /// The packages of an agreement, those of level 5 with `secret` alone.
    pub(crate) fn packages(&self, page: &Page, content: &Content, secret: bool) -> Vec<String> {
        let is_secret = |id: &String| content.promises.iter().any(|one| one.package == *id && one.sensitive);
        let shown = content.packages.iter().filter(|id| secret || !is_secret(id));
        shown.map(|id| self.package(page, id)).collect()
    }
}

/// How an agreement stands, as a mark: tone and word.
pub(crate) fn mark(page: &Page, one: &Agreement, today: Day, remind: i32) -> (&'static str, String) {
    let standing = standing_of(one, today, remind);
    (standing.tone(), page.word(&format!("agreements.standing.{}", standing.key())).into_owned())
}

/// `2026-03-01 至 2027-02-28，还有92天`.
pub(crate) fn term(page: &Page, one: &Agreement, today: Day) -> String {
    let Some((from, until)) = one.term() else {
        let on = one.offered.as_ref().map(|offered| offered.body.on);
        return page.say1("agreements.offered_on", "day", page.iso(on));
    };
    let text = page.say2("agreements.term", "from", from, "until", until);
    match &one.ended {
        Some(ended) => {
            let why = page.word(&format!("agreements.end.{}", ended.body.reason.key())).into_owned();
            let values: [(&str, &dyn std::fmt::Display); 3] =
                [("term", &text), ("day", &ended.body.on), ("why", &why)];
            page.say("agreements.term.ended", &values)
        }
        None if today <= until => {
            page.say2("agreements.term.left", "term", text, "left", page.days_left(until, today))
        }
        None => text,
    }
}

/// How often something is promised: `每年4次`, `按需`.
pub(crate) fn often(page: &Page, times: Option<u8>) -> String {
    match times {
        Some(times) => page.count("agreements.times", times),
        None => page.word("agreements.as_needed").into_owned(),
    }
}

/// One time in which something was due, in words.
pub(crate) fn window(page: &Page, window: &Window, today: Day) -> (&'static str, String, String) {
    let state = window.state(today);
    let mark = page.word(&format!("agreements.due.{}", state.key())).into_owned();
    let span = page.say2("agreements.span", "from", window.from, "until", window.until);
    let text = match (state, window.done_on) {
        (DueState::Due | DueState::Overdue, _) => {
            let left = page.days_left(window.until, today);
            page.say2("agreements.span.left", "span", span, "left", left)
        }
        (_, Some(done)) => page.say2("agreements.span.done", "span", span, "day", done),
        _ => span,
    };
    (state.tone(), mark, text)
}

/// What of a promise stands on a plan: what is next, and how much was done.
pub(crate) fn progress(page: &Page, kept: &Kept, today: Day) -> (&'static str, String, String) {
    if kept.windows.is_empty() {
        let last = kept.done.last();
        let text = last.map(|day| page.say1("agreements.done_last", "day", day)).unwrap_or_default();
        return ("plain", page.word("agreements.as_needed").into_owned(), text);
    }
    let done = kept.windows.iter().filter(|window| window.done_on.is_some()).count();
    let count = page.say2("agreements.progress", "done", done, "all", kept.windows.len());
    let open = |state: DueState| kept.windows.iter().find(move |window| window.state(today) == state);
    let next = open(DueState::Due).or_else(|| open(DueState::Overdue)).or_else(|| open(DueState::Ahead));
    match next {
        Some(next) => {
            let (tone, mark, text) = window(page, next, today);
            (tone, mark, format!("{count} · {text}"))
        }
        None => ("good", page.word("agreements.due.in_time").into_owned(), count),
    }
}

/// Who is in a team on a day, as residents read it: role, name, telephone.
pub(crate) fn members(
    page: &Page,
    names: &Names<'_>,
    team: &TeamKept,
    on: Day,
) -> Vec<(String, String, String)> {
    let mut now: Vec<&Member> = team.members.iter().filter(|member| is_in(member, on)).collect();
    let tier =
        |member: &Member| names.rules().and_then(|rules| rules.role(&member.role)).map(|role| role.tier);
    now.sort_by_key(|member| (!member.leads, tier(member)));
    let of = |member: &&Member| {
        let role = names.role(page, &member.role);
        let role = if member.leads { page.say1("agreements.leads", "role", role) } else { role };
        (role, member.name.clone(), member.phone.clone())
    };
    now.iter().map(of).collect()
}

/// What a team is called with its telephone.
pub(crate) fn team_line(page: &Page, team: Option<&Team>) -> String {
    let Some(team) = team else { return page.word("agreements.team.unknown").into_owned() };
    if team.kept.phone.is_empty() {
        return team.kept.name.clone();
    }
    page.say2("agreements.team.with_phone", "name", &team.kept.name, "phone", &team.kept.phone)
}
