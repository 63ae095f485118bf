//! What a bar ends by.

pub mod flow;
pub mod open;
pub mod source;
pub mod time;
