//! A made-up day for tests: seconds of a price that goes up and down, with trades where they are asked for.

use mes_core::{
    bar::Bar,
    broker::{Hello, Kind},
    calendar::Calendar,
    costs::{Costs, OWNER},
    fills::Fills,
    ledger::Ledger,
    money::Cents,
    order::{Action, ExitReason, Order, Side, Signal},
    price::Price,
    record::Record,
    row::{Columns, Row},
    rules::{MES_1K, Rules},
    run::{Named, Run, VERSION},
    session::Filter,
    statement::{Fill, Role, Statement, Working},
    time::{SECOND, Ts},
    verdict::Verdict,
};
use serde_json::json;

use crate::day::Day;

/// 2026-11-20T14:31:00Z, 09:31 New York.
pub const START: Ts = 1_795_185_060 * SECOND;
const HASH: &str = "calendar";

/// A day without a record.
pub fn day() -> Day {
    Day::new(Named { blake3: HASH.into(), value: Calendar::shipped() }, None)
}

/// The run record of an account of this kind and name.
pub fn run(kind: Kind, name: &str) -> Run {
    let named = |blake3: &str| blake3.to_owned();
    Run {
        v: VERSION,
        interval: "1s".into(),
        session: Filter::Rth,
        quotes: false,
        rules: Named { blake3: named("rules"), value: Rules::parse(MES_1K).expect("rules") },
        costs: Named { blake3: named("costs"), value: Costs::parse(OWNER).expect("costs") },
        fills: Fills::default(),
        calendar: HASH.into(),
        from: None,
        ledger: Ledger::new(Cents(100_000)),
        broker: Hello { name: name.into(), ..Hello::new(kind, "paper", Cents(100_000)) },
        kept: None,
        lineage: json!([]),
    }
}

/// The row that ends at `ts`.
pub fn row(ts: Ts) -> Record {
    let second = (ts - START) / SECOND;
    let close = Price::from_ticks(24_000 + second % 40);
    let (open, high, low) = (close, close + 1, close - 1);
    let bar = Bar { ts, open, high, low, close, volume: 10, age_ms: Some(100), seg: 1, ..Bar::default() };
    let mut row = Row { bar, ..Row::default() };
    (row.prediction.dir, row.prediction.conf) = (Some(0.0), Some(0.5));
    Record::Row(row, Columns::default())
}

/// An account without a position.
pub fn flat(ts: Ts, balance: i64) -> Statement {
    Statement { ts, balance_cents: Cents(balance), equity_cents: Cents(balance), ..Statement::default() }
}

fn fill(ts: Ts, order: u64, side: Side, ticks: i64) -> Fill {
    Fill {
        ts,
        order: Some(order),
        side,
        contracts: 1,
        price: Price::from_ticks(ticks),
        slippage_ticks: Some(1),
        spread_ticks: Some(0),
        commission_cents: Cents(42),
        gross_cents: Cents::ZERO,
        exit: None,
        ambiguous: Some(false),
    }
}

/// A day of `seconds` rows, whose k-th trade is entered in second `entries[k]`, held for 10, and loses 4 ticks.
pub fn records(kind: Kind, name: &str, seconds: i64, entries: &[i64]) -> Vec<Record> {
    let mut out = vec![Record::Run(Box::new(run(kind, name)))];
    let mut balance = 100_000;
    for second in 0..seconds {
        let ts = START + second * SECOND;
        out.push(row(ts));
        let entered = entries.iter().position(|entry| (*entry + 1..*entry + 11).contains(&second));
        let ended = entries.iter().position(|entry| *entry + 11 == second);
        let mut statement = flat(ts, balance);
        if let Some(number) = entered {
            let id = number as u64 + 1;
            if entries[number] + 1 == second {
                balance -= 42;
                statement = flat(ts, balance);
                statement.fills.push(fill(ts - 700_000_000, id, Side::Buy, 24_010));
            }
            statement.position = 1;
            statement.entry_price = Some(6002.5);
            statement.equity_cents = Cents(balance - 300);
            let leg = |role, ticks| Working::new(id, role, Side::Sell, 1, Some(Price::from_ticks(ticks)));
            statement.working = vec![leg(Role::Stop, 24_002), leg(Role::Target, 24_026)];
        }
        if let Some(number) = ended {
            let mut exit = fill(ts, number as u64 + 1, Side::Sell, 24_006);
            (exit.exit, exit.gross_cents) = (Some(ExitReason::Stop), Cents(-500));
            balance += -500 - 42;
            statement = flat(ts, balance);
            statement.fills.push(exit);
        }
        statement.seen = entries.iter().filter(|entry| **entry < second).count() as u64;
        out.push(Record::Statement(statement));
        if let Some(number) = entries.iter().position(|entry| *entry == second) {
            out.push(Record::Verdict(Verdict::Order(entry(ts, number as u64 + 1))));
        }
    }
    out
}

fn entry(ts: Ts, id: u64) -> Order {
    let action = Action::Enter {
        side: Side::Buy,
        contracts: 1,
        stop_ticks: 8,
        target_ticks: 16,
        confidence: 0.9,
        limit: None,
    };
    Order { ts, id, signal: Signal::LongEntry, contract: Default::default(), action }
}

/// The lines of records, as a journal has them.
pub fn lines(records: &[Record]) -> String {
    let line = |record: &Record| serde_json::to_string(&record.line()).expect("a line") + "\n";
    records.iter().map(line).collect()
}

/// A day that has taken all of these.
pub fn taken(records: Vec<Record>) -> Day {
    let mut day = day();
    for record in records {
        day.take(record).expect("a journal");
    }
    day
}
