//! `report`: what a journal came to, whoever wrote it: a backtest, a paper day, a live day.

use std::path::{Path, PathBuf};

use clap::Args;
use mes_judge::{
    facts::Facts,
    files::{self, equity::EquityFile},
    journal,
    search::Search,
    summary::Summary,
    terminal,
};
use mes_pipe::{AnswerArgs, CalendarArgs, Error, Result, log};

/// Say what a journal came to, as a backtest says it of its own
///
/// Reads a journal (JSON lines, also packed by gzip or zstd) of mes-bt or of mes-risk | mes-exec and writes a summary: for
/// a person on a terminal, as JSON when piped; --out writes trades, days, equity, summary and report. Of the journal of a
/// backtest they are those of that backtest to the byte; only the seal made-here is not there, since a journal may come
/// from anybody. A journal that is still written, or whose writer was killed, is judged as far as it goes, and that is
/// said.
#[derive(Args)]
#[command(after_help = "Examples:
  mes-bt report runs/today/journal.jsonl --out runs/today
  zstd -dc day.jsonl.zst | mes-bt report | jq .account

Exit codes: 0 done, 1 failed, 2 arguments, 3 data")]
pub struct ReportArgs {
    /// A journal; - is stdin
    #[arg(value_name = "JOURNAL", default_value = "-")]
    journal: PathBuf,
    /// Write trades, days, equity, summary and report into this directory
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The ledger of the search that this is the outcome of (trials.jsonl of mes-lab optimize): deflates the Sharpe ratio
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    #[command(flatten)]
    calendar: CalendarArgs,
    #[command(flatten)]
    answer: AnswerArgs,
    /// No notes on stderr
    #[arg(short, long)]
    quiet: bool,
}

/// Judges a journal.
///
/// # Errors
///
/// Exit code 2 where files are not there or the calendar is another, 3 where the journal is none, 1 where writing fails.
pub fn run(args: &ReportArgs) -> Result<()> {
    let search = args.ledger.as_deref().map(Search::read).transpose()?.unwrap_or_default();
    let equity = args.out.as_deref().map(equity).transpose()?;
    let facts = journal::facts(&args.journal, &args.calendar.read()?, equity)?;
    if let Some(missing) = facts.missing {
        log::note(format!("{}: {}", args.journal.display(), missing.words()));
    }
    let summary = Summary::of_search(&facts, &search);
    if let Some(directory) = &args.out {
        write(directory, &facts, &summary)?;
    }
    args.answer.give(&summary, || terminal::text(&summary, &facts))
}

/// Begins the table of every bar's equity, and the directory that it lies in.
///
/// # Errors
///
/// Exit code 1 where either cannot be made.
pub fn equity(directory: &Path) -> Result<EquityFile> {
    std::fs::create_dir_all(directory).map_err(|error| Error::from(error).at(directory.display()))?;
    EquityFile::create(&directory.join("equity.parquet"))
}

/// Writes what a run came to, and says where the report is.
///
/// # Errors
///
/// Exit code 1 where a file cannot be written.
pub fn write(directory: &Path, facts: &Facts, summary: &Summary) -> Result<()> {
    files::write(directory, facts, summary)?;
    let report = directory.join("report.html");
    let died = summary.death().map_or_else(String::new, |death| format!("; {death}"));
    log::note(format!("{}{died}; report in {}", summary.verdict(), report.display()));
    Ok(())
}
