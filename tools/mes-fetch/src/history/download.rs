//! Reads a download from its first to its last byte before it counts as one.
//!
//! A decoder of this format takes a cut file for its end. Here the bytes are fed to the state machine by hand, the
//! compressed stream must end where its frame does, and no byte may be left over. What that cannot see, a server
//! that ends early but neatly, the count of records does.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, Read},
    path::Path,
};

use dbn::{
    Metadata, Record, VersionUpgradePolicy,
    decode::dbn::fsm::{DbnFsm, DbnFsmBuilder, ProcessResult},
};
use serde_json::{Value, json};

use super::{series::Series, span::Span};

const MOST_MAPPINGS: usize = 40;

/// What a whole download holds.
#[derive(Debug)]
pub struct Checked {
    pub bytes: u64,
    pub blake3: String,
    pub records: u64,
    metadata: Metadata,
    first: Option<u64>,
    last: Option<u64>,
    ids: BTreeSet<u32>,
    /// Records whose time lies outside the window that was asked for.
    pub outside: u64,
}

/// Why a download does not count.
#[derive(Debug)]
pub enum Flaw {
    /// It ends too early.
    Cut(String),
    /// It is something else.
    Wrong(String),
    Unreadable(io::Error),
}

impl Checked {
    /// Returns which instrument the symbol stood for on which days.
    pub fn mappings(&self) -> Vec<(Span, String)> {
        let intervals = self.metadata.mappings.iter().flat_map(|mapping| &mapping.intervals);
        let mapping = |interval: &dbn::MappingInterval| {
            let span = Span::parse(&format!("{}..{}", interval.start_date, interval.end_date))?;
            Some((span, interval.symbol.clone()))
        };
        intervals.filter_map(mapping).collect()
    }

    /// Returns what the ledger keeps.
    pub fn to_json(&self) -> Value {
        let mappings = self.mappings().into_iter();
        let mappings = mappings.map(|(days, id)| json!({ "days": days.to_string(), "id": id }));
        json!({
            "bytes": self.bytes,
            "blake3": self.blake3,
            "records": self.records,
            "first_ns": self.first,
            "last_ns": self.last,
            "ids": self.ids,
            // With hundreds of contracts they are better read from the data.
            "mappings": mappings.take(MOST_MAPPINGS).collect::<Vec<_>>(),
            "partial": self.metadata.partial,
            "not_found": self.metadata.not_found,
        })
    }
}

/// Reads a download and says what it holds.
///
/// # Errors
///
/// What is not as it should be, and whether another try may help.
pub fn check(path: &Path, series: &Series, span: Span) -> Result<Checked, Flaw> {
    let file = File::open(path).map_err(Flaw::Unreadable)?;
    let mut hashed = Hashed { inner: file, hasher: blake3::Hasher::new(), bytes: 0 };
    let mut walk = Walk::new(span)?;
    let metadata = {
        let mut plain = zstd::Decoder::new(&mut hashed).map_err(flaw)?;
        walk.run(&mut plain)?
    };
    matches_request(&metadata, series)?;
    Ok(Checked {
        bytes: hashed.bytes,
        blake3: hashed.hasher.finalize().to_hex().to_string(),
        records: walk.records,
        metadata,
        first: walk.first,
        last: walk.last,
        ids: walk.ids,
        outside: walk.outside,
    })
}

fn flaw(error: io::Error) -> Flaw {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Flaw::Cut("the compressed data is cut off".to_owned()),
        _ => Flaw::Wrong(error.to_string()),
    }
}

struct Walk {
    fsm: DbnFsm,
    window: (u64, u64),
    records: u64,
    first: Option<u64>,
    last: Option<u64>,
    ids: BTreeSet<u32>,
    outside: u64,
}

impl Walk {
    fn new(span: Span) -> Result<Walk, Flaw> {
        let wrong = |error: dbn::Error| Flaw::Wrong(error.to_string());
        let fsm = DbnFsmBuilder::new().upgrade_policy(VersionUpgradePolicy::AsIs).build().map_err(wrong)?;
        let (from, until) = span.nanos();
        let window = (u64::try_from(from).unwrap_or(0), u64::try_from(until).unwrap_or(0));
        Ok(Walk { fsm, window, records: 0, first: None, last: None, ids: BTreeSet::new(), outside: 0 })
    }

    /// Reads everything and returns the metadata.
    fn run(&mut self, plain: &mut impl Read) -> Result<Metadata, Flaw> {
        let mut metadata = None;
        let mut ended = false;
        loop {
            while let Some(record) = self.fsm.next_buffered_record() {
                let (ts, id) = (record.raw_index_ts(), record.header().instrument_id);
                self.records += 1;
                self.first = self.first.or(Some(ts));
                self.last = Some(ts);
                self.outside += u64::from(!(self.window.0..self.window.1).contains(&ts));
                self.ids.insert(id);
            }
            match self.fsm.process_batch() {
                ProcessResult::Record(_) => {}
                ProcessResult::Metadata(found) if metadata.is_none() => metadata = Some(found),
                ProcessResult::Metadata(_) => {
                    return Err(Flaw::Wrong("a second file begins in it".to_owned()));
                }
                ProcessResult::Err(error) => return Err(Flaw::Wrong(error.to_string())),
                ProcessResult::ReadMore(_) if ended => break,
                ProcessResult::ReadMore(_) => match plain.read(self.fsm.space()) {
                    Ok(0) => ended = true,
                    Ok(count) => self.fsm.fill(count),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(flaw(error)),
                },
            }
        }
        match (metadata, self.fsm.data().len()) {
            (Some(metadata), 0) => Ok(metadata),
            (Some(_), left) => Err(Flaw::Cut(format!("the last record is cut off ({left} bytes are left)"))),
            (None, _) => Err(Flaw::Cut("cut off within its metadata".to_owned())),
        }
    }
}

/// Checks that the data is what was asked for.
fn matches_request(metadata: &Metadata, series: &Series) -> Result<(), Flaw> {
    let wrong =
        |what: &str, got: String| Err(Flaw::Wrong(format!("it is of {what} {got}, which nobody asked for")));
    if metadata.dataset != series.dataset {
        return wrong("dataset", metadata.dataset.clone());
    }
    if metadata.schema.map(|schema| schema.as_str()) != Some(series.records.name()) {
        return wrong("schema", metadata.schema.map_or("mixed".to_owned(), |schema| schema.to_string()));
    }
    if let Some(limit) = metadata.limit {
        return Err(Flaw::Wrong(format!("it was limited to {limit} records")));
    }
    Ok(())
}

/// Hashes the bytes that pass.
struct Hashed {
    inner: File,
    hasher: blake3::Hasher,
    bytes: u64,
}

impl Read for Hashed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        self.hasher.update(&into[..count]);
        self.bytes += count as u64;
        Ok(count)
    }
}
