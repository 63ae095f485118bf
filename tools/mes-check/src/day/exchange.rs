//! What the exchange itself says of a day, in the words of the wire: mes-sim's journal, which has every change, or what
//! `mes-projectx orders` and `trades` print, which have what came of it.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    rc::Rc,
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
    pub records: Vec<Told>,
    /// Every change is there, as mes-sim keeps them.
    pub is_whole: bool,
}

/// A line of it.
pub struct Told {
    file: Rc<str>,
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
    /// Reads files of it. A last line that a kill cut off is left out.
    ///
    /// # Errors
    ///
    /// `Usage` where there is no such file, `Data` with the line where it is no record of an exchange.
    pub fn read(paths: &[PathBuf]) -> Result<Exchange> {
        let mut exchange = Exchange { records: Vec::new(), is_whole: true };
        paths.iter().try_for_each(|path| exchange.add(path))?;
        Ok(exchange)
    }

    fn add(&mut self, path: &Path) -> Result<()> {
        let file = File::open(path).map_err(|error| Error::unread(path, &error))?;
        let name: Rc<str> = path.file_name().unwrap_or_default().to_string_lossy().into();
        let mut lines = BufReader::new(file).split(b'\n').enumerate().peekable();
        while let Some((index, bytes)) = lines.next() {
            let bytes = bytes.map_err(|error| Error::from(error).at(path.display()))?;
            match told(&bytes) {
                Ok((is_change, ts, what)) => {
                    self.is_whole &= is_change;
                    self.records.push(Told { file: Rc::clone(&name), line: index + 1, ts, what });
                }
                Err(_) if lines.peek().is_none() => break,
                Err(error) => {
                    let (path, line) = (path.display(), index + 1);
                    return Err(Error::data(format!(
                        "{path}: line {line}: no record of an exchange: {error}"
                    )));
                }
            }
        }
        Ok(())
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
        let place = Place { file: told.file.to_string(), line: told.line, ts: Some(told.ts) };
        Fault { place, words: words.into() }
    }
}

/// Reads a line; says also whether it is a change that mes-sim has kept.
fn told(bytes: &[u8]) -> std::result::Result<(bool, Ts, What), String> {
    let record: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let kept = record["kind"].as_str().map(str::to_owned);
    let ts = record[if kept.is_some() { "ts" } else { "creationTimestamp" }].as_str().ok_or("no time")?;
    let ts = time::parse(ts).map_err(|error| error.to_string())?;
    let is_change = kept.is_some();
    // What is listed does not say what it is; only a fill has the id of another.
    let kind = kept.unwrap_or_else(|| if record["orderId"].is_null() { "order" } else { "trade" }.to_owned());
    let what = match kind.as_str() {
        "order" => What::Order(Box::new(of(record)?)),
        "trade" => What::Trade(Box::new(of(record)?)),
        "position" => What::Position(Box::new(of(record)?)),
        "account" => What::Account(Box::new(of(record)?)),
        _ => What::Other,
    };
    Ok((is_change, ts, what))
}

fn of<T: DeserializeOwned>(record: Value) -> std::result::Result<T, String> {
    serde_json::from_value(record).map_err(|error| error.to_string())
}

/// Reads the tag of an order of ours.
pub fn tag(order: &Order) -> Option<Tag<'_>> {
    order.custom_tag.as_deref().and_then(Tag::parse)
}
