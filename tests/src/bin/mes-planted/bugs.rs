//! The bugs, by name. Each is a mistake that people make.

use std::{
    collections::{HashMap, VecDeque},
    io::{Read, Write, stdin, stdout},
    sync::mpsc::channel,
    time::Duration,
};

use mes_core::time::{self, SECOND};
use serde_json::Value;

use crate::{Result, Row, number, read, read_all, write, write_with};

/// What a stage does with a row.
type Step = fn(&mut State, Row) -> Result<()>;

/// Runs the stage with the bug of this name.
pub fn run(bug: &str) -> Result<()> {
    let Some(step) = feature(bug).or_else(|| change(bug)) else { return whole(bug) };
    let mut state = State::default();
    while let Some(row) = read()? {
        step(&mut state, row)?;
    }
    Ok(())
}

/// Features that are wrong.
fn feature(bug: &str) -> Option<Step> {
    Some(match bug {
        "clean" => |state, row| {
            let mean = state.mean(&row, true, true);
            write_with(row, "f_mean", mean)
        },
        "state-over-sessions" => |state, row| {
            let mean = state.mean(&row, false, false);
            write_with(row, "f_mean", mean)
        },
        "state-over-holes" => |state, row| {
            let mean = state.mean(&row, true, false);
            write_with(row, "f_mean", mean)
        },
        "dst-hour" => |_, row| {
            let hour = (ts(&row) / SECOND - 5 * 3600).rem_euclid(86_400) as f64 / 86_400.0;
            write_with(row, "f_hour", Some(hour))
        },
        "local-hour" => |_, row| {
            let zone = std::env::var("TZ").unwrap_or_default();
            let hour = (ts(&row) / SECOND).rem_euclid(86_400) as f64 / 86_400.0 / (1 + zone.len()) as f64;
            write_with(row, "f_hour", Some(hour))
        },
        _ => return None,
    })
}

/// Rows that do not stay as they are.
fn change(bug: &str) -> Option<Step> {
    Some(match bug {
        "changed-close" => |_, mut row| {
            let close = number(&row, "close") + 0.25;
            row.insert("close".into(), close.into());
            write(&row)
        },
        "rounded" => |_, mut row| {
            if let Some(vwap) = row.get("vwap").and_then(Value::as_f64) {
                row.insert("vwap".into(), ((vwap * 1e4).round() / 1e4).into());
            }
            write(&row)
        },
        "dropped-column" => |_, mut row| {
            row.shift_remove("x_note");
            write(&row)
        },
        "nulls-for-zero" => |_, mut row| {
            if number(&row, "volume") == 0.0 {
                row.insert("volume".into(), Value::Null);
            }
            write(&row)
        },
        "skips-empty-rows" => |_, row| if number(&row, "volume") == 0.0 { Ok(()) } else { write(&row) },
        "duplicate" => |state, row| {
            state.rows += 1;
            if state.rows % 500 == 0 {
                write(&row)?;
            }
            write(&row)
        },
        "rounded-time" => |_, mut row| {
            let minute = ts(&row) / (60 * SECOND) * 60 * SECOND;
            row.insert("ts".into(), time::format(minute).into());
            write(&row)
        },
        "clean-predictions" => |_, row| predict(row, [0.2, 0.3, 0.5], 0.5),
        "against-the-largest" => |_, row| predict(row, [0.5, 0.3, 0.2], 0.5),
        "too-confident" => |_, row| predict(row, [0.2, 0.3, 0.5], 1.5),
        "shares-of-100" => |_, row| predict(row, [20.0, 30.0, 50.0], 0.5),
        "out-of-range" => |_, row| {
            let change = number(&row, "close") - number(&row, "open");
            write_with(row, "f_change", Some(change))
        },
        "new-key" => |state, mut row| {
            state.rows += 1;
            if state.rows > 100 {
                row.insert("f_late".into(), 0.5.into());
            }
            write(&row)
        },
        "dies" => |state, row| {
            state.rows += 1;
            if state.rows > 2000 { Err("no more memory".into()) } else { write(&row) }
        },
        _ => return None,
    })
}

