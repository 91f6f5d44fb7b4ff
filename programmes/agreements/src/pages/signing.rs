//! What becomes of a form of a signature: one agreement for each person, all or none.

use axum::extract::{Path, Request};
use axum::http::Uri;
use axum::response::Response;
use kangmai_base::{Id, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::{Person, find_person};
use kangmai_programme::{App, Visit};
use kangmai_web::{Failure, Field, Flash, Form, FormBody, Page, Upload, UploadRoom, show_refused};

use super::list::residents_page;
use super::sign::{FIELDS, Signers, Whom, offer, offer_terms, sign_page, signers, team_choices};
use super::{hand_of, team_of};
use crate::act::{Draft, Hand, Writing, write};
use crate::facts::{Signature, SignedBy, Signer, TeamKept, Way};
use crate::rules::{LARGEST_PHOTO_BYTES, PictureKind, check_drawing};
use crate::store::{self, Picture, Team};

/// The largest body that is read to its end, so that what is too large is told beside its field.
const READ_BYTES: u64 = 16 * 1_024 * 1_024;
/// People who are signed from the list at once: a page of it.
pub(super) const MOST_AT_ONCE: usize = 50;

/// The form under the list of residents: signed on paper, one like the other.
pub(super) const MANY: &[Field] = &[
    Field::select("team", "agreements.field.team"),
    Field::day("signed_on", "agreements.field.signed_on"),
    Field::text("paper_at", "agreements.field.paper_at").at_most(100),
    Field::tick("consent", "agreements.field.consent_many"),
];

pub(super) fn offer_many(page: &Page, form: &mut Form, visit: &Visit, teams: &[Team]) {
    form.offer("team", team_choices(teams));
    if let [only] = teams {
        form.fill("team", only.kept.team);
    }
    let rules = visit.app.policies.agreements(visit.reach.place(), visit.today);
    if form.field("term").is_some() {
        offer_terms(page, rules, form);
    }
}

/// Carries a refusal out of a transaction that must not be committed.
enum Stopped {
    Refused(Refusal, String),
    Gone,
    Failed(DatabaseError),
}

impl From<DatabaseError> for Stopped {
    fn from(error: DatabaseError) -> Stopped {
        Stopped::Failed(error)
    }
}

/// What all who sign at once have in common.
struct Common {
    team: TeamKept,
    on: kangmai_base::Day,
    term_months: i32,
    signature: Signature,
    picture: Option<Picture>,
    signer: Signer,
    act: Uuid,
    note: String,
    is_offer: bool,
}

/// POST `/people/{id}/agreements/sign`.
pub(crate) async fn person(
    visit: Visit,
    Path(id): Path<Uuid>,
    request: Request,
) -> Result<Response, Failure> {
    sent(&visit, Whom::Person(id), request).await
}

/// POST `/households/{id}/agreements/sign`.
pub(crate) async fn household(
    visit: Visit,
    Path(id): Path<Uuid>,
    request: Request,
) -> Result<Response, Failure> {
    sent(&visit, Whom::Household(id), request).await
}

async fn sent(visit: &Visit, whom: Whom, request: Request) -> Result<Response, Failure> {
    let signers = signers(visit, whom).await?;
    let (folder, now) = (visit.app.settings.uploads.clone(), visit.app.clock.now());
    std::fs::create_dir_all(&folder)?;
    let room = UploadRoom { folder: &folder, limit_bytes: READ_BYTES, ids: &*visit.app.ids, now };
    let upload = Upload::read(request, room).await?;
    let mut form = upload.form(FIELDS);
    offer(visit, &signers, &mut form);
    let people: Vec<Uuid> = form.many("person").iter().filter_map(|id| id.parse().ok()).collect();
    let people = match (whom, people.is_empty()) {
        (Whom::Person(id), _) => vec![id],
        (Whom::Household(_), true) => {
            form.refuse(Refusal::new("agreements.refused.nobody").at("person"));
            people
        }
        (Whom::Household(_), false) => people,
    };
    let Some(common) = common(visit, &mut form, &upload).await? else {
        return show_refused(&sign_page(visit, &signers, form, false));
    };
    let packages = form.many("package");
    let is_offer = common.is_offer;
    let chosen = move |person: Uuid| {
        let begin = format!("{person}.");
        packages.iter().filter_map(|value| Some(value.strip_prefix(&begin)?.to_owned())).collect()
    };
    match sign_all(visit, people, common, chosen).await? {
        Ok(signed) => Ok(said_and_done(visit, &signers, &signed, is_offer)),
        Err((refusal, name)) => {
            refuse(&mut form, refusal, (signers.people.len() > 1).then_some(name));
            show_refused(&sign_page(visit, &signers, form, false))
        }
    }
}

fn refuse(form: &mut Form, refusal: Refusal, name: Option<String>) {
    form.refuse(refusal);
    if let Some(name) = name {
        form.refuse(Refusal::new("agreements.refused.of").with("name", name));
    }
}

/// What the form says for all; what is wrong stands in it.
async fn common(visit: &Visit, form: &mut Form, upload: &Upload) -> Result<Option<Common>, Failure> {
    let is_offer = form.chose("act", "offer");
    let act = form.parsed::<Uuid>("minted").unwrap_or_else(|| visit.app.mint());
    let (team, on) = (form.choice("team"), form.day("signed_on"));
    let term = form.choice("term").and_then(|term| term.parse().ok());
    let signer = form.choice("signer").as_deref().and_then(SignedBy::of_key);
    let way = form.choice("way").as_deref().and_then(Way::of_key);
    let text = |form: &mut Form, name| form.text(name).unwrap_or_default();
    let (name, relation) = (text(form, "signer_name"), text(form, "signer_relation"));
    let (paper_at, note) = (text(form, "paper_at"), text(form, "note"));
    if !is_offer && !form.tick("consent") {
        form.refuse(Refusal::new("agreements.refused.consent").at("consent"));
    }
    let picture = match way {
        Some(way) if !is_offer => picture(way, form, upload)?,
        _ => None,
    };
    let (Some(team), Some(on), Some(term_months)) = (team, on, term) else { return Ok(None) };
    let (Some(who), Some(way), false) = (signer, way, form.is_refused()) else { return Ok(None) };
    let Some(team) = found_team(visit, form, &team).await? else { return Ok(None) };
    Ok(Some(Common {
        team: team.kept,
        on,
        term_months,
        signature: Signature { way, paper_at, file: None, digest: String::new() },
        picture,
        signer: Signer { who, name, relation },
        act,
        note,
        is_offer,
    }))
}

async fn found_team(visit: &Visit, form: &mut Form, id: &str) -> Result<Option<Team>, Failure> {
    let team = match id.parse::<Uuid>() {
        Ok(id) => team_of(visit, id).await?,
        Err(_) => None,
    };
    if team.is_none() {
        form.refuse(Refusal::new("agreements.refused.no_team").at("team"));
    }
    Ok(team)
}

/// What was drawn or photographed; what is wrong with it stands in the form.
fn picture(way: Way, form: &mut Form, upload: &Upload) -> Result<Option<Picture>, Failure> {
    match way {
        Way::Paper => Ok(None),
        Way::Drawn => {
            let path = form.raw("drawn").trim().to_owned();
            match check_drawing(&path) {
                Ok(()) => Ok(Some(Picture { kind: PictureKind::Svg, bytes: path.into_bytes() })),
                Err(refusal) => {
                    form.refuse(refusal);
                    Ok(None)
                }
            }
        }
        Way::Photo => {
            let refused = |form: &mut Form, key: &'static str| {
                let most = (LARGEST_PHOTO_BYTES / 1_024).to_string();
                form.refuse(Refusal::new(key).with("most", most).at("photo"));
            };
            let Some(file) = upload.file("photo") else {
                refused(form, "agreements.refused.no_photo");
                return Ok(None);
            };
            if file.bytes > LARGEST_PHOTO_BYTES {
                refused(form, "agreements.refused.photo_large");
                return Ok(None);
            }
            let bytes = std::fs::read(file.path())?;
            let Some(kind) = PictureKind::of_bytes(&bytes) else {
                refused(form, "agreements.refused.photo_kind");
                return Ok(None);
            };
            Ok(Some(Picture { kind, bytes }))
        }
    }
}

