//! Where in the day a bar ends: minutes to the close of the cash session / 390, 0 outside it; and the elapsed share
//! of the Globex day as scheduled, early closes included.
//!
//! Features: `f_to_close`, `f_day`, in [0, 1]. Warm-up: none. `f_day` is null where the calendar has no day.
//! Source: the calendar; that markets follow the clock: Admati and Pfleiderer, Review of Financial Studies 1 (1988).

use mes_core::{interval::Interval, time::MINUTE};

use super::{Columns, Indicator, Kind, Place, placed};
use crate::row::Row;

/// Length of a full cash session.
const CASH_SESSION_NS: f64 = (390 * MINUTE) as f64;

/// How the set makes it.
pub const KIND: Kind = Kind { name: "time", make };

fn make(_: Interval, places: &[Place]) -> Box<dyn Columns> {
    placed(Time, places)
}

struct Time;

impl Indicator<2> for Time {
    #[inline]
    fn step(&mut self, row: &Row) -> [f64; 2] {
        let day = row.day_ns.map_or(f64::NAN, |(elapsed, length)| elapsed as f64 / length as f64);
        [row.to_close_ns as f64 / CASH_SESSION_NS, day]
    }
}
