//! The default verb: trades the rows in process and says what came of it.

use std::{
    cell::Cell,
    fs::File,
    path::{Path, PathBuf},
    rc::Rc,
};

use clap::Args;
use mes_core::{
    ledger::Ledger, person::Person, row::Row, run::Run, schedule::Schedule, statement::Statement,
    verdict::Verdict,
};
use mes_pipe::{AnswerArgs, Error, Result, Settings, journal::Journal};
use mes_risk::{
    journal::{JsonJournal, lines},
    rows::{TableRows, TradeArgs},
    trade::{Stream, trade},
};

use mes_judge::{facts::Facts, made, recorder::Recorder, search::Search, summary::Summary, terminal};

use crate::{
    refill::{self, Dealt},
    report,
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
    /// The ledger of the search that this is the outcome of (trials.jsonl of mes-lab optimize): deflates the Sharpe ratio
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// Open a new account on the trading day after a death and go on; deaths are counted. A journal is of one account
    #[arg(long, conflicts_with = "journal")]
    refill: bool,
    #[command(flatten)]
    answer: AnswerArgs,
}

/// Trades the rows in process and says what came of it.
///
/// # Errors
///
/// `Usage` where arguments and rules do not go together, `Data` where rows are none, `Failed` where a file cannot be
/// written, `Stopped` where a person ended it.
pub fn run(args: &BacktestArgs) -> Result<()> {
    let settings = args.trade.settings.read()?;
    let search = args.ledger.as_deref().map(Search::read).transpose()?;
    let mut rows = TableRows::open(&args.trade.input, settings.rules.value.contract)?;
    let (stream, columns) = rows.stream()?;
    let file = args.out.as_deref().map(report::equity).transpose()?;
    let to_stdout = args.journal.as_deref() == Some(Path::new("-"));
    let journal = match &args.journal {
        None => None,
        Some(_) if to_stdout => Some(JsonJournal::new(lines(std::io::stdout()), columns)),
        Some(path) => {
            let file = File::create(path).map_err(|error| Error::from(error).at(path.display()))?;
            Some(JsonJournal::new(lines(file), columns))
        }
    };
    let mut recorder = Recorder::new(settings.calendar.value.clone(), file);
    recorder.facts.refill = args.refill;
    let path = args.journal.clone().filter(|_| !to_stdout);
    let mut kept = Kept { recorder, journal, path, over: Rc::default(), forerunner: None };
    if args.refill {
        accounts(&mut rows, &mut kept, &settings, stream, args)?;
    } else {
        let mut broker = mes_exec::paper(&settings)?;
        trade(&mut rows, &mut broker, &mut kept, &settings, &stream, args.trade.from)?;
    }
    let facts = kept.recorder.finish()?;
    tell(args, &facts, &search.unwrap_or_default(), to_stdout)
}

/// Trades with one account after the other, each from the trading day after its forerunner's death.
fn accounts(
    rows: &mut TableRows,
    kept: &mut Kept,
    settings: &Settings,
    mut stream: Stream,
    args: &BacktestArgs,
) -> Result<()> {
    let flat_by = settings.rules.value.day_end.flat_by;
    let schedule = Schedule::new(settings.calendar.value.clone(), flat_by, None, stream.session);
    let over = Rc::clone(&kept.over);
    let mut dealt = Dealt::new(rows, schedule, &over);
    loop {
        let mut broker = mes_exec::paper(settings)?;
        trade(&mut dealt, &mut broker, kept, settings, &stream, args.trade.from)?;
        let Some(forerunner) = kept.forerunner.take().filter(|_| dealt.has_more()) else { return Ok(()) };
        let capital = settings.rules.value.capital();
        let start = stream.hello.as_ref().map_or(capital, |hello| hello.balance_cents);
        stream.ledger = Some(refill::anew(forerunner, start));
    }
}

/// Prints the summary, unless the journal has stdout, and writes the files.
fn tell(args: &BacktestArgs, facts: &Facts, search: &Search, journal_on_stdout: bool) -> Result<()> {
    let summary = Summary::of_search(facts, search);
    if let Some(directory) = &args.out {
        report::write(directory, facts, &summary)?;
        made::seal(directory, &summary)?;
    }
    if journal_on_stdout {
        return Ok(());
    }
    args.answer.give(&summary, || terminal::text(&summary, facts))
}

/// The recorder, and the journal where one is wanted.
struct Kept {
    recorder: Recorder,
    journal: Option<JsonJournal>,
    /// Where it goes; absent for stdout.
    path: Option<PathBuf>,
    /// The account is dead and flat.
    over: Rc<Cell<bool>>,
    /// What the account remembers, once it is dead and a new one is to follow.
    forerunner: Option<Ledger>,
}

impl Kept {
    fn both(&mut self, mut write: impl FnMut(&mut dyn Journal) -> Result<()>) -> Result<()> {
        write(&mut self.recorder)?;
        let written = self.journal.as_mut().map_or(Ok(()), |journal| write(journal));
        match &self.path {
            Some(path) => written.map_err(|error| error.at(path.display())),
            None => written,
        }
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
        self.both(|journal| journal.statement(statement))?;
        self.over.set(self.recorder.is_over());
        Ok(())
    }

    fn verdict(&mut self, verdict: &Verdict) -> Result<()> {
        self.both(|journal| journal.verdict(verdict))?;
        self.over.set(self.recorder.is_over());
        Ok(())
    }

    fn remember(&mut self, ledger: &mut Ledger, _: &Row, _: &Statement) -> Result<()> {
        if self.recorder.facts.refill {
            self.forerunner = refill::remembered(ledger);
        }
        Ok(())
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
