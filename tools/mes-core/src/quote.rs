//! The quote of a bar, where it is one: both sides there, the bid below the ask, and neither far from the last trade. Of
//! anything else the spread is unknown. A side off the grid of ticks is absent: [`Bar::prices_on_grid`].

use crate::{bar::Bar, price::Price};

/// Both sides of the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote {
    pub bid: Price,
    pub ask: Price,
}

/// Why bid and ask are no quote.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NoQuote {
    /// So many sides are there.
    Sides(u8),
    /// The spread in ticks, which is not above 0.
    Crossed(i64),
    /// The share of the last trade's price that the farther side lies away from it.
    Far(f64),
}

impl Quote {
    /// Returns the quote at the close of a bar. `band` is the share of the last trade's price within which both sides
    /// have to lie; 0 believes everything.
    ///
    /// # Errors
    ///
    /// [`NoQuote`] where there is none.
    #[inline]
    pub fn of(bar: &Bar, band: f64) -> Result<Quote, NoQuote> {
        let (Some(bid), Some(ask)) = (bar.bid, bar.ask) else {
            return Err(NoQuote::Sides(u8::from(bar.bid.is_some()) + u8::from(bar.ask.is_some())));
        };
        if band > 0.0 {
            if bid >= ask {
                return Err(NoQuote::Crossed(ask - bid));
            }
            let far = (bid - bar.close).abs().max((ask - bar.close).abs()) as f64;
            let close = bar.close.ticks() as f64;
            if far > band * close {
                return Err(NoQuote::Far(far / close.abs()));
            }
        }
        Ok(Quote { bid, ask })
    }

    /// Returns the spread in ticks.
    pub fn spread_ticks(self) -> i64 {
        self.ask - self.bid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_one_sided_crossed_locked_or_far_quote_is_no_quote() {
        let of = |bid, ask| {
            let bar = Bar { close: 5000.0, bid, ask, ..Bar::default() };
            Quote::of(&bar.prices_on_grid().expect("on the grid"), 0.02)
        };
        let [bid, ask] = [19_999, 20_000].map(Price::from_ticks);
        assert_eq!(of(Some(4999.75), Some(5000.0)), Ok(Quote { bid, ask }));
        assert_eq!(of(Some(4900.0), Some(5100.0)).map(Quote::spread_ticks), Ok(800));
        assert_eq!(of(None, Some(5500.0)), Err(NoQuote::Sides(1)));
        assert_eq!(of(None, None), Err(NoQuote::Sides(0)));
        assert_eq!(of(Some(5000.0), Some(5000.0)), Err(NoQuote::Crossed(0)));
        assert_eq!(of(Some(5000.25), Some(5000.0)), Err(NoQuote::Crossed(-1)));
        assert_eq!(of(Some(4999.75), Some(5100.25)), Err(NoQuote::Far(0.02005)));
        assert_eq!(of(Some(4000.0), Some(5000.25)), Err(NoQuote::Far(0.2)));
        assert_eq!(of(Some(4999.8), Some(5000.0)), Err(NoQuote::Sides(1)));
    }
}
