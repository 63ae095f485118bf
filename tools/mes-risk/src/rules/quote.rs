//! No entry where the stream has quotes and this row has none: nobody knows what crossing the spread would cost.

use mes_core::quote::{NoQuote, Quote};

use super::{Opinion, View};

/// Asks for both sides of the book.
pub fn sides(view: &View) -> Opinion {
    match none(view) {
        Some(NoQuote::Sides(sides)) => Opinion::Deny { value: f64::from(sides), limit: 2.0 },
        _ => Opinion::Allow,
    }
}

/// Asks for a bid below the ask.
pub fn crossed(view: &View) -> Opinion {
    match none(view) {
        Some(NoQuote::Crossed(spread)) => Opinion::Deny { value: spread as f64, limit: 1.0 },
        _ => Opinion::Allow,
    }
}

/// Asks for a quote near the last trade.
pub fn far(view: &View) -> Opinion {
    match none(view) {
        Some(NoQuote::Far(share)) => {
            Opinion::Deny { value: 100.0 * share, limit: 100.0 * view.rules.breakers.quote_band }
        }
        _ => Opinion::Allow,
    }
}

fn none(view: &View) -> Option<NoQuote> {
    let band = view.rules.breakers.quote_band;
    Quote::of(&view.row.bar, band).err().filter(|_| view.quotes && band > 0.0)
}
