//! Sums over rows from which every score follows. Those of two sets of rows add up, so a session, an hour or a
//! resample of sessions is scored without going through its rows again, and a stream of any length in little memory.

use libm::log;
use serde::{Deserialize, Serialize};

use super::{ENTRY, Scores, called, mcc};

/// Bins of equal width from 0 to 1 that a stated probability falls into.
pub const BINS: usize = 10;

/// The largest of the three probabilities, in [`Tally::bins`].
pub const TOP: usize = 3;

/// Sums that scores are made of, so that parts add up to the whole.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// Rows by what happened and by what was called: down, flat, up.
    pub confusion: [[u64; 3]; 3],
    /// Σ −ln p of what happened, nats; infinite when something happened that was called impossible.
    pub loss: f64,
    /// Σ Σ (p − outcome)².
    pub brier: f64,
    /// Over the rows that moved: Σ −ln (p / (p_down + p_up)) of what happened.
    pub direction_loss: f64,
    /// Over the same: how often the likelier side was the one that came; equal ones count half.
    pub direction_right: f64,
    /// Rows called up or down with at least [`ENTRY`], and how many of them came true.
    pub calls: u64,
    pub calls_right: u64,
    /// Of conformal sets: rows whose set held what happened, and the classes named by all sets.
    pub covered: u64,
    pub named: u64,
    /// What was stated and what happened, for down, flat, up and the likeliest of them ([`TOP`]).
    pub bins: [[Bin; BINS]; 4],
}

/// Rows for which about the same probability was stated.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bin {
    pub rows: u64,
    /// Of the stated probabilities.
    pub sum: f64,
    pub came_true: u64,
}

/// One class: how much of it was found, and how much of what was called it was.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Class {
    pub rows: u64,
    pub called: u64,
    /// Share of the calls that came true; null without calls.
    pub precision: Option<f64>,
    /// Share of the rows that were called; null without rows.
    pub recall: Option<f64>,
    pub f1: Option<f64>,
}

impl Tally {
    /// Adds a row: the probabilities of down, flat, up, and what happened (0, 1, 2).
    pub fn add(&mut self, p: [f64; 3], label: u8) {
        let (truth, call) = (usize::from(label), called(p));
        self.confusion[truth][call] += 1;
        self.loss -= log(p[truth]);
        let squares = (0..3).map(|k| p[k] - f64::from(u8::from(k == truth))).map(|error| error * error);
        self.brier += squares.sum::<f64>();
        if truth != 1 {
            let [right, wrong] = [p[truth], p[2 - truth]];
            self.direction_loss -= log(right / (right + wrong));
            self.direction_right += f64::from(u8::from(right > wrong) + u8::from(right >= wrong)) / 2.0;
        }
        if call != 1 && p[call] >= ENTRY {
            self.calls += 1;
            self.calls_right += u64::from(call == truth);
        }
        for (class, (bins, p)) in self.bins.iter_mut().zip(p).enumerate() {
            bins[place(p)].add(p, class == truth);
        }
        self.bins[TOP][place(p[call])].add(p[call], call == truth);
    }

    /// Adds the conformal set of a row that was added.
    pub fn add_set(&mut self, set: [bool; 3], label: u8) {
        self.covered += u64::from(set[usize::from(label)]);
        self.named += set.iter().map(|named| u64::from(*named)).sum::<u64>();
    }

    /// Adds the rows of another tally.
    pub fn merge(&mut self, other: &Tally) {
        let cells = self.confusion.iter_mut().flatten().zip(other.confusion.iter().flatten());
        cells.for_each(|(sum, more)| *sum += more);
        self.loss += other.loss;
        self.brier += other.brier;
        self.direction_loss += other.direction_loss;
        self.direction_right += other.direction_right;
        self.calls += other.calls;
        self.calls_right += other.calls_right;
        self.covered += other.covered;
        self.named += other.named;
        for (sum, more) in self.bins.iter_mut().flatten().zip(other.bins.iter().flatten()) {
            sum.rows += more.rows;
            sum.sum += more.sum;
            sum.came_true += more.came_true;
        }
    }

