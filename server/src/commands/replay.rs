//! `kangmai policy replay`: works a receipt out again.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use kangmai_base::Fen;
use kangmai_policy::Outcome;
use kangmai_settlement::replay::{NotReplayed, ReceiptFile, Replayed, replay};

use super::say;
use super::serve::kept_release;
use crate::application::{load_policies, loaded};
use crate::config::Config;

/// The longest file of a receipt, in bytes.
const LONGEST_RECEIPT: u64 = 1 << 20;

/// Which receipt, under which packs.
#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    /// The receipt, as a statement's page gives it out
    receipt: PathBuf,
    /// Under the packs of --policies or inside the program, also if they are not the receipt's release; without it the
    /// release of the receipt, from the packs at hand or as the database keeps it
    #[arg(long)]
    anyway: bool,
}

/// Runs the command.
///
/// # Errors
/// The file or the packs cannot be read, the receipt may not be worked out under them, or it comes to something else.
pub(super) fn run(args: &ReplayArgs, config: &Config) -> anyhow::Result<()> {
    let path = args.receipt.display();
    let size = std::fs::metadata(&args.receipt).with_context(|| format!("cannot read {path}"))?.len();
    if size > LONGEST_RECEIPT {
        bail!("{path} is longer than a receipt can be ({LONGEST_RECEIPT} bytes)");
    }
    let text = std::fs::read(&args.receipt).with_context(|| format!("cannot read {path}"))?;
    let file: ReceiptFile =
        serde_json::from_slice(&text).with_context(|| format!("{path} is not the file of a receipt"))?;
    let mut policies = load_policies(config.policies.as_deref())?;
    if policies.hash() != file.receipt.release
        && !args.anyway
        && let Some(files) = kept_release(config, &file.receipt.release)?
    {
        // The release that settled it was in force here once: it is kept.
        policies = loaded(files)?;
    }
    let replayed = match replay(&policies, &file, args.anyway) {
        Ok(replayed) => replayed,
        Err(why) => bail!("{}", reason(&why)),
    };
    say(outcome(&file, policies.hash(), &replayed));
    if replayed.is_same() { Ok(()) } else { bail!("the receipt comes to something else") }
}

fn reason(why: &NotReplayed) -> String {
    match why {
        NotReplayed::Format(format) => {
            format!("the file has the form {format:?}, which this program does not read")
        }
        NotReplayed::Altered => {
            "the receipt is not the one that its hash was taken of: it was altered".to_owned()
        }
        NotReplayed::OtherFacts => {
            "the list of facts does not say what receipt and bill say: it was altered".to_owned()
        }
        NotReplayed::OtherRelease(receipt, here) => format!(
            "the receipt was settled by release {receipt}, the packs at hand are release {here}; give that release's packs \
             with --policies, or say --anyway"
        ),
        NotReplayed::NoPack(directory) => format!("the packs at hand have no {directory}"),
    }
}

/// Layer by layer, in lines.
fn outcome(file: &ReceiptFile, release: &str, replayed: &Replayed) -> String {
    let mut lines = vec![format!(
        "settled by {} under {} of release {}",
        file.receipt.engine, file.receipt.jurisdiction, file.receipt.release
    )];
    if file.receipt.release != release {
        lines.push(format!("worked out again under another release: {release}"));
    }
    if file.diagnosis_withheld {
        lines.push("the diagnosis is withheld: a layer that asks for it may come out otherwise".to_owned());
    }
    let said = |side: &Option<(Outcome, Fen)>| match side {
        Some((outcome, amount)) => format!("{amount} ({outcome:?})"),
        None => "not there".to_owned(),
    };
    for layer in &replayed.layers {
        lines.push(if layer.is_same() {
            format!("  {}: {}, the same", layer.layer, said(&layer.kept))
        } else {
            format!("  {}: receipt {}, now {}", layer.layer, said(&layer.kept), said(&layer.now))
        });
    }
    let (kept, now) = replayed.own;
    lines.push(if kept == now {
        format!("  own share: {kept}, the same")
    } else {
        format!("  own share: receipt {kept}, now {now}")
    });
    let same = if replayed.after.0 == replayed.after.1 { "the same" } else { "something else" };
    lines.push(format!("  used of the year after it: {same}"));
    let verdict = if replayed.is_same() { "the same to the fen" } else { "not the same" };
    lines.push(verdict.to_owned());
    lines.join("\n")
}
