//! The bill desk: find the person, type the bill, see every layer, settle.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use kangmai_base::{Fen, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::{Person, Query, search as search_people};
use kangmai_places::Institution;
use kangmai_policy::{Release, Sight, ToldOtherwise};
use kangmai_programme::Visit;
use kangmai_record::Source;
use kangmai_web::{Failure, Field, Flash, Form, FormBody, Page, show, show_refused};

use super::bill_lines::Entered;
use super::{
    Head, bill_form as bill_fields, id_in, institutions_of_desk, late, outcome, person_within, refuse_closed,
};
use crate::facts::{BillReceived, Settled, TreatingInstitution, Used};
use crate::import::treating;
use crate::lines_told::{LinesTold, tell_lines};
use crate::otherwise::{Known as KnownAround, MOST_AT_DESK, around, otherwise};
use crate::rules::{BillDraft, ChainBill, Settlement, insurance_year};
use crate::settling::{Hand, closing, lock, settle as settle_chain, settle_again};
use crate::statement::{Told, tell_trial};
use crate::store::{
    Answered, Attempt, Begun, BillState, JoinedYear, Known, LONGEST_KEY, RequestKey, answer_request,
    begin_request, digest_of, give_up_request, joined_year, known_bill, opening_fact,
};

/// The most people that a search shows.
const MOST_FOUND: i64 = 30;

const FIND: &[Field] = &[Field::text("query", "settlement.desk.query").at_most(Query::LONGEST)];

#[derive(Template)]
#[template(path = "settlement_desk.html")]
pub(super) struct FindPage {
    pub(super) page: Page,
    pub(super) form: Form,
    /// None: not searched yet.
    pub(super) found: Option<Vec<Head>>,
    /// Whether the desk of admissions asks.
    pub(super) admitting: bool,
    pub(super) own: String,
}

/// GET: the field to find somebody by.
pub(crate) async fn find(visit: Visit) -> Result<Response, Failure> {
    let own = own_institution(&visit).await?;
    let page = visit.page.titled("settlement.desk.title");
    show(&FindPage { page, form: Form::blank(FIND), found: None, admitting: false, own })
}

/// POST, so that no number stands in an address: the people found.
pub(crate) async fn search(visit: Visit, body: FormBody) -> Result<Response, Failure> {
    search_for(visit, body, false, "settlement.desk.title").await
}

pub(super) async fn own_institution(visit: &Visit) -> Result<String, Failure> {
    let Some(own) = visit.actor.institution else { return Ok(String::new()) };
    let read = move |tx: &mut Transaction<'_>| {
        kangmai_places::find_institution(tx, kangmai_base::Id::from_uuid(own))
    };
    Ok(visit.app.database.read(read).await?.map(|one| one.body.name).unwrap_or_default())
}

pub(super) async fn search_for(
    visit: Visit,
    body: FormBody,
    admitting: bool,
    title: &'static str,
) -> Result<Response, Failure> {
    let own = own_institution(&visit).await?;
    let mut form = body.form(FIND);
    let query = form.text("query").and_then(|text| Query::read(&text));
    let Some(query) = query else {
        if !form.is_refused() {
            form.refuse(Refusal::new("settlement.refused.query").at("query"));
        }
        let page = visit.page.titled(title);
        return show_refused(&FindPage { page, form, found: None, admitting, own });
    };
    let places = visit.reach.place().range();
    let people = visit.app.database.read(move |tx| search_people(tx, places, &query, MOST_FOUND)).await?;
    let found = people.iter().map(|person| Head::of(&visit.page, person, visit.today)).collect();
    let page = visit.page.titled(title);
    show(&FindPage { page, form, found: Some(found), admitting, own })
}

#[derive(Template)]
#[template(path = "settlement_bill_form.html")]
struct BillFormPage {
    page: Page,
    head: Head,
    form: Form,
    lines: Entered,
    /// The year of the bill is closed: it may be handed to the bureau.
    is_closed: bool,
}

