//! The page of one agreement: what it holds, how it stands, what is due of it; and what may be done with it.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use kangmai_base::{Refusal, Uuid};
use kangmai_people::Person;
use kangmai_programme::Visit;
use kangmai_web::{Choice, Failure, Field, Flash, Form, FormBody, Page, show, show_refused};

use super::sign::{offer_terms, team_choices};
use super::{Known, known, note, team_of, transact};
use crate::act::Mend;
use crate::facts::{EndReason, SignedBy, Way};
use crate::folder::Agreement;
use crate::rules::{Standing, standing_of};
use crate::sentences::{Names, mark, members, often, progress, remind_days, said, team_line, term, window};
use crate::store::{self, Team};

const DONE: &[Field] = &[
    Field::select("item", "agreements.field.item"),
    Field::day("done_on", "agreements.field.done_on"),
    Field::text("done_note", "agreements.field.done_note").at_most(200).optional(),
];
const END: &[Field] = &[
    Field::radios("end_reason", "agreements.field.end_reason"),
    Field::day("ended_on", "agreements.field.ended_on"),
    Field::text("end_note", "agreements.field.end_note").at_most(200),
];
const PASS_ON: &[Field] = &[
    Field::select("team", "agreements.field.new_team"),
    Field::text("pass_reason", "agreements.field.reason").at_most(200),
];
const CORRECT: &[Field] = &[
    Field::day("signed_on", "agreements.field.signed_on"),
    Field::select("term", "agreements.field.term"),
    Field::many("package", "agreements.field.package"),
    Field::text("paper_at", "agreements.field.paper_at").at_most(100).optional(),
    Field::text("note", "agreements.field.note").at_most(200).optional(),
    Field::text("reason", "agreements.field.correct_reason").at_most(200),
];

