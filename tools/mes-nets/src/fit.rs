//! Fits a net: weighted cross-entropy, samples shuffled by the seed, AdamW under a schedule, clipped gradients, until the
//! validation rows say that it is enough.

use std::ops::Range;

use candle_core::Tensor;
use libm::log;
use mes_core::{prediction::softmax, throws};
use mes_pipe::{
    Error, Result,
    fitting::{Matrix, Order, Said},
};

use crate::{
    Build, Candle, Net, Size, Tell,
    adamw::clip,
    broken,
    checkpoint::{Checkpoint, State},
    device,
    layers::log_softmax,
    schedule,
    weights::{Weights, values},
};

/// The longest step of the gradients together.
const LONGEST: f64 = 1.0;
/// Keys of chance: weights have the small numbers.
const SHUFFLE: u64 = 1 << 32;
/// Samples that are run at once outside of training.
const CHUNK: usize = 512;

/// A fit under way.
struct Training<'a> {
    net: Box<dyn Net>,
    weights: Weights,
    order: &'a Order,
    matrix: &'a Matrix,
    batch: usize,
    /// Steps of all epochs.
    total: u64,
}

/// Fits a net that `build` builds and returns its weights and what it says of every sample; `code` is the hash of this
/// program's sources.
///
/// # Errors
///
/// [`Error::Failed`] when the loss is no number any more, or the disk refuses a checkpoint; those of [`device::open`] and
/// [`State::begin`].
pub fn fit(order: &Order, matrix: &Matrix, build: Build, code: &str, tell: Tell) -> Result<Said> {
    let mut weights = Weights::new(order.seed, device::open(order.device)?);
    let size = Size { width: matrix.width, window: matrix.window, hidden: order.hidden as usize };
    let net = build(&mut weights, &size).map_err(broken)?;
    let batch = order.batch as usize;
    let batches = order.train.len().div_ceil(batch);
    let total = u64::from(order.epochs) * batches as u64;
    let training = Training { net, weights, order, matrix, batch, total };

    // Other code of this program may round otherwise.
    let hash = mes_pipe::hash(format!("{} {code}", order.hash).as_bytes());
    let checkpoint = Checkpoint { path: &order.checkpoint, resume: order.resume, hash: &hash };
    let mut state = State::begin(training.weights.values(), checkpoint, tell)?;
    training.weights.set(&state.weights).map_err(broken)?;
    tell(Said::Begins { total: total as usize, done: state.epoch as usize * batches })?;
    while state.epoch < order.epochs && state.epoch - state.best.epoch < order.patience {
        training.epoch(&mut state, tell)?;
        state.save(checkpoint)?;
    }
    training.weights.set(&state.best.weights).map_err(broken)?;
    let (done, most, best) = (state.epoch, order.epochs, &state.best);
    let loss = best.loss.unwrap_or(f64::NAN);
    tell(Said::Note(format!(
        "{done} epochs of at most {most}; validation loss {loss:.5} after epoch {}",
        best.epoch
    )))?;
    let logits = training.logits(0..matrix.samples())?;
    let (weights, samples) = (training.weights.named(), matrix.samples());
    Ok(Said::Fitted { weights, samples, code: code.into(), logits })
}

