//! The probability of backtest overfitting by combinatorially symmetric cross-validation. Bailey, Borwein, López de
//! Prado and Zhu (2017), "The Probability of Backtest Overfitting", Journal of Computational Finance 20:4.

use serde::Serialize;

use super::purge::{combinations, folds};

/// What choosing the best trial is worth, over all ways to split the days in two halves.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Overfitting {
    pub trials: usize,
    pub blocks: usize,
    pub splits: usize,
    /// The share of splits in which the best of one half is at or below the median of the other.
    pub pbo: f64,
    /// The share of splits in which the best of one half loses in the other.
    pub probability_of_loss: f64,
    pub mean_logit: f64,
    /// The line of the chosen trial's ratio out of sample over that in sample; a slope below 0 is decay.
    pub slope: f64,
    pub intercept: f64,
    #[serde(skip)]
    pub logits: Vec<f64>,
    /// Of each split the chosen trial's ratio in the half that it was chosen on, and in the other.
    #[serde(skip)]
    pub pairs: Vec<(f64, f64)>,
}

/// What a block of days of one trial adds up to.
#[derive(Clone, Copy, Default)]
struct Sums {
    count: f64,
    sum: f64,
    squares: f64,
}

impl Sums {
    fn add(self, other: Sums) -> Sums {
        Sums {
            count: self.count + other.count,
            sum: self.sum + other.sum,
            squares: self.squares + other.squares,
        }
    }

    /// Mean over sample standard deviation; 0 without a spread: a trial that did nothing.
    fn ratio(self) -> f64 {
        let mean = self.sum / self.count;
        let variance = (self.squares - self.sum * mean) / (self.count - 1.0);
        if variance > 1e-18 * self.squares.max(f64::MIN_POSITIVE) { mean / variance.sqrt() } else { 0.0 }
    }
}

