//! How a foreign table is written: what the flags say, over what the preset says, over what its head shows.

use chrono::NaiveDate;
use chrono_tz::Tz;
use clap::ValueEnum;
use mes_core::{interval::Interval, symbol::Symbol};
use mes_pipe::{Error, Result};

use super::{
    Args,
    when::{Clock, Order},
};

/// Which end of a bar its time tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Stamp {
    Open,
    Close,
}

/// Which of several bars of one time is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Duplicates {
    First,
    Last,
    /// None: the second one is an error
    Error,
}

/// How a number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Decimal {
    Point,
    Comma,
}

/// What a bar's one price is, where a row has no open, high and low.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BarsOf {
    /// The close
    Close,
    /// The bid of a quote
    Bid,
    /// The ask of a quote
    Ask,
    /// Halfway between bid and ask, which is off the tick grid where the spread is odd
    Mid,
}

/// How prices are scaled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scale {
    /// Divided by this.
    By(f64),
    /// Without a point they are whole 1e-9, and the largest number means none.
    Databento,
}

/// A dialect by its name. Another one is one more line in [`PRESETS`].
pub struct Preset {
    name: &'static str,
    /// Columns of a text without a header; that list counts which is as long as the first line.
    names: &'static [&'static str],
    /// Pairs `theirs=ours` of a text with a header.
    columns: &'static str,
    separator: Option<u8>,
    decimal: Option<Decimal>,
    zone: Option<Tz>,
    stamp: Option<Stamp>,
    interval: &'static str,
    bars_of: Option<BarsOf>,
    scale: Scale,
    snap: bool,
    lean: bool,
}

const PLAIN: Preset = Preset {
    name: "",
    names: &[],
    columns: "",
    separator: None,
    decimal: None,
    zone: None,
    stamp: None,
    interval: "",
    bars_of: None,
    scale: Scale::By(1.0),
    snap: false,
    lean: false,
};

const MADRID: Preset =
    Preset { separator: Some(b';'), decimal: Some(Decimal::Comma), zone: Some(Tz::Europe__Madrid), ..PLAIN };

const LEAN: Preset = Preset {
    names: &["ts,open,high,low,close,volume", "ts,-,-,-,bid,bid_size,-,-,-,ask,ask_size"],
    separator: Some(b','),
    stamp: Some(Stamp::Open),
    lean: true,
    ..PLAIN
};

/// Columns of LEAN's tick files: shares have a condition of sale beside the exchange, and either may lack all three.
const LEAN_TRADES: &[&str] = &["ts,price,size,-,-,-", "ts,price,size"];
const LEAN_QUOTES: &[&str] = &[
    "ts,bid,bid_size,ask,ask_size,-,-",
    "ts,bid,bid_size,ask,ask_size,-,-,-",
    "ts,bid,bid_size,ask,ask_size",
];

#[rustfmt::skip]
const PRESETS: [Preset; 9] = [
    Preset { name: "firstrate", names: &["date,time,open,high,low,close,volume", "ts,open,high,low,close,volume", "ts,open,high,low,close,volume,-"], separator: Some(b','), zone: Some(Tz::America__New_York), stamp: Some(Stamp::Open), interval: "1m", ..PLAIN },
    Preset { name: "ninjatrader", names: &["ts,open,high,low,close,volume", "ts,price,bid,ask,size"], separator: Some(b';'), zone: Some(Tz::UTC), stamp: Some(Stamp::Close), interval: "1m", ..PLAIN },
    Preset { name: "sierra", columns: "Last=close,NumberOfTrades=trades,BidVolume=sell_volume,AskVolume=buy_volume", separator: Some(b','), zone: Some(Tz::America__Chicago), stamp: Some(Stamp::Open), ..PLAIN },
    Preset { name: "lean", zone: Some(Tz::UTC), ..LEAN },
    Preset { name: "lean-equity", zone: Some(Tz::America__New_York), scale: Scale::By(10_000.0), ..LEAN },
    Preset { name: "databento-csv", stamp: Some(Stamp::Open), scale: Scale::Databento, ..PLAIN },
    Preset { name: "madrid-1s", columns: "Precio=close,Volumen=volume,Lado=-,Bid=-,Ask=-", stamp: Some(Stamp::Close), interval: "1s", bars_of: Some(BarsOf::Close), ..MADRID },
    Preset { name: "madrid-ticks", columns: "volume=size,lado=side", ..MADRID },
    Preset { name: "mes-5s", stamp: Some(Stamp::Close), interval: "5s", bars_of: Some(BarsOf::Bid), snap: true, ..PLAIN },
];

/// Returns the names of all presets.
pub fn presets() -> Vec<&'static str> {
    PRESETS.iter().map(|preset| preset.name).collect()
}

/// Everything that is known of a table before its header.
pub struct Dialect {
    /// Lists of columns of a text without a header.
    pub names: Vec<Vec<String>>,
    pub renames: Vec<(String, String)>,
    pub separator: Option<u8>,
    pub decimal: Option<Decimal>,
    pub zone: Option<Tz>,
    pub order: Order,
    pub date: Option<NaiveDate>,
    pub stamp: Option<Stamp>,
    pub interval: Option<Interval>,
    pub bars_of: Option<BarsOf>,
    pub scale: Scale,
    pub snap: bool,
    pub lean: bool,
    pub symbol: Option<Symbol>,
    /// Of rows that tell none.
    pub volume: Option<i64>,
}

