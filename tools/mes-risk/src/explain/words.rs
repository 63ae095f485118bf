//! A decision in words, with the numbers of each rule.

use std::fmt::Write as _;

use mes_core::{
    money::Cents,
    order::{Action, Order, Side},
    statement::Fill,
    verdict::Verdict,
};

use super::{Decision, Entry};
use crate::{rules::Opinion, status::new_york};

/// What a rule or a reason means. A value stands for `{value}`, its limit for `{limit}`.
const MEANINGS: [(&str, &str); 53] = [
    ("entries_session_s", "entries are for other hours: the cash session opens in {value} s"),
    ("day_end_s", "flat-by is in {value} s, and nothing is entered in the last {limit} s before it"),
    ("stale_ms", "the last trade or quote is {value} ms old, more than {limit}"),
    ("account_stale_ms", "the account as the broker knows it is {value} ms old, more than {limit}"),
    ("account_barred", "the broker wants no entries: `barred` in its statement says why"),
    (
        "price_jump_percent",
        "the price is {value} % from the last one, and no market moves more than {limit} %: it counts as halted",
    ),
    (
        "new_price_points",
        "{value} after {limit}: ten rows confirm it; closed at the last price before, and mes-risk resume goes on",
    ),
    (
        "roll_points",
        "another contract, at {value}, came while a trade was open: closed at {limit}, the last of the old",
    ),
    (
        "locked_s",
        "every trade of {value} s was at one price, far from the close of the day before: it may not fill",
    ),
    ("quote_sides", "{value} of {limit} sides of the quote are there: the spread is unknown"),
    (
        "quote_crossed_ticks",
        "the ask lies {value} ticks above the bid, less than {limit}: the spread is unknown",
    ),
    (
        "quote_far_percent",
        "the quote is {value} % from the last trade, more than {limit} %: the spread is unknown",
    ),
    (
        "beyond_worst_case_usd",
        "a trade lost ${value}; its worst case, stop, slippage and costs, was ${limit}",
    ),
    ("price_jump", "the price jumped and stayed there"),
    ("roll", "another contract came"),
    ("locked", "the market is locked: nobody takes the other side"),
    ("losses_pause_s", "{value} s of a pause of {limit} s after losing trades have passed"),
    ("cooldown_s", "{value} s have passed since the last exit, of {limit} s"),
    ("spread_ticks", "the spread was too wide; it is {value} ticks now and has to be {limit}"),
    ("news_contracts", "an announcement is {value} s away: {limit} contracts at most"),
    ("best_day_usd", "today has earned ${value} of the ${limit} that one day may bring"),
    ("minimum_balance_usd", "the balance of ${value} is below ${limit}"),
    ("tier_contracts", "what a balance of ${value} may hold (tier from ${limit})"),
    ("ladder_contracts", "what the firm allows after a gain of ${value}"),
    ("per_trade_usd", "${value} a contract; one trade may lose ${limit}"),
    ("room_usd", "${value} a contract; the nearest limit leaves ${limit}"),
    ("size_usd", "${value} a contract; the size of the account allows ${limit}"),
    ("atr_ticks", "the market moves {value} ticks a minute, above {limit}: smaller"),
    ("volume_contracts", "{value} contracts in the last minute, below {limit}: smaller"),
    ("reversal_cooldown_s", "{value} s have passed since the last reversal, of {limit} s"),
    ("reversals_in_range", "turned over {value} times within one minute's range, of {limit}"),
    (
        "halted",
        "halted by a person, by mes-exec after an error, or by a price that jumped: mes-risk resume lifts that",
    ),
    ("max_loss_usd", "the firm's greatest loss is reached: ${value} of ${limit}"),
    (
        "kill_loss_usd",
        "the kill switch: ${value} lost since the start, of ${limit}; mes-risk reset lifts that",
    ),
    ("account_drawdown_usd", "${value} below the account's peak, of ${limit}; mes-risk review lifts that"),
    ("daily_drawdown_usd", "${value} below the day's peak, of ${limit}; over with the day"),
    ("daily_loss_usd", "${value} lost today, of ${limit}; over with the day"),
    ("beyond_limit_usd", "${value} more than the limit of ${limit} was lost"),
    (
        "unexplained_position",
        "the broker says {value} contracts, and the fills make {limit}: closed and halted; mes-risk resume lifts that",
    ),
    (
        "unprotected_position",
        "{value} of {limit} contracts have a stop: closed and halted; mes-risk resume lifts that",
    ),
    (
        "unprotected_ms",
        "the broker knows of no protection of the open position, for {value} ms: look at the account",
    ),
    ("in_flight", "an order is on its way, and counts in full until the broker has seen it"),
    ("in_trade", "a trade is open, and nothing ends it yet"),
    ("no_prediction", "the model says nothing yet (warm-up)"),
    ("flat", "the model expects no move"),
    ("confidence", "the model is not confident enough"),
    ("warm_up", "the row comes before --from"),
    ("closed", "the market is closed"),
    ("signal", "the model now expects the opposite"),
    ("timeout", "held as long as the rules allow"),
    ("eod_flatten", "the day ends: everything is closed"),
    ("limit", "a limit, a halt or an announcement closes everything"),
    ("trail", "the stop was moved"),
];

