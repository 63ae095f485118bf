//! What is asked for: one symbol, one schema. A directory holds one such series.

use clap::ValueEnum;
use mes_pipe::{Error, Result};
use serde_json::{Value, json};

use super::span::Chunk;

/// How a symbol is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SymbolType {
    /// One contract: MESH4
    Raw,
    /// The leading contract by a rule: MES.v.0
    Continuous,
    /// All contracts of a root: MES.FUT, calendar spreads are left out of the Parquet
    Parent,
}

impl SymbolType {
    /// Tells the type by the look of a symbol: `MES.v.0`, `MES.FUT`, else one contract.
    fn of(symbol: &str) -> SymbolType {
        match symbol.split('.').collect::<Vec<_>>()[..] {
            [_, "c" | "n" | "v", rank] if rank.parse::<u8>().is_ok() => SymbolType::Continuous,
            [_, "FUT" | "OPT"] => SymbolType::Parent,
            _ => SymbolType::Raw,
        }
    }

    fn name(self) -> &'static str {
        match self {
            SymbolType::Raw => "raw_symbol",
            SymbolType::Continuous => "continuous",
            SymbolType::Parent => "parent",
        }
    }
}

/// What records are wanted, in Databento's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Records {
    #[value(name = "ohlcv-1s")]
    Seconds,
    #[value(name = "ohlcv-1m")]
    Minutes,
    #[value(name = "ohlcv-1h")]
    Hours,
    /// By UTC date, so each mixes two sessions; kept as DBN
    #[value(name = "ohlcv-1d")]
    Days,
    Trades,
    Tbbo,
    #[value(name = "mbp-1")]
    Mbp1,
    /// The quote once a second
    #[value(name = "bbo-1s")]
    QuoteSeconds,
    /// The quote once a minute
    #[value(name = "bbo-1m")]
    QuoteMinutes,
    /// Kept as DBN
    Definition,
    /// Kept as DBN
    Status,
}

impl Records {
    /// Returns the name that the server has it by.
    pub fn name(self) -> &'static str {
        match self {
            Records::Seconds => "ohlcv-1s",
            Records::Minutes => "ohlcv-1m",
            Records::Hours => "ohlcv-1h",
            Records::Days => "ohlcv-1d",
            Records::Trades => "trades",
            Records::Tbbo => "tbbo",
            Records::Mbp1 => "mbp-1",
            Records::QuoteSeconds => "bbo-1s",
            Records::QuoteMinutes => "bbo-1m",
            Records::Definition => "definition",
            Records::Status => "status",
        }
    }

    /// Returns how much is fetched at once, unless told otherwise.
    pub fn chunk(self) -> Chunk {
        match self {
            Records::Trades | Records::Tbbo | Records::QuoteSeconds => Chunk::Week,
            Records::Mbp1 => Chunk::Day,
            _ => Chunk::Month,
        }
    }

    /// Says whether these are ticks or bars, which alone have a Parquet.
    pub fn is_table(self) -> bool {
        !matches!(self, Records::Days | Records::Definition | Records::Status)
    }
}

/// One symbol's records of one kind.
#[derive(Clone, Debug)]
pub struct Series {
    pub dataset: String,
    pub records: Records,
    pub symbol: String,
    pub symbol_type: SymbolType,
}

impl Series {
    /// # Errors
    ///
    /// [`Error::Usage`] for anything but one symbol: all of them cost a fortune.
    pub fn new(dataset: &str, records: Records, symbol: &str, asked: Option<SymbolType>) -> Result<Series> {
        let word = |text: &str| {
            let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            !text.is_empty() && text.len() <= 64 && !text.starts_with('.') && text.chars().all(plain)
        };
        if !word(symbol) || symbol.eq_ignore_ascii_case("ALL_SYMBOLS") {
            return Err(Error::usage(format!(
                "--symbol {symbol:?} is not one symbol: MES.v.0, MESH4, MES.FUT"
            )));
        }
        if !word(dataset) {
            return Err(Error::usage(format!("--dataset {dataset:?} is not a dataset: GLBX.MDP3")));
        }
        let symbol_type = asked.unwrap_or_else(|| SymbolType::of(symbol));
        Ok(Series { dataset: dataset.to_owned(), records, symbol: symbol.to_owned(), symbol_type })
    }

    /// Returns the kind of its symbol by the server's name.
    pub fn stype_in(&self) -> &'static str {
        self.symbol_type.name()
    }

    /// Returns what identifies the series, for the ledger and the lineage.
    pub fn to_json(&self) -> Value {
        json!({
            "dataset": self.dataset,
            "schema": self.records.name(),
            "stype_in": self.stype_in(),
            "symbol": self.symbol,
        })
    }
}

impl Series {
    /// Reads what [`Series::to_json`] writes.
    pub fn from_json(json: &Value) -> Option<Series> {
        let text = |name: &str| json[name].as_str();
        let types = SymbolType::value_variants().iter();
        Some(Series {
            dataset: text("dataset")?.to_owned(),
            records: Records::value_variants()
                .iter()
                .copied()
                .find(|records| Some(records.name()) == text("schema"))?,
            symbol: text("symbol")?.to_owned(),
            symbol_type: types.copied().find(|symbol_type| Some(symbol_type.name()) == text("stype_in"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_type_by_the_look() {
        let of = |symbol: &str| SymbolType::of(symbol).name();
        assert_eq!(
            ["MES.v.0", "MES.c.1", "MES.FUT", "MESH4", "MES.x.0"].map(of),
            ["continuous", "continuous", "parent", "raw_symbol", "raw_symbol"]
        );
    }

    #[test]
    fn is_read_as_it_is_written() {
        for (symbol, records) in
            [("MES.v.0", Records::Seconds), ("MESH4", Records::Mbp1), ("MES.FUT", Records::Days)]
        {
            let series = Series::new("GLBX.MDP3", records, symbol, None).expect("a series").to_json();
            assert_eq!(Series::from_json(&series).map(|read| read.to_json()), Some(series));
        }
    }

    #[test]
    fn refuses_more_than_one_symbol() {
        for symbol in ["", "ALL_SYMBOLS", "MESH4,MESM4", "../MES", ".MES", "MES H4"] {
            assert!(Series::new("GLBX.MDP3", Records::Trades, symbol, None).is_err(), "{symbol:?}");
        }
    }
}
