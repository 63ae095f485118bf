//! From logits to a prediction: temperature, softmax, direction, expected move. In `f64` with the pinned `exp`, so
//! that neither a row's neighbours nor the machine's libm have a say.

use libm::log;
use mes_core::prediction::Prediction;

use super::{card::Output, plan::CLASSES};

/// The least share of votes that is believed: nothing is impossible.
const LEAST: f64 = 1e-6;

/// Returns the logits that a graph's three numbers stand for.
pub fn logits(values: [f64; CLASSES], output: Output) -> [f64; CLASSES] {
    match output {
        Output::Logits => values,
        Output::Probabilities => values.map(|share| log(share.max(LEAST))),
    }
}

/// Fills a prediction in: the direction is that of the largest probability, FLAT at a tie; the move its mean over
/// the classes, in ticks.
pub fn prediction(p: [f64; CLASSES], mean_move_ticks: [f64; CLASSES], vol_ticks: Option<f32>) -> Prediction {
    // Judged on the numbers that are written, so that a reader finds the same direction.
    let [down, flat, up] = p.map(|one| one as f32);
    let dir = if up > flat && up > down {
        1.0
    } else if down > flat && down > up {
        -1.0
    } else {
        0.0
    };
    let expected: f64 = p.iter().zip(mean_move_ticks).map(|(p, ticks)| p * ticks).sum();
    Prediction {
        down: Some(down),
        flat: Some(flat),
        up: Some(up),
        dir: Some(dir),
        conf: Some(down.max(flat).max(up)),
        expected_move: Some(expected as f32),
        vol: vol_ticks,
        size: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use libm::exp;
    use mes_core::prediction::softmax;

    use crate::model::card::Calibration;

    #[test]
    fn a_hotter_softmax_is_less_sure_and_a_tie_is_flat() {
        let cold = Calibration::Temperature { t: 1.0 }.probabilities([0.0, 1.0, 3.0]);
        let hot = Calibration::Temperature { t: 2.0 }.probabilities([0.0, 1.0, 3.0]);
        assert!(cold[2] > hot[2] && hot[2] > hot[1]);
        assert!((cold[0] - 1.0 / (1.0 + exp(1.0) + exp(3.0))).abs() < 1e-15);
        assert!((hot.iter().sum::<f64>() - 1.0).abs() < 1e-15);
        assert_eq!(softmax([1e30, 0.0, -1e30]), [1.0, 0.0, 0.0]);

        assert_eq!(logits([0.5, -2.0, 0.0], Output::Logits), [0.5, -2.0, 0.0]);
        let votes = logits([0.75, 0.25, 0.0], Output::Probabilities);
        let p = softmax(votes);
        assert!((p[0] - 0.75).abs() < 1e-5 && p[2] > 0.0 && p[2] < 1.1e-6, "{p:?}");

        let tie = prediction([0.45, 0.1, 0.45], [-4.0, 0.0, 6.0], Some(2.0));
        assert_eq!((tie.dir, tie.conf, tie.vol), (Some(0.0), Some(0.45), Some(2.0)));
        assert!((tie.expected_move.expect("there") - 0.9).abs() < 1e-6);
        assert_eq!(prediction([0.5, 0.3, 0.2], [0.0; 3], None).dir, Some(-1.0));
    }
}
