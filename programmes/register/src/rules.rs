//! What a row of a register makes of what is known. Pure: no database, no clock.
//!
//! What the file does not say stays as it is known. A label is a period: a file opens it, moves its start or ends it; it
//! never opens a period again that has ended unless it says since when.

use kangmai_base::{Day, DivisionCode, Phone, Refusal, Uuid};
use kangmai_people::{
    Enrolment, HouseholdBody, HouseholdRow, Label, LabelInterval, Mark, PersonBody, RegisterRow, Relation,
};

/// Whether the periods of two intervals have a day in common.
pub fn overlaps(one: &LabelInterval, other: &LabelInterval) -> bool {
    let begins_before_end = |begin: &LabelInterval, end: &LabelInterval| match (begin.from, end.to) {
        (Some(from), Some(to)) => from < to,
        _ => true,
    };
    begins_before_end(one, other) && begins_before_end(other, one)
}

/// The labels of a person after a file said some, and those that the file names although they have ended.
pub fn merge_labels(
    known: &[LabelInterval],
    said: &[LabelInterval],
    today: Day,
) -> (Vec<LabelInterval>, Vec<Label>) {
    let mut labels = known.to_vec();
    let mut ended = Vec::new();
    for one in said {
        merge_label(&mut labels, one, today, &mut ended);
    }
    labels.sort();
    labels.dedup();
    (labels, ended)
}

fn merge_label(labels: &mut Vec<LabelInterval>, said: &LabelInterval, today: Day, ended: &mut Vec<Label>) {
    if said.from.is_some() {
        return replace_overlapping(labels, said);
    }
    let is_known = labels.iter().any(|known| known.label == said.label);
    let found = labels.iter_mut().filter(|known| known.label == said.label).find(|known| match said.to {
        Some(to) => known.to == Some(to) || (known.to.is_none() && known.from.is_none_or(|from| from < to)),
        None => known.to.is_none_or(|to| to > today),
    });
    match found {
        Some(known) => {
            if said.to.is_some() && said.to != known.to {
                known.to = said.to;
                known.source.clone_from(&said.source);
            }
        }
        None if said.to.is_some() => labels.push(said.clone()),
        None if is_known => ended.push(said.label),
        None => labels.push(LabelInterval { from: Some(today), ..said.clone() }),
    }
    join_overlaps(labels, said.label);
}

/// A period that is said with its start takes the place of those known that it overlaps; its end, if it is not said, is
/// theirs.
fn replace_overlapping(labels: &mut Vec<LabelInterval>, said: &LabelInterval) {
    let (overlapped, kept): (Vec<_>, Vec<_>) = std::mem::take(labels)
        .into_iter()
        .partition(|known| known.label == said.label && overlaps(known, said));
    *labels = kept;
    let known_end = overlapped.iter().map(|known| known.to).reduce(|one, other| match (one, other) {
        (Some(one), Some(other)) => Some(one.max(other)),
        _ => None,
    });
    let merged = LabelInterval { to: said.to.or(known_end.flatten()), ..said.clone() };
    let unchanged = |known: &LabelInterval| (known.from, known.to) == (merged.from, merged.to);
    match overlapped.into_iter().find(unchanged) {
        Some(known) => labels.push(known),
        None => labels.push(merged),
    }
}

/// One period of `label` for several that have come to overlap.
fn join_overlaps(labels: &mut Vec<LabelInterval>, label: Label) {
    let (mut of_label, others): (Vec<_>, Vec<_>) =
        std::mem::take(labels).into_iter().partition(|interval| interval.label == label);
    of_label.sort();
    *labels = others;
    for interval in of_label {
        match labels.last_mut().filter(|last| last.label == label && overlaps(last, &interval)) {
            Some(last) => {
                last.to = match (last.to, interval.to) {
                    (Some(one), Some(other)) => Some(one.max(other)),
                    _ => None,
                };
            }
            None => labels.push(interval),
        }
    }
}

