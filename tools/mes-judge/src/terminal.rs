//! The summary for a person at a terminal.

use mes_core::vocabulary::short;
use std::fmt::Write as _;

use crate::{
    evidence::{Intervals, Range},
    facts::Facts,
    metrics::blocked::Blocked,
    summary::Summary,
    words::{self, or_dash, percent, signed_usd, two, usd},
};

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const SPARKS: usize = 60;

/// Writes the summary as 25 to 40 lines.
pub fn text(summary: &Summary, facts: &Facts) -> String {
    let mut out = String::new();
    head(summary, &mut out);
    let line = sparkline(facts);
    if !line.is_empty() {
        let (start, end) = (usd(summary.account.start_usd), usd(summary.account.end_usd));
        let _ = writeln!(out, "\n  {line}\n  equity {start} -> {end}");
    }
    out.push('\n');
    for (name, value) in rows(summary) {
        let _ = writeln!(out, "  {name:<18} {value}");
    }
    exits(summary, &mut out);
    blocked(summary, &mut out);
    limits(summary, &mut out);
    for warning in &summary.warnings {
        let _ = writeln!(out, "  ! {warning}");
    }
    out
}

fn head(summary: &Summary, out: &mut String) {
    if let Some(death) = summary.death() {
        let _ = writeln!(out, "{death}");
    }
    let _ = writeln!(out, "{}{}", summary.origin.mark(), summary.verdict());
    let span = &summary.span;
    let [first, last] = span.dates();
    let _ = writeln!(
        out,
        "{} to {}, {} bars of {}, session {}; rules {}, costs {}",
        first,
        last,
        words::grouped(span.rows),
        span.interval,
        span.session,
        summary.settings.terms.rules,
        summary.settings.terms.costs
    );
}

/// Draws the days' equity, at most [`SPARKS`] of them, in eighths of a line.
fn sparkline(facts: &Facts) -> String {
    let all: Vec<i64> = facts.curve.iter().map(|point| point.equity_cents.0).collect();
    let (Some(low), Some(high)) = (all.iter().min(), all.iter().max()) else { return String::new() };
    let wanted = all.len().min(SPARKS);
    let spark = |index: usize| {
        let value = all[(index + 1) * all.len() / wanted - 1];
        BLOCKS[((value - low) * 7 / (high - low).max(1)) as usize]
    };
    (0..wanted).map(spark).collect()
}

fn rows(summary: &Summary) -> Vec<(&'static str, String)> {
    let (metrics, account) = (&summary.metrics, &summary.account);
    let (trades, all, costs) = (&metrics.trades, &metrics.trades.all, &metrics.costs);
    let fall = &metrics.drawdown;
    let mut rows = vec![
        (
            "net",
            format!(
                "{} ({}){}",
                signed_usd(account.net_usd),
                or_dash(account.net_ratio, percent),
                interval(summary, |intervals| intervals.net_usd, signed_usd)
            ),
        ),
        (
            "costs",
            format!(
                "{} before costs - {} spread - {} slippage - {} commission",
                signed_usd(costs.before_costs_usd),
                usd(costs.spread_usd),
                usd(costs.slippage_usd),
                usd(costs.commission_usd)
            ),
        ),
        (
            "max drawdown",
            format!(
                "{} ({}), longest below a peak {}",
                usd(fall.max_usd),
                or_dash(fall.max_ratio, percent),
                words::lasted(fall.longest_under_water_s)
            ),
        ),
        ("Sharpe", summary.sharpe().sentence()),
        ("Sortino, Calmar", format!("{}, {}", or_dash(metrics.returns.sortino, two), summary.calmar())),
        (
            "trades",
            format!(
                "{}: {} won, {} lost ({} wins{}); {} a day, {} an hour",
                all.trades,
                all.wins,
                all.losses,
                or_dash(all.win_ratio, percent),
                interval(summary, |intervals| intervals.win_ratio, percent),
                or_dash(trades.per_day, two),
                or_dash(trades.per_hour, two)
            ),
        ),
        ("predictions", metrics.predicted.sentence()),
    ];
    if all.trades > 0 {
        rows.extend(traded(summary));
    }
    rows
}

/// Writes where the true figure lies with 95 %, after the figure; nothing where that is unknown.
pub fn interval(summary: &Summary, of: fn(&Intervals) -> Range, write: fn(f64) -> String) -> String {
    words::interval(summary.evidence.intervals.as_ref().and_then(of), write)
}

/// Says how the entries compare with random ones.
pub fn chance(summary: &Summary) -> String {
    let Some(skill) = &summary.evidence.skill else { return "-".into() };
    let net = summary.account.net_usd;
    // Better than chance and better than nothing are two things: costs stand between them.
    let (did, meant) =
        if net < 0.0 { ("lost no more", "; it is a loss all the same") } else { ("made as much", "") };
    format!(
        "{} of {} sets of random entries, alike else, {did}; on average they came to {}{meant}",
        percent(skill.p_value),
        skill.sets,
        signed_usd(skill.random_mean_usd)
    )
}

