//! The pages on which a visit is written down, or put right.

use askama::Template;
use axum::extract::Path;
use axum::http::Uri;
use axum::response::Response;
use kangmai_access::{Purpose, reach_of_person};
use kangmai_base::{Day, DivisionCode, DivisionLevel, Id, Refusal, Uuid};
use kangmai_database::DatabaseError;
use kangmai_people::{Person, find_person};
use kangmai_policy::follow_up::{Anchor, Answers, FollowUpRules, Patient};
use kangmai_programme::{Visit, place_name};
use kangmai_web::{
    Choice, Failure, Field, Flash, Form, FormBody, ListQuery, ListSpec, Page, show, show_refused,
};

use super::form::{Entry, Sheet};
use super::{note, transact};
use crate::act::Draft;
use crate::chart::Chart;
use crate::facts::{Grade, Opinion, Outcome, Satisfaction, Visited, Way};
use crate::rules::{self, Ill, Who};
use crate::section::last_seen;
use crate::sentences::{Names, is_danger, joined, said};
use crate::store;

/// What of a visit is no item of a table.
const FIELDS: &[Field] = &[
    Field::hidden("visit"),
    Field::hidden("check"),
    Field::day("on", "follow_up.field.on"),
    Field::radios("way", "follow_up.field.way"),
    Field::many("windows", "follow_up.field.windows"),
    Field::day("agreed_on", "follow_up.field.agreed_on").optional(),
    Field::area("note", "follow_up.field.note").at_most(500).optional(),
    Field::radios("opinion", "follow_up.field.opinion").optional(),
    Field::text("opinion_why", "follow_up.field.opinion_why").at_most(200).optional(),
];
/// The same of one that puts another right.
const CORRECTION: &[Field] = &[
    Field::hidden("visit"),
    Field::hidden("check"),
    Field::day("on", "follow_up.field.on"),
    Field::radios("way", "follow_up.field.way"),
    Field::many("windows", "follow_up.field.windows"),
    Field::day("agreed_on", "follow_up.field.agreed_on").optional(),
    Field::area("note", "follow_up.field.note").at_most(500).optional(),
    Field::radios("opinion", "follow_up.field.opinion").optional(),
    Field::text("opinion_why", "follow_up.field.opinion_why").at_most(200).optional(),
    Field::text("reason", "follow_up.field.reason").at_most(200),
];
/// That nobody was seen.
pub(super) const NOT_SEEN: &[Field] = &[
    Field::day("missed_on", "follow_up.field.missed_on"),
    Field::day("again_on", "follow_up.field.again_on").optional(),
];
/// The least length of a reason, in characters.
const SHORTEST_REASON: usize = 4;

/// How the sheet is asked for: with the yearly check, with what was said the last time.
static ASKED: ListSpec = ListSpec {
    filters: &[
        Field { label: "follow_up.check.do", ..Field::hidden("check") },
        Field { label: "follow_up.same.do", ..Field::hidden("same") },
    ],
    sorts: &[],
    descending: false,
};

