//! `kangmai settle`: settles a file of bills without a database.
//!
//! Rows are read and parsed on one thread and settled and written on another. A file whose rows stand together by person
//! is streamed; any other is first split by person into parts that fit in memory. Either way the bills of a person-year
//! are settled in order of discharge. Where the law gives households accumulators together, the file is split so that all
//! whom a household joins stay together.

mod around;
mod bill_file;
mod columns;
mod line_file;
mod order;
mod output;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};

use anyhow::{Context as _, bail};
use clap::Args;
use kangmai_base::{Day, DivisionCode, Fen};
use kangmai_policy::{InsuranceYear, Jurisdiction, Policy, Release, Settler, Trace, YearAccumulators};
use kangmai_web::{Language, Words};

use self::around::{Around, Telling};
use self::bill_file::{BillRow, Reading};
use self::line_file::LineFile;
use self::order::{NotGrouped, Sent};
use self::output::Output;
use super::law::in_force;
use super::{say, show_progress};
use crate::application::load_policies;
use crate::config::Config;
use crate::programmes;

/// What `kangmai settle` is told.
#[derive(Debug, Args)]
pub(super) struct SettleArgs {
    /// The packs: a directory of packs, or one pack in it (policies/cn/henan/zhengzhou), which then holds for all
    /// bills. Without it: those of --policies, else those inside the program, by the place of each
    /// bill
    #[arg(long)]
    pack: Option<PathBuf>,
    /// The packs: the law in force in the database, what was published there included
    #[arg(long, conflicts_with = "pack")]
    published: bool,
    /// The bills: .csv (UTF-8 or GBK) or .xlsx
    #[arg(long)]
    bills: PathBuf,
    /// The lines of the bills (收费明细): what each charges, by institution code and bill number
    #[arg(long)]
    lines: Option<PathBuf>,
    /// The register of people: who has which label since when
    #[arg(long)]
    people: Option<PathBuf>,
    /// The list of institutions: tier and grade by code
    #[arg(long)]
    institutions: Option<PathBuf>,
    /// What people have used up of the year so far
    #[arg(long)]
    opening: Option<PathBuf>,
    /// Where to write the result (.csv)
    #[arg(long)]
    out: Option<PathBuf>,
    /// Where to write the rows that were not settled, with reason and suggestion (.csv); as a rule beside the result
    #[arg(long)]
    errors: Option<PathBuf>,
    /// Division code of people whose row does not say where they are insured
    #[arg(long)]
    place: Option<DivisionCode>,
    /// Accept by name a rule that a pack cannot express
    #[arg(long)]
    accept: Vec<String>,
    /// Print the statement of this bill in words
    #[arg(long)]
    explain: Option<String>,
    /// English sentences and titles
    #[arg(long)]
    english: bool,
}

/// Batches that may wait between reading and settling.
const BATCHES_WAITING: usize = 4;
/// Errors that are printed; the file of errors has all.
const MOST_PRINTED: usize = 20;

/// Everything that settling reads and nothing changes.
struct Setup {
    release: Arc<Release>,
    /// The one pack that holds for all bills, if one was named: its number among the jurisdictions.
    fixed: Option<u16>,
    accepted: Vec<String>,
    place: Option<DivisionCode>,
    around: Around,
    words: Words,
    language: Language,
}

impl Setup {
    fn jurisdiction(&self, number: u16) -> Option<&Jurisdiction> {
        self.release.jurisdictions().get(usize::from(number))
    }

    /// The insurance year that a bill counts in: that of the one pack if one was named, else of the person's place.
    fn insurance_year(&self, jurisdiction: &Jurisdiction, bill: &BillRow) -> InsuranceYear {
        if !self.release.has_insurance_years() {
            return InsuranceYear::calendar(bill.facts.discharge.year());
        }
        let place = if self.fixed.is_some() { jurisdiction.pack.place } else { bill.facts.person_place };
        self.release.insurance_year(place, bill.facts.discharge)
    }
}

