//! What the pages say: names out of the tables, why somebody is on a list, what a visit came to and what follows.

use kangmai_base::{Day, DivisionCode};
use kangmai_policy::follow_up::{Answers, FollowUpRules, Item, Patient};
use kangmai_policy::{Bilingual, Release};
use kangmai_web::Page;

use crate::facts::{Due, DueWhy, Found, Grade, Visited};
use crate::rules::{Because, Who, because, read_answers};
use crate::store::Row;

/// A text of the tables in the reader's language.
pub(crate) fn said<'t>(page: &Page, text: &'t Bilingual) -> &'t str {
    if page.is_chinese() { &text.zh } else { &text.en }
}

/// Parts of a sentence, as the language joins them.
pub(crate) fn joined(page: &Page, parts: &[String]) -> String {
    parts.join(if page.is_chinese() { "、" } else { ", " })
}

/// The law that names programmes and states at a place on a day.
#[derive(Clone, Copy)]
pub(crate) struct Names<'a> {
    pub(crate) release: &'a Release,
    pub(crate) home: DivisionCode,
    pub(crate) on: Day,
}

impl<'a> Names<'a> {
    /// The table of a programme.
    pub(crate) fn rules(&self, programme: &str) -> Option<&'a FollowUpRules> {
        self.release.follow_up(programme, self.home, self.on)
    }

    /// What a programme is called; its code name where no table holds any more.
    pub(crate) fn short(&self, page: &Page, programme: &str) -> String {
        self.rules(programme).map_or(programme, |rules| said(page, &rules.short)).to_owned()
    }

    /// What a state is called; empty where there is none.
    pub(crate) fn state(&self, page: &Page, programme: &str, state: &str) -> String {
        let state = self.rules(programme).and_then(|rules| rules.state(state));
        state.map_or("", |state| said(page, &state.name)).to_owned()
    }

    /// What a window is called.
    pub(crate) fn window(&self, page: &Page, programme: &str, window: &str) -> String {
        let windows = self.rules(programme).map(|rules| rules.windows.as_slice()).unwrap_or_default();
        let window = windows.iter().find(|one| one.id == window);
        window.map_or("", |window| said(page, &window.name)).to_owned()
    }
}

/// The tone of a grade.
pub(crate) const fn tone(grade: Grade, at_target: Option<bool>) -> &'static str {
    match (grade, at_target) {
        (Grade::Danger, _) => "danger",
        (Grade::Refer | Grade::Adjust, _) => "warning",
        (Grade::Steady, Some(true)) => "good",
        (Grade::Steady, _) => "plain",
    }
}

/// Why somebody is on the list, for one programme: `高血压 逾期12天 · 上次 168/98 · 血压控制不满意`.
pub(crate) fn reason(page: &Page, names: &Names<'_>, row: &Row, today: Day) -> String {
    let mut parts = vec![names.short(page, &row.programme)];
    if let Some(due_on) = row.due_on {
        let what = match row.due_why {
            Some(DueWhy::Window) => names.window(page, &row.programme, &row.window),
            Some(why) if why != DueWhy::Visit => {
                page.word(&format!("follow_up.due.{}", why.key())).into_owned()
            }
            _ => String::new(),
        };
        parts.push(format!(
            "{what}{}{}",
            if what.is_empty() { "" } else { " " },
            page.days_left(due_on, today)
        ));
    }
    let mut more = Vec::new();
    if !row.figures.is_empty() {
        more.push(page.say1("follow_up.last_figures", "figures", &row.figures));
    }
    // The mark before the sentence says a danger already, where it is called so.
    let state = names.state(page, &row.programme, &row.state);
    if row.grade > Grade::Steady && state != page.word("follow_up.mark.danger") {
        more.push(state);
    }
    if let Some(why) = row.missed_why {
        let why = page.word(&format!("follow_up.outcome.{}", why.key())).into_owned();
        more.push(page.say2("follow_up.missed_times", "times", row.missed, "why", why));
    }
    let mut text = parts.join(" ");
    for part in more {
        text.push_str(" · ");
        text.push_str(&part);
    }
    text
}

