//! The evaluation as one page with pictures.

use std::fmt::Write as _;

use mes_page::{
    html::{Cell, colour, escape, paragraph, section, table},
    pair,
    svg::{Axis, Chart},
};

use super::{
    evaluation::{Evaluation, Group, Reliability},
    terminal::{CLASSES, about, interval, or_inf, sets_in_words, signed},
    verdict::Skill,
};
use crate::scores::{Scores, tally::TOP};

/// Groups of less than one row in this many do not set the scale of a chart.
const SMALL_GROUP: u64 = 500;

/// Writes the whole page. Each section is a function of its own.
pub fn page(evaluation: &Evaluation) -> String {
    let mut body = head(evaluation);
    body += &scores(evaluation);
    body += &pair(&reliability(evaluation), &confusion(evaluation));
    body += &gains("Gain by New York hour", "Hour", &evaluation.hours);
    body += &gains("Gain by session", "Session", &evaluation.by_session);
    if evaluation.months.len() > 1 {
        body += &gains("Gain by month", "Month", &evaluation.months);
    }
    if !evaluation.folds.is_empty() {
        body += &gains("Gain by fold", "Fold", &evaluation.folds);
    }
    body += &method(evaluation);
    body += &lineage(evaluation);
    mes_page::page("mes evaluation", &body)
}

fn head(evaluation: &Evaluation) -> String {
    let mut out = String::from("<header>\n");
    out += evaluation.origin.badge();
    if evaluation.in_sample {
        out += "<span class=\"badge died\">In sample: proves nothing</span>";
    }
    let (class, words) = match evaluation.skill {
        Skill::Direction => ("gain", "Skill in direction"),
        Skill::HowFarOnly => ("loss", "How far only: no skill in direction"),
        Skill::None if evaluation.sessions < 2 => ("loss", "No skill shown: one session is no sample"),
        Skill::None => ("loss", "No skill shown"),
    };
    let _ = writeln!(out, "<h1 class=\"{class}\">{words}</h1>");
    for line in about(evaluation) {
        out += &paragraph(line.strip_prefix(evaluation.origin.mark()).unwrap_or(&line));
    }
    out + &key(evaluation) + "</header>\n"
}

/// Four figures that say most of it.
fn key(evaluation: &Evaluation) -> String {
    let figures = [
        (
            "Gain, nats a row",
            signed(evaluation.gain.nats.value),
            format!("over {}; 95 % {}", evaluation.gain.over, interval(evaluation.gain.nats, 5)),
        ),
        (
            "Up against down, nats",
            signed(evaluation.direction_gate.value),
            format!(
                "where it moved; 95 % {}; {} right",
                interval(evaluation.direction_gate, 5),
                evaluation
                    .direction_right
                    .value
                    .map_or("–".into(), |share| format!("{:.1} %", share * 100.0))
            ),
        ),
        (
            "Calibration error",
            or_inf(evaluation.model.ece.value, 4),
            format!("of the likeliest class; 95 % {}", interval(evaluation.model.ece, 4)),
        ),
        (
            "Calls at 0.60 or more",
            evaluation.calls.rows.to_string(),
            format!("up or down; {} came true", evaluation.calls.right),
        ),
    ];
    let mut out = String::from("<dl class=\"key\">");
    for (name, value, more) in figures {
        let [name, value, more] = [name, &value, &more].map(|text| escape(&mes_page::html::minus(text)));
        let _ = write!(out, "<div><dt>{name}</dt><dd>{value}<small>{more}</small></dd></div>");
    }
    out + "</dl>\n"
}

fn scores(evaluation: &Evaluation) -> String {
    let figures = &evaluation.model;
    let estimates = [
        figures.log_loss,
        figures.brier,
        figures.accuracy,
        figures.balanced_accuracy,
        figures.mcc,
        figures.ece,
    ];
    let text = |name: &str| Cell::Text(name.to_owned());
    let row = |name: &str, cells: Vec<String>| -> Vec<Cell> {
        std::iter::once(text(name)).chain(cells.into_iter().map(Cell::Number)).collect()
    };
    let constant = |name: &str, scores: &Scores| {
        let Scores { log_loss, brier, accuracy, balanced_accuracy, mcc } = scores;
        let four = |value: &f64| format!("{value:.4}");
        row(
            name,
            vec![
                or_sign(*log_loss),
                four(brier),
                four(accuracy),
                four(balanced_accuracy),
                four(mcc),
                "–".into(),
            ],
        )
    };
    let rows = [
        row("Model", estimates.iter().map(|one| or_sign(one.value)).collect()),
        row("95 % interval", estimates.iter().map(|one| interval(*one, 4)).collect()),
        constant("Prior", &evaluation.baselines.prior),
        constant("Always flat", &evaluation.baselines.flat),
    ];
    let head = ["", ">Log-loss", ">Brier", ">Accuracy", ">Balanced accuracy", ">MCC", ">ECE"];
    let note = "Accuracy alone says nothing where most rows are flat: saying flat every time is often the most accurate.";
    section("Beside two guesses that know nothing", &(table(&head, &rows) + &caption(note)))
}

