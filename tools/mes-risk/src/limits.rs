//! The amounts at which trading stops. Each fires at the amount itself, and also when not even the smallest trade
//! would fit under it: then it is said, never a silent strangle.

use mes_core::{money::Cents, rules::Limits};

use crate::memory::{Lasts, Memory, Stopped};

struct Limit {
    rule: &'static str,
    lasts: Lasts,
    amount: fn(&Limits) -> f64,
    used: fn(&Memory) -> Cents,
}

/// The hardest first, so that of several reached at once the one that lasts longest is said.
const LIMITS: [Limit; 4] = [
    Limit {
        rule: "kill_loss_usd",
        lasts: Lasts::Halt,
        amount: |limits| limits.kill_loss_usd,
        used: |memory| memory.ledger.start_cents - memory.equity,
    },
    Limit {
        rule: "account_drawdown_usd",
        lasts: Lasts::Review,
        amount: |limits| limits.account_drawdown_usd,
        used: |memory| memory.ledger.peak_cents - memory.equity,
    },
    Limit {
        rule: "daily_drawdown_usd",
        lasts: Lasts::Day,
        amount: |limits| limits.daily_drawdown_usd,
        used: |memory| memory.day_peak - memory.equity,
    },
    Limit {
        rule: "daily_loss_usd",
        lasts: Lasts::Day,
        amount: |limits| limits.daily_loss_usd,
        used: |memory| memory.day_start - memory.equity,
    },
];

/// Returns the hardest limit that is reached. `smallest` is the least that a new trade can lose; 0 while one is open.
pub fn reached(limits: &Limits, memory: &Memory, smallest: Cents) -> Option<Stopped> {
    LIMITS.iter().find_map(|limit| {
        let (value, amount) = ((limit.used)(memory), Cents::from_usd((limit.amount)(limits)));
        let reached = value >= amount || value + smallest > amount;
        reached.then_some(Stopped { rule: limit.rule, lasts: limit.lasts, value, limit: amount })
    })
}

/// Returns how much a new trade may lose before the nearest limit, and that limit.
pub fn room(limits: &Limits, memory: &Memory) -> Cents {
    let left = LIMITS.iter().map(|limit| Cents::from_usd((limit.amount)(limits)) - (limit.used)(memory));
    left.min().unwrap_or(Cents::ZERO)
}

#[cfg(test)]
mod tests {
    use mes_core::{
        rules::{MES_1K, Rules},
        run::Ledger,
    };

    use super::*;

    fn memory(start: i64, peak: i64, day_start: i64, day_peak: i64, equity: i64) -> Memory {
        let ledger = Ledger { peak_cents: Cents(peak), ..Ledger::new(Cents(start)) };
        let mut memory = Memory::new(ledger);
        (memory.day_start, memory.day_peak, memory.equity) =
            (Cents(day_start), Cents(day_peak), Cents(equity));
        memory
    }

    /// Start, peak, day's start, day's peak, equity; the rule that fires; the room left.
    #[test]
    fn fire_at_the_amount() {
        let limits = Rules::parse(MES_1K).expect("rules").limits;
        for (account, rule, left) in [
            ([100_000, 100_000, 100_000, 100_000, 100_000], None, 5_000),
            ([100_000, 100_000, 100_000, 100_000, 95_001], None, 1),
            ([100_000, 100_000, 100_000, 100_000, 95_000], Some("daily_loss_usd"), 0),
            ([100_000, 104_000, 100_000, 104_000, 96_500], Some("daily_drawdown_usd"), 0),
            ([100_000, 120_000, 101_000, 101_000, 100_000], Some("account_drawdown_usd"), 0),
            ([100_000, 100_000, 71_000, 71_000, 70_000], Some("kill_loss_usd"), -10_000),
        ] {
            let [start, peak, day_start, day_peak, equity] = account;
            let memory = memory(start, peak, day_start, day_peak, equity);
            let reached = reached(&limits, &memory, Cents::ZERO).map(|stopped| stopped.rule);
            assert_eq!((reached, room(&limits, &memory)), (rule, Cents(left)), "{account:?}");
        }
    }

    #[test]
    fn a_limit_that_no_trade_fits_under_counts_as_reached() {
        let limits = Rules::parse(MES_1K).expect("rules").limits;
        let memory = memory(100_000, 100_000, 100_000, 100_000, 95_700);
        assert_eq!(reached(&limits, &memory, Cents(700)), None);
        assert_eq!(reached(&limits, &memory, Cents(701)).map(|stopped| stopped.rule), Some("daily_loss_usd"));
    }
}
