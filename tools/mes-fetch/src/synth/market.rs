//! Quotes and trades within a second.
//!
//! Two kinds of orders arrive, each at random instants (Poisson with the rates of [`super::intensity`]):
//!
//! - A *sweep* takes a whole level and moves the quote by 1 tick (2 or 3 now and then) to its own side.
//! - An *ordinary order* trades at the quote and leaves it. Its side is that of the order before with
//!   probability [`SAME_SIDE`], else drawn anew: runs of one side, the bid–ask bounce, and no news in it.
//!
//! The spread is 1 tick, at times 2; which side steps back is a fair coin. So the mid price is a sum of sweeps,
//! and whether it can be predicted depends on their direction alone.
//!
//! # The planted edge
//!
//! A hidden pressure `g` (AR(1) of deviation 1, forgotten in 45 s, never shown) tilts both kinds of orders:
//!
//! ```text
//! P(sweep is a buy)              = ½ (1 + u(0.4 · edge · g))        u(x) = x / √(1 + x²)
//! P(fresh ordinary order a buy)  = ½ (1 + u(0.8 · edge · g))
//! E[move over h s | g]           ≈ sweeps/s · 1.04 · 0.4 · edge · g · 45 (1 − e^(−h/45))   ticks, edge · g small
//! ```
//!
//! So the volume delta and the return of the last minute tell something about `g`, and `g` about the next half
//! minute. With `edge` 0 every sweep is a fair coin: the mid is a martingale, and nothing in the past says where it
//! goes. Arrivals and sizes do not depend on `edge`.
//!
//! Last prices bounce between bid and ask, as in life, and a model that is judged by them finds that: after a
//! purchase the last price tends to fall by about half a tick, which nobody can trade on. At the default edge the
//! best twentieth of signals from a linear model gains 1 to 1.5 ticks a trade by last prices, less than the spread
//! and the commission cost.
//!
//! # Without the bounce
//!
//! Whether a model sees an edge where there is none can only be asked where last prices have none either. With
//! `bounce` off every ordinary order prints at the level that the last sweep left, and a sweep prints its way to its
//! own: the close of a second is the level, a sum of sweeps, and at edge 0 of fair coins. Nothing else changes:
//! instants, sides, sizes and quotes are those of the same market with the bounce.

use mes_core::{
    contract::Contract, order::Side, price::Price, symbol::Symbol, tick::Tick, time::SECOND, time::Ts,
};

use super::{
    intensity::{Ar1, Rates, State},
    rng::Rng,
};

const PRESSURE: Ar1 = Ar1 { seconds: 45.0, deviation: 1.0 };
const SWEEP_TILT: f64 = 0.4;
const ORDER_TILT: f64 = 0.8;
const SAME_SIDE: f64 = 0.25;
/// How often the spread opens: at an ordinary order, and after a sweep.
const WIDE: f64 = 0.03;
const WIDE_AFTER_SWEEP: f64 = 0.25;
/// How often an open spread closes before the next order.
const NARROWS: f64 = 0.6;
/// Contracts that rest at the quote on average.
const QUEUE: f64 = 18.0;

/// What a market is like, beside its chance.
#[derive(Clone, Copy, Debug)]
pub struct Nature {
    pub contract: Contract,
    /// 0 (none) to 1.
    pub edge: f64,
    /// Whether last prices bounce between bid and ask.
    pub bounce: bool,
}

/// Returns how many ticks a sweep moves the quote by on average for each that it does in the S&P 500. A tick of the Nasdaq-100
/// is a hundred-thousandth of it, a third to a fourth of what it is of the S&P 500, and little rests at each.
pub fn reach(contract: Contract) -> i64 {
    match contract {
        Contract::Mes | Contract::Es => 1,
        Contract::Mnq | Contract::Nq => 4,
    }
}

/// The market of one day.
pub struct Market {
    rng: Rng,
    /// Only the pressure draws from it, so that arrivals do not depend on the edge.
    pressure_rng: Rng,
    pressure: State,
    nature: Nature,
    symbol: Symbol,
    /// The bid of a spread of one tick, in ticks.
    level: i64,
    /// The tick by which a side has stepped back, if one has.
    wide: Option<Side>,
    bid_size: i64,
    ask_size: i64,
    last_side: Side,
    instants: Vec<i64>,
}

impl Market {
    /// Opens the market at `level` ticks.
    pub fn new(mut rng: Rng, mut pressure_rng: Rng, symbol: Symbol, level: i64, nature: Nature) -> Self {
        let pressure = State::new(&PRESSURE, &mut pressure_rng);
        let (bid_size, ask_size) = (queue(&mut rng), queue(&mut rng));
        Market {
            rng,
            pressure_rng,
            pressure,
            nature,
            symbol,
            level,
            wide: None,
            bid_size,
            ask_size,
            last_side: Side::Buy,
            instants: Vec::new(),
        }
    }

