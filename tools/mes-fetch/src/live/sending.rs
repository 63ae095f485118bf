//! How what was told becomes records: in our time, in order, without what cannot be believed. Pure.

use std::{collections::VecDeque, convert::Infallible};

use mes_core::{
    symbol::Symbol,
    tick::Tick,
    time::{Now, SECOND, Ts},
};
use mes_projectx::wire::{Bar, Print, Quote};

use super::{
    clocks::Clocks,
    counts::Counts,
    feed::{Feed, Record},
    market::Market,
    seconds::Second,
};

/// A stamp that lies further ahead of what can be is not believed.
const AHEAD: i64 = SECOND;

/// Seconds of trades that are remembered: more than heartbeats go on without a word.
const SEEN: usize = 32;

/// What is sent, and what that depends on.
pub struct Sending {
    pub clocks: Clocks,
    pub market: Market,
    pub feed: Feed,
    pub counts: Counts,
    /// What was sent of the last seconds in which something traded, by their own time.
    seen: VecDeque<Second>,
    /// The last stamp that was heard, in the service's time.
    heard: Option<Ts>,
}

impl Sending {
    /// Begins with nothing sent.
    pub fn new(symbol: Symbol) -> Sending {
        Sending {
            clocks: Clocks::default(),
            market: Market::new(symbol),
            feed: Feed::of_line(),
            counts: Counts::default(),
            seen: VecDeque::new(),
            heard: None,
        }
    }

    /// Returns the second from which on something may lack, in the service's time: heartbeats may have gone on for a while
    /// after the last word.
    pub fn second_lost(&self) -> Option<Ts> {
        let sent = self.clocks.theirs(self.feed.sent()?);
        Some(whole(self.heard.map_or(sent, |heard| heard.min(sent))))
    }

    /// Follows the service's clock; returns what to say where it has changed.
    pub fn follow(&mut self, follow: fn(&mut Clocks) -> Option<String>) -> Option<String> {
        let words = follow(&mut self.clocks)?;
        // Seconds are other ones from here on.
        self.seen.clear();
        self.heard = None;
        Some(words)
    }

    /// Returns a stamp that was heard `now`, or now where it is of the future.
    pub fn believed(&self, stamp: Ts, now: Now) -> Ts {
        let there = self.clocks.there(now);
        if stamp.saturating_sub(there) > AHEAD { there } else { stamp }
    }

    /// Sends the heartbeats that are due.
    pub fn beat(&mut self, now: Now, records: &mut Vec<Record>) {
        let here = self.clocks.here(now);
        let Ok(()) = self.feed.pass(here, keep(records));
    }

    /// Takes a quote in that was heard `now`, and sends it where it is another one; without a word where it was before the
    /// join, `joined`.
    pub fn quote(
        &mut self,
        change: &Quote,
        stamp: Ts,
        joined: Option<Ts>,
        now: Now,
        records: &mut Vec<Record>,
    ) {
        self.feed.hear();
        self.heard = Some(self.believed(stamp, now));
        match self.market.quote(change, stamp) {
            Ok(Some(_)) if joined.is_some_and(|joined| stamp < joined) => self.market.untold(),
            Ok(Some(tick)) => self.send(tick, stamp, now, records),
            Ok(None) => {}
            Err(odd) => self.counts.odd(odd),
        }
    }

    /// Takes in a quote of long ago: later ones change parts of it, and nobody is told of it.
    pub fn late_quote(&mut self, change: &Quote, stamp: Ts) {
        match self.market.quote(change, stamp) {
            Ok(Some(_)) => self.market.untold(),
            Ok(None) => {}
            Err(odd) => self.counts.odd(odd),
        }
    }

    /// Takes a trade in that was heard `now`, and sends it; returns its stamp where it can be believed.
    pub fn print(&mut self, print: &Print, now: Now, records: &mut Vec<Record>) -> Option<Ts> {
        match self.market.print(print) {
            Ok(tick) => {
                let stamp = self.believed(print.timestamp.ts(), now);
                let (price, size) = (print.price.floor_ticks(), print.volume);
                self.heard = Some(stamp);
                self.see(Second::trade(stamp, price, size));
                self.send(tick, print.timestamp.ts(), now, records);
                Some(stamp)
            }
            Err(odd) => {
                self.counts.odd(odd);
                None
            }
        }
    }

    fn send(&mut self, tick: Tick, stamp: Ts, now: Now, records: &mut Vec<Record>) {
        let believed = self.believed(stamp, now);
        let own = (believed != stamp).then(|| self.clocks.ours(stamp));
        let tick = Tick { ts: self.clocks.ours(believed), ..tick };
        let Ok(()) = self.feed.put(&tick, own, keep(records));
        let moved = records.last().is_some_and(|record| record.ts_event.is_some());
        self.counts.moved += u64::from(moved);
    }

    /// Sends what lacks of a second of the history; returns whether it could be one.
    pub fn second(&mut self, bar: &Bar, records: &mut Vec<Record>) -> bool {
        if bar.v == 0 {
            return false;
        }
        let Some(second) = Second::of(bar) else {
            self.counts.malformed += 1;
            return false;
        };
        if let Err(odd) = self.market.traded([second.high, second.low, second.close], second.begin) {
            self.counts.odd(odd);
            return false;
        }
        let pieces = match self.seen.iter().find(|seen| seen.begin == second.begin) {
            Some(seen) => second.rest(seen),
            None => second.pieces(),
        };
        for piece in pieces {
            let tick = Tick {
                ts: self.clocks.ours(piece.ts),
                price: Some(piece.price.points()),
                size: Some(piece.size),
                symbol: self.market.symbol(),
                ..Tick::default()
            };
            let Ok(()) = self.feed.put(&tick, None, keep(records));
            // A made-up place in a second is no time of its own, as long as it is that second.
            if let Some(record) = records.last_mut() {
                record.ts_event = record.ts_event.filter(|own| whole(*own) != whole(record.tick.ts));
                self.counts.moved += u64::from(record.ts_event.is_some());
            }
        }
        self.seen.retain(|seen| seen.begin != second.begin);
        self.see(second);
        true
    }

    /// Takes in what was sent of a second.
    fn see(&mut self, part: Second) {
        match self.seen.iter_mut().find(|seen| seen.begin == part.begin) {
            Some(seen) => seen.add(part.begin, part.close, part.volume),
            None => {
                if self.seen.len() == SEEN {
                    self.seen.pop_front();
                }
                self.seen.push_back(part);
            }
        }
    }

    /// Sends, where a quote was told, that it is not known any more; without letting time pass.
    pub fn blind(&mut self, records: &mut Vec<Record>) {
        if let (Some(blind), Some(ts)) = (self.market.blind(), self.feed.sent()) {
            let Ok(()) = self.feed.put(&Tick { ts, ..blind }, None, keep(records));
        }
    }

    /// Does so, and lets no time pass from here on: the line is lost.
    pub fn go_blind(&mut self, records: &mut Vec<Record>) {
        self.blind(records);
        self.feed.fall_silent();
    }
}

/// Cuts an instant to whole seconds.
pub fn whole(ts: Ts) -> Ts {
    ts.div_euclid(SECOND) * SECOND
}

fn keep(records: &mut Vec<Record>) -> impl FnMut(Record) -> Result<(), Infallible> {
    |record| {
        records.push(record);
        Ok(())
    }
}