#[derive(Template)]
#[template(path = "follow_up_sheet.html")]
pub(super) struct SheetPage {
    page: Page,
    action: String,
    back: String,
    programmes: String,
    standing: Vec<String>,
    /// Where the person lives, if only the telephone reaches them there.
    away: Option<String>,
    form: Form,
    entries: Vec<Entry>,
    has_more: bool,
    more_open: bool,
    errors: Vec<(String, String)>,
    /// Where the sheet is asked with the yearly check, and with what was said the last time.
    check: Option<String>,
    same: Option<String>,
    is_correction: bool,
    has_reason: bool,
    missed: Option<(String, Form)>,
    outcomes: Vec<(&'static str, String)>,
    management: String,
}

/// A person with their chart, and the tables that the sheet asks.
pub(super) struct Known {
    pub(super) person: Person,
    pub(super) chart: Chart,
    /// Whether the reader may be told of level 5.
    pub(super) may_name: bool,
    /// Whether the reader may write visits down.
    pub(super) may_write: bool,
    ill: Vec<Ill>,
}

/// The person and the chart, for who reaches them by place or by a relation that gives the purpose of the page.
pub(super) async fn known(visit: &Visit, id: Uuid) -> Result<Known, Failure> {
    let (actor, purpose, today) = (visit.actor.clone(), visit.reach.purpose(), visit.today);
    let now = visit.app.clock.now();
    let read = move |tx: &mut kangmai_database::Transaction<'_>| {
        let Some(person) = find_person(tx, Id::from_uuid(id))? else { return Ok(None) };
        let whom = (id, person.home);
        if reach_of_person(tx, &actor, purpose, whom, now)?.is_none() {
            return Ok(None);
        }
        let record = reach_of_person(tx, &actor, Purpose::ReadRecord, whom, now)?;
        let may_name = record.is_some_and(|record| record.diagnoses() && record.sensitive());
        let may_write = reach_of_person(tx, &actor, Purpose::RecordVisits, whom, now)?.is_some();
        let (chart, ill) = (store::chart_of(tx, id)?, store::ill_of(tx, id, today)?);
        Ok::<_, DatabaseError>(Some(Known { person, chart, may_name, may_write, ill }))
    };
    visit.app.database.read(read).await?.ok_or(Failure::NotFound)
}

impl Known {
    fn who(&self) -> Who {
        Who { birth: self.person.body.birth, sex: self.person.body.sex }
    }

    /// Where the person lives, if in another county: only the telephone reaches them.
    pub(super) fn away(&self) -> Option<DivisionCode> {
        let county = |place: DivisionCode| place.at(DivisionLevel::County);
        self.person.body.living.filter(|living| county(*living) != county(self.person.home))
    }

    /// The tables of the programmes in which the person is managed, or will be with this visit.
    fn managed<'r>(&self, visit: &'r Visit, today: Day) -> Vec<&'r FollowUpRules> {
        let who = self.who();
        let all = visit.app.policies.follow_ups(self.person.home, today);
        let belongs = |rules: &&FollowUpRules| {
            let was = self.chart.managed.iter().any(|one| one.body.programme == rules.programme);
            match was {
                true => self.chart.open_in(&rules.programme).is_some(),
                false => rules::belongs(rules, &who, &self.ill, today).is_some(),
            }
        };
        all.into_iter().filter(belongs).collect()
    }

    /// Of these, what a visit asks: a programme without rows is a check and asked once a year, when somebody does it; where
    /// there is nothing else, it is asked.
    fn sheet<'r>(&self, managed: &[&'r FollowUpRules], check: bool) -> Vec<&'r FollowUpRules> {
        let classified: Vec<&FollowUpRules> =
            managed.iter().copied().filter(|rules| rules::classifies(rules)).collect();
        if check || classified.is_empty() { managed.to_vec() } else { classified }
    }
}

/// The windows of the year that these tables have, each once.
fn year_windows(page: &Page, rules: &[&FollowUpRules]) -> Vec<Choice> {
    let mut windows: Vec<Choice> = Vec::new();
    for window in rules.iter().flat_map(|rules| &rules.windows).filter(|window| window.anchor == Anchor::Year)
    {
        if windows.iter().all(|choice| choice.value != window.id) {
            windows.push(Choice::new(window.id.clone(), said(page, &window.name)));
        }
    }
    windows
}

fn offer(page: &Page, form: &mut Form, rules: &[&FollowUpRules]) {
    let way = |way: Way| Choice::new(way.key(), page.word(&format!("follow_up.way.{}", way.key())));
    form.offer("way", Way::ALL.map(way).to_vec());
    form.offer("windows", year_windows(page, rules));
    let opinion =
        |one: Satisfaction| Choice::new(one.key(), page.word(&format!("follow_up.opinion.{}", one.key())));
    form.offer("opinion", Satisfaction::ALL.map(opinion).to_vec());
}

