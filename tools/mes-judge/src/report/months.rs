//! What months made, and how the Sharpe ratio went: what a trader asks of a longer record.

use chrono::{Datelike, NaiveDate};
use mes_core::money::Cents;

use super::{
    html::{colour, escape, minus, paragraph, section},
    svg::{Axis, Chart},
};
use crate::{
    facts::{DayResult, Facts},
    metrics::returns::{YEAR, daily},
    stats::{moments::Track, sharpe_error::mertens},
    words::{self, or_dash, percent, signed_usd, two},
};

/// Days of a rolling Sharpe ratio: fewer have no interval anywhere on these pages.
pub const WINDOW: usize = crate::evidence::FEWEST_SESSIONS;
/// The normal quantile of 95 %.
const Z: f64 = 1.959_963_984_540_054;

/// What some days on end made.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Made {
    net: Cents,
    /// Equity as they began; absent where it was 0 or less.
    start: Option<Cents>,
}

impl Made {
    fn add(&mut self, day: &DayResult) {
        if *self == Made::default() {
            self.start = Some(day.start_cents).filter(|start| *start > Cents::ZERO);
        }
        self.net += day.end_cents - day.start_cents;
    }

    fn cell(&self, class: &str) -> String {
        let ratio = self.start.map(|start| self.net.usd() / start.usd());
        let (net, share) = (minus(&signed_usd(self.net.usd())), minus(&or_dash(ratio, percent)));
        format!(
            "<td class=\"n {class} {}\">{}<small>{share}</small></td>",
            colour(self.net.usd()),
            escape(&net)
        )
    }
}

/// A table of years and months: net, and the share of the equity that the month began with.
pub fn months(facts: &Facts) -> String {
    let mut years: Vec<(i32, [Option<Made>; 12], Made)> = Vec::new();
    for day in &facts.days {
        let (year, month) = (day.date.year(), day.date.month0() as usize);
        if years.last().is_none_or(|last| last.0 != year) {
            years.push((year, [None; 12], Made::default()));
        }
        if let Some((_, months, whole)) = years.last_mut() {
            months[month].get_or_insert_default().add(day);
            whole.add(day);
        }
    }
    if years.is_empty() {
        return String::new();
    }
    // Months that no year has would only push the others out of sight.
    let shown: Vec<usize> =
        (0..12).filter(|month| years.iter().any(|year| year.1[*month].is_some())).collect();
    let name = |month: &usize| {
        let first = NaiveDate::from_ymd_opt(2000, *month as u32 + 1, 1).unwrap_or_default();
        format!("<th class=\"n\">{}</th>", first.format("%b"))
    };
    let head: String = shown.iter().map(name).collect();
    let mut out = format!(
        "<div class=\"scroll\"><table class=\"months\"><thead><tr><th></th>{head}<th class=\"n\">Year</th></tr></thead><tbody>\n"
    );
    for (year, months, whole) in &years {
        let cell = |month: &usize| months[*month].map_or("<td></td>".to_owned(), |made| made.cell(""));
        let cells: String = shown.iter().map(cell).collect();
        out += &format!("<tr><th>{year}</th>{cells}{}</tr>\n", whole.cell("sum"));
    }
    section("Months", &(out + "</tbody></table></div>\n"))
}

/// One window: its last day, the yearly ratio and its standard error.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Rolled {
    date: NaiveDate,
    sharpe: f64,
    error: Option<f64>,
}

/// Rolls over the days; a window without a spread has no ratio, and is left out.
fn rolled(facts: &Facts) -> Vec<Rolled> {
    let Some(returns) = daily(&facts.days) else { return Vec::new() };
    let windows = returns.windows(WINDOW).zip(facts.days.iter().skip(WINDOW - 1));
    let roll = |(window, day): (&[f64], &DayResult)| {
        let track = Track::of(window)?;
        let error = mertens(&track).map(|error| error * YEAR.sqrt());
        Some(Rolled { date: day.date, sharpe: track.sharpe * YEAR.sqrt(), error })
    };
    windows.filter_map(roll).collect()
}

