//! The default verb: trades the rows in process and says what came of it.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use clap::Args;
use mes_core::{person::Person, row::Row, run::Run, statement::Statement, verdict::Verdict};
use mes_pipe::{AnswerArgs, Error, Result, log};
use mes_risk::{
    journal::{JsonJournal, lines},
    rows::{TableRows, TradeArgs},
    trade::{Journal, trade},
};

use crate::{
    evidence::Searched,
    files::{self, equity::EquityFile},
    optimize::ledger::{Ledger, searched},
    recorder::{Recorder, Results},
    summary::Summary,
    terminal,
};

#[derive(Args)]
pub struct BacktestArgs {
    #[command(flatten)]
    trade: TradeArgs,
    /// Write trades, equity, summary and report into this directory
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write the journal to this file; - is stdout, in place of the summary
    #[arg(long, value_name = "FILE|-")]
    journal: Option<PathBuf>,
    /// The ledger of the search that this is the outcome of (trials.jsonl of mes-bt optimize): deflates the Sharpe ratio
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    #[command(flatten)]
    answer: AnswerArgs,
}

/// Trades the rows in process and says what came of it.
pub fn run(args: &BacktestArgs) -> Result<()> {
    let settings = args.trade.settings.read()?;
    let ledger = args.ledger.as_deref().map(read).transpose()?;
    let mut rows = TableRows::open(&args.trade.input)?;
    let (stream, columns) = rows.stream()?;
    let mut broker = mes_exec::sim(&settings)?;
    let file = match &args.out {
        Some(directory) => {
            std::fs::create_dir_all(directory).map_err(|error| Error::from(error).at(directory.display()))?;
            Some(EquityFile::create(&directory.join("equity.parquet"))?)
        }
        None => None,
    };
    let to_stdout = args.journal.as_deref() == Some(Path::new("-"));
    let journal = match &args.journal {
        None => None,
        Some(_) if to_stdout => Some(JsonJournal::new(lines(std::io::stdout()), columns)),
        Some(path) => {
            let file = File::create(path).map_err(|error| Error::from(error).at(path.display()))?;
            Some(JsonJournal::new(lines(file), columns))
        }
    };
    let mut kept =
        Kept { recorder: Recorder::new(settings.calendar.value.clone(), file, args.trade.from), journal };
    trade(&mut rows, &mut broker, &mut kept, &settings, &stream, args.trade.from)?;
    let mut results = kept.recorder.finish()?;
    (results.searched, results.ledger_blake3) = ledger.unwrap_or_default();
    tell(args, &results, to_stdout)
}

/// Reads a ledger: the search it tells of, and its hash.
fn read(path: &Path) -> Result<(Option<Searched>, Option<String>)> {
    let lines = Ledger::read(path)?;
    let file = File::open(path).and_then(mes_pipe::hash_of);
    let hash = file.map_err(|error| Error::from(error).at(path.display()))?;
    Ok((searched(&lines, None), Some(hash)))
}

/// Prints the summary, unless the journal has stdout, and writes the files.
fn tell(args: &BacktestArgs, results: &Results, journal_on_stdout: bool) -> Result<()> {
    let summary = Summary::of(results);
    if let Some(directory) = &args.out {
        files::write(directory, results, &summary)?;
        let report = directory.join("report.html");
        log::note(format!("{}; report in {}", summary.verdict(), report.display()));
    }
    if journal_on_stdout {
        return Ok(());
    }
    args.answer.give(&summary, || terminal::text(&summary, results))
}

/// The recorder, and the journal where one is wanted.
struct Kept {
    recorder: Recorder,
    journal: Option<JsonJournal>,
}

impl Kept {
    fn both(&mut self, mut write: impl FnMut(&mut dyn Journal) -> Result<()>) -> Result<()> {
        write(&mut self.recorder)?;
        self.journal.as_mut().map_or(Ok(()), |journal| write(journal))
    }
}

impl Journal for Kept {
    fn run(&mut self, run: &Run) -> Result<()> {
        self.both(|journal| journal.run(run))
    }

    fn row(&mut self, row: &Row) -> Result<()> {
        self.both(|journal| journal.row(row))
    }

    fn statement(&mut self, statement: &Statement) -> Result<()> {
        self.both(|journal| journal.statement(statement))
    }

    fn verdict(&mut self, verdict: &Verdict) -> Result<()> {
        self.both(|journal| journal.verdict(verdict))
    }

    fn person(&mut self, person: &Person) -> Result<()> {
        self.both(|journal| journal.person(person))
    }

    fn end(&mut self) -> Result<()> {
        self.both(|journal| journal.end())
    }

    fn flush(&mut self) -> Result<()> {
        self.both(|journal| journal.flush())
    }
}
