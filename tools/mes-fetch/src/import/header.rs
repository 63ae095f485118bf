//! What the columns of a foreign table are taken for.

use mes_core::bar::{Columns, OPTIONAL};
use mes_pipe::{Error, Result, schema};

use super::lines::Fields;

/// Names that others give to our columns, in lower case.
const ALIASES: [(&str, &str); 24] = [
    ("ts_utc", "ts"),
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

/// Where our columns are in the foreign table.
pub struct Header {
    /// Our name, and the place of the column.
    places: Vec<(&'static str, usize)>,
    width: usize,
    /// Bars have a close, ticks a price.
    pub bars: bool,
    /// How the table calls its time.
    pub time_name: String,
    taken: Vec<String>,
    left_out: Vec<String>,
}

impl Header {
    /// Reads the header line. `renames` are pairs `theirs=ours` and go before the usual names.
    pub fn read(fields: Fields<'_>, renames: &[(String, String)]) -> Result<Header> {
        let theirs: Vec<&str> = (0..fields.len()).map(|index| fields.get(index)).collect();
        if let Some((name, _)) = renames.iter().find(|(name, _)| !theirs.contains(&name.as_str())) {
            return Err(Error::usage(format!("--columns {name}=…: the header is {}", theirs.join(" "))));
        }
        let ours: Vec<Option<&'static str>> = theirs.iter().map(|name| ours(name, renames)).collect();
        let has = |name: &str| ours.contains(&Some(name));
        let bars = has("close");
        let known: &[&str] = if bars { &schema::BAR } else { &schema::TICK };
        let mut header = Header {
            places: vec![],
            width: theirs.len(),
            bars,
            time_name: String::new(),
            taken: vec![],
            left_out: vec![],
        };
        for (index, (name, theirs)) in ours.iter().zip(&theirs).enumerate() {
            match name.filter(|name| known.contains(name) && *name != "seg") {
                Some(name) if header.place(name).is_some() => {
                    return Err(Error::data(format!(
                        "two columns taken for {name:?}: name one with --columns"
                    )));
                }
                Some(name) => {
                    header.places.push((name, index));
                    let renamed = if name == *theirs { String::new() } else { format!(" as {name}") };
                    header.taken.push(format!("{theirs}{renamed}"));
                }
                None => header.left_out.push((*theirs).to_owned()),
            }
        }
        let needed: &[&str] = match bars {
            true => &["ts", "open", "high", "low", "close", "volume"],
            false if has("bid") && has("ask") => &["ts"],
            false => &["ts", "price"],
        };
        if let Some(missing) = needed.iter().find(|name| header.place(name).is_none()) {
            let found = theirs.join(" ");
            return Err(Error::data(format!(
                "no column for {missing:?} among {found}: name it with --columns THEIRS={missing}"
            )));
        }
        header.time_name = header.place("ts").map(|index| theirs[index].to_owned()).unwrap_or_default();
        Ok(header)
    }

    /// Returns where one of our columns is.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.places.iter().find(|(known, _)| *known == name).map(|(_, index)| *index)
    }

    /// Returns how many fields every line has.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Returns our names of the columns that are there.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.places.iter().map(|(name, _)| *name)
    }

    /// Returns which of a bar's optional columns are there.
    pub fn optional(&self) -> Columns {
        self.names().filter(|name| OPTIONAL.contains(name)).collect()
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

/// Returns our name of a column, if it has one.
fn ours(theirs: &str, renames: &[(String, String)]) -> Option<&'static str> {
    let lower = theirs.to_ascii_lowercase();
    let renamed = renames.iter().find(|(name, _)| name == theirs).map(|(_, ours)| ours.as_str());
    let alias = || ALIASES.iter().find(|(alias, _)| *alias == lower).map(|(_, ours)| *ours);
    let wanted = renamed.or_else(alias).unwrap_or(&lower);
    schema::BAR.iter().chain(&schema::TICK).find(|name| **name == wanted).copied()
}

/// Reads `theirs=ours`.
pub fn rename(text: &str) -> std::result::Result<(String, String), String> {
    match text.split_once('=') {
        Some((theirs, ours)) if schema::BAR.contains(&ours) || schema::TICK.contains(&ours) => {
            Ok((theirs.to_owned(), ours.to_owned()))
        }
        Some((_, ours)) => Err(format!("{ours:?} is no column of ticks or bars, see mes-fetch --schema")),
        None => Err("not THEIRS=OURS".to_owned()),
    }
}