#[derive(Template)]
#[template(path = "settlement_preview.html")]
struct PreviewPage {
    page: Page,
    head: Head,
    form: Form,
    told: Told,
    /// What would change it, the best first.
    otherwise: Vec<ToldOtherwise>,
    lines: Option<LinesTold>,
    /// Labels that held on the day of discharge.
    labels: String,
    /// Labels at admission, if they were others.
    labels_at_admission: Option<String>,
    insured_is_assumed: bool,
    institution: String,
    discharge: kangmai_base::Day,
    /// Earlier settled bills of the year whose own share this one changes: number, before, after.
    changes: Vec<String>,
    /// The result is another than the one confirmed.
    has_moved: bool,
    /// The key of the request to settle.
    request: Uuid,
}

/// GET: an empty bill for a person.
pub(crate) async fn bill_form(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    let (person, institutions) = desk_data(&visit, id_in(&id)?).await?;
    let mut form = Form::blank(bill_fields::FIELDS);
    bill_fields::offer(&mut form, &visit.page, &institutions);
    bill_fields::fill(&mut form, visit.actor.institution, visit.today);
    let lines = Entered::none(&visit.page);
    show(&form_page(visit, &person, form, lines))
}

fn form_page(visit: Visit, person: &Person, mut form: Form, lines: Entered) -> BillFormPage {
    lines.carry(&mut form, false);
    let head = Head::of(&visit.page, person, visit.today);
    let desk = visit.page.word("settlement.desk.title").into_owned();
    let page = visit.page.titled("settlement.bill_form.title").under(desk, "/desk");
    let is_closed = form.errors().iter().any(|refusal| refusal.key == "settlement.refused.year_closed");
    BillFormPage { page, head, form, lines, is_closed }
}

async fn desk_data(visit: &Visit, id: Uuid) -> Result<(Person, Vec<Institution>), Failure> {
    let (reach, own) = (visit.reach.clone(), visit.actor.institution);
    let found = visit
        .app
        .database
        .read(move |tx| {
            let person = person_within(tx, &reach, id)?;
            Ok::<_, DatabaseError>((person, institutions_of_desk(tx, &reach, own)?))
        })
        .await?;
    Ok((found.0.ok_or(Failure::NotFound)?, found.1))
}

/// POST: every layer, before anything is final.
pub(crate) async fn preview(
    visit: Visit,
    Path(id): Path<String>,
    body: FormBody,
) -> Result<Response, Failure> {
    let id = id_in(&id)?;
    let (person, institutions) = desk_data(&visit, id).await?;
    let is_late = body.act() == "late";
    let is_editing = body.act() == "rows";
    let mut lines = Entered::read(&visit.page, &body);
    let mut form = body.form(bill_fields::FIELDS);
    bill_fields::offer(&mut form, &visit.page, &institutions);
    if is_editing {
        return show(&form_page(visit, &person, form, lines));
    }
    let Some(bill) = read_bill(&visit, (&mut form, &mut lines), &person, &institutions) else {
        return show_refused(&form_page(visit, &person, form, lines));
    };
    lines.carry(&mut form, true);
    let tried = try_bill(&visit, &person, &bill).await?;
    let is_closed = matches!(&tried, Err(refusal) if refusal.key == "settlement.refused.year_closed");
    if is_closed && is_late {
        return hand_in(visit, &person, &bill).await;
    }
    match tried {
        Ok(trial) => show(&preview_page(visit, &person, form, bill, trial, false)),
        Err(refusal) => {
            form.refuse(refusal);
            show_refused(&form_page(visit, &person, form, lines))
        }
    }
}

