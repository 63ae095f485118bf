//! `compare`: runs beside each other.

use std::path::{Path, PathBuf};

use clap::Args;
use mes_judge::comparison::{Comparison, Run, page, terminal};
use mes_pipe::{AnswerArgs, CalendarArgs, Result, log, write::whole};

/// Put runs beside each other: figures with their intervals, equity, days in pairs, what differs in how they were made
///
/// Reads run folders (as mes-bt --out leaves them) and journals, two or more. Each after the first is compared with the
/// first, day by day on the days that both have.
#[derive(Args)]
#[command(after_help = "Examples:
  mes-bt compare runs/backtest runs/other
  mes-bt compare runs/backtest run/journal.jsonl --html compare.html

Exit codes: 0 done, 1 failed, 2 arguments, 3 data")]
pub struct CompareArgs {
    /// Run folders or journals
    #[arg(value_name = "RUN", required = true, num_args = 2..)]
    runs: Vec<PathBuf>,
    /// Write the page into this file
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    #[command(flatten)]
    calendar: CalendarArgs,
    #[command(flatten)]
    answer: AnswerArgs,
    /// No notes on stderr
    #[arg(short, long)]
    quiet: bool,
}

/// Compares runs.
///
/// # Errors
///
/// Exit code 2 where a run is not there, 3 where it is none, 1 where writing fails.
pub fn run(args: &CompareArgs) -> Result<()> {
    let calendar = args.calendar.read()?;
    let names = names(&args.runs);
    let read = |(path, name): (&PathBuf, String)| Run::read(path, name, &calendar);
    let runs = args.runs.iter().zip(names).map(read).collect::<Result<Vec<_>>>()?;
    let comparison = Comparison::of(runs);
    if let Some(path) = &args.html {
        whole(path, &page::page(&comparison))?;
        log::note(format!("page in {}", path.display()));
    }
    args.answer.give(&comparison, || terminal::text(&comparison))
}

/// Calls each run by the last part of its path; where two are alike, by its whole path.
fn names(paths: &[PathBuf]) -> Vec<String> {
    let last = |path: &Path| {
        path.file_name()
            .map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
    };
    let lasts: Vec<String> = paths.iter().map(|path| last(path)).collect();
    let alone = |name: &String| lasts.iter().filter(|other| *other == name).count() == 1;
    let name = |(path, last): (&PathBuf, &String)| {
        if alone(last) { last.clone() } else { path.display().to_string() }
    };
    paths.iter().zip(&lasts).map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_one_name_go_by_their_path() {
        let paths = ["runs/a", "old/a", "runs/b/"].map(PathBuf::from);
        assert_eq!(names(&paths), ["runs/a", "old/a", "b"]);
    }
}
