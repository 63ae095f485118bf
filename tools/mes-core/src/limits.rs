//! The amounts at which trading stops: facts of an account and rules in, verdict out. Whoever asks, risk on every row, a
//! made-up life of closed trades, a status, asks this table.
//!
//! Each limit fires at its amount, and also when not even the smallest trade would fit under it: then it is said, never a
//! silent strangle.
//!
//! The smallest trade is one contract at the smallest stop that the rules use; by ATR or structure that is
//! `min_stop_ticks`. By the smallest stop that there is, an account could be denied for days without a word, because
//! the rules never place that one.
//!
//! A wild market's slippage is no part of it, or a wild minute would end the day; a trade's own risk counts it.
//!
//! A firm's maximum loss is measured with the position at its quote, where bars carry quotes; the other limits at the
//! close.

use crate::{
    ledger::{Lasts, Ledger, Stopped},
    money::Cents,
    quote::Quote,
    row::Row,
    rules::{Prop, Rules},
};

/// What of an account is measured against its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitFacts {
    /// Equity at the first start; a firm's floor measures from it.
    pub first_cents: Cents,
    /// Equity at the first start or the last reset.
    pub start_cents: Cents,
    /// The highest equity since the first start or the last review.
    pub peak_cents: Cents,
    /// The highest balance with which a day ended, or the account began.
    pub day_end_high_cents: Cents,
    /// Equity when the day began, and the highest since.
    pub day_start_cents: Cents,
    pub day_peak_cents: Cents,
    pub equity_cents: Cents,
    /// Equity with the position marked at the quote that it would be closed at, where there is one and it is worse.
    pub quoted_cents: Cents,
}

/// The limits that some rules have.
#[derive(Clone, Debug)]
pub struct Limits {
    amounts: [Option<Cents>; TABLE.len()],
    prop: Option<Prop>,
}

/// A limit that is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    pub rule: &'static str,
    pub lasts: Lasts,
    pub value_cents: Cents,
    pub limit_cents: Cents,
}

/// How much of a limit is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Used {
    pub rule: &'static str,
    pub lasts: Lasts,
    pub used_cents: Cents,
    pub amount_cents: Cents,
}

struct Limit {
    rule: &'static str,
    lasts: Lasts,
    amount: fn(&Rules) -> Option<f64>,
    used: fn(&Limits, &LimitFacts) -> Cents,
}

/// The hardest first, so that of several reached at once the one that lasts longest is said.
const TABLE: [Limit; 5] = [
    Limit {
        rule: "max_loss_usd",
        lasts: Lasts::Halt,
        amount: |rules| rules.prop.as_ref().map(|prop| prop.max_loss_usd),
        used: |limits, facts| {
            let floor = |prop: &Prop| {
                prop.floor(facts.first_cents, facts.day_end_high_cents) + Cents::from_usd(prop.max_loss_usd)
            };
            limits.prop.as_ref().map_or(Cents::ZERO, |prop| floor(prop) - facts.quoted_cents)
        },
    },
    Limit {
        rule: "kill_loss_usd",
        lasts: Lasts::Halt,
        amount: |rules| Some(rules.limits.kill_loss_usd),
        used: |_, facts| facts.start_cents - facts.equity_cents,
    },
    Limit {
        rule: "account_drawdown_usd",
        lasts: Lasts::Review,
        amount: |rules| Some(rules.limits.account_drawdown_usd),
        used: |_, facts| facts.peak_cents - facts.equity_cents,
    },
    Limit {
        rule: "daily_drawdown_usd",
        lasts: Lasts::Day,
        amount: |rules| Some(rules.limits.daily_drawdown_usd),
        used: |_, facts| facts.day_peak_cents - facts.equity_cents,
    },
    Limit {
        rule: "daily_loss_usd",
        lasts: Lasts::Day,
        amount: |rules| Some(rules.limits.daily_loss_usd),
        used: |_, facts| facts.day_start_cents - facts.equity_cents,
    },
];

/// Returns how long the limit of this name stops trading; nothing where it is none.
pub fn lasts(rule: &str) -> Option<Lasts> {
    TABLE.iter().find(|limit| limit.rule == rule).map(|limit| limit.lasts)
}

/// Says whether this is a limit that ends trading for more than a day: the death of an account.
pub fn is_death(rule: &str) -> bool {
    lasts(rule).is_some_and(|lasts| lasts > Lasts::Day)
}