/// The year of the bill is closed: the insurance bureau gets it to decide.
async fn hand_in(visit: Visit, person: &Person, typed: &Typed) -> Result<Response, Failure> {
    let (app, actor, now) = (visit.app.clone(), visit.actor.clone(), visit.app.clock.now());
    let (person_id, home) = (person.id.uuid(), person.home);
    let body = typed.received(&visit.app.policies, visit.app.mint(), person);
    let work = move |tx: &mut Transaction<'_>| {
        let hand = Hand { app: &app, actor: &actor, now, source: Source::Typed };
        late::hand_in(tx, &hand, person_id, home, &body)
    };
    visit.app.database.write(work).await?;
    Ok(Flash::good(visit.page.word("settlement.late.handed_in")).then_go_to("/desk"))
}

/// A bill that is typed, with its institution.
struct Typed {
    draft: BillDraft,
    institution: TreatingInstitution,
    institution_name: String,
}

fn read_bill(
    visit: &Visit,
    (form, lines): (&mut Form, &mut Entered),
    person: &Person,
    institutions: &[Institution],
) -> Option<Typed> {
    let reading = bill_fields::Reading {
        page: &visit.page,
        policies: &visit.app.policies,
        home: person.home,
        today: visit.today,
        died_on: person.body.died_on,
    };
    let (draft, institution) = bill_fields::read(&reading, form, lines)?;
    let institution = institutions.iter().find(|one| one.id.uuid() == institution)?;
    Some(Typed {
        draft,
        institution: treating(&visit.app, institution),
        institution_name: institution.body.name.clone(),
    })
}

impl Typed {
    fn received(&self, policies: &Release, bill: Uuid, person: &Person) -> BillReceived {
        BillReceived {
            bill,
            number: self.draft.number.clone(),
            household: person.body.household,
            insurance_year: insurance_year(policies, person.home, self.draft.discharge),
            institution: self.institution.clone(),
            admission: self.draft.admission,
            discharge: self.draft.discharge,
            setting: self.draft.setting,
            referral: self.draft.referral,
            diagnosis: self.draft.diagnosis.clone(),
            total: self.draft.total,
            compliant: self.draft.compliant,
            already_paid: self.draft.already_paid,
            fees: self.draft.fees.clone(),
            lines: self.draft.lines.clone(),
        }
    }
}

/// What settling would come to.
struct Trial {
    settled: Settled,
    trace: kangmai_policy::Trace,
    changes: Vec<(String, Option<Fen>, Fen)>,
    /// Bills of other members of the household that come to another own share: how many, and by how much in all. Whose
    /// and which, this patient's desk need not know.
    members: Option<(i64, Fen)>,
    /// What is used of the next insurance year before its first bill.
    next_year: Vec<Used>,
}

/// Settles the person-year with the bill in it, without writing.
async fn try_bill(visit: &Visit, person: &Person, typed: &Typed) -> Result<Result<Trial, Refusal>, Failure> {
    let (app, person_id) = (visit.app.clone(), person.id.uuid());
    let bill = ChainBill {
        received_at: visit.app.clock.now(),
        home: person.home,
        body: typed.received(&visit.app.policies, visit.app.mint(), person),
    };
    let tried = visit
        .app
        .database
        .read(move |tx| {
            if let Some(known) = known_at_desk(tx, &bill.body)? {
                return Ok::<_, DatabaseError>(Err(refuse_known(&known)));
            }
            let (whose, year) = ((person_id, Some(bill.body.household)), bill.body.year());
            if let Some(closed) = closing(tx, &app.policies, whose, bill.home, year)? {
                return Ok(Err(refuse_closed(&closed)));
            }
            let next_year = opening_fact(tx, person_id, year + 1)?;
            let next_year = next_year.map(|(_, used)| used).unwrap_or_default();
            let year = joined_year(tx, &app.policies, whose, year)?;
            Ok(trial_of(&app, year, person_id, bill).map(|trial| Trial { next_year, ..trial }))
        })
        .await?;
    Ok(tried)
}

