//! An account at TopstepX: LIVE.md in code.
//!
//! [`core`] is the account as a pure machine, [`venue`] the broker around it. What it hears and asks for is in [`event`],
//! [`perform`] makes its calls.

pub mod core;
pub mod event;
mod orders;
pub mod perform;
mod tag;
mod told;
pub mod venue;
