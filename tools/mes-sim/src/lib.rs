//! An exchange to practise on: TopstepX's wire on this machine, with a matcher, house rules and faults of its own.
//!
//! Three floors: [`exchange`] is the market, its orders and its money; [`service`] the calls, hubs, tokens and what goes wrong on
//! request; `serve` puts sockets around it. The lower two are pure: instants and bytes in, bytes out.

mod commands;
pub mod exchange;
pub mod feed;
pub mod serve;
pub mod service;

pub use commands::{Args, main};
