//! Isotonic calibration (Zadrozny and Elkan 2002): for each class the non-decreasing curve from stated to found
//! probability that is nearest in squares, by pooling adjacent violators.

use mes_predict::model::card::{Calibration, Curve};

/// Fits one curve a class to uncalibrated probabilities.
pub fn isotonic(p: &[[f64; 3]], labels: &[u8]) -> Calibration {
    let classes = [0, 1, 2].map(|class: u8| {
        let stated = p.iter().map(|p| p[usize::from(class)]);
        curve(stated.zip(labels).map(|(p, &label)| (p, f64::from(u8::from(label == class)))).collect())
    });
    Calibration::Isotonic { classes }
}

/// Points that were pooled: from where to where, how many, and their mean.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Block {
    from: f64,
    to: f64,
    count: f64,
    mean: f64,
}

/// Fits a curve to points `(stated, found)`; between its knots it is straight, beyond them level.
fn curve(mut points: Vec<(f64, f64)>) -> Curve {
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut knots = Vec::new();
    for Block { from, to, mean, .. } in pooled(&points) {
        knots.push([from, mean]);
        if to > from {
            knots.push([to, mean]);
        }
    }
    Curve { knots }
}

/// Pools what is stated alike, then neighbours as long as one falls.
fn pooled(points: &[(f64, f64)]) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for alike in points.chunk_by(|a, b| a.0 == b.0) {
        let count = alike.len() as f64;
        let mean = alike.iter().map(|point| point.1).sum::<f64>() / count;
        let mut block = Block { from: alike[0].0, to: alike[0].0, count, mean };
        while let Some(before) = blocks.pop_if(|before| before.mean >= block.mean) {
            let count = before.count + block.count;
            let mean = (before.mean * before.count + block.mean * block.count) / count;
            block = Block { from: before.from, to: block.to, count, mean };
        }
        blocks.push(block);
    }
    blocks
}

#[cfg(test)]
mod tests {
    use mes_core::prediction::softmax;

    use super::*;

    /// scikit-learn 1.9.1, IsotonicRegression.
    #[test]
    fn pools_as_scikit_learn_does() {
        let y = [1.0, 2.0, 6.0, 2.0, 1.0, 2.0, 8.0, 2.0, 0.0, 2.0];
        let points: Vec<_> = y.iter().enumerate().map(|(x, y)| (x as f64, *y)).collect();
        let fitted: Vec<f64> = pooled(&points)
            .into_iter()
            .flat_map(|block| std::iter::repeat_n(block.mean, block.count as usize))
            .collect();
        assert_eq!(fitted, [1.0, 2.0, 2.75, 2.75, 2.75, 2.75, 3.0, 3.0, 3.0, 3.0]);
        let curve = curve(points);
        assert_eq!(curve.knots, [[0.0, 1.0], [1.0, 2.0], [2.0, 2.75], [5.0, 2.75], [6.0, 3.0], [9.0, 3.0]]);
        for (x, y) in [(-5.0, 1.0), (0.5, 1.5), (3.3, 2.75), (5.5, 2.875), (6.0, 3.0), (50.0, 3.0)] {
            assert_eq!(curve.at(x), y);
        }
        assert_eq!(super::curve(vec![(0.5, 1.0), (0.5, 0.0), (0.2, 0.0)]).knots, [[0.2, 0.0], [0.5, 0.5]]);
    }

    #[test]
    fn what_it_says_is_what_was_found() {
        // Stated 20 %, 50 %, 80 % up; found 10 %, 40 %, 90 %.
        let (mut logits, mut labels) = (Vec::new(), Vec::new());
        for (stated, found) in [(0.2_f64, 1), (0.5, 4), (0.8, 9)] {
            for row in 0..10 {
                let rest = (1.0 - stated) / 2.0;
                logits.push([rest, rest, stated].map(libm::log));
                labels.push(if row < found { 2 } else { row % 2 });
            }
        }
        let p: Vec<_> = logits.iter().map(|z| softmax(*z)).collect();
        let calibration = isotonic(&p, &labels);
        for (z, wanted) in [(logits[0], 0.1), (logits[10], 0.4), (logits[29], 0.9)] {
            let p = calibration.probabilities(z);
            assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            assert!((p[2] - wanted).abs() < 0.02, "{p:?} {wanted}");
        }
    }
}