    /// Puts the trades and new quotes of the second that begins at `start` into `ticks`, in order of time.
    pub fn second(&mut self, start: Ts, rates: Rates, ticks: &mut Vec<Tick>) {
        ticks.clear();
        let pressure = self.nature.edge * self.pressure.step(&mut self.pressure_rng);
        let mut sweeps = self.rng.poisson(rates.sweeps);
        let mut left = sweeps + self.rng.poisson(rates.orders);
        if left == 0 {
            return;
        }
        let mut instants = std::mem::take(&mut self.instants);
        instants.clear();
        instants.extend((0..left).map(|_| start + (self.rng.unit() * SECOND as f64) as i64));
        instants.sort_unstable();
        for &ts in &instants {
            if self.rng.coin(f64::from(sweeps) / f64::from(left)) {
                sweeps -= 1;
                self.sweep(ts, pressure, ticks);
            } else {
                self.order(ts, pressure, ticks);
            }
            left -= 1;
        }
        self.instants = instants;
    }

    /// Trades at the quote, in one or more prints.
    fn order(&mut self, ts: Ts, pressure: f64, ticks: &mut Vec<Tick>) {
        self.breathe(WIDE);
        if !self.rng.coin(SAME_SIDE) {
            self.last_side = self.side(ORDER_TILT * pressure);
        }
        let price = if self.nature.bounce { self.best(self.last_side) } else { self.level };
        for _ in 0..pareto(&mut self.rng, 1.0, 40) {
            ticks.push(self.print(ts, self.last_side, price));
        }
        // The queue that was hit fills up anew, for the next order to see.
        match self.last_side {
            Side::Buy => self.ask_size = queue(&mut self.rng),
            Side::Sell => self.bid_size = queue(&mut self.rng),
        }
    }

    /// Takes the quote away and shows the new one.
    fn sweep(&mut self, ts: Ts, pressure: f64, ticks: &mut Vec<Tick>) {
        let side = self.side(SWEEP_TILT * pressure);
        let levels = match self.rng.unit() {
            u if u < 0.97 => 1,
            u if u < 0.995 => 2,
            _ => 3,
        };
        let reach = reach(self.nature.contract);
        let levels = if reach == 1 { levels } else { self.spread_out(levels, reach) };
        // Without the bounce the first price is a tick away from where the market stood.
        let first = if self.nature.bounce { self.best(side) } else { self.level + side.sign() };
        for level in 0..levels {
            let price = first + side.sign() * level;
            for _ in 0..((3 + pareto(&mut self.rng, 6.0, 60)) / reach).max(1) {
                ticks.push(self.print(ts, side, price));
            }
        }
        self.last_side = side;
        self.level += side.sign() * levels;
        self.wide = None;
        self.breathe(WIDE_AFTER_SWEEP);
        (self.bid_size, self.ask_size) = (queue(&mut self.rng), queue(&mut self.rng));
        ticks.push(self.quote(ts));
    }

    /// Draws how many ticks so many levels are where they lie apart, `reach` ticks each on average.
    fn spread_out(&mut self, levels: i64, reach: i64) -> i64 {
        let apart = 2 * reach - 1;
        (0..levels).map(|_| 1 + ((self.rng.unit() * apart as f64) as i64).min(apart - 1)).sum()
    }

    /// Draws a side, a purchase with probability ½(1 + u(`tilt`)).
    fn side(&mut self, tilt: f64) -> Side {
        let buy = 0.5 * (1.0 + tilt / (1.0 + tilt * tilt).sqrt());
        if self.rng.coin(buy) { Side::Buy } else { Side::Sell }
    }

    /// Lets the spread close, or open with probability `wide`.
    fn breathe(&mut self, wide: f64) {
        let (acts, buy) = (self.rng.unit(), self.rng.coin(0.5));
        self.wide = match self.wide {
            Some(_) if acts < NARROWS => None,
            None if acts < wide => Some(if buy { Side::Buy } else { Side::Sell }),
            same => same,
        };
    }

    /// Returns the price in ticks at which an order of `side` trades.
    fn best(&self, side: Side) -> i64 {
        let back = i64::from(self.wide == Some(side));
        match side {
            Side::Buy => self.level + 1 + back,
            Side::Sell => self.level - back,
        }
    }

    fn print(&mut self, ts: Ts, side: Side, price_ticks: i64) -> Tick {
        // 1/√u: half of all prints are of one contract to 1.3, one in a hundred of ten or more.
        let size = (1.0 / self.rng.unit().sqrt()).min(500.0) as i64;
        Tick {
            price: Some(Price::from_ticks(price_ticks).points()),
            size: Some(size),
            side: Some(side),
            ..self.quote(ts)
        }
    }

    fn quote(&self, ts: Ts) -> Tick {
        Tick {
            ts,
            bid: Some(Price::from_ticks(self.best(Side::Sell)).points()),
            ask: Some(Price::from_ticks(self.best(Side::Buy)).points()),
            bid_size: Some(self.bid_size),
            ask_size: Some(self.ask_size),
            symbol: self.symbol,
            ..Tick::default()
        }
    }
}

/// Draws a whole number with P(n ≥ k) ≈ `scale`/k, `scale` at least and `most` at most.
fn pareto(rng: &mut Rng, scale: f64, most: i64) -> i64 {
    ((scale / rng.unit()) as i64).min(most)
}

/// Draws how many contracts rest at a price.
fn queue(rng: &mut Rng) -> i64 {
    1 + (QUEUE * 0.5 * (rng.exponential() + rng.exponential())) as i64
}
