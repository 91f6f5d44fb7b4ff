//! Copies of a whole database: from one database into another, into a sealed file and out of it.

mod sealed;

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use kangmai_base::{Clock as _, SystemClock, SystemIds};
use kangmai_database::{Database, DatabaseError, TableSum};
use kangmai_seal::MasterKeys;

use self::sealed::{SealedReader, SealedWriter};
use crate::lock::hold_alone;
use crate::programmes;

/// Called with the table under way and how many of its rows are through.
pub type Progress = fn(&str, u64);

/// A database that is being filled. A file of SQLite takes its name only when it is whole; PostgreSQL takes all at once.
struct Filling {
    database: Database,
    /// The file as it is filled, and as it is to be called.
    file: Option<(PathBuf, PathBuf)>,
}

impl Filling {
    fn begin(address: &str) -> anyhow::Result<Filling> {
        let Some(path) = sqlite_path(address) else {
            return Ok(Filling { database: Database::open(address)?, file: None });
        };
        if path.exists() {
            bail!("{} is there already; nothing is written over", path.display());
        }
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        let part = beside(&path, "part");
        remove(&part);
        Ok(Filling { database: Database::open_to_fill(&part)?, file: Some((part, path)) })
    }

    fn finish(mut self) -> anyhow::Result<()> {
        // A database that knows nothing of its rows reads whole tables for one.
        self.database.analyze()?;
        if let Some((part, path)) = self.file.take() {
            drop(self);
            keep(&part, &path)?;
        }
        Ok(())
    }
}

/// What is left of a file that was not finished is of no use.
impl Drop for Filling {
    fn drop(&mut self) {
        if let Some((part, _)) = &self.file {
            remove(part);
        }
    }
}

/// The path of the file, if the address is one of SQLite.
pub fn sqlite_path(address: &str) -> Option<PathBuf> {
    (!address.contains("://")).then(|| PathBuf::from(address.strip_prefix("sqlite:").unwrap_or(address)))
}

/// A file beside `path` that is called so, with one more ending.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

fn remove(path: &Path) {
    // It may not be there.
    let _ = std::fs::remove_file(path);
}

/// Gives a file that is written its name, so that a power cut leaves it whole or leaves nothing.
fn keep(part: &Path, path: &Path) -> anyhow::Result<()> {
    let failed = || format!("cannot keep {}", path.display());
    File::open(part).and_then(|file| file.sync_all()).with_context(failed)?;
    std::fs::rename(part, path).with_context(failed)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).with_context(failed)
}

/// Copies everything from one database into another, which must hold no table, and compares number and hash of the rows
/// of every table on both sides.
///
/// # Errors
/// When one of both fails, when a server holds the source, when the target has tables, and when somebody changed the source meanwhile: then the copy is
/// not what the source is now, and must not take its place.
pub fn move_database(from: &str, to: &str, progress: Progress) -> anyhow::Result<Vec<TableSum>> {
    if let Some(path) = sqlite_path(from)
        && !path.exists()
    {
        bail!("there is no {}", path.display());
    }
    let _alone = hold_alone(from)?;
    let source = Database::open(from).context("cannot open the database to move from")?;
    let filling = Filling::begin(to).context("cannot move there")?;
    let sums = pipe(&source, &filling.database, progress)?;
    let now = source.table_sums(progress)?;
    if let Some((changed, _)) = sums.iter().zip(&now).find(|(then, now)| then != now) {
        bail!(
            "{} was changed while it was moved: what was written to the new database is not all there is. Stop every \
             server of the old database, empty the new one, and move again",
            changed.table
        );
    }
    filling.finish()?;
    Ok(sums)
}

fn pipe(source: &Database, target: &Database, progress: Progress) -> anyhow::Result<Vec<TableSum>> {
    let (reader, writer) = std::io::pipe()?;
    let (sent, received) = std::thread::scope(|scope| {
        let sending = scope.spawn(move || source.write_snapshot(writer, |_, _| {}).map(|(_, sums)| sums));
        let received = target.read_snapshot(programmes::migrations(), reader, SystemClock.now(), progress);
        (sending.join(), received)
    });
    match (sent, received) {
        (Ok(Ok(sent)), Ok(received)) if sent == received => Ok(received),
        (Ok(Ok(_)), Ok(_)) => bail!("what was received is not what was sent"),
        // Who sends into a pipe that nobody reads any more fails too; what the receiver says is why.
        (Ok(Err(sent)), Err(received)) if is_cut_off(&received) => Err(sent.into()),
        (_, Err(received)) => Err(received.into()),
        (Ok(Err(sent)), Ok(_)) => Err(sent.into()),
        (Err(_), Ok(_)) => bail!("reading was broken off"),
    }
}

fn is_cut_off(error: &DatabaseError) -> bool {
    matches!(error, DatabaseError::Copy(says) if says == DatabaseError::ENDS_EARLY)
}

/// Writes everything, as it is at one moment, packed and sealed into a file; others read and write meanwhile.
///
/// # Errors
/// When the file is there already or cannot be written, or the database fails. Then no file is left.
pub fn back_up(
    database: &Database,
    keys: &MasterKeys,
    path: &Path,
    progress: Progress,
) -> anyhow::Result<Vec<TableSum>> {
    if path.exists() {
        bail!("{} is there already; nothing is written over", path.display());
    }
    let part = beside(path, "part");
    remove(&part);
    let written = pack(database, keys, &part, progress).and_then(|sums| {
        keep(&part, path)?;
        Ok(sums)
    });
    if written.is_err() {
        remove(&part);
    }
    written
}

fn pack(
    database: &Database,
    keys: &MasterKeys,
    part: &Path,
    progress: Progress,
) -> anyhow::Result<Vec<TableSum>> {
    let file = private_file(part).with_context(|| format!("cannot write {}", part.display()))?;
    let sealed = SealedWriter::begin(BufWriter::new(file), keys, &SystemIds)?;
    let packed = GzEncoder::new(sealed, Compression::fast());
    let (packed, sums) = database.write_snapshot(packed, progress)?;
    packed.finish()?.finish()?;
    Ok(sums)
}

/// A new file that only its owner may read.
fn private_file(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)
}

/// Fills a database that has no table from a file of [`back_up`]; number and hash of every table are read back and compared.
///
/// # Errors
/// When the file is damaged, cut off or sealed under another master key, when the target has tables, or when it fails. Then
/// the target is as it was.
pub fn restore(
    path: &Path,
    keys: &MasterKeys,
    address: &str,
    progress: Progress,
) -> anyhow::Result<Vec<TableSum>> {
    let filling = Filling::begin(address).context("cannot restore there")?;
    let sums = unpack(path, keys, &filling.database, progress)?;
    filling.finish()?;
    Ok(sums)
}

/// Restores a file of [`back_up`] into a throw-away database beside it, and compares number and hash of every table.
///
/// # Errors
/// As [`restore`].
pub fn verify(path: &Path, keys: &MasterKeys, progress: Progress) -> anyhow::Result<Vec<TableSum>> {
    let filling = Filling::begin(&beside(path, "verify").to_string_lossy())?;
    unpack(path, keys, &filling.database, progress)
}

fn unpack(
    path: &Path,
    keys: &MasterKeys,
    database: &Database,
    progress: Progress,
) -> anyhow::Result<Vec<TableSum>> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let opened =
        SealedReader::begin(BufReader::new(file), keys).with_context(|| path.display().to_string())?;
    let input = MultiGzDecoder::new(opened);
    let now = SystemClock.now();
    let sums = database.read_snapshot(programmes::migrations(), input, now, progress);
    sums.with_context(|| path.display().to_string())
}
