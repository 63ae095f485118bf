//! Runs beside each other as a page.

use chrono::NaiveDate;
use mes_page::{
    data,
    html::{Cell, escape, minus, paragraph, section, table},
    svg::{Axis, Chart},
};

use super::{Comparison, terminal::shown};
use crate::{
    report::charts::dollars,
    words::{self, signed_usd},
};

/// Colours of lines, one a run; more runs begin again.
const LINES: [&str; 6] = ["first", "second", "third", "fourth", "fifth", "sixth"];
/// More points than this no screen shows apart.
const POINTS: usize = 800;

/// Writes the whole page.
pub fn page(comparison: &Comparison) -> String {
    let names = comparison.names.join(", ");
    let count = words::count(comparison.names.len() as u64, "run");
    let mut body =
        format!("<header>\n<h1>{count} beside each other</h1>\n<p>{}</p>\n</header>\n", escape(&names));
    body += &figures(comparison);
    body += &equity(comparison);
    body += &paired(comparison);
    body += &differs(comparison);
    body += &data("comparison", &serde_json::to_string(comparison).unwrap_or_default());
    mes_page::page("mes compare", &body)
}

fn figures(comparison: &Comparison) -> String {
    let head = heads(comparison);
    let rows = comparison.figures.iter().map(|figure| {
        let texts = figure.texts.iter().map(|text| Cell::Text(minus(text)));
        std::iter::once(Cell::Text(figure.name.into())).chain(texts).collect()
    });
    section("Figures", &format!("<div class=\"words\">{}</div>", table(&head, &rows.collect::<Vec<_>>())))
}

fn heads(comparison: &Comparison) -> Vec<&str> {
    std::iter::once("").chain(comparison.names.iter().map(String::as_str)).collect()
}

/// All runs on one axis of days: those of any of them, in their order.
fn equity(comparison: &Comparison) -> String {
    let mut dates: Vec<NaiveDate> =
        comparison.runs.iter().flat_map(|run| &run.days).map(|day| day.0).collect();
    dates.sort();
    dates.dedup();
    if dates.is_empty() {
        return section("Sum of the days", &paragraph("No run has a day."));
    }
    // How each run stood after each of the dates; before its first day and after its last there is no line.
    let sums: Vec<Vec<Option<f64>>> = comparison
        .runs
        .iter()
        .map(|run| {
            let (mut days, mut sum) = (run.days.iter().peekable(), 0.0);
            let at = |date: &NaiveDate| {
                let before = days.peek().is_some_and(|day| day.0 == run.days[0].0 && day.0 > *date);
                while let Some(day) = days.next_if(|day| day.0 <= *date) {
                    sum += day.1;
                }
                let after = run.days.last().is_none_or(|last| last.0 < *date);
                (!before && !after).then_some(sum)
            };
            dates.iter().map(at).collect()
        })
        .collect();
    let all = || sums.iter().flatten().flatten().copied();
    let mut chart = Chart::new(
        "Sum of the days' results",
        240.0,
        Axis::nice(all().fold(0.0, f64::min), all().fold(0.0, f64::max), 4.0),
        dollars,
    );
    let place = |index: usize| (index as f64 + 0.5) / dates.len() as f64;
    let step = dates.len().div_ceil(POINTS).max(1);
    for (sums, class) in sums.iter().zip(LINES.iter().cycle()) {
        let known =
            sums.iter().enumerate().step_by(step).filter_map(|(index, sum)| Some((place(index), (*sum)?)));
        let mut points: Vec<_> = known.collect();
        // Every run begins at 0, half a day before its first.
        let begins = points.first().map(|first| (first.0 - 0.5 / dates.len() as f64, 0.0));
        points.splice(0..0, begins);
        chart.line(class, &points);
    }
    let tip = |index: usize| {
        let each = comparison.names.iter().zip(&sums).map(|(name, sums)| {
            // A bar would end the tip.
            format!("{} {}", name.replace('|', " "), words::or_dash(sums[index], signed_usd))
        });
        format!("{}  {}", dates[index], each.collect::<Vec<_>>().join("  "))
    };
    chart.tips((0..dates.len()).step_by(step).map(tip).collect());
    let apart = dates.len().div_ceil(4).max(1);
    (0..dates.len()).step_by(apart).for_each(|index| chart.below(place(index), &dates[index].to_string()));
    let name = |(name, class): (&String, &&str)| format!("<span class=\"{class}\">{}</span>", escape(name));
    let legend: String = comparison.names.iter().zip(LINES.iter().cycle()).map(name).collect();
    section("Sum of the days", &format!("{}<p class=\"legend\">{legend}</p>\n", chart.render()))
}

fn paired(comparison: &Comparison) -> String {
    let lines: String = comparison
        .paired
        .iter()
        .map(|paired| paragraph(&minus(&format!("{}.", words::capital(&paired.sentence())))))
        .collect();
    let text = "Of the days that both have, paired: what the market did to both is no part of it. Intervals by 2,000 stationary \
                resamples of whole days (BCa, 95 %), from 20 days on. Of several runs one is best by chance: mes-lab optimize says \
                how much of that is luck.";
    let lines = if lines.is_empty() { paragraph("No day that two of them have in common.") } else { lines };
    section("Day by day", &(lines + &format!("<p class=\"caption\">{}</p>\n", escape(text))))
}

fn differs(comparison: &Comparison) -> String {
    if comparison.differs.is_empty() {
        return section("What they were made with", &paragraph("The same settings, rules, model and input."));
    }
    let rows = comparison.differs.iter().map(|differs| {
        let values = differs.values.iter().map(|value| Cell::Text(shown(value)));
        std::iter::once(Cell::Text(differs.key.clone())).chain(values).collect()
    });
    let rows: Vec<_> = rows.collect();
    section(
        "What differs in how they were made",
        &format!("<div class=\"words\">{}</div>", table(&heads(comparison), &rows)),
    )
}
