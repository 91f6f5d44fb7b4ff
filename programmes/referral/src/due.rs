//! What waits for somebody today: the lines of the home page.

use kangmai_access::{Actor, Purpose, reach};
use kangmai_base::Day;
use kangmai_database::{DatabaseError, Transaction};
use kangmai_programme::{App, DueLine};

use crate::rules::Handled;
use crate::sentences::A_YEAR_MONTHS;
use crate::store::{self, Cuts, Wanted, WantedVisits};

/// Who refers and who answers is told what waits for them; who oversees, what the next tier is told of.
pub(crate) fn due(
    tx: &mut Transaction<'_>,
    app: &App,
    actor: &Actor,
    today: Day,
) -> Result<Vec<DueLine>, DatabaseError> {
    let Some(read) = reach(actor, Purpose::ReadReferrals) else { return Ok(Vec::new()) };
    let keeps = reach(actor, Purpose::KeepReferrals);
    let rules = app.policies.referral(actor.place, today);
    let tell = rules.map_or(0, |rules| rules.tell_after_days);
    // What tells a disease of level 5 is counted: it waits like any other, and a count names nobody.
    let mut count = |whose: &'static str, state: &str, past: i32| -> Result<i64, DatabaseError> {
        let cuts = Cuts::of(rules, today, past);
        let wanted =
            |sensitive| Wanted { whose, state: state.to_owned(), place: None, cuts, today, sensitive };
        let open = store::count(tx, (actor, &read), &wanted(false))?;
        Ok(open + store::count(tx, (actor, &read), &wanted(true))?)
    };
    let line = |word, count, late, path: &str| DueLine { word, count, late, path: path.to_owned() };
    let mut lines = Vec::new();
    if keeps.is_some() {
        let asked = count("in", "waiting", 0)? + count("in", "accepted", 0)?;
        lines.push(line("referral.todo.in", asked, count("in", "late", 0)?, "/referrals?whose=in"));
        let decide = count("out", "decide", 0)?;
        lines.push(line("referral.todo.decide", decide, 0, "/referrals?whose=out&state=decide"));
    }
    if read.institution().is_none() && !actor.role.reaches_by_relation() {
        let late = count("all", "late", tell)?;
        lines.push(line("referral.todo.late", late, late, "/referrals?whose=all&state=late"));
        let open = WantedVisits {
            handled: Some(Handled::Open),
            from: today.plus_months(-A_YEAR_MONTHS),
            until: today,
            sensitive: false,
        };
        let before = rules.map_or(today, |rules| today.plus_days(-rules.decide_days - 1));
        let wanted = store::count_visits(tx, &read, &open)?;
        let late = store::count_visits(tx, &read, &WantedVisits { until: before, ..open })?;
        lines.push(line("referral.todo.wanted", wanted, late, "/referrals/visits"));
    }
    Ok(lines)
}
