//! Confidence intervals of what traders look at, by resampling whole sessions.
//!
//! 2,000 stationary resamples of the days, in blocks of the length that Politis and White find best for the daily net,
//! but no longer than a tenth of the days: with fewer blocks than that an interval comes out too narrow. 95 % intervals,
//! bias-corrected and accelerated (BCa). Of more days than 5,000, as many folds together have them, runs of days that
//! are as many as it takes are drawn as one: the intervals are as wide, and do not take minutes.

use mes_core::{dice::Draw, money::Cents, round_trip::RoundTrip};
use serde::Serialize;

use crate::{
    facts::Facts,
    metrics::returns::{self, YEAR},
    stats::{block_length, bootstrap::stationary, interval::bca},
};

/// Fewer sessions cannot say how far they scatter.
pub const FEWEST_SESSIONS: usize = 20;
/// Blocks that the days hold at least.
const FEWEST_BLOCKS: f64 = 10.0;
const RESAMPLES: usize = 2000;
/// What is drawn from at most.
const MOST_RUNS: usize = 5000;
const LEVEL: f64 = 0.95;
/// Tells these draws from others of the same seed.
const KEY: u64 = 0x0001;

/// From and to; absent where the figure itself is.
pub type Range = Option<(f64, f64)>;

/// Where the figures would lie if chance dealt the same sessions out again.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Intervals {
    pub method: &'static str,
    pub level: f64,
    pub resamples: usize,
    pub sessions: usize,
    /// Mean length of the blocks that were resampled.
    pub block_sessions: f64,
    pub net_usd: Range,
    pub expectancy_usd: Range,
    pub win_ratio: Range,
    /// A year.
    pub sharpe: Range,
    pub profit_factor: Range,
}

/// What sessions add up to; every figure is a function of it.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    sessions: f64,
    net: f64,
    returned: f64,
    squares: f64,
    trades: f64,
    wins: f64,
    won: f64,
    lost: f64,
}

impl Sums {
    fn add(self, other: &Sums, sign: f64) -> Sums {
        Sums {
            sessions: self.sessions + sign * other.sessions,
            net: self.net + sign * other.net,
            returned: self.returned + sign * other.returned,
            squares: self.squares + sign * other.squares,
            trades: self.trades + sign * other.trades,
            wins: self.wins + sign * other.wins,
            won: self.won + sign * other.won,
            lost: self.lost + sign * other.lost,
        }
    }

    fn sharpe(&self) -> f64 {
        let mean = self.returned / self.sessions;
        let variance = (self.squares - self.returned * mean) / (self.sessions - 1.0);
        mean / variance.sqrt() * YEAR.sqrt()
    }
}

/// The figures that have an interval.
const FIGURES: [fn(&Sums) -> f64; 5] = [
    // Per session, so that leaving one out does not move it by its own size.
    |sums| sums.net / sums.sessions,
    |sums| sums.net_of_trades() / sums.trades,
    |sums| sums.wins / sums.trades,
    Sums::sharpe,
    |sums| sums.won / sums.lost,
];

impl Sums {
    fn net_of_trades(&self) -> f64 {
        self.won - self.lost
    }
}

impl Intervals {
    /// Resamples the sessions of a run.
    pub fn of(facts: &Facts, seed: u64) -> Option<Intervals> {
        let sessions = sessions(facts)?;
        let count = sessions.len();
        let idle = sessions.iter().all(|session| session.net == 0.0);
        if count < FEWEST_SESSIONS || idle {
            return None;
        }
        let days = count as f64;
        let runs = runs(&sessions);
        let count = runs.len();
        let nets: Vec<f64> = runs.iter().map(|run| run.net).collect();
        let longest = (count as f64 / FEWEST_BLOCKS).max(1.0);
        let block = block_length::best(&nets).map_or(1.0, |best| best.stationary.clamp(1.0, longest));
        let sum = |indices: &mut dyn Iterator<Item = usize>| {
            indices.fold(Sums::default(), |sums, index| sums.add(&runs[index], 1.0))
        };
        let all = sum(&mut (0..count));
        let without: Vec<Sums> = runs.iter().map(|run| all.add(run, -1.0)).collect();
        let mut draw = Draw::new(seed, KEY);
        let resamples: Vec<Sums> =
            (0..RESAMPLES).map(|_| sum(&mut stationary(count, block, &mut draw).into_iter())).collect();
        let range = |figure: fn(&Sums) -> f64| -> Range {
            let estimate = figure(&all);
            let of = |sums: &[Sums]| sums.iter().map(figure).collect::<Vec<f64>>();
            bca(estimate, of(&resamples), &of(&without), LEVEL).filter(|_| estimate.is_finite())
        };
        let [net, expectancy_usd, win_ratio, sharpe, profit_factor] = FIGURES.map(range);
        Some(Intervals {
            method: "stationary bootstrap of sessions, BCa",
            level: LEVEL,
            resamples: RESAMPLES,
            sessions: sessions.len(),
            block_sessions: block * days / count as f64,
            net_usd: net.map(|(low, high)| (low * days, high * days)),
            expectancy_usd,
            win_ratio,
            sharpe,
            profit_factor,
        })
    }
}

