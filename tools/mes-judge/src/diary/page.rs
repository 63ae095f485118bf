//! The days as a page: a calendar, the equity, the control chart, a table.

use std::fmt::Write as _;

use chrono::{Datelike, NaiveDate, TimeDelta};
use mes_page::{
    data,
    html::{colour, escape, minus, paragraph, section},
    sortable::{Column, Value, sortable},
    svg::{Axis, Chart},
};

use super::{Day, Diary, Drift};
use crate::{
    report::{charts::dollars, frame},
    words::{self, or_dash, signed_usd, usd},
};

/// Writes the whole page.
pub fn page(diary: &Diary) -> String {
    let net: f64 = diary.followed().map(|day| day.net_usd).sum();
    let mut body = format!(
        "<header>\n<span class=\"badge\">{}</span><h1 class=\"{}\">{}</h1>\n{}</header>\n",
        escape(&words::capital(diary.followed)),
        colour(net),
        escape(&minus(&words::capital(&diary.verdict()))),
        frame::notes(&diary.warnings())
    );
    body += &drift(diary);
    body += &calendar(diary);
    body += &equity(diary);
    body += &days(diary);
    body += &data("days", &serde_json::to_string(diary).unwrap_or_default());
    mes_page::page("mes days", &body)
}

fn drift(diary: &Diary) -> String {
    let heading = "Is it still what the backtest was?";
    let body = match (&diary.expectation, &diary.drift) {
        (None, _) => paragraph("No backtest was named to compare with: mes-bt days --against RUN."),
        (Some(expected), None) => {
            paragraph(&minus(&format!("Expected: {}. No trade to compare.", expected.sentence())))
        }
        (Some(expected), Some(drift)) => {
            let class = if drift.signalled.is_some() { " class=\"loss\"" } else { "" };
            let said =
                format!("<p{class}><strong>{}.</strong></p>\n", escape(&words::capital(&drift.sentence())));
            let lines =
                [format!("Expected: {}.", expected.sentence()), format!("Made: {}.", drift.standing())];
            let method = format!("<p class=\"caption\">{}</p>\n", escape(&drift.method()));
            said + &lines.map(|line| paragraph(&minus(&line))).concat() + &chart(diary, drift) + &method
        }
    };
    section(heading, &body)
}

fn chart(diary: &Diary, drift: &Drift) -> String {
    let count = drift.sums.len();
    let place = |index: usize| (index as f64 + 0.5) / count as f64;
    let line: Vec<_> = drift.sums.iter().enumerate().map(|(index, sum)| (place(index), *sum)).collect();
    let high = drift.sums.iter().copied().fold(drift.h * 1.1, f64::max);
    let mut chart =
        Chart::new("How far results fall behind the backtest", 190.0, Axis::nice(0.0, high, 4.0), |value| {
            format!("{value}")
        });
    chart.line("drawdown", &line);
    chart.level("limit", drift.h, "signal");
    if let Some((trade, ts)) = &drift.signalled {
        chart.mark("died", place(trade - 1), &format!("signalled at trade {trade}, {ts}"));
    }
    let tip = |(index, net): (usize, &super::Net)| {
        format!(
            "trade {}, {}  {}, sum {:.2}",
            index + 1,
            words::new_york(net.ts),
            signed_usd(net.usd),
            drift.sums[index]
        )
    };
    chart.tips(diary.nets.iter().enumerate().map(tip).collect());
    let step = count.div_ceil(4).max(1);
    (0..count).step_by(step).for_each(|index| chart.below(place(index), &format!("trade {}", index + 1)));
    chart.render()
}

/// A month after the other, each day with its date, its net and its trades.
fn calendar(diary: &Diary) -> String {
    let dates = diary.dates();
    let most = dates.iter().map(|date| date.1.abs()).fold(0.0, f64::max);
    let mut months: Vec<(NaiveDate, String)> = Vec::new();
    let mut at = 0;
    while let Some((first, ..)) = dates.get(at) {
        let same = |date: &NaiveDate| (date.year(), date.month()) == (first.year(), first.month());
        let until =
            dates[at..].iter().position(|date| !same(&date.0)).map_or(dates.len(), |length| at + length);
        months.push((*first, month(&dates[at..until], most)));
        at = until;
    }
    let months = months
        .iter()
        .map(|(first, table)| format!("<div><h3>{}</h3>\n{table}</div>\n", first.format("%B %Y")));
    section("Calendar", &format!("<div class=\"two\">{}</div>\n", months.collect::<String>()))
}

