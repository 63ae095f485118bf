//! Arrow IPC: the stream that flows through pipes, and the file form of others.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    sync::Arc,
};

use arrow_buffer::Buffer;
use arrow_ipc::{
    convert::try_schema_from_ipc_buffer,
    reader::{FileReader, StreamDecoder, read_footer_length},
    root_as_footer,
};
use arrow_schema::{Schema, SchemaRef};

use crate::{Error, Result, damage::caught, input::Event, limits, source::Source, stop};

const CHUNK: usize = 1 << 18;

/// Decodes a stream chunk by chunk, so that it knows when the next read may wait.
pub(crate) struct StreamReader {
    pub source: Source,
    decoder: StreamDecoder,
    pub schema: SchemaRef,
    unread: Buffer,
    /// The last eight bytes read: a whole stream ends with the end mark.
    tail: [u8; 8],
    ended: bool,
    told_idle: bool,
    /// Bytes read since the last batch was whole.
    unfinished: u64,
}

/// The continuation marker and a length of 0.
const END_MARK: [u8; 8] = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];
/// In its place where a person ended the day. Others read it as a stream that was cut, which it is.
pub(crate) const STOP_MARK: [u8; 8] = *b"\xff\xff\xff\xffSTOP";

impl StreamReader {
    /// Reads up to the schema.
    ///
    /// # Errors
    ///
    /// `Data` where it is cut off before its schema, or damaged; `Failed` where it cannot be read.
    pub fn open(source: Source) -> Result<StreamReader> {
        let mut reader = StreamReader {
            source,
            decoder: StreamDecoder::new(),
            schema: Arc::new(Schema::empty()),
            unread: Buffer::from(&[]),
            tail: [0; 8],
            ended: false,
            told_idle: false,
            unfinished: 0,
        };
        loop {
            if reader.ended {
                return Err(reader.cut());
            }
            reader.source.wait()?;
            reader.fill()?;
            // The decoder gives the schema only with the first batch, which may be long in coming.
            let length = schema_length(&reader.unread);
            if let Some(message) = length.and_then(|length| reader.unread.get(..length)) {
                let schema = caught(|| try_schema_from_ipc_buffer(message));
                reader.schema = Arc::new(schema.map_err(|error| error.at(&reader.source.name))?);
                return Ok(reader);
            }
            if length.is_some_and(|length| length > 1 << 24) {
                return Err(Error::data(format!(
                    "{}: the Arrow schema is longer than 16 MiB",
                    reader.source.name
                )));
            }
        }
    }

    /// Returns the next batch; [`Event::Idle`] once before it waits.
    ///
    /// # Errors
    ///
    /// `Data` where it is damaged or ends without its mark, `Stopped` where a person ended the day further up, `Failed`
    /// where it cannot be read.
    pub fn next(&mut self) -> Result<Event> {
        loop {
            let decoded = caught(|| self.decoder.decode(&mut self.unread));
            if let Some(batch) = decoded.map_err(|error| error.at(&self.source.name))? {
                self.told_idle = false;
                self.unfinished = 0;
                return Ok(Event::Batch(batch));
            }
            if self.ended {
                return match self.tail {
                    END_MARK if self.decoder.finish().is_ok() => Ok(Event::End),
                    STOP_MARK => Err(stop::elsewhere("the stage before")),
                    _ => Err(self.cut()),
                };
            }
            if !self.source.ready() {
                if !self.told_idle {
                    self.told_idle = true;
                    return Ok(Event::Idle);
                }
                self.source.wait()?;
            }
            self.fill()?;
        }
    }

    fn cut(&self) -> Error {
        Error::data(format!(
            "{}: the Arrow stream has no end mark: whoever wrote it did not finish",
            self.source.name
        ))
    }

    /// Reads once and puts the bytes behind those not yet decoded.
    fn fill(&mut self) -> Result<()> {
        limits::block("a batch", self.unfinished).map_err(|error| error.at(&self.source.name))?;
        let mut bytes = vec![0; self.unread.len() + CHUNK];
        let kept = self.unread.len();
        bytes[..kept].copy_from_slice(&self.unread);
        let count = match self.source.read(&mut bytes[kept..]) {
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(Error::from(error).at(&self.source.name)),
        };
        self.ended = count == 0;
        self.unfinished += count as u64;
        bytes.truncate(kept + count);
        let last = count.min(8);
        self.tail.rotate_left(last);
        self.tail[8 - last..].copy_from_slice(&bytes[kept + count - last..]);
        self.unread = Buffer::from_vec(bytes);
        Ok(())
    }
}

/// Returns the length of the schema message at the beginning, as far as it can be told.
fn schema_length(bytes: &[u8]) -> Option<usize> {
    let length = u32::from_le_bytes(bytes.get(4..8)?.try_into().ok()?);
    Some(8 + length as usize)
}

/// Opens an Arrow file, which may be read at any place.
pub(crate) fn open_file(mut file: File, name: &str) -> Result<FileReader<File>> {
    let at = |error: Error| error.at(format!("{name}: not a whole Arrow file"));
    caught(|| blocks(&mut file))
        .map_err(at)?
        .into_iter()
        .try_for_each(|bytes| limits::block("a batch", bytes).map_err(|error| error.at(name)))?;
    caught(|| FileReader::try_new(file, None)).map_err(at)
}

/// Returns the sizes that a file's index gives its batches and dictionaries: they are allocated as they stand there.
fn blocks(file: &mut File) -> Result<Vec<u64>> {
    let damaged = || Error::data("the index is damaged");
    let mut tail = [0; 10];
    let whole = file.metadata()?.len();
    if whole < tail.len() as u64 {
        return Err(damaged());
    }
    file.seek(SeekFrom::End(-10))?;
    file.read_exact(&mut tail)?;
    let length = read_footer_length(tail)? as u64;
    let mut footer = vec![0; usize::try_from(length.min(whole)).map_err(Error::data)?];
    file.seek(SeekFrom::Start(whole.checked_sub(10 + length).ok_or_else(damaged)?))?;
    file.read_exact(&mut footer)?;
    let footer = root_as_footer(&footer).map_err(Error::data)?;
    let all = footer.recordBatches().into_iter().flatten().chain(footer.dictionaries().into_iter().flatten());
    let sizes = all.map(|block| {
        let size = u64::try_from(block.bodyLength())
            .ok()?
            .checked_add(u64::try_from(block.metaDataLength()).ok()?)?;
        Some(size).filter(|size| *size <= whole)
    });
    sizes.collect::<Option<Vec<u64>>>().ok_or_else(damaged)
}