fn trial_of(
    app: &kangmai_programme::App,
    year: JoinedYear,
    person: Uuid,
    bill: ChainBill,
) -> Result<Trial, Refusal> {
    let id = bill.body.bill;
    let before = settle_chain(&app.policies, &year);
    let after = settle_chain(&app.policies, &year.clone().with_bill(person, bill));
    let mut trial = Err(Refusal::new("settlement.refused.no_policy"));
    let (mut changes, mut members) = (Vec::new(), None);
    for settlement in after {
        let Settlement::Settled(settled) = settlement else {
            if let Settlement::Not(not) = settlement
                && not.bill == id
            {
                trial = Err(why_refusal(&not.why));
            }
            continue;
        };
        if settled.0.bill == id {
            trial = Ok((settled.0, settled.1));
            continue;
        }
        let earlier = before.iter().find_map(|settlement| match settlement {
            Settlement::Settled(earlier) if earlier.0.bill == settled.0.bill => Some(earlier.0.own),
            _ => None,
        });
        if earlier == Some(settled.0.own) {
            continue;
        }
        match year.find(settled.0.bill) {
            Some((whose, one)) if whose == person => {
                changes.push((one.bill.body.number.clone(), earlier, settled.0.own));
            }
            _ => {
                let (count, sum) = members.get_or_insert((0, Fen::ZERO));
                *count += 1;
                *sum += settled.0.own - earlier.unwrap_or(Fen::ZERO);
            }
        }
    }
    trial.map(|(settled, trace)| Trial { settled, trace, changes, members, next_year: Vec::new() })
}

/// Why a bill is not settled, as a refusal at the day that decides.
pub(crate) fn why_refusal(why: &crate::facts::WhyNotSettled) -> Refusal {
    match why {
        crate::facts::WhyNotSettled::NoPolicy => Refusal::new("settlement.refused.no_policy").at("discharge"),
        crate::facts::WhyNotSettled::Untranslatable(rules) => {
            Refusal::new("settlement.refused.untranslatable").with("rules", rules.join(", "))
        }
        crate::facts::WhyNotSettled::Impossible => Refusal::new("settlement.refused.impossible"),
    }
}

/// The bill of that number, unless it was cancelled: then it may come in anew.
fn known_at_desk(tx: &mut Transaction<'_>, bill: &BillReceived) -> Result<Option<Known>, DatabaseError> {
    Ok(known_bill(tx, bill.institution.id, &bill.number)?.filter(|known| known.state != BillState::Cancelled))
}

pub(super) fn refuse_known(known: &Known) -> Refusal {
    Refusal::new("settlement.refused.known").with("total", known.total.grouped()).at("number")
}

fn preview_page(
    visit: Visit,
    person: &Person,
    form: Form,
    typed: Typed,
    trial: Trial,
    has_moved: bool,
) -> PreviewPage {
    let page = &visit.page;
    let told = tell_trial(page, &visit.app.policies, &trial.settled, &trial.trace);
    let otherwise = otherwise_at_desk(&visit, person, &trial);
    let rules = visit.app.policies.lines(person.home, typed.draft.discharge);
    // Who types the lines knows what was charged.
    let received = typed.received(&visit.app.policies, trial.settled.bill, person);
    let lines = tell_lines(page, &received, rules, true);
    let words = |keys: &[String]| {
        let words = super::label_words(page, keys);
        if words.is_empty() {
            page.word("settlement.labels.none").into_owned()
        } else {
            super::joined(page, &words)
        }
    };
    let then = &trial.settled.person;
    let labels = words(&then.labels_at_discharge);
    let labels_at_admission = then.labels_at_admission.as_deref().map(words);
    let mut form = form;
    form.fill("expected", trial.settled.own);
    let head = Head::of(page, person, visit.today);
    let desk = page.word("settlement.desk.title").into_owned();
    let changes = trial.changes.iter().map(|(number, before, after)| {
        let (before, after) = (page.money(*before), page.money(*after));
        page.say("settlement.preview.change", &[("number", number), ("before", &before), ("after", &after)])
    });
    let mut changes: Vec<String> = changes.collect();
    changes.extend(trial.members.map(|(count, change)| {
        let change = super::postings::signed(page, change);
        page.say("settlement.preview.change_members", &[("count", &count), ("change", &change)])
    }));
    PreviewPage {
        head,
        form,
        told,
        otherwise,
        lines,
        labels,
        labels_at_admission,
        insured_is_assumed: then.insured_is_assumed,
        institution: typed.institution_name,
        discharge: typed.draft.discharge,
        changes,
        has_moved,
        request: visit.app.mint(),
        page: visit.page.titled("settlement.preview.title").under(desk, "/desk"),
    }
}

