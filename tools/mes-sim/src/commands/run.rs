//! Serving: the market, the accounts, the sockets.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    str::FromStr,
    sync::Arc,
};

use mes_core::{
    tick::Tick,
    time::{self, SECOND, Ts},
};
use mes_pipe::{
    Error, InputArgs, Result,
    account::nonce,
    answer::print,
    beside,
    clock::{Clock, FASTEST},
    lock, log, private, stop,
};
use serde::{Deserialize, Serialize};

use super::account;
use crate::{
    exchange::{
        instrument::Instrument,
        settings::{AccountSettings, Settings, Span, Timings},
    },
    feed::Feed,
    serve::{self, Shared, Time},
    service::{Schedule, Service, Setup},
};

/// Where an exchange keeps what is its own, by itself.
pub(super) const FOLDER: &str = "run/sim";
/// In it: what has happened,
pub(super) const JOURNAL: &str = "journal.jsonl";
/// what had happened at the one before,
const BEFORE: &str = "journal.before.jsonl";
/// and where it is.
const RUNNING: &str = "sim.json";

/// The most of a range, in ticks or microseconds.
const MOST: i64 = 60_000_000;
const MICRO: i64 = 1_000;

#[derive(clap::Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    input: InputArgs,
    /// Trade so many days that mes-fetch makes up, in place of recorded ones
    #[arg(long, value_name = "DAYS", conflicts_with = "files")]
    synth: Option<u32>,
    /// Of which contract those days are: MES, ES, MNQ or NQ
    #[arg(long, value_name = "ROOT", default_value = "MES", requires = "synth")]
    contract: String,
    /// Another seed is another market, other delays, other slippage
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many times as fast as recorded (10), or max: from tick to tick without a clock
    #[arg(long, value_name = "N", default_value = "1")]
    speed: Speed,
    /// Port on 127.0.0.1; 0 takes any that is free
    #[arg(long, default_value_t = 8787)]
    port: u16,
    /// Run directory: journal, address
    #[arg(long, value_name = "DIR", default_value = FOLDER)]
    run: PathBuf,
    /// Begin to trade here: rows before are history, for bars that clients ask for
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    from: Option<Ts>,
    /// An account: NAME[,FIELD=VALUE]...; several give several
    ///
    /// Fields: id=7, balance=1000, mode=auto-oco|position-brackets, max=50 (contracts), daily-loss, max-loss (the firm's,
    /// dollars), own-loss (dollars), own-fills (of a day), margin (dollars a contract), attached=STOP/TARGET (ticks that the
    /// platform adds to every position in its own mode), after-partial=left|exited|group (legs after a partial exit).
    #[arg(long, value_name = "ACCOUNT", value_parser = account::parse)]
    account: Vec<AccountSettings>,
    /// What goes wrong: a line of JSON, or @FILE that holds one
    #[arg(long, value_name = "SCHEDULE")]
    faults: Option<String>,
    /// Limits fill when their price is touched; else when it is traded through
    #[arg(long)]
    touch: bool,
    /// Orders of more than one contract fill in parts
    #[arg(long)]
    parts: bool,
    /// Ticks that stops slip, drawn from a range
    #[arg(long, value_name = "FROM..TO", default_value = "0..2", value_parser = range)]
    slippage: (i64, i64),
    /// How long something takes in microseconds, NAME=FROM..TO; NAME is working, market-fill, close-fill, bracket, sibling, part
    #[arg(long, value_name = "TIMING", value_parser = timing)]
    timing: Vec<(String, Span)>,
    /// Keep no hours: always open, nothing is flattened at 15:10 Chicago
    #[arg(long)]
    no_hours: bool,
    /// Seconds that a token lives
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400)]
    token_life: u32,
    /// No limits on calls
    #[arg(long)]
    unlimited: bool,
    /// End when the market does
    #[arg(long)]
    once: bool,
    /// No notes on stderr
    #[arg(short, long)]
    quiet: bool,
}

/// How fast time passes.
#[derive(Clone, Copy, Debug)]
enum Speed {
    Times(u32),
    Max,
}

