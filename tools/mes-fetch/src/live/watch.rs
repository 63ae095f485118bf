//! Whether the line is alive, by its quotes: trades and the book may go on while quotes stand still. Pure.
//!
//! After [`SILENT`] without one the history is asked: where it has trades that no quote followed, the quotes stand still;
//! where it has none, the market does.

use mes_core::time::{SECOND, Ts};

/// So long without a quote is asked about.
const SILENT: i64 = 5 * SECOND;
/// Trades so much later than the last quote show that quotes stand still.
const BEHIND: i64 = 2 * SECOND;
/// Between two questions, and of one without an answer.
const AGAIN: i64 = 5 * SECOND;
const PATIENCE: i64 = 35 * SECOND;
/// Between two connections that are given up, at first and at most.
const FIRST: i64 = 5 * SECOND;
const LONGEST: i64 = 60 * SECOND;
/// Messages that come so late, for so long, come from a line that piles up.
const LATE: i64 = 2 * SECOND;
const LATE_FOR: i64 = 5 * SECOND;
/// How far back the history is asked.
const BACK: i64 = 60 * SECOND;

/// Watches. Instants are on the steady clock, stamps in the service's time.
#[derive(Debug, Default)]
pub struct Watch {
    quoted_at: i64,
    quote: Option<Ts>,
    trade: Option<Ts>,
    /// It is silent, and when to ask next.
    asks: Option<i64>,
    late_since: Option<i64>,
    /// When a connection may be given up again, and how long the next one has.
    patient_until: i64,
    patience: i64,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    Nothing,
    /// No quote for a while: the newest bar of a span is to be asked for.
    Ask([Ts; 2]),
    /// Trades go on without quotes since then.
    Frozen {
        since: Ts,
    },
}

impl Watch {
    /// Begins with a new connection.
    pub fn begin(&mut self, steady: i64) {
        (self.quoted_at, self.asks, self.late_since) = (steady, None, None);
    }

    /// Takes a quote in, `there` being the service's time; says whether it is one of now. Those of long ago are no sign of
    /// life, however many come.
    pub fn quoted(&mut self, stamp: Ts, there: Ts, steady: i64) -> bool {
        if there.saturating_sub(stamp) > LATE {
            return false;
        }
        if self.asks.take().is_some() || self.quote.is_none() {
            self.patience = FIRST;
        }
        (self.quoted_at, self.quote) = (steady, Some(stamp));
        true
    }

    /// Takes a trade in.
    pub fn traded(&mut self, stamp: Ts) {
        self.trade = Some(stamp);
    }

    /// Takes in how late something came, in nanoseconds; returns it where the line is to be given up for it.
    pub fn late(&mut self, by: i64, steady: i64) -> Option<i64> {
        if by <= LATE {
            self.late_since = None;
            return None;
        }
        let since = *self.late_since.get_or_insert(steady);
        (steady - since >= LATE_FOR && self.gives_up(steady)).then_some(by)
    }

    /// Lets time pass, `there` being the service's time; `open` where the market is.
    pub fn pass(&mut self, there: Ts, steady: i64, open: bool) -> Finding {
        if !open {
            (self.quoted_at, self.asks) = (steady, None);
            return Finding::Nothing;
        }
        let span = [there.saturating_sub(BACK), there.saturating_add(SECOND)];
        if steady < self.asks.unwrap_or(self.quoted_at.saturating_add(SILENT)) {
            return Finding::Nothing;
        }
        self.asks = Some(steady.saturating_add(PATIENCE));
        Finding::Ask(span)
    }

    /// Takes in when the newest bar begins, if there is one; without an answer what the line itself has told decides.
    pub fn answered(&mut self, newest: Result<Option<Ts>, String>, steady: i64) -> Finding {
        if self.asks.is_none() {
            return Finding::Nothing;
        }
        self.asks = Some(steady.saturating_add(AGAIN));
        // All but the last instant of a bar may be what traded.
        let newest = newest.ok().flatten().map(|begin| begin.saturating_add(SECOND));
        let trade = newest.max(self.trade);
        let since = self.quote.unwrap_or(Ts::MIN);
        match trade {
            Some(trade) if trade > since.saturating_add(BEHIND) && self.gives_up(steady) => {
                Finding::Frozen { since: self.quote.unwrap_or(trade) }
            }
            _ => Finding::Nothing,
        }
    }

    fn gives_up(&mut self, steady: i64) -> bool {
        if steady < self.patient_until {
            return false;
        }
        self.patience = (self.patience * 2).clamp(FIRST, LONGEST);
        self.patient_until = steady.saturating_add(self.patience);
        self.late_since = None;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_that_stand_still_are_found_and_a_market_that_does_is_left_alone() {
        let mut watch = Watch::default();
        watch.begin(0);
        watch.quoted(100 * SECOND, 100 * SECOND, 0);
        let at = |seconds: i64| (100 * SECOND + seconds * SECOND, seconds * SECOND);
        let pass = |watch: &mut Watch, seconds| watch.pass(at(seconds).0, at(seconds).1, true);
        assert_eq!(pass(&mut watch, 4), Finding::Nothing);
        assert!(matches!(pass(&mut watch, 5), Finding::Ask(_)));
        assert_eq!(pass(&mut watch, 6), Finding::Nothing, "asked once");
        assert_eq!(watch.answered(Ok(Some(100 * SECOND)), 6 * SECOND), Finding::Nothing, "nothing trades");
        assert!(matches!(pass(&mut watch, 11), Finding::Ask(_)));
        assert_eq!(watch.answered(Err("503".into()), 12 * SECOND), Finding::Nothing);
        watch.traded(108 * SECOND);
        assert!(matches!(pass(&mut watch, 17), Finding::Ask(_)));
        let frozen = Finding::Frozen { since: 100 * SECOND };
        assert_eq!(watch.answered(Err("503".into()), 17 * SECOND), frozen);
        // Not again at once.
        watch.begin(18 * SECOND);
        assert!(matches!(pass(&mut watch, 23), Finding::Ask(_)));
        assert_eq!(watch.answered(Ok(Some(121 * SECOND)), 23 * SECOND), Finding::Nothing);
        assert!(matches!(pass(&mut watch, 28), Finding::Ask(_)));
        assert_eq!(watch.answered(Ok(Some(126 * SECOND)), 28 * SECOND), frozen);
        // Of a stream that is behind, each quote comes when it comes, and says nothing.
        assert!(!watch.quoted(100 * SECOND, 129 * SECOND, 29 * SECOND) && watch.asks.is_some());
        watch.quoted(129 * SECOND, 129 * SECOND, 29 * SECOND);
        assert_eq!(
            watch.answered(Ok(Some(200 * SECOND)), 29 * SECOND),
            Finding::Nothing,
            "too late to say so"
        );
        assert_eq!(watch.pass(400 * SECOND, 300 * SECOND, false), Finding::Nothing, "closed");
    }

    #[test]
    fn a_line_that_piles_up_is_given_up() {
        let mut watch = Watch::default();
        assert_eq!(watch.late(3 * SECOND, 0), None);
        assert_eq!(watch.late(SECOND, 4 * SECOND), None);
        assert_eq!(watch.late(3 * SECOND, 5 * SECOND), None);
        assert_eq!(watch.late(4 * SECOND, 10 * SECOND), Some(4 * SECOND));
        assert_eq!(watch.late(4 * SECOND, 11 * SECOND), None);
    }
}
