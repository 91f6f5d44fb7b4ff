//! SQL stands in `store.rs`, in `store/*.rs` and in migrations, and nowhere else; each statement is a constant, so
//! that a test can prepare it on both databases.

use super::{Complaint, TextFile};
use crate::source::{Kind, TextConstant, Token, text_constants, tokens};

/// Stores whose statements name a table that is a parameter; those cannot be constants.
const ON_ANY_TABLE: [&str; 1] = [
    // `rebuild --check` compares each view with its twin.
    "spine/record/src/store.rs",
];

/// Columns that were emptied when their values were sealed, and how one reads them now.
const EMPTIED: [(&str, &str); 2] = [
    ("person.name", "`person.name_sealed` with `read_name`"),
    ("person.phone", "`person.phone_sealed` with `open_phone`"),
];

/// Whether the file is one that may hold SQL.
pub fn is_store(path: &str) -> bool {
    path.ends_with("/store.rs") || path.contains("/store/")
}

/// Complaints about SQL in the wrong file, or in a store but not in a constant. Tests may ask what they like; the
/// database crate knows the drivers; this crate speaks of SQL.
pub fn check_sql(file: &TextFile) -> Vec<Complaint> {
    if file.path.starts_with("foundations/database/")
        || file.path.starts_with("acceptance/")
        || file.is_test()
    {
        return Vec::new();
    }
    let tokens = tokens(&file.text);
    let constants = text_constants(&tokens);
    let mut complaints = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let Some(text) = token.text().filter(|text| !token.in_test && looks_like_sql(text)) else { continue };
        let begin: String = text.chars().take(40).collect();
        for (column, instead) in EMPTIED.iter().filter(|(column, _)| reads_column(text, column)) {
            let says = format!("{column} is empty since its values are sealed: {instead}");
            complaints.push(Complaint::at(&file.path, token.line, says));
        }
        if !is_store(&file.path) {
            let says = format!("SQL belongs in store.rs: {begin:?}");
            complaints.push(Complaint::at(&file.path, token.line, says));
        } else if ON_ANY_TABLE.contains(&&*file.path) && text.contains('{') {
            continue;
        } else if !constants.iter().any(|constant| constant.at == at) {
            let says = format!("a statement is a `const NAME: &str` at module level: {begin:?}");
            complaints.push(Complaint::at(&file.path, token.line, says));
        }
    }
    complaints
}

/// Whether a statement says this column, and not one whose name only begins so.
fn reads_column(text: &str, column: &str) -> bool {
    text.match_indices(column).any(|(at, _)| {
        let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
        !text[at + column.len()..].starts_with(is_word) && !text[..at].ends_with(is_word)
    })
}

/// The statements of a store: every constant that holds SQL, and the insert of one row for every `InsertMany`.
pub fn statements(file: &TextFile) -> Vec<TextConstant> {
    let tokens = tokens(&file.text);
    let constants = text_constants(&tokens).into_iter().filter(|constant| looks_like_sql(&constant.text));
    let mut found: Vec<TextConstant> = constants.collect();
    for (at, token) in tokens.iter().enumerate() {
        if token.is_word("InsertMany") && tokens.get(at + 1).is_some_and(|next| next.is('{')) {
            let text = insert_of_one_row(&tokens[at..]);
            let name = text.split(' ').nth(2).unwrap_or_default();
            let name = format!("the insert into {name}");
            found.push(TextConstant { name, text, line: token.line, in_test: token.in_test, at });
        }
    }
    found.retain(|statement| !statement.in_test);
    found
}

/// What `InsertMany { table: "…", columns: &["…", …], suffix: "…" }` sends for one row.
fn insert_of_one_row(tokens: &[Token]) -> String {
    let (mut table, mut columns, mut suffix) = (String::new(), Vec::new(), String::new());
    let mut field = "";
    for token in tokens.iter().take_while(|token| !token.is('}')) {
        match &token.kind {
            Kind::Word(word) => field = word,
            Kind::Text(text) if field == "table" => table.clone_from(text),
            Kind::Text(text) if field == "columns" => columns.push(text.clone()),
            Kind::Text(text) if field == "suffix" => suffix.clone_from(text),
            _ => {}
        }
    }
    let values: Vec<String> = (1..=columns.len()).map(|number| format!("${number}")).collect();
    format!("insert into {table} ({}) values ({}) {suffix}", columns.join(", "), values.join(", "))
}

