//! The client against a service whose answers are written down: one program, linked once.

mod calls;
mod scripted;
mod session;
