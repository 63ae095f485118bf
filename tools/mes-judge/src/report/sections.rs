//! The sections of the page, top to bottom.

use mes_core::vocabulary::short;
use std::fmt::Write as _;

use mes_core::time;

use super::{
    charts, frame,
    html::{Cell, colour, escape, facts, minus, paragraph, section, table},
};
use crate::{
    evidence::{Intervals, Range},
    facts::Facts,
    incidents::{self, Counted},
    metrics::{blocked::Blocked, trade::Split},
    summary::Summary,
    terminal::{chance, interval},
    words::{self, or_dash, percent, signed_usd, two, usd},
};

/// What it was and how it went, in words.
pub fn head(summary: &Summary) -> String {
    let mut out = String::from("<header>\n");
    if summary.account_died.is_some() {
        out += "<span class=\"badge died\">Account died</span>";
    }
    out += summary.origin.badge();
    let verdict = summary.verdict();
    let class = colour(summary.account.net_usd);
    let _ = writeln!(out, "<h1 class=\"{class}\">{}</h1>", escape(&words::capital(&verdict)));
    if let Some(death) = summary.death() {
        let _ = writeln!(out, "<p class=\"loss\">The {}.</p>", escape(&death));
    }
    let span = &summary.span;
    let [first, last] = span.dates();
    let line = format!(
        "{} to {} · {} bars of {} · session {} · rules {} · costs {} · from {} to {}",
        first,
        last,
        words::grouped(span.rows),
        span.interval,
        span.session,
        summary.settings.terms.rules,
        summary.settings.terms.costs,
        usd(summary.account.start_usd),
        usd(summary.account.end_usd)
    );
    let _ = writeln!(out, "<p>{}</p>", escape(&line));
    let _ = writeln!(out, "<p>Predictions {}.</p>", escape(&summary.metrics.predicted.sentence()));
    out += &frame::notes(&summary.warnings);
    out + "</header>\n"
}

/// The figures that are looked at first, each with what it rests on.
pub fn key_figures(summary: &Summary) -> String {
    let mut out = String::from("<dl class=\"key\">\n");
    for Figure { name, value, class, note } in money(summary).into_iter().chain(doubts(summary)) {
        let (value, note) = (escape(&minus(&value)), escape(&minus(&note)));
        let _ = writeln!(
            out,
            "<div><dt>{name}</dt><dd class=\"{class}\">{value}<small>{note}</small></dd></div>"
        );
    }
    out + "</dl>\n"
}

struct Figure {
    name: &'static str,
    value: String,
    class: &'static str,
    note: String,
}

/// What was made and lost.
fn money(summary: &Summary) -> Vec<Figure> {
    let metrics = &summary.metrics;
    let (trades, all, fall) = (&metrics.trades, &metrics.trades.all, &metrics.drawdown);
    let net = summary.account.net_usd;
    let figure = |name, value, class, note| Figure { name, value, class, note };
    let note = |text: String, of: fn(&Intervals) -> Range, write: fn(f64) -> String| {
        text + &interval(summary, of, write)
    };
    let capital = format!("{} of capital", or_dash(summary.account.net_ratio, percent));
    let risked = format!("{} per $1 at risk", or_dash(trades.net_per_risked_usd, signed_usd));
    vec![
        figure("Net", signed_usd(net), colour(net), note(capital, |all| all.net_usd, signed_usd)),
        figure(
            "Max drawdown",
            usd(fall.max_usd),
            "",
            format!("{} of the peak", or_dash(fall.max_ratio, percent)),
        ),
        figure(
            "Trades",
            words::grouped(all.trades as u64),
            "",
            format!("{} a day", or_dash(trades.per_day, two)),
        ),
        figure(
            "Costs",
            usd(metrics.costs.total_usd),
            "",
            format!("{} a trade", or_dash(metrics.costs.per_trade_usd, usd)),
        ),
        figure(
            "Average trade",
            or_dash(all.expectancy_usd, signed_usd),
            colour(all.expectancy_usd.unwrap_or_default()),
            note(risked, |all| all.expectancy_usd, signed_usd),
        ),
        figure("Wins", or_dash(all.win_ratio, percent), "", note(wins(all), |all| all.win_ratio, percent)),
        figure(
            "Profit factor",
            or_dash(all.profit_factor, two),
            "",
            note("won per dollar lost".into(), |all| all.profit_factor, two),
        ),
    ]
}

