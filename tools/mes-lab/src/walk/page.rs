//! The walk-forward as a page: what nothing had seen, stitched, and each fold fitted against unseen.

use mes_page::{
    html::{Cell, colour, escape, facts, paragraph, section, table},
    svg::{Axis, Chart},
};
use mes_pipe::Settings;

use super::{
    fold::Side,
    outcome::{Outcome, Point},
    table::{figures, first_date, last_date, sharpe_from},
};
use mes_judge::{
    report::{charts::dollars, frame},
    words::{self, or_dash, signed_usd, two, usd},
};

/// Writes the whole page.
pub fn page(outcome: &Outcome, settings: &Settings) -> String {
    let net = outcome.out_of_sample.net_usd;
    let title = words::capital(&outcome.verdict());
    let mut body = format!("<header>{}", outcome.origin.badge());
    let class = colour(net);
    let folds = words::count(outcome.folds.len() as u64, "fold");
    let days = words::count(outcome.out_of_sample.days as u64, "day");
    body += &format!("<h1 class=\"{class}\">{}</h1>", escape(&title.replace('-', "−")));
    body += &paragraph(&format!("{folds}, {days}; every fold begins with a new account"));
    for line in outcome.deaths().iter().chain(&outcome.out_of_sample.why_no_trade) {
        body += &format!("<p class=\"loss\">{}</p>\n", escape(&words::capital(line)));
    }
    body += &frame::notes(&outcome.warnings);
    body += "</header>\n";
    let named = |(name, value): (&'static str, String)| (words::capital(name), value);
    let rows: Vec<(String, String)> =
        figures(outcome, &outcome.out_of_sample).into_iter().map(named).collect();
    let rows: Vec<(&str, String)> = rows.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    body += &section("Figures", &facts(&rows));
    body += &section("Unseen days, stitched", &equity(outcome));
    body += &section("Fitted against unseen", &(folds_chart(outcome) + CAPTION + &folds_table(outcome)));
    let Settings { rules, costs, fills, .. } = settings;
    let last = outcome.points().last().map(|point| point.date);
    body += &frame::assumptions(&rules.value, &costs.value, fills, last, &[frame::RETURNS, FOLDS]);
    body += &frame::lineage(&outcome.lineage, &outcome.settings);
    mes_page::page("mes walk-forward", &body)
}

const FOLDS: &str = "Every fold begins with a new account. The drawdown of the stitched days is that of the sum of \
                     their results, bar by bar, open trades marked at what closing them would cost. An account that \
                     died has no days after its death.";
const CAPTION: &str = "<p class=\"caption\">Net a trading day of each fold: left on the rows it was fitted on, right on those it had not seen</p>";

/// More points than this no screen shows apart.
const POINTS: usize = 1_600;

/// Draws the sum of the days; of many, evenly the last of so many each.
fn equity(outcome: &Outcome) -> String {
    let step = outcome.out_of_sample.days.div_ceil(POINTS).max(1);
    let last_of_step =
        |(index, _): &(usize, Point)| (index + 1) % step == 0 || index + 1 == outcome.out_of_sample.days;
    let points: Vec<Point> =
        outcome.points().enumerate().filter(last_of_step).map(|(_, point)| point).collect();
    let sums: Vec<f64> = points.iter().map(|point| point.sum_cents.usd()).collect();
    let (low, high) = (sums.iter().copied().fold(0.0, f64::min), sums.iter().copied().fold(0.0, f64::max));
    let mut chart = Chart::new("Sum of unseen days", 240.0, Axis::nice(low, high, 4.0), dollars);
    let count = points.len().max(1) as f64;
    let place = |index: usize| (index as f64 + 0.5) / count;
    chart.line(
        "equity",
        &sums.iter().enumerate().map(|(index, sum)| (place(index), *sum)).collect::<Vec<_>>(),
    );
    for (index, point) in points.iter().enumerate() {
        if index == 0 || points[index - 1].fold != point.fold {
            chart.mark("level", index as f64 / count, &format!("fold {}", point.fold));
        }
    }
    for index in [0, points.len() / 2, points.len().saturating_sub(1)] {
        if let Some(point) = points.get(index) {
            chart.below(place(index), &point.date.to_string());
        }
    }
    let tip = |point: &Point| {
        let (net, sum) = (signed_usd(point.net_cents.usd()), signed_usd(point.sum_cents.usd()));
        format!("{} fold {}  {net}, {sum} in all", point.date, point.fold)
    };
    chart.tips(points.iter().map(tip).collect());
    chart.render()
}

fn folds_chart(outcome: &Outcome) -> String {
    let a_day = |side: &Side| side.net_per_day_usd.unwrap_or_default();
    let nets: Vec<[f64; 2]> =
        outcome.folds.iter().map(|fold| [a_day(&fold.in_sample), a_day(&fold.out_of_sample)]).collect();
    let (low, high) =
        nets.iter().flatten().fold((0.0_f64, 0.0_f64), |(low, high), net| (low.min(*net), high.max(*net)));
    let mut chart = Chart::new(
        "Net a trading day of each fold, fitted and unseen",
        200.0,
        Axis::nice(low, high, 4.0),
        dollars,
    );
    let width = 1.0 / nets.len().max(1) as f64;
    let mut tips = Vec::new();
    for (index, ([inside, outside], fold)) in nets.iter().zip(&outcome.folds).enumerate() {
        let left = index as f64 * width;
        let at = |from: f64, to: f64| (left + width * from, left + width * to);
        let (fitted, unseen) = (signed_usd(*inside), signed_usd(*outside));
        chart.bar("cost", at(0.12, 0.48), (0.0, *inside), &format!("fitted {fitted}"));
        let class = if *outside < 0.0 { "loss" } else { "gain" };
        chart.bar(class, at(0.52, 0.88), (0.0, *outside), &format!("unseen {unseen}"));
        tips.push(format!("fold {}  fitted {fitted} a day, unseen {unseen} a day", fold.fold.fold));
        chart.below(left + width / 2.0, &fold.fold.fold.to_string());
    }
    chart.tips(tips);
    chart.render()
}

/// What was unseen comes first: on a phone the rest is a scroll away.
fn folds_table(outcome: &Outcome) -> String {
    let row = |result: &super::fold::FoldResult| {
        let (inside, outside) = (&result.in_sample, &result.out_of_sample);
        vec![
            Cell::Number(result.fold.fold.to_string()),
            Cell::Signed(signed_usd(outside.net_usd), outside.net_usd),
            Cell::Number(or_dash(outside.net_per_day_usd, signed_usd)),
            Cell::Number(outside.trades.to_string()),
            Cell::Number(or_dash(outside.expectancy_usd, signed_usd)),
            Cell::Number(usd(outside.max_drawdown_usd)),
            Cell::Number(or_dash(outside.trades_per_day, two)),
            Cell::Number(outside.sharpe_words()),
            Cell::Number(or_dash(outside.sortino, two)),
            Cell::Text(format!("{} to {}", first_date(result), last_date(result))),
            Cell::Number(or_dash(inside.net_per_day_usd, signed_usd)),
            Cell::Number(or_dash(inside.trades_per_day, two)),
            Cell::Number(inside.sharpe_words()),
        ]
    };
    let head = [
        ">Fold",
        ">Unseen net",
        ">A day",
        ">Trades",
        ">A trade",
        ">Drawdown",
        ">Trades a day",
        ">Sharpe",
        ">Sortino",
        "Unseen days",
        ">Fitted, a day",
        ">Fitted trades a day",
        ">Fitted Sharpe",
    ];
    let caption = format!("<p class=\"caption\">{}</p>\n", escape(&words::capital(&sharpe_from())));
    table(&head, &outcome.folds.iter().map(row).collect::<Vec<_>>()) + &caption
}
