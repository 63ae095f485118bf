//! What travels with a table beside its rows.

use std::{collections::HashMap, path::PathBuf};

use arrow_schema::{Schema, SchemaRef};
use mes_core::{
    interval::Interval,
    run::{Run, readable},
    session::Filter,
};
use serde_json::{Value, json};

use crate::{Error, Lineage, Result};

/// What a stream is at least. Bars, features and predictions share the bar's columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Tick,
    /// Bars as others make them, without `seg` and `symbol`; only mes-bars reads them.
    Ohlcv,
    Bar,
    Feature,
    Prediction,
    /// Records of a journal, flat: no rows that a stage works on.
    Record,
}

impl Kind {
    const NAMES: [(Kind, &str); 6] = [
        (Kind::Tick, "tick"),
        (Kind::Ohlcv, "ohlcv"),
        (Kind::Bar, "bar"),
        (Kind::Feature, "feature"),
        (Kind::Prediction, "prediction"),
        (Kind::Record, "record"),
    ];

    /// The version of each kind: a new column leaves it, a changed meaning raises it.
    pub const VERSION: u64 = 1;

    /// Returns the name that headers and metadata have it by.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    /// Names the rows that a tool reads, as a person does.
    pub(crate) fn awaited(kinds: &[Kind]) -> String {
        let words = |kind: &Kind| match kind {
            Kind::Tick => "ticks",
            Kind::Ohlcv | Kind::Bar => "bars",
            Kind::Feature => "rows with features",
            Kind::Prediction => "rows with predictions",
            Kind::Record => "records of a journal",
        };
        match kinds {
            [] => "rows".into(),
            kinds => kinds.iter().map(words).collect::<Vec<_>>().join(" or "),
        }
    }

    fn named(name: &str) -> Option<Kind> {
        Self::NAMES.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }

    /// Tells the kind of a table by its columns.
    pub(crate) fn of(schema: &Schema) -> Kind {
        let names = || schema.fields().iter().map(|field| field.name().as_str());
        let has = |wanted: &str| names().any(|name| name == wanted);
        if !has("close") {
            Kind::Tick
        } else if has("p_dir") {
            Kind::Prediction
        } else if names().any(|name| name.starts_with("f_")) {
            Kind::Feature
        } else if has("seg") {
            Kind::Bar
        } else {
            Kind::Ohlcv
        }
    }
}

/// What rows are, and where they came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Meta {
    pub kind: Kind,
    /// The length of a row; ticks have none.
    pub interval: Option<Interval>,
    pub session: Filter,
    pub lineage: Lineage,
    /// Where whoever passes the rows on writes this, beside text.
    pub side: Option<PathBuf>,
}

impl Meta {
    /// Returns what the output of `tool` carries: this stream's and one more link.
    pub fn stage(&self, tool: &str, kind: Kind, settings: Value) -> Meta {
        Meta { kind, lineage: self.lineage.then(tool, settings), ..self.clone() }
    }

    /// Returns what a table carries that is made of the records of a run.
    pub fn of_run(run: &Run) -> Meta {
        Meta {
            kind: Kind::Record,
            interval: run.interval.parse().ok(),
            session: run.session,
            lineage: Lineage::from_json(&run.lineage).unwrap_or_default(),
            side: None,
        }
    }

    /// Returns what a stream made from nothing carries.
    pub fn source(
        tool: &str,
        kind: Kind,
        interval: Option<Interval>,
        session: Filter,
        settings: Value,
    ) -> Meta {
        let lineage = Lineage::default().then(tool, settings);
        Meta { kind, interval, session, lineage, side: None }
    }

    /// Returns the meta as a JSON header: an object with `kind` and no `ts`.
    pub fn to_header(&self) -> Value {
        json!({
            "kind": self.kind.name(),
            "v": Kind::VERSION,
            "interval": self.interval.map(|interval| interval.to_string()),
            "session": self.session.name(),
            "lineage": self.lineage.to_json(),
        })
    }

    /// Reads a header: that of a table, or the `run` record of a journal. A newer version than this tool knows
    /// is an error: its columns may mean something else.
    pub(crate) fn from_header(header: &Value) -> Result<Meta> {
        let version = header["v"].as_u64().unwrap_or(Kind::VERSION);
        if header["kind"] == "run" {
            readable(version).map_err(Error::data)?;
        } else if version > Kind::VERSION {
            return Err(Error::data(format!(
                "version {version} is newer than this tool reads ({})",
                Kind::VERSION
            )));
        }
        let kind = match header["kind"].as_str() {
            Some("run") => Kind::Bar,
            Some(name) => {
                Kind::named(name).ok_or_else(|| Error::data(format!("a stream of unknown kind {name:?}")))?
            }
            None => return Err(Error::data("a header without kind")),
        };
        let interval = header["interval"].as_str().map(str::parse).transpose()?;
        let session = serde_json::from_value(header["session"].clone()).unwrap_or_default();
        let lineage = Lineage::from_json(&header["lineage"]).unwrap_or_default();
        Ok(Meta { kind, interval, session, lineage, side: None })
    }

    /// Returns the meta of an Arrow schema, or `None` when it carries none.
    pub(crate) fn from_schema(schema: &Schema) -> Result<Option<Meta>> {
        let Some(text) = schema.metadata().get(KEY) else { return Ok(None) };
        let header =
            serde_json::from_str(text).map_err(|error| Error::data(format!("metadata {KEY}: {error}")))?;
        Meta::from_header(&header).map(Some)
    }

    /// Returns `schema` carrying this meta.
    pub fn onto(&self, schema: &SchemaRef) -> SchemaRef {
        let metadata = HashMap::from([(KEY.to_owned(), self.to_header().to_string())]);
        schema.as_ref().clone().with_metadata(metadata).into()
    }
}

/// The key under which Arrow and Parquet carry the header.
const KEY: &str = "mes";
