//! What the exchange itself has kept of a day: mes-sim's journal, in the words of the wire.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use mes_core::time::{self, Ts};
use mes_exec::topstepx::tag::Tag;
use mes_pipe::{Error, Result};
use mes_projectx::wire::{Account, Order, Position, Trade};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::report::{Fault, Place};

/// What was kept, in its order.
pub struct Exchange {
    pub name: String,
    pub records: Vec<Told>,
}

/// A line of it.
pub struct Told {
    pub line: usize,
    pub ts: Ts,
    pub what: What,
}

/// What has happened.
pub enum What {
    Order(Box<Order>),
    Trade(Box<Trade>),
    Position(Box<Position>),
    Account(Box<Account>),
    /// A refusal, a login, a fault: nothing of the books.
    Other,
}

impl Exchange {
    /// Reads it. A last line that a kill cut off is left out.
    ///
    /// # Errors
    ///
    /// `Usage` where there is no such file, `Data` with the line where it is no such journal.
    pub fn read(path: &Path) -> Result<Exchange> {
        let file = File::open(path).map_err(|error| Error::usage(error).at(path.display()))?;
        let mut lines = BufReader::new(file).split(b'\n').enumerate().peekable();
        let mut records = Vec::new();
        while let Some((index, bytes)) = lines.next() {
            let bytes = bytes.map_err(|error| Error::from(error).at(path.display()))?;
            match told(index + 1, &bytes) {
                Ok(record) => records.push(record),
                Err(_) if lines.peek().is_none() => break,
                Err(error) => {
                    let (path, line) = (path.display(), index + 1);
                    return Err(Error::data(format!(
                        "{path}: line {line}: nothing that mes-sim keeps: {error}"
                    )));
                }
            }
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Exchange { name, records })
    }

    /// Lists the orders of an account, each as often as it changed.
    pub fn orders(&self, account: i64) -> impl Iterator<Item = (&Told, &Order)> {
        self.records.iter().filter_map(move |told| match &told.what {
            What::Order(order) if order.account_id == account => Some((told, &**order)),
            _ => None,
        })
    }

    /// Lists the fills of an account.
    pub fn trades(&self, account: i64) -> impl Iterator<Item = (&Told, &Trade)> {
        self.records.iter().filter_map(move |told| match &told.what {
            What::Trade(trade) if trade.account_id == account && !trade.voided => Some((told, &**trade)),
            _ => None,
        })
    }

    /// Lists what was open in a contract of an account, as often as that changed.
    pub fn positions(&self, account: i64, contract: &str) -> impl Iterator<Item = (&Told, i64)> {
        self.records.iter().filter_map(move |told| match &told.what {
            What::Position(of) if of.account_id == account && of.contract_id == contract => {
                Some((told, of.contracts().unwrap_or(of.size)))
            }
            _ => None,
        })
    }

    /// Makes a fault of a line.
    pub fn fault(&self, told: &Told, words: impl Into<String>) -> Fault {
        let place = Place { file: self.name.clone(), line: told.line, ts: Some(told.ts) };
        Fault { place, words: words.into() }
    }
}

fn told(line: usize, bytes: &[u8]) -> std::result::Result<Told, String> {
    let record: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let ts = record["ts"].as_str().ok_or("no ts")?;
    let ts = time::parse(ts).map_err(|error| error.to_string())?;
    let kind = record["kind"].as_str().ok_or("no kind")?.to_owned();
    let what = match kind.as_str() {
        "order" => What::Order(Box::new(of(record)?)),
        "trade" => What::Trade(Box::new(of(record)?)),
        "position" => What::Position(Box::new(of(record)?)),
        "account" => What::Account(Box::new(of(record)?)),
        _ => What::Other,
    };
    Ok(Told { line, ts, what })
}

fn of<T: DeserializeOwned>(record: Value) -> std::result::Result<T, String> {
    serde_json::from_value(record).map_err(|error| error.to_string())
}

/// Reads the tag of an order of ours.
pub fn tag(order: &Order) -> Option<Tag<'_>> {
    order.custom_tag.as_deref().and_then(Tag::parse)
}