    /// Returns the sum of tallies.
    pub fn sum<'a>(tallies: impl IntoIterator<Item = &'a Tally>) -> Tally {
        let mut sum = Tally::default();
        tallies.into_iter().for_each(|one| sum.merge(one));
        sum
    }

    /// Counts the rows of each class.
    pub fn classes(&self) -> [u64; 3] {
        self.confusion.map(|calls| calls.iter().sum())
    }

    /// Returns how many rows were counted.
    pub fn rows(&self) -> u64 {
        self.classes().iter().sum()
    }

    /// Returns the scores of what was counted.
    pub fn scores(&self) -> Scores {
        let rows = self.rows() as f64;
        let right = |k: usize| self.confusion[k][k] as f64;
        let recalls: Vec<_> = (0..3)
            .zip(self.classes())
            .filter(|(_, there)| *there > 0)
            .map(|(k, there)| right(k) / there as f64)
            .collect();
        Scores {
            log_loss: self.loss.is_finite().then_some(self.loss / rows),
            brier: self.brier / rows,
            accuracy: (0..3).map(right).sum::<f64>() / rows,
            balanced_accuracy: recalls.iter().sum::<f64>() / recalls.len() as f64,
            mcc: mcc(&self.confusion),
        }
    }

    /// Returns what the same probabilities for every row would have scored.
    pub fn scores_of_constant(&self, p: [f64; 3]) -> Scores {
        let classes = self.classes();
        let mut tally = Tally { loss: constant_loss(&[0, 1, 2], classes, p), ..Tally::default() };
        for (truth, &rows) in classes.iter().enumerate() {
            tally.confusion[truth][called(p)] = rows;
            let squares = (0..3).map(|k| p[k] - f64::from(u8::from(k == truth))).map(|error| error * error);
            tally.brier += rows as f64 * squares.sum::<f64>();
        }
        tally.scores()
    }

    /// Returns how much lower the mean loss is than that of the same probabilities for every row, nats a row; `None`
    /// without rows or where one of the two is infinite.
    pub fn gain_over(&self, p: [f64; 3]) -> Option<f64> {
        let gain = (constant_loss(&[0, 1, 2], self.classes(), p) - self.loss) / self.rows() as f64;
        gain.is_finite().then_some(gain)
    }

    /// Returns the same over the rows that moved, given that they did.
    pub fn direction_gain_over(&self, p: [f64; 3]) -> Option<f64> {
        let moved = p[0] + p[2];
        let constant = constant_loss(&[0, 2], self.classes(), p.map(|one| one / moved));
        let gain = (constant - self.direction_loss) / self.moved() as f64;
        gain.is_finite().then_some(gain)
    }

    /// Returns the share of the rows that moved whose side was the likelier one; `None` where none moved.
    pub fn direction_right(&self) -> Option<f64> {
        Some(self.direction_right / self.moved() as f64).filter(|share| share.is_finite())
    }

    /// Counts the rows that moved.
    pub fn moved(&self) -> u64 {
        let [down, _, up] = self.classes();
        down + up
    }

    /// Returns precision, recall and F1 of down, flat, up.
    pub fn per_class(&self) -> [Class; 3] {
        let share = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
        std::array::from_fn(|k| {
            let (rows, right) = (self.classes()[k], self.confusion[k][k]);
            let called = self.confusion.iter().map(|calls| calls[k]).sum();
            let f1 = share(2 * right, rows + called);
            Class { rows, called, precision: share(right, called), recall: share(right, rows), f1 }
        })
    }

    /// Returns the expected calibration error of the likeliest class (Guo et al. 2017): Σ share of the bin ×
    /// |mean stated − share that came true|.
    pub fn ece(&self) -> f64 {
        let gaps = self.bins[TOP].iter().map(|bin| (bin.sum - bin.came_true as f64).abs());
        gaps.sum::<f64>() / self.rows() as f64
    }
}

impl Bin {
    fn add(&mut self, p: f64, came_true: bool) {
        self.rows += 1;
        self.sum += p;
        self.came_true += u64::from(came_true);
    }
}

fn place(p: f64) -> usize {
    ((p * BINS as f64) as usize).min(BINS - 1)
}

