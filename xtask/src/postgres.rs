//! A PostgreSQL for the tests: the one that `KANGMAI_TEST_POSTGRES` names, or a throw-away cluster of our own.

use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::packages;
use crate::workspace::{find_program, is_root, printed, target};

/// The variable that hands the server's address to the tests. Each test makes databases of its own there.
pub(crate) const ADDRESS: &str = "KANGMAI_TEST_POSTGRES";

const BY_HAND: &str = "Install PostgreSQL 13 or newer (Debian: apt-get install postgresql; Fedora: dnf install \
    postgresql-server; macOS: brew install postgresql@16), or name a server on which tests may create databases: \
    KANGMAI_TEST_POSTGRES=postgres://user@host/postgres; `cargo xtask test --sqlite-only` runs everything else";

/// How long a new cluster may take to answer.
const START_SECONDS: u64 = 60;

/// A server for the tests. A cluster of our own ends, with its files, when this is dropped.
pub(crate) enum Postgres {
    /// Somebody else's.
    Named(String),
    /// Ours.
    Own(Cluster),
}

impl Postgres {
    /// The server that was named, or a cluster of our own.
    pub(crate) fn ready() -> Result<Postgres> {
        match std::env::var(ADDRESS) {
            Ok(address) if !address.is_empty() => Ok(Postgres::Named(address)),
            _ => Ok(Postgres::Own(Cluster::start()?)),
        }
    }

    /// `postgres://…`
    pub(crate) fn address(&self) -> String {
        match self {
            Postgres::Named(address) => address.clone(),
            Postgres::Own(cluster) => format!("postgres://kangmai@127.0.0.1:{}/postgres", cluster.port),
        }
    }

    /// An error if no test made a table here: then the tests of this database were skipped, and nobody saw it.
    pub(crate) fn was_used(&self) -> Result<()> {
        let Postgres::Own(cluster) = self else { return Ok(()) };
        let log = std::fs::read(cluster.folder.join("log")).context("cannot read the cluster's log")?;
        let log = String::from_utf8_lossy(&log).to_lowercase();
        let tables = log.matches("create table").count();
        anyhow::ensure!(tables > 0, "no test made a table in PostgreSQL: its tests were skipped");
        println!("{tables} tables were made by tests in PostgreSQL");
        Ok(())
    }
}

/// A cluster in a folder of its own, on a free port of the loopback.
pub(crate) struct Cluster {
    folder: PathBuf,
    port: u16,
    server: Child,
}

