//! Who read or did what: looking through the audit trail, a file of it, and what is out of the ordinary.

use askama::Template;
use axum::http::Uri;
use axum::response::Response;
use kangmai_access::{
    AuditRow, AuditWanted, Reach, Unusual, UnusualKind, account_called, audit, search_audit, unusual_audit,
};
use kangmai_base::{Day, DivisionCode, Moment, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_places::Divisions;
use kangmai_programme::{Visit, place_choices};
use kangmai_sheet::Format;
use kangmai_sheets::{Cell, Head, SheetError, XlsxExport};
use kangmai_web::{Choice, Failure, Field, ListQuery, ListSpec, Page, show, workbook};

static LIST: ListSpec = ListSpec {
    filters: &[
        Field::text("who", "server.audit.who").at_most(64).optional(),
        Field::text("whose", "server.audit.subject").at_most(40).optional(),
        Field::select("action", "server.audit.action"),
        Field::select("outcome", "server.audit.outcome"),
        Field::select("place", "server.audit.place"),
        Field::day("from", "server.audit.from").optional(),
        Field::day("to", "server.audit.to").optional(),
    ],
    sorts: &["at"],
    descending: true,
};

/// The actions that can be chosen; each has its word.
const ACTIONS: &[&str] = &[
    "read_person",
    "read_household",
    "read",
    "export",
    "print",
    "change",
    "import",
    "sign_in",
    "sign_out",
    "client_sign_in",
    "break_glass",
    "break_glass_review",
    "settle",
    "cancel",
    "account_created",
    "account_closed",
    "account_transferred",
    "account_password",
    "client_created",
    "client_key",
    "hub_joined",
    "hub_left",
    "hub_registered",
    "outbox_read",
    "phone_registered",
    "phone_rescued",
    "phone_locked",
    "phone_wiped",
    "phone_pull",
    "phone_push",
    "policy_publish",
    "backup",
    "keys",
    "server_started",
    "audit_cut",
];

#[derive(Template)]
#[template(path = "office_audit.html")]
struct AuditPage {
    page: Page,
    list: ListQuery,
    rows: Vec<Line>,
    more: bool,
    export: String,
}

struct Line {
    row: AuditRow,
    role: String,
    action: String,
    outcome: String,
    place: String,
}

fn line(page: &Page, row: AuditRow) -> Line {
    Line {
        role: page.word(&format!("access.role.{}", row.role)).into_owned(),
        action: page.word(&format!("access.action.{}", row.action)).into_owned(),
        outcome: page.word(&format!("access.outcome.{}", row.outcome)).into_owned(),
        place: Divisions::shipped().get(row.place).map(|place| place.short_name()).unwrap_or_default(),
        row,
    }
}

/// What a list asks for, as typed: the name of who is found by the database.
#[derive(Clone)]
struct Asked {
    who: Option<String>,
    wanted: AuditWanted,
    within: Reach,
    /// What was typed can be nobody's record.
    is_nobody: bool,
}

fn asked(visit: &Visit, list: &mut ListQuery) -> Asked {
    let place = list.parsed::<DivisionCode>("place").filter(|place| visit.reach.covers(*place));
    let within = place.map_or_else(|| visit.reach.clone(), |place| visit.reach.narrowed(place));
    let (from, to) = (list.form.day("from"), list.form.day("to"));
    let subject = list.parsed::<Uuid>("whose");
    let choice = |list: &ListQuery, name, known: &[&str]| {
        list.filter(name).filter(|chosen| known.contains(chosen)).map(str::to_owned)
    };
    let wanted = AuditWanted {
        account: None,
        subject,
        action: choice(list, "action", ACTIONS),
        outcome: choice(list, "outcome", &["done", "refused"]),
        since: from.map_or(Moment(0), Moment::start_of),
        until: to.map_or(Moment(i64::MAX), |day| Moment::start_of(day.plus_days(1))),
    };
    let is_nobody = subject.is_none() && list.filter("whose").is_some();
    let who = list.filter("who").map(str::to_owned);
    list.offer("place", place_choices(&visit.reach, &within));
    let word = |key: &str, of: &str| Choice::new(of, visit.page.word(&format!("access.{key}.{of}")));
    list.offer("action", ACTIONS.iter().map(|action| word("action", action)).collect());
    list.offer("outcome", vec![word("outcome", "done"), word("outcome", "refused")]);
    Asked { who, wanted, within, is_nobody }
}

/// The lines that match; none if who is asked for is nobody.
fn find(
    tx: &mut Transaction<'_>,
    asked: &Asked,
    limit: i64,
    offset: i64,
) -> Result<Vec<AuditRow>, DatabaseError> {
    let mut wanted = asked.wanted.clone();
    if let Some(name) = &asked.who {
        wanted.account = account_called(tx, &asked.within, name)?;
        if wanted.account.is_none() {
            return Ok(Vec::new());
        }
    }
    if asked.is_nobody {
        return Ok(Vec::new());
    }
    search_audit(tx, &asked.within, &wanted, offset, limit)
}

/// GET `/audit`.
pub(super) async fn show_audit(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let mut list = ListQuery::read(&LIST, &uri);
    let asked = asked(&visit, &mut list);
    let (offset, limit) = (list.paging.offset(), list.paging.limit());
    let rows = visit.app.database.read(move |tx| find(tx, &asked, limit + 1, offset)).await?;
    let page = visit.page.titled("server.audit");
    let shown = usize::try_from(limit).unwrap_or(0);
    let more = rows.len() > shown;
    let rows = rows.into_iter().take(shown).map(|row| line(&page, row)).collect();
    let export = list.export_href("/audit.xlsx");
    show(&AuditPage { page, list, rows, more, export })
}

/// GET `/audit.xlsx`: the same lines as an Excel file, the newest 100,000.
pub(super) async fn export(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let mut list = ListQuery::read(&LIST, &uri);
    let asked = asked(&visit, &mut list);
    let (page, place) = (visit.page.clone().titled("server.audit"), asked.within.place());
    let title = page.title.clone();
    let (bytes, count) =
        visit.app.database.read(move |tx| sheet(tx, &page, &asked).map_err(Failure::from)).await?;
    let (id, now, actor) = (visit.app.mint(), visit.app.clock.now(), visit.actor);
    let reason = format!("{title} {count}");
    let note =
        move |tx: &mut Transaction<'_>| audit(tx, id, now, &actor, "export", None, place, &reason, "done");
    visit.app.database.write(note).await?;
    Ok(workbook(bytes, "audit.xlsx"))
}

fn sheet(tx: &mut Transaction<'_>, page: &Page, asked: &Asked) -> Result<(Vec<u8>, i64), DatabaseError> {
    let heads = ["at", "who", "role", "action", "reason", "place", "subject", "outcome", "address", "asked"];
    let heads = heads.map(|key| Head::new(page.word(&format!("server.audit.{key}")), Format::Text)).to_vec();
    let broken = |error: Broken| error.0;
    let read = |limit, offset| find(tx, asked, limit, offset).map_err(Broken);
    XlsxExport::list(&page.title, heads, read, |file, row| {
        let line = line(page, row.clone());
        file.row(&[
            Cell::Text(&row.at.to_string()),
            Cell::Text(row.name.as_deref().unwrap_or_default()),
            Cell::Text(&line.role),
            Cell::Text(&line.action),
            Cell::Text(&row.reason),
            Cell::Text(&line.place),
            Cell::Text(&row.subject.map(|subject| subject.to_string()).unwrap_or_default()),
            Cell::Text(&line.outcome),
            Cell::Text(row.address.as_deref().unwrap_or_default()),
            Cell::Text(row.asked.as_deref().unwrap_or_default()),
        ])
    })
    .map_err(broken)
}

/// What goes wrong while a sheet is written.
struct Broken(DatabaseError);

impl From<SheetError> for Broken {
    fn from(error: SheetError) -> Broken {
        Broken(DatabaseError::Refused(error.to_string()))
    }
}

/// Days that are looked at unless others are asked for, and at most.
const USUAL_DAYS: i32 = 7;
const MOST_DAYS: i32 = 31;

static UNUSUAL: ListSpec = ListSpec {
    filters: &[
        Field::day("from", "server.audit.from").optional(),
        Field::day("to", "server.audit.to").optional(),
    ],
    sorts: &["count"],
    descending: true,
};

/// One list, with the rule that it goes by in words.
struct UnusualList {
    title: String,
    rule: String,
    rows: Vec<UnusualLine>,
}

struct UnusualLine {
    who: String,
    role: String,
    lines: i64,
    people: i64,
    first: Moment,
    last: Moment,
    path: String,
}

#[derive(Template)]
#[template(path = "office_audit_unusual.html")]
struct UnusualPage {
    page: Page,
    list: ListQuery,
    lists: Vec<UnusualList>,
    days: String,
}

/// GET `/audit/unusual`: who is worth a look.
pub(super) async fn unusual(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let mut list = ListQuery::read(&UNUSUAL, &uri);
    let to = list.form.day("to").unwrap_or(visit.today);
    let from = list.form.day("from").unwrap_or(to.plus_days(1 - USUAL_DAYS));
    let from = from.max(to.plus_days(1 - MOST_DAYS));
    let days = (Moment::start_of(from), Moment::start_of(to.plus_days(1)));
    let (within, watch) = (visit.reach.clone(), visit.app.gate().rules.audit);
    let read = move |tx: &mut Transaction<'_>| {
        let of = |kind| unusual_audit(tx, &within, &watch, kind, days).map(|rows| (kind, rows));
        UnusualKind::ALL.into_iter().map(of).collect::<Result<Vec<_>, DatabaseError>>()
    };
    let found = visit.app.database.read(read).await?;
    let list_name = visit.page.word("server.audit").into_owned();
    let page = visit.page.titled("server.audit.unusual").under(list_name, "/audit");
    let lists = found.into_iter().map(|(kind, rows)| unusual_list(&page, &watch, kind, rows)).collect();
    let days = page.say2("server.audit.unusual.days", "from", page.day(from), "to", page.day(to));
    show(&UnusualPage { page, list, lists, days })
}

