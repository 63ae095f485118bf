//! The side file of rows that go through text, which has no place for where they came from: whoever writes the text
//! writes it, before the first row, and whoever reads the text reads it, after the first row has come.
//!
//! A tool reads it where its input is text without a header, and adds a link `text` to the chain; else it writes it.
//! `--lineage-to` writes whatever came in, for a second stage further down. Without it the origin is unknown, and so it
//! is called.

use std::{fs, path::Path};

use mes_core::{interval::Interval, session::Filter};
use serde_json::{Value, json};

use crate::{Error, InputArgs, Kind, Lineage, Meta, Result, limits};

/// The link of a stage of which nothing is known but that rows went through it.
const TEXT: &str = "text";

/// What an input tells of itself.
pub(crate) struct Told {
    /// It is text that does not say what it is.
    pub bare: bool,
    /// What its columns say, and what it is taken for.
    pub columns: Kind,
    pub kind: Kind,
    pub meta: Option<Meta>,
    pub interval: Option<Interval>,
    /// Of the files that were named.
    pub hashes: Option<Vec<String>>,
}

/// Puts together what the rows of an input are, from what they tell, from the side file and from what the flags say.
pub(crate) fn describe(args: &InputArgs, told: Told) -> Result<Meta> {
    // Of the kind that the columns say: a tool that wants more than there is must not take another's file for its own.
    let beside = args.lineage.as_deref().filter(|_| told.bare);
    let beside = beside.map(|path| read(path, told.columns)).transpose()?;
    let (interval, session) = (args.text.interval, args.text.session.map(Filter::from));
    // A stage may make rows of another length: what is said here counts more than what lies beside.
    let said = beside.is_some();
    let side = args.lineage.clone().filter(|_| !said);
    let carried = told.meta.or(beside);
    let carried_interval = carried.as_ref().and_then(|meta| meta.interval).or(told.interval);
    let carried_session = carried.as_ref().map(|meta| meta.session);
    Ok(Meta {
        kind: told.kind,
        interval: if said { interval.or(carried_interval) } else { carried_interval.or(interval) },
        session: if said { session.or(carried_session) } else { carried_session.or(session) }
            .unwrap_or_default(),
        lineage: Lineage::of_input(carried.map(|meta| meta.lineage), told.hashes),
        side,
    })
}

/// Reads what rows of this kind are and came from.
///
/// # Errors
///
/// Where there is no such file, it is no header, or it is of rows that lie further down the pipe than these.
fn read(path: &Path, kind: Kind) -> Result<Meta> {
    let at = |error: Error| error.at(path.display());
    let text = limits::settings_text(path).map_err(|error| {
        let who = "--lineage reads that of text without a header, which the tool before it writes: give it \
                   --lineage too (to write one from here: --lineage-to)";
        Error::usage(format!("{error}: {who}"))
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
    fs::write(path, format!("{:#}\n", meta.to_header()))
        .map_err(|error| Error::from(error).at(path.display()))
}