fn or_sign(value: Option<f64>) -> String {
    value.map_or("∞".into(), |value| format!("{value:.4}"))
}

fn caption(text: &str) -> String {
    format!("<p class=\"caption\">{}</p>\n", escape(text))
}

fn percent(value: f64) -> String {
    format!("{:.0} %", value * 100.0)
}

/// What was stated against what happened: on the diagonal a model means what it says.
fn reliability(evaluation: &Evaluation) -> String {
    let mut chart =
        Chart::new("Reliability diagram", 300.0, Axis { low: 0.0, high: 1.0, step: 0.2 }, percent);
    chart.line("peak", &[(0.0, 0.0), (1.0, 1.0)]);
    let all: u64 = evaluation.calibration[TOP].iter().map(|bin| bin.rows).sum();
    for bin in &evaluation.calibration[TOP] {
        let share = bin.rows as f64 / all as f64;
        let title = format!("{} of the rows have their likeliest class here", percent(share));
        chart.bar("share", (bin.from + 0.01, bin.to - 0.01), (0.0, share), &title);
    }
    for (class, name) in CLASSES.iter().enumerate() {
        let bins = &evaluation.calibration[class];
        let points: Vec<_> = bins.iter().map(|bin| (bin.stated, bin.happened)).collect();
        chart.line(name, &points);
        for bin in bins {
            chart.dot(name, bin.stated, bin.happened, &spoken(name, bin));
        }
    }
    for tenth in [0.0, 0.2, 0.4, 0.6, 0.8, 1.0] {
        chart.below(tenth, &percent(tenth));
    }
    let key: String =
        CLASSES.iter().map(|name| format!("<span class=\"{name}\">{name}</span> ")).collect::<String>();
    let note = "Across what was stated, up what came true; on the diagonal the model means what it says. Bars: how \
                many rows have their likeliest class there.";
    let sets = evaluation.sets.map_or(String::new(), |sets| {
        let words = sets_in_words(&sets);
        paragraph(&format!("Conformal {words}."))
    });
    let legend = format!("<p class=\"legend\">{key}</p>\n");
    section("Calibration", &(chart.render() + &legend + &caption(note) + &sets))
}

fn spoken(class: &str, bin: &Reliability) -> String {
    let Reliability { rows, stated, happened, .. } = bin;
    format!("{class}: stated {:.1} %, came true {:.1} %, {rows} rows", stated * 100.0, happened * 100.0)
}

fn confusion(evaluation: &Evaluation) -> String {
    let mut out = String::from("<div class=\"scroll\"><table class=\"heat\"><thead><tr><th>Happened</th>");
    for name in CLASSES {
        let _ = write!(out, "<th class=\"n\">Called {name}</th>");
    }
    out += "</tr></thead><tbody>\n";
    for (truth, name) in CLASSES.iter().enumerate() {
        let rows = evaluation.classes[truth].rows;
        let _ = write!(out, "<tr><td>{name}</td>");
        for &cell in &evaluation.confusion[truth] {
            let share = if rows > 0 { cell as f64 / rows as f64 } else { 0.0 };
            let _ = write!(
                out,
                "<td class=\"n\" style=\"--share:{share:.3}\">{cell}<small>{:.1} %</small></td>",
                share * 100.0
            );
        }
        out += "</tr>\n";
    }
    out += "</tbody></table></div>\n";
    let share = |value: Option<f64>| Cell::Number(value.map_or("–".into(), |value| format!("{value:.4}")));
    let rows: Vec<Vec<Cell>> = evaluation
        .classes
        .iter()
        .zip(CLASSES)
        .map(|(class, name)| {
            let count = |rows: u64| Cell::Number(rows.to_string());
            let text = Cell::Text(name.into());
            vec![
                text,
                count(class.rows),
                count(class.called),
                share(class.precision),
                share(class.recall),
                share(class.f1),
            ]
        })
        .collect();
    out += "<h3>By class</h3>\n";
    out += &table(&["", ">Rows", ">Called", ">Precision", ">Recall", ">F1"], &rows);
    section("What was called", &out)
}