/// Draws the Sharpe ratio of the last [`WINDOW`] days, day by day, with where the true one lies.
pub fn rolling(facts: &Facts) -> String {
    let heading = format!("Sharpe of {WINDOW} days, rolling");
    let points = rolled(facts);
    if points.is_empty() {
        let days = words::count(facts.days.len() as u64, "day");
        let text = format!("Needs {WINDOW} trading days that differ; there are {days}.");
        return section(&heading, &paragraph(&text));
    }
    let place = |index: usize| (index as f64 + 0.5) / points.len() as f64;
    let band = |sign: f64| -> Vec<(f64, f64)> {
        let at = |(index, point): (usize, &Rolled)| {
            (place(index), point.sharpe + sign * Z * point.error.unwrap_or(0.0))
        };
        points.iter().enumerate().map(at).collect()
    };
    let (upper, lower) = (band(1.0), band(-1.0));
    let line: Vec<_> = points.iter().enumerate().map(|(index, point)| (place(index), point.sharpe)).collect();
    let low = lower.iter().map(|point| point.1).fold(0.0, f64::min);
    let high = upper.iter().map(|point| point.1).fold(0.0, f64::max);
    let mut chart =
        Chart::new(&heading, 170.0, Axis::nice(low, high, 4.0), |value| format!("{value}").replace('-', "−"));
    chart.area("band", &upper, &lower);
    chart.line("equity", &line);
    let tip = |point: &Rolled| {
        let range = point.error.map(|error| (point.sharpe - Z * error, point.sharpe + Z * error));
        format!("to {}  {}{}", point.date, two(point.sharpe), words::interval(range, two))
    };
    chart.tips(points.iter().map(tip).collect());
    let step = points.len().div_ceil(4).max(1);
    points
        .iter()
        .enumerate()
        .step_by(step)
        .for_each(|(index, point)| chart.below(place(index), &point.date.to_string()));
    let text = format!(
        "Of the {WINDOW} trading days up to each, a year; the band holds the true one with 95 %, by the error of Mertens \
         (2002) for independent days. Neighbours share all days but one: a wave in it is no season."
    );
    section(&heading, &(chart.render() + &format!("<p class=\"caption\">{}</p>\n", escape(&text))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{metrics::returns::Returns, sample};

    #[test]
    fn months_add_up_and_know_what_they_began_with() {
        let facts = sample::facts(&[1000; 40]);
        let page = months(&facts);
        // November 2026 has 21 of them, from $1,000; December 18 more, from $1,210: one fell on a holiday.
        for part in [
            "<th class=\"n\">Nov</th><th class=\"n\">Dec</th>",
            "+$210.00<small>21.0 %",
            "+$180.00<small>14.9 %",
            "+$390.00<small>39.0 %",
        ] {
            assert!(page.contains(part), "{part} in {page}");
        }
        assert_eq!(months(&sample::facts(&[])), "");
    }

    #[test]
    fn a_window_is_what_its_days_are() {
        let nets: Vec<i64> = (0..50).map(|index| index * 7919 % 3001 - 1500).collect();
        let facts = sample::facts(&nets);
        let points = rolled(&facts);
        assert_eq!(points.len(), facts.days.len() - WINDOW + 1);
        let last = daily(&facts.days[facts.days.len() - WINDOW..]).expect("returns");
        let want = Returns::of_daily(&last).sharpe.expect("a ratio");
        let point = points.last().expect("a point");
        assert!(
            (point.sharpe - want).abs() < 1e-12 && point.error.is_some_and(|error| error > 0.0),
            "{point:?}"
        );
        assert!(rolling(&facts).contains("95 % from"));
    }

    #[test]
    fn fewer_days_than_a_window_are_said() {
        for nets in [&[][..], &[100; 19], &[0; 30]] {
            let page = rolling(&sample::facts(nets));
            assert!(page.contains("Needs 20 trading days") && !page.contains("<svg"), "{page}");
        }
    }
}