impl LimitFacts {
    /// Returns the facts of an account as of the last row that its ledger knows. Before the first, no day has begun.
    pub fn of(ledger: &Ledger) -> LimitFacts {
        let equity_cents = ledger.equity_cents;
        let (day_start_cents, day_peak_cents) =
            ledger.day.map_or((equity_cents, equity_cents), |day| (day.start_cents, day.peak_cents));
        LimitFacts {
            first_cents: ledger.first_cents,
            start_cents: ledger.start_cents,
            peak_cents: ledger.peak_cents,
            day_end_high_cents: ledger.day_end_high_cents,
            day_start_cents,
            day_peak_cents,
            equity_cents,
            quoted_cents: equity_cents,
        }
    }

    /// Marks a position, in contracts, at the quote of `row`, as far as the rules believe it.
    #[must_use]
    pub fn quoted(self, row: &Row, position: i64, rules: &Rules) -> LimitFacts {
        LimitFacts { quoted_cents: self.equity_cents - quote_gap(row, position, rules), ..self }
    }
}

impl Limits {
    /// Takes the amounts from rules.
    pub fn of(rules: &Rules) -> Limits {
        let amounts = TABLE.each_ref().map(|limit| (limit.amount)(rules).map(Cents::from_usd));
        Limits { amounts, prop: rules.prop.clone() }
    }

    /// Returns the hardest limit that is reached. `smallest` is the least that a new trade can lose; 0 while one is
    /// open.
    pub fn reached(&self, facts: &LimitFacts, smallest: Cents) -> Option<Reached> {
        let reached = |used: &Used| {
            used.used_cents >= used.amount_cents || used.used_cents + smallest > used.amount_cents
        };
        self.used(facts).find(reached).map(|used| Reached {
            rule: used.rule,
            lasts: used.lasts,
            value_cents: used.used_cents,
            limit_cents: used.amount_cents,
        })
    }

    /// Returns how much a new trade may lose before the nearest limit.
    pub fn room(&self, facts: &LimitFacts) -> Cents {
        self.used(facts).map(|used| used.amount_cents - used.used_cents).min().unwrap_or(Cents::ZERO)
    }

    /// Returns by how much the loss exceeds the limit of this name.
    pub fn beyond(&self, facts: &LimitFacts, rule: &str) -> Cents {
        let found = self.used(facts).find(|used| used.rule == rule);
        found.map_or(Cents::ZERO, |used| used.used_cents - used.amount_cents)
    }

    /// Returns how much of each limit is used, the hardest first.
    pub fn used(&self, facts: &LimitFacts) -> impl Iterator<Item = Used> {
        TABLE.iter().zip(&self.amounts).filter_map(|(limit, amount)| {
            let (rule, lasts, amount_cents) = (limit.rule, limit.lasts, (*amount)?);
            Some(Used { rule, lasts, used_cents: (limit.used)(self, facts), amount_cents })
        })
    }
}

impl From<Reached> for Stopped {
    /// Begins a stop whose loss beyond the limit nobody has said yet.
    fn from(reached: Reached) -> Stopped {
        let Reached { rule, lasts, value_cents, limit_cents } = reached;
        Stopped { rule: rule.into(), lasts, value_cents, limit_cents, settled: false }
    }
}

