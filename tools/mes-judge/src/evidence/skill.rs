//! Does the entry matter? The trades are put against random ones of the same side, size, length and hour of the day,
//! on the same bars and at the same costs.
//!
//! A random trade enters at the open of any bar of the hour, of any day, and leaves at the open of the first bar after
//! the real trade's time, or of the last one before the bars break off. Stops and targets are not repeated: what is
//! compared is where one enters and on which side, given how long one stays. Costs are the same to the cent: where entries
//! waited at a limit, and slipped not, the random ones get the open for nothing, which makes them harder to beat.

use chrono::Timelike;
use mes_core::{dice::Draw, money::Cents, order::Side, round_trip::RoundTrip, tz};
use serde::Serialize;

use crate::{facts::Facts, stats::interval::percentile};

const SETS: usize = 999;
/// No more random trades than this are tried, but never fewer sets than [`FEWEST_SETS`].
const MOST_TRADES: usize = 4_000_000;
const FEWEST_SETS: usize = 99;
/// Tells these draws from others of the same seed.
const KEY: u64 = 0x0002;

/// The trades beside random ones.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Skill {
    /// How many sets of random trades there were.
    pub sets: usize,
    pub net_usd: f64,
    /// What the random sets made, net of the same costs: mean, and where 90 % of them lie.
    pub random_mean_usd: f64,
    pub random_low_usd: f64,
    pub random_high_usd: f64,
    /// The share of sets that made at least as much, the real one counted among them: small is skill.
    pub p_value: f64,
}

/// What is repeated of a trade.
struct Kept {
    hour: usize,
    held: i64,
    signed: i64,
}

impl Skill {
    /// Tries random entries on the bars of a run.
    pub fn of(facts: &Facts, seed: u64) -> Option<Skill> {
        let opens = facts.opens.as_ref()?;
        let kept: Vec<Kept> = facts.trades.iter().map(Kept::of).collect();
        if kept.is_empty() || kept.iter().any(|trade| opens.in_hour(trade.hour) == 0) {
            return None;
        }
        let sum = |of: fn(&RoundTrip) -> Cents| facts.trades.iter().map(of).sum::<Cents>();
        let net = sum(|trade| trade.net_cents);
        let costs = sum(|trade| trade.spread_cents + trade.slippage_cents + trade.commission_cents);
        let tick_value = facts.contract().tick_value();
        let sets = SETS.min(MOST_TRADES / kept.len()).max(FEWEST_SETS);
        let mut nets: Vec<Cents> = (0..sets as u64)
            .map(|set| {
                // A stream for every set, so that sets could be drawn in any order.
                let mut draw = Draw::new(seed, KEY << 32 | set);
                let ticks: i64 = kept
                    .iter()
                    .map(|trade| {
                        let entry = opens.nth(trade.hour, draw.below(opens.in_hour(trade.hour)));
                        trade.signed * opens.moved(entry, trade.held)
                    })
                    .sum();
                tick_value * ticks - costs
            })
            .collect();
        nets.sort();
        let at_least = nets.len() - nets.partition_point(|random| *random < net);
        let usd: Vec<f64> = nets.iter().map(|net| net.usd()).collect();
        Some(Skill {
            sets,
            net_usd: net.usd(),
            random_mean_usd: nets.iter().copied().sum::<Cents>().usd() / sets as f64,
            random_low_usd: percentile(&usd, 0.05)?,
            random_high_usd: percentile(&usd, 0.95)?,
            p_value: (1 + at_least) as f64 / (1 + sets) as f64,
        })
    }
}

impl Kept {
    fn of(trade: &RoundTrip) -> Kept {
        let sign = if trade.side == Side::Buy { 1 } else { -1 };
        Kept {
            hour: tz::new_york(trade.entered - 1).hour() as usize,
            held: trade.exited - trade.entered,
            signed: sign * trade.contracts,
        }
    }
}

#[cfg(test)]
mod tests {
    use mes_core::{
        bar::Bar,
        price::Price,
        time::{HOUR, SECOND},
    };

    use super::*;
    use crate::{opens::Opens, sample};

    /// Days of a seconds' walk; trades of a minute, entered where the price is about to rise or anywhere.
    fn walk(knows: bool) -> Facts {
        let mut draw = Draw::new(9, 9);
        let mut facts = sample::facts(&[]);
        let mut opens = Opens::new(SECOND);
        for day in 0..20 {
            let start = sample::START + day * 24 * HOUR;
            let (mut price, mut path) = (0_i64, Vec::new());
            for second in 0..3600 {
                price += draw.below(3) as i64 - 1;
                path.push(price);
                let open = Price::from_ticks(20_000 + price);
                opens.push(&Bar { ts: start + second * SECOND, open, volume: 1, seg: day, ..Bar::default() });
            }
            for _ in 0..5 {
                let mut tries = (0..50).map(|_| draw.below(3500));
                let found = tries.find(|&second| !knows || path[second + 60] - path[second] >= 2);
                let second = found.unwrap_or(0);
                let moved = path[second + 60] - path[second];
                let entered = start + second as i64 * SECOND;
                let trade = sample::facts(&[0]).trades.remove(0);
                facts.trades.push(RoundTrip {
                    entered,
                    exited: entered + 60 * SECOND,
                    slippage_cents: Cents(250),
                    net_cents: Cents(125) * moved - Cents(250 + 84),
                    ..trade
                });
            }
        }
        facts.opens = Some(opens);
        facts
    }

    #[test]
    fn knowing_is_told_from_guessing() {
        let knows = Skill::of(&walk(true), 1).expect("known");
        assert!(knows.p_value <= 0.002 && knows.net_usd > knows.random_high_usd, "{knows:?}");
        let guesses = Skill::of(&walk(false), 1).expect("known");
        assert!((0.02..0.98).contains(&guesses.p_value), "{guesses:?}");
        // Random trades lose their costs: 100 of them at $3.34.
        assert!((guesses.random_mean_usd + 334.0).abs() < 15.0, "{guesses:?}");
        assert_eq!(Skill::of(&walk(false), 1), Some(guesses));
    }

    #[test]
    fn without_trades_or_bars_nothing_is_said() {
        assert_eq!(Skill::of(&sample::facts(&[100]), 1), None);
        let mut facts = walk(false);
        facts.trades.clear();
        assert_eq!(Skill::of(&facts, 1), None);
    }
}