/// Returns Σ −ln p over the rows of `of`; a class without rows costs nothing, however unlikely it was.
fn constant_loss(of: &[usize], rows: [u64; 3], p: [f64; 3]) -> f64 {
    of.iter().filter(|&&k| rows[k] > 0).map(|&k| -(rows[k] as f64) * log(p[k])).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mes_core::prediction::softmax;

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-9, "{a} is not {b}");
    }

    const LOGITS: [[f64; 3]; 6] = [
        [2.0, 0.5, -1.0],
        [0.2, 1.5, 0.1],
        [1.0, 0.8, 0.9],
        [-0.5, 0.3, 2.2],
        [0.1, 2.5, 0.4],
        [3.0, 0.0, -2.0],
    ];
    const LABELS: [u8; 6] = [0, 1, 2, 2, 0, 0];

    fn tally() -> Tally {
        let mut tally = Tally::default();
        LOGITS.iter().zip(LABELS).for_each(|(z, label)| tally.add(softmax(*z), label));
        tally
    }

    /// Log-loss, Brier and ECE of six rows worked out in NumPy, and scikit-learn 1.9.1's
    /// `classification_report` of the same.
    #[test]
    fn equals_figures_worked_out_elsewhere() {
        let tally = tally();
        near(tally.scores().log_loss.expect("finite"), 0.767_636_657_904_809_8);
        near(tally.scores().brier, 0.420_888_430_337_579);
        near(tally.ece(), 0.270_487_703_346_409_5);
        let [down, flat, up] = tally.per_class();
        assert_eq!((down.rows, down.called, flat.rows, flat.called, up.rows, up.called), (3, 3, 1, 2, 2, 1));
        let (two_thirds, half) = (Some(2.0 / 3.0), Some(0.5));
        assert_eq!((down.precision, down.recall, down.f1), (two_thirds, two_thirds, two_thirds));
        assert_eq!((flat.precision, flat.recall, flat.f1), (half, Some(1.0), two_thirds));
        assert_eq!((up.precision, up.recall, up.f1), (Some(1.0), half, two_thirds));
    }

    #[test]
    fn parts_add_up_to_the_whole() {
        let mut parts = [Tally::default(), Tally::default()];
        for (row, (z, label)) in LOGITS.iter().zip(LABELS).enumerate() {
            parts[row % 2].add(softmax(*z), label);
        }
        let (sum, whole) = (Tally::sum(&parts), tally());
        assert_eq!((sum.confusion, sum.rows()), (whole.confusion, 6));
        near(sum.loss, whole.loss);
        near(sum.ece(), whole.ece());
    }

    #[test]
    fn a_constant_scores_as_if_it_were_told_row_by_row() {
        let p = [0.2, 0.5, 0.3];
        let mut told = Tally::default();
        LABELS.iter().for_each(|&label| told.add(p, label));
        let (told, guessed) = (told.scores(), tally().scores_of_constant(p));
        near(told.log_loss.expect("finite"), guessed.log_loss.expect("finite"));
        near(told.brier, guessed.brier);
        assert_eq!((told.accuracy, told.mcc), (guessed.accuracy, guessed.mcc));
        near(tally().gain_over(p).expect("finite"), told.log_loss.expect("finite") - 0.767_636_657_904_809_8);
        assert_eq!(tally().gain_over([0.0, 1.0, 0.0]), None);
        assert_eq!(Tally::default().gain_over(p), None);
        // What cannot be told apart by direction alone gains nothing in it.
        let mut even = Tally::default();
        LABELS.iter().for_each(|&label| even.add([0.3, 0.25, 0.45], label));
        near(even.direction_gain_over(p).expect("finite"), 0.0);
        // Up is the likelier side of all; one row in five that moved went up.
        let [down, _, up] = even.classes();
        near(even.direction_right().expect("rows that moved"), up as f64 / (down + up) as f64);
        assert_eq!(Tally::default().direction_right(), None);
    }

    #[test]
    fn what_was_called_impossible_has_no_log_loss() {
        let mut tally = Tally::default();
        tally.add([0.0, 1.0, 0.0], 0);
        assert_eq!((tally.scores().log_loss, tally.gain_over([0.3, 0.4, 0.3])), (None, None));
    }
}
