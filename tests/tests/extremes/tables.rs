//! Tables with one value at an extreme, in every tool that reads tables.

use std::fmt::Write as _;

use mes_core::time;
use mes_pipe::schema::BAR;

use super::{fields, sweep};

/// Those of bars with a feature, a label and predictions.
fn columns() -> Vec<&'static str> {
    [&BAR[..], &["f_x", "y_dir", "p_down", "p_flat", "p_up", "p_dir", "p_conf"]].concat()
}

/// Bars of some minutes with predictions, the column `name` in row `at` replaced by `value`.
fn bars(at: usize, name: &str, value: &str) -> String {
    let columns = columns();
    let mut text = columns.join(",") + "\n";
    let first = time::parse("2026-11-20T14:30:00Z").expect("a time");
    for row in 0..400_usize {
        let ts = time::format(first + (row as i64 + 1) * time::SECOND);
        let close = 5000.0 + (row % 5) as f64 * 0.25;
        let price = close.to_string();
        let cells = columns.iter().map(|column| match *column {
            _ if row == at && *column == name => value.to_owned(),
            "ts" => ts.clone(),
            "open" | "high" | "low" | "close" | "vwap" | "bid" => price.clone(),
            "ask" => (close + 0.25).to_string(),
            "volume" => "5".into(),
            "seg" | "y_dir" | "p_dir" => "1".into(),
            "symbol" => "MESZ6".into(),
            "p_up" | "p_conf" => "0.8".into(),
            "p_down" | "p_flat" | "f_x" => "0.1".into(),
            "age_ms" | "ofi" => "0".into(),
            _ => "2".into(),
        });
        let _ = writeln!(text, "{}", cells.collect::<Vec<String>>().join(","));
    }
    text
}

fn ticks(at: usize, name: &str, value: &str) -> String {
    let columns = ["ts", "price", "size", "side", "bid", "ask", "bid_size", "ask_size", "symbol"];
    let mut text = columns.join(",") + "\n";
    let first = time::parse("2026-11-20T14:30:00Z").expect("a time");
    for row in 0..400_usize {
        let ts = time::format(first + row as i64 * 500 * time::MILLI);
        let cells = columns.map(|column| match column {
            _ if row == at && column == name => value.to_owned(),
            "ts" => ts.clone(),
            "price" | "bid" => "5000".into(),
            "ask" => "5000.25".into(),
            "side" => "buy".into(),
            "symbol" => "MESZ6".into(),
            _ => "3".into(),
        });
        let _ = writeln!(text, "{}", cells.join(","));
    }
    text
}

const NUMBERS: [&str; 10] = [
    "0",
    "-1",
    "9223372036854775807",
    "-9223372036854775808",
    "4611686018427387904",
    "4611686018427387903",
    "1e300",
    "-1e300",
    "1e-300",
    "5000.1",
];

const TIMES: [&str; 5] = [
    "1970-01-01T00:00:00Z",
    "2199-12-31T23:59:59Z",
    "2262-04-11T23:47:16.854775807Z",
    "1677-09-21T00:12:43.145224193Z",
    "9999-12-31T23:59:59Z",
];

/// Puts a value of each column at extremes: near the beginning, and twice in a row at the end.
/// Other values for each tool.
fn cases(tool: usize, columns: &[&str], make: fn(usize, &str, &str) -> String) -> Vec<(String, String)> {
    let mut cases = Vec::new();
    for (column, name) in columns.iter().enumerate() {
        let values = if *name == "ts" { &TIMES[..] } else { &NUMBERS[..] };
        for value in fields::some(values, column + tool) {
            for at in [3, 399] {
                cases.push((format!("{name} = {value} in row {}", at + 1), make(at, name, value)));
            }
        }
    }
    cases
}

#[test]
fn of_bars() {
    let mut columns = columns();
    columns.retain(|name| !["sell_volume", "ask_size", "symbol", "p_down", "p_flat"].contains(name));
    for (at, tool) in [
        "mes-bars --interval 1m",
        "mes-bars --by volume --size 50 --interval 1s",
        "mes-features --interval 1s --labels=horizon",
        "mes-features describe --interval 1s",
        "mes-predict --interval 1s --rule ema-cross",
        "mes-risk --interval 1s --account none",
        "mes-bt --interval 1s",
        "mes-fetch verify --interval 1s",
    ]
    .into_iter()
    .enumerate()
    {
        let cases = cases(at, &columns, bars);
        let named: Vec<_> = cases.iter().map(|(name, text)| (format!("{tool}: {name}"), text)).collect();
        sweep::all(&named, &[0, 1, 2, 3], |folder, text| {
            sweep::line(folder, &format!("{tool} > /dev/null"), text.as_bytes())
        });
    }
}

#[test]
fn of_ticks() {
    let columns = ["ts", "price", "size", "bid", "ask", "bid_size"];
    for (at, tool) in [
        "mes-bars",
        "mes-bars --by tick --size 7",
        "mes-bars --by volume --size 7",
        "mes-bars --by dollar --size 100000",
        "mes-bars --by imbalance --size 20",
        "mes-fetch verify",
        "mes-fetch live --speed max --replay /dev/stdin",
        "mes-fetch import",
    ]
    .into_iter()
    .enumerate()
    {
        let cases = cases(at, &columns, ticks);
        let named: Vec<_> = cases.iter().map(|(name, text)| (format!("{tool}: {name}"), text)).collect();
        sweep::all(&named, &[0, 1, 2, 3, 4], |folder, text| {
            sweep::line(folder, &format!("{tool} > /dev/null"), text.as_bytes())
        });
    }
}
