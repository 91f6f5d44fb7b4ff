//! The home page: what is due, by role.

use askama::Template;
use axum::response::Response;
use kangmai_access::{Actor, LastSignIn, Purpose, last_sign_in, reach};
use kangmai_base::Day;
use kangmai_database::{DatabaseError, Transaction};
use kangmai_programme::{App, Counted, DueLine, Figure, Visit};
use kangmai_web::{Failure, Page, Stat, show};

use super::figures::{counted_at, stat_of};
use super::own;

/// Figures on the home page.
const MOST_FIGURES: usize = 6;

#[derive(Template)]
#[template(path = "office_home.html")]
struct HomePage {
    page: Page,
    lines: Vec<Line>,
    stats: Vec<Stat>,
    may_search: bool,
    demo: bool,
    last: Option<LastSignIn>,
}

impl HomePage {
    fn last_words(&self, last: &LastSignIn) -> String {
        own::last_words(&self.page, last)
    }
}

struct Line {
    text: String,
    late: Option<String>,
    path: String,
}

pub(super) async fn show_home(visit: Visit) -> Result<Response, Failure> {
    let Visit { app, actor, page, today, token, .. } = visit;
    let (asked, by) = (app.clone(), actor.clone());
    let read = move |tx: &mut Transaction<'_>| {
        Ok((gather(tx, &asked, &by, today)?, last_sign_in(tx, by.account, &token)?))
    };
    let ((lines, values), last) = app.database.read(read).await.map_err(|error: DatabaseError| error)?;
    let due: i64 = lines.iter().map(|line| line.count).sum();
    let late: i64 = lines.iter().map(|line| line.late).sum();
    let page = page.titled("server.home");
    let todo = match (due, late) {
        (0, _) => page.word("server.home.nothing").into_owned(),
        (due, 0) => page.count("server.home.due", due),
        (due, late) => {
            page.say("server.home.due_late", &[("count", &page.number(due)), ("late", &page.number(late))])
        }
    };
    let page = page.to_do(todo, None);
    let page = Page { as_of: counted_at(values.iter().map(|(_, counted)| counted)), ..page };
    let stats = values
        .iter()
        .map(|(figure, counted)| stat_of(&page, figure, counted.value, &actor, actor.place))
        .collect();
    let lines = lines
        .into_iter()
        .filter(|line| line.count > 0)
        .map(|line| Line {
            text: page.count(line.word, line.count),
            late: (line.late > 0).then(|| page.count("server.home.late", line.late)),
            path: line.path,
        })
        .collect();
    let may_search = reach(&actor, Purpose::FindPeople).is_some();
    show(&HomePage { page, lines, stats, may_search, demo: app.settings.demo, last })
}

type Gathered = (Vec<DueLine>, Vec<(&'static Figure, Counted)>);

fn gather(tx: &mut Transaction<'_>, app: &App, actor: &Actor, today: Day) -> Result<Gathered, DatabaseError> {
    let mut lines = Vec::new();
    let mut values = Vec::new();
    for programme in app.programmes {
        lines.extend((programme.due)(tx, app, actor, today)?);
        for figure in programme.figures.iter().take(2) {
            let Some(reach) = reach(actor, figure.purpose) else { continue };
            if values.len() < MOST_FIGURES {
                values.push((figure, app.figure_book().value(tx, app, figure, &reach, today)?));
            }
        }
    }
    Ok((lines, values))
}