/// Whether a text begins as a statement does.
pub fn looks_like_sql(text: &str) -> bool {
    // Asks nothing of any table: whether the database answers.
    if text == "select 1" {
        return false;
    }
    let lower = text.trim_start().to_lowercase();
    let words: Vec<&str> = lower.split_whitespace().collect();
    match words.as_slice() {
        ["select", rest @ ..] => {
            rest.contains(&"from")
                || rest.first().is_some_and(|first| first.parse::<f64>().is_ok() || first.contains('('))
        }
        ["insert", "into", ..] | ["delete", "from", ..] => true,
        ["update", rest @ ..] => rest.iter().take(4).any(|word| *word == "set"),
        ["create", next, _, ..] => {
            matches!(*next, "table" | "index" | "unique" | "view" | "temporary" | "temp")
        }
        ["alter" | "drop", "table" | "index", ..] => true,
        ["with", rest @ ..] => {
            rest.contains(&"select")
                && rest.iter().take(10).any(|word| *word == "as" || word.ends_with(")as"))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_told_from_sentences() {
        for sql in [
            "select id from person where place between $1 and $2",
            "\n   SELECT count(*)\nFROM person",
            "select 1 + 1",
            "select coalesce(max(number), 0) + 1",
            "insert into person (id) values ($1)",
            "update person set name = $1",
            "delete from person",
            "with recursive up as (select 1) select * from up",
            "create table person (id uuid)",
            "alter table person add column age bigint",
        ] {
            assert!(looks_like_sql(sql), "{sql}");
        }
        for sentence in [
            "select a village",
            "update the register",
            "with thanks as ever",
            "create",
            "delete",
            "",
            "select 1",
        ] {
            assert!(!looks_like_sql(sentence), "{sentence}");
        }
    }

    #[test]
    fn a_column_that_was_emptied_is_read_by_nobody() {
        let read = |column| {
            let constant = format!("const FIND: &str = \"select bill.id, {column} from person\";");
            check_sql(&TextFile::new("programmes/a/src/store.rs", &constant)).len()
        };
        assert_eq!(["person.name", "person.phone"].map(read), [1, 1]);
        assert_eq!(["person.name_sealed", "what_if_person.name", "person.named"].map(read), [0, 0, 0]);
    }

    #[test]
    fn sql_in_the_wrong_place_is_found() {
        let inline = "fn a() { run(\"select id from person\") }";
        assert_eq!(check_sql(&TextFile::new("spine/people/src/pages.rs", inline)).len(), 1);
        assert_eq!(check_sql(&TextFile::new("spine/people/src/store.rs", inline)).len(), 1);
        let constant = "const FIND: &str = \"select id from person\";";
        assert_eq!(check_sql(&TextFile::new("spine/people/src/store.rs", constant)), []);
        assert_eq!(check_sql(&TextFile::new("spine/people/src/store/find.rs", constant)), []);
        assert_eq!(check_sql(&TextFile::new("spine/people/src/pages.rs", constant)).len(), 1);
        let in_test = format!("#[cfg(test)] mod tests {{ {inline} }}");
        assert_eq!(check_sql(&TextFile::new("spine/people/src/pages.rs", &in_test)), []);
        assert_eq!(statements(&TextFile::new("a/store.rs", constant))[0].name, "FIND");
        let many = "const ALL: InsertMany = InsertMany { table: \"person\", columns: &[\"id\", \"name\"],
            suffix: \"on conflict do nothing\" };";
        assert_eq!(
            statements(&TextFile::new("a/store.rs", many))[0].text,
            "insert into person (id, name) values ($1, $2) on conflict do nothing"
        );
    }
}
