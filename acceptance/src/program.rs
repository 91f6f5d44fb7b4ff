//! The program as a process of its own, to be started, killed and started again.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// How long a server may take until it answers, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks whether it answers.
const LOOK_AGAIN: Duration = Duration::from_millis(10);
/// A master key for tests: every process of a journey must have the same.
const MASTER_KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// Where the program is, and on which database it works.
#[derive(Debug, Clone)]
pub struct Program {
    /// The executable.
    pub executable: PathBuf,
    /// The database.
    pub database: String,
    /// A folder for uploads and whatever a test writes.
    pub folder: PathBuf,
}

/// A process that runs. Killed when dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    /// Host and port, if it serves.
    pub host: String,
}

impl Program {
    /// The program with these words of the command line.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.executable);
        command
            .args(words)
            .env("KANGMAI_DATABASE", &self.database)
            .env("KANGMAI_UPLOADS", self.folder.join("uploads"))
            .env("KANGMAI_AUDIT_ANCHORS", self.folder.join("anchors"))
            .env("KANGMAI_MASTER_KEY", MASTER_KEY)
            .env("KANGMAI_LOG_LEVEL", "error")
            .stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().expect("the program is there")
    }

    /// Runs a command to its good end; what it printed.
    pub fn must(&self, words: &[&str]) -> String {
        let output = self.run(words);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?} failed: {told}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Begins a command.
    pub fn begin(&self, words: &[&str]) -> Running {
        let mut command = self.command(words);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Running { child: command.spawn().expect("the program is there"), host: String::new() }
    }

    /// Begins to serve on a free port of this machine; answers at once.
    pub fn begin_serving(&self) -> Running {
        self.begin_serving_under(self.command(&["serve"]))
    }

    /// The same with a command that was made ready: other variables, limits.
    pub fn begin_serving_under(&self, mut command: Command) -> Running {
        let host = free_host();
        command.env("KANGMAI_LISTEN", &host).stdout(Stdio::null());
        Running { child: command.spawn().expect("the program is there"), host }
    }

    /// Serves, and answers.
    pub fn serve(&self) -> Running {
        let mut running = self.begin_serving();
        running.wait_until_it_answers();
        running
    }
}

impl Running {
    /// The number of the process.
    pub fn number(&self) -> u32 {
        self.child.id()
    }

    /// Waits until a server takes connections.
    #[expect(clippy::disallowed_methods, reason = "waits for another process")]
    pub fn wait_until_it_answers(&mut self) {
        let until = Instant::now() + PATIENCE;
        while TcpStream::connect(&self.host).is_err() {
            let ended = self.child.try_wait().expect("a child");
            assert!(ended.is_none(), "the server ended instead of serving: {ended:?}");
            assert!(Instant::now() < until, "the server does not answer");
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// Ends it without a word (SIGKILL). Whether it was still at work.
    pub fn kill(&mut self) -> bool {
        let was_running = self.child.try_wait().expect("a child").is_none();
        if was_running {
            // It may end in this very moment.
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
        was_running
    }

    /// Asks it to stop (SIGTERM), as systemd does.
    pub fn ask_to_stop(&self) {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(asked.expect("the command kill").success());
    }

    /// Waits for its end; whether it ended well.
    pub fn ends_well(&mut self) -> bool {
        self.child.wait().expect("a child").success()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A folder of its own below the folder for temporary files.
pub fn fresh_folder(name: &str) -> PathBuf {
    use kangmai_base::Ids as _;
    let id = kangmai_base::SystemIds.mint(kangmai_base::Moment(0));
    let folder = std::env::temp_dir().join(format!("kangmai-{name}-{id}"));
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// Removes a folder of [`fresh_folder`].
pub fn remove_folder(folder: &Path) {
    // What stays is for the system to clear.
    let _ = std::fs::remove_dir_all(folder);
}

fn free_host() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").to_string()
}
