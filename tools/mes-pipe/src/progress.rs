//! How far something long is, for whoever waits: a bar on a terminal after two seconds, a line a minute elsewhere.

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
    /// What is counted.
    unit: &'static str,
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
    /// Begins with so many to do, such as `"trials"`; shows nothing where their number is not known (0), since what waits
    /// for a market is not slow.
    pub fn begin(count: u64, unit: &'static str) -> Progress {
        let shown = match count {
            _ if log::quiet() => Shown::Never,
            0 => Shown::Never,
            _ if !stderr().is_terminal() => Shown::Lines { due: EVERY },
            _ => Shown::Bar { drawn: false },
        };
        Progress {
            bar: ProgressBar::with_draw_target(Some(count), ProgressDrawTarget::hidden()),
            unit,
            shown,
        }
    }

    /// Begins what writes rows meanwhile: on a terminal they say enough themselves.
    pub fn beside_rows(count: u64, unit: &'static str) -> Progress {
        let shown = stderr().is_terminal() && stdout().is_terminal();
        Progress::begin(if shown { 0 } else { count }, unit)
    }

    /// Counts so many more that are done with.
    pub fn add(&mut self, count: u64) {
        if matches!(self.shown, Shown::Never) {
            return;
        }
        self.bar.inc(count);
        let passed = self.bar.elapsed();
        match &mut self.shown {
            Shown::Bar { drawn } if !*drawn && passed >= PATIENCE => {
                *drawn = true;
                let style = ProgressStyle::with_template(&format!(
                    "{{bar:40}} {{percent:>3}} % of {{len}} {}  {{eta}} left",
                    self.unit
                ));
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
        let (done, count) = (self.bar.position(), self.bar.length().unwrap_or_default());
        let left = passed.as_secs_f64() * count.saturating_sub(done) as f64 / done.max(1) as f64;
        let percent = done * 100 / count.max(1);
        format!("{done} of {count} {}, {percent} %; about {:.0} min left", self.unit, (left / 60.0).ceil())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_much_and_how_long() {
        let mut progress = Progress::begin(1000, "rows");
        progress.shown = Shown::Lines { due: EVERY };
        progress.add(250);
        assert_eq!(progress.words(Duration::from_secs(60)), "250 of 1000 rows, 25 %; about 3 min left");
    }

    #[test]
    fn what_has_no_known_end_says_nothing() {
        assert!(matches!(Progress::begin(0, "rows").shown, Shown::Never));
    }
}
