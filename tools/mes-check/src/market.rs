//! Rows to check stages with, synthetic and made so that bugs show: a half day, a session's change, the night into the
//! open of 09:30, a hole, a day on which clocks change; quotes, empty seconds, and columns that nobody knows.
//!
//! Prices walk at random on the tick grid. Every number is made from its place, so the rows are always the same.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema};
use chrono::{NaiveDate, NaiveTime};
use mes_core::{
    dice::nth,
    interval::Interval,
    price::TICK,
    session::Filter,
    time::{MILLI, SECOND, Ts},
    tz,
};
use mes_pipe::{Kind, Meta, Result, schema};
use serde_json::json;

use crate::table::{Cell, Given, Row};

/// Columns that are nobody's: a stage has to pass them on.
const FOREIGN: [(&str, DataType); 2] = [("x_note", DataType::Utf8), ("x_number", DataType::Float64)];

/// Month and day, hour, minute and second in New York of the start, rows. Segments end where the next one begins.
const SEGMENTS: [(i32, u32, u32, [u32; 3], i64); 6] = [
    // The day after Thanksgiving closes at 13:15.
    (2025, 11, 28, [13, 5, 0], 600),
    // Thursday's session ends at 17:00, Friday's begins at 18:00.
    (2026, 3, 5, [16, 54, 0], 360),
    (2026, 3, 5, [18, 0, 0], 420),
    // The open of 09:30 after ten minutes, and time for everything to warm up.
    (2026, 3, 6, [9, 20, 0], 4800),
    // After a hole of 400 s.
    (2026, 3, 6, [10, 46, 40], 700),
    // Clocks go forward at 02:00 on this Sunday.
    (2026, 3, 8, [18, 0, 0], 400),
];

/// Makes bars of 1 s.
///
/// # Errors
///
/// `Data` where rows and columns do not fit.
pub fn bars() -> Result<(Given, Meta)> {
    let mut fields = fields(&schema::BAR);
    fields.extend(FOREIGN.map(|(name, data_type)| Field::new(name, data_type, true)));
    let mut rows = Vec::new();
    let mut close = 24_000;
    for (seg, &(year, month, day, [hour, minute, second], count)) in SEGMENTS.iter().enumerate() {
        let date = NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default();
        let clock = NaiveTime::from_hms_opt(hour, minute, second).unwrap_or_default();
        let start = tz::instant(date, clock);
        for k in 1..=count {
            let ts = start + k * SECOND;
            rows.push(bar(ts, seg as i64 + 1, k == 1, &mut close));
        }
        close += (nth(seg as u64) % 41) as i64 - 20;
    }
    let meta = Meta::source("mes-check", Kind::Bar, Some(Interval::SECOND), Filter::All, json!("check"));
    Ok((Given::new(meta.onto(&Arc::new(Schema::new(fields))), rows)?, meta))
}

/// Makes trades and quotes: those that the bars would be of, a few a second.
///
/// # Errors
///
/// `Data` where rows and columns do not fit.
pub fn ticks() -> Result<(Given, Meta)> {
    let (bars, _) = bars()?;
    let place = |name: &str| bars.place(name).unwrap_or_default();
    let [open, high, low, close] = ["open", "high", "low", "close"].map(place);
    let mut rows = Vec::new();
    for (index, bar) in bars.rows.iter().enumerate() {
        let ts = bars.ts(index);
        let Some(volume) = bar[place("volume")].number().filter(|volume| *volume > 0.0) else { continue };
        let quote = ["bid", "ask", "bid_size", "ask_size"].map(|name| bar[place(name)].clone());
        for (part, price) in [open, high, low, close].into_iter().enumerate() {
            let at = ts - SECOND + (part as i64 * 240 + (nth(ts as u64) % 200) as i64) * MILLI;
            let size = 1 + (volume as i64 - 1) / 4;
            let side = if (nth(at as u64) & 1) == 0 { "buy" } else { "sell" };
            let mut row =
                vec![Cell::Instant(at), bar[price].clone(), Cell::Int(size), Cell::Text(side.into())];
            row.extend(quote.clone());
            row.push(bar[place("symbol")].clone());
            rows.push(row);
        }
    }
    let meta = Meta::source("mes-check", Kind::Tick, None, Filter::All, json!("check"));
    Ok((Given::new(meta.onto(&Arc::new(Schema::new(fields(&schema::TICK)))), rows)?, meta))
}

