//! Family-doctor agreements: a team in every township, most households signed, some expired, some renewed, some due, one given to
//! another team, and some households that nobody signed. Every one is marked as a sample.

use std::collections::BTreeMap;

use kangmai_access::{Account, Actor, Purpose, Role, reach, staff_of_teams};
use kangmai_agreements::act::{Draft, Hand, Writing, relate_team};
use kangmai_agreements::facts::{EndReason, Member, Signature, SignedBy, Signer, TeamKept, Way};
use kangmai_agreements::store::{Picture, keep_picture, known_of, team, teams_at};
use kangmai_agreements::teamwork::keep_team;
use kangmai_base::{Day, DivisionCode, DivisionLevel, Moment, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::{Person, people_at};
use kangmai_places::Divisions;
use kangmai_programme::App;
use kangmai_record::NewFact;

use super::{Draw, county};

/// People that one transaction takes.
const AT_ONCE: i64 = 500;
/// Of a thousand households so many were not signed by anybody, and so many people of the others.
const HOUSEHOLD_UNSIGNED: u32 = 130;
const PERSON_UNSIGNED: u32 = 60;
/// Of a thousand agreements so many ran out, and of those so many were renewed.
const RAN_OUT: u32 = 140;
const RENEWED: u32 = 600;
/// Of a thousand so many end within the month.
const ENDS_SOON: u32 = 50;
/// Of a thousand so many were ended by the resident.
const ENDED: u32 = 12;
/// Of a thousand times so many somebody wrote that an assessment was done.
const ASSESSED: u32 = 780;
/// From this age people sign for themselves here.
const ADULT: i32 = 18;
/// What says that something is a sample.
const SAMPLE: &str = "示例";
const PAPER_AT: &str = "村卫生室签约档案柜（示例）";
/// A signature that somebody drew.
const DRAWN: &str = "M80 120L120 60L160 120M100 95L145 95M220 60L220 130L270 130M320 60L380 60L350 60L350 130M430 70L490 120M490 70L430 120";

/// Makes a team for every township and signs most residents, until `today`.
///
/// # Errors
/// When the database fails.
pub fn take_agreements(app: &App, seed: u64, today: Day) -> Result<(), DatabaseError> {
    let mut draw = Draw::new(seed ^ 0x6167_7265);
    let first = first_person(app)?;
    for township in Divisions::shipped().of_level(county(), DivisionLevel::Township) {
        let (inside, place) = (app.clone(), township.code());
        let name = township.short_name();
        let is_first = first.is_some_and(|home| place.contains(home));
        app.database.write_blocking(move |tx| make_teams(tx, &inside, (place, &name), is_first, today))?;
    }
    let mut offset = 0;
    loop {
        let inside = app.clone();
        let (count, drawn) = app.database.write_blocking(move |tx| {
            let people = people_at(tx, county().range(), offset, AT_ONCE)?;
            sign_all(tx, &inside, &mut draw, &people, today)?;
            Ok::<_, DatabaseError>((people.len(), draw))
        })?;
        draw = drawn;
        offset += AT_ONCE;
        if count == 0 {
            return Ok(());
        }
    }
}

fn first_person(app: &App) -> Result<Option<DivisionCode>, DatabaseError> {
    let people = app.database.read_blocking(|tx| people_at(tx, county().range(), 0, 1))?;
    Ok(people.first().map(|person| person.home))
}

fn hand(on: Day) -> Hand {
    let now = Moment::start_of(on).plus_seconds(10 * 3_600);
    Hand { author: Uuid::nil(), by: SAMPLE.to_owned(), now }
}

fn make_teams(
    tx: &mut Transaction<'_>,
    app: &App,
    (place, name): (DivisionCode, &str),
    is_first: bool,
    today: Day,
) -> Result<(), DatabaseError> {
    if people_at(tx, place.range(), 0, 1)?.is_empty() {
        return Ok(());
    }
    let from = today.plus_months(-36);
    let staff = match reach(&Actor::system(), Purpose::KeepTeams) {
        Some(within) => staff_of_teams(tx, &within, place)?,
        None => Vec::new(),
    };
    let of = |role| staff.iter().find(move |account: &&Account| account.role == role);
    let member = |role: &str, account: Option<&Account>, name: &str, leads: bool| Member {
        member: app.mint(),
        account: account.map(|account| account.id.uuid()),
        name: account.map_or_else(|| name.to_owned(), |account| account.display_name.clone()),
        role: role.to_owned(),
        phone: "0396-0000000".to_owned(),
        leads,
        from,
        until: None,
    };
    let mut left = member("nurse", None, "示例护士乙", false);
    left.until = Some(today.plus_days(-200));
    let members = vec![
        member("township_doctor", of(Role::TownshipOfficer), "示例全科医生", true),
        member("village_doctor", of(Role::VillageDoctor), "示例村医", false),
        member("nurse", None, "示例护士甲", false),
        member("public_health", None, "示例公卫人员", false),
        member("county_expert", of(Role::Expert).filter(|_| is_first), "示例县医院专家", false),
        left,
    ];
    let mut kept = TeamKept {
        team: app.mint(),
        name: format!("{name}第一家庭医生团队"),
        phone: "0396-0000000".to_owned(),
        area: Vec::new(),
        from,
        members,
        closed_on: None,
        by: SAMPLE.to_owned(),
    };
    keep_team(tx, app, (place, &kept), &hand(from))?;
    if is_first {
        kept.team = app.mint();
        kept.name = format!("{name}第二家庭医生团队");
        kept.members = vec![member("township_doctor", None, "示例全科医生乙", true)];
        keep_team(tx, app, (place, &kept), &hand(from))?;
    }
    Ok(())
}

/// The teams of a township, each with its members.
type Teams = BTreeMap<DivisionCode, Vec<TeamKept>>;

fn teams_of(
    tx: &mut Transaction<'_>,
    teams: &mut Teams,
    home: DivisionCode,
) -> Result<Vec<TeamKept>, DatabaseError> {
    let township = home.at(DivisionLevel::Township);
    if let Some(known) = teams.get(&township) {
        return Ok(known.clone());
    }
    let mut found = Vec::new();
    for one in teams_at(tx, home)? {
        found.extend(team(tx, one.kept.team)?.map(|team| team.kept));
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    teams.insert(township, found.clone());
    Ok(found)
}

fn sign_all(
    tx: &mut Transaction<'_>,
    app: &App,
    draw: &mut Draw,
    people: &[Person],
    today: Day,
) -> Result<(), DatabaseError> {
    let (mut teams, mut signed) = (Teams::new(), BTreeMap::new());
    let (mut facts, mut related) = (Vec::new(), Vec::new());
    for person in people {
        let household = person.body.household;
        let is_signed = *signed.entry(household).or_insert_with(|| !draw.chance(HOUSEHOLD_UNSIGNED));
        let all = teams_of(tx, &mut teams, person.home)?;
        if !is_signed || draw.chance(PERSON_UNSIGNED) || person.body.died_on.is_some() || all.is_empty() {
            continue;
        }
        let mint = || app.mint();
        let mut writing = Writing::new(&app.policies, person, Vec::new(), &mint);
        course(tx, app, draw, (&mut writing, person), &all, today)?;
        let folder = writing.folder.clone();
        let (own, pictures) = writing.into_parts();
        for (id, picture) in &pictures {
            keep_picture(tx, *id, (person.id.uuid(), person.home), picture)?;
        }
        facts.extend(own);
        for one in folder.agreements {
            let has_account = |team: &TeamKept| team.members.iter().any(|member| member.account.is_some());
            let team = one.team();
            if all.iter().any(|kept| kept.team == team && has_account(kept)) {
                related.push(((person.id.uuid(), one.id, team), one.term().zip(one.last_day())));
            }
        }
    }
    append(tx, app, facts)?;
    for (which, term) in related {
        relate_team(tx, app, which, term, app.clock.now())?;
    }
    Ok(())
}

fn append(tx: &mut Transaction<'_>, app: &App, facts: Vec<NewFact>) -> Result<(), DatabaseError> {
    app.record.append(tx, app.clock.now(), facts).map(|_| ())
}

/// How one resident was signed and served.
fn course(
    tx: &mut Transaction<'_>,
    app: &App,
    draw: &mut Draw,
    (writing, person): (&mut Writing<'_>, &Person),
    teams: &[TeamKept],
    today: Day,
) -> Result<(), DatabaseError> {
    let Some(team) = teams.first() else { return Ok(()) };
    let ran_out = draw.chance(RAN_OUT);
    let on = if ran_out {
        today.plus_months(-12).plus_days(-draw.between(5, 300))
    } else if draw.chance(ENDS_SOON) {
        today.plus_months(-12).plus_days(draw.between(2, 28))
    } else {
        today.plus_days(-draw.between(15, 330))
    };
    if person.body.birth.is_some_and(|birth| birth > on) {
        return Ok(());
    }
    sign(tx, app, (&mut *writing, person), team, (on, draw))?;
    if ran_out && draw.chance(RENEWED) {
        let again = on.plus_months(12).plus_days(draw.between(0, 60));
        if again <= today {
            sign(tx, app, (&mut *writing, person), team, (again, draw))?;
        }
    }
    let held = writing.folder.held_on(today).map(|held| held.id);
    let Some(held) = held else { return Ok(()) };
    if draw.chance(ASSESSED) {
        let from = writing.folder.agreement(held).and_then(|one| one.term()).map_or(today, |(from, _)| from);
        let done = from.plus_days(draw.between(0, 120)).min(today);
        for item in ["public_health", "health_management"] {
            let text = "健康评估，发放健康教育处方（示例）".to_owned();
            writing.done(&hand(done), held, ("basic", item), (done, text))?.ok();
        }
    }
    if let [_, second, ..] = teams
        && draw.chance(ENDED)
    {
        writing.pass_on(&hand(today), held, second, "居民搬到第二团队片区（示例）".to_owned())?.ok();
    } else if draw.chance(ENDED) {
        let day = today.plus_days(-draw.between(0, 10));
        let end = (day, EndReason::Resident);
        writing.end(&hand(day), held, end, "居民到县城长期居住（示例）".to_owned())?.ok();
    }
    Ok(())
}

/// A refusal is no fault here: what the rules forbid on its day simply was not signed.
fn sign(
    tx: &mut Transaction<'_>,
    app: &App,
    (writing, person): (&mut Writing<'_>, &Person),
    team: &TeamKept,
    (on, draw): (Day, &mut Draw),
) -> Result<(), DatabaseError> {
    let Some(rules) = app.policies.agreements(person.home, on) else { return Ok(()) };
    let known = known_of(tx, person, on)?;
    let packages = known.proposed(&app.policies, rules, on, true);
    let is_child = person.age_on(on).is_none_or(|age| age < ADULT);
    let is_drawn = draw.chance(250);
    let signer = if is_child {
        let name = "示例监护人".to_owned();
        Signer { who: SignedBy::Guardian, name, relation: "父母".to_owned() }
    } else {
        Signer { who: SignedBy::Resident, name: String::new(), relation: String::new() }
    };
    let way = if is_drawn { Way::Drawn } else { Way::Paper };
    let picture = Picture { kind: kangmai_agreements::rules::PictureKind::Svg, bytes: DRAWN.into() };
    let draft = Draft {
        agreement: app.mint(),
        on,
        team: team.clone(),
        term_months: rules.term_months,
        packages,
        signature: Signature {
            way,
            paper_at: if is_drawn { String::new() } else { PAPER_AT.to_owned() },
            file: None,
            digest: String::new(),
        },
        picture: is_drawn.then_some(picture),
        signer,
        act: None,
        note: SAMPLE.to_owned(),
    };
    writing.sign(&hand(on), &draft).map(|_| ())
}