/// The person and the fact of each who signed.
type AllSigned = Vec<(Uuid, Uuid)>;

/// One agreement for each, all or none; the inner refusal with the name of whom it concerns.
async fn sign_all(
    visit: &Visit,
    people: Vec<Uuid>,
    common: Common,
    chosen: impl Fn(Uuid) -> Vec<String> + Send + 'static,
) -> Result<Result<AllSigned, (Refusal, String)>, Failure> {
    let (app, actor, hand) = (visit.app.clone(), visit.actor.clone(), hand_of(visit));
    let done = visit.app.database.write(move |tx: &mut Transaction<'_>| {
        let mut all = Vec::new();
        for id in people {
            let person = super::person_within(tx, &actor, id, hand.now)?;
            let person: Person = person.ok_or(Stopped::Gone)?;
            let signed = sign_one(tx, &app, (&person, &hand), &common, chosen(id))?;
            let fact = signed.map_err(|refusal| Stopped::Refused(refusal, person.body.name.clone()))?;
            all.push((id, fact));
        }
        Ok::<AllSigned, Stopped>(all)
    });
    match done.await {
        Ok(all) => Ok(Ok(all)),
        Err(Stopped::Refused(refusal, name)) => Ok(Err((refusal, name))),
        Err(Stopped::Gone) => Err(Failure::NotFound),
        Err(Stopped::Failed(error)) => Err(error.into()),
    }
}

