//! Bills of a year settled twice, paired: under the law as it is, and under the law with the changes. Pure.
//!
//! A person-year is one chain, as in settlement: by day of discharge, day of admission, order of receipt, identifier; what is
//! used of the year goes on from bill to bill, and by name where two packs follow each other. Where households have
//! accumulators together, all persons whom a household joins are one chain.

use std::collections::HashMap;

use kangmai_base::{Day, DivisionCode, DivisionLevel, Fen, Moment, Uuid};
use kangmai_people::Label;
use kangmai_policy::{
    Amounts, BillFacts, InstitutionTier, InsuranceYear, LabelSet, MAX_LAYERS, Release, Settler,
    YearAccumulators,
};

use crate::result::{BANDS, Line, Outcome, Pair, PayerLine, PersonLine, Side};

/// A bill, ready to be settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YearBill {
    /// Whose.
    pub person: Uuid,
    /// The person's household then.
    pub household: Uuid,
    /// With whom they are settled: themselves, or the first of those whom households join; see [`join_households`].
    pub chain: Uuid,
    /// Which.
    pub bill: Uuid,
    /// When it was received.
    pub received_at: Moment,
    /// The own share of its receipt.
    pub own: Fen,
    /// The strongest label on the day of discharge.
    pub label: Option<Label>,
    /// Whether it lies at another place than the run is of: it is settled, since it uses up what a chain has together, and
    /// counted nowhere.
    pub is_elsewhere: bool,
    /// All that the law asks.
    pub facts: BillFacts,
}

/// What somebody had used of the year before the first bill.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Opened {
    /// Accumulators by name.
    pub used: Vec<(String, i64)>,
    /// The household for which those count that a household has together; none: that of their first bill.
    pub household: Option<Uuid>,
}

/// The same, by person.
pub type Openings = HashMap<Uuid, Opened>;

/// What care cost somebody in the year, or a household.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OwnCost {
    /// Own share.
    pub all: Pair,
    /// The same without what lies outside the catalogues.
    pub compliant: Pair,
    /// What all payers paid on the same bills.
    pub paid: Pair,
}

impl OwnCost {
    pub(crate) const fn add(&mut self, before: &Amounts, after: &Amounts) {
        self.all.add(before.own_share, after.own_share);
        self.compliant.add(
            Fen(before.own_share.0 - before.own_out_of_catalogue.0),
            Fen(after.own_share.0 - after.own_out_of_catalogue.0),
        );
    }

    pub(crate) const fn join(&mut self, other: &OwnCost) {
        self.all.add(other.all.before, other.all.after);
        self.compliant.add(other.compliant.before, other.compliant.after);
        self.paid.add(other.paid.before, other.paid.after);
    }
}

/// A person-year under both laws.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonYear {
    /// Who.
    pub person: Uuid,
    /// The household on the last bill.
    pub household: Uuid,
    /// The home place on the last bill.
    pub home: DivisionCode,
    /// The strongest label on the last bill.
    pub label: Option<Label>,
    /// All labels on the last bill.
    pub labels: LabelSet,
    /// What they bore.
    pub own: OwnCost,
}

/// Brings bills into the order in which they are settled.
pub fn sort_bills(bills: &mut [YearBill]) {
    bills.sort_unstable_by_key(|bill| {
        (bill.chain, bill.facts.discharge, bill.facts.admission, bill.received_at, bill.bill)
    });
}

/// Finds out who is settled together: where `release` lets households have anything together, all whom a household of a
/// bill or of an opening joins. To be called before bills are sorted.
pub fn join_households(bills: &mut [YearBill], openings: &Openings, release: &Release) {
    if !release.has_shared() {
        return;
    }
    // Persons and households in one forest: each leads to the smallest that it is joined with.
    let mut leads: HashMap<Uuid, Uuid> = HashMap::new();
    let opened = openings.iter().filter_map(|(person, opened)| Some((*person, opened.household?)));
    for (person, household) in bills.iter().map(|bill| (bill.person, bill.household)).chain(opened) {
        let (one, other) = (root(&mut leads, person), root(&mut leads, household));
        leads.insert(one.max(other), one.min(other));
    }
    for bill in bills {
        bill.chain = root(&mut leads, bill.person);
    }
}

