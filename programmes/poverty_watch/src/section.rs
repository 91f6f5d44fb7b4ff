//! The parts of a person's and a household's page: warnings, and own cost of the last twelve months against the line.

use askama::Template;
use kangmai_access::{Actor, Purpose, Reach, reach};
use kangmai_base::{Day, Fen, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::{Household, Person};
use kangmai_policy::{CostWindow, LabelSet};
use kangmai_programme::{Looking, Section};
use kangmai_web::{BarChart, Figure, Html, Page, yuan_of};

use crate::findings::{Line, Lines, WINDOW_MONTHS, window_start};
use crate::sentences::{first_sentence, level_tone, level_word, outcome_word, stage_word};
use crate::store::{self, EvidenceRow, WarningRow};

/// A warning as it is shown.
struct Shown {
    id: Uuid,
    level: String,
    tone: &'static str,
    reason: String,
    state: String,
    opened_on: Day,
}

/// Sums of one person or household: year to date and last twelve months, each with and without out-of-catalogue cost.
#[derive(Default)]
struct Sums {
    year: (Fen, Fen),
    rolling: (Fen, Fen),
}

#[derive(Template)]
#[template(path = "poverty_watch_section.html")]
struct Part {
    page: Page,
    warnings: Vec<Shown>,
    sums: Sums,
    line: Option<(String, Fen, bool)>,
    chart: Option<Html>,
}

/// How far `actor` may see warnings or bills of `place`: money must be theirs to see.
fn money_reach(actor: &Actor, place: kangmai_base::DivisionCode) -> Option<(Reach, bool)> {
    let of = |purpose| reach(actor, purpose).filter(|reach| reach.money() && reach.covers(place));
    of(Purpose::ReadWarnings)
        .map(|reach| (reach, true))
        .or(of(Purpose::ReadBills).map(|reach| (reach, false)))
}

fn sums(bills: &[EvidenceRow], today: Day) -> Sums {
    let mut sums = Sums::default();
    let year = window_start(CostWindow::YearToDate, today);
    let add = |sum: &mut (Fen, Fen), bill: &EvidenceRow| {
        sum.0 = Fen(sum.0.0 + bill.own.0);
        sum.1 = Fen(sum.1.0 + bill.own.0 - bill.own_uncovered.0);
    };
    for bill in bills {
        add(&mut sums.rolling, bill);
        if bill.on >= year {
            add(&mut sums.year, bill);
        }
    }
    sums
}

/// Own cost adding up over the months of the window, with the line across.
fn chart(page: &Page, bills: &[EvidenceRow], line: Option<Line>, today: Day) -> Option<Html> {
    if bills.is_empty() {
        return None;
    }
    let months: Vec<(i32, u32)> = (0..WINDOW_MONTHS)
        .rev()
        .map(|back| {
            let (year, month, _) = today.plus_months(-back).ymd();
            (year, month)
        })
        .collect();
    let mut sum = Fen::ZERO;
    let first = window_start(CostWindow::Rolling12Months, today);
    let values: Vec<f64> = months
        .iter()
        .enumerate()
        .map(|(index, month)| {
            let of_month = bills.iter().filter(|bill| {
                let (year, number, _) = bill.on.ymd();
                // The days of the window that lie in the month before the first one shown belong to the first.
                (year, number) == *month || (index == 0 && bill.on >= first && (year, number) < *month)
            });
            sum = Fen(sum.0 + of_month.map(|bill| bill.own.0).sum::<i64>());
            yuan_of(sum)
        })
        .collect();
    Some(page.bar_chart(&BarChart {
        title: page.word("poverty_watch.chart").into_owned(),
        description: page.word("poverty_watch.chart.description").into_owned(),
        figure: Figure::Yuan,
        labels: months.iter().map(|(_, month)| month.to_string()).collect(),
        series: vec![(page.word("poverty_watch.chart.series").into_owned(), values)],
        stacked: false,
        lying: false,
        limit: line.map(|line| (yuan_of(line.amount), page.word("poverty_watch.chart.line").into_owned())),
    }))
}

fn shown(page: &Page, row: &WarningRow, may: &Reach) -> Shown {
    Shown {
        id: row.id,
        level: level_word(page, row.level),
        tone: level_tone(row.level),
        reason: first_sentence(page, row.findings.first(), may),
        state: match row.outcome {
            Some(outcome) => outcome_word(page, outcome),
            None => stage_word(page, row.warning.stage),
        },
        opened_on: row.warning.opened_on,
    }
}

fn part(
    tx: &mut Transaction<'_>,
    looking: &Looking,
    (household, place): (Uuid, kangmai_base::DivisionCode),
    labels: LabelSet,
    only: Option<Uuid>,
) -> Result<Option<Section>, DatabaseError> {
    let Some((may, sees_warnings)) = money_reach(&looking.actor, place) else { return Ok(None) };
    let (page, today) = (&looking.page, looking.today);
    let warnings = if sees_warnings { store::warnings_of(tx, &may, household)? } else { Vec::new() };
    let window = (window_start(CostWindow::Rolling12Months, today), today);
    let mut bills = store::bills_of_household(tx, household, window)?;
    bills.retain(|bill| only.is_none_or(|person| bill.person == person));
    if warnings.is_empty() && bills.is_empty() {
        return Ok(None);
    }
    let lines = Lines::at(&looking.app.policies, place, today);
    let group = lines.as_ref().and_then(|lines| lines.group_for(labels));
    let line = group.and_then(|(_, line)| line);
    let sums = sums(&bills, today);
    let said = group.zip(line).map(|((group, _), line)| {
        let name = if page.is_chinese() { &group.name.zh } else { &group.name.en };
        let (all, compliant) = match group.window {
            CostWindow::YearToDate => sums.year,
            CostWindow::Rolling12Months => sums.rolling,
        };
        let cost = if group.own_cost == kangmai_policy::OwnCost::All { all } else { compliant };
        (name.clone(), line.amount, cost > line.amount)
    });
    let part = Part {
        warnings: warnings.iter().map(|row| shown(page, row, &may)).collect(),
        sums,
        line: said,
        chart: chart(page, &bills, line, today),
        page: page.clone(),
    };
    let heading = page.word("poverty_watch.section").into_owned();
    Ok(Some(Section { heading, body: Html::of(&part), order: 40 }))
}

fn labels_of<'p>(looking: &Looking, people: impl Iterator<Item = &'p Person>) -> LabelSet {
    people.fold(LabelSet::NONE, |set, person| {
        let labels = person.labels_on(looking.today);
        set.and(looking.app.policies.labels(labels.iter().map(|label| label.key())))
    })
}

/// The section of a person's page.
pub(crate) fn person(
    tx: &mut Transaction<'_>,
    looking: &Looking,
    person: &Person,
) -> Result<Option<Section>, DatabaseError> {
    let labels = labels_of(looking, std::iter::once(person));
    part(tx, looking, (person.body.household, person.home), labels, Some(person.id.uuid()))
}

/// The section of a household's page.
pub(crate) fn household(
    tx: &mut Transaction<'_>,
    looking: &Looking,
    household: &Household,
    people: &[Person],
) -> Result<Option<Section>, DatabaseError> {
    let labels = labels_of(looking, people.iter());
    part(tx, looking, (household.id.uuid(), household.place), labels, None)
}
