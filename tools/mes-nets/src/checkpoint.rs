//! A training under way as a file: written after each epoch, so that `--resume` goes on as if it had never stopped.

use std::{fs, path::Path};

use mes_pipe::{Error, Result, fitting::Said, write::atomically};
use serde::{Deserialize, Serialize};

use crate::{Tell, adamw::AdamW};

/// Where a fit keeps what it has.
#[derive(Clone, Copy)]
pub struct Checkpoint<'a> {
    pub path: &'a Path,
    /// Whether to go on from what is there.
    pub resume: bool,
    /// Of rows, settings and programs: a checkpoint of anything else is refused.
    pub hash: &'a str,
}

/// All that an epoch leaves to the next. What is random follows from seed and epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Of rows and settings.
    hash: String,
    /// Epochs done.
    pub epoch: u32,
    pub weights: Vec<Vec<f32>>,
    pub adam: AdamW,
    pub best: Best,
}

/// The epoch of the least loss on the validation rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Best {
    pub epoch: u32,
    pub loss: Option<f64>,
    pub weights: Vec<Vec<f32>>,
}

impl State {
    /// Begins, or goes on from the checkpoint where that was asked for and there is one.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] when it is torn, [`Error::Usage`] when it is of something else.
    pub fn begin(weights: Vec<Vec<f32>>, checkpoint: Checkpoint, tell: Tell) -> Result<State> {
        let adam = AdamW::new(&weights);
        let best = Best { epoch: 0, loss: None, weights: weights.clone() };
        let fresh = State { hash: checkpoint.hash.to_owned(), epoch: 0, weights, adam, best };
        let path = checkpoint.path.display();
        if !checkpoint.resume {
            left_behind(checkpoint, tell)?;
            return Ok(fresh);
        }
        let Ok(bytes) = fs::read(checkpoint.path) else {
            tell(Said::Note(format!("{path} cannot be read: begun anew")))?;
            return Ok(fresh);
        };
        let state: State = serde_json::from_slice(&bytes)
            .map_err(|error| Error::data(format!("{path}: not a whole checkpoint ({error}): remove it")))?;
        let sizes = |weights: &[Vec<f32>]| weights.iter().map(Vec::len).collect::<Vec<_>>();
        let fits = |weights: &[Vec<f32>]| sizes(weights) == sizes(&fresh.weights);
        if state.hash != fresh.hash
            || !fits(&state.weights)
            || !fits(&state.best.weights)
            || !state.adam.fits(&fresh.weights)
        {
            return Err(Error::usage(format!(
                "{path} is of other rows or settings: give those it was made with, or leave out --resume"
            )));
        }
        tell(Said::Note(format!("{path}: going on after epoch {}", state.epoch)))?;
        Ok(state)
    }

    /// Writes the checkpoint, whole or not at all.
    ///
    /// # Errors
    ///
    /// [`Error::Failed`] when the disk refuses.
    pub fn save(&self, checkpoint: Checkpoint) -> Result<()> {
        let bytes =
            serde_json::to_vec(self).map_err(|error| Error::failed(format!("checkpoint: {error}")))?;
        atomically(checkpoint.path, &bytes, |_| Ok(()))
    }
}

/// Says of a checkpoint that a fresh start writes over what is lost by it.
fn left_behind(checkpoint: Checkpoint, tell: Tell) -> Result<()> {
    let Some(words) = lost(checkpoint) else { return Ok(()) };
    let path = checkpoint.path.display();
    tell(Said::Note(format!("{path}: {words}; the first epoch of this fit writes over it")))
}

fn lost(checkpoint: Checkpoint) -> Option<String> {
    let bytes = fs::read(checkpoint.path).ok()?;
    Some(match serde_json::from_slice::<State>(&bytes) {
        Ok(state) if state.hash == checkpoint.hash => {
            format!("a checkpoint of this very fit after epoch {}, from which --resume goes on", state.epoch)
        }
        Ok(state) => format!(
            "a checkpoint of other rows or settings after epoch {}; --resume with those goes on from it, and another \
             --out leaves it alone",
            state.epoch
        ),
        Err(_) => "no whole checkpoint".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(weights: Vec<Vec<f32>>, checkpoint: Checkpoint) -> Result<State> {
        State::begin(weights, checkpoint, &mut |_| Ok(()))
    }

    #[test]
    fn reads_back_to_the_bit_and_refuses_what_is_of_something_else() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("m.onnx.checkpoint");
        let checkpoint = Checkpoint { path: &path, resume: true, hash: "h" };
        let weights = vec![vec![0.1_f32, 1e-30, -3.3e7], vec![1.0 / 3.0]];
        let mut state = begin(weights.clone(), checkpoint).expect("begins anew");
        assert_eq!(state.epoch, 0);
        (state.epoch, state.best.loss) = (3, Some(0.1 + 0.2));
        state.adam.step(&mut state.weights, &weights, &[true, false], (0.1, 0.1));
        state.save(checkpoint).expect("saves");
        assert_eq!(begin(weights.clone(), checkpoint).expect("goes on"), state);
        let anew = Checkpoint { resume: false, ..checkpoint };
        assert_eq!(begin(weights.clone(), anew).expect("begins").epoch, 0);
        let words = |checkpoint| lost(checkpoint).expect("there");
        assert!(words(anew).contains("this very fit after epoch 3, from which --resume goes on"));
        assert!(words(Checkpoint { hash: "other", ..anew }).contains("other rows or settings after epoch 3"));
        assert_eq!(lost(Checkpoint { path: folder.path(), ..anew }), None);

        let code = |weights, checkpoint| begin(weights, checkpoint).expect_err("refused").code();
        assert_eq!(code(weights.clone(), Checkpoint { hash: "other", ..checkpoint }), 2);
        assert_eq!(code(vec![vec![0.0; 3]], checkpoint), 2);
        let whole = fs::read(&path).expect("reads");
        fs::write(&path, &whole[..whole.len() / 2]).expect("writes");
        assert_eq!(code(weights, checkpoint), 3);
    }
}
