//! What the columns of a foreign table are taken for.

use mes_core::bar::{Columns, OPTIONAL};
use mes_pipe::{Error, Result, schema, suggest};

use super::dialect::{BarsOf, Dialect};

/// Names that others give to our columns, in lower case.
const ALIASES: [(&str, &str); 27] = [
    ("ts_utc", "ts"),
    ("ts_recv", "ts"),
    ("__index_level_0__", "ts"),
    ("index", "ts"),
    ("ts_event", "ts"),
    ("timestamp", "ts"),
    ("time", "ts"),
    ("datetime", "ts"),
    ("date", "ts"),
    ("o", "open"),
    ("h", "high"),
    ("l", "low"),
    ("c", "close"),
    ("v", "volume"),
    ("vol", "volume"),
    ("n", "trades"),
    ("count", "trades"),
    ("last", "price"),
    ("qty", "size"),
    ("quantity", "size"),
    ("aggressor", "side"),
    ("bid_px_00", "bid"),
    ("ask_px_00", "ask"),
    ("bid_sz_00", "bid_size"),
    ("ask_sz_00", "ask_size"),
    ("bidsize", "bid_size"),
    ("asksize", "ask_size"),
];

/// What others have and we make our columns from: parts of the time, the signed volume, the instrument's number, what a
/// record of a book is.
const FOREIGN: [&str; 6] = ["date", "time", "net_volume", "instrument_id", "action", "rtype"];

/// Where our columns are in the foreign table.
pub struct Header {
    /// Our name, and the place of the column.
    places: Vec<(&'static str, usize)>,
    width: usize,
    /// Bars have a close, or are made from what has none; ticks a price.
    pub bars: bool,
    /// How the table calls its time.
    pub time_name: String,
    taken: Vec<String>,
    left_out: Vec<String>,
}

impl Header {
    /// Reads the names of the columns. The dialect's renames go before the usual names.
    ///
    /// # Errors
    ///
    /// `Usage` where a renamed column is not there, `Data` where what rows need is missing or there twice.
    pub fn read(theirs: &[&str], dialect: &Dialect, given: &[(String, String)]) -> Result<Header> {
        if let Some((name, _)) = given.iter().find(|(name, _)| !theirs.contains(&name.as_str())) {
            return Err(Error::usage(format!("--columns {name}=…: the header is {}", theirs.join(" "))));
        }
        let apart =
            ["date", "time"].iter().all(|part| theirs.iter().any(|name| name.eq_ignore_ascii_case(part)));
        let received = theirs.contains(&"ts_recv");
        let ours: Vec<Option<&'static str>> = theirs
            .iter()
            .map(|name| match ours(name, &dialect.renames, apart) {
                // Of Databento's two stamps that of the receipt orders the rows.
                Some("ts") if received && *name == "ts_event" => None,
                ours => ours,
            })
            .collect();
        let has = |name: &str| ours.contains(&Some(name));
        let bars = dialect.bars_of.is_some() || has("close");
        let mut header = Header {
            places: vec![],
            width: theirs.len(),
            bars,
            time_name: String::new(),
            taken: vec![],
            left_out: vec![],
        };
        for (index, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
            header.take(index, *ours, theirs)?;
        }
        header.complete(theirs, dialect)?;
        Ok(header)
    }

    /// Takes one column, or leaves it out.
    fn take(&mut self, index: usize, ours: Option<&'static str>, theirs: &str) -> Result<()> {
        let known: &[&str] = if self.bars { &schema::BAR } else { &schema::TICK };
        let wanted = |name: &&str| (known.contains(name) && *name != "seg") || FOREIGN.contains(name);
        match ours.filter(wanted) {
            Some(name) if self.place(name).is_some() => {
                Err(Error::data(format!("two columns taken for {name:?}: name one with --columns")))
            }
            Some(name) => {
                self.places.push((name, index));
                let renamed = if name == theirs { String::new() } else { format!(" as {name}") };
                self.taken.push(format!("{theirs}{renamed}"));
                Ok(())
            }
            None => {
                self.left_out.extend((theirs != "-").then(|| theirs.to_owned()));
                Ok(())
            }
        }
    }

