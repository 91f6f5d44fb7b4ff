//! `kangmai demo`: a living county in the browser.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use kangmai_access::{Actor, Role, SignInRules};
use kangmai_base::{Clock as _, DivisionCode, DivisionLevel, IdNumber, IdNumberKind, SystemClock, SystemIds};
use kangmai_database::Database;
use kangmai_people::people_at;
use kangmai_poverty_watch::run_watch;
use kangmai_programme::{App, GateRules, Settings};
use kangmai_seal::{CipherKind, MasterKeys};
use kangmai_web::Language;

use crate::application::{Parts, application, load_policies};
use crate::config::Config;
use crate::demo::{
    Plan, ask_rights, county, take_agreements, take_hand_overs, take_payments, take_referrals, take_steps,
    take_visits, villages, write_county,
};
use crate::import::{Task, run as run_import};
use crate::programmes;
use crate::serving::ServingLimits;

use super::{say, show_progress};

#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// How many people
    #[arg(long, default_value_t = 20_000)]
    people: u32,
    /// Port on 127.0.0.1
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Keep the county here and use it again; else it is made anew each time, in a temporary folder
    #[arg(long)]
    data: Option<PathBuf>,
    /// Bills of the year for each person, about, as a multiple of the usual
    #[arg(long, default_value_t = 1.0)]
    bills: f64,
    /// The same seed makes the same county
    #[arg(long, default_value_t = 20_260_101)]
    seed: u64,
    /// Make the county and stop, without serving it
    #[arg(long)]
    build_only: bool,
}

/// The password of every account of the demonstration.
const PASSWORD: &str = "kangmai-demo";
/// The days on which the watch ran: warnings of different age, some of them late.
const WATCHED_DAYS_AGO: [i32; 4] = [40, 20, 9, 0];
/// Written when a county is complete.
const COMPLETE: &str = "complete";

pub(super) fn run(config: &Config, args: &DemoArgs) -> anyhow::Result<()> {
    let temporary = std::env::temp_dir().join(format!("kangmai-demo-{}", std::process::id()));
    let folder = args.data.clone().unwrap_or_else(|| temporary.clone());
    let is_there = folder.join(COMPLETE).exists();
    if !is_there {
        let _ = std::fs::remove_file(folder.join("kangmai.db"));
    }
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let settings = Settings { secure: false, uploads: folder.join("uploads"), demo: true };
    let database = Database::open_throw_away(&folder.join("kangmai.db"))?;
    let policies = load_policies(config.policies.as_deref())?;
    let master = match config.master()? {
        Some(master) => master,
        None => own_master(&folder)?,
    };
    let rules = GateRules { sign_in: SignInRules::WITHOUT_SECOND_FACTOR, ..GateRules::strict() };
    let app = application(Parts::of_this_machine(database, Some(master), policies, settings))?.behind(rules);
    if !is_there {
        build(&app, args, &folder)?;
        std::fs::write(folder.join(COMPLETE), "")?;
    }
    if !args.build_only {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, args.port));
        let (people, interface) = (args.people, interface(&app)?);
        let (serving, anchors) = ((None, ServingLimits::usual()), folder.join("audit-anchors"));
        super::serve::serve_app(&app, (address, None), serving, &anchors, None, || {
            invite(address, people, &interface)
        })?;
    }
    drop(app);
    if args.data.is_none() {
        let _ = std::fs::remove_dir_all(&temporary);
    }
    Ok(())
}

/// The master key of a demonstration lies in its folder: an installation keeps its own elsewhere.
fn own_master(folder: &Path) -> anyhow::Result<MasterKeys> {
    let path = folder.join("master.key");
    if !path.exists() {
        super::keys::write_key(&path, &MasterKeys::fresh(&SystemIds, CipherKind::default()))?;
    }
    Ok(std::fs::read_to_string(&path)?.parse()?)
}

fn build(app: &App, args: &DemoArgs, folder: &Path) -> anyhow::Result<()> {
    let today = SystemClock.today();
    let plan = Plan { people: args.people.max(100), bills_each: args.bills, today, seed: args.seed };
    let files = write_county(&plan, &folder.join("files")).context("writing the county's files")?;
    for (kind, path) in [
        ("institutions", &files.institutions),
        ("register", &files.register),
        ("diagnoses", &files.diagnoses),
        ("bills", &files.bills),
        ("lines", &files.lines),
    ] {
        import(app, kind, path)?;
    }
    app.database.analyze()?;
    for days_ago in WATCHED_DAYS_AGO {
        let as_of = today.plus_days(-days_ago);
        let run = run_watch(app, as_of, |people| show_progress(&format!("watch {as_of}: {people} people")))?;
        take_steps(app, args.seed, as_of, today)?;
        tracing::info!(%as_of, raised = run.raised, graver = run.raised_level, "watched");
    }
    take_payments(app, args.seed, today)?;
    take_visits(app, args.seed, today)?;
    ask_rights(app, today)?;
    accounts(app, plan.people)?;
    take_agreements(app, args.seed, today)?;
    take_referrals(app, args.seed, today)?;
    take_hand_overs(app, today)?;
    show_progress("");
    Ok(())
}

