//! The commands of the program.

mod account;
mod audit;
mod check;
mod classify;
mod client;
mod copy;
mod database;
mod demo;
mod file;
mod follow_up;
mod hub;
mod keys;
mod law;
mod phones;
mod policy;
mod replay;
mod serve;
mod settle;
mod settlement;
mod watch;
mod whatif;

use clap::{Parser, Subcommand};
use kangmai_base::Day;

use crate::config::{Config, ServeConfig};

/// 康脉 Kangmai: a county's work against illness-caused poverty, in one program
#[derive(Debug, Parser)]
#[command(name = "kangmai", version, about, arg_required_else_help = true)]
pub struct CommandLine {
    #[command(flatten)]
    config: Config,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Build a believable county and serve it: the quickest way to see what this is
    Demo(demo::DemoArgs),
    /// Serve the pages
    Serve(ServeConfig),
    /// Serve a clinic day or a van without a network, and hand on what is written when there is one
    Hub(hub::HubArgs),
    /// Make or update the tables of the database
    Migrate,
    /// Import a file: register, institutions, diagnoses, bills, lines, opening
    Import(file::ImportArgs),
    /// Settle a file of bills without a database
    Settle(settle::SettleArgs),
    /// Check packs and run their cases
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Settle again in retrospect
    #[command(subcommand)]
    Settlement(settlement::SettlementCommand),
    /// Find the households that illness is pulling under
    #[command(subcommand)]
    Watch(watch::WatchCommand),
    /// Put everybody with a diagnosis into the plan of the day
    #[command(subcommand)]
    Classify(classify::ClassifyCommand),
    /// Who is managed for what
    #[command(subcommand)]
    FollowUp(follow_up::FollowUpCommand),
    /// Settle a year's bills with a change of policy, and say who would pay what
    #[command(name = "whatif")]
    WhatIf(whatif::WhatIfArgs),
    /// Work every view out again from the facts
    Rebuild {
        /// Only say what differs; change nothing
        #[arg(long)]
        check: bool,
    },
    /// The keys that seal personal data at rest
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// The database itself
    #[command(subcommand)]
    Database(database::DatabaseCommand),
    /// Move a whole installation from one database into another, which must be empty
    Move(copy::MoveArgs),
    /// Write everything into one sealed file, while servers go on
    Backup(copy::BackupArgs),
    /// Fill an empty database from a sealed file
    Restore(copy::RestoreArgs),
    /// Check configuration, packs and words
    Check,
    /// The audit trail: verify, anchor, cut
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Accounts
    #[command(subcommand)]
    Account(account::AccountCommand),
    /// Phones in the field
    #[command(subcommand)]
    Phones(phones::PhonesCommand),
    /// Systems of hospitals and the keys by which they use the interface
    #[command(subcommand)]
    Client(client::ClientCommand),
}

/// Reads the command line and runs it.
///
/// # Errors
/// What the command says went wrong.
pub fn main() -> anyhow::Result<()> {
    let CommandLine { config, command } = CommandLine::parse();
    config.begin_log();
    match command {
        Command::Demo(args) => demo::run(&config, &args),
        Command::Serve(serve) => serve::run(&config, &serve),
        Command::Hub(args) => hub::run(&config, &args),
        Command::Watch(command) => watch::run(&config, &command),
        Command::Classify(command) => classify::run(&config, &command),
        Command::FollowUp(command) => follow_up::run(&config, &command),
        Command::Settlement(command) => settlement::run(&config, &command),
        Command::WhatIf(args) => whatif::run(&config, &args),
        Command::Migrate => database::migrate(&config),
        Command::Import(args) => file::run(&config, &args),
        Command::Settle(args) => settle::run(&args, &config),
        Command::Policy(command) => policy::run(&command, &config),
        Command::Rebuild { check } => database::rebuild_views(&config, check),
        Command::Keys(command) => keys::run(&config, &command),
        Command::Database(command) => database::run(&config, &command),
        Command::Move(args) => copy::move_to(&args),
        Command::Backup(args) => copy::back_up_to(&config, &args),
        Command::Restore(args) => copy::restore_from(&config, &args),
        Command::Check => check::run(&config),
        Command::Audit(command) => audit::run(&config, &command),
        Command::Account(command) => account::run(&config, &command),
        Command::Phones(command) => phones::run(&config, &command),
        Command::Client(command) => client::run(&config, &command),
    }
}

/// A day of the command line.
fn parse_day(text: &str) -> Result<Day, String> {
    text.parse::<Day>().map_err(|error| error.to_string())
}

/// Says a line to who runs the command.
#[expect(clippy::print_stdout, reason = "what a command has to say")]
fn say(text: impl std::fmt::Display) {
    println!("{text}");
}

/// Shows progress in place on standard error, if that is a terminal.
#[expect(clippy::print_stderr, reason = "a progress line is for the terminal")]
fn show_progress(text: &str) {
    use std::io::IsTerminal as _;
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K{text}");
    }
}
