//! Releases of the packs as they are kept: what was published, and the files of every release that ever was in force. Only
//! ever added to.

use kangmai_base::{DivisionCode, Moment, Uuid};
use kangmai_database::{DatabaseError, InsertMany, Row, Transaction, params};
use kangmai_policy::{Release, text_hash};

use crate::law::{NewPublication, Publication, PublishedFile, Touches};

const NEWEST: &str = "select coalesce(max(number), 0) from policy_publication";
const LAID_OVER: &str = "select f.path, f.number, f.base, t.body from policy_publication_file f
    join (select path, max(number) as number from policy_publication_file group by path) last
        on last.path = f.path and last.number = f.number
    join policy_text t on t.hash = f.body
    order by f.path";
const IS_KEPT: &str = "select 1 from policy_release where hash = $1";
const KEEP_RELEASE: &str =
    "insert into policy_release (hash, kept_at) values ($1, $2) on conflict (hash) do nothing";
const KEEP_TEXTS: InsertMany =
    InsertMany { table: "policy_text", columns: &["hash", "body"], suffix: "on conflict (hash) do nothing" };
const KEEP_FILES: InsertMany = InsertMany {
    table: "policy_release_file",
    columns: &["release", "path", "body"],
    suffix: "on conflict (release, path) do nothing",
};
const HASHES: &str = "select hash from policy_release where hash between $1 and $2 order by hash limit 2";
const FILES: &str = "select f.path, t.body from policy_release_file f join policy_text t on t.hash = f.body
    where f.release = $1 order by f.path";
const PUT: &str = "insert into policy_publication (number, release, made_from, place, title, touches, author,
    author_name, approver, approver_name, published_at, told)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) on conflict (number) do nothing";
const PUT_FILES: InsertMany =
    InsertMany { table: "policy_publication_file", columns: &["number", "path", "base", "body"], suffix: "" };
const LIST: &str =
    "select number, release, made_from, place, title, touches, author_name, approver_name, published_at, told
    from policy_publication order by number desc limit $1";
const ONE: &str =
    "select number, release, made_from, place, title, touches, author_name, approver_name, published_at, told
    from policy_publication where number = $1";
const PATHS: &str = "select path from policy_publication_file where number = $1 order by path";
const TEXT: &str = "select body from policy_text where hash = $1";

/// The number of the newest publication; 0 if nothing was ever published.
///
/// # Errors
/// When the database fails.
pub fn newest_publication(tx: &mut Transaction<'_>) -> Result<i64, DatabaseError> {
    tx.query_one(NEWEST, &[])?.map_or(Ok(0), |row| row.get(0))
}

/// The published files that lie over those of the program.
///
/// # Errors
/// When the database fails.
pub fn laid_over(tx: &mut Transaction<'_>) -> Result<Vec<PublishedFile>, DatabaseError> {
    let read = |row: &Row| {
        Ok(PublishedFile { path: row.get(0)?, number: row.get(1)?, base: row.get(2)?, text: row.get(3)? })
    };
    tx.query(LAID_OVER, &[])?.iter().map(read).collect()
}

/// Keeps the files of a release, each text once.
///
/// # Errors
/// When the database fails.
pub fn keep_release(tx: &mut Transaction<'_>, release: &Release, now: Moment) -> Result<(), DatabaseError> {
    if tx.query_one(IS_KEPT, &params![release.hash()])?.is_some() {
        return Ok(());
    }
    let hashed: Vec<(String, &String, &String)> =
        release.files().iter().map(|(path, text)| (text_hash(text), path, text)).collect();
    tx.insert_many(&KEEP_TEXTS, hashed.iter().map(|(hash, _, text)| params![hash, *text]))?;
    tx.insert_many(&KEEP_FILES, hashed.iter().map(|(hash, path, _)| params![release.hash(), *path, hash]))?;
    tx.execute(KEEP_RELEASE, &params![release.hash(), now])?;
    Ok(())
}

