//! The figures of several runs, each with its interval where it has one.

use serde::Serialize;
use serde_json::Value;

use super::Run;
use crate::{
    evidence::Rests,
    words::{self, percent, signed_usd, two, usd},
};

/// One figure of every run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figure {
    pub name: &'static str,
    /// Absent where a run does not have it.
    pub values: Vec<Option<f64>>,
    /// Where the true figure lies with 95 %, where that is known.
    pub intervals: Vec<Option<(f64, f64)>>,
    /// As they are shown, with what they rest on.
    pub texts: Vec<String>,
}

/// A figure: its name, where the summary has it and its interval, and how it is written.
type Of = (&'static str, &'static str, &'static str, fn(f64) -> String);

const FIGURES: [Of; 12] = [
    ("Net", "/account/net_usd", "/evidence/intervals/net_usd", signed_usd),
    ("Net, of capital", "/account/net_ratio", "", percent),
    ("Trading days", "/span/days", "", whole),
    ("Trades", "/trades/all/trades", "", whole),
    ("Average trade", "/trades/all/expectancy_usd", "/evidence/intervals/expectancy_usd", signed_usd),
    ("Wins", "/trades/all/win_ratio", "/evidence/intervals/win_ratio", percent),
    ("Profit factor", "/trades/all/profit_factor", "/evidence/intervals/profit_factor", two),
    ("Max drawdown", "/drawdown/max_usd", "", usd),
    ("Sharpe, a year", "/returns/sharpe", "/evidence/intervals/sharpe", two),
    ("Sortino", "/returns/sortino", "", two),
    ("Costs", "/costs/total_usd", "", usd),
    ("Deaths", "/deaths", "", whole),
];

fn whole(value: f64) -> String {
    format!("{value:.0}")
}

/// Returns the figures of all runs.
pub fn of(runs: &[Run]) -> Vec<Figure> {
    FIGURES.iter().map(|figure| Figure::of(figure, runs)).collect()
}

impl Figure {
    fn of((name, value, interval, write): &Of, runs: &[Run]) -> Figure {
        let number = |run: &Run| run.summary.pointer(value).and_then(Value::as_f64);
        let range = |run: &Run| {
            let ends = run.summary.pointer(interval).filter(|_| !interval.is_empty())?.as_array()?;
            ends.first().and_then(Value::as_f64).zip(ends.get(1).and_then(Value::as_f64))
        };
        let text = |run: &Run| match *value {
            // A Sharpe ratio is never shown without what it rests on.
            "/returns/sharpe" => rests(&run.summary).sentence(),
            _ => words::or_dash(number(run), write) + &words::interval(range(run), write),
        };
        Figure {
            name,
            values: runs.iter().map(number).collect(),
            intervals: runs.iter().map(range).collect(),
            texts: runs.iter().map(text).collect(),
        }
    }
}

fn rests(summary: &Value) -> Rests {
    let number = |path: &str| summary.pointer(path).and_then(Value::as_f64);
    let count = |path: &str| summary.pointer(path).and_then(Value::as_u64).map(|count| count as usize);
    let end = |index: usize| number(&format!("/evidence/intervals/sharpe/{index}"));
    Rests {
        sharpe: number("/returns/sharpe"),
        days: count("/returns/days").unwrap_or_default(),
        interval: end(0).zip(end(1)),
        error: number("/returns/sharpe_se"),
        psr: number("/evidence/sharpe/psr"),
        dsr: number("/evidence/sharpe/dsr"),
        trials: count("/evidence/sharpe/searched/trials"),
        pbo: number("/evidence/overfitting/pbo"),
    }
}
