//! Which barrier an entry would meet first: UP if a long entry made on this row would reach its target, DOWN if a short
//! one would, FLAT if neither does before its stop or the timeout.
//!
//! The entry is filled as in a backtest: at the open of the next row with volume in the same segment, plus slippage, or at
//! the opposite quote before it where that is worse.
//! Rows without volume trigger nothing. An open beyond the stop is a stop; one through the target, a target; within a
//! row the stop comes first. A target must be traded through, by one tick. At the first row that ends `timeout` after
//! the fill or later an exit is ordered, which the next open fills, whatever it brings. Without a fill, or when the segment ends before anything is
//! settled, the label is null.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
};

use mes_core::{bar::Bar, price::Price, time::Ts};

use super::{DOWN, FLAT, Label, Labeller, UP};

/// Distances in ticks from the fill, and how long a position may last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Barriers {
    pub stop_ticks: i64,
    pub target_ticks: i64,
    pub timeout_ns: i64,
    pub slippage_ticks: i64,
}

/// Labels by which of two barriers is met first.
pub struct Barrier {
    barriers: Barriers,
    seg: i64,
    /// Rows in order whose labels have not been handed out, the first being number `first`.
    rows: VecDeque<Trade>,
    first: u64,
    /// How many of them, from the end, wait for a fill.
    unfilled: usize,
    long: Side,
    short: Side,
    /// The row before: its end and its quote.
    before: Option<(Ts, Option<Price>, Option<Price>)>,
}

/// A row and what became of both its entries.
#[derive(Clone, Copy)]
struct Trade {
    filled: Option<Ts>,
    stopped: [bool; 2],
    label: Option<i8>,
}

/// Levels of open positions of one direction with the numbers of their rows. Prices of shorts are negated, so that
/// every stop lies below and every target above.
#[derive(Default)]
struct Side {
    stops: BinaryHeap<(i64, u64)>,
    targets: BinaryHeap<Reverse<(i64, u64)>>,
}

impl Side {
    /// Opens a position of each of `rows`, filled at `price`.
    fn open(&mut self, price: i64, barriers: &Barriers, rows: std::ops::Range<u64>) {
        let filled = price + barriers.slippage_ticks;
        for row in rows {
            self.stops.push((filled - barriers.stop_ticks, row));
            self.targets.push(Reverse((filled + barriers.target_ticks, row)));
        }
    }

    /// Takes out the rows whose stop lies at or above `low`.
    fn stopped(&mut self, low: i64) -> Option<u64> {
        self.stops.peek().is_some_and(|(stop, _)| *stop >= low).then(|| self.stops.pop())?.map(|(_, row)| row)
    }

    /// Takes out the rows whose target lies below `high`.
    fn reached(&mut self, high: i64) -> Option<u64> {
        let there = self.targets.peek().is_some_and(|Reverse((target, _))| *target < high);
        there.then(|| self.targets.pop())?.map(|Reverse((_, row))| row)
    }
}

impl Barrier {
    /// Starts before the first row.
    pub fn new(barriers: Barriers) -> Self {
        Barrier {
            barriers,
            seg: 0,
            rows: VecDeque::new(),
            first: 0,
            unfilled: 0,
            long: Side::default(),
            short: Side::default(),
            before: None,
        }
    }

    fn trade(&mut self, row: u64) -> Option<&mut Trade> {
        let index = usize::try_from(row.checked_sub(self.first)?).ok()?;
        self.rows.get_mut(index).filter(|trade| trade.label.is_none())
    }

    /// Fills what waits for a row with volume.
    fn fill(&mut self, ts: Ts, open: i64) {
        let end = self.first + self.rows.len() as u64;
        let rows = end - self.unfilled as u64..end;
        let (_, bid, ask) = self.before.unwrap_or_default();
        let (bid, ask) = (bid.map_or(open, Price::ticks), ask.map_or(open, Price::ticks));
        self.long.open(open.max(ask), &self.barriers, rows.clone());
        self.short.open(-open.min(bid), &self.barriers, rows.clone());
        for row in rows {
            if let Some(trade) = self.trade(row) {
                trade.filled = Some(ts);
            }
        }
        self.unfilled = 0;
    }

    /// Marks the stops, then the targets, that prices between `low` and `high` touch.
    fn touch(&mut self, low: i64, high: i64) {
        while let Some(row) = self.long.stopped(low) {
            self.stop(row, 0);
        }
        while let Some(row) = self.short.stopped(-high) {
            self.stop(row, 1);
        }
        let mut won = Vec::new();
        while let Some(row) = self.long.reached(high) {
            won.push((row, 0, UP));
        }
        while let Some(row) = self.short.reached(-low) {
            won.push((row, 1, DOWN));
        }
        won.sort_unstable();
        for (at, &(row, side, class)) in won.iter().enumerate() {
            // Where both win in one row nobody can tell which was first.
            let both = won.get(at + 1).is_some_and(|(next, ..)| *next == row);
            if let Some(trade) = self.trade(row).filter(|trade| !trade.stopped[side]) {
                trade.label = Some(if both && !trade.stopped[1] { FLAT } else { class });
            }
        }
    }

    fn stop(&mut self, row: u64, side: usize) {
        if let Some(trade) = self.trade(row) {
            trade.stopped[side] = true;
            if trade.stopped == [true; 2] {
                trade.label = Some(FLAT);
            }
        }
    }

    /// Closes what has been held for too long. Rows are filled in order, so the oldest come first.
    fn time_out(&mut self) {
        let Some((before, ..)) = self.before else { return };
        let limit = before - self.barriers.timeout_ns;
        let late = |trade: &&mut Trade| trade.filled.is_some_and(|filled| filled <= limit);
        for trade in self.rows.iter_mut().take_while(late) {
            trade.label = trade.label.or(Some(FLAT));
        }
    }

    fn hand_out(&mut self, known: &mut Vec<Option<Label>>) {
        while let Some(class) = self.rows.front().and_then(|trade| trade.label) {
            known.push(Some(Label { class, moved: 0.0 }));
            self.rows.pop_front();
            self.first += 1;
        }
    }
}

impl Labeller for Barrier {
    fn push(&mut self, bar: &Bar, known: &mut Vec<Option<Label>>) {
        if bar.seg != self.seg {
            self.end(known);
            self.seg = bar.seg;
        }
        if bar.volume > 0 {
            let [open, high, low] = [bar.open, bar.high, bar.low].map(Price::ticks);
            self.time_out();
            self.fill(bar.ts, open);
            self.touch(open, open);
            self.touch(low, high);
        }
        self.hand_out(known);
        self.rows.push_back(Trade { filled: None, stopped: [false; 2], label: None });
        self.unfilled += 1;
        self.before = Some((bar.ts, bar.bid, bar.ask));
    }

    fn end(&mut self, known: &mut Vec<Option<Label>>) {
        known.extend(self.rows.iter().map(|trade| trade.label.map(|class| Label { class, moved: 0.0 })));
        self.first += self.rows.len() as u64;
        self.rows.clear();
        self.unfilled = 0;
        (self.long, self.short, self.before) = (Side::default(), Side::default(), None);
    }
}
