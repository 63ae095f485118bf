//! TopstepX (ProjectX Gateway): what the bytes say, a client that says what is known, and a small tool to look at an account.
//!
//! [`wire`] knows names and numbers. [`Client`] asks and acts: a call that changes something is sent once, and what became
//! of it is done, refused or unknown. [`session`] holds the one token and the one budget of a user, [`share`] lends them to
//! other processes of a run, [`reach`] asks whether it is there, [`service`] finds what of it a tool's flags ask for, [`hub`] tells what happens.

mod carrier;
pub mod client;
mod commands;
pub mod heir;
pub mod hub;
pub mod limiter;
pub mod outcome;
pub mod reach;
pub mod service;
pub mod session;
pub mod share;
pub mod wire;

pub use carrier::{Carrier, LIMITS};
pub use client::Client;
pub use commands::{Args, main};
pub use limiter::{Purpose, Window};
pub use outcome::{Failure, Outcome, Refusal};
pub use service::{Service, ServiceArgs};
pub use session::{Access, Credentials, Keeper, Token};
