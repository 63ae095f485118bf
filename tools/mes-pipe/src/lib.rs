//! How records travel: formats in and out, one stream contract, lineage, errors and exit codes.
//!
//! A tool is a loop over [`Input::next`]: a batch is worked on and written, [`Event::Idle`] means that the next
//! read may wait, so the output is flushed first, and [`Event::End`] closes the output with its end mark. A tool
//! that fails leaves without that mark, so whoever reads it knows.

pub mod account;
mod ahead;
pub mod answer;
mod args;
mod arrow;
mod beside;
mod check;
pub mod clock;
mod colour;
pub mod columns;
mod csv;
mod damage;
mod dbn;
pub mod durable;
mod error;
mod files;
pub mod fitting;
pub mod growing;
mod input;
pub mod journal;
mod jsonl;
pub mod limits;
mod lineage;
mod lock;
pub mod log;
pub mod messages;
mod meta;
mod named;
mod opened;
pub mod origin;
mod output;
mod pages;
mod parquet;
pub mod private;
pub mod progress;
mod reader;
mod run;
pub mod schema;
pub mod settings;
mod side;
mod sniff;
mod source;
pub mod stop;
pub mod suggest;
mod text;
mod thrift;
mod told;
mod unfold;
mod values;
mod visible;
pub mod write;
pub mod written;

pub use self::parquet::{ParquetFile, TableFile, open as open_parquet};
pub use ahead::Ahead;
pub use answer::AnswerArgs;
pub use args::{InputArgs, Session, TextArgs};
pub use beside::beside;
pub use columns::{BarBuilder, Bars, Ticks, append};
pub use damage::{caught, survived};
pub use error::{Error, Result};
pub use files::expand;
pub use input::{Event, Input, read_table};
pub use lineage::{Lineage, hash, hash_of};
pub use lock::lock;
pub use meta::{Kind, Meta};
pub use opened::Place;
pub use origin::Origin;
pub use output::{Format, Output, OutputArgs, filter};
pub use run::run;
pub use settings::{CalendarArgs, Settings, SettingsArgs};
