//! Fits a net: weighted cross-entropy, samples shuffled by the seed, AdamW under a schedule, clipped gradients, until the
//! validation rows say that it is enough.

use candle_core::{Device, Tensor};
use libm::log;
use mes_pipe::{Error, Result, log::note};
use mes_predict::model::{card, head::softmax};
use mes_train::{
    dice,
    family::Checkpoint,
    nets::wire::{Answer, Request, Weights as Named},
    options::{Options, set},
    progress::{Progress, Steps},
    sample::Slice,
};

use crate::{
    Build, Candle, Net, Size,
    adamw::clip,
    broken,
    checkpoint::State,
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
    train: Slice<'a>,
    validation: Slice<'a>,
    class_weights: [f64; 3],
    seed: u64,
    options: &'a Options,
    batch: usize,
    /// Steps of all epochs.
    total: u64,
}

/// Fits a net of what `build` builds and returns its weights, and what it says of every sample.
pub fn fit(request: &Request, build: Build, quiet: bool) -> Result<Answer> {
    let (matrix, options) = (&request.matrix, &request.options);
    let mut weights = Weights::new(request.seed);
    let size = Size { width: matrix.width, window: matrix.window, options };
    let net = build(&mut weights, &size).map_err(broken)?;
    let (epochs, batch) = (set(options.epochs), set(options.batch) as usize);
    let batches = request.train.len().div_ceil(batch);
    let training = Training {
        net,
        weights,
        train: matrix.slice(request.train.clone()),
        validation: matrix.slice(request.validation.clone()),
        class_weights: request.class_weights,
        seed: request.seed,
        options,
        batch,
        total: u64::from(epochs) * batches as u64,
    };

    // Another build of this program may round otherwise.
    let hash = mes_pipe::hash(format!("{} {}", request.hash, card::code_hash()?).as_bytes());
    let checkpoint = Checkpoint { path: &request.checkpoint, resume: request.resume, hash: &hash };
    let mut state = State::begin(training.weights.values(), checkpoint)?;
    training.weights.set(&state.weights).map_err(broken)?;
    let steps = Progress::new(quiet).begin(training.total as usize, state.epoch as usize * batches);
    while state.epoch < epochs && state.epoch - state.best.epoch < set(options.patience) {
        training.epoch(&mut state, &steps)?;
        state.save(checkpoint)?;
    }
    drop(steps);
    training.weights.set(&state.best.weights).map_err(broken)?;
    let (done, best) = (state.epoch, &state.best);
    let loss = best.loss.unwrap_or(f64::NAN);
    note(format!("{done} epochs of at most {epochs}; validation loss {loss:.5} after epoch {}", best.epoch));
    let logits = training.logits(&matrix.slice(0..matrix.ends.len()))?.into_iter().flatten().collect();
    Ok(Answer::Fitted { weights: Named(training.weights.named()), logits })
}

impl Training<'_> {
    /// Goes once over the training samples and judges what came of it.
    fn epoch(&self, state: &mut State, steps: &Steps) -> Result<()> {
        let seed = dice::seed(self.seed, SHUFFLE + u64::from(state.epoch));
        let order = dice::order(seed, self.train.len());
        let (mut sum, before) = (0.0, state.best.loss);
        for (index, places) in order.chunks(self.batch).enumerate() {
            let loss = self.step(state, places)?;
            if !loss.is_finite() {
                return Err(Error::failed(format!(
                    "epoch {}, step {}: the loss is {loss}: try a smaller --learning-rate than {:?}",
                    state.epoch + 1,
                    state.adam.step,
                    set(self.options.learning_rate),
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
        let loss = self.judge(&self.validation)?;
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
        let rate = set(self.options.learning_rate) * schedule::share(state.adam.step + 1, self.total);
        let pulled: Vec<_> = self.weights.vars().iter().map(|var| var.dims().len() > 1).collect();
        let decay = set(self.options.weight_decay);
        state.adam.step(&mut state.weights, &gradients, &pulled, (rate, decay));
        self.weights.set(&state.weights).map_err(broken)?;
        Ok(loss)
    }

    /// Computes the weighted mean cross-entropy of the training samples at `places` and its gradients.
    fn gradients(&self, places: &[u32]) -> Candle<(f64, Vec<Vec<f32>>)> {
        let logits = self.forward(&self.train, places)?;
        let mut weights = vec![0.0_f32; places.len() * 3];
        for (row, &place) in weights.as_chunks_mut::<3>().0.iter_mut().zip(places) {
            let class = usize::from(self.train.labels[place as usize]);
            row[class] = self.class_weights[class] as f32;
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

    /// Computes the logits `[places, 3]` of the samples at `places`.
    fn forward(&self, samples: &Slice, places: &[u32]) -> Candle<Tensor> {
        let values: Vec<f32> =
            places.iter().flat_map(|&place| samples.values(place as usize)).copied().collect();
        let (batch, window, width) = (places.len(), samples.window, samples.width);
        let x = match window {
            1 => Tensor::from_vec(values, (batch, width), &Device::Cpu)?,
            _ => Tensor::from_vec(values, (batch, window, width), &Device::Cpu)?,
        };
        self.net.forward(&x)
    }

    /// Computes the logits of each sample.
    fn logits(&self, samples: &Slice) -> Result<Vec<Vec<f32>>> {
        let places: Vec<u32> = (0..samples.len() as u32).collect();
        let mut all = Vec::with_capacity(places.len());
        for chunk in places.chunks(CHUNK) {
            let logits = self.forward(samples, chunk).and_then(|logits| logits.to_vec2::<f32>());
            all.append(&mut logits.map_err(broken)?);
        }
        Ok(all)
    }

    /// Computes the weighted mean cross-entropy of samples, nats, before the market's odds are put back.
    fn judge(&self, samples: &Slice) -> Result<f64> {
        let (mut sum, mut weight) = (0.0, 0.0);
        for (logits, &label) in self.logits(samples)?.iter().zip(samples.labels) {
            let class = usize::from(label);
            let z = std::array::from_fn(|class| f64::from(logits[class]));
            let w = self.class_weights[class];
            sum -= w * log(softmax(z)[class].max(1e-300));
            weight += w;
        }
        Ok(sum / weight)
    }
}
