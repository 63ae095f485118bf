//! Quotes within an interval: the last one, and the order-flow imbalance of all.

use mes_core::{bar::Bar, time::Ts};

/// The best bid and ask.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Quote {
    pub bid: Option<f64>,
    pub ask: Option<f64>,
    pub bid_size: Option<i64>,
    pub ask_size: Option<i64>,
}

impl Quote {
    /// Puts the quote into a bar as the one at its close.
    pub fn close(&self, bar: &mut Bar<f64>) {
        (bar.bid, bar.ask, bar.bid_size, bar.ask_size) = (self.bid, self.ask, self.bid_size, self.ask_size);
    }
}

/// Sums eₙ of Cont, Kukanov and Stoikov, "The Price Impact of Order Book Events" (2014), in contracts:
/// eₙ = 1{Pᵇₙ ≥ Pᵇₙ₋₁}qᵇₙ − 1{Pᵇₙ ≤ Pᵇₙ₋₁}qᵇₙ₋₁ − 1{Pᵃₙ ≤ Pᵃₙ₋₁}qᵃₙ + 1{Pᵃₙ ≥ Pᵃₙ₋₁}qᵃₙ₋₁.
///
/// Each call names the end of its interval: what came in an interval without a row is in no row.
#[derive(Clone, Copy, Debug, Default)]
pub struct Flow {
    sum: Option<i64>,
    end: Ts,
}

impl Flow {
    /// Adds the change from one quote to the next, where both are whole.
    pub fn add(&mut self, before: &Quote, after: &Quote, end: Ts) {
        let (Some(bid), Some(ask), Some(bid_size), Some(ask_size)) =
            (after.bid, after.ask, after.bid_size, after.ask_size)
        else {
            return;
        };
        let mut flow = self.at(end).unwrap_or(0);
        if let (Some(old_bid), Some(old_ask), Some(old_bid_size), Some(old_ask_size)) =
            (before.bid, before.ask, before.bid_size, before.ask_size)
        {
            let when = |condition: bool, size: i64| if condition { size } else { 0 };
            flow += when(bid >= old_bid, bid_size) - when(bid <= old_bid, old_bid_size);
            flow += when(ask >= old_ask, old_ask_size) - when(ask <= old_ask, ask_size);
        }
        self.sum = Some(flow);
    }

    /// Adds the imbalance of a finer bar.
    pub fn of_bar(&mut self, ofi: Option<i64>, end: Ts) {
        if let Some(ofi) = ofi {
            self.sum = Some(self.at(end).unwrap_or(0).saturating_add(ofi));
        }
    }

    /// Returns the sum of the interval and begins the next one. Null until there was a quote.
    pub fn take(&mut self, end: Ts) -> Option<i64> {
        let sum = self.at(end);
        self.sum = sum.map(|_| 0);
        sum
    }

    /// Returns the sum so far of the interval that ends at `end`.
    fn at(&mut self, end: Ts) -> Option<i64> {
        if self.end != end {
            (self.sum, self.end) = (self.sum.map(|_| 0), end);
        }
        self.sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example in Cont et al. as computed by hand.
    #[test]
    fn equals_the_published_formula() {
        let quotes = [
            (5000.0, 10, 5000.25, 12),
            (5000.0, 14, 5000.25, 9),
            (5000.25, 3, 5000.5, 8),
            (5000.25, 3, 5000.5, 11),
            (5000.0, 20, 5000.25, 6),
        ]
        .map(|(bid, bid_size, ask, ask_size)| Quote {
            bid: Some(bid),
            ask: Some(ask),
            bid_size: Some(bid_size),
            ask_size: Some(ask_size),
        });
        let mut steps = Vec::new();
        for pair in quotes.windows(2) {
            let mut flow = Flow::default();
            flow.add(&pair[0], &pair[1], 1);
            steps.push(flow.take(1));
        }
        assert_eq!(steps, [Some(7), Some(12), Some(-3), Some(-9)]);
    }
}
