//! Multinomial logistic regression, fitted by linfa (L-BFGS, L2 penalty ½‖w‖²).
//!
//! linfa knows no weights. A balanced fit therefore repeats and drops rows until the classes are of one size, then
//! takes ln(weight) off each intercept (King and Zeng 2001): the rare classes get their say in the slopes, while the
//! probabilities stay those of the market and not of the resample.

use clap::Args;
use libm::log;
use linfa::{DatasetBase, traits::Fit};
use linfa_logistic::MultiLogisticRegression;
use mes_pipe::{Error, Result};
use ndarray::{Array1, Array2};
use serde::Serialize;

use crate::{
    family::{Cost, Fitted, Shape, Task, Trainer},
    onnx::Graph,
    sample::Slice,
    scaler::Scaler,
};

const MAX_ITERATIONS: u64 = 200;
/// Where the fit stops: the gradient's length per row.
const GRADIENT_PER_ROW: f64 = 1e-6;

/// The options of logistic regression: none.
#[derive(Args, Serialize)]
pub struct Options {}

impl Trainer for Options {
    /// Rows as f64, twice while linfa copies them; 0.93 µs a value, measured.
    fn cost(&self, shape: &Shape) -> Cost {
        let values = (shape.samples * shape.width) as f64;
        Cost { bytes: values * 16.0, seconds: values * 0.93e-6 }
    }

    fn fit(&self, task: &Task) -> Result<Box<dyn Fitted>> {
        Ok(Box::new(fit(task)?))
    }
}

struct Logistic {
    scaler: Scaler,
    /// `[width, 3]`, row by row.
    weights: Vec<f32>,
    bias: [f32; 3],
}

/// Fits weights to the scaled rows, in `f64`.
///
/// # Errors
///
/// [`Error::Failed`] when linfa does not converge, or a weight is no number.
fn fit(task: &Task) -> Result<Logistic> {
    let width = task.train.width;
    let scaler = Scaler::fit(&task.train);
    let chosen = resample(task.train.labels, task.class_weights);
    let mut values = Vec::with_capacity(chosen.len() * width);
    for &row in &chosen {
        values.extend(scaler.apply(task.train.values(row)).map(f64::from));
    }
    let failed = |error: &dyn std::fmt::Display| Error::failed(format!("the fit failed: {error}"));
    let records = Array2::from_shape_vec((chosen.len(), width), values).map_err(|error| failed(&error))?;
    let targets: Array1<usize> = chosen.iter().map(|&row| usize::from(task.train.labels[row])).collect();
    let fitted = MultiLogisticRegression::default()
        .max_iterations(MAX_ITERATIONS)
        .gradient_tolerance(GRADIENT_PER_ROW * chosen.len() as f64)
        .fit(&DatasetBase::new(records, targets))
        .map_err(|error| failed(&error))?;
    if fitted.classes() != [0, 1, 2] {
        return Err(Error::failed(format!("the fit knows only the classes {:?}", fitted.classes())));
    }
    let weights: Vec<f32> = fitted.params().iter().map(|w| *w as f32).collect();
    let intercept = fitted.intercept();
    let bias = std::array::from_fn(|class| (intercept[class] - log(task.class_weights[class])) as f32);
    if let Some(weight) = weights.iter().chain(&bias).find(|weight| !weight.is_finite()) {
        return Err(failed(&format!(
            "a weight is {weight}: look at the features with mes-features describe"
        )));
    }
    Ok(Logistic { scaler, weights, bias })
}

/// Chooses rows so that the classes weigh what they should: row i of a class of weight w is taken
/// ⌊w·(i+1)⌋ − ⌊w·i⌋ times.
fn resample(labels: &[u8], weights: [f64; 3]) -> Vec<usize> {
    let mut seen = [0.0_f64; 3];
    let mut chosen = Vec::with_capacity(labels.len() + 3);
    for (row, &label) in labels.iter().enumerate() {
        let class = usize::from(label);
        let copies = (weights[class] * (seen[class] + 1.0)).floor() - (weights[class] * seen[class]).floor();
        seen[class] += 1.0;
        chosen.extend(std::iter::repeat_n(row, copies as usize));
    }
    chosen
}

impl Logistic {
    fn logits(&self, row: &[f32]) -> [f64; 3] {
        let mut logits = self.bias.map(f64::from);
        for (x, weights) in self.scaler.apply(row).zip(self.weights.as_chunks::<3>().0) {
            logits.iter_mut().zip(weights).for_each(|(sum, w)| *sum += f64::from(x) * f64::from(*w));
        }
        logits
    }
}

impl Fitted for Logistic {
    fn values(&self, samples: &Slice) -> Result<Vec<[f64; 3]>> {
        Ok(samples.iter().map(|row| self.logits(row)).collect())
    }

    fn write(&self, graph: &mut Graph, input: &str) -> String {
        let scaled = self.scaler.write(graph, input);
        let weights = graph.tensor("weights", &[self.weights.len() / 3, 3], &self.weights);
        let bias = graph.tensor("bias", &[3], &self.bias);
        graph.node("Gemm", &[&scaled, &weights, &bias], "logits")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        family::{balance, count, tests::task},
        sample::tests::sample,
    };

    #[test]
    fn a_balanced_fit_takes_classes_alike_and_keeps_their_odds() {
        // One feature that means nothing; 80 % flat.
        let labels: Vec<u8> =
            (0..3000_u32).map(|row| [0, 1, 1, 1, 1, 1, 1, 1, 1, 2][row as usize % 10]).collect();
        let rows: Vec<f32> = (0..3000_u32).map(|row| ((row * 7919 % 1009) as f32 - 504.0) / 300.0).collect();
        let chosen = resample(&labels, balance(&labels));
        let taken: Vec<u8> = chosen.iter().map(|&row| labels[row]).collect();
        assert!(count(&taken).iter().all(|there| there.abs_diff(1000) <= 1), "{:?}", count(&taken));
        assert_eq!(resample(&labels, [1.0; 3]), (0..3000).collect::<Vec<_>>());

        let sample = sample(1, &rows, &labels);
        let middle = crate::sample::tests::sample(1, &[0.0], &[1]);
        for class_weights in [[1.0; 3], balance(&labels)] {
            let train = sample.slice(0..3000);
            let fitted = fit(&Task { class_weights, ..task(train, train) }).expect("fits");
            let values = fitted.values(&middle.slice(0..1)).expect("runs");
            let p = mes_core::prediction::softmax(values[0]);
            assert!((p[1] - 0.8).abs() < 0.01 && (p[0] - 0.1).abs() < 0.01, "{p:?}");
        }
    }
}
