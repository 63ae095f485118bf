//! Messages on stdin, a line each, and whether the next one has come yet.

use std::os::fd::AsFd;

use serde::de::DeserializeOwned;

use crate::{
    Error, Result,
    source::Source,
    text::{Line, Lines},
};

/// What reading came to.
pub enum Message<'a> {
    Line(&'a [u8]),
    /// The next read may wait: flush first.
    Idle,
    End,
}

pub struct Messages {
    lines: Lines,
    told_idle: bool,
}

impl Messages {
    /// Opens stdin; a person at a terminal is told what is `awaited` there.
    pub fn stdin(awaited: &str) -> Result<Messages> {
        Ok(Messages { lines: Lines::new(Source::stdin(awaited)?), told_idle: false })
    }

    /// Opens a file of messages.
    pub fn open(path: &std::path::Path) -> Result<Messages> {
        Ok(Messages { lines: Lines::new(Source::open(path)?), told_idle: false })
    }

    /// Returns the next message. After [`Message::Idle`] it waits. A last line without an end is an error.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Message<'_>> {
        loop {
            let told_idle = std::mem::replace(&mut self.told_idle, false);
            match self.lines.next(told_idle)? {
                Line::Is(place) if place.is_empty() => {}
                Line::Is(place) => return Ok(Message::Line(self.lines.bytes(place))),
                Line::Cut(_) => return Err(self.here(Error::data("the record is cut off"))),
                Line::Wait => {
                    self.told_idle = true;
                    return Ok(Message::Idle);
                }
                Line::End => return Ok(Message::End),
            }
        }
    }

    /// Waits until `other` can be read, or until there is something here, be it the end. Returns whether `other` can.
    pub fn wait_or(&self, other: impl AsFd) -> Result<bool> {
        self.lines.source.wait_or(other.as_fd())
    }

    /// Puts the place of the last message before an error.
    pub fn here(&self, error: Error) -> Error {
        error.at(format!("{}: line {}", self.lines.source.name, self.lines.number))
    }
}

/// Reads a record from its line.
pub fn record<T: DeserializeOwned>(line: &[u8]) -> Result<T> {
    serde_json::from_slice(line).map_err(Error::data)
}
