//! Made-up but lifelike MES seconds, and the flags that ask for them. Always called synthetic.
//!
//! The parts: [`curve`] is the shape of a day, [`intensity`] how busy each second is, [`market`] the quotes and
//! trades within it and the planted edge, [`day`] the level, the contract and the bars. Prices follow a sum of
//! single orders, so they lie on the tick grid, bounce between bid and ask, and stand still while nobody trades.

mod curve;
mod day;
mod intensity;
mod market;
mod rng;