/// What is due, by when and why.
pub(crate) fn due_sentence(page: &Page, names: &Names<'_>, programme: &str, due: &Due, today: Day) -> String {
    let what = match &due.window {
        Some(window) => names.window(page, programme, window),
        None => page.word(&format!("follow_up.due.{}", due.why.key())).into_owned(),
    };
    let left = page.days_left(due.until, today);
    page.say("follow_up.due", &[("what", &what), ("day", &page.day(due.until)), ("left", &left)])
}

/// What a visit came to in one programme, as its page shows it.
pub(crate) struct Outcome {
    pub(crate) name: String,
    pub(crate) tone: &'static str,
    pub(crate) state: String,
    pub(crate) because: Vec<String>,
    pub(crate) running: Option<String>,
    pub(crate) advice: String,
    pub(crate) due: Vec<String>,
    pub(crate) is_danger: bool,
    pub(crate) follows_referral: Option<Day>,
}

/// What a visit came to in one programme, in words.
pub(crate) fn outcome(
    page: &Page,
    names: &Names<'_>,
    (visit, found, last): (&Visited, &Found, Option<&str>),
    who: &Who,
    today: Day,
) -> Outcome {
    let rules = names.rules(&found.programme);
    let state = rules.and_then(|rules| rules.state(found.state.as_deref()?));
    let mut why = Vec::new();
    if let (Some(rules), Some(state)) = (rules, state)
        && found.grade > Grade::Steady
    {
        let answers = read_answers([rules], &visit.answers);
        let patient = Patient { age: who.age_on(visit.on), sex: who.sex, last };
        why = because(&state.when, &answers, &patient)
            .iter()
            .filter_map(|one| because_sentence(page, rules, one))
            .collect();
    }
    let referral = found.due.iter().find(|due| due.why == DueWhy::Referral);
    Outcome {
        name: names.short(page, &found.programme),
        tone: tone(found.grade, found.at_target),
        state: match (state, &found.window) {
            (Some(state), _) => said(page, &state.name).to_owned(),
            (None, Some(window)) => names.window(page, &found.programme, window),
            (None, None) => page.word("follow_up.not_classified").into_owned(),
        },
        because: why,
        running: (found.running > 1).then(|| page.count("follow_up.running", found.running)),
        advice: state.map(|state| said(page, &state.advice).to_owned()).unwrap_or_default(),
        due: found.due.iter().map(|due| due_sentence(page, names, &found.programme, due, today)).collect(),
        is_danger: found.grade == Grade::Danger,
        follows_referral: referral.map(|due| due.until),
    }
}

fn because_sentence(page: &Page, rules: &FollowUpRules, one: &Because) -> Option<String> {
    let item = rules.asks.iter().map(|ask| &*ask.item).find(|item| item.id == one.item)?;
    let name = said(page, &item.name);
    Some(match one.number {
        Some((number, limit)) => page.say(
            "follow_up.because.number",
            &[("name", &name), ("number", &number), ("unit", &unit(item)), ("limit", &limit)],
        ),
        None => {
            let options: Vec<String> = one.options.iter().map(|id| option(page, item, id)).collect();
            page.say2("follow_up.because.option", "name", name, "options", joined(page, &options))
        }
    })
}

/// The unit of a number; empty for others.
pub(crate) fn unit(item: &Item) -> &str {
    match &item.kind {
        kangmai_policy::follow_up::ItemKind::Number { unit, .. } => unit,
        _ => "",
    }
}

fn option(page: &Page, item: &Item, id: &str) -> String {
    let option = item.options().iter().find(|option| option.id == id);
    option.map_or(id, |option| said(page, &option.name)).to_owned()
}

/// An answer as it is shown: with its unit, or the names of options.
pub(crate) fn answer(page: &Page, item: &Item, written: &[String]) -> String {
    if !item.options().is_empty() {
        let options: Vec<String> = written.iter().map(|id| option(page, item, id)).collect();
        return joined(page, &options);
    }
    let unit = unit(item);
    let text = written.join("\n");
    if unit.is_empty() { text } else { format!("{text} {unit}") }
}

/// Whether the table tells a danger from these answers already.
pub(crate) fn is_danger(rules: &FollowUpRules, answers: &Answers, patient: &Patient<'_>) -> bool {
    use kangmai_policy::follow_up::{Action, Classified};
    matches!(rules.classify(answers, patient), Classified::As(state) if state.action == Action::ReferNow)
}
