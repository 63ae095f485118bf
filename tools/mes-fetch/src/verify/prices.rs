//! Whether prices are those of a market at all: by the test that risk and the paper account halt by, and by what the
//! contract has been worth.

use std::collections::BTreeMap;

use mes_core::{
    contract::Name,
    plausible::{self, BREAK, Quotation, Seen},
    price_range::PriceRanges,
    symbol::Symbol,
    time::Ts,
    tz,
};

use super::report::{Check, Report};

/// Follows the prices of rows in the order they come.
pub struct Prices {
    /// Length of a bar; ticks have none.
    row: i64,
    /// Of each instrument, and the instant of its last row: of several side by side none is measured by another.
    by_symbol: BTreeMap<Symbol, (plausible::Prices, Ts)>,
    ranges: PriceRanges,
    /// The instrument of the row before.
    symbol: Option<Symbol>,
    /// What the instrument of these rows may cost.
    range: Option<(f64, f64)>,
    /// When to look again.
    looked_up_until: Ts,
}

impl Prices {
    /// Makes one for rows of this many nanoseconds; 0 for ticks.
    pub fn new(row: i64) -> Prices {
        Prices {
            row,
            by_symbol: BTreeMap::new(),
            ranges: PriceRanges::shipped(),
            symbol: None,
            range: None,
            looked_up_until: Ts::MIN,
        }
    }

    /// Takes the next row and reports a price that cannot be.
    pub fn push(&mut self, ts: Ts, symbol: Symbol, row: Quotation, report: &mut Report) {
        if self.symbol.replace(symbol) != Some(symbol) || ts >= self.looked_up_until {
            self.look_up(ts, symbol);
        }
        let (prices, last) = self.by_symbol.entry(symbol).or_insert((plausible::Prices::default(), ts));
        let breaks = (ts - std::mem::replace(last, ts)).abs() > BREAK + self.row;
        let seen = prices.push(row, breaks, self.row);
        if let Seen::Implausible(jump) = seen {
            report
                .add(Check::Implausible, ts, || format!("{:.1} % away: {}", 100.0 * jump.share, shown(row)));
        } else if let Seen::Confirmed { from, to } = seen {
            report.add(Check::Implausible, ts, || format!("from {from} to {to}, and it stays there"));
        }
        if let Some((low, high)) = self.range.filter(|(low, high)| row.low < *low || row.high > *high) {
            report.add(Check::Range, ts, || format!("{}, not within {low} and {high}", shown(row)));
        }
    }

    /// Looks up the range of an instrument, for an hour.
    fn look_up(&mut self, ts: Ts, symbol: Symbol) {
        let date = tz::new_york(ts).date();
        self.looked_up_until = ts.saturating_add(mes_core::time::HOUR);
        let name = Name::parse(symbol.as_str(), date).ok();
        self.range = name.and_then(|name| self.ranges.of(name.root(), date));
    }
}

fn shown(row: Quotation) -> String {
    let Quotation { low, high, .. } = row;
    if low == high { format!("price {low}") } else { format!("low {low} high {high}") }
}
