//! The amounts at which trading stops. Each fires at the amount itself, and also when not even the smallest trade
//! would fit under it: then it is said, never a silent strangle.

use mes_core::{
    contract::{TICK_VALUE, ticks},
    ledger::{Lasts, Ledger, Stopped},
    money::Cents,
    quote::Quote,
    row::Row,
    rules::{Prop, Rules},
    statement::Statement,
};

/// The amounts of the limits that some rules have.
#[derive(Clone)]
pub struct Amounts([Option<Cents>; LIMITS.len()]);

/// What is measured against the limits.
pub struct Account<'a> {
    amounts: &'a Amounts,
    rules: &'a Rules,
    ledger: &'a Ledger,
    /// Equity with the position marked at the quote that it would be closed at, where there is one and it is worse.
    quoted: Cents,
}

pub struct Limit {
    pub rule: &'static str,
    lasts: Lasts,
    amount: fn(&Rules) -> Option<f64>,
    used: fn(&Account) -> Cents,
}

/// The hardest first, so that of several reached at once the one that lasts longest is said.
const LIMITS: [Limit; 5] = [
    Limit {
        rule: "max_loss_usd",
        lasts: Lasts::Halt,
        amount: |rules| rules.prop.as_ref().map(|prop| prop.max_loss_usd),
        used: |account| {
            let Account { rules, ledger, quoted, .. } = account;
            let floor = |prop: &Prop| {
                prop.floor(ledger.first_cents, ledger.day_end_high_cents) + Cents::from_usd(prop.max_loss_usd)
            };
            rules.prop.as_ref().map_or(Cents::ZERO, |prop| floor(prop) - *quoted)
        },
    },
    Limit {
        rule: "kill_loss_usd",
        lasts: Lasts::Halt,
        amount: |rules| Some(rules.limits.kill_loss_usd),
        used: |account| account.ledger.start_cents - account.ledger.equity_cents,
    },
    Limit {
        rule: "account_drawdown_usd",
        lasts: Lasts::Review,
        amount: |rules| Some(rules.limits.account_drawdown_usd),
        used: |account| account.ledger.peak_cents - account.ledger.equity_cents,
    },
    Limit {
        rule: "daily_drawdown_usd",
        lasts: Lasts::Day,
        amount: |rules| Some(rules.limits.daily_drawdown_usd),
        used: |account| {
            let equity = account.ledger.equity_cents;
            account.ledger.day.map_or(Cents::ZERO, |day| day.peak_cents - equity)
        },
    },
    Limit {
        rule: "daily_loss_usd",
        lasts: Lasts::Day,
        amount: |rules| Some(rules.limits.daily_loss_usd),
        used: |account| {
            let equity = account.ledger.equity_cents;
            account.ledger.day.map_or(Cents::ZERO, |day| day.start_cents - equity)
        },
    },
];

impl Amounts {
    pub fn of(rules: &Rules) -> Self {
        Amounts(LIMITS.each_ref().map(|limit| (limit.amount)(rules).map(Cents::from_usd)))
    }
}

impl<'a> Account<'a> {
    /// Measures the account as of `row`, which the ledger knows already, against the amounts of these rules.
    pub fn new(
        amounts: &'a Amounts,
        rules: &'a Rules,
        ledger: &'a Ledger,
        row: &Row,
        statement: &Statement,
    ) -> Self {
        let gap = quote_gap(row, statement.position, rules.breakers.quote_band);
        let quoted = ledger.equity_cents - gap;
        Account { amounts, rules, ledger, quoted }
    }

    /// Measures the account as of the last row that the ledger knows.
    pub fn of(amounts: &'a Amounts, rules: &'a Rules, ledger: &'a Ledger) -> Self {
        Account { amounts, rules, ledger, quoted: ledger.equity_cents }
    }

    /// Returns the hardest limit that is reached. `smallest` is the least that a new trade can lose; 0 while one is
    /// open.
    pub fn reached(&self, smallest: Cents) -> Option<Stopped> {
        self.amounts().find_map(|(limit, value, amount)| {
            let reached = value >= amount || value + smallest > amount;
            reached.then_some(Stopped {
                rule: limit.rule.into(),
                lasts: limit.lasts,
                value_cents: value,
                limit_cents: amount,
                settled: false,
            })
        })
    }