/// The person of `row` in `household`, given what is known; and the labels that the row names although they have ended.
pub fn merge_person(
    known: Option<&PersonBody>,
    row: &RegisterRow,
    household: Uuid,
    today: Day,
) -> (PersonBody, Vec<Label>) {
    let none = Vec::new();
    let (labels, ended) = merge_labels(known.map_or(&none, |known| &known.labels), &row.labels, today);
    let mut body = PersonBody {
        household,
        relation: row.relation.or_else(|| known.and_then(|known| known.relation)),
        name: row.name.clone(),
        id_number: row.id_number.clone().or_else(|| known.and_then(|known| known.id_number.clone())),
        sex: row.sex.or_else(|| known.and_then(|known| known.sex)),
        birth: row.birth.or_else(|| known.and_then(|known| known.birth)),
        ethnicity: row.ethnicity.clone().or_else(|| known.and_then(|known| known.ethnicity.clone())),
        living: row.living.or_else(|| known.and_then(|known| known.living)),
        phone: row.phone.clone().or_else(|| known.and_then(|known| known.phone.clone())),
        enrolment: row.enrolment.or_else(|| known.and_then(|known| known.enrolment)),
        died_on: row.died.or_else(|| known.and_then(|known| known.died_on)),
        marks: Vec::new(),
        labels,
    };
    body.marks = match known {
        // What somebody has looked at stays looked at, as long as nothing that was odd is otherwise.
        Some(known)
            if (&known.id_number, known.birth, known.sex) == (&body.id_number, body.birth, body.sex) =>
        {
            known.marks.clone()
        }
        _ => sorted(&row.marks),
    };
    (body, ended)
}

fn sorted(marks: &[Mark]) -> Vec<Mark> {
    let mut marks = marks.to_vec();
    marks.sort_unstable();
    marks.dedup();
    marks
}

/// The household of a row in which `person` stands, given what is known of it.
pub fn merge_household(
    known: Option<&HouseholdBody>,
    row: &HouseholdRow,
    person: Uuid,
    relation: Option<Relation>,
) -> HouseholdBody {
    let known_number = || known.map_or(String::new(), |known| known.number.clone());
    let head = known.and_then(|known| known.head);
    let is_head = relation == Some(Relation::Head);
    HouseholdBody {
        number: row.number.clone().unwrap_or_else(known_number),
        head: head.or_else(|| is_head.then_some(person)),
        address: row.address.clone().or_else(|| known.and_then(|known| known.address.clone())),
        income: row.annual_income.or_else(|| known.and_then(|known| known.income)),
        income_year: row.income_year.or_else(|| known.and_then(|known| known.income_year)),
    }
}

/// What becomes of a telephone number. Pages show it masked, so nobody hands it back by mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PhoneChange {
    /// It stays.
    Kept,
    /// It is this one.
    To(Phone),
    /// There is none any more.
    Gone,
}

/// What somebody puts right about a person by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// What becomes of the telephone number.
    pub phone: PhoneChange,
    /// The place of living as it shall be, if it is not the home place.
    pub living: Option<DivisionCode>,
    /// Basic insurance as it shall be.
    pub enrolment: Option<Enrolment>,
    /// A label that ends, since when it holds, and the day from which it no longer does.
    pub ended: Option<(Label, Option<Day>, Day)>,
    /// Whether the marks were looked after: the card really says so.
    pub looked_after: bool,
}

/// The person after a correction on `today`.
///
/// # Errors
/// `register.refused.no_label` if no such label is open, `register.refused.ends_before` if it would end before it
/// begins, `register.refused.ends_ahead` if it would end after today.
pub fn correct(known: &PersonBody, correction: &Correction, today: Day) -> Result<PersonBody, Refusal> {
    let mut body = known.clone();
    match &correction.phone {
        PhoneChange::Kept => {}
        PhoneChange::To(phone) => body.phone = Some(phone.clone()),
        PhoneChange::Gone => body.phone = None,
    }
    body.living = correction.living;
    body.enrolment = correction.enrolment;
    if let Some((label, from, to)) = correction.ended {
        let open = |interval: &&mut LabelInterval| {
            interval.label == label && interval.from == from && interval.to.is_none()
        };
        let interval = body.labels.iter_mut().find(open);
        let interval = interval.ok_or(Refusal::new("register.refused.no_label").at("label"))?;
        if from.is_some_and(|from| to < from) {
            return Err(Refusal::new("register.refused.ends_before").at("label_to"));
        }
        if to > today {
            return Err(Refusal::new("register.refused.ends_ahead").at("label_to"));
        }
        interval.to = Some(to);
    }
    if correction.looked_after {
        body.marks.clear();
    }
    Ok(body)
}