/// The gain over the better guess of each group, with its interval, as a chart and a table.
fn gains(heading: &str, what: &str, groups: &[Group]) -> String {
    // A group of a few rows has a wide interval: it may leave the picture rather than flatten the others.
    let all: u64 = groups.iter().map(|group| group.rows).sum();
    let large = || groups.iter().filter(|group| group.rows * SMALL_GROUP >= all);
    let ends = large().flat_map(|group| group.gain.interval.unwrap_or_default());
    let values = large().filter_map(|group| group.gain.value).chain(ends);
    let (low, high) = values.fold((0.0_f64, 0.0_f64), |(low, high), one| (low.min(one), high.max(one)));
    let mut chart = Chart::new(heading, 190.0, Axis::nice(low, high, 4.0), |value| format!("{value:.3}"));
    let width = 1.0 / groups.len().max(1) as f64;
    // What has no room on a screen gives way by itself; dates are picked evenly.
    let every = groups.len().div_ceil(if what == "Hour" { 24 } else { 6 });
    let mut tips = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        let left = index as f64 * width;
        let middle = left + width / 2.0;
        let value = group.gain.value.unwrap_or_default();
        let tip =
            format!("{}  {} nats, 95 % {}", group.name, signed(group.gain.value), interval(group.gain, 4));
        if group.gain.value.is_some() {
            chart.bar(colour(value), (left + width * 0.15, left + width * 0.85), (0.0, value), &tip);
        }
        if let Some([low, high]) = group.gain.interval {
            chart.whisker("whisker", middle, (low, high));
        }
        if index % every == 0 {
            chart.below(middle, &group.name);
        }
        tips.push(tip);
    }
    chart.tips(tips);
    let rows: Vec<Vec<Cell>> = groups.iter().map(group_row).collect();
    let head = [
        what,
        ">Rows",
        ">Sessions",
        ">Moved",
        ">Log-loss",
        ">Prior's",
        ">Accuracy",
        ">Flat's",
        ">MCC",
        ">ECE",
        ">Gain",
        ">95 %",
    ];
    let list = format!("<details><summary>Figures</summary>{}</details>\n", table(&head, &rows));
    section(heading, &(chart.render() + &list))
}

fn group_row(group: &Group) -> Vec<Cell> {
    let Group { name, rows, sessions, happened, scores, baselines, ece, gain } = group;
    vec![
        Cell::Text(name.clone()),
        Cell::Number(rows.to_string()),
        Cell::Number(sessions.to_string()),
        Cell::Number(format!("{:.1} %", (happened[0] + happened[2]) * 100.0)),
        Cell::Number(or_sign(scores.log_loss)),
        Cell::Number(or_sign(baselines.prior.log_loss)),
        Cell::Number(format!("{:.4}", scores.accuracy)),
        Cell::Number(format!("{:.4}", baselines.flat.accuracy)),
        Cell::Number(format!("{:.4}", scores.mcc)),
        Cell::Number(format!("{ece:.4}")),
        Cell::Signed(signed(gain.value), gain.value.unwrap_or_default()),
        Cell::Number(interval(*gain, 4)),
    ]
}

fn method(evaluation: &Evaluation) -> String {
    let draws = evaluation.draws;
    let text = format!(
        "Gain is the mean log-loss of the better guess less that of the model, in nats a row: above 0 the model knows \
         something. Up against down is over always saying the shares of the two that came, on the rows that moved: \
         only that is skill in direction, and only that can be traded. Intervals come from {} resamples of whole sessions (seed {}), widened as Student's t would be for \
         {} sessions; a group of one session has none. Many groups are shown: one in twenty lies outside of its \
         interval by chance.",
        draws.resamples, draws.seed, evaluation.sessions
    );
    section("How this was judged", &paragraph(&text))
}

fn lineage(evaluation: &Evaluation) -> String {
    let model = evaluation.model_file.as_ref();
    let mut out = model.map_or(String::new(), |model| {
        let family = model.family.as_deref().unwrap_or_default();
        format!("<p>Model {} <code>{}</code></p>\n", escape(family), escape(&model.blake3))
    });
    let links = evaluation.lineage.as_array().map(Vec::as_slice).unwrap_or_default();
    out += "<ol>";
    for link in links {
        let _ = writeln!(out, "<li><code>{}</code></li>", escape(&link.to_string()));
    }
    out += "</ol>\n";
    section("Where the rows come from", &out)
}
