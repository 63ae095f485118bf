//! What ends a trade before its bracket does.

use mes_core::{
    ledger::{Ledger, Sent},
    order::{Action, ExitReason, Side, Signal},
    row::Row,
    rules::Rules,
    schedule::Today,
    statement::{Role, Statement},
    symbol::Symbol,
    time::SECOND,
};

use crate::{
    rules::news,
    stops,
    waiting::{unwanted, waiting},
};

/// Returns what to do about an open position or an entry, if anything; `sent` is what an order asked for that the broker has
/// not taken over. One that is on its way counts as waiting; while an exit is, there is nothing to do.
pub fn exit(
    row: &Row,
    statement: &Statement,
    sent: Option<Sent>,
    rules: &Rules,
    ledger: &Ledger,
    today: Option<&Today>,
) -> Option<(Signal, Action)> {
    let has = |role: Role| statement.working.iter().any(|order| order.role == role);
    let (position, waits) = (statement.position, sent == Some(Sent::Entry) || has(Role::Entry));
    if (position == 0 && !waits) || sent == Some(Sent::Exit) {
        return None;
    }
    let leaving = has(Role::Exit);
    let entry = waiting(statement).filter(|_| position == 0);
    let long = entry.map_or(position > 0, |entry| entry.side == Side::Buy);
    let close = |reason| {
        let signal = match (reason, long) {
            (ExitReason::EodFlatten | ExitReason::Limit, _) => Signal::Flatten,
            (_, true) => Signal::ExitLong,
            (_, false) => Signal::ExitShort,
        };
        Some((signal, Action::Exit { reason }))
    };
    let over = today.is_none_or(|today| row.bar.ts >= today.end.exit);
    // One close at a time: the broker repeats it until the position is flat. But at prices that are not believed only
    // some exits act, and whatever waits is not what the day's end or a person asked for.
    let jumped = ledger.market.prices.jump().is_some();
    if leaving && !(jumped && (over || ledger.halted.is_some())) {
        return None;
    }
    if over {
        // Asked for again whenever none works: whatever swallowed the order before, the day ends flat.
        return close(ExitReason::EodFlatten);
    }
    if ledger.stopped.is_some() || ledger.halted.is_some() || news::too_large(row, position, rules) {
        return close(ExitReason::Limit);
    }
    // What the model says of such a price, and where a stop would follow it to, is worth nothing.
    if jumped {
        return None;
    }
    if entry.is_some() {
        return unwanted(row, statement, rules).and_then(close);
    }
    let trade = ledger.trade.filter(|_| position != 0)?;
    if trade.symbol != row.bar.symbol && trade.symbol != Symbol::default() {
        return close(ExitReason::Roll);
    }
    if rules.exits.max_hold_s > 0 && row.bar.ts - trade.entered >= rules.exits.max_hold_s * SECOND {
        return close(ExitReason::Timeout);
    }
    if rules.exits.on_opposite_signal && opposes(row, position, rules.exits.opposite_confidence) {
        return close(ExitReason::Signal);
    }
    let stop = stops::moved(row, statement, rules, ledger, today)?;
    Some((Signal::Hold, Action::MoveStop { stop }))
}

/// Says whether the model expects the opposite of the position with this confidence.
pub fn opposes(row: &Row, position: i64, confidence: f32) -> bool {
    let prediction = row.prediction;
    prediction.dir.is_some_and(|dir| dir * position as f32 <= -1.0)
        && prediction.conf.is_some_and(|c| c >= confidence)
}