impl Training<'_> {
    /// Goes once over the training samples and judges what came of it.
    fn epoch(&self, state: &mut State, tell: Tell) -> Result<()> {
        let seed = throws::seed(self.order.seed, SHUFFLE + u64::from(state.epoch));
        let order = throws::order(seed, self.order.train.len());
        let (mut sum, before) = (0.0, state.best.loss);
        for (index, places) in order.chunks(self.batch).enumerate() {
            let loss = self.step(state, places)?;
            if !loss.is_finite() {
                return Err(Error::failed(format!(
                    "epoch {}, step {}: the loss is {loss}: try a smaller --learning-rate than {:?}",
                    state.epoch + 1,
                    state.adam.step,
                    self.order.learning_rate,
                )));
            }
            sum += loss;
            let mean = sum / (index + 1) as f64;
            let epoch = state.epoch + 1;
            tell(Said::Step(match before {
                None => format!("epoch {epoch}, loss {mean:.4}"),
                Some(best) => format!("epoch {epoch}, loss {mean:.4}, best validation {best:.4}"),
            }))?;
        }
        state.epoch += 1;
        let loss = self.judge(self.order.validation.clone())?;
        if state.best.loss.is_none_or(|best| loss < best) {
            (state.best.epoch, state.best.loss) = (state.epoch, Some(loss));
            state.best.weights.clone_from(&state.weights);
        }
        Ok(())
    }

    /// Takes one step by the samples at `places` and returns their loss before it.
    fn step(&self, state: &mut State, places: &[u32]) -> Result<f64> {
        let (loss, mut gradients) = self.gradients(places).map_err(broken)?;
        // A gradient that is no number would make weights of its kind; the loss says it first, but not always.
        if !clip(&mut gradients, LONGEST).is_finite() {
            return Ok(f64::NAN);
        }
        let rate = self.order.learning_rate * schedule::share(state.adam.step + 1, self.total);
        let pulled: Vec<_> = self.weights.vars().iter().map(|var| var.dims().len() > 1).collect();
        state.adam.step(&mut state.weights, &gradients, &pulled, (rate, self.order.weight_decay));
        self.weights.set(&state.weights).map_err(broken)?;
        Ok(loss)
    }

    /// Computes the weighted mean cross-entropy of the training samples at `places` and its gradients.
    fn gradients(&self, places: &[u32]) -> Candle<(f64, Vec<Vec<f32>>)> {
        let samples: Vec<usize> =
            places.iter().map(|&place| self.order.train.start + place as usize).collect();
        let logits = self.forward(&samples)?;
        let mut weights = vec![0.0_f32; places.len() * 3];
        for (row, &sample) in weights.as_chunks_mut::<3>().0.iter_mut().zip(&samples) {
            let class = usize::from(self.matrix.labels[sample]);
            row[class] = self.order.class_weights[class] as f32;
        }
        let sum: f64 = weights.iter().copied().map(f64::from).sum();
        let weights = Tensor::from_vec(weights, (places.len(), 3), self.weights.device())?;
        let loss = ((log_softmax(&logits)? * weights)?.sum_all()? * (-1.0 / sum))?;
        let store = loss.backward()?;
        let gradients = self.weights.vars().iter().map(|var| match store.get(var.as_tensor()) {
            Some(gradient) => values(gradient),
            None => vec![0.0; var.elem_count()],
        });
        Ok((f64::from(loss.to_scalar::<f32>()?), gradients.collect()))
    }

    /// Computes the logits `[samples, 3]` of some samples.
    fn forward(&self, samples: &[usize]) -> Candle<Tensor> {
        let Matrix { width, window, .. } = *self.matrix;
        let values: Vec<f32> =
            samples.iter().flat_map(|&sample| self.matrix.values(sample)).copied().collect();
        let x = match window {
            1 => Tensor::from_vec(values, (samples.len(), width), self.weights.device())?,
            _ => Tensor::from_vec(values, (samples.len(), window, width), self.weights.device())?,
        };
        self.net.forward(&x)
    }

    /// Computes the logits of each sample of a range, three after three.
    fn logits(&self, samples: Range<usize>) -> Result<Vec<f32>> {
        let mut all = Vec::with_capacity(3 * samples.len());
        let samples: Vec<usize> = samples.collect();
        for chunk in samples.chunks(CHUNK) {
            all.append(&mut values(&self.forward(chunk).map_err(broken)?));
        }
        Ok(all)
    }

    /// Computes the weighted mean cross-entropy of samples, nats, before the market's odds are put back.
    fn judge(&self, samples: Range<usize>) -> Result<f64> {
        let (mut sum, mut weight) = (0.0, 0.0);
        let labels = &self.matrix.labels[samples.clone()];
        for (logits, &label) in self.logits(samples)?.as_chunks::<3>().0.iter().zip(labels) {
            let class = usize::from(label);
            let w = self.order.class_weights[class];
            sum -= w * log(softmax(logits.map(f64::from))[class].max(1e-300));
            weight += w;
        }
        Ok(sum / weight)
    }
}
