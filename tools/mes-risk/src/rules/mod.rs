//! The rules of an entry, one a file. Each allows, shrinks or denies; the strictest wins and is named.

mod balance;
mod cooldown;
mod day_end;
mod per_trade;
mod room;
mod session;
mod size;
mod stale;
mod tier;

use mes_core::{money::Cents, row::Row, rules::Rules, schedule::Today, session::Part, statement::Statement};

use crate::memory::Memory;

/// What an entry is judged by.
pub struct View<'a> {
    pub row: &'a Row,
    pub statement: &'a Statement,
    pub rules: &'a Rules,
    pub memory: &'a Memory,
    pub today: &'a Today,
    pub part: Part,
    pub confidence: f32,
    /// What one contract loses at its stop, with slippage and the round turn's cost.
    pub risk: Cents,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Opinion {
    Allow,
    /// No more contracts than this; `value` of `limit` is why.
    AtMost {
        contracts: i64,
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
const RULES: [Rule; 9] = [
    ("entries_session_s", session::opinion),
    ("day_end_s", day_end::opinion),
    ("stale_ms", stale::opinion),
    ("cooldown_s", cooldown::opinion),
    ("minimum_balance_usd", balance::opinion),
    ("tier_contracts", tier::opinion),
    ("per_trade_usd", per_trade::opinion),
    ("room_usd", room::opinion),
    ("size_usd", size::opinion),
];

/// Why there is no trade.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Denial {
    pub rule: &'static str,
    pub value: f64,
    pub limit: f64,
}

/// Returns how many contracts all rules together allow, or the rule that allows none.
pub fn contracts(view: &View) -> Result<i64, Denial> {
    let mut least = i64::MAX;
    for (rule, opinion) in RULES {
        match opinion(view) {
            Opinion::Allow => {}
            Opinion::Deny { value, limit } => return Err(Denial { rule, value, limit }),
            Opinion::AtMost { contracts, value, limit } if contracts <= 0 => {
                return Err(Denial { rule, value, limit });
            }
            Opinion::AtMost { contracts, .. } => least = least.min(contracts),
        }
    }
    Ok(least)
}

#[cfg(test)]
mod tests {
    use mes_core::{
        bar::Bar, calendar::Calendar, rules::MES_1K, run::Ledger, schedule::Schedule, session::Filter, time,
    };

    use super::*;

    /// An account of `balance` cents and `confidence` at a New York lunch, with 8 ticks of stop.
    fn size(balance: i64, confidence: f32) -> Result<i64, Denial> {
        let rules = Rules::parse(MES_1K).expect("rules");
        let ts = time::parse("2026-11-20T17:00:00Z").expect("a time");
        let row = Row { bar: Bar { ts, ..Bar::default() }, ..Row::default() };
        let mut schedule = Schedule::new(Calendar::shipped(), rules.day_end.flat_by, None, Filter::All);
        let today = schedule.of_bar(row.bar.ts).copied().expect("a day");
        let statement = Statement { balance_cents: Cents(balance), ..Statement::default() };
        let memory = Memory::new(Ledger::new(Cents(balance)));
        contracts(&View {
            row: &row,
            statement: &statement,
            rules: &rules,
            memory: &memory,
            today: &today,
            part: Part::Rth,
            confidence,
            risk: Cents(1_209),
        })
    }

    #[test]
    fn golden_sizes() {
        let named = |rule: &str, found: Result<i64, Denial>| assert_eq!(found.expect_err(rule).rule, rule);
        named("size_usd", size(100_000, 0.65));
        assert_eq!(size(100_000, 0.75), Ok(1));
        assert_eq!(size(100_000, 0.85), Ok(2));
        assert_eq!(size(100_000, 0.95), Ok(2));
        // Half size first trades at $1,209, and not a cent before.
        named("size_usd", size(120_899, 0.65));
        assert_eq!(size(120_900, 0.65), Ok(1));
        // $25 caps at two contracts at any balance.
        assert_eq!(size(500_000, 0.95), Ok(2));
        named("minimum_balance_usd", size(69_999, 0.95));
    }

    #[test]
    fn confidence_lands_in_its_band() {
        assert_eq!(size(100_000, 0.70), Ok(1));
        assert_eq!(size(100_000, 0.699_999), size(100_000, 0.60));
    }
}