    /// Checks that nothing is missing.
    fn complete(&mut self, theirs: &[&str], dialect: &Dialect) -> Result<()> {
        let has = |name: &str| self.place(name).is_some();
        let mut needed = match (self.bars, dialect.bars_of) {
            (true, None) => vec!["open", "high", "low", "close", "volume"],
            (true, Some(BarsOf::Close)) => vec!["close", "volume"],
            (true, Some(_)) => vec!["bid", "ask", "volume"],
            (false, _) if has("bid") && has("ask") => vec![],
            (false, _) => vec!["price"],
        };
        let apart = has("date") && has("time");
        needed.extend((!apart).then_some("ts"));
        needed.retain(|name| *name != "volume" || dialect.volume.is_none());
        if let Some(missing) = needed.iter().find(|name| !has(name)) {
            let found = theirs.join(" ");
            let or = if *missing == "volume" { ", or make it up with --volume 1" } else { "" };
            return Err(Error::data(format!(
                "no column for {missing:?} among {found}: name it with --columns THEIRS={missing}{or}"
            )));
        }
        self.time_name = match self.place("ts") {
            Some(index) => theirs[index].to_owned(),
            None => "date and time".to_owned(),
        };
        Ok(())
    }

    /// Returns where one of our columns is.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.places.iter().find(|(known, _)| *known == name).map(|(_, index)| *index)
    }

    /// Returns how many fields every line has.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Returns which of a bar's optional columns there will be.
    pub fn optional(&self) -> Columns {
        let signed = self.place("net_volume").is_some();
        let made = ["buy_volume", "sell_volume"].into_iter().filter(|_| signed);
        self.places.iter().map(|(name, _)| *name).filter(|name| OPTIONAL.contains(name)).chain(made).collect()
    }

    /// Says what the columns were taken for.
    pub fn describe(&self) -> String {
        let left_out = if self.left_out.is_empty() {
            String::new()
        } else {
            format!("; left out {}", self.left_out.join(", "))
        };
        format!("took {}{left_out}", self.taken.join(", "))
    }
}

/// Returns our name of a column, if it has one; `apart` says that date and time are two columns.
fn ours(theirs: &str, renames: &[(String, String)], apart: bool) -> Option<&'static str> {
    let lower = theirs.to_ascii_lowercase();
    let renamed = renames.iter().find(|(name, _)| name == theirs).map(|(_, ours)| ours.as_str());
    let part = || (apart && matches!(lower.as_str(), "date" | "time")).then_some(lower.as_str());
    let alias = || ALIASES.iter().find(|(alias, _)| *alias == lower).map(|(_, ours)| *ours);
    let wanted = renamed.or_else(part).or_else(alias).unwrap_or(&lower);
    schema::BAR.iter().chain(&schema::TICK).chain(&FOREIGN).find(|name| **name == wanted).copied()
}

/// Reads `theirs=ours`.
///
/// # Errors
///
/// Says that it is no such pair, or that ours has no such column.
pub fn rename(text: &str) -> std::result::Result<(String, String), String> {
    match text.split_once('=') {
        Some((theirs, ours))
            if [&schema::BAR[..], &schema::TICK, &FOREIGN, &["-"]]
                .iter()
                .any(|names| names.contains(&ours)) =>
        {
            Ok((theirs.to_owned(), ours.to_owned()))
        }
        Some((_, ours)) => {
            let meant = suggest::meant(ours, schema::BAR.into_iter().chain(schema::TICK));
            Err(format!("{ours:?} is no column of ticks or bars, see mes-fetch --schema{meant}"))
        }
        None => Err("not THEIRS=OURS".to_owned()),
    }
}
