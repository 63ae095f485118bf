//! A decision in words, with the numbers of each rule.

use std::fmt::Write as _;

use mes_core::{
    money::Cents,
    order::{Action, Limit, Order, Side},
    statement::Fill,
    verdict::Verdict,
    vocabulary::sentence,
};

use super::{Decision, Entry};
use crate::{rules::Opinion, status::new_york};

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

/// Says a verdict in words, with its numbers.
pub fn said(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Order(order) => ordered(order),
        Verdict::Deny { signal, rule, value, limit, .. } => {
            let name = serde_json::to_value(signal).unwrap_or_default();
            let signal = name.as_str().unwrap_or("an order").to_owned();
            format!("{signal} denied by {rule}: {}", sentence(rule, *value, *limit))
        }
        Verdict::Hold { reason, .. } => format!("nothing done: {}", sentence(reason, 0.0, 0.0)),
        Verdict::Alert { rule, value, limit, .. } => {
            format!("ALERT {rule}: {}", sentence(rule, *value, *limit))
        }
    }
}

fn ordered(order: &Order) -> String {
    let id = order.id;
    match &order.action {
        Action::Enter { side, contracts, stop_ticks, target_ticks, limit, .. } => {
            let side = if *side == Side::Buy { "buy" } else { "sell" };
            let at = limit.map_or("at market".into(), |Limit { price, lifetime_ms }| {
                format!("at {:.2} or better within {lifetime_ms} ms", price.points())
            });
            format!(
                "order {id}: {side} {contracts} {at}, stop {stop_ticks} ticks, target {target_ticks} ticks from the fill"
            )
        }
        Action::Exit { reason } => format!("order {id}: close, {}", sentence(reason.name(), 0.0, 0.0)),
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
            writeln!(text, "    {verdict:<10} {:<20} {}", thought.rule, sentence(thought.rule, value, limit));
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