/// How much of it may be luck, and how much is not known.
fn doubts(summary: &Summary) -> Vec<Figure> {
    let trades = &summary.metrics.trades;
    let sharpe = summary.sharpe();
    let skill = summary.evidence.skill.as_ref().map(|skill| skill.p_value);
    let figure = |name, value, note: String| Figure { name, value, class: "", note };
    let bare = |note: String| note.trim_matches(['(', ')']).to_owned();
    let mut figures = vec![
        figure("Sharpe, a year", or_dash(sharpe.sharpe, two), bare(sharpe.note())),
        figure("Random entries as good", or_dash(skill, percent), chance(summary)),
        figure(
            "Doubtful bars",
            trades.ambiguous.to_string(),
            format!(
                "touched stop and target, {} of those with a position; net {} had all reached the target",
                or_dash(trades.ambiguous_ratio, words::small_percent),
                signed_usd(trades.best_net_usd)
            ),
        ),
    ];
    if let Some(found) = &summary.evidence.overfitting {
        figures.push(figure("Overfitting, PBO", percent(found.pbo), found.sentence()));
    }
    figures
}

/// Says how many trades won, and how many had to.
fn wins(all: &Split) -> String {
    let even = or_dash(all.break_even_win_ratio, percent);
    format!("{} won, {} lost; {even} break even at stops and targets", all.wins, all.losses)
}

/// Draws equity, and what it fell by.
pub fn equity(facts: &Facts) -> String {
    section("Equity", &charts::equity(facts))
}

/// Draws what days made.
pub fn days(summary: &Summary, facts: &Facts) -> String {
    let trades = &summary.metrics.trades;
    let text = format!(
        "{} won, {} lost, {} without a result.",
        words::count(trades.days_won as u64, "day"),
        trades.days_lost,
        trades.days_flat
    );
    section("Days", &(paragraph(&text) + &charts::days(facts) + &charts::calendar(facts)))
}

/// Draws what trades made.
pub fn histogram(facts: &Facts) -> String {
    section("Net per trade", &charts::histogram(facts))
}

/// Draws what hours made.
pub fn hours(summary: &Summary) -> String {
    let caption = "<p class=\"caption\">By the full hour in New York at which a trade was entered</p>";
    section("Net by hour", &(charts::hours(&summary.metrics.hours) + caption))
}

/// Lists what trades ended by.
pub fn exits(summary: &Summary) -> String {
    let exits = &summary.metrics.trades.by_exit;
    let most = exits.values().map(|split| split.trades).max().unwrap_or(1).max(1) as f64;
    let rows: Vec<Vec<Cell>> = exits
        .iter()
        .map(|(name, split)| {
            vec![
                Cell::Text(short(name)),
                Cell::Bar(split.trades as f64 / most, split.net_usd),
                Cell::Number(words::grouped(split.trades as u64)),
                Cell::Signed(signed_usd(split.net_usd), split.net_usd),
                Cell::Number(or_dash(split.expectancy_usd, signed_usd)),
            ]
        })
        .collect();
    let ended = table(&["Exit", "|", ">Trades", ">Net", ">Average"], &rows);
    section("How trades ended", &(ended + "<h3>Long and short</h3>\n" + &sides(summary)))
}

fn sides(summary: &Summary) -> String {
    let trades = &summary.metrics.trades;
    let row = |name: &str, split: &Split| {
        vec![
            Cell::Text(name.to_owned()),
            Cell::Number(words::grouped(split.trades as u64)),
            Cell::Number(or_dash(split.win_ratio, percent)),
            Cell::Number(or_dash(split.profit_factor, two)),
            Cell::Signed(signed_usd(split.net_usd), split.net_usd),
        ]
    };
    let rows = [row("Long", &trades.long), row("Short", &trades.short), row("All", &trades.all)];
    table(&["Side", ">Trades", ">Wins", ">Profit factor", ">Net"], &rows)
}

/// Draws what costs took.
pub fn costs(summary: &Summary) -> String {
    let costs = &summary.metrics.costs;
    let text = format!(
        "Costs took {} over {}: {} a trade.",
        usd(costs.total_usd),
        words::count(costs.contracts as u64, "contract"),
        or_dash(costs.per_trade_usd, usd)
    );
    section("What trading cost", &(paragraph(&text) + &charts::costs(costs)))
}

