//! How far a long file is read, for whoever waits: a bar on a terminal after two seconds, a line a minute elsewhere.

use std::{
    io::{IsTerminal, stderr, stdout},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::log;

/// What is done sooner needs no bar.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two lines where nobody sees a bar.
const EVERY: Duration = Duration::from_secs(60);

/// How far it is. The bar goes when this does.
pub struct Progress {
    bar: ProgressBar,
    shown: Shown,
}

enum Shown {
    Never,
    /// Once it has taken long enough.
    Bar {
        drawn: bool,
    },
    /// The next one then.
    Lines {
        due: Duration,
    },
}

impl Progress {
    /// Begins to read so many rows; shows nothing where their number is not known, since what waits for a market is
    /// not slow.
    pub fn begin(rows: u64, more_files: usize) -> Progress {
        let shown = match (rows, more_files) {
            _ if log::quiet() => Shown::Never,
            (0, _) | (_, 1..) => Shown::Never,
            _ if !stderr().is_terminal() => Shown::Lines { due: EVERY },
            // Rows on a terminal say enough themselves.
            _ if stdout().is_terminal() => Shown::Never,
            _ => Shown::Bar { drawn: false },
        };
        Progress { bar: ProgressBar::with_draw_target(Some(rows), ProgressDrawTarget::hidden()), shown }
    }

    /// Counts rows that are done with.
    pub fn add(&mut self, rows: u64) {
        if matches!(self.shown, Shown::Never) {
            return;
        }
        self.bar.inc(rows);
        let passed = self.bar.elapsed();
        match &mut self.shown {
            Shown::Bar { drawn } if !*drawn && passed >= PATIENCE => {
                *drawn = true;
                let style = ProgressStyle::with_template("{bar:40} {percent:>3} %  {per_sec}  {eta} left");
                if let Ok(style) = style {
                    self.bar.set_style(style);
                }
                self.bar.set_draw_target(ProgressDrawTarget::stderr());
            }
            Shown::Lines { due } if passed >= *due => {
                *due = passed + EVERY;
                log::note(self.words(passed));
            }
            _ => {}
        }
    }

    /// Takes the bar away.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }

    /// Says how far it is, for a log.
    fn words(&self, passed: Duration) -> String {
        let (done, rows) = (self.bar.position(), self.bar.length().unwrap_or_default());
        let left = passed.as_secs_f64() * rows.saturating_sub(done) as f64 / done.max(1) as f64;
        let percent = done * 100 / rows.max(1);
        format!("{done} of {rows} rows, {percent} %; about {:.0} min left", (left / 60.0).ceil())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_much_and_how_long() {
        let mut progress = Progress::begin(1000, 0);
        progress.shown = Shown::Lines { due: EVERY };
        progress.add(250);
        assert_eq!(progress.words(Duration::from_secs(60)), "250 of 1000 rows, 25 %; about 3 min left");
    }

    #[test]
    fn what_has_no_known_end_says_nothing() {
        assert!(matches!(Progress::begin(0, 0).shown, Shown::Never));
        assert!(matches!(Progress::begin(9, 1).shown, Shown::Never));
    }
}
