//! What is looked at in every row. What is held against its price is in `prices.rs`.

use std::collections::BTreeMap;

use mes_core::{
    bar::Bar,
    plausible::Quotation,
    session::{Filter, Part},
    symbol::Symbol,
    tick::Tick,
    time::{self, MINUTE, SECOND, Ts},
};

use super::{
    gaps::{Class, Gaps},
    prices::Prices,
    report::{Check, Report, Roll, Stretch},
    seams::{Seams, Step},
};

/// A move between two rows that follow each other, and inside one row, that is worth a look.
const JUMP: f64 = 0.01;
const WIDE: f64 = 0.07;
/// How many times the volume that one row in a thousand reaches is an outlier.
const OUTLIER: f64 = 8.0;
/// Shorter than this nothing is missing between two ticks.
const QUIET: i64 = MINUTE;
/// From how many quotes on, all but one in a hundred of them alike, `bid = ask` is a dummy.
const DUMMIES: u64 = 20;

/// The row before.
#[derive(Clone, Copy)]
struct Last {
    ts: Ts,
    price: Option<f64>,
    symbol: Symbol,
}

/// Looks at rows in the order they come.
pub struct RowChecks {
    tick_size: f64,
    /// Length of a bar; ticks have none.
    row: i64,
    gaps: Gaps,
    pub report: Report,
    last: Option<Last>,
    prices: Prices,
    by_symbol: BTreeMap<String, Ts>,
    /// How many rows have a volume of so many bits, and the ten largest.
    volumes: [u64; 64],
    largest: Vec<(i64, Ts)>,
    seams: Seams,
    /// How many rows have a bid and an ask, how many of them the same one, and the first such row.
    quotes: u64,
    locked: u64,
    first_locked: Option<Ts>,
}

impl RowChecks {
    /// Makes one for rows of this many nanoseconds (0 for ticks) and prices of this step.
    pub fn new(gaps: Gaps, row: i64, tick_size: f64) -> RowChecks {
        RowChecks {
            tick_size,
            row,
            gaps,
            report: Report::default(),
            last: None,
            prices: Prices::new(row),
            by_symbol: BTreeMap::new(),
            volumes: [0; 64],
            largest: vec![],
            seams: Seams::new(tick_size),
            quotes: 0,
            locked: 0,
            first_locked: None,
        }
    }

    /// Looks at a bar.
    pub fn bar(&mut self, bar: &Bar<f64>) {
        let (low, high) = (bar.open.min(bar.close), bar.open.max(bar.close));
        if bar.low > low || bar.high < high || bar.low <= 0.0 || bar.volume < 0 {
            let (o, h, l, c, v) = (bar.open, bar.high, bar.low, bar.close, bar.volume);
            self.report
                .add(Check::Ohlc, bar.ts, || format!("open {o} high {h} low {l} close {c} volume {v}"));
        }
        for price in [bar.open, bar.high, bar.low, bar.close] {
            self.on_grid(bar.ts, price);
        }
        if (bar.high - bar.low) / bar.low > WIDE {
            self.report.add(Check::Wide, bar.ts, || format!("low {} high {}", bar.low, bar.high));
        }
        if let (Some(buy), Some(sell)) = (bar.buy_volume, bar.sell_volume)
            && (buy < 0 || sell < 0 || buy.saturating_add(sell) > bar.volume)
        {
            self.report.add(Check::Sides, bar.ts, || format!("buys {buy} sells {sell} of {}", bar.volume));
        }
        let Bar { low, high, close, .. } = *bar;
        let traded = bar.volume > 0;
        self.prices.push(bar.ts, bar.symbol, Quotation { low, high, close, traded }, &mut self.report);
        self.quote(bar.ts, bar.bid, bar.ask);
        self.volume(bar.volume, bar.ts);
        self.place(bar.ts, bar.ts - self.row, Some(bar.open), Some(bar.close), bar.symbol);
    }

    /// Looks at a tick.
    pub fn tick(&mut self, tick: &Tick) {
        for price in [tick.price, tick.bid, tick.ask].into_iter().flatten() {
            self.on_grid(tick.ts, price);
        }
        if let (Some(price), None) = (tick.price, tick.size) {
            self.report.add(Check::Sizes, tick.ts, || format!("price {price}"));
        }
        if let Some(close) = tick.price {
            let row = Quotation { low: close, high: close, close, traded: true };
            self.prices.push(tick.ts, tick.symbol, row, &mut self.report);
        }
        self.quote(tick.ts, tick.bid, tick.ask);
        self.volume(tick.size.unwrap_or(0), tick.ts);
        self.place(tick.ts, tick.ts, tick.price, tick.price, tick.symbol);
    }

    fn on_grid(&mut self, ts: Ts, price: f64) {
        let ticks = price / self.tick_size;
        if (ticks - ticks.round()).abs() > 1e-6 {
            self.report.add(Check::Grid, ts, || format!("price {price}"));
        }
    }

    fn quote(&mut self, ts: Ts, bid: Option<f64>, ask: Option<f64>) {
        let (Some(bid), Some(ask)) = (bid, ask) else { return };
        self.quotes += 1;
        if bid > ask {
            self.report.add(Check::Crossed, ts, || format!("bid {bid} ask {ask}"));
        } else if bid == ask {
            self.locked += 1;
            self.first_locked = self.first_locked.or(Some(ts));
        }
    }

