//! What is drawn, from what.

use chrono::{Datelike, NaiveDate};
use mes_core::{limits::is_death, money::Cents, tz, vocabulary::short};

use super::{
    html::colour,
    svg::{Axis, Chart, nice_step},
};
use crate::{
    facts::{Facts, Point},
    metrics::{costs::CostMetrics, hours::Hour},
    words::{self, signed_usd, usd},
};

/// More points than this no screen shows apart.
const POINTS: usize = 800;

/// Writes an amount for an axis: no cents where there are none.
pub fn dollars(value: f64) -> String {
    // Beside a chart there is room for eight letters.
    let short = |by: f64, least: usize, most: usize, unit: &str| {
        let text = format!("{:.most$}", value.abs() / by);
        let point = text.find('.').unwrap_or(text.len());
        let kept = text.trim_end_matches('0').len().max(if least > 0 { point + 1 + least } else { point });
        format!("{}${}{unit}", if value < 0.0 { "−" } else { "" }, text[..kept].trim_end_matches('.'))
    };
    match value.abs() {
        amount if amount >= 1e6 => return short(1e6, 1, 4, "M"),
        amount if amount >= 1e5 => return short(1e3, 0, 3, "k"),
        _ => {}
    }
    let text = usd(value);
    text.strip_suffix(".00").unwrap_or(&text).replace('-', "−")
}

/// Thins the curve out evenly; what is left out is in the drawdown of the point after.
fn thin(curve: &[Point]) -> Vec<Point> {
    let step = curve.len().div_ceil(POINTS).max(1);
    let groups = curve.chunks(step).filter_map(|group| {
        let last = *group.last()?;
        let drawdown_cents = group.iter().map(|point| point.drawdown_cents).max()?;
        Some(Point { drawdown_cents, ..last })
    });
    groups.collect()
}

/// Equity, and under it the drawdown on the same axis of time; empty without rows.
pub fn equity(facts: &Facts) -> String {
    let Some(run) = &facts.run else { return String::new() };
    let points = thin(&facts.curve);
    if points.is_empty() {
        return String::new();
    }
    let start = facts.start();
    let place = |index: usize| (index as f64 + 0.5) / points.len() as f64;
    let line: Vec<_> =
        points.iter().enumerate().map(|(index, point)| (place(index), point.equity_cents.usd())).collect();
    let peaks: Vec<_> = line
        .iter()
        .zip(&points)
        .map(|((place, _), point)| (*place, point.peak_cents.max(start).usd()))
        .collect();
    let low = line.iter().map(|(_, value)| *value).fold(start.usd(), f64::min);
    let high = peaks.iter().map(|(_, value)| *value).fold(start.usd(), f64::max);
    let tips: Vec<String> = points.iter().map(tip).collect();

    let mut above = Chart::new("Equity over time", 240.0, Axis::nice(low, high, 4.0), dollars);
    above.area("under", &peaks, &line);
    above.line("peak", &peaks);
    above.line("equity", &line);
    above.level("level", start.usd(), "start");
    above.tips(tips.clone());

    let limit = run.rules.value.limits.account_drawdown_usd;
    let falls: Vec<_> =
        points.iter().enumerate().map(|(index, point)| (place(index), -point.drawdown_cents.usd())).collect();
    let zero: Vec<_> = falls.iter().map(|(place, _)| (*place, 0.0)).collect();
    let deepest = falls.iter().map(|(_, value)| *value).fold(-1.0, f64::min);
    // The limit belongs into the picture once it is in sight.
    let near = -deepest * 3.0 >= limit;
    let bottom = if near { deepest.min(-limit) } else { deepest };
    let mut under = Chart::new("Drawdown from the peak", 130.0, Axis::nice(bottom, 0.0, 3.0), dollars);
    under.area("fall", &zero, &falls);
    under.line("drawdown", &falls);
    if near {
        under.level("limit", -limit, &format!("limit {}", dollars(limit)));
    }
    under.tips(tips);
    for (index, text) in dates(&points) {
        under.below(place(index), &text);
    }
    for alert in facts.alerts.iter().filter(|alert| is_death(&alert.rule)) {
        let index = points.partition_point(|point| point.ts < alert.ts).min(points.len() - 1);
        above.mark("died", place(index), &short(&alert.rule));
    }
    above.render() + "<p class=\"caption\">Drawdown from the peak, bar by bar</p>" + &under.render()
}