fn sign_one(
    tx: &mut Transaction<'_>,
    app: &App,
    (person, hand): (&Person, &Hand),
    common: &Common,
    packages: Vec<String>,
) -> Result<Result<Uuid, Refusal>, DatabaseError> {
    write(tx, app, person, hand, |writing: &mut Writing<'_>| {
        // What was prepared is signed; else it is a new one.
        let open = writing.folder.agreements.iter().find(|one| one.signed.is_none() && one.ended.is_none());
        let draft = Draft {
            agreement: open.map_or_else(|| app.mint(), |one| one.id),
            on: common.on,
            team: common.team.clone(),
            term_months: common.term_months,
            packages,
            signature: common.signature.clone(),
            picture: common.picture.clone(),
            signer: common.signer.clone(),
            act: Some(common.act),
            note: common.note.clone(),
        };
        if common.is_offer { writing.offer(hand, &draft) } else { writing.sign(hand, &draft) }
    })
}

fn said_and_done(visit: &Visit, signers: &Signers, signed: &[(Uuid, Uuid)], is_offer: bool) -> Response {
    let page = &visit.page;
    let word = if is_offer { "agreements.offered" } else { "agreements.signed" };
    let said = Flash::good(page.count(word, signed.len()));
    match signed {
        [(person, fact)] => {
            let undo = format!("/people/{person}/agreements/undo/{fact}");
            said.undo(undo).then_go_to(&format!("/people/{person}"))
        }
        _ => said.then_go_to(&signers.back),
    }
}

/// POST `/agreements/residents`: many at once, signed on paper that is kept somewhere.
pub(crate) async fn many(visit: Visit, uri: Uri, body: FormBody) -> Result<Response, Failure> {
    let people: Vec<Uuid> = body.values("person").filter_map(|id| id.parse().ok()).collect();
    let mut form = body.form(MANY);
    let place = people.first().copied();
    let teams = visit
        .app
        .database
        .read(move |tx| {
            let first = place.map(|id| find_person(tx, Id::from_uuid(id))).transpose()?.flatten();
            first.map_or(Ok(Vec::new()), |person| store::teams_at(tx, person.home))
        })
        .await?;
    offer_many(&visit.page, &mut form, &visit, &teams);
    let (team, on, paper_at) = (form.choice("team"), form.day("signed_on"), form.text("paper_at"));
    if people.is_empty() || people.len() > MOST_AT_ONCE {
        let refusal = Refusal::new("agreements.refused.nobody_ticked");
        form.refuse(refusal.with("most", MOST_AT_ONCE.to_string()));
    }
    if !form.tick("consent") {
        form.refuse(Refusal::new("agreements.refused.consent").at("consent"));
    }
    if let (Some(team), Some(on), Some(paper_at), false) = (team, on, paper_at, form.is_refused())
        && let Some(team) = found_team(&visit, &mut form, &team).await?
    {
        let home = team.place;
        let rules = visit.app.policies.agreements(home, on);
        let common = Common {
            team: team.kept,
            on,
            term_months: rules.map_or(0, |rules| rules.term_months),
            signature: Signature { way: Way::Paper, paper_at, file: None, digest: String::new() },
            picture: None,
            signer: Signer { who: SignedBy::Resident, name: String::new(), relation: String::new() },
            act: visit.app.mint(),
            note: String::new(),
            is_offer: false,
        };
        let proposed = proposed_to(&visit, &people).await?;
        let chosen = move |person: Uuid| {
            let found = proposed.iter().find(|(known, _)| *known == person);
            found.map(|(_, packages)| packages.clone()).unwrap_or_default()
        };
        match sign_all(&visit, people.clone(), common, chosen).await? {
            Ok(signed) => {
                let said = Flash::good(visit.page.count("agreements.signed", signed.len()));
                return Ok(said
                    .then_go_to(uri.path_and_query().map_or("/agreements/residents", |path| path.as_str())));
            }
            Err((refusal, name)) => refuse(&mut form, refusal, Some(name)),
        }
    }
    show_refused(&residents_page(&visit, &uri, form, &people).await?)
}

/// The packages that fit each of these people, those of level 5 among them: who signs treats.
async fn proposed_to(visit: &Visit, people: &[Uuid]) -> Result<Vec<(Uuid, Vec<String>)>, Failure> {
    let (people, within, today) = (people.to_vec(), visit.reach.clone(), visit.today);
    let policies = visit.app.policies.clone();
    let read = move |tx: &mut Transaction<'_>| {
        let mut all = Vec::new();
        for id in people {
            let person = find_person(tx, Id::from_uuid(id))?.filter(|person| within.covers(person.home));
            let Some(person) = person else { continue };
            let known = store::known_of(tx, &person, today)?;
            let rules = policies.agreements(person.home, today);
            let packages = rules.map(|rules| known.proposed(&policies, rules, today, true));
            all.push((id, packages.unwrap_or_default()));
        }
        Ok::<_, DatabaseError>(all)
    };
    Ok(visit.app.database.read(read).await?)
}
