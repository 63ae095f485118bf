//! Trades, flat to flat. A win has a net above 0, a loss below; a net of 0 is neither.

use std::collections::BTreeMap;

use mes_core::{
    interval::Interval,
    money::Cents,
    order::{ExitReason, Side},
    round_trip::RoundTrip,
    time::{HOUR, SECOND},
};
use serde::Serialize;

use super::{finite, ratio};
use crate::{facts::Facts, stats::break_even::win_ratio, trades::doubtful};

/// The trades of a run, together and by kind.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TradeMetrics {
    pub all: Split,
    pub long: Split,
    pub short: Split,
    pub by_exit: BTreeMap<&'static str, Split>,
    pub longest_wins: usize,
    pub longest_losses: usize,
    pub largest_win_usd: Option<f64>,
    pub largest_loss_usd: Option<f64>,
    pub per_day: Option<f64>,
    /// Per hour of market that the rows cover.
    pub per_hour: Option<f64>,
    pub average_hold_s: Option<f64>,
    /// Net over what all trades together had at stake at their stops.
    pub net_per_risked_usd: Option<f64>,
    pub days_won: usize,
    pub days_lost: usize,
    pub days_flat: usize,
    /// Of the days that were not flat.
    pub winning_days_ratio: Option<f64>,
    /// Trades whose bar touched stop and target; the stop was booked.
    pub ambiguous: usize,
    /// Of the bars in which there was a position.
    pub ambiguous_ratio: Option<f64>,
    /// Net if each of these had reached its target instead, all else equal.
    pub best_net_usd: f64,
}

/// Figures of some of the trades.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Split {
    pub trades: usize,
    pub wins: usize,
    pub losses: usize,
    pub net_usd: f64,
    pub win_ratio: Option<f64>,
    /// The share of wins at which they would have cost nothing, had each ended at its stop or its target.
    pub break_even_win_ratio: Option<f64>,
    /// What the wins made over what the losses lost.
    pub profit_factor: Option<f64>,
    /// Net of the average trade.
    pub expectancy_usd: Option<f64>,
    pub average_win_usd: Option<f64>,
    pub average_loss_usd: Option<f64>,
}

impl Split {
    /// Sums up `trades`.
    pub fn of<'a>(trades: impl Iterator<Item = &'a RoundTrip>) -> Split {
        let trades: Vec<&RoundTrip> = trades.collect();
        let nets: Vec<Cents> = trades.iter().map(|trade| trade.net_cents).collect();
        let usd = |of: fn(&RoundTrip) -> Cents| trades.iter().map(|trade| of(trade)).sum::<Cents>().usd();
        let break_even = win_ratio(
            usd(|trade| trade.stopped_cents),
            usd(|trade| trade.reward_cents),
            usd(|trade| trade.commission_cents),
        );
        let sum = |keep: fn(&Cents) -> bool| -> (usize, f64) {
            let kept: Vec<Cents> = nets.iter().copied().filter(keep).collect();
            (kept.len(), kept.iter().copied().sum::<Cents>().usd())
        };
        let (wins, won) = sum(|net| *net > Cents::ZERO);
        let (losses, lost) = sum(|net| *net < Cents::ZERO);
        let (trades, net) = sum(|_| true);
        let count = trades as f64;
        Split {
            trades,
            wins,
            losses,
            net_usd: net,
            win_ratio: ratio(wins as f64, count),
            break_even_win_ratio: finite(break_even),
            profit_factor: ratio(won, -lost).filter(|_| losses > 0),
            expectancy_usd: ratio(net, count),
            average_win_usd: ratio(won, wins as f64),
            average_loss_usd: ratio(lost, losses as f64),
        }
    }
}

impl TradeMetrics {
    /// Computes from the trades and days of a run.
    pub fn of(facts: &Facts) -> TradeMetrics {
        let trades = &facts.trades;
        let count = trades.len() as f64;
        let side = |side| Split::of(trades.iter().filter(move |trade| trade.side == side));
        let sum = |of: fn(&RoundTrip) -> Cents| trades.iter().map(of).sum::<Cents>();
        let nets = || trades.iter().map(|trade| trade.net_cents);
        let held: i64 = trades.iter().map(|trade| trade.exited - trade.entered).sum();
        let days = |keep: fn(&Cents) -> bool| {
            facts.days.iter().map(|day| day.end_cents - day.start_cents).filter(keep).count()
        };
        let (won, lost) = (days(|net| *net > Cents::ZERO), days(|net| *net < Cents::ZERO));
        let (ambiguous, best) = doubtful(trades);
        TradeMetrics {
            all: Split::of(trades.iter()),
            long: side(Side::Buy),
            short: side(Side::Sell),
            by_exit: by_exit(trades),
            longest_wins: longest(trades, |net| net > Cents::ZERO),
            longest_losses: longest(trades, |net| net < Cents::ZERO),
            largest_win_usd: nets().max().filter(|net| *net > Cents::ZERO).map(Cents::usd),
            largest_loss_usd: nets().min().filter(|net| *net < Cents::ZERO).map(Cents::usd),
            per_day: ratio(count, facts.days.len() as f64),
            per_hour: hours(facts).and_then(|hours| ratio(count, hours)),
            average_hold_s: ratio(held as f64 / SECOND as f64, count),
            net_per_risked_usd: ratio(
                sum(|trade| trade.net_cents).usd(),
                sum(|trade| trade.risk_cents).usd(),
            ),
            days_won: won,
            days_lost: lost,
            days_flat: facts.days.len() - won - lost,
            winning_days_ratio: ratio(won as f64, (won + lost) as f64),
            ambiguous,
            ambiguous_ratio: ratio(ambiguous as f64, facts.rows_in_trade as f64),
            best_net_usd: best.usd(),
        }
    }
}

