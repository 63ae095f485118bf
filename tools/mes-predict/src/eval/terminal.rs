//! The evaluation for a person at a terminal.

use std::fmt::Write as _;

use mes_core::time;

use super::{
    bootstrap::Estimate,
    evaluation::{Evaluation, Group, Origin, Sets},
};
use crate::scores::Scores;

pub const CLASSES: [&str; 3] = ["down", "flat", "up"];

/// Groups shown of a long list; JSON and page have all.
const SHOWN: usize = 24;

/// Writes all of it but the sessions one by one.
pub fn text(evaluation: &Evaluation) -> String {
    let mut out = String::new();
    for line in about(evaluation) {
        let _ = writeln!(out, "{line}");
    }
    out.push('\n');
    scores(evaluation, &mut out);
    let _ = writeln!(out, "\n{}", evaluation.verdict);
    classes(evaluation, &mut out);
    calibration(evaluation, &mut out);
    groups("hour, New York", &evaluation.hours, &mut out);
    groups("month", &evaluation.months, &mut out);
    groups("fold", &evaluation.folds, &mut out);
    out
}

/// Says what was judged, one thing a line.
pub fn about(evaluation: &Evaluation) -> Vec<String> {
    let Evaluation { rows, sessions, unpredicted, unlabelled, .. } = evaluation;
    let date =
        |ts: Option<i64>| ts.map(time::format).unwrap_or_default().chars().take(10).collect::<String>();
    let (first, last) = (date(evaluation.first), date(evaluation.last));
    let made = evaluation.origin.mark();
    let mut lines = vec![format!(
        "{made}{rows} rows of {sessions} sessions, {first} to {last} ({unpredicted} more without a prediction, \
         {unlabelled} without a label)"
    )];
    if let Some(label) = &evaluation.label {
        let (horizon, threshold) = (&label.horizon, label.threshold_ticks);
        lines.push(format!("{}: {horizon} ahead, more than {threshold} ticks", label.kind));
    }
    if evaluation.in_sample {
        lines.push("IN SAMPLE: the model was fitted on some of these rows, so this proves nothing".into());
    }
    let from = match evaluation.prior.from {
        Origin::Training => "of the model's training rows",
        Origin::Flag => "as given",
        Origin::Hindsight => "of these very rows, the hardest constant to beat",
    };
    let [down, flat, up] = evaluation.prior.p.map(|share| format!("{:.1} %", share * 100.0));
    lines.push(format!("prior: down {down}, flat {flat}, up {up}, {from}"));
    lines
}

fn scores(evaluation: &Evaluation, out: &mut String) {
    let mut line = |name: &str, cells: [String; 6]| {
        let _ = write!(out, "{name:<12}");
        for cell in cells {
            let _ = write!(out, "{cell:>18}");
        }
        out.push('\n');
    };
    line("", ["log-loss", "Brier", "accuracy", "balanced", "MCC", "ECE"].map(str::to_owned));
    let figures = &evaluation.model;
    let estimates = [
        (figures.log_loss, 5),
        (figures.brier, 5),
        (figures.accuracy, 4),
        (figures.balanced_accuracy, 4),
        (figures.mcc, 4),
        (figures.ece, 4),
    ];
    line("model", estimates.map(|(estimate, places)| or_inf(estimate.value, places)));
    line("  95 %", estimates.map(|(estimate, places)| interval(estimate, places)));
    for (name, baseline) in
        [("prior", &evaluation.baselines.prior), ("always flat", &evaluation.baselines.flat)]
    {
        line(name, constant(baseline));
    }
}

fn constant(scores: &Scores) -> [String; 6] {
    let Scores { log_loss, brier, accuracy, balanced_accuracy, mcc } = scores;
    let four = |value: &f64| format!("{value:.4}");
    let brier = format!("{brier:.5}");
    [or_inf(*log_loss, 5), brier, four(accuracy), four(balanced_accuracy), four(mcc), "-".into()]
}

