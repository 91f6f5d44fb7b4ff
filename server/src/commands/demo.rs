//! `kangmai demo`.

use clap::Args;

use crate::config::Config;

#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// How many people
    #[arg(long, default_value_t = 20_000)]
    people: u32,
}

pub(super) fn run(_: &Config, args: &DemoArgs) -> anyhow::Result<()> {
    anyhow::bail!("{} people", args.people)
}
