//! An account at TopstepX: LIVE.md in code.
//!
//! [`core`] is the account as a pure machine, [`venue`] the broker around it; what it hears and asks for is in [`event`]. One
//! thread runs both ([`actor`]), and nothing blocks it: calls ([`perform`]) are made by threads of their own, files are
//! written by another ([`journal`]), rows and orders come through a queue. [`open`] is the order in which a day begins,
//! [`control`] how a person reaches it from another terminal.

pub mod actor;
mod book;
pub mod check;
pub mod control;
pub mod core;
pub mod event;
pub mod flatten;
pub mod journal;
pub mod latency;
pub mod open;
mod orders;
pub mod perform;
mod shell;
pub mod tag;
mod told;
pub mod venue;