/// A promise as it is shown.
struct Line {
    package: String,
    item: String,
    often: String,
    tone: &'static str,
    mark: String,
    text: String,
    /// Each of its times.
    windows: Vec<(&'static str, String, String)>,
}

#[derive(Template)]
#[template(path = "agreements_agreement.html")]
struct AgreementPage {
    page: Page,
    path: String,
    tone: &'static str,
    mark: String,
    term: String,
    pairs: Vec<(String, String)>,
    members: Vec<(String, String, String)>,
    lines: Vec<Line>,
    picture: Option<String>,
    print: String,
    plan: String,
    renew: Option<String>,
    forms: Option<Forms>,
}

/// What may be done with it.
struct Forms {
    done: Form,
    end: Form,
    pass_on: Form,
    correct: Form,
    has_items: bool,
    may_end: bool,
    is_signed: bool,
    /// The part that was sent and refused stands open.
    open: &'static str,
}

/// GET `/people/{id}/agreements/{agreement}`.
pub(crate) async fn page(
    visit: Visit,
    Path((id, agreement)): Path<(Uuid, Uuid)>,
) -> Result<Response, Failure> {
    let known = known(&visit, id).await?;
    note(&visit, id, known.person.home).await?;
    show(&page_of(&visit, &known, agreement, None).await?)
}

/// The teams that may have an agreement of this person.
async fn teams_of(visit: &Visit, person: &Person) -> Result<Vec<Team>, Failure> {
    let (person, now) = (person.clone(), visit.app.clock.now());
    Ok(visit.app.database.read(move |tx| super::teams_for(tx, &person, now)).await?)
}

/// A form that was sent and refused.
type Sent = (&'static str, Form);

async fn page_of(
    visit: &Visit,
    known: &Known,
    agreement: Uuid,
    sent: Option<Sent>,
) -> Result<AgreementPage, Failure> {
    let one = known.folder.agreement(agreement).ok_or(Failure::NotFound)?;
    let team = team_of(visit, one.team()).await?;
    let home = known.person.home;
    let teams = teams_of(visit, &known.person).await?;
    let id = known.person.id;
    let page = visit.page.clone().titled("agreements.agreement");
    let page = page.under(known.person.body.name.clone(), format!("/people/{id}"));
    let title = page.say1("agreements.agreement.of", "name", &known.person.body.name);
    let page = Page { title, ..page };
    let on = one.signed.as_ref().map_or(visit.today, |signed| signed.body.on);
    let names = Names { release: &visit.app.policies, home: known.person.home, on };
    let remind = remind_days(&visit.app.policies, home, visit.today);
    let (tone, mark) = mark(&page, one, visit.today, remind);
    let path = format!("/people/{id}/agreements/{agreement}");
    let standing = standing_of(one, visit.today, remind);
    let may_renew = matches!(standing, Standing::EndsSoon | Standing::Expired | Standing::Offered);
    let has_picture = one.signed.as_ref().is_some_and(|signed| signed.body.signature.file.is_some());
    Ok(AgreementPage {
        tone,
        mark,
        term: term(&page, one, visit.today),
        pairs: pairs(&page, &names, known, one, team.as_ref()),
        members: team
            .as_ref()
            .map(|team| members(&page, &names, &team.kept, visit.today))
            .unwrap_or_default(),
        lines: lines(visit, &page, &names, known, one),
        picture: has_picture.then(|| format!("{path}/paper")),
        print: format!("{path}/print"),
        plan: format!("/people/{id}/care-plan"),
        renew: (known.may_write && may_renew && one.renewed_on.is_none())
            .then(|| format!("/people/{id}/agreements/sign")),
        forms: known.may_write.then(|| forms(visit, &names, known, (one, &teams), sent)),
        path,
        page,
    })
}

fn lines(visit: &Visit, page: &Page, names: &Names<'_>, known: &Known, one: &Agreement) -> Vec<Line> {
    let kept = store::promises_of(&known.folder, one, &known.care, known.secret);
    let line = |kept: &crate::rules::Kept| {
        let (tone, mark, text) = progress(page, kept, visit.today);
        Line {
            package: names.package(page, &kept.promise.package),
            item: names.item(page, &kept.promise.package, &kept.promise.item),
            often: often(page, kept.promise.times),
            tone,
            mark,
            text,
            windows: kept.windows.iter().map(|one| window(page, one, visit.today)).collect(),
        }
    };
    kept.iter().map(line).collect()
}

/// Every field of the agreement, as the print has it.
fn pairs(
    page: &Page,
    names: &Names<'_>,
    known: &Known,
    one: &Agreement,
    team: Option<&Team>,
) -> Vec<(String, String)> {
    let mut all = vec![("agreements.pair.team", team_line(page, team))];
    if let Some(content) = one.content() {
        let packages = names.packages(page, content, known.secret);
        all.push(("agreements.pair.packages", packages.join(if page.is_chinese() { "、" } else { ", " })));
        all.push(("agreements.pair.length", page.count("agreements.months", content.term_months)));
    }
    all.push(("agreements.pair.fee", super::print::fee(page, names.rules())));
    if let Some(offered) = &one.offered {
        let by = page.say2("agreements.on_by", "day", offered.body.on, "by", &offered.body.by);
        all.push(("agreements.pair.offered", by));
    }
    if let Some(signed) = &one.signed {
        let body = &signed.body;
        all.push(("agreements.pair.signed", page.say2("agreements.on_by", "day", body.on, "by", &body.by)));
        all.push(("agreements.pair.signer", signer(page, body)));
        all.push(("agreements.pair.way", way(page, body)));
        all.push((
            "agreements.pair.consent",
            page.say1("agreements.consent_hash", "hash", short(&body.consent)),
        ));
        if !body.note.is_empty() {
            all.push(("agreements.pair.note", body.note.clone()));
        }
        if one.is_corrected {
            all.push(("agreements.pair.corrected", body.reason.clone()));
        }
    }
    for moved in &one.moves {
        let text = page.say2("agreements.moved_why", "day", moved.body.on, "reason", &moved.body.reason);
        all.push(("agreements.pair.moved", text));
    }
    if let Some(ended) = &one.ended {
        all.push(("agreements.pair.ended", format!("{} {}", ended.body.on, ended.body.note)));
    }
    all.into_iter().map(|(word, text)| (page.word(word).into_owned(), text)).collect()
}

/// The beginning of a digest, as people compare it.
fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

/// Who signed.
pub(super) fn signer(page: &Page, body: &crate::facts::Signed) -> String {
    let who = page.word(&format!("agreements.signer.{}", body.signer.who.key())).into_owned();
    match body.signer.who {
        SignedBy::Resident => who,
        _ => {
            let values: [(&str, &dyn std::fmt::Display); 3] =
                [("who", &who), ("name", &body.signer.name), ("relation", &body.signer.relation)];
            page.say("agreements.signer.said", &values)
        }
    }
}

/// How it was signed, and where the paper is.
pub(super) fn way(page: &Page, body: &crate::facts::Signed) -> String {
    let way = page.word(&format!("agreements.way.{}", body.signature.way.key())).into_owned();
    if body.signature.paper_at.is_empty() {
        way
    } else {
        page.say2("agreements.way.kept", "way", way, "at", &body.signature.paper_at)
    }
}

fn forms(
    visit: &Visit,
    names: &Names<'_>,
    known: &Known,
    (one, teams): (&Agreement, &[Team]),
    sent: Option<Sent>,
) -> Forms {
    let (open, mut sent) = match sent {
        Some((open, form)) => (open, Some(form)),
        None => ("", None),
    };
    let mut take = |name: &str, fields| {
        if name == open { sent.take().unwrap_or_else(|| Form::blank(fields)) } else { Form::blank(fields) }
    };
    let mut forms = Forms {
        done: take("done", DONE),
        end: take("end", END),
        pass_on: take("pass_on", PASS_ON),
        correct: take("correct", CORRECT),
        has_items: one.holds_on(visit.today),
        may_end: one.ended.is_none() && one.term().is_none_or(|(_, until)| visit.today <= until),
        is_signed: one.signed.is_some(),
        open,
    };
    for (form, day) in [(&mut forms.done, "done_on"), (&mut forms.end, "ended_on")] {
        if form.raw(day).is_empty() && !form.is_refused() {
            form.fill(day, visit.today);
        }
    }
    offer_done(&visit.page, names, one, known.secret, &mut forms.done);
    offer_end(&visit.page, one, &mut forms.end);
    let others: Vec<Team> = teams.iter().filter(|team| team.kept.team != one.team()).cloned().collect();
    forms.pass_on.offer("team", team_choices(&others));
    offer_correct(&visit.page, names, &mut forms.correct);
    if let Some(signed) = one.signed.as_ref().filter(|_| !forms.correct.is_refused()) {
        let body = &signed.body;
        let packages = body.content.packages.iter().map(|id| ("package".to_owned(), id.clone()));
        let mut form = Form::typed(CORRECT, packages.collect());
        form.fill("signed_on", body.on);
        form.fill("term", body.content.term_months);
        form.fill("paper_at", &body.signature.paper_at);
        form.fill("note", &body.note);
        offer_correct(&visit.page, names, &mut form);
        forms.correct = form;
    }
    forms
}

fn offer_done(page: &Page, names: &Names<'_>, one: &Agreement, secret: bool, form: &mut Form) {
    let Some(content) = one.content() else { return };
    let shown = content.promises.iter().filter(|promise| secret || !promise.sensitive);
    let choice = |promise: &crate::facts::Promise| {
        let (package, item) = (&promise.package, &promise.item);
        let text = page.say2(
            "agreements.item_of",
            "item",
            names.item(page, package, item),
            "package",
            names.package(page, package),
        );
        Choice::new(format!("{package}.{item}"), text)
    };
    form.offer("item", shown.map(choice).collect());
}

fn offer_end(page: &Page, one: &Agreement, form: &mut Form) {
    let fits = |reason: &EndReason| (*reason == EndReason::Declined) == one.signed.is_none();
    let choice =
        |reason: EndReason| Choice::new(reason.key(), page.word(&format!("agreements.end.{}", reason.key())));
    form.offer("end_reason", EndReason::ALL.into_iter().filter(fits).map(choice).collect());
}

fn offer_correct(page: &Page, names: &Names<'_>, form: &mut Form) {
    offer_terms(page, names.rules(), form);
    let packages = names.rules().map(|rules| rules.packages.as_slice()).unwrap_or_default();
    let choice =
        |package: &kangmai_policy::ServicePackage| Choice::new(package.id.clone(), said(page, &package.name));
    form.offer("package", packages.iter().map(choice).collect());
}

/// Where an agreement is, in an address.
type Address = Path<(Uuid, Uuid)>;

async fn refused(visit: &Visit, known: &Known, agreement: Uuid, sent: Sent) -> Result<Response, Failure> {
    show_refused(&page_of(visit, known, agreement, Some(sent)).await?)
}

fn went_well(visit: &Visit, (id, agreement): (Uuid, Uuid), fact: Uuid, word: &str) -> Response {
    let undo = format!("/people/{id}/agreements/undo/{fact}");
    Flash::good(visit.page.word(word)).undo(undo).then_go_to(&format!("/people/{id}/agreements/{agreement}"))
}

fn names_of<'a>(visit: &'a Visit, known: &Known, one: &Agreement) -> Names<'a> {
    let on = one.signed.as_ref().map_or(visit.today, |signed| signed.body.on);
    Names { release: &visit.app.policies, home: known.person.home, on }
}