/// Says where equity stood at the end of a stretch, and how deep it was below its peak within.
fn tip(point: &Point) -> String {
    let (at, equity) = (words::new_york(point.ts), point.equity_cents);
    let below = point.peak_cents - equity;
    let stands = match below {
        Cents::ZERO => "at its high".to_owned(),
        below => format!("{below} below its high"),
    };
    match point.drawdown_cents {
        deepest if deepest > below => {
            format!("{at} New York  {equity}, {stands}; up to {deepest} below it before")
        }
        _ => format!("{at} New York  {equity}, {stands}"),
    }
}

/// Picks up to four points at which a new day begins, and their dates.
fn dates(points: &[Point]) -> Vec<(usize, String)> {
    let day = |point: &Point| tz::new_york(point.ts - 1).date();
    let firsts: Vec<usize> = (0..points.len())
        .filter(|&index| index == 0 || day(&points[index]) != day(&points[index - 1]))
        .collect();
    let step = firsts.len().div_ceil(4).max(1);
    firsts.iter().step_by(step).map(|&index| (index, day(&points[index]).to_string())).collect()
}

/// The profit or loss of every day.
pub fn days(facts: &Facts) -> String {
    let days = &facts.days;
    let nets: Vec<f64> = days.iter().map(|day| (day.end_cents - day.start_cents).usd()).collect();
    let limit = facts.run.as_ref().map_or(0.0, |run| run.rules.value.limits.daily_loss_usd);
    let low = nets.iter().copied().fold(0.0, f64::min);
    let high = nets.iter().copied().fold(0.0, f64::max);
    let near = -low * 2.0 >= limit;
    let bottom = if near { low.min(-limit) } else { low };
    let mut chart = Chart::new("Profit or loss of each day", 170.0, Axis::nice(bottom, high, 4.0), dollars);
    let width = 1.0 / nets.len().max(1) as f64;
    let step = nets.len().div_ceil(4).max(1);
    let mut tips = Vec::new();
    for (index, (net, day)) in nets.iter().zip(days).enumerate() {
        let left = index as f64 * width;
        let fall = usd(day.drawdown_cents.usd());
        let title = format!("{}  {}, drawdown {fall}", day.date.format("%a %Y-%m-%d"), signed_usd(*net));
        if *net != 0.0 {
            chart.bar(colour(*net), (left + width * 0.12, left + width * 0.88), (0.0, *net), &title);
        }
        if index % step == 0 {
            chart.below(left + width / 2.0, &day.date.to_string());
        }
        tips.push(title);
    }
    if near {
        chart.level("limit", -limit, &format!("daily loss limit {}", dollars(limit)));
    }
    chart.tips(tips);
    chart.render()
}

/// How many trades made or lost how much.
pub fn histogram(facts: &Facts) -> String {
    let nets: Vec<f64> = facts.trades.iter().map(|trade| trade.net_cents.usd()).collect();
    let low = nets.iter().copied().fold(0.0, f64::min);
    let high = nets.iter().copied().fold(0.0, f64::max);
    let step = nice_step(((high - low) / 24.0).max(0.5));
    let first = (low / step).floor();
    let bins = ((high / step).floor() - first) as usize + 1;
    let mut counts = vec![0_u32; bins];
    for net in &nets {
        counts[((net / step).floor() - first) as usize] += 1;
    }
    let most = f64::from(counts.iter().copied().max().unwrap_or_default());
    let unit = |value: f64| if value % 1.0 == 0.0 { format!("{value}") } else { String::new() };
    let mut chart = Chart::new("Trades by net", 170.0, Axis::nice(0.0, most, 4.0), unit);
    let width = 1.0 / bins as f64;
    let mut tips = Vec::new();
    for (index, count) in counts.iter().enumerate() {
        let (left, from) = (index as f64 * width, (first + index as f64) * step);
        let range = format!("{} to {}", usd(from), usd(from + step));
        let title = format!("{}  {}", range, words::count(u64::from(*count), "trade"));
        if *count > 0 {
            let class = if from < 0.0 { "loss" } else { "gain" };
            chart.bar(class, (left + width * 0.06, left + width * 0.94), (0.0, f64::from(*count)), &title);
        }
        tips.push(title);
    }
    let every = nice_step(bins as f64 * step / 4.0);
    let from = (first * step / every).ceil() as i64;
    let until = ((first + bins as f64) * step / every).floor() as i64;
    for tick in from..=until {
        let value = tick as f64 * every;
        chart.below((value / step - first) * width, &dollars(value));
    }
    chart.tips(tips);
    chart.render()
}

