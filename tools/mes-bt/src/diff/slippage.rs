//! What the same order's fill cost in one journal against the other, by hour.

use std::collections::BTreeMap;

use chrono::Timelike;
use mes_core::{
    price::TICK,
    time::{self, MINUTE},
    tz,
};
use serde::Serialize;
use serde_json::Value;

use super::journal::Moment;

/// The fills of one hour of the day.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Hour {
    pub hour_new_york: u32,
    pub fills: u64,
    /// Positive: worse in the first journal.
    pub mean_ticks: f64,
    pub worst_ticks: i64,
}

/// A fill by what asked for it: order, and whether it opened or closed.
type Key = (u64, bool);

/// Pairs fills of the same orders, whenever each came.
#[derive(Default)]
pub struct Pairs {
    waiting: [BTreeMap<Key, Value>; 2],
    hours: BTreeMap<u32, (u64, i64, i64)>,
}

impl Pairs {
    /// Takes the fills of a moment of both.
    pub fn take(&mut self, one: &Moment, other: &Moment) {
        for (side, moment) in [one, other].into_iter().enumerate() {
            let fills = moment.parts[2]["statement"]["fills"].as_array();
            for fill in fills.into_iter().flatten() {
                let key = (fill["order"].as_u64().unwrap_or_default(), fill["exit"].is_null());
                match self.waiting[1 - side].remove(&key) {
                    Some(there) if side == 0 => self.pair(fill, &there),
                    Some(here) => self.pair(&here, fill),
                    None => {
                        self.waiting[side].insert(key, fill.clone());
                    }
                }
            }
        }
    }

    fn pair(&mut self, one: &Value, other: &Value) {
        let prices = one["price"].as_f64().zip(other["price"].as_f64());
        let at = |fill: &Value| fill["ts"].as_str().and_then(|text| time::parse(text).ok());
        let Some((((mine, theirs), ts), there)) = prices.zip(at(one)).zip(at(other)) else { return };
        // Ids run on: once the two have decided differently, the same id is another order.
        if (ts - there).abs() > MINUTE {
            return;
        }
        let sign = if one["side"] == "buy" { 1.0 } else { -1.0 };
        let ticks = (sign * (mine - theirs) / TICK).round() as i64;
        let hour = self.hours.entry(tz::new_york(ts).hour()).or_insert((0, 0, i64::MIN));
        *hour = (hour.0 + 1, hour.1 + ticks, hour.2.max(ticks));
    }

    /// Returns the hours that had fills of both.
    pub fn hours(&self) -> Vec<Hour> {
        let hour = |(hour, (fills, sum, worst)): (&u32, &(u64, i64, i64))| Hour {
            hour_new_york: *hour,
            fills: *fills,
            mean_ticks: *sum as f64 / *fills as f64,
            worst_ticks: *worst,
        };
        self.hours.iter().map(hour).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn moment(fills: Value) -> Moment {
        let none = json!({});
        Moment {
            ts: 0,
            parts: [none.clone(), none.clone(), json!({ "statement": { "fills": fills } }), none],
        }
    }

    #[test]
    fn fills_of_an_order_meet_though_they_came_apart() {
        let fill = |order: u64, side: &str, price: f64, exit: Value| json!({ "ts": "2026-11-20T15:00:00Z", "order": order, "side": side, "price": price, "exit": exit });
        let mut pairs = Pairs::default();
        let nothing = || moment(json!([]));
        // Bought half a point dearer, a row later.
        pairs.take(&nothing(), &moment(json!([fill(1, "buy", 5000.0, Value::Null)])));
        pairs.take(&moment(json!([fill(1, "buy", 5000.5, Value::Null)])), &nothing());
        // Sold a tick higher in the same row.
        let sold = |price| moment(json!([fill(1, "sell", price, json!("target"))]));
        pairs.take(&sold(5004.25), &sold(5004.0));
        let hours = pairs.hours();
        assert_eq!(hours, [Hour { hour_new_york: 10, fills: 2, mean_ticks: 0.5, worst_ticks: 2 }]);
    }
}
