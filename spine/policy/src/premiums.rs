//! 参保缴费与参保资助: what resident insurance costs for a year, and who pays what of it.

use kangmai_base::{DivisionCode, Fen, Rate};

use crate::fields::{At, Fields};
use crate::predicate::read_label_set;
use crate::tables::depth;
use crate::words::Word;
use crate::{Bilingual, LabelSet, Source, Sure, Vocabulary};

/// The word for a figure that no source gives: it stands there, so that nobody takes it for forgotten.
const UNKNOWN: &str = "unknown";
/// The word for a sum that each place sets for itself.
const LOCAL: &str = "local";

/// The premium of one place and year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Premium {
    /// Where it holds.
    pub place: DivisionCode,
    /// The year that is insured, not the one in which it is paid.
    pub year: i32,
    /// What the state adds for each person.
    pub state: Fen,
    /// What a person pays, before any aid; none: no source gives it.
    pub person: Option<Fen>,
    /// How sure.
    pub sure: Sure,
    /// Where from.
    pub source: Source,
}

/// How much of the personal premium is paid for somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PremiumGift {
    /// 全额资助
    Full,
    /// 定额资助: a sum; none: each place sets its own.
    Fixed(Option<Fen>),
    /// A share of the personal premium.
    Share(Rate),
}

/// Aid for one class of people, in the years of one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PremiumAid {
    /// Where it holds.
    pub place: DivisionCode,
    /// Code name.
    pub id: String,
    /// What people call the class.
    pub name: Bilingual,
    /// First insured year.
    pub from_year: i32,
    /// Last insured year, if it ends.
    pub to_year: Option<i32>,
    /// Labels of which one must hold.
    pub labels: LabelSet,
    /// How much.
    pub gift: PremiumGift,
    /// Whether a place may give more: the figure is a floor.
    pub at_least: bool,
    /// How sure.
    pub sure: Sure,
    /// Where from.
    pub source: Source,
}

/// What is due for one person and one year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PremiumDue<'t> {
    /// The premium that it rests on.
    pub premium: &'t Premium,
    /// The aid that the person's labels open, if any.
    pub aid: Option<&'t PremiumAid>,
    /// What the aid pays; none: it cannot be told from the figures there are.
    pub aided: Option<Fen>,
    /// What the person pays; none: it cannot be told.
    pub pays: Option<Fen>,
    /// Whether `pays` is the most that it can be, because the place may give more.
    pub at_most: bool,
}

impl PremiumAid {
    fn is_in(&self, year: i32) -> bool {
        self.from_year <= year && self.to_year.is_none_or(|to| year <= to)
    }
}

/// What is due: the personal premium, less the aid of the class.
pub(crate) fn due<'t>(premium: &'t Premium, aid: Option<&'t PremiumAid>) -> PremiumDue<'t> {
    let aided = match aid.map(|aid| aid.gift) {
        None | Some(PremiumGift::Fixed(None)) => Some(Fen::ZERO),
        Some(PremiumGift::Full) => premium.person,
        Some(PremiumGift::Fixed(Some(sum))) => premium.person.map(|person| sum.min(person)),
        Some(PremiumGift::Share(rate)) => premium.person.map(|person| rate.of(person)),
    };
    let is_full = matches!(aid.map(|aid| aid.gift), Some(PremiumGift::Full));
    let pays = match premium.person {
        // Nothing is left of a premium that is paid in full, whatever it is.
        None => is_full.then_some(Fen::ZERO),
        Some(person) => aided.map(|aided| Fen(person.0 - aided.0)),
    };
    let open = |aid: &PremiumAid| aid.at_least || aid.gift == PremiumGift::Fixed(None);
    let at_most = pays.is_some_and(|pays| pays > Fen::ZERO) && aid.is_some_and(open);
    PremiumDue { premium, aid, aided, pays, at_most }
}

/// The premium of `year` that the innermost place states; a year that none states is not computed from another.
pub(crate) fn premium_of<'t>(
    all: impl Iterator<Item = &'t Premium>,
    place: DivisionCode,
    year: i32,
) -> Option<&'t Premium> {
    all.filter(|one| one.year == year && one.place.contains(place)).max_by_key(|one| depth(one.place))
}

