//! Bills of a year settled twice, paired: under the law as it is, and under the law with the changes. Pure.
//!
//! A person-year is one chain, as in settlement: by day of discharge, day of admission, order of receipt, identifier; what is
//! used of the year goes on from bill to bill, and by name where two packs follow each other.

use std::collections::HashMap;

use kangmai_base::{Day, DivisionCode, DivisionLevel, Fen, Moment, Uuid};
use kangmai_people::Label;
use kangmai_policy::{
    Amounts, BillFacts, InstitutionTier, LabelSet, MAX_LAYERS, Release, Settler, YearAccumulators,
};

use crate::result::{BANDS, Line, Outcome, Pair, PayerLine, PersonLine, Side};

/// A bill, ready to be settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YearBill {
    /// Whose.
    pub person: Uuid,
    /// The person's household then.
    pub household: Uuid,
    /// Which.
    pub bill: Uuid,
    /// When it was received.
    pub received_at: Moment,
    /// The own share of its receipt.
    pub own: Fen,
    /// The strongest label on the day of discharge.
    pub label: Option<Label>,
    /// All that the law asks.
    pub facts: BillFacts,
}

/// What somebody had used of the year before the first bill: accumulators by name.
pub type Openings = HashMap<Uuid, Vec<(String, i64)>>;

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
        (bill.person, bill.facts.discharge, bill.facts.admission, bill.received_at, bill.bill)
    });
}

/// No law holds.
const NOWHERE: u16 = u16::MAX;

/// Which pack holds where and when, asked once for each county and day.
struct Places<'r> {
    release: &'r Release,
    /// The finest level at which a pack stands.
    level: DivisionLevel,
    first: Day,
    known: HashMap<DivisionCode, usize>,
    days: Vec<Box<[u16]>>,
    /// The next bill most often lies where the last one did.
    last: Option<(DivisionCode, usize)>,
}

