//! How good probabilities of down, flat, up are, always beside two guesses that know nothing: the classes' training
//! frequencies (the prior), and FLAT every time.

pub mod tally;

use std::fmt::Write as _;

use libm::log;
use serde::{Deserialize, Serialize};
use tally::Tally;

/// Scores of probabilities against what happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Mean −ln p of what happened, nats; null when something happened that was called impossible.
    pub log_loss: Option<f64>,
    /// Mean of Σ (p − outcome)² over the three classes.
    pub brier: f64,
    pub accuracy: f64,
    /// Mean recall of the classes that occur.
    pub balanced_accuracy: f64,
    /// Matthews' correlation for three classes (Gorodkin 2004); 0 when undefined.
    pub mcc: f64,
}

/// All of it. Files of before a field was added lack it: it is then 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    pub rows: usize,
    pub model: Scores,
    pub prior: Scores,
    pub flat: Scores,
    /// Over all rows.
    pub gain: Gain,
    /// Over the rows that moved, given that they did: up or down? The only part that can be traded.
    pub direction: Gain,
    /// Rows called up or down with at least [`ENTRY`], and how many of them came true.
    pub calls: usize,
    pub calls_right: usize,
    /// Labels alive at a time, 1 where none overlap; the errors are those of independent rows times its root.
    pub overlap: f64,
}

/// Log-loss of the prior less that of the model, nats a row: above 0 the model knows something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Gain {
    pub rows: usize,
    pub nats: f64,
    /// Its standard error.
    pub error: f64,
}

/// What a gain comes to, beside twice its error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Better,
    Chance,
    Worse,
}

/// The confidence below which risk makes no entry.
pub const ENTRY: f64 = 0.60;

/// Fewer rows that moved show no skill, whatever they say: their standard error is itself a guess.
pub const LEAST_MOVED: usize = 100;

impl Report {
    /// Judges `probabilities` of `labels` (0 down, 1 flat, 2 up) beside `prior`. Of labels that overlap, `overlap` are
    /// alive at a time (horizon over stride): so many rows are about one fact, and errors grow by its root.
    pub fn of(probabilities: &[[f64; 3]], labels: &[u8], prior: [f64; 3], overlap: f64) -> Report {
        let rows = labels.len();
        if rows == 0 {
            return Report::default();
        }
        let constant = |p| Scores::of(labels.iter().map(|&label| (p, label)));
        let pairs = || probabilities.iter().copied().zip(labels.iter().copied());
        let gains = pairs().map(|(p, label)| {
            let class = usize::from(label);
            log(p[class]) - log(prior[class])
        });
        let directions = pairs().filter(|(_, label)| *label != 1).map(|(p, label)| {
            let given_move = |p: [f64; 3]| log(p[usize::from(label)] / (p[0] + p[2]));
            given_move(p) - given_move(prior)
        });
        let calls = || pairs().filter(|(p, _)| called(*p) != 1 && p[called(*p)] >= ENTRY);
        Report {
            rows,
            model: Scores::of(pairs()),
            prior: constant(prior),
            flat: constant([0.0, 1.0, 0.0]),
            gain: Gain::of(gains, overlap),
            direction: Gain::of(directions, overlap),
            calls: calls().count(),
            calls_right: calls().filter(|(p, label)| called(*p) == usize::from(*label)).count(),
            overlap,
        }
    }

    /// Says whether the model foretells which way the market goes.
    pub fn skill(&self) -> bool {
        self.direction.rows >= LEAST_MOVED && self.direction.beyond_chance()
    }

    /// Says it in words. Knowing how far but not which way is common, and no edge.
    pub fn verdict(&self) -> String {
        let Gain { rows, nats, error } = self.direction;
        if rows == 0 {
            return "Not tested: no row was left that moved".into();
        }
        let standing = self.direction.standing();
        let side = if nats < 0.0 { "worse" } else { "better" };
        let figure =
            format!("{:.5} ± {error:.5} nats {side} than the prior on the {rows} that moved", nats.abs());
        if self.skill() {
            return format!("SKILL: it foretells up or down, {figure}{}", self.widened());
        }
        let why = match standing {
            _ if rows < LEAST_MOVED => format!("too few to tell by ({LEAST_MOVED} are)"),
            Standing::Worse => "which is no chance: it is wrong".into(),
            _ => "which is chance".into(),
        };
        let (what, far) = match self.gain.beyond_chance() && standing != Standing::Better {
            true => (" in up or down", " (it foretells how far, not which way)"),
            false => ("", ""),
        };
        format!("NO SKILL{what}: {figure}, {why}{far}{}", self.widened())
    }

    /// Says what was done about labels that overlap.
    fn widened(&self) -> String {
        let Report { overlap, .. } = self;
        if *overlap > 1.0 {
            format!("; errors are {:.1} times as wide, for {overlap:.1} labels overlap", overlap.sqrt())
        } else {
            String::new()
        }
    }

