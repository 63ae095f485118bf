//! Cash that comes or goes while nobody trades: a payout, a practice account set up anew.

use mes_core::{
    bar::Bar,
    broker::{Broker, BrokerError, Hello, Kind},
    interval::Interval,
    ledger::Ledger,
    money::Cents,
    order::Order,
    row::Row,
    session::Filter,
    statement::Statement,
    verdict::Verdict,
};
use mes_pipe::{Lineage, Result, journal::Journal};
use mes_risk::trade::{Stream, trade};

use crate::{
    MORNING,
    play::{Tape, Walk, settings},
};

/// A broker where nothing is ever filled.
struct Purse(Statement);

impl Broker for Purse {
    fn hello(&mut self) -> std::result::Result<Hello, BrokerError> {
        Ok(Hello::new(Kind::Practice, "purse", self.0.balance_cents))
    }

    fn begin(&mut self, _run: &mes_core::run::Run) -> std::result::Result<(), BrokerError> {
        Ok(())
    }

    fn on_bar(&mut self, bar: &Bar) -> std::result::Result<&Statement, BrokerError> {
        self.0.ts = bar.ts;
        Ok(&self.0)
    }

    fn submit(&mut self, _order: &Order) -> std::result::Result<(), BrokerError> {
        Ok(())
    }

    fn end(&mut self) -> std::result::Result<&Statement, BrokerError> {
        Ok(&self.0)
    }
}

/// What risk remembers in the end, or, killed before it, after the last row; and what it said.
#[derive(Default)]
struct Kept {
    killed: bool,
    ledger: Option<Ledger>,
    alerts: Vec<(String, f64)>,
}

impl Journal for Kept {
    fn statement(&mut self, _statement: &Statement) -> Result<()> {
        Ok(())
    }

    fn verdict(&mut self, verdict: &Verdict) -> Result<()> {
        if let Verdict::Alert { rule, value, .. } = verdict {
            self.alerts.push((rule.to_string(), *value));
        }
        Ok(())
    }

    fn remember(&mut self, ledger: &mut Ledger, _row: &Row, _statement: &Statement) -> Result<()> {
        self.ledger = Some(ledger.clone());
        Ok(())
    }

    fn closed(&mut self, ledger: &mut Ledger, _statement: &Statement) -> Result<()> {
        if !self.killed {
            self.ledger = Some(ledger.clone());
        }
        Ok(())
    }
}

/// Trades a row of a day with this balance.
fn day(usd: i64, before: Option<Ledger>, killed: bool) -> Kept {
    let mut tape = Tape::new(MORNING);
    tape.ts += i64::from(before.is_some()) * mes_core::time::HOUR;
    tape.still(0);
    let balance = Cents(usd * 100);
    let statement = Statement { balance_cents: balance, equity_cents: balance, ..Statement::default() };
    let stream = Stream { ledger: before, ..Stream::new(Interval::SECOND, Filter::All, Lineage::default()) };
    let mut kept = Kept { killed, ..Kept::default() };
    let settings = settings("mes-1k", |_| {});
    trade(&mut Walk(tape.rows()), &mut Purse(statement), &mut kept, &settings, &stream, None)
        .expect("traded");
    kept
}

#[test]
fn cash_that_moved_between_two_runs_is_no_gain_and_no_loss() {
    let first = day(1_000, None, false).ledger.expect("a ledger");
    for (usd, moved) in [(3_000, 2_000), (400, -600)] {
        let second = day(usd, Some(first.clone()), false);
        assert_eq!(second.alerts, [("adjusted_balance_usd".to_owned(), moved as f64)]);
        let ledger = second.ledger.expect("a ledger");
        let measured = [ledger.first_cents, ledger.start_cents, ledger.peak_cents, ledger.day_end_high_cents];
        assert_eq!(measured, [Cents(usd * 100); 4]);
        assert_eq!(ledger.stopped, None);
    }
    assert_eq!(day(1_000, Some(first), false).alerts, []);
}

/// Nobody knows what became of what was on its way: a loss stays one.
#[test]
fn after_a_kill_what_is_missing_is_a_loss() {
    let first = day(1_000, None, true).ledger.expect("a ledger");
    let second = day(400, Some(first), false);
    assert!(second.alerts.iter().any(|(rule, _)| rule == "unexplained_balance_usd"), "{:?}", second.alerts);
    let ledger = second.ledger.expect("a ledger");
    assert_eq!((ledger.start_cents, ledger.equity_cents), (Cents(100_000), Cents(40_000)));
}
