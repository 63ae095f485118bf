//! Whether a price can be believed. A price no market makes is a fault of the data: until it goes away, or enough rows
//! have confirmed it, the market counts as halted for risk and for the paper account alike, which is why both ask here.
//!
//! The largest minute of the index in 30 years of futures (2025-04-09) was 3.3 %.
//!
//! Rows longer than a minute may move 20 % inside a segment: 5 % was measured on minutes, and 2025-04-09 had more
//! within five of them.

use serde::{Deserialize, Serialize};

use crate::time::{MINUTE, Ts};

/// How far from the last plausible price another one may lie: inside a segment, and after a break. Bars longer than a
/// minute may move as far as over a break.
pub const WITHIN: f64 = 0.05;
/// As [`WITHIN`], after a break.
pub const ACROSS: f64 = 0.20;
/// Rows with trades, one after the other and within [`WITHIN`] of each other, that make a new price the price.
pub const CONFIRM: u32 = 10;
/// Rows without one so long are a break, whatever `seg` says: it may be the count of another run.
pub const BREAK: Ts = 5 * MINUTE;

/// What a row says of the price, in points: tables are looked at too, whose prices may lie on no grid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quotation {
    pub low: f64,
    pub high: f64,
    pub close: f64,
    /// Something traded; a row that only carries a price on confirms nothing.
    pub traded: bool,
}

/// Whether a row is to be believed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Seen {
    Plausible,
    Implausible(Jump),
    /// A price that was not believed has been confirmed: it is the price from this row on.
    Confirmed {
        from: f64,
        to: f64,
    },
}

impl Seen {
    /// Says whether the market counts as halted.
    pub fn is_implausible(self) -> bool {
        matches!(self, Seen::Implausible(_))
    }
}

/// A move that no market makes, and the largest that is believed, as shares of the last plausible price.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Jump {
    pub share: f64,
    pub limit: f64,
}

/// Rows that were not believed and agree with each other.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Doubt {
    low: f64,
    high: f64,
    rows: u32,
}

/// Follows the last plausible price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Prices {
    last: Option<f64>,
    /// There was a break since.
    broke: bool,
    /// Of the last row, if it was not believed.
    jump: Option<Jump>,
    doubt: Option<Doubt>,
}

impl Prices {
    /// Takes the next row, which is so long; `breaks` where one lies before it.
    #[inline]
    pub fn push(&mut self, row: Quotation, breaks: bool, row_ns: i64) -> Seen {
        self.broke |= breaks;
        let limit = if self.broke || row_ns > MINUTE { ACROSS } else { WITHIN };
        let Some(last) = self.last else { return self.believe(row.close) };
        let far = (row.high - last).abs().max((row.low - last).abs());
        if far <= limit * last {
            return self.believe(row.close);
        }
        self.question(row, last, Jump { share: far / last.abs(), limit })
    }

    /// Returns how far the last row was from what is believed, if it was too far.
    pub fn jump(&self) -> Option<Jump> {
        self.jump
    }

    #[inline]
    fn believe(&mut self, close: f64) -> Seen {
        *self = Prices { last: Some(close), ..Prices::default() };
        Seen::Plausible
    }

    #[cold]
    fn question(&mut self, row: Quotation, last: f64, jump: Jump) -> Seen {
        self.jump = Some(jump);
        if !row.traded {
            return Seen::Implausible(jump);
        }
        let alone = Doubt { low: row.low, high: row.high, rows: 0 };
        let agrees = |doubt: &Doubt| doubt.low > 0.0 && doubt.high <= (1.0 + WITHIN) * doubt.low;
        let joined = self.doubt.map_or(alone, |doubt| Doubt {
            low: doubt.low.min(row.low),
            high: doubt.high.max(row.high),
            ..doubt
        });
        let mut doubt = if agrees(&joined) { joined } else { alone };
        doubt.rows += u32::from(agrees(&doubt));
        self.doubt = Some(doubt);
        if doubt.rows < CONFIRM {
            return Seen::Implausible(jump);
        }
        self.believe(row.close);
        Seen::Confirmed { from: last, to: row.close }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::SECOND;

    fn row(price: f64) -> Quotation {
        Quotation { low: price, high: price, close: price, traded: true }
    }

    /// Pushes seconds of these prices and says of each whether it was believed (`+`), not (`-`), or confirmed (`!`).
    fn seen(rows: &[Quotation]) -> String {
        let mut prices = Prices::default();
        let sign = |row: &Quotation| match prices.push(*row, false, SECOND) {
            Seen::Plausible => '+',
            Seen::Implausible(_) => '-',
            Seen::Confirmed { .. } => '!',
        };
        rows.iter().map(sign).collect()
    }

    #[test]
    fn five_percent_inside_a_segment_and_twenty_over_a_break() {
        for (price, breaks, row_ns, believed) in [
            (5250.0, false, SECOND, true),
            (5250.25, false, SECOND, false),
            (4750.0, false, SECOND, true),
            (4749.75, false, SECOND, false),
            (-5000.0, false, SECOND, false),
            (6000.0, true, SECOND, true),
            (6000.25, true, SECOND, false),
            (6000.0, false, 2 * MINUTE, true),
            (5250.25, false, MINUTE, false),
        ] {
            let mut prices = Prices::default();
            prices.push(row(5000.0), false, row_ns);
            let seen = prices.push(row(price), breaks, row_ns);
            assert_eq!(seen == Seen::Plausible, believed, "{price} {breaks}");
            assert_eq!(prices.jump().is_none(), believed);
        }
    }

    #[test]
    fn one_wild_print_in_a_row_is_enough_and_the_next_row_is_believed_again() {
        let spike = Quotation { high: 50_000.0, ..row(5000.0) };
        assert_eq!(seen(&[row(5000.0), spike, row(5000.25)]), "+-+");
    }

    #[test]
    fn ten_traded_rows_that_agree_confirm_a_new_price() {
        let mut rows = vec![row(5000.0)];
        rows.extend([row(50_000.0); 10]);
        rows.push(row(50_000.25));
        assert_eq!(seen(&rows), "+---------!+");
        // Carried rows confirm nothing, one that disagrees begins anew, and so does a plausible one.
        rows.insert(3, Quotation { traded: false, ..row(50_000.0) });
        assert_eq!(seen(&rows), "+----------!+");
        rows.insert(3, row(60_000.0));
        rows.push(row(50_000.0));
        assert_eq!(seen(&rows), format!("+{}!", "-".repeat(13)));
        rows.insert(3, row(5000.0));
        assert_eq!(seen(&rows), format!("+--+{}!", "-".repeat(11)));
    }

    #[test]
    fn what_is_below_zero_is_never_confirmed() {
        let mut rows = vec![row(5000.0)];
        rows.extend([row(-5000.0); 30]);
        assert_eq!(seen(&rows), format!("+{}", "-".repeat(30)));
    }

    /// Six percent are not believed however long they last: a break before the doubt began is what widens the band.
    #[test]
    fn doubt_does_not_become_a_break_by_lasting() {
        let mut prices = Prices::default();
        prices.push(row(5000.0), false, MINUTE);
        for price in [5300.0, 4000.0].repeat(10) {
            assert!(prices.push(row(price), false, MINUTE).is_implausible());
        }
    }
}
