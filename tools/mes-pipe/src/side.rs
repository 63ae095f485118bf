//! The side file of rows that go through text, which has no place for where they came from: whoever writes the text
//! writes it, before the first row, and whoever reads the text reads it, after the first row has come.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::{Error, Kind, Meta, Result};

/// The link of a stage of which nothing is known but that rows went through it.
const TEXT: &str = "text";

/// Reads what rows of this kind are and came from.
///
/// # Errors
///
/// Where there is no such file, it is no header, or it is of rows that lie further down the pipe than these.
pub(crate) fn read(path: &Path, kind: Kind) -> Result<Meta> {
    let at = |error: Error| error.at(path.display());
    let text = fs::read_to_string(path).map_err(|error| {
        let who = "--lineage reads that of text without a header, which the tool before it writes: give it \
                   --lineage too (to write one from here: --lineage-to)";
        at(Error::usage(format!("{error}: {who}")))
    })?;
    let header: Value = serde_json::from_str(&text)
        .map_err(|error| at(Error::data(format!("no lineage, as --lineage writes it: {error}"))))?;
    let meta = Meta::from_header(&header).map_err(at)?;
    if meta.kind > kind {
        let (theirs, ours) = (meta.kind.name(), kind.name());
        return Err(at(Error::data(format!(
            "of rows of kind {theirs}, and these are of kind {ours}: the lineage of another stream"
        ))));
    }
    Ok(Meta { lineage: meta.lineage.then(TEXT, json!({})), ..meta })
}

/// Writes what rows are and came from.
pub(crate) fn write(path: &Path, meta: &Meta) -> Result<()> {
    fs::write(path, format!("{:#}\n", meta.to_header())).map_err(|error| Error::from(error).at(path.display()))
}