/// Net by the New York hour of the entry.
pub fn hours(hours: &[Hour]) -> String {
    let (Some(first), Some(last)) = (hours.first(), hours.last()) else { return String::new() };
    let low = hours.iter().map(|hour| hour.net_usd).fold(0.0, f64::min);
    let high = hours.iter().map(|hour| hour.net_usd).fold(0.0, f64::max);
    let mut chart = Chart::new("Net by New York hour", 170.0, Axis::nice(low, high, 4.0), dollars);
    let shown = last.hour_new_york - first.hour_new_york + 1;
    let width = 1.0 / f64::from(shown);
    let mut tips = Vec::new();
    for clock in first.hour_new_york..=last.hour_new_york {
        let left = f64::from(clock - first.hour_new_york) * width;
        let found = hours.iter().find(|hour| hour.hour_new_york == clock);
        let (net, trades) = found.map_or((0.0, 0), |hour| (hour.net_usd, hour.trades));
        let each = words::or_dash(found.and_then(|hour| hour.expectancy_usd), signed_usd);
        let count = words::count(trades as u64, "trade");
        let title = format!("{clock}:00  {} in {count}, {each} each", signed_usd(net));
        if trades > 0 {
            chart.bar(colour(net), (left + width * 0.12, left + width * 0.88), (0.0, net), &title);
        }
        chart.below(left + width / 2.0, &clock.to_string());
        tips.push(title);
    }
    chart.tips(tips);
    chart.render()
}

/// From what the signals made to what was left.
pub fn costs(costs: &CostMetrics) -> String {
    let (before, gross, net) = (costs.before_costs_usd, costs.gross_usd, costs.net_usd);
    let crossed = before - costs.spread_usd;
    let steps = [
        ("Before", (0.0, before), colour(before)),
        ("Spread", (before, crossed), "cost"),
        ("Slippage", (crossed, gross), "cost"),
        ("Commission", (gross, net), "cost"),
        ("Net", (0.0, net), colour(net)),
    ];
    let all = [0.0, before, crossed, gross, net];
    let low = all.into_iter().fold(0.0, f64::min);
    let high = all.into_iter().fold(0.0, f64::max);
    // Room for the amounts over and under the bars.
    let room = (high - low) * 0.12;
    let axis =
        Axis::nice(if low < 0.0 { low - room } else { 0.0 }, if high > 0.0 { high + room } else { 0.0 }, 4.0);
    let mut chart = Chart::new("What trading cost", 200.0, axis, dollars);
    for (index, (name, (from, to), class)) in steps.into_iter().enumerate() {
        let (left, change) = (index as f64 * 0.2, to - from);
        let written = |change: f64| signed_usd(change).replace('-', "−");
        let (text, whole) = (written(change), written(change.round()));
        chart.bar(class, (left + 0.02, left + 0.18), (from, to), &format!("{name}  {text}"));
        let up = change > 0.0 || (change == 0.0 && low == 0.0);
        chart.text(left + 0.1, to, up, [&text, whole.trim_end_matches(".00")]);
        chart.name(left + 0.1, name);
    }
    chart.render()
}

