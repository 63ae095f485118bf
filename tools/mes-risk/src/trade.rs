//! The loop: bar down, statement up, orders down. What risk knew when it decided is what the journal says it knew,
//! in a backtest as live.

use mes_core::{
    broker::{Broker, Hello},
    interval::Interval,
    kept::Memory,
    ledger::Ledger,
    person::{Person, Says},
    row::Row,
    run::{Named, Run, VERSION},
    session::{Filter, Sessions},
    statement::Statement,
    time::Ts,
    verdict::Verdict,
};
use mes_pipe::{Lineage, Result, Settings, journal::Journal};

use crate::judge::Risk;

/// Where rows come from.
pub trait Rows {
    fn next(&mut self) -> Result<Next<'_>>;
}

/// The next row, or what there is instead.
pub enum Next<'a> {
    Row(&'a Row),
    /// A row that nothing but the memory of the market needs: the account is flat, nothing is on its way, and the row
    /// neither may be entered on nor begins a day or session. Only a search that looks at all rows beforehand can know.
    Watch(&'a Row),
    /// Something said, which takes effect on the row after it; after a stop there is none.
    Person(Person),
    /// The next row may take a while: flush first.
    Idle,
    End,
}

/// What the rows are.
#[derive(Clone, Debug)]
pub struct Stream {
    pub interval: Interval,
    pub session: Filter,
    /// They have columns of bid or ask, so that a row without a quote says that there was none.
    pub quotes: bool,
    pub lineage: Lineage,
    /// What is remembered before the first row; nothing of a new account.
    pub ledger: Option<Ledger>,
    /// Who the broker was, where the rows are those of a journal that is replayed.
    pub hello: Option<Hello>,
    /// What is kept of the account from run to run, if anything is.
    pub kept: Option<Memory>,
}

impl Stream {
    /// Describes rows of an account that begins with them.
    pub fn new(interval: Interval, session: Filter, lineage: Lineage) -> Self {
        Stream { interval, session, quotes: false, lineage, ledger: None, hello: None, kept: None }
    }
}

/// Trades the rows at the broker. Rows before `from` only warm up.
///
/// # Errors
///
/// What rows, broker and journal fail of, by the kinds of each; `Stopped` where a person ended the day.
pub fn trade<R: Rows, B: Broker, J: Journal>(
    rows: &mut R,
    broker: &mut B,
    journal: &mut J,
    settings: &Settings,
    stream: &Stream,
    from: Option<Ts>,
) -> Result<()> {
    let hello = match &stream.hello {
        Some(recorded) => recorded.clone(),
        None => broker.hello()?,
    };
    let run = run_record(settings, stream, from, hello);
    let Named { value: calendar, .. } = &settings.calendar;
    let mut risk = Risk::new(&run, calendar.clone(), stream.interval, from);
    let mut sessions = Sessions::new(calendar.clone());
    journal.run(&run)?;
    broker.begin(&run)?;
    let mut verdicts = Vec::new();
    loop {
        let row = match rows.next()? {
            Next::Row(row) => row,
            Next::Watch(row) => {
                risk.watch(row);
                broker.watch(&row.bar);
                continue;
            }
            Next::Person(person) => {
                journal.person(&person)?;
                if person.says == Says::Stop {
                    broker.stop();
                    break;
                }
                risk.told(&person);
                continue;
            }
            Next::Idle => {
                journal.flush()?;
                continue;
            }
            Next::End => break,
        };
        sessions.check_bar(row.bar.ts)?;
        journal.row(row)?;
        let statement = broker.on_bar(&row.bar)?;
        verdicts.clear();
        if risk.knows(row) {
            // What is filled meanwhile is no cash that moved by itself.
            risk.ledger_mut().ended_flat &= statement.fills.is_empty();
            journal.statement(statement)?;
            continue;
        }
        risk.judge(row, statement, &mut verdicts);
        journal.remember(risk.ledger_mut(), row, statement)?;
        journal.statement(statement)?;
        for verdict in &verdicts {
            journal.verdict(verdict)?;
            if let Verdict::Order(order) = verdict {
                broker.submit(order)?;
            }
        }
    }
    journal.end()?;
    journal.flush()?;
    close(&mut risk, broker.end()?, journal)
}

/// Describes what is about to be traded.
fn run_record(settings: &Settings, stream: &Stream, from: Option<Ts>, hello: Hello) -> Run {
    let mut ledger = stream.ledger.clone().unwrap_or_else(|| Ledger::new(hello.balance_cents));
    ledger.order = ledger.order.max(hello.seen);
    Run {
        v: VERSION,
        interval: stream.interval.to_string(),
        session: stream.session,
        quotes: stream.quotes,
        rules: settings.rules.clone(),
        costs: settings.costs.clone(),
        fills: settings.fills.clone(),
        calendar: settings.calendar.blake3.clone(),
        from,
        ledger,
        broker: hello,
        kept: stream.kept.clone(),
        lineage: stream.lineage.to_json(),
    }
}

/// Takes in the account as it was left. The last statement is the last line.
fn close<J: Journal>(risk: &mut Risk, statement: &Statement, journal: &mut J) -> Result<()> {
    let mut verdicts = Vec::new();
    risk.closed(statement, &mut verdicts);
    journal.closed(risk.ledger_mut(), statement)?;
    for verdict in &verdicts {
        journal.verdict(verdict)?;
    }
    journal.statement(statement)?;
    journal.flush()
}
