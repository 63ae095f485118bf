//! The pages of a Parquet file, measured before anything unpacks them: a page says what it unpacks to, and a few bytes
//! may say gigabytes.
//!
//! The library asks for the header of a page and then for its body. Headers go through [`HeaderReader`], which
//! reads them beforehand and refuses what is beyond the limits. Within a row group all pages of the columns that are
//! read are counted together.

use std::{
    fs::File,
    io::{self, Read},
    os::unix::fs::FileExt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use parquet::{
    basic::{Encoding, Type},
    errors::{ParquetError, Result as ParquetResult},
    file::{
        metadata::ParquetMetaData,
        reader::{ChunkReader, Length},
    },
};

use crate::{Error, Result, limits, thrift};

/// No header is longer: statistics in it are cut by those who write them.
const LONGEST_HEADER: usize = 1 << 20;
const FIRST_READ: usize = 1 << 12;

/// Rows of a batch where a value may be made from the one before it (DELTA_BYTE_ARRAY), so that a page of a few bytes
/// can hold as many long texts as it has rows.
pub(crate) const DELTA_ROWS: usize = 64;

/// A Parquet file whose pages are measured.
#[derive(Clone)]
pub(crate) struct Pages {
    file: Arc<File>,
    /// By rising place.
    chunks: Arc<[Chunk]>,
    groups: Arc<[AtomicU64]>,
    rows_per_batch: usize,
}

/// The pages of one column in one row group.
struct Chunk {
    begins: u64,
    ends: u64,
    group: usize,
    texts: bool,
    /// Behind the last header that was counted.
    counted: AtomicU64,
    /// The most that a batch of its pages can unfold to.
    unfolded: AtomicU64,
}

impl Pages {
    /// Measures the pages of the columns (leaves) that `kept` picks.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] when two columns lie in one place: their pages would be counted once and unpacked twice.
    pub fn of(
        file: File,
        metadata: &ParquetMetaData,
        kept: &[usize],
        rows_per_batch: usize,
    ) -> Result<Pages> {
        let mut chunks = Vec::new();
        for (group, row_group) in metadata.row_groups().iter().enumerate() {
            for column in kept.iter().filter_map(|leaf| row_group.columns().get(*leaf)) {
                let (begins, length) = column.byte_range();
                chunks.push(Chunk {
                    begins,
                    ends: begins.saturating_add(length),
                    group,
                    texts: column.column_type() == Type::BYTE_ARRAY,
                    counted: AtomicU64::new(begins),
                    unfolded: AtomicU64::new(0),
                });
            }
        }
        chunks.sort_by_key(|chunk| chunk.begins);
        if chunks.windows(2).any(|pair| pair[1].begins < pair[0].ends) {
            return Err(Error::data("two columns lie in one place"));
        }
        let groups = metadata.row_groups().iter().map(|_| AtomicU64::new(0)).collect();
        Ok(Pages { file: Arc::new(file), chunks: chunks.into(), groups, rows_per_batch })
    }

    /// Says whether any of the columns that are read may hold values that are made from the one before.
    pub fn has_deltas(metadata: &ParquetMetaData, kept: &[usize]) -> bool {
        let columns =
            |group: usize| kept.iter().filter_map(move |leaf| metadata.row_group(group).columns().get(*leaf));
        (0..metadata.num_row_groups())
            .flat_map(columns)
            .any(|column| column.encodings().any(|encoding| encoding == Encoding::DELTA_BYTE_ARRAY))
    }

    /// Counts a page before it is unpacked.
    fn count(&self, at: u64, page: &thrift::Page) -> Result<()> {
        limits::block("a page", page.unpacked)?;
        let behind = self.chunks.partition_point(|chunk| chunk.begins <= at);
        let chunk = self.chunks[..behind].last();
        let new = |chunk: &&Chunk| at < chunk.ends && chunk.counted.load(Relaxed) <= at;
        let Some(chunk) = chunk.filter(new) else { return Ok(()) };
        chunk.counted.store(at + 1, Relaxed);
        let mut more = page.unpacked;
        if page.is_delta && chunk.texts {
            let unfolded = page.unpacked.saturating_mul(self.rows_per_batch as u64);
            more = more.saturating_add(unfolded.saturating_sub(chunk.unfolded.fetch_max(unfolded, Relaxed)));
        }
        let group = &self.groups[chunk.group];
        let sum = group.load(Relaxed).saturating_add(more);
        group.store(sum, Relaxed);
        limits::block("a row group", sum)
    }
}

impl Length for Pages {
    fn len(&self) -> u64 {
        self.file.len()
    }
}

impl ChunkReader for Pages {
    type T = HeaderReader;

    fn get_read(&self, start: u64) -> ParquetResult<HeaderReader> {
        Ok(HeaderReader { pages: self.clone(), start, bytes: Vec::new(), read: 0 })
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<bytes::Bytes> {
        let there = self.len().saturating_sub(start);
        if length as u64 > there {
            return Err(ParquetError::EOF(format!("{length} bytes wanted where {there} are left")));
        }
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, start)?;
        Ok(bytes.into())
    }
}

/// The header of the page at a place. Nothing is read until somebody reads it.
pub(crate) struct HeaderReader {
    pages: Pages,
    start: u64,
    bytes: Vec<u8>,
    read: usize,
}

impl HeaderReader {
    /// Reads until the header is whole, and has it counted.
    fn fill(&mut self) -> io::Result<()> {
        let mut wanted = FIRST_READ;
        loop {
            let from = self.bytes.len();
            self.bytes.resize(wanted, 0);
            let more = self.pages.file.read_at(&mut self.bytes[from..], self.start + from as u64)?;
            self.bytes.truncate(from + more);
            match thrift::page(&self.bytes) {
                Some(page) => {
                    let counted = self.pages.count(self.start, &page);
                    return counted
                        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()));
                }
                None if more == 0 || wanted > LONGEST_HEADER => {
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        "the header of a page is damaged",
                    ));
                }
                None => wanted = 2 * self.bytes.len().max(FIRST_READ),
            }
        }
    }
}

impl Read for HeaderReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.bytes.is_empty() {
            self.fill()?;
        }
        let count = into.len().min(self.bytes.len() - self.read);
        into[..count].copy_from_slice(&self.bytes[self.read..self.read + count]);
        self.read += count;
        Ok(count)
    }
}