/// GET `/people/{id}/visit`: a blank sheet.
pub(crate) async fn blank(visit: Visit, Path(id): Path<Uuid>, uri: Uri) -> Result<Response, Failure> {
    let asked = ListQuery::read(&ASKED, &uri);
    let known = known(&visit, id).await?;
    note(&visit, id, known.person.home).await?;
    let managed = known.managed(&visit, visit.today);
    let check = asked.filter("check").is_some() || managed.iter().all(|rules| !rules::classifies(rules));
    let rules = known.sheet(&managed, check);
    let mut form = Form::blank(FIELDS);
    form.fill("visit", visit.app.mint());
    form.fill("on", visit.today);
    form.fill("way", usual_way(&known).key());
    if check {
        form.fill("check", "1");
        form.fill(
            "windows",
            rules.iter().flat_map(|rules| &rules.windows).map(|one| one.id.as_str()).next().unwrap_or(""),
        );
    }
    let sheet = Sheet::blank(&visit.page, &rules, &known.chart, asked.filter("same").is_some());
    let mut page = sheet_page(&visit, &known, (&managed, &rules), form, sheet);
    if !check && managed.iter().any(|rules| rules.windows.iter().any(|one| one.anchor == Anchor::Year)) {
        page.check = Some(asked.with("check", "1"));
    }
    if asked.filter("same").is_none() && !known.chart.visits.is_empty() {
        page.same = Some(asked.with("same", "1"));
    }
    show(&page)
}

/// How most visits of this person are: as the last one; by telephone, where they live in another county.
fn usual_way(known: &Known) -> Way {
    if known.away().is_some() {
        return Way::Phone;
    }
    known.chart.visits.last().map_or(Way::Home, |visit| visit.body.way)
}

fn sheet_page(
    visit: &Visit,
    known: &Known,
    (managed, rules): (&[&FollowUpRules], &[&FollowUpRules]),
    mut form: Form,
    sheet: Sheet,
) -> SheetPage {
    let id = known.person.id;
    let page = visit.page.clone().titled("follow_up.sheet");
    let page = page.under(known.person.body.name.clone(), format!("/people/{id}"));
    let age = known.person.age_on(visit.today).map(|age| page.count("follow_up.age", age));
    let title = page.say1("follow_up.sheet.of", "name", &known.person.body.name);
    let page = Page { title, lead: age.unwrap_or_default(), ..page };
    offer(&page, &mut form, rules);
    let short = |rules: &&FollowUpRules| said(&page, &rules.short).to_owned();
    let programmes: Vec<String> = rules.iter().map(short).collect();
    let mut missed = Form::blank(NOT_SEEN);
    missed.fill("missed_on", visit.today);
    let word = |outcome: Outcome| {
        (outcome.key(), page.word(&format!("follow_up.outcome.{}", outcome.key())).into_owned())
    };
    SheetPage {
        action: format!("/people/{id}/visit"),
        back: format!("/people/{id}"),
        programmes: joined(&page, &programmes),
        standing: standing(visit, &page, known, managed),
        away: known.away().map(place_name),
        form,
        errors: sheet.errors(),
        has_more: sheet.entries.iter().any(|entry| entry.is_more),
        more_open: sheet.entries.iter().any(|entry| entry.is_more && entry.is_filled()),
        entries: sheet.entries,
        check: None,
        same: None,
        is_correction: false,
        has_reason: false,
        missed: (!managed.is_empty()).then(|| (format!("/people/{id}/missed"), missed)),
        outcomes: Outcome::ALL.map(word).to_vec(),
        management: format!("/people/{id}/management"),
        page,
    }
}

/// How each programme stands before the visit.
fn standing(visit: &Visit, page: &Page, known: &Known, managed: &[&FollowUpRules]) -> Vec<String> {
    let names = Names { release: &visit.app.policies, home: known.person.home, on: visit.today };
    let one = |rules: &&FollowUpRules| {
        let open = known.chart.open_in(&rules.programme)?;
        let standing = known.chart.standing(open);
        let state = standing.state.as_deref().map(|state| names.state(page, &rules.programme, state));
        let last = last_seen(page, &standing);
        let left = standing.due.first().map(|due| page.days_left(due.until, visit.today));
        let parts = [Some(said(page, &rules.short).to_owned()), Some(last), state, left];
        Some(
            parts
                .into_iter()
                .flatten()
                .filter(|part| !part.trim().is_empty())
                .collect::<Vec<_>>()
                .join(" · "),
        )
    };
    managed.iter().filter_map(one).collect()
}

