//! The exchange from outside, as its service uses it: stories of what was found wrong once, properties under hostile calls,
//! and a whole day at the rates that were measured.

mod closed;
mod day;
mod hostile;
mod limits;
mod once;
mod scene;