/// Sums up every session, the trades with the day on which they ended; absent where a day began without equity.
fn sessions(facts: &Facts) -> Option<Vec<Sums>> {
    let returns = returns::daily(&facts.days)?;
    let mut sessions: Vec<Sums> = facts
        .days
        .iter()
        .zip(returns)
        .map(|(day, returned)| Sums {
            sessions: 1.0,
            net: (day.end_cents - day.start_cents).usd(),
            returned,
            squares: returned * returned,
            ..Sums::default()
        })
        .collect();
    for trade in &facts.trades {
        let day = facts.days.partition_point(|day| day.date < trade.session());
        if let Some(session) = sessions.get_mut(day) {
            tally(session, trade);
        }
    }
    Some(sessions)
}

/// Adds up neighbours until there are no more than [`MOST_RUNS`].
fn runs(sessions: &[Sums]) -> Vec<Sums> {
    let length = sessions.len().div_ceil(MOST_RUNS).max(1);
    let sum = |run: &[Sums]| run.iter().fold(Sums::default(), |sums, one| sums.add(one, 1.0));
    sessions.chunks(length).map(sum).collect()
}

fn tally(session: &mut Sums, trade: &RoundTrip) {
    let net = trade.net_cents;
    session.trades += 1.0;
    session.wins += f64::from(u8::from(net > Cents::ZERO));
    session.won += net.max(Cents::ZERO).usd();
    session.lost -= net.min(Cents::ZERO).usd();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn nets(count: usize, edge: i64) -> Vec<i64> {
        let mut draw = Draw::new(4, 4);
        (0..count).map(|_| draw.below(3001) as i64 - 1500 + edge).collect()
    }

    #[test]
    fn hold_the_figures_and_are_the_same_again() {
        let facts = sample::facts(&nets(60, 100));
        let found = Intervals::of(&facts, 1).expect("enough");
        assert_eq!(Some(&found), Intervals::of(&facts, 1).as_ref());
        assert_ne!(Some(&found), Intervals::of(&facts, 2).as_ref());
        let metrics = crate::metrics::Metrics::of(&facts);
        let all = &metrics.trades.all;
        for (range, value) in [
            (found.net_usd, Some(all.net_usd)),
            (found.expectancy_usd, all.expectancy_usd),
            (found.win_ratio, all.win_ratio),
            (found.sharpe, metrics.returns.sharpe),
            (found.profit_factor, all.profit_factor),
        ] {
            let ((low, high), value) = (range.expect("a range"), value.expect("a value"));
            assert!(low < value && value < high, "{low} {value} {high}");
        }
        // One trade a day: both say the same of different units. Holidays put two trades into one day.
        let ((net, _), (each, _)) = found.net_usd.zip(found.expectancy_usd).expect("ranges");
        assert!((net / (60.0 * each) - 1.0).abs() < 0.2, "{net} {each}");
    }

    /// The plain error of a mean: the interval of the net of independent days is about ±1.96·s/√n.
    #[test]
    fn are_as_wide_as_theory_says() {
        let values = nets(400, 0);
        let found = Intervals::of(&sample::facts(&values), 1).expect("enough");
        let (low, high) = found.expectancy_usd.expect("a range");
        let mean = values.iter().sum::<i64>() as f64 / 40_000.0;
        let variance = values.iter().map(|net| (*net as f64 / 100.0 - mean).powi(2)).sum::<f64>() / 399.0;
        let width = 2.0 * 1.96 * (variance / 400.0).sqrt();
        assert!(((high - low) / width - 1.0).abs() < 0.3, "{low} {high}, theory {width}");
    }

    /// Of many short records of a fair coin, with a mean of 0, nearly as many hold 0 as was said.
    #[test]
    fn hold_the_truth_as_often_as_they_say() {
        let mut draw = Draw::new(6, 6);
        let mut held = 0;
        for _ in 0..200 {
            let nets: Vec<i64> = (0..25).map(|_| draw.below(2001) as i64 - 1000).collect();
            let found = Intervals::of(&sample::facts(&nets), 1).expect("enough");
            held += i32::from(found.expectancy_usd.is_some_and(|(low, high)| low <= 0.0 && 0.0 <= high));
        }
        assert!((178..=198).contains(&held), "{held} of 200");
    }

    /// 12,000 days are drawn in runs of three: their net is as wide as theory says of days, their Sharpe ratio as that of days.
    #[test]
    fn runs_of_days_are_as_wide_as_days() {
        let values = nets(12_000, 20);
        let facts = sample::facts(&values);
        let found = Intervals::of(&facts, 1).expect("enough");
        let count = facts.days.len();
        assert_eq!(
            (found.sessions, runs(&sessions(&facts).expect("days")).len()),
            (count, count.div_ceil(3))
        );
        let (low, high) = found.net_usd.expect("a range");
        let deviation = 8.66;
        let width = 2.0 * 1.96 * deviation * (count as f64).sqrt();
        assert!(((high - low) / width - 1.0).abs() < 0.1, "{low} {high}, theory {width}");
        let days = Intervals::of(&sample::facts(&values[..5_000]), 1).expect("enough");
        let (low_of_days, high_of_days) = days.sharpe.expect("a range");
        let (low, high) = found.sharpe.expect("a range");
        let narrower = (high_of_days - low_of_days) / (high - low);
        assert!((narrower / (count as f64 / 5_000.0).sqrt() - 1.0).abs() < 0.1, "{narrower}");
    }

    #[test]
    fn too_little_is_nothing() {
        assert_eq!(Intervals::of(&sample::facts(&nets(19, 0)), 1), None);
        assert_eq!(Intervals::of(&sample::facts(&[]), 1), None);
        let won = Intervals::of(&sample::facts(&[100; 20]), 1).expect("enough");
        assert_eq!((won.profit_factor, won.win_ratio), (None, Some((1.0, 1.0))));
    }
}
