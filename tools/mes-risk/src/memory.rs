//! How the ledger follows rows and statements: the day, the market, the trade that is open, losses in a row, peaks. What a
//! person should know of it is said as alerts.

use mes_core::{
    ledger::{Day, Lasts, Ledger, Open, Pause},
    lock::STANDS,
    money::Cents,
    order::{ExitReason, Side},
    plausible::Seen,
    quote::Quote,
    round_trip::Shares,
    row::Row,
    rules::{Breakers, Rules},
    schedule::Today,
    statement::{Fill, NEVER_ARRIVED, Statement},
    symbol::Symbol,
    time::{SECOND, Ts},
    verdict::Verdict,
};

/// Takes in a row that is so long and the statement that answers it. A row that is not believed marks nothing.
pub fn update(
    ledger: &mut Ledger,
    row: &Row,
    row_ns: i64,
    statement: &Statement,
    today: Option<&Today>,
    rules: &Rules,
    out: &mut Vec<Verdict>,
) {
    if let Some(today) = today {
        begin_day(ledger, today);
    }
    let jumped_before = ledger.market.prices.jump().is_some();
    let seen = watch(ledger, row, row_ns, rules);
    account(ledger, statement, row.bar.symbol, &rules.breakers, out);
    for fill in statement.fills.iter().filter(|fill| fill.exit == Some(ExitReason::Roll)) {
        alert(out, row.bar.ts, "roll_points", row.bar.open.points(), fill.price.points());
    }
    match seen {
        Seen::Implausible(jump) if !jumped_before => {
            alert(out, row.bar.ts, "price_jump_percent", 100.0 * jump.share, 100.0 * jump.limit);
        }
        Seen::Confirmed { from, to } => alert(out, row.bar.ts, "new_price_points", to, from),
        _ => {}
    }
    if !seen.is_implausible() {
        mark(ledger, row, statement);
        stuck(ledger, row.bar.ts, out);
    } else if statement.position == 0 {
        ledger.equity_cents = statement.equity_cents;
    }
}

/// Takes in the last statement, which answers no row and opens nothing.
pub fn end(ledger: &mut Ledger, statement: &Statement, breakers: &Breakers, out: &mut Vec<Verdict>) {
    account(ledger, statement, Symbol::default(), breakers, out);
    ledger.equity_cents = statement.equity_cents;
    let astray = std::mem::take(&mut ledger.astray);
    ledger.ended_flat = statement.position == 0 && statement.working.is_empty() && !astray;
}

/// Takes in, of the first statement of a run, cash that came or went since the last one: it is no gain and no loss.
pub fn begin(ledger: &mut Ledger, statement: &Statement, out: &mut Vec<Verdict>) {
    let cash = ledger.moved_by(statement);
    ledger.ended_flat = false;
    if cash != Cents::ZERO {
        ledger.shift(cash);
        alert(out, statement.ts, "adjusted_balance_usd", cash.usd(), 0.0);
    }
}

/// Takes in what a statement says of the account alone.
fn account(
    ledger: &mut Ledger,
    statement: &Statement,
    symbol: Symbol,
    breakers: &Breakers,
    out: &mut Vec<Verdict>,
) {
    ledger.astray |= statement.refused.iter().any(|refusal| refusal.reason == NEVER_ARRIVED);
    if statement.adjusted_cents != Cents::ZERO {
        ledger.shift(statement.adjusted_cents);
        alert(out, statement.ts, "adjusted_balance_usd", statement.adjusted_cents.usd(), 0.0);
    }
    let mut booked = ledger.balance_cents;
    for fill in &statement.fills {
        booked += fill.gross_cents - fill.commission_cents;
        book(ledger, fill, symbol, breakers, out);
    }
    if statement.position == 0 && ledger.position != 0 {
        missed(ledger, statement, statement.balance_cents - booked, breakers, out);
    }
    ledger.position = statement.position;
    ledger.balance_cents = statement.balance_cents;
    if statement.position == 0 {
        ledger.trade = None;
    }
}

/// Marks account and trade at a price that is believed.
fn mark(ledger: &mut Ledger, row: &Row, statement: &Statement) {
    if let Some(trade) = &mut ledger.trade {
        let close = row.bar.close;
        trade.best = if statement.position > 0 { trade.best.max(close) } else { trade.best.min(close) };
    }
    ledger.equity_cents = statement.equity_cents;
    ledger.peak_cents = ledger.peak_cents.max(ledger.equity_cents);
    if let Some(day) = &mut ledger.day {
        day.peak_cents = day.peak_cents.max(ledger.equity_cents);
    }
}

