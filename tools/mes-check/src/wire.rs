//! What goes over the two pipes of a stage: rows as JSON lines or Arrow in, whichever of the two it likes out.

use std::{
    io::{BufRead, BufReader, Read},
    sync::mpsc::SyncSender,
};

use arrow_ipc::{reader::StreamReader, writer::StreamWriter};
use clap::ValueEnum;
use mes_pipe::{Error, Meta, Result, caught};
use serde_json::{Map, Value};

use crate::table::{Cell, Given, Row, batch_of, rows_of};

/// A line longer than this is no row.
const LINE_BYTES: u64 = 1 << 20;

/// How rows are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Wire {
    Arrow,
    Jsonl,
}

/// Writes rows for a stage.
pub struct Encoder<'a> {
    given: &'a Given,
    /// The keys of JSON lines, with what stands before them.
    keys: Vec<String>,
    arrow: Option<StreamWriter<Vec<u8>>>,
    head: Vec<u8>,
}

impl<'a> Encoder<'a> {
    /// Begins a table; `header` is the first line of JSON lines, where the stage wants one.
    ///
    /// # Errors
    ///
    /// `Data` where the columns have no Arrow.
    pub fn new(given: &'a Given, wire: Wire, header: Option<&Meta>) -> Result<Encoder<'a>> {
        let keys = given.names().enumerate().map(|(place, name)| {
            let before = if place == 0 { '{' } else { ',' };
            format!("{before}{}:", Value::from(name))
        });
        let arrow = match wire {
            Wire::Arrow => Some(StreamWriter::try_new(Vec::new(), &given.schema)?),
            Wire::Jsonl => None,
        };
        let head = header.filter(|_| wire == Wire::Jsonl).map(|meta| format!("{}\n", meta.to_header()));
        Ok(Encoder { given, keys: keys.collect(), arrow, head: head.unwrap_or_default().into_bytes() })
    }

    /// Writes some of the rows and returns all bytes not yet returned.
    ///
    /// # Errors
    ///
    /// `Data` where a cell does not fit its column.
    pub fn rows(&mut self, rows: std::ops::Range<usize>) -> Result<Vec<u8>> {
        let rows = &self.given.rows[rows];
        match &mut self.arrow {
            Some(writer) => {
                writer.write(&batch_of(&self.given.schema, rows)?)?;
                Ok(std::mem::take(writer.get_mut()))
            }
            None => {
                let mut text = std::mem::take(&mut self.head);
                rows.iter().for_each(|row| line(&self.keys, row, &mut text));
                Ok(text)
            }
        }
    }

    /// Returns the end mark.
    ///
    /// # Errors
    ///
    /// `Data` where Arrow cannot be ended.
    pub fn end(self) -> Result<Vec<u8>> {
        let Some(mut writer) = self.arrow else { return Ok(self.head) };
        writer.finish()?;
        Ok(std::mem::take(writer.get_mut()))
    }
}

fn line(keys: &[String], row: &Row, out: &mut Vec<u8>) {
    for (key, cell) in keys.iter().zip(row) {
        out.extend_from_slice(key.as_bytes());
        out.extend_from_slice(cell.json().to_string().as_bytes());
    }
    out.extend_from_slice(b"}\n");
}

/// What a stage said.
#[derive(Debug)]
pub enum Said {
    /// The columns, once, before the first row.
    Columns(Vec<String>),
    Row(Row),
    /// Neither a row nor the end, and why.
    Garbage(String),
}

/// Reads what a stage writes until it ends or nobody listens.
pub fn read(stdout: impl Read, said: &SyncSender<Said>) {
    let mut stdout = BufReader::new(stdout);
    let arrow = match stdout.fill_buf() {
        Ok([]) => return,
        Ok(bytes) => bytes[0] == 0xff,
        Err(error) => return tell(said, Said::Garbage(error.to_string())),
    };
    let done = if arrow { arrow_rows(stdout, said) } else { json_rows(stdout, said) };
    if let Err(error) = done {
        tell(said, Said::Garbage(error.to_string()));
    }
}

/// A listener that is gone needs no answer.
fn tell(said: &SyncSender<Said>, what: Said) {
    let _ = said.send(what);
}

fn arrow_rows(stdout: impl Read, said: &SyncSender<Said>) -> Result<()> {
    let mut reader = caught(|| StreamReader::try_new(stdout, None))?;
    let names = reader.schema().fields().iter().map(|field| field.name().clone()).collect();
    tell(said, Said::Columns(names));
    while let Some(batch) = caught(|| reader.next().transpose())? {
        for row in rows_of(&batch)? {
            if said.send(Said::Row(row)).is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn json_rows(mut stdout: impl BufRead, said: &SyncSender<Said>) -> Result<()> {
    let mut names: Vec<String> = Vec::new();
    let mut line = Vec::new();
    loop {
        line.clear();
        if stdout.by_ref().take(LINE_BYTES).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let shown = || String::from_utf8_lossy(&line[..line.len().min(60)]).trim_end().to_owned();
        let mut object: Map<String, Value> = serde_json::from_slice(&line)
            .map_err(|error| Error::data(format!("not a JSON object ({error}): {}", shown())))?;
        if object.contains_key("kind") && !object.contains_key("ts") {
            continue;
        }
        object.shift_remove("kind");
        if names.is_empty() {
            names = object.keys().cloned().collect();
            tell(said, Said::Columns(names.clone()));
        }
        let row = cells(&names, object).map_err(Error::data)?;
        if said.send(Said::Row(row)).is_err() {
            return Ok(());
        }
    }
}

/// Puts the values of a record in the order of the columns; a key that is missing is null.
fn cells(names: &[String], mut object: Map<String, Value>) -> std::result::Result<Row, String> {
    let mut row = Row::with_capacity(names.len());
    for name in names {
        row.push(match object.get_mut(name) {
            Some(value) => Cell::of_json(name, value.take())?,
            None => Cell::Null,
        });
    }
    // Values that were there have been taken; a key beside them is new.
    let known = names.iter().filter(|name| object.contains_key(*name)).count();
    if known == object.len() {
        return Ok(row);
    }
    let new = object.keys().find(|key| !names.contains(key)).cloned().unwrap_or_default();
    Err(format!("key {new:?} is not in the first record"))
}
