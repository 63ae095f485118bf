//! Whether prices are those of a market at all: by the test that risk and the paper account halt by, and by what the
//! contract has been worth.

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
    prices: plausible::Prices,
    /// Instant and instrument of the row before.
    last: Option<(Ts, Symbol)>,
    ranges: PriceRanges,
    /// What the instrument of these rows may cost.
    range: Option<(f64, f64)>,
    /// When to look again.
    looked_up_until: Ts,
}

impl Prices {
    pub fn new(row: i64) -> Prices {
        Prices {
            row,
            prices: plausible::Prices::default(),
            last: None,
            ranges: PriceRanges::shipped(),
            range: None,
            looked_up_until: Ts::MIN,
        }
    }

    /// Takes the next row and reports a price that cannot be.
    pub fn push(&mut self, ts: Ts, symbol: Symbol, row: Quotation, report: &mut Report) {
        let same = self.last.is_some_and(|(_, before)| before == symbol);
        let breaks = !same || self.last.is_some_and(|(before, _)| (ts - before).abs() > BREAK + self.row);
        if !same || ts >= self.looked_up_until {
            self.look_up(ts, symbol);
        }
        self.last = Some((ts, symbol));
        let seen = self.prices.push(row, breaks, self.row);
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
