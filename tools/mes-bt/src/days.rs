//! `days`: the journals of many days, what they came to, and whether the model still is what its backtest was.

use std::path::PathBuf;

use clap::Args;
use mes_judge::{
    diary::{self, Diary, KINDS, page, terminal},
    expectation::Expectation,
};
use mes_pipe::{AnswerArgs, CalendarArgs, Error, Result, log, write::whole};

/// Say what many days came to, and when to stop trusting the model
///
/// Reads every journal of a folder (JSON lines, also packed by gzip or zstd) and writes a table of days: trades, net,
/// slippage against the costs file, limits, errors. With --against the nets of the trades are charted against what the
/// backtest lets expect (CUSUM): once the chart signals, results have fallen behind further than chance explains. Paper,
/// practice and real accounts are told apart; the chart follows the most real kind that is there, and only days traded by
/// the rules file and the model of its last day. Journals that cannot be read are left out and named.
#[derive(Args)]
#[command(after_help = "Examples:
  mes-bt days run/journals --against runs/backtest --html days.html
  mes-bt days run/journals --against runs/backtest --check || echo stop

Exit codes: 0 done, 1 failed, 2 arguments, 3 data, 4 with --check: the chart has signalled")]
pub struct DaysArgs {
    /// A folder of journals
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// What the model lets expect of a trade: the run folder of a backtest, or a journal
    #[arg(long, value_name = "RUN")]
    against: Option<PathBuf>,
    /// Follow accounts of this kind, in place of the most real one
    #[arg(long, value_name = "KIND", value_parser = KINDS)]
    kind: Option<String>,
    /// How many trades false alarms are to be apart, on average
    #[arg(long, value_name = "TRADES", default_value = "1000", value_parser = clap::value_parser!(u32).range(20..=1_000_000))]
    apart: u32,
    /// Write the page into this file
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Exit code 4 if the chart has signalled
    #[arg(long, requires = "against")]
    check: bool,
    #[command(flatten)]
    calendar: CalendarArgs,
    #[command(flatten)]
    answer: AnswerArgs,
    /// No notes on stderr
    #[arg(short, long)]
    quiet: bool,
}

/// Reads the days and says what they came to.
///
/// # Errors
///
/// Exit code 2 where the folder or the backtest is not there, 3 where the backtest is none, 1 where writing fails, 4 with
/// `--check` where the chart has signalled.
pub fn run(args: &DaysArgs) -> Result<()> {
    let calendar = args.calendar.read()?;
    let expected = args.against.as_deref().map(|path| Expectation::read(path, &calendar)).transpose()?;
    let diary = diary::read(&args.folder, &calendar, args.kind.as_deref(), expected, f64::from(args.apart))?;
    if let Some(path) = &args.html {
        whole(path, &page::page(&diary))?;
        log::note(format!("{}; page in {}", diary.verdict(), path.display()));
    }
    args.answer.give(&diary, || terminal::text(&diary))?;
    match signalled(&diary).filter(|_| args.check) {
        Some(sentence) => Err(Error::stopped(sentence)),
        None => Ok(()),
    }
}

fn signalled(diary: &Diary) -> Option<String> {
    let drift = diary.drift.as_ref()?;
    drift.signalled.as_ref().map(|_| drift.sentence())
}
