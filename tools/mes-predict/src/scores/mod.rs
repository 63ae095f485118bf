//! How good probabilities of down, flat, up are, always beside two guesses that know nothing: the classes' training
//! frequencies (the prior), and FLAT every time.

pub mod tally;

use std::fmt::Write as _;

use libm::log;
use serde::{Deserialize, Serialize};
use tally::Tally;

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
}

/// Log-loss of the prior less that of the model, nats a row: above 0 the model knows something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Gain {
    pub rows: usize,
    pub nats: f64,
    /// Its standard error, row by row; honest while labels do not overlap.
    pub error: f64,
}

/// The confidence below which risk makes no entry.
pub const ENTRY: f64 = 0.60;

impl Report {
    /// Judges `probabilities` of `labels` (0 down, 1 flat, 2 up) beside `prior`.
    pub fn of(probabilities: &[[f64; 3]], labels: &[u8], prior: [f64; 3]) -> Report {
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
            gain: Gain::of(gains),
            direction: Gain::of(directions),
            calls: calls().count(),
            calls_right: calls().filter(|(p, label)| called(*p) == usize::from(*label)).count(),
        }
    }

    /// Says whether the model foretells which way the market goes.
    pub fn skill(&self) -> bool {
        self.direction.beyond_chance()
    }

    /// Says it in words. Knowing how far but not which way is common, and no edge.
    pub fn verdict(&self) -> String {
        let Gain { rows, nats, error } = self.direction;
        if rows == 0 {
            return "Not tested: no row was left that moved".into();
        }
        let figure = format!("{nats:.5} ± {error:.5} nats better than the prior on the {rows} that moved");
        match (self.skill(), self.gain.beyond_chance()) {
            (true, _) => format!("SKILL: it foretells up or down, {figure}"),
            (false, true) => format!(
                "NO SKILL in up or down: {figure}, which is chance (it foretells how far, not which way)"
            ),
            (false, false) => format!("NO SKILL: {figure}, which is chance"),
        }
    }

    /// Says how many entries there would be to trade.
    fn entries(&self) -> String {
        let Report { calls, calls_right, .. } = self;
        format!("Called up or down with {ENTRY:.2} or more: {calls} rows, {calls_right} came true")
    }

    /// Writes a Markdown table with the baselines, and the verdict.
    pub fn to_markdown(&self) -> String {
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
    fn of(gains: impl Iterator<Item = f64> + Clone) -> Gain {
        let rows = gains.clone().count();
        if rows == 0 {
            return Gain::default();
        }
        let n = rows as f64;
        let nats = gains.clone().sum::<f64>() / n;
        let variance = gains.map(|one| (one - nats) * (one - nats)).sum::<f64>() / (n - 1.0).max(1.0);
        Gain { rows, nats, error: (variance / n).sqrt() }
    }

    /// Says whether it is more than two standard errors above 0.
    pub fn beyond_chance(&self) -> bool {
        self.rows > 0 && self.nats > 2.0 * self.error
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
        let report = Report::of(&p, &[0, 1, 2, 0, 1, 1], [0.25, 0.5, 0.25]);
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
        let judge = |p| Report::of(&(0..400).map(told(p)).collect::<Vec<_>>(), &labels, [0.25, 0.5, 0.25]);
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
        let which = Report::of(&(0..400).map(knowing).collect::<Vec<_>>(), &labels, [0.25, 0.5, 0.25]);
        assert!(which.skill() && which.verdict().starts_with("SKILL"), "{which:?}");
        near(which.direction.nats, log(0.5 / 0.7) - log(0.5));
    }

    const LOG_LOSS: f64 = 0.7465698301137551;
    const BRIER: f64 = 0.4266666666666666;
    const MCC: f64 = 0.45454545454545453;

    #[test]
    fn a_tie_is_flat() {
        assert_eq!([called([0.4, 0.2, 0.4]), called([0.4, 0.4, 0.2]), called([0.2, 0.3, 0.5])], [1, 1, 2]);
    }
}