/// Bugs that need more than the row at hand.
fn whole(bug: &str) -> Result<()> {
    match bug {
        "clean-labels" => labels(false),
        "label-leak" => labels(true),
        "centred-window" => window(|rows, at| {
            let near = at.saturating_sub(5)..(at + 6).min(rows.len());
            let mean = near.clone().map(|row| number(&rows[row], "close")).sum::<f64>() / near.len() as f64;
            (number(&rows[at], "close") - mean) / 100.0
        }),
        "future-close" => window(|rows, at| {
            let next = rows.get(at + 10).unwrap_or(&rows[at]);
            (number(next, "close") - number(&rows[at], "close")) / 100.0
        }),
        "unlagged-minute" => window(|rows, at| {
            let minute = |row: &Row| (ts(row) - 1) / (60 * SECOND);
            let end = rows[at..].iter().take_while(|row| minute(row) == minute(&rows[at])).last();
            (number(end.unwrap_or(&rows[at]), "close") - number(&rows[at], "close")) / 100.0
        }),
        "day-normalised" => {
            let rows = read_all()?;
            let day = |row: &Row| ts(row) / (86_400 * SECOND);
            let mut sums = HashMap::new();
            rows.iter().for_each(|row| *sums.entry(day(row)).or_insert(1.0) += number(row, "volume"));
            for row in &rows {
                write_with(row.clone(), "f_volume", Some(number(row, "volume") / sums[&day(row)]))?;
            }
            Ok(())
        }
        "min-max" => {
            let rows = read_all()?;
            let closes = || rows.iter().map(|row| number(row, "close"));
            let (low, high) = (closes().fold(f64::MAX, f64::min), closes().fold(f64::MIN, f64::max));
            for row in &rows {
                write_with(row.clone(), "f_close", Some((number(row, "close") - low) / (high - low)))?;
            }
            Ok(())
        }
        "bfill" => {
            let rows = read_all()?;
            for at in 0..rows.len() {
                let next = rows[at..].iter().find_map(|row| row.get("x_number").and_then(Value::as_f64));
                write_with(rows[at].clone(), "f_filled", next.map(|x| (x % 1000.0) / 1000.0))?;
            }
            Ok(())
        }
        "peek" => peek(),
        "late" | "last-row-lost" => {
            let mut last = None;
            while let Some(row) = read()? {
                last.replace(row).map_or(Ok(()), |last| write(&last))?;
            }
            last.filter(|_| bug == "late").map_or(Ok(()), |last| write(&last))
        }
        "buffered" => read_all()?.iter().try_for_each(write),
        "reordered" => {
            let mut rows = read_all()?;
            rows.chunks_exact_mut(2).for_each(|pair| pair.swap(0, 1));
            rows.iter().try_for_each(write)
        }
        "sorted-by-volume" => {
            let mut rows = read_all()?;
            rows.sort_by_key(|row| number(row, "volume") as i64);
            rows.iter().try_for_each(write)
        }
        "batch-state" => batches(),
        _ => rude(bug),
    }
}

/// Bugs of manners: dice, clocks, noise, silence.
#[allow(clippy::disallowed_methods, reason = "a stage that reads the clock is one of the bugs")]
fn rude(bug: &str) -> Result<()> {
    let now = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let dice = now().subsec_nanos();
    match bug {
        "clock" => {
            while let Some(row) = read()? {
                write_with(row, "f_age", Some(f64::from(now().subsec_micros()) / 1e6))?;
            }
        }
        "dice" => {
            let mut state = u64::from(dice) + 1;
            while let Some(row) = read()? {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                write_with(row, "f_noise", Some((state >> 40) as f64 / (1 << 24) as f64))?;
            }
        }
        "chatty" => {
            writeln!(stdout(), "loading model ...")?;
            read_all()?.iter().try_for_each(write)?;
        }
        "nan" => {
            while let Some(row) = read()? {
                let text = Value::Object(row).to_string();
                writeln!(stdout(), "{},\"f_ratio\":NaN}}", text.trim_end_matches('}'))?;
            }
        }
        "cut-off" => {
            let rows = read_all()?;
            rows[..3000].iter().try_for_each(write)?;
            write!(stdout(), "{}", &Value::Object(rows[3000].clone()).to_string()[..80])?;
        }
        "hangs" => {
            while let Some(row) = read()? {
                write(&row)?;
            }
            std::thread::sleep(Duration::from_secs(3600));
        }
        "endless" => {
            let rows = read_all()?;
            loop {
                rows.iter().try_for_each(write)?;
            }
        }
        "silent" => {
            read_all()?;
        }
        other => return Err(format!("no bug {other:?}").into()),
    }
    Ok(())
}