/// A visit as it was sent; what is wrong stands in the form and the sheet.
fn read(
    visit: &Visit,
    known: &Known,
    rules: &[&FollowUpRules],
    (form, sheet): (&mut Form, &mut Sheet),
) -> Option<Draft> {
    let page = &visit.page;
    offer(page, form, rules);
    let (on, way) = (form.day("on"), form.choice("way"));
    let windows = form.many("windows");
    let (agreed_on, note) = (form.day("agreed_on"), form.text("note").unwrap_or_default());
    let satisfied = form.choice("opinion").as_deref().and_then(Satisfaction::of_key);
    let why = form.text("opinion_why").unwrap_or_default();
    let opinion = satisfied.map(|satisfied| Opinion { satisfied, why });
    let minted = form.parsed::<Uuid>("visit").unwrap_or_else(|| visit.app.mint());
    let mut reason = String::new();
    if form.field("reason").is_some() {
        reason = form.text("reason").unwrap_or_default();
        if !reason.is_empty() && reason.chars().count() < SHORTEST_REASON {
            form.refuse(Refusal::new("follow_up.refused.reason").at("reason"));
        }
    }
    let answers = sheet.read(page);
    if sheet.errors().is_empty() {
        let missing = missing(known, rules, &answers, on.unwrap_or(visit.today));
        sheet.require(page, &missing);
    }
    let way = way.as_deref().and_then(Way::of_key);
    if form.is_refused() || !sheet.errors().is_empty() {
        return None;
    }
    Some(Draft {
        visit: minted,
        on: on?,
        way: way?,
        answers: sheet.written(),
        windows,
        programmes: rules.iter().map(|rules| rules.programme.clone()).collect(),
        agreed_on,
        note,
        opinion,
        reason,
    })
}

/// What must be answered and is not. A danger that is seen is written down at once, whatever else is not asked yet.
fn missing(known: &Known, rules: &[&FollowUpRules], answers: &Answers, on: Day) -> Vec<String> {
    let who = known.who();
    let patient = Patient { age: who.age_on(on), sex: who.sex, last: None };
    if rules.iter().any(|rules| is_danger(rules, answers, &patient)) {
        return Vec::new();
    }
    rules.iter().flat_map(|rules| rules.unanswered(answers)).map(|item| item.id.clone()).collect()
}

/// POST `/people/{id}/visit`: the visit is written down.
pub(crate) async fn record(visit: Visit, Path(id): Path<Uuid>, body: FormBody) -> Result<Response, Failure> {
    let known = known(&visit, id).await?;
    let managed = known.managed(&visit, visit.today);
    let check = body.value("check") == "1";
    let rules = known.sheet(&managed, check);
    let mut sheet = Sheet::sent(&visit.page, &rules, &known.chart, &body);
    let mut form = body.form(FIELDS);
    if let Some(draft) = read(&visit, &known, &rules, (&mut form, &mut sheet)) {
        let minted = draft.visit;
        let done = transact(&visit, id, move |writing, ill, hand| {
            writing.enrol_who_belongs(hand, ill, draft.on.min(hand.now.day()))?;
            writing.visit(hand, &draft)
        });
        match done.await? {
            Ok(fact) => return Ok(saved(&visit, id, minted, fact, "follow_up.saved")),
            Err(refusal) => form.refuse(refusal),
        }
    }
    show_refused(&sheet_page(&visit, &known, (&managed, &rules), form, sheet))
}

/// To the page of the visit, which says what follows.
fn saved(visit: &Visit, person: Uuid, minted: Uuid, fact: Option<Uuid>, word: &str) -> Response {
    let to = format!("/people/{person}/visits/{minted}");
    let said = Flash::good(visit.page.word(word));
    match fact {
        Some(fact) => said.undo(format!("/people/{person}/follow-up/{fact}/undo")).then_go_to(&to),
        None => said.then_go_to(&to),
    }
}

