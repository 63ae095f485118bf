//! Puts every feature on one scale: (x − mean) / sd of the training samples. It becomes Sub and Div in the graph.

use crate::{onnx::Graph, sample::Slice};

#[derive(Clone, Debug, PartialEq)]
pub struct Scaler {
    mean: Vec<f32>,
    sd: Vec<f32>,
}

impl Scaler {
    /// Measures the samples' own rows. A feature that never changes is only centred.
    pub fn fit(samples: &Slice) -> Scaler {
        let (count, width) = (samples.len() as f64, samples.width);
        let own = || samples.iter().map(|window| &window[window.len() - width..]);
        let mut mean = vec![0.0_f64; width];
        for row in own() {
            mean.iter_mut().zip(row).for_each(|(sum, x)| *sum += f64::from(*x));
        }
        mean.iter_mut().for_each(|sum| *sum /= count);
        let mut variance = vec![0.0_f64; width];
        for row in own() {
            for ((sum, x), mean) in variance.iter_mut().zip(row).zip(&mean) {
                *sum += (f64::from(*x) - mean) * (f64::from(*x) - mean);
            }
        }
        let sd = variance.iter().map(|sum| (sum / count).sqrt() as f32);
        Scaler {
            mean: mean.iter().map(|mean| *mean as f32).collect(),
            sd: sd.map(|sd| if sd > 1e-6 { sd } else { 1.0 }).collect(),
        }
    }

    /// Scales rows that lie one after the other, in the arithmetic that the graph uses.
    pub fn apply<'a>(&'a self, rows: &'a [f32]) -> impl Iterator<Item = f32> + 'a {
        let scale = self.mean.iter().zip(&self.sd).cycle();
        rows.iter().zip(scale).map(|(x, (mean, sd))| (x - mean) / sd)
    }

    /// Adds itself to a graph and returns the name of the scaled rows.
    pub fn write(&self, graph: &mut Graph, input: &str) -> String {
        let width = self.mean.len();
        let mean = graph.tensor("mean", &[width], &self.mean);
        let sd = graph.tensor("sd", &[width], &self.sd);
        let centred = graph.node("Sub", &[input, &mean], "centred");
        graph.node("Div", &[&centred, &sd], "scaled")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::tests::sample;

    #[test]
    fn gives_mean_0_and_sd_1_and_leaves_a_constant_alone() {
        let scaler = Scaler::fit(&sample(2, &[1.0, 7.0, 3.0, 7.0], &[0, 1]).slice(0..2));
        let scaled: Vec<f32> = scaler.apply(&[1.0, 7.0, 3.0, 7.0, 5.0, 8.0]).collect();
        assert_eq!(scaled, [-1.0, 0.0, 1.0, 0.0, 3.0, 1.0]);
    }
}
