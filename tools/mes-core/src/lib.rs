//! What records mean. Pure: no input or output, no clock, no thread.
//!
//! One record kind, one file. Times are nanoseconds since 1970 UTC ([`time::Ts`]), prices whole
//! ticks ([`price::Price`]), money integer cents ([`money::Cents`]).

pub mod bar;
pub mod bounds;
pub mod broker;
pub mod calendar;
pub mod contract;
pub mod costs;
pub mod day_end;
pub mod dice;
pub mod fills;
pub mod interval;
pub mod kept;
pub mod ledger;
pub mod limits;
pub mod lock;
pub mod market;
pub mod minutes;
pub mod money;
pub mod order;
pub mod person;
pub mod plausible;
pub mod prediction;
pub mod price;
pub mod price_range;
pub mod quote;
pub mod record;
pub mod round_trip;
pub mod row;
pub mod rules;
pub mod run;
pub mod schedule;
pub mod session;
pub mod statement;
pub mod symbol;
pub mod throws;
pub mod tick;
pub mod time;
pub mod tz;
pub mod verdict;
pub mod vocabulary;
pub mod within;

/// What is wrong with a record or a setting, in words that say what was being read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    #[error("calendar line {line}: {what}")]
    Calendar { line: usize, what: String },
    #[error(
        "{ts} is beyond the calendar, which covers {span}: --calendar with one that covers it (data/README.md says how)"
    )]
    Beyond { ts: String, span: String },
    #[error("price ranges line {line}: {text:?} is not roots, from, low, high by rising date")]
    PriceRange { line: usize, text: String },
    #[error("{0}")]
    Time(String),
    #[error("symbol {0}")]
    Symbol(String),
    #[error("interval {0:?} is not a whole number of ms, s, m or h, such as 1s or 5m")]
    Interval(String),
    #[error("rules: {0}")]
    Rules(String),
    #[error("costs: {0}")]
    Costs(String),
    #[error("latency: {0}")]
    Latency(String),
    #[error("price {price} is off the {tick} tick grid")]
    OffGrid { price: String, tick: String },
}
