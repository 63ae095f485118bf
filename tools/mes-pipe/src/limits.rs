//! The most that a reader takes, so that no small file fills the memory. All tools have the flags that raise it.

use std::{fs::File, io::Read, path::Path, str::FromStr, sync::OnceLock};

use clap::{Arg, ArgMatches, Command, builder::ValueParser, value_parser};

use crate::{Error, Result};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// The most of everything; bytes but for `columns`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A line of text; also rules, costs, a calendar as a whole.
    pub line: u64,
    /// One text in a table.
    pub cell: u64,
    pub columns: u64,
    /// A page and a row group of Parquet, a batch of Arrow, all uncompressed.
    pub block: u64,
    /// An ONNX file, and all that it makes before it sees a row.
    pub model: u64,
}

impl Limits {
    const SHIPPED: Limits =
        Limits { line: 16 * MIB, cell: 64 * KIB, columns: 4096, block: GIB, model: 256 * MIB };
}

const LINE: &str = "max-line";
const CELL: &str = "max-cell";
const COLUMNS: &str = "max-columns";
const BLOCK: &str = "max-block";
const MODEL: &str = "max-model";

static LIMITS: OnceLock<Limits> = OnceLock::new();

/// Returns the limits of this run.
pub fn get() -> &'static Limits {
    LIMITS.get_or_init(|| Limits::SHIPPED)
}

/// Adds the flags to a tool and to all that it does.
pub(crate) fn flags(command: Command) -> Command {
    let flag = |name: &'static str, value: &'static str, parser: ValueParser, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name(value)
            .value_parser(parser)
            .help(help)
            .global(true)
            // Named by whoever refuses; in every help they would be in the way.
            .hide(true)
    };
    let size = || ValueParser::from(size);
    command
        .arg(flag(
            LINE,
            "SIZE",
            size(),
            "Longest line, and largest file of rules, costs or days [default: 16MiB]",
        ))
        .arg(flag(CELL, "SIZE", size(), "Longest text in a table [default: 64KiB]"))
        .arg(flag(COLUMNS, "COUNT", value_parser!(u64).range(1..).into(), "Most columns [default: 4096]"))
        .arg(flag(BLOCK, "SIZE", size(), "Largest page, row group or batch, uncompressed [default: 1GiB]"))
        .arg(flag(MODEL, "SIZE", size(), "Largest model, and most of what it unfolds to [default: 256MiB]"))
}

/// Takes the limits from the flags.
pub(crate) fn begin(matches: &ArgMatches) {
    let given = |name: &str, otherwise: u64| matches.get_one::<u64>(name).copied().unwrap_or(otherwise);
    let shipped = Limits::SHIPPED;
    LIMITS.get_or_init(|| Limits {
        line: given(LINE, shipped.line),
        cell: given(CELL, shipped.cell),
        columns: given(COLUMNS, shipped.columns),
        block: given(BLOCK, shipped.block),
        model: given(MODEL, shipped.model),
    });
}

/// Reads `64KiB`, `1.5 GiB` or plain bytes.
fn size(text: &str) -> std::result::Result<u64, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = match unit.trim() {
        "" | "B" => 1,
        "KiB" => KIB,
        "MiB" => MIB,
        "GiB" => GIB,
        _ => return Err("the units are KiB, MiB and GiB".into()),
    };
    let number = f64::from_str(number).map_err(|_| "not a size such as 64KiB".to_owned())?;
    let bytes = number * unit as f64;
    if (1.0..=1e18).contains(&bytes) { Ok(bytes as u64) } else { Err("no size that is of use".into()) }
}

/// Writes bytes as [`size`] reads them.
fn shown(bytes: u64) -> String {
    let units = [(GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")];
    match units.iter().find(|(unit, _)| bytes >= *unit && bytes.is_multiple_of(*unit)) {
        Some((unit, name)) => format!("{} {name}", bytes / unit),
        None => format!("{bytes} bytes"),
    }
}

fn beyond(what: &str, limit: &str, flag: &str, value: &str) -> Error {
    Error::data(format!(
        "{what} of more than {limit}: if it is meant to be, raise the limit with --{flag} {value}"
    ))
}

/// Errors when a line is too long.
///
/// # Errors
///
/// `Data`: that, and the flag that raises the limit.
pub fn line(bytes: u64) -> Result<()> {
    over(bytes, get().line, "a line", LINE)
}

/// Errors when a text in a table is too long.
pub(crate) fn cell(name: &str, bytes: usize) -> Result<()> {
    let limit = get().cell;
    if bytes as u64 <= limit {
        Ok(())
    } else {
        over(bytes as u64, limit, &format!("column {name:?}: a text"), CELL)
    }
}

/// Errors when there are too many columns.
///
/// # Errors
///
/// `Data`: that, and the flag that raises the limit.
pub fn columns(count: usize) -> Result<()> {
    let limit = get().columns;
    if count as u64 <= limit {
        return Ok(());
    }
    Err(beyond("a table", &format!("{limit} columns"), COLUMNS, "COUNT"))
}

/// Errors when a page, a row group or a batch is too large.
///
/// # Errors
///
/// `Data`: that, and the flag that raises the limit.
pub fn block(what: &str, bytes: u64) -> Result<()> {
    over(bytes, get().block, what, BLOCK)
}

/// Errors when a model, or what it unfolds to, is too large.
///
/// # Errors
///
/// `Data`: that, and the flag that raises the limit.
pub fn model(what: &str, bytes: u64) -> Result<()> {
    over(bytes, get().model, what, MODEL)
}

fn over(bytes: u64, limit: u64, what: &str, flag: &str) -> Result<()> {
    if bytes <= limit { Ok(()) } else { Err(beyond(what, &shown(limit), flag, "SIZE")) }
}

/// Reads a file of settings as a whole.
///
/// # Errors
///
/// [`Error::Usage`] when it cannot be read or is longer than a line may be.
pub fn settings_text(path: &Path) -> Result<String> {
    let limit = get().line;
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(limit + 1).read_to_string(&mut text));
    let at = |error: Error| error.at(path.display());
    read.map_err(|error| Error::unread(path, &error))?;
    over(text.len() as u64, limit, "a file", LINE).map_err(|error| at(Error::usage(error)))?;
    Ok(text)
}

/// Reads a whole model file.
///
/// # Errors
///
/// [`Error::Usage`] when it cannot be read, [`Error::Data`] when it is too large.
pub fn model_bytes(path: &Path) -> Result<Vec<u8>> {
    let limit = get().model;
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(limit + 1).read_to_end(&mut bytes));
    read.map_err(|error| Error::usage(format!("cannot read the model: {error}")))?;
    model("a model", bytes.len() as u64)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_they_are_shown() {
        for (text, bytes, back) in [
            ("64KiB", 65_536, "64 KiB"),
            ("16 MiB", 16 << 20, "16 MiB"),
            ("1.5GiB", 3 << 29, "1536 MiB"),
            ("1000", 1000, "1000 bytes"),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
            assert_eq!(shown(bytes), back);
        }
        for bad in ["", "KiB", "-1", "1e9", "0", "1TB", "999999999999GiB", "nan"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }
}
