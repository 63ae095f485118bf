//! Every day by itself: units of systemd that start the pipeline before the market opens, end it with its day, and start it
//! again where that cannot hurt.
//!
//! What may start again is decided by the exit code of the pipe, which is that of its last tool that failed: mes-exec, as a
//! rule. 0, 2, 3 and 4 stay down: the day is over, the arguments are wrong, the data is, or something was stopped on
//! purpose and is flat. 1 and a death by a signal start again: nothing was opened, or the account was halted before it was
//! closed, or a stop rests at the exchange and the new start takes over what is open. Never is an entry sent again.

pub mod due;
mod units;

use std::{
    env, fs,
    path::{Path, PathBuf, absolute},
};

use mes_core::{calendar::Calendar, rules::EntrySession};
use mes_pipe::{Error, Result, SettingsArgs, answer::print, private, write};

use crate::doctor::key;

pub use units::MARK;
use units::{Plan, Unit};

/// Minutes before the market opens: for the login, the past, and a look at the account.
pub const LEAD_MIN: i64 = 10;

/// What is asked of `mes-exec service`.
#[derive(clap::Args)]
#[command(mut_arg("rules", |arg| arg.default_value("mes-1k-topstep")))]
pub struct UnitArgs {
    /// The account at TopstepX, by name or id
    #[arg(long, value_name = "NAME", env = "MES_ACCOUNT")]
    account: String,
    #[command(flatten)]
    settings: SettingsArgs,
    /// What the units are called: another name for each account
    #[arg(long, value_name = "NAME", default_value = "mes-live", value_parser = unit_name)]
    name: String,
    /// Where it runs: rules, model and run directory are looked for there [default: here]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Where the tools are [default: where this one is]
    #[arg(long, value_name = "DIR")]
    bin: Option<PathBuf>,
    /// Holds TOPSTEPX_USERNAME=... and TOPSTEPX_API_KEY=..., readable by nobody else [default: ~/.config/mes/env]
    #[arg(long, value_name = "FILE")]
    env: Option<PathBuf>,
    /// Days after which a journal is packed (zstd: all tools read it packed); 0 never
    #[arg(long, value_name = "DAYS", default_value_t = 7)]
    pack_after: u16,
    /// Run something beside it, restarted by itself and never in its way: --with "alerts=mes-alert run/journal.jsonl"
    #[arg(long, value_name = "NAME=COMMAND", value_parser = beside)]
    with: Vec<(String, String)>,
    /// Print the units: what happens by itself
    #[arg(long, conflicts_with_all = ["install", "out"])]
    print: bool,
    /// Write them where systemd looks for a user's, ~/.config/systemd/user
    #[arg(long, conflicts_with = "out")]
    install: bool,
    /// Write them there
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// What to run instead of pipelines/live.sh ACCOUNT RULES (those of DIR, else the installed ones)
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

fn unit_name(text: &str) -> std::result::Result<String, String> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    if !text.is_empty() && text.chars().all(is_plain) && text.len() <= 100 {
        return Ok(text.to_owned());
    }
    Err("letters, digits, - and _ only".to_owned())
}

fn beside(text: &str) -> std::result::Result<(String, String), String> {
    let (name, command) = text.split_once('=').ok_or("no NAME=COMMAND")?;
    if command.trim().is_empty() {
        return Err("no COMMAND".to_owned());
    }
    Ok((unit_name(name)?, command.to_owned()))
}

/// Makes the units, and prints or writes them.
///
/// # Errors
///
/// `Usage` where what they name is not there, is no text that a unit can hold, or would show the key to others; `Failed`
/// where they cannot be written.
pub fn run(args: &UnitArgs, run: &Path) -> Result<()> {
    let units = units::all(&plan(args, run)?)?;
    if let Some(folder) = &args.out {
        return write_all(&units, folder);
    }
    if !args.install {
        let text: Vec<_> = units.iter().map(|unit| format!("# {}\n{}", unit.name, unit.text)).collect();
        return print(text.join("\n"));
    }
    install(args, &units)
}