/// Works on the daily results of trials, all of the same days, cut into `blocks` (even) of neighbours. Absent with
/// fewer than two trials or two days a block. Ties share their rank.
pub fn cscv(trials: &[Vec<f64>], blocks: usize) -> Option<Overfitting> {
    let days = trials.first().map_or(0, Vec::len);
    let even = trials.iter().all(|trial| trial.len() == days);
    if trials.len() < 2 || blocks < 2 || !blocks.is_multiple_of(2) || days < 2 * blocks || !even {
        return None;
    }
    let parts = folds(days, blocks);
    let sums: Vec<Vec<Sums>> = trials
        .iter()
        .map(|trial| {
            let of = |value: &f64| Sums { count: 1.0, sum: *value, squares: value * value };
            parts
                .iter()
                .map(|part| trial[part.clone()].iter().map(of).fold(Sums::default(), Sums::add))
                .collect()
        })
        .collect();
    let pairs: Vec<(f64, f64, f64)> =
        combinations(blocks, blocks / 2).iter().map(|chosen| split(&sums, chosen)).collect();
    let splits = pairs.len() as f64;
    let mean = |of: fn(&(f64, f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / splits;
    let (inside, outside) = (mean(|pair| pair.0), mean(|pair| pair.1));
    let spread: f64 = pairs.iter().map(|pair| (pair.0 - inside) * (pair.0 - inside)).sum();
    let product: f64 = pairs.iter().map(|pair| (pair.0 - inside) * (pair.1 - outside)).sum();
    let slope = if spread > 0.0 { product / spread } else { 0.0 };
    Some(Overfitting {
        trials: trials.len(),
        blocks,
        splits: pairs.len(),
        pbo: mean(|pair| f64::from(u8::from(pair.2 <= 0.0))),
        probability_of_loss: mean(|pair| f64::from(u8::from(pair.1 < 0.0))),
        mean_logit: mean(|pair| pair.2),
        slope,
        intercept: outside - slope * inside,
        logits: pairs.iter().map(|pair| pair.2).collect(),
        pairs: pairs.iter().map(|pair| (pair.0, pair.1)).collect(),
    })
}

/// Chooses the best trial of the chosen blocks; returns its ratio there, its ratio in the others, and the logit of
/// its rank there: ω = rank/(N + 1), λ = ln(ω/(1 − ω)).
fn split(trials: &[Vec<Sums>], chosen: &[usize]) -> (f64, f64, f64) {
    let mut best: (f64, usize) = (f64::NEG_INFINITY, 0);
    let mut outside = Vec::with_capacity(trials.len());
    for (index, blocks) in trials.iter().enumerate() {
        let (mut within, mut without) = (Sums::default(), Sums::default());
        let mut next = chosen.iter().peekable();
        for (block, sums) in blocks.iter().enumerate() {
            if next.next_if_eq(&&block).is_some() {
                within = within.add(*sums);
            } else {
                without = without.add(*sums);
            }
        }
        if within.ratio() > best.0 {
            best = (within.ratio(), index);
        }
        outside.push(without.ratio());
    }
    let (inside, index) = best;
    let of_best = outside[index];
    let below = outside.iter().filter(|ratio| **ratio < of_best).count() as f64;
    let equal = outside.iter().filter(|ratio| **ratio == of_best).count() as f64;
    let rank = below + (equal + 1.0) / 2.0;
    let omega = rank / (trials.len() as f64 + 1.0);
    (inside, of_best, libm::log(omega / (1.0 - omega)))
}

#[cfg(test)]
mod tests {
    use mes_core::dice::Draw;

    use super::*;
    use crate::stats::{close, lcg::Lcg};

    /// The matrix that rltrade-pypbo 0.0.3 and ffn 1.4.1 agree on: 96 days of 6 trials, the third a little better.
    #[test]
    fn agrees_with_pypbo_and_ffn() {
        let round = |value: f64| (value * 1e6).round() / 1e6;
        let values: Vec<f64> = Lcg(12345).take(96 * 6).map(|u| round((u - 0.5) * 0.02)).collect();
        let trial = |column: usize| -> Vec<f64> {
            let more = if column == 2 { 0.0004 } else { 0.0 };
            values.iter().skip(column).step_by(6).map(|value| round(value + more)).collect()
        };
        let found = cscv(&(0..6).map(trial).collect::<Vec<_>>(), 8).expect("enough");
        assert_eq!((found.splits, found.trials), (70, 6));
        close("PBO", found.pbo, 0.142_857_142_857_142_85, 1e-15);
        close("loss", found.probability_of_loss, 0.085_714_285_714_285_72, 1e-15);
        close("logit", found.mean_logit, 0.688_159_511_409_297_2, 1e-12);
        close("slope", found.slope, -0.586_470_280_362_428_1, 1e-9);
        close("intercept", found.intercept, 0.381_850_208_189_239_3, 1e-9);
        for (logit, want) in found.logits.iter().zip([
            0.916_290_731_874_155_1,
            0.916_290_731_874_155_1,
            0.916_290_731_874_155_1,
            0.916_290_731_874_155_1,
            1.791_759_469_228_054_5,
        ]) {
            close("logit", *logit, want, 1e-14);
        }
    }

    /// Of worthless trials the best of one half is anywhere in the other; a trial that is truly better stays there.
    #[test]
    fn noise_is_overfitted_and_skill_is_not() {
        let mut draw = Draw::new(3, 0);
        let mut pbo = |edge: f64| {
            let mut trials: Vec<Vec<f64>> =
                (0..20).map(|_| (0..240).map(|_| draw.unit() - 0.5).collect()).collect();
            trials[4].iter_mut().for_each(|value| *value += edge);
            cscv(&trials, 10).expect("enough").pbo
        };
        let noise: f64 = (0..20).map(|_| pbo(0.0)).sum::<f64>() / 20.0;
        assert!((0.35..0.65).contains(&noise), "{noise}");
        assert!(pbo(0.3) < 0.02);
    }

    #[test]
    fn too_little_is_nothing() {
        let days = |count: usize| vec![vec![1.0; count], vec![2.0; count]];
        assert_eq!(cscv(&[], 8), None);
        assert_eq!(cscv(&days(100)[..1], 8), None);
        assert_eq!(cscv(&days(15), 8), None);
        assert_eq!(cscv(&days(16), 7), None);
        assert_eq!(cscv(&[vec![1.0; 20], vec![1.0; 19]], 4), None);
        let flat = cscv(&days(16), 8).expect("enough");
        assert_eq!((flat.pbo, flat.slope), (1.0, 0.0));
    }
}
