//! How this house asks over HTTP. The only crate that sees an HTTP client.
//!
//! Three things are easy to get wrong where money is at the other end, so they are types here:
//!
//! - A [`Call`] is used up by being sent: what changes something cannot be sent twice by accident. Only what its maker has
//!   called a [`Question`] is asked again, and only where the asker gives a [`Repeat`]. The transport repeats nothing.
//! - A [`Fault`] says whether the call may have happened all the same ([`Fault::may_have_happened`]).
//! - A [`Secret`] neither prints nor stands in an address, and whatever a call has carried is taken out of the text of
//!   every later fault.
//!
//! No redirect is followed, so that no header goes to a host that nobody named. Plain http goes to this machine only.

mod answer;
mod base;
mod call;
mod client;
mod fault;
mod redact;
mod repeat;
mod secret;

pub use answer::Answer;
pub use base::{BadBase, Base};
pub use call::{Call, Limits, Question};
pub use client::Client;
pub use fault::{Fault, Refusal};
pub use repeat::{Pause, Repeat};
pub use secret::Secret;