/// The files of the release with this hash, or of the only one whose hash begins so.
///
/// # Errors
/// When the database fails.
pub fn release_files(
    tx: &mut Transaction<'_>,
    hash: &str,
) -> Result<Option<Vec<(String, String)>>, DatabaseError> {
    let found = tx.query(HASHES, &params![hash, format!("{hash}g")])?;
    let [only] = found.as_slice() else { return Ok(None) };
    let whole: String = only.get(0)?;
    let read = |row: &Row| Ok((row.get(0)?, row.get(1)?));
    tx.query(FILES, &params![whole])?.iter().map(read).collect::<Result<Vec<_>, _>>().map(Some)
}

/// A text by its hash.
///
/// # Errors
/// When the database fails.
pub fn kept_text(tx: &mut Transaction<'_>, hash: &str) -> Result<Option<String>, DatabaseError> {
    tx.query_one(TEXT, &params![hash])?.map(|row| row.get(0)).transpose()
}

/// Publishes, as the publication after `new.after`; `false` if somebody else has published meanwhile.
///
/// # Errors
/// When the database fails.
pub fn publish(
    tx: &mut Transaction<'_>,
    new: &NewPublication,
    (author, approver): ((Uuid, &str), (Uuid, &str)),
    now: Moment,
) -> Result<bool, DatabaseError> {
    tx.lock("policy_publication")?;
    if newest_publication(tx)? != new.after {
        return Ok(false);
    }
    let number = new.after + 1;
    let told = serde_json::to_string(&new.told).map_err(|error| DatabaseError::Refused(error.to_string()))?;
    let put = tx.execute(
        PUT,
        &params![
            number,
            new.release.hash(),
            &new.made_from,
            new.place,
            &new.title,
            new.touches.key(),
            author.0,
            author.1,
            approver.0,
            approver.1,
            now,
            told
        ],
    )?;
    if put == 0 {
        return Ok(false);
    }
    keep_release(tx, &new.release, now)?;
    let texts: Vec<&String> = new.files.iter().flat_map(|file| file.base.iter().chain(&file.text)).collect();
    tx.insert_many(&KEEP_TEXTS, texts.iter().map(|text| params![text_hash(text), *text]))?;
    let hash = |text: &Option<String>| text.as_deref().map(text_hash);
    let rows = new.files.iter().map(|file| params![number, &file.path, hash(&file.base), hash(&file.text)]);
    tx.insert_many(&PUT_FILES, rows)?;
    Ok(true)
}

fn read(row: &Row) -> Result<Publication, DatabaseError> {
    let told: String = row.get(9)?;
    let wrong = DatabaseError::WrongType { column: 9, expected: "JSON of sentences" };
    Ok(Publication {
        number: row.get(0)?,
        release: row.get(1)?,
        made_from: row.get(2)?,
        place: row.get::<DivisionCode>(3)?,
        title: row.get(4)?,
        touches: Touches::of_key(&row.get::<String>(5)?)
            .ok_or(DatabaseError::WrongType { column: 5, expected: "a day, or none" })?,
        author: row.get(6)?,
        approver: row.get(7)?,
        at: row.get(8)?,
        told: serde_json::from_str(&told).map_err(|_| wrong)?,
    })
}

/// The newest publications, the latest first.
///
/// # Errors
/// When the database fails.
pub fn publications(tx: &mut Transaction<'_>, limit: i64) -> Result<Vec<Publication>, DatabaseError> {
    tx.query(LIST, &params![limit])?.iter().map(read).collect()
}

/// One publication, with the paths of its files.
///
/// # Errors
/// When the database fails.
pub fn publication(
    tx: &mut Transaction<'_>,
    number: i64,
) -> Result<Option<(Publication, Vec<String>)>, DatabaseError> {
    let Some(row) = tx.query_one(ONE, &params![number])? else { return Ok(None) };
    let paths = tx.query(PATHS, &params![number])?.iter().map(|row| row.get(0)).collect::<Result<_, _>>()?;
    Ok(Some((read(&row)?, paths)))
}
