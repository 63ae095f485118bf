//! The day by New York hour, counted where trades were entered.

use std::collections::BTreeMap;

use chrono::Timelike;
use mes_core::{money::Cents, tz};
use serde::Serialize;

use super::ratio;
use crate::facts::Facts;

/// Trades entered from this full hour until the next.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Hour {
    pub hour_new_york: u32,
    pub trades: usize,
    pub wins: usize,
    pub win_ratio: Option<f64>,
    pub net_usd: f64,
    pub expectancy_usd: Option<f64>,
}

/// Returns the hours with trades, in order of the clock.
pub fn of(facts: &Facts) -> Vec<Hour> {
    let mut hours: BTreeMap<u32, Vec<Cents>> = BTreeMap::new();
    for trade in &facts.trades {
        hours.entry(tz::new_york(trade.entered).hour()).or_default().push(trade.net_cents);
    }
    let hour = |(hour_new_york, nets): (u32, Vec<Cents>)| {
        let wins = nets.iter().filter(|net| **net > Cents::ZERO).count();
        let trades = nets.len();
        let net_usd = nets.into_iter().sum::<Cents>().usd();
        let of = |value: f64| ratio(value, trades as f64);
        let (win_ratio, expectancy_usd) = (of(wins as f64), of(net_usd));
        Hour { hour_new_york, trades, wins, win_ratio, net_usd, expectancy_usd }
    };
    hours.into_iter().map(hour).collect()
}

#[cfg(test)]
mod tests {
    use mes_core::time;

    use super::*;
    use crate::sample;

    #[test]
    fn follow_the_clock_of_new_york() {
        let mut facts = sample::facts(&[100, -300, 50]);
        for (trade, at) in facts.trades.iter_mut().zip([
            "2026-10-30T13:59:59Z",
            "2026-11-02T14:30:00Z",
            "2026-11-02T15:00:00Z",
        ]) {
            trade.entered = time::parse(at).expect("a time");
        }
        let hours: Vec<_> =
            of(&facts).iter().map(|hour| (hour.hour_new_york, hour.trades, hour.net_usd)).collect();
        assert_eq!(hours, [(9, 2, -2.0), (10, 1, 0.5)]);
        assert_eq!(of(&facts)[0].expectancy_usd, Some(-1.0));
    }
}