/// Where one leads to in the end; the way there is shortened.
fn root(leads: &mut HashMap<Uuid, Uuid>, one: Uuid) -> Uuid {
    let mut at = one;
    while let Some(next) = leads.get(&at).copied().filter(|next| *next != at) {
        let behind = leads.get(&next).copied().unwrap_or(next);
        leads.insert(at, behind);
        at = next;
    }
    at
}

/// The days of the insurance year that is called so in `place`.
pub(crate) fn year_of(release: &Release, place: DivisionCode, year: i32) -> InsuranceYear {
    release.insurance_year_called(place, year).unwrap_or(InsuranceYear::calendar(year))
}

/// No law holds.
const NOWHERE: u16 = u16::MAX;

/// Days of the longest insurance year: one whose beginning is moved is longer than a calendar year.
const LONGEST_YEAR: i32 = 2 * 366;

/// Which pack holds where and when, asked once for each county and day.
struct Places<'r> {
    release: &'r Release,
    /// The finest level at which a pack stands.
    level: DivisionLevel,
    first: Day,
    /// How many days from there on are asked ahead.
    span: i32,
    known: HashMap<DivisionCode, usize>,
    days: Vec<Box<[u16]>>,
    /// The next bill most often lies where the last one did.
    last: Option<(DivisionCode, usize)>,
}

