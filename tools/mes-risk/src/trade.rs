//! The loop: bar down, statement up, orders down. What risk knew when it decided is what the journal says it knew,
//! in a backtest as live.

use mes_core::{
    broker::Broker,
    interval::Interval,
    ledger::Ledger,
    row::Row,
    run::{Named, Run},
    session::Filter,
    statement::Statement,
    time::Ts,
    verdict::Verdict,
};
use mes_pipe::{Lineage, Result, Settings};

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
    /// The next row may take a while: flush first.
    Idle,
    End,
}

/// Who keeps what happened.
pub trait Journal {
    fn run(&mut self, run: &Run) -> Result<()>;
    fn row(&mut self, row: &Row) -> Result<()>;
    fn statement(&mut self, statement: &Statement) -> Result<()>;
    fn verdict(&mut self, verdict: &Verdict) -> Result<()>;
    fn end(&mut self) -> Result<()>;
    fn flush(&mut self) -> Result<()>;
}

/// What the rows are.
#[derive(Clone, Debug)]
pub struct Stream {
    pub interval: Interval,
    pub session: Filter,
    pub lineage: Lineage,
}

/// Trades the rows at the broker. Rows before `from` only warm up.
pub fn trade<R: Rows, B: Broker, J: Journal>(
    rows: &mut R,
    broker: &mut B,
    journal: &mut J,
    settings: &Settings,
    stream: &Stream,
    from: Option<Ts>,
) -> Result<()> {
    let hello = broker.hello()?;
    let mut ledger = Ledger::new(hello.balance_cents);
    ledger.order = hello.seen;
    let run = Run {
        v: 1,
        interval: stream.interval.to_string(),
        session: stream.session,
        rules: settings.rules.clone(),
        costs: settings.costs.clone(),
        fills: settings.fills.clone(),
        calendar: settings.calendar.blake3.clone(),
        from,
        ledger: ledger.clone(),
        broker: hello.clone(),
        lineage: stream.lineage.to_json(),
    };
    let Named { value: calendar, .. } = &settings.calendar;
    let mut risk = Risk::new(&run, calendar.clone(), stream.interval, from);
    journal.run(&run)?;
    broker.begin(&run)?;
    let mut verdicts = Vec::new();
    loop {
        let row = match rows.next()? {
            Next::Row(row) => row,
            Next::Watch(row) => {
                risk.watch(row);
                continue;
            }
            Next::Idle => {
                journal.flush()?;
                continue;
            }
            Next::End => break,
        };
        journal.row(row)?;
        let statement = broker.on_bar(&row.bar)?;
        verdicts.clear();
        risk.judge(row, statement, &mut verdicts)?;
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
    let statement = broker.end()?;
    journal.statement(statement)?;
    journal.flush()
}
