//! What can be set from outside: flags and environment, in one place.

mod limits;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use kangmai_access::{AuditWatch, SignInRules};
use kangmai_database::Database;
use kangmai_openid::{Provider, ProviderSettings};
use kangmai_programme::{GateRules, RequestLimits};
use kangmai_seal::MasterKeys;
use kangmai_web::TrustedProxies;
use zeroize::Zeroizing;

use crate::application::OpenIdDesk;
use crate::tls::Certificate;

pub use limits::LimitsConfig;

/// Settings that every command takes.
#[derive(Debug, Clone, Args)]
pub struct Config {
    /// The database: a path for SQLite, or postgres://user@host/name
    #[arg(long, env = "KANGMAI_DATABASE", default_value = "kangmai-data/kangmai.db", global = true)]
    pub database: String,
    /// The file with the master key that opens the keys in the database; its text may stand in KANGMAI_MASTER_KEY instead
    #[arg(long, env = "KANGMAI_MASTER_KEY_FILE", global = true)]
    pub master_key_file: Option<PathBuf>,
    /// Connections to PostgreSQL at most
    #[arg(long, env = "KANGMAI_DATABASE_CONNECTIONS", default_value_t = Database::CONNECTIONS, global = true)]
    pub database_connections: usize,
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
    /// Serve by https with the certificates in this file (PEM, the own first); read anew when it changes, and on SIGHUP
    #[arg(long, env = "KANGMAI_TLS_CERTIFICATE", requires = "tls_key")]
    pub tls_certificate: Option<PathBuf>,
    /// The file with the key of the certificate (PEM)
    #[arg(long, env = "KANGMAI_TLS_KEY", requires = "tls_certificate")]
    pub tls_key: Option<PathBuf>,
    /// A folder for files that come in, of this program alone
    #[arg(long, env = "KANGMAI_UPLOADS", default_value = "kangmai-data/uploads")]
    pub uploads: PathBuf,
    /// A folder for the daily anchors of the audit trail, best on another machine
    #[arg(long = "anchors", env = "KANGMAI_AUDIT_ANCHORS", default_value = "kangmai-data/audit-anchors")]
    pub anchors: PathBuf,
    /// Signing in and coming in.
    #[command(flatten)]
    pub gate: GateConfig,
    /// How much at once, and how long anything may take.
    #[command(flatten)]
    pub limits: LimitsConfig,
}

impl ServeConfig {
    /// What is set and concerns who may come in, in one line: for the audit trail.
    pub fn settings(&self) -> String {
        let gate = &self.gate;
        format!(
            "listen={} secure={} second_factor={:?} idle_minutes={} session_hours={} trusted_proxies={} openid={}",
            self.listen,
            self.secure,
            gate.second_factor,
            gate.idle_minutes,
            gate.session_hours,
            gate.trusted_proxies,
            gate.openid_issuer.as_deref().unwrap_or("-"),
        )
    }
}

impl ServeConfig {
    /// The certificate, if the program is to serve by https itself.
    ///
    /// # Errors
    /// When it cannot be used.
    pub fn certificate(&self) -> anyhow::Result<Option<Certificate>> {
        match (&self.tls_certificate, &self.tls_key) {
            (Some(certificate), Some(key)) => Certificate::read(certificate, key).map(Some),
            _ => Ok(None),
        }
    }
}

