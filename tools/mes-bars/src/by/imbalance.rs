//! Tick imbalance bars: a bar ends when buyers or sellers are further ahead than was to be expected
//! (López de Prado, "Advances in Financial Machine Learning", 2.3.2.1).
//!
//! A trade counts b = 1 where the buyer crossed the spread and −1 where the seller did. Where the side is unknown the
//! tick rule decides: 1 above the price before, −1 below it, as the trade before at the same price, 0 before the first
//! change. The price before is forgotten where a segment begins; the direction is kept.
//!
//! With θ = Σb since the bar began, the bar is complete when |θ| ≥ max(E\[T\] · |E\[b\]|, σ√size), in which the
//! expectations are those of the moment the bar began:
//!
//! - E\[T\], trades in a bar: over the trades of completed bars, weighted exponentially with a span of 20 bars and with
//!   `--size` as the first of them; bars that were cut short say nothing of T and are left out.
//! - E\[b\] = 2P\[b = 1\] − 1: over all trades, weighted exponentially with a span of 20 × `--size` trades.
//! - σ² = E\[θ²\] / E\[T\], over the same bars as E\[T\], and 1 at first.
//!
//! A span of n has α = 2 / (n + 1); weights are normalised, so that early values are plain means.
//!
//! The bare rule of the book is unstable: where E\[b\] nears 0 every trade completes a bar, and after a one-sided hour
//! none does for long, each feeding on itself. So there are three guards:
//!
//! - The threshold is never below σ√size. By Wald's second identity E\[θ²\] = σ²E\[T\] for a walk without drift, so that
//!   a balanced flow gives bars of `--size` trades on average, also where signs come in runs, and bars that have become
//!   too short or too long return to it. (For a fair coin σ is 1.) Nor is it below 1.
//! - E\[T\] stays within `--size` / 4 and `--size` × 4, as is usual.
//! - A bar of `--size` × 4 trades is complete whatever its imbalance.
//!
//! The expectations are of the stream: they live on across sessions and rolls, as a batch has them.

use mes_core::order::Side;

use crate::by::{
    open::Open,
    trades::{Rule, Trade},
};

/// How many bars the expectations look back.
const SPAN_BARS: f64 = 20.0;
/// How far the trades of a bar may drift from where they began.
const DRIFT: f64 = 4.0;

/// A mean with exponential weights, normalised: Σ(1−α)ⁱx₋ᵢ / Σ(1−α)ⁱ.
#[derive(Clone, Copy, Debug)]
struct Ewma {
    keep: f64,
    sum: f64,
    weight: f64,
}

impl Ewma {
    fn new(span: f64) -> Self {
        Ewma { keep: 1.0 - 2.0 / (span + 1.0), sum: 0.0, weight: 0.0 }
    }

    fn add(&mut self, value: f64) {
        self.sum = self.sum * self.keep + value;
        self.weight = self.weight * self.keep + 1.0;
    }

    /// Returns the mean; 0 before the first value.
    fn mean(&self) -> f64 {
        if self.weight > 0.0 { self.sum / self.weight } else { 0.0 }
    }
}

/// Completes a bar when its imbalance is beyond what was expected.
#[derive(Clone, Debug)]
pub struct ImbalanceRule {
    size: f64,
    /// E\[T\] before it is held within bounds.
    trades: Ewma,
    /// E\[θ²\].
    squares: Ewma,
    /// E\[b\].
    sign: Ewma,
    price: Option<f64>,
    direction: i64,
    /// θ and T of the bar being filled.
    imbalance: i64,
    count: i64,
    threshold: f64,
}

impl ImbalanceRule {
    /// Begins with the number of trades expected of a bar.
    pub fn new(size: i64) -> Self {
        let size = size as f64;
        let mut trades = Ewma::new(SPAN_BARS);
        trades.add(size);
        let squares = trades;
        let sign = Ewma::new(SPAN_BARS * size);
        let mut rule = ImbalanceRule {
            size,
            trades,
            squares,
            sign,
            price: None,
            direction: 0,
            imbalance: 0,
            count: 0,
            threshold: 0.0,
        };
        rule.begin();
        rule
    }

    /// Begins a bar with the expectations of now.
    fn begin(&mut self) {
        let trades = self.trades.mean().clamp((self.size / DRIFT).max(1.0), self.size * DRIFT);
        let variance = self.squares.mean() / self.trades.mean();
        self.threshold = (trades * self.sign.mean().abs()).max((variance * self.size).sqrt()).max(1.0);
        (self.imbalance, self.count) = (0, 0);
    }

    /// Returns b of a trade.
    fn sign_of(&mut self, trade: &Trade) -> i64 {
        let before = self.price.replace(trade.price);
        self.direction = match (trade.side, before) {
            (Some(side), _) => side.sign(),
            (None, Some(before)) if trade.price > before => Side::Buy.sign(),
            (None, Some(before)) if trade.price < before => Side::Sell.sign(),
            (None, _) => self.direction,
        };
        self.direction
    }
}

impl Rule for ImbalanceRule {
    fn completes(&mut self, trade: &Trade, _: &Open) -> bool {
        let sign = self.sign_of(trade);
        self.sign.add(sign as f64);
        self.imbalance += sign;
        self.count += 1;
        let complete =
            self.imbalance.abs() as f64 >= self.threshold || self.count as f64 >= self.size * DRIFT;
        if complete {
            self.trades.add(self.count as f64);
            self.squares.add((self.imbalance * self.imbalance) as f64);
            self.begin();
        }
        complete
    }

    fn cut(&mut self) {
        self.price = None;
        self.begin();
    }
}