/// The classes of the innermost place that has any for `year`, in their order.
pub(crate) fn aids_of<'t>(
    all: impl Iterator<Item = &'t PremiumAid>,
    place: DivisionCode,
    year: i32,
) -> Vec<&'t PremiumAid> {
    let mut aids: Vec<&PremiumAid> = all.filter(|aid| aid.is_in(year) && aid.place.contains(place)).collect();
    let innermost = aids.iter().map(|aid| depth(aid.place)).max();
    aids.retain(|aid| Some(depth(aid.place)) == innermost);
    aids
}

/// The figures of one file.
pub(crate) fn read(
    fields: &Fields<'_>,
    place: DivisionCode,
    vocabulary: &Vocabulary,
) -> (Vec<Premium>, Vec<PremiumAid>) {
    let mut premiums: Vec<Premium> = Vec::new();
    for table in fields.tables("premium") {
        let Some(premium) = read_premium(&table, place) else { continue };
        if premiums.iter().any(|one| one.year == premium.year) {
            let error = table.spot().error(Word::ErrTwice, Word::MendTwice);
            table.push(error.with("value", premium.year.to_string()));
        }
        premiums.push(premium);
    }
    let tables = fields.tables("aid");
    let aids = tables.iter().filter_map(|table| read_aid(table, place, vocabulary)).collect();
    if !fields.has("premium") && !fields.has("aid") {
        let error = fields.spot().error(Word::ErrMissingKey, Word::MendAddKey);
        fields.push(error.with("key", "premium"));
    }
    fields.finish();
    (premiums, aids)
}

fn read_premium(table: &Fields<'_>, place: DivisionCode) -> Option<Premium> {
    let (year, state) = (table.whole("year"), table.money("state"));
    let person = sum_or(table, "person", UNKNOWN);
    let (sure, source) = (Sure::read(table), Source::read(table));
    table.finish();
    Some(Premium {
        place,
        year: i32::try_from(year?.value).ok()?,
        state: state?.value,
        person: person?,
        sure: sure?,
        source: source?,
    })
}

/// An amount, or the word that says why there is none.
fn sum_or(table: &Fields<'_>, key: &'static str, word: &'static str) -> Option<Option<Fen>> {
    match table.text(key)? {
        At { value, .. } if value == word => Some(None),
        _ => table.money(key).map(|amount| Some(amount.value)),
    }
}

fn read_aid(table: &Fields<'_>, place: DivisionCode, vocabulary: &Vocabulary) -> Option<PremiumAid> {
    let (id, name) = (table.text("id"), table.bilingual("name"));
    let year = |at: Option<At<i64>>| at.and_then(|at| i32::try_from(at.value).ok());
    let (from_year, last) = (year(table.whole("from_year")), table.whole_maybe("to_year"));
    if let (Some(from), Some(to)) =
        (from_year, last.as_ref().filter(|to| from_year > year(Some((*to).clone()))))
    {
        let error = to.spot.error(Word::ErrBackwards, Word::MendBackwards);
        table.push(error.with("from", from.to_string()).with("to", to.value.to_string()));
    }
    let labels = read_label_set(table, "labels", vocabulary);
    let gift = table.chosen(table.text("gives"), &["full", "fixed", "share"], |name| match name {
        "full" => Some(Some(PremiumGift::Full)),
        "fixed" => Some(sum_or(table, "amount", LOCAL).map(PremiumGift::Fixed)),
        "share" => Some(table.share("ratio").map(|rate| PremiumGift::Share(rate.value))),
        _ => None,
    });
    let at_least = table.flag_maybe("at_least").unwrap_or(false);
    let (sure, source) = (Sure::read(table), Source::read(table));
    table.finish();
    Some(PremiumAid {
        place,
        id: id?.value.to_owned(),
        name: name?,
        from_year: from_year?,
        to_year: year(last),
        labels: labels?,
        gift: gift??,
        at_least,
        sure: sure?,
        source: source?,
    })
}

/// What a case may ask.
pub(crate) const ANSWERS: &[&str] = &["state", "person", "aid", "aided", "pays", "at_most"];