/// Settings of signing in, and of how often anybody may come.
#[derive(Debug, Clone, Args)]
pub struct GateConfig {
    /// Who must set up a second factor: required = whoever sees more than a village; voluntary = nobody
    #[arg(long, env = "KANGMAI_SECOND_FACTOR", value_enum, default_value_t = SecondFactorRule::Required)]
    pub second_factor: SecondFactorRule,
    /// A session without a request ends after so many minutes
    #[arg(long, env = "KANGMAI_IDLE_MINUTES", default_value_t = SignInRules::IDLE_SECONDS / 60, value_parser = clap::value_parser!(i64).range(1..=720))]
    pub idle_minutes: i64,
    /// A session ends after so many hours at the latest
    #[arg(long, env = "KANGMAI_SESSION_HOURS", default_value_t = SignInRules::LONGEST_SECONDS / 3600, value_parser = clap::value_parser!(i64).range(1..=24))]
    pub session_hours: i64,
    /// Proxies whose X-Forwarded-For counts: addresses or networks, with commas between them
    #[arg(long, env = "KANGMAI_TRUSTED_PROXIES", default_value_t)]
    pub trusted_proxies: TrustedProxies,
    /// The auditor's lists.
    #[command(flatten)]
    pub audit: AuditConfig,
    /// Sign in by this OpenID Connect provider as well; its secret: KANGMAI_OPENID_SECRET or KANGMAI_OPENID_SECRET_FILE
    #[arg(long, env = "KANGMAI_OPENID_ISSUER", requires = "openid_client", requires = "openid_address")]
    pub openid_issuer: Option<String>,
    /// What the provider calls this program
    #[arg(long, env = "KANGMAI_OPENID_CLIENT")]
    pub openid_client: Option<String>,
    /// The address of this program as browsers have it: https://kangmai.county.example
    #[arg(long, env = "KANGMAI_OPENID_ADDRESS")]
    pub openid_address: Option<String>,
    /// The claim that gives the sign-in name; else an administrator binds each identity to an account
    #[arg(long, env = "KANGMAI_OPENID_CLAIM")]
    pub openid_claim: Option<String>,
    /// The provider asks for a second factor, so that this program does not
    #[arg(long, env = "KANGMAI_OPENID_SECOND_FACTOR")]
    pub openid_second_factor: bool,
    /// A file of certificates (PEM) that vouch for the provider in place of the public ones
    #[arg(long, env = "KANGMAI_OPENID_CERTIFICATES")]
    pub openid_certificates: Option<PathBuf>,
    /// Requests of one account in a minute
    #[arg(long, env = "KANGMAI_ACCOUNT_REQUESTS", default_value_t = RequestLimits::USUAL.of_account)]
    pub account_requests: u32,
    /// Requests of one address in a minute that belong to no session and no key
    #[arg(long, env = "KANGMAI_STRANGER_REQUESTS", default_value_t = RequestLimits::USUAL.of_stranger)]
    pub stranger_requests: u32,
    /// Requests of one client of the interface in a minute
    #[arg(long, env = "KANGMAI_CLIENT_REQUESTS", default_value_t = RequestLimits::USUAL.of_client)]
    pub client_requests: u32,
}

/// Who must set up a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SecondFactorRule {
    /// Whoever sees more than a village.
    Required,
    /// Nobody; who has one is asked for it.
    Voluntary,
}

/// Secrets are in the environment or in a file, never on the command line, which every user of the machine can read.
pub(crate) fn secret_of(variable: &str) -> anyhow::Result<Option<String>> {
    let file = std::env::var_os(format!("{variable}_FILE")).map(PathBuf::from);
    match (std::env::var(variable).ok(), file) {
        (Some(_), Some(_)) => anyhow::bail!("set {variable} or {variable}_FILE, not both"),
        (secret, None) => Ok(secret),
        (None, Some(path)) => {
            let text = std::fs::read_to_string(&path);
            let text = text.with_context(|| format!("cannot read {}", path.display()))?;
            Ok(Some(text.trim().to_owned()))
        }
    }
}

impl GateConfig {
    /// The identity provider, if one is set.
    ///
    /// # Errors
    /// When a setting is missing or cannot be.
    pub fn openid(&self) -> anyhow::Result<Option<Arc<OpenIdDesk>>> {
        let (Some(issuer), Some(client_id), Some(address)) =
            (&self.openid_issuer, &self.openid_client, &self.openid_address)
        else {
            return Ok(None);
        };
        let certificates = self.openid_certificates.as_ref().map(std::fs::read_to_string).transpose();
        let settings = ProviderSettings {
            issuer: issuer.clone(),
            client_id: client_id.clone(),
            client_secret: secret_of("KANGMAI_OPENID_SECRET")?.unwrap_or_default(),
            redirect: format!("{}/sign-in/openid/back", address.trim_end_matches('/')),
            scope: "profile".to_owned(),
            certificates: certificates.context("cannot read the provider's certificates")?,
        };
        let provider = Provider::new(settings).context("the identity provider is not taken")?;
        let desk = OpenIdDesk::new(provider, self.openid_claim.clone(), self.openid_second_factor);
        Ok(Some(Arc::new(desk)))
    }

    /// As the program takes them.
    pub fn rules(&self) -> GateRules {
        GateRules {
            sign_in: SignInRules {
                idle_seconds: self.idle_minutes * 60,
                longest_seconds: self.session_hours * 3_600,
                second_factor_required: self.second_factor == SecondFactorRule::Required,
            },
            limits: RequestLimits {
                of_stranger: self.stranger_requests,
                of_account: self.account_requests,
                of_client: self.client_requests,
                ..RequestLimits::USUAL
            },
            proxies: self.trusted_proxies.clone(),
            issuer: self.openid_issuer.clone(),
            audit: self.audit.watch(),
        }
    }
}

