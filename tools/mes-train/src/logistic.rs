//! Multinomial logistic regression, fitted by linfa (L-BFGS, L2 penalty ½‖w‖²).
//!
//! linfa knows no weights. A balanced fit therefore repeats and drops rows until the classes are of one size, then
//! takes ln(weight) off each intercept (King and Zeng 2001): the rare classes get their say in the slopes, while the
//! probabilities stay those of the market and not of the resample.

use libm::log;
use linfa::{DatasetBase, traits::Fit};
use linfa_logistic::MultiLogisticRegression;
use mes_pipe::{Error, Result};
use ndarray::{Array1, Array2};

use crate::{
    family::{Fitted, Task, count},
    onnx::Graph,
};

const MAX_ITERATIONS: u64 = 200;
/// Where the fit stops: the gradient's length per row.
const GRADIENT_PER_ROW: f64 = 1e-6;

struct Logistic {
    /// `[width, 3]`, row by row.
    weights: Vec<f32>,
    bias: [f32; 3],
}

pub fn fit(task: &Task) -> Result<Box<dyn Fitted>> {
    let (chosen, weights) =
        if task.balanced { resample(task) } else { ((0..task.labels.len()).collect(), [1.0; 3]) };
    let records = Array2::from_shape_fn((chosen.len(), task.width), |(row, column)| {
        f64::from(task.rows[chosen[row] * task.width + column])
    });
    let targets: Array1<usize> = chosen.iter().map(|&row| usize::from(task.labels[row])).collect();
    let rows = chosen.len() as f64;
    let failed = |error: linfa_logistic::error::Error| Error::failed(format!("the fit failed: {error}"));
    let fitted = MultiLogisticRegression::default()
        .max_iterations(MAX_ITERATIONS)
        .gradient_tolerance(GRADIENT_PER_ROW * rows)
        .fit(&DatasetBase::new(records, targets))
        .map_err(failed)?;
    if fitted.classes() != [0, 1, 2] {
        return Err(Error::failed(format!("the fit knows only the classes {:?}", fitted.classes())));
    }
    let bias = std::array::from_fn(|class| (fitted.intercept()[class] - log(weights[class])) as f32);
    Ok(Box::new(Logistic { weights: fitted.params().iter().map(|w| *w as f32).collect(), bias }))
}

/// Chooses rows so that the classes are of about one size: row i of a class of weight w is taken ⌊w·(i+1)⌋ − ⌊w·i⌋
/// times. Returns them with the weights.
fn resample(task: &Task) -> (Vec<usize>, [f64; 3]) {
    let rows = task.labels.len() as f64;
    let weights = count(task.labels).map(|there| rows / (3.0 * there as f64));
    let mut seen = [0.0_f64; 3];
    let mut chosen = Vec::with_capacity(task.labels.len() + 3);
    for (row, &label) in task.labels.iter().enumerate() {
        let class = usize::from(label);
        let copies = (weights[class] * (seen[class] + 1.0)).floor() - (weights[class] * seen[class]).floor();
        seen[class] += 1.0;
        chosen.extend(std::iter::repeat_n(row, copies as usize));
    }
    (chosen, weights)
}

impl Fitted for Logistic {
    fn logits(&self, row: &[f32]) -> [f64; 3] {
        let mut logits = self.bias.map(f64::from);
        for (x, weights) in row.iter().zip(self.weights.as_chunks::<3>().0) {
            logits.iter_mut().zip(weights).for_each(|(sum, w)| *sum += f64::from(*x) * f64::from(*w));
        }
        logits
    }

    fn write(&self, graph: &mut Graph, input: &str) -> String {
        let weights = graph.tensor("weights", &[self.weights.len() / 3, 3], &self.weights);
        let bias = graph.tensor("bias", &[3], &self.bias);
        graph.node("Gemm", &[input, &weights, &bias], "logits")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_balanced_fit_takes_classes_alike_and_keeps_their_odds() {
        // One feature that means nothing; 80 % flat.
        let labels: Vec<u8> =
            (0..3000_u32).map(|row| [0, 1, 1, 1, 1, 1, 1, 1, 1, 2][row as usize % 10]).collect();
        let rows: Vec<f32> = (0..3000_u32).map(|row| ((row * 7919 % 1009) as f32 - 504.0) / 300.0).collect();
        let task = Task { width: 1, rows: &rows, labels: &labels, balanced: true };
        let (chosen, _) = resample(&task);
        let taken: Vec<u8> = chosen.iter().map(|&row| labels[row]).collect();
        assert!(count(&taken).iter().all(|there| there.abs_diff(1000) <= 1), "{:?}", count(&taken));
        for balanced in [false, true] {
            let fitted = fit(&Task { balanced, ..task }).expect("fits");
            let p = mes_predict::model::head::softmax(fitted.logits(&[0.0]));
            assert!((p[1] - 0.8).abs() < 0.01 && (p[0] - 0.1).abs() < 0.01, "{p:?}");
        }
    }
}