fn plan(args: &UnitArgs, run: &Path) -> Result<Plan> {
    let settings = args.settings.read()?;
    passed_on(args)?;
    let dir = whole(args.dir.as_deref().unwrap_or(Path::new(".")))?;
    let here = env::current_exe().map_err(Error::from)?;
    let bin = match &args.bin {
        Some(bin) => whole(bin)?,
        None => here.parent().unwrap_or(Path::new("/")).to_owned(),
    };
    let pipelines = args.command.is_empty().then(|| pipelines(&dir, &bin));
    let command = match &pipelines {
        Some(folder) => {
            let script = folder.join("live.sh").display().to_string();
            vec![script, args.account.clone(), args.settings.rules.clone()]
        }
        None => args.command.clone(),
    };
    Ok(Plan {
        name: args.name.clone(),
        account: args.account.clone(),
        rules: args.settings.rules.clone(),
        costs: args.settings.costs.clone(),
        run: run.to_owned(),
        env: whole(&key_file(args)?)?,
        all_day: settings.rules.value.entries.session == EntrySession::All,
        pack_after: args.pack_after,
        told: match &pipelines {
            Some(_) => vec![
                ("MES_CONTRACT", settings.rules.value.contract.root().to_owned()),
                ("MES_COSTS", args.settings.costs.clone()),
            ],
            None => Vec::new(),
        },
        beside: args.with.clone(),
        report: pipelines.map(|folder| folder.join("session.sh")),
        dir,
        bin,
        command,
    })
}

/// Refuses what live.sh has no word for: a unit that trades otherwise than it was asked to is worse than none.
fn passed_on(args: &UnitArgs) -> Result<()> {
    let SettingsArgs { fills, latency, calendar, .. } = &args.settings;
    let usual = SettingsArgs::default();
    let flag = match () {
        () if *fills != usual.fills => "--fills",
        () if *latency != usual.latency => "--latency",
        () if calendar.calendar.is_some() => "--calendar",
        () => return Ok(()),
    };
    Err(Error::usage(format!(
        "{flag} is of the paper account, or nothing that a unit passes on: leave it out"
    )))
}

/// Finds the pipelines: those of the folder where it runs, else those that were installed with the tools.
fn pipelines(dir: &Path, bin: &Path) -> PathBuf {
    let installed = bin.parent().map(|prefix| prefix.join("share/mes/pipelines"));
    let has_live = |folder: &PathBuf| folder.join("live.sh").is_file();
    let ours = dir.join("pipelines");
    if has_live(&ours) { ours } else { installed.filter(has_live).unwrap_or(ours) }
}

fn key_file(args: &UnitArgs) -> Result<PathBuf> {
    let named = || Error::usage("neither HOME nor XDG_CONFIG_HOME is set: give --env FILE");
    args.env.clone().or_else(key::place).ok_or_else(named)
}

/// Makes a path whole, and takes out what points nowhere: units do not know from where they were made.
fn whole(path: &Path) -> Result<PathBuf> {
    let path = absolute(path).map_err(|error| Error::from(error).at(path.display()))?;
    Ok(path.components().collect())
}

/// Writes them where systemd looks, once all that they name is there, and says how to turn them on.
fn install(args: &UnitArgs, units: &[Unit]) -> Result<()> {
    key::check(&key_file(args)?).map_err(Error::usage)?;
    let plan = plan(args, Path::new("run"))?;
    let program = Path::new(&plan.command[0]);
    if program.is_absolute() && !program.is_file() {
        return Err(Error::usage(format!(
            "{} is not there: say it in the folder of the pipelines, or give --dir, or a command after --",
            program.display()
        )));
    }
    let folder = key::config().map(|config| config.join("systemd/user"));
    let folder =
        folder.ok_or_else(|| Error::usage("neither HOME nor XDG_CONFIG_HOME is set: give --out DIR"))?;
    write_all(units, &folder)?;
    let beside: String =
        plan.beside.iter().map(|(beside, _)| format!(" {}-{beside}.service", plan.name)).collect();
    print(format!(
        "now: systemctl --user daemon-reload && systemctl --user enable --now {name}.timer{beside}\n\
         and once, so that it runs while you are not logged in: loginctl enable-linger\n\
         look: systemctl --user list-timers {name}.timer; journalctl --user -u {name}\n",
        name = plan.name,
    ))
}

fn write_all(units: &[Unit], folder: &Path) -> Result<()> {
    let at = |error: std::io::Error| Error::from(error).at(folder.display());
    fs::create_dir_all(folder).map_err(at)?;
    for unit in units {
        let path = folder.join(&unit.name);
        let before = private::read(&path).unwrap_or_default();
        if path.exists() && !before.starts_with(MARK.as_bytes()) {
            return Err(Error::usage(format!(
                "{}: was not made by mes-exec service: give another --name, or remove it",
                path.display()
            )));
        }
        write::whole(&path, &unit.text)?;
        print(format!("{}\n", path.display()))?;
    }
    Ok(())
}

/// Says whether the market is open, or opens within [`LEAD_MIN`]: what a unit asks before each start.
///
/// # Errors
///
/// `Failed` with the next session where it is not; `Data` past the calendar's end.
pub fn is_due(calendar: Calendar, now: mes_core::time::Ts) -> Result<()> {
    print(due::due(calendar, now)? + "\n")
}