/// One thing that is otherwise than before: the column of the register, before, after; empty if there was or is none.
/// Labels, relations and the like stand as the keys of their words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Key of the column.
    pub column: &'static str,
    /// Before.
    pub before: Said,
    /// After.
    pub after: Said,
}

/// What a column says, before it is put into a language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// As it stands.
    Text(String),
    /// The word of this key.
    Word(&'static str),
    /// A division.
    Place(DivisionCode),
    /// Labels with their dates.
    Labels(Vec<LabelInterval>),
    /// Nothing.
    Nothing,
}

/// What differs between two states of a person. Numbers are masked.
pub fn differences(
    (before_home, before): (DivisionCode, &PersonBody),
    (after_home, after): (DivisionCode, &PersonBody),
) -> Vec<Difference> {
    let text = |text: Option<String>| text.map_or(Said::Nothing, Said::Text);
    let word = |word: Option<&'static str>| word.map_or(Said::Nothing, Said::Word);
    let day = |day: Option<Day>| text(day.map(|day| day.to_string()));
    let place = |place: Option<DivisionCode>| place.map_or(Said::Nothing, Said::Place);
    let number = |body: &PersonBody| text(body.id_number.as_ref().map(|number| number.masked()));
    let phone = |body: &PersonBody| text(body.phone.as_ref().map(|phone| phone.masked()));
    let sex = |body: &PersonBody| word(body.sex.map(sex_word));
    let labels = |body: &PersonBody| match body.labels.as_slice() {
        [] => Said::Nothing,
        labels => Said::Labels(labels.to_vec()),
    };
    let all = [
        ("name", Said::Text(before.name.clone()), Said::Text(after.name.clone())),
        ("id_number", number(before), number(after)),
        ("relation", word(before.relation.map(Relation::word)), word(after.relation.map(Relation::word))),
        ("sex", sex(before), sex(after)),
        ("birth", day(before.birth), day(after.birth)),
        ("ethnicity", text(before.ethnicity.clone()), text(after.ethnicity.clone())),
        ("home_code", place(Some(before_home)), place(Some(after_home))),
        ("living", place(before.living), place(after.living)),
        ("phone", phone(before), phone(after)),
        (
            "enrolment",
            word(before.enrolment.map(|enrolment| enrolment.word())),
            word(after.enrolment.map(|enrolment| enrolment.word())),
        ),
        ("labels", labels(before), labels(after)),
        ("died", day(before.died_on), day(after.died_on)),
    ];
    all.into_iter()
        .filter(|(_, before, after)| before != after)
        .map(|(column, before, after)| Difference { column, before, after })
        .collect()
}