/// What is due, by name. The aid is told even of a year whose premium is not stated.
pub(crate) fn answers(due: Option<PremiumDue<'_>>, aid: Option<&PremiumAid>) -> Vec<(&'static str, String)> {
    let none = || "none".to_owned();
    let known = |amount: Option<Fen>| amount.map_or_else(|| UNKNOWN.to_owned(), |amount| amount.to_string());
    let said = |tell: fn(&PremiumDue<'_>) -> Option<Fen>| due.map_or_else(none, |due| known(tell(&due)));
    vec![
        ("state", said(|due| Some(due.premium.state))),
        ("person", said(|due| due.premium.person)),
        ("aid", aid.map_or_else(none, |aid| aid.id.clone())),
        ("aided", said(|due| due.aided)),
        ("pays", said(|due| due.pays)),
        ("at_most", due.map_or_else(none, |due| due.at_most.to_string())),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source() -> Source {
        Source { doc: "…".to_owned(), article: None, quote: None, note: None }
    }

    fn premium(person: Option<i64>) -> Premium {
        let (state, person) = (Fen::yuan(700), person.map(Fen));
        Premium { place: DivisionCode::COUNTRY, year: 2025, state, person, sure: Sure::Low, source: source() }
    }

    fn aid(gift: PremiumGift, at_least: bool) -> PremiumAid {
        PremiumAid {
            place: DivisionCode::COUNTRY,
            id: "one".to_owned(),
            name: Bilingual { zh: "一".to_owned(), en: "one".to_owned() },
            from_year: 2024,
            to_year: Some(2025),
            labels: LabelSet(1),
            gift,
            at_least,
            sure: Sure::Low,
            source: source(),
        }
    }

    #[test]
    fn what_is_left_of_a_premium() {
        let share = |percent| PremiumGift::Share(Rate::percent(percent));
        let fixed = |fen| PremiumGift::Fixed(Some(Fen(fen)));
        for (what, person, given, aided, pays, at_most) in [
            ("nobody helps", Some(40_000), None, Some(0), Some(40_000), false),
            ("in full", Some(40_000), Some((PremiumGift::Full, false)), Some(40_000), Some(0), false),
            ("in full, of what nobody knows", None, Some((PremiumGift::Full, false)), None, Some(0), false),
            ("a share", Some(40_000), Some((share(60), false)), Some(24_000), Some(16_000), false),
            (
                "a share that is a floor",
                Some(40_000),
                Some((share(60), true)),
                Some(24_000),
                Some(16_000),
                true,
            ),
            ("all of it, as a floor", Some(40_000), Some((share(100), true)), Some(40_000), Some(0), false),
            ("half a fen goes to the aid", Some(5), Some((share(50), false)), Some(3), Some(2), false),
            ("a share of what nobody knows", None, Some((share(60), false)), None, None, false),
            ("a sum", Some(40_000), Some((fixed(12_345), false)), Some(12_345), Some(27_655), false),
            (
                "a sum of just the premium",
                Some(40_000),
                Some((fixed(40_000), false)),
                Some(40_000),
                Some(0),
                false,
            ),
            (
                "never more than the premium",
                Some(40_000),
                Some((fixed(40_001), false)),
                Some(40_000),
                Some(0),
                false,
            ),
            (
                "a sum each place sets",
                Some(40_000),
                Some((PremiumGift::Fixed(None), false)),
                Some(0),
                Some(40_000),
                true,
            ),
            ("nobody knows and nobody helps", None, None, Some(0), None, false),
        ] {
            let (premium, aid) = (premium(person), given.map(|(gift, at_least)| aid(gift, at_least)));
            let due = due(&premium, aid.as_ref());
            assert_eq!(
                (due.aided, due.pays, due.at_most),
                (aided.map(Fen), pays.map(Fen), at_most),
                "{what}"
            );
        }
    }

    #[test]
    fn aid_holds_in_its_years_and_the_innermost_place_decides() {
        let (nation, mut province) = (aid(PremiumGift::Full, false), aid(PremiumGift::Full, true));
        province.place = DivisionCode::from_number(410_000_000_000).unwrap_or(DivisionCode::COUNTRY);
        let county = DivisionCode::from_number(411_722_000_000).unwrap_or(DivisionCode::COUNTRY);
        let all = [nation, province];
        let found =
            |place, year| aids_of(all.iter(), place, year).iter().map(|aid| aid.at_least).collect::<Vec<_>>();
        assert_eq!(found(county, 2023), []);
        assert_eq!(found(county, 2024), [true]);
        assert_eq!(found(county, 2025), [true]);
        assert_eq!(found(county, 2026), []);
        assert_eq!(found(DivisionCode::COUNTRY, 2025), [false]);
    }
}
