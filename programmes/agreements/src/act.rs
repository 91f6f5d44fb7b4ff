//! Writing down: decided from the folder and written in one transaction with the relations that follow, so that a team reaches whom
//! it has signed, for as long as it has, and nobody else.

use kangmai_access::{
    Actor, NewRelation, Purpose, Related, RelationKind, account_within, end_relations, reach, relate_all,
};
use kangmai_base::{Day, Id, Moment, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::Person;
use kangmai_policy::{AgreementRules, Release};
use kangmai_programme::App;
use kangmai_record::{NewFact, Source, Subject};
use serde::Serialize;

use crate::facts::{
    Content, DONE, Done, ENDED, EndReason, Ended, MOVED, Moved, OFFERED, Offered, PLANNED, Planned, SIGNED,
    Signature, Signed, Signer, TeamKept, UNDONE, Undone,
};
use crate::folder::{Agreement, Event, Folder, Said, What};
use crate::rules::{self, check_day};
use crate::store::{self, Picture, Team};

/// Who writes, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hand {
    /// The account.
    pub author: Uuid,
    /// By name.
    pub by: String,
    /// The present.
    pub now: Moment,
}

/// An agreement as it is handed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Which; minted with the form, so that a form sent twice is one agreement.
    pub agreement: Uuid,
    /// On which day.
    pub on: Day,
    /// The team.
    pub team: TeamKept,
    /// For how long.
    pub term_months: i32,
    /// Packages that were chosen; the basic one is there anyway.
    pub packages: Vec<String>,
    /// The signature, but for the picture.
    pub signature: Signature,
    /// What was drawn or photographed.
    pub picture: Option<Picture>,
    /// Who signed.
    pub signer: Signer,
    /// The act in which several of a household signed at once.
    pub act: Option<Uuid>,
    /// In words.
    pub note: String,
}

/// What of an agreement is put right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mend {
    /// Which agreement.
    pub agreement: Uuid,
    /// The day of the signature.
    pub on: Day,
    /// For how long.
    pub term_months: i32,
    /// Packages.
    pub packages: Vec<String>,
    /// Where the paper is kept.
    pub paper_at: String,
    /// In words.
    pub note: String,
    /// Why.
    pub reason: String,
}

/// The folder of one person while somebody writes in it, and the facts that say so.
pub struct Writing<'a> {
    release: &'a Release,
    person: &'a Person,
    events: Vec<Event>,
    /// As it stands with what was written.
    pub folder: Folder,
    facts: Vec<NewFact>,
    pictures: Vec<(Uuid, Picture)>,
    mint: &'a dyn Fn() -> Uuid,
}

/// A rule says no, or the fact that was written.
type Written = Result<Result<Uuid, Refusal>, DatabaseError>;