impl<'r> Places<'r> {
    fn new(release: &'r Release, year: i32) -> Places<'r> {
        let levels = release.jurisdictions().iter().filter_map(|one| one.pack.place.level());
        let level = levels.max().unwrap_or(DivisionLevel::Province);
        let first = Day::from_ymd(year, 1, 1).unwrap_or(Day(0));
        Places { release, level, first, known: HashMap::new(), days: Vec::new(), last: None }
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
        let (release, first, days) = (self.release, self.first, &mut self.days);
        let place = *self.known.entry(home).or_insert_with(|| {
            days.push((0..366).map(|passed| number_of(release, home, first.plus_days(passed))).collect());
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

/// One law: all its packs, and the person-year at hand.
struct Arm<'r> {
    /// By number of the pack; none where a rule cannot be expressed.
    settlers: Vec<Option<Settler<'r>>>,
    at: u16,
    year: YearAccumulators,
    used: Vec<(String, i64)>,
    /// What each layer of each pack pays in all.
    paid: Vec<[Fen; MAX_LAYERS]>,
}

impl<'r> Arm<'r> {
    fn new(release: &'r Release) -> Arm<'r> {
        let settler = |one: &'r kangmai_policy::Jurisdiction| one.policy::<&str>(&[]).ok().map(Settler::new);
        let settlers: Vec<Option<Settler<'r>>> = release.jurisdictions().iter().map(settler).collect();
        let paid = vec![[Fen::ZERO; MAX_LAYERS]; settlers.len()];
        Arm { settlers, at: NOWHERE, year: YearAccumulators::NONE, used: Vec::new(), paid }
    }

    fn begin(&mut self, opening: Option<&Vec<(String, i64)>>) {
        self.at = NOWHERE;
        self.used.clear();
        self.used.extend(opening.into_iter().flatten().cloned());
    }

    fn settle(&mut self, number: u16, facts: &BillFacts) -> Option<Amounts> {
        if self.at != number {
            self.turn_to(number)?;
        }
        let settler = self.settlers.get_mut(usize::from(number))?.as_mut()?;
        Some(settler.amounts(facts, &mut self.year))
    }

    /// Goes on under another pack: accumulators go by name.
    fn turn_to(&mut self, number: u16) -> Option<()> {
        let next = self.settlers.get(usize::from(number))?.as_ref()?.policy();
        if let Some(before) = self.settlers.get(usize::from(self.at)).and_then(Option::as_ref) {
            for (accumulator, value) in before.policy().year_entries(&self.year) {
                self.used.retain(|(name, _)| *name != accumulator.name);
                self.used.push((accumulator.name.clone(), value.0));
            }
        }
        self.year = YearAccumulators::NONE;
        for (name, value) in &self.used {
            // A name that this pack does not know is left aside.
            let _ = next.set_accumulator(&mut self.year, name, Fen(*value));
        }
        self.at = number;
        Some(())
    }

    fn pay(&mut self, number: u16, amounts: &Amounts) {
        if let Some(paid) = self.paid.get_mut(usize::from(number)) {
            for (sum, pays) in paid.iter_mut().zip(&amounts.pays) {
                sum.0 += pays.0;
            }
        }
    }
}

/// Settles sorted bills under both laws. The outcome lacks what needs more than bills: places, labels, bands, households.
pub fn settle_both(
    bills: &[YearBill],
    openings: &Openings,
    (before, after): (&Release, &Release),
    year: i32,
) -> (Outcome, Vec<PersonYear>) {
    let mut places = Places::new(before, year);
    let mut arms = [Arm::new(before), Arm::new(after)];
    let mut outcome = Outcome::default();
    let mut tiers = vec![Line::default(); InstitutionTier::NAMES.len()];
    let mut people = Vec::new();
    for chain in bills.chunk_by(|one, other| one.person == other.person) {
        let opening = openings.get(&chain[0].person);
        arms.iter_mut().for_each(|arm| arm.begin(opening));
        let mut own = OwnCost::default();
        let mut last = None;
        for bill in chain {
            let number = places.find(&bill.facts);
            let [one, other] = &mut arms;
            let pair = one.settle(number, &bill.facts).zip(other.settle(number, &bill.facts));
            let Some((now, then)) = pair else {
                outcome.left_out += 1;
                continue;
            };
            one.pay(number, &now);
            other.pay(number, &then);
            own.add(&now, &then);
            let rest =
                |amounts: &Amounts| Fen(bill.facts.total.0 - bill.facts.already_paid.0 - amounts.own_share.0);
            own.paid.add(rest(&now), rest(&then));
            outcome.bills += 1;
            outcome.touched_bills += i64::from(now != then);
            outcome.unlike_receipt += i64::from(now.own_share != bill.own);
            outcome.total.0 += bill.facts.total.0;
            outcome.already_paid.0 += bill.facts.already_paid.0;
            let tier = &mut tiers[bill.facts.tier as usize];
            tier.count += 1;
            tier.payers.add(rest(&now), rest(&then));
            tier.own.add(now.own_share, then.own_share);
            last = Some(bill);
        }
        people.extend(last.map(|bill| person_year(bill, own)));
    }
    for person in &people {
        outcome.own.add(person.own.all.before, person.own.all.after);
    }
    outcome.people = count(people.len());
    outcome.payers = payers(before, &arms);
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

/// What each fund pays, over all packs. An overlay changes figures, never layers: both laws have the same.
fn payers(release: &Release, [before, after]: &[Arm<'_>; 2]) -> Vec<PayerLine> {
    let mut lines: Vec<PayerLine> = Vec::new();
    let all = release.jurisdictions().iter().zip(before.paid.iter().zip(&after.paid));
    for (one, (now, then)) in all {
        for (layer, (now, then)) in one.to_read().layers().iter().zip(now.iter().zip(then)) {
            if *now == Fen::ZERO && *then == Fen::ZERO {
                continue;
            }
            let payer = &layer.benefit.payer;
            let known = lines.iter_mut().find(|line| line.kind == payer.kind && line.fund == payer.fund);
            match known {
                Some(line) => line.pays.add(*now, *then),
                None => lines.push(PayerLine {
                    kind: payer.kind,
                    fund: payer.fund.clone(),
                    name: payer.name.clone(),
                    pays: Pair { before: *now, after: *then },
                }),
            }
        }
    }
    lines
}

/// Whether two laws settle all bills alike; stops at the first that they do not.
pub fn settles_alike(
    bills: &[YearBill],
    openings: &Openings,
    (one, other): (&Release, &Release),
    year: i32,
) -> bool {
    let mut places = Places::new(one, year);
    let mut arms = [Arm::new(one), Arm::new(other)];
    bills.chunk_by(|one, other| one.person == other.person).all(|chain| {
        let opening = openings.get(&chain[0].person);
        arms.iter_mut().for_each(|arm| arm.begin(opening));
        chain.iter().all(|bill| {
            let number = places.find(&bill.facts);
            let [one, other] = &mut arms;
            one.settle(number, &bill.facts) == other.settle(number, &bill.facts)
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
