//! One made-up life of an account: sessions drawn from those that were, traded on against the limits.

use mes_core::{
    ledger::Lasts,
    limits::{LimitFacts, Limits},
    money::Cents,
    rules::Rules,
};

/// How a life ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// All days were lived.
    Alive,
    /// The firm's target was met at the end of this day, from 1.
    Passed { day: usize },
    /// A limit ended it on this day.
    Died { day: usize, rule: &'static str },
}

/// What a life came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Life {
    pub end: End,
    pub net: Cents,
    /// Greatest fall from the highest equity.
    pub drawdown: Cents,
    /// Days that a daily limit ended early.
    pub days_stopped: usize,
}

/// Lives through sessions, each a list of what its trades brought, and tells the equity at the end of each day.
///
/// Limits are checked after every trade, as far as closed trades can tell: what a trade was down before it closed is
/// not known here, and its stop bounds it. One is reached where it leaves less than `smallest`, what the smallest trade risks, as
/// mes-risk has it.
pub fn live<'a>(
    rules: &Rules,
    start: Cents,
    smallest: Cents,
    sessions: impl Iterator<Item = &'a [Cents]>,
    mut at_day_end: impl FnMut(usize, Cents),
) -> Life {
    let (limits, least) = (Limits::of(rules), Cents::from_usd(rules.limits.minimum_balance_usd));
    let mut life = Life { end: End::Alive, net: Cents::ZERO, drawdown: Cents::ZERO, days_stopped: 0 };
    let (mut equity, mut peak, mut day_end_high, mut best_day) = (start, start, start, Cents::ZERO);
    for (day, session) in (1..).zip(sessions) {
        let morning = equity;
        let mut day_peak = equity;
        for net in session {
            equity += *net;
            (peak, day_peak) = (peak.max(equity), day_peak.max(equity));
            life.drawdown = life.drawdown.max(peak - equity);
            let facts = LimitFacts {
                first_cents: start,
                start_cents: start,
                peak_cents: peak,
                day_end_high_cents: day_end_high,
                day_start_cents: morning,
                day_peak_cents: day_peak,
                equity_cents: equity,
                quoted_cents: equity,
            };
            let reached = limits.reached(&facts, smallest);
            let dead = reached.filter(|reached| reached.lasts > Lasts::Day).map(|reached| reached.rule);
            // Nothing is entered below it any more.
            let dead = dead.or((equity < least).then_some("minimum_balance_usd"));
            if let Some(rule) = dead {
                life.end = End::Died { day, rule };
                break;
            }
            if reached.is_some() {
                life.days_stopped += 1;
                break;
            }
        }
        at_day_end(day, equity);
        day_end_high = day_end_high.max(equity);
        best_day = best_day.max(equity - morning);
        if life.end == End::Alive
            && let Some(prop) = &rules.prop
            && equity - start >= Cents::from_usd(prop.target_usd)
            && best_day.usd() <= (equity - start).usd() * prop.best_day_percent / 100.0
        {
            life.end = End::Passed { day };
        }
        if life.end != End::Alive {
            break;
        }
    }
    life.net = equity - start;
    life
}

#[cfg(test)]
mod tests {
    use mes_core::{
        dice::Draw,
        rules::{MES_1K, SHIPPED},
    };

    use super::*;
    use mes_judge::stats::ruin;

    fn of(days: &[&[i64]]) -> Life {
        let rules = Rules::parse(MES_1K).expect("rules");
        let days: Vec<Vec<Cents>> =
            days.iter().map(|day| day.iter().map(|usd| Cents(usd * 100)).collect()).collect();
        live(&rules, rules.capital(), Cents::ZERO, days.iter().map(Vec::as_slice), |_, _| {})
    }

    #[test]
    fn limits_end_days_and_lives() {
        let died = |day, rule| End::Died { day, rule };
        for (days, end, net, drawdown, stopped) in [
            (&[&[][..], &[10, -5]][..], End::Alive, 5, 5, 0),
            // $50 in a day: what follows that day is not traded.
            (&[&[-30, -20, 99][..], &[10]], End::Alive, -40, 50, 1),
            // $75 from the day's peak.
            (&[&[80, -40, -35, 99][..]], End::Alive, 5, 75, 1),
            // $200 from the peak, before $300 in all.
            (&[&[-49][..], &[-49], &[-49], &[-49], &[-4, 99]], died(5, "account_drawdown_usd"), -200, 200, 0),
        ] {
            let life = of(days);
            assert_eq!((life.end, life.net, life.drawdown), (end, Cents(net * 100), Cents(drawdown * 100)));
            assert_eq!(life.days_stopped, stopped, "{days:?}");
        }
    }

    /// Steps of $10 one a day against a floor that trails by the day's end: Brownian motion with a trailing drawdown.
    #[test]
    fn a_trailing_floor_agrees_with_the_closed_form() {
        let (_, text) = SHIPPED.iter().find(|(name, _)| *name == "topstep-50k").expect("shipped");
        let mut rules = Rules::parse(text).expect("rules");
        let start = rules.capital();
        let prop = rules.prop.as_mut().expect("a firm's rules");
        (prop.target_usd, prop.max_loss_usd, prop.best_day_percent) = (3000.0, 2000.0, 100.0);
        rules.limits.account_drawdown_usd = 1e6;
        rules.limits.kill_loss_usd = 1e6;
        rules.limits.minimum_balance_usd = 0.0;
        let mut draw = Draw::new(3, 0);
        let runs = 4000;
        let mut passed = 0;
        for _ in 0..runs {
            let steps: Vec<Cents> =
                (0..40_000).map(|_| Cents(if draw.unit() < 0.5 { 5_000 } else { -5_000 })).collect();
            let life = live(&rules, start, Cents::ZERO, steps.chunks(1), |_, _| {});
            passed += usize::from(matches!(life.end, End::Passed { .. }));
        }
        let share = passed as f64 / runs as f64;
        // The floor stops rising at the start's balance: once there, a gain of 1,000 to go and 2,000 to lose.
        let to_lock = ruin::trailing(2000.0, 2000.0, 0.0, 1.0);
        let want = to_lock * ruin::fixed(1000.0, 2000.0, 0.0, 1.0);
        assert!((share - want).abs() < 0.025, "{share} {want}");
    }
}