    fn volume(&mut self, volume: i64, ts: Ts) {
        self.volumes[63 - volume.max(1).leading_zeros() as usize] += 1;
        if self.largest.len() < 10 || self.largest.iter().any(|(other, _)| *other < volume) {
            self.largest.push((volume, ts));
            self.largest.sort_by_key(|(volume, _)| -volume);
            self.largest.truncate(10);
        }
    }

    /// Looks at where a row lies: after the one before, in a session, next to what it follows.
    fn place(&mut self, ts: Ts, from: Ts, open: Option<f64>, close: Option<f64>, symbol: Symbol) {
        self.report.rows += 1;
        self.report.first = Some(self.report.first.map_or(ts, |first| first.min(ts)));
        self.report.last = Some(self.report.last.map_or(ts, |last| last.max(ts)));
        // A bar belongs to the session of its interval.
        let inside = if self.row > 0 { ts - 1 } else { ts };
        match self.gaps.part(inside) {
            Some(Part::Closed | Part::Pause) => {
                self.report.add(Check::Outside, ts, || "the calendar has no session then".to_owned());
            }
            Some(_) => {}
            None => self.report.add(Check::Beyond, ts, || "the calendar does not cover that day".to_owned()),
        }
        let seen = self.by_symbol.insert(symbol.as_str().to_owned(), ts);
        if self.row > 0 && seen == Some(ts) {
            self.report.add(Check::Duplicates, ts, || format!("{symbol} twice"));
        }
        if let Some(last) = self.last {
            if ts < last.ts {
                self.report.add(Check::Order, ts, || format!("after {}", time::format(last.ts)));
            } else {
                self.follow(last, ts, from, open, symbol, seen.is_some());
            }
        }
        self.last = Some(Last { ts, price: close.or(self.last.and_then(|last| last.price)), symbol });
    }

    /// Looks at a row that comes after another one.
    fn follow(&mut self, last: Last, ts: Ts, from: Ts, open: Option<f64>, symbol: Symbol, known: bool) {
        let changed = symbol != last.symbol;
        if changed && (known || ts == last.ts) {
            self.report.add(Check::Mixed, ts, || format!("{symbol} beside {}", last.symbol));
        } else if changed {
            let (old, new) = (last.symbol.to_string(), symbol.to_string());
            self.report.rolls.push(Roll { ts, old, new, old_price: last.price, new_price: open });
        } else if let (Some(before), Some(open)) = (last.price, open)
            && ((open - before) / before).abs() >= JUMP
        {
            self.report.add(Check::Jumps, ts, || format!("from {before} to {open}"));
        }
        if let (Some(before), Some(after), false) = (last.price, open, changed) {
            let step = Step { from: last.ts, to: from, ts, before, after };
            self.seams.pass(step, || self.gaps.end_of(symbol, ts).is_some());
        }
        if from > last.ts + if self.row > 0 { 0 } else { QUIET } {
            let expired = if changed { self.gaps.end_of(last.symbol, last.ts) } else { None };
            for piece in self.gaps.pieces(last.ts, from, expired) {
                let length = if self.row > 0 { self.row } else { SECOND };
                let rows = (piece.to - piece.from) / length;
                let stretch = Stretch { from: piece.from, to: piece.to, rows };
                match piece.class {
                    Class::Known(why) => self.report.known(why, stretch),
                    Class::Expected => self.report.expected(stretch),
                    Class::Suspicious(why) => self.report.suspicious(why, stretch),
                }
            }
        }
    }

    /// Ends the look at all rows.
    pub fn finish(mut self) -> Report {
        self.report.symbols = self.by_symbol.keys().filter(|name| !name.is_empty()).cloned().collect();
        if let (Some(first), Some(last)) = (self.report.first, self.report.last) {
            self.report.impaired = self.gaps.impaired.between(first, last);
        }
        let total: u64 = self.volumes.iter().sum();
        let mut above = 0;
        let rare = self.volumes.iter().rposition(|count| {
            above += count;
            above * 1000 >= total
        });
        let limit = OUTLIER * 2_f64.powi(rare.unwrap_or(63) as i32 + 1);
        let largest = std::mem::take(&mut self.largest);
        for (volume, ts) in largest.into_iter().filter(|(volume, _)| total >= 1000 && *volume as f64 > limit)
        {
            self.report.add(Check::Outliers, ts, || format!("volume {volume}"));
        }
        if let Some(ts) = self.first_locked.filter(|_| self.quotes >= DUMMIES)
            && self.locked * 100 >= self.quotes * 99
        {
            let (locked, quotes) = (self.locked, self.quotes);
            self.report.add(Check::Dummies, ts, || format!("{locked} of {quotes} quotes"));
        }
        for (ts, what) in self.seams.found() {
            self.report.add(Check::Seams, ts, || what);
        }
        self.report.note_hours();
        self.report
    }
}

/// Says which seconds a stream carries: what the user says, else what it says of itself.
pub fn filter(given: Option<mes_pipe::Session>, carried: Filter) -> Filter {
    given.map_or(carried, Filter::from)
}
