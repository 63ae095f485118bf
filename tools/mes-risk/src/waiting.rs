//! Entries that wait at a limit: where, how long, and what ends the wait before their time.

use mes_core::{
    order::{ExitReason, Limit, Side},
    quote::Quote,
    row::Row,
    rules::{EntryBy, EntrySession, Rules},
    schedule::Today,
    statement::{Role, Statement, Working},
    time::MILLI,
};

use crate::{exits::opposes, rules::news};

/// Returns the limit of an entry on this row; nothing where the rules enter at market. It never outlives the hours in which
/// a trade may begin, so that no fill of it is an entry that would have been denied.
pub fn limit(row: &Row, side: Side, rules: &Rules, today: &Today) -> Option<Limit> {
    let entries = &rules.entries;
    if entries.entry == EntryBy::Market {
        return None;
    }
    let quote = Quote::of(&row.bar, rules.breakers.quote_band).ok();
    let price = entries.limit(side, row.bar.close, quote);
    let mut end = today.end.no_entry;
    if let (EntrySession::Rth, Some((_, close))) = (entries.session, today.day.rth) {
        end = end.min(close);
    }
    let left_ms = (end - row.bar.ts - 1).max(0) / MILLI;
    let lifetime_ms = u32::try_from(entries.limit_lifetime_ms.min(left_ms)).unwrap_or(0);
    Some(Limit { price, lifetime_ms })
}

/// Returns the entry that waits at a limit, if one does.
pub fn waiting(statement: &Statement) -> Option<&Working> {
    statement.working.iter().find(|order| order.role == Role::Entry && order.price.is_some())
}

/// Returns why the entry that waits at a limit is no longer wanted: the model expects the opposite, where the rules leave a
/// trade for that, or an announcement allows no more than so many contracts.
pub fn unwanted(row: &Row, statement: &Statement, rules: &Rules) -> Option<ExitReason> {
    let entry = waiting(statement)?;
    let signed = entry.side.sign() * entry.contracts;
    if news::too_large(row, signed, rules) {
        return Some(ExitReason::Limit);
    }
    let exits = &rules.exits;
    (exits.on_opposite_signal && opposes(row, signed, exits.opposite_confidence))
        .then_some(ExitReason::Signal)
}
