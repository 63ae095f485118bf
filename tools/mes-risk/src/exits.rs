//! What ends a trade before its bracket does.

use mes_core::{
    contract::TICK,
    order::{Action, ExitReason, Signal},
    row::Row,
    rules::Rules,
    schedule::Today,
    statement::{Role, Statement},
    time::SECOND,
};

use crate::memory::Memory;

/// Returns what to do about an open position or a waiting entry, if anything.
pub fn exit(
    row: &Row,
    statement: &Statement,
    rules: &Rules,
    memory: &Memory,
    today: Option<&Today>,
) -> Option<(Signal, Action)> {
    let has = |role: Role| statement.working.iter().any(|order| order.role == role);
    let (position, waiting) = (statement.position, has(Role::Entry));
    if position == 0 && !waiting {
        return None;
    }
    let leaving = has(Role::Exit);
    let close = |reason| {
        let signal = match (reason, position > 0) {
            (ExitReason::EodFlatten | ExitReason::Limit, _) => Signal::Flatten,
            (_, true) => Signal::ExitLong,
            (_, false) => Signal::ExitShort,
        };
        Some((signal, Action::Exit { reason }))
    };
    if today.is_none_or(|today| row.bar.ts >= today.end.exit) {
        // Retried every row: whatever swallowed the order before, the day ends flat.
        return close(ExitReason::EodFlatten);
    }
    if leaving {
        return None;
    }
    if memory.stopped.is_some() {
        return close(ExitReason::Limit);
    }
    let trade = memory.trade.filter(|_| position != 0)?;
    if rules.exits.max_hold_s > 0 && row.bar.ts - trade.entered >= rules.exits.max_hold_s * SECOND {
        return close(ExitReason::Timeout);
    }
    if rules.exits.on_opposite_signal && opposes(row, position, rules.entries.confidence) {
        return close(ExitReason::Signal);
    }
    trail(position, trade.best, statement, rules).map(|stop| (Signal::Hold, Action::MoveStop { stop }))
}

fn opposes(row: &Row, position: i64, confidence: f32) -> bool {
    let prediction = row.prediction;
    prediction.dir.is_some_and(|dir| dir * position as f32 <= -1.0)
        && prediction.conf.is_some_and(|c| c >= confidence)
}

/// Returns where the stop should move to: behind the best close, never back.
fn trail(position: i64, best: f64, statement: &Statement, rules: &Rules) -> Option<f64> {
    let exits = &rules.exits;
    let entry = statement.entry_price.filter(|_| exits.trail_after_ticks > 0)?;
    let sign = if position > 0 { 1.0 } else { -1.0 };
    if sign * (best - entry) < exits.trail_after_ticks as f64 * TICK {
        return None;
    }
    let stop = best - sign * exits.trail_ticks as f64 * TICK;
    let current = statement.working.iter().find(|order| order.role == Role::Stop)?.price?;
    (sign * (stop - current) >= TICK).then_some(stop)
}
