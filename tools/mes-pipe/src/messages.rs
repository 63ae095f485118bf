//! Messages on stdin, a line each, and whether the next one has come yet.

use std::{ops::Range, time::Duration};

use rustix::event::PollFlags;
use serde::de::DeserializeOwned;

use crate::{
    Error, Result,
    source::{Source, any_of},
    text::{Line, Lines},
};

pub use crate::source::Awaited;

/// What reading came to.
pub enum Message<'a> {
    Line(&'a [u8]),
    /// The next read may wait: flush first.
    Idle,
    End,
}

/// What reading came to, without the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Line,
    /// The next read may wait.
    Idle,
    End,
}

/// Lines that come one by one.
pub struct Messages {
    lines: Lines,
    told_idle: bool,
    place: Range<usize>,
    readable: bool,
}

impl Messages {
    /// Opens stdin; a person at a terminal is told what is `awaited` there.
    ///
    /// # Errors
    ///
    /// `Failed` where stdin is closed, `Usage` where it is a directory.
    pub fn stdin(awaited: &str) -> Result<Messages> {
        let lines = Lines::new(Source::stdin(awaited)?);
        Ok(Messages { lines, told_idle: false, place: 0..0, readable: false })
    }

    /// Opens a file of messages.
    ///
    /// # Errors
    ///
    /// `Usage` where it is not there or a directory, `Failed` where it cannot be opened.
    pub fn open(path: &std::path::Path) -> Result<Messages> {
        Ok(Messages {
            lines: Lines::new(Source::open(path)?),
            told_idle: false,
            place: 0..0,
            readable: false,
        })
    }

    /// Returns the next message. After [`Message::Idle`] it waits. A last line without an end is an error.
    ///
    /// # Errors
    ///
    /// `Data` where a line is cut off or too long, `Failed` where it cannot be read.
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

    /// Returns what reading comes to without waiting. The line is in [`Messages::line`] until the next call. Asks the
    /// system only after [`Messages::wait`] has said that there is something.
    ///
    /// # Errors
    ///
    /// As [`Messages::next`].
    pub fn step(&mut self) -> Result<Step> {
        if std::mem::take(&mut self.readable) {
            self.lines.fill()?;
        } else if !self.lines.holds_line() {
            return Ok(Step::Idle);
        }
        loop {
            match self.lines.next(false)? {
                Line::Is(place) if place.is_empty() => {}
                Line::Is(place) => {
                    self.place = place;
                    return Ok(Step::Line);
                }
                Line::Cut(_) => return Err(self.here(Error::data("the record is cut off"))),
                Line::Wait => return Ok(Step::Idle),
                Line::End => return Ok(Step::End),
            }
        }
    }

    /// Returns the line that [`Messages::step`] came to last.
    pub fn line(&self) -> &[u8] {
        self.lines.bytes(self.place.clone())
    }

    /// Waits until a message or one of `others` can be read, or until `timeout` is over; says which of them can, the
    /// message first. Messages in a file always can.
    ///
    /// # Errors
    ///
    /// `Failed` where the system cannot wait for them.
    pub fn wait(&mut self, others: [Option<Awaited>; 3], timeout: Option<Duration>) -> Result<[bool; 4]> {
        let found = match self.lines.source.descriptor() {
            Some(own) => {
                let [first, second, third] = others;
                any_of([Some((own, PollFlags::IN)), first, second, third], timeout)?
            }
            None => [true, false, false, false],
        };
        self.readable = found[0];
        Ok(found)
    }

    /// Puts the place of the last message before an error.
    pub fn here(&self, error: Error) -> Error {
        self.lines.here(error)
    }
}

/// Reads a record from its line.
///
/// # Errors
///
/// `Data` where it is none of this kind, or a value of it cannot be.
pub fn record<T: DeserializeOwned>(line: &[u8]) -> Result<T> {
    serde_json::from_slice(line).map_err(Error::data)
}