    /// Returns how much a new trade may lose before the nearest limit.
    pub fn room(&self) -> Cents {
        self.amounts().map(|(_, value, amount)| amount - value).min().unwrap_or(Cents::ZERO)
    }

    /// Returns by how much the loss exceeds the limit of this name.
    pub fn beyond(&self, rule: &str) -> Cents {
        let found = self.amounts().find(|(limit, _, _)| limit.rule == rule);
        found.map_or(Cents::ZERO, |(_, value, amount)| value - amount)
    }

    /// Returns the limits that these rules have, how much of each is used, and its amount.
    pub fn amounts(&self) -> impl Iterator<Item = (&'static Limit, Cents, Cents)> {
        LIMITS.iter().zip(&self.amounts.0).filter_map(|(limit, amount)| {
            let amount = (*amount)?;
            Some((limit, (limit.used)(self), amount))
        })
    }
}

/// Returns by how much a position is worth less at its quote than at the close; nothing where there is none.
fn quote_gap(row: &Row, position: i64, band: f64) -> Cents {
    let bar = &row.bar;
    if position == 0 || bar.ask.is_none() {
        return Cents::ZERO;
    }
    let (Ok(quote), Ok(close)) = (Quote::of(bar, band), ticks(bar.close)) else { return Cents::ZERO };
    let worse = if position > 0 { close - quote.bid } else { quote.ask - close };
    TICK_VALUE * (worse.max(0) * position.abs())
}

#[cfg(test)]
mod tests {
    use mes_core::{
        bar::Bar,
        ledger::Day,
        rules::{MES_1K, SHIPPED},
    };

    use super::*;

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

    fn account<'a>(amounts: &'a Amounts, rules: &'a Rules, ledger: &'a Ledger) -> Account<'a> {
        Account::new(amounts, rules, ledger, &Row::default(), &Statement::default())
    }

    /// Start, peak, day's start, day's peak, equity; the rule that fires; the room left.
    #[test]
    fn fire_at_the_amount() {
        let rules = Rules::parse(MES_1K).expect("rules");
        let amounts = Amounts::of(&rules);
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
            let account = account(&amounts, &rules, &ledger);
            let reached = account.reached(Cents::ZERO).map(|stopped| stopped.rule);
            assert_eq!((reached.as_deref(), account.room()), (rule, Cents(left)), "{money:?}");
        }
    }

    #[test]
    fn a_limit_that_no_trade_fits_under_counts_as_reached() {
        let rules = Rules::parse(MES_1K).expect("rules");
        let amounts = Amounts::of(&rules);
        let ledger = ledger(100_000, 100_000, 100_000, 100_000, 95_700);
        let account = account(&amounts, &rules, &ledger);
        assert_eq!(account.reached(Cents(700)), None);
        let reached = account.reached(Cents(701)).expect("reached");
        assert_eq!((&*reached.rule, account.beyond("daily_loss_usd")), ("daily_loss_usd", Cents(-700)));
    }

    /// An account of $50,000 whose best day ended at `high`: the floor, and whether `equity` has fallen to it.
    #[test]
    fn the_firms_floor_is_tested_against_equity() {
        let text = SHIPPED.iter().find(|(name, _)| *name == "topstep-50k").expect("rules").1;
        let rules = Rules::parse(text).expect("rules");
        let amounts = Amounts::of(&rules);
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
            let account = account(&amounts, &rules, &ledger);
            let reached = account.reached(Cents::ZERO).map(|stopped| stopped.rule);
            assert_eq!((reached.as_deref(), account.room()), (rule, Cents(room)), "{high} {equity}");
        }
    }

    #[test]
    fn longs_are_tested_at_the_bid_and_shorts_at_the_ask() {
        let rules = Rules::parse(MES_1K).expect("rules");
        let amounts = Amounts::of(&rules);
        let ledger = Ledger::new(Cents(100_000));
        let bar = Bar { close: 5000.25, bid: Some(5000.0), ask: Some(5000.75), ..Bar::default() };
        let row = Row { bar, ..Row::default() };
        for (position, quoted) in [(0, 100_000), (2, 99_750), (-2, 99_500)] {
            let statement = Statement { position, ..Statement::default() };
            let account = Account::new(&amounts, &rules, &ledger, &row, &statement);
            assert_eq!(account.quoted, Cents(quoted));
        }
    }
}