fn import(app: &App, kind: &str, path: &Path) -> anyhow::Result<()> {
    let mut all = programmes::all().iter().flat_map(|programme| programme.imports);
    let import = all.find(|import| import.key == kind).with_context(|| format!("no import {kind:?}"))?;
    let actor = Actor::system();
    let file_name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let task = Task { import, path, file_name: &file_name, actor: &actor, dry_run: false, error_sheet: None };
    let finished = run_import(app, &task, &mut |progress, summary| {
        show_progress(&format!("{kind}: {} % ({} rows)", progress.percent(), summary.rows));
        true
    })
    .map_err(|failure| super::file::explain(app, Language::En, failure))?;
    let summary = &finished.summary;
    tracing::info!(
        kind,
        rows = summary.rows,
        taken = summary.new + summary.changed,
        faulty = summary.faulty,
        "imported"
    );
    Ok(())
}

/// Sign-in name, display name, role and place of the account of each role.
fn people_of_the_house(people: u32) -> Vec<(&'static str, &'static str, Role, DivisionCode)> {
    let village = villages(people).first().copied().unwrap_or(county());
    let township = village.at(DivisionLevel::Township);
    vec![
        ("cunyi", "村医（示例）", Role::VillageDoctor, village),
        ("xiangzhen", "乡镇公卫科（示例）", Role::TownshipOfficer, township),
        ("chuangkou", "医院结算窗口（示例）", Role::CountyDesk, county()),
        ("yibao", "县医保局（示例）", Role::InsuranceClerk, county()),
        ("weijian", "县卫健局（示例）", Role::HealthBureau, county()),
        ("nongye", "县农业农村局（示例）", Role::Cadre, county()),
        ("zhuanjia", "县医院专家（示例）", Role::Expert, county()),
        ("shenji", "审计（示例）", Role::Auditor, county()),
        ("admin", "系统管理员（示例）", Role::Administrator, county()),
        ("anquan", "安全管理员（示例）", Role::SecurityOfficer, county()),
    ]
}

fn accounts(app: &App, people: u32) -> anyhow::Result<()> {
    for (name, display, role, place) in people_of_the_house(people) {
        let desk_of = (place, Some(COUNTY_HOSPITAL));
        super::account::make_account(&app.database, (name, display), role, desk_of, PASSWORD)?
            .map_err(|refusal| anyhow::anyhow!("{refusal}"))?;
    }
    Ok(())
}

/// The name of the demonstration's client of the interface.
const CLIENT: &str = "示例 HIS";
/// The county's hospital, whose system it is.
const COUNTY_HOSPITAL: &str = "H41172200901";
/// People among whom one is looked for to try it with.
const MOST_LOOKED_AT: i64 = 50;

/// A key of the interface, another at each start, and somebody to try it with.
fn interface(app: &App) -> anyhow::Result<Vec<String>> {
    let key = super::client::key_for(&app.database, CLIENT, COUNTY_HOSPITAL)?;
    let people = app.database.read_blocking(|tx| people_at(tx, county().range(), 0, MOST_LOOKED_AT))?;
    let patient = people.into_iter().find(|person| {
        let is_plain = |number: &IdNumber| number.kind() == IdNumberKind::Valid;
        person.body.died_on.is_none() && person.body.id_number.as_ref().is_some_and(is_plain)
    });
    let patient = patient.context("the county has nobody to try the interface with")?;
    let number = patient.body.id_number.map(|number| number.as_str().to_owned()).unwrap_or_default();
    Ok(vec![key, format!("{} {number}", patient.body.name)])
}

fn invite(address: SocketAddr, people: u32, interface: &[String]) {
    say(format!("康脉 示例县  http://{address}"));
    say(format!("密码 / password: {PASSWORD}"));
    for (name, display, role, _) in people_of_the_house(people) {
        say(format!("  {name:<10} {:<18} {display}", role.key()));
    }
    say(format!("接口密钥、示例病人 / interface key, a patient: {}", interface.join("  ")));
    say("Ctrl-C 结束 / to stop");
}