/// What would change a trial for the better. Who types the bill knows its diagnosis.
fn otherwise_at_desk(visit: &Visit, person: &Person, trial: &Trial) -> Vec<ToldOtherwise> {
    let policies = &visit.app.policies;
    let Some(policy) = policies.jurisdiction(&trial.settled.jurisdiction) else { return Vec::new() };
    let known = KnownAround { labels: person.body.labels.clone(), next_year: trial.next_year.clone() };
    let (policy, day) = (policy.to_read(), trial.trace.facts.discharge);
    let around = around((policies, person.home), policy, &known, &trial.settled.person, day);
    let mut better = otherwise(&visit.page, policy, &trial.trace, &around, Sight::ALL).better;
    // What the desk and the patient can settle between them comes before another institution and another status.
    better.sort_by_key(|one| matches!(one.fact, "institution" | "labels"));
    better.truncate(MOST_AT_DESK);
    better
}

/// POST: it is final. If somebody else settled a bill of this person meanwhile and the own share moved, it is shown again.
/// Pressed twice, or sent again, it settles once: the request has a key of its own.
pub(crate) async fn settle(
    visit: Visit,
    Path(id): Path<String>,
    body: FormBody,
) -> Result<Response, Failure> {
    let id = id_in(&id)?;
    let (person, institutions) = desk_data(&visit, id).await?;
    let (editing, expected) = (body.act() == "edit", body.value("expected").parse::<Fen>().ok());
    let key = match body.value("request") {
        "" => visit.app.mint().to_string(),
        key => key.chars().take(LONGEST_KEY).collect(),
    };
    let mut lines = Entered::read(&visit.page, &body);
    let mut form = body.form(bill_fields::FIELDS);
    bill_fields::offer(&mut form, &visit.page, &institutions);
    if editing {
        return show(&form_page(visit, &person, form, lines));
    }
    let Some(typed) = read_bill(&visit, (&mut form, &mut lines), &person, &institutions) else {
        return show_refused(&form_page(visit, &person, form, lines));
    };
    lines.carry(&mut form, true);
    let digest = digest_of_form(&person, expected, &form);
    let attempt = match begin(&visit, key, digest).await? {
        Begun::Go(attempt) => attempt,
        Begun::Done(answered) => return Ok(settled_now(&visit, &answered)),
        Begun::InProgress => {
            form.refuse(Refusal::new("settlement.refused.in_progress"));
            return show_refused(&form_page(visit, &person, form, lines));
        }
        Begun::OtherBody => {
            form.refuse(Refusal::new("settlement.refused.other_body"));
            return show_refused(&form_page(visit, &person, form, lines));
        }
    };
    let done = settle_once(&visit, &person, &typed, expected, &attempt).await;
    if !matches!(done, Ok(Once::Settled(_))) {
        visit.app.database.write(move |tx| give_up_request(tx, &attempt)).await?;
    }
    match done? {
        Once::Settled(answered) => Ok(settled_now(&visit, &answered)),
        Once::Moved(trial) => show_refused(&preview_page(visit, &person, form, typed, *trial, true)),
        Once::Refused(refusal) => {
            form.refuse(refusal);
            show_refused(&form_page(visit, &person, form, lines))
        }
    }
}

