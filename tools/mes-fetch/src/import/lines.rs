//! Lines of foreign text, gzip and zstd taken off, split into fields.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read, stdin},
    path::Path,
};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use mes_pipe::{Error, Result, limits, log};

use super::archive;

/// How often a text may be compressed; there are files that unpack to themselves.
const DEEPEST: usize = 4;

/// One text, read line by line.
pub struct Lines {
    name: String,
    number: u64,
    reader: BufReader<Box<dyn Read>>,
    line: Vec<u8>,
    csv: Reader,
    text: Vec<u8>,
    ends: Vec<usize>,
    separator: u8,
    /// Whether the last line may lack its end: nothing in an archive that passes its checksum is cut off.
    whole: bool,
    /// Whether the line read last is to be given once more.
    held: bool,
}

impl Lines {
    /// Opens a file, or stdin without one; of a zip the entry that `entry` names.
    ///
    /// # Errors
    ///
    /// `Usage` where the file or the entry is not there, `Data` where it is damaged or compressed too often, `Failed`
    /// where it cannot be read.
    pub fn open(path: Option<&Path>, entry: Option<&str>) -> Result<Lines> {
        let Some(path) = path else {
            log::awaits("bars or ticks of another shape, since no FILE is named,");
            return Lines::new("stdin".into(), Box::new(stdin()));
        };
        let name = path.display().to_string();
        let file = File::open(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Error::usage(format!("{name}: no such file")),
            _ => Error::from(error).at(&name),
        })?;
        let mut lines = Lines::new(name, Box::new(file))?;
        if lines.begins_with(b"PK\x03\x04")? {
            let (name, content) = archive::entry(path, entry)?;
            lines = Lines::new(name, Box::new(content))?;
            lines.whole = true;
        } else if let Some(entry) = entry {
            return Err(Error::usage(format!("--entry {entry}: {} is no zip", lines.name)));
        }
        Ok(lines)
    }

    /// Says whether the bytes not read yet begin so.
    ///
    /// # Errors
    ///
    /// `Data` where it does not unpack, `Failed` where it cannot be read.
    pub fn begins_with(&mut self, magic: &[u8]) -> Result<bool> {
        let head = self.reader.fill_buf().map_err(|error| unpacked(error).at(&self.name))?;
        Ok(head.starts_with(magic))
    }

    /// Says whether the bytes not read yet cannot be text.
    ///
    /// # Errors
    ///
    /// `Data` where it does not unpack, `Failed` where it cannot be read.
    pub fn is_binary(&mut self) -> Result<bool> {
        let head = self.reader.fill_buf().map_err(|error| unpacked(error).at(&self.name))?;
        Ok(head[..head.len().min(64)].contains(&0))
    }

    /// Says whether the bytes not read yet begin as JSON does.
    ///
    /// # Errors
    ///
    /// `Data` where it does not unpack, `Failed` where it cannot be read.
    pub fn is_json(&mut self) -> Result<bool> {
        let head = self.reader.fill_buf().map_err(|error| Error::from(error).at(&self.name))?;
        Ok(head.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|byte| b"[{".contains(byte)))
    }

    /// Returns the bytes not read yet.
    pub fn bytes(&mut self) -> &mut impl BufRead {
        &mut self.reader
    }

    /// Says whether the line read last is a remark, as some put before a header.
    pub fn is_remark(&self) -> bool {
        self.line.starts_with(b"#") || self.line.starts_with(b"//")
    }

    /// Returns the next line as far as it is at hand, without taking it.
    pub fn glimpse(&self) -> &[u8] {
        let head = self.reader.buffer();
        &head[..head.iter().position(|byte| *byte == b'\n').unwrap_or(0)]
    }

    /// Returns the name of the file, or of the entry of a zip.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Makes the line that was read last the next one again.
    pub fn again(&mut self) {
        self.held = true;
    }

    /// Reads text, or what gzip or zstd made of it.
    ///
    /// # Errors
    ///
    /// `Data` where it is compressed too often or does not unpack, `Failed` where it cannot be read.
    pub fn new(name: String, reader: Box<dyn Read>) -> Result<Lines> {
        let mut reader = BufReader::with_capacity(1 << 16, reader);
        for depth in 0.. {
            if depth > DEEPEST {
                return Err(Error::data(format!("{name}: compressed {depth} times over: unpack it first")));
            }
            let head = reader.fill_buf().map_err(|error| unpacked(error).at(&name))?;
            let decoded: Box<dyn Read> = match head {
                [0x1f, 0x8b, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(reader)),
                [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(zstd::stream::read::Decoder::with_buffer(reader)?),
                _ => break,
            };
            reader = BufReader::with_capacity(1 << 16, decoded);
        }
        let csv = Reader::new();
        let (text, ends) = (vec![], vec![]);
        let line = vec![];
        Ok(Lines {
            name,
            number: 0,
            reader,
            line,
            csv,
            text,
            ends,
            separator: b',',
            whole: false,
            held: false,
        })
    }

    /// Returns the separator that the line read last holds most of: comma, semicolon or tab.
    pub fn guess_separator(&mut self) -> u8 {
        let count = |separator: &u8| self.line.iter().filter(|byte| *byte == separator).count();
        *b"\t;,".iter().max_by_key(|separator| count(separator)).unwrap_or(&b',')
    }

    /// Splits the lines to come at this character.
    pub fn set_separator(&mut self, separator: u8) {
        self.separator = separator;
        self.csv = ReaderBuilder::new().delimiter(separator).build();
    }

    /// Says whether the next line is at hand; if not, reading it may wait.
    pub fn ready(&self) -> bool {
        self.reader.buffer().contains(&b'\n')
    }

    /// Moves to the next line that is not empty; false at the end.
    ///
    /// # Errors
    ///
    /// `Data` where it is too long, cut off or does not unpack, `Failed` where it cannot be read.
    pub fn advance(&mut self) -> Result<bool> {
        if std::mem::take(&mut self.held) {
            return Ok(true);
        }
        loop {
            self.line.clear();
            self.number += 1;
            // One byte more than a line may have, to know that it has more.
            let longest = limits::get().line.saturating_add(1);
            let read = Read::by_ref(&mut self.reader).take(longest).read_until(b'\n', &mut self.line);
            let read = read.map_err(|error| self.broken(error))?;
            limits::line(read as u64).map_err(|error| self.refused(error))?;
            if read == 0 {
                return Ok(false);
            }
            if self.line.last() == Some(&b'\n') {
                self.line.pop();
            } else if !self.whole {
                return Err(
                    self.refused("the line has no end, so it may be cut off: add a newline if it is whole")
                );
            }
            if self.line.last() == Some(&b'\r') {
                self.line.pop();
            }
            if self.number == 1 && self.line.starts_with(b"\xef\xbb\xbf") {
                self.line.drain(..3);
            }
            if !self.line.is_empty() {
                return Ok(true);
            }
        }
    }

    /// Splits the line into its fields.
    ///
    /// # Errors
    ///
    /// `Data` where it is not UTF-8, or a quote is not closed.
    pub fn fields(&mut self) -> Result<Fields<'_>> {
        if !self.line.contains(&b'"') {
            self.ends.clear();
            let separators = self.line.iter().enumerate().filter(|(_, byte)| **byte == self.separator);
            self.ends.extend(separators.map(|(place, _)| place));
            self.ends.push(self.line.len());
            return match std::str::from_utf8(&self.line) {
                Ok(text) => Ok(Fields { text, ends: &self.ends, gap: 1 }),
                Err(_) => Err(self.refused("not UTF-8 text")),
            };
        }
        self.quoted_fields()
    }

    /// Splits a line that holds quotes.
    fn quoted_fields(&mut self) -> Result<Fields<'_>> {
        self.csv.reset();
        self.text.resize(self.line.len() + 1, 0);
        self.ends.resize(self.line.len() + 2, 0);
        let (first, _, written, fields) = self.csv.read_record(&self.line, &mut self.text, &mut self.ends);
        // An empty input ends the record; a quote that is still open swallows that end.
        let (second, _, more, last) =
            self.csv.read_record(&[], &mut self.text[written..], &mut self.ends[fields..]);
        if (first, second) != (ReadRecordResult::InputEmpty, ReadRecordResult::Record) {
            return Err(self.refused("not one record of separated values"));
        }
        match std::str::from_utf8(&self.text[..written + more]) {
            Ok(text) => Ok(Fields { text, ends: &self.ends[..fields + last], gap: 0 }),
            Err(_) => Err(self.refused("not UTF-8 text")),
        }
    }

    /// Makes an error of the data at this line.
    pub fn refused(&self, what: impl std::fmt::Display) -> Error {
        Error::data(format!("{}: line {}: {what}", self.name, self.number))
    }

    fn broken(&self, error: std::io::Error) -> Error {
        match unpacked(error) {
            Error::Data(what) => self.refused(what),
            other => other.at(&self.name),
        }
    }
}

/// Makes an error of the data of one that gzip or zstd met with.
fn unpacked(error: std::io::Error) -> Error {
    match error.kind() {
        std::io::ErrorKind::Other
        | std::io::ErrorKind::InvalidInput
        | std::io::ErrorKind::InvalidData
        | std::io::ErrorKind::UnexpectedEof => Error::data(format!("the compressed data is broken: {error}")),
        _ => Error::from(error),
    }
}

/// The fields of one line.
#[derive(Clone, Copy)]
pub struct Fields<'a> {
    text: &'a str,
    ends: &'a [usize],
    /// Bytes between the end of a field and the next one.
    gap: usize,
}

impl<'a> Fields<'a> {
    /// Makes fields of a text that holds them one after the other, and of the places where they end.
    pub fn joined(text: &'a str, ends: &'a [usize]) -> Fields<'a> {
        Fields { text, ends, gap: 0 }
    }

    /// Counts the fields.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Returns a field without the spaces around it.
    pub fn get(&self, index: usize) -> &'a str {
        let start = if index == 0 { 0 } else { self.ends[index - 1] + self.gap };
        self.text[start..self.ends[index]].trim()
    }
}
