//! Two-way referrals: visits that came to one, most of them referred, and each stage of the course with somebody in it. Every one is
//! marked as a sample.

use kangmai_access::{Actor, Purpose, reach};
use kangmai_base::{Day, DivisionLevel, Id, Moment, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::{Person, find_person, people_at};
use kangmai_places::{Institution, InstitutionTier};
use kangmai_programme::App;
use kangmai_referral::act::{Answer, Draft, Hand, Writing, write};
use kangmai_referral::facts::{Direction, EndReason, Party, Summary, Urgency};
use kangmai_referral::rules::Sides;
use kangmai_referral::store::{WantedVisits, downward, party_of, upward, wanted_visits};

use super::{Draw, county};

/// Visits that are looked at.
const MOST_VISITS: i64 = 60;
/// Of a thousand visits that came to a referral so many wait for one.
const LEFT: u32 = 250;
/// Of a thousand so many need none, as somebody wrote.
const WAIVED: u32 = 120;
/// Months of visits.
const MONTHS: i32 = 6;
/// What says that something is a sample.
const SAMPLE: &str = "示例";
/// Both sides at once: a demonstration plays everybody.
const BOTH: Sides = Sides { sends: true, receives: true };

fn hand(on: Day) -> Hand {
    Hand { author: Uuid::nil(), by: SAMPLE.to_owned(), now: Moment::start_of(on).plus_seconds(10 * 3_600) }
}

/// Refers who was to be referred, until `today`.
///
/// # Errors
/// When the database fails.
pub fn take_referrals(app: &App, seed: u64, today: Day) -> Result<(), DatabaseError> {
    let (inside, mut draw) = (app.clone(), Draw::new(seed ^ 0x7265_6665));
    app.database.write_blocking(move |tx| {
        let Some(reach) = reach(&Actor::system(), Purpose::ReadReferrals) else { return Ok(()) };
        let from = today.plus_months(-MONTHS);
        for sensitive in [false, true] {
            let wanted = WantedVisits { handled: None, from, until: today, sensitive };
            let reach = reach.narrowed(county());
            let visits = wanted_visits(tx, &reach, &wanted, (MOST_VISITS, 0))?;
            for (number, visit) in visits.iter().enumerate() {
                let Some(person) = find_person(tx, Id::from_uuid(visit.person))? else { continue };
                // The first of all waits, so that the demonstration's doctor has something to do.
                if person.body.died_on.is_none() && (number > 0 || sensitive) && !draw.chance(LEFT) {
                    follow(tx, &inside, &mut draw, (&person, number), (visit.visit, visit.on), today)?;
                }
            }
        }
        straight_down(tx, &inside, today)
    })
}

/// What became of one visit. A refusal is no fault here: what the rules forbid on its day simply did not happen.
fn follow(
    tx: &mut Transaction<'_>,
    app: &App,
    draw: &mut Draw,
    (person, number): (&Person, usize),
    (visit, on): (Uuid, Day),
    today: Day,
) -> Result<(), DatabaseError> {
    if draw.chance(WAIVED) {
        let told = (EndReason::PatientRefused, "患者暂不愿去县里，已交代危险信号（示例）".to_owned());
        return write(tx, app, person, &hand(on), |writing| writing.waive(&hand(on), visit, told))
            .map(|_| ());
    }
    let all = upward(tx, person.home, today)?;
    let of = |tier: InstitutionTier| all.iter().find(|one| one.body.tier == tier);
    let to = if number % 3 == 0 { of(InstitutionTier::Township) } else { of(InstitutionTier::County) };
    let (Some(to), Some(near)) = (to.or(all.first()), downward(tx, person.home, today)?.first().cloned())
    else {
        return Ok(());
    };
    let later = |days: i32| on.plus_days(days).min(today);
    let referral = app.mint();
    let draft = Draft {
        referral,
        visit: Some(visit),
        note: "请进一步检查，调整治疗（示例）".to_owned(),
        ..blank(app, person, (Direction::Up, on), to)
    };
    let answer = |accepted: bool, note: &str| Answer {
        accepted,
        come_on: None,
        department: if accepted { "内科门诊".to_owned() } else { String::new() },
        note: note.to_owned(),
    };
    let down = Draft {
        from: party_of(to),
        to: party_of(&near),
        summary: Some(summary(later(6))),
        sends_back: Some(referral),
        ..blank(app, person, (Direction::Down, later(4)), to)
    };
    let course = draw.between(0, 8);
    write(tx, app, person, &hand(on), |writing| {
        if writing.open(&hand(on), &draft, BOTH)?.is_err() || course == 0 {
            return Ok(Ok(()));
        }
        if course == 1 {
            writing.answer(&hand(later(1)), referral, &answer(false, "本院没有床位（示例）"), BOTH)?.ok();
            return Ok(Ok(()));
        }
        writing.answer(&hand(later(1)), referral, &answer(true, "带上用药盒和身份证（示例）"), BOTH)?.ok();
        if course == 2 {
            return Ok(Ok(()));
        }
        let came = course != 3;
        let text = if came { String::new() } else { "电话联系，家人外出（示例）".to_owned() };
        writing.arrive(&hand(later(2)), referral, (came, later(2), text), BOTH)?.ok();
        if course > 4 {
            send_back(writing, &down, later(4), later(5), course < 8)?;
        }
        Ok(Ok(()))
    })
    .map(|_| ())
}

fn send_back(
    writing: &mut Writing<'_>,
    down: &Draft,
    sent: Day,
    taken: Day,
    is_taken: bool,
) -> Result<(), DatabaseError> {
    if writing.open(&hand(sent), down, BOTH)?.is_ok() && is_taken {
        let answer = Answer {
            accepted: true,
            come_on: None,
            department: String::new(),
            note: "已电话告知患者（示例）".to_owned(),
        };
        writing.answer(&hand(taken), down.referral, &answer, BOTH)?.ok();
    }
    Ok(())
}

fn blank(app: &App, person: &Person, (direction, on): (Direction, Day), to: &Institution) -> Draft {
    let village = person.home;
    let from = Party {
        institution: None,
        name: String::new(),
        tier: InstitutionTier::Village,
        place: village,
        phone: String::new(),
    };
    Draft {
        referral: app.mint(),
        direction,
        on,
        from,
        to: party_of(to),
        urgency: Urgency::Ordinary,
        visit: None,
        medicines: String::new(),
        note: String::new(),
        summary: None,
        sends_back: None,
        instead_of: None,
        sensitive: false,
    }
}

fn summary(next_visit_by: Day) -> Summary {
    Summary {
        diagnosis: "原发性高血压3级（示例）".to_owned(),
        done: "24小时动态血压、心电图、肾功能；调整降压药（示例）".to_owned(),
        medicines: "氨氯地平5mg每日一次（示例）".to_owned(),
        advice: "低盐饮食，每周测血压两次，头痛胸闷随时就诊（示例）".to_owned(),
        next_visit_by: Some(next_visit_by),
    }
}

/// Somebody comes home from the hospital without having been referred there.
fn straight_down(tx: &mut Transaction<'_>, app: &App, today: Day) -> Result<(), DatabaseError> {
    let people = people_at(tx, county().range(), 0, 20)?;
    let Some(person) = people.into_iter().find(|person| person.body.died_on.is_none()) else { return Ok(()) };
    let hospitals = upward(tx, person.home, today)?;
    let hospital = hospitals.iter().find(|one| one.body.tier == InstitutionTier::County);
    let near = downward(tx, person.home, today)?;
    let near = near.iter().find(|one| person.home.at(DivisionLevel::Township).contains(one.place));
    let (Some(hospital), Some(near)) = (hospital, near) else { return Ok(()) };
    let draft = Draft {
        from: party_of(hospital),
        summary: Some(Summary {
            diagnosis: "肺炎恢复期（示例）".to_owned(),
            done: "抗感染治疗7天，复查胸片好转（示例）".to_owned(),
            ..summary(today.plus_days(13))
        }),
        ..blank(app, &person, (Direction::Down, today), near)
    };
    write(tx, app, &person, &hand(today), |writing| writing.open(&hand(today), &draft, BOTH)).map(|_| ())
}
