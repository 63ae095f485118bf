//! Trains a net: weighted cross-entropy, samples shuffled by the seed, AdamW under a schedule, clipped gradients, until
//! the validation rows say that it is enough.

use candle_core::{Device, Tensor};
use libm::log;
use mes_pipe::{Error, Result, log::note};
use mes_predict::model::head::softmax;

use super::{
    Candle, Net, Network, Size,
    adamw::clip,
    broken,
    checkpoint::State,
    layers::log_softmax,
    schedule,
    weights::{Weights, values},
};
use crate::{
    dice,
    family::{Fitted, Task},
    options::set,
    progress::Steps,
    sample::Slice,
    scaler::Scaler,
};

/// The longest step of the gradients together.
const LONGEST: f64 = 1.0;
/// Keys of chance: weights have the small numbers.
const SHUFFLE: u64 = 1 << 32;

/// A fit under way.
struct Training<'a> {
    task: &'a Task<'a>,
    network: Network,
    weights: Weights,
    batch: usize,
    /// Steps of all epochs.
    total: u64,
}

/// Builds a net by its weights and trains it.
pub fn fit(
    task: &Task,
    build: impl Fn(&mut Weights, &Size) -> Candle<Box<dyn Net>>,
) -> Result<Box<dyn Fitted>> {
    let mut weights = Weights::new(task.seed);
    let size = Size { width: task.train.width, window: task.train.window, options: task.options };
    let net = build(&mut weights, &size).map_err(broken)?;
    let offset = task.class_weights.map(|weight| log(weight) as f32);
    let network = Network { net, scaler: Scaler::fit(&task.train), offset };
    let (epochs, batch) = (set(task.options.epochs), set(task.options.batch) as usize);
    let batches = task.train.len().div_ceil(batch);
    let total = u64::from(epochs) * batches as u64;
    let training = Training { task, network, weights, batch, total };

    let mut state = State::begin(training.weights.values(), task.checkpoint)?;
    training.weights.set(&state.weights).map_err(broken)?;
    let steps = task.progress.begin(total as usize, state.epoch as usize * batches);
    while state.epoch < epochs && state.epoch - state.best.epoch < set(task.options.patience) {
        training.epoch(&mut state, &steps)?;
        state.save(task.checkpoint)?;
    }
    drop(steps);
    training.weights.set(&state.best.weights).map_err(broken)?;
    let (done, best) = (state.epoch, &state.best);
    let loss = best.loss.unwrap_or(f64::NAN);
    note(format!("{done} epochs of at most {epochs}; validation loss {loss:.5} after epoch {}", best.epoch));
    Ok(Box::new(training.network))
}

impl Training<'_> {
    /// Goes once over the training samples and judges what came of it.
    fn epoch(&self, state: &mut State, steps: &Steps) -> Result<()> {
        let seed = dice::seed(self.task.seed, SHUFFLE + u64::from(state.epoch));
        let order = dice::order(seed, self.task.train.len());
        let (mut sum, before) = (0.0, state.best.loss);
        for (index, places) in order.chunks(self.batch).enumerate() {
            let loss = self.step(state, places)?;
            if !loss.is_finite() {
                return Err(Error::failed(format!(
                    "epoch {}, step {}: the loss is {loss}: try a smaller --learning-rate than {:?}",
                    state.epoch + 1,
                    state.adam.step,
                    set(self.task.options.learning_rate),
                )));
            }
            sum += loss;
            let mean = sum / (index + 1) as f64;
            let epoch = state.epoch + 1;
            steps.step(match before {
                None => format!("epoch {epoch}, loss {mean:.4}"),
                Some(best) => format!("epoch {epoch}, loss {mean:.4}, best validation {best:.4}"),
            });
        }
        state.epoch += 1;
        let loss = self.judge(&self.task.validation)?;
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
        let options = self.task.options;
        let rate = set(options.learning_rate) * schedule::share(state.adam.step + 1, self.total);
        let pulled: Vec<_> = self.weights.vars().iter().map(|var| var.dims().len() > 1).collect();
        let decay = set(options.weight_decay);
        state.adam.step(&mut state.weights, &gradients, &pulled, (rate, decay));
        self.weights.set(&state.weights).map_err(broken)?;
        Ok(loss)
    }

    /// Computes the weighted mean cross-entropy of the samples at `places` and its gradients.
    fn gradients(&self, places: &[u32]) -> Candle<(f64, Vec<Vec<f32>>)> {
        let logits = self.network.forward(&self.task.train, places)?;
        let mut weights = vec![0.0_f32; places.len() * 3];
        for (row, &place) in weights.as_chunks_mut::<3>().0.iter_mut().zip(places) {
            let class = usize::from(self.task.train.labels[place as usize]);
            row[class] = self.task.class_weights[class] as f32;
        }
        let sum: f64 = weights.iter().copied().map(f64::from).sum();
        let weights = Tensor::from_vec(weights, (places.len(), 3), &Device::Cpu)?;
        let loss = ((log_softmax(&logits)? * weights)?.sum_all()? * (-1.0 / sum))?;
        let store = loss.backward()?;
        let gradients = self.weights.vars().iter().map(|var| match store.get(var.as_tensor()) {
            Some(gradient) => values(gradient),
            None => vec![0.0; var.elem_count()],
        });
        Ok((f64::from(loss.to_scalar::<f32>()?), gradients.collect()))
    }

    /// Computes the weighted mean cross-entropy of samples, nats.
    fn judge(&self, samples: &Slice) -> Result<f64> {
        let (mut sum, mut weight) = (0.0, 0.0);
        for (values, &label) in self.network.values(samples)?.into_iter().zip(samples.labels) {
            let class = usize::from(label);
            // As the training sees it: before the market's odds are put back.
            let z = std::array::from_fn(|class| values[class] + f64::from(self.network.offset[class]));
            let w = self.task.class_weights[class];
            sum -= w * log(softmax(z)[class].max(1e-300));
            weight += w;
        }
        Ok(sum / weight)
    }
}