/// Splits by why trades ended, in the order of the reasons' names.
fn by_exit(trades: &[RoundTrip]) -> BTreeMap<&'static str, Split> {
    let used = ExitReason::ALL
        .into_iter()
        .map(|exit| (exit.name(), Split::of(trades.iter().filter(move |trade| trade.exit == exit))));
    used.filter(|(_, split)| split.trades > 0).collect()
}

/// Returns the length of the longest run of trades of one kind.
fn longest(trades: &[RoundTrip], is: fn(Cents) -> bool) -> usize {
    let (mut longest, mut now) = (0, 0);
    for trade in trades {
        now = if is(trade.net_cents) { now + 1 } else { 0 };
        longest = longest.max(now);
    }
    longest
}

/// Returns the hours of market that the rows cover.
fn hours(facts: &Facts) -> Option<f64> {
    let interval: Interval = facts.run.as_ref()?.interval.parse().ok()?;
    Some(facts.rows as f64 * interval.nanos() as f64 / HOUR as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn agree_with_a_hand() {
        let facts = sample::facts(&[1000, -500, -500, -250, 750, 0]);
        let metrics = TradeMetrics::of(&facts);
        let all = &metrics.all;
        assert_eq!((all.trades, all.wins, all.losses, all.net_usd), (6, 2, 3, 5.0));
        assert_eq!(all.profit_factor, Some(17.5 / 12.5));
        assert_eq!(all.expectancy_usd, Some(5.0 / 6.0));
        assert_eq!(all.win_ratio, Some(2.0 / 6.0));
        // Stop 8 and a tick of slippage, target 16: (11.25 + 0.84)/31.25.
        assert!(all.break_even_win_ratio.is_some_and(|ratio| (ratio - 0.386_88).abs() < 1e-12));
        assert_eq!((all.average_win_usd, all.average_loss_usd), (Some(8.75), Some(-12.5 / 3.0)));
        assert_eq!((metrics.longest_wins, metrics.longest_losses), (1, 3));
        assert_eq!((metrics.largest_win_usd, metrics.largest_loss_usd), (Some(10.0), Some(-5.0)));
        assert_eq!((metrics.days_won, metrics.days_lost, metrics.days_flat), (2, 3, 1));
        assert_eq!(metrics.winning_days_ratio, Some(0.4));
        // $12.09 each: stop, slippage, round turn.
        assert_eq!(metrics.net_per_risked_usd, Some(5.0 / 72.54));
        assert_eq!(metrics.long.trades + metrics.short.trades, 6);
        assert_eq!(metrics.by_exit.values().map(|split| split.trades).sum::<usize>(), 6);
    }

    #[test]
    fn nothing_is_said_of_no_trades_and_no_losses() {
        let none = TradeMetrics::of(&sample::facts(&[]));
        let all = &none.all;
        assert_eq!((all.win_ratio, all.break_even_win_ratio), (None, None));
        assert_eq!((all.profit_factor, all.expectancy_usd), (None, None));
        assert_eq!((none.per_day, none.average_hold_s, none.net_per_risked_usd), (None, None, None));
        let won = TradeMetrics::of(&sample::facts(&[100, 200]));
        assert_eq!((won.all.profit_factor, won.largest_loss_usd), (None, None));
    }

    #[test]
    fn the_best_case_books_ambiguous_stops_at_their_targets() {
        let mut facts = sample::facts(&[-1000, 500]);
        facts.trades[0].ambiguous = true;
        facts.trades[0].exit = ExitReason::Stop;
        let metrics = TradeMetrics::of(&facts);
        // −10.00 net was −9.16 gross; at the target it is 20.00 gross.
        assert_eq!((metrics.ambiguous, metrics.best_net_usd), (1, 24.16));
    }
}
