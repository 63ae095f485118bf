//! How far equity fell and for how long, bar by bar: open trades count at what closing them would cost.

use mes_core::{
    money::Cents,
    time::{SECOND, Ts},
};
use serde::Serialize;

use super::finite;
use crate::facts::{DayResult, Facts};

/// How far equity fell, and for how long.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Drawdown {
    pub max_usd: f64,
    /// Greatest fall as a share of the peak before it.
    pub max_ratio: Option<f64>,
    /// The peak before the greatest fall in dollars, and its bottom.
    pub from: Option<String>,
    pub to: Option<String>,
    /// From that peak to that bottom.
    pub fall_s: Option<i64>,
    /// The longest wait for a new peak, nights and weekends included; it may not have come.
    pub longest_under_water_s: i64,
}

impl Drawdown {
    /// Reads what the recorder followed bar by bar.
    pub fn of(facts: &Facts) -> Drawdown {
        let text = |ts: Option<Ts>| ts.map(mes_core::time::format);
        let (from, to) = (facts.drawdown_from, facts.drawdown_to);
        Drawdown {
            max_usd: facts.drawdown_cents.usd(),
            max_ratio: finite(match facts.refill {
                // The sum of several accounts is no share of any one's peak.
                true => Fall::over(&facts.days).ratio,
                false => facts.drawdown_ratio,
            }),
            from: text(from),
            to: text(to),
            fall_s: from.zip(to).map(|(from, to)| (to - from) / SECOND),
            longest_under_water_s: facts.longest_under_water / SECOND,
        }
    }
}

/// The greatest fall over days one after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Fall {
    /// Of the sum of the days' results from its peak.
    pub cents: Cents,
    /// Of the compounded days, as a share of the peak; need not be the same fall.
    pub ratio: f64,
}

impl Fall {
    /// Follows days by their highest and lowest equity and their own falls, which is what following every bar comes to: a
    /// fall either lies within a day, or goes from the highest of earlier days to the lowest of a later one. Each day may
    /// be of an account of its own.
    pub fn over(days: &[DayResult]) -> Fall {
        let mut fall = Fall::default();
        let (mut sum, mut peak) = (Cents::ZERO, Cents::ZERO);
        let (mut grown, mut summit) = (1.0_f64, 1.0_f64);
        for day in days {
            let start = day.start_cents;
            fall.cents = fall.cents.max(peak - (sum + day.low_cents - start)).max(day.drawdown_cents);
            peak = peak.max(sum + day.high_cents - start);
            sum += day.end_cents - start;
            if start > Cents::ZERO {
                let times = |cents: Cents| grown * cents.0 as f64 / start.0 as f64;
                fall.ratio = fall.ratio.max(1.0 - times(day.low_cents) / summit).max(day.drawdown_ratio);
                summit = summit.max(times(day.high_cents));
                grown = times(day.end_cents);
            }
        }
        fall
    }
}

#[cfg(test)]
mod tests {
    use mes_core::dice::Draw;
    use mes_pipe::journal::Journal;

    use super::*;
    use crate::sample;

    /// Equity that wanders within days: what days remember gives the fall that following every bar gives.
    #[test]
    fn days_know_the_fall_of_their_bars() {
        let mut draw = Draw::new(8, 8);
        for _ in 0..50 {
            let mut recorder = sample::recorder();
            let mut equity = Cents(100_000);
            for day in 0..5 {
                for second in 0..40 {
                    let ts = sample::START + (day * 86_400 + second) * SECOND;
                    recorder.statement(&sample::state(ts, equity, Vec::new())).expect("records");
                    equity += Cents(draw.below(4001) as i64 - 2000);
                }
            }
            let facts = recorder.finish().expect("finishes");
            let fall = Fall::over(&facts.days);
            assert_eq!((facts.days.len(), fall.cents), (5, facts.drawdown_cents));
            assert!((fall.ratio - facts.drawdown_ratio).abs() < 1e-12, "{fall:?}");
        }
    }

    #[test]
    fn accounts_one_after_the_other_add_up() {
        let day = |start, low, high, end, fall| DayResult {
            high_cents: Cents(high),
            low_cents: Cents(low),
            drawdown_cents: Cents(fall),
            ..DayResult::of_ends(Default::default(), Cents(start), Cents(end))
        };
        // Down $50 within the first account's day, $30 at its end; the second begins anew and falls by $40.
        let days =
            [day(100_000, 95_000, 100_000, 97_000, 5_000), day(100_000, 96_000, 101_000, 101_000, 4_000)];
        let fall = Fall::over(&days);
        assert_eq!(fall.cents, Cents(7_000));
        assert!((fall.ratio - (1.0 - 0.97 * 0.96)).abs() < 1e-12, "{fall:?}");
    }
}
