//! The table that is printed: what, how fast, how far apart the runs lay, the goal.

use std::{
    io::{Write, stdout},
    time::Duration,
};

use crate::Result;

/// What a rate is given in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    RowsPerSecond,
    MicrosPerRow,
}

pub struct Case {
    pub name: String,
    pub rows: usize,
    pub goal: Option<f64>,
    pub unit: Unit,
}

impl Case {
    /// Begins a case that is measured in rows per second.
    pub fn rows(name: impl Into<String>, rows: usize) -> Case {
        Case { name: name.into(), rows, goal: None, unit: Unit::RowsPerSecond }
    }

    pub fn goal(self, goal: f64) -> Case {
        Case { goal: Some(goal), ..self }
    }
}

/// Prints rows as they come. The first case is what the ratios of all are measured by.
pub struct Table {
    first: Option<f64>,
}

impl Table {
    pub fn begin(rows: usize) -> Result<Table> {
        let cores = std::thread::available_parallelism()?;
        let mut out = stdout().lock();
        writeln!(
            out,
            "Synthetic data, {rows} bars of 1 s; {cores} cores; medians of {} runs.\n",
            crate::RUNS
        )?;
        writeln!(
            out,
            "{:<44} {:>9} {:>12} {:>19} {:>8} {:>10}",
            "what", "rows", "median", "min – max", "ratio", "goal"
        )?;
        Ok(Table { first: None })
    }

    pub fn add(&mut self, case: &Case, runs: &[Duration]) -> Result<()> {
        let mut seconds: Vec<f64> = runs.iter().map(Duration::as_secs_f64).collect();
        seconds.sort_by(f64::total_cmp);
        let rows = case.rows as f64;
        let (best, median, worst) = (seconds[0], seconds[seconds.len() / 2], seconds[seconds.len() - 1]);
        let rate = rows / median;
        let ratio = rate / *self.first.get_or_insert(rate);
        let (shown, range, met) = match case.unit {
            Unit::RowsPerSecond => {
                let met = case.goal.map(|goal| (rate >= goal, format!("≥ {}", million(goal))));
                (
                    format!("{}/s", million(rate)),
                    format!("{} – {}", million(rows / worst), million(rows / best)),
                    met,
                )
            }
            Unit::MicrosPerRow => {
                let micros = |seconds: f64| seconds / rows * 1e6;
                let met = case.goal.map(|goal| (micros(median) <= goal, format!("≤ {goal} µs")));
                let range = format!("{:.1} – {:.1} µs", micros(best), micros(worst));
                (format!("{:.1} µs", micros(median)), range, met)
            }
        };
        let goal = met.map_or(String::new(), |(met, goal)| if met { goal } else { format!("{goal} MISSED") });
        let mut out = stdout().lock();
        writeln!(out, "{:<44} {:>9} {shown:>12} {range:>19} {ratio:>8.2} {goal:>10}", case.name, case.rows)?;
        Ok(out.flush()?)
    }

    /// Prints what is no rate.
    pub fn note(&self, line: &str) -> Result<()> {
        let mut out = stdout().lock();
        writeln!(out, "{line}")?;
        Ok(out.flush()?)
    }
}

fn million(rate: f64) -> String {
    format!("{:.2} M", rate / 1e6)
}
