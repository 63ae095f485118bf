//! Entries at a limit: they wait in the book from their arrival until they fill, expire or are cancelled, and fill whole or
//! not at all: on paper there are no partial fills.

use mes_core::{bar::Bar, fills::Model, price::Price, time::Ts};

use super::{Entry, Paper, fills::Met};

/// From where on a row acts on the position that is open at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Since {
    /// The position was there for all of its trades.
    Open,
    /// An entry was filled somewhere within it.
    Within,
}

impl Entry {
    /// Returns how many ticks `price` is better than the limit; nothing of an entry at market.
    pub fn ahead_of(&self, price: Price) -> Option<i64> {
        self.limit.map(|limit| self.side.sign() * (limit - price))
    }
}

impl Paper {
    /// Fills the entry at a limit where it meets this row, unless a cancel came first, and says from where on the row acts
    /// on it. One whose cancel arrives within the row may fill in it before: the worse of the two.
    pub(super) fn meet_limit(&mut self, bar: &Bar) -> Since {
        self.drop_cancelled(bar.ts - self.interval);
        let mut since = Since::Open;
        let due = |entry: &Entry| entry.limit.is_some() && entry.due < bar.ts && bar.volume > 0;
        if let Some(mut entry) = self.entry.take_if(|entry| due(entry)) {
            match self.meeting(&entry, bar) {
                Some((met, from)) => {
                    since = from;
                    self.open_at(met, entry, bar.ts);
                }
                None => {
                    entry.rests = true;
                    self.entry = Some(entry);
                }
            }
        }
        self.drop_cancelled(bar.ts - 1);
        since
    }

    /// Returns where an entry at a limit fills in a row with trades that it was there for, if it does. Nothing fills on the
    /// side that a locked market blocks.
    ///
    /// One that waits fills at its limit, never better, once the row trades through it, by a tick where fills are
    /// conservative; where the row opens there, at its open.
    fn meeting(&self, entry: &Entry, bar: &Bar) -> Option<(Met, Since)> {
        if self.blocked == Some(entry.side) {
            return None;
        }
        let limit = entry.limit?;
        let within = entry.due > bar.ts - self.interval;
        if !entry.rests
            && let Some(met) = self.crosses(entry, limit, within, bar)
        {
            return Some((met, if within { Since::Within } else { Since::Open }));
        }
        // What a row traded at before the order came within it was not traded with it.
        if within {
            return None;
        }
        let furthest = if entry.side.sign() > 0 { bar.low } else { bar.high };
        let met = Met::at(limit, 0);
        if self.reaches(entry, bar.open) {
            Some((met, Since::Open))
        } else {
            self.reaches(entry, furthest).then_some((met, Since::Within))
        }
    }

    /// Returns where an entry fills that finds the market on the other side of its limit as it arrives: as one at market
    /// does, slippage included, but never beyond its limit. Where there is a quote to tell, that has to lie within the limit
    /// as well as the open; else the open itself has to trade through. Of one that comes within the row the close has to,
    /// which is all that is known to come after.
    fn crosses(&self, entry: &Entry, limit: Price, within: bool, bar: &Bar) -> Option<Met> {
        let met = self.meet(entry.side, entry.due, bar)?;
        let quoted = self.before.is_some_and(|before| before.quote.is_some());
        let ahead = entry.side.sign() * (limit - met.price);
        let crosses = match (within, quoted) {
            (true, _) => self.reaches(entry, bar.close),
            (false, true) => ahead >= 0,
            (false, false) => self.reaches(entry, met.price),
        };
        let price = if ahead < 0 { limit } else { met.price };
        let slippage_ticks = met.slippage_ticks.min(ahead.max(0));
        crosses.then_some(Met { price, slippage_ticks, ..met })
    }

    /// Says whether a trade at this price fills an entry that waits at its limit.
    fn reaches(&self, entry: &Entry, price: Price) -> bool {
        let through = i64::from(self.fills.model == Model::Conservative);
        entry.ahead_of(price).is_some_and(|ticks| ticks >= through)
    }

    /// Ends the entry at a limit whose cancel has arrived by `now`.
    fn drop_cancelled(&mut self, now: Ts) {
        let arrived = |entry: &Entry| entry.cancelled.is_some_and(|cancelled| cancelled <= now);
        if let Some(entry) = self.entry.take_if(|entry| arrived(entry)) {
            self.refuse(entry.order, "cancelled");
        }
    }
}