fn fields(names: &[&str]) -> Vec<Field> {
    let field =
        |name: &&str| Field::new(*name, schema::data_type(name).unwrap_or(DataType::Null), *name != "ts");
    names.iter().map(field).collect()
}

/// Makes the bar of one second; the first of a segment has trades.
fn bar(ts: Ts, seg: i64, first: bool, close: &mut i64) -> Row {
    let mut throws = (0..).map(|k: u64| nth((ts / SECOND) as u64 ^ k << 40));
    let mut below = |end: i64| (throws.next().unwrap_or(0) % end as u64) as i64;
    let empty = !first && below(5) == 0;
    let reach = if below(60) == 0 { 12 } else { 2 };
    let mut step = |reach: i64| if empty { 0 } else { below(2 * reach + 1) - reach };
    let open = *close + step(1);
    let end = open + step(reach);
    let (high, low) = (open.max(end) + step(1).abs(), open.min(end) - step(1).abs());
    *close = end;
    let volume = if empty { 0 } else { 1 + below(200) };
    let buy = below(volume + 1);
    let quoted = below(40) > 0;
    let price = |ticks: i64| Cell::Float(ticks as f64 * TICK);
    let known = |cell: Cell| if quoted { cell } else { Cell::Null };
    let vwap = (high + low + end) as f64 * TICK / 3.0;
    vec![
        Cell::Instant(ts),
        price(open),
        price(high),
        price(low),
        price(end),
        Cell::Int(volume),
        Cell::Int(buy),
        Cell::Int(volume - buy),
        Cell::Int(volume.min(1 + volume / 3)),
        known(price(end - below(2))),
        known(price(end + 1)),
        known(Cell::Int(1 + below(60))),
        known(Cell::Int(1 + below(60))),
        Cell::Int(below(101) - 50),
        if empty { Cell::Null } else { Cell::Float(vwap) },
        Cell::Int(if empty { 1000 } else { below(900) }),
        Cell::Int(seg),
        Cell::Text("MESH6".into()),
        Cell::Text(format!("n{}", below(1000))),
        if below(7) == 0 { Cell::Null } else { Cell::Float(below(1 << 40) as f64 / 7e5) },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use mes_core::{
        calendar::Calendar,
        session::{Part, Sessions},
    };

    #[test]
    fn the_rows_hold_what_they_are_for() {
        let (given, _) = bars().expect("rows");
        let mut sessions = Sessions::new(Calendar::shipped());
        let parts: Vec<Part> = (0..given.rows.len()).map(|row| sessions.of_bar(given.ts(row))).collect();
        assert!(parts.iter().all(|part| *part != Part::Closed));
        let opens = parts.windows(2).filter(|pair| pair[0] != Part::Rth && pair[1] == Part::Rth).count();
        assert!(opens >= 1, "no open of 09:30");
        assert_eq!(given.segments().len(), SEGMENTS.len());
        assert!((1..given.rows.len()).all(|row| given.ts(row) > given.ts(row - 1)));
        let empty = given.rows.iter().filter(|row| matches!(row[5], Cell::Int(0))).count();
        assert!(empty > 500 && empty < 3000, "{empty} empty seconds");
        let half = given.ts(599);
        assert_eq!(sessions.day(half - 1).map(|day| day.close), Some(half));
        let (ticks, _) = ticks().expect("ticks");
        assert!((1..ticks.rows.len()).all(|row| ticks.ts(row) >= ticks.ts(row - 1)));
    }
}
