//! Reads the files of `follow_up/`: the catalogue of items, and one file for each programme.

use std::sync::Arc;

use super::condition::Condition;
use super::item::{Checks, Item, ItemKind, ItemOption, OtherUnit};
use super::schedule::{Anchor, Span, Window};
use super::{Action, Ask, Belongs, FollowUpRules, State};
use crate::dated::Period;
use crate::fields::{At, Fields, not_in_list};
use crate::source::Spot;
use crate::words::Word;
use crate::{Bilingual, Source, Sure};

/// Options of one item at most, and items of the catalogue.
const MOST_OPTIONS: usize = 64;
/// The highest number of visits a year.
const MOST_VISITS: i64 = 52;

/// The versions of one programme's file, each with where it stands; also says which file has no items to ask.
pub(crate) fn read_programme(fields: &Fields<'_>, catalogue: &[Arc<Item>]) -> Vec<(FollowUpRules, Spot)> {
    let (id, name) = (fields.text("id"), fields.bilingual("name"));
    let short = fields.bilingual_maybe("short");
    let sensitive = fields.whole_maybe("sensitive").and_then(|level| u8::try_from(level.value).ok());
    let versions = fields.some_tables("version");
    let (Some(id), Some(name)) = (id, name) else { return Vec::new() };
    let short = short.unwrap_or_else(|| name.clone());
    let head = Head { id: id.value, name, short, sensitive: sensitive.unwrap_or(0) };
    versions
        .iter()
        .filter_map(|version| Some((read_version(version, &head, catalogue)?, version.spot())))
        .collect()
}

struct Head<'h> {
    id: &'h str,
    name: Bilingual,
    short: Bilingual,
    sensitive: u8,
}

fn read_version(fields: &Fields<'_>, head: &Head<'_>, catalogue: &[Arc<Item>]) -> Option<FollowUpRules> {
    let (period, sure, source) = (Period::read(fields), Sure::read(fields), Source::read(fields));
    let belongs = fields.table("belongs").and_then(|table| read_belongs(&table));
    let visits = fields.whole("visits_per_year").filter(|visits| {
        let fits = (0..=MOST_VISITS).contains(&visits.value);
        if !fits {
            fields.push(
                visits.spot.error(Word::ErrTooMany, Word::MendTooMany).with("limit", MOST_VISITS.to_string()),
            );
        }
        fits
    });
    let asks = read_asks(fields, catalogue);
    let items: Vec<&str> = asks.iter().filter(|ask| !ask.required).map(|ask| ask.item.id.as_str()).collect();
    let windows = fields.tables("window").iter().filter_map(|table| Window::read(table, &items)).collect();
    let states: Vec<State> =
        fields.tables("state").iter().filter_map(|state| read_state(state, &asks)).collect();
    check_states(fields, &states);
    fields.finish();
    Some(FollowUpRules {
        programme: head.id.to_owned(),
        name: head.name.clone(),
        short: head.short.clone(),
        period: period?,
        sure: sure?,
        source: source?,
        sensitive: head.sensitive,
        belongs: belongs?,
        visits_per_year: u8::try_from(visits?.value).ok()?,
        windows,
        asks,
        states,
    })
}

fn read_belongs(fields: &Fields<'_>) -> Option<Belongs> {
    let age = |key| fields.age_maybe(key);
    let codes = fields.texts_maybe("icd10").unwrap_or_default();
    let icd10 = fields.parse_all(codes, Word::ErrNotACode, Word::MendCode);
    let sex = fields.sex(fields.text_maybe("sex"));
    let since = Anchor::read(fields, "since");
    let belongs = Belongs { icd10, min_age: age("min_age"), max_age: age("max_age"), sex, since };
    fields.finish();
    if belongs == Belongs::default() {
        fields.push(fields.spot().error(Word::ErrEveryone, Word::MendEveryone));
        return None;
    }
    Some(belongs)
}

/// `required = […]` and `optional = […]`, in the order of the catalogue.
fn read_asks(fields: &Fields<'_>, catalogue: &[Arc<Item>]) -> Vec<Ask> {
    let mut asks: Vec<Ask> = Vec::new();
    for (key, required) in [("required", true), ("optional", false)] {
        for named in fields.texts_maybe(key).unwrap_or_default() {
            match catalogue.iter().find(|item| item.id == named.value) {
                Some(_) if asks.iter().any(|ask| ask.item.id == named.value) => {
                    fields.push(named.spot.error(Word::ErrTwice, Word::MendTwice).with("value", named.value));
                }
                Some(item) => asks.push(Ask { item: Arc::clone(item), required }),
                None => {
                    let known: Vec<&str> = catalogue.iter().map(|item| item.id.as_str()).collect();
                    fields.push(not_in_list(&named, &known));
                }
            }
        }
    }
    let place = |ask: &Ask| catalogue.iter().position(|item| item.id == ask.item.id);
    asks.sort_by_key(place);
    asks
}

fn read_state(fields: &Fields<'_>, asks: &[Ask]) -> Option<State> {
    let (id, name) = (fields.text("id"), fields.bilingual("name"));
    let when = fields.table("when").and_then(|table| Condition::read(&table, asks));
    let action = fields.chosen(fields.text("action"), Action::NAMES, Action::from_name);
    let next = fields.table("next").and_then(|table| Span::read(&table));
    let advice = fields.bilingual("advice");
    let at_target = fields.flag_maybe("at_target").unwrap_or(false);
    fields.finish();
    Some(State {
        id: id?.value.to_owned(),
        name: name?,
        when: when?,
        action: action?,
        next: next?,
        advice: advice?,
        at_target,
    })
}

