//! How far a fit is: steps, loss and time left, on stderr where a person looks.

use std::io::{IsTerminal, stderr};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Shows a bar on a terminal, and nothing elsewhere.
pub struct Progress {
    shown: bool,
}

/// A fit under way. The bar goes when this does.
pub struct Steps(ProgressBar);

impl Progress {
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
        Steps(bar)
    }
}

impl Steps {
    /// Counts one step and says what it came to, such as a loss.
    pub fn step(&self, message: impl Into<String>) {
        self.0.set_message(message.into());
        self.0.inc(1);
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