/// Runs the command.
///
/// # Errors
/// A file that cannot be read or written, packs that do not load. Rows that cannot be settled are no error of the
/// command: they are listed.
pub(super) fn run(args: &SettleArgs, config: &Config) -> anyhow::Result<()> {
    if args.out.is_none() && args.explain.is_none() {
        bail!("say where the result goes: --out FILE.csv (or --explain BILL to see one statement)");
    }
    let setup = Arc::new(prepare(args, config)?);
    let errors = args.errors.clone().or_else(|| args.out.as_deref().map(errors_beside));
    let settle_by = |bring| {
        let mut output = Output::create(args.out.as_deref(), errors.as_deref(), &setup)?;
        let lines =
            args.lines.as_deref().map(|path| LineFile::read(path, &setup, &mut output)).transpose()?;
        settle_all(args, &setup, lines.as_ref(), &mut output, bring)?;
        Ok::<_, anyhow::Error>(output)
    };
    let (output, by_person) = match settle_by(order::stream as Bring) {
        Ok(output) => (output, true),
        Err(error) if error.is::<NotGrouped>() => (settle_by(order::split)?, false),
        Err(error) => return Err(error),
    };
    let summary = output.finish()?;
    show_progress("");
    say(format!(
        "{} bills settled, {} rows not settled, {} rows seen twice; packs {}{}",
        summary.bills,
        summary.faulty,
        summary.repeated,
        &setup.release.hash()[..12],
        if by_person { "" } else { "; the file was split by person first" }
    ));
    if args.lines.is_some() {
        say(format!("{} bills with lines, {} lines not taken", summary.with_lines, summary.faulty_lines));
    }
    for line in summary.first_errors.iter().take(MOST_PRINTED) {
        say(line);
    }
    match (&errors, summary.faulty + summary.faulty_lines) {
        (Some(path), 1..) => say(format!("rows not settled: {}", path.display())),
        (Some(path), 0) if summary.repeated == 0 => std::fs::remove_file(path).unwrap_or_default(),
        _ => {}
    }
    if let Some(number) = &args.explain {
        match summary.explained {
            Some(text) => say(text),
            None => bail!("no bill {number:?} was settled"),
        }
    }
    Ok(())
}

fn errors_beside(out: &Path) -> PathBuf {
    out.with_extension("errors.csv")
}

fn prepare(args: &SettleArgs, config: &Config) -> anyhow::Result<Setup> {
    let language = if args.english { Language::En } else { Language::Zh };
    let words = Words::load(&programmes::words()).context("words")?;
    let (root, inside) = match &args.pack {
        Some(path) => root_of(path)?,
        None => (config.policies.clone(), None),
    };
    let release = if args.published {
        let read = in_force(config)?.context("there is no database here whose law could be read")?;
        say(read.which);
        read.release
    } else {
        load_policies(root.as_deref())?
    };
    let fixed = match &inside {
        None => None,
        Some(directory) => {
            let number = release.jurisdictions().iter().position(|one| one.pack.directory == *directory);
            Some(number.with_context(|| format!("no pack {directory}"))? as u16)
        }
    };
    let mut setup = Setup {
        release,
        fixed,
        accepted: args.accept.clone(),
        place: args.place,
        around: Around::default(),
        words,
        language,
    };
    let mut around = Around::default();
    let telling = Telling { words: &setup.words, language };
    if let Some(path) = &args.people {
        around.read_people(path, &setup.release, &telling)?;
    }
    if let Some(path) = &args.institutions {
        around.read_institutions(path, &setup.release, &telling)?;
    }
    if let Some(path) = &args.opening {
        around.read_openings(path, &setup.release, &telling)?;
    }
    setup.around = around;
    Ok(setup)
}

/// The directory of all packs and, if `path` is one pack in it, that pack's directory within.
fn root_of(path: &Path) -> anyhow::Result<(Option<PathBuf>, Option<String>)> {
    let path = path.canonicalize().with_context(|| format!("no packs at {}", path.display()))?;
    let is_pack = |path: &Path| path.join("pack.toml").is_file();
    if !is_pack(&path) {
        return Ok((Some(path), None));
    }
    let mut root = path.as_path();
    while is_pack(root)
        && let Some(above) = root.parent()
    {
        root = above;
    }
    let inside = path.strip_prefix(root).context("a pack outside of its packs")?;
    Ok((Some(root.to_path_buf()), Some(inside.to_string_lossy().replace('\\', "/"))))
}

/// A way to bring the rows of a file into order: sends batches in which each person's rows stand together.
type Bring = fn(&Path, &mut Reading<'_>, &Sent<'_>) -> anyhow::Result<()>;

fn settle_all(
    args: &SettleArgs,
    setup: &Arc<Setup>,
    lines: Option<&LineFile>,
    output: &mut Output<'_>,
    bring: Bring,
) -> anyhow::Result<()> {
    let percent = AtomicU64::new(0);
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(BATCHES_WAITING);
        let (percent, setup) = (&percent, &**setup);
        let reader = scope.spawn(move || {
            let sent = Sent { sender, percent };
            let mut reading = Reading::new(setup, lines.map(LineFile::reader).transpose()?);
            bring(&args.bills, &mut reading, &sent)?;
            sent.rest(reading.left_over()?)
        });
        let written = settle_batches(args, setup, output, &receiver, percent);
        drop(receiver);
        let read = reader.join().map_err(|_| anyhow::anyhow!("the reader broke off"))?;
        written.and(read)
    })
}

/// What settles under each policy, by the number of its jurisdiction.
type Settlers<'s> = HashMap<u16, Settler<'s>>;

