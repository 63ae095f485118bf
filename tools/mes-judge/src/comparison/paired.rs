//! What one run made beyond another on the same days. Paired, so that what the market did to both is no part of it.

use mes_core::dice::Draw;
use serde::Serialize;

use super::Run;
use crate::{
    evidence::FEWEST_SESSIONS,
    stats::{block_length, bootstrap::stationary, interval::bca},
    words::{self, signed_usd},
};

const RESAMPLES: usize = 2_000;
const LEVEL: f64 = 0.95;
/// Tells these draws from others.
const KEY: u64 = 0x0009;

/// The days that two runs have in common.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Paired {
    pub one: String,
    pub other: String,
    pub days: usize,
    /// Days that only one of them has.
    pub days_alone: usize,
    /// Net of the first less that of the second, on the average day.
    pub mean_usd: f64,
    /// Where the true one lies, 95 %: stationary resamples of whole days, BCa; absent below 20 days, and where no day
    /// differs.
    pub interval: Option<(f64, f64)>,
}

impl Paired {
    /// Pairs the days of `one` with those of `other`; nothing where they have none in common.
    pub fn of(one: &Run, other: &Run) -> Option<Paired> {
        let common = one.days.iter().filter_map(|(date, net)| {
            let there = other.days.binary_search_by_key(date, |day| day.0).ok()?;
            Some(net - other.days[there].1)
        });
        let differences: Vec<f64> = common.collect();
        let days = differences.len();
        (days > 0).then(|| Paired {
            one: one.name.clone(),
            other: other.name.clone(),
            days,
            days_alone: one.days.len() + other.days.len() - 2 * days,
            mean_usd: differences.iter().sum::<f64>() / days as f64,
            interval: interval(&differences),
        })
    }

    /// Says it.
    pub fn sentence(&self) -> String {
        let days = words::count(self.days as u64, "day");
        let meant = match self.interval {
            Some((low, _)) if low > 0.0 => "more than chance explains",
            Some((_, high)) if high < 0.0 => "less than chance explains",
            Some(_) => "which may be chance",
            None if self.days < FEWEST_SESSIONS => "too few for an interval",
            None => "no day differs",
        };
        let alone = match self.days_alone {
            0 => String::new(),
            alone => {
                format!("; {} that only one of them has are left out", words::count(alone as u64, "day"))
            }
        };
        format!(
            "{} less {}: {} a day{} over {days} of both, {meant}{alone}",
            self.one,
            self.other,
            signed_usd(self.mean_usd),
            words::interval(self.interval, signed_usd)
        )
    }
}

fn interval(differences: &[f64]) -> Option<(f64, f64)> {
    let count = differences.len();
    if count < FEWEST_SESSIONS || differences.iter().all(|difference| *difference == differences[0]) {
        return None;
    }
    let longest = (count as f64 / 10.0).max(1.0);
    let block = block_length::best(differences).map_or(1.0, |best| best.stationary.clamp(1.0, longest));
    let sum: f64 = differences.iter().sum();
    let resample = |index: u64| {
        let mut draw = Draw::new(1, KEY << 32 | index);
        let drawn = stationary(count, block, &mut draw);
        drawn.iter().map(|&index| differences[index]).sum::<f64>() / count as f64
    };
    let without =
        differences.iter().map(|difference| (sum - difference) / (count - 1) as f64).collect::<Vec<_>>();
    bca(sum / count as f64, (0..RESAMPLES as u64).map(resample).collect(), &without, LEVEL)
}
