//! How the paper account fills orders: by which model, and how long an order takes to arrive. Part of every run
//! record, because fills depend on it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    Error,
    dice::splitmix64,
    time::{MILLI, Ts},
};

/// | | market orders | targets and entries at a limit | a row that touches stop and target |
/// |---|---|---|---|
/// | conservative | open of the next traded row, or the opposite quote where worse; slippage | traded through by a tick | stop |
/// | realistic | the same | touched | stop |
/// | optimistic | close of the row that decided; no slippage | touched | target |
///
/// Stops always slip, and gap to the open. An entry whose limit reaches beyond the market when it arrives is a market
/// order, but never fills beyond its limit; in the row in which a waiting one fills, only optimistic reaches the target.
/// The truth lies within; optimistic is a bound, not a forecast.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Model {
    #[default]
    Conservative,
    Realistic,
    Optimistic,
}

/// The model and the latency by which the paper account fills.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fills {
    pub model: Model,
    pub latency: Latency,
}

/// The longest latency that makes sense; a recorded one beyond it was an outage.
const LONGEST: i64 = 60_000 * MILLI;

/// How long an order takes from the decision to the exchange.
///
/// Held as percentiles in nanoseconds, rising: none is no latency, one is a constant, 101 are those of a recording.
/// Which one an order gets is a hash of its id and time, so a rerun draws the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Latency {
    percentiles_ns: Vec<i64>,
}

impl Latency {
    /// Makes one that is always the same; negative or above a minute is refused.
    ///
    /// # Errors
    ///
    /// `Latency` where it is not within 0 and a minute.
    pub fn constant(nanos: i64) -> Result<Latency, Error> {
        if !(0..=LONGEST).contains(&nanos) {
            return Err(Error::Latency(format!("{nanos} ns is not within 0 and a minute")));
        }
        Ok(Latency { percentiles_ns: if nanos == 0 { Vec::new() } else { vec![nanos] } })
    }

    /// Reads a recording: CSV with a header and the columns `req` and `exch`, when an order left and when it arrived,
    /// in nanoseconds; other columns are not looked at.
    ///
    /// # Errors
    ///
    /// `Latency` where a column is missing, a line is not two instants in order and within a minute, or no order is in
    /// it.
    pub fn parse(csv: &str) -> Result<Latency, Error> {
        let mut lines = csv.lines();
        let header: Vec<&str> = lines.next().unwrap_or_default().split(',').map(str::trim).collect();
        let column = |name: &str| {
            let found = header.iter().position(|column| *column == name);
            found.ok_or_else(|| Error::Latency(format!("no column {name:?} in its header")))
        };
        let (left, arrived) = (column("req")?, column("exch")?);
        let mut latencies = Vec::new();
        for (index, line) in lines.enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let number = |column: usize| line.split(',').nth(column)?.trim().parse::<i64>().ok();
            let nanos = number(left).zip(number(arrived)).and_then(|(left, there)| there.checked_sub(left));
            match nanos.filter(|nanos| (0..=LONGEST).contains(nanos)) {
                Some(nanos) => latencies.push(nanos),
                None => {
                    let text = format!("line {}: req and exch are not two instants in order", index + 2);
                    return Err(Error::Latency(text));
                }
            }
        }
        if latencies.is_empty() {
            return Err(Error::Latency("it holds no order".into()));
        }
        latencies.sort_unstable();
        let last = latencies.len() - 1;
        Ok(Latency { percentiles_ns: (0..=100).map(|percent| latencies[last * percent / 100]).collect() })
    }

    /// Returns the nanoseconds that this order takes.
    pub fn of(&self, order: u64, ts: Ts) -> i64 {
        match self.percentiles_ns.as_slice() {
            [] => 0,
            [constant] => *constant,
            drawn => {
                let steps = drawn.len() - 1;
                // A place between the first and the last, in 2⁻²⁰ steps: whole numbers, so the same everywhere.
                let place = (splitmix64(splitmix64(order) ^ ts as u64) >> 24) as usize % (steps << 20);
                let (index, part) = (place >> 20, (place & 0xf_ffff) as i64);
                drawn[index] + (((drawn[index + 1] - drawn[index]) * part) >> 20)
            }
        }
    }

    /// Returns the latency of every order if they are all alike.
    pub fn is_constant(&self) -> Option<i64> {
        match self.percentiles_ns.as_slice() {
            [] => Some(0),
            [constant] => Some(*constant),
            _ => None,
        }
    }

    /// Tells whether an order arrives as it is sent.
    pub fn is_none(&self) -> bool {
        self.percentiles_ns.is_empty()
    }
}

/// Says it in milliseconds; of a recording the median and the longest.
impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |nanos: i64| nanos as f64 / MILLI as f64;
        match self.percentiles_ns.as_slice() {
            [] => f.write_str("none"),
            [constant] => write!(f, "{} ms", ms(*constant)),
            drawn => {
                let (median, longest) = (ms(drawn[drawn.len() / 2]), ms(drawn[drawn.len() - 1]));
                write!(f, "as recorded, median {median} ms, longest {longest} ms")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_is_drawn_from_evenly_and_the_same_again() {
        let rows: String = (0..=1000).rev().map(|ms| format!("5,{},9\n", 5 + ms * MILLI)).collect();
        let latency = Latency::parse(&format!("req,exch,resp\n{rows}")).expect("reads");
        let drawn: Vec<i64> = (0..20_000).map(|order| latency.of(order, 7)).collect();
        assert!(drawn.iter().all(|nanos| (0..=1000 * MILLI).contains(nanos)));
        for quarter in 0..4 {
            let within = |nanos: &&i64| (**nanos - 1) / (250 * MILLI) == quarter;
            let share = drawn.iter().filter(within).count() as f64 / drawn.len() as f64;
            assert!((share - 0.25).abs() < 0.02, "{quarter}: {share}");
        }
        assert_eq!(latency.of(17, 7), drawn[17]);
        assert_ne!(latency.of(17, 8), drawn[17]);
    }

    #[test]
    fn what_is_no_recording_is_refused_by_line() {
        for (text, named) in [
            ("", "\"req\""),
            ("req,resp\n1,2\n", "\"exch\""),
            ("req,exch\n", "no order"),
            ("req,exch\n1,2\n5,4\n", "line 3"),
            ("req,exch\n1,x\n", "line 2"),
            ("req,exch\n1\n", "line 2"),
            ("req,exch\n0,60000000001\n", "line 2"),
            ("req,exch\n-9223372036854775808,9223372036854775807\n", "line 2"),
        ] {
            let error = Latency::parse(text).expect_err(named).to_string();
            assert!(error.contains(named), "{error}");
        }
        assert!(Latency::constant(-1).is_err() && Latency::constant(LONGEST + 1).is_err());
        assert_eq!(Latency::constant(5).expect("a latency").of(1, 1), 5);
        assert_eq!(Latency::default().of(1, 1), 0);
    }
}