/// What a request to settle came to.
enum Once {
    Settled(Answered),
    /// The own share is another than the one confirmed.
    Moved(Box<Trial>),
    Refused(Refusal),
}

async fn settle_once(
    visit: &Visit,
    person: &Person,
    typed: &Typed,
    expected: Option<Fen>,
    attempt: &Attempt,
) -> Result<Once, Failure> {
    let trial = match try_bill(visit, person, typed).await? {
        Ok(trial) => trial,
        Err(refusal) => return Ok(Once::Refused(refusal)),
    };
    if expected != Some(trial.settled.own) {
        return Ok(Once::Moved(Box::new(trial)));
    }
    let answer = trial.settled.own.to_string();
    Ok(match write_bill(visit, person, typed, attempt.clone(), answer).await? {
        Ok(answered) => Once::Settled(answered),
        Err(refusal) => Once::Refused(refusal),
    })
}

async fn begin(visit: &Visit, key: String, digest: String) -> Result<Begun, Failure> {
    let key = RequestKey { caller: outcome::caller(&visit.actor), key };
    let now = visit.app.clock.now();
    Ok(visit.app.database.write(move |tx| begin_request(tx, &key, &digest, now)).await?)
}

/// All that was confirmed, in one number.
fn digest_of_form(person: &Person, expected: Option<Fen>, form: &Form) -> String {
    let mut said = format!("{}\n{expected:?}\n", person.id);
    for field in bill_fields::FIELDS {
        said.push_str(&format!("{}={}\n", field.name, form.raw(field.name).trim()));
    }
    digest_of(said.as_bytes())
}

fn settled_now(visit: &Visit, answered: &Answered) -> Response {
    let own = answered.answer.parse::<Fen>().unwrap_or(Fen::ZERO);
    let text = visit.page.say1("settlement.settled_now", "own", visit.page.yuan(own));
    let path = answered.bill.map_or_else(|| "/bills".to_owned(), |bill| format!("/bills/{bill}"));
    Flash::good(text).then_go_to(&path)
}

/// Takes the bill in, settles its person-year and answers the request, in one transaction.
async fn write_bill(
    visit: &Visit,
    person: &Person,
    typed: &Typed,
    attempt: Attempt,
    answer: String,
) -> Result<Result<Answered, Refusal>, Failure> {
    let (app, actor, now) = (visit.app.clone(), visit.actor.clone(), visit.app.clock.now());
    let (person_id, home) = (person.id.uuid(), person.home);
    let body = typed.received(&visit.app.policies, visit.app.mint(), person);
    let written = visit
        .app
        .database
        .write(move |tx| {
            lock(tx, home)?;
            let (whose, year) = ((person_id, Some(body.household)), body.year());
            if let Some(closed) = closing(tx, &app.policies, whose, home, year)? {
                return Ok::<_, DatabaseError>(Err(refuse_closed(&closed)));
            }
            let mut body = body;
            let mut corrects = None;
            if let Some(known) = known_bill(tx, body.institution.id, &body.number)? {
                if known.state != BillState::Cancelled {
                    return Ok(Err(refuse_known(&known)));
                }
                (body.bill, corrects) = (known.id, Some(known.fact));
            }
            let hand = Hand { app: &app, actor: &actor, now, source: Source::Typed };
            let mut fact = hand.received(person_id, home, &body)?;
            fact.corrects = corrects;
            app.record.append(tx, now, vec![fact])?;
            settle_again(tx, &hand, whose, year, None)?;
            let answered = Answered { bill: Some(body.bill), answer };
            if !answer_request(tx, &attempt, &answered)? {
                return Err(DatabaseError::Refused("another attempt took the request over".into()));
            }
            Ok(Ok(answered))
        })
        .await?;
    Ok(written)
}