/// The tables that a visit was written down with.
fn rules_of<'r>(visit: &'r Visit, known: &Known, body: &Visited) -> Vec<&'r FollowUpRules> {
    let programmes = body.found.iter().map(|found| found.programme.as_str());
    programmes.filter_map(|one| visit.app.policies.follow_up(one, known.person.home, body.on)).collect()
}

/// GET `/people/{id}/visits/{visit}/correct`: the visit as it stands, to put it right.
pub(crate) async fn filled(visit: Visit, Path((id, which)): Path<(Uuid, Uuid)>) -> Result<Response, Failure> {
    let known = known(&visit, id).await?;
    let body = known.chart.visit(which).ok_or(Failure::NotFound)?.body.clone();
    note(&visit, id, known.person.home).await?;
    let rules = rules_of(&visit, &known, &body);
    let mut values = vec![("visit".to_owned(), which.to_string())];
    values.extend(body.windows.iter().map(|window| ("windows".to_owned(), window.clone())));
    let mut form = Form::typed(CORRECTION, values);
    form.fill("on", body.on);
    form.fill("way", body.way.key());
    form.fill("agreed_on", body.agreed_on.map(|day| day.to_string()).unwrap_or_default());
    form.fill("note", &body.note);
    if let Some(opinion) = &body.opinion {
        form.fill("opinion", opinion.satisfied.key());
        form.fill("opinion_why", &opinion.why);
    }
    let sheet = Sheet::of(&visit.page, &rules, &known.chart, &body.answers);
    show(&correction_page(&visit, &known, (&rules, which), form, sheet))
}

fn correction_page(
    visit: &Visit,
    known: &Known,
    (rules, which): (&[&FollowUpRules], Uuid),
    form: Form,
    sheet: Sheet,
) -> SheetPage {
    let id = known.person.id;
    let page = sheet_page(visit, known, (&[], rules), form, sheet);
    let title = visit.page.say1("follow_up.correct.of", "name", &known.person.body.name);
    SheetPage {
        page: Page { title, ..page.page },
        action: format!("/people/{id}/visits/{which}/correct"),
        back: format!("/people/{id}/visits/{which}"),
        is_correction: true,
        has_reason: true,
        ..page
    }
}

/// POST: the visit is put right.
pub(crate) async fn correct(
    visit: Visit,
    Path((id, which)): Path<(Uuid, Uuid)>,
    body: FormBody,
) -> Result<Response, Failure> {
    let known = known(&visit, id).await?;
    let there = known.chart.visit(which).ok_or(Failure::NotFound)?.body.clone();
    let rules = rules_of(&visit, &known, &there);
    let mut sheet = Sheet::sent(&visit.page, &rules, &known.chart, &body);
    let mut form = body.form(CORRECTION);
    if let Some(draft) = read(&visit, &known, &rules, (&mut form, &mut sheet)) {
        let draft = Draft { visit: which, ..draft };
        match transact(&visit, id, move |writing, _, hand| writing.visit(hand, &draft)).await? {
            Ok(fact) => return Ok(saved(&visit, id, which, fact, "follow_up.corrected")),
            Err(refusal) => form.refuse(refusal),
        }
    }
    show_refused(&correction_page(&visit, &known, (&rules, which), form, sheet))
}

/// The sheet again, with what is wrong with a note that nobody was seen.
pub(super) fn not_seen_page(visit: &Visit, known: &Known, form: Form) -> SheetPage {
    let managed = known.managed(visit, visit.today);
    let rules = known.sheet(&managed, false);
    let mut blank = Form::blank(FIELDS);
    blank.fill("visit", visit.app.mint());
    blank.fill("on", visit.today);
    blank.fill("way", usual_way(known).key());
    let sheet = Sheet::blank(&visit.page, &rules, &known.chart, false);
    let page = sheet_page(visit, known, (&managed, &rules), blank, sheet);
    let missed = page.missed.map(|(path, _)| (path, form));
    SheetPage { missed, ..page }
}

/// Whether a grade asks for a referral.
pub(super) const fn is_referred(grade: Grade) -> bool {
    matches!(grade, Grade::Refer | Grade::Danger)
}