impl<'a> Writing<'a> {
    /// Opens the folder of a person of whom the record has `events`.
    pub fn new(
        release: &'a Release,
        person: &'a Person,
        events: Vec<Event>,
        mint: &'a dyn Fn() -> Uuid,
    ) -> Writing<'a> {
        let folder = Folder::of(&events);
        Writing { release, person, events, folder, facts: Vec::new(), pictures: Vec::new(), mint }
    }

    /// What was written, to be kept: facts, and pictures with their identifiers.
    pub fn into_parts(self) -> (Vec<NewFact>, Vec<(Uuid, Picture)>) {
        (self.facts, self.pictures)
    }

    fn rules(&self, on: Day) -> Result<&'a AgreementRules, Refusal> {
        let rules = self.release.agreements(self.person.home, on);
        rules.ok_or_else(|| Refusal::new("agreements.refused.no_rules"))
    }

    fn write(
        &mut self,
        hand: &Hand,
        (kind, on, corrects): (&str, Day, Option<Uuid>),
        what: What,
    ) -> Result<Uuid, DatabaseError> {
        let id = (self.mint)();
        self.facts.push(NewFact {
            id,
            kind: kind.to_owned(),
            subject: Subject::person(self.person.id.uuid()),
            occurred_at: Moment::start_of(on),
            recorded_at: hand.now,
            place: self.person.home,
            author: hand.author,
            source: Source::Typed,
            corrects,
            body: match &what {
                What::Offered(body) => json(body)?,
                What::Signed(body) => json(body)?,
                What::Moved(body) => json(body)?,
                What::Ended(body) => json(body)?,
                What::Done(body) => json(body)?,
                What::Planned(body) => json(body)?,
                What::Undone(body) => json(body)?,
            },
        });
        self.events.push(Event { id, author: hand.author, recorded_on: hand.now.day(), what });
        self.folder = Folder::of(&self.events);
        Ok(id)
    }

    fn content(&self, rules: &AgreementRules, draft: &Draft) -> Content {
        let (packages, promises) = rules::promises(rules, &draft.packages);
        Content { team: draft.team.team, term_months: draft.term_months, packages, promises }
    }

    /// What of a draft can be refused before anybody looks at the signature.
    fn check(&self, draft: &Draft, today: Day) -> Result<&'a AgreementRules, Refusal> {
        check_day(self.person, draft.on, today).map_err(|refusal| refusal.at("signed_on"))?;
        let rules = self.rules(draft.on).map_err(|refusal| refusal.at("signed_on"))?;
        rules::check_team(&draft.team, draft.on)?;
        if !rules.terms().contains(&draft.term_months) {
            return Err(Refusal::new("agreements.refused.term").at("term"));
        }
        Ok(rules)
    }

    /// Prepares an agreement that waits for its signature.
    ///
    /// # Errors
    /// When a body cannot be written; the inner refusal when a rule says no.
    pub fn offer(&mut self, hand: &Hand, draft: &Draft) -> Written {
        if let Some(there) = self.offered(draft.agreement) {
            return Ok(Ok(there));
        }
        let rules = match self.check(draft, hand.now.day()) {
            Ok(rules) => rules,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if let Err(refusal) = rules::begins(&self.folder, draft.on, rules.remind_days) {
            return Ok(Err(refusal.at("signed_on")));
        }
        let content = self.content(rules, draft);
        let body = Offered {
            agreement: draft.agreement,
            on: draft.on,
            sensitive: content.promises.iter().any(|promise| promise.sensitive),
            content,
            by: hand.by.clone(),
            law: self.release.hash().to_owned(),
        };
        self.write(hand, (OFFERED, draft.on, None), What::Offered(body)).map(Ok)
    }

    fn offered(&self, agreement: Uuid) -> Option<Uuid> {
        self.folder.agreement(agreement)?.offered.as_ref().map(|offered| offered.fact)
    }

    /// Writes down that an agreement was signed. The same agreement again is no news.
    ///
    /// # Errors
    /// As [`Writing::offer`].
    pub fn sign(&mut self, hand: &Hand, draft: &Draft) -> Written {
        let there = self.folder.agreement(draft.agreement).and_then(|one| one.signed.as_ref());
        if let Some(there) = there {
            return Ok(Ok(there.fact));
        }
        let signed = self.check(draft, hand.now.day()).and_then(|rules| {
            rules::check_way(draft.signature.way, &draft.signature.paper_at)?;
            let age = self.person.age_on(draft.on);
            rules::check_signer(&draft.signer, age, rules.guardian_below_age)?;
            let begins = rules::begins(&self.folder, draft.on, rules.remind_days);
            begins.map(|begins| (rules, begins)).map_err(|refusal| refusal.at("signed_on"))
        });
        let (rules, (from, renews)) = match signed {
            Ok(signed) => signed,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let content = self.content(rules, draft);
        let mut signature = draft.signature.clone();
        if let Some(picture) = &draft.picture {
            let id = (self.mint)();
            signature.digest = kangmai_policy::text_hash(&picture.text());
            signature.file = Some(id);
            self.pictures.push((id, picture.clone()));
        }
        let body = Signed {
            agreement: draft.agreement,
            renews,
            on: draft.on,
            from,
            until: AgreementRules::last_day(from, draft.term_months),
            sensitive: content.promises.iter().any(|promise| promise.sensitive),
            content,
            signature,
            signer: draft.signer.clone(),
            consent: kangmai_policy::text_hash(&rules.consent.zh),
            act: draft.act,
            note: draft.note.clone(),
            reason: String::new(),
            by: hand.by.clone(),
            law: self.release.hash().to_owned(),
        };
        self.write(hand, (SIGNED, draft.on, None), What::Signed(Box::new(body))).map(Ok)
    }

    /// Puts an agreement right: the whole again, with a reason.
    ///
    /// # Errors
    /// As [`Writing::offer`].
    pub fn mend(&mut self, hand: &Hand, mend: &Mend) -> Written {
        let there = self.folder.agreement(mend.agreement).and_then(|one| one.signed.clone());
        let Some(there) = there else { return Ok(Err(Refusal::new("agreements.refused.not_signed"))) };
        if mend.reason.chars().count() < rules::SHORTEST_REASON {
            return Ok(Err(Refusal::new("agreements.refused.reason").at("reason")));
        }
        let day = check_day(self.person, mend.on, hand.now.day()).and_then(|()| self.rules(mend.on));
        let rules = match day {
            Ok(rules) => rules,
            Err(refusal) => return Ok(Err(refusal.at("signed_on"))),
        };
        if !rules.terms().contains(&mend.term_months) {
            return Ok(Err(Refusal::new("agreements.refused.term").at("term")));
        }
        if let Err(refusal) = rules::check_way(there.body.signature.way, &mend.paper_at) {
            return Ok(Err(refusal));
        }
        // One that follows another begins when that ends, whenever it was signed.
        let follows = there.body.from != there.body.on;
        let from = if follows { there.body.from } else { mend.on };
        let until = AgreementRules::last_day(from, mend.term_months);
        let others = self.folder.agreements.iter().filter(|one| one.id != mend.agreement);
        let meets = |one: &&Agreement| {
            let term = one.term().zip(one.last_day());
            term.is_some_and(|((first, _), last)| first <= last && first <= until && from <= last)
        };
        if let Some(other) = others.into_iter().find(meets) {
            let day = other.last_day().map(|day| day.to_string()).unwrap_or_default();
            let refusal = Refusal::new("agreements.refused.in_force").with("day", day);
            return Ok(Err(refusal.at("signed_on")));
        }
        let (packages, promises) = rules::promises(rules, &mend.packages);
        let body = Signed {
            on: mend.on,
            from,
            until,
            sensitive: there.body.sensitive || promises.iter().any(|promise| promise.sensitive),
            content: Content {
                packages,
                promises,
                term_months: mend.term_months,
                ..there.body.content.clone()
            },
            signature: Signature { paper_at: mend.paper_at.clone(), ..there.body.signature.clone() },
            note: mend.note.clone(),
            reason: mend.reason.clone(),
            by: hand.by.clone(),
            law: self.release.hash().to_owned(),
            ..there.body
        };
        self.write(hand, (SIGNED, mend.on, Some(there.fact)), What::Signed(Box::new(body))).map(Ok)
    }

    /// Ends an agreement, or an offer, before its term.
    ///
    /// # Errors
    /// As [`Writing::offer`].
    pub fn end(&mut self, hand: &Hand, agreement: Uuid, end: (Day, EndReason), note: String) -> Written {
        let (on, reason) = end;
        let Some(one) = self.folder.agreement(agreement) else {
            return Ok(Err(Refusal::new("agreements.refused.not_signed")));
        };
        if let Err(refusal) = rules::check_end(one, on, hand.now.day()) {
            return Ok(Err(refusal));
        }
        if note.chars().count() < rules::SHORTEST_REASON {
            return Ok(Err(Refusal::new("agreements.refused.reason").at("end_note")));
        }
        let body = Ended { agreement, on, reason, note, by: hand.by.clone() };
        self.write(hand, (ENDED, on, None), What::Ended(body)).map(Ok)
    }

    /// Gives an agreement to another team.
    ///
    /// # Errors
    /// As [`Writing::offer`].
    pub fn pass_on(&mut self, hand: &Hand, agreement: Uuid, team: &TeamKept, reason: String) -> Written {
        let today = hand.now.day();
        let Some(one) = self.folder.agreement(agreement) else {
            return Ok(Err(Refusal::new("agreements.refused.not_signed")));
        };
        if one.team() == team.team {
            return Ok(Err(Refusal::new("agreements.refused.same_team").at("team")));
        }
        if one.last_day().is_some_and(|last| last < today) || one.signed.is_none() && one.ended.is_some() {
            return Ok(Err(Refusal::new("agreements.refused.over").at("team")));
        }
        if let Err(refusal) = rules::check_team(team, today) {
            return Ok(Err(refusal));
        }
        if reason.chars().count() < rules::SHORTEST_REASON {
            return Ok(Err(Refusal::new("agreements.refused.reason").at("reason")));
        }
        let body = Moved { agreement, team: team.team, on: today, reason, by: hand.by.clone() };
        self.write(hand, (MOVED, today, None), What::Moved(body)).map(Ok)
    }

    /// Writes down that something was done.
    ///
    /// # Errors
    /// As [`Writing::offer`].
    pub fn done(
        &mut self,
        hand: &Hand,
        agreement: Uuid,
        (package, item): (&str, &str),
        (on, note): (Day, String),
    ) -> Written {
        let one = self.folder.agreement(agreement);
        let Some((one, signed)) = one.and_then(|one| Some((one, one.signed.as_ref()?))) else {
            return Ok(Err(Refusal::new("agreements.refused.not_signed")));
        };
        if let Err(refusal) = check_day(self.person, on, hand.now.day()) {
            return Ok(Err(refusal.at("done_on")));
        }
        if !one.holds_on(on) {
            return Ok(Err(Refusal::new("agreements.refused.outside").at("done_on")));
        }
        let promises = &signed.body.content.promises;
        let promise = promises.iter().find(|promise| promise.package == package && promise.item == item);
        let Some(promise) = promise else {
            return Ok(Err(Refusal::new("agreements.refused.no_item").at("item")));
        };
        let is_there =
            |done: &Said<Done>| done.body.package == package && done.body.item == item && done.body.on == on;
        if one.done.iter().any(is_there) {
            return Ok(Err(Refusal::new("agreements.refused.done_twice").at("done_on")));
        }
        let body = Done {
            agreement,
            package: package.to_owned(),
            item: item.to_owned(),
            on,
            note,
            by: hand.by.clone(),
            sensitive: promise.sensitive,
        };
        self.write(hand, (DONE, on, None), What::Done(body)).map(Ok)
    }

    /// Writes the plan of the person.
    ///
    /// # Errors
    /// As [`Writing::offer`].
    pub fn plan(&mut self, hand: &Hand, plan: Planned) -> Written {
        let same = |said: &Said<Planned>| {
            (&said.body.goal, &said.body.added, &said.body.struck) == (&plan.goal, &plan.added, &plan.struck)
        };
        if self.folder.planned.as_ref().is_some_and(same) {
            return Ok(Err(Refusal::new("agreements.refused.same")));
        }
        let corrects = None;
        self.write(hand, (PLANNED, plan.on, corrects), What::Planned(plan)).map(Ok)
    }

    /// Takes back what `hand` wrote today; answers the agreement whose relations follow.
    ///
    /// # Errors
    /// As [`Writing::offer`].
    pub fn undo(&mut self, hand: &Hand, fact: Uuid) -> Result<Result<Option<Uuid>, Refusal>, DatabaseError> {
        let refused = Refusal::new("agreements.refused.undo");
        let is_undone = |event: &Event| matches!(&event.what, What::Undone(undone) if undone.fact == fact);
        let today = hand.now.day();
        let own =
            |event: &&Event| event.id == fact && event.author == hand.author && event.recorded_on == today;
        let found = self.events.iter().find(own).filter(|_| !self.events.iter().any(is_undone));
        let Some(event) = found else { return Ok(Err(refused)) };
        let (agreement, sensitive) = match &event.what {
            What::Offered(body) => (Some(body.agreement), body.sensitive),
            What::Signed(body) => (Some(body.agreement), body.sensitive),
            What::Moved(body) => (Some(body.agreement), false),
            What::Ended(body) => (Some(body.agreement), false),
            What::Done(body) => (Some(body.agreement), body.sensitive),
            What::Planned(body) => (None, body.sensitive),
            What::Undone(_) => return Ok(Err(refused)),
        };
        if !self.may_go(&event.what) {
            return Ok(Err(refused));
        }
        let body = Undone { fact, on: today, by: hand.by.clone(), sensitive };
        self.write(hand, (UNDONE, today, Some(fact)), What::Undone(body))?;
        Ok(Ok(agreement))
    }

    /// Whether nothing rests on what is to be taken back: an end, where somebody signed since; a signature that was renewed.
    fn may_go(&self, what: &What) -> bool {
        match what {
            What::Ended(body) => {
                let term = self.folder.agreement(body.agreement).and_then(|one| one.term());
                let others = self.folder.agreements.iter().filter(|one| one.id != body.agreement);
                term.is_none_or(|(_, until)| {
                    others.into_iter().all(|one| {
                        let other = one.term().zip(one.last_day());
                        other.is_none_or(|((first, _), last)| first > last || first > until || last < body.on)
                    })
                })
            }
            What::Signed(body) => {
                self.folder.agreement(body.agreement).is_some_and(|one| one.renewed_on.is_none())
            }
            _ => true,
        }
    }
}

fn json(body: &impl Serialize) -> Result<String, DatabaseError> {
    serde_json::to_string(body).map_err(|error| DatabaseError::Refused(error.to_string()))
}

/// Lets `work` write in the folder of `person` and keeps what it wrote, all or nothing, with what teams reach by it.
///
/// # Errors
/// When the database fails.
pub fn write<T>(
    tx: &mut Transaction<'_>,
    app: &App,
    person: &Person,
    hand: &Hand,
    work: impl FnOnce(&mut Writing<'_>) -> Result<Result<T, Refusal>, DatabaseError>,
) -> Result<Result<T, Refusal>, DatabaseError> {
    // Two signatures that are written down at once must see each other.
    tx.lock("agreements.folder")?;
    let id = person.id.uuid();
    let events = store::events_of(tx, id)?;
    let mint = || app.mint();
    let mut writing = Writing::new(&app.policies, person, events, &mint);
    let before = writing.folder.clone();
    let done = match work(&mut writing)? {
        Ok(done) => done,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let after = writing.folder.clone();
    let (facts, pictures) = writing.into_parts();
    for (picture, content) in &pictures {
        store::keep_picture(tx, *picture, (id, person.home), content)?;
    }
    app.record.keep(tx, hand.now, facts)?;
    let reach_of = |one: &Agreement| (one.team(), one.term(), one.last_day());
    let is_other = |one: &&Agreement| before.agreement(one.id).map(reach_of) != Some(reach_of(one));
    for one in after.agreements.iter().filter(is_other) {
        relate_team(tx, app, (id, one.id, one.team()), one.term().zip(one.last_day()), hand.now)?;
    }
    for gone in before.agreements.iter().filter(|one| after.agreement(one.id).is_none()) {
        end_relations(tx, gone.id, hand.now)?;
    }
    Ok(Ok(done))
}

/// The first day of an agreement with its agreed last, and the last on which it holds.
type Term = ((Day, Day), Day);

/// Gives those of the team reach for one person who have none by place, for as long as the agreement holds and they are in the
/// team; what they had by this agreement before ends.
///
/// # Errors
/// When the database fails.
pub fn relate_team(
    tx: &mut Transaction<'_>,
    app: &App,
    (person, agreement, team): (Uuid, Uuid, Uuid),
    term: Option<Term>,
    now: Moment,
) -> Result<(), DatabaseError> {
    end_relations(tx, agreement, now)?;
    let Some(((from, _), last)) = term.filter(|(_, last)| *last >= now.day()) else { return Ok(()) };
    let Some(Team { kept, place }) = store::team(tx, team)? else { return Ok(()) };
    let home = kangmai_people::find_person(tx, Id::from_uuid(person))?.map_or(place, |person| person.home);
    let accounts = reach(&Actor::system(), Purpose::ManageAccounts);
    let mut all = Vec::new();
    for member in &kept.members {
        let Some((account, within)) = member.account.zip(accounts.as_ref()) else { continue };
        let Some(account) = account_within(tx, within, Id::from_uuid(account))? else { continue };
        let by_place = !account.role.reaches_by_relation() && account.place.contains(home);
        let first = from.max(member.from);
        let until = member.until.map_or(last, |until| last.min(until));
        if by_place || account.closed_at.is_some() || until < first || until < now.day() {
            continue;
        }
        all.push(NewRelation {
            id: app.mint(),
            person,
            kind: RelationKind::Team,
            whose: Related::Account(account.id),
            from: Moment::start_of(first),
            until: Moment::start_of(until.plus_days(1)),
            source: agreement,
        });
    }
    relate_all(tx, &all)
}