fn unusual_list(
    page: &Page,
    watch: &kangmai_access::AuditWatch,
    kind: UnusualKind,
    rows: Vec<Unusual>,
) -> UnusualList {
    let rule = match kind {
        UnusualKind::Night => page.say(
            "server.audit.unusual.night.rule",
            &[
                ("from", &watch.night_from_hour),
                ("until", &watch.night_until_hour),
                ("least", &watch.night_reads),
            ],
        ),
        UnusualKind::ManyPeople => {
            page.say1("server.audit.unusual.many_people.rule", "least", watch.people_an_hour)
        }
        UnusualKind::ManyExports => {
            page.say1("server.audit.unusual.many_exports.rule", "least", watch.exports_a_day)
        }
        UnusualKind::WithoutAct => {
            page.say1("server.audit.unusual.without_act.rule", "least", watch.people_without_act)
        }
    };
    let title = page.word(&format!("server.audit.unusual.{}", kind.key())).into_owned();
    UnusualList { title, rule, rows: rows.into_iter().map(|row| unusual_line(page, kind, row)).collect() }
}

fn unusual_line(page: &Page, kind: UnusualKind, row: Unusual) -> UnusualLine {
    let who = row.name.unwrap_or_default();
    let action = match kind {
        UnusualKind::ManyExports => "export",
        UnusualKind::ManyPeople | UnusualKind::WithoutAct => "read_person",
        UnusualKind::Night => "",
    };
    let day = |moment: Moment| -> Day { moment.day() };
    let path = format!(
        "/audit?who={}&action={action}&from={}&to={}",
        kangmai_programme::percent_encoded(&who),
        day(row.first),
        day(row.last)
    );
    UnusualLine {
        role: page.word(&format!("access.role.{}", row.role)).into_owned(),
        who,
        lines: row.lines,
        people: row.people,
        first: row.first,
        last: row.last,
        path,
    }
}