/// Key of the word of a sex.
pub const fn sex_word(sex: kangmai_base::Sex) -> &'static str {
    match sex {
        kangmai_base::Sex::Male => "register.sex.male",
        kangmai_base::Sex::Female => "register.sex.female",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> Day {
        text.parse().expect("a day")
    }

    fn label(label: Label, from: &str, to: &str) -> LabelInterval {
        LabelInterval { label, from: from.parse().ok(), to: to.parse().ok(), source: "file".into() }
    }

    fn check(known: &[(&str, &str)], said: (&str, &str), expected: &[(&str, &str)], ended: bool) {
        let of = |(from, to): &(&str, &str)| label(Label::Marginal, from, to);
        let known: Vec<LabelInterval> = known.iter().map(of).collect();
        let other = label(Label::Orphan, "2020-01-01", "");
        let mut with_other = known.clone();
        with_other.push(other.clone());
        let (merged, warned) = merge_labels(&with_other, &[of(&said)], day("2026-03-05"));
        let mut wanted: Vec<LabelInterval> = expected.iter().map(of).collect();
        wanted.push(other);
        wanted.sort();
        assert_eq!(merged, wanted, "{known:?} + {said:?}");
        assert_eq!(warned, if ended { vec![Label::Marginal] } else { vec![] });
    }

    #[test]
    fn a_label_is_opened_moved_ended_and_never_opened_again_by_silence() {
        check(&[], ("", ""), &[("2026-03-05", "")], false);
        check(&[], ("2024-01-01", ""), &[("2024-01-01", "")], false);
        check(&[], ("2024-01-01", "2025-01-01"), &[("2024-01-01", "2025-01-01")], false);
        check(&[("2024-01-01", "")], ("", ""), &[("2024-01-01", "")], false);
        check(&[("2024-01-01", "")], ("2024-01-01", ""), &[("2024-01-01", "")], false);
        check(&[("2024-01-01", "")], ("2023-12-01", ""), &[("2023-12-01", "")], false);
        check(&[("2024-01-01", "")], ("", "2025-01-01"), &[("2024-01-01", "2025-01-01")], false);
        check(&[("2024-01-01", "2025-01-01")], ("", ""), &[("2024-01-01", "2025-01-01")], true);
        check(&[("2024-01-01", "2025-01-01")], ("2024-01-01", ""), &[("2024-01-01", "2025-01-01")], false);
        check(
            &[("2024-01-01", "2025-01-01")],
            ("2025-06-01", ""),
            &[("2024-01-01", "2025-01-01"), ("2025-06-01", "")],
            false,
        );
        check(
            &[("2020-01-01", "2021-01-01"), ("2024-01-01", "")],
            ("2020-06-01", "2024-06-01"),
            &[("2020-06-01", "2024-06-01")],
            false,
        );
    }

    #[test]
    fn a_correction_ends_what_is_open_and_nothing_else() {
        let known = PersonBody {
            household: Uuid::nil(),
            relation: None,
            name: "示例".into(),
            id_number: None,
            sex: None,
            birth: None,
            ethnicity: None,
            living: None,
            phone: Phone::read("13900009901"),
            enrolment: None,
            died_on: None,
            marks: vec![Mark::NoIdNumber],
            labels: vec![label(Label::Marginal, "2024-01-01", "")],
        };
        let today = day("2026-03-05");
        let correction = |ended| Correction {
            phone: PhoneChange::Gone,
            living: None,
            enrolment: Some(Enrolment::Resident),
            ended,
            looked_after: true,
        };
        let from = Some(day("2024-01-01"));
        let done = correct(&known, &correction(Some((Label::Marginal, from, today))), today).expect("right");
        assert_eq!(done.labels, [label(Label::Marginal, "2024-01-01", "2026-03-05")]);
        assert_eq!((done.phone, done.enrolment, done.marks.len()), (None, Some(Enrolment::Resident), 0));
        for (ended, expected) in [
            ((Label::Orphan, None, today), "register.refused.no_label"),
            ((Label::Marginal, None, today), "register.refused.no_label"),
            ((Label::Marginal, from, day("2023-12-31")), "register.refused.ends_before"),
            ((Label::Marginal, from, day("2026-03-06")), "register.refused.ends_ahead"),
        ] {
            let refused = correct(&known, &correction(Some(ended)), today).expect_err("wrong");
            assert_eq!(refused.key, expected);
        }
    }

    fn intervals() -> impl Strategy<Value = Vec<LabelInterval>> {
        let interval = (0..3_usize, prop::option::of(0..60_i32), prop::option::of(1..60_i32)).prop_map(
            |(which, from, length)| LabelInterval {
                label: Label::ALL[which],
                from: from.map(Day),
                to: length.map(|length| Day(from.unwrap_or(0) + length)),
                source: String::new(),
            },
        );
        prop::collection::vec(interval, 0..6)
    }

    proptest! {
        #[test]
        fn intervals_never_overlap_and_saying_it_twice_changes_nothing(one in intervals(), two in intervals()) {
            let today = Day(40);
            let (known, _) = merge_labels(&[], &one, today);
            let (merged, _) = merge_labels(&known, &two, today);
            for (index, one) in merged.iter().enumerate() {
                for other in &merged[index + 1..] {
                    prop_assert!(one.label != other.label || !overlaps(one, other), "{merged:?}");
                }
            }
            let single = two.iter().take(1).cloned().collect::<Vec<_>>();
            let (once, _) = merge_labels(&known, &single, today);
            let (twice, _) = merge_labels(&once, &single, today);
            prop_assert_eq!(once, twice);
        }
    }
}