/// POST: something was done.
pub(crate) async fn done(
    visit: Visit,
    Path((id, agreement)): Address,
    body: FormBody,
) -> Result<Response, Failure> {
    let known = known(&visit, id).await?;
    let one = known.folder.agreement(agreement).ok_or(Failure::NotFound)?;
    let mut form = body.form(DONE);
    offer_done(&visit.page, &names_of(&visit, &known, one), one, known.secret, &mut form);
    let (item, on) = (form.choice("item"), form.day("done_on"));
    let text = form.text("done_note").unwrap_or_default();
    if let (Some(item), Some(on), false) = (item, on, form.is_refused()) {
        let (package, item) = item
            .split_once('.')
            .map_or((item.clone(), String::new()), |(package, item)| (package.to_owned(), item.to_owned()));
        let done = transact(&visit, id, move |writing, hand| {
            writing.done(hand, agreement, (&package, &item), (on, text))
        });
        match done.await? {
            Ok(fact) => return Ok(went_well(&visit, (id, agreement), fact, "agreements.done_now")),
            Err(refusal) => form.refuse(refusal),
        }
    }
    refused(&visit, &known, agreement, ("done", form)).await
}

/// POST: it ends before its term.
pub(crate) async fn end(
    visit: Visit,
    Path((id, agreement)): Address,
    body: FormBody,
) -> Result<Response, Failure> {
    let known = known(&visit, id).await?;
    let one = known.folder.agreement(agreement).ok_or(Failure::NotFound)?;
    let mut form = body.form(END);
    offer_end(&visit.page, one, &mut form);
    let reason = form.choice("end_reason").as_deref().and_then(EndReason::of_key);
    let (on, text) = (form.day("ended_on"), form.text("end_note"));
    if let (Some(reason), Some(on), Some(text), false) = (reason, on, text, form.is_refused()) {
        let done =
            transact(&visit, id, move |writing, hand| writing.end(hand, agreement, (on, reason), text));
        match done.await? {
            Ok(fact) => return Ok(went_well(&visit, (id, agreement), fact, "agreements.ended_now")),
            Err(refusal) => form.refuse(refusal),
        }
    }
    refused(&visit, &known, agreement, ("end", form)).await
}