impl FromStr for Speed {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Speed, String> {
        match text.strip_suffix('x').unwrap_or(text).parse() {
            _ if text == "max" => Ok(Speed::Max),
            Ok(times) if (1..=FASTEST).contains(&times) => Ok(Speed::Times(times)),
            _ => Err(format!("neither a whole number from 1 to {FASTEST} nor max")),
        }
    }
}

/// Where an exchange is, and what one needs to use it. The key opens nothing but this practice.
#[derive(Serialize, Deserialize)]
pub(super) struct Running {
    pub api: String,
    pub hubs: String,
    pub user: String,
    pub key: String,
    pub accounts: Vec<String>,
    /// For `MES_CLOCK`; absent where no clock says how time passes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<String>,
    /// For faults by hand; not told.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub token: String,
}

impl Running {
    /// Reads it from a run directory.
    ///
    /// # Errors
    ///
    /// `Usage` where no exchange runs there.
    pub(super) fn read(run: &Path) -> Result<Running> {
        let path = run.join(RUNNING);
        let none = |why: &dyn std::fmt::Display| {
            Error::usage(format!(
                "{}: no exchange runs there ({why}): mes-sim --synth 1 starts one",
                path.display()
            ))
        };
        let bytes = private::read(&path).map_err(|error| none(&error))?;
        serde_json::from_slice(&bytes).map_err(|error| none(&error))
    }

    /// Keeps it in a run directory, and prints it but for the token; returns where it is kept.
    fn tell(mut self, run: &Path) -> Result<PathBuf> {
        let here = run.join(RUNNING);
        private::write(&here, &serde_json::to_vec(&self).map_err(Error::failed)?)?;
        self.token.clear();
        print(format!("{}\n", serde_json::to_string(&self).map_err(Error::failed)?))?;
        Ok(here)
    }
}

/// Serves until a person ends it.
pub(super) fn run(mut args: RunArgs) -> Result<()> {
    stop::listen()?;
    private::folder(&args.run, &[RUNNING, JOURNAL])?;
    let _lock = lock(&args.run, "sim")?;
    let (schedule, settings) = (schedule(args.faults.as_deref(), args.seed)?, settings(&args));
    let accounts = account::all(std::mem::take(&mut args.account))?;
    let names = accounts.iter().map(|account| account.name.clone()).collect();
    let (listener, address) = serve::listen(args.port)?;
    let (feed, history) = market(&args)?;
    let first = feed.ready().map_or(0, |tick| tick.ts);
    let (user, key) = (format!("practice-user-{}", nonce()), format!("practice-key-{}{}", nonce(), nonce()));
    let setup = Setup {
        token_life: i64::from(args.token_life) * SECOND,
        limited: !args.unlimited,
        later: Clock::machine().now().utc.saturating_sub(first),
        times: if let Speed::Times(times) = args.speed { times } else { 1 },
        schedule,
        ..Setup::new(settings, accounts, &user, &key)
    };
    let service = Service::new(setup, first, &history);
    drop(history);
    // Whatever follows it follows the same words that this clock is made of.
    let machine = Clock::machine().now().utc;
    let (clock, time) = match args.speed {
        Speed::Times(times) => {
            let text = Clock::to_text(first, machine, times);
            let clock = Clock::parse(&text).map_err(Error::failed)?;
            (Some(text), Time::Clock(clock))
        }
        Speed::Max => (None, Time::Max),
    };
    let token = format!("{}{}", nonce(), nonce());
    let shared = Arc::new(Shared::new(service, time, machine, journal(&args.run)?, token.clone()));
    let url = format!("http://{address}");
    let running = Running { api: url.clone(), hubs: url, user, key, accounts: names, clock, token };
    let here = running.tell(&args.run)?;
    log::note(format!(
        "{} trades; eval \"$(mes-sim env --run {})\" tells clients where; ^C ends it",
        feed.instrument().id(),
        args.run.display()
    ));
    let served = serve::serve(shared, feed, listener, args.once);
    // What is no longer there is not to be found.
    let _ = fs::remove_file(here);
    served?;
    if stop::asked() { Err(stop::error()) } else { Ok(()) }
}