/// Says once that a locked market keeps the open position from being closed.
fn stuck(ledger: &mut Ledger, ts: Ts, out: &mut Vec<Verdict>) {
    let blocked = ledger.market.lock.blocked().filter(|_| ledger.position != 0);
    let locked = blocked == Some(Side::of(ledger.position).opposite());
    if locked && !ledger.locked {
        alert(out, ts, "locked_s", ledger.market.lock.stood_s(), (STANDS / SECOND) as f64);
    }
    ledger.locked = locked;
}

fn alert(out: &mut Vec<Verdict>, ts: Ts, rule: &str, value: f64, limit: f64) {
    out.push(Verdict::Alert { ts, rule: rule.into(), value, limit });
}

/// Takes in what a row says of the market alone. A price that jumped and stayed halts trading until a person has looked.
pub fn watch(ledger: &mut Ledger, row: &Row, row_ns: i64, rules: &Rules) -> Seen {
    let seen = ledger.market.push(&row.bar, row_ns);
    match seen {
        Seen::Implausible(_) => return seen,
        Seen::Confirmed { from, to } => {
            let why = format!("the price jumped from {from:.2} to {to:.2} and stayed: look at the data");
            ledger.halted.get_or_insert(why);
        }
        Seen::Plausible => {}
    }
    spread(ledger, row, &rules.breakers);
    leave_range(ledger, row.bar.close.ticks());
    seen
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

/// Follows the spread; one that is not known changes nothing.
fn spread(ledger: &mut Ledger, row: &Row, breakers: &Breakers) {
    if breakers.spread_ticks <= 0.0 || row.bar.ask.is_none() {
        return;
    }
    let Some(spread) = spread_ticks(row, breakers) else { return };
    if spread > breakers.spread_ticks {
        ledger.wide_spread = true;
    } else if spread <= breakers.spread_resume_ticks {
        ledger.wide_spread = false;
    }
}

/// Returns the spread at the close, in ticks, where there is a quote.
pub fn spread_ticks(row: &Row, breakers: &Breakers) -> Option<f64> {
    let spread = Quote::of(&row.bar, breakers.quote_band).ok()?.spread_ticks();
    (spread >= 0).then_some(spread as f64)
}

/// Books a fill: a trade is what happens from flat to flat.
fn book(ledger: &mut Ledger, fill: &Fill, symbol: Symbol, breakers: &Breakers, out: &mut Vec<Verdict>) {
    let Shares { closed, opened } = Shares::of(ledger.position, fill);
    if fill.exit.is_some() {
        ledger.last_exit = Some(fill.ts);
    }
    if let Some(share) = closed {
        ledger.position += fill.side.sign() * share.contracts;
        if let Some(trade) = &mut ledger.trade {
            trade.net_cents += share.net();
        }
        if ledger.position == 0 {
            end_trade(ledger, Cents::ZERO, fill.ts, breakers, out);
        }
    }
    if let Some(share) = opened {
        ledger.position += fill.side.sign() * share.contracts;
        let (entered, best, zero) = (fill.ts, fill.price, Cents::ZERO);
        let risk = ledger.risk_cents * share.contracts;
        let begun = Open { entered, best, net_cents: zero, worst_cents: zero, symbol };
        let trade = ledger.trade.get_or_insert(begun);
        trade.net_cents += share.net();
        trade.worst_cents += risk;
    }
}

/// Ends a trade whose last fills nobody told, as after a kill: what they brought is in the balance all the same.
fn missed(
    ledger: &mut Ledger,
    statement: &Statement,
    gain: Cents,
    breakers: &Breakers,
    out: &mut Vec<Verdict>,
) {
    if ledger.trade.is_some() {
        ledger.last_exit = Some(statement.ts);
        end_trade(ledger, gain, statement.ts, breakers, out);
    }
}

/// Ends the open trade, which came to `gain` beside what was booked. A loss beyond its worst case is said.
fn end_trade(ledger: &mut Ledger, gain: Cents, ts: Ts, breakers: &Breakers, out: &mut Vec<Verdict>) {
    let Some(trade) = ledger.trade.take() else { return };
    let (net, worst) = (trade.net_cents + gain, trade.worst_cents);
    if worst > Cents::ZERO && -net > worst {
        alert(out, ts, "beyond_worst_case_usd", (-net).usd(), worst.usd());
    }
    count_losses(ledger, net, ts, breakers);
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
fn leave_range(ledger: &mut Ledger, close: i64) {
    let Some(range) = ledger.reversals.range else { return };
    if !(range.low..=range.high).contains(&close) {
        (ledger.reversals.range, ledger.reversals.count) = (None, 0);
    }
}

/// Takes the next order id.
pub fn next_order(ledger: &mut Ledger) -> u64 {
    ledger.order += 1;
    ledger.order
}
