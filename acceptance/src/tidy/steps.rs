//! Migrations widen and never narrow: while servers are upgraded one after the other, the program of before works on the
//! tables of the new one.

use super::{Complaint, TextFile};

/// Steps that were there before the rule.
const BEFORE: [&str; 4] = [
    "programmes/poverty_watch/migrations/002-counts.sql",
    "programmes/poverty_watch/migrations/003-counts-of-many.sql",
    "programmes/settlement/migrations/006-households.sql",
    "programmes/settlement/migrations/008-desk.sql",
];
/// The first line of a step that narrows, with its reason: what it takes away no release in use reads any more.
const NARROWS: &str = "-- narrows:";
/// The first line of a step whose indexes are built beside whoever works.
const ONLINE: &str = "-- online";
/// What takes away or changes something that the program of before may use.
const NARROWING: [(&str, &str); 6] = [
    ("drop table", "takes a table away"),
    ("drop column", "takes a column away"),
    ("rename ", "renames"),
    ("alter column", "changes a column"),
    ("add constraint", "forbids what was allowed"),
    ("create unique index", "forbids what was allowed"),
];

/// Whether the file is a step.
pub fn is_step(file: &TextFile) -> bool {
    file.extension() == "sql" && file.path.contains("/migrations/")
}

/// Complaints about a step that the program of before could not work with, or that locks a table which may be large.
pub fn check_step(file: &TextFile) -> Vec<Complaint> {
    let path = file.path.as_str();
    let reason = file.text.strip_prefix(NARROWS).map(|rest| rest.lines().next().unwrap_or_default().trim());
    if BEFORE.contains(&path) || reason.is_some_and(|reason| !reason.is_empty()) {
        return Vec::new();
    }
    let text =
        file.text.lines().filter(|line| !line.trim_start().starts_with("--")).collect::<Vec<_>>().join("\n");
    let text = text.to_lowercase();
    let statements: Vec<String> =
        text.split(';').map(|one| one.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let made: Vec<&str> = statements.iter().filter_map(|one| table_after(one, "create table ")).collect();
    let mut complaints = Vec::new();
    for statement in &statements {
        let on_new_table = |words| table_after(statement, words).is_some_and(|table| made.contains(&table));
        let indexed =
            statement.split_once(" on ").map(|(_, rest)| rest.split([' ', '(']).next().unwrap_or_default());
        let is_new = indexed.is_some_and(|table| made.contains(&table)) || on_new_table("alter table ");
        if !is_new && let Some((_, does)) = NARROWING.iter().find(|(words, _)| statement.contains(words)) {
            let says = format!(
                "a step {does}: the program of before still uses it. Widen now, narrow when no release in use reads it, in a \
                 step that begins `{NARROWS} why`"
            );
            complaints.push(Complaint::about(path, says));
        }
        let is_demanding = statement.contains(" not null") && !statement.contains(" default ");
        if statement.contains("add column") && is_demanding && !is_new {
            complaints.push(Complaint::about(
                path,
                "a new column is null or has a default: the program of before leaves it out",
            ));
        }
        if statement.starts_with("create index") && !is_new && !file.text.starts_with(ONLINE) {
            let says = format!(
                "an index on a table that is there stands in a step of its own that begins `{ONLINE}`"
            );
            complaints.push(Complaint::about(path, says));
        }
    }
    complaints
}

fn table_after<'a>(statement: &'a str, words: &str) -> Option<&'a str> {
    statement.strip_prefix(words)?.split([' ', '(']).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(text: &str) -> usize {
        check_step(&TextFile::new("spine/people/migrations/009-x.sql", text)).len()
    }

    #[test]
    fn what_widens_passes() {
        assert_eq!(
            complaints(
                "create table a (id uuid);\ncreate unique index b on a (id);\ncreate index c on a (id);"
            ),
            0
        );
        assert_eq!(complaints("alter table person add column sealed bytea"), 0);
        assert_eq!(complaints("alter table person add column sealed bytea not null default ''"), 0);
        assert_eq!(complaints("-- online\n-- why\ncreate index a on person (home);"), 0);
        assert_eq!(
            complaints("-- narrows: nothing reads it since 0.3\nalter table person drop column phone;"),
            0
        );
    }

    #[test]
    fn what_narrows_or_locks_is_found() {
        for text in [
            "drop table person",
            "alter table person drop column phone",
            "alter table person rename column phone to telephone",
            "alter table person\n  alter column phone type bigint",
            "create unique index a on person (phone)",
            "alter table person add column sealed bytea not null",
            "create index a on person (home)",
            "-- narrows:\ndrop table person",
        ] {
            assert_eq!(complaints(text), 1, "{text}");
        }
    }
}