fn month(dates: &[(NaiveDate, f64, usize)], most: f64) -> String {
    let mut out = String::from("<div class=\"scroll\"><table class=\"month\"><thead><tr>");
    ["Mon", "Tue", "Wed", "Thu", "Fri"].iter().for_each(|name| {
        let _ = write!(out, "<th>{name}</th>");
    });
    out += "</tr></thead><tbody>\n";
    let Some(first) = dates.first().and_then(|date| date.0.with_day(1)) else { return String::new() };
    let mut monday = first - TimeDelta::days(i64::from(first.weekday().num_days_from_monday()));
    // A month that begins on a weekend has no day in that week.
    if first.weekday().num_days_from_monday() > 4 {
        monday += TimeDelta::days(7);
    }
    while (monday.year(), monday.month()) <= (first.year(), first.month()) {
        out += "<tr>";
        for weekday in 0..5 {
            let date = monday + TimeDelta::days(weekday);
            let found = dates.iter().find(|found| found.0 == date);
            let _ = match found {
                Some((_, net, trades)) => write!(out, "{}", cell(date, *net, *trades, most)),
                None if date.month() == first.month() => {
                    write!(out, "<td><small>{}</small></td>", date.day())
                }
                None => write!(out, "<td class=\"none\"></td>"),
            };
        }
        out += "</tr>\n";
        monday += TimeDelta::days(7);
    }
    out + "</tbody></table></div>\n"
}

fn cell(date: NaiveDate, net: f64, trades: usize, most: f64) -> String {
    let class = if net > 0.0 {
        "won"
    } else if net < 0.0 {
        "lost"
    } else {
        "flat"
    };
    let share = if most > 0.0 { net.abs() / most } else { 0.0 };
    let amount = minus(&signed_usd(net).replace('$', ""));
    let title = format!("{date}: {} in {}", signed_usd(net), words::count(trades as u64, "trade"));
    format!(
        "<td class=\"{class}\" style=\"--share:{share:.2}\" title=\"{}\"><small>{}</small><b>{}</b><small>{trades} tr.</small></td>",
        escape(&title),
        date.day(),
        escape(&amount)
    )
}

fn equity(diary: &Diary) -> String {
    let dates = diary.dates();
    if dates.is_empty() {
        return section("Equity", &paragraph("No day of this kind of account."));
    }
    let mut sum = 0.0;
    let mut line = vec![(0.0, 0.0)];
    let mut tips = Vec::new();
    for (index, (date, net, trades)) in dates.iter().enumerate() {
        sum += net;
        line.push(((index + 1) as f64 / dates.len() as f64, sum));
        let count = words::count(*trades as u64, "trade");
        tips.push(format!("{date}  {} in {count}, {} in all", signed_usd(*net), signed_usd(sum)));
    }
    let (low, high) =
        line.iter().fold((0.0_f64, 0.0_f64), |(low, high), point| (low.min(point.1), high.max(point.1)));
    let mut chart = Chart::new("Sum of the days' results", 200.0, Axis::nice(low, high, 4.0), dollars);
    chart.line("equity", &line);
    chart.tips(tips);
    let step = dates.len().div_ceil(4).max(1);
    let place = |index: usize| (index as f64 + 0.5) / dates.len() as f64;
    dates
        .iter()
        .enumerate()
        .step_by(step)
        .for_each(|(index, date)| chart.below(place(index), &date.0.to_string()));
    section("Sum of the days", &chart.render())
}

const COLUMNS: [Column; 10] = [
    Column::text("Day"),
    Column::choice("Account"),
    Column::number("Trades"),
    Column::number("Net"),
    Column::number("Equity"),
    Column::number("Slippage, ticks"),
    Column::number("File"),
    Column::number("Limits"),
    Column::number("Errors"),
    Column::text("Journal"),
];

fn days(diary: &Diary) -> String {
    let rows: Vec<(usize, Vec<Value>)> = diary.days.iter().rev().map(|day| (0, cells(day))).collect();
    let text = "Slippage: ticks by which fills at market and at stops were worse than the open of their row or their stop; beside \
                it what the costs file takes.";
    let table = sortable("Days", &COLUMNS, &rows, false);
    section("Days", &(table + &format!("<p class=\"caption\">{}</p>\n", escape(text))))
}

fn cells(day: &Day) -> Vec<Value> {
    let ticks = |ticks: Option<f64>| Value {
        text: or_dash(ticks, |ticks| format!("{ticks:.2}")),
        by: ticks,
        signed: false,
    };
    let count = |count: f64| Value::number(count, format!("{count}"));
    let notes = [(!day.whole, " (cut off)"), (!day.alike, " (other rules or model)")];
    let notes: String = notes.into_iter().filter_map(|(is, note)| is.then_some(note)).collect();
    vec![
        Value::text(day.date.to_string()),
        Value::text(day.account_kind),
        count(day.trades as f64),
        Value::signed(day.net_usd, signed_usd(day.net_usd)),
        Value::number(day.end_usd, usd(day.end_usd)),
        ticks(day.slippage_ticks),
        ticks(day.expected_ticks),
        count(day.limits as f64),
        count(day.errors as f64),
        Value::text(format!("{}{notes}", day.journal)),
    ]
}
