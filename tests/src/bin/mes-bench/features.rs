//! mes-features: the whole set on one core and on all, into each format, and a row at a time.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::Stdio,
};

use mes_core::{bar::Bar, calendar::Calendar, interval::Interval};
use mes_features::{
    engine::{CheckedRows, Engine},
    set::Set,
};
use mes_golden::shell;
use mes_pipe::{Bars, Kind, read_table};

use crate::{
    Result,
    table::{Case, Unit},
    tools::{Data, Line},
};

/// Rows that are given one by one.
pub const LIVE_ROWS: usize = 20_000;

/// Returns the cases, all over files that [`Data`] has made.
pub fn cases(data: &Data) -> Vec<Line> {
    let whole = |name: &str, goal: Option<f64>, command: &str| {
        let case = Case::rows(format!("mes-features: {name}"), data.rows);
        Line { name: case.name, rows: case.rows, goal, unit: Unit::RowsPerSecond, line: command.to_owned() }
    };
    vec![
        whole(
            "Arrow to Arrow, one core",
            Some(5e6),
            "taskset -c 0 mes-features -q --warm-within 24h --threads 1 --to arrow bars.arrow > /dev/null",
        ),
        whole(
            "Parquet to Arrow",
            Some(8e6),
            "mes-features -q --warm-within 24h --to arrow bars.parquet > /dev/null",
        ),
        whole(
            "Parquet to Arrow, labels too",
            None,
            "mes-features -q --warm-within 24h --labels --to arrow bars.parquet > /dev/null",
        ),
        whole(
            "Parquet to Parquet",
            None,
            "mes-features -q --warm-within 24h --to parquet bars.parquet > /dev/null",
        ),
    ]
}

/// The rows of a live day, to be given one by one.
pub struct Live {
    bars: Vec<Bar>,
    lines: Vec<String>,
    set: Set,
}

impl Live {
    /// Reads what [`Data`] has made in `folder`.
    pub fn read(folder: &Path) -> Result<Live> {
        let (_, batches) = read_table(&folder.join("bars.arrow"), &[Kind::Bar])?;
        let mut bars = Vec::new();
        let mut columns = mes_core::bar::Columns::default();
        for batch in batches.iter().take(LIVE_ROWS / 1000) {
            let rows = Bars::of(batch)?;
            columns = rows.columns();
            for row in 0..rows.len() {
                bars.push(rows.get(row).on_grid().map_err(mes_pipe::Error::data)?);
            }
        }
        let text = std::fs::read_to_string(folder.join("bars.jsonl"))?;
        let lines = text.split_inclusive('\n').take(LIVE_ROWS + 1).map(str::to_owned).collect();
        Ok(Live { bars, lines, set: Set::choose(Interval::SECOND, columns, &[], &[])? })
    }

    /// Computes all features of one row after the other, in process.
    pub fn compute(&self) -> Result<()> {
        let mut rows = CheckedRows::new(Interval::SECOND, Calendar::shipped());
        let mut engine = Engine::new(&self.set, Interval::SECOND);
        for bar in &self.bars[..LIVE_ROWS] {
            engine.run(&[rows.next(bar)?]);
            if engine.take().len() != self.set.len() {
                return Err("a feature is missing".into());
            }
        }
        Ok(())
    }

    /// Gives mes-features a row, waits for the answer, gives the next.
    pub fn round_trips(&self, folder: &Path) -> Result<()> {
        let mut tool = shell::bash(folder, "exec mes-features -q --warm-within 24h --to jsonl");
        let mut child = tool.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("no pipes".into());
        };
        let (mut stdout, mut answer) = (BufReader::new(stdout), String::new());
        let (header, rows) = self.lines.split_first().ok_or("no rows")?;
        stdin.write_all(header.as_bytes())?;
        for line in rows {
            stdin.write_all(line.as_bytes())?;
            answer.clear();
            if stdout.read_line(&mut answer)? == 0 {
                return Err("mes-features ended".into());
            }
        }
        drop(stdin);
        if child.wait()?.success() { Ok(()) } else { Err("mes-features failed".into()) }
    }
}

/// Returns the two cases of a row at a time.
pub fn live_cases() -> [Case; 2] {
    let case = |name: &str| Case { unit: Unit::MicrosPerRow, ..Case::rows(name, LIVE_ROWS) };
    [
        case("in process: all features of one row").goal(20.0),
        case("mes-features: a row in, a row out, by pipes"),
    ]
}