impl Cluster {
    fn start() -> Result<Cluster> {
        let programs = match programs() {
            Some(found) => found,
            None => {
                packages::install(&["postgresql"], BY_HAND)?;
                programs().with_context(|| format!("there is no initdb. {BY_HAND}"))?
            }
        };
        remove_abandoned();
        let owner = Owner::pick()?;
        let folder = owner.new_folder()?;
        let data = folder.join("data");
        let settings = ["-U", "kangmai", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync", "-D"];
        printed(owner.command(&programs.join("initdb")).args(settings).arg(&data))?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let log = std::fs::File::create(folder.join("log"))?;
        let server = owner
            .command(&programs.join("postgres"))
            .arg("-D")
            .arg(&data)
            .args(["-p", &port.to_string()])
            .args(server_settings())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("cannot start postgres")?;
        let mut cluster = Cluster { folder, port, server };
        cluster.wait(&programs)?;
        println!("PostgreSQL for this run on port {port}");
        Ok(cluster)
    }

    fn wait(&mut self, programs: &Path) -> Result<()> {
        let port = self.port.to_string();
        for _ in 0..START_SECONDS * 10 {
            if let Some(status) = self.server.try_wait()? {
                let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                anyhow::bail!("postgres ended with {status}:\n{log}");
            }
            let mut ask = Command::new(programs.join("pg_isready"));
            if printed(ask.args(["-q", "-h", "127.0.0.1", "-p", &port])).is_ok() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        anyhow::bail!("postgres did not answer within {START_SECONDS} seconds")
    }
}

/// A cluster that is thrown away needs no safety; a fast one shortens every test.
fn server_settings() -> Vec<String> {
    let settings = [
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "max_connections=300",
        "fsync=off",
        "synchronous_commit=off",
        "full_page_writes=off",
        "log_statement=ddl",
    ];
    settings.iter().flat_map(|setting| ["-c".to_owned(), (*setting).to_owned()]).collect()
}

impl Drop for Cluster {
    fn drop(&mut self) {
        interrupt(self.server.id());
        for _ in 0..100 {
            if matches!(self.server.try_wait(), Ok(Some(_))) {
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        // After ten seconds of asking nicely; an error means that it is gone already.
        let _gone = self.server.kill();
        let _reaped = self.server.wait();
        let _removed = std::fs::remove_dir_all(&self.folder);
    }
}

/// SIGINT, PostgreSQL's "fast shutdown".
fn interrupt(process: u32) {
    let _sent = Command::new("kill").args(["-INT", &process.to_string()]).stderr(Stdio::null()).status();
}

/// The folder that holds initdb, postgres and pg_isready.
fn programs() -> Option<PathBuf> {
    let mut folders = Vec::new();
    if let Ok(told) = printed(Command::new("pg_config").arg("--bindir")) {
        folders.push(PathBuf::from(told.trim()));
    }
    for parent in ["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt"] {
        let entries = std::fs::read_dir(parent).into_iter().flatten().filter_map(Result::ok);
        let mut bins: Vec<PathBuf> = entries.map(|entry| entry.path().join("bin")).collect();
        bins.sort();
        folders.extend(bins.into_iter().rev());
    }
    folders.retain(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file());
    let beside_path = || find_program(&["initdb"], &[])?.canonicalize().ok()?.parent().map(Path::to_path_buf);
    folders.into_iter().next().or_else(beside_path)
}

/// The user that runs the cluster: PostgreSQL refuses to run as root.
struct Owner {
    /// User and group, if it is another than ours.
    ids: Option<(u32, u32)>,
}

impl Owner {
    fn pick() -> Result<Owner> {
        if !is_root() {
            return Ok(Owner { ids: None });
        }
        let users = std::fs::read_to_string("/etc/passwd")?;
        let ids_of = |name: &str| {
            let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
            let mut fields = line.split(':').skip(2);
            Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
        };
        let ids = ids_of("postgres").or_else(|| ids_of("nobody"));
        Ok(Owner { ids: Some(ids.context("neither a user postgres nor nobody to run PostgreSQL as")?) })
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir("/");
        if let Some((user, group)) = self.ids {
            command.uid(user).gid(group);
        }
        command
    }

    /// A folder of the owner's: under target, or, where the owner cannot reach that, among the temporary files.
    fn new_folder(&self) -> Result<PathBuf> {
        let name = folder_name(std::process::id());
        for parent in parents() {
            let folder = parent.join(&name);
            if std::fs::create_dir_all(&folder).is_err() {
                continue;
            }
            if let Some((user, group)) = self.ids {
                chown(&folder, Some(user), Some(group))?;
            }
            let reachable = self.command(Path::new("test")).arg("-w").arg(&folder).status()?.success();
            if reachable {
                return Ok(folder);
            }
            std::fs::remove_dir(&folder)?;
        }
        anyhow::bail!("no folder for a cluster: the user that runs PostgreSQL can write nowhere")
    }
}

fn parents() -> [PathBuf; 2] {
    [target(), std::env::temp_dir()]
}

const FOLDER_PREFIX: &str = "kangmai-test-postgres-";

fn folder_name(process: u32) -> String {
    format!("{FOLDER_PREFIX}{process}")
}

/// Ends and removes clusters whose run was killed before it could.
fn remove_abandoned() {
    for parent in parents() {
        for entry in std::fs::read_dir(parent).into_iter().flatten().filter_map(Result::ok) {
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some(process) = name.strip_prefix(FOLDER_PREFIX).and_then(|id| id.parse::<u32>().ok()) else {
                continue;
            };
            if !is_alive(process) {
                end_server_of(&entry.path());
                let _removed = std::fs::remove_dir_all(entry.path());
            }
        }
    }
}

fn is_alive(process: u32) -> bool {
    let asked = Command::new("kill").args(["-0", &process.to_string()]).stderr(Stdio::null()).status();
    asked.is_ok_and(|status| status.success())
}

/// The server that wrote `folder`'s postmaster.pid, if the process of that number still is that server: its owner
/// must be the folder's and its command line must name the folder.
fn end_server_of(folder: &Path) {
    let Ok(written) = std::fs::read_to_string(folder.join("data/postmaster.pid")) else { return };
    let Some(process) = written.lines().next().and_then(|line| line.trim().parse::<u32>().ok()) else {
        return;
    };
    let about = PathBuf::from(format!("/proc/{process}"));
    let command_line = std::fs::read(about.join("cmdline")).unwrap_or_default();
    let names_folder = String::from_utf8_lossy(&command_line).contains(&*folder.to_string_lossy());
    let owner = |path: &Path| std::fs::metadata(path).map(|metadata| metadata.uid()).ok();
    if names_folder && owner(&about) == owner(folder) {
        interrupt(process);
        std::thread::sleep(Duration::from_secs(1));
    }
}