/// The nets of the days as a calendar: weeks while they fit, else months.
pub fn calendar(facts: &Facts) -> String {
    let months = facts.days.len() > 130;
    let head: Vec<String> = if months {
        (1..=12)
            .filter_map(|month| NaiveDate::from_ymd_opt(2000, month, 1))
            .map(|d| d.format("%b").to_string())
            .collect()
    } else {
        ["Mon", "Tue", "Wed", "Thu", "Fri"].map(str::to_owned).into()
    };
    let key = |date: NaiveDate| match months {
        true => (date.year().to_string(), date.month0() as usize),
        false => {
            let monday = date - chrono::TimeDelta::days(i64::from(date.weekday().num_days_from_monday()));
            (monday.to_string(), date.weekday().num_days_from_monday() as usize)
        }
    };
    let mut rows: Vec<(String, Vec<Option<Cents>>)> = Vec::new();
    for day in &facts.days {
        let (row, column) = key(day.date);
        if rows.last().is_none_or(|(name, _)| *name != row) {
            rows.push((row, vec![None; head.len()]));
        }
        if let Some(cell) = rows.last_mut().and_then(|(_, cells)| cells.get_mut(column)) {
            *cell = Some(cell.unwrap_or_default() + day.end_cents - day.start_cents);
        }
    }
    grid(&head, &rows)
}

fn grid(head: &[String], rows: &[(String, Vec<Option<Cents>>)]) -> String {
    let mut out = String::from("<div class=\"scroll\"><table class=\"calendar\"><thead><tr><th></th>");
    for name in head {
        out += &format!("<th class=\"n\">{name}</th>");
    }
    out += "<th class=\"n\">Sum</th></tr></thead><tbody>\n";
    // A narrow screen shows whole dollars, rounded.
    let amount = |cents: Cents| {
        let text = |usd: f64| signed_usd(usd).replace('$', "").replace('-', "−");
        let (exact, rounded) = (text(cents.usd()), text(cents.usd().round()));
        match cents {
            Cents::ZERO => "0".to_owned(),
            _ => format!("<span>{exact}</span><b>{}</b>", rounded.trim_end_matches(".00")),
        }
    };
    for (name, cells) in rows {
        out += &format!("<tr><th>{name}</th>");
        for cell in cells {
            out += &match cell {
                None => "<td></td>".to_owned(),
                Some(net) => format!("<td class=\"n {}\">{}</td>", colour(net.usd()), amount(*net)),
            };
        }
        let sum: Cents = cells.iter().flatten().copied().sum();
        out += &format!("<td class=\"n sum {}\">{}</td></tr>\n", colour(sum.usd()), amount(sum));
    }
    out + "</tbody></table></div>\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn amounts_fit_beside_a_chart() {
        for (value, want) in [
            (0.0, "$0"),
            (-96.5, "−$96.50"),
            (50_000.0, "$50,000"),
            (100_000.0, "$100k"),
            (-999_800.0, "−$999.8k"),
            (1e6, "$1.0M"),
            (1_000_200.0, "$1.0002M"),
            (-2_500_000.0, "−$2.5M"),
            (20_000_000.0, "$20.0M"),
        ] {
            assert_eq!(dollars(value), want);
        }
    }

    /// What stands at its high is not down; how deep it was before is told apart.
    #[test]
    fn a_point_is_not_at_its_high_and_down_at_once() {
        let point = |equity, fall| Point {
            ts: sample::START,
            equity_cents: Cents(equity),
            peak_cents: Cents(101_250),
            drawdown_cents: Cents(fall),
        };
        let at = format!("{} New York", words::new_york(sample::START));
        let high = format!("{at}  $1,012.50, at its high");
        assert_eq!(tip(&point(101_250, 1_750)), format!("{high}; up to $17.50 below it before"));
        assert_eq!(tip(&point(101_250, 0)), high);
        assert_eq!(tip(&point(100_000, 1_250)), format!("{at}  $1,000.00, $12.50 below its high"));
    }

    #[test]
    fn a_narrow_calendar_rounds() {
        let page = calendar(&sample::facts(&[-9692, 40]));
        assert!(page.contains("<span>−96.92</span><b>−97</b>"), "{page}");
        assert!(page.contains("<span>+0.40</span><b>0</b>"), "{page}");
    }
}
