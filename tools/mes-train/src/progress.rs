//! How far a fit is: steps, loss and time left, on stderr.

use std::{
    io::{IsTerminal, stderr},
    sync::atomic::{AtomicU64, Ordering},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use mes_pipe::log::note;

use crate::estimate::span;

/// Seconds between two notes where there is no terminal.
const EVERY: u64 = 30;

/// Shows a bar on a terminal, and a note now and then elsewhere.
pub struct Progress {
    shown: bool,
}

/// A fit under way. The bar goes when this does.
pub struct Steps {
    bar: ProgressBar,
    /// Steps of earlier runs.
    done: usize,
    /// When the last note was made, in seconds; none are where the bar is.
    noted: Option<AtomicU64>,
}

impl Progress {
    /// Makes one; `quiet` shows nothing.
    pub fn new(quiet: bool) -> Progress {
        Progress { shown: !quiet && stderr().is_terminal() }
    }

    /// Begins with `total` steps to do, `done` of them earlier.
    pub fn begin(&self, total: usize, done: usize) -> Steps {
        let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr());
        if !self.shown {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len}  {msg}  {eta} left") {
            bar.set_style(style);
        }
        bar.set_position(done as u64);
        // So that the time left is that of this run.
        bar.reset_eta();
        let noted = (!stderr().is_terminal()).then(AtomicU64::default);
        Steps { bar, done, noted }
    }
}

impl Steps {
    /// Counts one step and says what it came to, such as a loss.
    pub fn step(&self, message: impl Into<String>) {
        let message = message.into();
        self.bar.inc(1);
        if self.noted.as_ref().is_some_and(|noted| due(noted, self.bar.elapsed().as_secs())) {
            note(self.words(&message));
        }
        self.bar.set_message(message);
    }

    /// Says how far it is, for a log.
    fn words(&self, message: &str) -> String {
        let (position, total) = (self.bar.position(), self.bar.length().unwrap_or_default());
        let here = position.saturating_sub(self.done as u64).max(1);
        let left = self.bar.elapsed().as_secs_f64() * total.saturating_sub(position) as f64 / here as f64;
        format!("step {position} of at most {total}: {message}; about {} left", span(left))
    }
}

/// Says whether it is time for a note, of one thread only.
fn due(noted: &AtomicU64, now: u64) -> bool {
    let last = noted.load(Ordering::Relaxed);
    now >= last + EVERY && noted.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
}

impl Drop for Steps {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_made_every_half_minute_at_most() {
        let noted = AtomicU64::new(0);
        let made: Vec<u64> = (0..100).filter(|now| due(&noted, *now)).collect();
        assert_eq!(made, [30, 60, 90]);
        let steps = Progress::new(true).begin(10, 4);
        steps.step("epoch 2, loss 0.5");
        let words = steps.words("epoch 2, loss 0.5");
        assert!(words.starts_with("step 5 of at most 10: epoch 2, loss 0.5; about "), "{words}");
    }
}
