//! Where the close stands a fixed time later: UP above the threshold, DOWN below its negative, else FLAT.
//!
//! The row that decides is the one stamped exactly the horizon later in the same segment; without one the label is
//! null, as it is across any break and at the end of the stream.

use std::collections::VecDeque;

use mes_core::{bar::Bar, price::Price, time::Ts};

use super::{DOWN, FLAT, Label, Labeller, UP};

/// Labels by the move over a time.
pub struct Horizon {
    horizon_ns: i64,
    threshold_ticks: f64,
    waiting: VecDeque<(Ts, Price)>,
    seg: i64,
}

impl Horizon {
    /// Looks so many nanoseconds ahead; a move of so many ticks or less is flat.
    pub fn new(horizon_ns: i64, threshold_ticks: f64) -> Self {
        Horizon { horizon_ns, threshold_ticks, waiting: VecDeque::new(), seg: 0 }
    }

    fn label(&self, from: Price, to: Price) -> Label {
        let moved = (to - from) as f64;
        let class = if moved > self.threshold_ticks {
            UP
        } else if moved < -self.threshold_ticks {
            DOWN
        } else {
            FLAT
        };
        Label { class, moved: moved as f32 }
    }
}

impl Labeller for Horizon {
    fn push(&mut self, bar: &Bar, known: &mut Vec<Option<Label>>) {
        if bar.seg != self.seg {
            self.end(known);
            self.seg = bar.seg;
        }
        let reached = bar.ts - self.horizon_ns;
        while let Some(&(ts, close)) = self.waiting.front().filter(|(ts, _)| *ts <= reached) {
            self.waiting.pop_front();
            known.push((ts == reached).then(|| self.label(close, bar.close)));
        }
        self.waiting.push_back((bar.ts, bar.close));
    }

    fn end(&mut self, known: &mut Vec<Option<Label>>) {
        known.extend(self.waiting.drain(..).map(|_| None));
    }
}
