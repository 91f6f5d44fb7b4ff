//! What can be set from outside: flags and environment, in one place.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Settings that every command takes.
#[derive(Debug, Clone, Args)]
pub struct Config {
    /// The database: a path for SQLite, or postgres://user@host/name
    #[arg(long, env = "KANGMAI_DATABASE", default_value = "kangmai-data/kangmai.db", global = true)]
    pub database: String,
    /// A directory of policy packs that takes the place of those inside the program
    #[arg(long, env = "KANGMAI_POLICIES", global = true)]
    pub policies: Option<PathBuf>,
    /// How to log
    #[arg(long, env = "KANGMAI_LOG", value_enum, default_value_t = LogForm::Text, global = true)]
    pub log: LogForm,
    /// What to log: error, warn, info, debug, or per module as in `kangmai=debug`
    #[arg(long, env = "KANGMAI_LOG_LEVEL", default_value = "info", global = true)]
    pub log_level: String,
}

/// Settings of the server.
#[derive(Debug, Clone, Args)]
pub struct ServeConfig {
    /// Address to listen on
    #[arg(long, env = "KANGMAI_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// The program is reached by https (through a proxy): cookies are marked so
    #[arg(long, env = "KANGMAI_SECURE")]
    pub secure: bool,
    /// A folder for files that come in, of this program alone
    #[arg(long, env = "KANGMAI_UPLOADS", default_value = "kangmai-data/uploads")]
    pub uploads: PathBuf,
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogForm {
    /// For people.
    Text,
    /// One JSON object a line, for collectors.
    Json,
}

impl Config {
    /// Begins logging to standard error. Logs hold no personal data: routes by template, never a query, never a name.
    pub fn begin_log(&self) {
        let filter = tracing_subscriber::EnvFilter::try_new(&self.log_level)
            .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
        let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
        // A second call (in tests) leaves the first log in place.
        let _ = match self.log {
            LogForm::Text => builder.with_target(false).try_init(),
            LogForm::Json => builder.json().flatten_event(true).try_init(),
        };
    }
}
