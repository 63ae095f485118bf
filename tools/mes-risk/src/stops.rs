//! Where stops and targets lie: those of a new trade, and the stop of an open one as the market goes.
//!
//! While a moved stop is on its way (latency) another one waits its turn: it is asked for again until the statement
//! shows the first.

use chrono::NaiveDate;
use mes_core::{
    costs::Costs,
    ledger::Ledger,
    money::Cents,
    order::Side,
    price::Price,
    row::Row,
    rules::{Exits, Rules, StopBy},
    schedule::Today,
    session::Part,
    statement::{Role, Statement},
};

/// Returns how far from its entry the stop of a new trade lies, in ticks.
pub fn stop_ticks(exits: &Exits, ledger: &Ledger, side: Side, close: Price) -> i64 {
    let minutes = &ledger.market.minutes;
    let found = match exits.stop {
        StopBy::Ticks => None,
        StopBy::Atr => minutes.atr_ticks().map(|atr| (atr * exits.atr_multiple).ceil() as i64),
        StopBy::Structure => minutes.swing(exits.swing_minutes).map(|swing| {
            let level = if side == Side::Buy { swing.low - 1 } else { swing.high + 1 };
            side.sign() * (close.ticks() - level)
        }),
    };
    found.map_or(exits.stop_ticks, |stop| stop.clamp(exits.min_stop_ticks, exits.max_stop_ticks))
}

/// Returns what one contract with the narrowest stop loses at worst in a calm market: its stop, slippage, the round turn. Where a
/// limit leaves less than that, it is reached, since no trade fits under it any more.
pub fn smallest_risk(rules: &Rules, costs: &Costs, date: NaiveDate, part: Part) -> Cents {
    let ticks = smallest_ticks(&rules.exits) + costs.slippage.calm_ticks(part);
    rules.contract.tick_value() * ticks + costs.rate(date).side() * 2
}

/// Returns the narrowest stop that these rules place, in ticks.
fn smallest_ticks(exits: &Exits) -> i64 {
    match exits.stop {
        StopBy::Ticks => exits.stop_ticks,
        StopBy::Atr | StopBy::Structure => exits.stop_ticks.min(exits.min_stop_ticks),
    }
}

/// Returns the widest stop that these rules place, in ticks.
pub fn widest_ticks(exits: &Exits) -> i64 {
    match exits.stop {
        StopBy::Ticks => exits.stop_ticks,
        StopBy::Atr | StopBy::Structure => exits.stop_ticks.max(exits.max_stop_ticks),
    }
}

/// Returns how far from its entry the target of a trade with this stop lies, in ticks.
pub fn target_ticks(exits: &Exits, stop_ticks: i64) -> i64 {
    if exits.reward_risk > 0.0 {
        ((stop_ticks as f64 * exits.reward_risk).round() as i64).max(1)
    } else {
        exits.target_ticks
    }
}

/// Returns where the stop of the open position should move to, if it should: the nearest of break-even, behind the
/// best close, and near the day's end behind this close. Never back. It acts from the next row on.
pub fn moved(
    row: &Row,
    statement: &Statement,
    rules: &Rules,
    ledger: &Ledger,
    today: Option<&Today>,
) -> Option<Price> {
    let (exits, best) = (&rules.exits, ledger.trade?.best);
    let entry = statement.entry()?;
    let sign = statement.position.signum();
    let behind = |price: Price, ticks: i64| price - sign * ticks;
    let ahead_by = |ticks: i64| ticks > 0 && sign * (best - entry) >= ticks;
    let late = today.is_some_and(|today| row.bar.ts >= today.end.half_size);
    let nearest = [
        ahead_by(exits.break_even_after_ticks).then(|| behind(entry, -exits.break_even_ticks)),
        ahead_by(exits.trail_after_ticks).then(|| behind(best, exits.trail_ticks)),
        (late && exits.tighten_ticks > 0).then(|| behind(row.bar.close, exits.tighten_ticks)),
    ];
    let stop = nearest.into_iter().flatten().max_by_key(|stop| sign * stop.ticks())?;
    let current = statement.working.iter().find(|order| order.role == Role::Stop)?.price?;
    (sign * (stop - current) > 0).then_some(stop)
}