impl<'r> Places<'r> {
    fn new(release: &'r Release, bills: &[YearBill]) -> Places<'r> {
        let levels = release.jurisdictions().iter().filter_map(|one| one.pack.place.level());
        let level = levels.max().unwrap_or(DivisionLevel::Province);
        let days = || bills.iter().map(|bill| bill.facts.discharge);
        let (first, last) = (days().min().unwrap_or(Day(0)), days().max().unwrap_or(Day(0)));
        let span = (last.days_since(first) + 1).clamp(0, LONGEST_YEAR);
        Places { release, level, first, span, known: HashMap::new(), days: Vec::new(), last: None }
    }

    /// The number of the pack that settles a bill.
    #[inline]
    fn find(&mut self, facts: &BillFacts) -> u16 {
        let home = facts.person_place.at(self.level);
        let place = match self.last {
            Some((last, place)) if last == home => place,
            _ => self.place(home),
        };
        let passed = usize::try_from(facts.discharge.days_since(self.first)).ok();
        let number = passed.and_then(|passed| self.days.get(place)?.get(passed));
        number.copied().unwrap_or_else(|| number_of(self.release, home, facts.discharge))
    }

    fn place(&mut self, home: DivisionCode) -> usize {
        let (release, first, span, days) = (self.release, self.first, self.span, &mut self.days);
        let place = *self.known.entry(home).or_insert_with(|| {
            days.push((0..span).map(|passed| number_of(release, home, first.plus_days(passed))).collect());
            days.len() - 1
        });
        self.last = Some((home, place));
        place
    }
}

fn number_of(release: &Release, home: DivisionCode, day: Day) -> u16 {
    let found = release.jurisdiction_for(home, day);
    let number =
        found.and_then(|found| release.jurisdictions().iter().position(|one| std::ptr::eq(one, found)));
    number.and_then(|number| u16::try_from(number).ok()).unwrap_or(NOWHERE)
}

/// A year under way, of a person or of what a household has together.
#[derive(Clone, Default)]
struct Running {
    /// The pack that it stands under; none yet.
    at: Option<u16>,
    year: YearAccumulators,
    used: Vec<(String, i64)>,
}

impl Running {
    /// Goes on under another pack: accumulators go by name.
    fn turn_to(&mut self, number: u16, settlers: &[Option<Settler<'_>>]) -> Option<()> {
        if self.at == Some(number) {
            return Some(());
        }
        let policy = |number: u16| Some(settlers.get(usize::from(number))?.as_ref()?.policy());
        let next = policy(number)?;
        if let Some(before) = self.at.and_then(policy) {
            for (accumulator, value) in before.year_entries(&self.year) {
                self.used.retain(|(name, _)| *name != accumulator.name);
                self.used.push((accumulator.name.clone(), value.0));
            }
        }
        self.year = YearAccumulators::NONE;
        for (name, value) in &self.used {
            // A name that this pack does not know is left aside.
            let _ = next.set_accumulator(&mut self.year, name, Fen(*value));
        }
        self.at = Some(number);
        Some(())
    }
}

/// One law: all its packs, and the years at hand.
struct Arm<'r> {
    release: &'r Release,
    /// By number of the pack; none where a rule cannot be expressed.
    settlers: Vec<Option<Settler<'r>>>,
    /// Whose bill is settled, and their year.
    person: Option<Uuid>,
    running: Running,
    /// The years of the others of the chain.
    others: HashMap<Uuid, Running>,
    /// What the households of the chain have together.
    households: HashMap<Uuid, Running>,
    /// What each layer of each pack pays in all.
    paid: Vec<[Fen; MAX_LAYERS]>,
}

impl<'r> Arm<'r> {
    fn new(release: &'r Release) -> Arm<'r> {
        let settler = |one: &'r kangmai_policy::Jurisdiction| one.policy::<&str>(&[]).ok().map(Settler::new);
        let settlers: Vec<Option<Settler<'r>>> = release.jurisdictions().iter().map(settler).collect();
        let paid = vec![[Fen::ZERO; MAX_LAYERS]; settlers.len()];
        let (others, households) = (HashMap::new(), HashMap::new());
        Arm { release, settlers, person: None, running: Running::default(), others, households, paid }
    }

    /// A new chain.
    fn begin(&mut self) {
        self.person = None;
        self.others.clear();
        self.households.clear();
    }

    /// Goes on with the year of another of the chain, or begins it.
    fn take_up(&mut self, person: Uuid, openings: &Openings) {
        if self.person == Some(person) {
            return;
        }
        let release = self.release;
        let opened = || {
            let used = openings.get(&person).map(|opened| &opened.used);
            let alone = used.into_iter().flatten().filter(|(name, _)| !release.is_shared(name));
            Running { used: alone.cloned().collect(), ..Running::default() }
        };
        let next = self.others.remove(&person).unwrap_or_else(opened);
        let before = std::mem::replace(&mut self.running, next);
        if let Some(earlier) = self.person.replace(person) {
            self.others.insert(earlier, before);
        }
    }

    fn settle(&mut self, number: u16, bill: &YearBill, shared: &SharedOpenings) -> Option<Amounts> {
        self.running.turn_to(number, &self.settlers)?;
        let policy = self.settlers.get(usize::from(number))?.as_ref()?.policy();
        if policy.has_shared() {
            let opened = || {
                let used = shared.get(&bill.household).cloned().unwrap_or_default();
                Running { used, ..Running::default() }
            };
            let household = self.households.entry(bill.household).or_insert_with(opened);
            household.turn_to(number, &self.settlers)?;
            policy.lend(&household.year, &mut self.running.year);
        }
        let settler = self.settlers.get_mut(usize::from(number))?.as_mut()?;
        let amounts = settler.amounts(&bill.facts, &mut self.running.year);
        if policy.has_shared()
            && let Some(household) = self.households.get_mut(&bill.household)
        {
            policy.give_back(&mut self.running.year, &mut household.year);
        }
        Some(amounts)
    }

    fn pay(&mut self, number: u16, amounts: &Amounts) {
        if let Some(paid) = self.paid.get_mut(usize::from(number)) {
            for (sum, pays) in paid.iter_mut().zip(&amounts.pays) {
                sum.0 += pays.0;
            }
        }
    }
}

/// What households had used together, by name.
type SharedOpenings = HashMap<Uuid, Vec<(String, i64)>>;

/// Adds up what the members of each household had used of what it has together.
fn shared_openings(bills: &[YearBill], openings: &Openings, release: &Release) -> SharedOpenings {
    let mut all = SharedOpenings::new();
    if !release.has_shared() {
        return all;
    }
    let mut first: HashMap<Uuid, Uuid> = HashMap::new();
    for bill in bills {
        first.entry(bill.person).or_insert(bill.household);
    }
    for (person, opened) in openings {
        let Some(household) = opened.household.or_else(|| first.get(person).copied()) else { continue };
        for (name, value) in opened.used.iter().filter(|(name, _)| release.is_shared(name)) {
            let used = all.entry(household).or_default();
            match used.iter_mut().find(|(known, _)| known == name) {
                Some((_, sum)) => *sum += value,
                None => used.push((name.clone(), *value)),
            }
        }
    }
    all
}

/// Settles sorted bills under both laws. The outcome lacks what needs more than bills: places, labels, bands, households.
pub fn settle_both(
    bills: &[YearBill],
    openings: &Openings,
    (before, after): (&Release, &Release),
) -> (Outcome, Vec<PersonYear>) {
    // The changed law may have a pack more, so each has its own places.
    let mut places = [Places::new(before, bills), Places::new(after, bills)];
    let shared = [before, after].map(|release| shared_openings(bills, openings, release));
    let mut arms = [Arm::new(before), Arm::new(after)];
    let mut outcome = Outcome::default();
    let mut tiers = vec![Line::default(); InstitutionTier::NAMES.len()];
    let mut people = Vec::new();
    for chain in bills.chunk_by(|one, other| one.chain == other.chain) {
        arms.iter_mut().for_each(Arm::begin);
        let mut members: Vec<(Uuid, OwnCost, Option<&YearBill>)> = Vec::with_capacity(1);
        for bill in chain {
            let known = members.iter().position(|(person, ..)| *person == bill.person);
            let at = known.unwrap_or(members.len());
            if known.is_none() {
                members.push((bill.person, OwnCost::default(), None));
            }
            let Some((_, own, last)) = members.get_mut(at) else { continue };
            arms.iter_mut().for_each(|arm| arm.take_up(bill.person, openings));
            let [now, then] = places.each_mut().map(|places| places.find(&bill.facts));
            let numbers = (now, then);
            let [one, other] = &mut arms;
            let pair = one.settle(now, bill, &shared[0]).zip(other.settle(then, bill, &shared[1]));
            if bill.is_elsewhere {
                outcome.elsewhere += 1;
                continue;
            }
            let Some((now, then)) = pair else {
                outcome.left_out += 1;
                continue;
            };
            one.pay(numbers.0, &now);
            other.pay(numbers.1, &then);
            own.add(&now, &then);
            let rest =
                |amounts: &Amounts| Fen(bill.facts.total.0 - bill.facts.already_paid.0 - amounts.own_share.0);
            own.paid.add(rest(&now), rest(&then));
            outcome.bills += 1;
            outcome.touched_bills += i64::from(differ(&arms, numbers, (&now, &then)));
            outcome.unlike_receipt += i64::from(now.own_share != bill.own);
            outcome.total.0 += bill.facts.total.0;
            outcome.already_paid.0 += bill.facts.already_paid.0;
            let tier = &mut tiers[bill.facts.tier as usize];
            tier.count += 1;
            tier.payers.add(rest(&now), rest(&then));
            tier.own.add(now.own_share, then.own_share);
            *last = Some(bill);
        }
        people.extend(members.into_iter().filter_map(|(_, own, last)| Some(person_year(last?, own))));
    }
    for person in &people {
        outcome.own.add(person.own.all.before, person.own.all.after);
    }
    outcome.people = count(people.len());
    outcome.payers = payers([before, after], &arms);
    outcome.tiers = named(tiers);
    (outcome, people)
}

fn person_year(last: &YearBill, own: OwnCost) -> PersonYear {
    PersonYear {
        person: last.person,
        household: last.household,
        home: last.facts.person_place,
        label: last.label,
        labels: last.facts.labels_at_discharge,
        own,
    }
}

pub(crate) fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

fn named(tiers: Vec<Line>) -> Vec<Line> {
    let lines = tiers.into_iter().zip(InstitutionTier::NAMES);
    let named = lines.map(|(line, name)| Line { key: (*name).to_owned(), ..line });
    named.filter(|line| line.count > 0).collect()
}

/// Whether a bill is settled otherwise: under one list of layers by all amounts, else by what each fund pays.
fn differ(arms: &[Arm<'_>; 2], numbers: (u16, u16), (now, then): (&Amounts, &Amounts)) -> bool {
    let [one, other] = arms;
    let layers = |arm: &Arm<'_>, number: u16| {
        arm.settlers
            .get(usize::from(number))
            .and_then(Option::as_ref)
            .map(|settler| settler.policy().layers().len())
    };
    if layers(one, numbers.0) == layers(other, numbers.1) {
        return now != then;
    }
    now.own_share != then.own_share || now.own_out_of_catalogue != then.own_out_of_catalogue
}

/// What each fund pays, over all packs of both laws.
fn payers(releases: [&Release; 2], arms: &[Arm<'_>; 2]) -> Vec<PayerLine> {
    let mut lines: Vec<PayerLine> = Vec::new();
    for (is_after, (release, arm)) in releases.into_iter().zip(arms).enumerate() {
        for (one, paid) in release.jurisdictions().iter().zip(&arm.paid) {
            for (layer, pays) in one.to_read().layers().iter().zip(paid) {
                if *pays == Fen::ZERO {
                    continue;
                }
                let payer = &layer.benefit.payer;
                let (now, then) = if is_after == 1 { (Fen::ZERO, *pays) } else { (*pays, Fen::ZERO) };
                let known = lines.iter_mut().find(|line| line.kind == payer.kind && line.fund == payer.fund);
                match known {
                    Some(line) => line.pays.add(now, then),
                    None => lines.push(PayerLine {
                        kind: payer.kind,
                        fund: payer.fund.clone(),
                        name: payer.name.clone(),
                        pays: Pair { before: now, after: then },
                    }),
                }
            }
        }
    }
    lines
}

/// Whether two laws settle all bills alike; stops at the first that they do not.
pub fn settles_alike(bills: &[YearBill], openings: &Openings, (one, other): (&Release, &Release)) -> bool {
    let mut places = Places::new(one, bills);
    let shared = shared_openings(bills, openings, one);
    let mut arms = [Arm::new(one), Arm::new(other)];
    bills.chunk_by(|one, other| one.chain == other.chain).all(|chain| {
        arms.iter_mut().for_each(Arm::begin);
        chain.iter().all(|bill| {
            arms.iter_mut().for_each(|arm| arm.take_up(bill.person, openings));
            let number = places.find(&bill.facts);
            let [one, other] = &mut arms;
            let is_same = one.settle(number, bill, &shared) == other.settle(number, bill, &shared);
            is_same || bill.is_elsewhere
        })
    })
}

/// Adds what people tell: places of `level`, labels, who bear more and less.
pub fn add_people(outcome: &mut Outcome, people: &[PersonYear], level: DivisionLevel) {
    let mut places: HashMap<DivisionCode, Line> = HashMap::new();
    let mut labels: HashMap<Option<Label>, Line> = HashMap::new();
    for person in people {
        let own = person.own.all;
        for line in
            [places.entry(person.home.at(level)).or_default(), labels.entry(person.label).or_default()]
        {
            line.count += 1;
            line.own.add(own.before, own.after);
            line.payers.add(person.own.paid.before, person.own.paid.after);
        }
        let difference = own.difference().0;
        let (side, bands) = match difference {
            0 => continue,
            1.. => (&mut outcome.lose, &mut outcome.lose_bands),
            _ => (&mut outcome.gain, &mut outcome.gain_bands),
        };
        let band = band_of(difference.abs());
        for side in [side, &mut bands[band]] {
            side.people += 1;
            side.sum.0 += difference.abs();
        }
    }
    let mut by_place: Vec<Line> =
        places.into_iter().map(|(place, line)| Line { key: place.to_string(), ..line }).collect();
    by_place.sort_by(|one, other| one.key.cmp(&other.key));
    outcome.places = by_place;
    let order = Label::ALL.into_iter().map(Some).chain([None]);
    outcome.labels = order
        .filter_map(|label| {
            let key = label.map_or("", Label::key).to_owned();
            labels.remove(&label).map(|line| Line { key, ..line })
        })
        .collect();
}

/// The number of the band that a difference lies in.
pub fn band_of(difference: i64) -> usize {
    BANDS.iter().position(|edge| difference <= *edge).unwrap_or(BANDS.len())
}

/// The people whose own share moves most, at most `most` of those who bear more and of those who bear less.
pub fn moved_most(people: &[PersonYear], most: usize) -> Vec<PersonLine> {
    let mut moved: Vec<&PersonYear> =
        people.iter().filter(|person| person.own.all.difference() != Fen::ZERO).collect();
    moved.sort_unstable_by_key(|person| (std::cmp::Reverse(person.own.all.difference()), person.person));
    let more = moved.partition_point(|person| person.own.all.difference() > Fen::ZERO);
    let (lose, gain) = moved.split_at(more);
    let chosen = lose.iter().take(most).chain(gain.iter().rev().take(most));
    chosen
        .map(|person| PersonLine {
            person: person.person,
            household: person.household,
            home: person.home,
            label: person.label.map_or("", Label::key),
            own: person.own.all,
        })
        .collect()
}

impl Side {
    /// What it comes to for each of them.
    pub fn each(&self) -> Fen {
        Fen(self.sum.0.checked_div(self.people).unwrap_or(0))
    }
}