#[derive(Default)]
struct State {
    rows: usize,
    last: Option<(i64, i64)>,
    mean: f64,
}

impl State {
    /// A slow average that ought to begin anew after every break.
    fn mean(&mut self, row: &Row, at_sessions: bool, at_holes: bool) -> Option<f64> {
        let (seg, now, close) = (number(row, "seg") as i64, ts(row), number(row, "close"));
        let (before, then) = self.last.replace((seg, now)).unwrap_or((i64::MIN, 0));
        let long = now - then > 1800 * SECOND;
        if seg != before && (if long { at_sessions } else { at_holes }) || then == 0 {
            self.mean = close;
        }
        self.mean += (close - self.mean) / 50.0;
        Some(((close - self.mean) / 100.0).clamp(-1.0, 1.0))
    }
}

/// Says UP.
fn predict(mut row: Row, shares: [f64; 3], confidence: f64) -> Result<()> {
    for (name, share) in ["p_down", "p_flat", "p_up"].into_iter().zip(shares) {
        row.insert(name.into(), share.into());
    }
    row.insert("p_dir".into(), 1.into());
    write_with(row, "p_conf", Some(confidence))
}

fn ts(row: &Row) -> i64 {
    row.get("ts").and_then(Value::as_str).and_then(|text| time::parse(text).ok()).unwrap_or(0)
}

/// A feature of the whole segment at once.
fn window(feature: fn(&[Row], usize) -> f64) -> Result<()> {
    let rows = read_all()?;
    for segment in rows.chunk_by(|a, b| a.get("seg") == b.get("seg")) {
        for at in 0..segment.len() {
            write_with(segment[at].clone(), "f_x", Some(feature(segment, at).clamp(-1.0, 1.0)))?;
        }
    }
    Ok(())
}

/// Holds rows for 30 s, as labels need; with the bug a feature knows the label.
fn labels(leak: bool) -> Result<()> {
    let mut held: VecDeque<Row> = VecDeque::new();
    let label = |mut row: Row, then: Option<f64>| {
        let moved = then.map(|then| then - number(&row, "close"));
        let known = if leak { moved } else { Some(number(&row, "close") - number(&row, "open")) };
        row.insert("f_body".into(), known.map(|known| (known / 100.0).clamp(-1.0, 1.0)).into());
        row.insert("y_move".into(), moved.into());
        write(&row)
    };
    while let Some(row) = read()? {
        if held.back().is_some_and(|last| last.get("seg") != row.get("seg")) {
            held.drain(..).try_for_each(|row| label(row, None))?;
        }
        held.push_back(row);
        if held.len() > 30 {
            let then = held.back().map(|row| number(row, "close"));
            held.pop_front().map_or(Ok(()), |row| label(row, then))?;
        }
    }
    held.drain(..).try_for_each(|row| label(row, None))
}

/// Says of every thousandth row whether another one waits already.
fn peek() -> Result<()> {
    let (sender, rows) = channel();
    std::thread::spawn(move || {
        while let Ok(Some(row)) = read() {
            if sender.send(row).is_err() {
                return;
            }
        }
    });
    let mut count = 0;
    let mut next: Option<Row> = None;
    while let Some(row) = next.take().or_else(|| rows.recv().ok()) {
        count += 1;
        if count % 1000 == 0 {
            next = rows.recv_timeout(Duration::from_millis(200)).ok();
        }
        write_with(row, "f_more", Some(f64::from(u8::from(next.is_some()))))?;
    }
    Ok(())
}

/// Counts the rows of every piece that it reads.
fn batches() -> Result<()> {
    let (mut text, mut bytes) = (Vec::new(), vec![0; 1 << 16]);
    loop {
        let count = stdin().lock().read(&mut bytes)?;
        if count == 0 {
            return Ok(());
        }
        text.extend_from_slice(&bytes[..count]);
        let mut rows = 0;
        while let Some(end) = text.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = text.drain(..=end).collect();
            rows += 1;
            write_with(serde_json::from_slice(&line)?, "f_count", Some(1.0 / f64::from(rows)))?;
        }
    }
}
