//! Lines whose checksums hang together: each over itself and the one before it.

use serde::Serialize;
use serde_json::Value;

use crate::{Error, Result, lineage::hash};

/// Hexadecimal digits of a checksum.
pub const SUM_CHARS: usize = 16;
const SUM_KEY: &[u8] = b",\"sum\":\"";
/// `,"sum":"0123456789abcdef"}`
const SUM_BYTES: usize = SUM_KEY.len() + SUM_CHARS + 2;

/// Where a chain of checksums stands.
#[derive(Default)]
pub struct Chain {
    pub lines: u64,
    pub sum: String,
}

impl Chain {
    fn sum_of(&self, body: &[u8]) -> String {
        let mut sum = hash(&[self.sum.as_bytes(), body].concat());
        sum.truncate(SUM_CHARS);
        sum
    }

    /// Takes in a record to be written and returns its line.
    ///
    /// # Errors
    ///
    /// `Failed` where it has no JSON.
    pub fn add(&mut self, record: &impl Serialize) -> Result<Vec<u8>> {
        let mut line = serde_json::to_vec(record).map_err(Error::failed)?;
        let sum = self.sum_of(&line);
        line.pop();
        line.extend_from_slice(SUM_KEY);
        line.extend_from_slice(sum.as_bytes());
        line.extend_from_slice(b"\"}\n");
        (self.lines, self.sum) = (self.lines + 1, sum);
        Ok(line)
    }

    /// Takes in the whole lines of what was read; returns their records, and how many bytes they are.
    ///
    /// # Errors
    ///
    /// Says which line is not what was written.
    pub fn take(&mut self, bytes: &[u8]) -> std::result::Result<(Vec<Value>, u64), String> {
        let mut records = Vec::new();
        let mut whole = 0;
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let Some(text) = line.strip_suffix(b"\n") else { break };
            records.push(self.line(text)?);
            whole += line.len() as u64;
        }
        Ok((records, whole))
    }

    /// Takes in a line that was read, without its end, and returns its record.
    ///
    /// # Errors
    ///
    /// Says which line is not what was written.
    pub fn line(&mut self, text: &[u8]) -> std::result::Result<Value, String> {
        let number = self.lines + 1;
        let broken = || format!("line {number} is not what was written");
        let at = text.len().checked_sub(SUM_BYTES).ok_or_else(broken)?;
        let (body, tail) = text.split_at(at);
        let body = [body, b"}"].concat();
        let sum = self.sum_of(&body);
        if tail != [SUM_KEY, sum.as_bytes(), b"\"}"].concat() {
            return Err(broken());
        }
        let record = serde_json::from_slice(&body).map_err(|error| format!("line {number}: {error}"))?;
        (self.lines, self.sum) = (number, sum);
        Ok(record)
    }
}