/// Returns by how much a position is worth less at its quote than at the close; nothing where there is none.
fn quote_gap(row: &Row, position: i64, rules: &Rules) -> Cents {
    if position == 0 || row.bar.ask.is_none() {
        return Cents::ZERO;
    }
    let Ok(quote) = Quote::of(&row.bar, rules.breakers.quote_band) else { return Cents::ZERO };
    let close = row.bar.close;
    let worse = if position > 0 { close - quote.bid } else { quote.ask - close };
    rules.contract.tick_value() * (worse.max(0) * position.abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        bar::Bar,
        ledger::Day,
        price::Price,
        rules::{MES_1K, SHIPPED},
    };

    fn ledger(start: i64, peak: i64, day_start: i64, day_peak: i64, equity: i64) -> Ledger {
        let mut ledger = Ledger::new(Cents(start));
        (ledger.peak_cents, ledger.equity_cents) = (Cents(peak), Cents(equity));
        ledger.day = Some(Day {
            label: "2026-11-20".parse().expect("a date"),
            start_cents: Cents(day_start),
            balance_cents: Cents(day_start),
            peak_cents: Cents(day_peak),
        });
        ledger
    }

    /// Start, peak, day's start, day's peak, equity; the rule that fires; the room left.
    #[test]
    fn fire_at_the_amount() {
        let rules = Rules::parse(MES_1K).expect("rules");
        let limits = Limits::of(&rules);
        for (money, rule, left) in [
            ([100_000, 100_000, 100_000, 100_000, 100_000], None, 5_000),
            ([100_000, 100_000, 100_000, 100_000, 95_001], None, 1),
            ([100_000, 100_000, 100_000, 100_000, 95_000], Some("daily_loss_usd"), 0),
            ([100_000, 104_000, 100_000, 104_000, 96_500], Some("daily_drawdown_usd"), 0),
            ([100_000, 104_000, 100_000, 104_000, 96_501], None, 1),
            ([100_000, 120_000, 101_000, 101_000, 100_000], Some("account_drawdown_usd"), 0),
            ([100_000, 120_000, 101_000, 101_000, 100_001], None, 1),
            ([100_000, 100_000, 71_000, 71_000, 70_000], Some("kill_loss_usd"), -10_000),
        ] {
            let [start, peak, day_start, day_peak, equity] = money;
            let ledger = ledger(start, peak, day_start, day_peak, equity);
            let facts = LimitFacts::of(&ledger);
            let reached = limits.reached(&facts, Cents::ZERO).map(|reached| reached.rule);
            assert_eq!((reached, limits.room(&facts)), (rule, Cents(left)), "{money:?}");
        }
    }

    #[test]
    fn a_limit_that_no_trade_fits_under_counts_as_reached() {
        let rules = Rules::parse(MES_1K).expect("rules");
        let limits = Limits::of(&rules);
        let ledger = ledger(100_000, 100_000, 100_000, 100_000, 95_700);
        let facts = LimitFacts::of(&ledger);
        assert_eq!(limits.reached(&facts, Cents(700)), None);
        let reached = limits.reached(&facts, Cents(701)).expect("reached");
        assert_eq!((reached.rule, limits.beyond(&facts, "daily_loss_usd")), ("daily_loss_usd", Cents(-700)));
    }

    /// An account of $50,000 whose best day ended at `high`: the floor, and whether `equity` has fallen to it.
    #[test]
    fn the_firms_floor_is_tested_against_equity() {
        let text = SHIPPED.iter().find(|(name, _)| *name == "topstep-50k").expect("rules").1;
        let rules = Rules::parse(text).expect("rules");
        let limits = Limits::of(&rules);
        for (high, day_start, equity, rule, room) in [
            (5_000_000, 4_850_000, 4_800_001, None, 1),
            (5_000_000, 4_850_000, 4_800_000, Some("max_loss_usd"), 0),
            (5_100_000, 4_950_000, 4_900_001, None, 1),
            (5_100_000, 4_950_000, 4_900_000, Some("max_loss_usd"), 0),
            // From 52,000 on the floor is the balance of the first start.
            (5_200_000, 5_050_000, 5_000_001, None, 1),
            (5_900_000, 5_050_000, 5_000_000, Some("max_loss_usd"), 0),
            // The day's loss comes before it, and lasts a day.
            (5_000_000, 5_000_000, 4_900_000, Some("daily_loss_usd"), 0),
        ] {
            let mut ledger = ledger(5_000_000, day_start, day_start, day_start, equity);
            ledger.day_end_high_cents = Cents(high);
            let facts = LimitFacts::of(&ledger);
            let reached = limits.reached(&facts, Cents::ZERO).map(|reached| reached.rule);
            assert_eq!((reached, limits.room(&facts)), (rule, Cents(room)), "{high} {equity}");
        }
    }

    #[test]
    fn longs_are_tested_at_the_bid_and_shorts_at_the_ask() {
        let rules = Rules::parse(MES_1K).expect("rules");
        let ledger = Ledger::new(Cents(100_000));
        let [bid, close, ask] = [5000.0, 5000.25, 5000.75].map(Price::nearest);
        let bar = Bar { close, bid: Some(bid), ask: Some(ask), ..Bar::default() };
        let row = Row { bar, ..Row::default() };
        for (position, quoted) in [(0, 100_000), (2, 99_750), (-2, 99_500)] {
            let facts = LimitFacts::of(&ledger).quoted(&row, position, &rules);
            assert_eq!(facts.quoted_cents, Cents(quoted));
        }
    }

    #[test]
    fn a_limit_that_outlasts_the_day_is_the_death_of_the_account() {
        for (rule, lasting, death) in [
            ("max_loss_usd", Some(Lasts::Halt), true),
            ("kill_loss_usd", Some(Lasts::Halt), true),
            ("account_drawdown_usd", Some(Lasts::Review), true),
            ("daily_drawdown_usd", Some(Lasts::Day), false),
            ("daily_loss_usd", Some(Lasts::Day), false),
            ("cooldown_s", None, false),
        ] {
            assert_eq!((lasts(rule), is_death(rule)), (lasting, death), "{rule}");
        }
    }
}
