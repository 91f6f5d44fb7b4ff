//! Who read or did what.

use askama::Template;
use axum::http::Uri;
use axum::response::Response;
use kangmai_access::{AuditRow, list_audit};
use kangmai_places::Divisions;
use kangmai_programme::Visit;
use kangmai_web::{Failure, ListQuery, ListSpec, Page, show};

static LIST: ListSpec = ListSpec { filters: &[], sorts: &["at"], descending: true };

#[derive(Template)]
#[template(path = "office_audit.html")]
struct AuditPage {
    page: Page,
    list: ListQuery,
    rows: Vec<Line>,
    more: bool,
}

struct Line {
    row: AuditRow,
    role: String,
    action: String,
    outcome: String,
    place: String,
}

pub(super) async fn show_audit(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let list = ListQuery::read(&LIST, &uri);
    let (offset, limit) = (list.paging.offset(), list.paging.limit());
    let reach = visit.reach.clone();
    let rows = visit.app.database.read(move |tx| list_audit(tx, &reach, offset, limit + 1)).await?;
    let page = visit.page.titled("server.audit");
    let shown = usize::try_from(limit).unwrap_or(0);
    let more = rows.len() > shown;
    let rows = rows
        .into_iter()
        .take(shown)
        .map(|row| Line {
            role: page.word(&format!("access.role.{}", row.role)).into_owned(),
            action: page.word(&format!("access.action.{}", row.action)).into_owned(),
            outcome: page.word(&format!("access.outcome.{}", row.outcome)).into_owned(),
            place: Divisions::shipped().get(row.place).map(|place| place.short_name()).unwrap_or_default(),
            row,
        })
        .collect();
    show(&AuditPage { page, list, rows, more })
}