/// The rest of the figures.
pub fn figures(summary: &Summary) -> String {
    let (metrics, trades) = (&summary.metrics, &summary.metrics.trades);
    let fall = &metrics.drawdown;
    // The others have no result.
    let decided = trades.days_won + trades.days_lost;
    let facts = facts(&[
        ("Sortino", or_dash(metrics.returns.sortino, two)),
        ("Calmar", summary.calmar()),
        ("Average win", or_dash(trades.all.average_win_usd, usd)),
        ("Average loss", or_dash(trades.all.average_loss_usd, usd)),
        ("Largest win", or_dash(trades.largest_win_usd, usd)),
        ("Largest loss", or_dash(trades.largest_loss_usd, usd)),
        ("Most wins on end", trades.longest_wins.to_string()),
        ("Most losses on end", trades.longest_losses.to_string()),
        (
            "Winning days",
            or_dash(trades.winning_days_ratio, |ratio| format!("{} of {decided}", percent(ratio))),
        ),
        ("Average time in a trade", or_dash(trades.average_hold_s, |seconds| words::lasted(seconds as i64))),
        ("Trades an hour", or_dash(trades.per_hour, two)),
        ("Drawdown, peak to bottom", fall.fall_s.map_or_else(|| "-".into(), words::lasted)),
        ("Longest below a peak", words::lasted(fall.longest_under_water_s)),
        ("Days not flat at the end", summary.days_not_flat.to_string()),
    ]);
    section("More figures", &facts)
}

/// Lists which limits were reached, and when.
pub fn limits(summary: &Summary) -> String {
    if summary.limits.is_empty() {
        return section("Limits reached", &paragraph("None."));
    }
    let rows: Vec<Vec<Cell>> = summary
        .limits
        .iter()
        .map(|reached| {
            let amount = |value| words::amount(&reached.rule, value);
            vec![
                Cell::Number(reached.day.to_string()),
                Cell::Text(time::parse(&reached.ts).map(words::new_york).unwrap_or_default()),
                Cell::Text(short(&reached.rule)),
                Cell::Number(amount(reached.value)),
                Cell::Number(amount(reached.limit)),
            ]
        })
        .collect();
    let table = table(&[">Day", "New York", "Limit", ">Reached", ">Limit"], &rows);
    let caption = match summary.limits.iter().any(|reached| reached.value < reached.limit) {
        true => {
            "<p class=\"caption\">A limit also counts as reached when no further trade fits under it.</p>"
        }
        false => "",
    };
    section("Limits reached", &format!("<div class=\"wrap\">{table}</div>\n{caption}"))
}

/// What no plan has room for; nothing where there was nothing.
pub fn incidents(summary: &Summary) -> String {
    let said = summary.incidents.iter().map(Counted::sentence).chain(incidents::locked(summary.locked));
    let lines: String = said.map(|line| paragraph(&format!("{}.", words::capital(&line)))).collect();
    if lines.is_empty() { lines } else { section("Incidents", &lines) }
}

/// From rows to entries, and what stood between.
pub fn blocked(summary: &Summary) -> String {
    let blocked = &summary.metrics.blocked;
    let mut body: String = summary.why_no_trade().iter().map(|line| paragraph(line)).collect();
    let steps = [
        ("Rows", blocked.rows),
        ("with a prediction", blocked.predicted_rows),
        ("with a direction", blocked.directed_rows),
        ("confident enough to enter", blocked.confident_rows),
        ("Signals (confident rows on end, one way)", blocked.signals),
        ("Entries asked for", blocked.orders),
        ("Entries filled", blocked.entries),
    ];
    let row = |(name, count): (&str, u64)| vec![Cell::Text(name.into()), Cell::Number(words::grouped(count))];
    let _ = write!(body, "<div class=\"two\"><div>{}</div>\n<div>", table(&["", ">Count"], &steps.map(row)));
    let groups = [
        ("Signals denied by a rule", &blocked.denied),
        ("Nothing to do", &blocked.held),
        ("Orders refused by the broker", &blocked.refused),
    ];
    for (heading, counts) in groups.into_iter().filter(|(_, counts)| !counts.is_empty()) {
        let ranked = Blocked::ranked(counts);
        let most = ranked.first().map_or(1, |(_, count)| *count).max(1) as f64;
        let rows: Vec<Vec<Cell>> = ranked
            .into_iter()
            .map(|(name, count)| {
                let bar = Cell::Bar(count as f64 / most, 0.0);
                vec![Cell::Text(short(name)), bar, Cell::Number(words::grouped(count))]
            })
            .collect();
        let _ = write!(body, "<h3>{heading}</h3>\n{}", table(&["", "|", ">Times"], &rows));
    }
    body += "<p class=\"caption\">Rows on end for the same reason count once.</p></div></div>\n";
    section("From rows to entries", &format!("<div class=\"wrap\">{body}</div>\n"))
}