    /// Says how many entries there would be to trade.
    fn entries(&self) -> String {
        let Report { calls, calls_right, .. } = self;
        format!("Called up or down with {ENTRY:.2} or more: {calls} rows, {calls_right} came true")
    }

    /// Writes a Markdown table with the baselines, and the verdict.
    pub fn to_markdown(&self) -> String {
        if self.rows == 0 {
            return "Not judged yet: `mes-predict eval` does.\n".into();
        }
        let mut text = String::new();
        for (index, cells) in self.table().iter().enumerate() {
            let _ = writeln!(text, "| {} |", cells.join(" | "));
            if index == 0 {
                text.push_str("|---|---:|---:|---:|---:|---:|\n");
            }
        }
        let _ = write!(text, "\n{} rows. {}. {}.\n", self.rows, self.verdict(), self.entries());
        text
    }

    /// Writes the same for a terminal, one line each.
    pub fn to_lines(&self) -> Vec<String> {
        let line = |cells: [String; 6]| {
            let [name, log_loss, brier, accuracy, balanced, mcc] = cells;
            format!("{name:<12}{log_loss:>9}{brier:>9}{accuracy:>10}{balanced:>10}{mcc:>9}")
        };
        let mut lines: Vec<_> = self.table().into_iter().map(line).collect();
        lines.push(format!("{} rows it has never seen. {}", self.rows, self.verdict()));
        lines.push(self.entries());
        lines
    }

    fn table(&self) -> [[String; 6]; 4] {
        let row = |name: &str, scores: &Scores| {
            let Scores { log_loss, brier, accuracy, balanced_accuracy, mcc } = scores;
            let log_loss = log_loss.map_or_else(|| "inf".to_owned(), |nats| format!("{nats:.5}"));
            let percent = |share: &f64| format!("{:.2} %", share * 100.0);
            [
                name.into(),
                log_loss,
                format!("{brier:.5}"),
                percent(accuracy),
                percent(balanced_accuracy),
                format!("{mcc:.4}"),
            ]
        };
        let head = ["", "log-loss", "Brier", "accuracy", "balanced", "MCC"].map(str::to_owned);
        [head, row("model", &self.model), row("prior", &self.prior), row("always flat", &self.flat)]
    }
}

impl Gain {
    fn of(gains: impl Iterator<Item = f64> + Clone, overlap: f64) -> Gain {
        let rows = gains.clone().count();
        if rows == 0 {
            return Gain::default();
        }
        let n = rows as f64;
        let nats = gains.clone().sum::<f64>() / n;
        let variance = gains.map(|one| (one - nats) * (one - nats)).sum::<f64>() / (n - 1.0).max(1.0);
        Gain { rows, nats, error: (variance / n * overlap.max(1.0)).sqrt() }
    }

    /// Says whether it is more than two standard errors above 0.
    pub fn beyond_chance(&self) -> bool {
        self.standing() == Standing::Better
    }

    fn standing(&self) -> Standing {
        match self.nats {
            nats if self.rows > 0 && nats > 2.0 * self.error => Standing::Better,
            nats if self.rows > 0 && nats < -2.0 * self.error => Standing::Worse,
            _ => Standing::Chance,
        }
    }
}

impl Scores {
    fn of(pairs: impl Iterator<Item = ([f64; 3], u8)>) -> Scores {
        let mut tally = Tally::default();
        pairs.for_each(|(p, label)| tally.add(p, label));
        tally.scores()
    }
}

/// Returns the class that `p` calls: the likeliest, FLAT at a tie.
pub fn called(p: [f64; 3]) -> usize {
    match p {
        [down, flat, up] if down > flat && down > up => 0,
        [down, flat, up] if up > flat && up > down => 2,
        _ => 1,
    }
}

