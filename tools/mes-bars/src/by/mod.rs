//! What a bar ends by.

pub mod flow;
pub mod time;