/// Writes a decision as a person reads it, times as New York has them.
pub fn text(decision: &Decision) -> String {
    let mut text = format!("{}  {}\n", new_york(decision.ts), asked(decision));
    for verdict in decision.verdicts.iter().chain(&decision.still) {
        let _ = writeln!(text, "  {}", said(verdict));
    }
    if let Some(entry) = &decision.entry {
        text += &weighed(entry, decision);
    }
    for fill in &decision.fills {
        let _ = writeln!(text, "  {}", filled(fill));
    }
    if decision.fills.iter().any(|fill| fill.exit.is_some()) {
        let net: Cents = decision.fills.iter().map(|fill| fill.gross_cents - fill.commission_cents).sum();
        let _ = writeln!(text, "  came to {net}");
    }
    text.push('\n');
    text
}

fn asked(decision: &Decision) -> String {
    let (Some(direction), Some(confidence)) = (decision.direction, decision.confidence) else {
        return "the model says nothing".into();
    };
    let way = match direction {
        d if d > 0.0 => "up",
        d if d < 0.0 => "down",
        _ => "no move",
    };
    format!("the model expects {way} with confidence {confidence:.2}")
}

fn said(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Order(order) => ordered(order),
        Verdict::Deny { signal, rule, value, limit, .. } => {
            let name = serde_json::to_value(signal).unwrap_or_default();
            let signal = name.as_str().unwrap_or("an order").to_owned();
            format!("{signal} denied by {rule}: {}", meaning(rule, *value, *limit))
        }
        Verdict::Hold { reason, .. } => format!("nothing done: {}", meaning(reason, 0.0, 0.0)),
        Verdict::Alert { rule, value, limit, .. } => {
            format!("ALERT {rule}: {}", meaning(rule, *value, *limit))
        }
    }
}

fn ordered(order: &Order) -> String {
    let id = order.id;
    match &order.action {
        Action::Enter { side, contracts, stop_ticks, target_ticks, .. } => {
            let side = if *side == Side::Buy { "buy" } else { "sell" };
            format!(
                "order {id}: {side} {contracts} at market, stop {stop_ticks} ticks, target {target_ticks} ticks from the fill"
            )
        }
        Action::Exit { reason } => format!("order {id}: close, {}", meaning(reason.name(), 0.0, 0.0)),
        Action::MoveStop { stop } => format!("order {id}: move the stop to {stop:.2}, never back"),
    }
}

/// Shows what every rule thought: first what it comes down to, then who had nothing against it.
fn weighed(entry: &Entry, decision: &Decision) -> String {
    let mut text = String::new();
    let Entry { balance_cents, stop_ticks, risk_cents, .. } = entry;
    let _ = writeln!(
        text,
        "  a contract risks {risk_cents}: a stop of {stop_ticks} ticks, slippage, the round turn"
    );
    if let Some(percent) = entry.tier_percent {
        let (by_confidence, by_day_end) = (entry.confidence_multiplier, entry.day_end_multiplier);
        let late =
            if by_day_end < 1.0 { format!(" × {by_day_end} near the day's end") } else { String::new() };
        let _ = writeln!(
            text,
            "  the account may risk {balance_cents} × {percent} % × {by_confidence} for the confidence{late}"
        );
    }
    let mut passed = Vec::new();
    for thought in &entry.rules {
        let (verdict, value, limit) = match thought.opinion {
            Opinion::Allow => {
                passed.push(thought.rule);
                continue;
            }
            Opinion::AtMost { contracts, value, limit } => (format!("at most {contracts}"), value, limit),
            Opinion::Shrink { multiplier, value, limit } => (format!("times {multiplier}"), value, limit),
            Opinion::Deny { value, limit } => ("none".into(), value, limit),
        };
        let _ =
            writeln!(text, "    {verdict:<10} {:<20} {}", thought.rule, meaning(thought.rule, value, limit));
    }
    let contracts = decision.verdicts.iter().find_map(|verdict| match verdict {
        Verdict::Order(Order { action: Action::Enter { contracts, .. }, .. }) => Some(*contracts),
        _ => None,
    });
    let outcome = contracts.map_or_else(|| "no trade".into(), |contracts| format!("{contracts}"));
    let _ = writeln!(text, "    = {outcome}, the strictest; nothing against it: {}", passed.join(", "));
    text
}

fn filled(fill: &Fill) -> String {
    let side = if fill.side == Side::Buy { "bought" } else { "sold" };
    let (contracts, price, at) = (fill.contracts, fill.price, new_york(fill.ts));
    let why = fill.exit.map_or_else(String::new, |exit| format!(", by {}", exit.name()));
    format!("{side} {contracts} at {price:.2} at {at}{why}")
}

/// Says what a rule or a reason means, with its numbers; one unknown here by its own name.
pub fn meaning(name: &str, value: f64, limit: f64) -> String {
    let known = MEANINGS.iter().find(|(known, _)| *known == name);
    let Some((_, meaning)) = known else { return name.replace('_', " ") };
    let number = |amount: f64| {
        if name.ends_with("_usd") || name == "tier_contracts" || name == "ladder_contracts" {
            format!("{amount:.2}")
        } else {
            format!("{}", (amount * 100.0).round() / 100.0)
        }
    };
    meaning.replace("{value}", &number(value)).replace("{limit}", &number(limit))
}
