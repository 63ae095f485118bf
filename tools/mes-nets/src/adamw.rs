//! AdamW (Loshchilov and Hutter 2019): steps by mean and spread of the gradients, weights pulled towards 0 apart from
//! them. In plain numbers, so that a checkpoint can hold it.

use libm::pow;
use serde::{Deserialize, Serialize};

const MEAN: f64 = 0.9;
const SPREAD: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// What it remembers of each weight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdamW {
    pub step: u64,
    mean: Vec<Vec<f32>>,
    spread: Vec<Vec<f32>>,
}

impl AdamW {
    /// Begins with nothing remembered of weights of these sizes.
    pub fn new(weights: &[Vec<f32>]) -> AdamW {
        let zeros: Vec<_> = weights.iter().map(|weights| vec![0.0; weights.len()]).collect();
        AdamW { step: 0, mean: zeros.clone(), spread: zeros }
    }

    /// Says whether it remembers weights of these sizes.
    pub fn fits(&self, weights: &[Vec<f32>]) -> bool {
        [&self.mean, &self.spread].iter().all(|all| all.iter().map(Vec::len).eq(weights.iter().map(Vec::len)))
    }

    /// Moves `weights` by one step against `gradients`. Those in `pulled` also go towards 0 by `decay` × `rate`.
    pub fn step(
        &mut self,
        weights: &mut [Vec<f32>],
        gradients: &[Vec<f32>],
        pulled: &[bool],
        (rate, decay): (f64, f64),
    ) {
        self.step += 1;
        let whole = |beta: f64| 1.0 - pow(beta, self.step as f64);
        let (mean_whole, spread_whole) = (whole(MEAN), whole(SPREAD));
        for (place, (weights, gradients)) in weights.iter_mut().zip(gradients).enumerate() {
            let keep = if pulled[place] { 1.0 - rate * decay } else { 1.0 };
            let moments = self.mean[place].iter_mut().zip(&mut self.spread[place]);
            for ((weight, gradient), (mean, spread)) in weights.iter_mut().zip(gradients).zip(moments) {
                let g = f64::from(*gradient);
                let m = MEAN * f64::from(*mean) + (1.0 - MEAN) * g;
                let s = SPREAD * f64::from(*spread) + (1.0 - SPREAD) * g * g;
                let step = rate * (m / mean_whole) / ((s / spread_whole).sqrt() + EPSILON);
                (*mean, *spread) = (m as f32, s as f32);
                *weight = (f64::from(*weight) * keep - step) as f32;
            }
        }
    }
}

/// Shortens gradients to a common length of at most `longest` and returns what it was (Pascanu et al. 2013).
pub fn clip(gradients: &mut [Vec<f32>], longest: f64) -> f64 {
    let squares = gradients.iter().flatten().map(|one| f64::from(*one) * f64::from(*one));
    let length = squares.sum::<f64>().sqrt();
    if length > longest {
        let shrink = (longest / length) as f32;
        gradients.iter_mut().flatten().for_each(|one| *one *= shrink);
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Worked out in Python by the formulas that torch gives for `torch.optim.AdamW(lr=0.1, weight_decay=0.01)`.
    #[test]
    fn steps_by_the_formulas() {
        let mut weights = vec![vec![1.0_f32, -2.0]];
        let mut adam = AdamW::new(&weights);
        for gradients in [[0.5, -1.0], [0.1, 2.0], [-0.4, 0.0]] {
            adam.step(&mut weights, &[gradients.to_vec()], &[true], (0.1, 0.01));
        }
        for (found, wanted) in weights[0].iter().zip(WANTED) {
            assert!((found - wanted).abs() < 1e-6, "{weights:?}");
        }
    }

    const WANTED: [f32; 2] = [0.8076092, -1.9590795];

    #[test]
    fn long_gradients_are_shortened_and_short_ones_left() {
        let mut long = [vec![3.0_f32], vec![4.0, 0.0]];
        assert_eq!(clip(&mut long, 1.0), 5.0);
        assert!((long[0][0] - 0.6).abs() < 1e-7 && (long[1][0] - 0.8).abs() < 1e-7);
        let mut short = [vec![0.3_f32, 0.4]];
        assert!((clip(&mut short, 1.0) - 0.5).abs() < 1e-7);
        assert_eq!(short, [[0.3, 0.4]]);
    }
}
