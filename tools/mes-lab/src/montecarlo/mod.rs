//! `montecarlo`: what else could have come of the same trades, and how often a limit would have ended it.

mod account;
mod closed;
mod outcome;
mod page;

use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use clap::Args;
use mes_core::{money::Cents, rules::Rules, run::Named, schedule::Schedule, session::Part, time};
use mes_pipe::{AnswerArgs, Error, Origin, Result, SettingsArgs, write::whole};
use serde_json::{Value, json};

use mes_judge::files;
use mes_risk::stops::smallest_risk;
use outcome::Outcome;

/// Draw the sessions of a backtest anew many times and see how often the account would have met its limits
///
/// Reads the directory that mes-bt --out wrote (trades.csv and summary.json). Whole sessions are drawn with
/// replacement, those without a trade included, so trades of one day stay together; under a firm's rules also the
/// chance to pass, with what closed forms give for it as a check. Beside it the trades alone in another order, which keeps their sum and shows what drawdown order
/// makes. A table for a person, JSON when piped.
#[derive(Args)]
#[command(after_help = "Examples:
  mes-lab montecarlo runs/backtest
  mes-lab montecarlo runs/backtest --rules topstep-50k --days 60 --html chances.html")]
pub struct MonteCarloArgs {
    /// What mes-bt --out wrote
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// How many lives
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    runs: u64,
    /// Seed of the draws
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Sessions of a life; those of the backtest if not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000))]
    days: Option<u64>,
    #[command(flatten)]
    settings: SettingsArgs,
    /// Write a page with pictures
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    #[command(flatten)]
    answer: AnswerArgs,
    /// No notes on stderr
    #[arg(short, long)]
    quiet: bool,
}

/// What there is to draw from.
#[derive(Default)]
pub struct Past {
    /// The nets of each session's trades, in their order; empty ones are sessions without a trade.
    pub sessions: Vec<Vec<Cents>>,
    /// Sessions that the account did not live to see: lives are drawn for as long as all of them.
    pub unlived: usize,
    /// What the smallest trade risks.
    pub smallest: Cents,
    pub origin: Origin,
    /// As the backtest's summary says them.
    pub settings: Value,
    pub lineage: Value,
}

/// Reads, draws, tells.
///
/// # Errors
///
/// `Usage` where settings mean nothing or the folder is not there, `Data` where it holds no backtest, `Failed` where a
/// file or stdout cannot be written.
pub fn run(args: &MonteCarloArgs) -> Result<()> {
    let settings = args.settings.read()?;
    let rules = &settings.rules.value;
    let schedule = Schedule::new(settings.calendar.value, rules.day_end.flat_by, None, Default::default());
    let (mut past, last) = read(&args.directory, schedule)?;
    past.smallest = smallest_risk(rules, &settings.costs.value, last, Part::Rth);
    let days = args.days.map_or(past.sessions.len() + past.unlived, |days| days as usize);
    let outcome = Outcome {
        settings: lived_by(&past, &settings.rules),
        ..Outcome::of(&past, rules, days, args.runs as usize, args.seed)
    };
    if let Some(path) = &args.html {
        whole(path, &page::page(&outcome, rules))?;
    }
    args.answer.give(&outcome, || outcome.text())
}

/// Returns the settings of the backtest with the rules that lives are lived by; those that it traded by stand beside.
fn lived_by(past: &Past, rules: &Named<Rules>) -> Value {
    let mut settings = past.settings.clone();
    if !settings.is_object() {
        settings = json!({});
    }
    settings["traded_by"] = settings["rules"].take();
    settings["traded_by_blake3"] = settings["rules_blake3"].take();
    settings["rules"] = json!(rules.value.name);
    settings["rules_blake3"] = json!(rules.blake3);
    settings
}

/// Reads the trades and how many sessions there were, and the day of the last trade.
fn read(directory: &Path, mut schedule: Schedule) -> Result<(Past, NaiveDate)> {
    let text = |name: &str| {
        let path = directory.join(name);
        let said = |error| Error::usage(format!("{error}; it is written by mes-bt --out")).at(path.display());
        std::fs::read_to_string(&path).map_err(said)
    };
    let wrong = |what: &str| Error::data(format!("{}: {what}", directory.join("summary.json").display()));
    let summary: Value =
        serde_json::from_str(&text("summary.json")?).map_err(|error| wrong(&error.to_string()))?;
    let days = summary["span"]["days"].as_u64().ok_or_else(|| wrong("no span.days"))? as usize;
    let path = directory.join("trades.csv");
    let trades = text("trades.csv")?;
    // Columns grow to the right: what is read here stands in the first ten.
    let first = |header: &str| header.split(',').take(10).map(str::to_owned).collect::<Vec<_>>();
    if trades.lines().next().map(first) != Some(first(files::TRADES)) {
        let error =
            "columns of another version of mes: write it again with mes-bt --out, or mes-bt report --out";
        return Err(Error::data(error).at(path.display()));
    }
    let mut sessions: Vec<Vec<Cents>> = Vec::new();
    let mut last = None;
    for (line, trade) in (2..).zip(trades.lines().skip(1)) {
        let wrong = || Error::data(format!("{}: line {line}: no trade", path.display()));
        let cells: Vec<&str> = trade.split(',').collect();
        let exited =
            cells.get(1).and_then(|text| time::parse(text).ok()).and_then(|ts| schedule.of_bar(ts).copied());
        let net = cells.get(9).and_then(|text| text.parse::<f64>().ok()).filter(|net| net.is_finite());
        let (exited, net) = exited.zip(net).ok_or_else(wrong)?;
        if last.replace(exited.label()) != Some(exited.label()) {
            sessions.push(Vec::new());
        }
        sessions.last_mut().ok_or_else(wrong)?.push(Cents::from_usd(net));
    }
    let Some(last) = last else {
        let what = "no trade to draw from; mes-bt says in its summary what blocked them";
        return Err(Error::data(what).at(path.display()));
    };
    sessions.resize(days.max(sessions.len()), Vec::new());
    let (settings, lineage) = (summary["settings"].clone(), summary["lineage"].clone());
    let unlived = summary["span"]["days_dead"].as_u64().unwrap_or(0) as usize;
    let (smallest, origin) = (Cents::ZERO, Origin::of(&lineage));
    Ok((Past { sessions, unlived, smallest, origin, settings, lineage }, last))
}

#[cfg(test)]
mod tests {
    use mes_core::{calendar::Calendar, session::Filter};

    use super::*;

    #[test]
    fn trades_of_another_version_are_refused_in_one_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path();
        std::fs::write(path.join("summary.json"), r#"{"span": {"days": 1}}"#).expect("writes");
        let schedule = || {
            let flat_by = chrono::NaiveTime::from_hms_opt(16, 30, 0).expect("a time");
            Schedule::new(Calendar::shipped(), flat_by, None, Filter::Rth)
        };
        let line = "2026-11-02T14:31:00Z,2026-11-02T14:32:00Z,long,1,5000,5001,13.18,0.84,2.50,12.34,target,0.7,12.09,false,0.00";
        let write = |header: &str| {
            std::fs::write(path.join("trades.csv"), format!("{header}\n{line}\n")).expect("writes");
            read(path, schedule())
        };
        assert_eq!(write(files::TRADES).map(|(past, _)| past.sessions).expect("reads"), [[Cents(1234)]]);
        let error = write(&files::TRADES.replace("net_usd", "net_cents")).err().expect("refused");
        assert!(
            error.code() == 3 && error.to_string().contains("write it again with mes-bt --out"),
            "{error}"
        );
    }
}