/// Opens the market, and takes what is history of it.
fn market(args: &RunArgs) -> Result<(Feed, Vec<(Instrument, Tick)>)> {
    let input = match args.synth {
        Some(days) => InputArgs { files: vec![synth(args, days)?], ..InputArgs::default() },
        None => args.input.clone(),
    };
    let mut feed = Feed::open(input)?;
    let history = feed.until(args.from.unwrap_or(Ts::MIN))?;
    Ok((feed, history))
}

/// Begins a journal; that of the exchange before stays beside it.
fn journal(run: &Path) -> Result<File> {
    let (kept, before) = (run.join(JOURNAL), run.join(BEFORE));
    if kept.exists() {
        fs::rename(&kept, &before).map_err(|error| Error::from(error).at(before.display()))?;
    }
    Ok(private::open(&kept, File::options().write(true).create(true).truncate(true))?)
}

fn settings(args: &RunArgs) -> Settings {
    let mut settings = Settings { seed: args.seed, hours: !args.no_hours, ..Settings::default() };
    let matching = &mut settings.matching;
    (matching.touch, matching.parts, matching.stop_slippage) = (args.touch, args.parts, args.slippage);
    for (name, span) in &args.timing {
        if let Some((_, timing)) = timings(&mut settings.timings).into_iter().find(|(known, _)| known == name)
        {
            *timing = *span;
        }
    }
    settings
}

fn timings(timings: &mut Timings) -> [(&'static str, &mut Span); 6] {
    let Timings { working, market_fill, close_fill, bracket, sibling, part } = timings;
    [
        ("working", working),
        ("market-fill", market_fill),
        ("close-fill", close_fill),
        ("bracket", bracket),
        ("sibling", sibling),
        ("part", part),
    ]
}

/// Reads `0..2`, both ends included.
fn range(text: &str) -> std::result::Result<(i64, i64), String> {
    let read = || {
        let (from, to) = text.split_once("..")?;
        let (from, to) = (from.parse().ok()?, to.parse().ok()?);
        (0 <= from && from <= to && to <= MOST).then_some((from, to))
    };
    read().ok_or_else(|| format!("{text:?} is no range such as 0..2, up to {MOST}"))
}

fn timing(text: &str) -> std::result::Result<(String, Span), String> {
    let (name, span) = text.split_once('=').ok_or_else(|| format!("{text:?} is no NAME=FROM..TO"))?;
    let names = timings(&mut Timings::default()).map(|(name, _)| name);
    if !names.contains(&name) {
        return Err(format!("{name:?} is none of {}", names.join(", ")));
    }
    let (from, to) = range(span)?;
    Ok((name.to_owned(), Span { least: from * MICRO, most: to * MICRO }))
}

fn schedule(text: Option<&str>, seed: u64) -> Result<Schedule> {
    let Some(text) = text else { return Ok(Schedule { seed, faults: Vec::new() }) };
    let line = match text.strip_prefix('@') {
        Some(path) => fs::read_to_string(path).map_err(|error| Error::from(error).at(path))?,
        None => text.to_owned(),
    };
    Schedule::read(line.trim()).map_err(|error| Error::usage(format!("--faults: {error}")))
}

/// Has mes-fetch make a market up, into the run directory.
fn synth(args: &RunArgs, days: u32) -> Result<PathBuf> {
    let path = args.run.join(format!("synth-{}-{days}-{}.parquet", args.contract, args.seed));
    let out = private::open(&path, File::options().write(true).create(true).truncate(true))?;
    let made = Command::new(beside("mes-fetch"))
        .args(["synth", "--quiet", "--ticks", "--session", "rth", "--to", "parquet"])
        .args(["--sessions", &days.to_string(), "--seed", &args.seed.to_string()])
        .args(["--contract", &args.contract])
        .stdin(Stdio::null())
        .stdout(out)
        .status()
        .map_err(|error| Error::from(error).at("mes-fetch"))?;
    if made.success() { Ok(path) } else { Err(Error::failed("mes-fetch synth has failed")) }
}
