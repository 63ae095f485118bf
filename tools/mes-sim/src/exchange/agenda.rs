//! What is going to happen, by time; of what comes at the same time, what was put down first.

use std::{cmp::Reverse, collections::BinaryHeap};

use mes_core::time::Ts;

/// What happens by itself some time after something else did. Orders go by their ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Happening {
    /// An order reaches the book: a market order fills, another begins to work.
    Enter { order: i64 },
    /// What is left of an order that fills in parts.
    Rest { order: i64 },
    /// The legs of an entry begin to work.
    Activate { entry: i64 },
    /// The other leg goes.
    CancelSibling { leg: i64 },
    /// The platform attaches its own bracket to the position of an account, in the contract of that order.
    Attach { order: i64 },
}

/// The heap of them.
#[derive(Clone, Debug, Default)]
pub struct Agenda {
    heap: BinaryHeap<Reverse<(Ts, u64, Happening)>>,
    put: u64,
}

impl Agenda {
    /// Puts something down.
    pub fn put(&mut self, at: Ts, happening: Happening) {
        self.put += 1;
        self.heap.push(Reverse((at, self.put, happening)));
    }

    /// Returns when the next one is due.
    pub fn due(&self) -> Option<Ts> {
        self.heap.peek().map(|Reverse((at, ..))| *at)
    }

    /// Takes the next one, if it is due by then.
    pub fn take(&mut self, by: Ts) -> Option<(Ts, Happening)> {
        self.due().filter(|at| *at <= by)?;
        self.heap.pop().map(|Reverse((at, _, happening))| (at, happening))
    }
}