/// What counts as out of the ordinary in the audit trail: choices of ours, no rule of the field.
#[derive(Debug, Clone, Args)]
pub struct AuditConfig {
    /// Reads from this hour on count as reads at night
    #[arg(long, env = "KANGMAI_AUDIT_NIGHT_FROM", default_value_t = AuditWatch::USUAL.night_from_hour, value_parser = clap::value_parser!(i64).range(0..=24))]
    pub audit_night_from: i64,
    /// Reads before this hour count as reads at night
    #[arg(long, env = "KANGMAI_AUDIT_NIGHT_UNTIL", default_value_t = AuditWatch::USUAL.night_until_hour, value_parser = clap::value_parser!(i64).range(0..=24))]
    pub audit_night_until: i64,
    /// Reads at night that put an account on the auditor's list
    #[arg(long, env = "KANGMAI_AUDIT_NIGHT_READS", default_value_t = AuditWatch::USUAL.night_reads, value_parser = clap::value_parser!(i64).range(1..))]
    pub audit_night_reads: i64,
    /// People read within an hour that put an account on the auditor's list
    #[arg(long, env = "KANGMAI_AUDIT_PEOPLE_AN_HOUR", default_value_t = AuditWatch::USUAL.people_an_hour, value_parser = clap::value_parser!(i64).range(1..))]
    pub audit_people_an_hour: i64,
    /// Files exported on a day that put an account on the auditor's list
    #[arg(long, env = "KANGMAI_AUDIT_EXPORTS_A_DAY", default_value_t = AuditWatch::USUAL.exports_a_day, value_parser = clap::value_parser!(i64).range(1..))]
    pub audit_exports_a_day: i64,
    /// People read without relation or task that put an account on the auditor's list
    #[arg(long, env = "KANGMAI_AUDIT_PEOPLE_WITHOUT_ACT", default_value_t = AuditWatch::USUAL.people_without_act, value_parser = clap::value_parser!(i64).range(1..))]
    pub audit_people_without_act: i64,
}

impl AuditConfig {
    fn watch(&self) -> AuditWatch {
        AuditWatch {
            night_from_hour: self.audit_night_from,
            night_until_hour: self.audit_night_until,
            night_reads: self.audit_night_reads,
            people_an_hour: self.audit_people_an_hour,
            exports_a_day: self.audit_exports_a_day,
            people_without_act: self.audit_people_without_act,
        }
    }
}

/// What never comes into the log, whatever is asked for: axum says what stood in an address that it could not read, and that may
/// be a name.
const NEVER_LOGGED: &str = "axum::rejection=off";

/// What is logged at `level`, which says it as `KANGMAI_LOG_LEVEL` does; what cannot be read counts as `info`.
pub fn log_filter(level: &str) -> tracing_subscriber::EnvFilter {
    tracing_subscriber::EnvFilter::try_new(format!("{level},{NEVER_LOGGED}"))
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(format!("info,{NEVER_LOGGED}")))
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogForm {
    /// For people.
    Text,
    /// One JSON object a line, for collectors.
    Json,
}

/// The variable that may hold the text of the master key. No flag: a command line can be seen by everybody on the machine.
const MASTER_KEY: &str = "KANGMAI_MASTER_KEY";

impl Config {
    /// The master key, if there is one.
    ///
    /// # Errors
    /// When the file cannot be read, or the text is no key.
    pub fn master(&self) -> anyhow::Result<Option<MasterKeys>> {
        let text = match (std::env::var(MASTER_KEY).map(Zeroizing::new), &self.master_key_file) {
            (Ok(text), _) if !text.trim().is_empty() => text,
            (_, Some(path)) => {
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("cannot read the master key in {}", path.display()))?;
                Zeroizing::new(text)
            }
            _ => return Ok(None),
        };
        Ok(Some(text.parse().context("the master key")?))
    }

    /// Begins logging to standard error. Logs hold no personal data: routes by template, never a query, never a name.
    pub fn begin_log(&self) {
        let builder = tracing_subscriber::fmt()
            .with_env_filter(log_filter(&self.log_level))
            .with_writer(std::io::stderr);
        // A second call (in tests) leaves the first log in place.
        let _ = match self.log {
            LogForm::Text => builder.with_target(false).try_init(),
            LogForm::Json => builder.json().flatten_event(true).try_init(),
        };
    }
}