/// POST: another team has it from now on.
pub(crate) async fn pass_on(
    visit: Visit,
    Path((id, agreement)): Address,
    body: FormBody,
) -> Result<Response, Failure> {
    let known = known(&visit, id).await?;
    known.folder.agreement(agreement).ok_or(Failure::NotFound)?;
    let teams = teams_of(&visit, &known.person).await?;
    let mut form = body.form(PASS_ON);
    form.offer("team", team_choices(&teams));
    let (team, reason) = (form.choice("team"), form.text("pass_reason"));
    let team = team.and_then(|id| id.parse::<Uuid>().ok());
    if let (Some(team), Some(reason), false) = (team, reason, form.is_refused()) {
        match team_of(&visit, team).await? {
            None => form.refuse(Refusal::new("agreements.refused.no_team").at("team")),
            Some(team) => {
                let done = transact(&visit, id, move |writing, hand| {
                    writing.pass_on(hand, agreement, &team.kept, reason)
                });
                match done.await? {
                    Ok(fact) => return Ok(went_well(&visit, (id, agreement), fact, "agreements.passed_on")),
                    Err(refusal) if refusal.field == Some("reason") => form.refuse(refusal.at("pass_reason")),
                    Err(refusal) => form.refuse(refusal),
                }
            }
        }
    }
    refused(&visit, &known, agreement, ("pass_on", form)).await
}

/// POST: it is put right, with a reason.
pub(crate) async fn correct(
    visit: Visit,
    Path((id, agreement)): Address,
    body: FormBody,
) -> Result<Response, Failure> {
    let known = known(&visit, id).await?;
    let one = known.folder.agreement(agreement).ok_or(Failure::NotFound)?;
    let mut form = body.form(CORRECT);
    offer_correct(&visit.page, &names_of(&visit, &known, one), &mut form);
    let (on, term) = (form.day("signed_on"), form.choice("term"));
    let packages = form.many("package");
    let reason = form.text("reason");
    let paper_at = form.text("paper_at").unwrap_or_default();
    let note = form.text("note").unwrap_or_default();
    let term = term.and_then(|term| term.parse().ok());
    let is_paper = one.signed.as_ref().is_some_and(|one| one.body.signature.way == Way::Paper);
    if let (Some(on), Some(term_months), Some(reason), false) = (on, term, reason, form.is_refused()) {
        let paper_at = if is_paper || !paper_at.is_empty() { paper_at } else { String::new() };
        let mend = Mend { agreement, on, term_months, packages, paper_at, note, reason };
        let done = transact(&visit, id, move |writing, hand| writing.mend(hand, &mend));
        match done.await? {
            Ok(fact) => return Ok(went_well(&visit, (id, agreement), fact, "agreements.corrected_now")),
            Err(refusal) => form.refuse(refusal),
        }
    }
    refused(&visit, &known, agreement, ("correct", form)).await
}

/// POST `/people/{id}/agreements/undo/{fact}`: who wrote it takes it back on the same day.
pub(crate) async fn undo(visit: Visit, Path((id, fact)): Path<(Uuid, Uuid)>) -> Result<Response, Failure> {
    let done = transact(&visit, id, move |writing, hand| writing.undo(hand, fact)).await?;
    let said = match done {
        Ok(_) => Flash::good(visit.page.word("agreements.undone")),
        Err(refusal) => Flash::warning(visit.page.refusal(&refusal)),
    };
    Ok(said.then_go_to(&format!("/people/{id}")))
}
