//! What format the bytes are in, told by their beginning.

use std::io::{BufReader, Read};

use crate::{Error, Result, source::Source};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    ArrowStream,
    ArrowFile,
    Parquet,
    Dbn,
    Csv,
    JsonLines,
}

/// How often a text may be compressed; there are files that unpack to themselves.
const DEEPEST: usize = 4;

/// Takes off gzip and zstd and names what is within.
pub(crate) fn sniff(mut source: Source) -> Result<(Source, Found)> {
    for _ in 0..DEEPEST {
        let name = source.name.clone();
        let head = source.peek(8)?;
        let found = match head {
            [] => return Err(Error::data(format!("{name}: empty: no header and no rows"))),
            // A byte order mark, which some programs put before text.
            [0xef, 0xbb, 0xbf, ..] => {
                source.skip(3);
                continue;
            }
            [0x1f, 0x8b, ..] => {
                source = source
                    .decoded(|reader| Ok(Box::new(Strict(flate2::read::MultiGzDecoder::new(reader)))))?;
                continue;
            }
            [0x28, 0xb5, 0x2f, 0xfd, ..] => {
                source = source.decoded(|reader| {
                    let decoder = zstd::stream::read::Decoder::with_buffer(BufReader::new(reader))?;
                    Ok(Box::new(Strict(decoder)))
                })?;
                continue;
            }
            [0xff, 0xff, 0xff, 0xff, ..] => Found::ArrowStream,
            [b'A', b'R', b'R', b'O', b'W', b'1', ..] => Found::ArrowFile,
            [b'P', b'A', b'R', b'1', ..] => Found::Parquet,
            [b'D', b'B', b'N', _, ..] => Found::Dbn,
            _ => match head.iter().find(|byte| !byte.is_ascii_whitespace()) {
                Some(b'{') => Found::JsonLines,
                _ if head.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace()) => {
                    Found::Csv
                }
                _ => {
                    return Err(Error::data(format!(
                        "{name}: neither Arrow, Parquet, DBN, CSV nor JSON lines (begins with {head:02x?})"
                    )));
                }
            },
        };
        return Ok((source, found));
    }
    Err(Error::data(format!("{}: compressed {DEEPEST} times over: unpack it first", source.name)))
}

/// Makes a compressed stream that stops midway an error of the data: some readers take it for its end.
struct Strict<R>(R);

impl<R: Read> Read for Strict<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(into).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => {
                std::io::Error::new(std::io::ErrorKind::InvalidData, "the compressed data is cut off")
            }
            // A checksum that is not that of the data, garbage behind it.
            std::io::ErrorKind::Other | std::io::ErrorKind::InvalidInput => {
                std::io::Error::new(std::io::ErrorKind::InvalidData, error)
            }
            _ => error,
        })
    }
}
