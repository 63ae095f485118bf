//! Whether a day at a real broker kept what must always hold, judged from the records of whoever took part: mes-exec's
//! journal, mes-risk's, and the exchange's own where there is one.
//!
//! One law is one line: held, broken (with the record), or not checked (and why). What only an absent record knows is
//! never taken for held.

mod exchange;
mod exec;
mod laws;
mod report;
mod risk;
#[cfg(test)]
mod tests;

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
};

use mes_core::{calendar::Calendar, run::Named};
use mes_pipe::{AnswerArgs, CalendarArgs, Error, Result, answer::print};

use exchange::Exchange;
use report::Report;

/// Check that a day at TopstepX, or at mes-sim, kept what must always hold
///
/// Reads the journals of a day, from before and after each restart: a position was always protected, no entry was made
/// twice, too large, too late, or blindly, the day ended flat and nothing of ours was left, the books agree to the cent,
/// nothing secret was written down, and mes-exec's journal comes to the same actions again. Prints one line a law.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  mes-check day --exec run/state/topstepx-1007/exec-*.jsonl --journal run/practice/journals/*.jsonl
  mes-check day --exec exec-*.jsonl --journal journals/*.jsonl \\
      --exchange run/practice/sim/journal.jsonl --json

Exit codes: 0 nothing broken, 1 a law is broken, 2 arguments, 3 a file that is no such journal")]
pub struct DayArgs {
    /// Journals of mes-exec: exec-....jsonl in the account's directory below --state
    #[arg(long, value_name = "FILE", num_args = 1..)]
    exec: Vec<PathBuf>,
    /// Journals of mes-risk
    #[arg(long, value_name = "FILE", num_args = 1..)]
    journal: Vec<PathBuf>,
    /// What the exchange says: journal.jsonl of mes-sim, or what mes-projectx orders --from TIME and trades print
    #[arg(long, value_name = "FILE", num_args = 1..)]
    exchange: Vec<PathBuf>,
    /// Whatever else was written, to look for secrets in
    #[arg(long, value_name = "FILE", num_args = 1..)]
    log: Vec<PathBuf>,
    #[command(flatten)]
    calendar: CalendarArgs,
    #[command(flatten)]
    answer: AnswerArgs,
}

/// All that is known of a day.
struct Day {
    /// By the time they begin, as all that follows.
    exec: Vec<exec::Run>,
    risk: Vec<risk::Journal>,
    exchange: Option<Exchange>,
    /// Everything that was written.
    files: Vec<PathBuf>,
    /// What must be in none of them, and what that is called.
    secrets: Vec<(&'static str, String)>,
    calendar: Named<Calendar>,
}

impl Day {
    fn read(args: &DayArgs) -> Result<Day> {
        if args.exec.is_empty() && args.journal.is_empty() {
            return Err(Error::usage("day: give --exec, --journal, or better both"));
        }
        let begun =
            |paths: &[PathBuf]| paths.iter().filter(|path| has_begun(path)).cloned().collect::<Vec<_>>();
        let (runs, journals) = (begun(&args.exec), begun(&args.journal));
        let mut exec = runs.iter().map(|path| exec::Run::read(path)).collect::<Result<Vec<_>>>()?;
        exec.sort_by_key(|run| run.begun.utc);
        let mut risk = journals.iter().map(|path| risk::Journal::read(path)).collect::<Result<Vec<_>>>()?;
        risk.retain(|journal| !journal.statements.is_empty());
        risk.sort_by_key(risk::Journal::first);
        let exchange = (!args.exchange.is_empty()).then(|| Exchange::read(&args.exchange)).transpose()?;
        let files = [&args.exec[..], &args.journal, &args.exchange, &args.log].concat();
        let secret =
            |name| std::env::var(name).ok().filter(|value| !value.is_empty()).map(|value| (name, value));
        let secrets = ["TOPSTEPX_USERNAME", "TOPSTEPX_API_KEY"].into_iter().filter_map(secret).collect();
        Ok(Day { exec, risk, exchange, files, secrets, calendar: args.calendar.read()? })
    }
}

/// Says whether a journal has its first line: whoever was killed before that has done nothing.
fn has_begun(path: &Path) -> bool {
    let mut first = Vec::new();
    let read = File::open(path).and_then(|file| BufReader::new(file).read_until(b'\n', &mut first));
    read.is_err() || first.ends_with(b"\n")
}

/// Judges a day.
///
/// # Errors
///
/// A law that is broken (exit code 1), no journal at all (2), a file that is none (3).
pub fn day(args: &DayArgs) -> Result<()> {
    let report = judge(&Day::read(args)?);
    print(if args.answer.is_json() { format!("{}\n", report.json()) } else { report.text() })?;
    match report.broken().as_slice() {
        [] => Ok(()),
        broken => Err(Error::failed(format!("day: broken: {}", broken.join(", ")))),
    }
}

fn judge(day: &Day) -> Report {
    Report(laws::ALL.iter().map(|law| (*law, (law.judge)(day))).collect())
}