impl Dialect {
    /// Puts the flags over the preset.
    ///
    /// # Errors
    ///
    /// `Usage` where a flag says what cannot be.
    pub fn of(args: &Args) -> Result<Dialect> {
        let preset = match &args.preset {
            None => &PLAIN,
            Some(name) => PRESETS.iter().find(|preset| preset.name == name).unwrap_or(&PLAIN),
        };
        let split = |list: &str| list.split(',').map(|name| name.trim().to_owned()).collect::<Vec<_>>();
        let names = match &args.names {
            Some(list) => vec![split(list)],
            None if !args.columns.is_empty() && preset.columns.is_empty() && preset.names.is_empty() => {
                vec![]
            }
            None => preset.names.iter().map(|list| split(list)).collect(),
        };
        let preset_columns =
            preset.columns.split_terminator(',').filter_map(|pair| pair.split_once('=')).map(own);
        let scale = match args.price_scale {
            Some(scale) if scale > 0.0 && scale.is_finite() => Scale::By(divisor(scale)),
            Some(scale) => return Err(Error::usage(format!("--price-scale {scale}: not above 0"))),
            None => preset.scale,
        };
        Ok(Dialect {
            names,
            renames: args.columns.iter().cloned().chain(preset_columns).collect(),
            separator: args.separator.or(preset.separator),
            decimal: args.decimal.or(preset.decimal),
            zone: args.tz.or(preset.zone),
            order: args.dates,
            date: args.date,
            stamp: args.stamp.or(preset.stamp),
            interval: args.interval.or(preset.interval.parse().ok()),
            bars_of: args.bars_of.or(preset.bars_of),
            scale,
            snap: args.snap || preset.snap,
            lean: preset.lean,
            symbol: args.symbol,
            volume: args.volume,
        })
    }

    /// Returns the clock by which this table's times are read.
    pub fn clock(&self) -> Clock {
        Clock::new(self.zone, self.order, self.date)
    }

    /// Takes from a LEAN name such as `20131202_es_minute_trade_201312.csv` what the rows do not tell: the date,
    /// the length of a bar, the contract.
    ///
    /// # Errors
    ///
    /// `Usage` where the name does not say it and no flag does.
    pub fn learn(&mut self, name: &str, args: &Args) -> Result<()> {
        if !self.lean {
            return Ok(());
        }
        // In ticks of shares LEAN writes `Trade_Tick`, everywhere else `minute_trade`.
        let base = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
        let parts: Vec<_> = base.split(['_', '.']).collect();
        let known = |what: &str| parts.contains(&what);
        if known("tick") && args.names.is_none() {
            let lists = if known("quote") { LEAN_QUOTES } else { LEAN_TRADES };
            self.names = lists.iter().map(|list| list.split(',').map(str::to_owned).collect()).collect();
        }
        if args.date.is_none() {
            let date = parts.first().and_then(|digits| NaiveDate::parse_from_str(digits, "%Y%m%d").ok());
            self.date = Some(date.ok_or_else(|| {
                Error::usage(format!("--date YYYY-MM-DD: the name {base} does not begin with the day"))
            })?);
        }
        let lengths = [("second", "1s"), ("minute", "1m"), ("hour", "1h")];
        if let (None, Some((_, length))) = (args.interval, lengths.iter().find(|(word, _)| known(word))) {
            self.interval = length.parse().ok();
        }
        if args.symbol.is_none() {
            let root = parts.get(1).copied().unwrap_or_default().to_ascii_uppercase();
            let month = parts.iter().find(|part| part.len() == 6 && part.bytes().all(|b| b.is_ascii_digit()));
            self.symbol = match month.map(|month| (&month[3..4], &month[4..6])) {
                Some((year, month)) => {
                    let letter = month
                        .parse()
                        .ok()
                        .and_then(|month: usize| "FGHJKMNQUVXZ".get(month.wrapping_sub(1)..month));
                    format!("{root}{}{year}", letter.unwrap_or("?")).parse().ok()
                }
                None => root.parse().ok(),
            };
        }
        Ok(())
    }
}

/// Returns the divisor for a factor such as 1e-9, whose inverse is meant to be whole and in `f64` is not.
fn divisor(scale: f64) -> f64 {
    let inverse = 1.0 / scale;
    let whole = inverse.round();
    if (inverse - whole).abs() < whole * 1e-12 { whole } else { inverse }
}

fn own((theirs, ours): (&str, &str)) -> (String, String) {
    (theirs.to_owned(), ours.to_owned())
}

/// Reads a separator by its character or name.
///
/// # Errors
///
/// Says what it may be.
pub fn separator(text: &str) -> std::result::Result<u8, String> {
    match text {
        "tab" | "\t" | "\\t" => Ok(b'\t'),
        "," | ";" | "|" | " " => Ok(text.as_bytes()[0]),
        _ => Err("neither , nor ; nor | nor tab".to_owned()),
    }
}