fn mcc(confusion: &[[u64; 3]; 3]) -> f64 {
    let cell = |truth: usize, call: usize| confusion[truth][call] as f64;
    let truth = |k: usize| (0..3).map(|call| cell(k, call)).sum::<f64>();
    let call = |k: usize| (0..3).map(|truth| cell(truth, k)).sum::<f64>();
    let rows = (0..3).map(truth).sum::<f64>();
    let right = (0..3).map(|k| cell(k, k)).sum::<f64>();
    let chance = (0..3).map(|k| truth(k) * call(k)).sum::<f64>();
    let spread = |of: &dyn Fn(usize) -> f64| rows * rows - (0..3).map(|k| of(k) * of(k)).sum::<f64>();
    let scale = (spread(&truth) * spread(&call)).sqrt();
    if scale > 0.0 { (right * rows - chance) / scale } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-9, "{a} is not {b}");
    }

    /// Figures of scikit-learn 1.9.1: log_loss, accuracy, balanced_accuracy and matthews_corrcoef of these six rows.
    #[test]
    fn equals_figures_worked_out_elsewhere() {
        let p = [
            [0.6, 0.3, 0.1],
            [0.2, 0.5, 0.3],
            [0.1, 0.2, 0.7],
            [0.3, 0.4, 0.3],
            [0.5, 0.3, 0.2],
            [0.1, 0.6, 0.3],
        ];
        let report = Report::of(&p, &[0, 1, 2, 0, 1, 1], [0.25, 0.5, 0.25], 1.0);
        near(report.model.log_loss.expect("finite"), LOG_LOSS);
        near(report.model.brier, BRIER);
        near(report.model.accuracy, 4.0 / 6.0);
        near(report.model.balanced_accuracy, (0.5 + 2.0 / 3.0 + 1.0) / 3.0);
        near(report.model.mcc, MCC);
        assert_eq!(report.flat.log_loss, None);
        near(report.flat.accuracy, 0.5);
        near(report.flat.mcc, 0.0);
        assert_eq!((report.calls, report.calls_right), (2, 2));
        near(
            report.gain.nats,
            report.prior.log_loss.expect("finite") - report.model.log_loss.expect("finite"),
        );
    }

    /// A model that knows which rows move, but not whereto, has a gain and no skill.
    #[test]
    fn knowing_how_far_is_not_knowing_which_way() {
        let labels: Vec<u8> =
            (0..400).map(|row| if row % 2 == 0 { 1 } else { (row / 2 % 2 * 2) as u8 }).collect();
        let told = |p: [f64; 3]| move |row: usize| if row.is_multiple_of(2) { [0.1, 0.8, 0.1] } else { p };
        let judge =
            |p| Report::of(&(0..400).map(told(p)).collect::<Vec<_>>(), &labels, [0.25, 0.5, 0.25], 1.0);
        let far = judge([0.4, 0.2, 0.4]);
        assert!(far.gain.beyond_chance() && !far.skill(), "{far:?}");
        near(far.direction.nats, 0.0);
        assert!(far.verdict().starts_with("NO SKILL in up or down"));
        assert_eq!((far.gain.rows, far.direction.rows), (400, 200));

        let knowing = |row: usize| match labels[row] {
            0 => [0.5, 0.3, 0.2],
            1 => [0.2, 0.6, 0.2],
            _ => [0.2, 0.3, 0.5],
        };
        let which = Report::of(&(0..400).map(knowing).collect::<Vec<_>>(), &labels, [0.25, 0.5, 0.25], 1.0);
        assert!(which.skill() && which.verdict().starts_with("SKILL"), "{which:?}");
        near(which.direction.nats, log(0.5 / 0.7) - log(0.5));
    }

    /// A model that is right on `right` of `rows` rows, all of which moved.
    fn told(rows: usize, right: usize, overlap: f64) -> Report {
        let labels: Vec<u8> = (0..rows).map(|row| (row % 2 * 2) as u8).collect();
        let p = |(row, label): (usize, &u8)| {
            if (row < right) == (*label == 0) { [0.5, 0.2, 0.3] } else { [0.3, 0.2, 0.5] }
        };
        let p: Vec<_> = labels.iter().enumerate().map(p).collect();
        Report::of(&p, &labels, [0.4, 0.2, 0.4], overlap)
    }

    #[test]
    fn overlapping_labels_widen_the_error_and_few_rows_show_nothing() {
        let (apart, overlapping) = (told(1000, 650, 1.0), told(1000, 650, 30.0));
        near(overlapping.direction.error, 30_f64.sqrt() * apart.direction.error);
        near(overlapping.direction.nats, apart.direction.nats);
        assert!(apart.skill() && !apart.verdict().contains("overlap"), "{}", apart.verdict());
        let words = overlapping.verdict();
        assert!(words.starts_with("NO SKILL: ") && words.contains("5.5 times as wide"), "{words}");

        let (few, enough) = (told(LEAST_MOVED - 1, 90, 1.0), told(LEAST_MOVED, 90, 1.0));
        assert!(few.direction.beyond_chance() && !few.skill() && enough.skill());
        assert!(few.verdict().contains("99 that moved, too few to tell by (100 are)"), "{}", few.verdict());
    }

    #[test]
    fn what_is_clearly_wrong_is_not_called_chance() {
        let words = told(1000, 300, 1.0).verdict();
        assert!(words.starts_with("NO SKILL") && words.contains("nats worse than the prior"), "{words}");
        assert!(!words.contains("which is chance"), "{words}");
        assert!(told(1000, 563, 1.0).verdict().ends_with("which is chance"));
    }

    const LOG_LOSS: f64 = 0.7465698301137551;
    const BRIER: f64 = 0.4266666666666666;
    const MCC: f64 = 0.45454545454545453;

    #[test]
    fn a_tie_is_flat() {
        assert_eq!([called([0.4, 0.2, 0.4]), called([0.4, 0.4, 0.2]), called([0.2, 0.3, 0.5])], [1, 1, 2]);
    }
}
