//! The rules of an entry, one a file. Each allows, shrinks or denies; the strictest wins and is named. What flattens is
//! in [`mes_core::limits`] and [`crate::exits`].
//!
//! A breaker shrinks what all other rules allow, once, by the smallest of the multipliers; half of one contract is
//! none, and named.

mod account_barred;
mod account_stale;
mod balance;
mod best_day;
mod cooldown;
mod day_end;
mod ladder;
mod locked;
mod losses;
pub mod news;
mod p_size;
mod per_trade;
mod price_jump;
mod quote;
pub mod reversal;
mod room;
mod session;
mod size;
mod spread;
mod stale;
pub mod tier;
mod volatility;
mod volume;

use std::borrow::Cow;

use mes_core::{
    ledger::Ledger,
    money::Cents,
    row::Row,
    rules::{Rules, SizingFrom},
    schedule::Today,
    session::Part,
    statement::Statement,
};

/// What an entry is judged by.
pub struct View<'a> {
    pub row: &'a Row,
    /// The account as of the row.
    pub statement: &'a Statement,
    pub rules: &'a Rules,
    pub ledger: &'a Ledger,
    pub today: &'a Today,
    pub part: Part,
    pub confidence: f32,
    /// What sizes and tiers are counted from.
    pub balance: Cents,
    /// The entry is the second half of a reversal.
    pub reversing: bool,
    /// What may be lost before the nearest limit.
    pub room: Cents,
    /// The rows have quotes, so that none says that there was none.
    pub quotes: bool,
    /// What one contract loses at its stop, with slippage and the round turn's cost.
    pub risk: Cents,
}

/// What a rule says of an entry.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
#[serde(tag = "opinion", rename_all = "snake_case")]
pub enum Opinion {
    Allow,
    /// No more contracts than this; `value` of `limit` is why.
    AtMost {
        contracts: i64,
        value: f64,
        limit: f64,
    },
    /// So many times what the other rules allow; of several the least.
    Shrink {
        multiplier: f64,
        value: f64,
        limit: f64,
    },
    Deny {
        value: f64,
        limit: f64,
    },
}

/// A rule's name, with the unit of its value and limit at its end, and the rule.
type Rule = (&'static str, fn(&View) -> Opinion);

/// In the order in which a denial is named.
const RULES: [Rule; 24] = [
    ("entries_session_s", session::opinion),
    ("day_end_s", day_end::opinion),
    ("stale_ms", stale::opinion),
    ("account_stale_ms", account_stale::opinion),
    ("account_barred", account_barred::opinion),
    ("price_jump_percent", price_jump::opinion),
    ("locked_s", locked::opinion),
    ("quote_sides", quote::sides),
    ("quote_crossed_ticks", quote::crossed),
    ("quote_far_percent", quote::far),
    ("losses_pause_s", losses::opinion),
    ("cooldown_s", cooldown::opinion),
    ("spread_ticks", spread::opinion),
    ("news_contracts", news::opinion),
    ("best_day_usd", best_day::opinion),
    ("minimum_balance_usd", balance::opinion),
    ("p_size_contracts", p_size::opinion),
    ("tier_contracts", tier::opinion),
    ("ladder_contracts", ladder::opinion),
    ("per_trade_usd", per_trade::opinion),
    ("room_usd", room::opinion),
    ("size_usd", size::opinion),
    ("atr_ticks", volatility::opinion),
    ("volume_contracts", volume::opinion),
];

/// Why there is no trade.
#[derive(Clone, Debug, PartialEq)]
pub struct Denial {
    pub rule: Cow<'static, str>,
    pub value: f64,
    pub limit: f64,
}

/// Returns what every rule says of an entry.
pub fn opinions(view: &View) -> Vec<(&'static str, Opinion)> {
    RULES.iter().map(|(rule, opinion)| (*rule, opinion(view))).collect()
}

/// Returns how many contracts all rules together allow, or the rule that allows none.
///
/// # Errors
///
/// The rule that allows none, with its value and limit.
pub fn contracts(view: &View) -> Result<i64, Denial> {
    let mut least = i64::MAX;
    let mut shrunk: Option<(f64, Denial)> = None;
    for (rule, opinion) in RULES {
        match opinion(view) {
            Opinion::Allow => {}
            Opinion::Deny { value, limit } => return Err(Denial { rule: rule.into(), value, limit }),
            Opinion::AtMost { contracts, value, limit } if contracts <= 0 => {
                return Err(Denial { rule: rule.into(), value, limit });
            }
            Opinion::AtMost { contracts, .. } => least = least.min(contracts),
            Opinion::Shrink { multiplier, value, limit } => {
                if shrunk.as_ref().is_none_or(|(least, _)| multiplier < *least) {
                    shrunk = Some((multiplier, Denial { rule: rule.into(), value, limit }));
                }
            }
        }
    }
    match shrunk {
        // Half of one contract is none.
        Some((multiplier, denial)) => match (least as f64 * multiplier) as i64 {
            0 => Err(denial),
            contracts => Ok(contracts),
        },
        None => Ok(least),
    }
}

/// Returns what sizes, tiers and the minimum balance are counted from.
pub fn balance(rules: &Rules, ledger: &Ledger, statement: &Statement) -> Cents {
    match rules.sizing_from {
        SizingFrom::Balance => statement.balance_cents,
        SizingFrom::Capital => rules.capital() + (ledger.equity_cents - ledger.first_cents),
    }
}

#[cfg(test)]
mod tests;