/// A state named twice, or one that the visit before is asked for and that does not exist.
fn check_states(fields: &Fields<'_>, states: &[State]) {
    for (position, state) in states.iter().enumerate() {
        if states[..position].iter().any(|earlier| earlier.id == state.id) {
            fields.push(fields.spot().error(Word::ErrTwice, Word::MendTwice).with("value", state.id.clone()));
        }
        let mut before = Vec::new();
        state.when.states_before(&mut before);
        for name in before {
            if !states.iter().any(|known| known.id == name) {
                let known: Vec<&str> = states.iter().map(|known| known.id.as_str()).collect();
                fields.push(not_in_list(&At { value: name, spot: fields.spot() }, &known));
            }
        }
    }
}

/// The catalogue: `follow_up/items.toml`.
pub(crate) fn read_items(fields: &Fields<'_>) -> Vec<Arc<Item>> {
    let (mut items, mut lower): (Vec<Arc<Item>>, Vec<At<&str>>) = (Vec::new(), Vec::new());
    for table in fields.some_tables("item") {
        lower.extend(table.text_maybe("below"));
        let Some(item) = read_item(&table) else { continue };
        if items.iter().any(|known| known.id == item.id) {
            fields.push(table.spot().error(Word::ErrTwice, Word::MendTwice).with("value", item.id));
        } else {
            items.push(Arc::new(item));
        }
    }
    for below in lower {
        if !items.iter().any(|item| item.id == below.value) {
            let known: Vec<&str> = items.iter().map(|item| item.id.as_str()).collect();
            fields.push(not_in_list(&below, &known));
        }
    }
    fields.finish();
    items
}

const KINDS: &[&str] = &["number", "one", "several", "words"];

fn read_item(fields: &Fields<'_>) -> Option<Item> {
    let (id, name) = (fields.text("id"), fields.bilingual("name"));
    let kind = fields.chosen(fields.text("answer"), KINDS, |name| Some(name.to_owned()));
    let kind = kind.and_then(|kind| match kind.as_str() {
        "number" => read_number(fields),
        "one" => read_options(fields).map(ItemKind::One),
        "several" => read_options(fields).map(ItemKind::Several),
        "words" => Some(ItemKind::Words),
        _ => {
            fields.push(
                fields
                    .spot()
                    .error(Word::ErrNotInList, Word::MendList)
                    .with("value", kind.as_str())
                    .with("list", KINDS.join(", ")),
            );
            None
        }
    });
    let carries = fields.flag_maybe("carries").unwrap_or(false);
    let checks = match kind {
        Some(ItemKind::Number { .. }) => read_checks(fields),
        _ => Checks::default(),
    };
    fields.finish();
    Some(Item { id: id?.value.to_owned(), name: name?, kind: kind?, carries, checks })
}

fn read_checks(fields: &Fields<'_>) -> Checks {
    let usual = |key| fields.measure_maybe(key).map(|usual| usual.value);
    let other_unit = fields.table_maybe("other_unit").and_then(|table| {
        let (unit, per_one) = (table.text("unit"), table.measure("per_one"));
        table.finish();
        let (unit, per_one) = (unit?, per_one?);
        if per_one.value.thousandths() <= 0 {
            table.push(
                per_one
                    .spot
                    .error(Word::ErrNotAMeasure, Word::MendMeasure)
                    .with("value", "0")
                    .with("decimals", "3"),
            );
            return None;
        }
        Some(OtherUnit { unit: unit.value.to_owned(), per_one: per_one.value })
    });
    Checks {
        usual_least: usual("usual_least"),
        usual_most: usual("usual_most"),
        below: fields.text_maybe("below").map(|below| below.value.to_owned()),
        other_unit,
    }
}

fn read_number(fields: &Fields<'_>) -> Option<ItemKind> {
    let unit = fields.text("unit");
    let decimals =
        fields.whole_maybe("decimals").map_or(Some(0), |decimals| u8::try_from(decimals.value).ok());
    let (least, most) = (fields.measure("least"), fields.measure("most"));
    let (least, most) = (least?.value, most?.value);
    if least >= most {
        let error = fields.spot().error(Word::ErrBackwards, Word::MendBackwards);
        fields.push(error.with("from", least.to_string()).with("to", most.to_string()));
    }
    Some(ItemKind::Number { unit: unit?.value.to_owned(), decimals: decimals?, least, most })
}

fn read_options(fields: &Fields<'_>) -> Option<Vec<ItemOption>> {
    let mut options: Vec<ItemOption> = Vec::new();
    for table in fields.some_tables("option") {
        let (id, name) = (table.text("id"), table.bilingual("name"));
        table.finish();
        let (Some(id), Some(name)) = (id, name) else { continue };
        if options.iter().any(|known| known.id == id.value) || options.len() >= MOST_OPTIONS {
            fields.push(id.spot.error(Word::ErrTwice, Word::MendTwice).with("value", id.value));
        } else {
            options.push(ItemOption { id: id.value.to_owned(), name });
        }
    }
    (options.len() > 1).then_some(options)
}
