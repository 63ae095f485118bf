//! Made-up results for tests.

use mes_core::{
    broker::{Hello, Kind},
    calendar::Calendar,
    costs::{Costs, OWNER},
    fills::Fills,
    ledger::Ledger,
    money::Cents,
    order::{Action, ExitReason, Order, Side, Signal},
    price::Price,
    row::Row,
    rules::{MES_1K, Rules},
    run::{Named, Run, VERSION},
    session::Filter,
    statement::{Fill, Statement},
    time::{MINUTE, SECOND, Ts},
    verdict::Verdict,
};
use mes_pipe::journal::Journal;
use serde_json::json;

use crate::{facts::Facts, recorder::Recorder};

/// 2026-11-02T14:31:00Z, a Monday.
pub const START: Ts = 1_793_629_860 * SECOND;

/// A run of the shipped rules and costs over made-up seconds.
pub fn run() -> Run {
    let hello = Hello::new(Kind::Paper, "paper", Cents(100_000));
    let blake3 = "ab12".repeat(16);
    Run {
        v: VERSION,
        interval: "1s".into(),
        session: Filter::Rth,
        quotes: false,
        rules: Named { blake3: blake3.clone(), value: Rules::parse(MES_1K).expect("rules") },
        costs: Named { blake3: blake3.clone(), value: Costs::parse(OWNER).expect("costs") },
        fills: Fills::default(),
        calendar: blake3,
        from: None,
        ledger: Ledger::new(Cents(100_000)),
        broker: hello,
        kept: None,
        lineage: json!([{"tool": "mes-fetch", "settings": {"synthetic": true, "seed": 1, "note": "<b>&\"x\""}}]),
    }
}

/// Makes a recorder that has been told of the run.
pub fn recorder() -> Recorder {
    let mut recorder = Recorder::new(Calendar::shipped(), None);
    recorder.run(&run()).expect("records");
    recorder
}

/// Makes a statement of an account without a position.
pub fn state(ts: Ts, balance: Cents, fills: Vec<Fill>) -> Statement {
    Statement { ts, balance_cents: balance, equity_cents: balance, fills, ..Statement::default() }
}

/// Makes a fill at so many ticks above 5000.
pub fn fill(ts: Ts, order: u64, side: Side, contracts: i64, ticks: i64, slippage_ticks: i64) -> Fill {
    Fill {
        ts,
        order: Some(order),
        side,
        contracts,
        price: Price::from_ticks(20_000 + ticks),
        slippage_ticks: Some(slippage_ticks),
        spread_ticks: Some(0),
        commission_cents: Cents(42 * contracts),
        gross_cents: Cents::ZERO,
        exit: None,
        ambiguous: Some(false),
    }
}

/// Makes an order that enters one contract.
pub fn enter(ts: Ts, id: u64, side: Side) -> Order {
    let action =
        Action::Enter { side, contracts: 1, stop_ticks: 8, target_ticks: 16, confidence: 0.7, limit: None };
    Order { ts, id, signal: Signal::LongEntry, contract: Default::default(), action }
}

/// Trades of (contracts, ticks gained, slippage ticks a side, long), an hour apart, round the clock.
pub fn from_fills(trades: &[(i64, i64, i64, bool)]) -> Facts {
    let mut recorder = recorder();
    let mut balance = Cents(100_000);
    for (index, &(contracts, ticks, slippage, long)) in trades.iter().enumerate() {
        let (id, ts) = (index as u64 + 1, START + index as i64 * 60 * MINUTE);
        let side = if long { Side::Buy } else { Side::Sell };
        let action =
            Action::Enter { side, contracts, stop_ticks: 8, target_ticks: 16, confidence: 0.7, limit: None };
        let order = Order { ts, id, signal: Signal::LongEntry, contract: Default::default(), action };
        recorder.row(&Row::default()).expect("records");
        recorder.verdict(&Verdict::Order(order)).expect("records");
        let entry = fill(ts, id, side, contracts, 0, slippage);
        balance -= entry.commission_cents;
        let held = Statement { position: side.sign() * contracts, ..state(ts, balance, vec![entry]) };
        recorder.statement(&held).expect("records");
        let mut exit = fill(ts + 90 * SECOND, id, side.opposite(), contracts, side.sign() * ticks, slippage);
        exit.exit = Some(if ticks > 0 { ExitReason::Target } else { ExitReason::Stop });
        exit.gross_cents = Cents(125 * contracts * ticks);
        balance += exit.gross_cents - exit.commission_cents;
        recorder.statement(&state(exit.ts, balance, vec![exit])).expect("records");
    }
    recorder.finish().expect("finishes")
}

/// One trade of one contract a day with these nets in cents, $12.09 at risk, $20 at the target.
pub fn facts(nets: &[i64]) -> Facts {
    let mut recorder = recorder();
    let mut balance = Cents(100_000);
    for (index, &net) in nets.iter().enumerate() {
        let (id, days) = (index as u64 + 1, index as i64 + index as i64 / 5 * 2);
        let ts = START + days * 24 * 60 * MINUTE;
        let side = if index % 2 == 0 { Side::Buy } else { Side::Sell };
        let order = enter(ts, id, side);
        let mut row = Row::default();
        row.bar.ts = ts;
        (row.prediction.dir, row.prediction.conf) = (Some(1.0), Some(0.7));
        recorder.row(&row).expect("records");
        recorder.verdict(&Verdict::Order(order)).expect("records");
        let mut exit = fill(ts + 60 * SECOND, id, side.opposite(), 1, 4, 1);
        exit.exit = Some(if net > 0 { ExitReason::Target } else { ExitReason::Stop });
        exit.gross_cents = Cents(net + 84);
        balance += Cents(net);
        let fills = vec![fill(ts, id, side, 1, 0, 1), exit];
        recorder.statement(&state(ts + 60 * SECOND, balance, fills)).expect("records");
    }
    recorder.finish().expect("finishes")
}