fn classes(evaluation: &Evaluation, out: &mut String) {
    let _ = writeln!(
        out,
        "\n{:<8}{:>10}{:>10}{:>11}{:>9}{:>9}   called {:>9}{:>10}{:>10}",
        "", "rows", "called", "precision", "recall", "F1", "down", "flat", "up"
    );
    for (k, class) in evaluation.classes.iter().enumerate() {
        let share = |value: Option<f64>| value.map_or("-".into(), |value| format!("{value:.4}"));
        let [down, flat, up] = evaluation.confusion[k];
        let _ = writeln!(
            out,
            "{:<8}{:>10}{:>10}{:>11}{:>9}{:>9}          {down:>9}{flat:>10}{up:>10}",
            CLASSES[k],
            class.rows,
            class.called,
            share(class.precision),
            share(class.recall),
            share(class.f1)
        );
    }
    let calls = &evaluation.calls;
    let _ = writeln!(
        out,
        "called up or down with {:.2} or more: {} rows, {} came true",
        calls.confidence, calls.rows, calls.right
    );
    if let Some(sets) = &evaluation.sets {
        let _ = writeln!(out, "{}", sets_in_words(sets));
    }
}

/// Says what conformal sets did, on one line.
pub fn sets_in_words(sets: &Sets) -> String {
    let figure = |estimate: Estimate| format!("{} ({})", or_inf(estimate.value, 4), interval(estimate, 4));
    format!(
        "sets that may miss {:.2} %: the share {} held what happened; {} classes named in the mean",
        sets.alpha * 100.0,
        figure(sets.coverage),
        figure(sets.mean_size)
    )
}

fn calibration(evaluation: &Evaluation, out: &mut String) {
    let _ = writeln!(
        out,
        "\n{:<16}{:>10}{:>10}{:>12}   of the likeliest class",
        "stated", "rows", "mean", "came true"
    );
    for bin in evaluation.reliability() {
        let range = format!("{:.1} to {:.1}", bin.from, bin.to);
        let _ = writeln!(out, "{range:<16}{:>10}{:>10.4}{:>12.4}", bin.rows, bin.stated, bin.happened);
    }
}

fn groups(name: &str, groups: &[Group], out: &mut String) {
    if groups.is_empty() {
        return;
    }
    let _ = writeln!(
        out,
        "\n{name:<16}{:>10}{:>10}{:>10}{:>11}{:>10}{:>10}{:>10}{:>9}{:>9}{:>11}   95 %",
        "rows", "sessions", "moved", "log-loss", "of prior", "accuracy", "of flat", "MCC", "ECE", "gain"
    );
    for group in groups.iter().take(SHOWN) {
        let Group { name, rows, sessions, scores, baselines, ece, gain, .. } = group;
        let moved = format!("{:.1} %", (group.happened[0] + group.happened[2]) * 100.0);
        let [loss, prior] = [scores, &baselines.prior].map(|one| or_inf(one.log_loss, 4));
        let (value, interval) = (signed(gain.value), interval(*gain, 5));
        let _ = writeln!(
            out,
            "{name:<16}{rows:>10}{sessions:>10}{moved:>10}{loss:>11}{prior:>10}{:>10.4}{:>10.4}{:>9.4}{ece:>9.4}\
             {value:>11}   {interval}",
            scores.accuracy, baselines.flat.accuracy, scores.mcc
        );
    }
    if groups.len() > SHOWN {
        let _ = writeln!(out, "and {} more: --json or --html", groups.len() - SHOWN);
    }
}

/// Writes a figure; a log-loss that is infinite is `inf`.
pub fn or_inf(value: Option<f64>, places: usize) -> String {
    value.map_or("inf".into(), |value| format!("{value:.places$}"))
}

/// Writes a difference with its sign.
pub fn signed(value: Option<f64>) -> String {
    value.map_or("-".into(), |value| format!("{value:+.5}"))
}

/// Writes an interval, or `-`.
pub fn interval(estimate: Estimate, places: usize) -> String {
    estimate.interval.map_or("-".into(), |[low, high]| format!("{low:.places$}…{high:.places$}"))
}
