//! What a fit will take, said before it begins, and refused where it is more than was allowed.

use std::{fmt, str::FromStr};

use mes_pipe::{Error, Result, log::note};

use crate::family::Cost;

/// An amount of memory, such as `500M` or `4G` (powers of 1024).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Memory(pub u64);

const UNITS: [(char, u64); 3] = [('G', 1 << 30), ('M', 1 << 20), ('K', 1 << 10)];

impl FromStr for Memory {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Memory, String> {
        let wrong = || format!("{text:?} is not an amount of memory such as 500M or 4G");
        let unit = UNITS.iter().find(|(letter, _)| text.ends_with(*letter));
        let (digits, scale) = unit.map_or((text, 1), |(_, scale)| (&text[..text.len() - 1], *scale));
        let count: u64 = digits.parse().map_err(|_| wrong())?;
        count.checked_mul(scale).map(Memory).ok_or_else(wrong)
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match UNITS.iter().find(|(_, scale)| self.0 >= *scale) {
            Some((letter, scale)) if self.0 < 10 * scale => {
                write!(out, "{:.1}{letter}", self.0 as f64 / *scale as f64)
            }
            Some((letter, scale)) => write!(out, "{}{letter}", self.0 / scale),
            None => write!(out, "{}", self.0),
        }
    }
}

/// What the process takes beside rows and fit: the program, the reader's batches, the check of what was written.
/// Measured, see models/README.md.
const BASE: u64 = 96 << 20;

/// Adds what the process takes anyway.
pub fn beside(bytes: u64) -> Memory {
    Memory(BASE + bytes)
}

/// Says what the rows in memory and a fit come to; an error when that is over `limit`.
///
/// # Errors
///
/// `Usage`, with what would make it fit.
pub fn announce(family: &str, rows_bytes: u64, cost: Cost, limit: Memory) -> Result<()> {
    let needed = beside(rows_bytes + cost.bytes as u64);
    let time = span(cost.seconds);
    note(format!(
        "{family}: all in all about {needed} of memory (limit {limit}, --max-memory), and about {time} if nothing ends \
         it early"
    ));
    if needed > limit { Err(too_much(needed, limit)) } else { Ok(()) }
}

/// Says that `needed` is over `limit`, and what to do.
pub fn too_much(needed: Memory, limit: Memory) -> Error {
    Error::usage(format!(
        "{needed} of memory needed, {limit} allowed: a longer --stride, fewer features (--without), a later beginning \
         of the rows, or a larger --max-memory"
    ))
}

/// Says how long something takes.
pub fn span(seconds: f64) -> String {
    match seconds.ceil() as u64 {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds.div_ceil(60)),
        seconds => format!("{:.1} h", seconds as f64 / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_reads_and_says_what_it_is() {
        for (text, bytes, said) in [
            ("4G", 4 << 30, "4.0G"),
            ("500M", 500 << 20, "500M"),
            ("1536K", 1536 << 10, "1.5M"),
            ("7", 7, "7"),
        ] {
            let memory: Memory = text.parse().expect("reads");
            assert_eq!((memory.0, memory.to_string().as_str()), (bytes, said));
        }
        for text in ["", "G", "4T", "-1M", "99999999999G"] {
            assert!(text.parse::<Memory>().is_err(), "{text}");
        }
        assert_eq!([0.2, 119.0, 121.0, 9000.0].map(span), ["1 s", "119 s", "3 min", "2.5 h"]);
    }

    #[test]
    fn more_than_the_limit_is_refused() {
        let cost = Cost { bytes: 100.0, seconds: 1.0 };
        assert!(announce("logistic", 900, cost, beside(1000)).is_ok());
        let error = announce("logistic", 901, cost, beside(1000)).expect_err("too much");
        assert!(error.code() == 2 && error.to_string().contains("--max-memory"), "{error}");
    }
}