fn traded(summary: &Summary) -> Vec<(&'static str, String)> {
    let trades = &summary.metrics.trades;
    let all = &trades.all;
    let side = |split: &crate::metrics::trade::Split| {
        format!("{} for {}", words::count(split.trades as u64, "trade"), signed_usd(split.net_usd))
    };
    vec![
        (
            "break-even wins",
            format!(
                "{} pay the costs, had each ended at its stop or target",
                or_dash(all.break_even_win_ratio, percent)
            ),
        ),
        (
            "expectancy",
            format!(
                "{} a trade{}",
                or_dash(all.expectancy_usd, signed_usd),
                interval(summary, |intervals| intervals.expectancy_usd, signed_usd)
            ),
        ),
        (
            "profit factor",
            or_dash(all.profit_factor, two) + &interval(summary, |intervals| intervals.profit_factor, two),
        ),
        ("random entries", chance(summary)),
        (
            "average win, loss",
            format!("{}, {}", or_dash(all.average_win_usd, usd), or_dash(all.average_loss_usd, usd)),
        ),
        (
            "largest win, loss",
            format!("{}, {}", or_dash(trades.largest_win_usd, usd), or_dash(trades.largest_loss_usd, usd)),
        ),
        (
            "longest streaks",
            format!("won {} on end, lost {} on end", trades.longest_wins, trades.longest_losses),
        ),
        ("days", format!("{} won, {} lost, {} flat", trades.days_won, trades.days_lost, trades.days_flat)),
        ("per $1 at risk", or_dash(trades.net_per_risked_usd, signed_usd)),
        ("time in a trade", or_dash(trades.average_hold_s, |seconds| words::lasted(seconds as i64))),
        ("long, short", format!("{}, {}", side(&trades.long), side(&trades.short))),
        (
            "doubtful fills",
            format!(
                "{} bars touched stop and target, {} of those with a position; net would be {} had all reached the \
                 target",
                trades.ambiguous,
                or_dash(trades.ambiguous_ratio, words::small_percent),
                signed_usd(trades.best_net_usd)
            ),
        ),
    ]
}

fn exits(summary: &Summary, out: &mut String) {
    let exits = &summary.metrics.trades.by_exit;
    if exits.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n  exits");
    for (name, split) in exits {
        let net = signed_usd(split.net_usd);
        let _ = writeln!(out, "    {:<34} {:>6} {:>12}", short(name), split.trades, net);
    }
}

/// Says why there was no trade, or in one line what stood between signals and entries.
fn blocked(summary: &Summary, out: &mut String) {
    let blocked = &summary.metrics.blocked;
    let why = summary.why_no_trade();
    if !why.is_empty() {
        let _ = writeln!(out, "\n  why no trade");
        for line in why {
            let _ = writeln!(out, "    {line}");
        }
        return;
    }
    let signals = words::count(blocked.signals, "signal");
    let _ = writeln!(out, "\n  {signals}, {} entries; denied most often", blocked.entries);
    for (name, times) in Blocked::ranked(&blocked.denied).into_iter().take(4) {
        let _ = writeln!(out, "    {:<34} {:>6}", short(name), words::grouped(times));
    }
}

/// Names the limits that were reached, the first five of them.
fn limits(summary: &Summary, out: &mut String) {
    if summary.limits.is_empty() {
        out.push('\n');
        return;
    }
    let _ = writeln!(out, "\n  limits reached: {}", summary.limits.len());
    for reached in summary.limits.iter().take(5) {
        let _ = writeln!(out, "    day {:<4} {}", reached.day, reached.sentence());
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{facts::Alert, sample};

    #[test]
    fn the_worst_comes_first() {
        let mut facts = sample::facts(&[-1000, -2000, 500]);
        let (rule, ts) = ("account_drawdown_usd".to_owned(), 0);
        facts.alerts.push(Alert { ts, day: 2, rule, value: 200.0, limit: 200.0 });
        let text = text(&Summary::of(&facts), &facts);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("account died on day 2"), "{text}");
        assert_eq!(lines[1], "SYNTHETIC DATA: lost $25.00 in 3 trading days");
        assert!((25..=40).contains(&lines.len()), "{} lines", lines.len());
        assert!(text.contains("standard error over 3 days") && text.contains("below 100"), "{text}");
        assert!(!text.contains("NaN") && !text.contains("inf"));
    }

    #[test]
    fn no_rows_are_no_reason_to_panic() {
        let facts = sample::facts(&[]);
        assert!(text(&Summary::of(&facts), &facts).contains("There were no rows."));
    }
}
