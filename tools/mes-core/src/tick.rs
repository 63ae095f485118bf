//! A trade, a quote, or a heartbeat.

use crate::{order::Side, symbol::Symbol, time::Ts};

/// What became known at `ts`. With neither price nor quote it is a heartbeat: time passed, nothing traded.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Tick {
    pub ts: Ts,
    pub price: Option<f64>,
    pub size: Option<i64>,
    /// The side of the one who crossed the spread.
    pub side: Option<Side>,
    pub bid: Option<f64>,
    pub ask: Option<f64>,
    pub bid_size: Option<i64>,
    pub ask_size: Option<i64>,
    pub symbol: Symbol,
}
