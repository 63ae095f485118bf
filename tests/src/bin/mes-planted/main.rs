//! A stage with one bug planted in it, for the test of the checker: `planted-stage BUG`. Reads bars of 1 s as JSON
//! lines and adds a feature; `clean`, `clean-labels` and `clean-predictions` have no bug.

mod bugs;

use std::{
    error::Error,
    io::{BufRead, Write, stdin, stdout},
};

use serde_json::{Map, Value};

pub type Row = Map<String, Value>;
pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let bug = std::env::args().nth(1).unwrap_or_default();
    bugs::run(&bug)
}

/// Reads one row; `None` is the end.
pub fn read() -> Result<Option<Row>> {
    let mut line = String::new();
    if stdin().lock().read_line(&mut line)? == 0 {
        return Ok(None);
    }
    Ok(Some(serde_json::from_str(&line)?))
}

/// Reads all rows there are.
pub fn read_all() -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    while let Some(row) = read()? {
        rows.push(row);
    }
    Ok(rows)
}

/// Writes a row and hands it to the reader.
pub fn write(row: &Row) -> Result<()> {
    let mut out = stdout().lock();
    serde_json::to_writer(&mut out, row)?;
    out.write_all(b"\n")?;
    Ok(out.flush()?)
}

/// Writes a row with one more column.
pub fn write_with(mut row: Row, name: &str, value: Option<f64>) -> Result<()> {
    row.insert(name.into(), value.into());
    write(&row)
}

pub fn number(row: &Row, name: &str) -> f64 {
    row.get(name).and_then(Value::as_f64).unwrap_or(0.0)
}
