//! How the ledger follows rows and statements: the day, the market, the trade that is open, losses in a row, peaks.

use mes_core::{
    contract::{TICK, ticks},
    ledger::{Day, Lasts, Ledger, Open, Pause},
    money::Cents,
    row::Row,
    rules::{Breakers, Rules},
    schedule::Today,
    statement::{Fill, Statement},
    time::{SECOND, Ts},
};

/// Takes in a row that is so long and the statement that answers it.
pub fn update(
    ledger: &mut Ledger,
    row: &Row,
    row_ns: i64,
    statement: &Statement,
    today: Option<&Today>,
    rules: &Rules,
) {
    if let Some(today) = today {
        begin_day(ledger, today);
    }
    watch(ledger, row, row_ns, rules);
    account(ledger, statement, &rules.breakers);
    if let Some(trade) = &mut ledger.trade {
        let close = row.bar.close;
        trade.best = if statement.position > 0 { trade.best.max(close) } else { trade.best.min(close) };
    }
}

/// Takes in what a statement says of the account alone: of the last one there is no row.
pub fn account(ledger: &mut Ledger, statement: &Statement, breakers: &Breakers) {
    let mut booked = ledger.balance_cents;
    for fill in &statement.fills {
        booked += fill.gross_cents - fill.commission_cents;
        book(ledger, fill, breakers);
    }
    if statement.position == 0 && ledger.position != 0 {
        missed(ledger, statement, statement.balance_cents - booked, breakers);
    }
    ledger.position = statement.position;
    if statement.position == 0 {
        ledger.trade = None;
    }
    (ledger.equity_cents, ledger.balance_cents) = (statement.equity_cents, statement.balance_cents);
    ledger.peak_cents = ledger.peak_cents.max(ledger.equity_cents);
    if let Some(day) = &mut ledger.day {
        day.peak_cents = day.peak_cents.max(ledger.equity_cents);
    }
}

/// Takes in what a row says of the market alone.
pub fn watch(ledger: &mut Ledger, row: &Row, row_ns: i64, rules: &Rules) {
    ledger.market.push(&row.bar, row_ns);
    spread(ledger, row, &rules.breakers);
    leave_range(ledger, row.bar.close);
}

/// Begins a day where `today` is another than that of the row before.
fn begin_day(ledger: &mut Ledger, today: &Today) {
    if ledger.day.is_some_and(|day| day.label == today.label()) {
        return;
    }
    if ledger.day.is_some() {
        ledger.day_end_high_cents = ledger.day_end_high_cents.max(ledger.balance_cents);
    }
    ledger.day = Some(Day {
        label: today.label(),
        start_cents: ledger.equity_cents,
        balance_cents: ledger.balance_cents,
        peak_cents: ledger.equity_cents,
    });
    ledger.losses = 0;
    ledger.stopped = ledger.stopped.take().filter(|stopped| stopped.lasts > Lasts::Day);
}

/// Follows the spread; one that is not known, or crossed, changes nothing.
fn spread(ledger: &mut Ledger, row: &Row, breakers: &Breakers) {
    let Some(spread) = spread_ticks(row).filter(|_| breakers.spread_ticks > 0.0) else { return };
    if spread > breakers.spread_ticks {
        ledger.wide_spread = true;
    } else if spread <= breakers.spread_resume_ticks {
        ledger.wide_spread = false;
    }
}

/// Returns the spread at the close, in ticks.
pub fn spread_ticks(row: &Row) -> Option<f64> {
    let spread = (row.bar.ask? - row.bar.bid?) / TICK;
    (spread >= 0.0).then_some(spread)
}

/// Books a fill: a trade is what happens from flat to flat.
fn book(ledger: &mut Ledger, fill: &Fill, breakers: &Breakers) {
    ledger.position += fill.side.sign() * fill.contracts;
    if fill.exit.is_some() {
        ledger.last_exit = Some(fill.ts);
    } else if ledger.trade.is_none() {
        let trade = Open { entered: fill.ts, best: fill.price, net_cents: Cents::ZERO };
        ledger.trade = Some(trade);
    }
    let Some(trade) = &mut ledger.trade else { return };
    trade.net_cents += fill.gross_cents - fill.commission_cents;
    let net = trade.net_cents;
    if ledger.position == 0 {
        ledger.trade = None;
        count_losses(ledger, net, fill.ts, breakers);
    }
}

/// Ends a trade whose last fills nobody told, as after a kill: what they brought is in the balance all the same.
fn missed(ledger: &mut Ledger, statement: &Statement, gain: Cents, breakers: &Breakers) {
    if let Some(trade) = ledger.trade.take() {
        ledger.last_exit = Some(statement.ts);
        count_losses(ledger, trade.net_cents + gain, statement.ts, breakers);
    }
}

/// Counts losing trades in a row, and pauses after some.
fn count_losses(ledger: &mut Ledger, net: Cents, ts: Ts, breakers: &Breakers) {
    if net > Cents::ZERO {
        ledger.losses = 0;
    } else if net < Cents::ZERO {
        ledger.losses += 1;
        if let Some(seconds) = breakers.pause_s(ledger.losses) {
            ledger.pause = Some(Pause { from: ts, until: ts + seconds * SECOND });
        }
    }
}

/// Forgets reversals once a close has left the minute before the last one.
fn leave_range(ledger: &mut Ledger, close: f64) {
    let (Some(range), Ok(close)) = (ledger.reversals.range, ticks(close)) else { return };
    if !(range.low..=range.high).contains(&close) {
        (ledger.reversals.range, ledger.reversals.count) = (None, 0);
    }
}

/// Takes the next order id.
pub fn next_order(ledger: &mut Ledger) -> u64 {
    ledger.order += 1;
    ledger.order
}
