//! `session`: the report at the end of a day: what a session came to, and how it was traded.

mod replay;

use std::path::{Path, PathBuf};

use clap::Args;
use mes_judge::{
    conduct::Conduct,
    expectation::Expectation,
    facts::Facts,
    journal,
    recorder::Recorder,
    session::{Against, Replay, Session, page, terminal},
};
use mes_pipe::{AnswerArgs, CalendarArgs, Error, Result, answer::pretty, log, write::whole};

/// Say what a session came to and how it was traded: fills against the costs file, limits, errors, alerts
///
/// Reads the journal of a day on paper, in practice or for money (or of a backtest) and says what it came to, what its
/// fills cost against the costs file, how long they took, which limits were touched, what went wrong and how it ended. The
/// same rows are traded again in a backtest, by the journal's own rules, costs and fills, and the two are compared as by
/// mes-bt diff. A journal that is still written, or whose writer was killed, is judged as far as it goes, and that is
/// said.
#[derive(Args)]
#[command(after_help = "Examples:
  mes-bt session run/journal.jsonl
  mes-bt session run/journal.jsonl --against runs/backtest --out run/sessions/today

Exit codes: 0 done, 1 failed, 2 arguments, 3 data")]
pub struct SessionArgs {
    /// A journal; - is stdin, which cannot be traded again
    #[arg(value_name = "JOURNAL", default_value = "-")]
    journal: PathBuf,
    /// What the model lets expect of a trade: the run folder of a backtest, or a journal
    #[arg(long, value_name = "RUN")]
    against: Option<PathBuf>,
    /// Write session.html, session.json and session.txt into this directory
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Do not trade the rows again
    #[arg(long)]
    no_replay: bool,
    #[command(flatten)]
    calendar: CalendarArgs,
    #[command(flatten)]
    answer: AnswerArgs,
    /// No notes on stderr
    #[arg(short, long)]
    quiet: bool,
}

/// Judges a session.
///
/// # Errors
///
/// Exit code 2 where files are not there or the calendar is another, 3 where the journal is none, 1 where writing fails.
pub fn run(args: &SessionArgs) -> Result<()> {
    let calendar = args.calendar.read()?;
    let expected = args.against.as_deref().map(|path| Expectation::read(path, &calendar)).transpose()?;
    let mut recorder = Recorder::new(calendar.value.clone(), None);
    if args.out.is_some() {
        recorder = recorder.showing();
    }
    let mut conduct = Conduct::new(calendar.value.clone());
    let facts = journal::heard(&args.journal, &calendar, recorder, &mut [&mut conduct])?;
    if let Some(missing) = facts.missing {
        log::note(format!("{}: {}", args.journal.display(), missing.words()));
    }
    let nets: Vec<f64> = facts.trades.iter().map(|trade| trade.net_cents.usd()).collect();
    let against = expected.zip(args.against.as_ref()).map(|(expectation, path)| Against {
        source: path.display().to_string(),
        standing: expectation.judge(&nets),
        expectation,
    });
    let replay = if args.no_replay {
        without("it was not asked for")
    } else if args.journal == Path::new("-") {
        without("a journal from stdin is read once")
    } else {
        replay::of(&args.journal, &calendar, &facts).unwrap_or_else(|error| without(&error.to_string()))
    };
    let session = Session::of(&facts, &conduct, against, replay);
    if let Some(directory) = &args.out {
        write(directory, &session, &facts)?;
    }
    args.answer.give(&session, || terminal::text(&session, &facts))
}

fn without(why: &str) -> Replay {
    Replay { without: Some(why.to_owned()), ..Replay::default() }
}

fn write(directory: &Path, session: &Session, facts: &Facts) -> Result<()> {
    std::fs::create_dir_all(directory).map_err(|error| Error::from(error).at(directory.display()))?;
    whole(&directory.join("session.json"), &pretty(session)?)?;
    whole(&directory.join("session.txt"), &terminal::text(session, facts))?;
    whole(&directory.join("session.html"), &page::page(session, facts))?;
    log::note(format!("{}; report in {}", session.verdict(), directory.join("session.html").display()));
    Ok(())
}
