//! Extremes of every field of every record, of every setting and of every flag, in every tool that reads them: whatever
//! the number, a tool ends with an answer or with a refusal of what it was given, never by a panic and never as if a retry
//! might help.
//!
//! Each field gets some of the values; with SOAK=1 all of them.

mod fields;
mod flags;
mod records;
mod settings;
mod sweep;
mod tables;