fn settle_batches(
    args: &SettleArgs,
    setup: &Setup,
    output: &mut Output<'_>,
    receiver: &Receiver<order::Batch>,
    percent: &AtomicU64,
) -> anyhow::Result<()> {
    let mut trace = None;
    let mut settlers = Settlers::new();
    for mut batch in receiver {
        for error in &batch.errors {
            output.error(error)?;
        }
        for group in batch.bills.chunk_by_mut(|a, b| a.chain == b.chain) {
            // The number last, so that the order of the file never matters.
            group.sort_by(|a, b| order_key(a).cmp(&order_key(b)));
            settle_chain(args, setup, output, group, (&mut settlers, &mut trace))?;
        }
        show_progress(&format!("{:3} %  {} bills", percent.load(Ordering::Relaxed), output.bills()));
    }
    Ok(())
}

fn order_key(bill: &BillRow) -> (Day, Day, &str) {
    (bill.facts.discharge, bill.facts.settlement, &bill.number)
}

/// Pack and insurance year.
type Year = (u16, i32);

/// The years of those who are settled together.
#[derive(Default)]
struct Years {
    /// The one at hand: whose, which, and what is used of it.
    current: Option<(u64, Year)>,
    year: YearAccumulators,
    /// Those of the others.
    others: HashMap<(u64, Year), YearAccumulators>,
    /// What households have together.
    households: HashMap<(u64, Year), YearAccumulators>,
}

impl Years {
    /// Goes on with the year that a bill counts in, or begins it.
    fn take_up(&mut self, setup: &Setup, bill: &BillRow, year: Year, policy: &Policy) {
        let next = (bill.person, year);
        if self.current == Some(next) {
            return;
        }
        let opened = || {
            let mut opened = setup.around.opening(bill.person, year.1, policy);
            policy.give_back(&mut opened, &mut YearAccumulators::default());
            opened
        };
        let next_year = self.others.remove(&next).unwrap_or_else(opened);
        let before = std::mem::replace(&mut self.year, next_year);
        if let Some(earlier) = self.current.replace(next).filter(|_| policy.has_shared()) {
            self.others.insert(earlier, before);
        }
    }
}

/// What the members of a household had used of what it has together: of its bills here, and of the register.
fn opened_together(
    setup: &Setup,
    bills: &[BillRow],
    household: u64,
    year: Year,
    policy: &Policy,
) -> YearAccumulators {
    let of_bills = bills.iter().filter(|bill| bill.household_or_self() == household).map(|bill| bill.person);
    let mut members: Vec<u64> = of_bills.collect();
    members.extend(setup.around.opened_members(household));
    members.sort_unstable();
    members.dedup();
    let mut sum = YearAccumulators::NONE;
    for member in members {
        let opening = setup.around.opening(member, year.1, policy);
        let added: Vec<(&str, Fen)> = policy
            .year_entries(&opening)
            .zip(policy.year_entries(&sum))
            .filter(|((accumulator, _), _)| accumulator.of_household)
            .map(|((accumulator, value), (_, before))| (accumulator.name.as_str(), before + value))
            .collect();
        for (name, value) in added {
            // It is one of the policy's own.
            let _ = policy.set_accumulator(&mut sum, name, value);
        }
    }
    sum
}

/// Settles the bills of those who are settled together, which stand in order of discharge.
fn settle_chain<'s>(
    args: &SettleArgs,
    setup: &'s Setup,
    output: &mut Output<'_>,
    bills: &[BillRow],
    (settlers, trace): (&mut Settlers<'s>, &mut Option<Box<Trace>>),
) -> anyhow::Result<()> {
    let mut years = Years::default();
    for bill in bills {
        let Some(jurisdiction) = setup.jurisdiction(bill.jurisdiction) else { continue };
        let policy = jurisdiction.policy(&setup.accepted)?;
        let year = (bill.jurisdiction, setup.insurance_year(jurisdiction, bill).label);
        years.take_up(setup, bill, year, policy);
        let household = policy.has_shared().then(|| bill.household_or_self());
        if let Some(household) = household {
            let opened = || opened_together(setup, bills, household, year, policy);
            let together = years.households.entry((household, year)).or_insert_with(opened);
            policy.lend(together, &mut years.year);
        }
        let trace = trace.get_or_insert_with(|| Box::new(Trace::new(&bill.facts)));
        let settler = settlers.entry(bill.jurisdiction).or_insert_with(|| Settler::new(policy));
        settler.settle_into(&bill.facts, &mut years.year, trace);
        output.bill(bill, policy, trace)?;
        if args.explain.as_ref().is_some_and(|wanted| wanted.eq_ignore_ascii_case(&bill.number)) {
            output.explain(bill, policy, trace);
        }
        if let Some(together) = household.and_then(|household| years.households.get_mut(&(household, year))) {
            policy.give_back(&mut years.year, together);
        }
    }
    Ok(())
}
